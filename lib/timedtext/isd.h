/*
 * isd.h - what the room knows of an ISD beyond text.h.
 */
#ifndef CAD_TIMEDTEXT_ISD_H
#define CAD_TIMEDTEXT_ISD_H

#include "cadmium/text.h"

/* How many elements were looked at to make it: what it cost. */
uint32_t isd_visits(const struct cad_text_isd *isd);

#endif
