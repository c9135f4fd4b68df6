/*
 * decode.h - decoders behind one vtable, and the sinks that need no device (libcadmium-media).
 *
 * A decoder takes access units and gives frames, in the manner of send and receive:
 *
 *     cad_decoder_open(&alloc, &config, 0, &decoder)   of a stream
 *     rc = cad_decoder_send(decoder, &sample)          CAD_E_AGAIN: receive first
 *     while (cad_decoder_receive(decoder, &frame) == 0) { show; cad_frame_unref(&frame) }
 *     cad_decoder_drain(decoder)                       no more input: receive the rest, then END
 *     cad_decoder_close(&decoder)
 *
 * A decoder is used by one thread at a time. Decoding begins with the first sample, not with the
 * first segment. A frame owns its memory: it may outlive the decoder and be released on any thread.
 *
 * Memory: what is allocated here comes from the allocator given, of class CAD_MEM_OTHER, and in a
 * stream's stride nothing is allocated. The codec libraries have pools of their own for pictures
 * and packets, which do not pass through it. The allocator must outlive the decoder and every frame
 * of it. While the decoder is open it is called on the decoder's thread only; a frame that outlives
 * the decoder gives its memory back on the thread that releases it.
 */
#ifndef CADMIUM_DECODE_H
#define CADMIUM_DECODE_H

#include "cadmium/sink.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_FRAME_PLANES 4 /* planes of a picture, at most */

/* How the samples of a picture lie in memory. */
enum cad_pixel_format {
    CAD_PIXEL_NONE,
    CAD_PIXEL_I420,    /* 8 bit planar 4:2:0 */
    CAD_PIXEL_I420_10, /* 10 bit little endian in 16, planar 4:2:0 */
    CAD_PIXEL_I422, CAD_PIXEL_I444, CAD_PIXEL_GRAY
};

/*
 * A decoded picture or a run of sound. Its pointers are valid until cad_frame_unref; what they
 * point to is never written.
 */
struct cad_frame {
    enum cad_media_type type;        /* CAD_MEDIA_VIDEO or CAD_MEDIA_AUDIO */
    uint32_t epoch;                  /* of the sample */
    cad_time pts, duration;          /* ns; duration: of the sample, 0 unknown */
    bool decode_only;                /* it comes before the wanted position: not to be shown */
    uint32_t rung;                   /* of the configuration that the sample belongs to */
    /* picture */
    enum cad_pixel_format format;    /* never CAD_PIXEL_NONE in a picture that was decoded */
    uint32_t width, height;          /* visible (cropped) size, pixels; 1 .. 16384 */
    uint32_t sar_num, sar_den;       /* shape of a pixel; 1/1 unknown or square */
    bool full_range;                 /* luma 0..255, else 16..235 (scaled up for 10 bit) */
    uint32_t color_matrix;           /* ISO/IEC 23091-2 MatrixCoefficients; 2 unknown */
    struct cad_color color;          /* of the picture, else of its configuration; full_range and
                                        matrix as above, bit_depth of the format */
    const uint8_t *plane[CAD_FRAME_PLANES]; /* first visible byte; NULL: no such plane */
    int32_t stride[CAD_FRAME_PLANES];/* bytes from row to row; negative: bottom up */
    /* sound: interleaved native-endian 32-bit float, full scale -1..1 */
    uint32_t channels;               /* 1 .. 32 */
    uint64_t channel_mask;           /* speakers, bits as in WAVEFORMATEXTENSIBLE; 0 unknown */
    uint32_t sample_rate_hz;         /* samples a second of each channel */
    uint32_t samples;                /* of each channel */
    const float *pcm;                /* channels x samples; NULL: compressed sound */
    /* compressed sound: an access unit as it came, see cad_sink_options.passthrough */
    enum cad_codec codec;            /* of data */
    const uint8_t *data;             /* size bytes; NULL: decoded */
    size_t size;                     /* bytes at data */
    const struct cad_stream_config *config; /* that it belongs to; valid as long as data */
    void *owner;                     /* the implementation's own */
    void (*release)(void *owner);    /* any thread; NULL: nothing to release */
};
/* Give a frame's memory back. Accepts NULL and an empty frame; leaves it zeroed. Any thread. */
void cad_frame_unref(struct cad_frame *frame);

struct cad_decoder;

/*
 * A backend. The functions are called by one thread at a time, in the order that the functions
 * below describe, with arguments that were checked. Epoch, duration, rung and DECODE_ONLY of a
 * frame are filled in from its sample, which is found by pts: a backend carries pts and no more.
 */
struct cad_decoder_ops {
    size_t size;         /* sizeof(struct cad_decoder_ops) */
    const char *name;    /* "dav1d", "libavcodec" */
    uint32_t codecs;     /* bit 1 << enum cad_codec */
    /* alloc is copied; config and its extra stay valid until close; threads: 1 .. 16. On failure
     * *self is left. CAD_E_UNSUPPORTED, CAD_E_DATA, CAD_E_NOMEM. */
    int (*open)(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                uint32_t threads, void **self);
    /* Borrowed for the call; what must live longer takes a reference of sample->ref, which may be
     * NULL. size > 0. CAD_E_AGAIN: nothing was taken, receive first. */
    int (*send)(void *self, const struct cad_sample *sample);
    /* 0: *out, zeroed but for its type, was filled; release gives its memory back. Else as
     * cad_decoder_receive, and *out holds nothing. */
    int (*receive)(void *self, struct cad_frame *out);
    int (*drain)(void *self);    /* called once before the next flush */
    void (*flush)(void *self);   /* forget what is inside; ready for a sync sample */
    void (*close)(void *self);   /* frames that are out stay valid */
};

/* The shipped decoders: libavcodec (H.264, HEVC, VP9, AAC, AC-3, E-AC-3, Opus, FLAC) and dav1d
 * (AV1). Constant; any thread. */
const struct cad_decoder_ops *cad_decoder_libavcodec(void);
/* The shipped decoder of AV1: dav1d. Constant; any thread. */
const struct cad_decoder_ops *cad_decoder_dav1d(void);
/* Bits (1 << enum cad_codec) of every codec that some shipped decoder takes. Any thread. */
uint32_t cad_decoder_codecs(void);

/*
 * Open a decoder for a stream. alloc and config, with its extra, are copied; *out is the caller's,
 * for cad_decoder_close. threads: of video, 1 ..; above 16 is taken as 16; 0: as many as the
 * machine has cores, at most 4.
 * CAD_E_INVAL: an argument is NULL. CAD_E_UNSUPPORTED: no decoder takes the codec, or that one not
 * this form of it. CAD_E_LIMIT: extra above 64 KiB. CAD_E_DATA: extra is broken. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_decoder_open(const struct cad_alloc *alloc,
                                    const struct cad_stream_config *config, uint32_t threads,
                                    struct cad_decoder **out);
/*
 * Give the decoder the next access unit in order of decoding. It is borrowed for the call; where
 * sample->ref is set the decoder may keep a reference of its own for longer. A failure concerns
 * this access unit: the next one may be sent.
 * CAD_E_AGAIN: not taken; receive until that answers AGAIN, then send it again. CAD_E_INVAL: NULL,
 * a hole, or after drain. CAD_E_LIMIT: above 64 MiB. CAD_E_DATA: empty or broken.
 * CAD_E_UNSUPPORTED: a form of the codec that the decoder does not know. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_decoder_send(struct cad_decoder *decoder, const struct cad_sample *sample);
/*
 * The next frame in order of presentation; it is the caller's, for cad_frame_unref. May wait for
 * the decoder's own threads, never for more input. On failure *out is untouched.
 * CAD_E_AGAIN: send more first. CAD_E_END: drained, and that was the last. CAD_E_INVAL: NULL.
 * CAD_E_DATA, CAD_E_UNSUPPORTED (a picture or sound format without a name here), CAD_E_NOMEM: one
 * frame was lost; go on.
 */
CAD_MUST_CHECK int cad_decoder_receive(struct cad_decoder *decoder, struct cad_frame *out);
/*
 * There is no more input: receive gives what is left, then CAD_E_END, until flush. A second call
 * is 0, without effect. CAD_E_INVAL: NULL. CAD_E_DATA, CAD_E_NOMEM: not draining.
 */
CAD_MUST_CHECK int cad_decoder_drain(struct cad_decoder *decoder);
/* Forget what is inside and any drain; the next access unit is a sync sample. Accepts NULL. */
void cad_decoder_flush(struct cad_decoder *decoder);
/* Accepts NULL, leaves NULL. Waits for the decoder's own threads to finish a picture. */
void cad_decoder_close(struct cad_decoder **decoder);
/* The backend's name, constant; "?" for NULL. */
const char *cad_decoder_name(const struct cad_decoder *decoder);

/*
 * Called by a sink of this library for every picture it shows (every run of sound it plays), in
 * order of presentation, on the thread that steps the sink. The frame is borrowed for the call.
 * Must not call the sink.
 */
typedef void (*cad_frame_fn)(void *ctx, const struct cad_frame *frame);

/*
 * Called by a sink of this library, on the thread that steps it, when other text is to be shown,
 * also while the clock stands. config tells what it is. With size 0 (and no codec) nothing is shown
 * from now on; else data is a whole document, which holds from pts for duration and whose times
 * count from pts. After a flush it is told that nothing is shown, and then the document again:
 * who has kept a reference of its ref (cad_ref_ref) knows the bytes by their address. Borrowed for
 * the call. Must not call the sink.
 */
typedef void (*cad_text_fn)(void *ctx, const struct cad_sample *text);

/*
 * How a sink of this library behaves.
 *
 * Pictures that come late are dropped, and when decoding falls more than 500 ms behind and stays
 * there, access units are passed over up to the next sync sample: both count as dropped. With
 * on_frame or as_fast_as_possible every picture is shown; then the clock waits.
 */
struct cad_sink_options {
    size_t size;              /* sizeof(struct cad_sink_options) */
    struct cad_alloc alloc;   /* of sink, decoders and frames, and outlives them all, see the top;
                                 default cad_alloc_system() */
    const struct cad_decoder_ops *decoder; /* asked before the shipped ones, for the codecs it
                                 names; outlives the sink; default NULL: none */
    uint32_t threads;         /* of a video decoder; 1 .. 16; default 0: chosen by the cores */
    bool as_fast_as_possible; /* the clock jumps to what has been decoded: for checks; default
                                 false */
    uint32_t depth;           /* samples pulled ahead a slot; 1 .. 64; default 16 */
    cad_frame_fn on_frame;    /* default NULL: none */
    cad_frame_fn on_sound;    /* the same for every run of sound that is played, when it begins, cut
                                 to what is played of it; default NULL: none */
    uint32_t passthrough;     /* bit 1 << enum cad_codec: sound that is not decoded: on_sound gets
                                 its access units untouched with their configuration. Rates other
                                 than 1 are then not offered; default 0 */
    cad_text_fn on_text;      /* of documents of timed text; the sink takes text only where it is
                                 set; default NULL: none */
    void *ctx;                /* of on_frame, on_sound and on_text */
};
/* Set the defaults. */
void cad_sink_options_init(struct cad_sink_options *options);

/*
 * A sink that decodes and shows nothing: clock by monotonic time. With on_frame it is the md5
 * sink's base. options is copied; *out is the caller's, for its ops->destroy. CAD_E_INVAL: an
 * option is out of its range, or size is not this version's. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_sink_decode_create(const struct cad_sink_options *options,
                                          struct cad_sink **out);
/* A sink that does not even decode: samples are shown by the clock as they are, holes as well. For
 * real-time tests of delivery. Else as cad_sink_decode_create. */
CAD_MUST_CHECK int cad_sink_null_create(const struct cad_sink_options *options,
                                        struct cad_sink **out);

/*
 * MD5 of a picture's visible planes packed in order, rows without padding (what ffmpeg's framemd5
 * prints), or of sound as it lies in pcm or data: 32 lower-case hex digits and a NUL. Allocates
 * nothing. Any thread. A libavutil whose MD5 state is above 512 bytes (today's: about 100) leaves
 * an empty text.
 */
void cad_frame_md5(const struct cad_frame *frame, char out[33]);

/* ---- pictures for an 8-bit screen -------------------------------------------------------- */

/* What must be done to a picture for a screen of 8 bits, BT.709 colours, ordinary light; bits. */
enum cad_convert_step {
    CAD_CONVERT_DEPTH = 1,  /* 10 bits become 8, to the nearest */
    CAD_CONVERT_CHROMA = 2, /* 4:2:2, 4:4:4 and grey become 4:2:0 */
    CAD_CONVERT_HDR = 4,    /* tones of PQ or HLG are mapped: worth a visible note to the viewer */
    CAD_CONVERT_GAMUT = 8   /* colours of BT.2020 or P3 are mapped: what is outside is clipped */
};
/* The steps for this picture; 0: it is shown as it is. Any thread. */
uint32_t cad_frame_convert_steps(const struct cad_frame *frame);

/* Keeps tables for the kind of picture it met last: another kind costs some 30 ms once. */
struct cad_converter;

/* alloc is copied. CAD_E_INVAL, CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_converter_create(const struct cad_alloc *alloc, struct cad_converter **out);
/* Accepts NULL, leaves NULL. */
void cad_converter_destroy(struct cad_converter **converter);
/*
 * Write a picture as 8-bit 4:2:0: width x height of luma, half of both, rounded up, of each chroma.
 * The answer is its steps. With HDR or GAMUT among them the result is BT.709, limited range, else
 * it has the colours and range of the frame. docs/media.md has the curve. One thread at a time.
 * CAD_E_INVAL: NULL, no picture, or a stride less than a row. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_converter_run(struct cad_converter *converter,
                                     const struct cad_frame *frame, uint8_t *const plane[3],
                                     const int32_t stride[3]);

#ifdef __cplusplus
}
#endif
#endif
