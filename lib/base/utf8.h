/*
 * utf8.h - UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing above U+10FFFF.
 */
#ifndef CAD_BASE_UTF8_H
#define CAD_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#define CAD_UTF8_REPLACEMENT 0xFFFDu

bool cad_utf8_valid(cad_str s);
/*
 * The first code point of s: returns its length 1..4. CAD_E_AGAIN: s is empty or ends inside a
 * character that is good so far. CAD_E_DATA: broken; skip one byte.
 */
CAD_MUST_CHECK int cad_utf8_decode(cad_str s, uint32_t *cp);
/* Returns the bytes written, 1..4; 0 for what is no scalar value (surrogates, too large). */
size_t cad_utf8_encode(uint32_t cp, char out[4]);
/* The largest length <= max that does not split a character of s (taken to be UTF-8). */
size_t cad_utf8_cut(cad_str s, size_t max);

#endif
