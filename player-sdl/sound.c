#include "sound.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <SDL.h>
#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libavutil/samplefmt.h>
#include <libswresample/swresample.h>

#include "base/checked.h"
#include "base/util.h"
#include "media/tempo.h"
#include "tell.h"

#define DEVICE_RATE 48000
#define DEVICE_SAMPLES 1024         /* of one call of the device: 21 ms */
#define RING_MS 500
#define RAMP_MS 20                  /* from silence to full and back: no click */
#define CONVERT_MAX 16384           /* samples of one converted run */
#define PACE_CHUNK 128u             /* samples that go into the tempo filter at once */
#define GAP_MIN (2 * CAD_MS)        /* longer holes between runs are filled with silence */
#define GAP_MAX CAD_SECOND          /* longer ones are jumped over */

struct sound {
    SDL_AudioDeviceID device;
    uint32_t rate, channels;        /* of the device */
    SwrContext *resampler;          /* NULL before the first run */
    uint32_t in_rate, in_channels;  /* what it was set up for */
    uint64_t in_mask;
    float *convert;                 /* CONVERT_MAX samples of the device's channels */
    _Atomic float gain;             /* wanted, 0 .. 1 */
    atomic_bool muted;
    /* Under SDL_LockAudioDevice: */
    float level;                    /* gain of the sample before; on the way to the wanted one */
    float *ring;
    uint32_t capacity, head, count; /* samples of all channels */
    struct cad_tempo *tempo;
    float *chunk;                   /* PACE_CHUNK samples of the device's channels */
    uint32_t rate_q16;              /* wanted pace */
    bool paced;                     /* sound goes through the filter, since the rate was not 1 */
    cad_time end;                   /* media time behind the newest sample; CAD_TIME_NONE none */
    bool heard;                     /* media and at are known */
    cad_time media, at;
};

static cad_time duration_of(const struct sound *sound, uint32_t samples)
{
    return cad_time_from_ticks(samples, sound->rate);
}

/* The oldest n samples of the ring, which has them. */
static void take_ring(struct sound *sound, float *out, uint32_t n)
{
    size_t wide = sound->channels;
    for (uint32_t done = 0; done < n;) {
        uint32_t run = CAD_MIN(n - done, sound->capacity - sound->head);
        memcpy(out + done * wide, sound->ring + sound->head * wide, run * wide * sizeof(float));
        sound->head = (sound->head + run) % sound->capacity;
        done += run;
    }
    sound->count -= n;
}

/*
 * Through the filter, which is fed in small portions: a change of rate is heard at once. When the
 * ring is empty the filter gives its rest, and the next sound may go past it again.
 */
static uint32_t take_paced(struct sound *sound, float *out, uint32_t wanted)
{
    uint32_t done = 0;
    bool last = false;
    cad_tempo_set(sound->tempo, sound->rate_q16);
    while (done < wanted) {
        uint32_t n = cad_tempo_take(sound->tempo, out + (size_t)done * sound->channels,
                                    wanted - done);
        done += n;
        if (n > 0) continue;
        uint32_t more = CAD_MIN(sound->count, PACE_CHUNK);
        if (more > 0) {
            take_ring(sound, sound->chunk, more);
            if (cad_tempo_put(sound->tempo, sound->chunk, more) < 0) break;
        } else if (!last) {
            last = true;
            cad_tempo_finish(sound->tempo);
        } else {
            cad_tempo_reset(sound->tempo);
            sound->paced = false;
            break;
        }
    }
    return done;
}

/* Towards the wanted gain. */
static void apply_gain(struct sound *sound, float *out, uint32_t n)
{
    float gain = atomic_load(&sound->muted) ? 0.0f : atomic_load(&sound->gain);
    float slope = 1000.0f / RAMP_MS / (float)sound->rate;
    for (uint32_t i = 0; i < n; i++) {
        sound->level += CAD_MAX(-slope, CAD_MIN(gain - sound->level, slope));
        for (uint32_t c = 0; c < sound->channels; c++) *out++ *= sound->level;
    }
}

/* On the device's thread, which holds the device's lock. */
static void device_reads(void *ctx, Uint8 *stream, int bytes)
{
    struct sound *sound = ctx;
    float *out = (float *)(void *)stream;
    uint32_t wanted = (uint32_t)bytes / (uint32_t)sizeof(float) / sound->channels;
    uint32_t waiting = sound->count + (sound->paced ? cad_tempo_lag(sound->tempo) : 0);
    if (waiting > 0) {
        sound->media = cad_time_sub(sound->end, duration_of(sound, waiting));
        /* What is handed over now is heard when the buffer before it has been played. */
        sound->at = tell_now() + duration_of(sound, wanted);
        sound->heard = true;
    }
    if (sound->rate_q16 != CAD_TEMPO_ONE) sound->paced = true;
    uint32_t n = CAD_MIN(wanted, sound->count);
    if (sound->paced) {
        n = take_paced(sound, out, wanted);
    } else {
        take_ring(sound, out, n);
    }
    memset(out + (size_t)n * sound->channels, 0,
           (size_t)(wanted - n) * sound->channels * sizeof(float));
    apply_gain(sound, out, wanted);
}

static bool set_up_pace(struct sound *sound)
{
    struct cad_alloc alloc = cad_alloc_system();
    sound->rate_q16 = CAD_TEMPO_ONE;
    sound->chunk = calloc(PACE_CHUNK, sound->channels * sizeof(float));
    return sound->chunk &&
           cad_tempo_create(&alloc, sound->rate, sound->channels, &sound->tempo) == 0;
}

struct sound *sound_open(void)
{
    struct sound *sound = calloc(1, sizeof(*sound));
    if (!sound) return NULL;
    SDL_AudioSpec want = {.freq = DEVICE_RATE, .format = AUDIO_F32SYS, .channels = 2,
                          .samples = DEVICE_SAMPLES, .callback = device_reads, .userdata = sound};
    SDL_AudioSpec have;
    sound->device = SDL_OpenAudioDevice(
        NULL, 0, &want, &have,
        SDL_AUDIO_ALLOW_FREQUENCY_CHANGE | SDL_AUDIO_ALLOW_CHANNELS_CHANGE);
    if (sound->device == 0) {
        free(sound);
        return NULL;
    }
    sound->rate = (uint32_t)have.freq;
    sound->channels = have.channels;
    sound->capacity = sound->rate * RING_MS / 1000;
    sound->ring = calloc(sound->capacity, sound->channels * sizeof(float));
    sound->convert = calloc(CONVERT_MAX, sound->channels * sizeof(float));
    sound->end = CAD_TIME_NONE;
    atomic_store(&sound->gain, 1.0f);
    sound->level = 1.0f;
    if (!sound->ring || !sound->convert || !set_up_pace(sound)) sound_close(&sound);
    return sound;
}

void sound_close(struct sound **sound)
{
    if (!*sound) return;
    SDL_CloseAudioDevice((*sound)->device);
    swr_free(&(*sound)->resampler);
    free((*sound)->ring);
    free((*sound)->convert);
    free((*sound)->chunk);
    cad_tempo_destroy(&(*sound)->tempo);
    free(*sound);
    *sound = NULL;
}

/* Under the device's lock; there is room. */
static void append(struct sound *sound, const float *samples, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t place = (sound->head + sound->count) % sound->capacity;
        float *to = sound->ring + (size_t)place * sound->channels;
        if (samples) {
            memcpy(to, samples + (size_t)i * sound->channels, sound->channels * sizeof(float));
        } else {
            memset(to, 0, sound->channels * sizeof(float));
        }
        sound->count++;
    }
}

/* Under the device's lock. A hole before this run becomes silence; time never slips. */
static void bridge(struct sound *sound, cad_time pts)
{
    if (sound->end == CAD_TIME_NONE || sound->count == 0) {
        sound->end = pts;
        return;
    }
    cad_time gap = cad_time_sub(pts, sound->end);
    if (gap > GAP_MIN && gap < GAP_MAX) {
        int64_t silence = cad_time_to_ticks(gap, sound->rate);
        uint32_t room = sound->capacity - sound->count;
        append(sound, NULL, (uint32_t)CAD_MIN(silence, (int64_t)room));
        sound->end = pts;
    } else if (gap >= GAP_MAX || gap < -GAP_MIN) {
        sound->end = pts;
        sound->heard = false;
    }
}

/*
 * The layout of a frame: as the decoder knows it, else by the number of channels (6: 5.1). To fewer
 * channels libswresample mixes as ITU-R BS.775 does: centre and surround at -3 dB to each side, the
 * LFE left out, all scaled so that the loudest sum is full scale.
 */
static bool open_resampler(struct sound *sound, const struct cad_frame *frame)
{
    AVChannelLayout in;
    AVChannelLayout out;
    bool known = frame->channel_mask != 0 &&
                 av_channel_layout_from_mask(&in, frame->channel_mask) == 0 &&
                 in.nb_channels == (int)frame->channels;
    if (!known) av_channel_layout_default(&in, (int)frame->channels);
    av_channel_layout_default(&out, (int)sound->channels);
    int rc = swr_alloc_set_opts2(&sound->resampler, &out, AV_SAMPLE_FMT_FLT, (int)sound->rate, &in,
                                 AV_SAMPLE_FMT_FLT, (int)frame->sample_rate_hz, 0, NULL);
    if (rc >= 0) rc = av_opt_set_double(sound->resampler, "rematrix_maxval", 1.0, 0);
    if (rc < 0 || swr_init(sound->resampler) < 0) {
        swr_free(&sound->resampler);
        return false;
    }
    sound->in_rate = frame->sample_rate_hz;
    sound->in_channels = frame->channels;
    sound->in_mask = frame->channel_mask;
    return true;
}

/* Another stream's sound: what the resampler still holds of the one before comes first. */
static bool set_up_resampler(struct sound *sound, const struct cad_frame *frame)
{
    bool fits = sound->in_rate == frame->sample_rate_hz && sound->in_channels == frame->channels &&
                sound->in_mask == frame->channel_mask;
    if (sound->resampler && fits) return true;
    if (sound->resampler) {
        uint8_t *out = (uint8_t *)(void *)sound->convert;
        int n = swr_convert(sound->resampler, &out, CONVERT_MAX, NULL, 0);
        SDL_LockAudioDevice(sound->device);
        uint32_t room = sound->capacity - sound->count;
        if (n > 0) append(sound, sound->convert, CAD_MIN((uint32_t)n, room));
        SDL_UnlockAudioDevice(sound->device);
    }
    swr_free(&sound->resampler);
    return open_resampler(sound, frame);
}

int sound_write(struct sound *sound, const struct cad_frame *frame)
{
    if (!frame->pcm) return 0; /* compressed: this device does not take it */
    uint64_t most = (uint64_t)frame->samples * sound->rate / frame->sample_rate_hz + 64;
    SDL_LockAudioDevice(sound->device);
    bool full = sound->count > 0 && sound->capacity - sound->count < most;
    SDL_UnlockAudioDevice(sound->device);
    if (full) return CAD_E_AGAIN;
    if (!set_up_resampler(sound, frame)) return 0;
    const uint8_t *in = (const uint8_t *)(const void *)frame->pcm;
    uint8_t *out = (uint8_t *)(void *)sound->convert;
    int n = swr_convert(sound->resampler, &out, CONVERT_MAX, &in, (int)frame->samples);
    if (n <= 0) return 0;
    SDL_LockAudioDevice(sound->device);
    bridge(sound, frame->pts);
    uint32_t room = sound->capacity - sound->count;
    append(sound, sound->convert, CAD_MIN((uint32_t)n, room));
    /* By what was decoded, not by what the resampler has let out so far: no drift. */
    sound->end = cad_time_add(
        frame->pts, cad_time_from_ticks(frame->samples, frame->sample_rate_hz));
    SDL_UnlockAudioDevice(sound->device);
    return 0;
}

bool sound_clock(struct sound *sound, cad_time *media, cad_time *at)
{
    SDL_LockAudioDevice(sound->device);
    bool heard = sound->heard;
    *media = sound->media;
    *at = sound->at;
    SDL_UnlockAudioDevice(sound->device);
    return heard;
}

void sound_run(struct sound *sound, bool running)
{
    SDL_PauseAudioDevice(sound->device, running ? 0 : 1);
    SDL_LockAudioDevice(sound->device);
    sound->heard = false;
    SDL_UnlockAudioDevice(sound->device);
}

void sound_flush(struct sound *sound)
{
    SDL_LockAudioDevice(sound->device);
    sound->head = sound->count = 0;
    sound->paced = false;
    cad_tempo_reset(sound->tempo);
    sound->end = CAD_TIME_NONE;
    sound->heard = false;
    SDL_UnlockAudioDevice(sound->device);
    swr_free(&sound->resampler);
}

void sound_rate(struct sound *sound, uint32_t rate_q16)
{
    SDL_LockAudioDevice(sound->device);
    sound->rate_q16 = CAD_MAX(CAD_TEMPO_MIN, CAD_MIN(rate_q16, CAD_TEMPO_MAX));
    SDL_UnlockAudioDevice(sound->device);
}

void sound_set_volume(struct sound *sound, float gain)
{
    gain = gain > 0.0f ? gain : 0.0f; /* also where it is no number */
    atomic_store(&sound->gain, CAD_MIN(gain, 1.0f));
}

void sound_set_mute(struct sound *sound, bool muted)
{
    atomic_store(&sound->muted, muted);
}

void sound_volume(struct sound *sound, int32_t volume)
{
    sound_set_volume(sound, (float)volume / 100.0f);
}
