/*
 * parser.c - the public parser: limits, options, which format, and the life of the object.
 */
#include <string.h>

#include "cadmium/manifest.h"

#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "manifest/dash.h"
#include "manifest/licensed.h"

enum state { STATE_NEW, STATE_RUNNING, STATE_DONE, STATE_FAILED };

struct cad_manifest_parser {
    struct cad_manifest_options options; /* base_url points to memory of ours */
    struct cad_manifest_error error;
    enum cad_manifest_format format; /* once running: which of the two is in use */
    union {
        struct cad_licensed licensed;
        struct cad_dash dash;
    } u;
    enum state state;
    int result;            /* of STATE_FAILED */
    size_t document_bytes; /* of the first step */
};

void cad_manifest_limits_default(struct cad_manifest_limits *limits)
{
    *limits = (struct cad_manifest_limits){
        .document_bytes = 8u << 20,
        .depth = 32,
        .string_bytes = 256u << 10,
        .audio_tracks = 64,
        .video_tracks = 16,
        .text_tracks = 256,
        .streams = 64,
        .urls = 32,
        .servers = 64,
        .locations = 16,
    };
}

void cad_manifest_options_init(struct cad_manifest_options *options)
{
    memset(options, 0, sizeof(*options));
    options->size = sizeof(*options);
    options->alloc = cad_alloc_system();
    cad_manifest_limits_default(&options->limits);
}

static void default_if_zero(uint32_t *value, uint32_t fallback)
{
    if (*value == 0) *value = fallback;
}

static void complete_limits(struct cad_manifest_limits *limits)
{
    struct cad_manifest_limits d;
    cad_manifest_limits_default(&d);
    default_if_zero(&limits->document_bytes, d.document_bytes);
    default_if_zero(&limits->depth, d.depth);
    default_if_zero(&limits->string_bytes, d.string_bytes);
    default_if_zero(&limits->audio_tracks, d.audio_tracks);
    default_if_zero(&limits->video_tracks, d.video_tracks);
    default_if_zero(&limits->text_tracks, d.text_tracks);
    default_if_zero(&limits->streams, d.streams);
    default_if_zero(&limits->urls, d.urls);
    default_if_zero(&limits->servers, d.servers);
    default_if_zero(&limits->locations, d.locations);
}

static int copy_base_url(struct cad_manifest_parser *parser, cad_str base_url)
{
    parser->options.base_url = (cad_str){NULL, 0};
    if (base_url.n == 0) return CAD_OK;
    char *copy = cad_alloc_new(&parser->options.alloc, base_url.n, CAD_MEM_MANIFEST);
    if (!copy) return CAD_E_NOMEM;
    memcpy(copy, base_url.p, base_url.n);
    parser->options.base_url = cad_str_make(copy, base_url.n);
    return CAD_OK;
}

int cad_manifest_parser_create(const struct cad_manifest_options *options,
                               struct cad_manifest_parser **out)
{
    if (!options || !out || options->size < sizeof(size_t) || options->size > sizeof(*options)) {
        return CAD_E_INVAL;
    }
    struct cad_manifest_options own;
    cad_manifest_options_init(&own);
    memcpy(&own, options, options->size);
    own.size = sizeof(own);
    if (!own.alloc.fn) return CAD_E_INVAL;
    complete_limits(&own.limits);

    struct cad_manifest_parser *parser = cad_alloc_new(&own.alloc, sizeof(*parser),
                                                       CAD_MEM_MANIFEST);
    if (!parser) return CAD_E_NOMEM;
    cad_str base_url = own.base_url;
    parser->options = own;
    parser->error.retry_after = CAD_TIME_NONE;
    if (copy_base_url(parser, base_url) != 0) {
        cad_alloc_free(&own.alloc, parser, sizeof(*parser), CAD_MEM_MANIFEST);
        return CAD_E_NOMEM;
    }
    *out = parser;
    return CAD_OK;
}

/* What a parse took, but for the object itself. */
static void release_work(struct cad_manifest_parser *parser)
{
    if (parser->state != STATE_RUNNING && parser->state != STATE_DONE) return;
    if (parser->format == CAD_FORMAT_DASH) cad_dash_deinit(&parser->u.dash);
    else cad_licensed_deinit(&parser->u.licensed);
}

void cad_manifest_parser_destroy(struct cad_manifest_parser **parser)
{
    if (!parser || !*parser) return;
    struct cad_manifest_parser *gone = *parser;
    struct cad_alloc alloc = gone->options.alloc;
    union {
        const char *p;
        void *v;
    } base_url = {gone->options.base_url.p};
    release_work(gone);
    cad_alloc_free(&alloc, base_url.v, gone->options.base_url.n, CAD_MEM_MANIFEST);
    cad_alloc_free(&alloc, gone, sizeof(*gone), CAD_MEM_MANIFEST);
    *parser = NULL;
}

/* ---- which format ---------------------------------------------------------------------------- */

static bool is_top_box(const uint8_t *type)
{
    static const char types[][5] = {"ftyp", "styp", "moov", "sidx", "moof", "free", "emsg"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(types); i++) {
        if (memcmp(type, types[i], 4) == 0) return true;
    }
    return false;
}

static int sniff_byte(uint8_t c, enum cad_manifest_format *out)
{
    if (c == '{') *out = CAD_FORMAT_LICENSED;
    else if (c == '<') *out = CAD_FORMAT_DASH;
    else if (c == '#') *out = CAD_FORMAT_HLS;
    else return CAD_E_DATA;
    return CAD_OK;
}

int cad_manifest_sniff(cad_buf head, enum cad_manifest_format *out)
{
    size_t at = 0;
    if (!out) return CAD_E_INVAL;
    if (head.n >= 8 && is_top_box(head.p + 4)) {
        *out = CAD_FORMAT_MP4;
        return CAD_OK;
    }
    if (head.n >= 2 && ((head.p[0] == 0xfe && head.p[1] == 0xff) ||
                        (head.p[0] == 0xff && head.p[1] == 0xfe))) {
        *out = CAD_FORMAT_DASH; /* UTF-16: of the text formats only XML may be */
        return CAD_OK;
    }
    if (head.n >= 3 && memcmp(head.p, "\xef\xbb\xbf", 3) == 0) at = 3;
    while (at < head.n && cad_is_space((char)head.p[at])) at++;
    if (at < head.n) {
        /* A size field may begin like text: the type behind it decides, once it is there. */
        int rc = sniff_byte(head.p[at], out);
        return rc != 0 && head.n < 8 ? CAD_E_AGAIN : rc;
    }
    return CAD_E_AGAIN;
}

/* ---- steps ----------------------------------------------------------------------------------- */

static int fail(struct cad_manifest_parser *parser, int rc, enum cad_error_code code,
                const char *text)
{
    parser->error.code = code;
    (void)cad_str_copyz(parser->error.message, sizeof(parser->error.message), cad_str_from(text));
    return rc;
}

static int start(struct cad_manifest_parser *parser, cad_buf document)
{
    if (document.n > parser->options.limits.document_bytes) {
        return fail(parser, CAD_E_LIMIT, CAD_ERR_MANIFEST_LIMIT, "the document is too long");
    }
    enum cad_manifest_format format = CAD_FORMAT_LICENSED;
    if (cad_manifest_sniff(document, &format) != 0) {
        return fail(parser, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, "the document is no manifest");
    }
    switch (format) {
    case CAD_FORMAT_HLS:
        return fail(parser, CAD_E_UNSUPPORTED, CAD_ERR_MANIFEST_UNSUPPORTED,
                    "HLS is not supported yet");
    case CAD_FORMAT_MP4:
        return fail(parser, CAD_E_UNSUPPORTED, CAD_ERR_MANIFEST_UNSUPPORTED,
                    "this is a media file, not a manifest");
    case CAD_FORMAT_DASH:
        cad_dash_init(&parser->u.dash, &parser->options, &parser->error);
        break;
    case CAD_FORMAT_LICENSED:
        cad_licensed_init(&parser->u.licensed, &parser->options, &parser->error, document);
        break;
    }
    parser->format = format;
    parser->document_bytes = document.n;
    parser->state = STATE_RUNNING;
    return CAD_OK;
}

int cad_manifest_parser_step(struct cad_manifest_parser *parser, cad_buf document, uint32_t tokens)
{
    if (!parser || tokens == 0 || (document.n > 0 && !document.p)) return CAD_E_INVAL;
    if (parser->state == STATE_FAILED) return parser->result;
    if (parser->state == STATE_DONE) return CAD_OK;
    int rc = CAD_OK;
    if (parser->state == STATE_NEW) rc = start(parser, document);
    if (rc == 0 && document.n != parser->document_bytes) return CAD_E_INVAL;
    if (rc == 0 && parser->format == CAD_FORMAT_DASH) {
        rc = cad_dash_step(&parser->u.dash, document, tokens);
    } else if (rc == 0) {
        rc = cad_licensed_step(&parser->u.licensed, document, tokens);
    }
    if (rc == CAD_E_AGAIN) return rc;
    if (rc == 0) {
        parser->state = STATE_DONE;
        return rc;
    }
    release_work(parser);
    parser->state = STATE_FAILED;
    parser->result = rc;
    return rc;
}

int cad_manifest_parser_take(struct cad_manifest_parser *parser, struct cad_presentation **out)
{
    if (!parser || !out || parser->state != STATE_DONE) return CAD_E_INVAL;
    struct cad_model *model = parser->format == CAD_FORMAT_DASH
                                  ? cad_dash_take(&parser->u.dash)
                                  : cad_licensed_take(&parser->u.licensed);
    if (!model) return CAD_E_INVAL;
    *out = &model->presentation;
    return CAD_OK;
}

void cad_manifest_parser_error(const struct cad_manifest_parser *parser,
                               struct cad_manifest_error *out)
{
    if (!out) return;
    memset(out, 0, sizeof(*out));
    out->retry_after = CAD_TIME_NONE;
    if (parser) *out = parser->error;
}
