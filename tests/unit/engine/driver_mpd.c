#include "driver_mpd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void mpd_put(struct mpd *m, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(m->text + m->n, sizeof m->text - m->n, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof m->text - m->n);
    m->n += (size_t)n;
}

void mpd_begin(struct mpd *m, cad_time duration)
{
    m->n = 0;
    mpd_put(m, "<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" "
            "profiles=\"urn:mpeg:dash:profile:full:2011\" minBufferTime=\"PT2S\" "
            "mediaPresentationDuration=\"PT%" PRId64 "S\">", duration / CAD_SECOND);
}

void mpd_period(struct mpd *m, int64_t from_ms)
{
    mpd_put(m, "<Period id=\"p%" PRId64 "\" start=\"PT%" PRId64 ".%03" PRId64 "S\">", from_ms,
            from_ms / 1000, from_ms % 1000);
}

void mpd_indexed(struct mpd *m, const struct drv *d, uint32_t stream, int64_t offset_ms)
{
    const struct cad_synth_stream *s = &d->stream[stream];
    mpd_put(m, "<BaseURL>/v%u.mp4</BaseURL><SegmentBase indexRange=\"%" PRId64 "-%" PRId64
            "\" timescale=\"1000\" presentationTimeOffset=\"%" PRId64 "\">"
            "<Initialization range=\"0-%" PRId64 "\"/></SegmentBase>",
            stream, s->sidx.first, s->sidx.last, offset_ms, s->moov.last);
}

void mpd_serve(struct drv *d, struct mpd *m)
{
    mpd_put(m, "</MPD>");
    free(d->manifest);
    d->manifest = drv_malloc(m->n + 1);
    memcpy(d->manifest, m->text, m->n + 1);
    d->strict_bytes = false;
    drv_load_url(d, "http://h0/title.mpd", 1);
    drv_play(d);
}

void drv_choose(struct drv *d, const char *id, uint32_t ticket)
{
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command = (struct cad_command){.type = CAD_COMMAND_TRACK, .ticket = ticket};
    (void)snprintf(event.u.command.track, sizeof event.u.command.track, "%s", id);
    drv_feed(d, &event);
}

void drv_check_pictures(const struct drv *d, cad_time from, cad_time to, bool alone)
{
    const struct drv_slot *slot = &d->sink.slot[CAD_SLOT_VIDEO];
    cad_time next = from;
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct drv_sample *s = &slot->samples[i];
        if (s->epoch != d->sink.epoch || (s->flags & CAD_SAMPLE_DECODE_ONLY)) continue;
        if (!alone && (s->pts < from || s->pts >= to)) continue;
        assert_int_equal(s->pts, next);
        next += 40 * CAD_MS;
    }
    assert_int_equal(next, to);
}
