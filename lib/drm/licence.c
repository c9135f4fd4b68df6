#include "drm/licence.h"

#include <mbedtls/platform_util.h>
#include <string.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"

enum {
    ID_CHARS_MAX = 64, /* of 16 bytes in base64, with escapes that nobody needs */
    TEXT_CHARS_MAX = 32,
};

int cad_kid_list_add(struct cad_kid_list *list, const uint8_t *kid)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (memcmp(list->kids[i], kid, CAD_KEY_ID_SIZE) == 0) return 0;
    }
    if (list->n == CAD_LICENCE_KEYS_MAX) return CAD_E_LIMIT;
    memcpy(list->kids[list->n++], kid, CAD_KEY_ID_SIZE);
    return 0;
}

/* ---- init data ---------------------------------------------------------------------------- */

static bool is_known_system(const struct cad_cenc_pssh *pssh)
{
    return memcmp(pssh->system_id, cad_cenc_system_common, CAD_SYSTEM_ID_SIZE) == 0 ||
           memcmp(pssh->system_id, cad_cenc_system_clearkey, CAD_SYSTEM_ID_SIZE) == 0;
}

/* The first box that names key ids counts. One of version 0 names none that is defined. */
static int kids_of_boxes(cad_buf data, struct cad_kid_list *list)
{
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    int rc;
    while ((rc = cad_cenc_pssh_next(data, &at, &pssh)) != CAD_E_END) {
        if (rc == CAD_E_UNSUPPORTED) continue;
        if (rc != 0) return rc;
        if (pssh.kid_count == 0 || !is_known_system(&pssh)) continue;
        for (uint32_t i = 0; i < pssh.kid_count; i++) {
            rc = cad_kid_list_add(list, pssh.kids.p + (size_t)i * CAD_KEY_ID_SIZE);
            if (rc != 0) return rc;
        }
        return 0;
    }
    return CAD_E_NOTFOUND;
}

/*
 * 16 bytes of base64url in the current string; padding and the other alphabet are accepted, since
 * Android wrote them. CAD_E_DATA: something else.
 */
static int read_id(const struct cad_json *j, uint8_t out[16])
{
    char text[ID_CHARS_MAX];
    uint8_t bytes[ID_CHARS_MAX];
    cad_str s;
    size_t n = 0;
    int rc = cad_json_string(j, text, sizeof text, &s);
    if (rc == 0) rc = cad_base64_decode(s, CAD_BASE64_ANY, bytes, sizeof bytes, &n);
    if (rc == 0 && n == 16) memcpy(out, bytes, 16);
    mbedtls_platform_zeroize(text, sizeof text);
    mbedtls_platform_zeroize(bytes, sizeof bytes);
    return rc == 0 && n == 16 ? 0 : CAD_E_DATA;
}

/* The array of key ids whose key is current. */
static int read_kids(struct cad_json *j, struct cad_kid_list *list)
{
    if (cad_json_next(j) != CAD_JSON_ARRAY_BEGIN) return CAD_E_DATA;
    while (cad_json_next(j) == CAD_JSON_STRING) {
        uint8_t kid[CAD_KEY_ID_SIZE];
        int rc = read_id(j, kid);
        if (rc == 0) rc = cad_kid_list_add(list, kid);
        if (rc != 0) return rc;
    }
    return cad_json_type(j) == CAD_JSON_ARRAY_END ? 0 : CAD_E_DATA;
}

static int kids_of_json(cad_buf data, struct cad_kid_list *list)
{
    struct cad_json j;
    cad_json_init(&j, cad_str_from_buf(data), NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return CAD_E_DATA;
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        int rc = cad_json_key_is(&j, "kids") ? read_kids(&j, list) : cad_json_skip(&j);
        if (rc != 0) return rc;
    }
    if (cad_json_type(&j) != CAD_JSON_OBJECT_END) return CAD_E_DATA;
    if (cad_json_next(&j) != CAD_JSON_END) return CAD_E_DATA;
    return list->n > 0 ? 0 : CAD_E_NOTFOUND;
}

int cad_licence_init_kids(enum cad_init_type type, cad_buf data, struct cad_kid_list *list)
{
    if (data.n > CAD_CENC_INIT_BYTES_MAX) return CAD_E_LIMIT;
    switch (type) {
    case CAD_INIT_CENC: return kids_of_boxes(data, list);
    case CAD_INIT_KEYIDS: return kids_of_json(data, list);
    case CAD_INIT_WEBM:
        if (data.n == 0) return CAD_E_DATA;
        if (data.n != CAD_KEY_ID_SIZE) return CAD_E_UNSUPPORTED;
        return cad_kid_list_add(list, data.p);
    case CAD_INIT_RAW: break;
    }
    return CAD_E_UNSUPPORTED;
}

/* ---- request ------------------------------------------------------------------------------ */

void cad_licence_request(struct cad_sb *sb, const struct cad_kid_list *list)
{
    struct cad_jsonw w;
    cad_jsonw_init(&w, sb);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("kids"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < list->n; i++) {
        char text[ID_CHARS_MAX];
        size_t n = 0;
        cad_buf kid = {list->kids[i], CAD_KEY_ID_SIZE};
        unsigned flags = CAD_BASE64_URL | CAD_BASE64_NO_PAD;
        int rc = cad_base64_encode(kid, flags, text, sizeof text, &n);
        if (rc == 0) cad_jsonw_string(&w, cad_str_make(text, n));
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_string(&w, "type", CAD_STR("temporary"));
    cad_jsonw_end(&w);
}

/* ---- licence ------------------------------------------------------------------------------ */

struct reader {
    struct cad_json j;
    struct cad_key_row *rows;
    uint32_t n;
    uint32_t seen; /* keys of any kind */
    bool has_keys;
};

/* True if the current string reads so. */
static bool text_is(const struct cad_json *j, const char *want)
{
    char text[TEXT_CHARS_MAX];
    cad_str s;
    return cad_json_string(j, text, sizeof text, &s) == 0 && cad_str_eqz(s, want);
}

static void keep_key(struct reader *r, const struct cad_key_row *row)
{
    uint32_t i = 0;
    while (i < r->n && memcmp(r->rows[i].kid, row->kid, CAD_KEY_ID_SIZE) != 0) i++;
    r->rows[i] = *row;
    if (i == r->n) r->n++;
}

/* One JWK, whose beginning is current. What it lacks, or has in another form, makes it unusable. */
static int read_key(struct reader *r)
{
    struct cad_json *j = &r->j;
    struct cad_key_row row = {.status = CAD_KEY_USABLE};
    bool has_type = false;
    bool has_kid = false;
    bool has_key = false;
    int rc = 0;
    if (++r->seen > CAD_LICENCE_KEYS_MAX) return CAD_E_LIMIT;
    while (rc == 0 && cad_json_next(j) == CAD_JSON_KEY) {
        struct cad_json key = *j;
        rc = cad_json_skip(j);
        if (rc != 0 || cad_json_type(j) != CAD_JSON_STRING) continue;
        if (cad_json_key_is(&key, "kty")) has_type = text_is(j, "oct");
        if (cad_json_key_is(&key, "kid")) has_kid = read_id(j, row.kid) == 0;
        if (cad_json_key_is(&key, "k")) has_key = read_id(j, row.key) == 0;
    }
    if (rc == 0 && cad_json_type(j) != CAD_JSON_OBJECT_END) rc = CAD_E_DATA;
    if (rc == 0 && has_type && has_kid && has_key) keep_key(r, &row);
    mbedtls_platform_zeroize(&row, sizeof row);
    return rc;
}

static int read_keys(struct reader *r)
{
    if (r->has_keys) return CAD_E_DATA;
    r->has_keys = true;
    if (cad_json_next(&r->j) != CAD_JSON_ARRAY_BEGIN) return CAD_E_DATA;
    while (cad_json_next(&r->j) == CAD_JSON_OBJECT_BEGIN) {
        int rc = read_key(r);
        if (rc != 0) return rc;
    }
    return cad_json_type(&r->j) == CAD_JSON_ARRAY_END ? 0 : CAD_E_DATA;
}

static int read_type(struct reader *r)
{
    if (cad_json_next(&r->j) != CAD_JSON_STRING) return CAD_E_DATA;
    return text_is(&r->j, "temporary") ? 0 : CAD_E_DATA;
}

static int read_set(struct reader *r)
{
    struct cad_json *j = &r->j;
    if (cad_json_next(j) != CAD_JSON_OBJECT_BEGIN) return CAD_E_DATA;
    while (cad_json_next(j) == CAD_JSON_KEY) {
        int rc;
        if (cad_json_key_is(j, "keys")) {
            rc = read_keys(r);
        } else if (cad_json_key_is(j, "type")) {
            rc = read_type(r);
        } else {
            rc = cad_json_skip(j);
        }
        if (rc != 0) return rc;
    }
    if (cad_json_type(j) != CAD_JSON_OBJECT_END) return CAD_E_DATA;
    if (cad_json_next(j) != CAD_JSON_END) return CAD_E_DATA;
    return r->n > 0 ? 0 : CAD_E_DATA;
}

int cad_licence_read(cad_buf licence, struct cad_key_row *rows, uint32_t *n)
{
    struct reader r = {.rows = rows};
    int rc = CAD_E_LIMIT;
    *n = 0;
    if (licence.n <= CAD_LICENCE_BYTES_MAX) {
        cad_json_init(&r.j, cad_str_from_buf(licence), NULL);
        rc = read_set(&r);
    }
    /* A nesting that is deeper than any licence is no licence. */
    if (cad_json_error(&r.j) == CAD_E_LIMIT) rc = CAD_E_DATA;
    if (rc == 0) {
        *n = r.n;
    } else {
        mbedtls_platform_zeroize(rows, CAD_LICENCE_KEYS_MAX * sizeof *rows);
    }
    return rc;
}
