/*
 * table.h - a CDM's table as this library knows it, whichever version its maker was compiled with.
 */
#ifndef CAD_DRM_TABLE_H
#define CAD_DRM_TABLE_H

#include "cadmium/cdm.h"

/*
 * Copies a table: functions beyond its size become NULL, so that whoever calls it looks at nothing
 * but NULL. CAD_E_UNSUPPORTED: another ABI. CAD_E_INVAL: a required function is missing. On failure
 * *out is left.
 */
CAD_MUST_CHECK int cad_drm_table_take(const struct cad_cdm_ops *ops, struct cad_cdm_ops *out);

#endif
