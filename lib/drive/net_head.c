#include "drive/net_head.h"

#include <curl/curl.h>

#include <string.h>

#include "base/checked.h"
#include "base/str.h"

void cad_net_head_init(struct cad_net_head *head, uint32_t id)
{
    /* The location's bytes stay as they are: only the view counts. */
    memset(&head->http, 0, sizeof head->http);
    head->http.id = id;
    head->http.length = -1;
    head->http.range.first = head->http.range.last = -1;
    head->http.total = -1;
    head->http.retry_after = CAD_TIME_NONE;
    head->whole = head->chunked = false;
    head->retry_at_ms = 0;
    head->told.count = 0;
}

static int64_t number(cad_str s)
{
    int64_t n;
    return cad_str_to_i64(s, &n) || n < 0 ? -1 : n;
}

/* RFC 9110 5.6.7, all three forms; 0: not a date. */
static int64_t date_ms(cad_str value)
{
    char text[64];
    if (value.n >= sizeof text) return 0;
    cad_str_copyz(text, sizeof text, value);
    time_t seconds = curl_getdate(text, NULL);
    return seconds <= 0 ? 0 : cad_mul_sat_i64((int64_t)seconds, 1000);
}

/* RFC 9110 14.4: "bytes 0-499/1234"; either side of the slash may be an asterisk. */
static void content_range(struct cad_http_head *http, cad_str value)
{
    const cad_str unit = CAD_STR("bytes ");
    if (value.n < unit.n || !cad_str_ieq(cad_str_sub(value, 0, unit.n), unit)) return;
    cad_str rest = cad_str_trim(cad_str_sub(value, unit.n, value.n));
    ptrdiff_t slash = cad_str_find_char(rest, '/');
    if (slash < 0) return;
    cad_str range = cad_str_sub(rest, 0, (size_t)slash);
    int64_t total = number(cad_str_sub(rest, (size_t)slash + 1, rest.n));
    ptrdiff_t dash = cad_str_find_char(range, '-');
    if (dash > 0) {
        int64_t first = number(cad_str_sub(range, 0, (size_t)dash));
        int64_t last = number(cad_str_sub(range, (size_t)dash + 1, range.n));
        if (first < 0 || last < first || (total >= 0 && last >= total)) return;
        http->range.first = first;
        http->range.last = last;
    }
    http->total = total;
}

static void field(struct cad_net_head *head, cad_str name, cad_str value)
{
    struct cad_http_head *http = &head->http;
    if (cad_str_ieq(name, CAD_STR("content-length"))) {
        http->length = number(value);
    } else if (cad_str_ieq(name, CAD_STR("transfer-encoding"))) {
        head->chunked = true;
    } else if (cad_str_ieq(name, CAD_STR("content-range"))) {
        content_range(http, value);
    } else if (cad_str_ieq(name, CAD_STR("date"))) {
        http->date_ms = date_ms(value);
    } else if (cad_str_ieq(name, CAD_STR("retry-after"))) {
        int64_t seconds = number(value);
        if (seconds >= 0) http->retry_after = cad_mul_sat_i64(seconds, CAD_SECOND);
        else head->retry_at_ms = date_ms(value);
    } else if (cad_str_ieq(name, CAD_STR("location")) && value.n < sizeof head->location) {
        if (value.n) memcpy(head->location, value.p, value.n);
        http->location = cad_str_make(head->location, value.n);
    } else {
        cad_transport_tell_header(&head->told, name, value);
    }
}

/* "HTTP/1.1 206 Partial Content", "HTTP/2 206"; -1: not one. */
static int32_t status_of(cad_str line)
{
    ptrdiff_t space = cad_str_find_char(line, ' ');
    if (space < 0) return -1;
    int64_t status = number(cad_str_sub(line, (size_t)space + 1, 3));
    return status < 100 || status > 599 ? -1 : (int32_t)status;
}

/* "HTTP/1.1" is 11, "HTTP/2" 20; 0: another one. */
static uint32_t version_of(cad_str line)
{
    const size_t at = 5; /* behind "HTTP/" */
    if (line.n <= at || line.p[at] < '1' || line.p[at] > '9') return 0;
    uint32_t version = (uint32_t)(line.p[at] - '0') * 10;
    if (line.n > at + 2 && line.p[at + 1] == '.' && line.p[at + 2] >= '0' &&
        line.p[at + 2] <= '9') {
        version += (uint32_t)(line.p[at + 2] - '0');
    }
    return version;
}

static int whole(struct cad_net_head *head, int64_t wall_ms)
{
    struct cad_http_head *http = &head->http;
    if (http->status == 0) return CAD_E_DATA;
    if (http->status < 200) return 0; /* informational: the answer is still to come */
    if (head->chunked) http->length = -1;
    if (head->retry_at_ms && http->retry_after == CAD_TIME_NONE) {
        int64_t ms = head->retry_at_ms - (http->date_ms ? http->date_ms : wall_ms);
        http->retry_after = ms > 0 ? cad_mul_sat_i64(ms, CAD_MS) : 0;
    }
    http->headers = head->told.headers;
    http->header_count = head->told.count;
    head->whole = true;
    return 1;
}

int cad_net_head_line(struct cad_net_head *head, cad_str line, int64_t wall_ms)
{
    if (head->whole) return 0;
    line = cad_str_trim(line);
    if (line.n == 0) return whole(head, wall_ms);
    if (cad_str_starts(line, CAD_STR("HTTP/"))) {
        int32_t status = status_of(line);
        if (status < 0) return CAD_E_DATA;
        cad_net_head_init(head, head->http.id);
        head->http.status = status;
        head->http.http_version = version_of(line);
        return 0;
    }
    ptrdiff_t colon = cad_str_find_char(line, ':');
    if (colon <= 0) return 0; /* a folded or broken line */
    field(head, cad_str_sub(line, 0, (size_t)colon),
          cad_str_trim(cad_str_sub(line, (size_t)colon + 1, line.n)));
    return 0;
}
