/*
 * Plays a title that exists in its sizes only, over a network that exists in figures only, in
 * virtual time: libcadmium-sim from outside of its house, through public headers alone.
 *
 *     virtual [FILE]      FILE: write the smallest rung of the title there, as a fragmented MP4
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cadmium/cadmium.h>
#include <cadmium/sim.h>

#define TITLE_SECONDS 2
#define HOST "media.example"

/* Bytes of the segments of two seconds: one of them, of one rung of 400 kbit/s. */
static uint32_t segment_bytes[] = {96000};

static struct cad_range part; /* of the file, that is being answered */

static int read_part(void *token, int64_t offset, size_t n, uint8_t *out, size_t *done)
{
    struct cad_range bytes = {part.first + offset, part.first + offset + (int64_t)n - 1};
    return cad_synth_read((const struct cad_synth *)token, 0, bytes, out, done);
}

/* The answer to every request: the one file of the title. The context is its synthesizer. */
static int serve(void *ctx, const struct cad_origin_request *request,
                 struct cad_origin_answer *answer)
{
    static char content_range[80];
    struct cad_synth_stream stream;
    int rc = cad_synth_stream_at((const struct cad_synth *)ctx, 0, &stream);
    if (rc) return rc;
    part.first = request->range.first < 0 ? 0 : request->range.first;
    part.last = stream.size_bytes - 1;
    if (request->range.first >= 0 && request->range.last >= 0 && request->range.last < part.last) {
        part.last = request->range.last;
    }
    memset(answer, 0, sizeof *answer);
    answer->status = request->range.first < 0 ? 200 : 206;
    answer->content_type = "video/mp4";
    if (answer->status == 206) {
        int n = snprintf(content_range, sizeof content_range, "bytes %" PRId64 "-%" PRId64
                         "/%" PRId64, part.first, part.last, stream.size_bytes);
        answer->headers[0].name = (cad_str){"Content-Range", 13};
        answer->headers[0].value = (cad_str){content_range, (size_t)n};
        answer->header_count = 1;
    }
    answer->body_size = part.last - part.first + 1;
    answer->read = read_part;
    answer->token = ctx;
    return 0;
}

/* The true file: what is a hole in virtual time becomes zeros. */
static int write_file(const struct cad_synth *synth, const char *name)
{
    struct cad_synth_stream stream;
    uint8_t bytes[4096];
    if (cad_synth_stream_at(synth, 0, &stream)) return 1;
    FILE *file = fopen(name, "wb");
    if (!file) return 1;
    int rc = 0;
    size_t done = 0;
    for (int64_t at = 0; rc >= 0 && at < stream.size_bytes; at += (int64_t)done) {
        int64_t left = stream.size_bytes - at;
        size_t n = left < (int64_t)sizeof bytes ? (size_t)left : sizeof bytes;
        struct cad_range range = {at, at + (int64_t)n - 1};
        rc = cad_synth_read(synth, 0, range, bytes, &done);
        if (rc == 1) memset(bytes, 0, done);
        if (rc >= 0 && (done == 0 || fwrite(bytes, 1, done, file) != done)) rc = CAD_E_IO;
    }
    if (fclose(file)) rc = CAD_E_IO;
    return rc < 0;
}

static int play(struct cad_sim *sim, struct cad_engine_stats *stats)
{
    struct cad_command load = {.type = CAD_COMMAND_LOAD, .ticket = 1};
    struct cad_command start = {.type = CAD_COMMAND_PLAY};
    struct cad_app_event event;
    load.title.url = (cad_str){"http://" HOST "/title.mp4", sizeof "http://" HOST "/title.mp4" - 1};
    load.title.start = CAD_TIME_NONE;
    int rc = cad_sim_command(sim, &load);
    if (!rc) rc = cad_sim_command(sim, &start);
    if (!rc) rc = cad_sim_run(sim, 60 * CAD_SECOND);
    while (cad_sim_poll(sim, &event) == 0) {
        printf("%7" PRId64 " ms  %s %s\n", event.at / CAD_MS, cad_app_event_name(event.type),
               event.type == CAD_APP_ERROR ? event.error.message : event.text);
    }
    cad_sim_stats(sim, stats);
    return rc;
}

static int simulate(const struct cad_synth *synth)
{
    struct cad_trace_period dsl = {3600 * CAD_SECOND, 2000000, 40 * CAD_MS};
    struct cad_trace trace = {&dsl, 1};
    struct cad_origin_ops ops = {.size = sizeof ops, .serve = serve};
    struct cad_sim_config config;
    struct cad_engine_stats stats;
    struct cad_sim *sim = NULL;
    uint32_t link = 0;
    cad_sim_config_init(&config);
    int rc = cad_sim_create(&config, &sim);
    if (!rc) rc = cad_sim_add_link(sim, &trace, &link);
    if (!rc) rc = cad_sim_add_host(sim, HOST, link);
    if (!rc) {
        cad_sim_set_origin(sim, &ops, (void *)synth);
        rc = play(sim, &stats);
    }
    if (rc >= 0) {
        printf("%s: started after %" PRId64 " ms, %u stalls, %" PRIu64 " frames, %" PRIu64
               " bytes\n", cad_state_name(stats.state), stats.startup / CAD_MS, stats.stalls,
               stats.frames, stats.slot[CAD_SLOT_VIDEO].bytes_fetched);
    }
    cad_sim_destroy(&sim);
    return rc < 0 || stats.state != CAD_STATE_ENDED || stats.frames != TITLE_SECONDS * 24;
}

int main(int argc, char **argv)
{
    struct cad_ladder ladder = {.segment_duration = 2 * CAD_SECOND, .rung_count = 1,
                                .segment_count = 1, .rate_bps = {400000}, .height = {360},
                                .segment_bytes = segment_bytes};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    struct cad_synth *synth = NULL;
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.duration = TITLE_SECONDS * CAD_SECOND;
    config.audio_rate_bps = 0;
    printf("libcadmium %s\n", cad_version());
    int status = cad_synth_create(&alloc, &config, &synth) ? 1 : simulate(synth);
    if (!status && argc == 2) status = write_file(synth, argv[1]);
    cad_synth_destroy(&synth);
    return status;
}
