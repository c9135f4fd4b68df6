#include <stdio.h>

#include "base/str.h"
#include "tell.h"

/* Seconds with a decimal, enough for people. */
static double seconds(cad_time t)
{
    return t == CAD_TIME_NONE ? 0.0 : (double)t / 1e9;
}

void tell_text_event(const struct cad_app_event *event, cad_time to)
{
    switch (event->type) {
    case CAD_APP_LOADED: printf("loaded: %.1f s\n", seconds(event->duration)); break;
    case CAD_APP_FIRST_FRAME: printf("first picture at %.3f s\n", seconds(event->position)); break;
    case CAD_APP_STALL_BEGIN: printf("stalled at %.1f s\n", seconds(event->position)); break;
    case CAD_APP_STALL_END: printf("went on after %.2f s\n", seconds(event->duration)); break;
    case CAD_APP_SEEK_DONE: printf("at %.1f s\n", seconds(to)); break;
    case CAD_APP_RUNG:
        if (event->slot != CAD_SLOT_VIDEO) break;
        printf("picture: %lld kbit/s, %ux%u\n", (long long)(event->rate_bps / 1000), event->width,
               event->height);
        break;
    case CAD_APP_SERVER:
        printf("%s from %s\n", event->slot == CAD_SLOT_AUDIO ? "sound" : "picture", event->text);
        break;
    case CAD_APP_ERROR:
        if (event->error.cls != CAD_ERROR_FATAL) printf("trouble: %s\n", event->error.message);
        break;
    case CAD_APP_STATE:
    case CAD_APP_REFRESHED:
    case CAD_APP_ENDED: break;
    }
    fflush(stdout);
}

void tell_text_end(const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *shown = video->present ? video : &stats->slot[CAD_SLOT_AUDIO];
    if (stats->startup != CAD_TIME_NONE) {
        printf("start %.3f s, ", seconds(stats->startup));
    }
    printf("%u stalls (%.2f s), mean %lld kbit/s, %u switches, %llu pictures, %llu dropped\n",
           stats->stalls, seconds(stats->stall_time), (long long)(shown->played_rate_bps / 1000),
           shown->switches, (unsigned long long)stats->frames, (unsigned long long)stats->dropped);
    fflush(stdout);
}

void tell_error_text(const struct cad_error *error, char *out, size_t size)
{
    int n = snprintf(out, size, "%s (%s", error->message, cad_error_name(error->code));
    if (n < 0 || (size_t)n >= size) return;
    size_t used = (size_t)n;
    if (error->http_status > 0) {
        n = snprintf(out + used, size - used, ", HTTP %d", error->http_status);
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
    }
    if (error->attempts > 1) {
        n = snprintf(out + used, size - used, ", after %u attempts", error->attempts);
        if (n < 0 || (size_t)n >= size - used) return;
        used += (size_t)n;
    }
    snprintf(out + used, size - used, ")");
}

void tell_error_words(const struct cad_error *error)
{
    char text[CAD_ERROR_MESSAGE_SIZE + 96];
    tell_error_text(error, text, sizeof(text));
    fprintf(stderr, "cadmium-play: error: %s\n", text);
}
