/*
 * A store whose work is done by a thread of its own: orders go in by a queue, answers come out by
 * another, and what an answer shows is a copy.
 */
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include "base/mem.h"
#include "drive/store.h"

/* What came of an order; its views are into memory of its own. */
struct answer {
    struct cad_store_done done;
    void *memory;             /* NULL: none */
    size_t memory_size;
};

struct thread_store {
    struct cad_alloc alloc;
    struct cad_store inner;   /* the thread's alone while it runs */
    struct cad_store_waker waker;
    pthread_t thread;
    pthread_mutex_t mutex;    /* of what follows, up to current */
    pthread_cond_t cond;      /* there is an order, or the end */
    struct store_queue queue;
    struct answer answers[CAD_STORE_PENDING_MAX]; /* from first on, count of them */
    uint32_t first, count;
    uint32_t pending;         /* orders that were not polled, wherever they are */
    bool stop;
    struct answer current;    /* polled last; the caller's thread alone */
};

/* ---- answers --------------------------------------------------------------------------------- */

static void answer_free(struct thread_store *t, struct answer *a)
{
    cad_alloc_free(&t->alloc, a->memory, a->memory_size, CAD_MEM_OTHER);
    a->memory = NULL;
    a->memory_size = 0;
}

static size_t bytes_of(const struct cad_store_done *done)
{
    size_t n = done->value.n + done->count * sizeof(cad_str);
    for (size_t i = 0; i < done->count; i++) n += done->keys[i].n;
    return n;
}

static void copy_keys(const struct cad_store_done *done, struct answer *a)
{
    cad_str *keys = a->memory;
    char *text = (char *)(keys + done->count);
    for (size_t i = 0; i < done->count; i++) {
        memcpy(text, done->keys[i].p, done->keys[i].n);
        keys[i] = (cad_str){text, done->keys[i].n};
        text += done->keys[i].n;
    }
    a->done.keys = keys;
}

/* A value or keys, never both. */
static void copy_answer(struct thread_store *t, const struct cad_store_done *done,
                        struct answer *a)
{
    *a = (struct answer){.done = {.id = done->id, .call = done->call, .result = done->result}};
    size_t n = bytes_of(done);
    if (n == 0) return;
    a->memory = cad_alloc_new(&t->alloc, n, CAD_MEM_OTHER);
    if (!a->memory) {
        a->done.result = CAD_E_NOMEM;
        return;
    }
    a->memory_size = n;
    if (done->count) {
        a->done.count = done->count;
        copy_keys(done, a);
    } else {
        memcpy(a->memory, done->value.p, done->value.n);
        a->done.value = (cad_buf){a->memory, done->value.n};
    }
}

/* ---- the thread ------------------------------------------------------------------------------ */

static int give(struct thread_store *t, const struct store_order *o, uint32_t flags)
{
    const struct cad_store_ops *ops = t->inner.ops;
    cad_str key = {o->key, strlen(o->key)};
    switch (o->call) {
    case CAD_STORE_PUT:
        return ops->put(t->inner.self, o->id, key, (cad_buf){o->value, o->value_n}, flags);
    case CAD_STORE_GET: return ops->get(t->inner.self, o->id, key);
    case CAD_STORE_DELETE: return ops->del(t->inner.self, o->id, key);
    case CAD_STORE_LIST: return ops->list(t->inner.self, o->id, key);
    }
    return CAD_E_INVAL;
}

static void work(struct thread_store *t, const struct store_order *o, struct answer *out)
{
    struct cad_store_done done = {.id = o->id, .call = o->call};
    int rc = give(t, o, o->flags);
    if (rc == 0) rc = t->inner.ops->poll(t->inner.self, &done);
    if (rc) done = (struct cad_store_done){o->id, o->call, rc, {NULL, 0}, NULL, 0};
    copy_answer(t, &done, out);
}

/* Under the mutex, which is let go for the work. */
static void serve(struct thread_store *t)
{
    struct store_order order;
    struct answer answer;
    if (!store_pop(&t->queue, &order)) return;
    pthread_mutex_unlock(&t->mutex);
    work(t, &order, &answer);
    store_order_free(&t->queue, &order);
    pthread_mutex_lock(&t->mutex);
    t->answers[(t->first + t->count) % CAD_STORE_PENDING_MAX] = answer;
    t->count++;
    pthread_mutex_unlock(&t->mutex);
    if (t->waker.wake) t->waker.wake(t->waker.ctx);
    pthread_mutex_lock(&t->mutex);
}

/* The end: what was to be kept is kept, though nobody hears of it. */
static void finish(struct thread_store *t)
{
    struct store_order order;
    struct cad_store_done done;
    while (store_pop(&t->queue, &order)) {
        bool put = order.call == CAD_STORE_PUT;
        if (put && give(t, &order, order.flags & ~CAD_STORE_DURABLE) == 0) {
            (void)t->inner.ops->poll(t->inner.self, &done);
        }
        store_order_free(&t->queue, &order);
    }
}

static void *thread_main(void *self)
{
    struct thread_store *t = self;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    pthread_setname_np(pthread_self(), "cadmium-store");
    pthread_mutex_lock(&t->mutex);
    while (!t->stop) {
        if (t->queue.count == 0) pthread_cond_wait(&t->cond, &t->mutex);
        else serve(t);
    }
    pthread_mutex_unlock(&t->mutex);
    finish(t); /* nobody orders any more */
    return NULL;
}

/* ---- the table ------------------------------------------------------------------------------- */

static int order(void *self, const struct store_order *o, cad_str key, cad_buf value)
{
    struct thread_store *t = self;
    answer_free(t, &t->current);
    pthread_mutex_lock(&t->mutex);
    int rc = t->pending < CAD_STORE_PENDING_MAX ? store_push(&t->queue, o, key, value)
                                                : CAD_E_LIMIT;
    if (rc == 0) {
        t->pending++;
        pthread_cond_signal(&t->cond);
    }
    pthread_mutex_unlock(&t->mutex);
    return rc;
}

static int thread_put(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags)
{
    struct store_order o = {.id = id, .call = CAD_STORE_PUT, .flags = flags};
    return order(self, &o, key, value);
}

static int thread_get(void *self, uint32_t id, cad_str key)
{
    struct store_order o = {.id = id, .call = CAD_STORE_GET};
    return order(self, &o, key, (cad_buf){NULL, 0});
}

static int thread_del(void *self, uint32_t id, cad_str key)
{
    struct store_order o = {.id = id, .call = CAD_STORE_DELETE};
    return order(self, &o, key, (cad_buf){NULL, 0});
}

static int thread_list(void *self, uint32_t id, cad_str prefix)
{
    struct store_order o = {.id = id, .call = CAD_STORE_LIST};
    return order(self, &o, prefix, (cad_buf){NULL, 0});
}

static int thread_poll(void *self, struct cad_store_done *done)
{
    struct thread_store *t = self;
    answer_free(t, &t->current);
    pthread_mutex_lock(&t->mutex);
    bool some = t->count > 0;
    if (some) {
        t->current = t->answers[t->first];
        t->first = (t->first + 1) % CAD_STORE_PENDING_MAX;
        t->count--;
        t->pending--;
    }
    pthread_mutex_unlock(&t->mutex);
    if (!some) return CAD_E_AGAIN;
    *done = t->current.done;
    return 0;
}

static void thread_destroy(void *self)
{
    struct thread_store *t = self;
    if (!t) return;
    pthread_mutex_lock(&t->mutex);
    t->stop = true;
    pthread_cond_signal(&t->cond);
    pthread_mutex_unlock(&t->mutex);
    pthread_join(t->thread, NULL);
    if (t->inner.ops->destroy) t->inner.ops->destroy(t->inner.self);
    answer_free(t, &t->current);
    for (; t->count > 0; t->count--) {
        answer_free(t, &t->answers[t->first]);
        t->first = (t->first + 1) % CAD_STORE_PENDING_MAX;
    }
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->mutex);
    struct cad_alloc alloc = t->alloc;
    cad_alloc_free(&alloc, t, sizeof(*t), CAD_MEM_OTHER);
}

static const struct cad_store_ops thread_ops = {
    .size = sizeof(thread_ops),
    .name = "thread",
    .destroy = thread_destroy,
    .put = thread_put,
    .get = thread_get,
    .del = thread_del,
    .list = thread_list,
    .poll = thread_poll,
};

static int start(struct thread_store *t)
{
    if (pthread_mutex_init(&t->mutex, NULL)) return CAD_E_IO;
    if (pthread_cond_init(&t->cond, NULL)) {
        pthread_mutex_destroy(&t->mutex);
        return CAD_E_IO;
    }
    if (pthread_create(&t->thread, NULL, thread_main, t) == 0) return 0;
    pthread_cond_destroy(&t->cond);
    pthread_mutex_destroy(&t->mutex);
    return CAD_E_IO;
}

int cad_store_thread_create(const struct cad_store *inner, const struct cad_store_waker *waker,
                            const struct cad_alloc *alloc, struct cad_store *out)
{
    struct thread_store *t = cad_alloc_new(alloc, sizeof(*t), CAD_MEM_OTHER);
    if (!t) return CAD_E_NOMEM;
    t->alloc = t->queue.alloc = *alloc;
    t->inner = *inner;
    if (waker) t->waker = *waker;
    int err = start(t);
    if (err) {
        cad_alloc_free(alloc, t, sizeof(*t), CAD_MEM_OTHER);
        return err;
    }
    *out = (struct cad_store){&thread_ops, t};
    return 0;
}
