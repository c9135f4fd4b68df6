#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "base/util.h"

#define ANSWER_SIZE 16384
#define REQUEST_SIZE 512
#define PATH_SIZE 4096
#define STOP_TRIES 200           /* of 10 ms, before it is killed */

static int fail(struct stage *stage, int err, const char *what, const char *why)
{
    (void)snprintf(stage->error, sizeof(stage->error), "%.50s: %.100s", what, why);
    return err;
}

/* ---- asking ------------------------------------------------------------------------------- */

static int connect_to(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct timeval patience = {.tv_sec = STAGE_PATIENCE_S};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) == 0 &&
        connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
        return fd;
    }
    int why = errno;
    (void)close(fd);
    errno = why;
    return -1;
}

static bool send_all(int fd, cad_str text)
{
    while (text.n > 0) {
        ssize_t n = send(fd, text.p, text.n, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        text = cad_str_sub(text, (size_t)n, text.n);
    }
    return true;
}

/* Up to the end of the connection; what does not fit is passed over. */
static ssize_t receive_all(int fd, char out[ANSWER_SIZE])
{
    size_t have = 0;
    for (;;) {
        char spare[1024];
        bool full = have == ANSWER_SIZE - 1;
        ssize_t n = recv(fd, full ? spare : out + have,
                         full ? sizeof(spare) : ANSWER_SIZE - 1 - have, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) break;
        if (!full) have += (size_t)n;
    }
    out[have] = '\0';
    return (ssize_t)have;
}

/* One request on a connection of its own; *body: of the answer, in `answer`. */
static int ask(struct stage *stage, const char *head, cad_str body, char answer[ANSWER_SIZE],
               cad_str *out)
{
    char request[REQUEST_SIZE];
    int n = snprintf(request, sizeof(request),
                     "%s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nContent-Length: %zu\r\n"
                     "Connection: close\r\n\r\n", head, (unsigned)stage->control_port, body.n);
    if (n < 0 || (size_t)n >= sizeof(request)) return fail(stage, CAD_E_INVAL, "too long", head);
    int fd = connect_to(stage->control_port);
    if (fd < 0) return fail(stage, CAD_E_IO, "cadmium-mockd cannot be asked", strerror(errno));
    bool good = send_all(fd, cad_str_make(request, (size_t)n)) && send_all(fd, body) &&
                receive_all(fd, answer) >= 0;
    int why = errno;
    (void)close(fd);
    if (!good) return fail(stage, CAD_E_IO, "cadmium-mockd does not answer", strerror(why));
    const char *end = strstr(answer, "\r\n\r\n");
    if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || !end) {
        return fail(stage, CAD_E_IO, "this is no cadmium-mockd", head);
    }
    *out = cad_str_from(end + 4);
    if (strncmp(answer + 9, "200", 3) == 0) return 0;
    char text[100];
    cad_str_copyz(text, sizeof(text), cad_str_trim(*out));
    return fail(stage, CAD_E_INVAL, head, text);
}

int stage_post(struct stage *stage, const char *path, cad_str body)
{
    char answer[ANSWER_SIZE], head[REQUEST_SIZE];
    cad_str text;
    int n = snprintf(head, sizeof(head), "POST %s", path);
    if (n < 0 || (size_t)n >= sizeof(head)) return fail(stage, CAD_E_INVAL, "too long", path);
    return ask(stage, head, body, answer, &text);
}

/* ---- what it says of itself --------------------------------------------------------------- */

/* "127.0.0.1:8080" or "http://127.0.0.1:8080" */
static bool read_port(cad_str text, uint16_t *out)
{
    int64_t port;
    ptrdiff_t colon = -1;
    cad_str scheme = CAD_STR("http://"), slash = CAD_STR("/");
    if (cad_str_starts(text, scheme)) text = cad_str_sub(text, scheme.n, text.n);
    if (cad_str_ends(text, slash)) text = cad_str_sub(text, 0, text.n - 1);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == ':') colon = (ptrdiff_t)i;
    }
    if (colon < 0 || !cad_str_eqz(cad_str_sub(text, 0, (size_t)colon), "127.0.0.1")) return false;
    if (cad_str_to_i64(cad_str_sub(text, (size_t)colon + 1, text.n), &port)) return false;
    if (port < 1 || port > 65535) return false;
    *out = (uint16_t)port;
    return true;
}

/* The line it prints when it listens, or its counts: hosts and control port are in them. */
static int read_hosts(struct stage *stage, cad_str text)
{
    struct cad_json json;
    cad_str key = {NULL, 0};
    enum cad_json_type type;
    cad_json_init(&json, text, NULL);
    stage->host_count = 0;
    while ((type = cad_json_next(&json)) != CAD_JSON_END && type != CAD_JSON_ERROR) {
        if (type == CAD_JSON_KEY) key = cad_json_raw(&json);
        if (type != CAD_JSON_STRING) continue;
        cad_str value = cad_json_raw(&json);
        if (cad_str_eqz(key, "control")) {
            (void)read_port(value, &stage->control_port);
        } else if (cad_str_eqz(key, "hosts") || cad_str_eqz(key, "name")) {
            if (stage->host_count == STAGE_HOSTS_MAX) break;
            cad_str_copyz(stage->hosts[stage->host_count++], sizeof(stage->hosts[0]), value);
        }
    }
    if (stage->host_count > 0 && stage->control_port != 0) return 0;
    return fail(stage, CAD_E_IO, "cadmium-mockd", "what it says is not understood");
}

int stage_attach(struct stage *stage, const char *control_url)
{
    char answer[ANSWER_SIZE];
    cad_str text;
    memset(stage, 0, sizeof(*stage));
    if (!read_port(cad_str_from(control_url), &stage->control_port)) {
        return fail(stage, CAD_E_INVAL, "not http://127.0.0.1:PORT", control_url);
    }
    int err = ask(stage, "GET /counts", (cad_str){NULL, 0}, answer, &text);
    return err ? err : read_hosts(stage, text);
}

/* ---- starting and stopping ---------------------------------------------------------------- */

/* The program beside this one. */
static bool find_program(char out[PATH_SIZE])
{
    static const char name[] = "cadmium-mockd";
    ssize_t n = readlink("/proc/self/exe", out, PATH_SIZE - 1);
    if (n <= 0) return false;
    out[n] = '\0';
    char *slash = strrchr(out, '/');
    if (!slash || (size_t)(slash + 1 - out) + sizeof(name) > PATH_SIZE) return false;
    memcpy(slash + 1, name, sizeof(name));
    return true;
}

/* In the child: what a parent that dies leaves behind ends with it. */
static void become(const char *path, uint32_t hosts, int out)
{
    char number[16];
    sigset_t none;
    (void)snprintf(number, sizeof(number), "%u", (unsigned)hosts);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(out, STDOUT_FILENO) >= 0) {
        execl(path, path, "--stage", "--hosts", number, (char *)NULL);
    }
    _exit(127);
}

/* The first line, waited for. */
static int read_line(struct stage *stage, int fd)
{
    char line[ANSWER_SIZE];
    size_t have = 0;
    while (have < sizeof(line) - 1) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int rc = poll(&wait, 1, STAGE_PATIENCE_S * 1000);
        if (rc < 0 && errno == EINTR) continue;
        if (rc <= 0) return fail(stage, CAD_E_IO, "cadmium-mockd", "it does not begin to listen");
        ssize_t n = read(fd, line + have, sizeof(line) - 1 - have);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail(stage, CAD_E_IO, "cadmium-mockd", "it ended at once");
        have += (size_t)n;
        if (memchr(line, '\n', have)) break;
    }
    line[have] = '\0';
    return read_hosts(stage, cad_str_make(line, have));
}

int stage_start(struct stage *stage, const char *path, uint32_t hosts)
{
    char found[PATH_SIZE];
    int ends[2];
    memset(stage, 0, sizeof(*stage));
    if (!path) {
        if (!find_program(found) || access(found, X_OK) != 0) {
            return fail(stage, CAD_E_IO, "no cadmium-mockd beside this program",
                        "--mockd says where it is");
        }
        path = found;
    }
    if (access(path, X_OK) != 0) return fail(stage, CAD_E_IO, path, strerror(errno));
    if (pipe(ends) != 0) return fail(stage, CAD_E_IO, "no pipe", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) become(path, hosts, ends[1]);
    (void)close(ends[1]);
    int err;
    if (pid < 0) {
        err = fail(stage, CAD_E_IO, path, strerror(errno));
    } else {
        stage->pid = pid;
        err = read_line(stage, ends[0]);
    }
    (void)close(ends[0]);
    if (err) stage_stop(stage);
    return err;
}

void stage_stop(struct stage *stage)
{
    if (stage->pid <= 0) return;
    (void)kill(stage->pid, SIGTERM);
    for (int i = 0; i < STOP_TRIES; i++) {
        const struct timespec pause = {.tv_nsec = 10000000};
        pid_t rc = waitpid(stage->pid, NULL, WNOHANG);
        if (rc == stage->pid || (rc < 0 && errno != EINTR)) {
            stage->pid = 0;
            return;
        }
        (void)nanosleep(&pause, NULL);
    }
    (void)kill(stage->pid, SIGKILL);
    (void)waitpid(stage->pid, NULL, 0);
    stage->pid = 0;
}
