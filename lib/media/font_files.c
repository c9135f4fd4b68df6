/*
 * font_files.c - looking through files and folders for faces, and choosing among them.
 */
#include "media/font_files.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#define CHUNK_BYTES 65536u
#define BYTES_MAX ((size_t)32 << 20) /* of the table */
#define PATH_MAX_BYTES 4096u
#define ALIAS_DEPTH_MAX 4u           /* names in what a name means */

/* What generic names mean where the application says nothing. */
static const struct cad_font_alias built_in[] = {
    {"default", "monospaceSerif"},
    {"monospace", "monospaceSerif"},
    {"monospaceSerif", "Liberation Mono,Courier New,DejaVu Sans Mono,Noto Sans Mono,FreeMono"},
    {"monospaceSansSerif", "DejaVu Sans Mono,Liberation Mono,Noto Sans Mono,FreeMono"},
    {"sansSerif", "proportionalSansSerif"},
    {"sans-serif", "proportionalSansSerif"},
    {"proportionalSansSerif", "Liberation Sans,Arial,Helvetica,DejaVu Sans,Noto Sans,FreeSans"},
    {"serif", "proportionalSerif"},
    {"proportionalSerif", "Liberation Serif,Times New Roman,DejaVu Serif,Noto Serif,FreeSerif"},
    {"Arial", "Liberation Sans"},
    {"Helvetica", "Liberation Sans"},
    {"Courier New", "Liberation Mono"},
    {"Times New Roman", "Liberation Serif"},
};

/* ---- the list of files ----------------------------------------------------------------------- */

/* Paths, in an arena of their own. */
struct paths {
    struct cad_arena *arena;
    const char **items; /* FONT_FILES_MAX of them */
    uint32_t count;
};

static bool is_font(const char *name)
{
    static const char *const ends[] = {".ttf", ".otf", ".ttc", ".otc"};
    cad_str s = cad_str_from(name);
    if (s.n < 5) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(ends); i++) {
        if (cad_str_ieq(cad_str_sub(s, s.n - 4, 4), cad_str_from(ends[i]))) return true;
    }
    return false;
}

static int add_path(struct paths *paths, const char *path)
{
    if (paths->count == FONT_FILES_MAX) return CAD_OK;
    cad_str copy = cad_arena_str(paths->arena, cad_str_from(path));
    if (!copy.p) return cad_arena_error(paths->arena);
    paths->items[paths->count++] = copy.p;
    return CAD_OK;
}

static int add_folder(struct paths *paths, const char *folder, uint32_t depth)
{
    DIR *dir = opendir(folder);
    size_t n = strlen(folder);
    int rc = CAD_OK;
    if (!dir) return CAD_OK; /* what cannot be read has no fonts */
    for (const struct dirent *e; rc == 0 && (e = readdir(dir)) != NULL;) {
        char path[PATH_MAX_BYTES];
        struct stat info;
        size_t m = strlen(e->d_name);
        if (e->d_name[0] == '.' || n + m + 2 > sizeof(path)) continue;
        memcpy(path, folder, n);
        path[n] = '/';
        memcpy(path + n + 1, e->d_name, m + 1);
        if (stat(path, &info) != 0) continue;
        if (S_ISDIR(info.st_mode)) {
            if (depth < FONT_DEPTH_MAX) rc = add_folder(paths, path, depth + 1);
        } else if (S_ISREG(info.st_mode) && is_font(e->d_name)) {
            rc = add_path(paths, path);
        }
    }
    (void)closedir(dir);
    return rc;
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Family names tell widths and weights apart where style names do not, and the other way round. */
static bool is_plain(const char *style)
{
    static const char *const words[] = {"Regular", "Book", "Roman", "Normal", "Bold", "Italic",
                                        "Oblique", "Medium"};
    cad_str rest = cad_str_from(style);
    cad_str word;
    while (cad_str_split(&rest, ' ', &word)) {
        bool known = word.n == 0;
        for (size_t i = 0; i < CAD_ARRAY_LEN(words) && !known; i++) {
            known = cad_str_ieq(word, cad_str_from(words[i]));
        }
        if (!known) return false;
    }
    return true;
}

static void note_characters(FT_Face face, struct font_entry *entry)
{
    FT_UInt glyph = 0;
    FT_ULong code = FT_Get_First_Char(face, &glyph);
    while (glyph != 0 && code < 0x110000) {
        uint32_t block = (uint32_t)code >> FONT_BLOCK_BITS;
        entry->blocks[block / 8] |= (uint8_t)(1u << (block % 8));
        code = FT_Get_Next_Char(face, (FT_ULong)(block + 1) * 256 - 1, &glyph);
    }
}

static int add_entry(struct font_files *f, FT_Face face, const char *path, int32_t index)
{
    if (!FT_IS_SCALABLE(face) || !face->family_name || !face->charmap) return CAD_OK;
    if (f->count == f->capacity) {
        uint32_t capacity = f->capacity == 0 ? 64 : f->capacity * 2;
        struct font_entry *more = cad_arena_array(&f->arena, struct font_entry, capacity);
        if (!more) return cad_arena_error(&f->arena);
        if (f->count > 0) memcpy(more, f->entries, f->count * sizeof(*more));
        f->entries = more;
        f->capacity = capacity;
    }
    struct font_entry *entry = &f->entries[f->count];
    entry->path = path;
    entry->index = index;
    entry->family = cad_arena_str(&f->arena, cad_str_from(face->family_name));
    if (!entry->family.p) return cad_arena_error(&f->arena);
    entry->bold = (face->style_flags & FT_STYLE_FLAG_BOLD) != 0;
    entry->italic = (face->style_flags & FT_STYLE_FLAG_ITALIC) != 0;
    entry->plain = is_plain(face->style_name ? face->style_name : "");
    entry->fixed = FT_IS_FIXED_WIDTH(face) != 0;
    note_characters(face, entry);
    f->count++;
    return CAD_OK;
}

static int add_file(struct font_files *f, FT_Library library, const char *path)
{
    int32_t faces = 1;
    int rc = CAD_OK;
    for (int32_t i = 0; i < faces && i < FONT_INDEX_MAX && rc == 0; i++) {
        FT_Face face = NULL;
        if (f->count == FONT_FACES_MAX || FT_New_Face(library, path, i, &face) != 0) break;
        faces = (int32_t)CAD_MIN(face->num_faces, FONT_INDEX_MAX);
        rc = add_entry(f, face, path, i);
        FT_Done_Face(face);
    }
    return rc;
}

static int add_aliases(struct font_files *f, const struct cad_font_config *config)
{
    uint32_t own = config->alias_count;
    uint32_t count = own + (uint32_t)CAD_ARRAY_LEN(built_in);
    if (own > FONT_ALIASES_MAX) return CAD_E_INVAL;
    f->aliases = cad_arena_array(&f->arena, struct cad_font_alias, count);
    if (!f->aliases) return cad_arena_error(&f->arena);
    for (uint32_t i = 0; i < count; i++) {
        f->aliases[i] = i < own ? config->aliases[i] : built_in[i - own];
        if (i >= own) continue;
        f->aliases[i].name = cad_arena_str(&f->arena, cad_str_from(config->aliases[i].name)).p;
        f->aliases[i].families =
            cad_arena_str(&f->arena, cad_str_from(config->aliases[i].families)).p;
        if (!f->aliases[i].name || !f->aliases[i].families) return cad_arena_error(&f->arena);
    }
    f->alias_count = count;
    return CAD_OK;
}

int font_files_init(struct font_files *f, const struct cad_alloc *alloc,
                    const struct cad_font_config *config, FT_Library library)
{
    cad_arena_init(&f->arena, alloc, CAD_MEM_OTHER, CHUNK_BYTES, BYTES_MAX);
    struct paths paths = {.arena = &f->arena};
    paths.items = cad_alloc_array(alloc, FONT_FILES_MAX, sizeof(*paths.items), CAD_MEM_OTHER);
    if (!paths.items) return CAD_E_NOMEM;
    int rc = add_aliases(f, config);
    for (uint32_t i = 0; i < config->file_count && rc == 0; i++) {
        rc = add_path(&paths, config->files[i]);
    }
    uint32_t given = paths.count;
    for (uint32_t i = 0; i < config->folder_count && rc == 0; i++) {
        rc = add_folder(&paths, config->folders[i], 0);
    }
    qsort(paths.items + given, paths.count - given, sizeof(*paths.items), compare_paths);
    for (uint32_t i = 0; i < paths.count && rc == 0; i++) {
        rc = add_file(f, library, paths.items[i]);
    }
    cad_alloc_free(alloc, paths.items, FONT_FILES_MAX * sizeof(*paths.items), CAD_MEM_OTHER);
    return rc == 0 && f->count == 0 ? CAD_E_NOTFOUND : rc;
}

void font_files_deinit(struct font_files *f)
{
    cad_arena_deinit(&f->arena);
    *f = (struct font_files){.entries = NULL};
}

/* ---- choosing -------------------------------------------------------------------------------- */

/* A search under way. */
struct search {
    const struct font_files *f;
    const struct cad_font_want *want;
    font_has_fn has;
    void *ctx;
    uint32_t first; /* the entry that would do but for the character; f->count: none */
};

static bool has(const struct search *s, uint32_t entry)
{
    uint32_t code = s->want->codepoint;
    uint32_t block = code >> FONT_BLOCK_BITS;
    if (code == 0) return true;
    if (code >= 0x110000 || !(s->f->entries[entry].blocks[block / 8] & (1u << (block % 8)))) {
        return false;
    }
    return s->has(s->ctx, entry, code);
}

/* How well it suits apart from its family. */
static int suits(const struct cad_font_want *want, const struct font_entry *e)
{
    return (e->plain ? 4 : 0) + (e->bold == want->bold ? 2 : 0) +
           (e->italic == want->italic ? 1 : 0);
}

/* The best of a family that has the character; f->count: none. */
static uint32_t best_of(struct search *s, cad_str family)
{
    uint32_t best = s->f->count;
    uint32_t any = s->f->count;
    for (uint32_t i = 0; i < s->f->count; i++) {
        const struct font_entry *e = &s->f->entries[i];
        if (!cad_str_ieq(e->family, family)) continue;
        if (any == s->f->count || suits(s->want, e) > suits(s->want, &s->f->entries[any])) any = i;
        if (best < s->f->count && suits(s->want, e) <= suits(s->want, &s->f->entries[best])) {
            continue;
        }
        if (has(s, i)) best = i;
    }
    if (s->first == s->f->count) s->first = any;
    return best;
}

/* A family by its name, or what the name stands for. */
static uint32_t by_name(struct search *s, cad_str name, uint32_t depth)
{
    uint32_t found = best_of(s, name);
    for (uint32_t i = 0; i < s->f->alias_count && found == s->f->count; i++) {
        cad_str rest = cad_str_from(s->f->aliases[i].families);
        cad_str family;
        if (!cad_str_ieq(name, cad_str_from(s->f->aliases[i].name))) continue;
        while (found == s->f->count && depth < ALIAS_DEPTH_MAX &&
               cad_str_split(&rest, ',', &family)) {
            family = cad_str_trim(family);
            /* A name that stands for itself is meant as a family. */
            if (!cad_str_ieq(family, name)) found = by_name(s, family, depth + 1);
        }
    }
    return found;
}

/* Families for all of East Asia come in kinds for a country each. */
static bool is_of_language(cad_str family, cad_str lang)
{
    static const char *const kinds[][2] = {{"ja", " JP"}, {"ko", " KR"}, {"zh-Hant", " TC"},
                                           {"zh-TW", " TC"}, {"zh-HK", " HK"}, {"zh", " SC"}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(kinds); i++) {
        cad_str tag = cad_str_from(kinds[i][0]);
        if (cad_str_ieq(cad_str_sub(lang, 0, tag.n), tag)) {
            return cad_str_ends(family, cad_str_from(kinds[i][1]));
        }
    }
    return false;
}

/* Any that has the character. */
static uint32_t by_character(const struct search *s)
{
    uint32_t best = s->f->count;
    int best_score = -1;
    for (uint32_t i = 0; i < s->f->count; i++) {
        const struct font_entry *e = &s->f->entries[i];
        int score = suits(s->want, e) + (is_of_language(e->family, s->want->lang) ? 16 : 0) +
                    (cad_str_find(e->family, CAD_STR("Sans")) >= 0 ? 8 : 0) - (e->fixed ? 8 : 0);
        if (score <= best_score || !has(s, i)) continue;
        best = i;
        best_score = score;
    }
    return best;
}

int font_files_find(const struct font_files *f, const struct cad_font_want *want, font_has_fn ask,
                    void *ctx, uint32_t *out)
{
    struct search s = {f, want, ask, ctx, f->count};
    uint32_t found = f->count;
    for (uint32_t i = 0; i < want->family_count && found == f->count; i++) {
        found = by_name(&s, want->families[i], 0);
    }
    if (found == f->count) found = by_name(&s, CAD_STR("default"), 0);
    if (found == f->count) found = by_name(&s, CAD_STR("sansSerif"), 0);
    if (found == f->count) found = by_character(&s);
    if (found < f->count) {
        *out = found;
        return 0;
    }
    *out = s.first < f->count ? s.first : 0;
    return 1;
}
