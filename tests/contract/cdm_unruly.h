/*
 * cdm_unruly.h - Clear Key in bad company: a CDM for tests that is late, busy, or breaks one rule.
 *
 * Late and busy are within the contract: whoever uses a CDM must get along with them. The others
 * are not: each is there to see that somebody notices.
 */
#ifndef CAD_TESTS_CDM_UNRULY_H
#define CAD_TESTS_CDM_UNRULY_H

#include "cadmium/cdm.h"

/* X(name, is within the contract) */
#define UNRULY_LIST(X)                                                                             \
    X(NOTHING, true)                                                                               \
    X(LATE, true)             /* events come one by one, a millisecond after each other */         \
    X(BUSY, true)             /* every other call is answered CAD_E_AGAIN */                       \
    X(DONE_TWICE, false)                                                                           \
    X(NO_DONE, false)                                                                              \
    X(WRONG_EPOCH, false)                                                                          \
    X(WRONG_OP, false)                                                                             \
    X(EVENT_OF_REFUSED, false) /* a refused call has a DONE */                                     \
    X(KEYS_FORGOTTEN, false)  /* KEYS is empty */                                                  \
    X(BAD_LICENCE_ENDS, false) /* a refused licence ends the session's keys */                     \
    X(KEY_OUTLIVES, false)    /* keys stay usable behind close */                                  \
    X(FLIPS_A_BIT, false)                                                                          \
    X(WRITES_MALFORMED, false) /* out is written although the sample is refused */                 \
    X(LEAKS, false)                                                                                \
    X(KEY_IN_MEMORY, false)   /* a licence is given back to the allocator as it came */            \
    X(KEY_IN_MESSAGE, false)  /* a licence comes back as a message */                              \
    X(EVENT_AFTER_DESTROY, false)

enum unruly {
#define UNRULY_X(name, legal) UNRULY_##name,
    UNRULY_LIST(UNRULY_X)
#undef UNRULY_X
    UNRULY_COUNT
};

/* The table of a CDM that behaves so; key system "org.w3.clearkey". Valid until the next call. */
const struct cad_cdm_ops *unruly_ops(enum unruly how);

#endif
