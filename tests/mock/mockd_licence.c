/* The licence service at the control port: its faults, its counts, what of it goes into the log. */
#include <string.h>

#include "base/base64.h"
#include "base/str.h"
#include "base/uri.h"
#include "base/util.h"
#include "mock/mockd.h"

#define DELAY_MAX_MS 600000
#define KID_DIGITS (2 * CAD_KEY_ID_SIZE)

/* NULL: the fault is in; else what is wrong. */
static const char *read_fault(cad_str verb, cad_str query, struct mock_licence_fault *fault)
{
    static const struct { const char *verb; enum mock_licence_mode mode; } modes[] = {
        {"down", MOCK_LICENCE_DOWN}, {"refuse", MOCK_LICENCE_REFUSED},
        {"status", MOCK_LICENCE_STATUS}, {"garbage", MOCK_LICENCE_GARBAGE},
        {"cut", MOCK_LICENCE_CUT}};
    int64_t value = 0;
    size_t i = 0;
    while (i < CAD_ARRAY_LEN(modes) && !cad_str_eqz(verb, modes[i].verb)) i++;
    if (i == CAD_ARRAY_LEN(modes)) return "no such command for licences";
    fault->mode = modes[i].mode;
    mockd_query_text(query, "message", fault->message, sizeof fault->message);
    if (cad_uri_query_value(query, CAD_STR("times")).n > 0) {
        if (!mockd_query_number(query, "times", 1, 1000000, &value)) return "times=1..1000000";
        fault->times = (uint32_t)value;
    }
    if (fault->mode != MOCK_LICENCE_STATUS) return NULL;
    if (!mockd_query_number(query, "code", 400, 599, &value)) return "code=400..599 is missing";
    fault->status = (int32_t)value;
    return NULL;
}

static const char *withhold(struct mock_licence *service, cad_str query, bool withheld)
{
    uint8_t kid[CAD_KEY_ID_SIZE];
    size_t n = 0;
    cad_str text = cad_uri_query_value(query, CAD_STR("kid"));
    int rc = cad_hex_decode(text, kid, sizeof kid, &n);
    if (rc < 0 || n != sizeof kid) return "kid=HEX is missing";
    return mock_licence_withhold(service, kid, withheld) < 0 ? "no such key" : NULL;
}

static const char *command(struct mock_licence *service, cad_str verb, cad_str query)
{
    struct mock_licence_fault fault = {.mode = MOCK_LICENCE_OK};
    int64_t value = 0;
    if (cad_str_eqz(verb, "withhold")) return withhold(service, query, true);
    if (cad_str_eqz(verb, "give")) return withhold(service, query, false);
    if (cad_str_eqz(verb, "delay")) {
        if (!mockd_query_number(query, "ms", 0, DELAY_MAX_MS, &value)) return "ms=N is missing";
        service->delay = value * CAD_MS;
        return NULL;
    }
    if (cad_str_eqz(verb, "ok")) {
        service->delay = 0;
        memset(service->withheld, 0, sizeof service->withheld);
    } else {
        const char *wrong = read_fault(verb, query, &fault);
        if (wrong) return wrong;
    }
    service->fault = fault;
    return NULL;
}

const char *mockd_licence_command(struct mockd *mockd, cad_str rest, cad_str query)
{
    const char *wrong = "no title yet";
    (void)pthread_mutex_lock(&mockd->lock);
    if (mockd->origin) wrong = command(mock_origin_licence(mockd->origin), rest, query);
    (void)pthread_mutex_unlock(&mockd->lock);
    return wrong;
}

void mockd_licence_counts(const struct mockd *mockd, struct cad_jsonw *w)
{
    if (!mockd->origin) return;
    const struct mock_licence_counts *counts = &mock_origin_licence(mockd->origin)->counts;
    cad_jsonw_key(w, CAD_STR("licences"));
    cad_jsonw_object(w);
    cad_jsonw_key_i64(w, "requests", (int64_t)counts->requests);
    cad_jsonw_key_i64(w, "given", (int64_t)counts->licences);
    cad_jsonw_key_i64(w, "keys", (int64_t)counts->keys);
    cad_jsonw_key_i64(w, "denied", (int64_t)counts->denied);
    cad_jsonw_key_i64(w, "failed", (int64_t)counts->failed);
    cad_jsonw_end(w);
}

void mockd_licence_note(struct mockd_request *request, const struct mock_origin_seen *seen)
{
    char *out = request->kids;
    size_t room = sizeof request->kids;
    for (uint32_t i = 0; i < seen->kid_count && room > KID_DIGITS + 1; i++) {
        if (i > 0) {
            *out++ = ',';
            room--;
        }
        if (cad_hex_encode((cad_buf){seen->kids[i], CAD_KEY_ID_SIZE}, out, room) < 0) break;
        out += KID_DIGITS;
        room -= KID_DIGITS;
    }
    *out = 0;
}
