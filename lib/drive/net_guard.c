#include "drive/net_guard.h"

#include <dlfcn.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string.h>

#include "base/util.h"
#include "drive/net_address.h"

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
    if (!cad_net_address_allowed(class_of(address), guard->most)) {
        guard->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* OpenSSL is libcurl's library, not ours: found where libcurl has loaded it, and linked with
 * nothing. */
static void *openssl_function(const char *name)
{
    void *found = dlsym(RTLD_DEFAULT, name);
    if (found) return found;
    /* Loaded with libcurl by an application that keeps its libraries' names to itself. */
    static const char *const files[] = {"libssl.so.3", "libssl.so.1.1"};
    for (size_t i = 0; !found && i < CAD_ARRAY_LEN(files); i++) {
        void *library = dlopen(files[i], RTLD_NOW | RTLD_NOLOAD);
        if (!library) continue;
        found = dlsym(library, name);
        dlclose(library); /* libcurl holds it */
    }
    return found;
}

CURLcode cad_net_guard_tls(CURL *easy, void *ssl_ctx, void *ctx)
{
    CAD_UNUSED(easy);
    CAD_UNUSED(ctx);
    void (*set_writer)(void *ssl_ctx, void (*writer)(const void *ssl, const char *line));
    void *symbol = openssl_function("SSL_CTX_set_keylog_callback");
    if (!symbol) return CURLE_OK; /* an OpenSSL that is older than key logs, or another library */
    memcpy(&set_writer, &symbol, sizeof set_writer);
    set_writer(ssl_ctx, NULL);
    return CURLE_OK;
}
