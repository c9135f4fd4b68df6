#include "telemetry/gzip.h"

#include <string.h>

#include <zlib.h>

#include "base/checked.h"
#include "base/mem.h"

#define LEVEL 6
#define WINDOW_BITS (15 + 16) /* 16: the gzip form */
#define MEMORY_LEVEL 8
#define OS_UNKNOWN 255 /* so that the bytes do not depend on where they were made */

/* zlib gives no size back on free: it stands in front. 16 bytes keep the block aligned. */
#define FRONT 16

static voidpf take(voidpf opaque, uInt items, uInt size)
{
    const struct cad_alloc *alloc = opaque;
    size_t n;
    if (!cad_mul_size(items, size, &n) || !cad_add_size(n, FRONT, &n)) return NULL;
    /* Zeroed: some builds of zlib read their window before it is written. */
    uint8_t *p = cad_alloc_new(alloc, n, CAD_MEM_SESSION);
    if (!p) return NULL;
    memcpy(p, &n, sizeof(n));
    return p + FRONT;
}

static void give_back(voidpf opaque, voidpf address)
{
    const struct cad_alloc *alloc = opaque;
    if (!address) return;
    uint8_t *p = (uint8_t *)address - FRONT;
    size_t n;
    memcpy(&n, p, sizeof(n));
    cad_alloc_free(alloc, p, n, CAD_MEM_SESSION);
}

int tel_gzip(cad_buf in, const struct cad_alloc *alloc, struct cad_sb *out)
{
    struct cad_alloc copy = *alloc;
    z_stream z;
    gz_header header;
    if (in.n > (1u << 30)) return CAD_E_LIMIT;
    memset(&z, 0, sizeof(z));
    memset(&header, 0, sizeof(header));
    header.os = OS_UNKNOWN;
    z.zalloc = take;
    z.zfree = give_back;
    z.opaque = &copy;
    int rc = deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY);
    if (rc != Z_OK) return CAD_E_NOMEM;
    int err = CAD_E_LIMIT;
    if (deflateSetHeader(&z, &header) != Z_OK) goto fail;
    size_t bound = deflateBound(&z, (uLong)in.n);
    cad_sb_reserve(out, bound);
    if ((err = cad_sb_error(out)) != 0) goto fail;
    z.next_in = (z_const Bytef *)in.p;
    z.avail_in = (uInt)in.n;
    z.next_out = (Bytef *)out->p + out->n;
    z.avail_out = (uInt)bound;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END) {
        err = CAD_E_LIMIT; /* cannot be: bound was enough */
        goto fail;
    }
    out->n += bound - z.avail_out;
    out->p[out->n] = '\0';
    err = 0;
fail:
    deflateEnd(&z);
    return err;
}
