/*
 * ttml_time.c - time expressions (TTML2 12), exactly, and the resolution of begin, dur and end
 * in par and seq containers.
 *
 * Times are counted in units of which a second, a frame, a sub-frame and a tick are whole numbers,
 * so that sums are exact; they are rounded down to nanoseconds once, at the end.
 */
#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml.h"

#define BASE INT64_C(1000000000)          /* fractions have up to nine digits */
#define SECOND_MAX (INT64_C(1) << 62)     /* units of a second */
#define COUNT_MAX INT64_C(1000000000000000) /* larger numbers are no times */

/* ---- units ----------------------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b)
{
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* *unit becomes a multiple of divisor too; if that is too much it stays, and times are rounded. */
static void make_divisible(int64_t *unit, int64_t divisor)
{
    int64_t product = 0;
    if (!cad_mul_i64(*unit / gcd(*unit, divisor), divisor, &product)) return;
    if (product <= SECOND_MAX) *unit = product;
}

void ttml_clock_init(struct ttml_clock *clock, const struct ttml_rates *rates)
{
    int64_t frame_rate = rates->frame_rate > 0 ? rates->frame_rate : 30;
    int64_t sub = rates->sub_frame_rate > 0 ? rates->sub_frame_rate : 1;
    int64_t multiplier = rates->multiplier > 0 ? rates->multiplier : 1;
    int64_t divisor = rates->divisor > 0 ? rates->divisor : 1;
    int64_t tick_rate = rates->tick_rate;
    if (tick_rate == 0) tick_rate = rates->frame_rate > 0 ? cad_mul_sat_i64(frame_rate, sub) : 1;
    int64_t per_second = cad_mul_sat_i64(frame_rate, multiplier);
    int64_t subs = cad_mul_sat_i64(per_second, sub);
    clock->second = BASE;
    make_divisible(&clock->second, tick_rate);
    make_divisible(&clock->second, per_second / gcd(per_second, divisor));
    make_divisible(&clock->second, subs / gcd(subs, divisor));
    clock->tick = clock->second / tick_rate;
    clock->frame = cad_muldiv_floor_i64(clock->second, divisor, per_second);
    clock->sub_frame = cad_muldiv_floor_i64(clock->second, divisor, subs);
}

cad_time ttml_time_ns(const struct ttml_clock *clock, ttml_exact t)
{
    if (t >= TTML_FOREVER) return CAD_TIME_MAX;
    ttml_exact seconds = t / clock->second;
    ttml_exact rest = t % clock->second;
    if (seconds >= INT64_MAX / CAD_SECOND) return CAD_TIME_MAX;
    return (int64_t)seconds * CAD_SECOND + (int64_t)(rest * CAD_SECOND / clock->second);
}

static ttml_exact plus(ttml_exact a, ttml_exact b)
{
    return CAD_MIN(a + b, TTML_FOREVER);
}

/* ---- expressions ----------------------------------------------------------------------------- */

/* A number at the front of *text: whole and, if it may have one, its fraction of BASE. */
static bool take_number(cad_str *text, int64_t *whole, int64_t *fraction)
{
    size_t at = 0;
    int64_t value = 0;
    int64_t part = 0;
    for (; at < text->n && cad_is_digit(text->p[at]); at++) {
        value = value * 10 + (text->p[at] - '0');
        if (value > COUNT_MAX) return false;
    }
    if (at == 0) return false;
    if (fraction && at + 1 < text->n && text->p[at] == '.' && cad_is_digit(text->p[at + 1])) {
        int64_t unit = BASE / 10;
        for (at++; at < text->n && cad_is_digit(text->p[at]); at++) {
            part += unit * (text->p[at] - '0');
            unit /= 10;
        }
    }
    if (fraction) *fraction = part;
    *whole = value;
    *text = cad_str_sub(*text, at, text->n);
    return true;
}

static ttml_exact scaled(int64_t whole, int64_t fraction, ttml_exact unit)
{
    return CAD_MIN(whole * unit + unit * fraction / BASE, TTML_FOREVER);
}

static bool take_char(cad_str *text, char c)
{
    if (text->n == 0 || text->p[0] != c) return false;
    *text = cad_str_sub(*text, 1, text->n);
    return true;
}

/* ":" and at least two digits. */
static bool take_part(cad_str *text, int64_t *out, int64_t *fraction)
{
    if (!take_char(text, ':')) return false;
    if (text->n < 2 || !cad_is_digit(text->p[0]) || !cad_is_digit(text->p[1])) return false;
    return take_number(text, out, fraction);
}

/* hours:minutes:seconds, then a fraction of them or :frames[.sub-frames] */
static bool clock_time(const struct ttml_clock *clock, cad_str text, ttml_exact *out)
{
    int64_t hours = 0;
    int64_t minutes = 0;
    int64_t seconds = 0;
    int64_t fraction = 0;
    int64_t frames = 0;
    int64_t subs = 0;
    if (text.n < 2 || !cad_is_digit(text.p[1]) || !take_number(&text, &hours, NULL)) return false;
    if (!take_part(&text, &minutes, NULL) || !take_part(&text, &seconds, &fraction)) return false;
    if (text.n > 0) {
        if (fraction != 0 || !take_part(&text, &frames, NULL)) return false;
        bool more = text.n > 0;
        if (more && (!take_char(&text, '.') || !take_number(&text, &subs, NULL))) return false;
    }
    if (text.n > 0 || minutes > 59 || seconds > 60) return false;
    *out = scaled(hours * 3600 + minutes * 60 + seconds, fraction, clock->second);
    *out = plus(*out, scaled(frames, 0, clock->frame));
    *out = plus(*out, scaled(subs, 0, clock->sub_frame));
    return true;
}

static bool offset_time(const struct ttml_clock *clock, cad_str text, ttml_exact *out)
{
    int64_t whole = 0;
    int64_t fraction = 0;
    ttml_exact unit = 0;
    if (!take_number(&text, &whole, &fraction)) return false;
    if (cad_str_eqz(text, "h")) unit = (ttml_exact)clock->second * 3600;
    else if (cad_str_eqz(text, "m")) unit = (ttml_exact)clock->second * 60;
    else if (cad_str_eqz(text, "s")) unit = clock->second;
    else if (cad_str_eqz(text, "ms")) unit = clock->second / 1000;
    else if (cad_str_eqz(text, "f")) unit = clock->frame;
    else if (cad_str_eqz(text, "t")) unit = clock->tick;
    else return false;
    *out = scaled(whole, fraction, unit);
    return true;
}

bool ttml_time_parse(const struct ttml_clock *clock, cad_str text, ttml_exact *out)
{
    text = cad_str_trim(text);
    if (cad_str_find_char(text, ':') >= 0) return clock_time(clock, text, out);
    return offset_time(clock, text, out);
}

/* ---- containers ------------------------------------------------------------------------------ */

void ttml_time_open(struct ttml_timing *t, const struct ttml_timing *parent)
{
    t->offset = 0;
    if (parent) t->offset = parent->seq ? parent->implicit : parent->start;
    t->start = t->begin >= 0 ? plus(t->offset, t->begin) : t->offset;
    t->implicit = t->start;
}

void ttml_time_close(struct ttml_timing *t, struct ttml_timing *parent, bool leaf)
{
    if (leaf) t->implicit = parent && parent->seq ? t->start : TTML_FOREVER;
    t->stop = t->implicit;
    if (t->end >= 0) t->stop = plus(t->offset, t->end);
    if (t->dur >= 0) {
        ttml_exact stop = plus(t->start, t->dur);
        t->stop = t->end >= 0 ? CAD_MIN(t->stop, stop) : stop;
    }
    if (!parent) return;
    parent->implicit = parent->seq ? t->stop : CAD_MAX(parent->implicit, t->stop);
}
