/*
 * track_data.h - access units for tests: read from a fragmented MP4 or made up.
 *
 *     track_data_load(&track, "h264.mp4")      real ones, through lib/mp4
 *     track_data_make(&track, type, 100, 40 * CAD_MS)   without content; rising pts
 *
 * A struct sample_source plays them to a sink as an engine would: a configuration first, then the
 * access units of one epoch, only as many as the test lets through, then the end. Every access unit
 * has a buffer of its own, so that the pool shows whether a reference was forgotten.
 */
#ifndef CAD_TESTS_MEDIA_TRACK_DATA_H
#define CAD_TESTS_MEDIA_TRACK_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/sink.h"

struct cad_pool;

struct track_item {
    cad_time pts, dts, duration;
    size_t offset, size; /* in bytes */
    bool sync;
};

struct track_data {
    struct cad_stream_config config; /* extra lies in bytes, or is empty */
    uint8_t *bytes;
    size_t size;
    struct track_item *items;
    uint32_t count;
};

/* False: the file is missing or cannot be read. */
bool track_data_load(struct track_data *track, const char *path);
void track_data_make(struct track_data *track, enum cad_media_type type, uint32_t count,
                     cad_time duration);
void track_data_free(struct track_data *track);
/* The end of the last access unit shown. */
cad_time track_data_end(const struct track_data *track);

#define SOURCE_ALL UINT32_MAX
#define SOURCE_PLAN_MAX 6

/* Before access unit `at` of the track that is played: go on with another one from `next`. */
struct source_change {
    const struct track_data *track;
    uint32_t at, next;
};

#define SOURCE_WORDS_MAX 8

/* What the slot of text will give: a configuration, or a document. */
struct source_words {
    uint32_t epoch;
    const char *lang;     /* NULL: a configuration that says that there is none */
    const char *document; /* NULL: the configuration of `lang` */
};

struct sample_source {
    struct cad_pool *pool;
    struct source_words words[SOURCE_WORDS_MAX];
    uint32_t words_count, words_next;     /* given up to here */
    const struct track_data *track[CAD_ENGINE_TRACKS]; /* NULL: the slot has none */
    uint32_t epoch;                       /* of what is pulled */
    uint32_t next[CAD_ENGINE_TRACKS];     /* access unit */
    uint32_t open[CAD_ENGINE_TRACKS];     /* how many of the track may be pulled */
    uint32_t flags;                       /* set on every access unit */
    cad_time show_from;                   /* earlier ones are DECODE_ONLY; CAD_TIME_NONE none */
    bool told[CAD_ENGINE_TRACKS];         /* the configuration was given */
    uint32_t pulled[CAD_ENGINE_TRACKS];   /* access units given since it began */
    struct source_change plan[CAD_ENGINE_TRACKS][SOURCE_PLAN_MAX];
    uint32_t plan_count[CAD_ENGINE_TRACKS], plan_next[CAD_ENGINE_TRACKS];
};

void sample_source_init(struct sample_source *source, const struct track_data *video,
                        const struct track_data *audio);
void sample_source_deinit(struct sample_source *source);
/* Text of the present epoch: a configuration and a document; lang NULL: that there is none. */
void sample_source_write(struct sample_source *source, const char *lang, const char *document);
/* Begin another epoch at the last sync sample that is not after `position`. */
void sample_source_seek(struct sample_source *source, uint32_t epoch, cad_time position);
/* Go on with another track of the same times: a configuration comes first. */
void sample_source_switch(struct sample_source *source, uint32_t slot,
                          const struct track_data *track);
/* The same later, without the sink waiting for it; changes are planned in their order. */
void sample_source_plan(struct sample_source *source, uint32_t slot,
                        const struct source_change *change);
/* The first access unit of a track that ends after `time`. */
uint32_t track_data_at(const struct track_data *track, cad_time time);
struct cad_sink_source sample_source_edge(struct sample_source *source);
/* Bytes of access units that somebody still holds. */
size_t sample_source_held(struct sample_source *source);

#endif
