/*
 * store.h - the stores of this house, and what they share: the queue of answers.
 *
 * Both do the work of an order when its answer is polled, so that the caller chooses when the disk
 * is waited for; the file store may be polled on a thread of its own, one thread at a time.
 */
#ifndef CAD_DRIVE_STORE_H
#define CAD_DRIVE_STORE_H

#include "base/strbuf.h"
#include "cadmium/store.h"

#define STORE_BYTES_DEFAULT (8u << 20) /* of all values */

/* An order that was accepted. */
struct store_order {
    uint32_t id;
    enum cad_store_call call;
    uint32_t flags;
    char key[CAD_STORE_KEY_MAX + 1]; /* or prefix; NUL-terminated */
    uint8_t *value;
    size_t value_n;
};

struct store_queue {
    struct cad_alloc alloc;
    struct store_order orders[CAD_STORE_PENDING_MAX]; /* from first on, count of them */
    uint32_t first, count;
};

/* [a-z0-9][a-z0-9-]*, at most CAD_STORE_KEY_MAX. */
bool store_key_ok(cad_str key);
/* Copies what was ordered. The prefix of a list may be empty. */
CAD_MUST_CHECK int store_push(struct store_queue *q, const struct store_order *order, cad_str key,
                              cad_buf value);
/* The oldest, whose value is the caller's to free (store_order_free); false: none. */
bool store_pop(struct store_queue *q, struct store_order *out);
void store_order_free(struct store_queue *q, struct store_order *order);
void store_queue_clear(struct store_queue *q);

/* Keys of an answer to a list: sorted and borrowed from one piece of memory. */
struct store_keys {
    cad_str *views; /* CAD_STORE_KEYS_MAX of them */
    char (*text)[CAD_STORE_KEY_MAX + 1];
    size_t count;
};
CAD_MUST_CHECK int store_keys_init(struct store_keys *k, const struct cad_alloc *alloc);
void store_keys_deinit(struct store_keys *k, const struct cad_alloc *alloc);
/* In its place; no more than CAD_STORE_KEYS_MAX are taken. */
void store_keys_add(struct store_keys *k, cad_str key);

/*
 * Values as files of a folder, which is made (0700) if it is not there: written beside, renamed
 * over. Nobody else may use the folder meanwhile: a second store on it is CAD_E_IO. What a killed
 * process left half written is removed. bytes_max 0: STORE_BYTES_DEFAULT. CAD_E_IO: no such folder
 * can be had. CAD_E_NOMEM.
 */
CAD_MUST_CHECK int cad_store_file_create(const char *folder, int64_t bytes_max,
                                         const struct cad_alloc *alloc, struct cad_store *out);

/*
 * Another store with its disk on a thread of its own, so that nobody waits for an fsync. `inner`
 * does its work when it is polled, as the two here do, and is destroyed with it; a failure leaves
 * it the caller's. wake (NULL: nobody is told): any thread, may only signal that there is an
 * answer. destroy waits for the order that is in hand and carries out the puts behind it, without
 * waiting for the disk: they outlive the process. CAD_E_NOMEM, CAD_E_IO.
 */
struct cad_store_waker {
    void (*wake)(void *ctx);
    void *ctx;
};
CAD_MUST_CHECK int cad_store_thread_create(const struct cad_store *inner,
                                           const struct cad_store_waker *waker,
                                           const struct cad_alloc *alloc, struct cad_store *out);
/* Values in memory, for virtual time. They die with it. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_store_memory_create(int64_t bytes_max, const struct cad_alloc *alloc,
                                           struct cad_store *out);
/* The next calls of the memory store that touch its values fail so; 0: no more. For tests. */
void cad_store_memory_fail(struct cad_store *store, int result);

#endif
