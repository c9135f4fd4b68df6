/*
 * uri.h - URI references as RFC 3986 has them: split, resolve, percent-code, and hide secrets.
 *
 * Parsing gives views into the text. It follows the grammar's outline (appendix B) and refuses
 * bytes that no URI may contain: controls, space, backslash, and anything above 0x7e. Published
 * manifests contain a few characters outside the grammar ("|", "{", "[" in paths); those are let
 * through as they are.
 */
#ifndef CAD_BASE_URI_H
#define CAD_BASE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/strbuf.h"

#define CAD_URI_BYTES_MAX 8192      /* bytes of one URI, in and out; more is CAD_E_LIMIT */
#define CAD_URI_REDACT_VALUE_MAX 24 /* bytes; longer query values are never logged */

/* Views without delimiters: no "?" in query, no "@" in userinfo. A part not has_* is empty. */
struct cad_uri {
    cad_str scheme;
    cad_str userinfo;
    cad_str host; /* an IP literal keeps its brackets */
    cad_str port; /* digits, may be empty even if has_port */
    cad_str path;
    cad_str query;
    cad_str fragment;
    bool has_scheme;
    bool has_authority;
    bool has_userinfo;
    bool has_port;
    bool has_query;
    bool has_fragment;
};

/*
 * Split a URI reference. CAD_E_DATA: not one. CAD_E_LIMIT: too long. *out is untouched on failure.
 */
CAD_MUST_CHECK int cad_uri_parse(cad_str text, struct cad_uri *out);
/* Put u together again (RFC 3986 5.3). */
void cad_uri_write(const struct cad_uri *u, struct cad_sb *out);
/*
 * Resolve ref against an absolute base and append the result to out (RFC 3986 5.2, strict).
 * CAD_E_DATA: one of them is no URI, or the result would be read as another one ("a:" with a path
 * that begins with "//"). CAD_E_LIMIT, CAD_E_NOMEM. On failure out's text is as before.
 */
CAD_MUST_CHECK int cad_uri_resolve(cad_str base, cad_str ref, struct cad_sb *out);

/* The host without brackets. */
cad_str cad_uri_host(const struct cad_uri *u);
/* 1..65535: the explicit port, else 80 for http and 443 for https, else 0; -1 for a bad one. */
int32_t cad_uri_port(const struct cad_uri *u);
/* http or https in any case, with a host that is not empty. */
bool cad_uri_is_http(const struct cad_uri *u);
bool cad_uri_is_https(const struct cad_uri *u);
/* Same scheme, host (ASCII case folded) and port. */
bool cad_uri_same_origin(const struct cad_uri *a, const struct cad_uri *b);

/* Append with everything but unreserved characters as %XX. */
void cad_uri_percent_encode(cad_str s, struct cad_sb *out);
/*
 * Append with %XX undone; "+" stays. CAD_E_DATA for a broken escape; out's text is then as before.
 */
CAD_MUST_CHECK int cad_uri_percent_decode(cad_str s, struct cad_sb *out);

/*
 * The raw value of the first name=value in a query (no "?"); absent: n 0 and p NULL. Case counts.
 */
cad_str cad_uri_query_value(cad_str query, cad_str name);

/*
 * Append url in a form that may be logged: userinfo is dropped; the values of t, sc, sig, token,
 * signature, policy and key-pair-id (any case) and every value longer than CAD_URI_REDACT_VALUE_MAX
 * bytes become "*", as do values under an escaped name or with a ";"; a fragment becomes "#*". What
 * has a scheme and no authority (data:) becomes "scheme:*", text that is no URI "(bad url)".
 * Returns what cad_sb_error says.
 */
int cad_uri_redact(cad_str url, struct cad_sb *out);

#endif
