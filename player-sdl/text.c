#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "base/util.h"
#include "font.h"

#define CACHE_SLOTS 2048       /* a power of two; emptied when three quarters are taken */
#define CAPITAL_PART 0.72f     /* of an em: height of capitals in ordinary sans-serifs */

struct entry {
    struct glyph_key key;
    bool taken;
    struct glyph glyph;
};

struct text {
    struct typeface *face; /* NULL: the bitmap font */
    struct entry *entries; /* CACHE_SLOTS */
    uint32_t count;
};

struct text *text_open(bool system_fonts)
{
    struct text *text = calloc(1, sizeof(*text));
    if (!text) return NULL;
    text->entries = calloc(CACHE_SLOTS, sizeof(*text->entries));
    if (!text->entries) {
        text_close(&text);
        return NULL;
    }
    if (system_fonts) text->face = typeface_open();
    return text;
}

static void empty_cache(struct text *text)
{
    for (uint32_t i = 0; i < CACHE_SLOTS; i++) {
        free(text->entries[i].glyph.bytes);
        text->entries[i] = (struct entry){.taken = false};
    }
    text->count = 0;
}

void text_close(struct text **text)
{
    if (!*text) return;
    if ((*text)->entries) empty_cache(*text);
    free((*text)->entries);
    typeface_close(&(*text)->face);
    free(*text);
    *text = NULL;
}

const char *text_font_name(const struct text *text)
{
    return text->face ? typeface_name(text->face) : "bitmap";
}

/* ---- glyphs --------------------------------------------------------------------------------- */

/* Whole dots, as large as the size asks for; bold is one dot's third wider. */
static bool bitmap_glyph(struct glyph_key key, struct glyph *out)
{
    int dot = CAD_MAX(1, (int)((float)key.size_q4 / 16 * CAPITAL_PART / FONT_BASE + 0.5f));
    int bold = key.weight == TEXT_BOLD ? CAD_MAX(1, dot / 3) : 0;
    *out = (struct glyph){.width = FONT_WIDTH * dot + bold, .height = FONT_HEIGHT * dot,
                          .top = FONT_BASE * dot, .advance = (float)(FONT_ADVANCE * dot + bold)};
    out->bytes = calloc((size_t)out->width, (size_t)out->height);
    if (!out->bytes) return false;
    for (int y = 0; y < out->height; y++) {
        uint8_t dots = font_row(key.c, y / dot);
        for (int x = 0; x < FONT_WIDTH * dot; x++) {
            if (!(dots & 0x10 >> x / dot)) continue;
            memset(out->bytes + (ptrdiff_t)y * out->width + x, 255, (size_t)bold + 1);
        }
    }
    return true;
}

static uint32_t hash_of(struct glyph_key key)
{
    uint32_t hash = key.c * 2654435761u ^ key.size_q4 * 40503u;
    hash ^= (uint32_t)key.weight << 13 ^ (uint32_t)key.place << 17;
    return hash ^ hash >> 15;
}

/* Valid until the next call; NULL: no memory. */
static const struct glyph *glyph_of(struct text *text, struct glyph_key key)
{
    uint32_t at = hash_of(key) % CACHE_SLOTS;
    for (; text->entries[at].taken; at = (at + 1) % CACHE_SLOTS) {
        if (memcmp(&text->entries[at].key, &key, sizeof(key)) == 0) {
            return &text->entries[at].glyph;
        }
    }
    if (text->count >= CACHE_SLOTS / 4 * 3) {
        empty_cache(text);
        at = hash_of(key) % CACHE_SLOTS;
    }
    struct glyph glyph;
    bool made = text->face && typeface_glyph(text->face, key, &glyph);
    if (!made && !bitmap_glyph(key, &glyph)) return NULL;
    text->entries[at] = (struct entry){.key = key, .taken = true, .glyph = glyph};
    text->count++;
    return &text->entries[at].glyph;
}

static struct glyph_key key_of(const struct text_style *style, uint32_t c)
{
    float size = CAD_MAX(4.0f, CAD_MIN(style->size, 400.0f));
    struct glyph_key key;
    memset(&key, 0, sizeof(key));
    key.c = c;
    key.size_q4 = (uint16_t)(size * 16);
    key.weight = (uint8_t)style->weight;
    return key;
}

/* ---- runs ----------------------------------------------------------------------------------- */

/* The next character; what is broken is U+FFFD. Returns its bytes. */
static size_t next_char(cad_str words, uint32_t *c)
{
    int n = cad_utf8_decode(words, c);
    if (n > 0) return (size_t)n;
    *c = CAD_UTF8_REPLACEMENT;
    return 1;
}

/* What a run has come to. */
struct pen {
    struct canvas *canvas; /* NULL: it is only measured */
    float x, y;
    uint32_t color;
    struct glyph_key last; /* c 0: none yet */
};

/* One glyph, and the pen moves on. */
static void set_glyph(struct text *text, struct pen *pen, struct glyph_key key)
{
    if (text->face && pen->last.c != 0) pen->x += typeface_kerning(text->face, pen->last, key);
    pen->last = key;
    float whole = floorf(pen->x);
    if (pen->canvas && text->face) key.place = (uint8_t)((pen->x - whole) * TYPEFACE_PLACES);
    const struct glyph *glyph = glyph_of(text, key);
    if (!glyph) return;
    if (pen->canvas && glyph->bytes) {
        struct canvas_mask mask = {glyph->bytes, glyph->width, glyph->height, glyph->width};
        canvas_mask(pen->canvas, (int)whole + glyph->left,
                    (int)floorf(pen->y + 0.5f) - glyph->top, &mask, pen->color);
    }
    pen->x += glyph->advance;
}

static float run(struct text *text, struct canvas *canvas, const float pen[2],
                 const struct text_style *style, cad_str words)
{
    struct pen at = {.canvas = canvas, .x = pen[0], .y = pen[1], .color = style->color};
    while (words.n > 0) {
        uint32_t c = 0;
        size_t n = next_char(words, &c);
        set_glyph(text, &at, key_of(style, c));
        words = cad_str_sub(words, n, words.n);
    }
    return at.x;
}

float text_width(struct text *text, const struct text_style *style, cad_str words)
{
    const float pen[2] = {0, 0};
    return run(text, NULL, pen, style, words);
}

float text_draw(struct text *text, struct canvas *canvas, const float pen[2],
                const struct text_style *style, cad_str words)
{
    return run(text, canvas, pen, style, words);
}

/* Bytes of the longest beginning that is at most so wide. */
static size_t fitting(struct text *text, const struct text_style *style, cad_str words,
                      float width)
{
    struct pen at = {.x = 0};
    size_t used = 0;
    while (used < words.n) {
        uint32_t c = 0;
        size_t n = next_char(cad_str_sub(words, used, words.n), &c);
        set_glyph(text, &at, key_of(style, c));
        if (at.x > width) break;
        used += n;
    }
    return used;
}

float text_draw_cut(struct text *text, struct canvas *canvas, const float box[3],
                    const struct text_style *style, cad_str words)
{
    float width = box[2];
    static const char dots[] = "\xe2\x80\xa6";
    if (text_width(text, style, words) <= width) return run(text, canvas, box, style, words);
    cad_str ellipsis = text->face ? cad_str_from(dots) : CAD_STR("..");
    float room = width - text_width(text, style, ellipsis);
    size_t n = fitting(text, style, words, room);
    while (n > 0 && words.p[n - 1] == ' ') n--;
    const float next[2] = {run(text, canvas, box, style, cad_str_sub(words, 0, n)), box[1]};
    return n > 0 || room >= 0 ? run(text, canvas, next, style, ellipsis) : next[0];
}

size_t text_line(struct text *text, const struct text_style *style, cad_str words, float width,
                 size_t *skip)
{
    ptrdiff_t end = cad_str_find_char(words, '\n');
    size_t whole = end < 0 ? words.n : (size_t)end;
    size_t n = fitting(text, style, cad_str_sub(words, 0, whole), width);
    if (n == whole) {
        *skip = CAD_MIN(n + 1, words.n);
        return n;
    }
    size_t cut = n;
    while (cut > 0 && words.p[cut] != ' ') cut--;
    if (cut == 0) { /* one word that is wider than the line */
        uint32_t c = 0;
        *skip = CAD_MAX(n, next_char(words, &c));
        return *skip;
    }
    *skip = cut + 1;
    return cut;
}

float text_capital(const struct text_style *style)
{
    return style->size * CAPITAL_PART;
}
