/*
 * Decrypting between the ring and the sink: what is clear passes, what is locked stays, what is
 * broken goes, nothing encrypted is handed on, the segment's bytes stay as they are, and each
 * failure is told in the right words and not too often.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/ref.h"
#include "cadmium/unlock.h"
#include "support/failing_alloc.h"

#define SIZE 3000
#define MASK 0x5a

/* A CDM whose cipher is a mask, and which answers what the test says. */
struct cad_cdm {
    int status, result;
    uint32_t looks, uses;
    uint32_t track;  /* of the last sample */
    cad_time pts;
};

static int fake_key_ready(struct cad_cdm *cdm, const uint8_t kid[CAD_KEY_ID_SIZE])
{
    cdm->looks++;
    assert_int_equal(kid[0], 7);
    return cdm->status;
}

static int fake_decrypt(struct cad_cdm *cdm, const struct cad_cdm_sample *s, uint8_t *out,
                        uint32_t *system_code)
{
    cdm->uses++;
    cdm->track = s->track;
    cdm->pts = s->pts;
    assert_int_equal(s->size, sizeof *s);
    for (size_t i = 0; i < s->data.n; i++) out[i] = s->data.p[i] ^ MASK;
    *system_code = cdm->result ? 42 : 0;
    return cdm->result;
}

static const struct cad_cdm_ops ops = {
    .size = sizeof ops, .abi = CAD_CDM_ABI, .key_ready = fake_key_ready, .decrypt = fake_decrypt};

static struct cad_failing memory;
static struct cad_pool *pool;
static struct cad_cdm cdm;
static struct cad_unlock *unlock;
static struct cad_ref *segment; /* the test's own reference */

static int setup(void **state)
{
    (void)state;
    cad_failing_init(&memory, 0);
    struct cad_alloc alloc = cad_failing_alloc(&memory);
    cdm = (struct cad_cdm){.status = CAD_KEY_USABLE};
    if (cad_pool_create(&alloc, 0, &pool) || cad_pool_get(pool, SIZE, &segment)) return -1;
    for (size_t i = 0; i < SIZE; i++) cad_ref_data(segment)[i] = (uint8_t)(i * 7) ^ MASK;
    return cad_unlock_create(&alloc, &ops, &cdm, &unlock);
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < SIZE; i++) {
        if (cad_ref_data(segment)[i] != ((uint8_t)(i * 7) ^ MASK)) return -1;
    }
    cad_ref_unref(&segment);
    cad_unlock_destroy(&unlock);
    cad_pool_destroy(&pool);
    return memory.live_blocks != 0 || memory.mismatches != 0;
}

static struct cad_unlock_counts counts(void)
{
    struct cad_unlock_counts c;
    cad_unlock_counts(unlock, &c);
    return c;
}

static void without_cdm(void)
{
    struct cad_alloc alloc = cad_failing_alloc(&memory);
    cad_unlock_destroy(&unlock);
    assert_int_equal(cad_unlock_create(&alloc, NULL, NULL, &unlock), 0);
}

/* n bytes from 100 on of the segment, encrypted. */
static struct cad_sample sample_of(size_t n)
{
    struct cad_sample s;
    memset(&s, 0, sizeof s);
    s.pts = 5 * CAD_SECOND;
    s.ref = cad_ref_ref(segment);
    s.data = cad_ref_data(segment) + 100;
    s.size = n;
    assert_int_equal(cad_pool_get(pool, sizeof(struct cad_cdm_sample), &s.crypt_ref), 0);
    struct cad_cdm_sample *crypt = (struct cad_cdm_sample *)(void *)cad_ref_data(s.crypt_ref);
    *crypt = (struct cad_cdm_sample){.size = sizeof *crypt, .scheme = CAD_SCHEME_CENC};
    memset(crypt->kid, 7, sizeof crypt->kid);
    s.crypt = crypt;
    return s;
}

static void assert_clear(const struct cad_sample *s, size_t n)
{
    assert_null(s->crypt);
    assert_null(s->crypt_ref);
    assert_int_equal(s->size, n);
    for (size_t i = 0; i < n; i++) assert_int_equal(s->data[i], (uint8_t)((i + 100) * 7));
}

static void assert_no_fail(void)
{
    struct cad_sink_fail fail;
    assert_false(cad_unlock_take_fail(unlock, &fail));
}

static void assert_fail(enum cad_error_code error, int64_t edge_code)
{
    struct cad_sink_fail fail;
    assert_true(cad_unlock_take_fail(unlock, &fail));
    assert_string_equal(cad_error_name(fail.error), cad_error_name(error));
    assert_int_equal(fail.edge_code, edge_code);
    assert_int_equal(fail.slot, CAD_SLOT_AUDIO);
    assert_true(fail.message[0] != '\0');
    assert_no_fail();
}

static void test_unlock_clear(void **state)
{
    (void)state;
    struct cad_sample s;
    memset(&s, 0, sizeof s);
    s.data = cad_ref_data(segment);
    s.size = 10;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_TEXT, &s), 0);
    assert_ptr_equal(s.data, cad_ref_data(segment));
    assert_int_equal(cdm.looks + cdm.uses, 0);
    assert_int_equal(counts().decrypted, 0);
}

static void test_unlock_decrypts(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(2000);
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), 0);
    assert_clear(&s, 2000);
    assert_true(s.ref != segment);
    assert_int_equal(cdm.track, CAD_SLOT_AUDIO);
    assert_int_equal(cdm.pts, 5 * CAD_SECOND);
    assert_int_equal(s.pts, 5 * CAD_SECOND);
    /* The same sample again, as after seeking back; the first one is still out. */
    struct cad_sample again = sample_of(2000);
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &again), 0);
    assert_clear(&again, 2000);
    assert_clear(&s, 2000);
    cad_sample_release(&s);
    cad_sample_release(&again);
    struct cad_sample empty = sample_of(0);
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &empty), 0);
    assert_clear(&empty, 0);
    cad_sample_release(&empty);
    assert_int_equal(counts().decrypted, 3);
    assert_no_fail();
}

/* Once it runs, no sample costs an allocation. */
static void test_unlock_steady(void **state)
{
    (void)state;
    uint64_t calls = 0;
    for (int i = 0; i < 20; i++) {
        struct cad_sample s = sample_of(2000);
        if (i >= 2) calls -= memory.calls;
        assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_VIDEO, &s), 0);
        if (i >= 2) calls += memory.calls;
        cad_sample_release(&s);
    }
    assert_int_equal(calls, 0);
}

/* What is handed out may outlive the one who made it. */
static void test_unlock_outlived(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(1000);
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_VIDEO, &s), 0);
    cad_unlock_destroy(&unlock);
    assert_clear(&s, 1000);
    cad_sample_release(&s);
}

/* No bytes to decrypt; the key is asked for all the same. */
static void test_unlock_hole(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(500);
    s.flags = CAD_SAMPLE_HOLE | CAD_SAMPLE_SYNC;
    cdm.status = CAD_KEY_PENDING;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_VIDEO, &s), CAD_E_AGAIN);
    assert_non_null(s.crypt);
    cdm.status = CAD_KEY_USABLE;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_VIDEO, &s), 0);
    assert_null(s.crypt);
    assert_null(s.crypt_ref);
    assert_int_equal(s.size, 500);
    assert_int_equal(s.flags, CAD_SAMPLE_HOLE | CAD_SAMPLE_SYNC);
    assert_int_equal(cdm.uses, 0);
    cad_sample_release(&s);
}

/* A track that is protected elsewhere: its bytes are clear, and no key or CDM is needed. */
static void test_unlock_scheme_clear(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(500);
    struct cad_cdm_sample *crypt = (struct cad_cdm_sample *)(void *)cad_ref_data(s.crypt_ref);
    crypt->scheme = CAD_SCHEME_CLEAR;
    without_cdm();
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_VIDEO, &s), 0);
    assert_ptr_equal(s.ref, segment);
    assert_null(s.crypt);
    cad_sample_release(&s);
    assert_no_fail();
}

/* The sample stays whole while its key is not usable; one word is said, until it changes. */
static void test_unlock_waits(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum cad_error_code told;
    } rows[] = {
        {CAD_KEY_UNKNOWN, CAD_ERR_NONE},
        {CAD_KEY_PENDING, CAD_ERR_NONE},
        {CAD_KEY_FUTURE, CAD_ERR_NONE},
        {CAD_KEY_EXPIRED, CAD_ERR_DRM_KEY_EXPIRED},
        {CAD_KEY_RELEASED, CAD_ERR_NONE}, /* the same error: told already */
        {CAD_KEY_OUTPUT_RESTRICTED, CAD_ERR_DRM_OUTPUT},
        {CAD_KEY_ERROR, CAD_ERR_DRM_KEY_DENIED},
        {99, CAD_ERR_NONE},
    };
    struct cad_sample s = sample_of(2000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cdm.status = rows[i].status;
        assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
        if (rows[i].told != CAD_ERR_NONE) assert_fail(rows[i].told, rows[i].status);
        for (int again = 0; again < 3; again++) {
            assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
            assert_no_fail();
        }
        assert_ptr_equal(s.ref, segment);
        assert_int_equal(s.size, 2000);
    }
    assert_int_equal(cdm.uses, 0);
    cdm.status = CAD_KEY_OUTPUT_DOWNSCALED;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), 0);
    assert_clear(&s, 2000);
    cad_sample_release(&s);
    /* It was well meanwhile: the next time is news. */
    s = sample_of(10);
    cdm.status = CAD_KEY_ERROR;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
    assert_fail(CAD_ERR_DRM_KEY_DENIED, CAD_KEY_ERROR);
    cad_sample_release(&s);
}

static void test_unlock_decrypt_waits(void **state)
{
    (void)state;
    static const struct {
        int result;
        enum cad_error_code told;
    } rows[] = {
        {CAD_E_NO_KEY, CAD_ERR_NONE},
        {CAD_E_AGAIN, CAD_ERR_NONE},
        {CAD_E_NOMEM, CAD_ERR_NONE},
        {CAD_E_KEY_EXPIRED, CAD_ERR_DRM_KEY_EXPIRED},
        {CAD_E_OUTPUT, CAD_ERR_DRM_OUTPUT},
        {CAD_E_UNSUPPORTED, CAD_ERR_DRM_UNSUPPORTED},
        {CAD_E_LIMIT, CAD_ERR_DRM_LIMIT},
        {CAD_E_LOST, CAD_ERR_DRM_CRASHED},
    };
    struct cad_sample s = sample_of(2000);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cdm.result = rows[i].result;
        assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
        if (rows[i].told != CAD_ERR_NONE) assert_fail(rows[i].told, 42);
        assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
        assert_no_fail();
        assert_ptr_equal(s.ref, segment);
        assert_non_null(s.crypt);
    }
    cad_sample_release(&s);
    assert_int_equal(counts().dropped, 0);
}

/* Damaged ones are released, and each is told. */
static void test_unlock_drops(void **state)
{
    (void)state;
    static const struct {
        int result;
        enum cad_error_code told;
    } rows[] = {{CAD_E_DATA, CAD_ERR_DRM_SAMPLE_BAD},
                {CAD_E_IO, CAD_ERR_DRM_DECRYPT},
                {CAD_E_INVAL, CAD_ERR_DRM_DECRYPT}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cdm.result = rows[i].result;
        for (int again = 0; again < 3; again++) {
            struct cad_sample s = sample_of(2000);
            assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_DATA);
            assert_fail(rows[i].told, 42);
            assert_null(s.ref);
            assert_null(s.crypt_ref);
            assert_null(s.data);
        }
    }
    assert_int_equal(counts().dropped, 9);
    assert_int_equal(counts().decrypted, 0);
}

/* A picture that is missing takes with it what is decoded from it, and nothing else. */
static void test_unlock_up_to_the_next_sync(void **state)
{
    (void)state;
    static const struct {
        uint32_t slot, epoch, flags;
        int result; /* of decrypt */
        int rc;
    } rows[] = {{CAD_SLOT_VIDEO, 3, CAD_SAMPLE_SYNC, 0, 0},
                {CAD_SLOT_VIDEO, 3, 0, CAD_E_IO, CAD_E_DATA},
                {CAD_SLOT_AUDIO, 3, 0, 0, 0},
                {CAD_SLOT_AUDIO, 3, 0, CAD_E_IO, CAD_E_DATA},
                {CAD_SLOT_AUDIO, 3, 0, 0, 0},
                {CAD_SLOT_VIDEO, 3, 0, 0, CAD_E_DATA},
                {CAD_SLOT_VIDEO, 3, CAD_SAMPLE_SYNC, 0, 0},
                {CAD_SLOT_VIDEO, 3, 0, 0, 0},
                {CAD_SLOT_VIDEO, 3, CAD_SAMPLE_SYNC, CAD_E_DATA, CAD_E_DATA},
                {CAD_SLOT_VIDEO, 3, 0, 0, CAD_E_DATA},
                {CAD_SLOT_VIDEO, 4, 0, 0, 0}, /* a seek */
                {CAD_SLOT_VIDEO, 4, 0, 0, 0}};
    uint64_t dropped = 0;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct cad_sample s = sample_of(500);
        struct cad_sink_fail fail;
        s.epoch = rows[i].epoch;
        s.flags = rows[i].flags;
        cdm.result = rows[i].result;
        assert_int_equal(cad_unlock_sample(unlock, rows[i].slot, &s), rows[i].rc);
        assert_int_equal(cad_unlock_take_fail(unlock, &fail), rows[i].result != 0);
        if (rows[i].rc) dropped++;
        else cad_sample_release(&s);
        assert_null(s.ref);
    }
    assert_int_equal(counts().dropped, dropped);
}

static void test_unlock_without_cdm(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(10);
    without_cdm();
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
    assert_fail(CAD_ERR_DRM_UNSUPPORTED, 0);
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
    assert_no_fail();
    cad_sample_release(&s);
}

/* Slots stand for reasons of their own. */
static void test_unlock_slots(void **state)
{
    (void)state;
    struct cad_sink_fail fail;
    struct cad_sample s = sample_of(10);
    cdm.status = CAD_KEY_EXPIRED;
    for (uint32_t slot = 0; slot < CAD_ENGINE_SLOTS; slot++) {
        assert_int_equal(cad_unlock_sample(unlock, slot, &s), CAD_E_AGAIN);
        assert_true(cad_unlock_take_fail(unlock, &fail));
        assert_int_equal(fail.slot, slot);
    }
    cad_sample_release(&s);
}

/* Without memory the sample waits; it is not lost. */
static void test_unlock_no_memory(void **state)
{
    (void)state;
    struct cad_sample s = sample_of(2000);
    memory.fail_at = memory.calls + 1;
    memory.fail_after = true;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), CAD_E_AGAIN);
    assert_true(memory.failed > 0);
    assert_ptr_equal(s.ref, segment);
    memory.fail_at = 0;
    memory.fail_after = false;
    assert_int_equal(cad_unlock_sample(unlock, CAD_SLOT_AUDIO, &s), 0);
    assert_clear(&s, 2000);
    cad_sample_release(&s);
    assert_no_fail();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_unlock_##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(clear), TEST(decrypts),      TEST(steady), TEST(outlived),    TEST(hole),
        TEST(scheme_clear), TEST(waits),  TEST(decrypt_waits), TEST(drops),
        TEST(without_cdm), TEST(slots),   TEST(no_memory), TEST(up_to_the_next_sync),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
