/*
 * Protection in a file: sample entries, pssh boxes, and the auxiliary information of each sample.
 *
 * It looks for answers that contradict each other: every view lies in the input, a sample that is
 * given as protected has a whole IV and subsamples that cover it exactly, and a cursor that is
 * asked for every second sample, or asked twice, says the same as one that is asked for each.
 */
#include <stdlib.h>
#include <string.h>

#include "mp4/mp4.h"

enum { SAMPLES_MAX = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(cond) ((cond) ? (void)0 : __builtin_trap())

struct answer {
    int rc;
    struct cad_mp4_sample_crypt crypt;
};

static struct answer answers[SAMPLES_MAX];

static bool is_inside(cad_buf b, cad_buf view)
{
    return view.n == 0 || (view.p >= b.p && view.p + view.n <= b.p + b.n);
}

static bool is_same(const struct answer *a, const struct answer *b)
{
    if (a->rc != b->rc) return false;
    if (a->rc != 0) return true;
    const struct cad_mp4_protection *p = &a->crypt.protection;
    const struct cad_mp4_protection *q = &b->crypt.protection;
    return a->crypt.scheme == b->crypt.scheme && a->crypt.iv.p == b->crypt.iv.p &&
           a->crypt.iv.n == b->crypt.iv.n && a->crypt.subsamples.p == b->crypt.subsamples.p &&
           a->crypt.subsamples.n == b->crypt.subsamples.n && p->is_protected == q->is_protected &&
           memcmp(p->kid, q->kid, sizeof p->kid) == 0;
}

static void check_answer(cad_buf b, const struct answer *a, uint32_t size)
{
    if (a->rc != 0) return;
    CHECK(is_inside(b, a->crypt.iv));
    CHECK(is_inside(b, a->crypt.subsamples));
    if (!a->crypt.protection.is_protected) {
        CHECK(a->crypt.iv.n == 0 && a->crypt.subsamples.n == 0);
        return;
    }
    enum cad_scheme scheme;
    CHECK(cad_mp4_scheme(a->crypt.scheme, &scheme) == 0);
    CHECK(a->crypt.iv.n == 8 || a->crypt.iv.n == 16);
    CHECK(cad_cenc_covers(a->crypt.subsamples, size));
}

/* Walks the samples; asks for those that `every` leaves over, each twice if `again`. */
static void walk(const struct cad_mp4_init *init, cad_buf b, uint32_t every, bool again)
{
    struct cad_mp4_reader reader;
    struct cad_mp4_crypt cursor;
    struct cad_mp4_sample sample;
    memset(&cursor, 0, sizeof cursor);
    cad_mp4_reader_init(&reader, init);
    for (uint32_t i = 0; i < SAMPLES_MAX; i++) {
        if (cad_mp4_reader_next(&reader, b, b.n, &sample) != 0) break;
        if (i % every != 0) continue;
        struct answer a;
        memset(&a, 0, sizeof a);
        a.rc = cad_mp4_crypt_next(&cursor, &reader, b, &sample, &a.crypt);
        CHECK(a.rc != CAD_E_INVAL && a.rc != CAD_E_AGAIN);
        check_answer(b, &a, sample.size);
        if (every == 1 && !again) answers[i] = a;
        CHECK(is_same(&a, &answers[i]));
        if (!again || cursor.error != 0) continue;
        a.rc = cad_mp4_crypt_next(&cursor, &reader, b, &sample, &a.crypt);
        CHECK(is_same(&a, &answers[i]));
    }
}

static void read_pssh(cad_buf container)
{
    struct cad_cenc_pssh pssh;
    size_t at = 0;
    int rc;
    while ((rc = cad_mp4_pssh_next(container, &at, &pssh)) != CAD_E_END) {
        if (rc != 0) continue;
        CHECK(is_inside(container, pssh.box));
        CHECK(is_inside(pssh.box, pssh.kids));
        CHECK(is_inside(pssh.box, pssh.data));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cad_buf b = {data, size};
    struct cad_mp4_init init;
    size_t end = 0;
    read_pssh(b);
    int rc = cad_mp4_init_read(b, &init, &end);
    if (rc != 0 && rc != CAD_E_UNSUPPORTED) return 0;
    CHECK(is_inside(b, init.protection.constant_iv));
    CHECK(!init.has_protection || init.encrypted);
    read_pssh(init.moov);
    walk(&init, b, 1, false);
    walk(&init, b, 2, false);
    walk(&init, b, 3, true);
    return 0;
}
