/*
 * record.h - what is kept in the store: journals of playbacks and batches of logs, as bytes.
 *
 * Both are: magic (4), length of what follows the head (u32), CRC-32 of it (u32), then fields, all
 * big-endian. Reading trusts nothing: lengths are bounded, texts must be UTF-8 and what will be put
 * into a body must be JSON. A value that fails is CAD_E_DATA and is to be deleted.
 */
#ifndef CAD_TELEMETRY_RECORD_H
#define CAD_TELEMETRY_RECORD_H

#include "base/strbuf.h"
#include "cadmium/telemetry.h"

#define TEL_REQID_BYTES 16
#define TEL_BODY_MAX 32768        /* bytes of an event's body */
#define TEL_FIXED_MAX 2048        /* bytes of the members that all events of a playback share */
#define TEL_JOURNAL_MAX (256u << 10) /* bytes of the bodies of one journal */
#define TEL_BATCH_MAX (320u << 10)   /* bytes of a stored batch */
#define TEL_HEAD_BYTES 12

enum tel_event_type {
    TEL_EVENT_START, TEL_EVENT_KEEP_ALIVE, TEL_EVENT_ENGAGE, TEL_EVENT_PAUSE, TEL_EVENT_RESUME,
    TEL_EVENT_SEEK, TEL_EVENT_STOP, TEL_EVENT_TYPES
};

/* An event that was not acknowledged. */
struct tel_event {
    enum tel_event_type type;
    uint32_t seq;            /* in its playback */
    uint32_t attempts;       /* requests made */
    int64_t wall_ms;         /* when it was made; 0 unknown */
    uint8_t reqid[TEL_REQID_BYTES];
    char *body;              /* JSON */
    size_t body_n;
    uint64_t version;        /* of the journal, from which on it is in there; not stored */
};

struct tel_text { char p[CAD_TELEMETRY_ID_MAX + 1]; }; /* NUL-terminated */
struct tel_link { char p[CAD_TELEMETRY_LINK_MAX + 1]; }; /* the same */

/* The part of a journal that is stored. */
struct tel_journal_data {
    bool stopped;            /* its stop is, or was, among the events */
    uint32_t seq_next;
    int64_t position_ms, rendered_ms, started_ms;
    uint8_t stop_id[TEL_REQID_BYTES]; /* request id of the stop, whoever makes it */
    struct tel_text xid, title;
    struct tel_link link;    /* where its events go, unless the configuration says so */
    char fixed[TEL_FIXED_MAX]; /* members of params, without braces; fixed_n bytes */
    size_t fixed_n;
    struct tel_event events[CAD_TELEMETRY_EVENTS_MAX];
    uint32_t event_count;
};

/* Appends to out, whose error is sticky. */
void tel_journal_write(const struct tel_journal_data *data, struct cad_sb *out);
/*
 * *data is zero before; on success its bodies are the caller's (tel_journal_clear). CAD_E_DATA,
 * CAD_E_NOMEM; then nothing is owned.
 */
CAD_MUST_CHECK int tel_journal_read(cad_buf in, const struct cad_alloc *alloc,
                                    struct tel_journal_data *data);
void tel_journal_clear(struct tel_journal_data *data, const struct cad_alloc *alloc);

/* A batch as stored. */
struct tel_batch_data {
    uint8_t reqid[TEL_REQID_BYTES];
    uint32_t entries, attempts;
    bool gzip;
    cad_buf body; /* as sent; a view */
};
void tel_batch_write(const struct tel_batch_data *data, struct cad_sb *out);
CAD_MUST_CHECK int tel_batch_read(cad_buf in, struct tel_batch_data *data);

/* One whole JSON value and nothing else. */
bool tel_is_json(cad_str text);

#endif
