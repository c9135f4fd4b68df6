/*
 * net_guard.h - what the network transport does to libcurl's connections before anything is sent:
 * no connection to an address that the request may not reach, no keys written to a file.
 *
 * The address is looked at twice. Before a socket is made: a host with several addresses is then
 * reached by one that is allowed, and nothing at all is sent to the others. And before a request
 * goes out, by the transfer, because a connection may be open that another request made.
 */
#ifndef CAD_DRIVE_NET_GUARD_H
#define CAD_DRIVE_NET_GUARD_H

#include <curl/curl.h>

#include "cadmium/engine.h"

/* Of one transfer; the callbacks' ctx. */
struct net_guard {
    enum cad_address_class most; /* farthest in that may be connected to */
    bool refused;                /* an address was not connected to */
};

/* CURLOPT_OPENSOCKETFUNCTION */
curl_socket_t cad_net_guard_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address);
/*
 * CURLOPT_SSL_CTX_FUNCTION for libcurl over OpenSSL, which honours SSLKEYLOGFILE: takes the writer
 * of keys off each connection before its handshake. The environment stays as it is; libcurl has
 * opened the file, but nothing comes into it.
 */
CURLcode cad_net_guard_tls(CURL *easy, void *ssl_ctx, void *ctx);

#endif
