/* Goal: the fixed controller keeps its rung whatever the link does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cadmium/abr.h"

static const struct cad_abr_rung rungs[] = {
    {200000, 0, -1, true}, {500000, 0, -1, true}, {1000000, 0, -1, false}, {2000000, 0, -1, true}};

static struct cad_abr *create(int64_t rate_bps)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_abr_config config;
    cad_abr_config_init(&config);
    config.rate_seed_bps = rate_bps;
    struct cad_abr *abr = NULL;
    assert_int_equal(cad_abr_create(&alloc, cad_abr_fixed(), &config, &abr), CAD_OK);
    return abr;
}

static uint32_t choose(struct cad_abr *abr, uint32_t count)
{
    struct cad_abr_state s = {.size = sizeof(s), .rungs = rungs, .rung_count = count,
                              .rung_last = -1, .buffer_target = 60 * CAD_SECOND,
                              .segment_duration = 2 * CAD_SECOND, .rung_pin = -1};
    struct cad_abr_choice choice;
    cad_abr_choose(abr, &s, &choice);
    assert_int_equal(choice.reason, count == 1 ? CAD_ABR_ONLY : CAD_ABR_STEADY);
    assert_int_equal(choice.wait, 0);
    return choice.rung;
}

static void test_fixed_takes_the_highest_not_above_its_rate(void **state)
{
    (void)state;
    static const struct { int64_t rate; uint32_t rung; } cases[] = {
        {0, 0}, {199999, 0}, {200000, 0}, {500000, 1}, {1000000, 1}, {1999999, 1}, {2000000, 3}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cad_abr *abr = create(cases[i].rate);
        assert_int_equal(choose(abr, 4), cases[i].rung);
        assert_int_equal(choose(abr, 1), 0);
        cad_abr_destroy(&abr);
    }
}

static void test_fixed_watches_the_link_and_does_not_care(void **state)
{
    (void)state;
    struct cad_abr *abr = create(500000);
    assert_int_equal(cad_abr_estimate_bps(abr, 0), 0);
    struct cad_abr_transfer t = {.first_byte = 0, .end = CAD_SECOND, .bytes = 1000000,
                                 .complete = true, .busy = CAD_SECOND, .bytes_all = 1000000};
    cad_abr_observe(abr, &t);
    assert_in_range(cad_abr_estimate_bps(abr, CAD_SECOND), 7999900, 8000000);
    cad_abr_note(abr, CAD_ABR_NOTE_STALL, CAD_SECOND);
    assert_int_equal(choose(abr, 4), 1);
    cad_abr_note(abr, CAD_ABR_NOTE_NETWORK, CAD_SECOND);
    assert_int_equal(cad_abr_estimate_bps(abr, CAD_SECOND), 0);
    assert_int_equal(choose(abr, 4), 1);
    cad_abr_destroy(&abr);
    assert_null(abr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fixed_takes_the_highest_not_above_its_rate),
        cmocka_unit_test(test_fixed_watches_the_link_and_does_not_care),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
