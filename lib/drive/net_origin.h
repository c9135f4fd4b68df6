/*
 * net_origin.h - which HTTP an origin spoke, for as long as that is news.
 *
 * An origin is remembered by a hash of its scheme, host and port: what is kept here only saves
 * time, so that two origins which fall together cost a round trip and nothing else.
 */
#ifndef CAD_DRIVE_NET_ORIGIN_H
#define CAD_DRIVE_NET_ORIGIN_H

#include "cadmium/engine.h"

#include "base/uri.h"

#define CAD_NET_ORIGINS_MAX 16                  /* the one heard longest ago makes room */
#define CAD_NET_ORIGIN_OPEN (60 * CAD_SECOND)   /* a connection that was used is open that long */

struct cad_net_origins {
    struct {
        uint64_t key;      /* 0: free */
        uint32_t version;  /* as in cad_http_head */
        cad_time heard;
    } list[CAD_NET_ORIGINS_MAX];
};

/* Never 0. */
uint64_t cad_net_origin_key(const struct cad_uri *uri);
void cad_net_origin_heard(struct cad_net_origins *origins, uint64_t key, uint32_t version,
                          cad_time now);
/* 0: nothing is known. */
uint32_t cad_net_origin_version(const struct cad_net_origins *origins, uint64_t key);
/* A connection of HTTP/2 or later can be taken to be open. */
bool cad_net_origin_multiplexes(const struct cad_net_origins *origins, uint64_t key, cad_time now);

#endif
