#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

#define MATRIX_BT709 1   /* ISO/IEC 23091-2 8.3 */
#define MATRIX_UNKNOWN 2
#define HD_HEIGHT 720    /* from here on unknown colours are taken for BT.709 */

void picture_init(struct picture *picture, SDL_Renderer *renderer)
{
    memset(picture, 0, sizeof(*picture));
    picture->renderer = renderer;
}

void picture_deinit(struct picture *picture)
{
    if (picture->texture) SDL_DestroyTexture(picture->texture);
    free(picture->planes);
    memset(picture, 0, sizeof(*picture));
}

static bool set_up_texture(struct picture *picture, const struct cad_frame *frame)
{
    bool fits = picture->width == frame->width && picture->height == frame->height;
    if (picture->texture && fits) return true;
    if (picture->texture) SDL_DestroyTexture(picture->texture);
    picture->texture =
        SDL_CreateTexture(picture->renderer, SDL_PIXELFORMAT_IYUV, SDL_TEXTUREACCESS_STREAMING,
                          (int)frame->width, (int)frame->height);
    picture->width = frame->width;
    picture->height = frame->height;
    return picture->texture != NULL;
}

static void choose_colours(const struct cad_frame *frame)
{
    bool unknown = frame->color_matrix == MATRIX_UNKNOWN || frame->color_matrix == 0;
    bool bt709 = unknown ? frame->height >= HD_HEIGHT : frame->color_matrix == MATRIX_BT709;
    SDL_YUV_CONVERSION_MODE mode = bt709 ? SDL_YUV_CONVERSION_BT709 : SDL_YUV_CONVERSION_BT601;
    SDL_SetYUVConversionMode(frame->full_range ? SDL_YUV_CONVERSION_JPEG : mode);
}

/* One 8-bit sample of a plane of any format. */
static uint8_t sample_at(const struct cad_frame *frame, uint32_t plane, uint32_t x, uint32_t y)
{
    const uint8_t *row = frame->plane[plane] + (ptrdiff_t)y * frame->stride[plane];
    if (frame->format != CAD_PIXEL_I420_10) return row[x];
    return (uint8_t)((row[2 * x] | row[2 * x + 1] << 8) >> 2);
}

/* The chroma of 4:2:2 and 4:4:4 is taken from every second place; grey has none. */
static void convert_plane(const struct cad_frame *frame, uint32_t plane, uint8_t *out)
{
    bool chroma = plane > 0;
    uint32_t width = chroma ? (frame->width + 1) / 2 : frame->width;
    uint32_t height = chroma ? (frame->height + 1) / 2 : frame->height;
    uint32_t step_x = chroma && frame->format == CAD_PIXEL_I444 ? 2 : 1;
    bool tall = frame->format == CAD_PIXEL_I444 || frame->format == CAD_PIXEL_I422;
    uint32_t step_y = chroma && tall ? 2 : 1;
    if (chroma && frame->format == CAD_PIXEL_GRAY) {
        memset(out, 128, (size_t)width * height);
        return;
    }
    for (uint32_t y = 0; y < height; y++) {
        for (uint32_t x = 0; x < width; x++) {
            *out++ = sample_at(frame, plane, x * step_x, y * step_y);
        }
    }
}

/* As 8-bit 4:2:0, packed. */
static bool upload_converted(struct picture *picture, const struct cad_frame *frame)
{
    size_t luma = (size_t)frame->width * frame->height;
    uint32_t half = (frame->width + 1) / 2;
    size_t chroma = (size_t)half * ((frame->height + 1) / 2);
    if (picture->planes_bytes < luma + 2 * chroma) {
        uint8_t *planes = realloc(picture->planes, luma + 2 * chroma);
        if (!planes) return false;
        picture->planes = planes;
        picture->planes_bytes = luma + 2 * chroma;
    }
    uint8_t *u = picture->planes + luma;
    uint8_t *v = u + chroma;
    convert_plane(frame, 0, picture->planes);
    convert_plane(frame, 1, u);
    convert_plane(frame, 2, v);
    return SDL_UpdateYUVTexture(picture->texture, NULL, picture->planes, (int)frame->width, u,
                                (int)half, v, (int)half) == 0;
}

bool picture_set(struct picture *picture, const struct cad_frame *frame)
{
    if (frame->format == CAD_PIXEL_NONE || !frame->plane[0]) return false;
    choose_colours(frame);
    if (!set_up_texture(picture, frame)) return false;
    picture->sar_num = CAD_MAX(frame->sar_num, 1u);
    picture->sar_den = CAD_MAX(frame->sar_den, 1u);
    if (frame->format != CAD_PIXEL_I420) return upload_converted(picture, frame);
    return SDL_UpdateYUVTexture(picture->texture, NULL, frame->plane[0], frame->stride[0],
                                frame->plane[1], frame->stride[1], frame->plane[2],
                                frame->stride[2]) == 0;
}

SDL_Rect picture_place(uint64_t shape_width, uint64_t shape_height, int width, int height)
{
    SDL_Rect place = {0, 0, width, height};
    if (shape_width == 0 || shape_height == 0 || width <= 0 || height <= 0) return place;
    uint64_t area_width = (uint64_t)width;
    uint64_t area_height = (uint64_t)height;
    if (area_width * shape_height > area_height * shape_width) {
        place.w = (int)(area_height * shape_width / shape_height);
    } else {
        place.h = (int)(area_width * shape_height / shape_width);
    }
    place.x = (width - place.w) / 2;
    place.y = (height - place.h) / 2;
    return place;
}

void picture_draw(struct picture *picture, int width, int height)
{
    if (!picture->texture) return;
    uint64_t shape_width = (uint64_t)picture->width * picture->sar_num;
    uint64_t shape_height = (uint64_t)picture->height * picture->sar_den;
    SDL_Rect place = picture_place(shape_width, shape_height, width, height);
    SDL_RenderCopy(picture->renderer, picture->texture, NULL, &place);
}
