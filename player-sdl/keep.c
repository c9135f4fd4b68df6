#include "keep.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

bool keep_usual(const char *state_home, const char *home, char *out, size_t size)
{
    int n = -1;
    /* The XDG rules: a relative path counts as none. */
    if (state_home && state_home[0] == '/') {
        n = snprintf(out, size, "%s/cadmium", state_home);
    } else if (home && home[0] == '/') {
        n = snprintf(out, size, "%s/.local/state/cadmium", home);
    }
    if (n > 0 && (size_t)n < size) return true;
    if (size > 0) out[0] = '\0';
    return false;
}

int keep_make_parents(const char *path)
{
    char part[KEEP_PATH_MAX];
    size_t n = strlen(path);
    if (n >= sizeof(part)) return CAD_E_LIMIT;
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (part[i] != '/') continue;
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            /* What cannot be made may be there all the same, on a disk that cannot be written. */
            struct stat st;
            int why = errno;
            bool there = stat(part, &st) == 0 && S_ISDIR(st.st_mode);
            errno = why;
            if (!there) return CAD_E_IO;
        }
        part[i] = '/';
    }
    return 0;
}
