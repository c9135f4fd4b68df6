/*
 * Goal: samples of protected files come out of an engine with all that a CDM needs to open them:
 * what Clear Key makes of each is byte for byte the sample of the clear file, by cenc and by cbcs,
 * with subsamples and without, from a file of its own; and no lack of memory spoils any of it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cadmium/engine.h"
#include "cadmium/sim.h"

#include "base/str.h"
#include "base/strbuf.h"
#include "base/util.h"
#include "drive/sim_cdm.h"
#include "mux_synth.h"
#include "mp4/mp4.h"
#include "support/failing_alloc.h"

#define KID "\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11\x11"
#define KEY "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
/* The same, as a key set. */
#define LICENCE                                                                                    \
    "{\"keys\":[{\"kty\":\"oct\",\"kid\":\"EREREREREREREREREREREQ\","                              \
    "\"k\":\"AAECAwQFBgcICQoLDA0ODw\"}],\"type\":\"temporary\"}"
#define TURNS_MAX 4000
#define REQUESTS_MAX 16

/* A file in the clear and protected. */
struct file {
    struct cad_sb clear, locked;
    size_t header;               /* bytes before the clear file's first fragment */
};

struct play {
    struct cad_failing failing;
    struct cad_engine *engine;
    struct cad_sim_cdm *cdm;
    struct cad_http_start requests[REQUESTS_MAX]; /* to be answered; id 0: the place is free */
    const struct file *file;
    cad_time now;
    uint32_t samples, with_runs;
    enum cad_error_code error;   /* the last fatal one */
    bool lost;                   /* something was not taken for want of memory */
};

/* ---- the file -------------------------------------------------------------------------------- */

static void make_file(struct file *f, enum cad_scheme scheme, uint32_t stream)
{
    static uint32_t sizes[] = {3000, 9000, 4000, 12000};
    struct cad_ladder ladder = {.segment_duration = 2 * CAD_SECOND, .rung_count = 2,
                                .segment_count = 2, .rate_bps = {14000, 42000},
                                .segment_bytes = sizes};
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_synth_config config;
    struct cad_synth_stream info;
    struct cad_synth *synth;
    struct mux_options options = {.scheme = scheme, .iv_seed = 7};
    memcpy(options.kid, KID, CAD_KEY_ID_SIZE);
    memcpy(options.key, KEY, sizeof(options.key));
    cad_synth_config_init(&config);
    config.ladder = &ladder;
    config.duration = 10 * CAD_SECOND;
    config.frame_rate = 10;
    config.audio_rate_bps = 16000;
    assert_int_equal(cad_synth_create(&alloc, &config, &synth), 0);
    assert_int_equal(cad_synth_stream_at(synth, stream, &info), 0);
    f->header = (size_t)info.header_bytes;
    cad_sb_init(&f->clear, &alloc, CAD_MEM_OTHER, 1 << 20);
    cad_sb_init(&f->locked, &alloc, CAD_MEM_OTHER, 1 << 20);
    assert_int_equal(mux_synth_clear(synth, stream, &f->clear), 0);
    assert_int_equal(mux_synth_protect(&options, cad_buf_from_str(cad_sb_str(&f->clear)),
                                       &f->locked), 0);
    cad_synth_destroy(&synth);
}

static void drop_file(struct file *f)
{
    cad_sb_deinit(&f->clear);
    cad_sb_deinit(&f->locked);
}

/* ---- an engine that is given everything at once ---------------------------------------------- */

static void feed(struct play *p, const struct cad_event *event)
{
    if (cad_engine_feed(p->engine, event) != 0) p->lost = true;
}

static int create(struct play *p, const struct file *file, uint64_t fail_at)
{
    struct cad_alloc system = cad_alloc_system();
    struct cad_engine_config config;
    memset(p, 0, sizeof(*p));
    p->file = file;
    cad_failing_init(&p->failing, fail_at);
    cad_engine_config_init(&config);
    config.alloc = cad_failing_alloc(&p->failing);
    config.check = true;
    config.licence = cad_buf_from_str(CAD_STR(LICENCE));
    int rc = cad_engine_create(&config, &p->engine);
    if (rc != 0) return rc;
    struct cad_sim_cdm_config cdm = {.ops = cad_cdm_clearkey(), .seed = 1,
                                     .key_system = CAD_STR("org.w3.clearkey")};
    assert_int_equal(cad_sim_cdm_create(&system, &cdm, &p->cdm), 0);
    struct cad_event e = {.type = CAD_EVENT_CDM_CAPS};
    e.u.cdm_caps = cdm.ops->caps(cad_sim_cdm_instance(p->cdm));
    feed(p, &e);
    e = (struct cad_event){.type = CAD_EVENT_SINK_CAPS};
    e.u.caps = (struct cad_sink_caps){.codecs = UINT32_MAX, .video = true, .audio = true};
    feed(p, &e);
    e = (struct cad_event){.type = CAD_EVENT_COMMAND};
    e.u.command.type = CAD_COMMAND_LOAD;
    e.u.command.title = (struct cad_title){.url = CAD_STR("http://h/file.mp4"),
                                           .start = CAD_TIME_NONE};
    feed(p, &e);
    e.u.command = (struct cad_command){.type = CAD_COMMAND_PLAY};
    feed(p, &e);
    return 0;
}

static void destroy(struct play *p)
{
    cad_engine_destroy(&p->engine);
    cad_sim_cdm_destroy(&p->cdm);
    assert_int_equal(p->failing.live_blocks, 0);
    assert_int_equal(p->failing.mismatches, 0);
}

static bool give_body(struct play *p, uint32_t id, cad_str body)
{
    for (size_t at = 0; at < body.n;) {
        uint8_t *data;
        size_t n;
        if (cad_engine_lease(p->engine, id, body.n - at, &data, &n) != 0) return false;
        memcpy(data, body.p + at, n);
        if (cad_engine_commit(p->engine, id, n, p->now) != 0) return false;
        at += n;
    }
    return true;
}

static void answer(struct play *p, struct cad_http_start *request)
{
    int64_t size = (int64_t)p->file->locked.n;
    struct cad_range r = request->range;
    uint32_t id = request->id;
    if (r.first < 0) r.first = 0;
    if (r.last < 0 || r.last >= size) r.last = size - 1;
    struct cad_event e = {.type = CAD_EVENT_HTTP_HEAD};
    e.u.head = (struct cad_http_head){.id = id, .status = 206, .length = r.last - r.first + 1,
                                      .range = r, .total = size, .retry_after = CAD_TIME_NONE};
    request->id = 0;
    feed(p, &e);
    cad_str all = cad_sb_str(&p->file->locked);
    bool whole = give_body(p, id, cad_str_sub(all, (size_t)r.first, (size_t)r.last + 1));
    e = (struct cad_event){.type = CAD_EVENT_HTTP_END};
    e.u.end = (struct cad_http_end){.id = id, .cls = whole ? CAD_HTTP_OK : CAD_HTTP_RESET,
                                    .dns = CAD_TIME_NONE, .connect = CAD_TIME_NONE,
                                    .tls = CAD_TIME_NONE, .first_byte = p->now,
                                    .last_byte = p->now};
    feed(p, &e);
}

static void poll(struct play *p)
{
    struct cad_action a;
    while (cad_engine_poll(p->engine, &a) == 0) {
        uint32_t place = 0;
        switch (a.type) {
        case CAD_ACTION_HTTP_START:
            while (place < REQUESTS_MAX && p->requests[place].id != 0) place++;
            assert_in_range(place, 0, REQUESTS_MAX - 1);
            p->requests[place] = a.u.start;
            break;
        case CAD_ACTION_HTTP_CANCEL:
            for (; place < REQUESTS_MAX; place++) {
                if (p->requests[place].id == a.u.cancel.id) p->requests[place].id = 0;
            }
            break;
        case CAD_ACTION_CDM_CALL:
            cad_sim_cdm_advance(p->cdm, p->now);
            assert_int_equal(cad_sim_cdm_call(p->cdm, &a.u.cdm), 0);
            break;
        case CAD_ACTION_APP_EVENT:
            if (a.u.app.type == CAD_APP_ERROR && a.u.app.error.cls == CAD_ERROR_FATAL) {
                p->error = a.u.app.error.code;
            }
            break;
        default: break;
        }
    }
}

static void turn(struct play *p)
{
    struct cad_event e = {.type = CAD_EVENT_CDM};
    while (cad_sim_cdm_take(p->cdm, &e.u.cdm)) feed(p, &e);
    for (uint32_t i = 0; i < REQUESTS_MAX; i++) {
        if (p->requests[i].id != 0) answer(p, &p->requests[i]);
    }
    assert_true(cad_engine_run(p->engine, p->now) >= 0);
    poll(p);
}

/* ---- what comes out -------------------------------------------------------------------------- */

/* Takes a sample and the clear one beside it. */
static void compare(struct play *p, const struct cad_sample *s, struct cad_mp4_reader *reader)
{
    static uint8_t clear[1 << 16];
    cad_str file = cad_sb_str(&p->file->clear);
    cad_buf media = {(const uint8_t *)file.p + p->file->header, file.n - p->file->header};
    struct cad_mp4_sample want;
    uint32_t code;
    assert_int_equal(cad_mp4_reader_next(reader, media, media.n, &want), 0);
    assert_int_equal(s->size, want.size);
    assert_non_null(s->crypt);
    assert_memory_equal(s->crypt->kid, KID, CAD_KEY_ID_SIZE);
    struct cad_cdm_sample in = *s->crypt;
    in.data = (cad_buf){s->data, s->size};
    struct cad_cdm *cdm = cad_sim_cdm_instance(p->cdm);
    assert_int_equal(cad_cdm_clearkey()->key_ready(cdm, in.kid), CAD_KEY_USABLE);
    assert_int_equal(cad_cdm_clearkey()->decrypt(cdm, &in, clear, &code), 0);
    assert_memory_equal(clear, media.p + want.offset, s->size);
    if (s->size >= 32) assert_memory_not_equal(s->data, clear, s->size);
    p->with_runs += s->crypt->subsample_count > 0;
    p->samples++;
}

/* Until the end of the file, or of the session; false: of the session. */
static bool play(struct play *p, uint32_t slot, const struct cad_mp4_init *init)
{
    struct cad_mp4_reader reader;
    cad_mp4_reader_init(&reader, init);
    for (uint32_t i = 0; i < TURNS_MAX && p->error == CAD_ERR_NONE; i++) {
        turn(p);
        int rc;
        struct cad_sample sample;
        memset(&sample, 0, sizeof(sample));
        while (cad_sim_cdm_next(p->cdm) == CAD_TIME_NONE &&
               (rc = cad_engine_pull(p->engine, slot, &sample)) != CAD_E_AGAIN) {
            if (rc == CAD_E_END) return p->error == CAD_ERR_NONE;
            if (rc == 0) compare(p, &sample, &reader);
            cad_ref_unref(&sample.ref);
            cad_ref_unref(&sample.crypt_ref);
            memset(&sample, 0, sizeof(sample));
        }
        p->now += 10 * CAD_MS;
    }
    return false;
}

static void check_file(enum cad_scheme scheme, uint32_t stream, bool runs)
{
    struct file file;
    struct play p;
    struct cad_mp4_init init;
    size_t end;
    make_file(&file, scheme, stream);
    cad_buf clear = cad_buf_from_str(cad_sb_str(&file.clear));
    assert_int_equal(cad_mp4_init_read(clear, &init, &end), 0);
    assert_int_equal(create(&p, &file, 0), 0);
    assert_true(play(&p, stream == 2 ? CAD_SLOT_AUDIO : CAD_SLOT_VIDEO, &init));
    assert_in_range(p.samples, 100, 1000);
    assert_int_equal(p.with_runs, runs ? p.samples : 0);
    destroy(&p);
    drop_file(&file);
}

static void test_crypt_cenc(void **state)
{
    (void)state;
    check_file(CAD_SCHEME_CENC, 0, true);
    check_file(CAD_SCHEME_CENC, 2, false);
}

static void test_crypt_cbcs(void **state)
{
    (void)state;
    check_file(CAD_SCHEME_CBCS, 0, true);
    check_file(CAD_SCHEME_CBCS, 2, false);
}

/* Each allocation of the whole session fails once: what comes out is right, or the session ends. */
static void test_crypt_no_memory(void **state)
{
    (void)state;
    struct file file;
    struct cad_mp4_init init;
    size_t end;
    uint32_t whole = 0, ended = 0;
    make_file(&file, CAD_SCHEME_CENC, 0);
    cad_buf clear = cad_buf_from_str(cad_sb_str(&file.clear));
    assert_int_equal(cad_mp4_init_read(clear, &init, &end), 0);
    for (uint64_t at = 1;; at++) {
        struct play p;
        if (create(&p, &file, at) != 0) {
            assert_int_equal(p.failing.live_blocks, 0);
            continue;
        }
        if (p.lost) {
            destroy(&p); /* the LOAD itself: the application was told */
            continue;
        }
        bool good = play(&p, CAD_SLOT_VIDEO, &init);
        if (good) assert_int_equal(p.samples, 100);
        else assert_true(p.error == CAD_ERR_OUT_OF_MEMORY || p.error == CAD_ERR_DRM_NO_KEY);
        whole += good;
        ended += !good;
        bool failed = p.failing.failed > 0;
        destroy(&p);
        if (!failed) break;
    }
    assert_true(whole > 2);
    assert_true(ended > 5);
    drop_file(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crypt_cenc),
        cmocka_unit_test(test_crypt_cbcs),
        cmocka_unit_test(test_crypt_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
