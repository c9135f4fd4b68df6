/* The command line: every option, every way of getting it wrong, and seconds in decimals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "base/str.h"
#include "base/util.h"

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
    assert_int_equal(PARSE(&args, "a", "--log-level", "loud"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--framemd5", ""), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "--title", "900100"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--title", "900100", "base"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--seek", "5", "--until", "5"), CAD_E_INVAL);
    assert_int_equal(PARSE(&args, "a", "--fast"), CAD_E_INVAL);
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

/* Nothing that can be given is left out of the help. */
static void test_args_help_is_complete(void **state)
{
    (void)state;
    static const char *const words[] = {
        "--title", "--seek", "--until", "--rung", "--buffer-s", "--memory-mb", "--ca",
        "--start-paused", "--volume", "--no-sound", "--fullscreen", "--overlay", "--headless",
        "--fast", "--json-stats", "--framemd5", "--log", "--log-level", "--version", "--help",
        "seek SECONDS", "Exit status"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(words); i++) {
        assert_non_null(strstr(args_help(), words[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_args_takes_every_option),
        cmocka_unit_test(test_args_refuses_what_is_wrong),
        cmocka_unit_test(test_args_reads_seconds),
        cmocka_unit_test(test_args_help_is_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
