/*
 * fuzz_ftl_recipe - the recipe of probes, and a run of what it says.
 *
 * The document is parsed; every promise of the header is checked. Then a probe runs it with answers
 * that are made of the document's own bytes, and its report must be JSON.
 */
#include <stddef.h>
#include <stdint.h>

#include "cadmium/steer.h"

#include "base/json.h"
#include "base/str.h"

#define ACTIONS_MAX 2000 /* of a run: 160 requests, their ends and cancels */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) __builtin_trap();
}

static void require_json(cad_str text)
{
    struct cad_json j;
    enum cad_json_type type = CAD_JSON_NULL;
    cad_json_init(&j, text, NULL);
    while (type != CAD_JSON_END) {
        type = cad_json_next(&j);
        require(type != CAD_JSON_ERROR);
    }
}

static void walk(const struct cad_ftl_recipe *r)
{
    require(r->target_count >= 1 && r->target_count <= CAD_FTL_TARGETS_MAX);
    require(r->pulses >= 1 && r->pulses <= CAD_FTL_PULSES_MAX);
    require(r->pulse_timeout >= 100 * CAD_MS && r->pulse_timeout <= 60 * CAD_SECOND);
    require(r->next == 0 || r->next >= 10 * CAD_SECOND);
    require(r->logblob.n >= 1 && r->logblob.n <= CAD_FTL_NAME_MAX);
    require(r->map_count <= CAD_FTL_MAP_MAX);
    for (uint32_t i = 0; i < r->target_count; i++) {
        const struct cad_ftl_target *t = &r->targets[i];
        require(t->name.n >= 1 && t->name.n <= CAD_FTL_NAME_MAX);
        require(t->url.n <= CAD_FTL_URL_MAX && t->host.n > 0 && t->data_bytes >= -1);
        for (uint32_t k = 0; k < i; k++) require(!cad_str_eq(t->name, r->targets[k].name));
    }
    for (uint32_t i = 0; i < CAD_FTL_PULSES_MAX; i++) {
        require(r->delays[i] >= 0 && r->delays[i] <= 3600 * CAD_SECOND);
    }
    for (uint32_t i = 0; i < r->map_count; i++) require(r->map[i].target < r->target_count);
    require_json(r->ctx);
}

/* Answers a request: how, the document's bytes say. */
static void answer(struct cad_ftl *ftl, const struct cad_ftl_request *request, cad_str document,
                   cad_time now)
{
    uint8_t dice = (uint8_t)document.p[request->id * 7 % document.n];
    cad_str text = cad_str_sub(document, request->id % document.n, dice);
    struct cad_ftl_head head = {.id = request->id, .status = dice & 1 ? 200 : 500, .via = text,
                                .probe_data = text, .latency_trace = document};
    struct cad_ftl_end end = {.id = request->id, .dns = now, .connect = now,
                              .tls = CAD_TIME_NONE, .first_byte = now + dice * CAD_MS,
                              .at = now + 300 * CAD_MS, .reused = (dice & 2) != 0};
    if (dice & 4) end.ec = (enum cad_ftl_ec)(dice >> 5);
    require(cad_ftl_head(ftl, &head) == 0);
    int rc = cad_ftl_body(ftl, request->id, (cad_buf){NULL, (size_t)dice * dice * 2});
    require(rc == 0 || rc == CAD_E_LIMIT);
    if (rc == 0 && !(dice & 8)) cad_ftl_end(ftl, &end);
}

static void play(cad_str document)
{
    struct cad_ftl_config config;
    struct cad_ftl *ftl = NULL;
    struct cad_ftl_action action;
    struct cad_ftl_stats stats;
    cad_time now = 0;
    cad_ftl_config_init(&config);
    require(cad_ftl_create(&config, &ftl) == 0);
    if (cad_ftl_start_recipe(ftl, document, CAD_FTL_ADDRESS_PUBLIC, 0) == 0) {
        uint32_t actions = 0;
        while (now != CAD_TIME_NONE) {
            require(cad_ftl_run(ftl, now) >= 0);
            while (cad_ftl_poll(ftl, &action) == 0) {
                require(++actions < ACTIONS_MAX);
                if (action.type == CAD_FTL_REQUEST) answer(ftl, &action.request, document, now);
                if (action.type == CAD_FTL_REPORT) require_json(action.body);
            }
            cad_time wake = cad_ftl_next_wake(ftl);
            require(wake == CAD_TIME_NONE || wake >= now);
            now = wake;
        }
        cad_ftl_stats(ftl, &stats);
        require(!stats.running && stats.in_flight == 0 && stats.reports == 1);
        require(stats.in_flight_peak <= CAD_FTL_FLIGHT_MAX);
    }
    cad_ftl_destroy(&ftl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_ftl_recipe *recipe = NULL;
    cad_str document = {(const char *)data, size};
    int rc = cad_ftl_recipe_parse(&alloc, document, &recipe);
    require(rc == 0 || rc == CAD_E_DATA || rc == CAD_E_LIMIT);
    require((rc == 0) == (recipe != NULL));
    if (!recipe) return 0;
    walk(recipe);
    cad_ftl_recipe_destroy(&alloc, &recipe);
    play(document);
    return 0;
}
