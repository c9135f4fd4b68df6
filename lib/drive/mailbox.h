/*
 * mailbox.h - what other threads tell the drive thread, and what the drive thread tells the sink's.
 *
 * Commands are kept in order and never dropped: a full mailbox refuses. The sink's reports are
 * levels, of which only the newest matters: a newer anchor replaces an older one, a newer level
 * takes over the first picture and the end that an unread one of its epoch reported, and failures
 * are kept until CAD_MAILBOX_FAILS_MAX. So a sink can always report, whatever the drive thread
 * does.
 *
 * In the other direction there are two orders, configure and flush, and of each only the newest
 * matters too; they keep their order.
 *
 * Every call locks one mutex for a few copies; none waits for anything else.
 */
#ifndef CAD_DRIVE_MAILBOX_H
#define CAD_DRIVE_MAILBOX_H

#include <pthread.h>
#include <stdbool.h>

#include "base/ring.h"
#include "cadmium/sink.h"

#define CAD_MAILBOX_FAILS_MAX 8

/* A command with the strings of its title. */
struct cad_mail {
    struct cad_command command;
    char *text;          /* NULL: no strings */
    size_t text_size;
};

/* What sinks have said since the last look. */
struct cad_mail_reports {
    bool has_caps, has_anchor, has_level;
    struct cad_sink_caps caps;
    struct cad_sink_anchor anchor;
    struct cad_sink_level level;
    struct cad_sink_fail fails[CAD_MAILBOX_FAILS_MAX];
    uint32_t fail_count;
};

struct cad_mailbox {
    struct cad_alloc alloc;
    pthread_mutex_t mutex;
    struct cad_ring commands; /* struct cad_mail */
    struct cad_mail_reports reports;
};

/* CAD_E_NOMEM, CAD_E_IO. */
CAD_MUST_CHECK int cad_mailbox_init(struct cad_mailbox *box, const struct cad_alloc *alloc,
                                    uint32_t commands_max);
void cad_mailbox_deinit(struct cad_mailbox *box);

/* Any thread. Strings are copied. CAD_E_LIMIT: full; CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_mailbox_command(struct cad_mailbox *box, const struct cad_command *command);
void cad_mailbox_caps(struct cad_mailbox *box, const struct cad_sink_caps *caps);
void cad_mailbox_report(struct cad_mailbox *box, const struct cad_sink_report *report);

/* A copy of a command with its strings, for cad_mail_release. CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_mail_copy(struct cad_mailbox *box, const struct cad_command *command,
                                 struct cad_mail *out);

/* The drive thread. False: none. *out is given back with cad_mail_release. */
bool cad_mailbox_take(struct cad_mailbox *box, struct cad_mail *out);
void cad_mail_release(struct cad_mailbox *box, struct cad_mail *mail);
/* What was reported since the last call, cleared. */
void cad_mailbox_take_reports(struct cad_mailbox *box, struct cad_mail_reports *out);

/* ---- to the sink's thread ------------------------------------------------------------------- */

struct cad_orders {
    bool has_config, has_flush;
    bool flush_first;            /* the flush was given before the configuration */
    struct cad_sink_config config;
    uint32_t flush_epoch;
    cad_time flush_position;
};

struct cad_orderbox {
    pthread_mutex_t mutex;
    pthread_cond_t cond;         /* on CLOCK_MONOTONIC */
    bool signal;                 /* something to do since the last take */
    struct cad_orders orders;
};

CAD_MUST_CHECK int cad_orderbox_init(struct cad_orderbox *box);
void cad_orderbox_deinit(struct cad_orderbox *box);
/* Adds what `orders` has, in its order, after what waits; at once, so that a flush is never seen
 * without the configuration of the same turn. */
void cad_orderbox_post(struct cad_orderbox *box, const struct cad_orders *orders);
/* Wakes the sink's thread without an order: there are samples. */
void cad_orderbox_signal(struct cad_orderbox *box);
/* What waits, cleared. */
void cad_orderbox_take(struct cad_orderbox *box, struct cad_orders *out);
/* Until a post or signal since the last take, or until `until` (CAD_TIME_NONE: without end). */
void cad_orderbox_wait(struct cad_orderbox *box, cad_time until);

void cad_orders_config(struct cad_orders *orders, const struct cad_sink_config *config);
/* Epochs as the sink counts them. */
void cad_orders_shift(struct cad_orders *orders, uint32_t by);
void cad_orders_flush(struct cad_orders *orders, uint32_t epoch, cad_time position);

/* A condition variable on CLOCK_MONOTONIC. CAD_E_IO. */
CAD_MUST_CHECK int cad_cond_init(pthread_cond_t *cond);

#endif
