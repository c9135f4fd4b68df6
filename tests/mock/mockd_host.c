/* One server on loopback: listens, collects requests, answers them from files or the origin. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/util.h"
#include "mock/mock_ttml.h"
#include "mock/mockd.h"

#define FILES_PATH "/files/"
#define SIGNED_MPD_PATH "/signed/title.mpd"
#define MPD_TYPE "application/dash+xml"
#define BACKLOG 64
#define FILL_WAIT_MS 30   /* a connection on loopback that is not made by then will not be */

static bool serve_on(struct mockd_host *host, int fd);

/* ---- listening ------------------------------------------------------------------------------- */

/* A bound socket; port 0 is any that is free. The address of an emulated path may come into being
 * later. -1: errno. */
static int bind_socket(uint32_t ipv4, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int on = 1;
    address.sin_addr.s_addr = htonl(ipv4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on) < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) < 0) {
        int saved = errno;
        (void)close(fd);
        errno = saved;
        return -1;
    }
    return fd;
}

int mockd_host_listen(const struct mockd_host *host)
{
    int fd = bind_socket(host->ipv4, host->port);
    int on = 1;
    /* Connections inherit it. Without, the messages of a TLS handshake, which are written one by
     * one, wait for the client's acknowledgement: a round trip more. */
    if (fd >= 0) (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (fd >= 0 && listen(fd, BACKLOG) < 0) {
        (void)close(fd);
        fd = -1;
    }
    if (fd < 0) {
        (void)fprintf(stderr, "cadmium-mockd: %s: %s\n", host->name, strerror(errno));
    }
    return fd;
}

bool mockd_host_init(struct mockd_host *host, struct mockd *mockd, uint32_t number, uint16_t port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(host, 0, sizeof *host);
    host->mockd = mockd;
    host->number = number;
    host->deaf_fd = -1;
    host->rate_kbps = mockd->options.rate_kbps;
    host->ipv4 = number == 0 ? INADDR_LOOPBACK : mockd->options.ipv4; /* control: here only */
    /* Bound but not listening, it keeps the port for this host while the host is closed. */
    host->reserve_fd = bind_socket(host->ipv4, port);
    if (host->reserve_fd < 0 ||
        getsockname(host->reserve_fd, (struct sockaddr *)&address, &size) < 0) {
        (void)fprintf(stderr, "cadmium-mockd: port %u: %s\n", (unsigned)port, strerror(errno));
        return false;
    }
    host->port = ntohs(address.sin_port);
    (void)snprintf(host->name, sizeof host->name, "%u.%u.%u.%u:%u", (unsigned)(host->ipv4 >> 24),
                   (unsigned)(host->ipv4 >> 16 & 255), (unsigned)(host->ipv4 >> 8 & 255),
                   (unsigned)(host->ipv4 & 255), (unsigned)host->port);
    return true;
}

void mockd_host_deinit(struct mockd_host *host)
{
    if (!host->mockd) return;
    mockd_host_close(host);
    if (host->reserve_fd >= 0) (void)close(host->reserve_fd);
    host->mockd = NULL;
}

static void drop_fillers(struct mockd_host *host)
{
    while (host->filler_count > 0) (void)close(host->fillers[--host->filler_count]);
}

void mockd_host_close(struct mockd_host *host)
{
    struct mockd *mockd = host->mockd;
    (void)pthread_mutex_lock(&mockd->lock);
    struct MHD_Daemon *daemon = host->daemon;
    host->daemon = NULL;
    host->closing = true;
    (void)pthread_cond_broadcast(&mockd->changed);
    (void)pthread_mutex_unlock(&mockd->lock);
    drop_fillers(host);
    if (host->deaf_fd >= 0) (void)close(host->deaf_fd);
    host->deaf_fd = -1;
    if (daemon) MHD_stop_daemon(daemon);
    while (host->past_count > 0) MHD_stop_daemon(host->past[--host->past_count]);
}

/* ---- deafness -------------------------------------------------------------------------------- */

/* A connection from here that waits to be taken. -1: the queue is full, the system drops what asks
 * (tcp(7): a SYN for a full queue is not answered). */
static int fill_once(const struct mockd_host *host)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(host->port)};
    address.sin_addr.s_addr = htonl(host->ipv4);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
    struct pollfd wait = {.fd = fd, .events = POLLOUT};
    if (errno == EINPROGRESS && poll(&wait, 1, FILL_WAIT_MS) == 1) return fd;
    (void)close(fd);
    return -1;
}

void mockd_host_deafen(struct mockd_host *host)
{
    struct mockd *mockd = host->mockd;
    if (!host->daemon) return;
    int fd = MHD_quiesce_daemon(host->daemon);
    if (fd < 0) return;
    (void)pthread_mutex_lock(&mockd->lock);
    struct MHD_Daemon *daemon = host->daemon;
    host->daemon = NULL;
    (void)pthread_mutex_unlock(&mockd->lock);
    if (host->past_count == MOCKD_DEAF_MAX) {
        MHD_stop_daemon(host->past[0]); /* its connections break: so long ago it was */
        memmove(&host->past[0], &host->past[1], --host->past_count * sizeof host->past[0]);
    }
    host->past[host->past_count++] = daemon;
    host->deaf_fd = fd;
    (void)listen(fd, 0);
    while (host->filler_count < MOCKD_FILLERS_MAX) {
        int filler = fill_once(host);
        if (filler < 0) break;
        host->fillers[host->filler_count++] = filler;
    }
}

bool mockd_host_hear(struct mockd_host *host)
{
    if (host->deaf_fd < 0) return true;
    int fd = host->deaf_fd;
    host->deaf_fd = -1;
    drop_fillers(host);
    return listen(fd, BACKLOG) == 0 && serve_on(host, fd);
}

/* ---- requests -------------------------------------------------------------------------------- */

void *mockd_request_begin(void *cls, const char *uri, struct MHD_Connection *connection)
{
    (void)connection;
    struct mockd_request *request = calloc(1, sizeof *request);
    if (!request) return NULL;
    request->host = cls;
    request->start = mockd_monotonic();
    request->range = (struct cad_range){-1, -1};
    request->file.fd = -1;
    request->cut_at = INT64_MAX;
    size_t n = strlen(uri) + 1;
    request->uri = malloc(n);
    if (!request->uri) {
        free(request);
        return NULL;
    }
    memcpy(request->uri, uri, n);
    return request;
}

bool mockd_request_collect(struct mockd_request *request, const char *method, const char *data,
                           size_t *n)
{
    if (!request->begun) {
        request->begun = true;
        cad_str_copyz(request->method, sizeof request->method, cad_str_from(method));
        return false;
    }
    if (*n == 0) return true;
    size_t total = request->upload_bytes + *n;
    bool control = request->host == &request->host->mockd->control;
    size_t most = control ? MOCKD_CONTROL_MAX : MOCKD_UPLOAD_MAX;
    uint8_t *grown = total > most ? NULL : realloc(request->upload, total);
    if (grown) {
        memcpy(grown + request->upload_bytes, data, *n);
        request->upload = grown;
        request->upload_bytes = total;
    } else {
        request->too_large = true;
    }
    *n = 0;
    return false;
}

void mockd_request_end(void *cls, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode how)
{
    (void)cls;
    (void)connection;
    struct mockd_request *request = *context;
    if (!request) return;
    struct mockd *mockd = request->host->mockd;
    (void)pthread_mutex_lock(&mockd->lock);
    request->host->requests++;
    request->host->bytes += (uint64_t)request->sent;
    if (request->host != &mockd->control) {
        mockd_log_request(mockd, request, how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    }
    if (request->answer.release) request->answer.release(request->answer.token);
    (void)pthread_mutex_unlock(&mockd->lock);
    if (request->quits) (void)pthread_kill(mockd->main_thread, SIGTERM);
    if (request->file.fd >= 0) (void)close(request->file.fd);
    free(request->upload);
    free(request->text);
    free(request->uri);
    free(request);
    *context = NULL;
}

/* ---- Range ----------------------------------------------------------------------------------- */

/*
 * "bytes=A-B", "bytes=A-" or, where the size is known, "bytes=-N" (RFC 9110 14.1.2). Anything else,
 * several ranges among it, is as if it were not there: first -1.
 */
static struct cad_range read_range(struct MHD_Connection *connection, int64_t size)
{
    static const cad_str unit = CAD_STR_INIT("bytes=");
    struct cad_range none = {-1, -1}, range = {-1, -1};
    cad_str text = cad_str_from(
        MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE));
    if (!cad_str_starts(text, unit)) return none;
    text = cad_str_sub(text, unit.n, text.n);
    ptrdiff_t dash = cad_str_find_char(text, '-');
    if (dash < 0) return none;
    cad_str last = cad_str_sub(text, (size_t)dash + 1, text.n);
    if (last.n > 0 && (cad_str_to_i64(last, &range.last) < 0 || range.last < 0)) return none;
    if (dash == 0) {
        if (last.n == 0 || size < 0) return none;
        return (struct cad_range){CAD_MAX(size - range.last, 0), size - 1};
    }
    if (cad_str_to_i64(cad_str_sub(text, 0, (size_t)dash), &range.first) < 0) return none;
    return range;
}

/* ---- plain files ----------------------------------------------------------------------------- */

/* Names parted by "/", each of letters, digits, "-", "_" and ".", none starting with a point: no
 * way out of the folder. */
static bool is_plain_path(cad_str path)
{
    if (path.n == 0 || path.n >= MOCKD_NAME_MAX) return false;
    bool begins = true;
    for (size_t i = 0; i < path.n; i++) {
        char c = path.p[i];
        bool letter = cad_is_alpha(c) || cad_is_digit(c) || c == '-' || c == '_';
        if (begins ? !letter : !letter && c != '.' && c != '/') return false;
        begins = c == '/';
    }
    return !begins;
}

static bool answer_text(struct mockd_request *request, int32_t status, const char *text)
{
    request->status = status;
    request->answer.content_type = "text/plain";
    return mockd_body_text(request, text, strlen(text));
}

static const char *file_type(cad_str name)
{
    if (cad_str_ends(name, CAD_STR(".json"))) return "application/json";
    if (cad_str_ends(name, CAD_STR(".mpd"))) return MPD_TYPE;
    if (cad_str_ends(name, CAD_STR(".m4s"))) return "video/iso.segment";
    if (cad_str_ends(name, CAD_STR(".ttml"))) return MOCK_TTML_TYPE;
    if (!cad_str_ends(name, CAD_STR(".mp4"))) return "application/octet-stream";
    return cad_str_starts(name, CAD_STR("audio-")) ? "audio/mp4" : "video/mp4";
}

static bool open_file(struct mockd_request *request, cad_str name)
{
    char z[MOCKD_NAME_MAX];
    struct stat st;
    cad_str_copyz(z, sizeof z, name);
    int fd = openat(request->host->mockd->title.folder_fd, z, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    request->file.fd = fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) return false;
    request->file.size_bytes = (int64_t)st.st_size;
    return true;
}

/* The manifest of the folder with URLs of this host: whichever port it got, they work. */
static bool serve_file_manifest(struct mockd_request *request)
{
    struct mockd *mockd = request->host->mockd;
    char base_url[64];
    cad_str text = {0};
    (void)snprintf(base_url, sizeof base_url, "%s://%s/files", mockd->tls_cert ? "https" : "http",
                   request->host->name);
    request->status = 200;
    request->answer.content_type = "application/json";
    (void)pthread_mutex_lock(&mockd->lock);
    bool good = mock_origin_manifest(mockd->origin, base_url, &text) == 0 &&
                mockd_body_text(request, text.p, text.n);
    (void)pthread_mutex_unlock(&mockd->lock);
    return good;
}

/* The MPD of the folder with signed URLs of every host. */
static bool serve_signed_mpd(struct mockd_request *request)
{
    struct mockd *mockd = request->host->mockd;
    cad_str text = {0};
    request->is_file = true;
    bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (!get) return answer_text(request, 405, "method not allowed\n");
    (void)pthread_mutex_lock(&mockd->lock);
    int rc = mock_origin_mpd(mockd->origin, NULL, mockd_now_ms(mockd), &text);
    bool good = rc == 0 && mockd_body_text(request, text.p, text.n);
    (void)pthread_mutex_unlock(&mockd->lock);
    if (rc < 0) return answer_text(request, 404, "these files have no MPD\n");
    request->status = 200;
    request->answer.content_type = MPD_TYPE;
    return good;
}

/* A file of the title's folder, unsigned, whole or by a Range header. */
static bool serve_file(struct mockd_request *request, struct MHD_Connection *connection,
                       cad_str name)
{
    char text[80];
    request->is_file = true;
    bool get = strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
    if (!get) return answer_text(request, 405, "method not allowed\n");
    if (!is_plain_path(name)) return answer_text(request, 403, "not a name of a file here\n");
    cad_str_copyz(request->asset, sizeof request->asset, name);
    if (cad_str_eqz(name, "manifest.json")) return serve_file_manifest(request);
    if (!open_file(request, name)) return answer_text(request, 404, "not found\n");
    int64_t size = request->file.size_bytes;
    struct cad_range range = read_range(connection, size);
    request->answer.content_type = file_type(name);
    mockd_body_header(request, CAD_STR("Accept-Ranges"), CAD_STR("bytes"));
    request->status = 200;
    request->body_size = size;
    if (range.first < 0) return true;
    if (range.first >= size || (range.last >= 0 && range.last < range.first)) {
        (void)snprintf(text, sizeof text, "bytes */%lld", (long long)size);
        mockd_body_header(request, CAD_STR("Content-Range"), cad_str_from(text));
        return answer_text(request, 416, "range not satisfiable\n");
    }
    if (range.last < 0 || range.last >= size) range.last = size - 1;
    (void)snprintf(text, sizeof text, "bytes %lld-%lld/%lld", (long long)range.first,
                   (long long)range.last, (long long)size);
    mockd_body_header(request, CAD_STR("Content-Range"), cad_str_from(text));
    request->status = 206;
    request->range = range;
    request->body_size = range.last - range.first + 1;
    return true;
}

/* ---- the origin ------------------------------------------------------------------------------ */

/* Takes over what must outlive the origin's next call. */
static bool keep_answer(struct mockd_request *request, const struct cad_origin_answer *answer,
                        const struct mock_origin_seen *seen)
{
    request->answer = *answer;
    request->answer.header_count = 0;
    for (uint32_t i = 0; i < answer->header_count; i++) {
        mockd_body_header(request, answer->headers[i].name, answer->headers[i].value);
    }
    request->status = answer->status;
    request->kind = seen->kind;
    request->range = seen->range;
    mockd_licence_note(request, seen);
    if (seen->asset) {
        cad_str_copyz(request->asset, sizeof request->asset, cad_str_from(seen->asset));
    }
    request->body_size = answer->body_size;
    if (answer->read) return true;
    return mockd_body_text(request, (const char *)answer->body.p, answer->body.n);
}

static bool serve_origin(struct mockd_request *request, struct MHD_Connection *connection,
                         cad_time *think)
{
    struct mockd *mockd = request->host->mockd;
    struct cad_origin_answer answer = {0};
    struct mock_origin_seen seen;
    struct cad_origin_request ask = {
        .method = cad_str_from(request->method), .host = cad_str_from(request->host->name),
        .path = cad_str_from(request->uri), .body = {request->upload, request->upload_bytes},
        .range = read_range(connection, -1), .now_ms = mockd_now_ms(mockd),
    };
    (void)pthread_mutex_lock(&mockd->lock);
    int rc = mock_origin_ops()->serve(mockd->origin, &ask, &answer);
    bool good = false;
    if (rc >= 0) {
        mock_origin_seen(mockd->origin, &seen);
        good = keep_answer(request, &answer, &seen);
    }
    (void)pthread_mutex_unlock(&mockd->lock);
    *think += answer.think;
    return good;
}

/* ---- one request ----------------------------------------------------------------------------- */

/* Reads the host's fault of the moment; a stalled request stays here until it is lifted. */
static enum mockd_fault take_fault(struct mockd_request *request, int64_t *value)
{
    struct mockd_host *host = request->host;
    struct mockd *mockd = host->mockd;
    (void)pthread_mutex_lock(&mockd->lock);
    enum mockd_fault fault = host->fault;
    while (host->fault == MOCKD_FAULT_STALL && !host->closing && !mockd->quitting) {
        (void)pthread_cond_wait(&mockd->changed, &mockd->lock);
    }
    *value = host->fault_value;
    request->rate_kbps = host->rate_kbps;
    (void)pthread_mutex_unlock(&mockd->lock);
    return fault;
}

/* Every connection has a flag: its first request was seen. */
static void watch_connection(void *cls, struct MHD_Connection *connection, void **context,
                             enum MHD_ConnectionNotificationCode what)
{
    (void)cls;
    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = calloc(1, sizeof(bool));
    } else {
        free(*context);
        *context = NULL;
    }
}

/* Its first request pays for the connection's handshake too: the system itself makes that at once,
 * whatever the link's latency. */
static bool is_first(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    bool *seen = info ? info->socket_context : NULL;
    if (!seen || *seen) return false;
    *seen = true;
    return true;
}

/* The answer of whichever part the path belongs to. false: the connection ends without one. */
static bool serve(struct mockd_request *request, struct MHD_Connection *connection, cad_time *think)
{
    static const cad_str files = CAD_STR_INIT(FILES_PATH);
    cad_str path = cad_str_from(request->uri);
    ptrdiff_t mark = cad_str_find_char(path, '?');
    path = cad_str_sub(path, 0, mark < 0 ? path.n : (size_t)mark);
    if (!request->host->mockd->origin) return answer_text(request, 503, "no title yet\n");
    if (request->too_large) return answer_text(request, 413, "the request is too large\n");
    if (cad_str_starts(path, files)) {
        return serve_file(request, connection, cad_str_sub(path, files.n, path.n));
    }
    if (cad_str_eqz(path, SIGNED_MPD_PATH)) return serve_signed_mpd(request);
    if (mock_ingest_channel(path) >= 0) return mockd_ingest_serve(request, connection, think);
    if (mockd_ftl_is_path(path)) return mockd_ftl_serve(request, think);
    return serve_origin(request, connection, think);
}

static enum MHD_Result respond(struct mockd_request *request, struct MHD_Connection *connection)
{
    int64_t value = 0;
    cad_time think = request->host->mockd->options.think_ms * CAD_MS;
    mockd_stage_enter(request);
    cad_time path_time = is_first(connection) ? mockd_stage_latency(request->host) : 0;
    if (!mockd_stage_passes(request)) return MHD_NO;
    enum mockd_fault fault = take_fault(request, &value);
    if (fault == MOCKD_FAULT_STALL) return MHD_NO;
    if (fault == MOCKD_FAULT_RESET) request->cut_at = value;
    bool good = fault == MOCKD_FAULT_STATUS
                    ? answer_text(request, (int32_t)value, "as it was told to\n")
                    : serve(request, connection, &think);
    if (!good) return MHD_NO;
    think += path_time + mockd_stage_latency(request->host);
    if (think > 0 && !mockd_wait(request->host, mockd_monotonic() + think)) return MHD_NO;
    if (!mockd_stage_passes(request)) return MHD_NO;
    return mockd_body_send(request, connection);
}

/* The signature is libmicrohttpd's. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **context)
{
    (void)cls;
    (void)url;
    (void)version;
    struct mockd_request *request = *context;
    if (!request) return MHD_NO;
    if (!mockd_request_collect(request, method, data, n)) return MHD_YES;
    return respond(request, connection);
}

bool mockd_host_open(struct mockd_host *host)
{
    if (host->daemon || host->deaf_fd >= 0) return true;
    int fd = mockd_host_listen(host);
    return fd >= 0 && serve_on(host, fd);
}

/* Takes the socket, which listens. */
static bool serve_on(struct mockd_host *host, int fd)
{
    struct mockd *mockd = host->mockd;
    unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, mockd->tls_cert},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, mockd->tls_key},
        {MHD_OPTION_END, 0, NULL},
    };
    (void)pthread_mutex_lock(&mockd->lock);
    host->closing = false;
    (void)pthread_mutex_unlock(&mockd->lock);
    if (mockd->tls_cert) {
        flags |= MHD_USE_TLS;
    } else {
        tls[0].option = MHD_OPTION_END;
    }
    struct MHD_Daemon *daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, handle, host, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_URI_LOG_CALLBACK, mockd_request_begin, host, MHD_OPTION_NOTIFY_COMPLETED,
        mockd_request_end, host, MHD_OPTION_NOTIFY_CONNECTION, watch_connection, host,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned)MOCKD_CONNECTIONS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)MOCKD_IDLE_S, MHD_OPTION_ARRAY, tls,
        MHD_OPTION_END);
    if (!daemon) {
        (void)close(fd);
        (void)fprintf(stderr, "cadmium-mockd: %s: cannot serve%s\n", host->name,
                      mockd->tls_cert ? " (are certificate and key PEM, and of each other?)" : "");
        return false;
    }
    (void)pthread_mutex_lock(&mockd->lock);
    host->daemon = daemon;
    (void)pthread_mutex_unlock(&mockd->lock);
    return true;
}
