/* The probes' service of cadmium-mockd: a recipe whose targets are the hosts, and their answers. */
#include <inttypes.h>
#include <string.h>

#include "base/str.h"
#include "base/uri.h"
#include "mock/mock_internal.h"
#include "mock/mockd.h"

#define RECIPE_PATH "/ftl/recipe"
#define PULSES_DEFAULT 3
#define DATA_BYTES_DEFAULT 5120
#define DATA_BYTES_MAX (512 << 10)
#define MS_MAX 3600000
#define DEAD_TIME (60 * CAD_SECOND) /* the longest that a client may wait for a pulse */

static const int64_t delays_default[] = {0, 500, 2000};

/* ---- life ------------------------------------------------------------------------------------ */

/* The names are those of the manifest's servers: "cdn:11". */
bool mockd_ftl_renew(struct mockd *mockd)
{
    struct mock_ftl_target targets[MOCK_HOSTS_MAX] = {0};
    struct mock_ftl_config config = {
        .scheme = mockd->tls_cert ? "https" : "http", .targets = targets,
        .target_count = mockd->origin->host_count, .pulses = PULSES_DEFAULT,
        .delays_ms = delays_default, .delay_count = PULSES_DEFAULT,
        .data_bytes = DATA_BYTES_DEFAULT, .recipe_path = RECIPE_PATH,
    };
    mock_ftl_destroy(&mockd->ftl);
    for (uint32_t i = 0; i < config.target_count; i++) {
        (void)snprintf(mockd->ftl_names[i], sizeof mockd->ftl_names[i], "cdn:%" PRId64,
                       mock_cdn_id(mockd->origin, i));
        targets[i].name = mockd->ftl_names[i];
        targets[i].host = mockd->hosts[i].name;
        targets[i].step_count = MOCK_FTL_PULSES_MAX;
    }
    return mock_ftl_create(&config, &mockd->ftl) == 0;
}

/* ---- requests -------------------------------------------------------------------------------- */

bool mockd_ftl_is_path(cad_str path)
{
    return cad_str_eqz(path, RECIPE_PATH) || cad_str_eqz(path, MOCK_FTL_RECIPE_PATH) ||
           cad_str_eqz(path, MOCK_FTL_PROBE_PATH);
}

static bool keep(struct mockd_request *request, const struct cad_origin_answer *answer)
{
    request->status = answer->status;
    request->answer.content_type = answer->content_type;
    for (uint32_t i = 0; i < answer->header_count; i++) {
        mockd_body_header(request, answer->headers[i].name, answer->headers[i].value);
    }
    return mockd_body_text(request, (const char *)answer->body.p, answer->body.n);
}

bool mockd_ftl_serve(struct mockd_request *request, cad_time *think)
{
    struct mockd *mockd = request->host->mockd;
    struct cad_origin_answer answer = {0};
    struct cad_origin_request ask = {
        .method = cad_str_from(request->method), .host = cad_str_from(request->host->name),
        .path = cad_str_from(request->uri), .range = {-1, -1}, .now_ms = mockd_now_ms(mockd),
    };
    bool pulse = cad_str_starts(ask.path, CAD_STR(MOCK_FTL_PROBE_PATH));
    request->service = pulse ? "probe" : "recipe";
    (void)pthread_mutex_lock(&mockd->lock);
    int rc = mockd->ftl ? mock_ftl_ops()->serve(mockd->ftl, &ask, &answer) : CAD_E_NOMEM;
    bool good = rc == 0 && keep(request, &answer);
    (void)pthread_mutex_unlock(&mockd->lock);
    *think += answer.think;
    cad_time end = mockd_monotonic() + (rc == CAD_E_AGAIN ? DEAD_TIME : answer.think);
    if (rc != 0) (void)mockd_wait(request->host, end);
    return good;
}

/* ---- commands: the recipe -------------------------------------------------------------------- */

/* A number that may be left out. false: it is there, and wrong. */
static bool optional(cad_str query, const char *name, int64_t high, int64_t *out)
{
    if (!cad_uri_query_value(query, cad_str_from(name)).p) return true;
    return mockd_query_number(query, name, 0, high, out);
}

static bool read_delays(cad_str list, int64_t *delays, uint32_t *count)
{
    cad_str one;
    *count = 0;
    while (list.n > 0 && cad_str_split(&list, ',', &one)) {
        if (*count == MOCK_FTL_PULSES_MAX) return false;
        if (cad_str_to_i64(one, &delays[*count]) < 0) return false;
        (*count)++;
    }
    return true;
}

static const char *set_plan(struct mockd *mockd, cad_str query)
{
    int64_t delays[MOCK_FTL_PULSES_MAX];
    struct mock_ftl_config plan = {.pulses = PULSES_DEFAULT, .delays_ms = delays,
                                   .data_bytes = DATA_BYTES_DEFAULT};
    cad_str list = cad_uri_query_value(query, CAD_STR("delays"));
    memcpy(delays, delays_default, sizeof delays_default);
    plan.delay_count = PULSES_DEFAULT;
    if (!optional(query, "pulses", MOCK_FTL_PULSES_MAX, &plan.pulses)) return "pulses=0..12";
    if (list.p && !read_delays(list, delays, &plan.delay_count)) return "delays=MS,MS,...";
    if (!optional(query, "timeout_ms", MS_MAX, &plan.timeout_ms)) return "timeout_ms=0..3600000";
    if (!optional(query, "next_ms", MS_MAX, &plan.next_ms)) return "next_ms=0..3600000";
    if (!optional(query, "data", DATA_BYTES_MAX, &plan.data_bytes)) return "data=0..524288";
    return mock_ftl_set_plan(mockd->ftl, &plan) < 0 ? "out of memory" : NULL;
}

static const char *command_recipe(struct mockd *mockd, cad_str verb, cad_str query)
{
    struct mock_ftl_recipe_script script = {.left = -1};
    int64_t value = 0;
    if (cad_str_eqz(verb, "plan")) return set_plan(mockd, query);
    if (!optional(query, "count", INT32_MAX, &script.left)) return "count=N is how many requests";
    if (cad_str_eqz(verb, "status")) {
        if (!mockd_query_number(query, "code", 201, 599, &value)) {
            return "code=201..599 is missing";
        }
        script.status = (int32_t)value;
    } else if (cad_str_eqz(verb, "garbage")) {
        script.garbage = true;
    } else if (cad_str_eqz(verb, "slow")) {
        if (!mockd_query_number(query, "ms", 0, MS_MAX, &value)) return "ms=N is missing";
        script.think = value * CAD_MS;
    } else if (!cad_str_eqz(verb, "ok")) {
        return "no such command for the recipe";
    }
    mock_ftl_set_recipe(mockd->ftl, &script);
    return NULL;
}

/* ---- commands: targets ----------------------------------------------------------------------- */

/* The fault of a verb; -1: it is none. */
static int fault_of(cad_str verb)
{
    static const struct {
        const char *verb;
        enum mock_ftl_fault fault;
    } rows[] = {{"dead", MOCK_FTL_LOSS},     {"reset", MOCK_FTL_RESET},
                {"status", MOCK_FTL_STATUS}, {"short", MOCK_FTL_SHORT},
                {"long", MOCK_FTL_LONG},     {"portal", MOCK_FTL_PORTAL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (cad_str_eqz(verb, rows[i].verb)) return (int)rows[i].fault;
    }
    return -1;
}

/* What a verb makes of a step. */
static const char *change_step(struct mock_ftl_step *step, cad_str verb, cad_str query)
{
    int fault = fault_of(verb);
    int64_t value = 0;
    if (cad_str_eqz(verb, "ok")) {
        *step = (struct mock_ftl_step){0};
        return NULL;
    }
    if (cad_str_eqz(verb, "slow")) {
        if (!mockd_query_number(query, "ms", 0, MS_MAX, &value)) return "ms=N is missing";
        step->think = value * CAD_MS;
        return NULL;
    }
    if (fault < 0) return "no such command for a target";
    if (fault == MOCK_FTL_STATUS && !mockd_query_number(query, "code", 201, 599, &value)) {
        return "code=201..599 is missing";
    }
    bool sized = fault == MOCK_FTL_SHORT || fault == MOCK_FTL_LONG;
    if (sized && !mockd_query_number(query, "bytes", 1, DATA_BYTES_MAX, &value)) {
        return "bytes=N is missing";
    }
    step->fault = (enum mock_ftl_fault)fault;
    step->value = value;
    return NULL;
}

/* Of one pulse, or of all. */
static const char *command_target(struct mockd *mockd, cad_str number, cad_str verb, cad_str query)
{
    uint64_t host = 0;
    int64_t only = 0;
    const char *wrong = NULL;
    if (cad_str_to_u64(number, &host) < 0 || host < 1 || host > mockd->origin->host_count) {
        return "no such target";
    }
    if (!optional(query, "pulse", MOCK_FTL_PULSES_MAX, &only)) return "pulse=1..12";
    for (uint32_t i = 1; i <= MOCK_FTL_PULSES_MAX && !wrong; i++) {
        struct mock_ftl_step *step = mock_ftl_step(mockd->ftl, (uint32_t)host - 1, i);
        if (step && (only == 0 || only == (int64_t)i)) wrong = change_step(step, verb, query);
    }
    return wrong;
}

const char *mockd_ftl_command(struct mockd *mockd, cad_str rest, cad_str query)
{
    cad_str word, number;
    const char *wrong = "no such command for probes";
    if (!cad_str_split(&rest, '/', &word) || !rest.p) return wrong;
    (void)pthread_mutex_lock(&mockd->lock);
    if (!mockd->ftl) {
        wrong = "no title yet";
    } else if (cad_str_eqz(word, "recipe")) {
        wrong = command_recipe(mockd, rest, query);
    } else if (cad_str_eqz(word, "target") && cad_str_split(&rest, '/', &number) && rest.p) {
        wrong = command_target(mockd, number, rest, query);
    }
    (void)pthread_mutex_unlock(&mockd->lock);
    return wrong;
}
