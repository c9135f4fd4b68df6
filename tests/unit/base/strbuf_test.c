/* Goal: the builder never passes its limit, keeps what fitted, and its first error stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/strbuf.h"
#include "support/failing_alloc.h"

static void test_strbuf_builds_text(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_sb sb;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1000);
    assert_string_equal(cad_sb_z(&sb), "");
    assert_int_equal(f.calls, 0);
    cad_sb_put(&sb, CAD_STR("a="));
    cad_sb_i64(&sb, -17);
    cad_sb_putc(&sb, ' ');
    cad_sb_printf(&sb, "%s-%d", "x", 5);
    cad_sb_putz(&sb, "!");
    cad_sb_u64(&sb, UINT64_MAX);
    assert_string_equal(cad_sb_z(&sb), "a=-17 x-5!18446744073709551615");
    assert_int_equal(cad_sb_str(&sb).n, strlen(cad_sb_z(&sb)));
    cad_sb_truncate(&sb, 3);
    assert_string_equal(cad_sb_z(&sb), "a=-");
    cad_sb_truncate(&sb, 99);
    assert_int_equal(cad_sb_str(&sb).n, 3);
    assert_int_equal(cad_sb_error(&sb), 0);
    cad_sb_deinit(&sb);
    assert_int_equal(f.live_blocks, 0);
    assert_int_equal(f.mismatches, 0);
}

static void test_strbuf_writes_the_extreme_integers(void **state)
{
    (void)state;
    char text[64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_sb_i64(&sb, INT64_MIN);
    cad_sb_putc(&sb, ' ');
    cad_sb_i64(&sb, INT64_MAX);
    cad_sb_putc(&sb, ' ');
    cad_sb_i64(&sb, 0);
    assert_string_equal(text, "-9223372036854775808 9223372036854775807 0");
}

static void test_strbuf_limit_is_exact_and_sticky(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb sb;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 5);
    cad_sb_put(&sb, CAD_STR("12345"));
    assert_int_equal(cad_sb_error(&sb), 0);
    cad_sb_putc(&sb, '6');
    assert_int_equal(cad_sb_error(&sb), CAD_E_LIMIT);
    assert_string_equal(cad_sb_z(&sb), "12345");
    cad_sb_truncate(&sb, 0);
    cad_sb_putc(&sb, 'x'); /* would fit now, but an error was seen */
    assert_int_equal(cad_sb_str(&sb).n, 0);
    cad_sb_reset(&sb);
    cad_sb_printf(&sb, "%d", 123456);
    assert_int_equal(cad_sb_error(&sb), CAD_E_LIMIT);
    assert_int_equal(cad_sb_str(&sb).n, 0);
    cad_sb_reset(&sb);
    cad_sb_printf(&sb, "%d", 12345);
    assert_string_equal(cad_sb_z(&sb), "12345");
    cad_sb_deinit(&sb);
}

static void test_strbuf_over_fixed_memory(void **state)
{
    (void)state;
    char text[4] = "zzz";
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    assert_string_equal(text, "");
    cad_sb_put(&sb, CAD_STR("abc"));
    assert_int_equal(cad_sb_error(&sb), 0);
    cad_sb_putc(&sb, 'd');
    assert_int_equal(cad_sb_error(&sb), CAD_E_LIMIT);
    assert_string_equal(text, "abc");
    cad_sb_deinit(&sb); /* frees nothing of the caller's */
}

static void test_strbuf_survives_every_allocation_failure(void **state)
{
    (void)state;
    bool whole = false;
    for (uint64_t at = 1; !whole; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_sb sb;
        cad_sb_init(&sb, &alloc, CAD_MEM_SESSION, 100000);
        for (int i = 0; i < 1000; i++) cad_sb_put(&sb, CAD_STR("0123456789"));
        whole = f.failed == 0;
        assert_int_equal(cad_sb_error(&sb), whole ? 0 : CAD_E_NOMEM);
        assert_int_equal(cad_sb_str(&sb).n % 10, 0);
        if (whole) assert_int_equal(cad_sb_str(&sb).n, 10000);
        cad_sb_deinit(&sb);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
    }
}

static void test_strbuf_reserve_avoids_later_growth(void **state)
{
    (void)state;
    struct cad_failing f;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    struct cad_sb sb;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1000);
    cad_sb_reserve(&sb, 500);
    assert_int_equal(f.calls, 1);
    for (int i = 0; i < 500; i++) cad_sb_putc(&sb, 'x');
    assert_int_equal(f.calls, 1);
    cad_sb_reserve(&sb, 501);
    assert_int_equal(cad_sb_error(&sb), CAD_E_LIMIT);
    cad_sb_deinit(&sb);
    assert_int_equal(f.live_bytes, 0);
}

static void test_strbuf_escapes_for_xml(void **state)
{
    (void)state;
    char memory[64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    cad_sb_put_xml(&sb, CAD_STR("a<b>\t&amp; \"c\" 'd' \x01\xc3\xa4"));
    assert_string_equal(cad_sb_z(&sb), "a&lt;b&gt;\t&amp;amp; &quot;c&quot; 'd' ?\xc3\xa4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strbuf_builds_text),
        cmocka_unit_test(test_strbuf_writes_the_extreme_integers),
        cmocka_unit_test(test_strbuf_limit_is_exact_and_sticky),
        cmocka_unit_test(test_strbuf_over_fixed_memory),
        cmocka_unit_test(test_strbuf_survives_every_allocation_failure),
        cmocka_unit_test(test_strbuf_reserve_avoids_later_growth),
        cmocka_unit_test(test_strbuf_escapes_for_xml),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
