/*
 * mockd.h - what the files of cadmium-mockd share.
 *
 * mockd_main.c reads options and lives until a signal, mockd_title.c reads a title's folder,
 * mockd_host.c listens and answers, mockd_body.c hands out bodies (paced, cut), mockd_log.c writes
 * the access log, mockd_control.c obeys, mockd_stage.c has the stage of a scenario and mockd_link.c
 * its links, mockd_ingest.c takes events and logs, mockd_ftl.c has recipe and targets of probes.
 * Every connection has a thread of its own, so that a stalled, slow or thinking answer is a thread
 * that waits. One lock guards the origin, the services, the faults and the counters; bodies of
 * media are read without it.
 */
#ifndef MOCKD_H
#define MOCKD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <microhttpd.h>

#include "base/jsonw.h"
#include "mock/mock_ftl.h"
#include "mock/mock_ingest.h"
#include "mock/mock_origin.h"

#define MOCKD_UPLOAD_MAX (256u << 10) /* bytes of a request's body */
#define MOCKD_CONTROL_MAX (8u << 20)  /* the same on the control port: ladders and traces */
#define MOCKD_LINKS_MAX 16
#define MOCKD_FILLERS_MAX 4           /* connections that keep a deaf host's queue full */
#define MOCKD_DEAF_MAX 8              /* daemons whose connections a host still holds */
#define MOCKD_NAME_MAX 80             /* bytes of a file's path in the folder, NUL included */
#define MOCKD_CONNECTIONS_MAX 256     /* at a time, per host */
#define MOCKD_IDLE_S 75               /* an idle connection is kept that long */

/* ---- the title ------------------------------------------------------------------------------- */

/* A file of the title's folder that is open; what mock_asset.ctx points to. */
struct mockd_file {
    int fd;
    int64_t size_bytes;
};

struct mockd_title {
    char folder[4096];
    int folder_fd;
    struct mock_asset assets[MOCK_ASSETS_MAX]; /* pictures by rising rate, then sound */
    struct mockd_file files[MOCK_ASSETS_MAX];
    uint32_t asset_count;
    struct mock_key keys[MOCK_KEYS_MAX]; /* of the file .keys, if it is there */
    uint32_t key_count;
    cad_time duration;       /* of the longest asset */
};

/* Opens every video-*.mp4, audio-*.mp4 and text-*.ttml of a folder, and reads its keys. false: a
 * message went to stderr. */
bool mockd_title_open(struct mockd_title *title, const char *folder);
/* Writes text-en.ttml and text-de.ttml into the folder, as long as the title. false: as above. */
bool mockd_title_write_text(const struct mockd_title *title);
void mockd_title_close(struct mockd_title *title);
/* read of struct mock_asset, ctx: the struct mockd_file. Any thread. */
int mockd_file_read(void *ctx, int64_t offset, size_t n, uint8_t *out, size_t *done);

/* ---- the server ------------------------------------------------------------------------------ */

struct mockd_options {
    const char *title_dir, *title_id;
    const char *access_log, *ready_file, *tls_cert, *tls_key;
    const char *account;     /* file that tells at the end what was ingested; NULL none */
    const char *capture;     /* file that each ingested body is appended to; NULL none */
    const char *base_url;    /* of --describe */
    bool describe, mpd, asset_in_path, stage, write_text;
    uint32_t hosts;          /* 1..MOCK_HOSTS_MAX */
    uint16_t port, control_port; /* 0: any that is free */
    uint32_t ipv4;           /* that hosts listen on, host byte order: loopback, or 100.64.0.0/10 */
    int64_t url_life_s, think_ms, rate_kbps, clock_skew_s; /* rate 0: no limit */
    uint64_t seed;
    bool has_seed;
};

enum mockd_fault { MOCKD_FAULT_NONE, MOCKD_FAULT_STATUS, MOCKD_FAULT_STALL, MOCKD_FAULT_RESET,
                   MOCKD_FAULT_BLACKHOLE };

struct mockd;

/* A link that hosts share; rate and latency by a trace that begins again at its end. */
struct mockd_link {
    struct cad_trace trace;  /* no periods: there is no such link */
    int64_t cap_bps;         /* no faster than this; 0: as the trace says */
    cad_time start;          /* of the trace, monotonic */
    cad_time free_at;        /* when it is through with what was handed to it */
};

/* One server. Its port stays reserved while it is closed. */
struct mockd_host {
    struct mockd *mockd;
    uint32_t number;         /* from 1 */
    int reserve_fd;          /* bound, never listening */
    uint32_t ipv4;
    uint16_t port;
    char name[32];           /* "127.0.0.1:PORT" */
    struct MHD_Daemon *daemon; /* NULL: closed, or deaf */
    int deaf_fd;             /* deaf: listens, but its queue is full and nobody takes from it; -1 */
    int fillers[MOCKD_FILLERS_MAX];
    uint32_t filler_count;
    struct MHD_Daemon *past[MOCKD_DEAF_MAX]; /* before it was deaf: their connections live on */
    uint32_t past_count;
    bool closing;            /* waiting threads give up */
    enum mockd_fault fault;
    int64_t fault_value;     /* status, or body bytes before the cut */
    int64_t rate_kbps;       /* per connection; 0 no limit */
    uint32_t link;           /* it is on, from 1; 0: none */
    int64_t cap_bps;         /* > 0: it has left the link for `own` */
    struct mockd_link own;
    uint32_t holes;          /* how often it became a black hole */
    uint64_t requests, bytes; /* bytes of bodies */
};

struct mockd {
    struct mockd_options options;
    struct mockd_title title;
    struct mock_origin *origin; /* NULL: no title yet */
    struct mockd_stage *stage; /* whose the origin is; NULL: none */
    struct mockd_link links[MOCKD_LINKS_MAX];
    bool offline;              /* every host is a black hole */
    uint32_t outages;          /* how often that was so */
    struct mockd_host hosts[MOCK_HOSTS_MAX];
    struct mockd_host control; /* its listener; the faults are not used */
    char *tls_cert, *tls_key;  /* PEM */
    FILE *log;                 /* NULL none */
    FILE *capture;             /* NULL none */
    struct mock_ingest ingest; /* events and logs */
    struct mock_ftl *ftl;      /* recipe and targets of probes; NULL: no title yet */
    char ftl_names[MOCK_HOSTS_MAX][32]; /* of the targets */
    pthread_t main_thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;    /* of a fault, closing or quitting; monotonic clock */
    bool quitting;
};

/* One request, from its first line until its answer is gone. */
struct mockd_request {
    struct mockd_host *host;
    char *uri;               /* as sent: path and query */
    char method[16];
    bool begun, too_large;
    uint8_t *upload;
    size_t upload_bytes;
    cad_time start;          /* monotonic */
    int32_t status;
    enum mock_kind kind;
    bool is_file;            /* of /files/ or /signed/ */
    char kids[MOCKD_NAME_MAX]; /* of a licence, parted by commas, as many as fit; empty: none */
    const char *service;     /* kind in the log, of what is not the origin's; NULL: it is */
    char asset[MOCKD_NAME_MAX]; /* empty: none */
    struct cad_range range;  /* that is answered; first -1 none */
    struct cad_origin_answer answer; /* its token is released with the request */
    char header_text[8][2][80]; /* what answer.headers point to */
    struct mockd_file file;  /* fd -1: none */
    uint8_t *text;           /* a copy of a body that is text */
    int64_t body_size, cut_at, sent; /* cut_at INT64_MAX: never */
    int64_t rate_kbps;
    cad_time body_start;
    uint32_t holes;          /* of the host, and outages, when it came: more now, and it is lost */
    bool quits;              /* the control's last request */
};

/* Bind and listen; `port` 0 chooses one. false: a message went to stderr. */
bool mockd_host_init(struct mockd_host *host, struct mockd *mockd, uint32_t number, uint16_t port);
bool mockd_host_open(struct mockd_host *host);
/* Refuses connections from now on and breaks those that are open. Not from a host's own thread. */
void mockd_host_close(struct mockd_host *host);
void mockd_host_deinit(struct mockd_host *host);
/* From now on no connection is made and none refused: what asks for one gets no answer, as of a
 * host whose packets are lost. What is open stays open. And the opposite. */
void mockd_host_deafen(struct mockd_host *host);
bool mockd_host_hear(struct mockd_host *host);
bool mockd_control_open(struct mockd *mockd);
/* A listening socket on the reserved port, or -1. */
int mockd_host_listen(const struct mockd_host *host);

/* Callbacks of libmicrohttpd that hosts and control share; cls is the struct mockd_host. */
void *mockd_request_begin(void *cls, const char *uri, struct MHD_Connection *connection);
/* Collects method and body. true: the request is whole. */
bool mockd_request_collect(struct mockd_request *request, const char *method, const char *data,
                           size_t *n);
void mockd_request_end(void *cls, struct MHD_Connection *connection, void **context,
                       enum MHD_RequestTerminationCode how);

/* Adds a header to the answer; name and value are copied, and cut at 79 bytes. */
void mockd_body_header(struct mockd_request *request, cad_str name, cad_str value);
/* Sets the body from text, which is copied. */
bool mockd_body_text(struct mockd_request *request, const char *text, size_t n);
/* Queues request->status with the body that was set, and headers of the answer. */
enum MHD_Result mockd_body_send(struct mockd_request *request, struct MHD_Connection *connection);

/* One line for a request that is over. `whole`: the connection did not break. */
void mockd_log_request(struct mockd *mockd, const struct mockd_request *request, bool whole);

/* ---- a scenario's stage: mockd_stage.c, mockd_link.c ---------------------------------------- */

/* Commands; NULL: done, else what is wrong. The title is query and ladder file (docs/mocks.md). */
const char *mockd_stage_title(struct mockd *mockd, cad_str query, cad_str ladder);
const char *mockd_stage_link(struct mockd *mockd, uint32_t n, cad_str trace);
const char *mockd_stage_host_link(struct mockd_host *host, int64_t n);
/* The traces of all links begin. */
void mockd_stage_start(struct mockd *mockd);
void mockd_stage_deinit(struct mockd *mockd);
/* One round trip to a host. */
cad_time mockd_stage_latency(struct mockd_host *host);
/* A request comes in. */
void mockd_stage_enter(struct mockd_request *request);
/* Waits for the link to carry at most *n bytes of a body, and says how many. false: break off. */
bool mockd_stage_pace(struct mockd_request *request, size_t *n);
/* false: the host swallowed it, and has closed meanwhile. */
bool mockd_stage_passes(struct mockd_request *request);
/* When n bytes that are handed to it now are through. */
cad_time mockd_link_take(struct mockd_link *link, cad_time now, size_t n);
/* Bytes to hand to it at a time. */
size_t mockd_link_piece(const struct mockd_link *link, cad_time now);
cad_time mockd_link_latency(const struct mockd_link *link, cad_time now);

/* ---- telemetry ingestion: mockd_ingest.c ----------------------------------------------------- */

/* A request for an ingestion path. false: the connection ends without an answer. */
bool mockd_ingest_serve(struct mockd_request *request, struct MHD_Connection *connection,
                        cad_time *think);
/* "/ingest/REST"; NULL: done, else what is wrong. */
const char *mockd_ingest_command(struct mockd *mockd, cad_str rest, cad_str query);
/* The account as the body of an answer of the control port. */
bool mockd_ingest_account(struct mockd *mockd, struct mockd_request *request, cad_str query);
/* Writes it to the file that was asked for. false: a message went to stderr. */
bool mockd_ingest_save(const struct mockd *mockd);

/* ---- licences: mockd_licence.c --------------------------------------------------------------- */

/* "/licence/REST"; NULL: done, else what is wrong. */
const char *mockd_licence_command(struct mockd *mockd, cad_str rest, cad_str query);
/* What the service was asked and gave, as a member of an object. The lock is held. */
void mockd_licence_counts(const struct mockd *mockd, struct cad_jsonw *w);
/* Keeps the key ids of a request for the log. */
void mockd_licence_note(struct mockd_request *request, const struct mock_origin_seen *seen);

/* ---- probes: mockd_ftl.c --------------------------------------------------------------------- */

/* Recipe and targets for the hosts of mockd->origin, all well. The lock is held, or no host is
 * open. false: out of memory. */
bool mockd_ftl_renew(struct mockd *mockd);
bool mockd_ftl_is_path(cad_str path);
/* As mockd_ingest_serve. */
bool mockd_ftl_serve(struct mockd_request *request, cad_time *think);
/* "/ftl/REST"; NULL: done, else what is wrong. */
const char *mockd_ftl_command(struct mockd *mockd, cad_str rest, cad_str query);

/* ---- small things ---------------------------------------------------------------------------- */

/* A number of a command's query within bounds. */
bool mockd_query_number(cad_str query, const char *name, int64_t low, int64_t high, int64_t *out);
/* A text of a command's query, "+" being a blank and %XX undone; out stays if it is malformed. */
void mockd_query_text(cad_str query, const char *name, char *out, size_t cap);
/* Writes a file under another name first, so that who finds it finds all of it. false: a message
 * went to stderr. */
bool mockd_write_whole(const char *name, cad_str text);
cad_time mockd_monotonic(void);
/* The server's clock: Unix epoch, ms, with the skew. */
int64_t mockd_now_ms(const struct mockd *mockd);
/* Waits until a time, or less if the host closes. false: it does. The lock is not held. */
bool mockd_wait(struct mockd_host *host, cad_time until);

#endif
