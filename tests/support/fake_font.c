/* fake_font.c - see fake_font.h. */
#include "support/fake_font.h"

#include <string.h>

#define WIDTH_MAX 16384

static int count_call(void *ctx)
{
    struct fake_font *font = ctx;
    font->calls++;
    if (font->calls != font->fail_at) return 0;
    return font->failure != 0 ? font->failure : CAD_E_NOMEM;
}

static bool is_wide(uint32_t code)
{
    return code >= 0x2e80 && code < 0xfb00;
}

static bool is_rtl(uint32_t code)
{
    return code >= 0x590 && code < 0x900;
}

static bool is_nothing(uint32_t code)
{
    return (code >= 0x300 && code < 0x370) || (code >= 0x200b && code < 0x2010) ||
           (code >= 0x2028 && code < 0x202f) || (code >= 0x2060 && code < 0x2070);
}

static int32_t advance_of(uint32_t code, int32_t size)
{
    if (is_nothing(code)) return 0;
    return is_wide(code) ? size : size / 2;
}

static int fake_find(void *ctx, const struct cad_font_want *want, uint32_t *face)
{
    int rc = count_call(ctx);
    if (rc != 0) return rc;
    *face = (want->bold ? FAKE_BOLD : 0) | (want->italic ? FAKE_ITALIC : 0) |
            (is_wide(want->codepoint) ? FAKE_OTHER : 0);
    return 0;
}

static int fake_metrics(void *ctx, uint32_t face, int32_t size, struct cad_font_metrics *out)
{
    (void)face;
    *out = (struct cad_font_metrics){.ascent = size * 3 / 4, .descent = size - size * 3 / 4,
                                     .underline = -size / 10, .strike = size / 4,
                                     .thickness = size / 20 + 1};
    return count_call(ctx);
}

static int fake_analyse(void *ctx, const struct cad_font_paragraph *p, uint8_t *levels,
                        uint32_t *scripts)
{
    struct fake_font *font = ctx;
    font->seen_count = p->count < 64 ? p->count : 64;
    memcpy(font->seen, p->text, font->seen_count * sizeof(*font->seen));
    for (uint32_t i = 0; i < p->count; i++) {
        bool letter = p->text[i] > ' ' && p->text[i] < 0x590;
        levels[i] = is_rtl(p->text[i]) || p->rtl ? 1 : 0;
        if (p->rtl && letter) levels[i] = 2;
        if (i > 0 && i + 1 < p->count && p->text[i] == ' ' && is_rtl(p->text[i - 1]) &&
            is_rtl(p->text[i + 1])) {
            levels[i] = 1;
        }
        scripts[i] = is_rtl(p->text[i]) ? 0x48656272 : 0x4c61746e;
    }
    return count_call(ctx);
}

static int fake_shape(void *ctx, const struct cad_font_shape *piece, struct cad_font_glyph *out,
                      uint32_t max)
{
    int rc = count_call(ctx);
    if (rc != 0) return rc;
    if (piece->count > max) return CAD_E_LIMIT;
    for (uint32_t i = 0; i < piece->count; i++) {
        uint32_t at = piece->from + (piece->rtl ? piece->count - 1 - i : i);
        uint32_t code = piece->text[at];
        out[i] = (struct cad_font_glyph){.id = code, .cluster = at,
                                         .advance = advance_of(code, piece->size)};
        if (piece->vertical) {
            /* From the middle of its top, as a glyph that stands is placed. */
            out[i].x = -out[i].advance / 2;
            out[i].y = -piece->size * 3 / 4;
            out[i].advance = is_nothing(code) ? 0 : piece->size;
        }
    }
    return (int)piece->count;
}

static int fake_picture(void *ctx, const struct cad_font_picture *want,
                        struct cad_font_bitmap *out)
{
    static uint8_t row[WIDTH_MAX];
    int32_t stroke = (want->stroke + 63) / 64;
    int32_t width = advance_of(want->id, want->size) / 64;
    int32_t height = want->size * 3 / 4 / 64;
    memset(row, 255, sizeof(row));
    *out = (struct cad_font_bitmap){.coverage = NULL};
    if (want->id > ' ' && width > 0 && height > 0) {
        out->coverage = row;
        out->width = (uint32_t)(width + 2 * stroke);
        out->height = (uint32_t)(height + 2 * stroke);
        out->left = -stroke;
        out->top = height + stroke;
    }
    if (out->width > WIDTH_MAX) return CAD_E_LIMIT;
    return count_call(ctx);
}

struct cad_fonts fake_fonts(struct fake_font *font)
{
    static const struct cad_font_ops ops = {sizeof(ops), fake_find, fake_metrics, fake_analyse,
                                            fake_shape, fake_picture};
    return (struct cad_fonts){&ops, font};
}
