#include <string.h>

#include "base/str.h"
#include "base/uri.h"

#include "telemetry/internal.h"

const char *tel_event_name(enum tel_event_type type)
{
    static const char *const names[TEL_EVENT_TYPES] = {"start",  "keepAlive", "engage", "pause",
                                                       "resume", "seek",      "stop"};
    return names[type];
}

/* ---- URLs ---------------------------------------------------------------------------------- */

static void put_pair(struct cad_sb *out, const char *name, cad_str value)
{
    cad_sb_putc(out, '&');
    cad_sb_putz(out, name);
    cad_sb_putc(out, '=');
    cad_uri_percent_encode(value, out);
}

int tel_url_write(const struct cad_telemetry *t, const struct tel_url_parts *parts,
                  struct cad_sb *out)
{
    const struct cad_telemetry_config *c = &t->config;
    char reqid[33];
    tel_hex(parts->reqid, reqid);
    cad_sb_put(out, parts->base);
    cad_sb_putc(out, cad_str_find_char(parts->base, '?') >= 0 ? '&' : '?');
    cad_sb_printf(out, "reqAttempt=%u", parts->attempt);
    cad_sb_putz(out, "&reqName="); /* our own name; its slash stays */
    cad_sb_put(out, parts->name);
    put_pair(out, "reqId", cad_str_from(reqid));
    if (parts->title.n) put_pair(out, "mainContentViewableId", parts->title);
    put_pair(out, "clienttype", c->client_type);
    put_pair(out, "uiversion", c->ui_version);
    put_pair(out, "browsername", c->ui_name);
    put_pair(out, "browserversion", c->ui_version);
    put_pair(out, "osname", c->os_name);
    put_pair(out, "osversion", c->os_version);
    return cad_sb_error(out);
}

/* ---- bodies of events ---------------------------------------------------------------------- */

int tel_event_fixed(struct cad_telemetry *t, struct tel_journal_data *d)
{
    struct cad_sb sb;
    struct cad_jsonw w;
    char memory[TEL_FIXED_MAX];
    cad_sb_init_fixed(&sb, memory, sizeof(memory));
    cad_jsonw_init(&w, &sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "xid", cad_str_from(d->xid.p));
    cad_jsonw_key_string(&w, "mediaId", cad_str_from(d->title.p));
    cad_jsonw_key_i64(&w, "sessionStartTime", d->started_ms);
    cad_jsonw_key_string(&w, "sessionId", cad_str_from(d->xid.p));
    cad_jsonw_key_string(&w, "appId", cad_str_from(tel_app_id(t)));
    cad_jsonw_key(&w, CAD_STR("sessionParams"));
    cad_jsonw_object(&w);
    cad_jsonw_key_bool(&w, "isUIAutoPlay", t->autoplay);
    cad_jsonw_key_string(&w, "uiVersion", t->config.ui_version);
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    int err = cad_jsonw_error(&w);
    if (err) return err;
    cad_str s = cad_sb_str(&sb);
    d->fixed_n = s.n - 2; /* without the braces */
    memcpy(d->fixed, s.p + 1, d->fixed_n);
    return 0;
}

/* {"version":2,...,"params":{ up to and with the fixed members and a comma. */
static void put_head(struct cad_telemetry *t, const struct tel_journal_data *d, uint32_t seq)
{
    struct cad_sb *sb = &t->scratch;
    struct cad_jsonw w;
    cad_sb_reset(sb);
    cad_jsonw_init(&w, sb);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "version", 2);
    cad_jsonw_key_string(&w, "url", cad_str_from(d->link.p));
    cad_jsonw_key_i64(&w, "id", seq);
    cad_jsonw_key(&w, CAD_STR("languages"));
    cad_jsonw_array(&w);
    cad_str rest = t->config.languages, one;
    while (rest.n && cad_str_split(&rest, ',', &one)) cad_jsonw_string(&w, cad_str_trim(one));
    cad_jsonw_end(&w);
    cad_sb_putz(sb, ",\"params\":{");
    cad_sb_put(sb, (cad_str){d->fixed, d->fixed_n});
    cad_sb_putc(sb, ',');
}

/* An object of the members that vary is open in w; its brace is taken off again. */
static void open_members(struct cad_telemetry *t, struct cad_jsonw *w)
{
    cad_jsonw_init(w, &t->scratch);
    cad_jsonw_object(w);
    if (cad_sb_error(&t->scratch) == 0) cad_sb_truncate(&t->scratch, t->scratch.n - 1);
}

static int close_members(struct cad_telemetry *t, struct cad_jsonw *w)
{
    cad_jsonw_end(w);
    cad_sb_putc(&t->scratch, '}');
    return cad_jsonw_error(w);
}

static void put_own(struct cad_telemetry *t, struct cad_jsonw *w, const struct tel_owed *o)
{
    if (o->type == TEL_EVENT_ENGAGE) tel_json_text(w, "action", cad_str_from(o->reason));
    if (o->type == TEL_EVENT_SEEK) {
        tel_json_ms(w, "from", o->from);
        tel_json_ms(w, "to", o->to);
    }
    if (o->type == TEL_EVENT_STOP) {
        tel_json_text(w, "reason", cad_str_from(o->reason));
        cad_jsonw_key_i64(w, "errorCode", o->error);
    }
    cad_jsonw_key_string(w, "videoTrackId", cad_str_from(t->video.p));
    cad_jsonw_key_string(w, "audioTrackId", cad_str_from(t->audio.p));
    cad_jsonw_key_string(w, "timedTextTrackId", cad_str_from(t->text.p));
}

int tel_event_body(struct cad_telemetry *t, const struct tel_journal *j, const struct tel_owed *o,
                   uint32_t seq)
{
    struct cad_jsonw w;
    struct cad_qoe q = {.size = 0};
    tel_play_figures(&t->play, &q);
    put_head(t, &j->d, seq);
    open_members(t, &w);
    cad_jsonw_key_string(&w, "event", cad_str_from(tel_event_name(o->type)));
    cad_jsonw_key_i64(&w, "seq", seq);
    tel_json_ms(&w, "position", o->position);
    cad_jsonw_key_i64(&w, "clientTime", tel_wall_ms(t, o->at));
    cad_jsonw_key_string(&w, "state", cad_str_from(cad_play_state_name(o->state)));
    cad_jsonw_key(&w, CAD_STR("rate"));
    cad_jsonw_fixed_trim(&w, (int64_t)o->rate_q16 * 1000 / 65536, 3);
    put_own(t, &w, o);
    tel_json_play_times(&w, &q);
    if (o->type == TEL_EVENT_STOP) tel_json_qoe(&w, &q);
    return close_members(t, &w);
}

int tel_recovered_body(struct cad_telemetry *t, const struct tel_journal *j)
{
    struct cad_jsonw w;
    put_head(t, &j->d, j->d.seq_next);
    open_members(t, &w);
    cad_jsonw_key_string(&w, "event", CAD_STR("stop"));
    cad_jsonw_key_i64(&w, "seq", j->d.seq_next);
    cad_jsonw_key_i64(&w, "position", j->d.position_ms);
    cad_jsonw_key_i64(&w, "clientTime", tel_wall_ms(t, t->now));
    cad_jsonw_key_string(&w, "state", CAD_STR("failed"));
    cad_jsonw_key_string(&w, "reason", CAD_STR("recovered"));
    cad_jsonw_key_i64(&w, "errorCode", 0);
    cad_jsonw_key(&w, CAD_STR("playTimes"));
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "total", j->d.rendered_ms);
    cad_jsonw_end(&w);
    return close_members(t, &w);
}
