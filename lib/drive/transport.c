#include "drive/transport.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

void cad_transport_note_read(struct cad_transport_delivery *delivery, cad_time at)
{
    struct cad_http_read *reads = delivery->reads;
    uint32_t n = delivery->read_count;
    if (n > 0 && reads[n - 1].at >= at) {
        reads[n - 1].bytes = delivery->received;
        return;
    }
    if (n == CAD_HTTP_READS_MAX) {
        /* Counts are sums: a read that is dropped is part of the next one. */
        n = CAD_HTTP_READS_MAX / 2;
        for (uint32_t i = 0; i < n; i++) reads[i] = reads[2 * i + 1];
    }
    reads[n] = (struct cad_http_read){at, delivery->received};
    delivery->read_count = n + 1;
}

void cad_transport_tell_reads(const struct cad_transport_delivery *delivery,
                              struct cad_http_end *end)
{
    memcpy(end->reads, delivery->reads, sizeof end->reads);
    end->read_count = delivery->read_count;
}

/* The name as the list has it; empty: it is not told. */
static cad_str told_name(cad_str name)
{
    cad_str rest = CAD_STR(CAD_HTTP_HEADERS_TOLD);
    while (rest.n > 0) {
        ptrdiff_t blank = cad_str_find_char(rest, ' ');
        size_t n = blank < 0 ? rest.n : (size_t)blank;
        cad_str one = cad_str_sub(rest, 0, n);
        if (cad_str_ieq(one, name)) return one;
        rest = cad_str_sub(rest, n + 1, rest.n);
    }
    return (cad_str){NULL, 0};
}

void cad_transport_tell_header(struct cad_transport_told *told, cad_str name, cad_str value)
{
    cad_str known = told_name(name);
    if (known.n == 0 || told->count == CAD_HTTP_HEADERS_MAX) return;
    for (uint32_t i = 0; i < told->count; i++) {
        if (told->headers[i].name.p == known.p) return;
    }
    char *text = told->text[told->count];
    size_t n = CAD_MIN(value.n, (size_t)CAD_TRANSPORT_TOLD_BYTES);
    if (n) memcpy(text, value.p, n);
    told->headers[told->count++] = (struct cad_header){known, {text, n}};
}

static int deliver(const struct cad_transport_door *door,
                   struct cad_transport_delivery *delivery, const uint8_t *p, size_t n, cad_time at)
{
    while (n > 0) {
        if (delivery->size_max > 0 && delivery->received >= delivery->size_max) return CAD_E_LIMIT;
        uint8_t *data = NULL;
        size_t capacity = 0;
        int err = door->lease(door->ctx, delivery->id, n, &data, &capacity);
        if (err) return err;
        size_t take = n < capacity ? n : capacity;
        if (take == 0) return CAD_E_LIMIT;
        int64_t left = delivery->size_max - delivery->received;
        if (delivery->size_max > 0 && (uint64_t)take > (uint64_t)left) take = (size_t)left;
        memcpy(data, p, take);
        err = door->commit(door->ctx, delivery->id, take, at);
        if (err) return err;
        delivery->received += (int64_t)take;
        p += take;
        n -= take;
    }
    return 0;
}

int cad_transport_deliver(const struct cad_transport_door *door,
                          struct cad_transport_delivery *delivery, const uint8_t *p, size_t n,
                          cad_time at)
{
    int64_t before = delivery->received;
    int err = deliver(door, delivery, p, n, at);
    if (delivery->received > before) cad_transport_note_read(delivery, at);
    return err;
}
