/* The controls as a machine: pointer, fingers, keys and time go in, commands come out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "ui.h"

#define START (100 * CAD_SECOND)

struct bench {
    struct ui ui;
    struct ui_model model;
    struct cad_track_info tracks[8];
    struct ui_layout layout;
    struct ui_command command;
    cad_time now;
};

static void add_track(struct bench *b, enum cad_media_type type, const char *lang, bool playable)
{
    struct cad_track_info *track = &b->tracks[b->model.track_count++];
    track->type = type;
    track->playable = playable;
    snprintf(track->lang, sizeof(track->lang), "%s", lang);
}

/* A title of 1000 seconds, playing at 100 with 30 ahead, three sound tracks, three rungs. */
static void begin(struct bench *b)
{
    memset(b, 0, sizeof(*b));
    b->now = START;
    b->model = (struct ui_model){
        .state = CAD_STATE_PLAYING, .has_picture = true, .has_sound = true, .volume = 50,
        .speed_q16 = 65536, .position = 100 * CAD_SECOND, .duration = 1000 * CAD_SECOND,
        .buffered = 130 * CAD_SECOND, .rung_count = 3, .rung_now = 1, .rung_pinned = -1,
        .tracks = b->tracks};
    add_track(b, CAD_MEDIA_VIDEO, "und", true);
    add_track(b, CAD_MEDIA_AUDIO, "en", true);
    add_track(b, CAD_MEDIA_AUDIO, "de", true);
    add_track(b, CAD_MEDIA_AUDIO, "fr", false);
    b->tracks[1].selected = true;
    ui_init(&b->ui, b->now);
    ui_resize(&b->ui, 1280, 720);
    ui_tick(&b->ui, &b->model, b->now, &b->command);
    ui_layout(&b->ui, &b->model, &b->layout);
}

static enum ui_command_type take(struct bench *b, struct ui_event event)
{
    assert_true(ui_take(&b->ui, &b->model, &event, b->now, &b->command));
    ui_layout(&b->ui, &b->model, &b->layout);
    return b->command.type;
}

static enum ui_command_type key(struct bench *b, enum ui_key which)
{
    return take(b, (struct ui_event){.type = UI_KEY, .key = which});
}

static enum ui_command_type tick(struct bench *b, cad_time by)
{
    b->now += by;
    ui_tick(&b->ui, &b->model, b->now, &b->command);
    return b->command.type;
}

static float middle_x(const struct bench *b, enum ui_item item)
{
    return b->layout.items[item].x + b->layout.items[item].w / 2;
}

static float middle_y(const struct bench *b, enum ui_item item)
{
    return b->layout.items[item].y + b->layout.items[item].h / 2;
}

static enum ui_command_type at(struct bench *b, enum ui_event_type type, float x, float y)
{
    return take(b, (struct ui_event){.type = type, .x = x, .y = y, .clicks = 1});
}

/* Press and release in the middle of a control. */
static enum ui_command_type click(struct bench *b, enum ui_item item)
{
    float x = middle_x(b, item);
    float y = middle_y(b, item);
    assert_true(b->layout.items[item].w > 0);
    at(b, UI_PRESS, x, y);
    return at(b, UI_RELEASE, x, y);
}

/* ---- showing and fading --------------------------------------------------------------------- */

static void test_ui_fades_after_three_seconds(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_int_equal(ui_controls_alpha(&b.ui, b.now + CAD_SECOND), 255);
    tick(&b, UI_SHOWN_FOR - 1);
    assert_true(b.ui.shown);
    assert_int_equal(ui_next(&b.ui, &b.model, b.now), START + UI_SHOWN_FOR);
    tick(&b, 1);
    assert_false(b.ui.shown);
    assert_int_equal(ui_next(&b.ui, &b.model, b.now), b.now); /* it fades now */
    assert_in_range(ui_controls_alpha(&b.ui, b.now + UI_FADE_OUT / 2), 120, 135);
    assert_int_equal(ui_controls_alpha(&b.ui, b.now + UI_FADE_OUT), 0);
    b.now += UI_FADE_OUT;
    assert_int_equal(ui_next(&b.ui, &b.model, b.now), CAD_TIME_NONE);
    assert_true(ui_hides_cursor(&b.ui));
    /* The mouse brings them back. */
    at(&b, UI_MOVE, 300, 300);
    assert_true(b.ui.shown);
    assert_false(ui_hides_cursor(&b.ui));
    assert_in_range(ui_controls_alpha(&b.ui, b.now + UI_FADE_IN / 2), 120, 135);
}

static void test_ui_stays_while_paused_or_open(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    b.model.paused = true;
    tick(&b, 60 * CAD_SECOND);
    assert_true(b.ui.shown);
    b.model.paused = false;
    click(&b, UI_SPEED);
    tick(&b, 60 * CAD_SECOND);
    assert_true(b.ui.shown);
    key(&b, UI_KEY_ESCAPE);
    tick(&b, UI_SHOWN_FOR);
    assert_false(b.ui.shown);
}

static void test_ui_says_what_is_played_when_it_begins(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    b.model.state = CAD_STATE_LOADING;
    tick(&b, 10 * CAD_SECOND);
    assert_false(b.ui.shown);
    b.model.state = CAD_STATE_PLAYING;
    tick(&b, CAD_MS);
    assert_true(b.ui.shown);
}

static void test_ui_spins_after_300_ms(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    b.model.state = CAD_STATE_BUFFERING;
    tick(&b, CAD_MS);
    assert_false(ui_is_busy(&b.ui, b.now + UI_BUSY_AFTER - 1));
    assert_true(ui_is_busy(&b.ui, b.now + UI_BUSY_AFTER));
    assert_true(ui_next(&b.ui, &b.model, b.now) <= b.now + UI_BUSY_AFTER);
    b.model.state = CAD_STATE_PLAYING;
    tick(&b, CAD_SECOND);
    assert_false(ui_is_busy(&b.ui, b.now));
}

static void test_ui_shows_a_note_for_a_while(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    tick(&b, 10 * CAD_SECOND);
    tick(&b, CAD_SECOND);
    assert_int_equal(ui_note_alpha(&b.ui, b.now), 0);
    memcpy(b.model.note, "HDR", 4);
    tick(&b, CAD_MS);
    assert_int_equal(ui_note_alpha(&b.ui, b.now + UI_NOTE_FOR), 255);
    tick(&b, UI_NOTE_FOR + UI_FADE_OUT);
    assert_int_equal(ui_note_alpha(&b.ui, b.now), 0);
    at(&b, UI_MOVE, 5, 5); /* it comes with the controls */
    assert_int_equal(ui_note_alpha(&b.ui, b.now + UI_FADE_IN), 255);
}

/* ---- pointer -------------------------------------------------------------------------------- */

static void test_ui_seeks_once_on_release(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    const struct canvas_rect *bar = &b.layout.bar;
    float y = middle_y(&b, UI_SEEK);
    assert_int_equal(at(&b, UI_PRESS, bar->x + bar->w / 2, y), UI_DO_NOTHING);
    assert_int_equal(b.ui.preview, 500 * CAD_SECOND);
    for (int i = 0; i < 10; i++) {
        float x = bar->x + bar->w * (0.5f + 0.025f * (float)i);
        assert_int_equal(at(&b, UI_MOVE, x, 10), UI_DO_NOTHING); /* also off the bar */
        assert_int_equal(tick(&b, CAD_SECOND), UI_DO_NOTHING);
    }
    assert_int_equal(at(&b, UI_MOVE, 5000, y), UI_DO_NOTHING);
    assert_int_equal(b.ui.preview, 1000 * CAD_SECOND);
    at(&b, UI_MOVE, bar->x + bar->w / 4, y);
    assert_int_equal(at(&b, UI_RELEASE, bar->x + bar->w / 4, 10), UI_DO_SEEK);
    assert_int_equal(b.command.time, 250 * CAD_SECOND);
    assert_int_equal(b.ui.preview, CAD_TIME_NONE);
    /* Without a duration there is nothing to seek in. */
    b.model.duration = CAD_TIME_NONE;
    assert_int_equal(click(&b, UI_SEEK), UI_DO_NOTHING);
    assert_int_equal(ui_time_at(&b.layout, &b.model, 300), CAD_TIME_NONE);
}

static void test_ui_escape_takes_a_drag_back(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    at(&b, UI_PRESS, 700, middle_y(&b, UI_SEEK));
    assert_int_equal(key(&b, UI_KEY_ESCAPE), UI_DO_NOTHING);
    assert_int_equal(at(&b, UI_RELEASE, 700, middle_y(&b, UI_SEEK)), UI_DO_NOTHING);
}

static void test_ui_buttons_act_on_release(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_int_equal(click(&b, UI_PLAY), UI_DO_PAUSE);
    assert_int_equal(click(&b, UI_MUTE), UI_DO_MUTE);
    assert_int_equal(click(&b, UI_FULL), UI_DO_FULL_SCREEN);
    /* Let go elsewhere: nothing. */
    at(&b, UI_PRESS, middle_x(&b, UI_PLAY), middle_y(&b, UI_PLAY));
    assert_int_equal(at(&b, UI_RELEASE, 640, 300), UI_DO_NOTHING);
}

static void test_ui_volume_follows_the_pointer(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    const struct canvas_rect *slider = &b.layout.items[UI_VOLUME];
    float y = middle_y(&b, UI_VOLUME);
    assert_int_equal(at(&b, UI_PRESS, slider->x + slider->w / 2, y), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 50);
    assert_int_equal(at(&b, UI_MOVE, slider->x + slider->w + 500, 10), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 100);
    assert_int_equal(at(&b, UI_MOVE, 0, 10), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 0);
    at(&b, UI_RELEASE, 0, 10);
    assert_int_equal(at(&b, UI_MOVE, 300, 10), UI_DO_NOTHING);
    struct ui_event wheel = {.type = UI_WHEEL, .wheel = 1};
    assert_int_equal(take(&b, wheel), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 55);
}

static void test_ui_clicks_on_the_picture(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_int_equal(at(&b, UI_PRESS, 640, 300), UI_DO_NOTHING);
    assert_int_equal(at(&b, UI_RELEASE, 640, 300), UI_DO_PAUSE);
    /* A double click is full screen, and takes its first pause back. */
    struct ui_event second = {.type = UI_PRESS, .x = 640, .y = 300, .clicks = 2};
    assert_int_equal(take(&b, second), UI_DO_PAUSE);
    assert_int_equal(at(&b, UI_RELEASE, 640, 300), UI_DO_FULL_SCREEN);
}

static void test_ui_fingers_wake_before_they_press(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    tick(&b, 10 * CAD_SECOND);
    struct ui_event touch = {.type = UI_PRESS, .touch = true, .clicks = 1,
                             .x = middle_x(&b, UI_PLAY), .y = middle_y(&b, UI_PLAY)};
    assert_int_equal(take(&b, touch), UI_DO_NOTHING);
    touch.type = UI_RELEASE;
    assert_int_equal(take(&b, touch), UI_DO_NOTHING);
    assert_true(b.ui.shown);
    touch.type = UI_PRESS;
    take(&b, touch);
    touch.type = UI_RELEASE;
    assert_int_equal(take(&b, touch), UI_DO_PAUSE);
    assert_false(b.ui.pointer_in); /* a finger that is gone points nowhere */
    /* A tap beside them hides them. */
    touch = (struct ui_event){.type = UI_PRESS, .touch = true, .clicks = 1, .x = 640, .y = 300};
    take(&b, touch);
    touch.type = UI_RELEASE;
    assert_int_equal(take(&b, touch), UI_DO_NOTHING);
    tick(&b, CAD_MS);
    assert_false(b.ui.shown);
}

/* ---- menus ---------------------------------------------------------------------------------- */

static void test_ui_menu_by_pointer(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_int_equal(click(&b, UI_QUALITY), UI_DO_NOTHING);
    assert_int_equal(b.ui.menu, UI_QUALITY);
    assert_int_equal(b.layout.rows, 4);
    const struct canvas_rect *row = &b.layout.items[UI_ROW];
    float x = row->x + row->w / 2;
    float y = row->y + row->h * 1.5f; /* the second row: the best rung */
    at(&b, UI_PRESS, x, y);
    assert_int_equal(at(&b, UI_RELEASE, x, y), UI_DO_RUNG);
    assert_int_equal(b.command.value, 2);
    assert_int_equal(b.ui.menu, UI_NONE);
    /* A press beside it closes it and does nothing else. */
    click(&b, UI_QUALITY);
    at(&b, UI_PRESS, 300, 200);
    assert_int_equal(at(&b, UI_RELEASE, 300, 200), UI_DO_NOTHING);
    assert_int_equal(b.ui.menu, UI_NONE);
    /* So does one on its button; one on another button opens that one. */
    click(&b, UI_QUALITY);
    click(&b, UI_QUALITY);
    assert_int_equal(b.ui.menu, UI_NONE);
    click(&b, UI_QUALITY);
    click(&b, UI_SPEED);
    assert_int_equal(b.ui.menu, UI_SPEED);
}

static void test_ui_menu_by_keys(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    key(&b, UI_KEY_ENTER);
    assert_int_equal(b.ui.focus, UI_PLAY);
    while (b.ui.focus != UI_AUDIO) key(&b, UI_KEY_RIGHT);
    key(&b, UI_KEY_ENTER);
    assert_int_equal(b.ui.menu, UI_AUDIO);
    assert_int_equal(b.ui.focus_row, 0); /* what is heard */
    key(&b, UI_KEY_UP);
    assert_int_equal(b.ui.focus_row, 0);
    key(&b, UI_KEY_DOWN);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_TRACK);
    assert_int_equal(b.command.track, 2);
    assert_int_equal(b.ui.focus, UI_AUDIO); /* where one was before */
    assert_string_equal(b.ui.toast, "Audio: German");
    /* What the device cannot play is shown and cannot be had. */
    key(&b, UI_KEY_ENTER);
    for (int i = 0; i < 9; i++) key(&b, UI_KEY_DOWN);
    assert_int_equal(b.ui.focus_row, 2);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_NOTHING);
    assert_int_equal(b.ui.menu, UI_AUDIO);
    key(&b, UI_KEY_ESCAPE);
    assert_int_equal(b.ui.menu, UI_NONE);
    assert_int_equal(b.ui.focus, UI_AUDIO);
}

static void test_ui_long_menus_scroll(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    b.model.rung_count = 20;
    b.model.rung_now = 3;
    ui_layout(&b.ui, &b.model, &b.layout);
    click(&b, UI_QUALITY);
    assert_int_equal(b.layout.rows, UI_ROWS_SHOWN);
    assert_int_equal(b.layout.first_row, 0);
    for (int i = 0; i < 30; i++) key(&b, UI_KEY_DOWN);
    assert_int_equal(b.ui.focus_row, 20);
    assert_int_equal(b.layout.first_row, 21 - UI_ROWS_SHOWN);
    for (int i = 0; i < 30; i++) key(&b, UI_KEY_UP);
    assert_int_equal(b.layout.first_row, 0);
    struct ui_event wheel = {.type = UI_WHEEL, .wheel = -3};
    assert_int_equal(take(&b, wheel), UI_DO_NOTHING);
    assert_int_equal(b.layout.first_row, 3);
}

static void test_ui_menu_goes_with_what_it_lists(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    click(&b, UI_AUDIO);
    b.model.track_count = 0;
    tick(&b, CAD_MS);
    assert_int_equal(b.ui.menu, UI_NONE);
    ui_layout(&b.ui, &b.model, &b.layout);
    assert_true(b.layout.items[UI_AUDIO].w <= 0);
}

/* ---- keys ----------------------------------------------------------------------------------- */

static void test_ui_plain_keys(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    static const struct { enum ui_key key; enum ui_command_type type; } keys[] = {
        {UI_KEY_PAUSE, UI_DO_PAUSE}, {UI_KEY_MUTE, UI_DO_MUTE},
        {UI_KEY_FULL_SCREEN, UI_DO_FULL_SCREEN}, {UI_KEY_QUIT, UI_DO_QUIT},
        {UI_KEY_ESCAPE, UI_DO_QUIT}, {UI_KEY_RETRY, UI_DO_NOTHING}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(keys); i++) {
        assert_int_equal(key(&b, keys[i].key), keys[i].type);
    }
    assert_int_equal(key(&b, UI_KEY_LEFT), UI_DO_SEEK_BY);
    assert_int_equal(b.command.time, -5 * CAD_SECOND);
    struct ui_event far = {.type = UI_KEY, .key = UI_KEY_RIGHT, .shift = true};
    assert_int_equal(take(&b, far), UI_DO_SEEK_BY);
    assert_int_equal(b.command.time, 30 * CAD_SECOND);
    assert_string_equal(b.ui.toast, "+30 s");
    assert_int_equal(key(&b, UI_KEY_UP), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 55);
    assert_int_equal(key(&b, UI_KEY_QUIETER), UI_DO_VOLUME);
    assert_int_equal(b.command.value, 45);
    assert_string_equal(b.ui.toast, "Volume 45 %");
    assert_int_equal(key(&b, UI_KEY_AUDIO), UI_DO_TRACK);
    assert_int_equal(b.command.track, 2);
    b.tracks[2].playable = false;
    assert_int_equal(key(&b, UI_KEY_AUDIO), UI_DO_NOTHING);
    assert_string_equal(b.ui.toast, "There is no other sound track");
    b.model.full_screen = true;
    assert_int_equal(key(&b, UI_KEY_ESCAPE), UI_DO_FULL_SCREEN);
}

static void test_ui_speeds_step_through_the_menu(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    static const uint32_t up[] = {81920, 98304, 131072, 131072};
    for (size_t i = 0; i < CAD_ARRAY_LEN(up); i++) {
        assert_int_equal(key(&b, UI_KEY_FASTER), UI_DO_SPEED);
        assert_int_equal(b.command.speed_q16, up[i]);
        b.model.speed_q16 = b.command.speed_q16;
    }
    assert_int_equal(ui_speed_step(65536, -1), 49152);
    assert_int_equal(ui_speed_step(49152, -1), 32768);
    assert_int_equal(ui_speed_step(32768, -1), 32768);
    assert_int_equal(ui_speed_step(70000, -1), 65536);
    assert_int_equal(ui_speed_step(70000, 1), 81920);
}

static void test_ui_focus_walks_over_the_controls(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    static const enum ui_item order[] = {UI_PLAY, UI_MUTE, UI_VOLUME, UI_SPEED, UI_AUDIO,
                                         UI_QUALITY, UI_FULL, UI_SEEK, UI_PLAY};
    for (size_t i = 0; i < CAD_ARRAY_LEN(order); i++) {
        key(&b, UI_KEY_TAB);
        assert_int_equal(b.ui.focus, order[i]);
    }
    key(&b, UI_KEY_LEFT);
    assert_int_equal(b.ui.focus, UI_PLAY);
    key(&b, UI_KEY_RIGHT);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_MUTE);
    key(&b, UI_KEY_RIGHT);
    assert_int_equal(key(&b, UI_KEY_UP), UI_DO_VOLUME); /* the slider takes up and down */
    key(&b, UI_KEY_ESCAPE);
    assert_int_equal(b.ui.focus, UI_NONE);
    assert_int_equal(key(&b, UI_KEY_LEFT), UI_DO_SEEK_BY);
    /* What fades has no focus. */
    key(&b, UI_KEY_TAB);
    tick(&b, UI_SHOWN_FOR);
    assert_int_equal(b.ui.focus, UI_NONE);
}

static void test_ui_seek_bar_by_keys_is_one_seek(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    key(&b, UI_KEY_ENTER);
    key(&b, UI_KEY_UP);
    assert_int_equal(b.ui.focus, UI_SEEK);
    for (int i = 0; i < 4; i++) assert_int_equal(key(&b, UI_KEY_RIGHT), UI_DO_NOTHING);
    assert_int_equal(b.ui.preview, 140 * CAD_SECOND);
    assert_int_equal(tick(&b, UI_COMMIT_AFTER - 1), UI_DO_NOTHING);
    assert_int_equal(ui_next(&b.ui, &b.model, b.now), b.now + 1);
    assert_int_equal(tick(&b, 1), UI_DO_SEEK);
    assert_int_equal(b.command.time, 140 * CAD_SECOND);
    assert_int_equal(tick(&b, CAD_SECOND), UI_DO_NOTHING);
    /* Enter does not wait; going back beyond the beginning ends there. */
    for (int i = 0; i < 20; i++) key(&b, UI_KEY_LEFT);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_SEEK);
    assert_int_equal(b.command.time, 0);
}

static void test_ui_help_closes_with_any_key(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    key(&b, UI_KEY_HELP);
    assert_true(b.ui.help);
    assert_int_equal(key(&b, UI_KEY_PAUSE), UI_DO_NOTHING);
    assert_false(b.ui.help);
    key(&b, UI_KEY_HELP);
    assert_int_equal(at(&b, UI_PRESS, 640, 300), UI_DO_NOTHING);
    assert_int_equal(at(&b, UI_RELEASE, 640, 300), UI_DO_NOTHING);
    assert_false(b.ui.help);
    key(&b, UI_KEY_HELP);
    assert_int_equal(key(&b, UI_KEY_QUIT), UI_DO_QUIT);
}

/* ---- failures ------------------------------------------------------------------------------- */

static void test_ui_failure_offers_retry_and_quit(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    click(&b, UI_AUDIO);
    b.model.failed = true;
    tick(&b, CAD_MS);
    ui_layout(&b.ui, &b.model, &b.layout);
    assert_int_equal(b.ui.menu, UI_NONE);
    assert_int_equal(b.ui.focus, UI_RETRY);
    assert_true(b.layout.items[UI_PLAY].w <= 0);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_RETRY);
    assert_int_equal(key(&b, UI_KEY_RIGHT), UI_DO_NOTHING);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_QUIT);
    key(&b, UI_KEY_TAB);
    assert_int_equal(key(&b, UI_KEY_ENTER), UI_DO_RETRY);
    assert_int_equal(key(&b, UI_KEY_RETRY), UI_DO_RETRY);
    assert_int_equal(key(&b, UI_KEY_ESCAPE), UI_DO_QUIT);
    assert_int_equal(key(&b, UI_KEY_LOUDER), UI_DO_NOTHING);
    assert_int_equal(click(&b, UI_RETRY), UI_DO_RETRY);
    assert_int_equal(click(&b, UI_QUIT), UI_DO_QUIT);
    assert_int_equal(at(&b, UI_PRESS, 5, 5), UI_DO_NOTHING);
    assert_int_equal(at(&b, UI_RELEASE, 5, 5), UI_DO_NOTHING);
    b.model.failed = false;
    tick(&b, CAD_MS);
    assert_int_equal(b.ui.focus, UI_NONE);
}

/* ---- places --------------------------------------------------------------------------------- */

/* In any window controls lie inside, do not overlap, and are hit where they are. */
static void check_layout(struct bench *b, int width, int height)
{
    struct ui_layout l;
    ui_resize(&b->ui, width, height);
    ui_layout(&b->ui, &b->model, &l);
    for (int i = UI_SEEK; i <= UI_FULL; i++) {
        const struct canvas_rect *r = &l.items[i];
        int row = 0;
        if (r->w <= 0) continue;
        assert_true(r->x >= 0 && r->x + r->w <= (float)width + 0.01f);
        assert_true(r->y >= 0 && r->y + r->h <= (float)height + 0.01f);
        assert_int_equal(ui_hit(&l, r->x + r->w / 2, r->y + r->h / 2, &row), i);
        for (int k = UI_PLAY; k < i; k++) {
            const struct canvas_rect *o = &l.items[k];
            if (i == UI_SEEK || o->w <= 0) continue;
            bool apart = o->x + o->w <= r->x + 0.01f || r->x + r->w <= o->x + 0.01f;
            if (!apart) fail_msg("%dx%d: %d over %d", width, height, i, k);
        }
    }
    assert_true(l.time.w >= 0);
}

static void test_ui_lays_out_any_window(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1280, 720}, {1920, 1080}, {3840, 2160}, {960, 540}, {640, 360},
                                   {320, 180},  {400, 800},   {2560, 600},  {800, 600}};
    struct bench b;
    for (size_t i = 0; i < CAD_ARRAY_LEN(sizes); i++) {
        begin(&b);
        check_layout(&b, sizes[i][0], sizes[i][1]);
        b.model.has_sound = false;
        b.model.track_count = 0;
        check_layout(&b, sizes[i][0], sizes[i][1]);
    }
}

/* One key goes round: first, second, none; what cannot be shown is passed over. */
static void test_ui_subtitles_go_round(void **state)
{
    (void)state;
    struct bench b;
    begin(&b);
    assert_int_equal(key(&b, UI_KEY_TEXT), UI_DO_NOTHING);
    assert_string_equal(b.ui.toast, "There are no subtitles");
    assert_true(b.layout.items[UI_TEXT].w <= 0);
    add_track(&b, CAD_MEDIA_TEXT, "en", true);
    add_track(&b, CAD_MEDIA_TEXT, "ja", false);
    add_track(&b, CAD_MEDIA_TEXT, "de", true);
    assert_int_equal(key(&b, UI_KEY_TEXT), UI_DO_TRACK);
    assert_int_equal(b.command.track, 4);
    assert_string_equal(b.ui.toast, "Subtitles: English");
    b.tracks[4].selected = true;
    assert_int_equal(key(&b, UI_KEY_TEXT), UI_DO_TRACK);
    assert_int_equal(b.command.track, 6);
    b.tracks[4].selected = false;
    b.tracks[6].selected = true;
    assert_int_equal(key(&b, UI_KEY_TEXT), UI_DO_NO_TEXT);
    assert_string_equal(b.ui.toast, "Subtitles off");
    b.tracks[6].selected = false;
    b.tracks[4].playable = b.tracks[6].playable = false;
    assert_int_equal(key(&b, UI_KEY_TEXT), UI_DO_NOTHING);
}

/* The menu has a row for none, above the tracks; its button is between sound and quality. */
static void test_ui_subtitles_have_a_menu(void **state)
{
    (void)state;
    struct bench b;
    struct ui_menu_row row;
    char label[64];
    begin(&b);
    add_track(&b, CAD_MEDIA_TEXT, "en", true);
    add_track(&b, CAD_MEDIA_TEXT, "ja", false);
    assert_int_equal(ui_menu_rows(&b.model, UI_TEXT), 3);
    assert_string_equal(ui_menu_title(UI_TEXT), "Subtitles");
    ui_menu_row(&b.model, UI_TEXT, 0, &row);
    assert_string_equal(row.text, "Off");
    assert_true(row.selected && row.enabled);
    ui_menu_row(&b.model, UI_TEXT, 1, &row);
    assert_string_equal(row.text, "English");
    assert_false(row.selected);
    ui_menu_row(&b.model, UI_TEXT, 2, &row);
    assert_false(row.enabled);
    ui_menu_label(&b.model, UI_TEXT, label, sizeof(label));
    assert_string_equal(label, "");
    tick(&b, 0);
    ui_layout(&b.ui, &b.model, &b.layout);
    assert_true(b.layout.items[UI_AUDIO].x + b.layout.items[UI_AUDIO].w < middle_x(&b, UI_TEXT));
    assert_true(middle_x(&b, UI_TEXT) < b.layout.items[UI_QUALITY].x);
    struct ui_command command = {.type = UI_DO_NOTHING};
    ui_menu_choose(&b.model, UI_TEXT, 1, &command);
    assert_int_equal(command.type, UI_DO_TRACK);
    assert_int_equal(command.track, 4);
    command.type = UI_DO_NOTHING;
    ui_menu_choose(&b.model, UI_TEXT, 2, &command);
    assert_int_equal(command.type, UI_DO_NOTHING);
    ui_menu_choose(&b.model, UI_TEXT, 0, &command);
    assert_int_equal(command.type, UI_DO_NO_TEXT);
    b.tracks[4].selected = true;
    ui_menu_row(&b.model, UI_TEXT, 0, &row);
    assert_false(row.selected);
    ui_menu_label(&b.model, UI_TEXT, label, sizeof(label));
    assert_string_equal(label, "English");
}

static void test_ui_menu_rows_say_what_there_is(void **state)
{
    (void)state;
    struct bench b;
    struct ui_menu_row row;
    char label[64];
    begin(&b);
    b.model.rungs[1] = (struct ui_rung){1280, 720, 3000000};
    assert_int_equal(ui_menu_rows(&b.model, UI_SPEED), 6);
    assert_int_equal(ui_menu_rows(&b.model, UI_AUDIO), 3);
    assert_int_equal(ui_menu_rows(&b.model, UI_QUALITY), 4);
    ui_menu_row(&b.model, UI_QUALITY, 0, &row);
    assert_string_equal(row.text, "Auto");
    assert_string_equal(row.note, "now 720p");
    assert_true(row.selected);
    ui_menu_row(&b.model, UI_QUALITY, 2, &row);
    assert_string_equal(row.text, "720p");
    assert_string_equal(row.note, "3.0 Mbit/s");
    ui_menu_row(&b.model, UI_QUALITY, 1, &row); /* not known yet */
    assert_string_equal(row.text, "Level 3");
    ui_menu_row(&b.model, UI_AUDIO, 2, &row);
    assert_false(row.enabled);
    ui_menu_row(&b.model, UI_AUDIO, 3, &row);
    assert_string_equal(row.text, "");
    ui_menu_label(&b.model, UI_QUALITY, label, sizeof(label));
    assert_string_equal(label, "Auto 720p");
    b.model.rung_pinned = 1;
    ui_menu_label(&b.model, UI_QUALITY, label, sizeof(label));
    assert_string_equal(label, "720p");
    ui_menu_label(&b.model, UI_AUDIO, label, sizeof(label));
    assert_string_equal(label, "English");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ui_fades_after_three_seconds),
        cmocka_unit_test(test_ui_stays_while_paused_or_open),
        cmocka_unit_test(test_ui_says_what_is_played_when_it_begins),
        cmocka_unit_test(test_ui_spins_after_300_ms),
        cmocka_unit_test(test_ui_shows_a_note_for_a_while),
        cmocka_unit_test(test_ui_seeks_once_on_release),
        cmocka_unit_test(test_ui_escape_takes_a_drag_back),
        cmocka_unit_test(test_ui_buttons_act_on_release),
        cmocka_unit_test(test_ui_volume_follows_the_pointer),
        cmocka_unit_test(test_ui_clicks_on_the_picture),
        cmocka_unit_test(test_ui_fingers_wake_before_they_press),
        cmocka_unit_test(test_ui_menu_by_pointer),
        cmocka_unit_test(test_ui_menu_by_keys),
        cmocka_unit_test(test_ui_long_menus_scroll),
        cmocka_unit_test(test_ui_menu_goes_with_what_it_lists),
        cmocka_unit_test(test_ui_plain_keys),
        cmocka_unit_test(test_ui_speeds_step_through_the_menu),
        cmocka_unit_test(test_ui_focus_walks_over_the_controls),
        cmocka_unit_test(test_ui_seek_bar_by_keys_is_one_seek),
        cmocka_unit_test(test_ui_help_closes_with_any_key),
        cmocka_unit_test(test_ui_failure_offers_retry_and_quit),
        cmocka_unit_test(test_ui_lays_out_any_window),
        cmocka_unit_test(test_ui_subtitles_go_round),
        cmocka_unit_test(test_ui_subtitles_have_a_menu),
        cmocka_unit_test(test_ui_menu_rows_say_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
