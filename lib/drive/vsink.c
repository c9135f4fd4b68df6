#include "drive/vsink.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/util.h"

#define MILLION INT64_C(1000000)
#define RATE_ONE INT64_C(65536)
#define RETRY (10 * CAD_MS)       /* after a step that took nothing in mode EAGAIN */
#define DRIFT_PPM_MAX INT64_C(500000)

struct slot {
    bool wanted;                /* configured */
    bool started;               /* has a sample that is shown */
    bool ended;                 /* the source answered END */
    bool dry;                   /* the source had nothing at the last try */
    cad_time end;               /* of the last sample; the epoch's position before the first */
    bool early;                 /* a sample of an epoch that was not flushed to yet waits: */
    uint32_t early_epoch, early_flags;
    cad_time early_pts, early_duration;
};

struct vsink {
    struct cad_sink base;
    struct cad_alloc alloc;
    struct cad_vsink_config config;
    enum cad_sink_mode mode;
    int64_t parameter;          /* ppm */
    struct cad_rng rng;
    uint32_t epoch;
    uint32_t rate_q16;          /* wanted */
    struct slot slots[CAD_ENGINE_TRACKS];
    bool running;
    bool underrun;              /* stands because it has nothing to show */
    cad_time media, at;         /* the clock showed `media` at `at`; since then it runs, or not */
    cad_time stand_since;       /* of an underrun; CAD_TIME_NONE */
    cad_time stand_total;       /* of those that are over */
    cad_time retry_at;          /* mode EAGAIN: nothing is taken before */
    cad_time anchor_at;         /* next periodic anchor */
    bool anchor_due, level_due;
    bool first_frame;
    cad_time first_frame_pts;
    bool drained;
    bool batch_full;            /* the last step left samples behind */
    uint64_t frames, frames_said;
    bool text_wanted;
    uint64_t documents;
    char text_lang[24];         /* of the configuration before the documents */
    bool text_early;            /* text_lang is of an epoch that was not flushed to yet: */
    uint32_t text_epoch;
    char text_shown[24];        /* of the last document of this epoch; empty: none */
};

static const struct vsink *of_const(const struct cad_sink *sink)
{
    return (const struct vsink *)sink;
}

static struct vsink *of(struct cad_sink *sink)
{
    return (struct vsink *)sink;
}

/* ---- the clock ----------------------------------------------------------------------------- */

/* Speed is num / den media seconds a second. */
static int64_t speed_num(const struct vsink *s)
{
    int64_t drift = s->mode == CAD_SIM_SINK_DRIFT ? s->parameter : 0;
    return (int64_t)s->rate_q16 * (MILLION + drift);
}

static bool is_plain(const struct vsink *s)
{
    return s->rate_q16 == RATE_ONE && s->mode != CAD_SIM_SINK_DRIFT;
}

static cad_time media_in(const struct vsink *s, cad_time elapsed)
{
    if (is_plain(s)) return elapsed;
    return cad_muldiv_floor_i64(elapsed, speed_num(s), RATE_ONE * MILLION);
}

/* The first moment at which the running clock shows `media`. */
static cad_time time_of(const struct vsink *s, cad_time media)
{
    cad_time ahead = media - s->media;
    if (ahead <= 0) return s->at;
    if (is_plain(s)) return cad_time_add(s->at, ahead);
    return cad_time_sub(s->at, cad_muldiv_floor_i64(-ahead, RATE_ONE * MILLION, speed_num(s)));
}

/* How far the clock may run: the end of the shortest slot, or of the longest once all have
 * ended. */
static cad_time limit_of(const struct vsink *s)
{
    cad_time shortest = CAD_TIME_MAX;
    cad_time longest = s->media;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *slot = &s->slots[i];
        if (!slot->wanted) continue;
        longest = CAD_MAX(longest, slot->end);
        if (!slot->ended) shortest = CAD_MIN(shortest, slot->end);
    }
    return shortest == CAD_TIME_MAX ? longest : shortest;
}

static cad_time position_at(const struct vsink *s, cad_time now)
{
    if (!s->running || now <= s->at) return s->media;
    cad_time media = cad_time_add(s->media, media_in(s, now - s->at));
    cad_time limit = limit_of(s);
    return CAD_MAX(CAD_MIN(media, limit), s->media);
}

static void rebase(struct vsink *s, cad_time now)
{
    s->media = position_at(s, now);
    s->at = now;
}

static void stand_over(struct vsink *s, cad_time now)
{
    if (s->stand_since == CAD_TIME_NONE) return;
    s->stand_total += now - s->stand_since;
    s->stand_since = CAD_TIME_NONE;
}

static bool all_ended(const struct vsink *s)
{
    bool any = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (s->slots[i].wanted && !s->slots[i].ended) return false;
        any = any || s->slots[i].wanted;
    }
    return any;
}

static bool all_ready(const struct vsink *s)
{
    bool any = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *slot = &s->slots[i];
        if (slot->wanted && !slot->started && !slot->ended) return false;
        any = any || slot->wanted;
    }
    return any;
}

/* The clock has reached all there is at `now`. */
static void stop_at_limit(struct vsink *s, cad_time now)
{
    s->media = limit_of(s);
    s->at = now;
    s->running = false;
    s->anchor_due = true;
    if (all_ended(s)) return;
    s->underrun = true;
    s->stand_since = now;
}

/* Start, or notice the end, where that is due. */
static void set_going(struct vsink *s, cad_time now)
{
    if (s->running || !all_ready(s)) return;
    if (s->media < limit_of(s)) {
        if (s->rate_q16 == 0) return;
        s->running = true;
        s->underrun = false;
        s->at = now;
        s->anchor_due = true;
        stand_over(s, now);
    } else if (all_ended(s) && !s->drained) {
        s->drained = s->level_due = true;
        s->underrun = false;
    }
}

/* ---- taking samples ------------------------------------------------------------------------ */

/* A sample of the current epoch. */
static void take_sample(struct vsink *s, uint32_t i, cad_time pts, cad_time duration,
                        uint32_t flags)
{
    struct slot *slot = &s->slots[i];
    cad_time end = cad_time_add(pts, duration);
    if (end > slot->end) slot->end = end;
    if (i == CAD_SLOT_VIDEO && s->mode != CAD_SIM_SINK_NULL) s->frames++;
    if (flags & CAD_SAMPLE_DECODE_ONLY) return;
    slot->started = true;
    if (s->first_frame || (i != CAD_SLOT_VIDEO && s->slots[CAD_SLOT_VIDEO].wanted)) return;
    s->first_frame = s->level_due = true;
    s->first_frame_pts = pts;
}

/* What was pulled: of this epoch, stale, or early, then it waits and no more is taken. */
static void sort_sample(struct vsink *s, uint32_t i, const struct cad_sample *sample)
{
    struct slot *slot = &s->slots[i];
    if (sample->epoch == s->epoch) {
        take_sample(s, i, sample->pts, sample->duration, sample->flags);
    } else if ((int32_t)(sample->epoch - s->epoch) > 0) {
        slot->early = true;
        slot->early_epoch = sample->epoch;
        slot->early_flags = sample->flags;
        slot->early_pts = sample->pts;
        slot->early_duration = sample->duration;
    }
}

static void fill_slot(struct vsink *s, uint32_t i, cad_time position)
{
    struct slot *slot = &s->slots[i];
    if (!slot->wanted || slot->ended) return;
    if (slot->started && slot->end - position > CAD_VSINK_DEPTH / 2) return;
    cad_time full = cad_time_add(position, CAD_VSINK_DEPTH);
    slot->dry = false;
    for (uint32_t n = 0; !slot->early && (slot->end < full || !slot->started); n++) {
        if (n == CAD_VSINK_BATCH_MAX) {
            s->batch_full = true;
            return;
        }
        struct cad_sample sample;
        sample.ref = sample.crypt_ref = NULL;
        int rc = s->base.source.pull(s->base.source.ctx, i, &sample);
        if (rc == 0) {
            sort_sample(s, i, &sample);
            cad_ref_unref(&sample.ref);
            cad_ref_unref(&sample.crypt_ref);
        } else if (rc == CAD_E_CONFIG) {
            cad_ref_unref(&sample.ref);
        } else {
            slot->ended = rc == CAD_E_END;
            slot->dry = rc != CAD_E_END;
            return;
        }
    }
}

/* All documents that there are. They belong to no clock: a sink shows them by its own. */
static void fill_text(struct vsink *s)
{
    struct cad_sample sample;
    for (uint32_t n = 0; s->text_wanted && !s->text_early && n < CAD_VSINK_BATCH_MAX; n++) {
        sample.ref = sample.crypt_ref = NULL;
        int rc = s->base.source.pull(s->base.source.ctx, CAD_SLOT_TEXT, &sample);
        int32_t ahead = rc == 0 || rc == CAD_E_CONFIG ? (int32_t)(sample.epoch - s->epoch) : 0;
        if (ahead < 0) {
            /* What was flushed is passed over. */
        } else if (rc == CAD_E_CONFIG) {
            bool off = sample.config.codec == CAD_CODEC_UNKNOWN;
            memcpy(s->text_lang, sample.config.lang, sizeof(s->text_lang));
            if (off) s->text_lang[0] = '\0';
            if (off && ahead == 0) s->text_shown[0] = '\0';
            s->text_early = ahead > 0; /* its document waits for the flush */
            s->text_epoch = sample.epoch;
        } else if (rc == 0) {
            s->documents++;
            memcpy(s->text_shown, s->text_lang, sizeof(s->text_shown));
        } else {
            return;
        }
        cad_ref_unref(&sample.ref);
        cad_ref_unref(&sample.crypt_ref);
    }
}

static void fill(struct vsink *s, cad_time now)
{
    s->batch_full = false;
    if (now < s->retry_at) return;
    if (s->mode == CAD_SIM_SINK_EAGAIN &&
        cad_rng_chance(&s->rng, (uint64_t)s->parameter, (uint64_t)MILLION)) {
        s->retry_at = now + RETRY;
        return;
    }
    cad_time position = position_at(s, now);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) fill_slot(s, i, position);
    fill_text(s);
}

/* ---- the edge ------------------------------------------------------------------------------ */

static cad_time next_step(const struct vsink *s, cad_time now)
{
    cad_time next = CAD_TIME_MAX;
    if (s->batch_full) return now;
    if (s->running) {
        next = CAD_MIN(time_of(s, limit_of(s)), s->anchor_at);
        for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
            const struct slot *slot = &s->slots[i];
            if (!slot->wanted || slot->ended || slot->dry || slot->early) continue;
            cad_time low = time_of(s, slot->end - CAD_VSINK_DEPTH / 2);
            next = CAD_MIN(next, CAD_MAX(low, s->retry_at));
        }
        next = CAD_MAX(next, now);
    }
    if (now < s->retry_at) next = CAD_MIN(next, s->retry_at);
    return next == CAD_TIME_MAX ? CAD_TIME_NONE : next;
}

static cad_time vsink_step(struct cad_sink *sink, cad_time now)
{
    struct vsink *s = of(sink);
    if (s->running) {
        /* When this comes late, the clock has stopped before what can be taken now was there. */
        cad_time dry_at = time_of(s, limit_of(s));
        if (dry_at < now) stop_at_limit(s, dry_at);
    }
    fill(s, now);
    if (s->running && time_of(s, limit_of(s)) <= now) stop_at_limit(s, now);
    set_going(s, now);
    if (s->running && s->anchor_at <= now) s->anchor_due = true;
    if (s->anchor_due) s->anchor_at = now + s->config.anchor_period;
    return next_step(s, now);
}

static void vsink_report(struct cad_sink *sink, cad_time now, struct cad_sink_report *out)
{
    struct vsink *s = of(sink);
    out->has_anchor = s->anchor_due;
    out->has_fail = false;
    if (s->anchor_due) {
        out->anchor = (struct cad_sink_anchor){
            .epoch = s->epoch, .media = position_at(s, now), .at = s->running ? now : s->at,
            .rate_q16 = s->running ? s->rate_q16 : 0, .underrun = s->underrun};
    }
    out->has_level = s->level_due || (s->anchor_due && s->frames != s->frames_said);
    if (out->has_level) {
        uint64_t dropped = 0;
        if (s->mode == CAD_SIM_SINK_SLOW && s->parameter > MILLION) {
            dropped = s->frames - s->frames * (uint64_t)MILLION / (uint64_t)s->parameter;
        }
        out->level = (struct cad_sink_level){
            .epoch = s->epoch, .first_frame = s->first_frame,
            .first_frame_pts = s->first_frame ? s->first_frame_pts : CAD_TIME_NONE,
            .drained = s->drained, .frames = s->frames, .dropped = dropped};
        s->frames_said = s->frames;
        s->level_due = false;
    }
    s->anchor_due = false;
}

static void vsink_flush(struct cad_sink *sink, uint32_t epoch, cad_time position, cad_time now)
{
    struct vsink *s = of(sink);
    stand_over(s, now);
    s->epoch = epoch;
    s->running = s->underrun = false;
    s->media = position;
    s->at = now;
    s->first_frame = s->drained = s->level_due = s->batch_full = false;
    s->anchor_due = true;
    s->text_shown[0] = '\0';
    if ((int32_t)(s->text_epoch - epoch) <= 0) s->text_early = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot old = s->slots[i];
        s->slots[i] = (struct slot){.wanted = old.wanted, .end = position};
        if (!old.early || old.early_epoch != epoch) continue;
        take_sample(s, i, old.early_pts, old.early_duration, old.early_flags);
    }
}

static void vsink_configure(struct cad_sink *sink, const struct cad_sink_config *config,
                            cad_time now)
{
    struct vsink *s = of(sink);
    if (config->epoch != s->epoch) vsink_flush(sink, config->epoch, config->position, now);
    rebase(s, now);
    s->slots[CAD_SLOT_VIDEO].wanted = config->video;
    s->slots[CAD_SLOT_AUDIO].wanted = config->audio;
    s->text_wanted = config->text;
    if (config->rate_q16 != s->rate_q16) s->anchor_due = true;
    s->rate_q16 = config->rate_q16;
    if (s->rate_q16 == 0) s->running = s->underrun = false;
}

static void vsink_caps(const struct cad_sink *sink, struct cad_sink_caps *out)
{
    CAD_UNUSED(sink);
    *out = (struct cad_sink_caps){.codecs = UINT32_MAX, .video = true, .audio = true, .text = true,
                                  .rate_min_q16 = 32768, .rate_max_q16 = 131072};
}

static void vsink_destroy(struct cad_sink *sink)
{
    if (!sink) return;
    struct vsink *s = of(sink);
    struct cad_alloc alloc = s->alloc;
    cad_alloc_free(&alloc, s, sizeof(*s), CAD_MEM_OTHER);
}

static const struct cad_sink_ops vsink_ops = {
    .size = sizeof(struct cad_sink_ops),
    .name = "virtual",
    .destroy = vsink_destroy,
    .caps = vsink_caps,
    .configure = vsink_configure,
    .flush = vsink_flush,
    .step = vsink_step,
    .report = vsink_report,
};

int cad_vsink_create(const struct cad_alloc *alloc, const struct cad_vsink_config *config,
                     struct cad_sink **out)
{
    if (config->anchor_period <= 0) return CAD_E_INVAL;
    struct vsink *s = cad_alloc_new(alloc, sizeof(*s), CAD_MEM_OTHER);
    if (!s) return CAD_E_NOMEM;
    s->base.ops = &vsink_ops;
    s->alloc = *alloc;
    s->config = *config;
    s->stand_since = CAD_TIME_NONE;
    cad_rng_init(&s->rng, config->seed);
    *out = &s->base;
    return 0;
}

void cad_vsink_mode(struct cad_sink *sink, enum cad_sink_mode mode, int64_t parameter_ppm,
                    cad_time now)
{
    struct vsink *s = of(sink);
    rebase(s, now);
    if (mode == CAD_SIM_SINK_DRIFT) {
        parameter_ppm = CAD_MAX(CAD_MIN(parameter_ppm, DRIFT_PPM_MAX), -DRIFT_PPM_MAX);
    }
    s->mode = mode;
    s->parameter = CAD_MAX(parameter_ppm, mode == CAD_SIM_SINK_DRIFT ? -DRIFT_PPM_MAX : 0);
    s->anchor_due = true;
}

cad_time cad_vsink_position(const struct cad_sink *sink, cad_time now)
{
    return position_at(of_const(sink), now);
}

bool cad_vsink_running(const struct cad_sink *sink)
{
    return of_const(sink)->running;
}

cad_time cad_vsink_underrun_time(const struct cad_sink *sink, cad_time now)
{
    const struct vsink *s = of_const(sink);
    cad_time open = s->stand_since == CAD_TIME_NONE ? 0 : now - s->stand_since;
    return s->stand_total + open;
}

uint64_t cad_vsink_documents(const struct cad_sink *sink)
{
    return of_const(sink)->documents;
}

const char *cad_vsink_text(const struct cad_sink *sink)
{
    return of_const(sink)->text_shown;
}
