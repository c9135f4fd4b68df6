/* Goal: ladder files are read exactly, whatever their keys' order, and refused when they contradict
 * themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/sim.h"

#include "base/str.h"
#include "base/strbuf.h"
#include "support/failing_alloc.h"

#define GOOD                                                                                       \
    "{\"segment_bytes\":[[100,200],[101,201],[102,202]],\"x\":{\"y\":[1]},"                        \
    "\"rungs\":[{\"bitrate_kbps\":300.5},{\"vmaf\":3,\"bitrate_kbps\":750,\"height\":360}],"       \
    "\"format\":\"cadmium-ladder-1\",\"segment_duration_ms\":2002}"

#define ONE_RUNG "{\"segment_duration_ms\":2000,\"rungs\":[{\"bitrate_kbps\":1}],"
#define TWO_RUNGS_FALLING                                                                          \
    "{\"segment_duration_ms\":2000,\"rungs\":[{\"bitrate_kbps\":2},{\"bitrate_kbps\":1}],"

static int parse(const char *json, struct cad_ladder *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    return cad_ladder_parse(&alloc, cad_str_from(json), out);
}

static void test_ladder_reads_all_fields(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_ladder l;
    assert_int_equal(parse(GOOD, &l), 0);
    assert_int_equal(l.segment_duration, 2002 * CAD_MS);
    assert_int_equal(l.rung_count, 2);
    assert_int_equal(l.segment_count, 3);
    assert_int_equal(l.rate_bps[0], 300500);
    assert_int_equal(l.rate_bps[1], 750000);
    assert_int_equal(l.height[0], 0);
    assert_int_equal(l.height[1], 360);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(l.segment_bytes[i * 2], 100 + i);
        assert_int_equal(l.segment_bytes[i * 2 + 1], 200 + i);
    }
    cad_ladder_deinit(&alloc, &l);
    assert_null(l.segment_bytes);
}

static void test_ladder_refuses_contradictions(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "[]", "{}", "{\"segment_duration_ms\":2000}",
        "{\"segment_duration_ms\":0,\"rungs\":[{\"bitrate_kbps\":1}],\"segment_bytes\":[[1]]}",
        "{\"segment_duration_ms\":2000,\"rungs\":[{}],\"segment_bytes\":[[1]]}",
        "{\"segment_duration_ms\":2000,\"rungs\":[],\"segment_bytes\":[[1]]}",
        ONE_RUNG "\"segment_bytes\":[]}",
        ONE_RUNG "\"segment_bytes\":[[1,2]]}",
        ONE_RUNG "\"segment_bytes\":[[1],[]]}",
        ONE_RUNG "\"segment_bytes\":[[-1]]}",
        ONE_RUNG "\"segment_bytes\":[[\"1\"]]}",
        TWO_RUNGS_FALLING "\"segment_bytes\":[[1,2]]}",
    };
    struct cad_ladder l;
    memset(&l, 0x5a, sizeof(l));
    struct cad_ladder before = l;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(parse(bad[i], &l), CAD_E_DATA);
        assert_memory_equal(&l, &before, sizeof(l));
    }
    assert_int_equal(parse("{\"format\":\"other-2\"}", &l), CAD_E_UNSUPPORTED);
}

static void test_ladder_keeps_its_limits(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_ladder l;
    assert_int_equal(parse("{\"segment_duration_ms\":60001}", &l), CAD_E_LIMIT);
    assert_int_equal(parse("{\"segment_bytes\":[[1073741824]]}", &l), CAD_E_LIMIT);
    for (int rungs = CAD_ABR_RUNGS_MAX; rungs <= CAD_ABR_RUNGS_MAX + 1; rungs++) {
        struct cad_sb sb;
        cad_sb_init(&sb, &alloc, CAD_MEM_OTHER, 1 << 20);
        cad_sb_putz(&sb, "{\"segment_duration_ms\":1000,\"rungs\":[");
        for (int i = 0; i < rungs; i++) cad_sb_putz(&sb, i ? ",{\"bitrate_kbps\":9}"
                                                           : "{\"bitrate_kbps\":9}");
        cad_sb_putz(&sb, "],\"segment_bytes\":[[");
        for (int i = 0; i < rungs; i++) cad_sb_putz(&sb, i ? ",1" : "1");
        cad_sb_putz(&sb, "]]}");
        int err = cad_ladder_parse(&alloc, cad_sb_str(&sb), &l);
        assert_int_equal(err, rungs > CAD_ABR_RUNGS_MAX ? CAD_E_LIMIT : 0);
        if (!err) cad_ladder_deinit(&alloc, &l);
        cad_sb_deinit(&sb);
    }
}

static void test_ladder_refuses_every_truncation(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_ladder l;
    for (size_t n = 0; n < sizeof(GOOD) - 1; n++) {
        assert_int_equal(cad_ladder_parse(&alloc, (cad_str){GOOD, n}, &l), CAD_E_DATA);
    }
}

static void test_ladder_survives_failing_allocation(void **state)
{
    (void)state;
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_ladder l;
        int err = cad_ladder_parse(&alloc, CAD_STR(GOOD), &l);
        assert_int_equal(err, f.failed ? CAD_E_NOMEM : 0);
        if (!err) cad_ladder_deinit(&alloc, &l);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder_reads_all_fields),
        cmocka_unit_test(test_ladder_refuses_contradictions),
        cmocka_unit_test(test_ladder_keeps_its_limits),
        cmocka_unit_test(test_ladder_refuses_every_truncation),
        cmocka_unit_test(test_ladder_survives_failing_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
