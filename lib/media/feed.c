#include "media/feed.h"

#include <string.h>

#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"
#include "media/decode_internal.h"
#include "media/shells.h"

/* Owns a frame of compressed sound. */
struct unit {
    struct cad_shell shell; /* first */
    struct cad_stream_config config;
    struct cad_ref *data_ref, *config_ref;
};

/* Positive: neither a frame nor a reason to stop; look again. */
#define FEED_ON 1

void cad_feed_init(struct cad_feed *feed, uint32_t slot, const struct cad_feed_config *config)
{
    memset(feed, 0, sizeof(*feed));
    feed->slot = slot;
    feed->config = *config;
    feed->type = slot == CAD_SLOT_AUDIO ? CAD_MEDIA_AUDIO : CAD_MEDIA_VIDEO;
    feed->end = CAD_TIME_NONE;
}

static void drop_held(struct cad_feed *feed)
{
    if (feed->has_held) cad_ref_unref(&feed->held.ref);
    feed->has_held = false;
}

void cad_feed_deinit(struct cad_feed *feed)
{
    drop_held(feed);
    cad_decoder_close(&feed->decoder);
    cad_ref_unref(&feed->stream_ref);
    cad_shells_destroy(&feed->units);
}

/* Epochs are compared in the manner of sequence numbers: they may wrap. */
static bool older(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

void cad_feed_reset(struct cad_feed *feed, uint32_t epoch)
{
    if (feed->has_held && older(feed->held.epoch, epoch)) drop_held(feed);
    feed->epoch = epoch;
    if (feed->decoder) cad_decoder_flush(feed->decoder);
    feed->reopen = feed->draining = feed->ended = feed->failed = false;
    feed->skipping = feed->skipped_last = false;
    feed->errors = 0;
    feed->end = CAD_TIME_NONE;
}

static int fail(struct cad_feed *feed, enum cad_error_code error, int result, const char *what)
{
    feed->failed = true;
    feed->fail = (struct cad_sink_fail){.slot = feed->slot, .error = error, .edge_code = result};
    cad_str_copyz(feed->fail.message, sizeof(feed->fail.message), cad_str_from(what));
    drop_held(feed);
    return CAD_E_IO;
}

/* One access unit could not be decoded. Some may: a viewer prefers a flaw to the end. */
static int count_error(struct cad_feed *feed, int result)
{
    if (result == CAD_E_NOMEM) {
        return fail(feed, CAD_ERR_OUT_OF_MEMORY, result, "the decoder is out of memory");
    }
    if (result == CAD_E_INVAL) {
        return fail(feed, CAD_ERR_SINK_FAILED, result, "the media has a length but no bytes");
    }
    if (result == CAD_E_UNSUPPORTED) {
        return fail(feed, CAD_ERR_MEDIA_CODEC, result, "the decoded form is not known here");
    }
    if (++feed->errors < CAD_FEED_ERRORS_MAX) return FEED_ON;
    return fail(feed, CAD_ERR_MEDIA_DECODE, result, "too many access units in a row are broken");
}

static int open_decoder(struct cad_feed *feed)
{
    const struct cad_stream_config *config = &feed->held.config;
    cad_decoder_close(&feed->decoder);
    int rc = cad_decoder_open_with(&feed->config.alloc, feed->config.decoder, config,
                                   feed->config.threads, &feed->decoder);
    if (rc == CAD_E_UNSUPPORTED) {
        char text[CAD_ERROR_MESSAGE_SIZE];
        size_t n = cad_str_copyz(text, sizeof(text), CAD_STR("no decoder for "));
        const char *name = config->codecs[0] ? config->codecs : cad_codec_name(config->codec);
        cad_str_copyz(text + n, sizeof(text) - n, cad_str_from(name));
        return fail(feed, CAD_ERR_MEDIA_CODEC, rc, text);
    }
    if (rc == CAD_E_NOMEM) return count_error(feed, rc);
    if (rc < 0) return fail(feed, CAD_ERR_MEDIA_DECODE, rc, "the configuration is broken");
    drop_held(feed);
    return FEED_ON;
}

static bool passes_through(const struct cad_feed *feed, const struct cad_stream_config *config)
{
    if (config->type != CAD_MEDIA_AUDIO || config->codec <= CAD_CODEC_UNKNOWN ||
        config->codec > CAD_CODEC_WEBVTT) {
        return false;
    }
    return (feed->config.passthrough & 1u << config->codec) != 0;
}

/* Begin what the held configuration says; the stream before it has given everything. */
static int open_stream(struct cad_feed *feed)
{
    feed->streams++;
    feed->compressed = passes_through(feed, &feed->held.config);
    cad_ref_unref(&feed->stream_ref);
    if (!feed->compressed) return open_decoder(feed);
    cad_decoder_close(&feed->decoder);
    if (!feed->units) {
        int rc = cad_shells_create(&feed->config.alloc, sizeof(struct unit), NULL, &feed->units);
        if (rc < 0) return count_error(feed, rc);
    }
    feed->stream = feed->held.config;
    feed->stream_ref = feed->held.ref;
    feed->held.ref = NULL;
    feed->has_held = false;
    return FEED_ON;
}

/* The held configuration: go on, or let the old decoder finish and open a new one. */
static int take_config(struct cad_feed *feed)
{
    const struct cad_stream_config *config = &feed->held.config;
    feed->type = config->type;
    feed->rung = config->rung;
    if (feed->config.raw) {
        drop_held(feed);
        return FEED_ON;
    }
    if (feed->decoder && !passes_through(feed, config) &&
        cad_decoder_fits(feed->decoder, config)) {
        cad_decoder_set_rung(feed->decoder, config->rung);
        drop_held(feed);
        return FEED_ON;
    }
    if (!feed->decoder) return open_stream(feed);
    feed->reopen = feed->draining = true;
    int rc = cad_decoder_drain(feed->decoder);
    return rc < 0 && rc != CAD_E_END ? count_error(feed, rc) : FEED_ON;
}

static void note_end(struct cad_feed *feed, cad_time pts, cad_time duration)
{
    cad_time end = cad_add_sat_i64(pts, duration);
    feed->end = feed->end == CAD_TIME_NONE ? end : CAD_MAX(feed->end, end);
}

/*
 * An access unit as a frame. It takes the place in time that its order of decoding has, from the
 * first pts on: so the frames rise, and up to the last one the media is contiguous.
 */
static int take_raw(struct cad_feed *feed, struct cad_frame *out)
{
    const struct cad_sample *sample = &feed->held;
    cad_time decoded = sample->dts == CAD_TIME_NONE ? sample->pts : sample->dts;
    if (feed->end == CAD_TIME_NONE) feed->raw_shift = cad_sub_sat_i64(sample->pts, decoded);
    *out = (struct cad_frame){
        .type = feed->type,
        .epoch = sample->epoch,
        .pts = cad_add_sat_i64(decoded, feed->raw_shift),
        .duration = CAD_MAX(sample->duration, 0),
        .decode_only = (sample->flags & CAD_SAMPLE_DECODE_ONLY) != 0,
        .rung = feed->rung,
    };
    note_end(feed, out->pts, out->duration);
    drop_held(feed);
    return 0;
}

static void release_unit(void *of_frame)
{
    struct unit *unit = of_frame;
    cad_ref_unref(&unit->data_ref);
    cad_ref_unref(&unit->config_ref);
    cad_shells_put(unit);
}

/* An access unit with its bytes, which stay where they are. */
static int take_unit(struct cad_feed *feed, struct cad_frame *out)
{
    struct cad_sample *sample = &feed->held;
    bool broken = sample->size == 0 || !sample->data;
    if (broken || sample->flags & CAD_SAMPLE_HOLE) {
        int rc = sample->flags & CAD_SAMPLE_HOLE ? CAD_E_INVAL : CAD_E_DATA;
        drop_held(feed);
        return count_error(feed, rc);
    }
    struct unit *unit = cad_shells_get(feed->units);
    if (!unit) return count_error(feed, CAD_E_NOMEM);
    unit->config = feed->stream;
    unit->config_ref = feed->stream_ref ? cad_ref_ref(feed->stream_ref) : NULL;
    unit->data_ref = sample->ref;
    *out = (struct cad_frame){
        .type = CAD_MEDIA_AUDIO,
        .epoch = sample->epoch,
        .pts = sample->pts,
        .duration = CAD_MAX(sample->duration, 0),
        .decode_only = (sample->flags & CAD_SAMPLE_DECODE_ONLY) != 0,
        .rung = feed->rung,
        .channels = feed->stream.channels,
        .sample_rate_hz = feed->stream.sample_rate_hz,
        .codec = feed->stream.codec,
        .data = sample->data,
        .size = sample->size,
        .config = &unit->config,
        .owner = unit,
        .release = release_unit,
    };
    feed->has_held = false;
    feed->errors = 0;
    note_end(feed, out->pts, out->duration);
    return 0;
}

static int receive(struct cad_feed *feed, struct cad_frame *out)
{
    int rc = cad_decoder_receive(feed->decoder, out);
    if (rc < 0) return rc;
    feed->errors = 0;
    feed->skipped_last = false;
    note_end(feed, out->pts, out->duration);
    return 0;
}

void cad_feed_skip(struct cad_feed *feed, cad_time to)
{
    if (feed->config.raw || !feed->decoder || feed->failed || feed->ended) return;
    if (feed->skipping || feed->skipped_last || feed->draining) return;
    feed->skipping = feed->skipped_last = true;
    feed->skip_to = to;
    feed->skipped += cad_decoder_pending(feed->decoder);
    cad_decoder_flush(feed->decoder);
}

/* True: the held access unit was dropped because it comes before the sync sample waited for. */
static bool skip_held(struct cad_feed *feed)
{
    const struct cad_sample *sample = &feed->held;
    if (!feed->skipping) return false;
    if (sample->flags & CAD_SAMPLE_SYNC && sample->pts >= feed->skip_to) {
        feed->skipping = false;
        return false;
    }
    if (!(sample->flags & CAD_SAMPLE_DECODE_ONLY)) feed->skipped++;
    note_end(feed, sample->pts, CAD_MAX(sample->duration, 0));
    drop_held(feed);
    return true;
}

static int take_sample(struct cad_feed *feed, struct cad_frame *out)
{
    if (feed->config.raw) return take_raw(feed, out);
    if (feed->compressed) return take_unit(feed, out);
    if (skip_held(feed)) return FEED_ON;
    if (!feed->decoder) {
        drop_held(feed);
        return count_error(feed, CAD_E_DATA);
    }
    int rc = cad_decoder_send(feed->decoder, &feed->held);
    if (rc == CAD_E_AGAIN) {
        rc = receive(feed, out);
        if (rc == 0) return 0;
        if (rc != CAD_E_AGAIN) return count_error(feed, rc);
        /* It gave nothing, but looking may have made room. */
        rc = cad_decoder_send(feed->decoder, &feed->held);
    }
    drop_held(feed);
    return rc == 0 ? FEED_ON : count_error(feed, rc);
}

static int take_rest(struct cad_feed *feed, struct cad_frame *out)
{
    int rc = receive(feed, out);
    if (rc == 0) return 0;
    if (rc != CAD_E_END && rc != CAD_E_AGAIN) {
        rc = count_error(feed, rc);
        if (rc < 0) return rc;
        return FEED_ON;
    }
    feed->draining = false;
    if (feed->reopen) {
        feed->reopen = false;
        return open_stream(feed);
    }
    feed->ended = true;
    return CAD_E_END;
}

/* The source has nothing now: what the decoder still has is welcome. */
static int take_idle(struct cad_feed *feed, struct cad_frame *out)
{
    if (feed->config.raw || !feed->decoder) return CAD_E_AGAIN;
    int rc = receive(feed, out);
    if (rc == 0 || rc == CAD_E_AGAIN || rc == CAD_E_END) return rc == 0 ? 0 : CAD_E_AGAIN;
    return count_error(feed, rc);
}

static int take_source_end(struct cad_feed *feed)
{
    if (feed->config.raw || !feed->decoder) {
        feed->ended = true;
        return CAD_E_END;
    }
    feed->draining = true;
    int rc = cad_decoder_drain(feed->decoder);
    return rc < 0 && rc != CAD_E_END ? count_error(feed, rc) : FEED_ON;
}

static int turn(struct cad_feed *feed, const struct cad_sink_source *source, uint32_t *work,
                struct cad_frame *out)
{
    if (feed->failed) return CAD_E_IO;
    if (feed->ended) return CAD_E_END;
    if (feed->draining) return take_rest(feed, out);
    if (!feed->has_held) {
        if (*work == 0) return CAD_E_LIMIT;
        memset(&feed->held, 0, sizeof(feed->held));
        int rc = source->pull(source->ctx, feed->slot, &feed->held);
        if (rc == CAD_E_AGAIN) return take_idle(feed, out);
        if (rc == CAD_E_END) return take_source_end(feed);
        if (rc != 0 && rc != CAD_E_CONFIG) {
            return fail(feed, CAD_ERR_SINK_FAILED, rc, "the source of samples failed");
        }
        (*work)--;
        feed->has_held = true;
        feed->held_result = rc;
    }
    if (older(feed->held.epoch, feed->epoch)) {
        drop_held(feed);
        return FEED_ON;
    }
    /* Of an epoch whose flush has not come yet: it is kept until then. */
    if (feed->held.epoch != feed->epoch) return CAD_E_AGAIN;
    return feed->held_result == CAD_E_CONFIG ? take_config(feed) : take_sample(feed, out);
}

int cad_feed_next(struct cad_feed *feed, const struct cad_sink_source *source, uint32_t *work,
                  struct cad_frame *out)
{
    for (;;) {
        int rc = turn(feed, source, work, out);
        if (rc != FEED_ON) return rc;
    }
}
