#include "sessions/sim_sessions.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "cadmium/tape.h"
#include "sessions/session_play.h"

#define COMPARED_EVERY 2      /* one in so many is played again, without reports and probes */
#define TAPED_EVERY 10        /* one in so many that is not killed is recorded and replayed */
#define TAPE_MAX (64u << 20)
#define SHOWN_MAX 10          /* sessions that are told about one by one */

enum { GOOD, BAD };

/* What is kept of each session. */
struct row {
    struct session_outcome outcome;
    uint64_t seed;
    bool is_protected, has_text;
    bool compared, apart;      /* with itself without reports and probes; they had links apart */
    bool taped;                /* and its tape plays back the same, or it is broken */
    bool delayed;              /* it began later, or (apart) was otherwise in any way */
    cad_time stalled;          /* longer than without; not apart */
};

struct batch {
    const struct sim_sessions_options *options;
    struct row *rows;
    atomic_llong next, done;
};

static uint64_t seed_of(const struct sim_sessions_options *o, int64_t i)
{
    return cad_hash_u64(o->seed ^ cad_hash_u64((uint64_t)i + 1));
}

/* Where reports and probes go their own ways, nothing may be otherwise without them. Where they
 * share a link with media they take some of it, but never before the first picture. */
static bool differs(const struct session_outcome *a, const struct session_outcome *b)
{
    return a->startup != b->startup || a->stall_time != b->stall_time || a->stalls != b->stalls ||
           a->bytes != b->bytes || a->ended != b->ended || a->error != b->error;
}

/* ---- tapes ----------------------------------------------------------------------------------- */

static int keep(void *ctx, const uint8_t *p, size_t n)
{
    cad_sb_put(ctx, cad_str_make((const char *)p, n));
    return cad_sb_error(ctx);
}

static const char *replay(const struct cad_sb *tape, uint64_t hash)
{
    struct cad_tape_options options;
    struct cad_tape_replay *replay = NULL;
    struct cad_tape_result result;
    int rc;
    cad_tape_options_init(&options);
    options.check = true;
    rc = cad_tape_replay_create(cad_buf_from_str(cad_sb_str(tape)), &options, &replay);
    if (rc) return "its tape cannot be opened";
    while ((rc = cad_tape_replay_step(replay)) == 1) {}
    cad_tape_replay_result(replay, &result);
    cad_tape_replay_destroy(&replay);
    if (rc < 0 || result.end != CAD_TAPE_WHOLE) return "its tape does not play to its end";
    bool same = !result.differs && result.decision_hash == hash;
    return same ? NULL : "its tape plays back to other decisions";
}

/* Plays it once more, on a tape; what is wrong with that, or NULL. */
static const char *play_taped(const struct plan *plan)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct session_outcome outcome;
    struct cad_tape_config config;
    struct session_how how = {.quiet = false};
    struct cad_sb tape;
    cad_sb_init(&tape, &alloc, CAD_MEM_OTHER, TAPE_MAX);
    cad_tape_config_init(&config);
    config.write = keep;
    config.ctx = &tape;
    uint64_t entropy[2] = {plan->seed, ~plan->seed};
    config.entropy = (cad_buf){(const uint8_t *)entropy, sizeof(entropy)};
    const char *what = "its tape cannot be made";
    if (cad_tape_recorder_create(&config, &how.tape) == 0) {
        session_play(plan, &how, &outcome);
        int rc = cad_tape_recorder_end(how.tape);
        what = rc ? "its tape was not written" : outcome.broken;
        if (!what) what = replay(&tape, outcome.hash);
    }
    cad_tape_recorder_destroy(&how.tape);
    cad_sb_deinit(&tape);
    return what;
}

/* ---- sessions -------------------------------------------------------------------------------- */

static void compare(const struct plan *plan, struct row *row)
{
    struct session_outcome quiet;
    const struct session_how how = {.quiet = true};
    session_play(plan, &how, &quiet);
    row->compared = true;
    row->apart = plan->apart;
    row->delayed = plan->apart ? differs(&row->outcome, &quiet)
                               : row->outcome.startup != quiet.startup;
    if (!plan->apart) row->stalled = row->outcome.stall_time - quiet.stall_time;
    if (quiet.broken) row->outcome.broken = quiet.broken;
    else if (row->delayed) row->outcome.broken = "it plays otherwise without reports and probes";
}

static void play_one(const struct sim_sessions_options *o, int64_t i, struct row *row)
{
    struct plan plan;
    struct session_how how = {.quiet = false};
    if (o->only) how.log = o->log;
    row->seed = seed_of(o, i);
    plan_draw(row->seed, &plan);
    row->is_protected = plan.is_protected;
    row->has_text = plan.has_text;
    session_play(&plan, &how, &row->outcome);
    if (i % COMPARED_EVERY == 0 && !row->outcome.broken) compare(&plan, row);
    row->taped = i % TAPED_EVERY == 0 && plan.kill_at == CAD_TIME_NONE && !row->outcome.broken;
    if (row->taped) row->outcome.broken = play_taped(&plan);
}

static void *work(void *ctx)
{
    struct batch *b = ctx;
    for (;;) {
        int64_t i = atomic_fetch_add(&b->next, 1);
        if (i >= b->options->count) return NULL;
        play_one(b->options, i, &b->rows[i]);
        atomic_fetch_add(&b->done, 1);
    }
}

static void work_all(struct batch *b)
{
    pthread_t threads[SIM_JOBS_MAX];
    int64_t started = 0;
    while (started < b->options->jobs - 1) {
        if (pthread_create(&threads[started], NULL, work, b) != 0) break;
        started++;
    }
    work(b);
    while (started > 0) (void)pthread_join(threads[--started], NULL);
}

/* ---- the counts ------------------------------------------------------------------------------ */

struct sums {
    uint64_t ended, failed, broken, killed, is_protected, has_text, compared, delayed;
    uint64_t apart, stalled_more, taped;
    uint64_t events, held, repeated, logs, logs_held, licences, documents, probes, stalls;
    int64_t played_s, stall_s, stalled_ms;
};

static void add_up(const struct row *rows, int64_t count, struct sums *out)
{
    memset(out, 0, sizeof(*out));
    for (int64_t i = 0; i < count; i++) {
        const struct session_outcome *o = &rows[i].outcome;
        out->broken += o->broken != NULL;
        out->ended += o->ended;
        out->failed += !o->ended && o->error != CAD_ERR_NONE;
        out->killed += o->killed;
        out->is_protected += rows[i].is_protected;
        out->has_text += rows[i].has_text;
        out->compared += rows[i].compared;
        out->delayed += rows[i].delayed;
        out->taped += rows[i].taped;
        out->apart += rows[i].apart;
        out->stalled_more += rows[i].stalled > 0;
        out->stalled_ms += rows[i].stalled / CAD_MS;
        out->events += o->events;
        out->held += o->held;
        out->repeated += o->repeated;
        out->logs += o->logs;
        out->logs_held += o->logs_held;
        out->licences += o->licences;
        out->documents += o->documents;
        out->probes += o->probes;
        out->stalls += o->stalls;
        out->played_s += o->played / CAD_SECOND;
        out->stall_s += o->stall_time / CAD_SECOND;
    }
}

/* Errors in the order of their codes, with how many sessions ended by them. */
static void print_errors(const struct row *rows, int64_t count)
{
    int32_t last = CAD_ERR_NONE;
    for (;;) {
        int32_t code = INT32_MAX;
        uint64_t n = 0;
        for (int64_t i = 0; i < count; i++) {
            int32_t one = (int32_t)rows[i].outcome.error;
            if (rows[i].outcome.ended || one <= last) continue;
            if (one < code) n = 0;
            code = CAD_MIN(code, one);
            n += one == code;
        }
        if (n == 0) return;
        (void)printf("  %-22s %llu\n", cad_error_name((enum cad_error_code)code),
                     (unsigned long long)n);
        last = code;
    }
}

static void print_broken(const struct sim_sessions_options *o, const struct row *rows)
{
    int shown = 0;
    for (int64_t i = 0; i < o->count && shown < SHOWN_MAX; i++) {
        if (!rows[i].outcome.broken) continue;
        shown++;
        long long number = (long long)(o->only ? o->only : i + 1);
        (void)printf("session %lld: %s\n  again: cadmium-sim --sessions %lld --seed %llu "
                     "--only %lld --log FILE\n", number, rows[i].outcome.broken, number,
                     (unsigned long long)o->seed, number);
    }
}

#define ULL(x) ((unsigned long long)(x))

static void print(const struct sim_sessions_options *o, const struct row *rows,
                  const struct sums *s)
{
    (void)printf("sessions %lld, seed %llu, %lld s played, %lld s a session\n",
                 (long long)o->count, ULL(o->seed), (long long)s->played_s,
                 (long long)(s->played_s / o->count));
    (void)printf("protected %llu, with text %llu, killed and begun again %llu\n",
                 ULL(s->is_protected), ULL(s->has_text), ULL(s->killed));
    (void)printf("ended %llu, failed with an error %llu\n", ULL(s->ended), ULL(s->failed));
    print_errors(rows, o->count);
    (void)printf("stalls %llu, %lld s\n", ULL(s->stalls), (long long)s->stall_s);
    (void)printf("licences %llu, documents of text %llu, targets probed %llu\n", ULL(s->licences),
                 ULL(s->documents), ULL(s->probes));
    (void)printf("events of record: made %llu, at the service %llu, sent again %llu\n",
                 ULL(s->events), ULL(s->held), ULL(s->repeated));
    (void)printf("log entries: made %llu, at the service %llu\n", ULL(s->logs), ULL(s->logs_held));
    (void)printf("compared without reports and probes %llu, %llu of them with links apart: "
                 "delayed %llu\n", ULL(s->compared), ULL(s->apart), ULL(s->delayed));
    (void)printf("on shared links stalled longer %llu, %lld ms in all\n", ULL(s->stalled_more),
                 (long long)s->stalled_ms);
    (void)printf("recorded and played back %llu\n", ULL(s->taped));
    print_broken(o, rows);
    (void)printf("broken %llu\n", ULL(s->broken));
}

static void play_only(const struct sim_sessions_options *o, struct row *rows)
{
    play_one(o, o->only - 1, &rows[0]);
}

int sim_sessions_run(const struct sim_sessions_options *options)
{
    struct sim_sessions_options o = *options;
    struct cad_alloc alloc = cad_alloc_system();
    struct batch b = {.options = &o};
    size_t count = o.only ? 1 : (size_t)o.count;
    b.rows = cad_alloc_array(&alloc, count, sizeof(*b.rows), CAD_MEM_OTHER);
    if (!b.rows) {
        (void)fputs("cadmium-sim: out of memory\n", stderr);
        return BAD;
    }
    o.count = (int64_t)count;
    if (o.only) play_only(&o, b.rows);
    else work_all(&b);
    struct sums sums;
    add_up(b.rows, o.count, &sums);
    print(&o, b.rows, &sums);
    cad_alloc_free(&alloc, b.rows, count * sizeof(*b.rows), CAD_MEM_OTHER);
    return sums.broken == 0 && fflush(stdout) == 0 ? GOOD : BAD;
}
