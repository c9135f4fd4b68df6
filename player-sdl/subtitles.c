#include "subtitles.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "tell.h"

#define FINISH_WORK 4096 /* boundaries in one look */
#define NESTED_MAX 128   /* blocks in blocks: what a document may nest */

bool subtitles_init(struct subtitles *subtitles, void (*notify)(void *ctx), void *ctx)
{
    memset(subtitles, 0, sizeof(*subtitles));
    subtitles->notify = notify;
    subtitles->ctx = ctx;
    return pthread_mutex_init(&subtitles->mutex, NULL) == 0;
}

static void drop(struct subtitles_document *document)
{
    cad_text_parser_destroy(&document->parser);
    cad_text_destroy(&document->text);
    cad_ref_unref(&document->ref);
    memset(document, 0, sizeof(*document));
}

static void drop_isd(struct subtitles *subtitles)
{
    cad_text_isd_destroy(&subtitles->isd);
    subtitles->shown = 0;
}

void subtitles_deinit(struct subtitles *subtitles)
{
    drop_isd(subtitles);
    for (uint32_t i = 0; i < SUBTITLES_MAX; i++) drop(&subtitles->documents[i]);
    for (uint32_t i = 0; i < subtitles->inbox_count; i++) drop(&subtitles->inbox[i]);
    pthread_mutex_destroy(&subtitles->mutex);
}

/* ---- the sink's thread ---------------------------------------------------------------------- */

static void empty_inbox(struct subtitles *subtitles)
{
    for (uint32_t i = 0; i < subtitles->inbox_count; i++) drop(&subtitles->inbox[i]);
    subtitles->inbox_count = 0;
}

void subtitles_put(void *ctx, const struct cad_sample *sample)
{
    struct subtitles *subtitles = ctx;
    pthread_mutex_lock(&subtitles->mutex);
    if (sample->size == 0) {
        empty_inbox(subtitles);
        subtitles->cleared = true;
    } else {
        if (subtitles->inbox_count == SUBTITLES_MAX) {
            drop(&subtitles->inbox[0]);
            memmove(&subtitles->inbox[0], &subtitles->inbox[1],
                    sizeof(subtitles->inbox[0]) * (SUBTITLES_MAX - 1));
            subtitles->inbox_count--;
        }
        subtitles->inbox[subtitles->inbox_count++] = (struct subtitles_document){
            .ref = cad_ref_ref(sample->ref), .data = sample->data, .size = sample->size,
            .pts = sample->pts, .duration = sample->duration};
    }
    pthread_mutex_unlock(&subtitles->mutex);
    if (subtitles->notify) subtitles->notify(subtitles->ctx);
}

/* ---- documents ------------------------------------------------------------------------------ */

static struct subtitles_document *find_same(struct subtitles *subtitles,
                                            const struct subtitles_document *document)
{
    for (uint32_t i = 0; i < SUBTITLES_MAX; i++) {
        struct subtitles_document *at = &subtitles->documents[i];
        if (at->ref && at->data == document->data && at->size == document->size) return at;
    }
    return NULL;
}

/* A free row, or that of the one which came first, those that count no more before others. */
static struct subtitles_document *find_room(struct subtitles *subtitles)
{
    struct subtitles_document *best = &subtitles->documents[0];
    for (uint32_t i = 0; i < SUBTITLES_MAX; i++) {
        struct subtitles_document *at = &subtitles->documents[i];
        if (!at->ref) return at;
        if (at->counts != best->counts ? !at->counts : at->order < best->order) best = at;
    }
    if (best->order == subtitles->shown) drop_isd(subtitles);
    drop(best);
    return best;
}

/* Takes the document, which is emptied. */
static void take(struct subtitles *subtitles, struct subtitles_document *document)
{
    struct subtitles_document *at = find_same(subtitles, document);
    if (at) {
        bool shown = at->order == subtitles->shown;
        if (shown) drop_isd(subtitles); /* it may begin at another time */
        at->pts = document->pts;
        at->duration = document->duration;
        drop(document);
    } else {
        at = find_room(subtitles);
        *at = *document;
        memset(document, 0, sizeof(*document));
    }
    at->counts = true;
    at->order = ++subtitles->order;
}

static void take_inbox(struct subtitles *subtitles)
{
    struct subtitles_document waiting[SUBTITLES_MAX];
    pthread_mutex_lock(&subtitles->mutex);
    uint32_t count = subtitles->inbox_count;
    bool cleared = subtitles->cleared;
    memcpy(waiting, subtitles->inbox, sizeof(waiting[0]) * count);
    subtitles->inbox_count = 0;
    subtitles->cleared = false;
    pthread_mutex_unlock(&subtitles->mutex);
    for (uint32_t i = 0; cleared && i < SUBTITLES_MAX; i++) {
        subtitles->documents[i].counts = false;
    }
    for (uint32_t i = 0; i < count; i++) take(subtitles, &waiting[i]);
}

/* One that counts, holds t, and came last; NULL: none. */
static struct subtitles_document *find_at(struct subtitles *subtitles, cad_time t)
{
    struct subtitles_document *best = NULL;
    for (uint32_t i = 0; i < SUBTITLES_MAX; i++) {
        struct subtitles_document *at = &subtitles->documents[i];
        if (!at->ref || !at->counts || t < at->pts) continue;
        if (at->duration > 0 && t >= cad_time_add(at->pts, at->duration)) continue;
        if (!best || at->order > best->order) best = at;
    }
    return best;
}

/* ---- reading -------------------------------------------------------------------------------- */

static void fail(struct subtitles *subtitles, struct subtitles_document *document, int rc)
{
    memset(&subtitles->error, 0, sizeof(subtitles->error));
    if (document->parser) cad_text_parser_error(document->parser, &subtitles->error);
    if (!subtitles->error.message[0]) {
        cad_str_copyz(subtitles->error.message, sizeof(subtitles->error.message),
                      cad_str_from(cad_result_text(rc)));
    }
    cad_text_parser_destroy(&document->parser);
    document->failed = true;
    subtitles->failures++;
}

/* Up to `work` bytes of a document; returns what is left of the work. */
static size_t read_some(struct subtitles *subtitles, struct subtitles_document *document,
                        size_t work)
{
    int rc = 0;
    if (!document->parser) {
        struct cad_text_options options;
        cad_text_options_init(&options);
        rc = cad_text_parser_create(&options, &document->parser);
    }
    size_t n = CAD_MIN(document->size - document->fed, work);
    if (rc == 0 && n > 0) {
        cad_buf slice = {document->data + document->fed, n};
        document->fed += n;
        work -= n;
        rc = cad_text_parser_feed(document->parser, slice, document->fed == document->size);
    }
    if (rc == 0 && document->fed == document->size) {
        rc = cad_text_parser_finish(document->parser, FINISH_WORK, &document->text);
        if (rc == CAD_E_AGAIN) return 0;
        if (rc == 0) cad_text_parser_destroy(&document->parser);
    }
    if (rc < 0) fail(subtitles, document, rc);
    return work;
}

static bool is_read(const struct subtitles_document *document)
{
    return document->text || document->failed;
}

/* The one that is needed now before the others. */
static void read_documents(struct subtitles *subtitles, cad_time t, size_t work)
{
    struct subtitles_document *now = find_at(subtitles, t);
    if (now && !is_read(now)) work = read_some(subtitles, now, work);
    for (uint32_t i = 0; i < SUBTITLES_MAX && work > 0; i++) {
        struct subtitles_document *at = &subtitles->documents[i];
        if (at->ref && at->counts && !is_read(at)) work = read_some(subtitles, at, work);
    }
}

bool subtitles_is_busy(struct subtitles *subtitles)
{
    pthread_mutex_lock(&subtitles->mutex);
    bool busy = subtitles->inbox_count > 0 || subtitles->cleared;
    pthread_mutex_unlock(&subtitles->mutex);
    for (uint32_t i = 0; i < SUBTITLES_MAX && !busy; i++) {
        const struct subtitles_document *at = &subtitles->documents[i];
        busy = at->ref && at->counts && !is_read(at);
    }
    return busy;
}

void subtitles_complain(const struct subtitles *subtitles)
{
    const struct cad_text_error *error = &subtitles->error;
    fputs("cadmium-play: subtitles cannot be read: ", stderr);
    tell_shown(stderr, cad_str_from(error->message));
    if (error->line > 0) fprintf(stderr, " (line %u)", error->line);
    fputc('\n', stderr);
}

/* ---- what is shown -------------------------------------------------------------------------- */

bool subtitles_look(struct subtitles *subtitles, cad_time t, size_t work)
{
    uint64_t shown = subtitles->shown;
    cad_time begin = subtitles->begin;
    take_inbox(subtitles);
    read_documents(subtitles, t, work);
    struct subtitles_document *document = find_at(subtitles, t);
    if (!document || !document->text) {
        drop_isd(subtitles);
        return shown != 0;
    }
    bool same = subtitles->shown == document->order && t >= begin && t < subtitles->end;
    if (same) return false;
    drop_isd(subtitles);
    if (cad_text_isd_at(document->text, t - document->pts, &subtitles->isd) < 0) return shown != 0;
    cad_time last = document->duration > 0 ? cad_time_add(document->pts, document->duration)
                                           : CAD_TIME_MAX;
    subtitles->shown = document->order;
    subtitles->begin = subtitles->isd->begin == CAD_TIME_NONE
                           ? document->pts
                           : cad_time_add(document->pts, subtitles->isd->begin);
    subtitles->end = CAD_MIN(cad_time_add(document->pts, subtitles->isd->end), last);
    return true;
}

/* ---- words ---------------------------------------------------------------------------------- */

static void put_runs(const struct cad_text_run *run, struct cad_sb *out)
{
    for (; run; run = run->next) {
        if (run->kind == CAD_TEXT_RUN_BREAK) cad_sb_putc(out, '\n');
        if (run->kind == CAD_TEXT_RUN_TEXT && run->look.visible) cad_sb_put(out, run->text);
        if (run->kind != CAD_TEXT_RUN_RUBY) continue;
        for (const struct cad_text_ruby_item *item = run->ruby_items; item; item = item->next) {
            const struct cad_text_run *base = item->runs;
            for (; base && item->role == CAD_TEXT_RUBY_BASE; base = base->next) {
                if (base->kind == CAD_TEXT_RUN_TEXT && base->look.visible) {
                    cad_sb_put(out, base->text);
                }
            }
        }
    }
}

/* On a line of its own; one without words leaves none. */
static void put_paragraph(const struct cad_text_block *block, struct cad_sb *out)
{
    size_t before = cad_sb_str(out).n;
    if (before > 0) cad_sb_putc(out, '\n');
    size_t begin = cad_sb_str(out).n;
    put_runs(block->p.runs, out);
    if (cad_sb_str(out).n == begin) cad_sb_truncate(out, before);
}

static void put_blocks(const struct cad_text_block *block, struct cad_sb *out)
{
    const struct cad_text_block *above[NESTED_MAX];
    size_t depth = 0;
    while (block || depth > 0) {
        if (!block) {
            block = above[--depth];
        } else if (block->kind == CAD_TEXT_BLOCK_DIV && depth < NESTED_MAX) {
            above[depth++] = block->next;
            block = block->blocks;
        } else {
            if (block->kind == CAD_TEXT_BLOCK_P) put_paragraph(block, out);
            block = block->next;
        }
    }
}

void subtitles_words(const struct cad_text_isd *isd, struct cad_sb *out)
{
    if (!isd) return;
    for (const struct cad_text_region *region = isd->regions; region; region = region->next) {
        put_blocks(region->blocks, out);
    }
}
