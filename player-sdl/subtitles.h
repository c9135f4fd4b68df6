/*
 * subtitles.h - documents of timed text between the sink, which brings them, and who shows them.
 *
 *     subtitles_put(&subtitles, sample)              the sink's thread: cad_text_fn of decode.h
 *     changed = subtitles_look(&subtitles, t, work)  one thread: what is shown at t
 *     subtitles.isd                                  valid until the next look; NULL: nothing
 *
 * Reading a document is work for many pictures: a look reads at most `work` bytes. One that the
 * sink takes back and brings again, as it does after a seek, is not read again.
 */
#ifndef PLAYER_SUBTITLES_H
#define PLAYER_SUBTITLES_H

#include <pthread.h>

#include "base/strbuf.h"
#include "cadmium/actions.h"
#include "cadmium/text.h"

#define SUBTITLES_MAX 8         /* documents that are kept; of more the oldest goes */
#define SUBTITLES_WORK 65536    /* bytes in one look that keep pictures smooth: about 2 ms */

struct subtitles_document {
    struct cad_ref *ref;        /* holds data; NULL: the row is free */
    const uint8_t *data;
    size_t size;
    cad_time pts, duration;     /* 0: until another one */
    bool counts;                /* it is to be shown; else the sink took it back */
    uint64_t order;             /* of two for the same time the later one is shown */
    struct cad_text_parser *parser; /* while it is read */
    size_t fed;                 /* bytes that the parser has */
    struct cad_text *text;      /* when it was read */
    bool failed;                /* it cannot be */
};

struct subtitles {
    pthread_mutex_t mutex;      /* over what is in the inbox */
    struct subtitles_document inbox[SUBTITLES_MAX]; /* in order */
    uint32_t inbox_count;
    bool cleared;               /* all that was there before the inbox counts no more */
    void (*notify)(void *ctx);  /* something came; any thread; NULL none */
    void *ctx;
    /* of the thread that looks */
    struct subtitles_document documents[SUBTITLES_MAX];
    uint64_t order;
    uint64_t shown;             /* order of the document that isd is of; 0 none */
    struct cad_text_isd *isd;   /* NULL: nothing is shown */
    cad_time begin, end;        /* of it, in the time of the title */
    uint32_t failures;          /* documents that could not be read */
    struct cad_text_error error; /* why the last of them could not */
};

/* False: the system gives no lock. notify may only signal. */
bool subtitles_init(struct subtitles *subtitles, void (*notify)(void *ctx), void *ctx);
void subtitles_deinit(struct subtitles *subtitles);
/* Borrowed for the call; keeps a reference. ctx is the struct subtitles. */
void subtitles_put(void *ctx, const struct cad_sample *sample);
/* True: another ISD is shown, or none, than after the last look. */
bool subtitles_look(struct subtitles *subtitles, cad_time t, size_t work);
/* Whether documents wait to be read. */
bool subtitles_is_busy(struct subtitles *subtitles);
/* Why the newest document that cannot be read cannot, in one line on standard error. */
void subtitles_complain(const struct subtitles *subtitles);
/* The words of an ISD without their looks, lines ended by '\n' but for the last; annotations of
 * ruby, and what is there and not visible, are left out. Nothing for NULL. */
void subtitles_words(const struct cad_text_isd *isd, struct cad_sb *out);

#endif
