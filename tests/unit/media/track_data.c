#include "track_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/ref.h"
#include "mp4/mp4.h"

#define FILE_MAX (64u << 20)

static bool read_file(const char *path, uint8_t **bytes, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file) return false;
    uint8_t *memory = malloc(FILE_MAX);
    size_t n = memory ? fread(memory, 1, FILE_MAX, file) : 0;
    bool whole = memory && n < FILE_MAX && !ferror(file);
    fclose(file);
    if (!whole) {
        free(memory);
        return false;
    }
    *bytes = memory;
    *size = n;
    return true;
}

static void add(struct track_data *track, const struct track_item *item)
{
    if (track->count % 256 == 0) {
        size_t bytes = ((size_t)track->count + 256) * sizeof(*track->items);
        struct track_item *items = realloc(track->items, bytes);
        if (!items) abort();
        track->items = items;
    }
    track->items[track->count++] = *item;
}

static void read_samples(struct track_data *track, const struct cad_mp4_init *init, size_t begin)
{
    cad_buf rest = {track->bytes + begin, track->size - begin};
    struct cad_mp4_reader reader;
    struct cad_mp4_sample sample;
    cad_mp4_reader_init(&reader, init);
    reader.origin = begin;
    while (cad_mp4_reader_next(&reader, rest, rest.n, &sample) == 0) {
        struct track_item item = {
            .pts = cad_time_from_ticks(sample.pts_ticks, init->timescale),
            .dts = cad_time_from_ticks(sample.dts_ticks, init->timescale),
            .duration = cad_time_from_ticks(sample.duration_ticks, init->timescale),
            .offset = begin + (size_t)sample.offset,
            .size = sample.size,
            .sync = sample.sync,
        };
        add(track, &item);
    }
}

bool track_data_load(struct track_data *track, const char *path)
{
    memset(track, 0, sizeof(*track));
    if (!read_file(path, &track->bytes, &track->size)) return false;
    struct cad_mp4_init init;
    size_t end = 0;
    cad_buf all = {track->bytes, track->size};
    if (cad_mp4_init_read(all, &init, &end) != 0) {
        track_data_free(track);
        return false;
    }
    track->config = (struct cad_stream_config){
        .type = init.type, .codec = init.codec, .extra = init.config, .width = init.width,
        .height = init.height, .channels = init.channels, .sample_rate_hz = init.sample_rate_hz,
        .timescale = init.timescale, .color = init.color};
    snprintf(track->config.codecs, sizeof(track->config.codecs), "%.39s", init.codecs);
    read_samples(track, &init, end);
    return track->count > 0;
}

void track_data_make(struct track_data *track, enum cad_media_type type, uint32_t count,
                     cad_time duration)
{
    memset(track, 0, sizeof(*track));
    bool video = type == CAD_MEDIA_VIDEO;
    track->size = 16;
    track->bytes = calloc(1, track->size);
    if (!track->bytes) abort();
    track->config = (struct cad_stream_config){
        .type = type, .codec = video ? CAD_CODEC_AVC : CAD_CODEC_AAC, .timescale = 1000};
    for (uint32_t i = 0; i < count; i++) {
        struct track_item item = {.pts = i * duration, .dts = i * duration, .duration = duration,
                                  .size = track->size, .sync = !video || i % 25 == 0};
        add(track, &item);
    }
}

void track_data_free(struct track_data *track)
{
    free(track->bytes);
    free(track->items);
    memset(track, 0, sizeof(*track));
}

cad_time track_data_end(const struct track_data *track)
{
    cad_time end = 0;
    for (uint32_t i = 0; i < track->count; i++) {
        cad_time one = track->items[i].pts + track->items[i].duration;
        if (one > end) end = one;
    }
    return end;
}

void sample_source_init(struct sample_source *source, const struct track_data *video,
                        const struct track_data *audio)
{
    memset(source, 0, sizeof(*source));
    struct cad_alloc alloc = cad_alloc_system();
    if (cad_pool_create(&alloc, 1u << 20, &source->pool) != 0) abort();
    source->epoch = 1;
    source->show_from = CAD_TIME_NONE;
    source->track[CAD_SLOT_VIDEO] = video;
    source->track[CAD_SLOT_AUDIO] = audio;
    source->open[0] = source->open[1] = SOURCE_ALL;
}

void sample_source_deinit(struct sample_source *source)
{
    cad_pool_destroy(&source->pool);
}

void sample_source_seek(struct sample_source *source, uint32_t epoch, cad_time position)
{
    source->epoch = epoch;
    source->show_from = position;
    for (uint32_t slot = 0; slot < CAD_ENGINE_TRACKS; slot++) {
        const struct track_data *track = source->track[slot];
        source->next[slot] = 0;
        source->told[slot] = false;
        for (uint32_t i = 0; track && i < track->count; i++) {
            if (track->items[i].sync && track->items[i].pts <= position) source->next[slot] = i;
        }
    }
}

void sample_source_switch(struct sample_source *source, uint32_t slot,
                          const struct track_data *track)
{
    source->track[slot] = track;
    source->told[slot] = false;
}

void sample_source_plan(struct sample_source *source, uint32_t slot,
                        const struct source_change *change)
{
    if (source->plan_count[slot] == SOURCE_PLAN_MAX) abort();
    source->plan[slot][source->plan_count[slot]++] = *change;
}

uint32_t track_data_at(const struct track_data *track, cad_time time)
{
    uint32_t i = 0;
    while (i < track->count && track->items[i].pts + track->items[i].duration <= time) i++;
    return i;
}

static void follow_plan(struct sample_source *source, uint32_t slot)
{
    if (source->plan_next[slot] == source->plan_count[slot]) return;
    const struct source_change *change = &source->plan[slot][source->plan_next[slot]];
    if (source->next[slot] != change->at) return;
    source->plan_next[slot]++;
    sample_source_switch(source, slot, change->track);
    source->next[slot] = change->next;
}

size_t sample_source_held(struct sample_source *source)
{
    return cad_pool_used_bytes(source->pool);
}

static struct cad_ref *buffer_of(struct sample_source *source, const uint8_t *bytes, size_t n)
{
    struct cad_ref *ref = NULL;
    if (cad_pool_get(source->pool, n > 0 ? n : 1, &ref) != 0) abort();
    if (n > 0) memcpy(cad_ref_data(ref), bytes, n);
    return ref;
}

void sample_source_write(struct sample_source *source, const char *lang, const char *document)
{
    if (source->words_count + 2 > SOURCE_WORDS_MAX) abort();
    source->words[source->words_count++] = (struct source_words){source->epoch, lang, NULL};
    if (!lang) return;
    source->words[source->words_count++] = (struct source_words){source->epoch, lang, document};
}

static int pull_text(struct sample_source *source, struct cad_sample *out)
{
    memset(out, 0, sizeof(*out));
    if (source->words_next == source->words_count) return CAD_E_AGAIN;
    const struct source_words *words = &source->words[source->words_next++];
    out->epoch = words->epoch;
    if (!words->document) {
        out->config.type = CAD_MEDIA_TEXT;
        if (!words->lang) return CAD_E_CONFIG;
        out->config.codec = CAD_CODEC_TTML;
        memcpy(out->config.lang, words->lang, strlen(words->lang));
        return CAD_E_CONFIG;
    }
    size_t n = strlen(words->document);
    out->flags = CAD_SAMPLE_SYNC;
    out->duration = 4 * CAD_SECOND;
    out->ref = buffer_of(source, (const uint8_t *)words->document, n);
    out->data = cad_ref_data(out->ref);
    out->size = n;
    return 0;
}

static int pull(void *ctx, uint32_t slot, struct cad_sample *out)
{
    struct sample_source *source = ctx;
    if (slot == CAD_SLOT_TEXT) return pull_text(source, out);
    follow_plan(source, slot);
    const struct track_data *track = source->track[slot];
    memset(out, 0, sizeof(*out));
    if (!track) return CAD_E_AGAIN;
    uint32_t next = source->next[slot];
    if (next >= track->count) return CAD_E_END;
    if (next >= source->open[slot]) return CAD_E_AGAIN;
    out->epoch = source->epoch;
    if (!source->told[slot]) {
        source->told[slot] = true;
        out->config = track->config;
        out->ref = buffer_of(source, track->config.extra.p, track->config.extra.n);
        out->config.extra.p = cad_ref_data(out->ref);
        return CAD_E_CONFIG;
    }
    const struct track_item *item = &track->items[next];
    source->next[slot]++;
    source->pulled[slot]++;
    out->pts = item->pts;
    out->dts = item->dts;
    out->duration = item->duration;
    out->flags = source->flags | (item->sync ? CAD_SAMPLE_SYNC : 0);
    if (source->show_from != CAD_TIME_NONE && item->pts + item->duration <= source->show_from) {
        out->flags |= CAD_SAMPLE_DECODE_ONLY;
    }
    out->ref = buffer_of(source, track->bytes + item->offset, item->size);
    out->data = cad_ref_data(out->ref);
    out->size = item->size;
    return 0;
}

struct cad_sink_source sample_source_edge(struct sample_source *source)
{
    return (struct cad_sink_source){pull, source};
}
