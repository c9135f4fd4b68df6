#include "mock/mock_ttml.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

#define TICK (CAD_SECOND / 10000000)
#define PERIOD (5 * CAD_SECOND / 2)
#define LEAD (CAD_SECOND / 2)
#define SHOWN (2 * CAD_SECOND)
#define LINES 6

struct words {
    const char *cue, *speaker, *first[LINES], *second[LINES], *word;
};

static const struct words english = {
    "Cue", "SHE:",
    {"the sky drifts", "a beep each second", "small things live and die", "white squares blink",
     "tones go left and right", "numbers count the frames"},
    {"and nobody minds", "keeps the time", "on a slow grid", "where sound is",
     "and come back", "one by one"},
    "softly"};
static const struct words german = {
    "Untertitel", "SIE:",
    {"der Himmel zieht", "jede Sekunde ein Ton", "Kleines lebt und vergeht",
     "wei\xc3\x9f" "e Quadrate blinken", "T\xc3\xb6ne wandern", "Zahlen z\xc3\xa4hlen die Bilder"},
    {"und keinen st\xc3\xb6rt es", "h\xc3\xa4lt die Zeit", "auf langsamem Grund", "wo es klingt",
     "und kehren zur\xc3\xbc" "ck", "eins nach dem anderen"},
    "leise"};

static void put_head(struct cad_sb *out, const char *lang)
{
    cad_sb_printf(out,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<tt xmlns=\"http://www.w3.org/ns/ttml\" xmlns:tts=\"http://www.w3.org/ns/ttml#styling\""
        " xmlns:ttp=\"http://www.w3.org/ns/ttml#parameter\" xml:lang=\"%s\""
        " ttp:timeBase=\"media\" ttp:tickRate=\"10000000\" ttp:cellResolution=\"32 15\""
        " ttp:contentProfiles=\"http://www.w3.org/ns/ttml/profile/imsc1.1/text\">\n", lang);
    cad_sb_putz(out,
        "  <head>\n"
        "    <styling>\n"
        "      <style xml:id=\"plain\" tts:fontFamily=\"proportionalSansSerif\""
        " tts:fontSize=\"100%\" tts:lineHeight=\"125%\" tts:color=\"white\""
        " tts:textAlign=\"center\"/>\n"
        "      <style xml:id=\"soft\" tts:fontStyle=\"italic\"/>\n"
        "      <style xml:id=\"speaker\" tts:color=\"yellow\"/>\n"
        "    </styling>\n"
        "    <layout>\n"
        "      <region xml:id=\"bottom\" tts:origin=\"10% 70%\" tts:extent=\"80% 20%\""
        " tts:displayAlign=\"after\"/>\n"
        "      <region xml:id=\"top\" tts:origin=\"10% 10%\" tts:extent=\"80% 20%\""
        " tts:displayAlign=\"before\"/>\n"
        "    </layout>\n"
        "  </head>\n"
        "  <body style=\"plain\">\n"
        "    <div>\n");
}

static void put_cue(struct cad_sb *out, const struct words *words, uint32_t n, cad_time end)
{
    cad_time begin = (cad_time)(n - 1) * PERIOD + LEAD;
    cad_time stop = CAD_MIN(begin + SHOWN, end);
    cad_sb_printf(out,
                  "      <p xml:id=\"c%" PRIu32 "\" region=\"%s\" begin=\"%" PRId64
                  "t\" end=\"%" PRId64 "t\">",
                  n, n % 7 == 0 ? "top" : "bottom", begin / TICK, stop / TICK);
    if (n % 5 == 0) cad_sb_printf(out, "<span style=\"speaker\">%s</span> ", words->speaker);
    cad_sb_printf(out, "%s %" PRIu32 ": %s", words->cue, n, words->first[n % LINES]);
    if (n % 4 == 0) cad_sb_printf(out, ", <span style=\"soft\">%s</span>", words->word);
    if (n % 3 == 0) cad_sb_printf(out, "<br/>%s", words->second[n % LINES]);
    cad_sb_putz(out, "</p>\n");
}

void mock_ttml_write(struct cad_sb *out, const char *lang, cad_time duration)
{
    const struct words *words = strcmp(lang, "de") == 0 ? &german : &english;
    put_head(out, lang);
    for (uint32_t n = 1; (cad_time)(n - 1) * PERIOD + LEAD < duration; n++) {
        put_cue(out, words, n, duration);
    }
    cad_sb_putz(out, "    </div>\n  </body>\n</tt>\n");
}
