/* Files by themselves, protected by cenc with an IV for each sample and subsamples; made once. */
#include "engine_edges.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"
#include "mux_synth.h"

static struct cad_sb files[2]; /* of pictures, of sound; read-only afterwards */

static void make(const struct cad_synth *synth, uint32_t stream, struct cad_sb *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    struct mux_options options = {.scheme = CAD_SCHEME_CENC, .iv_seed = 1};
    struct cad_sb clear;
    memcpy(options.kid, edges_kids[0], CAD_KEY_ID_SIZE);
    memcpy(options.key, edges_kids[1], sizeof(options.key));
    cad_sb_init(&clear, &alloc, CAD_MEM_OTHER, 1 << 20);
    cad_sb_init(out, &alloc, CAD_MEM_OTHER, 1 << 20);
    if (mux_synth_clear(synth, stream, &clear)) abort();
    if (mux_synth_protect(&options, cad_buf_from_str(cad_sb_str(&clear)), out)) abort();
    cad_sb_deinit(&clear);
}

void edges_make_files(const struct cad_synth *synth, uint32_t sound)
{
    make(synth, 0, &files[0]);
    make(synth, sound, &files[1]);
}

bool edges_file(const struct cad_origin_request *request, struct cad_origin_answer *answer)
{
    size_t which = cad_str_eq(request->path, CAD_STR("/file.mp4")) ? 0 : 1;
    if (which && !cad_str_eq(request->path, CAD_STR("/sound.mp4"))) return false;
    cad_str all = cad_sb_str(&files[which]);
    int64_t first = CAD_MAX(request->range.first, 0);
    int64_t last = request->range.last < 0 ? (int64_t)all.n - 1 : request->range.last;
    last = CAD_MIN(last, (int64_t)all.n - 1);
    *answer = (struct cad_origin_answer){.status = 416};
    if (first > last) return true;
    answer->status = request->range.first < 0 ? 200 : 206;
    answer->body = cad_buf_from_str(cad_str_sub(all, (size_t)first, (size_t)last + 1));
    answer->body_size = (int64_t)answer->body.n;
    return true;
}
