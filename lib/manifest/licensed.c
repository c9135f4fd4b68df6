/*
 * licensed.c - the licensed manifest: the two stages of a parse, and what their parts share.
 *
 * Every unit of work costs tokens: one JSON token costs one; building a track costs one for each
 * of its raw URLs. A unit that costs more than what is left ends the call, so that a call is
 * bounded by its tokens plus one track (at most streams x urls of the limits).
 */
#include <string.h>

#include "base/assert.h"
#include "base/log.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "manifest/licensed.h"

#define SCRATCH_CHUNK_BYTES 32768u

void cad_licensed_init(struct cad_licensed *p, const struct cad_manifest_options *options,
                       struct cad_manifest_error *error, cad_buf document)
{
    memset(p, 0, sizeof(*p));
    p->options = options;
    p->error = error;
    cad_arena_init(&p->scratch, &options->alloc, CAD_MEM_MANIFEST, SCRATCH_CHUNK_BYTES, 0);
    struct cad_json_limits limits = {
        .depth_max = CAD_MIN(options->limits.depth, CAD_JSON_DEPTH_MAX),
        .string_bytes_max = options->limits.string_bytes,
    };
    cad_json_init(&p->json, cad_str_from_buf(document), &limits);
}

void cad_licensed_deinit(struct cad_licensed *p)
{
    cad_arena_deinit(&p->scratch);
    cad_model_destroy(&p->model);
}

struct cad_model *cad_licensed_take(struct cad_licensed *p)
{
    struct cad_model *model = p->stage == CAD_LICENSED_DONE ? p->model : NULL;
    if (model) p->model = NULL;
    return model;
}

/* ---- shared helpers -------------------------------------------------------------------------- */

int cad_licensed_fail(struct cad_licensed *p, int rc, enum cad_error_code code, const char *text)
{
    p->error->code = code;
    (void)cad_str_copyz(p->error->message, sizeof(p->error->message), cad_str_from(text));
    CAD_LOG(&p->options->log, ERROR, CAD_TIME_NONE, "manifest: failed code=%s line=%u text=\"%s\"",
            cad_error_name(code), p->error->line, p->error->message);
    return rc;
}

int cad_licensed_fail_memory(struct cad_licensed *p)
{
    return cad_licensed_fail(p, CAD_E_NOMEM, CAD_ERR_OUT_OF_MEMORY,
                             "out of memory while parsing the manifest");
}

void cad_licensed_warn(struct cad_licensed *p, const char *what, cad_str id)
{
    p->model->presentation.warnings++;
    CAD_LOG(&p->options->log, WARN, CAD_TIME_NONE, "manifest: warning text=\"%s\" id=%.*s", what,
            CAD_STR_ARG(id));
}

cad_str cad_licensed_keep(struct cad_licensed *p, cad_str s, bool *failed)
{
    if (s.n == 0) return CAD_STR("");
    cad_str copy = cad_arena_str(&p->model->arena, s);
    if (copy.p) return copy;
    *failed = true;
    return CAD_STR("");
}

int64_t cad_raw_clamp(int64_t value, int64_t low, int64_t high, int64_t fallback)
{
    return value >= low && value <= high ? value : fallback;
}

static int ids_init(struct cad_licensed *p, struct cad_licensed_ids *ids, uint64_t count_max)
{
    uint32_t size = 16;
    CAD_ASSERT(count_max < UINT32_MAX / 4);
    while (size < count_max * 2) size *= 2;
    ids->slots = cad_arena_array(&p->scratch, cad_str, size);
    ids->mask = size - 1;
    return ids->slots ? CAD_OK : cad_licensed_fail_memory(p);
}

static uint32_t slot_of(const struct cad_licensed_ids *ids, cad_str id)
{
    uint32_t at = (uint32_t)cad_hash64(id.p, id.n, 0) & ids->mask;
    while (ids->slots[at].p && !cad_str_eq(ids->slots[at], id)) at = (at + 1) & ids->mask;
    return at;
}

bool cad_licensed_ids_has(const struct cad_licensed_ids *ids, cad_str id)
{
    return ids->slots[slot_of(ids, id)].p != NULL;
}

void cad_licensed_ids_put(struct cad_licensed_ids *ids, cad_str id)
{
    ids->slots[slot_of(ids, id)] = id;
}

/* ---- tables for building --------------------------------------------------------------------- */

static uint64_t count_representations(const struct cad_raw_manifest *m)
{
    uint64_t count = m->trickplays.count;
    const struct cad_raw_list *lists[] = {&m->video, &m->audio, &m->text};
    for (size_t i = 0; i < CAD_ARRAY_LEN(lists); i++) {
        for (const struct cad_raw_item *item = lists[i]->first; item; item = item->next) {
            const struct cad_raw_track *track = (const struct cad_raw_track *)item;
            count += (uint64_t)track->streams.count + track->files.count;
        }
    }
    return count;
}

static const struct cad_raw_item *first_track(const struct cad_licensed *p,
                                              enum cad_media_type type)
{
    const struct cad_raw_manifest *m = p->manifest;
    switch (type) {
    case CAD_MEDIA_VIDEO: return m->video.first;
    case CAD_MEDIA_AUDIO: return m->audio.first;
    case CAD_MEDIA_TEXT: return m->text.first;
    case CAD_MEDIA_IMAGE: return m->trickplays.first;
    case CAD_MEDIA_OTHER: break;
    }
    return NULL;
}

static int prepare_tracks(struct cad_licensed *p)
{
    const struct cad_raw_manifest *m = p->manifest;
    uint64_t tracks = (uint64_t)m->video.count + m->audio.count + m->text.count +
                      m->trickplays.count;
    p->tracks = cad_arena_array(&p->scratch, struct cad_track, tracks + 1);
    p->raws = cad_arena_array(&p->scratch, const struct cad_raw_track *, tracks + 1);
    if (!p->tracks || !p->raws) return cad_licensed_fail_memory(p);
    int rc = ids_init(p, &p->track_ids, tracks);
    if (rc == 0) rc = ids_init(p, &p->representation_ids, count_representations(m));
    p->cursor_type = CAD_MEDIA_VIDEO;
    p->cursor = first_track(p, CAD_MEDIA_VIDEO);
    return rc;
}

/* ---- tracks, one a time ---------------------------------------------------------------------- */

/* The published id, or one made up: "V:0", "A:0", "T:0", "I:0" by the index among its kind. */
static int name_track(struct cad_licensed *p, cad_str id, struct cad_track *track)
{
    static const char letters[] = "VATI";
    char text[24];
    if (id.n == 0) {
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, text, sizeof(text));
        cad_sb_putc(&sb, letters[p->cursor_type]);
        cad_sb_putc(&sb, ':');
        cad_sb_u64(&sb, p->cursor_index);
        id = cad_sb_str(&sb);
    }
    if (cad_licensed_ids_has(&p->track_ids, id)) {
        cad_licensed_warn(p, "a track id that is taken", id);
        return 0;
    }
    bool failed = false;
    track->id = cad_licensed_keep(p, id, &failed);
    return failed ? cad_licensed_fail_memory(p) : 1;
}

static int build_by_type(struct cad_licensed *p, const struct cad_raw_item *item,
                         struct cad_track *track)
{
    const struct cad_raw_track *raw = (const struct cad_raw_track *)item;
    if (p->cursor_type == CAD_MEDIA_IMAGE) {
        return cad_licensed_trickplay(p, (const struct cad_raw_trickplay *)item, track);
    }
    if (p->cursor_type == CAD_MEDIA_TEXT) return cad_licensed_text_track(p, raw, track);
    return cad_licensed_av_track(p, raw, p->cursor_type, track);
}

static cad_str published_id(const struct cad_licensed *p, const struct cad_raw_item *item)
{
    if (p->cursor_type == CAD_MEDIA_IMAGE) {
        const struct cad_raw_trickplay *raw = (const struct cad_raw_trickplay *)item;
        return raw->id.n > 0 ? raw->id : raw->downloadable_id;
    }
    const struct cad_raw_track *raw = (const struct cad_raw_track *)item;
    if (raw->new_track_id.n > 0) return raw->new_track_id;
    return raw->track_id.n > 0 ? raw->track_id : raw->id;
}

static int build_track(struct cad_licensed *p, const struct cad_raw_item *item)
{
    struct cad_track *track = &p->tracks[p->track_count];
    memset(track, 0, sizeof(*track));
    track->type = p->cursor_type;
    int kept = name_track(p, published_id(p, item), track);
    if (kept > 0) kept = build_by_type(p, item, track);
    if (kept <= 0) return kept;
    cad_licensed_ids_put(&p->track_ids, track->id);
    bool image = p->cursor_type == CAD_MEDIA_IMAGE;
    p->raws[p->track_count++] = image ? NULL : (const struct cad_raw_track *)item;
    if (p->cursor_type <= CAD_MEDIA_AUDIO) p->playable[p->cursor_type]++;
    return CAD_OK;
}

/* The next track, or the next kind. */
static int build_next(struct cad_licensed *p)
{
    p->track_cost = 0;
    if (p->cursor) {
        const struct cad_raw_item *item = p->cursor;
        p->cursor = item->next;
        int rc = build_track(p, item);
        p->cursor_index++;
        return rc;
    }
    if (p->cursor_type == CAD_MEDIA_IMAGE) {
        p->stage = CAD_LICENSED_FINISH;
        return CAD_OK;
    }
    p->cursor_type = (enum cad_media_type)(p->cursor_type + 1);
    p->cursor = first_track(p, p->cursor_type);
    p->cursor_index = 0;
    return CAD_OK;
}

/* ---- the stages ------------------------------------------------------------------------------ */

static int begin(struct cad_licensed *p)
{
    int rc = cad_licensed_head(p);
    if (rc == 0) rc = cad_licensed_servers(p);
    if (rc == 0) rc = prepare_tracks(p);
    p->stage = CAD_LICENSED_TRACKS;
    return rc;
}

/* One unit; *cost is set to what it cost in tokens where that is more than one. */
static int step_unit(struct cad_licensed *p, uint32_t *cost)
{
    int rc = CAD_OK;
    switch (p->stage) {
    case CAD_LICENSED_READ:
        rc = cad_licensed_read(p);
        if (rc <= 0) return rc;
        p->stage = CAD_LICENSED_BEGIN;
        return CAD_OK;
    case CAD_LICENSED_BEGIN: return begin(p);
    case CAD_LICENSED_TRACKS:
        rc = build_next(p);
        *cost = p->track_cost;
        return rc;
    case CAD_LICENSED_FINISH:
        rc = cad_licensed_finish(p);
        if (rc == 0) p->stage = CAD_LICENSED_DONE;
        return rc;
    case CAD_LICENSED_DONE: break;
    }
    return CAD_OK;
}

int cad_licensed_step(struct cad_licensed *p, cad_buf document, uint32_t tokens)
{
    if (!p->model && cad_model_create(&p->options->alloc, &p->model) != 0) {
        return cad_licensed_fail_memory(p);
    }
    /* The bytes are the same on every call, but they may have moved. */
    p->json.text = cad_str_from_buf(document);
    while (p->stage != CAD_LICENSED_DONE) {
        if (tokens == 0) return CAD_E_AGAIN;
        uint32_t cost = 1;
        int rc = step_unit(p, &cost);
        if (rc != 0) return rc;
        tokens -= CAD_MIN(CAD_MAX(cost, 1), tokens);
    }
    cad_arena_deinit(&p->scratch);
    return CAD_OK;
}
