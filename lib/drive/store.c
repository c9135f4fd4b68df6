#include "drive/store.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

bool store_key_ok(cad_str key)
{
    if (key.n == 0 || key.n > CAD_STORE_KEY_MAX || key.p[0] == '-') return false;
    for (size_t i = 0; i < key.n; i++) {
        char c = key.p[i];
        if (!(c >= 'a' && c <= 'z') && !cad_is_digit(c) && c != '-') return false;
    }
    return true;
}

int store_push(struct store_queue *q, const struct store_order *order, cad_str key, cad_buf value)
{
    bool all = order->call == CAD_STORE_LIST && key.n == 0;
    if (!all && !store_key_ok(key)) return CAD_E_INVAL;
    if (value.n > CAD_STORE_VALUE_MAX || (value.n && !value.p)) return CAD_E_INVAL;
    if (q->count == CAD_STORE_PENDING_MAX) return CAD_E_LIMIT;
    struct store_order copy = *order;
    cad_str_copyz(copy.key, sizeof(copy.key), key);
    if (value.n) {
        copy.value = cad_alloc_resize(&q->alloc, NULL, 0, value.n, CAD_MEM_OTHER);
        if (!copy.value) return CAD_E_NOMEM;
        memcpy(copy.value, value.p, value.n);
        copy.value_n = value.n;
    }
    q->orders[(q->first + q->count) % CAD_STORE_PENDING_MAX] = copy;
    q->count++;
    return 0;
}

bool store_pop(struct store_queue *q, struct store_order *out)
{
    if (q->count == 0) return false;
    *out = q->orders[q->first];
    q->first = (q->first + 1) % CAD_STORE_PENDING_MAX;
    q->count--;
    return true;
}

void store_order_free(struct store_queue *q, struct store_order *order)
{
    cad_alloc_free(&q->alloc, order->value, order->value_n, CAD_MEM_OTHER);
    order->value = NULL;
    order->value_n = 0;
}

void store_queue_clear(struct store_queue *q)
{
    struct store_order order;
    while (store_pop(q, &order)) store_order_free(q, &order);
}

int store_keys_init(struct store_keys *k, const struct cad_alloc *alloc)
{
    memset(k, 0, sizeof(*k));
    k->views = cad_alloc_array(alloc, CAD_STORE_KEYS_MAX, sizeof(*k->views), CAD_MEM_OTHER);
    k->text = cad_alloc_array(alloc, CAD_STORE_KEYS_MAX, sizeof(*k->text), CAD_MEM_OTHER);
    if (k->views && k->text) return 0;
    store_keys_deinit(k, alloc);
    return CAD_E_NOMEM;
}

void store_keys_deinit(struct store_keys *k, const struct cad_alloc *alloc)
{
    cad_alloc_free(alloc, k->views, CAD_STORE_KEYS_MAX * sizeof(*k->views), CAD_MEM_OTHER);
    cad_alloc_free(alloc, k->text, CAD_STORE_KEYS_MAX * sizeof(*k->text), CAD_MEM_OTHER);
    memset(k, 0, sizeof(*k));
}

void store_keys_add(struct store_keys *k, cad_str key)
{
    if (k->count == CAD_STORE_KEYS_MAX) return;
    char *text = k->text[k->count];
    cad_str view = {text, cad_str_copyz(text, sizeof(k->text[0]), key)};
    size_t low = 0, high = k->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cad_str_cmp(k->views[middle], view) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    memmove(&k->views[low + 1], &k->views[low], (k->count - low) * sizeof(*k->views));
    k->views[low] = view;
    k->count++;
}
