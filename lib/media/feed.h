/*
 * feed.h - from a sink's source to frames: pull, hold back what is early, decode, reconfigure.
 *
 * One feed a slot. cad_feed_next pulls access units from the source until a frame is there, the
 * source has nothing, or the work allowed for this step is used up. A raw feed makes frames of
 * access units without decoding them; sound of the codecs that pass through comes with its bytes.
 * A configuration in mid-stream that the decoder cannot go on with lets it finish first, then opens
 * another one, so that no picture is lost.
 */
#ifndef CAD_MEDIA_FEED_H
#define CAD_MEDIA_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/decode.h"

#define CAD_FEED_ERRORS_MAX 16 /* access units in a row that may fail to decode */

struct cad_feed_config {
    struct cad_alloc alloc;
    const struct cad_decoder_ops *decoder; /* asked before the shipped ones; NULL none */
    uint32_t threads;              /* of a decoder; 0 chosen */
    bool raw;                      /* frames without decoding */
    uint32_t passthrough;          /* bit 1 << enum cad_codec: sound that is given on as it is */
};

struct cad_feed {
    uint32_t slot;
    struct cad_feed_config config;
    uint32_t epoch;
    struct cad_decoder *decoder;   /* NULL before the first configuration, or compressed */
    bool compressed;               /* access units are given on with their bytes */
    struct cad_shells *units;      /* owners of those; NULL before the first */
    struct cad_stream_config stream; /* compressed: what they belong to; extra lies in stream_ref */
    struct cad_ref *stream_ref;
    uint32_t streams;              /* that were begun: rises where a decoder was opened */
    struct cad_sample held;        /* pulled and not used yet */
    int held_result;               /* what pull answered: 0 or CAD_E_CONFIG */
    bool has_held;
    bool reopen;                   /* held is a configuration; the old decoder gives its rest */
    bool draining;                 /* the decoder gives its rest */
    bool ended;                    /* the source's end was reached and every frame given */
    bool failed;                   /* fail says why; nothing more comes until reset */
    bool skipping;                 /* access units are dropped up to a sync sample ... */
    cad_time skip_to;              /* ... of this time or later */
    bool skipped_last;             /* nothing has come out since it skipped */
    uint32_t skipped;              /* that were to be shown; whoever counts them sets it to 0 */
    enum cad_media_type type;
    uint32_t rung;                 /* raw: of the configuration */
    uint32_t errors;               /* failures in a row */
    cad_time raw_shift;            /* raw: from the time of decoding to that of showing */
    cad_time end;                  /* the media up to here was given; CAD_TIME_NONE none */
    struct cad_sink_fail fail;
};

void cad_feed_init(struct cad_feed *feed, uint32_t slot, const struct cad_feed_config *config);
void cad_feed_deinit(struct cad_feed *feed);
/* Forget what belongs to older epochs; the decoder stays open for the next one. */
void cad_feed_reset(struct cad_feed *feed, uint32_t epoch);
/*
 * What is to be shown before `to` comes too late: drop all before the first sync sample of that
 * time or later, and what the decoder has inside. Decoding goes on there, and only when
 * a frame has come out may the feed be told to skip again: so whatever the decoder's speed,
 * something is seen. Nothing happens before that, and to a raw feed.
 */
void cad_feed_skip(struct cad_feed *feed, cad_time to);
/*
 * The next frame, in order of presentation. 0: *out is the caller's.
 * CAD_E_AGAIN: the source has none. CAD_E_END. CAD_E_LIMIT: *work access units were taken, go on
 * later. CAD_E_IO: failed, feed->fail says why.
 */
CAD_MUST_CHECK int cad_feed_next(struct cad_feed *feed, const struct cad_sink_source *source,
                                 uint32_t *work, struct cad_frame *out);

#endif
