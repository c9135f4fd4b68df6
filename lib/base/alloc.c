/*
 * alloc.c - the C library's memory behind a struct cad_alloc: the only place that calls malloc.
 */
#include <stdlib.h>

#include "cadmium/base.h"

static void *system_fn(void *ctx, void *p, size_t old_bytes, size_t new_bytes,
                       enum cad_mem_class cls)
{
    (void)ctx;
    (void)old_bytes;
    (void)cls;
    if (new_bytes == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, new_bytes);
}

struct cad_alloc cad_alloc_system(void)
{
    return (struct cad_alloc){system_fn, NULL};
}
