/*
 * net_easy.h - one transfer of the network transport: its curl handle, what it is asked, how far it
 * is. Inside of net.c and net_easy.c only.
 *
 * The handle is made once for a place in the table and used again and again; constant options are
 * set when it is made, the others at each start.
 */
#ifndef CAD_DRIVE_NET_EASY_H
#define CAD_DRIVE_NET_EASY_H

#include <curl/curl.h>

#include "drive/net_guard.h"
#include "drive/net_head.h"
#include "drive/net_keylog.h"
#include "drive/net_origin.h"
#include "drive/transport.h"

enum net_state {
    NET_FREE,
    NET_REFUSED,  /* wrong from the start: its end waits for the next pump */
    NET_HELD,     /* a connection is about to be ready for it: curl does not have it yet */
    NET_CONNECTING,
    NET_SENT      /* connected: the silence timer runs */
};

struct net_transfer {
    enum net_state state;
    CURL *easy;                 /* NULL until the place is first used */
    struct curl_slist *headers; /* of this request */
    const struct cad_transport_door *door;
    struct cad_net_origins *origins;
    struct cad_transport_delivery delivery;
    bool warm;                  /* asks with HEAD, tells nobody */
    bool beside;                /* warm: others of this origin were under way when it began */
    uint64_t origin;            /* cad_net_origin_key */
    struct net_guard guard;
    enum cad_address_class address; /* of the peer, once it is connected */
    enum cad_http_class cls;    /* why we ended it ourselves; OK: we did not */
    int64_t edge_code;          /* with cls */
    bool stale;                 /* the engine does not want it: no end */
    cad_time started;
    cad_time asked;             /* when curl got it: >= started */
    cad_time held_until;        /* NET_HELD: no longer than that */
    cad_time heard;             /* last byte, or connected */
    cad_time first_byte, last_byte; /* CAD_TIME_NONE none */
    cad_time connect_timeout, silence_timeout; /* <= 0 none */
    size_t head_bytes;          /* of header lines so far */
    struct cad_net_head head;
};

/*
 * Who is trusted: the file alone; else the folder, whose certificates are looked up by the hash of
 * their subject as they are needed; else what libcurl was built with, which it reads and parses as
 * a whole for each connection (25 ms for Debian's 140 roots, on the drive thread).
 */
struct net_roots {
    const char *file;
    const char *folder;
};

/* What all handles of a transport are made with. */
struct net_setup {
    struct net_roots roots;
    const char *proxy;                /* NULL: none */
    struct net_keylog *key_log;       /* NULL: none; outlives all connections */
};

/* path if it is a folder with at least one certificate under its hash; else NULL. */
const char *cad_net_system_folder(const char *path);
/* A handle with the constant options. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_net_easy_make(struct net_transfer *transfer, const struct net_setup *setup);
/* The transfer's state before it is asked anything: door, origins and what it was made with
 * stay. */
void cad_net_easy_reset(struct net_transfer *transfer, const struct cad_http_start *start);
/* The options of this request. CAD_E_NOMEM; CAD_E_INVAL: it cannot be asked (cls says why). */
CAD_MUST_CHECK int cad_net_easy_ask(struct net_transfer *transfer,
                                    const struct cad_http_start *start);
/* After cad_net_easy_ask: a HEAD, on an idle connection or a new one, that waits for nobody. */
CAD_MUST_CHECK int cad_net_easy_warm(struct net_transfer *transfer, cad_time connect_timeout);
/* How a finished transfer ended; all of *end. */
void cad_net_easy_end(const struct net_transfer *transfer, CURLcode code, struct cad_http_end *end);
/* When it has been silent for too long; CAD_TIME_NONE never. */
cad_time cad_net_easy_limit(const struct net_transfer *transfer);
enum cad_http_class cad_net_class(CURLcode code, bool connected);

#endif
