/*
 * The stage of a scenario, set up through the control port: a title synthesized from a ladder
 * instead of files of a folder, and links that hosts share. One stage follows another: each new
 * title begins with every host whole, on no link, and every connection closed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "mock/mock_synth.h"
#include "mock/mockd.h"

struct mockd_stage {
    struct cad_ladder ladder;
    struct cad_synth *synth;
    struct mock_synth *mock;
    struct cad_scenario_audio audio[CAD_SCENARIO_AUDIO_MAX];
    char text[CAD_SCENARIO_TEXT_MAX][16];
    struct cad_scenario_title title;
    const char *hosts[MOCK_HOSTS_MAX];
};

static void destroy(struct mockd_stage *stage)
{
    struct cad_alloc alloc = cad_alloc_system();
    if (!stage) return;
    mock_synth_destroy(&stage->mock);
    cad_synth_destroy(&stage->synth);
    cad_ladder_deinit(&alloc, &stage->ladder);
    free(stage);
}

static void drop_link(struct mockd_link *link)
{
    struct cad_alloc alloc = cad_alloc_system();
    cad_trace_deinit(&alloc, &link->trace);
    *link = (struct mockd_link){0};
}

/* No request is under way any more. */
static void clear(struct mockd *mockd)
{
    if (mockd->stage) mockd->origin = NULL; /* it was the stage's */
    destroy(mockd->stage);
    mockd->stage = NULL;
    for (uint32_t i = 0; i < MOCKD_LINKS_MAX; i++) drop_link(&mockd->links[i]);
    for (uint32_t i = 0; i < MOCK_HOSTS_MAX; i++) {
        mockd->hosts[i].link = 0;
        mockd->hosts[i].cap_bps = 0;
        mockd->hosts[i].fault = MOCKD_FAULT_NONE;
        mockd->hosts[i].requests = mockd->hosts[i].bytes = 0;
    }
    mockd->offline = false;
}

void mockd_stage_deinit(struct mockd *mockd)
{
    clear(mockd);
}

/* ---- the title ------------------------------------------------------------------------------- */

/* A number of the query, or what it is without. */
static int64_t number(cad_str query, const char *name, int64_t otherwise)
{
    int64_t value = 0;
    cad_str text = cad_uri_query_value(query, cad_str_from(name));
    return text.n > 0 && cad_str_to_i64(text, &value) == 0 && value >= 0 ? value : otherwise;
}

/* "en:2,de:2,en:6" */
static bool read_audio(struct mockd_stage *stage, cad_str list)
{
    cad_str one, lang;
    while (list.n > 0 && cad_str_split(&list, ',', &one)) {
        int64_t channels = 0;
        uint32_t i = stage->title.audio_count;
        if (i == CAD_SCENARIO_AUDIO_MAX || !cad_str_split(&one, ':', &lang)) return false;
        if (lang.n == 0 || lang.n >= sizeof stage->audio[i].lang) return false;
        if (!one.p || cad_str_to_i64(one, &channels) || channels < 1 || channels > 16) return false;
        cad_str_copyz(stage->audio[i].lang, sizeof stage->audio[i].lang, lang);
        stage->audio[i].channels = (uint32_t)channels;
        stage->title.audio_count++;
    }
    stage->title.audio = stage->audio;
    return true;
}

/* "en,de" */
static bool read_text(struct mockd_stage *stage, cad_str list)
{
    cad_str lang;
    while (list.n > 0 && cad_str_split(&list, ',', &lang)) {
        uint32_t i = stage->title.text_count;
        if (i == CAD_SCENARIO_TEXT_MAX) return false;
        if (lang.n == 0 || lang.n >= sizeof stage->text[i]) return false;
        cad_str_copyz(stage->text[i], sizeof stage->text[i], lang);
        stage->title.text_count++;
    }
    stage->title.text = (const char (*)[16])stage->text;
    return true;
}

/* Key ids: of all, or of pictures up to 576 lines, of larger ones, of sound. */
static bool read_keys(cad_str query, struct cad_synth_config *config)
{
    const struct { const char *name; uint8_t *out; } keys[] = {
        {"kid", config->kid}, {"hd_kid", config->hd_kid}, {"audio_kid", config->audio_kid}};
    for (size_t i = 0; i < CAD_ARRAY_LEN(keys); i++) {
        size_t n = 0;
        cad_str text = cad_uri_query_value(query, cad_str_from(keys[i].name));
        if (text.n == 0) continue;
        if (i > 0 && config->scheme == CAD_SCHEME_CLEAR) return false;
        if (cad_hex_decode(text, keys[i].out, CAD_KEY_ID_SIZE, &n) < 0) return false;
        if (n != CAD_KEY_ID_SIZE) return false;
        config->scheme = CAD_SCHEME_CBCS;
    }
    return true;
}

static const char *make_title(struct mockd_stage *stage, cad_str query, cad_str ladder)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    if (cad_ladder_parse(&alloc, ladder, &stage->ladder)) return "the body is no ladder";
    if (!read_audio(stage, cad_uri_query_value(query, CAD_STR("audio")))) return "audio=LANG:N,...";
    if (!read_text(stage, cad_uri_query_value(query, CAD_STR("text")))) return "text=LANG,...";
    cad_synth_config_init(&config);
    if (!read_keys(query, &config)) return "kid=HEX, and then hd_kid=HEX, audio_kid=HEX";
    config.ladder = &stage->ladder;
    config.duration = number(query, "duration_ms", 0) * CAD_MS;
    if (config.duration == 0) {
        config.duration = stage->ladder.segment_duration * stage->ladder.segment_count;
    }
    if (cad_synth_create(&alloc, &config, &stage->synth)) return "no title can be made of it";
    stage->title.synth = stage->synth;
    int64_t life_s = number(query, "life_s", MOCK_URL_LIFE_DEFAULT / CAD_SECOND);
    stage->title.url_life = CAD_MAX(life_s, 1) * CAD_SECOND;
    stage->title.seed = (uint64_t)number(query, "seed", 1);
    return mock_synth_create(&stage->title, &stage->mock) ? "no origin can be made of it" : NULL;
}

const char *mockd_stage_title(struct mockd *mockd, cad_str query, cad_str ladder)
{
    struct mockd_stage *stage = calloc(1, sizeof *stage);
    if (!stage) return "out of memory";
    int64_t hosts = number(query, "hosts", mockd->options.hosts);
    stage->title.id = cad_str_from(mockd->options.title_id);
    stage->title.hosts = stage->hosts;
    stage->title.host_count = (uint32_t)CAD_MIN(hosts, mockd->options.hosts);
    for (uint32_t i = 0; i < mockd->options.hosts; i++) stage->hosts[i] = mockd->hosts[i].name;
    const char *wrong = mockd->title.asset_count > 0 ? "started with a title of its own (--stage)"
                        : hosts < 1 || hosts > mockd->options.hosts ? "so many hosts are not there"
                        : make_title(stage, query, ladder);
    if (wrong) {
        destroy(stage);
        return wrong;
    }
    for (uint32_t i = 0; i < mockd->options.hosts; i++) mockd_host_close(&mockd->hosts[i]);
    (void)pthread_mutex_lock(&mockd->lock);
    clear(mockd);
    mockd->stage = stage;
    mockd->origin = mock_synth_origin(stage->mock);
    mock_ingest_clear(&mockd->ingest);
    bool probes = mockd_ftl_renew(mockd);
    (void)pthread_mutex_unlock(&mockd->lock);
    if (!probes) return "out of memory";
    for (uint32_t i = 0; i < mockd->options.hosts; i++) {
        if (!mockd_host_open(&mockd->hosts[i])) return "a port could not be opened";
    }
    return NULL;
}

/* ---- links ----------------------------------------------------------------------------------- */

const char *mockd_stage_link(struct mockd *mockd, uint32_t n, cad_str text)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct mockd_link link = {.start = mockd_monotonic()};
    if (n < 1 || n > MOCKD_LINKS_MAX) return "no such link";
    if (cad_trace_parse(&alloc, text, &link.trace)) return "the body is no trace";
    (void)pthread_mutex_lock(&mockd->lock);
    bool used = mockd->links[n - 1].trace.periods != NULL;
    if (!used) mockd->links[n - 1] = link;
    (void)pthread_mutex_unlock(&mockd->lock);
    if (!used) return NULL;
    cad_trace_deinit(&alloc, &link.trace);
    return "this link is there already";
}

void mockd_stage_start(struct mockd *mockd)
{
    cad_time now = mockd_monotonic();
    (void)pthread_mutex_lock(&mockd->lock);
    for (uint32_t i = 0; i < MOCKD_LINKS_MAX; i++) {
        mockd->links[i].start = now;
        mockd->links[i].free_at = 0;
    }
    (void)pthread_mutex_unlock(&mockd->lock);
}

const char *mockd_stage_host_link(struct mockd_host *host, int64_t n)
{
    struct mockd *mockd = host->mockd;
    bool good = n == 0 || (n <= MOCKD_LINKS_MAX && mockd->links[n - 1].trace.periods);
    if (!good) return "no such link";
    (void)pthread_mutex_lock(&mockd->lock);
    host->link = (uint32_t)n;
    (void)pthread_mutex_unlock(&mockd->lock);
    return NULL;
}

/* ---- what requests meet ---------------------------------------------------------------------- */

/* Of a host: its link, or one of its own that is no faster than the cap. NULL: none. Locked. */
static struct mockd_link *link_of(struct mockd_host *host)
{
    if (host->link == 0) return NULL;
    struct mockd_link *shared = &host->mockd->links[host->link - 1];
    if (host->cap_bps == 0) return shared;
    host->own.trace = shared->trace;
    host->own.start = shared->start;
    host->own.cap_bps = host->cap_bps;
    return &host->own;
}

cad_time mockd_stage_latency(struct mockd_host *host)
{
    struct mockd *mockd = host->mockd;
    (void)pthread_mutex_lock(&mockd->lock);
    const struct mockd_link *link = link_of(host);
    cad_time latency = link ? mockd_link_latency(link, mockd_monotonic()) : 0;
    (void)pthread_mutex_unlock(&mockd->lock);
    return latency;
}

void mockd_stage_enter(struct mockd_request *request)
{
    struct mockd *mockd = request->host->mockd;
    (void)pthread_mutex_lock(&mockd->lock);
    request->holes = request->host->holes + mockd->outages;
    (void)pthread_mutex_unlock(&mockd->lock);
}

/* A packet to or from a host that is a black hole is lost, and with it the connection: it stays so
 * when the host is back. */
bool mockd_stage_passes(struct mockd_request *request)
{
    struct mockd_host *host = request->host;
    struct mockd *mockd = host->mockd;
    if (host == &mockd->control) return true;
    (void)pthread_mutex_lock(&mockd->lock);
    bool lost = mockd->offline || host->fault == MOCKD_FAULT_BLACKHOLE ||
                request->holes != host->holes + mockd->outages;
    while (lost && !host->closing && !mockd->quitting) {
        (void)pthread_cond_wait(&mockd->changed, &mockd->lock);
    }
    (void)pthread_mutex_unlock(&mockd->lock);
    return !lost;
}

bool mockd_stage_pace(struct mockd_request *request, size_t *n)
{
    struct mockd_host *host = request->host;
    struct mockd *mockd = host->mockd;
    cad_time due = 0;
    (void)pthread_mutex_lock(&mockd->lock);
    struct mockd_link *link = link_of(host);
    if (link) {
        cad_time now = mockd_monotonic();
        size_t most = mockd_link_piece(link, now);
        *n = CAD_MIN(*n, most);
        due = mockd_link_take(link, now, *n);
    }
    (void)pthread_mutex_unlock(&mockd->lock);
    if (link && !mockd_wait(host, due)) return false;
    return mockd_stage_passes(request);
}
