/*
 * licensed_read.c - from JSON tokens to the raw tree, one token at a time.
 *
 * The state between two tokens is the JSON reader, a stack of open containers that are read, and a
 * count of open containers that are skipped. Containers nest as the tables say, so the stack is
 * short whatever the document does.
 */
#include <string.h>

#include "base/assert.h"
#include "base/str.h"
#include "base/strbuf.h"
#include "manifest/licensed.h"

enum shape { SHAPE_OBJECT, SHAPE_ARRAY, SHAPE_MAP };

static bool begins(enum cad_json_type type)
{
    return type == CAD_JSON_OBJECT_BEGIN || type == CAD_JSON_ARRAY_BEGIN;
}

static bool ends(enum cad_json_type type)
{
    return type == CAD_JSON_OBJECT_END || type == CAD_JSON_ARRAY_END;
}

/* ---- the raw tree ---------------------------------------------------------------------------- */

static void *member(void *raw, const struct cad_raw_field *field)
{
    return (char *)raw + field->offset;
}

/* A struct of the node with every value absent; NULL when memory ran out. */
static void *new_raw(struct cad_licensed *p, enum cad_raw_node node)
{
    const struct cad_raw_layout *layout = cad_raw_layout_of(node);
    void *raw = cad_arena_alloc(&p->scratch, layout->size, _Alignof(max_align_t));
    if (!raw) return NULL;
    for (uint32_t i = 0; i < layout->field_count; i++) {
        const struct cad_raw_field *field = &layout->fields[i];
        int64_t absent = CAD_RAW_ABSENT;
        int8_t unset = -1;
        switch ((enum cad_raw_type)field->type) {
        case CAD_RAW_INT:
        case CAD_RAW_MILLI: memcpy(member(raw, field), &absent, sizeof(absent)); break;
        case CAD_RAW_BOOL:
        case CAD_RAW_BOOLISH: memcpy(member(raw, field), &unset, sizeof(unset)); break;
        default: break;
        }
    }
    return raw;
}

static uint32_t limit_of(const struct cad_licensed *p, const struct cad_raw_field *field)
{
    const struct cad_manifest_limits *limits = &p->options->limits;
    switch ((enum cad_raw_limit)field->limit) {
    case CAD_RAW_LIMIT_AUDIO_TRACKS: return limits->audio_tracks;
    case CAD_RAW_LIMIT_VIDEO_TRACKS: return limits->video_tracks;
    case CAD_RAW_LIMIT_TEXT_TRACKS: return limits->text_tracks;
    case CAD_RAW_LIMIT_STREAMS: return limits->streams;
    case CAD_RAW_LIMIT_URLS: return limits->urls;
    case CAD_RAW_LIMIT_SERVERS: return limits->servers;
    case CAD_RAW_LIMIT_LOCATIONS: return limits->locations;
    case CAD_RAW_LIMIT_TRICKPLAYS: return CAD_LICENSED_TRICKPLAYS_MAX;
    case CAD_RAW_LIMIT_DRM_HEADERS: return CAD_LICENSED_DRM_HEADERS_MAX;
    case CAD_RAW_LIMIT_CHOICES: return CAD_LICENSED_CHOICES_MAX;
    case CAD_RAW_LIMIT_ANNOTATIONS: return CAD_LICENSED_ANNOTATIONS_MAX;
    case CAD_RAW_LIMIT_NONE: break;
    }
    return 0;
}

/* A new last element of the list at field; NULL with the failure noted. */
static struct cad_raw_item *append(struct cad_licensed *p, void *raw,
                                   const struct cad_raw_field *field, int *rc)
{
    struct cad_raw_list *list = member(raw, field);
    if (list->count >= limit_of(p, field)) {
        char text[80];
        (void)cad_str_copyz(text, sizeof(text), cad_str_from(field->name));
        *rc = cad_licensed_fail(p, CAD_E_LIMIT, CAD_ERR_MANIFEST_LIMIT, text);
        return NULL;
    }
    struct cad_raw_item *item = new_raw(p, (enum cad_raw_node)field->child);
    if (!item) {
        *rc = cad_licensed_fail_memory(p);
        return NULL;
    }
    if (list->last) list->last->next = item;
    else list->first = item;
    list->last = item;
    list->count++;
    return item;
}

static void push(struct cad_licensed *p, enum shape shape, const struct cad_raw_field *field,
                 void *raw)
{
    CAD_ASSERT(p->frame_count < CAD_LICENSED_FRAMES_MAX);
    struct cad_licensed_frame *frame = &p->frames[p->frame_count++];
    frame->field = field;
    frame->raw = raw;
    frame->seen = 0;
    frame->node = field ? field->child : CAD_NODE_ROOT;
    frame->shape = (uint8_t)shape;
}

/* ---- values ---------------------------------------------------------------------------------- */

/* An id: text that is not empty, or an integer, which becomes its decimal text. */
static int read_id(struct cad_licensed *p, enum cad_json_type type, cad_str *out)
{
    if (type == CAD_JSON_NUMBER) {
        int64_t value = 0;
        if (cad_json_i64(&p->json, &value) != 0) return CAD_E_DATA;
        char digits[24];
        struct cad_sb sb;
        cad_sb_init_fixed(&sb, digits, sizeof(digits));
        cad_sb_i64(&sb, value);
        *out = cad_arena_str(&p->scratch, cad_sb_str(&sb));
        return out->p ? CAD_OK : CAD_E_NOMEM;
    }
    cad_str text = {NULL, 0};
    if (type != CAD_JSON_STRING) return CAD_E_DATA;
    int rc = cad_json_string_arena(&p->json, &p->scratch, &text);
    if (rc == 0 && text.n == 0) return CAD_E_DATA;
    if (rc == 0) *out = text;
    return rc;
}

static int read_bool(struct cad_licensed *p, enum cad_json_type type, bool texts, int8_t *out)
{
    if (type == CAD_JSON_TRUE || (texts && cad_json_key_is(&p->json, "true"))) *out = 1;
    else if (type == CAD_JSON_FALSE || (texts && cad_json_key_is(&p->json, "false"))) *out = 0;
    return CAD_OK;
}

/* A value that is no container. One of the wrong type is left absent; only memory can fail. */
static int read_scalar(struct cad_licensed *p, void *raw, const struct cad_raw_field *field,
                       enum cad_json_type type)
{
    void *to = member(raw, field);
    bool text = type == CAD_JSON_STRING;
    int rc = CAD_OK;
    switch ((enum cad_raw_type)field->type) {
    case CAD_RAW_INT: rc = cad_json_i64(&p->json, to); break;
    case CAD_RAW_MILLI: rc = cad_json_fixed(&p->json, 3, to); break;
    case CAD_RAW_ID: rc = read_id(p, type, to); break;
    case CAD_RAW_STR:
        if (text) rc = cad_json_string_arena(&p->json, &p->scratch, to);
        break;
    case CAD_RAW_BOOL: rc = read_bool(p, type, false, to); break;
    case CAD_RAW_BOOLISH: rc = read_bool(p, type, text, to); break;
    default: break;
    }
    if (rc != 0 && cad_arena_error(&p->scratch) != 0) return cad_licensed_fail_memory(p);
    return CAD_OK;
}

/* A container as the value of field. Returns true in *open if it is read, not skipped. */
static int read_container(struct cad_licensed *p, void *raw, const struct cad_raw_field *field,
                          enum cad_json_type type, bool *open)
{
    bool object = type == CAD_JSON_OBJECT_BEGIN;
    *open = true;
    switch ((enum cad_raw_type)field->type) {
    case CAD_RAW_OBJECT:
        if (object) {
            void *child = new_raw(p, (enum cad_raw_node)field->child);
            if (!child) return cad_licensed_fail_memory(p);
            memcpy(member(raw, field), &child, sizeof(child));
            push(p, SHAPE_OBJECT, field, child);
            return CAD_OK;
        }
        break;
    case CAD_RAW_LIST:
    case CAD_RAW_URLS:
        if (!object) {
            push(p, SHAPE_ARRAY, field, raw);
            return CAD_OK;
        }
        break;
    case CAD_RAW_MAP:
    case CAD_RAW_TEXT_MAP:
        if (object) {
            push(p, SHAPE_MAP, field, raw);
            return CAD_OK;
        }
        break;
    case CAD_RAW_MARK:
        if (object) *(int8_t *)member(raw, field) = 1;
        break;
    default: break;
    }
    *open = false;
    return CAD_OK;
}

/* ---- tokens inside each shape ---------------------------------------------------------------- */

static int take_value(struct cad_licensed *p, struct cad_licensed_frame *frame,
                      enum cad_json_type type)
{
    const struct cad_raw_field *field = p->pending;
    p->pending = NULL;
    if (!begins(type)) return field ? read_scalar(p, frame->raw, field, type) : CAD_OK;
    bool open = false;
    int rc = field ? read_container(p, frame->raw, field, type, &open) : CAD_OK;
    if (rc == 0 && !open) p->skip_depth = 1;
    return rc;
}

/* Which field a key names; NULL for one that is unknown, repeated or not read. */
static const struct cad_raw_field *take_key(struct cad_licensed *p,
                                            struct cad_licensed_frame *frame)
{
    const struct cad_raw_layout *layout = cad_raw_layout_of((enum cad_raw_node)frame->node);
    CAD_ASSERT(layout->field_count <= 64);
    for (uint32_t i = 0; i < layout->field_count; i++) {
        if (!cad_json_key_is(&p->json, layout->fields[i].name)) continue;
        if (frame->seen >> i & 1) {
            p->model->presentation.duplicate_keys++;
            return NULL;
        }
        frame->seen |= UINT64_C(1) << i;
        return layout->fields[i].type == CAD_RAW_KNOWN ? NULL : &layout->fields[i];
    }
    p->model->presentation.unknown_fields++;
    return NULL;
}

static int take_in_object(struct cad_licensed *p, struct cad_licensed_frame *frame,
                          enum cad_json_type type)
{
    if (type != CAD_JSON_KEY) return take_value(p, frame, type);
    p->pending = take_key(p, frame);
    return CAD_OK;
}

/* Elements: objects of the child node; null is nothing; anything else is a bad element. */
static int take_in_array(struct cad_licensed *p, struct cad_licensed_frame *frame,
                         enum cad_json_type type)
{
    const struct cad_raw_field *field = frame->field;
    int rc = CAD_OK;
    if (type == CAD_JSON_OBJECT_BEGIN) {
        struct cad_raw_item *item = append(p, frame->raw, field, &rc);
        if (item) push(p, SHAPE_OBJECT, field, item);
        return rc;
    }
    if (type == CAD_JSON_STRING && field->type == CAD_RAW_URLS) {
        struct cad_raw_url *url = (struct cad_raw_url *)append(p, frame->raw, field, &rc);
        if (!url) return rc;
        rc = cad_json_string_arena(&p->json, &p->scratch, &url->url);
        return cad_arena_error(&p->scratch) != 0 ? cad_licensed_fail_memory(p) : CAD_OK;
    }
    if (type == CAD_JSON_NULL) return CAD_OK;
    cad_licensed_warn(p, "an element of the wrong type", cad_str_from(field->name));
    if (begins(type)) p->skip_depth = 1;
    return CAD_OK;
}

static bool list_has(const struct cad_raw_list *list, cad_str key)
{
    for (const struct cad_raw_item *item = list->first; item; item = item->next) {
        if (cad_str_eq(item->key, key)) return true;
    }
    return false;
}

static int take_map_key(struct cad_licensed *p, struct cad_licensed_frame *frame)
{
    cad_str key = {NULL, 0};
    int rc = cad_json_string_arena(&p->json, &p->scratch, &key);
    if (cad_arena_error(&p->scratch) != 0) return cad_licensed_fail_memory(p);
    if (rc == 0 && list_has(member(frame->raw, frame->field), key)) {
        p->model->presentation.duplicate_keys++;
        key = (cad_str){NULL, 0};
    }
    p->pending_key = key;
    return CAD_OK;
}

static int take_in_map(struct cad_licensed *p, struct cad_licensed_frame *frame,
                       enum cad_json_type type)
{
    if (type == CAD_JSON_KEY) return take_map_key(p, frame);
    const struct cad_raw_field *field = frame->field;
    bool texts = field->type == CAD_RAW_TEXT_MAP;
    bool fits = texts ? type == CAD_JSON_STRING || type == CAD_JSON_NUMBER
                      : type == CAD_JSON_OBJECT_BEGIN;
    if (!fits || !p->pending_key.p) {
        if (begins(type)) p->skip_depth = 1;
        return CAD_OK;
    }
    int rc = CAD_OK;
    struct cad_raw_item *item = append(p, frame->raw, field, &rc);
    if (!item) return rc;
    item->key = p->pending_key;
    if (!texts) {
        push(p, SHAPE_OBJECT, field, item);
        return CAD_OK;
    }
    rc = read_id(p, type, &((struct cad_raw_text *)item)->value);
    return cad_arena_error(&p->scratch) != 0 ? cad_licensed_fail_memory(p) : CAD_OK;
}

/* ---- one token ------------------------------------------------------------------------------- */

static int take_root(struct cad_licensed *p, enum cad_json_type type)
{
    if (type != CAD_JSON_OBJECT_BEGIN) {
        return cad_licensed_fail(p, CAD_E_DATA, CAD_ERR_MANIFEST_BAD, "the document is no object");
    }
    p->root = new_raw(p, CAD_NODE_ROOT);
    if (!p->root) return cad_licensed_fail_memory(p);
    push(p, SHAPE_OBJECT, NULL, p->root);
    p->started = true;
    return CAD_OK;
}

static int take_token(struct cad_licensed *p, enum cad_json_type type)
{
    if (p->skip_depth > 0) {
        if (begins(type)) p->skip_depth++;
        if (ends(type)) p->skip_depth--;
        return CAD_OK;
    }
    if (!p->started) return take_root(p, type);
    CAD_ASSERT(p->frame_count > 0);
    if (ends(type)) {
        p->frame_count--;
        return CAD_OK;
    }
    struct cad_licensed_frame *frame = &p->frames[p->frame_count - 1];
    switch ((enum shape)frame->shape) {
    case SHAPE_OBJECT: return take_in_object(p, frame, type);
    case SHAPE_ARRAY: return take_in_array(p, frame, type);
    case SHAPE_MAP: return take_in_map(p, frame, type);
    }
    return CAD_OK;
}

int cad_licensed_read(struct cad_licensed *p)
{
    enum cad_json_type type = cad_json_next(&p->json);
    if (type == CAD_JSON_END) return 1;
    if (type != CAD_JSON_ERROR) return take_token(p, type);
    p->error->line = cad_json_line(&p->json);
    if (cad_json_error(&p->json) == CAD_E_LIMIT) {
        return cad_licensed_fail(p, CAD_E_LIMIT, CAD_ERR_MANIFEST_LIMIT,
                                 "nesting or a text is beyond the limit");
    }
    return cad_licensed_fail(p, CAD_E_DATA, CAD_ERR_MANIFEST_BAD,
                             cad_json_truncated(&p->json) ? "the JSON ends too early"
                                                          : "the JSON is malformed");
}
