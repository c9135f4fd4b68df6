/* The control port: closes and opens hosts, sets faults, expires URLs, tells counts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "mock/mockd.h"

#define COUNTS_BYTES_MAX 8192

/* A black hole answers no connection either. */
static void set_hearing(struct mockd_host *host)
{
    bool deaf = host->mockd->offline || host->fault == MOCKD_FAULT_BLACKHOLE;
    if (deaf) {
        mockd_host_deafen(host);
    } else if (!mockd_host_hear(host)) {
        (void)fprintf(stderr, "cadmium-mockd: %s: cannot be reached again\n", host->name);
    }
}

static void set_fault(struct mockd_host *host, enum mockd_fault fault, int64_t value)
{
    (void)pthread_mutex_lock(&host->mockd->lock);
    host->fault = fault;
    if (fault == MOCKD_FAULT_BLACKHOLE) host->holes++;
    host->fault_value = value;
    (void)pthread_cond_broadcast(&host->mockd->changed);
    (void)pthread_mutex_unlock(&host->mockd->lock);
    set_hearing(host);
}

static void set_rate(struct mockd_host *host, int64_t kbps)
{
    (void)pthread_mutex_lock(&host->mockd->lock);
    host->rate_kbps = kbps;
    (void)pthread_mutex_unlock(&host->mockd->lock);
}

static void set_cap(struct mockd_host *host, int64_t bps)
{
    (void)pthread_mutex_lock(&host->mockd->lock);
    host->cap_bps = bps;
    (void)pthread_mutex_unlock(&host->mockd->lock);
}

static void set_offline(struct mockd *mockd, bool offline)
{
    (void)pthread_mutex_lock(&mockd->lock);
    if (offline && !mockd->offline) mockd->outages++;
    mockd->offline = offline;
    (void)pthread_cond_broadcast(&mockd->changed);
    (void)pthread_mutex_unlock(&mockd->lock);
    for (uint32_t i = 0; i < mockd->options.hosts; i++) set_hearing(&mockd->hosts[i]);
}

bool mockd_query_number(cad_str query, const char *name, int64_t low, int64_t high, int64_t *out)
{
    cad_str text = cad_uri_query_value(query, cad_str_from(name));
    return text.n > 0 && cad_str_to_i64(text, out) == 0 && *out >= low && *out <= high;
}

void mockd_query_text(cad_str query, const char *name, char *out, size_t cap)
{
    struct cad_sb sb;
    char text[512], memory[512];
    cad_str_copyz(text, sizeof text, cad_uri_query_value(query, cad_str_from(name)));
    for (char *p = text; *p; p++) {
        if (*p == '+') *p = ' ';
    }
    cad_sb_init_fixed(&sb, memory, sizeof memory);
    if (cad_uri_percent_decode(cad_str_from(text), &sb) < 0) return;
    cad_str_copyz(out, cap, cad_sb_str(&sb));
}

/* NULL: done; else what is wrong. */
static const char *command_host(struct mockd_host *host, cad_str verb, cad_str query)
{
    int64_t value = 0;
    if (cad_str_eqz(verb, "close")) {
        mockd_host_close(host);
    } else if (cad_str_eqz(verb, "open")) {
        if (!mockd_host_open(host)) return "the port could not be opened";
        set_hearing(host);
    } else if (cad_str_eqz(verb, "ok")) {
        set_fault(host, MOCKD_FAULT_NONE, 0);
        set_rate(host, host->mockd->options.rate_kbps);
        set_cap(host, 0);
    } else if (cad_str_eqz(verb, "stall")) {
        set_fault(host, MOCKD_FAULT_STALL, 0);
    } else if (cad_str_eqz(verb, "blackhole")) {
        set_fault(host, MOCKD_FAULT_BLACKHOLE, 0);
    } else if (cad_str_eqz(verb, "cap")) {
        if (!mockd_query_number(query, "bps", 0, INT64_C(1) << 50, &value)) {
            return "bps=N is missing";
        }
        set_cap(host, value);
    } else if (cad_str_eqz(verb, "link")) {
        if (!mockd_query_number(query, "link", 0, MOCKD_LINKS_MAX, &value)) {
            return "link=N is missing";
        }
        return mockd_stage_host_link(host, value);
    } else if (cad_str_eqz(verb, "status")) {
        if (!mockd_query_number(query, "code", 200, 599, &value)) {
            return "code=200..599 is missing";
        }
        set_fault(host, MOCKD_FAULT_STATUS, value);
    } else if (cad_str_eqz(verb, "reset")) {
        if (!mockd_query_number(query, "at", 0, INT64_MAX, &value)) {
            return "at=BYTES is missing";
        }
        set_fault(host, MOCKD_FAULT_RESET, value);
    } else if (cad_str_eqz(verb, "rate")) {
        if (!mockd_query_number(query, "kbps", 0, 10000000, &value)) {
            return "kbps=0..10000000 is missing";
        }
        set_rate(host, value);
    } else {
        return "no such command for a host";
    }
    return NULL;
}

static const char *command_service(struct mockd *mockd, cad_str name, cad_str verb)
{
    bool up = cad_str_eqz(verb, "up");
    if (!up && !cad_str_eqz(verb, "down")) return "a service goes up or down";
    (void)pthread_mutex_lock(&mockd->lock);
    int rc = mockd->origin ? mock_origin_service(mockd->origin, name, up) : CAD_E_NOTFOUND;
    (void)pthread_mutex_unlock(&mockd->lock);
    return rc < 0 ? "no such service" : NULL;
}

static void write_hosts(struct cad_jsonw *w, const struct mockd *mockd)
{
    cad_jsonw_key(w, CAD_STR("hosts"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < mockd->options.hosts; i++) {
        const struct mockd_host *host = &mockd->hosts[i];
        cad_jsonw_object(w);
        cad_jsonw_key_i64(w, "host", host->number);
        cad_jsonw_key_string(w, "name", cad_str_from(host->name));
        cad_jsonw_key_bool(w, "open", host->daemon || host->deaf_fd >= 0);
        cad_jsonw_key_i64(w, "requests", (int64_t)host->requests);
        cad_jsonw_key_i64(w, "bytes", (int64_t)host->bytes);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

/* What the probes' service was asked; nothing without a title. */
static void write_probes(struct cad_jsonw *w, const struct mockd *mockd)
{
    struct mock_ftl_counts counts;
    if (!mockd->ftl) return;
    mock_ftl_counts(mockd->ftl, &counts);
    cad_jsonw_key(w, CAD_STR("probes"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "recipes", (int64_t)counts.recipes);
    cad_jsonw_key_i64(w, "iter", counts.iter);
    cad_jsonw_key_i64(w, "bad", (int64_t)counts.bad);
    cad_jsonw_key(w, CAD_STR("pulses"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < mockd->options.hosts; i++) {
        cad_jsonw_i64(w, (int64_t)counts.pulses[i]);
    }
    cad_jsonw_end(w);
    cad_jsonw_end(w);
}

static bool answer_counts(struct mockd *mockd, struct mockd_request *request)
{
    char text[COUNTS_BYTES_MAX];
    struct mock_origin_counts counts = {0};
    struct cad_sb sb;
    struct cad_jsonw w;
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_jsonw_init(&w, &sb);
    (void)pthread_mutex_lock(&mockd->lock);
    if (mockd->origin) mock_origin_counts(mockd->origin, &counts);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "manifests", (int64_t)counts.manifests);
    cad_jsonw_key_i64(&w, "refreshes", (int64_t)counts.refreshes);
    cad_jsonw_key_i64(&w, "retries", (int64_t)counts.retries);
    cad_jsonw_key_i64(&w, "denied", (int64_t)counts.denied);
    cad_jsonw_key_i64(&w, "ranges", (int64_t)counts.ranges);
    cad_jsonw_key_i64(&w, "wholes", (int64_t)counts.wholes);
    cad_jsonw_key_i64(&w, "refused", (int64_t)counts.refused);
    size_t events = mock_ingest_events(&mockd->ingest, NULL, NULL);
    cad_jsonw_key_i64(&w, "events", (int64_t)events);
    cad_jsonw_key_i64(&w, "logs", (int64_t)(mockd->ingest.count - events));
    write_hosts(&w, mockd);
    write_probes(&w, mockd);
    mockd_licence_counts(mockd, &w);
    cad_jsonw_end(&w);
    (void)pthread_mutex_unlock(&mockd->lock);
    cad_sb_putc(&sb, '\n');
    cad_str out = cad_sb_str(&sb);
    request->status = 200;
    return cad_jsonw_error(&w) == 0 && mockd_body_text(request, out.p, out.n);
}

/* "/stage/title", "/stage/start", "/stage/link/N". `rest`: behind "/stage/". */
static const char *command_stage(struct mockd *mockd, const struct mockd_request *request,
                                 cad_str rest, cad_str query)
{
    uint64_t n = 0;
    cad_str body = cad_str_make((const char *)request->upload, request->upload_bytes), word;
    if (request->too_large) return "the body is too large";
    if (!cad_str_split(&rest, '/', &word)) return "no such command";
    if (!rest.p && cad_str_eqz(word, "title")) return mockd_stage_title(mockd, query, body);
    if (!rest.p && cad_str_eqz(word, "start")) {
        mockd_stage_start(mockd);
        return NULL;
    }
    if (!rest.p || !cad_str_eqz(word, "link")) return "no such command";
    if (cad_str_to_u64(rest, &n) || n > MOCKD_LINKS_MAX) return "no such link";
    return mockd_stage_link(mockd, (uint32_t)n, body);
}

/* "/host/N/VERB", "/service/NAME/VERB", "/network/off", "/stage/...", "/ingest/...", "/ftl/...",
 * "/expire" or "/quit". */
static const char *obey(struct mockd *mockd, struct mockd_request *request, cad_str path,
                        cad_str query)
{
    cad_str rest = cad_str_sub(path, 1, path.n), word, name, verb;
    uint64_t host = 0;
    if (!cad_str_split(&rest, '/', &word)) return "no command";
    if (!rest.p && cad_str_eqz(word, "expire")) {
        (void)pthread_mutex_lock(&mockd->lock);
        if (mockd->origin) mock_origin_expire(mockd->origin);
        (void)pthread_mutex_unlock(&mockd->lock);
        return NULL;
    }
    if (!rest.p && cad_str_eqz(word, "quit")) {
        request->quits = true;
        return NULL;
    }
    if (cad_str_eqz(word, "stage")) return command_stage(mockd, request, rest, query);
    if (cad_str_eqz(word, "ingest")) return mockd_ingest_command(mockd, rest, query);
    if (cad_str_eqz(word, "ftl")) return mockd_ftl_command(mockd, rest, query);
    if (cad_str_eqz(word, "licence")) return mockd_licence_command(mockd, rest, query);
    if (cad_str_eqz(word, "network")) {
        bool off = cad_str_eqz(rest, "off");
        if (!off && !cad_str_eqz(rest, "on")) return "the network goes on or off";
        set_offline(mockd, off);
        return NULL;
    }
    if (!cad_str_split(&rest, '/', &name) || !cad_str_split(&rest, '/', &verb) || rest.p) {
        return "no such command";
    }
    if (cad_str_eqz(word, "service")) return command_service(mockd, name, verb);
    if (!cad_str_eqz(word, "host")) return "no such command";
    if (cad_str_to_u64(name, &host) < 0 || host < 1 || host > mockd->options.hosts) {
        return "no such host";
    }
    return command_host(&mockd->hosts[host - 1], verb, query);
}

static bool answer_outcome(struct mockd_request *request, const char *wrong)
{
    char text[256];
    struct cad_sb sb;
    struct cad_jsonw w;
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_bool(&w, "ok", wrong == NULL);
    if (wrong) cad_jsonw_key_string(&w, "error", cad_str_from(wrong));
    cad_jsonw_end(&w);
    cad_sb_putc(&sb, '\n');
    cad_str out = cad_sb_str(&sb);
    request->status = wrong ? 400 : 200;
    return mockd_body_text(request, out.p, out.n);
}

/* The signature is libmicrohttpd's. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *data, size_t *n,
                              void **context)
{
    (void)url;
    (void)version;
    struct mockd *mockd = ((struct mockd_host *)cls)->mockd;
    struct mockd_request *request = *context;
    if (!request) return MHD_NO;
    if (!mockd_request_collect(request, method, data, n)) return MHD_YES;
    cad_str uri = cad_str_from(request->uri);
    ptrdiff_t mark = cad_str_find_char(uri, '?');
    size_t end = mark < 0 ? uri.n : (size_t)mark;
    cad_str path = cad_str_sub(uri, 0, end), query = cad_str_sub(uri, end + 1, uri.n);
    bool good;
    request->answer.content_type = "application/json";
    if (cad_str_eqz(path, "/counts") && strcmp(method, "GET") == 0) {
        good = answer_counts(mockd, request);
    } else if (cad_str_eqz(path, "/account") && strcmp(method, "GET") == 0) {
        good = mockd_ingest_account(mockd, request, query);
    } else if (strcmp(method, "POST") != 0) {
        good = answer_outcome(request, "commands are posted; only /counts and /account are read");
    } else {
        good = answer_outcome(request, obey(mockd, request, path, query));
    }
    return good ? mockd_body_send(request, connection) : MHD_NO;
}

bool mockd_control_open(struct mockd *mockd)
{
    struct mockd_host *host = &mockd->control;
    int fd = mockd_host_listen(host);
    if (fd < 0) return false;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    host->daemon = MHD_start_daemon(flags, 0, NULL, NULL, handle, host, MHD_OPTION_LISTEN_SOCKET,
                                    fd, MHD_OPTION_URI_LOG_CALLBACK, mockd_request_begin, host,
                                    MHD_OPTION_NOTIFY_COMPLETED, mockd_request_end, host,
                                    MHD_OPTION_END);
    if (host->daemon) return true;
    (void)close(fd);
    (void)fprintf(stderr, "cadmium-mockd: the control port cannot be served\n");
    return false;
}
