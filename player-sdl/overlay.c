#include "overlay.h"

#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"
#include "font.h"

#define MARGIN 8          /* dots around the text */
#define NARROW 640        /* pixels: below, a dot is one pixel */
#define WIDE 1600         /* pixels: above, a dot is three pixels */
#define MESSAGE_COLUMNS 48

struct clock_text {
    char text[24];
};

static struct clock_text clock_text(cad_time t)
{
    struct clock_text out = {"-:--"};
    if (t == CAD_TIME_NONE || t < 0) return out;
    long long s = t / CAD_SECOND;
    if (s >= 3600) {
        snprintf(out.text, sizeof(out.text), "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    } else {
        snprintf(out.text, sizeof(out.text), "%lld:%02lld", s / 60, s % 60);
    }
    return out;
}

static double seconds(cad_time t)
{
    return t == CAD_TIME_NONE ? 0.0 : (double)t / 1e9;
}

void overlay_figures(const struct cad_engine_stats *stats, bool paused, char *out, size_t size)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *audio = &stats->slot[CAD_SLOT_AUDIO];
    const struct cad_slot_stats *main_slot = video->present ? video : audio;
    struct clock_text position = clock_text(stats->position);
    struct clock_text duration = clock_text(stats->duration);
    const char *state = cad_state_name(stats->state);
    char measures[32] = "";
    char server[CAD_APP_TEXT_SIZE];
    if (video->present) {
        snprintf(measures, sizeof(measures), "  %ux%u", video->width, video->height);
    }
    cad_shown_copyz(server, sizeof(server), cad_str_from(main_slot->server));
    snprintf(out, size,
             "%s%s  %s / %s\n"
             "%s     %lld kbit/s%s  rung %u of %u\n"
             "buffer      video %.1f s  audio %.1f s\n"
             "throughput  %lld kbit/s\n"
             "server      %s\n"
             "dropped     %llu of %llu\n"
             "stalls      %u  %.1f s",
             state, paused && stats->state == CAD_STATE_BUFFERING ? " (paused)" : "", position.text,
             duration.text, video->present ? "picture" : "sound  ",
             (long long)(main_slot->rate_bps / 1000), measures,
             main_slot->rung_count > 0 ? main_slot->rung + 1 : 0, main_slot->rung_count,
             seconds(video->ahead), seconds(audio->ahead), (long long)(stats->estimate_bps / 1000),
             server, (unsigned long long)stats->dropped,
             (unsigned long long)stats->frames, stats->stalls, seconds(stats->stall_time));
}

static int scale_of(int width)
{
    return width < NARROW ? 1 : width > WIDE ? 3 : 2;
}

static void draw_on_ground(SDL_Renderer *renderer, SDL_Rect ground, int scale, const char *text)
{
    SDL_SetRenderDrawBlendMode(renderer, SDL_BLENDMODE_BLEND);
    SDL_SetRenderDrawColor(renderer, 0, 0, 0, 176);
    SDL_RenderFillRect(renderer, &ground);
    SDL_SetRenderDrawColor(renderer, 240, 240, 240, 255);
    font_draw(renderer, ground.x + MARGIN * scale, ground.y + MARGIN * scale, scale, text);
}

void overlay_draw(SDL_Renderer *renderer, int width, const char *text)
{
    int columns = 0;
    int lines = 0;
    int scale = scale_of(width);
    font_measure(text, &columns, &lines);
    SDL_Rect ground = {0, 0, (columns * FONT_ADVANCE + 2 * MARGIN) * scale,
                       (lines * FONT_LINE + 2 * MARGIN) * scale};
    draw_on_ground(renderer, ground, scale, text);
}

void overlay_wrap(const char *text, int columns, char *out, size_t size)
{
    size_t n = 0;
    int column = 0;
    while (*text && n + 1 < size) {
        size_t word = strcspn(text, " \n");
        bool fits = column == 0 || column + 1 + (int)word <= columns;
        if (column > 0) {
            out[n++] = fits ? ' ' : '\n';
            column = fits ? column + 1 : 0;
        }
        for (size_t i = 0; i < word && n + 1 < size; i++) out[n++] = text[i];
        column += (int)word;
        text += word;
        if (*text == '\n' && n + 1 < size) {
            out[n++] = '\n';
            column = 0;
        }
        if (*text) text++;
    }
    out[n] = '\0';
}

void overlay_message(SDL_Renderer *renderer, int width, int height, const char *text)
{
    char wrapped[OVERLAY_TEXT_SIZE];
    int columns = 0;
    int lines = 0;
    int scale = scale_of(width);
    int most = width / (FONT_ADVANCE * scale) - 2;
    overlay_wrap(text, CAD_MAX(8, CAD_MIN(most, MESSAGE_COLUMNS)), wrapped, sizeof(wrapped));
    font_measure(wrapped, &columns, &lines);
    SDL_Rect ground = {.w = (columns * FONT_ADVANCE + 2 * MARGIN) * scale,
                       .h = (lines * FONT_LINE + 2 * MARGIN) * scale};
    ground.x = (width - ground.w) / 2;
    ground.y = (height - ground.h) / 2;
    draw_on_ground(renderer, ground, scale, wrapped);
}
