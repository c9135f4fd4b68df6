#include "headless.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "session.h"
#include "tell.h"

#define LINE_BYTES_MAX 256 /* of a command; longer lines are passed over */
#define LOOK_MS 100        /* the state is looked at this often without any event */

/* Commands as they arrive on standard input. */
struct commands {
    bool open;
    bool too_long;
    char line[LINE_BYTES_MAX];
    size_t n;
};

static void obey(struct session *session, cad_str line)
{
    line = cad_str_trim(line);
    char id[CAD_TRACK_ID_SIZE];
    cad_time to = 0;
    uint32_t speed = 0;
    if (cad_str_eqz(line, "quit")) {
        session->quit = true;
    } else if (cad_str_eqz(line, "pause")) {
        session_pause(session, true);
    } else if (cad_str_eqz(line, "play")) {
        session_pause(session, false);
    } else if (cad_str_eqz(line, "notext")) {
        session_track(session, "");
    } else if (cad_str_starts(line, CAD_STR("seek ")) &&
               args_seconds(cad_str_trim(cad_str_sub(line, 5, line.n)), &to) == 0) {
        session_seek(session, to);
    } else if (cad_str_starts(line, CAD_STR("track ")) && line.n - 6 < sizeof(id)) {
        cad_str_copyz(id, sizeof(id), cad_str_trim(cad_str_sub(line, 6, line.n)));
        session_track(session, id);
    } else if (cad_str_starts(line, CAD_STR("rate ")) &&
               args_speed(cad_str_trim(cad_str_sub(line, 5, line.n)), &speed) == 0) {
        session_speed(session, speed);
    } else if (line.n > 0) {
        fputs("cadmium-play: not understood: ", stderr);
        tell_shown(stderr, line);
        fputc('\n', stderr);
    }
}

static void take_byte(struct commands *commands, struct session *session, char c)
{
    if (c != '\n') {
        if (commands->n < sizeof(commands->line)) {
            commands->line[commands->n++] = c;
        } else {
            commands->too_long = true;
        }
        return;
    }
    if (!commands->too_long) obey(session, cad_str_make(commands->line, commands->n));
    commands->n = 0;
    commands->too_long = false;
}

/* The end of the input is no command: it only means that none will come. */
static void read_commands(struct commands *commands, struct session *session)
{
    char bytes[LINE_BYTES_MAX];
    ssize_t n = read(STDIN_FILENO, bytes, sizeof(bytes));
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
        if (commands->n > 0) take_byte(commands, session, '\n');
        commands->open = false;
    }
    for (ssize_t i = 0; i < n; i++) take_byte(commands, session, bytes[i]);
}

static void loop(struct session *session)
{
    struct commands commands = {.open = true};
    while (session_poll(session)) {
        struct pollfd fds[3] = {
            {.fd = session->wake[0], .events = POLLIN},
            {.fd = session->signals, .events = POLLIN},
            {.fd = commands.open ? STDIN_FILENO : -1, .events = POLLIN},
        };
        int rc = poll(fds, 3, LOOK_MS);
        if (rc < 0 && errno != EINTR) break;
        if (rc > 0 && fds[2].revents != 0) read_commands(&commands, session);
    }
}

int headless_run(const struct play_args *args)
{
    struct session session;
    struct cad_sink_options options;
    struct cad_sink *sink = NULL;
    if (session_init(&session, args) == 0) {
        session_sink_options(&session, &options);
        if (cad_sink_decode_create(&options, &sink) < 0) {
            session_fail(&session, CAD_ERR_OUT_OF_MEMORY, NULL);
        } else if (session_open(&session, sink) == 0) {
            loop(&session);
        }
    }
    return session_close(&session);
}
