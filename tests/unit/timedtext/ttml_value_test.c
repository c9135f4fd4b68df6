/* Goal: each property takes its own values and nothing else. */
#include "text_support.h"

#include "base/util.h"
#include "timedtext/ttml.h"

static struct cad_alloc alloc;

static bool takes(struct cad_arena *arena, enum ttml_prop prop, const char *text)
{
    const struct ttml_value *value = NULL;
    assert_int_equal(ttml_value_parse(arena, prop, cad_str_from(text), &value), 0);
    assert_true(!value || value->prop == prop);
    return value != NULL;
}

static void test_value_taken_and_refused(void **state)
{
    static const struct {
        enum ttml_prop prop;
        const char *good, *bad;
    } all[] = {
        {TTML_FONT_SIZE, "75%", "75% 75%"}, {TTML_FONT_SIZE, " 2em ", "-1px"},
        {TTML_WRITING_MODE, "tb", "TB"}, {TTML_DIRECTION, "rtl", "left"},
        {TTML_EXTENT, "10% 20rh", "1c 1c"}, {TTML_EXTENT, "auto", "10%"},
        {TTML_ORIGIN, "-1px 2px", "1em 1em"}, {TTML_PADDING, "1px 2px 3px", "1px 2px 3px 4px 5px"},
        {TTML_PADDING, "1em", "-1em"}, {TTML_LINE_HEIGHT, "normal", "none"},
        {TTML_LINE_PADDING, "0.5c", "0.5em"}, {TTML_OPACITY, "0.5", "half"},
        {TTML_RUBY_RESERVE, "both 1em", "1em"}, {TTML_RUBY_RESERVE, "none", "both 1em 2em"},
        {TTML_SHEAR, "-10%", "10px"}, {TTML_TEXT_DECORATION, "noUnderline overline", "blink"},
        {TTML_TEXT_DECORATION, "none", "none underline"},
        {TTML_TEXT_EMPHASIS, "open dot after red", "open triangle"},
        {TTML_TEXT_EMPHASIS, "none", ""}, {TTML_TEXT_OUTLINE, "red 1px 2px", "red"},
        {TTML_TEXT_OUTLINE, "2px", "2px red"}, {TTML_Z_INDEX, "-3", "1.5"},
        {TTML_Z_INDEX, "+3", "4294967296"}, {TTML_TEXT_SHADOW, "1px 1px, 0px 2px 3px rgba(1,2,3,4)",
                                             "1px"},
        {TTML_TEXT_SHADOW, "none", "red 1px 1px"}, {TTML_FONT_FAMILY, "\"A, 'b\", x", " , "},
        {TTML_TEXT_SHADOW, "1px 1px,1px 1px,1px 1px,1px 1px",
         "1px 1px,1px 1px,1px 1px,1px 1px,1px 1px"},
        {TTML_IMAGE, "a.png", ""}, {TTML_TEXT_ALIGN, "justify", "middle"},
        {TTML_POSITION, "right 5% bottom 12%", "right left"},
        {TTML_POSITION, "bottom", "1px top 2px"}, {TTML_POSITION, "top left", "top 5px"},
        {TTML_POSITION, "center 5rh", "center 5px left 5px"},
        {TTML_POSITION, "center bottom 5rh", "bottom 5px top 5px"},
        {TTML_POSITION, "25% 25%", "1c 1c"}, {TTML_POSITION, "bottom left 25rw", "a b c d e"},
    };
    struct cad_arena arena;
    (void)state;
    cad_arena_init(&arena, &alloc, CAD_MEM_OTHER, 1024, 0);
    for (size_t i = 0; i < CAD_ARRAY_LEN(all); i++) {
        if (!takes(&arena, all[i].prop, all[i].good)) fail_msg("refused: %s", all[i].good);
        if (takes(&arena, all[i].prop, all[i].bad)) fail_msg("taken: %s", all[i].bad);
    }
    cad_arena_deinit(&arena);
}

static void test_value_families(void **state)
{
    struct cad_arena arena;
    const struct ttml_value *v = NULL;
    (void)state;
    cad_arena_init(&arena, &alloc, CAD_MEM_OTHER, 1024, 0);
    assert_int_equal(ttml_value_parse(&arena, TTML_FONT_FAMILY,
                                      CAD_STR(" 'My Font' ,default,, 'default'"), &v), 0);
    assert_int_equal(v->u.families.count, 3);
    assert_str(v->u.families.names[0], "My Font");
    assert_str(v->u.families.names[1], "monospaceSerif");
    assert_str(v->u.families.names[2], "default");
    assert_int_equal(ttml_value_parse(&arena, TTML_FONT_FAMILY,
                                      CAD_STR("a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a"), &v), 0);
    assert_int_equal(v->u.families.count, TTML_FAMILIES_MAX);
    cad_arena_deinit(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value_taken_and_refused),
        cmocka_unit_test(test_value_families),
    };
    alloc = cad_alloc_system();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
