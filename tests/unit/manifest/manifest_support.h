/*
 * manifest_support.h - what the tests of this room share: documents, parsing with chosen options,
 * and editing of a document member by member.
 *
 * Functions assert that what must not fail does not; outcomes under test are returned.
 */
#ifndef CAD_TESTS_MANIFEST_SUPPORT_H
#define CAD_TESTS_MANIFEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cadmium/manifest.h"

#include "base/strbuf.h"

#define TEST_NOW_MS INT64_C(1772324400000)

/* What a parse gave. presentation is NULL and dump empty unless rc is 0. */
struct outcome {
    int rc;
    struct cad_manifest_error error;
    struct cad_presentation *presentation;
    cad_buf dump;
};

/* http, DRM, base URL https://svc.test/manifest, now TEST_NOW_MS. */
struct cad_manifest_options test_options(void);

/* Parse with the options (NULL: test_options), so many tokens a step (0: all at once). */
struct outcome test_parse(cad_str document, const struct cad_manifest_options *options,
                          uint32_t tokens);
struct outcome test_parse_z(const char *document);
void outcome_free(struct outcome *o);

/* tests/golden/manifest/NAME; freed by the caller with test_free_text. */
cad_str test_read_golden(const char *name);
void test_free_text(cad_str *text);

/* A member of an object somewhere in a document. */
struct member {
    cad_str key;      /* as written */
    cad_str value;    /* its text */
    char type;        /* of the value: s n b z o a */
    uint32_t depth;   /* open containers around it */
    bool in_stream;   /* inside an array named streams */
};

/* The n-th key of the document in document order; false past the last. */
bool find_member(cad_str document, uint32_t n, struct member *out);
/* The n-th member with this key; asserts that there is one. */
struct member named_member(cad_str document, const char *key, uint32_t n);
/* The document with the member's value replaced, or without the member (replacement NULL). */
void edit_member(cad_str document, const struct member *member, const char *replacement,
                 struct cad_sb *out);
/* The parse of document with the n-th member called key replaced or, with NULL, taken away. */
struct outcome parse_edited(cad_str document, const char *key, uint32_t n,
                            const char *replacement);

/*
 * A small whole manifest: one video stream "v", one audio stream "a". Each part is the text of
 * members that are added ("" for none), e.g. "\"bookmark\":5,".
 */
struct small {
    const char *top;    /* before the other members of the top level */
    const char *track;  /* of the video track */
    const char *stream; /* of the video stream */
    const char *urls;   /* the video stream's urls array; NULL: one good URL */
};
void small_manifest(const struct small *parts, struct cad_sb *out);
struct outcome parse_small(const struct small *parts);

const struct cad_track *track_of(const struct outcome *o, const char *id);
const struct cad_representation *rep_of(const struct outcome *o, const char *id);

/* <MPD attributes>inner</MPD>; then the same with inner in <Period><AdaptationSet set>, 20 s. */
struct outcome parse_mpd(const char *attributes, const char *inner);
struct outcome parse_set(const char *set, const char *inner);
/* parse_mpd and parse_set, and the dump must contain this text; freed here. */
void assert_mpd_dump(const char *attributes, const char *inner, const char *part);
void assert_set_dump(const char *set, const char *inner, const char *part);

void assert_str(cad_str s, const char *expected);

#endif
