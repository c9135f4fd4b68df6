/*
 * The sound device as it is heard: SDL's disk driver writes down what a device would play, in real
 * time. Pace keeps pitch and the clock, gain moves without a step, six channels become two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <SDL.h>

#include "sound.h"

#define HZ 48000u
#define RUN 960u               /* samples of a frame: 20 ms */
#define HEARD_MAX (HZ * 4)

static char path[64];

/* What the tests give: a value for each sample and channel. */
struct source {
    uint32_t channels;
    uint64_t next;             /* sample */
    float (*value)(uint64_t sample, uint32_t channel);
    float pcm[RUN * 8];
};

static struct source source;
static float heard[HEARD_MAX * 2];
static uint32_t heard_count;

/* A tone of 400 Hz, by parabolas: only its zeros and its smoothness matter. */
static float tone(uint64_t sample, uint32_t channel)
{
    (void)channel;
    double x = (double)(sample % 120) / 120;
    double half = x < 0.5 ? x * 2 : x * 2 - 1;
    double y = 4 * half * (1 - half) * 0.5;
    return (float)(x < 0.5 ? y : -y);
}

static float steady(uint64_t sample, uint32_t channel)
{
    (void)sample;
    (void)channel;
    return 0.5f;
}

static float centre_only(uint64_t sample, uint32_t channel)
{
    (void)sample;
    return channel == 2 ? 0.5f : 0.0f;
}

static float lfe_only(uint64_t sample, uint32_t channel)
{
    (void)sample;
    return channel == 3 ? 0.5f : 0.0f;
}

static float all_full(uint64_t sample, uint32_t channel)
{
    (void)sample;
    (void)channel;
    return 1.0f;
}

/* As much as the device takes. */
static void give(struct sound *sound)
{
    for (;;) {
        for (uint32_t i = 0; i < RUN; i++) {
            for (uint32_t c = 0; c < source.channels; c++) {
                source.pcm[i * source.channels + c] = source.value(source.next + i, c);
            }
        }
        struct cad_frame frame = {
            .type = CAD_MEDIA_AUDIO, .pts = cad_time_from_ticks((int64_t)source.next, HZ),
            .channels = source.channels, .sample_rate_hz = HZ, .samples = RUN, .pcm = source.pcm};
        if (sound_write(sound, &frame) != 0) return;
        source.next += RUN;
    }
}

static void play(struct sound *sound, uint32_t ms)
{
    for (uint32_t done = 0; done < ms; done += 10) {
        give(sound);
        SDL_Delay(10);
    }
}

static struct sound *open_sound(uint32_t channels, float (*value)(uint64_t, uint32_t))
{
    source.channels = channels;
    source.value = value;
    source.next = 0;
    struct sound *sound = sound_open();
    assert_non_null(sound);
    give(sound);
    return sound;
}

/* Everything that the device played; silence before the first sound is left out. */
static void listen(void)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    heard_count = (uint32_t)(fread(heard, 2 * sizeof(float), HEARD_MAX, file));
    fclose(file);
    uint32_t silent = 0;
    while (silent < heard_count && heard[2 * silent] == 0 && heard[2 * silent + 1] == 0) silent++;
    heard_count -= silent;
    memmove(heard, heard + 2 * (size_t)silent, (size_t)heard_count * 2 * sizeof(float));
}

static uint32_t crossings(uint32_t from, uint32_t to)
{
    uint32_t count = 0;
    for (uint32_t i = from + 1; i < to; i++) {
        if (heard[2 * i - 2] < 0 && heard[2 * i] >= 0) count++;
    }
    return count;
}

static void check_pace(uint32_t rate_q16)
{
    struct sound *sound = open_sound(2, tone);
    sound_rate(sound, rate_q16);
    sound_run(sound, true);
    play(sound, 900);
    cad_time media = 0;
    cad_time at = 0;
    SDL_Delay(1);
    assert_true(sound_clock(sound, &media, &at));
    sound_run(sound, false);
    sound_close(&sound);
    listen();
    assert_true(heard_count > HZ / 2);
    /* What was played, times the rate, is where the clock is; the last buffer may be on its way. */
    double moved = (double)heard_count * rate_q16 / 65536 / HZ;
    double told = (double)media / CAD_SECOND;
    assert_true(told < moved + 0.07 && told > moved - 0.07);
    uint32_t half = HZ / 2;
    assert_in_range(crossings(0, half), 196, 204); /* 400 Hz, whatever the pace */
}

static void test_sound_pace_keeps_pitch_and_clock(void **state)
{
    (void)state;
    check_pace(65536);
    check_pace(32768);
    check_pace(98304);
    check_pace(131072);
}

/* Nothing goes through the filter at normal speed: to the bit. */
static void test_sound_normal_speed_is_untouched(void **state)
{
    (void)state;
    struct sound *sound = open_sound(2, tone);
    sound_run(sound, true);
    play(sound, 300);
    sound_close(&sound);
    listen();
    assert_true(heard_count > HZ / 8);
    /* The first sample of the tone is 0 and counts as silence. */
    for (uint32_t i = 0; i < HZ / 8; i++) {
        assert_true(heard[2 * i] == tone(i + 1, 0) && heard[2 * i + 1] == tone(i + 1, 1));
    }
}

/* Up and down between buffers: no step is above that of the ramp, 20 ms from silence to full. */
static void test_sound_gain_moves_without_a_step(void **state)
{
    (void)state;
    struct sound *sound = open_sound(2, steady);
    sound_run(sound, true);
    play(sound, 100);
    sound_set_volume(sound, 0.25f);
    play(sound, 100);
    sound_set_mute(sound, true);
    play(sound, 100);
    sound_set_mute(sound, false);
    play(sound, 100);
    sound_set_volume(sound, 7.0f);
    play(sound, 100);
    sound_volume(sound, 50);
    play(sound, 120);
    sound_close(&sound);
    listen();
    float lowest = 1;
    bool quarter = false;
    bool full = false;
    for (uint32_t i = 1; i < heard_count; i++) {
        float step = heard[2 * i] - heard[2 * i - 2];
        assert_true(step < 0.00055f && step > -0.00055f);
        assert_true(heard[2 * i] <= 0.5f);
        if (heard[2 * i] < lowest) lowest = heard[2 * i];
        if (lowest == 0 && heard[2 * i] == 0.125f) quarter = true;
        if (quarter && heard[2 * i] == 0.5f) full = true;
    }
    assert_true(lowest == 0 && quarter && full);
    assert_true(heard[2 * (heard_count - 1)] == 0.25f);
}

static float mixed(float (*value)(uint64_t, uint32_t))
{
    struct sound *sound = open_sound(6, value);
    sound_run(sound, true);
    play(sound, 150);
    sound_close(&sound);
    listen();
    if (heard_count < 100) return 0;
    assert_true(heard[200] == heard[201]);
    return heard[200];
}

/* ITU-R BS.775 with 1 + 2 x 0.7071 scaled to full scale. */
static void test_sound_mixes_six_channels(void **state)
{
    (void)state;
    float centre = mixed(centre_only);
    assert_true(centre > 0.1460f && centre < 0.1469f); /* 0.5 x 0.7071 / 2.4142 */
    assert_true(mixed(lfe_only) == 0);
    float all = mixed(all_full);
    assert_true(all > 0.999f && all < 1.001f);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/tmp/heard-%ld.raw", (long)getpid());
    SDL_setenv("SDL_DISKAUDIOFILE", path, 1);
    SDL_setenv("SDL_AUDIODRIVER", "disk", 1);
    return SDL_Init(SDL_INIT_AUDIO);
}

static int tear_down(void **state)
{
    (void)state;
    SDL_Quit();
    return remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound_pace_keeps_pitch_and_clock),
        cmocka_unit_test(test_sound_normal_speed_is_untouched),
        cmocka_unit_test(test_sound_gain_moves_without_a_step),
        cmocka_unit_test(test_sound_mixes_six_channels),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
