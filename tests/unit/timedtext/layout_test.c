/*
 * Goal: regions are where the document puts them, with what is in them; limits, lack of memory and
 * fonts that fail end in an error and leave nothing behind.
 */
#include "layout_support.h"

#include "support/failing_alloc.h"

static void test_layout_display_align(void **state)
{
    (void)state;
    words_of(REGION("", "<p>abc</p>"), "abc 100,100 30x20");
    words_of(REGION("tts:displayAlign='before'", "<p>abc</p>"), "abc 100,100 30x20");
    words_of(REGION("tts:displayAlign='center'", "<p>abc</p>"), "abc 100,140 30x20");
    words_of(REGION("tts:displayAlign='after'", "<p>abc</p>"), "abc 100,180 30x20");
    words_of(REGION("tts:displayAlign='after'", "<p>a</p><p>b</p>"),
             "a 100,160 10x20|b 100,180 10x20");
}

static void test_layout_padding(void **state)
{
    (void)state;
    words_of(REGION("tts:padding='1px 2px 3px 4px'", "<p>abc</p>"), "abc 104,101 30x20");
    words_of(REGION("tts:padding='1px 2px 3px 4px' tts:displayAlign='after' tts:textAlign='right'",
                    "<p>abc</p>"),
             "abc 268,177 30x20");
}

static void test_layout_backgrounds(void **state)
{
    (void)state;
    images_of(REGION("tts:backgroundColor='#102030'", "<p> </p>"), "100,100 200x100 102030ff");
    images_of(REGION("tts:backgroundColor='#102030' tts:padding='5px' tts:displayAlign='after'",
                     "<p tts:backgroundColor='#405060'>ab</p>"),
              "100,100 200x100 102030ff|105,175 190x20 405060ff|105,175 20x15 ffffffff*");
    /* A div is as high as what is in it, and below it. */
    images_of(REGION("", "<div tts:backgroundColor='red'><p tts:backgroundColor='lime'>a</p>"
                         "<p>b</p></div>"),
              "100,100 200x40 ff0000ff|100,100 200x20 00ff00ff|100,100 10x15 ffffffff*|"
              "100,120 10x15 ffffffff*");
    images_of(REGION("tts:backgroundColor='red' tts:visibility='hidden'",
                     "<p tts:backgroundColor='red'>a</p>"), "");
}

static void test_layout_opacity(void **state)
{
    (void)state;
    images_of(REGION("tts:backgroundColor='#10203080' tts:opacity='0.5'", "<p>a</p>"),
              "100,100 200x100 10203040|100,100 10x15 ffffff80*");
    images_of(REGION("tts:backgroundColor='red' tts:opacity='0'", "<p>a</p>"), "");
}

static void test_layout_overflow(void **state)
{
    struct laid laid;
    (void)state;
    /* Six lines of twenty in a hundred: the sixth is cut off, or not. */
    laid_make(&laid, REGION("", "<p>a<br/>b<br/>c<br/>d<br/>e<br/>f</p>"));
    assert_int_equal(laid.picture->image_count, 5);
    assert_true(laid.picture->overflowed);
    laid_free(&laid);
    laid_make(&laid, REGION("tts:overflow='visible'", "<p>a<br/>b<br/>c<br/>d<br/>e<br/>f</p>"));
    assert_int_equal(laid.picture->image_count, 6);
    assert_true(laid.picture->overflowed);
    laid_free(&laid);
    /* With an odd height a letter is cut through. */
    images_of(REGION("tts:padding='90px 0px 0px 0px'", "<p>a</p>"), "100,190 10x10 ffffffff*");
    laid_make(&laid, REGION("", "<p>a</p>"));
    assert_false(laid.picture->overflowed);
    laid_free(&laid);
}

static void test_layout_order(void **state)
{
    (void)state;
    images_of(TT("tts:extent='640px 320px'",
                 "<layout><region xml:id='a' tts:zIndex='2' tts:backgroundColor='red'/>"
                 "<region xml:id='b' tts:zIndex='-1' tts:backgroundColor='lime'/>"
                 "<region xml:id='c' tts:zIndex='2' tts:backgroundColor='blue'/></layout>",
                 "<body/>"),
              "0,0 640x320 00ff00ff|0,0 640x320 ff0000ff|0,0 640x320 0000ffff");
}

static void test_layout_writing_modes(void **state)
{
    (void)state;
    /* Lines from the right, letters turned: as wide as a line is high. */
    words_of(REGION("tts:writingMode='tbrl'", "<p>ab<br/>c</p>"),
             "ab 280,100 20x20|c 260,100 20x10");
    words_of(REGION("tts:writingMode='tblr'", "<p>ab<br/>c</p>"),
             "ab 100,100 20x20|c 120,100 20x10");
    words_of(REGION("tts:writingMode='tbrl' tts:displayAlign='after' tts:textAlign='end'",
                    "<p>ab</p>"),
             "ab 100,180 20x20");
    /* The turned letters' tops are to the right: ten of height in the line's middle. */
    images_of(REGION("tts:writingMode='tbrl'", "<p>ab</p>"), "285,100 15x20 ffffffff*");
    /* Ideographs stand. */
    images_of(REGION("tts:writingMode='tbrl'", "<p>\xe4\xb8\x80\xe4\xb8\x80</p>"),
              "280,100 20x35 ffffffff*");
    images_of(REGION("tts:writingMode='tbrl'", "<p tts:backgroundColor='red'>a</p>"),
              "280,100 20x100 ff0000ff|285,100 15x10 ffffffff*");
}

static void test_layout_images(void **state)
{
    (void)state;
    images_of(TT("tts:extent='640px 320px'",
                 "<layout><region xml:id='r' tts:origin='10px 20px' tts:extent='30px 40px'/>"
                 "</layout>",
                 "<body><div region='r' end='9s' smpte:backgroundImage='a.png'/></body>"),
              "10,20 30x40 ffffffffa.png");
}

static void test_layout_forced(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, REGION("", "<p tts:backgroundColor='red'>a"
                                   "<span itts:forcedDisplay='true'>b</span></p>"));
    laid.options.forced_only = true;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &laid.picture), 0);
    images_are(&laid, "110,100 10x15 ffffffff*");
    words_are(&laid, "");
    laid_free(&laid);
}

static void test_layout_user_size(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, REGION("", "<p tts:lineHeight='40px'>ab<br/>c</p>"));
    laid.options.user.size_percent = 50;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &laid.picture), 0);
    words_are(&laid, "ab 100,105 10x10|c 100,125 5x10");
    laid_free(&laid);
}

static void test_layout_window(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, REGION("tts:backgroundColor='red'", "<p tts:backgroundColor='lime'>a</p>"));
    laid.options.user.set = CAD_TEXT_USER_WINDOW | CAD_TEXT_USER_COLOR;
    laid.options.user.window = 0x11223344;
    laid.options.user.color = 0x556677ff;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &laid.picture), 0);
    images_are(&laid, "100,100 200x100 11223344|100,100 10x15 556677ff*");
    laid_free(&laid);
}

static void test_layout_root(void **state)
{
    struct cad_text *text = text_of(TT("ittp:aspectRatio='4 3'", "", "<body/>"));
    struct cad_text_root root;
    (void)state;
    cad_text_root_of(text, 640, 360, &root);
    assert_int_equal(root.width, 480);
    assert_int_equal(root.height, 360);
    assert_int_equal(root.x, 80);
    assert_int_equal(root.y, 0);
    cad_text_root_of(text, 300, 400, &root);
    assert_int_equal(root.width, 300);
    assert_int_equal(root.height, 225);
    assert_int_equal(root.x, 0);
    assert_int_equal(root.y, 87);
    cad_text_destroy(&text);
    text = text_of(TT_P("a"));
    cad_text_root_of(text, 300, 400, &root);
    assert_true(root.x == 0 && root.y == 0 && root.width == 300 && root.height == 400);
    cad_text_destroy(&text);
}

static void test_layout_arguments(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, REGION("", "<p>a</p>"));
    struct cad_text_draw_options good = laid.options;
    struct cad_text_picture *out = NULL;
    assert_int_equal(cad_text_layout(NULL, &good, &out), CAD_E_INVAL);
    assert_int_equal(cad_text_layout(laid.isd, NULL, &out), CAD_E_INVAL);
    laid.options.width = 0;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &out), CAD_E_INVAL);
    laid.options.width = CAD_TEXT_SIDE_MAX + 1;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &out), CAD_E_INVAL);
    laid.options = good;
    laid.options.fonts.ops = NULL;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &out), CAD_E_INVAL);
    laid.options = good;
    laid.options.size = 0;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &out), CAD_E_INVAL);
    assert_null(out);
    cad_text_picture_destroy(NULL);
    cad_text_picture_destroy(&out);
    laid_free(&laid);
}

/* All that layout knows in one document. */
static const char everything[] =
    REGION("tts:backgroundColor='red' tts:textAlign='center'",
           "<p ebutts:linePadding='0.1c' tts:rubyReserve='before 5px'>ab "
           "<span tts:textShadow='1px 1px 2px red' tts:textOutline='black 1px'>cd</span><br/>"
           "<span tts:textDecoration='underline' tts:backgroundColor='blue'>ef gh ij kl mn op"
           "</span>"
           "<span tts:textEmphasis='filled dot'>qr</span>"
           "<span tts:ruby='container'><span tts:ruby='base'>s</span>"
           "<span tts:ruby='text'>tuvwx</span></span>"
           "<span tts:unicodeBidi='embed' tts:direction='rtl'>y \xd7\x90\xd7\x91</span></p>");

static void limit_is(struct cad_text_draw_limits limits, int expected)
{
    struct laid laid;
    laid_prepare(&laid, everything);
    laid.options.limits = limits;
    assert_int_equal(cad_text_layout(laid.isd, &laid.options, &laid.picture), expected);
    laid_free(&laid);
}

static void test_layout_limits(void **state)
{
    struct laid laid;
    (void)state;
    laid_make(&laid, everything);
    uint32_t images = laid.picture->image_count;
    assert_true(images > 10);
    laid_free(&laid);
    limit_is((struct cad_text_draw_limits){.images = images}, 0);
    limit_is((struct cad_text_draw_limits){.images = images - 1}, CAD_E_LIMIT);
    limit_is((struct cad_text_draw_limits){.characters = 60}, 0);
    limit_is((struct cad_text_draw_limits){.characters = 30}, CAD_E_LIMIT);
    limit_is((struct cad_text_draw_limits){.bytes = 8 << 20}, 0);
    limit_is((struct cad_text_draw_limits){.bytes = 9000}, CAD_E_LIMIT);
}

/* The n-th allocation fails: nothing leaks, and nothing else is answered. */
static void test_layout_without_memory(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, everything);
    for (uint64_t at = 1;; at++) {
        struct cad_failing failing;
        cad_failing_init(&failing, at);
        laid.options.alloc = cad_failing_alloc(&failing);
        int rc = cad_text_layout(laid.isd, &laid.options, &laid.picture);
        assert_int_equal(rc, failing.failed > 0 ? CAD_E_NOMEM : 0);
        assert_true(rc == 0 || laid.picture == NULL);
        cad_text_picture_destroy(&laid.picture);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (failing.failed == 0) break;
        assert_true(at < 1000);
    }
    laid_free(&laid);
}

/* The n-th call of the font fails: that is what is answered. */
static void test_layout_without_fonts(void **state)
{
    struct laid laid;
    (void)state;
    laid_prepare(&laid, everything);
    for (uint64_t at = 1;; at++) {
        laid.font = (struct fake_font){.fail_at = at, .failure = CAD_E_IO};
        int rc = cad_text_layout(laid.isd, &laid.options, &laid.picture);
        bool failed = laid.font.calls >= at;
        assert_int_equal(rc, failed ? CAD_E_IO : 0);
        cad_text_picture_destroy(&laid.picture);
        if (!failed) break;
        assert_true(at < 10000);
    }
    laid_free(&laid);
}

/* Pictures are the same each time. */
static void test_layout_again(void **state)
{
    struct laid a;
    struct laid b;
    (void)state;
    laid_make(&a, everything);
    laid_make(&b, everything);
    const struct cad_text_image *x = a.picture->images;
    const struct cad_text_image *y = b.picture->images;
    for (; x && y; x = x->next, y = y->next) {
        assert_true(x->x == y->x && x->y == y->y && x->width == y->width &&
                    x->height == y->height && x->color == y->color && x->stride == y->stride);
        for (uint32_t row = 0; x->coverage && row < x->height; row++) {
            assert_memory_equal(x->coverage + row * x->stride, y->coverage + row * y->stride,
                                x->width);
        }
    }
    assert_true(!x && !y);
    laid_free(&a);
    laid_free(&b);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout_display_align),
        cmocka_unit_test(test_layout_padding),
        cmocka_unit_test(test_layout_backgrounds),
        cmocka_unit_test(test_layout_opacity),
        cmocka_unit_test(test_layout_overflow),
        cmocka_unit_test(test_layout_order),
        cmocka_unit_test(test_layout_writing_modes),
        cmocka_unit_test(test_layout_images),
        cmocka_unit_test(test_layout_forced),
        cmocka_unit_test(test_layout_user_size),
        cmocka_unit_test(test_layout_window),
        cmocka_unit_test(test_layout_root),
        cmocka_unit_test(test_layout_arguments),
        cmocka_unit_test(test_layout_limits),
        cmocka_unit_test(test_layout_without_memory),
        cmocka_unit_test(test_layout_without_fonts),
        cmocka_unit_test(test_layout_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
