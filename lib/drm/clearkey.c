/*
 * clearkey.c - W3C Clear Key (Encrypted Media Extensions 9.1) as a CDM.
 *
 * It has no thread and no clock: whatever a call causes is posted before it returns. A call works
 * out what the sessions will be, makes their keys current, posts, and then either keeps or undoes
 * all of it. Sessions belong to the control thread; decode threads see the table of keys alone.
 */
#include <mbedtls/platform_util.h>
#include <string.h>

#include "base/cenc.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/util.h"
#include "drm/decrypt.h"
#include "drm/keys.h"
#include "drm/licence.h"

enum { SESSIONS_MAX = 16 };

/* What was asked for and what was had. */
struct session {
    uint32_t id, epoch;
    uint64_t serial; /* of its last licence: the newest counts where two have a key */
    struct cad_kid_list wanted;
    struct cad_key_row keys[CAD_KEYS_MAX];
    uint32_t key_count;
};

struct cad_cdm {
    struct cad_cdm_host host;
    struct cad_cdm_caps caps;
    struct cad_keys keys;
    struct session *sessions[SESSIONS_MAX]; /* NULL: free */
    uint64_t serial;
    struct cad_key_row merged[CAD_KEYS_MAX]; /* scratch of publish; wiped after use */
    uint8_t systems[2][CAD_SYSTEM_ID_SIZE];
};

/* ---- events ------------------------------------------------------------------------------- */

static struct cad_cdm_event event_of(const struct cad_cdm_tag *tag, enum cad_cdm_event_type type)
{
    return (struct cad_cdm_event){
        .size = sizeof(struct cad_cdm_event), .type = type, .tag = *tag, .time = CAD_TIME_NONE};
}

static int post_done(const struct cad_cdm *cdm, const struct cad_cdm_tag *tag, int result)
{
    struct cad_cdm_event done = event_of(tag, CAD_CDM_EVENT_DONE);
    done.result = result;
    return cdm->host.post(cdm->host.ctx, &done);
}

/* An event and the DONE behind it. */
static int post_with_done(const struct cad_cdm *cdm, struct cad_cdm_event *event)
{
    struct cad_cdm_event done = event_of(&event->tag, CAD_CDM_EVENT_DONE);
    event->next = &done;
    return cdm->host.post(cdm->host.ctx, event);
}

/* ---- sessions ----------------------------------------------------------------------------- */

/* The session of a tag. CAD_E_INVAL, CAD_E_NOTFOUND, CAD_E_STALE. */
static int find_session(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, struct session ***out)
{
    if (tag->session == 0 || tag->op == 0) return CAD_E_INVAL;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        struct session *session = cdm->sessions[i];
        if (session == NULL || session->id != tag->session) continue;
        if (session->epoch != tag->epoch) return CAD_E_STALE;
        *out = &cdm->sessions[i];
        return 0;
    }
    return CAD_E_NOTFOUND;
}

static void free_session(struct cad_cdm *cdm, struct session *session)
{
    if (session == NULL) return;
    mbedtls_platform_zeroize(session, sizeof *session);
    cad_alloc_free(&cdm->host.alloc, session, sizeof *session, CAD_MEM_SESSION);
}

static struct cad_key_row *find_row(struct cad_key_row *rows, uint32_t n, const uint8_t *kid)
{
    for (uint32_t i = 0; i < n; i++) {
        if (memcmp(rows[i].kid, kid, CAD_KEY_ID_SIZE) == 0) return &rows[i];
    }
    return NULL;
}

/* The session with the newest licence that is older than `below`. */
static const struct session *next_older(const struct cad_cdm *cdm, uint64_t below)
{
    const struct session *found = NULL;
    for (size_t i = 0; i < SESSIONS_MAX; i++) {
        const struct session *session = cdm->sessions[i];
        if (session == NULL || session->serial >= below) continue;
        if (found == NULL || session->serial > found->serial) found = session;
    }
    return found;
}

/* Keys of all sessions, the newest first. CAD_E_LIMIT. */
static int merge_keys(struct cad_cdm *cdm, uint32_t *n)
{
    const struct session *session = next_older(cdm, UINT64_MAX);
    for (; session != NULL; session = next_older(cdm, session->serial)) {
        for (uint32_t i = 0; i < session->key_count; i++) {
            if (find_row(cdm->merged, *n, session->keys[i].kid) != NULL) continue;
            if (*n == CAD_KEYS_MAX) return CAD_E_LIMIT;
            cdm->merged[(*n)++] = session->keys[i];
        }
    }
    return 0;
}

/* What was asked for stands in the table as far as there is room: nothing depends on it. */
static void merge_wanted(struct cad_cdm *cdm, uint32_t *n)
{
    for (size_t s = 0; s < SESSIONS_MAX; s++) {
        const struct session *session = cdm->sessions[s];
        for (uint32_t i = 0; session != NULL && i < session->wanted.n; i++) {
            const uint8_t *kid = session->wanted.kids[i];
            if (*n == CAD_KEYS_MAX || find_row(cdm->merged, *n, kid) != NULL) continue;
            struct cad_key_row *row = &cdm->merged[(*n)++];
            *row = (struct cad_key_row){.status = CAD_KEY_PENDING};
            memcpy(row->kid, kid, CAD_KEY_ID_SIZE);
        }
    }
}

/* Makes what the sessions hold visible to the decode threads. Failures leave what they see. */
static int publish(struct cad_cdm *cdm, uint64_t *before)
{
    uint32_t n = 0;
    int rc = merge_keys(cdm, &n);
    if (rc == 0) merge_wanted(cdm, &n);
    if (rc == 0) rc = cad_keys_replace(&cdm->keys, cdm->merged, n, before);
    mbedtls_platform_zeroize(cdm->merged, sizeof cdm->merged);
    return rc;
}

/* Posts what goes with a publish: both stay, or the decode threads see what they saw before. */
static int settle(struct cad_cdm *cdm, uint64_t before, struct cad_cdm_event *event)
{
    int rc = post_with_done(cdm, event);
    if (rc == 0) {
        cad_keys_settle(&cdm->keys, before);
    } else {
        cad_keys_undo(&cdm->keys, before);
    }
    return rc;
}

/* ---- session half ------------------------------------------------------------------------- */

static int clearkey_open(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                         enum cad_session_type type)
{
    struct session **found;
    if (type != CAD_SESSION_TEMPORARY) return CAD_E_UNSUPPORTED;
    int rc = find_session(cdm, tag, &found);
    if (rc != CAD_E_NOTFOUND) return CAD_E_INVAL;
    size_t i = 0;
    while (i < SESSIONS_MAX && cdm->sessions[i] != NULL) i++;
    if (i == SESSIONS_MAX) return CAD_E_LIMIT;
    struct session *session = cad_alloc_new(&cdm->host.alloc, sizeof *session, CAD_MEM_SESSION);
    if (session == NULL) return CAD_E_NOMEM;
    session->id = tag->session;
    session->epoch = tag->epoch;
    session->serial = ++cdm->serial;
    rc = post_done(cdm, tag, 0);
    if (rc != 0) {
        free_session(cdm, session);
        return rc;
    }
    cdm->sessions[i] = session;
    CAD_LOG(&cdm->host.log, DEBUG, CAD_TIME_NONE, "drm: clearkey open session=%u epoch=%u",
            (unsigned)tag->session, (unsigned)tag->epoch);
    return 0;
}

/* The message for key ids, with the session's wish for them already published. */
static int post_request(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                        const struct cad_kid_list *kids, uint64_t before)
{
    char text[CAD_REQUEST_BYTES_MAX];
    struct cad_sb sb;
    cad_sb_init_fixed(&sb, text, sizeof text);
    cad_licence_request(&sb, kids);
    struct cad_cdm_event message = event_of(tag, CAD_CDM_EVENT_MESSAGE);
    message.message = CAD_CDM_MESSAGE_REQUEST;
    message.data = cad_buf_from_str(cad_sb_str(&sb));
    return settle(cdm, before, &message);
}

static int clearkey_request(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                            enum cad_init_type type, cad_buf data)
{
    struct session **place;
    int rc = find_session(cdm, tag, &place);
    if (rc != 0) return rc;
    if (type == CAD_INIT_RAW) return CAD_E_UNSUPPORTED;
    if (data.n > CAD_CENC_INIT_BYTES_MAX) return CAD_E_LIMIT;
    struct session *session = *place;
    struct cad_kid_list kids = {.n = 0};
    uint32_t wanted = session->wanted.n;
    uint64_t before = 0;
    rc = cad_licence_init_kids(type, data, &kids);
    for (uint32_t i = 0; i < kids.n && rc == 0; i++) {
        rc = cad_kid_list_add(&session->wanted, kids.kids[i]);
    }
    if (rc != 0) {
        session->wanted.n = wanted;
        return post_done(cdm, tag, rc);
    }
    rc = publish(cdm, &before);
    if (rc == 0) rc = post_request(cdm, tag, &kids, before);
    if (rc != 0) session->wanted.n = wanted;
    return rc;
}

/* Takes keys into a session. CAD_E_LIMIT: there would be too many; it may have taken some. */
static int take_keys(struct session *session, const struct cad_key_row *rows, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct cad_key_row *row = find_row(session->keys, session->key_count, rows[i].kid);
        if (row == NULL && session->key_count == CAD_KEYS_MAX) return CAD_E_LIMIT;
        if (row == NULL) row = &session->keys[session->key_count++];
        *row = rows[i];
    }
    return 0;
}

/* KEYS: what the session has, and what it asked for and has not. */
static int post_keys(struct cad_cdm *cdm, const struct cad_cdm_tag *tag,
                     const struct session *session, uint64_t before)
{
    struct cad_cdm_key keys[CAD_KEYS_MAX + CAD_LICENCE_KEYS_MAX];
    struct cad_kid_list had = {.n = 0};
    uint32_t n = 0;
    for (uint32_t i = 0; i < session->key_count; i++, n++) {
        keys[n] = (struct cad_cdm_key){.status = (enum cad_key_status)session->keys[i].status};
        memcpy(keys[n].kid, session->keys[i].kid, CAD_KEY_ID_SIZE);
        memcpy(had.kids[had.n++], session->keys[i].kid, CAD_KEY_ID_SIZE);
    }
    for (uint32_t i = 0; i < session->wanted.n; i++) {
        bool is_had = false;
        for (uint32_t k = 0; k < had.n && !is_had; k++) {
            is_had = memcmp(had.kids[k], session->wanted.kids[i], CAD_KEY_ID_SIZE) == 0;
        }
        if (is_had) continue;
        keys[n] = (struct cad_cdm_key){.status = CAD_KEY_PENDING};
        memcpy(keys[n++].kid, session->wanted.kids[i], CAD_KEY_ID_SIZE);
    }
    struct cad_cdm_event event = event_of(tag, CAD_CDM_EVENT_KEYS);
    event.keys = keys;
    event.key_count = n;
    return settle(cdm, before, &event);
}

/* A licence that was read: the session takes it, or is as it was. */
static int install(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, struct session *session,
                   const struct cad_key_row *rows, uint32_t n)
{
    struct session was = *session;
    uint64_t before = 0;
    int rc = take_keys(session, rows, n);
    session->serial = cdm->serial + 1;
    if (rc == 0) rc = publish(cdm, &before);
    bool is_full = rc == CAD_E_LIMIT;
    if (rc == 0) rc = post_keys(cdm, tag, session, before);
    if (rc == 0) {
        cdm->serial++;
    } else {
        *session = was;
    }
    mbedtls_platform_zeroize(&was, sizeof was);
    return is_full ? post_done(cdm, tag, CAD_E_LIMIT) : rc;
}

static int clearkey_update(struct cad_cdm *cdm, const struct cad_cdm_tag *tag, cad_buf data)
{
    struct session **place;
    struct cad_key_row rows[CAD_LICENCE_KEYS_MAX];
    uint32_t n = 0;
    int rc = find_session(cdm, tag, &place);
    if (rc != 0) return rc;
    rc = cad_licence_read(data, rows, &n);
    if (rc != 0) {
        CAD_LOG(&cdm->host.log, WARN, CAD_TIME_NONE, "drm: clearkey licence refused session=%u %s",
                (unsigned)tag->session, cad_result_name(rc));
        return post_done(cdm, tag, rc);
    }
    rc = install(cdm, tag, *place, rows, n);
    mbedtls_platform_zeroize(rows, sizeof rows);
    return rc;
}

static int clearkey_close(struct cad_cdm *cdm, const struct cad_cdm_tag *tag)
{
    struct session **place;
    uint64_t before = 0;
    int rc = find_session(cdm, tag, &place);
    if (rc != 0) return rc;
    struct session *session = *place;
    *place = NULL;
    rc = publish(cdm, &before);
    struct cad_cdm_event closed = event_of(tag, CAD_CDM_EVENT_CLOSED);
    closed.closed = CAD_CDM_CLOSED_HOST;
    if (rc == 0) rc = settle(cdm, before, &closed);
    if (rc != 0) {
        *place = session;
        return rc;
    }
    free_session(cdm, session);
    return 0;
}

/* ---- decrypt half ------------------------------------------------------------------------- */

static int clearkey_key_ready(struct cad_cdm *cdm, const uint8_t kid[CAD_KEY_ID_SIZE])
{
    return cad_keys_find(&cdm->keys, kid, NULL);
}

static int clearkey_decrypt(struct cad_cdm *cdm, const struct cad_cdm_sample *sample, uint8_t *out,
                            uint32_t *system_code)
{
    uint8_t key[CAD_KEY_SIZE] = {0};
    int rc = cad_drm_sample_check(sample, out);
    if (rc == 0 && sample->scheme != CAD_SCHEME_CLEAR) {
        int status = cad_keys_find(&cdm->keys, sample->kid, key);
        rc = status == CAD_KEY_USABLE ? 0 : CAD_E_NO_KEY;
    }
    *system_code = 0;
    if (rc == 0) rc = cad_drm_sample_decrypt(sample, key, out, system_code);
    mbedtls_platform_zeroize(key, sizeof key);
    return rc;
}

/* ---- life --------------------------------------------------------------------------------- */

static void clearkey_destroy(struct cad_cdm *cdm)
{
    if (cdm == NULL) return;
    for (size_t i = 0; i < SESSIONS_MAX; i++) free_session(cdm, cdm->sessions[i]);
    cad_keys_deinit(&cdm->keys);
    struct cad_alloc alloc = cdm->host.alloc;
    mbedtls_platform_zeroize(cdm, sizeof *cdm);
    cad_alloc_free(&alloc, cdm, sizeof *cdm, CAD_MEM_SESSION);
}

static void fill_caps(struct cad_cdm *cdm)
{
    memcpy(cdm->systems[0], cad_cenc_system_common, CAD_SYSTEM_ID_SIZE);
    memcpy(cdm->systems[1], cad_cenc_system_clearkey, CAD_SYSTEM_ID_SIZE);
    cdm->caps = (struct cad_cdm_caps){
        .size = sizeof cdm->caps,
        .schemes = 1u << CAD_SCHEME_CLEAR | 1u << CAD_SCHEME_CENC | 1u << CAD_SCHEME_CENS |
                   1u << CAD_SCHEME_CBC1 | 1u << CAD_SCHEME_CBCS,
        .session_types = 1u << CAD_SESSION_TEMPORARY,
        .init_types = 1u << CAD_INIT_CENC | 1u << CAD_INIT_KEYIDS | 1u << CAD_INIT_WEBM,
        .flags = CAD_CDM_CLEAR_PATH,
        .sessions_max = SESSIONS_MAX,
        .keys_max = CAD_KEYS_MAX,
        .subsamples_max = CAD_CDM_SUBSAMPLES_MAX,
        .init_bytes_max = CAD_CENC_INIT_BYTES_MAX,
        .licence_bytes_max = CAD_LICENCE_BYTES_MAX,
        .system_ids = (const uint8_t (*)[CAD_SYSTEM_ID_SIZE])cdm->systems,
        .system_id_count = CAD_ARRAY_LEN(cdm->systems),
        .version = cad_str_from(cad_version()),
    };
}

static int clearkey_create(const struct cad_cdm_host *host, cad_str key_system,
                           struct cad_cdm **out)
{
    if (host == NULL || out == NULL || host->size < sizeof *host) return CAD_E_INVAL;
    if (host->alloc.fn == NULL || host->post == NULL) return CAD_E_INVAL;
    if (!cad_str_eqz(key_system, "org.w3.clearkey")) return CAD_E_UNSUPPORTED;
    struct cad_cdm *cdm = cad_alloc_new(&host->alloc, sizeof *cdm, CAD_MEM_SESSION);
    if (cdm == NULL) return CAD_E_NOMEM;
    cdm->host = *host;
    int rc = cad_keys_init(&cdm->keys, &host->alloc);
    if (rc != 0) {
        cad_alloc_free(&host->alloc, cdm, sizeof *cdm, CAD_MEM_SESSION);
        return rc;
    }
    fill_caps(cdm);
    cad_drm_decrypt_prepare();
    *out = cdm;
    return 0;
}

static const struct cad_cdm_caps *clearkey_caps(const struct cad_cdm *cdm)
{
    return &cdm->caps;
}

const struct cad_cdm_ops *cad_cdm_clearkey(void)
{
    static const struct cad_cdm_ops ops = {
        .size = sizeof ops,
        .abi = CAD_CDM_ABI,
        .name = "clearkey",
        .create = clearkey_create,
        .destroy = clearkey_destroy,
        .caps = clearkey_caps,
        .open = clearkey_open,
        .request = clearkey_request,
        .update = clearkey_update,
        .remove = clearkey_close, /* there are temporary sessions only */
        .close = clearkey_close,
        .key_ready = clearkey_key_ready,
        .decrypt = clearkey_decrypt,
    };
    return &ops;
}
