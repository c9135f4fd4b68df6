#include "window.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <SDL.h>

#include "base/str.h"
#include "base/util.h"
#include "caption.h"
#include "keys.h"
#include "model.h"
#include "picture.h"
#include "session.h"
#include "sink_sdl.h"
#include "tell.h"
#include "view.h"

#define WINDOW_WIDTH 1280
#define WINDOW_HEIGHT 720
#define WINDOW_LEAST 320                  /* wide; less cannot be used */
#define BARS_PART 50                      /* of a side: thinner black bars may stay */
#define BAR_MARGIN 6                      /* units between subtitles and the seek bar */
#define BUBBLE_HIGH 58                    /* the same where a time is shown above the bar */
#define LOOK_MS 20                        /* the state is looked at this often */
#define MODEL_PERIOD (100 * CAD_MS)       /* between new figures */
#define ANIMATION_PERIOD (16 * CAD_MS)    /* between pictures of what moves */

struct window {
    struct session session;
    SDL_Window *window;
    SDL_Renderer *renderer;
    struct screen screen;
    bool has_screen, has_view;
    struct picture picture;
    cad_time picture_at;       /* of what is shown; CAD_TIME_NONE before the first picture */
    struct subtitles subtitles;
    bool has_subtitles;
    struct caption caption;
    uint32_t caption_failures; /* that the viewer was told of */
    bool caption_told;         /* that they cannot be drawn */
    struct view view;
    struct sound *sound;       /* the sink's; NULL none */
    Uint32 wake_event;         /* of SDL: a picture waits */
    atomic_bool wake_pending;  /* it is in SDL's queue already */
    bool closing, alive;
    bool sized;                /* the window has the shape of the picture */
    bool awake;                /* the screen saver is kept away */
    bool dirty;                /* something is to be presented */
    bool changed;              /* the controls are to be drawn anew */
    struct ui ui;
    struct ui_model model;
    struct cad_engine_stats stats;
    struct history history;
    cad_time model_at;         /* when the model was filled; CAD_TIME_NONE: it is old */
    cad_time drawn_at;         /* when the controls were drawn */
};

void window_caption(const struct play_args *args, char *out, size_t size)
{
    char name[UI_TITLE_SIZE];
    model_name(args, name, sizeof(name));
    snprintf(out, size, "%s - cadmium-play", name);
}

/* On the sink's thread: a picture, or text. */
static void picture_waits(void *ctx)
{
    struct window *window = ctx;
    if (atomic_exchange(&window->wake_pending, true)) return;
    SDL_Event event = {.type = window->wake_event};
    if (SDL_PushEvent(&event) != 1) atomic_store(&window->wake_pending, false);
}

/* ---- commands ------------------------------------------------------------------------------ */

static void set_full_screen(struct window *window, bool full)
{
    Uint32 flags = full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0;
    if (SDL_SetWindowFullscreen(window->window, flags) == 0) window->model.full_screen = full;
}

static void set_volume(struct window *window, int32_t volume, bool muted)
{
    window->model.volume = CAD_MAX(0, CAD_MIN(volume, 100));
    window->model.muted = muted;
    if (!window->sound) return;
    sound_volume(window->sound, window->model.volume);
    sound_set_mute(window->sound, muted);
}

static void retry(struct window *window)
{
    window->alive = session_retry(&window->session);
    if (!window->alive) window->closing = true;
}

/* Commands to the session, which is alive. */
static void obey_session(struct window *window, const struct ui_command *command)
{
    struct session *session = &window->session;
    switch (command->type) {
    case UI_DO_PAUSE: session_pause(session, !session->paused); break;
    case UI_DO_SEEK: session_seek(session, command->time); break;
    case UI_DO_SEEK_BY: session_seek_by(session, command->time); break;
    case UI_DO_SPEED: session_speed(session, command->speed_q16); break;
    case UI_DO_RUNG: session_rung(session, command->value); break;
    case UI_DO_NO_TEXT: session_track(session, ""); break;
    case UI_DO_TRACK:
        if (command->track < session->track_count) {
            session_track(session, session->tracks[command->track].id);
        }
        break;
    default: break;
    }
}

static void obey(struct window *window, const struct ui_command *command)
{
    switch (command->type) {
    case UI_DO_NOTHING: return;
    case UI_DO_QUIT: window->closing = true; break;
    case UI_DO_RETRY: retry(window); break;
    case UI_DO_FULL_SCREEN: set_full_screen(window, !window->model.full_screen); break;
    case UI_DO_MUTE: set_volume(window, window->model.volume, !window->model.muted); break;
    case UI_DO_VOLUME: set_volume(window, command->value, false); break;
    default:
        if (window->alive) obey_session(window, command);
        break;
    }
    window->model_at = CAD_TIME_NONE;
}

/* ---- events -------------------------------------------------------------------------------- */

static struct input_scale input_scale(const struct window *window)
{
    int width = 1;
    int height = 1;
    SDL_GetWindowSize(window->window, &width, &height);
    struct input_scale scale = {.width = (float)window->view.width,
                                .height = (float)window->view.height};
    scale.x = scale.width / (float)CAD_MAX(width, 1);
    scale.y = scale.height / (float)CAD_MAX(height, 1);
    return scale;
}

static void take_sdl_event(struct window *window, const SDL_Event *event)
{
    struct ui_event in;
    struct ui_command command;
    if (event->type == window->wake_event) {
        atomic_store(&window->wake_pending, false);
        return;
    }
    if (event->type == SDL_QUIT) window->closing = true;
    if (event->type == SDL_RENDER_TARGETS_RESET || event->type == SDL_RENDER_DEVICE_RESET) {
        view_reset(&window->view);
        caption_reset(&window->caption);
    }
    if (event->type == SDL_WINDOWEVENT) window->dirty = true;
    if (!input_event(event, input_scale(window), &in)) return;
    if (ui_take(&window->ui, &window->model, &in, tell_now(), &command)) window->changed = true;
    obey(window, &command);
}

/* ---- what is shown ------------------------------------------------------------------------- */

/* The viewer's device stays awake as long as there is something to see. */
static void look_at_saver(struct window *window)
{
    enum cad_state state = window->model.state;
    bool awake = !window->model.paused && !window->model.failed &&
                 (state == CAD_STATE_PLAYING || state == CAD_STATE_BUFFERING);
    if (awake == window->awake) return;
    window->awake = awake;
    if (awake) {
        SDL_DisableScreenSaver();
    } else {
        SDL_EnableScreenSaver();
    }
}

/* A time in steps of what can be told apart on the seek bar and in the words beside it. */
static cad_time coarse(cad_time t, cad_time duration, int width)
{
    if (t == CAD_TIME_NONE) return t;
    cad_time step = duration == CAD_TIME_NONE ? CAD_SECOND : duration / CAD_MAX(width, 1);
    step = CAD_MAX(CAD_MS, CAD_MIN(step, CAD_SECOND));
    return t / step;
}

static bool looks_the_same(const struct window *window, const struct ui_model *before)
{
    struct ui_model old = *before;
    struct ui_model now = window->model;
    int width = window->view.width;
    old.position = coarse(old.position, old.duration, width);
    old.buffered = coarse(old.buffered, old.duration, width);
    now.position = coarse(now.position, now.duration, width);
    now.buffered = coarse(now.buffered, now.duration, width);
    return memcmp(&old, &now, sizeof(old)) == 0;
}

static void look_at_session(struct window *window, cad_time now)
{
    struct session *session = &window->session;
    struct ui_model before = window->model;
    bool fresh = window->model_at != CAD_TIME_NONE && now - window->model_at < MODEL_PERIOD;
    if (fresh && session->failed == window->model.failed) return;
    if (session->player) cad_player_stats(session->player, &window->stats);
    struct cad_slot_stats *video = &window->stats.slot[CAD_SLOT_VIDEO];
    if (video->width == 0) { /* a bare file's size is only in the pictures */
        video->width = window->picture.width;
        video->height = window->picture.height;
    }
    session_watch(session, &window->stats, now);
    model_fill(&window->model, session, &window->stats, now);
    window->model.has_sound = window->sound != NULL;
    window->model.has_picture = window->picture.texture != NULL;
    model_note(window->picture.steps, &window->picture.color, window->model.note,
               sizeof(window->model.note));
    if (!session->failed && window->model.has_picture && window->stats.position > 0) {
        session->shown_at = window->stats.position;
    }
    bool graphs = history_add(&window->history, &window->stats, now);
    window->model_at = now;
    if (window->ui.overlay && graphs) window->changed = true;
    bool seen = window->ui.shown || session->failed;
    if (seen && !looks_the_same(window, &before)) window->changed = true;
    look_at_saver(window);
}

static void look_at_ui(struct window *window, cad_time now)
{
    struct ui_command command;
    if (ui_tick(&window->ui, &window->model, now, &command)) window->changed = true;
    obey(window, &command);
    cad_time next = ui_next(&window->ui, &window->model, now);
    bool moves = next != CAD_TIME_NONE && next <= now;
    if (moves && now - window->drawn_at >= ANIMATION_PERIOD) window->changed = true;
    int cursor = ui_hides_cursor(&window->ui) ? SDL_DISABLE : SDL_ENABLE;
    if (SDL_ShowCursor(SDL_QUERY) != cursor) SDL_ShowCursor(cursor);
}

/* What cannot be shown is told once for each document, and once for the lack of fonts. */
static void tell_subtitles(struct window *window, cad_time now)
{
    if (window->subtitles.failures != window->caption_failures) {
        window->caption_failures = window->subtitles.failures;
        subtitles_complain(&window->subtitles);
        ui_toast(&window->ui, now, "These subtitles cannot be read");
    } else if (window->caption.failure < 0 && !window->caption_told) {
        window->caption_told = true;
        fprintf(stderr, "cadmium-play: subtitles cannot be drawn: %s\n",
                window->caption.failure == CAD_E_NOTFOUND      ? "there are no fonts"
                : window->caption.failure == CAD_E_UNSUPPORTED ? "built without FreeType"
                                    : cad_result_text(window->caption.failure));
        ui_toast(&window->ui, now, "Subtitles cannot be drawn here");
    } else {
        return;
    }
    window->changed = true;
}

/* Of the picture that is seen; without pictures, of what is heard. */
static void look_at_subtitles(struct window *window, cad_time now)
{
    cad_time at = window->picture_at == CAD_TIME_NONE ? window->model.position : window->picture_at;
    SDL_Rect film = view_film(&window->view, &window->picture);
    bool changed = at != CAD_TIME_NONE && subtitles_look(&window->subtitles, at, SUBTITLES_WORK);
    bool other_size = window->subtitles.isd && window->subtitles.isd->regions &&
                      (window->caption.width != film.w || window->caption.height != film.h) &&
                      !window->caption_told;
    if (changed || other_size) {
        caption_set(&window->caption, window->subtitles.isd, film.w, film.h);
        window->dirty = true;
    }
    tell_subtitles(window, now);
}

/* Down to where subtitles may reach: the controls push them up as they appear. */
static int room_above(const struct window *window, cad_time now)
{
    struct ui_layout layout;
    uint32_t alpha = ui_controls_alpha(&window->ui, now);
    ui_layout(&window->ui, &window->model, &layout);
    if (alpha == 0 || layout.items[UI_SEEK].w <= 0) return window->view.height;
    const struct ui *ui = &window->ui;
    bool bubble = ui->preview != CAD_TIME_NONE || (ui->hover == UI_SEEK && ui->pointer_in);
    float top = layout.items[UI_SEEK].y - (bubble ? BUBBLE_HIGH : BAR_MARGIN) * layout.scale;
    int covered = window->view.height - (int)top;
    return window->view.height - covered * (int)alpha / 255;
}

static void draw(struct window *window, cad_time now)
{
    if (view_resize(&window->view)) {
        ui_resize(&window->ui, window->view.width, window->view.height);
        window->changed = true;
    }
    if (window->changed) {
        struct draw_figures figures = {&window->stats, &window->history};
        view_controls(&window->view, &window->ui, &window->model, &figures, now);
        window->drawn_at = now;
    }
    /* What is opened must be read, and pressed. */
    bool on_top = window->ui.menu == UI_NONE && !window->ui.help && !window->model.failed;
    struct view_caption caption = {&window->caption, room_above(window, now), on_top};
    view_present(&window->view, &window->picture, caption);
    window->changed = window->dirty = false;
}

/* The window takes the shape of the picture once, where bars would be seen. */
static void look_at_shape(struct window *window)
{
    int width = 0;
    int height = 0;
    if (window->sized) return;
    window->sized = true;
    SDL_GetWindowSize(window->window, &width, &height);
    Uint32 flags = SDL_GetWindowFlags(window->window);
    if (flags & (SDL_WINDOW_FULLSCREEN | SDL_WINDOW_MAXIMIZED)) return;
    SDL_Rect shape = picture_shape(&window->picture, width, height);
    bool bars = width - shape.w > width / BARS_PART || height - shape.h > height / BARS_PART;
    if (bars && shape.w >= WINDOW_LEAST && shape.h > 0) {
        SDL_SetWindowSize(window->window, shape.w, shape.h);
    }
}

static void take_picture(struct window *window)
{
    struct cad_frame frame;
    if (!screen_take(&window->screen, &frame)) return;
    if (picture_set(&window->picture, &frame)) {
        window->dirty = true;
        window->picture_at = frame.pts;
        look_at_shape(window);
    }
    cad_frame_unref(&frame);
}

/* ---- life ---------------------------------------------------------------------------------- */

static bool open_renderer(struct window *window)
{
    Uint32 wishes[] = {SDL_RENDERER_ACCELERATED | SDL_RENDERER_PRESENTVSYNC, SDL_RENDERER_SOFTWARE};
    for (size_t i = 0; i < CAD_ARRAY_LEN(wishes) && !window->renderer; i++) {
        window->renderer = SDL_CreateRenderer(window->window, -1, wishes[i]);
    }
    return window->renderer != NULL;
}

/* As large as is usual, and never more than most of the screen. */
static bool create_window(struct window *window, const struct play_args *args)
{
    char caption[160];
    SDL_Rect screen = {0, 0, WINDOW_WIDTH, WINDOW_HEIGHT};
    SDL_Rect room = {0, 0, WINDOW_WIDTH, WINDOW_HEIGHT};
    if (SDL_GetDisplayUsableBounds(0, &screen) == 0) {
        room = picture_place(16, 9, screen.w * 9 / 10, screen.h * 9 / 10);
    }
    int width = CAD_MAX(WINDOW_LEAST, CAD_MIN(room.w, WINDOW_WIDTH));
    window_caption(args, caption, sizeof(caption));
    window->window = SDL_CreateWindow(
        caption, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED, width, width * 9 / 16,
        SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
    if (!window->window) return false;
    SDL_SetWindowMinimumSize(window->window, WINDOW_LEAST, WINDOW_LEAST * 9 / 16);
    return true;
}

static bool open_window(struct window *window, const struct play_args *args)
{
    char text[CAD_ERROR_MESSAGE_SIZE];
    /* Signals are ours: they end the session in good order. */
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    SDL_SetHint(SDL_HINT_TOUCH_MOUSE_EVENTS, "0");
    SDL_SetHint(SDL_HINT_VIDEO_ALLOW_SCREENSAVER, "1");
    bool ok = SDL_Init(SDL_INIT_VIDEO) == 0 && create_window(window, args) && open_renderer(window);
    if (!ok) {
        snprintf(text, sizeof(text), "no window (%.90s); --headless plays without one",
                 SDL_GetError());
        session_fail(&window->session, CAD_ERR_SINK_FAILED, text);
        return false;
    }
    picture_init(&window->picture, window->renderer);
    caption_init(&window->caption, window->renderer, (uint32_t)args->subtitle_size);
    window->wake_event = SDL_RegisterEvents(1);
    if (args->full_screen) set_full_screen(window, true);
    return true;
}

/* False: session.error says why. */
static bool open_playback(struct window *window, const struct play_args *args)
{
    struct cad_sink_options options;
    struct cad_sink *sink = NULL;
    window->has_screen = screen_init(&window->screen, picture_waits, window);
    window->has_subtitles = subtitles_init(&window->subtitles, picture_waits, window);
    if (!window->has_screen || !window->has_subtitles) {
        session_fail(&window->session, CAD_ERR_LIMIT, NULL);
        return false;
    }
    window->session.subtitles = &window->subtitles;
    /* Without a device the title is seen in silence, by the monotonic clock. */
    if (!args->no_sound && SDL_InitSubSystem(SDL_INIT_AUDIO) == 0) window->sound = sound_open();
    set_volume(window, args->volume, args->mute);
    session_sink_options(&window->session, &options);
    if (sink_sdl_create(&options, &window->screen, window->sound, &sink) < 0) {
        sound_close(&window->sound);
        session_fail(&window->session, CAD_ERR_OUT_OF_MEMORY, NULL);
        return false;
    }
    return session_open(&window->session, sink) == 0;
}

static void loop(struct window *window)
{
    window->alive = window->session.player != NULL;
    while (!window->closing) {
        SDL_Event event;
        if (SDL_WaitEventTimeout(&event, window->dirty || window->changed ? 1 : LOOK_MS)) {
            take_sdl_event(window, &event);
            while (SDL_PollEvent(&event)) take_sdl_event(window, &event);
        }
        if (window->alive) {
            window->alive = session_poll(&window->session);
        } else if (!session_poll_signals(&window->session)) {
            break;
        }
        /* A failure stays on the screen until someone has read it. */
        if (!window->alive && !window->session.failed) break;
        cad_time now = tell_now();
        take_picture(window);
        look_at_session(window, now);
        look_at_subtitles(window, now);
        look_at_ui(window, now);
        if (window->dirty || window->changed) draw(window, now);
    }
}

static void begin(struct window *window, const struct play_args *args)
{
    memset(window, 0, sizeof(*window));
    window->model_at = window->picture_at = CAD_TIME_NONE;
    window->dirty = window->changed = true;
    window->awake = false;
    window->model.speed_q16 = ARGS_RATE_NORMAL;
    window->model.rung_pinned = -1;
    window->model.position = window->model.duration = window->model.buffered = CAD_TIME_NONE;
    model_name(args, window->model.title, sizeof(window->model.title));
    ui_init(&window->ui, tell_now());
    window->ui.overlay = args->overlay;
    history_init(&window->history);
}

int window_run(const struct play_args *args)
{
    struct window window;
    begin(&window, args);
    if (session_init(&window.session, args) == 0 && open_window(&window, args)) {
        bool playing = open_playback(&window, args);
        /* Fonts are looked for while the network is asked. */
        window.has_view = view_init(&window.view, window.renderer);
        if (!window.has_view) {
            session_fail(&window.session, CAD_ERR_OUT_OF_MEMORY, NULL);
        } else if (playing || window.session.failed) {
            loop(&window);
        }
    }
    /* What is left to say to the services may take a moment. */
    if (window.window) SDL_HideWindow(window.window);
    int status = session_close(&window.session);
    if (window.has_subtitles) subtitles_deinit(&window.subtitles);
    if (window.has_screen) screen_deinit(&window.screen);
    if (window.has_view) view_deinit(&window.view);
    caption_deinit(&window.caption);
    picture_deinit(&window.picture);
    if (window.renderer) SDL_DestroyRenderer(window.renderer);
    if (window.window) SDL_DestroyWindow(window.window);
    SDL_Quit();
    return status;
}
