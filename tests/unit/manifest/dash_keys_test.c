/* Goal: every entry of ContentProtection is told as written; those that name a system, a scheme or
 * a key reach the CDM. */
#include "manifest_support.h"

#include "base/str.h"

#define REP "<Representation id='r' bandwidth='1'/>"
#define MP4 "schemeIdUri='urn:mpeg:dash:mp4protection:2011' value='cbcs'"

static void test_dash_keys_dump(void **state)
{
    (void)state;
    assert_set_dump("", "<ContentProtection " MP4 " "
                    "cenc:default_KID='00112233445566778899AABBCCDDEEFF "
                    "11112233-4455-6677-8899-aabbccddeeff'/>" REP,
                    "\"protection\":[{\"scheme\":\"cbcs\","
                    "\"key_id\":\"00112233-4455-6677-8899-aabbccddeeff\"}]");
    assert_set_dump("", "<ContentProtection "
                    "schemeIdUri='URN:UUID:EDEF8BA9-79D6-4ACE-A3C8-27DCD51D21ED' "
                    "value='W'><cenc:pssh>\n AA AA\n</cenc:pssh></ContentProtection>" REP,
                    "[{\"system_id\":\"edef8ba9-79d6-4ace-a3c8-27dcd51d21ed\",\"pssh\":\"AAAA\"}]");
    assert_set_dump("", "<ContentProtection schemeIdUri='urn:other'/>" REP,
                    "[{\"scheme_uri\":\"urn:other\"}]");
    assert_set_dump("", "<ContentProtection schemeIdUri='urn:uuid:XYZ' "
                    "cenc:default_KID='AaA'/>" REP,
                    "[{\"system_id\":\"xyz\",\"key_id\":\"aaa\"}]");
    assert_set_dump("", "<ContentProtection "
                    "schemeIdUri='urn:uuid:1077efec-c0b2-4d02-ace3-3c1e52e2fb4b'>"
                    "<dashif:Laurl> https://l.test/a b </dashif:Laurl></ContentProtection>" REP,
                    "\"license_url\":\"https://l.test/a%20b\"");
    assert_set_dump("", "<ContentProtection schemeIdUri='u'><c:Laurl "
                    "xmlns:c='http://dashif.org/guidelines/clearKey'>/l</c:Laurl>"
                    "</ContentProtection>" REP,
                    "\"license_url\":\"https://svc.test/l\"");
    assert_set_dump("", "<Representation id='r' bandwidth='1'><ContentProtection schemeIdUri='u'/>"
                    "</Representation>", "\"bandwidth\":1,\"protection\":[{\"scheme_uri\":\"u\"}]");
    /* A pssh of another namespace is none. */
    assert_set_dump("", "<ContentProtection schemeIdUri='u'><pssh>AAAA</pssh>"
                    "</ContentProtection>" REP,
                    "[{\"scheme_uri\":\"u\"}]");
}

static void test_dash_keys_model(void **state)
{
    (void)state;
    struct outcome o = parse_set("mimeType='video/mp4'",
        "<ContentProtection schemeIdUri='urn:other'/>"
        "<ContentProtection " MP4 " cenc:default_KID='00112233-4455-6677-8899-aabbccddeeff'/>"
        "<ContentProtection schemeIdUri='urn:uuid:edef8ba9-79d6-4ace-a3c8-27dcd51d21ed'>"
        "<cenc:pssh>AAECAw==</cenc:pssh></ContentProtection>"
        "<ContentProtection schemeIdUri='urn:uuid:9a04f079-9840-4286-ab92-e65be0885f95'>"
        "<cenc:pssh>?</cenc:pssh></ContentProtection>" REP);
    assert_int_equal(o.rc, 0);
    assert_true(rep_of(&o, "r")->encrypted);
    const struct cad_track *track = &o.presentation->periods[0].tracks[0];
    assert_int_equal(track->protection_count, 3);
    assert_true(track->protections[0].is_default);
    assert_str(track->protections[0].scheme, "cbcs");
    assert_int_equal(track->protections[0].key_id[1], 0x11);
    assert_false(track->protections[1].is_default || track->protections[1].has_key_id);
    assert_true(track->protections[1].has_system_id);
    assert_int_equal(track->protections[1].init_data.n, 4);
    assert_int_equal(track->protections[1].init_data.p[3], 3);
    assert_int_equal(track->protections[2].init_data.n, 0);
    assert_int_equal(o.presentation->warnings, 1);
    outcome_free(&o);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_keys_dump),
        cmocka_unit_test(test_dash_keys_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
