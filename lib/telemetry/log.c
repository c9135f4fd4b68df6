/* Log entries: what they have in common, and how many may be written. */
#include <inttypes.h>
#include <string.h>

#include "base/base64.h"
#include "base/checked.h"
#include "base/str.h"
#include "base/util.h"

#include "telemetry/internal.h"

#define DUP_TIME (10 * CAD_SECOND)
#define DEVICE_SEED 0x6361646d69756d01u /* any; the same in all devices and versions */
#define LIMIT_LOW 200 /* the service takes fewer entries than this: only what matters */

/* 128 bits as a version 4 UUID. Not secret: from the seeded generator. */
static void uuid(struct cad_rng *rng, char out[37])
{
    uint8_t b[16];
    char hex[33];
    static const uint8_t cuts[] = {8, 4, 4, 4, 12};
    for (int i = 0; i < 2; i++) {
        uint64_t v = cad_rng_u64(rng);
        memcpy(b + 8 * i, &v, sizeof(v));
    }
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    tel_hex(b, hex);
    size_t from = 0, to = 0;
    for (size_t i = 0; i < sizeof(cuts); i++) {
        if (i) out[to++] = '-';
        memcpy(out + to, hex + from, cuts[i]);
        from += cuts[i];
        to += cuts[i];
    }
    out[to] = '\0';
}

/*
 * A device is told apart, but not by its name: what stands before the last '-' of its id (the
 * model), and a hash of all of it.
 */
static cad_str device_told(cad_str id, char *out, size_t cap)
{
    size_t model = id.n;
    struct cad_sb sb;
    if (id.n == 0) return id;
    while (model > 0 && id.p[model - 1] != '-') model--;
    cad_sb_init_fixed(&sb, out, cap);
    cad_sb_put(&sb, cad_str_sub(id, 0, CAD_MIN(model, cap / 2)));
    cad_sb_printf(&sb, "%016" PRIx64, cad_hash64(id.p, id.n, DEVICE_SEED));
    return cad_sb_str(&sb);
}

int tel_log_common(struct cad_telemetry *t)
{
    const struct cad_telemetry_config *c = &t->config;
    char device[CAD_TELEMETRY_ID_MAX];
    struct cad_jsonw w;
    cad_jsonw_init(&w, &t->common);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "v", 1);
    cad_jsonw_key_string(&w, "devmod", c->device_model);
    cad_jsonw_key_string(&w, "clver", cad_str_from(cad_version()));
    cad_jsonw_key_string(&w, "osplatform", c->os_name);
    cad_jsonw_key_string(&w, "osver", c->os_version);
    cad_jsonw_key_string(&w, "browsername", c->ui_name);
    cad_jsonw_key_string(&w, "browserver", c->ui_version);
    cad_jsonw_key_string(&w, "esn", device_told(c->device, device, sizeof(device)));
    cad_jsonw_key_string(&w, "lver", cad_str_from(cad_version()));
    cad_jsonw_key_string(&w, "uiver", c->ui_version);
    cad_jsonw_key_string(&w, "groupname", c->group);
    cad_jsonw_end(&w);
    if (!cad_jsonw_error(&w)) cad_sb_truncate(&t->common, t->common.n - 1);
    return cad_jsonw_error(&w);
}

/* ---- how many ------------------------------------------------------------------------------ */

static bool matters(const char *type)
{
    return strcmp(type, "endplay") == 0 || strcmp(type, "playdelay") == 0 ||
           strcmp(type, "midplay") == 0;
}

/* One of the entries that may be written; they come back with time. */
static bool take_token(struct cad_telemetry *t)
{
    const int64_t full = INT64_C(1000) * TEL_LOG_BURST;
    if (t->tokens_at == CAD_TIME_NONE) {
        t->tokens_milli = full;
    } else {
        int64_t ms = cad_sub_sat_i64(t->now, t->tokens_at) / CAD_MS;
        t->tokens_milli = CAD_MIN(full, t->tokens_milli + CAD_MIN(ms, 60000) * TEL_LOG_PER_SECOND);
        /* What is less than a millisecond stays for the next time. */
        t->tokens_at = cad_time_add(t->tokens_at, ms * CAD_MS);
    }
    if (t->tokens_at == CAD_TIME_NONE) t->tokens_at = t->now;
    if (t->tokens_milli < 1000) return false;
    t->tokens_milli -= 1000;
    return true;
}

bool tel_log_repeated(struct cad_telemetry *t, const struct cad_fact *fact, uint32_t *count)
{
    uint64_t hash = cad_hash64(fact->u.note.where.p, fact->u.note.where.n,
                               (uint64_t)(int64_t)fact->u.note.code ^ 0x9e3779b97f4a7c15u);
    struct tel_dup *oldest = &t->dups[0];
    *count = 1;
    for (uint32_t i = 0; i < TEL_DUP_SLOTS; i++) {
        struct tel_dup *d = &t->dups[i];
        if (d->count && d->hash == hash) {
            if (t->now < cad_time_add(d->at, DUP_TIME)) {
                d->count++;
                return true;
            }
            *count = d->count;
            d->at = t->now;
            d->count = 1;
            return false;
        }
        if (d->count == 0 || d->at < oldest->at) oldest = d;
        if (d->count == 0) break;
    }
    *oldest = (struct tel_dup){hash, t->now, 1};
    return false;
}

/* ---- entries ------------------------------------------------------------------------------- */

static void put_playback(struct cad_telemetry *t, struct cad_jsonw *w)
{
    if (!t->xid.p[0]) return;
    cad_jsonw_key_string(w, "xid", cad_str_from(t->xid.p));
    cad_jsonw_key_string(w, "mid", cad_str_from(t->title.p));
    tel_json_ms(w, "soffms", cad_sub_sat_i64(t->now, t->play.begun));
    tel_json_ms(w, "pos", t->position);
}

bool tel_log_begin(struct cad_telemetry *t, struct cad_jsonw *w, const char *type,
                   enum cad_severity severity)
{
    if (t->logs_off || (t->config.log_url.n == 0 && !t->config.logs_later)) return false;
    bool low = t->limit_left >= 0 && t->limit_left < LIMIT_LOW && t->now < t->limit_until;
    bool needed = severity == CAD_SEVERITY_ERROR || matters(type);
    if ((low && !needed) || (!take_token(t) && !matters(type))) {
        t->stats.entries_dropped[severity]++;
        return false;
    }
    static const char *const severities[CAD_SEVERITIES] = {"info", "warn", "error"};
    char id[37];
    int64_t wall = tel_wall_ms(t, t->now);
    uuid(&t->rng, id);
    cad_sb_reset(&t->scratch);
    cad_jsonw_init(w, &t->scratch);
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "type", cad_str_from(type));
    cad_jsonw_key_string(w, "sev", cad_str_from(severities[severity]));
    cad_sb_putc(&t->scratch, ',');
    cad_sb_put(&t->scratch, cad_str_sub(cad_sb_str(&t->common), 1, SIZE_MAX));
    cad_jsonw_key_i64(w, "appLogSeqNum", (int64_t)t->log_seq);
    cad_jsonw_key_string(w, "uniqueLogId", cad_str_from(id));
    cad_jsonw_key_string(w, "appId", cad_str_from(tel_app_id(t)));
    cad_jsonw_key_i64(w, "clienttime", wall);
    cad_jsonw_key_i64(w, "client_utc", wall / 1000);
    cad_jsonw_key_i64(w, "mono", t->now / CAD_MS);
    put_playback(t, w);
    return true;
}

void tel_log_end(struct cad_telemetry *t, struct cad_jsonw *w, enum cad_severity severity,
                 bool keep)
{
    cad_jsonw_end(w);
    t->log_seq++;
    t->stats.entries++;
    if (cad_jsonw_error(w) != 0) {
        t->stats.entries_dropped[severity]++;
        return;
    }
    cad_str text = cad_sb_str(&t->scratch);
    struct tel_slot slot = {text.n, severity, keep, t->now};
    int err = tel_ring_push(&t->ring, text.p, &slot, t->stats.entries_dropped);
    if (!err && (severity == CAD_SEVERITY_ERROR || keep)) t->urgent = true;
}

/* After entries were lost, one that says how many. */
void tel_log_dropped(struct cad_telemetry *t)
{
    struct cad_jsonw w;
    uint64_t lost[CAD_SEVERITIES], all = 0;
    for (uint32_t i = 0; i < CAD_SEVERITIES; i++) {
        lost[i] = t->stats.entries_dropped[i] - t->drop_told[i];
        all += lost[i];
    }
    if (all == 0 || !tel_log_begin(t, &w, "telemetrydrop", CAD_SEVERITY_ERROR)) return;
    cad_jsonw_key_i64(&w, "n", (int64_t)all);
    cad_jsonw_key_i64(&w, "info", (int64_t)lost[CAD_SEVERITY_INFO]);
    cad_jsonw_key_i64(&w, "warn", (int64_t)lost[CAD_SEVERITY_WARN]);
    cad_jsonw_key_i64(&w, "error", (int64_t)lost[CAD_SEVERITY_ERROR]);
    memcpy(t->drop_told, t->stats.entries_dropped, sizeof(t->drop_told));
    tel_log_end(t, &w, CAD_SEVERITY_WARN, false);
}
