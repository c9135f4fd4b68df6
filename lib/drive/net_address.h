/*
 * net_address.h - how far in an address lies: the public internet, a private network, this machine.
 *
 * PUBLIC is only what the registries call globally reachable; everything they reserve is PRIVATE at
 * least, so that what nobody should be served from counts as inside. An address that carries
 * another one (mapped, NAT64, 6to4, Teredo) is as far in as the one it carries.
 */
#ifndef CAD_DRIVE_NET_ADDRESS_H
#define CAD_DRIVE_NET_ADDRESS_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/engine.h"

/* p: 4 bytes of IPv4 or 16 of IPv6, in network order; any other n is UNKNOWN. */
enum cad_address_class cad_net_address(const uint8_t *p, size_t n);
/* As inet_ntop writes it, perhaps with a "%zone"; NULL or no address: UNKNOWN. */
enum cad_address_class cad_net_address_text(const char *text);
/* May a request with this limit go there? Where nobody knows the address, only without a limit. */
bool cad_net_address_allowed(enum cad_address_class where, enum cad_address_class most);

#endif
