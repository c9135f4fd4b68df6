/*
 * profiles.c - names of content profiles: family-level-container-protection.
 *
 * A name is read field by field, left to right; suffix fields that mean nothing here (container,
 * protection, "-live") are ignored, as section 6 of the licensed manifest asks. "playready" in
 * front of "h264" is part of a name, not the DRM in use.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "manifest/manifest.h"
#include "manifest/profiles.h"

#define CHANNELS_MAX 64u

/* Two digits, "40" for level 4.0; -1 for anything else. */
static int level_of(cad_str digits)
{
    if (digits.n != 2 || !cad_is_digit(digits.p[0]) || !cad_is_digit(digits.p[1])) return -1;
    return (digits.p[0] - '0') * 10 + (digits.p[1] - '0');
}

/* The level in the first field that reads LNN; -1 without one. */
static int level_field(cad_str rest)
{
    cad_str field;
    while (cad_str_split(&rest, '-', &field)) {
        if (field.n == 3 && field.p[0] == 'L') return level_of(cad_str_sub(field, 1, 2));
    }
    return -1;
}

static bool has_field(cad_str rest, const char *name)
{
    cad_str field;
    while (cad_str_split(&rest, '-', &field)) {
        if (cad_str_eqz(field, name)) return true;
    }
    return false;
}

static void set_codecs(struct cad_profile *p, enum cad_codec codec, const char *text)
{
    p->type = CAD_MEDIA_VIDEO;
    p->codec = codec;
    (void)snprintf(p->codecs, sizeof(p->codecs), "%s", text);
}

/* h264{b,m,h}plNN: constrained baseline, main and high (ISO 14496-10 A.2). */
static bool parse_avc(cad_str field, struct cad_profile *p)
{
    if (field.n != 9 || !cad_str_eqz(cad_str_sub(field, 5, 2), "pl")) return false;
    int level = level_of(cad_str_sub(field, 7, 2));
    const char *profile = NULL;
    if (field.p[4] == 'b') profile = "42c0";
    if (field.p[4] == 'm') profile = "4d40";
    if (field.p[4] == 'h') profile = "6400";
    if (!profile || level <= 0) return false;
    set_codecs(p, CAD_CODEC_AVC, "");
    (void)snprintf(p->codecs, sizeof(p->codecs), "avc1.%s%02x", profile, (unsigned)level);
    return true;
}

/* general_level_idc is thirty times the level (ISO 23008-2 A.4). */
static bool parse_hevc(cad_str rest, struct cad_profile *p)
{
    bool main10 = has_field(rest, "main10");
    int level = level_field(rest);
    if ((!main10 && !has_field(rest, "main")) || level <= 0) return false;
    set_codecs(p, CAD_CODEC_HEVC, "");
    /* Dolby Vision 5 has levels of its own that the name does not carry. */
    if (has_field(rest, "dv5")) return true;
    (void)snprintf(p->codecs, sizeof(p->codecs), "hvc1.%s.L%d.B0", main10 ? "2.4" : "1.6",
                   level * 3);
    return true;
}

static bool parse_vp9(cad_str rest, struct cad_profile *p)
{
    bool profile2 = has_field(rest, "profile2");
    int level = level_field(rest);
    if ((!profile2 && !has_field(rest, "profile0")) || level <= 0) return false;
    set_codecs(p, CAD_CODEC_VP9, "");
    (void)snprintf(p->codecs, sizeof(p->codecs), "vp09.%s.%02d.%s", profile2 ? "02" : "00", level,
                   profile2 ? "10" : "08");
    return true;
}

/* seq_level_idx of level X.Y is (X - 2) * 4 + Y (AV1 A.3). */
static bool parse_av1(cad_str rest, struct cad_profile *p)
{
    int level = level_field(rest);
    int major = level / 10;
    int minor = level % 10;
    if (!has_field(rest, "main") || major < 2 || major > 7 || minor > 3) return false;
    set_codecs(p, CAD_CODEC_AV1, "");
    (void)snprintf(p->codecs, sizeof(p->codecs), "av01.0.%02dM.08", (major - 2) * 4 + minor);
    return true;
}

static bool parse_video(cad_str name, struct cad_profile *p)
{
    cad_str rest = name;
    cad_str field;
    if (!cad_str_split(&rest, '-', &field)) return false;
    if (cad_str_eqz(field, "playready") && !cad_str_split(&rest, '-', &field)) return false;
    if (cad_str_starts(field, CAD_STR("h264"))) return parse_avc(field, p);
    if (cad_str_eqz(field, "hevc")) return parse_hevc(rest, p);
    if (cad_str_eqz(field, "vp9")) return parse_vp9(rest, p);
    if (cad_str_eqz(field, "av1")) return parse_av1(rest, p);
    return false;
}

struct audio_family {
    const char *name;
    enum cad_codec codec;
    const char *codecs;
    bool counted; /* the second field tells the channels */
};

static const struct audio_family audio_families[] = {
    {"heaac", CAD_CODEC_AAC, "mp4a.40.5", true}, {"xheaac", CAD_CODEC_AAC, "mp4a.40.42", false},
    {"ddplus", CAD_CODEC_EAC3, "ec-3", true},    {"opus", CAD_CODEC_OPUS, "opus", true},
    {"flac", CAD_CODEC_FLAC, "flac", true},
};

/* "2", "2hq", "5.1", "5.1hq"; "atmos" does not tell. */
static uint32_t channels_field(cad_str field)
{
    if (cad_str_ends(field, CAD_STR("hq"))) field = cad_str_sub(field, 0, field.n - 2);
    return cad_channels_parse(field);
}

static bool parse_audio(cad_str name, struct cad_profile *p)
{
    cad_str rest = name;
    cad_str field;
    if (!cad_str_split(&rest, '-', &field)) return false;
    for (size_t i = 0; i < CAD_ARRAY_LEN(audio_families); i++) {
        const struct audio_family *family = &audio_families[i];
        if (!cad_str_eqz(field, family->name)) continue;
        cad_str second = {NULL, 0};
        bool more = cad_str_split(&rest, '-', &second);
        if (family->counted && !more) return false;
        uint32_t channels = family->counted ? channels_field(second) : 0;
        if (family->counted && channels == 0 && !cad_str_eqz(second, "atmos")) return false;
        set_codecs(p, family->codec, family->codecs);
        p->type = CAD_MEDIA_AUDIO;
        p->channels = channels;
        return true;
    }
    return false;
}

struct text_profile {
    const char *name;
    enum cad_codec codec;
    bool image;
};

/* In our order of choice (5.4). */
static const struct text_profile text_profiles[] = {
    {"imsc1.1", CAD_CODEC_TTML, false},
    {"dfxp-ls-sdh", CAD_CODEC_TTML, false},
    {"simplesdh", CAD_CODEC_TTML, false},
    {"webvtt-lssdh-ios8", CAD_CODEC_WEBVTT, false},
    {"nflx-cmisc", CAD_CODEC_UNKNOWN, true},
};

static bool parse_text(cad_str name, struct cad_profile *p)
{
    for (uint32_t i = 0; i < CAD_ARRAY_LEN(text_profiles); i++) {
        if (!cad_str_eqz(name, text_profiles[i].name)) continue;
        p->type = CAD_MEDIA_TEXT;
        p->codec = text_profiles[i].codec;
        p->text_choice = i;
        p->image_text = text_profiles[i].image;
        return true;
    }
    return false;
}

bool cad_profile_parse(cad_str name, struct cad_profile *out)
{
    struct cad_profile p;
    memset(&p, 0, sizeof(p));
    if (!parse_text(name, &p) && !parse_video(name, &p) && !parse_audio(name, &p)) return false;
    *out = p;
    return true;
}

uint32_t cad_channels_parse(cad_str text)
{
    uint32_t sum = 0;
    cad_str field;
    if (text.n == 0 || text.n > 8) return 0;
    while (cad_str_split(&text, '.', &field)) {
        int64_t value = 0;
        if (cad_str_to_i64(field, &value) != 0 || value < 0 || value > CHANNELS_MAX) return 0;
        sum += (uint32_t)value;
    }
    return sum <= CHANNELS_MAX ? sum : 0;
}

/* At most CAD_LICENSED_PROFILES_MAX in each list; what each decodes to is read from its name. */
static const cad_str asked_for[] = {
    CAD_STR_INIT("h264bpl30-dash-clear"), CAD_STR_INIT("h264mpl30-dash-clear"),
    CAD_STR_INIT("h264mpl31-dash-clear"), CAD_STR_INIT("h264mpl40-dash-clear"),
    CAD_STR_INIT("h264hpl30-dash-clear"), CAD_STR_INIT("h264hpl31-dash-clear"),
    CAD_STR_INIT("h264hpl40-dash-clear"), CAD_STR_INIT("av1-main-L40-dash-clear"),
    CAD_STR_INIT("heaac-2-dash"),         CAD_STR_INIT("ddplus-2.0-dash"),
    CAD_STR_INIT("ddplus-5.1-dash"),      CAD_STR_INIT("opus-2-dash"),
    CAD_STR_INIT("flac-2-dash"),          CAD_STR_INIT("imsc1.1"),
};

/* The same pictures under protection; sound has one name for both. */
static const cad_str asked_for_protected[] = {
    CAD_STR_INIT("playready-h264bpl30-dash"),   CAD_STR_INIT("playready-h264mpl30-dash"),
    CAD_STR_INIT("playready-h264mpl31-dash"),   CAD_STR_INIT("playready-h264mpl40-dash"),
    CAD_STR_INIT("playready-h264hpl30-dash"),   CAD_STR_INIT("playready-h264hpl31-dash"),
    CAD_STR_INIT("playready-h264hpl40-dash"),   CAD_STR_INIT("av1-main-L40-dash-cbcs-prk"),
    CAD_STR_INIT("av1-main-L40-dash-cenc-prk"),
};

/* Those of a list that are of one of the codecs. */
static uint32_t choose_names(const cad_str *names, size_t count, uint32_t codecs, cad_str *out,
                             uint32_t max)
{
    uint32_t n = 0;
    for (size_t i = 0; i < count && n < max; i++) {
        struct cad_profile profile;
        if (!cad_profile_parse(names[i], &profile)) continue;
        if ((codecs >> profile.codec & 1) != 0) out[n++] = names[i];
    }
    return n;
}

uint32_t cad_licensed_profiles(uint32_t codecs, cad_str *out, uint32_t max)
{
    return choose_names(asked_for, CAD_ARRAY_LEN(asked_for), codecs, out, max);
}

uint32_t cad_licensed_profiles_protected(uint32_t codecs, cad_str *out, uint32_t max)
{
    return choose_names(asked_for_protected, CAD_ARRAY_LEN(asked_for_protected), codecs, out, max);
}
