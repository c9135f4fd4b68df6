#include "ftl/ftl_show.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/jsonw.h"
#include "base/str.h"

#define CELL_BYTES 32

/* Milliseconds with a decimal, or a dash. */
static const char *ms(char cell[CELL_BYTES], cad_time t)
{
    if (t == CAD_TIME_NONE) return "-";
    cad_time tenths = (t + 50 * CAD_US) / (100 * CAD_US);
    (void)snprintf(cell, CELL_BYTES, "%" PRId64 ".%c", tenths / 10, (char)('0' + tenths % 10));
    return cell;
}

/* ---- for people ------------------------------------------------------------------------------ */

void ftl_show_heading(void)
{
    (void)printf("%-24s %5s %9s %7s %7s %7s %7s %8s %6s %6s  %s\n", "target", "pulse", "start ms",
                 "dns", "tcp", "tls", "ttfb", "total", "status", "bytes", "result");
}

void ftl_show_pulse(const struct cad_ftl *ftl, uint32_t target, uint32_t pulse)
{
    struct cad_ftl_pulse p;
    char cells[6][CELL_BYTES];
    if (cad_ftl_pulse_at(ftl, target, pulse, &p) || !p.done) return;
    cad_str name = cad_ftl_recipe(ftl)->targets[target].name;
    (void)printf("%-24.*s %5" PRIu32 " %9s %7s %7s %7s %7s %8s %6" PRId32 " %6" PRId64 "  %s\n",
                 CAD_STR_ARG(name), pulse + 1, ms(cells[0], p.start), ms(cells[1], p.dns),
                 ms(cells[2], p.tcp), ms(cells[3], p.tls), ms(cells[4], p.ttfb), ms(cells[5], p.d),
                 p.status, p.bytes,
                 p.ec != CAD_FTL_EC_NONE ? cad_ftl_ec_name(p.ec) : p.reused ? "ok, warm" : "ok");
    (void)fflush(stdout);
}

static void show_race(const struct cad_ftl *ftl)
{
    uint32_t order[CAD_FTL_TARGETS_MAX];
    uint32_t count = 0;
    char cell[CELL_BYTES];
    (void)cad_ftl_order(ftl, order, CAD_FTL_TARGETS_MAX, &count);
    (void)printf("\nrace: ");
    if (count == 0) (void)printf("no answer within 800 ms");
    for (uint32_t i = 0; i < count; i++) {
        struct cad_ftl_pulse p;
        if (cad_ftl_pulse_at(ftl, order[i], 0, &p)) continue;
        (void)printf("%s%.*s %s ms", i > 0 ? ", " : "",
                     CAD_STR_ARG(cad_ftl_recipe(ftl)->targets[order[i]].name), ms(cell, p.d));
    }
    (void)printf("\n\n");
}

void ftl_show_summary(const struct cad_ftl *ftl, cad_time now)
{
    const struct cad_ftl_recipe *recipe = cad_ftl_recipe(ftl);
    show_race(ftl);
    (void)printf("%-24s %6s %5s %9s %9s %9s\n", "score", "pulses", "ok", "latency", "jitter",
                 "cost ms");
    for (uint32_t i = 0; i < recipe->target_count; i++) {
        struct cad_ftl_score score;
        char cells[3][CELL_BYTES];
        cad_str name = recipe->targets[i].name;
        if (cad_ftl_target_score(ftl, name, now, &score)) {
            (void)printf("%-24.*s none\n", CAD_STR_ARG(name));
            continue;
        }
        bool none = score.cost_us == CAD_FTL_COST_NONE;
        (void)printf("%-24.*s %6" PRIu32 " %5" PRIu32 " %9s %9s %9s\n", CAD_STR_ARG(name), score.n,
                     score.ok, ms(cells[0], score.latency),
                     none ? "-" : ms(cells[1], score.jitter),
                     none ? "-" : ms(cells[2], score.cost_us * CAD_US));
    }
    if (recipe->dropped > 0) {
        (void)printf("%" PRIu32 " targets of the recipe were left out\n", recipe->dropped);
    }
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static void put_us(struct cad_jsonw *w, const char *key, cad_time t)
{
    if (t != CAD_TIME_NONE) cad_jsonw_key_i64(w, key, t / CAD_US);
}

static void put_pulse(struct cad_jsonw *w, const struct cad_ftl_pulse *p)
{
    cad_jsonw_object(w);
    cad_jsonw_key_bool(w, "ok", p->ec == CAD_FTL_EC_NONE);
    if (p->ec != CAD_FTL_EC_NONE) {
        cad_jsonw_key_string(w, "error", cad_str_from(cad_ftl_ec_name(p->ec)));
    }
    cad_jsonw_key_bool(w, "warm", p->reused);
    put_us(w, "start_us", p->start);
    put_us(w, "dns_us", p->dns);
    put_us(w, "tcp_us", p->tcp);
    put_us(w, "tls_us", p->tls);
    put_us(w, "ttfb_us", p->ttfb);
    put_us(w, "total_us", p->d);
    cad_jsonw_key_i64(w, "status", p->status);
    cad_jsonw_key_i64(w, "bytes", p->bytes);
    cad_jsonw_end(w);
}

static void put_score(struct cad_jsonw *w, const struct cad_ftl_score *score)
{
    cad_jsonw_key(w, CAD_STR("score"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "pulses", score->n);
    cad_jsonw_key_i64(w, "ok", score->ok);
    put_us(w, "latency_us", score->latency);
    if (score->latency != CAD_TIME_NONE) put_us(w, "jitter_us", score->jitter);
    cad_jsonw_key_i64(w, "availability_permille", score->availability_permille);
    if (score->cost_us != CAD_FTL_COST_NONE) cad_jsonw_key_i64(w, "cost_us", score->cost_us);
    cad_jsonw_end(w);
}

static void put_target(struct cad_jsonw *w, const struct cad_ftl *ftl, uint32_t target,
                       cad_time now)
{
    const struct cad_ftl_recipe *recipe = cad_ftl_recipe(ftl);
    struct cad_ftl_score score;
    struct cad_ftl_pulse pulse;
    cad_jsonw_object(w);
    cad_jsonw_key_string(w, "name", recipe->targets[target].name);
    cad_jsonw_key_string(w, "host", recipe->targets[target].authority);
    cad_jsonw_key(w, CAD_STR("pulses"));
    cad_jsonw_array(w);
    for (uint32_t i = 0; cad_ftl_pulse_at(ftl, target, i, &pulse) == CAD_OK; i++) {
        if (pulse.done) put_pulse(w, &pulse);
    }
    cad_jsonw_end(w);
    if (!cad_ftl_target_score(ftl, recipe->targets[target].name, now, &score)) {
        put_score(w, &score);
    }
    cad_jsonw_end(w);
}

int ftl_show_json(const struct cad_ftl *ftl, cad_str report, cad_time now, struct cad_sb *out)
{
    const struct cad_ftl_recipe *recipe = cad_ftl_recipe(ftl);
    uint32_t order[CAD_FTL_TARGETS_MAX];
    uint32_t count = 0;
    struct cad_jsonw w;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("race"));
    cad_jsonw_array(&w);
    (void)cad_ftl_order(ftl, order, CAD_FTL_TARGETS_MAX, &count);
    for (uint32_t i = 0; i < count; i++) cad_jsonw_string(&w, recipe->targets[order[i]].name);
    cad_jsonw_end(&w);
    cad_jsonw_key(&w, CAD_STR("targets"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < recipe->target_count; i++) put_target(&w, ftl, i, now);
    cad_jsonw_end(&w);
    cad_jsonw_key_i64(&w, "dropped", recipe->dropped);
    if (report.n > 0) {
        cad_jsonw_key(&w, CAD_STR("report"));
        cad_jsonw_raw(&w, report);
    }
    cad_jsonw_end(&w);
    cad_sb_putc(out, '\n');
    return cad_jsonw_error(&w);
}
