/*
 * How single samples are protected: sample groups and auxiliary information of a traf (ISO/IEC
 * 23001-7 6, 7; 14496-12 8.7.8, 8.7.9, 8.9).
 *
 * A cursor enters a traf once: it finds senc or saiz and saio, sbgp and sgpd and the sample entry.
 * Then each sample moves it by one entry of each, so that a fragment costs time in proportion to
 * its bytes. Only offsets are kept: the segment may lie elsewhere at the next call.
 */
#include <string.h>

#include "base/checked.h"
#include "mp4/box.h"
#include "mp4/moov.h"

enum {
    SOURCE_NONE,
    SOURCE_SENC,
    SOURCE_AUX, /* saiz and saio */

    SENC_OVERRIDES = 1, /* PIFF: fields in place of the tenc's */
    SENC_HAS_MAPS = 2,
    AUX_HAS_TYPE = 1,

    GROUPS_OF_TRAF = 0x10000, /* descriptions above it are in the traf's own sgpd */
    GROUP_NONE = 0,           /* a row says: in no group */
    GROUP_ROW_BYTES = 8,
    USERTYPE_BYTES = 16,
};

#define GROUP_DEFAULT UINT32_MAX /* no row says anything */

/* A senc of the time before the standard had one. */
static const uint8_t piff_senc[USERTYPE_BYTES] = {0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14,
                                                  0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4};

/* The boxes of a traf that matter here; an empty view: not there. */
struct parts {
    cad_buf senc, saiz, saio;
    uint32_t samples; /* of all runs */
};

static uint64_t offset_of(cad_buf b, const uint8_t *p)
{
    return (uint64_t)(p - b.p);
}

static cad_buf view_of(cad_buf b, uint64_t at, uint64_t n)
{
    return (cad_buf){b.p + at, (size_t)n};
}

/* Of several boxes the first counts whose type of information is the scheme's, or not told. */
static bool is_aux_of(cad_buf body, uint32_t scheme)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(body);
    cad_mp4_wire_skip(&wire, 1);
    if (!(cad_mp4_wire_u24(&wire) & AUX_HAS_TYPE)) return true;
    return cad_mp4_wire_u32(&wire) == scheme;
}

static bool is_senc(const struct cad_mp4_child *child)
{
    if (child->type == CAD_FOURCC('s', 'e', 'n', 'c')) return true;
    return child->type == CAD_FOURCC('u', 'u', 'i', 'd') &&
           memcmp(child->body.p - USERTYPE_BYTES, piff_senc, USERTYPE_BYTES) == 0;
}

static int count_samples(cad_buf trun, uint32_t *sum)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(trun);
    cad_mp4_wire_skip(&wire, 4);
    uint32_t count = cad_mp4_wire_u32(&wire);
    return !wire.failed && cad_add_u32(*sum, count, sum) ? 0 : CAD_E_DATA;
}

static int find_parts(cad_buf traf, uint32_t scheme, struct parts *out)
{
    *out = (struct parts){.samples = 0};
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_child_next(traf, &at, &child)) == 0) {
        cad_buf *place = NULL;
        if (is_senc(&child)) {
            place = &out->senc;
        } else if (child.type == CAD_FOURCC('s', 'a', 'i', 'z')) {
            place = is_aux_of(child.body, scheme) ? &out->saiz : NULL;
        } else if (child.type == CAD_FOURCC('s', 'a', 'i', 'o')) {
            place = is_aux_of(child.body, scheme) ? &out->saio : NULL;
        } else if (child.type == CAD_FOURCC('t', 'r', 'u', 'n')) {
            rc = count_samples(child.body, &out->samples);
            if (rc != 0) return rc;
        }
        if (place != NULL && place->p == NULL) *place = child.body;
    }
    return rc == CAD_E_END ? 0 : rc;
}

static int use_senc(struct cad_mp4_crypt *c, const struct parts *parts, cad_buf b)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(parts->senc);
    cad_mp4_wire_skip(&wire, 1);
    uint32_t flags = cad_mp4_wire_u24(&wire);
    if (flags & SENC_OVERRIDES) return CAD_E_UNSUPPORTED;
    c->count = cad_mp4_wire_u32(&wire);
    if (wire.failed || c->count != parts->samples) return CAD_E_DATA;
    c->source = SOURCE_SENC;
    c->has_maps = (flags & SENC_HAS_MAPS) != 0;
    c->at = offset_of(b, wire.b.p);
    c->end = c->at + wire.b.n;
    return 0;
}

/* saio: one offset, from where the traf's data is counted from. */
static int read_saio(const struct cad_mp4_reader *r, cad_buf saio, uint64_t *at)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(saio);
    uint8_t version = cad_mp4_wire_u8(&wire);
    if (cad_mp4_wire_u24(&wire) & AUX_HAS_TYPE) cad_mp4_wire_skip(&wire, 8);
    uint32_t count = cad_mp4_wire_u32(&wire);
    uint64_t offset = cad_mp4_wire_uint(&wire, version == 0 ? 4 : 8);
    if (wire.failed || count == 0) return CAD_E_DATA;
    if (count > 1) return CAD_E_UNSUPPORTED;
    uint64_t sum;
    if (!cad_add_u64(r->base_data, offset, &sum)) return CAD_E_DATA;
    return cad_sub_u64(sum, r->origin, at) ? 0 : CAD_E_DATA;
}

static int use_aux(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r,
                   const struct parts *parts, cad_buf b)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(parts->saiz);
    cad_mp4_wire_skip(&wire, 1);
    if (cad_mp4_wire_u24(&wire) & AUX_HAS_TYPE) cad_mp4_wire_skip(&wire, 8);
    c->size = cad_mp4_wire_u8(&wire);
    c->count = cad_mp4_wire_u32(&wire);
    if (wire.failed || c->count > parts->samples) return CAD_E_DATA;
    if (c->size == 0 && c->count > wire.b.n) return CAD_E_DATA;
    c->sizes = offset_of(b, wire.b.p);
    c->source = SOURCE_AUX;
    c->end = r->total;
    return read_saio(r, parts->saio, &c->at);
}

/* The rows of a sbgp and, if it is there, the traf's own sgpd. */
static int use_groups(struct cad_mp4_crypt *c, cad_buf traf, cad_buf b)
{
    cad_buf sbgp, sgpd;
    int rc = cad_mp4_seig_find(traf, CAD_FOURCC('s', 'b', 'g', 'p'), &sbgp);
    if (rc != 0) return rc == CAD_E_NOTFOUND ? 0 : rc;
    struct cad_mp4_wire wire = cad_mp4_wire_of(sbgp);
    uint8_t version = cad_mp4_wire_u8(&wire);
    cad_mp4_wire_skip(&wire, version == 1 ? 11 : 7);
    uint32_t rows = cad_mp4_wire_u32(&wire);
    if (wire.failed || rows > wire.b.n / GROUP_ROW_BYTES) return CAD_E_DATA;
    c->group_at = offset_of(b, wire.b.p);
    c->group_end = c->group_at + (uint64_t)rows * GROUP_ROW_BYTES;
    rc = cad_mp4_seig_find(traf, CAD_FOURCC('s', 'g', 'p', 'd'), &sgpd);
    if (rc != 0) return rc == CAD_E_NOTFOUND ? 0 : rc;
    c->groups = offset_of(b, sgpd.p);
    c->groups_size = sgpd.n;
    return 0;
}

/* The sample entry of the traf: the first is known, a later one is read once a traf. */
static int use_entry(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r)
{
    const struct cad_mp4_init *init = r->init;
    if (init->stsd.p == NULL) return 0;
    struct cad_mp4_init entry = {.type = init->type};
    /* 0 is no description: without a trex it is taken for the first, never for a clear one. */
    uint32_t n = r->description == 0 ? 1 : r->description;
    int rc = cad_mp4_stsd_entry(init->stsd, init->type, n, &entry);
    if (rc == CAD_E_NOTFOUND) return CAD_E_DATA;
    if (rc != 0 && rc != CAD_E_UNSUPPORTED) return rc;
    if (!entry.encrypted) return 0;
    enum cad_scheme scheme;
    rc = cad_mp4_scheme(entry.scheme, &scheme);
    if (rc != 0) return rc;
    c->scheme = entry.scheme;
    c->entry = entry.protection;
    c->has_entry = entry.has_protection;
    /* A view would outlive a header that is moved; where it lies in it does not change. */
    if (c->entry.constant_iv.n) c->constant_iv = offset_of(init->stsd, c->entry.constant_iv.p);
    c->entry.constant_iv.p = NULL;
    return 0;
}

static int enter(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r, cad_buf b)
{
    *c = (struct cad_mp4_crypt){.moof = r->moof, .traf = r->traf};
    cad_buf traf = view_of(b, r->traf, r->traf_size);
    struct parts parts;
    int rc = use_entry(c, r);
    if (rc != 0 || c->scheme == 0) return rc;
    rc = find_parts(traf, c->scheme, &parts);
    if (rc == 0) rc = use_groups(c, traf, b);
    if (rc != 0) return rc;
    if (parts.senc.p != NULL) return use_senc(c, &parts, b);
    if (parts.saiz.p != NULL && parts.saio.p != NULL) return use_aux(c, r, &parts, b);
    c->count = parts.samples;
    return 0;
}

/* Makes a group's description the current one. */
static int find_seig(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r, cad_buf b,
                     uint32_t group)
{
    bool in_traf = group > GROUPS_OF_TRAF && group != GROUP_DEFAULT;
    cad_buf sgpd = in_traf ? view_of(b, c->groups, c->groups_size) : r->init->sgpd;
    cad_buf entry = {NULL, 0};
    c->seig_size = 0;
    c->seig_group = group;
    if (group == GROUP_NONE) return 0;
    if (sgpd.n == 0) return group == GROUP_DEFAULT ? 0 : CAD_E_DATA;
    uint32_t n = group == GROUP_DEFAULT ? 0 : in_traf ? group - GROUPS_OF_TRAF : group;
    int rc = cad_mp4_sgpd_entry(sgpd, n, &entry);
    if (rc == CAD_E_NOTFOUND) return 0;
    if (rc != 0) return rc;
    c->seig = in_traf ? offset_of(b, entry.p) : offset_of(r->init->sgpd, entry.p);
    c->seig_size = entry.n;
    c->seig_in_init = !in_traf;
    return 0;
}

/* The group of the next sample, and what it says; else what the sample entry says. */
static int step_group(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r, cad_buf b,
                      struct cad_mp4_protection *out)
{
    while (c->group_left == 0 && c->group_at < c->group_end) {
        struct cad_mp4_wire wire = cad_mp4_wire_of(view_of(b, c->group_at, GROUP_ROW_BYTES));
        c->group_left = cad_mp4_wire_u32(&wire);
        c->group = cad_mp4_wire_u32(&wire);
        c->group_at += GROUP_ROW_BYTES;
    }
    uint32_t group = c->group_left > 0 ? c->group : GROUP_DEFAULT;
    if (c->group_left > 0) c->group_left--;
    int rc = 0;
    if (c->index == 0 || group != c->seig_group) rc = find_seig(c, r, b, group);
    if (rc != 0) return rc;
    *out = c->entry;
    if (out->constant_iv.n) out->constant_iv.p = r->init->stsd.p + c->constant_iv;
    if (c->seig_size == 0) return c->has_entry ? 0 : CAD_E_DATA;
    cad_buf home = c->seig_in_init ? r->init->sgpd : b;
    return cad_mp4_seig_read(view_of(home, c->seig, c->seig_size), out);
}

/* The map of subsamples behind an IV: a count, then as many of them. */
static int read_map(struct cad_mp4_wire *wire, cad_buf *out)
{
    uint16_t count = cad_mp4_wire_u16(wire);
    *out = (cad_buf){wire->b.p, (size_t)count * CAD_CENC_SUBSAMPLE_BYTES};
    cad_mp4_wire_skip(wire, out->n);
    return wire->failed ? CAD_E_DATA : 0;
}

static int step_senc(struct cad_mp4_crypt *c, cad_buf b, struct cad_mp4_sample_crypt *out)
{
    struct cad_mp4_wire wire = cad_mp4_wire_of(view_of(b, c->at, c->end - c->at));
    uint8_t iv = out->protection.per_sample_iv_size;
    out->iv = (cad_buf){wire.b.p, iv};
    cad_mp4_wire_skip(&wire, iv);
    if (wire.failed) return CAD_E_DATA;
    int rc = c->has_maps ? read_map(&wire, &out->subsamples) : 0;
    if (rc != 0) return rc;
    c->at = c->end - wire.b.n;
    return 0;
}

static int step_aux(struct cad_mp4_crypt *c, cad_buf b, struct cad_mp4_sample_crypt *out)
{
    if (c->index >= c->count) return out->protection.per_sample_iv_size == 0 ? 0 : CAD_E_DATA;
    uint8_t size = c->size != 0 ? c->size : b.p[c->sizes + c->index];
    uint8_t iv = out->protection.per_sample_iv_size;
    uint64_t end;
    if (!cad_add_u64(c->at, size, &end) || end > c->end) return CAD_E_DATA;
    if (end > b.n) return CAD_E_AGAIN;
    struct cad_mp4_wire wire = cad_mp4_wire_of(view_of(b, c->at, size));
    out->iv = (cad_buf){wire.b.p, iv};
    cad_mp4_wire_skip(&wire, iv);
    if (wire.failed) return CAD_E_DATA;
    int rc = wire.b.n > 0 ? read_map(&wire, &out->subsamples) : 0;
    if (rc != 0 || wire.b.n > 0) return CAD_E_DATA;
    c->at = end;
    return 0;
}

/* Passes one sample of the traf. On failure the cursor may have moved: work on a copy. */
static int step(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r, cad_buf b,
                struct cad_mp4_sample_crypt *out)
{
    *out = (struct cad_mp4_sample_crypt){.scheme = c->scheme};
    int rc = step_group(c, r, b, &out->protection);
    if (rc != 0) return rc;
    if (c->source == SOURCE_SENC) {
        rc = step_senc(c, b, out);
    } else if (c->source == SOURCE_AUX) {
        rc = step_aux(c, b, out);
    } else if (out->protection.per_sample_iv_size > 0) {
        rc = CAD_E_DATA; /* an IV is told, and there is none */
    }
    if (rc == 0) c->index++;
    return rc;
}

/* What a sample that was passed is worth. */
static int finish(struct cad_mp4_sample_crypt *crypt, uint32_t size)
{
    if (!crypt->protection.is_protected) {
        *crypt = (struct cad_mp4_sample_crypt){.scheme = crypt->scheme};
        return 0;
    }
    if (crypt->protection.per_sample_iv_size == 0) crypt->iv = crypt->protection.constant_iv;
    if (cad_cenc_subsample_count(crypt->subsamples) > CAD_CDM_SUBSAMPLES_MAX) return CAD_E_LIMIT;
    return cad_cenc_covers(crypt->subsamples, size) ? 0 : CAD_E_DATA;
}

int cad_mp4_crypt_next(struct cad_mp4_crypt *c, const struct cad_mp4_reader *r, cad_buf b,
                       const struct cad_mp4_sample *sample, struct cad_mp4_sample_crypt *out)
{
    struct cad_mp4_sample_crypt crypt = {.scheme = 0};
    if (r->init == NULL || r->moof == CAD_MP4_NONE || r->traf_size == 0) return CAD_E_INVAL;
    if (r->moof + r->moof_size > b.n || sample->index >= r->index) return CAD_E_INVAL;
    if (c->traf != r->traf || c->moof != r->moof || sample->index < c->index) {
        int rc = enter(c, r, b);
        c->error = rc;
    }
    if (c->error != 0) return c->error;
    if (c->scheme == 0) {
        *out = crypt;
        return 0;
    }
    struct cad_mp4_crypt next = *c;
    while (next.index <= sample->index) {
        int rc = step(&next, r, b, &crypt);
        if (rc != 0 && rc != CAD_E_AGAIN) c->error = rc;
        if (rc != 0) return rc;
    }
    int rc = finish(&crypt, sample->size);
    *c = next;
    if (rc == 0) *out = crypt;
    return rc;
}
