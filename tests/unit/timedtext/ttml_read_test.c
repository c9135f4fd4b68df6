/* Goal: what counts is read where it may stand; what is foreign or out of place falls away. */
#include "text_support.h"

#include "base/util.h"

static void one_text(const char *document, const char *expected)
{
    struct cad_text *text = text_of(document);
    struct cad_text_isd *isd = isd_of(text, 0);
    if (expected) assert_str(first_run(isd)->text, expected);
    else assert_null(isd->regions);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_read_skips_what_is_foreign(void **state)
{
    (void)state;
    one_text(TT_P("a<!-- c --><x:y xmlns:x='u'>b<p>c</p></x:y><metadata>d</metadata><?pi?>e"),
             "ae");
    one_text(TT_P("&lt;&#xE9;<![CDATA[<&]]>"), "<\xc3\xa9<&");
    one_text(TT("", "", "<body>a<div>b<span>c</span></div></body>"), NULL);
    one_text(TT("", "", "<body><div><p>a<p>b</p><div>c</div></p></div></body>"), "a");
    one_text(TT("", "", "<body><div><p>a</p></div></body><body><div><p>b</p></div></body>"), "a");
    one_text(TT("", "<body><div><p>b</p></div></body>", ""), NULL);
}

static void test_read_language_and_space(void **state)
{
    struct cad_text *text = text_of(TT("xml:lang='en' xml:space='preserve'", "",
        "<body xml:lang='de'><div><p xml:space='default'><span xml:lang='' xml:space='preserve'> a"
        "</span></p></div></body>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    assert_str(cad_text_lang(text), "en");
    assert_str(first_p(isd)->p.lang, "de");
    assert_str(first_run(isd)->lang, "");
    assert_true(first_run(isd)->preserve);
    assert_str(first_run(isd)->text, " a");
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_read_parameters(void **state)
{
    uint32_t w = 0;
    uint32_t h = 0;
    (void)state;
    struct cad_text *text =
        text_of(TT("ittp:aspectRatio='x' ttp:displayAspectRatio='4 3'", "", ""));
    assert_true(cad_text_aspect_ratio(text, &w, &h));
    assert_true(w == 4 && h == 3);
    cad_text_destroy(&text);
    text = text_of(TT("ttp:displayAspectRatio='4 0' ttp:timeBase='media'", "", ""));
    assert_false(cad_text_aspect_ratio(text, &w, &h));
    cad_text_destroy(&text);
}

static void test_read_refused(void **state)
{
    static const char *const bad[] = {
        "", "<tt/>", "<x xmlns='http://www.w3.org/ns/ttml'/>", TT_OPEN ">",
        TT("ttp:timeBase='smpte'", "", ""), TT("ttp:timeBase='clock'", "", ""),
        TT_P("a</span>"),
    };
    struct cad_text_options options;
    (void)state;
    cad_text_options_init(&options);
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct cad_text *text = NULL;
        assert_int_equal(text_parse(&options, cad_str_from(bad[i]), 5, &text), CAD_E_DATA);
        assert_null(text);
    }
}

#define LAYOUT                                                                                     \
    "<layout><region xml:id='a'/><region/><region xml:id='a'/><region xml:id='b'/></layout>"

static void test_read_regions(void **state)
{
    struct cad_text *text = text_of(TT("", LAYOUT,
        "<body><div><p region='b'>b</p><p region='x'>x</p><p>none</p><p region='a'>a</p>"
        "<p><span region='b'>s</span></p></div></body>"));
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_region *a = isd->regions;
    assert_str(a->id, "a");
    assert_str(a->blocks->p.runs->text, "a");
    assert_null(a->blocks->next);
    assert_str(a->next->id, "b");
    assert_str(a->next->blocks->p.runs->text, "b");
    assert_str(a->next->blocks->next->p.runs->text, "s");
    assert_null(a->next->next);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_read_images(void **state)
{
    struct cad_text *text = text_of(TT("", "",
        "<body><div itts:forcedDisplay='true'><image src='a.png'/><image><source src='b.png'/>"
        "</image><image/></div><div smpte:backgroundImage='c.png' tts:visibility='hidden' "
        "end='9s'/></body>"));
    static const char *const names[] = {"a.png", "b.png", "c.png"};
    (void)state;
    struct cad_text_isd *isd = isd_of(text, 0);
    const struct cad_text_block *block = isd->regions->blocks;
    for (size_t i = 0; i < 3; i++, block = block->next) {
        assert_int_equal(block->kind, CAD_TEXT_BLOCK_IMAGE);
        assert_str(block->src, names[i]);
        assert_int_equal(block->element, i < 2);
        assert_int_equal(block->forced, i < 2);
        assert_int_equal(block->visible, i < 2);
    }
    assert_null(block);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_skips_what_is_foreign),
        cmocka_unit_test(test_read_language_and_space),
        cmocka_unit_test(test_read_parameters),
        cmocka_unit_test(test_read_refused),
        cmocka_unit_test(test_read_regions),
        cmocka_unit_test(test_read_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
