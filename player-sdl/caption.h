/*
 * caption.h - what an ISD looks like over the film, as a texture of SDL.
 *
 *     caption_init(&caption, renderer, percent)
 *     caption_set(&caption, isd, width, height)   laid out once; isd NULL: nothing is shown
 *     caption_draw(&caption, place, above)        as often as a picture is drawn
 *
 * Fonts are looked for with the first ISD that has something on it. Where a document sets letters
 * off from the film by nothing (no ground, outline or shadow) they get a black outline.
 */
#ifndef PLAYER_CAPTION_H
#define PLAYER_CAPTION_H

#include <SDL.h>

#include "cadmium/draw.h"

struct caption {
    SDL_Renderer *renderer;
    SDL_Texture *texture;    /* width x height; NULL before something was to be shown */
    uint8_t *pixels;         /* of it: red, green, blue, alpha; first multiplied, then not */
    int width, height;       /* of the film's place; 0 none yet */
    SDL_Rect used;           /* what is painted on; w 0: nothing is shown */
    uint32_t percent;        /* size of the text */
    struct cad_fonts fonts;
    bool looked;             /* fonts were looked for */
    int failure;             /* CAD_E_*: why the last one could not be shown; 0 it could */
};

void caption_init(struct caption *caption, SDL_Renderer *renderer, uint32_t percent);
void caption_deinit(struct caption *caption);
/* Lays it out for a film of that size; see caption->failure. */
void caption_set(struct caption *caption, const struct cad_text_isd *isd, int width, int height);
/* The texture is lost: to be set again. */
void caption_reset(struct caption *caption);
/* Over the film at `place`, moved up where it would reach below `above`. */
void caption_draw(const struct caption *caption, const SDL_Rect *place, int above);
/* Whether something sets its letters off from what is behind them. */
bool caption_stands_out(const struct cad_text_isd *isd);
/* How far it is moved up for that; 0 not at all. */
int caption_lift(const SDL_Rect *used, const SDL_Rect *place, int above);

#endif
