#include "ui.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "labels.h"

#define SEEK_NEAR (5 * CAD_SECOND)
#define SEEK_FAR (30 * CAD_SECOND)
#define SEEK_STEP (10 * CAD_SECOND) /* of a key on the seek bar */
#define VOLUME_STEP 5
#define VOLUME_KNOB 8.0f            /* units at both ends of the slider; as it is drawn */

/* One event, and what comes of it. */
struct turn {
    struct ui *ui;
    const struct ui_model *model;
    cad_time now;
    struct ui_command *command;
    struct ui_layout layout;
};

void ui_init(struct ui *ui, cad_time now)
{
    memset(ui, 0, sizeof(*ui));
    ui->active_at = ui->shown_at = now;
    ui->shown = true;
    ui->preview = ui->toast_at = ui->busy_at = CAD_TIME_NONE;
    ui->note_at = CAD_TIME_NONE;
    ui->hover_row = ui->focus_row = -1;
}

void ui_resize(struct ui *ui, int width, int height)
{
    ui->width = width;
    ui->height = height;
}

void ui_toast(struct ui *ui, cad_time now, const char *text)
{
    cad_str_copyz(ui->toast, sizeof(ui->toast), cad_str_from(text));
    ui->toast_at = now;
}

static void show(struct ui *ui, cad_time now)
{
    ui->active_at = now;
    if (ui->shown) return;
    ui->shown = true;
    ui->shown_at = now;
}

/* ---- commands ------------------------------------------------------------------------------- */

static void do_seek_by(struct turn *turn, cad_time by)
{
    char text[UI_TOAST_SIZE];
    turn->command->type = UI_DO_SEEK_BY;
    turn->command->time = by;
    snprintf(text, sizeof(text), "%s%lld s", by < 0 ? "\xe2\x88\x92" : "+",
             (long long)(CAD_MAX(by, -by) / CAD_SECOND));
    ui_toast(turn->ui, turn->now, text);
    show(turn->ui, turn->now);
}

static void do_volume(struct turn *turn, int32_t volume)
{
    char text[UI_TOAST_SIZE];
    volume = CAD_MAX(0, CAD_MIN(volume, 100));
    turn->command->type = UI_DO_VOLUME;
    turn->command->value = volume;
    snprintf(text, sizeof(text), "Volume %d %%", (int)volume);
    ui_toast(turn->ui, turn->now, turn->model->has_sound ? text : "There is no sound");
}

static void do_mute(struct turn *turn)
{
    turn->command->type = UI_DO_MUTE;
    ui_toast(turn->ui, turn->now, turn->model->muted ? "Sound on" : "Sound off");
}

static void say_choice(struct turn *turn)
{
    char text[UI_TOAST_SIZE];
    char word[LABEL_SIZE];
    const struct ui_command *command = turn->command;
    if (command->type == UI_DO_SPEED) {
        label_speed(command->speed_q16, word, sizeof(word));
        snprintf(text, sizeof(text), "Speed %.40s", word);
    } else if (command->type == UI_DO_TRACK) {
        const struct cad_track_info *track = &turn->model->tracks[command->track];
        label_track(track, word, sizeof(word));
        snprintf(text, sizeof(text), "%s: %.50s",
                 track->type == CAD_MEDIA_TEXT ? "Subtitles" : "Audio", word);
    } else if (command->type == UI_DO_NO_TEXT) {
        snprintf(text, sizeof(text), "Subtitles off");
    } else {
        return;
    }
    ui_toast(turn->ui, turn->now, text);
}

static void do_speed(struct turn *turn, int by)
{
    turn->command->type = UI_DO_SPEED;
    turn->command->speed_q16 = ui_speed_step(turn->model->speed_q16, by);
    say_choice(turn);
}

static void do_next_audio(struct turn *turn)
{
    int track = ui_next_audio(turn->model);
    if (track < 0) {
        ui_toast(turn->ui, turn->now, "There is no other sound track");
        return;
    }
    turn->command->type = UI_DO_TRACK;
    turn->command->track = (uint32_t)track;
    say_choice(turn);
}

static void do_next_text(struct turn *turn)
{
    int track = ui_next_text(turn->model);
    if (track == UI_TEXT_NONE) {
        ui_toast(turn->ui, turn->now, "There are no subtitles");
        return;
    }
    turn->command->type = track == UI_TEXT_OFF ? UI_DO_NO_TEXT : UI_DO_TRACK;
    turn->command->track = track == UI_TEXT_OFF ? 0 : (uint32_t)track;
    say_choice(turn);
}

static void commit_preview(struct turn *turn)
{
    turn->command->type = UI_DO_SEEK;
    turn->command->time = turn->ui->preview;
    turn->ui->preview = CAD_TIME_NONE;
}

/* ---- menus ---------------------------------------------------------------------------------- */

static void close_menu(struct ui *ui, bool keep_focus)
{
    ui->focus = keep_focus ? ui->menu : UI_NONE;
    ui->menu = UI_NONE;
    ui->focus_row = ui->hover_row = -1;
}

/* The focused row is made visible. */
static void scroll_to_focus(struct turn *turn)
{
    struct ui *ui = turn->ui;
    ui_layout(ui, turn->model, &turn->layout);
    ui->scroll = turn->layout.first_row;
    if (ui->focus_row < ui->scroll) ui->scroll = CAD_MAX(ui->focus_row, 0);
    if (ui->focus_row >= ui->scroll + turn->layout.rows) {
        ui->scroll = ui->focus_row - turn->layout.rows + 1;
    }
}

static void open_menu(struct turn *turn, enum ui_item menu, bool by_key)
{
    struct ui *ui = turn->ui;
    int rows = ui_menu_rows(turn->model, menu);
    ui->menu = menu;
    ui->scroll = 0;
    ui->focus_row = 0;
    for (int row = 0; row < rows; row++) {
        struct ui_menu_row entry;
        ui_menu_row(turn->model, menu, row, &entry);
        if (entry.selected) ui->focus_row = row;
    }
    scroll_to_focus(turn);
    ui->focus = by_key ? UI_ROW : UI_NONE;
    if (!by_key) ui->focus_row = -1;
}

static void choose_row(struct turn *turn, int row)
{
    bool by_key = turn->ui->focus == UI_ROW;
    ui_menu_choose(turn->model, turn->ui->menu, row, turn->command);
    if (turn->command->type == UI_DO_NOTHING) return; /* a row that cannot be had */
    say_choice(turn);
    close_menu(turn->ui, by_key);
}

/* A button does what it is for. */
static void activate(struct turn *turn, enum ui_item item, bool by_key)
{
    struct ui *ui = turn->ui;
    switch (item) {
    case UI_PLAY: turn->command->type = UI_DO_PAUSE; break;
    case UI_MUTE: do_mute(turn); break;
    case UI_FULL: turn->command->type = UI_DO_FULL_SCREEN; break;
    case UI_RETRY: turn->command->type = UI_DO_RETRY; break;
    case UI_QUIT: turn->command->type = UI_DO_QUIT; break;
    case UI_ROW: choose_row(turn, ui->focus_row); break;
    case UI_SEEK:
        if (ui->preview != CAD_TIME_NONE) commit_preview(turn);
        break;
    case UI_SPEED:
    case UI_AUDIO:
    case UI_TEXT:
    case UI_QUALITY:
        if (ui->menu == item) {
            close_menu(ui, by_key);
        } else {
            open_menu(turn, item, by_key);
        }
        break;
    case UI_NONE:
    case UI_VOLUME:
    case UI_ITEMS: break;
    }
}

/* ---- pointer -------------------------------------------------------------------------------- */

static int32_t volume_at(const struct ui_layout *layout, float x)
{
    const struct canvas_rect *slider = &layout->items[UI_VOLUME];
    float end = VOLUME_KNOB * layout->scale;
    float part = (x - slider->x - end) / CAD_MAX(slider->w - 2 * end, 1.0f);
    return (int32_t)(CAD_MAX(0.0f, CAD_MIN(part, 1.0f)) * 100 + 0.5f);
}

static void move(struct turn *turn, const struct ui_event *event)
{
    struct ui *ui = turn->ui;
    ui->pointer_x = event->x;
    ui->pointer_y = event->y;
    ui->pointer_in = !event->touch || ui->pressed != UI_NONE;
    show(ui, turn->now);
    ui->hover = ui_hit(&turn->layout, event->x, event->y, &ui->hover_row);
    if (ui->pressed == UI_SEEK) {
        ui->preview = ui_time_at(&turn->layout, turn->model, event->x);
    } else if (ui->pressed == UI_VOLUME) {
        do_volume(turn, volume_at(&turn->layout, event->x));
    }
}

static void press(struct turn *turn, const struct ui_event *event)
{
    struct ui *ui = turn->ui;
    bool was_shown = ui->shown;
    int row = -1;
    move(turn, event);
    enum ui_item item = ui_hit(&turn->layout, event->x, event->y, &row);
    ui->focus = UI_NONE;
    if (ui->help) {
        ui->help = false;
        return;
    }
    /* A finger that wakes the controls does not press what it could not see. */
    if (event->touch && !was_shown && !turn->model->failed) return;
    ui->pressed = item;
    ui->double_click = event->clicks == 2;
    ui->pressed_picture = item == UI_NONE && ui->menu == UI_NONE;
    if (item == UI_SEEK) {
        ui->pointer_in = true;
        ui->preview = ui_time_at(&turn->layout, turn->model, event->x);
    } else if (item == UI_VOLUME) {
        do_volume(turn, volume_at(&turn->layout, event->x));
    } else if (ui->pressed_picture && ui->double_click && !event->touch) {
        turn->command->type = UI_DO_PAUSE; /* takes back what the first click did */
    } else if (ui->menu != UI_NONE && item != UI_ROW && item != ui->menu) {
        bool in_menu = event->y >= turn->layout.menu.y && event->x >= turn->layout.menu.x &&
                       event->x < turn->layout.menu.x + turn->layout.menu.w &&
                       event->y < turn->layout.menu.y + turn->layout.menu.h;
        if (!in_menu) close_menu(ui, false);
    }
}

static void release(struct turn *turn, const struct ui_event *event)
{
    struct ui *ui = turn->ui;
    int row = -1;
    enum ui_item item = ui_hit(&turn->layout, event->x, event->y, &row);
    enum ui_item pressed = ui->pressed;
    bool on_picture = ui->pressed_picture && item == UI_NONE;
    ui->pressed = UI_NONE;
    ui->pressed_picture = false;
    show(ui, turn->now);
    if (pressed == UI_SEEK && ui->preview != CAD_TIME_NONE) {
        commit_preview(turn);
    } else if (pressed == UI_ROW && item == UI_ROW) {
        choose_row(turn, row);
    } else if (pressed != UI_NONE && pressed == item) {
        activate(turn, item, false);
    } else if (on_picture && event->touch) {
        ui->active_at = turn->now - UI_SHOWN_FOR; /* a tap beside the controls hides them */
    } else if (on_picture && !turn->model->failed) {
        turn->command->type = ui->double_click ? UI_DO_FULL_SCREEN : UI_DO_PAUSE;
    }
    if (event->touch) ui->pointer_in = false;
    if (event->touch) ui->hover = UI_NONE;
}

static void wheel(struct turn *turn, const struct ui_event *event)
{
    struct ui *ui = turn->ui;
    int rows = ui_menu_rows(turn->model, ui->menu);
    if (ui->menu != UI_NONE) {
        ui->scroll = turn->layout.first_row - event->wheel;
        ui->scroll = CAD_MAX(0, CAD_MIN(ui->scroll, rows - turn->layout.rows));
        show(ui, turn->now);
    } else if (event->wheel != 0) {
        do_volume(turn, turn->model->volume + (event->wheel > 0 ? VOLUME_STEP : -VOLUME_STEP));
    }
}

/* ---- keys ----------------------------------------------------------------------------------- */

static bool is_there(const struct turn *turn, enum ui_item item)
{
    return turn->layout.items[item].w > 0;
}

/* The next control in the row of buttons, or the same at its end. */
static enum ui_item beside(const struct turn *turn, enum ui_item item, int by)
{
    for (int at = (int)item + by; at >= UI_PLAY && at <= UI_FULL; at += by) {
        if (is_there(turn, (enum ui_item)at)) return (enum ui_item)at;
    }
    return item;
}

static void step_preview(struct turn *turn, int by)
{
    struct ui *ui = turn->ui;
    const struct ui_model *model = turn->model;
    if (model->duration == CAD_TIME_NONE || model->position == CAD_TIME_NONE) return;
    cad_time from = ui->preview == CAD_TIME_NONE ? model->position : ui->preview;
    ui->preview = CAD_MAX(0, CAD_MIN(from + by * SEEK_STEP, model->duration));
    ui->preview_at = turn->now;
}

static void menu_key(struct turn *turn, enum ui_key key)
{
    struct ui *ui = turn->ui;
    int rows = ui_menu_rows(turn->model, ui->menu);
    switch (key) {
    case UI_KEY_UP:
    case UI_KEY_DOWN:
        ui->focus = UI_ROW;
        ui->focus_row += key == UI_KEY_UP ? -1 : 1;
        ui->focus_row = CAD_MAX(0, CAD_MIN(ui->focus_row, rows - 1));
        scroll_to_focus(turn);
        break;
    case UI_KEY_ENTER:
        if (ui->focus == UI_ROW) choose_row(turn, ui->focus_row);
        break;
    default: close_menu(ui, true); break;
    }
}

/* Keys that move the focus, while a control has it. */
static void focus_key(struct turn *turn, enum ui_key key)
{
    struct ui *ui = turn->ui;
    int by = key == UI_KEY_LEFT || key == UI_KEY_DOWN ? -1 : 1;
    bool level = key == UI_KEY_LEFT || key == UI_KEY_RIGHT;
    if (key == UI_KEY_ENTER) {
        activate(turn, ui->focus, true);
    } else if (level && ui->focus == UI_SEEK) {
        step_preview(turn, by);
    } else if (level) {
        ui->focus = beside(turn, ui->focus, by);
    } else if (ui->focus == UI_VOLUME) {
        do_volume(turn, turn->model->volume + by * VOLUME_STEP);
    } else if (key == UI_KEY_UP) {
        ui->focus = UI_SEEK;
    } else if (ui->focus == UI_SEEK) {
        if (ui->preview != CAD_TIME_NONE) commit_preview(turn);
        ui->focus = UI_PLAY;
    }
}

static void failed_key(struct turn *turn, enum ui_key key)
{
    struct ui *ui = turn->ui;
    switch (key) {
    case UI_KEY_LEFT:
    case UI_KEY_UP: ui->focus = UI_RETRY; break;
    case UI_KEY_RIGHT:
    case UI_KEY_DOWN: ui->focus = UI_QUIT; break;
    case UI_KEY_TAB: ui->focus = ui->focus == UI_RETRY ? UI_QUIT : UI_RETRY; break;
    case UI_KEY_ENTER:
    case UI_KEY_PAUSE: activate(turn, ui->focus == UI_QUIT ? UI_QUIT : UI_RETRY, true); break;
    case UI_KEY_RETRY: turn->command->type = UI_DO_RETRY; break;
    case UI_KEY_FULL_SCREEN: turn->command->type = UI_DO_FULL_SCREEN; break;
    case UI_KEY_ESCAPE:
        turn->command->type = turn->model->full_screen ? UI_DO_FULL_SCREEN : UI_DO_QUIT;
        break;
    case UI_KEY_QUIT: turn->command->type = UI_DO_QUIT; break;
    default: break;
    }
}

/* Escape closes what is open, the innermost first. */
static void escape(struct turn *turn)
{
    struct ui *ui = turn->ui;
    if (ui->preview != CAD_TIME_NONE) {
        ui->preview = CAD_TIME_NONE;
        ui->pressed = UI_NONE;
    } else if (ui->focus != UI_NONE) {
        ui->focus = UI_NONE;
    } else {
        turn->command->type = turn->model->full_screen ? UI_DO_FULL_SCREEN : UI_DO_QUIT;
    }
}

static void tab(struct turn *turn, bool back)
{
    struct ui *ui = turn->ui;
    if (ui->focus == UI_NONE) {
        ui->focus = UI_PLAY;
    } else if (ui->focus == UI_SEEK) {
        ui->focus = back ? UI_FULL : UI_PLAY;
    } else {
        enum ui_item next = beside(turn, ui->focus, back ? -1 : 1);
        ui->focus = next == ui->focus ? UI_SEEK : next;
    }
    show(ui, turn->now);
}

/* Keys that mean the same whatever has the focus. */
static bool plain_key(struct turn *turn, enum ui_key key)
{
    struct ui *ui = turn->ui;
    int32_t volume = turn->model->volume;
    switch (key) {
    case UI_KEY_PAUSE:
        turn->command->type = UI_DO_PAUSE;
        show(ui, turn->now);
        return true;
    case UI_KEY_FULL_SCREEN: turn->command->type = UI_DO_FULL_SCREEN; return true;
    case UI_KEY_MUTE: do_mute(turn); return true;
    case UI_KEY_OVERLAY: ui->overlay = !ui->overlay; return true;
    case UI_KEY_HELP: ui->help = true; return true;
    case UI_KEY_AUDIO: do_next_audio(turn); return true;
    case UI_KEY_TEXT: do_next_text(turn); return true;
    case UI_KEY_SLOWER: do_speed(turn, -1); return true;
    case UI_KEY_FASTER: do_speed(turn, 1); return true;
    case UI_KEY_QUIETER: do_volume(turn, volume - VOLUME_STEP); return true;
    case UI_KEY_LOUDER: do_volume(turn, volume + VOLUME_STEP); return true;
    case UI_KEY_QUIT: turn->command->type = UI_DO_QUIT; return true;
    case UI_KEY_NONE:
    case UI_KEY_RETRY: return true;
    default: return false;
    }
}

static void press_key(struct turn *turn, const struct ui_event *event)
{
    struct ui *ui = turn->ui;
    enum ui_key key = event->key;
    int by = key == UI_KEY_LEFT || key == UI_KEY_DOWN ? -1 : 1;
    if (turn->model->failed) {
        failed_key(turn, key);
    } else if (ui->help && key != UI_KEY_QUIT) {
        ui->help = false;
    } else if (plain_key(turn, key)) {
        return;
    } else if (ui->menu != UI_NONE) {
        menu_key(turn, key);
        show(ui, turn->now);
    } else if (key == UI_KEY_ESCAPE) {
        escape(turn);
    } else if (key == UI_KEY_TAB) {
        tab(turn, event->shift);
    } else if (ui->focus != UI_NONE) {
        focus_key(turn, key);
        show(ui, turn->now);
    } else if (key == UI_KEY_ENTER) {
        tab(turn, false);
    } else if (key == UI_KEY_LEFT || key == UI_KEY_RIGHT) {
        do_seek_by(turn, by * (event->shift ? SEEK_FAR : SEEK_NEAR));
    } else {
        do_volume(turn, turn->model->volume + by * VOLUME_STEP);
    }
}

bool ui_take(struct ui *ui, const struct ui_model *model, const struct ui_event *event,
             cad_time now, struct ui_command *command)
{
    struct turn turn = {.ui = ui, .model = model, .now = now, .command = command};
    *command = (struct ui_command){.type = UI_DO_NOTHING};
    ui_layout(ui, model, &turn.layout);
    switch (event->type) {
    case UI_MOVE: move(&turn, event); break;
    case UI_LEAVE:
        ui->pointer_in = false;
        ui->hover = UI_NONE;
        break;
    case UI_PRESS: press(&turn, event); break;
    case UI_RELEASE: release(&turn, event); break;
    case UI_WHEEL: wheel(&turn, event); break;
    case UI_KEY: press_key(&turn, event); break;
    }
    return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

/* What keeps the controls from fading. */
static bool is_held(const struct ui *ui, const struct ui_model *model)
{
    return ui->menu != UI_NONE || ui->pressed == UI_SEEK || ui->pressed == UI_VOLUME ||
           ui->preview != CAD_TIME_NONE || (model->paused && model->has_picture);
}

static bool tick_shown(struct ui *ui, const struct ui_model *model, cad_time now)
{
    bool wanted = is_held(ui, model) || now - ui->active_at < UI_SHOWN_FOR;
    if (wanted == ui->shown) return false;
    ui->shown = wanted;
    ui->shown_at = now;
    if (!wanted) ui->focus = UI_NONE;
    return true;
}

static bool waits(const struct ui_model *model)
{
    return model->state == CAD_STATE_LOADING || model->state == CAD_STATE_BUFFERING;
}

static bool tick_state(struct ui *ui, const struct ui_model *model, cad_time now)
{
    bool changed = model->state != ui->state_old || model->failed != ui->was_failed;
    if (model->failed && !ui->was_failed) {
        ui->focus = UI_RETRY;
        ui->menu = UI_NONE;
        ui->help = false;
        ui->pressed = UI_NONE;
        ui->preview = CAD_TIME_NONE;
    } else if (!model->failed && ui->was_failed) {
        ui->focus = UI_NONE;
    }
    /* The viewer is told what is played once it is there. */
    if (ui->state_old == CAD_STATE_LOADING && model->state != CAD_STATE_LOADING) show(ui, now);
    if (waits(model) && ui->busy_at == CAD_TIME_NONE) ui->busy_at = now;
    if (!waits(model)) ui->busy_at = CAD_TIME_NONE;
    if (strcmp(ui->note, model->note) != 0) {
        memcpy(ui->note, model->note, sizeof(ui->note));
        ui->note_at = now;
        changed = true;
    }
    ui->state_old = model->state;
    ui->was_failed = model->failed;
    return changed;
}

bool ui_tick(struct ui *ui, const struct ui_model *model, cad_time now,
             struct ui_command *command)
{
    struct turn turn = {.ui = ui, .model = model, .now = now, .command = command};
    *command = (struct ui_command){.type = UI_DO_NOTHING};
    bool changed = tick_state(ui, model, now);
    if (ui->preview != CAD_TIME_NONE && ui->pressed != UI_SEEK &&
        now - ui->preview_at >= UI_COMMIT_AFTER) {
        commit_preview(&turn);
        changed = true;
    }
    if (ui->menu != UI_NONE && ui_menu_rows(model, ui->menu) == 0) close_menu(ui, false);
    return tick_shown(ui, model, now) || changed;
}

/* Of something that stays for a while and then fades. */
static cad_time next_of(cad_time begin, cad_time stays, cad_time now)
{
    if (begin == CAD_TIME_NONE || now >= begin + stays + UI_FADE_OUT) return CAD_TIME_NONE;
    return now < begin + stays ? begin + stays : now;
}

cad_time ui_next(const struct ui *ui, const struct ui_model *model, cad_time now)
{
    cad_time next = CAD_TIME_NONE;
    cad_time fade = ui->shown ? UI_FADE_IN : UI_FADE_OUT;
    if (now - ui->shown_at < fade) next = now;
    if (ui->shown && !is_held(ui, model)) {
        next = cad_time_earlier(next, ui->active_at + UI_SHOWN_FOR);
    }
    next = cad_time_earlier(next, next_of(ui->toast_at, UI_TOAST_FOR, now));
    if (ui->note[0]) next = cad_time_earlier(next, next_of(ui->note_at, UI_NOTE_FOR, now));
    if (ui->busy_at != CAD_TIME_NONE) {
        next = cad_time_earlier(next, CAD_MAX(now, ui->busy_at + UI_BUSY_AFTER));
    }
    if (ui->preview != CAD_TIME_NONE && ui->pressed != UI_SEEK) {
        next = cad_time_earlier(next, ui->preview_at + UI_COMMIT_AFTER);
    }
    return next;
}

static uint32_t part_of_255(cad_time t, cad_time whole)
{
    return (uint32_t)CAD_MAX(0, CAD_MIN(t * 255 / whole, 255));
}

uint32_t ui_controls_alpha(const struct ui *ui, cad_time now)
{
    cad_time t = now - ui->shown_at;
    return ui->shown ? part_of_255(t, UI_FADE_IN) : 255 - part_of_255(t, UI_FADE_OUT);
}

static uint32_t passing_alpha(cad_time begin, cad_time stays, cad_time now)
{
    if (begin == CAD_TIME_NONE) return 0;
    return 255 - part_of_255(now - begin - stays, UI_FADE_OUT);
}

uint32_t ui_toast_alpha(const struct ui *ui, cad_time now)
{
    return passing_alpha(ui->toast_at, UI_TOAST_FOR, now);
}

/* A note is to be seen as long as the controls are. */
uint32_t ui_note_alpha(const struct ui *ui, cad_time now)
{
    if (!ui->note[0]) return 0;
    uint32_t alone = passing_alpha(ui->note_at, UI_NOTE_FOR, now);
    return CAD_MAX(alone, ui_controls_alpha(ui, now));
}

bool ui_is_busy(const struct ui *ui, cad_time now)
{
    return ui->busy_at != CAD_TIME_NONE && now - ui->busy_at >= UI_BUSY_AFTER;
}

bool ui_hides_cursor(const struct ui *ui)
{
    return !ui->shown && !ui->was_failed && !ui->help;
}
