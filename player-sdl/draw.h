/*
 * draw.h - draws the controls, panels and figures of ui.h onto a canvas.
 *
 * Nothing here decides anything: the same state at the same time gives the same pixels.
 */
#ifndef PLAYER_DRAW_H
#define PLAYER_DRAW_H

#include "canvas.h"
#include "history.h"
#include "text.h"
#include "ui.h"

#define COLOR_TEXT 0xfff4f5f7u
#define COLOR_DIM 0xffb4bac4u
#define COLOR_FAINT 0xff868d99u
#define COLOR_ACCENT 0xffffb01fu   /* the yellow of the pigment */
#define COLOR_ON_ACCENT 0xff1a1406u
#define COLOR_PANEL 0xf0161920u
#define COLOR_EDGE 0x24ffffffu
#define COLOR_GROUND 0xff0e1116u
#define COLOR_BLUE 0xff62b5ffu

struct painter {
    struct canvas *canvas;
    struct text *text;
    struct canvas_path *path; /* scratch */
    const struct ui *ui;
    const struct ui_model *model;
    struct ui_layout layout;
    cad_time now;
    float s;                  /* pixels of a unit */
};

/* What the overlay shows beside the model. */
struct draw_figures {
    const struct cad_engine_stats *stats;
    const struct history *history;
};

/* All of it. The canvas was cleared and has the size of ui. figures may be NULL. */
void draw_all(struct painter *painter, const struct draw_figures *figures);

/* ---- parts ---------------------------------------------------------------------------------- */

void draw_controls(struct painter *painter);
void draw_menu(struct painter *painter);
void draw_busy(struct painter *painter);
void draw_toast(struct painter *painter);
void draw_help(struct painter *painter);
void draw_failure(struct painter *painter);
void draw_overlay(struct painter *painter, const struct draw_figures *figures);

/* ---- means ---------------------------------------------------------------------------------- */

enum draw_align { DRAW_LEFT, DRAW_CENTER, DRAW_RIGHT };

struct draw_words {
    float x, y;             /* y: of the middle of capitals */
    float size;             /* units */
    enum text_weight weight;
    uint32_t color;
    enum draw_align align;
    float width;            /* pixels; longer text is cut; 0: any */
};
/* Returns the width that was drawn. */
float draw_words(struct painter *painter, struct draw_words words, const char *text);
/* A paragraph in lines around x; returns the y of the next line. */
float draw_paragraph(struct painter *painter, struct draw_words words, float line,
                     const char *text);
float draw_width(struct painter *painter, float size, enum text_weight weight, const char *text);
/* A panel with its shadow. */
void draw_panel(struct painter *painter, struct canvas_rect at, float radius);
/* Around what has the focus. */
void draw_focus(struct painter *painter, struct canvas_rect at, float radius);
void draw_round(struct painter *painter, struct canvas_rect at, float radius, uint32_t color);

enum icon {
    ICON_PLAY, ICON_PAUSE, ICON_AGAIN, ICON_SOUND, ICON_SOUND_LOW, ICON_MUTED, ICON_FULL,
    ICON_SMALL, ICON_TRACKS, ICON_TEXT, ICON_SLIDERS, ICON_CHECK, ICON_ALERT
};
struct draw_mark {
    float x, y;             /* middle */
    float size;             /* side of its square, units */
    uint32_t color;
};
void draw_icon(struct painter *painter, enum icon icon, struct draw_mark mark);

#endif
