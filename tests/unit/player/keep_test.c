/* Where things are kept: by the rules of XDG, and with folders made for the user alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "keep.h"

static void test_keep_follows_xdg(void **state)
{
    (void)state;
    char out[64];
    assert_true(keep_usual("/s", "/home/u", out, sizeof(out)));
    assert_string_equal(out, "/s/cadmium");
    static const char *const none[] = {NULL, "", "relative/path"};
    for (size_t i = 0; i < 3; i++) {
        assert_true(keep_usual(none[i], "/home/u", out, sizeof(out)));
        assert_string_equal(out, "/home/u/.local/state/cadmium");
        assert_false(keep_usual(none[i], none[i], out, sizeof(out)));
        assert_string_equal(out, "");
    }
    assert_true(keep_usual("/s", NULL, out, sizeof("/s/cadmium")));
    assert_false(keep_usual("/s", NULL, out, sizeof("/s/cadmium") - 1));
    assert_string_equal(out, "");
}

static void test_keep_makes_what_is_above(void **state)
{
    (void)state;
    char root[] = "keep-test-XXXXXX";
    char path[128];
    struct stat st;
    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/a/b/last", root);
    assert_int_equal(keep_make_parents(path), 0);
    assert_int_equal(keep_make_parents(path), 0);
    assert_int_equal(stat(path, &st), -1);
    snprintf(path, sizeof(path), "%s/a/b", root);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    rmdir(path);
    /* A file in the way. */
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    snprintf(path, sizeof(path), "%s/a/b/c/last", root);
    assert_int_equal(keep_make_parents(path), CAD_E_IO);
    snprintf(path, sizeof(path), "%s/a/b", root);
    remove(path);
    snprintf(path, sizeof(path), "%s/a", root);
    rmdir(path);
    rmdir(root);
    static char long_path[KEEP_PATH_MAX + 1];
    memset(long_path, 'x', KEEP_PATH_MAX);
    assert_int_equal(keep_make_parents(long_path), CAD_E_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keep_follows_xdg),
        cmocka_unit_test(test_keep_makes_what_is_above),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
