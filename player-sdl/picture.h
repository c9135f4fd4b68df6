/*
 * picture.h - a decoded picture as a texture, drawn with its true shape.
 */
#ifndef PLAYER_PICTURE_H
#define PLAYER_PICTURE_H

#include <SDL.h>

#include "cadmium/decode.h"

struct picture {
    SDL_Renderer *renderer;
    SDL_Texture *texture;   /* NULL before the first picture */
    uint32_t width, height; /* of the texture */
    uint32_t sar_num, sar_den;
    uint8_t *planes;        /* 8-bit 4:2:0 made of other formats; NULL none */
    size_t planes_bytes;
    struct cad_converter *converter; /* NULL before the first picture that needs it */
    uint32_t steps;         /* enum cad_convert_step of the newest picture */
    struct cad_color color; /* of the newest picture, before that */
};

void picture_init(struct picture *picture, SDL_Renderer *renderer);
void picture_deinit(struct picture *picture);
/* Borrowed for the call. False: the renderer or the memory refuses it. */
bool picture_set(struct picture *picture, const struct cad_frame *frame);
/* Into the middle of an area of that size, black bars around it. */
void picture_draw(struct picture *picture, int width, int height);
/* Where that is. */
SDL_Rect picture_shape(const struct picture *picture, int width, int height);
/* The largest place of that shape in an area. */
SDL_Rect picture_place(uint64_t shape_width, uint64_t shape_height, int width, int height);

#endif
