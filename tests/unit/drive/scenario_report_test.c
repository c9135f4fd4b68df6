/* Goal: each expectation is one test point in TAP and in JUnit, counts agree, and no name or
 * message from outside can mean anything to a terminal, to TAP, YAML or XML. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "drive/scenario_report.h"
#include "support/failing_alloc.h"

static struct cad_scenario_report report;
static struct cad_scenario_result result;

static void point(const char *statement, bool held, uint32_t looks, const char *seen)
{
    const struct cad_scenario_point p = {.line = 7, .statement = cad_str_from(statement),
                                         .held = held, .looks = looks, .at = 1500 * CAD_MS,
                                         .seen = seen};
    cad_scenario_report_point(&report, &p);
}

static void end(bool broken)
{
    const struct cad_scenario_report_end e = {.result = &result, .broken = broken,
                                              .duration = 2 * CAD_SECOND,
                                              .repeat = "cadmium-sim --scenario a"};
    cad_scenario_report_end(&report, &e);
}

static bool has(const struct cad_sb *sb, const char *text)
{
    return strstr(cad_sb_z(sb), text) != NULL;
}

static void begin(const char *file)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(&result, 0, sizeof(result));
    result.seed = 42;
    cad_scenario_report_init(&report, &alloc);
    cad_scenario_report_begin(&report, file);
}

static void test_scenario_report_counts_points_over_files(void **state)
{
    (void)state;
    begin("one.scn");
    point("expect ended", true, 1, "ended");
    point("expect stalls == 0", false, 1, "3");
    (void)memcpy(result.message, "what was wrong", 15);
    end(false);
    cad_scenario_report_begin(&report, "two.scn");
    point("every 5 expect buffer >= 4", true, 0, "");
    end(false);
    assert_int_equal(cad_scenario_report_finish(&report), 0);
    cad_str tap = cad_sb_str(&report.tap);
    assert_true(cad_str_starts(tap, CAD_STR("TAP version 14\nok 1 - one.scn:7 ")));
    assert_true(has(&report.tap, "\nnot ok 2 - one.scn:7 expect stalls == 0\n"));
    assert_true(has(&report.tap, "\n  ---\n  saw: \"3\"\n"));
    assert_true(has(&report.tap, "  at: 1.500\n  ...\n"));
    assert_true(has(&report.tap, "# what was wrong\n# repeat: cadmium-sim --scenario a\n"));
    assert_true(has(&report.tap, "\nok 3 - two.scn:7 "));
    assert_true(has(&report.tap, "no moment to look at"));
    assert_true(cad_str_ends(cad_sb_str(&report.tap), CAD_STR("\n1..3\n")));
    assert_true(has(&report.junit, "<testsuites name=\"scenarios\" tests=\"3\" failures=\"1\""));
    assert_true(has(&report.junit, "<testsuite name=\"one.scn\" tests=\"2\" failures=\"1\""));
    assert_true(has(&report.junit, "<testsuite name=\"two.scn\" tests=\"1\" failures=\"0\""));
    assert_true(has(&report.junit, "time=\"2.000\""));
    assert_true(has(&report.junit, "message=\"line 7, at 1.500 s: saw 3\"/>"));
    cad_scenario_report_deinit(&report);
}

static void test_scenario_report_escapes(void **state)
{
    (void)state;
    begin("a#b\\c<d>\"\033[2J.scn");
    point("expect \"x\" & <y> \001", false, 1, "\"q\" \\ <&>");
    end(false);
    assert_int_equal(cad_scenario_report_finish(&report), 0);
    assert_true(has(&report.tap, "not ok 1 - a\\#b\\\\c<d>\"?[2J.scn:7 expect \"x\" & <y> ?\n"));
    assert_true(has(&report.tap, "  saw: \"\\\"q\\\" \\\\ <&>\"\n"));
    assert_true(has(&report.junit, "name=\"a#b\\c&lt;d&gt;&quot;?[2J.scn\""));
    assert_true(has(&report.junit, "name=\"line 7: expect &quot;x&quot; &amp; &lt;y&gt; ?\""));
    assert_true(has(&report.junit, "saw &quot;q&quot; \\ &lt;&amp;&gt;\"/>"));
    assert_false(has(&report.tap, "\033"));
    assert_false(has(&report.junit, "\033"));
    cad_scenario_report_deinit(&report);
}

static void test_scenario_report_has_a_point_where_there_was_none(void **state)
{
    (void)state;
    begin("empty.scn");
    end(false);
    cad_scenario_report_begin(&report, "broken.scn");
    result.line = 3;
    (void)memcpy(result.message, "unknown word", 13);
    end(true);
    assert_int_equal(cad_scenario_report_finish(&report), 0);
    assert_true(has(&report.tap, "\nok 1 - empty.scn is played\n"));
    assert_true(has(&report.tap, "\nnot ok 2 - broken.scn:3 is played\n"));
    assert_true(has(&report.tap, "\n  saw: \"unknown word\"\n"));
    assert_true(has(&report.junit, "tests=\"2\" failures=\"1\""));
    cad_scenario_report_deinit(&report);
}

/* A text that is not whole is told, whichever allocation failed. */
static void test_scenario_report_tells_what_it_could_not_keep(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing failing;
        cad_failing_init(&failing, at);
        struct cad_alloc alloc = cad_failing_alloc(&failing);
        memset(&result, 0, sizeof(result));
        cad_scenario_report_init(&report, &alloc);
        cad_scenario_report_begin(&report, "x");
        point("expect ended", true, 1, "ended");
        end(false);
        int err = cad_scenario_report_finish(&report);
        cad_scenario_report_deinit(&report);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        assert_int_equal(err, failing.failed ? CAD_E_NOMEM : 0);
        if (!failing.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_report_counts_points_over_files),
        cmocka_unit_test(test_scenario_report_escapes),
        cmocka_unit_test(test_scenario_report_has_a_point_where_there_was_none),
        cmocka_unit_test(test_scenario_report_tells_what_it_could_not_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
