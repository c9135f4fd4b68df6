/* The header of a tape: who recorded, and the configuration that a replay needs. */
#include <string.h>

#include "base/json.h"
#include "base/jsonw.h"
#include "base/str.h"
#include "base/util.h"
#include "drive/tape.h"

#define LONG (100 * 86400 * CAD_SECOND) /* the longest time; still exact in JSON */
#define LICENCE_MAX (INT64_C(1) << 20) /* bytes of one that was at hand */
#define CEILING_MAX (INT64_C(4) << 30) /* bytes of media that a replay may be made to hold */

/* The numbers of a configuration, with the range that a tape may ask for. */
static const struct number {
    const char *name;
    size_t place;
    int64_t least, most;
    enum { LARGE, SMALL, BOOL } kind;     /* int64_t, uint32_t, bool */
} numbers[] = {
#define NUMBER(kind, name, field, least, most)                                                     \
    {name, offsetof(struct cad_engine_config, field), least, most, kind}
    NUMBER(LARGE, "ceiling_bytes", ceiling_bytes, 4 << 20, CEILING_MAX),
    NUMBER(LARGE, "buffer_ahead_ns", buffer_ahead, 2 * CAD_SECOND, LONG),
    NUMBER(LARGE, "buffer_behind_ns", buffer_behind, 0, LONG),
    NUMBER(LARGE, "start_goal_ns", start_goal, 0, LONG),
    NUMBER(LARGE, "resume_goal_ns", resume_goal, 0, LONG),
    NUMBER(LARGE, "abr_dwell_ns", abr_config.dwell, 0, LONG),
    NUMBER(LARGE, "abr_panic_buffer_ns", abr_config.panic_buffer, 0, LONG),
    NUMBER(LARGE, "abr_half_life_fast_ns", abr_config.half_life_fast, 1, LONG),
    NUMBER(LARGE, "abr_half_life_slow_ns", abr_config.half_life_slow, 1, LONG),
    NUMBER(LARGE, "abr_start_rate_max_bps", abr_config.start_rate_max_bps, 0, INT64_C(1) << 50),
    NUMBER(LARGE, "abr_rate_seed_bps", abr_config.rate_seed_bps, 0, INT64_C(1) << 50),
    NUMBER(SMALL, "abr_safety_permille", abr_config.safety_permille, 1, 1000),
    NUMBER(SMALL, "abr_step_down_max", abr_config.step_down_max, 1, 1000),
    NUMBER(LARGE, "key_wait_ns", key_wait, CAD_SECOND, LONG),
    NUMBER(BOOL, "allow_http", allow_http, 0, 1),
    NUMBER(BOOL, "probe", probe, 0, 1),
    NUMBER(BOOL, "ftl_allow_private", ftl.allow_private, 0, 1),
    NUMBER(SMALL, "ftl_flight_max", ftl.flight_max, 1, CAD_FTL_FLIGHT_MAX),
    NUMBER(SMALL, "ftl_pulses_max", ftl.pulses_max, 1, CAD_FTL_PULSES_MAX),
    NUMBER(SMALL, "ftl_requests_per_hour", ftl.requests_per_hour, 1, CAD_FTL_BUDGET_REQUESTS_MAX),
    NUMBER(LARGE, "ftl_bytes_per_hour", ftl.bytes_per_hour, 65536, INT64_C(1) << 40),
    NUMBER(LARGE, "ftl_pulse_timeout_ns", ftl.pulse_timeout, 0, 60 * CAD_SECOND),
#undef NUMBER
};

static const struct text {
    const char *name;
    size_t place;
} texts[TAPE_NAMES] = {
    {"app_name", offsetof(struct cad_engine_config, app_name)},
    {"app_version", offsetof(struct cad_engine_config, app_version)},
    {"platform", offsetof(struct cad_engine_config, platform)},
    {"language", offsetof(struct cad_engine_config, language)},
    {"audio_language", offsetof(struct cad_engine_config, audio_language)},
    {"text_language", offsetof(struct cad_engine_config, text_language)},
    {"licence_url", offsetof(struct cad_engine_config, licence_url)},
    {"ftl_endpoint", offsetof(struct cad_engine_config, ftl.endpoint)},
    {"ftl_device", offsetof(struct cad_engine_config, ftl.device)},
};

static cad_str text_of(const struct cad_engine_config *config, const struct text *text)
{
    cad_str s;
    memcpy(&s, (const char *)config + text->place, sizeof(s));
    return s;
}

static void write_config(const struct cad_engine_config *config, struct cad_jsonw *w)
{
    const struct cad_abr_ops *abr = config->abr ? config->abr : cad_abr_hybrid();
    char seed[24];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, seed, sizeof(seed));
    cad_sb_u64(&sb, config->seed);
    cad_jsonw_key_string(w, "seed", cad_sb_str(&sb)); /* more digits than a number has */
    cad_jsonw_key_string(w, "abr", cad_str_from(abr->name));
    /* What is told to services is no part of a tape: it changes nothing that is played. */
    cad_jsonw_key_i64(w, "licence_bytes", (int64_t)config->licence.n);
    for (size_t i = 0; i < CAD_ARRAY_LEN(numbers); i++) {
        const char *p = (const char *)config + numbers[i].place;
        int64_t value = 0;
        uint32_t small;
        bool is;
        if (numbers[i].kind == BOOL) {
            memcpy(&is, p, sizeof(is));
            cad_jsonw_key_bool(w, numbers[i].name, is);
            continue;
        }
        if (numbers[i].kind == SMALL) {
            memcpy(&small, p, sizeof(small));
            value = small;
        } else {
            memcpy(&value, p, sizeof(value));
        }
        cad_jsonw_key_i64(w, numbers[i].name, value);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        char cut[TAPE_NAME_SIZE];
        size_t n = cad_str_copyz(cut, sizeof(cut), text_of(config, &texts[i]));
        cad_jsonw_key_string(w, texts[i].name, cad_str_make(cut, n));
    }
}

int tape_header_write(const struct cad_engine_config *config, cad_str commit, bool full,
                      struct cad_sb *out)
{
    struct cad_jsonw w;
    cad_jsonw_init(&w, out);
    cad_jsonw_object(&w);
    cad_jsonw_key_string(&w, "library", cad_str_from(cad_version()));
    cad_jsonw_key_string(&w, "commit", commit);
    cad_jsonw_key_string(&w, "redaction", full ? CAD_STR("none: for tests only")
                                               : CAD_STR("pseudonyms"));
    write_config(config, &w);
    cad_jsonw_end(&w);
    return cad_jsonw_error(&w);
}

/* ---- reading ---- */

static int read_text(const struct cad_json *j, char *out, size_t cap)
{
    char memory[2 * TAPE_NAME_SIZE];
    cad_str s;
    if (cad_json_string(j, memory, sizeof(memory), &s) != 0 || s.n >= cap) return CAD_E_DATA;
    (void)cad_str_copyz(out, cap, s);
    return CAD_OK;
}

static int read_number(const struct cad_json *j, const struct number *number,
                       struct cad_engine_config *config)
{
    char *p = (char *)config + number->place;
    int64_t value;
    bool is;
    if (number->kind == BOOL) {
        if (cad_json_bool(j, &is) != 0) return CAD_E_DATA;
        memcpy(p, &is, sizeof(is));
        return CAD_OK;
    }
    if (cad_json_i64(j, &value) != 0) return CAD_E_DATA;
    if (value < number->least || value > number->most) return CAD_E_LIMIT;
    uint32_t small = (uint32_t)value;
    if (number->kind == SMALL) memcpy(p, &small, sizeof(small));
    else memcpy(p, &value, sizeof(value));
    return CAD_OK;
}

/* The value of the member `key`; others are passed over. */
static int read_member(struct cad_json *j, const struct cad_json *key, struct tape_header *out)
{
    char text[64];
    int rc = CAD_OK;
    if (cad_json_key_is(key, "library")) return read_text(j, out->version, sizeof(out->version));
    if (cad_json_key_is(key, "commit")) return read_text(j, out->commit, sizeof(out->commit));
    if (cad_json_key_is(key, "abr")) return read_text(j, out->abr, sizeof(out->abr));
    if (cad_json_key_is(key, "licence_bytes")) {
        int64_t n = 0;
        rc = cad_json_i64(j, &n);
        if (!rc && (n < 0 || n > LICENCE_MAX)) return CAD_E_LIMIT;
        out->licence_n = (size_t)n;
        return rc;
    }
    if (cad_json_key_is(key, "seed")) {
        rc = read_text(j, text, sizeof(text));
        return rc ? rc : cad_str_to_u64(cad_str_from(text), &out->config.seed);
    }
    if (cad_json_key_is(key, "redaction")) {
        rc = read_text(j, text, sizeof(text));
        out->full = !cad_str_eqz(cad_str_from(text), "pseudonyms");
        return rc;
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(numbers); i++) {
        if (cad_json_key_is(key, numbers[i].name)) return read_number(j, &numbers[i], &out->config);
    }
    for (size_t i = 0; i < CAD_ARRAY_LEN(texts); i++) {
        if (!cad_json_key_is(key, texts[i].name)) continue;
        rc = read_text(j, out->names[i], sizeof(out->names[i]));
        cad_str s = cad_str_from(out->names[i]);
        memcpy((char *)&out->config + texts[i].place, &s, sizeof(s));
        return rc;
    }
    return cad_json_skip(j);
}

int tape_header_read(cad_str json, struct tape_header *out)
{
    struct cad_json j;
    memset(out, 0, sizeof(*out));
    cad_engine_config_init(&out->config);
    cad_json_init(&j, json, NULL);
    if (cad_json_next(&j) != CAD_JSON_OBJECT_BEGIN) return CAD_E_DATA;
    while (cad_json_next(&j) == CAD_JSON_KEY) {
        struct cad_json key = j;
        (void)cad_json_next(&j);
        int rc = read_member(&j, &key, out);
        if (rc != 0) return rc == CAD_E_LIMIT ? rc : CAD_E_DATA;
    }
    if (cad_json_type(&j) != CAD_JSON_OBJECT_END || cad_json_next(&j) != CAD_JSON_END) {
        return CAD_E_DATA;
    }
    return CAD_OK;
}
