/* Goal: every statement of the scenario language is read as docs/scenarios.md says, every
 * mistake is told with its line, and what does not exist yet is refused as such. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/scenario.h"

#define HEAD "title ladder l\nlink a rate 5000 latency 40\nhost cdn1 link a\n"

static struct cad_scenario s;
static struct cad_scenario_result result;

static int parse(const char *text)
{
    memset(&result, 0, sizeof(result));
    return cad_scenario_parse(cad_str_from(text), &s, &result);
}

static void test_scenario_reads_the_stage(void **state)
{
    (void)state;
    assert_int_equal(parse("# comment\n\n seed 42  # more\r\n"
                           "title ladder nfx-4s.json duration 90.5 life 600\n"
                           "link a rate 5000 latency 40\nlink b trace x.trace\n"
                           "host cdn1 link a\nhost cdn2 link b\nbuffer 20\nsink drift -200ppm"),
                     0);
    assert_int_equal(s.seed, 42);
    assert_true(cad_str_eqz(s.ladder, "nfx-4s.json"));
    assert_int_equal(s.duration, 90500 * CAD_MS);
    assert_int_equal(s.url_life, 600 * CAD_SECOND);
    assert_int_equal(s.buffer, 20 * CAD_SECOND);
    assert_int_equal(s.link_count, 2);
    assert_int_equal(s.links[0].period.rate_bps, 5000000);
    assert_int_equal(s.links[0].period.latency, 40 * CAD_MS);
    assert_true(cad_str_eqz(s.links[1].trace, "x.trace"));
    assert_int_equal(s.host_count, 2);
    assert_string_equal(s.hosts[1].name, "cdn2");
    assert_int_equal(s.hosts[1].link, 1);
    assert_int_equal(s.sink, CAD_SIM_SINK_DRIFT);
    assert_int_equal(s.sink_ppm, -200);
}

static void test_scenario_reads_sinks(void **state)
{
    (void)state;
    static const struct { const char *line; enum cad_sink_mode mode; int64_t ppm; } sinks[] = {
        {"realtime", CAD_SIM_SINK_REALTIME, 0}, {"slow 1.3", CAD_SIM_SINK_SLOW, 1300000},
        {"drift 200ppm", CAD_SIM_SINK_DRIFT, 200}, {"eagain 0.1", CAD_SIM_SINK_EAGAIN, 100000},
        {"null", CAD_SIM_SINK_NULL, 0}};
    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), HEAD "sink %s\n", sinks[i].line);
        assert_int_equal(parse(text), 0);
        assert_int_equal(s.sink, sinks[i].mode);
        assert_int_equal(s.sink_ppm, sinks[i].ppm);
    }
}

static void test_scenario_orders_actions(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD "at 45 host cdn1 up\nat 0 play\nat 30 host cdn1 down refuse\n"
                                "at 30 host cdn1 down blackhole\n"
                                "at 31 host cdn1 down reset-at 5000\n"
                                "at 32 host cdn1 down status 503\nat 33 host cdn1 down rate 100\n"
                                "at 60.25 seek 600\nat 61 pause\nat 62 stop\nat 70 network off\n"
                                "at 71 network on\nat 90 service manifest down\n"
                                "at 91 expect buffer >= 1.5\n"),
                     0);
    static const struct { int64_t at_ms; int type; int fault; int64_t value; } want[] = {
        {0, CAD_DO_PLAY, 0, 0}, {30000, CAD_DO_HOST, CAD_HOST_REFUSE, 0},
        {30000, CAD_DO_HOST, CAD_HOST_BLACKHOLE, 0}, {31000, CAD_DO_HOST, CAD_HOST_RESET_AT, 5000},
        {32000, CAD_DO_HOST, CAD_HOST_STATUS, 503}, {33000, CAD_DO_HOST, CAD_HOST_RATE, 100000},
        {45000, CAD_DO_HOST, CAD_HOST_UP, 0}, {60250, CAD_DO_SEEK, 0, 0},
        {61000, CAD_DO_PAUSE, 0, 0}, {62000, CAD_DO_STOP, 0, 0}, {70000, CAD_DO_NETWORK, 0, 0},
        {71000, CAD_DO_NETWORK, 0, 0}, {90000, CAD_DO_SERVICE, 0, 0}, {91000, CAD_DO_EXPECT, 0, 0}};
    assert_int_equal(s.action_count, sizeof(want) / sizeof(want[0]));
    for (uint32_t i = 0; i < s.action_count; i++) {
        assert_int_equal(s.actions[i].at, want[i].at_ms * CAD_MS);
        assert_int_equal(s.actions[i].type, want[i].type);
        assert_int_equal(s.actions[i].fault, want[i].fault);
        assert_int_equal(s.actions[i].value, want[i].value);
    }
    assert_int_equal(s.actions[7].position, 600 * CAD_SECOND);
    assert_false(s.actions[10].up);
    assert_true(s.actions[11].up);
    assert_int_equal(s.expects[s.actions[13].expect].value, 1500 * CAD_MS);
}

static void test_scenario_reads_expectations(void **state)
{
    (void)state;
    assert_int_equal(parse(HEAD "every 5 expect buffer >= 4\nexpect event playing within 2\n"
                                "expect event seek_done within 1 after 60\n"
                                "expect no stall after 1\nexpect stalls <= 1\n"
                                "expect rung >= 3 from 40 to 60\nexpect fetched-twice 0\n"
                                "expect ended\nexpect failed NET_CONNECT\nexpect no error\n"
                                "expect no request from 10 to 11.5\nexpect startup < 1.25\n"
                                "at 3 expect state paused\nexpect fetched-twice <= 9\n"),
                     0);
    const struct cad_scenario_expect *e = s.expects;
    assert_int_equal(s.expect_count, 14);
    assert_int_equal(e[0].subject, CAD_SUBJECT_BUFFER);
    assert_int_equal(e[0].op, CAD_OP_GE);
    assert_int_equal(e[0].every, 5 * CAD_SECOND);
    assert_int_equal(e[0].value, 4 * CAD_SECOND);
    assert_int_equal(e[1].subject, CAD_SUBJECT_EVENT);
    assert_int_equal(e[1].to, 2 * CAD_SECOND);
    assert_int_equal(e[2].from, 60 * CAD_SECOND);
    assert_int_equal(e[2].to, 61 * CAD_SECOND);
    assert_int_equal(e[3].subject, CAD_SUBJECT_NO_STALL);
    assert_int_equal(e[3].from, CAD_SECOND);
    assert_int_equal(e[4].op, CAD_OP_LE);
    assert_int_equal(e[4].value, 1);
    assert_int_equal(e[5].to, 60 * CAD_SECOND);
    assert_int_equal(e[6].subject, CAD_SUBJECT_TWICE);
    assert_int_equal(e[6].op, CAD_OP_EQ);
    assert_int_equal(e[7].subject, CAD_SUBJECT_ENDED);
    assert_true(cad_str_eqz(e[8].text, "NET_CONNECT"));
    assert_int_equal(e[10].to, 11500 * CAD_MS);
    assert_int_equal(e[11].value, 1250 * CAD_MS);
    assert_int_equal(e[12].at, 3 * CAD_SECOND);
    assert_true(cad_str_eqz(e[12].text, "paused"));
    assert_int_equal(e[13].value, 9);
}

static void test_scenario_tells_the_line_of_a_mistake(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "nonsense", "at", "at x play", "at -1 play", "at 1 dance", "at 1 seek", "at 1.x seek 2",
        "at 1 play now", "at 1 host cdn9 up", "at 1 host cdn1 down",
        "at 1 host cdn1 down status 99",
        "at 1 host cdn1 down rate 0", "at 1 host cdn1 sideways", "at 1 network maybe",
        "at 99999999 play", "link a rate 5 latency 1", "link c rate 5", "link c rate 5 latency",
        "host cdn1 link a", "host x link y", "host x", "title ladder m", "sink fast",
        "sink drift 200", "sink eagain 1.5", "seed", "seed 1.5.5", "every 5 buffer >= 4",
        "every 0 expect buffer >= 4", "every 5 expect ended", "at 5 expect startup <= 1",
        "at 5 expect rung >= 1 from 1 to 2", "expect", "expect love", "expect buffer",
        "expect buffer = 4", "expect buffer >= ", "expect buffer >= 4 5", "expect no",
        "expect no fun",
        "expect no request", "expect rung >= 1 from 5 to 4", "expect event playing",
        "expect event playing within", "buffer 1", "expect 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[512];
        (void)snprintf(text, sizeof(text), HEAD "%s\n", bad[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 4 + (strcmp(bad[i], "buffer 1") == 0));
        assert_true(result.message[0] != '\0');
        assert_null(strstr(result.message, "not supported"));
    }
    assert_int_equal(parse("link a rate 1 latency 1\nhost b link a\n"), CAD_E_DATA);
    assert_int_equal(parse("title ladder x\n"), CAD_E_DATA);
}

static void test_scenario_knows_what_is_missing(void **state)
{
    (void)state;
    static const char *const later[] = {"device x", "at 1 device y"};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), HEAD "\n%s\n", later[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 5);
        assert_non_null(strstr(result.message, "not supported yet"));
    }
    assert_int_equal(parse("title ladder x drm cenc\n"), CAD_E_DATA);
    assert_non_null(strstr(result.message, "cbcs only"));
}

static void test_scenario_reads_keys_text_and_services(void **state)
{
    (void)state;
    assert_int_equal(parse("title ladder l drm cbcs text en,de-DE\n"
                           "link a rate 5000 latency 40\nhost cdn1 link a\nreport on\nprobe on\n"
                           "at 0 prepare\nat 1 text de-DE\nat 2 text off\n"
                           "at 3 service licence slow 0.8\nat 4 service licence down garbage\n"
                           "at 5 service text down\nat 6 service licence slow 0\n"
                           "at 7 service events up\n"
                           "at 8 expect text en\nat 9 expect track text off\n"
                           "at 9 expect keys usable\nexpect licences == 1\n"
                           "expect events-delivered >= 2\nexpect events-waiting == 0\n"
                           "expect probes >= 1\nexpect events > 1\n"),
                     0);
    assert_true(s.is_protected && s.report && s.probe && s.prepares);
    assert_int_equal(s.text_count, 2);
    assert_string_equal(s.text[1], "de-DE");
    static const struct {
        enum cad_scenario_action_type type;
        const char *name;
        bool up;
    } want[] = {
        {CAD_DO_PREPARE, "", false}, {CAD_DO_TEXT, "de-DE", false}, {CAD_DO_TEXT, "off", false},
        {CAD_DO_SERVICE, "licence-slow-800", false}, {CAD_DO_SERVICE, "licence-garbage", false},
        {CAD_DO_SERVICE, "text", false}, {CAD_DO_SERVICE, "licence-slow-0", true},
        {CAD_DO_SERVICE, "events", true}};
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        const struct cad_scenario_action *a = &s.actions[i];
        assert_int_equal(a->type, want[i].type);
        if (a->type == CAD_DO_SERVICE) assert_string_equal(a->service, want[i].name);
        else assert_true(cad_str_eqz(a->name, want[i].name));
        assert_int_equal(a->up, want[i].up);
    }
    assert_int_equal(s.expects[0].subject, CAD_SUBJECT_TEXT);
    assert_int_equal(s.expects[1].subject, CAD_SUBJECT_TRACK);
    assert_int_equal(s.expects[1].media, CAD_MEDIA_TEXT);
    assert_int_equal(s.expects[2].subject, CAD_SUBJECT_KEYS);
    static const char *const bad[] = {"at 1 service", "at 1 service x", "at 1 service x up cut",
                                      "at 1 service x down burnt", "at 1 service x slow",
                                      "at 1 text", "report", "probe maybe", "expect text",
                                      "expect keys", "expect track image x", "expect licences"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), HEAD "%s\n", bad[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 4);
    }
    static const char *const titles[] = {"drm", "drm aes", "text", "text en,en", "text ,",
                                         "text en text de", "text a,b,c,d,e,f,g,h,i"};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "title ladder l %s\n", titles[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 1);
    }
}

static void test_scenario_reads_audio_and_rate_and_suspend(void **state)
{
    (void)state;
    assert_int_equal(parse("title ladder l audio en,de,en-51,pt-BR duration 9\n"
                           "link a rate 5000 latency 40\nhost cdn1 link a\n"
                           "at 1 audio en-51\nat 2 rate 1.5\nat 3 suspend 4.25\n"
                           "at 8 expect track audio en-51\nexpect track audio de\n"),
                     0);
    static const struct { const char *lang; uint32_t channels; } want[] = {
        {"en", 2}, {"de", 2}, {"en", 6}, {"pt-BR", 2}};
    assert_int_equal(s.audio_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_string_equal(s.audio[i].lang, want[i].lang);
        assert_int_equal(s.audio[i].channels, want[i].channels);
    }
    assert_int_equal(s.duration, 9 * CAD_SECOND);
    assert_int_equal(s.actions[0].type, CAD_DO_AUDIO);
    assert_true(cad_str_eqz(s.actions[0].name, "en-51"));
    assert_int_equal(s.actions[1].type, CAD_DO_RATE);
    assert_int_equal(s.actions[1].value, 98304);
    assert_int_equal(s.actions[2].type, CAD_DO_SUSPEND);
    assert_int_equal(s.actions[2].position, 4250 * CAD_MS);
    assert_int_equal(s.expects[0].subject, CAD_SUBJECT_TRACK);
    assert_int_equal(s.expects[0].media, CAD_MEDIA_AUDIO);
    assert_int_equal(s.expects[0].at, 8 * CAD_SECOND);
    assert_true(cad_str_eqz(s.expects[1].text, "de"));
    assert_string_equal(cad_scenario_subject_name(CAD_SUBJECT_TRACK), "track");
    static const char *const bad[] = {
        "at 1 audio", "at 1 rate 0.4", "at 1 rate 2.1", "at 1 rate", "at 1 suspend",
        "expect track", "expect track en", "expect track video x", "at 1 expect track audio"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), HEAD "%s\n", bad[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 4);
    }
    static const char *const titles[] = {"audio", "audio en,en", "audio en,en-20", "audio ,de",
                                         "audio en audio de", "audio a,b,c,d,e,f,g,h,i"};
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        char text[256];
        (void)snprintf(text, sizeof(text), "title ladder l %s\n", titles[i]);
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 1);
    }
}

static void test_scenario_reads_a_title_by_url(void **state)
{
    (void)state;
    assert_int_equal(parse("\ntitle url http://x/a.mpd\nat 0 play\n"), 0);
    assert_true(cad_str_eqz(s.url, "http://x/a.mpd"));
    assert_int_equal(s.ladder.n, 0);
    assert_int_equal(s.title_line, 2);
    assert_int_equal(parse("title url\n"), CAD_E_DATA);
    assert_int_equal(parse("title url http://x/\ntitle ladder l\n"), CAD_E_DATA);
    assert_int_equal(parse("title url http://x/\nlink a rate 1 latency 1\nhost c link a\n"),
                     CAD_E_DATA);
    assert_non_null(strstr(result.message, "by URL"));
}

static void test_scenario_knows_tracks_by_their_names(void **state)
{
    (void)state;
    const struct cad_track_info track = {.id = "A:en:6:x", .type = CAD_MEDIA_AUDIO, .lang = "en",
                                         .label = "English", .channels = 6};
    static const char *const names[] = {"A:en:6:x", "en", "English", "en-51"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(cad_scenario_track_is(&track, cad_str_from(names[i])));
    }
    static const char *const others[] = {"", "de", "en-20", "en-71", "-51", "A:en", "english"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_false(cad_scenario_track_is(&track, cad_str_from(others[i])));
    }
    const struct cad_track_info bare = {.id = "x"};
    assert_false(cad_scenario_track_is(&bare, CAD_STR("en")));
}

static void test_scenario_gives_a_line_back(void **state)
{
    (void)state;
    cad_str text = CAD_STR("one\n\n  two words # and more\r\nlast");
    assert_true(cad_str_eqz(cad_scenario_line(text, 1), "one"));
    assert_int_equal(cad_scenario_line(text, 2).n, 0);
    assert_true(cad_str_eqz(cad_scenario_line(text, 3), "two words"));
    assert_true(cad_str_eqz(cad_scenario_line(text, 4), "last"));
    assert_int_equal(cad_scenario_line(text, 5).n, 0);
    assert_int_equal(cad_scenario_line(text, 0).n, 0);
}

static void test_scenario_keeps_its_limits(void **state)
{
    (void)state;
    enum { SIZE = 65536 };
    char *text = test_malloc(SIZE);
    static const struct { const char *line; uint32_t most; } limits[] = {
        {"at 1 play\n", CAD_SCENARIO_ACTIONS_MAX}, {"expect ended\n", CAD_SCENARIO_EXPECTS_MAX}};
    for (size_t i = 0; i < 2; i++) {
        size_t line = strlen(limits[i].line);
        size_t n = strlen(HEAD);
        memcpy(text, HEAD, n);
        for (uint32_t k = 0; k <= limits[i].most; k++) {
            memcpy(text + n, limits[i].line, line + 1);
            if (k + 1 == limits[i].most) assert_int_equal(parse(text), 0);
            n += line;
        }
        assert_int_equal(parse(text), CAD_E_DATA);
        assert_int_equal(result.line, 3 + limits[i].most + 1);
    }
    test_free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scenario_reads_the_stage),
        cmocka_unit_test(test_scenario_reads_sinks),
        cmocka_unit_test(test_scenario_orders_actions),
        cmocka_unit_test(test_scenario_reads_expectations),
        cmocka_unit_test(test_scenario_tells_the_line_of_a_mistake),
        cmocka_unit_test(test_scenario_knows_what_is_missing),
        cmocka_unit_test(test_scenario_reads_keys_text_and_services),
        cmocka_unit_test(test_scenario_reads_audio_and_rate_and_suspend),
        cmocka_unit_test(test_scenario_reads_a_title_by_url),
        cmocka_unit_test(test_scenario_knows_tracks_by_their_names),
        cmocka_unit_test(test_scenario_gives_a_line_back),
        cmocka_unit_test(test_scenario_keeps_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
