/* CMCD, CTA-5004 version 1: what a client tells a server with a request for media. */
#include "base/str.h"
#include "base/strbuf.h"
#include "base/uri.h"
#include "base/util.h"
#include "cadmium/telemetry.h"

#define ALL UINT32_MAX
#define ROUND 100          /* buffers, deadlines and rates are told so coarsely */
#define RATE_NORMAL 1000   /* thousandths: not told */
#define VALUE_MAX 1024     /* bytes of the whole, before it is percent-coded */

void cad_cmcd_init(struct cad_cmcd *c)
{
    *c = (struct cad_cmcd){.size = sizeof(*c), .br_kbps = -1, .tb_kbps = -1, .d_ms = -1,
        .bl_ms = -1, .dl_ms = -1, .mtp_kbps = -1, .rtp_kbps = -1, .pr_milli = -1};
}

/* Writes those keys that go into the wanted headers. */
struct writer {
    struct cad_sb *out;
    uint32_t headers; /* bits 1 << enum cad_cmcd_header */
};

static bool begin(struct writer *w, enum cad_cmcd_header header, const char *key)
{
    if (!(w->headers & 1u << header)) return false;
    if (w->out->n) cad_sb_putc(w->out, ',');
    cad_sb_putz(w->out, key);
    return true;
}

static void number(struct writer *w, enum cad_cmcd_header header, const char *key, int64_t v)
{
    if (v < 0 || !begin(w, header, key)) return;
    cad_sb_putc(w->out, '=');
    cad_sb_i64(w->out, v);
}

static void rounded(struct writer *w, enum cad_cmcd_header header, const char *key, int64_t v)
{
    /* Above this the sum would overflow; no buffer is so long. */
    if (v > INT64_MAX - ROUND) v = INT64_MAX - ROUND;
    number(w, header, key, v < 0 ? v : (v + ROUND / 2) / ROUND * ROUND);
}

static void flag(struct writer *w, enum cad_cmcd_header header, const char *key, bool v)
{
    if (v) (void)begin(w, header, key);
}

static void token(struct writer *w, enum cad_cmcd_header header, const char *key, cad_str v)
{
    if (v.n == 0 || !begin(w, header, key)) return;
    cad_sb_putc(w->out, '=');
    cad_sb_put(w->out, v);
}

static void text(struct writer *w, enum cad_cmcd_header header, const char *key, cad_str v)
{
    if (v.n == 0 || !begin(w, header, key)) return;
    cad_sb_putz(w->out, "=\"");
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] == '"' || v.p[i] == '\\') cad_sb_putc(w->out, '\\');
        cad_sb_putc(w->out, v.p[i]);
    }
    cad_sb_putc(w->out, '"');
}

/* A rate of playback with up to three decimals; the normal one is not told. */
static void rate(struct writer *w, int64_t milli)
{
    if (milli < 0 || milli == RATE_NORMAL || !begin(w, CAD_CMCD_SESSION, "pr")) return;
    cad_sb_printf(w->out, "=%d", (int)CAD_MIN(milli / 1000, 100));
    int rest = (int)(milli % 1000), digits = 3;
    while (rest && rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    if (rest) cad_sb_printf(w->out, ".%0*d", digits, rest);
}

/* Texts of printable ASCII only: they go into headers. */
static bool is_plain(cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < 0x20 || s.p[i] > 0x7e) return false;
    }
    return true;
}

static bool texts_ok(const struct cad_cmcd *c)
{
    return is_plain(c->cid) && is_plain(c->sid) && is_plain(c->ot) && is_plain(c->sf) &&
           is_plain(c->st) && is_plain(c->nor) && is_plain(c->nrr);
}

/* In the order of the alphabet, as the clause on serialization asks. */
static int write_keys(const struct cad_cmcd *c, uint32_t headers, struct cad_sb *out)
{
    struct writer w = {out, headers};
    if (c->size != sizeof(*c) || !texts_ok(c)) return CAD_E_INVAL;
    rounded(&w, CAD_CMCD_REQUEST, "bl", c->bl_ms);
    number(&w, CAD_CMCD_OBJECT, "br", c->br_kbps);
    flag(&w, CAD_CMCD_STATUS, "bs", c->bs);
    text(&w, CAD_CMCD_SESSION, "cid", c->cid);
    number(&w, CAD_CMCD_OBJECT, "d", c->d_ms);
    rounded(&w, CAD_CMCD_REQUEST, "dl", c->dl_ms);
    rounded(&w, CAD_CMCD_REQUEST, "mtp", c->mtp_kbps);
    text(&w, CAD_CMCD_REQUEST, "nor", c->nor);
    text(&w, CAD_CMCD_REQUEST, "nrr", c->nrr);
    token(&w, CAD_CMCD_OBJECT, "ot", c->ot);
    rate(&w, c->pr_milli);
    rounded(&w, CAD_CMCD_STATUS, "rtp", c->rtp_kbps);
    token(&w, CAD_CMCD_SESSION, "sf", c->sf);
    text(&w, CAD_CMCD_SESSION, "sid", c->sid);
    token(&w, CAD_CMCD_SESSION, "st", c->st);
    flag(&w, CAD_CMCD_REQUEST, "su", c->su);
    number(&w, CAD_CMCD_OBJECT, "tb", c->tb_kbps);
    return cad_sb_error(out);
}

int cad_cmcd_header(const struct cad_cmcd *c, enum cad_cmcd_header header, char *out, size_t cap)
{
    struct cad_sb sb;
    if (!c || !out || cap == 0 || (unsigned)header >= CAD_CMCD_HEADERS) return CAD_E_INVAL;
    cad_sb_init_fixed(&sb, out, cap);
    out[0] = '\0';
    int err = write_keys(c, 1u << header, &sb);
    return err ? err : (int)sb.n;
}

int cad_cmcd_query(const struct cad_cmcd *c, char *out, size_t cap)
{
    struct cad_sb plain, sb;
    char memory[VALUE_MAX];
    if (!c || !out || cap == 0) return CAD_E_INVAL;
    cad_sb_init_fixed(&plain, memory, sizeof(memory));
    int err = write_keys(c, ALL, &plain);
    if (err) return err;
    cad_sb_init_fixed(&sb, out, cap);
    cad_sb_putz(&sb, "CMCD=");
    cad_uri_percent_encode(cad_sb_str(&plain), &sb);
    err = cad_sb_error(&sb);
    return err ? err : (int)sb.n;
}
