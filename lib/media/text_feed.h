/*
 * text_feed.h - from a sink's source to the callback for timed text.
 *
 * A document is given on as soon as it is pulled: it names the time for which it holds, and whoever
 * draws looks at the clock. Nothing of the clock waits for text, and nothing here fails.
 */
#ifndef CAD_MEDIA_TEXT_FEED_H
#define CAD_MEDIA_TEXT_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/decode.h"

#define CAD_TEXT_FEED_WORK 4 /* configurations and documents taken in one step */

struct cad_text_feed {
    cad_text_fn fn;           /* NULL: nothing is pulled */
    void *ctx;                /* of fn */
    uint32_t epoch;
    struct cad_stream_config config; /* of the document that follows; without extra */
    bool shown;               /* a document was given on and counts */
    struct cad_sample held;   /* of an epoch whose flush has not come yet */
    int held_result;          /* what pull answered: 0 or CAD_E_CONFIG */
    bool has_held;
};

void cad_text_feed_init(struct cad_text_feed *feed, cad_text_fn fn, void *ctx);
void cad_text_feed_deinit(struct cad_text_feed *feed);
/* A new epoch: nothing is shown any more. */
void cad_text_feed_reset(struct cad_text_feed *feed, uint32_t epoch);
/* Take what there is. True: more may be there. */
bool cad_text_feed_step(struct cad_text_feed *feed, const struct cad_sink_source *source);

#endif
