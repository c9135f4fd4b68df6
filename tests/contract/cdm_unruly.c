#include "cdm_unruly.h"

#include <string.h>

#include "base/mem.h"

enum { HELD_MAX = 32 };

/* An event that is held back, with what it points to. */
struct held {
    struct cad_cdm_event event;
    uint8_t data[4096];
    struct cad_cdm_key keys[128];
};

struct cad_cdm {
    struct cad_cdm *inner;
    struct cad_cdm_host host;
    enum unruly how;
    struct held *held; /* HELD_MAX of them */
    size_t held_count;
    uint32_t calls;
    struct cad_cdm_tag tag; /* of the call that is running */
    uint8_t kids[8][CAD_KEY_ID_SIZE]; /* that were usable once */
    size_t kid_count;
    bool closed;
};

static enum unruly how_of_next; /* set by unruly_ops: a table has no place for it */

static const struct cad_cdm_ops *inner_ops(void)
{
    return cad_cdm_clearkey();
}

/* ---- events ------------------------------------------------------------------------------- */

static int hold(struct cad_cdm *cdm, const struct cad_cdm_event *event)
{
    if (cdm->held_count == HELD_MAX) return CAD_E_NOMEM;
    struct held *h = &cdm->held[cdm->held_count++];
    h->event = *event;
    h->event.next = NULL;
    if (event->data.n > 0) memcpy(h->data, event->data.p, event->data.n);
    if (event->key_count > 0) memcpy(h->keys, event->keys, event->key_count * sizeof h->keys[0]);
    h->event.data.p = h->data;
    h->event.keys = h->keys;
    return 0;
}

static int ask_timer(struct cad_cdm *cdm)
{
    struct cad_cdm_event timer = {.size = sizeof timer, .type = CAD_CDM_EVENT_TIMER};
    timer.time = cad_time_add(cdm->host.now(cdm->host.ctx), CAD_MS);
    return cdm->host.post(cdm->host.ctx, &timer);
}

/* Changes one event as the mischief goes; false: it is not to be posted. */
static bool spoil(struct cad_cdm *cdm, struct cad_cdm_event *event)
{
    bool done = event->type == CAD_CDM_EVENT_DONE;
    switch (cdm->how) {
    case UNRULY_NO_DONE: return !done;
    case UNRULY_WRONG_EPOCH: event->tag.epoch++; break;
    case UNRULY_WRONG_OP: event->tag.op++; break;
    case UNRULY_KEYS_FORGOTTEN: event->key_count = 0; break;
    default: break;
    }
    return true;
}

static int unruly_post(void *ctx, const struct cad_cdm_event *events)
{
    struct cad_cdm *cdm = ctx;
    if (cdm->how == UNRULY_LATE) {
        size_t before = cdm->held_count;
        int rc = before == 0 ? ask_timer(cdm) : 0;
        for (; events != NULL && rc == 0; events = events->next) rc = hold(cdm, events);
        if (rc != 0) cdm->held_count = before;
        return rc;
    }
    for (; events != NULL; events = events->next) {
        struct cad_cdm_event event = *events;
        event.next = NULL;
        for (uint32_t i = 0; i < event.key_count && cdm->kid_count < 8; i++) {
            memcpy(cdm->kids[cdm->kid_count++], event.keys[i].kid, CAD_KEY_ID_SIZE);
        }
        if (!spoil(cdm, &event)) continue;
        int rc = cdm->host.post(cdm->host.ctx, &event);
        if (rc != 0) return rc;
        if (cdm->how == UNRULY_DONE_TWICE && event.type == CAD_CDM_EVENT_DONE) {
            (void)cdm->host.post(cdm->host.ctx, &event);
        }
    }
    return 0;
}

static void unruly_timer(struct cad_cdm *cdm, cad_time now)
{
    (void)now;
    if (cdm->held_count == 0) return;
    if (cdm->host.post(cdm->host.ctx, &cdm->held[0].event) == 0) {
        cdm->held_count--;
        for (size_t i = 0; i < cdm->held_count; i++) {
            cdm->held[i] = cdm->held[i + 1];
            cdm->held[i].event.data.p = cdm->held[i].data;
            cdm->held[i].event.keys = cdm->held[i].keys;
        }
    }
    if (cdm->held_count > 0) (void)ask_timer(cdm);
}

/* ---- session half ------------------------------------------------------------------------- */

/* True if this call is answered CAD_E_AGAIN. */
static bool is_busy(struct cad_cdm *cdm)
{
    return cdm->how == UNRULY_BUSY && cdm->calls++ % 2 == 0;
}

static int answer(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, int rc)
{
    struct cad_cdm_event event = {.size = sizeof event, .tag = *tag, .result = rc};
    if (rc != 0 && cdm->how == UNRULY_EVENT_OF_REFUSED) {
        (void)cdm->host.post(cdm->host.ctx, &event);
    }
    return rc;
}

static int unruly_open(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                       enum cad_session_type type)
{
    if (is_busy(cdm)) return CAD_E_AGAIN;
    if (cdm->how == UNRULY_LEAKS) {
        if (cad_alloc_new(&cdm->host.alloc, 16, CAD_MEM_OTHER) == NULL) return CAD_E_NOMEM;
    }
    return answer(cdm, tag, inner_ops()->open(cdm->inner, tag, type));
}

static int unruly_request(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                          enum cad_init_type type, cad_buf data)
{
    if (is_busy(cdm)) return CAD_E_AGAIN;
    return answer(cdm, tag, inner_ops()->request(cdm->inner, tag, type, data));
}

/* What a careless CDM does with a licence: here its first key, decoded, in freed memory. */
static void drop_key(struct cad_cdm *cdm, const uint8_t key[16])
{
    uint8_t *copy = cad_alloc_new(&cdm->host.alloc, 64, CAD_MEM_OTHER);
    if (copy == NULL) return;
    memcpy(copy + 16, key, 16);
    cad_alloc_free(&cdm->host.alloc, copy, 64, CAD_MEM_OTHER);
}

/* The keys that the bench gives out: mischief with keys needs one. */
static void bench_key(uint8_t out[16])
{
    for (size_t i = 0; i < 16; i++) out[i] = (uint8_t)(0x5a ^ (i * 29));
}

static int unruly_update(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data)
{
    if (is_busy(cdm)) return CAD_E_AGAIN;
    uint8_t key[16];
    bench_key(key);
    if (cdm->how == UNRULY_KEY_IN_MEMORY) drop_key(cdm, key);
    if (cdm->how == UNRULY_KEY_IN_MESSAGE) {
        struct cad_cdm_event message = {.size = sizeof message, .type = CAD_CDM_EVENT_MESSAGE,
                                        .tag = *tag, .data = {key, 16}};
        (void)cdm->host.post(cdm->host.ctx, &message);
    }
    int rc = inner_ops()->update(cdm->inner, tag, data);
    if (cdm->how == UNRULY_BAD_LICENCE_ENDS && data.n == 4) cdm->closed = true;
    return answer(cdm, tag, rc);
}

static int unruly_close(struct cad_cdm *cdm, const struct cad_cdm_tag *tag)
{
    if (is_busy(cdm)) return CAD_E_AGAIN;
    return answer(cdm, tag, inner_ops()->close(cdm->inner, tag));
}

/* ---- decrypt half ------------------------------------------------------------------------- */

static int unruly_key_ready(struct cad_cdm *cdm, const uint8_t kid[CAD_KEY_ID_SIZE])
{
    if (cdm->how == UNRULY_BAD_LICENCE_ENDS && cdm->closed) return CAD_KEY_EXPIRED;
    for (size_t i = 0; cdm->how == UNRULY_KEY_OUTLIVES && i < cdm->kid_count; i++) {
        if (memcmp(cdm->kids[i], kid, CAD_KEY_ID_SIZE) == 0) return CAD_KEY_USABLE;
    }
    return inner_ops()->key_ready(cdm->inner, kid);
}

static int unruly_decrypt(struct cad_cdm *cdm, const struct cad_cdm_sample *sample, uint8_t *out,
                          uint32_t *system_code)
{
    int rc = inner_ops()->decrypt(cdm->inner, sample, out, system_code);
    if (rc == 0 && cdm->how == UNRULY_FLIPS_A_BIT) out[sample->data.n / 2] ^= 1;
    if (rc != 0 && cdm->how == UNRULY_WRITES_MALFORMED) out[0] = 0;
    return rc;
}

/* ---- life --------------------------------------------------------------------------------- */

static void unruly_destroy(struct cad_cdm *cdm)
{
    if (cdm == NULL) return;
    struct cad_alloc alloc = cdm->host.alloc;
    inner_ops()->destroy(cdm->inner);
    if (cdm->how == UNRULY_EVENT_AFTER_DESTROY) {
        /* The nearest that one thread gets to "after". */
        struct cad_cdm_event failed = {.size = sizeof failed, .type = CAD_CDM_EVENT_FAILED};
        (void)cdm->host.post(cdm->host.ctx, &failed);
    }
    cad_alloc_free(&alloc, cdm->held, HELD_MAX * sizeof *cdm->held, CAD_MEM_OTHER);
    cad_alloc_free(&alloc, cdm, sizeof *cdm, CAD_MEM_OTHER);
}

static int unruly_create(const struct cad_cdm_host *host, cad_str key_system, struct cad_cdm **out)
{
    struct cad_cdm *cdm = cad_alloc_new(&host->alloc, sizeof *cdm, CAD_MEM_OTHER);
    if (cdm == NULL) return CAD_E_NOMEM;
    cdm->host = *host;
    cdm->how = how_of_next;
    cdm->held = cad_alloc_new(&host->alloc, HELD_MAX * sizeof *cdm->held, CAD_MEM_OTHER);
    struct cad_cdm_host own = *host;
    own.ctx = cdm;
    own.post = unruly_post; /* the others want another ctx, and Clear Key wants none of them */
    own.now = NULL;
    own.wall = NULL;
    own.random = NULL;
    int rc = cdm->held == NULL ? CAD_E_NOMEM
                               : inner_ops()->create(&own, key_system, &cdm->inner);
    if (rc == 0) {
        *out = cdm;
        return 0;
    }
    cad_alloc_free(&host->alloc, cdm->held, HELD_MAX * sizeof *cdm->held, CAD_MEM_OTHER);
    cad_alloc_free(&host->alloc, cdm, sizeof *cdm, CAD_MEM_OTHER);
    return rc;
}

static const struct cad_cdm_caps *unruly_caps(const struct cad_cdm *cdm)
{
    return inner_ops()->caps(cdm->inner);
}

const struct cad_cdm_ops *unruly_ops(enum unruly how)
{
    static const struct cad_cdm_ops ops = {
        .size = sizeof ops, .abi = CAD_CDM_ABI, .name = "unruly",
        .create = unruly_create, .destroy = unruly_destroy, .caps = unruly_caps,
        .open = unruly_open, .request = unruly_request, .update = unruly_update,
        .remove = unruly_close, .close = unruly_close, .timer = unruly_timer,
        .key_ready = unruly_key_ready, .decrypt = unruly_decrypt};
    how_of_next = how;
    return &ops;
}
