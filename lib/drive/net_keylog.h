/*
 * net_keylog.h - the secrets of TLS connections as lines of a file (NSS key log format), where the
 * application has asked for that; and nowhere else.
 *
 *     cad_net_keylog_open(&log, "/tmp/keys");        made with mode 0600, appended to
 *     cad_net_keylog_put(&log, ssl_ctx);             each connection, before its handshake
 *     cad_net_keylog_close(&log);                    when no connection is left
 *
 * libcurl speaks TLS through OpenSSL where this works. Its functions are looked up in the library
 * that libcurl has loaded, so that nothing is linked with it.
 */
#ifndef CAD_DRIVE_NET_KEYLOG_H
#define CAD_DRIVE_NET_KEYLOG_H

#include <stdbool.h>

#include "cadmium/base.h"

struct net_keylog {
    int fd; /* -1: closed */
};

/* CAD_E_IO: the file cannot be written to, or is a link or no plain file. CAD_E_UNSUPPORTED: this
 * libcurl's TLS can log no keys. */
CAD_MUST_CHECK int cad_net_keylog_open(struct net_keylog *log, const char *path);
void cad_net_keylog_close(struct net_keylog *log);
/* ssl_ctx: an SSL_CTX. log NULL: nobody is told its keys, whatever the environment says. */
void cad_net_keylog_put(struct net_keylog *log, void *ssl_ctx);

#endif
