#include "caption.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "cadmium/font_freetype.h"

#define NESTED_MAX 128 /* blocks in blocks: what a document may nest */
#define BLACK 0x000000ffu

void caption_init(struct caption *caption, SDL_Renderer *renderer, uint32_t percent)
{
    memset(caption, 0, sizeof(*caption));
    caption->renderer = renderer;
    caption->percent = percent;
}

void caption_deinit(struct caption *caption)
{
    caption_reset(caption);
    cad_font_freetype_destroy(&caption->fonts);
}

void caption_reset(struct caption *caption)
{
    if (caption->texture) SDL_DestroyTexture(caption->texture);
    free(caption->pixels);
    caption->texture = NULL;
    caption->pixels = NULL;
    caption->used = (SDL_Rect){0, 0, 0, 0};
    caption->width = caption->height = 0;
}

/* A texture of that size, empty. */
static int set_up(struct caption *caption, int width, int height)
{
    if (caption->texture && caption->width == width && caption->height == height) return 0;
    caption_reset(caption);
    caption->pixels = calloc((size_t)width * (size_t)height, 4);
    if (!caption->pixels) return CAD_E_NOMEM;
    caption->texture = SDL_CreateTexture(caption->renderer, SDL_PIXELFORMAT_RGBA32,
                                         SDL_TEXTUREACCESS_STREAMING, width, height);
    if (!caption->texture) {
        caption_reset(caption);
        return CAD_E_LIMIT;
    }
    SDL_SetTextureBlendMode(caption->texture, SDL_BLENDMODE_BLEND);
    caption->width = width;
    caption->height = height;
    return 0;
}

static int find_fonts(struct caption *caption)
{
    if (caption->looked) return caption->fonts.ops ? 0 : CAD_E_NOTFOUND;
    const struct cad_alloc alloc = cad_alloc_system();
    caption->looked = true;
    return cad_font_freetype_create(&alloc, NULL, &caption->fonts);
}

/* All that is painted on, within the film. */
static SDL_Rect bounds_of(const struct cad_text_picture *picture)
{
    SDL_Rect all = {0, 0, 0, 0};
    const SDL_Rect film = {0, 0, (int)picture->width, (int)picture->height};
    for (const struct cad_text_image *image = picture->images; image; image = image->next) {
        SDL_Rect at = {image->x, image->y, (int)image->width, (int)image->height};
        if (image->src.n > 0 || !SDL_IntersectRect(&at, &film, &at)) continue;
        if (all.w == 0) all = at;
        SDL_UnionRect(&all, &at, &all);
    }
    return all;
}

/* Textures want colours that are not multiplied by alpha. */
static void divide_by_alpha(uint8_t *row, int count)
{
    for (uint8_t *pixel = row; count > 0; count--, pixel += 4) {
        uint32_t alpha = pixel[3];
        if (alpha == 0 || alpha == 255) continue;
        for (int i = 0; i < 3; i++) {
            uint32_t value = (pixel[i] * 255u + alpha / 2) / alpha;
            pixel[i] = (uint8_t)CAD_MIN(value, 255u);
        }
    }
}

/* Sends the part that is painted on. */
static void paint(struct caption *caption, const struct cad_text_picture *picture)
{
    SDL_Rect used = bounds_of(picture);
    size_t stride = (size_t)caption->width * 4;
    caption->used = used;
    if (used.w == 0) return;
    uint8_t *first = caption->pixels + (size_t)used.y * stride + (size_t)used.x * 4;
    for (int y = 0; y < used.h; y++) memset(first + (size_t)y * stride, 0, (size_t)used.w * 4);
    struct cad_text_canvas canvas = {caption->pixels, (uint32_t)caption->width,
                                     (uint32_t)caption->height, stride};
    cad_text_blend(picture, &canvas);
    for (int y = 0; y < used.h; y++) divide_by_alpha(first + (size_t)y * stride, used.w);
    if (SDL_UpdateTexture(caption->texture, &used, first, (int)stride) != 0) {
        caption->used.w = 0;
        caption->failure = CAD_E_LIMIT;
    }
}

/* ---- whether letters can be told from the film ---------------------------------------------- */

static bool sees(uint32_t color)
{
    return (color & 0xff) != 0;
}

static bool run_stands_out(const struct cad_text_run *run)
{
    const struct cad_text_look *look = &run->look;
    return run->kind == CAD_TEXT_RUN_TEXT &&
           (look->outline.on || look->shadow_count > 0 || look->background_count > 0);
}

static bool runs_stand_out(const struct cad_text_run *run)
{
    for (; run; run = run->next) {
        if (run_stands_out(run)) return true;
    }
    return false;
}

static bool blocks_stand_out(const struct cad_text_block *block)
{
    const struct cad_text_block *above[NESTED_MAX];
    size_t depth = 0;
    while (block || depth > 0) {
        if (!block) {
            block = above[--depth];
            continue;
        }
        if (block->kind == CAD_TEXT_BLOCK_IMAGE || sees(block->background)) return true;
        if (block->kind == CAD_TEXT_BLOCK_P && runs_stand_out(block->p.runs)) return true;
        if (block->kind == CAD_TEXT_BLOCK_DIV && depth < NESTED_MAX) {
            above[depth++] = block->next;
            block = block->blocks;
        } else {
            block = block->next;
        }
    }
    return false;
}

bool caption_stands_out(const struct cad_text_isd *isd)
{
    for (const struct cad_text_region *region = isd->regions; region; region = region->next) {
        if (sees(region->background) || blocks_stand_out(region->blocks)) return true;
    }
    return false;
}

/* ---- laying out ----------------------------------------------------------------------------- */

void caption_set(struct caption *caption, const struct cad_text_isd *isd, int width, int height)
{
    struct cad_text_draw_options options;
    struct cad_text_picture *picture = NULL;
    caption->used.w = 0;
    caption->failure = 0;
    if (!isd || !isd->regions || width <= 0 || height <= 0) return;
    int rc = find_fonts(caption);
    if (rc == 0) rc = set_up(caption, width, height);
    if (rc == 0) {
        cad_text_draw_options_init(&options);
        options.fonts = caption->fonts;
        options.width = (uint32_t)width;
        options.height = (uint32_t)height;
        options.user.size_percent = caption->percent;
        if (!caption_stands_out(isd)) {
            options.user.edge = CAD_TEXT_EDGE_OUTLINE;
            options.user.edge_color = BLACK;
        }
        rc = cad_text_layout(isd, &options, &picture);
    }
    caption->failure = rc;
    if (rc == 0) paint(caption, picture);
    cad_text_picture_destroy(&picture);
}

int caption_lift(const SDL_Rect *used, const SDL_Rect *place, int above)
{
    int lift = place->y + used->y + used->h - above;
    return CAD_MAX(0, CAD_MIN(lift, place->y + used->y));
}

void caption_draw(const struct caption *caption, const SDL_Rect *place, int above)
{
    if (caption->used.w == 0 || !caption->texture) return;
    SDL_Rect at = caption->used;
    at.x += place->x;
    at.y += place->y - caption_lift(&caption->used, place, above);
    SDL_RenderCopy(caption->renderer, caption->texture, &caption->used, &at);
}
