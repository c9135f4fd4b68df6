/*
 * ttml_params.c - what the tt element says of the whole document (TTML2 7).
 */
#include "base/str.h"
#include "base/util.h"
#include "timedtext/ttml_read.h"

cad_str ttml_attribute(const struct cad_xml_element *element, cad_str ns, const char *name)
{
    for (uint32_t i = 0; i < element->attribute_count; i++) {
        const struct cad_xml_attribute *a = &element->attributes[i];
        if (cad_str_eqz(a->name, name) && cad_str_eq(a->ns, ns)) {
            return a->value.p ? a->value : CAD_STR("");
        }
    }
    return (cad_str){NULL, 0};
}

/* A whole number above 0, or 0. */
static uint32_t rate(const struct cad_xml_element *element, const char *name)
{
    uint64_t value = 0;
    cad_str text = cad_str_trim(ttml_attribute(element, TTML_NS_PARAMETER, name));
    if (cad_str_to_u64(text, &value) != 0 || value > UINT32_MAX) return 0;
    return (uint32_t)value;
}

static void read_rates(struct ttml_reader *r, const struct cad_xml_element *element)
{
    struct ttml_rates rates = {
        .frame_rate = rate(element, "frameRate"),
        .sub_frame_rate = rate(element, "subFrameRate"),
        .tick_rate = rate(element, "tickRate"),
    };
    cad_str text = ttml_attribute(element, TTML_NS_PARAMETER, "frameRateMultiplier");
    if (!ttml_pair_parse(text, &rates.multiplier, &rates.divisor)) {
        rates.multiplier = rates.divisor = 1;
    }
    ttml_clock_init(&r->clock, &rates);
}

static void read_aspect(struct cad_text *text, const struct cad_xml_element *element)
{
    cad_str ratio = ttml_attribute(element, TTML_NS_ITTP, "aspectRatio");
    if (ttml_pair_parse(ratio, &text->aspect_w, &text->aspect_h)) return;
    ratio = ttml_attribute(element, TTML_NS_PARAMETER, "displayAspectRatio");
    if (!ttml_pair_parse(ratio, &text->aspect_w, &text->aspect_h)) {
        text->aspect_w = text->aspect_h = 0;
    }
}

static void read_extent(struct cad_text *text, const struct cad_xml_element *element)
{
    cad_str rest = ttml_attribute(element, TTML_NS_STYLING, "extent");
    struct ttml_length lengths[2];
    cad_str word;
    for (uint32_t i = 0; i < 2; i++) {
        if (!ttml_word(&rest, &word) || !ttml_length_parse(word, &lengths[i])) return;
        if (lengths[i].unit != TTML_PX || lengths[i].value <= 0) return;
    }
    if (ttml_word(&rest, &word)) return;
    text->px_w = lengths[0].value;
    text->px_h = lengths[1].value;
}

int ttml_params_read(struct ttml_reader *r, const struct cad_xml_element *element)
{
    struct cad_text *text = r->text;
    cad_str base = cad_str_trim(ttml_attribute(element, TTML_NS_PARAMETER, "timeBase"));
    if (cad_str_eqz(base, "smpte") || cad_str_eqz(base, "clock")) {
        r->problem = "a time base other than media"; /* IMSC has media only */
        return CAD_E_DATA;
    }
    read_rates(r, element);
    read_aspect(text, element);
    read_extent(text, element);
    cad_str cells = ttml_attribute(element, TTML_NS_PARAMETER, "cellResolution");
    if (!ttml_pair_parse(cells, &text->cell_columns, &text->cell_rows)) {
        text->cell_columns = 32;
        text->cell_rows = 15;
    }
    text->lang = cad_arena_str(&text->arena, ttml_attribute(element, TTML_NS_XML, "lang"));
    return text->lang.p ? CAD_OK : cad_arena_error(&text->arena);
}
