/*
 * text_support.h - documents for the tests of timedtext: parsed in slices of a given size.
 */
#ifndef CAD_TESTS_TEXT_SUPPORT_H
#define CAD_TESTS_TEXT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/text.h"

#include "base/str.h"

#define TT_OPEN                                                                                    \
    "<tt xmlns='http://www.w3.org/ns/ttml' xmlns:tts='http://www.w3.org/ns/ttml#styling' "         \
    "xmlns:ttp='http://www.w3.org/ns/ttml#parameter' xmlns:ebutts='urn:ebu:tt:style' "             \
    "xmlns:itts='http://www.w3.org/ns/ttml/profile/imsc1#styling' "                                \
    "xmlns:ittp='http://www.w3.org/ns/ttml/profile/imsc1#parameter' "                              \
    "xmlns:smpte='http://www.smpte-ra.org/schemas/2052-1/2010/smpte-tt' "

/* A whole document: attributes of tt, styling and layout, body. */
#define TT(attributes, head, body) TT_OPEN attributes "><head>" head "</head>" body "</tt>"
/* Content of a p in a document that says nothing else. */
#define TT_P(content) TT("", "", "<body><div><p>" content "</p></div></body>")

/* Feeds and finishes; the result, with the document in *out where it is 0. */
int text_parse(const struct cad_text_options *options, cad_str document, size_t slice,
               struct cad_text **out);
/* The same with defaults; fails the test when the document is refused. */
struct cad_text *text_of(const char *document);
/* The ISD of a document at t, in nanoseconds; the test frees both. */
struct cad_text_isd *isd_of(const struct cad_text *text, cad_time t);
/* The look of the first run of text, the first p and the first region at t; must be there. */
const struct cad_text_block *first_p(const struct cad_text_isd *isd);
const struct cad_text_run *first_run(const struct cad_text_isd *isd);

#define assert_str(s, z) assert_true(cad_str_eqz((s), (z)))

#endif
