#include "mock/mock_ask.h"

#include "base/json.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"

#define PROFILE_BYTES_MAX 256

/* A string value that must be one of a list (separated by '|'). */
static bool is_one_of(const struct cad_json *j, const char *list)
{
    char text[64];
    cad_str value, field;
    if (cad_json_string(j, text, sizeof text, &value) < 0) return false;
    cad_str rest = cad_str_from(list);
    while (cad_str_split(&rest, '|', &field)) {
        if (cad_str_eq(field, value)) return true;
    }
    return false;
}

/* Numbers as strings are accepted for ids only. */
static bool read_id(const struct cad_json *j, int64_t *out)
{
    char text[32];
    cad_str value;
    if (cad_json_i64(j, out) == 0) return true;
    if (cad_json_string(j, text, sizeof text, &value) < 0) return false;
    return cad_str_to_i64(value, out) == 0;
}

static bool is_text_profile(cad_str profile)
{
    static const char *const names[] = {"imsc1.1", "dfxp-ls-sdh", "simplesdh", "webvtt-lssdh-ios8"};
    for (size_t i = 0; i < CAD_ARRAY_LEN(names); i++) {
        if (cad_str_eqz(profile, names[i])) return true;
    }
    return false;
}

static bool read_profiles(struct cad_json *j, const struct mock_origin *origin,
                          struct mock_ask *ask)
{
    if (cad_json_type(j) != CAD_JSON_ARRAY_BEGIN) return false;
    while (cad_json_next(j) == CAD_JSON_STRING) {
        char text[PROFILE_BYTES_MAX];
        cad_str profile;
        if (cad_json_string(j, text, sizeof text, &profile) < 0) continue;
        ask->names_text = ask->names_text || is_text_profile(profile);
        for (uint32_t i = 0; i < origin->asset_count; i++) {
            if (cad_str_eqz(profile, origin->assets[i].profile)) ask->wanted[i] = true;
        }
    }
    return cad_json_type(j) == CAD_JSON_ARRAY_END;
}

static bool read_xid(const struct cad_json *j, struct mock_ask *ask)
{
    char text[MOCK_XID_BYTES_MAX];
    cad_str xid;
    if (cad_json_string(j, text, sizeof text, &xid) < 0 || xid.n == 0) return false;
    ask->xid = cad_hash64(xid.p, xid.n, 1) | 1;
    return true;
}

/* Enters the value of the current key; a member with a wrong type is treated as missing. */
static int read_params(struct cad_json *j, const struct mock_origin *origin, struct mock_ask *ask)
{
    if (cad_json_type(j) != CAD_JSON_OBJECT_BEGIN) return cad_json_skip(j);
    ask->has_params = true;
    while (cad_json_next(j) == CAD_JSON_KEY) {
        struct cad_json key = *j;
        cad_json_next(j);
        struct cad_json value = *j;
        int rc = cad_json_skip(j);
        if (rc < 0) return rc;
        if (cad_json_key_is(&key, "viewableId")) {
            ask->has_viewable = read_id(&value, &ask->viewable);
        } else if (cad_json_key_is(&key, "profiles")) {
            ask->has_profiles = read_profiles(&value, origin, ask);
        } else if (cad_json_key_is(&key, "type")) {
            ask->has_type = is_one_of(&value, "standard|offline");
        } else if (cad_json_key_is(&key, "flavor")) {
            ask->has_flavor = is_one_of(&value, "STANDARD|PRE_FETCH|SUPPLEMENTAL");
        } else if (cad_json_key_is(&key, "xid") && !read_xid(&value, ask)) {
            ask->xid = 0;
        }
    }
    return cad_json_error(j);
}

int mock_ask_read(cad_buf body, const struct mock_origin *origin, struct mock_ask *ask)
{
    struct cad_json j;
    cad_json_init(&j, cad_str_from_buf(body), NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return CAD_E_DATA;
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        struct cad_json key = j;
        cad_json_next(&j);
        int rc = 0;
        if (cad_json_key_is(&key, "params")) {
            rc = read_params(&j, origin, ask);
        } else if (cad_json_key_is(&key, "id") && read_id(&j, &ask->id)) {
            continue;
        } else if (cad_json_key_is(&key, "version") && cad_json_i64(&j, &ask->version) == 0) {
            continue;
        } else if (cad_json_key_is(&key, "url")) {
            ask->has_url = is_one_of(&j, "licensedManifest");
            rc = cad_json_skip(&j);
        } else {
            rc = cad_json_skip(&j);
        }
        if (rc < 0) return rc;
    }
    if (cad_json_error(&j) < 0) return cad_json_error(&j);
    return cad_json_next(&j) == CAD_JSON_END ? 0 : CAD_E_DATA;
}

const char *mock_ask_missing(const struct mock_ask *ask)
{
    if (ask->version != 2) return "version";
    if (!ask->has_url) return "url";
    if (!ask->has_params) return "params";
    if (!ask->has_type) return "params.type";
    if (!ask->has_viewable) return "params.viewableId";
    if (!ask->has_profiles) return "params.profiles";
    if (!ask->has_flavor) return "params.flavor";
    if (ask->xid == 0) return "params.xid";
    return NULL;
}
