#include "drive/tape_licence.h"

#include <stdbool.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define TOKENS_MAX 256 /* as lib/engine/keys_licence.c looks at */

/* Is it base64, as the engine will have it? What it is does not leave this function. */
static bool is_base64(cad_str text)
{
    size_t pads = 0;
    while (pads < 2 && pads < text.n && text.p[text.n - 1 - pads] == '=') pads++;
    for (size_t i = 0; i < text.n - pads; i++) {
        char c = text.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || cad_is_digit(c);
        if (!letter && c != '+' && c != '/' && c != '-' && c != '_') return false;
    }
    return (text.n - pads) % 4 != 1;
}

/* Characters of the licence in its envelope; 0: there is no envelope, or no licence in it. */
static size_t licence_chars(cad_str body)
{
    struct cad_json j;
    cad_json_init(&j, body, NULL);
    for (int i = 0; i < TOKENS_MAX; i++) {
        enum cad_json_type type = cad_json_next(&j);
        if (type == CAD_JSON_END || type == CAD_JSON_ERROR) break;
        if (type != CAD_JSON_KEY || !cad_json_key_is(&j, "licenseResponseBase64")) continue;
        if (cad_json_next(&j) != CAD_JSON_STRING) continue;
        cad_str text = cad_json_raw(&j);
        return is_base64(text) ? text.n : 0;
    }
    return 0;
}

void tape_licence_hide(uint8_t *p, size_t n)
{
    static const char begin[] = "{\"licenseResponseBase64\":\"", end[] = "\"}";
    size_t chars = licence_chars(cad_str_make((const char *)p, n));
    size_t frame = sizeof(begin) - 1 + sizeof(end) - 1;
    cad_wipe(p, n);
    if (chars == 0 || n < frame || chars > n - frame) return;
    memset(p, ' ', n);
    memcpy(p, begin, sizeof(begin) - 1);
    memset(p + sizeof(begin) - 1, 'A', chars);
    memcpy(p + sizeof(begin) - 1 + chars, end, sizeof(end) - 1);
}
