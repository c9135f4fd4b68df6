#include "media/shells.h"

#include <stdatomic.h>
#include <stdbool.h>

#include "base/assert.h"
#include "base/mem.h"

struct cad_shells {
    struct cad_alloc alloc;
    size_t bytes; /* of one owner */
    void (*deinit)(const struct cad_alloc *alloc, void *owner);
    atomic_uint refs; /* one for whoever created it, one for each shell that is out */
    atomic_flag lock; /* guards all below; held for a few instructions */
    bool closed;      /* destroyed: what comes back is freed */
    uint32_t idle_count;
    struct cad_shell *idle;
};

static void lock(struct cad_shells *shells)
{
    while (atomic_flag_test_and_set_explicit(&shells->lock, memory_order_acquire)) {
    }
}

static void unlock(struct cad_shells *shells)
{
    atomic_flag_clear_explicit(&shells->lock, memory_order_release);
}

static void dispose(struct cad_shells *shells, struct cad_shell *shell)
{
    if (shells->deinit) shells->deinit(&shells->alloc, shell);
    cad_alloc_free(&shells->alloc, shell, shells->bytes, CAD_MEM_OTHER);
}

static void drop_pool(struct cad_shells *shells)
{
    if (atomic_fetch_sub_explicit(&shells->refs, 1, memory_order_acq_rel) != 1) return;
    struct cad_alloc alloc = shells->alloc;
    cad_alloc_free(&alloc, shells, sizeof(*shells), CAD_MEM_OTHER);
}

/* An idle shell while more than `keep` are idle; NULL: none. */
static struct cad_shell *take_idle(struct cad_shells *shells, uint32_t keep)
{
    struct cad_shell *shell = NULL;
    lock(shells);
    if (shells->idle_count > keep) {
        shell = shells->idle;
        shells->idle = shell->next;
        shells->idle_count--;
    }
    unlock(shells);
    return shell;
}

int cad_shells_create(const struct cad_alloc *alloc, size_t bytes,
                      void (*deinit)(const struct cad_alloc *alloc, void *owner),
                      struct cad_shells **out)
{
    CAD_ASSERT(bytes >= sizeof(struct cad_shell));
    struct cad_shells *shells = cad_alloc_new(alloc, sizeof(*shells), CAD_MEM_OTHER);
    if (!shells) return CAD_E_NOMEM;
    shells->alloc = *alloc;
    shells->bytes = bytes;
    shells->deinit = deinit;
    atomic_init(&shells->refs, 1);
    atomic_flag_clear(&shells->lock);
    *out = shells;
    return 0;
}

void *cad_shells_get(struct cad_shells *shells)
{
    struct cad_shell *shell;
    while ((shell = take_idle(shells, CAD_SHELLS_IDLE_MAX))) dispose(shells, shell);
    shell = take_idle(shells, 0);
    if (!shell) shell = cad_alloc_new(&shells->alloc, shells->bytes, CAD_MEM_OTHER);
    if (!shell) return NULL;
    shell->pool = shells;
    shell->next = NULL;
    atomic_fetch_add_explicit(&shells->refs, 1, memory_order_relaxed);
    return shell;
}

void cad_shells_put(void *owner)
{
    struct cad_shell *shell = owner;
    struct cad_shells *shells = shell->pool;
    lock(shells);
    bool keep = !shells->closed;
    if (keep) {
        shell->next = shells->idle;
        shells->idle = shell;
        shells->idle_count++;
    }
    unlock(shells);
    if (!keep) dispose(shells, shell);
    drop_pool(shells);
}

void cad_shells_destroy(struct cad_shells **shells)
{
    if (!shells || !*shells) return;
    struct cad_shells *pool = *shells;
    *shells = NULL;
    lock(pool);
    pool->closed = true;
    unlock(pool);
    struct cad_shell *shell;
    while ((shell = take_idle(pool, 0))) dispose(pool, shell);
    drop_pool(pool);
}
