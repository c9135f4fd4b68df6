/*
 * font_files.h - the table of faces that a backend may use: where they are, what they are called,
 * roughly which characters they have; and which of them is meant by a wish.
 */
#ifndef CAD_MEDIA_FONT_FILES_H
#define CAD_MEDIA_FONT_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ft2build.h>
#include <freetype/freetype.h>

#include "cadmium/font_freetype.h"

#include "base/arena.h"

#define FONT_FILES_MAX 4096u
#define FONT_FACES_MAX 8192u   /* entries */
#define FONT_INDEX_MAX 64      /* faces of one file */
#define FONT_DEPTH_MAX 8u      /* folders in folders */
#define FONT_ALIASES_MAX 256u
#define FONT_BLOCK_BITS 8      /* a block is 256 characters */
#define FONT_BLOCKS (0x110000u >> FONT_BLOCK_BITS)

/* A face of a file. */
struct font_entry {
    const char *path;
    int32_t index;  /* in the file */
    cad_str family;
    bool bold, italic;
    bool plain;     /* of ordinary width and weight */
    bool fixed;     /* all characters as wide */
    uint8_t blocks[FONT_BLOCKS / 8]; /* bits: a character of this block is there */
};

/* All of them, in the order of configuration and then of paths. */
struct font_files {
    struct cad_arena arena;
    struct font_entry *entries;
    uint32_t count, capacity;
    struct cad_font_alias *aliases;
    uint32_t alias_count;
};

/* Zeroed before; font_files_deinit also after a failure. CAD_E_NOTFOUND: nothing usable. */
CAD_MUST_CHECK int font_files_init(struct font_files *f, const struct cad_alloc *alloc,
                                   const struct cad_font_config *config, FT_Library library);
void font_files_deinit(struct font_files *f);

/* Is code really in the entry? Opens it. */
typedef bool (*font_has_fn)(void *ctx, uint32_t entry, uint32_t code);

/*
 * The entry for a wish. 0; 1: none has want->codepoint, *out is the one that else would do. An
 * entry is asked for a character only where its block has some.
 */
int font_files_find(const struct font_files *f, const struct cad_font_want *want, font_has_fn has,
                    void *ctx, uint32_t *out);

#endif
