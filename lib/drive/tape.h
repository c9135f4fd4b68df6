/*
 * tape.h - the format of a tape: numbers, records, events, the header; for both ends of it.
 *
 *     "CADTAPE1"  varint size  header (JSON)  CRC-32 of the header
 *     { varint kind  varint delta_ns  varint size  body  CRC-32 of the record before it } ...
 *
 * A TURN is everything that the engine took since the turn before, as a list of ops, and then the
 * turn itself at the sum of all delta_ns. Numbers are LEB128, signed ones zigzag; CRC-32 is the one
 * of IEEE 802.3, big-endian.
 */
#ifndef CAD_DRIVE_TAPE_H
#define CAD_DRIVE_TAPE_H

#include <stdbool.h>

#include "cadmium/tape.h"

#include "base/strbuf.h"

#define TAPE_RECORD_MAX (16u << 20)   /* bytes of one record's body */
#define TAPE_HEADER_MAX 65536u        /* bytes of the header's JSON */
#define TAPE_BATCH 32768u             /* bytes of ops after which they become a record */
#define TAPE_NOW_MAX (INT64_C(1) << 62)
#define TAPE_FIELDS_MAX 24            /* numbers of one event */
#define TAPE_EVENTS (CAD_EVENT_CDM + 1) /* of STORE_DONE nothing is recorded */
#define TAPE_NAMES 9                  /* strings of an engine's configuration */
#define TAPE_NAME_SIZE 256            /* bytes of one with its NUL; more is cut */
#define TAPE_KEYS_MAX 256             /* keys of an event of the CDM */
#define TAPE_SYSTEMS_MAX 32           /* systems of a CDM */

enum tape_kind {
    TAPE_TURN = 1,    /* varint flags, what they announce, ops */
    TAPE_INPUTS,      /* ops without a turn */
    TAPE_BODY,        /* varint id, bytes: of a control body, for its CONTROL ops */
    TAPE_CHECKPOINT,  /* varint turns, varint decisions, 8 bytes of hash */
    TAPE_END          /* as a checkpoint; the recording was ended */
};

enum tape_flag {
    TAPE_DECIDED = 1,   /* decisions were taken: 2 bytes of their hash follow */
    TAPE_NOT_POLLED = 2,/* not all actions were polled before it: varint how many */
    TAPE_MORE = 4       /* the turn answered that work is left */
};

enum tape_op {
    TAPE_OP_PULL = 1,   /* varint slot, varint count */
    TAPE_OP_BYTES,      /* id, varint n, at, n bytes */
    TAPE_OP_GAP,        /* id, varint n, at: bytes that do not matter */
    TAPE_OP_CONTROL,    /* id, varint n, at: bytes are in a BODY */
    TAPE_OP_EVENT = 16  /* + enum cad_event_type: varint size, fields */
};

/* ---- numbers ---- */
void tape_put_u64(struct cad_sb *sb, uint64_t v);
void tape_put_i64(struct cad_sb *sb, int64_t v);
void tape_put_bytes(struct cad_sb *sb, const uint8_t *p, size_t n);
uint32_t tape_crc(cad_buf bytes);
void tape_put_crc(struct cad_sb *sb); /* of all that sb holds */

/* Reads on past the end and gets zeros; `failed` is tested once. */
struct tape_reader {
    const uint8_t *p;
    size_t n;
    bool failed;
};
uint64_t tape_get_u64(struct tape_reader *r);
int64_t tape_get_i64(struct tape_reader *r);
/* A number at most `most`, else failed and 0. */
uint64_t tape_get_max(struct tape_reader *r, uint64_t most);
cad_buf tape_get_bytes(struct tape_reader *r, size_t n);

/* ---- records ---- */
struct tape_record {
    uint32_t kind;
    uint64_t delta_ns;
    cad_buf body;
    size_t size;        /* of the whole record */
};
/* Replace sb's text by a record. */
void tape_put_record(struct cad_sb *sb, enum tape_kind kind, uint64_t delta_ns, cad_buf body);
/* The record at the start of `bytes`. CAD_E_END: none is left; CAD_E_AGAIN: it is cut off;
 * CAD_E_DATA: its CRC or size is wrong. check false: the CRC is not looked at. */
CAD_MUST_CHECK int tape_get_record(cad_buf bytes, bool check, struct tape_record *out);

/* ---- header ---- */
/* JSON of the configuration, without its strings' owners. */
CAD_MUST_CHECK int tape_header_write(const struct cad_engine_config *config, cad_str commit,
                                     bool full, struct cad_sb *out);
struct tape_header {
    struct cad_engine_config config; /* alloc and log are not set; abr by name */
    char names[TAPE_NAMES][TAPE_NAME_SIZE]; /* that config's strings point to */
    size_t licence_n;                /* bytes of the licence that was at hand: zeros stand for it */
    char abr[32], version[32], commit[48];
    bool full;
};
/* CAD_E_DATA, CAD_E_LIMIT. *out must not move afterwards. */
CAD_MUST_CHECK int tape_header_read(cad_str json, struct tape_header *out);

/* ---- events ---- */
/* The last event of each type, which the next one is told as a difference to. */
struct tape_past {
    int64_t fields[TAPE_EVENTS][TAPE_FIELDS_MAX];
    /* What events that were read last point to: */
    struct cad_cdm_caps caps;
    uint8_t systems[TAPE_SYSTEMS_MAX][CAD_SYSTEM_ID_SIZE];
    struct cad_cdm_key keys[TAPE_KEYS_MAX];
    struct cad_header headers[CAD_HTTP_HEADERS_MAX];
};
/* Append size and fields. CAD_E_UNSUPPORTED: an event that this file does not know. */
CAD_MUST_CHECK int tape_event_put(struct tape_past *past, const struct cad_event *event,
                                  struct cad_sb *scratch, struct cad_sb *out);
/* Views in *out are into the reader's bytes and past. ENTROPY: u.entropy.n only, CDM: u.cdm.data.n
 * only; the bytes are not on the tape. CAD_E_DATA. */
CAD_MUST_CHECK int tape_event_get(struct tape_past *past, enum cad_event_type type,
                                  struct tape_reader *r, struct cad_event *out);
/* "anchor epoch=2 media=..." for people. */
void tape_event_text(const struct cad_event *event, struct cad_sb *out);

#endif
