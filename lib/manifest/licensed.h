/*
 * licensed.h - the licensed manifest's half of the parser, and what its parts share.
 *
 * parser.c owns the object and calls init, step until it is done, then takes the model. Inside, a
 * parse runs in two stages, both resumable: reading tokens into a raw tree (licensed_read.c), then
 * building the model a unit at a time: the servers, each track, the rest (licensed.c).
 */
#ifndef CAD_MANIFEST_LICENSED_H
#define CAD_MANIFEST_LICENSED_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/manifest.h"

#include "base/arena.h"
#include "base/json.h"
#include "manifest/licensed_raw.h"
#include "manifest/model.h"

#define CAD_LICENSED_FRAMES_MAX 16u /* containers that the tables can nest, and some */

enum cad_licensed_stage {
    CAD_LICENSED_READ,
    CAD_LICENSED_BEGIN,
    CAD_LICENSED_TRACKS,
    CAD_LICENSED_FINISH,
    CAD_LICENSED_DONE
};

/* One open container that is read (skipped ones are only counted). */
struct cad_licensed_frame {
    const struct cad_raw_field *field; /* what the container is the value of; NULL for the root */
    void *raw;                         /* object: its struct; else the struct with the list */
    uint64_t seen;                     /* object: bit i, field i was given already */
    uint8_t node;                      /* object: enum cad_raw_node */
    uint8_t shape;                     /* object, array or map; licensed_read.c */
};

/* A set of texts of known greatest size, in the scratch arena. */
struct cad_licensed_ids {
    cad_str *slots;
    uint32_t mask;
};

struct cad_licensed {
    const struct cad_manifest_options *options; /* the parser's copy */
    struct cad_manifest_error *error;           /* the parser's; set once, on failure */
    struct cad_arena scratch;                   /* raw tree and tables; dies with the parse */
    enum cad_licensed_stage stage;

    /* Reading. */
    struct cad_json json;
    struct cad_licensed_frame frames[CAD_LICENSED_FRAMES_MAX];
    uint32_t frame_count;
    uint32_t skip_depth;                 /* open containers inside a skipped value */
    const struct cad_raw_field *pending; /* the field whose value comes next; NULL: skip it */
    cad_str pending_key;                 /* in a map: the member's name */
    bool started;
    struct cad_raw_manifest *root;

    /* Building. */
    struct cad_raw_manifest *manifest; /* root or root->result */
    struct cad_model *model;
    struct cad_server *servers; /* scratch; known ones in order, then hosts as they are met */
    uint32_t server_count;
    uint32_t known_servers;
    struct cad_licensed_ids representation_ids;
    struct cad_licensed_ids track_ids;
    struct cad_track *tracks;           /* scratch */
    const struct cad_raw_track **raws;  /* what each was built from; NULL for trick play */
    uint32_t track_count;
    enum cad_media_type cursor_type;    /* the kind of the next track to build */
    const struct cad_raw_item *cursor;  /* the next one; NULL: this kind is done */
    uint32_t cursor_index;              /* of it among its kind */
    uint32_t track_cost;                /* raw URLs of the track in hand: its price in tokens */
    uint32_t playable[2];               /* video and audio tracks kept */
    uint32_t dropped_encrypted;         /* streams refused for being encrypted */
    bool kept_encrypted;
    int64_t first_expiry_ms;            /* the earliest of all URLs kept; 0 none */
};

/* ---- for parser.c -------------------------------------------------------------------------- */

/* options and error are borrowed for life. */
void cad_licensed_init(struct cad_licensed *p, const struct cad_manifest_options *options,
                       struct cad_manifest_error *error, cad_buf document);
void cad_licensed_deinit(struct cad_licensed *p);
/* 0: whole. CAD_E_AGAIN: tokens used up. Else as cad_manifest_parser_step, with *error set. */
CAD_MUST_CHECK int cad_licensed_step(struct cad_licensed *p, cad_buf document, uint32_t tokens);
/* The model, once; the caller owns it. NULL if there is none. */
struct cad_model *cad_licensed_take(struct cad_licensed *p);

/* ---- between the parts ---------------------------------------------------------------------- */

/* Note why the parse fails; returns rc. */
int cad_licensed_fail(struct cad_licensed *p, int rc, enum cad_error_code code, const char *text);
/* The failure of an arena that answered NULL. */
int cad_licensed_fail_memory(struct cad_licensed *p);
/* Count a thing that was wrong and can be lived with; id tells the log which, or is empty. */
void cad_licensed_warn(struct cad_licensed *p, const char *what, cad_str id);

/* A copy in the model. Sets *failed and returns an empty view when memory ran out. */
cad_str cad_licensed_keep(struct cad_licensed *p, cad_str s, bool *failed);
/* value if it lies in low..high, else fallback; absent counts as outside. */
int64_t cad_raw_clamp(int64_t value, int64_t low, int64_t high, int64_t fallback);

/* licensed_read.c: one token, which must be there. 0: go on; 1: the document ended. */
CAD_MUST_CHECK int cad_licensed_read(struct cad_licensed *p);

/* licensed_steer.c: the servers in order; then a location for each URL. */
CAD_MUST_CHECK int cad_licensed_servers(struct cad_licensed *p);
/* The usable ones of a list of URLs in the servers' order; *count 0 if there is none. */
CAD_MUST_CHECK int cad_licensed_locations(struct cad_licensed *p, const struct cad_raw_list *urls,
                                          const struct cad_location **out, uint32_t *count);
/* Copy the servers to the model and settle the expiry of URLs that had none. */
CAD_MUST_CHECK int cad_licensed_seal_servers(struct cad_licensed *p);

/* licensed_streams.c, licensed_text.c: one track; 1 if it was kept, 0 if dropped. */
CAD_MUST_CHECK int cad_licensed_av_track(struct cad_licensed *p, const struct cad_raw_track *raw,
                                         enum cad_media_type type, struct cad_track *out);
CAD_MUST_CHECK int cad_licensed_text_track(struct cad_licensed *p,
                                           const struct cad_raw_track *raw,
                                           struct cad_track *out);
CAD_MUST_CHECK int cad_licensed_trickplay(struct cad_licensed *p,
                                          const struct cad_raw_trickplay *raw,
                                          struct cad_track *out);
/* The fields that tracks with languages share. */
void cad_licensed_describe(struct cad_licensed *p, const struct cad_raw_track *raw,
                           struct cad_track *out, bool *failed);

/* licensed_keys.c: the track's drm headers into the model; broken ones are warned about. */
CAD_MUST_CHECK int cad_licensed_keys(struct cad_licensed *p, const struct cad_raw_track *raw,
                                     struct cad_track *out);
/* Which header opens a stream: *out, empty for the track's default. False: none does. */
bool cad_licensed_find_key(const struct cad_raw_track *raw, cad_str id, cad_str *out);

/* licensed.c: sets of ids; count_max bounds the puts. */
bool cad_licensed_ids_has(const struct cad_licensed_ids *ids, cad_str id);
void cad_licensed_ids_put(struct cad_licensed_ids *ids, cad_str id);

/* licensed_finish.c: links, defaults, markers, times. */
CAD_MUST_CHECK int cad_licensed_head(struct cad_licensed *p);
CAD_MUST_CHECK int cad_licensed_finish(struct cad_licensed *p);

#endif
