/*
 * failing_malloc.h - malloc itself, failing on request: for what libraries take past our allocator.
 *
 * failing_malloc.c is compiled into a test by naming it among its sources (it is no part of the
 * support library, where it would replace malloc for every test); never with sanitizers, which have
 * a malloc of their own. Counts calls of malloc, calloc and growing realloc while it is armed.
 */
#ifndef CAD_TESTS_BASE_FAILING_MALLOC_H
#define CAD_TESTS_BASE_FAILING_MALLOC_H

#include <stdint.h>

/* The n-th call from now fails, from 1; 0: none, only count. */
void failing_malloc_arm(uint64_t fail_at);
/* Counting ends; how many calls failed. */
uint64_t failing_malloc_disarm(void);
/* Calls since it was armed. */
uint64_t failing_malloc_calls(void);

#endif
