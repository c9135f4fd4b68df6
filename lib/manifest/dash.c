/*
 * dash.c - the stages of a DASH parse, and what its parts share.
 *
 * A token is worth BYTES_PER_TOKEN of the document while it is read, and one representation (more
 * for a long timeline) while the model is built. A call is bounded by its tokens plus one unit.
 */
#include "manifest/dash.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "base/util.h"

#define SCRATCH_CHUNK_BYTES 32768u
#define BYTES_PER_TOKEN 16u
#define SLICE_BYTES_MAX 16384u

void cad_dash_init(struct cad_dash *p, const struct cad_manifest_options *options,
                   struct cad_manifest_error *error)
{
    memset(p, 0, sizeof(*p));
    p->options = options;
    p->error = error;
    cad_arena_init(&p->scratch, &options->alloc, CAD_MEM_MANIFEST, SCRATCH_CHUNK_BYTES, 0);
}

void cad_dash_deinit(struct cad_dash *p)
{
    cad_xml_destroy(&p->xml);
    cad_sb_deinit(&p->text);
    cad_arena_deinit(&p->scratch);
    cad_model_destroy(&p->model);
}

struct cad_model *cad_dash_take(struct cad_dash *p)
{
    struct cad_model *model = p->stage == CAD_DASH_DONE ? p->model : NULL;
    if (model) p->model = NULL;
    return model;
}

/* ---- failures and copies --------------------------------------------------------------------- */

static int fail(struct cad_dash *p, const struct cad_dash_node *node, enum cad_error_code code,
                const char *text)
{
    p->error->code = code;
    if (node) p->error->line = node->line;
    (void)cad_str_copyz(p->error->message, sizeof(p->error->message), cad_str_from(text));
    CAD_LOG(&p->options->log, ERROR, CAD_TIME_NONE, "manifest: failed code=%s line=%u text=\"%s\"",
            cad_error_name(code), p->error->line, p->error->message);
    return CAD_E_DATA;
}

int cad_dash_fail(struct cad_dash *p, const struct cad_dash_node *node, const char *topic,
                  const char *text)
{
    p->error->topic = topic;
    return fail(p, node, CAD_ERR_MANIFEST_BAD, text);
}

int cad_dash_fail_limit(struct cad_dash *p, const struct cad_dash_node *node, const char *text)
{
    p->error->topic = "limit";
    (void)fail(p, node, CAD_ERR_MANIFEST_LIMIT, text);
    return CAD_E_LIMIT;
}

int cad_dash_fail_memory(struct cad_dash *p)
{
    bool limit = p->model && cad_arena_error(&p->model->arena) == CAD_E_LIMIT;
    if (limit) return cad_dash_fail_limit(p, NULL, "the model becomes too large");
    (void)fail(p, NULL, CAD_ERR_OUT_OF_MEMORY, "out of memory while parsing the manifest");
    return CAD_E_NOMEM;
}

void cad_dash_warn(struct cad_dash *p, const char *what, cad_str id)
{
    p->model->presentation.warnings++;
    CAD_LOG(&p->options->log, WARN, CAD_TIME_NONE, "manifest: warning text=\"%s\" id=%.*s", what,
            CAD_STR_ARG(id));
}

cad_str cad_dash_keep(struct cad_dash *p, cad_str s, bool *failed)
{
    if (s.n == 0) return s.p ? CAD_STR("") : s;
    cad_str copy = cad_arena_str(&p->model->arena, s);
    if (copy.p) return copy;
    *failed = true;
    return CAD_STR("");
}

/* ---- the stages ------------------------------------------------------------------------------ */

static int begin(struct cad_dash *p)
{
    int rc = cad_dash_head(p);
    if (rc == 0) rc = cad_dash_times(p);
    p->stage = CAD_DASH_BUILD;
    return rc;
}

static int read_some(struct cad_dash *p, cad_buf document, uint32_t *tokens)
{
    uint64_t bytes = CAD_MIN((uint64_t)*tokens * BYTES_PER_TOKEN, SLICE_BYTES_MAX);
    int rc = p->xml ? CAD_OK : cad_dash_read_begin(p);
    if (rc == 0) rc = cad_dash_read(p, document, (size_t)bytes);
    *tokens -= CAD_MIN(*tokens, (uint32_t)(bytes / BYTES_PER_TOKEN));
    if (rc <= 0) return rc;
    p->stage = CAD_DASH_BEGIN;
    return CAD_OK;
}

static int finish(struct cad_dash *p)
{
    int rc = cad_dash_seal_servers(p);
    if (rc != 0) return rc;
    cad_model_seal(p->model);
    p->stage = CAD_DASH_DONE;
    return CAD_OK;
}

static int step_unit(struct cad_dash *p, cad_buf document, uint32_t *tokens)
{
    if (p->stage == CAD_DASH_READ) return read_some(p, document, tokens);
    int rc = CAD_OK;
    p->cost = 1;
    if (p->stage == CAD_DASH_BEGIN) {
        rc = begin(p);
    } else if (p->stage == CAD_DASH_BUILD) {
        rc = cad_dash_build(p);
        if (rc > 0) p->stage = CAD_DASH_FINISH;
    } else {
        rc = finish(p);
    }
    *tokens -= CAD_MIN(CAD_MAX(p->cost, 1), *tokens);
    return CAD_MIN(rc, 0);
}

int cad_dash_step(struct cad_dash *p, cad_buf document, uint32_t tokens)
{
    if (!p->model) {
        if (cad_model_create(&p->options->alloc, &p->model) != 0) return cad_dash_fail_memory(p);
        p->model->arena.limit_bytes = CAD_DASH_MODEL_BYTES_MAX;
    }
    while (p->stage != CAD_DASH_DONE) {
        if (tokens == 0) return CAD_E_AGAIN;
        int rc = step_unit(p, document, &tokens);
        if (rc != 0) return rc;
    }
    cad_arena_deinit(&p->scratch);
    return CAD_OK;
}
