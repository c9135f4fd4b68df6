/* The rules of cadmium/cdm.h, a check each. Goal: what one CDM does, the engine may rely on. */
#include "cdm_contract.h"

#include <stdio.h>
#include <string.h>

#include "cdm_bench.h"

enum {
    LOOKS = 3000,   /* samples that a decode thread decrypts beside the control thread */
    ALLOCS_MAX = 64 /* allocations of one life, at most */
};

static const struct cad_cdm_caps *caps_of(const struct cdm_bench *bench)
{
    return bench->kind->ops->caps(bench->cdm);
}

/* A CDM with session 1 (epoch 5) that has keys 0 and 1. */
static void setup(struct cdm_bench *bench)
{
    BENCH_CHECK(bench, bench_create(bench) == 0);
    if (!bench_is_good(bench)) return;
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 1, 5, 0) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_REQUEST, 1, 5, BENCH_KEYS(0, 2)) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE, 1, 5, BENCH_KEYS(0, 2)) == 0);
}

/* True if a sample comes out as it went in. */
static bool decrypts(struct cdm_bench *bench, enum cad_scheme scheme, uint32_t key, uint32_t n)
{
    struct cdm_cipher c;
    uint8_t out[CIPHER_BYTES];
    uint32_t code = 0;
    cdm_cipher_make(&c, scheme, &bench->keys[key], n);
    int rc = bench->kind->ops->decrypt(bench->cdm, &c.sample, out, &code);
    return rc == 0 && memcmp(out, c.clear, CIPHER_BYTES) == 0;
}

/* ---- the checks --------------------------------------------------------------------------- */

static void check_life(struct cdm_bench *bench)
{
    const struct cad_cdm_ops *ops = bench->kind->ops;
    BENCH_CHECK(bench, ops->size >= sizeof *ops && ops->abi == CAD_CDM_ABI);
    BENCH_CHECK(bench, ops->name != NULL && ops->name[0] != '\0');
    BENCH_CHECK(bench, ops->open && ops->request && ops->update && ops->close);
    BENCH_CHECK(bench, ops->key_ready && (ops->decrypt || ops->submit));
    struct cdm_kind other = *bench->kind;
    const struct cdm_kind *kind = bench->kind;
    other.key_system = (cad_str){"com.example.none", 16};
    bench->kind = &other;
    BENCH_CHECK(bench, bench_create(bench) == CAD_E_UNSUPPORTED);
    bench->kind = kind;
    BENCH_CHECK(bench, bench->live_blocks == 0);
    BENCH_CHECK(bench, bench_create(bench) == 0);
    if (!bench_is_good(bench)) return;
    const struct cad_cdm_caps *caps = caps_of(bench);
    BENCH_CHECK(bench, caps->size >= sizeof *caps && caps->schemes != 0 && caps->init_types != 0);
    BENCH_CHECK(bench, caps->sessions_max > 0 && caps->keys_max > 0);
    BENCH_CHECK(bench, !(caps->flags & CAD_CDM_CLEAR_PATH) == !ops->decrypt);
    BENCH_CHECK(bench, !(caps->flags & CAD_CDM_SECURE_PATH) == !ops->submit);
    BENCH_CHECK(bench, caps->subsamples_max > 0 && caps->subsamples_max <= CAD_CDM_SUBSAMPLES_MAX);
    BENCH_CHECK(bench, bench_ready(bench, 0) == CAD_KEY_UNKNOWN);
    bench_destroy(bench);
}

/* Rules 2 and 3: what is refused has no events, and nothing comes of it. */
static void check_refusals(struct cdm_bench *bench)
{
    setup(bench);
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 0, 1, 0) == CAD_E_INVAL);
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 1, 5, 0) == CAD_E_INVAL);
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 1, 6, 0) == CAD_E_INVAL);
    const enum bench_call calls[] = {CALL_REQUEST, CALL_UPDATE, CALL_CLOSE};
    for (size_t i = 0; i < 3; i++) {
        BENCH_CHECK(bench, bench_call(bench, calls[i], 1, 4, BENCH_KEYS(0, 1)) == CAD_E_STALE);
        BENCH_CHECK(bench, bench_call(bench, calls[i], 9, 5, BENCH_KEYS(0, 1)) == CAD_E_NOTFOUND);
    }
    BENCH_CHECK(bench, bench_ready(bench, 0) == CAD_KEY_USABLE);
    bench_destroy(bench);
}

/* Rules 2 and 4: bytes that are wrong are told by DONE and change nothing. */
static void check_requests(struct cdm_bench *bench)
{
    BENCH_CHECK(bench, bench_create(bench) == 0);
    if (!bench_is_good(bench)) return;
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 7, 1, 0) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_REQUEST_JUNK, 7, 1, 0) != 0);
    BENCH_CHECK(bench, !bench_was_refused(bench));
    BENCH_CHECK(bench, bench_find(bench, CAD_CDM_EVENT_MESSAGE) == NULL);
    BENCH_CHECK(bench, bench_call(bench, CALL_REQUEST, 7, 1, BENCH_KEYS(0, 3)) == 0);
    const struct cdm_record *message = bench_find(bench, CAD_CDM_EVENT_MESSAGE);
    BENCH_CHECK(bench, message != NULL && message->data_size > 0);
    BENCH_CHECK(bench, bench_ready(bench, 2) != CAD_KEY_USABLE);
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE_JUNK, 7, 1, 0) == CAD_E_DATA);
    BENCH_CHECK(bench, !bench_was_refused(bench));
    bench_destroy(bench);
}

static bool is_named(const struct cdm_record *keys, const uint8_t *kid, enum cad_key_status status)
{
    for (uint32_t i = 0; keys != NULL && i < keys->key_count; i++) {
        if (memcmp(keys->keys[i].kid, kid, 16) == 0) return keys->keys[i].status == status;
    }
    return false;
}

/* Rule 4: KEYS names all keys; a second licence adds; a bad one takes nothing away. */
static void check_keys(struct cdm_bench *bench)
{
    setup(bench);
    const struct cdm_record *keys = bench_find(bench, CAD_CDM_EVENT_KEYS);
    BENCH_CHECK(bench, is_named(keys, bench->keys[0].kid, CAD_KEY_USABLE));
    BENCH_CHECK(bench, is_named(keys, bench->keys[1].kid, CAD_KEY_USABLE));
    BENCH_CHECK(bench, bench_ready(bench, 0) == CAD_KEY_USABLE);
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE_JUNK, 1, 5, 0) == CAD_E_DATA);
    BENCH_CHECK(bench, bench_find(bench, CAD_CDM_EVENT_KEYS) == NULL);
    BENCH_CHECK(bench, bench_ready(bench, 0) == CAD_KEY_USABLE);
    BENCH_CHECK(bench, decrypts(bench, CAD_SCHEME_CENC, 1, 1));
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE, 1, 5, BENCH_KEYS(2, 1)) == 0);
    keys = bench_find(bench, CAD_CDM_EVENT_KEYS);
    for (uint32_t k = 0; k < 3; k++) {
        BENCH_CHECK(bench, is_named(keys, bench->keys[k].kid, CAD_KEY_USABLE));
        BENCH_CHECK(bench, bench_ready(bench, k) == CAD_KEY_USABLE);
    }
    BENCH_CHECK(bench, bench_ready(bench, 3) == CAD_KEY_UNKNOWN);
    bench_destroy(bench);
}

/* Rules 3, 5, 8: keys go with their last session; an id comes back with another epoch. */
static void check_close(struct cdm_bench *bench)
{
    setup(bench);
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 2, 1, 0) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE, 2, 1, BENCH_KEYS(1, 2)) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_CLOSE, 1, 5, 0) == 0);
    BENCH_CHECK(bench, bench_find(bench, CAD_CDM_EVENT_CLOSED) != NULL);
    BENCH_CHECK(bench, bench_ready(bench, 0) != CAD_KEY_USABLE);
    BENCH_CHECK(bench, bench_ready(bench, 1) == CAD_KEY_USABLE);
    BENCH_CHECK(bench, decrypts(bench, CAD_SCHEME_CENC, 1, 2));
    BENCH_CHECK(bench, !decrypts(bench, CAD_SCHEME_CENC, 0, 2));
    BENCH_CHECK(bench, bench_call(bench, CALL_CLOSE, 1, 5, 0) == CAD_E_NOTFOUND);
    BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 1, 6, 0) == 0);
    BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE, 1, 5, BENCH_KEYS(0, 1)) == CAD_E_STALE);
    if (bench->kind->ops->remove != NULL) {
        BENCH_CHECK(bench, bench_call(bench, CALL_REMOVE, 2, 1, 0) == 0);
        BENCH_CHECK(bench, bench_ready(bench, 1) != CAD_KEY_USABLE);
    }
    bench_destroy(bench);
}

/* Rule 7: every scheme that caps name, apart and in place, in order and not, twice. */
static void check_decrypt(struct cdm_bench *bench)
{
    setup(bench);
    for (int s = CAD_SCHEME_CLEAR; s <= CAD_SCHEME_CBCS; s++) {
        enum cad_scheme scheme = (enum cad_scheme)s;
        if (!(caps_of(bench)->schemes & 1u << s)) continue;
        for (uint32_t i = 0; i < 24; i++) {
            uint32_t n = i < 12 ? i : 23 - i;
            struct cdm_cipher c;
            uint32_t code = 0;
            if (scheme == CAD_SCHEME_CLEAR) {
                cdm_cipher_make(&c, CAD_SCHEME_CLEAR, &bench->keys[3], 0);
            } else {
                cdm_cipher_make(&c, scheme, &bench->keys[n % 2], n);
                BENCH_CHECK(bench, decrypts(bench, scheme, n % 2, n));
            }
            int rc = bench->kind->ops->decrypt(bench->cdm, &c.sample, c.data, &code);
            BENCH_CHECK(bench, rc == 0 && memcmp(c.data, c.clear, CIPHER_BYTES) == 0);
        }
    }
    bench_destroy(bench);
}

/* Rule 7: a malformed sample is refused with its own code, and nothing is written. */
static void check_malformed(struct cdm_bench *bench)
{
    static struct cad_cdm_subsample many[CAD_CDM_SUBSAMPLES_MAX + 1];
    struct cdm_cipher good;
    uint8_t out[CIPHER_BYTES];
    uint32_t code = 0;
    setup(bench);
    cdm_cipher_make(&good, CAD_SCHEME_CENC, &bench->keys[0], 4);
    for (int what = 0; what < 8; what++) {
        struct cdm_cipher c = good;
        uint8_t *to = out;
        int want = CAD_E_DATA;
        c.sample.data.p = c.data;
        c.sample.subsamples = c.subsamples;
        memset(out, 0x77, sizeof out);
        switch (what) {
        case 0: c.subsamples[1].cipher_bytes++; break;
        case 1: c.subsamples[3].clear_bytes--; break;
        case 2: c.subsamples[0].clear_bytes += UINT32_MAX; break; /* the same sum in 32 bits, -1 */
        case 3: c.sample.iv_size = 7; break;
        case 4: c.sample.iv_size = 0; break;
        case 5:
            c.sample.subsamples = many;
            c.sample.subsample_count = CAD_CDM_SUBSAMPLES_MAX + 1;
            want = CAD_E_LIMIT;
            break;
        case 6:
            c.sample.scheme = (enum cad_scheme)99;
            want = CAD_E_UNSUPPORTED;
            break;
        default:
            memcpy(c.sample.kid, bench->keys[3].kid, 16);
            want = CAD_E_NO_KEY;
            break;
        }
        int rc = bench->kind->ops->decrypt(bench->cdm, &c.sample, to, &code);
        if (rc != want) bench_breach(bench, "malformed sample %d: %d, not %d", what, rc, want);
        for (size_t i = 0; i < sizeof out; i++) BENCH_CHECK(bench, out[i] == 0x77);
    }
    good.sample.data.n = CIPHER_BYTES / 2;
    good.sample.data.p = good.data;
    good.sample.subsample_count = 0;
    int rc = bench->kind->ops->decrypt(bench->cdm, &good.sample, good.data + 16, &code);
    BENCH_CHECK(bench, rc == CAD_E_INVAL);
    bench_destroy(bench);
}

/* Rules 2, 9: each allocation fails once; the call can be made again. */
static void check_memory(struct cdm_bench *bench)
{
    static const enum bench_call calls[] = {CALL_OPEN, CALL_REQUEST, CALL_UPDATE, CALL_CLOSE};
    for (uint64_t at = 1; at < ALLOCS_MAX && bench_is_good(bench); at++) {
        bench->allocs = 0;
        bench->fail_at = at;
        int rc = bench_create(bench);
        BENCH_CHECK(bench, rc == 0 || rc == CAD_E_NOMEM);
        if (rc != 0) BENCH_CHECK(bench, bench->live_blocks == 0);
        if (rc != 0) rc = bench_create(bench);
        BENCH_CHECK(bench, rc == 0);
        if (rc != 0) return;
        for (size_t i = 0; i < 4; i++) {
            rc = bench_call(bench, calls[i], 1, 1, BENCH_KEYS(0, 2));
            if (rc == CAD_E_NOMEM) rc = bench_call(bench, calls[i], 1, 1, BENCH_KEYS(0, 2));
            BENCH_CHECK(bench, rc == 0);
        }
        bool was_last = bench->allocs < at;
        bench_destroy(bench);
        BENCH_CHECK(bench, bench->live_blocks == 0);
        if (was_last) return;
    }
}

/* Rule 2: where the host cannot take an event, the call is undone, or the event comes later. */
static void check_post_fails(struct cdm_bench *bench)
{
    static const enum bench_call calls[] = {CALL_REQUEST, CALL_UPDATE, CALL_CLOSE};
    setup(bench);
    for (size_t i = 0; i < 3 && bench_is_good(bench); i++) {
        int before = bench_ready(bench, 2);
        bench->post_fails = true;
        int rc = bench_call(bench, calls[i], 1, 5, BENCH_KEYS(2, 1));
        bench->post_fails = false;
        if (rc == CAD_E_NOMEM) {
            BENCH_CHECK(bench, bench_ready(bench, 2) == before);
            rc = bench_call(bench, calls[i], 1, 5, BENCH_KEYS(2, 1));
        }
        BENCH_CHECK(bench, rc == 0);
    }
    bench_destroy(bench);
}

/* ---- rule 6 ------------------------------------------------------------------------------- */

struct decoder {
    struct cdm_bench *bench;
    uint32_t key;
    uint64_t wrong, clear, without; /* results */
};

static void *decode(void *arg)
{
    struct decoder *d = arg;
    struct cdm_cipher c;
    cdm_cipher_make(&c, CAD_SCHEME_CENC, &d->bench->keys[d->key], 1);
    for (uint32_t i = 0; i < LOOKS; i++) {
        uint8_t out[CIPHER_BYTES];
        uint32_t code = 0;
        int rc = d->bench->kind->ops->decrypt(d->bench->cdm, &c.sample, out, &code);
        if (rc == 0 && memcmp(out, c.clear, CIPHER_BYTES) == 0) d->clear++;
        else if (rc == CAD_E_NO_KEY) d->without++;
        else d->wrong++;
        (void)d->bench->kind->ops->key_ready(d->bench->cdm, c.sample.kid);
    }
    return NULL;
}

/* One thread's key stays, the other's comes and goes: bytes are right or there is no key. */
static void check_threads(struct cdm_bench *bench)
{
    setup(bench);
    if (!bench_is_good(bench)) return;
    struct decoder decoders[] = {{.bench = bench, .key = 0}, {.bench = bench, .key = 2}};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        int rc = pthread_create(&threads[i], NULL, decode, &decoders[i]);
        if (rc != 0) {
            bench_breach(bench, "no thread to be had");
            return;
        }
    }
    for (uint32_t epoch = 1; epoch <= 100; epoch++) {
        BENCH_CHECK(bench, bench_call(bench, CALL_OPEN, 2, epoch, 0) == 0);
        BENCH_CHECK(bench, bench_call(bench, CALL_UPDATE, 2, epoch, BENCH_KEYS(2, 1)) == 0);
        BENCH_CHECK(bench, bench_call(bench, CALL_CLOSE, 2, epoch, 0) == 0);
    }
    for (size_t i = 0; i < 2; i++) (void)pthread_join(threads[i], NULL);
    BENCH_CHECK(bench, decoders[0].clear == LOOKS);
    BENCH_CHECK(bench, decoders[1].wrong == 0);
    bench_destroy(bench);
}

/* ---- all of them -------------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*check)(struct cdm_bench *bench);
} checks[] = {
    {"life", check_life},
    {"refusals", check_refusals},
    {"requests", check_requests},
    {"keys", check_keys},
    {"close", check_close},
    {"decrypt", check_decrypt},
    {"malformed", check_malformed},
    {"memory", check_memory},
    {"post-fails", check_post_fails},
    {"threads", check_threads},
};

/* Runs check i; true if it holds, else why not. */
static bool run_check(const struct cdm_kind *kind, size_t i, char *out, size_t cap)
{
    static struct cdm_bench bench;
    bench_init(&bench, kind);
    checks[i].check(&bench);
    if (bench.cdm != NULL) bench_destroy(&bench);
    bench_deinit(&bench);
    (void)snprintf(out, cap, "%s: %s", checks[i].name, bench.breach);
    return bench_is_good(&bench);
}

bool cdm_contract_breach(const struct cdm_kind *kind, char *out, size_t cap)
{
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!run_check(kind, i, out, cap)) return true;
    }
    return false;
}

int cdm_contract_run(const struct cdm_kind *kind)
{
    int status = 0;
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        char text[256];
        bool good = run_check(kind, i, text, sizeof text);
        printf("%s %s %s\n", good ? "ok    " : "FAILED", kind->name, text);
        if (!good) status = 1;
    }
    return status;
}
