/* Goal: drm headers reach the model whole, broken ones go, and streams find theirs (5.7). */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define HEADER(id, bytes) "{\"drmHeaderId\":\"" id "\",\"bytes\":\"" bytes "\"}"

static void assert_key(const char *track, const char *stream, const char *expected)
{
    char members[256];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, members, sizeof(members));
    cad_sb_printf(&sb, "\"isDrm\":true,%s", stream);
    struct outcome o = parse_small(&(struct small){.track = track, .stream = members});
    const struct cad_representation *r = rep_of(&o, "v");
    if (!expected != !r) fail_msg("%s %s", track, stream);
    if (r) {
        assert_true(r->encrypted);
        assert_str(r->drm_header_id, expected);
    }
    outcome_free(&o);
}

static void test_keys_open_streams(void **state)
{
    (void)state;
    static const char one[] = "\"drmHeader\":" HEADER("d", "AAAA") ",";
    static const char two[] = "\"drmHeader\":" HEADER("d", "AAAA") ",\"prkDrmHeaders\":["
                              HEADER("p", "AAAA") "," HEADER("bad", "A") "],";
    static const char bad[] = "\"drmHeader\":" HEADER("d", "!!") ",\"prkDrmHeaders\":["
                              HEADER("p", "AAAA") "],";
    assert_key(one, "", "");
    assert_key(one, "\"drmHeaderId\":\"d\",", "d");
    assert_key(one, "\"drmHeaderId\":\"zz\",", ""); /* unknown: the track's default */
    assert_key(two, "\"drmHeaderId\":\"p\",", "p");
    assert_key(two, "\"drmHeaderId\":\"bad\",", NULL); /* its header was dropped */
    assert_key(bad, "\"drmHeaderId\":\"p\",", "p");
    assert_key(bad, "\"drmHeaderId\":\"d\",", NULL);
    assert_key(bad, "", NULL);
    assert_key("", "\"drmHeaderId\":\"p\",", NULL);
}

/* The default first, bytes and key ids decoded. */
static void test_keys_in_the_model(void **state)
{
    (void)state;
    cad_str document = test_read_golden("example-a.json");
    struct outcome o = test_parse(document, NULL, 0);
    const struct cad_track *track = track_of(&o, "V:2:1;2;default;-1;none;-1;");
    assert_int_equal(track->protection_count, 2);
    const struct cad_protection *key = track->protections;
    assert_true(key[0].is_default && !key[1].is_default);
    assert_str(key[0].id, "00000000000000000000000000000001");
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(key[i].has_key_id);
        for (uint32_t k = 0; k < 15; k++) assert_int_equal(key[i].key_id[k], 0);
        assert_int_equal(key[i].key_id[15], i + 1);
        assert_int_equal(key[i].init_data.n, 68);
        assert_memory_equal(key[i].init_data.p, "\0\0\0\x44pssh\1\0\0\0", 12);
    }
    assert_int_equal(track_of(&o, "A:2:1;2;en;1;0;")->protection_count, 0);
    outcome_free(&o);
    test_free_text(&document);
}

static void test_keys_ids_that_are_none(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool good;
        uint32_t warnings;
    } cases[] = {
        {"\"AAAAAAAAAAAAAAAAAAAAAQ==\"", true, 0}, {"\"AAAAAAAAAAAAAAAAAAAAAQ\"", true, 0},
        {"\"AAAAAAAAAAAAAAAAAAAA\"", false, 1},     {"\"AAAAAAAAAAAAAAAAAAAAAAAA\"", false, 1},
        {"\"!\"", false, 1},                        {"\"\"", false, 0},
        {"null", false, 0},                         {"7", false, 0},
    };
    cad_str document = test_read_golden("example-a.json");
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = parse_edited(document, "keyId", 0, cases[i].value);
        const struct cad_track *track = track_of(&o, "V:2:1;2;default;-1;none;-1;");
        assert_int_equal(track->protections[0].has_key_id, cases[i].good);
        assert_int_equal(o.presentation->warnings, cases[i].warnings);
        assert_int_equal(track->representation_count, 2);
        outcome_free(&o);
    }
    test_free_text(&document);
}

/* Without use for keys there are none in the model, and nothing is said about them. */
static void test_keys_not_wanted(void **state)
{
    (void)state;
    static char memory[4096];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    small_manifest(&(struct small){.track = "\"drmHeader\":" HEADER("d", "!") ","}, &text);
    struct cad_manifest_options options = test_options();
    options.allow_drm = false;
    struct outcome o = test_parse(cad_sb_str(&text), &options, 0);
    assert_int_equal(o.rc, 0);
    assert_int_equal(track_of(&o, "V")->protection_count, 0);
    assert_int_equal(o.presentation->warnings, 0);
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys_open_streams),
        cmocka_unit_test(test_keys_in_the_model),
        cmocka_unit_test(test_keys_ids_that_are_none),
        cmocka_unit_test(test_keys_not_wanted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
