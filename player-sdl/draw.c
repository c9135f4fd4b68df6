/* The means of drawing, and the order in which things lie over each other. */
#include "draw.h"

#include <math.h>

#include "base/str.h"
#include "base/util.h"

static struct text_style style_of(const struct painter *painter, float size,
                                  enum text_weight weight, uint32_t color)
{
    return (struct text_style){.size = size * painter->s, .weight = weight, .color = color};
}

float draw_width(struct painter *painter, float size, enum text_weight weight, const char *text)
{
    struct text_style style = style_of(painter, size, weight, COLOR_TEXT);
    return text_width(painter->text, &style, cad_str_from(text));
}

static float draw_line(struct painter *painter, const struct draw_words *words, cad_str text)
{
    struct text_style style = style_of(painter, words->size, words->weight, words->color);
    float wide = 0;
    if (words->align != DRAW_LEFT) {
        wide = text_width(painter->text, &style, text);
        if (words->width > 0) wide = CAD_MIN(wide, words->width);
    }
    float x = words->x - (words->align == DRAW_CENTER ? wide / 2 : wide);
    const float box[3] = {floorf(x + 0.5f), words->y + text_capital(&style) / 2, words->width};
    float end = words->width > 0
                    ? text_draw_cut(painter->text, painter->canvas, box, &style, text)
                    : text_draw(painter->text, painter->canvas, box, &style, text);
    return end - box[0];
}

float draw_words(struct painter *painter, struct draw_words words, const char *text)
{
    return draw_line(painter, &words, cad_str_from(text));
}

float draw_paragraph(struct painter *painter, struct draw_words words, float line,
                     const char *text)
{
    struct text_style style = style_of(painter, words.size, words.weight, words.color);
    cad_str rest = cad_str_from(text);
    float width = words.width;
    words.width = 0;
    while (rest.n > 0) {
        size_t skip = 0;
        size_t n = text_line(painter->text, &style, rest, width, &skip);
        draw_line(painter, &words, cad_str_sub(rest, 0, n));
        rest = cad_str_sub(rest, skip, rest.n);
        words.y += line * painter->s;
    }
    return words.y;
}

void draw_round(struct painter *painter, struct canvas_rect at, float radius, uint32_t color)
{
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = at, .radius = radius * painter->s}, color);
}

/* Edges on whole pixels, so that thin lines are crisp. */
static struct canvas_rect whole(struct canvas_rect at)
{
    struct canvas_rect out = {floorf(at.x + 0.5f), floorf(at.y + 0.5f), 0, 0};
    out.w = floorf(at.x + at.w + 0.5f) - out.x;
    out.h = floorf(at.y + at.h + 0.5f) - out.y;
    return out;
}

void draw_panel(struct painter *painter, struct canvas_rect at, float radius)
{
    float s = painter->s;
    at = whole(at);
    struct canvas_rect shadow = {at.x - 6 * s, at.y, at.w + 12 * s, at.h + 14 * s};
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = shadow, .radius = radius * s, .soft = 30 * s},
                 0x80000000);
    canvas_shape(painter->canvas, (struct canvas_shape){.at = at, .radius = radius * s},
                 COLOR_PANEL);
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = at, .radius = radius * s,
                                       .line = CAD_MAX(1.0f, floorf(1.25f * s))},
                 COLOR_EDGE);
}

void draw_focus(struct painter *painter, struct canvas_rect at, float radius)
{
    float s = painter->s;
    float out = 3 * s;
    struct canvas_rect ring = {at.x - out, at.y - out, at.w + 2 * out, at.h + 2 * out};
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = ring, .radius = (radius + 3) * s, .line = 3 * s},
                 0xffffffff);
}

/* A note about the picture, in the upper right corner. */
static void draw_note(struct painter *painter)
{
    const struct ui *ui = painter->ui;
    float s = painter->s;
    uint32_t alpha = ui_note_alpha(ui, painter->now);
    if (alpha == 0 || !ui->note[0]) return;
    painter->canvas->opacity = alpha;
    float most = (float)ui->width * 0.5f;
    float wide = draw_width(painter, 16, TEXT_REGULAR, ui->note);
    wide = CAD_MIN(wide, most);
    struct canvas_rect at = {(float)ui->width - 40 * s - wide - 28 * s, 30 * s, wide + 28 * s,
                             36 * s};
    draw_round(painter, at, 18, 0xd8101318);
    canvas_shape(painter->canvas,
                 (struct canvas_shape){.at = at, .radius = 18 * s, .line = CAD_MAX(1.0f, 1.5f * s)},
                 0x99ffb01f);
    draw_words(painter,
               (struct draw_words){.x = at.x + 14 * s, .y = at.y + at.h / 2, .size = 16,
                                   .color = COLOR_TEXT, .width = most + 1},
               ui->note);
    painter->canvas->opacity = 255;
}

void draw_all(struct painter *painter, const struct draw_figures *figures)
{
    ui_layout(painter->ui, painter->model, &painter->layout);
    painter->s = painter->layout.scale;
    if (painter->model->failed) {
        draw_failure(painter);
        return;
    }
    /* In a small window the controls lie over the figures: one must be able to press them. */
    if (painter->ui->overlay && figures) draw_overlay(painter, figures);
    draw_controls(painter);
    draw_note(painter);
    draw_busy(painter);
    draw_menu(painter);
    draw_toast(painter);
    if (painter->ui->help) draw_help(painter);
}
