/*
 * net.h - the transport over HTTP and HTTPS: libcurl's multi_socket interface on an epoll set of
 * its own, whose descriptor is the transport's `fd`.
 *
 * Verification is always on. Redirects are delivered as answers; credentials, cookies, .netrc and
 * the environment's proxies are never used; other schemes, and URLs with a name or password, end
 * with CAD_HTTP_SCHEME.
 *
 * Keys are kept out of SSLKEYLOGFILE where libcurl speaks through OpenSSL (net_keylog.h). What the
 * environment can still do: OpenSSL reads the file named by OPENSSL_CONF, and a libcurl over GnuTLS
 * writes keys by itself; an embedder that must exclude that unsets the variables.
 *
 * One pump reads each ready socket until it is empty, as libcurl does: its work is bounded by what
 * the network delivers meanwhile.
 *
 * curl_global_init is called by create and paired in destroy. It is thread-safe and counted in
 * libcurl 7.84 and later built with atomics (CURL_VERSION_THREADSAFE, as Debian's is); with another
 * libcurl the application calls it once before its first player.
 */
#ifndef CAD_DRIVE_NET_H
#define CAD_DRIVE_NET_H

#include "drive/transport.h"

struct cad_net_config {
    struct cad_alloc alloc;
    struct cad_log log;
    const char *ca_file; /* PEM file of the only trusted roots; NULL: the system's; copied */
    const char *proxy;   /* URL of a proxy, perhaps with a name and password: http, https, socks5 or
                            socks5h; NULL: none; copied */
    const char *key_log; /* file that the secrets of TLS are appended to; NULL: none */
};

/* CAD_E_NOMEM. CAD_E_INVAL: no such proxy. CAD_E_IO, CAD_E_UNSUPPORTED: of the key log. */
CAD_MUST_CHECK int cad_net_create(const struct cad_net_config *config, struct cad_transport **out);

#endif
