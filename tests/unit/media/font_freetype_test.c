/*
 * Goal: the FreeType backend finds faces, shapes and draws as is known of the DejaVu fonts, and
 * text laid out with it stands where it should. Skips where fonts or libraries are missing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/draw.h"
#include "cadmium/font_freetype.h"

#include "base/str.h"
#include "support/failing_alloc.h"

#define FOLDER "/usr/share/fonts/truetype/dejavu"
#define SIZE (100 * 64)
#define LATIN 0x4c61746eu
#define ARABIC 0x41726162u

static struct cad_fonts fonts;

static int make(const struct cad_alloc *alloc, struct cad_fonts *out)
{
    static const char *const folders[] = {FOLDER};
    struct cad_font_config config;
    cad_font_config_init(&config);
    config.folders = folders;
    config.folder_count = 1;
    return cad_font_freetype_create(alloc, &config, out);
}

static uint32_t face_of(const char *family, uint32_t code)
{
    const cad_str name = cad_str_from(family);
    const struct cad_font_want want = {.families = &name, .family_count = 1, .codepoint = code};
    uint32_t face = UINT32_MAX;
    assert_int_equal(fonts.ops->find(fonts.ctx, &want, &face), 0);
    return face;
}

static void test_font_find(void **state)
{
    (void)state;
    uint32_t sans = face_of("DejaVu Sans", 'a');
    assert_int_equal(face_of("dejavu sans", 0), sans);
    assert_int_equal(face_of("DejaVu Sans", 0x628), sans);
    assert_int_equal(face_of("sansSerif", 'a'), sans);
    uint32_t mono = face_of("monospace", 'a');
    assert_int_not_equal(mono, sans);
    assert_int_equal(face_of("DejaVu Sans Mono", 'a'), mono);
    /* The serif has no Hebrew, the sans has. */
    assert_int_not_equal(face_of("DejaVu Serif", 'a'), sans);
    assert_int_equal(face_of("DejaVu Serif", 0x5d0), sans);
    /* What no face has is shown with the one that was asked for. */
    const cad_str name = CAD_STR("DejaVu Sans");
    struct cad_font_want want = {.families = &name, .family_count = 1, .codepoint = 0x10fffd};
    uint32_t face = UINT32_MAX;
    assert_int_equal(fonts.ops->find(fonts.ctx, &want, &face), 1);
    assert_int_equal(face, sans);
    want.codepoint = 'a';
    want.bold = true;
    assert_int_equal(fonts.ops->find(fonts.ctx, &want, &face), 0);
    assert_int_not_equal(face, sans);
}

static void test_font_metrics(void **state)
{
    struct cad_font_metrics m;
    (void)state;
    /* hhea: 1901 and 483 of 2048. */
    assert_int_equal(fonts.ops->metrics(fonts.ctx, face_of("DejaVu Sans", 0), SIZE, &m), 0);
    assert_in_range(m.ascent, SIZE * 1901 / 2048 - 1, SIZE * 1901 / 2048 + 1);
    assert_in_range(m.descent, SIZE * 483 / 2048 - 1, SIZE * 483 / 2048 + 1);
    assert_true(m.line_gap >= 0 && m.underline < 0 && m.strike > 0 && m.thickness > 0);
    assert_int_equal(fonts.ops->metrics(fonts.ctx, 0, 0, &m), CAD_E_INVAL);
    assert_int_equal(fonts.ops->metrics(fonts.ctx, UINT32_MAX, SIZE, &m), CAD_E_INVAL);
}

static void test_font_analyse(void **state)
{
    static const uint32_t text[] = {'a', '(', 0x5d0, ')', ' ', 0x628, 0x64e};
    const struct cad_font_paragraph p = {text, 7, false};
    uint8_t levels[7];
    uint32_t scripts[7];
    static const uint8_t expected[] = {0, 0, 1, 0, 0, 1, 1};
    (void)state;
    assert_int_equal(fonts.ops->analyse(fonts.ctx, &p, levels, scripts), 0);
    assert_memory_equal(levels, expected, 3);
    assert_int_equal(levels[5], 1);
    assert_int_equal(levels[6], 1);
    assert_int_equal(scripts[0], LATIN);
    assert_int_equal(scripts[1], LATIN);
    assert_int_equal(scripts[2], 0x48656272);
    assert_int_equal(scripts[5], ARABIC);
    assert_int_equal(scripts[6], ARABIC);
}

static void test_font_shape(void **state)
{
    static const uint32_t text[] = {'i', 'W', 0x301, 0x628, 0x628, 0x628};
    struct cad_font_glyph out[8];
    struct cad_font_shape piece = {.face = face_of("monospace", 'a'), .size = SIZE, .text = text,
                                   .length = 6, .count = 2, .script = LATIN};
    (void)state;
    assert_int_equal(fonts.ops->shape(fonts.ctx, &piece, out, 8), 2);
    assert_int_equal(out[0].advance, out[1].advance);
    assert_true(out[0].cluster == 0 && out[1].cluster == 1);
    piece.count = 3; /* the accent goes with its letter */
    int n = fonts.ops->shape(fonts.ctx, &piece, out, 8);
    assert_in_range(n, 2, 3);
    assert_int_equal(out[n - 1].cluster, 1);
    /* The same letter has three shapes in three places; clusters descend. */
    piece = (struct cad_font_shape){.face = face_of("DejaVu Sans", 0x628), .size = SIZE,
                                    .text = text, .length = 6, .from = 3, .count = 3, .rtl = true,
                                    .script = ARABIC};
    assert_int_equal(fonts.ops->shape(fonts.ctx, &piece, out, 8), 3);
    assert_true(out[0].cluster == 5 && out[1].cluster == 4 && out[2].cluster == 3);
    assert_true(out[0].id != out[1].id && out[1].id != out[2].id && out[0].id != out[2].id);
    assert_int_equal(fonts.ops->shape(fonts.ctx, &piece, out, 2), CAD_E_LIMIT);
    piece.from = 6;
    assert_int_equal(fonts.ops->shape(fonts.ctx, &piece, out, 8), CAD_E_INVAL);
}

static uint32_t glyph_of(uint32_t face, uint32_t code)
{
    struct cad_font_glyph out[4];
    const struct cad_font_shape piece = {.face = face, .size = SIZE, .text = &code, .length = 1,
                                         .count = 1, .script = LATIN};
    assert_int_equal(fonts.ops->shape(fonts.ctx, &piece, out, 4), 1);
    return out[0].id;
}

static void test_font_pictures(void **state)
{
    uint32_t face = face_of("DejaVu Sans", 'I');
    struct cad_font_picture want = {.face = face, .id = glyph_of(face, 'I'), .size = SIZE};
    struct cad_font_bitmap plain;
    struct cad_font_bitmap other;
    (void)state;
    /* A capital I of DejaVu Sans: 1493 of 2048 high, from 201 to 403. */
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &plain), 0);
    assert_in_range(plain.height, 72, 74);
    assert_in_range(plain.top, 72, 74);
    assert_in_range(plain.left, 9, 10);
    assert_in_range(plain.width, 10, 11);
    assert_int_equal(plain.coverage[plain.height / 2 * plain.stride + plain.width / 2], 255);
    want.stroke = 5 * 64;
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &other), 0);
    assert_in_range(other.left, plain.left - 6, plain.left - 4);
    assert_in_range(other.width, plain.width + 9, plain.width + 11);
    assert_in_range(other.top, plain.top + 4, plain.top + 6);
    assert_int_equal(other.coverage[other.height / 2 * other.stride + other.width / 2], 255);
    want.stroke = 0;
    want.slant = 65536 / 4;
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &other), 0);
    assert_in_range(other.width, plain.width + 17, plain.width + 20);
    want.slant = 0;
    want.id = glyph_of(face, ' ');
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &other), 0);
    assert_null(other.coverage);
    want.size = 0;
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &other), CAD_E_INVAL);
}

/* Whatever was drawn before, and however often the cache was emptied, a picture is the same. */
static void test_font_cache(void **state)
{
    uint32_t face = face_of("DejaVu Sans", 'g');
    struct cad_font_picture want = {.face = face, .id = glyph_of(face, 'g'), .size = 20 * 64};
    struct cad_font_bitmap bitmap;
    uint8_t first[4096];
    (void)state;
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &bitmap), 0);
    size_t bytes = bitmap.stride * bitmap.height;
    assert_in_range(bytes, 1, sizeof(first));
    memcpy(first, bitmap.coverage, bytes);
    struct cad_font_picture noise = want;
    for (int32_t i = 0; i < 3000; i++) {
        noise.size = 20 * 64 + i % 1500;
        noise.stroke = i % 7 * 16;
        assert_int_equal(fonts.ops->picture(fonts.ctx, &noise, &bitmap), 0);
    }
    noise = (struct cad_font_picture){.face = face, .id = want.id, .size = 2048 * 64};
    assert_int_equal(fonts.ops->picture(fonts.ctx, &noise, &bitmap), 0);
    assert_true(bitmap.height > 1000);
    assert_int_equal(fonts.ops->picture(fonts.ctx, &want, &bitmap), 0);
    assert_int_equal(bitmap.stride * bitmap.height, bytes);
    assert_memory_equal(first, bitmap.coverage, bytes);
}

/* ---- with layout ----------------------------------------------------------------------------- */

#define DOCUMENT                                                                                   \
    "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling'>"         \
    "<head><layout><region xml:id='r' tts:origin='20% 60%' tts:extent='60% 30%' "                  \
    "tts:textAlign='center' tts:displayAlign='center'/></layout></head><body region='r'><div>"     \
    "<p tts:fontFamily='sansSerif'>HHHHH</p></div></body></tt>"

static struct cad_text_isd *isd_of(struct cad_text **text)
{
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text_isd *isd = NULL;
    cad_text_options_init(&options);
    assert_int_equal(cad_text_parser_create(&options, &parser), 0);
    cad_buf bytes = cad_buf_from_str(CAD_STR(DOCUMENT));
    assert_int_equal(cad_text_parser_feed(parser, bytes, true), 0);
    int rc = CAD_E_AGAIN;
    while (rc == CAD_E_AGAIN) rc = cad_text_parser_finish(parser, 100, text);
    assert_int_equal(rc, 0);
    cad_text_parser_destroy(&parser);
    assert_int_equal(cad_text_isd_at(*text, 0, &isd), 0);
    return isd;
}

static void test_font_layout(void **state)
{
    enum { WIDTH = 640, HEIGHT = 360 };
    static uint8_t pixels[HEIGHT][WIDTH][4];
    struct cad_text *text = NULL;
    struct cad_text_isd *isd = isd_of(&text);
    struct cad_text_draw_options options;
    struct cad_text_picture *picture = NULL;
    (void)state;
    cad_text_draw_options_init(&options);
    options.fonts = fonts;
    options.width = WIDTH;
    options.height = HEIGHT;
    assert_int_equal(cad_text_layout(isd, &options, &picture), 0);
    struct cad_text_canvas canvas = {&pixels[0][0][0], WIDTH, HEIGHT, sizeof(pixels[0])};
    cad_text_blend(picture, &canvas);
    int box[4] = {WIDTH, HEIGHT, 0, 0};
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (pixels[y][x][3] < 64) continue;
            box[0] = x < box[0] ? x : box[0];
            box[1] = y < box[1] ? y : box[1];
            box[2] = x > box[2] ? x : box[2];
            box[3] = y > box[3] ? y : box[3];
        }
    }
    /* In the region of 384 x 108 at 128, 216; an H has as much room on its left as on its right. */
    assert_true(box[0] >= 128 && box[2] < 512 && box[1] >= 216 && box[3] < 324);
    assert_in_range(box[0] + box[2] + 1, 638, 642);
    /* 24 pixels: five letters 1540 of 2048 wide, 1493 high. */
    assert_in_range(picture->words->width, 89, 91);
    assert_in_range(box[3] - box[1] + 1, 17, 18);
    cad_text_picture_destroy(&picture);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&text);
}

static void test_font_without_memory(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 200; at++) {
        struct cad_failing failing;
        struct cad_fonts made = {NULL, NULL};
        cad_failing_init(&failing, at);
        struct cad_alloc alloc = cad_failing_alloc(&failing);
        int rc = make(&alloc, &made);
        assert_int_equal(rc, failing.failed > 0 ? CAD_E_NOMEM : 0);
        cad_font_freetype_destroy(&made);
        assert_null(made.ctx);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (failing.failed == 0) return;
    }
    fail_msg("the loop did not end");
}

/* Files come before folders, and the application's names before the built-in ones. */
static void test_font_config(void **state)
{
    static const char *const files[] = {FOLDER "/DejaVuSansMono.ttf", "/nowhere.ttf"};
    static const char *const folders[] = {FOLDER};
    static const struct cad_font_alias aliases[] = {{"sansSerif", "Nothing Such, DejaVu Serif"},
                                                    {"a", "b"}, {"b", "a"}};
    static const cad_str names[] = {CAD_STR_INIT("sansSerif"), CAD_STR_INIT("a")};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_font_config config;
    struct cad_fonts own = {NULL, NULL};
    uint32_t face = UINT32_MAX;
    (void)state;
    cad_font_config_init(&config);
    config.files = files;
    config.file_count = 2;
    config.folder_count = 0;
    config.aliases = aliases;
    config.alias_count = 3;
    assert_int_equal(cad_font_freetype_create(&alloc, &config, &own), 0);
    /* The one face there is, whatever is asked for; bold and slanted if that is wished. */
    struct cad_font_want want = {.families = names, .family_count = 1, .codepoint = 'a'};
    assert_int_equal(own.ops->find(own.ctx, &want, &face), 0);
    uint32_t plain = face;
    want.bold = want.italic = true;
    assert_int_equal(own.ops->find(own.ctx, &want, &face), 0);
    assert_int_not_equal(face, plain);
    cad_font_freetype_destroy(&own);
    config.folders = folders;
    config.folder_count = 1;
    assert_int_equal(cad_font_freetype_create(&alloc, &config, &own), 0);
    struct cad_font_want serif = {.families = names, .family_count = 1, .codepoint = 'a'};
    struct cad_font_metrics m;
    assert_int_equal(own.ops->find(own.ctx, &serif, &face), 0);
    assert_int_not_equal(face, plain);
    assert_int_equal(own.ops->metrics(own.ctx, face, SIZE, &m), 0);
    /* Names that stand for each other end somewhere. */
    serif.families = &names[1];
    assert_int_equal(own.ops->find(own.ctx, &serif, &face), 0);
    cad_font_freetype_destroy(&own);
}

static void test_font_arguments(void **state)
{
    static const char *const nowhere[] = {"/nowhere/at/all"};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_font_config config;
    struct cad_fonts out = {NULL, NULL};
    (void)state;
    cad_font_config_init(&config);
    config.folders = nowhere;
    assert_int_equal(cad_font_freetype_create(&alloc, &config, &out), CAD_E_NOTFOUND);
    config.size = 0;
    assert_int_equal(cad_font_freetype_create(&alloc, &config, &out), CAD_E_INVAL);
    assert_int_equal(cad_font_freetype_create(NULL, NULL, &out), CAD_E_INVAL);
    assert_null(out.ctx);
    cad_font_freetype_destroy(&out);
    cad_font_freetype_destroy(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_font_find),     cmocka_unit_test(test_font_metrics),
        cmocka_unit_test(test_font_analyse),  cmocka_unit_test(test_font_shape),
        cmocka_unit_test(test_font_pictures), cmocka_unit_test(test_font_cache),
        cmocka_unit_test(test_font_layout),   cmocka_unit_test(test_font_without_memory),
        cmocka_unit_test(test_font_config),   cmocka_unit_test(test_font_arguments),
    };
    struct cad_alloc alloc = cad_alloc_system();
    int rc = make(&alloc, &fonts);
    if (rc == CAD_E_UNSUPPORTED || rc == CAD_E_NOTFOUND) {
        printf("SKIP: %s\n", rc == CAD_E_NOTFOUND ? "no fonts in " FOLDER " (fonts-dejavu-core)"
                                                  : "built without the font backend");
        return 77;
    }
    if (rc != 0) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    cad_font_freetype_destroy(&fonts);
    return failed;
}
