/*
 * licensed_keys.c - drm headers of a track (5.7), and which of them opens a stream.
 */
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "manifest/licensed.h"

#define KEY_ID_BYTES 16u

/* The key id of a header, where it has one: 16 bytes in base64. */
static void fill_key_id(struct cad_licensed *p, const struct cad_raw_drm_header *raw,
                        struct cad_protection *out)
{
    uint8_t bytes[KEY_ID_BYTES + 2]; /* decoding may need room for a whole group */
    size_t n = 0;
    if (raw->key_id.n == 0) return;
    if (cad_base64_decode(raw->key_id, 0, bytes, sizeof(bytes), &n) != 0 || n != KEY_ID_BYTES) {
        cad_licensed_warn(p, "a keyId that is no 16 bytes", raw->id);
        return;
    }
    memcpy(out->key_id, bytes, KEY_ID_BYTES);
    out->has_key_id = true;
}

/* 1: *out is filled; 0: the header is broken (5.7: it is dropped and its rungs with it). */
static int build_header(struct cad_licensed *p, struct cad_raw_drm_header *raw,
                        struct cad_protection *out)
{
    size_t cap = cad_base64_decoded_max(raw->bytes.n);
    uint8_t *bytes = cad_arena_alloc(&p->scratch, cap + 1, 1);
    size_t n = 0;
    if (!bytes) return cad_licensed_fail_memory(p);
    if (cad_base64_decode(raw->bytes, 0, bytes, cap, &n) != 0 || n == 0) {
        cad_licensed_warn(p, "a drmHeader that is no base64", raw->id);
        return 0;
    }
    bool failed = false;
    memset(out, 0, sizeof(*out));
    out->id = cad_licensed_keep(p, raw->id, &failed);
    out->init_data = cad_arena_buf(&p->model->arena, (cad_buf){bytes, n});
    if (failed || !out->init_data.p) return cad_licensed_fail_memory(p);
    fill_key_id(p, raw, out);
    raw->good = true;
    return 1;
}

int cad_licensed_keys(struct cad_licensed *p, const struct cad_raw_track *raw,
                      struct cad_track *out)
{
    uint32_t most = raw->drm_headers.count + (raw->drm_header != NULL);
    if (most == 0 || !p->options->allow_drm) return CAD_OK;
    struct cad_protection *items = cad_arena_array(&p->model->arena, struct cad_protection, most);
    if (!items) return cad_licensed_fail_memory(p);
    uint32_t n = 0;
    if (raw->drm_header) {
        int rc = build_header(p, raw->drm_header, &items[n]);
        if (rc < 0) return rc;
        items[n].is_default = rc > 0;
        n += (uint32_t)rc;
    }
    for (struct cad_raw_item *item = raw->drm_headers.first; item; item = item->next) {
        int rc = build_header(p, (struct cad_raw_drm_header *)item, &items[n]);
        if (rc < 0) return rc;
        n += (uint32_t)rc;
    }
    out->protections = items;
    out->protection_count = n;
    return CAD_OK;
}

static bool header_is(const struct cad_raw_drm_header *header, cad_str id)
{
    return header && header->id.p && cad_str_eq(header->id, id);
}

/* The header an id names, broken or not; NULL if there is none of that name. */
static const struct cad_raw_drm_header *find_header(const struct cad_raw_track *raw, cad_str id)
{
    if (!id.p) return NULL;
    if (header_is(raw->drm_header, id)) return raw->drm_header;
    for (const struct cad_raw_item *item = raw->drm_headers.first; item; item = item->next) {
        const struct cad_raw_drm_header *header = (const struct cad_raw_drm_header *)item;
        if (header_is(header, id)) return header;
    }
    return NULL;
}

bool cad_licensed_find_key(const struct cad_raw_track *raw, cad_str id, cad_str *out)
{
    const struct cad_raw_drm_header *header = find_header(raw, id);
    *out = header ? header->id : (cad_str){NULL, 0};
    if (header) return header->good;
    return raw->drm_header && raw->drm_header->good;
}
