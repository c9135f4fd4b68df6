/*
 * fuzz_json.c - any bytes through the JSON reader, what it accepts through the writer, and back.
 *
 * Held to: no read outside of the text, an error that stays, skipping that ends where walking ends,
 * and a written copy whose tokens are the same, with the same strings and the same numbers.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "cadmium/base.h"

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/strbuf.h"

#define INPUT_MAX (1u << 16)      /* bytes; more finds nothing new and is slow */
#define OUTPUT_MAX (INPUT_MAX * 8) /* bytes; six for one is the worst that escaping does */

static void require(bool holds)
{
    if (!holds) __builtin_trap();
}

static bool is_text(enum cad_json_type type)
{
    return type == CAD_JSON_KEY || type == CAD_JSON_STRING;
}

/* Every accessor on one token; false for a string that has no meaning (a lone surrogate). */
static bool probe(const struct cad_json *j, char *memory, cad_str *text)
{
    int64_t v;
    bool b;
    (void)cad_json_line(j);
    require(cad_json_offset(j) <= j->text.n);
    require(cad_json_raw(j).n <= j->text.n);
    if (j->type == CAD_JSON_NUMBER) {
        int64_t whole;
        if (cad_json_i64(j, &whole) == 0) {
            require(cad_json_fixed(j, 0, &v) == 0);
            require(v == whole);
        }
        (void)!cad_json_fixed(j, 9, &v);
        (void)!cad_json_fixed(j, 18, &v);
    } else {
        require(cad_json_i64(j, &v) == CAD_E_INVAL);
    }
    require((cad_json_bool(j, &b) == 0) == (j->type == CAD_JSON_TRUE || j->type == CAD_JSON_FALSE));
    int err = cad_json_string(j, memory, INPUT_MAX, text);
    if (!is_text(j->type)) {
        require(err == CAD_E_INVAL);
        return true;
    }
    require(err == 0 || err == CAD_E_DATA);
    return err == 0;
}

static void write_token(struct cad_jsonw *w, const struct cad_json *j, cad_str text)
{
    switch (j->type) {
    case CAD_JSON_OBJECT_BEGIN: cad_jsonw_object(w); break;
    case CAD_JSON_ARRAY_BEGIN: cad_jsonw_array(w); break;
    case CAD_JSON_OBJECT_END:
    case CAD_JSON_ARRAY_END: cad_jsonw_end(w); break;
    case CAD_JSON_KEY: cad_jsonw_key(w, text); break;
    case CAD_JSON_STRING: cad_jsonw_string(w, text); break;
    case CAD_JSON_NUMBER: cad_jsonw_raw(w, cad_json_raw(j)); break;
    case CAD_JSON_TRUE: cad_jsonw_bool(w, true); break;
    case CAD_JSON_FALSE: cad_jsonw_bool(w, false); break;
    case CAD_JSON_NULL: cad_jsonw_null(w); break;
    default: break;
    }
}

/* A copy of the reader that skips the value must end where the reader ends by walking. */
static void compare_skip(struct cad_json skipper)
{
    struct cad_json walker = skipper;
    uint32_t outside = walker.depth - 1;
    int err = cad_json_skip(&skipper);
    while (walker.depth > outside && cad_json_next(&walker) != CAD_JSON_ERROR) {
    }
    require(err == cad_json_error(&walker));
    require(skipper.at == walker.at);
    require(skipper.type == walker.type);
}

/* Walk the text into a written copy; false if it is not to be compared. */
static bool copy(cad_str input, char *memory, struct cad_sb *out)
{
    struct cad_json_limits limits = {.depth_max = CAD_JSON_DEPTH_MAX};
    struct cad_json j;
    struct cad_jsonw w;
    bool meaningful = true;
    int nests_checked = 0;
    cad_json_init(&j, input, &limits);
    cad_jsonw_init(&w, out);
    while (cad_json_next(&j) != CAD_JSON_END) {
        cad_str text = {NULL, 0};
        if (j.type == CAD_JSON_ERROR) {
            require(cad_json_error(&j) != 0);
            require(cad_json_next(&j) == CAD_JSON_ERROR);
            require(!cad_json_truncated(&j) || cad_json_offset(&j) == input.n);
            return false;
        }
        bool begins = j.type == CAD_JSON_OBJECT_BEGIN || j.type == CAD_JSON_ARRAY_BEGIN;
        if (begins && nests_checked++ < 8) compare_skip(j);
        meaningful = probe(&j, memory, &text) && meaningful;
        write_token(&w, &j, text);
    }
    require(cad_json_next(&j) == CAD_JSON_END);
    require(cad_jsonw_complete(&w));
    return meaningful;
}

static void compare(cad_str first, cad_str second, char *memory)
{
    struct cad_json_limits limits = {.depth_max = CAD_JSON_DEPTH_MAX};
    struct cad_json a;
    struct cad_json b;
    cad_json_init(&a, first, &limits);
    cad_json_init(&b, second, &limits);
    do {
        cad_str s = {NULL, 0};
        cad_str t = {NULL, 0};
        require(cad_json_next(&a) == cad_json_next(&b));
        require(cad_json_depth(&a) == cad_json_depth(&b));
        if (is_text(a.type)) {
            require(cad_json_string(&a, memory, INPUT_MAX, &s) == 0);
            require(cad_json_string(&b, memory + INPUT_MAX, INPUT_MAX, &t) == 0);
            require(cad_str_eq(s, t));
        }
        if (a.type == CAD_JSON_NUMBER) require(cad_str_eq(cad_json_raw(&a), cad_json_raw(&b)));
    } while (a.type != CAD_JSON_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > INPUT_MAX) return 0;
    struct cad_alloc alloc = cad_alloc_system();
    cad_str input = {(const char *)data, size};
    char *memory = malloc(2 * INPUT_MAX);
    require(memory != NULL);
    struct cad_sb out;
    cad_sb_init(&out, &alloc, CAD_MEM_OTHER, OUTPUT_MAX);
    if (copy(input, memory, &out)) compare(input, cad_sb_str(&out), memory);
    cad_sb_deinit(&out);
    free(memory);
    return 0;
}
