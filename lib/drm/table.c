#include "drm/table.h"

#include <string.h>

#include "base/util.h"

int cad_drm_table_take(const struct cad_cdm_ops *ops, struct cad_cdm_ops *out)
{
    struct cad_cdm_ops table = {.size = 0};
    if (ops == NULL || ops->size < offsetof(struct cad_cdm_ops, create)) return CAD_E_INVAL;
    if (ops->abi != CAD_CDM_ABI) return CAD_E_UNSUPPORTED;
    memcpy(&table, ops, CAD_MIN(ops->size, sizeof table));
    table.size = sizeof table;
    if (!table.name || !table.create || !table.destroy || !table.caps) return CAD_E_INVAL;
    if (!table.open || !table.request || !table.update || !table.close) return CAD_E_INVAL;
    if (!table.key_ready || (!table.decrypt && !table.submit)) return CAD_E_INVAL;
    *out = table;
    return 0;
}
