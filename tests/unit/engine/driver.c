#include "driver.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/util.h"

#define TURNS_MAX 500 /* of one instant: more is a livelock */
#define FEED_TRIES 3  /* an allocation that fails once is asked for again */

/* ---- making one ------------------------------------------------------------------------------ */

void *drv_malloc(size_t n)
{
    void *p = calloc(1, n);
    if (!p) abort();
    return p;
}

void drv_options_init(struct drv_options *options)
{
    *options = (struct drv_options){
        .duration = 60 * CAD_SECOND, .servers = 2, .url_life = INT64_C(12) * 3600 * CAD_SECOND,
        .latency = 10 * CAD_MS, .rungs = DRV_RUNGS, .video_profile = "h264mpl40-dash-clear"};
    cad_engine_config_init(&options->engine);
}

static void on_log(void *ctx, enum cad_log_level level, cad_time now, cad_str line)
{
    struct drv *d = ctx;
    (void)level;
    (void)now;
    for (size_t i = 0; i + 6 <= line.n; i++) {
        if (memcmp(line.p + i, "SECRET", 6) == 0) d->saw_secret = true;
    }
}

void drv_entropy(struct drv *d, size_t n)
{
    uint8_t entropy[256];
    assert_true(n <= sizeof entropy);
    /* No two feeds share any bytes, and no two salts. */
    for (size_t i = 0; i < n; i++) {
        uint64_t place = (uint64_t)d->salt << 40 | (uint64_t)d->request_count << 16 | i;
        entropy[i] = (uint8_t)(cad_hash_u64(place) >> 32);
    }
    struct cad_event event = {.type = CAD_EVENT_ENTROPY};
    event.u.entropy = (cad_buf){entropy, n};
    drv_feed(d, &event);
}

static void introduce(struct drv *d)
{
    drv_entropy(d, 256);
    struct cad_event event = {.type = CAD_EVENT_WALL_OFFSET};
    event.u.wall.offset_ms = DRV_EPOCH_MS + d->options.device_error_ms;
    event.u.wall.error_ms = 1000;
    drv_feed(d, &event);
    event = (struct cad_event){.type = CAD_EVENT_SINK_CAPS};
    event.u.caps = (struct cad_sink_caps){
        .codecs = 1u << CAD_CODEC_AVC | 1u << CAD_CODEC_AAC, .video = true, .audio = true};
    if (d->options.text && !d->options.no_text_sink) {
        event.u.caps.codecs |= 1u << CAD_CODEC_TTML;
        event.u.caps.text = true;
    }
    drv_feed(d, &event);
    if (d->options.drm && !d->options.no_cdm) drv_cdm_caps(d);
}

struct drv *drv_new(const struct drv_options *options)
{
    struct drv *d = drv_malloc(sizeof(*d));
    if (options) d->options = *options;
    else drv_options_init(&d->options);
    d->requests = drv_malloc(DRV_REQUESTS_MAX * sizeof(*d->requests));
    d->events = drv_malloc(DRV_EVENTS_MAX * sizeof(*d->events));
    d->strict_bytes = d->strict_time = true;
    d->now = 100 * CAD_SECOND;
    d->sink.pull_ahead = CAD_SECOND;
    d->cdm.status = CAD_KEY_USABLE;
    d->cdm.kid = DRV_KID;
    d->salt = d->options.salt;
    drv_title_init(d);
    cad_failing_init(&d->failing, d->options.fail_at);
    struct cad_engine_config config = d->options.engine;
    if (!d->options.set_engine) cad_engine_config_init(&config);
    config.alloc = cad_failing_alloc(&d->failing);
    config.check = true;
    config.log = (struct cad_log){on_log, d, CAD_LOG_TRACE};
    int err = cad_engine_create(&config, &d->engine);
    if (err) {
        assert_int_equal(err, CAD_E_NOMEM);
        assert_null(d->engine);
        drv_free(&d);
        return NULL;
    }
    if (!d->options.no_introduction) introduce(d);
    return d;
}

void drv_free(struct drv **driver)
{
    struct drv *d = *driver;
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) drv_sink_drop_held(d, i);
    cad_engine_destroy(&d->engine);
    assert_null(d->engine);
    assert_int_equal(d->failing.live_blocks, 0);
    assert_int_equal(d->failing.mismatches, 0);
    assert_false(d->saw_secret);
    for (uint32_t i = 0; i < d->request_count; i++) {
        free(d->requests[i].text);
        free(d->requests[i].body);
    }
    for (uint32_t i = 0; i < CAD_ENGINE_TRACKS; i++) {
        free(d->sink.slot[i].samples);
    }
    drv_title_deinit(d);
    free(d->requests);
    free(d->events);
    free(d);
    *driver = NULL;
}

int drv_setup(void **state)
{
    *state = drv_new(NULL);
    return 0;
}

int drv_teardown(void **state)
{
    struct drv *d = *state;
    *state = NULL;
    if (d) drv_free(&d);
    return 0;
}

struct drv *drv_renew(void **state, const struct drv_options *options)
{
    (void)drv_teardown(state);
    struct drv *d = drv_new(options);
    *state = d;
    return d;
}

/* ---- in -------------------------------------------------------------------------------------- */

void drv_feed(struct drv *d, const struct cad_event *event)
{
    int err = CAD_E_NOMEM;
    for (uint32_t i = 0; i < FEED_TRIES && err == CAD_E_NOMEM; i++) {
        err = cad_engine_feed(d->engine, event);
    }
    assert_int_equal(err, 0);
    d->due = true;
}

static void feed_command(struct drv *d, const struct cad_command *command)
{
    struct cad_event event = {.type = CAD_EVENT_COMMAND};
    event.u.command = *command;
    drv_feed(d, &event);
}

void drv_command(struct drv *d, enum cad_command_type type, uint32_t ticket)
{
    struct cad_command command = {.type = type, .ticket = ticket};
    feed_command(d, &command);
}

void drv_seek(struct drv *d, cad_time position, uint32_t ticket)
{
    struct cad_command command = {
        .type = CAD_COMMAND_SEEK, .ticket = ticket, .position = position};
    feed_command(d, &command);
}

void drv_pin(struct drv *d, int32_t rung)
{
    struct cad_command command = {.type = CAD_COMMAND_PIN, .rung = rung};
    feed_command(d, &command);
}

void drv_load_title(struct drv *d, const struct cad_title *title, uint32_t ticket)
{
    struct cad_command command = {.type = CAD_COMMAND_LOAD, .ticket = ticket, .title = *title};
    feed_command(d, &command);
}

void drv_load_url(struct drv *d, const char *url, uint32_t ticket)
{
    struct cad_title title = {.url = cad_str_from(url), .start = CAD_TIME_NONE};
    drv_load_title(d, &title, ticket);
}

void drv_load(struct drv *d, uint32_t ticket)
{
    struct cad_title title = {
        .base = CAD_STR("http://svc"), .id = CAD_STR("900100"), .start = CAD_TIME_NONE};
    drv_load_title(d, &title, ticket);
    drv_play(d);
}

void drv_prepare(struct drv *d, uint32_t ticket)
{
    struct cad_command command = {
        .type = CAD_COMMAND_PREPARE, .ticket = ticket,
        .title = {.base = CAD_STR("http://svc"), .id = CAD_STR("900100"), .start = CAD_TIME_NONE}};
    feed_command(d, &command);
}

void drv_play(struct drv *d)
{
    drv_command(d, CAD_COMMAND_PLAY, 0);
}

void drv_pause(struct drv *d)
{
    drv_command(d, CAD_COMMAND_PAUSE, 0);
}

struct drv_rule *drv_rule(struct drv *d, int32_t server, int32_t stream, enum drv_fault fault,
                          int64_t value)
{
    assert_true(d->rule_count < DRV_RULES_MAX);
    struct drv_rule *rule = &d->rules[d->rule_count++];
    *rule = (struct drv_rule){
        .server = server, .stream = stream, .left = DRV_FOR_EVER,
        .answer = {.fault = fault, .value = value}};
    return rule;
}

/* ---- out ------------------------------------------------------------------------------------- */

static void keep_event(struct drv *d, const struct cad_app_event *event)
{
    assert_true(d->event_count < DRV_EVENTS_MAX);
    if (event->type == CAD_APP_STATE) {
        assert_int_equal(event->state_old, d->state);
        assert_int_not_equal(event->state, event->state_old);
        d->state = event->state;
    }
    if (event->type == CAD_APP_ERROR) {
        assert_int_not_equal(event->error.code, CAD_ERR_NONE);
        assert_true(event->error.message[0] != '\0');
        assert_null(strstr(event->error.message, "SECRET"));
    }
    d->events[d->event_count++] = *event;
}

/* Everything that waits; true: something did. */
static bool do_actions(struct drv *d)
{
    struct cad_action action;
    bool any = false;
    int rc;
    while ((rc = cad_engine_poll(d->engine, &action)) == 0) {
        any = true;
        if (d->on_action && d->on_action(d, &action)) continue;
        switch (action.type) {
        case CAD_ACTION_HTTP_START: drv_net_start(d, &action.u.start); break;
        case CAD_ACTION_HTTP_WARM: drv_net_warm(d, &action.u.warm); break;
        case CAD_ACTION_HTTP_CANCEL: drv_net_cancel(d, action.u.cancel.id); break;
        case CAD_ACTION_SINK_CONFIG: drv_sink_config(d, &action.u.sink); break;
        case CAD_ACTION_SINK_FLUSH:
            drv_sink_flush(d, action.u.flush.epoch, action.u.flush.position);
            break;
        case CAD_ACTION_CDM_CALL: drv_cdm_call(d, &action.u.cdm); break;
        case CAD_ACTION_APP_EVENT: keep_event(d, &action.u.app); break;
        default: fail_msg("an unknown action: %d", (int)action.type);
        }
    }
    assert_int_equal(rc, CAD_E_AGAIN);
    return any;
}

static bool is_due(const struct drv *d)
{
    cad_time wake = cad_engine_next_wake(d->engine);
    return d->due || (wake != CAD_TIME_NONE && wake <= d->now);
}

/* ---- time ------------------------------------------------------------------------------------ */

void drv_turns(struct drv *d)
{
    for (uint32_t n = 0; d->fatal == 0 && is_due(d); n++) {
        if (n == TURNS_MAX) fail_msg("no end of turns at %lld", (long long)d->now);
        d->due = false;
        d->turns++;
        int rc = cad_engine_run(d->engine, d->now);
        (void)do_actions(d);
        if (rc < 0) d->fatal = rc;
        if (rc > 0) d->due = true;
    }
}

void drv_settle(struct drv *d)
{
    for (uint32_t n = 0; d->fatal == 0; n++) {
        if (n == TURNS_MAX) fail_msg("the instant %lld does not settle", (long long)d->now);
        bool moved = drv_net_pump(d);
        if (d->on_pump) moved = d->on_pump(d) || moved;
        drv_turns(d);
        moved = drv_sink_step(d) || moved;
        drv_turns(d);
        if (!moved && !is_due(d)) return;
    }
}

static void tick(struct drv *d)
{
    d->now += DRV_TICK;
    drv_net_tick(d);
    drv_settle(d);
}

void drv_play_for(struct drv *d, cad_time duration)
{
    drv_settle(d);
    for (cad_time t = 0; t < duration && d->fatal == 0; t += DRV_TICK) tick(d);
}

bool drv_until(struct drv *d, enum cad_app_event_type type, cad_time limit)
{
    uint32_t before = drv_count(d, type);
    drv_settle(d);
    for (cad_time t = 0; t < limit && d->fatal == 0; t += DRV_TICK) {
        if (drv_count(d, type) > before) return true;
        tick(d);
    }
    return drv_count(d, type) > before;
}

bool drv_until_state(struct drv *d, enum cad_state state, cad_time limit)
{
    drv_settle(d);
    for (cad_time t = 0; t < limit && d->fatal == 0 && d->state != state; t += DRV_TICK) tick(d);
    return d->state == state;
}

/* ---- what was seen --------------------------------------------------------------------------- */

uint32_t drv_count(const struct drv *d, enum cad_app_event_type type)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->event_count; i++) n += d->events[i].type == type;
    return n;
}

const struct cad_app_event *drv_last(const struct drv *d, enum cad_app_event_type type)
{
    for (uint32_t i = d->event_count; i > 0; i--) {
        if (d->events[i - 1].type == type) return &d->events[i - 1];
    }
    return NULL;
}

const struct cad_app_event *drv_first(const struct drv *d, enum cad_app_event_type type)
{
    for (uint32_t i = 0; i < d->event_count; i++) {
        if (d->events[i].type == type) return &d->events[i];
    }
    return NULL;
}

int32_t drv_index(const struct drv *d, const struct cad_app_event *event)
{
    return event ? (int32_t)(event - d->events) : -1;
}

uint32_t drv_errors(const struct drv *d, enum cad_error_class cls)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->event_count; i++) {
        n += d->events[i].type == CAD_APP_ERROR && d->events[i].error.cls == cls;
    }
    return n;
}

const struct cad_error *drv_fatal(const struct drv *d)
{
    assert_int_equal(drv_errors(d, CAD_ERROR_FATAL), 1);
    for (uint32_t i = 0; i < d->event_count; i++) {
        const struct cad_app_event *event = &d->events[i];
        if (event->type == CAD_APP_ERROR && event->error.cls == CAD_ERROR_FATAL) {
            return &event->error;
        }
    }
    return NULL;
}

struct cad_engine_stats drv_stats(const struct drv *d)
{
    struct cad_engine_stats stats;
    memset(&stats, 0, sizeof stats);
    cad_engine_stats(d->engine, &stats);
    return stats;
}

struct cad_slot_stats drv_slot_stats(const struct drv *d, uint32_t slot)
{
    return drv_stats(d).slot[slot];
}

uint32_t drv_open_requests(const struct drv *d)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < d->request_count; i++) n += d->requests[i].open;
    return n;
}

uint32_t drv_requests_of(const struct drv *d, uint32_t from, enum cad_purpose purpose)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < d->request_count; i++) n += d->requests[i].purpose == purpose;
    return n;
}

uint32_t drv_requests_on(const struct drv *d, uint32_t from, int32_t server)
{
    uint32_t n = 0;
    for (uint32_t i = from; i < d->request_count; i++) n += d->requests[i].server == server;
    return n;
}

struct cad_synth_segment drv_segment(const struct drv *d, int32_t stream, int64_t byte)
{
    struct cad_synth_segment segment;
    uint32_t source = CAD_MIN((uint32_t)stream, DRV_AUDIO);
    assert_int_equal(cad_synth_segment_at(d->synth, source, byte, &segment), 0);
    return segment;
}

void drv_dump(const struct drv *d)
{
    for (uint32_t i = 0; i < d->request_count; i++) {
        const struct drv_request *r = &d->requests[i];
        print_message("%8lld ms #%u %s s%d h%d %lld-%lld prio %u: %s%s%s fault %d, %lld of %lld\n",
                      (long long)(r->started / CAD_MS), r->id, cad_purpose_name(r->purpose),
                      r->stream, r->server, (long long)r->range.first, (long long)r->range.last,
                      r->priority, r->open ? "open " : "", r->cancelled ? "cancelled " : "",
                      r->stale ? "stale " : "", (int)r->answer.fault, (long long)r->sent,
                      (long long)r->total);
    }
    for (uint32_t i = 0; i < d->event_count; i++) {
        const struct cad_app_event *e = &d->events[i];
        print_message("%8lld ms %s ticket %u %s>%s pos %lld ms slot %u rung %u '%s' %s %s: %s\n",
                      (long long)(e->at / CAD_MS), cad_app_event_name(e->type), e->ticket,
                      cad_state_name(e->state_old), cad_state_name(e->state),
                      (long long)(e->position / CAD_MS), e->slot, e->rung, e->text,
                      cad_error_name(e->error.code), cad_error_class_name(e->error.cls),
                      e->error.message);
    }
}
