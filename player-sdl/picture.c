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
    cad_converter_destroy(&picture->converter);
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

/* What was mapped is BT.709 of limited range. */
static void choose_colours(const struct cad_frame *frame, uint32_t steps)
{
    if (steps & (CAD_CONVERT_HDR | CAD_CONVERT_GAMUT)) {
        SDL_SetYUVConversionMode(SDL_YUV_CONVERSION_BT709);
        return;
    }
    bool unknown = frame->color_matrix == MATRIX_UNKNOWN || frame->color_matrix == 0;
    bool bt709 = unknown ? frame->height >= HD_HEIGHT : frame->color_matrix == MATRIX_BT709;
    SDL_YUV_CONVERSION_MODE mode = bt709 ? SDL_YUV_CONVERSION_BT709 : SDL_YUV_CONVERSION_BT601;
    SDL_SetYUVConversionMode(frame->full_range ? SDL_YUV_CONVERSION_JPEG : mode);
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
    uint8_t *const plane[3] = {picture->planes, u, v};
    const int32_t stride[3] = {(int32_t)frame->width, (int32_t)half, (int32_t)half};
    const struct cad_alloc alloc = cad_alloc_system();
    if (!picture->converter && cad_converter_create(&alloc, &picture->converter) < 0) return false;
    if (cad_converter_run(picture->converter, frame, plane, stride) < 0) return false;
    return SDL_UpdateYUVTexture(picture->texture, NULL, picture->planes, (int)frame->width, u,
                                (int)half, v, (int)half) == 0;
}

bool picture_set(struct picture *picture, const struct cad_frame *frame)
{
    if (frame->format == CAD_PIXEL_NONE || !frame->plane[0]) return false;
    uint32_t steps = cad_frame_convert_steps(frame);
    choose_colours(frame, steps);
    if (!set_up_texture(picture, frame)) return false;
    picture->sar_num = CAD_MAX(frame->sar_num, 1u);
    picture->sar_den = CAD_MAX(frame->sar_den, 1u);
    picture->steps = steps;
    picture->color = frame->color;
    if (steps != 0) return upload_converted(picture, frame);
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

SDL_Rect picture_shape(const struct picture *picture, int width, int height)
{
    uint64_t shape_width = (uint64_t)picture->width * picture->sar_num;
    uint64_t shape_height = (uint64_t)picture->height * picture->sar_den;
    return picture_place(shape_width, shape_height, width, height);
}

void picture_draw(struct picture *picture, int width, int height)
{
    if (!picture->texture) return;
    SDL_Rect place = picture_shape(picture, width, height);
    SDL_RenderCopy(picture->renderer, picture->texture, NULL, &place);
}
