/* What the menus offer, and what choosing does. */
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "labels.h"
#include "ui.h"

#define SPEED_NORMAL 65536u

static const uint32_t speeds[] = {SPEED_NORMAL / 2,     SPEED_NORMAL * 3 / 4, SPEED_NORMAL,
                                  SPEED_NORMAL * 5 / 4, SPEED_NORMAL * 3 / 2, SPEED_NORMAL * 2};

const char *ui_menu_title(enum ui_item menu)
{
    switch (menu) {
    case UI_SPEED: return "Speed";
    case UI_AUDIO: return "Audio";
    case UI_TEXT: return "Subtitles";
    case UI_QUALITY: return "Picture quality";
    default: return "";
    }
}

/* Which of the tracks is the n-th of its type; -1: none. */
static int track_at(const struct ui_model *model, enum cad_media_type type, int n)
{
    for (uint32_t i = 0; i < model->track_count; i++) {
        if (model->tracks[i].type == type && n-- == 0) return (int)i;
    }
    return -1;
}

static int track_count(const struct ui_model *model, enum cad_media_type type)
{
    int n = 0;
    while (track_at(model, type, n) >= 0) n++;
    return n;
}

/* Of the selected one among its type; -1: none is. */
static int track_now(const struct ui_model *model, enum cad_media_type type)
{
    int count = track_count(model, type);
    for (int n = 0; n < count; n++) {
        if (model->tracks[track_at(model, type, n)].selected) return n;
    }
    return -1;
}

/* Of the menu of sound, or of subtitles, where the first row is none: -1. */
static int track_of_row(const struct ui_model *model, enum ui_item menu, int row)
{
    if (menu == UI_AUDIO) return track_at(model, CAD_MEDIA_AUDIO, row);
    return row == 0 ? -1 : track_at(model, CAD_MEDIA_TEXT, row - 1);
}

int ui_menu_rows(const struct ui_model *model, enum ui_item menu)
{
    switch (menu) {
    case UI_SPEED: return (int)CAD_ARRAY_LEN(speeds);
    case UI_AUDIO: return track_count(model, CAD_MEDIA_AUDIO);
    case UI_TEXT: {
        int count = track_count(model, CAD_MEDIA_TEXT);
        return count > 0 ? count + 1 : 0;
    }
    case UI_QUALITY: return model->rung_count > 1 ? (int)model->rung_count + 1 : 0;
    default: return 0;
    }
}

/* The menu shows the best rung first, below "Auto". */
static int32_t rung_of_row(const struct ui_model *model, int row)
{
    return row == 0 ? -1 : (int32_t)model->rung_count - row;
}

static void name_rung(const struct ui_model *model, uint32_t index, char *out, size_t size)
{
    const struct ui_rung *rung = &model->rungs[CAD_MIN(index, UI_RUNGS_MAX - 1u)];
    label_size(rung->width, rung->height, out, size);
    if (!out[0]) snprintf(out, size, "Level %u", index + 1);
}

static void quality_row(const struct ui_model *model, int row, struct ui_menu_row *out)
{
    int32_t rung = rung_of_row(model, row);
    out->selected = rung == model->rung_pinned;
    if (rung < 0) {
        char now[UI_ROW_SIZE];
        snprintf(out->text, sizeof(out->text), "Auto");
        name_rung(model, model->rung_now, now, sizeof(now));
        snprintf(out->note, sizeof(out->note), "now %.80s", now);
        return;
    }
    name_rung(model, (uint32_t)rung, out->text, sizeof(out->text));
    label_rate(model->rungs[CAD_MIN(rung, UI_RUNGS_MAX - 1)].rate_bps, out->note,
               sizeof(out->note));
}

void ui_menu_row(const struct ui_model *model, enum ui_item menu, int row,
                 struct ui_menu_row *out)
{
    memset(out, 0, sizeof(*out));
    out->enabled = true;
    if (row < 0 || row >= ui_menu_rows(model, menu)) return;
    if (menu == UI_SPEED) {
        label_speed(speeds[row], out->text, sizeof(out->text));
        if (speeds[row] == SPEED_NORMAL) snprintf(out->note, sizeof(out->note), "normal");
        out->selected = speeds[row] == model->speed_q16;
    } else if (menu == UI_QUALITY) {
        quality_row(model, row, out);
    } else if (track_of_row(model, menu, row) < 0) {
        snprintf(out->text, sizeof(out->text), "Off");
        out->selected = !ui_shows_text(model);
    } else {
        const struct cad_track_info *track = &model->tracks[track_of_row(model, menu, row)];
        label_track(track, out->text, sizeof(out->text));
        label_track_note(track, out->note, sizeof(out->note));
        out->selected = track->selected;
        out->enabled = track->playable;
    }
}

void ui_menu_choose(const struct ui_model *model, enum ui_item menu, int row,
                    struct ui_command *command)
{
    if (row < 0 || row >= ui_menu_rows(model, menu)) return;
    if (menu == UI_SPEED) {
        command->type = UI_DO_SPEED;
        command->speed_q16 = speeds[row];
    } else if (menu == UI_QUALITY) {
        command->type = UI_DO_RUNG;
        command->value = rung_of_row(model, row);
    } else {
        int track = track_of_row(model, menu, row);
        command->type = UI_DO_NO_TEXT;
        if (track < 0) return;
        command->type = UI_DO_NOTHING;
        if (!model->tracks[track].playable) return;
        command->type = UI_DO_TRACK;
        command->track = (uint32_t)track;
    }
}

void ui_menu_label(const struct ui_model *model, enum ui_item menu, char *out, size_t size)
{
    snprintf(out, size, "%s", "");
    if (menu == UI_SPEED) label_speed(model->speed_q16, out, size);
    if (menu == UI_QUALITY && model->rung_count > 0) {
        char now[UI_ROW_SIZE];
        name_rung(model, model->rung_now, now, sizeof(now));
        snprintf(out, size, model->rung_pinned < 0 ? "Auto %s" : "%s", now);
    }
    if (menu != UI_AUDIO && menu != UI_TEXT) return;
    enum cad_media_type type = menu == UI_AUDIO ? CAD_MEDIA_AUDIO : CAD_MEDIA_TEXT;
    int n = track_now(model, type);
    if (n >= 0) label_track(&model->tracks[track_at(model, type, n)], out, size);
}

uint32_t ui_speed_step(uint32_t speed_q16, int by)
{
    uint32_t best = speed_q16;
    for (size_t i = 0; i < CAD_ARRAY_LEN(speeds); i++) {
        if (by > 0 && speeds[i] > speed_q16) return speeds[i];
        if (by < 0 && speeds[i] < speed_q16) best = speeds[i];
    }
    return best;
}

int ui_next_audio(const struct ui_model *model)
{
    int count = track_count(model, CAD_MEDIA_AUDIO);
    int now = track_now(model, CAD_MEDIA_AUDIO);
    for (int step = 1; step <= count; step++) {
        int n = (now + step + count) % count;
        int track = track_at(model, CAD_MEDIA_AUDIO, n);
        if (n != now && model->tracks[track].playable) return track;
    }
    return -1;
}

int ui_next_text(const struct ui_model *model)
{
    int count = track_count(model, CAD_MEDIA_TEXT);
    int now = track_now(model, CAD_MEDIA_TEXT);
    for (int n = now + 1; n < count; n++) {
        int track = track_at(model, CAD_MEDIA_TEXT, n);
        if (model->tracks[track].playable) return track;
    }
    return now >= 0 ? UI_TEXT_OFF : UI_TEXT_NONE;
}

bool ui_shows_text(const struct ui_model *model)
{
    return track_now(model, CAD_MEDIA_TEXT) >= 0;
}
