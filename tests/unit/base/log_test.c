/* Goal: a line that is off costs nothing, one that is on is whole, bounded and cannot be forged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"

struct seen {
    int lines;
    enum cad_log_level level;
    cad_time now;
    char text[CAD_LOG_LINE_MAX + 1];
    size_t n;
};

static void take(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    struct seen *s = ctx;
    s->lines++;
    s->level = level;
    s->now = now;
    s->n = line.n;
    assert_true(cad_utf8_valid(line));
    cad_str_copyz(s->text, sizeof(s->text), line);
}

static int evaluated;

static int count_evaluation(void)
{
    return ++evaluated;
}

static void test_log_passes_what_its_level_allows(void **state)
{
    (void)state;
    struct seen s = {0};
    struct cad_log log = {take, &s, CAD_LOG_INFO};
    evaluated = 0;
    CAD_LOG(&log, INFO, 5, "room: event n=%d", count_evaluation());
    assert_int_equal(s.lines, 1);
    assert_int_equal(s.level, CAD_LOG_INFO);
    assert_int_equal(s.now, 5);
    assert_string_equal(s.text, "room: event n=1");
    CAD_LOG(&log, DEBUG, 6, "room: event n=%d", count_evaluation());
    assert_int_equal(s.lines, 1);
    assert_int_equal(evaluated, 1);
    cad_log_at(&log, CAD_LOG_TRACE, 6, "x");
    assert_int_equal(s.lines, 1);
    CAD_LOG(&log, ERROR, CAD_TIME_NONE, "bad");
    assert_int_equal(s.lines, 2);
}

static void test_log_off_is_silent(void **state)
{
    (void)state;
    struct seen s = {0};
    struct cad_log off = {take, &s, CAD_LOG_OFF};
    struct cad_log none = {NULL, &s, CAD_LOG_TRACE};
    evaluated = 0;
    CAD_LOG(&off, ERROR, 0, "%d", count_evaluation());
    CAD_LOG(&none, ERROR, 0, "%d", count_evaluation());
    CAD_LOG((const struct cad_log *)NULL, ERROR, 0, "%d", count_evaluation());
    cad_log_at(NULL, CAD_LOG_ERROR, 0, "x");
    assert_int_equal(evaluated, 0);
    assert_int_equal(s.lines, 0);
}

static void test_log_cuts_long_lines_at_a_character(void **state)
{
    (void)state;
    struct seen s = {0};
    struct cad_log log = {take, &s, CAD_LOG_TRACE};
    char text[700];
    memset(text, 'x', sizeof(text));
    text[CAD_LOG_LINE_MAX] = '\0';
    CAD_LOG(&log, INFO, 0, "%s", text);
    assert_int_equal(s.n, CAD_LOG_LINE_MAX);
    assert_int_equal(s.text[CAD_LOG_LINE_MAX - 1], 'x');
    text[CAD_LOG_LINE_MAX] = 'x';
    text[CAD_LOG_LINE_MAX + 1] = '\0';
    CAD_LOG(&log, INFO, 0, "%s", text);
    assert_int_equal(s.n, CAD_LOG_LINE_MAX);
    assert_string_equal(s.text + CAD_LOG_LINE_MAX - 3, "...");
    for (size_t shift = 0; shift < 4; shift++) {
        memset(text, 'x', sizeof(text));
        for (size_t i = 0; i < 600; i += 3) memcpy(text + shift + i, "\xe2\x82\xac", 3);
        text[shift + 600] = '\0';
        CAD_LOG(&log, INFO, 0, "%s", text); /* take checks that it is UTF-8 */
        assert_true(cad_str_ends(cad_str_from(s.text), CAD_STR("\xac...")));
        assert_true(s.n >= CAD_LOG_LINE_MAX - 2);
    }
}

static void test_log_controls_become_spaces(void **state)
{
    (void)state;
    struct seen s = {0};
    struct cad_log log = {take, &s, CAD_LOG_TRACE};
    CAD_LOG(&log, INFO, 0, "a\nb\r\x1b[31m\tc\x7f");
    assert_string_equal(s.text, "a b  [31m c ");
}

static void test_log_level_names(void **state)
{
    (void)state;
    assert_string_equal(cad_log_level_name(CAD_LOG_WARN), "warn");
    for (int i = CAD_LOG_OFF; i <= CAD_LOG_TRACE; i++) {
        assert_string_not_equal(cad_log_level_name((enum cad_log_level)i), "?");
    }
    assert_string_equal(cad_log_level_name((enum cad_log_level)77), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_log_passes_what_its_level_allows),
        cmocka_unit_test(test_log_off_is_silent),
        cmocka_unit_test(test_log_cuts_long_lines_at_a_character),
        cmocka_unit_test(test_log_controls_become_spaces),
        cmocka_unit_test(test_log_level_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
