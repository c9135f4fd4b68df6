/*
 * presenter.h - the body that the sinks of this library share, and the outputs it presents to.
 *
 * A presenter obeys the contract of cadmium/sink.h: it feeds each slot, keeps the clock, shows what
 * is due, and reports. Where pictures and sound go is an output's matter: none for the null and the
 * decoding sink, a window and a sound device for a player. A sink is made of it like this:
 *
 *     static const struct cad_sink_ops ops = {.name = "mine", CAD_PRESENTER_OPS};
 *     cad_presenter_create(&config, &ops, &sink);
 *
 * Sound is the master where the output has a clock of its own; else monotonic time is.
 */
#ifndef CAD_MEDIA_PRESENTER_H
#define CAD_MEDIA_PRESENTER_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/decode.h"

#define CAD_PRESENTER_DEPTH_DEFAULT 16
#define CAD_PRESENTER_DEPTH_MAX 64
#define CAD_PRESENTER_PICTURES_MAX 6           /* decoded pictures that wait: 19 MB at 1080p */
#define CAD_PRESENTER_WORK_MAX 16              /* access units taken in one step */
#define CAD_PRESENTER_WORK_LATE 2              /* pictures in one step while they are late */
#define CAD_PRESENTER_REPORT (100 * CAD_MS)    /* between anchors while it plays */
#define CAD_PRESENTER_LAG_MAX (500 * CAD_MS)   /* decoding this late makes the clock wait */
#define CAD_PRESENTER_SKIP_LAG (500 * CAD_MS)  /* pictures this late: on to a sync sample */
#define CAD_PRESENTER_SLOW_TIME (5 * CAD_SECOND) /* a lag so soon after another: too slow */
#define CAD_PRESENTER_SLEEP (5 * CAD_SECOND)   /* a longer lag is a driver that slept */
#define CAD_PRESENTER_HEARD_MAX (200 * CAD_MS) /* a device's word is this fresh, or it is dry */
#define CAD_PRESENTER_RATE_MIN 32768u          /* 0.5 and 2: what is offered */
#define CAD_PRESENTER_RATE_MAX 131072u
#define CAD_PRESENTER_SOUND_SLACK (2 * CAD_MS) /* times inside a stream may be so coarse */
#define CAD_PRESENTER_SOUND_WAIT (20 * CAD_MS) /* until a full device is offered sound again */

/* Every function is called on the sink's thread; a NULL one is left out. */
struct cad_output_ops {
    /* A picture is due. May take it, leaving *frame zeroed. Returns how many pictures that were
     * given before it pushed away unseen. */
    uint32_t (*picture)(void *ctx, struct cad_frame *frame);
    /* The next run of sound, ahead of its time; compressed if its codec is one of
     * options.passthrough. 0: taken. CAD_E_AGAIN: full, offer it later. */
    int (*sound)(void *ctx, const struct cad_frame *frame);
    /* What is heard: media time *media at monotonic *at. False: not known (any more). */
    bool (*clock)(void *ctx, cad_time *media, cad_time *at);
    void (*run)(void *ctx, bool running); /* sound plays, or stands without loss */
    /* From now on sound is played at this rate (65536: normal), which holds for later epochs too;
     * clock goes on to answer in media time. NULL, where there is sound: normal speed only. */
    void (*rate)(void *ctx, uint32_t rate_q16);
    void (*flush)(void *ctx);             /* forget sound that was given */
    void (*destroy)(void *ctx);
};

struct cad_presenter_config {
    struct cad_sink_options options;
    bool raw;                          /* samples are shown as they are, without decoding */
    cad_time late_max;                 /* a picture this far behind its end is dropped; 0: one
                                          whose successor is due already */
    const struct cad_output_ops *output; /* NULL none; destroyed with the sink */
    void *ctx;                         /* of output */
};

/* config is copied. On failure the output stays the caller's. CAD_E_NOMEM, CAD_E_INVAL. */
CAD_MUST_CHECK int cad_presenter_create(const struct cad_presenter_config *config,
                                        const struct cad_sink_ops *ops, struct cad_sink **out);

void cad_presenter_destroy(struct cad_sink *sink);
void cad_presenter_caps(const struct cad_sink *sink, struct cad_sink_caps *out);
void cad_presenter_configure(struct cad_sink *sink, const struct cad_sink_config *config,
                             cad_time now);
void cad_presenter_flush(struct cad_sink *sink, uint32_t epoch, cad_time position, cad_time now);
cad_time cad_presenter_step(struct cad_sink *sink, cad_time now);
void cad_presenter_report(struct cad_sink *sink, cad_time now, struct cad_sink_report *out);

#define CAD_PRESENTER_OPS                                                                          \
    .size = sizeof(struct cad_sink_ops), .destroy = cad_presenter_destroy,                         \
    .caps = cad_presenter_caps, .configure = cad_presenter_configure,                              \
    .flush = cad_presenter_flush, .step = cad_presenter_step, .report = cad_presenter_report

#endif
