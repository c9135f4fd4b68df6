/*
 * cdm_bench.h - a host for the checks: records events, counts and searches memory, keeps the time.
 */
#ifndef CAD_TESTS_CDM_BENCH_H
#define CAD_TESTS_CDM_BENCH_H

#include <pthread.h>

#include "cdm_contract.h"

enum {
    BENCH_EVENTS_MAX = 64,
    BENCH_KEYS_MAX = 128,
    BENCH_TEST_KEYS = 4,
};

/* A copy of an event; data and url are not kept but for their size. */
struct cdm_record {
    enum cad_cdm_event_type type;
    struct cad_cdm_tag tag;
    int result;
    size_t data_size;
    struct cad_cdm_key keys[BENCH_KEYS_MAX];
    uint32_t key_count;
};

struct cdm_bench {
    const struct cdm_kind *kind;
    struct cad_cdm *cdm;
    struct cdm_key keys[BENCH_TEST_KEYS];
    pthread_mutex_t lock;      /* of all below */
    struct cdm_record events[BENCH_EVENTS_MAX];
    size_t event_count;
    bool is_gone;              /* destroy has returned */
    bool post_fails;
    cad_time now, timer;       /* timer: CAD_TIME_NONE none wanted */
    uint32_t last_op;
    int64_t live_blocks;
    struct block *blocks;      /* that are out */
    uint64_t allocs, fail_at;  /* fail_at 0: never */
    char breach[160];          /* the first; "" none */
};

/* A host without a CDM, and back again: everything must have been given back. */
void bench_init(struct cdm_bench *bench, const struct cdm_kind *kind);
void bench_deinit(struct cdm_bench *bench);
int bench_create(struct cdm_bench *bench);
void bench_destroy(struct cdm_bench *bench);

/* Notes a breach unless one is noted already. */
void bench_breach(struct cdm_bench *bench, const char *fmt, ...) CAD_PRINTF(2, 3);
bool bench_is_good(const struct cdm_bench *bench);
#define BENCH_CHECK(bench, cond)                                                                   \
    do {                                                                                           \
        if (!(cond)) bench_breach((bench), "%s:%d %s", __func__, __LINE__, #cond);                 \
    } while (0)

/* ---- calls: a tag with a new op, the call, and what it causes up to its DONE ----------------- */

enum bench_call { CALL_OPEN, CALL_REQUEST, CALL_REQUEST_JUNK, CALL_UPDATE, CALL_UPDATE_JUNK,
                  CALL_REMOVE, CALL_CLOSE };

/*
 * Does a call on a session with the first n keys from `first` on, and waits for its DONE. The
 * result of the call, or else that of DONE. Events of the call are in bench->events.
 */
int bench_call(struct cdm_bench *bench, enum bench_call call, uint32_t session, uint32_t epoch,
               uint32_t keys);
/* What of the keys a call is about: first << 8 | count. */
#define BENCH_KEYS(first, count) ((uint32_t)(first) << 8 | (uint32_t)(count))
/* The call itself was refused: no event followed. */
bool bench_was_refused(const struct cdm_bench *bench);
/* The first event of a type since the call; NULL none. */
const struct cdm_record *bench_find(const struct cdm_bench *bench, enum cad_cdm_event_type type);
int bench_ready(struct cdm_bench *bench, uint32_t key);

/* ---- samples -------------------------------------------------------------------------- */

#define CIPHER_BYTES 1000

/* A sample with its clear bytes beside it. */
struct cdm_cipher {
    struct cad_cdm_sample sample;
    struct cad_cdm_subsample subsamples[4];
    uint8_t clear[CIPHER_BYTES];
    uint8_t data[CIPHER_BYTES];
};

/* Encrypts the n-th sample of a scheme with a key. Sample n has subsamples unless n % 3 is 0. */
void cdm_cipher_make(struct cdm_cipher *c, enum cad_scheme scheme, const struct cdm_key *key,
                     uint32_t n);

#endif
