/*
 * Glyphs by FreeType, font files by fontconfig. The first face of a weight is a sans-serif; for a
 * character that it does not have fontconfig is asked once for a face that does.
 */
#include "typeface.h"

#include <stdlib.h>
#include <string.h>

#include <fontconfig/fontconfig.h>
#include <ft2build.h>
#include FT_FREETYPE_H
#include FT_OUTLINE_H

#include "base/util.h"

#define FACES_MAX 6      /* of one weight: the first, and for what it lacks */
#define MISSES_MAX 32    /* characters that no font has, remembered */
#define NAME_SIZE 80
/* DejaVu is drawn wide; a little narrower it sets as tightly as other sans-serifs. */
#define NARROW_Q16 0xf000

struct family {
    FT_Face faces[FACES_MAX];
    uint32_t count;
};

struct typeface {
    FT_Library library;
    FcConfig *config;
    struct family families[TEXT_WEIGHTS];
    uint32_t misses[MISSES_MAX];
    uint32_t miss_next;
    bool narrow;
    char name[NAME_SIZE];
};

/* The best file for a weight and, unless it is 0, a character. */
static FT_Face find_face(struct typeface *face, enum text_weight weight, uint32_t c)
{
    static const char *const wishes[] = {"DejaVu Sans", "Noto Sans", "Liberation Sans",
                                         "sans-serif"};
    FT_Face out = NULL;
    FcResult result = FcResultMatch;
    FcChar8 *file = NULL;
    int index = 0;
    FcPattern *pattern = FcPatternCreate();
    if (!pattern) return NULL;
    for (size_t i = 0; i < CAD_ARRAY_LEN(wishes); i++) {
        FcPatternAddString(pattern, FC_FAMILY, (const FcChar8 *)wishes[i]);
    }
    FcPatternAddInteger(pattern, FC_WEIGHT,
                        weight == TEXT_BOLD ? FC_WEIGHT_BOLD : FC_WEIGHT_REGULAR);
    FcPatternAddBool(pattern, FC_SCALABLE, FcTrue);
    FcCharSet *wanted = c != 0 ? FcCharSetCreate() : NULL;
    if (wanted && FcCharSetAddChar(wanted, c)) FcPatternAddCharSet(pattern, FC_CHARSET, wanted);
    FcConfigSubstitute(face->config, pattern, FcMatchPattern);
    FcDefaultSubstitute(pattern);
    FcPattern *match = FcFontMatch(face->config, pattern, &result);
    if (match && FcPatternGetString(match, FC_FILE, 0, &file) == FcResultMatch) {
        if (FcPatternGetInteger(match, FC_INDEX, 0, &index) != FcResultMatch) index = 0;
        if (FT_New_Face(face->library, (const char *)file, index, &out) != 0) out = NULL;
    }
    if (out && !FT_IS_SCALABLE(out)) {
        FT_Done_Face(out);
        out = NULL;
    }
    if (match) FcPatternDestroy(match);
    if (wanted) FcCharSetDestroy(wanted);
    FcPatternDestroy(pattern);
    return out;
}

struct typeface *typeface_open(void)
{
    struct typeface *face = calloc(1, sizeof(*face));
    if (!face) return NULL;
    face->config = FcInitLoadConfigAndFonts();
    if (!face->config || FT_Init_FreeType(&face->library) != 0) {
        typeface_close(&face);
        return NULL;
    }
    for (int weight = 0; weight < TEXT_WEIGHTS; weight++) {
        FT_Face first = find_face(face, (enum text_weight)weight, 0);
        if (!first) {
            typeface_close(&face);
            return NULL;
        }
        face->families[weight].faces[0] = first;
        face->families[weight].count = 1;
    }
    const char *name = face->families[TEXT_REGULAR].faces[0]->family_name;
    if (name) {
        size_t n = CAD_MIN(strlen(name), sizeof(face->name) - 1);
        memcpy(face->name, name, n);
    }
    face->narrow = strcmp(face->name, "DejaVu Sans") == 0;
    return face;
}

void typeface_close(struct typeface **face)
{
    if (!*face) return;
    for (int weight = 0; weight < TEXT_WEIGHTS; weight++) {
        struct family *family = &(*face)->families[weight];
        for (uint32_t i = 0; i < family->count; i++) FT_Done_Face(family->faces[i]);
    }
    if ((*face)->library) FT_Done_FreeType((*face)->library);
    if ((*face)->config) FcConfigDestroy((*face)->config);
    free(*face);
    *face = NULL;
}

const char *typeface_name(const struct typeface *face)
{
    return face->name;
}

static bool is_missed(const struct typeface *face, uint32_t c)
{
    for (uint32_t i = 0; i < MISSES_MAX; i++) {
        if (face->misses[i] == c) return true;
    }
    return false;
}

/* The face that has a character, and its number there; NULL: none. */
static FT_Face face_of(struct typeface *face, struct glyph_key key, FT_UInt *number)
{
    struct family *family = &face->families[key.weight];
    for (uint32_t i = 0; i < family->count; i++) {
        *number = FT_Get_Char_Index(family->faces[i], key.c);
        if (*number != 0) return family->faces[i];
    }
    if (is_missed(face, key.c)) return NULL;
    FT_Face more = NULL;
    if (family->count < FACES_MAX) more = find_face(face, (enum text_weight)key.weight, key.c);
    *number = more ? FT_Get_Char_Index(more, key.c) : 0;
    if (*number != 0) {
        family->faces[family->count++] = more;
        return more;
    }
    if (more) FT_Done_Face(more);
    face->misses[face->miss_next] = key.c;
    face->miss_next = (face->miss_next + 1) % MISSES_MAX;
    return NULL;
}

static bool set_size(const struct typeface *face, FT_Face in, struct glyph_key key)
{
    FT_Matrix shape = {face->narrow ? NARROW_Q16 : 0x10000, 0, 0, 0x10000};
    FT_Set_Transform(in, &shape, NULL);
    return FT_Set_Char_Size(in, 0, (FT_F26Dot6)key.size_q4 * 4, 72, 72) == 0;
}

static bool copy_bitmap(const FT_Bitmap *from, struct glyph *out)
{
    out->width = (int)from->width;
    out->height = (int)from->rows;
    if (out->width == 0 || out->height == 0 || from->pixel_mode != FT_PIXEL_MODE_GRAY) {
        out->width = out->height = 0;
        return true;
    }
    out->bytes = malloc((size_t)out->width * (size_t)out->height);
    if (!out->bytes) return false;
    for (int y = 0; y < out->height; y++) {
        memcpy(out->bytes + (ptrdiff_t)y * out->width, from->buffer + (ptrdiff_t)y * from->pitch,
               (size_t)out->width);
    }
    return true;
}

bool typeface_glyph(struct typeface *face, struct glyph_key key, struct glyph *out)
{
    FT_UInt number = 0;
    FT_Face in = face_of(face, key, &number);
    *out = (struct glyph){0};
    if (!in || !set_size(face, in, key)) return false;
    /* Light hinting moves up and down only: level stems are crisp, widths stay true. */
    if (FT_Load_Glyph(in, number, FT_LOAD_TARGET_LIGHT | FT_LOAD_NO_BITMAP) != 0) return false;
    FT_GlyphSlot slot = in->glyph;
    FT_Outline_Translate(&slot->outline, key.place * 64 / TYPEFACE_PLACES, 0);
    if (FT_Render_Glyph(slot, FT_RENDER_MODE_NORMAL) != 0) return false;
    out->left = slot->bitmap_left;
    out->top = slot->bitmap_top;
    out->advance = (float)slot->linearHoriAdvance / 65536.0f;
    if (face->narrow) out->advance = out->advance * NARROW_Q16 / 65536.0f;
    return copy_bitmap(&slot->bitmap, out);
}

float typeface_kerning(struct typeface *face, struct glyph_key left, struct glyph_key right)
{
    FT_UInt a = 0;
    FT_UInt b = 0;
    FT_Vector by = {0, 0};
    FT_Face first = face_of(face, left, &a);
    if (!first || !FT_HAS_KERNING(first) || face_of(face, right, &b) != first) return 0;
    if (!set_size(face, first, right)) return 0;
    if (FT_Get_Kerning(first, a, b, FT_KERNING_UNFITTED, &by) != 0) return 0;
    return (float)by.x / 64.0f;
}
