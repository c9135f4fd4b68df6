/*
 * tape_licence.h - what stands on a tape for the answer of a licence service.
 *
 * Nothing of the answer but its length, and whether the envelope that the engine opens was there:
 * then the name of the one member that is read, with zeros in base64 for the licence in it.
 */
#ifndef CAD_DRIVE_TAPE_LICENCE_H
#define CAD_DRIVE_TAPE_LICENCE_H

#include "cadmium/base.h"

#define TAPE_LICENCE_MAX (256u * 1024) /* bytes of an answer that the engine takes */

/* Writes over the answer, all of it. */
void tape_licence_hide(uint8_t *p, size_t n);

#endif
