/*
 * dash_names.c - names of an MPD to numbers.
 */
#include "manifest/dash_names.h"

#include <string.h>

#include "base/str.h"
#include "base/util.h"

struct foreign {
    cad_str ns, name;
};

static const cad_str elements[] = {
#define CAD_X(id, name) CAD_STR_INIT(name),
    CAD_DASH_ELEMENT_LIST(CAD_X)
#undef CAD_X
};

static const cad_str attributes[] = {
#define CAD_X(id, name) CAD_STR_INIT(name),
    CAD_DASH_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
};

static const struct foreign foreign_elements[] = {
#define CAD_X(id, ns, name) {CAD_STR_INIT(ns), CAD_STR_INIT(name)},
    CAD_DASH_FOREIGN_LIST(CAD_X)
#undef CAD_X
};

static const struct foreign foreign_attributes[] = {
#define CAD_X(id, ns, name) {CAD_STR_INIT(ns), CAD_STR_INIT(name)},
    CAD_DASH_FOREIGN_ATTRIBUTE_LIST(CAD_X)
#undef CAD_X
};

/* The place in a table, from 1; 0: not there. */
static size_t find(const cad_str *table, size_t count, cad_str name)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const cad_str *entry = &table[middle];
        int order = 0;
        if (entry->n != name.n) order = entry->n < name.n ? -1 : 1;
        else if (name.n > 0) order = memcmp(entry->p, name.p, name.n);
        if (order == 0) return middle + 1;
        if (order < 0) low = middle + 1;
        else high = middle;
    }
    return 0;
}

static size_t find_foreign(const struct foreign *table, size_t count, cad_str ns, cad_str name)
{
    for (size_t i = 0; i < count; i++) {
        if (cad_str_eq(table[i].name, name) && cad_str_eq(table[i].ns, ns)) return i + 1;
    }
    return 0;
}

enum cad_dash_element cad_dash_element_find(cad_str name)
{
    return (enum cad_dash_element)find(elements, CAD_ARRAY_LEN(elements), name);
}

enum cad_dash_element cad_dash_foreign_find(cad_str ns, cad_str name)
{
    size_t at = find_foreign(foreign_elements, CAD_ARRAY_LEN(foreign_elements), ns, name);
    if (at == 0) return CAD_DASH_UNKNOWN;
    return (enum cad_dash_element)(CAD_ARRAY_LEN(elements) + at);
}

enum cad_dash_attribute cad_dash_attribute_find(cad_str name)
{
    return (enum cad_dash_attribute)find(attributes, CAD_ARRAY_LEN(attributes), name);
}

enum cad_dash_attribute cad_dash_foreign_attribute_find(cad_str ns, cad_str name)
{
    size_t at = find_foreign(foreign_attributes, CAD_ARRAY_LEN(foreign_attributes), ns, name);
    if (at == 0) return CAD_DASH_AT_UNKNOWN;
    return (enum cad_dash_attribute)(CAD_ARRAY_LEN(attributes) + at);
}

const char *cad_dash_attribute_name(enum cad_dash_attribute attribute)
{
    size_t at = (size_t)attribute;
    if (at == 0) return "";
    if (at <= CAD_ARRAY_LEN(attributes)) return attributes[at - 1].p;
    at -= CAD_ARRAY_LEN(attributes);
    return at <= CAD_ARRAY_LEN(foreign_attributes) ? foreign_attributes[at - 1].name.p : "";
}
