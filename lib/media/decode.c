#include "media/decode_internal.h"

#include <string.h>

#include <libavutil/cpu.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/util.h"

/* What a decoder forgets about a sample. */
struct inflight {
    cad_time pts, duration;
    uint32_t epoch, rung;
    bool decode_only;
    bool used;
};

struct cad_decoder {
    struct cad_alloc alloc;
    const struct cad_decoder_ops *ops;
    void *self;
    struct cad_stream_config config; /* extra: our own copy */
    uint8_t *extra;                  /* config.extra.n bytes, or NULL */
    struct inflight inflight[CAD_DECODE_INFLIGHT_MAX];
    uint32_t inflight_next;          /* place of the next sample; the oldest is overwritten */
    bool draining;
};

/* The first that takes the codec; NULL: none. own: asked before the shipped ones, or NULL. */
static const struct cad_decoder_ops *backend_of(const struct cad_decoder_ops *own,
                                                enum cad_codec codec)
{
    const struct cad_decoder_ops *backends[] = {own, cad_decoder_libavcodec(),
                                                cad_decoder_dav1d()};
    if (codec <= CAD_CODEC_UNKNOWN || codec > CAD_CODEC_WEBVTT) return NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(backends); i++) {
        if (backends[i] && backends[i]->codecs & 1u << codec) return backends[i];
    }
    return NULL;
}

uint32_t cad_decoder_codecs(void)
{
    return cad_decoder_libavcodec()->codecs | cad_decoder_dav1d()->codecs;
}

/* The wish, or by the machine's cores where it is 0. At least 1. */
static uint32_t threads_of(uint32_t wish)
{
    if (wish > 0) return CAD_MIN(wish, CAD_DECODE_THREADS_MAX);
    int cores = av_cpu_count();
    if (cores < 1) return 1;
    return CAD_MIN((uint32_t)cores, CAD_DECODE_THREADS_AUTO);
}

static void decoder_free(struct cad_decoder *decoder)
{
    struct cad_alloc alloc = decoder->alloc;
    if (decoder->self) decoder->ops->close(decoder->self);
    cad_alloc_free(&alloc, decoder->extra, decoder->config.extra.n, CAD_MEM_OTHER);
    cad_alloc_free(&alloc, decoder, sizeof(*decoder), CAD_MEM_OTHER);
}

int cad_decoder_open(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                     uint32_t threads, struct cad_decoder **out)
{
    return cad_decoder_open_with(alloc, NULL, config, threads, out);
}

int cad_decoder_open_with(const struct cad_alloc *alloc, const struct cad_decoder_ops *own,
                          const struct cad_stream_config *config, uint32_t threads,
                          struct cad_decoder **out)
{
    if (!alloc || !alloc->fn || !config || !out) return CAD_E_INVAL;
    const struct cad_decoder_ops *ops = backend_of(own, config->codec);
    if (!ops) return CAD_E_UNSUPPORTED;
    if (config->extra.n > CAD_DECODE_EXTRA_MAX) return CAD_E_LIMIT;
    struct cad_decoder *decoder = cad_alloc_new(alloc, sizeof(*decoder), CAD_MEM_OTHER);
    if (!decoder) return CAD_E_NOMEM;
    decoder->alloc = *alloc;
    decoder->ops = ops;
    decoder->config = *config;
    decoder->config.extra = (cad_buf){NULL, 0};
    int rc = CAD_E_NOMEM;
    if (config->extra.n > 0) {
        decoder->extra = cad_alloc_new(alloc, config->extra.n, CAD_MEM_OTHER);
        if (!decoder->extra) goto fail;
        memcpy(decoder->extra, config->extra.p, config->extra.n);
        decoder->config.extra = (cad_buf){decoder->extra, config->extra.n};
    }
    rc = ops->open(alloc, &decoder->config, threads_of(threads), &decoder->self);
    if (rc < 0) goto fail;
    *out = decoder;
    return 0;
fail:
    decoder->self = NULL;
    decoder_free(decoder);
    return rc;
}

void cad_decoder_close(struct cad_decoder **decoder)
{
    if (!decoder || !*decoder) return;
    decoder_free(*decoder);
    *decoder = NULL;
}

int cad_decoder_send(struct cad_decoder *decoder, const struct cad_sample *sample)
{
    if (!decoder || !sample || decoder->draining) return CAD_E_INVAL;
    if (sample->flags & CAD_SAMPLE_HOLE) return CAD_E_INVAL;
    if (sample->size == 0 || !sample->data) return CAD_E_DATA;
    if (sample->size > CAD_DECODE_SAMPLE_MAX) return CAD_E_LIMIT;
    int rc = decoder->ops->send(decoder->self, sample);
    if (rc < 0) return rc;
    struct inflight *entry = &decoder->inflight[decoder->inflight_next];
    decoder->inflight_next = (decoder->inflight_next + 1) % CAD_DECODE_INFLIGHT_MAX;
    *entry = (struct inflight){
        .pts = sample->pts,
        .duration = sample->duration > 0 ? sample->duration : 0,
        .epoch = sample->epoch,
        .rung = decoder->config.rung,
        .decode_only = (sample->flags & CAD_SAMPLE_DECODE_ONLY) != 0,
        .used = true,
    };
    return 0;
}

/* The entry of the sample with this pts, looking at the newest first; NULL: there was none. */
static struct inflight *inflight_find(struct cad_decoder *decoder, cad_time pts)
{
    for (uint32_t i = 1; i <= CAD_DECODE_INFLIGHT_MAX; i++) {
        uint32_t at = (decoder->inflight_next + CAD_DECODE_INFLIGHT_MAX - i) %
                      CAD_DECODE_INFLIGHT_MAX;
        struct inflight *entry = &decoder->inflight[at];
        if (entry->used && entry->pts == pts) return entry;
    }
    return NULL;
}

static bool is_specified(uint8_t code_point)
{
    return code_point != 0 && code_point != 2;
}

static void copy_mastering(const struct cad_color *from, struct cad_color *to)
{
    to->has_mastering = true;
    memcpy(to->primary_x, from->primary_x, sizeof(to->primary_x));
    memcpy(to->primary_y, from->primary_y, sizeof(to->primary_y));
    to->white_x = from->white_x;
    to->white_y = from->white_y;
    to->luminance_max = from->luminance_max;
    to->luminance_min = from->luminance_min;
}

/* What the picture does not say of its colours its configuration may. */
static void settle_color(struct cad_frame *frame, const struct cad_color *config)
{
    const struct cad_color *own = &frame->color;
    struct cad_color c = *config;
    bool silent = !is_specified(own->primaries) && !is_specified(own->transfer) &&
                  !is_specified(own->matrix) && !own->full_range;
    if (!silent) c.full_range = own->full_range;
    if (is_specified(own->primaries)) c.primaries = own->primaries;
    if (is_specified(own->transfer)) c.transfer = own->transfer;
    if (is_specified(own->matrix)) c.matrix = own->matrix;
    if (own->has_mastering) copy_mastering(own, &c);
    if (own->has_light) {
        c.has_light = true;
        c.light_max = own->light_max;
        c.light_average = own->light_average;
    }
    c.bit_depth = frame->format == CAD_PIXEL_I420_10 ? 10 : 8;
    frame->color = c;
    frame->full_range = c.full_range;
    /* 0 is the matrix of RGB, which no format of cad_pixel_format has. */
    frame->color_matrix = is_specified(c.matrix) ? c.matrix : 2;
}

int cad_decoder_receive(struct cad_decoder *decoder, struct cad_frame *out)
{
    if (!decoder || !out) return CAD_E_INVAL;
    struct cad_frame frame = {.type = decoder->config.type};
    int rc = decoder->ops->receive(decoder->self, &frame);
    if (rc < 0) return rc;
    struct inflight *entry = inflight_find(decoder, frame.pts);
    if (!entry) {
        /* A picture that nobody sent: broken input made the decoder invent it. */
        cad_frame_unref(&frame);
        return CAD_E_DATA;
    }
    frame.duration = entry->duration;
    frame.epoch = entry->epoch;
    frame.rung = entry->rung;
    frame.decode_only = entry->decode_only;
    entry->used = false;
    if (frame.type == CAD_MEDIA_VIDEO) settle_color(&frame, &decoder->config.color);
    *out = frame;
    return 0;
}

int cad_decoder_drain(struct cad_decoder *decoder)
{
    if (!decoder) return CAD_E_INVAL;
    if (decoder->draining) return 0;
    int rc = decoder->ops->drain(decoder->self);
    if (rc < 0) return rc;
    decoder->draining = true;
    return 0;
}

void cad_decoder_flush(struct cad_decoder *decoder)
{
    if (!decoder) return;
    decoder->ops->flush(decoder->self);
    decoder->draining = false;
    memset(decoder->inflight, 0, sizeof(decoder->inflight));
}

uint32_t cad_decoder_pending(const struct cad_decoder *decoder)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CAD_DECODE_INFLIGHT_MAX; i++) {
        const struct inflight *entry = &decoder->inflight[i];
        if (entry->used && !entry->decode_only) count++;
    }
    return count;
}

const char *cad_decoder_name(const struct cad_decoder *decoder)
{
    return decoder ? decoder->ops->name : "?";
}

static bool colors_equal(const struct cad_color *a, const struct cad_color *b)
{
    if (a->primaries != b->primaries || a->transfer != b->transfer) return false;
    if (a->matrix != b->matrix || a->full_range != b->full_range) return false;
    if (a->has_mastering != b->has_mastering || a->has_light != b->has_light) return false;
    return a->luminance_max == b->luminance_max && a->light_max == b->light_max;
}

bool cad_decoder_fits(const struct cad_decoder *decoder, const struct cad_stream_config *config)
{
    const struct cad_stream_config *old = &decoder->config;
    if (decoder->draining) return false;
    if (old->type != config->type || old->codec != config->codec) return false;
    if (old->width != config->width || old->height != config->height) return false;
    if (old->channels != config->channels) return false;
    if (old->sample_rate_hz != config->sample_rate_hz) return false;
    if (!colors_equal(&old->color, &config->color)) return false; /* frames take them over */
    if (old->extra.n != config->extra.n) return false;
    return config->extra.n == 0 || memcmp(old->extra.p, config->extra.p, config->extra.n) == 0;
}

void cad_decoder_set_rung(struct cad_decoder *decoder, uint32_t rung)
{
    decoder->config.rung = rung;
}
