#include "mux_synth.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "mp4/mp4.h"

#define LENGTH_BYTES 4u /* before a unit: avcC of the synthesizer */
#define SLICE_MIN 16u

/* An IDR slice as far as its header goes (14496-10 7.3.3: first macroblock 0, type I, the only
 * parameter set), then bytes that differ from sample to sample. */
static void fill_sample(uint8_t *p, uint32_t size, uint32_t number)
{
    static const uint8_t slice[] = {0x65, 0x88, 0x84};
    uint32_t unit = size - LENGTH_BYTES;
    for (uint32_t i = 0; i < LENGTH_BYTES; i++) p[i] = (uint8_t)(unit >> 8 * (3 - i));
    memcpy(p + LENGTH_BYTES, slice, sizeof(slice));
    for (uint32_t i = LENGTH_BYTES + sizeof(slice); i < size; i++) {
        p[i] = (uint8_t)(0x55 + 7 * i + 31 * number);
    }
}

static int fill(uint8_t *file, size_t n, size_t header)
{
    struct cad_mp4_init init;
    struct cad_mp4_reader reader;
    struct cad_mp4_sample sample;
    size_t end;
    uint32_t number = 0;
    cad_buf media = {file + header, n - header};
    int rc = cad_mp4_init_read((cad_buf){file, n}, &init, &end);
    if (rc != 0) return rc;
    cad_mp4_reader_init(&reader, &init);
    while ((rc = cad_mp4_reader_next(&reader, media, media.n, &sample)) == 0) {
        if (sample.size < SLICE_MIN) return CAD_E_DATA;
        fill_sample(file + header + sample.offset, sample.size, number++);
    }
    return rc == CAD_E_END ? 0 : rc;
}

int mux_synth_clear(const struct cad_synth *synth, uint32_t stream, struct cad_sb *clear)
{
    struct cad_synth_stream info;
    size_t from = clear->n;
    int rc = cad_synth_stream_at(synth, stream, &info);
    if (rc != 0) return rc;
    for (int64_t at = 0; at < info.size_bytes;) {
        uint8_t piece[4096] = {0};
        size_t done = 0;
        int64_t last = CAD_MIN(at + (int64_t)sizeof(piece), info.size_bytes) - 1;
        rc = cad_synth_read(synth, stream, (struct cad_range){at, last}, piece, &done);
        if (rc < 0) return rc;
        cad_sb_put(clear, cad_str_make((const char *)piece, done));
        at += (int64_t)done;
    }
    if (cad_sb_error(clear) < 0) return cad_sb_error(clear);
    if (info.type != CAD_MEDIA_VIDEO) return 0;
    return fill((uint8_t *)clear->p + from, clear->n - from, (size_t)info.header_bytes);
}

int mux_synth_protect(const struct mux_options *options, cad_buf clear, struct cad_sb *out)
{
    char message[MUX_MESSAGE_MAX];
    struct mux *mux = NULL;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb index;
    int64_t at = 0;
    size_t from = out->n;
    int rc = mux_open(options, clear, &mux, message);
    if (rc != 0) return rc;
    cad_sb_init(&index, &alloc, CAD_MEM_OTHER, 1 << 20);
    rc = mux_header(mux, out);
    while (rc == 0) rc = mux_fragment(mux, out);
    if (rc == CAD_E_END) rc = mux_index(mux, &index, &at);
    bool fits = (size_t)at <= out->n - from && index.n <= out->n - from - (size_t)at;
    if (rc == 0 && !fits) rc = CAD_E_DATA;
    if (rc == 0) memcpy(out->p + from + at, index.p, index.n);
    cad_sb_deinit(&index);
    mux_close(&mux);
    return rc == 0 && cad_sb_error(out) < 0 ? cad_sb_error(out) : rc;
}
