/*
 * font_freetype.c - the font backend: faces and pictures by FreeType, shapes by HarfBuzz, levels
 * by FriBidi.
 *
 * A face's number is its entry in the table (font_files.h) with two bits for what is made up:
 * emboldening and slanting. Shaping is done in unhinted units, so that it does not depend on what
 * was drawn before; pictures are kept in a table that is emptied when it is full.
 */
#include "cadmium/font_freetype.h"

#include <string.h>

#include <fribidi/fribidi.h>
#include <ft2build.h>
#include <freetype/freetype.h>
#include <freetype/ftglyph.h>
#include <freetype/ftoutln.h>
#include <freetype/ftstroke.h>
#include <freetype/tttables.h>
#include <hb-ft.h>
#include <hb.h>

#include "base/checked.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "media/font_files.h"

#define OPEN_MAX 16u                /* faces */
#define FOUND_SLOTS 512u            /* answers of find that are kept */
#define PICTURE_SLOTS 2048u
#define CACHE_BYTES (2u << 20)
#define SIZE_MAX_Q6 (2048 * 64)
#define BITMAP_SIDE_MAX 16384u      /* pixels */
#define SLANT 0x3333                /* of made-up italics: a fifth, in 1/65536 */
#define MADE_BOLD 1u
#define MADE_SLANTED 2u
#define CHARACTERS_MAX (1u << 20)   /* of a paragraph */

struct open_face {
    FT_Face ft; /* NULL: free */
    hb_font_t *hb;
    uint32_t entry;
    uint64_t used; /* when, by the count of uses */
};

/* An answer of find. */
struct found {
    uint64_t key; /* a hash of the wish; 0: free */
    uint32_t face;
    int rc;
};

struct picture {
    struct cad_font_picture want;
    struct cad_font_bitmap bitmap; /* coverage is ours */
    bool used;
};

struct backend {
    struct cad_alloc alloc;
    FT_Library library;
    FT_Stroker stroker;
    hb_buffer_t *buffer;
    struct font_files files;
    struct open_face open[OPEN_MAX];
    uint64_t uses;
    struct found found[FOUND_SLOTS];
    struct picture pictures[PICTURE_SLOTS];
    uint32_t picture_count;
    size_t cache_bytes, cache_limit;
    uint8_t *large; /* a picture that is not kept */
    size_t large_bytes;
};

/* ---- faces ----------------------------------------------------------------------------------- */

static void close_face(struct open_face *face)
{
    if (face->hb) hb_font_destroy(face->hb);
    if (face->ft) FT_Done_Face(face->ft);
    *face = (struct open_face){.ft = NULL};
}

static int open_entry(struct backend *b, uint32_t entry, struct open_face **out)
{
    struct open_face *slot = &b->open[0];
    if (entry >= b->files.count) return CAD_E_INVAL;
    for (uint32_t i = 0; i < OPEN_MAX; i++) {
        struct open_face *o = &b->open[i];
        if (o->ft && o->entry == entry) {
            o->used = ++b->uses;
            *out = o;
            return CAD_OK;
        }
        if (slot->ft && (!o->ft || o->used < slot->used)) slot = o;
    }
    close_face(slot);
    const struct font_entry *e = &b->files.entries[entry];
    if (FT_New_Face(b->library, e->path, e->index, &slot->ft) != 0) {
        slot->ft = NULL;
        return CAD_E_IO;
    }
    hb_face_t *face = hb_ft_face_create_referenced(slot->ft);
    slot->hb = hb_font_create(face);
    hb_face_destroy(face);
    slot->entry = entry;
    slot->used = ++b->uses;
    *out = slot;
    return CAD_OK;
}

static bool has_character(void *ctx, uint32_t entry, uint32_t code)
{
    struct open_face *face = NULL;
    return open_entry(ctx, entry, &face) == 0 && FT_Get_Char_Index(face->ft, code) != 0;
}

static uint64_t hash_want(const struct cad_font_want *want)
{
    uint64_t h = cad_hash_u64(want->codepoint) ^ (want->bold ? 1u : 0u) ^ (want->italic ? 2u : 0u);
    h = cad_hash64(want->lang.p ? want->lang.p : "", want->lang.n, h);
    for (uint32_t i = 0; i < want->family_count; i++) {
        h = cad_hash64(want->families[i].p, want->families[i].n, h);
    }
    return h != 0 ? h : 1;
}

static int ft_find(void *ctx, const struct cad_font_want *want, uint32_t *face)
{
    struct backend *b = ctx;
    uint64_t key = hash_want(want);
    struct found *kept = &b->found[key % FOUND_SLOTS];
    if (kept->key != key) {
        uint32_t entry = 0;
        int rc = font_files_find(&b->files, want, has_character, b, &entry);
        if (rc < 0) return rc;
        const struct font_entry *e = &b->files.entries[entry];
        kept->key = key;
        kept->rc = rc;
        kept->face = entry * 4 + (want->bold && !e->bold ? MADE_BOLD : 0) +
                     (want->italic && !e->italic ? MADE_SLANTED : 0);
    }
    *face = kept->face;
    return kept->rc;
}

/* ---- metrics --------------------------------------------------------------------------------- */

static int32_t scaled(int64_t units, int32_t size, FT_Face face)
{
    int64_t em = face->units_per_EM > 0 ? face->units_per_EM : 1000;
    return (int32_t)cad_muldiv_floor_i64(2 * units * size + em, 1, 2 * em);
}

static int ft_metrics(void *ctx, uint32_t face, int32_t size, struct cad_font_metrics *out)
{
    struct open_face *o = NULL;
    if (size <= 0 || size > SIZE_MAX_Q6) return CAD_E_INVAL;
    int rc = open_entry(ctx, face / 4, &o);
    if (rc != 0) return rc;
    FT_Face ft = o->ft;
    const TT_OS2 *os2 = FT_Get_Sfnt_Table(ft, FT_SFNT_OS2);
    out->ascent = scaled(ft->ascender, size, ft);
    out->descent = -scaled(ft->descender, size, ft);
    out->line_gap = CAD_MAX(0, scaled(ft->height, size, ft) - out->ascent - out->descent);
    out->underline = scaled(ft->underline_position, size, ft);
    out->thickness = CAD_MAX(1, scaled(ft->underline_thickness, size, ft));
    out->strike = size / 4;
    if (os2 && os2->yStrikeoutPosition > 0) {
        out->strike = scaled(os2->yStrikeoutPosition - os2->yStrikeoutSize / 2, size, ft);
    }
    return CAD_OK;
}

/* ---- characters ------------------------------------------------------------------------------ */

/* A character without a script has that of what is before it, or else of what follows. */
static void find_scripts(const uint32_t *text, uint32_t count, uint32_t *scripts)
{
    hb_unicode_funcs_t *unicode = hb_unicode_funcs_get_default();
    hb_script_t last = HB_SCRIPT_COMMON;
    uint32_t unknown = 0; /* how many at the beginning */
    for (uint32_t i = 0; i < count; i++) {
        hb_script_t script = hb_unicode_script(unicode, text[i]);
        bool known = script != HB_SCRIPT_COMMON && script != HB_SCRIPT_INHERITED &&
                     script != HB_SCRIPT_UNKNOWN;
        if (known && last == HB_SCRIPT_COMMON) {
            for (uint32_t k = 0; k < unknown; k++) scripts[k] = hb_script_to_iso15924_tag(script);
        }
        if (known) last = script;
        if (last == HB_SCRIPT_COMMON) unknown = i + 1;
        scripts[i] = hb_script_to_iso15924_tag(last);
    }
}

static int ft_analyse(void *ctx, const struct cad_font_paragraph *p, uint8_t *levels,
                      uint32_t *scripts)
{
    struct backend *b = ctx;
    uint32_t count = p->count;
    if (count == 0) return CAD_OK;
    if (count > CHARACTERS_MAX) return CAD_E_LIMIT;
    size_t each = sizeof(FriBidiCharType) + sizeof(FriBidiBracketType) + sizeof(FriBidiLevel);
    uint8_t *memory = cad_alloc_array(&b->alloc, count, each, CAD_MEM_OTHER);
    if (!memory) return CAD_E_NOMEM;
    FriBidiCharType *types = (FriBidiCharType *)(void *)memory;
    FriBidiBracketType *brackets = (FriBidiBracketType *)(void *)(types + count);
    FriBidiLevel *found = (FriBidiLevel *)(void *)(brackets + count);
    FriBidiParType base = p->rtl ? FRIBIDI_PAR_RTL : FRIBIDI_PAR_LTR;
    FriBidiStrIndex n = (FriBidiStrIndex)count;
    fribidi_get_bidi_types(p->text, n, types);
    fribidi_get_bracket_types(p->text, n, types, brackets);
    int highest = fribidi_get_par_embedding_levels_ex(types, brackets, n, &base, found);
    for (uint32_t i = 0; i < count && highest > 0; i++) {
        levels[i] = found[i] < 0 ? (uint8_t)(p->rtl ? 1 : 0) : (uint8_t)found[i];
    }
    cad_alloc_free(&b->alloc, memory, count * each, CAD_MEM_OTHER);
    if (highest <= 0) return CAD_E_NOMEM;
    find_scripts(p->text, count, scripts);
    return CAD_OK;
}

/* ---- shaping --------------------------------------------------------------------------------- */

/* HarfBuzz never forgets a language: of what documents say only the first two or three letters. */
static void set_language(hb_buffer_t *buffer, cad_str lang)
{
    size_t n = 0;
    while (n < lang.n && cad_is_alpha(lang.p[n])) n++;
    if (n < 2 || n > 3) return;
    bool traditional = cad_str_find(lang, CAD_STR("Hant")) >= 0 ||
                       cad_str_find(lang, CAD_STR("TW")) >= 0 ||
                       cad_str_find(lang, CAD_STR("HK")) >= 0;
    if (n == 2 && traditional && cad_str_ieq(cad_str_sub(lang, 0, 2), CAD_STR("zh"))) {
        hb_buffer_set_language(buffer, hb_language_from_string("zh-Hant", -1));
    } else {
        hb_buffer_set_language(buffer, hb_language_from_string(lang.p, (int)n));
    }
}

static int ft_shape(void *ctx, const struct cad_font_shape *piece, struct cad_font_glyph *out,
                    uint32_t max)
{
    struct backend *b = ctx;
    struct open_face *o = NULL;
    if (piece->size <= 0 || piece->size > SIZE_MAX_Q6 || piece->length > CHARACTERS_MAX ||
        piece->from > piece->length || piece->count > piece->length - piece->from) {
        return CAD_E_INVAL;
    }
    int rc = open_entry(b, piece->face / 4, &o);
    if (rc != 0) return rc;
    hb_font_set_scale(o->hb, piece->size, piece->size);
    hb_buffer_reset(b->buffer);
    hb_buffer_add_utf32(b->buffer, piece->text, (int)piece->length, piece->from,
                        (int)piece->count);
    hb_direction_t direction = piece->rtl ? HB_DIRECTION_RTL : HB_DIRECTION_LTR;
    if (piece->vertical) direction = piece->rtl ? HB_DIRECTION_BTT : HB_DIRECTION_TTB;
    hb_buffer_set_direction(b->buffer, direction);
    hb_buffer_set_script(b->buffer, hb_script_from_iso15924_tag(piece->script));
    set_language(b->buffer, piece->lang);
    hb_shape(o->hb, b->buffer, NULL, 0);
    unsigned int count = 0;
    const hb_glyph_info_t *info = hb_buffer_get_glyph_infos(b->buffer, &count);
    const hb_glyph_position_t *place = hb_buffer_get_glyph_positions(b->buffer, &count);
    if (!hb_buffer_allocation_successful(b->buffer)) return CAD_E_NOMEM;
    if (count > max) return CAD_E_LIMIT;
    for (unsigned int i = 0; i < count; i++) {
        int32_t advance = piece->vertical ? -place[i].y_advance : place[i].x_advance;
        out[i] = (struct cad_font_glyph){.id = info[i].codepoint, .cluster = info[i].cluster,
                                         .advance = CAD_MAX(advance, 0), .x = place[i].x_offset,
                                         .y = place[i].y_offset};
    }
    return (int)count;
}

/* ---- pictures -------------------------------------------------------------------------------- */

static bool same_picture(const struct cad_font_picture *a, const struct cad_font_picture *b)
{
    return a->face == b->face && a->id == b->id && a->size == b->size && a->x == b->x &&
           a->stroke == b->stroke && a->slant == b->slant;
}

static void forget_pictures(struct backend *b)
{
    for (uint32_t i = 0; i < PICTURE_SLOTS; i++) {
        struct picture *p = &b->pictures[i];
        if (p->bitmap.coverage) {
            cad_alloc_free(&b->alloc, (void *)(uintptr_t)p->bitmap.coverage,
                           (size_t)p->bitmap.width * p->bitmap.height, CAD_MEM_OTHER);
        }
        *p = (struct picture){.used = false};
    }
    b->picture_count = 0;
    b->cache_bytes = 0;
}

/* The slot of a wish, or a free one; by open addressing. */
static struct picture *slot_of(struct backend *b, const struct cad_font_picture *want)
{
    const uint32_t words[6] = {want->face, want->id, (uint32_t)want->size, (uint32_t)want->x,
                               (uint32_t)want->stroke, (uint32_t)want->slant};
    uint64_t at = cad_hash64(words, sizeof(words), 0);
    while (b->pictures[at % PICTURE_SLOTS].used &&
           !same_picture(&b->pictures[at % PICTURE_SLOTS].want, want)) {
        at++;
    }
    return &b->pictures[at % PICTURE_SLOTS];
}

/* Adds what `from` covers to `to`, which is large enough: as if both were independent. */
static void add_coverage(struct cad_font_bitmap *to, uint8_t *bytes, const FT_BitmapGlyph from)
{
    for (uint32_t y = 0; y < from->bitmap.rows; y++) {
        int64_t row = (int64_t)to->top - from->top + y;
        if (row < 0 || row >= to->height) continue;
        for (uint32_t x = 0; x < from->bitmap.width; x++) {
            int64_t column = (int64_t)from->left - to->left + x;
            if (column < 0 || column >= to->width) continue;
            uint8_t *p = bytes + (size_t)row * to->width + (size_t)column;
            uint32_t own = from->bitmap.buffer[(ptrdiff_t)y * from->bitmap.pitch + (ptrdiff_t)x];
            *p = (uint8_t)(255u - ((255u - *p) * (255u - own) + 127) / 255);
        }
    }
}

/* The glyph as an outline; NULL: it has none. */
static FT_Glyph load_outline(FT_Face ft, const struct cad_font_picture *want)
{
    FT_Glyph glyph = NULL;
    FT_Int32 flags = FT_LOAD_NO_BITMAP | FT_LOAD_TARGET_LIGHT;
    FT_Matrix lean = {0x10000, want->slant, 0, 0x10000};
    if (want->face & MADE_SLANTED) lean.xy += SLANT;
    if (FT_Set_Char_Size(ft, 0, want->size, 72, 72) != 0 ||
        FT_Load_Glyph(ft, want->id, flags) != 0 || ft->glyph->format != FT_GLYPH_FORMAT_OUTLINE) {
        return NULL;
    }
    if (want->face & MADE_BOLD) FT_Outline_Embolden(&ft->glyph->outline, want->size / 24);
    FT_Outline_Transform(&ft->glyph->outline, &lean);
    FT_Outline_Translate(&ft->glyph->outline, want->x, 0);
    return FT_Get_Glyph(ft->glyph, &glyph) == 0 ? glyph : NULL;
}

/* CAD_E_UNSUPPORTED: it has no ink. */
static int to_bitmap(FT_Glyph *glyph)
{
    FT_BBox box;
    FT_Glyph_Get_CBox(*glyph, FT_GLYPH_BBOX_PIXELS, &box);
    if (box.xMax - box.xMin > (FT_Pos)BITMAP_SIDE_MAX ||
        box.yMax - box.yMin > (FT_Pos)BITMAP_SIDE_MAX) {
        return CAD_E_LIMIT;
    }
    FT_Error e = FT_Glyph_To_Bitmap(glyph, FT_RENDER_MODE_NORMAL, NULL, 1);
    if (e == FT_Err_Out_Of_Memory) return CAD_E_NOMEM;
    return e == 0 ? CAD_OK : CAD_E_UNSUPPORTED;
}

/* The glyph with a line around it, both into one bitmap that is the caller's. */
static int draw(struct backend *b, FT_Glyph *fill, const struct cad_font_picture *want,
                struct cad_font_bitmap *out)
{
    FT_Glyph ring = NULL;
    int rc = CAD_OK;
    if (want->stroke > 0) {
        FT_Stroker_Set(b->stroker, want->stroke, FT_STROKER_LINECAP_ROUND,
                       FT_STROKER_LINEJOIN_ROUND, 0);
        if (FT_Glyph_Copy(*fill, &ring) != 0) return CAD_E_NOMEM;
        if (FT_Glyph_Stroke(&ring, b->stroker, 1) != 0) rc = CAD_E_UNSUPPORTED;
        if (rc == 0) rc = to_bitmap(&ring);
    }
    if (rc == 0) rc = to_bitmap(fill);
    if (rc == 0) {
        FT_BitmapGlyph whole = (FT_BitmapGlyph)(ring ? ring : *fill);
        size_t bytes = (size_t)whole->bitmap.width * whole->bitmap.rows;
        out->left = whole->left;
        out->top = whole->top;
        out->width = whole->bitmap.width;
        out->height = whole->bitmap.rows;
        out->stride = out->width;
        uint8_t *memory = bytes > 0 ? cad_alloc_new(&b->alloc, bytes, CAD_MEM_OTHER) : NULL;
        if (bytes > 0 && !memory) rc = CAD_E_NOMEM;
        if (memory && ring) add_coverage(out, memory, (FT_BitmapGlyph)ring);
        if (memory) add_coverage(out, memory, (FT_BitmapGlyph)*fill);
        out->coverage = memory;
    }
    if (ring) FT_Done_Glyph(ring);
    return rc;
}

/* Keeps a new picture, or holds it until the next. */
static void keep(struct backend *b, const struct cad_font_picture *want,
                 const struct cad_font_bitmap *bitmap)
{
    size_t bytes = (size_t)bitmap->width * bitmap->height;
    if (bytes > b->cache_limit / 4) {
        b->large = (uint8_t *)(uintptr_t)bitmap->coverage;
        b->large_bytes = bytes;
        return;
    }
    if (b->picture_count >= PICTURE_SLOTS / 2 || bytes > b->cache_limit - b->cache_bytes) {
        forget_pictures(b);
    }
    struct picture *slot = slot_of(b, want);
    *slot = (struct picture){*want, *bitmap, true};
    b->picture_count++;
    b->cache_bytes += bytes;
}

static int ft_picture(void *ctx, const struct cad_font_picture *want, struct cad_font_bitmap *out)
{
    struct backend *b = ctx;
    struct open_face *o = NULL;
    const struct picture *kept = slot_of(b, want);
    if (kept->used) {
        *out = kept->bitmap;
        return CAD_OK;
    }
    if (want->size <= 0 || want->size > SIZE_MAX_Q6 || want->stroke < 0 ||
        want->stroke > SIZE_MAX_Q6) {
        return CAD_E_INVAL;
    }
    cad_alloc_free(&b->alloc, b->large, b->large_bytes, CAD_MEM_OTHER);
    b->large = NULL;
    int rc = open_entry(b, want->face / 4, &o);
    if (rc != 0) return rc;
    struct cad_font_bitmap bitmap = {.coverage = NULL};
    FT_Glyph glyph = load_outline(o->ft, want);
    if (glyph) {
        rc = draw(b, &glyph, want, &bitmap);
        FT_Done_Glyph(glyph);
    }
    if (rc == CAD_E_UNSUPPORTED) rc = CAD_OK; /* a glyph that cannot be drawn has no ink */
    if (rc != 0) return rc;
    if (!bitmap.coverage) bitmap = (struct cad_font_bitmap){.coverage = NULL};
    keep(b, want, &bitmap);
    *out = bitmap;
    return CAD_OK;
}

/* ---- life ------------------------------------------------------------------------------------ */

static const char *const system_folders[] = {"/usr/share/fonts"};

void cad_font_config_init(struct cad_font_config *config)
{
    *config = (struct cad_font_config){.size = sizeof(*config), .folders = system_folders,
                                       .folder_count = 1, .cache_bytes = CACHE_BYTES};
}

static void destroy(struct backend *b)
{
    struct cad_alloc alloc = b->alloc;
    forget_pictures(b);
    cad_alloc_free(&alloc, b->large, b->large_bytes, CAD_MEM_OTHER);
    for (uint32_t i = 0; i < OPEN_MAX; i++) close_face(&b->open[i]);
    if (b->buffer) hb_buffer_destroy(b->buffer);
    if (b->stroker) FT_Stroker_Done(b->stroker);
    if (b->library) FT_Done_FreeType(b->library);
    font_files_deinit(&b->files);
    cad_alloc_free(&alloc, b, sizeof(*b), CAD_MEM_OTHER);
}

int cad_font_freetype_create(const struct cad_alloc *alloc, const struct cad_font_config *config,
                             struct cad_fonts *out)
{
    static const struct cad_font_ops ops = {sizeof(ops), ft_find, ft_metrics, ft_analyse, ft_shape,
                                            ft_picture};
    struct cad_font_config defaults;
    cad_font_config_init(&defaults);
    if (!config) config = &defaults;
    if (!alloc || !alloc->fn || !out || config->size < sizeof(*config)) return CAD_E_INVAL;
    struct backend *b = cad_alloc_new(alloc, sizeof(*b), CAD_MEM_OTHER);
    if (!b) return CAD_E_NOMEM;
    b->alloc = *alloc;
    b->cache_limit = config->cache_bytes;
    b->buffer = hb_buffer_create();
    int rc = CAD_OK;
    if (FT_Init_FreeType(&b->library) != 0 || FT_Stroker_New(b->library, &b->stroker) != 0 ||
        !hb_buffer_allocation_successful(b->buffer)) {
        rc = CAD_E_NOMEM;
    }
    if (rc == 0) rc = font_files_init(&b->files, &b->alloc, config, b->library);
    if (rc != 0) {
        destroy(b);
        return rc;
    }
    *out = (struct cad_fonts){&ops, b};
    return CAD_OK;
}

void cad_font_freetype_destroy(struct cad_fonts *fonts)
{
    if (!fonts || !fonts->ctx) return;
    destroy(fonts->ctx);
    *fonts = (struct cad_fonts){NULL, NULL};
}
