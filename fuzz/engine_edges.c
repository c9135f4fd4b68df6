#include "engine_edges.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define FALSE_KEYS_MAX 6

const uint8_t edges_kids[EDGES_KIDS][CAD_KEY_ID_SIZE] = {
    {0x11, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0x22, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {0x33, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

/* The key set of the lower pictures, with a key that is not theirs: the engine cannot tell. */
static const char at_hand[] =
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"EQECAwQFBgcICQoLDA0ODw\","
    "\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}],\"type\":\"temporary\"}";

/* ---- input --------------------------------------------------------------------------------- */

uint32_t input_take(struct input *in, size_t bytes)
{
    uint32_t v = 0;
    for (size_t i = 0; i < bytes && in->n > 0; i++) {
        v = v << 8 | *in->p++;
        in->n--;
    }
    return v;
}

cad_time input_time(struct input *in)
{
    uint32_t v = input_take(in, 1);
    return ((cad_time)(v & 7) << (v >> 3)) * 512;
}

cad_buf input_bytes(struct input *in)
{
    size_t n = input_take(in, 1);
    n = CAD_MIN(n, in->n);
    cad_buf bytes = {in->p, n};
    in->p += n;
    in->n -= n;
    return bytes;
}

/* ---- life ---------------------------------------------------------------------------------- */

static void make_cdm(struct edges *x)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sim_cdm_config config = {.ops = cad_cdm_clearkey(),
                                        .key_system = CAD_STR("org.w3.clearkey"),
                                        .wall_ms = 1700000000000, .seed = 1};
    if (cad_sim_cdm_create(&alloc, &config, &x->cdm)) abort();
}

static void make_ftl(struct edges *x)
{
    static const int64_t delays_ms[] = {0, 1000, 1000};
    static const struct mock_ftl_target targets[] = {{.name = "a", .host = "cdn1"},
                                                     {.name = "b", .host = "cdn2"}};
    const struct mock_ftl_config config = {
        .targets = targets, .target_count = CAD_ARRAY_LEN(targets), .pulses = 3,
        .delays_ms = delays_ms, .delay_count = CAD_ARRAY_LEN(delays_ms), .timeout_ms = 2000,
        .next_ms = 60000, .data_bytes = 700};
    if (mock_ftl_create(&config, &x->ftl)) abort();
}

void edges_init(struct edges *x, enum variant variant)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(x, 0, sizeof(*x));
    x->variant = variant;
    mock_ingest_init(&x->ingest, &alloc);
    if (variant == PLAIN) return;
    if (cad_store_memory_create(0, &alloc, &x->store)) abort();
    if (is_locked(variant)) make_cdm(x);
    if (is_served(variant)) make_ftl(x);
}

void edges_deinit(struct edges *x)
{
    cad_sim_cdm_destroy(&x->cdm);
    mock_ftl_destroy(&x->ftl);
    mock_ingest_deinit(&x->ingest);
    if (x->store.ops) x->store.ops->destroy(x->store.self);
}

void edges_configure(const struct edges *x, struct cad_engine_config *config)
{
    if (x->variant == PLAIN) return;
    config->text_language = CAD_STR("de");
    config->report = config->probe = is_served(x->variant);
    if (is_locked(x->variant)) config->licence_url = CAD_STR("http://cdn1/license?of=config");
    if (x->variant == LOCKED_AT_HAND) config->licence = cad_buf_from_str(cad_str_from(at_hand));
}

void edges_caps(const struct edges *x, struct cad_engine *engine)
{
    if (!x->cdm) return;
    struct cad_event e = {.type = CAD_EVENT_CDM_CAPS};
    e.u.cdm_caps = cad_cdm_clearkey()->caps(cad_sim_cdm_instance(x->cdm));
    if (cad_engine_feed(engine, &e) != 0) abort(); /* it is taken at the door */
}

/* ---- truth --------------------------------------------------------------------------------- */

void edges_call(struct edges *x, const struct cad_cdm_call *call, cad_time now)
{
    if (!x->cdm) abort(); /* nobody told of one */
    cad_sim_cdm_advance(x->cdm, now);
    if (call->type != CAD_CDM_CALL_TIMER) x->tag = call->tag;
    if (cad_sim_cdm_call(x->cdm, call)) return; /* a CDM with more to tell than anybody takes */
}

void edges_cdm_true(struct edges *x, struct cad_engine *engine, uint32_t most)
{
    struct cad_event e = {.type = CAD_EVENT_CDM};
    for (uint32_t i = 0; x->cdm && i < most; i++) {
        if (!cad_sim_cdm_take(x->cdm, &e.u.cdm)) return;
        if (cad_engine_feed(engine, &e)) return; /* lost, as on a bad day */
    }
}

static void answer_store(struct cad_engine *engine, const struct cad_store_done *done)
{
    struct cad_event e = {.type = CAD_EVENT_STORE_DONE};
    e.u.store = *done;
    if (cad_engine_feed(engine, &e)) return;
}

void edges_order(struct edges *x, struct cad_engine *engine, const struct cad_store_order *o)
{
    const struct cad_store_ops *ops = x->store.ops;
    int rc = CAD_E_IO;
    x->store_id = o->id;
    x->store_call = o->call;
    if (ops) {
        switch (o->call) {
        case CAD_STORE_PUT: rc = ops->put(x->store.self, o->id, o->key, o->value, o->flags); break;
        case CAD_STORE_GET: rc = ops->get(x->store.self, o->id, o->key); break;
        case CAD_STORE_DELETE: rc = ops->del(x->store.self, o->id, o->key); break;
        case CAD_STORE_LIST: rc = ops->list(x->store.self, o->id, o->key); break;
        }
    }
    if (rc == CAD_E_INVAL) abort(); /* a key that is none */
    if (rc == 0) return;
    answer_store(engine, &(struct cad_store_done){.id = o->id, .call = o->call, .result = rc});
}

void edges_store_true(struct edges *x, struct cad_engine *engine)
{
    struct cad_store_done done;
    while (x->store.ops && x->store.ops->poll(x->store.self, &done) == 0) {
        answer_store(engine, &done);
    }
}

static bool serve_report(struct edges *x, const struct cad_origin_request *request, int channel,
                         struct cad_origin_answer *answer)
{
    struct mock_ingest_answer said;
    bool gzip = request->body.n > 1 && request->body.p[0] == 0x1f && request->body.p[1] == 0x8b;
    mock_ingest_serve(&x->ingest, &(struct mock_ingest_request){
        .channel = (enum mock_ingest_channel)channel, .method = request->method,
        .target = request->path, .body = request->body, .gzip = gzip}, &said);
    if (said.status == 400) abort(); /* no service takes what was sent */
    *answer = (struct cad_origin_answer){.status = said.lost ? 502 : said.status, .body = {
        (const uint8_t *)said.body.p, said.body.n}};
    answer->body_size = (int64_t)answer->body.n;
    if (!said.limits) return true;
    answer->headers[0] = (struct cad_header){CAD_STR("x-ichnaea"), cad_str_from(said.limits)};
    answer->header_count = 1;
    return true;
}

bool edges_serve(struct edges *x, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    if (!is_served(x->variant)) return false;
    ptrdiff_t query = cad_str_find_char(request->path, '?');
    cad_str path = cad_str_sub(request->path, 0, query < 0 ? request->path.n : (size_t)query);
    int channel = mock_ingest_channel(path);
    if (channel >= 0) return serve_report(x, request, channel, answer);
    if (!cad_str_eq(path, CAD_STR(MOCK_FTL_RECIPE_PATH)) &&
        !cad_str_eq(path, CAD_STR(MOCK_FTL_PROBE_PATH))) {
        return false;
    }
    return mock_ftl_ops()->serve(x->ftl, request, answer) == 0;
}

/* ---- and its opposite ---------------------------------------------------------------------- */

static int some_result(uint32_t v)
{
    static const int results[] = {0, CAD_E_DATA, CAD_E_NOTFOUND, CAD_E_LIMIT, CAD_E_NOMEM,
                                  CAD_E_INVAL, CAD_E_LOST, CAD_E_UNSUPPORTED};
    return results[v % CAD_ARRAY_LEN(results)];
}

static void some_keys(struct input *in, uint32_t count, struct cad_cdm_key *keys)
{
    memset(keys, 0, FALSE_KEYS_MAX * sizeof(*keys));
    for (uint32_t i = 0; i < CAD_MIN(count, FALSE_KEYS_MAX); i++) {
        uint32_t v = input_take(in, 1);
        memcpy(keys[i].kid, edges_kids[v % EDGES_KIDS], CAD_KEY_ID_SIZE);
        if (v >= 192) keys[i].kid[3] = (uint8_t)v;
        keys[i].status = (enum cad_key_status)((v >> 2) % (CAD_KEY_ERROR + 2));
    }
}

/* About the last call, or about something else: of the 8 bits two choose each number. */
static void some_tag(const struct edges *x, struct input *in, struct cad_cdm_tag *tag)
{
    uint32_t v = input_take(in, 1);
    *tag = x->tag;
    if (v & 1) tag->session = v >> 4;
    if (v & 2) tag->epoch = v >> 5;
    if (v & 4) tag->op = v & 8 ? 0 : tag->op - (v >> 6);
}

void edges_cdm_false(struct edges *x, struct cad_engine *engine, struct input *in)
{
    static const char *const urls[] = {"", "http://cdn2/license?of=message", "ftp://x/", "\x01"};
    struct cad_cdm_key keys[FALSE_KEYS_MAX];
    struct cad_event e = {.type = CAD_EVENT_CDM};
    uint32_t v = input_take(in, 1);
    struct cad_cdm_event *ev = &e.u.cdm;
    *ev = (struct cad_cdm_event){.size = sizeof(*ev), .keys = keys};
    ev->type = (enum cad_cdm_event_type)(v % (CAD_CDM_EVENT_STORE_DELETE + 2));
    some_tag(x, in, &ev->tag);
    v = input_take(in, 1);
    ev->result = some_result(v);
    ev->message = (enum cad_cdm_message)(v >> 3 & 3);
    ev->closed = (enum cad_cdm_closed)(v >> 5);
    ev->url = cad_str_from(urls[v >> 6]);
    ev->system_code = v;
    if (ev->type == CAD_CDM_EVENT_KEYS) ev->key_count = v % (FALSE_KEYS_MAX + 1);
    some_keys(in, ev->key_count, keys);
    if (ev->type == CAD_CDM_EVENT_MESSAGE) ev->data = input_bytes(in);
    ev->time = v & 1 ? CAD_TIME_MAX : v & 2 ? CAD_TIME_NONE : input_time(in);
    if (v & 4) ev->time = cad_time_add(ev->time, INT64_C(1700000000) * CAD_SECOND);
    ev->hdcp = (int32_t)v - 128;
    if (cad_engine_feed(engine, &e)) return;
}

void edges_store_false(struct edges *x, struct cad_engine *engine, struct input *in)
{
    static const cad_str keys[] = {{"", 0}, {"pb-", 3}, {"../x", 4}, {"a-1", 3}};
    struct cad_store_done done;
    uint32_t v = input_take(in, 1);
    memset(&done, 0, sizeof(done));
    done.id = v & 1 ? x->store_id - (v >> 6) : x->store_id;
    done.call = v & 2 ? x->store_call : (enum cad_store_call)(v >> 2 & 3);
    done.result = some_result(v >> 4 & 3 ? 0 : v >> 5);
    if (done.call == CAD_STORE_GET) done.value = input_bytes(in);
    if (done.call == CAD_STORE_LIST) {
        done.keys = keys;
        done.count = v >> 6;
    }
    answer_store(engine, &done);
}

void edges_mischief(struct edges *x, uint32_t how)
{
    struct mock_ingest_script *s = &x->ingest.scripts[how & 1];
    s->fault = (enum mock_ingest_fault)(how >> 1 & 3);
    s->left = how >> 5;
    s->status = how & 16 ? 429 : 503;
    s->retry_after_s = how & 32;
    if (how & 8) {
        x->ingest.stop.left = 1;
        cad_str_copyz(x->ingest.stop.code, sizeof(x->ingest.stop.code), CAD_STR("STREAM_LIMIT"));
    }
}
