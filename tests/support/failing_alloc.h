/*
 * failing_alloc.h - an allocator for tests: fails on request and counts everything.
 *
 *     for (uint64_t at = 1;; at++) {
 *         struct cad_failing f;
 *         cad_failing_init(&f, at);
 *         struct cad_alloc alloc = cad_failing_alloc(&f);
 *         int err = under_test(&alloc);
 *         assert_int_equal(f.live_blocks, 0);          // nothing leaks, whatever failed
 *         assert_int_equal(f.mismatches, 0);           // sizes and classes match
 *         if (!f.failed) break;                        // the loop went past the last allocation
 *     }
 *
 * Each block carries its size and class in front, checked on resize and free. A resize always
 * moves, so that stale pointers are caught by ASan. Not thread-safe.
 */
#ifndef CAD_TESTS_SUPPORT_FAILING_ALLOC_H
#define CAD_TESTS_SUPPORT_FAILING_ALLOC_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/base.h"

struct cad_failing {
    uint64_t fail_at;    /* the n-th allocation or growth fails, from 1; 0 never */
    bool fail_after;     /* set it to let all later ones fail as well */
    uint64_t calls;      /* allocations and resizes asked for */
    uint64_t failed;     /* how many were refused */
    int64_t live_blocks;
    int64_t live_bytes;
    int64_t peak_bytes;
    uint64_t mismatches; /* a size or class given back was not the one taken */
};

void cad_failing_init(struct cad_failing *f, uint64_t fail_at);
struct cad_alloc cad_failing_alloc(struct cad_failing *f);

#endif
