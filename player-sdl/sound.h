/*
 * sound.h - a sound device of SDL: takes sound ahead of its time and says what is heard.
 *
 * The sink's thread writes; the device's own thread reads from a ring of half a second of media and
 * notes at each call which media time it took and when that will be heard. Pace and gain are
 * applied there, so that a change is heard within a buffer of the device (21 ms).
 */
#ifndef PLAYER_SOUND_H
#define PLAYER_SOUND_H

#include "cadmium/decode.h"

struct sound;

/* NULL: there is no device; then time goes by the monotonic clock. SDL's audio must be up. */
struct sound *sound_open(void);
void sound_close(struct sound **sound);
/* 0: taken. CAD_E_AGAIN: full. What cannot be converted is passed over as silence. */
int sound_write(struct sound *sound, const struct cad_frame *frame);
/* True: media time *media is heard at monotonic *at. */
bool sound_clock(struct sound *sound, cad_time *media, cad_time *at);
void sound_run(struct sound *sound, bool running);
void sound_flush(struct sound *sound);
/* Played at this pace from now on, 32768 .. 131072 (65536: normal), at the same pitch; sound_clock
 * goes on to answer in media time. */
void sound_rate(struct sound *sound, uint32_t rate_q16);
/*
 * Gain 0 .. 1 (volume in percent / 100), default 1, and silence beside it, default off: unmuting
 * returns to the gain. Both are reached by a ramp of 20 ms, so that nothing clicks. Any thread.
 */
void sound_set_volume(struct sound *sound, float gain);
void sound_set_mute(struct sound *sound, bool muted);
/* Percent: sound_set_volume(sound, volume / 100). */
void sound_volume(struct sound *sound, int32_t volume);

#endif
