/*
 * ttml_value.c - the text of a style attribute to a specified value.
 *
 * A text that is none of the property's values makes no value: the attribute then counts as not
 * given, as IMSC asks of processors that meet what they do not know.
 */
#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml.h"

/* ---- keywords -------------------------------------------------------------------------------- */

struct keyword {
    enum ttml_prop prop;
    cad_str word;
    int32_t value;
};

#define WORD(prop, word, value) {prop, CAD_STR_INIT(word), value}

static const struct keyword keywords[] = {
    WORD(TTML_WRITING_MODE, "lrtb", CAD_TEXT_LRTB),
    WORD(TTML_WRITING_MODE, "lr", CAD_TEXT_LRTB),
    WORD(TTML_WRITING_MODE, "rltb", CAD_TEXT_RLTB),
    WORD(TTML_WRITING_MODE, "rl", CAD_TEXT_RLTB),
    WORD(TTML_WRITING_MODE, "tbrl", CAD_TEXT_TBRL),
    WORD(TTML_WRITING_MODE, "tb", CAD_TEXT_TBRL),
    WORD(TTML_WRITING_MODE, "tblr", CAD_TEXT_TBLR),
    WORD(TTML_DIRECTION, "ltr", 0),
    WORD(TTML_DIRECTION, "rtl", 1),
    WORD(TTML_DISPLAY, "auto", 1),
    WORD(TTML_DISPLAY, "none", 0),
    WORD(TTML_DISPLAY_ALIGN, "before", CAD_TEXT_BEFORE),
    WORD(TTML_DISPLAY_ALIGN, "center", CAD_TEXT_CENTER),
    WORD(TTML_DISPLAY_ALIGN, "after", CAD_TEXT_AFTER),
    WORD(TTML_FILL_LINE_GAP, "true", 1),
    WORD(TTML_FILL_LINE_GAP, "false", 0),
    WORD(TTML_FONT_STYLE, "normal", CAD_TEXT_UPRIGHT),
    WORD(TTML_FONT_STYLE, "italic", CAD_TEXT_ITALIC),
    WORD(TTML_FONT_STYLE, "oblique", CAD_TEXT_OBLIQUE),
    WORD(TTML_FONT_WEIGHT, "normal", 0),
    WORD(TTML_FONT_WEIGHT, "bold", 1),
    WORD(TTML_FORCED_DISPLAY, "true", 1),
    WORD(TTML_FORCED_DISPLAY, "false", 0),
    WORD(TTML_MULTI_ROW_ALIGN, "start", CAD_TEXT_ALIGN_START),
    WORD(TTML_MULTI_ROW_ALIGN, "center", CAD_TEXT_ALIGN_CENTER),
    WORD(TTML_MULTI_ROW_ALIGN, "end", CAD_TEXT_ALIGN_END),
    WORD(TTML_MULTI_ROW_ALIGN, "auto", CAD_TEXT_ALIGN_AUTO),
    WORD(TTML_OVERFLOW, "hidden", 0),
    WORD(TTML_OVERFLOW, "visible", 1),
    WORD(TTML_RUBY, "none", TTML_RUBY_NONE),
    WORD(TTML_RUBY, "container", TTML_RUBY_CONTAINER),
    WORD(TTML_RUBY, "base", TTML_RUBY_BASE),
    WORD(TTML_RUBY, "baseContainer", TTML_RUBY_BASE_CONTAINER),
    WORD(TTML_RUBY, "text", TTML_RUBY_TEXT),
    WORD(TTML_RUBY, "textContainer", TTML_RUBY_TEXT_CONTAINER),
    WORD(TTML_RUBY, "delimiter", TTML_RUBY_DELIMITER),
    WORD(TTML_RUBY_ALIGN, "center", CAD_TEXT_RUBY_CENTER),
    WORD(TTML_RUBY_ALIGN, "spaceAround", CAD_TEXT_RUBY_SPACE_AROUND),
    WORD(TTML_RUBY_ALIGN, "start", CAD_TEXT_RUBY_START),
    WORD(TTML_RUBY_ALIGN, "spaceBetween", CAD_TEXT_RUBY_SPACE_BETWEEN),
    WORD(TTML_RUBY_ALIGN, "withBase", CAD_TEXT_RUBY_WITH_BASE),
    WORD(TTML_RUBY_POSITION, "before", CAD_TEXT_POSITION_BEFORE),
    WORD(TTML_RUBY_POSITION, "after", CAD_TEXT_POSITION_AFTER),
    WORD(TTML_RUBY_POSITION, "outside", CAD_TEXT_POSITION_OUTSIDE),
    WORD(TTML_RUBY_RESERVE, "none", CAD_TEXT_POSITION_NONE),
    WORD(TTML_RUBY_RESERVE, "both", CAD_TEXT_POSITION_BOTH),
    WORD(TTML_RUBY_RESERVE, "before", CAD_TEXT_POSITION_BEFORE),
    WORD(TTML_RUBY_RESERVE, "after", CAD_TEXT_POSITION_AFTER),
    WORD(TTML_RUBY_RESERVE, "outside", CAD_TEXT_POSITION_OUTSIDE),
    WORD(TTML_SHOW_BACKGROUND, "always", 1),
    WORD(TTML_SHOW_BACKGROUND, "whenActive", 0),
    WORD(TTML_TEXT_ALIGN, "left", CAD_TEXT_ALIGN_START),
    WORD(TTML_TEXT_ALIGN, "start", CAD_TEXT_ALIGN_START),
    WORD(TTML_TEXT_ALIGN, "center", CAD_TEXT_ALIGN_CENTER),
    WORD(TTML_TEXT_ALIGN, "right", CAD_TEXT_ALIGN_END),
    WORD(TTML_TEXT_ALIGN, "end", CAD_TEXT_ALIGN_END),
    WORD(TTML_TEXT_ALIGN, "justify", CAD_TEXT_ALIGN_JUSTIFY),
    WORD(TTML_TEXT_COMBINE, "none", 0),
    WORD(TTML_TEXT_COMBINE, "all", 1),
    WORD(TTML_UNICODE_BIDI, "normal", CAD_TEXT_BIDI_NORMAL),
    WORD(TTML_UNICODE_BIDI, "embed", CAD_TEXT_BIDI_EMBED),
    WORD(TTML_UNICODE_BIDI, "bidiOverride", CAD_TEXT_BIDI_OVERRIDE),
    WORD(TTML_UNICODE_BIDI, "isolate", CAD_TEXT_BIDI_ISOLATE),
    WORD(TTML_VISIBILITY, "visible", 1),
    WORD(TTML_VISIBILITY, "hidden", 0),
    WORD(TTML_WRAP_OPTION, "wrap", 1),
    WORD(TTML_WRAP_OPTION, "noWrap", 0),
};

static bool keyword(enum ttml_prop prop, cad_str word, int64_t *out)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(keywords); i++) {
        if (keywords[i].prop != prop || !cad_str_eq(word, keywords[i].word)) continue;
        *out = keywords[i].value;
        return true;
    }
    return false;
}

/* ---- lengths --------------------------------------------------------------------------------- */

/* Between min and max lengths and nothing else. */
static bool lengths(struct ttml_value *v, cad_str text, uint32_t min, uint32_t max)
{
    cad_str word;
    while (ttml_word(&text, &word)) {
        if (v->length_count == max) return false;
        if (!ttml_length_parse(word, &v->lengths[v->length_count])) return false;
        v->length_count++;
    }
    return v->length_count >= min;
}

static bool not_negative(const struct ttml_value *v)
{
    for (uint32_t i = 0; i < v->length_count; i++) {
        if (v->lengths[i].value < 0) return false;
    }
    return true;
}

/* tts:origin and tts:extent: IMSC allows neither cells nor ems. */
static bool pair(struct ttml_value *v, cad_str text)
{
    v->automatic = cad_str_eqz(text, "auto");
    if (v->automatic) return true;
    if (!lengths(v, text, 2, 2)) return false;
    for (uint32_t i = 0; i < 2; i++) {
        if (v->lengths[i].unit == TTML_C || v->lengths[i].unit == TTML_EM) return false;
    }
    return v->prop == TTML_ORIGIN || not_negative(v);
}

/* ---- tts:position ---------------------------------------------------------------------------- */

struct spot {
    struct ttml_length offset;
    enum ttml_edge edge;
    bool center, horizontal, vertical; /* center; the edge says which axis */
    bool bare;                         /* a length without a keyword */
};

static bool spot_word(cad_str word, struct spot *out)
{
    static const struct {
        cad_str word;
        enum ttml_edge edge;
    } edges[] = {
        {CAD_STR_INIT("left"), TTML_EDGE_LEFT},
        {CAD_STR_INIT("top"), TTML_EDGE_TOP},
        {CAD_STR_INIT("right"), TTML_EDGE_RIGHT},
        {CAD_STR_INIT("bottom"), TTML_EDGE_BOTTOM},
    };
    *out = (struct spot){.offset = {0, TTML_PERCENT}};
    if (cad_str_eqz(word, "center")) {
        out->center = true;
        out->offset.value = 50 * TTML_MICRO;
        return true;
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(edges); i++) {
        if (!cad_str_eq(word, edges[i].word)) continue;
        out->edge = edges[i].edge;
        out->horizontal = out->edge == TTML_EDGE_LEFT || out->edge == TTML_EDGE_RIGHT;
        out->vertical = !out->horizontal;
        return true;
    }
    out->bare = ttml_length_parse(word, &out->offset);
    return out->bare && out->offset.unit != TTML_C && out->offset.unit != TTML_EM;
}

/* Words to one or two spots; with more than two words an edge takes the length behind it. */
static bool spots(cad_str text, struct spot out[2], uint32_t *count)
{
    struct spot words[4];
    uint32_t n = 0;
    cad_str word;
    while (ttml_word(&text, &word)) {
        if (n == 4 || !spot_word(word, &words[n])) return false;
        n++;
    }
    *count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (n > 2 && words[i].bare) return false;
        if (*count == 2) return false;
        out[*count] = words[i];
        if (n > 2 && i + 1 < n && words[i + 1].bare) {
            if (words[i].center) return false;
            out[*count].offset = words[++i].offset;
        }
        ++*count;
    }
    return *count > 0;
}

static bool position(struct ttml_value *v, cad_str text)
{
    struct spot s[2];
    uint32_t count = 0;
    if (!spots(text, s, &count)) return false;
    if (count == 1) s[1] = (struct spot){.offset = {50 * TTML_MICRO, TTML_PERCENT}, .center = true};
    if (s[0].vertical || s[1].horizontal) {
        if (s[0].bare || s[1].bare) return false;
        struct spot first = s[0];
        s[0] = s[1];
        s[1] = first;
    }
    if (s[0].vertical || s[1].horizontal) return false;
    if (!s[0].horizontal) s[0].edge = TTML_EDGE_LEFT;
    if (!s[1].vertical) s[1].edge = TTML_EDGE_TOP;
    for (uint32_t i = 0; i < 2; i++) {
        v->lengths[i] = s[i].offset;
        v->u.edges[i] = s[i].edge;
    }
    v->length_count = 2;
    return true;
}

/* ---- values of several words ----------------------------------------------------------------- */

static bool decoration(struct ttml_value *v, cad_str text)
{
    static const struct {
        cad_str on, off;
        uint32_t bit;
    } words[] = {
        {CAD_STR_INIT("underline"), CAD_STR_INIT("noUnderline"), CAD_TEXT_UNDERLINE},
        {CAD_STR_INIT("lineThrough"), CAD_STR_INIT("noLineThrough"), CAD_TEXT_LINE_THROUGH},
        {CAD_STR_INIT("overline"), CAD_STR_INIT("noOverline"), CAD_TEXT_OVERLINE},
    };
    struct ttml_decoration d = {0, 0};
    cad_str word;
    if (cad_str_eqz(text, "none")) {
        d.off = CAD_TEXT_UNDERLINE | CAD_TEXT_LINE_THROUGH | CAD_TEXT_OVERLINE;
        v->u.decoration = d;
        return true;
    }
    while (ttml_word(&text, &word)) {
        uint32_t known = 0;
        for (size_t i = 0; i < CAD_ARRAY_LEN(words); i++) {
            if (cad_str_eq(word, words[i].on)) d.on |= known = words[i].bit;
            if (cad_str_eq(word, words[i].off)) d.off |= known = words[i].bit;
        }
        if (known == 0) return false;
    }
    v->u.decoration = d;
    return (d.on | d.off) != 0;
}

static bool emphasis_word(struct ttml_value *v, cad_str word, bool *styled)
{
    struct cad_text_emphasis *e = &v->u.emphasis;
    uint32_t color = 0;
    if (cad_str_eqz(word, "auto")) v->automatic = true;
    else if (cad_str_eqz(word, "filled")) *styled = true;
    else if (cad_str_eqz(word, "open")) *styled = e->open = true;
    else if (cad_str_eqz(word, "circle")) *styled = true;
    else if (cad_str_eqz(word, "dot")) *styled = true, e->symbol = CAD_TEXT_DOT;
    else if (cad_str_eqz(word, "sesame")) *styled = true, e->symbol = CAD_TEXT_SESAME;
    else if (cad_str_eqz(word, "before")) e->position = CAD_TEXT_POSITION_BEFORE;
    else if (cad_str_eqz(word, "after")) e->position = CAD_TEXT_POSITION_AFTER;
    else if (cad_str_eqz(word, "outside")) e->position = CAD_TEXT_POSITION_OUTSIDE;
    else if (cad_str_eqz(word, "current")) v->number = -1;
    else if (ttml_color_parse(word, &color)) v->number = color;
    else return false;
    return true;
}

/* tts:textEmphasis; number is the colour, -1 that of the text. */
static bool emphasis(struct ttml_value *v, cad_str text)
{
    bool styled = false;
    cad_str word;
    v->number = -1;
    v->u.emphasis.position = CAD_TEXT_POSITION_OUTSIDE;
    if (cad_str_eqz(text, "none")) return true;
    while (ttml_word(&text, &word)) {
        if (!emphasis_word(v, word, &styled)) return false;
        v->u.emphasis.on = true;
    }
    if (!styled) v->automatic = true;
    return v->u.emphasis.on;
}

/* none, or [color] length [blur]; number is the colour, -1 that of the text. */
static bool outline(struct ttml_value *v, cad_str text)
{
    uint32_t color = 0;
    cad_str rest = text;
    cad_str word;
    v->number = -1;
    if (cad_str_eqz(text, "none")) return true;
    if (!ttml_word(&rest, &word)) return false;
    if (ttml_color_parse(word, &color)) v->number = color;
    else rest = text;
    return lengths(v, rest, 1, 2) && not_negative(v);
}

/* none, or (none | both | before | after | outside) [length]. */
static bool reserve(struct ttml_value *v, cad_str text)
{
    cad_str word;
    if (!ttml_word(&text, &word) || !keyword(TTML_RUBY_RESERVE, word, &v->number)) return false;
    return lengths(v, text, 0, 1) && not_negative(v);
}

static bool shear(struct ttml_value *v, cad_str text)
{
    if (!lengths(v, text, 1, 1) || v->lengths[0].unit != TTML_PERCENT) return false;
    v->number = CAD_MAX(CAD_MIN(v->lengths[0].value, 100 * TTML_MICRO), -100 * TTML_MICRO);
    return true;
}

static bool opacity(struct ttml_value *v, cad_str text)
{
    if (!ttml_number_parse(text, &v->number)) return false;
    v->number = CAD_MAX(CAD_MIN(v->number, TTML_MICRO), 0);
    return true;
}

static bool z_index(struct ttml_value *v, cad_str text)
{
    int64_t z = 0;
    v->automatic = cad_str_eqz(text, "auto");
    if (v->automatic) return true;
    if (text.n > 1 && text.p[0] == '+') text = cad_str_sub(text, 1, text.n);
    if (cad_str_to_i64(text, &z) != 0 || z > INT32_MAX || z < INT32_MIN) return false;
    v->number = z;
    return true;
}

/* ---- values that need memory ----------------------------------------------------------------- */

static bool unquoted(cad_str *name)
{
    *name = cad_str_trim(*name);
    if (name->n >= 2 && (name->p[0] == '\'' || name->p[0] == '"') &&
        name->p[name->n - 1] == name->p[0]) {
        *name = cad_str_sub(*name, 1, name->n - 2);
    } else if (cad_str_eqz(*name, "default")) {
        *name = CAD_STR("monospaceSerif"); /* the reference font of IMSC */
    }
    return name->n > 0;
}

static int families(struct cad_arena *arena, struct ttml_value *v, cad_str text, bool *good)
{
    cad_str found[TTML_FAMILIES_MAX];
    uint32_t count = 0;
    cad_str name;
    while (count < TTML_FAMILIES_MAX && cad_str_split(&text, ',', &name)) {
        if (!unquoted(&name)) continue;
        found[count] = cad_arena_str(arena, name);
        if (!found[count].p) return cad_arena_error(arena);
        count++;
    }
    *good = count > 0;
    if (!*good) return CAD_OK;
    cad_str *names = cad_arena_array(arena, cad_str, count);
    if (!names) return cad_arena_error(arena);
    for (uint32_t i = 0; i < count; i++) names[i] = found[i];
    v->u.families = (struct cad_text_families){names, count};
    return CAD_OK;
}

/* length length [length] [color] */
static bool one_shadow(cad_str text, struct ttml_shadow *out)
{
    struct ttml_length found[3] = {{0, TTML_PX}, {0, TTML_PX}, {0, TTML_PX}};
    uint32_t count = 0;
    cad_str word;
    out->text_color = true;
    while (ttml_word(&text, &word)) {
        if (!out->text_color) return false;
        if (count < 3 && ttml_length_parse(word, &found[count])) count++;
        else if (count >= 2 && ttml_color_parse(word, &out->color)) out->text_color = false;
        else return false;
    }
    out->x = found[0];
    out->y = found[1];
    out->blur = found[2];
    return count >= 2 && found[2].value >= 0;
}

/* Up to a comma that stands outside of parentheses. */
static bool cut_item(cad_str *rest, cad_str *item)
{
    bool inside = false;
    size_t at = 0;
    if (rest->n == 0) return false;
    for (; at < rest->n && (inside || rest->p[at] != ','); at++) {
        if (rest->p[at] == '(') inside = true;
        if (rest->p[at] == ')') inside = false;
    }
    *item = cad_str_sub(*rest, 0, at);
    *rest = cad_str_sub(*rest, at + 1, rest->n);
    return true;
}

static int shadows(struct cad_arena *arena, struct ttml_value *v, cad_str text, bool *good)
{
    struct ttml_shadow found[TTML_SHADOWS_MAX];
    uint32_t count = 0;
    cad_str item;
    *good = cad_str_eqz(text, "none");
    if (*good) return CAD_OK;
    while (cut_item(&text, &item)) {
        if (count == TTML_SHADOWS_MAX || !one_shadow(item, &found[count])) return CAD_OK;
        count++;
    }
    if (count == 0) return CAD_OK;
    struct ttml_shadow *items = cad_arena_array(arena, struct ttml_shadow, count);
    if (!items) return cad_arena_error(arena);
    for (uint32_t i = 0; i < count; i++) items[i] = found[i];
    v->u.shadows.items = items;
    v->u.shadows.count = count;
    *good = true;
    return CAD_OK;
}

static int image(struct cad_arena *arena, struct ttml_value *v, cad_str text, bool *good)
{
    *good = text.n > 0;
    v->u.text = cad_arena_str(arena, text);
    return v->u.text.p ? CAD_OK : cad_arena_error(arena);
}

/* ---- which is which -------------------------------------------------------------------------- */

static bool color(struct ttml_value *v, cad_str text)
{
    uint32_t value = 0;
    if (!ttml_color_parse(text, &value)) return false;
    v->number = value;
    return true;
}

static bool line_height(struct ttml_value *v, cad_str text)
{
    v->automatic = cad_str_eqz(text, "normal");
    return v->automatic || (lengths(v, text, 1, 1) && not_negative(v));
}

static bool simple(struct ttml_value *v, cad_str text)
{
    switch (v->prop) {
    case TTML_COLOR:
    case TTML_BACKGROUND_COLOR: return color(v, text);
    case TTML_EXTENT:
    case TTML_ORIGIN: return pair(v, text);
    case TTML_POSITION: return position(v, text);
    case TTML_PADDING: return lengths(v, text, 1, 4) && not_negative(v);
    case TTML_FONT_SIZE: return lengths(v, text, 1, 1) && not_negative(v);
    case TTML_LINE_HEIGHT: return line_height(v, text);
    case TTML_LINE_PADDING:
        return lengths(v, text, 1, 1) && not_negative(v) && v->lengths[0].unit == TTML_C;
    case TTML_OPACITY: return opacity(v, text);
    case TTML_SHEAR: return shear(v, text);
    case TTML_RUBY_RESERVE: return reserve(v, text);
    case TTML_TEXT_DECORATION: return decoration(v, text);
    case TTML_TEXT_EMPHASIS: return emphasis(v, text);
    case TTML_TEXT_OUTLINE: return outline(v, text);
    case TTML_Z_INDEX: return z_index(v, text);
    default: return keyword(v->prop, text, &v->number);
    }
}

int ttml_value_parse(struct cad_arena *arena, enum ttml_prop prop, cad_str text,
                     const struct ttml_value **out)
{
    struct ttml_value v = {.prop = prop};
    bool good = false;
    int rc = CAD_OK;
    text = cad_str_trim(text);
    if (prop == TTML_FONT_FAMILY) rc = families(arena, &v, text, &good);
    else if (prop == TTML_TEXT_SHADOW) rc = shadows(arena, &v, text, &good);
    else if (prop == TTML_IMAGE) rc = image(arena, &v, text, &good);
    else good = simple(&v, text);
    if (rc != 0) return rc;
    if (good) {
        struct ttml_value *copy = cad_arena_new(arena, struct ttml_value);
        if (!copy) return cad_arena_error(arena);
        *copy = v;
        *out = copy;
    } else {
        *out = NULL;
    }
    return CAD_OK;
}
