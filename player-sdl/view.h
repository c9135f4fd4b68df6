/*
 * view.h - the film and what lies over it, on a renderer of SDL.
 *
 * What lies over it is drawn anew only when it changed; of its texture only the rows that changed
 * are sent to the renderer.
 */
#ifndef PLAYER_VIEW_H
#define PLAYER_VIEW_H

#define VIEW_BANDS_MAX 8 /* runs of rows that are drawn on; of more the last is one with the rest */

#include "caption.h"
#include "draw.h"
#include "picture.h"

struct view {
    SDL_Renderer *renderer;
    SDL_Texture *texture;     /* of the canvas; NULL before the first size */
    struct canvas canvas;
    struct canvas_path path;
    struct text *text;
    uint32_t *rows;           /* of the canvas, not multiplied by alpha; its size */
    int width, height;
    SDL_Rect bands[VIEW_BANDS_MAX]; /* what is drawn on: the rest of the texture is empty */
    int band_count;
};

/* The renderer is borrowed. False: no memory. */
bool view_init(struct view *view, SDL_Renderer *renderer);
void view_deinit(struct view *view);
/* Follows the renderer's size; true: it changed. */
bool view_resize(struct view *view);
/* The texture is lost: everything is sent again. */
void view_reset(struct view *view);
/* Draws the controls onto the canvas; figures may be NULL. */
void view_controls(struct view *view, const struct ui *ui, const struct ui_model *model,
                   const struct draw_figures *figures, cad_time now);
/* Where the film is: the whole area before there is one. */
SDL_Rect view_film(const struct view *view, const struct picture *picture);
/* How subtitles lie over the film. */
struct view_caption {
    const struct caption *caption;
    int above;   /* they reach no lower than that */
    bool on_top; /* over the controls, whose shade would dim them; else below */
};
/* Film, subtitles and controls, presented. */
void view_present(struct view *view, struct picture *picture, struct view_caption caption);

#endif
