/*
 * Plays in a window like cadmium-play, with the keys that standard input names: each byte of it is
 * pressed when it comes. For window-subtitles-test.sh.
 * usage: test_player_window_keys ARGUMENT...
 */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include <SDL.h>

#include "args.h"
#include "window.h"

static void *press(void *ctx)
{
    char key = '\0';
    (void)ctx;
    while (read(STDIN_FILENO, &key, 1) == 1) {
        SDL_Event event = {.key = {.type = SDL_KEYDOWN, .state = SDL_PRESSED,
                                   .keysym = {.sym = (SDL_Keycode)key}}};
        SDL_PushEvent(&event);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    struct play_args args;
    char error[160];
    pthread_t thread;
    if (args_parse(&args, argc, argv, error, sizeof(error)) < 0) {
        fprintf(stderr, "%s\n", error);
        return PLAY_EXIT_USAGE;
    }
    if (pthread_create(&thread, NULL, press, NULL) != 0) return PLAY_EXIT_ERROR;
    int status = window_run(&args);
    /* It waits for keys for ever. */
    pthread_cancel(thread);
    pthread_join(thread, NULL);
    return status;
}
