/*
 * fuzz_timedtext - the TTML parser, ISDs and the dump.
 *
 * The first byte chooses limits and the second the size of slices; the rest is the document. It is
 * parsed whole and in slices: result and dump must be the same. Then ISDs are asked for at and
 * between boundaries and must hold what the header says.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cadmium/text.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/str.h"

#define INPUT_MAX 16384u
#define BOUNDARIES_MAX 400u /* of more no dump is made: each is an ISD */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
    if (!condition) __builtin_trap();
}

static int parse(const struct cad_text_options *options, cad_buf document, size_t slice,
                 struct cad_text **out)
{
    struct cad_text_parser *parser = NULL;
    struct cad_text_error error;
    bool last = false;
    require(cad_text_parser_create(options, &parser) == 0);
    int rc = 0;
    while (rc == 0 && !last) {
        cad_buf part = {document.p, slice < document.n ? slice : document.n};
        document.p += part.n;
        document.n -= part.n;
        last = document.n == 0;
        rc = cad_text_parser_feed(parser, part, last);
    }
    do {
        rc = cad_text_parser_finish(parser, (uint32_t)(slice % 7 + 1), out);
    } while (rc == CAD_E_AGAIN);
    cad_text_parser_error(parser, &error);
    require((rc == 0) == (error.message[0] == '\0'));
    cad_text_parser_destroy(&parser);
    return rc;
}

static void walk_runs(const struct cad_text_run *run, bool in_ruby)
{
    require(run != NULL);
    for (; run; run = run->next) {
        if (run->kind == CAD_TEXT_RUN_TEXT) {
            require(run->text.n > 0 && run->look.families.count > 0);
        }
        if (run->kind != CAD_TEXT_RUN_RUBY) continue;
        require(!in_ruby && run->ruby_items != NULL);
        for (const struct cad_text_ruby_item *i = run->ruby_items; i; i = i->next) {
            walk_runs(i->runs, true);
        }
    }
}

static void walk_blocks(const struct cad_text_block *block, uint32_t depth)
{
    require(depth < 130);
    for (; block; block = block->next) {
        if (block->kind == CAD_TEXT_BLOCK_P) walk_runs(block->p.runs, false);
        else if (block->kind == CAD_TEXT_BLOCK_IMAGE) require(block->src.n > 0);
        else require(block->blocks != NULL);
        walk_blocks(block->blocks, depth + 1);
    }
}

static void walk(const struct cad_text *text, cad_time at)
{
    struct cad_text_isd *isd = NULL;
    int rc = cad_text_isd_at(text, at, &isd);
    require(rc == 0 || rc == CAD_E_LIMIT);
    if (rc != 0) return;
    require((isd->begin == CAD_TIME_NONE || isd->begin <= at) && isd->end > at);
    for (const struct cad_text_region *r = isd->regions; r; r = r->next) {
        require(r->blocks != NULL || (r->show_always && (r->background & 0xffu) != 0));
        walk_blocks(r->blocks, 0);
    }
    cad_text_isd_destroy(&isd);
}

static int dump(const struct cad_text *text, cad_buf *out)
{
    struct cad_json j;
    enum cad_json_type type = CAD_JSON_NULL;
    int rc = cad_text_dump(text, out);
    require(rc == 0 || rc == CAD_E_LIMIT);
    if (rc != 0) return rc;
    cad_json_init(&j, cad_str_from_buf(*out), NULL);
    j.string_bytes_max = SIZE_MAX;
    while (type != CAD_JSON_END) {
        type = cad_json_next(&j);
        require(type != CAD_JSON_ERROR || j.error == CAD_E_LIMIT);
        if (type == CAD_JSON_ERROR) break;
    }
    return rc;
}

static void compare(const struct cad_alloc *alloc, const struct cad_text *a,
                    const struct cad_text *b)
{
    cad_buf x = {NULL, 0};
    cad_buf y = {NULL, 0};
    require(dump(a, &x) == dump(b, &y));
    require(cad_str_eq(cad_str_from_buf(x), cad_str_from_buf(y)));
    cad_alloc_free(alloc, (void *)(uintptr_t)x.p, x.n, CAD_MEM_OTHER);
    cad_alloc_free(alloc, (void *)(uintptr_t)y.p, y.n, CAD_MEM_OTHER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cad_text_options options;
    struct cad_text *whole = NULL;
    struct cad_text *sliced = NULL;
    if (size < 2 || size > INPUT_MAX) return 0;
    cad_buf document = {data + 2, size - 2};
    cad_text_options_init(&options);
    if (data[0] & 1) options.limits.depth = 6;
    if (data[0] & 2) options.limits.memory_bytes = 20000;
    if (data[0] & 4) options.limits.isd_bytes = 10000;
    if (data[0] & 8) options.limits.references = 2;
    int rc = parse(&options, document, INPUT_MAX, &whole);
    require((parse(&options, document, (size_t)data[1] + 1, &sliced) == 0) == (rc == 0));
    size_t count = cad_text_boundary_count(whole);
    if (rc == 0 && count < BOUNDARIES_MAX) {
        compare(&options.alloc, whole, sliced);
        for (size_t i = 0; i < count; i++) {
            cad_time at = cad_text_boundary(whole, i);
            require(i == 0 || at > cad_text_boundary(whole, i - 1));
            walk(whole, at);
            walk(whole, at + 1);
        }
        walk(whole, -1);
    }
    cad_text_destroy(&whole);
    cad_text_destroy(&sliced);
    return 0;
}
