/* Goal: white space as XML and TTML have it, ruby in its parts, neighbours of one look joined. */
#include "text_support.h"

/* Texts in order, "/" for a break; ruby items in brackets. */
static void put_runs(char *out, size_t cap, const struct cad_text_run *run)
{
    for (; run; run = run->next) {
        size_t n = strlen(out);
        if (run->kind == CAD_TEXT_RUN_BREAK) (void)cad_str_copyz(out + n, cap - n, CAD_STR("/"));
        else if (run->kind == CAD_TEXT_RUN_TEXT) (void)cad_str_copyz(out + n, cap - n, run->text);
        for (const struct cad_text_ruby_item *item = run->ruby_items; item; item = item->next) {
            n = strlen(out);
            (void)cad_str_copyz(out + n, cap - n, CAD_STR("["));
            for (const struct cad_text_run *r = item->runs; r; r = r->next) {
                n = strlen(out);
                (void)cad_str_copyz(out + n, cap - n, r->text);
            }
            n = strlen(out);
            (void)cad_str_copyz(out + n, cap - n, CAD_STR("]"));
        }
        n = strlen(out);
        if (run->next) (void)cad_str_copyz(out + n, cap - n, CAD_STR("|"));
    }
}

static void line_is(const char *document, const char *expected)
{
    struct cad_text *text = text_of(document);
    struct cad_text_isd *isd = isd_of(text, 0);
    char line[256] = "";
    if (isd->regions) put_runs(line, sizeof(line), first_p(isd)->p.runs);
    assert_string_equal(line, expected);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_runs_space(void **state)
{
    (void)state;
    line_is(TT_P("  a \n\t b  "), "a b");
    line_is(TT_P(" a <br/> b "), "a|/|b");
    line_is(TT_P("a <span tts:color='red'> b </span> c"), "a |b |c");
    line_is(TT_P("a<span> </span><br/>"), "a|/");
    line_is(TT_P(" \n "), "");
    line_is(TT_P("<br/>"), "/");
    line_is(TT_P("a <span xml:space='preserve'>  b\n </span> c"), "a |  b\n |c");
    line_is(TT_P("a <span xml:space='preserve'>\nb</span>"), "a|\nb");
    line_is(TT_P("a\xc2\xa0 b"), "a\xc2\xa0 b");
}

static void test_runs_joined(void **state)
{
    (void)state;
    line_is(TT_P("a<span>b</span><span>c</span>d"), "abcd");
    line_is(TT_P("a<span tts:color='white'>b</span><span tts:fontWeight='bold'>c</span>"), "ab|c");
    line_is(TT_P("<span tts:textCombine='all'>1</span><span tts:textCombine='all'>2</span>"),
            "1|2");
    line_is(TT_P("<span tts:unicodeBidi='embed'>a<span>b</span></span>"), "a|b");
    line_is(TT_P("<span tts:backgroundColor='red'>a<span tts:backgroundColor='red'>b</span>"
                 "</span>"),
            "a|b");
    line_is(TT_P("<span xml:lang='de'>a</span>b"), "a|b");
}

#define RUBY(kind, content) "<span tts:ruby='" kind "'>" content "</span>"

static void test_runs_ruby(void **state)
{
    (void)state;
    line_is(TT_P("a " RUBY("container", " " RUBY("base", " b ") " " RUBY("text", " c ") " ")
                 "<br/>"),
            "a |[b][c]|/");
    line_is(TT_P(RUBY("container", RUBY("baseContainer", RUBY("base", "a") RUBY("base", "b"))
                      RUBY("textContainer", RUBY("text", "c")))), "[a][b][c]");
    line_is(TT_P(RUBY("container", RUBY("base", "a") RUBY("delimiter", "(") RUBY("text", "b"))),
            "[a][(][b]");
    line_is(TT_P("x" RUBY("container", RUBY("base", " ") "lost")), "x");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs_space),
        cmocka_unit_test(test_runs_joined),
        cmocka_unit_test(test_runs_ruby),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
