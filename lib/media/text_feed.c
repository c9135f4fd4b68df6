#include "media/text_feed.h"

#include <string.h>

void cad_text_feed_init(struct cad_text_feed *feed, cad_text_fn fn, void *ctx)
{
    memset(feed, 0, sizeof(*feed));
    feed->fn = fn;
    feed->ctx = ctx;
}

static void drop_held(struct cad_text_feed *feed)
{
    if (feed->has_held) cad_ref_unref(&feed->held.ref);
    feed->has_held = false;
}

void cad_text_feed_deinit(struct cad_text_feed *feed)
{
    drop_held(feed);
}

/* Epochs are compared in the manner of sequence numbers: they may wrap. */
static bool older(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

static void show_nothing(struct cad_text_feed *feed)
{
    struct cad_sample none;
    if (!feed->shown) return;
    feed->shown = false;
    memset(&none, 0, sizeof(none));
    none.epoch = feed->epoch;
    none.config.type = CAD_MEDIA_TEXT;
    feed->fn(feed->ctx, &none);
}

void cad_text_feed_reset(struct cad_text_feed *feed, uint32_t epoch)
{
    if (feed->has_held && older(feed->held.epoch, epoch)) drop_held(feed);
    feed->epoch = epoch;
    show_nothing(feed);
}

/* What is held is of this epoch; it is used up. */
static void take(struct cad_text_feed *feed)
{
    struct cad_sample *sample = &feed->held;
    if (feed->held_result == CAD_E_CONFIG) {
        feed->config = sample->config;
        feed->config.extra = (cad_buf){NULL, 0};
        show_nothing(feed); /* what was shown is of another track, or of another time */
    } else if (sample->size > 0 && sample->data && !(sample->flags & CAD_SAMPLE_HOLE)) {
        sample->config = feed->config;
        feed->shown = true;
        feed->fn(feed->ctx, sample);
    }
    drop_held(feed);
}

bool cad_text_feed_step(struct cad_text_feed *feed, const struct cad_sink_source *source)
{
    if (!feed->fn) return false;
    for (uint32_t i = 0; i < CAD_TEXT_FEED_WORK; i++) {
        if (!feed->has_held) {
            memset(&feed->held, 0, sizeof(feed->held));
            int rc = source->pull(source->ctx, CAD_SLOT_TEXT, &feed->held);
            if (rc != 0 && rc != CAD_E_CONFIG) return false;
            feed->held_result = rc;
            feed->has_held = true;
        }
        if (older(feed->held.epoch, feed->epoch)) {
            drop_held(feed);
        } else if (feed->held.epoch == feed->epoch) {
            take(feed);
        } else {
            return false; /* until its flush comes */
        }
    }
    return true;
}
