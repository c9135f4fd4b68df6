#include "window.h"

#include <stdatomic.h>
#include <string.h>

#include <SDL.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"
#include "keys.h"
#include "overlay.h"
#include "picture.h"
#include "session.h"
#include "sink_sdl.h"
#include "tell.h"

#define WINDOW_WIDTH 960
#define WINDOW_HEIGHT 540
#define LOOK_MS 20                        /* the state is looked at this often */
#define FIGURES_PERIOD (250 * CAD_MS)     /* between new figures in the overlay */
#define SEEK_NEAR (5 * CAD_SECOND)
#define SEEK_FAR (60 * CAD_SECOND)
#define VOLUME_STEP 5

struct window {
    struct session session;
    SDL_Window *window;
    SDL_Renderer *renderer;
    struct screen screen;
    bool has_screen;
    struct picture picture;
    struct sound *sound;       /* the sink's; NULL none */
    Uint32 wake_event;         /* of SDL: a picture waits */
    atomic_bool wake_pending;  /* it is in SDL's queue already */
    bool closing, full_screen, overlay, muted, dirty;
    int32_t volume;
    char figures[OVERLAY_TEXT_SIZE];
    cad_time figures_at;       /* when they were made */
};

void window_caption(const struct play_args *args, char *out, size_t size)
{
    cad_str name = cad_str_from(args->title ? args->title : args->target);
    if (!args->title) {
        for (const char *stop = "?#"; *stop; stop++) {
            ptrdiff_t end = cad_str_find_char(name, *stop);
            if (end >= 0) name = cad_str_sub(name, 0, (size_t)end);
        }
        ptrdiff_t slash = cad_str_rfind_char(name, '/');
        if (slash >= 0 && (size_t)slash + 1 < name.n) {
            name = cad_str_sub(name, (size_t)slash + 1, name.n);
        }
    }
    char shown[128];
    cad_shown_copyz(shown, sizeof(shown), name);
    snprintf(out, size, "%s - cadmium-play", shown);
}

/* On the sink's thread. */
static void picture_waits(void *ctx)
{
    struct window *window = ctx;
    if (atomic_exchange(&window->wake_pending, true)) return;
    SDL_Event event = {.type = window->wake_event};
    if (SDL_PushEvent(&event) != 1) atomic_store(&window->wake_pending, false);
}

/* ---- keys ---------------------------------------------------------------------------------- */

static void set_full_screen(struct window *window, bool full)
{
    Uint32 flags = full ? SDL_WINDOW_FULLSCREEN_DESKTOP : 0;
    if (SDL_SetWindowFullscreen(window->window, flags) == 0) window->full_screen = full;
    SDL_ShowCursor(window->full_screen ? SDL_DISABLE : SDL_ENABLE);
    window->dirty = true;
}

static void set_volume(struct window *window, int32_t volume)
{
    window->volume = CAD_MAX(0, CAD_MIN(volume, 100));
    if (window->sound) sound_volume(window->sound, window->muted ? 0 : window->volume);
}

static void press(struct window *window, SDL_Keycode key)
{
    struct session *session = &window->session;
    enum key_action action = key_action(key);
    bool playing = !session->failed && session->player;
    switch (action) {
    case KEY_NONE: break;
    case KEY_QUIT: window->closing = true; break;
    case KEY_ESCAPE:
        if (window->full_screen) {
            set_full_screen(window, false);
        } else {
            window->closing = true;
        }
        break;
    case KEY_FULL_SCREEN: set_full_screen(window, !window->full_screen); break;
    case KEY_OVERLAY: window->overlay = !window->overlay; break;
    case KEY_MUTE:
        window->muted = !window->muted;
        set_volume(window, window->volume);
        break;
    case KEY_QUIETER: set_volume(window, window->volume - VOLUME_STEP); break;
    case KEY_LOUDER: set_volume(window, window->volume + VOLUME_STEP); break;
    case KEY_PAUSE:
        if (playing) session_pause(session, !session->paused);
        break;
    case KEY_BACK:
    case KEY_FORWARD:
        if (playing) session_seek_by(session, action == KEY_BACK ? -SEEK_NEAR : SEEK_NEAR);
        break;
    case KEY_BACK_FAR:
    case KEY_FORWARD_FAR:
        if (playing) session_seek_by(session, action == KEY_BACK_FAR ? -SEEK_FAR : SEEK_FAR);
        break;
    }
    window->figures_at = CAD_TIME_NONE;
    window->dirty = true;
}

static void take_sdl_event(struct window *window, const SDL_Event *event)
{
    if (event->type == window->wake_event) {
        atomic_store(&window->wake_pending, false);
        return;
    }
    switch (event->type) {
    case SDL_QUIT: window->closing = true; break;
    case SDL_KEYDOWN: press(window, event->key.keysym.sym); break;
    case SDL_WINDOWEVENT:
    case SDL_RENDER_TARGETS_RESET: window->dirty = true; break;
    default: break;
    }
}

/* ---- drawing ------------------------------------------------------------------------------- */

static void look_at_figures(struct window *window)
{
    cad_time now = tell_now();
    bool fresh = window->figures_at != CAD_TIME_NONE && now - window->figures_at < FIGURES_PERIOD;
    if (!window->session.player || fresh) return;
    struct cad_engine_stats stats;
    cad_player_stats(window->session.player, &stats);
    struct cad_slot_stats *video = &stats.slot[CAD_SLOT_VIDEO];
    if (video->width == 0) { /* a bare file's size is only in the pictures */
        video->width = window->picture.width;
        video->height = window->picture.height;
    }
    overlay_figures(&stats, window->session.paused, window->figures, sizeof(window->figures));
    window->figures_at = now;
    if (window->overlay || !window->picture.texture) window->dirty = true;
}

static void draw(struct window *window)
{
    int width = 0;
    int height = 0;
    SDL_GetRendererOutputSize(window->renderer, &width, &height);
    SDL_SetRenderDrawColor(window->renderer, 0, 0, 0, 255);
    SDL_RenderClear(window->renderer);
    if (window->session.failed) {
        char text[OVERLAY_TEXT_SIZE];
        char words[CAD_ERROR_MESSAGE_SIZE + 96];
        tell_error_text(&window->session.error, words, sizeof(words));
        snprintf(text, sizeof(text), "This cannot be played:\n%s\n\nPress q to close.", words);
        overlay_message(window->renderer, width, height, text);
    } else {
        picture_draw(&window->picture, width, height);
        if (!window->picture.texture) {
            overlay_message(window->renderer, width, height, "Loading...");
        }
        if (window->overlay) overlay_draw(window->renderer, width, window->figures);
    }
    SDL_RenderPresent(window->renderer);
    window->dirty = false;
}

static void take_picture(struct window *window)
{
    struct cad_frame frame;
    if (!screen_take(&window->screen, &frame)) return;
    if (picture_set(&window->picture, &frame)) window->dirty = true;
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

static bool open_window(struct window *window, const struct play_args *args)
{
    char caption[160];
    char text[CAD_ERROR_MESSAGE_SIZE];
    /* Signals are ours: they end the session in good order. */
    SDL_SetHint(SDL_HINT_NO_SIGNAL_HANDLERS, "1");
    SDL_SetHint(SDL_HINT_RENDER_SCALE_QUALITY, "linear");
    bool ok = SDL_Init(SDL_INIT_VIDEO) == 0;
    if (ok) {
        window_caption(args, caption, sizeof(caption));
        window->window = SDL_CreateWindow(caption, SDL_WINDOWPOS_UNDEFINED, SDL_WINDOWPOS_UNDEFINED,
                                          WINDOW_WIDTH, WINDOW_HEIGHT,
                                          SDL_WINDOW_RESIZABLE | SDL_WINDOW_ALLOW_HIGHDPI);
        ok = window->window && open_renderer(window);
    }
    if (!ok) {
        snprintf(text, sizeof(text), "no window (%.90s); --headless plays without one",
                 SDL_GetError());
        session_fail(&window->session, CAD_ERR_SINK_FAILED, text);
        return false;
    }
    picture_init(&window->picture, window->renderer);
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
    if (!window->has_screen) {
        session_fail(&window->session, CAD_ERR_LIMIT, NULL);
        return false;
    }
    /* Without a device the title is seen in silence, by the monotonic clock. */
    if (!args->no_sound && SDL_InitSubSystem(SDL_INIT_AUDIO) == 0) window->sound = sound_open();
    set_volume(window, args->volume);
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
    bool alive = window->session.player != NULL;
    while (!window->closing) {
        SDL_Event event;
        if (SDL_WaitEventTimeout(&event, window->dirty ? 1 : LOOK_MS)) {
            take_sdl_event(window, &event);
            while (SDL_PollEvent(&event)) take_sdl_event(window, &event);
        }
        if (alive) {
            alive = session_poll(&window->session);
            if (!alive) window->dirty = true;
        } else if (!session_poll_signals(&window->session)) {
            break;
        }
        /* A failure stays on the screen until someone has read it. */
        if (!alive && !window->session.failed) break;
        take_picture(window);
        look_at_figures(window);
        if (window->dirty) draw(window);
    }
}

int window_run(const struct play_args *args)
{
    struct window window;
    memset(&window, 0, sizeof(window));
    window.figures_at = CAD_TIME_NONE;
    window.dirty = true;
    window.overlay = args->overlay;
    if (session_init(&window.session, args) == 0 && open_window(&window, args)) {
        bool playing = open_playback(&window, args);
        if (playing || window.session.failed) loop(&window);
    }
    int status = session_close(&window.session);
    if (window.has_screen) screen_deinit(&window.screen);
    picture_deinit(&window.picture);
    if (window.renderer) SDL_DestroyRenderer(window.renderer);
    if (window.window) SDL_DestroyWindow(window.window);
    SDL_Quit();
    return status;
}
