/*
 * ui_shot.h - fixed states of the controls for tests, drawn over a picture of our own making.
 */
#ifndef UI_SHOT_H
#define UI_SHOT_H

#include "draw.h"

enum shot_state {
    SHOT_CONTROLS,  /* playing, the pointer on the seek bar, a note about HDR */
    SHOT_DRAG,      /* the seek bar is dragged */
    SHOT_AUDIO,     /* the menu of sound tracks, by key */
    SHOT_QUALITY,   /* the menu of rungs, by pointer */
    SHOT_SPEED,
    SHOT_TEXT,      /* the menu of subtitles */
    SHOT_ERROR,
    SHOT_OVERLAY,   /* figures of a protected title, with subtitles */
    SHOT_BUSY,      /* waiting for a network that is gone */
    SHOT_HELP,
    SHOT_FOCUS,     /* a button has the focus of the keys */
    SHOT_HIDDEN,    /* nothing over the picture */
    SHOT_STATES
};

struct shot {
    struct ui ui;
    struct ui_model model;
    struct cad_track_info tracks[8];
    struct cad_engine_stats stats;
    struct history history;
    struct canvas canvas;
    struct canvas_path path;
    struct text *text;
    uint32_t *picture;       /* 0xffRRGGBB: the film and what lies over it */
    int width, height;
    cad_time now;
};

const char *shot_name(enum shot_state state);
/* What a film with several tracks and rungs looks like to the controls. */
void shot_model(struct shot *shot);
/* fonts: the system's, else the bitmap font. */
void shot_open(struct shot *shot, int width, int height, bool fonts);
void shot_close(struct shot *shot);
/* Into shot->picture. */
void shot_draw(struct shot *shot, enum shot_state state);
/* False: it could not be written. */
bool shot_write_png(const struct shot *shot, const char *path);

struct shot_look {
    int red, green, blue; /* mean, 0..255 */
    int edges;            /* mean difference of neighbours' brightness, in tenths */
};
/* Of a region in units of 1280 by 720. */
struct shot_look shot_look(const struct shot *shot, const int region[4]);

#endif
