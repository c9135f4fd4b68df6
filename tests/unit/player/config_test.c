/* The configuration file: what it says, where it says something wrong, and who wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "config.h"
#include "options.h"

static void test_config_sets_options(void **state)
{
    (void)state;
    struct play_args args;
    char error[256] = "";
    char text[] = "# mine\n"
                  "\n"
                  "volume = 80\r\n"
                  "  audio-language=de  \n"
                  "ca = \"a file.pem\"\n"
                  "fullscreen = yes\n"
                  "mute = no\n"
                  "speed = 1.5\n"
                  "memory-mb = 128";
    args_init(&args);
    assert_int_equal(config_parse(&args, text, "play.conf", error, sizeof(error)), 0);
    assert_int_equal(args.volume, 80);
    assert_string_equal(args.audio_language, "de");
    assert_string_equal(args.ca_file, "a file.pem");
    assert_true(args.full_screen);
    assert_false(args.mute);
    assert_int_equal(args.speed_q16, 98304);
    assert_int_equal(args.memory_mb, 128);
    args_deinit(&args);
}

static void test_config_names_the_line(void **state)
{
    (void)state;
    static const struct { const char *text, *error; } wrong[] = {
        {"volume = 80\nvolume = loud\n",
         "x.conf:2: --volume wants a whole number from 0 to 100, not \"loud\""},
        {"\n\nnonsense\n", "x.conf:3: a line is: option = value"},
        {"nonsense = 1\n", "x.conf:1: unknown option nonsense"},
        {"help = yes\n", "x.conf:1: --help is for the command line only"},
        {"title = a\n", "x.conf:1: --title is for the command line only"},
        {"mute = 1\n", "x.conf:1: --mute wants yes or no, not \"1\""},
        {"audio-language =\n", "x.conf:1: --audio-language wants a value that is not empty"},
        {"= 3\n", "x.conf:1: unknown option "},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(wrong); i++) {
        struct play_args args;
        char text[80];
        char error[256] = "";
        args_init(&args);
        cad_str_copyz(text, sizeof(text), cad_str_from(wrong[i].text));
        assert_int_equal(config_parse(&args, text, "x.conf", error, sizeof(error)), CAD_E_INVAL);
        assert_string_equal(error, wrong[i].error);
    }
}

/* What --print-config prints says the same when it is read. */
static void test_config_survives_a_round(void **state)
{
    (void)state;
    struct play_args args;
    struct play_args again;
    char first[OPTIONS_HELP_BYTES];
    char copy[OPTIONS_HELP_BYTES];
    char second[OPTIONS_HELP_BYTES];
    char error[256] = "";
    struct cad_sb out;
    args_init(&args);
    args.volume = 35;
    args.speed_q16 = 81920;
    args.seek = 61500 * CAD_MS;
    args.audio_language = "pt-BR";
    args.overlay = true;
    cad_sb_init_fixed(&out, first, sizeof(first));
    options_config(&args, &out);
    assert_int_equal(cad_sb_error(&out), 0);
    assert_non_null(strstr(first, "volume = 35\n"));
    assert_non_null(strstr(first, "speed = 1.25\n"));
    assert_non_null(strstr(first, "start = 61.5\n"));
    assert_non_null(strstr(first, "overlay = yes\n"));
    assert_non_null(strstr(first, "# ca =\n"));
    memcpy(copy, first, sizeof(copy));
    args_init(&again);
    assert_int_equal(config_parse(&again, copy, "x", error, sizeof(error)), 0);
    cad_sb_init_fixed(&out, second, sizeof(second));
    options_config(&again, &out);
    assert_string_equal(first, second);
    /* Every option that may stand in a file is named. */
    for (size_t i = 0; options_at(i); i++) {
        char name[48];
        if (options_at(i)->flags != 0) continue;
        snprintf(name, sizeof(name), "%s =", options_at(i)->name + 2);
        assert_non_null(strstr(first, name));
    }
}

static void write_file(const char *path, const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
}

static void test_config_finds_its_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/play-conf-XXXXXX";
    char path[64];
    char error[320] = "";
    struct play_args args;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/x.conf", folder);
    write_file(path, "volume = 7\n", 11);
    args_init(&args);
    args.config_path = path;
    assert_int_equal(config_load(&args, NULL, NULL, error, sizeof(error)), 0);
    assert_int_equal(args.volume, 7);
    args_deinit(&args);
    /* A file that was asked for must be there, and be text; the usual one need not. */
    write_file(path, "volume\0= 7\n", 11);
    args_init(&args);
    args.config_path = path;
    assert_int_equal(config_load(&args, NULL, NULL, error, sizeof(error)), CAD_E_DATA);
    assert_non_null(strstr(error, "it is no text"));
    remove(path);
    assert_int_equal(config_load(&args, NULL, NULL, error, sizeof(error)), CAD_E_NOTFOUND);
    assert_non_null(strstr(error, "there is no such file"));
    args.config_path = NULL;
    assert_int_equal(config_load(&args, folder, NULL, error, sizeof(error)), 0);
    assert_int_equal(config_load(&args, "relative", NULL, error, sizeof(error)), 0);
    assert_int_equal(config_load(&args, "", folder, error, sizeof(error)), 0);
    assert_int_equal(args.volume, 100);
    assert_int_equal(remove(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config_sets_options),
        cmocka_unit_test(test_config_names_the_line),
        cmocka_unit_test(test_config_survives_a_round),
        cmocka_unit_test(test_config_finds_its_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
