/* The C library's allocator under the names a program calls it by. */
#include "unit/base/failing_malloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *p, size_t n);

static struct {
    uint64_t fail_at, calls, failed;
    bool armed;
} state;

static bool refuse(void)
{
    if (!state.armed) return false;
    if (++state.calls != state.fail_at) return false;
    state.failed++;
    return true;
}

void *malloc(size_t n)
{
    return refuse() ? NULL : __libc_malloc(n);
}

void *calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *p, size_t n)
{
    return n > 0 && refuse() ? NULL : __libc_realloc(p, n);
}

void failing_malloc_arm(uint64_t fail_at)
{
    state.fail_at = fail_at;
    state.calls = 0;
    state.failed = 0;
    state.armed = true;
}

uint64_t failing_malloc_disarm(void)
{
    state.armed = false;
    return state.failed;
}

uint64_t failing_malloc_calls(void)
{
    return state.calls;
}
