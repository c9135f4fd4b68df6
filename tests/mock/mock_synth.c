#include "mock/mock_synth.h"

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "mock/mock_ttml.h"

struct stream_reader {
    const struct cad_synth *synth;
    uint32_t stream;
};

#define ASSETS_MAX (CAD_ABR_RUNGS_MAX + CAD_SCENARIO_AUDIO_MAX + CAD_SCENARIO_TEXT_MAX)
#define TEXT_BYTES_MAX (64u << 20) /* of a week of subtitles */

struct mock_synth {
    struct mock_origin *origin;
    struct stream_reader readers[CAD_ABR_RUNGS_MAX + 1];
    struct mock_asset assets[ASSETS_MAX];
    uint32_t asset_count;
    struct mock_key keys[MOCK_KEYS_MAX];
    uint32_t key_count;
    struct cad_sb texts[CAD_SCENARIO_TEXT_MAX];
};

static int read_stream(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct stream_reader *reader = ctx;
    struct cad_range bytes = {offset, offset + (int64_t)n - 1};
    return cad_synth_read(reader->synth, reader->stream, bytes, out, done);
}

static int read_text(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    const struct cad_sb *text = ctx;
    if (offset < 0 || (uint64_t)offset > text->n) return CAD_E_INVAL;
    *done = CAD_MIN(n, text->n - (size_t)offset);
    memcpy(out, text->p + offset, *done);
    return 0;
}

void mock_synth_key(const uint8_t *kid, uint8_t *out)
{
    for (uint64_t i = 0; i < 2; i++) {
        cad_put_be64(out + 8 * i, cad_hash64(kid, CAD_KEY_ID_SIZE, i + 1));
    }
}

/* Pictures under protection have another name; sound has one. */
static void protect_asset(struct mock_synth *m, struct mock_asset *a, const uint8_t *kid)
{
    uint32_t i = 0;
    (void)snprintf(a->scheme, sizeof(a->scheme), "cbcs");
    memcpy(a->kid, kid, sizeof(a->kid));
    if (a->type == CAD_MEDIA_VIDEO) {
        (void)snprintf(a->profile, sizeof(a->profile), "playready-h264mpl40-dash");
    }
    while (i < m->key_count && memcmp(m->keys[i].kid, kid, CAD_KEY_ID_SIZE) != 0) i++;
    if (i < m->key_count || i == MOCK_KEYS_MAX) return;
    memcpy(m->keys[i].kid, kid, CAD_KEY_ID_SIZE);
    mock_synth_key(kid, m->keys[i].key);
    m->key_count++;
}

/* `sound` is what the stream is offered as, of sound. */
static void describe_asset(struct mock_synth *m, uint32_t i, const struct cad_synth_stream *info,
                           const struct cad_scenario_audio *sound)
{
    struct mock_asset *a = &m->assets[m->asset_count];
    bool audio = info->type == CAD_MEDIA_AUDIO;
    (void)snprintf(a->id, sizeof(a->id), "%s-%u", audio ? "audio" : "video",
                   (unsigned)m->asset_count);
    (void)snprintf(a->profile, sizeof(a->profile), "%s",
                   audio ? "heaac-2-dash" : "h264mpl40-dash-clear");
    a->type = info->type;
    a->rate_kbps = CAD_MAX(info->rate_bps / 1000, 1);
    a->peak_kbps = a->rate_kbps * 2;
    a->width = info->width;
    a->height = info->height;
    a->frame_rate_num = audio ? 0 : 24;
    a->frame_rate_den = 1;
    if (audio) cad_str_copyz(a->lang, sizeof(a->lang), cad_str_from(sound->lang));
    a->channels = audio ? sound->channels : 0;
    a->size_bytes = info->size_bytes;
    a->moov = info->moov;
    a->sidx = info->sidx;
    a->header_bytes = info->header_bytes;
    a->read = read_stream;
    a->ctx = &m->readers[i];
    a->index = m->asset_count++;
    if (info->scheme != CAD_SCHEME_CLEAR) protect_asset(m, a, info->kid);
}

static int describe_text(struct mock_synth *m, struct cad_sb *text, const char *lang,
                         cad_time duration)
{
    struct mock_asset *a = &m->assets[m->asset_count];
    mock_ttml_write(text, lang, duration);
    if (cad_sb_error(text) < 0) return cad_sb_error(text);
    a->type = CAD_MEDIA_TEXT;
    (void)snprintf(a->id, sizeof(a->id), "text-%s", lang);
    (void)snprintf(a->lang, sizeof(a->lang), "%s", lang);
    (void)snprintf(a->profile, sizeof(a->profile), "%s", MOCK_TTML_PROFILE);
    a->rate_kbps = 1;
    a->moov = a->sidx = (struct cad_range){-1, -1};
    a->size_bytes = (int64_t)text->n;
    a->read = read_text;
    a->ctx = text;
    a->index = m->asset_count++;
    return 0;
}

static int describe_texts(struct mock_synth *m, const struct cad_scenario_title *title,
                          cad_time duration)
{
    struct cad_alloc alloc = cad_alloc_system();
    uint32_t count = CAD_MIN(title->text_count, CAD_SCENARIO_TEXT_MAX);
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        cad_sb_init(&m->texts[i], &alloc, CAD_MEM_OTHER, TEXT_BYTES_MAX);
        rc = describe_text(m, &m->texts[i], title->text[i], duration);
    }
    return rc;
}

/* All streams as assets, sound once for each way it is offered; how long the longest is. */
static cad_time describe_title(struct mock_synth *m, const struct cad_scenario_title *title)
{
    static const struct cad_scenario_audio english = {.lang = "en", .channels = 2};
    const struct cad_synth *synth = title->synth;
    const struct cad_scenario_audio *sounds = title->audio_count ? title->audio : &english;
    uint32_t sound_count = CAD_MAX(CAD_MIN(title->audio_count, CAD_SCENARIO_AUDIO_MAX), 1);
    cad_time duration = 0;
    for (uint32_t i = 0; i < cad_synth_stream_count(synth); i++) {
        struct cad_synth_stream info;
        struct cad_synth_segment last;
        if (cad_synth_stream_at(synth, i, &info)) continue;
        m->readers[i] = (struct stream_reader){synth, i};
        uint32_t times = info.type == CAD_MEDIA_AUDIO ? sound_count : 1;
        for (uint32_t k = 0; k < times; k++) describe_asset(m, i, &info, &sounds[k]);
        if (cad_synth_segment_at(synth, i, info.size_bytes - 1, &last)) continue;
        duration = CAD_MAX(duration, last.start + last.duration);
    }
    return duration;
}

int mock_synth_create(const struct cad_scenario_title *title, struct mock_synth **out)
{
    struct cad_alloc alloc = cad_alloc_system();
    if (title->host_count > MOCK_HOSTS_MAX) return CAD_E_LIMIT;
    struct mock_synth *m = cad_alloc_new(&alloc, sizeof(*m), CAD_MEM_OTHER);
    if (!m) return CAD_E_NOMEM;
    char id[24];
    cad_str_copyz(id, sizeof(id), title->id);
    cad_time duration = describe_title(m, title);
    int err = describe_texts(m, title, duration);
    struct mock_origin_config config = {
        .title = id, .duration = duration, .assets = m->assets,
        .asset_count = m->asset_count, .host_count = title->host_count, .scheme = "http",
        .url_life = title->url_life, .seed = title->seed, .asset_in_path = true,
        .keys = m->keys, .key_count = m->key_count};
    for (uint32_t i = 0; i < title->host_count; i++) config.hosts[i] = title->hosts[i];
    if (!err) err = mock_origin_create(&config, &m->origin);
    if (err) {
        mock_synth_destroy(&m);
        return err;
    }
    *out = m;
    return 0;
}

void mock_synth_destroy(struct mock_synth **synth)
{
    if (!synth || !*synth) return;
    struct cad_alloc alloc = cad_alloc_system();
    mock_origin_destroy(&(*synth)->origin);
    for (size_t i = 0; i < CAD_SCENARIO_TEXT_MAX; i++) cad_sb_deinit(&(*synth)->texts[i]);
    cad_alloc_free(&alloc, *synth, sizeof(**synth), CAD_MEM_OTHER);
    *synth = NULL;
}

static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    const struct mock_synth *m = ctx;
    return mock_origin_ops()->serve(m->origin, request, answer);
}

const struct cad_origin_ops *mock_synth_ops(void)
{
    static const struct cad_origin_ops ops = {.size = sizeof(ops), .serve = serve};
    return &ops;
}

struct mock_origin *mock_synth_origin(struct mock_synth *synth)
{
    return synth->origin;
}
