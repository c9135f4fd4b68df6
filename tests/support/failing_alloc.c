#include "failing_alloc.h"

#include <stdlib.h>
#include <string.h>

/* In front of each block; 32 bytes keep the block aligned for any object. */
struct front {
    size_t size;
    enum cad_mem_class cls;
    uint64_t mark;
    uint64_t filler;
};

#define MARK UINT64_C(0x5ca1ab1e0ddba11)

static struct front *front_of(struct cad_failing *f, void *p, size_t bytes, enum cad_mem_class cls)
{
    struct front *front = (struct front *)p - 1;
    if (front->mark != MARK || front->size != bytes || front->cls != cls) f->mismatches++;
    return front;
}

static void drop(struct cad_failing *f, struct front *front)
{
    f->live_blocks--;
    f->live_bytes -= (int64_t)front->size;
    front->mark = 0;
    free(front);
}

static void *failing_fn(void *ctx, void *p, size_t old_bytes, size_t new_bytes,
                        enum cad_mem_class cls)
{
    struct cad_failing *f = ctx;
    struct front *old = p ? front_of(f, p, old_bytes, cls) : NULL;
    if (!p && old_bytes != 0) f->mismatches++;
    if (new_bytes == 0) {
        if (old) drop(f, old);
        return NULL;
    }
    f->calls++;
    bool later = f->fail_after && f->fail_at != 0 && f->calls > f->fail_at;
    struct front *front = NULL;
    if (f->calls != f->fail_at && !later && new_bytes <= SIZE_MAX - sizeof(*front)) {
        front = malloc(sizeof(*front) + new_bytes);
    }
    if (!front) {
        f->failed++;
        return NULL;
    }
    *front = (struct front){.size = new_bytes, .cls = cls, .mark = MARK};
    memset(front + 1, 0xA5, new_bytes);
    if (old) {
        memcpy(front + 1, p, old->size < new_bytes ? old->size : new_bytes);
        drop(f, old);
    }
    f->live_blocks++;
    f->live_bytes += (int64_t)new_bytes;
    if (f->live_bytes > f->peak_bytes) f->peak_bytes = f->live_bytes;
    return front + 1;
}

void cad_failing_init(struct cad_failing *f, uint64_t fail_at)
{
    *f = (struct cad_failing){.fail_at = fail_at};
}

struct cad_alloc cad_failing_alloc(struct cad_failing *f)
{
    return (struct cad_alloc){failing_fn, f};
}
