/* What opens and goes again: menus, the line that tells what a key did, waiting, help, failures. */
#include <math.h>
#include <stdio.h>

#include "base/util.h"
#include "draw.h"
#include "error_words.h"

#define TURN 6.2831853f
#define SPIN (CAD_SECOND)  /* a turn of the ring */

/* ---- menus ---------------------------------------------------------------------------------- */

static void draw_row(struct painter *painter, int row, struct canvas_rect at)
{
    const struct ui *ui = painter->ui;
    struct ui_menu_row entry;
    float s = painter->s;
    bool focus = ui->focus == UI_ROW && ui->focus_row == row;
    bool over = ui->hover == UI_ROW && ui->hover_row == row && ui->pointer_in;
    struct canvas_rect ground = {at.x + 8 * s, at.y + 1 * s, at.w - 16 * s, at.h - 2 * s};
    ui_menu_row(painter->model, ui->menu, row, &entry);
    if (focus) {
        draw_round(painter, ground, 9, COLOR_TEXT);
    } else if (over && entry.enabled) {
        draw_round(painter, ground, 9, 0x22ffffff);
    }
    float middle = at.y + at.h / 2;
    uint32_t color = !entry.enabled ? COLOR_FAINT : focus ? 0xff14171c : COLOR_TEXT;
    uint32_t dim = focus ? 0xff4c525c : !entry.enabled ? COLOR_FAINT : COLOR_DIM;
    struct draw_mark check = {at.x + 31 * s, middle, 18, focus ? 0xff14171c : COLOR_ACCENT};
    if (entry.selected) draw_icon(painter, ICON_CHECK, check);
    const char *note = entry.enabled ? entry.note : "not on this device";
    float room = at.w - 54 * s - 26 * s;
    float name = CAD_MIN(draw_width(painter, 18, TEXT_REGULAR, entry.text), room);
    draw_words(painter,
               (struct draw_words){.x = at.x + 54 * s, .y = middle, .size = 18,
                                   .weight = entry.selected ? TEXT_BOLD : TEXT_REGULAR,
                                   .color = color, .width = room},
               entry.text);
    float left = room - name - 24 * s;
    if (left < 40 * s) return;
    draw_words(painter,
               (struct draw_words){.x = at.x + at.w - 26 * s, .y = middle, .size = 15, .color = dim,
                                   .align = DRAW_RIGHT, .width = left},
               note);
}

/* How much of a long menu is seen, and where. */
static void draw_scroll(struct painter *painter, int rows)
{
    const struct ui_layout *layout = &painter->layout;
    float s = painter->s;
    if (rows <= layout->rows) return;
    float high = layout->items[UI_ROW].h * (float)layout->rows;
    float part = (float)layout->rows / (float)rows;
    float from = (float)layout->first_row / (float)rows;
    struct canvas_rect bar = {layout->menu.x + layout->menu.w - 6 * s,
                              layout->items[UI_ROW].y + high * from, 3 * s, high * part};
    draw_round(painter, bar, 1.5f, 0x70ffffff);
}

void draw_menu(struct painter *painter)
{
    const struct ui_layout *layout = &painter->layout;
    const struct canvas_rect *menu = &layout->menu;
    float s = painter->s;
    if (menu->w <= 0) return;
    draw_panel(painter, *menu, 14);
    draw_words(painter,
               (struct draw_words){.x = menu->x + 26 * s, .y = menu->y + 28 * s, .size = 16,
                                   .weight = TEXT_BOLD, .color = COLOR_DIM},
               ui_menu_title(painter->ui->menu));
    for (int i = 0; i < layout->rows; i++) {
        struct canvas_rect at = layout->items[UI_ROW];
        at.y += (float)i * at.h;
        draw_row(painter, layout->first_row + i, at);
    }
    draw_scroll(painter, ui_menu_rows(painter->model, painter->ui->menu));
}

/* ---- for a moment --------------------------------------------------------------------------- */

/* Words on a dark pill around a middle. */
static void draw_pill(struct painter *painter, float y, float size, uint32_t color,
                      const char *text)
{
    float s = painter->s;
    float middle = (float)painter->ui->width / 2;
    float most = (float)painter->ui->width * 0.9f - 48 * s;
    float wide = CAD_MIN(draw_width(painter, size, TEXT_BOLD, text), most);
    float high = (size * 2 + 8) * s;
    struct canvas_rect at = {middle - wide / 2 - 24 * s, y - high / 2, wide + 48 * s, high};
    draw_round(painter, at, size + 4, 0xd4101318);
    draw_words(painter,
               (struct draw_words){.x = middle, .y = y, .size = size, .weight = TEXT_BOLD,
                                   .color = color, .align = DRAW_CENTER, .width = most + 1},
               text);
}

void draw_toast(struct painter *painter)
{
    uint32_t alpha = ui_toast_alpha(painter->ui, painter->now);
    if (alpha == 0 || !painter->ui->toast[0]) return;
    painter->canvas->opacity = alpha;
    draw_pill(painter, (float)painter->ui->height * 0.17f, 21, COLOR_TEXT, painter->ui->toast);
    painter->canvas->opacity = 255;
}

void draw_busy(struct painter *painter)
{
    const struct ui *ui = painter->ui;
    float s = painter->s;
    if (!ui_is_busy(ui, painter->now)) return;
    float x = (float)ui->width / 2;
    float y = (float)ui->height / 2;
    struct canvas_rect ground = {x - 52 * s, y - 52 * s, 104 * s, 104 * s};
    draw_round(painter, ground, 52, 0x90101318);
    struct canvas_arc ring = {x, y, 30 * s, 0, TURN, 6 * s};
    canvas_path_arc(painter->path, ring);
    canvas_path(painter->canvas, painter->path, 0x30ffffff);
    ring.from = (float)(painter->now % SPIN) / (float)SPIN * TURN;
    ring.to = ring.from + TURN * 0.3f;
    canvas_path_arc(painter->path, ring);
    canvas_path(painter->canvas, painter->path, COLOR_ACCENT);
    if (painter->model->network_lost) {
        /* Below the figures, where they are shown. */
        float below = ui->overlay ? (float)ui->height * 0.785f : y + 100 * s;
        draw_pill(painter, below, 19, COLOR_TEXT,
                  "No answer from the network. Trying again\xe2\x80\xa6");
    }
}

/* ---- help ----------------------------------------------------------------------------------- */

static const char *const help_rows[][2] = {
    {"Space", "Pause and go on"},       {"F", "Full screen"},
    {"\xe2\x86\x90  \xe2\x86\x92", "5 seconds back, ahead"}, {"M", "Sound off and on"},
    {"Shift \xe2\x86\x90  \xe2\x86\x92", "30 seconds"},      {"A", "Next sound track"},
    {"\xe2\x86\x91  \xe2\x86\x93", "Volume"},                {"V", "Other subtitles, or none"},
    {"[  ]", "Slower, faster"},         {"I", "Figures and graphs"},
    {"Tab, Enter", "Use the controls"}, {"?", "This help"},
    {"Esc, Q", "Back, quit"},
};

static void draw_key(struct painter *painter, float x, float y, const char *key)
{
    float s = painter->s;
    float wide = draw_width(painter, 16, TEXT_BOLD, key) + 22 * s;
    struct canvas_rect at = {x, y - 17 * s, CAD_MAX(wide, 36 * s), 34 * s};
    draw_round(painter, at, 7, 0x22ffffff);
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = at, .radius = 7 * s, .line = CAD_MAX(1.0f, s)},
                 0x38ffffff);
    draw_words(painter,
               (struct draw_words){.x = at.x + at.w / 2, .y = y, .size = 16, .weight = TEXT_BOLD,
                                   .color = COLOR_TEXT, .align = DRAW_CENTER},
               key);
}

void draw_help(struct painter *painter)
{
    float s = painter->s;
    float wide = CAD_MIN(820 * s, (float)painter->ui->width - 12 * s);
    float high = 469 * s;
    struct canvas_rect at = {((float)painter->ui->width - wide) / 2,
                             ((float)painter->ui->height - high) / 2, wide, high};
    draw_panel(painter, at, 18);
    draw_words(painter,
               (struct draw_words){.x = at.x + 40 * s, .y = at.y + 46 * s, .size = 24,
                                   .weight = TEXT_BOLD, .color = COLOR_TEXT},
               "Keys");
    for (int i = 0; i < (int)CAD_ARRAY_LEN(help_rows); i++) {
        float x = at.x + 40 * s + (i % 2 ? wide / 2 - 10 * s : 0);
        float y = at.y + 104 * s + (float)(i / 2) * 49 * s;
        draw_key(painter, x, y, help_rows[i][0]);
        draw_words(painter,
                   (struct draw_words){.x = x + 140 * s, .y = y, .size = 17, .color = COLOR_DIM,
                                       .width = wide / 2 - 170 * s},
                   help_rows[i][1]);
    }
    draw_words(painter,
               (struct draw_words){.x = at.x + wide / 2, .y = at.y + high - 26 * s, .size = 14,
                                   .color = COLOR_FAINT, .align = DRAW_CENTER},
               "Any key closes this");
}

/* ---- failures ------------------------------------------------------------------------------- */

static void draw_action(struct painter *painter, enum ui_item item, const char *text)
{
    const struct ui *ui = painter->ui;
    const struct canvas_rect *at = &painter->layout.items[item];
    float s = painter->s;
    bool focus = ui->focus == item;
    bool over = ui->hover == item && ui->pointer_in;
    if (focus) {
        draw_round(painter, *at, 14, COLOR_ACCENT);
        draw_focus(painter, *at, 14);
    } else {
        draw_round(painter, *at, 14, over ? 0x30ffffff : 0x1cffffff);
    }
    draw_words(painter,
               (struct draw_words){.x = at->x + at->w / 2, .y = at->y + at->h / 2 + 0.5f * s,
                                   .size = 20, .weight = TEXT_BOLD,
                                   .color = focus ? COLOR_ON_ACCENT : COLOR_TEXT,
                                   .align = DRAW_CENTER},
               text);
}

void draw_failure(struct painter *painter)
{
    const struct ui *ui = painter->ui;
    const struct cad_error *error = &painter->model->error;
    struct error_words words = error_words(error);
    char code[CAD_ERROR_MESSAGE_SIZE + 96];
    float s = painter->s;
    float wide = (float)ui->width;
    float high = (float)ui->height;
    float middle = wide / 2;
    float most = CAD_MIN(wide - 60 * s, 860 * s);
    canvas_fill(painter->canvas, (struct canvas_rect){0, 0, wide, high}, COLOR_GROUND);
    draw_icon(painter, ICON_ALERT, (struct draw_mark){middle, high * 0.2f, 76, COLOR_ACCENT});
    struct draw_words title = {.x = middle, .y = high * 0.335f, .size = 34, .weight = TEXT_BOLD,
                               .color = COLOR_TEXT, .align = DRAW_CENTER, .width = most};
    float y = draw_paragraph(painter, title, 44, words.title);
    struct draw_words text = {.x = middle, .y = y + 6 * s, .size = 20, .color = COLOR_TEXT,
                              .align = DRAW_CENTER, .width = most};
    text.y = draw_paragraph(painter, text, 30, words.what);
    text.color = COLOR_DIM;
    draw_paragraph(painter, text, 30, words.advice);
    draw_action(painter, UI_RETRY, "Try again");
    draw_action(painter, UI_QUIT, "Quit");
    error_code_line(error, code, sizeof(code));
    draw_words(painter,
               (struct draw_words){.x = middle, .y = high - 44 * s, .size = 14,
                                   .color = COLOR_FAINT, .align = DRAW_CENTER,
                                   .width = wide - 60 * s},
               code);
}
