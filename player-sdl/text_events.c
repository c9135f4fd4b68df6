#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"
#include "labels.h"
#include "tell.h"

/* Seconds with a decimal, enough for people. */
static double seconds(cad_time t)
{
    return t == CAD_TIME_NONE ? 0.0 : (double)t / 1e9;
}

void tell_shown(FILE *file, cad_str text)
{
    while (text.n > 0) {
        size_t bad = 0;
        size_t n = cad_shown_run(text, &bad);
        fwrite(text.p, 1, n, file);
        if (bad > 0) fputc('?', file);
        text = cad_str_sub(text, n + bad, text.n);
    }
}

bool tell_written(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) return true;
    /* What failed earlier has left its mark on the stream, but no reason. */
    fprintf(stderr, "cadmium-play: standard output could not be written%s%s\n",
            errno != 0 ? ": " : "", errno != 0 ? strerror(errno) : "");
    return false;
}

static void tell_loaded(cad_time duration)
{
    if (tell_duration(duration) == CAD_TIME_NONE) {
        printf("loaded\n");
    } else {
        printf("loaded: %.1f s\n", seconds(duration));
    }
}

static void tell_rung(const struct cad_app_event *event)
{
    bool sound = event->slot == CAD_SLOT_AUDIO;
    if (event->slot == CAD_SLOT_TEXT) return;
    if (sound && event->rate_bps <= 0) return;
    printf("%s: ", sound ? "sound" : "picture");
    if (event->rate_bps > 0) printf("%lld kbit/s", (long long)(event->rate_bps / 1000));
    if (!sound) {
        printf("%s%ux%u", event->rate_bps > 0 ? ", " : "", event->width, event->height);
    }
    putchar('\n');
}

static const char *slot_name(uint32_t slot)
{
    return slot == CAD_SLOT_TEXT ? "subtitles" : slot == CAD_SLOT_AUDIO ? "sound" : "picture";
}

static void tell_server(const struct cad_app_event *event)
{
    printf("%s from ", slot_name(event->slot));
    tell_shown(stdout, cad_str_from(event->text));
    putchar('\n');
}

static void tell_probes(const struct cad_app_event *event)
{
    printf("the fastest server is ");
    tell_shown(stdout, cad_str_from(event->text));
    if (event->duration != CAD_TIME_NONE) printf(" (%.0f ms)", seconds(event->duration) * 1000);
    putchar('\n');
}

static void tell_keys(const struct cad_app_event *event)
{
    printf("keys: ");
    tell_shown(stdout, cad_str_from(event->text));
    putchar('\n');
}

/* Of sound and picture the rung says more. */
static void tell_track(const struct cad_app_event *event)
{
    if (event->slot != CAD_SLOT_TEXT) return;
    printf("subtitles: ");
    tell_shown(stdout, event->text[0] ? cad_str_from(event->text) : CAD_STR("off"));
    putchar('\n');
}

static void tell_trouble(const struct cad_error *error)
{
    if (error->cls == CAD_ERROR_FATAL) return;
    printf("trouble: ");
    tell_shown(stdout, cad_str_from(error->message));
    putchar('\n');
}

void tell_text_event(const struct cad_app_event *event, cad_time to)
{
    switch (event->type) {
    case CAD_APP_LOADED: tell_loaded(event->duration); break;
    case CAD_APP_FIRST_FRAME: printf("began at %.3f s\n", seconds(event->position)); break;
    case CAD_APP_STALL_BEGIN: printf("stalled at %.1f s\n", seconds(event->position)); break;
    case CAD_APP_STALL_END: printf("went on after %.2f s\n", seconds(event->duration)); break;
    case CAD_APP_SEEK_DONE: printf("at %.1f s\n", seconds(to)); break;
    case CAD_APP_RUNG: tell_rung(event); break;
    case CAD_APP_SERVER: tell_server(event); break;
    case CAD_APP_ERROR: tell_trouble(&event->error); break;
    case CAD_APP_TRACK: tell_track(event); break;
    case CAD_APP_KEYS: tell_keys(event); break;
    case CAD_APP_PROBES: tell_probes(event); break;
    case CAD_APP_PREPARED: printf("prepared\n"); break;
    case CAD_APP_TRACKS:
    case CAD_APP_STATE:
    case CAD_APP_REFRESHED:
    case CAD_APP_ENDED: break;
    }
    fflush(stdout);
}

void tell_text_tracks(const struct cad_track_info *tracks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_track_info *track = &tracks[i];
        char name[LABEL_SIZE];
        char note[LABEL_SIZE];
        char rate[LABEL_SIZE];
        label_track(track, name, sizeof(name));
        label_track_note(track, note, sizeof(note));
        label_rate(track->rate_bps, rate, sizeof(rate));
        printf("%c %-6s ", track->selected ? '*' : ' ', cad_media_type_name(track->type));
        tell_shown(stdout, cad_str_from(track->id));
        printf("  %s", track->type == CAD_MEDIA_VIDEO ? "" : name);
        if (track->height > 0) printf("%ux%u", track->width, track->height);
        printf("%s%s%s%s%s\n", note[0] ? ", " : "", note, rate[0] ? ", " : "", rate,
               track->playable ? "" : " (not playable here)");
    }
    fflush(stdout);
}

/* Only what there was. */
static void tell_services(const struct cad_service_stats *services)
{
    if (services->is_protected) {
        printf("keys %s", cad_key_status_name(services->keys));
        if (services->licences > 0) {
            printf(", licence in %.0f ms", seconds(services->licence_time) * 1000);
        }
        putchar('\n');
    }
    if (services->events > 0) {
        printf("%llu of %llu events delivered, %llu log batches\n",
               (unsigned long long)services->events_delivered,
               (unsigned long long)services->events,
               (unsigned long long)services->batches_delivered);
    }
}

void tell_text_end(const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *shown = video->present ? video : &stats->slot[CAD_SLOT_AUDIO];
    if (stats->startup == CAD_TIME_NONE) {
        printf("nothing was played\n");
        fflush(stdout);
        return;
    }
    printf("start %.3f s, ", seconds(stats->startup));
    printf("%u stalls (%.2f s)", stats->stalls, seconds(stats->stall_time));
    if (shown->played_rate_bps > 0) {
        printf(", mean %lld kbit/s", (long long)(shown->played_rate_bps / 1000));
    }
    printf(", %u switches", shown->switches);
    if (video->present) {
        printf(", %llu pictures, %llu dropped", (unsigned long long)stats->frames,
               (unsigned long long)stats->dropped);
    }
    putchar('\n');
    tell_services(&stats->services);
    fflush(stdout);
}

void tell_error_text(const struct cad_error *error, char *out, size_t size)
{
    char message[CAD_ERROR_MESSAGE_SIZE];
    cad_shown_copyz(message, sizeof(message), cad_str_from(error->message));
    int n = snprintf(out, size, "%s (%s", message, cad_error_name(error->code));
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
