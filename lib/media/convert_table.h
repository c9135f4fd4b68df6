/*
 * convert_table.h - how colours of HDR and wide gamuts become those of an ordinary screen: a table
 * over the cube of Y, Cb and Cr, from which cad_converter_run interpolates.
 *
 * In the cube a code is of 10 bits; what lies between the nodes is weighted by its distance. The
 * curve is documented in docs/media.md.
 */
#ifndef CAD_MEDIA_CONVERT_TABLE_H
#define CAD_MEDIA_CONVERT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "cadmium/decode.h"

#define CAD_CONVERT_NODES 65        /* of Cb, Cr, and of Y for the Y of the result: 16 apart */
#define CAD_CONVERT_COARSE 33       /* of Y for the chroma of the result: 32 codes apart */
#define CAD_CONVERT_LIGHT 4096      /* steps of the signal that its light is kept for */
#define CAD_CONVERT_GAMMA 1024      /* steps of the fourth root of light, for the signal */
#define CAD_CONVERT_WHITE 203       /* cd/m2 that are 1 on the way (BT.2408 reference white) */
#define CAD_CONVERT_PEAK_DEFAULT 1000 /* cd/m2, where nothing tells */

/* Everything that the table depends on. */
struct cad_convert_kind {
    uint8_t primaries;  /* 9 BT.2020, 12 P3 with D65, 1 BT.709 */
    uint8_t transfer;   /* 16 PQ, 18 HLG, 1 ordinary */
    uint8_t matrix;     /* 9 BT.2020 NCL, 1 BT.709, 6 BT.601 */
    bool full_range;
    uint16_t code_max;  /* the code of white in full range: 1023, or 1020 for 8 bits times 4 */
    uint16_t peak;      /* cd/m2 of the brightest: 203 .. 10000 */
};

/*
 * Codes of 8 bits times 256, by Cr, Cb and Y. The last node of each axis stands for code 1024. 1.1
 * MiB, of which a picture touches little at a time. light and gamma are for filling it.
 */
struct cad_convert_table {
    uint16_t luma[CAD_CONVERT_NODES][CAD_CONVERT_NODES][CAD_CONVERT_NODES];
    uint16_t chroma[CAD_CONVERT_NODES][CAD_CONVERT_NODES][CAD_CONVERT_COARSE][2]; /* Cb, Cr */
    float light[CAD_CONVERT_LIGHT + 2];
    float gamma[CAD_CONVERT_GAMMA + 2];
};

struct cad_convert_kind cad_convert_kind_of(const struct cad_frame *frame);
bool cad_convert_kind_equal(const struct cad_convert_kind *a, const struct cad_convert_kind *b);
void cad_convert_table_fill(struct cad_convert_table *table, const struct cad_convert_kind *kind);

#endif
