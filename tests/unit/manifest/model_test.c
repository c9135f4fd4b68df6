/* Goal: a bare file becomes a whole model of its own memory, which is given back in one stroke. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "support/failing_alloc.h"

static void test_model_of_a_url(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_presentation *p = NULL;
    char url[] = "https://host.test:8443/a/v.mp4?x=1";
    assert_int_equal(cad_presentation_from_mp4(&alloc, cad_str_from(url), &p), 0);
    memset(url, '?', sizeof(url) - 1); /* the model points into no input */
    assert_int_equal(p->format, CAD_FORMAT_MP4);
    assert_true(p->duration == CAD_TIME_NONE && p->bookmark == CAD_TIME_NONE);
    assert_int_equal(p->server_count, 1);
    assert_str(p->servers[0].host, "host.test:8443");
    assert_str(p->servers[0].id, "host.test:8443");
    assert_int_equal(p->period_count, 1);
    assert_int_equal(p->periods[0].track_count, 1);
    const struct cad_track *track = &p->periods[0].tracks[0];
    assert_int_equal(track->type, CAD_MEDIA_OTHER);
    assert_true(track->is_default);
    assert_int_equal(track->representation_count, 1);
    const struct cad_representation *r = &track->representations[0];
    assert_int_equal(r->bandwidth_bps, 0);
    assert_int_equal(r->size_bytes, -1);
    assert_int_equal(r->init.first, -1);
    assert_int_equal(r->index.first, -1);
    assert_int_equal(r->location_count, 1);
    assert_str(r->locations[0].url, "https://host.test:8443/a/v.mp4?x=1");
    assert_false(r->locations[0].range_in_path);
    assert_int_equal(p->overrides.buffer_target_ms, -1);
    assert_true(p->arena_bytes > 0);
    cad_presentation_destroy(&p);
    assert_null(p);
    cad_presentation_destroy(&p);
    cad_presentation_destroy(NULL);
}

static void test_model_of_a_file(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_presentation *p = NULL;
    assert_int_equal(cad_presentation_from_mp4(&alloc, CAD_STR("file:///tmp/a.mp4"), &p), 0);
    assert_str(p->servers[0].host, "");
    assert_str(p->servers[0].id, "file");
    cad_presentation_destroy(&p);
}

static void test_model_refuses(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_presentation *p = NULL;
    static const char *const urls[] = {"", "a.mp4", "/a.mp4", "https://h/a b", "https://h/\x01"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(urls); i++) {
        assert_int_equal(cad_presentation_from_mp4(&alloc, cad_str_from(urls[i]), &p), CAD_E_INVAL);
    }
    assert_int_equal(cad_presentation_from_mp4(NULL, CAD_STR("https://h/a"), &p), CAD_E_INVAL);
    assert_int_equal(cad_presentation_from_mp4(&alloc, CAD_STR("https://h/a"), NULL), CAD_E_INVAL);
    assert_null(p);
}

static void test_model_survives_lack_of_memory(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_presentation *p = NULL;
        int rc = cad_presentation_from_mp4(&alloc, CAD_STR("https://h/a.mp4"), &p);
        assert_int_equal(rc, f.failed ? CAD_E_NOMEM : 0);
        if (rc == 0) assert_true((uint64_t)f.live_bytes <= p->arena_bytes);
        cad_presentation_destroy(&p);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_of_a_url),
        cmocka_unit_test(test_model_of_a_file),
        cmocka_unit_test(test_model_refuses),
        cmocka_unit_test(test_model_survives_lack_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
