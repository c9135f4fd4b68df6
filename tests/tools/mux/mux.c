#include "mux.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/cenc.h"
#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "mp4/box.h"
#include "mp4/mp4.h"
#include "samples.h"

#define FRAGMENT_SAMPLES_MAX 65536
#define OUT_BYTES_MAX (1u << 30)     /* of one fragment */
#define DEPTH_MAX 6
#define REFERENCE_BYTES 12
#define PSSH_SYSTEM_BYTES 16
#define BASE_IS_MOOF 0x020000u       /* tfhd */
#define BASE_OFFSET 0x000001u
#define HAS_DATA_OFFSET 0x000001u    /* trun */
#define SENC_SUBSAMPLES 2u
#define SCHEME_VERSION 0x00010000u

#define MOOF CAD_FOURCC('m', 'o', 'o', 'f')
#define TRAF CAD_FOURCC('t', 'r', 'a', 'f')
#define TRUN CAD_FOURCC('t', 'r', 'u', 'n')
#define TFHD CAD_FOURCC('t', 'f', 'h', 'd')
#define ENCA CAD_FOURCC('e', 'n', 'c', 'a')
#define ENCV CAD_FOURCC('e', 'n', 'c', 'v')
#define STSD CAD_FOURCC('s', 't', 's', 'd')

struct mux {
    const char *wrong;           /* what is; NULL */
    struct mux_options options;
    cad_buf file;
    struct cad_mp4_init init;
    struct cad_mp4_sidx sidx;
    size_t moov_at, moov_end, sidx_at, media_at;
    struct mux_rule rule;
    uint8_t iv[CAD_CDM_IV_SIZE]; /* of the next sample, or constant */
    struct cad_mp4_reader reader; /* over the media behind the sidx */
    struct cad_mp4_sample next;
    int next_rc;                 /* of the reader: whether `next` is one */
    uint64_t next_moof;          /* its moof, in the media */
    size_t at;                   /* next fragment, in the file */
    int64_t header_growth;       /* bytes before the sidx */
    uint32_t reference;          /* of the sidx, that the next fragment is in */
    uint64_t reference_left;     /* bytes of it, as it was */
    uint32_t *sizes;             /* of references, as they become */
    struct cad_sb info, maps;    /* of a fragment: senc's rows; sizes of each, for saiz */
    struct mux_plan plan;
};

static int fail(struct mux *m, int rc, const char *what)
{
    if (!m->wrong) m->wrong = what;
    return rc;
}

const char *mux_message(const struct mux *mux)
{
    return mux->wrong ? mux->wrong : "no memory";
}

/* ---- bytes out --------------------------------------------------------------------------------*/

static void put_bytes(struct cad_sb *out, const void *p, size_t n)
{
    cad_sb_put(out, cad_str_make(p, n));
}

static void put8(struct cad_sb *out, uint32_t v)
{
    cad_sb_putc(out, (char)(uint8_t)v);
}

static void put16(struct cad_sb *out, uint32_t v)
{
    uint8_t b[2];
    cad_put_be16(b, (uint16_t)v);
    put_bytes(out, b, sizeof b);
}

static void put32(struct cad_sb *out, uint32_t v)
{
    uint8_t b[4];
    cad_put_be32(b, v);
    put_bytes(out, b, sizeof b);
}

static size_t begin(struct cad_sb *out, uint32_t type)
{
    size_t start = out->n;
    put32(out, 0);
    put32(out, type);
    return start;
}

static size_t begin_full(struct cad_sb *out, const char *type, uint32_t version_flags)
{
    size_t start = out->n;
    put32(out, 0);
    cad_sb_putz(out, type);
    put32(out, version_flags);
    return start;
}

static void end(struct cad_sb *out, size_t start)
{
    if (cad_sb_error(out) == 0) {
        cad_put_be32((uint8_t *)out->p + start, (uint32_t)(out->n - start));
    }
}

/* ---- moov -------------------------------------------------------------------------------------*/

static bool is_constant_iv(const struct mux *m)
{
    return m->options.scheme == CAD_SCHEME_CBCS;
}

static void put_tenc(const struct mux *m, struct cad_sb *out)
{
    bool pattern = is_constant_iv(m) && !m->rule.whole;
    size_t box = begin_full(out, "tenc", is_constant_iv(m) ? 0x01000000u : 0);
    put8(out, 0);
    put8(out, pattern ? MUX_PATTERN_CRYPT << 4 | MUX_PATTERN_SKIP : 0);
    put8(out, 1);
    put8(out, is_constant_iv(m) ? 0 : 8);
    put_bytes(out, m->options.kid, CAD_KEY_ID_SIZE);
    if (is_constant_iv(m)) {
        put8(out, CAD_CDM_IV_SIZE);
        put_bytes(out, m->iv, CAD_CDM_IV_SIZE);
    }
    end(out, box);
}

static void put_sinf(const struct mux *m, uint32_t entry, struct cad_sb *out)
{
    size_t sinf = begin(out, CAD_FOURCC('s', 'i', 'n', 'f'));
    size_t box = begin(out, CAD_FOURCC('f', 'r', 'm', 'a'));
    put32(out, entry);
    end(out, box);
    box = begin_full(out, "schm", 0);
    cad_sb_putz(out, is_constant_iv(m) ? "cbcs" : "cenc");
    put32(out, SCHEME_VERSION);
    end(out, box);
    box = begin(out, CAD_FOURCC('s', 'c', 'h', 'i'));
    put_tenc(m, out);
    end(out, box);
    end(out, sinf);
}

static void put_pssh(const struct mux *m, struct cad_sb *out)
{
    uint32_t count = m->options.pssh_kid_count;
    size_t box = begin_full(out, "pssh", 0x01000000u);
    put_bytes(out, cad_cenc_system_common, PSSH_SYSTEM_BYTES);
    put32(out, CAD_MAX(count, 1u));
    if (count == 0) put_bytes(out, m->options.kid, CAD_KEY_ID_SIZE);
    for (uint32_t i = 0; i < count; i++) put_bytes(out, m->options.pssh_kids[i], CAD_KEY_ID_SIZE);
    put32(out, 0);
    end(out, box);
}

static int put_stsd(struct mux *m, cad_buf body, struct cad_sb *out)
{
    struct cad_mp4_child entry;
    size_t at = 0;
    if (body.n < 8 || cad_be32(body.p + 4) != 1) {
        return fail(m, CAD_E_UNSUPPORTED, "several sample entries");
    }
    size_t stsd = begin(out, STSD);
    put_bytes(out, body.p, 8);
    cad_buf entries = {body.p + 8, body.n - 8};
    int rc = cad_mp4_child_next(entries, &at, &entry);
    if (rc < 0) return fail(m, CAD_E_DATA, "no sample entry");
    bool audio = m->init.type == CAD_MEDIA_AUDIO;
    size_t box = begin(out, audio ? ENCA : ENCV);
    put_bytes(out, entry.body.p, entry.body.n);
    put_sinf(m, entry.type, out);
    end(out, box);
    end(out, stsd);
    return 0;
}

/* The children of a container, those on the way to the stsd taken apart. Depth: DEPTH_MAX. */
static int put_children(struct mux *m, cad_buf body, unsigned depth, struct cad_sb *out)
{
    static const uint32_t ways[] = {
        CAD_FOURCC('t', 'r', 'a', 'k'), CAD_FOURCC('m', 'd', 'i', 'a'),
        CAD_FOURCC('m', 'i', 'n', 'f'), CAD_FOURCC('s', 't', 'b', 'l')};
    struct cad_mp4_child child;
    size_t at = 0;
    int rc;
    if (depth > DEPTH_MAX) return fail(m, CAD_E_DATA, "boxes in boxes in boxes");
    while ((rc = cad_mp4_child_next(body, &at, &child)) == 0) {
        bool on_way = false;
        for (size_t i = 0; i < CAD_ARRAY_LEN(ways); i++) on_way = on_way || child.type == ways[i];
        if (child.type == STSD) {
            rc = put_stsd(m, child.body, out);
        } else if (on_way) {
            size_t box = begin(out, child.type);
            rc = put_children(m, child.body, depth + 1, out);
            end(out, box);
        } else {
            put_bytes(out, body.p + child.offset, child.size);
        }
        if (rc < 0) return rc;
    }
    return rc == CAD_E_END ? 0 : fail(m, rc, "a broken moov");
}

int mux_header(struct mux *m, struct cad_sb *out)
{
    size_t start = out->n;
    put_bytes(out, m->file.p, m->moov_at);
    size_t box = begin(out, CAD_FOURCC('m', 'o', 'o', 'v'));
    int rc = put_children(m, m->init.moov, 0, out);
    if (rc < 0) return rc;
    put_pssh(m, out);
    end(out, box);
    put_bytes(out, m->file.p + m->moov_end, m->sidx_at - m->moov_end);
    m->header_growth = (int64_t)(out->n - start) - (int64_t)m->sidx_at;
    put_bytes(out, m->file.p + m->sidx_at, m->media_at - m->sidx_at);
    return cad_sb_error(out);
}

/* ---- fragments --------------------------------------------------------------------------------*/

static void look_ahead(struct mux *m)
{
    cad_buf media = {m->file.p + m->media_at, m->file.n - m->media_at};
    m->next_rc = cad_mp4_reader_next(&m->reader, media, media.n, &m->next);
    m->next_moof = m->reader.moof;
}

/* Boxes from `at` on up to the next moof, or the end; the moof at the front is passed. */
static int fragment_end(struct mux *m, size_t at, size_t *moof_end, size_t *out)
{
    struct cad_mp4_box box;
    for (bool first = true; at < m->file.n; first = false) {
        int rc = cad_mp4_box_read((cad_buf){m->file.p + at, m->file.n - at}, &box);
        if (rc < 0 || box.size > m->file.n - at) return fail(m, CAD_E_DATA, "a broken box");
        if (first != (box.type == MOOF)) {
            if (first) return fail(m, CAD_E_UNSUPPORTED, "a box other than moof before a fragment");
            break;
        }
        at += (size_t)box.size;
        if (first) *moof_end = at;
    }
    *out = at;
    return 0;
}

static void count_up(uint8_t *iv)
{
    for (int i = 7; i >= 0 && ++iv[i] == 0; i--) {
    }
}

/* senc's row of a sample, to m->info, and how long it is, to m->maps. */
static int note_sample(struct mux *m)
{
    size_t before = m->info.n;
    if (!is_constant_iv(m)) put_bytes(&m->info, m->iv, 8);
    if (!m->rule.whole) {
        put16(&m->info, m->plan.count);
        for (uint32_t i = 0; i < m->plan.count; i++) {
            put16(&m->info, m->plan.runs[i].clear_bytes);
            put32(&m->info, m->plan.runs[i].cipher_bytes);
        }
    }
    if (m->info.n - before > UINT8_MAX) return fail(m, CAD_E_LIMIT, "too many NAL units");
    put8(&m->maps, (uint32_t)(m->info.n - before));
    return 0;
}

/* Encrypts the samples of the fragment that is [at, stop) of the file and stands at `bytes`. */
static int encrypt_samples(struct mux *m, size_t at, size_t stop, uint8_t *bytes)
{
    uint64_t moof = at - m->media_at;
    cad_sb_reset(&m->info);
    cad_sb_reset(&m->maps);
    while (m->next_rc == 0 && m->next_moof == moof) {
        uint64_t from = m->next.offset - moof;
        if (m->next.offset < moof || from > stop - at || m->next.size > stop - at - from) {
            return fail(m, CAD_E_UNSUPPORTED, "samples outside of their fragment");
        }
        uint8_t *sample = bytes + from;
        int rc = mux_plan(&m->rule, (cad_buf){sample, m->next.size}, &m->plan);
        if (rc < 0) return fail(m, rc, "a sample that cannot be taken apart");
        rc = note_sample(m);
        if (rc == 0) {
            rc = mux_encrypt(&m->rule, m->iv, &m->plan, sample, m->next.size);
        }
        if (rc < 0) return fail(m, rc, "the cipher failed");
        if (!is_constant_iv(m)) count_up(m->iv);
        look_ahead(m);
    }
    if (m->next_rc < 0 && m->next_rc != CAD_E_END) return fail(m, m->next_rc, "a broken fragment");
    return 0;
}

/* saiz, saio and senc. `before`: bytes of the moof before them. Nothing if samples have none. */
static void put_auxiliary(const struct mux *m, size_t before, struct cad_sb *out)
{
    uint32_t count = (uint32_t)m->maps.n;
    if (m->info.n == 0) return;
    bool even = true;
    for (uint32_t i = 1; i < count; i++) even = even && m->maps.p[i] == m->maps.p[0];
    size_t start = out->n, box = begin_full(out, "saiz", 0);
    put8(out, even ? (uint8_t)m->maps.p[0] : 0);
    put32(out, count);
    if (!even) put_bytes(out, m->maps.p, count);
    end(out, box);
    box = begin_full(out, "saio", 0);
    put32(out, 1);
    put32(out, (uint32_t)(before + (out->n - start) + 4 + 16));
    end(out, box);
    box = begin_full(out, "senc", m->rule.whole ? 0 : SENC_SUBSAMPLES);
    put32(out, count);
    put_bytes(out, m->info.p, m->info.n);
    end(out, box);
}

/* The box as it is, but for the offset of a trun's data: that moves by `growth`. */
static int put_traf_child(struct mux *m, cad_buf traf, const struct cad_mp4_child *child,
                          uint32_t growth, struct cad_sb *out)
{
    const uint8_t *body = child->body.p;
    size_t start = out->n;
    if (child->type == TFHD) {
        uint32_t flags = child->body.n >= 4 ? cad_be24(body + 1) : 0;
        if ((flags & BASE_IS_MOOF) == 0 || (flags & BASE_OFFSET) != 0) {
            return fail(m, CAD_E_UNSUPPORTED, "offsets that do not count from the moof");
        }
    }
    put_bytes(out, traf.p + child->offset, child->size);
    if (child->type != TRUN || cad_sb_error(out) < 0) return 0;
    if (child->body.n < 12 || (cad_be24(body + 1) & HAS_DATA_OFFSET) == 0) {
        return fail(m, CAD_E_UNSUPPORTED, "a run that does not say where its data is");
    }
    size_t place = start + (child->size - child->body.n) + 8;
    cad_put_be32((uint8_t *)out->p + place, cad_be32(body + 8) + growth);
    return 0;
}

/* `moof_at`: of the new moof in out; `growth`: of all of it. */
static int put_traf(struct mux *m, cad_buf traf, size_t moof_at, uint32_t growth,
                    struct cad_sb *out)
{
    struct cad_mp4_child child;
    size_t at = 0, box = begin(out, TRAF);
    int rc;
    while ((rc = cad_mp4_child_next(traf, &at, &child)) == 0) {
        rc = put_traf_child(m, traf, &child, growth, out);
        if (rc < 0) return rc;
    }
    if (rc != CAD_E_END) return fail(m, rc, "a broken traf");
    put_auxiliary(m, out->n - moof_at, out);
    end(out, box);
    return 0;
}

static int put_moof(struct mux *m, cad_buf body, uint32_t growth, struct cad_sb *out)
{
    struct cad_mp4_child child;
    size_t at = 0, moof = begin(out, MOOF);
    uint32_t trafs = 0;
    int rc;
    while ((rc = cad_mp4_child_next(body, &at, &child)) == 0) {
        if (child.type == TRAF) {
            if (++trafs > 1) return fail(m, CAD_E_UNSUPPORTED, "several track fragments");
            rc = put_traf(m, child.body, moof, growth, out);
            if (rc < 0) return rc;
        } else {
            put_bytes(out, body.p + child.offset, child.size);
        }
    }
    end(out, moof);
    return rc == CAD_E_END ? 0 : fail(m, rc, "a broken moof");
}

/* The sidx learns of a fragment that was `was` bytes long and is `is` now. */
static int note_size(struct mux *m, uint64_t was, uint64_t is)
{
    struct cad_mp4_reference row;
    while (m->reference_left == 0 && m->reference < m->sidx.count) {
        cad_mp4_sidx_reference(&m->sidx, m->reference, &row);
        if (row.is_index) return fail(m, CAD_E_UNSUPPORTED, "an index of indexes");
        m->reference_left = row.size_bytes;
        if (row.size_bytes == 0) m->reference++;
    }
    if (m->reference_left < was) return fail(m, CAD_E_DATA, "an index of other fragments");
    uint64_t size = m->sizes[m->reference] + is;
    if (size > INT32_MAX) return fail(m, CAD_E_LIMIT, "a segment that is too large");
    m->sizes[m->reference] = (uint32_t)size;
    m->reference_left -= was;
    if (m->reference_left == 0) m->reference++;
    return 0;
}

int mux_fragment(struct mux *m, struct cad_sb *out)
{
    size_t moof_end = 0, stop = 0, start = out->n;
    struct cad_sb copy;
    if (m->at == m->file.n) return CAD_E_END;
    int rc = fragment_end(m, m->at, &moof_end, &stop);
    if (rc < 0) return rc;
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&copy, &alloc, CAD_MEM_OTHER, OUT_BYTES_MAX);
    put_bytes(&copy, m->file.p + m->at, stop - m->at);
    rc = cad_sb_error(&copy);
    if (rc == 0) rc = encrypt_samples(m, m->at, stop, (uint8_t *)copy.p);
    if (rc == 0) {
        cad_buf body = {m->file.p + m->at + 8, moof_end - m->at - 8};
        struct cad_sb boxes;
        cad_sb_init(&boxes, &alloc, CAD_MEM_OTHER, OUT_BYTES_MAX);
        put_auxiliary(m, 0, &boxes);
        rc = put_moof(m, body, (uint32_t)boxes.n, out);
        cad_sb_deinit(&boxes);
    }
    if (rc == 0) put_bytes(out, copy.p + (moof_end - m->at), stop - moof_end);
    cad_sb_deinit(&copy);
    if (rc == 0) rc = cad_sb_error(out);
    if (rc == 0) rc = note_size(m, stop - m->at, out->n - start);
    m->at = stop;
    return rc;
}

int mux_index(struct mux *m, struct cad_sb *out, int64_t *offset)
{
    size_t start = out->n;
    if (m->reference != m->sidx.count) return fail(m, CAD_E_DATA, "an index of other fragments");
    put_bytes(out, m->file.p + m->sidx_at, m->media_at - m->sidx_at);
    if (cad_sb_error(out) < 0) return cad_sb_error(out);
    size_t rows = (size_t)(m->sidx.references.p - m->file.p) - m->sidx_at;
    for (uint32_t i = 0; i < m->sidx.count; i++) {
        uint8_t *row = (uint8_t *)out->p + start + rows + (size_t)i * REFERENCE_BYTES;
        cad_put_be32(row, m->sizes[i]);
    }
    *offset = (int64_t)m->sidx_at + m->header_growth;
    return 0;
}

/* ---- life -------------------------------------------------------------------------------------*/

static void derive_iv(struct mux *m)
{
    uint64_t value = m->options.iv_seed;
    int words = is_constant_iv(m) ? 2 : 1; /* cenc: blocks are counted in the other half */
    for (int i = 0; i < words; i++) {
        value = cad_hash_u64(value + UINT64_C(0x9e3779b97f4a7c15));
        cad_put_be64(m->iv + 8 * i, value);
    }
}

static int find_boxes(struct mux *m)
{
    struct cad_mp4_box box;
    uint64_t at = 0;
    int rc = cad_mp4_find_box(m->file, CAD_FOURCC('m', 'o', 'o', 'v'), &at);
    if (rc < 0) return fail(m, CAD_E_DATA, "no moov");
    m->moov_at = (size_t)at;
    rc = cad_mp4_find_box(m->file, CAD_FOURCC('s', 'i', 'd', 'x'), &at);
    if (rc < 0) return fail(m, CAD_E_UNSUPPORTED, "no index behind the moov");
    m->sidx_at = (size_t)at;
    cad_buf rest = {m->file.p + at, m->file.n - (size_t)at};
    rc = cad_mp4_sidx_read(rest, &m->sidx);
    if (rc == 0) rc = cad_mp4_box_read(rest, &box);
    if (rc < 0) return fail(m, rc, "a broken index");
    if (m->sidx.first_offset != 0) return fail(m, CAD_E_UNSUPPORTED, "a gap behind the index");
    m->media_at = m->at = m->sidx_at + (size_t)box.size;
    return 0;
}

static int set_up(struct mux *m)
{
    int rc = cad_mp4_init_read(m->file, &m->init, &m->moov_end);
    if (rc < 0) return fail(m, rc, "no track in it that is known here");
    if (m->init.encrypted) return fail(m, CAD_E_INVAL, "it is protected already");
    rc = find_boxes(m);
    if (rc < 0) return rc;
    m->rule.scheme = m->options.scheme;
    m->rule.codec = m->init.codec;
    m->rule.whole = m->init.type == CAD_MEDIA_AUDIO;
    if (m->init.codec == CAD_CODEC_AVC) {
        rc = mux_avc_init(&m->rule.avc, m->init.config);
    } else if (!m->rule.whole && m->init.codec != CAD_CODEC_AV1) {
        rc = CAD_E_UNSUPPORTED;
    }
    if (rc < 0) return fail(m, rc, "pictures of a codec that cannot be protected here");
    m->sizes = calloc(CAD_MAX(m->sidx.count, 1u), sizeof *m->sizes);
    if (!m->sizes) return CAD_E_NOMEM;
    if (mbedtls_aes_setkey_enc(&m->rule.aes, m->options.key, 128) != 0) return CAD_E_NOMEM;
    derive_iv(m);
    cad_mp4_reader_init(&m->reader, &m->init);
    m->reader.origin = m->media_at;
    look_ahead(m);
    return 0;
}

int mux_open(const struct mux_options *options, cad_buf file, struct mux **out, char *message)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct mux *m = calloc(1, sizeof *m);
    if (!m) return CAD_E_NOMEM;
    m->options = *options;
    m->file = file;
    mbedtls_aes_init(&m->rule.aes);
    cad_sb_init(&m->info, &alloc, CAD_MEM_OTHER, OUT_BYTES_MAX);
    cad_sb_init(&m->maps, &alloc, CAD_MEM_OTHER, FRAGMENT_SAMPLES_MAX);
    int rc = set_up(m);
    if (rc == 0) {
        *out = m;
        return 0;
    }
    (void)snprintf(message, MUX_MESSAGE_MAX, "%s", mux_message(m));
    mux_close(&m);
    return rc;
}

void mux_close(struct mux **mux)
{
    if (!mux || !*mux) return;
    struct mux *m = *mux;
    mbedtls_aes_free(&m->rule.aes);
    cad_sb_deinit(&m->info);
    cad_sb_deinit(&m->maps);
    free(m->sizes);
    free(m);
    *mux = NULL;
}
