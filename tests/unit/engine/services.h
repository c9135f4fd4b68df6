/*
 * services.h - the services around playback for a driver of an engine (driver.h): ingestion of
 * events and logs, probes, a store. They answer after `latency` beside the media's transport, which
 * does not notice them, and outlive the driver, so that another engine finds the same store.
 *
 *     services_init(&s);
 *     struct drv *d = services_renew(&s, state, &options);   an engine that reports and probes
 *     drv_load(d, 1);  drv_play_for(d, ...);
 *     mock_ingest_events(&s.ingest, NULL, "start")
 *     services_deinit(&s);                                   after the driver
 */
#ifndef CAD_TESTS_ENGINE_SERVICES_H
#define CAD_TESTS_ENGINE_SERVICES_H

#include "driver.h"

#include "cadmium/store.h"
#include "mock/mock_ftl.h"
#include "mock/mock_ingest.h"

#define SERVICES_REQUESTS_MAX 512
#define SERVICES_LINKS                                                                             \
    "\"events\":{\"href\":\"http://svc/events?playbackContextId=CTX\",\"rel\":\"events\"},"        \
    "\"logblob\":{\"href\":\"http://svc/logblob\",\"rel\":\"logblob\"}"
#define SERVICES_PROBE_LINK "\"probe\":{\"href\":\"http://svc/api/ftl/probe\",\"rel\":\"probe\"}"

/* An exchange as it was asked for. */
struct service_request {
    uint32_t id;
    enum cad_purpose purpose;
    char url[1024], host[64];
    uint32_t priority, group;
    enum cad_address_class address_max;
    bool gzip;
    uint8_t *body;
    size_t body_n;
    cad_time started, due;
    bool open, cancelled, asked;   /* asked: the mock has it */
    bool lost;                     /* it will never be answered */
};

struct services {
    struct drv *d;                 /* NULL: between two */
    struct mock_ingest ingest;
    struct mock_ftl *ftl;          /* NULL: nobody answers probes */
    struct cad_store store;
    cad_time latency;              /* of every answer; default 20 ms */
    bool silent;                   /* nobody answers anything */
    bool no_entropy;               /* nothing with a POST */
    cad_time store_latency;        /* default 0 */
    cad_time store_due;            /* of what the store was asked; CAD_TIME_NONE nothing */
    struct service_request requests[SERVICES_REQUESTS_MAX];
    uint32_t count, cancels, orders, engines;
    bool saw_secret;               /* a signed URL's value was told */
    const char *look_for;          /* in bodies that were taken; NULL nothing */
    uint32_t found;                /* bodies with it */
};

void services_init(struct services *s);
void services_deinit(struct services *s);
/* Targets h0 and h1, which take the given times to their first byte; three pulses, 1 s apart. */
void services_probes(struct services *s, cad_time think0, cad_time think1);
/* Another driver in the place of *state; its engine reports. NULL as drv_new. */
struct drv *services_renew(struct services *s, void **state, const struct drv_options *options);
/* What a driver with these services is made of. */
void services_options(struct drv_options *options, bool report, bool probe);
/* Plays so long with an engine whose allocation `at` fails: it plays at the end, or has said that
 * it cannot. True: there were not so many. */
bool services_play_failing(struct services *s, void **state, struct drv_options *options,
                           uint64_t at, cad_time length);
uint32_t services_of(const struct services *s, enum cad_purpose purpose);
/* The first of a purpose; NULL none. */
const struct service_request *services_first(const struct services *s, enum cad_purpose purpose);

#endif
