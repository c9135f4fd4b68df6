#include "mock/mock_ftl.h"

#include <stdlib.h>
#include <string.h>

#include "base/jsonw.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "base/util.h"

#define RECIPE_BYTES_MAX 65536
#define BODY_BYTES_MAX (1 << 20)
#define PROBE_DATA "v1.c2VydmVkLWJ5LWEtbW9jaw"

struct mock_ftl {
    struct mock_ftl_config config;
    struct mock_ftl_target targets[MOCK_FTL_TARGETS_MAX];
    struct mock_ftl_counts counts;
    struct mock_ftl_recipe_script script;
    struct cad_sb recipe;
    uint8_t *body;             /* BODY_BYTES_MAX of filler */
};

static const char portal[] = "<html><body>Please accept the terms of this network.</body></html>";

static void write_url(const struct mock_ftl_config *c, const struct mock_ftl_target *target,
                      struct cad_jsonw *w)
{
    char text[512];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_sb_printf(&sb, "%s://%s%s?data=", c->scheme ? c->scheme : "http", target->host,
                  MOCK_FTL_PROBE_PATH);
    cad_sb_i64(&sb, c->data_bytes);
    cad_jsonw_key_string(w, "url", cad_sb_str(&sb));
}

static void write_recipe(struct mock_ftl *mock)
{
    const struct mock_ftl_config *c = &mock->config;
    struct cad_jsonw w;
    cad_jsonw_init(&w, &mock->recipe);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("urls"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < c->target_count; i++) {
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "name", cad_str_from(mock->targets[i].name));
        write_url(c, &mock->targets[i], &w);
        cad_jsonw_end(&w);
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_i64(&w, "pulses", c->pulses);
    cad_jsonw_key(&w, CAD_STR("pulse_delays"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < c->delay_count; i++) cad_jsonw_i64(&w, c->delays_ms[i]);
    cad_jsonw_end(&w);
    if (c->timeout_ms != 0) cad_jsonw_key_i64(&w, "pulse_timeout", c->timeout_ms);
    if (c->next_ms != 0) cad_jsonw_key_i64(&w, "next", c->next_ms);
    if (c->extra) cad_sb_putz(&mock->recipe, c->extra);
    cad_jsonw_end(&w);
}

int mock_ftl_create(const struct mock_ftl_config *config, struct mock_ftl **out)
{
    if (config->target_count < 1 || config->target_count > MOCK_FTL_TARGETS_MAX) {
        return CAD_E_INVAL;
    }
    if (config->data_bytes < 0 || config->data_bytes > BODY_BYTES_MAX / 2) return CAD_E_INVAL;
    struct mock_ftl *mock = calloc(1, sizeof(*mock));
    if (!mock) return CAD_E_NOMEM;
    struct cad_alloc alloc = cad_alloc_system();
    mock->config = *config;
    memcpy(mock->targets, config->targets, config->target_count * sizeof(mock->targets[0]));
    mock->counts.iter = -1;
    mock->script = (struct mock_ftl_recipe_script){.status = config->recipe_status, .left = -1};
    cad_sb_init(&mock->recipe, &alloc, CAD_MEM_OTHER, RECIPE_BYTES_MAX);
    write_recipe(mock);
    mock->body = malloc(BODY_BYTES_MAX);
    int err = cad_sb_error(&mock->recipe);
    if (!mock->body) err = CAD_E_NOMEM;
    if (err) {
        mock_ftl_destroy(&mock);
        return err;
    }
    memset(mock->body, 'x', BODY_BYTES_MAX);
    *out = mock;
    return CAD_OK;
}

void mock_ftl_destroy(struct mock_ftl **mock)
{
    if (!mock || !*mock) return;
    cad_sb_deinit(&(*mock)->recipe);
    free((*mock)->body);
    free(*mock);
    *mock = NULL;
}

/* ---- changing -------------------------------------------------------------------------------- */

struct mock_ftl_step *mock_ftl_step(struct mock_ftl *mock, uint32_t target, uint32_t pulse)
{
    if (target >= mock->config.target_count || pulse < 1) return NULL;
    struct mock_ftl_target *t = &mock->targets[target];
    return pulse <= t->step_count ? &t->steps[pulse - 1] : NULL;
}

void mock_ftl_set_recipe(struct mock_ftl *mock, const struct mock_ftl_recipe_script *script)
{
    mock->script = *script;
}

int mock_ftl_set_plan(struct mock_ftl *mock, const struct mock_ftl_config *plan)
{
    struct mock_ftl_config *c = &mock->config;
    if (plan->data_bytes < 0 || plan->data_bytes > BODY_BYTES_MAX / 2) return CAD_E_INVAL;
    c->pulses = plan->pulses;
    c->delays_ms = plan->delays_ms;
    c->delay_count = plan->delay_count;
    c->timeout_ms = plan->timeout_ms;
    c->next_ms = plan->next_ms;
    c->data_bytes = plan->data_bytes;
    c->extra = plan->extra;
    cad_sb_reset(&mock->recipe);
    write_recipe(mock);
    c->delays_ms = NULL; /* they are borrowed for the call */
    return cad_sb_error(&mock->recipe);
}

/* ---- serving --------------------------------------------------------------------------------- */

static bool number(cad_str query, const char *name, int64_t *out)
{
    cad_str text = cad_uri_query_value(query, cad_str_from(name));
    return text.n > 0 && !cad_str_to_i64(text, out);
}

static void answer_bytes(struct cad_origin_answer *answer, int32_t status, const void *p, size_t n)
{
    answer->status = status;
    answer->body = (cad_buf){p, n};
    answer->body_size = (int64_t)n;
}

static int serve_recipe(struct mock_ftl *mock, cad_str query, struct cad_origin_answer *answer)
{
    int64_t iter = -1;
    mock->counts.recipes++;
    if (!number(query, "iter", &iter) || !cad_str_eqz(cad_uri_query_value(query,
                                                      CAD_STR("monotonic")), "true")) {
        mock->counts.bad++;
    }
    mock->counts.iter = iter;
    answer->content_type = "application/json";
    struct mock_ftl_recipe_script *script = &mock->script;
    answer->think = script->think;
    bool good = (script->status == 0 || script->status == 200) && !script->garbage;
    if (!good && script->left != 0) {
        if (script->left > 0) script->left--;
        if (script->garbage) answer_bytes(answer, 200, portal, sizeof(portal) - 1);
        else answer_bytes(answer, script->status, "", 0);
        return CAD_OK;
    }
    cad_str json = cad_sb_str(&mock->recipe);
    answer_bytes(answer, 200, json.p, json.n);
    return CAD_OK;
}

static void add_headers(struct cad_origin_answer *answer)
{
    static const char *const lines[][2] = {{"Via", "1.1 mock"},
                                           {"x-ftl-probe-data", PROBE_DATA},
                                           {"x-ftl-probe-recv-ts", "1772324400000"},
                                           {"latency-trace", "edge=1;origin=4"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(lines); i++) {
        answer->headers[answer->header_count++] =
            (struct cad_header){cad_str_from(lines[i][0]), cad_str_from(lines[i][1])};
    }
}

static int serve_pulse(struct mock_ftl *mock, uint32_t target, cad_str query,
                       struct cad_origin_answer *answer)
{
    const struct mock_ftl_target *t = &mock->targets[target];
    int64_t pulse = 0;
    int64_t data = -1;
    if (!number(query, "pulse", &pulse) || pulse < 1 || !number(query, "data", &data) ||
        data != mock->config.data_bytes) {
        mock->counts.bad++;
        answer_bytes(answer, 400, "", 0);
        return CAD_OK;
    }
    mock->counts.pulses[target]++;
    struct mock_ftl_step step = {0};
    if (t->step_count > 0) step = t->steps[CAD_MIN(pulse, (int64_t)t->step_count) - 1];
    answer->think = step.think;
    answer->content_type = "application/octet-stream";
    switch (step.fault) {
    case MOCK_FTL_LOSS: return CAD_E_AGAIN;
    case MOCK_FTL_RESET: return CAD_E_IO;
    case MOCK_FTL_STATUS: answer_bytes(answer, (int32_t)step.value, "", 0); return CAD_OK;
    case MOCK_FTL_PORTAL:
        answer->content_type = "text/html";
        answer_bytes(answer, 200, portal, sizeof(portal) - 1);
        return CAD_OK;
    case MOCK_FTL_SHORT: data = CAD_MAX(data - step.value, 0); break;
    case MOCK_FTL_LONG: data = CAD_MIN(data + step.value, BODY_BYTES_MAX); break;
    case MOCK_FTL_OK: break;
    }
    add_headers(answer);
    answer_bytes(answer, 200, mock->body, (size_t)data);
    return CAD_OK;
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    struct mock_ftl *mock = ctx;
    ptrdiff_t mark = cad_str_find_char(request->path, '?');
    size_t n = mark < 0 ? request->path.n : (size_t)mark;
    cad_str path = cad_str_sub(request->path, 0, n);
    cad_str query = cad_str_sub(request->path, n + 1, request->path.n);
    *answer = (struct cad_origin_answer){0};
    if (!cad_str_eqz(request->method, "GET")) mock->counts.bad++;
    const char *other = mock->config.recipe_path;
    if (cad_str_eqz(path, MOCK_FTL_RECIPE_PATH) || (other && cad_str_eqz(path, other))) {
        return serve_recipe(mock, query, answer);
    }
    for (uint32_t i = 0; i < mock->config.target_count; i++) {
        if (!cad_str_eqz(request->host, mock->targets[i].host)) continue;
        if (cad_str_eqz(path, MOCK_FTL_PROBE_PATH)) return serve_pulse(mock, i, query, answer);
    }
    mock->counts.bad++;
    answer_bytes(answer, 404, "", 0);
    return CAD_OK;
}

const struct cad_origin_ops *mock_ftl_ops(void)
{
    static const struct cad_origin_ops ops = {sizeof(ops), serve};
    return &ops;
}

void mock_ftl_counts(const struct mock_ftl *mock, struct mock_ftl_counts *out)
{
    *out = mock->counts;
}

cad_str mock_ftl_recipe(const struct mock_ftl *mock)
{
    return cad_sb_str(&mock->recipe);
}
