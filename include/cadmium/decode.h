/*
 * decode.h - decoders behind one vtable, and the sinks that need no device (libcadmium-media).
 *
 * A decoder takes access units and gives frames, in the manner of send and receive:
 *
 *     cad_decoder_open(&config, 0, &decoder)        of a stream; CAD_E_UNSUPPORTED: no decoder
 *     rc = cad_decoder_send(decoder, &sample)       CAD_E_AGAIN: receive first
 *     while (cad_decoder_receive(decoder, &frame) == 0) { show; cad_frame_unref(&frame) }
 *     cad_decoder_drain(decoder)                    no more input: receive gives the rest, then END
 *     cad_decoder_close(&decoder)
 *
 * One thread per decoder. Frames own their memory and may outlive the decoder. Decoding begins with
 * the first sample.
 */
#ifndef CADMIUM_DECODE_H
#define CADMIUM_DECODE_H

#include "cadmium/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_FRAME_PLANES 4

enum cad_pixel_format {
    CAD_PIXEL_NONE,
    CAD_PIXEL_I420,    /* 8 bit planar 4:2:0 */
    CAD_PIXEL_I420_10, /* 10 bit little endian in 16, planar 4:2:0 */
    CAD_PIXEL_I422, CAD_PIXEL_I444, CAD_PIXEL_GRAY
};

/* A decoded picture or a run of sound. Released with cad_frame_unref. */
struct cad_frame {
    enum cad_media_type type;
    uint32_t epoch;
    cad_time pts, duration;          /* duration: of the sample, 0 unknown */
    bool decode_only;
    uint32_t rung;
    /* picture */
    enum cad_pixel_format format;
    uint32_t width, height;          /* visible (cropped) size, pixels */
    uint32_t sar_num, sar_den;       /* shape of a pixel; 1/1 */
    bool full_range;
    uint32_t color_matrix;           /* ISO/IEC 23091-2 MatrixCoefficients; 2 unknown */
    const uint8_t *plane[CAD_FRAME_PLANES]; /* first visible byte */
    int32_t stride[CAD_FRAME_PLANES];/* bytes */
    /* sound: interleaved native-endian 32-bit float */
    uint32_t channels, sample_rate_hz, samples;
    const float *pcm;
    void *owner;                     /* the implementation's own */
    void (*release)(void *owner);
};
void cad_frame_unref(struct cad_frame *frame); /* accepts an empty frame; leaves it zeroed */

struct cad_decoder;

struct cad_decoder_ops {
    size_t size;         /* sizeof(struct cad_decoder_ops) */
    const char *name;    /* "dav1d", "libavcodec" */
    uint32_t codecs;     /* bit 1 << enum cad_codec */
    int (*open)(const struct cad_stream_config *config, uint32_t threads, void **self);
    int (*send)(void *self, const struct cad_sample *sample); /* borrowed for the call */
    int (*receive)(void *self, struct cad_frame *out);        /* 0, AGAIN, END, CAD_E_DATA */
    int (*drain)(void *self);
    void (*flush)(void *self);   /* forget what is inside; ready for a sync sample */
    void (*close)(void *self);
};

/* The shipped decoders: libavcodec (H.264, AAC), dav1d (AV1). */
const struct cad_decoder_ops *cad_decoder_libavcodec(void);
const struct cad_decoder_ops *cad_decoder_dav1d(void);
/* Bits of every codec that some shipped decoder takes. */
uint32_t cad_decoder_codecs(void);

CAD_MUST_CHECK int cad_decoder_open(const struct cad_stream_config *config, uint32_t threads,
                                    struct cad_decoder **out);
CAD_MUST_CHECK int cad_decoder_send(struct cad_decoder *decoder, const struct cad_sample *sample);
CAD_MUST_CHECK int cad_decoder_receive(struct cad_decoder *decoder, struct cad_frame *out);
CAD_MUST_CHECK int cad_decoder_drain(struct cad_decoder *decoder);
void cad_decoder_flush(struct cad_decoder *decoder);
void cad_decoder_close(struct cad_decoder **decoder);
const char *cad_decoder_name(const struct cad_decoder *decoder);

/*
 * Called by a decoding sink for every picture it shows, in order of presentation, on the sink's
 * thread. `pts` is the presentation time; the picture is borrowed for the call.
 */
typedef void (*cad_frame_fn)(void *ctx, const struct cad_frame *frame);

/* How a sink of this library behaves. */
struct cad_sink_options {
    size_t size;              /* sizeof(struct cad_sink_options) */
    uint32_t threads;         /* decoder threads; 0: chosen */
    bool as_fast_as_possible; /* the clock jumps to what has been decoded: for checks */
    uint32_t depth;           /* samples pulled ahead a slot; 1..; default 16 */
    cad_frame_fn on_frame;    /* NULL none */
    void *ctx;
};
void cad_sink_options_init(struct cad_sink_options *options);

/*
 * A sink that decodes and shows nothing: clock by monotonic time. With on_frame it is the md5
 * sink's base. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_sink_decode_create(const struct cad_sink_options *options,
                                          struct cad_sink **out);
/* A sink that does not even decode: samples are shown by the clock as they are. For real-time tests
 * of delivery. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_sink_null_create(const struct cad_sink_options *options,
                                        struct cad_sink **out);

/* MD5 of a picture's visible planes packed in order, rows without padding (what ffmpeg's framemd5
 * prints): 32 lower-case hex digits and a NUL. */
void cad_frame_md5(const struct cad_frame *frame, char out[33]);

#ifdef __cplusplus
}
#endif
#endif
