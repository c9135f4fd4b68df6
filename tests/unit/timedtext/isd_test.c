/* Goal: an ISD holds from one boundary to the next, what is in it, and what bounds it. */
#include "text_support.h"

static void test_isd_intervals(void **state)
{
    struct cad_text *text = text_of(TT("", "",
        "<body><div><p begin='1s' end='2s'>a</p><p begin='2s'>b</p></div></body>"));
    struct cad_text_isd *isd = NULL;
    (void)state;
    assert_int_equal(cad_text_next_change(text, -5), 0);
    assert_int_equal(cad_text_next_change(text, 0), CAD_SECOND);
    assert_int_equal(cad_text_next_change(text, 2 * CAD_SECOND), CAD_TIME_NONE);
    assert_int_equal(cad_text_boundary(text, 99), CAD_TIME_NONE);
    isd = isd_of(text, -1);
    assert_true(isd->begin == CAD_TIME_NONE && isd->end == 0 && !isd->regions);
    cad_text_isd_destroy(&isd);
    isd = isd_of(text, CAD_SECOND + 5);
    assert_true(isd->begin == CAD_SECOND && isd->end == 2 * CAD_SECOND);
    assert_str(first_run(isd)->text, "a");
    cad_text_isd_destroy(&isd);
    isd = isd_of(text, 3 * CAD_SECOND);
    assert_true(isd->begin == 2 * CAD_SECOND && isd->end == CAD_TIME_MAX);
    assert_str(first_run(isd)->text, "b");
    cad_text_isd_destroy(&isd);
    assert_int_equal(cad_text_isd_at(text, CAD_TIME_NONE, &isd), CAD_E_INVAL);
    assert_int_equal(cad_text_isd_at(NULL, 0, &isd), CAD_E_INVAL);
    cad_text_destroy(&text);
}

static void test_isd_blocks(void **state)
{
    struct cad_text *text = text_of(TT("", "",
        "<body tts:backgroundColor='red'><div><div tts:backgroundColor='lime'><p>a</p></div>"
        "<div tts:backgroundColor='lime'><p> </p></div><p tts:display='none'>b</p></div></body>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_block *body = isd->regions->blocks;
    assert_true(body->kind == CAD_TEXT_BLOCK_DIV && body->background == 0xff0000ffu);
    const struct cad_text_block *div = body->blocks;
    assert_true(div->kind == CAD_TEXT_BLOCK_DIV && div->background == 0x00ff00ffu && !div->next);
    assert_int_equal(div->blocks->kind, CAD_TEXT_BLOCK_P);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_isd_byte_limit(void **state)
{
    struct cad_text_options options;
    struct cad_text *text = NULL;
    struct cad_text_isd *isd = NULL;
    (void)state;
    cad_text_options_init(&options);
    options.limits.isd_bytes = 8192;
    assert_int_equal(text_parse(&options, CAD_STR(TT_P("a")), 99, &text), 0);
    assert_int_equal(cad_text_isd_at(text, 0, &isd), 0);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
    options.limits.isd_bytes = 256;
    assert_int_equal(text_parse(&options, CAD_STR(TT_P("a")), 99, &text), 0);
    assert_int_equal(cad_text_isd_at(text, 0, &isd), CAD_E_LIMIT);
    assert_null(isd);
    cad_text_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isd_intervals),
        cmocka_unit_test(test_isd_blocks),
        cmocka_unit_test(test_isd_byte_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
