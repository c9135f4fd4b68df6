#include "media/tempo.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/channel_layout.h>
#include <libavutil/frame.h>
#include <libavutil/samplefmt.h>

#include "base/mem.h"
#include "base/util.h"

#define FADE_MS 5u

struct cad_tempo {
    struct cad_alloc alloc;
    uint32_t rate_hz, channels;
    uint32_t rate_q16;
    AVFilterGraph *graph;     /* NULL: built with the next put */
    AVFilterContext *in, *pace, *out; /* of graph */
    AVFrame *frame;           /* what came out last; samples from `taken` on wait */
    uint32_t taken;
    bool finished;            /* the filter was told that nothing follows */
    int64_t put;              /* samples that went in */
    int64_t passed_q16;       /* how far in them the output has come, times 65536 */
    float *kept;              /* those from kept_first up to put: what may not have been heard */
    int64_t kept_first;
    uint32_t kept_max;        /* samples that kept has room for */
    float *fade;              /* how the filter before would have gone on */
    uint32_t fade_max, fade_count, faded; /* samples: room, there, used */
};

static void drop_graph(struct cad_tempo *tempo)
{
    avfilter_graph_free(&tempo->graph);
    if (tempo->frame) av_frame_unref(tempo->frame);
    tempo->in = tempo->pace = tempo->out = NULL;
    tempo->taken = 0;
    tempo->finished = false;
}

static void forget(struct cad_tempo *tempo)
{
    drop_graph(tempo);
    tempo->put = tempo->passed_q16 = tempo->kept_first = 0;
    tempo->fade_count = tempo->faded = 0;
}

static size_t bytes_of(const struct cad_tempo *tempo, uint32_t samples)
{
    return (size_t)samples * tempo->channels * sizeof(float);
}

/* By integers: locales do not touch it. */
static void print_rate(const struct cad_tempo *tempo, char *out, size_t size)
{
    unsigned rate = (unsigned)((tempo->rate_q16 * UINT64_C(100000) + 32768) >> 16);
    (void)snprintf(out, size, "%u.%05u", rate / 100000, rate % 100000);
}

static int add_filter(struct cad_tempo *tempo, const char *name, const char *arguments,
                      AVFilterContext **out)
{
    const AVFilter *filter = avfilter_get_by_name(name);
    if (!filter) return CAD_E_UNSUPPORTED;
    int rc = avfilter_graph_create_filter(out, filter, NULL, arguments, NULL, tempo->graph);
    return rc < 0 ? CAD_E_NOMEM : 0;
}

static int build(struct cad_tempo *tempo)
{
    char source[96];
    char rate[32];
    (void)snprintf(source, sizeof(source),
                   "time_base=1/%u:sample_rate=%u:sample_fmt=flt:channel_layout=%uc",
                   tempo->rate_hz, tempo->rate_hz, tempo->channels);
    print_rate(tempo, rate, sizeof(rate));
    tempo->graph = avfilter_graph_alloc();
    if (!tempo->graph) return CAD_E_NOMEM;
    tempo->graph->nb_threads = 1;
    int rc = add_filter(tempo, "abuffer", source, &tempo->in);
    if (rc == 0) rc = add_filter(tempo, "atempo", rate, &tempo->pace);
    if (rc == 0) rc = add_filter(tempo, "abuffersink", NULL, &tempo->out);
    if (rc == 0 && avfilter_link(tempo->in, 0, tempo->pace, 0) < 0) rc = CAD_E_NOMEM;
    if (rc == 0 && avfilter_link(tempo->pace, 0, tempo->out, 0) < 0) rc = CAD_E_NOMEM;
    if (rc == 0 && avfilter_graph_config(tempo->graph, NULL) < 0) rc = CAD_E_NOMEM;
    if (rc < 0) drop_graph(tempo);
    return rc;
}

int cad_tempo_create(const struct cad_alloc *alloc, uint32_t rate_hz, uint32_t channels,
                     struct cad_tempo **out)
{
    if (!alloc || !alloc->fn || !out || rate_hz < 1000 || rate_hz > 768000) return CAD_E_INVAL;
    if (channels < 1 || channels > CAD_TEMPO_CHANNELS_MAX) return CAD_E_INVAL;
    struct cad_tempo *tempo = cad_alloc_new(alloc, sizeof(*tempo), CAD_MEM_OTHER);
    if (!tempo) return CAD_E_NOMEM;
    tempo->alloc = *alloc;
    tempo->rate_hz = rate_hz;
    tempo->channels = channels;
    tempo->rate_q16 = CAD_TEMPO_ONE;
    tempo->kept_max = rate_hz / 4 + 2 * CAD_TEMPO_PUT_MAX;
    tempo->fade_max = rate_hz * FADE_MS / 1000;
    tempo->kept = cad_alloc_new(alloc, bytes_of(tempo, tempo->kept_max), CAD_MEM_OTHER);
    tempo->fade = cad_alloc_new(alloc, bytes_of(tempo, tempo->fade_max), CAD_MEM_OTHER);
    tempo->frame = av_frame_alloc();
    int rc = tempo->frame && tempo->kept && tempo->fade ? build(tempo) : CAD_E_NOMEM;
    if (rc < 0) {
        cad_tempo_destroy(&tempo);
        return rc;
    }
    *out = tempo;
    return 0;
}

void cad_tempo_destroy(struct cad_tempo **tempo)
{
    if (!tempo || !*tempo) return;
    struct cad_tempo *t = *tempo;
    struct cad_alloc alloc = t->alloc;
    drop_graph(t);
    av_frame_free(&t->frame);
    cad_alloc_free(&alloc, t->kept, bytes_of(t, t->kept_max), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, t->fade, bytes_of(t, t->fade_max), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, t, sizeof(*t), CAD_MEM_OTHER);
    *tempo = NULL;
}

/* Hand samples to the filter. */
static int feed(struct cad_tempo *tempo, const float *pcm, uint32_t n)
{
    AVFrame *frame = av_frame_alloc();
    if (!frame) return CAD_E_NOMEM;
    frame->format = AV_SAMPLE_FMT_FLT;
    frame->sample_rate = (int)tempo->rate_hz;
    frame->nb_samples = (int)n;
    frame->ch_layout = (AVChannelLayout){
        .order = AV_CHANNEL_ORDER_UNSPEC, .nb_channels = (int)tempo->channels};
    int rc = av_frame_get_buffer(frame, 0) < 0 ? CAD_E_NOMEM : 0;
    if (rc == 0) {
        memcpy(frame->data[0], pcm, bytes_of(tempo, n));
        if (av_buffersrc_add_frame(tempo->in, frame) < 0) rc = CAD_E_NOMEM;
    }
    av_frame_free(&frame);
    return rc;
}

/* More of the filter's output. False: it has none. */
static bool refill(struct cad_tempo *tempo)
{
    av_frame_unref(tempo->frame);
    tempo->taken = 0;
    return tempo->graph && av_buffersink_get_frame(tempo->out, tempo->frame) >= 0;
}

/* What the filter has ready, without counting it. */
static uint32_t drain(struct cad_tempo *tempo, float *out, uint32_t max)
{
    uint32_t done = 0;
    while (done < max) {
        uint32_t ready = (uint32_t)tempo->frame->nb_samples - tempo->taken;
        if (ready == 0) {
            if (!refill(tempo)) break;
            continue;
        }
        uint32_t n = CAD_MIN(ready, max - done);
        const float *from = (const float *)(const void *)tempo->frame->data[0];
        memcpy(out + (size_t)done * tempo->channels, from + (size_t)tempo->taken * tempo->channels,
               bytes_of(tempo, n));
        tempo->taken += n;
        done += n;
    }
    return done;
}

/* Samples from the first kept one to the one that is heard next. */
static uint32_t heard_of_kept(const struct cad_tempo *tempo)
{
    int64_t heard = CAD_MIN(tempo->passed_q16 >> 16, tempo->put) - tempo->kept_first;
    return (uint32_t)CAD_MAX(heard, 0);
}

static void change_filter(struct cad_tempo *tempo)
{
    uint32_t skip = heard_of_kept(tempo);
    uint32_t left = (uint32_t)(tempo->put - tempo->kept_first) - skip;
    tempo->faded = 0;
    tempo->fade_count = 0;
    if (av_buffersrc_add_frame(tempo->in, NULL) >= 0) {
        tempo->fade_count = drain(tempo, tempo->fade, tempo->fade_max);
    }
    bool finished = tempo->finished;
    drop_graph(tempo);
    bool good = build(tempo) == 0;
    const float *from = tempo->kept + (size_t)skip * tempo->channels;
    if (good && left > 0) good = feed(tempo, from, left) == 0;
    if (!good) forget(tempo);
    if (good && finished) cad_tempo_finish(tempo);
}

void cad_tempo_set(struct cad_tempo *tempo, uint32_t rate_q16)
{
    rate_q16 = CAD_MAX(CAD_TEMPO_MIN, CAD_MIN(rate_q16, CAD_TEMPO_MAX));
    if (rate_q16 == tempo->rate_q16) return;
    tempo->rate_q16 = rate_q16;
    if (tempo->graph && tempo->put > 0) {
        change_filter(tempo);
    } else {
        forget(tempo);
    }
}

int cad_tempo_put(struct cad_tempo *tempo, const float *pcm, uint32_t n)
{
    if (n == 0 || n > CAD_TEMPO_PUT_MAX) return CAD_E_INVAL;
    if (tempo->finished) forget(tempo);
    uint32_t skip = heard_of_kept(tempo);
    uint32_t left = (uint32_t)(tempo->put - tempo->kept_first) - skip;
    if (left + n > tempo->kept_max) return CAD_E_LIMIT;
    int rc = tempo->graph ? 0 : build(tempo);
    if (rc == 0) rc = feed(tempo, pcm, n);
    if (rc < 0) return rc;
    memmove(tempo->kept, tempo->kept + (size_t)skip * tempo->channels, bytes_of(tempo, left));
    memcpy(tempo->kept + (size_t)left * tempo->channels, pcm, bytes_of(tempo, n));
    tempo->kept_first += skip;
    tempo->put += n;
    return 0;
}

uint32_t cad_tempo_take(struct cad_tempo *tempo, float *out, uint32_t max)
{
    uint32_t done = drain(tempo, out, max);
    for (uint32_t i = 0; i < done && tempo->faded < tempo->fade_count; i++, tempo->faded++) {
        float fresh = (float)tempo->faded / (float)tempo->fade_count;
        const float *old = tempo->fade + (size_t)tempo->faded * tempo->channels;
        float *to = out + (size_t)i * tempo->channels;
        for (uint32_t c = 0; c < tempo->channels; c++) to[c] = old[c] + (to[c] - old[c]) * fresh;
    }
    tempo->passed_q16 += (int64_t)done * tempo->rate_q16;
    return done;
}

uint32_t cad_tempo_lag(const struct cad_tempo *tempo)
{
    int64_t lag = tempo->put - (tempo->passed_q16 >> 16);
    return (uint32_t)CAD_MAX(lag, 0);
}

void cad_tempo_finish(struct cad_tempo *tempo)
{
    if (!tempo->graph || tempo->finished) return;
    tempo->finished = true;
    if (av_buffersrc_add_frame(tempo->in, NULL) < 0) forget(tempo);
}

void cad_tempo_reset(struct cad_tempo *tempo)
{
    forget(tempo);
}
