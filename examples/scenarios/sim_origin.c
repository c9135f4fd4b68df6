#include "scenarios/sim_origin.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "mock/mock_internal.h"

#define PULSES 3
#define DATA_BYTES 2048   /* of a pulse's answer */
#define RECIPE_NEXT_MS 300000
#define CUT_BYTES 100     /* that a cut answer lacks */
#define SLOW_MS_MAX 600000

struct sim_origin {
    struct mock_synth *synth;
    struct mock_ingest ingest;
    struct mock_ftl *ftl;
    char names[MOCK_HOSTS_MAX][32]; /* of targets */
    char hosts[MOCK_HOSTS_MAX][64];
    uint32_t target_count;
    cad_time probe_late;
    char retry[16];          /* Retry-After of the last answer */
};

/* ---- answers ------------------------------------------------------------------------------- */

static bool is_gzip(cad_buf body)
{
    return body.n >= 2 && body.p[0] == 0x1f && body.p[1] == 0x8b;
}

static int serve_ingest(struct sim_origin *o, const struct cad_origin_request *request,
                        int channel, struct cad_origin_answer *answer)
{
    const struct mock_ingest_request ask = {
        .channel = (enum mock_ingest_channel)channel, .method = request->method,
        .target = request->path, .body = request->body, .gzip = is_gzip(request->body)};
    struct mock_ingest_answer got;
    mock_ingest_serve(&o->ingest, &ask, &got);
    if (got.lost) return CAD_E_IO;
    answer->status = got.status;
    answer->content_type = "application/json";
    answer->body = cad_buf_from_str(got.body);
    answer->body_size = (int64_t)got.body.n;
    answer->think = got.think;
    struct cad_header *header = answer->headers;
    if (got.limits) {
        header[answer->header_count++] =
            (struct cad_header){CAD_STR("x-ichnaea"), cad_str_from(got.limits)};
    }
    if (got.retry_after_s > 0) {
        (void)snprintf(o->retry, sizeof(o->retry), "%d", (int)got.retry_after_s);
        header[answer->header_count++] =
            (struct cad_header){CAD_STR("Retry-After"), cad_str_from(o->retry)};
    }
    return 0;
}

static bool is_probe(cad_str path)
{
    return cad_str_starts(path, CAD_STR(MOCK_FTL_RECIPE_PATH)) ||
           cad_str_starts(path, CAD_STR(MOCK_FTL_PROBE_PATH));
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    struct sim_origin *o = ctx;
    cad_str path = request->path;
    ptrdiff_t query = cad_str_find_char(path, '?');
    if (query >= 0) path = cad_str_sub(path, 0, (size_t)query);
    int channel = mock_ingest_channel(path);
    if (channel >= 0) return serve_ingest(o, request, channel, answer);
    if (is_probe(path)) return mock_ftl_ops()->serve(o->ftl, request, answer);
    return mock_synth_ops()->serve(o->synth, request, answer);
}

const struct cad_origin_ops *sim_origin_ops(void)
{
    static const struct cad_origin_ops ops = {.size = sizeof(ops), .serve = serve};
    return &ops;
}

/* ---- switches ------------------------------------------------------------------------------ */

/* "licence-slow-800" into its name and 800; false: it does not end so. */
static bool read_slow(cad_str word, cad_str *name, cad_time *late)
{
    cad_str mark = CAD_STR("-slow-");
    int64_t ms;
    ptrdiff_t at = cad_str_find(word, mark);
    if (at <= 0) return false;
    *name = cad_str_sub(word, 0, (size_t)at);
    if (cad_str_to_i64(cad_str_sub(word, (size_t)at + mark.n, word.n), &ms)) return false;
    *late = ms * CAD_MS;
    return ms >= 0 && ms <= SLOW_MS_MAX;
}

static int channel_of(cad_str name)
{
    if (cad_str_eqz(name, "events")) return MOCK_INGEST_EVENTS;
    return cad_str_eqz(name, "log") ? MOCK_INGEST_LOG : -1;
}

static void set_pulses(struct sim_origin *o, enum mock_ftl_fault fault, int64_t value)
{
    for (uint32_t t = 0; t < o->target_count; t++) {
        for (uint32_t pulse = 1; pulse <= PULSES; pulse++) {
            struct mock_ftl_step *step = mock_ftl_step(o->ftl, t, pulse);
            if (step) *step = (struct mock_ftl_step){o->probe_late, fault, value};
        }
    }
}

static int set_slow(struct sim_origin *o, cad_str name, cad_time late)
{
    int channel = channel_of(name);
    if (channel >= 0) {
        o->ingest.scripts[channel].think = late;
    } else if (cad_str_eqz(name, "licence")) {
        mock_origin_licence(sim_origin_mock(o))->delay = late;
    } else if (cad_str_eqz(name, "probe")) {
        const struct mock_ftl_recipe_script script = {.left = -1, .think = late};
        mock_ftl_set_recipe(o->ftl, &script);
        o->probe_late = late;
        set_pulses(o, MOCK_FTL_OK, 0);
    } else {
        return CAD_E_NOTFOUND;
    }
    return 0;
}

static int set_probe(struct sim_origin *o, cad_str way, bool up)
{
    struct mock_ftl_recipe_script script = {.left = -1, .think = o->probe_late};
    enum mock_ftl_fault fault = MOCK_FTL_OK;
    int64_t value = 0;
    if (way.n == 0) {
        script.status = up ? 0 : 503;
    } else if (cad_str_eqz(way, "garbage")) {
        script.garbage = !up;
    } else if (cad_str_eqz(way, "refused")) {
        fault = MOCK_FTL_STATUS;
        value = 403;
    } else if (cad_str_eqz(way, "cut")) {
        fault = MOCK_FTL_SHORT;
        value = CUT_BYTES;
    } else {
        return CAD_E_NOTFOUND;
    }
    mock_ftl_set_recipe(o->ftl, &script);
    set_pulses(o, up ? MOCK_FTL_OK : fault, value);
    return 0;
}

static int set_ingest(struct sim_origin *o, int channel, cad_str way, bool up)
{
    struct mock_ingest_script *script = &o->ingest.scripts[channel];
    struct mock_ingest_script fresh = {.left = -1, .think = script->think};
    if (way.n == 0) {
        fresh.fault = MOCK_INGEST_STATUS;
        fresh.status = 503;
    } else if (cad_str_eqz(way, "refused")) {
        fresh.fault = MOCK_INGEST_REFUSE;
    } else if (cad_str_eqz(way, "cut")) {
        fresh.fault = MOCK_INGEST_DROP;
    } else {
        return CAD_E_NOTFOUND;
    }
    if (up) fresh.fault = MOCK_INGEST_OK;
    *script = fresh;
    return 0;
}

int sim_origin_service(struct sim_origin *origin, cad_str name, bool up)
{
    cad_str service = name, way = {NULL, 0};
    cad_time late;
    if (read_slow(name, &service, &late)) return set_slow(origin, service, up ? 0 : late);
    ptrdiff_t dash = cad_str_find_char(name, '-');
    if (dash > 0) {
        service = cad_str_sub(name, 0, (size_t)dash);
        way = cad_str_sub(name, (size_t)dash + 1, name.n);
    }
    int channel = channel_of(service);
    if (channel >= 0) return set_ingest(origin, channel, way, up);
    if (cad_str_eqz(service, "probe")) return set_probe(origin, way, up);
    return mock_origin_service(sim_origin_mock(origin), name, up);
}

struct mock_ingest *sim_origin_ingest(struct sim_origin *origin)
{
    return &origin->ingest;
}

struct mock_ftl *sim_origin_ftl(struct sim_origin *origin)
{
    return origin->ftl;
}

struct mock_origin *sim_origin_mock(struct sim_origin *origin)
{
    return mock_synth_origin(origin->synth);
}

/* ---- life ---------------------------------------------------------------------------------- */

static int create_ftl(struct sim_origin *o, const struct sim_origin_config *config)
{
    static const int64_t delays_ms[PULSES] = {0, 2000, 70000};
    const struct cad_scenario_title *title = config->title;
    const char *const *hosts = config->probe_hosts ? config->probe_hosts : title->hosts;
    uint32_t count = config->probe_hosts ? config->probe_host_count : title->host_count;
    struct mock_ftl_target targets[MOCK_HOSTS_MAX];
    if (count == 0 || count > MOCK_HOSTS_MAX) return CAD_E_LIMIT;
    memset(targets, 0, sizeof(targets));
    for (uint32_t i = 0; i < count; i++) {
        long long id = (long long)mock_cdn_id(sim_origin_mock(o), i);
        (void)snprintf(o->hosts[i], sizeof(o->hosts[i]), "%s", hosts[i]);
        if (config->probe_hosts) {
            (void)snprintf(o->names[i], sizeof(o->names[i]), "target-%u", (unsigned)i + 1);
        } else {
            (void)snprintf(o->names[i], sizeof(o->names[i]), "cdn:%lld", id);
        }
        targets[i].name = o->names[i];
        targets[i].host = o->hosts[i];
        targets[i].step_count = PULSES;
    }
    o->target_count = count;
    const struct mock_ftl_config ftl = {
        .targets = targets, .target_count = count, .pulses = PULSES, .delays_ms = delays_ms,
        .delay_count = PULSES, .next_ms = RECIPE_NEXT_MS, .data_bytes = DATA_BYTES};
    return mock_ftl_create(&ftl, &o->ftl);
}

int sim_origin_create(const struct sim_origin_config *config, struct sim_origin **out)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct sim_origin *o = cad_alloc_new(&alloc, sizeof(*o), CAD_MEM_OTHER);
    if (!o) return CAD_E_NOMEM;
    mock_ingest_init(&o->ingest, &alloc);
    int err = mock_synth_create(config->title, &o->synth);
    if (!err) err = create_ftl(o, config);
    if (err) {
        sim_origin_destroy(&o);
        return err;
    }
    *out = o;
    return 0;
}

void sim_origin_destroy(struct sim_origin **origin)
{
    if (!origin || !*origin) return;
    struct sim_origin *o = *origin;
    struct cad_alloc alloc = cad_alloc_system();
    mock_ftl_destroy(&o->ftl);
    mock_synth_destroy(&o->synth);
    mock_ingest_deinit(&o->ingest);
    cad_alloc_free(&alloc, o, sizeof(*o), CAD_MEM_OTHER);
    *origin = NULL;
}
