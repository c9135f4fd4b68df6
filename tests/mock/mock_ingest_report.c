/* What the mock ingestion holds, as JSON: docs/mocks.md tells the form. */
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "mock/mock_ingest.h"

#define EVENT_TYPES_MAX 16 /* told apart in the sums; the others are "..." */

static const char *const severities[MOCK_INGEST_SEVERITIES] = {"info", "warn", "error", "other"};

static const char *type_of(const struct mock_ingest_item *item)
{
    return strchr(item->name, '/') + 1;
}

static bool is_wanted(const struct mock_ingest_item *item, const char *xid)
{
    return mock_ingest_is_event(item) && (!xid || strcmp(item->xid, xid) == 0);
}

/* ---- sums ------------------------------------------------------------------------------------ */

static void put_event_sums(struct cad_jsonw *w, const struct mock_ingest *m, const char *xid)
{
    const char *names[EVENT_TYPES_MAX];
    int64_t counts[EVENT_TYPES_MAX] = {0}, held = 0;
    size_t n = 0;
    for (size_t i = 0; i < m->count; i++) {
        if (!is_wanted(&m->items[i], xid)) continue;
        size_t k = 0;
        while (k < n && strcmp(names[k], type_of(&m->items[i])) != 0) k++;
        if (k == EVENT_TYPES_MAX) k--;
        if (k == n) names[n++] = k + 1 < EVENT_TYPES_MAX ? type_of(&m->items[i]) : "...";
        counts[k]++;
        held++;
    }
    cad_jsonw_key(w, CAD_STR("events"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "held", held);
    cad_jsonw_key(w, CAD_STR("types"));
    cad_jsonw_object(w);
    for (size_t k = 0; k < n; k++) cad_jsonw_key_i64(w, names[k], counts[k]);
    cad_jsonw_end(w);
    cad_jsonw_end(w);
}

static void put_severities(struct cad_jsonw *w, const uint64_t counts[MOCK_INGEST_SEVERITIES])
{
    cad_jsonw_object(w);
    for (size_t i = 0; i < MOCK_INGEST_SEVERITIES; i++) {
        if (counts[i] > 0) cad_jsonw_key_i64(w, severities[i], (int64_t)counts[i]);
    }
    cad_jsonw_end(w);
}

static void put_log_sums(struct cad_jsonw *w, const struct mock_ingest *m)
{
    uint64_t sums[MOCK_INGEST_SEVERITIES] = {0};
    int64_t batches = 0;
    for (size_t i = 0; i < m->count; i++) batches += !mock_ingest_is_event(&m->items[i]);
    cad_jsonw_key(w, CAD_STR("logs"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "batches", batches);
    cad_jsonw_key_i64(w, "entries", (int64_t)mock_ingest_entries(m));
    cad_jsonw_key_i64(w, "repeated", (int64_t)m->repeated);
    cad_jsonw_key(w, CAD_STR("types"));
    cad_jsonw_object(w);
    for (size_t i = 0; i < m->type_count; i++) {
        cad_jsonw_key(w, cad_str_from(m->types[i].name));
        put_severities(w, m->types[i].counts);
        for (size_t k = 0; k < MOCK_INGEST_SEVERITIES; k++) sums[k] += m->types[i].counts[k];
    }
    cad_jsonw_end(w);
    cad_jsonw_key(w, CAD_STR("severities"));
    put_severities(w, sums);
    cad_jsonw_end(w);
}

static void put_request_sums(struct cad_jsonw *w, const struct mock_ingest *m)
{
    cad_jsonw_key(w, CAD_STR("requests"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "arrivals", (int64_t)m->arrivals);
    cad_jsonw_key_i64(w, "duplicates", (int64_t)m->duplicates);
    cad_jsonw_key_i64(w, "refused", (int64_t)m->refused);
    cad_jsonw_key_i64(w, "broken", (int64_t)m->broken);
    cad_jsonw_key_i64(w, "gzip", (int64_t)m->zipped);
    cad_jsonw_key_i64(w, "faults", (int64_t)m->faults);
    cad_jsonw_key_i64(w, "lost", (int64_t)m->lost);
    cad_jsonw_end(w);
}

/* ---- events one by one ----------------------------------------------------------------------- */

static void put_event(struct cad_jsonw *w, const struct mock_ingest_item *item)
{
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "type", cad_str_from(type_of(item)));
    cad_jsonw_key_string(w, "xid", cad_str_from(item->xid));
    cad_jsonw_key_i64(w, "seq", item->seq);
    cad_jsonw_key_i64(w, "position", item->position_ms);
    cad_jsonw_key_i64(w, "rendered", item->rendered_ms);
    cad_jsonw_key_string(w, "reqId", cad_str_from(item->reqid));
    cad_jsonw_key_i64(w, "reqAttempt", item->attempt_first);
    cad_jsonw_key_i64(w, "lastAttempt", item->attempt_last);
    cad_jsonw_key_i64(w, "arrivals", item->arrivals);
    if (item->context[0]) {
        cad_jsonw_key_string(w, "playbackContextId", cad_str_from(item->context));
    }
    if (item->reason[0]) cad_jsonw_key_string(w, "reason", cad_str_from(item->reason));
    cad_jsonw_end(w);
}

/* One playback, by its first event. */
static void put_playback(struct cad_jsonw *w, const struct mock_ingest *m, size_t first)
{
    const char *xid = m->items[first].xid;
    bool in_order = true;
    int64_t seq = -1;
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "xid", cad_str_from(xid));
    cad_jsonw_key(w, CAD_STR("events"));
    cad_jsonw_array(w);
    for (size_t i = first; i < m->count; i++) {
        if (!is_wanted(&m->items[i], xid)) continue;
        put_event(w, &m->items[i]);
        in_order = in_order && m->items[i].seq > seq;
        seq = m->items[i].seq;
    }
    cad_jsonw_end(w);
    cad_jsonw_key_bool(w, "inOrder", in_order);
    cad_jsonw_end(w);
}

static bool is_first(const struct mock_ingest *m, size_t i)
{
    for (size_t k = 0; k < i; k++) {
        if (is_wanted(&m->items[k], m->items[i].xid)) return false;
    }
    return true;
}

int mock_ingest_report(const struct mock_ingest *m, const char *xid, struct cad_sb *out)
{
    struct cad_jsonw w;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    put_event_sums(&w, m, xid);
    cad_jsonw_key(&w, CAD_STR("playbacks"));
    cad_jsonw_array(&w);
    for (size_t i = 0; i < m->count; i++) {
        if (is_wanted(&m->items[i], xid) && is_first(m, i)) put_playback(&w, m, i);
    }
    cad_jsonw_end(&w);
    put_log_sums(&w, m);
    put_request_sums(&w, m);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}
