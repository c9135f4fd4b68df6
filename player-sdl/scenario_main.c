#include "scenario_main.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "scenario_real.h"
#include "scenarios/scenario_files.h"

#define PROGRAM "cadmium-play"

static const char help[] =
    "usage: cadmium-play --headless --scenario FILE... [options]\n"
    "\n"
    "Plays scripted playbacks in real time against cadmium-mockd and checks what must hold: the\n"
    "same files as cadmium-sim --scenario plays in virtual time (docs/scenarios.md).\n"
    "\n"
    "  --scenario FILE...   what is played\n"
    "  --data DIR           where scenarios find ladders and traces, after their own folder,\n"
    "                       ../data and ../../data; may be given again\n"
    "  --mockd PROGRAM      the server that is started (cadmium-mockd beside this program)\n"
    "  --mockd-control URL  use one that runs (cadmium-mockd --stage): its control port\n"
    "  --tap                print the outcome of each expectation as TAP\n"
    "  --junit FILE         write them as a JUnit report too\n"
    "  --seed N             seed of everything random (the scenario's own)\n"
    "  --log FILE           write the decision log: one line a decision, with its time\n"
    "  --tape FILE          record the session of a single scenario (docs/tape.md)\n"
    "  --check              check the engine's invariants after every turn\n"
    "  --ca FILE            trust the certificates in this PEM file (title url)\n"
    "  --help               this text\n"
    "\n"
    "Exit status: 0 every expectation held, 1 one did not, 2 usage or files.\n";

struct wish {
    struct scenario_files_options files;
    struct scenario_real_options real;
    const char *log;
    struct cad_log to;
    bool help;
};

static int complain(const char *what, const char *word)
{
    scenario_files_complain(PROGRAM, word ? word : "--scenario", 0, what);
    fputs("Try cadmium-play --scenario --help.\n", stderr);
    return SCENARIO_USAGE;
}

static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    CAD_UNUSED(level);
    if (!cad_str_starts(line, CAD_STR("decide:"))) return;
    cad_time t = now == CAD_TIME_NONE ? 0 : now;
    fprintf(ctx, "%lld.%09lld %.*s\n", (long long)(t / CAD_SECOND), (long long)(t % CAD_SECOND),
            CAD_STR_ARG(line));
}

static int play(void *ctx, struct scenario_job *job)
{
    struct wish *wish = ctx;
    job->options.log = wish->to;
    return scenario_real_run(job->text, &job->options, &wish->real, &job->result);
}

static int add_file(struct wish *wish, const char *file)
{
    if (wish->files.file_count == SCENARIO_FILES_MAX) return complain("too many scenarios", NULL);
    wish->files.files[wish->files.file_count++] = file;
    return SCENARIO_GOOD;
}

static int take(struct wish *wish, int c, const char *value)
{
    struct scenario_files_options *files = &wish->files;
    switch (c) {
    case 'f': return add_file(wish, value);
    case 'd':
        if (files->dir_count == SCENARIO_DIRS_MAX) return complain("too many --data", NULL);
        files->dirs[files->dir_count++] = value;
        return SCENARIO_GOOD;
    case 'm': wish->real.mockd = value; return SCENARIO_GOOD;
    case 'M': wish->real.mockd_control = value; return SCENARIO_GOOD;
    case 'a': wish->real.ca_file = value; return SCENARIO_GOOD;
    case 'j': files->junit = value; return SCENARIO_GOOD;
    case 'L': wish->log = value; return SCENARIO_GOOD;
    case 'p': files->tape = value; return SCENARIO_GOOD;
    case 'T': files->tap = true; return SCENARIO_GOOD;
    case 'c': files->check = true; return SCENARIO_GOOD;
    case 'H': return SCENARIO_GOOD; /* there is no other way to play a scenario */
    case 'h': wish->help = true; return SCENARIO_GOOD;
    case 'S':
        if (cad_str_to_i64(cad_str_from(value), &files->seed) == 0 && files->seed > 0) {
            return SCENARIO_GOOD;
        }
        return complain("--seed wants a whole number above 0", value);
    default: return complain("not an option with --scenario", NULL);
    }
}

static int read_options(struct wish *wish, int argc, char **argv)
{
    static const struct option names[] = {
        {"scenario", required_argument, NULL, 'f'}, {"data", required_argument, NULL, 'd'},
        {"mockd", required_argument, NULL, 'm'}, {"mockd-control", required_argument, NULL, 'M'},
        {"tap", no_argument, NULL, 'T'}, {"junit", required_argument, NULL, 'j'},
        {"seed", required_argument, NULL, 'S'}, {"log", required_argument, NULL, 'L'},
        {"check", no_argument, NULL, 'c'}, {"ca", required_argument, NULL, 'a'},
        {"tape", required_argument, NULL, 'p'},
        {"headless", no_argument, NULL, 'H'}, {"no-config", no_argument, NULL, 'H'},
        {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int c, status = SCENARIO_GOOD;
    while (status == SCENARIO_GOOD && (c = getopt_long(argc, argv, "", names, NULL)) != -1) {
        status = take(wish, c, optarg);
    }
    while (status == SCENARIO_GOOD && optind < argc) status = add_file(wish, argv[optind++]);
    return status;
}

bool scenario_is_asked_for(int argc, char *const *argv)
{
    static const cad_str name = CAD_STR_INIT("--scenario");
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
        cad_str word = cad_str_from(argv[i]);
        if (!cad_str_starts(word, name)) continue;
        if (word.n == name.n || word.p[name.n] == '=') return true;
    }
    return false;
}

int scenario_main(int argc, char **argv)
{
    struct wish wish = {.files = {.program = PROGRAM, .repeat = " --headless", .play = play}};
    FILE *file = NULL;
    bool asks = argc == 3 && strcmp(argv[2], "--help") == 0;
    int status = asks ? SCENARIO_GOOD : read_options(&wish, argc, argv);
    if (status != SCENARIO_GOOD) return status;
    if (asks || wish.help) {
        fputs(help, stdout);
        return fflush(stdout) == 0 ? SCENARIO_GOOD : SCENARIO_BAD;
    }
    if (wish.files.tape && wish.files.file_count != 1) {
        return complain("--tape records a single scenario", NULL);
    }
    if (wish.real.mockd && wish.real.mockd_control) {
        return complain("either --mockd or --mockd-control", NULL);
    }
    if (wish.log) {
        file = fopen(wish.log, "w");
        if (!file) return complain(strerror(errno), wish.log);
        wish.to = (struct cad_log){log_line, file, CAD_LOG_INFO};
    }
    wish.files.ctx = &wish;
    status = scenario_files_run(&wish.files);
    if (file && fclose(file) != 0) return complain("the log was not written", wish.log);
    return status;
}
