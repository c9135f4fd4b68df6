/*
 * decrypt.h - one sample out of itself and its key: the schemes of ISO/IEC 23001-7 on mbedTLS.
 */
#ifndef CAD_DRM_DECRYPT_H
#define CAD_DRM_DECRYPT_H

#include "cadmium/cdm.h"

/*
 * What is wrong with a sample before any key is asked for: 0, CAD_E_INVAL, CAD_E_DATA, CAD_E_LIMIT,
 * CAD_E_UNSUPPORTED as cad_cdm_ops.decrypt has them.
 */
CAD_MUST_CHECK int cad_drm_sample_check(const struct cad_cdm_sample *sample, const uint8_t *out);

/*
 * Decrypt a sample that was checked. key is not looked at for CAD_SCHEME_CLEAR. CAD_E_IO:
 * *system_code is mbedTLS's code, negated.
 */
CAD_MUST_CHECK int cad_drm_sample_decrypt(const struct cad_cdm_sample *sample,
                                          const uint8_t key[16], uint8_t *out,
                                          uint32_t *system_code);

/*
 * mbedTLS makes its tables at the first use, without a lock. To be called before two threads
 * decrypt.
 */
void cad_drm_decrypt_prepare(void);

#endif
