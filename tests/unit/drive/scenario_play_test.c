/* Goal: a script is done in order and at its times through whatever back end plays it, "every"
 * looks at its multiples and only while it plays, a sleep skips what nobody could see, and each
 * expectation says what it saw. The back end here only writes down what it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/str.h"
#include "drive/scenario_play.h"

#define HEAD "title ladder l\nlink a rate 5000 latency 40\nhost cdn1 link a\n"
#define POINTS_MAX 16

/* A player that plays from 0 on and ends after `length`. */
struct fake {
    cad_time now, length;
    bool loaded;
    char told[512];
    struct cad_app_event events[4];
    uint32_t event_count, event_next;
    int fails_at;                /* the n-th thing it is told fails; 0 none */
    int calls;
    struct cad_scenario_point points[POINTS_MAX];
    char seen[POINTS_MAX][64];
    uint32_t point_count;
};

static int tell(struct fake *f, const char *what, int64_t value)
{
    size_t n = strlen(f->told);
    (void)snprintf(f->told + n, sizeof(f->told) - n, "%s%lld:%s(%lld)", n ? " " : "",
                   (long long)(f->now / CAD_MS), what, (long long)value);
    f->calls++;
    return f->fails_at == f->calls ? CAD_E_IO : 0;
}

static cad_time now(void *ctx) { return ((struct fake *)ctx)->now; }
static int load(void *ctx) { ((struct fake *)ctx)->loaded = true; return 0; }

static int run(void *ctx, cad_time until)
{
    struct fake *f = ctx;
    bool over = until >= f->length;
    cad_time to = over ? f->length : until;
    if (to > f->now) f->now = to;
    return over;
}

static void idle(void *ctx, cad_time until)
{
    struct fake *f = ctx;
    if (until > f->now) f->now = until;
}

static int command(void *ctx, const struct cad_command *c)
{
    static const char *const names[] = {"load", "play", "pause", "seek", "stop", "pin", "track",
                                        "rate"};
    char name[96];
    int64_t value = c->type == CAD_COMMAND_RATE ? c->rate_q16 : c->position / CAD_MS;
    (void)snprintf(name, sizeof(name), "%s%s", names[c->type], c->track);
    return tell(ctx, name, value);
}

static int host(void *ctx, uint32_t i, enum cad_host_fault fault, int64_t value)
{
    (void)i;
    (void)fault;
    return tell(ctx, "host", value);
}

static int network(void *ctx, bool online) { return tell(ctx, "network", online); }

static int service(void *ctx, cad_str name, bool up)
{
    return cad_str_eqz(name, "manifest") ? tell(ctx, "service", up) : CAD_E_NOTFOUND;
}

static int suspend(void *ctx, cad_time duration)
{
    struct fake *f = ctx;
    int err = tell(f, "suspend", duration / CAD_MS);
    f->now += duration;
    return err;
}

static int poll_event(void *ctx, struct cad_app_event *out)
{
    struct fake *f = ctx;
    if (f->event_next == f->event_count) return CAD_E_AGAIN;
    if (f->events[f->event_next].at > f->now) return CAD_E_AGAIN;
    *out = f->events[f->event_next++];
    return 0;
}

static void stats(void *ctx, struct cad_engine_stats *out)
{
    const struct fake *f = ctx;
    memset(out, 0, sizeof(*out));
    out->state = f->now >= f->length ? CAD_STATE_ENDED : CAD_STATE_PLAYING;
    out->position = f->now;
    out->duration = f->length;
    out->startup = CAD_TIME_NONE;
    out->slot[0].present = true;
    out->slot[0].ahead = 2 * CAD_SECOND;
}

static uint32_t tracks(void *ctx, struct cad_track_info *out, uint32_t max)
{
    static const struct cad_track_info all[] = {
        {.id = "V", .type = CAD_MEDIA_VIDEO, .lang = "de", .selected = true},
        {.id = "A1", .type = CAD_MEDIA_AUDIO, .lang = "en", .channels = 2, .selected = true},
        {.id = "A2", .type = CAD_MEDIA_AUDIO, .lang = "de", .channels = 6}};
    (void)ctx;
    memcpy(out, all, (max < 3 ? max : 3) * sizeof(*out));
    return 3;
}

static void keep_point(void *ctx, const struct cad_scenario_point *point)
{
    struct fake *f = ctx;
    assert_true(f->point_count < POINTS_MAX);
    (void)snprintf(f->seen[f->point_count], sizeof(f->seen[0]), "%s", point->seen);
    f->points[f->point_count++] = *point;
}

static struct cad_scenario scenario;
static struct cad_scenario_result result;
static struct fake fake;

/* Plays; what was told and seen is in `fake`. */
static int play(const char *script, cad_time length)
{
    char text[1024];
    struct cad_alloc alloc = cad_alloc_system();
    struct cad_scenario_play p;
    const struct cad_scenario_backend backend = {
        .ctx = &fake, .now = now, .load = load, .run = run, .idle = idle, .command = command,
        .host = host, .network = network, .service = service, .suspend = suspend,
        .poll = poll_event, .stats = stats, .tracks = tracks, .overtime = CAD_SECOND};
    (void)snprintf(text, sizeof(text), HEAD "%s", script);
    fake.length = length;
    memset(&result, 0, sizeof(result));
    assert_int_equal(cad_scenario_parse(cad_str_from(text), &scenario, &result), 0);
    cad_scenario_play_init(&p, &alloc, &scenario, &result);
    p.backend = &backend;
    p.duration = length;
    cad_scenario_play_request(&p, 1500 * CAD_MS);
    int err = cad_scenario_play_run(&p);
    if (!err) cad_scenario_play_tell(&p, cad_str_from(text), keep_point, &fake);
    cad_scenario_play_deinit(&p);
    assert_true(fake.loaded);
    return err;
}

static int reset(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    return 0;
}

static void test_scenario_play_does_everything_in_order(void **state)
{
    (void)state;
    assert_int_equal(play("at 3 seek 4.5\nat 0 play\nat 1 pause\nat 1 play\nat 2 rate 0.5\n"
                          "at 2.5 audio de-51\nat 2.75 audio fr\nat 4 network off\n"
                          "at 5 host cdn1 down status 503\nat 6 service manifest down\nat 7 stop\n",
                          10 * CAD_SECOND), 0);
    assert_string_equal(fake.told,
                        "0:play(0) 1000:pause(0) 1000:play(0) 2000:rate(32768) 2500:trackA2(0) "
                        "2750:trackfr(0) 3000:seek(4500) 4000:network(0) 5000:host(503) "
                        "6000:service(0) 7000:stop(0)");
    assert_int_equal(result.duration, 10 * CAD_SECOND);
}

/* Time goes on for the script after the session is over. */
static void test_scenario_play_goes_on_behind_the_end(void **state)
{
    (void)state;
    assert_int_equal(play("at 20 seek 1\nat 25 expect state ended\n", 10 * CAD_SECOND), 0);
    assert_string_equal(fake.told, "20000:seek(1000)");
    assert_true(fake.points[0].held);
    assert_int_equal(fake.points[0].at, 25 * CAD_SECOND);
}

static void test_scenario_play_looks_at_every_multiple_while_it_plays(void **state)
{
    (void)state;
    assert_int_equal(play("every 3 expect position <= 6\nat 0 play\n"
                          "every 20 expect buffer >= 1\n", 10 * CAD_SECOND), 0);
    assert_int_equal(fake.points[0].looks, 3);
    assert_false(fake.points[0].held);
    assert_int_equal(fake.points[0].at, 9 * CAD_SECOND);
    assert_string_equal(fake.seen[0], "9.000");
    assert_true(fake.points[1].held);
    assert_int_equal(fake.points[1].looks, 0);
    assert_int_equal(result.failed, 1);
    assert_string_equal(result.message,
                        "line 4, at 9.000 s: expected position <= 6.000, saw 9.000");
}

/* What falls into a sleep is done behind it, and nobody looked meanwhile. */
static void test_scenario_play_sleeps(void **state)
{
    (void)state;
    assert_int_equal(play("at 2 suspend 4\nat 3 pause\nevery 1 expect position <= 90\n",
                          9 * CAD_SECOND), 0);
    assert_string_equal(fake.told, "2000:suspend(4000) 6000:pause(0)");
    assert_int_equal(fake.points[0].looks, 4); /* 1, 2, 7, 8 */
}

static void test_scenario_play_tells_what_it_saw(void **state)
{
    (void)state;
    fake.event_count = 2;
    fake.events[0] = (struct cad_app_event){.type = CAD_APP_TRACK, .at = 2 * CAD_SECOND};
    fake.events[1] = (struct cad_app_event){.type = CAD_APP_ERROR, .at = 3 * CAD_SECOND};
    fake.events[1].error.code = CAD_ERR_NET_CONNECT;
    assert_int_equal(play("at 1 expect track audio en\nat 1 expect track audio de\n"
                          "expect event track within 1 after 1.5 # in time\n"
                          "expect event track within 1 after 4\nexpect no error\n"
                          "expect no request from 2 to 3\nexpect no request from 1 to 2\n"
                          "expect startup <= 1\nexpect ended\nexpect failed\n", 5 * CAD_SECOND), 0);
    static const struct { bool held; const char *seen; } want[] = {
        {true, "A1"}, {false, "A1"}, {true, "2.000"}, {false, "2.000"},
        {false, "NET_CONNECT at 3.000 s"}, {true, "none"}, {false, "one at 1.500 s"},
        {false, "no first picture"}, {true, "ended"}, {false, "no fatal error"}};
    assert_int_equal(fake.point_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        assert_int_equal(fake.points[i].held, want[i].held);
        assert_string_equal(fake.seen[i], want[i].seen);
        assert_int_equal(fake.points[i].line, 4 + i);
    }
    assert_int_equal(result.failed, 6);
    assert_int_equal(result.line, 5);
}

static void test_scenario_play_stops_where_the_back_end_fails(void **state)
{
    (void)state;
    fake.fails_at = 2;
    assert_int_equal(play("at 1 play\nat 2 pause\nat 3 stop\n", 9 * CAD_SECOND), CAD_E_IO);
    assert_string_equal(fake.told, "1000:play(0) 2000:pause(0)");
    memset(&fake, 0, sizeof(fake));
    assert_int_equal(play("at 1 service nonsense up\n", 9 * CAD_SECOND), CAD_E_DATA);
    assert_int_equal(result.line, 4);
    assert_string_equal(result.message, "no such service");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_scenario_play_does_everything_in_order, reset),
        cmocka_unit_test_setup(test_scenario_play_goes_on_behind_the_end, reset),
        cmocka_unit_test_setup(test_scenario_play_looks_at_every_multiple_while_it_plays, reset),
        cmocka_unit_test_setup(test_scenario_play_sleeps, reset),
        cmocka_unit_test_setup(test_scenario_play_tells_what_it_saw, reset),
        cmocka_unit_test_setup(test_scenario_play_stops_where_the_back_end_fails, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
