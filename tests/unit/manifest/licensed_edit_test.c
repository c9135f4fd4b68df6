/*
 * Goal: a member of the wrong type counts as missing, null equals missing, and what is required is
 * required - for every member of both examples, by editing the documents.
 */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

/* A value of each type, and which letter of struct member it has. */
static const struct {
    char type;
    const char *value;
} values[] = {{'z', "null"}, {'b', "true"},  {'n', "7"},          {'n', "1.5"},
              {'s', "\"x\""}, {'a', "[]"},   {'a', "[[1],null]"}, {'o', "{}"},
              {'o', "{\"a\":[{}]}"}, {'n', "1e400"}};

/* Names that take numbers and texts alike. */
static bool is_id(cad_str key)
{
    static const char *const names[] = {
        "movieId", "id", "downloadable_id", "cdn_id", "new_track_id", "track_id", "videoTrackId",
        "audioTrackId", "subtitleTrackId", "imsc1.1"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (cad_str_eqz(key, names[i])) return true;
    }
    return false;
}

/* True if the value is of a type that the member may not have. */
static bool is_wrong(const struct member *member, char type, const char *value)
{
    bool scalar = type == 's' || type == 'n';
    /* Whatever its type, a number beyond what counts as an integer is no value. */
    if (strcmp(value, "1.5") == 0 || strcmp(value, "1e400") == 0) {
        if (member->type == 'n') return !cad_str_eqz(member->key, "vmaf");
        return !is_id(member->key) || member->type == 'n' || scalar;
    }
    if (is_id(member->key) && scalar) return false;
    return type != member->type;
}

static void assert_same(const struct outcome *a, const struct outcome *b,
                        const struct member *member, const char *value)
{
    bool same = a->rc == b->rc && a->error.code == b->error.code && a->dump.n == b->dump.n &&
                (a->dump.n == 0 || memcmp(a->dump.p, b->dump.p, a->dump.n) == 0);
    if (same) return;
    fail_msg("\"%.*s\":%s is not as missing:\n%d %.*s\n%d %.*s", CAD_STR_ARG(member->key), value,
             a->rc, (int)a->dump.n, (const char *)a->dump.p, b->rc, (int)b->dump.n,
             (const char *)b->dump.p);
}

static uint32_t check_document(const char *name)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_str document = test_read_golden(name);
    struct cad_sb text;
    struct member member;
    uint32_t checked = 0;
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, 1u << 20);
    for (uint32_t n = 0; find_member(document, n, &member); n++) {
        edit_member(document, &member, NULL, &text);
        struct outcome missing = test_parse(cad_sb_str(&text), NULL, 0);
        for (size_t i = 0; i < CAD_ARRAY_LEN(values); i++) {
            edit_member(document, &member, values[i].value, &text);
            struct outcome edited = test_parse(cad_sb_str(&text), NULL, 3);
            if (is_wrong(&member, values[i].type, values[i].value)) {
                assert_same(&edited, &missing, &member, values[i].value);
                checked++;
            }
            outcome_free(&edited);
        }
        outcome_free(&missing);
    }
    cad_sb_deinit(&text);
    test_free_text(&document);
    return checked;
}

static void test_edit_wrong_type_is_missing(void **state)
{
    (void)state;
    assert_true(check_document("example-a.json") > 1500);
    assert_true(check_document("example-b.json") > 500);
}

/* ---- what is required ------------------------------------------------------------------------ */

struct need {
    const char *key;
    uint32_t n;                 /* which member of that name in example A */
    int rc;
    enum cad_error_code code;
    uint32_t warnings;          /* where rc is 0 */
};

static const struct need needs[] = {
    {"movieId", 0, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0},
    {"playbackContextId", 0, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0},
    {"result", 0, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, 0},
    {"video_tracks", 0, 0, CAD_ERR_NONE, 0},
    {"audio_tracks", 0, 0, CAD_ERR_NONE, 0},
    {"duration", 0, 0, CAD_ERR_NONE, 1},
    {"expiration", 0, 0, CAD_ERR_NONE, 1},
    {"servers", 0, 0, CAD_ERR_NONE, 1},
    {"locations", 0, 0, CAD_ERR_NONE, 0},
    {"links", 0, 0, CAD_ERR_NONE, 1},
    {"events", 0, 0, CAD_ERR_NONE, 1},
    {"new_track_id", 0, 0, CAD_ERR_NONE, 0},
    {"streams", 0, CAD_E_NOTFOUND, CAD_ERR_MANIFEST_NO_MEDIA, 0},
    {"streams", 1, CAD_E_NOTFOUND, CAD_ERR_MANIFEST_NO_MEDIA, 0},
    {"drmHeader", 0, 0, CAD_ERR_NONE, 1},
    {"downloadable_id", 0, 0, CAD_ERR_NONE, 1},
    {"content_profile", 0, 0, CAD_ERR_NONE, 1},
    {"bitrate", 0, 0, CAD_ERR_NONE, 1},
    {"res_w", 0, 0, CAD_ERR_NONE, 1},
    {"res_h", 0, 0, CAD_ERR_NONE, 1},
    {"urls", 0, 0, CAD_ERR_NONE, 1},
    {"isDrm", 0, 0, CAD_ERR_NONE, 1},
    {"moov", 0, 0, CAD_ERR_NONE, 1},
    {"sidx", 0, 0, CAD_ERR_NONE, 1},
    {"size", 0, 0, CAD_ERR_NONE, 1},
    {"url", 0, 0, CAD_ERR_NONE, 1},
    {"ttDownloadables", 1, 0, CAD_ERR_NONE, 1},
};

static void test_edit_required_members(void **state)
{
    (void)state;
    cad_str document = test_read_golden("example-a.json");
    for (size_t i = 0; i < CAD_ARRAY_LEN(needs); i++) {
        struct outcome o = parse_edited(document, needs[i].key, needs[i].n, NULL);
        bool same = o.rc == needs[i].rc && o.error.code == needs[i].code;
        if (o.rc == 0) same = same && o.presentation->warnings == needs[i].warnings;
        if (!same) {
            fail_msg("without %s: %d, %s, %u warnings", needs[i].key, o.rc,
                     cad_error_name(o.error.code), o.presentation ? o.presentation->warnings : 0);
        }
        outcome_free(&o);
    }
    test_free_text(&document);
}

/* A stream that lacks what it needs takes nothing else with it. */
static void test_edit_bad_stream_goes_alone(void **state)
{
    (void)state;
    static const char *const keys[] = {"downloadable_id", "content_profile", "bitrate", "res_w",
                                       "res_h", "urls"};
    cad_str document = test_read_golden("example-a.json");
    for (size_t i = 0; i < CAD_ARRAY_LEN(keys); i++) {
        struct outcome o = parse_edited(document, keys[i], 0, NULL);
        assert_int_equal(o.rc, 0);
        assert_null(rep_of(&o, "1001"));
        assert_non_null(rep_of(&o, "1002"));
        assert_non_null(rep_of(&o, "2001"));
        assert_int_equal(o.presentation->periods[0].track_count, 5);
        outcome_free(&o);
    }
    test_free_text(&document);
}

/* Repeating any member changes nothing but the count: the first wins. */
static void test_edit_duplicates(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    cad_str document = test_read_golden("example-a.json");
    struct outcome plain = test_parse(document, NULL, 0);
    struct member member;
    struct cad_sb value;
    struct cad_sb text;
    cad_sb_init(&value, &alloc, CAD_MEM_OTHER, 1u << 20);
    cad_sb_init(&text, &alloc, CAD_MEM_OTHER, 1u << 20);
    for (uint32_t n = 0; find_member(document, n, &member); n++) {
        cad_sb_reset(&value);
        cad_sb_put(&value, member.value);
        cad_sb_printf(&value, ",\"%.*s\":{\"later\":[1]}", CAD_STR_ARG(member.key));
        edit_member(document, &member, cad_sb_z(&value), &text);
        struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
        assert_int_equal(o.rc, 0);
        assert_true(o.presentation->duplicate_keys <= 1);
        /* What is not read at all is not looked into: its repeats are not seen. */
        if (o.presentation->duplicate_keys == 1) {
            assert_int_equal(o.presentation->warnings, plain.presentation->warnings);
            assert_int_equal(o.dump.n, plain.dump.n + strlen("\"x_duplicate_keys\":1,"));
        } else {
            assert_int_equal(o.dump.n, plain.dump.n);
        }
        outcome_free(&o);
    }
    cad_sb_deinit(&text);
    cad_sb_deinit(&value);
    outcome_free(&plain);
    test_free_text(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_edit_wrong_type_is_missing),
        cmocka_unit_test(test_edit_required_members),
        cmocka_unit_test(test_edit_bad_stream_goes_alone),
        cmocka_unit_test(test_edit_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
