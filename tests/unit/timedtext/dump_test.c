/* Goal: the shape of the dump; neighbours that show the same are one; times are rounded half up. */
#include "text_support.h"

#include "base/mem.h"

static void dump_is(const char *document, const char *expected)
{
    struct cad_text *text = text_of(document);
    struct cad_alloc alloc = cad_alloc_system();
    cad_buf json = {NULL, 0};
    assert_int_equal(cad_text_dump(text, &json), 0);
    cad_str got = cad_str_from_buf(json);
    if (!cad_str_eqz(got, expected)) fail_msg("%.*s", CAD_STR_ARG(got));
    cad_alloc_free(&alloc, (void *)(uintptr_t)json.p, json.n, CAD_MEM_OTHER);
    cad_text_destroy(&text);
}

#define HEAD "{\"format\":\"cadmium-isd/1\",\"lang\":\"en\",\"aspectRatio\":"
#define REGION(blocks)                                                                             \
    "[{\"id\":\"x\",\"origin\":[[0,0],[0,0]],\"extent\":[[100,0],[0,100]],\"padding\":[[0,0],"     \
    "[0,0],[0,0],[0,0]],\"displayAlign\":\"before\",\"writingMode\":\"lrtb\",\"overflow\":"        \
    "\"hidden\",\"showBackground\":\"always\",\"bg\":\"#00000000\",\"opacity\":1,\"visibility\":"  \
    "\"visible\",\"forced\":false,\"zIndex\":null,\"blocks\":[" blocks "]}]"
#define IMAGE "{\"kind\":\"image\",\"src\":\"a\",\"visibility\":\"visible\",\"forced\":false}"
#define DIV(attributes) "<div region='x' smpte:backgroundImage='a' " attributes "/>"
#define LAYOUT "<layout><region xml:id='x'/></layout>"

static void test_dump_empty(void **state)
{
    (void)state;
    dump_is(TT("xml:lang='en'", "", ""), HEAD "null,\"isds\":[]}");
    dump_is(TT("xml:lang='en' ittp:aspectRatio='4 3'", "", "<body/>"),
            HEAD "1.333333,\"isds\":[]}");
}

static void test_dump_joins_neighbours(void **state)
{
    (void)state;
    dump_is(TT("xml:lang='en'", LAYOUT,
               "<body>" DIV("begin='1s' end='2s'") DIV("begin='2s' end='3s'")
               DIV("begin='4s' end='4.0000014s'") DIV("begin='5s' end='5.0000004s'")
               "<div region='x' begin='6.0000005s'><image src='a'/></div></body>"),
            HEAD "null,\"isds\":[{\"begin\":1000000,\"end\":3000000,\"regions\":" REGION(IMAGE)
            "},{\"begin\":4000000,\"end\":4000001,\"regions\":" REGION(IMAGE)
            "},{\"begin\":6000001,\"end\":null,\"regions\":" REGION(IMAGE) "}]}");
}

static void test_dump_text(void **state)
{
    (void)state;
    dump_is(TT("xml:lang='en'", LAYOUT, "<body><div><p region='x' end='1s'>\"</p></div></body>"),
            HEAD "null,\"isds\":[{\"begin\":0,\"end\":1000000,\"regions\":"
            REGION("{\"kind\":\"p\",\"bg\":\"#00000000\",\"visibility\":\"visible\","
                   "\"forced\":false,"
                   "\"lang\":\"en\",\"textAlign\":\"start\",\"direction\":\"ltr\",\"unicodeBidi\":"
                   "\"normal\",\"fontFamily\":[\"monospaceSerif\"],\"fontSize\":[0,6.6667],"
                   "\"lineHeight\":\"normal\",\"linePadding\":[0,0],\"multiRowAlign\":\"auto\","
                   "\"fillLineGap\":false,\"rubyReserve\":null,\"shear\":0,\"runs\":[{\"text\":"
                   "\"\\\"\",\"space\":\"default\",\"lang\":\"en\",\"color\":\"#ffffffff\","
                   "\"fontFamily\":[\"monospaceSerif\"],\"fontSize\":[0,6.6667],\"fontStyle\":"
                   "\"normal\",\"fontWeight\":\"normal\",\"decoration\":[],\"bg\":[],\"direction\":"
                   "\"ltr\",\"bidi\":[],\"wrap\":\"wrap\",\"combine\":\"none\",\"outline\":null,"
                   "\"shadow\":[],\"emphasis\":null,\"visibility\":\"visible\",\"forced\":false}]}")
            "}]}");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dump_empty),
        cmocka_unit_test(test_dump_joins_neighbours),
        cmocka_unit_test(test_dump_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
