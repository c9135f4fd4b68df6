/*
 * fake_font.h - a font backend for tests, of which all is known beforehand.
 *
 * Of an em of 20 pixels a letter is 10 wide, an ideograph 20, marks and controls 0. Ascent is 15
 * and descent 5, there is no gap: a line is as high as the em. A letter's ink is all of its width
 * from the base line to the ascent, grown by the stroke; a space has none. Hebrew and Arabic
 * letters go from right to left, everything else has the direction of its paragraph or, in one from
 * right to left, letters and digits that of their own; bidi controls are not obeyed.
 */
#ifndef CAD_TESTS_SUPPORT_FAKE_FONT_H
#define CAD_TESTS_SUPPORT_FAKE_FONT_H

#include <stdint.h>

#include "cadmium/font.h"

#define FAKE_BOLD 1u   /* bits of a face */
#define FAKE_ITALIC 2u
#define FAKE_OTHER 4u  /* the face of what is not in the first one: U+2E80 and above */

struct fake_font {
    uint64_t fail_at; /* the n-th call fails, from 1; 0: none */
    uint64_t calls;
    int failure;      /* how; CAD_E_NOMEM unless set */
    uint32_t seen[64]; /* the beginning of the paragraph that was analysed last */
    uint32_t seen_count;
};

/* font must outlive what is returned. */
struct cad_fonts fake_fonts(struct fake_font *font);

#endif
