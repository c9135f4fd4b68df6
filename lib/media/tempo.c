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

#define PUT_MAX 65536u

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
};

static void drop_graph(struct cad_tempo *tempo)
{
    avfilter_graph_free(&tempo->graph);
    if (tempo->frame) av_frame_unref(tempo->frame);
    tempo->in = tempo->pace = tempo->out = NULL;
    tempo->taken = 0;
    tempo->finished = false;
    tempo->put = tempo->passed_q16 = 0;
}

/* In thousandths: locales do not touch it. */
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
    tempo->frame = av_frame_alloc();
    int rc = tempo->frame ? build(tempo) : CAD_E_NOMEM;
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
    struct cad_alloc alloc = (*tempo)->alloc;
    drop_graph(*tempo);
    av_frame_free(&(*tempo)->frame);
    cad_alloc_free(&alloc, *tempo, sizeof(**tempo), CAD_MEM_OTHER);
    *tempo = NULL;
}

void cad_tempo_set(struct cad_tempo *tempo, uint32_t rate_q16)
{
    rate_q16 = CAD_MAX(CAD_TEMPO_MIN, CAD_MIN(rate_q16, CAD_TEMPO_MAX));
    if (rate_q16 == tempo->rate_q16) return;
    tempo->rate_q16 = rate_q16;
    if (!tempo->graph) return;
    char rate[32];
    print_rate(tempo, rate, sizeof(rate));
    /* Refused, the sound in the filter would keep its old pace: then a new filter has to come. */
    if (avfilter_graph_send_command(tempo->graph, "atempo", "tempo", rate, NULL, 0, 0) < 0) {
        drop_graph(tempo);
    }
}

int cad_tempo_put(struct cad_tempo *tempo, const float *pcm, uint32_t n)
{
    if (n == 0 || n > PUT_MAX) return CAD_E_INVAL;
    if (tempo->finished) drop_graph(tempo);
    int rc = tempo->graph ? 0 : build(tempo);
    if (rc < 0) return rc;
    AVFrame *frame = av_frame_alloc();
    if (!frame) return CAD_E_NOMEM;
    frame->format = AV_SAMPLE_FMT_FLT;
    frame->sample_rate = (int)tempo->rate_hz;
    frame->nb_samples = (int)n;
    frame->ch_layout = (AVChannelLayout){
        .order = AV_CHANNEL_ORDER_UNSPEC, .nb_channels = (int)tempo->channels};
    frame->pts = tempo->put;
    rc = av_frame_get_buffer(frame, 0) < 0 ? CAD_E_NOMEM : 0;
    if (rc == 0) {
        memcpy(frame->data[0], pcm, (size_t)n * tempo->channels * sizeof(float));
        if (av_buffersrc_add_frame(tempo->in, frame) < 0) rc = CAD_E_NOMEM;
    }
    if (rc == 0) tempo->put += n;
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

uint32_t cad_tempo_take(struct cad_tempo *tempo, float *out, uint32_t max)
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
        size_t wide = tempo->channels;
        memcpy(out + done * wide, from + tempo->taken * wide, n * wide * sizeof(float));
        tempo->taken += n;
        done += n;
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
    if (av_buffersrc_add_frame(tempo->in, NULL) < 0) drop_graph(tempo);
}

void cad_tempo_reset(struct cad_tempo *tempo)
{
    drop_graph(tempo);
}
