/*
 * cadmium-sim: sessions in virtual time.
 *
 *   cadmium-sim --engine --ladder FILE --trace FILE --session-s N     one session, one JSON object
 *   cadmium-sim --scenario FILE...                                    scripted ones, checked
 *   cadmium-sim --replay TAPE                                         one that was recorded
 *   cadmium-sim --sessions N --seed S                                 many that are drawn
 *
 * Everything printed is made of integers and simulated time: two runs print the same bytes, on
 * every machine and with every compiler.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadmium/sim.h"

#include "base/checked.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "mock/mock_synth.h"

#include "scenarios/sim_scenario.h"
#include "sessions/sim_sessions.h"
#include "tapes/sim_tape.h"
#include "tapes/tape_file.h"

#define OUTPUT_BYTES_MAX (256u << 20)
#define SEGMENTS_MAX 65536u
#define SESSION_MAX_S 604800
#define TITLE_ID "900100"
#define NANO INT64_C(1000000000)

enum { EXIT_GOOD, EXIT_BAD, EXIT_USAGE };

struct options {
    bool engine, check, tap, explain;
    const char *ladder, *trace, *log, *junit, *tape, *replay;
    const char *scenarios[SCENARIO_FILES_MAX];
    const char *dirs[SCENARIO_DIRS_MAX];
    uint32_t scenario_count, dir_count;
    int64_t session_s, buffer_s, seed, hosts, faults_s, until_s, sessions, jobs, only;
};

static const char help[] =
    "usage: cadmium-sim --engine --ladder FILE --trace FILE --session-s N [options]\n"
    "       cadmium-sim --scenario FILE... [options]\n"
    "       cadmium-sim --replay TAPE [--until S] [--explain] [options]\n"
    "       cadmium-sim --sessions N [--seed S] [--jobs J] [--only I [--log FILE]]\n"
    "\n"
    "Plays a title in virtual time: the whole engine, a link model, no media files.\n"
    "\n"
    "  --engine            one session over one link; prints one JSON object\n"
    "  --ladder FILE       what is played (cadmium-ladder-1)\n"
    "  --trace FILE        the link (cadmium-trace-1); begins again at its end\n"
    "  --session-s N       seconds of the title, 1..604800\n"
    "  --buffer-max-s N    seconds the engine may buffer ahead, 2..600 (60)\n"
    "  --hosts N           servers that hold the title, all on the link, 1..8 (1)\n"
    "  --faults N          a fault of a host every N seconds on the average, from the seed (none)\n"
    "  --scenario FILE...  scripted playbacks and what must hold (docs/scenarios.md)\n"
    "  --data DIR          where scenarios find ladders and traces, after their own folder,\n"
    "                      ../data and ../../data; may be given again\n"
    "  --tap               print the outcome of each expectation as TAP\n"
    "  --junit FILE        write them as a JUnit report too\n"
    "  --tape FILE         record the session on a tape (docs/tape.md)\n"
    "  --replay TAPE       play a tape back: prints the decisions, says whether they are the same\n"
    "  --until S           stop S seconds after the tape's first turn\n"
    "  --explain           print what the engine took and asked for too\n"
    "  --sessions N        N sessions of 600 s and more, drawn from the seed: links, ladders,\n"
    "                      keys, text, faults of hosts and services, kills; prints the counts,\n"
    "                      and what broke. Invariants are checked\n"
    "  --jobs J            threads of --sessions, 1..64 (2); the counts are the same\n"
    "  --only I            of --sessions, play the one with number I alone\n"
    "  --seed N            seed of everything random (1, or the scenario's own)\n"
    "  --log FILE          write the decision log: one line a decision, with its time\n"
    "  --check             check the engine's invariants after every turn\n"
    "  --help              this text\n"
    "\n"
    "Exit status: 0 it played (every expectation held), 1 it did not, 2 usage or files.\n";

/* Names and messages come from outside: a terminal must not obey them. */
static void put_shown(FILE *f, const char *text)
{
    cad_str s = cad_str_from(text);
    while (s.n > 0) {
        size_t bad = 0;
        size_t n = cad_shown_run(s, &bad);
        (void)fwrite(s.p, 1, n, f);
        if (bad > 0) (void)fputc('?', f);
        s = cad_str_sub(s, n + bad, s.n);
    }
}

static int complain(const char *what, const char *name)
{
    (void)fprintf(stderr, "cadmium-sim: %s%s", what, name ? ": " : "");
    if (name) put_shown(stderr, name);
    (void)fputc('\n', stderr);
    return EXIT_USAGE;
}

/* line 0: of the file as a whole. */
static int complain_file(const char *path, uint32_t line, const char *what)
{
    scenario_files_complain("cadmium-sim", path, line, what);
    return EXIT_USAGE;
}

/* ---- files --------------------------------------------------------------------------------- */

/* 0 or an exit status, with a message printed; so is read_trace. */
static int read_ladder(const char *path, struct cad_ladder *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_str text;
    int err = scenario_files_read(path, &text);
    if (err) return complain_file(path, 0, scenario_files_bad_read(err));
    err = cad_ladder_parse(&alloc, text, out);
    uint32_t line = 0;
    const char *what = err ? scenario_files_bad_ladder(text, err, &line) : NULL;
    if (what) (void)complain_file(path, line, what);
    scenario_files_free(text);
    return err ? EXIT_USAGE : EXIT_GOOD;
}

static int read_trace(const char *path, struct cad_trace *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_str text;
    int err = scenario_files_read(path, &text);
    if (err) return complain_file(path, 0, scenario_files_bad_read(err));
    err = cad_trace_parse(&alloc, text, out);
    uint32_t line = 0;
    const char *what = err ? scenario_files_bad_trace(text, err, &line) : NULL;
    if (what) (void)complain_file(path, line, what);
    scenario_files_free(text);
    return err ? EXIT_USAGE : EXIT_GOOD;
}

/* ---- the decision log ---------------------------------------------------------------------- */

static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    CAD_UNUSED(level);
    bool told = cad_str_starts(line, CAD_STR("service:")); /* of --sessions */
    if (!told && !cad_str_starts(line, CAD_STR("decide:"))) return;
    cad_time t = now == CAD_TIME_NONE ? 0 : now;
    (void)fprintf(ctx, "%lld.%09lld %.*s\n", (long long)(t / NANO), (long long)(t % NANO),
                  CAD_STR_ARG(line));
}

/* NULL with a message printed if it cannot be written; no log: *out is off. */
static bool open_log(const struct options *o, struct cad_log *out, FILE **file)
{
    *out = (struct cad_log){0};
    *file = NULL;
    if (!o->log) return true;
    *file = fopen(o->log, "w");
    if (!*file) {
        (void)complain_file(o->log, 0, strerror(errno));
        return false;
    }
    *out = (struct cad_log){log_line, *file, CAD_LOG_INFO};
    return true;
}

/* ---- one session --------------------------------------------------------------------------- */

/* A segment of video as it came. */
struct record {
    uint32_t segment, rung;
    cad_time start, end, ahead, stall;
};

struct session {
    const struct options *options;
    struct cad_ladder ladder;
    struct cad_trace trace;
    struct cad_synth *synth;
    void *origin;
    struct cad_sim *sim;
    struct record *records;
    uint32_t record_count;
    uint8_t rung_of[SEGMENTS_MAX]; /* of the last delivery of a segment, + 1; 0: none */
    cad_time stall_before;       /* stall up to the last record */
    uint64_t requests, bytes;
    struct cad_error error;      /* code NONE: none */
    bool full;                   /* more records than there is room for */
    struct tape_file tape;
};

/* "/video-3/range/100-200?..." */
static bool read_path(cad_str path, uint32_t *stream, struct cad_range *range)
{
    cad_str asset, mark, first, last;
    int64_t number;
    path = cad_str_sub(path, 1, path.n);
    ptrdiff_t query = cad_str_find_char(path, '?');
    if (query >= 0) path = cad_str_sub(path, 0, (size_t)query);
    if (!cad_str_split(&path, '/', &asset) || !cad_str_split(&path, '/', &mark)) return false;
    cad_str name = CAD_STR("video-");
    if (!cad_str_starts(asset, name) || !cad_str_eqz(mark, "range")) return false;
    if (cad_str_to_i64(cad_str_sub(asset, name.n, asset.n), &number)) return false;
    if (!cad_str_split(&path, '-', &first) || !cad_str_split(&path, '/', &last)) return false;
    if (cad_str_to_i64(first, &range->first) || cad_str_to_i64(last, &range->last)) return false;
    return number >= 0 && number <= CAD_ABR_RUNGS_MAX &&
           cad_i64_to_u32(number, stream);
}

/* Each segment whose last byte this transfer brought is one record. */
static void on_access(void *ctx, const struct cad_sim_access *access)
{
    struct session *s = ctx;
    s->requests++;
    s->bytes += (uint64_t)access->bytes;
    uint32_t stream;
    struct cad_range range;
    if (access->cancelled || access->cls != CAD_HTTP_OK || access->status >= 300) return;
    if (!read_path(access->path, &stream, &range)) return;
    struct cad_synth_stream info;
    if (cad_synth_stream_at(s->synth, stream, &info)) return;
    int64_t at = CAD_MAX(range.first, info.header_bytes);
    struct cad_synth_segment segment;
    while (at <= range.last && cad_synth_segment_at(s->synth, stream, at, &segment) == 0) {
        at = segment.bytes.last + 1;
        if (segment.bytes.last > range.last) return;
        s->full = s->full || s->record_count == SEGMENTS_MAX;
        if (s->full) return;
        cad_time stall = cad_sim_underrun_time(s->sim);
        s->records[s->record_count++] = (struct record){
            .segment = segment.index, .rung = stream, .start = access->start, .end = access->end,
            .ahead = CAD_MAX(access->ahead, 0), .stall = stall - s->stall_before};
        s->rung_of[segment.index] = (uint8_t)(stream + 1);
        s->stall_before = stall;
    }
}

/* log2(x) in 2^-40, rounded down, by repeated squaring: no floating point, the same everywhere. */
static int64_t log2_q40(int64_t x)
{
    int64_t whole = 63 - __builtin_clzll((unsigned long long)x);
    uint64_t m = (uint64_t)x << (63 - whole); /* 1 <= m / 2^63 < 2 */
    int64_t log = whole;
    for (int i = 0; i < 40; i++) {
        unsigned __int128 square = (unsigned __int128)m * m >> 63;
        log *= 2;
        if (square >> 64) {
            log++;
            square >>= 1;
        }
        m = (uint64_t)square;
    }
    return log;
}

/* ln(R_r / R_0) / ln(R_top / R_0) in 1e-9; 1 where the ladder has one rate only. */
static int64_t quality_nano(const struct cad_ladder *l, uint32_t rung)
{
    int64_t low = log2_q40(l->rate_bps[0]);
    int64_t span = log2_q40(l->rate_bps[l->rung_count - 1]) - low;
    return span == 0 ? NANO : cad_muldiv_floor_i64(log2_q40(l->rate_bps[rung]) - low, NANO, span);
}

struct figures {
    int64_t qoe_nano, rate_bps;  /* means over the segments that came */
    uint32_t segments, switches;
};

/* The protocol's numbers, over the segments from the first on that came without a gap. */
static void count_figures(const struct session *s, cad_time lost, struct figures *out)
{
    const struct cad_ladder *l = &s->ladder;
    memset(out, 0, sizeof(*out));
    int64_t quality[CAD_ABR_RUNGS_MAX];
    for (uint32_t r = 0; r < l->rung_count; r++) quality[r] = quality_nano(l, r);
    int64_t quality_sum = 0, change_sum = 0, rate_sum = 0, last = -1;
    for (uint32_t i = 0; i < SEGMENTS_MAX && s->rung_of[i] > 0; i++) {
        int64_t rung = s->rung_of[i] - 1;
        if (last >= 0 && last != rung) {
            int64_t step = quality[rung] - quality[last];
            change_sum += step < 0 ? -step : step;
            out->switches++;
        }
        last = rung;
        quality_sum += quality[rung];
        rate_sum += l->rate_bps[rung];
        out->segments++;
    }
    if (out->segments == 0) return;
    cad_time media = l->segment_duration * out->segments;
    out->rate_bps = rate_sum / out->segments;
    out->qoe_nano = quality_sum / out->segments - cad_muldiv_floor_i64(4 * lost, NANO, media) -
                    cad_muldiv_floor_i64(4 * change_sum, NANO, media);
}

static void write_records(const struct session *s, struct cad_jsonw *w)
{
    cad_jsonw_key(w, CAD_STR("segments"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < s->record_count; i++) {
        const struct record *r = &s->records[i];
        cad_jsonw_object(w);
        cad_jsonw_key_i64(w, "segment", r->segment);
        cad_jsonw_key_i64(w, "rung", r->rung);
        cad_jsonw_key_seconds(w, "start_s", r->start);
        cad_jsonw_key_seconds(w, "end_s", r->end);
        cad_jsonw_key_seconds(w, "buffer_s", r->ahead);
        cad_jsonw_key_seconds(w, "stall_s", r->stall);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void write_fixed(struct cad_jsonw *w, cad_str key, int64_t value, int digits)
{
    cad_jsonw_key(w, key);
    cad_jsonw_fixed(w, value, digits);
}

static void write_summary(const struct session *s, struct cad_jsonw *w)
{
    struct cad_engine_stats stats;
    cad_sim_stats(s->sim, &stats);
    cad_time startup = stats.startup == CAD_TIME_NONE ? 0 : stats.startup;
    struct figures f;
    count_figures(s, stats.stall_time + startup, &f);
    cad_time media = s->ladder.segment_duration * f.segments;
    cad_time wall = media + stats.stall_time;
    char hash[24];
    (void)snprintf(hash, sizeof(hash), "%016llx", (unsigned long long)stats.decision_hash);
    cad_jsonw_key(w, CAD_STR("summary"));
    cad_jsonw_object(w);
    write_fixed(w, CAD_STR("qoe"), f.qoe_nano, 9);
    write_fixed(w, CAD_STR("bitrate_kbps"), f.rate_bps, 3);
    write_fixed(w, CAD_STR("rebuffer_ratio"),
                wall > 0 ? cad_muldiv_floor_i64(stats.stall_time, NANO, wall) : 0, 9);
    cad_jsonw_key_seconds(w, "stall_s", stats.stall_time);
    cad_jsonw_key_i64(w, "stalls", stats.stalls);
    cad_jsonw_key_seconds(w, "startup_s", stats.startup);
    cad_jsonw_key_i64(w, "switches", f.switches);
    cad_jsonw_key_i64(w, "segments", f.segments);
    cad_jsonw_key_i64(w, "requests", (int64_t)s->requests);
    cad_jsonw_key_i64(w, "bytes", (int64_t)s->bytes);
    cad_jsonw_key_i64(w, "refreshes", stats.refreshes);
    cad_jsonw_key_i64(w, "frames", (int64_t)stats.frames);
    cad_jsonw_key_i64(w, "turns", (int64_t)stats.turns);
    cad_jsonw_key_i64(w, "decisions", (int64_t)stats.decisions);
    cad_jsonw_key_string(w, "decision_hash", cad_str_from(hash));
    cad_jsonw_key_seconds(w, "end_s", cad_sim_now(s->sim));
    cad_jsonw_key_string(w, "state", cad_str_from(cad_state_name(stats.state)));
    if (s->error.code != CAD_ERR_NONE) {
        cad_jsonw_key_string(w, "error", cad_str_from(cad_error_name(s->error.code)));
        cad_jsonw_key_string(w, "message", cad_str_from(s->error.message));
    }
    cad_jsonw_end(w);
}

static int print_session(const struct session *s)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, OUTPUT_BYTES_MAX);
    struct cad_jsonw w;
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "format", CAD_STR("cadmium-sim-engine-1"));
    write_records(s, &w);
    write_summary(s, &w);
    cad_jsonw_end(&w);
    cad_sb_putc(&sb, '\n');
    int err = cad_jsonw_error(&w);
    struct cad_sb shown;
    cad_sb_init(&shown, &alloc, CAD_MEM_OTHER, OUTPUT_BYTES_MAX);
    cad_shown_json(&shown, cad_sb_str(&sb));
    if (!err) err = cad_sb_error(&shown);
    if (!err) (void)fwrite(cad_sb_z(&shown), 1, cad_sb_str(&shown).n, stdout);
    cad_sb_deinit(&shown);
    cad_sb_deinit(&sb);
    if (err) (void)complain("the session cannot be printed", cad_result_text(err));
    return err;
}

/* False, with a message: not everything that was printed was written. */
static bool is_written(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    (void)complain("standard output", errno ? strerror(errno) : "not written");
    return false;
}

/* The ladder, the trace and the title made of them. 0 or an exit status, with a message printed. */
static int load_session(struct session *s)
{
    const struct options *o = s->options;
    struct cad_alloc alloc = cad_alloc_system();
    int status = read_ladder(o->ladder, &s->ladder);
    if (status == EXIT_GOOD) status = read_trace(o->trace, &s->trace);
    if (status != EXIT_GOOD) return status;
    struct cad_synth_config config;
    cad_synth_config_init(&config);
    config.ladder = &s->ladder;
    config.duration = o->session_s * CAD_SECOND;
    int err = cad_synth_create(&alloc, &config, &s->synth);
    if (err == CAD_E_NOMEM) return complain("out of memory", NULL);
    if (err) return complain_file(o->ladder, 0, "no title of that length can be made of it");
    s->records = cad_alloc_array(&alloc, SEGMENTS_MAX, sizeof(*s->records), CAD_MEM_OTHER);
    return s->records ? EXIT_GOOD : complain("out of memory", NULL);
}

static int make_network(struct session *s, const char *const *hosts)
{
    struct cad_scenario_title title = {
        .id = CAD_STR(TITLE_ID), .synth = s->synth, .hosts = hosts,
        .host_count = (uint32_t)s->options->hosts, .url_life = 7 * 86400 * CAD_SECOND,
        .seed = (uint64_t)s->options->seed};
    const struct cad_origin_ops *ops;
    int err = sim_origin_make(NULL, &title, &ops, &s->origin);
    if (err) return err;
    cad_sim_set_origin(s->sim, ops, s->origin);
    uint32_t link;
    err = cad_sim_add_link(s->sim, &s->trace, &link);
    for (uint32_t i = 0; !err && i < title.host_count; i++) {
        err = cad_sim_add_host(s->sim, hosts[i], link);
    }
    return err;
}

static int play(struct session *s)
{
    struct cad_command load = {
        .type = CAD_COMMAND_LOAD, .ticket = 1,
        .title = {.base = CAD_STR("http://cdn1"), .id = CAD_STR(TITLE_ID),
                  .start = CAD_TIME_NONE}};
    struct cad_command start = {.type = CAD_COMMAND_PLAY, .ticket = 2};
    int err = cad_sim_command(s->sim, &load);
    if (!err) err = cad_sim_command(s->sim, &start);
    /* A link that is dead for good must not hold this up for ever. */
    cad_time most = (s->options->session_s * 20 + 3600) * CAD_SECOND;
    int rc = 0;
    while (!err && rc == 0 && cad_sim_now(s->sim) < most) {
        rc = cad_sim_run(s->sim, cad_sim_now(s->sim) + 100 * CAD_SECOND);
        struct cad_app_event event;
        while (cad_sim_poll(s->sim, &event) == 0) {
            if (event.type == CAD_APP_ERROR && event.error.cls == CAD_ERROR_FATAL) {
                s->error = event.error;
            }
        }
    }
    return err ? err : CAD_MIN(rc, 0);
}

static int create_session(struct session *s, struct cad_log log)
{
    static const char *const hosts[] = {"cdn1", "cdn2", "cdn3", "cdn4",
                                        "cdn5", "cdn6", "cdn7", "cdn8"};
    const struct options *o = s->options;
    struct cad_sim_config config;
    cad_sim_config_init(&config);
    config.seed = (uint64_t)o->seed;
    config.engine.seed = (uint64_t)o->seed;
    config.engine.log = log;
    config.engine.buffer_ahead = o->buffer_s * CAD_SECOND;
    config.engine.check = o->check;
    config.fault_every = o->faults_s * CAD_SECOND;
    config.tape = s->tape.tape;
    int err = cad_sim_create(&config, &s->sim);
    if (err) return err;
    cad_sim_on_access(s->sim, on_access, s);
    return make_network(s, hosts);
}

/* The pseudonyms on it are drawn from the seed as well: two runs give the same tape. */
static int open_tape(struct session *s)
{
    uint64_t seed[2] = {(uint64_t)s->options->seed, cad_hash_u64((uint64_t)s->options->seed)};
    struct tape_file_options options = {.entropy = {(const uint8_t *)seed, sizeof(seed)}};
    if (!s->options->tape) return EXIT_GOOD;
    int err = tape_file_open(&s->tape, s->options->tape, &options);
    if (!err) return EXIT_GOOD;
    return complain_file(s->options->tape, 0, err == CAD_E_IO ? strerror(errno)
                                                              : cad_result_text(err));
}

static int run_session(const struct options *o)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct session *s = cad_alloc_new(&alloc, sizeof(*s), CAD_MEM_OTHER);
    if (!s) return complain("out of memory", NULL);
    s->options = o;
    struct cad_log log;
    FILE *file = NULL;
    int status = load_session(s);
    if (status == EXIT_GOOD && !open_log(o, &log, &file)) status = EXIT_USAGE;
    if (status == EXIT_GOOD) status = open_tape(s);
    if (status == EXIT_GOOD) {
        int err = create_session(s, log);
        if (!err) err = play(s);
        if (err) (void)complain("the simulation failed", cad_result_text(err));
        if (!err) err = print_session(s);
        if (!err && !is_written()) err = CAD_E_IO;
        struct cad_engine_stats stats;
        if (!err) cad_sim_stats(s->sim, &stats);
        status = !err && stats.state == CAD_STATE_ENDED && !s->full ? EXIT_GOOD : EXIT_BAD;
    }
    cad_sim_destroy(&s->sim);
    if (tape_file_close(&s->tape)) status = complain_file(o->tape, 0, "the tape was not written");
    if (s->origin) sim_origin_drop(NULL, s->origin);
    cad_synth_destroy(&s->synth);
    cad_trace_deinit(&alloc, &s->trace);
    cad_ladder_deinit(&alloc, &s->ladder);
    cad_alloc_free(&alloc, s->records, SEGMENTS_MAX * sizeof(*s->records), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, s, sizeof(*s), CAD_MEM_OTHER);
    if (file && fclose(file) != 0) return complain_file(o->log, 0, "the log was not written");
    return status;
}

/* ---- scenarios ----------------------------------------------------------------------------- */

static int run_scenarios(const struct options *o)
{
    struct scenario_files_options files = {
        .program = "cadmium-sim", .repeat = "", .file_count = o->scenario_count,
        .dir_count = o->dir_count, .tap = o->tap, .check = o->check, .junit = o->junit,
        .seed = o->seed, .tape = o->tape, .tape_from_seed = true};
    struct cad_log log;
    FILE *file;
    memcpy(files.files, o->scenarios, sizeof(files.files));
    memcpy(files.dirs, o->dirs, sizeof(files.dirs));
    if (!open_log(o, &log, &file)) return EXIT_USAGE;
    int status = sim_scenario_run(&files, log);
    if (file && fclose(file) != 0) return complain_file(o->log, 0, "the log was not written");
    return status;
}

/* ---- sessions ------------------------------------------------------------------------------ */

static int run_sessions(const struct options *o)
{
    struct cad_log log;
    FILE *file;
    if (!open_log(o, &log, &file)) return EXIT_USAGE;
    const struct sim_sessions_options options = {
        .count = o->sessions, .jobs = o->jobs ? o->jobs : 2, .only = o->only, .log = log,
        .seed = o->seed ? (uint64_t)o->seed : 1};
    int status = sim_sessions_run(&options);
    if (file && fclose(file) != 0) return complain_file(o->log, 0, "the log was not written");
    return status;
}

/* ---- tapes --------------------------------------------------------------------------------- */

static int run_replay(const struct options *o)
{
    struct cad_log log;
    FILE *file;
    if (!open_log(o, &log, &file)) return EXIT_USAGE;
    struct sim_tape_options options = {
        .path = o->replay, .explain = o->explain, .check = o->check, .log = log,
        .until = o->until_s >= 0 ? o->until_s * CAD_SECOND : CAD_TIME_NONE};
    int status = sim_tape_replay(&options);
    if (file && fclose(file) != 0) return complain_file(o->log, 0, "the log was not written");
    return status;
}

/* ---- the command line ---------------------------------------------------------------------- */

static bool read_number(const char *text, const char *name, int64_t low, int64_t high,
                        int64_t *out)
{
    int64_t value;
    if (cad_str_to_i64(cad_str_from(text), &value) == 0 && value >= low && value <= high) {
        *out = value;
        return true;
    }
    (void)fprintf(stderr, "cadmium-sim: %s wants a whole number %lld..%lld, not \"%s\"\n", name,
                  (long long)low, (long long)high, text);
    return false;
}

static bool add_scenario(struct options *o, const char *file)
{
    if (o->scenario_count == SCENARIO_FILES_MAX) {
        (void)complain("too many scenarios at once", NULL);
        return false;
    }
    o->scenarios[o->scenario_count++] = file;
    return true;
}

static bool take_option(int c, const char *value, struct options *o)
{
    switch (c) {
    case 'e': o->engine = true; return true;
    case 'l': o->ladder = value; return true;
    case 't': o->trace = value; return true;
    case 's': return read_number(value, "--session-s", 1, SESSION_MAX_S, &o->session_s);
    case 'b': return read_number(value, "--buffer-max-s", 2, 600, &o->buffer_s);
    case 'n': return read_number(value, "--hosts", 1, MOCK_HOSTS_MAX, &o->hosts);
    case 'F': return read_number(value, "--faults", 1, 86400, &o->faults_s);
    case 'S': return read_number(value, "--seed", 1, INT64_MAX, &o->seed);
    case 'f': return add_scenario(o, value);
    case 'L': o->log = value; return true;
    case 'c': o->check = true; return true;
    case 'T': o->tap = true; return true;
    case 'j': o->junit = value; return true;
    case 'p': o->tape = value; return true;
    case 'r': o->replay = value; return true;
    case 'u': return read_number(value, "--until", 0, INT32_MAX, &o->until_s);
    case 'x': o->explain = true; return true;
    case 'N': return read_number(value, "--sessions", 1, SIM_SESSIONS_MAX, &o->sessions);
    case 'J': return read_number(value, "--jobs", 1, SIM_JOBS_MAX, &o->jobs);
    case 'o': return read_number(value, "--only", 1, SIM_SESSIONS_MAX, &o->only);
    case 'd':
        if (o->dir_count == SCENARIO_DIRS_MAX) {
            return complain("--data was given too often", NULL) == 0;
        }
        o->dirs[o->dir_count++] = value;
        return true;
    default: return false;
    }
}

/* What is wrong with the options taken together; NULL: nothing. */
static const char *wrong_usage(const struct options *o)
{
    if (o->sessions) {
        bool other = o->engine || o->scenario_count || o->ladder || o->trace || o->session_s ||
                     o->faults_s || o->tape || o->tap || o->junit || o->dir_count || o->replay;
        if (other) return "--sessions goes with --seed, --jobs, --only and --log";
        if (o->only > o->sessions) return "--only: there are not so many sessions";
        return o->log && !o->only ? "--log of --sessions goes with --only" : NULL;
    }
    if (o->jobs || o->only) return "--jobs and --only are of --sessions";
    if (o->replay) {
        bool other = o->engine || o->scenario_count || o->ladder || o->trace || o->session_s ||
                     o->faults_s || o->tape || o->tap || o->junit || o->dir_count;
        return other ? "--replay goes with --until, --explain, --log and --check only" : NULL;
    }
    if (o->explain || o->until_s >= 0) return "--until and --explain are of --replay";
    if (o->tape && o->scenario_count > 1) return "--tape records a single scenario";
    if (o->engine && o->scenario_count) {
        return "--engine plays a ladder, --scenario a script: only one of them can be given";
    }
    if (!o->engine && o->scenario_count == 0) {
        return "either --engine, --scenario FILE, --replay TAPE or --sessions N must be given";
    }
    if (o->scenario_count && (o->ladder || o->trace || o->session_s || o->faults_s)) {
        return "--ladder, --trace, --session-s, --faults: of --engine; a scenario names its own";
    }
    if (o->scenario_count) return NULL;
    if (!o->ladder) return "--engine wants --ladder FILE";
    if (!o->trace) return "--engine wants --trace FILE";
    if (!o->session_s) return "--engine wants --session-s N";
    if (o->tap || o->junit || o->dir_count) return "--tap, --junit and --data are of --scenario";
    return NULL;
}

int main(int argc, char **argv)
{
    static const struct option names[] = {
        {"engine", no_argument, NULL, 'e'},      {"ladder", required_argument, NULL, 'l'},
        {"trace", required_argument, NULL, 't'}, {"session-s", required_argument, NULL, 's'},
        {"buffer-max-s", required_argument, NULL, 'b'}, {"hosts", required_argument, NULL, 'n'},
        {"faults", required_argument, NULL, 'F'},
        {"seed", required_argument, NULL, 'S'},  {"scenario", required_argument, NULL, 'f'},
        {"log", required_argument, NULL, 'L'},   {"check", no_argument, NULL, 'c'},
        {"tap", no_argument, NULL, 'T'},         {"junit", required_argument, NULL, 'j'},
        {"data", required_argument, NULL, 'd'},  {"help", no_argument, NULL, 'h'},
        {"tape", required_argument, NULL, 'p'},  {"replay", required_argument, NULL, 'r'},
        {"until", required_argument, NULL, 'u'}, {"explain", no_argument, NULL, 'x'},
        {"sessions", required_argument, NULL, 'N'}, {"jobs", required_argument, NULL, 'J'},
        {"only", required_argument, NULL, 'o'},
        {NULL, 0, NULL, 0}};
    struct options o = {.buffer_s = 60, .hosts = 1, .until_s = -1};
    int c;
    while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (c == 'h') {
            (void)fputs(help, stdout);
            return is_written() ? EXIT_GOOD : EXIT_BAD;
        }
        if (!take_option(c, optarg, &o)) {
            (void)fputs("cadmium-sim: try --help\n", stderr);
            return EXIT_USAGE;
        }
    }
    /* Behind --scenario, what is left over are scenarios too. */
    while (o.scenario_count > 0 && optind < argc) {
        if (!add_scenario(&o, argv[optind++])) return EXIT_USAGE;
    }
    const char *what = wrong_usage(&o);
    if (optind < argc) what = "no argument stands without an option";
    if (what) {
        (void)complain(what, optind < argc ? argv[optind] : NULL);
        (void)fputs("cadmium-sim: try --help\n", stderr);
        return EXIT_USAGE;
    }
    if (o.replay) return run_replay(&o);
    if (o.sessions) return run_sessions(&o);
    if (o.scenario_count > 0) return run_scenarios(&o);
    if (!o.seed) o.seed = 1;
    return run_session(&o);
}
