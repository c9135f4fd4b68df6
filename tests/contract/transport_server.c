#include "transport_server.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "transport_contract.h"

#define CONNECTIONS_MAX 64
#define REQUEST_MAX 65536
#define LONG_BODY (1024 * 1024)
#define PIECE (128 * 1024)

enum after { AFTER_KEEP, AFTER_CLOSE, AFTER_RESET, AFTER_STALL };

struct connection {
    int fd;               /* -1: free */
    char request[REQUEST_MAX];
    size_t have;
    char *answer;         /* NULL: none yet */
    size_t size, sent;
    enum after after;
    bool stalled;
};

struct transport_server {
    int fd;
    int wake[2];
    uint16_t port;
    pthread_t thread;
    _Atomic uint32_t accepted;
    struct connection connections[CONNECTIONS_MAX];
};

uint8_t transport_pattern(int64_t i)
{
    return (uint8_t)(i * 7 + i / 251);
}

/* ---- answers --------------------------------------------------------------------------------- */

static void set_answer(struct connection *c, const char *head, const char *body, size_t n)
{
    size_t head_size = strlen(head);
    if (strncmp(c->request, "HEAD ", 5) == 0) n = 0;
    c->answer = malloc(head_size + n + 1);
    if (!c->answer) abort();
    memcpy(c->answer, head, head_size);
    if (n) memcpy(c->answer + head_size, body, n);
    c->size = head_size + n;
    c->sent = 0;
}

static char *pattern(int64_t first, int64_t n)
{
    char *p = malloc((size_t)n + 1);
    if (!p) abort();
    for (int64_t i = 0; i < n; i++) p[i] = (char)transport_pattern(first + i);
    return p;
}

/* "Range: bytes=A-B" or "A-" of a request; false: none. */
static bool asked_range(const char *request, int64_t size, int64_t *first, int64_t *last)
{
    const char *field = strcasestr(request, "\r\nRange: bytes=");
    if (!field) return false;
    char *end;
    *first = strtoll(field + strlen("\r\nRange: bytes="), &end, 10);
    *last = size - 1;
    if (*end == '-' && end[1] >= '0' && end[1] <= '9') *last = strtoll(end + 1, NULL, 10);
    if (*last >= size) *last = size - 1;
    return true;
}

static void answer_whole(struct connection *c, int64_t size)
{
    char head[256];
    int64_t first = 0;
    int64_t last = size - 1;
    bool range = asked_range(c->request, size, &first, &last);
    if (range && last < first) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 416 Range\r\nContent-Length: 0\r\nContent-Range: bytes */%lld\r\n\r\n",
                 (long long)size);
        set_answer(c, head, NULL, 0);
        return;
    }
    long long n = (long long)(last - first + 1);
    if (range) {
        snprintf(head, sizeof head,
                 "HTTP/1.1 206 Part\r\nContent-Length: %lld\r\nContent-Range: bytes "
                 "%lld-%lld/%lld\r\n\r\n",
                 n, (long long)first, (long long)last, (long long)size);
    } else {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\n\r\n", n);
    }
    char *body = pattern(first, n);
    set_answer(c, head, body, (size_t)n);
    free(body);
}

static void answer_half(struct connection *c, int64_t size, enum after after)
{
    char head[128];
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %lld\r\n\r\n", (long long)size);
    char *body = pattern(0, size / 2);
    set_answer(c, head, body, (size_t)(size / 2));
    free(body);
    c->after = after;
}

static void answer_chunked(struct connection *c, int64_t size)
{
    enum { CHUNK = 1000 };
    char *body = malloc((size_t)size + (size_t)(size / CHUNK + 2) * 16);
    if (!body) abort();
    size_t at = 0;
    for (int64_t i = 0; i < size; i += CHUNK) {
        int64_t n = size - i < CHUNK ? size - i : CHUNK;
        at += (size_t)sprintf(body + at, "%llx\r\n", (unsigned long long)n);
        for (int64_t k = 0; k < n; k++) body[at++] = (char)transport_pattern(i + k);
        at += (size_t)sprintf(body + at, "\r\n");
    }
    at += (size_t)sprintf(body + at, "0\r\nX-Trailer: 1\r\n\r\n");
    set_answer(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body, at);
    free(body);
}

static void answer_headers(struct connection *c, int64_t lines)
{
    static const char line[] = "X-Header: 01234567890123456789012345678901234567\r\n";
    size_t size = strlen(line);
    char *text = malloc((size_t)lines * size + 64);
    if (!text) abort();
    size_t at = (size_t)sprintf(text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    for (int64_t i = 0; i < lines; i++, at += size) memcpy(text + at, line, size);
    memcpy(text + at, "\r\n", 3);
    set_answer(c, text, NULL, 0);
    free(text);
}

static void answer_simple(struct connection *c, const char *path, const char *body, size_t body_n)
{
    char head[256];
    if (strcmp(path, "/redirect") == 0) {
        set_answer(c, "HTTP/1.1 302 Found\r\nLocation: /whole/1\r\n"
                      "Content-Length: 0\r\n\r\n", NULL, 0);
    } else if (strcmp(path, "/busy") == 0) {
        set_answer(c, "HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n"
                      "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n", NULL, 0);
    } else if (strcmp(path, "/told") == 0) {
        set_answer(c, "HTTP/1.1 200 OK\r\n" TRANSPORT_TOLD_LINES "Content-Length: 4\r\n\r\n",
                   "told", 4);
    } else if (strcmp(path, "/echo") == 0) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", body_n);
        set_answer(c, head, body, body_n);
    } else if (strcmp(path, "/silent") == 0) {
        set_answer(c, "", NULL, 0);
        c->after = AFTER_STALL;
    } else if (strcmp(path, "/garbage") == 0) {
        set_answer(c, "what is this?\n", NULL, 0);
        c->after = AFTER_CLOSE;
    } else {
        set_answer(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", NULL, 0);
    }
}

/* A proxy is asked with a whole URL (RFC 9112 3.2.2): it answers in place of any origin. */
static void take_origin(char *path)
{
    if (strncmp(path, "http://", 7) != 0) return;
    const char *rest = strchr(path + 7, '/');
    if (rest) memmove(path, rest, strlen(rest) + 1);
}

static void answer(struct connection *c, const char *body, size_t body_n)
{
    char path[256] = "";
    char name[32] = "";
    long long n = 0;
    sscanf(c->request, "%*s %255s", path);
    c->after = AFTER_KEEP;
    take_origin(path);
    if (sscanf(path, "/%31[a-z]/%lld", name, &n) == 2) {
        if (strcmp(name, "whole") == 0) answer_whole(c, n);
        if (strcmp(name, "chunked") == 0) answer_chunked(c, n);
        if (strcmp(name, "headers") == 0) answer_headers(c, n);
        if (strcmp(name, "stall") == 0) answer_half(c, n, AFTER_STALL);
        if (strcmp(name, "reset") == 0) answer_half(c, n, AFTER_RESET);
        if (strcmp(name, "cut") == 0) answer_half(c, n, AFTER_CLOSE);
    }
    if (!c->answer) answer_simple(c, path, body, body_n);
}

/* ---- connections ----------------------------------------------------------------------------- */

static void drop(struct connection *c)
{
    close(c->fd);
    free(c->answer);
    c->fd = -1;
    c->answer = NULL;
    c->have = 0;
    c->stalled = false;
}

/* Answers the request at the front of the buffer, if it is whole. */
static void look(struct connection *c)
{
    c->request[c->have] = '\0';
    char *end = strstr(c->request, "\r\n\r\n");
    if (!end || c->answer) return;
    char *body = end + 4;
    const char *field = strcasestr(c->request, "\r\nContent-Length:");
    size_t n = 0;
    if (field && field < end) n = strtoul(field + strlen("\r\nContent-Length:"), NULL, 10);
    size_t used = (size_t)(body - c->request) + n;
    if (c->have < used) return;
    answer(c, body, n);
    memmove(c->request, c->request + used, c->have - used);
    c->have -= used;
}

static void receive(struct connection *c)
{
    ssize_t n = recv(c->fd, c->request + c->have, sizeof c->request - 1 - c->have, 0);
    if (n <= 0) {
        drop(c);
        return;
    }
    c->have += (size_t)n;
    look(c);
}

static void transmit(struct connection *c)
{
    size_t left = c->size - c->sent;
    /* Long bodies trickle: a client that reads on while there is something would see them whole. */
    if (c->size > LONG_BODY) usleep(1000);
    if (left > PIECE) left = PIECE;
    ssize_t n = send(c->fd, c->answer + c->sent, left, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN) {
        drop(c);
        return;
    }
    if (n > 0) c->sent += (size_t)n;
    if (c->sent < c->size) return;
    if (c->after == AFTER_STALL) {
        c->stalled = true;
        return;
    }
    if (c->after != AFTER_KEEP) {
        /* The half that was sent should arrive before the reset does. */
        if (c->after == AFTER_RESET) {
            usleep(50000);
            struct linger linger = {1, 0};
            setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        }
        drop(c);
        return;
    }
    free(c->answer);
    c->answer = NULL;
    look(c);
}

static void accept_one(struct transport_server *s)
{
    int fd = accept(s->fd, NULL, NULL);
    if (fd < 0) return;
    atomic_fetch_add(&s->accepted, 1);
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i].fd >= 0) continue;
        s->connections[i].fd = fd;
        return;
    }
    close(fd);
}

static void *serve(void *arg)
{
    struct transport_server *s = arg;
    for (;;) {
        struct pollfd fds[CONNECTIONS_MAX + 2] = {{s->wake[0], POLLIN, 0}, {s->fd, POLLIN, 0}};
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            struct connection *c = &s->connections[i];
            short events = c->answer && !c->stalled ? POLLOUT : POLLIN;
            fds[i + 2] = (struct pollfd){c->fd, events, 0};
        }
        if (poll(fds, CONNECTIONS_MAX + 2, -1) < 0 || fds[0].revents) return NULL;
        for (int i = 0; i < CONNECTIONS_MAX; i++) {
            struct connection *c = &s->connections[i];
            if (c->fd < 0 || !fds[i + 2].revents) continue;
            if (fds[i + 2].revents & POLLOUT) transmit(c);
            else receive(c);
        }
        if (fds[1].revents) accept_one(s);
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

struct transport_server *transport_server_start(void)
{
    struct transport_server *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    for (int i = 0; i < CONNECTIONS_MAX; i++) s->connections[i].fd = -1;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || bind(s->fd, (struct sockaddr *)&address, size) || listen(s->fd, 64) ||
        getsockname(s->fd, (struct sockaddr *)&address, &size) || pipe(s->wake) ||
        pthread_create(&s->thread, NULL, serve, s)) {
        perror("transport_server");
        free(s);
        return NULL;
    }
    s->port = ntohs(address.sin_port);
    return s;
}

void transport_server_stop(struct transport_server *s)
{
    if (!s) return;
    if (write(s->wake[1], "x", 1) != 1) perror("transport_server");
    pthread_join(s->thread, NULL);
    for (int i = 0; i < CONNECTIONS_MAX; i++) {
        if (s->connections[i].fd >= 0) drop(&s->connections[i]);
    }
    close(s->wake[0]);
    close(s->wake[1]);
    close(s->fd);
    free(s);
}

uint16_t transport_server_port(const struct transport_server *s)
{
    return s->port;
}

uint32_t transport_server_accepted(const struct transport_server *s)
{
    return atomic_load(&s->accepted);
}
