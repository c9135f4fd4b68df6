/* Values in memory: the store of virtual time. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "drive/store.h"

struct item {
    char key[CAD_STORE_KEY_MAX + 1];
    uint8_t *value;
    size_t n;
};

struct memory_store {
    struct store_queue queue;
    struct store_order order; /* the last that was answered: its value is what a get shows */
    struct store_keys keys;
    struct item *items;       /* CAD_STORE_KEYS_MAX of them */
    size_t count;
    int64_t bytes, bytes_max;
    int fail;
};

static struct cad_alloc *alloc_of(struct memory_store *m)
{
    return &m->queue.alloc;
}

static struct item *find(struct memory_store *m, const char *key)
{
    for (size_t i = 0; i < m->count; i++) {
        if (strcmp(m->items[i].key, key) == 0) return &m->items[i];
    }
    return NULL;
}

static int do_put(struct memory_store *m)
{
    struct store_order *o = &m->order;
    struct item *item = find(m, o->key);
    int64_t bytes = m->bytes - (item ? (int64_t)item->n : 0) + (int64_t)o->value_n;
    if (bytes > m->bytes_max || (!item && m->count == CAD_STORE_KEYS_MAX)) return CAD_E_LIMIT;
    if (!item) {
        item = &m->items[m->count++];
        memset(item, 0, sizeof(*item));
        cad_str_copyz(item->key, sizeof(item->key), cad_str_from(o->key));
    }
    cad_alloc_free(alloc_of(m), item->value, item->n, CAD_MEM_OTHER);
    item->value = o->value;
    item->n = o->value_n;
    o->value = NULL;
    o->value_n = 0;
    m->bytes = bytes;
    return 0;
}

static void do_delete(struct memory_store *m, struct item *item)
{
    m->bytes -= (int64_t)item->n;
    cad_alloc_free(alloc_of(m), item->value, item->n, CAD_MEM_OTHER);
    *item = m->items[--m->count];
}

static int perform(struct memory_store *m, struct cad_store_done *done)
{
    struct store_order *o = &m->order;
    struct item *item = find(m, o->key);
    if (m->fail) return m->fail;
    switch (o->call) {
    case CAD_STORE_PUT: return do_put(m);
    case CAD_STORE_GET:
        if (!item) return CAD_E_NOTFOUND;
        done->value = (cad_buf){item->value, item->n};
        return 0;
    case CAD_STORE_DELETE:
        if (item) do_delete(m, item);
        return 0;
    case CAD_STORE_LIST:
        m->keys.count = 0;
        for (size_t i = 0; i < m->count; i++) {
            cad_str key = cad_str_from(m->items[i].key);
            if (cad_str_starts(key, cad_str_from(o->key))) store_keys_add(&m->keys, key);
        }
        done->keys = m->keys.views;
        done->count = m->keys.count;
        return 0;
    }
    return CAD_E_INVAL;
}

static int memory_poll(void *self, struct cad_store_done *done)
{
    struct memory_store *m = self;
    store_order_free(&m->queue, &m->order);
    if (!store_pop(&m->queue, &m->order)) return CAD_E_AGAIN;
    *done = (struct cad_store_done){.id = m->order.id, .call = m->order.call};
    done->result = perform(m, done);
    return 0;
}

static int memory_put(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags)
{
    struct memory_store *m = self;
    struct store_order o = {.id = id, .call = CAD_STORE_PUT, .flags = flags};
    return store_push(&m->queue, &o, key, value);
}

static int order(struct memory_store *m, uint32_t id, enum cad_store_call call, cad_str key)
{
    struct store_order o = {.id = id, .call = call};
    return store_push(&m->queue, &o, key, (cad_buf){NULL, 0});
}

static int memory_get(void *self, uint32_t id, cad_str key)
{
    return order(self, id, CAD_STORE_GET, key);
}

static int memory_del(void *self, uint32_t id, cad_str key)
{
    return order(self, id, CAD_STORE_DELETE, key);
}

static int memory_list(void *self, uint32_t id, cad_str prefix)
{
    return order(self, id, CAD_STORE_LIST, prefix);
}

static void memory_destroy(void *self)
{
    struct memory_store *m = self;
    if (!m) return;
    struct cad_alloc alloc = m->queue.alloc;
    store_order_free(&m->queue, &m->order);
    store_queue_clear(&m->queue);
    while (m->count) do_delete(m, &m->items[0]);
    store_keys_deinit(&m->keys, &alloc);
    cad_alloc_free(&alloc, m->items, CAD_STORE_KEYS_MAX * sizeof(*m->items), CAD_MEM_OTHER);
    cad_alloc_free(&alloc, m, sizeof(*m), CAD_MEM_OTHER);
}

static const struct cad_store_ops memory_ops = {
    .size = sizeof(memory_ops),
    .name = "memory",
    .destroy = memory_destroy,
    .put = memory_put,
    .get = memory_get,
    .del = memory_del,
    .list = memory_list,
    .poll = memory_poll,
};

int cad_store_memory_create(int64_t bytes_max, const struct cad_alloc *alloc, struct cad_store *out)
{
    struct memory_store *m = cad_alloc_new(alloc, sizeof(*m), CAD_MEM_OTHER);
    if (!m) return CAD_E_NOMEM;
    m->queue.alloc = *alloc;
    m->bytes_max = bytes_max > 0 ? bytes_max : STORE_BYTES_DEFAULT;
    m->items = cad_alloc_array(alloc, CAD_STORE_KEYS_MAX, sizeof(*m->items), CAD_MEM_OTHER);
    if (!m->items || store_keys_init(&m->keys, alloc) != 0) {
        memory_destroy(m);
        return CAD_E_NOMEM;
    }
    *out = (struct cad_store){&memory_ops, m};
    return 0;
}

void cad_store_memory_fail(struct cad_store *store, int result)
{
    struct memory_store *m = store->self;
    m->fail = result;
}
