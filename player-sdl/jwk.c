#include "jwk.h"

#include "base/base64.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"

#define TEXT_BYTES 24 /* of 16 bytes in base64, without padding 22 */

static int put_bytes(struct cad_jsonw *w, const char *name, const uint8_t bytes[ARGS_KEY_BYTES])
{
    char text[TEXT_BYTES];
    size_t n = 0;
    cad_buf in = {bytes, ARGS_KEY_BYTES};
    int rc = cad_base64_encode(in, CAD_BASE64_URL | CAD_BASE64_NO_PAD, text, sizeof(text), &n);
    if (rc == 0) cad_jsonw_key_string(w, name, cad_str_make(text, n));
    cad_wipe(text, sizeof(text));
    return rc;
}

int jwk_write(const struct play_key *keys, uint32_t count, char out[JWK_BYTES], size_t *n)
{
    struct cad_sb sb;
    struct cad_jsonw w;
    int rc = 0;
    *n = 0;
    if (count == 0) return 0;
    cad_sb_init_fixed(&sb, out, JWK_BYTES);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("keys"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < count && rc == 0; i++) {
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "kty", CAD_STR("oct"));
        rc = put_bytes(&w, "kid", keys[i].kid);
        if (rc == 0) rc = put_bytes(&w, "k", keys[i].key);
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_string(&w, "type", CAD_STR("temporary"));
    cad_jsonw_end(&w);
    if (rc == 0 && cad_jsonw_error(&w)) rc = CAD_E_LIMIT;
    if (rc < 0) {
        cad_wipe(out, JWK_BYTES);
        return rc;
    }
    *n = cad_sb_str(&sb).n;
    return 0;
}
