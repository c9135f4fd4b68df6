/* Goal: envelope and bare form, unknown and repeated members, odd elements: what is tolerated. */
#include "manifest_support.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

static void test_read_unknown_members_are_counted(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){
        .top = "\"zz\":1,\"yy\":{\"aa\":[1,{\"b\":2}]},\"xx\":null,", .stream = "\"ww\":[[]],"});
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->unknown_fields, 4);
    assert_int_equal(o.presentation->warnings, 0);
    outcome_free(&o);
}

/* Names with escapes are the same names. */
static void test_read_escaped_names(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){.top = "\"book\\u006dark\":5000,"});
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->bookmark, 5 * CAD_SECOND);
    assert_int_equal(o.presentation->unknown_fields, 0);
    outcome_free(&o);
}

/* The first wins, even where it is of the wrong type. */
static void test_read_first_of_repeated_members_wins(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){
        .top = "\"bookmark\":1000,\"bookmark\":2000,\"creditsOffset\":\"x\",\"creditsOffset\":5,",
        .stream = "\"vmaf\":50,\"vmaf\":60,\"vmaf\":[],"});
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->bookmark, CAD_SECOND);
    assert_int_equal(o.presentation->marker_count, 0);
    assert_int_equal(rep_of(&o, "v")->vmaf_milli, 50000);
    assert_int_equal(o.presentation->duplicate_keys, 4);
    outcome_free(&o);
}

/* null elements are nothing; others than objects are warned about; objects among them count. */
static void test_read_odd_elements(void **state)
{
    (void)state;
    struct outcome o = parse_small(&(struct small){
        .urls = "[null,7,\"https://h1.test/x?o=1&t=T\",[{\"cdn_id\":1}],"
                "{\"cdn_id\":1,\"url\":\"https://h1.test/v\"}]"});
    assert_int_equal(o.rc, 0);
    assert_int_equal(rep_of(&o, "v")->location_count, 1);
    assert_int_equal(o.presentation->warnings, 3);
    outcome_free(&o);
}

static void test_read_ids_as_numbers_and_texts(void **state)
{
    (void)state;
    cad_str document = test_read_golden("example-a.json");
    struct outcome text = parse_edited(document, "movieId", 0, "\"900100\"");
    struct outcome number = test_parse(document, NULL, 0);
    assert_int_equal(text.rc, 0);
    assert_int_equal(text.dump.n, number.dump.n);
    assert_memory_equal(text.dump.p, number.dump.p, text.dump.n);
    outcome_free(&text);
    outcome_free(&number);
    struct outcome exponent = parse_edited(document, "movieId", 0, "9001e2");
    assert_str(exponent.presentation->id, "900100");
    outcome_free(&exponent);
    static const char *const bad[] = {"1.5", "\"\"", "true", "9007199254740993"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        struct outcome o = parse_edited(document, "movieId", 0, bad[i]);
        assert_int_equal(o.rc, CAD_E_DATA);
        outcome_free(&o);
    }
    test_free_text(&document);
}

/* Numbers in texts are accepted for ids only. */
static void test_read_number_texts_are_no_numbers(void **state)
{
    (void)state;
    cad_str document = test_read_golden("example-a.json");
    struct outcome o = parse_edited(document, "bitrate", 0, "\"375\"");
    assert_int_equal(o.rc, 0);
    assert_null(rep_of(&o, "1001"));
    outcome_free(&o);
    test_free_text(&document);
}

/* ---- the envelope ---------------------------------------------------------------------------- */

static void test_read_denied(void **state)
{
    (void)state;
    static const struct {
        const char *document;
        const char *message;
        bool retryable;
        cad_time retry_after;
    } cases[] = {
        {"{\"result\":null,\"error\":{\"code\":\"X1\",\"message\":\"not in your\\ncountry\","
         "\"retryable\":false}}",
         "not in your country", false, CAD_TIME_NONE},
        {"{\"error\":{\"code\":\"X2\",\"message\":\"busy\",\"retryable\":true,"
         "\"retryAfterMs\":2500}}",
         "busy", true, 2500 * CAD_MS},
        {"{\"error\":{\"errorDisplayMessage\":\"shown\",\"data\":{\"CLIENT_RETRYABLE\":\"true\"}}}",
         "shown", true, CAD_TIME_NONE},
        {"{\"error\":{\"code\":5,\"data\":{\"CLIENT_RETRYABLE\":\"false\"}}}", "5", false,
         CAD_TIME_NONE},
        {"{\"error\":{\"retryable\":\"TRUE\",\"retryAfterMs\":-1}}",
         "the service denied the title", false, CAD_TIME_NONE},
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(cases); i++) {
        struct outcome o = test_parse_z(cases[i].document);
        assert_int_equal(o.rc, CAD_E_NOTFOUND);
        assert_int_equal(o.error.code, CAD_ERR_MANIFEST_DENIED);
        assert_string_equal(o.error.message, cases[i].message);
        assert_int_equal(o.error.retryable, cases[i].retryable);
        assert_true(o.error.retry_after == cases[i].retry_after);
        outcome_free(&o);
    }
}

/* A message is cut before a character, never inside one. */
static void test_read_long_message(void **state)
{
    (void)state;
    char document[600] = "{\"error\":{\"message\":\"";
    for (int i = 0; i < 100; i++) strcat(document, "\xc3\xa9");
    strcat(document, "\"}}");
    struct outcome o = test_parse_z(document);
    assert_int_equal(o.rc, CAD_E_NOTFOUND);
    assert_int_equal(strlen(o.error.message), (CAD_ERROR_MESSAGE_SIZE - 1) / 2 * 2);
    outcome_free(&o);
}

/* "error":null is no error; the keys of the envelope come in any order. */
static void test_read_envelope(void **state)
{
    (void)state;
    static char memory[8192];
    struct cad_sb text;
    cad_sb_init_fixed(&text, memory, sizeof(memory));
    cad_sb_putz(&text, "{\"error\":null,\"result\":");
    small_manifest(&(struct small){.top = "\"serverTime\":5,"}, &text);
    cad_sb_putz(&text, ",\"serverTime\":1772324400000,\"version\":2,\"id\":1,\"from\":\"x\"}");
    struct outcome o = test_parse(cad_sb_str(&text), NULL, 0);
    assert_int_equal(o.rc, 0);
    assert_int_equal(o.presentation->server_time_ms, 1772324400000);
    assert_int_equal(o.presentation->unknown_fields, 1); /* serverTime inside the manifest */
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_unknown_members_are_counted),
        cmocka_unit_test(test_read_escaped_names),
        cmocka_unit_test(test_read_first_of_repeated_members_wins),
        cmocka_unit_test(test_read_odd_elements),
        cmocka_unit_test(test_read_ids_as_numbers_and_texts),
        cmocka_unit_test(test_read_number_texts_are_no_numbers),
        cmocka_unit_test(test_read_denied),
        cmocka_unit_test(test_read_long_message),
        cmocka_unit_test(test_read_envelope),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
