#include "mock/mock_licence.h"

#include <string.h>

#include <mbedtls/platform_util.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "base/cenc.h"
#include "base/json.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"

#define CHALLENGE_MAX 4096      /* bytes of a challenge */
#define ID_TEXT_MAX 64          /* of 16 bytes in base64 */
#define SET_BYTES_MAX 8192      /* of a key set */
#define GARBAGE_BYTES 300

/* ---- the request ----------------------------------------------------------------------------- */

/* What was asked. Strings are in its own memory. */
struct ask {
    bool is_list;            /* the form of licensed manifests */
    char session[MOCK_LICENCE_ID_MAX];
    uint8_t challenge[CHALLENGE_MAX];
    size_t challenge_bytes;
    bool has_session, has_time, has_challenge, has_xid, has_kids, has_type;
};

static bool add_kid(struct mock_licence *service, const struct cad_json *j)
{
    char text[ID_TEXT_MAX];
    uint8_t bytes[ID_TEXT_MAX];
    cad_str value;
    size_t n = 0;
    if (service->asked_count == MOCK_KEYS_MAX) return false;
    if (cad_json_string(j, text, sizeof text, &value) < 0) return false;
    if (cad_base64_decode(value, CAD_BASE64_ANY, bytes, sizeof bytes, &n) < 0) return false;
    if (n != CAD_KEY_ID_SIZE) return false;
    memcpy(service->asked[service->asked_count++], bytes, n);
    return true;
}

/* {"kids":[...],"type":"temporary"}, entered or not. NULL: good; else the member that is not. */
static const char *read_kids(struct mock_licence *service, struct cad_json *j)
{
    bool has_type = false;
    char text[ID_TEXT_MAX];
    cad_str value;
    while (cad_json_next(j) == CAD_JSON_KEY) {
        struct cad_json key = *j;
        if (cad_json_key_is(&key, "kids")) {
            if (cad_json_next(j) != CAD_JSON_ARRAY_BEGIN) return "kids";
            while (cad_json_next(j) == CAD_JSON_STRING) {
                if (!add_kid(service, j)) return "kids";
            }
            if (cad_json_type(j) != CAD_JSON_ARRAY_END) return "kids";
        } else if (cad_json_key_is(&key, "type")) {
            has_type = cad_json_next(j) == CAD_JSON_STRING &&
                       cad_json_string(j, text, sizeof text, &value) == 0 &&
                       cad_str_eqz(value, "temporary");
            if (!has_type) return "type";
        } else if (cad_json_skip(j) < 0) {
            return "body";
        }
    }
    if (cad_json_type(j) != CAD_JSON_OBJECT_END || cad_json_next(j) != CAD_JSON_END) return "body";
    if (service->asked_count == 0) return "kids";
    return has_type ? NULL : "type";
}

static bool read_text(const struct cad_json *j, char *out, size_t cap)
{
    cad_str value;
    if (cad_json_string(j, out, cap - 1, &value) < 0) return false;
    if (value.n == 0 || value.n >= cap) return false;
    memmove(out, value.p, value.n);
    out[value.n] = 0;
    return true;
}

static bool read_challenge(const struct cad_json *j, struct ask *ask)
{
    char text[2 * CHALLENGE_MAX];
    cad_str value;
    if (cad_json_string(j, text, sizeof text, &value) < 0) return false;
    return cad_base64_decode(value, 0, ask->challenge, sizeof ask->challenge,
                             &ask->challenge_bytes) == 0;
}

/* The object of a list; its beginning is current. */
static const char *read_entry(struct cad_json *j, struct ask *ask)
{
    char xid[MOCK_LICENCE_ID_MAX];
    int64_t time = 0;
    while (cad_json_next(j) == CAD_JSON_KEY) {
        struct cad_json key = *j;
        cad_json_next(j);
        struct cad_json value = *j;
        if (cad_json_skip(j) < 0) return "body";
        if (cad_json_key_is(&key, "drmSessionId")) {
            ask->has_session = read_text(&value, ask->session, sizeof ask->session);
        } else if (cad_json_key_is(&key, "clientTime")) {
            ask->has_time = cad_json_i64(&value, &time) == 0 && time >= 0;
        } else if (cad_json_key_is(&key, "challengeBase64")) {
            ask->has_challenge = read_challenge(&value, ask);
        } else if (cad_json_key_is(&key, "xid")) {
            ask->has_xid = read_text(&value, xid, sizeof xid);
        }
    }
    if (cad_json_type(j) != CAD_JSON_OBJECT_END) return "body";
    if (!ask->has_session) return "drmSessionId";
    if (!ask->has_time) return "clientTime";
    if (!ask->has_challenge) return "challengeBase64";
    return ask->has_xid ? NULL : "xid";
}

/* NULL, or the member that is missing or wrong. */
static const char *read_ask(struct mock_licence *service, cad_buf body, struct ask *ask)
{
    struct cad_json j;
    cad_json_init(&j, cad_str_from_buf(body), NULL);
    if (cad_json_next(&j) == CAD_JSON_OBJECT_BEGIN) return read_kids(service, &j);
    if (cad_json_type(&j) != CAD_JSON_ARRAY_BEGIN) return "body";
    ask->is_list = true;
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return "body";
    const char *wrong = read_entry(&j, ask);
    if (wrong) return wrong;
    /* One challenge a request: each session asks for itself. */
    if (cad_json_next(&j) != CAD_JSON_ARRAY_END || cad_json_next(&j) != CAD_JSON_END) return "body";
    cad_json_init(&j, cad_str_make((const char *)ask->challenge, ask->challenge_bytes), NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return "challengeBase64";
    return read_kids(service, &j) ? "challengeBase64" : NULL;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static struct mock_key *find_key(struct mock_licence *service, const uint8_t *kid, bool *withheld)
{
    for (uint32_t i = 0; i < service->key_count; i++) {
        if (memcmp(service->keys[i].kid, kid, CAD_KEY_ID_SIZE) != 0) continue;
        *withheld = service->withheld[i];
        return &service->keys[i];
    }
    return NULL;
}

static void write_id(struct cad_jsonw *w, const char *name, const uint8_t *id)
{
    char text[ID_TEXT_MAX];
    size_t n = 0;
    unsigned flags = CAD_BASE64_URL | CAD_BASE64_NO_PAD;
    int rc = cad_base64_encode((cad_buf){id, CAD_KEY_ID_SIZE}, flags, text, sizeof text, &n);
    if (rc == 0) cad_jsonw_key_string(w, name, cad_str_make(text, n));
    mbedtls_platform_zeroize(text, sizeof text);
}

/* The JWK set of what was asked for and is not withheld; how many keys that are. */
static uint32_t write_set(struct mock_licence *service, struct cad_sb *out)
{
    struct cad_jsonw w;
    uint32_t given = 0;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key(&w, CAD_STR("keys"));
    cad_jsonw_array(&w);
    for (uint32_t i = 0; i < service->asked_count; i++) {
        bool withheld = false;
        const struct mock_key *key = find_key(service, service->asked[i], &withheld);
        if (!key || withheld) continue;
        cad_jsonw_object(&w);
        cad_jsonw_key_string(&w, "kty", CAD_STR("oct"));
        write_id(&w, "k", key->key);
        write_id(&w, "kid", key->kid);
        cad_jsonw_end(&w);
        given++;
    }
    cad_jsonw_end(&w);
    cad_jsonw_key_string(&w, "type", CAD_STR("temporary"));
    cad_jsonw_end(&w);
    return given;
}

/* The set as the licence of a session. */
static void write_object(const struct ask *ask, cad_str set, int64_t now_ms, struct cad_sb *out)
{
    struct cad_jsonw w;
    char text[2 * SET_BYTES_MAX];
    size_t n = 0;
    int rc = cad_base64_encode(cad_buf_from_str(set), 0, text, sizeof text, &n);
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "serverTime", now_ms);
    cad_jsonw_key(&w, CAD_STR("license"));
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "drmSessionId", cad_str_from(ask->session));
    if (rc == 0) cad_jsonw_key_string(&w, "licenseResponseBase64", cad_str_make(text, n));
    cad_jsonw_key_bool(&w, "secureStopExpected", false);
    cad_jsonw_key(&w, CAD_STR("links"));
    cad_jsonw_object(&w);
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    mbedtls_platform_zeroize(text, sizeof text);
}

struct denial {
    int32_t status;
    const char *code, *sub_code, *message;
};

static void deny(struct mock_licence *service, const struct denial *denial, int64_t now_ms,
                 struct cad_sb *out, struct cad_origin_answer *answer)
{
    struct cad_jsonw w;
    bool retryable = denial->status >= 500;
    uint64_t *count = retryable ? &service->counts.failed : &service->counts.denied;
    (*count)++;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key_i64(&w, "serverTime", now_ms);
    cad_jsonw_key(&w, CAD_STR("error"));
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "code", cad_str_from(denial->code));
    cad_jsonw_key_string(&w, "subCode", cad_str_from(denial->sub_code));
    cad_jsonw_key_string(&w, "message", cad_str_from(denial->message));
    cad_jsonw_key_bool(&w, "retryable", retryable);
    cad_jsonw_end(&w);
    cad_jsonw_end(&w);
    answer->status = denial->status;
}

/* The fault of this request, which may be the last of its kind. */
static struct mock_licence_fault take_fault(struct mock_licence *service)
{
    struct mock_licence_fault fault = service->fault;
    if (fault.mode != MOCK_LICENCE_OK && fault.times > 0 && --service->fault.times == 0) {
        service->fault.mode = MOCK_LICENCE_OK;
    }
    return fault;
}

/* NULL: a licence may be given. */
static const struct denial *refusal(struct mock_licence *service, const char *wrong,
                                    const struct mock_licence_fault *fault, struct denial *space)
{
    static const struct denial unknown = {403, "KEY_NOT_FOUND", "kid", "no such key here"};
    static const struct denial denied = {403, "KEY_DENIED", "kid", "these keys are not given"};
    uint32_t withheld = 0;
    if (fault->mode == MOCK_LICENCE_DOWN) {
        *space = (struct denial){503, "SERVICE", "license", "the service is down"};
    } else if (fault->mode == MOCK_LICENCE_STATUS) {
        *space = (struct denial){fault->status, "SERVICE", "license", "as it was told to"};
    } else if (wrong) {
        *space = (struct denial){400, "BAD_REQUEST", wrong, "a member is missing or wrong"};
    } else if (fault->mode == MOCK_LICENCE_REFUSED) {
        const char *message = fault->message[0] ? fault->message : "this may not be watched here";
        *space = (struct denial){403, "LICENSE_DENIED", "license", message};
    } else {
        for (uint32_t i = 0; i < service->asked_count; i++) {
            bool is_withheld = false;
            if (!find_key(service, service->asked[i], &is_withheld)) return &unknown;
            withheld += is_withheld;
        }
        return withheld == service->asked_count ? &denied : NULL;
    }
    return space;
}

static void put_garbage(struct cad_sb *out, int64_t now_ms)
{
    uint64_t word = (uint64_t)now_ms;
    for (int i = 0; i < GARBAGE_BYTES; i++) {
        word = cad_hash_u64(word);
        cad_sb_putc(out, (char)(uint8_t)(word | 128));
    }
}

static void give(struct mock_licence *service, const struct ask *ask,
                 const struct mock_licence_fault *fault, int64_t now_ms, struct cad_sb *out)
{
    struct cad_alloc alloc = cad_alloc_system();
    size_t start = out->n;
    struct cad_sb set;
    if (fault->mode == MOCK_LICENCE_GARBAGE) {
        service->counts.failed++;
        put_garbage(out, now_ms);
        return;
    }
    cad_sb_init(&set, &alloc, CAD_MEM_OTHER, SET_BYTES_MAX);
    uint32_t keys = write_set(service, &set);
    if (ask->is_list) {
        write_object(ask, cad_sb_str(&set), now_ms, out);
    } else {
        cad_sb_put(out, cad_sb_str(&set));
    }
    if (set.p) mbedtls_platform_zeroize(set.p, set.n);
    cad_sb_deinit(&set);
    if (fault->mode == MOCK_LICENCE_CUT) {
        service->counts.failed++;
        cad_sb_truncate(out, start + (out->n - start) / 2);
        return;
    }
    service->counts.licences++;
    service->counts.keys += keys;
}

void mock_licence_serve(struct mock_licence *service, const struct cad_origin_request *request,
                        struct cad_sb *out, struct cad_origin_answer *answer)
{
    static const struct denial method = {405, "METHOD", "POST", "licences are asked for by POST"};
    struct ask ask = {.is_list = false};
    struct denial space;
    service->counts.requests++;
    service->asked_count = 0;
    answer->content_type = "application/json";
    answer->think = service->delay;
    if (!cad_str_eqz(request->method, "POST")) {
        deny(service, &method, request->now_ms, out, answer);
        return;
    }
    const char *wrong = read_ask(service, request->body, &ask);
    struct mock_licence_fault fault = take_fault(service);
    const struct denial *denial = refusal(service, wrong, &fault, &space);
    if (denial) {
        deny(service, denial, request->now_ms, out, answer);
        return;
    }
    answer->status = 200;
    give(service, &ask, &fault, request->now_ms, out);
}

/* ---- life ------------------------------------------------------------------------------------ */

int mock_licence_init(struct mock_licence *service, const struct mock_key *keys, uint32_t count)
{
    memset(service, 0, sizeof *service);
    if (count > MOCK_KEYS_MAX) return CAD_E_LIMIT;
    if (count > 0) memcpy(service->keys, keys, count * sizeof *keys);
    service->key_count = count;
    return 0;
}

void mock_licence_deinit(struct mock_licence *service)
{
    mbedtls_platform_zeroize(service->keys, sizeof service->keys);
    service->key_count = 0;
}

int mock_licence_withhold(struct mock_licence *service, const uint8_t *kid, bool withheld)
{
    for (uint32_t i = 0; i < service->key_count; i++) {
        if (memcmp(service->keys[i].kid, kid, CAD_KEY_ID_SIZE) != 0) continue;
        service->withheld[i] = withheld;
        return 0;
    }
    return CAD_E_NOTFOUND;
}

/* 23001-7 8.1 */
void mock_pssh_write(const uint8_t (*kids)[CAD_KEY_ID_SIZE], uint32_t count, uint8_t *out)
{
    size_t size = MOCK_PSSH_BYTES(count);
    cad_put_be32(out, (uint32_t)size);
    memcpy(out + 4, "pssh\1\0\0", 8);
    memcpy(out + 12, cad_cenc_system_common, CAD_SYSTEM_ID_SIZE);
    cad_put_be32(out + 28, count);
    memcpy(out + 32, kids, (size_t)count * CAD_KEY_ID_SIZE);
    cad_put_be32(out + size - 4, 0);
}
