/* The caption names the title and never shows a query, which may be a signature. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "window.h"

static void check(struct play_args args, const char *expected)
{
    char caption[160];
    window_caption(&args, caption, sizeof(caption));
    assert_string_equal(caption, expected);
}

static void test_window_caption_names_the_title(void **state)
{
    (void)state;
    check((struct play_args){.title = "900100", .base = "http://x"}, "900100 - cadmium-play");
    check((struct play_args){.target = "/films/a b.mp4"}, "a b.mp4 - cadmium-play");
    check((struct play_args){.target = "https://h/x/m.json?sc=secret/1#f"},
          "m.json - cadmium-play");
    check((struct play_args){.target = "x/a\xe2\x80\xae" "4pm\xc2\x9b.mp4"},
          "a?4pm?.mp4 - cadmium-play");
    check((struct play_args){.target = "https://host/"}, "https://host/ - cadmium-play");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_window_caption_names_the_title)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
