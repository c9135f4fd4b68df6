/*
 * layout_break.c - what line breaking needs to know of characters, and where lines may break.
 *
 * A part of UAX #14: after spaces and hyphens, around ideographs, kana and Hangul, not before
 * closing and not after opening punctuation, never at what joins. Scripts without spaces (Thai,
 * Khmer) would need dictionaries: they break between clusters, where a line has no other place.
 */
#include "timedtext/layout.h"

#include "base/util.h"

enum break_class {
    AL,       /* a letter, or what is like one */
    ATTACHED, /* goes with what is before it */
    SPACE,
    ZERO,     /* zero width space */
    GLUE,     /* no break on either side */
    OPENING,
    CLOSING,  /* and what else begins no line */
    HYPHEN,   /* a break after it */
    DIGIT,
    IDEOGRAPH,
    UNSPACED, /* a letter of a script without spaces */
};

/* Ascending, below U+10000, at most 256 characters each. What is in neither table is AL. */
static const struct {
    uint16_t from;
    uint8_t more;  /* how many follow it */
    uint8_t class; /* enum break_class */
} short_ranges[] = {
    {0x0009, 0, SPACE}, {0x0020, 0, SPACE}, {0x0021, 0, CLOSING}, {0x0028, 0, OPENING},
    {0x0029, 0, CLOSING}, {0x002c, 0, CLOSING}, {0x002d, 0, HYPHEN}, {0x002e, 1, CLOSING},
    {0x0030, 9, DIGIT}, {0x003a, 1, CLOSING}, {0x003f, 0, CLOSING}, {0x005b, 0, OPENING},
    {0x005d, 0, CLOSING}, {0x007b, 0, OPENING}, {0x007d, 0, CLOSING}, {0x00a0, 0, GLUE},
    {0x00a1, 0, OPENING}, {0x00ad, 0, ATTACHED}, {0x00bf, 0, OPENING}, {0x0300, 111, ATTACHED},
    {0x0483, 6, ATTACHED}, {0x0591, 44, ATTACHED}, {0x05be, 0, HYPHEN}, {0x05bf, 8, ATTACHED},
    {0x060c, 0, CLOSING}, {0x0610, 12, ATTACHED}, {0x061f, 0, CLOSING}, {0x064b, 20, ATTACHED},
    {0x0670, 0, ATTACHED}, {0x06d6, 6, ATTACHED}, {0x06df, 5, ATTACHED}, {0x06e7, 1, ATTACHED},
    {0x06ea, 3, ATTACHED}, {0x0900, 3, ATTACHED}, {0x093a, 2, ATTACHED}, {0x093e, 17, ATTACHED},
    {0x0951, 6, ATTACHED}, {0x0962, 1, ATTACHED}, {0x0964, 1, CLOSING}, {0x0981, 2, ATTACHED},
    {0x09bc, 0, ATTACHED}, {0x09be, 15, ATTACHED}, {0x0a01, 2, ATTACHED}, {0x0a3c, 21, ATTACHED},
    {0x0a81, 2, ATTACHED}, {0x0abc, 0, ATTACHED}, {0x0abe, 15, ATTACHED}, {0x0b82, 0, ATTACHED},
    {0x0bbe, 15, ATTACHED}, {0x0c00, 4, ATTACHED}, {0x0c3e, 24, ATTACHED}, {0x0c81, 2, ATTACHED},
    {0x0cbc, 0, ATTACHED}, {0x0cbe, 24, ATTACHED}, {0x0d00, 3, ATTACHED}, {0x0d3e, 15, ATTACHED},
    {0x0e01, 47, UNSPACED}, {0x0e31, 0, ATTACHED}, {0x0e32, 1, UNSPACED}, {0x0e34, 6, ATTACHED},
    {0x0e40, 6, UNSPACED}, {0x0e47, 7, ATTACHED}, {0x0e81, 47, UNSPACED}, {0x0eb1, 0, ATTACHED},
    {0x0eb2, 1, UNSPACED}, {0x0eb4, 8, ATTACHED}, {0x0ebd, 9, UNSPACED}, {0x0ec8, 6, ATTACHED},
    {0x1000, 42, UNSPACED}, {0x102b, 19, ATTACHED}, {0x103f, 96, UNSPACED}, {0x1100, 95, IDEOGRAPH},
    {0x1160, 159, ATTACHED}, {0x1780, 51, UNSPACED}, {0x17b4, 31, ATTACHED}, {0x1ab0, 79, ATTACHED},
    {0x1dc0, 63, ATTACHED}, {0x2000, 6, SPACE}, {0x2007, 0, GLUE}, {0x2008, 2, SPACE},
    {0x200b, 0, ZERO}, {0x200c, 3, ATTACHED}, {0x2010, 0, HYPHEN}, {0x2011, 0, GLUE},
    {0x2012, 2, HYPHEN}, {0x2018, 0, OPENING}, {0x201a, 0, OPENING}, {0x201c, 0, OPENING},
    {0x201e, 0, OPENING}, {0x2024, 2, CLOSING}, {0x2028, 1, SPACE}, {0x202a, 4, ATTACHED},
    {0x202f, 0, GLUE}, {0x203c, 1, CLOSING}, {0x2045, 0, OPENING}, {0x2046, 0, CLOSING},
    {0x2047, 2, CLOSING}, {0x205f, 0, SPACE}, {0x2060, 0, GLUE}, {0x2066, 9, ATTACHED},
    {0x20d0, 32, ATTACHED}, {0x3000, 0, SPACE}, {0x3001, 1, CLOSING}, {0x3003, 1, IDEOGRAPH},
    {0x3005, 0, CLOSING}, {0x3006, 1, IDEOGRAPH}, {0x3008, 0, OPENING}, {0x3009, 0, CLOSING},
    {0x300a, 0, OPENING}, {0x300b, 0, CLOSING}, {0x300c, 0, OPENING}, {0x300d, 0, CLOSING},
    {0x300e, 0, OPENING}, {0x300f, 0, CLOSING}, {0x3010, 0, OPENING}, {0x3011, 0, CLOSING},
    {0x3012, 1, IDEOGRAPH}, {0x3014, 0, OPENING}, {0x3015, 0, CLOSING}, {0x3016, 0, OPENING},
    {0x3017, 0, CLOSING}, {0x3018, 0, OPENING}, {0x3019, 0, CLOSING}, {0x301a, 0, OPENING},
    {0x301b, 0, CLOSING}, {0x301c, 0, CLOSING}, {0x301d, 0, OPENING}, {0x301e, 1, CLOSING},
    {0x3020, 9, IDEOGRAPH}, {0x302a, 5, ATTACHED}, {0x3030, 10, IDEOGRAPH}, {0x303b, 0, CLOSING},
    {0x3041, 0, CLOSING}, {0x3042, 86, IDEOGRAPH}, {0x3099, 1, ATTACHED}, {0x309b, 3, CLOSING},
    {0x309f, 0, IDEOGRAPH}, {0x30a0, 0, CLOSING}, {0x30a1, 89, IDEOGRAPH}, {0x30fb, 3, CLOSING},
    {0x30ff, 240, IDEOGRAPH}, {0x31f0, 15, CLOSING}, {0xa960, 31, IDEOGRAPH},
    {0xd7b0, 75, ATTACHED}, {0xfe00, 15, ATTACHED}, {0xfe10, 9, CLOSING}, {0xfe20, 15, ATTACHED},
    {0xfe30, 31, IDEOGRAPH}, {0xfe50, 7, CLOSING}, {0xfeff, 0, GLUE}, {0xff01, 0, CLOSING},
    {0xff02, 5, IDEOGRAPH}, {0xff08, 0, OPENING}, {0xff09, 0, CLOSING}, {0xff0a, 1, IDEOGRAPH},
    {0xff0c, 0, CLOSING}, {0xff0d, 0, IDEOGRAPH}, {0xff0e, 0, CLOSING}, {0xff0f, 10, IDEOGRAPH},
    {0xff1a, 1, CLOSING}, {0xff1c, 2, IDEOGRAPH}, {0xff1f, 0, CLOSING}, {0xff20, 26, IDEOGRAPH},
    {0xff3b, 0, OPENING}, {0xff3c, 0, IDEOGRAPH}, {0xff3d, 0, CLOSING}, {0xff3e, 28, IDEOGRAPH},
    {0xff5b, 0, OPENING}, {0xff5c, 0, IDEOGRAPH}, {0xff5d, 0, CLOSING}, {0xff5e, 0, IDEOGRAPH},
    {0xff5f, 0, OPENING}, {0xff60, 1, CLOSING}, {0xff62, 0, OPENING}, {0xff63, 2, CLOSING},
    {0xff66, 0, IDEOGRAPH}, {0xff67, 9, CLOSING}, {0xff71, 44, IDEOGRAPH}, {0xff9e, 1, CLOSING},
    {0xffe0, 6, IDEOGRAPH},
};

static const struct {
    uint32_t from, to;
    uint32_t class; /* enum break_class */
} long_ranges[] = {
    {0x2e80, 0x2fff, IDEOGRAPH}, {0x3200, 0x4dbf, IDEOGRAPH}, {0x4e00, 0xa4cf, IDEOGRAPH},
    {0xac00, 0xd7a3, IDEOGRAPH}, {0xf900, 0xfaff, IDEOGRAPH}, {0x1b000, 0x1b2ff, IDEOGRAPH},
    {0x1f000, 0x1f3fa, IDEOGRAPH}, {0x1f3fb, 0x1f3ff, ATTACHED}, {0x1f400, 0x1faff, IDEOGRAPH},
    {0x20000, 0x3fffd, IDEOGRAPH}, {0xe0000, 0xe01ef, ATTACHED},
};

static enum break_class class_of(uint32_t code)
{
    size_t low = 0;
    size_t high = CAD_ARRAY_LEN(short_ranges);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (code < short_ranges[middle].from) high = middle;
        else low = middle + 1;
    }
    if (low > 0 && code - short_ranges[low - 1].from <= short_ranges[low - 1].more) {
        return (enum break_class)short_ranges[low - 1].class;
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(long_ranges); i++) {
        if (code >= long_ranges[i].from && code <= long_ranges[i].to) {
            return (enum break_class)long_ranges[i].class;
        }
    }
    return AL;
}

bool layout_is_space(uint32_t code)
{
    return class_of(code) == SPACE;
}

bool layout_is_attached(uint32_t code)
{
    return class_of(code) == ATTACHED;
}

bool layout_is_unspaced(uint32_t code)
{
    return class_of(code) == UNSPACED;
}

bool layout_is_upright(uint32_t code)
{
    /* UAX #50, roughly: what is of East Asia stands, with its punctuation and full-width forms. */
    if (code >= 0xff61 && code <= 0xffdf) return false;
    return class_of(code) == IDEOGRAPH || (code >= 0x3000 && code <= 0x30ff) ||
           (code >= 0x31f0 && code <= 0x31ff) || (code >= 0xff00 && code <= 0xff60) ||
           code == 0x203c || (code >= 0x2047 && code <= 0x2049) || code == 0xfe45 ||
           code == 0xfe46;
}

/* before: the class of the last character that is not attached; first: the one before that. */
static bool may_break(enum break_class first, enum break_class before, enum break_class now)
{
    if (now == SPACE || now == ZERO || now == ATTACHED || now == GLUE) return false;
    if (before == SPACE || before == ZERO) return true;
    if (now == CLOSING || now == HYPHEN) return false;
    if (before == GLUE || before == OPENING) return false;
    if (before == HYPHEN) return now != DIGIT && first != SPACE && first != OPENING;
    return before == IDEOGRAPH || now == IDEOGRAPH || (before == CLOSING && now == OPENING);
}

void layout_breaks(struct layout_text *text)
{
    enum break_class first = SPACE;
    enum break_class before = SPACE;
    bool joined = false; /* behind a zero width joiner or a word joiner */
    bool closed_cjk = false; /* the character before closes, and is of East Asia */
    for (uint32_t i = 0; i < text->count; i++) {
        struct layout_char *c = &text->chars[i];
        enum break_class now = class_of(c->code);
        bool separator = c->code == LAYOUT_LINE_SEPARATOR;
        if (separator) c->flags |= LAYOUT_FORCED;
        if (now == ATTACHED) {
            if (c->code == 0x200d) joined = true;
            continue;
        }
        bool may = may_break(first, before, now);
        if (closed_cjk && (now == AL || now == DIGIT || now == OPENING)) may = true;
        bool wraps = c->span->look->wrap || (i > 0 && c[-1].span->look->wrap);
        if (i == 0 || joined || !wraps || separator || (c->flags & LAYOUT_TIED)) may = false;
        if (may) c->flags |= LAYOUT_BREAK_BEFORE;
        joined = false;
        closed_cjk = now == CLOSING && c->code >= 0x3000;
        first = separator ? SPACE : before;
        before = separator ? SPACE : now;
    }
}
