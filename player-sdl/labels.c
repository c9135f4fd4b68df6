#include "labels.h"

#include <stdio.h>
#include <string.h>

#include "base/shown.h"
#include "base/str.h"
#include "base/util.h"

#define TIMES "\xc3\x97"  /* the multiplication sign */
#define DOT " \xc2\xb7 "  /* a middle dot between parts */

/* ISO 639-1, 639-2/T, 639-2/B where it differs, English name. */
static const struct language {
    char two[3], three[4], old[4];
    const char *name;
} languages[] = {
    {"ar", "ara", "", "Arabic"}, {"bg", "bul", "", "Bulgarian"}, {"bn", "ben", "", "Bengali"},
    {"ca", "cat", "", "Catalan"}, {"cs", "ces", "cze", "Czech"}, {"cy", "cym", "wel", "Welsh"},
    {"da", "dan", "", "Danish"}, {"de", "deu", "ger", "German"}, {"el", "ell", "gre", "Greek"},
    {"en", "eng", "", "English"}, {"es", "spa", "", "Spanish"}, {"et", "est", "", "Estonian"},
    {"eu", "eus", "baq", "Basque"}, {"fa", "fas", "per", "Persian"}, {"fi", "fin", "", "Finnish"},
    {"fil", "fil", "", "Filipino"}, {"fr", "fra", "fre", "French"}, {"ga", "gle", "", "Irish"},
    {"gl", "glg", "", "Galician"}, {"he", "heb", "", "Hebrew"}, {"hi", "hin", "", "Hindi"},
    {"hr", "hrv", "", "Croatian"}, {"hu", "hun", "", "Hungarian"}, {"hy", "hye", "arm", "Armenian"},
    {"id", "ind", "", "Indonesian"}, {"is", "isl", "ice", "Icelandic"},
    {"it", "ita", "", "Italian"},
    {"ja", "jpn", "", "Japanese"}, {"ka", "kat", "geo", "Georgian"}, {"kk", "kaz", "", "Kazakh"},
    {"ko", "kor", "", "Korean"}, {"lt", "lit", "", "Lithuanian"}, {"lv", "lav", "", "Latvian"},
    {"mk", "mkd", "mac", "Macedonian"}, {"ml", "mal", "", "Malayalam"},
    {"ms", "msa", "may", "Malay"},
    {"nb", "nob", "", "Norwegian"}, {"nl", "nld", "dut", "Dutch"}, {"no", "nor", "", "Norwegian"},
    {"pl", "pol", "", "Polish"}, {"pt", "por", "", "Portuguese"}, {"ro", "ron", "rum", "Romanian"},
    {"ru", "rus", "", "Russian"}, {"sk", "slk", "slo", "Slovak"}, {"sl", "slv", "", "Slovenian"},
    {"sq", "sqi", "alb", "Albanian"}, {"sr", "srp", "", "Serbian"}, {"sv", "swe", "", "Swedish"},
    {"sw", "swa", "", "Swahili"}, {"ta", "tam", "", "Tamil"}, {"te", "tel", "", "Telugu"},
    {"th", "tha", "", "Thai"}, {"tr", "tur", "", "Turkish"}, {"uk", "ukr", "", "Ukrainian"},
    {"ur", "urd", "", "Urdu"}, {"vi", "vie", "", "Vietnamese"}, {"zh", "zho", "chi", "Chinese"},
};

/* The part of a tag before its first '-'. */
static cad_str primary(cad_str tag)
{
    ptrdiff_t dash = cad_str_find_char(tag, '-');
    return dash < 0 ? tag : cad_str_sub(tag, 0, (size_t)dash);
}

static const struct language *find_language(cad_str tag)
{
    cad_str word = primary(tag);
    for (size_t i = 0; i < CAD_ARRAY_LEN(languages); i++) {
        const struct language *language = &languages[i];
        if (cad_str_ieq(word, cad_str_from(language->two)) ||
            cad_str_ieq(word, cad_str_from(language->three)) ||
            (language->old[0] && cad_str_ieq(word, cad_str_from(language->old)))) {
            return language;
        }
    }
    return NULL;
}

void label_language(const char *tag, char *out, size_t size)
{
    char shown[32];
    cad_str whole = cad_str_from(tag);
    const struct language *language = find_language(whole);
    cad_shown_copyz(shown, sizeof(shown), whole);
    if (whole.n == 0 || cad_str_ieq(whole, CAD_STR("und"))) {
        snprintf(out, size, "Unknown");
    } else if (!language) {
        snprintf(out, size, "%s", shown);
    } else {
        size_t n = primary(whole).n;
        bool more = n < whole.n && n < strlen(shown);
        snprintf(out, size, more ? "%s (%s)" : "%s", language->name, shown + n + (more ? 1 : 0));
    }
}

bool label_language_fits(const char *wish, const char *tag)
{
    cad_str want = cad_str_from(wish);
    cad_str have = cad_str_from(tag);
    if (cad_str_ieq(want, have)) return true;
    cad_str want_region = cad_str_sub(want, primary(want).n, want.n);
    cad_str have_region = cad_str_sub(have, primary(have).n, have.n);
    if (want_region.n > 0 && !cad_str_ieq(want_region, have_region)) return false;
    const struct language *language = find_language(want);
    if (language) return language == find_language(have);
    return cad_str_ieq(primary(want), primary(have));
}

void label_channels(uint32_t channels, char *out, size_t size)
{
    switch (channels) {
    case 0: snprintf(out, size, "%s", ""); break;
    case 1: snprintf(out, size, "Mono"); break;
    case 2: snprintf(out, size, "Stereo"); break;
    case 6: snprintf(out, size, "5.1"); break;
    case 8: snprintf(out, size, "7.1"); break;
    default: snprintf(out, size, "%u channels", channels); break;
    }
}

const char *label_codec(enum cad_codec codec)
{
    switch (codec) {
    case CAD_CODEC_AVC: return "H.264";
    case CAD_CODEC_HEVC: return "HEVC";
    case CAD_CODEC_AV1: return "AV1";
    case CAD_CODEC_VP9: return "VP9";
    case CAD_CODEC_AAC: return "AAC";
    case CAD_CODEC_AC3: return "Dolby Digital";
    case CAD_CODEC_EAC3: return "Dolby Digital Plus";
    case CAD_CODEC_OPUS: return "Opus";
    case CAD_CODEC_FLAC: return "FLAC";
    case CAD_CODEC_TTML: return "TTML";
    case CAD_CODEC_WEBVTT: return "WebVTT";
    case CAD_CODEC_UNKNOWN: break;
    }
    return "";
}

/* A picture that is wider than 16:9 is named by the height that a full one would have. */
void label_size(uint32_t width, uint32_t height, char *out, size_t size)
{
    static const uint32_t usual[] = {4320, 2160, 1440, 1080, 720, 576, 540, 480, 432, 360, 288, 270,
                                     240, 180, 144};
    uint32_t wide = (uint32_t)(((uint64_t)width * 9 + 8) / 16);
    uint32_t full = CAD_MAX(height, wide);
    for (size_t i = 0; i < CAD_ARRAY_LEN(usual); i++) {
        if (full != usual[i] && height != usual[i]) continue;
        snprintf(out, size, "%up", usual[i]);
        return;
    }
    if (width == 0 || height == 0) {
        snprintf(out, size, "%s", "");
    } else if (wide + 2 >= height && height + 2 >= wide) { /* 16:9, but for rounding */
        snprintf(out, size, "%up", height);
    } else {
        snprintf(out, size, "%u " TIMES " %u", width, height);
    }
}

void label_rate(int64_t rate_bps, char *out, size_t size)
{
    long long kbit = (rate_bps + 500) / 1000;
    if (kbit <= 0) {
        snprintf(out, size, "%s", "");
    } else if (kbit < 1000) {
        snprintf(out, size, "%lld kbit/s", kbit);
    } else if (kbit < 100000) {
        snprintf(out, size, "%lld.%lld Mbit/s", (kbit + 50) / 1000, (kbit + 50) / 100 % 10);
    } else {
        snprintf(out, size, "%lld Mbit/s", (kbit + 500) / 1000);
    }
}

void label_time(cad_time t, char *out, size_t size)
{
    if (t == CAD_TIME_NONE || t < 0) {
        snprintf(out, size, "-:--");
        return;
    }
    long long s = t / CAD_SECOND;
    if (s >= 3600) {
        snprintf(out, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
    } else {
        snprintf(out, size, "%lld:%02lld", s / 60, s % 60);
    }
}

void label_speed(uint32_t speed_q16, char *out, size_t size)
{
    unsigned hundredths = (unsigned)(((uint64_t)speed_q16 * 100 + 32768) / 65536);
    if (hundredths % 100 == 0) {
        snprintf(out, size, "%u" TIMES, hundredths / 100);
    } else if (hundredths % 10 == 0) {
        snprintf(out, size, "%u.%u" TIMES, hundredths / 100, hundredths / 10 % 10);
    } else {
        snprintf(out, size, "%u.%02u" TIMES, hundredths / 100, hundredths % 100);
    }
}

void label_track(const struct cad_track_info *track, char *out, size_t size)
{
    char shown[sizeof(track->label) * 2];
    cad_shown_copyz(shown, sizeof(shown), cad_str_from(track->label));
    if (shown[0]) {
        snprintf(out, size, "%s", shown);
    } else {
        label_language(track->lang, out, size);
    }
}

void label_track_note(const struct cad_track_info *track, char *out, size_t size)
{
    char channels[24];
    char role[sizeof(track->role) * 2];
    const char *codec = label_codec(track->codec);
    label_channels(track->channels, channels, sizeof(channels));
    cad_shown_copyz(role, sizeof(role), cad_str_from(track->role));
    bool plain = role[0] == '\0' || cad_str_ieq(cad_str_from(role), CAD_STR("main")) ||
                 cad_str_ieq(cad_str_from(role), CAD_STR("primary"));
    snprintf(out, size, "%s%s%s%s%s", channels, channels[0] && codec[0] ? DOT : "", codec,
             plain || (!channels[0] && !codec[0]) ? "" : DOT, plain ? "" : role);
}
