#include <errno.h>
#include <string.h>

#include <dav1d/dav1d.h>

#include "base/mem.h"
#include "base/util.h"
#include "media/decode_internal.h"
#include "media/shells.h"

#define AV1C_HEADER 4        /* bytes of av1C before its configOBUs (AV1-ISOBMFF 2.3) */
#define RECEIVE_TURNS_MAX 64 /* data handed over for one picture: far above the reordering of AV1 */

/* Owns a frame: a picture that dav1d lent. */
struct owner {
    struct cad_shell shell; /* first */
    Dav1dPicture picture;   /* empty while idle */
};

struct av1 {
    struct cad_alloc alloc;
    Dav1dContext *context;
    struct cad_shells *shells; /* of struct owner */
    cad_buf header;     /* configOBUs; in the memory of the dispatcher's configuration */
    bool needs_header;  /* the context has not seen them since it was opened or flushed */
    Dav1dData pending;  /* not taken by dav1d yet; sz 0: none */
    bool draining;
    bool fresh; /* it was given data since it was last asked for a picture */
};

static int result_of(int rc)
{
    if (rc >= 0) return 0;
    if (rc == DAV1D_ERR(EAGAIN)) return CAD_E_AGAIN;
    if (rc == DAV1D_ERR(ENOMEM)) return CAD_E_NOMEM;
    if (rc == DAV1D_ERR(ENOPROTOOPT)) return CAD_E_UNSUPPORTED;
    return CAD_E_DATA;
}

/* dav1d would write its complaints to stderr; failures reach the caller as results. */
static void log_nothing(void *cookie, const char *format, va_list arguments)
{
    CAD_UNUSED(cookie);
    CAD_UNUSED(format);
    CAD_UNUSED(arguments);
}

static void av1_close(void *self)
{
    struct av1 *av1 = self;
    struct cad_alloc alloc = av1->alloc;
    if (av1->pending.sz > 0) dav1d_data_unref(&av1->pending);
    if (av1->context) dav1d_close(&av1->context);
    cad_shells_destroy(&av1->shells);
    cad_alloc_free(&alloc, av1, sizeof(*av1), CAD_MEM_OTHER);
}

static int open_context(struct av1 *av1, uint32_t threads)
{
    Dav1dSettings settings;
    dav1d_default_settings(&settings);
    settings.n_threads = (int)threads;
    /* One frame at a time, its rows in several threads: else the first picture waits for the
     * access unit behind it, which in a pyramid of references is as big again. */
    settings.max_frame_delay = 1;
    settings.all_layers = 0;
    settings.frame_size_limit = 16384u * 16384u;
    settings.logger = (Dav1dLogger){NULL, log_nothing};
    return result_of(dav1d_open(&av1->context, &settings));
}

static int av1_open(const struct cad_alloc *alloc, const struct cad_stream_config *config,
                    uint32_t threads, void **self)
{
    struct av1 *av1 = cad_alloc_new(alloc, sizeof(*av1), CAD_MEM_OTHER);
    if (!av1) return CAD_E_NOMEM;
    av1->alloc = *alloc;
    int rc = cad_shells_create(alloc, sizeof(struct owner), NULL, &av1->shells);
    if (rc == 0) rc = open_context(av1, threads);
    if (rc < 0) {
        av1_close(av1);
        return rc;
    }
    if (config->extra.n > AV1C_HEADER) {
        av1->header.p = config->extra.p + AV1C_HEADER;
        av1->header.n = config->extra.n - AV1C_HEADER;
        av1->needs_header = true;
    }
    *self = av1;
    return 0;
}

/* Hand over what is pending. AGAIN: a picture must be taken first. */
static int push(struct av1 *av1)
{
    if (av1->pending.sz == 0) return 0;
    int rc = result_of(dav1d_send_data(av1->context, &av1->pending));
    if (rc == 0) av1->fresh = true;
    if (rc < 0 && rc != CAD_E_AGAIN) dav1d_data_unref(&av1->pending);
    return rc;
}

static int copy_data(Dav1dData *data, const uint8_t *bytes, size_t n)
{
    uint8_t *to = dav1d_data_create(data, n);
    if (!to) return CAD_E_NOMEM;
    memcpy(to, bytes, n);
    return 0;
}

/* Streams whose sync samples leave the sequence header to the sample entry need it first. */
static int push_header(struct av1 *av1)
{
    if (!av1->needs_header) return 0;
    int rc = copy_data(&av1->pending, av1->header.p, av1->header.n);
    if (rc < 0) return rc;
    av1->needs_header = false;
    return push(av1);
}

static void release_data(const uint8_t *bytes, void *cookie)
{
    CAD_UNUSED(bytes);
    struct cad_ref *ref = cookie;
    cad_ref_unref(&ref);
}

static int av1_send(void *self, const struct cad_sample *sample)
{
    struct av1 *av1 = self;
    int rc = push(av1);
    if (rc < 0) return rc;
    rc = push_header(av1);
    if (rc < 0) return rc;
    if (sample->ref) {
        struct cad_ref *ref = cad_ref_ref(sample->ref);
        rc = result_of(
            dav1d_data_wrap(&av1->pending, sample->data, sample->size, release_data, ref));
        if (rc < 0) cad_ref_unref(&ref);
    } else {
        rc = copy_data(&av1->pending, sample->data, sample->size);
    }
    if (rc < 0) return rc;
    av1->pending.m.timestamp = sample->pts;
    av1->pending.m.duration = sample->duration;
    rc = push(av1);
    return rc == CAD_E_AGAIN ? 0 : rc; /* it is pending and goes in with the next picture out */
}

static void release_picture(void *of_frame)
{
    struct owner *owner = of_frame;
    dav1d_picture_unref(&owner->picture);
    cad_shells_put(owner);
}

static enum cad_pixel_format pixel_format(const Dav1dPictureParameters *p)
{
    if (p->bpc == 10 && p->layout == DAV1D_PIXEL_LAYOUT_I420) return CAD_PIXEL_I420_10;
    if (p->bpc != 8) return CAD_PIXEL_NONE;
    switch (p->layout) {
    case DAV1D_PIXEL_LAYOUT_I400: return CAD_PIXEL_GRAY;
    case DAV1D_PIXEL_LAYOUT_I420: return CAD_PIXEL_I420;
    case DAV1D_PIXEL_LAYOUT_I422: return CAD_PIXEL_I422;
    case DAV1D_PIXEL_LAYOUT_I444: return CAD_PIXEL_I444;
    }
    return CAD_PIXEL_NONE;
}

/* The render size says which shape the coded size has on the screen (AV1 7.20). */
static void pixel_shape(const Dav1dPicture *picture, struct cad_frame *out)
{
    const Dav1dFrameHeader *header = picture->frame_hdr;
    out->sar_num = out->sar_den = 1;
    if (!header || header->render_width <= 0 || header->render_height <= 0) return;
    uint64_t num = (uint64_t)header->render_width * out->height;
    uint64_t den = (uint64_t)header->render_height * out->width;
    if (num == den || num > UINT32_MAX || den > UINT32_MAX) return;
    out->sar_num = (uint32_t)num;
    out->sar_den = (uint32_t)den;
}

/* AV1 5.8.4: fractions of 65536; luminance with 8 and 14 fraction bits; red, green, blue. */
static void take_mastering(const Dav1dMasteringDisplay *from, struct cad_color *out)
{
    static const uint8_t order[] = {1, 2, 0}; /* green, blue, red among red, green, blue */
    for (unsigned i = 0; i < 3; i++) {
        const uint16_t *at = from->primaries[order[i]];
        out->primary_x[i] = (uint16_t)((at[0] * 50000u + 32768) >> 16);
        out->primary_y[i] = (uint16_t)((at[1] * 50000u + 32768) >> 16);
    }
    out->white_x = (uint16_t)((from->white_point[0] * 50000u + 32768) >> 16);
    out->white_y = (uint16_t)((from->white_point[1] * 50000u + 32768) >> 16);
    uint64_t most = from->max_luminance * UINT64_C(10000) >> 8;
    uint64_t least = from->min_luminance * UINT64_C(10000) >> 14;
    out->luminance_max = (uint32_t)CAD_MIN(most, (uint64_t)UINT32_MAX);
    out->luminance_min = (uint32_t)least;
    out->has_mastering = true;
}

static void take_color(const Dav1dPicture *from, struct cad_color *out)
{
    const Dav1dSequenceHeader *header = from->seq_hdr;
    if (header) {
        out->primaries = (uint8_t)header->pri;
        out->transfer = (uint8_t)header->trc;
        out->matrix = (uint8_t)header->mtrx;
        out->full_range = header->color_range != 0;
    }
    if (from->mastering_display) take_mastering(from->mastering_display, out);
    if (!from->content_light) return;
    out->light_max = (uint16_t)from->content_light->max_content_light_level;
    out->light_average = (uint16_t)from->content_light->max_frame_average_light_level;
    out->has_light = true;
}

/* from is used up on success. */
static int take_picture(struct av1 *av1, const Dav1dPicture *from, struct cad_frame *out)
{
    enum cad_pixel_format format = pixel_format(&from->p);
    if (format == CAD_PIXEL_NONE || from->p.w <= 0 || from->p.h <= 0) return CAD_E_UNSUPPORTED;
    struct owner *owner = cad_shells_get(av1->shells);
    if (!owner) return CAD_E_NOMEM;
    owner->picture = *from;
    const Dav1dPicture *own = &owner->picture;
    out->type = CAD_MEDIA_VIDEO;
    out->pts = own->m.timestamp;
    out->format = format;
    out->width = (uint32_t)own->p.w;
    out->height = (uint32_t)own->p.h;
    pixel_shape(own, out);
    take_color(own, &out->color);
    for (uint32_t i = 0; i < 3; i++) {
        out->plane[i] = own->data[i];
        out->stride[i] = (int32_t)own->stride[i > 0];
    }
    out->owner = owner;
    out->release = release_picture;
    return 0;
}

static int av1_receive(void *self, struct cad_frame *out)
{
    struct av1 *av1 = self;
    uint32_t empty = 0; /* in a row: the second call without data waits for dav1d's threads */
    for (uint32_t turn = 0; turn < RECEIVE_TURNS_MAX; turn++) {
        /* Asked twice without new data, dav1d drains: its threads wait for each other, and 1.0
         * loses pictures that are shown again. So it is asked once for each piece of data. */
        bool waiting = av1->pending.sz > 0;
        if (!waiting && !av1->fresh && !av1->draining) return CAD_E_AGAIN;
        Dav1dPicture picture;
        memset(&picture, 0, sizeof(picture));
        av1->fresh = false;
        int rc = result_of(dav1d_get_picture(av1->context, &picture));
        if (rc == 0) {
            rc = take_picture(av1, &picture, out);
            if (rc < 0) dav1d_picture_unref(&picture);
            return rc;
        }
        if (rc != CAD_E_AGAIN) return rc;
        if (waiting) {
            rc = push(av1);
            if (rc < 0 && rc != CAD_E_AGAIN) return rc;
        } else if (av1->draining && ++empty == 2) {
            return CAD_E_END;
        }
    }
    return CAD_E_DATA;
}

static int av1_drain(void *self)
{
    struct av1 *av1 = self;
    av1->draining = true;
    return 0;
}

static void av1_flush(void *self)
{
    struct av1 *av1 = self;
    if (av1->pending.sz > 0) dav1d_data_unref(&av1->pending);
    dav1d_flush(av1->context);
    av1->draining = av1->fresh = false;
    av1->needs_header = av1->header.n > 0;
}

const struct cad_decoder_ops *cad_decoder_dav1d(void)
{
    static const struct cad_decoder_ops ops = {
        .size = sizeof(struct cad_decoder_ops),
        .name = "dav1d",
        .codecs = 1u << CAD_CODEC_AV1,
        .open = av1_open,
        .send = av1_send,
        .receive = av1_receive,
        .drain = av1_drain,
        .flush = av1_flush,
        .close = av1_close,
    };
    return &ops;
}
