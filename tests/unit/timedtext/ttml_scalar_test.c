/* Goal: numbers, lengths, colours and words are read to the last character, or not at all. */
#include "text_support.h"

#include "base/util.h"
#include "timedtext/ttml.h"

static void test_scalar_numbers(void **state)
{
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {{"0", 0}, {"1", 1000000}, {"-1.5", -1500000}, {"+2", 2000000}, {".25", 250000},
                {"0.1234567", 123456}, {"1000000000", INT64_C(1000000000000000)}};
    static const char *const bad[] = {"", "-", ".", "1.", "1e3", "x", "1 ", "1000000001"};
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        int64_t value = -1;
        assert_true(ttml_number_parse(cad_str_from(good[i].text), &value));
        assert_int_equal(value, good[i].value);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        int64_t value = -1;
        assert_false(ttml_number_parse(cad_str_from(bad[i]), &value));
        assert_int_equal(value, -1);
    }
}

static void test_scalar_lengths(void **state)
{
    struct ttml_length l;
    (void)state;
    assert_true(ttml_length_parse(CAD_STR("12.5px"), &l));
    assert_int_equal(l.value, 12500000);
    assert_int_equal(l.unit, TTML_PX);
    assert_true(ttml_length_parse(CAD_STR("-3%"), &l) && l.unit == TTML_PERCENT);
    assert_true(ttml_length_parse(CAD_STR("1c"), &l) && l.unit == TTML_C);
    assert_true(ttml_length_parse(CAD_STR("1em"), &l) && l.unit == TTML_EM);
    assert_true(ttml_length_parse(CAD_STR("1rw"), &l) && l.unit == TTML_RW);
    assert_true(ttml_length_parse(CAD_STR("1rh"), &l) && l.unit == TTML_RH);
    assert_false(ttml_length_parse(CAD_STR("1"), &l));
    assert_false(ttml_length_parse(CAD_STR("1 px"), &l));
    assert_false(ttml_length_parse(CAD_STR("1pxx"), &l));
    assert_false(ttml_length_parse(CAD_STR("px"), &l));
}

static void test_scalar_colors(void **state)
{
    static const struct {
        const char *text;
        uint32_t color;
    } good[] = {{"#010203", 0x010203ff}, {"#A1b2C380", 0xa1b2c380}, {"rgb(1,2,255)", 0x0102ffff},
                {"rgba( 1 , 2,3 ,4)", 0x01020304}, {"Transparent", 0}, {"LIME", 0x00ff00ff},
                {"gray", 0x808080ff}};
    static const char *const bad[] = {"", "#", "#12345", "#1234567", "#1234567890", "#00000g",
                                      "rgb(1,2)", "rgb(1,2,256)", "rgb(1,2,3", "rgba(1,2,3)",
                                      "rgb(1,2,3)x", "rgb(-1,2,3)", "pink"};
    (void)state;
    for (size_t i = 0; i < CAD_ARRAY_LEN(good); i++) {
        uint32_t color = 1;
        assert_true(ttml_color_parse(cad_str_from(good[i].text), &color));
        assert_int_equal(color, good[i].color);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(bad); i++) {
        uint32_t color = 1;
        assert_false(ttml_color_parse(cad_str_from(bad[i]), &color));
    }
}

static void test_scalar_words_and_pairs(void **state)
{
    cad_str rest = CAD_STR(" a\t rgb(1, 2) b");
    cad_str word;
    uint32_t a = 0;
    uint32_t b = 0;
    (void)state;
    assert_true(ttml_word(&rest, &word));
    assert_str(word, "a");
    assert_true(ttml_word(&rest, &word));
    assert_str(word, "rgb(1, 2)");
    assert_true(ttml_word(&rest, &word));
    assert_str(word, "b");
    assert_false(ttml_word(&rest, &word));
    assert_true(ttml_pair_parse(CAD_STR("32 15"), &a, &b));
    assert_true(a == 32 && b == 15);
    assert_false(ttml_pair_parse(CAD_STR("32"), &a, &b));
    assert_false(ttml_pair_parse(CAD_STR("32 0"), &a, &b));
    assert_false(ttml_pair_parse(CAD_STR("1 2 3"), &a, &b));
    assert_false(ttml_pair_parse(CAD_STR("1 1000000001"), &a, &b));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scalar_numbers),
        cmocka_unit_test(test_scalar_lengths),
        cmocka_unit_test(test_scalar_colors),
        cmocka_unit_test(test_scalar_words_and_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
