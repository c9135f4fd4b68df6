#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "jwk.h"
#include "keep.h"
#include "labels.h"
#include "tell.h"

#define LINGER CAD_SECOND           /* at the end, for what is on its way to the services */
#define SINK_LOOK_MAX (50 * CAD_MS) /* the sink's thread looks up at least so often */

/* ---- what other threads call --------------------------------------------------------------- */

static void wake_up(void *ctx)
{
    struct session *session = ctx;
    /* A full pipe is as good a signal as one more byte in it. */
    ssize_t n = write(session->wake[1], "", 1);
    CAD_UNUSED(n);
}

static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    FILE *file = ctx;
    if (now == CAD_TIME_NONE) now = 0;
    fprintf(file, "%lld.%06lld %s ", (long long)(now / CAD_SECOND),
            (long long)(now % CAD_SECOND / CAD_US), cad_log_level_name(level));
    tell_shown(file, line);
    fputc('\n', file);
    if (level <= CAD_LOG_WARN) fflush(file);
}

/* On the sink's thread, for every picture in order. */
static void take_frame(void *ctx, const struct cad_frame *frame)
{
    struct session *session = ctx;
    char md5[33];
    if (session->args->until != CAD_TIME_NONE && frame->pts >= session->args->until) {
        atomic_store(&session->reached, true);
        wake_up(session);
        return;
    }
    if (session->has_dump) text_dump_at(&session->dump, true, frame->pts);
    if (!session->md5) return;
    cad_frame_md5(frame, md5);
    fprintf(session->md5, "%lld %u %s\n", (long long)frame->pts, frame->rung, md5);
}

/* On the sink's thread, for every run of sound in order. */
static void take_sound(void *ctx, const struct cad_frame *frame)
{
    struct session *session = ctx;
    char md5[33];
    if (session->has_dump) text_dump_at(&session->dump, false, frame->pts);
    if (!session->sound_md5) return;
    cad_frame_md5(frame, md5);
    fprintf(session->sound_md5, "%lld %u %u %u %s\n", (long long)frame->pts, frame->sample_rate_hz,
            frame->channels, frame->samples, md5);
}

/* Likewise: other text counts from now on. */
static void take_text(void *ctx, const struct cad_sample *text)
{
    struct session *session = ctx;
    if (session->has_dump) subtitles_put(&session->dump.subtitles, text);
    if (session->subtitles) subtitles_put(session->subtitles, text);
}

static void *sink_main(void *ctx)
{
    struct session *session = ctx;
    while (!atomic_load(&session->stop)) {
        cad_time wake = cad_player_sink_step(session->player, session->sink);
        cad_time now = cad_player_now(session->player);
        cad_time latest = cad_time_add(now, SINK_LOOK_MAX);
        if (wake == CAD_TIME_NONE || wake > latest) wake = latest;
        if (wake > now) cad_player_wait_sink(session->player, wake);
    }
    return NULL;
}

/* ---- beginning ------------------------------------------------------------------------------ */

void session_fail(struct session *session, enum cad_error_code code, const char *message)
{
    if (session->failed) return;
    session->failed = true;
    cad_error_init(&session->error, code);
    if (message) {
        cad_str_copyz(session->error.message, sizeof(session->error.message),
                      cad_str_from(message));
    }
    tell_error_words(&session->error);
    if (session->args->json) tell_json_error(&session->error, tell_now());
}

static FILE *open_file(struct session *session, const char *option, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        char text[CAD_ERROR_MESSAGE_SIZE];
        snprintf(text, sizeof(text), "%s %.80s cannot be written: %.40s", option, path,
                 strerror(errno));
        session_fail(session, CAD_ERR_FILE_UNWRITABLE, text);
    }
    return file;
}

static int open_tape(struct session *session)
{
    struct tape_file_options options = {0};
    char text[CAD_ERROR_MESSAGE_SIZE];
    if (session->log) {
        options.log = (struct cad_log){log_line, session->log, session->args->log_level};
    }
    int rc = tape_file_open(&session->tape, session->args->tape, &options);
    if (rc == 0) return 0;
    snprintf(text, sizeof(text), "--tape %.80s cannot be written: %.40s", session->args->tape,
             rc == CAD_E_IO ? strerror(errno) : cad_result_text(rc));
    session_fail(session, CAD_ERR_FILE_UNWRITABLE, text);
    return rc;
}

static int open_files(struct session *session)
{
    const struct play_args *args = session->args;
    if (args->log_path && strcmp(args->log_path, "-") == 0) {
        session->log = stderr;
    } else if (args->log_path) {
        session->log = open_file(session, "--log", args->log_path);
        if (!session->log) return CAD_E_IO;
    }
    if (args->framemd5) {
        session->md5 = open_file(session, "--framemd5", args->framemd5);
        if (!session->md5) return CAD_E_IO;
    }
    if (args->soundmd5) {
        session->sound_md5 = open_file(session, "--soundmd5", args->soundmd5);
        if (!session->sound_md5) return CAD_E_IO;
    }
    if (args->dump_text) {
        session->text = open_file(session, "--dump-text", args->dump_text);
        if (!session->text) return CAD_E_IO;
        session->has_dump = text_dump_init(&session->dump, session->text);
        if (!session->has_dump) {
            session_fail(session, CAD_ERR_LIMIT, "the system gives no lock");
            return CAD_E_LIMIT;
        }
    }
    return args->tape ? open_tape(session) : 0;
}

int session_init(struct session *session, const struct play_args *args)
{
    memset(session, 0, sizeof(*session));
    session->args = args;
    session->wake[0] = session->wake[1] = session->signals = -1;
    session->paused = args->start_paused;
    session->speed_q16 = args->speed_q16;
    session->rung = args->rung;
    session->bytes_at = session->shown_at = CAD_TIME_NONE;
    session->end_at = CAD_TIME_NONE;
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) == 0) {
        session->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    }
    if (session->signals < 0 || pipe2(session->wake, O_NONBLOCK | O_CLOEXEC) < 0) {
        session_fail(session, CAD_ERR_LIMIT, "the system gives no file descriptors");
        return CAD_E_IO;
    }
    /* Who reads our output may go away: that is a failed write, not our death. */
    signal(SIGPIPE, SIG_IGN);
    return open_files(session);
}

void session_sink_options(struct session *session, struct cad_sink_options *options)
{
    cad_sink_options_init(options);
    options->as_fast_as_possible = session->args->fast;
    options->ctx = session;
    options->on_text = take_text;
    if (session->md5 || session->has_dump) options->on_frame = take_frame;
    if (session->sound_md5 || session->has_dump) options->on_sound = take_sound;
}

/* Services around playback. A list of tracks is no playback: nobody is told, nobody probed. */
static void fill_services(const struct play_args *args, struct cad_player_config *config)
{
    struct cad_engine_config *engine = &config->engine;
    engine->report = args->report && !args->list_tracks;
    engine->probe = args->probe && !args->list_tracks;
    engine->telemetry.ui_name = engine->app_name;
    engine->telemetry.ui_version = engine->app_version;
    if (args->device) engine->telemetry.device = cad_str_from(args->device);
    if (args->events_url) engine->telemetry.event_url = cad_str_from(args->events_url);
    if (args->logs_url) engine->telemetry.log_url = cad_str_from(args->logs_url);
    if (args->probe_url) engine->ftl.endpoint = cad_str_from(args->probe_url);
    if (args->licence_url) engine->licence_url = cad_str_from(args->licence_url);
    config->cdm = cad_cdm_clearkey();
    config->proxy = args->proxy;
    config->key_log = args->key_log;
}

static void fill_config(struct session *session, struct cad_player_config *config)
{
    const struct play_args *args = session->args;
    cad_player_config_init(config);
    if (args->buffer != CAD_TIME_NONE) config->engine.buffer_ahead = args->buffer;
    if (args->memory_mb > 0) config->engine.ceiling_bytes = args->memory_mb << 20;
    if (session->log) {
        config->engine.log =
            (struct cad_log){.fn = log_line, .ctx = session->log, .level = args->log_level};
    }
    config->engine.app_name = CAD_STR("cadmium-play");
    config->engine.app_version = cad_str_from(cad_version());
    if (args->audio_language) config->engine.audio_language = cad_str_from(args->audio_language);
    if (args_wants_subtitles(args)) config->engine.text_language = cad_str_from(args->subtitles);
    fill_services(args, config);
    config->ca_file = args->ca_file;
    config->wakeup = wake_up;
    config->wakeup_ctx = session;
    config->tape = session->tape.tape;
}

static int load(struct session *session, cad_time start)
{
    const struct play_args *args = session->args;
    int rc = 0;
    if (session->rung >= 0) rc = cad_player_pin(session->player, session->rung);
    if (rc == 0 && session->speed_q16 != ARGS_RATE_NORMAL) {
        rc = cad_player_set_rate(session->player, session->speed_q16);
    }
    if (rc == 0 && !session->paused) rc = cad_player_play(session->player);
    if (rc < 0) return rc;
    if (args->title) {
        return cad_player_load_title(session->player, args->base, args->title, start, NULL);
    }
    return cad_player_load_url(session->player, args->target, start, NULL);
}

/* With the store that was named; with the usual one if nobody else has it. */
static int create_with_store(struct session *session, struct cad_player_config *config)
{
    const struct play_args *args = session->args;
    char text[CAD_ERROR_MESSAGE_SIZE];
    bool named = args->store != NULL;
    config->store_path = args->no_store || args->list_tracks ? NULL
                         : named                             ? args->store
                                                             : args->usual_store;
    errno = 0;
    int rc = config->store_path ? keep_make_parents(config->store_path) : 0;
    if (rc == 0) rc = cad_player_create(config, &session->player);
    if (rc != CAD_E_IO || !config->store_path) return rc;
    if (named) {
        bool locked = errno == 0 || errno == EAGAIN || errno == EWOULDBLOCK;
        snprintf(text, sizeof(text), "--store %.80s cannot be used: %.40s", args->store,
                 locked ? "another program uses it" : strerror(errno));
        session_fail(session, CAD_ERR_FILE_UNWRITABLE, text);
        return rc;
    }
    CAD_LOG(&config->engine.log, WARN, CAD_TIME_NONE,
            "play: nothing is kept: the usual store cannot be used");
    config->store_path = NULL;
    return cad_player_create(config, &session->player);
}

static int create_player(struct session *session)
{
    struct cad_player_config config;
    char licence[JWK_BYTES];
    size_t n = 0;
    fill_config(session, &config);
    int rc = jwk_write(session->args->keys, session->args->key_count, licence, &n);
    if (n > 0) config.engine.licence = (cad_buf){(const uint8_t *)licence, n};
    if (rc == 0) rc = create_with_store(session, &config);
    cad_wipe(licence, sizeof(licence));
    return rc;
}

int session_open(struct session *session, struct cad_sink *sink)
{
    session->sink = sink;
    int rc = create_player(session);
    if (rc < 0) {
        bool memory = rc == CAD_E_NOMEM;
        session_fail(session, memory ? CAD_ERR_OUT_OF_MEMORY : CAD_ERR_LIMIT,
                     rc == CAD_E_INVAL ? "a setting is out of its range" : NULL);
        return rc;
    }
    rc = load(session, session->args->seek);
    if (rc < 0) {
        session_fail(session, CAD_ERR_TITLE_INVALID, NULL);
        return rc;
    }
    if (pthread_create(&session->thread, NULL, sink_main, session) != 0) {
        session_fail(session, CAD_ERR_LIMIT, "the system gives no thread");
        return CAD_E_IO;
    }
    session->has_thread = true;
    return 0;
}

/* ---- going on ------------------------------------------------------------------------------- */

static cad_time seek_target(struct session *session, const struct cad_app_event *event)
{
    if (event->ticket >= session->seek_last) session->seek_last = 0;
    for (uint32_t i = 0; i < SESSION_SEEKS_MAX; i++) {
        if (event->ticket == 0 || session->seeks[i].ticket != event->ticket) continue;
        session->seeks[i].ticket = 0;
        return session->seeks[i].to;
    }
    return event->position;
}

/* A rung beyond the ladder plays the highest: that is said once, when the ladder is known. */
static void look_at_rung(struct session *session, const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    int32_t rung = session->args->rung;
    if (session->rung_looked_at || rung < 0) return;
    session->rung_looked_at = true;
    if (!video->present) {
        fputs("cadmium-play: --rung means nothing here: the title has no picture\n", stderr);
    } else if ((uint32_t)rung >= video->rung_count) {
        fprintf(stderr, "cadmium-play: --rung %d: the ladder has %u rung%s; %u is played\n",
                (int)rung, video->rung_count, video->rung_count == 1 ? "" : "s",
                video->rung_count - 1);
    }
}

/* Rungs are those of the picture, or of the sound where there is no picture. */
static bool is_told(struct session *session, const struct cad_app_event *event)
{
    if (event->type != CAD_APP_RUNG) return true;
    struct cad_engine_stats stats;
    cad_player_stats(session->player, &stats);
    look_at_rung(session, &stats);
    if (event->slot == CAD_SLOT_TEXT) return false;
    return event->slot == CAD_SLOT_VIDEO || !stats.slot[CAD_SLOT_VIDEO].present;
}

/* The engine knows a wish from the beginning, by its tag; other names of the same language
 * ("ger", "deu") are known here. */
static void wish_track(struct session *session, enum cad_media_type type, const char *wish)
{
    const char *id = NULL;
    for (uint32_t i = 0; i < session->track_count; i++) {
        const struct cad_track_info *track = &session->tracks[i];
        if (track->type != type || !track->playable) continue;
        if (!label_language_fits(wish, track->lang)) continue;
        if (track->selected) return;
        if (!id) id = track->id;
    }
    if (id) {
        session_track(session, id);
    } else if (type == CAD_MEDIA_AUDIO) {
        fputs("cadmium-play: --audio-language: no sound track is in that language\n", stderr);
    } else {
        fputs("cadmium-play: --subtitles: no text track is in that language\n", stderr);
    }
}

/* The first list decides: later ones follow what the viewer chose meanwhile. */
static void wish_languages(struct session *session)
{
    const struct play_args *args = session->args;
    if (session->language_wished) return;
    session->language_wished = true;
    if (args->audio_language) wish_track(session, CAD_MEDIA_AUDIO, args->audio_language);
    if (args_wants_subtitles(args)) wish_track(session, CAD_MEDIA_TEXT, args->subtitles);
}

static void tell_tracks(struct session *session)
{
    if (session->args->json) {
        tell_json_tracks(session->tracks, session->track_count, tell_now());
    } else if (session->args->list_tracks) {
        tell_text_tracks(session->tracks, session->track_count);
    }
    if (session->args->list_tracks) session->ended = true;
    wish_languages(session);
}

/* A bare file is not known to be picture or sound before its header is there. */
static bool is_provisional(const struct session *session, const struct cad_track_info *tracks,
                           uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (tracks[i].type != CAD_MEDIA_OTHER) return false;
    }
    return !session->first_told;
}

/* By the figures, not by events: the list is new whenever its version is. */
static void look_at_tracks(struct session *session)
{
    struct cad_track_info tracks[CAD_TRACK_LIST_MAX];
    struct cad_engine_stats stats;
    cad_player_stats(session->player, &stats);
    if (stats.tracks_version == session->tracks_version || session->failed) return;
    session->rung_count = cad_player_rungs(session->player, session->rungs, CAD_ABR_RUNGS_MAX);
    uint32_t count = cad_player_tracks(session->player, tracks, CAD_TRACK_LIST_MAX);
    count = CAD_MIN(count, (uint32_t)CAD_TRACK_LIST_MAX);
    if (is_provisional(session, tracks, count)) return;
    session->tracks_version = stats.tracks_version;
    bool same = count == session->track_count &&
                memcmp(tracks, session->tracks, count * sizeof(tracks[0])) == 0;
    if (same || count == 0) return;
    memcpy(session->tracks, tracks, count * sizeof(tracks[0]));
    session->track_count = count;
    if (!session->ended) tell_tracks(session);
}

/* What the window wants to know of an event. */
static void note_event(struct session *session, const struct cad_app_event *event)
{
    if (event->type == CAD_APP_STALL_BEGIN && session->stall_count < SESSION_STALLS_MAX) {
        session->stalls[session->stall_count++] = event->position;
    }
}

static void take_event(struct session *session, const struct cad_app_event *event)
{
    note_event(session, event);
    bool told = is_told(session, event);
    cad_time to = event->type == CAD_APP_SEEK_DONE ? seek_target(session, event) : CAD_TIME_NONE;
    if (event->type == CAD_APP_FIRST_FRAME) session->first_told = true;
    if (told && session->args->json) {
        tell_json_event(event, to);
    } else if (told && session->args->headless) {
        tell_text_event(event, to);
    }
    if (event->type == CAD_APP_ENDED) session->ended = true;
    if (event->type == CAD_APP_ERROR && event->error.cls == CAD_ERROR_FATAL && !session->failed) {
        session->failed = true;
        session->error = event->error;
        tell_error_words(&event->error);
    }
    if (session->ended || session->failed) session->end_at = event->at;
}

static void take_signals(struct session *session)
{
    struct signalfd_siginfo info;
    while (read(session->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        session->quit = true;
    }
}

bool session_retry(struct session *session)
{
    if (!session->player || !session->has_thread) return false;
    cad_time start = session->shown_at == CAD_TIME_NONE ? session->args->seek : session->shown_at;
    if (load(session, start) < 0) return false;
    session->failed = session->ended = false;
    session->end_at = session->bytes_at = CAD_TIME_NONE;
    session->seek_last = 0;
    return true;
}

bool session_poll_signals(struct session *session)
{
    take_signals(session);
    return !session->quit;
}

/* Where every picture is told, the first one that is not wanted ends it; else the position does. */
static void look_at_until(struct session *session)
{
    if (session->args->until == CAD_TIME_NONE || !session->first_told) return;
    struct cad_engine_stats stats;
    cad_player_stats(session->player, &stats);
    bool exact = session->md5 || session->has_dump;
    if (exact && stats.slot[CAD_SLOT_VIDEO].present) return;
    bool there = stats.position != CAD_TIME_NONE && stats.position >= session->args->until;
    if (there) atomic_store(&session->reached, true);
}

bool session_poll(struct session *session)
{
    char bytes[64];
    struct cad_app_event event;
    while (read(session->wake[0], bytes, sizeof(bytes)) > 0) {
    }
    take_signals(session);
    while (cad_player_wait_event(session->player, &event, 0) == 0) take_event(session, &event);
    look_at_tracks(session);
    look_at_until(session);
    if (atomic_load(&session->reached)) session->ended = true;
    return !session->quit && !session->ended && !session->failed;
}

void session_pause(struct session *session, bool paused)
{
    session->paused = paused;
    int rc = paused ? cad_player_pause(session->player) : cad_player_play(session->player);
    /* Only when 64 commands wait unread: the next key press is as good. */
    CAD_UNUSED(rc);
}

void session_seek(struct session *session, cad_time to)
{
    uint32_t ticket = 0;
    to = CAD_MAX(to, 0);
    if (cad_player_seek(session->player, to, &ticket) < 0) return;
    session->seek_last = ticket;
    session->seek_to = to;
    session->seeks[session->seek_next] = (struct session_seek){ticket, to};
    session->seek_next = (session->seek_next + 1) % SESSION_SEEKS_MAX;
}

void session_seek_by(struct session *session, cad_time by)
{
    struct cad_engine_stats stats;
    cad_player_stats(session->player, &stats);
    cad_time from = session_position(session, &stats);
    cad_time to = cad_time_add(from == CAD_TIME_NONE ? 0 : from, by);
    if (stats.duration != CAD_TIME_NONE) to = CAD_MIN(to, stats.duration);
    session_seek(session, to);
}

cad_time session_position(const struct session *session, const struct cad_engine_stats *stats)
{
    return session->seek_last != 0 ? session->seek_to : stats->position;
}

void session_watch(struct session *session, const struct cad_engine_stats *stats, cad_time now)
{
    uint64_t bytes = 0;
    bool waits = stats->state == CAD_STATE_LOADING || stats->state == CAD_STATE_BUFFERING;
    for (int i = 0; i < CAD_ENGINE_TRACKS; i++) bytes += stats->slot[i].bytes_fetched;
    bool news = bytes != session->bytes_seen;
    session->bytes_seen = bytes;
    if (!waits) session->bytes_at = CAD_TIME_NONE;
    if (waits && (news || session->bytes_at == CAD_TIME_NONE)) session->bytes_at = now;
}

void session_speed(struct session *session, uint32_t speed_q16)
{
    if (cad_player_set_rate(session->player, speed_q16) < 0) return;
    session->speed_q16 = speed_q16;
    if (session->args->json) tell_json_rate(speed_q16, tell_now());
}

void session_rung(struct session *session, int32_t rung)
{
    if (cad_player_pin(session->player, rung) == 0) session->rung = rung;
}

void session_track(struct session *session, const char *id)
{
    int rc = cad_player_select_track(session->player, id, NULL);
    /* Only when 64 commands wait unread, or of an id that no track has. */
    CAD_UNUSED(rc);
}

/* ---- ending --------------------------------------------------------------------------------- */

/* What could not be written while playing fails now, at the latest. */
static void close_file(struct session *session, FILE **file, const char *message)
{
    if (!*file || *file == stderr) return;
    bool good = !ferror(*file);
    if (fclose(*file) != 0) good = false;
    if (!good) session_fail(session, CAD_ERR_FILE_UNWRITABLE, message);
    *file = NULL;
}

static void close_files(struct session *session)
{
    close_file(session, &session->md5, "the file of --framemd5 could not be written");
    close_file(session, &session->sound_md5, "the file of --soundmd5 could not be written");
    close_file(session, &session->text, "the file of --dump-text could not be written");
    if (tape_file_close(&session->tape) != 0) {
        session_fail(session, CAD_ERR_FILE_UNWRITABLE, "the file of --tape could not be written");
    }
    close_file(session, &session->log, "the file of --log could not be written");
    for (int i = 0; i < 2; i++) {
        if (session->wake[i] >= 0) close(session->wake[i]);
    }
    if (session->signals >= 0) close(session->signals);
}

/* The newest figures of the sink itself: what the engine knows is a tenth of a second old. */
static void count_frames(struct session *session, struct cad_engine_stats *stats)
{
    struct cad_sink_report report;
    cad_time later = cad_time_add(cad_player_now(session->player), CAD_SECOND);
    session->sink->ops->report(session->sink, later, &report);
    if (!report.has_level) return;
    stats->frames = report.level.frames;
    stats->dropped = report.level.dropped;
}

/* What was said last is heard where a service answers soon; else it is kept, and said next time. */
static void linger(struct session *session, struct cad_engine_stats *stats)
{
    struct cad_engine_stats now;
    struct cad_app_event event;
    if (!session->has_thread || cad_player_stop(session->player) < 0) return;
    cad_time until = cad_time_add(tell_now(), LINGER);
    do {
        int rc = cad_player_wait_event(session->player, &event, 10 * CAD_MS);
        CAD_UNUSED(rc); /* what is told now is over already */
        cad_player_stats(session->player, &now);
        if (now.state == CAD_STATE_STOPPED && now.services.events_waiting == 0) break;
    } while (tell_now() < until);
    stats->services.events = now.services.events;
    stats->services.events_delivered = now.services.events_delivered;
    stats->services.events_waiting = now.services.events_waiting;
    stats->services.logs = now.services.logs;
    stats->services.logs_dropped = now.services.logs_dropped;
    stats->services.batches_delivered = now.services.batches_delivered;
}

int session_close(struct session *session)
{
    struct cad_engine_stats stats;
    memset(&stats, 0, sizeof(stats));
    stats.startup = stats.position = stats.duration = CAD_TIME_NONE;
    atomic_store(&session->stop, true);
    if (session->has_thread) pthread_join(session->thread, NULL);
    if (session->player) cad_player_stats(session->player, &stats);
    if (session->player && session->sink) count_frames(session, &stats);
    if (session->player) linger(session, &stats);
    if (session->sink) session->sink->ops->destroy(session->sink);
    cad_player_destroy(&session->player);
    if (session->has_dump) text_dump_deinit(&session->dump);
    close_files(session);
    if (session->args->json) {
        tell_json_end(&stats, session->end_at == CAD_TIME_NONE ? tell_now() : session->end_at);
    } else if (session->args->headless) {
        tell_text_end(&stats);
    }
    bool written = tell_written();
    return session->failed || !written ? PLAY_EXIT_ERROR : PLAY_EXIT_OK;
}
