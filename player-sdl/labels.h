/*
 * labels.h - words for people: languages, codecs, channels, times, tracks, rungs.
 */
#ifndef PLAYER_LABELS_H
#define PLAYER_LABELS_H

#include "cadmium/actions.h"

#define LABEL_SIZE 96

/* "English", "Portuguese (BR)"; the tag itself where its language is not known; "Unknown". */
void label_language(const char *tag, char *out, size_t size);
/* Whether a track's tag answers a wish: the same, or the same language where the wish has no
 * region. Two and three letters of a language are the same. */
bool label_language_fits(const char *wish, const char *tag);
/* "Stereo", "5.1"; "" unknown. */
void label_channels(uint32_t channels, char *out, size_t size);
/* "H.264", "Dolby Digital Plus"; "" unknown. */
const char *label_codec(enum cad_codec codec);
/* "1080p", "854 x 480" for what is no usual height; "" unknown. */
void label_size(uint32_t width, uint32_t height, char *out, size_t size);
/* "850 kbit/s", "5.8 Mbit/s"; "" for 0 and below. */
void label_rate(int64_t rate_bps, char *out, size_t size);
/* "1:02:03", "4:05"; "-:--" for CAD_TIME_NONE. */
void label_time(cad_time t, char *out, size_t size);
/* "1x", "1.25x" with a true multiplication sign. */
void label_speed(uint32_t speed_q16, char *out, size_t size);
/* What a track is called, and what else there is to say about it. Safe to be shown. */
void label_track(const struct cad_track_info *track, char *out, size_t size);
void label_track_note(const struct cad_track_info *track, char *out, size_t size);

#endif
