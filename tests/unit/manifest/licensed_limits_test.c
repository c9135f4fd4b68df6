/* Goal: every limit of section 4 holds at n and refuses n + 1, and time stays linear in size. */
#include "manifest_support.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define TEXT_BYTES_MAX (32u << 20)

static struct cad_sb text; /* the document under test */

static int setup(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    cad_sb_deinit(&text);
    return 0;
}

static void assert_text(const struct cad_manifest_options *options, bool fits)
{
    assert_int_equal(cad_sb_error(&text), 0);
    struct outcome o = test_parse(cad_sb_str(&text), options, 0);
    if (fits) {
        if (o.rc != 0) fail_msg("%s: %s", cad_error_name(o.error.code), o.error.message);
    } else {
        assert_int_equal(o.rc, CAD_E_LIMIT);
        assert_int_equal(o.error.code, CAD_ERR_MANIFEST_LIMIT);
    }
    outcome_free(&o);
}

/* ---- counts ---------------------------------------------------------------------------------- */

/* "name":[element, element...], with n of them; %u in an element is its number. */
static void put_array(struct cad_sb *out, const char *name, const char *element, uint32_t n)
{
    cad_sb_printf(out, "\"%s\":[", name);
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0) cad_sb_putc(out, ',');
        cad_str rest = cad_str_from(element);
        cad_str part;
        bool first = true;
        while (cad_str_split(&rest, '#', &part)) {
            if (!first) cad_sb_u64(out, i);
            cad_sb_put(out, part);
            first = false;
        }
    }
    cad_sb_putz(out, "],");
}

/* Where the array of a limit stands, what an element is, and how many are allowed. */
static const struct counted {
    const char *place; /* top, track or stream */
    const char *name;
    const char *element; /* # is replaced by its number */
    uint32_t limit;
} counts[] = {
    {"top", "audio_tracks",
     "{\"new_track_id\":\"A#\",\"streams\":[{\"downloadable_id\":\"a#\",\"content_profile\":"
     "\"heaac-2-dash\",\"bitrate\":96,\"isDrm\":false,\"urls\":[{\"url\":\"https://h/\"}]}]}",
     64},
    {"top", "video_tracks",
     "{\"new_track_id\":\"V#\",\"streams\":[{\"downloadable_id\":\"v#\",\"content_profile\":"
     "\"h264mpl40-dash\",\"bitrate\":96,\"res_w\":1,\"res_h\":1,\"isDrm\":false,"
     "\"urls\":[{\"url\":\"https://h/\"}]}]}",
     16},
    {"top", "timedtexttracks", "{\"new_track_id\":\"T#\",\"isNoneTrack\":true}", 256},
    {"top", "servers", "{\"id\":#,\"dns\":{\"host\":\"h1.test\"}}", 64},
    {"top", "locations", "{\"key\":\"k#\"}", 16},
    {"top", "trickplays", "{\"id\":\"i#\",\"urls\":[\"https://h1.test/\"]}", 64},
    {"top", "defaultTrackOrderList", "{\"audioTrackId\":\"A\",\"preferenceOrder\":#}", 1024},
    {"top", "timecodeAnnotations",
     "{\"type\":\"t\",\"startOffsetMs\":#,\"endOffsetMs\":99999}", 1024},
    {"track", "prkDrmHeaders", "{\"drmHeaderId\":\"#\",\"bytes\":\"AAAA\"}", 64},
    {"track", "streams",
     "{\"downloadable_id\":\"s#\",\"content_profile\":\"h264mpl40-dash\",\"bitrate\":9,"
     "\"res_w\":1,\"res_h\":1,\"isDrm\":false,\"urls\":[{\"url\":\"https://h/\"}]}",
     64},
    {"stream", "urls", "{\"cdn_id\":1,\"url\":\"https://h1.test/#\"}", 32},
};

static void put_counted(const struct counted *c, uint32_t n)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_sb array;
    cad_sb_init(&array, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
    put_array(&array, c->name, c->element, n);
    struct small parts = {NULL, NULL, NULL, NULL};
    if (strcmp(c->place, "top") == 0) parts.top = cad_sb_z(&array);
    if (strcmp(c->place, "track") == 0) parts.track = cad_sb_z(&array);
    if (strcmp(c->place, "stream") == 0) parts.stream = cad_sb_z(&array);
    cad_sb_reset(&text);
    small_manifest(&parts, &text);
    cad_sb_deinit(&array);
}

static void test_limits_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(counts); i++) {
        put_counted(&counts[i], counts[i].limit);
        assert_text(NULL, true);
        put_counted(&counts[i], counts[i].limit + 1);
        assert_text(NULL, false);
    }
}

/* The caller's limits are what counts. */
static void test_limits_are_options(void **state)
{
    (void)state;
    struct cad_manifest_options options = test_options();
    options.limits.urls = 3;
    put_counted(&counts[CAD_ARRAY_LEN(counts) - 1], 3);
    assert_text(&options, true);
    put_counted(&counts[CAD_ARRAY_LEN(counts) - 1], 4);
    assert_text(&options, false);
}

static void test_limits_text_files(void **state)
{
    (void)state;
    for (uint32_t n = 64; n <= 65; n++) {
        struct cad_alloc alloc = cad_alloc_system();
        struct cad_sb top;
        cad_sb_init(&top, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
        cad_sb_putz(&top, "\"timedtexttracks\":[{\"new_track_id\":\"T\",\"isNoneTrack\":true,"
                          "\"ttDownloadables\":{");
        for (uint32_t i = 0; i < n; i++) cad_sb_printf(&top, "%s\"p%u\":{}", i ? "," : "", i);
        cad_sb_putz(&top, "}}],");
        cad_sb_reset(&text);
        small_manifest(&(struct small){.top = cad_sb_z(&top)}, &text);
        assert_text(NULL, n == 64);
        cad_sb_deinit(&top);
    }
}

/* Hosts that no published server has count as servers: one is published. */
static void test_limits_hosts(void **state)
{
    (void)state;
    for (uint32_t n = 63; n <= 64; n++) {
        struct cad_alloc alloc = cad_alloc_system();
        struct cad_sb tracks;
        cad_sb_init(&tracks, &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
        put_array(&tracks, "trickplays", "{\"id\":\"i#\",\"urls\":[\"https://h#.x/\"]}", n);
        cad_sb_reset(&text);
        small_manifest(&(struct small){.top = cad_sb_z(&tracks)}, &text);
        assert_text(NULL, n == 63);
        cad_sb_deinit(&tracks);
    }
}

/* ---- depth, texts, size ---------------------------------------------------------------------- */

static void test_limits_depth(void **state)
{
    (void)state;
    for (uint32_t depth = 32; depth <= 33; depth++) {
        struct cad_alloc alloc = cad_alloc_system();
        struct cad_sb nest;
        cad_sb_init(&nest, &alloc, CAD_MEM_OTHER, 4096);
        cad_sb_putz(&nest, "\"chapters\":");
        for (uint32_t i = 1; i < depth; i++) cad_sb_putc(&nest, '[');
        for (uint32_t i = 1; i < depth; i++) cad_sb_putc(&nest, ']');
        cad_sb_putc(&nest, ',');
        cad_sb_reset(&text);
        small_manifest(&(struct small){.top = cad_sb_z(&nest)}, &text);
        assert_text(NULL, depth == 32);
        cad_sb_deinit(&nest);
    }
}

/* Any text counts, also of a member that is not read. */
static void test_limits_string(void **state)
{
    (void)state;
    static const char *const names[] = {"packageId", "whatever", "playbackContextId"};
    for (size_t k = 0; k < CAD_ARRAY_LEN(names); k++) {
        for (uint32_t n = 256u << 10; n <= (256u << 10) + 1; n++) {
            cad_sb_reset(&text);
            cad_sb_printf(&text, "{\"%s\":\"", names[k]);
            for (uint32_t i = 0; i < n; i++) cad_sb_putc(&text, 'x');
            cad_sb_putz(&text, "\",");
            size_t at = cad_sb_str(&text).n;
            small_manifest(&(struct small){NULL, NULL, NULL, NULL}, &text);
            text.p[at] = ' '; /* its opening brace */
            assert_text(NULL, n == 256u << 10);
        }
    }
}

static void test_limits_document(void **state)
{
    (void)state;
    for (uint32_t n = 8u << 20; n <= (8u << 20) + 1; n++) {
        cad_sb_reset(&text);
        small_manifest(&(struct small){NULL, NULL, NULL, NULL}, &text);
        while (cad_sb_str(&text).n < n) cad_sb_putc(&text, ' ');
        assert_text(NULL, n == 8u << 20);
    }
}

/* ---- work ------------------------------------------------------------------------------------ */

static uint32_t steps_of(uint32_t streams)
{
    put_counted(&counts[9], streams);
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    options.limits.streams = 100000;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    uint32_t calls = 1;
    cad_buf document = cad_buf_from_str(cad_sb_str(&text));
    while (cad_manifest_parser_step(parser, document, 64) == CAD_E_AGAIN) calls++;
    struct cad_presentation *p = NULL;
    assert_int_equal(cad_manifest_parser_take(parser, &p), 0);
    assert_int_equal(p->periods[0].tracks[0].representation_count, streams);
    cad_presentation_destroy(&p);
    cad_manifest_parser_destroy(&parser);
    return calls;
}

/* Steps grow with the number of tokens, no faster. */
static void test_limits_steps_are_linear(void **state)
{
    (void)state;
    uint32_t a = steps_of(500);
    uint32_t b = steps_of(1000);
    assert_true(b < a * 2 + a / 10);
    assert_true(b > a * 2 - a / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits_counts),
        cmocka_unit_test(test_limits_are_options),
        cmocka_unit_test(test_limits_text_files),
        cmocka_unit_test(test_limits_hosts),
        cmocka_unit_test(test_limits_depth),
        cmocka_unit_test(test_limits_string),
        cmocka_unit_test(test_limits_document),
        cmocka_unit_test(test_limits_steps_are_linear),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
