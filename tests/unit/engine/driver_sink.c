/* The driver's sink: takes samples by depth, checks each one, and keeps a clock as sink.h has
 * it. */
#include "driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/util.h"

#define ANCHOR_PERIOD (100 * CAD_MS)
#define SLIP 2 /* ns: times are rounded down one by one */

/* ---- samples --------------------------------------------------------------------------------- */

/* Of the stream that the configuration in force declares: its rate tells which one it is. */
static int64_t segment_bytes(const struct drv *d)
{
    for (uint32_t i = 0; i < DRV_RUNGS; i++) {
        int64_t off = d->sink.slot[CAD_SLOT_VIDEO].config.rate_bps - d->stream[i].rate_bps;
        if (off > -10000 && off < 10000) return drv_rung_bytes(i);
    }
    fail_msg("no stream of %" PRId64 " bit/s", d->sink.slot[CAD_SLOT_VIDEO].config.rate_bps);
    return 0;
}

/* The first of the 50 pictures of a segment has the size of eight; rungs differ by a factor of
 * 2. */
static void check_rung(const struct drv *d, uint32_t i, const struct drv_sample *s)
{
    assert_true(d->sink.slot[i].has_config);
    cad_time whole = d->options.duration / DRV_SEGMENT * DRV_SEGMENT;
    if (i != CAD_SLOT_VIDEO || s->pts >= whole) return; /* sound; a segment that is cut */
    int64_t mean = segment_bytes(d) / 57 * (s->flags & CAD_SAMPLE_SYNC ? 8 : 1);
    assert_in_range(s->size, mean * 7 / 10, mean * 13 / 10);
}

/* Across a seam what was shown follows on what was shown. */
static const struct drv_sample *last_shown(const struct drv_slot *slot)
{
    uint32_t i = slot->count - 1;
    while (i > 0 && (slot->samples[i].flags & CAD_SAMPLE_DECODE_ONLY)) i--;
    return &slot->samples[i];
}

static void keep(struct drv *d, uint32_t i, const struct cad_sample *sample)
{
    struct drv_slot *slot = &d->sink.slot[i];
    if (slot->count == slot->cap) {
        slot->cap = slot->cap ? slot->cap * 2 : 256;
        slot->samples = realloc(slot->samples, slot->cap * sizeof(*slot->samples));
        if (!slot->samples) abort();
    }
    struct drv_sample s = {
        .epoch = sample->epoch, .flags = sample->flags, .rung = slot->rung, .pts = sample->pts,
        .dts = sample->dts, .duration = sample->duration, .size = sample->size};
    assert_int_equal(s.epoch, d->sink.epoch);
    assert_true(s.duration > 0);
    assert_true(s.size > 0);
    check_rung(d, i, &s);
    /* What a decoder needs to run in before a seam lies beside what was played. */
    if (slot->run_in && (s.flags & CAD_SAMPLE_DECODE_ONLY)) return;
    if (slot->of_epoch == 0) {
        assert_true(s.flags & CAD_SAMPLE_SYNC);
    } else {
        const struct drv_sample *last = &slot->samples[slot->count - 1];
        if (slot->run_in) last = last_shown(slot);
        slot->run_in = false;
        int64_t gap = s.dts - (last->dts + last->duration);
        if (gap < -SLIP || (gap > SLIP && d->strict_time)) {
            fail_msg("slot %u: %" PRId64 " ns between samples at %" PRId64, i, gap, s.dts);
        }
        assert_true(s.dts > last->dts);
    }
    slot->samples[slot->count++] = s;
    slot->of_epoch++;
    slot->end = CAD_MAX(slot->end, s.pts + s.duration);
}

static void take_config(struct drv *d, uint32_t i, const struct cad_sample *sample)
{
    struct drv_slot *slot = &d->sink.slot[i];
    assert_int_equal(sample->config.type, i == CAD_SLOT_VIDEO ? CAD_MEDIA_VIDEO : CAD_MEDIA_AUDIO);
    assert_true(sample->config.extra.n > 0);
    assert_true(sample->config.timescale > 0);
    slot->configs++;
    slot->has_config = true;
    slot->run_in = slot->of_epoch > 0;
    slot->rung = sample->config.rung;
    slot->config = sample->config;
    slot->config.extra = (cad_buf){NULL, 0};
}

static void show_first(struct drv *d, uint32_t i, const struct cad_sample *sample)
{
    struct drv_sink *k = &d->sink;
    if (k->first_frame || (i != CAD_SLOT_VIDEO && k->slot[CAD_SLOT_VIDEO].wanted)) return;
    k->first_frame = true;
    struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL};
    event.u.level = (struct cad_sink_level){
        .epoch = k->epoch, .first_frame = true, .first_frame_pts = sample->pts,
        .frames = k->frames};
    drv_feed(d, &event);
}

void drv_sink_drop_held(struct drv *d, uint32_t i)
{
    struct drv_slot *slot = &d->sink.slot[i];
    if (!slot->holds) return;
    slot->holds = false;
    cad_ref_unref(&slot->held.ref);
    cad_ref_unref(&slot->held.crypt_ref);
}

/* As the drive does: a sample whose key is awaited stays at the head of its queue. */
static int pull(struct drv *d, uint32_t i, struct cad_sample *sample)
{
    struct drv_slot *slot = &d->sink.slot[i];
    if (!slot->holds) {
        int rc = cad_engine_pull(d->engine, i, sample);
        if (rc != 0 || !sample->crypt) return rc;
        assert_int_equal(sample->crypt->scheme, CAD_SCHEME_CBCS);
        uint32_t kid = sample->crypt->kid[0];
        assert_true(kid == DRV_KID || (d->options.hd_key && kid == DRV_HD_KID));
        assert_int_equal(sample->crypt->iv_size, 16);
        assert_int_equal(sample->crypt->data.n, sample->size);
        slot->held = *sample;
        slot->holds = true;
    }
    bool hd = slot->held.crypt->kid[0] == DRV_HD_KID;
    if (!(hd ? d->cdm.hd_opens : d->cdm.opens)) return CAD_E_AGAIN;
    *sample = slot->held;
    slot->holds = false;
    cad_ref_unref(&sample->crypt_ref);
    return 0;
}

/* One pull; true: something came. */
static bool take(struct drv *d, uint32_t i)
{
    struct drv_slot *slot = &d->sink.slot[i];
    struct cad_sample sample;
    memset(&sample, 0, sizeof sample);
    int rc = pull(d, i, &sample);
    if (rc == CAD_E_AGAIN) return false;
    if (rc == CAD_E_END) {
        slot->ended = true;
        return true;
    }
    if (rc == CAD_E_NOMEM) return false;
    assert_true(rc == 0 || rc == CAD_E_CONFIG);
    if (rc == CAD_E_CONFIG) {
        take_config(d, i, &sample);
    } else {
        assert_non_null(sample.ref);
        keep(d, i, &sample);
        d->sink.frames += i == CAD_SLOT_VIDEO;
        if (!(sample.flags & CAD_SAMPLE_DECODE_ONLY)) {
            slot->started = true;
            show_first(d, i, &sample);
        }
    }
    cad_ref_unref(&sample.ref);
    return true;
}

static void take_document(struct drv *d, const struct cad_sample *sample)
{
    struct drv_words *w = &d->sink.words;
    assert_true(w->has_config);
    assert_int_equal(w->config.codec, CAD_CODEC_TTML);
    assert_non_null(sample->ref);
    assert_true(sample->flags & CAD_SAMPLE_SYNC);
    w->documents++;
    w->shown = true;
    w->has_config = false; /* each is preceded by its own */
    w->document = -1;
    w->pts = sample->pts;
    w->duration = sample->duration;
    for (int32_t n = 0; n < DRV_TEXTS; n++) {
        char *expected = drv_document(n);
        bool same = strlen(expected) == sample->size &&
                    memcmp(expected, sample->data, sample->size) == 0;
        if (same) w->document = n;
        free(expected);
    }
}

/* Text is taken as it comes, whatever the clock does. */
static bool fill_text(struct drv *d)
{
    struct drv_words *w = &d->sink.words;
    struct cad_sample sample;
    bool any = false;
    while (d->sink.config.text) {
        memset(&sample, 0, sizeof sample);
        int rc = cad_engine_pull(d->engine, CAD_SLOT_TEXT, &sample);
        if (rc == CAD_E_AGAIN) break;
        assert_true(rc == 0 || rc == CAD_E_CONFIG);
        assert_int_equal(sample.epoch, d->sink.epoch);
        any = true;
        if (rc == 0) {
            take_document(d, &sample);
        } else {
            assert_int_equal(sample.config.type, CAD_MEDIA_TEXT);
            w->configs++;
            w->config = sample.config;
            w->has_config = true;
            w->shown = false;
        }
        cad_ref_unref(&sample.ref);
    }
    return any;
}

static bool fill(struct drv *d, uint32_t i)
{
    struct drv_slot *slot = &d->sink.slot[i];
    bool any = false;
    if (!slot->wanted) return false;
    for (uint32_t n = 0; n < 100000 && !slot->ended; n++) {
        bool full = slot->started && slot->end >= d->sink.media + d->sink.pull_ahead;
        if ((full && !d->sink.hungry) || !take(d, i)) break;
        any = true;
    }
    return any;
}

/* ---- the clock ------------------------------------------------------------------------------- */

static bool all_ended(const struct drv_sink *k)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (k->slot[i].wanted && !k->slot[i].ended) return false;
    }
    return k->slot[0].wanted || k->slot[1].wanted;
}

static bool all_ready(const struct drv_sink *k)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (k->slot[i].wanted && !k->slot[i].started && !k->slot[i].ended) return false;
    }
    return k->slot[0].wanted || k->slot[1].wanted;
}

static cad_time limit_of(const struct drv_sink *k)
{
    cad_time shortest = CAD_TIME_MAX, longest = k->media;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (!k->slot[i].wanted) continue;
        longest = CAD_MAX(longest, k->slot[i].end);
        if (!k->slot[i].ended) shortest = CAD_MIN(shortest, k->slot[i].end);
    }
    return shortest == CAD_TIME_MAX ? longest : shortest;
}

cad_time drv_sink_position(const struct drv *d)
{
    return d->sink.media;
}

static void feed_anchor(struct drv *d)
{
    struct drv_sink *k = &d->sink;
    k->next_anchor = d->now + ANCHOR_PERIOD;
    struct cad_event event = {.type = CAD_EVENT_SINK_ANCHOR};
    event.u.anchor = (struct cad_sink_anchor){
        .epoch = k->epoch, .media = k->media, .at = d->now,
        .rate_q16 = k->running ? k->rate_q16 : 0, .underrun = k->underrun};
    drv_feed(d, &event);
}

void drv_anchor(struct drv *d, cad_time media, uint32_t rate_q16, bool underrun)
{
    struct cad_event event = {.type = CAD_EVENT_SINK_ANCHOR};
    event.u.anchor = (struct cad_sink_anchor){
        .epoch = d->sink.epoch, .media = media, .at = d->now, .rate_q16 = rate_q16,
        .underrun = underrun};
    drv_feed(d, &event);
}

static void feed_drained(struct drv *d)
{
    d->sink.drained = true;
    struct cad_event event = {.type = CAD_EVENT_SINK_LEVEL};
    event.u.level = (struct cad_sink_level){
        .epoch = d->sink.epoch, .first_frame = d->sink.first_frame, .drained = true,
        .frames = d->sink.frames};
    drv_feed(d, &event);
}

/* true: an anchor or the end was reported. */
static bool move_clock(struct drv *d)
{
    struct drv_sink *k = &d->sink;
    bool was_running = k->running, was_underrun = k->underrun;
    cad_time limit = limit_of(k);
    if (k->running) {
        cad_time step = cad_muldiv_floor_i64(d->now - k->at, k->rate_q16, 65536);
        k->media = CAD_MAX(k->media, CAD_MIN(k->media + step, limit));
    }
    k->at = d->now;
    bool can_run = all_ready(k) && k->rate_q16 > 0 && k->media < limit;
    k->underrun = k->rate_q16 > 0 && !can_run && !all_ended(k) && (was_running || was_underrun);
    k->running = can_run;
    bool reported = false;
    if (was_running != k->running || was_underrun != k->underrun ||
        (k->running && d->now >= k->next_anchor)) {
        feed_anchor(d);
        reported = true;
    }
    if (!k->drained && all_ended(k) && k->media >= limit) {
        feed_drained(d);
        reported = true;
    }
    return reported;
}

bool drv_sink_step(struct drv *d)
{
    struct drv_sink *k = &d->sink;
    if (k->stuck) {
        k->at = d->now;
        return false;
    }
    bool any = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) any = fill(d, i) || any;
    any = fill_text(d) || any;
    if (k->mute_clock) {
        k->at = d->now;
        return any;
    }
    return move_clock(d) || any;
}

void drv_sink_config(struct drv *d, const struct cad_sink_config *config)
{
    struct drv_sink *k = &d->sink;
    k->configures++;
    k->config = *config;
    if (config->epoch != k->epoch) {
        k->epoch = config->epoch;
        k->media = config->position;
        k->running = k->underrun = k->first_frame = k->drained = false;
    }
    k->rate_q16 = config->rate_q16;
    k->slot[CAD_SLOT_VIDEO].wanted = config->video;
    k->slot[CAD_SLOT_AUDIO].wanted = config->audio;
}

void drv_sink_flush(struct drv *d, uint32_t epoch, cad_time position)
{
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) drv_sink_drop_held(d, i);
    struct drv_sink *k = &d->sink;
    assert_true(epoch > k->epoch || k->flushes == 0);
    k->flushes++;
    k->epoch = epoch;
    k->flush_position = position;
    k->media = position;
    k->at = d->now;
    k->running = k->underrun = k->first_frame = k->drained = false;
    k->words.shown = k->words.has_config = false;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        struct drv_slot *slot = &k->slot[i];
        slot->started = slot->ended = false;
        slot->has_config = false; /* a decoder that was flushed begins anew */
        slot->end = position;
        slot->of_epoch = 0;
    }
}
