/*
 * dash_keys.c - ContentProtection: schemes, systems, key ids, pssh boxes (23009-1 5.8.4.1,
 * 23001-7 11).
 */
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define UUID_URN "urn:uuid:"
#define MP4_PROTECTION "urn:mpeg:dash:mp4protection:2011"

/* Base64 without the white space that published documents put into it. */
static int keep_base64(struct cad_dash *p, cad_str text, cad_str *out)
{
    char *copy = cad_arena_alloc(&p->model->arena, text.n + 1, 1);
    size_t n = 0;
    if (!copy) return cad_dash_fail_memory(p);
    for (size_t i = 0; i < text.n; i++) {
        if (!cad_is_space(text.p[i])) copy[n++] = text.p[i];
    }
    *out = cad_str_make(copy, n);
    return CAD_OK;
}

static int read_license(struct cad_dash *p, const struct cad_dash_node *node,
                        struct cad_dash_protection *out)
{
    static const enum cad_dash_element names[] = {
        CAD_DASH_DASHIF_LAURL, CAD_DASH_DASHIF_LAURL_OLD, CAD_DASH_CLEARKEY_LAURL};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        const struct cad_dash_node *child = cad_dash_child(node, names[i]);
        if (!child || child->text.n == 0) continue;
        return cad_dash_resolve(p, p->options->base_url, child->text, &out->license_url);
    }
    return CAD_OK;
}

/* What is no UUID is told as it was written, in lower case. */
static cad_str keep_lower(struct cad_dash *p, cad_str text, bool *failed)
{
    char *copy = cad_arena_alloc(&p->model->arena, text.n + 1, 1);
    if (!copy) {
        *failed = true;
        return CAD_STR("");
    }
    for (size_t i = 0; i < text.n; i++) copy[i] = cad_to_lower(text.p[i]);
    return cad_str_make(copy, text.n);
}

static int read_protection(struct cad_dash *p, const struct cad_dash_node *node,
                           struct cad_dash_protection *out)
{
    cad_str scheme = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_SCHEME_ID_URI));
    const struct cad_dash_node *pssh = cad_dash_child(node, CAD_DASH_CENC_PSSH);
    cad_str kids = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_CENC_DEFAULT_KID));
    cad_str kid = CAD_STR("");
    bool failed = false;
    if (cad_str_ieq(scheme, CAD_STR(MP4_PROTECTION))) {
        cad_str value = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_VALUE));
        out->scheme = cad_dash_keep(p, value, &failed);
    } else if (cad_str_ieq(cad_str_sub(scheme, 0, sizeof(UUID_URN) - 1), CAD_STR(UUID_URN))) {
        cad_str uuid = cad_str_sub(scheme, sizeof(UUID_URN) - 1, scheme.n);
        out->has_system_id = cad_dash_parse_uuid(uuid, out->system_id);
        if (!out->has_system_id) out->system_text = keep_lower(p, uuid, &failed);
    } else {
        out->scheme_uri = cad_dash_keep(p, scheme, &failed);
    }
    if (cad_dash_next_field(&kids, " \t\r\n", &kid)) {
        out->has_key_id = cad_dash_parse_uuid(kid, out->key_id);
        if (!out->has_key_id) out->key_text = keep_lower(p, kid, &failed);
    }
    if (failed) return cad_dash_fail_memory(p);
    int rc = pssh ? keep_base64(p, pssh->text, &out->pssh) : CAD_OK;
    return rc == 0 ? read_license(p, node, out) : rc;
}

int cad_dash_protections(struct cad_dash *p, const struct cad_dash_node *node,
                         struct cad_dash_protections *out)
{
    uint32_t n = cad_dash_count(node, CAD_DASH_CONTENT_PROTECTION);
    if (n == 0) return CAD_OK;
    struct cad_dash_protection *items = cad_arena_array(&p->model->arena,
                                                        struct cad_dash_protection, n);
    if (!items) return cad_dash_fail_memory(p);
    *out = (struct cad_dash_protections){items, n};
    const struct cad_dash_node *child = cad_dash_child(node, CAD_DASH_CONTENT_PROTECTION);
    for (; child; child = cad_dash_next(child)) {
        int rc = read_protection(p, child, items++);
        if (rc != 0) return rc;
    }
    return CAD_OK;
}

/* ---- for a CDM ------------------------------------------------------------------------------- */

/* A pssh that is no base64 is left out. */
static int decode_pssh(struct cad_dash *p, cad_str text, cad_buf *out)
{
    size_t n = 0;
    *out = (cad_buf){NULL, 0};
    if (text.n == 0) return CAD_OK;
    uint8_t *bytes = cad_arena_alloc(&p->model->arena, cad_base64_decoded_max(text.n), 1);
    if (!bytes) return cad_dash_fail_memory(p);
    if (cad_base64_decode(text, 0, bytes, cad_base64_decoded_max(text.n), &n) != 0) {
        cad_dash_warn(p, "a pssh that is no base64", CAD_STR(""));
        return CAD_OK;
    }
    *out = (cad_buf){bytes, n};
    return CAD_OK;
}

int cad_dash_protection(struct cad_dash *p, const struct cad_dash_protection *from,
                        struct cad_protection *out)
{
    if (!from->has_system_id && !from->has_key_id && from->scheme.n == 0) return 0;
    memset(out, 0, sizeof(*out));
    out->id = CAD_STR("");
    out->has_system_id = from->has_system_id;
    out->has_key_id = from->has_key_id;
    memcpy(out->system_id, from->system_id, sizeof(out->system_id));
    memcpy(out->key_id, from->key_id, sizeof(out->key_id));
    if (!from->has_key_id) memset(out->key_id, 0, sizeof(out->key_id));
    out->scheme = from->scheme;
    out->license_url = from->license_url;
    int rc = decode_pssh(p, from->pssh, &out->init_data);
    return rc == 0 ? 1 : rc;
}
