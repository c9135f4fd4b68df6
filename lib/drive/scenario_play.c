#include "drive/scenario_play.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario_stage.h"

#define NOTES_MAX (1u << 20)     /* events or requests that are remembered */

/* ---- what happened ------------------------------------------------------------------------- */

/* Room for one more element; what was there is kept. False: play->error says why. */
static bool grow(struct cad_scenario_play *play, void **p, uint32_t *cap, uint32_t count,
                 size_t size)
{
    if (count < *cap) return true;
    if (*cap >= NOTES_MAX) {
        play->error = CAD_E_LIMIT;
        return false;
    }
    uint32_t more = *cap ? *cap * 2 : 256;
    void *q = cad_alloc_resize(play->alloc, *p, *cap * size, more * size, CAD_MEM_OTHER);
    if (!q) {
        play->error = CAD_E_NOMEM;
        return false;
    }
    *p = q;
    *cap = more;
    return true;
}

void cad_scenario_play_request(struct cad_scenario_play *play, cad_time start)
{
    void *p = play->starts;
    if (!grow(play, &p, &play->start_cap, play->start_count, sizeof(*play->starts))) return;
    play->starts = p;
    play->starts[play->start_count++] = start;
}

static void take_event(struct cad_scenario_play *play, const struct cad_app_event *e)
{
    if (e->type == CAD_APP_RUNG && e->slot != CAD_SLOT_VIDEO) return;
    if (e->type == CAD_APP_RUNG) play->rung = (int32_t)e->rung;
    void *p = play->notes;
    if (!grow(play, &p, &play->note_cap, play->note_count, sizeof(*play->notes))) return;
    play->notes = p;
    play->notes[play->note_count++] = (struct cad_scenario_note){
        .at = e->at, .type = e->type, .state = e->state, .rung = e->rung, .error = e->error.code,
        .error_class = e->error.cls};
}

/* ---- the script ---------------------------------------------------------------------------- */

static int command(struct cad_scenario_play *play, enum cad_command_type type, cad_time position)
{
    struct cad_command c = {.type = type, .position = position, .rung = -1};
    c.title.start = CAD_TIME_NONE;
    return play->backend->command(play->backend->ctx, &c);
}

/* A name that no track has goes to the engine as it is: it says so by its own error. */
static int select_track(struct cad_scenario_play *play, enum cad_media_type type, cad_str name)
{
    struct cad_command c = {.type = CAD_COMMAND_TRACK, .rung = -1};
    c.title.start = CAD_TIME_NONE;
    if (type == CAD_MEDIA_TEXT && cad_str_eqz(name, "off")) {
        return play->backend->command(play->backend->ctx, &c);
    }
    cad_str_copyz(c.track, sizeof(c.track), name);
    struct cad_track_info *tracks =
        cad_alloc_array(play->alloc, CAD_TRACK_LIST_MAX, sizeof(*tracks), CAD_MEM_OTHER);
    if (!tracks) return CAD_E_NOMEM;
    const struct cad_scenario_backend *b = play->backend;
    uint32_t count = CAD_MIN(b->tracks(b->ctx, tracks, CAD_TRACK_LIST_MAX), CAD_TRACK_LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_track_info *t = &tracks[i];
        if (t->type != type || !cad_scenario_track_is(t, name)) continue;
        memcpy(c.track, t->id, sizeof(c.track));
        break;
    }
    cad_alloc_free(play->alloc, tracks, CAD_TRACK_LIST_MAX * sizeof(*tracks), CAD_MEM_OTHER);
    return b->command(b->ctx, &c);
}

static int set_rate(struct cad_scenario_play *play, int64_t rate_q16)
{
    struct cad_command c = {.type = CAD_COMMAND_RATE, .rung = -1, .rate_q16 = (uint32_t)rate_q16};
    c.title.start = CAD_TIME_NONE;
    return play->backend->command(play->backend->ctx, &c);
}

/* A title that was prepared is loaded by the first play. */
static int do_play(struct cad_scenario_play *play)
{
    const struct cad_scenario_backend *b = play->backend;
    int err = play->loaded ? 0 : b->load(b->ctx);
    play->loaded = true;
    return err ? err : command(play, CAD_COMMAND_PLAY, 0);
}

static int do_action(struct cad_scenario_play *play, const struct cad_scenario_action *a)
{
    const struct cad_scenario_backend *b = play->backend;
    switch (a->type) {
    case CAD_DO_PLAY: return do_play(play);
    case CAD_DO_PREPARE:
        if (b->prepare) return b->prepare(b->ctx);
        return cad_scenario_refuse(play->result, a->line, "prepare: not here");
    case CAD_DO_PAUSE: return command(play, CAD_COMMAND_PAUSE, 0);
    case CAD_DO_STOP: return command(play, CAD_COMMAND_STOP, 0);
    case CAD_DO_SEEK: return command(play, CAD_COMMAND_SEEK, a->position);
    case CAD_DO_AUDIO: return select_track(play, CAD_MEDIA_AUDIO, a->name);
    case CAD_DO_TEXT: return select_track(play, CAD_MEDIA_TEXT, a->name);
    case CAD_DO_RATE: return set_rate(play, a->value);
    case CAD_DO_SUSPEND: return b->suspend(b->ctx, a->position);
    case CAD_DO_NETWORK: return b->network(b->ctx, a->up);
    case CAD_DO_HOST: return b->host(b->ctx, a->host, a->fault, a->value);
    case CAD_DO_SERVICE: {
        int err = b->service(b->ctx, cad_str_from(a->service), a->up);
        if (err != CAD_E_NOTFOUND) return err;
        return cad_scenario_refuse(play->result, a->line, "no such service");
    }
    case CAD_DO_EXPECT:
        cad_scenario_check_now(play, &play->s->expects[a->expect], b->now(b->ctx));
        return 0;
    }
    return 0;
}

/* The next moment at which an "every" expectation looks, after `after`; NONE: there is none. */
static cad_time next_tick(const struct cad_scenario_play *play, cad_time after)
{
    cad_time next = CAD_TIME_NONE;
    for (uint32_t i = 0; i < play->s->expect_count; i++) {
        cad_time every = play->s->expects[i].every;
        if (every == 0) continue;
        next = cad_time_earlier(next, (after / every + 1) * every);
    }
    return next;
}

static void check_ticks(struct cad_scenario_play *play, cad_time tick)
{
    struct cad_engine_stats stats;
    play->backend->stats(play->backend->ctx, &stats);
    if (stats.state != CAD_STATE_PLAYING) return;
    for (uint32_t i = 0; i < play->s->expect_count; i++) {
        struct cad_scenario_expect *e = &play->s->expects[i];
        if (e->every > 0 && tick % e->every == 0) cad_scenario_check_now(play, e, tick);
    }
}

/* Run to `to`; 1: it is over, and time stands there all the same if `pass`. */
static int run_to(struct cad_scenario_play *play, cad_time to, bool pass)
{
    const struct cad_scenario_backend *b = play->backend;
    struct cad_app_event event;
    int rc = b->run(b->ctx, to);
    while (b->poll(b->ctx, &event) == 0) take_event(play, &event);
    if (rc < 0) return rc;
    if (play->error) return play->error;
    if (rc == 1 && pass) b->idle(b->ctx, to);
    return rc;
}

/* How long it may take in all; a title by URL tells its length when it is loaded. */
static cad_time limit_of(const struct cad_scenario_play *play)
{
    struct cad_engine_stats stats;
    uint32_t count = play->s->action_count;
    cad_time title = play->duration;
    if (title == 0) {
        play->backend->stats(play->backend->ctx, &stats);
        title = CAD_MAX(stats.duration, 0);
    }
    cad_time last = count ? play->s->actions[count - 1].at : 0;
    return cad_time_add(cad_time_add(last, 2 * CAD_MIN(title, CAD_SCENARIO_TIME_MAX)),
                        play->backend->overtime);
}

static int play_script(struct cad_scenario_play *play)
{
    const struct cad_scenario_backend *b = play->backend;
    struct cad_scenario *s = play->s;
    uint32_t next = 0;
    cad_time at = 0;             /* how far the script is */
    play->loaded = !s->prepares;
    int err = play->loaded ? b->load(b->ctx) : 0;
    while (!err) {
        cad_time limit = limit_of(play);
        cad_time tick = next_tick(play, at);
        bool script = next < s->action_count;
        cad_time to = script ? s->actions[next].at : limit;
        if (tick != CAD_TIME_NONE && tick < to) to = tick;
        int rc = run_to(play, to, script);
        if (rc < 0) return rc;
        if (rc == 1 && !script) return 0;
        if (to == tick) check_ticks(play, tick);
        at = CAD_MAX(at, to);
        while (!err && next < s->action_count && s->actions[next].at <= at) {
            bool slept = s->actions[next].type == CAD_DO_SUSPEND;
            err = do_action(play, &s->actions[next++]);
            if (slept) at = CAD_MAX(at, b->now(b->ctx)); /* nobody looked meanwhile */
        }
        if (at >= limit) return 0;
    }
    return err;
}

/* ---- all of it ----------------------------------------------------------------------------- */

void cad_scenario_play_init(struct cad_scenario_play *play, const struct cad_alloc *alloc,
                            struct cad_scenario *scenario, struct cad_scenario_result *result)
{
    memset(play, 0, sizeof(*play));
    play->alloc = alloc;
    play->s = scenario;
    play->result = result;
    play->rung = -1;
}

void cad_scenario_play_deinit(struct cad_scenario_play *play)
{
    cad_alloc_free(play->alloc, play->notes, play->note_cap * sizeof(*play->notes),
                   CAD_MEM_OTHER);
    cad_alloc_free(play->alloc, play->starts, play->start_cap * sizeof(*play->starts),
                   CAD_MEM_OTHER);
    play->notes = NULL;
    play->starts = NULL;
    play->note_cap = play->start_cap = play->note_count = play->start_count = 0;
}

int cad_scenario_play_run(struct cad_scenario_play *play)
{
    const struct cad_scenario_backend *b = play->backend;
    int err = play_script(play);
    cad_time now = b->now(b->ctx);
    play->result->duration = now;
    if (err) return err;
    for (uint32_t i = 0; i < play->s->expect_count; i++) {
        struct cad_scenario_expect *e = &play->s->expects[i];
        if (e->every == 0 && e->at == CAD_TIME_NONE) cad_scenario_check_end(play, e, now);
    }
    if (play->error) return play->error; /* of a last look: nobody ran anything after it */
    b->stats(b->ctx, &play->result->stats);
    return 0;
}

void cad_scenario_play_tell(const struct cad_scenario_play *play, cad_str text,
                            void (*fn)(void *ctx, const struct cad_scenario_point *point),
                            void *ctx)
{
    for (uint32_t i = 0; i < play->s->expect_count; i++) {
        const struct cad_scenario_expect *e = &play->s->expects[i];
        const struct cad_scenario_point point = {
            .line = e->line, .statement = cad_scenario_line(text, e->line), .held = !e->failed,
            .looks = e->looks, .at = e->seen_at, .seen = e->seen};
        fn(ctx, &point);
    }
}
