/* Goal: of several sources of a property the one that TTML2 10.4.4 puts first wins. */
#include "text_support.h"

static uint32_t color_of(const char *document)
{
    struct cad_text *text = text_of(document);
    struct cad_text_isd *isd = isd_of(text, 0);
    uint32_t color = first_run(isd)->look.color;
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
    return color;
}

#define RED 0xff0000ffu
#define LIME 0x00ff00ffu
#define BLUE 0x0000ffffu
#define STYLES                                                                                     \
    "<styling><style xml:id='r' tts:color='red'/><style xml:id='l' tts:color='lime'/>"             \
    "<style xml:id='via' style='r l gone'/><style xml:id='own' style='l' tts:color='blue'/>"       \
    "<style tts:color='red'/><style xml:id='bad' tts:color='pink'/></styling>"
#define P(attributes)                                                                              \
    TT("", STYLES, "<body tts:color='red'><div><p " attributes ">a</p></div></body>")

static void test_refs_precedence(void **state)
{
    (void)state;
    assert_int_equal(color_of(P("")), RED);
    assert_int_equal(color_of(P("style='r l'")), LIME);
    assert_int_equal(color_of(P("style='l r'")), RED);
    assert_int_equal(color_of(P("style='via'")), LIME);
    assert_int_equal(color_of(P("style='own'")), BLUE);
    assert_int_equal(color_of(P("style='gone'")), RED);
    assert_int_equal(color_of(P("style='l bad'")), LIME);
    assert_int_equal(color_of(P("style='l' tts:color='blue'")), BLUE);
    assert_int_equal(color_of(P("style='l' tts:color='pink'")), LIME);
    assert_int_equal(color_of(TT("", STYLES, "<body style='l'><div><p><set dur='1s' "
                                 "tts:color='blue'/>a</p></div></body>")), BLUE);
}

static void test_refs_loops_end(void **state)
{
    (void)state;
    assert_int_equal(color_of(TT("", "<styling><style xml:id='a' style='b' tts:color='lime'/>"
                                     "<style xml:id='b' style='c a'/>"
                                     "<style xml:id='c' style='a c'/></styling>",
                                     "<body style='b'><div><p>a</p></div></body>")),
                     LIME);
}

#define REGION(region, nested)                                                                     \
    TT("", STYLES "<layout><region xml:id='x' " region ">" nested "</region></layout>",            \
       "<body region='x'><div><p>a</p></div></body>")

static void test_refs_nested_styles(void **state)
{
    (void)state;
    assert_int_equal(color_of(REGION("style='r'", "<style tts:color='lime'/>")), LIME);
    assert_int_equal(color_of(REGION("tts:color='blue'", "<style tts:color='lime'/>")), BLUE);
    assert_int_equal(color_of(REGION("", "<style tts:color='red'/><style style='l'/>")), LIME);
}

static void test_refs_initial(void **state)
{
    (void)state;
    assert_int_equal(color_of(TT("", "<styling><initial tts:color='red'/>"
                                     "<initial tts:color='lime'/></styling>",
                                     "<body><div><p>a</p></div></body>")), LIME);
}

static void test_refs_limit(void **state)
{
    static const char document[] = TT("", STYLES, "<body style='r r r'/>");
    static const char chained[] =
        TT("", "<styling><style xml:id='a' style='b b b'/></styling>", "");
    struct cad_text_options options;
    struct cad_text *text = NULL;
    (void)state;
    cad_text_options_init(&options);
    options.limits.references = 3;
    assert_int_equal(text_parse(&options, CAD_STR(document), 99, &text), 0);
    cad_text_destroy(&text);
    assert_int_equal(text_parse(&options, CAD_STR(chained), 99, &text), 0);
    cad_text_destroy(&text);
    options.limits.references = 2;
    assert_int_equal(text_parse(&options, CAD_STR(document), 99, &text), CAD_E_LIMIT);
    assert_int_equal(text_parse(&options, CAD_STR(chained), 99, &text), CAD_E_LIMIT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refs_precedence),
        cmocka_unit_test(test_refs_loops_end),
        cmocka_unit_test(test_refs_nested_styles),
        cmocka_unit_test(test_refs_initial),
        cmocka_unit_test(test_refs_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
