#include "cadmium/base.h"

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)

const char *cad_version(void)
{
    return TEXT(CAD_VERSION_MAJOR) "." TEXT(CAD_VERSION_MINOR) "." TEXT(CAD_VERSION_PATCH);
}
