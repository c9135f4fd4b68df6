/*
 * cdm.h - the edge where keys live: the table that a content decryption module (CDM) fills.
 *
 * It has two halves. The session half asks for keys: its calls come on one thread at a time (the
 * control thread), return at once, and are answered by events. The decrypt half uses keys: its
 * calls come on the decode threads, one a track, at the same time as those of the session half.
 *
 *     ops->create(&host, key_system, &cdm)
 *     ops->open(cdm, &tag, type)                -> DONE              tag: session 7, epoch 1, op 1
 *     ops->request(cdm, &tag, init, data)       -> MESSAGE, DONE     send it to the licence server
 *     ops->update(cdm, &tag, answer)            -> KEYS, DONE
 *         while (ops->key_ready(cdm, kid) != CAD_KEY_USABLE) ...     decode thread: its own pace
 *         ops->decrypt(cdm, &sample, out, &system_code)
 *     ops->close(cdm, &tag)                     -> CLOSED, DONE
 *     ops->destroy(cdm)
 *
 * Contract (tests/contract/cdm, passed by every implementation):
 *  1. A CDM answers through host.post alone, inside of a call or from threads of its own, never
 *     after destroy has returned.
 *  2. A call of the session half that answers 0 is followed by exactly one DONE with its tag, the
 *     last of the events it causes. One that answers a failure is followed by none and has changed
 *     nothing. What is wrong with the call or with memory is its result; what is wrong with the
 *     bytes it was given is the result in DONE.
 *  3. Events of a session carry the id and the epoch that it was opened with. Behind CLOSED come
 *     only the DONEs of calls that were still open; then the id may be used again. A call with
 *     another epoch is CAD_E_STALE.
 *  4. KEYS names every key of its session, not a change. When it is posted, key_ready and decrypt
 *     know it already. A licence that is refused leaves the keys as they were.
 *  5. A key id in several sessions: the usable one counts, of these the newest.
 *  6. key_ready and the look-up in decrypt wait for nobody, whatever the session half is doing.
 *  7. A sample is decrypted out of itself and its key: in any order, again, on any decode thread,
 *     with the same result. A malformed one is refused before a byte of it is touched.
 *  8. After close, remove and destroy the keys are gone from memory as soon as the last decrypt
 *     that began before has returned. Keys are in no event, message, log line or error.
 *  9. Time, randomness and memory come from the host alone. destroy is legal in every state, gives
 *     all memory back, waits for the CDM's own threads and not for a network, and returns within a
 *     second.
 *
 * Growth: every struct begins with its size as its maker was compiled; members come last. Whoever
 * reads one looks at no member beyond that size. A function that is NULL or lies beyond the size of
 * the table is one that the CDM does not have; those marked "required" must be there.
 *
 * This header belongs to no layer and contains no code.
 */
#ifndef CADMIUM_CDM_H
#define CADMIUM_CDM_H

#include <stdbool.h>

#include "cadmium/base.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CAD_CDM_ABI 1u               /* raised by changes of the table that size cannot tell */
#define CAD_KEY_ID_SIZE 16           /* bytes of a key id (kid) */
#define CAD_SYSTEM_ID_SIZE 16        /* bytes of a system id of a pssh box */
#define CAD_CDM_IV_SIZE 16           /* room for an IV */
#define CAD_CDM_SUBSAMPLES_MAX 4096  /* of one sample; more are CAD_E_LIMIT */

/* ---- words -------------------------------------------------------------------------------- */

/* X(name, text): protection schemes of ISO/IEC 23001-7, named by their four characters. */
#define CAD_SCHEME_LIST(X)                                                                         \
    X(CLEAR, "clear")                                                                              \
    X(CENC, "cenc") /* AES-CTR */                                                                  \
    X(CENS, "cens") /* AES-CTR with a pattern */                                                   \
    X(CBC1, "cbc1") /* AES-CBC */                                                                  \
    X(CBCS, "cbcs") /* AES-CBC with a pattern, chained anew in every subsample */
/* How a sample is encrypted. */
enum cad_scheme {
#define CAD_X(name, text) CAD_SCHEME_##name,
    CAD_SCHEME_LIST(CAD_X)
#undef CAD_X
};
/* "clear", "cenc"...; never NULL. */
const char *cad_scheme_name(enum cad_scheme scheme);

/* What init data is written in. */
enum cad_init_type {
    CAD_INIT_CENC,   /* one or more pssh boxes, ISO/IEC 23001-7 8.1 */
    CAD_INIT_KEYIDS, /* JSON, {"kids":["<base64url>", ...]} */
    CAD_INIT_WEBM,   /* the bare key id */
    CAD_INIT_RAW     /* as the key system has it */
};

/* How long a session's keys live. */
enum cad_session_type {
    CAD_SESSION_TEMPORARY,  /* until it is closed */
    CAD_SESSION_PERSISTENT  /* until they are removed */
};

/* X(name, text): what can be said of a key. */
#define CAD_KEY_STATUS_LIST(X)                                                                     \
    X(UNKNOWN, "unknown")   /* no session names it */                                              \
    X(PENDING, "pending")   /* it was asked for */                                                 \
    X(USABLE, "usable")                                                                            \
    X(FUTURE, "future")     /* it will be usable later */                                          \
    X(EXPIRED, "expired")                                                                          \
    X(RELEASED, "released") /* it was given back */                                                \
    X(OUTPUT_RESTRICTED, "output-restricted") /* not with this output */                           \
    X(OUTPUT_DOWNSCALED, "output-downscaled") /* usable; the picture is made smaller */            \
    X(ERROR, "error")
/* Whether a key can be used. */
enum cad_key_status {
#define CAD_X(name, text) CAD_KEY_##name,
    CAD_KEY_STATUS_LIST(CAD_X)
#undef CAD_X
};
/* "usable", "expired"...; never NULL. */
const char *cad_key_status_name(enum cad_key_status status);

/* What a message to the licence server is. */
enum cad_cdm_message {
    CAD_CDM_MESSAGE_REQUEST,         /* asks for keys */
    CAD_CDM_MESSAGE_RENEWAL,         /* asks for more time; the keys go on meanwhile */
    CAD_CDM_MESSAGE_RELEASE,         /* says that they were given back */
    CAD_CDM_MESSAGE_INDIVIDUALIZATION /* makes the device known */
};

/* Why a session was closed. */
enum cad_cdm_closed {
    CAD_CDM_CLOSED_HOST,     /* close was called */
    CAD_CDM_CLOSED_RELEASED, /* the server has acknowledged the release */
    CAD_CDM_CLOSED_RESET,    /* the hardware lost its state */
    CAD_CDM_CLOSED_EVICTED,  /* its place was needed */
    CAD_CDM_CLOSED_INTERNAL
};

#define CAD_HDCP_NONE 0     /* the output is not protected; 10 .. 23 are HDCP 1.0 .. 2.3 */
#define CAD_HDCP_UNKNOWN -1 /* nobody can tell */

/* ---- events ------------------------------------------------------------------------------- */

/* Names what a call is about; what answers the call says the same. The host chooses the numbers. */
struct cad_cdm_tag {
    uint32_t session; /* 1 ..; 0: the CDM as a whole */
    uint32_t epoch;   /* of the session: tells it from an earlier one of the same id */
    uint32_t op;      /* 1 ..: this call; in events 0: no call asked for it */
};

/*
 * X(name, text): what a CDM has to tell, and the fields of the event that count beside the tag.
 *
 *   DONE     result. status_for_policy: one of keys. update of a persistent session: data, its id
 *   MESSAGE  message, data, perhaps url: to be sent. Each is answered by one update, or by nothing
 *            where the server cannot be had
 *   KEYS     keys, key_count
 *   EXPIRY   time: when the session's keys end, by the wall clock. Without one they never do
 *   CLOSED   closed
 *   FAILED   result: of the session; with session 0 the whole CDM is fit only to be destroyed
 *   HDCP     hdcp: the output has changed
 *   TIMER    time: call ops->timer then, by the monotonic clock; a later TIMER replaces it
 *   STORE_*  name, of PUT data: to be answered by ops->store_done with tag.op of the event, of a
 *            PUT or DELETE when it is durable
 */
#define CAD_CDM_EVENT_LIST(X)                                                                      \
    X(DONE, "done")                                                                                \
    X(MESSAGE, "message")                                                                          \
    X(KEYS, "keys")                                                                                \
    X(EXPIRY, "expiry")                                                                            \
    X(CLOSED, "closed")                                                                            \
    X(FAILED, "failed")                                                                            \
    X(HDCP, "hdcp")                                                                                \
    X(TIMER, "timer")                                                                              \
    X(STORE_GET, "store-get")                                                                      \
    X(STORE_PUT, "store-put")                                                                      \
    X(STORE_DELETE, "store-delete")
/* What a CDM has to tell. */
enum cad_cdm_event_type {
#define CAD_X(name, text) CAD_CDM_EVENT_##name,
    CAD_CDM_EVENT_LIST(CAD_X)
#undef CAD_X
};
/* "done", "message"...; never NULL. */
const char *cad_cdm_event_name(enum cad_cdm_event_type type);

/* A key of a session, without the key. */
struct cad_cdm_key {
    uint8_t kid[CAD_KEY_ID_SIZE]; /* key id */
    enum cad_key_status status;   /* as key_ready answers, of its session alone */
    uint32_t system_code;         /* of the CDM: why; 0 none */
};

/* Something that a CDM tells. What its pointers show is the CDM's and valid during post. */
struct cad_cdm_event {
    size_t size;                     /* sizeof(struct cad_cdm_event) */
    const struct cad_cdm_event *next; /* taken together with this one; NULL: none */
    enum cad_cdm_event_type type;    /* tells which fields count */
    struct cad_cdm_tag tag;          /* of the call that it answers, or of the session */
    int result;                      /* 0 or CAD_E_* */
    uint32_t system_code;            /* of the CDM, for the log and for support; 0 none */
    enum cad_cdm_message message;    /* kind of the message in data */
    enum cad_cdm_closed closed;      /* why */
    cad_str url;                     /* where to send it; empty: as the title says */
    cad_str name;                    /* of a thing in the store */
    cad_buf data;                    /* message, session id, or what is to be stored */
    const struct cad_cdm_key *keys;  /* key_count of them; the layout grows with CAD_CDM_ABI only */
    uint32_t key_count;              /* how many */
    cad_time time;                   /* EXPIRY: ns since 1970, CAD_TIME_MAX: never */
    int32_t hdcp;                    /* CAD_HDCP_*, 10 .. 23 */
};

/* What a CDM may use of its host. It is copied by create; ctx outlives the CDM. */
struct cad_cdm_host {
    size_t size;            /* sizeof(struct cad_cdm_host) */
    struct cad_alloc alloc; /* safe for use by several threads at a time */
    struct cad_log log;     /* the same */
    void *ctx;              /* of the functions below, all of which any thread may call */
    /* Take this event and those that follow it by `next`: all, in this order, or none. The host
     * copies them, does not wait and calls nothing of the CDM. CAD_E_NOMEM: none was taken. Inside
     * of a call the CDM then undoes the call and answers CAD_E_NOMEM; a thread of its own tries
     * again. */
    int (*post)(void *ctx, const struct cad_cdm_event *events);
    cad_time (*now)(void *ctx);  /* monotonic */
    cad_time (*wall)(void *ctx); /* ns since 1970; CAD_TIME_NONE: not known yet */
    /* n bytes for secrets. CAD_E_AGAIN: none to be had yet. */
    int (*random)(void *ctx, uint8_t *out, size_t n);
};

/* ---- samples ------------------------------------------------------------------------------ */

/* A run of a sample: clear bytes, then protected ones (23001-7 7.2). */
struct cad_cdm_subsample {
    uint32_t clear_bytes;  /* passed on as they are */
    uint32_t cipher_bytes; /* encrypted, or of the pattern */
};

/* One sample as it is encrypted: 23001-7 9, 10. Its pointers are borrowed for the call. */
struct cad_cdm_sample {
    size_t size;                  /* sizeof(struct cad_cdm_sample) */
    enum cad_scheme scheme;       /* CLEAR: of a track that is protected elsewhere */
    uint8_t kid[CAD_KEY_ID_SIZE]; /* key id; chooses the session */
    uint8_t iv[CAD_CDM_IV_SIZE];  /* iv_size bytes; a constant IV is put here as well */
    uint32_t iv_size;             /* 8 or 16; 8: the rest counts as zeros */
    uint32_t crypt_blocks, skip_blocks; /* of cens and cbcs, 0 .. 15; 0 and 0: every block */
    const struct cad_cdm_subsample *subsamples; /* their sum is data.n */
    uint32_t subsample_count;     /* 0: the whole sample is one protected run */
    cad_buf data;                 /* the bytes of the sample */
    cad_time pts;                 /* for the log; CAD_TIME_NONE unknown */
    uint32_t track;               /* 0 ..: the decode thread that asks */
    uint32_t width, height;       /* of the picture, for rules of output; 0 none */
};

/* Decrypted bytes, or a decoded picture, that the host cannot read. */
struct cad_cdm_secure;

/* What a platform's decoder or screen takes it by. */
enum cad_native_kind {
    CAD_NATIVE_FD,     /* value: a file descriptor (dma-buf), the buffer's own */
    CAD_NATIVE_HANDLE, /* value: a number of the platform */
    CAD_NATIVE_POINTER /* value: an address that means something to the platform alone */
};

/* A secure buffer as the platform knows it. */
struct cad_cdm_native {
    size_t size;                /* sizeof(struct cad_cdm_native), set by the caller */
    enum cad_native_kind kind;  /* what value is */
    uint64_t value;             /* valid as long as the buffer */
    uint64_t offset, bytes;     /* where in it the sample lies */
};

/* ---- the table ---------------------------------------------------------------------------- */

#define CAD_CDM_CLEAR_PATH 1u  /* it has decrypt */
#define CAD_CDM_SECURE_PATH 2u /* it has submit */
#define CAD_CDM_DECODES 4u     /* what submit gives is a picture */

/* What a CDM can do. Its pointers live as long as the CDM. */
struct cad_cdm_caps {
    size_t size;                   /* sizeof(struct cad_cdm_caps) */
    uint32_t schemes;              /* bit 1 << enum cad_scheme */
    uint32_t session_types;        /* bit 1 << enum cad_session_type */
    uint32_t init_types;           /* bit 1 << enum cad_init_type */
    uint32_t flags;                /* CAD_CDM_CLEAR_PATH ... */
    uint32_t sessions_max;         /* open at a time; open answers CAD_E_LIMIT above it */
    uint32_t keys_max;             /* of all sessions; update answers CAD_E_LIMIT above it */
    uint32_t subsamples_max;       /* of one sample; 1 .. CAD_CDM_SUBSAMPLES_MAX */
    uint32_t init_bytes_max;       /* of request; CAD_E_LIMIT above it */
    uint32_t licence_bytes_max;    /* of update; DONE says CAD_E_LIMIT above it */
    cad_time block_max;            /* for which one decrypt or submit may wait; 0: it never does */
    const uint8_t (*system_ids)[CAD_SYSTEM_ID_SIZE]; /* of pssh boxes that it reads */
    uint32_t system_id_count;      /* how many */
    cad_str robustness, version;   /* for requests and logs; may be empty */
};

/* A CDM: one instance of a key system with its sessions. */
struct cad_cdm;

/*
 * The functions of a CDM. A plug-in keeps the table as a constant that is never unloaded.
 *
 * Results that any call of the session half may have: CAD_E_INVAL (an argument, the order of
 * calls, or a second call of a kind while the first is open), CAD_E_STALE (the epoch),
 * CAD_E_NOTFOUND (no such session), CAD_E_NOMEM, CAD_E_UNSUPPORTED (what caps does not name),
 * CAD_E_LIMIT (of caps), CAD_E_AGAIN (too much in hand: call again later), CAD_E_LOST (the CDM is
 * gone; destroy it). On each of them nothing has changed.
 */
struct cad_cdm_ops {
    size_t size;      /* sizeof(struct cad_cdm_ops) */
    uint32_t abi;     /* CAD_CDM_ABI */
    const char *name; /* "clearkey", "ocdm": for the log and for configuration */

    /* Required. key_system: "org.w3.clearkey". *out is the caller's. CAD_E_UNSUPPORTED: another key
     * system, or not on this device. CAD_E_INVAL, CAD_E_NOMEM, CAD_E_IO. Control thread. */
    int (*create)(const struct cad_cdm_host *host, cad_str key_system, struct cad_cdm **out);
    /* Required. Closes what is open, without events, and gives everything back: contract 9. The
     * decode threads are out of the CDM, and secure buffers are given back, before. */
    void (*destroy)(struct cad_cdm *cdm);
    /* Required. Constant from create to destroy. Any thread. */
    const struct cad_cdm_caps *(*caps)(const struct cad_cdm *cdm);

    /* -- session half: control thread; DONE follows where 0 is answered; data is copied -- */

    /* Before the first request; tag.session 0. DONE: CAD_E_DATA. */
    int (*set_certificate)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data);
    /* What a key would be that asks for this HDCP at least (10 .. 23); tag.session 0. */
    int (*status_for_policy)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, int32_t hdcp_min);
    /* Required. A new session, tag.session, with nothing in it. CAD_E_INVAL: the id is in use. */
    int (*open)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, enum cad_session_type type);
    /* Required. A request for the keys of this init data -> MESSAGE. May be asked again, to renew
     * or for more keys. DONE: CAD_E_DATA; CAD_E_NOTFOUND: it is no init data of this key system, or
     * names no key id where the system needs one: ask with CAD_INIT_KEYIDS. */
    int (*request)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, enum cad_init_type type,
                   cad_buf data);
    /* A persistent session that update has named; in place of request -> KEYS, EXPIRY. DONE:
     * CAD_E_NOTFOUND, CAD_E_DATA: what was stored is broken. */
    int (*load)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf id);
    /* Required. What the server answered -> KEYS, perhaps EXPIRY, MESSAGE. DONE: CAD_E_DATA: no
     * licence for the session; CAD_E_LIMIT: larger than caps say. Either way nothing changed. */
    int (*update)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data);
    /* A pssh out of a moof, whose licence may lie in it -> perhaps KEYS; never a MESSAGE. */
    int (*feed_init)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data);
    /* Wipe the keys, those in the store as well -> KEYS, MESSAGE (RELEASE), and CLOSED (RELEASED)
     * when an update has acknowledged it. A temporary session is closed -> CLOSED (HOST). */
    int (*remove)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag);
    /* Required. -> CLOSED (HOST). Keys of a temporary session are wiped. */
    int (*close)(struct cad_cdm *cdm, const struct cad_cdm_tag *tag);
    /* The timer that was asked for is due. No DONE follows. */
    void (*timer)(struct cad_cdm *cdm, cad_time now);
    /* Answers a STORE event: its op; 0, CAD_E_NOTFOUND, CAD_E_IO; what a get found. No DONE. */
    void (*store_done)(struct cad_cdm *cdm, uint32_t op, int result, cad_buf data);

    /* -- decrypt half: decode threads, beside the session half and each other -- */

    /* Required. enum cad_key_status of a key id in any session. Wait-free: contract 6. */
    int (*key_ready)(struct cad_cdm *cdm, const uint8_t kid[CAD_KEY_ID_SIZE]);
    /*
     * The clear bytes of a sample: data.n of them to out, which is data.p itself or overlaps it
     * nowhere. *system_code, which may not be NULL, is set on failure: why, in the CDM's own
     * numbers, 0 none. On failure out is not to be used. At most caps.block_max.
     * CAD_E_NO_KEY: key_ready says UNKNOWN, PENDING or FUTURE: wait for KEYS. CAD_E_KEY_EXPIRED:
     * EXPIRED, RELEASED. CAD_E_OUTPUT: OUTPUT_RESTRICTED. CAD_E_DATA: sizes or counts that
     * contradict each other. CAD_E_LIMIT: too many subsamples. CAD_E_INVAL: the buffers overlap.
     * CAD_E_UNSUPPORTED: the scheme. CAD_E_AGAIN: no room, the same again later. CAD_E_IO: the key
     * cannot be used, or the device fails. CAD_E_LOST: the CDM is gone.
     */
    int (*decrypt)(struct cad_cdm *cdm, const struct cad_cdm_sample *sample, uint8_t *out,
                   uint32_t *system_code);
    /* The same, to a buffer that the host cannot read. *out is the caller's, for secure_unref.
     * CAD_E_AGAIN: its ring is full. */
    int (*submit)(struct cad_cdm *cdm, const struct cad_cdm_sample *sample,
                  struct cad_cdm_secure **out, uint32_t *system_code);
    /* Any thread. Accepts NULL and *buffer NULL, leaves NULL. */
    void (*secure_unref)(struct cad_cdm *cdm, struct cad_cdm_secure **buffer);
    /* What the platform's decoder or screen takes. Any thread that holds the buffer.
     * CAD_E_UNSUPPORTED. */
    int (*secure_native)(struct cad_cdm *cdm, const struct cad_cdm_secure *buffer,
                         struct cad_cdm_native *out);
    /* A seek: what is queued for this track is not wanted any more. The track's decode thread. */
    void (*flush)(struct cad_cdm *cdm, uint32_t track);
};

/*
 * What a plug-in exports under the name CAD_CDM_PLUGIN_SYMBOL: its table for an ABI, or NULL if it
 * does not know that one. Constant; any thread.
 */
typedef const struct cad_cdm_ops *(*cad_cdm_plugin_fn)(uint32_t abi);
#define CAD_CDM_PLUGIN_SYMBOL "cad_cdm_plugin" /* a cad_cdm_plugin_fn */

/*
 * The CDM that comes with the library: W3C Clear Key, "org.w3.clearkey", in software. Keys lie in
 * the process's own memory. Constant; any thread.
 */
const struct cad_cdm_ops *cad_cdm_clearkey(void);

#ifdef __cplusplus
}
#endif
#endif
