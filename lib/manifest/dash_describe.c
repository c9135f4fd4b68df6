/*
 * dash_describe.c - what a track and a representation are: type, codec, language, roles, channels,
 * colour (23009-1 5.3.3, 5.3.5, 5.3.7, 5.8).
 */
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"

#define TRICK_MODE "http://dashif.org/guidelines/trickmode"
#define TILES_OLD "http://dashif.org/thumbnail_tile"
#define TILES "http://dashif.org/guidelines/thumbnail_tile"
#define SWITCHING "urn:mpeg:dash:adaptation-set-switching:2016"
#define CICP "urn:mpeg:mpegB:cicp:"
#define ROLES "urn:mpeg:dash:role:2011"
#define CHANNELS_MAX 64

/* ---- codecs and types ------------------------------------------------------------------------ */

struct codec_name {
    const char *prefix; /* of the first codec of a codecs string, in lower case */
    enum cad_codec codec;
};

static const struct codec_name codec_names[] = {
    {"avc1", CAD_CODEC_AVC},       {"avc3", CAD_CODEC_AVC},      {"dvav", CAD_CODEC_AVC},
    {"dva1", CAD_CODEC_AVC},       {"hvc1", CAD_CODEC_HEVC},     {"hev1", CAD_CODEC_HEVC},
    {"dvh1", CAD_CODEC_HEVC},      {"dvhe", CAD_CODEC_HEVC},     {"av01", CAD_CODEC_AV1},
    {"dav1", CAD_CODEC_AV1},       {"vp09", CAD_CODEC_VP9},      {"vp9", CAD_CODEC_VP9},
    {"mp4a.a5", CAD_CODEC_AC3},    {"mp4a.a6", CAD_CODEC_EAC3},  {"mp4a.40", CAD_CODEC_AAC},
    {"mp4a.66", CAD_CODEC_AAC},    {"mp4a.67", CAD_CODEC_AAC},   {"mp4a.68", CAD_CODEC_AAC},
    {"ac-3", CAD_CODEC_AC3},       {"ec-3", CAD_CODEC_EAC3},     {"ec+3", CAD_CODEC_EAC3},
    {"opus", CAD_CODEC_OPUS},      {"flac", CAD_CODEC_FLAC},     {"stpp", CAD_CODEC_TTML},
    {"wvtt", CAD_CODEC_WEBVTT},
};

static bool starts_without_case(cad_str s, const char *prefix)
{
    size_t n = strlen(prefix);
    return s.n >= n && cad_str_ieq(cad_str_sub(s, 0, n), cad_str_make(prefix, n));
}

enum cad_codec cad_dash_codec(cad_str codecs, cad_str mime)
{
    cad_str first = cad_str_trim(codecs);
    for (size_t i = 0; i < CAD_ARRAY_LEN(codec_names); i++) {
        if (starts_without_case(first, codec_names[i].prefix)) return codec_names[i].codec;
    }
    if (first.n > 0) return CAD_CODEC_UNKNOWN;
    if (starts_without_case(mime, "text/vtt")) return CAD_CODEC_WEBVTT;
    if (starts_without_case(mime, "application/ttml+xml")) return CAD_CODEC_TTML;
    return CAD_CODEC_UNKNOWN;
}

/* A word of contentType, or what stands before the slash of a MIME type. -1: none of ours. */
static int type_of_word(cad_str word)
{
    static const enum cad_media_type types[] = {CAD_MEDIA_VIDEO, CAD_MEDIA_AUDIO, CAD_MEDIA_TEXT,
                                                CAD_MEDIA_IMAGE};
    for (size_t i = 0; i < CAD_ARRAY_LEN(types); i++) {
        if (cad_str_eqz(word, cad_media_type_name(types[i]))) return (int)types[i];
    }
    return -1;
}

enum cad_media_type cad_dash_type(cad_str content_type, cad_str codecs, cad_str mime)
{
    int type = type_of_word(cad_str_trim(content_type));
    if (type >= 0) return (enum cad_media_type)type;
    if (starts_without_case(cad_str_trim(codecs), "stpp") ||
        starts_without_case(cad_str_trim(codecs), "wvtt")) {
        return CAD_MEDIA_TEXT;
    }
    mime = cad_str_trim(mime);
    ptrdiff_t slash = cad_str_find_char(mime, '/');
    type = slash > 0 ? type_of_word(cad_str_sub(mime, 0, (size_t)slash)) : -1;
    if (type >= 0) return (enum cad_media_type)type;
    return starts_without_case(mime, "application/ttml+xml") ? CAD_MEDIA_TEXT : CAD_MEDIA_OTHER;
}

/* ---- lists ----------------------------------------------------------------------------------- */

int cad_dash_descriptors(struct cad_dash *p, const struct cad_dash_node *node,
                         enum cad_dash_element name, struct cad_dash_descriptors *out)
{
    uint32_t n = cad_dash_count(node, name);
    bool failed = false;
    if (n == 0) return CAD_OK;
    struct cad_descriptor *items = cad_arena_array(&p->model->arena, struct cad_descriptor, n);
    if (!items) return cad_dash_fail_memory(p);
    *out = (struct cad_dash_descriptors){items, n};
    const struct cad_dash_node *child = cad_dash_child(node, name);
    for (; child; child = cad_dash_next(child), items++) {
        items->scheme = cad_dash_keep(p, cad_dash_attr(child, CAD_DASH_AT_SCHEME_ID_URI), &failed);
        items->value = cad_dash_keep(p, cad_dash_attr(child, CAD_DASH_AT_VALUE), &failed);
    }
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

bool cad_dash_next_field(cad_str *rest, const char *separators, cad_str *field)
{
    for (;;) {
        size_t n = 0;
        if (rest->n == 0) return false;
        while (n < rest->n && !strchr(separators, rest->p[n])) n++;
        *field = cad_str_trim(cad_str_sub(*rest, 0, n));
        *rest = cad_str_sub(*rest, n + 1, rest->n);
        if (field->n > 0) return true;
    }
}

int cad_dash_split(struct cad_dash *p, cad_str list, const char *separators,
                   struct cad_dash_texts *out)
{
    uint32_t n = 0;
    cad_str rest = list;
    cad_str field;
    bool failed = false;
    while (cad_dash_next_field(&rest, separators, &field)) n++;
    if (n == 0) return CAD_OK;
    cad_str *items = cad_arena_array(&p->model->arena, cad_str, n);
    if (!items) return cad_dash_fail_memory(p);
    *out = (struct cad_dash_texts){items, n};
    while (cad_dash_next_field(&list, separators, &field)) {
        *items++ = cad_dash_keep(p, field, &failed);
    }
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

/* ---- properties ------------------------------------------------------------------------------ */

static const struct cad_dash_node *find_scheme(const struct cad_dash_node *node,
                                               enum cad_dash_element name, const char *scheme)
{
    const struct cad_dash_node *child = cad_dash_child(node, name);
    while (child && !cad_str_eqz(cad_str_trim(cad_dash_attr(child, CAD_DASH_AT_SCHEME_ID_URI)),
                                 scheme)) {
        child = cad_dash_next(child);
    }
    return child;
}

static const struct cad_dash_node *find_property(const struct cad_dash_node *node,
                                                 const char *scheme)
{
    const struct cad_dash_node *found = find_scheme(node, CAD_DASH_ESSENTIAL_PROPERTY, scheme);
    return found ? found : find_scheme(node, CAD_DASH_SUPPLEMENTAL_PROPERTY, scheme);
}

static bool is_trick_mode(const struct cad_dash_node *set)
{
    return find_property(set, TRICK_MODE) != NULL;
}

bool cad_dash_has_unknown_essential(const struct cad_dash_node *node)
{
    static const char *const known[] = {
        TILES, TILES_OLD, CICP "ColourPrimaries", CICP "TransferCharacteristics",
        CICP "MatrixCoefficients", CICP "VideoFullRangeFlag"};
    const struct cad_dash_node *child = cad_dash_child(node, CAD_DASH_ESSENTIAL_PROPERTY);
    for (; child; child = cad_dash_next(child)) {
        cad_str scheme = cad_str_trim(cad_dash_attr(child, CAD_DASH_AT_SCHEME_ID_URI));
        bool is_known = false;
        for (size_t i = 0; i < CAD_ARRAY_LEN(known); i++) {
            is_known = is_known || cad_str_eqz(scheme, known[i]);
        }
        if (!is_known) return true;
    }
    return false;
}

/* "5x4" pictures in one (DASH-IF IOP 6.2.6). */
static void read_tiles(const struct cad_dash_node *node, struct cad_dash_shared *out)
{
    const struct cad_dash_node *property = find_property(node, TILES);
    if (!property) property = find_property(node, TILES_OLD);
    if (!property) return;
    int64_t columns = 0;
    int64_t rows = 0;
    cad_str value = cad_str_trim(cad_dash_attr(property, CAD_DASH_AT_VALUE));
    ptrdiff_t x = cad_str_find_char(value, 'x');
    if (x <= 0) return;
    if (!cad_dash_parse_number(cad_str_sub(value, 0, (size_t)x), &columns)) return;
    if (!cad_dash_parse_number(cad_str_sub(value, (size_t)x + 1, value.n), &rows)) return;
    if (columns <= 0 || rows <= 0 || columns > 65535 || rows > 65535) return;
    out->tile_columns = (uint32_t)columns;
    out->tile_rows = (uint32_t)rows;
}

static void read_code(const struct cad_dash_node *node, const char *scheme, uint8_t *out)
{
    int64_t value = 0;
    const struct cad_dash_node *property = find_property(node, scheme);
    if (!property) return;
    if (!cad_dash_parse_number(cad_dash_attr(property, CAD_DASH_AT_VALUE), &value)) return;
    if (value <= UINT8_MAX) *out = (uint8_t)value;
}

/* Code points of ISO/IEC 23091-2, as properties of 23009-1 5.8.5.12. */
static void read_color(const struct cad_dash_node *node, struct cad_color *color)
{
    uint8_t full = color->full_range;
    read_code(node, CICP "ColourPrimaries", &color->primaries);
    read_code(node, CICP "TransferCharacteristics", &color->transfer);
    read_code(node, CICP "MatrixCoefficients", &color->matrix);
    read_code(node, CICP "VideoFullRangeFlag", &full);
    color->full_range = full == 1;
}

/* ---- channels (5.8.5.4) ---------------------------------------------------------------------- */

static bool ends_with(cad_str scheme, const char *tail)
{
    return cad_str_ends(scheme, cad_str_from(tail));
}

/* 23001-8 table of ChannelConfiguration. */
static uint32_t cicp_channels(int64_t index)
{
    static const uint8_t table[] = {0, 1, 2, 3, 4, 5, 6, 8, 2, 3, 4, 7, 8, 24, 8, 12, 10, 12, 14,
                                    12, 14};
    return index > 0 && index < (int64_t)sizeof(table) ? table[index] : 0;
}

/* ETSI TS 102 366 E.1.3.1.8: a bit for a channel, from the highest; some stand for a pair. */
static uint32_t dolby_channels(cad_str text)
{
    uint32_t mask = 0;
    uint32_t count = 0;
    const uint32_t pairs = 0x0400 | 0x0200 | 0x0040 | 0x0020 | 0x0010 | 0x0004;
    if (text.n != 4) return 0;
    for (size_t i = 0; i < text.n; i++) {
        int digit = cad_hex_value(text.p[i]);
        if (digit < 0) return 0;
        mask = mask << 4 | (uint32_t)digit;
    }
    for (uint32_t bit = 1; bit <= 0x8000; bit <<= 1) {
        if (mask & bit) count += pairs & bit ? 2 : 1;
    }
    return count;
}

static uint32_t channels_of(const struct cad_dash_node *node)
{
    cad_str scheme = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_SCHEME_ID_URI));
    cad_str text = cad_str_trim(cad_dash_attr(node, CAD_DASH_AT_VALUE));
    int64_t value = 0;
    bool dolby = cad_str_find(scheme, CAD_STR("dolby")) >= 0;
    if (dolby) return dolby_channels(text);
    if (!cad_dash_parse_number(text, &value) || value <= 0 || value > CHANNELS_MAX) return 0;
    if (cad_str_eqz(scheme, CICP "ChannelConfiguration")) return cicp_channels(value);
    if (cad_str_starts(scheme, CAD_STR("urn:mpeg:dash:23003:3:"))) {
        return value == 7 ? 8 : (uint32_t)value;
    }
    bool dts = cad_str_find(scheme, CAD_STR("dts")) >= 0;
    return dts && ends_with(scheme, "audio_channel_configuration:2012") ? (uint32_t)value : 0;
}

/* The first description that is understood. */
static void read_channels(const struct cad_dash_node *node, uint32_t *out)
{
    const struct cad_dash_node *child = cad_dash_child(node, CAD_DASH_AUDIO_CHANNEL_CONFIGURATION);
    for (; child; child = cad_dash_next(child)) {
        uint32_t channels = channels_of(child);
        if (channels == 0) continue;
        *out = channels;
        return;
    }
}

/* What a set or a representation says, over what is there. */
static void read_shared(const struct cad_dash_node *node, struct cad_dash_shared *out)
{
    read_tiles(node, out);
    read_color(node, &out->color);
    read_channels(node, &out->channels);
}

/* ---- a track --------------------------------------------------------------------------------- */

static int read_roles(struct cad_dash *p, const struct cad_dash_node *set,
                      struct cad_dash_track *out)
{
    uint32_t n = cad_dash_count(set, CAD_DASH_ROLE);
    bool failed = false;
    if (n == 0) return CAD_OK;
    cad_str *items = cad_arena_array(&p->model->arena, cad_str, n);
    if (!items) return cad_dash_fail_memory(p);
    const struct cad_dash_node *role = cad_dash_child(set, CAD_DASH_ROLE);
    for (; role; role = cad_dash_next(role)) {
        cad_str scheme = cad_str_trim(cad_dash_attr(role, CAD_DASH_AT_SCHEME_ID_URI));
        cad_str value = cad_str_trim(cad_dash_attr(role, CAD_DASH_AT_VALUE));
        if (value.n == 0 || !cad_str_eqz(scheme, ROLES)) continue;
        items[out->roles.count++] = cad_dash_keep(p, value, &failed);
    }
    out->roles.items = items;
    return failed ? cad_dash_fail_memory(p) : CAD_OK;
}

/* An attribute of the set, else of its first Representation that has it, else of a component. */
static cad_str of_set(const struct cad_dash_node *set, enum cad_dash_attribute name)
{
    cad_str value = cad_dash_attr(set, name);
    const struct cad_dash_node *rep = cad_dash_child(set, CAD_DASH_REPRESENTATION);
    for (; !value.p && rep; rep = cad_dash_next(rep)) value = cad_dash_attr(rep, name);
    return value;
}

/* The only ContentComponent speaks for the whole set (5.3.4). */
static cad_str of_set_or_component(const struct cad_dash_node *set, enum cad_dash_attribute name)
{
    cad_str value = cad_dash_attr(set, name);
    if (value.p || cad_dash_count(set, CAD_DASH_CONTENT_COMPONENT) != 1) return value;
    return cad_dash_attr(cad_dash_child(set, CAD_DASH_CONTENT_COMPONENT), name);
}

static int track_texts(struct cad_dash *p, const struct cad_dash_node *set,
                       struct cad_dash_track *out)
{
    bool failed = false;
    const struct cad_dash_node *label = cad_dash_child(set, CAD_DASH_LABEL);
    cad_str text = label ? label->text : cad_dash_attr(set, CAD_DASH_AT_LABEL);
    out->id = cad_dash_keep(p, cad_dash_attr(set, CAD_DASH_AT_ID), &failed);
    out->lang = cad_dash_keep(p, of_set_or_component(set, CAD_DASH_AT_LANG), &failed);
    out->label = cad_dash_keep(p, text, &failed);
    cad_str href = cad_dash_attr(set, CAD_DASH_AT_XLINK_HREF);
    if (failed) return cad_dash_fail_memory(p);
    if (href.n > 0) return cad_dash_resolve(p, p->period_bases.items[0].url, href, &out->xlink);
    return CAD_OK;
}

int cad_dash_describe_track(struct cad_dash *p, const struct cad_dash_node *set,
                            struct cad_dash_track *out)
{
    out->type = cad_dash_type(of_set_or_component(set, CAD_DASH_AT_CONTENT_TYPE),
                              of_set(set, CAD_DASH_AT_CODECS), of_set(set, CAD_DASH_AT_MIME_TYPE));
    out->trick_mode = is_trick_mode(set);
    memset(&p->shared, 0, sizeof(p->shared));
    read_shared(set, &p->shared);
    out->selection_priority = INT64_MIN;
    (void)cad_dash_parse_number(cad_dash_attr(set, CAD_DASH_AT_SELECTION_PRIORITY),
                                &out->selection_priority);
    const struct cad_dash_node *switching = find_property(set, SWITCHING);
    int rc = track_texts(p, set, out);
    if (rc == 0) rc = read_roles(p, set, out);
    if (rc == 0) rc = cad_dash_descriptors(p, set, CAD_DASH_ACCESSIBILITY, &out->accessibility);
    if (rc == 0) {
        rc = cad_dash_descriptors(p, set, CAD_DASH_INBAND_EVENT_STREAM, &out->inband_events);
    }
    if (rc == 0) {
        rc = cad_dash_split(p, cad_dash_attr(switching, CAD_DASH_AT_VALUE), ",",
                            &out->switchable_with);
    }
    if (rc == 0) rc = cad_dash_protections(p, set, &out->protections);
    return rc;
}

/* ---- a representation ------------------------------------------------------------------------ */

/* An attribute of the representation, else of its set (5.3.7). */
static cad_str inherited(const struct cad_dash_node *rep, enum cad_dash_attribute name)
{
    cad_str value = cad_dash_attr(rep, name);
    return value.p ? value : cad_dash_attr(rep->parent, name);
}

static uint32_t inherited_u32(const struct cad_dash_node *rep, enum cad_dash_attribute name)
{
    int64_t value = 0;
    uint32_t out = 0;
    if (!cad_dash_parse_number(inherited(rep, name), &value)) return 0;
    return cad_i64_to_u32(value, &out) ? out : 0;
}

static int rep_texts(struct cad_dash *p, const struct cad_dash_node *rep, struct cad_dash_rep *out)
{
    bool failed = false;
    out->id = cad_dash_keep(p, cad_dash_attr(rep, CAD_DASH_AT_ID), &failed);
    out->mime = cad_dash_keep(p, inherited(rep, CAD_DASH_AT_MIME_TYPE), &failed);
    out->r.codecs = cad_dash_keep(p, inherited(rep, CAD_DASH_AT_CODECS), &failed);
    if (failed) return cad_dash_fail_memory(p);
    return cad_dash_split(p, cad_dash_attr(rep, CAD_DASH_AT_DEPENDENCY_ID), " \t\r\n",
                          &out->dependency_ids);
}

int cad_dash_describe_rep(struct cad_dash *p, const struct cad_dash_node *rep,
                          struct cad_dash_rep *out)
{
    struct cad_representation *r = &out->r;
    cad_representation_blank(r);
    r->profile = CAD_STR("");
    r->drm_header_id = CAD_STR("");
    int rc = cad_dash_get_number(p, rep, CAD_DASH_AT_BANDWIDTH, &r->bandwidth_bps);
    if (rc < 0) return rc;
    out->has_bandwidth = rc > 0;
    r->peak_bps = cad_mul_sat_i64(r->bandwidth_bps, 2);
    r->width = inherited_u32(rep, CAD_DASH_AT_WIDTH);
    r->height = inherited_u32(rep, CAD_DASH_AT_HEIGHT);
    r->sample_rate_hz = inherited_u32(rep, CAD_DASH_AT_AUDIO_SAMPLING_RATE);
    (void)cad_dash_parse_ratio(inherited(rep, CAD_DASH_AT_FRAME_RATE), &r->frame_rate_num,
                               &r->frame_rate_den);
    out->quality_ranking = INT64_MIN;
    (void)cad_dash_parse_number(cad_dash_attr(rep, CAD_DASH_AT_QUALITY_RANKING),
                                &out->quality_ranking);
    struct cad_dash_shared shared = p->shared;
    read_shared(rep, &shared);
    r->channels = shared.channels;
    r->color = shared.color;
    out->tile_columns = shared.tile_columns;
    out->tile_rows = shared.tile_rows;
    rc = rep_texts(p, rep, out);
    if (rc == 0) rc = cad_dash_protections(p, rep, &out->protections);
    if (rc != 0) return rc;
    r->codec = cad_dash_codec(r->codecs, out->mime);
    r->encrypted = out->protections.count > 0 ||
                   cad_dash_count(rep->parent, CAD_DASH_CONTENT_PROTECTION) > 0;
    return CAD_OK;
}
