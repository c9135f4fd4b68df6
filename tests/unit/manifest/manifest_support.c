/* Documents, parses and edits for the tests of the manifest room. */
#include "manifest_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define TEXT_BYTES_MAX (32u << 20)

struct cad_manifest_options test_options(void)
{
    struct cad_manifest_options options;
    cad_manifest_options_init(&options);
    options.base_url = CAD_STR("https://svc.test/manifest");
    options.now_ms = TEST_NOW_MS;
    options.allow_http = true;
    options.allow_drm = true;
    return options;
}

struct outcome test_parse(cad_str document, const struct cad_manifest_options *options,
                          uint32_t tokens)
{
    struct cad_manifest_options standard = test_options();
    struct outcome o = {CAD_E_AGAIN, {0}, NULL, {NULL, 0}};
    struct cad_manifest_parser *parser = NULL;
    if (!options) options = &standard;
    assert_int_equal(cad_manifest_parser_create(options, &parser), 0);
    uint32_t budget = tokens > 0 ? tokens : UINT32_MAX;
    while (o.rc == CAD_E_AGAIN) {
        o.rc = cad_manifest_parser_step(parser, cad_buf_from_str(document), budget);
    }
    if (o.rc == 0) {
        assert_int_equal(cad_manifest_parser_take(parser, &o.presentation), 0);
        assert_int_equal(cad_presentation_dump(o.presentation, &options->alloc, &o.dump), 0);
    }
    cad_manifest_parser_error(parser, &o.error);
    cad_manifest_parser_destroy(&parser);
    assert_null(parser);
    return o;
}

struct outcome test_parse_z(const char *document)
{
    return test_parse(cad_str_from(document), NULL, 0);
}

void outcome_free(struct outcome *o)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_presentation_destroy(&o->presentation);
    cad_alloc_free(&alloc, (void *)(uintptr_t)o->dump.p, o->dump.n, CAD_MEM_OTHER);
    o->dump = (cad_buf){NULL, 0};
}

cad_str test_read_golden(const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/tests/golden/manifest/%s", CAD_SOURCE_DIR, name);
    FILE *stream = fopen(path, "rb");
    assert_non_null(stream);
    assert_int_equal(fseek(stream, 0, SEEK_END), 0);
    int64_t size = ftell(stream);
    assert_true(size > 0);
    rewind(stream);
    char *text = malloc((size_t)size);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, (size_t)size, stream), size);
    (void)fclose(stream);
    return cad_str_make(text, (size_t)size);
}

void test_free_text(cad_str *text)
{
    free((void *)(uintptr_t)text->p);
    *text = (cad_str){NULL, 0};
}

/* ---- members ----------------------------------------------------------------------------- */

static char letter_of(enum cad_json_type type)
{
    switch (type) {
    case CAD_JSON_OBJECT_BEGIN: return 'o';
    case CAD_JSON_ARRAY_BEGIN: return 'a';
    case CAD_JSON_STRING: return 's';
    case CAD_JSON_NUMBER: return 'n';
    case CAD_JSON_TRUE:
    case CAD_JSON_FALSE: return 'b';
    default: return 'z';
    }
}

bool find_member(cad_str document, uint32_t n, struct member *out)
{
    struct cad_json j;
    uint32_t streams_depth = 0; /* depth inside the array named streams, 0 outside */
    bool enters_streams = false;
    cad_json_init(&j, document, NULL);
    for (;;) {
        enum cad_json_type type = cad_json_next(&j);
        assert_int_not_equal(type, CAD_JSON_ERROR);
        if (type == CAD_JSON_END) return false;
        if (type == CAD_JSON_ARRAY_BEGIN && enters_streams) streams_depth = cad_json_depth(&j);
        if (type == CAD_JSON_ARRAY_END && cad_json_depth(&j) < streams_depth) streams_depth = 0;
        enters_streams = false;
        if (type != CAD_JSON_KEY) continue;
        enters_streams = cad_json_key_is(&j, "streams");
        if (n-- > 0) continue;
        out->key = cad_json_raw(&j);
        out->depth = cad_json_depth(&j);
        out->in_stream = streams_depth > 0;
        out->type = letter_of(cad_json_next(&j));
        size_t from = cad_json_offset(&j);
        assert_int_equal(cad_json_skip(&j), 0);
        out->value = cad_str_sub(document, from, j.at - from);
        return true;
    }
}

struct member named_member(cad_str document, const char *key, uint32_t n)
{
    struct member member;
    for (uint32_t i = 0; find_member(document, i, &member); i++) {
        if (cad_str_eqz(member.key, key) && n-- == 0) return member;
    }
    fail_msg("no member %s", key);
    return member;
}

void edit_member(cad_str document, const struct member *member, const char *replacement,
                 struct cad_sb *out)
{
    size_t from = (size_t)(member->value.p - document.p);
    size_t to = from + member->value.n;
    if (!replacement) {
        from = (size_t)(member->key.p - document.p) - 1;
        while (cad_is_space(document.p[to])) to++;
        if (document.p[to] == ',') {
            to++;
        } else {
            while (cad_is_space(document.p[from - 1])) from--;
            if (document.p[from - 1] == ',') from--;
        }
    }
    cad_sb_reset(out);
    cad_sb_put(out, cad_str_sub(document, 0, from));
    if (replacement) cad_sb_putz(out, replacement);
    cad_sb_put(out, cad_str_sub(document, to, document.n));
    assert_int_equal(cad_sb_error(out), 0);
}

struct outcome parse_edited(cad_str document, const char *key, uint32_t n,
                            const char *replacement)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    struct member member = named_member(document, key, n);
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    edit_member(document, &member, replacement, &text);
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    cad_sb_deinit(&text);
    return o;
}

/* ---- the small manifest ------------------------------------------------------------------ */

static const char good_url[] =
    "[{\"cdn_id\":1,\"url\":\"https://h1.test/v?o=1&e=1772367600&t=T\"}]";

void small_manifest(const struct small *parts, struct cad_sb *out)
{
    cad_sb_printf(out,
                  "{%s\"movieId\":7,\"playbackContextId\":\"C\",\"duration\":60000,"
                  "\"expiration\":1772367600000,"
                  "\"links\":{\"events\":{\"href\":\"/events\"}},"
                  "\"servers\":[{\"id\":1,\"dns\":{\"host\":\"h1.test\"}}],",
                  parts->top ? parts->top : "");
    cad_sb_printf(out,
                  "\"video_tracks\":[{%s\"new_track_id\":\"V\",\"streams\":[{%s"
                  "\"downloadable_id\":\"v\",\"content_profile\":\"h264mpl40-dash-clear\","
                  "\"bitrate\":1000,\"size\":90000,\"res_w\":640,\"res_h\":360,\"isDrm\":false,"
                  "\"moov\":{\"offset\":36,\"size\":800},\"sidx\":{\"offset\":836,\"size\":64},"
                  "\"urls\":%s}]}],",
                  parts->track ? parts->track : "", parts->stream ? parts->stream : "",
                  parts->urls ? parts->urls : good_url);
    cad_sb_printf(out,
                  "\"audio_tracks\":[{\"new_track_id\":\"A\",\"streams\":[{"
                  "\"downloadable_id\":\"a\",\"content_profile\":\"heaac-2-dash\","
                  "\"bitrate\":96,\"size\":9000,\"isDrm\":false,"
                  "\"moov\":{\"offset\":36,\"size\":800},\"sidx\":{\"offset\":836,\"size\":64},"
                  "\"urls\":[{\"cdn_id\":1,\"url\":\"https://h1.test/a?o=1&t=T\"}]}]}]}");
    assert_int_equal(cad_sb_error(out), 0);
}

struct outcome parse_small(const struct small *parts)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    small_manifest(parts, &text);
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    cad_sb_deinit(&text);
    return o;
}

/* ---- MPDs -------------------------------------------------------------------------------- */

struct outcome parse_mpd(const char *attributes, const char *inner)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    cad_sb_printf(&text, "<MPD xmlns='urn:mpeg:dash:schema:mpd:2011' %s>%s</MPD>", attributes,
                  inner);
    assert_int_equal(cad_sb_error(&text), 0);
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    cad_sb_deinit(&text);
    return o;
}

struct outcome parse_set(const char *set, const char *inner)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb text;
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    cad_sb_printf(&text, "<Period><AdaptationSet %s>%s</AdaptationSet></Period>", set, inner);
    assert_int_equal(cad_sb_error(&text), 0);
    struct outcome o = parse_mpd("mediaPresentationDuration='PT20S'", cad_sb_z(&text));
    cad_sb_deinit(&text);
    return o;
}

static void assert_dump(struct outcome *o, const char *part)
{
    if (o->rc != 0) fail_msg("%s", o->error.message);
    cad_str dump = cad_str_from_buf(o->dump);
    if (cad_str_find(dump, cad_str_from(part)) < 0) {
        fail_msg("no %s in %.*s", part, CAD_STR_ARG(dump));
    }
    outcome_free(o);
}

void assert_mpd_dump(const char *attributes, const char *inner, const char *part)
{
    struct outcome o = parse_mpd(attributes, inner);
    assert_dump(&o, part);
}

void assert_set_dump(const char *set, const char *inner, const char *part)
{
    struct outcome o = parse_set(set, inner);
    assert_dump(&o, part);
}

/* ---- looking at a model ------------------------------------------------------------------ */

const struct cad_track *track_of(const struct outcome *o, const char *id)
{
    if (!o->presentation) return NULL;
    const struct cad_period *period = &o->presentation->periods[0];
    for (uint32_t i = 0; i < period->track_count; i++) {
        if (cad_str_eqz(period->tracks[i].id, id)) return &period->tracks[i];
    }
    return NULL;
}

const struct cad_representation *rep_of(const struct outcome *o, const char *id)
{
    if (!o->presentation) return NULL;
    const struct cad_period *period = &o->presentation->periods[0];
    for (uint32_t t = 0; t < period->track_count; t++) {
        for (uint32_t i = 0; i < period->tracks[t].representation_count; i++) {
            const struct cad_representation *rep = &period->tracks[t].representations[i];
            if (cad_str_eqz(rep->id, id)) return rep;
        }
    }
    return NULL;
}

void assert_str(cad_str s, const char *expected)
{
    if (cad_str_eqz(s, expected)) return;
    fail_msg("\"%.*s\" is not \"%s\"", CAD_STR_ARG(s), expected);
}
