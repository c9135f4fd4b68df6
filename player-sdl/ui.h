/*
 * ui.h - the controls over the picture: what they are, where they are, and what a press means.
 *
 * A state machine without SDL and without a clock: events and times go in, at most one command
 * comes out of each. Drawing (draw.h) reads it and changes nothing.
 *
 *     ui_init(&ui, now)
 *     ui_resize(&ui, width, height)
 *     ui_take(&ui, &model, &event, now, &command)     pointer, touch, keys
 *     ui_tick(&ui, &model, now, &command)             time goes by
 *     ui_layout(&ui, &model, &layout)                 where everything is, for drawing
 *     ui_next(&ui, &model, now)                       when it looks different by itself
 *
 * Arrow keys seek and set the volume until Tab or Enter gives a control the focus; from then on
 * arrows move the focus and Enter presses, as with the remote control of a television.
 */
#ifndef PLAYER_UI_H
#define PLAYER_UI_H

#include "canvas.h"
#include "cadmium/engine.h"

#define UI_RUNGS_MAX 64
#define UI_MARKERS_MAX 32
#define UI_TITLE_SIZE 128
#define UI_NOTE_SIZE 96
#define UI_TOAST_SIZE 64
#define UI_ROW_SIZE 96
#define UI_ROWS_SHOWN 8                 /* of a menu; the others are scrolled to */

#define UI_SHOWN_FOR (3 * CAD_SECOND)   /* after the last sign of life */
#define UI_FADE_IN (120 * CAD_MS)
#define UI_FADE_OUT (250 * CAD_MS)
#define UI_TOAST_FOR (1200 * CAD_MS)
#define UI_NOTE_FOR (6 * CAD_SECOND)    /* after it has changed */
#define UI_BUSY_AFTER (300 * CAD_MS)    /* shorter waits are not shown */
#define UI_COMMIT_AFTER (700 * CAD_MS)  /* after the last key on the seek bar */

/* ---- what there is to show ------------------------------------------------------------------ */

/* Of the video ladder; zero where it is not known (yet). */
struct ui_rung {
    uint32_t width, height;
    int64_t rate_bps;
};

struct ui_model {
    char title[UI_TITLE_SIZE];
    enum cad_state state;
    bool paused;             /* the viewer's wish */
    bool has_picture;        /* one was shown */
    bool full_screen;
    bool has_sound, muted;
    int32_t volume;          /* 0..100 */
    uint32_t speed_q16;
    cad_time position;       /* or where a seek goes; CAD_TIME_NONE not known */
    cad_time duration;       /* CAD_TIME_NONE not known */
    cad_time buffered;       /* end of what is there without a hole; CAD_TIME_NONE none */
    cad_time markers[UI_MARKERS_MAX];
    uint32_t marker_count;
    const struct cad_track_info *tracks; /* of every kind; NULL with track_count 0 */
    uint32_t track_count;
    struct ui_rung rungs[UI_RUNGS_MAX];
    uint32_t rung_count;     /* 0: no picture, or not known */
    uint32_t rung_now;
    int32_t rung_pinned;     /* -1 adaptive */
    bool network_lost;       /* it waits, and nothing comes from the network */
    char note[UI_NOTE_SIZE]; /* what the viewer should know about the picture; or empty */
    bool failed;
    struct cad_error error;  /* with failed */
};

/* ---- what comes in -------------------------------------------------------------------------- */

enum ui_key {
    UI_KEY_NONE, UI_KEY_LEFT, UI_KEY_RIGHT, UI_KEY_UP, UI_KEY_DOWN, UI_KEY_ENTER, UI_KEY_ESCAPE,
    UI_KEY_TAB, UI_KEY_PAUSE, UI_KEY_FULL_SCREEN, UI_KEY_MUTE, UI_KEY_OVERLAY, UI_KEY_HELP,
    UI_KEY_AUDIO, UI_KEY_TEXT, UI_KEY_SLOWER, UI_KEY_FASTER, UI_KEY_QUIETER, UI_KEY_LOUDER,
    UI_KEY_RETRY, UI_KEY_QUIT
};

enum ui_event_type { UI_MOVE, UI_LEAVE, UI_PRESS, UI_RELEASE, UI_WHEEL, UI_KEY };

struct ui_event {
    enum ui_event_type type;
    float x, y;        /* pixels of the area */
    bool touch;        /* a finger, not a mouse */
    int clicks;        /* of a press: 2 is a double click */
    int wheel;         /* steps, away from the viewer is positive */
    enum ui_key key;
    bool shift;
};

/* ---- what comes out ------------------------------------------------------------------------- */

enum ui_command_type {
    UI_DO_NOTHING, UI_DO_PAUSE, UI_DO_SEEK, UI_DO_SEEK_BY, UI_DO_VOLUME, UI_DO_MUTE, UI_DO_SPEED,
    UI_DO_TRACK, UI_DO_NO_TEXT, UI_DO_RUNG, UI_DO_FULL_SCREEN, UI_DO_RETRY, UI_DO_QUIT
};

struct ui_command {
    enum ui_command_type type; /* PAUSE, MUTE and FULL_SCREEN turn around what is */
    cad_time time;             /* SEEK, SEEK_BY */
    int32_t value;             /* VOLUME 0..100, RUNG -1.. */
    uint32_t speed_q16;        /* SPEED */
    uint32_t track;            /* TRACK: index in model->tracks */
};

/* ---- the state ------------------------------------------------------------------------------ */

enum ui_item {
    UI_NONE, UI_SEEK, UI_PLAY, UI_MUTE, UI_VOLUME, UI_SPEED, UI_AUDIO, UI_TEXT, UI_QUALITY,
    UI_FULL,
    UI_ROW,   /* of the open menu */
    UI_RETRY, UI_QUIT,
    UI_ITEMS
};

struct ui {
    int width, height;
    cad_time active_at;      /* last sign of life */
    bool shown;              /* the controls, or they fade in */
    cad_time shown_at;       /* when that changed */
    enum ui_item hover, focus, pressed, menu;
    int hover_row, focus_row, scroll; /* of the menu */
    bool pressed_picture;    /* a press that hit nothing */
    bool double_click;       /* its second press */
    bool help, overlay;
    float pointer_x, pointer_y;
    bool pointer_in;
    cad_time preview;        /* where the seek bar is dragged or stepped to; CAD_TIME_NONE */
    cad_time preview_at;     /* of the last step by key */
    char toast[UI_TOAST_SIZE];
    cad_time toast_at;       /* CAD_TIME_NONE: there is none */
    cad_time busy_at;        /* it waits since; CAD_TIME_NONE */
    char note[UI_NOTE_SIZE]; /* of the model, to see it change */
    cad_time note_at;
    bool was_failed;
    enum cad_state state_old;
};

void ui_init(struct ui *ui, cad_time now);
void ui_resize(struct ui *ui, int width, int height);
/* True: something looks different. *command is always set. */
bool ui_take(struct ui *ui, const struct ui_model *model, const struct ui_event *event,
             cad_time now, struct ui_command *command);
/* The same for time that went by. */
bool ui_tick(struct ui *ui, const struct ui_model *model, cad_time now,
             struct ui_command *command);
/* When it will look different or want a tick by itself; CAD_TIME_NONE: not before an event. */
cad_time ui_next(const struct ui *ui, const struct ui_model *model, cad_time now);
/* A line that is shown for a moment. */
void ui_toast(struct ui *ui, cad_time now, const char *text);

/* ---- what drawing asks ---------------------------------------------------------------------- */

/* 0..255. */
uint32_t ui_controls_alpha(const struct ui *ui, cad_time now);
uint32_t ui_toast_alpha(const struct ui *ui, cad_time now);
uint32_t ui_note_alpha(const struct ui *ui, cad_time now);
bool ui_is_busy(const struct ui *ui, cad_time now);
bool ui_hides_cursor(const struct ui *ui);

struct ui_layout {
    float scale;             /* pixels of a unit; 1 at 1280 by 720 */
    struct canvas_rect items[UI_ITEMS]; /* w 0: it is not there; UI_ROW: the first row */
    struct canvas_rect bar;  /* the line of the seek bar inside of its item */
    struct canvas_rect time; /* room for position and duration */
    struct canvas_rect menu; /* w 0: none is open */
    int rows, first_row;     /* of the menu: shown, and which is on top */
};
void ui_layout(const struct ui *ui, const struct ui_model *model, struct ui_layout *out);
/* What is at a place; *row of UI_ROW counts from the menu's first. */
enum ui_item ui_hit(const struct ui_layout *layout, float x, float y, int *row);
/* The time under a place of the seek bar; CAD_TIME_NONE where the duration is not known. */
cad_time ui_time_at(const struct ui_layout *layout, const struct ui_model *model, float x);

/* ---- menus (ui_menu.c) ---------------------------------------------------------------------- */

struct ui_menu_row {
    char text[UI_ROW_SIZE];
    char note[UI_ROW_SIZE];  /* behind it, dimmer; may be empty */
    bool selected;
    bool enabled;
};

int ui_menu_rows(const struct ui_model *model, enum ui_item menu);
void ui_menu_row(const struct ui_model *model, enum ui_item menu, int row,
                 struct ui_menu_row *out);
const char *ui_menu_title(enum ui_item menu);
/* What choosing a row does. */
void ui_menu_choose(const struct ui_model *model, enum ui_item menu, int row,
                    struct ui_command *command);
/* What stands on the button of a menu. */
void ui_menu_label(const struct ui_model *model, enum ui_item menu, char *out, size_t size);
/* The next speed of the menu in a direction, or the same at its end. */
uint32_t ui_speed_step(uint32_t speed_q16, int by);
/* The sound track after the one that is heard; -1: there is no other. */
int ui_next_audio(const struct ui_model *model);
#define UI_TEXT_OFF (-1)  /* of ui_next_text: none */
#define UI_TEXT_NONE (-2) /* there is nothing to choose from */
/* The text track after the one that is shown, in the order none, first ... last, none. */
int ui_next_text(const struct ui_model *model);
bool ui_shows_text(const struct ui_model *model);

#endif
