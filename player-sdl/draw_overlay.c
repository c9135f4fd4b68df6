/* Figures of the playback, and graphs of the last minute. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"
#include "draw.h"
#include "labels.h"

#define PANEL_X 40.0f
#define PANEL_Y 80.0f
#define PANEL_WIDE 500.0f
#define PANEL_GAP 14.0f
#define SERVICES_WIDE 420.0f
#define SERVICES_X 104.0f
#define PAD 22.0f
#define LINE 25.0f
#define VALUE_X 128.0f
#define TEXT_SIZE 15.0f
#define GRAPH_HIGH 70.0f
#define GRAPH_GAP 42.0f
#define ROW_BYTES 128
#define PROBES_SHOWN 3

struct sheet {
    struct painter *painter;
    float x, y; /* of the next row */
    float wide; /* of the panel, units; likewise: */
    float value_x;
};

static void row(struct sheet *sheet, const char *name, const char *value)
{
    struct painter *painter = sheet->painter;
    float s = painter->s;
    float room = (sheet->wide - 2 * PAD - sheet->value_x) * s;
    draw_words(painter,
               (struct draw_words){.x = sheet->x, .y = sheet->y, .size = TEXT_SIZE,
                                   .color = COLOR_DIM},
               name);
    draw_words(painter,
               (struct draw_words){.x = sheet->x + sheet->value_x * s, .y = sheet->y,
                                   .size = TEXT_SIZE, .color = COLOR_TEXT, .width = room},
               value);
    sheet->y += LINE * s;
}

static const struct cad_track_info *selected(const struct ui_model *model, enum cad_media_type type)
{
    for (uint32_t i = 0; i < model->track_count; i++) {
        if (model->tracks[i].type == type && model->tracks[i].selected) return &model->tracks[i];
    }
    return NULL;
}

/* Parts with dots between them; empty ones are left out. */
static void join(char *out, size_t size, const char *part)
{
    size_t n = strlen(out);
    if (!part[0] || n >= size) return;
    snprintf(out + n, size - n, "%s%s", n > 0 ? " \xc2\xb7 " : "", part);
}

static void slot_row(struct sheet *sheet, const struct cad_slot_stats *slot,
                     enum cad_media_type type)
{
    char value[ROW_BYTES] = "";
    char part[LABEL_SIZE];
    const struct cad_track_info *track = selected(sheet->painter->model, type);
    bool video = type == CAD_MEDIA_VIDEO;
    if (!slot->present) return;
    if (track) join(value, sizeof(value), label_codec(track->codec));
    if (video && slot->width > 0) {
        snprintf(part, sizeof(part), "%u \xc3\x97 %u", slot->width, slot->height);
        join(value, sizeof(value), part);
    }
    if (!video && track) {
        label_channels(track->channels, part, sizeof(part));
        join(value, sizeof(value), part);
    }
    label_rate(slot->rate_bps, part, sizeof(part));
    join(value, sizeof(value), part);
    if (slot->rung_count > 1) {
        snprintf(part, sizeof(part), "rung %u of %u", slot->rung + 1, slot->rung_count);
        join(value, sizeof(value), part);
    }
    row(sheet, video ? "Picture" : "Sound", value);
}

/* Seconds with one decimal, without floating point's surprises. */
static void put_seconds(cad_time t, char *out, size_t size)
{
    long long tenths = CAD_MAX(t, 0) / (100 * CAD_MS);
    snprintf(out, size, "%lld.%lld s", tenths / 10, tenths % 10);
}

static void buffer_row(struct sheet *sheet, const struct cad_engine_stats *stats)
{
    char value[ROW_BYTES] = "";
    char time[32];
    char part[64];
    static const char *const names[] = {"picture", "sound"};
    for (int slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
        if (!stats->slot[slot].present) continue;
        put_seconds(stats->slot[slot].ahead, time, sizeof(time));
        snprintf(part, sizeof(part), "%s %s", names[slot], time);
        join(value, sizeof(value), part);
    }
    long long tenths = stats->memory_used / 100000;
    snprintf(part, sizeof(part), "%lld.%lld MB", tenths / 10, tenths % 10);
    join(value, sizeof(value), part);
    row(sheet, "Buffer", value);
}

static void state_row(struct sheet *sheet, const struct cad_engine_stats *stats)
{
    char value[ROW_BYTES];
    char part[64];
    snprintf(value, sizeof(value), "%s", cad_state_name(stats->state));
    if (sheet->painter->model->speed_q16 != 65536) {
        label_speed(sheet->painter->model->speed_q16, part, sizeof(part));
        join(value, sizeof(value), part);
    }
    if (stats->startup != CAD_TIME_NONE) {
        snprintf(part, sizeof(part), "began after %lld ms", (long long)(stats->startup / CAD_MS));
        join(value, sizeof(value), part);
    }
    row(sheet, "State", value);
}

/* ---- services ------------------------------------------------------------------------------- */

static void keys_row(struct sheet *sheet, const struct cad_service_stats *services)
{
    char value[ROW_BYTES];
    char part[64];
    snprintf(value, sizeof(value), "%s", cad_key_status_name(services->keys));
    if (services->licences > 0 && services->licence_time != CAD_TIME_NONE) {
        snprintf(part, sizeof(part), "licence after %lld ms",
                 (long long)(services->licence_time / CAD_MS));
        join(value, sizeof(value), part);
    }
    if (services->licences_failed > 0) {
        snprintf(part, sizeof(part), "%u failed", services->licences_failed);
        join(value, sizeof(value), part);
    }
    row(sheet, "Keys", value);
}

static void text_row(struct sheet *sheet)
{
    char value[LABEL_SIZE] = "off";
    const struct cad_track_info *track = selected(sheet->painter->model, CAD_MEDIA_TEXT);
    if (track) label_track(track, value, sizeof(value));
    row(sheet, "Subtitles", value);
}

/* The fastest of them, each with how many of its pulses succeeded. */
static void probe_rows(struct sheet *sheet, const struct cad_service_stats *services)
{
    char value[ROW_BYTES];
    char name[CAD_APP_TEXT_SIZE];
    char part[32];
    uint32_t count = CAD_MIN(services->probe_count, (uint32_t)PROBES_SHOWN);
    for (uint32_t i = 0; i < count; i++) {
        const struct cad_probe_figure *probe = &services->probes[i];
        cad_shown_copyz(name, sizeof(name), cad_str_from(probe->name));
        snprintf(value, sizeof(value), "%s", name);
        if (probe->latency == CAD_TIME_NONE) {
            snprintf(part, sizeof(part), "no answer");
        } else {
            long long tenths = probe->latency / (100 * CAD_US);
            snprintf(part, sizeof(part), "%lld.%lld ms", tenths / 10, tenths % 10);
        }
        join(value, sizeof(value), part);
        snprintf(part, sizeof(part), "%u of %u", probe->ok, probe->pulses);
        join(value, sizeof(value), part);
        row(sheet, i > 0 ? "" : services->probes_running ? "Probes \xe2\x80\xa6" : "Probes", value);
    }
}

static void report_row(struct sheet *sheet, const struct cad_service_stats *services)
{
    char value[ROW_BYTES];
    char part[64];
    snprintf(value, sizeof(value), "%llu event%s",
             (unsigned long long)services->events_delivered,
             services->events_delivered == 1 ? "" : "s");
    if (services->events_waiting > 0) {
        snprintf(part, sizeof(part), "%u waiting", services->events_waiting);
        join(value, sizeof(value), part);
    }
    snprintf(part, sizeof(part), "%llu log batch%s",
             (unsigned long long)services->batches_delivered,
             services->batches_delivered == 1 ? "" : "es");
    join(value, sizeof(value), part);
    if (services->logs_dropped > 0) {
        snprintf(part, sizeof(part), "%llu lost", (unsigned long long)services->logs_dropped);
        join(value, sizeof(value), part);
    }
    row(sheet, "Report", value);
}

static bool has_text(const struct ui_model *model)
{
    for (uint32_t i = 0; i < model->track_count; i++) {
        if (model->tracks[i].type == CAD_MEDIA_TEXT) return true;
    }
    return false;
}

static bool reports(const struct cad_service_stats *services)
{
    return services->events > 0 || services->batches_delivered > 0;
}

/* A panel of its own beside the first, with what there is. */
static void draw_services(struct painter *painter, const struct cad_service_stats *services)
{
    float s = painter->s;
    bool text = has_text(painter->model);
    int lines = (int)CAD_MIN(services->probe_count, (uint32_t)PROBES_SHOWN) + (text ? 1 : 0) +
                (services->is_protected ? 1 : 0) + (reports(services) ? 1 : 0);
    if (lines == 0) return;
    struct canvas_rect panel = {(PANEL_X + PANEL_WIDE + PANEL_GAP) * s, PANEL_Y * s,
                                SERVICES_WIDE * s, (2 * PAD + (float)lines * LINE - 8) * s};
    draw_panel(painter, panel, 14);
    struct sheet sheet = {painter, panel.x + PAD * s, panel.y + (PAD + 8) * s, SERVICES_WIDE,
                          SERVICES_X};
    if (text) text_row(&sheet);
    if (services->is_protected) keys_row(&sheet, services);
    probe_rows(&sheet, services);
    if (reports(services)) report_row(&sheet, services);
}

static void rows(struct sheet *sheet, const struct cad_engine_stats *stats)
{
    const struct cad_slot_stats *video = &stats->slot[CAD_SLOT_VIDEO];
    const struct cad_slot_stats *first = video->present ? video : &stats->slot[CAD_SLOT_AUDIO];
    char value[ROW_BYTES];
    char time[32];
    state_row(sheet, stats);
    slot_row(sheet, video, CAD_MEDIA_VIDEO);
    slot_row(sheet, &stats->slot[CAD_SLOT_AUDIO], CAD_MEDIA_AUDIO);
    cad_shown_copyz(value, sizeof(value), cad_str_from(first->server));
    row(sheet, "Server", value[0] ? value : "-");
    buffer_row(sheet, stats);
    label_rate(stats->estimate_bps, value, sizeof(value));
    row(sheet, "Throughput", value[0] ? value : "not known yet");
    snprintf(value, sizeof(value), "%llu dropped of %llu", (unsigned long long)stats->dropped,
             (unsigned long long)stats->frames);
    row(sheet, "Pictures", value);
    put_seconds(stats->stall_time, time, sizeof(time));
    snprintf(value, sizeof(value), "%u \xc2\xb7 %s", stats->stalls, time);
    row(sheet, "Stalls", value);
    if (sheet->painter->model->note[0]) row(sheet, "Note", sheet->painter->model->note);
}

/* ---- graphs --------------------------------------------------------------------------------- */

struct graph {
    struct painter *painter;
    struct canvas_rect at;
    const struct history *history;
    double top; /* value at the upper edge */
};

enum series { SERIES_BUFFER, SERIES_THROUGHPUT, SERIES_RATE };

static double value_of(const struct history *history, uint32_t index, enum series series)
{
    const struct history_entry *entry = history_entry(history, index);
    switch (series) {
    case SERIES_BUFFER: return (double)entry->buffer_ms / 1000;
    case SERIES_THROUGHPUT: return (double)entry->throughput_bps;
    case SERIES_RATE: return (double)entry->rate_bps;
    }
    return 0;
}

/* The next of 1, 2, 5, 10, 20 ... that is at least the value. */
static double round_top(double value, double least)
{
    static const double steps[] = {1, 2, 5, 10};
    double unit = least;
    while (unit * 10 < value) unit *= 10;
    for (size_t i = 0; i < CAD_ARRAY_LEN(steps); i++) {
        if (unit * steps[i] >= value) return unit * steps[i];
    }
    return unit * 10;
}

/* The newest entry is at the right edge. */
static float graph_x(const struct graph *graph, uint32_t index)
{
    float back = (float)(graph->history->count - 1 - index);
    return graph->at.x + graph->at.w * (1 - back / (HISTORY_COUNT - 1));
}

static float graph_y(const struct graph *graph, double value)
{
    double part = CAD_MAX(0.0, CAD_MIN(value / graph->top, 1.0));
    return graph->at.y + graph->at.h * (float)(1 - part);
}

static void draw_grid(const struct graph *graph)
{
    struct painter *painter = graph->painter;
    for (int line = 0; line <= 2; line++) {
        float y = floorf(graph->at.y + graph->at.h * (float)line / 2);
        struct canvas_rect at = {floorf(graph->at.x), y, floorf(graph->at.w), 1};
        canvas_fill(painter->canvas, at, line == 2 ? 0x60ffffff : 0x22ffffff);
    }
}

static void draw_area(const struct graph *graph, enum series series, uint32_t color)
{
    const struct history *history = graph->history;
    float bottom = graph->at.y + graph->at.h;
    struct canvas_path *path = graph->painter->path;
    canvas_path_move(path, graph_x(graph, 0), bottom);
    for (uint32_t i = 0; i < history->count; i++) {
        canvas_path_line(path, graph_x(graph, i), graph_y(graph, value_of(history, i, series)));
    }
    canvas_path_line(path, graph_x(graph, history->count - 1), bottom);
    canvas_path(graph->painter->canvas, path, color);
}

static void point_of(const struct graph *graph, enum series series, int index, float out[2])
{
    int last = (int)graph->history->count - 1;
    uint32_t i = (uint32_t)CAD_MAX(0, CAD_MIN(index, last));
    out[0] = graph_x(graph, i);
    out[1] = graph_y(graph, value_of(graph->history, i, series));
}

/* The unit vector to the left of a piece; false: it has no length. */
static bool normal_of(const float from[2], const float to[2], float out[2])
{
    float dx = to[0] - from[0];
    float dy = to[1] - from[1];
    float length = hypotf(dx, dy);
    if (length < 0.01f) return false;
    out[0] = dy / length;
    out[1] = -dx / length;
    return true;
}

/* From the middle of a curve to its outline at entry `index`; sharp corners are blunted. */
static void corner_of(const struct graph *graph, enum series series, int index, float out[2])
{
    float before[2];
    float at[2];
    float after[2];
    float first[2];
    float second[2];
    point_of(graph, series, index - 1, before);
    point_of(graph, series, index, at);
    point_of(graph, series, index + 1, after);
    bool has_first = normal_of(before, at, first);
    bool has_second = normal_of(at, after, second);
    if (!has_first && !has_second) second[0] = 0, second[1] = -1;
    if (!has_first) first[0] = second[0], first[1] = second[1];
    if (!has_second && has_first) second[0] = first[0], second[1] = first[1];
    float x = first[0] + second[0];
    float y = first[1] + second[1];
    float length = CAD_MAX(hypotf(x, y), 0.01f);
    float along = (x * first[0] + y * first[1]) / length; /* cosine of half the bend */
    float reach = CAD_MIN(1 / CAD_MAX(along, 0.1f), 1.4f);
    out[0] = x / length * reach;
    out[1] = y / length * reach;
}

/* One band along the curve: one side there, the other one back. */
static void draw_curve(const struct graph *graph, enum series series, uint32_t color)
{
    struct painter *painter = graph->painter;
    int count = (int)graph->history->count;
    float half = CAD_MAX(0.9f, painter->s);
    for (int step = 0; step < 2 * count; step++) {
        bool there = step < count;
        int i = there ? step : 2 * count - 1 - step;
        float at[2];
        float by[2];
        point_of(graph, series, i, at);
        corner_of(graph, series, i, by);
        float side = there ? half : -half;
        canvas_path_line(painter->path, at[0] + by[0] * side, at[1] + by[1] * side);
    }
    canvas_path(painter->canvas, painter->path, color);
}

/* Level runs and upright jumps, on whole pixels. */
static void draw_steps(const struct graph *graph, enum series series, uint32_t color)
{
    const struct history *history = graph->history;
    struct painter *painter = graph->painter;
    float thick = CAD_MAX(1.0f, floorf(2 * painter->s));
    uint32_t begin = 0;
    for (uint32_t i = 1; i <= history->count; i++) {
        double value = value_of(history, begin, series);
        bool ends = i == history->count || value_of(history, i, series) < value ||
                    value_of(history, i, series) > value;
        if (!ends) continue;
        uint32_t to = CAD_MIN(i, history->count - 1);
        float y = floorf(graph_y(graph, value) - thick / 2);
        float x0 = floorf(graph_x(graph, begin));
        float x1 = floorf(graph_x(graph, to));
        bool jumps = i < history->count;
        float wide = x1 - x0 + (jumps ? thick : 0);
        canvas_fill(painter->canvas, (struct canvas_rect){x0, y, wide, thick}, color);
        if (jumps) {
            float next = floorf(graph_y(graph, value_of(history, i, series)) - thick / 2);
            float top = CAD_MIN(y, next);
            canvas_fill(painter->canvas,
                        (struct canvas_rect){x1, top, thick, fabsf(next - y) + thick}, color);
        }
        begin = i;
    }
}

/* Where it waited. */
static void draw_stalls(const struct graph *graph)
{
    for (uint32_t i = 1; i < graph->history->count; i++) {
        if (!history_entry(graph->history, i)->stalled) continue;
        float x = floorf(graph_x(graph, i - 1));
        struct canvas_rect at = {x, graph->at.y, floorf(graph_x(graph, i)) - x, graph->at.h};
        if (at.w > 0) canvas_fill(graph->painter->canvas, at, 0x50ff6b5e);
    }
}

static void draw_legend(const struct graph *graph, const char *name, uint32_t color, float x)
{
    struct painter *painter = graph->painter;
    float s = painter->s;
    float y = graph->at.y - 15 * s;
    draw_round(painter, (struct canvas_rect){x, y - 3 * s, 14 * s, 6 * s}, 3, color);
    draw_words(painter,
               (struct draw_words){.x = x + 21 * s, .y = y, .size = 13, .color = COLOR_DIM}, name);
}

static void draw_top(const struct graph *graph, const char *text)
{
    float s = graph->painter->s;
    draw_words(graph->painter,
               (struct draw_words){.x = graph->at.x + graph->at.w, .y = graph->at.y - 15 * s,
                                   .size = 13, .color = COLOR_DIM, .align = DRAW_RIGHT},
               text);
}

static double greatest(const struct history *history, enum series series)
{
    double most = 0;
    for (uint32_t i = 0; i < history->count; i++) {
        most = CAD_MAX(most, value_of(history, i, series));
    }
    return most;
}

static void draw_buffer_graph(struct painter *painter, struct canvas_rect at,
                              const struct history *history)
{
    char text[LABEL_SIZE];
    struct graph graph = {painter, at, history, 10};
    graph.top = round_top(greatest(history, SERIES_BUFFER), 10);
    draw_grid(&graph);
    draw_legend(&graph, "buffer", COLOR_ACCENT, at.x);
    snprintf(text, sizeof(text), "%.0f s", graph.top);
    draw_top(&graph, text);
    if (history->count < 2) return;
    draw_stalls(&graph);
    draw_area(&graph, SERIES_BUFFER, 0x40ffb01f);
    draw_curve(&graph, SERIES_BUFFER, COLOR_ACCENT);
}

/* A link far above the ladder would press it flat: the scale ends at four times the rate. */
static void draw_rate_graph(struct painter *painter, struct canvas_rect at,
                            const struct history *history)
{
    char text[LABEL_SIZE];
    struct graph graph = {painter, at, history, 1000000};
    double rate = greatest(history, SERIES_RATE);
    double most = greatest(history, SERIES_THROUGHPUT);
    if (rate > 0) most = CAD_MIN(most, rate * 4);
    graph.top = round_top(CAD_MAX(most, rate), 100000);
    draw_grid(&graph);
    draw_legend(&graph, "throughput", COLOR_BLUE, at.x);
    draw_legend(&graph, "chosen rate", COLOR_TEXT, at.x + 120 * painter->s);
    label_rate((int64_t)graph.top, text, sizeof(text));
    draw_top(&graph, text);
    if (history->count < 2) return;
    draw_area(&graph, SERIES_THROUGHPUT, 0x3062b5ff);
    draw_curve(&graph, SERIES_THROUGHPUT, COLOR_BLUE);
    draw_steps(&graph, SERIES_RATE, COLOR_TEXT);
}

void draw_overlay(struct painter *painter, const struct draw_figures *figures)
{
    const struct cad_engine_stats *stats = figures->stats;
    float s = painter->s;
    int lines = 7 + (stats->slot[CAD_SLOT_VIDEO].present ? 1 : 0) +
                (stats->slot[CAD_SLOT_AUDIO].present ? 1 : 0) +
                (painter->model->note[0] ? 1 : 0) - 1;
    float high = 2 * PAD + (float)lines * LINE + 2 * (GRAPH_HIGH + GRAPH_GAP) - 10;
    struct canvas_rect panel = {PANEL_X * s, PANEL_Y * s, PANEL_WIDE * s, high * s};
    draw_panel(painter, panel, 14);
    struct sheet sheet = {painter, panel.x + PAD * s, panel.y + (PAD + 8) * s, PANEL_WIDE,
                          VALUE_X};
    rows(&sheet, stats);
    struct canvas_rect at = {floorf(sheet.x), floorf(sheet.y + (GRAPH_GAP - 22) * s),
                             floorf((PANEL_WIDE - 2 * PAD) * s), floorf(GRAPH_HIGH * s)};
    draw_buffer_graph(painter, at, figures->history);
    at.y = floorf(at.y + (GRAPH_HIGH + GRAPH_GAP) * s);
    draw_rate_graph(painter, at, figures->history);
    draw_services(painter, &stats->services);
}
