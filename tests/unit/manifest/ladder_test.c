/* Goal: the ladder rules of 5.3: order, equal rates, domination, encrypted beside clear. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/ladder.h"

static struct cad_representation rung(const char *id, int64_t kbps, int32_t vmaf, uint32_t height)
{
    struct cad_representation r;
    memset(&r, 0, sizeof(r));
    r.id = cad_str_from(id);
    r.codec = CAD_CODEC_AVC;
    r.bandwidth_bps = kbps * 1000;
    r.vmaf_milli = vmaf < 0 ? -1 : vmaf * 1000;
    r.height = height;
    return r;
}

/* "id" per rung in order, "-" after a dominated and "~" after a fallback one. */
static void assert_ladder(struct cad_representation *items, uint32_t count, const char *expected)
{
    char text[64];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof(text));
    cad_ladder_arrange(items, count);
    for (uint32_t i = 0; i < count; i++) {
        cad_sb_put(&sb, items[i].id);
        if (items[i].dominated) cad_sb_putc(&sb, '-');
        if (items[i].fallback) cad_sb_putc(&sb, '~');
    }
    assert_string_equal(cad_sb_z(&sb), expected);
}

static void test_ladder_sorts_by_rate(void **state)
{
    (void)state;
    struct cad_representation items[] = {rung("c", 3000, 90, 720), rung("a", 100, 40, 240),
                                         rung("b", 800, 70, 480)};
    assert_ladder(items, CAD_ARRAY_LEN(items), "abc");
    assert_ladder(items, 0, "");
}

static void test_ladder_equal_rates(void **state)
{
    (void)state;
    struct cad_representation vmaf[] = {rung("l", 500, 60, 720), rung("h", 500, 61, 480)};
    assert_ladder(vmaf, 2, "hl~");
    struct cad_representation height[] = {rung("l", 500, -1, 480), rung("h", 500, -1, 720)};
    assert_ladder(height, 2, "hl~");
    struct cad_representation same[] = {rung("x", 500, 60, 480), rung("y", 500, 60, 480)};
    assert_ladder(same, 2, "xy~");
    struct cad_representation known[] = {rung("u", 500, -1, 720), rung("k", 500, 10, 480)};
    assert_ladder(known, 2, "ku~");
}

static void test_ladder_dominated(void **state)
{
    (void)state;
    struct cad_representation items[] = {rung("a", 100, 80, 0), rung("b", 200, 79, 0),
                                         rung("c", 300, 80, 0), rung("d", 400, -1, 0),
                                         rung("e", 500, 95, 0)};
    assert_ladder(items, CAD_ARRAY_LEN(items), "ab-cde");
}

/* Whether another codec can be decoded is not known here. */
static void test_ladder_compares_within_a_codec(void **state)
{
    (void)state;
    struct cad_representation items[] = {rung("a", 100, 90, 0), rung("b", 200, 80, 0),
                                         rung("c", 100, 10, 0)};
    items[0].codec = CAD_CODEC_AV1;
    assert_ladder(items, CAD_ARRAY_LEN(items), "acb");
}

static void test_ladder_clear_gives_way_to_encrypted(void **state)
{
    (void)state;
    struct cad_representation items[] = {rung("c", 100, 50, 0), rung("e", 100, 40, 0),
                                         rung("f", 300, 70, 0)};
    items[1].encrypted = true;
    items[2].encrypted = true;
    assert_ladder(items, CAD_ARRAY_LEN(items), "c~ef");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder_sorts_by_rate),
        cmocka_unit_test(test_ladder_equal_rates),
        cmocka_unit_test(test_ladder_dominated),
        cmocka_unit_test(test_ladder_compares_within_a_codec),
        cmocka_unit_test(test_ladder_clear_gives_way_to_encrypted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
