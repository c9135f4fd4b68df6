/* Goal: every name of the tables is found as itself, which shows that they are in order; nothing
 * else is. */
#include "manifest_support.h"

#include "base/str.h"
#include "base/util.h"
#include "manifest/dash_names.h"

static void test_dash_names_elements(void **state)
{
    (void)state;
#define CAD_X(id, name) assert_int_equal(cad_dash_element_find(CAD_STR(name)), CAD_DASH_##id);
    CAD_DASH_ELEMENT_LIST(CAD_X)
#undef CAD_X
#define CAD_X(id, ns, name)                                                                        \
    assert_int_equal(cad_dash_foreign_find(CAD_STR(ns), CAD_STR(name)), CAD_DASH_##id);            \
    assert_int_equal(cad_dash_foreign_find(CAD_STR(""), CAD_STR(name)), CAD_DASH_UNKNOWN);
    CAD_DASH_FOREIGN_LIST(CAD_X)
#undef CAD_X
}

static void test_dash_names_attributes(void **state)
{
    (void)state;
#define CAD_X(id, name)                                                                            \
    assert_int_equal(cad_dash_attribute_find(CAD_STR(name)), CAD_DASH_AT_##id);                    \
    assert_string_equal(cad_dash_attribute_name(CAD_DASH_AT_##id), name);
    CAD_DASH_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
#define CAD_X(id, ns, name)                                                                        \
    assert_int_equal(cad_dash_foreign_attribute_find(CAD_STR(ns), CAD_STR(name)),                  \
                     CAD_DASH_AT_##id);                                                            \
    assert_string_equal(cad_dash_attribute_name(CAD_DASH_AT_##id), name);
    CAD_DASH_FOREIGN_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
}

static void test_dash_names_others(void **state)
{
    (void)state;
    static const char *const names[] = {"", "s", "mpd", "Perioe", "Perioc", "BaseURLs",
                                        "AudioChannelConfigurationX", "Zzzzzzz"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        assert_int_equal(cad_dash_element_find(cad_str_from(names[i])), CAD_DASH_UNKNOWN);
        assert_int_equal(cad_dash_attribute_find(cad_str_from(names[i])), CAD_DASH_AT_UNKNOWN);
    }
    assert_string_equal(cad_dash_attribute_name(CAD_DASH_AT_UNKNOWN), "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dash_names_elements),
        cmocka_unit_test(test_dash_names_attributes),
        cmocka_unit_test(test_dash_names_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
