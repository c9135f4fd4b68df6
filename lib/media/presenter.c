#include "media/presenter.h"

#include <string.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/mem.h"
#include "base/util.h"
#include "media/clock.h"
#include "media/feed.h"
#include "media/text_feed.h"

enum play_state {
    PLAY_HOLD,     /* the wanted rate is 0 */
    PLAY_WAIT,     /* for the first sample of every slot */
    PLAY_RUN,
    PLAY_UNDERRUN, /* it ran and has nothing more to show */
    PLAY_DRAINED   /* the last sample has been shown */
};

struct slot {
    bool wanted;
    bool starved;          /* the source had nothing in this step */
    bool has_first;        /* a frame that is to be shown has come in this epoch */
    struct cad_feed feed;
    struct cad_frame *queue; /* capacity elements: frames that wait, rising pts */
    uint32_t head, count, capacity;
    cad_time last_pts;     /* of the newest frame queued or shown; CAD_TIME_NONE none */
    cad_time sound_end;    /* behind the newest sound queued or played */
    uint32_t stream;       /* feed.streams of that sound: another one begins with a seam */
};

struct presenter {
    struct cad_sink sink;  /* first: see sink.h */
    struct cad_presenter_config config;
    struct cad_sink_config wish; /* what the engine asked for last */
    bool configured;
    struct cad_play_clock clock;
    enum play_state state;
    bool started;          /* the clock has run in this epoch */
    cad_time begin;        /* where the epoch begins */
    struct slot slots[CAD_ENGINE_TRACKS];
    struct cad_text_feed text;
    struct cad_sink_level level;
    bool changed;          /* something is worth a report at once */
    bool failed, fail_told;
    struct cad_sink_fail fail;
    cad_time reported;     /* when the last anchor was given; CAD_TIME_NONE never */
    cad_time lagged;       /* when decoding was last seen to lag; CAD_TIME_NONE not yet */
};

static struct presenter *of(struct cad_sink *sink)
{
    return (struct presenter *)(void *)sink;
}

/* ---- life -------------------------------------------------------------------------------- */

void cad_sink_options_init(struct cad_sink_options *options)
{
    *options = (struct cad_sink_options){
        .size = sizeof(*options), .alloc = cad_alloc_system(),
        .depth = CAD_PRESENTER_DEPTH_DEFAULT};
}

static int slot_init(struct presenter *p, uint32_t index)
{
    struct slot *slot = &p->slots[index];
    const struct cad_sink_options *options = &p->config.options;
    uint32_t depth = options->depth;
    bool pictures = index == CAD_SLOT_VIDEO && !p->config.raw;
    slot->capacity = pictures ? CAD_MIN(depth, CAD_PRESENTER_PICTURES_MAX) : depth;
    slot->queue =
        cad_alloc_array(&options->alloc, slot->capacity, sizeof(*slot->queue), CAD_MEM_OTHER);
    if (!slot->queue) return CAD_E_NOMEM;
    slot->last_pts = CAD_TIME_NONE;
    struct cad_feed_config config = {.alloc = options->alloc, .decoder = options->decoder,
                                     .threads = options->threads, .raw = p->config.raw,
                                     .passthrough = options->passthrough};
    cad_feed_init(&slot->feed, index, &config);
    return 0;
}

static void slot_clear(struct slot *slot)
{
    for (; slot->count > 0; slot->count--) {
        cad_frame_unref(&slot->queue[slot->head]);
        slot->head = (slot->head + 1) % slot->capacity;
    }
    slot->starved = slot->has_first = false;
    slot->last_pts = CAD_TIME_NONE;
}

static void slots_deinit(struct presenter *p)
{
    struct cad_alloc alloc = p->config.options.alloc;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct slot *slot = &p->slots[i];
        if (!slot->queue) continue;
        slot_clear(slot);
        cad_feed_deinit(&slot->feed);
        cad_alloc_free(&alloc, slot->queue, slot->capacity * sizeof(*slot->queue), CAD_MEM_OTHER);
    }
}

static bool options_ok(const struct cad_sink_options *options)
{
    if (options->size != sizeof(*options) || !options->alloc.fn) return false;
    const struct cad_decoder_ops *decoder = options->decoder;
    if (decoder && decoder->size != sizeof(*decoder)) return false;
    return options->depth >= 1 && options->depth <= CAD_PRESENTER_DEPTH_MAX;
}

int cad_presenter_create(const struct cad_presenter_config *config, const struct cad_sink_ops *ops,
                         struct cad_sink **out)
{
    if (!config || !ops || !out || !options_ok(&config->options)) return CAD_E_INVAL;
    struct cad_alloc alloc = config->options.alloc;
    struct presenter *p = cad_alloc_new(&alloc, sizeof(*p), CAD_MEM_OTHER);
    if (!p) return CAD_E_NOMEM;
    p->sink.ops = ops;
    p->config = *config;
    p->reported = p->lagged = CAD_TIME_NONE;
    cad_clock_reset(&p->clock, 0);
    cad_text_feed_init(&p->text, config->options.on_text, config->options.ctx);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        int rc = slot_init(p, i);
        if (rc == 0) continue;
        slots_deinit(p);
        cad_alloc_free(&alloc, p, sizeof(*p), CAD_MEM_OTHER);
        return rc;
    }
    *out = &p->sink;
    return 0;
}

void cad_presenter_destroy(struct cad_sink *sink)
{
    if (!sink) return;
    struct presenter *p = of(sink);
    struct cad_alloc alloc = p->config.options.alloc;
    slots_deinit(p);
    cad_text_feed_deinit(&p->text);
    if (p->config.output && p->config.output->destroy) {
        p->config.output->destroy(p->config.ctx);
    }
    cad_alloc_free(&alloc, p, sizeof(*p), CAD_MEM_OTHER);
}

/* Can it play faster and slower? Not where sound is compressed or the output cannot. */
static bool keeps_pace(const struct presenter *p)
{
    const struct cad_output_ops *output = p->config.output;
    return p->config.options.passthrough == 0 && (!output || !output->sound || output->rate);
}

void cad_presenter_caps(const struct cad_sink *sink, struct cad_sink_caps *out)
{
    const struct presenter *p = (const struct presenter *)(const void *)sink;
    const struct cad_decoder_ops *own = p->config.options.decoder;
    uint32_t codecs = cad_decoder_codecs() | (own ? own->codecs : 0);
    uint32_t passthrough = p->config.options.passthrough;
    bool text = p->config.options.on_text != NULL;
    if (text) codecs |= 1u << CAD_CODEC_TTML;
    *out = (struct cad_sink_caps){
        .codecs = p->config.raw ? UINT32_MAX : codecs | passthrough,
        .video = true,
        .audio = true,
        .text = text,
        .passthrough = passthrough,
    };
    if (!keeps_pace(p)) return;
    out->rate_min_q16 = CAD_PRESENTER_RATE_MIN;
    out->rate_max_q16 = CAD_PRESENTER_RATE_MAX;
}

/* ---- the clock --------------------------------------------------------------------------- */

static bool all_ended(const struct presenter *p)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (p->slots[i].wanted && !p->slots[i].feed.ended) return false;
    }
    return true;
}

/* The end of what it has: the clock never passes it. */
static cad_time limit_of(const struct presenter *p)
{
    bool over = all_ended(p);
    cad_time limit = over ? p->clock.last : CAD_TIME_MAX;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *slot = &p->slots[i];
        if (!slot->wanted) continue;
        if (over) {
            limit = CAD_MAX(limit, slot->feed.end);
        } else if (!slot->feed.ended) {
            limit = CAD_MIN(limit, CAD_MAX(slot->feed.end, p->clock.last));
        }
    }
    return limit;
}

static cad_time position(struct presenter *p, cad_time now)
{
    return cad_clock_read(&p->clock, now, limit_of(p));
}

static void set_state(struct presenter *p, enum play_state state, cad_time now)
{
    if (p->state == state) return;
    bool ran = p->state == PLAY_RUN;
    p->state = state;
    p->changed = true;
    if (state == PLAY_RUN) {
        p->started = true;
        cad_clock_start(&p->clock, now, p->wish.rate_q16);
    } else if (ran) {
        cad_clock_stop(&p->clock, now, limit_of(p));
    }
    if (state == PLAY_DRAINED) p->level.drained = true;
    if (p->config.output && p->config.output->run && (ran || state == PLAY_RUN)) {
        p->config.output->run(p->config.ctx, state == PLAY_RUN);
    }
}

static bool may_start(const struct presenter *p)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *slot = &p->slots[i];
        if (slot->wanted && !slot->has_first && !slot->feed.ended) return false;
    }
    return all_ended(p) || limit_of(p) > p->clock.last;
}

/* True if some slot keeps the clock from going on and has nothing in sight. */
static bool is_starved(const struct presenter *p, cad_time limit)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        const struct slot *slot = &p->slots[i];
        if (slot->wanted && !slot->feed.ended && slot->starved && slot->feed.end <= limit) {
            return true;
        }
    }
    return false;
}

static bool queues_empty(const struct presenter *p)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (p->slots[i].wanted && p->slots[i].count > 0) return false;
    }
    return true;
}

/* Is the time a device's? That one waits for nobody: who is late is late. */
static bool has_clock(const struct presenter *p)
{
    const struct cad_output_ops *output = p->config.output;
    return output && output->clock && p->slots[CAD_SLOT_AUDIO].wanted;
}

/* True: the device said a moment ago where it is. One that ran dry says what is long over. */
static bool follow_device(struct presenter *p, cad_time now)
{
    cad_time media = 0;
    cad_time at = 0;
    if (!has_clock(p) || !p->config.output->clock(p->config.ctx, &media, &at)) return false;
    cad_clock_discipline(&p->clock, media, at);
    return cad_sub_sat_i64(now, at) <= CAD_PRESENTER_HEARD_MAX;
}

/* Checks count every picture: they lose none. */
static bool counts_all(const struct presenter *p)
{
    return p->config.options.as_fast_as_possible || p->config.options.on_frame;
}

/* Is video alone to blame, that has access units and no picture for this time? */
static bool pictures_lag(const struct presenter *p, cad_time media)
{
    const struct slot *slot = &p->slots[CAD_SLOT_VIDEO];
    if (p->config.raw || counts_all(p) || !slot->wanted || slot->starved) return false;
    if (slot->feed.ended || slot->feed.failed || slot->feed.end == CAD_TIME_NONE) return false;
    return cad_sub_sat_i64(media, slot->feed.end) > CAD_PRESENTER_SKIP_LAG;
}

/*
 * The clock wants to be past the end of what was decoded. A device waits for nobody: pictures that
 * lag are skipped. Monotonic time waits once, since a driver that slept looks the same; a second
 * lag soon after it is a decoder that is too slow.
 */
static void catch_up(struct presenter *p, cad_time now, bool heard)
{
    cad_time media = cad_clock_natural(&p->clock, now);
    /* A sync sample that is as late as this would be the next one to be skipped. */
    cad_time to = cad_sub_sat_i64(media, CAD_PRESENTER_SKIP_LAG);
    struct cad_feed *pictures = &p->slots[CAD_SLOT_VIDEO].feed;
    if (has_clock(p)) {
        if (heard && pictures_lag(p, media)) cad_feed_skip(pictures, to);
        return;
    }
    cad_time limit = limit_of(p);
    cad_time lag = cad_sub_sat_i64(media, limit);
    if (lag <= CAD_PRESENTER_LAG_MAX) return;
    bool again = p->lagged != CAD_TIME_NONE &&
                 cad_sub_sat_i64(now, p->lagged) <= CAD_PRESENTER_SLOW_TIME;
    p->lagged = now;
    if (again && lag <= CAD_PRESENTER_SLEEP && pictures_lag(p, media)) {
        cad_feed_skip(pictures, to);
        return;
    }
    cad_clock_set(&p->clock, now, limit);
    p->changed = true;
}

static void advance_running(struct presenter *p, cad_time now)
{
    bool heard = follow_device(p, now);
    cad_time limit = limit_of(p);
    if (p->config.options.as_fast_as_possible) cad_clock_set(&p->clock, now, limit);
    cad_time media = cad_clock_read(&p->clock, now, limit);
    if (media < limit) return;
    if (all_ended(p)) {
        if (queues_empty(p)) set_state(p, PLAY_DRAINED, now);
        return;
    }
    if (is_starved(p, limit)) {
        set_state(p, PLAY_UNDERRUN, now);
    } else {
        catch_up(p, now, heard);
    }
}

static void advance(struct presenter *p, cad_time now)
{
    if (p->wish.rate_q16 == 0) {
        if (p->state != PLAY_DRAINED) set_state(p, PLAY_HOLD, now);
        return;
    }
    switch (p->state) {
    case PLAY_HOLD:
        set_state(p, p->started ? PLAY_UNDERRUN : PLAY_WAIT, now);
        if (may_start(p)) set_state(p, PLAY_RUN, now);
        break;
    case PLAY_WAIT:
    case PLAY_UNDERRUN:
        if (may_start(p)) set_state(p, PLAY_RUN, now);
        break;
    case PLAY_RUN: advance_running(p, now); break;
    case PLAY_DRAINED: break;
    }
}

/* ---- showing ------------------------------------------------------------------------------ */

static void first_is_out(struct presenter *p, cad_time pts)
{
    if (p->level.first_frame) return;
    p->level.first_frame = true;
    p->level.first_frame_pts = pts;
    p->changed = true;
}

/* Show a picture; the frame is used up. */
static void show(struct presenter *p, struct cad_frame *frame)
{
    first_is_out(p, frame->pts);
    if (p->config.options.on_frame) p->config.options.on_frame(p->config.options.ctx, frame);
    if (p->config.output && p->config.output->picture) {
        p->level.dropped += p->config.output->picture(p->config.ctx, frame);
    }
    cad_frame_unref(frame);
}

static struct cad_frame *queue_at(const struct slot *slot, uint32_t i)
{
    return i < slot->count ? &slot->queue[(slot->head + i) % slot->capacity] : NULL;
}

/* The oldest frame, which is the caller's now. */
static struct cad_frame queue_pop(struct slot *slot)
{
    CAD_ASSERT(slot->count > 0);
    struct cad_frame frame = slot->queue[slot->head];
    slot->head = (slot->head + 1) % slot->capacity;
    slot->count--;
    return frame;
}

static void queue_push(struct slot *slot, const struct cad_frame *frame)
{
    CAD_ASSERT(slot->count < slot->capacity);
    slot->queue[(slot->head + slot->count) % slot->capacity] = *frame;
    slot->count++;
}

/* Is it too late for the oldest picture? */
static bool too_late(const struct presenter *p, const struct slot *slot, cad_time media)
{
    if (counts_all(p)) return false;
    const struct cad_frame *frame = queue_at(slot, 0);
    if (p->config.late_max > 0) {
        cad_time end = cad_add_sat_i64(frame->pts, frame->duration);
        return cad_sub_sat_i64(media, end) > p->config.late_max;
    }
    const struct cad_frame *next = queue_at(slot, 1);
    return next && next->pts <= media;
}

static void present_pictures(struct presenter *p, cad_time media)
{
    struct slot *slot = &p->slots[CAD_SLOT_VIDEO];
    while (slot->count > 0 && queue_at(slot, 0)->pts <= media) {
        bool late = too_late(p, slot, media);
        struct cad_frame frame = queue_pop(slot);
        if (late) {
            p->level.dropped++;
            cad_frame_unref(&frame);
        } else {
            show(p, &frame);
        }
    }
}

/* Sound goes to the device ahead of its time; without one it is over when the clock is there. */
static void present_sound(struct presenter *p, cad_time media)
{
    struct slot *slot = &p->slots[CAD_SLOT_AUDIO];
    const struct cad_output_ops *output = p->config.output;
    const struct cad_sink_options *options = &p->config.options;
    while (slot->count > 0) {
        struct cad_frame *frame = queue_at(slot, 0);
        if (output && output->sound) {
            if (output->sound(p->config.ctx, frame) == CAD_E_AGAIN) return;
        } else if (frame->pts > media) {
            return;
        }
        struct cad_frame done = queue_pop(slot);
        if (options->on_sound) options->on_sound(options->ctx, &done);
        cad_frame_unref(&done);
    }
}

static void present(struct presenter *p, cad_time now)
{
    cad_time media = position(p, now);
    if (p->started) present_pictures(p, media);
    if (p->started || (p->config.output && p->config.output->sound)) present_sound(p, media);
}

/* ---- feeding ------------------------------------------------------------------------------ */

/*
 * Sound begins at the epoch's position and at a seam, where another stream goes on, at the end of
 * the one before, to the sample: what lies before that is cut away. Inside a stream times only
 * count where they are further off than writers round. Compressed sound is taken whole or not at
 * all. False: nothing is left.
 */
static bool cut_sound(const struct presenter *p, struct slot *slot, struct cad_frame *frame)
{
    bool seam = !slot->has_first || slot->stream != slot->feed.streams;
    cad_time from = slot->has_first ? slot->sound_end : p->begin;
    cad_time over = cad_sub_sat_i64(from, frame->pts);
    cad_time length = frame->duration;
    if (frame->pcm) length = cad_time_from_ticks(frame->samples, frame->sample_rate_hz);
    bool cut = over > (seam ? 0 : CAD_PRESENTER_SOUND_SLACK);
    if (cut && !frame->pcm && over > length / 2) return false;
    if (cut && frame->pcm) {
        /* To the nearest: a sample less than half over is not over. */
        int64_t n = cad_time_to_ticks(2 * CAD_MIN(over, length), frame->sample_rate_hz);
        n = (n + 1) / 2;
        if (n >= frame->samples) return false;
        cad_time moved = cad_time_from_ticks(n, frame->sample_rate_hz);
        frame->pcm += (size_t)n * frame->channels;
        frame->samples -= (uint32_t)n;
        frame->pts = CAD_MAX(cad_add_sat_i64(frame->pts, moved), from); /* times are rounded down */
        frame->duration = CAD_MAX(cad_sub_sat_i64(frame->duration, moved), 0);
        length -= moved;
    }
    slot->stream = slot->feed.streams;
    slot->sound_end = cad_add_sat_i64(frame->pts, length);
    return true;
}

static bool is_repeated(const struct presenter *p, struct slot *slot, struct cad_frame *frame)
{
    if (frame->pcm || frame->data) return !cut_sound(p, slot, frame);
    return slot->last_pts != CAD_TIME_NONE && frame->pts <= slot->last_pts;
}

/* A frame that has come out of a feed; it is used up. */
static void accept(struct presenter *p, struct slot *slot, struct cad_frame *frame)
{
    bool picture = slot == &p->slots[CAD_SLOT_VIDEO];
    if (picture) p->level.frames++;
    if (frame->decode_only) {
        cad_frame_unref(frame);
        return;
    }
    if (is_repeated(p, slot, frame)) {
        if (picture) p->level.dropped++;
        cad_frame_unref(frame);
        return;
    }
    slot->last_pts = frame->pts;
    bool first = !slot->has_first;
    slot->has_first = true;
    if (first && !picture && !p->slots[CAD_SLOT_VIDEO].wanted) first_is_out(p, frame->pts);
    if (first && picture) {
        show(p, frame);
    } else {
        queue_push(slot, frame);
    }
}

static void note_failure(struct presenter *p, const struct cad_feed *feed)
{
    if (p->failed) return;
    p->failed = true;
    p->fail = feed->fail;
    p->changed = true;
}

/* Fill one slot as far as it has room. True: it would take more if the step were longer. */
static bool fill(struct presenter *p, struct slot *slot, uint32_t *work)
{
    slot->starved = false;
    while (slot->count < slot->capacity) {
        struct cad_frame frame;
        int rc = cad_feed_next(&slot->feed, &p->sink.source, work, &frame);
        if (rc == 0) {
            accept(p, slot, &frame);
            continue;
        }
        if (rc == CAD_E_LIMIT) return true;
        slot->starved = rc != CAD_E_END;
        if (rc == CAD_E_IO) note_failure(p, &slot->feed);
        return false;
    }
    return false;
}

/* A title whose video ended without a picture is heard first. */
static void first_without_picture(struct presenter *p)
{
    const struct slot *video = &p->slots[CAD_SLOT_VIDEO];
    const struct slot *audio = &p->slots[CAD_SLOT_AUDIO];
    if (!video->wanted || !video->feed.ended || video->has_first) return;
    if (audio->wanted && audio->has_first) first_is_out(p, p->clock.last);
}

/*
 * Access units that a slot may take in this step: half for each. Where pictures are late already
 * they come in small portions, so that each is shown at once and sound is not kept waiting.
 */
static uint32_t work_of(const struct presenter *p, const struct slot *slot)
{
    bool pictures = slot == &p->slots[CAD_SLOT_VIDEO];
    bool late = p->state == PLAY_RUN && slot->count == 0;
    if (pictures && late && !p->config.options.as_fast_as_possible) return CAD_PRESENTER_WORK_LATE;
    return CAD_PRESENTER_WORK_MAX / CAD_ENGINE_TRACKS;
}

static bool fill_all(struct presenter *p)
{
    bool more = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        uint32_t work = work_of(p, &p->slots[i]);
        if (p->slots[i].wanted && fill(p, &p->slots[i], &work)) more = true;
    }
    first_without_picture(p);
    struct cad_feed *pictures = &p->slots[CAD_SLOT_VIDEO].feed;
    p->level.dropped += pictures->skipped;
    pictures->skipped = 0;
    return more;
}

/* ---- the calls of the edge ------------------------------------------------------------------ */

static void enter_epoch(struct presenter *p, uint32_t epoch, cad_time media, cad_time now)
{
    set_state(p, PLAY_HOLD, now);
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        slot_clear(&p->slots[i]);
        cad_feed_reset(&p->slots[i].feed, epoch);
    }
    cad_text_feed_reset(&p->text, epoch);
    if (p->config.output && p->config.output->flush) p->config.output->flush(p->config.ctx);
    p->configured = true;
    p->wish.epoch = epoch;
    p->wish.position = media;
    p->started = p->failed = p->fail_told = false;
    p->lagged = CAD_TIME_NONE;
    p->begin = media == CAD_TIME_NONE ? 0 : media;
    cad_clock_reset(&p->clock, p->begin);
    p->level = (struct cad_sink_level){
        .epoch = epoch, .frames = p->level.frames, .dropped = p->level.dropped};
    p->changed = true;
}

void cad_presenter_flush(struct cad_sink *sink, uint32_t epoch, cad_time media, cad_time now)
{
    struct presenter *p = of(sink);
    /* configure may have entered the epoch already; what was pulled since belongs to it. */
    if (p->configured && epoch == p->wish.epoch) return;
    enter_epoch(p, epoch, media, now);
}

void cad_presenter_configure(struct cad_sink *sink, const struct cad_sink_config *config,
                             cad_time now)
{
    struct presenter *p = of(sink);
    if (!p->configured || config->epoch != p->wish.epoch) {
        enter_epoch(p, config->epoch, config->position, now);
    }
    uint32_t rate_q16 = config->rate_q16;
    if (rate_q16 != 0 && !keeps_pace(p)) rate_q16 = CAD_CLOCK_RATE_ONE;
    bool rate_changed = p->wish.rate_q16 != rate_q16;
    p->wish = *config;
    p->wish.rate_q16 = rate_q16;
    p->slots[CAD_SLOT_VIDEO].wanted = config->video;
    p->slots[CAD_SLOT_AUDIO].wanted = config->audio;
    if (rate_changed && p->state == PLAY_RUN) {
        cad_clock_set(&p->clock, now, position(p, now));
        cad_clock_start(&p->clock, now, rate_q16);
    }
    const struct cad_output_ops *output = p->config.output;
    if (output && output->rate && rate_changed && rate_q16 != 0) {
        output->rate(p->config.ctx, rate_q16);
    }
    advance(p, now);
}

/* When the next picture or end of sound is due. */
static cad_time next_due(const struct presenter *p, cad_time now)
{
    cad_time wake = cad_add_sat_i64(now, CAD_PRESENTER_REPORT);
    if (p->reported != CAD_TIME_NONE) {
        wake = CAD_MIN(wake, cad_add_sat_i64(p->reported, CAD_PRESENTER_REPORT));
    }
    cad_time media = limit_of(p);
    const struct cad_frame *picture = queue_at(&p->slots[CAD_SLOT_VIDEO], 0);
    if (picture) media = CAD_MIN(media, picture->pts);
    const struct cad_frame *sound = queue_at(&p->slots[CAD_SLOT_AUDIO], 0);
    if (sound && p->config.output && p->config.output->sound) {
        wake = CAD_MIN(wake, cad_add_sat_i64(now, CAD_PRESENTER_SOUND_WAIT));
    } else if (sound) {
        media = CAD_MIN(media, sound->pts);
    }
    cad_time due = cad_clock_when(&p->clock, media);
    /* What is due and still there waits for room or more media: look again soon, not at once. */
    if (due != CAD_TIME_NONE) wake = CAD_MIN(wake, CAD_MAX(due, cad_add_sat_i64(now, CAD_MS)));
    return wake;
}

cad_time cad_presenter_step(struct cad_sink *sink, cad_time now)
{
    struct presenter *p = of(sink);
    if (!p->configured || (!p->wish.video && !p->wish.audio)) return CAD_TIME_NONE;
    present(p, now);
    bool more = fill_all(p);
    if (p->wish.text && cad_text_feed_step(&p->text, &p->sink.source)) more = true;
    advance(p, now);
    present(p, now);
    /* Showing made room, or the clock has just come to the end of everything. */
    if (p->state == PLAY_RUN) advance(p, now);
    if (more) return now;
    if (p->state != PLAY_RUN) return CAD_TIME_NONE;
    if (p->config.options.as_fast_as_possible && !is_starved(p, CAD_TIME_MAX)) return now;
    return next_due(p, now);
}

void cad_presenter_report(struct cad_sink *sink, cad_time now, struct cad_sink_report *out)
{
    struct presenter *p = of(sink);
    memset(out, 0, sizeof(*out));
    if (!p->configured) return;
    if (p->failed && !p->fail_told) {
        out->has_fail = p->fail_told = true;
        out->fail = p->fail;
    }
    bool due = p->reported == CAD_TIME_NONE ||
               cad_sub_sat_i64(now, p->reported) >= CAD_PRESENTER_REPORT;
    if (!due && !p->changed) return;
    p->changed = false;
    p->reported = now;
    out->has_anchor = out->has_level = true;
    out->level = p->level;
    out->anchor = (struct cad_sink_anchor){
        .epoch = p->wish.epoch,
        .media = position(p, now),
        .at = now,
        .rate_q16 = p->state == PLAY_RUN ? p->wish.rate_q16 : 0,
        .underrun = p->state == PLAY_UNDERRUN,
    };
}
