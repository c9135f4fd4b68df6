/*
 * ttml_names.c - style attributes by namespace and name, and which of them are inherited.
 */
#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml.h"

enum ns { NS_TTS, NS_ITTS, NS_EBUTTS, NS_SMPTE };

static const cad_str namespaces[] = {
    [NS_TTS] = CAD_STR_INIT("http://www.w3.org/ns/ttml#styling"),
    [NS_ITTS] = CAD_STR_INIT("http://www.w3.org/ns/ttml/profile/imsc1#styling"),
    [NS_EBUTTS] = CAD_STR_INIT("urn:ebu:tt:style"),
    [NS_SMPTE] = CAD_STR_INIT("http://www.smpte-ra.org/schemas/2052-1/2010/smpte-tt"),
};

/* Indexed by property. Inheritance: TTML2 10.2, IMSC 1.2, EBU-TT-D. */
static const struct {
    cad_str name;
    enum ns ns;
    bool inherited;
} props[TTML_PROPS] = {
    [TTML_FONT_SIZE] = {CAD_STR_INIT("fontSize"), NS_TTS, true},
    [TTML_COLOR] = {CAD_STR_INIT("color"), NS_TTS, true},
    [TTML_WRITING_MODE] = {CAD_STR_INIT("writingMode"), NS_TTS, false},
    [TTML_DIRECTION] = {CAD_STR_INIT("direction"), NS_TTS, true},
    [TTML_EXTENT] = {CAD_STR_INIT("extent"), NS_TTS, false},
    [TTML_ORIGIN] = {CAD_STR_INIT("origin"), NS_TTS, false},
    [TTML_POSITION] = {CAD_STR_INIT("position"), NS_TTS, false},
    [TTML_PADDING] = {CAD_STR_INIT("padding"), NS_TTS, false},
    [TTML_BACKGROUND_COLOR] = {CAD_STR_INIT("backgroundColor"), NS_TTS, false},
    [TTML_DISPLAY] = {CAD_STR_INIT("display"), NS_TTS, false},
    [TTML_DISPLAY_ALIGN] = {CAD_STR_INIT("displayAlign"), NS_TTS, false},
    [TTML_FILL_LINE_GAP] = {CAD_STR_INIT("fillLineGap"), NS_ITTS, true},
    [TTML_FONT_FAMILY] = {CAD_STR_INIT("fontFamily"), NS_TTS, true},
    [TTML_FONT_STYLE] = {CAD_STR_INIT("fontStyle"), NS_TTS, true},
    [TTML_FONT_WEIGHT] = {CAD_STR_INIT("fontWeight"), NS_TTS, true},
    [TTML_FORCED_DISPLAY] = {CAD_STR_INIT("forcedDisplay"), NS_ITTS, true},
    [TTML_IMAGE] = {CAD_STR_INIT("backgroundImage"), NS_SMPTE, false},
    [TTML_LINE_HEIGHT] = {CAD_STR_INIT("lineHeight"), NS_TTS, true},
    [TTML_LINE_PADDING] = {CAD_STR_INIT("linePadding"), NS_EBUTTS, true},
    [TTML_MULTI_ROW_ALIGN] = {CAD_STR_INIT("multiRowAlign"), NS_EBUTTS, true},
    [TTML_OPACITY] = {CAD_STR_INIT("opacity"), NS_TTS, false},
    [TTML_OVERFLOW] = {CAD_STR_INIT("overflow"), NS_TTS, false},
    [TTML_RUBY] = {CAD_STR_INIT("ruby"), NS_TTS, false},
    [TTML_RUBY_ALIGN] = {CAD_STR_INIT("rubyAlign"), NS_TTS, true},
    [TTML_RUBY_POSITION] = {CAD_STR_INIT("rubyPosition"), NS_TTS, true},
    [TTML_RUBY_RESERVE] = {CAD_STR_INIT("rubyReserve"), NS_TTS, true},
    [TTML_SHEAR] = {CAD_STR_INIT("shear"), NS_TTS, true},
    [TTML_SHOW_BACKGROUND] = {CAD_STR_INIT("showBackground"), NS_TTS, false},
    [TTML_TEXT_ALIGN] = {CAD_STR_INIT("textAlign"), NS_TTS, true},
    [TTML_TEXT_COMBINE] = {CAD_STR_INIT("textCombine"), NS_TTS, true},
    [TTML_TEXT_DECORATION] = {CAD_STR_INIT("textDecoration"), NS_TTS, true},
    [TTML_TEXT_EMPHASIS] = {CAD_STR_INIT("textEmphasis"), NS_TTS, true},
    [TTML_TEXT_OUTLINE] = {CAD_STR_INIT("textOutline"), NS_TTS, true},
    [TTML_TEXT_SHADOW] = {CAD_STR_INIT("textShadow"), NS_TTS, true},
    [TTML_UNICODE_BIDI] = {CAD_STR_INIT("unicodeBidi"), NS_TTS, false},
    [TTML_VISIBILITY] = {CAD_STR_INIT("visibility"), NS_TTS, true},
    [TTML_WRAP_OPTION] = {CAD_STR_INIT("wrapOption"), NS_TTS, true},
    [TTML_Z_INDEX] = {CAD_STR_INIT("zIndex"), NS_TTS, false},
};

int ttml_prop_find(cad_str ns, cad_str name, enum ttml_prop *out)
{
    if (ns.n == 0) return CAD_E_NOTFOUND;
    for (size_t i = 0; i < TTML_PROPS; i++) {
        if (!cad_str_eq(name, props[i].name)) continue;
        if (!cad_str_eq(ns, namespaces[props[i].ns])) continue;
        *out = (enum ttml_prop)i;
        return CAD_OK;
    }
    return CAD_E_NOTFOUND;
}

bool ttml_prop_inherited(enum ttml_prop prop)
{
    return props[prop].inherited;
}
