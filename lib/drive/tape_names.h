/*
 * tape_names.h - what is secret in a text, and the pseudonyms that stand for it on a tape.
 *
 *     tape_names_init(&names, &alloc, entropy);
 *     tape_names_learn(&names, value);                ids that the engine has drawn
 *     tape_names_text(&names, p, n);                  a URL, a message: in place
 *     err = tape_names_body(&names, p, n);            JSON, or any other text: in place
 *
 * Texts keep their length. Only ASCII letters and digits of a secret change, each into one of its
 * kind (and, of other characters, the low bits), so that what was a token, a number or a URL stays
 * one. The change is a keyed hash (SipHash-2-4) of the whole secret: the same secret gets the same
 * pseudonym everywhere on a tape, and nobody can go back without the key, which is never stored.
 *
 * Secret in a URL: values of the names in tape_names.c (t, sc, token...) and every value longer
 * than CAD_URI_REDACT_VALUE_MAX but e, user information, long fragments. Secret in JSON: what
 * stands under the names in tape_names.c (tokens, cookies, ESN, e-mail, licences...), whatever is
 * an e-mail address, and URLs as above, also where the JSON is escaped. Everywhere: what was
 * learnt.
 */
#ifndef CAD_DRIVE_TAPE_NAMES_H
#define CAD_DRIVE_TAPE_NAMES_H

#include <stdbool.h>

#include "cadmium/base.h"

#define TAPE_LEARNT_MAX 16        /* secrets that are looked for everywhere; the oldest goes */
#define TAPE_LEARNT_BYTES_MIN 8   /* a shorter one stands in too many places by chance */
#define TAPE_LEARNT_BYTES_MAX 256

struct tape_names {
    struct cad_alloc alloc;
    uint64_t key[2];
    char learnt[TAPE_LEARNT_MAX][TAPE_LEARNT_BYTES_MAX];
    size_t learnt_n[TAPE_LEARNT_MAX];
    uint32_t next;
    uint8_t *plain;               /* a JSON string with its escapes undone; room bytes */
    uint32_t *from;               /* where each of its bytes came from; room numbers */
    size_t room;
};

void tape_names_init(struct tape_names *names, const struct cad_alloc *alloc, cad_buf entropy);
/* Forgets the key and everything learnt. */
void tape_names_deinit(struct tape_names *names);
/* Give memory back that a long string took, if it is room for more than `keep` bytes. */
void tape_names_shrink(struct tape_names *names, size_t keep);
void tape_names_learn(struct tape_names *names, cad_str secret);
/* Learn what stands under a secret name in a URL's query and in a JSON body. */
void tape_names_learn_url(struct tape_names *names, cad_str url);
/* CAD_E_NOMEM: not all was learnt. */
CAD_MUST_CHECK int tape_names_learn_json(struct tape_names *names, cad_str json);
void tape_names_text(struct tape_names *names, char *p, size_t n);
/* Of unknown use: every letter and digit is replaced. */
void tape_names_blank(char *p, size_t n);
/* CAD_E_NOMEM: p is partly replaced and must not be used. */
CAD_MUST_CHECK int tape_names_body(struct tape_names *names, char *p, size_t n);

/* SipHash-2-4 of `text` with 8 bytes of `extra` in front, as 64 bits. */
uint64_t tape_names_hash(const uint64_t key[2], uint64_t extra, cad_str text);

#endif
