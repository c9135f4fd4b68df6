/*
 * transport_http.h - the server of transport_server.h as the peer of a transport over HTTP: what
 * the contract is run against, and what an implementation's own tests ask. One a program.
 */
#ifndef CAD_TESTS_TRANSPORT_HTTP_H
#define CAD_TESTS_TRANSPORT_HTTP_H

#include <stddef.h>

#include "drive/net.h"
#include "transport_contract.h"
#include "transport_server.h"

/* Start the server, and fill in all of kind but name, create and warm. NULL: it could not be
 * started. */
struct transport_server *transport_http_open(struct transport_kind *kind);
void transport_http_close(void);
/* The URL of one of its paths. */
void transport_http_url(const char *path, char *out, size_t cap);
/* Setup and teardown of a test: *state is a bench over the kind that was opened. */
int transport_http_setup(void **state);
int transport_http_teardown(void **state);
/* Refused memory is an answer at every allocation, and leaves nothing behind. */
void transport_http_no_memory(int (*create)(const struct cad_net_config *config,
                                            struct cad_transport **out));

#endif
