/*
 * driver_mpd.h - DASH presentations of a driver's title, written by a test.
 *
 *     static struct mpd m;
 *     mpd_begin(&m, 60 * CAD_SECOND);
 *     mpd_period(&m, 20000);
 *     mpd_put(&m, "<AdaptationSet ...");
 *     mpd_put(&m, "</Period>");
 *     mpd_serve(d, &m);                 loads it from http://h0/title.mpd and plays
 *
 * The driver answers for /vS.mp4 (stream S whole, or ranges of it), /vS-i.mp4 (its header),
 * /vS-nN.m4s (segment N, from 0) and /vS-tMS.m4s (the segment that begins at MS milliseconds).
 */
#ifndef CAD_TESTS_ENGINE_DRIVER_MPD_H
#define CAD_TESTS_ENGINE_DRIVER_MPD_H

#include "driver.h"

#define MPD_MAX 16384

struct mpd {
    char text[MPD_MAX];
    size_t n;
};

void mpd_put(struct mpd *m, const char *format, ...) CAD_PRINTF(2, 3);
/* The root element; what was there is forgotten. duration: whole seconds. */
void mpd_begin(struct mpd *m, cad_time duration);
/* The start tag of a period. */
void mpd_period(struct mpd *m, int64_t from_ms);
/* SegmentBase over the file of a stream; what lies at `offset_ms` is shown as the period starts. */
void mpd_indexed(struct mpd *m, const struct drv *d, uint32_t stream, int64_t offset_ms);
/* Ends the document and plays it. Bytes may be asked for again: every period wants headers. */
void mpd_serve(struct drv *d, struct mpd *m);

/* CAD_COMMAND_TRACK. */
void drv_choose(struct drv *d, const char *id, uint32_t ticket);
/* Pictures shown in the present epoch from `from` to `to`: each once, in order. alone: and no
 * others. */
void drv_check_pictures(const struct drv *d, cad_time from, cad_time to, bool alone);

#endif
