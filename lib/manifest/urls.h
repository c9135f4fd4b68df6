/*
 * urls.h - where the segments of a representation are: templates and lists of URLs (23009-1 5.3.9).
 *
 * A parser fills the struct, cad_segment_url and cad_init_url (manifest.h) read it. Nothing in it
 * is per segment but the items of a SegmentList, which the document spells out one by one.
 */
#ifndef CAD_MANIFEST_URLS_H
#define CAD_MANIFEST_URLS_H

#include "manifest/manifest.h"

/* Segments of equal duration that follow each other in time and number. */
struct cad_url_run {
    int64_t start;    /* media ticks of the first, as published: what $Time$ becomes */
    int64_t duration; /* ticks of each, > 0 */
    int64_t number;   /* of the first */
    uint32_t first;   /* index of the first; the run ends where the next one begins */
    uint32_t item;    /* of the first, in the list of URLs */
};

struct cad_url_item {
    cad_str url;            /* reference; empty: the location itself */
    struct cad_range bytes; /* first -1: all */
};

struct cad_segment_urls {
    cad_str id;             /* $RepresentationID$ */
    int64_t bandwidth;      /* $Bandwidth$ */
    cad_str media;          /* template of a media segment; empty: the items, or the location */
    const struct cad_url_item *items;
    uint32_t item_count;
    const struct cad_url_run *runs;
    uint32_t run_count;
    uint32_t count;         /* segments */
    bool has_init;          /* there is an initialisation segment outside of the media resource */
    cad_str init;           /* template of its reference; empty: the location itself */
    struct cad_range init_bytes; /* first -1: all */
};

/* A segment's place in the published timeline. */
struct cad_url_segment {
    int64_t start, duration, number;
    uint32_t item;
};
/* O(log runs). CAD_E_NOTFOUND past the end. */
CAD_MUST_CHECK int cad_urls_at(const struct cad_segment_urls *urls, uint32_t index,
                               struct cad_url_segment *out);

/*
 * Resolve a reference as published against a base: white space around it is dropped, bytes that no
 * URL may contain become %XX. A base that is no absolute URL gives a path relative to what it is
 * relative to. Appends to out; CAD_E_DATA, CAD_E_LIMIT, CAD_E_NOMEM leave its text alone.
 */
CAD_MUST_CHECK int cad_urls_resolve(cad_str base, cad_str ref, struct cad_sb *out);

#endif
