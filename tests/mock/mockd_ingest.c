/* Telemetry ingestion of cadmium-mockd: requests, control commands, the account. */
#include <errno.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "mock/mockd.h"

#define ACCOUNT_BYTES_MAX (64u << 20)
#define THINK_MS_MAX 600000

/* ---- requests -------------------------------------------------------------------------------- */

static bool is_gzip(struct MHD_Connection *connection)
{
    const char *coding = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                     MHD_HTTP_HEADER_CONTENT_ENCODING);
    return cad_str_ieq(cad_str_from(coding), CAD_STR("gzip"));
}

/* One line for each request that was taken: what left the player, for searches in it. Line ends
 * are no part of a JSON string, so they may be spaces. Locked. */
static void capture(struct mockd *mockd, cad_str target)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    struct cad_jsonw w;
    if (!mockd->capture) return;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 2 * MOCK_INGEST_BODY_MAX);
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "target", target);
    cad_jsonw_key(&w, CAD_STR("body"));
    cad_jsonw_raw(&w, cad_sb_str(&mockd->ingest.last));
    cad_jsonw_end(&w);
    cad_str line = cad_sb_str(&sb);
    for (size_t i = 0; i < line.n; i++) {
        bool end = line.p[i] == '\n' || line.p[i] == '\r';
        (void)putc(end ? ' ' : line.p[i], mockd->capture);
    }
    (void)putc('\n', mockd->capture);
    (void)fflush(mockd->capture);
    cad_sb_deinit(&sb);
}

static void put_headers(struct mockd_request *request, const struct mock_ingest_answer *answer)
{
    char text[16];
    if (answer->limits) {
        mockd_body_header(request, CAD_STR("x-ichnaea"), cad_str_from(answer->limits));
    }
    if (answer->retry_after_s > 0) {
        (void)snprintf(text, sizeof text, "%d", (int)answer->retry_after_s);
        mockd_body_header(request, CAD_STR("Retry-After"), cad_str_from(text));
    }
    if (answer->status == 405) mockd_body_header(request, CAD_STR("Allow"), CAD_STR("POST"));
}

bool mockd_ingest_serve(struct mockd_request *request, struct MHD_Connection *connection,
                        cad_time *think)
{
    struct mockd *mockd = request->host->mockd;
    cad_str target = cad_str_from(request->uri);
    ptrdiff_t mark = cad_str_find_char(target, '?');
    int channel = mock_ingest_channel(cad_str_sub(target, 0, mark < 0 ? target.n : (size_t)mark));
    struct mock_ingest_answer answer;
    struct mock_ingest_request ask = {
        .channel = (enum mock_ingest_channel)channel, .method = cad_str_from(request->method),
        .target = target, .body = {request->upload, request->upload_bytes},
        .gzip = is_gzip(connection),
    };
    request->service = channel == MOCK_INGEST_LOG ? "log" : "events";
    request->answer.content_type = "application/json";
    (void)pthread_mutex_lock(&mockd->lock);
    mock_ingest_serve(&mockd->ingest, &ask, &answer);
    if (answer.taken) capture(mockd, target);
    request->status = answer.lost ? 0 : answer.status;
    put_headers(request, &answer);
    bool good = mockd_body_text(request, answer.body.p, answer.body.n);
    (void)pthread_mutex_unlock(&mockd->lock);
    *think += answer.think;
    if (answer.lost) (void)mockd_wait(request->host, mockd_monotonic() + answer.think);
    return good && !answer.lost;
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Sets the script of the channels that "for" names: events, log, or without it both. Locked. */
static const char *set_scripts(struct mockd *mockd, cad_str query,
                               const struct mock_ingest_script *script, bool is_delay)
{
    static const char *const names[MOCK_INGEST_CHANNELS] = {"events", "log"};
    cad_str only = cad_uri_query_value(query, CAD_STR("for"));
    bool any = false;
    for (int i = 0; i < MOCK_INGEST_CHANNELS; i++) {
        struct mock_ingest_script *own = &mockd->ingest.scripts[i];
        if (only.n > 0 && !cad_str_eqz(only, names[i])) continue;
        cad_time think = is_delay ? script->think : own->think;
        if (!is_delay) *own = *script;
        own->think = think;
        any = true;
    }
    return any ? NULL : "for=events or for=log";
}

static const char *command_fault(struct mockd *mockd, cad_str verb, cad_str query)
{
    struct mock_ingest_script script = {.left = -1};
    int64_t value = 0;
    bool is_delay = cad_str_eqz(verb, "delay");
    if (cad_uri_query_value(query, CAD_STR("count")).n > 0 &&
        !mockd_query_number(query, "count", 1, INT32_MAX, &script.left)) {
        return "count=1... is how many requests";
    }
    if (is_delay) {
        if (!mockd_query_number(query, "ms", 0, THINK_MS_MAX, &value)) return "ms=N is missing";
        script.think = value * CAD_MS;
    } else if (cad_str_eqz(verb, "status")) {
        script.fault = MOCK_INGEST_STATUS;
        if (!mockd_query_number(query, "code", 201, 599, &value)) {
            return "code=201..599 is missing";
        }
        script.status = (int32_t)value;
        if (mockd_query_number(query, "retry_after", 1, 86400, &value)) {
            script.retry_after_s = (int32_t)value;
        }
    } else if (cad_str_eqz(verb, "refuse")) {
        script.fault = MOCK_INGEST_REFUSE;
    } else if (cad_str_eqz(verb, "drop")) {
        script.fault = MOCK_INGEST_DROP;
    } else {
        return "no such command for the ingestion";
    }
    return set_scripts(mockd, query, &script, is_delay);
}

static const char *command_stop(struct mockd *mockd, cad_str query)
{
    struct mock_ingest_stop stop = {.left = -1, .code = "CONCURRENT_STREAMS",
                                    .message = "too many streams"};
    if (cad_uri_query_value(query, CAD_STR("count")).n > 0 &&
        !mockd_query_number(query, "count", 1, INT32_MAX, &stop.left)) {
        return "count=1... is how many answers";
    }
    mockd_query_text(query, "xid", stop.xid, sizeof stop.xid);
    if (cad_uri_query_value(query, CAD_STR("code")).n > 0) {
        mockd_query_text(query, "code", stop.code, sizeof stop.code);
    }
    if (cad_uri_query_value(query, CAD_STR("message")).n > 0) {
        mockd_query_text(query, "message", stop.message, sizeof stop.message);
    }
    mockd->ingest.stop = stop;
    return NULL;
}

static const char *command_limit(struct mock_ingest *ingest, cad_str query)
{
    int64_t left = 0;
    if (mockd_query_number(query, "rl", 0, INT64_MAX, &left)) {
        (void)snprintf(ingest->limits, sizeof ingest->limits, "~0=true~RL=%lld", (long long)left);
        return NULL;
    }
    if (!cad_uri_query_value(query, CAD_STR("text")).p) return "rl=N or text=HEADER is missing";
    ingest->limits[0] = 0;
    mockd_query_text(query, "text", ingest->limits, sizeof ingest->limits);
    return NULL;
}

static void all_well(struct mock_ingest *ingest)
{
    memset(ingest->scripts, 0, sizeof ingest->scripts);
    ingest->stop = (struct mock_ingest_stop){.left = 0};
    cad_str_copyz(ingest->limits, sizeof ingest->limits, CAD_STR(MOCK_INGEST_LIMITS_DEFAULT));
}

const char *mockd_ingest_command(struct mockd *mockd, cad_str rest, cad_str query)
{
    const char *wrong = NULL;
    (void)pthread_mutex_lock(&mockd->lock);
    if (cad_str_eqz(rest, "ok")) {
        all_well(&mockd->ingest);
    } else if (cad_str_eqz(rest, "clear")) {
        mock_ingest_clear(&mockd->ingest);
    } else if (cad_str_eqz(rest, "stop")) {
        wrong = command_stop(mockd, query);
    } else if (cad_str_eqz(rest, "limit")) {
        wrong = command_limit(&mockd->ingest, query);
    } else {
        wrong = command_fault(mockd, rest, query);
    }
    (void)pthread_mutex_unlock(&mockd->lock);
    return wrong;
}

/* ---- the account ----------------------------------------------------------------------------- */

bool mockd_ingest_account(struct mockd *mockd, struct mockd_request *request, cad_str query)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    char xid[MOCK_INGEST_TEXT] = "";
    mockd_query_text(query, "xid", xid, sizeof xid);
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, ACCOUNT_BYTES_MAX);
    (void)pthread_mutex_lock(&mockd->lock);
    int rc = mock_ingest_report(&mockd->ingest, xid[0] ? xid : NULL, &sb);
    (void)pthread_mutex_unlock(&mockd->lock);
    cad_sb_putc(&sb, '\n');
    cad_str text = cad_sb_str(&sb);
    request->status = 200;
    bool good = rc == 0 && cad_sb_error(&sb) == 0 && mockd_body_text(request, text.p, text.n);
    cad_sb_deinit(&sb);
    return good;
}

bool mockd_ingest_save(const struct mockd *mockd)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    if (!mockd->options.account) return true;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, ACCOUNT_BYTES_MAX);
    int rc = mock_ingest_report(&mockd->ingest, NULL, &sb);
    cad_sb_putc(&sb, '\n');
    if (cad_sb_error(&sb) < 0) rc = cad_sb_error(&sb);
    if (rc < 0) {
        (void)fprintf(stderr, "cadmium-mockd: the account: %s\n", cad_result_text(rc));
    }
    bool good = rc == 0 && mockd_write_whole(mockd->options.account, cad_sb_str(&sb));
    cad_sb_deinit(&sb);
    return good;
}
