/*
 * telemetry_facts.c - the telemetry encoder alone, without an engine.
 *
 * A playback of two minutes is told as facts, in made-up time. What is to be stored and sent is
 * printed instead of performed; every order is answered as if it had gone well. A true owner has a
 * store (cadmium/store.h), an HTTP client and a cryptographic generator.
 */
#include <stdio.h>
#include <string.h>

#include "cadmium/telemetry.h"

static cad_str str(const char *z)
{
    cad_str s = {z, strlen(z)};
    return s;
}

static void perform(struct cad_telemetry *t, const struct cad_telemetry_order *o)
{
    uint8_t bytes[CAD_TELEMETRY_ENTROPY_MAX];
    struct cad_telemetry_answer answer = {.status = 200, .retry_after = CAD_TIME_NONE};
    cad_buf none = {NULL, 0};
    switch (o->type) {
    case CAD_TELEMETRY_ENTROPY: {
        /* Numbers that anyone can guess: for an example only. */
        for (size_t i = 0; i < o->bytes; i++) bytes[i] = (uint8_t)(i * 151 + o->id);
        cad_buf all = {bytes, o->bytes};
        cad_telemetry_entropy(t, all);
        break;
    }
    case CAD_TELEMETRY_STORE_LIST: (void)cad_telemetry_store_listed(t, o->id, 0, NULL, 0); break;
    case CAD_TELEMETRY_STORE_GET:
        (void)cad_telemetry_store_done(t, o->id, CAD_E_NOTFOUND, none);
        break;
    case CAD_TELEMETRY_STORE_PUT:
    case CAD_TELEMETRY_STORE_DELETE:
        printf("%s %.*s (%zu bytes)\n", o->type == CAD_TELEMETRY_STORE_PUT ? "store " : "delete",
               (int)o->key.n, o->key.p, o->value.n);
        (void)cad_telemetry_store_done(t, o->id, 0, none);
        break;
    case CAD_TELEMETRY_HTTP_POST:
        printf("post   %.*s (%zu bytes%s)\n", (int)o->url.n, o->url.p, o->body.n,
               o->gzip ? ", gzip" : "");
        (void)cad_telemetry_http_done(t, o->id, &answer);
        break;
    }
}

static void turn(struct cad_telemetry *t, cad_time now)
{
    struct cad_telemetry_order order;
    cad_telemetry_turn(t, now);
    while (cad_telemetry_poll(t, &order) == 0) perform(t, &order);
}

static void tell(struct cad_telemetry *t, struct cad_fact fact, cad_time at)
{
    fact.at = at;
    fact.position = CAD_TIME_NONE;
    if (cad_telemetry_fact(t, &fact) != 0) fprintf(stderr, "a fact was refused\n");
    turn(t, at);
}

int main(void)
{
    struct cad_telemetry_config config;
    struct cad_telemetry *t = NULL;
    struct cad_fact fact = {.type = CAD_FACT_PLAY};
    struct cad_qoe figures = {.size = sizeof(figures)};
    cad_telemetry_config_init(&config);
    config.event_url = str("https://service.example/event");
    config.log_url = str("https://service.example/logblob");
    if (cad_telemetry_create(&config, &t) != 0) return 1;
    cad_telemetry_wall(t, INT64_C(1700000000000));
    turn(t, 0);
    fact.u.play.xid = str("playback-1");
    fact.u.play.title = str("title-1");
    tell(t, fact, 0);
    fact = (struct cad_fact){.type = CAD_FACT_FIRST_FRAME};
    tell(t, fact, 800 * CAD_MS);
    fact = (struct cad_fact){.type = CAD_FACT_STATE};
    fact.u.state.state = CAD_PLAY_PLAYING;
    tell(t, fact, 800 * CAD_MS);
    for (cad_time now = CAD_SECOND; now < 120 * CAD_SECOND; now += CAD_SECOND) turn(t, now);
    fact = (struct cad_fact){.type = CAD_FACT_END};
    fact.u.end.reason = str("ended");
    tell(t, fact, 120 * CAD_SECOND);
    cad_telemetry_qoe(t, &figures);
    printf("start %d ms, rendered %d ms, %u rebuffers\n", (int)(figures.play_delay / CAD_MS),
           (int)(figures.rendered / CAD_MS), (unsigned)figures.rebuffers);
    cad_telemetry_destroy(&t);
    return 0;
}
