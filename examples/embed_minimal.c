/* The smallest application: plays a URL or a file without showing it, and says how it went. */
#include <stdio.h>

#include "cadmium/decode.h"
#include "cadmium/player.h"

static int report(const struct cad_app_event *event)
{
    printf("%s %s\n", cad_app_event_name(event->type), event->text);
    if (event->type == CAD_APP_ERROR) printf("  %s\n", event->error.message);
    if (event->type == CAD_APP_ERROR && event->error.cls == CAD_ERROR_FATAL) return 1;
    return event->type == CAD_APP_ENDED ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct cad_player_config config;
    struct cad_sink_options options;
    struct cad_player *player = NULL;
    struct cad_sink *sink = NULL;
    struct cad_app_event event;
    int status = argc == 2 ? -1 : 2;

    cad_player_config_init(&config);
    cad_sink_options_init(&options);
    if (cad_sink_decode_create(&options, &sink) || cad_player_create(&config, &player)) status = 1;
    if (status < 0 && cad_player_load_url(player, argv[1], CAD_TIME_NONE, NULL)) status = 1;
    if (status < 0 && cad_player_play(player)) status = 1;
    while (status < 0) {
        cad_time wake = cad_player_sink_step(player, sink);
        while (status < 0 && cad_player_wait_event(player, &event, 0) == 0) status = report(&event);
        cad_time latest = cad_player_now(player) + 20 * CAD_MS; /* to look for events */
        if (wake == CAD_TIME_NONE || wake > latest) wake = latest;
        if (status < 0) cad_player_wait_sink(player, wake);
    }
    if (sink) sink->ops->destroy(sink);
    cad_player_destroy(&player);
    return status;
}
