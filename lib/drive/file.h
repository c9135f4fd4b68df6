/*
 * file.h - the transport over local files: file: URLs and absolute paths, answered as a server of
 * byte ranges would: 200, 206 with a range, 416 past the end.
 *
 * Reading is done on the calling thread, at most CAD_FILE_SLICE_BYTES a pump, round robin; a file
 * system that blocks (a dead network mount) blocks the driver for as long. Only regular files are
 * read. An absent file ends with CAD_HTTP_NO_FILE, one that cannot be read with CAD_HTTP_BAD_FILE,
 * both with errno as edge_code.
 */
#ifndef CAD_DRIVE_FILE_H
#define CAD_DRIVE_FILE_H

#include <stdbool.h>

#include "base/strbuf.h"
#include "drive/transport.h"

#define CAD_FILE_SLICE_BYTES (256 * 1024)
#define CAD_FILE_PATH_MAX 4096 /* bytes of a path, as Linux has it */

struct cad_file_config {
    struct cad_alloc alloc;
    struct cad_log log;
};

/* CAD_E_NOMEM. */
CAD_MUST_CHECK int cad_file_create(const struct cad_file_config *config,
                                   struct cad_transport **out);

/* True for "file:" URLs and absolute paths: what this transport takes. */
bool cad_file_is_url(cad_str url);
/*
 * The path of a file: URL, escapes undone, or of an absolute path as it is; appended to out.
 * CAD_E_DATA: another host, a relative path, a broken escape, a NUL in it. CAD_E_LIMIT.
 */
CAD_MUST_CHECK int cad_file_path(cad_str url, struct cad_sb *out);
/* The file: URL of an absolute path, appended to out. What cad_sb_error says. */
CAD_MUST_CHECK int cad_file_url(cad_str path, struct cad_sb *out);

#endif
