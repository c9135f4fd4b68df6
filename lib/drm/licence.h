/*
 * licence.h - what Clear Key says and hears: init data in, request out, licence in (W3C Encrypted
 * Media Extensions 9.1; the "cenc", "keyids" and "webm" initialization data formats).
 */
#ifndef CAD_DRM_LICENCE_H
#define CAD_DRM_LICENCE_H

#include "cadmium/cdm.h"

#include "base/strbuf.h"
#include "drm/keys.h"

#define CAD_LICENCE_BYTES_MAX 65536 /* of a licence */
#define CAD_LICENCE_KEYS_MAX 64     /* of a licence; key ids of init data */
#define CAD_REQUEST_BYTES_MAX 4096  /* of a request: 64 key ids take 1.7 KiB */

/* Key ids, none twice. */
struct cad_kid_list {
    uint8_t kids[CAD_LICENCE_KEYS_MAX][CAD_KEY_ID_SIZE];
    uint32_t n;
};

/* Adds a key id unless it is there. CAD_E_LIMIT. */
CAD_MUST_CHECK int cad_kid_list_add(struct cad_kid_list *list, const uint8_t *kid);

/*
 * The key ids that init data names; the list grows by them. CAD_E_NOTFOUND: it names none, or none
 * of a system that is known here. CAD_E_DATA, CAD_E_LIMIT, CAD_E_UNSUPPORTED (its type, or key ids
 * of other than 16 bytes): the list may have grown.
 */
CAD_MUST_CHECK int cad_licence_init_kids(enum cad_init_type type, cad_buf data,
                                         struct cad_kid_list *list);

/* {"kids":["..."],"type":"temporary"}. Failures are the builder's. */
void cad_licence_request(struct cad_sb *sb, const struct cad_kid_list *list);

/*
 * The keys of a JWK set for a temporary session, to rows[CAD_LICENCE_KEYS_MAX], all USABLE; of a
 * key id that comes twice the last. A key that is not "oct", or whose k and kid are not 16 bytes,
 * is passed over. CAD_E_DATA: no JSON, no such set, another type, or no key is left. CAD_E_LIMIT:
 * more bytes or keys than above. On failure *n is 0 and rows are wiped.
 */
CAD_MUST_CHECK int cad_licence_read(cad_buf licence, struct cad_key_row *rows, uint32_t *n);

#endif
