/* The driver's CDM: it answers the calls of the session half by tables, and owns no key. */
#include "driver.h"

#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/cenc.h"
#include "base/str.h"
#include "base/util.h"

#define CHALLENGE "a challenge"

void drv_pssh(char *out, size_t cap)
{
    uint8_t box[8 + 4 + 16 + 4 + 16 + 4];
    size_t n = 0;
    memset(box, 0, sizeof box);
    box[3] = sizeof box;
    memcpy(box + 4, "pssh", 4);
    box[8] = 1;
    memcpy(box + 12, cad_cenc_system_common, CAD_SYSTEM_ID_SIZE);
    box[31] = 1;
    memset(box + 32, DRV_KID, CAD_KEY_ID_SIZE);
    assert_int_equal(cad_base64_encode((cad_buf){box, sizeof box}, 0, out, cap - 1, &n), 0);
    out[n] = '\0';
}

void drv_cdm_caps(struct drv *d)
{
    static const uint8_t systems[1][CAD_SYSTEM_ID_SIZE] = {
        {0x10, 0x77, 0xef, 0xec, 0xc0, 0xb2, 0x4d, 0x02, 0xac, 0xe3, 0x3c, 0x1e, 0x52, 0xe2, 0xfb,
         0x4b}};
    struct cad_cdm_caps caps = {
        .size = sizeof caps, .schemes = 1u << CAD_SCHEME_CENC | 1u << CAD_SCHEME_CBCS,
        .session_types = 1u << CAD_SESSION_TEMPORARY,
        .init_types = 1u << CAD_INIT_CENC | 1u << CAD_INIT_KEYIDS, .flags = CAD_CDM_CLEAR_PATH,
        .sessions_max = 8, .keys_max = 64, .system_ids = systems, .system_id_count = 1};
    struct cad_event event = {.type = CAD_EVENT_CDM_CAPS, .u.cdm_caps = &caps};
    drv_feed(d, &event);
}

static void tell(struct drv *d, struct cad_cdm_event ev)
{
    struct cad_event event = {.type = CAD_EVENT_CDM, .u.cdm = ev};
    event.u.cdm.size = sizeof ev;
    drv_feed(d, &event);
}

void drv_cdm_tell(struct drv *d, enum cad_cdm_event_type type, int result)
{
    tell(d, (struct cad_cdm_event){.type = type, .tag = d->cdm.session, .result = result,
                                   .closed = CAD_CDM_CLOSED_RESET, .time = d->cdm.expiry});
}

static void tell_keys(struct drv *d, const struct cad_cdm_tag *tag, uint8_t kid,
                      enum cad_key_status status)
{
    struct drv_cdm *c = &d->cdm;
    struct cad_cdm_key keys[2] = {{.status = status}, {.status = c->hd_status}};
    memset(keys[0].kid, kid, sizeof keys[0].kid);
    memset(keys[1].kid, DRV_HD_KID, sizeof keys[1].kid);
    struct cad_cdm_event ev = {.type = CAD_CDM_EVENT_KEYS, .tag = *tag, .keys = keys,
                               .key_count = c->hd_status == CAD_KEY_UNKNOWN ? 1 : 2};
    c->opens = status == CAD_KEY_USABLE && kid == DRV_KID;
    c->hd_opens = c->hd_status == CAD_KEY_USABLE;
    tell(d, ev);
}

void drv_cdm_keys(struct drv *d, uint8_t kid, enum cad_key_status status)
{
    struct cad_cdm_tag tag = d->cdm.session;
    tag.op = 0;
    tell_keys(d, &tag, kid, status);
}

static int do_update(struct drv *d, const struct cad_cdm_call *call)
{
    struct drv_cdm *c = &d->cdm;
    bool good = call->data.n == strlen(DRV_LICENCE) &&
                memcmp(call->data.p, DRV_LICENCE, call->data.n) == 0;
    if (c->update) return c->update;
    if (!good) return CAD_E_DATA;
    tell_keys(d, &call->tag, c->kid, c->status);
    if (c->expiry) {
        tell(d, (struct cad_cdm_event){.type = CAD_CDM_EVENT_EXPIRY, .tag = call->tag,
                                       .time = c->expiry});
    }
    return 0;
}

static int do_request(struct drv *d, const struct cad_cdm_call *call)
{
    struct drv_cdm *c = &d->cdm;
    assert_true(call->data.n > 0);
    if (c->request || c->no_message) return c->request;
    cad_buf message = c->message.n ? c->message : cad_buf_from_str(CAD_STR(CHALLENGE));
    tell(d, (struct cad_cdm_event){.type = CAD_CDM_EVENT_MESSAGE, .tag = call->tag,
                                   .data = message});
    return 0;
}

void drv_cdm_call(struct drv *d, const struct cad_cdm_call *call)
{
    struct drv_cdm *c = &d->cdm;
    int result = 0;
    if (call->type == CAD_CDM_CALL_TIMER) {
        c->timers++;
        return;
    }
    assert_true(c->call_count < DRV_CDM_CALLS_MAX);
    assert_true(d->options.drm && !d->options.no_cdm);
    assert_true(call->tag.session > 0 && call->tag.op > 0);
    c->calls[c->call_count] = *call;
    c->at[c->call_count++] = d->now;
    if (c->silent) return;
    switch (call->type) {
    case CAD_CDM_CALL_OPEN:
        result = c->open;
        c->session = call->tag;
        break;
    case CAD_CDM_CALL_REQUEST: result = do_request(d, call); break;
    case CAD_CDM_CALL_UPDATE: result = do_update(d, call); break;
    case CAD_CDM_CALL_CLOSE:
        c->opens = false;
        tell(d, (struct cad_cdm_event){.type = CAD_CDM_EVENT_CLOSED, .tag = call->tag});
        break;
    case CAD_CDM_CALL_FEED_INIT:
    case CAD_CDM_CALL_TIMER: break;
    }
    tell(d, (struct cad_cdm_event){.type = CAD_CDM_EVENT_DONE, .tag = call->tag,
                                   .result = result});
}

uint32_t drv_cdm_calls(const struct drv *d, enum cad_cdm_call_type type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->cdm.call_count; i++) n += d->cdm.calls[i].type == type;
    return n;
}

char *drv_licence_text(struct drv *d)
{
    char licence[64];
    size_t n = 0;
    char *text = drv_malloc(256);
    if (d->cdm.answer) {
        assert_true(strlen(d->cdm.answer) < 256);
        memcpy(text, d->cdm.answer, strlen(d->cdm.answer));
        return text;
    }
    cad_buf bytes = cad_buf_from_str(CAD_STR(DRV_LICENCE));
    assert_int_equal(cad_base64_encode(bytes, 0, licence, sizeof licence, &n), 0);
    snprintf(text, 256, "{\"serverTime\":1,\"license\":{\"drmSessionId\":\"s1\","
             "\"licenseResponseBase64\":\"%.*s\"}}", (int)n, licence);
    return text;
}
