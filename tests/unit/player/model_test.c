/* What the session knows comes out as the controls want it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model.h"

static struct session session;
static struct play_args args;
static struct ui_model model;
static struct cad_engine_stats stats;

static void begin(void)
{
    memset(&session, 0, sizeof(session));
    memset(&model, 0, sizeof(model));
    memset(&stats, 0, sizeof(stats));
    args_init(&args);
    session.args = &args;
    session.rung = -1;
    session.speed_q16 = 65536;
    session.bytes_at = CAD_TIME_NONE;
    stats.state = CAD_STATE_PLAYING;
    stats.position = 20 * CAD_SECOND;
    stats.duration = 300 * CAD_SECOND;
    stats.slot[CAD_SLOT_VIDEO] = (struct cad_slot_stats){
        .present = true, .ahead = 9 * CAD_SECOND, .rung = 1, .rung_count = 3, .width = 640,
        .height = 360, .rate_bps = 900000};
    stats.slot[CAD_SLOT_AUDIO] = (struct cad_slot_stats){.present = true, .ahead = 5 * CAD_SECOND};
}

static void test_model_tells_times(void **state)
{
    (void)state;
    begin();
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.position, 20 * CAD_SECOND);
    assert_int_equal(model.buffered, 25 * CAD_SECOND); /* the smaller one */
    stats.slot[CAD_SLOT_AUDIO].present = false;
    stats.duration = 0; /* as a bare file may say */
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.buffered, 29 * CAD_SECOND);
    assert_int_equal(model.duration, CAD_TIME_NONE);
    /* While a seek is on its way the knob is where it goes, and nothing is known to be there. */
    session.seek_last = 7;
    session.seek_to = 120 * CAD_SECOND;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.position, 120 * CAD_SECOND);
    assert_int_equal(model.buffered, CAD_TIME_NONE);
}

static void test_model_learns_the_ladder(void **state)
{
    (void)state;
    begin();
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.rung_count, 3);
    assert_int_equal(model.rungs[1].height, 360);
    assert_int_equal(model.rungs[2].height, 0);
    stats.slot[CAD_SLOT_VIDEO].rung = 2;
    stats.slot[CAD_SLOT_VIDEO].height = 720;
    session.rung = 40;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.rungs[1].height, 360);
    assert_int_equal(model.rungs[2].height, 720);
    assert_int_equal(model.rung_pinned, 2); /* beyond the ladder is its highest */
    stats.slot[CAD_SLOT_VIDEO].rung_count = 2; /* another ladder */
    stats.slot[CAD_SLOT_VIDEO].rung = 0;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.rungs[1].height, 0);
    session.rungs[1] = (struct cad_rung_info){1920, 1080, 5000000, CAD_CODEC_AVC};
    session.rung_count = 2;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.rungs[1].height, 1080);
    stats.slot[CAD_SLOT_VIDEO].present = false;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.rung_count, 0);
}

static void test_model_tells_why_it_waits(void **state)
{
    (void)state;
    begin();
    session_watch(&session, &stats, 10 * CAD_SECOND);
    model_fill(&model, &session, &stats, 90 * CAD_SECOND);
    assert_false(model.network_lost); /* it plays */
    stats.state = CAD_STATE_BUFFERING;
    session_watch(&session, &stats, 100 * CAD_SECOND);
    session_watch(&session, &stats, 102 * CAD_SECOND);
    model_fill(&model, &session, &stats, 102 * CAD_SECOND);
    assert_false(model.network_lost); /* not for long */
    model_fill(&model, &session, &stats, 103 * CAD_SECOND);
    assert_true(model.network_lost);
    stats.slot[CAD_SLOT_AUDIO].bytes_fetched = 1; /* a byte is hope */
    session_watch(&session, &stats, 103 * CAD_SECOND);
    model_fill(&model, &session, &stats, 104 * CAD_SECOND);
    assert_false(model.network_lost);
}

static void test_model_marks_stalls_and_the_end(void **state)
{
    (void)state;
    begin();
    session.stalls[0] = 3 * CAD_SECOND;
    session.stall_count = 1;
    args.until = 200 * CAD_SECOND;
    model_fill(&model, &session, &stats, 0);
    assert_int_equal(model.marker_count, 2);
    assert_int_equal(model.markers[0], 3 * CAD_SECOND);
    assert_int_equal(model.markers[1], 200 * CAD_SECOND);
}

static void test_model_notes_conversions(void **state)
{
    (void)state;
    char note[UI_NOTE_SIZE];
    struct cad_color color = {.transfer = 16};
    model_note(0, &color, note, sizeof(note));
    assert_string_equal(note, "");
    model_note(CAD_CONVERT_CHROMA, &color, note, sizeof(note));
    assert_string_equal(note, "");
    model_note(CAD_CONVERT_DEPTH, &color, note, sizeof(note));
    assert_string_equal(note, "10 bit \xe2\x86\x92 shown as 8 bit");
    model_note(CAD_CONVERT_DEPTH | CAD_CONVERT_GAMUT, &color, note, sizeof(note));
    assert_non_null(strstr(note, "BT.709"));
    model_note(CAD_CONVERT_DEPTH | CAD_CONVERT_HDR, &color, note, sizeof(note));
    assert_string_equal(note, "HDR (PQ) \xe2\x86\x92 shown as SDR");
    color.has_mastering = true;
    model_note(CAD_CONVERT_HDR, &color, note, sizeof(note));
    assert_string_equal(note, "HDR10 \xe2\x86\x92 shown as SDR");
    color.transfer = 18;
    model_note(CAD_CONVERT_HDR, &color, note, sizeof(note));
    assert_string_equal(note, "HDR (HLG) \xe2\x86\x92 shown as SDR");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_model_tells_times),
        cmocka_unit_test(test_model_learns_the_ladder),
        cmocka_unit_test(test_model_tells_why_it_waits),
        cmocka_unit_test(test_model_marks_stalls_and_the_end),
        cmocka_unit_test(test_model_notes_conversions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
