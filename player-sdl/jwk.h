/*
 * jwk.h - the keys of the command line as a Clear Key licence.
 */
#ifndef PLAYER_JWK_H
#define PLAYER_JWK_H

#include "args.h"

#define JWK_BYTES (ARGS_KEYS_MAX * 96 + 64) /* enough for every key */

/* A JWK set (W3C EME 9.1.4) of all keys; its bytes in *n, no NUL. A secret: to be wiped.
 * CAD_E_LIMIT: there is no room. *n 0 where there are no keys. */
CAD_MUST_CHECK int jwk_write(const struct play_key *keys, uint32_t count, char out[JWK_BYTES],
                             size_t *n);

#endif
