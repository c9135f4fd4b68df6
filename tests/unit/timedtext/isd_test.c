/* Goal: an ISD holds from one boundary to the next, what is in it, and what bounds it. */
#include "text_support.h"

#include "base/strbuf.h"
#include "timedtext/isd.h"

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

/* `count` paragraphs, each from its number in ms on, for `last_ms`. */
static struct cad_text *many(uint32_t count, uint32_t last_ms)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_text_options options;
    struct cad_text *text = NULL;
    struct cad_sb sb;
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 32 << 20);
    cad_sb_putz(&sb, TT_OPEN "><body><div>");
    for (uint32_t i = 0; i < count; i++) {
        cad_sb_printf(&sb, "<p tts:display='none' begin='%ums' dur='%ums'>a</p>", i, last_ms);
    }
    cad_sb_putz(&sb, "</div></body></tt>");
    cad_text_options_init(&options);
    assert_int_equal(text_parse(&options, cad_sb_str(&sb), 65536, &text), 0);
    cad_sb_deinit(&sb);
    return text;
}

static void test_isd_work_is_limited(void **state)
{
    struct cad_text *text = many(20000, 99999999);
    struct cad_text_isd *isd = isd_of(text, 20 * CAD_SECOND);
    cad_buf json = {NULL, 0};
    (void)state;
    assert_true(isd_visits(isd) > 20000);
    cad_text_isd_destroy(&isd);
    assert_int_equal(cad_text_dump(text, &json), CAD_E_LIMIT);
    assert_null(json.p);
    cad_text_destroy(&text);
    /* What begins late and ends early is found, not searched for. */
    text = many(20000, 5);
    isd = isd_of(text, 19 * CAD_SECOND);
    assert_true(isd_visits(isd) < 20);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_isd_intervals),
        cmocka_unit_test(test_isd_blocks),
        cmocka_unit_test(test_isd_byte_limit),
        cmocka_unit_test(test_isd_work_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
