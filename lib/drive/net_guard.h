/*
 * net_guard.h - what the network transport does to libcurl's connections before anything is sent:
 * no connection to an address that the request may not reach, no keys written to a file that the
 * application did not name.
 *
 * The address is looked at twice. Before a socket is made: a host with several addresses is then
 * reached by one that is allowed, and nothing at all is sent to the others. And before a request
 * goes out, by the transfer, because a connection may be open that another request made.
 *
 * Behind a proxy nobody here sees where a name leads to: then only a host that is an address, or
 * this machine's name, is held to the limit, and the proxy itself to none.
 */
#ifndef CAD_DRIVE_NET_GUARD_H
#define CAD_DRIVE_NET_GUARD_H

#include <curl/curl.h>

#include "base/uri.h"
#include "cadmium/engine.h"

/* Of one transfer; the callbacks' ctx. */
struct net_guard {
    enum cad_address_class most; /* farthest in that may be connected to */
    bool refused;                /* an address was not connected to */
    bool proxied;                /* connections go to the proxy */
};

/* CURLOPT_OPENSOCKETFUNCTION */
curl_socket_t cad_net_guard_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address);
/* What is asked of a proxy: false: the URL's host is farther in than may be. */
bool cad_net_guard_name(const struct cad_uri *uri, enum cad_address_class most);
/*
 * CURLOPT_SSL_CTX_FUNCTION for libcurl over OpenSSL, which honours SSLKEYLOGFILE: puts our writer
 * of keys (ctx: struct net_keylog) in the place of libcurl's on each connection before its
 * handshake, or none (ctx NULL). The environment stays as it is; libcurl has opened its file, but
 * nothing comes into it.
 */
CURLcode cad_net_guard_tls(CURL *easy, void *ssl_ctx, void *ctx);

#endif
