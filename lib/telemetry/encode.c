#include "base/base64.h"
#include "base/str.h"

#include "telemetry/internal.h"

void tel_json_ms(struct cad_jsonw *w, const char *key, cad_time v)
{
    cad_jsonw_key(w, cad_str_from(key));
    if (v < 0) {
        cad_jsonw_null(w);
    } else {
        cad_jsonw_i64(w, v / CAD_MS);
    }
}

/* A figure that may not exist: -1 is null. */
static void figure(struct cad_jsonw *w, const char *key, int64_t v)
{
    cad_jsonw_key(w, cad_str_from(key));
    if (v < 0) {
        cad_jsonw_null(w);
    } else {
        cad_jsonw_i64(w, v);
    }
}

void tel_json_text(struct cad_jsonw *w, const char *key, cad_str v)
{
    char clean[CAD_TELEMETRY_MESSAGE_MAX + 1];
    size_t n = cad_telemetry_redact(v, clean, sizeof(clean));
    cad_jsonw_key_string(w, key, (cad_str){clean, n});
}

void tel_hex(const uint8_t reqid[TEL_REQID_BYTES], char out[33])
{
    out[0] = '\0';
    if (cad_hex_encode((cad_buf){reqid, TEL_REQID_BYTES}, out, 32) == 0) out[32] = '\0';
}

void tel_json_play_times(struct cad_jsonw *w, const struct cad_qoe *q)
{
    static const char *const names[CAD_SHOWN_KINDS] = {"video", "audio", "text"};
    cad_jsonw_key(w, CAD_STR("playTimes"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "total", q->rendered / CAD_MS);
    for (uint32_t k = 0; k < CAD_SHOWN_KINDS; k++) {
        cad_jsonw_key(w, cad_str_from(names[k]));
        cad_jsonw_array(w);
        for (uint32_t i = 0; i < q->rung_count[k]; i++) {
            cad_jsonw_object(w);
            cad_jsonw_key_string(w, "downloadableId", cad_str_from(q->rungs[k][i].id));
            cad_jsonw_key_i64(w, "duration", q->rungs[k][i].shown / CAD_MS);
            cad_jsonw_end(w);
        }
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
}

static void stalls(struct cad_jsonw *w, const struct cad_qoe *q)
{
    static const char *const names[CAD_STALL_REASONS] = {"network", "key", "decode", "other"};
    cad_jsonw_key_i64(w, "rebuffers", q->rebuffers);
    tel_json_ms(w, "rebufferMs", q->rebuffer);
    cad_jsonw_key_i64(w, "rebufferPpm", q->rebuffer_ppm);
    cad_jsonw_key(w, CAD_STR("rebufferBy"));
    cad_jsonw_object(w);
    for (uint32_t i = 0; i < CAD_STALL_REASONS; i++) {
        if (q->rebuffers_by[i]) tel_json_ms(w, names[i], q->rebuffer_by[i]);
    }
    cad_jsonw_end(w);
}

static void start(struct cad_jsonw *w, const struct cad_qoe *q)
{
    tel_json_ms(w, "playDelayMs", q->play_delay);
    cad_jsonw_key(w, CAD_STR("legs"));
    cad_jsonw_object(w);
    for (uint32_t i = 0; i < CAD_LEGS; i++) {
        if (q->leg_end[i] < 0) continue;
        cad_jsonw_key(w, cad_str_from(cad_leg_name((enum cad_leg)i)));
        cad_jsonw_array(w);
        cad_jsonw_i64(w, q->leg_begin[i] / CAD_MS);
        cad_jsonw_i64(w, q->leg_end[i] / CAD_MS);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
    if (q->play_delay >= 0) tel_json_ms(w, "waitMs", q->leg_wait);
    if (q->leg_critical >= 0) {
        cad_jsonw_key_string(w, "critical",
                             cad_str_from(cad_leg_name((enum cad_leg)q->leg_critical)));
    }
}

static void vmaf(struct cad_jsonw *w, const struct cad_qoe *q)
{
    if (q->vmaf_mean_milli < 0) return;
    cad_jsonw_key_i64(w, "vmafMeanMilli", q->vmaf_mean_milli);
    cad_jsonw_key_i64(w, "vmafP10Milli", q->vmaf_p10_milli);
    tel_json_ms(w, "vmafLowMs", q->vmaf_low);
    cad_jsonw_key_i64(w, "vmafCoverPpm", q->vmaf_cover_ppm);
}

void tel_json_qoe(struct cad_jsonw *w, const struct cad_qoe *q)
{
    cad_jsonw_key(w, CAD_STR("qoe"));
    cad_jsonw_object(w);
    start(w, q);
    tel_json_ms(w, "playingMs", q->in_state[CAD_PLAY_PLAYING]);
    tel_json_ms(w, "pausedMs", q->in_state[CAD_PLAY_PAUSED]);
    tel_json_ms(w, "seekingMs", q->in_state[CAD_PLAY_SEEKING]);
    tel_json_ms(w, "renderedMs", q->rendered);
    stalls(w, q);
    cad_jsonw_key_i64(w, "rateMeanBps", q->rate_mean_bps);
    figure(w, "rateStartBps", q->rate_start_bps);
    tel_json_ms(w, "timeToTopMs", q->time_to_top);
    cad_jsonw_key_i64(w, "switches", q->switches);
    cad_jsonw_key_i64(w, "switchBps", q->switch_bps);
    vmaf(w, q);
    cad_jsonw_key_i64(w, "frames", (int64_t)q->frames);
    cad_jsonw_key_i64(w, "framesDropped", (int64_t)q->frames_dropped);
    cad_jsonw_key_i64(w, "seeks", q->seeks);
    tel_json_ms(w, "seekP50Ms", q->seek_p50);
    tel_json_ms(w, "seekP95Ms", q->seek_p95);
    figure(w, "throughputP10Bps", q->throughput_p10_bps);
    figure(w, "throughputP50Bps", q->throughput_p50_bps);
    cad_jsonw_key_i64(w, "bytes", (int64_t)q->bytes);
    cad_jsonw_key_i64(w, "bytesWasted", (int64_t)q->bytes_wasted);
    cad_jsonw_key(w, CAD_STR("cdnMs"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; i < q->server_count; i++) {
        cad_jsonw_object(w);
        tel_json_text(w, "id", cad_str_from(q->servers[i].id));
        tel_json_ms(w, "ms", q->servers[i].shown);
        cad_jsonw_end(w);
    }
    cad_jsonw_end(w);
    cad_jsonw_end(w);
}
