/*
 * Plays a file in a window like cadmium-play, with a hand of its own on mouse and keys: what it
 * does comes out as JSON lines, which window-test.sh reads.
 * usage: test_player_window_hand FILE [SOURCE]
 * With SOURCE, FILE is not there: after its failure it is made a link to SOURCE, and Enter pressed.
 */
#include <pthread.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <SDL.h>

#include "ui.h"
#include "window.h"

static void wait_ms(long ms)
{
    struct timespec ts = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&ts, NULL);
}

static void press_key(SDL_Keycode key)
{
    SDL_Event event = {.key = {.type = SDL_KEYDOWN, .state = SDL_PRESSED,
                               .keysym = {.sym = key}}};
    SDL_PushEvent(&event);
    wait_ms(150);
}

static void mouse(Uint32 type, int x, int y)
{
    SDL_Event event;
    memset(&event, 0, sizeof(event));
    event.type = type;
    if (type == SDL_MOUSEMOTION) {
        event.motion.x = x;
        event.motion.y = y;
    } else {
        event.button.button = SDL_BUTTON_LEFT;
        event.button.clicks = 1;
        event.button.x = x;
        event.button.y = y;
    }
    SDL_PushEvent(&event);
    wait_ms(80);
}

/* The seek bar, dragged from a quarter to the middle: where it is the layout tells. */
static void drag(void)
{
    struct ui ui;
    struct ui_layout layout;
    struct ui_model model = {.state = CAD_STATE_PLAYING, .speed_q16 = ARGS_RATE_NORMAL};
    int width = 0;
    int height = 0;
    SDL_GetWindowSize(SDL_GetWindowFromID(1), &width, &height);
    ui_init(&ui, 0);
    ui_resize(&ui, width, height);
    ui_layout(&ui, &model, &layout);
    int x = width / 4;
    int y = (int)(layout.bar.y + layout.bar.h / 2);
    mouse(SDL_MOUSEMOTION, x, y);
    mouse(SDL_MOUSEBUTTONDOWN, x, y);
    for (; x < width / 2; x += width / 16) mouse(SDL_MOUSEMOTION, x, y - 10);
    mouse(SDL_MOUSEMOTION, width / 2, y - 10);
    mouse(SDL_MOUSEBUTTONUP, width / 2, y - 10);
}

static void *hand(void *ctx)
{
    (void)ctx;
    wait_ms(1500);
    drag();
    wait_ms(500);
    press_key(SDLK_RIGHTBRACKET);
    static const SDL_Keycode looks[] = {SDLK_i, SDLK_h, SDLK_h, SDLK_m, SDLK_m, SDLK_UP, SDLK_a};
    for (size_t i = 0; i < sizeof(looks) / sizeof(looks[0]); i++) press_key(looks[i]);
    press_key(SDLK_SPACE);
    wait_ms(400);
    press_key(SDLK_SPACE);
    press_key(SDLK_LEFT);
    wait_ms(500);
    press_key(SDLK_q);
    return NULL;
}

struct repair {
    const char *file, *source;
};

static void *repair_hand(void *ctx)
{
    const struct repair *repair = ctx;
    wait_ms(1500);
    if (symlink(repair->source, repair->file) == 0) press_key(SDLK_RETURN);
    return NULL;
}

int main(int argc, char **argv)
{
    struct play_args args;
    pthread_t thread;
    if (argc < 2 || argc > 3) return PLAY_EXIT_USAGE;
    struct repair repair = {argv[1], argc == 3 ? argv[2] : NULL};
    args_init(&args);
    args.target = argv[1];
    args.json = true;
    args.speed_q16 = argc == 3 ? ARGS_RATE_NORMAL * 2 : ARGS_RATE_NORMAL / 2;
    /* The video system must be up before events are pushed; the hand waits long enough. */
    int rc = pthread_create(&thread, NULL, argc == 3 ? repair_hand : hand, &repair);
    if (rc != 0) return PLAY_EXIT_ERROR;
    int status = window_run(&args);
    pthread_join(thread, NULL);
    return status;
}
