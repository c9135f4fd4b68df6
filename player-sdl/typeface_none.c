/* Without FreeType or fontconfig: there are no fonts but the bitmap font. */
#include "base/util.h"
#include "typeface.h"

struct typeface *typeface_open(void)
{
    return NULL;
}

void typeface_close(struct typeface **face)
{
    *face = NULL;
}

bool typeface_glyph(struct typeface *face, struct glyph_key key, struct glyph *out)
{
    CAD_UNUSED(face);
    CAD_UNUSED(key);
    CAD_UNUSED(out);
    return false;
}

float typeface_kerning(struct typeface *face, struct glyph_key left, struct glyph_key right)
{
    CAD_UNUSED(face);
    CAD_UNUSED(left);
    CAD_UNUSED(right);
    return 0;
}

const char *typeface_name(const struct typeface *face)
{
    CAD_UNUSED(face);
    return "bitmap";
}
