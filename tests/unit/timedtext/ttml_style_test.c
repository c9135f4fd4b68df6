/* Goal: computed values: every unit, what percentages are of, what is inherited and what is not. */
#include "text_support.h"

#define PC CAD_TEXT_PERCENT

#define REGION(attributes, region, p)                                                              \
    TT(attributes, "<layout><region xml:id='x' " region "/></layout>",                             \
       "<body region='x'><div>" p "</div></body>")

static void assert_length(struct cad_text_length l, int64_t w, int64_t h)
{
    assert_int_equal(l.w, w);
    assert_int_equal(l.h, h);
}

static void test_style_regions(void **state)
{
    struct cad_text *text = text_of(REGION("tts:extent='200px 100px'",
        "tts:extent='50% 20px' tts:position='right 10% bottom 10px' tts:padding='1px 2% 3rh 1em' "
        "tts:fontSize='10%' tts:writingMode='tb' tts:opacity='7' tts:zIndex='-2' "
        "tts:overflow='visible' tts:displayAlign='after' tts:backgroundColor='red'", ""));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_region *r = isd->regions;
    assert_length(r->width, 50 * PC, 0);
    assert_length(r->height, 0, 20 * PC);
    assert_length(r->x, 45 * PC, 0); /* 10 % of the half that is free, from the right */
    assert_length(r->y, 0, 70 * PC);
    /* Vertical from the right: before is right, end is bottom, after is left, start is top. */
    assert_length(r->padding[0], 0, 666666);
    assert_length(r->padding[1], 500000, 0);
    assert_length(r->padding[2], 0, 400000);
    assert_length(r->padding[3], 0, 3 * PC);
    assert_int_equal(r->opacity, 1000000);
    assert_int_equal(r->writing_mode, CAD_TEXT_TBRL);
    assert_int_equal(r->display_align, CAD_TEXT_AFTER);
    assert_true(r->overflow_visible && r->show_always && !r->z_auto && r->z_index == -2);
    assert_null(r->blocks);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_style_what_cannot_be_computed(void **state)
{
    struct cad_text *text = text_of(REGION("",
        "tts:extent='10px 10px' tts:origin='5px 5%' tts:padding='1px'",
        "<p tts:fontSize='9px' tts:lineHeight='9px' tts:textShadow='1px 1px' "
        "tts:textOutline='1px' tts:rubyReserve='both 1px'>a</p>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_region *r = isd->regions;
    assert_length(r->width, 100 * PC, 0);
    assert_length(r->height, 0, 100 * PC);
    assert_length(r->x, 0, 0);
    assert_length(r->padding[2], 0, 0);
    const struct cad_text_block *p = first_p(isd);
    assert_length(p->p.font_size, 0, 6666666);
    assert_true(p->p.line_height_normal && p->p.reserve == CAD_TEXT_POSITION_NONE);
    assert_int_equal(p->p.runs->look.shadow_count, 0);
    assert_false(p->p.runs->look.outline.on);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_style_text(void **state)
{
    struct cad_text *text = text_of(TT("ttp:cellResolution='40 20'", "",
        "<body tts:fontSize='2c' tts:color='lime' tts:lineHeight='150%' tts:textAlign='right'>"
        "<div tts:fontSize='50%' ebutts:linePadding='1c' tts:rubyReserve='after'>"
        "<p tts:textShadow='10% 1em 2rw, 1c 1c red' tts:textOutline='5%' tts:shear='200%' "
        "tts:textEmphasis='auto'>"
        "<span tts:color='red' tts:textDecoration='underline overline'>"
        "<span tts:textDecoration='noUnderline lineThrough'>a</span></span></p></div></body>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_paragraph *p = &first_p(isd)->p;
    const struct cad_text_look *look = &first_run(isd)->look;
    assert_length(p->font_size, 0, 5 * PC);
    assert_length(p->line_height, 0, 15 * PC); /* inherited as computed of the body's size */
    assert_length(p->line_padding, 2500000, 0);
    assert_length(p->reserve_length, 0, 2500000);
    assert_int_equal(p->reserve, CAD_TEXT_POSITION_AFTER);
    assert_int_equal(p->align, CAD_TEXT_ALIGN_END);
    assert_int_equal(p->shear, 100 * PC);
    assert_int_equal(look->decoration, CAD_TEXT_OVERLINE | CAD_TEXT_LINE_THROUGH);
    assert_int_equal(look->shadow_count, 2);
    assert_length(look->shadows[0].x, 0, 500000);
    assert_length(look->shadows[0].blur, 2 * PC, 0);
    assert_int_equal(look->shadows[0].color, 0x00ff00ffu);
    assert_length(look->shadows[1].x, 2500000, 0);
    assert_true(look->outline.on && look->outline.color == 0x00ff00ffu);
    assert_length(look->outline.thickness, 0, 250000);
    assert_true(look->emphasis.on && look->emphasis.symbol == CAD_TEXT_CIRCLE);
    assert_int_equal(look->emphasis.color, 0xff0000ffu); /* current: that of the text */
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_style_modes(void **state)
{
    struct cad_text *text = text_of(REGION("", "tts:writingMode='rltb' tts:padding='1% 2% 3% 4%'",
        "<p tts:unicodeBidi='embed' tts:textEmphasis='before'>a</p>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    assert_true(first_p(isd)->p.rtl && first_run(isd)->look.rtl);
    assert_int_equal(first_p(isd)->p.bidi, CAD_TEXT_BIDI_EMBED);
    assert_int_equal(first_run(isd)->look.embedding_count, 0);
    assert_length(isd->regions->padding[1], 4 * PC, 0);
    assert_length(isd->regions->padding[3], 2 * PC, 0);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
    text = text_of(REGION("", "tts:writingMode='tblr' tts:padding='1% 2% 3% 4%'",
                          "<p tts:textEmphasis='before'>a</p>"));
    isd = isd_of(text, 0);
    assert_int_equal(first_run(isd)->look.emphasis.symbol, CAD_TEXT_SESAME);
    assert_length(isd->regions->padding[0], 0, 4 * PC);
    assert_length(isd->regions->padding[3], 1 * PC, 0);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_style_set_and_initial(void **state)
{
    struct cad_text *text = text_of(TT("", "<styling><initial tts:backgroundColor='#00000080' "
        "tts:fontStyle='italic'/></styling>", "<body><div><p><set begin='1s' dur='1s' "
        "tts:display='none'/>a<span>b</span></p></div></body>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    assert_int_equal(isd->end, CAD_SECOND);
    assert_int_equal(isd->regions->background, 0x80);
    const struct cad_text_run *run = first_run(isd);
    assert_str(run->text, "ab"); /* an anonymous span has the initial background, as a span has */
    assert_int_equal(run->look.background_count, 1);
    assert_int_equal(run->look.font_style, CAD_TEXT_ITALIC);
    cad_text_isd_destroy(&isd);
    isd = isd_of(text, CAD_SECOND);
    assert_null(isd->regions->blocks);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_style_regions),
        cmocka_unit_test(test_style_what_cannot_be_computed),
        cmocka_unit_test(test_style_text),
        cmocka_unit_test(test_style_modes),
        cmocka_unit_test(test_style_set_and_initial),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
