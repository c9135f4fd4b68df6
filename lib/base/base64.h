/*
 * base64.h - base64 (RFC 4648 4 and 5) and hexadecimal (8), strict.
 *
 * Decoding refuses foreign characters, wrong or partial padding and non-zero spare bits; padding
 * may be left out altogether. Outputs are untouched on failure only as far as *n: the memory at out
 * may have been written.
 */
#ifndef CAD_BASE_BASE64_H
#define CAD_BASE_BASE64_H

#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_BASE64_URL 1u        /* the alphabet with '-' and '_' instead of '+' and '/' */
#define CAD_BASE64_ANY 2u        /* decoding: both alphabets */
#define CAD_BASE64_SKIP_SPACE 4u /* decoding: ignore space, tab, CR and LF */
#define CAD_BASE64_NO_PAD 8u     /* encoding: leave the padding out */

/* Bytes of text for n bytes, padded; SIZE_MAX when it does not fit. */
size_t cad_base64_encoded_size(size_t n);
/* An upper bound of the bytes in n characters. */
size_t cad_base64_decoded_max(size_t n);

/* No NUL is written. CAD_E_LIMIT: cap is too small. Returns 0 and the length in *n. */
CAD_MUST_CHECK int cad_base64_encode(cad_buf in, unsigned flags, char *out, size_t cap, size_t *n);
/* CAD_E_DATA: not base64. CAD_E_LIMIT: cap is too small. */
CAD_MUST_CHECK int cad_base64_decode(cad_str in, unsigned flags, uint8_t *out, size_t cap,
                                     size_t *n);

/* Lower-case digits, 2 * in.n of them, no NUL. CAD_E_LIMIT: cap is too small. */
CAD_MUST_CHECK int cad_hex_encode(cad_buf in, char *out, size_t cap);
/* Either case. CAD_E_DATA: odd length or a foreign character. CAD_E_LIMIT: cap is too small. */
CAD_MUST_CHECK int cad_hex_decode(cad_str in, uint8_t *out, size_t cap, size_t *n);

#endif
