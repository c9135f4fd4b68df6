/*
 * transport_server.h - a small HTTP/1.1 server on loopback that answers by the path it is asked,
 * also in the ways in which servers should not.
 *
 *     /whole/N     N bytes of the pattern; a Range header is obeyed (206, 416)
 *     /chunked/N   the same without a length
 *     /missing     404 with a short body
 *     /redirect    302 to /whole/1
 *     /busy        503 with Retry-After: 7 and a Date
 *     /echo        what was posted
 *     /stall/N     half of N bytes, then nothing more, with the connection open
 *     /silent      no answer
 *     /reset/N     half of N bytes, then the connection is reset
 *     /cut/N       half of N bytes, then the connection is closed
 *     /garbage     bytes that are no HTTP
 *     /headers/N   N header lines of 50 bytes before an empty body
 *     /told        TRANSPORT_TOLD_LINES and a short body
 *
 * Asked with whole URLs, as proxies are, it answers in place of any host. One thread serves all
 * connections. Byte i of the pattern is transport_pattern(i).
 */
#ifndef CAD_TESTS_TRANSPORT_SERVER_H
#define CAD_TESTS_TRANSPORT_SERVER_H

#include <stdint.h>

struct transport_server;

/* NULL: it could not be started. */
struct transport_server *transport_server_start(void);
void transport_server_stop(struct transport_server *server);
uint16_t transport_server_port(const struct transport_server *server);
/* Connections that were ever accepted. */
uint32_t transport_server_accepted(const struct transport_server *server);

uint8_t transport_pattern(int64_t i);

#endif
