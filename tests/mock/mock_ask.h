/*
 * mock_ask.h - what a request for a licensed manifest asks for (licensed manifest 2).
 */
#ifndef MOCK_ASK_H
#define MOCK_ASK_H

#include "mock/mock_internal.h"

/* What a body asked for. Strings are views into the request or its scratch. */
struct mock_ask {
    int64_t id, version;
    bool has_url, has_params, has_viewable, has_profiles, has_type, has_flavor;
    int64_t viewable;
    uint64_t xid;                     /* hash; 0 none */
    bool wanted[MOCK_ASSETS_MAX];     /* its profile was asked for */
    bool names_text;                  /* one that was asked for is of text */
};

/* Reads the body of a request for a manifest of this origin. CAD_E_DATA, CAD_E_LIMIT. */
CAD_MUST_CHECK int mock_ask_read(cad_buf body, const struct mock_origin *origin,
                                 struct mock_ask *ask);
/* NULL, or the first required member that is missing or wrong (licensed manifest 2). */
const char *mock_ask_missing(const struct mock_ask *ask);

#endif
