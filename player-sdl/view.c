#include "view.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

bool view_init(struct view *view, SDL_Renderer *renderer)
{
    memset(view, 0, sizeof(*view));
    view->renderer = renderer;
    canvas_init(&view->canvas);
    view->text = text_open(true);
    return view->text != NULL;
}

void view_deinit(struct view *view)
{
    if (view->texture) SDL_DestroyTexture(view->texture);
    canvas_deinit(&view->canvas);
    text_close(&view->text);
    free(view->rows);
    view->texture = NULL;
    view->rows = NULL;
}

void view_reset(struct view *view)
{
    if (view->texture) SDL_DestroyTexture(view->texture);
    view->texture = NULL;
    view->width = view->height = view->band_count = 0;
}

bool view_resize(struct view *view)
{
    int width = 0;
    int height = 0;
    SDL_GetRendererOutputSize(view->renderer, &width, &height);
    if (width == view->width && height == view->height) return false;
    view_reset(view);
    view->width = width;
    view->height = height;
    uint32_t *rows = realloc(view->rows, sizeof(*rows) * (size_t)CAD_MAX(width, 1) *
                                             (size_t)CAD_MAX(height, 1));
    if (!rows) return true;
    view->rows = rows;
    if (!canvas_resize(&view->canvas, width, height)) return true;
    view->texture = SDL_CreateTexture(view->renderer, SDL_PIXELFORMAT_ARGB8888,
                                      SDL_TEXTUREACCESS_STREAMING, width, height);
    if (view->texture) SDL_SetTextureBlendMode(view->texture, SDL_BLENDMODE_BLEND);
    return true;
}

/* Where something is to be seen: blending an empty picture costs as much as a full one. */
static void find_bands(struct view *view)
{
    const struct canvas *canvas = &view->canvas;
    view->band_count = 0;
    for (int y = 0; y < canvas->height; y++) {
        if (!canvas_row_drawn(canvas, y)) continue;
        SDL_Rect *last = view->band_count > 0 ? &view->bands[view->band_count - 1] : NULL;
        bool touches = last && last->y + last->h == y;
        if (touches || view->band_count == VIEW_BANDS_MAX) {
            last->h = y + 1 - last->y;
        } else {
            view->bands[view->band_count++] = (SDL_Rect){0, y, canvas->width, 1};
        }
    }
}

/* Rows that changed, each run of them in one piece. */
static void send_rows(struct view *view)
{
    struct canvas *canvas = &view->canvas;
    size_t wide = (size_t)canvas->width;
    for (int y = 0; y < canvas->height; y++) {
        int begin = y;
        while (y < canvas->height && canvas_row_changed(canvas, y)) {
            canvas_row_straight(canvas, y, view->rows + (size_t)y * wide);
            y++;
        }
        if (y == begin) continue;
        SDL_Rect band = {0, begin, canvas->width, y - begin};
        SDL_UpdateTexture(view->texture, &band, view->rows + (size_t)begin * wide,
                          (int)(wide * sizeof(*view->rows)));
    }
}

void view_controls(struct view *view, const struct ui *ui, const struct ui_model *model,
                   const struct draw_figures *figures, cad_time now)
{
    if (!view->texture) return;
    canvas_clear(&view->canvas);
    struct painter painter = {.canvas = &view->canvas, .text = view->text, .path = &view->path,
                              .ui = ui, .model = model, .now = now};
    draw_all(&painter, figures);
    send_rows(view);
    find_bands(view);
}

SDL_Rect view_film(const struct view *view, const struct picture *picture)
{
    if (!picture->texture) return (SDL_Rect){0, 0, view->width, view->height};
    return picture_shape(picture, view->width, view->height);
}

void view_present(struct view *view, struct picture *picture, struct view_caption caption)
{
    SDL_Rect film = view_film(view, picture);
    SDL_SetRenderDrawColor(view->renderer, 0, 0, 0, 255);
    SDL_RenderClear(view->renderer);
    picture_draw(picture, view->width, view->height);
    if (!caption.on_top) caption_draw(caption.caption, &film, caption.above);
    for (int i = 0; view->texture && i < view->band_count; i++) {
        SDL_RenderCopy(view->renderer, view->texture, &view->bands[i], &view->bands[i]);
    }
    if (caption.on_top) caption_draw(caption.caption, &film, caption.above);
    SDL_RenderPresent(view->renderer);
}
