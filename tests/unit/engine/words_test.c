/*
 * Goal: the text that was wished for comes whole and once an epoch, beside the headers; whatever
 * goes wrong with it costs the text alone, and who wants none sees no difference.
 */
#include "driver_mpd.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

/* ---- the desk -------------------------------------------------------------------------------- */

static struct drv *with_text(void **state, const char *lang)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 30 * CAD_SECOND;
    o.text = o.set_engine = true;
    o.engine.text_language = cad_str_from(lang);
    return drv_renew(state, &o);
}

static uint32_t asked(const struct drv *d, int32_t document)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        n += d->requests[i].purpose == CAD_PURPOSE_TEXT &&
             (document < 0 || d->requests[i].document == document);
    }
    return n;
}

static const struct drv_request *last_asked(const struct drv *d)
{
    for (uint32_t i = d->request_count; i > 0; i--) {
        if (d->requests[i - 1].purpose == CAD_PURPOSE_TEXT) return &d->requests[i - 1];
    }
    return NULL;
}

/* Events of tracks of text. */
static uint32_t told(const struct drv *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->event_count; i++) {
        n += d->events[i].type == CAD_APP_TRACK && d->events[i].slot == CAD_SLOT_TEXT;
    }
    return n;
}

static void check_told(const struct drv *d, uint32_t count, const char *id)
{
    const struct cad_app_event *event = drv_last(d, CAD_APP_TRACK);
    assert_int_equal(told(d), count);
    assert_non_null(event);
    assert_int_equal(event->slot, CAD_SLOT_TEXT);
    assert_string_equal(event->text, id);
    assert_string_equal(drv_stats(d).services.text_track, id);
}

static void check_shown(const struct drv *d, int32_t document, const char *lang)
{
    assert_true(d->sink.words.shown);
    assert_int_equal(d->sink.words.document, document);
    assert_string_equal(d->sink.words.config.lang, lang);
}

static struct cad_track_info info_of(const struct drv *d, const char *id)
{
    static struct cad_track_info list[CAD_TRACK_LIST_MAX];
    struct cad_track_info none = {.type = CAD_MEDIA_OTHER};
    uint32_t count = cad_engine_tracks(d->engine, list, CAD_TRACK_LIST_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(list[i].id, id) == 0) return list[i];
    }
    return none;
}

/* Answers for text by what the test says; the rest is served. */
static struct drv_answer text_status;
static int32_t text_server; /* -1: every one */
static int32_t text_document; /* -1: every one */

static struct drv_answer on_text(struct drv *d, const struct drv_request *r)
{
    bool meant = r->purpose == CAD_PURPOSE_TEXT &&
                 (text_server < 0 || r->server == text_server) &&
                 (text_document < 0 || r->document == text_document);
    (void)d;
    return meant ? text_status : (struct drv_answer){.fault = DRV_SERVE};
}

static void spoil(struct drv *d, int32_t server, int32_t document, struct drv_answer answer)
{
    text_server = server;
    text_document = document;
    text_status = answer;
    d->script = on_text;
}

static struct drv_answer status(int64_t value)
{
    return (struct drv_answer){.fault = DRV_STATUS, .value = value};
}

/* ---- which track ----------------------------------------------------------------------------- */

static void test_words_by_language(void **state)
{
    struct drv *d = with_text(state, "de");
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    check_shown(d, DRV_TEXT_DE, "de");
    check_told(d, 1, "T:2");
    assert_int_equal(asked(d, -1), 1);
    assert_int_equal(d->sink.words.configs, 1);
    assert_int_equal(d->sink.words.documents, 1);
    assert_int_equal(d->sink.words.pts, 0);
    assert_int_equal(d->sink.words.duration, 30 * CAD_SECOND);
    assert_true(d->sink.config.text);
    const struct drv_request *r = last_asked(d);
    assert_int_equal(r->priority, 1);
    assert_int_equal(r->range.first, -1);
    assert_in_range(r->size_max, 1, 16 * 1024 * 1024);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

/* Licensed manifest 10: in flight together with the headers, asked for behind them. */
static void test_words_beside_the_headers(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    uint32_t headers = 0;
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        if (r->purpose == CAD_PURPOSE_HEADER) headers++;
        if (r->purpose != CAD_PURPOSE_TEXT) continue;
        assert_int_equal(headers, 2);
        assert_int_equal(r->turn, d->requests[i - 1].turn);
        assert_int_equal(r->started, d->requests[i - 1].started);
    }
    assert_int_equal(asked(d, -1), 1);
}

static void test_words_prefer_what_is_not_forced(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
}

static void test_words_no_such_language(void **state)
{
    struct drv *d = with_text(state, "sv");
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 0);
    assert_false(d->sink.config.text);
    assert_int_equal(told(d), 0);
}

static void test_words_are_listed(void **state)
{
    struct drv *d = with_text(state, "de");
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(info_of(d, "T:0").type, CAD_MEDIA_OTHER); /* "off" is no track */
    struct cad_track_info en = info_of(d, "T:1"), de = info_of(d, "T:2");
    struct cad_track_info forced = info_of(d, "T:3");
    assert_int_equal(en.type, CAD_MEDIA_TEXT);
    assert_int_equal(en.codec, CAD_CODEC_TTML);
    assert_true(en.playable && !en.selected);
    assert_true(de.playable && de.selected);
    assert_string_equal(de.lang, "de");
    assert_true(forced.is_forced && forced.playable && !forced.selected);
    struct cad_track_info vtt = info_of(d, "T:4");
    assert_int_equal(vtt.codec, CAD_CODEC_WEBVTT);
    assert_false(vtt.playable || vtt.selected);
    uint32_t version = drv_stats(d).tracks_version;
    drv_choose(d, "T:1", 2);
    drv_settle(d);
    assert_true(info_of(d, "T:1").selected);
    assert_false(info_of(d, "T:2").selected);
    assert_true(drv_stats(d).tracks_version > version);
}

/* ---- commands -------------------------------------------------------------------------------- */

static void test_words_on_and_off(void **state)
{
    struct drv *d = with_text(state, "");
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 0);
    drv_choose(d, "T:1", 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    check_told(d, 1, "T:1");
    drv_choose(d, "", 3);
    drv_play_for(d, CAD_SECOND);
    assert_false(d->sink.words.shown);
    assert_int_equal(d->sink.words.config.codec, CAD_CODEC_UNKNOWN);
    check_told(d, 2, "");
    drv_choose(d, "T:2", 4);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_DE, "de");
    check_told(d, 3, "T:2");
    drv_choose(d, "T:0", 5); /* the manifest's own entry */
    drv_play_for(d, CAD_SECOND);
    check_told(d, 4, "");
    assert_int_equal(d->sink.flushes, 1);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
}

static void test_words_that_cannot_be_shown(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    drv_choose(d, "T:4", 7);
    drv_settle(d);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_NO_SUCH_TRACK);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->ticket, 7);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(told(d), 1);
}

static void test_words_off_before_the_manifest(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_load(d, 1);
    drv_turns(d);
    drv_choose(d, "", 2);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
    /* Another title begins as it was configured. */
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_settle(d);
    drv_net_forget(d);
    drv_load(d, 3);
    drv_play_for(d, 2 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
}

static void test_words_switch_while_paused(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    drv_pause(d);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    cad_time position = drv_sink_position(d);
    uint64_t media = d->bytes_media;
    drv_play_for(d, 10 * CAD_SECOND);
    media = d->bytes_media;
    drv_choose(d, "T:2", 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_DE, "de");
    check_told(d, 2, "T:2");
    assert_int_equal(d->state, CAD_STATE_PAUSED);
    assert_int_equal(drv_sink_position(d), position);
    assert_int_equal(d->bytes_media, media);
    drv_play(d);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 40 * CAD_SECOND));
    check_shown(d, DRV_TEXT_DE, "de");
}

/* The old document goes on until the new one is whole. */
static void test_words_old_until_new(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, DRV_TEXT_DE, (struct drv_answer){.fault = DRV_SILENT, .value = 100});
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_choose(d, "T:2", 2);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(asked(d, DRV_TEXT_DE), 1);
    check_shown(d, DRV_TEXT_EN, "en");
    check_told(d, 1, "T:1");
    drv_choose(d, "T:1", 3); /* and who comes back has it still */
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(d->cancels, 1);
    assert_int_equal(d->sink.words.documents, 1);
    assert_int_equal(asked(d, DRV_TEXT_EN), 1);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(told(d), 1);
}

/* ---- epochs and periods ---------------------------------------------------------------------- */

static void test_words_again_after_a_seek(void **state)
{
    struct drv *d = with_text(state, "en");
    d->strict_bytes = false; /* of media, for the seek back */
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_seek(d, 20 * CAD_SECOND, 2);
    drv_play_for(d, 2 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(d->sink.words.documents, 2);
    assert_int_equal(asked(d, -1), 1);
    assert_int_equal(told(d), 1);
    drv_choose(d, "", 3);
    drv_settle(d);
    drv_seek(d, CAD_SECOND, 4);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_int_equal(d->sink.words.documents, 2); /* what is off stays off */
}

/* An epoch that begins between a configuration and its document begins with both. */
static void test_words_epoch_between(void **state)
{
    struct drv *d = with_text(state, "en");
    struct cad_sample sample;
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_seek(d, 10 * CAD_SECOND, 2);
    drv_turns(d);
    assert_int_equal(cad_engine_pull(d->engine, CAD_SLOT_TEXT, &sample), CAD_E_CONFIG);
    drv_seek(d, 12 * CAD_SECOND, 3);
    drv_turns(d);
    for (int i = 0; i < 2; i++) {
        int rc = cad_engine_pull(d->engine, CAD_SLOT_TEXT, &sample);
        assert_int_equal(rc, i == 0 ? CAD_E_CONFIG : CAD_OK);
        assert_int_equal(sample.epoch, d->sink.epoch);
        if (rc == 0) cad_ref_unref(&sample.ref);
    }
    assert_int_equal(cad_engine_pull(d->engine, CAD_SLOT_TEXT, &sample), CAD_E_AGAIN);
}

/* A period of the title's files from `from` on, with a document beside them; 0: none. */
static void put_period(struct mpd *m, const struct drv *d, int64_t from_ms, int document)
{
    mpd_period(m, from_ms);
    mpd_put(m, "<AdaptationSet contentType=\"video\" mimeType=\"video/mp4\" codecs=\"avc1.64001f\">"
            "<Representation id=\"v0\" bandwidth=\"200000\" width=\"320\" height=\"240\">");
    mpd_indexed(m, d, 0, from_ms);
    mpd_put(m, "</Representation></AdaptationSet>");
    if (document) {
        mpd_put(m, "<AdaptationSet contentType=\"text\" mimeType=\"application/ttml+xml\" "
                "lang=\"%s\"><Representation id=\"t%d\" bandwidth=\"100\"><BaseURL>/t%d</BaseURL>"
                "</Representation></AdaptationSet>",
                document == DRV_TEXT_DE ? "de" : "en", document, document);
    }
    mpd_put(m, "<AdaptationSet contentType=\"text\" mimeType=\"application/mp4\" codecs=\"stpp\" "
            "lang=\"en\"><Representation id=\"boxed\" bandwidth=\"200\"><BaseURL>/t9</BaseURL>"
            "</Representation></AdaptationSet></Period>");
}

/* Between two anchors of the sink, so that nothing but a wake of its own is there in time. */
#define SECOND_PERIOD (14050 * CAD_MS)

static void serve_periods(struct drv *d)
{
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, DRV_TEXT_EN);
    put_period(&m, d, SECOND_PERIOD / CAD_MS, DRV_TEXT_FORCED);
    put_period(&m, d, 24000, 0);
    mpd_serve(d, &m);
}

static void test_words_over_periods(void **state)
{
    struct drv *d = with_text(state, "en");
    serve_periods(d);
    drv_play_for(d, 2 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(d->sink.words.duration, SECOND_PERIOD);
    assert_int_equal(asked(d, DRV_TEXT_FORCED), 0);
    drv_play_for(d, 4 * CAD_SECOND); /* ten seconds ahead */
    assert_int_equal(asked(d, DRV_TEXT_FORCED), 1);
    assert_int_equal(last_asked(d)->priority, 3);
    check_shown(d, DRV_TEXT_EN, "en");
    while (drv_sink_position(d) < SECOND_PERIOD) drv_play_for(d, DRV_TICK);
    drv_play_for(d, 2 * DRV_TICK); /* it is there as the period begins */
    check_shown(d, DRV_TEXT_FORCED, "en");
    assert_int_equal(d->sink.words.pts, SECOND_PERIOD);
    assert_int_equal(d->sink.words.duration, 24 * CAD_SECOND - SECOND_PERIOD);
    drv_play_for(d, 11 * CAD_SECOND);
    assert_false(d->sink.words.shown);
    assert_string_equal(drv_last(d, CAD_APP_TRACK)->text, "");
    drv_seek(d, 15 * CAD_SECOND, 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_FORCED, "en");
    drv_seek(d, CAD_SECOND, 3);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
    assert_int_equal(asked(d, 9), 0);
}

/* A track that is kept by what it is: where its language is missing there is no text. */
static void test_words_kept_over_periods(void **state)
{
    struct drv *d = with_text(state, "");
    static struct mpd m;
    mpd_begin(&m, d->options.duration);
    put_period(&m, d, 0, DRV_TEXT_EN);
    put_period(&m, d, 6000, DRV_TEXT_DE);
    put_period(&m, d, 12000, DRV_TEXT_EN);
    mpd_serve(d, &m);
    drv_play_for(d, CAD_SECOND);
    struct cad_track_info list[8];
    uint32_t count = cad_engine_tracks(d->engine, list, 8);
    for (uint32_t i = 0; i < count; i++) {
        if (list[i].type == CAD_MEDIA_TEXT && list[i].playable) drv_choose(d, list[i].id, 2);
    }
    drv_play_for(d, 3 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    drv_play_for(d, 4 * CAD_SECOND);
    assert_false(d->sink.words.shown);
    drv_play_for(d, 6 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(d->sink.words.pts, 12 * CAD_SECOND);
    assert_int_equal(asked(d, DRV_TEXT_DE), 0);
}

/* ---- failures -------------------------------------------------------------------------------- */

/* Text is lost, nothing else is. */
static void check_lost(struct drv *d)
{
    const struct cad_app_event *event = drv_last(d, CAD_APP_ERROR);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
    assert_int_equal(event->error.code, CAD_ERR_TEXT_LOST);
    assert_int_equal(event->error.track, CAD_SLOT_TEXT);
    assert_true(event->error.attempts > 0);
    assert_false(d->sink.words.shown);
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 40 * CAD_SECOND));
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_words_other_server(void **state)
{
    static const int64_t answers[] = {404, 403, 500, 503, 301, 206, 204};
    for (size_t i = 0; i < CAD_ARRAY_LEN(answers); i++) {
        struct drv *d = with_text(state, "en");
        spoil(d, 0, -1, status(answers[i]));
        drv_load(d, 1);
        drv_play_for(d, 3 * CAD_SECOND);
        check_shown(d, DRV_TEXT_EN, "en");
        assert_int_equal(asked(d, -1), 2);
        assert_int_equal(last_asked(d)->server, 1);
        assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
        assert_int_equal(d->manifests, 1);
    }
}

static void test_words_nowhere(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, status(404));
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 2);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.http_status, 404);
    assert_int_equal(told(d), 0);
    check_lost(d);
    assert_int_equal(asked(d, -1), 2);
}

/* A part of it is no document, also where nobody knows its size. */
static void test_words_in_part(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, DRV_TEXT_EN, status(206));
    serve_periods(d);
    drv_play_for(d, 2 * CAD_SECOND);
    assert_false(d->sink.words.shown);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_TEXT_LOST);
    drv_play_for(d, 14 * CAD_SECOND); /* lost in its period only */
    check_shown(d, DRV_TEXT_FORCED, "en");
}

/* What was lost is asked for again when it is chosen again. */
static void test_words_chosen_again(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, status(404));
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 1);
    d->script = NULL;
    drv_choose(d, "T:1", 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
}

/* Another file of the same track. */
static void test_words_other_file(void **state)
{
    struct drv *d = with_text(state, "it");
    spoil(d, -1, DRV_TEXT_IT, status(404));
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(asked(d, DRV_TEXT_IT), 2);
    check_shown(d, DRV_TEXT_IT_OTHER, "it");
    check_told(d, 1, "T:5");
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
}

/* A track that is lost takes the old text with it: it is not what was asked for. */
static void test_words_lost_after_a_switch(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, DRV_TEXT_DE, status(404));
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    drv_choose(d, "T:2", 2);
    drv_play_for(d, 2 * CAD_SECOND);
    check_told(d, 2, "");
    check_lost(d);
}

/* 5.4: a body of another size than the manifest tells: one more server. */
static void test_words_of_another_size(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 30 * CAD_SECOND;
    o.text = o.set_engine = true;
    o.servers = 4;
    o.engine.text_language = CAD_STR("en");
    struct drv *d = drv_renew(state, &o);
    spoil(d, -1, -1, (struct drv_answer){.fault = DRV_SHORT, .value = 5});
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 2);
    check_lost(d);
}

static void test_words_broken_off(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, 0, -1, (struct drv_answer){.fault = DRV_CUT, .value = 1000});
    drv_load(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(last_asked(d)->range.first, -1); /* whole again */
}

/* Servers that say nothing at all for text: they are given up, and nobody else waits. */
static void test_words_silent(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, (struct drv_answer){.fault = DRV_SILENT, .value = -1});
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->state, CAD_STATE_PLAYING);
    assert_in_range(drv_stats(d).startup, 0, CAD_SECOND / 2);
    assert_int_equal(asked(d, -1), 2);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 40 * CAD_SECOND));
    assert_int_equal(drv_stats(d).stalls, 0);
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 0);
}

static void test_words_elsewhere(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, 0, -1, (struct drv_answer){
        .fault = DRV_STATUS, .value = 302, .location = "http://h1/t1"});
    drv_load(d, 1);
    drv_play_for(d, 2 * CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(asked(d, -1), 2);
    assert_string_equal(last_asked(d)->url, "http://h1/t1");
}

/* A length above the limit is refused at the door, and so is a body that grows past it. */
static void test_words_too_large(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, (struct drv_answer){.fault = DRV_SILENT, .value = -1});
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    uint32_t id = last_asked(d)->id;
    uint8_t *data = NULL;
    size_t capacity = 0;
    struct cad_event event = {.type = CAD_EVENT_HTTP_HEAD};
    event.u.head = (struct cad_http_head){
        .id = id, .status = 200, .length = -1, .range = {-1, -1}, .total = -1,
        .retry_after = CAD_TIME_NONE};
    drv_feed(d, &event);
    int rc = 0;
    int64_t n = 0;
    while ((rc = cad_engine_lease(d->engine, id, 1 << 20, &data, &capacity)) == 0) {
        assert_int_equal(cad_engine_commit_hole(d->engine, id, 1, d->now), CAD_E_INVAL);
        memset(data, ' ', capacity);
        assert_int_equal(cad_engine_commit(d->engine, id, capacity, d->now), 0);
        n += (int64_t)capacity;
    }
    assert_int_equal(rc, CAD_E_LIMIT);
    assert_int_equal(n, 16 * 1024 * 1024);
}

/* ---- expiry ---------------------------------------------------------------------------------- */

/* Every text of the first manifest is refused. */
static struct drv_answer stale_text(struct drv *d, const struct drv_request *r)
{
    (void)d;
    bool old = r->purpose == CAD_PURPOSE_TEXT && r->generation == 1;
    return old ? status(403) : (struct drv_answer){.fault = DRV_SERVE};
}

/* A 403 near expiry: fresh URLs, then again. */
static void test_words_refused_near_expiry(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 60 * CAD_SECOND;
    o.text = true;
    o.url_life = 200 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    d->script = stale_text;
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_choose(d, "T:1", 2);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 1);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(last_asked(d)->generation, 2);
    assert_int_equal(drv_errors(d, CAD_ERROR_DEGRADED), 0);
    assert_int_equal(drv_stats(d).stalls, 0);
}

/* A 403 long before it says that this text is refused: media goes on with the URLs it has. */
static void test_words_refused(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, status(403));
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    assert_int_equal(d->manifests, 1);
    assert_int_equal(asked(d, -1), 2);
    check_lost(d);
    assert_int_equal(d->manifests, 1);
}

/* A refresh swaps the URLs under what is shown and what comes. */
static void test_words_over_a_refresh(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.text = o.set_engine = true;
    o.engine.text_language = CAD_STR("en");
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    o.url_life = 80 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, 45 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 1);
    check_shown(d, DRV_TEXT_EN, "en");
    assert_int_equal(asked(d, -1), 1);
    assert_int_equal(d->sink.words.documents, 1);
    drv_choose(d, "T:2", 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_DE, "de");
    assert_int_equal(last_asked(d)->generation, 2);
    drv_choose(d, "T:1", 3);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
}

/* English is shown, German on the way and slow, when a refresh is due in a second or two. */
static struct drv *before_a_refresh(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 120 * CAD_SECOND;
    o.text = o.set_engine = true;
    o.engine.text_language = CAD_STR("en");
    o.engine.buffer_ahead = 10 * CAD_SECOND;
    o.url_life = 80 * CAD_SECOND;
    struct drv *d = drv_renew(state, &o);
    spoil(d, -1, DRV_TEXT_DE, (struct drv_answer){.fault = DRV_SILENT, .value = 10});
    drv_load(d, 1);
    drv_play_for(d, 38 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 0);
    drv_choose(d, "T:2", 2);
    drv_settle(d);
    return d;
}

/* What is under way is not disturbed. */
static void test_words_on_the_way_over_a_refresh(void **state)
{
    struct drv *d = before_a_refresh(state);
    assert_true(drv_until(d, CAD_APP_REFRESHED, 3 * CAD_SECOND));
    drv_settle(d);
    assert_int_equal(asked(d, DRV_TEXT_DE), 1);
    assert_true(last_asked(d)->open);
    check_shown(d, DRV_TEXT_EN, "en");
}

/* A track that the fresh manifest does not have any more is over. */
static void test_words_gone_with_a_refresh(void **state)
{
    struct drv *d = before_a_refresh(state);
    d->options.text = false;
    drv_play_for(d, 8 * CAD_SECOND);
    assert_int_equal(drv_count(d, CAD_APP_REFRESHED), 1);
    assert_false(d->sink.words.shown);
    check_told(d, 2, "");
    assert_int_equal(d->state, CAD_STATE_PLAYING);
}

/* ---- who wants none -------------------------------------------------------------------------- */

static uint64_t hash_of(void **state, bool text, bool sink, const char *lang)
{
    struct drv_options o;
    drv_options_init(&o);
    o.duration = 20 * CAD_SECOND;
    o.text = text;
    o.no_text_sink = !sink;
    o.set_engine = true;
    o.engine.text_language = cad_str_from(lang);
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, 5 * CAD_SECOND);
    drv_seek(d, 12 * CAD_SECOND, 2);
    drv_play_for(d, CAD_SECOND);
    assert_true(drv_until_state(d, CAD_STATE_ENDED, 30 * CAD_SECOND));
    assert_int_equal(asked(d, -1), sink && lang[0] ? 1 : 0);
    assert_int_equal(d->sink.config.text, sink && lang[0]);
    return drv_stats(d).decision_hash;
}

/* Decisions are the same with tracks nobody wants, with a sink that takes none, and without. */
static void test_words_not_wanted(void **state)
{
    uint64_t without = hash_of(state, false, false, "");
    assert_true(hash_of(state, true, true, "") == without);
    assert_true(hash_of(state, true, false, "en") == without);
    assert_true(hash_of(state, true, true, "en") != without);
}

/* A sink without text: the tracks are listed, none can be chosen. */
static void test_words_no_sink(void **state)
{
    struct drv_options o;
    drv_options_init(&o);
    o.text = o.no_text_sink = true;
    struct drv *d = drv_renew(state, &o);
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    assert_int_equal(info_of(d, "T:1").type, CAD_MEDIA_TEXT);
    assert_false(info_of(d, "T:1").playable);
    drv_choose(d, "T:1", 2);
    drv_settle(d);
    assert_int_equal(drv_last(d, CAD_APP_ERROR)->error.code, CAD_ERR_NO_SUCH_TRACK);
    assert_int_equal(asked(d, -1), 0);
}

/* A title that is prepared has its text as well; nobody is told of it before it is played. */
static void test_words_prepared(void **state)
{
    struct drv *d = with_text(state, "en");
    drv_prepare(d, 1);
    drv_play_for(d, 3 * CAD_SECOND);
    assert_int_equal(asked(d, -1), 1);
    assert_int_equal(told(d), 0);
    drv_load(d, 2);
    drv_play_for(d, CAD_SECOND);
    check_shown(d, DRV_TEXT_EN, "en");
    check_told(d, 1, "T:1");
    assert_int_equal(asked(d, -1), 1);
}

/* ---- endings --------------------------------------------------------------------------------- */

static void test_words_stop_in_flight(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, (struct drv_answer){.fault = DRV_SILENT, .value = 100});
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    drv_command(d, CAD_COMMAND_STOP, 0);
    drv_settle(d);
    assert_true(last_asked(d)->cancelled);
    assert_int_equal(drv_open_requests(d), 0);
}

/* A session that fails lets go of its text as well. */
static void test_words_fail_in_flight(void **state)
{
    struct drv *d = with_text(state, "en");
    spoil(d, -1, -1, (struct drv_answer){.fault = DRV_SILENT, .value = 100});
    drv_load(d, 1);
    drv_play_for(d, CAD_SECOND);
    struct cad_event event = {.type = CAD_EVENT_SINK_FAIL};
    event.u.fail = (struct cad_sink_fail){.slot = CAD_SLOT_VIDEO, .error = CAD_ERR_SINK_FAILED};
    drv_feed(d, &event);
    drv_settle(d);
    assert_int_equal(d->state, CAD_STATE_FAILED);
    assert_int_equal(drv_open_requests(d), 0);
}

/* Whichever allocation fails, text comes or is told to be lost, and playback does not end by it. */
static void test_words_alloc(void **state)
{
    uint64_t failures = 0;
    for (uint64_t at = 1;; at++) {
        struct drv_options o;
        drv_options_init(&o);
        o.duration = 20 * CAD_SECOND;
        o.text = o.set_engine = true;
        o.engine.text_language = CAD_STR("en");
        o.fail_at = at;
        struct drv *d = drv_renew(state, &o);
        if (!d) continue;
        d->strict_bytes = false;
        drv_load(d, 1);
        drv_play_for(d, 2 * CAD_SECOND);
        drv_choose(d, "T:2", 2);
        drv_play_for(d, 2 * CAD_SECOND);
        if (d->state == CAD_STATE_PLAYING) {
            bool lost = drv_errors(d, CAD_ERROR_DEGRADED) > 0;
            assert_true(lost || (d->sink.words.shown && d->sink.words.document == DRV_TEXT_DE));
        } else if (d->fatal == 0) {
            assert_int_equal(d->state, CAD_STATE_FAILED);
            assert_int_equal(drv_open_requests(d), 0);
        }
        if (!d->failing.failed) break;
        failures++;
    }
    assert_true(failures > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        DRV_TEST(test_words_by_language),
        DRV_TEST(test_words_beside_the_headers),
        DRV_TEST(test_words_prefer_what_is_not_forced),
        DRV_TEST(test_words_no_such_language),
        DRV_TEST(test_words_are_listed),
        DRV_TEST(test_words_on_and_off),
        DRV_TEST(test_words_that_cannot_be_shown),
        DRV_TEST(test_words_off_before_the_manifest),
        DRV_TEST(test_words_switch_while_paused),
        DRV_TEST(test_words_old_until_new),
        DRV_TEST(test_words_again_after_a_seek),
        DRV_TEST(test_words_epoch_between),
        DRV_TEST(test_words_over_periods),
        DRV_TEST(test_words_kept_over_periods),
        DRV_TEST(test_words_other_server),
        DRV_TEST(test_words_nowhere),
        DRV_TEST(test_words_in_part),
        DRV_TEST(test_words_chosen_again),
        DRV_TEST(test_words_other_file),
        DRV_TEST(test_words_lost_after_a_switch),
        DRV_TEST(test_words_of_another_size),
        DRV_TEST(test_words_broken_off),
        DRV_TEST(test_words_silent),
        DRV_TEST(test_words_elsewhere),
        DRV_TEST(test_words_too_large),
        DRV_TEST(test_words_refused_near_expiry),
        DRV_TEST(test_words_refused),
        DRV_TEST(test_words_over_a_refresh),
        DRV_TEST(test_words_on_the_way_over_a_refresh),
        DRV_TEST(test_words_gone_with_a_refresh),
        DRV_TEST(test_words_not_wanted),
        DRV_TEST(test_words_no_sink),
        DRV_TEST(test_words_prepared),
        DRV_TEST(test_words_stop_in_flight),
        DRV_TEST(test_words_fail_in_flight),
        DRV_TEST(test_words_alloc),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
