/*
 * Goal: runs become characters with the bidi controls they need; ruby and emphasis stand at their
 * base.
 */
#include "layout_support.h"

#include "base/strbuf.h"
#include "base/utf8.h"

#define RUBY(base, text)                                                                           \
    "<span tts:ruby='container'><span tts:ruby='base'>" base "</span><span tts:ruby='text'>" text  \
    "</span></span>"

/* What the font was asked to analyse, with controls written as letters. */
static void analysed_is(const char *document, const char *expected)
{
    static const struct {
        uint32_t code;
        char letter;
    } controls[] = {{0x202a, 'L'}, {0x202b, 'R'}, {0x202c, 'P'}, {0x202d, 'l'}, {0x202e, 'r'},
                    {0x2066, 'I'}, {0x2067, 'J'}, {0x2069, 'Q'}, {0x2028, '/'}};
    char memory[256];
    struct cad_sb sb;
    struct laid laid;
    laid_make(&laid, document);
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    for (uint32_t i = 0; i < laid.font.seen_count; i++) {
        char shown[4];
        size_t n = cad_utf8_encode(laid.font.seen[i], shown);
        for (size_t k = 0; k < sizeof(controls) / sizeof(*controls); k++) {
            if (controls[k].code != laid.font.seen[i]) continue;
            shown[0] = controls[k].letter;
            n = 1;
        }
        cad_sb_put(&sb, cad_str_make(shown, n));
    }
    assert_string_equal(cad_sb_z(&sb), expected);
    laid_free(&laid);
}

#define SPAN(bidi, direction, content)                                                             \
    "<span tts:unicodeBidi='" bidi "' tts:direction='" direction "'>" content "</span>"

static void test_text_controls(void **state)
{
    (void)state;
    analysed_is(REGION("", "<p>a<br/>b</p>"), "a/b");
    analysed_is(REGION("", "<p>a" SPAN("embed", "rtl", "b") "c</p>"), "aRbPc");
    analysed_is(REGION("", "<p>a" SPAN("bidiOverride", "ltr", "b") "c</p>"), "albPc");
    analysed_is(REGION("", "<p>a" SPAN("isolate", "rtl", "b") "</p>"), "aJbQ");
    /* What is in a span stays in it; two spans are two. */
    analysed_is(REGION("", "<p>" SPAN("embed", "rtl", "b<br/>c") "</p>"), "Rb/cP");
    analysed_is(REGION("", "<p>" SPAN("embed", "rtl", "b") SPAN("embed", "rtl", "c") "</p>"),
                "RbPRcP");
    analysed_is(REGION("", "<p>" SPAN("embed", "rtl", "b" SPAN("isolate", "ltr", "c") "d")
                           "</p>"), "RbIcQdP");
    analysed_is(REGION("", "<p tts:unicodeBidi='bidiOverride' tts:direction='rtl'>ab</p>"),
                "rabP");
    /* Controls are no part of words. */
    words_of(REGION("", "<p>a" SPAN("embed", "ltr", "b") "</p>"), "ab 100,100 20x20");
}

static void test_text_ruby(void **state)
{
    (void)state;
    /* Text of half the size above, the base as wide as that: 7.5 pixels more on either side. */
    images_of(REGION("", "<p>" RUBY("s", "tuvwx") "</p>"),
              "107,110 10x15 ffffffff*|100,101 25x7 ffffffff*");
    words_of(REGION("", "<p>" RUBY("s", "tuvwx") "a</p>"), "sa 100,110 35x20");
    /* Shorter text is in the middle. */
    images_of(REGION("", "<p>" RUBY("abcd", "ef") "</p>"),
              "100,110 40x15 ffffffff*|115,101 10x7 ffffffff*");
    /* Base and text do not part. */
    words_of(REGION("", "<p>aaaaaaaaaaaaaaaa " RUBY("bb cc", "d") "</p>"),
             "aaaaaaaaaaaaaaaa 100,100 160x20|bb 100,120 20x20|cc 130,120 20x20");
    images_of(REGION("", "<p><span tts:ruby='container'><span tts:ruby='base'>s</span>"
                         "<span tts:ruby='text' tts:rubyPosition='after'>t</span></span></p>"),
              "100,100 10x15 ffffffff*|102,121 5x7 ffffffff*");
}

static void test_text_ruby_containers(void **state)
{
    (void)state;
    /* The first text is that of the first base. */
    images_of(REGION("", "<p><span tts:ruby='container'><span tts:ruby='baseContainer'>"
                         "<span tts:ruby='base'>a</span><span tts:ruby='base'>b</span></span>"
                         "<span tts:ruby='textContainer'><span tts:ruby='text'>c</span>"
                         "<span tts:ruby='text'>d</span></span></span></p>"),
              "100,110 10x15 ffffffff*|110,110 10x15 ffffffff*|102,101 5x7 ffffffff*|"
              "112,101 5x7 ffffffff*");
}

static void test_text_ruby_reserve(void **state)
{
    (void)state;
    words_of(REGION("", "<p tts:rubyReserve='before 12px'>a</p>"), "a 100,112 10x20");
    words_of(REGION("tts:displayAlign='after'", "<p tts:rubyReserve='after 12px'>a</p>"),
             "a 100,168 10x20");
}

static void test_text_emphasis(void **state)
{
    (void)state;
    images_of(REGION("", "<p><span tts:textEmphasis='filled dot before red'>q r</span></p>"),
              "100,110 30x15 ffffffff*|102,101 5x7 ff0000ff*|122,101 5x7 ff0000ff*");
}

static void test_text_combine(void **state)
{
    (void)state;
    /* Three digits across a vertical line take one ideograph's place; they become smaller. */
    words_of(REGION("tts:writingMode='tbrl'", "<p>\xe4\xb8\x80<span tts:textCombine='all'>123"
                                              "</span>\xe4\xb8\x80</p>"),
             "\xe4\xb8\x80 280,100 20x20|123 283,120 14x20|\xe4\xb8\x80 280,140 20x20");
    words_of(REGION("", "<p><span tts:textCombine='all'>123</span></p>"), "123 100,100 30x20");
}

static void test_text_sizes(void **state)
{
    struct laid laid;
    (void)state;
    /* No size is so large or small that it could not be laid out. */
    laid_make(&laid, REGION("", "<p tts:fontSize='99999999px'>a</p>"));
    assert_int_equal(laid.picture->word_count, 1);
    assert_int_equal(laid.picture->words->width, 1024);
    laid_free(&laid);
    words_of(REGION("", "<p tts:fontSize='0px'>a</p>"), "a 100,100 0x0");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_controls),
        cmocka_unit_test(test_text_ruby),
        cmocka_unit_test(test_text_ruby_containers),
        cmocka_unit_test(test_text_ruby_reserve),
        cmocka_unit_test(test_text_emphasis),
        cmocka_unit_test(test_text_combine),
        cmocka_unit_test(test_text_sizes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
