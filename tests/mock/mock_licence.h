/*
 * mock_licence.h - the licence service as a pure function: request bytes in, answer bytes out.
 *
 *   POST {service}/license?licenseType=standard&playbackContextId=...
 *
 * Two bodies are taken. One of a client that asks a CDM itself (W3C Clear Key), answered by the
 * key set: {"kids":["..."],"type":"temporary"} -> {"keys":[{"kty":"oct",...}],"type":"temporary"}
 * And one of a client of licensed manifests (5.7), of which the former is the challenge; answered
 * by an object as it stands in a manifest:
 *   [{"drmSessionId":"s1","clientTime":1772324400,"challengeBase64":"...","xid":"..."}]
 *   -> {"serverTime":MS,"license":{"drmSessionId":"s1","licenseResponseBase64":"...",
 *       "secureStopExpected":false,"links":{}}}
 * What is denied is {"serverTime":MS,"error":{"code","subCode","message","retryable"}}:
 *   400 BAD_REQUEST      subCode names the member
 *   403 KEY_NOT_FOUND    a key id that is no key's here; nothing is given then
 *   403 KEY_DENIED       every key that was asked for is withheld
 *   403 LICENSE_DENIED   REFUSED, with its message
 *   405 METHOD
 *   4xx, 5xx SERVICE     DOWN (503), STATUS; retryable from 500 on
 */
#ifndef MOCK_LICENCE_H
#define MOCK_LICENCE_H

#include "base/strbuf.h"
#include "cadmium/cdm.h"
#include "cadmium/sim.h"

#define MOCK_LICENCE_PATH "/license"
#define MOCK_KEYS_MAX 32           /* of a service, and of one request */
#define MOCK_LICENCE_ID_MAX 128    /* bytes of drmSessionId and xid */
#define MOCK_LICENCE_MESSAGE 128   /* bytes of a message, NUL included */
#define MOCK_PSSH_BYTES(kids) (36u + (kids) * CAD_KEY_ID_SIZE)

struct mock_key {
    uint8_t kid[CAD_KEY_ID_SIZE], key[16];
};

/* What happens to requests. */
enum mock_licence_mode {
    MOCK_LICENCE_OK,
    MOCK_LICENCE_DOWN,
    MOCK_LICENCE_REFUSED, /* `message` is for the viewer */
    MOCK_LICENCE_STATUS,  /* `status` */
    MOCK_LICENCE_GARBAGE, /* 200 and bytes that are no JSON */
    MOCK_LICENCE_CUT      /* 200 and the first half of the answer, as if that were all */
};
struct mock_licence_fault {
    enum mock_licence_mode mode;
    int32_t status;
    uint32_t times;          /* requests until all is well again; 0: it stays */
    char message[MOCK_LICENCE_MESSAGE];
};

struct mock_licence_counts {
    uint64_t requests, licences; /* asked; keys were given */
    uint64_t keys;               /* that were given */
    uint64_t denied, failed;     /* 4xx; DOWN, 5xx, GARBAGE, CUT */
};

/* One thread at a time. */
struct mock_licence {
    struct mock_key keys[MOCK_KEYS_MAX];
    bool withheld[MOCK_KEYS_MAX];
    uint32_t key_count;
    struct mock_licence_fault fault;
    cad_time delay;              /* before each answer */
    struct mock_licence_counts counts;
    uint8_t asked[MOCK_KEYS_MAX][CAD_KEY_ID_SIZE]; /* by the last request; never keys */
    uint32_t asked_count;
};

/* Keys are copied. CAD_E_LIMIT. */
CAD_MUST_CHECK int mock_licence_init(struct mock_licence *service, const struct mock_key *keys,
                                     uint32_t count);
/* Wipes the keys. */
void mock_licence_deinit(struct mock_licence *service);
/* The body is appended to out; status, content type and think of *answer are set. */
void mock_licence_serve(struct mock_licence *service, const struct cad_origin_request *request,
                        struct cad_sb *out, struct cad_origin_answer *answer);
/* Gives licences without this key, or with it again. CAD_E_NOTFOUND. */
CAD_MUST_CHECK int mock_licence_withhold(struct mock_licence *service, const uint8_t *kid,
                                         bool withheld);

/* A pssh box of version 1 of the common system that names these; MOCK_PSSH_BYTES(count) to out. */
void mock_pssh_write(const uint8_t (*kids)[CAD_KEY_ID_SIZE], uint32_t count, uint8_t *out);

#endif
