/* Goal: the run-length index answers like a plain list of segments, at any shape of runs. */
#include "manifest_support.h"

#include <string.h>

#include "base/util.h"
#include "manifest/index.h"
#include "support/failing_alloc.h"

struct plain {
    int64_t start, duration, first_byte;
    uint32_t size;
};

#define PLAIN_MAX 5000
static const uint32_t timescale = 1000;

/* The same segments in a list: runs of a few lengths, some gaps, sizes that vary. */
static uint32_t make_plain(struct plain *list, uint32_t count, int64_t first_byte)
{
    int64_t at = 500;
    int64_t byte = first_byte;
    uint32_t state = 12345;
    for (uint32_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        if (i > 0 && i % 701 == 0) at += 333;
        list[i].start = at;
        list[i].duration = 2000 + (i / 97) % 3;
        list[i].size = 1 + (state >> 12);
        list[i].first_byte = byte;
        at += list[i].duration;
        if (byte >= 0) byte += list[i].size;
    }
    return count;
}

static struct cad_index *make_index(const struct plain *list, uint32_t count, int64_t first_byte)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    assert_int_equal(cad_index_create(&alloc, timescale, first_byte, &index), 0);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(cad_index_add(index, list[i].start, list[i].duration, list[i].size), 0);
    }
    return index;
}

static void assert_segment(const struct cad_segment *s, const struct plain *list, uint32_t i,
                           bool bytes)
{
    assert_int_equal(s->index, i);
    assert_int_equal(s->start_ticks, list[i].start);
    assert_int_equal(s->duration_ticks, list[i].duration);
    assert_int_equal(s->bytes.first, bytes ? list[i].first_byte : -1);
    assert_int_equal(s->bytes.last, bytes ? list[i].first_byte + list[i].size - 1 : -1);
}

static void check_against_list(int64_t first_byte)
{
    static struct plain list[PLAIN_MAX];
    uint32_t count = make_plain(list, PLAIN_MAX, first_byte);
    struct cad_index *index = make_index(list, count, first_byte);
    struct cad_segment s;
    assert_int_equal(cad_index_count(index), count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(cad_index_at(index, i, &s), 0);
        assert_segment(&s, list, i, first_byte >= 0);
        assert_int_equal(cad_index_find(index, list[i].start, &s), 0);
        assert_int_equal(s.index, i);
        assert_int_equal(cad_index_find(index, list[i].start + list[i].duration - 1, &s), 0);
        assert_int_equal(s.index, i);
    }
    cad_index_destroy(&index);
    assert_null(index);
}

static void test_index_equals_a_list(void **state)
{
    (void)state;
    check_against_list(904);
    check_against_list(0);
    check_against_list(-1);
}

static void test_index_edges(void **state)
{
    (void)state;
    const struct plain list[] = {{100, 50, 10, 5}, {150, 50, 15, 5}, {300, 50, 20, 5}};
    struct cad_index *index = make_index(list, CAD_ARRAY_LEN(list), 10);
    struct cad_segment s;
    assert_int_equal(cad_index_find(index, INT64_MIN, &s), 0);
    assert_int_equal(s.index, 0);
    assert_int_equal(cad_index_find(index, 99, &s), 0);
    assert_int_equal(s.index, 0);
    assert_int_equal(cad_index_find(index, 199, &s), 0);
    assert_int_equal(s.index, 1);
    /* In the gap 200..299: the next one. */
    assert_int_equal(cad_index_find(index, 200, &s), 0);
    assert_int_equal(s.index, 2);
    assert_int_equal(cad_index_find(index, 299, &s), 0);
    assert_int_equal(s.index, 2);
    assert_int_equal(cad_index_find(index, 349, &s), 0);
    assert_int_equal(s.index, 2);
    assert_int_equal(cad_index_find(index, 350, &s), CAD_E_NOTFOUND);
    assert_int_equal(cad_index_find(index, INT64_MAX, &s), CAD_E_NOTFOUND);
    assert_int_equal(cad_index_at(index, 3, &s), CAD_E_NOTFOUND);
    assert_int_equal(cad_index_end_ticks(index), 350);
    assert_int_equal(cad_index_timescale(index), timescale);
    cad_index_destroy(&index);
    cad_index_destroy(&index);
    cad_index_destroy(NULL);
}

static void test_index_refuses(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    struct cad_segment s;
    assert_int_equal(cad_index_create(&alloc, 0, -1, &index), CAD_E_INVAL);
    assert_int_equal(cad_index_create(&alloc, 1, -2, &index), CAD_E_INVAL);
    assert_int_equal(cad_index_create(NULL, 1, -1, &index), CAD_E_INVAL);
    assert_null(index);
    assert_int_equal(cad_index_create(&alloc, 1, INT64_MAX - 10, &index), 0);
    assert_int_equal(cad_index_end_ticks(index), 0);
    assert_int_equal(cad_index_find(index, 0, &s), CAD_E_NOTFOUND);
    assert_int_equal(cad_index_add(index, 0, 0, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add(index, 0, -5, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add(index, 0, 5, 0), CAD_E_INVAL);
    assert_int_equal(cad_index_add(index, INT64_MAX, 1, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add(index, 0, 5, 11), CAD_E_INVAL);
    assert_int_equal(cad_index_count(index), 0);
    assert_int_equal(cad_index_add(index, INT64_MAX - 5, 5, 10), 0);
    assert_int_equal(cad_index_add(index, 0, 1, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_count(index), 1);
    cad_index_destroy(&index);
}

/* A start at or before the end is no gap: the segment follows the last one. */
static void test_index_start_counts_after_a_gap_only(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    struct cad_segment s;
    assert_int_equal(cad_index_create(&alloc, 1, -1, &index), 0);
    assert_int_equal(cad_index_add(index, 10, 5, 0), 0);
    assert_int_equal(cad_index_add(index, 0, 5, 0), 0);
    assert_int_equal(cad_index_add(index, 20, 5, 0), 0);
    assert_int_equal(cad_index_at(index, 1, &s), 0);
    assert_int_equal(s.start_ticks, 15);
    assert_int_equal(cad_index_end_ticks(index), 25);
    cad_index_destroy(&index);
}

/* Two million equal segments fit and cost 4 bytes each and one run; one more is refused. */
static void test_index_limit_and_memory(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    assert_int_equal(cad_index_create(&alloc, 1, -1, &index), 0);
    for (uint32_t i = 0; i < 2000000; i++) assert_int_equal(cad_index_add(index, 0, 2, 0), 0);
    assert_int_equal(cad_index_add(index, 0, 2, 0), CAD_E_LIMIT);
    assert_int_equal(cad_index_count(index), 2000000);
    assert_true(cad_index_bytes(index) < 1024);
    cad_index_destroy(&index);
    assert_int_equal(cad_index_create(&alloc, 1, 0, &index), 0);
    for (uint32_t i = 0; i < 4096; i++) assert_int_equal(cad_index_add(index, 0, 2, 9), 0);
    assert_true(cad_index_bytes(index) < 4096 * 4 + 1024);
    cad_index_destroy(&index);
}

/* Whatever allocation fails, the index keeps what it had and nothing leaks. */
static void test_index_survives_lack_of_memory(void **state)
{
    (void)state;
    static struct plain list[600];
    (void)make_plain(list, CAD_ARRAY_LEN(list), 7);
    for (uint64_t at = 1;; at++) {
        struct cad_failing f;
        cad_failing_init(&f, at);
        struct cad_alloc alloc = cad_failing_alloc(&f);
        struct cad_index *index = NULL;
        int rc = cad_index_create(&alloc, timescale, 7, &index);
        for (uint32_t i = 0; rc == 0 && i < CAD_ARRAY_LEN(list); i++) {
            rc = cad_index_add(index, list[i].start, list[i].duration, list[i].size);
            if (rc == 0) continue;
            assert_int_equal(cad_index_count(index), i);
            /* The same call again succeeds: nothing was half done. */
            rc = cad_index_add(index, list[i].start, list[i].duration, list[i].size);
            assert_int_equal(rc, 0);
        }
        for (uint32_t i = 0; rc == 0 && i < CAD_ARRAY_LEN(list); i++) {
            struct cad_segment s;
            assert_int_equal(cad_index_at(index, i, &s), 0);
            assert_segment(&s, list, i, true);
        }
        assert_true(rc == 0 || !index);
        cad_index_destroy(&index);
        assert_int_equal(f.live_blocks, 0);
        assert_int_equal(f.mismatches, 0);
        if (!f.failed) break;
    }
}

/* A run at once is the same as its segments one by one. */
static void test_index_runs_equal_segments(void **state)
{
    (void)state;
    static const struct {
        int64_t start, duration;
        uint32_t count;
    } runs[] = {{100, 10, 3}, {130, 10, 2}, {150, 7, 1}, {500, 7, 4}, {528, 3, 100000}};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *a = NULL;
    struct cad_index *b = NULL;
    assert_int_equal(cad_index_create(&alloc, timescale, -1, &a), 0);
    assert_int_equal(cad_index_create(&alloc, timescale, -1, &b), 0);
    for (size_t i = 0; i < CAD_ARRAY_LEN(runs); i++) {
        assert_int_equal(cad_index_add_run(a, runs[i].start, runs[i].duration, runs[i].count), 0);
        for (uint32_t k = 0; k < runs[i].count; k++) {
            assert_int_equal(cad_index_add(b, runs[i].start + k * runs[i].duration,
                                           runs[i].duration, 0), 0);
        }
    }
    assert_int_equal(cad_index_count(a), cad_index_count(b));
    assert_int_equal(cad_index_end_ticks(a), cad_index_end_ticks(b));
    assert_int_equal(cad_index_bytes(a), cad_index_bytes(b));
    for (uint32_t i = 0; i < cad_index_count(a); i += i < 20 ? 1 : 777) {
        struct cad_segment s;
        struct cad_segment t;
        assert_int_equal(cad_index_at(a, i, &s), 0);
        assert_int_equal(cad_index_at(b, i, &t), 0);
        assert_int_equal(s.index, t.index);
        assert_int_equal(s.start_ticks, t.start_ticks);
        assert_int_equal(s.duration_ticks, t.duration_ticks);
        assert_int_equal(s.bytes.first, -1);
        assert_int_equal(cad_index_find(a, s.start_ticks, &t), 0);
        assert_int_equal(t.index, i);
    }
    cad_index_destroy(&a);
    cad_index_destroy(&b);
}

/* Overlapping segments stay; one that does not come after the last is moved behind it. */
static void test_index_runs_overlap(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    struct cad_segment s;
    assert_int_equal(cad_index_create(&alloc, timescale, -1, &index), 0);
    assert_int_equal(cad_index_add_run(index, 0, 10, 2), 0);
    assert_int_equal(cad_index_add_run(index, 15, 3, 1), 0);
    assert_int_equal(cad_index_end_ticks(index), 20);
    assert_int_equal(cad_index_find(index, 16, &s), 0);
    assert_int_equal(s.index, 2);
    assert_int_equal(cad_index_find(index, 14, &s), 0);
    assert_int_equal(s.index, 1);
    assert_int_equal(cad_index_add_run(index, 15, 4, 1), 0);
    assert_int_equal(cad_index_at(index, 3, &s), 0);
    assert_int_equal(s.start_ticks, 18);
    assert_int_equal(cad_index_end_ticks(index), 22);
    cad_index_destroy(&index);
}

static void test_index_runs_refuse(void **state)
{
    (void)state;
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_index *index = NULL;
    struct cad_segment s;
    assert_int_equal(cad_index_create(&alloc, timescale, 0, &index), 0);
    assert_int_equal(cad_index_add_run(index, 0, 1, 1), CAD_E_INVAL);
    cad_index_destroy(&index);
    assert_int_equal(cad_index_create(&alloc, timescale, -1, &index), 0);
    assert_int_equal(cad_index_add_run(NULL, 0, 1, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add_run(index, 0, 0, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add_run(index, 0, 1, 0), CAD_E_INVAL);
    assert_int_equal(cad_index_add_run(index, INT64_MAX, 1, 1), CAD_E_INVAL);
    assert_int_equal(cad_index_add_run(index, 0, INT64_MAX, 2), CAD_E_INVAL);
    assert_int_equal(cad_index_add_run(index, 0, 1, 2000001), CAD_E_LIMIT);
    assert_int_equal(cad_index_count(index), 0);
    assert_int_equal(cad_index_add_run(index, 0, 1, 2000000), 0);
    assert_int_equal(cad_index_add_run(index, 2000000, 1, 1), CAD_E_LIMIT);
    assert_int_equal(cad_index_at(index, 1999999, &s), 0);
    assert_int_equal(s.start_ticks, 1999999);
    cad_index_destroy(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_index_equals_a_list),
        cmocka_unit_test(test_index_edges),
        cmocka_unit_test(test_index_refuses),
        cmocka_unit_test(test_index_start_counts_after_a_gap_only),
        cmocka_unit_test(test_index_limit_and_memory),
        cmocka_unit_test(test_index_survives_lack_of_memory),
        cmocka_unit_test(test_index_runs_equal_segments),
        cmocka_unit_test(test_index_runs_overlap),
        cmocka_unit_test(test_index_runs_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
