/* Goal: every shared word has a name of its own, and no value leads out of the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/cdm.h"
#include "cadmium/types.h"

#include "base/util.h"

static void test_names_of_codecs(void **state)
{
    (void)state;
    for (int i = CAD_CODEC_UNKNOWN; i <= CAD_CODEC_WEBVTT; i++) {
        assert_string_not_equal(cad_codec_name((enum cad_codec)i), "?");
        for (int k = CAD_CODEC_UNKNOWN; k < i; k++) {
            assert_string_not_equal(cad_codec_name((enum cad_codec)i),
                                    cad_codec_name((enum cad_codec)k));
        }
    }
    assert_string_equal(cad_codec_name(CAD_CODEC_AAC), "aac");
    assert_string_equal(cad_codec_name(CAD_CODEC_WEBVTT), "webvtt");
    assert_string_equal(cad_codec_name((enum cad_codec)(CAD_CODEC_WEBVTT + 1)), "?");
    assert_string_equal(cad_codec_name((enum cad_codec)-1), "?");
}

static void test_names_of_media_types(void **state)
{
    (void)state;
    static const char *const want[] = {"video", "audio", "text", "image", "other", "?"};
    for (int i = CAD_MEDIA_VIDEO; i <= CAD_MEDIA_OTHER + 1; i++) {
        assert_string_equal(cad_media_type_name((enum cad_media_type)i), want[i]);
    }
    assert_string_equal(cad_media_type_name((enum cad_media_type)-1), "?");
}

static void test_names_of_purposes_follow_their_list(void **state)
{
    (void)state;
    static const enum cad_purpose purposes[] = {
#define CAD_X(name, text) CAD_PURPOSE_##name,
        CAD_PURPOSE_LIST(CAD_X)
#undef CAD_X
    };
    static const char *const texts[] = {
#define CAD_X(name, text) text,
        CAD_PURPOSE_LIST(CAD_X)
#undef CAD_X
    };
    for (size_t i = 0; i < CAD_ARRAY_LEN(purposes); i++) {
        assert_string_equal(cad_purpose_name(purposes[i]), texts[i]);
    }
    assert_string_equal(cad_purpose_name((enum cad_purpose)CAD_ARRAY_LEN(purposes)), "?");
}

static void test_names_of_cdm_words(void **state)
{
    (void)state;
    assert_string_equal(cad_scheme_name(CAD_SCHEME_CLEAR), "clear");
    assert_string_equal(cad_scheme_name(CAD_SCHEME_CBCS), "cbcs");
    assert_string_equal(cad_scheme_name((enum cad_scheme)(CAD_SCHEME_CBCS + 1)), "?");
    assert_string_equal(cad_scheme_name((enum cad_scheme)-1), "?");
    assert_string_equal(cad_key_status_name(CAD_KEY_UNKNOWN), "unknown");
    assert_string_equal(cad_key_status_name(CAD_KEY_ERROR), "error");
    assert_string_equal(cad_key_status_name((enum cad_key_status)(CAD_KEY_ERROR + 1)), "?");
    assert_string_equal(cad_cdm_event_name(CAD_CDM_EVENT_DONE), "done");
    assert_string_equal(cad_cdm_event_name(CAD_CDM_EVENT_STORE_DELETE), "store-delete");
    assert_string_equal(cad_cdm_event_name((enum cad_cdm_event_type)-1), "?");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_codecs),
        cmocka_unit_test(test_names_of_media_types),
        cmocka_unit_test(test_names_of_purposes_follow_their_list),
        cmocka_unit_test(test_names_of_cdm_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
