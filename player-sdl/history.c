#include "history.h"

#include <string.h>

#include "base/util.h"

void history_init(struct history *history)
{
    memset(history, 0, sizeof(*history));
    history->at = CAD_TIME_NONE;
}

static void push(struct history *history, const struct history_entry *entry)
{
    history->entries[history->next] = *entry;
    history->next = (history->next + 1) % HISTORY_COUNT;
    history->count = CAD_MIN(history->count + 1, (uint32_t)HISTORY_COUNT);
}

bool history_add(struct history *history, const struct cad_engine_stats *stats, cad_time now)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *audio = &stats->slot[CAD_SLOT_AUDIO];
    if (history->at != CAD_TIME_NONE && now - history->at < HISTORY_PERIOD) return false;
    cad_time ahead = 0;
    if (video->present && audio->present) {
        ahead = CAD_MIN(video->ahead, audio->ahead);
    } else if (video->present || audio->present) {
        ahead = video->present ? video->ahead : audio->ahead;
    }
    struct history_entry entry = {
        .buffer_ms = (int32_t)(CAD_MAX(ahead, 0) / CAD_MS),
        .throughput_bps = stats->estimate_bps,
        .rate_bps = (video->present ? video->rate_bps : 0) +
                    (audio->present ? audio->rate_bps : 0),
        .stalled = stats->state == CAD_STATE_BUFFERING};
    cad_time missed = history->at == CAD_TIME_NONE ? 0 : (now - history->at) / HISTORY_PERIOD - 1;
    missed = CAD_MIN(missed, HISTORY_COUNT);
    for (; missed > 0; missed--) {
        struct history_entry last = *history_entry(history, history->count - 1);
        push(history, &last);
    }
    push(history, &entry);
    history->at = now;
    return true;
}

const struct history_entry *history_entry(const struct history *history, uint32_t index)
{
    uint32_t oldest = (history->next + HISTORY_COUNT - history->count) % HISTORY_COUNT;
    return &history->entries[(oldest + index) % HISTORY_COUNT];
}
