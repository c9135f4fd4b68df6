/*
 * cadmium-ftl - runs the probes that a recipe names and prints which path answers fast.
 *
 * An example of steer.h: the probe says which requests to make, ftl/ftl_edge.c makes them through
 * the library's own transport, ftl/ftl_show.c prints what came of them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cadmium/steer.h"

#include "base/jsonw.h"
#include "base/shown.h"
#include "base/str.h"
#include "drive/clock.h"
#include "ftl/ftl_edge.h"
#include "ftl/ftl_show.h"

enum {
    EXIT_USAGE = 1,
    EXIT_RECIPE = 2,   /* there is none */
    EXIT_SILENT = 3,   /* a target never answered */
    EXIT_BROKEN = 4,   /* memory, the network library, standard output */
    OUTPUT_BYTES_MAX = 8 << 20,
    OWN_PULSES = 3,    /* with --targets: one cold, two warm */
    OWN_DELAY_MS = 500,
    TIMEOUT_MS_MIN = 100,
    TIMEOUT_MS_MAX = 60000
};

struct arguments {
    const char *url;
    const char *targets;
    const char *ca_file;
    long long pulses, timeout_ms; /* 0: not given */
    bool json;
    bool allow_private;
};

/* What a run needs, and what came of it. */
struct run {
    struct arguments arguments;
    struct cad_ftl *ftl;
    struct ftl_edge edge;
    struct cad_sb report;
    int status;               /* exit status; -1 not over yet */
};

static const char usage[] =
    "usage: cadmium-ftl [OPTION...] URL\n"
    "       cadmium-ftl [OPTION...] --targets NAME=URL[,NAME=URL...]\n"
    "       cadmium-ftl --help | --version\n"
    "\n"
    "Fetches the recipe of probes at URL, asks each target that it names as often as it says, and\n"
    "prints the times of every answer, who won the race of the first ones, and the scores.\n"
    "\n"
    "  --targets LIST    probe these instead of a recipe's: NAME=URL, with commas between (one\n"
    "                    in a URL is written %2C); 3 pulses, 500 ms apart\n"
    "  --pulses N        pulses of each target at most, 1 to 10; with --targets so many\n"
    "  --timeout MS      of each pulse, 100 to 60000; else the recipe's\n"
    "  --allow-private   targets may lie farther inside than the recipe's server does\n"
    "  --ca-file FILE    trust the certificates of this PEM file only\n"
    "  --json            one JSON object at the end instead of a table\n"
    "\n"
    "Exit status: 0 every target answered; 1 usage; 2 there is no usable recipe; 3 a target never\n"
    "answered; 4 memory, network library or output failed.\n";

/* ---- arguments ------------------------------------------------------------------------------- */

/* Texts from outside: a terminal would obey their controls. */
static void complain(const char *what, cad_str text)
{
    char shown[256];
    (void)cad_shown_copyz(shown, sizeof(shown), text);
    (void)fprintf(stderr, "cadmium-ftl: %s%s\n", what, shown);
}

static bool number(const char *text, long long low, long long high, long long *out)
{
    int64_t value;
    if (cad_str_to_i64(cad_str_from(text), &value) || value < low || value > high) return false;
    *out = value;
    return true;
}

static bool parse_option(struct arguments *a, const char *name, const char *value)
{
    if (strcmp(name, "--targets") == 0) a->targets = value;
    else if (strcmp(name, "--ca-file") == 0) a->ca_file = value;
    else if (strcmp(name, "--pulses") == 0) return number(value, 1, CAD_FTL_PULSES_MAX, &a->pulses);
    else if (strcmp(name, "--timeout") == 0) {
        return number(value, TIMEOUT_MS_MIN, TIMEOUT_MS_MAX, &a->timeout_ms);
    } else return false;
    return true;
}

static bool parse_arguments(int argc, char **argv, struct arguments *a)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0) {
            a->json = true;
        } else if (strcmp(argv[i], "--allow-private") == 0) {
            a->allow_private = true;
        } else if (argv[i][0] == '-') {
            const char *value = i + 1 < argc ? argv[i + 1] : NULL;
            if (!value || !parse_option(a, argv[i], value)) {
                complain("wrong option or value: ", cad_str_from(argv[i]));
                return false;
            }
            i++;
        } else if (!a->url) {
            a->url = argv[i];
        } else {
            complain("unexpected argument: ", cad_str_from(argv[i]));
            return false;
        }
    }
    return (a->url != NULL) != (a->targets != NULL);
}

/* ---- beginning ------------------------------------------------------------------------------- */

/* A recipe of the targets on the command line. */
static int own_recipe(const struct arguments *a, struct cad_sb *out)
{
    struct cad_jsonw w;
    cad_str list = cad_str_from(a->targets);
    cad_str item;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("urls"));
    cad_jsonw_array(&w);
    while (cad_str_split(&list, ',', &item)) {
        ptrdiff_t equals = cad_str_find_char(item, '=');
        if (equals <= 0) return CAD_E_DATA;
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "name", cad_str_sub(item, 0, (size_t)equals));
        cad_jsonw_key_string(&w, "url", cad_str_sub(item, (size_t)equals + 1, item.n));
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_i64(&w, "pulses", a->pulses > 0 ? a->pulses : OWN_PULSES);
    cad_jsonw_key_i64(&w, "pulse_delay", OWN_DELAY_MS);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

static int start_own(struct run *run)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb json;
    cad_sb_init(&json, &alloc, CAD_MEM_OTHER, CAD_FTL_RECIPE_BYTES_MAX);
    int err = own_recipe(&run->arguments, &json);
    if (!err) {
        err = cad_ftl_start_recipe(run->ftl, cad_sb_str(&json), CAD_FTL_ADDRESS_UNKNOWN,
                                   cad_clock_now());
    }
    cad_sb_deinit(&json);
    if (!err && cad_ftl_recipe(run->ftl)->dropped > 0) {
        complain("a target is no NAME=URL, or comes twice", (cad_str){NULL, 0});
        return CAD_E_DATA;
    }
    if (err) complain("--targets: ", cad_str_from(cad_result_text(err)));
    return err;
}

/* 0, or an exit status. */
static int begin(struct run *run)
{
    const struct arguments *a = &run->arguments;
    struct cad_ftl_config config;
    cad_ftl_config_init(&config);
    config.endpoint = cad_str_from(a->url);
    /* Who names the targets himself may name any. */
    config.allow_private = a->allow_private || a->targets;
    config.pulse_timeout = a->timeout_ms * CAD_MS;
    if (a->pulses > 0) config.pulses_max = (uint32_t)a->pulses;
    config.bytes_per_hour = INT64_C(1) << 30; /* a person asked for this one run */
    config.requests_per_hour = CAD_FTL_BUDGET_REQUESTS_MAX;
    int err = cad_ftl_create(&config, &run->ftl);
    if (err == CAD_E_INVAL) {
        complain("not an http or https URL: ", cad_str_from(a->url));
        return EXIT_USAGE;
    }
    if (!err) err = ftl_edge_init(&run->edge, a->ca_file);
    if (err) {
        complain("", cad_str_from(cad_result_text(err)));
        return EXIT_BROKEN;
    }
    run->edge.ftl = run->ftl;
    if (a->targets) return start_own(run) ? EXIT_USAGE : 0;
    return cad_ftl_start(run->ftl, cad_clock_now()) ? EXIT_BROKEN : 0;
}

/* ---- the run --------------------------------------------------------------------------------- */

static void take_request(struct run *run, const struct cad_ftl_request *request)
{
    if (!ftl_edge_request(&run->edge, request)) return;
    struct cad_ftl_end end = {.id = request->id, .ec = CAD_FTL_EC_CANCEL, .dns = CAD_TIME_NONE,
                              .connect = CAD_TIME_NONE, .tls = CAD_TIME_NONE,
                              .first_byte = CAD_TIME_NONE, .at = cad_clock_now()};
    cad_ftl_end(run->ftl, &end);
}

static void take(struct run *run, const struct cad_ftl_action *action)
{
    bool table = !run->arguments.json;
    struct cad_ftl_stats stats;
    switch (action->type) {
    case CAD_FTL_REQUEST: take_request(run, &action->request); break;
    case CAD_FTL_CANCEL: ftl_edge_cancel(&run->edge, action->request.id); break;
    case CAD_FTL_PULSE:
        if (table) ftl_show_pulse(run->ftl, action->target, action->pulse);
        break;
    case CAD_FTL_REPORT:
        cad_ftl_stats(run->ftl, &stats);
        cad_sb_put(&run->report, action->body);
        run->status = stats.targets_failed > 0 ? EXIT_SILENT : EXIT_SUCCESS;
        break;
    case CAD_FTL_FAILED:
        complain("no probes: ", action->body);
        run->status = EXIT_RECIPE;
        break;
    case CAD_FTL_RECIPE:
    case CAD_FTL_RACE_WON:
    case CAD_FTL_RACE_ORDER: break;
    }
}

static void drive(struct run *run)
{
    struct cad_ftl_action action;
    if (!run->arguments.json) ftl_show_heading();
    while (run->status < 0) {
        int more = cad_ftl_run(run->ftl, cad_clock_now());
        while (cad_ftl_poll(run->ftl, &action) == CAD_OK) take(run, &action);
        struct cad_ftl_stats stats;
        cad_ftl_stats(run->ftl, &stats);
        if (more < 0 || stats.reports_lost > 0) {
            complain("out of memory", (cad_str){NULL, 0});
            run->status = EXIT_BROKEN;
        }
        if (run->status < 0) ftl_edge_wait(&run->edge, cad_ftl_next_wake(run->ftl));
    }
}

static bool print_json(const struct run *run)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb json, shown;
    cad_sb_init(&json, &alloc, CAD_MEM_OTHER, OUTPUT_BYTES_MAX);
    cad_sb_init(&shown, &alloc, CAD_MEM_OTHER, OUTPUT_BYTES_MAX);
    bool good = !ftl_show_json(run->ftl, cad_sb_str(&run->report), cad_clock_now(), &json);
    if (good) cad_shown_json(&shown, cad_sb_str(&json));
    good = good && !cad_sb_error(&shown);
    if (good) good = fwrite(cad_sb_z(&shown), 1, shown.n, stdout) == shown.n;
    cad_sb_deinit(&json);
    cad_sb_deinit(&shown);
    return good;
}

static int finish(struct run *run)
{
    bool good = true;
    if (run->status == EXIT_SUCCESS || run->status == EXIT_SILENT) {
        if (run->arguments.json) good = print_json(run);
        else ftl_show_summary(run->ftl, cad_clock_now());
    }
    if (fflush(stdout) != 0 || ferror(stdout) || !good) {
        complain("standard output: ", cad_str_from(strerror(errno)));
        return EXIT_BROKEN;
    }
    return run->status;
}

int main(int argc, char **argv)
{
    static struct run run; /* it holds 17 leases of 16 KiB */
    if (argc == 2 && strcmp(argv[1], "--help") == 0) {
        return fputs(usage, stdout) < 0 ? EXIT_BROKEN : EXIT_SUCCESS;
    }
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return printf("cadmium-ftl %s\n", cad_version()) < 0 ? EXIT_BROKEN : EXIT_SUCCESS;
    }
    if (!parse_arguments(argc, argv, &run.arguments)) {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&run.report, &alloc, CAD_MEM_OTHER, OUTPUT_BYTES_MAX);
    run.status = -1;
    int status = begin(&run);
    if (status == 0) {
        drive(&run);
        status = finish(&run);
    }
    ftl_edge_deinit(&run.edge);
    cad_ftl_destroy(&run.ftl);
    cad_sb_deinit(&run.report);
    return status;
}
