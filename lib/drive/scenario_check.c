/*
 * scenario_check.c - holds what is, and what happened, against the expectations of a scenario.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario_play.h"

#define SEEN_SIZE CAD_SCENARIO_SEEN_SIZE
#define SECONDS_SIZE 32
#define END_SLACK (100 * CAD_MS)         /* of the title's end: all is buffered */

/* One look at one expectation. */
struct look {
    struct cad_scenario_play *play;
    struct cad_scenario_expect *e;
    cad_time at;
};

static void print_seconds(char *out, size_t cap, cad_time t)
{
    if (t == CAD_TIME_NONE) {
        (void)snprintf(out, cap, "nothing");
        return;
    }
    (void)snprintf(out, cap, "%lld.%03lld", (long long)(t / CAD_SECOND),
                   (long long)(t % CAD_SECOND / CAD_MS));
}

/* The first failure of all is the one that is described. */
static void describe(const struct look *l, const char *seen)
{
    struct cad_scenario_result *out = l->play->result;
    const struct cad_scenario_expect *e = l->e;
    if (out->line != 0) return;
    out->line = e->line;
    char value[SEEN_SIZE] = "";
    char at[SECONDS_SIZE];
    print_seconds(at, sizeof(at), l->at);
    if (e->text.n > 0) {
        (void)snprintf(value, sizeof(value), " %.*s", (int)CAD_MIN(e->text.n, (size_t)60),
                       e->text.p);
    } else if (cad_scenario_subject_is_time(e->subject)) {
        char seconds[SECONDS_SIZE];
        print_seconds(seconds, sizeof(seconds), e->value);
        (void)snprintf(value, sizeof(value), " %s %s", cad_scenario_op_name(e->op), seconds);
    } else if (e->subject < CAD_SUBJECT_EVENT) {
        (void)snprintf(value, sizeof(value), " %s %lld", cad_scenario_op_name(e->op),
                       (long long)e->value);
    }
    (void)snprintf(out->message, sizeof(out->message), "line %u, at %s s: expected %s%s, saw %s",
                   (unsigned)e->line, at, cad_scenario_subject_name(e->subject), value, seen);
}

/* What a look saw: kept of the last one, or of the first that failed. */
static void saw(const struct look *l, bool held, const char *seen)
{
    struct cad_scenario_expect *e = l->e;
    e->looks++;
    if (e->failed) return;
    e->seen_at = l->at;
    (void)snprintf(e->seen, sizeof(e->seen), "%s", seen);
    if (held) return;
    e->failed = true;
    l->play->result->failed++;
    describe(l, seen);
}

static bool holds(enum cad_scenario_op op, int64_t seen, int64_t value)
{
    switch (op) {
    case CAD_OP_EQ: return seen == value;
    case CAD_OP_GE: return seen >= value;
    case CAD_OP_LE: return seen <= value;
    case CAD_OP_GT: return seen > value;
    case CAD_OP_LT: return seen < value;
    }
    return false;
}

/* ---- what is now --------------------------------------------------------------------------- */

/* Media in front of the viewer on the slot that has least of it. */
static cad_time buffer_of(const struct cad_engine_stats *stats)
{
    cad_time least = CAD_TIME_MAX;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        if (stats->slot[i].present) least = CAD_MIN(least, stats->slot[i].ahead);
    }
    return least == CAD_TIME_MAX ? 0 : least;
}

static int64_t value_of(const struct cad_scenario_play *play, enum cad_scenario_subject subject,
                        const struct cad_engine_stats *stats)
{
    switch (subject) {
    case CAD_SUBJECT_BUFFER: return buffer_of(stats);
    case CAD_SUBJECT_POSITION: return stats->position;
    case CAD_SUBJECT_RUNG: return play->rung;
    case CAD_SUBJECT_STALLS: return stats->stalls;
    case CAD_SUBJECT_STALL_TIME: return stats->stall_time;
    case CAD_SUBJECT_REFRESHES: return stats->refreshes;
    case CAD_SUBJECT_SWITCHES: return stats->slot[CAD_SLOT_VIDEO].switches;
    case CAD_SUBJECT_STARTUP: return stats->startup;
    case CAD_SUBJECT_DROPPED: return (int64_t)stats->dropped;
    case CAD_SUBJECT_TWICE: return (int64_t)stats->bytes_twice;
    case CAD_SUBJECT_LICENCES: return stats->services.licences;
    case CAD_SUBJECT_EVENTS: return (int64_t)stats->services.events;
    case CAD_SUBJECT_DELIVERED: return (int64_t)stats->services.events_delivered;
    case CAD_SUBJECT_WAITING: return stats->services.events_waiting;
    case CAD_SUBJECT_PROBES: return stats->services.probe_count;
    default: return 0;
    }
}

/* No buffer can be longer than what is left of the title. */
static bool is_all(const struct look *l, const struct cad_engine_stats *stats, int64_t value)
{
    if (l->e->subject != CAD_SUBJECT_BUFFER || l->e->op != CAD_OP_GE) return false;
    cad_time end = l->play->duration > 0 ? l->play->duration : stats->duration;
    if (end == CAD_TIME_NONE || end <= 0) return false;
    return stats->position + value >= end - END_SLACK;
}

static void check_value(const struct look *l, const struct cad_engine_stats *stats)
{
    struct cad_scenario_expect *e = l->e;
    char seen[SEEN_SIZE];
    int64_t value = value_of(l->play, e->subject, stats);
    if (e->subject == CAD_SUBJECT_STARTUP && value == CAD_TIME_NONE) {
        saw(l, false, "no first picture");
        return;
    }
    if (cad_scenario_subject_is_time(e->subject)) {
        print_seconds(seen, sizeof(seen), value);
    } else {
        (void)snprintf(seen, sizeof(seen), "%lld", (long long)value);
    }
    saw(l, holds(e->op, value, e->value) || is_all(l, stats, value), seen);
}

/* Is it the track that is meant? Of text: the one that is shown, else the selected one. */
static bool is_it(const struct look *l, const struct cad_track_info *track, const char *shown)
{
    if (l->e->subject == CAD_SUBJECT_TEXT) {
        return track->type == CAD_MEDIA_TEXT && cad_str_eqz(cad_str_from(track->id), shown);
    }
    return track->type == l->e->media && track->selected;
}

/* The selected track of a type, or the text that is shown, is the one of that name. */
static void check_track(const struct look *l, const char *shown)
{
    const struct cad_scenario_backend *b = l->play->backend;
    struct cad_track_info *tracks =
        cad_alloc_array(l->play->alloc, CAD_TRACK_LIST_MAX, sizeof(*tracks), CAD_MEM_OTHER);
    if (!tracks) {
        l->play->error = CAD_E_NOMEM;
        return;
    }
    uint32_t count = CAD_MIN(b->tracks(b->ctx, tracks, CAD_TRACK_LIST_MAX), CAD_TRACK_LIST_MAX);
    const struct cad_track_info *selected = NULL;
    for (uint32_t i = 0; i < count && !selected; i++) {
        if (is_it(l, &tracks[i], shown)) selected = &tracks[i];
    }
    bool off = cad_str_eqz(l->e->text, "off");
    saw(l, selected ? cad_scenario_track_is(selected, l->e->text) : off,
        selected ? selected->id : "no track");
    cad_alloc_free(l->play->alloc, tracks, CAD_TRACK_LIST_MAX * sizeof(*tracks), CAD_MEM_OTHER);
}

void cad_scenario_check_now(struct cad_scenario_play *play, struct cad_scenario_expect *e,
                            cad_time at)
{
    const struct look look = {play, e, at};
    struct cad_engine_stats stats;
    play->backend->stats(play->backend->ctx, &stats);
    if (e->subject == CAD_SUBJECT_STATE) {
        const char *state = cad_state_name(stats.state);
        saw(&look, cad_str_eqz(e->text, state), state);
    } else if (e->subject == CAD_SUBJECT_TRACK) {
        check_track(&look, "");
    } else if (e->subject == CAD_SUBJECT_TEXT) {
        check_track(&look, stats.services.text_track);
    } else if (e->subject == CAD_SUBJECT_KEYS) {
        const char *keys = cad_key_status_name(stats.services.keys);
        saw(&look, cad_str_eqz(e->text, keys), keys);
    } else {
        check_value(&look, &stats);
    }
}

/* ---- what happened ------------------------------------------------------------------------- */

static bool note_is(const struct cad_scenario_note *n, cad_str name)
{
    if (cad_str_eqz(name, cad_app_event_name(n->type))) return true;
    return n->type == CAD_APP_STATE && cad_str_eqz(name, cad_state_name(n->state));
}

/* "rung >= N from A to B": the one shown at A, and each that comes up to B. */
static void check_rungs(const struct look *l)
{
    const struct cad_scenario_note *first = NULL;
    const struct cad_scenario_expect *e = l->e;
    char seen[SEEN_SIZE], at[SECONDS_SIZE];
    for (uint32_t i = 0; i < l->play->note_count; i++) {
        const struct cad_scenario_note *n = &l->play->notes[i];
        if (n->type != CAD_APP_RUNG || n->at > e->to) continue;
        if (n->at <= e->from) {
            first = n;
            continue;
        }
        if (holds(e->op, n->rung, e->value)) continue;
        print_seconds(at, sizeof(at), n->at);
        (void)snprintf(seen, sizeof(seen), "%u at %s s", (unsigned)n->rung, at);
        saw(l, false, seen);
        return;
    }
    if (!first) {
        saw(l, false, "no rung yet at the span's beginning");
        return;
    }
    (void)snprintf(seen, sizeof(seen), "%u at its beginning", (unsigned)first->rung);
    saw(l, holds(e->op, first->rung, e->value), seen);
}

static void check_event(const struct look *l)
{
    const struct cad_scenario_note *other = NULL;
    const struct cad_scenario_expect *e = l->e;
    bool held = false;
    for (uint32_t i = 0; i < l->play->note_count && !held; i++) {
        const struct cad_scenario_note *n = &l->play->notes[i];
        if (!note_is(n, e->text)) continue;
        held = n->at >= e->from && n->at <= e->to;
        if (held || !other || n->at <= e->to) other = n;
    }
    char seen[SEEN_SIZE] = "none";
    if (other) print_seconds(seen, sizeof(seen), other->at);
    saw(l, held, seen);
}

static void check_absence(const struct look *l)
{
    const struct cad_scenario_expect *e = l->e;
    cad_time from = e->from == CAD_TIME_NONE ? 0 : e->from;
    bool stall = e->subject == CAD_SUBJECT_NO_STALL;
    for (uint32_t i = 0; i < l->play->note_count; i++) {
        const struct cad_scenario_note *n = &l->play->notes[i];
        if (n->type != (stall ? CAD_APP_STALL_BEGIN : CAD_APP_ERROR) || n->at < from) continue;
        char seen[SEEN_SIZE], at[SECONDS_SIZE];
        print_seconds(at, sizeof(at), n->at);
        (void)snprintf(seen, sizeof(seen), "%s at %s s",
                       stall ? "a stall" : cad_error_name(n->error), at);
        saw(l, false, seen);
        return;
    }
    saw(l, true, "none");
}

static void check_requests(const struct look *l)
{
    for (uint32_t i = 0; i < l->play->start_count; i++) {
        cad_time start = l->play->starts[i];
        if (start < l->e->from || start > l->e->to) continue;
        char seen[SEEN_SIZE], at[SECONDS_SIZE];
        print_seconds(at, sizeof(at), start);
        (void)snprintf(seen, sizeof(seen), "one at %s s", at);
        saw(l, false, seen);
        return;
    }
    saw(l, true, "none");
}

static void check_failed(const struct look *l)
{
    const char *seen = "no fatal error";
    bool held = false;
    for (uint32_t i = 0; i < l->play->note_count && !held; i++) {
        const struct cad_scenario_note *n = &l->play->notes[i];
        if (n->type != CAD_APP_ERROR || n->error_class != CAD_ERROR_FATAL) continue;
        seen = cad_error_name(n->error);
        held = l->e->text.n == 0 || cad_str_eqz(l->e->text, seen);
    }
    saw(l, held, seen);
}

static void check_ended(const struct look *l)
{
    struct cad_engine_stats stats;
    l->play->backend->stats(l->play->backend->ctx, &stats);
    saw(l, stats.state == CAD_STATE_ENDED, cad_state_name(stats.state));
}

void cad_scenario_check_end(struct cad_scenario_play *play, struct cad_scenario_expect *e,
                            cad_time at)
{
    const struct look look = {play, e, at};
    switch (e->subject) {
    case CAD_SUBJECT_EVENT: check_event(&look); break;
    case CAD_SUBJECT_NO_STALL:
    case CAD_SUBJECT_NO_ERROR: check_absence(&look); break;
    case CAD_SUBJECT_NO_REQUEST: check_requests(&look); break;
    case CAD_SUBJECT_ENDED: check_ended(&look); break;
    case CAD_SUBJECT_FAILED: check_failed(&look); break;
    default:
        if (e->from != CAD_TIME_NONE) {
            check_rungs(&look);
        } else {
            cad_scenario_check_now(play, e, at);
        }
        break;
    }
}
