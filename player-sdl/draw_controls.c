/* The controls: shades above and below, title, seek bar, buttons. */
#include <math.h>
#include <stdio.h>

#include "base/util.h"
#include "draw.h"
#include "labels.h"

#define ICON_SIZE 22.0f
#define LABEL 17.0f      /* text on buttons, units */
#define TIME_TEXT 18.0f
#define RADIUS 12.0f
#define KNOB 8.0f        /* units at both ends of the volume; as in ui.c */

static void draw_shades(struct painter *painter)
{
    float wide = (float)painter->ui->width;
    float high = (float)painter->ui->height;
    float s = painter->s;
    canvas_gradient(painter->canvas, (struct canvas_rect){0, 0, wide, 130 * s}, 0xc0000000, 0);
    canvas_gradient(painter->canvas, (struct canvas_rect){0, high - 220 * s, wide, 220 * s}, 0,
                    0xe0000000);
}

static void draw_title(struct painter *painter)
{
    float s = painter->s;
    float most = (float)painter->ui->width * (painter->ui->note[0] ? 0.42f : 0.9f);
    draw_words(painter,
               (struct draw_words){.x = 40 * s, .y = 48 * s, .size = 25, .weight = TEXT_BOLD,
                                   .color = COLOR_TEXT, .width = most},
               painter->model->title);
}

/* ---- the seek bar --------------------------------------------------------------------------- */

static float place_of(const struct painter *painter, cad_time t)
{
    const struct ui_model *model = painter->model;
    const struct canvas_rect *bar = &painter->layout.bar;
    if (model->duration == CAD_TIME_NONE || model->duration <= 0 || t == CAD_TIME_NONE) {
        return bar->x;
    }
    double part = (double)t / (double)model->duration;
    return bar->x + bar->w * (float)CAD_MAX(0.0, CAD_MIN(part, 1.0));
}

/* The bar from its left end to x. */
static void draw_bar(struct painter *painter, struct canvas_rect bar, float x, uint32_t color)
{
    bar.w = x - bar.x;
    if (bar.w <= 0.5f) return;
    draw_round(painter, bar, bar.h / 2 / painter->s, color);
}

static void draw_markers(struct painter *painter, struct canvas_rect bar)
{
    const struct ui_model *model = painter->model;
    float s = painter->s;
    for (uint32_t i = 0; i < model->marker_count && i < UI_MARKERS_MAX; i++) {
        float x = floorf(place_of(painter, model->markers[i]));
        float wide = CAD_MAX(2.0f, floorf(3 * s));
        struct canvas_rect at = {x - floorf(wide / 2), bar.y - 2 * s, wide, bar.h + 4 * s};
        canvas_fill(painter->canvas, (struct canvas_rect){at.x - 1, at.y, at.w + 2, at.h},
                    0xb0000000);
        canvas_fill(painter->canvas, at, COLOR_TEXT);
    }
}

static void draw_bubble(struct painter *painter, float x, cad_time t, bool strong)
{
    char text[LABEL_SIZE];
    float s = painter->s;
    float size = strong ? 22.0f : 17.0f;
    float high = (strong ? 42.0f : 34.0f) * s;
    label_time(t, text, sizeof(text));
    float wide = draw_width(painter, size, TEXT_BOLD, text) + 26 * s;
    float left = CAD_MAX(8 * s, CAD_MIN(x - wide / 2, (float)painter->ui->width - wide - 8 * s));
    struct canvas_rect at = {left, painter->layout.bar.y - 18 * s - high, wide, high};
    draw_panel(painter, at, 9);
    draw_words(painter,
               (struct draw_words){.x = at.x + at.w / 2, .y = at.y + at.h / 2, .size = size,
                                   .weight = TEXT_BOLD, .color = COLOR_TEXT,
                                   .align = DRAW_CENTER},
               text);
}

static void draw_knob(struct painter *painter, float x, float radius, bool focus)
{
    const struct canvas_rect *bar = &painter->layout.bar;
    float y = bar->y + bar->h / 2;
    float r = radius * painter->s;
    struct canvas_rect at = {x - r, y - r, 2 * r, 2 * r};
    struct canvas_rect shadow = {at.x - r / 2, at.y - r / 4, at.w + r, at.h + r};
    canvas_shape(painter->canvas, (struct canvas_shape){.at = shadow, .radius = 2 * r, .soft = r},
                 0x60000000);
    draw_round(painter, at, radius, 0xffffffff);
    if (focus) draw_focus(painter, at, radius);
}

static void draw_seek(struct painter *painter)
{
    const struct ui *ui = painter->ui;
    const struct ui_model *model = painter->model;
    struct canvas_rect bar = painter->layout.bar;
    bool moved = ui->preview != CAD_TIME_NONE;
    bool focus = ui->focus == UI_SEEK;
    bool near = moved || focus || (ui->hover == UI_SEEK && ui->pointer_in);
    float grow = near ? 1.5f * painter->s : 0;
    bar.y -= grow;
    bar.h += 2 * grow;
    float played = place_of(painter, model->position);
    float knob = moved ? place_of(painter, ui->preview) : played;
    draw_bar(painter, bar, bar.x + bar.w, 0x48ffffff);
    draw_bar(painter, bar, place_of(painter, model->buffered), 0x70ffffff);
    draw_bar(painter, bar, knob, COLOR_ACCENT);
    if (moved && played < knob) draw_bar(painter, bar, played, 0xffd98f0f);
    draw_markers(painter, bar);
    if (model->duration == CAD_TIME_NONE) return;
    if (moved) {
        draw_bubble(painter, knob, ui->preview, true);
    } else if (ui->hover == UI_SEEK && ui->pointer_in) {
        struct canvas_rect line = {floorf(ui->pointer_x), bar.y, CAD_MAX(1.0f, 2 * painter->s),
                                   bar.h};
        canvas_fill(painter->canvas, line, 0xd0ffffff);
        draw_bubble(painter, ui->pointer_x,
                    ui_time_at(&painter->layout, model, ui->pointer_x), false);
    }
    draw_knob(painter, knob, near ? 11.0f : 8.5f, focus);
}

/* ---- buttons -------------------------------------------------------------------------------- */

/* The ground of a button; false: it is not there. */
static bool draw_ground(struct painter *painter, enum ui_item item)
{
    const struct ui *ui = painter->ui;
    const struct canvas_rect *at = &painter->layout.items[item];
    if (at->w <= 0) return false;
    bool over = ui->hover == item && ui->pointer_in;
    if (ui->pressed == item) {
        draw_round(painter, *at, RADIUS, 0x48ffffff);
    } else if (over || ui->menu == item) {
        draw_round(painter, *at, RADIUS, 0x26ffffff);
    }
    if (ui->focus == item) draw_focus(painter, *at, RADIUS);
    return true;
}

static void draw_button(struct painter *painter, enum ui_item item, enum icon icon, float size)
{
    const struct canvas_rect *at = &painter->layout.items[item];
    if (!draw_ground(painter, item)) return;
    struct draw_mark mark = {at->x + at->w / 2, at->y + at->h / 2, size, COLOR_TEXT};
    draw_icon(painter, icon, mark);
}

/* A picture and, where there is room, a word. */
static void draw_menu_button(struct painter *painter, enum ui_item item, enum icon icon)
{
    const struct canvas_rect *at = &painter->layout.items[item];
    float s = painter->s;
    char text[LABEL_SIZE];
    if (!draw_ground(painter, item)) return;
    float middle = at->y + at->h / 2;
    if (at->w < at->h * 1.5f) {
        bool on = item == UI_TEXT && ui_shows_text(painter->model);
        struct draw_mark mark = {at->x + at->w / 2, middle, ICON_SIZE,
                                 on ? COLOR_ACCENT : COLOR_TEXT};
        draw_icon(painter, icon, mark);
        return;
    }
    ui_menu_label(painter->model, item, text, sizeof(text));
    if (!text[0]) snprintf(text, sizeof(text), "%s", ui_menu_title(item));
    float room = at->w - 54 * s;
    float words = CAD_MIN(draw_width(painter, LABEL, TEXT_REGULAR, text), room);
    float x = at->x + (at->w - words - 32 * s) / 2;
    draw_icon(painter, icon, (struct draw_mark){x + 11 * s, middle, ICON_SIZE, COLOR_TEXT});
    draw_words(painter,
               (struct draw_words){.x = x + 32 * s, .y = middle, .size = LABEL,
                                   .color = COLOR_TEXT, .width = room + 1},
               text);
}

static void draw_speed(struct painter *painter)
{
    const struct canvas_rect *at = &painter->layout.items[UI_SPEED];
    char text[LABEL_SIZE];
    if (!draw_ground(painter, UI_SPEED)) return;
    bool normal = painter->model->speed_q16 == 65536;
    label_speed(painter->model->speed_q16, text, sizeof(text));
    draw_words(painter,
               (struct draw_words){.x = at->x + at->w / 2, .y = at->y + at->h / 2, .size = LABEL,
                                   .weight = normal ? TEXT_REGULAR : TEXT_BOLD,
                                   .color = normal ? COLOR_TEXT : COLOR_ACCENT,
                                   .align = DRAW_CENTER},
               text);
}

static void draw_volume(struct painter *painter)
{
    const struct ui_model *model = painter->model;
    const struct canvas_rect *at = &painter->layout.items[UI_VOLUME];
    float s = painter->s;
    if (at->w <= 0) return;
    struct canvas_rect line = {at->x + KNOB * s, at->y + at->h / 2 - 2 * s, at->w - 2 * KNOB * s,
                               4 * s};
    float part = model->muted ? 0 : (float)model->volume / 100;
    float x = line.x + line.w * part;
    draw_bar(painter, line, line.x + line.w, 0x48ffffff);
    draw_bar(painter, line, x, COLOR_TEXT);
    bool near = painter->ui->pressed == UI_VOLUME || painter->ui->hover == UI_VOLUME;
    float r = (near ? 8.0f : 6.5f) * s;
    struct canvas_rect knob = {x - r, at->y + at->h / 2 - r, 2 * r, 2 * r};
    draw_round(painter, knob, r / s, 0xffffffff);
    if (painter->ui->focus == UI_VOLUME) {
        draw_focus(painter, (struct canvas_rect){at->x, at->y + 10 * s, at->w, at->h - 20 * s},
                   RADIUS);
    }
}

static void draw_time(struct painter *painter)
{
    const struct ui_model *model = painter->model;
    const struct canvas_rect *at = &painter->layout.time;
    char text[LABEL_SIZE];
    char total[LABEL_SIZE];
    char rest[LABEL_SIZE + 4] = "";
    float y = at->y + at->h / 2;
    label_time(model->position, text, sizeof(text));
    if (model->duration != CAD_TIME_NONE) {
        label_time(model->duration, total, sizeof(total));
        snprintf(rest, sizeof(rest), " / %s", total);
    }
    if (at->w < draw_width(painter, TIME_TEXT, TEXT_BOLD, text)) return;
    float x = at->x + draw_words(painter, (struct draw_words){.x = at->x, .y = y, .size = TIME_TEXT,
                                     .weight = TEXT_BOLD, .color = COLOR_TEXT}, text);
    if (at->x + at->w - x < draw_width(painter, TIME_TEXT, TEXT_REGULAR, rest)) return;
    draw_words(painter,
               (struct draw_words){.x = x, .y = y, .size = TIME_TEXT, .color = COLOR_DIM}, rest);
}

void draw_controls(struct painter *painter)
{
    const struct ui_model *model = painter->model;
    uint32_t alpha = ui_controls_alpha(painter->ui, painter->now);
    if (alpha == 0) return;
    painter->canvas->opacity = alpha;
    draw_shades(painter);
    draw_title(painter);
    draw_seek(painter);
    bool over = model->state == CAD_STATE_ENDED;
    draw_button(painter, UI_PLAY, over ? ICON_AGAIN : model->paused ? ICON_PLAY : ICON_PAUSE, 26);
    bool silent = model->muted || model->volume == 0;
    draw_button(painter, UI_MUTE,
                silent ? ICON_MUTED : model->volume < 50 ? ICON_SOUND_LOW : ICON_SOUND, 27);
    draw_volume(painter);
    draw_time(painter);
    draw_speed(painter);
    draw_menu_button(painter, UI_AUDIO, ICON_TRACKS);
    draw_menu_button(painter, UI_TEXT, ICON_TEXT);
    draw_menu_button(painter, UI_QUALITY, ICON_SLIDERS);
    draw_button(painter, UI_FULL, model->full_screen ? ICON_SMALL : ICON_FULL, 25);
    painter->canvas->opacity = 255;
}
