/* The command line: every option, every way of getting it wrong, and seconds in decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "base/str.h"
#include "base/util.h"
#include "options.h"

static int parse(struct play_args *args, const char *const *words, int count)
{
    char *argv[32] = {"cadmium-play"};
    char error[160] = "";
    for (int i = 0; i < count; i++) {
        union { const char *in; char *out; } word = {words[i]};
        argv[i + 1] = word.out;
    }
    int rc = args_parse(args, count + 1, argv, error, sizeof(error));
    assert_true((rc < 0) == (error[0] != '\0'));
    return rc;
}

#define PARSE(args, ...)                                                                           \
    parse(args, (const char *const[]){__VA_ARGS__},                                                \
          (int)CAD_ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void test_args_takes_every_option(void **state)
{
    (void)state;
    struct play_args args;
    assert_int_equal(PARSE(&args, "--headless", "--json-stats", "--rung", "3", "--seek", "1.5",
                           "--until", "20", "--framemd5", "sums", "--ca", "ca.pem", "--volume",
                           "0", "--log", "-", "--log-level", "debug", "--buffer-s", "30",
                           "--memory-mb", "32", "--start-paused", "--fast", "film.mp4"),
                     0);
    assert_true(args.headless && args.json && args.start_paused && args.fast);
    assert_int_equal(args.rung, 3);
    assert_int_equal(args.seek, 1500 * CAD_MS);
    assert_int_equal(args.until, 20 * CAD_SECOND);
    assert_int_equal(args.volume, 0);
    assert_int_equal(args.buffer, 30 * CAD_SECOND);
    assert_int_equal(args.memory_mb, 32);
    assert_int_equal(args.log_level, CAD_LOG_DEBUG);
    assert_string_equal(args.framemd5, "sums");
    assert_string_equal(args.ca_file, "ca.pem");
    assert_string_equal(args.target, "film.mp4");
    assert_null(args.title);
    assert_int_equal(PARSE(&args, "--title", "900100", "http://localhost:8080"), 0);
    assert_string_equal(args.title, "900100");
    assert_string_equal(args.base, "http://localhost:8080");
    assert_int_equal(args.rung, -1);
    assert_int_equal(args.seek, CAD_TIME_NONE);
    assert_int_equal(args.volume, 100);
    assert_int_equal(PARSE(&args, "--headless", "--", "--odd.mp4"), 0);
    assert_true(args.headless);
    assert_string_equal(args.target, "--odd.mp4");
    assert_int_equal(PARSE(&args, "--", "--"), 0);
    assert_string_equal(args.target, "--");
    assert_int_equal(PARSE(&args, "--buffer-s", "3600", "a"), 0);
    assert_int_equal(PARSE(&args, "--memory-mb", "65536", "a"), 0);
    assert_int_equal(PARSE(&args, "--help"), 0);
    assert_true(args.help);
    assert_int_equal(PARSE(&args, "--version"), 0);
    assert_true(args.version);
}

static void test_args_refuses_what_is_wrong(void **state)
{
    (void)state;
    struct play_args args;
    assert_int_equal(parse(&args, NULL, 0), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "b"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--what", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--rung"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--rung", "-1"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--rung", "64"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--volume", "101"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--memory-mb", "3"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--seek", "x"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--buffer-s", "1.9"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--buffer-s", "3600.1"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--memory-mb", "65537"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--", "a", "--headless"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--log-level", "loud"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--framemd5", ""), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--title", "900100"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--title", "900100", "base"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--seek", "5", "--until", "5"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--fast"), CAD_E_INVAL);
}

static void check_words(const char *option, char *value, const char *expected)
{
    struct play_args args;
    char name[32];
    char error[160] = "";
    cad_str_copyz(name, sizeof(name), cad_str_from(option));
    char *argv[] = {"cadmium-play", name, value};
    assert_int_equal(args_parse(&args, value ? 3 : 2, argv, error, sizeof(error)), CAD_E_INVAL);
    assert_string_equal(error, expected);
    for (size_t size = 1; size < 40; size++) {
        char cut[48];
        memset(cut, 'x', sizeof(cut));
        assert_int_equal(args_parse(&args, value ? 3 : 2, argv, cut, size), CAD_E_INVAL);
        assert_true(strlen(cut) < size);
        assert_int_equal(cut[size], 'x');
    }
}

/* A wrong value is answered by what would be right. */
static void test_args_says_what_it_wants(void **state)
{
    (void)state;
    check_words("--buffer-s", "1", "--buffer-s wants seconds from 2 to 3600, not \"1\"");
    check_words("--memory-mb", "x", "--memory-mb wants a whole number from 4 to 65536, not \"x\"");
    check_words("--rung", "64", "--rung wants a whole number from 0 to 63, not \"64\"");
    check_words("--log-level", "loud",
                "--log-level wants error, warn, info, debug or trace, not \"loud\"");
    check_words("--framemd5", "", "--framemd5 wants the name of a file");
    check_words("--rung", NULL, "--rung: its value is missing");
}

static void test_args_reads_seconds(void **state)
{
    (void)state;
    static const struct { const char *text; cad_time value; } good[] = {
        {"0", 0}, {"7", 7 * CAD_SECOND}, {"12.5", 12500 * CAD_MS}, {"0.000000001", 1},
        {"1.02", 1020 * CAD_MS}, {"31536000", 31536000 * CAD_SECOND}};
    static const char *const bad[] = {"", ".", "1.", ".5.", "-1", "1e3", "1.0000000001", "31536001",
                                      " 1", "1 ", "99999999999999999999"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        cad_time value = -1;
        assert_int_equal(args_seconds(cad_str_from(good[i].text), &value), 0);
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        cad_time value = -1;
        assert_int_equal(args_seconds(cad_str_from(bad[i]), &value), CAD_E_DATA);
        assert_int_equal(value, -1);
    }
}

/* Nothing that can be given is left out of the help, and its lines fit a terminal. */
static void test_args_help_is_complete(void **state)
{
    (void)state;
    char text[OPTIONS_HELP_BYTES];
    struct cad_sb out;
    cad_sb_init_fixed(&out, text, sizeof(text));
    options_help(&out);
    assert_int_equal(cad_sb_error(&out), 0);
    for (size_t i = 0; options_at(i); i++) {
        const struct option *option = options_at(i);
        char row[64];
        snprintf(row, sizeof(row), "\n  %s%s%s", option->name, option->value[0] ? " " : "",
                 option->value);
        bool there = strstr(text, row) != NULL;
        assert_true(there == !(option->flags & OPTION_ALIAS));
        assert_ptr_equal(options_find(cad_str_from(option->name)), option);
    }
    static const char *const words[] = {"seek SECONDS", "Exit status", "Keys in the window",
                                        "What to play:", "For programs:"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(words); i++) assert_non_null(strstr(text, words[i]));
    for (const char *line = text; *line; line++) {
        size_t n = strcspn(line, "\n");
        if (n > 90) fail_msg("%zu columns: %.90s", n, line);
        line += n;
    }
}

/* Services are told and probed unless that is turned off; nothing else has a value by itself. */
static void test_args_takes_services(void **state)
{
    (void)state;
    struct play_args args;
    assert_int_equal(PARSE(&args, "a"), 0);
    assert_true(args.report && args.probe);
    assert_false(args.no_store || args_wants_subtitles(&args));
    assert_int_equal(args.subtitle_size, 100);
    assert_null(args.store);
    assert_null(args.proxy);
    assert_null(args.key_log);
    assert_int_equal(PARSE(&args, "--no-report", "--no-probe", "--no-store", "a"), 0);
    assert_false(args.report || args.probe);
    assert_true(args.no_store);
    assert_int_equal(PARSE(&args, "--report=no", "--probe=no", "--report", "a"), 0);
    assert_true(args.report);
    assert_false(args.probe);
    assert_int_equal(PARSE(&args, "--no-report=no", "a"), 0);
    assert_true(args.report);
    assert_int_equal(PARSE(&args, "--subtitles", "de", "--subtitle-size", "150", "--events-url",
                           "http://e", "--logs-url", "http://l", "--probe-url", "http://p",
                           "--device", "MODEL-0123",
                           "--licence-url", "http://k", "--store", "s", "--proxy", "http://x",
                           "--key-log", "f", "--dump-text", "t", "a"),
                     0);
    assert_true(args_wants_subtitles(&args));
    assert_string_equal(args.subtitles, "de");
    assert_int_equal(args.subtitle_size, 150);
    assert_string_equal(args.events_url, "http://e");
    assert_string_equal(args.device, "MODEL-0123");
    assert_string_equal(args.logs_url, "http://l");
    assert_string_equal(args.probe_url, "http://p");
    assert_string_equal(args.licence_url, "http://k");
    assert_string_equal(args.store, "s");
    assert_string_equal(args.proxy, "http://x");
    assert_string_equal(args.key_log, "f");
    assert_string_equal(args.dump_text, "t");
    assert_int_equal(PARSE(&args, "--subtitles", "off", "a"), 0);
    assert_false(args_wants_subtitles(&args));
    assert_int_equal(PARSE(&args, "--subtitle-size", "24", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--subtitle-size", "401", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--store", "s", "--no-store", "a"), CAD_E_INVAL);
}

#define KID "00112233445566778899aabbccddeeff"
#define KID_DASHED "00112233-4455-6677-8899-AABBCCDDEEFF"
#define KEY "0f1e2d3c4b5a69788796a5b4c3d2e1f0"

/* Keys are read once, and their texts are gone from the command line then. */
static void test_args_takes_keys_and_hides_them(void **state)
{
    (void)state;
    static const uint8_t kid[] = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
                                  0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff};
    struct play_args args;
    char error[160];
    char first[] = KID ":" KEY;
    char second[] = "--key=" KID_DASHED ":" KEY;
    char option[] = "--key";
    char target[] = "a";
    char *argv[] = {target, option, first, second, target};
    assert_int_equal(args_parse(&args, 5, argv, error, sizeof(error)), 0);
    assert_int_equal(args.key_count, 2);
    args_take_keys(&args);
    args_take_keys(&args);
    for (int i = 0; i < 2; i++) {
        assert_memory_equal(args.keys[i].kid, kid, sizeof(kid));
        assert_int_equal(args.keys[i].key[0], 0x0f);
        assert_int_equal(args.keys[i].key[15], 0xf0);
    }
    assert_int_equal(strspn(first, "x"), strlen(KID ":" KEY));
    assert_int_equal(strspn(second + 6, "x"), strlen(KID_DASHED ":" KEY));
    assert_string_equal(argv[1], "--key");
    args_deinit(&args);
    assert_int_equal(args.key_count, 0);
    for (size_t i = 0; i < sizeof(args.keys); i++) {
        assert_int_equal(((const uint8_t *)args.keys)[i], 0);
    }
}

/* What is wrong with a key is told without any part of it, however it was typed. */
static void test_args_repeats_no_part_of_a_key(void **state)
{
    (void)state;
    static const char *const bad[] = {KEY, KID KEY, KID ":" KEY "0", KID ":0f1e", ":" KEY, "",
                                      KID ":" "0f1e2d3c4b5a69788796a5b4c3d2e1fg"};
    struct play_args args;
    char error[160];
    char option[] = "--key";
    char target[] = "a";
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        char value[128];
        snprintf(value, sizeof(value), "%s", bad[i]);
        char *argv[] = {target, option, value};
        assert_int_equal(args_parse(&args, 3, argv, error, sizeof(error)), CAD_E_INVAL);
        assert_string_equal(error,
                            "--key wants KID:KEY, 32 hexadecimal digits each, at most 64 times");
    }
    char typo[] = "--kee=" KID ":" KEY;
    char *argv[] = {target, typo};
    assert_int_equal(args_parse(&args, 2, argv, error, sizeof(error)), CAD_E_INVAL);
    assert_string_equal(error, "unknown option --kee");
    char in_file[] = KID ":" KEY;
    assert_int_equal(args_set(&args, "key", in_file, error, sizeof(error)), CAD_E_INVAL);
    assert_string_equal(error, "--key is for the command line only");
}

/* The 65th is refused, and nothing is written behind the 64th. */
static void test_args_limits_keys(void **state)
{
    (void)state;
    struct play_args args;
    char error[160];
    static char words[ARGS_KEYS_MAX + 1][80];
    char target[] = "a";
    char *argv[ARGS_KEYS_MAX + 3] = {target, target};
    for (int i = 0; i <= ARGS_KEYS_MAX; i++) {
        snprintf(words[i], sizeof(words[i]), "--key=%032x:%032x", (unsigned)i, (unsigned)i + 1000);
        argv[i + 2] = words[i];
    }
    assert_int_equal(args_parse(&args, ARGS_KEYS_MAX + 2, argv, error, sizeof(error)), 0);
    assert_int_equal(args.key_count, ARGS_KEYS_MAX);
    args_take_keys(&args);
    assert_int_equal(args.keys[ARGS_KEYS_MAX - 1].kid[15], ARGS_KEYS_MAX - 1);
    for (int i = 0; i <= ARGS_KEYS_MAX; i++) {
        snprintf(words[i], sizeof(words[i]), "--key=%032x:%032x", (unsigned)i, (unsigned)i);
    }
    assert_int_equal(args_parse(&args, ARGS_KEYS_MAX + 3, argv, error, sizeof(error)), CAD_E_INVAL);
    assert_int_equal(args.key_count, ARGS_KEYS_MAX);
}

static void test_args_joins_option_and_value(void **state)
{
    (void)state;
    struct play_args args;
    assert_int_equal(PARSE(&args, "--volume=30", "--fullscreen=no", "--mute", "--speed=1.25",
                           "--audio-language=de", "--start=2.5", "a"),
                     0);
    assert_int_equal(args.volume, 30);
    assert_false(args.full_screen);
    assert_true(args.mute);
    assert_int_equal(args.speed_q16, 81920);
    assert_int_equal(args.seek, 2500 * CAD_MS);
    assert_string_equal(args.audio_language, "de");
    assert_int_equal(PARSE(&args, "--mute=maybe", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--volume=", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--title=900100", "http://x"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--speed", "0.49", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--speed", "2.01", "a"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--speed", "0.5", "a"), 0);
    assert_int_equal(args.speed_q16, 32768);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args_takes_every_option),
        cmocka_unit_test(test_args_refuses_what_is_wrong),
        cmocka_unit_test(test_args_says_what_it_wants),
        cmocka_unit_test(test_args_reads_seconds),
        cmocka_unit_test(test_args_help_is_complete),
        cmocka_unit_test(test_args_takes_services),
        cmocka_unit_test(test_args_takes_keys_and_hides_them),
        cmocka_unit_test(test_args_repeats_no_part_of_a_key),
        cmocka_unit_test(test_args_limits_keys),
        cmocka_unit_test(test_args_joins_option_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
