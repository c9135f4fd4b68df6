/*
 * mp4.h - CMAF boxes read from views (ISO/IEC 14496-12, 23000-19).
 *
 * Nothing here allocates or keeps a pointer of its own: results are views into the bytes given.
 * Every function takes what has arrived so far and answers CAD_E_AGAIN when a box is not whole yet;
 * CAD_E_DATA is a box that contradicts itself.
 */
#ifndef CAD_MP4_MP4_H
#define CAD_MP4_MP4_H

#include <stdbool.h>

#include "cadmium/types.h"

#include "base/cenc.h"

#define CAD_FOURCC(a, b, c, d)                                                                     \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

#define CAD_MP4_TRUNS_MAX 64        /* track runs of one track fragment */
#define CAD_MP4_SAMPLES_MAX 1048576 /* samples of one track run */
#define CAD_MP4_MOOV_BYTES_MAX (16u << 20) /* a moov, header included */
#define CAD_MP4_MOOF_BYTES_MAX (16u << 20) /* a moof, header included */
#define CAD_MP4_SIDX_BYTES_MAX (1u << 20)  /* a sidx; 65535 references take 768 KiB */
#define CAD_MP4_GROUPS_MAX 1024     /* entries of a sgpd of type seig */

/* A box header. */
struct cad_mp4_box {
    uint32_t type;      /* fourcc */
    uint32_t header;    /* bytes of header: 8, 16, 24 or 32 */
    uint64_t size;      /* whole box; UINT64_MAX: to the end of the file */
};

/* Read the header at the start of b. CAD_E_AGAIN: fewer bytes than a header. CAD_E_DATA. */
CAD_MUST_CHECK int cad_mp4_box_read(cad_buf b, struct cad_mp4_box *out);

/* How samples are protected: a tenc box or a seig group entry (23001-7 8.2, 6). */
struct cad_mp4_protection {
    bool is_protected;           /* false: the samples are clear, the rest is zero */
    uint8_t per_sample_iv_size;  /* 8, 16; 0: constant_iv is the IV of each */
    uint8_t crypt_byte_block, skip_byte_block; /* 0 .. 15; 0 and 0 no pattern */
    uint8_t kid[CAD_KEY_ID_SIZE];
    cad_buf constant_iv;         /* 8 or 16 bytes, a view into the moov or moof; else empty */
};

/* What a moov says about the one track of a CMAF file (14496-12 8.2 to 8.8, 8.16). */
struct cad_mp4_init {
    enum cad_media_type type;
    enum cad_codec codec;
    uint32_t sample_entry;       /* fourcc: avc1, hvc1, av01, mp4a, encv ... */
    uint32_t track_id;
    uint32_t timescale;          /* of the media */
    int64_t duration_ticks;      /* mehd or mdhd, in media ticks; 0 unknown */
    int64_t edit_start_ticks;    /* subtracted from every time: media_time of the first edit that
                                    shows media, less the empty edits before it; 0 without elst */
    uint32_t default_duration, default_size, default_flags; /* trex */
    uint32_t width, height;      /* video, of the sample entry */
    uint32_t channels, sample_rate_hz; /* audio; AAC: from the AudioSpecificConfig if present */
    cad_buf config;              /* payload of avcC, hvcC, av1C, dOps..., or the
                                    AudioSpecificConfig; a view into the moov */
    char codecs[48];             /* RFC 6381, NUL-terminated: "avc1.64001f", "av01.0.04M.08",
                                    "mp4a.40.2" */
    struct cad_color color;      /* video: colr, mdcv, clli and the configuration's bit depth */
    bool joc;                    /* E-AC-3 carries objects (TS 103 420); channels: of its bed */
    uint8_t joc_complexity;      /* of the objects: 1 .. 16; 0 none */
    bool encrypted;              /* a sample entry has a sinf: the first, or else a later one */
    uint32_t scheme;             /* schm of that one: cenc, cbcs; 0 */
    bool has_protection;         /* it has a tenc, of a scheme that is known here */
    struct cad_mp4_protection protection; /* tenc: what counts for samples without a group */
    uint32_t default_description; /* trex: sample entry of fragments that name none, from 1 */
    cad_buf stsd, sgpd;          /* payloads, of sgpd that of type seig; views into the moov */
    cad_buf moov;                /* payload; for cad_mp4_pssh_next */
};

/*
 * Find and read the moov in b (ftyp and other boxes before it are passed over). end: offset just
 * behind the moov. Of several tracks the first that is audio or video of a known codec is taken.
 * CAD_E_AGAIN, CAD_E_DATA, CAD_E_UNSUPPORTED (no track, or an unknown sample entry: *out is filled
 * as far as known and *end is set), CAD_E_LIMIT. Other failures leave *out and *end alone.
 */
CAD_MUST_CHECK int cad_mp4_init_read(cad_buf b, struct cad_mp4_init *out, size_t *end);

/* A segment index (14496-12 8.16.3), version 0 or 1. */
struct cad_mp4_sidx {
    uint32_t timescale;
    uint32_t reference_id;
    uint64_t earliest_time;   /* ticks of timescale */
    uint64_t first_offset;    /* from the byte behind the sidx */
    uint32_t count;           /* references */
    cad_buf references;       /* count x 12 bytes */
};
struct cad_mp4_reference {
    bool is_index;            /* reference_type 1: another sidx */
    uint32_t size_bytes;
    uint32_t duration_ticks;
    bool starts_with_sap;
    uint8_t sap_type;
    uint32_t sap_delta_ticks; /* SAP_delta_time */
};
/*
 * Read the sidx that is the box at the start of b. CAD_E_AGAIN, CAD_E_DATA (also: another box),
 * CAD_E_LIMIT, CAD_E_UNSUPPORTED (a version above 1).
 */
CAD_MUST_CHECK int cad_mp4_sidx_read(cad_buf b, struct cad_mp4_sidx *out);
/* i < count. */
void cad_mp4_sidx_reference(const struct cad_mp4_sidx *sidx, uint32_t i,
                            struct cad_mp4_reference *out);

/*
 * Find the next top-level box of a type from *offset on. 0: *offset is its start. CAD_E_AGAIN: not
 * in what is there; *offset is where the search goes on (it may lie past b.n: fetch from there).
 * CAD_E_NOTFOUND: a box that runs to the end of the file comes first. CAD_E_DATA: *offset is the
 * start of the broken box.
 */
CAD_MUST_CHECK int cad_mp4_find_box(cad_buf b, uint32_t type, uint64_t *offset);

/* One access unit of a segment. */
struct cad_mp4_sample {
    int64_t dts_ticks;       /* edit list applied */
    int64_t pts_ticks;
    uint32_t duration_ticks;
    uint32_t size;           /* bytes */
    uint64_t offset;         /* of its first byte, from the start of the segment */
    uint32_t index;          /* in its traf, from 0 */
    bool sync;
};

/*
 * Walks the samples of a media segment: (styp|sidx|emsg|prft|moof|mdat|...)+. Plain data: it may be
 * copied to remember a place. It never reads a byte of mdat.
 */
struct cad_mp4_reader {
    const struct cad_mp4_init *init; /* borrowed */
    uint64_t next_box;      /* offset of the next top-level box to look at */
    uint64_t moof;          /* offset of the current moof; UINT64_MAX none */
    uint64_t moof_size;
    uint64_t traf;          /* offset and size of the current traf's payload */
    uint64_t traf_size;
    uint64_t trun;          /* offset of the current trun's box; UINT64_MAX none */
    uint64_t trun_end;      /* offset just behind it */
    uint64_t trun_next;     /* offset of the next sample's row */
    uint32_t trun_left;     /* samples left in this run */
    uint32_t trun_flags;
    uint32_t trun_first_flags;
    bool trun_first;        /* the next sample is the first of its run */
    uint8_t trun_version;
    uint64_t data;          /* of the next sample's bytes, counted from the start of the file */
    int64_t dts_ticks;      /* of the next sample, before the edit list */
    uint64_t base_data;     /* tfhd; counted from the start of the file */
    uint32_t duration, size, flags; /* tfhd over trex */
    uint64_t origin;        /* where the segment starts in its file; see below */
    uint64_t total;         /* of the last call */
    uint32_t description;   /* sample entry of the current traf, from 1; 0 not told */
    uint32_t index;         /* of the next sample in its traf */
    int error;              /* sticky */
};

/*
 * Start at the beginning of a segment. init is borrowed; its track_id 0 takes the samples of every
 * track. If the segment is a byte range of a larger file, set reader->origin to the range's first
 * byte afterwards: a tfhd with base-data-offset counts from the start of the file (14496-12 8.8.7).
 * A reader that goes on with the next segment of a track may keep dts_ticks: it is what counts
 * where a tfdt is missing.
 */
void cad_mp4_reader_init(struct cad_mp4_reader *reader, const struct cad_mp4_init *init);
/*
 * The next sample. b holds the first b.n bytes of the segment; `total` is the length of the whole
 * segment (UINT64_MAX unknown). 0: *out is a sample whose bytes are all within b.n. CAD_E_AGAIN:
 * more bytes needed, no sample was passed. CAD_E_END: the segment is done; never with an unknown
 * total. CAD_E_DATA, CAD_E_LIMIT, CAD_E_UNSUPPORTED (data of another track whose end cannot be
 * known is where a run starts): sticky.
 */
CAD_MUST_CHECK int cad_mp4_reader_next(struct cad_mp4_reader *reader, cad_buf b, uint64_t total,
                                       struct cad_mp4_sample *out);

/* ---- protection (23001-7) ------------------------------------------------------------------ */

/* The scheme that a schm names. CAD_E_UNSUPPORTED: none of enum cad_scheme; *out is left. */
CAD_MUST_CHECK int cad_mp4_scheme(uint32_t fourcc, enum cad_scheme *out);

/*
 * The next pssh box among the children of a moov or moof payload; *at starts at 0. CAD_E_END: none
 * is left. CAD_E_DATA, CAD_E_UNSUPPORTED: this one cannot be read; *at has moved on, so that the
 * search may go on.
 */
CAD_MUST_CHECK int cad_mp4_pssh_next(cad_buf container, size_t *at, struct cad_cenc_pssh *out);

/* How one sample is protected. Views into the segment and the moov. */
struct cad_mp4_sample_crypt {
    uint32_t scheme;         /* of its sample entry: fourcc of the schm; 0 clear */
    struct cad_mp4_protection protection; /* its group's, else its sample entry's; if is_protected
                                             is false the sample is clear and the rest is empty */
    cad_buf iv;              /* 8 or 16 bytes: of the sample, or constant */
    cad_buf subsamples;      /* packed, see base/cenc.h; empty: the whole sample is protected */
};

/*
 * Follows a reader through the auxiliary information of its samples. Plain data, copied with the
 * reader; all zeros before the first sample of a segment.
 */
struct cad_mp4_crypt {
    uint64_t moof, traf;     /* of the traf that it stands in, as the reader has them */
    uint32_t index;          /* of the next sample of that traf */
    uint32_t scheme;         /* of its sample entry; 0 clear */
    struct cad_mp4_protection entry; /* of its sample entry, if; constant_iv.p is NULL */
    bool has_entry;
    uint64_t constant_iv;    /* entry: offset of it in init->stsd, if constant_iv.n */
    uint8_t source;          /* where auxiliary information comes from */
    bool has_maps;           /* senc: there are subsamples */
    uint8_t size;            /* saiz: of each; 0: a table */
    uint32_t count;          /* samples that it knows */
    uint64_t sizes;          /* saiz: offset of the table */
    uint64_t at, end;        /* of the next sample's information; of what holds it */
    uint64_t group_at, group_end; /* next row of the sbgp, and its end */
    uint32_t group, group_left;   /* description of this many samples; 0 none */
    uint64_t groups, groups_size; /* payload of the traf's sgpd */
    uint64_t seig, seig_size;     /* entry of the current group */
    bool seig_in_init;       /* it lies in init->sgpd */
    uint32_t seig_group;     /* description whose entry that is; 0 none */
    int error;               /* of the whole traf */
};

/*
 * How the sample that the reader gave last is protected; b as it was given to the reader, or more.
 * Samples that are not asked for are passed over. To ask again, for lack of bytes or otherwise, is
 * all right as long as the reader has not gone on.
 *
 * senc counts, else saiz and saio; groups count before the tenc. CAD_E_AGAIN: saio points at bytes
 * that are not there yet; nothing was passed. CAD_E_DATA: what the fragment says is wrong, which is
 * so for all of its samples; or the subsamples do not cover this sample exactly, which is so for
 * this one alone. CAD_E_LIMIT: more than CAD_CDM_SUBSAMPLES_MAX or CAD_MP4_GROUPS_MAX.
 * CAD_E_UNSUPPORTED: several saio offsets, or fields in a senc that override the tenc.
 * CAD_E_INVAL: there is no such sample.
 */
CAD_MUST_CHECK int cad_mp4_crypt_next(struct cad_mp4_crypt *crypt,
                                      const struct cad_mp4_reader *reader, cad_buf b,
                                      const struct cad_mp4_sample *sample,
                                      struct cad_mp4_sample_crypt *out);

#endif
