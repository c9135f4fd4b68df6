#include <string.h>

#include "base/util.h"
#include "drive/clock.h"
#include "drive/player_impl.h"

/* 0: the item can go out; CAD_E_AGAIN: it waits for its key; CAD_E_DATA: it was released. */
static int unlock(struct cad_player *player, uint32_t slot, struct cad_spsc_item *item)
{
    if (item->result != 0) return 0;
    int rc = cad_unlock_sample(player->unlock, slot, &item->sample);
    struct cad_sink_report report = {.has_fail = true};
    if (cad_unlock_take_fail(player->unlock, &report.fail)) {
        cad_mailbox_report(&player->mailbox, &report);
        cad_loop_wake(&player->loop);
    }
    if (rc == CAD_E_AGAIN) player->sink.locked = true;
    return rc;
}

int cad_player_pull(struct cad_player *player, uint32_t slot, struct cad_sample *out)
{
    if (!player || !out || slot >= CAD_ENGINE_SLOTS) return CAD_E_INVAL;
    struct cad_spsc *ring = &player->rings[slot];
    const struct cad_spsc_item *next;
    while ((next = cad_spsc_peek(ring)) != NULL) {
        /* Epochs rise and may wrap: only their distance counts. */
        int32_t ahead = (int32_t)(next->sample.epoch - player->sink.epoch);
        if (ahead > 0) return CAD_E_AGAIN; /* its flush comes first, with the next step */
        struct cad_spsc_item item = *next;
        int locked = ahead < 0 ? 0 : unlock(player, slot, &item);
        if (locked == CAD_E_AGAIN) return CAD_E_AGAIN; /* it stays, and all behind it */
        if (cad_spsc_pop(ring)) cad_loop_wake(&player->loop);
        if (ahead < 0) cad_sample_release(&item.sample);
        if (ahead < 0 || locked) continue;
        player->sink.ended[slot] = item.result == CAD_E_END;
        if (item.result == CAD_E_END) break;
        *out = item.sample;
        return item.result;
    }
    return player->sink.ended[slot] ? CAD_E_END : CAD_E_AGAIN;
}

static int source_pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    return cad_player_pull(ctx, slot, out);
}

static void reach_epoch(struct cad_player *player, uint32_t epoch)
{
    if ((int32_t)(epoch - player->sink.epoch) <= 0) return;
    player->sink.epoch = epoch;
    memset(player->sink.ended, 0, sizeof player->sink.ended);
}

static void configure(struct cad_player *player, const struct cad_sink_config *config, cad_time now)
{
    struct cad_sink *sink = player->sink.sink;
    player->sink.config = *config;
    player->sink.has_config = true;
    sink->ops->configure(sink, config, now);
    reach_epoch(player, config->epoch);
}

static void flush(struct cad_player *player, const struct cad_orders *orders, cad_time now)
{
    struct cad_sink *sink = player->sink.sink;
    sink->ops->flush(sink, orders->flush_epoch, orders->flush_position, now);
    reach_epoch(player, orders->flush_epoch);
}

/* A sink that was not stepped before: what it can do goes up, what is wanted of it comes down. */
static void meet(struct cad_player *player, struct cad_sink *sink, cad_time now)
{
    struct cad_sink_caps caps;
    memset(&caps, 0, sizeof caps);
    sink->source = (struct cad_sink_source){source_pull, player};
    sink->ops->caps(sink, &caps);
    player->sink.sink = sink;
    cad_mailbox_caps(&player->mailbox, &caps);
    cad_loop_wake(&player->loop);
    if (!player->sink.has_config) return;
    struct cad_sink_config config = player->sink.config;
    sink->ops->flush(sink, config.epoch, config.position, now);
    configure(player, &config, now);
}

cad_time cad_player_sink_step(struct cad_player *player, struct cad_sink *sink)
{
    if (!player || !sink) return CAD_TIME_NONE;
    cad_time now = cad_clock_now();
    if (player->sink.sink != sink) meet(player, sink, now);
    struct cad_orders orders;
    cad_orderbox_take(&player->orderbox, &orders);
    if (orders.has_flush && orders.flush_first) flush(player, &orders, now);
    if (orders.has_config) configure(player, &orders.config, now);
    if (orders.has_flush && !orders.flush_first) flush(player, &orders, now);
    player->sink.locked = false;
    cad_time wake = sink->ops->step(sink, now);
    /* KEYS wakes this thread; memory and CDMs that are busy say nothing when they have room. */
    if (player->sink.locked) {
        wake = cad_time_earlier(wake, cad_time_add(now, PLAYER_LOCKED_LOOK));
    }
    struct cad_sink_report report;
    memset(&report, 0, sizeof report);
    sink->ops->report(sink, now, &report);
    if (report.has_anchor || report.has_level || report.has_fail) {
        cad_mailbox_report(&player->mailbox, &report);
        cad_loop_wake(&player->loop);
    }
    return wake;
}

void cad_player_wait_sink(struct cad_player *player, cad_time until)
{
    if (player) cad_orderbox_wait(&player->orderbox, until);
}
