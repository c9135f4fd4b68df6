/* Goal: every lexical form of an MPD is read exactly, and what is not of the form is refused and
 * leaves the result alone. */
#include "manifest_support.h"

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash_values.h"

#define ATTO INT64_C(1000000000000000000)

static void assert_time(bool (*parse)(cad_str, cad_dash_time *), const char *text, int64_t seconds,
                        int64_t nanoseconds)
{
    cad_dash_time t = 0;
    if (!parse(cad_str_from(text), &t)) fail_msg("refused: %s", text);
    cad_dash_time expected = (cad_dash_time)seconds * ATTO;
    expected += (cad_dash_time)nanoseconds * 1000000000;
    if (t != expected) fail_msg("%s: %lld ns", text, (long long)(t / 1000000000));
}

static void assert_no_time(bool (*parse)(cad_str, cad_dash_time *), const char *text)
{
    cad_dash_time t = 77;
    if (parse(cad_str_from(text), &t)) fail_msg("accepted: %s", text);
    assert_true(t == 77);
}

static void test_dash_values_duration(void **state)
{
    (void)state;
    assert_time(cad_dash_parse_duration, "PT0S", 0, 0);
    assert_time(cad_dash_parse_duration, "PT1.5S", 1, 500000000);
    assert_time(cad_dash_parse_duration, " P1Y2M3DT4H5M6.000000007S\n",
                ((365 + 60 + 3) * 24 + 4) * 3600 + 306, 7);
    assert_time(cad_dash_parse_duration, "P2D", 172800, 0);
    assert_time(cad_dash_parse_duration, "PT36H", 129600, 0);
    assert_time(cad_dash_parse_duration, "PT90M", 5400, 0);
    assert_time(cad_dash_parse_duration, "PT.5S", 0, 500000000);
    assert_time(cad_dash_parse_duration, "PT2.S", 2, 0);
    assert_time(cad_dash_parse_duration, "PT9223372036S", INT64_C(9223372036), 0);
    static const char *const bad[] = {
        "", "P", "PT", "P1", "PT1", "1S", "PS", "PTS", "PT.S", "P1S", "PT1Y", "PT1M1H", "PT1S1S",
        "-PT1S",
        "PT-1S", "PT1,5S", "PT1.5M", "P1DT", "PT1 S", "PT9223372037S", "P300Y", "soon",
        "PT99999999999999999999S", "PT1SX", "pt1s",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) assert_no_time(cad_dash_parse_duration, bad[i]);
}

/* Digits beyond those of a nanosecond count. */
static void test_dash_values_exact(void **state)
{
    (void)state;
    cad_dash_time t = 0;
    assert_true(cad_dash_parse_duration(CAD_STR("PT0.000000000000000001S"), &t));
    assert_true(t == 1);
    assert_true(cad_dash_parse_duration(CAD_STR("PT0.0000000000000000019S"), &t));
    assert_true(t == 1);
    assert_int_equal(cad_dash_to_time(t), 0);
    assert_int_equal(cad_dash_to_time(-1), -1);
    assert_int_equal(cad_dash_to_time(CAD_DASH_NONE), CAD_TIME_NONE);
    assert_int_equal(cad_dash_to_time(CAD_DASH_SECOND * 3), 3 * CAD_SECOND);
    assert_int_equal(cad_dash_to_time(CAD_DASH_SECOND * INT64_C(20000000000)), INT64_MAX);
    assert_int_equal(cad_dash_to_time(CAD_DASH_SECOND * INT64_C(-20000000000)), -INT64_MAX);
    assert_true(cad_dash_div_up(7, 2) == 4 && cad_dash_div_up(-7, 2) == -3);
    assert_true(cad_dash_div_down(7, 2) == 3 && cad_dash_div_down(-7, 2) == -4);
    assert_true(cad_dash_div_up(6, 2) == 3 && cad_dash_div_down(-6, 2) == -3);
}

static void test_dash_values_date(void **state)
{
    (void)state;
    assert_time(cad_dash_parse_date, "1970-01-01T00:00:00Z", 0, 0);
    assert_time(cad_dash_parse_date, "1970-01-01T00:00:00", 0, 0);
    assert_time(cad_dash_parse_date, "2024-02-29T12:34:56.25Z", 1709210096, 250000000);
    assert_time(cad_dash_parse_date, "2024-01-01T01:00:00+01:00", 1704067200, 0);
    assert_time(cad_dash_parse_date, "2023-12-31T18:30:00-05:30", 1704067200, 0);
    assert_time(cad_dash_parse_date, "2023-12-31T24:00:00Z", 1704067200, 0);
    assert_time(cad_dash_parse_date, "1969-12-31T23:59:59.5Z", -1, 500000000);
    assert_time(cad_dash_parse_date, "2000-03-01T00:00:00Z", 951868800, 0);
    static const char *const bad[] = {
        "", "2024", "2024-01-01", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
        "2023-02-29T00:00:00Z", "2024-01-32T00:00:00Z", "2024-01-01T25:00:00Z",
        "2024-01-01T24:00:01Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:60Z",
        "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00X", "2024-01-01T00:00:00+1:00",
        "2024-01-01T00:00:00+15:00", "2024-01-01T00:00:00Zx", "24-01-01T00:00:00Z",
        "2024-1-01T00:00:00Z", "9999-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) assert_no_time(cad_dash_parse_date, bad[i]);
}

static void test_dash_values_decimal(void **state)
{
    (void)state;
    assert_time(cad_dash_parse_decimal, "1.25", 1, 250000000);
    assert_time(cad_dash_parse_decimal, "-0.5", 0, -500000000);
    assert_time(cad_dash_parse_decimal, "+7", 7, 0);
    assert_time(cad_dash_parse_decimal, ".5", 0, 500000000);
    assert_time(cad_dash_parse_decimal, "12.5e1", 125, 0);
    assert_time(cad_dash_parse_decimal, "125E-2", 1, 250000000);
    static const char *const bad[] = {"", ".", "-", "1.2.3", "1e", "1e19", "1e99", "INF", "1,5",
                                      "x", "9223372037", "9e18", "0x10"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) assert_no_time(cad_dash_parse_decimal, bad[i]);
}

static void test_dash_values_numbers(void **state)
{
    (void)state;
    int64_t v = 5;
    assert_true(cad_dash_parse_number(CAD_STR(" 9223372036854775807 "), &v));
    assert_true(v == INT64_MAX);
    assert_true(cad_dash_parse_number(CAD_STR("+12"), &v));
    assert_int_equal(v, 12);
    static const char *const bad[] = {"", "-1", "1.0", "9223372036854775808", "++1", "+", "1 2"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        assert_false(cad_dash_parse_number(cad_str_from(bad[i]), &v));
        assert_int_equal(v, 12);
    }
    assert_true(cad_dash_parse_integer(CAD_STR("-1"), &v));
    assert_int_equal(v, -1);
    assert_true(cad_dash_parse_integer(CAD_STR("99999999999999999999"), &v));
    assert_true(v == INT64_MAX);
    assert_true(cad_dash_parse_integer(CAD_STR("-99999999999999999999"), &v));
    assert_true(v < 0);
    assert_false(cad_dash_parse_integer(CAD_STR("x"), &v));
}

static void test_dash_values_range(void **state)
{
    (void)state;
    struct cad_range r = {7, 7};
    static const char *const bad[] = {"", "-", "5", "-5", "5-4", "a-b", "1-2-3", "1--2", "1- 2",
                                      "9223372036854775808-", "1-9223372036854775808", "+1-2"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        assert_false(cad_dash_parse_range(cad_str_from(bad[i]), &r));
        assert_int_equal(r.first, 7);
    }
    assert_true(cad_dash_parse_range(CAD_STR(" 0-0 "), &r));
    assert_true(r.first == 0 && r.last == 0);
    assert_true(cad_dash_parse_range(CAD_STR("100-"), &r));
    assert_true(r.first == 100 && r.last == -1);
}

static void test_dash_values_ratio(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint32_t num, den;
    } cases[] = {
        {"25", 25, 1}, {"30000/1001", 30000, 1001}, {"29.97", 2997, 100}, {" 24 ", 24, 1},
        {"23.976023976", 23976023, 1000000}, {"30.", 30, 1},
        {"", 0, 0}, {"0", 0, 0}, {"25/0", 0, 0}, {"/5", 0, 0}, {"25/", 0, 0}, {"-25", 0, 0},
        {"4294967296", 0, 0}, {"1/4294967296", 0, 0}, {"25fps", 0, 0},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        uint32_t num = 0;
        uint32_t den = 0;
        bool read = cad_dash_parse_ratio(cad_str_from(cases[i].text), &num, &den);
        if (read != (cases[i].num > 0)) fail_msg("%s", cases[i].text);
        if (read) assert_true(num == cases[i].num && den == cases[i].den);
    }
}

static void test_dash_values_uuid(void **state)
{
    (void)state;
    uint8_t id[16] = {0};
    assert_true(cad_dash_parse_uuid(CAD_STR("00112233-4455-6677-8899-aABbCcDdEeFf"), id));
    assert_int_equal(id[1], 0x11);
    assert_int_equal(id[15], 0xff);
    assert_true(cad_dash_parse_uuid(CAD_STR("ff112233445566778899aabbccddeeff"), id));
    assert_int_equal(id[0], 0xff);
    static const char *const bad[] = {"", "aaa", "00112233-4455-6677-8899-aabbccddeef",
                                      "00112233-4455-6677-8899-aabbccddeeff0",
                                      "g0112233-4455-6677-8899-aabbccddeeff"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        assert_false(cad_dash_parse_uuid(cad_str_from(bad[i]), id));
        assert_int_equal(id[0], 0xff);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_values_duration),
        cmocka_unit_test(test_dash_values_exact),
        cmocka_unit_test(test_dash_values_date),
        cmocka_unit_test(test_dash_values_decimal),
        cmocka_unit_test(test_dash_values_numbers),
        cmocka_unit_test(test_dash_values_range),
        cmocka_unit_test(test_dash_values_ratio),
        cmocka_unit_test(test_dash_values_uuid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
