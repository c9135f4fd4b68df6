/* request.h - the older name of manifest/manifest.h. */
#ifndef CAD_MANIFEST_REQUEST_H
#define CAD_MANIFEST_REQUEST_H

#include "manifest/manifest.h"

#endif
