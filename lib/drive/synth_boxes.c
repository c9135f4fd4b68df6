#include "drive/synth_boxes.h"

#include <string.h>

#include "base/assert.h"
#include "base/bytes.h"
#include "base/cenc.h"
#include "base/util.h"

#define TRACK_ID 1u
#define SYNC_FLAGS 0x02000000u     /* depends on nothing, is a sync sample (14496-12 8.8.3.1) */
#define DELTA_FLAGS 0x01010000u    /* depends on others, is none */
#define FIRST_SAMPLE_WEIGHT 8      /* a sync sample is that much larger than the others */
#define AVC_PROFILE_MAIN 77

/* ---- the pen ------------------------------------------------------------------------------- */

static void put8(struct cad_window *w, uint32_t v)
{
    if (w->at >= w->from && w->at < w->to) w->out[w->at - w->from] = (uint8_t)v;
    w->at++;
}

static void put16(struct cad_window *w, uint32_t v)
{
    put8(w, v >> 8);
    put8(w, v);
}

static void put32(struct cad_window *w, uint32_t v)
{
    if (w->at >= w->from && w->at + 4 <= w->to) {
        cad_put_be32(w->out + (w->at - w->from), v);
        w->at += 4;
        return;
    }
    put16(w, v >> 16);
    put16(w, v);
}

static void put64(struct cad_window *w, uint64_t v)
{
    put32(w, (uint32_t)(v >> 32));
    put32(w, (uint32_t)v);
}

static void put_zeros(struct cad_window *w, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) put8(w, 0);
}

static void put_bytes(struct cad_window *w, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++) put8(w, p[i]);
}

/* Four characters. */
static void put_type(struct cad_window *w, const char *type)
{
    for (int i = 0; i < 4; i++) put8(w, (uint8_t)type[i]);
}

/* A box whose length is not known yet; only where the window is the whole file's start. */
static int64_t begin(struct cad_window *w, const char *type)
{
    int64_t start = w->at;
    put32(w, 0);
    put_type(w, type);
    return start;
}

static int64_t begin_full(struct cad_window *w, const char *type, uint32_t version_flags)
{
    int64_t start = begin(w, type);
    put32(w, version_flags);
    return start;
}

static void end(struct cad_window *w, int64_t start)
{
    CAD_ASSERT(w->from == 0);
    CAD_ASSERT(w->at <= w->to);
    cad_put_be32(w->out + start, (uint32_t)(w->at - start));
}

/* ---- bits, for the parameter sets of AVC --------------------------------------------------- */

struct bits {
    uint8_t bytes[64];
    uint32_t count;
};

static void put_bits(struct bits *b, uint32_t value, uint32_t n)
{
    while (n-- > 0) {
        CAD_ASSERT(b->count < 8 * sizeof(b->bytes));
        if (value >> n & 1) b->bytes[b->count / 8] |= (uint8_t)(0x80u >> b->count % 8);
        b->count++;
    }
}

/* Exp-Golomb, 14496-10 9.1. */
static void put_ue(struct bits *b, uint32_t value)
{
    uint32_t n = 0;
    while ((value + 1) >> (n + 1)) n++;
    put_bits(b, 0, n);
    put_bits(b, value + 1, n + 1);
}

/* Stop bit and alignment; then as a NAL unit with emulation prevention (14496-10 7.4.1). */
static uint32_t finish_nal(struct bits *b, uint8_t *nal, uint32_t cap)
{
    put_bits(b, 1, 1);
    while (b->count % 8) put_bits(b, 0, 1);
    uint32_t n = 0;
    uint32_t zeros = 0;
    for (uint32_t i = 0; i < b->count / 8; i++) {
        CAD_ASSERT(n + 2 <= cap);
        CAD_UNUSED(cap);
        if (zeros >= 2 && b->bytes[i] <= 3) {
            nal[n++] = 3;
            zeros = 0;
        }
        zeros = b->bytes[i] == 0 ? zeros + 1 : 0;
        nal[n++] = b->bytes[i];
    }
    return n;
}

static uint32_t avc_level(uint32_t height)
{
    if (height <= 480) return 30;
    if (height <= 720) return 31;
    return height <= 1088 ? 40 : 51;
}

/* seq_parameter_set_rbsp, 14496-10 7.3.2.1.1. */
static uint32_t write_sps(const struct cad_synth_header *h, uint8_t *nal, uint32_t cap)
{
    struct bits b = {.count = 0};
    uint32_t across = (h->width + 15) / 16;
    uint32_t down = (h->height + 15) / 16;
    put_bits(&b, 0x67, 8);
    put_bits(&b, AVC_PROFILE_MAIN, 8);
    put_bits(&b, 0x40, 8); /* constraint_set1_flag */
    put_bits(&b, avc_level(h->height), 8);
    put_ue(&b, 0); /* seq_parameter_set_id */
    put_ue(&b, 0); /* log2_max_frame_num_minus4 */
    put_ue(&b, 2); /* pic_order_cnt_type: output order is decoding order */
    put_ue(&b, 1); /* max_num_ref_frames */
    put_bits(&b, 0, 1);
    put_ue(&b, across - 1);
    put_ue(&b, down - 1);
    put_bits(&b, 1, 1); /* frame_mbs_only_flag */
    put_bits(&b, 1, 1); /* direct_8x8_inference_flag */
    bool crop = across * 16 != h->width || down * 16 != h->height;
    put_bits(&b, crop, 1);
    if (crop) {
        put_ue(&b, 0);
        put_ue(&b, (across * 16 - h->width) / 2);
        put_ue(&b, 0);
        put_ue(&b, (down * 16 - h->height) / 2);
    }
    put_bits(&b, 0, 1); /* vui_parameters_present_flag */
    return finish_nal(&b, nal, cap);
}

/* pic_parameter_set_rbsp, 14496-10 7.3.2.2. */
static uint32_t write_pps(uint8_t *nal, uint32_t cap)
{
    struct bits b = {.count = 0};
    put_bits(&b, 0x68, 8);
    put_ue(&b, 0);
    put_ue(&b, 0);
    put_bits(&b, 1, 1); /* entropy_coding_mode_flag */
    put_bits(&b, 0, 1);
    for (int i = 0; i < 3; i++) put_ue(&b, 0);
    put_bits(&b, 0, 3);
    for (int i = 0; i < 3; i++) put_ue(&b, 0);
    put_bits(&b, 0, 3);
    return finish_nal(&b, nal, cap);
}

/* ---- ftyp and moov ------------------------------------------------------------------------- */

static void write_ftyp(struct cad_window *w)
{
    int64_t box = begin(w, "ftyp");
    put_type(w, "iso6");
    put32(w, 0);
    put_type(w, "iso6");
    put_type(w, "cmfc");
    put_type(w, "dash");
    end(w, box);
}

static void write_matrix(struct cad_window *w)
{
    static const uint32_t unity[9] = {0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000};
    for (int i = 0; i < 9; i++) put32(w, unity[i]);
}

static void write_mvhd(struct cad_window *w)
{
    int64_t box = begin_full(w, "mvhd", 0);
    put64(w, 0);    /* times of creation and modification */
    put32(w, 1000);
    put32(w, 0);    /* duration: see mehd */
    put32(w, 0x10000);
    put16(w, 0x100);
    put_zeros(w, 10);
    write_matrix(w);
    put_zeros(w, 24);
    put32(w, TRACK_ID + 1);
    end(w, box);
}

static void write_tkhd(struct cad_window *w, const struct cad_synth_header *h)
{
    int64_t box = begin_full(w, "tkhd", 7);
    put64(w, 0);
    put32(w, TRACK_ID);
    put_zeros(w, 4 + 4 + 8); /* reserved, duration, reserved */
    put32(w, 0);
    put16(w, h->type == CAD_MEDIA_AUDIO ? 0x100 : 0);
    put16(w, 0);
    write_matrix(w);
    put32(w, h->width << 16);
    put32(w, h->height << 16);
    end(w, box);
}

/* What protects a sample entry (14496-12 8.12, 23001-7 8.2): cbcs, of pictures one block in ten.
 * The key id serves as the constant IV, since nothing is encrypted. */
static void write_sinf(struct cad_window *w, const struct cad_synth_header *h, const char *entry)
{
    if (!h->kid) return;
    int64_t sinf = begin(w, "sinf");
    int64_t box = begin(w, "frma");
    put_type(w, entry);
    end(w, box);
    box = begin_full(w, "schm", 0);
    put_type(w, "cbcs");
    put32(w, 0x10000);
    end(w, box);
    box = begin(w, "schi");
    int64_t tenc = begin_full(w, "tenc", 0x01000000);
    put8(w, 0);
    put8(w, h->type == CAD_MEDIA_AUDIO ? 0 : 0x19);
    put8(w, 1);
    put8(w, 0);
    put_bytes(w, h->kid, CAD_KEY_ID_SIZE);
    put8(w, CAD_CDM_IV_SIZE);
    put_bytes(w, h->kid, CAD_CDM_IV_SIZE);
    end(w, tenc);
    end(w, box);
    end(w, sinf);
}

/* 23001-7 8.1, version 1, of the common system. */
static void write_pssh(struct cad_window *w, const struct cad_synth_header *h)
{
    if (!h->kid) return;
    int64_t box = begin_full(w, "pssh", 0x01000000);
    put_bytes(w, cad_cenc_system_common, CAD_SYSTEM_ID_SIZE);
    put32(w, h->pssh_count);
    put_bytes(w, h->pssh_kids, (size_t)h->pssh_count * CAD_KEY_ID_SIZE);
    put32(w, 0);
    end(w, box);
}

static void write_avc1(struct cad_window *w, const struct cad_synth_header *h)
{
    uint8_t sps[64];
    uint8_t pps[32];
    uint32_t sps_bytes = write_sps(h, sps, sizeof(sps));
    uint32_t pps_bytes = write_pps(pps, sizeof(pps));
    int64_t entry = begin(w, h->kid ? "encv" : "avc1");
    put_zeros(w, 6);
    put16(w, 1);
    put_zeros(w, 16);
    put16(w, h->width);
    put16(w, h->height);
    put32(w, 0x480000);
    put32(w, 0x480000);
    put32(w, 0);
    put16(w, 1);
    put_zeros(w, 32);
    put16(w, 0x18);
    put16(w, 0xffff);
    int64_t box = begin(w, "avcC"); /* 14496-15 5.3.3.1.2 */
    put8(w, 1);
    put_bytes(w, sps + 1, 3);
    put8(w, 0xff);
    put8(w, 0xe1);
    put16(w, sps_bytes);
    put_bytes(w, sps, sps_bytes);
    put8(w, 1);
    put16(w, pps_bytes);
    put_bytes(w, pps, pps_bytes);
    end(w, box);
    write_sinf(w, h, "avc1");
    end(w, entry);
}

/* AAC-LC: objectTypeIndication 0x40 and an AudioSpecificConfig of two bytes (14496-1 7.2.6). */
static void write_mp4a(struct cad_window *w, const struct cad_synth_header *h)
{
    int64_t entry = begin(w, h->kid ? "enca" : "mp4a");
    put_zeros(w, 6);
    put16(w, 1);
    put_zeros(w, 8);
    put16(w, h->channels);
    put16(w, 16);
    put32(w, 0);
    put32(w, h->sample_rate_hz << 16);
    int64_t box = begin_full(w, "esds", 0);
    put8(w, 3); /* ES_Descriptor */
    put8(w, 25);
    put16(w, 0);
    put8(w, 0);
    put8(w, 4); /* DecoderConfigDescriptor */
    put8(w, 17);
    put8(w, 0x40);
    put8(w, 0x15);
    put_zeros(w, 3);
    put32(w, (uint32_t)h->rate_bps);
    put32(w, (uint32_t)h->rate_bps);
    put8(w, 5); /* DecoderSpecificInfo: object type 2, 48 kHz (index 3) */
    put8(w, 2);
    put16(w, 2u << 11 | 3u << 7 | h->channels << 3);
    put8(w, 6); /* SLConfigDescriptor */
    put8(w, 1);
    put8(w, 2);
    end(w, box);
    write_sinf(w, h, "mp4a");
    end(w, entry);
}

static void write_stbl(struct cad_window *w, const struct cad_synth_header *h)
{
    static const char *const empty[] = {"stts", "stsc", "stco"};
    int64_t stbl = begin(w, "stbl");
    int64_t stsd = begin_full(w, "stsd", 0);
    put32(w, 1);
    if (h->type == CAD_MEDIA_AUDIO) {
        write_mp4a(w, h);
    } else {
        write_avc1(w, h);
    }
    end(w, stsd);
    for (size_t i = 0; i < CAD_ARRAY_LEN(empty); i++) {
        int64_t box = begin_full(w, empty[i], 0);
        put32(w, 0);
        end(w, box);
    }
    int64_t stsz = begin_full(w, "stsz", 0);
    put64(w, 0);
    end(w, stsz);
    end(w, stbl);
}

static void write_minf(struct cad_window *w, const struct cad_synth_header *h)
{
    bool audio = h->type == CAD_MEDIA_AUDIO;
    int64_t minf = begin(w, "minf");
    int64_t box = begin_full(w, audio ? "smhd" : "vmhd", audio ? 0 : 1);
    put_zeros(w, audio ? 4 : 8);
    end(w, box);
    int64_t dinf = begin(w, "dinf");
    int64_t dref = begin_full(w, "dref", 0);
    put32(w, 1);
    box = begin_full(w, "url ", 1);
    end(w, box);
    end(w, dref);
    end(w, dinf);
    write_stbl(w, h);
    end(w, minf);
}

static void write_mdia(struct cad_window *w, const struct cad_synth_header *h)
{
    static const uint8_t name[] = "cadmium";
    int64_t mdia = begin(w, "mdia");
    int64_t box = begin_full(w, "mdhd", 0);
    put64(w, 0);
    put32(w, h->timescale);
    put32(w, 0);
    put16(w, 0x55c4); /* "und" */
    put16(w, 0);
    end(w, box);
    box = begin_full(w, "hdlr", 0);
    put32(w, 0);
    put_type(w, h->type == CAD_MEDIA_AUDIO ? "soun" : "vide");
    put_zeros(w, 12);
    put_bytes(w, name, sizeof(name));
    end(w, box);
    write_minf(w, h);
    end(w, mdia);
}

static void write_mvex(struct cad_window *w, const struct cad_synth_header *h)
{
    int64_t mvex = begin(w, "mvex");
    int64_t box = begin_full(w, "mehd", 0x01000000);
    put64(w, (uint64_t)cad_time_to_ticks(
                 cad_time_from_ticks(h->duration_ticks, h->timescale), 1000));
    end(w, box);
    box = begin_full(w, "trex", 0);
    put32(w, TRACK_ID);
    put32(w, 1);
    put_zeros(w, 12);
    end(w, box);
    end(w, mvex);
}

int64_t cad_synth_write_init(struct cad_window *w, const struct cad_synth_header *header,
                             struct cad_range *moov)
{
    write_ftyp(w);
    int64_t box = begin(w, "moov");
    write_mvhd(w);
    int64_t trak = begin(w, "trak");
    write_tkhd(w, header);
    write_mdia(w, header);
    end(w, trak);
    write_mvex(w, header);
    write_pssh(w, header);
    end(w, box);
    *moov = (struct cad_range){box, w->at - 1};
    return w->at;
}

/* ---- sidx ---------------------------------------------------------------------------------- */

int64_t cad_synth_sidx_bytes(uint32_t references)
{
    return 32 + (int64_t)references * 12;
}

void cad_synth_write_sidx(struct cad_window *w, uint32_t timescale, uint32_t references)
{
    put32(w, (uint32_t)cad_synth_sidx_bytes(references));
    put_type(w, "sidx");
    put32(w, 0);
    put32(w, TRACK_ID);
    put32(w, timescale);
    put64(w, 0); /* earliest_presentation_time, first_offset */
    put16(w, 0);
    put16(w, references);
}

void cad_synth_write_reference(struct cad_window *w, int64_t bytes, int64_t duration_ticks)
{
    put32(w, (uint32_t)bytes & 0x7fffffffu);
    put32(w, (uint32_t)duration_ticks);
    put32(w, 0x90000000u); /* starts with a SAP of type 1 */
}

/* ---- moof ---------------------------------------------------------------------------------- */

/* True if all samples have the same duration. */
static bool is_even(const struct cad_synth_fragment *f)
{
    return f->duration_ticks % f->samples == 0;
}

static uint32_t tfhd_bytes(const struct cad_synth_fragment *f)
{
    return is_even(f) ? 24 : 20;
}

static uint32_t trun_bytes(const struct cad_synth_fragment *f)
{
    return 24 + f->samples * (is_even(f) ? 4 : 8);
}

int64_t cad_synth_fragment_head(const struct cad_synth_fragment *f)
{
    return 8 + 16 + 8 + (int64_t)tfhd_bytes(f) + 20 + (int64_t)trun_bytes(f) + 8;
}

/* Rows of samples: sizes sum up to the payload exactly, durations to the fragment's. */
static void write_rows(struct cad_window *w, const struct cad_synth_fragment *f)
{
    bool even = is_even(f);
    int64_t weights = (int64_t)f->samples - 1 + FIRST_SAMPLE_WEIGHT;
    int64_t unit = f->type == CAD_MEDIA_AUDIO ? f->payload / f->samples : f->payload / weights;
    if (unit == 0) unit = 1;
    int64_t swing = unit / 4;
    int64_t before = 0; /* ticks */
    for (uint32_t i = 0; i < f->samples; i++) {
        if (!even) {
            int64_t after = f->duration_ticks * (i + 1) / f->samples;
            put32(w, (uint32_t)(after - before));
            before = after;
        }
        int64_t size = unit;
        if (i == 0) {
            size = f->payload - unit * ((int64_t)f->samples - 1);
        } else if (i % 2 == 0) {
            size = unit - swing;
        } else if (i + 1 < f->samples) {
            size = unit + swing;
        }
        put32(w, (uint32_t)size);
    }
}

void cad_synth_write_fragment(struct cad_window *w, const struct cad_synth_fragment *f)
{
    bool even = is_even(f);
    bool audio = f->type == CAD_MEDIA_AUDIO;
    uint32_t moof = (uint32_t)cad_synth_fragment_head(f) - 8;
    put32(w, moof);
    put_type(w, "moof");
    put32(w, 16);
    put_type(w, "mfhd");
    put32(w, 0);
    put32(w, f->index + 1);
    put32(w, moof - 24);
    put_type(w, "traf");
    put32(w, tfhd_bytes(f));
    put_type(w, "tfhd");
    put32(w, 0x020020u | (even ? 0x8u : 0)); /* default-base-is-moof, default flags, duration */
    put32(w, TRACK_ID);
    if (even) put32(w, (uint32_t)(f->duration_ticks / f->samples));
    put32(w, audio ? SYNC_FLAGS : DELTA_FLAGS);
    put32(w, 20);
    put_type(w, "tfdt");
    put32(w, 0x01000000u);
    put64(w, (uint64_t)f->start_ticks);
    put32(w, trun_bytes(f));
    put_type(w, "trun");
    put32(w, 0x205u | (even ? 0 : 0x100u)); /* data offset, first flags, sizes, durations */
    put32(w, f->samples);
    put32(w, moof + 8);
    put32(w, SYNC_FLAGS);
    write_rows(w, f);
    put32(w, (uint32_t)f->payload + 8);
    put_type(w, "mdat");
}
