#include "drive/net_guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "drive/net_address.h"
#include "drive/net_keylog.h"

static enum cad_address_class class_of(const struct curl_sockaddr *address)
{
    if (address->family == AF_INET && address->addrlen >= sizeof(struct sockaddr_in)) {
        struct sockaddr_in v4;
        memcpy(&v4, &address->addr, sizeof v4);
        uint8_t bytes[sizeof v4.sin_addr];
        memcpy(bytes, &v4.sin_addr, sizeof bytes);
        return cad_net_address(bytes, sizeof bytes);
    }
    if (address->family == AF_INET6 && address->addrlen >= sizeof(struct sockaddr_in6)) {
        struct sockaddr_in6 v6;
        /* libcurl reserves room for every family, but declares the smallest. */
        memcpy(&v6, (const uint8_t *)address + offsetof(struct curl_sockaddr, addr), sizeof v6);
        return cad_net_address(v6.sin6_addr.s6_addr, sizeof v6.sin6_addr.s6_addr);
    }
    return CAD_ADDRESS_UNKNOWN;
}

curl_socket_t cad_net_guard_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct net_guard *guard = ctx;
    CAD_UNUSED(purpose); /* there are no listeners */
    if (!guard->proxied && !cad_net_address_allowed(class_of(address), guard->most)) {
        guard->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Every way to write an address of IPv4 that somebody would take for one. */
static enum cad_address_class class_of_host(cad_str host)
{
    char text[256];
    struct in_addr v4;
    const cad_str self = CAD_STR("localhost"); /* and all names below it, RFC 6761 6.3 */
    if (host.n >= sizeof text) return CAD_ADDRESS_UNKNOWN;
    cad_str_copyz(text, sizeof text, host);
    size_t before = host.n > self.n ? host.n - self.n : 0;
    if (cad_str_ieq(cad_str_sub(host, before, self.n), self) &&
        (before == 0 || host.p[before - 1] == '.')) {
        return CAD_ADDRESS_LOOPBACK;
    }
    if (inet_aton(text, &v4)) {
        uint8_t bytes[sizeof v4];
        memcpy(bytes, &v4, sizeof bytes);
        return cad_net_address(bytes, sizeof bytes);
    }
    return cad_net_address_text(text);
}

bool cad_net_guard_name(const struct cad_uri *uri, enum cad_address_class most)
{
    enum cad_address_class where = class_of_host(cad_uri_host(uri));
    return where == CAD_ADDRESS_UNKNOWN || cad_net_address_allowed(where, most);
}

CURLcode cad_net_guard_tls(CURL *easy, void *ssl_ctx, void *ctx)
{
    CAD_UNUSED(easy);
    cad_net_keylog_put(ctx, ssl_ctx);
    return CURLE_OK;
}
