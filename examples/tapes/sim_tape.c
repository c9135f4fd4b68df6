#include "tapes/sim_tape.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"

/* ---- what is said while it plays ------------------------------------------------------------ */

static void put_line(cad_time now, const char *mark, cad_str line)
{
    char shown[1024];
    cad_time t = now == CAD_TIME_NONE ? 0 : now;
    (void)cad_shown_copyz(shown, sizeof(shown), line);
    (void)printf("%lld.%09lld %s%s\n", (long long)(t / CAD_SECOND), (long long)(t % CAD_SECOND),
                 mark, shown);
}

static void on_log(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    CAD_UNUSED(ctx);
    CAD_UNUSED(level);
    if (cad_str_starts(line, CAD_STR("decide:"))) put_line(now, "", line);
}

static void on_input(void *ctx, cad_time now, cad_str line)
{
    CAD_UNUSED(ctx);
    put_line(now, "  <- ", line);
}

static void on_action(void *ctx, cad_time now, const struct cad_action *action)
{
    char text[160] = "";
    CAD_UNUSED(ctx);
    switch (action->type) {
    case CAD_ACTION_HTTP_START:
        (void)snprintf(text, sizeof(text), "http_start id=%u purpose=%s first=%lld last=%lld",
                       action->u.start.id, cad_purpose_name(action->u.start.purpose),
                       (long long)action->u.start.range.first,
                       (long long)action->u.start.range.last);
        break;
    case CAD_ACTION_HTTP_CANCEL:
        (void)snprintf(text, sizeof(text), "http_cancel id=%u", action->u.cancel.id);
        break;
    case CAD_ACTION_HTTP_WARM: (void)snprintf(text, sizeof(text), "http_warm"); break;
    case CAD_ACTION_SINK_CONFIG:
        (void)snprintf(text, sizeof(text), "sink_config epoch=%u rate_q16=%u",
                       action->u.sink.epoch, action->u.sink.rate_q16);
        break;
    case CAD_ACTION_SINK_FLUSH:
        (void)snprintf(text, sizeof(text), "sink_flush epoch=%u", action->u.flush.epoch);
        break;
    case CAD_ACTION_APP_EVENT:
        (void)snprintf(text, sizeof(text), "app_event %s state=%s",
                       cad_app_event_name(action->u.app.type),
                       cad_state_name(action->u.app.state));
        break;
    case CAD_ACTION_CDM_CALL:
        (void)snprintf(text, sizeof(text), "cdm_call %s session=%u op=%u bytes=%u",
                       cad_cdm_call_name(action->u.cdm.type), action->u.cdm.tag.session,
                       action->u.cdm.tag.op, (unsigned)action->u.cdm.data.n);
        break;
    case CAD_ACTION_STORE:
        (void)snprintf(text, sizeof(text), "store call=%d id=%u", (int)action->u.store.call,
                       action->u.store.id);
        break;
    }
    put_line(now, "  -> ", cad_str_from(text));
}

/* ---- what is said at the end ---------------------------------------------------------------- */

static int tell(const struct cad_tape_result *r)
{
    char version[32];
    (void)cad_shown_copyz(version, sizeof(version), cad_str_from(r->version));
    (void)printf("# replay end=%s turns=%llu decisions=%llu hash=%016llx checkpoints=%llu "
                 "records=%llu seconds=%lld.%03lld version=%s%s\n",
                 cad_tape_end_name(r->end), (unsigned long long)r->turns,
                 (unsigned long long)r->decisions, (unsigned long long)r->decision_hash,
                 (unsigned long long)r->checkpoints, (unsigned long long)r->records,
                 (long long)((r->now - r->begin) / CAD_SECOND),
                 (long long)((r->now - r->begin) % CAD_SECOND / CAD_MS), version,
                 r->full ? " NOT REDACTED" : "");
    if (r->end == CAD_TAPE_BROKEN) {
        (void)printf("# the record at byte %llu is broken\n", (unsigned long long)r->offset);
    }
    if (r->end == CAD_TAPE_CUT) (void)printf("# the tape is cut off there\n");
    if (r->differs) {
        (void)printf("# other decisions from turn %llu on, at %lld.%09lld\n",
                     (unsigned long long)r->differs_turn,
                     (long long)(r->differs_at / CAD_SECOND),
                     (long long)(r->differs_at % CAD_SECOND));
    } else {
        (void)printf("# the same decisions\n");
    }
    if (r->end == CAD_TAPE_BROKEN) return 1;
    return r->differs && !r->other_version ? 1 : 0;
}

/* ---- the tape ------------------------------------------------------------------------------- */

static int complain(const char *path, const char *what)
{
    char shown[4096];
    (void)cad_shown_copyz(shown, sizeof(shown), cad_str_from(path));
    (void)fprintf(stderr, "cadmium-sim: %s: %s\n", shown, what);
    return 2;
}

static int open_replay(const struct sim_tape_options *o, cad_buf tape, struct cad_tape_replay **out)
{
    struct cad_tape_options options;
    cad_tape_options_init(&options);
    options.until = o->until;
    options.check = o->check;
    options.log = o->log;
    if (!o->log.fn) options.log = (struct cad_log){on_log, NULL, CAD_LOG_INFO};
    if (o->explain) {
        options.on_input = on_input;
        options.on_action = on_action;
    }
    int rc = cad_tape_replay_create(tape, &options, out);
    switch (rc) {
    case 0: return 0;
    case CAD_E_DATA: return complain(o->path, "this is no tape, or its header is broken");
    case CAD_E_UNSUPPORTED: return complain(o->path, "its rate controller is not known here");
    default: return complain(o->path, cad_result_text(rc));
    }
}

static int play(const struct sim_tape_options *o, cad_buf tape)
{
    struct cad_tape_replay *replay = NULL;
    struct cad_tape_result result;
    int status = open_replay(o, tape, &replay);
    if (status != 0) return status;
    cad_tape_replay_result(replay, &result);
    if (result.other_version) {
        char shown[32];
        (void)cad_shown_copyz(shown, sizeof(shown), cad_str_from(result.version));
        (void)fprintf(stderr, "cadmium-sim: recorded by version %s, this is %s: decisions may "
                              "differ\n", shown, cad_version());
    }
    int rc;
    do {
        rc = cad_tape_replay_step(replay);
    } while (rc == 1);
    cad_tape_replay_result(replay, &result);
    status = rc < 0 ? complain(o->path, cad_result_text(rc)) : tell(&result);
    cad_tape_replay_destroy(&replay);
    if (fflush(stdout) != 0 || ferror(stdout)) return complain("standard output", strerror(errno));
    return status;
}

int sim_tape_replay(const struct sim_tape_options *options)
{
    int fd = open(options->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return complain(options->path, strerror(errno));
    struct stat info;
    void *p = MAP_FAILED;
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) && info.st_size > 0) {
        p = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    (void)close(fd);
    if (p == MAP_FAILED) return complain(options->path, "this is no tape, or cannot be read");
    int status = play(options, (cad_buf){p, (size_t)info.st_size});
    (void)munmap(p, (size_t)info.st_size);
    return status;
}
