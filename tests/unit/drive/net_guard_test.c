/* Hosts that may not be asked of a proxy: all that can be told without a name server. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/net_guard.h"

static bool allowed(const char *url, enum cad_address_class most)
{
    struct cad_uri uri;
    assert_int_equal(cad_uri_parse(cad_str_from(url), &uri), 0);
    return cad_net_guard_name(&uri, most);
}

static void test_net_guard_names(void **state)
{
    (void)state;
    static const char *const self[] = {
        "http://localhost/",  "http://LOCALHOST:80/", "http://a.localhost/", "http://127.0.0.1/",
        "http://127.1/",      "http://0x7f000001/",   "http://017700000001/", "http://2130706433/",
        "https://[::1]:443/", "http://[::ffff:127.0.0.1]/",
    };
    static const char *const inside[] = {"http://10.1.2.3/", "http://192.168.0.1/",
                                         "http://169.254.1.1/", "http://[fe80::1]/",
                                         "http://[fd00::1]/"};
    static const char *const open[] = {"http://example.com/", "http://localhost.example.com/",
                                       "http://notlocalhost/", "http://8.8.8.8/",
                                       "http://[2001:4860:4860::8888]/"};
    for (size_t i = 0; i < sizeof self / sizeof self[0]; i++) {
        assert_false(allowed(self[i], CAD_ADDRESS_PUBLIC));
        assert_false(allowed(self[i], CAD_ADDRESS_PRIVATE));
        assert_true(allowed(self[i], CAD_ADDRESS_LOOPBACK));
        assert_true(allowed(self[i], CAD_ADDRESS_UNKNOWN));
    }
    for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++) {
        assert_false(allowed(inside[i], CAD_ADDRESS_PUBLIC));
        assert_true(allowed(inside[i], CAD_ADDRESS_PRIVATE));
    }
    for (size_t i = 0; i < sizeof open / sizeof open[0]; i++) {
        assert_true(allowed(open[i], CAD_ADDRESS_PUBLIC));
    }
}

/* Without a proxy no socket is made to what lies too far in; with one it is the proxy's. */
static void test_net_guard_sockets(void **state)
{
    (void)state;
    struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM,
                                    .addrlen = sizeof(struct sockaddr_in)};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&address.addr, &v4, sizeof v4);
    struct net_guard guard = {.most = CAD_ADDRESS_PRIVATE};
    assert_int_equal(cad_net_guard_socket(&guard, CURLSOCKTYPE_IPCXN, &address), CURL_SOCKET_BAD);
    assert_true(guard.refused);
    guard = (struct net_guard){.most = CAD_ADDRESS_PRIVATE, .proxied = true};
    curl_socket_t fd = cad_net_guard_socket(&guard, CURLSOCKTYPE_IPCXN, &address);
    assert_true(fd != CURL_SOCKET_BAD);
    assert_false(guard.refused);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_guard_names),
        cmocka_unit_test(test_net_guard_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
