#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "base/uri.h"
#include "drive/file.h"
#include "drive/player_impl.h"

/* RFC 3986 3.1, and "//" behind it: "http://x", not "Part 1: the film.mp4". */
static bool is_url(cad_str text)
{
    ptrdiff_t colon = cad_str_find_char(text, ':');
    if (colon <= 0 || !cad_is_alpha(text.p[0])) return false;
    for (ptrdiff_t i = 1; i < colon; i++) {
        char c = text.p[i];
        if (!cad_is_alpha(c) && !cad_is_digit(c) && c != '+' && c != '-' && c != '.') return false;
    }
    cad_str scheme = cad_str_sub(text, 0, (size_t)colon);
    if (cad_str_ieq(scheme, CAD_STR("file"))) return true;
    return cad_str_starts(cad_str_sub(text, (size_t)colon + 1, 2), CAD_STR("//"));
}

int cad_player_title_url(cad_str text, struct cad_sb *out)
{
    if (text.n == 0) return CAD_E_INVAL;
    if (is_url(text)) {
        cad_sb_put(out, text);
        return cad_sb_error(out);
    }
    if (text.p[0] == '/') return cad_file_url(text, out);
    char path[CAD_FILE_PATH_MAX];
    if (!getcwd(path, sizeof path)) return errno == ERANGE ? CAD_E_LIMIT : CAD_E_IO;
    int err = cad_file_url(cad_str_from(path), out);
    if (err) return err;
    if (!cad_str_eqz(cad_str_from(path), "/")) cad_sb_putc(out, '/');
    cad_str part;
    for (bool first = true; cad_str_split(&text, '/', &part); first = false) {
        if (!first) cad_sb_putc(out, '/');
        cad_uri_percent_encode(part, out);
    }
    return cad_sb_error(out);
}
