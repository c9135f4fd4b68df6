/*
 * transport_contract.h - the contract of drive/transport.h as tests over any implementation.
 *
 * An implementation says how it is made, where its resources are and what it can do wrong:
 *
 *     int main(void) { return transport_contract_run(&(struct transport_kind){.name = "x", ...}); }
 *
 * The suite drives it with a recording door in place of an engine.
 */
#ifndef CAD_TESTS_TRANSPORT_CONTRACT_H
#define CAD_TESTS_TRANSPORT_CONTRACT_H

#include "drive/transport.h"

struct transport_kind {
    const char *name;
    int (*create)(struct cad_transport **out);
    /* The URL of a resource that holds n bytes of transport_pattern. */
    void (*url)(int64_t n, char *out, size_t cap);
    /* URLs of resources that fail; NULL where an implementation knows no such thing. */
    const char *missing;      /* answered 404, or ended with CAD_HTTP_NO_FILE */
    bool missing_is_answer;   /* it is a 404 */
    const char *refused;      /* nobody listens */
    const char *stall;        /* 5000 of 10000 bytes, then silence */
    const char *silent;       /* accepted, never answered */
    const char *reset, *cut;  /* 5000 of 10000 bytes, then broken */
    const char *told;         /* answered with TRANSPORT_TOLD_LINES among its headers */
    const char *warm;         /* to have a connection ready to; NULL: has no connections */
    enum cad_address_class address; /* where its peers are; UNKNOWN: it has no addresses */
    uint32_t http_version;    /* that its peers speak; 0: none */
    /* Lets time pass until the transport has something to do or `until`; default: poll on fd. */
    void (*wait)(struct cad_transport *transport, cad_time until);
    cad_time (*now)(void);    /* default: CLOCK_MONOTONIC */
};

/* Header lines of which a head tells some: each name once, the first of it, in lower case. */
#define TRANSPORT_TOLD_LONG                                                                        \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789"                       \
    "0123456789012345678901234567890123456789012345678901234567890123456789"
#define TRANSPORT_TOLD_LINES                                                                       \
    "Via: 1.1 first\r\nX-Other: not told\r\nVIA: 1.1 second\r\n"                                 \
    "X-FTL-Probe-Data: \t abc \r\n"                                                               \
    "x-ftl-error:\r\nLatency-Trace: " TRANSPORT_TOLD_LONG "\r\n"

int transport_contract_run(const struct transport_kind *kind);

/* ---- for further tests of one implementation: a bench with a recording door ------------------ */

#define BENCH_IDS 64
#define BENCH_BYTES (4 * 1024 * 1024)

/* What came in for one id. */
struct bench_record {
    uint32_t heads, ends;
    bool disorder;           /* bytes before the head, or anything after the end */
    struct cad_http_head head;
    char location[256];
    struct {
        char name[64], value[CAD_TRANSPORT_TOLD_BYTES + 1];
    } told[CAD_HTTP_HEADERS_MAX]; /* head.header_count of them */
    struct cad_http_end end;
    uint8_t *bytes;          /* BENCH_BYTES */
    size_t n;
    cad_time at_last;
    bool at_back;            /* commit times went back */
};

struct bench {
    const struct transport_kind *kind;
    struct cad_transport *transport;
    struct bench_record records[BENCH_IDS];
    size_t lease_max;        /* bytes of one lease */
    int64_t fail_after;      /* bytes of an id after which lease fails; -1 never */
    int fail_with;
    bool overrun;            /* more was committed than leased */
    size_t leased;
    bool inside;             /* start or cancel is running: the door must stay shut */
    uint32_t calls;          /* of the door, for any id */
};

int bench_setup(const struct transport_kind *kind, struct bench **out);
void bench_teardown(struct bench *bench);
/* A plain GET with time-outs of 2 s. */
void bench_request(uint32_t id, const char *url, struct cad_http_start *out);
int bench_start(struct bench *bench, const struct cad_http_start *start);
void bench_cancel(struct bench *bench, uint32_t id);
void bench_warm(struct bench *bench, const char *url);
/* Pump once and wait for more, shortly. */
void bench_pump(struct bench *bench);
/* Pump until id has ended or `timeout` is over. True: ended. */
bool bench_run(struct bench *bench, uint32_t id, cad_time timeout);
/* Pump for that long whatever comes. */
void bench_idle(struct bench *bench, cad_time duration);
/* True if the bytes are the pattern from `first`. */
bool bench_is_pattern(const struct bench_record *record, int64_t first, size_t n);
cad_time bench_now(const struct bench *bench);

#endif
