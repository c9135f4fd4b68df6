/* layout_support.c - see layout_support.h. */
#include "layout_support.h"

#include <inttypes.h>

#include "base/strbuf.h"

#define TEXT_MAX 4096

void laid_prepare(struct laid *laid, const char *document)
{
    *laid = (struct laid){.picture = NULL};
    laid->text = text_of(document);
    laid->isd = isd_of(laid->text, 0);
    cad_text_draw_options_init(&laid->options);
    laid->options.fonts = fake_fonts(&laid->font);
    laid->options.width = 640;
    laid->options.height = 320;
}

void laid_make(struct laid *laid, const char *document)
{
    laid_prepare(laid, document);
    assert_int_equal(cad_text_layout(laid->isd, &laid->options, &laid->picture), 0);
}

void laid_free(struct laid *laid)
{
    cad_text_picture_destroy(&laid->picture);
    cad_text_isd_destroy(&laid->isd);
    cad_text_destroy(&laid->text);
}

void words_are(const struct laid *laid, const char *expected)
{
    char memory[TEXT_MAX];
    struct cad_sb sb;
    uint32_t count = 0;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    for (const struct cad_text_word *w = laid->picture->words; w; w = w->next) {
        if (count++ > 0) cad_sb_putc(&sb, '|');
        cad_sb_put(&sb, w->text);
        cad_sb_printf(&sb, " %" PRId32 ",%" PRId32 " %" PRIu32 "x%" PRIu32, w->x, w->y, w->width,
                      w->height);
    }
    assert_string_equal(cad_sb_z(&sb), expected);
    assert_int_equal(count, laid->picture->word_count);
}

void images_are(const struct laid *laid, const char *expected)
{
    char memory[TEXT_MAX];
    struct cad_sb sb;
    uint32_t count = 0;
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    for (const struct cad_text_image *i = laid->picture->images; i; i = i->next) {
        if (count++ > 0) cad_sb_putc(&sb, '|');
        cad_sb_printf(&sb, "%" PRId32 ",%" PRId32 " %" PRIu32 "x%" PRIu32 " %08" PRIx32 "%s", i->x,
                      i->y, i->width, i->height, i->color, i->coverage ? "*" : "");
        cad_sb_put(&sb, i->src);
    }
    assert_string_equal(cad_sb_z(&sb), expected);
    assert_int_equal(count, laid->picture->image_count);
}

void words_of(const char *document, const char *expected)
{
    struct laid laid;
    laid_make(&laid, document);
    words_are(&laid, expected);
    laid_free(&laid);
}

void images_of(const char *document, const char *expected)
{
    struct laid laid;
    laid_make(&laid, document);
    images_are(&laid, expected);
    laid_free(&laid);
}
