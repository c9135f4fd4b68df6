/*
 * Goal: layers are painted in their order, where they belong; the user's wishes go above the
 * document's.
 */
#include "layout_support.h"

/* Ten pixels from the region's edges: letters from 110, 110. */
#define P(attributes, content)                                                                     \
    REGION("tts:padding='10px'", "<p><span " attributes ">" content "</span></p>")

static void test_paint_decoration(void **state)
{
    (void)state;
    images_of(P("tts:textDecoration='underline'", "ab"),
              "110,127 20x1 ffffffff|110,110 20x15 ffffffff*");
    images_of(P("tts:textDecoration='lineThrough' tts:color='red'", "ab"),
              "110,110 20x15 ff0000ff*|110,120 20x1 ff0000ff");
    images_of(P("tts:textDecoration='overline'", "ab"),
              "110,110 20x1 ffffffff|110,110 20x15 ffffffff*");
}

static void test_paint_outline(void **state)
{
    (void)state;
    images_of(P("tts:textOutline='black 1px'", "ab"),
              "109,109 22x17 000000ff*|110,110 20x15 ffffffff*");
    images_of(P("tts:textOutline='#00000000 1px'", "ab"), "110,110 20x15 ffffffff*");
    /* The region cuts it off. */
    images_of(REGION("", "<p><span tts:textOutline='black 1px'>ab</span></p>"),
              "100,100 21x16 000000ff*|100,100 20x15 ffffffff*");
}

static void test_paint_shadow(void **state)
{
    (void)state;
    images_of(P("tts:textShadow='2px 3px red'", "ab"),
              "112,113 20x15 ff0000ff*|110,110 20x15 ffffffff*");
    /* A blurred one is larger by its radius. */
    images_of(P("tts:textShadow='2px 3px 4px red'", "ab"),
              "108,109 28x23 ff0000ff*|110,110 20x15 ffffffff*");
    /* The first is on top, that is painted last. */
    images_of(P("tts:textShadow='1px 1px red, 2px 2px lime'", "ab"),
              "112,112 20x15 00ff00ff*|111,111 20x15 ff0000ff*|110,110 20x15 ffffffff*");
}

static void test_paint_backgrounds(void **state)
{
    (void)state;
    images_of(REGION("", "<p><span tts:backgroundColor='red'>a<span tts:backgroundColor='blue'>b"
                         "</span></span></p>"),
              "100,100 10x20 ff0000ff|110,100 10x20 ff0000ff|110,100 10x20 0000ffff|"
              "100,100 10x15 ffffffff*|110,100 10x15 ffffffff*");
    /* Of hidden text nothing is left but its place. */
    images_of(REGION("", "<p><span tts:backgroundColor='red' tts:visibility='hidden'>a</span>b"
                         "</p>"), "110,100 10x15 ffffffff*");
    words_of(REGION("", "<p><span tts:visibility='hidden'>a</span> b</p>"), "b 120,100 10x20");
}

static void user_is(const struct cad_text_user *user, const char *expected)
{
    struct laid laid;
    laid_prepare(&laid, P("tts:textOutline='black 1px' tts:backgroundColor='red'", "a"));
    laid.options.user = *user;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &laid.picture), 0);
    images_are(&laid, expected);
    laid_free(&laid);
}

static void test_paint_user(void **state)
{
    struct cad_text_user user = {0};
    (void)state;
    user_is(&user, "110,110 10x20 ff0000ff|109,109 12x17 000000ff*|110,110 10x15 ffffffff*");
    user.edge = CAD_TEXT_EDGE_NONE;
    user_is(&user, "110,110 10x20 ff0000ff|110,110 10x15 ffffffff*");
    user.edge_color = 0x112233ff;
    user.edge = CAD_TEXT_EDGE_OUTLINE;
    user_is(&user, "110,110 10x20 ff0000ff|109,109 12x17 112233ff*|110,110 10x15 ffffffff*");
    user.edge = CAD_TEXT_EDGE_RAISED;
    user_is(&user, "110,110 10x20 ff0000ff|110,111 10x15 112233ff*|110,110 10x15 ffffffff*");
    user.edge = CAD_TEXT_EDGE_DEPRESSED;
    user_is(&user, "110,110 10x20 ff0000ff|109,109 10x15 112233ff*|110,110 10x15 ffffffff*");
    /* Twice 53/64 away, as far blurred: a pixel or two. */
    user.edge = CAD_TEXT_EDGE_SHADOW;
    user_is(&user, "110,110 10x20 ff0000ff|109,110 14x19 112233ff*|110,110 10x15 ffffffff*");
    user.edge = CAD_TEXT_EDGE_NONE;
    user.set = CAD_TEXT_USER_BACKGROUND;
    user.background = 0x44556677;
    user_is(&user, "110,110 10x20 44556677|110,110 10x15 ffffffff*");
    user.background = 0;
    user_is(&user, "110,110 10x15 ffffffff*");
}

static void test_paint_words(void **state)
{
    struct laid laid;
    (void)state;
    laid_make(&laid, REGION("", "<p>a b<br/>c</p>"));
    const struct cad_text_word *w = laid.picture->words;
    assert_int_equal(w->line, 0);
    assert_int_equal(w->next->line, 0);
    assert_int_equal(w->next->next->line, 1);
    assert_null(w->next->next->next);
    laid_free(&laid);
    /* Runs do not part a word, places to break do. */
    words_of(REGION("", "<p>a<span tts:color='red'>b</span>-c \xe4\xb8\x80\xe4\xb8\x80</p>"),
             "ab- 100,100 30x20|c 130,100 10x20|\xe4\xb8\x80 150,100 20x20|\xe4\xb8\x80 170,100 "
             "20x20");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paint_decoration),  cmocka_unit_test(test_paint_outline),
        cmocka_unit_test(test_paint_shadow),      cmocka_unit_test(test_paint_backgrounds),
        cmocka_unit_test(test_paint_user),        cmocka_unit_test(test_paint_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
