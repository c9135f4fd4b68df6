/*
 * sound.h - a sound device of SDL: takes sound ahead of its time and says what is heard.
 *
 * The sink's thread writes; the device's own thread reads from a ring of half a second and notes at
 * each call which media time it took and when that will be heard.
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
/* 0..100; any thread. */
void sound_volume(struct sound *sound, int32_t volume);

#endif
