/*
 * shown.h - text from outside that is about to reach a person's terminal or a window's title.
 *
 * A server's words (error messages, ids, names) may hold controls that move the cursor, recolour
 * the screen, answer in the user's name or turn the direction of writing, so that the eye reads
 * another text than was sent. Not shown: C0 controls and DEL, C1 controls (U+0080..U+009F), line
 * and paragraph separators (U+2028, U+2029), the controls of writing direction (U+061C, U+200E,
 * U+200F, U+202A..U+202E, U+2066..U+2069), and bytes that are no UTF-8.
 *
 *     while (s.n > 0) {
 *         size_t bad;
 *         size_t n = cad_shown_run(s, &bad);
 *         fwrite(s.p, 1, n, stderr);
 *         if (bad > 0) fputc('?', stderr);
 *         s = cad_str_sub(s, n + bad, s.n);
 *     }
 */
#ifndef CAD_BASE_SHOWN_H
#define CAD_BASE_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cadmium/base.h"

#include "base/strbuf.h"

/* May this character be shown as it is? */
bool cad_shown(uint32_t cp);
/* Bytes at the beginning of s that may be shown. *bad: bytes of what follows and may not, 1..4; 0
 * at the end of s. */
size_t cad_shown_run(cad_str s, size_t *bad);
/* Copy to dst[cap] with a closing NUL and a '?' for each thing that may not be shown; cut before
 * the character that does not fit. Returns the bytes without the NUL. cap 0 writes nothing. */
size_t cad_shown_copyz(char *dst, size_t cap, cad_str s);
/* Append a JSON text in which such characters stand as \uXXXX: it means the same. White space
 * between tokens stays as it is; errors are the buffer's. */
void cad_shown_json(struct cad_sb *sb, cad_str json);

#endif
