/* Goal: the mock probe service serves recipe and pulses, and changes as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "mock/mock_ftl.h"

#define RECIPE "/r?monotonic=true&iter=0"

static struct mock_ftl *make(void)
{
    static const struct mock_ftl_target targets[] = {{.name = "cdn:1", .host = "a:1",
                                                      .step_count = MOCK_FTL_PULSES_MAX},
                                                     {.name = "cdn:2", .host = "b:2"}};
    static const int64_t delays[] = {0, 5};
    struct mock_ftl_config config = {.targets = targets, .target_count = 2, .pulses = 2,
                                     .delays_ms = delays, .delay_count = 2, .data_bytes = 100,
                                     .recipe_path = "/r"};
    struct mock_ftl *mock = NULL;
    assert_int_equal(mock_ftl_create(&config, &mock), 0);
    return mock;
}

static int ask(struct mock_ftl *mock, const char *host, const char *path,
               struct cad_origin_answer *answer)
{
    struct cad_origin_request request = {.method = CAD_STR("GET"), .host = cad_str_from(host),
                                         .path = cad_str_from(path), .range = {-1, -1}};
    return mock_ftl_ops()->serve(mock, &request, answer);
}

static void test_mock_ftl_recipe_under_its_paths(void **state)
{
    (void)state;
    struct mock_ftl *mock = make();
    struct mock_ftl_counts counts;
    struct cad_origin_answer answer;
    assert_int_equal(ask(mock, "c:3", RECIPE, &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_true(cad_str_eqz(cad_str_from_buf(answer.body),
        "{\"urls\":[{\"name\":\"cdn:1\",\"url\":\"http://a:1/ftl/probe?data=100\"},"
        "{\"name\":\"cdn:2\",\"url\":\"http://b:2/ftl/probe?data=100\"}],\"pulses\":2,"
        "\"pulse_delays\":[0,5]}"));
    assert_int_equal(ask(mock, "c:3", MOCK_FTL_RECIPE_PATH "?monotonic=true&iter=1", &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(ask(mock, "c:3", "/s?monotonic=true&iter=2", &answer), 0);
    assert_int_equal(answer.status, 404);
    mock_ftl_counts(mock, &counts);
    assert_int_equal(counts.recipes, 2);
    assert_int_equal(counts.iter, 1);
    assert_int_equal(counts.bad, 1);
    mock_ftl_destroy(&mock);
}

static void test_mock_ftl_recipe_fails_so_often(void **state)
{
    (void)state;
    struct mock_ftl *mock = make();
    struct cad_origin_answer answer;
    struct mock_ftl_recipe_script script = {.status = 503, .left = 1, .think = 9};
    mock_ftl_set_recipe(mock, &script);
    assert_int_equal(ask(mock, "c:3", RECIPE, &answer), 0);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.think, 9);
    assert_int_equal(ask(mock, "c:3", RECIPE, &answer), 0);
    assert_int_equal(answer.status, 200);
    assert_int_equal(answer.think, 9);
    script = (struct mock_ftl_recipe_script){.garbage = true, .left = -1};
    mock_ftl_set_recipe(mock, &script);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(ask(mock, "c:3", RECIPE, &answer), 0);
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.body.p[0], '<');
    }
    mock_ftl_destroy(&mock);
}

static void test_mock_ftl_steps_change(void **state)
{
    (void)state;
    struct mock_ftl *mock = make();
    struct cad_origin_answer answer;
    assert_null(mock_ftl_step(mock, 0, 0));
    assert_null(mock_ftl_step(mock, 0, MOCK_FTL_PULSES_MAX + 1));
    assert_null(mock_ftl_step(mock, 1, 1)); /* it has none */
    assert_null(mock_ftl_step(mock, 2, 1));
    mock_ftl_step(mock, 0, 2)->fault = MOCK_FTL_SHORT;
    mock_ftl_step(mock, 0, 2)->value = 30;
    mock_ftl_step(mock, 0, 3)->fault = MOCK_FTL_LOSS;
    assert_int_equal(ask(mock, "a:1", "/ftl/probe?data=100&pulse=1", &answer), 0);
    assert_int_equal(answer.body.n, 100);
    assert_int_equal(ask(mock, "a:1", "/ftl/probe?data=100&pulse=2", &answer), 0);
    assert_int_equal(answer.body.n, 70);
    assert_int_equal(ask(mock, "a:1", "/ftl/probe?data=100&pulse=3", &answer), CAD_E_AGAIN);
    assert_int_equal(ask(mock, "b:2", "/ftl/probe?data=100&pulse=3", &answer), 0);
    assert_int_equal(answer.body.n, 100);
    mock_ftl_destroy(&mock);
}

static void test_mock_ftl_another_plan(void **state)
{
    (void)state;
    struct mock_ftl *mock = make();
    struct cad_origin_answer answer;
    static const int64_t delays[] = {7};
    struct mock_ftl_config plan = {.pulses = 1, .delays_ms = delays, .delay_count = 1,
                                   .timeout_ms = 300, .next_ms = 400, .data_bytes = -1};
    assert_int_equal(mock_ftl_set_plan(mock, &plan), CAD_E_INVAL);
    plan.data_bytes = 50;
    assert_int_equal(mock_ftl_set_plan(mock, &plan), 0);
    cad_str recipe = mock_ftl_recipe(mock);
    assert_true(cad_str_ends(recipe, CAD_STR("\"pulses\":1,\"pulse_delays\":[7],"
                                             "\"pulse_timeout\":300,\"next\":400}")));
    assert_int_equal(ask(mock, "b:2", "/ftl/probe?data=100&pulse=1", &answer), 0);
    assert_int_equal(answer.status, 400);
    assert_int_equal(ask(mock, "b:2", "/ftl/probe?data=50&pulse=1", &answer), 0);
    assert_int_equal(answer.body.n, 50);
    mock_ftl_destroy(&mock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mock_ftl_recipe_under_its_paths),
        cmocka_unit_test(test_mock_ftl_recipe_fails_so_often),
        cmocka_unit_test(test_mock_ftl_steps_change),
        cmocka_unit_test(test_mock_ftl_another_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
