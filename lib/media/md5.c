#include <stddef.h>
#include <stdint.h>

#include <libavutil/md5.h>

#include "cadmium/decode.h"

#define MD5_BYTES 16
#define MD5_STATE_MAX 512 /* bytes: several times what libavutil's state takes */

/* Width in bytes and height in rows of one plane. */
struct plane_size {
    uint32_t bytes, rows;
};

static struct plane_size plane_size(const struct cad_frame *frame, uint32_t plane)
{
    uint32_t width = frame->width;
    uint32_t height = frame->height;
    bool gray = frame->format == CAD_PIXEL_GRAY;
    if (plane > 2 || (gray && plane > 0) || frame->format == CAD_PIXEL_NONE) {
        return (struct plane_size){0, 0};
    }
    if (plane > 0 && frame->format != CAD_PIXEL_I444) width = width / 2 + width % 2;
    if (plane > 0 && (frame->format == CAD_PIXEL_I420 || frame->format == CAD_PIXEL_I420_10)) {
        height = height / 2 + height % 2;
    }
    uint32_t bytes = frame->format == CAD_PIXEL_I420_10 ? width * 2 : width;
    return (struct plane_size){bytes, height};
}

void cad_frame_md5(const struct cad_frame *frame, char out[33])
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\0';
    _Alignas(max_align_t) uint8_t state[MD5_STATE_MAX];
    if (av_md5_size < 0 || (size_t)av_md5_size > sizeof(state)) return;
    struct AVMD5 *md5 = (struct AVMD5 *)(void *)state;
    av_md5_init(md5);
    for (uint32_t plane = 0; plane < CAD_FRAME_PLANES; plane++) {
        struct plane_size size = plane_size(frame, plane);
        const uint8_t *row = frame->plane[plane];
        for (uint32_t y = 0; y < size.rows && row; y++) {
            av_md5_update(md5, row, size.bytes);
            row += frame->stride[plane];
        }
    }
    if (frame->pcm) {
        const uint8_t *pcm = (const uint8_t *)(const void *)frame->pcm;
        av_md5_update(md5, pcm, (size_t)frame->samples * frame->channels * sizeof(*frame->pcm));
    }
    if (frame->data) av_md5_update(md5, frame->data, frame->size);
    uint8_t sum[MD5_BYTES];
    av_md5_final(md5, sum);
    for (uint32_t i = 0; i < MD5_BYTES; i++) {
        out[2 * i] = digits[sum[i] >> 4];
        out[2 * i + 1] = digits[sum[i] & 15];
    }
    out[2 * MD5_BYTES] = '\0';
}
