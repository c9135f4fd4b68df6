#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/buffer.h>
#include <libavutil/frame.h>
#include <libavutil/mastering_display_metadata.h>
#include <libavutil/mem.h>

#include "base/mem.h"
#include "base/util.h"
#include "media/decode_internal.h"
#include "media/shells.h"

#define PACKET_CLASS_MIN 4096u /* bytes: the smallest pooled packet */
#define DOPS_MIN 11u           /* bytes of dOps without a channel mapping */
#define OPUS_HEAD_MAX (8u + 11u + 2u + 255u)
#define DFLA_HEADER 8u         /* bytes of dfLa before STREAMINFO */
#define FLAC_STREAMINFO 34u
#define LOG_OFFSET 100         /* puts every line above every level: nothing goes to stderr */

/* Owns a frame; what it holds is filled anew each time it is used. */
struct owner {
    struct cad_shell shell; /* first */
    AVFrame *picture;       /* NULL before its first picture; empty while idle */
    float *pcm;             /* interleaved sound, pcm_bytes long, or NULL */
    size_t pcm_bytes;
};

struct lavc {
    struct cad_alloc alloc;
    struct cad_shells *shells; /* of struct owner */
    AVCodecContext *context;
    AVPacket *packet;
    AVFrame *frame;
    bool ready;             /* frame, or the failure, waits to be received */
    int failure;            /* CAD_E_* of the receive that followed a send; 0 none */
    AVBufferPool *packets;  /* copies of access units with the padding that libavcodec reads over */
    size_t packet_bytes;    /* of a buffer of the pool; 0 no pool */
};

static enum AVCodecID codec_id(enum cad_codec codec)
{
    switch (codec) {
    case CAD_CODEC_AVC: return AV_CODEC_ID_H264;
    case CAD_CODEC_HEVC: return AV_CODEC_ID_HEVC;
    case CAD_CODEC_VP9: return AV_CODEC_ID_VP9;
    case CAD_CODEC_AAC: return AV_CODEC_ID_AAC;
    case CAD_CODEC_AC3: return AV_CODEC_ID_AC3;
    case CAD_CODEC_EAC3: return AV_CODEC_ID_EAC3;
    case CAD_CODEC_OPUS: return AV_CODEC_ID_OPUS;
    case CAD_CODEC_FLAC: return AV_CODEC_ID_FLAC;
    default: return AV_CODEC_ID_NONE;
    }
}

static int result_of(int averror)
{
    if (averror >= 0) return 0;
    if (averror == AVERROR(EAGAIN)) return CAD_E_AGAIN;
    if (averror == AVERROR_EOF) return CAD_E_END;
    if (averror == AVERROR(ENOMEM)) return CAD_E_NOMEM;
    if (averror == AVERROR_PATCHWELCOME) return CAD_E_UNSUPPORTED;
    return CAD_E_DATA;
}

static void owner_deinit(const struct cad_alloc *alloc, void *of_frame)
{
    struct owner *owner = of_frame;
    av_frame_free(&owner->picture);
    cad_alloc_free(alloc, owner->pcm, owner->pcm_bytes, CAD_MEM_OTHER);
}

static void lavc_close(void *self)
{
    struct lavc *lavc = self;
    struct cad_alloc alloc = lavc->alloc;
    avcodec_free_context(&lavc->context);
    av_packet_free(&lavc->packet);
    av_frame_free(&lavc->frame);
    av_buffer_pool_uninit(&lavc->packets);
    cad_shells_destroy(&lavc->shells);
    cad_alloc_free(&alloc, lavc, sizeof(*lavc), CAD_MEM_OTHER);
}

static int put_extra(AVCodecContext *context, const uint8_t *bytes, size_t n)
{
    context->extradata = av_mallocz(n + AV_INPUT_BUFFER_PADDING_SIZE);
    if (!context->extradata) return CAD_E_NOMEM;
    memcpy(context->extradata, bytes, n);
    context->extradata_size = (int)n; /* at most CAD_DECODE_EXTRA_MAX */
    return 0;
}

/* The header of Ogg (RFC 7845 5.1), which libavcodec wants, is dOps with numbers turned round. */
static int put_opus_extra(AVCodecContext *context, cad_buf dops)
{
    uint8_t head[OPUS_HEAD_MAX] = "OpusHead\1";
    if (dops.n < DOPS_MIN || dops.n > sizeof(head) - 8) return CAD_E_DATA;
    uint8_t *to = head + 8;
    memcpy(to + 1, dops.p + 1, dops.n - 1);
    to[2] = dops.p[3]; /* pre-skip */
    to[3] = dops.p[2];
    for (unsigned i = 0; i < 4; i++) to[4 + i] = dops.p[7 - i]; /* rate of the source */
    to[8] = dops.p[9]; /* gain */
    to[9] = dops.p[8];
    return put_extra(context, head, 8 + dops.n);
}

/* What the decoder wants of a configuration box; none of vpcC, dac3 and dec3. */
static int set_extra(AVCodecContext *context, const struct cad_stream_config *config)
{
    cad_buf extra = config->extra;
    if (extra.n == 0) return 0;
    switch (config->codec) {
    case CAD_CODEC_VP9:
    case CAD_CODEC_AC3:
    case CAD_CODEC_EAC3: return 0;
    case CAD_CODEC_OPUS: return put_opus_extra(context, extra);
    case CAD_CODEC_FLAC:
        if (extra.n < DFLA_HEADER + FLAC_STREAMINFO) return CAD_E_DATA;
        return put_extra(context, extra.p + DFLA_HEADER, FLAC_STREAMINFO);
    default: return put_extra(context, extra.p, extra.n);
    }
}

static int set_up_context(AVCodecContext *context, const struct cad_stream_config *config,
                          uint32_t threads)
{
    context->log_level_offset = LOG_OFFSET;
    /* Sound is cut by its times (edit lists), never by what a header says of priming: so every
     * access unit gives all its samples at its own pts. */
    context->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    context->pkt_timebase = (AVRational){1, 1000000000};
    context->thread_count = config->type == CAD_MEDIA_VIDEO ? (int)threads : 1;
    context->thread_type = FF_THREAD_FRAME | FF_THREAD_SLICE;
    /* Limits of a picture before anything is allocated for it: 16384 x 16384. */
    context->max_pixels = (int64_t)16384 * 16384;
    if (config->type == CAD_MEDIA_AUDIO && config->sample_rate_hz <= INT32_MAX &&
        config->channels <= CAD_DECODE_CHANNELS_MAX) {
        context->sample_rate = (int)config->sample_rate_hz;
        av_channel_layout_default(&context->ch_layout, (int)config->channels);
    }
    return set_extra(context, config);
}

static int lavc_open(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                     uint32_t threads, void **self)
{
    const AVCodec *codec = avcodec_find_decoder(codec_id(config->codec));
    if (!codec) return CAD_E_UNSUPPORTED;
    struct lavc *lavc = cad_alloc_new(alloc, sizeof(*lavc), CAD_MEM_OTHER);
    if (!lavc) return CAD_E_NOMEM;
    lavc->alloc = *alloc;
    int rc = cad_shells_create(alloc, sizeof(struct owner), owner_deinit, &lavc->shells);
    if (rc < 0) goto fail;
    rc = CAD_E_NOMEM;
    lavc->context = avcodec_alloc_context3(codec);
    lavc->packet = av_packet_alloc();
    lavc->frame = av_frame_alloc();
    if (!lavc->context || !lavc->packet || !lavc->frame) goto fail;
    rc = set_up_context(lavc->context, config, threads);
    if (rc < 0) goto fail;
    rc = result_of(avcodec_open2(lavc->context, codec, NULL));
    if (rc < 0) goto fail;
    *self = lavc;
    return 0;
fail:
    lavc_close(lavc);
    return rc;
}

/*
 * A buffer for an access unit of n bytes, from a pool that grows by doubling; NULL: out of memory.
 * The decoder's threads keep references to it, so the pool is libavutil's.
 */
static AVBufferRef *packet_buffer(struct lavc *lavc, size_t n)
{
    n += AV_INPUT_BUFFER_PADDING_SIZE;
    if (lavc->packet_bytes < n) {
        size_t bytes = CAD_MAX(lavc->packet_bytes, PACKET_CLASS_MIN);
        while (bytes < n) bytes *= 2;
        av_buffer_pool_uninit(&lavc->packets);
        lavc->packet_bytes = 0;
        lavc->packets = av_buffer_pool_init(bytes, NULL);
        if (!lavc->packets) return NULL;
        lavc->packet_bytes = bytes;
    }
    return av_buffer_pool_get(lavc->packets);
}

/*
 * libavcodec loses a packet that still waits inside when it is told to drain. So it never has one
 * waiting: what a packet gives is taken out at once, and no other goes in before that was received.
 */
static void look_for_frame(struct lavc *lavc)
{
    int rc = result_of(avcodec_receive_frame(lavc->context, lavc->frame));
    if (rc == CAD_E_AGAIN || rc == CAD_E_END) return;
    lavc->ready = true;
    lavc->failure = rc;
}

static int lavc_send(void *self, const struct cad_sample *sample)
{
    struct lavc *lavc = self;
    if (lavc->ready) return CAD_E_AGAIN;
    AVPacket *packet = lavc->packet;
    packet->buf = packet_buffer(lavc, sample->size);
    if (!packet->buf) return CAD_E_NOMEM;
    packet->data = packet->buf->data;
    packet->size = (int)sample->size; /* at most CAD_DECODE_SAMPLE_MAX */
    memcpy(packet->data, sample->data, sample->size);
    memset(packet->data + sample->size, 0, AV_INPUT_BUFFER_PADDING_SIZE);
    packet->pts = sample->pts;
    packet->dts = sample->dts == CAD_TIME_NONE ? sample->pts : sample->dts;
    packet->duration = sample->duration > 0 ? sample->duration : 0;
    if (sample->flags & CAD_SAMPLE_SYNC) packet->flags |= AV_PKT_FLAG_KEY;
    int rc = result_of(avcodec_send_packet(lavc->context, packet));
    av_packet_unref(packet);
    if (rc == 0) look_for_frame(lavc);
    return rc;
}

static enum cad_pixel_format pixel_format(int format)
{
    switch (format) {
    case AV_PIX_FMT_YUV420P:
    case AV_PIX_FMT_YUVJ420P: return CAD_PIXEL_I420;
    case AV_PIX_FMT_YUV420P10LE: return CAD_PIXEL_I420_10;
    case AV_PIX_FMT_YUV422P:
    case AV_PIX_FMT_YUVJ422P: return CAD_PIXEL_I422;
    case AV_PIX_FMT_YUV444P:
    case AV_PIX_FMT_YUVJ444P: return CAD_PIXEL_I444;
    case AV_PIX_FMT_GRAY8: return CAD_PIXEL_GRAY;
    default: return CAD_PIXEL_NONE;
    }
}

static void release_picture(void *of_frame)
{
    struct owner *owner = of_frame;
    av_frame_unref(owner->picture);
    cad_shells_put(owner);
}

static uint32_t scaled(AVRational value, uint32_t one)
{
    if (value.num <= 0 || value.den <= 0) return 0;
    int64_t v = av_rescale(value.num, one, value.den);
    return v < 0 ? 0 : (uint32_t)CAD_MIN(v, (int64_t)UINT32_MAX);
}

static void take_mastering(const AVMasteringDisplayMetadata *from, struct cad_color *out)
{
    static const uint8_t order[] = {1, 2, 0}; /* green, blue, red among red, green, blue */
    if (!from->has_primaries || !from->has_luminance) return;
    for (unsigned i = 0; i < 3; i++) {
        const AVRational *at = from->display_primaries[order[i]];
        out->primary_x[i] = (uint16_t)CAD_MIN(scaled(at[0], 50000), (uint32_t)UINT16_MAX);
        out->primary_y[i] = (uint16_t)CAD_MIN(scaled(at[1], 50000), (uint32_t)UINT16_MAX);
    }
    out->white_x = (uint16_t)CAD_MIN(scaled(from->white_point[0], 50000), (uint32_t)UINT16_MAX);
    out->white_y = (uint16_t)CAD_MIN(scaled(from->white_point[1], 50000), (uint32_t)UINT16_MAX);
    out->luminance_max = scaled(from->max_luminance, 10000);
    out->luminance_min = scaled(from->min_luminance, 10000);
    out->has_mastering = true;
}

static void take_color(const AVFrame *from, struct cad_color *out)
{
    out->primaries = (uint8_t)from->color_primaries;
    out->transfer = (uint8_t)from->color_trc;
    out->matrix = (uint8_t)from->colorspace;
    out->full_range = from->color_range == AVCOL_RANGE_JPEG;
    const AVFrameSideData *side =
        av_frame_get_side_data(from, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);
    if (side) take_mastering((const void *)side->data, out);
    side = av_frame_get_side_data(from, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);
    if (!side) return;
    const AVContentLightMetadata *light = (const void *)side->data;
    out->light_max = (uint16_t)CAD_MIN(light->MaxCLL, (unsigned)UINT16_MAX);
    out->light_average = (uint16_t)CAD_MIN(light->MaxFALL, (unsigned)UINT16_MAX);
    out->has_light = true;
}

/* libavcodec has applied the cropping already: the planes begin at the first visible byte. */
static int take_picture(struct lavc *lavc, AVFrame *from, struct cad_frame *out)
{
    enum cad_pixel_format format = pixel_format(from->format);
    if (format == CAD_PIXEL_NONE || from->width <= 0 || from->height <= 0) {
        return CAD_E_UNSUPPORTED;
    }
    struct owner *owner = cad_shells_get(lavc->shells);
    if (!owner) return CAD_E_NOMEM;
    if (!owner->picture) owner->picture = av_frame_alloc();
    AVFrame *own = owner->picture;
    if (!own) {
        cad_shells_put(owner);
        return CAD_E_NOMEM;
    }
    av_frame_move_ref(own, from);
    out->type = CAD_MEDIA_VIDEO;
    out->pts = own->pts;
    out->format = format;
    out->width = (uint32_t)own->width;
    out->height = (uint32_t)own->height;
    bool sar_known = own->sample_aspect_ratio.num > 0 && own->sample_aspect_ratio.den > 0;
    out->sar_num = sar_known ? (uint32_t)own->sample_aspect_ratio.num : 1;
    out->sar_den = sar_known ? (uint32_t)own->sample_aspect_ratio.den : 1;
    take_color(own, &out->color);
    for (uint32_t i = 0; i < 3; i++) {
        out->plane[i] = own->data[i];
        out->stride[i] = own->linesize[i];
    }
    out->owner = owner;
    out->release = release_picture;
    return 0;
}

/* An owner with room for so many bytes of sound; NULL: out of memory. */
static struct owner *sound_owner(struct lavc *lavc, size_t bytes)
{
    struct owner *owner = cad_shells_get(lavc->shells);
    if (!owner || owner->pcm_bytes >= bytes) return owner;
    cad_alloc_free(&lavc->alloc, owner->pcm, owner->pcm_bytes, CAD_MEM_OTHER);
    owner->pcm_bytes = 0;
    owner->pcm = cad_alloc_new(&lavc->alloc, bytes, CAD_MEM_OTHER);
    if (!owner->pcm) {
        cad_shells_put(owner);
        return NULL;
    }
    owner->pcm_bytes = bytes;
    return owner;
}

/*
 * One channel into its place among the interleaved ones. False: a format that none of the decoders
 * gives. Where libavcodec interleaves them itself the first plane holds all.
 */
static bool interleave(const AVFrame *from, uint32_t channel, uint32_t channels, float *out)
{
    uint32_t n = (uint32_t)from->nb_samples;
    bool planar = av_sample_fmt_is_planar(from->format);
    size_t step = planar ? 1 : channels;
    size_t first = planar ? 0 : channel;
    const void *plane = from->extended_data[planar ? channel : 0];
    out += channel;
    switch (av_get_packed_sample_fmt(from->format)) {
    case AV_SAMPLE_FMT_FLT: {
        const float *in = (const float *)plane + first;
        for (uint32_t i = 0; i < n; i++) out[i * (size_t)channels] = in[i * step];
        return true;
    }
    case AV_SAMPLE_FMT_S16: {
        const int16_t *in = (const int16_t *)plane + first;
        for (uint32_t i = 0; i < n; i++) {
            out[i * (size_t)channels] = (float)in[i * step] / 32768.0f;
        }
        return true;
    }
    case AV_SAMPLE_FMT_S32: {
        const int32_t *in = (const int32_t *)plane + first;
        for (uint32_t i = 0; i < n; i++) {
            out[i * (size_t)channels] = (float)in[i * step] / 2147483648.0f;
        }
        return true;
    }
    default: return false;
    }
}

static int take_sound(struct lavc *lavc, AVFrame *from, struct cad_frame *out)
{
    int channels = from->ch_layout.nb_channels;
    if (channels <= 0 || channels > CAD_DECODE_CHANNELS_MAX || from->nb_samples <= 0 ||
        from->sample_rate <= 0) {
        return CAD_E_UNSUPPORTED;
    }
    size_t count = (size_t)channels * (size_t)from->nb_samples;
    struct owner *owner = sound_owner(lavc, count * sizeof(float));
    if (!owner) return CAD_E_NOMEM;
    for (uint32_t c = 0; c < (uint32_t)channels; c++) {
        if (!interleave(from, c, (uint32_t)channels, owner->pcm)) {
            cad_shells_put(owner);
            return CAD_E_UNSUPPORTED;
        }
    }
    out->type = CAD_MEDIA_AUDIO;
    out->pts = from->pts;
    out->channels = (uint32_t)channels;
    bool named = from->ch_layout.order == AV_CHANNEL_ORDER_NATIVE;
    out->channel_mask = named ? from->ch_layout.u.mask : 0;
    out->sample_rate_hz = (uint32_t)from->sample_rate;
    out->samples = (uint32_t)from->nb_samples;
    out->pcm = owner->pcm;
    out->owner = owner;
    out->release = cad_shells_put;
    return 0;
}

static int lavc_receive(void *self, struct cad_frame *out)
{
    struct lavc *lavc = self;
    int rc = lavc->failure;
    if (!lavc->ready) rc = result_of(avcodec_receive_frame(lavc->context, lavc->frame));
    lavc->ready = false;
    lavc->failure = 0;
    if (rc < 0) return rc;
    bool sound = lavc->context->codec_type == AVMEDIA_TYPE_AUDIO;
    rc = sound ? take_sound(lavc, lavc->frame, out) : take_picture(lavc, lavc->frame, out);
    av_frame_unref(lavc->frame);
    return rc;
}

static int lavc_drain(void *self)
{
    struct lavc *lavc = self;
    return result_of(avcodec_send_packet(lavc->context, NULL));
}

static void lavc_flush(void *self)
{
    struct lavc *lavc = self;
    avcodec_flush_buffers(lavc->context);
    av_frame_unref(lavc->frame);
    lavc->ready = false;
    lavc->failure = 0;
}

const struct cad_decoder_ops *cad_decoder_libavcodec(void)
{
    static const struct cad_decoder_ops ops = {
        .size = sizeof(struct cad_decoder_ops),
        .name = "libavcodec",
        .codecs = 1u << CAD_CODEC_AVC | 1u << CAD_CODEC_HEVC | 1u << CAD_CODEC_VP9 |
                  1u << CAD_CODEC_AAC | 1u << CAD_CODEC_AC3 | 1u << CAD_CODEC_EAC3 |
                  1u << CAD_CODEC_OPUS | 1u << CAD_CODEC_FLAC,
        .open = lavc_open,
        .send = lavc_send,
        .receive = lavc_receive,
        .drain = lavc_drain,
        .flush = lavc_flush,
        .close = lavc_close,
    };
    return &ops;
}
