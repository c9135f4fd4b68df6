/* Which log entries follow from which facts. */
#include "base/str.h"

#include "telemetry/internal.h"

static void put_end(struct cad_telemetry *t, struct cad_jsonw *w)
{
    tel_log_end(t, w, CAD_SEVERITY_INFO, false);
}

static void log_chosen(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    if (!tel_log_begin(t, &w, "chgstrm", CAD_SEVERITY_INFO)) return;
    cad_jsonw_key_i64(&w, "from", f->u.chosen.from_bps);
    cad_jsonw_key_i64(&w, "to", f->u.chosen.to_bps);
    tel_json_text(&w, "reason", f->u.chosen.reason);
    tel_json_ms(&w, "buf", f->u.chosen.buffer);
    cad_jsonw_key_i64(&w, "est", f->u.chosen.estimate_bps);
    put_end(t, &w);
}

static void log_server(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    if (!tel_log_begin(t, &w, "cdnsel", CAD_SEVERITY_INFO)) return;
    tel_json_text(&w, "from", f->u.server.from);
    tel_json_text(&w, "to", f->u.server.to);
    tel_json_text(&w, "reason", f->u.server.reason);
    put_end(t, &w);
}

static void log_transfer(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    if (f->u.transfer.error == 0) return;
    if (!tel_log_begin(t, &w, "httperr", CAD_SEVERITY_WARN)) return;
    cad_jsonw_key_i64(&w, "code", f->u.transfer.error);
    cad_jsonw_key_i64(&w, "status", f->u.transfer.status);
    tel_json_text(&w, "cdn", f->u.transfer.server);
    tel_json_text(&w, "purpose", f->u.transfer.purpose);
    cad_jsonw_key_i64(&w, "bytes", f->u.transfer.bytes);
    tel_json_ms(&w, "ms", cad_time_sub(f->u.transfer.end, f->u.transfer.begin));
    cad_jsonw_key_i64(&w, "attempt", f->u.transfer.attempt);
    tel_log_end(t, &w, CAD_SEVERITY_WARN, false);
}

static void log_licence(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    if (!tel_log_begin(t, &w, "license", f->u.note.severity)) return;
    tel_json_text(&w, "phase", f->u.note.where);
    cad_jsonw_key_i64(&w, "result", f->u.note.code);
    tel_json_text(&w, "message", f->u.note.message);
    tel_log_end(t, &w, f->u.note.severity, false);
}

static void log_note(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    char type[32];
    uint32_t count = 1;
    enum cad_severity severity = f->u.note.severity;
    if (severity != CAD_SEVERITY_INFO && tel_log_repeated(t, f, &count)) return;
    cad_str_copyz(type, sizeof(type), f->u.note.type);
    if (!tel_log_begin(t, &w, type, severity)) return;
    cad_jsonw_key_i64(&w, "code", f->u.note.code);
    tel_json_text(&w, "where", f->u.note.where);
    tel_json_text(&w, "message", f->u.note.message);
    if (f->u.note.message.n > CAD_TELEMETRY_MESSAGE_MAX) cad_jsonw_key_bool(&w, "cut", true);
    cad_jsonw_key_i64(&w, "count", count);
    tel_log_end(t, &w, severity, false);
}

/* Of another room, under its own member: its names are not ours. */
static void log_report(struct cad_telemetry *t, const struct cad_fact *f)
{
    struct cad_jsonw w;
    char type[32];
    cad_str json = cad_str_trim(f->u.report.json);
    bool object = json.n <= CAD_TELEMETRY_REPORT_MAX && json.n && json.p[0] == '{';
    if (!object || !tel_is_json(json)) {
        t->stats.entries_dropped[CAD_SEVERITY_INFO]++;
        return;
    }
    cad_str_copyz(type, sizeof(type), f->u.report.type);
    if (!tel_log_begin(t, &w, type, CAD_SEVERITY_INFO)) return;
    cad_sb_putz(&t->scratch, ",\"report\":");
    cad_sb_put(&t->scratch, json);
    put_end(t, &w);
}

void tel_log_fact(struct cad_telemetry *t, const struct cad_fact *fact)
{
    switch (fact->type) {
    case CAD_FACT_CHOSEN: log_chosen(t, fact); break;
    case CAD_FACT_SERVER: log_server(t, fact); break;
    case CAD_FACT_TRANSFER: log_transfer(t, fact); break;
    case CAD_FACT_LICENCE: log_licence(t, fact); break;
    case CAD_FACT_NOTE: log_note(t, fact); break;
    case CAD_FACT_REPORT: log_report(t, fact); break;
    default: break;
    }
}

void tel_log_stall(struct cad_telemetry *t, cad_time length)
{
    struct cad_jsonw w;
    static const char *const reasons[CAD_STALL_REASONS] = {"network", "key", "decode", "other"};
    if (!tel_log_begin(t, &w, "resumeplay", CAD_SEVERITY_WARN)) return;
    tel_json_ms(&w, "rebuffer", length);
    cad_jsonw_key_string(&w, "reason", cad_str_from(reasons[t->play.stall_reason]));
    tel_log_end(t, &w, CAD_SEVERITY_WARN, false);
}

void tel_log_rung(struct cad_telemetry *t, int64_t from_bps, int64_t to_bps)
{
    struct cad_jsonw w;
    if (!tel_log_begin(t, &w, "rendstrmswitch", CAD_SEVERITY_INFO)) return;
    cad_jsonw_key_i64(&w, "from", from_bps);
    cad_jsonw_key_i64(&w, "to", to_bps);
    put_end(t, &w);
}

static void log_figures(struct cad_telemetry *t, struct cad_jsonw *w)
{
    struct cad_qoe q = {.size = 0};
    tel_play_figures(&t->play, &q);
    tel_json_qoe(w, &q);
}

void tel_log_first_frame(struct cad_telemetry *t)
{
    struct cad_jsonw w;
    if (tel_log_begin(t, &w, "playdelay", CAD_SEVERITY_INFO)) {
        tel_json_ms(&w, "play_delay_ms", t->play.q.play_delay);
        log_figures(t, &w);
        tel_log_end(t, &w, CAD_SEVERITY_INFO, true);
    }
    if (tel_log_begin(t, &w, "startplay", CAD_SEVERITY_INFO)) {
        cad_jsonw_key_string(&w, "video", cad_str_from(t->video.p));
        cad_jsonw_key_string(&w, "audio", cad_str_from(t->audio.p));
        cad_jsonw_key_i64(&w, "rate", t->play.q.rate_start_bps);
        put_end(t, &w);
    }
}

void tel_log_midplay(struct cad_telemetry *t)
{
    struct cad_jsonw w;
    if (!tel_log_begin(t, &w, "midplay", CAD_SEVERITY_INFO)) return;
    log_figures(t, &w);
    put_end(t, &w);
}

void tel_log_endplay(struct cad_telemetry *t, cad_str reason, int32_t error, cad_str message)
{
    struct cad_jsonw w;
    struct cad_qoe q = {.size = 0};
    enum cad_severity severity = error ? CAD_SEVERITY_ERROR : CAD_SEVERITY_INFO;
    if (!tel_log_begin(t, &w, "endplay", severity)) return;
    tel_json_text(&w, "endreason", reason);
    cad_jsonw_key_i64(&w, "code", error);
    tel_json_text(&w, "message", message);
    /* A start that never came to a picture: how long it was waited for. */
    if (t->play.first_frame == CAD_TIME_NONE) {
        tel_json_ms(&w, "vst_fail", cad_time_sub(t->now, t->play.begun));
    }
    tel_play_figures(&t->play, &q);
    tel_json_qoe(&w, &q);
    q.rung_count[CAD_SHOWN_AUDIO] = q.rung_count[CAD_SHOWN_TEXT] = 0;
    tel_json_play_times(&w, &q);
    tel_log_end(t, &w, severity, true);
}
