#include "model.h"

#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"

#define NOTHING_CAME (3 * CAD_SECOND) /* so long without a byte is worth a word */
#define TRANSFER_HLG 18               /* ISO/IEC 23091-2 8.2 */

static void fill_times(struct ui_model *model, const struct session *session,
                       const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *audio = &stats->slot[CAD_SLOT_AUDIO];
    model->duration = stats->duration > 0 ? stats->duration : CAD_TIME_NONE;
    model->position = session_position(session, stats);
    model->buffered = CAD_TIME_NONE;
    if (session->seek_last != 0 || stats->position == CAD_TIME_NONE) return;
    cad_time ahead = video->present ? video->ahead : audio->ahead;
    if (video->present && audio->present) ahead = CAD_MIN(video->ahead, audio->ahead);
    if (video->present || audio->present) {
        model->buffered = cad_time_add(stats->position, CAD_MAX(ahead, 0));
    }
}

/* Where it stalled, and where it is to stop. */
static void fill_markers(struct ui_model *model, const struct session *session)
{
    model->marker_count = 0;
    for (uint32_t i = 0; i < session->stall_count && i < UI_MARKERS_MAX - 1; i++) {
        model->markers[model->marker_count++] = session->stalls[i];
    }
    if (session->args->until != CAD_TIME_NONE) {
        model->markers[model->marker_count++] = session->args->until;
    }
}

/* What the figures say of the rung that is fetched is newer than the list. */
static void fill_rungs(struct ui_model *model, const struct session *session,
                       const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    uint32_t count = video->present ? CAD_MIN(video->rung_count, (uint32_t)UI_RUNGS_MAX) : 0;
    if (count != model->rung_count) memset(model->rungs, 0, sizeof(model->rungs));
    for (uint32_t i = 0; i < session->rung_count && i < count; i++) {
        const struct cad_rung_info *rung = &session->rungs[i];
        model->rungs[i] = (struct ui_rung){rung->width, rung->height, rung->rate_bps};
    }
    model->rung_count = count;
    model->rung_now = CAD_MIN(video->rung, (uint32_t)UI_RUNGS_MAX - 1);
    model->rung_pinned = CAD_MIN(session->rung, (int32_t)count - 1);
    if (count == 0 || video->rung >= count) return;
    model->rungs[video->rung] =
        (struct ui_rung){video->width, video->height, video->rate_bps};
}

void model_fill(struct ui_model *model, const struct session *session,
                const struct cad_engine_stats *stats, cad_time now)
{
    model->state = stats->state;
    model->paused = session->paused;
    model->speed_q16 = session->speed_q16;
    model->tracks = session->tracks;
    model->track_count = session->track_count;
    model->failed = session->failed;
    model->error = session->error;
    fill_times(model, session, stats);
    fill_markers(model, session);
    fill_rungs(model, session, stats);
    model->network_lost =
        session->bytes_at != CAD_TIME_NONE && now - session->bytes_at >= NOTHING_CAME;
}

void model_note(uint32_t steps, const struct cad_color *color, char *out, size_t size)
{
    if (steps & CAD_CONVERT_HDR) {
        snprintf(out, size, "%s \xe2\x86\x92 shown as SDR",
                 color->transfer == TRANSFER_HLG ? "HDR (HLG)"
                 : color->has_mastering          ? "HDR10"
                                                 : "HDR (PQ)");
    } else if (steps & CAD_CONVERT_GAMUT) {
        snprintf(out, size, "Wide colours \xe2\x86\x92 shown as BT.709");
    } else if (steps & CAD_CONVERT_DEPTH) {
        snprintf(out, size, "10 bit \xe2\x86\x92 shown as 8 bit");
    } else {
        snprintf(out, size, "%s", "");
    }
}

void model_name(const struct play_args *args, char *out, size_t size)
{
    cad_str name = cad_str_from(args->title ? args->title : args->target);
    if (!args->title) {
        for (const char *stop = "?#"; *stop; stop++) {
            ptrdiff_t end = cad_str_find_char(name, *stop);
            if (end >= 0) name = cad_str_sub(name, 0, (size_t)end);
        }
        ptrdiff_t slash = cad_str_rfind_char(name, '/');
        if (slash >= 0 && (size_t)slash + 1 < name.n) {
            name = cad_str_sub(name, (size_t)slash + 1, name.n);
        }
    }
    cad_shown_copyz(out, size, name);
}
