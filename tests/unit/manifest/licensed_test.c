/* Goal: the two examples of the specification, whole, cut, in steps, moved, and short of memory. */
#include "manifest_support.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "support/failing_alloc.h"

static void assert_range(struct cad_range range, int64_t first, int64_t last)
{
    assert_int_equal(range.first, first);
    assert_int_equal(range.last, last);
}

static void test_licensed_example_a(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-a.json");
    struct outcome o = test_parse(text, NULL, 0);
    assert_int_equal(o.rc, 0);
    const struct cad_presentation *p = o.presentation;
    assert_int_equal(p->format, CAD_FORMAT_LICENSED);
    assert_str(p->id, "900100");
    assert_str(p->context_id, "CTX-demo-1");
    assert_int_equal(p->duration, 10 * CAD_SECOND);
    assert_true(p->bookmark == CAD_TIME_NONE);
    assert_int_equal(p->server_time_ms, 1772324400000);
    assert_int_equal(p->expiry_ms, 1772367600000);
    assert_int_equal(p->keep, 28800 * CAD_SECOND);
    assert_str(p->links.license, "https://svc.test/license?licenseType=standard&"
                                 "playbackContextId=CTX-demo-1");
    assert_str(p->links.logblob, "https://svc.test/log/cadmium/logblob/1");
    assert_int_equal(p->overrides.buffer_target_ms, 60000);
    assert_int_equal(p->overrides.rate_max_bps, -1);
    assert_int_equal(p->server_count, 3);
    assert_int_equal(p->periods[0].track_count, 5);
    assert_int_equal(p->warnings, 0);
    assert_int_equal(p->unknown_fields, 0);
    assert_int_equal(p->duplicate_keys, 0);
    assert_true(track_of(&o, "T:2:1;1;NONE;0;1;0;")->is_none);
    assert_true(track_of(&o, "T:2:1;1;NONE;0;1;0;")->is_default);
    assert_str(track_of(&o, "T:2:0;1;en;0;0;0;")->role, "ASSISTIVE");

    const struct cad_representation *r = rep_of(&o, "1002");
    assert_non_null(r);
    assert_true(r->encrypted);
    assert_str(r->drm_header_id, "00000000000000000000000000000002");
    assert_int_equal(r->bandwidth_bps, 1750000);
    assert_int_equal(r->peak_bps, 2900000);
    assert_int_equal(r->size_bytes, 2187500);
    assert_range(r->init, 28, 1227);
    assert_range(r->index, 1228, 1319);
    assert_int_equal(r->header_bytes, 1320);
    assert_int_equal(r->vmaf_milli, 92000);
    assert_int_equal(r->frame_rate_num, 24);
    assert_int_equal(r->location_count, 2);
    assert_int_equal(r->locations[1].server, 2);
    assert_true(r->locations[0].range_in_path);
    assert_int_equal(r->locations[0].expiry_ms, 1772367600000);
    outcome_free(&o);
    test_free_text(&text);
}

/* One rung of each kind, servers from hosts, exactly three warnings, with and without a base. */
static void test_licensed_example_b(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-b.json");
    for (int with_base = 0; with_base < 2; with_base++) {
        struct cad_manifest_options options = test_options();
        if (!with_base) options.base_url = (cad_str){NULL, 0};
        struct outcome o = test_parse(text, &options, 0);
        assert_int_equal(o.rc, 0);
        assert_int_equal(o.presentation->warnings, 3);
        assert_int_equal(o.presentation->periods[0].track_count, 2);
        assert_int_equal(track_of(&o, "V:1")->representation_count, 1);
        assert_int_equal(track_of(&o, "A:1")->representation_count, 1);
        assert_str(track_of(&o, "V:1")->representations[0].id, "10");
        assert_str(track_of(&o, "A:1")->representations[0].id, "20");
        assert_int_equal(o.presentation->server_count, 1);
        assert_str(o.presentation->servers[0].host, "127.0.0.1:8081");
        assert_str(o.presentation->links.events,
                   with_base ? "https://svc.test/events?playbackContextId=CTX-demo-2" : "");
        outcome_free(&o);
    }
    test_free_text(&text);
}

static void test_licensed_without_http(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-b.json");
    struct cad_manifest_options options = test_options();
    options.allow_http = false;
    struct outcome o = test_parse(text, &options, 0);
    assert_int_equal(o.rc, CAD_E_NOTFOUND);
    assert_int_equal(o.error.code, CAD_ERR_MANIFEST_NO_MEDIA);
    outcome_free(&o);
    test_free_text(&text);
}

static void test_licensed_without_drm(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-a.json");
    struct cad_manifest_options options = test_options();
    options.allow_drm = false;
    struct outcome o = test_parse(text, &options, 0);
    assert_int_equal(o.rc, CAD_E_NOTFOUND);
    assert_int_equal(o.error.code, CAD_ERR_MANIFEST_NO_MEDIA);
    assert_non_null(strstr(o.error.message, "encrypted"));
    outcome_free(&o);
    test_free_text(&text);
}

/* ---- the same result whatever the steps ------------------------------------------------------ */

static void test_licensed_steps(void **state)
{
    (void)state;
    static const char *const names[] = {"example-a.json", "example-b.json"};
    static const uint32_t steps[] = {1, 2, 7, 100};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        cad_str text = test_read_golden(names[i]);
        struct outcome whole = test_parse(text, NULL, 0);
        for (size_t k = 0; k < CAD_ARRAY_LEN(steps); k++) {
            struct outcome o = test_parse(text, NULL, steps[k]);
            assert_int_equal(o.rc, 0);
            assert_int_equal(o.dump.n, whole.dump.n);
            assert_memory_equal(o.dump.p, whole.dump.p, whole.dump.n);
            outcome_free(&o);
        }
        outcome_free(&whole);
        test_free_text(&text);
    }
}

/* The bytes may lie elsewhere on every call. */
static void test_licensed_document_moves(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-a.json");
    struct outcome whole = test_parse(text, NULL, 0);
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *p = NULL;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    int rc = CAD_E_AGAIN;
    while (rc == CAD_E_AGAIN) {
        uint8_t *copy = malloc(text.n);
        assert_non_null(copy);
        memcpy(copy, text.p, text.n);
        rc = cad_manifest_parser_step(parser, (cad_buf){copy, text.n}, 5);
        free(copy);
    }
    assert_int_equal(rc, 0);
    assert_int_equal(cad_manifest_parser_take(parser, &p), 0);
    cad_buf dump;
    assert_int_equal(cad_presentation_dump(p, &options.alloc, &dump), 0);
    assert_int_equal(dump.n, whole.dump.n);
    assert_memory_equal(dump.p, whole.dump.p, dump.n);
    cad_alloc_free(&options.alloc, (void *)(uintptr_t)dump.p, dump.n, CAD_MEM_OTHER);
    cad_presentation_destroy(&p);
    cad_manifest_parser_destroy(&parser);
    outcome_free(&whole);
    test_free_text(&text);
}

/* Every call is bounded: with one token a step, a parse takes at least its tokens. */
static void test_licensed_step_is_bounded(void **state)
{
    (void)state;
    cad_str text = test_read_golden("example-b.json");
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    assert_int_equal(cad_manifest_parser_create(&options, &parser), 0);
    uint32_t calls = 1;
    while (cad_manifest_parser_step(parser, cad_buf_from_str(text), 1) == CAD_E_AGAIN) calls++;
    assert_true(calls > 150);
    assert_true(calls < 400);
    cad_manifest_parser_destroy(&parser);
    test_free_text(&text);
}

/* ---- broken input and lack of memory --------------------------------------------------------- */

static void test_licensed_truncated(void **state)
{
    (void)state;
    static const char *const names[] = {"example-a.json", "example-b.json"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        cad_str text = test_read_golden(names[i]);
        size_t whole = text.n;
        while (cad_is_space(text.p[whole - 1])) whole--;
        for (size_t n = 0; n < whole; n++) {
            char *cut = malloc(n + (n == 0)); /* so that a read past the end is seen */
            assert_non_null(cut);
            memcpy(cut, text.p, n);
            struct outcome o = test_parse(cad_str_make(cut, n), NULL, 0);
            assert_int_equal(o.rc, CAD_E_DATA);
            assert_int_equal(o.error.code, CAD_ERR_MANIFEST_BAD);
            outcome_free(&o);
            free(cut);
        }
        test_free_text(&text);
    }
}

/* 0 when the whole way from create to dump worked. */
static int parse_with(const struct cad_alloc *alloc, cad_str text)
{
    struct cad_manifest_options options = test_options();
    struct cad_manifest_parser *parser = NULL;
    struct cad_presentation *p = NULL;
    cad_buf dump = {NULL, 0};
    options.alloc = *alloc;
    int rc = cad_manifest_parser_create(&options, &parser);
    if (rc == 0) rc = cad_manifest_parser_step(parser, cad_buf_from_str(text), UINT32_MAX);
    if (rc == CAD_E_NOMEM && parser) {
        struct cad_manifest_error error;
        cad_manifest_parser_error(parser, &error);
        assert_int_equal(error.code, CAD_ERR_OUT_OF_MEMORY);
    }
    if (rc == 0) rc = cad_manifest_parser_take(parser, &p);
    if (rc == 0) rc = cad_presentation_dump(p, alloc, &dump);
    cad_alloc_free(alloc, (void *)(uintptr_t)dump.p, dump.n, CAD_MEM_OTHER);
    cad_presentation_destroy(&p);
    cad_manifest_parser_destroy(&parser);
    return rc;
}

static void test_licensed_survives_lack_of_memory(void **state)
{
    (void)state;
    static const char *const names[] = {"example-a.json", "example-b.json"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        cad_str text = test_read_golden(names[i]);
        for (uint64_t at = 1;; at++) {
            struct cad_failing f;
            cad_failing_init(&f, at);
            struct cad_alloc alloc = cad_failing_alloc(&f);
            int rc = parse_with(&alloc, text);
            assert_int_equal(rc, f.failed ? CAD_E_NOMEM : 0);
            assert_int_equal(f.live_blocks, 0);
            assert_int_equal(f.mismatches, 0);
            if (!f.failed) break;
            assert_true(at < 100000);
        }
        test_free_text(&text);
    }
}

/* ---- logs ------------------------------------------------------------------------------------ */

static bool leaked;
static uint32_t lines;

static void log_line(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    (void)ctx;
    (void)level;
    (void)now;
    lines++;
    if (cad_str_find(line, CAD_STR("SECRET")) >= 0) leaked = true;
}

/* Good and refused URLs alike: no token in any line, at the most talkative level. */
static void test_licensed_tokens_stay_out_of_logs(void **state)
{
    (void)state;
    struct small parts = {
        .urls = "[{\"cdn_id\":1,\"url\":\"https://h1.test/v?o=1&t=SECRET&sc=SECRET\"},"
                "{\"cdn_id\":2,\"url\":\"https://u:SECRET@h1.test/v?o=1&t=SECRET\"},"
                "{\"cdn_id\":3,\"url\":\"ftp://h1.test/v?t=SECRET#SECRET\"}]"};
    static char memory[8192];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    small_manifest(&parts, &text);
    struct cad_manifest_options options = test_options();
    options.log = (struct cad_log){log_line, NULL, CAD_LOG_TRACE};
    struct outcome o = test_parse(cad_sb_str(&text), &options, 0);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->warnings, 2);
    assert_int_equal(lines, 2);
    assert_false(leaked);
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_licensed_example_a),
        cmocka_unit_test(test_licensed_example_b),
        cmocka_unit_test(test_licensed_without_http),
        cmocka_unit_test(test_licensed_without_drm),
        cmocka_unit_test(test_licensed_steps),
        cmocka_unit_test(test_licensed_document_moves),
        cmocka_unit_test(test_licensed_step_is_bounded),
        cmocka_unit_test(test_licensed_truncated),
        cmocka_unit_test(test_licensed_survives_lack_of_memory),
        cmocka_unit_test(test_licensed_tokens_stay_out_of_logs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
