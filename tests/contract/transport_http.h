/*
 * transport_http.h - the server of transport_server.h as the peer of a transport over HTTP: what
 * the contract is run against, and what an implementation's own tests ask. One a program.
 */
#ifndef CAD_TESTS_TRANSPORT_HTTP_H
#define CAD_TESTS_TRANSPORT_HTTP_H

#include <stddef.h>

#include "transport_contract.h"
#include "transport_server.h"

/* Start the server, and fill in all of kind but name, create and warm. NULL: it could not be
 * started. */
struct transport_server *transport_http_open(struct transport_kind *kind);
void transport_http_close(void);
/* The URL of one of its paths. */
void transport_http_url(const char *path, char *out, size_t cap);

#endif
