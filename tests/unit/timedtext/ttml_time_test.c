/* Goal: time expressions are exact in every unit; par and seq give begins and ends as in TTML2. */
#include "text_support.h"

#include "base/util.h"
#include "timedtext/ttml.h"

#define NONE INT64_C(-1)

struct expression {
    const char *text;
    int64_t ns; /* NONE: no time */
};

static void check(const struct ttml_rates *rates, const struct expression *all, size_t count)
{
    struct ttml_clock clock;
    ttml_clock_init(&clock, rates);
    for (size_t i = 0; i < count; i++) {
        ttml_exact t = 0;
        bool good = ttml_time_parse(&clock, cad_str_from(all[i].text), &t);
        if (good != (all[i].ns != NONE)) fail_msg("%s", all[i].text);
        if (good) assert_int_equal(ttml_time_ns(&clock, t), all[i].ns);
    }
}

static void test_time_expressions(void **state)
{
    static const struct ttml_rates rates = {.tick_rate = 10000000};
    static const struct expression all[] = {
        {"00:00:01", CAD_SECOND},
        {"01:02:03.5", INT64_C(3723500000000)},
        {"100:00:00.000000001", INT64_C(360000000000001)},
        {"00:00:00:15", 500000000}, /* of 30 frames a second */
        {"1h", INT64_C(3600000000000)},
        {"1.5m", INT64_C(90000000000)},
        {"2.25s", 2250000000},
        {" 7ms ", 7000000},
        {"3f", 100000000},
        {"1t", 100}, /* a tick at 10 MHz is 100 ns */
        {"123456789t", INT64_C(12345678900)},
        {"", NONE}, {"1", NONE}, {"s", NONE}, {"1x", NONE}, {"-1s", NONE}, {"1.s", NONE},
        {"1:00:00", NONE}, {"00:0:00", NONE}, {"00:00", NONE}, {"00:60:00", NONE},
        {"00:00:61", NONE}, {"00:00:01.5:01", NONE}, {"00:00:01:1", NONE}, {"00:00:01x", NONE},
        {"99999999999999999999s", NONE}, {"wallclock(1:2)", NONE},
        {"1000000000000000h", CAD_TIME_MAX},
    };
    (void)state;
    check(&rates, all, CAD_ARRAY_LEN(all));
}

static void test_time_frames(void **state)
{
    static const struct ttml_rates film = {.frame_rate = 24, .multiplier = 1000, .divisor = 1001};
    static const struct expression frames[] = {
        {"24000f", INT64_C(1001000000000)},
        {"3f", 125125000},
        {"1f", 41708333},
        {"00:00:10:12", INT64_C(10500500000)},
        {"1t", 41666666}, /* ticks are of the nominal rate */
    };
    static const struct ttml_rates subs = {.frame_rate = 25, .sub_frame_rate = 2};
    static const struct expression halves[] = {{"00:00:00:01.1", 60000000}, {"50t", CAD_SECOND}};
    static const struct ttml_rates odd = {.frame_rate = 4294967291u, .tick_rate = 4294967279u,
                                          .multiplier = 999999937, .divisor = 999999929};
    static const struct expression seconds[] = {{"5s", 5 * CAD_SECOND},
                                                {"4294967279t", CAD_SECOND}};
    (void)state;
    check(&film, frames, CAD_ARRAY_LEN(frames));
    check(&subs, halves, CAD_ARRAY_LEN(halves));
    check(&odd, seconds, CAD_ARRAY_LEN(seconds));
}

/* Each document lists what shows text: begin and end in ms, -1 indefinite. */
static void shows(const char *document, const int64_t *times_ms, size_t count)
{
    struct cad_text *text = text_of(document);
    size_t found = 0;
    for (size_t i = 0; i < cad_text_boundary_count(text); i++) {
        struct cad_text_isd *isd = isd_of(text, cad_text_boundary(text, i));
        if (isd->regions) {
            int64_t end = isd->end == CAD_TIME_MAX ? -1 : isd->end / CAD_MS;
            assert_true(found + 1 < count);
            assert_int_equal(isd->begin / CAD_MS, times_ms[found]);
            assert_int_equal(end, times_ms[found + 1]);
            found += 2;
        }
        cad_text_isd_destroy(&isd);
    }
    assert_int_equal(found, count);
    cad_text_destroy(&text);
}

#define BODY(attributes, content) TT("", "", "<body " attributes "><div>" content "</div></body>")

static void test_time_par(void **state)
{
    static const int64_t nested[] = {3000, 4000};
    static const int64_t clipped[] = {1000, 2000};
    static const int64_t both[] = {1000, 3000};
    static const int64_t open[] = {5000, -1};
    (void)state;
    shows(BODY("begin='1s'", "<p begin='2s' dur='1s'>a</p>"), nested, 2);
    shows(BODY("end='2s'", "<p begin='1s' end='9s'>a</p>"), clipped, 2);
    shows(BODY("", "<p begin='1s' dur='2s' end='9s'>a</p>"), both, 2);
    shows(BODY("", "<p begin='5s'>a</p>"), open, 2);
    shows(BODY("", "<p begin='5s' end='5s'>a</p><p begin='9s' end='1s'>b</p>"), open, 0);
}

static void test_time_seq(void **state)
{
    static const int64_t row[] = {0, 1000, 3000, 4000};
    static const int64_t span[] = {1000, -1};
    (void)state;
    shows(TT("", "", "<body><div timeContainer='seq'><p dur='1s'>a</p><p begin='2s' dur='1s'>b</p>"
                     "</div></body>"), row, 4);
    shows(BODY("", "<p timeContainer='seq'>a</p>"), row, 0);
    shows(BODY("", "<p begin='1s' timeContainer='seq'><span>a</span></p>"), span, 2);
    shows(BODY("", "<p timeContainer='seq'><span timeContainer='seq'>a</span></p>"), row, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time_expressions),
        cmocka_unit_test(test_time_frames),
        cmocka_unit_test(test_time_par),
        cmocka_unit_test(test_time_seq),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
