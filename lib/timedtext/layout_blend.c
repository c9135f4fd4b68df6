/*
 * layout_blend.c - images onto a canvas. Every pixel passes here: it is built to be fast.
 */
#include "cadmium/draw.h"

#include <string.h>

#include "base/util.h"

#define LANES 0x00ff00ffu /* two of a pixel's four bytes */

/* Both lanes times by / 255, to the nearest. */
static inline uint32_t scale(uint32_t lanes, uint32_t by)
{
    uint32_t t = lanes * by + 0x00800080u;
    return ((t + ((t >> 8) & LANES)) >> 8) & LANES;
}

/* own: as the pixel lies in memory, with an alpha of 255. */
static inline void blend_pixel(uint8_t *to, uint32_t own, uint32_t alpha)
{
    uint32_t p;
    memcpy(&p, to, sizeof(p));
    uint32_t even = scale(own & LANES, alpha) + scale(p & LANES, 255 - alpha);
    uint32_t odd = scale((own >> 8) & LANES, alpha) + scale((p >> 8) & LANES, 255 - alpha);
    p = even | (odd << 8);
    memcpy(to, &p, sizeof(p));
}

static void blend_image(const struct cad_text_image *image, const struct cad_text_canvas *canvas)
{
    int64_t x0 = CAD_MAX(image->x, 0);
    int64_t y0 = CAD_MAX(image->y, 0);
    int64_t x1 = CAD_MIN((int64_t)image->x + image->width, (int64_t)canvas->width);
    int64_t y1 = CAD_MIN((int64_t)image->y + image->height, (int64_t)canvas->height);
    uint32_t alpha = image->color & 0xffu;
    const uint8_t bytes[4] = {(uint8_t)(image->color >> 24), (uint8_t)(image->color >> 16),
                              (uint8_t)(image->color >> 8), 255};
    uint32_t own;
    memcpy(&own, bytes, sizeof(own));
    for (int64_t y = y0; y < y1; y++) {
        uint8_t *to = canvas->pixels + (size_t)y * canvas->stride + 4 * (size_t)x0;
        const uint8_t *from = NULL;
        if (image->coverage) {
            from = image->coverage + (size_t)(y - image->y) * image->stride + (x0 - image->x);
        }
        for (int64_t x = x0; x < x1; x++, to += 4) {
            if (!from) blend_pixel(to, own, alpha);
            else if (*from != 0) blend_pixel(to, own, (alpha * *from + 127) / 255);
            if (from) from++;
        }
    }
}

void cad_text_blend(const struct cad_text_picture *picture, const struct cad_text_canvas *canvas)
{
    for (const struct cad_text_image *image = picture->images; image; image = image->next) {
        if (image->src.n == 0) blend_image(image, canvas);
    }
}
