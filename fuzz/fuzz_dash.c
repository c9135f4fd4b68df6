/*
 * fuzz_dash - the DASH parser, segment URLs and the dump.
 *
 * The first byte chooses options and the second the size of steps; the rest is the document. It is
 * parsed in one step and again in small ones: result and dump must be the same. Then the model is
 * walked: every view, the order of representations, timelines against URLs.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cadmium/manifest.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"
#include "manifest/manifest.h"

#define INPUT_MAX (1u << 16)
#define LOOKUPS_MAX 8u /* segments of a representation that are looked up */

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
    struct result r;
    struct cad_manifest_parser *parser = NULL;
    memset(&r, 0, sizeof(r));
    require(cad_manifest_parser_create(options, &parser) == 0);
    do {
        r.rc = cad_manifest_parser_step(parser, document, tokens);
    } while (r.rc == CAD_E_AGAIN);
    cad_manifest_parser_error(parser, &r.error);
    if (r.rc == 0) require(cad_manifest_parser_take(parser, &r.presentation) == 0);
    else require(r.error.code != CAD_ERR_NONE && r.error.message[0] != '\0');
    cad_manifest_parser_destroy(&parser);
    return r;
}

/* Dumps list segments one by one: of huge timelines none is made. */
static uint64_t segments_of(const struct cad_presentation *p)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < p->period_count; i++) {
        for (uint32_t t = 0; t < p->periods[i].track_count; t++) {
            const struct cad_track *track = &p->periods[i].tracks[t];
            for (uint32_t k = 0; k < track->representation_count; k++) {
                count += cad_index_count(track->representations[k].timeline);
            }
        }
    }
    return count;
}

static void walk_timeline(const struct cad_representation *r, const struct cad_alloc *alloc)
{
    uint32_t count = cad_index_count(r->timeline);
    int64_t before = INT64_MIN;
    require(r->urls != NULL && count > 0 && cad_index_timescale(r->timeline) == r->timescale);
    for (uint32_t n = 0; n < LOOKUPS_MAX; n++) {
        struct cad_segment s;
        struct cad_segment found;
        struct cad_range bytes;
        struct cad_sb url;
        uint32_t i = (uint32_t)((uint64_t)(count - 1) * n / (LOOKUPS_MAX - 1));
        require(cad_index_at(r->timeline, i, &s) == 0 && s.index == i && s.duration_ticks > 0);
        require(n == 0 || s.start_ticks >= before);
        before = s.start_ticks;
        require(cad_index_find(r->timeline, s.start_ticks, &found) == 0 && found.index == i);
        cad_sb_init(&url, alloc, CAD_MEM_OTHER, 16384);
        int rc = cad_segment_url(r, &r->locations[0], i, &url, &bytes);
        require(rc == 0 ? url.n > 0 : rc == CAD_E_INVAL && url.n == 0);
        cad_sb_deinit(&url);
    }
    struct cad_segment past;
    require(cad_index_at(r->timeline, count, &past) == CAD_E_NOTFOUND);
}

static void walk_representation(const struct cad_presentation *p,
                                const struct cad_representation *r, const struct cad_alloc *alloc)
{
    struct cad_sb url;
    struct cad_range bytes;
    require(r->id.n > 0 && r->bandwidth_bps > 0 && r->timescale > 0 && r->time_offset_known);
    require(r->frame_rate_den > 0 && r->location_count > 0);
    require(r->init.first < 0 || r->init.last < 0 || r->init.last >= r->init.first);
    for (uint32_t i = 0; i < r->location_count; i++) {
        require(r->locations[i].server < p->server_count && r->locations[i].url.n > 0);
    }
    cad_sb_init(&url, alloc, CAD_MEM_OTHER, 16384);
    (void)!cad_init_url(r, &r->locations[0], &url, &bytes);
    cad_sb_deinit(&url);
    require((r->timeline != NULL) == (r->addressing == CAD_ADDRESSING_SEGMENTS));
    require((r->index.first >= 0) == (r->addressing == CAD_ADDRESSING_INDEXED));
    if (r->timeline) walk_timeline(r, alloc);
}

static void walk(const struct cad_presentation *p, const struct cad_alloc *alloc)
{
    require(p->format == CAD_FORMAT_DASH && p->server_count > 0);
    for (uint32_t i = 0; i < p->period_count; i++) {
        const struct cad_period *period = &p->periods[i];
        require(i == 0 || period->start >= period[-1].start);
        require(period->duration == CAD_TIME_NONE || period->duration > 0);
        for (uint32_t t = 0; t < period->track_count; t++) {
            const struct cad_track *track = &period->tracks[t];
            require(track->id.n > 0 && track->lang.n > 0 && track->representation_count > 0);
            for (uint32_t k = 0; k < track->representation_count; k++) {
                const struct cad_representation *r = &track->representations[k];
                walk_representation(p, r, alloc);
                require(k == 0 || r->bandwidth_bps >= r[-1].bandwidth_bps);
            }
        }
    }
}

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

static void dump(struct result *r, const struct cad_alloc *alloc)
{
    require(cad_presentation_dump(r->presentation, alloc, &r->dump) == 0);
    require_json(r->dump);
}

static void free_result(struct result *r, const struct cad_alloc *alloc)
{
    cad_presentation_destroy(&r->presentation);
    cad_alloc_free(alloc, (void *)(uintptr_t)r->dump.p, r->dump.n, CAD_MEM_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3 || size > INPUT_MAX) return 0;
    cad_buf document = {data + 2, size - 2};
    enum cad_manifest_format format = CAD_FORMAT_HLS;
    if (cad_manifest_sniff(document, &format) != 0 || format != CAD_FORMAT_DASH) return 0;
    struct cad_manifest_options options;
    cad_manifest_options_init(&options);
    options.allow_http = (data[0] & 1) != 0;
    options.allow_drm = (data[0] & 2) != 0;
    if (data[0] & 4) options.base_url = CAD_STR("https://svc.test/dir/manifest?x=1");
    if (data[0] & 8) options.now_ms = INT64_C(1772324400000);
    if (data[0] & 16) options.limits.string_bytes = 40;
    struct result whole = parse(&options, document, UINT32_MAX);
    struct result steps = parse(&options, document, (uint32_t)data[1] + 1);
    require((whole.rc == 0) == (steps.rc == 0));
    if (whole.presentation) {
        walk(whole.presentation, &options.alloc);
        if (segments_of(whole.presentation) < 2000) {
            dump(&whole, &options.alloc);
            dump(&steps, &options.alloc);
            require(whole.dump.n == steps.dump.n);
            require(memcmp(whole.dump.p, steps.dump.p, whole.dump.n) == 0);
        }
    }
    free_result(&whole, &options.alloc);
    free_result(&steps, &options.alloc);
    return 0;
}
