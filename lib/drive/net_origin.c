#include "drive/net_origin.h"

#include "base/str.h"

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t mix(uint64_t hash, cad_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        uint8_t c = (uint8_t)s.p[i];
        if (c >= 'A' && c <= 'Z') c = (uint8_t)(c + ('a' - 'A'));
        hash = (hash ^ c) * FNV_PRIME;
    }
    return (hash ^ 0xff) * FNV_PRIME; /* no byte of a URI: keeps the parts apart */
}

uint64_t cad_net_origin_key(const struct cad_uri *uri)
{
    uint64_t hash = mix(mix(FNV_START, uri->scheme), cad_uri_host(uri));
    hash = (hash ^ (uint64_t)(uint32_t)cad_uri_port(uri)) * FNV_PRIME;
    return hash ? hash : 1;
}

void cad_net_origin_heard(struct cad_net_origins *origins, uint64_t key, uint32_t version,
                          cad_time now)
{
    size_t at = 0;
    for (size_t i = 0; i < CAD_NET_ORIGINS_MAX; i++) {
        if (origins->list[i].key == key) {
            at = i;
            break;
        }
        bool is_free = !origins->list[i].key;
        if (!origins->list[at].key) continue;
        if (is_free || origins->list[i].heard < origins->list[at].heard) at = i;
    }
    origins->list[at].key = key;
    origins->list[at].version = version;
    origins->list[at].heard = now;
}

uint32_t cad_net_origin_version(const struct cad_net_origins *origins, uint64_t key)
{
    for (size_t i = 0; i < CAD_NET_ORIGINS_MAX; i++) {
        if (origins->list[i].key == key) return origins->list[i].version;
    }
    return 0;
}

bool cad_net_origin_multiplexes(const struct cad_net_origins *origins, uint64_t key, cad_time now)
{
    for (size_t i = 0; i < CAD_NET_ORIGINS_MAX; i++) {
        if (origins->list[i].key != key) continue;
        return origins->list[i].version >= 20 &&
               cad_time_sub(now, origins->list[i].heard) < CAD_NET_ORIGIN_OPEN;
    }
    return false;
}
