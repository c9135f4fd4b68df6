/* Goal: numbers and records of a tape come back as they went in; whatever is cut off or changed is
 * told from what is whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"

static const int64_t values[] = {0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 1 << 20,
                                 INT64_C(1) << 40, INT64_MAX, INT64_MIN, INT64_MIN + 1};

static struct cad_sb builder(void)
{
    struct cad_sb sb;
    struct cad_alloc alloc = cad_alloc_system();
    cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1 << 20);
    return sb;
}

static void test_tape_numbers_come_back(void **state)
{
    CAD_UNUSED(state);
    struct cad_sb sb = builder();
    for (size_t i = 0; i < CAD_ARRAY_LEN(values); i++) {
        tape_put_i64(&sb, values[i]);
        tape_put_u64(&sb, (uint64_t)values[i]);
    }
    struct tape_reader r = {(const uint8_t *)sb.p, sb.n, false};
    for (size_t i = 0; i < CAD_ARRAY_LEN(values); i++) {
        assert_true(tape_get_i64(&r) == values[i]);
        assert_true(tape_get_u64(&r) == (uint64_t)values[i]);
    }
    assert_false(r.failed);
    assert_int_equal(r.n, 0);
    assert_int_equal(tape_get_u64(&r), 0);
    assert_true(r.failed);
    cad_sb_deinit(&sb);
}

static void test_tape_numbers_refuse_what_is_too_long_or_cut(void **state)
{
    CAD_UNUSED(state);
    static const uint8_t eleven[] = {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0};
    static const uint8_t over[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    struct tape_reader r = {eleven, sizeof(eleven), false};
    assert_int_equal(tape_get_u64(&r), 0);
    assert_true(r.failed);
    r = (struct tape_reader){over, sizeof(over), false};
    (void)tape_get_u64(&r);
    assert_true(r.failed);
    r = (struct tape_reader){eleven, 3, false};
    (void)tape_get_u64(&r);
    assert_true(r.failed);
    static const uint8_t seven[] = {7};
    r = (struct tape_reader){seven, 1, false};
    assert_int_equal(tape_get_max(&r, 6), 0);
    assert_true(r.failed);
    r = (struct tape_reader){seven, 1, false};
    assert_int_equal(tape_get_bytes(&r, 2).n, 0);
    assert_true(r.failed);
}

static void test_tape_crc_is_that_of_ieee_802_3(void **state)
{
    CAD_UNUSED(state);
    assert_int_equal(tape_crc(cad_buf_from_str(CAD_STR("123456789"))), 0xcbf43926u);
    assert_int_equal(tape_crc((cad_buf){NULL, 0}), 0);
}

static void test_tape_records_cut_and_changed(void **state)
{
    CAD_UNUSED(state);
    struct cad_sb sb = builder();
    struct tape_record record;
    cad_buf body = cad_buf_from_str(CAD_STR("a body of a record"));
    tape_put_record(&sb, TAPE_TURN, 1234567890123u, body);
    cad_buf bytes = cad_buf_from_str(cad_sb_str(&sb));
    assert_int_equal(tape_get_record(bytes, true, &record), 0);
    assert_int_equal(record.kind, TAPE_TURN);
    assert_true(record.delta_ns == 1234567890123u);
    assert_int_equal(record.size, bytes.n);
    assert_int_equal(record.body.n, body.n);
    assert_memory_equal(record.body.p, body.p, body.n);
    assert_int_equal(tape_get_record((cad_buf){NULL, 0}, true, &record), CAD_E_END);
    for (size_t n = 1; n < bytes.n; n++) {
        assert_int_equal(tape_get_record((cad_buf){bytes.p, n}, true, &record), CAD_E_AGAIN);
    }
    for (size_t i = 0; i < bytes.n; i++) {
        for (int bit = 0; bit < 8; bit++) {
            sb.p[i] = (char)(sb.p[i] ^ 1 << bit);
            assert_int_not_equal(tape_get_record(bytes, true, &record), 0);
            sb.p[i] = (char)(sb.p[i] ^ 1 << bit);
        }
    }
    cad_sb_deinit(&sb);
}

static void test_tape_header_comes_back(void **state)
{
    CAD_UNUSED(state);
    struct cad_engine_config config;
    struct tape_header header;
    struct cad_sb sb = builder();
    cad_engine_config_init(&config);
    config.seed = UINT64_MAX;
    config.buffer_ahead = 7 * CAD_SECOND;
    config.abr = cad_abr_fixed();
    config.abr_config.rate_seed_bps = 12345;
    config.abr_config.safety_permille = 801;
    config.allow_http = false;
    config.platform = CAD_STR("a \"set\" \\ box");
    config.audio_language = CAD_STR("pt-BR");
    assert_int_equal(tape_header_write(&config, CAD_STR("c0ffee"), false, &sb), 0);
    assert_int_equal(tape_header_read(cad_sb_str(&sb), &header), 0);
    assert_true(header.config.seed == UINT64_MAX);
    assert_true(header.config.buffer_ahead == 7 * CAD_SECOND);
    assert_true(header.config.abr_config.rate_seed_bps == 12345);
    assert_int_equal(header.config.abr_config.safety_permille, 801);
    assert_true(header.config.resume_goal == config.resume_goal);
    assert_false(header.config.allow_http);
    assert_false(header.full);
    assert_string_equal(header.abr, "fixed");
    assert_string_equal(header.commit, "c0ffee");
    assert_string_equal(header.version, cad_version());
    assert_true(cad_str_eq(header.config.platform, config.platform));
    assert_true(cad_str_eq(header.config.audio_language, config.audio_language));
    for (size_t n = 0; n < sb.n; n++) {
        assert_int_not_equal(tape_header_read(cad_str_make(sb.p, n), &header), 0);
    }
    cad_sb_deinit(&sb);
}

static void test_tape_header_refuses_what_is_out_of_range(void **state)
{
    CAD_UNUSED(state);
    struct tape_header header;
    assert_int_equal(tape_header_read(CAD_STR("{\"ceiling_bytes\":1}"), &header), CAD_E_LIMIT);
    assert_int_equal(tape_header_read(CAD_STR("{\"ceiling_bytes\":99999999999}"), &header),
                     CAD_E_LIMIT);
    assert_int_equal(tape_header_read(CAD_STR("{\"seed\":1}"), &header), CAD_E_DATA);
    assert_int_equal(tape_header_read(CAD_STR("{\"seed\":\"-1\"}"), &header), CAD_E_DATA);
    assert_int_equal(tape_header_read(CAD_STR("[]"), &header), CAD_E_DATA);
    assert_int_equal(tape_header_read(CAD_STR("{} {}"), &header), CAD_E_DATA);
    assert_int_equal(tape_header_read(CAD_STR("{\"new\":[1,{\"a\":2}]}"), &header), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tape_numbers_come_back),
        cmocka_unit_test(test_tape_numbers_refuse_what_is_too_long_or_cut),
        cmocka_unit_test(test_tape_crc_is_that_of_ieee_802_3),
        cmocka_unit_test(test_tape_records_cut_and_changed),
        cmocka_unit_test(test_tape_header_comes_back),
        cmocka_unit_test(test_tape_header_refuses_what_is_out_of_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
