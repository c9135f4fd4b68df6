/*
 * Goal: media that are not what they should be cost a rung, not the session; when nothing is left
 * to play the error says what was wrong. Nothing broken reaches the decoder.
 */
#include "driver.h"

#include <string.h>

/* First byte of segment n of a stream. */
static int64_t segment_start(const struct drv *d, int32_t stream, uint32_t n)
{
    int64_t at = d->stream[stream].header_bytes;
    for (uint32_t i = 0; i < n; i++) at = drv_segment(d, stream, at).bytes.last + 1;
    return at;
}

/* From byte `skip` of segment n on everything is 0xAA. */
static void spoil(struct drv *d, int32_t stream, uint32_t n, int64_t skip)
{
    struct drv_rule *rule = drv_rule(d, -1, stream, DRV_GARBAGE, 0);
    rule->answer.value = segment_start(d, stream, n) + skip;
}

static void playing(struct drv *d)
{
    d->options.rate_bps = 2000000;
    d->strict_bytes = false; /* what turned out to be garbage may be asked for elsewhere */
    drv_load(d, 1);
}

static void lives_on(struct drv *d, cad_time for_time)
{
    drv_play_for(d, for_time);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

static void test_broken_fragment(void **state)
{
    static const int64_t skips[] = {0, 4, 8, 20, 60, 100};
    for (size_t i = 0; i < sizeof skips / sizeof skips[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        spoil(d, 2, 6, skips[i]);
        playing(d);
        lives_on(d, 25 * CAD_SECOND);
        assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
        assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_MEDIA_BAD);
        assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.track, CAD_SLOT_VIDEO);
        assert_int_equal(drv_slot_stats(d, CAD_SLOT_VIDEO).rung_count, 2);
    }
}

/* The bytes of another segment, in themselves whole: their times say where they belong. */
static void test_broken_place(void **state)
{
    static const uint32_t places[] = {0, 5, 7, 20};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct drv *d = drv_renew(state, NULL);
        drv_pin(d, 2);
        struct drv_rule *rule = drv_rule(d, -1, 2, DRV_ELSEWHERE, segment_start(d, 2, places[i]));
        rule->first_min = segment_start(d, 2, 6);
        rule->left = 1;
        playing(d);
        drv_play_for(d, 10 * CAD_SECOND);
        drv_pin(d, -1);
        lives_on(d, 15 * CAD_SECOND);
        assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
        assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_MEDIA_BAD);
    }
}

/* Held when it is found out: the pictures before it were shown, those after it come from
 * elsewhere. */
static void test_broken_fragment_shows_every_picture(void **state)
{
    struct drv *d = *state;
    spoil(d, 2, 6, 8);
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 80 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    uint32_t shown = 0;
    for (uint32_t i = 0; i < slot->count; i++) {
        shown += (slot->samples[i].flags & CAD_SAMPLE_DECODE_ONLY) == 0;
    }
    assert_int_equal(shown, 60 * 25);
}

static void test_broken_all_rungs(void **state)
{
    struct drv *d = *state;
    for (int32_t i = 0; i < DRV_RUNGS; i++) spoil(d, i, 6, 0);
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 40 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MEDIA_BAD);
    assert_int_equal(drv_fatal(d)->track, CAD_SLOT_VIDEO);
    /* what was good was played */
    assert_true(drv_stats(d).position >= 10 * CAD_SECOND);
}

static void test_broken_sound(void **state)
{
    struct drv *d = *state;
    spoil(d, DRV_AUDIO, 6, 0);
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 40 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MEDIA_BAD);
    assert_int_equal(drv_fatal(d)->track, CAD_SLOT_AUDIO);
}

static void test_broken_first_fragment(void **state)
{
    struct drv *d = *state;
    spoil(d, 2, 0, 0);
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    lives_on(d, 5 * CAD_SECOND);
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].samples[0].pts, 0);
}

static void test_broken_header_of_a_rung(void **state)
{
    struct drv *d = *state;
    drv_rule(d, -1, 2, DRV_GARBAGE, 0);
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    lives_on(d, 10 * CAD_SECOND);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
}

static void fails(struct drv *d, enum cad_error_code code)
{
    playing(d);
    d->options.rate_bps = 0;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, code);
    assert_int_equal(drv_count(d, CAD_APP_FIRST_FRAME), 0);
    assert_int_equal(drv_open_requests(d), 0);
}

static void patch_all(struct drv *d, const char *from, const char *to)
{
    for (int32_t i = 0; i < DRV_RUNGS; i++) drv_patch(d, i, from, to);
}

static void test_broken_moov(void **state)
{
    struct drv *d = *state;
    patch_all(d, "mdhd", "free");
    fails(d, CAD_ERR_MEDIA_BAD);
}

static void test_no_moov(void **state)
{
    struct drv *d = *state;
    patch_all(d, "moov", "free");
    playing(d);
    d->options.rate_bps = 0;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->domain, CAD_DOMAIN_MEDIA);
}

static void test_no_sidx(void **state)
{
    struct drv *d = *state;
    patch_all(d, "sidx", "free");
    fails(d, CAD_ERR_MEDIA_NO_INDEX);
}

static void test_no_sidx_in_one_rung(void **state)
{
    struct drv *d = *state;
    drv_patch(d, 2, "sidx", "free");
    playing(d);
    assert_true(drv_until_state(d, CAD_STATE_PLAYING, 10 * CAD_SECOND));
    lives_on(d, 10 * CAD_SECOND);
}

static void test_no_sidx_in_a_bare_file(void **state)
{
    struct drv *d = *state;
    drv_patch(d, 0, "sidx", "free");
    d->strict_bytes = false;
    drv_load_url(d, "http://h0/v0.mp4", 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    assert_int_equal(drv_fatal(d)->code, CAD_ERR_MEDIA_NO_INDEX);
}

static void test_unknown_sample_entry(void **state)
{
    struct drv *d = *state;
    patch_all(d, "avc1", "zzz9");
    fails(d, CAD_ERR_MEDIA_CODEC);
}

/* Nothing in this version opens protected media: whatever the manifest said of it. */
static void test_encrypted_sample_entry(void **state)
{
    struct drv *d = *state;
    patch_all(d, "avc1", "encv");
    playing(d);
    d->options.rate_bps = 0;
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    enum cad_error_domain domain = drv_fatal(d)->domain;
    assert_true(domain == CAD_DOMAIN_DRM || domain == CAD_DOMAIN_MEDIA);
    assert_int_equal(d->sink.slot[CAD_SLOT_VIDEO].count, 0);
}

static void test_encrypted_by_manifest(void **state)
{
    struct drv *d = *state;
    char *text = drv_manifest_text(d);
    for (char *p = text; (p = strstr(p, "\"isDrm\":false")) != NULL; p++) {
        memcpy(p, "\"isDrm\":true ", 13);
    }
    d->manifest = text;
    drv_load(d, 1);
    assert_true(drv_until_state(d, CAD_STATE_FAILED, 5 * CAD_SECOND));
    enum cad_error_domain domain = drv_fatal(d)->domain;
    assert_true(domain == CAD_DOMAIN_DRM || domain == CAD_DOMAIN_MANIFEST);
    assert_int_equal(d->request_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_broken_fragment),
        DRV_TEST(test_broken_place),
        DRV_TEST(test_broken_fragment_shows_every_picture),
        DRV_TEST(test_broken_all_rungs),
        DRV_TEST(test_broken_sound),
        DRV_TEST(test_broken_first_fragment),
        DRV_TEST(test_broken_header_of_a_rung),
        DRV_TEST(test_broken_moov),
        DRV_TEST(test_no_moov),
        DRV_TEST(test_no_sidx),
        DRV_TEST(test_no_sidx_in_one_rung),
        DRV_TEST(test_no_sidx_in_a_bare_file),
        DRV_TEST(test_unknown_sample_entry),
        DRV_TEST(test_encrypted_sample_entry),
        DRV_TEST(test_encrypted_by_manifest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
