/*
 * Plays a URL or a file in real time into a sink that shows nothing, and prints what happened:
 * libcadmium and libcadmium-media from outside of their house.
 *
 *     play URL|FILE
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#include <cadmium/cadmium.h>
#include <cadmium/decode.h>

/* -1: plays on; else the exit status. */
static int tell(const struct cad_app_event *event)
{
    const char *text = event->type == CAD_APP_ERROR ? event->error.message : event->text;
    printf("%s %s\n", cad_app_event_name(event->type), text);
    if (event->type == CAD_APP_ERROR && event->error.cls == CAD_ERROR_FATAL) return 1;
    return event->type == CAD_APP_ENDED ? 0 : -1;
}

static int play(struct cad_player *player, struct cad_sink *sink, const char *url)
{
    struct cad_app_event event;
    int status = -1;
    if (cad_player_load_url(player, url, CAD_TIME_NONE, NULL) || cad_player_play(player)) return 1;
    while (status < 0) {
        cad_time wake = cad_player_sink_step(player, sink);
        while (status < 0 && cad_player_wait_event(player, &event, 0) == 0) status = tell(&event);
        cad_time latest = cad_player_now(player) + 20 * CAD_MS; /* to look for events */
        if (wake == CAD_TIME_NONE || wake > latest) wake = latest;
        if (status < 0) cad_player_wait_sink(player, wake);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct cad_player_config config;
    struct cad_sink_options options;
    struct cad_engine_stats stats;
    struct cad_player *player = NULL;
    struct cad_sink *sink = NULL;
    int status = 1;
    if (argc != 2) return 2;
    cad_player_config_init(&config);
    cad_sink_options_init(&options);
    if (!cad_sink_null_create(&options, &sink) && !cad_player_create(&config, &player)) {
        status = play(player, sink, argv[1]);
        cad_player_stats(player, &stats);
        printf("libcadmium %s: %" PRIu64 " frames, %" PRIu64 " dropped, %u stalls\n", cad_version(),
               stats.frames, stats.dropped, stats.stalls);
    }
    if (sink) sink->ops->destroy(sink);
    cad_player_destroy(&player);
    return status;
}
