#include "ui_shot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/str.h"
#include "base/util.h"

const char *shot_name(enum shot_state state)
{
    static const char *const names[SHOT_STATES] = {"controls", "drag",    "audio", "quality",
                                                    "speed",    "text",    "error", "overlay",
                                                    "busy",     "help",    "focus", "hidden"};
    return names[state];
}

static void set_text(char *out, size_t size, const char *text)
{
    cad_str_copyz(out, size, cad_str_from(text));
}

static void add_track(struct shot *shot, enum cad_media_type type, const char *lang,
                      enum cad_codec codec, uint32_t channels)
{
    struct cad_track_info *track = &shot->tracks[shot->model.track_count];
    snprintf(track->id, sizeof(track->id), "t%u", shot->model.track_count++);
    track->type = type;
    set_text(track->lang, sizeof(track->lang), lang);
    track->codec = codec;
    track->channels = channels;
    track->playable = true;
}

void shot_model(struct shot *shot)
{
    static const uint32_t heights[] = {240, 360, 480, 720, 1080};
    static const int64_t rates[] = {400000, 850000, 1600000, 3000000, 5800000};
    struct ui_model *model = &shot->model;
    memset(model, 0, sizeof(*model));
    memset(shot->tracks, 0, sizeof(shot->tracks));
    model->tracks = shot->tracks;
    set_text(model->title, sizeof(model->title), "The Slow Harbour");
    model->state = CAD_STATE_PLAYING;
    model->has_picture = model->has_sound = true;
    model->volume = 70;
    model->speed_q16 = 65536;
    model->position = 1563 * CAD_SECOND;
    model->duration = 5412 * CAD_SECOND;
    model->buffered = 1800 * CAD_SECOND;
    model->markers[0] = 2700 * CAD_SECOND;
    model->markers[1] = 5100 * CAD_SECOND;
    model->marker_count = 2;
    add_track(shot, CAD_MEDIA_VIDEO, "und", CAD_CODEC_HEVC, 0);
    add_track(shot, CAD_MEDIA_AUDIO, "en", CAD_CODEC_EAC3, 6);
    add_track(shot, CAD_MEDIA_AUDIO, "de", CAD_CODEC_AAC, 2);
    add_track(shot, CAD_MEDIA_AUDIO, "el", CAD_CODEC_AAC, 2);
    add_track(shot, CAD_MEDIA_AUDIO, "ru", CAD_CODEC_OPUS, 6);
    add_track(shot, CAD_MEDIA_AUDIO, "ja", CAD_CODEC_AC3, 6);
    add_track(shot, CAD_MEDIA_TEXT, "en", CAD_CODEC_TTML, 0);
    shot->tracks[0].selected = shot->tracks[1].selected = true;
    shot->tracks[5].playable = false;
    set_text(shot->tracks[3].label, sizeof(shot->tracks[3].label),
             "\xce\x95\xce\xbb\xce\xbb\xce\xb7\xce\xbd\xce\xb9\xce\xba\xce\xac");
    set_text(shot->tracks[4].label, sizeof(shot->tracks[4].label),
             "\xd0\xa0\xd1\x83\xd1\x81\xd1\x81\xd0\xba\xd0\xb8\xd0\xb9");
    model->rung_count = 5;
    for (uint32_t i = 0; i < 5; i++) {
        model->rungs[i] = (struct ui_rung){heights[i] * 16 / 9, heights[i], rates[i]};
    }
    model->rung_now = 3;
    model->rung_pinned = -1;
}

static void fill_stats(struct shot *shot)
{
    struct cad_engine_stats *stats = &shot->stats;
    memset(stats, 0, sizeof(*stats));
    stats->state = CAD_STATE_PLAYING;
    stats->position = shot->model.position;
    stats->duration = shot->model.duration;
    stats->estimate_bps = 8340000;
    stats->frames = 37512;
    stats->dropped = 3;
    stats->stalls = 1;
    stats->stall_time = 1700 * CAD_MS;
    stats->startup = 412 * CAD_MS;
    stats->memory_used = 31400000;
    stats->slot[CAD_SLOT_VIDEO] = (struct cad_slot_stats){
        .present = true, .rung = 3, .rung_count = 5, .rate_bps = 3000000, .width = 1280,
        .height = 720, .ahead = 42300 * CAD_MS, .server = "cdn-2"};
    stats->slot[CAD_SLOT_AUDIO] = (struct cad_slot_stats){
        .present = true, .rung_count = 1, .rate_bps = 256000, .ahead = 44100 * CAD_MS,
        .server = "cdn-2"};
}

static void fill_services(struct shot *shot)
{
    static const char *const names[] = {"cdn-2", "cdn-1", "cdn-far"};
    struct cad_service_stats *services = &shot->stats.services;
    services->is_protected = true;
    services->keys = CAD_KEY_USABLE;
    services->licences = 1;
    services->licence_time = 83 * CAD_MS;
    services->probe_count = 3;
    for (uint32_t i = 0; i < services->probe_count; i++) {
        struct cad_probe_figure *probe = &services->probes[i];
        set_text(probe->name, sizeof(probe->name), names[i]);
        probe->latency = i == 2 ? CAD_TIME_NONE : (12 + 31 * (cad_time)i) * CAD_MS;
        probe->pulses = 3;
        probe->ok = i == 2 ? 0 : 3;
    }
    services->events = 4;
    services->events_delivered = 3;
    services->events_waiting = 1;
    services->batches_delivered = 2;
}

/* A minute with a fall of the link, a stall, and the way up again. */
static void fill_history(struct shot *shot)
{
    struct cad_engine_stats stats = shot->stats;
    history_init(&shot->history);
    int64_t buffer_ms = 30000;
    for (int i = 0; i < HISTORY_COUNT; i++) {
        bool low = i >= 70 && i < 130;
        int64_t link = low ? 900000 : 8000000 + i % 17 * 120000 - i % 29 * 70000;
        int64_t rate = i < 90 ? 5800000 : i < 150 ? 850000 : i < 190 ? 1600000 : 3000000;
        buffer_ms += low ? (i < 110 ? -750 : 20) : buffer_ms < 42000 ? 250 : 0;
        buffer_ms = CAD_MAX(buffer_ms, 0);
        stats.estimate_bps = link;
        stats.slot[CAD_SLOT_VIDEO].rate_bps = rate;
        stats.slot[CAD_SLOT_VIDEO].ahead = buffer_ms * CAD_MS;
        stats.state = buffer_ms == 0 ? CAD_STATE_BUFFERING : CAD_STATE_PLAYING;
        history_add(&shot->history, &stats, (i + 1) * HISTORY_PERIOD);
    }
}

void shot_open(struct shot *shot, int width, int height, bool fonts)
{
    memset(shot, 0, sizeof(*shot));
    shot->width = width;
    shot->height = height;
    shot->picture = malloc((size_t)width * (size_t)height * sizeof(*shot->picture));
    assert_non_null(shot->picture);
    shot->text = text_open(fonts);
    assert_non_null(shot->text);
    canvas_init(&shot->canvas);
    assert_true(canvas_resize(&shot->canvas, width, height));
}

void shot_close(struct shot *shot)
{
    free(shot->picture);
    text_close(&shot->text);
    canvas_deinit(&shot->canvas);
}

/* A harbour at dusk, more or less: sky, sun, hills, water. */
static uint32_t film(float x, float y)
{
    float sun = 1 - CAD_MIN(hypotf((x - 0.68f) * 1.78f, y - 0.42f) * 2.2f, 1.0f);
    float hill = 0.62f + 0.06f * sinf(x * 9) + 0.03f * sinf(x * 23 + 1);
    float wave = 0.03f * sinf(y * 240 + 6 * sinf(x * 40));
    float r = 40 + 150 * y + 120 * sun * sun;
    float g = 60 + 70 * y + 80 * sun * sun;
    float b = 110 - 40 * y + 30 * sun;
    if (y > hill && y < 0.74f) {
        r = 30 + 20 * sun;
        g = 36 + 10 * sun;
        b = 48;
    } else if (y >= 0.74f) {
        r = 60 + 90 * sun + 300 * wave;
        g = 76 + 40 * sun + 300 * wave;
        b = 96 + 260 * wave;
    }
    uint32_t red = (uint32_t)CAD_MAX(0.0f, CAD_MIN(r, 255.0f));
    uint32_t green = (uint32_t)CAD_MAX(0.0f, CAD_MIN(g, 255.0f));
    uint32_t blue = (uint32_t)CAD_MAX(0.0f, CAD_MIN(b, 255.0f));
    return 0xff000000u | red << 16 | green << 8 | blue;
}

static void compose(struct shot *shot)
{
    uint32_t *row = malloc((size_t)shot->width * sizeof(*row));
    assert_non_null(row);
    for (int y = 0; y < shot->height; y++) {
        canvas_row_straight(&shot->canvas, y, row);
        for (int x = 0; x < shot->width; x++) {
            uint32_t under = film((float)x / (float)shot->width, (float)y / (float)shot->height);
            uint32_t alpha = row[x] >> 24;
            uint32_t out = 0xff000000u;
            for (int shift = 0; shift <= 16; shift += 8) {
                uint32_t over = row[x] >> shift & 0xff;
                uint32_t old = under >> shift & 0xff;
                out |= (over * alpha + old * (255 - alpha) + 127) / 255 << shift;
            }
            shot->picture[(size_t)y * (size_t)shot->width + (size_t)x] = out;
        }
    }
    free(row);
}

static void key(struct shot *shot, enum ui_key which)
{
    struct ui_command command;
    struct ui_event event = {.type = UI_KEY, .key = which};
    ui_take(&shot->ui, &shot->model, &event, shot->now, &command);
}

static void point(struct shot *shot, enum ui_event_type type, float x, float y)
{
    struct ui_command command;
    float scale = (float)shot->width / 1280;
    struct ui_event event = {.type = type, .x = x * scale, .y = y * scale, .clicks = 1};
    ui_take(&shot->ui, &shot->model, &event, shot->now, &command);
}

/* Presses the button of a menu where it is. */
static void press_menu(struct shot *shot, enum ui_item item)
{
    struct ui_layout layout;
    ui_layout(&shot->ui, &shot->model, &layout);
    float scale = (float)shot->width / 1280;
    const struct canvas_rect *at = &layout.items[item];
    float x = (at->x + at->w / 2) / scale;
    float y = (at->y + at->h / 2) / scale;
    point(shot, UI_PRESS, x, y);
    point(shot, UI_RELEASE, x, y);
    ui_layout(&shot->ui, &shot->model, &layout);
    point(shot, UI_MOVE, (layout.menu.x + layout.menu.w / 2) / scale,
          (layout.items[UI_ROW].y + layout.items[UI_ROW].h * 2.5f) / scale);
}

static void set_note(struct shot *shot)
{
    set_text(shot->model.note, sizeof(shot->model.note),
             "HDR10, 10 bit \xe2\x86\x92 shown as SDR");
}

static void set_error(struct shot *shot)
{
    shot->model.failed = true;
    shot->model.state = CAD_STATE_FAILED;
    cad_error_init(&shot->model.error, CAD_ERR_NET_TIMEOUT);
    shot->model.error.attempts = 6;
    shot->model.error.http_status = 503;
}

static void act(struct shot *shot, enum shot_state state)
{
    switch (state) {
    case SHOT_CONTROLS: point(shot, UI_MOVE, 860, 636); break;
    case SHOT_DRAG:
        point(shot, UI_PRESS, 386, 636);
        point(shot, UI_MOVE, 700, 560);
        break;
    case SHOT_AUDIO:
        key(shot, UI_KEY_ENTER);
        shot->ui.focus = UI_AUDIO;
        key(shot, UI_KEY_ENTER);
        key(shot, UI_KEY_DOWN);
        break;
    case SHOT_QUALITY: press_menu(shot, UI_QUALITY); break;
    case SHOT_SPEED: press_menu(shot, UI_SPEED); break;
    case SHOT_TEXT: press_menu(shot, UI_TEXT); break;
    case SHOT_OVERLAY: key(shot, UI_KEY_OVERLAY); break;
    case SHOT_HELP: key(shot, UI_KEY_HELP); break;
    case SHOT_FOCUS:
        key(shot, UI_KEY_ENTER);
        for (int i = 0; i < 4; i++) key(shot, UI_KEY_RIGHT);
        break;
    case SHOT_ERROR:
    case SHOT_BUSY:
    case SHOT_HIDDEN:
    case SHOT_STATES: break;
    }
}

void shot_draw(struct shot *shot, enum shot_state state)
{
    struct ui_command command;
    shot->now = 100 * CAD_SECOND;
    shot_model(shot);
    fill_stats(shot);
    fill_history(shot);
    if (state == SHOT_CONTROLS || state == SHOT_OVERLAY) set_note(shot);
    if (state == SHOT_OVERLAY) {
        fill_services(shot);
        shot->tracks[6].selected = true;
    }
    if (state == SHOT_ERROR) set_error(shot);
    if (state == SHOT_SPEED) shot->model.speed_q16 = 81920;
    if (state == SHOT_BUSY) shot->model.state = CAD_STATE_BUFFERING;
    shot->model.network_lost = state == SHOT_BUSY;
    ui_init(&shot->ui, shot->now);
    ui_resize(&shot->ui, shot->width, shot->height);
    ui_tick(&shot->ui, &shot->model, shot->now, &command);
    act(shot, state);
    shot->now += state == SHOT_HIDDEN ? 10 * CAD_SECOND : CAD_SECOND / 2;
    ui_tick(&shot->ui, &shot->model, shot->now, &command);
    if (state == SHOT_HIDDEN) shot->now += CAD_SECOND;
    canvas_clear(&shot->canvas);
    struct painter painter = {.canvas = &shot->canvas, .text = shot->text, .path = &shot->path,
                              .ui = &shot->ui, .model = &shot->model, .now = shot->now};
    struct draw_figures figures = {&shot->stats, &shot->history};
    draw_all(&painter, &figures);
    compose(shot);
}

/* ---- looking -------------------------------------------------------------------------------- */

static int brightness(uint32_t pixel)
{
    return (int)((pixel >> 16 & 0xff) * 3 + (pixel >> 8 & 0xff) * 6 + (pixel & 0xff)) / 10;
}

struct shot_look shot_look(const struct shot *shot, const int region[4])
{
    int64_t sums[3] = {0, 0, 0};
    int64_t edges = 0;
    int64_t count = 0;
    int x0 = region[0] * shot->width / 1280;
    int y0 = region[1] * shot->height / 720;
    int x1 = (region[0] + region[2]) * shot->width / 1280;
    int y1 = (region[1] + region[3]) * shot->height / 720;
    for (int y = y0; y < y1; y++) {
        const uint32_t *row = shot->picture + (size_t)y * (size_t)shot->width;
        for (int x = x0; x < x1; x++, count++) {
            sums[0] += row[x] >> 16 & 0xff;
            sums[1] += row[x] >> 8 & 0xff;
            sums[2] += row[x] & 0xff;
            if (x > x0) edges += abs(brightness(row[x]) - brightness(row[x - 1]));
        }
    }
    assert_true(count > 0);
    return (struct shot_look){(int)(sums[0] / count), (int)(sums[1] / count),
                               (int)(sums[2] / count), (int)(edges * 10 / count)};
}

/* ---- PNG (ISO/IEC 15948) -------------------------------------------------------------------- */

static void put_u32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++) out[i] = (uint8_t)(value >> (24 - 8 * i));
}

static void put_chunk(FILE *file, const char *type, const uint8_t *data, uint32_t size)
{
    uint8_t word[4];
    uLong crc = crc32(0, (const Bytef *)type, 4);
    if (size > 0) crc = crc32(crc, data, size);
    put_u32(word, size);
    fwrite(word, 1, 4, file);
    fwrite(type, 1, 4, file);
    if (size > 0) fwrite(data, 1, size, file);
    put_u32(word, (uint32_t)crc);
    fwrite(word, 1, 4, file);
}

static uint8_t *pack(const struct shot *shot, uLongf *packed_size)
{
    size_t line = (size_t)shot->width * 3 + 1;
    size_t size = line * (size_t)shot->height;
    uint8_t *raw = malloc(size);
    *packed_size = compressBound(size);
    uint8_t *packed = malloc(*packed_size);
    assert_true(raw && packed);
    for (int y = 0; y < shot->height; y++) {
        uint8_t *out = raw + (size_t)y * line;
        *out++ = 0;
        for (int x = 0; x < shot->width; x++) {
            uint32_t pixel = shot->picture[(size_t)y * (size_t)shot->width + (size_t)x];
            for (int shift = 16; shift >= 0; shift -= 8) *out++ = (uint8_t)(pixel >> shift);
        }
    }
    assert_int_equal(compress2(packed, packed_size, raw, size, 6), Z_OK);
    free(raw);
    return packed;
}

bool shot_write_png(const struct shot *shot, const char *path)
{
    static const uint8_t signature[] = {137, 80, 78, 71, 13, 10, 26, 10};
    uint8_t header[13] = {0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0};
    uLongf packed_size = 0;
    FILE *file = fopen(path, "wb");
    if (!file) return false;
    uint8_t *packed = pack(shot, &packed_size);
    put_u32(header, (uint32_t)shot->width);
    put_u32(header + 4, (uint32_t)shot->height);
    fwrite(signature, 1, sizeof(signature), file);
    put_chunk(file, "IHDR", header, sizeof(header));
    put_chunk(file, "IDAT", packed, (uint32_t)packed_size);
    put_chunk(file, "IEND", NULL, 0);
    free(packed);
    bool good = !ferror(file);
    return fclose(file) == 0 && good;
}
