#include "drive/net_address.h"

#include <arpa/inet.h>

#include <string.h>

#include "base/util.h"

#define V4_BYTES 4
#define V6_BYTES 16

/* A prefix of the IANA registries for special-purpose addresses (RFC 6890). */
struct block {
    uint8_t bytes[V6_BYTES];
    uint32_t bits;
    enum cad_address_class where;
};

/* In order: the first that fits decides. */
static const struct block blocks_v4[] = {
    {{0}, 8, CAD_ADDRESS_LOOPBACK},            /* "this host": Linux connects 0.0.0.0 to itself */
    {{127}, 8, CAD_ADDRESS_LOOPBACK},          /* RFC 1122 */
    {{10}, 8, CAD_ADDRESS_PRIVATE},            /* RFC 1918 */
    {{100, 64}, 10, CAD_ADDRESS_PRIVATE},      /* shared, RFC 6598 */
    {{169, 254}, 16, CAD_ADDRESS_PRIVATE},     /* link-local, RFC 3927 */
    {{172, 16}, 12, CAD_ADDRESS_PRIVATE},      /* RFC 1918 */
    {{192, 0, 0}, 24, CAD_ADDRESS_PRIVATE},    /* protocol assignments, RFC 6890 */
    {{192, 0, 2}, 24, CAD_ADDRESS_PRIVATE},    /* documentation, RFC 5737 */
    {{192, 88, 99}, 24, CAD_ADDRESS_PRIVATE},  /* 6to4 relays, withdrawn by RFC 7526 */
    {{192, 168}, 16, CAD_ADDRESS_PRIVATE},     /* RFC 1918 */
    {{198, 18}, 15, CAD_ADDRESS_PRIVATE},      /* benchmarks, RFC 2544 */
    {{198, 51, 100}, 24, CAD_ADDRESS_PRIVATE}, /* documentation */
    {{203, 0, 113}, 24, CAD_ADDRESS_PRIVATE},  /* documentation */
    {{224}, 3, CAD_ADDRESS_PRIVATE},           /* multicast, reserved, broadcast */
    {{0}, 0, CAD_ADDRESS_PUBLIC},
};

static const struct block blocks_v6[] = {
    {{0x01, 0}, 64, CAD_ADDRESS_PRIVATE},               /* 100::/64, discard, RFC 6666 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32, CAD_ADDRESS_PRIVATE}, /* documentation, RFC 3849 */
    {{0x20, 0x01, 0x00}, 23, CAD_ADDRESS_PRIVATE},      /* protocol assignments, RFC 2928 */
    {{0x3f, 0xff, 0x00}, 20, CAD_ADDRESS_PRIVATE},      /* documentation, RFC 9637 */
    {{0x20}, 3, CAD_ADDRESS_PUBLIC},                    /* global unicast, RFC 4291 2.4 */
    /* fc00::/7, fe80::/10, fec0::/10, ff00::/8, 64:ff9b:1::/48 and what nobody has yet. */
    {{0}, 0, CAD_ADDRESS_PRIVATE},
};

/* Prefixes that carry an IPv4 address, and at which byte. */
static const struct carrier {
    uint8_t bytes[12];
    uint32_t bits;
    uint32_t at;
    uint8_t mask; /* Teredo writes the client's address inverted, RFC 4380 4 */
} carriers[] = {
    {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12, 0},       /* mapped, RFC 4291 2.5.5.2 */
    {{0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96, 12, 0},             /* translated, RFC 2765 */
    {{0x00, 0x64, 0xff, 0x9b}, 96, 12, 0},                         /* NAT64, RFC 6052 */
    {{0x20, 0x02}, 16, 2, 0},                                      /* 6to4, RFC 3056 */
    {{0x20, 0x01, 0x00, 0x00}, 32, 12, 0xff},                      /* Teredo */
    {{0}, 96, 12, 0}, /* compatible, RFC 4291 2.5.5.1; with it :: and ::1 */
};

static bool begins(const uint8_t *p, const uint8_t *prefix, uint32_t bits)
{
    uint32_t whole = bits / 8;
    if (memcmp(p, prefix, whole) != 0) return false;
    uint32_t rest = bits % 8;
    return rest == 0 || ((uint32_t)(p[whole] ^ prefix[whole]) >> (8 - rest)) == 0;
}

static enum cad_address_class look_up(const uint8_t *p, const struct block *blocks, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (begins(p, blocks[i].bytes, blocks[i].bits)) return blocks[i].where;
    }
    return CAD_ADDRESS_UNKNOWN;
}

static enum cad_address_class class_v4(const uint8_t *p)
{
    return look_up(p, blocks_v4, CAD_ARRAY_LEN(blocks_v4));
}

static enum cad_address_class class_v6(const uint8_t *p)
{
    for (size_t i = 0; i < CAD_ARRAY_LEN(carriers); i++) {
        const struct carrier *c = &carriers[i];
        if (!begins(p, c->bytes, c->bits)) continue;
        uint8_t inner[V4_BYTES];
        for (size_t k = 0; k < V4_BYTES; k++) inner[k] = p[c->at + k] ^ c->mask;
        return class_v4(inner); /* ::1 is 0.0.0.1, which is this host too */
    }
    return look_up(p, blocks_v6, CAD_ARRAY_LEN(blocks_v6));
}

enum cad_address_class cad_net_address(const uint8_t *p, size_t n)
{
    if (n == V4_BYTES) return class_v4(p);
    return n == V6_BYTES ? class_v6(p) : CAD_ADDRESS_UNKNOWN;
}

enum cad_address_class cad_net_address_text(const char *text)
{
    char plain[INET6_ADDRSTRLEN];
    uint8_t bytes[V6_BYTES];
    if (!text) return CAD_ADDRESS_UNKNOWN;
    size_t n = strcspn(text, "%");
    if (n >= sizeof plain) return CAD_ADDRESS_UNKNOWN;
    memcpy(plain, text, n);
    plain[n] = '\0';
    if (inet_pton(AF_INET, plain, bytes) == 1) return cad_net_address(bytes, V4_BYTES);
    if (inet_pton(AF_INET6, plain, bytes) == 1) return cad_net_address(bytes, V6_BYTES);
    return CAD_ADDRESS_UNKNOWN;
}

bool cad_net_address_allowed(enum cad_address_class where, enum cad_address_class most)
{
    if (most == CAD_ADDRESS_UNKNOWN) return true;
    return where != CAD_ADDRESS_UNKNOWN && where <= most;
}
