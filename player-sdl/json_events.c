#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/jsonw.h"
#include "base/shown.h"
#include "base/str.h"
#include "tell.h"

#define LINE_MAX_BYTES 6144 /* eight probes with names all of controls are below 4 KiB */
#define SHOWN_FACTOR 3                                  /* two bytes become six */
#define SHOWN_MAX_BYTES (SHOWN_FACTOR * LINE_MAX_BYTES)
#define TRACKS_MAX_BYTES (CAD_TRACK_LIST_MAX * 1024)    /* texts of a track are below 300 bytes */

struct line {
    char text[LINE_MAX_BYTES];
    struct cad_sb sb;
    struct cad_jsonw w;
};

cad_time tell_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (cad_time)ts.tv_sec * CAD_SECOND + ts.tv_nsec;
}

cad_time tell_duration(cad_time duration)
{
    return duration > 0 ? duration : CAD_TIME_NONE;
}

static void line_begin(struct line *line, const char *event, cad_time at)
{
    cad_sb_init_fixed(&line->sb, line->text, sizeof(line->text));
    cad_jsonw_init(&line->w, &line->sb);
    cad_jsonw_object(&line->w);
    cad_jsonw_key(&line->w, CAD_STR("t"));
    cad_jsonw_fixed(&line->w, at == CAD_TIME_NONE ? tell_now() : at, 9);
    cad_jsonw_key_string(&line->w, "event", cad_str_from(event));
}

/* Line by line, so that a program which reads along is never behind. */
static void line_end(struct line *line)
{
    char text[SHOWN_MAX_BYTES];
    struct cad_sb shown;
    cad_jsonw_end(&line->w);
    if (cad_jsonw_error(&line->w)) return;
    cad_sb_init_fixed(&shown, text, sizeof(text));
    cad_shown_json(&shown, cad_sb_str(&line->sb));
    fprintf(stdout, "%s\n", cad_sb_z(&shown));
    fflush(stdout);
}

static void put_kbps(struct line *line, const char *key, int64_t rate_bps)
{
    cad_jsonw_key(&line->w, cad_str_from(key));
    cad_jsonw_fixed_trim(&line->w, rate_bps, 3);
}

static void put_error(struct line *line, const struct cad_error *error)
{
    struct cad_jsonw *w = &line->w;
    cad_jsonw_key_string(w, "code", cad_str_from(cad_error_name(error->code)));
    cad_jsonw_key_string(w, "domain", cad_str_from(cad_error_domain_name(error->domain)));
    cad_jsonw_key_string(w, "class", cad_str_from(cad_error_class_name(error->cls)));
    cad_jsonw_key_string(w, "phase", cad_str_from(cad_phase_name(error->phase)));
    cad_jsonw_key_i64(w, "http_status", error->http_status);
    cad_jsonw_key_i64(w, "edge_code", error->edge_code);
    cad_jsonw_key_i64(w, "attempts", error->attempts);
    cad_jsonw_key_string(w, "message", cad_str_from(error->message));
    cad_jsonw_key_bool(w, "fatal", error->cls == CAD_ERROR_FATAL);
}

static const char *slot_name(uint32_t slot)
{
    return slot == CAD_SLOT_TEXT ? "text" : slot == CAD_SLOT_AUDIO ? "audio" : "video";
}

static void put_members(struct line *line, const struct cad_app_event *event, cad_time to)
{
    struct cad_jsonw *w = &line->w;
    switch (event->type) {
    case CAD_APP_LOADED:
        cad_jsonw_key_seconds(w, "duration", tell_duration(event->duration));
        break;
    case CAD_APP_FIRST_FRAME:
    case CAD_APP_STALL_BEGIN: cad_jsonw_key_seconds(w, "position", event->position); break;
    case CAD_APP_STALL_END:
        cad_jsonw_key_seconds(w, "position", event->position);
        cad_jsonw_key_seconds(w, "duration", event->duration);
        break;
    case CAD_APP_SEEK_DONE:
        cad_jsonw_key_seconds(w, "to", to);
        cad_jsonw_key_seconds(w, "position", event->position);
        break;
    case CAD_APP_RUNG:
        cad_jsonw_key_string(w, "track", cad_str_from(slot_name(event->slot)));
        cad_jsonw_key_i64(w, "rung", event->rung);
        put_kbps(line, "kbps", event->rate_bps);
        if (event->slot != CAD_SLOT_VIDEO) break;
        cad_jsonw_key_i64(w, "width", event->width);
        cad_jsonw_key_i64(w, "height", event->height);
        break;
    case CAD_APP_TRACK:
    case CAD_APP_SERVER:
        cad_jsonw_key_string(w, "track", cad_str_from(slot_name(event->slot)));
        cad_jsonw_key_string(w, "id", cad_str_from(event->text));
        break;
    case CAD_APP_KEYS: cad_jsonw_key_string(w, "status", cad_str_from(event->text)); break;
    case CAD_APP_PROBES:
        cad_jsonw_key_string(w, "target", cad_str_from(event->text));
        cad_jsonw_key_seconds(w, "latency", event->duration);
        break;
    case CAD_APP_ERROR: put_error(line, &event->error); break;
    case CAD_APP_PREPARED:
    case CAD_APP_STATE:
    case CAD_APP_TRACKS:
    case CAD_APP_REFRESHED:
    case CAD_APP_ENDED: break;
    }
}

void tell_json_event(const struct cad_app_event *event, cad_time to)
{
    struct line line;
    /* The end is told once, when everything is over; the rest of these the reader does not know. */
    if (event->type == CAD_APP_ENDED || event->type == CAD_APP_STATE) return;
    if (event->type == CAD_APP_REFRESHED || event->type == CAD_APP_TRACKS) return;
    line_begin(&line, cad_app_event_name(event->type), event->at);
    put_members(&line, event, to);
    line_end(&line);
}

void tell_json_error(const struct cad_error *error, cad_time at)
{
    struct line line;
    line_begin(&line, "error", at);
    put_error(&line, error);
    line_end(&line);
}

static void put_track(struct cad_jsonw *w, const struct cad_track_info *track)
{
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "id", cad_str_from(track->id));
    cad_jsonw_key_string(w, "type", cad_str_from(cad_media_type_name(track->type)));
    cad_jsonw_key_string(w, "language", cad_str_from(track->lang));
    cad_jsonw_key_string(w, "label", cad_str_from(track->label));
    cad_jsonw_key_string(w, "role", cad_str_from(track->role));
    cad_jsonw_key_string(w, "codec", cad_str_from(cad_codec_name(track->codec)));
    cad_jsonw_key_i64(w, "channels", track->channels);
    cad_jsonw_key_i64(w, "width", track->width);
    cad_jsonw_key_i64(w, "height", track->height);
    cad_jsonw_key(w, CAD_STR("kbps"));
    cad_jsonw_fixed_trim(w, track->rate_bps, 3);
    cad_jsonw_key_bool(w, "default", track->is_default);
    cad_jsonw_key_bool(w, "playable", track->playable);
    cad_jsonw_key_bool(w, "selected", track->selected);
    cad_jsonw_end(w);
}

/* A list is longer than a line of figures: it has memory of its own. */
void tell_json_tracks(const struct cad_track_info *tracks, uint32_t count, cad_time at)
{
    struct cad_jsonw w;
    struct cad_sb sb;
    struct cad_sb shown;
    char *memory = malloc(TRACKS_MAX_BYTES + SHOWN_FACTOR * TRACKS_MAX_BYTES);
    if (!memory) return;
    cad_sb_init_fixed(&sb, memory, TRACKS_MAX_BYTES);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("t"));
    cad_jsonw_fixed(&w, at == CAD_TIME_NONE ? tell_now() : at, 9);
    cad_jsonw_key_string(&w, "event", CAD_STR("tracks"));
    cad_jsonw_key(&w, CAD_STR("tracks"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < count; i++) put_track(&w, &tracks[i]);
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    if (!cad_jsonw_error(&w)) {
        cad_sb_init_fixed(&shown, memory + TRACKS_MAX_BYTES, SHOWN_FACTOR * TRACKS_MAX_BYTES);
        cad_shown_json(&shown, cad_sb_str(&sb));
        fprintf(stdout, "%s\n", cad_sb_z(&shown));
        fflush(stdout);
    }
    free(memory);
}

void tell_json_rate(uint32_t rate_q16, cad_time at)
{
    struct line line;
    line_begin(&line, "rate", at);
    cad_jsonw_key(&line.w, CAD_STR("rate"));
    cad_jsonw_fixed_trim(&line.w, ((int64_t)rate_q16 * 1000 + 32768) / 65536, 3);
    line_end(&line);
}

static void put_probes(struct cad_jsonw *w, const struct cad_service_stats *services)
{
    cad_jsonw_key(w, CAD_STR("probes"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < services->probe_count && i < CAD_PROBE_FIGURES_MAX; i++) {
        const struct cad_probe_figure *probe = &services->probes[i];
        cad_jsonw_object(w);
        cad_jsonw_key_string(w, "target", cad_str_from(probe->name));
        cad_jsonw_key_seconds(w, "latency", probe->latency);
        cad_jsonw_key_i64(w, "pulses", probe->pulses);
        cad_jsonw_key_i64(w, "ok", probe->ok);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void put_services(struct cad_jsonw *w, const struct cad_service_stats *services)
{
    cad_jsonw_key_bool(w, "protected", services->is_protected);
    cad_jsonw_key(w, CAD_STR("keys"));
    if (services->is_protected) {
        cad_jsonw_string(w, cad_str_from(cad_key_status_name(services->keys)));
    } else {
        cad_jsonw_null(w);
    }
    cad_jsonw_key_i64(w, "licences", services->licences);
    cad_jsonw_key_i64(w, "licences_failed", services->licences_failed);
    cad_jsonw_key_seconds(w, "licence_s",
                          services->licences > 0 ? services->licence_time : CAD_TIME_NONE);
    cad_jsonw_key_string(w, "text_track", cad_str_from(services->text_track));
    put_probes(w, services);
    cad_jsonw_key_i64(w, "events", (int64_t)services->events);
    cad_jsonw_key_i64(w, "events_delivered", (int64_t)services->events_delivered);
    cad_jsonw_key_i64(w, "events_waiting", services->events_waiting);
    cad_jsonw_key_i64(w, "logs", (int64_t)services->logs);
    cad_jsonw_key_i64(w, "logs_dropped", (int64_t)services->logs_dropped);
    cad_jsonw_key_i64(w, "batches_delivered", (int64_t)services->batches_delivered);
}

void tell_json_end(const struct cad_engine_stats *stats, cad_time at)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *shown = video->present ? video : &stats->slot[CAD_SLOT_AUDIO];
    struct line line;
    line_begin(&line, "end", at);
    cad_jsonw_key_seconds(&line.w, "startup_s", stats->startup);
    cad_jsonw_key_i64(&line.w, "stalls", stats->stalls);
    cad_jsonw_key_seconds(&line.w, "stall_s", stats->stall_time);
    if (stats->startup == CAD_TIME_NONE) { /* a mean of nothing */
        cad_jsonw_key(&line.w, CAD_STR("mean_kbps"));
        cad_jsonw_null(&line.w);
    } else {
        put_kbps(&line, "mean_kbps", shown->played_rate_bps);
    }
    cad_jsonw_key_i64(&line.w, "switches", shown->switches);
    cad_jsonw_key_i64(&line.w, "frames", (int64_t)stats->frames);
    cad_jsonw_key_i64(&line.w, "dropped", (int64_t)stats->dropped);
    cad_jsonw_key_seconds(&line.w, "position", stats->position);
    put_services(&line.w, &stats->services);
    line_end(&line);
}
