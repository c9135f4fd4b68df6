/* Where the controls are. All lengths below are units: pixels at 1280 by 720. */
#include <string.h>

#include "base/util.h"
#include "ui.h"

#define SCALE_MIN 0.62f  /* smaller cannot be read */
#define SCALE_MAX 6.0f
#define MARGIN 40.0f
#define BUTTON 48.0f     /* side of a button, large enough for a finger */
#define GAP 6.0f
#define BUTTONS_UP 40.0f /* their middle above the lower edge */
#define SEEK_UP 84.0f    /* so is that of the seek bar */
#define SEEK_HIGH 28.0f  /* where it can be taken hold of */
#define SEEK_LINE 6.0f
#define VOLUME_WIDE 104.0f
#define TIME_WIDE 190.0f
#define SPEED_WIDE 76.0f
#define AUDIO_WIDE 168.0f
#define QUALITY_WIDE 168.0f
#define ROOMY 1000.0f    /* from this width on buttons have words on them */
#define NARROW 640.0f    /* below, the volume has no slider */
#define TIGHT 440.0f     /* below, there are no menus */
#define MENU_WIDE 340.0f
#define MENU_HEAD 52.0f
#define MENU_ROW 46.0f
#define MENU_END 10.0f
#define MENU_UP 112.0f   /* its lower edge above that of the area */
#define ACTION_WIDE 190.0f
#define ACTION_HIGH 58.0f
#define ACTION_GAP 20.0f
#define ACTION_DOWN 0.62f /* of the height: buttons of the error screen */

static float scale_of(const struct ui *ui)
{
    float scale = CAD_MIN((float)ui->width / 1280, (float)ui->height / 720);
    return CAD_MAX(SCALE_MIN, CAD_MIN(scale, SCALE_MAX));
}

/* A button whose left edge is at x units, in the row of buttons. */
static struct canvas_rect button_at(const struct ui *ui, float scale, float x, float width)
{
    float middle = (float)ui->height - BUTTONS_UP * scale;
    return (struct canvas_rect){x * scale, middle - BUTTON / 2 * scale, width * scale,
                                BUTTON * scale};
}

static void lay_left(const struct ui *ui, const struct ui_model *model, struct ui_layout *out)
{
    float s = out->scale;
    float wide = (float)ui->width / s;
    float x = MARGIN - BUTTON / 4;
    out->items[UI_PLAY] = button_at(ui, s, x, BUTTON);
    x += BUTTON + GAP;
    if (model->has_sound) {
        out->items[UI_MUTE] = button_at(ui, s, x, BUTTON);
        x += BUTTON + GAP;
        if (wide >= NARROW) {
            out->items[UI_VOLUME] = button_at(ui, s, x, VOLUME_WIDE);
            x += VOLUME_WIDE + 3 * GAP;
        }
    }
    out->time = button_at(ui, s, x + GAP, TIME_WIDE);
}

static void lay_right(const struct ui *ui, const struct ui_model *model, struct ui_layout *out)
{
    static const enum ui_item menus[] = {UI_QUALITY, UI_TEXT, UI_AUDIO, UI_SPEED};
    float s = out->scale;
    float wide = (float)ui->width / s;
    float x = wide - MARGIN + BUTTON / 4 - BUTTON;
    out->items[UI_FULL] = button_at(ui, s, x, BUTTON);
    for (size_t i = 0; i < CAD_ARRAY_LEN(menus) && wide >= TIGHT; i++) {
        enum ui_item menu = menus[i];
        if (ui_menu_rows(model, menu) == 0) continue;
        float words = menu == UI_AUDIO ? AUDIO_WIDE : QUALITY_WIDE;
        float width = menu == UI_SPEED                    ? SPEED_WIDE
                      : menu != UI_TEXT && wide >= ROOMY ? words
                                                         : BUTTON;
        x -= width + GAP;
        out->items[menu] = button_at(ui, s, x, width);
    }
}

static void lay_seek(const struct ui *ui, struct ui_layout *out)
{
    float s = out->scale;
    float middle = (float)ui->height - SEEK_UP * s;
    float left = MARGIN * s;
    float wide = CAD_MAX((float)ui->width - 2 * left, 1.0f);
    out->items[UI_SEEK] =
        (struct canvas_rect){left, middle - SEEK_HIGH / 2 * s, wide, SEEK_HIGH * s};
    out->bar = (struct canvas_rect){left, middle - SEEK_LINE / 2 * s, wide, SEEK_LINE * s};
}

static void lay_menu(const struct ui *ui, const struct ui_model *model, struct ui_layout *out)
{
    float s = out->scale;
    int rows = ui_menu_rows(model, ui->menu);
    const struct canvas_rect *button = &out->items[ui->menu];
    if (ui->menu == UI_NONE || rows == 0 || button->w <= 0) return;
    float room = (float)ui->height / s - MENU_UP - MENU_HEAD - MENU_END - GAP;
    int fit = CAD_MAX(1, (int)(room / MENU_ROW));
    out->rows = CAD_MIN(rows, CAD_MIN(fit, UI_ROWS_SHOWN));
    out->first_row = CAD_MAX(0, CAD_MIN(ui->scroll, rows - out->rows));
    float wide = CAD_MIN(MENU_WIDE, (float)ui->width / s - 2 * GAP) * s;
    float high = (MENU_HEAD + MENU_END + (float)out->rows * MENU_ROW) * s;
    float right = (float)ui->width - (MARGIN - BUTTON / 4) * s;
    float x = CAD_MIN(button->x + button->w / 2 - wide / 2, right - wide);
    x = CAD_MAX(x, GAP * s);
    out->menu = (struct canvas_rect){x, (float)ui->height - MENU_UP * s - high, wide, high};
    out->items[UI_ROW] = (struct canvas_rect){out->menu.x, out->menu.y + MENU_HEAD * s, wide,
                                              MENU_ROW * s};
}

static void lay_actions(const struct ui *ui, struct ui_layout *out)
{
    float s = out->scale;
    float wide = ACTION_WIDE * s;
    float gap = ACTION_GAP * s;
    float x = (float)ui->width / 2 - wide - gap / 2;
    float y = (float)ui->height * ACTION_DOWN;
    out->items[UI_RETRY] = (struct canvas_rect){x, y, wide, ACTION_HIGH * s};
    out->items[UI_QUIT] = (struct canvas_rect){x + wide + gap, y, wide, ACTION_HIGH * s};
}

void ui_layout(const struct ui *ui, const struct ui_model *model, struct ui_layout *out)
{
    memset(out, 0, sizeof(*out));
    out->scale = scale_of(ui);
    if (model->failed) {
        lay_actions(ui, out);
        return;
    }
    lay_seek(ui, out);
    lay_left(ui, model, out);
    lay_right(ui, model, out);
    float free = CAD_MIN(out->items[UI_SPEED].w > 0 ? out->items[UI_SPEED].x
                                                    : out->items[UI_FULL].x,
                         (float)ui->width) - out->time.x;
    out->time.w = CAD_MAX(0.0f, CAD_MIN(out->time.w, free));
    lay_menu(ui, model, out);
}

static bool inside(const struct canvas_rect *rect, float x, float y)
{
    return rect->w > 0 && x >= rect->x && x < rect->x + rect->w && y >= rect->y &&
           y < rect->y + rect->h;
}

enum ui_item ui_hit(const struct ui_layout *layout, float x, float y, int *row)
{
    *row = -1;
    if (inside(&layout->menu, x, y)) {
        const struct canvas_rect *first = &layout->items[UI_ROW];
        int n = y < first->y ? -1 : (int)((y - first->y) / first->h);
        if (n < 0 || n >= layout->rows) return UI_NONE;
        *row = layout->first_row + n;
        return UI_ROW;
    }
    for (int item = UI_NONE + 1; item < UI_ITEMS; item++) {
        if (item != UI_ROW && inside(&layout->items[item], x, y)) return (enum ui_item)item;
    }
    return UI_NONE;
}

cad_time ui_time_at(const struct ui_layout *layout, const struct ui_model *model, float x)
{
    if (model->duration == CAD_TIME_NONE || model->duration <= 0) return CAD_TIME_NONE;
    double part = (double)((x - layout->bar.x) / layout->bar.w);
    part = CAD_MAX(0.0, CAD_MIN(part, 1.0));
    return (cad_time)(part * (double)model->duration);
}
