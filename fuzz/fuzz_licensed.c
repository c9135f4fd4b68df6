/*
 * fuzz_licensed - the licensed manifest parser and the dump.
 *
 * The first byte chooses options and the second the size of steps; the rest is the document. It is
 * parsed in one step and again in small ones: result, error and dump must be the same. Then the
 * model is walked, so that every view in it is touched.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cadmium/manifest.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "manifest/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) __builtin_trap();
}

struct result {
    int rc;
    struct cad_manifest_error error;
    struct cad_presentation *presentation;
    cad_buf dump;
};

static struct result parse(const struct cad_manifest_options *options, cad_buf document,
                           uint32_t tokens)
{
    struct result r = {CAD_E_AGAIN, {0}, NULL, {NULL, 0}};
    struct cad_manifest_parser *parser = NULL;
    require(cad_manifest_parser_create(options, &parser) == 0);
    while (r.rc == CAD_E_AGAIN) r.rc = cad_manifest_parser_step(parser, document, tokens);
    cad_manifest_parser_error(parser, &r.error);
    if (r.rc == 0) {
        require(cad_manifest_parser_take(parser, &r.presentation) == 0);
        require(cad_presentation_dump(r.presentation, &options->alloc, &r.dump) == 0);
    }
    cad_manifest_parser_destroy(&parser);
    return r;
}

static void free_result(struct result *r, const struct cad_alloc *alloc)
{
    cad_presentation_destroy(&r->presentation);
    cad_alloc_free(alloc, (void *)(uintptr_t)r->dump.p, r->dump.n, CAD_MEM_OTHER);
}

static void require_same(const struct result *a, const struct result *b)
{
    require(a->rc == b->rc && a->error.code == b->error.code && a->error.line == b->error.line);
    require(strcmp(a->error.message, b->error.message) == 0);
    require(a->dump.n == b->dump.n);
    require(a->dump.n == 0 || memcmp(a->dump.p, b->dump.p, a->dump.n) == 0);
}

/* Promises of manifest.h that every representation keeps; range URLs can be made of each. */
static void walk_representation(const struct cad_presentation *p,
                                const struct cad_representation *r,
                                const struct cad_alloc *alloc)
{
    require(r->id.n > 0 && r->bandwidth_bps > 0 && r->peak_bps >= r->bandwidth_bps);
    require(r->frame_rate_den > 0 && r->location_count > 0);
    require(r->init.first < 0 || r->init.last >= r->init.first);
    require(r->index.first < 0 || r->index.last >= r->index.first);
    uint32_t server = 0;
    for (uint32_t i = 0; i < r->location_count; i++) {
        const struct cad_location *location = &r->locations[i];
        struct cad_sb sb;
        require(location->server < p->server_count && location->server >= server);
        server = location->server;
        cad_sb_init(&sb, alloc, CAD_MEM_OTHER, 16384);
        require(cad_range_url(location->url, location->range_in_path, 0, 4095, &sb) == 0);
        cad_sb_deinit(&sb);
    }
}

static void walk(const struct cad_presentation *p, const struct cad_alloc *alloc)
{
    require(p->period_count == 1 && p->server_count > 0 && p->id.n > 0 && p->context_id.n > 0);
    require(p->duration == CAD_TIME_NONE || p->duration > 0);
    for (uint32_t t = 0; t < p->periods[0].track_count; t++) {
        const struct cad_track *track = &p->periods[0].tracks[t];
        require(track->id.n > 0 && track->lang.n > 0);
        require(track->representation_count > 0 || track->is_none);
        bool rising = track->type == CAD_MEDIA_VIDEO || track->type == CAD_MEDIA_AUDIO;
        for (uint32_t i = 0; i < track->representation_count; i++) {
            const struct cad_representation *r = &track->representations[i];
            walk_representation(p, r, alloc);
            require(!rising || i == 0 || r->bandwidth_bps >= r[-1].bandwidth_bps);
        }
    }
    for (uint32_t i = 0; i < p->marker_count; i++) {
        require(p->markers[i].start < p->markers[i].end);
    }
}

/* A dump is JSON whatever the document held. */
static void require_json(cad_buf dump)
{
    struct cad_json j;
    cad_json_init(&j, (cad_str){(const char *)dump.p, dump.n}, NULL);
    j.string_bytes_max = SIZE_MAX;
    enum cad_json_type type = CAD_JSON_NULL;
    while (type != CAD_JSON_END) {
        type = cad_json_next(&j);
        require(type != CAD_JSON_ERROR);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) return 0;
    cad_buf document = {data + 2, size - 2};
    enum cad_manifest_format format = CAD_FORMAT_LICENSED;
    /* fuzz_dash takes care of these: its models keep other promises. */
    if (cad_manifest_sniff(document, &format) == 0 && format == CAD_FORMAT_DASH) return 0;
    struct cad_manifest_options options;
    static const char base_url[] = "https://svc.test/dir/manifest?x=1";
    cad_manifest_options_init(&options);
    options.allow_http = (data[0] & 1) != 0;
    options.allow_drm = (data[0] & 2) != 0;
    if (data[0] & 4) options.base_url = (cad_str){base_url, sizeof(base_url) - 1};
    if (data[0] & 8) options.now_ms = INT64_C(1772324400000);
    struct result whole = parse(&options, document, UINT32_MAX);
    struct result steps = parse(&options, document, (uint32_t)data[1] + 1);
    require_same(&whole, &steps);
    if (whole.presentation) {
        walk(whole.presentation, &options.alloc);
        require_json(whole.dump);
    }
    free_result(&whole, &options.alloc);
    free_result(&steps, &options.alloc);
    return 0;
}
