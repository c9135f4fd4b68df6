/* Goal: traces are read exactly and refused when a line is not three whole numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/sim.h"

#include "base/str.h"
#include "support/failing_alloc.h"

#define GOOD "# cadmium-trace-1\n1000 5000 40\r\n\n  500\t0  100 \n#x\n0 1 1\n250 1000000 0"

static int parse(const char *text, struct cad_trace *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    return cad_trace_parse(&alloc, cad_str_from(text), out);
}

static void test_trace_reads_rows(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_trace t;
    assert_int_equal(parse(GOOD, &t), 0);
    assert_int_equal(t.count, 4);
    assert_int_equal(t.periods[0].duration, CAD_SECOND);
    assert_int_equal(t.periods[0].rate_bps, 5000000);
    assert_int_equal(t.periods[0].latency, 40 * CAD_MS);
    assert_int_equal(t.periods[1].rate_bps, 0);
    assert_int_equal(t.periods[1].latency, 100 * CAD_MS);
    assert_int_equal(t.periods[2].duration, 0);
    assert_int_equal(t.periods[3].rate_bps, INT64_C(1000000000));
    cad_trace_deinit(&alloc, &t);
}

static void test_trace_refuses_bad_rows(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "# nothing\n", "1000 5000\n", "1000 5000 40 1\n",
                                      "1000 5000 -1\n", "1e3 5 5\n", "1000 5.5 5\n", "0 5 5\n",
                                      "0 5 5\n0 6 6\n", "x 1 1\n", "1000 5000 40\n1 1\n"};
    struct cad_trace t = {NULL, 7};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i], &t), CAD_E_DATA);
        assert_int_equal(t.count, 7);
    }
}

static void test_trace_keeps_its_limits(void **state)
{
    (void)state;
    struct cad_trace t;
    assert_int_equal(parse("1000000000001 1 1", &t), CAD_E_LIMIT);
    assert_int_equal(parse("600000000000 1 1\n600000000000 1 1", &t), CAD_E_LIMIT);
    assert_int_equal(parse("1 1000000001 1", &t), CAD_E_LIMIT);
    assert_int_equal(parse("1 1 600001", &t), CAD_E_LIMIT);
    assert_int_equal(parse("1 1 99999999999999999999", &t), CAD_E_LIMIT);
    struct cad_alloc alloc = cad_alloc_system();
    size_t rows = CAD_SIM_PERIODS_MAX + 1;
    char *text = test_malloc(rows * 6);
    for (size_t i = 0; i < rows; i++) memcpy(text + i * 6, "1 1 1\n", 6);
    assert_int_equal(cad_trace_parse(&alloc, (cad_str){text, rows * 6}, &t), CAD_E_LIMIT);
    assert_int_equal(cad_trace_parse(&alloc, (cad_str){text, (rows - 1) * 6}, &t), 0);
    assert_int_equal(t.count, CAD_SIM_PERIODS_MAX);
    cad_trace_deinit(&alloc, &t);
    test_free(text);
}

static void test_trace_survives_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_trace t;
        int err = cad_trace_parse(&alloc, CAD_STR(GOOD), &t);
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        if (!err) cad_trace_deinit(&alloc, &t);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace_reads_rows),
        cmocka_unit_test(test_trace_refuses_bad_rows),
        cmocka_unit_test(test_trace_keeps_its_limits),
        cmocka_unit_test(test_trace_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
