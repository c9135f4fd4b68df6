/*
 * font_none.c - in place of font_freetype.c where FreeType, HarfBuzz or FriBidi is missing.
 */
#include "cadmium/font_freetype.h"

#include "base/util.h"

void cad_font_config_init(struct cad_font_config *config)
{
    *config = (struct cad_font_config){.size = sizeof(*config)};
}

int cad_font_freetype_create(const struct cad_alloc *alloc, const struct cad_font_config *config,
                             struct cad_fonts *out)
{
    CAD_UNUSED(alloc);
    CAD_UNUSED(config);
    CAD_UNUSED(out);
    return CAD_E_UNSUPPORTED;
}

void cad_font_freetype_destroy(struct cad_fonts *fonts)
{
    if (fonts) *fonts = (struct cad_fonts){NULL, NULL};
}
