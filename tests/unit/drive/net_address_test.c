/* Every reserved block is told from the public internet, at its edges too, in whatever it is
 * wrapped. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/util.h"
#include "drive/net_address.h"

struct row {
    const char *text;
    enum cad_address_class where;
};

#define PUBLIC CAD_ADDRESS_PUBLIC
#define PRIVATE CAD_ADDRESS_PRIVATE
#define LOOPBACK CAD_ADDRESS_LOOPBACK
#define UNKNOWN CAD_ADDRESS_UNKNOWN

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum cad_address_class where = cad_net_address_text(rows[i].text);
        if (where != rows[i].where) {
            fail_msg("%s: %d, not %d", rows[i].text, (int)where, (int)rows[i].where);
        }
    }
}

static void test_net_address_v4(void **state)
{
    CAD_UNUSED(state);
    static const struct row rows[] = {
        {"0.0.0.0", LOOPBACK},        {"0.255.255.255", LOOPBACK},  {"1.0.0.0", PUBLIC},
        {"9.255.255.255", PUBLIC},    {"10.0.0.0", PRIVATE},        {"10.255.255.255", PRIVATE},
        {"11.0.0.0", PUBLIC},         {"100.63.255.255", PUBLIC},   {"100.64.0.0", PRIVATE},
        {"100.127.255.255", PRIVATE}, {"100.128.0.0", PUBLIC},      {"126.255.255.255", PUBLIC},
        {"127.0.0.1", LOOPBACK},      {"127.255.255.255", LOOPBACK}, {"128.0.0.0", PUBLIC},
        {"169.253.255.255", PUBLIC},  {"169.254.169.254", PRIVATE}, {"169.255.0.0", PUBLIC},
        {"172.15.255.255", PUBLIC},   {"172.16.0.0", PRIVATE},      {"172.31.255.255", PRIVATE},
        {"172.32.0.0", PUBLIC},       {"191.255.255.255", PUBLIC},  {"192.0.0.1", PRIVATE},
        {"192.0.1.0", PUBLIC},        {"192.0.2.1", PRIVATE},       {"192.0.3.0", PUBLIC},
        {"192.88.98.255", PUBLIC},    {"192.88.99.1", PRIVATE},     {"192.88.100.0", PUBLIC},
        {"192.167.255.255", PUBLIC},  {"192.168.0.1", PRIVATE},     {"192.169.0.0", PUBLIC},
        {"198.17.255.255", PUBLIC},   {"198.18.0.0", PRIVATE},      {"198.19.255.255", PRIVATE},
        {"198.20.0.0", PUBLIC},       {"198.51.99.255", PUBLIC},    {"198.51.100.7", PRIVATE},
        {"198.51.101.0", PUBLIC},     {"203.0.112.255", PUBLIC},    {"203.0.113.9", PRIVATE},
        {"203.0.114.0", PUBLIC},      {"223.255.255.255", PUBLIC},  {"224.0.0.1", PRIVATE},
        {"239.255.255.255", PRIVATE}, {"240.0.0.1", PRIVATE},       {"255.255.255.255", PRIVATE},
        {"8.8.8.8", PUBLIC},
    };
    check(rows, CAD_ARRAY_LEN(rows));
}

static void test_net_address_v6(void **state)
{
    CAD_UNUSED(state);
    static const struct row rows[] = {
        {"::", LOOPBACK},             {"::1", LOOPBACK},            {"::2", LOOPBACK},
        {"100::1", PRIVATE},          {"100:0:0:1::1", PRIVATE},    {"1fff::1", PRIVATE},
        {"2001:0200::1", PUBLIC},     {"2001:1::1", PRIVATE},       {"2001:1ff::1", PRIVATE},
        {"2001:10::1", PRIVATE},      {"2001:20::1", PRIVATE},      {"2001:db7:ffff::1", PUBLIC},
        {"2001:db8::1", PRIVATE},     {"2001:db9::1", PUBLIC},      {"2606:4700::1111", PUBLIC},
        {"2a00::1", PUBLIC},          {"3ffe::1", PUBLIC},          {"3fff::1", PRIVATE},
        {"3fff:fff::1", PRIVATE},     {"3fff:1000::1", PUBLIC},     {"4000::1", PRIVATE},
        {"5f00::1", PRIVATE},         {"fbff::1", PRIVATE},         {"fc00::1", PRIVATE},
        {"fd12:3456::1", PRIVATE},    {"fe80::1", PRIVATE},         {"fe80::1%eth0", PRIVATE},
        {"febf::1", PRIVATE},         {"fec0::1", PRIVATE},         {"ff02::1", PRIVATE},
    };
    check(rows, CAD_ARRAY_LEN(rows));
}

/* An address inside another one is as far in as it is by itself. */
static void test_net_address_carried(void **state)
{
    CAD_UNUSED(state);
    static const struct row rows[] = {
        {"::ffff:8.8.8.8", PUBLIC},       {"::ffff:127.0.0.1", LOOPBACK},
        {"::ffff:10.1.2.3", PRIVATE},     {"::ffff:0.0.0.0", LOOPBACK},
        {"::ffff:0:8.8.8.8", PUBLIC},     {"::ffff:0:127.0.0.1", LOOPBACK},
        {"64:ff9b::8.8.8.8", PUBLIC},     {"64:ff9b::192.168.0.1", PRIVATE},
        {"64:ff9b::127.0.0.1", LOOPBACK}, {"64:ff9b:1::8.8.8.8", PRIVATE},
        {"64:ff9b:0:1::1", PRIVATE},      {"2002:0808:0808::1", PUBLIC},
        {"2002:7f00:0001::1", LOOPBACK},  {"2002:c0a8:0001::1", PRIVATE},
        {"2002:a9fe:a9fe::1", PRIVATE},   {"::8.8.8.8", PUBLIC},
        {"::127.0.0.1", LOOPBACK},        {"::10.0.0.1", PRIVATE},
        /* Teredo: the last four bytes are the client's, inverted: 8.8.8.8, 127.0.0.1, 10.0.0.1. */
        {"2001:0:4136:e378:8000:63bf:f7f7:f7f7", PUBLIC},
        {"2001:0:4136:e378:8000:63bf:80ff:fffe", LOOPBACK},
        {"2001:0:4136:e378:8000:63bf:f5ff:fffe", PRIVATE},
    };
    check(rows, CAD_ARRAY_LEN(rows));
}

static void test_net_address_none(void **state)
{
    CAD_UNUSED(state);
    static const struct row rows[] = {
        {NULL, UNKNOWN},        {"", UNKNOWN},         {"localhost", UNKNOWN}, {"1.2.3", UNKNOWN},
        {"1.2.3.4.5", UNKNOWN}, {"127.1", UNKNOWN},    {"0177.0.0.1", UNKNOWN}, {"%eth0", UNKNOWN},
        {":::1", UNKNOWN},      {"[::1]", UNKNOWN},
        {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc", UNKNOWN},
    };
    check(rows, CAD_ARRAY_LEN(rows));
    static const uint8_t bytes[17] = {8, 8, 8, 8};
    assert_int_equal(cad_net_address(bytes, 4), PUBLIC);
    for (size_t n = 0; n <= sizeof bytes; n++) {
        if (n != 4 && n != 16) assert_int_equal(cad_net_address(bytes, n), UNKNOWN);
    }
}

static void test_net_address_allowed(void **state)
{
    CAD_UNUSED(state);
    for (int where = UNKNOWN; where <= LOOPBACK; where++) {
        assert_true(cad_net_address_allowed((enum cad_address_class)where, UNKNOWN));
        for (int most = PUBLIC; most <= LOOPBACK; most++) {
            bool allowed = where != UNKNOWN && where <= most;
            assert_int_equal(cad_net_address_allowed((enum cad_address_class)where,
                                                     (enum cad_address_class)most), allowed);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_address_v4),      cmocka_unit_test(test_net_address_v6),
        cmocka_unit_test(test_net_address_carried), cmocka_unit_test(test_net_address_none),
        cmocka_unit_test(test_net_address_allowed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
