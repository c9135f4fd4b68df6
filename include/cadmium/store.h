/*
 * store.h - where a session keeps what must outlive it: small values under keys. An edge.
 *
 * Telemetry keeps its unacknowledged events here, and whoever else has something to remember. An
 * application may bring its own store: fill a struct cad_store_ops. Calls are orders with an id;
 * what came of them is polled, so that a slow disk delays nobody:
 *
 *     ops->put(self, 1, key, value, CAD_STORE_DURABLE);
 *     while (ops->poll(self, &done) == 0) use(&done);      done.id is 1, done.result tells
 *
 * The contract, which tests/contract/store_contract.c checks:
 *   - Orders on one key take effect in the order in which they were given.
 *   - A value is whole or it is not there: after a kill at any point a get answers the old value or
 *     the new one. When a put with CAD_STORE_DURABLE has answered 0 the value survives a power cut;
 *     without the flag it survives the end of the process.
 *   - Each accepted order has exactly one answer. A refused one (negative result of the call) has
 *     none. Views of an order are copied or used up during the call.
 *   - Keys are 1 .. CAD_STORE_KEY_MAX of a-z, 0-9 and '-', and begin with a letter or a digit.
 *     Anything else is CAD_E_INVAL, so that no key is ever a path.
 *   - Nothing grows without bound: a put that would pass the limit of all values, or of one, is
 *     answered CAD_E_LIMIT and changes nothing.
 *
 * One thread at a time. destroy gives up what is under way: a put that was not answered may or may
 * not have happened. This header belongs to no layer: it declares types and contains no code.
 */
#ifndef CADMIUM_STORE_H
#define CADMIUM_STORE_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_STORE_KEY_MAX 64            /* bytes of a key */
#define CAD_STORE_VALUE_MAX (512u << 10) /* bytes of a value */
#define CAD_STORE_KEYS_MAX 1024         /* keys in one store */
#define CAD_STORE_PENDING_MAX 64        /* orders that were not polled; one more: CAD_E_LIMIT */
#define CAD_STORE_DURABLE 1u            /* flag of a put: answered when it survives a power cut */

/* What an answer answers. */
enum cad_store_call {
    CAD_STORE_PUT,
    CAD_STORE_GET,
    CAD_STORE_DELETE,
    CAD_STORE_LIST
};

/* What came of an order. Views live until the next call of the store. */
struct cad_store_done {
    uint32_t id;          /* the caller's */
    enum cad_store_call call; /* tells what was ordered */
    /*
     * 0; CAD_E_NOTFOUND (get; a delete of what is not there is 0); CAD_E_DATA (get: what is kept
     * was damaged); CAD_E_LIMIT (put); CAD_E_NOMEM; CAD_E_IO: the disk refuses, and what was there
     * is still there.
     */
    int result;
    cad_buf value;        /* of a get */
    const cad_str *keys;  /* of a list: rising by bytes */
    size_t count;         /* of keys */
};

/*
 * A store. `self` is what its maker returned. All functions are required. Calls answer 0, or
 * CAD_E_INVAL (a key that is none, a value over CAD_STORE_VALUE_MAX), CAD_E_LIMIT (too many
 * orders), CAD_E_NOMEM.
 */
struct cad_store_ops {
    size_t size;          /* sizeof(struct cad_store_ops) */
    const char *name;     /* "file" */
    void (*destroy)(void *self); /* may be NULL */
    int (*put)(void *self, uint32_t id, cad_str key, cad_buf value, uint32_t flags); /* keep */
    int (*get)(void *self, uint32_t id, cad_str key); /* answer the value */
    int (*del)(void *self, uint32_t id, cad_str key); /* forget; durable when answered */
    int (*list)(void *self, uint32_t id, cad_str prefix); /* keys that begin so; empty: all */
    int (*poll)(void *self, struct cad_store_done *done); /* the next answer; CAD_E_AGAIN: none */
};

/* A store with its functions. */
struct cad_store {
    const struct cad_store_ops *ops; /* NULL: there is none */
    void *self;           /* of ops */
};

#ifdef __cplusplus
}
#endif
#endif
