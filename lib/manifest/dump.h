/*
 * dump.h - what the parts of the canonical dump share: the writer and members of each kind.
 *
 * "Absent means left out": each function writes nothing for an absent value.
 */
#ifndef CAD_MANIFEST_DUMP_H
#define CAD_MANIFEST_DUMP_H

#include "cadmium/manifest.h"

#include "base/checked.h"
#include "base/jsonw.h"
#include "base/strbuf.h"

struct cad_dash_side;

struct cad_dump {
    struct cad_jsonw json;
    struct cad_sb text; /* what json writes into */
    struct cad_sb url;  /* one escaped URL or base64 text */
    int url_error;      /* the first of url, which is reset for each */
    const struct cad_presentation *presentation;
};

/* a / b (b > 0) millionths, rounded to whole ones, halves away from zero; saturating. */
void cad_dump_micros(struct cad_dump *d, const char *key, cad_i128 a, cad_i128 b);
/* a / b (b > 0), rounded in the same way. */
void cad_dump_ratio(struct cad_dump *d, const char *key, int64_t a, int64_t b);
void cad_dump_time(struct cad_dump *d, const char *key, cad_time t); /* CAD_TIME_NONE: absent */
void cad_dump_text(struct cad_dump *d, const char *key, cad_str text); /* empty: absent */
void cad_dump_number(struct cad_dump *d, const char *key, int64_t value, int64_t absent);
void cad_dump_flag(struct cad_dump *d, const char *key, bool value); /* only when true */
/* With bytes that no URL has as %XX. */
void cad_dump_url(struct cad_dump *d, const char *key, cad_str url);
void cad_dump_range(struct cad_dump *d, const char *key, struct cad_range range);
/* 16 bytes as 8-4-4-4-12 lower-case digits. */
void cad_dump_uuid(struct cad_dump *d, const char *key, const uint8_t *uuid);
void cad_dump_open_array(struct cad_dump *d, const char *key);
/* One place of media, of those that are listed where there are several. */
void cad_dump_place(struct cad_dump *d, cad_str url, cad_str service_location);

/* dash_dump.c: every member of an MPD's dump but "format" and "type". */
void cad_dump_dash(struct cad_dump *d, const struct cad_dash_side *side);

#endif
