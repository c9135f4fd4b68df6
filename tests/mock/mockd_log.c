/* The access log: one JSON object a line, written when a request is over. Secrets are hidden. */
#include <string.h>
#include <time.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "mock/mockd.h"

#define LINE_BYTES_MAX 8192

cad_time mockd_monotonic(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return (cad_time)ts.tv_sec * CAD_SECOND + ts.tv_nsec;
}

int64_t mockd_now_ms(const struct mockd *mockd)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_REALTIME, &ts);
    return ((int64_t)ts.tv_sec + mockd->options.clock_skew_s) * 1000 + ts.tv_nsec / 1000000;
}

/* The URL with "*" for what signs it: the values of t and sc. */
static void put_redacted(struct cad_sb *sb, cad_str uri)
{
    ptrdiff_t mark = cad_str_find_char(uri, '?');
    if (mark < 0) {
        cad_sb_put(sb, uri);
        return;
    }
    cad_str rest = cad_str_sub(uri, (size_t)mark + 1, uri.n), field;
    cad_sb_put(sb, cad_str_sub(uri, 0, (size_t)mark + 1));
    bool first = true;
    while (cad_str_split(&rest, '&', &field)) {
        if (!first) cad_sb_putc(sb, '&');
        first = false;
        if (cad_str_starts(field, CAD_STR("t="))) {
            cad_sb_putz(sb, "t=*");
        } else if (cad_str_starts(field, CAD_STR("sc="))) {
            cad_sb_putz(sb, "sc=*");
        } else {
            cad_sb_put(sb, field);
        }
    }
}

static void put_bound(struct cad_jsonw *w, const char *key, const struct cad_range *range,
                      int64_t value)
{
    cad_jsonw_key(w, cad_str_from(key));
    if (range->first < 0) {
        cad_jsonw_null(w);
    } else {
        cad_jsonw_i64(w, value);
    }
}

void mockd_log_request(struct mockd *mockd, const struct mockd_request *request, bool whole)
{
    if (!mockd->log) return;
    char line[LINE_BYTES_MAX], path[4096];
    struct cad_sb sb, redacted;
    struct cad_jsonw w;
    cad_sb_init_fixed(&sb, line, sizeof line);
    cad_sb_init_fixed(&redacted, path, sizeof path);
    put_redacted(&redacted, cad_str_from(request->uri));
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_seconds(&w, "t", request->start);
    cad_jsonw_key_seconds(&w, "end", mockd_monotonic());
    cad_jsonw_key_i64(&w, "host", request->host->number);
    cad_jsonw_key_string(&w, "method", cad_str_from(request->method));
    cad_jsonw_key_string(&w, "path", cad_sb_str(&redacted));
    cad_jsonw_key(&w, CAD_STR("asset"));
    if (request->asset[0]) {
        cad_jsonw_string(&w, cad_str_from(request->asset));
    } else {
        cad_jsonw_null(&w);
    }
    const char *kind = request->service   ? request->service
                       : request->is_file ? "file"
                                          : mock_kind_name(request->kind);
    cad_jsonw_key_string(&w, "kind", cad_str_from(kind));
    if (request->kids[0]) cad_jsonw_key_string(&w, "kids", cad_str_from(request->kids));
    put_bound(&w, "first", &request->range, request->range.first);
    put_bound(&w, "last", &request->range, request->range.last);
    cad_jsonw_key_i64(&w, "status", request->status);
    cad_jsonw_key_i64(&w, "bytes", request->sent);
    bool bodiless = strcmp(request->method, "HEAD") == 0;
    cad_jsonw_key_bool(&w, "done", whole && (bodiless || request->sent == request->body_size));
    cad_jsonw_end(&w);
    cad_sb_putc(&sb, '\n');
    if (cad_jsonw_error(&w) < 0) {
        (void)fputs("{\"kind\":\"unprintable\"}\n", mockd->log);
    } else {
        (void)fputs(cad_sb_z(&sb), mockd->log);
    }
    (void)fflush(mockd->log);
}
