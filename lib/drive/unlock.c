/* Samples decrypted on their way to a sink. */
#include "cadmium/unlock.h"

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/mem.h"
#include "base/ref.h"
#include "base/util.h"

struct cad_unlock {
    struct cad_alloc alloc;
    struct cad_cdm_ops ops;         /* what the CDM does not have is NULL */
    struct cad_cdm *cdm;            /* NULL: there is none */
    struct cad_pool *pool;          /* of decrypted samples */
    struct cad_sink_fail fail;      /* the last, not taken yet; error NONE: none */
    enum cad_error_code told[CAD_ENGINE_SLOTS]; /* why a slot stands; NONE: it does not */
    struct cad_unlock_counts counts;
    bool skips;                     /* a picture is missing: none is of use before a sync one */
    uint32_t skip_epoch;            /* in this epoch */
};

int cad_unlock_create(const struct cad_alloc *alloc, const struct cad_cdm_ops *ops,
                      struct cad_cdm *cdm, struct cad_unlock **out)
{
    struct cad_unlock *unlock = cad_alloc_new(alloc, sizeof *unlock, CAD_MEM_SESSION);
    if (!unlock) return CAD_E_NOMEM;
    unlock->alloc = *alloc;
    unlock->cdm = cdm;
    if (ops) memcpy(&unlock->ops, ops, CAD_MIN(ops->size, sizeof unlock->ops));
    int rc = cad_pool_create(alloc, CAD_UNLOCK_IDLE_BYTES, &unlock->pool);
    if (rc) cad_unlock_destroy(&unlock);
    *out = unlock;
    return rc;
}

void cad_unlock_destroy(struct cad_unlock **unlock)
{
    if (!unlock || !*unlock) return;
    struct cad_unlock *u = *unlock;
    *unlock = NULL;
    cad_pool_destroy(&u->pool);
    struct cad_alloc alloc = u->alloc;
    cad_alloc_free(&alloc, u, sizeof *u, CAD_MEM_SESSION);
}

void cad_unlock_counts(const struct cad_unlock *unlock, struct cad_unlock_counts *out)
{
    *out = unlock->counts;
}

void cad_sample_release(struct cad_sample *sample)
{
    cad_ref_unref(&sample->ref);
    cad_ref_unref(&sample->crypt_ref);
    sample->crypt = NULL;
    sample->data = NULL;
    sample->size = 0;
}

bool cad_unlock_take_fail(struct cad_unlock *unlock, struct cad_sink_fail *out)
{
    if (unlock->fail.error == CAD_ERR_NONE) return false;
    *out = unlock->fail;
    unlock->fail.error = CAD_ERR_NONE;
    return true;
}

static void tell(struct cad_unlock *unlock, uint32_t slot, enum cad_error_code error, int64_t code)
{
    unlock->fail = (struct cad_sink_fail){.slot = slot, .error = error, .edge_code = code};
    snprintf(unlock->fail.message, sizeof unlock->fail.message, "%s", cad_error_text(error));
}

/* The slot stands: told once, however often it is looked at. */
static int stand(struct cad_unlock *unlock, uint32_t slot, enum cad_error_code error, int64_t code)
{
    if (unlock->told[slot] != error) tell(unlock, slot, error, code);
    unlock->told[slot] = error;
    return CAD_E_AGAIN;
}

static int drop(struct cad_unlock *unlock, uint32_t slot, struct cad_sample *sample,
                enum cad_error_code error, int64_t code)
{
    tell(unlock, slot, error, code);
    if (slot == CAD_SLOT_VIDEO) {
        unlock->skips = true;
        unlock->skip_epoch = sample->epoch;
    }
    unlock->counts.dropped++;
    cad_sample_release(sample);
    return CAD_E_DATA;
}

/* Does the picture follow one that was dropped, without a new beginning? */
static bool is_useless(struct cad_unlock *unlock, uint32_t slot, const struct cad_sample *sample)
{
    if (slot != CAD_SLOT_VIDEO || !unlock->skips) return false;
    unlock->skips = sample->epoch == unlock->skip_epoch && !(sample->flags & CAD_SAMPLE_SYNC);
    return unlock->skips;
}

/* 0: the key can be used. */
static int check_key(struct cad_unlock *unlock, uint32_t slot, const struct cad_cdm_sample *crypt)
{
    if (!unlock->cdm || !unlock->ops.key_ready || !unlock->ops.decrypt) {
        return stand(unlock, slot, CAD_ERR_DRM_UNSUPPORTED, 0);
    }
    int status = unlock->ops.key_ready(unlock->cdm, crypt->kid);
    switch (status) {
    case CAD_KEY_USABLE:
    case CAD_KEY_OUTPUT_DOWNSCALED: return 0;
    case CAD_KEY_EXPIRED:
    case CAD_KEY_RELEASED: return stand(unlock, slot, CAD_ERR_DRM_KEY_EXPIRED, status);
    case CAD_KEY_OUTPUT_RESTRICTED: return stand(unlock, slot, CAD_ERR_DRM_OUTPUT, status);
    case CAD_KEY_ERROR: return stand(unlock, slot, CAD_ERR_DRM_KEY_DENIED, status);
    default: return CAD_E_AGAIN;
    }
}

/* What decrypt answered, when it was not 0. */
static int refuse(struct cad_unlock *unlock, uint32_t slot, struct cad_sample *sample, int rc,
                  uint32_t code)
{
    switch (rc) {
    case CAD_E_AGAIN:
    case CAD_E_NOMEM:
    case CAD_E_NO_KEY: return CAD_E_AGAIN; /* it changed between the look and the use */
    case CAD_E_DATA: return drop(unlock, slot, sample, CAD_ERR_DRM_SAMPLE_BAD, code);
    case CAD_E_KEY_EXPIRED: return stand(unlock, slot, CAD_ERR_DRM_KEY_EXPIRED, code);
    case CAD_E_OUTPUT: return stand(unlock, slot, CAD_ERR_DRM_OUTPUT, code);
    case CAD_E_UNSUPPORTED: return stand(unlock, slot, CAD_ERR_DRM_UNSUPPORTED, code);
    case CAD_E_LIMIT: return stand(unlock, slot, CAD_ERR_DRM_LIMIT, code);
    case CAD_E_LOST: return stand(unlock, slot, CAD_ERR_DRM_CRASHED, code);
    default: return drop(unlock, slot, sample, CAD_ERR_DRM_DECRYPT, code ? (int64_t)code : rc);
    }
}

static int decrypt(struct cad_unlock *unlock, uint32_t slot, struct cad_sample *sample)
{
    struct cad_ref *clear = NULL;
    struct cad_cdm_sample in = *sample->crypt;
    in.size = sizeof in;
    in.data = (cad_buf){sample->data, sample->size};
    in.pts = sample->pts;
    in.track = slot;
    if (cad_pool_get(unlock->pool, sample->size, &clear)) return CAD_E_AGAIN;
    uint32_t code = 0;
    int rc = unlock->ops.decrypt(unlock->cdm, &in, cad_ref_data(clear), &code);
    if (rc) {
        cad_ref_unref(&clear);
        return refuse(unlock, slot, sample, rc, code);
    }
    size_t size = sample->size;
    cad_sample_release(sample);
    sample->ref = clear;
    sample->data = cad_ref_data(clear);
    sample->size = size;
    return 0;
}

int cad_unlock_sample(struct cad_unlock *unlock, uint32_t slot, struct cad_sample *sample)
{
    CAD_ASSERT(slot < CAD_ENGINE_SLOTS);
    if (is_useless(unlock, slot, sample)) {
        unlock->counts.dropped++;
        cad_sample_release(sample);
        return CAD_E_DATA;
    }
    if (!sample->crypt) return 0;
    bool as_it_is = sample->crypt->scheme == CAD_SCHEME_CLEAR;
    int rc = as_it_is ? 0 : check_key(unlock, slot, sample->crypt);
    if (rc) return rc;
    if (as_it_is || (sample->flags & CAD_SAMPLE_HOLE)) {
        cad_ref_unref(&sample->crypt_ref);
        sample->crypt = NULL;
    } else {
        rc = decrypt(unlock, slot, sample);
        if (rc) return rc;
    }
    unlock->told[slot] = CAD_ERR_NONE;
    unlock->counts.decrypted++;
    return 0;
}
