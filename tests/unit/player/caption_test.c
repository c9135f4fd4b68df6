/* Subtitles over the film: laid out for its size, in their colours, out of the controls' way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "caption.h"

#define WIDTH 640
#define HEIGHT 360
#define GROUND 0x203040u /* of the film */

struct bench {
    SDL_Surface *surface;
    SDL_Renderer *renderer;
    struct caption caption;
};

static void begin(struct bench *b)
{
    b->surface = SDL_CreateRGBSurfaceWithFormat(0, WIDTH, HEIGHT, 32, SDL_PIXELFORMAT_XRGB8888);
    assert_non_null(b->surface);
    b->renderer = SDL_CreateSoftwareRenderer(b->surface);
    assert_non_null(b->renderer);
    caption_init(&b->caption, b->renderer, 100);
}

static void end(struct bench *b)
{
    caption_deinit(&b->caption);
    SDL_DestroyRenderer(b->renderer);
    SDL_FreeSurface(b->surface);
}

/* What a document that is all in one ISD shows. */
static struct cad_text *parse(const char *body, struct cad_text_isd **isd)
{
    static const char head[] = "<tt xmlns=\"http://www.w3.org/ns/ttml\""
                               " xmlns:tts=\"http://www.w3.org/ns/ttml#styling\"><head><layout>"
                               "<region xml:id=\"r\" tts:origin=\"10% 70%\" tts:extent=\"80% 20%\""
                               " tts:displayAlign=\"after\"/></layout></head>";
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    assert_int_equal(cad_text_parser_create(&options, &parser), 0);
    cad_buf first = {(const uint8_t *)head, sizeof(head) - 1};
    cad_buf second = {(const uint8_t *)body, strlen(body)};
    assert_int_equal(cad_text_parser_feed(parser, first, false), 0);
    assert_int_equal(cad_text_parser_feed(parser, second, true), 0);
    assert_int_equal(cad_text_parser_finish(parser, 4096, &text), 0);
    cad_text_parser_destroy(&parser);
    assert_int_equal(cad_text_isd_at(text, 0, isd), 0);
    return text;
}

static void draw(struct bench *b, const SDL_Rect *place, int above)
{
    SDL_SetRenderDrawColor(b->renderer, 0x20, 0x30, 0x40, 255);
    SDL_RenderClear(b->renderer);
    caption_draw(&b->caption, place, above);
    SDL_RenderPresent(b->renderer);
}

static uint32_t pixel(const struct bench *b, int x, int y)
{
    const uint8_t *row = b->surface->pixels;
    row += (size_t)y * (size_t)b->surface->pitch;
    uint32_t out = 0;
    memcpy(&out, row + (size_t)x * 4, 4);
    return out & 0xffffffu;
}

/* Rows of the window with something of that colour on them: first and last; -1 none. */
static void rows_of(const struct bench *b, uint32_t color, int out[2])
{
    out[0] = out[1] = -1;
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            if (pixel(b, x, y) != color) continue;
            if (out[0] < 0) out[0] = y;
            out[1] = y;
        }
    }
}

static const char yellow[] = "<body region=\"r\"><div><p tts:color=\"#ffff00\""
                             " tts:backgroundColor=\"#800000\">Water</p></div></body></tt>";

/* At the bottom of the film, on its ground; higher when the controls need the room. */
static void test_caption_lies_over_the_film(void **state)
{
    (void)state;
    struct bench b;
    struct cad_text_isd *isd = NULL;
    const SDL_Rect film = {0, 0, WIDTH, HEIGHT};
    int text[2];
    int ground[2];
    begin(&b);
    struct cad_text *document = parse(yellow, &isd);
    caption_set(&b.caption, isd, WIDTH, HEIGHT);
    if (b.caption.failure == CAD_E_NOTFOUND || b.caption.failure == CAD_E_UNSUPPORTED) {
        print_message("no fonts: scripts/install-deps.sh build\n");
        cad_text_isd_destroy(&isd);
        cad_text_destroy(&document);
        end(&b);
        skip();
    }
    assert_int_equal(b.caption.failure, 0);
    draw(&b, &film, HEIGHT);
    rows_of(&b, 0xffff00, text);
    rows_of(&b, 0x800000, ground);
    assert_in_range(text[0], HEIGHT * 7 / 10, HEIGHT * 9 / 10);
    assert_in_range(ground[1], text[1], HEIGHT * 9 / 10);
    assert_int_equal(pixel(&b, 5, 5), GROUND);
    draw(&b, &film, 250);
    int lifted[2];
    rows_of(&b, 0x800000, lifted);
    assert_int_equal(lifted[1], 249);
    assert_int_equal(lifted[1] - lifted[0], ground[1] - ground[0]);
    /* A film that leaves bars: the text is inside of it, and as small as it is. */
    const SDL_Rect small = {160, 90, WIDTH / 2, HEIGHT / 2};
    caption_set(&b.caption, isd, small.w, small.h);
    draw(&b, &small, HEIGHT);
    rows_of(&b, 0x800000, lifted);
    assert_in_range(lifted[0], 90 + 180 * 7 / 10, 90 + 180 * 9 / 10);
    assert_true(lifted[1] - lifted[0] < (ground[1] - ground[0]) * 3 / 4);
    /* A viewer who wants it larger. */
    b.caption.percent = 200;
    caption_set(&b.caption, isd, WIDTH, HEIGHT);
    draw(&b, &film, HEIGHT);
    rows_of(&b, 0x800000, lifted);
    assert_true(lifted[1] - lifted[0] > (ground[1] - ground[0]) * 3 / 2);
    /* Lost with the renderer's textures, and set again. */
    caption_reset(&b.caption);
    draw(&b, &film, HEIGHT);
    rows_of(&b, 0x800000, lifted);
    assert_int_equal(lifted[0], -1);
    caption_set(&b.caption, isd, WIDTH, HEIGHT);
    caption_set(&b.caption, NULL, WIDTH, HEIGHT);
    draw(&b, &film, HEIGHT);
    rows_of(&b, 0x800000, lifted);
    assert_int_equal(lifted[0], -1);
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&document);
    end(&b);
}

/* A half of white over the film is half way between both: colours are not darkened twice. */
static void test_caption_blends_once(void **state)
{
    (void)state;
    struct bench b;
    struct cad_text_isd *isd = NULL;
    const SDL_Rect film = {0, 0, WIDTH, HEIGHT};
    begin(&b);
    struct cad_text *document = parse("<body region=\"r\"><div tts:backgroundColor=\"#ffffff80\">"
                                      "<p tts:color=\"transparent\">m</p></div></body></tt>", &isd);
    caption_set(&b.caption, isd, WIDTH, HEIGHT);
    if (b.caption.failure == 0) {
        draw(&b, &film, HEIGHT);
        assert_true(b.caption.used.w > 0);
        int x = b.caption.used.x + b.caption.used.w / 2;
        int y = b.caption.used.y + b.caption.used.h / 2;
        uint32_t have = pixel(&b, x, y);
        static const int want[3] = {0x90, 0x98, 0xa0};
        for (int i = 0; i < 3; i++) {
            int value = (int)(have >> (16 - 8 * i) & 0xff);
            assert_in_range(value, want[i] - 2, want[i] + 2);
        }
    }
    bool missing = b.caption.failure != 0;
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&document);
    end(&b);
    if (missing) skip();
}

/* Letters that nothing sets off get an outline; a document that does so itself is left alone. */
static void test_caption_outlines_what_has_no_ground(void **state)
{
    (void)state;
    static const struct { const char *body; bool stands_out; } cases[] = {
        {"<body region=\"r\"><div><p>a</p></div></body></tt>", false},
        {"<body region=\"r\"><div><div><p><span>a</span></p></div></div></body></tt>", false},
        {"<body region=\"r\"><div><p tts:textOutline=\"red 2%\">a</p></div></body></tt>", true},
        {"<body region=\"r\"><div><p>a</p><p>b <span tts:textShadow=\"5% 5%\">c</span></p>"
         "</div></body></tt>", true},
        {"<body region=\"r\"><div><p><span tts:backgroundColor=\"black\">a</span></p></div></body>"
         "</tt>", true},
        {"<body region=\"r\" tts:backgroundColor=\"black\"><div><p>a</p></div></body></tt>", true},
        {"<body region=\"r\"><div tts:backgroundColor=\"black\"><p>a</p></div></body></tt>", true}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct cad_text_isd *isd = NULL;
        struct cad_text *document = parse(cases[i].body, &isd);
        if (caption_stands_out(isd) != cases[i].stands_out) fail_msg("case %zu", i);
        cad_text_isd_destroy(&isd);
        cad_text_destroy(&document);
    }
}

/* White letters on a white film can be read. */
static void test_caption_can_be_read_on_white(void **state)
{
    (void)state;
    struct bench b;
    struct cad_text_isd *isd = NULL;
    const SDL_Rect film = {0, 0, WIDTH, HEIGHT};
    begin(&b);
    struct cad_text *document =
        parse("<body region=\"r\"><div><p>Water</p></div></body></tt>", &isd);
    caption_set(&b.caption, isd, WIDTH, HEIGHT);
    bool missing = b.caption.failure != 0;
    if (!missing) {
        int rows[2];
        SDL_SetRenderDrawColor(b.renderer, 255, 255, 255, 255);
        SDL_RenderClear(b.renderer);
        caption_draw(&b.caption, &film, HEIGHT);
        SDL_RenderPresent(b.renderer);
        rows_of(&b, 0x000000, rows);
        assert_true(rows[0] > 0);
        assert_true(rows[1] - rows[0] >= 5);
    }
    cad_text_isd_destroy(&isd);
    cad_text_destroy(&document);
    end(&b);
    if (missing) skip();
}

static void test_caption_is_lifted_no_higher_than_the_window(void **state)
{
    (void)state;
    const SDL_Rect film = {0, 40, 100, 200};
    const SDL_Rect low = {0, 150, 50, 40};
    const SDL_Rect high = {0, 5, 50, 190};
    assert_int_equal(caption_lift(&low, &film, 300), 0);
    assert_int_equal(caption_lift(&low, &film, 230), 0);
    assert_int_equal(caption_lift(&low, &film, 200), 30);
    assert_int_equal(caption_lift(&high, &film, 100), 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caption_lies_over_the_film),
        cmocka_unit_test(test_caption_blends_once),
        cmocka_unit_test(test_caption_outlines_what_has_no_ground),
        cmocka_unit_test(test_caption_can_be_read_on_white),
        cmocka_unit_test(test_caption_is_lifted_no_higher_than_the_window),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
