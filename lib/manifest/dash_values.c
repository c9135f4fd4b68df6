/*
 * dash_values.c - the lexical forms of an MPD (XML Schema part 2, 23009-1 5.2 and annex B).
 */
#include "manifest/dash_values.h"

#include "base/str.h"

#define DAY INT64_C(86400)
#define SECONDS_MAX INT64_C(9223372036) /* INT64_MAX ns */
#define FRACTION_DIGITS 18
#define EXPONENT_MAX 18
#define RATIO_DECIMALS_MAX 6

cad_i128 cad_dash_div_down(cad_i128 a, cad_i128 b)
{
    cad_i128 q = a / b;
    return a % b < 0 ? q - 1 : q;
}

cad_i128 cad_dash_div_up(cad_i128 a, cad_i128 b)
{
    cad_i128 q = a / b;
    return a % b > 0 ? q + 1 : q;
}

cad_time cad_dash_to_time(cad_dash_time t)
{
    if (t == CAD_DASH_NONE) return CAD_TIME_NONE;
    cad_i128 ns = cad_dash_div_down(t, CAD_DASH_NANOSECOND);
    if (ns > INT64_MAX) return INT64_MAX;
    return ns < -INT64_MAX ? -INT64_MAX : (cad_time)ns;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static cad_str drop_plus(cad_str text)
{
    text = cad_str_trim(text);
    bool plus = text.n > 1 && text.p[0] == '+' && cad_is_digit(text.p[1]);
    return plus ? cad_str_sub(text, 1, text.n) : text;
}

bool cad_dash_parse_number(cad_str text, int64_t *out)
{
    int64_t value = 0;
    if (cad_str_to_i64(drop_plus(text), &value) != 0 || value < 0) return false;
    *out = value;
    return true;
}

bool cad_dash_parse_integer(cad_str text, int64_t *out)
{
    text = drop_plus(text);
    int rc = cad_str_to_i64(text, out);
    if (rc == CAD_E_LIMIT) *out = text.p[0] == '-' ? -INT64_MAX : INT64_MAX;
    return rc == 0 || rc == CAD_E_LIMIT;
}

/* A reader of the front of a text. */
static bool take(cad_str *s, char c)
{
    if (s->n == 0 || s->p[0] != c) return false;
    *s = cad_str_sub(*s, 1, s->n);
    return true;
}

/* Digits up to SECONDS_MAX (larger ones are the value of nothing here). How many; -1 bad. */
static int take_digits(cad_str *s, int64_t *out)
{
    int64_t value = 0;
    int n = 0;
    while (s->n > 0 && cad_is_digit(s->p[0])) {
        value = value * 10 + (s->p[0] - '0');
        if (value > SECONDS_MAX) return -1;
        *s = cad_str_sub(*s, 1, s->n);
        if (n < 1000) n++;
    }
    *out = value;
    return n;
}

/* Digits behind a point, as 10^-18. Returns how many were there. */
static int take_fraction(cad_str *s, cad_dash_time *out)
{
    cad_dash_time value = 0;
    int n = 0;
    for (; s->n > 0 && cad_is_digit(s->p[0]); *s = cad_str_sub(*s, 1, s->n)) {
        if (n < FRACTION_DIGITS) value = value * 10 + (s->p[0] - '0');
        if (n < 1000) n++;
    }
    for (int i = n; i < FRACTION_DIGITS; i++) value *= 10;
    *out = value;
    return n;
}

/* ---- durations ------------------------------------------------------------------------------- */

struct unit {
    char letter;
    int64_t seconds;
};

/* Adds n units; false when it gets longer than 292 years. */
static bool add_seconds(int64_t *sum, int64_t n, int64_t seconds)
{
    int64_t product = 0;
    return cad_mul_i64(n, seconds, &product) && cad_add_i64(*sum, product, sum) &&
           *sum <= SECONDS_MAX;
}

/* "nX" for the letters in order, each at most once; counts what it took. -1: bad. */
static int take_units(cad_str *s, const struct unit *units, size_t count, int64_t *sum,
                      cad_dash_time *fraction)
{
    int taken = 0;
    for (size_t at = 0; s->n > 0 && s->p[0] != 'T';) {
        int64_t n = 0;
        int digits = take_digits(s, &n);
        int decimals = 0;
        bool point = take(s, '.');
        if (point) decimals = take_fraction(s, fraction);
        if (digits < 0 || digits + decimals == 0 || s->n == 0) return -1;
        while (at < count && units[at].letter != s->p[0]) at++;
        if (at == count || (point && units[at].letter != 'S')) return -1;
        if (!add_seconds(sum, n, units[at].seconds)) return -1;
        *s = cad_str_sub(*s, 1, s->n);
        at++;
        taken++;
    }
    return taken;
}

bool cad_dash_parse_duration(cad_str text, cad_dash_time *out)
{
    static const struct unit dates[] = {{'Y', 365 * DAY}, {'M', 30 * DAY}, {'D', DAY}};
    static const struct unit times[] = {{'H', 3600}, {'M', 60}, {'S', 1}};
    cad_str s = cad_str_trim(text);
    int64_t seconds = 0;
    cad_dash_time fraction = 0;
    if (!take(&s, 'P')) return false;
    int taken = take_units(&s, dates, 3, &seconds, &fraction);
    if (taken < 0) return false;
    if (take(&s, 'T')) {
        int more = take_units(&s, times, 3, &seconds, &fraction);
        if (more <= 0) return false;
        taken += more;
    }
    if (taken == 0 || s.n > 0) return false;
    *out = seconds * CAD_DASH_SECOND + fraction;
    return true;
}

/* ---- dates ----------------------------------------------------------------------------------- */

struct date {
    int64_t year, month, day, hour, minute, second;
};

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_of_month(int64_t year, int64_t month)
{
    if (month == 2) return is_leap(year) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

/* Days from 1970-01-01 in the Gregorian calendar; years start in March to put leap days last. */
static int64_t days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    if (month <= 2) year--;
    int64_t era = year / 400;
    int64_t of_era = year - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* Exactly `digits` digits and then `end`, unless that is 0. */
static bool take_fixed(cad_str *s, int digits, char end, int64_t *out)
{
    return take_digits(s, out) == digits && (end == 0 || take(s, end));
}

/* "Z", "+hh:mm", "-hh:mm" or nothing. */
static bool take_zone(cad_str *s, int64_t *offset_seconds)
{
    int64_t hours = 0;
    int64_t minutes = 0;
    *offset_seconds = 0;
    if (s->n == 0 || take(s, 'Z')) return s->n == 0;
    bool west = take(s, '-');
    if (!west && !take(s, '+')) return false;
    if (!take_fixed(s, 2, ':', &hours) || !take_fixed(s, 2, 0, &minutes) || s->n > 0) return false;
    if (hours > 14 || minutes > 59) return false;
    *offset_seconds = (hours * 3600 + minutes * 60) * (west ? -1 : 1);
    return true;
}

static bool is_date(const struct date *d)
{
    if (d->year < 1 || d->month < 1 || d->month > 12 || d->day < 1) return false;
    if (d->day > days_of_month(d->year, d->month) || d->minute > 59 || d->second > 59) return false;
    return d->hour < 24 || (d->hour == 24 && d->minute == 0 && d->second == 0);
}

bool cad_dash_parse_date(cad_str text, cad_dash_time *out)
{
    cad_str s = cad_str_trim(text);
    struct date d = {0};
    cad_dash_time fraction = 0;
    int64_t zone = 0;
    if (!take_fixed(&s, 4, '-', &d.year) || !take_fixed(&s, 2, '-', &d.month) ||
        !take_fixed(&s, 2, 'T', &d.day) || !take_fixed(&s, 2, ':', &d.hour) ||
        !take_fixed(&s, 2, ':', &d.minute) || !take_fixed(&s, 2, 0, &d.second)) {
        return false;
    }
    if (take(&s, '.') && take_fraction(&s, &fraction) == 0) return false;
    if (!take_zone(&s, &zone) || !is_date(&d)) return false;
    int64_t seconds = days_since_epoch(d.year, d.month, d.day) * DAY + d.hour * 3600 +
                      d.minute * 60 + d.second - zone;
    if (seconds > SECONDS_MAX || seconds < -SECONDS_MAX) return false;
    *out = seconds * CAD_DASH_SECOND + fraction;
    return true;
}

/* ---- decimals, ranges, ratios, ids ----------------------------------------------------------- */

/* Multiplies by 10^exponent; false when out of range. */
static bool scale(cad_dash_time *value, int64_t exponent)
{
    for (; exponent > 0; exponent--) {
        *value *= 10;
        if (*value > SECONDS_MAX * CAD_DASH_SECOND) return false;
    }
    for (; exponent < 0; exponent++) *value /= 10;
    return true;
}

bool cad_dash_parse_decimal(cad_str text, cad_dash_time *out)
{
    cad_str s = cad_str_trim(text);
    int64_t whole = 0;
    int64_t exponent = 0;
    cad_dash_time fraction = 0;
    int decimals = 0;
    bool minus = take(&s, '-');
    if (!minus) (void)take(&s, '+');
    int digits = take_digits(&s, &whole);
    if (take(&s, '.')) decimals = take_fraction(&s, &fraction);
    if (digits < 0 || digits + decimals == 0) return false;
    if (take(&s, 'e') || take(&s, 'E')) {
        if (cad_str_to_i64(drop_plus(s), &exponent) != 0) return false;
        if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX) return false;
        s.n = 0;
    }
    cad_dash_time value = whole * CAD_DASH_SECOND + fraction;
    if (s.n > 0 || !scale(&value, exponent)) return false;
    *out = minus ? -value : value;
    return true;
}

bool cad_dash_parse_range(cad_str text, struct cad_range *out)
{
    cad_str s = cad_str_trim(text);
    struct cad_range range = {0, -1};
    ptrdiff_t dash = cad_str_find_char(s, '-');
    if (dash <= 0) return false;
    cad_str last = cad_str_sub(s, (size_t)dash + 1, s.n);
    if (cad_str_to_i64(cad_str_sub(s, 0, (size_t)dash), &range.first) != 0) return false;
    if (last.n > 0) {
        if (!cad_is_digit(last.p[0]) || cad_str_to_i64(last, &range.last) != 0) return false;
        if (range.last < range.first) return false;
    }
    *out = range;
    return true;
}

bool cad_dash_parse_ratio(cad_str text, uint32_t *num, uint32_t *den)
{
    cad_str s = cad_str_trim(text);
    int64_t a = 0;
    int64_t b = 1;
    if (take_digits(&s, &a) <= 0) return false;
    if (take(&s, '/')) {
        if (take_digits(&s, &b) <= 0) return false;
    } else if (take(&s, '.')) {
        for (int n = 0; s.n > 0 && cad_is_digit(s.p[0]); n++, s = cad_str_sub(s, 1, s.n)) {
            if (n >= RATIO_DECIMALS_MAX) continue;
            a = a * 10 + (s.p[0] - '0');
            b *= 10;
        }
    }
    if (s.n > 0 || a <= 0 || b <= 0) return false;
    return cad_i64_to_u32(a, num) && cad_i64_to_u32(b, den);
}

bool cad_dash_parse_uuid(cad_str text, uint8_t out[16])
{
    uint8_t bytes[16];
    size_t digits = 0;
    text = cad_str_trim(text);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '-') continue;
        int value = cad_hex_value(text.p[i]);
        if (value < 0 || digits == 32) return false;
        if (digits % 2 == 0) bytes[digits / 2] = (uint8_t)(value << 4);
        else bytes[digits / 2] = (uint8_t)(bytes[digits / 2] | value);
        digits++;
    }
    if (digits != 32) return false;
    for (size_t i = 0; i < 16; i++) out[i] = bytes[i];
    return true;
}
