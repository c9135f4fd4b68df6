#include "scenarios/scenario_files.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/scenario_report.h"

#include "tapes/tape_file.h"

#define FILE_BYTES_MAX (64u << 20)
#define PATH_SIZE 4096
#define REPEAT_SIZE 4096

/* What one scenario needs while it is played; ctx of its options. */
struct stage {
    const struct scenario_files_options *options;
    struct cad_scenario_report *report;
    const char *file;
    char loaded[PATH_SIZE];      /* path of the file that was read last; "": none */
};

/* ---- words --------------------------------------------------------------------------------- */

/* Names and messages come from outside: a terminal must not obey them. */
static void put_shown(FILE *f, const char *text)
{
    char shown[PATH_SIZE];
    (void)cad_shown_copyz(shown, sizeof(shown), cad_str_from(text));
    (void)fputs(shown, f);
}

void scenario_files_complain(const char *program, const char *file, uint32_t line,
                             const char *what)
{
    (void)fprintf(stderr, "%s: ", program);
    put_shown(stderr, file);
    if (line > 0) (void)fprintf(stderr, ":%u", (unsigned)line);
    (void)fputs(": ", stderr);
    put_shown(stderr, what);
    (void)fputc('\n', stderr);
}

/* ---- files --------------------------------------------------------------------------------- */

int scenario_files_read(const char *path, cad_str *out)
{
    FILE *f = fopen(path, "rb");
    if (!f) return errno == ENOENT ? CAD_E_NOTFOUND : CAD_E_IO;
    struct cad_alloc alloc = cad_alloc_system();
    size_t n = 0, cap = 0;
    char *p = NULL;
    int err = 0;
    while (!err && !feof(f)) {
        if (n == cap) {
            size_t more = cap ? cap * 2 : 65536;
            char *q = cad_alloc_resize(&alloc, p, cap, more, CAD_MEM_OTHER);
            if (!q) {
                err = CAD_E_NOMEM;
                break;
            }
            p = q;
            cap = more;
        }
        n += fread(p + n, 1, cap - n, f);
        if (ferror(f)) err = CAD_E_IO;
        if (n > FILE_BYTES_MAX) err = CAD_E_LIMIT;
    }
    int why = errno;
    (void)fclose(f);
    char *exact = NULL;
    if (!err) {
        exact = cad_alloc_resize(&alloc, p, cap, n ? n : 1, CAD_MEM_OTHER);
        if (!exact) err = CAD_E_NOMEM;
    }
    if (err) {
        cad_alloc_free(&alloc, p, cap, CAD_MEM_OTHER);
        errno = why;
        return err;
    }
    *out = (cad_str){exact, n};
    return 0;
}

void scenario_files_free(cad_str text)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_alloc_free(&alloc, (void *)(uintptr_t)text.p, text.n, CAD_MEM_OTHER);
}

const char *scenario_files_bad_read(int err)
{
    if (err == CAD_E_IO || err == CAD_E_NOTFOUND) return strerror(errno);
    return err == CAD_E_LIMIT ? "larger than 64 MiB" : "out of memory";
}

const char *scenario_files_bad_ladder(cad_str text, int err, uint32_t *line)
{
    struct cad_json json;
    enum cad_json_type type;
    cad_json_init(&json, text, NULL);
    do {
        type = cad_json_next(&json);
    } while (type != CAD_JSON_END && type != CAD_JSON_ERROR);
    if (type == CAD_JSON_ERROR) {
        *line = cad_json_line(&json);
        return cad_json_truncated(&json) ? "this ladder ends in mid-JSON"
                                         : "this is no JSON; a ladder is";
    }
    *line = 0;
    switch (err) {
    case CAD_E_UNSUPPORTED: return "\"format\" of a ladder is \"cadmium-ladder-1\"";
    case CAD_E_LIMIT: return "too many rungs or rows for a ladder, or too large a number";
    case CAD_E_NOMEM: return "out of memory";
    default:
        return "a ladder wants \"format\", \"segment_duration_ms\", \"rungs\" with a "
               "\"bitrate_kbps\" each, lowest first, and \"segment_bytes\" with rows of one size a "
               "rung";
    }
}

/* Can this line stand in a trace? A good one behind it, as a trace of no length cannot. */
static bool good_period(cad_str line)
{
    char text[256];
    struct cad_trace trace;
    struct cad_alloc alloc = cad_alloc_system();
    int n = line.n > sizeof(text) / 2 ? -1 : snprintf(text, sizeof(text), "%.*s\n1 1 1\n",
                                                      CAD_STR_ARG(line));
    if (n < 0 || cad_trace_parse(&alloc, cad_str_make(text, (size_t)n), &trace)) return false;
    cad_trace_deinit(&alloc, &trace);
    return true;
}

const char *scenario_files_bad_trace(cad_str text, int err, uint32_t *line)
{
    *line = 0;
    if (err == CAD_E_NOMEM) return "out of memory";
    uint32_t number = 0;
    cad_str one;
    while (cad_str_split(&text, '\n', &one)) {
        number++;
        if (one.n > 0 && one.p[0] == '#') continue;
        if (good_period(one)) continue;
        *line = number;
        return "a line of a trace wants three whole numbers: duration_ms bandwidth_kbps latency_ms "
               "(at most 600000)";
    }
    return err == CAD_E_LIMIT ? "a trace with too many lines, or too long"
                              : "a trace wants a line with a duration";
}

static void complain_read(const struct stage *stage, const char *path, int err)
{
    scenario_files_complain(stage->options->program, path, 0, scenario_files_bad_read(err));
}

/* NAME, NAME.json or NAME.trace in a folder. */
static int load_from(struct stage *stage, cad_str dir, cad_str name, cad_str *text)
{
    static const char *const endings[] = {"", ".json", ".trace"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(endings); i++) {
        char *path = stage->loaded;
        int n = snprintf(path, sizeof(stage->loaded), "%.*s/%.*s%s", CAD_STR_ARG(dir),
                         CAD_STR_ARG(name), endings[i]);
        if (n < 0 || (size_t)n >= sizeof(stage->loaded)) return CAD_E_LIMIT;
        int err = scenario_files_read(path, text);
        if (err && err != CAD_E_NOTFOUND) complain_read(stage, path, err);
        if (err != CAD_E_NOTFOUND) return err;
    }
    stage->loaded[0] = '\0';
    return CAD_E_NOTFOUND;
}

/* Beside the scenario, in the folders "data" of the folders above it, and in those of --data. */
static int load_text(void *ctx, cad_str name, cad_str *text)
{
    static const char *const beside[] = {"", "/../data", "/../../data"};
    struct stage *stage = ctx;
    const struct scenario_files_options *o = stage->options;
    const char *slash = strrchr(stage->file, '/');
    cad_str dir = slash ? cad_str_make(stage->file, (size_t)(slash - stage->file)) : CAD_STR(".");
    int err = CAD_E_NOTFOUND;
    for (size_t i = 0; err == CAD_E_NOTFOUND && i < CAD_ARRAY_LEN(beside); i++) {
        char path[PATH_SIZE];
        int n = snprintf(path, sizeof(path), "%.*s%s", CAD_STR_ARG(dir), beside[i]);
        if (n < 0 || (size_t)n >= sizeof(path)) return CAD_E_LIMIT;
        err = load_from(stage, cad_str_make(path, (size_t)n), name, text);
    }
    for (uint32_t i = 0; err == CAD_E_NOTFOUND && i < o->dir_count; i++) {
        err = load_from(stage, cad_str_from(o->dirs[i]), name, text);
    }
    return err;
}

/* A mistake in a scenario, and in the file that it named last if that one is no good. */
static void complain_scenario(const struct stage *stage, const struct cad_scenario_result *result)
{
    const char *program = stage->options->program;
    cad_str text;
    struct cad_ladder ladder;
    struct cad_trace trace;
    struct cad_alloc alloc = cad_alloc_system();
    uint32_t line = 0;
    scenario_files_complain(program, stage->file, result->line, result->message);
    if (stage->loaded[0] == '\0' || scenario_files_read(stage->loaded, &text)) return;
    if (cad_str_starts(cad_str_trim(text), CAD_STR("{"))) {
        int err = cad_ladder_parse(&alloc, text, &ladder);
        const char *what = err ? scenario_files_bad_ladder(text, err, &line) : NULL;
        if (what) scenario_files_complain(program, stage->loaded, line, what);
        if (!err) cad_ladder_deinit(&alloc, &ladder);
    } else {
        int err = cad_trace_parse(&alloc, text, &trace);
        const char *what = err ? scenario_files_bad_trace(text, err, &line) : NULL;
        if (what) scenario_files_complain(program, stage->loaded, line, what);
        if (!err) cad_trace_deinit(&alloc, &trace);
    }
    scenario_files_free(text);
}

/* ---- outcomes ------------------------------------------------------------------------------ */

static void point(void *ctx, const struct cad_scenario_point *p)
{
    struct stage *stage = ctx;
    cad_scenario_report_point(stage->report, p);
}

/* The command that plays one file again in the same way. */
static void make_repeat(const struct scenario_files_options *o, const struct scenario_job *job,
                        char out[REPEAT_SIZE])
{
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, out, REPEAT_SIZE);
    cad_sb_printf(&sb, "%s%s --scenario %s", o->program, o->repeat, job->file);
    for (uint32_t i = 0; i < o->dir_count; i++) cad_sb_printf(&sb, " --data %s", o->dirs[i]);
    if (o->check) cad_sb_putz(&sb, " --check");
    cad_sb_printf(&sb, " --seed %llu", (unsigned long long)job->result.seed);
}

static void print_words(const struct scenario_job *job, bool good, const char *repeat)
{
    put_shown(stdout, job->file);
    if (good) {
        (void)printf(": %u expectations hold\n", (unsigned)job->result.expectations);
        return;
    }
    (void)fputs(": ", stdout);
    put_shown(stdout, job->result.message);
    (void)fputs("\nrepeat: ", stdout);
    put_shown(stdout, repeat);
    (void)fputc('\n', stdout);
}

static void print_tap(struct cad_scenario_report *report)
{
    cad_str text = cad_sb_str(&report->tap);
    (void)fwrite(text.p, 1, text.n, stdout);
    (void)fflush(stdout);
    cad_sb_reset(&report->tap);
}

/* 0, or with a message what tape_file_open answered. */
static int open_tape(const struct scenario_files_options *o, struct tape_file *tape)
{
    uint64_t seed[2] = {(uint64_t)o->seed, cad_hash_u64((uint64_t)o->seed)};
    struct tape_file_options options = {0};
    if (!o->tape) return 0;
    if (o->tape_from_seed) options.entropy = (cad_buf){(const uint8_t *)seed, sizeof(seed)};
    int err = tape_file_open(tape, o->tape, &options);
    if (!err) return 0;
    const char *what = err == CAD_E_IO ? strerror(errno) : cad_result_text(err);
    scenario_files_complain(o->program, o->tape, 0, what);
    return err;
}

/* Plays with a tape running, if one is wanted. */
static int play_taped(const struct scenario_files_options *o, struct scenario_job *job)
{
    struct tape_file tape = {0};
    int err = open_tape(o, &tape);
    if (err) return err;
    job->options.tape = tape.tape;
    err = o->play(o->ctx, job);
    if (!tape_file_close(&tape)) return err;
    scenario_files_complain(o->program, o->tape, 0, "the tape was not written");
    return err ? err : CAD_E_IO;
}

static int play_file(const struct scenario_files_options *o, struct cad_scenario_report *report,
                     const char *file)
{
    struct stage stage = {.options = o, .report = report, .file = file};
    struct scenario_job job = {.file = file};
    char repeat[REPEAT_SIZE];
    int err = scenario_files_read(file, &job.text);
    if (err) {
        complain_read(&stage, file, err);
        return SCENARIO_USAGE;
    }
    job.options = (struct cad_scenario_options){
        .size = sizeof(job.options), .alloc = cad_alloc_system(), .load = load_text,
        .point = point, .ctx = &stage, .seed = (uint64_t)o->seed, .check = o->check};
    cad_scenario_report_begin(report, file);
    err = play_taped(o, &job);
    scenario_files_free(job.text);
    if (err && job.result.message[0] == '\0') {
        (void)snprintf(job.result.message, sizeof(job.result.message), "it could not be played: %s",
                       cad_result_text(err));
    }
    bool good = err == 0 && job.result.failed == 0;
    make_repeat(o, &job, repeat);
    cad_scenario_report_end(report, &(struct cad_scenario_report_end){
        .result = &job.result, .broken = err != 0, .duration = job.result.duration,
        .repeat = repeat});
    if (err == CAD_E_DATA) complain_scenario(&stage, &job.result);
    if (o->tap) {
        print_tap(report);
    } else if (err != CAD_E_DATA) {
        print_words(&job, good, repeat);
    }
    return err == CAD_E_DATA ? SCENARIO_USAGE : good ? SCENARIO_GOOD : SCENARIO_BAD;
}

static int write_junit(const struct scenario_files_options *o,
                       const struct cad_scenario_report *report)
{
    FILE *f = fopen(o->junit, "w");
    if (!f) {
        scenario_files_complain(o->program, o->junit, 0, strerror(errno));
        return SCENARIO_USAGE;
    }
    cad_str text = cad_sb_str(&report->junit);
    bool good = fwrite(text.p, 1, text.n, f) == text.n;
    if (fclose(f) == 0 && good) return SCENARIO_GOOD;
    scenario_files_complain(o->program, o->junit, 0, "not all of the report could be written");
    return SCENARIO_USAGE;
}

int scenario_files_run(const struct scenario_files_options *options)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_scenario_report report;
    int status = SCENARIO_GOOD;
    cad_scenario_report_init(&report, &alloc);
    for (uint32_t i = 0; i < options->file_count; i++) {
        int one = play_file(options, &report, options->files[i]);
        status = CAD_MAX(status, one);
    }
    int err = cad_scenario_report_finish(&report);
    if (options->tap) print_tap(&report);
    int written = options->junit ? write_junit(options, &report) : SCENARIO_GOOD;
    status = CAD_MAX(status, written);
    if (err && (options->tap || options->junit)) {
        scenario_files_complain(options->program, "the report", 0, cad_result_text(err));
        status = CAD_MAX(status, SCENARIO_BAD);
    }
    if (fflush(stdout) != 0 || ferror(stdout)) {
        scenario_files_complain(options->program, "standard output", 0, strerror(errno));
        status = CAD_MAX(status, SCENARIO_BAD);
    }
    cad_scenario_report_deinit(&report);
    return status;
}
