/*
 * model.c - creating and releasing presentations, and the model of a bare file.
 */
#include <stdint.h>

#include "cadmium/manifest.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "manifest/model.h"

#define CHUNK_BYTES 16384u

int cad_model_create(const struct cad_alloc *alloc, struct cad_model **out)
{
    struct cad_model *model = cad_alloc_new(alloc, sizeof(*model), CAD_MEM_MANIFEST);
    if (!model) return CAD_E_NOMEM;
    cad_arena_init(&model->arena, alloc, CAD_MEM_MANIFEST, CHUNK_BYTES, 0);
    struct cad_presentation *p = &model->presentation;
    p->duration = CAD_TIME_NONE;
    p->bookmark = CAD_TIME_NONE;
    p->keep = CAD_TIME_NONE;
    p->overrides.rate_max_bps = -1;
    p->overrides.startup_rate_max_bps = -1;
    p->overrides.connect_timeout_ms = -1;
    p->overrides.buffer_target_ms = -1;
    *out = model;
    return CAD_OK;
}

void cad_model_destroy(struct cad_model **model)
{
    if (!model || !*model) return;
    struct cad_alloc alloc = (*model)->arena.alloc;
    for (struct cad_model_index *i = (*model)->indexes; i; i = i->next) {
        cad_index_destroy(&i->index);
    }
    cad_arena_deinit(&(*model)->arena);
    cad_alloc_free(&alloc, *model, sizeof(**model), CAD_MEM_MANIFEST);
    *model = NULL;
}

void cad_model_seal(struct cad_model *model)
{
    model->presentation.arena_bytes = sizeof(*model) + cad_arena_bytes(&model->arena) +
                                      model->index_bytes;
}

int cad_model_own(struct cad_model *model, struct cad_index *index)
{
    struct cad_model_index *entry = cad_arena_new(&model->arena, struct cad_model_index);
    if (!entry) return CAD_E_NOMEM;
    *entry = (struct cad_model_index){model->indexes, index};
    model->indexes = entry;
    model->index_bytes += cad_index_bytes(index);
    return CAD_OK;
}

void cad_representation_blank(struct cad_representation *out)
{
    *out = (struct cad_representation){
        .size_bytes = -1,
        .init = {-1, -1},
        .index = {-1, -1},
        .header_bytes = -1,
        .frame_rate_den = 1,
        .vmaf_milli = -1,
        .addressing = CAD_ADDRESSING_INDEXED,
        .timescale = 1,
    };
}

void cad_presentation_destroy(struct cad_presentation **presentation)
{
    if (!presentation || !*presentation) return;
    struct cad_model *model = (struct cad_model *)(void *)*presentation;
    cad_model_destroy(&model);
    *presentation = NULL;
}

/* ---- the bare fragmented MP4 ------------------------------------------------------------- */

struct bare {
    struct cad_server server;
    struct cad_location location;
    struct cad_representation representation;
    struct cad_track track;
    struct cad_period period;
};

/* host[:port] as written; a file has none. */
static cad_str authority_of(const struct cad_uri *uri)
{
    if (!uri->has_port || uri->port.n == 0) return uri->host;
    return cad_str_make(uri->host.p, (size_t)(uri->port.p + uri->port.n - uri->host.p));
}

static void fill_bare(struct bare *bare, cad_str url, cad_str host)
{
    bare->server.id = host.n > 0 ? host : CAD_STR("file");
    bare->server.host = host;
    bare->server.location_rank = INT32_MAX;
    bare->server.rank = INT32_MAX;
    bare->location.url = url;
    cad_representation_blank(&bare->representation);
    bare->representation.id = CAD_STR("0");
    bare->representation.locations = &bare->location;
    bare->representation.location_count = 1;
    bare->track = (struct cad_track){
        .id = CAD_STR_INIT("0"),
        .type = CAD_MEDIA_OTHER,
        .lang = CAD_STR_INIT("und"),
        .is_default = true,
        .representations = &bare->representation,
        .representation_count = 1,
    };
    bare->period.duration = CAD_TIME_NONE;
    bare->period.tracks = &bare->track;
    bare->period.track_count = 1;
}

int cad_presentation_from_mp4(const struct cad_alloc *alloc, cad_str url,
                              struct cad_presentation **out)
{
    struct cad_uri uri;
    if (!alloc || !alloc->fn || !out) return CAD_E_INVAL;
    if (cad_uri_parse(url, &uri) != 0 || !uri.has_scheme) return CAD_E_INVAL;
    struct cad_model *model = NULL;
    int rc = cad_model_create(alloc, &model);
    if (rc != 0) return rc;

    struct bare *bare = cad_arena_new(&model->arena, struct bare);
    cad_str text = cad_arena_str(&model->arena, url);
    cad_str host = cad_arena_str(&model->arena, authority_of(&uri));
    if (!bare || !text.p || !host.p) {
        cad_model_destroy(&model);
        return CAD_E_NOMEM;
    }
    fill_bare(bare, text, host);
    struct cad_presentation *p = &model->presentation;
    p->format = CAD_FORMAT_MP4;
    p->servers = &bare->server;
    p->server_count = 1;
    p->periods = &bare->period;
    p->period_count = 1;
    cad_model_seal(model);
    *out = p;
    return CAD_OK;
}
