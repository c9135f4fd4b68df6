/*
 * font_freetype.h - a font backend (font.h) on FreeType, HarfBuzz and FriBidi (libcadmium-media).
 *
 *     cad_font_config_init(&config);                          all of /usr/share/fonts
 *     cad_font_freetype_create(&alloc, &config, &fonts);      looks through the folders: once
 *     options.fonts = fonts;                                  draw.h
 *     cad_font_freetype_destroy(&fonts);
 *
 * Faces are found by their own names, in a table that is made once from files and folders; files
 * are opened when they are needed. A character that the wanted family does not have is taken from
 * the first face that has it, in the order of the files' names, so that the same fonts give the
 * same pictures. For use on one thread at a time.
 *
 * What is allocated here comes from the allocator given, class CAD_MEM_OTHER. FreeType, HarfBuzz
 * and FriBidi take memory of their own from the C library, for at most 16 open faces.
 */
#ifndef CADMIUM_FONT_FREETYPE_H
#define CADMIUM_FONT_FREETYPE_H

#include "cadmium/font.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a generic name means. */
struct cad_font_alias {
    const char *name;     /* "sansSerif", "default" and so on, or any family's */
    const char *families; /* in order of preference, separated by commas */
};

/* Where the fonts are. Strings are copied. */
struct cad_font_config {
    size_t size;              /* bytes of this struct, set by the init function */
    const char *const *files; /* font files; they come before those of the folders */
    uint32_t file_count;      /* at most 4,096 */
    const char *const *folders; /* looked through with what is below; default: /usr/share/fonts */
    uint32_t folder_count;    /* 0: none */
    const struct cad_font_alias *aliases; /* before the built-in ones */
    uint32_t alias_count;     /* at most 256 */
    uint32_t cache_bytes;     /* of pictures of glyphs kept; default 2 MiB */
};

/* The defaults. */
void cad_font_config_init(struct cad_font_config *config);

/*
 * CAD_E_NOTFOUND: no usable font there; CAD_E_NOMEM; CAD_E_INVAL; CAD_E_UNSUPPORTED: the library
 * was built without FreeType, HarfBuzz or FriBidi. config NULL: the defaults.
 */
CAD_MUST_CHECK int cad_font_freetype_create(const struct cad_alloc *alloc,
                                            const struct cad_font_config *config,
                                            struct cad_fonts *out);
/* Accepts NULL, and one that is all zero; leaves all zero. */
void cad_font_freetype_destroy(struct cad_fonts *fonts);

#ifdef __cplusplus
}
#endif
#endif
