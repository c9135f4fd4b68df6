/*
 * fuzz_text_layout - TTML, laid out with a font of which all is known.
 *
 * The first byte chooses limits and the user's wishes, the second and third the size; the rest is
 * the document. What is shown at a few of its times is laid out twice: the pictures must be the
 * same and hold what the header says, and blending must not write outside its canvas.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cadmium/draw.h"

#include "support/fake_font.h"

#define INPUT_MAX 8192u
#define TIMES_MAX 6u
#define CANVAS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) __builtin_trap();
}

static struct cad_text *parse(cad_buf document)
{
    struct cad_text_options options;
    struct cad_text_parser *parser = NULL;
    struct cad_text *text = NULL;
    cad_text_options_init(&options);
    require(cad_text_parser_create(&options, &parser) == 0);
    int rc = cad_text_parser_feed(parser, document, true);
    if (rc == 0) rc = CAD_E_AGAIN;
    while (rc == CAD_E_AGAIN) rc = cad_text_parser_finish(parser, 1000, &text);
    cad_text_parser_destroy(&parser);
    return text;
}

/* Everything lies where it may; a hash of all of it. */
static uint64_t examine(const struct cad_text_picture *picture)
{
    uint64_t hash = 1;
    uint32_t count = 0;
    for (const struct cad_text_image *i = picture->images; i; i = i->next, count++) {
        require(i->width > 0 && i->height > 0 && (i->color & 0xffu) != 0);
        if (i->src.n > 0) continue;
        require(i->x >= 0 && i->y >= 0);
        require((uint32_t)i->x + i->width <= picture->width);
        require((uint32_t)i->y + i->height <= picture->height);
        hash = hash * 31 + (uint64_t)(uint32_t)i->x + ((uint64_t)(uint32_t)i->y << 20) + i->color;
        for (uint32_t y = 0; i->coverage && y < i->height; y++) {
            const uint8_t *row = i->coverage + y * i->stride;
            hash = hash * 31 + row[0] + row[i->width - 1];
        }
    }
    require(count == picture->image_count);
    count = 0;
    for (const struct cad_text_word *w = picture->words; w; w = w->next, count++) {
        require(w->text.n > 0 && (!w->next || w->next->line >= w->line));
        hash = hash * 31 + (uint64_t)(uint32_t)w->x + w->width + (uint8_t)w->text.p[0];
    }
    require(count == picture->word_count);
    return hash;
}

static void blend(const struct cad_text_picture *picture)
{
    uint8_t pixels[(CANVAS + 2) * CANVAS * 4];
    memset(pixels, 0, sizeof(pixels));
    struct cad_text_canvas canvas = {pixels + CANVAS * 4, CANVAS, CANVAS, CANVAS * 4};
    cad_text_blend(picture, &canvas);
    for (size_t i = 0; i < CANVAS * 4; i++) {
        require(pixels[i] == 0 && pixels[sizeof(pixels) - 1 - i] == 0);
    }
    for (size_t i = 0; i < sizeof(pixels); i += 4) {
        require(pixels[i] <= pixels[i + 3] + 1); /* premultiplied, but for rounding */
    }
}

static void lay_out(const struct cad_text *text, cad_time at,
                    const struct cad_text_draw_options *options)
{
    struct cad_text_isd *isd = NULL;
    struct cad_text_picture *first = NULL;
    struct cad_text_picture *second = NULL;
    if (cad_text_isd_at(text, at, &isd) != 0) return;
    int rc = cad_text_layout(isd, options, &first);
    require(rc == 0 || rc == CAD_E_LIMIT);
    require((rc == 0) == (first != NULL));
    require(cad_text_layout(isd, options, &second) == rc);
    cad_text_isd_destroy(&isd);
    if (rc != 0) return;
    require(examine(first) == examine(second));
    blend(first);
    cad_text_picture_destroy(&first);
    cad_text_picture_destroy(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fake_font font = {0};
    struct cad_text_draw_options options;
    if (size < 3 || size > INPUT_MAX) return 0;
    cad_text_draw_options_init(&options);
    options.fonts = fake_fonts(&font);
    options.width = 1 + data[1] * 4u;
    options.height = 1 + data[2] * 4u;
    options.limits.bytes = 4 << 20;
    options.limits.characters = 3000;
    if (data[0] & 1) options.limits.images = 8;
    if (data[0] & 2) options.forced_only = true;
    options.user.edge = (enum cad_text_edge)((data[0] >> 2) % 6);
    options.user.edge_color = 0x102030ff;
    if (data[0] & 128) options.user.size_percent = 300;
    struct cad_text *text = parse((cad_buf){data + 3, size - 3});
    size_t count = text ? cad_text_boundary_count(text) : 0;
    if (text) lay_out(text, 0, &options);
    for (size_t i = 0; i < count && i < TIMES_MAX; i++) {
        lay_out(text, cad_text_boundary(text, i * (count - 1) / TIMES_MAX), &options);
    }
    cad_text_destroy(&text);
    return 0;
}
