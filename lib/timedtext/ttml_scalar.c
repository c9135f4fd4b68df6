/*
 * ttml_scalar.c - numbers, lengths and colours as TTML2 10.3 writes them.
 */
#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml.h"

/* White space and words; a parenthesis keeps what it holds together. */
bool ttml_word(cad_str *rest, cad_str *word)
{
    size_t at = 0;
    while (at < rest->n && cad_is_space(rest->p[at])) at++;
    size_t begin = at;
    bool inside = false;
    for (; at < rest->n && (inside || !cad_is_space(rest->p[at])); at++) {
        if (rest->p[at] == '(') inside = true;
        if (rest->p[at] == ')') inside = false;
    }
    *word = cad_str_sub(*rest, begin, at - begin);
    *rest = cad_str_sub(*rest, at, rest->n);
    return word->n > 0;
}

/* Digits from *at on, at most 18 of them counting; false: there are none. */
static bool digits(cad_str text, size_t *at, int64_t *out)
{
    size_t begin = *at;
    int64_t value = 0;
    for (; *at < text.n && cad_is_digit(text.p[*at]); (*at)++) {
        if (value < INT64_C(100000000000000000)) value = value * 10 + (text.p[*at] - '0');
    }
    *out = value;
    return *at > begin;
}

/* [sign] digits [. digits] at the front; *at behind it. */
static bool number_front(cad_str text, size_t *at, int64_t *out)
{
    bool negative = text.n > 0 && text.p[0] == '-';
    *at = negative || (text.n > 0 && text.p[0] == '+') ? 1 : 0;
    int64_t whole = 0;
    int64_t fraction = 0;
    bool any = digits(text, at, &whole);
    if (*at + 1 < text.n && text.p[*at] == '.' && cad_is_digit(text.p[*at + 1])) {
        size_t begin = ++*at;
        for (int64_t unit = TTML_MICRO / 10; *at < text.n && cad_is_digit(text.p[*at]); (*at)++) {
            fraction += unit * (text.p[*at] - '0');
            unit /= 10;
        }
        any = any || *at > begin;
    }
    if (!any || whole > TTML_NUMBER_MAX / TTML_MICRO) return false;
    int64_t value = whole * TTML_MICRO + fraction;
    *out = negative ? -value : value;
    return true;
}

bool ttml_number_parse(cad_str text, int64_t *out)
{
    size_t at = 0;
    int64_t value = 0;
    if (!number_front(text, &at, &value) || at != text.n) return false;
    *out = value;
    return true;
}

bool ttml_length_parse(cad_str text, struct ttml_length *out)
{
    static const cad_str units[] = {
        [TTML_PX] = CAD_STR_INIT("px"), [TTML_EM] = CAD_STR_INIT("em"),
        [TTML_C] = CAD_STR_INIT("c"),   [TTML_PERCENT] = CAD_STR_INIT("%"),
        [TTML_RW] = CAD_STR_INIT("rw"), [TTML_RH] = CAD_STR_INIT("rh"),
    };
    size_t at = 0;
    int64_t value = 0;
    if (!number_front(text, &at, &value)) return false;
    cad_str unit = cad_str_sub(text, at, text.n);
    for (size_t i = 0; i < CAD_ARRAY_LEN(units); i++) {
        if (!cad_str_eq(unit, units[i])) continue;
        *out = (struct ttml_length){value, (enum ttml_unit)i};
        return true;
    }
    return false;
}

/* ---- colours --------------------------------------------------------------------------------- */

static bool hex_color(cad_str text, uint32_t *out)
{
    uint32_t value = 0;
    if (text.n != 6 && text.n != 8) return false;
    for (size_t i = 0; i < text.n; i++) {
        int nibble = cad_hex_value(text.p[i]);
        if (nibble < 0) return false;
        value = value << 4 | (uint32_t)nibble;
    }
    *out = text.n == 6 ? value << 8 | 0xffu : value;
    return true;
}

/* "1,2,3)" or "1,2,3,4)". */
static bool component_color(cad_str text, int count, uint32_t *out)
{
    uint32_t value = 0;
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        int64_t part = 0;
        while (at < text.n && cad_is_space(text.p[at])) at++;
        if (!digits(text, &at, &part) || part > 255) return false;
        while (at < text.n && cad_is_space(text.p[at])) at++;
        if (at >= text.n || text.p[at] != (i + 1 < count ? ',' : ')')) return false;
        at++;
        value = value << 8 | (uint32_t)part;
    }
    if (at != text.n) return false;
    *out = count == 3 ? value << 8 | 0xffu : value;
    return true;
}

bool ttml_color_parse(cad_str text, uint32_t *out)
{
    static const struct {
        cad_str name;
        uint32_t color;
    } named[] = {
        {CAD_STR_INIT("transparent"), 0x00000000u}, {CAD_STR_INIT("black"), 0x000000ffu},
        {CAD_STR_INIT("silver"), 0xc0c0c0ffu},      {CAD_STR_INIT("gray"), 0x808080ffu},
        {CAD_STR_INIT("white"), 0xffffffffu},       {CAD_STR_INIT("maroon"), 0x800000ffu},
        {CAD_STR_INIT("red"), 0xff0000ffu},         {CAD_STR_INIT("purple"), 0x800080ffu},
        {CAD_STR_INIT("fuchsia"), 0xff00ffffu},     {CAD_STR_INIT("magenta"), 0xff00ffffu},
        {CAD_STR_INIT("green"), 0x008000ffu},       {CAD_STR_INIT("lime"), 0x00ff00ffu},
        {CAD_STR_INIT("olive"), 0x808000ffu},       {CAD_STR_INIT("yellow"), 0xffff00ffu},
        {CAD_STR_INIT("navy"), 0x000080ffu},        {CAD_STR_INIT("blue"), 0x0000ffffu},
        {CAD_STR_INIT("teal"), 0x008080ffu},        {CAD_STR_INIT("aqua"), 0x00ffffffu},
        {CAD_STR_INIT("cyan"), 0x00ffffffu},
    };
    static const cad_str rgb = CAD_STR_INIT("rgb(");
    static const cad_str rgba = CAD_STR_INIT("rgba(");
    if (text.n > 0 && text.p[0] == '#') return hex_color(cad_str_sub(text, 1, text.n), out);
    if (cad_str_starts(text, rgb)) return component_color(cad_str_sub(text, 4, text.n), 3, out);
    if (cad_str_starts(text, rgba)) return component_color(cad_str_sub(text, 5, text.n), 4, out);
    for (size_t i = 0; i < CAD_ARRAY_LEN(named); i++) {
        if (!cad_str_ieq(text, named[i].name)) continue;
        *out = named[i].color;
        return true;
    }
    return false;
}

bool ttml_pair_parse(cad_str text, uint32_t *first, uint32_t *second)
{
    cad_str words[2];
    cad_str extra;
    uint64_t values[2];
    for (size_t i = 0; i < 2; i++) {
        if (!ttml_word(&text, &words[i]) || cad_str_to_u64(words[i], &values[i]) != 0) return false;
        if (values[i] == 0 || values[i] > 1000000000u) return false;
    }
    if (ttml_word(&text, &extra)) return false;
    *first = (uint32_t)values[0];
    *second = (uint32_t)values[1];
    return true;
}
