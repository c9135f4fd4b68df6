/*
 * Sound at another pace: its pitch stays, its length follows the rate, and how far it has come is
 * known over every change of rate.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "media/tempo.h"
#include "support/failing_alloc.h"

#define HZ 48000u
#define PUT 480u
#define SECONDS 4u
#define OUT_MAX (HZ * SECONDS * 3)
#define PI 3.14159265358979323846

/* sin without libm: it turns round by round. */
struct tone {
    double re, im, step_re, step_im;
};

static double small_sin(double x)
{
    double x2 = x * x;
    return x * (1 - x2 / 6 * (1 - x2 / 20 * (1 - x2 / 42 * (1 - x2 / 72))));
}

static void tone_init(struct tone *tone, double hertz)
{
    double x = 2 * PI * hertz / HZ;
    double half = small_sin(x / 2);
    *tone = (struct tone){1, 0, 1 - 2 * half * half, small_sin(x)};
}

/* Left the tone, right the same with the other sign. */
static void tone_fill(struct tone *tone, float *out, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        out[2 * i] = (float)(0.5 * tone->im);
        out[2 * i + 1] = (float)(-0.5 * tone->im);
        double re = tone->re * tone->step_re - tone->im * tone->step_im;
        tone->im = tone->re * tone->step_im + tone->im * tone->step_re;
        tone->re = re;
    }
}

struct run {
    struct cad_tempo *tempo;
    struct tone tone;
    float *out;
    uint32_t count;
};

static void run_open(struct run *run)
{
    struct cad_alloc alloc = cad_alloc_system();
    memset(run, 0, sizeof(*run));
    tone_init(&run->tone, 440);
    run->out = malloc(OUT_MAX * 2 * sizeof(float));
    assert_non_null(run->out);
    assert_int_equal(cad_tempo_create(&alloc, HZ, 2, &run->tempo), 0);
}

static void run_take(struct run *run)
{
    uint32_t n;
    while ((n = cad_tempo_take(run->tempo, run->out + 2 * (size_t)run->count, 333)) > 0) {
        run->count += n;
        assert_true(run->count + 333 < OUT_MAX);
    }
}

static void run_put(struct run *run, uint32_t samples)
{
    float pcm[2 * PUT];
    for (uint32_t done = 0; done < samples; done += PUT) {
        tone_fill(&run->tone, pcm, PUT);
        assert_int_equal(cad_tempo_put(run->tempo, pcm, PUT), 0);
        run_take(run);
    }
}

static void run_close(struct run *run)
{
    cad_tempo_destroy(&run->tempo);
    assert_null(run->tempo);
    free(run->out);
}

/* Rising zero crossings of the left channel in [from, to). */
static uint32_t crossings(const struct run *run, uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from + 1; i < to; i++) {
        if (run->out[2 * i - 2] < 0 && run->out[2 * i] >= 0) count++;
    }
    return count;
}

static void check_rate(uint32_t rate_q16)
{
    struct run run;
    run_open(&run);
    cad_tempo_set(run.tempo, rate_q16);
    run_put(&run, HZ * SECONDS);
    /* Inside is at most what the header says, and that is told. */
    uint32_t lag = cad_tempo_lag(run.tempo);
    assert_true(lag < HZ * 130 / 1000);
    cad_tempo_finish(run.tempo);
    run_take(&run);
    uint32_t want = (uint32_t)((uint64_t)HZ * SECONDS * 65536 / rate_q16);
    /* All of it came, but for the last window's half. */
    assert_in_range(run.count, want - HZ / 20, want + HZ / 20);
    /* 440 Hz is 440 Hz within 1 %, in each whole second. */
    for (uint32_t second = 0; (second + 1) * HZ <= run.count; second++) {
        assert_in_range(crossings(&run, second * HZ, (second + 1) * HZ), 436, 444);
    }
    /* The channels stay what they were to each other, and nothing is louder. */
    for (uint32_t i = 0; i < run.count; i++) {
        float left = run.out[2 * i];
        float right = run.out[2 * i + 1];
        assert_true(left + right < 1e-3f && left + right > -1e-3f);
        assert_true(left < 0.6f && left > -0.6f);
    }
    run_close(&run);
}

static void test_tempo_keeps_pitch(void **state)
{
    (void)state;
    check_rate(32768);
    check_rate(49152);
    check_rate(65536);
    check_rate(98304);
    check_rate(131072);
}

/* A change of rate takes effect on what comes out from then on; the count stays right. */
static void test_tempo_changes_on_the_way(void **state)
{
    (void)state;
    static const uint32_t rates[] = {65536, 131072, 32768, 98304, 65536, 49152, 131072, 65536};
    struct run run;
    run_open(&run);
    uint64_t heard_q16 = 0;
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t before = run.count;
        cad_tempo_set(run.tempo, rates[i]);
        run_put(&run, HZ / 2);
        heard_q16 += (uint64_t)(run.count - before) * rates[i];
        uint64_t put = (uint64_t)(i + 1) * HZ / 2;
        uint64_t heard = heard_q16 >> 16;
        assert_true(heard <= put + HZ / 50);
        uint32_t lag = heard > put ? 0 : (uint32_t)(put - heard);
        assert_int_equal(cad_tempo_lag(run.tempo), lag);
        assert_true(lag < HZ * 130 / 1000);
    }
    /* No step between neighbours above what the tone itself makes, with room for the overlap. */
    for (uint32_t i = 1; i < run.count; i++) {
        float step = run.out[2 * i] - run.out[2 * i - 2];
        assert_true(step < 0.06f && step > -0.06f);
    }
    run_close(&run);
}

#define MARK_EVERY (HZ / 4)
#define MARK_MIN (HZ / 100)

/* Silence with bursts of the tone, 10 ms long, four a second. */
static void put_marked(struct run *run, uint32_t samples, uint64_t *next)
{
    float pcm[2 * PUT];
    for (uint32_t done = 0; done < samples; done += PUT, *next += PUT) {
        tone_fill(&run->tone, pcm, PUT);
        for (uint32_t i = 0; i < PUT; i++) {
            if ((*next + i) % MARK_EVERY >= MARK_MIN) pcm[2 * i] = pcm[2 * i + 1] = 0;
        }
        assert_int_equal(cad_tempo_put(run->tempo, pcm, PUT), 0);
        run_take(run);
    }
}

/*
 * Where the count says that sound is, there it is: bursts come out at their own time, however often
 * the rate has changed before, within what the filter moves its windows. Digital silence is the
 * worst for that: 37 ms were seen; what matters is that changes of rate do not add up.
 */
static void test_tempo_count_is_true(void **state)
{
    (void)state;
    static const uint32_t rates[] = {65536, 131072, 32768, 98304, 131072, 49152, 131072, 32768};
    struct run run;
    run_open(&run);
    uint64_t next = 0;
    uint64_t heard_q16 = 0;
    uint64_t silent_since = 0;
    uint32_t marks = 0;
    for (uint32_t i = 0; i < 8; i++) {
        uint32_t before = run.count;
        cad_tempo_set(run.tempo, rates[i]);
        put_marked(&run, HZ, &next);
        for (uint32_t k = before; k < run.count; k++, heard_q16 += rates[i]) {
            uint64_t place = heard_q16 >> 16;
            float v = run.out[2 * k];
            if (v < 0.05f && v > -0.05f) continue;
            if (place - silent_since > MARK_EVERY / 2 || marks == 0) {
                uint64_t off = (place + MARK_EVERY / 2) % MARK_EVERY;
                assert_in_range(off, MARK_EVERY / 2 - HZ / 25, MARK_EVERY / 2 + HZ / 25);
                marks++;
            }
            silent_since = place;
        }
    }
    assert_in_range(marks, 28, 32);
    run_close(&run);
}

static void test_tempo_begins_again(void **state)
{
    (void)state;
    struct run run;
    run_open(&run);
    cad_tempo_set(run.tempo, 131072);
    run_put(&run, HZ / 4);
    cad_tempo_reset(run.tempo);
    assert_int_equal(cad_tempo_lag(run.tempo), 0);
    assert_int_equal(cad_tempo_take(run.tempo, run.out, 100), 0);
    run.count = 0;
    run_put(&run, HZ);
    assert_true(run.count > HZ * 2 / 5 && run.count <= HZ / 2 + HZ / 20); /* the rate is kept */
    cad_tempo_finish(run.tempo);
    cad_tempo_finish(run.tempo);
    run_take(&run);
    uint32_t whole = run.count;
    run_put(&run, HZ / 2); /* after the end it begins anew */
    assert_true(run.count > whole);
    run_close(&run);
}

static void test_tempo_without_memory(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 20; at++) {
        struct cad_failing failing;
        cad_failing_init(&failing, at);
        struct cad_alloc alloc = cad_failing_alloc(&failing);
        struct cad_tempo *tempo = NULL;
        int rc = cad_tempo_create(&alloc, HZ, 2, &tempo);
        assert_int_equal(rc, failing.failed ? CAD_E_NOMEM : 0);
        cad_tempo_destroy(&tempo);
        assert_int_equal(failing.live_blocks, 0);
        assert_int_equal(failing.mismatches, 0);
        if (!failing.failed) return;
    }
    fail();
}

static void test_tempo_refuses_mistakes(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_tempo *tempo = NULL;
    float pcm[2] = {0, 0};
    assert_int_equal(cad_tempo_create(NULL, HZ, 2, &tempo), CAD_E_INVAL);
    assert_int_equal(cad_tempo_create(&alloc, HZ, 0, &tempo), CAD_E_INVAL);
    assert_int_equal(cad_tempo_create(&alloc, HZ, 33, &tempo), CAD_E_INVAL);
    assert_int_equal(cad_tempo_create(&alloc, 1, 2, &tempo), CAD_E_INVAL);
    assert_null(tempo);
    assert_int_equal(cad_tempo_create(&alloc, HZ, 6, &tempo), 0);
    assert_int_equal(cad_tempo_put(tempo, pcm, 0), CAD_E_INVAL);
    assert_int_equal(cad_tempo_put(tempo, pcm, CAD_TEMPO_PUT_MAX + 1), CAD_E_INVAL);
    cad_tempo_set(tempo, 0);
    cad_tempo_set(tempo, UINT32_MAX);
    cad_tempo_destroy(&tempo);
    cad_tempo_destroy(&tempo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tempo_keeps_pitch),
        cmocka_unit_test(test_tempo_changes_on_the_way),
        cmocka_unit_test(test_tempo_count_is_true),
        cmocka_unit_test(test_tempo_begins_again),
        cmocka_unit_test(test_tempo_without_memory),
        cmocka_unit_test(test_tempo_refuses_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
