/*
 * mock_sign.h - tokens and signatures of media URLs.
 *
 * A token is opaque to clients: base64url of a version, the title, the asset, the generation and
 * the session. A signature is base64url of the HMAC-SHA-256 of the parts of a URL. The signer
 * remembers what it computed last for a message, because a session asks for the same URL with
 * thousands of ranges; what a client sent is compared in constant time all the same.
 */
#ifndef MOCK_SIGN_H
#define MOCK_SIGN_H

#include <stdbool.h>

#include <mbedtls/md.h>

#include "cadmium/base.h"

#define MOCK_TOKEN_CHARS 28    /* base64url of 21 bytes, exactly */
#define MOCK_SIGNATURE_CHARS 43 /* base64url of 32 bytes without padding */
#define MOCK_MESSAGE_MAX 256   /* bytes of what is signed */
#define MOCK_MEMO_SLOTS 128    /* messages remembered; a power of two */

/* What a token says. */
struct mock_token {
    uint64_t title;
    uint16_t asset;      /* index in the title */
    uint16_t generation; /* of the origin's URLs; see mock_origin_expire */
    uint64_t session;
};
void mock_token_write(const struct mock_token *token, char out[MOCK_TOKEN_CHARS]);
/* CAD_E_DATA: not a token. */
CAD_MUST_CHECK int mock_token_read(cad_str text, struct mock_token *out);

/* The parts that are signed, as they stand in the URL. */
struct mock_signed {
    cad_str path; /* without /range/... */
    cad_str o, v, e, t;
};

struct mock_memo {
    size_t n; /* bytes of message; 0: the slot is free */
    char message[MOCK_MESSAGE_MAX];
    char signature[MOCK_SIGNATURE_CHARS];
};

struct mock_signer {
    mbedtls_md_context_t hmac; /* keyed */
    struct mock_memo memo[MOCK_MEMO_SLOTS];
};

/* Key of the seed. CAD_E_NOMEM, CAD_E_IO: mbedTLS refused. */
CAD_MUST_CHECK int mock_signer_init(struct mock_signer *signer, uint64_t seed);
void mock_signer_deinit(struct mock_signer *signer);
/* CAD_E_LIMIT: the parts are longer than anything this signer signs. CAD_E_IO. */
CAD_MUST_CHECK int mock_sign(struct mock_signer *signer, const struct mock_signed *parts,
                             char out[MOCK_SIGNATURE_CHARS]);
/* True if `signature` is the one of the parts. */
bool mock_verify(struct mock_signer *signer, const struct mock_signed *parts, cad_str signature);

#endif
