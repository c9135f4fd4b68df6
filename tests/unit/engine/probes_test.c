/*
 * Goal: probes tell which server answers fast, and change which one is asked; they never come
 * before the first picture, nor while the viewer waits, and delay nothing.
 */
#include "services.h"

#include <string.h>

#include "base/str.h"

#define ENDPOINT "http://svc/api/ftl/probe"

static struct services stage;

static struct services *open_services(cad_time think0, cad_time think1)
{
    services_init(&stage);
    services_probes(&stage, think0, think1);
    return &stage;
}

static void close_services(struct services *s, void **state)
{
    (void)drv_teardown(state);
    services_deinit(s);
}

static struct drv *open_driver(struct services *s, void **state, bool report, bool own)
{
    struct drv_options o;
    services_options(&o, report, true);
    o.duration = 120 * CAD_SECOND;
    if (own) {
        o.engine.ftl.endpoint = CAD_STR(ENDPOINT);
        o.links = SERVICES_LINKS;
    }
    return services_renew(s, state, &o);
}

static void test_probes_race(void **state)
{
    struct services *s = open_services(60 * CAD_MS, 20 * CAD_MS);
    struct drv *d = open_driver(s, state, false, false);
    drv_load(d, 1);
    assert_true(drv_until(d, CAD_APP_PROBES, 30 * CAD_SECOND));
    const struct cad_app_event *race = drv_last(d, CAD_APP_PROBES);
    assert_string_equal(race->text, "cdn:2");
    assert_in_range(race->duration, 40 * CAD_MS, 50 * CAD_MS);
    assert_true(drv_index(d, race) > drv_index(d, drv_first(d, CAD_APP_FIRST_FRAME)));
    assert_true(drv_stats(d).services.probes_running);
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_PROBES), 1);
    struct cad_service_stats stats = drv_stats(d).services;
    assert_false(stats.probes_running);
    assert_int_equal(stats.probe_count, 2);
    assert_string_equal(stats.probes[0].name, "cdn:2"); /* the fastest first */
    assert_string_equal(stats.probes[1].name, "cdn:1");
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(stats.probes[i].pulses, 3);
        assert_int_equal(stats.probes[i].ok, 3);
        assert_true(stats.probes[i].latency > 0);
    }
    close_services(s, state);
}

static void test_probes_requests(void **state)
{
    struct services *s = open_services(0, 0);
    struct drv *d = open_driver(s, state, false, false);
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(s->count, 1 + 2 * 3); /* the recipe, three pulses of each */
    assert_int_equal(s->requests[0].group, 0);
    assert_non_null(strstr(s->requests[0].url, ENDPOINT "?monotonic=true&device=cadmium-c&iter=0"));
    for (uint32_t i = 1; i < s->count; i++) {
        const struct service_request *r = &s->requests[i];
        assert_int_equal(r->purpose, CAD_PURPOSE_PROBE);
        assert_int_equal(r->priority, 6);
        assert_int_equal(r->address_max, CAD_ADDRESS_PUBLIC); /* no farther than the recipe was */
        /* One connection for each target, none for both. */
        assert_int_equal(r->group, strcmp(r->host, "h0") == 0 ? 1 : 2);
    }
    struct mock_ftl_counts counts;
    mock_ftl_counts(s->ftl, &counts);
    assert_int_equal(counts.bad, 0);
    close_services(s, state);
}

struct trace {
    uint64_t decisions, hash, turns;
    cad_time startup;
    uint32_t count, servers;
    struct { cad_time at; int64_t first; char url[200]; } requests[256];
};

static struct trace with, without;

static void watch(struct drv *d, struct trace *t)
{
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, 10 * CAD_SECOND);
    drv_seek(d, 90 * CAD_SECOND, 2);
    drv_play_for(d, 20 * CAD_SECOND);
    struct cad_engine_stats stats = drv_stats(d);
    *t = (struct trace){.decisions = stats.decisions, .hash = stats.decision_hash,
                        .turns = stats.turns, .startup = stats.startup,
                        .count = d->request_count};
    assert_true(t->count <= 256);
    for (uint32_t i = 0; i < t->count; i++) {
        const struct drv_request *r = &d->requests[i];
        t->requests[i].at = r->started;
        t->requests[i].first = r->range.first;
        cad_str_copyz(t->requests[i].url, sizeof(t->requests[i].url),
                      cad_str_from(r->service ? "service" : r->url));
    }
}

/* The same session with and without, on links of three widths. */
static void test_probes_delay_nothing(void **state)
{
    static const int64_t rates[] = {0, 1500000, 450000};
    for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
        struct services *s = open_services(30 * CAD_MS, 30 * CAD_MS);
        for (int probe = 0; probe < 2; probe++) {
            struct drv_options o;
            services_options(&o, probe, probe);
            o.links = SERVICES_LINKS "," SERVICES_PROBE_LINK;
            o.duration = 120 * CAD_SECOND;
            o.rate_bps = rates[i];
            watch(services_renew(s, state, &o), probe ? &with : &without);
        }
        /* Equal servers: nothing is another way at any time. */
        assert_int_equal(with.count, without.count);
        assert_int_equal(with.startup, without.startup);
        assert_int_equal(with.turns, without.turns);
        for (uint32_t k = 0; k < with.count; k++) {
            assert_int_equal(with.requests[k].at, without.requests[k].at);
            assert_int_equal(with.requests[k].first, without.requests[k].first);
            assert_string_equal(with.requests[k].url, without.requests[k].url);
        }
        assert_true(with.hash == without.hash);
        if (rates[i] != 450000) assert_true(services_of(s, CAD_PURPOSE_PROBE) > 0);
        close_services(s, state);
    }
}

/* Nothing is sent before the first picture, nor while less than 10 s are in hand. */
static void test_probes_are_held(void **state)
{
    struct services *s = open_services(0, 0);
    struct drv_options o;
    services_options(&o, false, true);
    o.rate_bps = 330000;
    struct drv *d = services_renew(s, state, &o);
    d->strict_bytes = false;
    drv_load(d, 1);
    drv_play_for(d, 20 * CAD_SECOND);
    assert_true(drv_count(d, CAD_APP_FIRST_FRAME) > 0);
    assert_true(drv_slot_stats(d, CAD_SLOT_VIDEO).ahead < 10 * CAD_SECOND);
    assert_int_equal(s->count, 0);
    drv_pause(d); /* nobody waits: the link is free */
    drv_play_for(d, CAD_SECOND);
    assert_true(s->count > 0);
    close_services(s, state);
}

/* What is in flight when the viewer begins to wait is dropped. */
static void test_probes_give_way_to_a_stall(void **state)
{
    struct services *s = open_services(0, 0);
    struct drv *d = open_driver(s, state, false, true);
    drv_play_for(d, 5 * CAD_SECOND); /* its run is over */
    drv_load(d, 1);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    s->silent = true;
    uint32_t before = s->count;
    struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
    event.u.net.online = true;
    drv_feed(d, &event); /* another run */
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(s->count, before + 1);
    s->silent = false;
    drv_play_for(d, 50 * CAD_MS);
    s->silent = true;
    drv_play_for(d, 100 * CAD_MS);
    assert_int_equal(s->count, before + 3); /* two pulses */
    d->offline = true;
    uint32_t cancels = s->cancels;
    assert_true(drv_until(d, CAD_APP_STALL_BEGIN, 70 * CAD_SECOND));
    drv_play_for(d, 100 * CAD_MS);
    assert_true(s->cancels >= cancels + 2);
    uint32_t at_stall = s->count;
    drv_play_for(d, 10 * CAD_SECOND);
    assert_int_equal(s->count, at_stall);
    close_services(s, state);
}

/* A server that answers much faster is asked first, where nothing is known of the other one. */
static void test_probes_change_the_order(void **state)
{
    struct services *s = open_services(400 * CAD_MS, 5 * CAD_MS);
    struct drv *d = open_driver(s, state, false, true);
    drv_play_for(d, 8 * CAD_SECOND); /* before there is a title */
    assert_int_equal(drv_count(d, CAD_APP_PROBES), 1);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(drv_requests_on(d, 0, 0), 0);
    assert_true(drv_requests_on(d, 0, 1) > 0);
    assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, "2");
    close_services(s, state);
}

/* One pulse is too little for a score, and enough for a race: it orders the start, and nothing that
 * has begun. */
static void test_probes_race_for_the_start(void **state)
{
    for (int late = 0; late < 2; late++) {
        struct services *s = open_services(300 * CAD_MS, 5 * CAD_MS);
        struct drv *d = open_driver(s, state, false, true);
        drv_play_for(d, late ? 20 * CAD_MS : 250 * CAD_MS); /* before the slow one is in */
        assert_int_equal(drv_count(d, CAD_APP_PROBES), late ? 0 : 1);
        drv_load(d, 1);
        drv_play_for(d, CAD_SECOND);
        assert_string_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).server, late ? "1" : "2");
        close_services(s, state);
    }
}

/* Whoever gives media is not left for a probe's sake. */
static void test_probes_weigh_less_than_media(void **state)
{
    struct services *s = open_services(400 * CAD_MS, 5 * CAD_MS);
    struct drv *d = open_driver(s, state, false, false);
    drv_load(d, 1);
    drv_play_for(d, 40 * CAD_SECOND);
    assert_int_equal(drv_stats(d).services.probes[0].pulses, 3);
    assert_int_equal(drv_requests_on(d, 0, 1), 0);
    close_services(s, state);
}

static void test_probes_report(void **state)
{
    struct services *s = open_services(10 * CAD_MS, 20 * CAD_MS);
    s->look_for = "\"type\":\"ftlProbe\"";
    struct drv *d = open_driver(s, state, true, false);
    drv_load(d, 1);
    drv_play_for(d, 60 * CAD_SECOND);
    assert_int_equal(s->found, 1);
    close_services(s, state);
    /* With the headers of the answers. */
    s = open_services(10 * CAD_MS, 20 * CAD_MS);
    s->look_for = "v1.c2VydmVkLWJ5LWEtbW9jaw";
    d = open_driver(s, state, true, false);
    drv_load(d, 1);
    drv_play_for(d, 60 * CAD_SECOND);
    assert_true(s->found > 0);
    close_services(s, state);
}

static void test_probes_without_a_recipe(void **state)
{
    for (int garbage = 0; garbage < 2; garbage++) {
        struct services *s = open_services(0, 0);
        struct mock_ftl_recipe_script script = {.status = 500, .garbage = garbage, .left = 1};
        mock_ftl_set_recipe(s->ftl, &script);
        s->look_for = "\"type\":\"ftlProbeError\"";
        struct drv *d = open_driver(s, state, true, false);
        drv_load(d, 1);
        drv_play_for(d, 60 * CAD_SECOND);
        assert_int_equal(services_of(s, CAD_PURPOSE_PROBE), 1); /* it is not asked again */
        assert_int_equal(s->found, 1);
        assert_int_equal(drv_count(d, CAD_APP_ERROR), 0);
        struct cad_event event = {.type = CAD_EVENT_NET_CHANGE};
        event.u.net.online = true;
        drv_feed(d, &event); /* but on another network */
        drv_play_for(d, 10 * CAD_SECOND);
        assert_int_equal(services_of(s, CAD_PURPOSE_PROBE), 2 + 6);
        close_services(s, state);
    }
}

static void test_probes_survive_silent_targets(void **state)
{
    struct services *s = open_services(0, 0);
    mock_ftl_step(s->ftl, 0, 1)->fault = MOCK_FTL_LOSS;
    mock_ftl_step(s->ftl, 1, 1)->fault = MOCK_FTL_RESET;
    s->look_for = "\"ec\":\"timeout\"";
    struct drv *d = open_driver(s, state, true, false);
    drv_load(d, 1);
    drv_play_for(d, 100 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_count(d, CAD_APP_PROBES), 0);
    struct cad_service_stats stats = drv_stats(d).services;
    assert_false(stats.probes_running);
    assert_int_equal(stats.probes[0].ok + stats.probes[1].ok, 0);
    assert_true(s->found > 0);
    close_services(s, state);
}

/* Another title names another service: what was for the old one is dropped. */
static void test_probes_follow_the_title(void **state)
{
    struct services *s = open_services(0, 0);
    s->latency = 300 * CAD_MS;
    struct drv *d = open_driver(s, state, false, false);
    drv_load(d, 1);
    for (int i = 0; i < 3000 && s->count == 0; i++) drv_play_for(d, 10 * CAD_MS);
    assert_int_equal(s->count, 1);
    assert_true(s->requests[0].open);
    d->options.links = "\"probe\":{\"href\":\"/api/ftl/probe?v=2\",\"rel\":\"probe\"}";
    drv_net_forget(d);
    drv_load(d, 2);
    drv_play_for(d, 30 * CAD_SECOND);
    assert_true(s->requests[0].cancelled);
    assert_int_equal(s->count, 2 + 6);
    assert_non_null(strstr(s->requests[1].url, "/api/ftl/probe?v=2&monotonic="));
    close_services(s, state);
}

static void test_probes_refuse_a_bad_endpoint(void **state)
{
    struct cad_engine_config config;
    struct cad_engine *engine = NULL;
    (void)state;
    cad_engine_config_init(&config);
    config.probe = true;
    config.ftl.endpoint = CAD_STR("ftp://probe/x");
    assert_int_equal(cad_engine_create(&config, &engine), CAD_E_INVAL);
    assert_null(engine);
}

static void test_probes_without_memory(void **state)
{
    uint64_t failures = 0;
    for (uint64_t at = 1;; at += 1 + at / 40) {
        struct services *s = open_services(0, 0);
        struct drv_options o;
        services_options(&o, false, true);
        o.duration = 30 * CAD_SECOND;
        bool whole = services_play_failing(s, state, &o, at, 15 * CAD_SECOND);
        if (whole) assert_int_equal(s->count, 7);
        close_services(s, state);
        if (whole) break;
        failures++;
    }
    assert_true(failures > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_probes_race),
        DRV_TEST(test_probes_requests),
        DRV_TEST(test_probes_delay_nothing),
        DRV_TEST(test_probes_are_held),
        DRV_TEST(test_probes_give_way_to_a_stall),
        DRV_TEST(test_probes_change_the_order),
        DRV_TEST(test_probes_race_for_the_start),
        DRV_TEST(test_probes_weigh_less_than_media),
        DRV_TEST(test_probes_report),
        DRV_TEST(test_probes_without_a_recipe),
        DRV_TEST(test_probes_survive_silent_targets),
        DRV_TEST(test_probes_follow_the_title),
        DRV_TEST(test_probes_refuse_a_bad_endpoint),
        DRV_TEST(test_probes_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
