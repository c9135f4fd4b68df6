#include "drive/sim_head.h"

#include "base/str.h"

static cad_str header_of(const struct cad_origin_answer *answer, cad_str name)
{
    for (uint32_t i = 0; i < answer->header_count; i++) {
        if (cad_str_ieq(answer->headers[i].name, name)) return answer->headers[i].value;
    }
    return (cad_str){NULL, 0};
}

/* "bytes 0-99/1000", or a star in place of the range or of the size (RFC 9110 14.4); anything
 * else leaves head alone. */
static void read_content_range(cad_str value, struct cad_http_head *head)
{
    cad_str unit = CAD_STR("bytes ");
    if (!cad_str_starts(value, unit)) return;
    cad_str rest = cad_str_sub(value, unit.n, value.n);
    cad_str first, last;
    int64_t a, b, total;
    ptrdiff_t slash = cad_str_rfind_char(rest, '/');
    if (slash < 0) return;
    cad_str size = cad_str_sub(rest, (size_t)slash + 1, rest.n);
    if (!cad_str_to_i64(size, &total)) head->total = total;
    rest = cad_str_sub(rest, 0, (size_t)slash);
    if (!cad_str_split(&rest, '-', &first) || !cad_str_split(&rest, '-', &last)) return;
    if (cad_str_to_i64(first, &a) || cad_str_to_i64(last, &b)) return;
    head->range = (struct cad_range){a, b};
}

/* Those of CAD_HTTP_HEADERS_TOLD; of several of a name the first. */
static uint32_t tell_headers(const struct cad_origin_answer *answer, struct cad_header *told)
{
    cad_str names = CAD_STR(CAD_HTTP_HEADERS_TOLD), name;
    uint32_t count = 0;
    while (cad_str_split(&names, ' ', &name) && count < CAD_HTTP_HEADERS_MAX) {
        cad_str value = header_of(answer, name);
        if (value.p) told[count++] = (struct cad_header){name, value};
    }
    return count;
}

/* Location and headers into text, and their views onto it. */
static int keep_texts(struct cad_sim_head *h)
{
    struct cad_sb *text = &h->text;
    cad_sb_reset(text);
    cad_sb_put(text, h->head.location);
    for (uint32_t i = 0; i < h->head.header_count; i++) {
        cad_sb_put(text, h->told[i].name);
        cad_sb_put(text, h->told[i].value);
    }
    const char *p = text->p;
    if (cad_sb_error(text) || !p) return cad_sb_error(text);
    h->head.location.p = p;
    p += h->head.location.n;
    for (uint32_t i = 0; i < h->head.header_count; i++) {
        h->told[i].name.p = p;
        h->told[i].value.p = p + h->told[i].name.n;
        p = h->told[i].value.p + h->told[i].value.n;
    }
    return 0;
}

int cad_sim_head(const struct cad_origin_answer *answer, uint32_t id, struct cad_sim_head *out)
{
    struct cad_http_head *head = &out->head;
    *head = (struct cad_http_head){
        .id = id, .status = answer->status, .length = answer->body_size,
        .range = {-1, -1}, .total = -1, .retry_after = CAD_TIME_NONE, .http_version = 11,
        .headers = out->told, .header_count = tell_headers(answer, out->told)};
    read_content_range(header_of(answer, CAD_STR("Content-Range")), head);
    head->location = header_of(answer, CAD_STR("Location"));
    int64_t seconds;
    cad_str retry = header_of(answer, CAD_STR("Retry-After"));
    if (retry.n > 0 && !cad_str_to_i64(retry, &seconds) && seconds >= 0 && seconds < 86400) {
        head->retry_after = seconds * CAD_SECOND;
    }
    return keep_texts(out);
}
