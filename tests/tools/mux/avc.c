#include "avc.h"

#include <string.h>

#include "base/bytes.h"

#define REFS_MAX 32u
#define LOOP_MAX 256 /* of anything that a header repeats */

/* ---- bits -------------------------------------------------------------------------------------*/

/* Bits of a NAL unit without its emulation prevention; past the end zeros, and it has failed. */
struct bits {
    cad_buf b;
    size_t at;       /* next byte */
    uint32_t zeros;  /* bytes of zero just before it */
    uint32_t byte, left;
    bool failed;
};

static uint32_t bit(struct bits *r)
{
    if (r->left == 0) {
        if (r->zeros >= 2 && r->at < r->b.n && r->b.p[r->at] == 3) {
            r->at++;
            r->zeros = 0;
        }
        if (r->at >= r->b.n) {
            r->failed = true;
            return 0;
        }
        r->byte = r->b.p[r->at++];
        r->zeros = r->byte == 0 ? r->zeros + 1 : 0;
        r->left = 8;
    }
    return r->byte >> --r->left & 1;
}

static uint32_t take(struct bits *r, uint32_t n)
{
    uint32_t value = 0;
    while (n-- > 0) value = value << 1 | bit(r);
    return value;
}

/* Exp-Golomb, 9.1. The signed kind is as long. */
static uint32_t ue(struct bits *r)
{
    uint32_t zeros = 0;
    while (!r->failed && bit(r) == 0) zeros++;
    if (zeros > 30) r->failed = true;
    return r->failed ? 0 : (1u << zeros) - 1 + take(r, zeros);
}

static int32_t se(struct bits *r)
{
    uint32_t k = ue(r);
    return k & 1 ? (int32_t)(k / 2) + 1 : -(int32_t)(k / 2);
}

/* ---- parameter sets ---------------------------------------------------------------------------*/

static void skip_scaling_list(struct bits *r, int size)
{
    int32_t last = 8, next = 8;
    for (int i = 0; i < size && !r->failed; i++) {
        if (next != 0) next = (last + se(r) + 256) % 256;
        if (next != 0) last = next;
    }
}

static bool has_chroma_format(uint32_t profile)
{
    static const uint8_t profiles[] = {100, 110, 122, 244, 44,  83, 86,
                                       118, 128, 138, 139, 134, 135};
    return memchr(profiles, (int)profile, sizeof profiles) != NULL;
}

static void read_chroma(struct bits *r, struct mux_avc_sps *s)
{
    s->chroma_format = ue(r);
    if (s->chroma_format == 3) s->separate_planes = bit(r);
    (void)ue(r);
    (void)ue(r);
    (void)bit(r);
    if (!bit(r)) return;
    int lists = s->chroma_format == 3 ? 12 : 8;
    for (int i = 0; i < lists; i++) {
        if (bit(r)) skip_scaling_list(r, i < 6 ? 16 : 64);
    }
}

/* 7.3.2.1.1 as far as it is needed. */
static int read_sps(struct mux_avc *avc, cad_buf nal)
{
    struct bits r = {.b = nal};
    struct mux_avc_sps s = {.known = true, .chroma_format = 1};
    (void)take(&r, 8);
    uint32_t profile = take(&r, 8);
    (void)take(&r, 16);
    uint32_t id = ue(&r);
    if (has_chroma_format(profile)) read_chroma(&r, &s);
    s.frame_num_bits = ue(&r) + 4;
    s.order_type = ue(&r);
    if (s.order_type == 0) {
        s.order_bits = ue(&r) + 4;
    } else if (s.order_type == 1) {
        s.delta_always_zero = bit(&r);
        (void)ue(&r);
        (void)ue(&r);
        uint32_t cycle = ue(&r);
        for (uint32_t i = 0; i < cycle && i < LOOP_MAX; i++) (void)ue(&r);
    }
    (void)ue(&r);
    (void)bit(&r);
    (void)ue(&r);
    (void)ue(&r);
    s.frame_mbs_only = bit(&r);
    if (r.failed || id >= MUX_AVC_SPS_MAX || s.frame_num_bits > 16 || s.order_bits > 16) {
        return CAD_E_DATA;
    }
    avc->sps[id] = s;
    return 0;
}

/* 7.3.2.2 */
static int read_pps(struct mux_avc *avc, cad_buf nal)
{
    struct bits r = {.b = nal};
    struct mux_avc_pps p = {.known = true};
    (void)take(&r, 8);
    uint32_t id = ue(&r);
    p.sps = ue(&r);
    p.cabac = bit(&r);
    p.order_present = bit(&r);
    if (ue(&r) != 0) return r.failed ? CAD_E_DATA : CAD_E_UNSUPPORTED; /* slice groups */
    p.refs[0] = ue(&r) + 1;
    p.refs[1] = ue(&r) + 1;
    p.weighted = bit(&r);
    p.weighted_bi = take(&r, 2);
    (void)ue(&r);
    (void)ue(&r);
    (void)ue(&r);
    p.deblocking_control = bit(&r);
    (void)bit(&r);
    p.redundant_present = bit(&r);
    if (r.failed || p.sps >= MUX_AVC_SPS_MAX || id >= MUX_AVC_PPS_MAX) return CAD_E_DATA;
    avc->pps[id] = p;
    return 0;
}

int mux_avc_init(struct mux_avc *avc, cad_buf config)
{
    memset(avc, 0, sizeof *avc);
    if (config.n < 7) return CAD_E_DATA;
    avc->length_size = (config.p[4] & 3u) + 1;
    size_t at = 5;
    for (int kind = 0; kind < 2; kind++) {
        if (at >= config.n) return CAD_E_DATA;
        uint32_t count = kind == 0 ? config.p[at] & 31u : config.p[at];
        at++;
        for (uint32_t i = 0; i < count; i++) {
            if (config.n - at < 2) return CAD_E_DATA;
            size_t n = cad_be16(config.p + at);
            if (n > config.n - at - 2) return CAD_E_DATA;
            cad_buf nal = {config.p + at + 2, n};
            int rc = kind == 0 ? read_sps(avc, nal) : read_pps(avc, nal);
            if (rc < 0) return rc;
            at += 2 + n;
        }
    }
    return 0;
}

/* ---- slices -----------------------------------------------------------------------------------*/

enum { SLICE_P, SLICE_B, SLICE_I, SLICE_SP, SLICE_SI };

struct slice {
    const struct mux_avc_sps *sps;
    const struct mux_avc_pps *pps;
    uint32_t nal_type, ref_idc, type; /* type: 0 .. 4 */
    uint32_t refs[2];
};

static void skip_order(struct bits *r, const struct slice *s)
{
    bool field = false;
    if (!s->sps->frame_mbs_only) {
        field = bit(r);
        if (field) (void)bit(r);
    }
    if (s->nal_type == 5) (void)ue(r);
    if (s->sps->order_type == 0) {
        (void)take(r, s->sps->order_bits);
        if (s->pps->order_present && !field) (void)ue(r);
    } else if (s->sps->order_type == 1 && !s->sps->delta_always_zero) {
        (void)ue(r);
        if (s->pps->order_present && !field) (void)ue(r);
    }
    if (s->pps->redundant_present) (void)ue(r);
}

/* 7.3.3.1 */
static void skip_list_changes(struct bits *r, const struct slice *s)
{
    int lists = s->type == SLICE_B ? 2 : 1;
    for (int k = 0; k < lists; k++) {
        if (!bit(r)) continue;
        uint32_t what = 0;
        for (int i = 0; i < LOOP_MAX && what != 3 && !r->failed; i++) {
            what = ue(r);
            if (what < 3) (void)ue(r);
        }
    }
}

/* 7.3.3.2 */
static void skip_weights(struct bits *r, const struct slice *s)
{
    bool color = s->sps->chroma_format != 0 && !s->sps->separate_planes;
    int lists = s->type == SLICE_B ? 2 : 1;
    (void)ue(r);
    if (color) (void)ue(r);
    for (int k = 0; k < lists; k++) {
        for (uint32_t i = 0; i < s->refs[k] && !r->failed; i++) {
            for (uint32_t n = bit(r) * 2; n > 0; n--) (void)ue(r);
            if (!color) continue;
            for (uint32_t n = bit(r) * 4; n > 0; n--) (void)ue(r);
        }
    }
}

/* 7.3.3.3 */
static void skip_marking(struct bits *r, const struct slice *s)
{
    if (s->nal_type == 5) {
        (void)take(r, 2);
        return;
    }
    if (!bit(r)) return;
    uint32_t what = 1;
    for (int i = 0; i < LOOP_MAX && what != 0 && !r->failed; i++) {
        what = ue(r);
        if (what != 0 && what != 5) (void)ue(r);
        if (what == 3) (void)ue(r);
    }
}

static void read_references(struct bits *r, struct slice *s)
{
    bool inter = s->type != SLICE_I && s->type != SLICE_SI;
    bool both = s->type == SLICE_B;
    if (both) (void)bit(r);
    if (inter && bit(r)) {
        s->refs[0] = ue(r) + 1;
        if (both) s->refs[1] = ue(r) + 1;
    }
    if (s->refs[0] > REFS_MAX || s->refs[1] > REFS_MAX) r->failed = true;
    if (inter) skip_list_changes(r, s);
    bool weighted = both ? s->pps->weighted_bi == 1 : inter && s->pps->weighted;
    if (weighted) skip_weights(r, s);
}

/* 7.3.3: bytes of the header, those that slice data shares a byte with among them. */
static int slice_header(const struct mux_avc *avc, cad_buf nal, size_t *out)
{
    struct bits r = {.b = nal};
    struct slice s = {.ref_idc = take(&r, 3)};
    s.nal_type = take(&r, 5);
    (void)ue(&r);
    s.type = ue(&r) % 5;
    uint32_t pps = ue(&r);
    if (r.failed || pps >= MUX_AVC_PPS_MAX || !avc->pps[pps].known) return CAD_E_DATA;
    s.pps = &avc->pps[pps];
    s.sps = &avc->sps[s.pps->sps];
    if (!s.sps->known) return CAD_E_DATA;
    memcpy(s.refs, s.pps->refs, sizeof s.refs);
    if (s.sps->separate_planes) (void)take(&r, 2);
    (void)take(&r, s.sps->frame_num_bits);
    skip_order(&r, &s);
    read_references(&r, &s);
    if (s.ref_idc != 0) skip_marking(&r, &s);
    if (s.pps->cabac && s.type != SLICE_I && s.type != SLICE_SI) (void)ue(&r);
    (void)ue(&r);
    if (s.type == SLICE_SP) (void)bit(&r);
    if (s.type == SLICE_SP || s.type == SLICE_SI) (void)ue(&r);
    if (s.pps->deblocking_control && ue(&r) != 1) {
        (void)ue(&r);
        (void)ue(&r);
    }
    if (r.failed) return CAD_E_DATA;
    *out = r.at;
    return 0;
}

int mux_avc_clear(struct mux_avc *avc, cad_buf nal, size_t *out)
{
    *out = nal.n;
    if (nal.n == 0) return 0;
    switch (nal.p[0] & 31) {
    case 1:
    case 5: return slice_header(avc, nal, out);
    case 2: case 3: case 4: return CAD_E_UNSUPPORTED; /* data partitions */
    case 7: return read_sps(avc, nal);
    case 8: return read_pps(avc, nal);
    default: return 0;
    }
}
