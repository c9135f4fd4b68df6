#include "media/convert_table.h"

#include <math.h>

#include "base/util.h"

#define KNEE 0.5        /* of white: darker than this nothing is changed */
#define GAMMA 2.4       /* of the ordinary screen (BT.1886) */
#define HLG_PEAK 1000.0 /* cd/m2 of the screen that HLG is shown on here (BT.2100: gamma 1.2) */
#define PEAK_MAX 10000u

enum { PRIMARIES_BT709 = 1, PRIMARIES_BT2020 = 9, PRIMARIES_P3 = 12 };
enum { TRANSFER_BT709 = 1, TRANSFER_PQ = 16, TRANSFER_HLG = 18 };
enum { MATRIX_BT709 = 1, MATRIX_BT601 = 6, MATRIX_BT2020 = 9 };

struct rgb {
    double r, g, b;
};

/* ---- what a picture is ----------------------------------------------------------------------- */

static uint8_t primaries_of(const struct cad_color *c)
{
    if (c->primaries == PRIMARIES_BT2020 || c->primaries == PRIMARIES_P3) return c->primaries;
    bool unknown = c->primaries == 0 || c->primaries == 2;
    return unknown && c->matrix == MATRIX_BT2020 ? PRIMARIES_BT2020 : PRIMARIES_BT709;
}

static uint8_t matrix_of(const struct cad_color *c)
{
    switch (c->matrix) {
    case 1: return MATRIX_BT709;
    case 5:
    case 6: return MATRIX_BT601;
    case 9: return MATRIX_BT2020;
    default: return primaries_of(c) == PRIMARIES_BT2020 ? MATRIX_BT2020 : MATRIX_BT709;
    }
}

/* What the title says of its brightest pixel, else of its screen. */
static uint16_t peak_of(const struct cad_color *c)
{
    uint32_t peak = CAD_CONVERT_PEAK_DEFAULT;
    if (c->has_light && c->light_max > 0) {
        peak = c->light_max;
    } else if (c->has_mastering && c->luminance_max >= 10000) {
        peak = c->luminance_max / 10000;
    }
    return (uint16_t)CAD_MAX((uint32_t)CAD_CONVERT_WHITE, CAD_MIN(peak, PEAK_MAX));
}

struct cad_convert_kind cad_convert_kind_of(const struct cad_frame *frame)
{
    const struct cad_color *c = &frame->color;
    bool hdr = c->transfer == TRANSFER_PQ || c->transfer == TRANSFER_HLG;
    return (struct cad_convert_kind){
        .primaries = primaries_of(c),
        .transfer = hdr ? c->transfer : TRANSFER_BT709,
        .matrix = matrix_of(c),
        .full_range = frame->full_range,
        .code_max = frame->format == CAD_PIXEL_I420_10 ? 1023 : 1020,
        .peak = c->transfer == TRANSFER_PQ ? peak_of(c) : CAD_CONVERT_PEAK_DEFAULT,
    };
}

bool cad_convert_kind_equal(const struct cad_convert_kind *a, const struct cad_convert_kind *b)
{
    return a->primaries == b->primaries && a->transfer == b->transfer && a->matrix == b->matrix &&
           a->full_range == b->full_range && a->code_max == b->code_max && a->peak == b->peak;
}

uint32_t cad_frame_convert_steps(const struct cad_frame *frame)
{
    if (!frame || frame->format == CAD_PIXEL_NONE) return 0;
    struct cad_convert_kind kind = cad_convert_kind_of(frame);
    uint32_t steps = 0;
    if (frame->format == CAD_PIXEL_I420_10) steps |= CAD_CONVERT_DEPTH;
    bool planar = frame->format == CAD_PIXEL_I420 || frame->format == CAD_PIXEL_I420_10;
    if (!planar) steps |= CAD_CONVERT_CHROMA;
    if (kind.transfer != TRANSFER_BT709) steps |= CAD_CONVERT_HDR;
    if (kind.primaries != PRIMARIES_BT709) steps |= CAD_CONVERT_GAMUT;
    return steps;
}

/* ---- light ----------------------------------------------------------------------------------- */

static double clip(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* SMPTE ST 2084: cd/m2 of a signal. */
static double pq_light(double signal)
{
    const double m1 = 2610.0 / 16384, m2 = 2523.0 / 4096 * 128;
    const double c1 = 3424.0 / 4096, c2 = 2413.0 / 4096 * 32, c3 = 2392.0 / 4096 * 32;
    double p = pow(clip(signal), 1 / m2);
    double over = p - c1 > 0 ? p - c1 : 0;
    return 10000 * pow(over / (c2 - c3 * p), 1 / m1);
}

/* BT.2100: light of the scene, 0 .. 1. */
static double hlg_scene(double signal)
{
    const double a = 0.17883277, b = 0.28466892, c = 0.55991073;
    double e = clip(signal);
    return e <= 0.5 ? e * e / 3 : (exp((e - c) / a) + b) / 12;
}

/* Powers are slow: both ends of the way are looked up, in steps too small to matter. */
static void fill_curves(struct cad_convert_table *table, uint8_t transfer)
{
    for (uint32_t i = 0; i <= CAD_CONVERT_LIGHT + 1; i++) {
        double signal = clip((double)i / CAD_CONVERT_LIGHT);
        double light = pow(signal, GAMMA);
        if (transfer == TRANSFER_PQ) light = pq_light(signal) / CAD_CONVERT_WHITE;
        if (transfer == TRANSFER_HLG) light = hlg_scene(signal);
        table->light[i] = (float)light;
    }
    for (uint32_t i = 0; i <= CAD_CONVERT_GAMMA + 1; i++) {
        table->gamma[i] = (float)pow(clip((double)i / CAD_CONVERT_GAMMA), 4 / GAMMA);
    }
}

static double look_up(const float *curve, double x, uint32_t steps)
{
    double at = clip(x) * steps;
    uint32_t i = (uint32_t)at;
    return curve[i] + (curve[i + 1] - curve[i]) * (at - i);
}

/* Light where 1 is reference white, or white of an ordinary picture. */
static struct rgb light_of(const struct cad_convert_table *table, struct rgb signal,
                           uint8_t transfer)
{
    struct rgb l = {look_up(table->light, signal.r, CAD_CONVERT_LIGHT),
                    look_up(table->light, signal.g, CAD_CONVERT_LIGHT),
                    look_up(table->light, signal.b, CAD_CONVERT_LIGHT)};
    if (transfer != TRANSFER_HLG) return l;
    double y = 0.2627 * l.r + 0.6780 * l.g + 0.0593 * l.b;
    double gain = HLG_PEAK / CAD_CONVERT_WHITE * (y > 0 ? pow(y, 0.2) : 0);
    return (struct rgb){l.r * gain, l.g * gain, l.b * gain};
}

static double signal_for(const struct cad_convert_table *table, double light)
{
    return look_up(table->gamma, sqrt(sqrt(clip(light))), CAD_CONVERT_GAMMA);
}

/* Above the knee a curve of Reinhard's kind, that begins with its slope and ends with 1 at peak. */
static double tone(double x, double peak)
{
    if (x <= KNEE || peak <= 1) return x < 1 ? x : 1;
    double room = 1 - KNEE;
    double t = (x - KNEE) / room;
    double most = (peak - KNEE) / room;
    double y = KNEE + room * t * (1 + t / (most * most)) / (1 + t);
    return y < 1 ? y : 1;
}

/* The brightest of the three takes the curve, the others keep their ratio to it: hues stay. */
static struct rgb map_tones(struct rgb light, const struct cad_convert_kind *kind)
{
    double most = fmax(light.r, fmax(light.g, light.b));
    if (kind->transfer == TRANSFER_BT709 || most <= 0) return light;
    double gain = tone(most, (double)kind->peak / CAD_CONVERT_WHITE) / most;
    return (struct rgb){light.r * gain, light.g * gain, light.b * gain};
}

/* To the primaries of BT.709; what they cannot show is clipped (BT.2087; P3: SMPTE EG 432-1). */
static struct rgb map_gamut(struct rgb in, uint8_t primaries)
{
    static const double bt2020[9] = {1.660491,  -0.587641, -0.072850, -0.124550, 1.132900,
                                     -0.008349, -0.018151, -0.100579, 1.118730};
    static const double p3[9] = {1.224940,  -0.224940, 0,         -0.042057, 1.042057,
                                 0,         -0.019638, -0.078636, 1.098274};
    if (primaries == PRIMARIES_BT709) return in;
    const double *m = primaries == PRIMARIES_P3 ? p3 : bt2020;
    return (struct rgb){clip(m[0] * in.r + m[1] * in.g + m[2] * in.b),
                        clip(m[3] * in.r + m[4] * in.g + m[5] * in.b),
                        clip(m[6] * in.r + m[7] * in.g + m[8] * in.b)};
}

/* ---- codes ----------------------------------------------------------------------------------- */

static struct rgb signal_of(double y, double cb, double cr, const struct cad_convert_kind *kind)
{
    bool bt709 = kind->matrix == MATRIX_BT709;
    bool bt601 = kind->matrix == MATRIX_BT601;
    double kr = bt709 ? 0.2126 : bt601 ? 0.299 : 0.2627;
    double kb = bt709 ? 0.0722 : bt601 ? 0.114 : 0.0593;
    if (kind->full_range) {
        y = y / kind->code_max;
        cb = (cb - 512) / kind->code_max;
        cr = (cr - 512) / kind->code_max;
    } else {
        y = (y - 64) / 876;
        cb = (cb - 512) / 896;
        cr = (cr - 512) / 896;
    }
    double r = y + 2 * (1 - kr) * cr;
    double b = y + 2 * (1 - kb) * cb;
    return (struct rgb){r, (y - kr * r - kb * b) / (1 - kr - kb), b};
}

static uint16_t code(double v)
{
    double scaled = v * 256 + 0.5;
    return scaled <= 0 ? 0 : scaled >= 65535 ? 65535 : (uint16_t)scaled;
}

/* Y, Cb, Cr of BT.709 in limited range. */
static void convert(const struct cad_convert_table *table, const struct cad_convert_kind *kind,
                    const double in[3], uint16_t out[3])
{
    struct rgb light = light_of(table, signal_of(in[0], in[1], in[2], kind), kind->transfer);
    light = map_gamut(map_tones(light, kind), kind->primaries);
    double r = signal_for(table, light.r);
    double g = signal_for(table, light.g);
    double b = signal_for(table, light.b);
    double y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    out[0] = code(16 + 219 * y);
    out[1] = code(128 + 224 * (b - y) / 1.8556);
    out[2] = code(128 + 224 * (r - y) / 1.5748);
}

void cad_convert_table_fill(struct cad_convert_table *table, const struct cad_convert_kind *kind)
{
    fill_curves(table, kind->transfer);
    for (uint32_t v = 0; v < CAD_CONVERT_NODES; v++) {
        for (uint32_t u = 0; u < CAD_CONVERT_NODES; u++) {
            for (uint32_t y = 0; y < CAD_CONVERT_NODES; y++) {
                double in[3] = {y * 16.0, u * 16.0, v * 16.0};
                uint16_t out[3];
                convert(table, kind, in, out);
                table->luma[v][u][y] = out[0];
                if (y % 2 != 0) continue;
                table->chroma[v][u][y / 2][0] = out[1];
                table->chroma[v][u][y / 2][1] = out[2];
            }
        }
    }
}
