/* The mailboxes: commands are kept in order, reports and orders are levels, nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"
#include "drive/mailbox.h"
#include "support/failing_alloc.h"

static struct cad_failing f;
static struct cad_mailbox box;

static int setup(void **state)
{
    (void)state;
    cad_failing_init(&f, 0);
    struct cad_alloc alloc = cad_failing_alloc(&f);
    return cad_mailbox_init(&box, &alloc, 4);
}

static int teardown(void **state)
{
    (void)state;
    cad_mailbox_deinit(&box);
    return f.live_blocks != 0 || f.mismatches != 0;
}

static void test_mailbox_commands(void **state)
{
    (void)state;
    char url[] = "http://a";
    struct cad_command load = {.type = CAD_COMMAND_LOAD, .ticket = 1};
    load.title.url = cad_str_from(url);
    load.title.id = CAD_STR("42");
    assert_int_equal(cad_mailbox_command(&box, &load), 0);
    memset(url, 'x', sizeof url - 1);
    struct cad_command play = {.type = CAD_COMMAND_PLAY, .ticket = 2};
    for (uint32_t i = 2; i <= 4; i++, play.ticket++) {
        assert_int_equal(cad_mailbox_command(&box, &play), 0);
    }
    assert_int_equal(cad_mailbox_command(&box, &play), CAD_E_LIMIT);
    assert_int_equal(cad_mailbox_command(&box, &load), CAD_E_LIMIT);
    struct cad_mail mail;
    assert_true(cad_mailbox_take(&box, &mail));
    assert_true(cad_str_eqz(mail.command.title.url, "http://a"));
    assert_true(cad_str_eqz(mail.command.title.id, "42"));
    assert_int_equal(mail.command.title.base.n, 0);
    cad_mail_release(&box, &mail);
    for (uint32_t i = 2; i <= 4; i++) {
        assert_true(cad_mailbox_take(&box, &mail));
        assert_int_equal(mail.command.ticket, i);
        cad_mail_release(&box, &mail);
    }
    assert_false(cad_mailbox_take(&box, &mail));
    load.type = CAD_COMMAND_PREPARE; /* has a title, too */
    load.title.url = CAD_STR("http://c");
    assert_int_equal(cad_mailbox_command(&box, &load), 0);
    assert_true(cad_mailbox_take(&box, &mail));
    assert_true(cad_str_eqz(mail.command.title.url, "http://c"));
    cad_mail_release(&box, &mail);
    /* What nobody takes is dropped with the box. */
    load.title.url = CAD_STR("http://b");
    assert_int_equal(cad_mailbox_command(&box, &load), 0);
}

static void test_mailbox_no_memory(void **state)
{
    (void)state;
    struct cad_command load = {.type = CAD_COMMAND_LOAD};
    load.title.url = CAD_STR("http://a");
    f.fail_at = f.calls + 1;
    assert_int_equal(cad_mailbox_command(&box, &load), CAD_E_NOMEM);
    struct cad_mail mail;
    assert_false(cad_mailbox_take(&box, &mail));
}

/* However often a sink reports: the newest anchor, and nothing that is told only once is lost. */
static void test_mailbox_reports(void **state)
{
    (void)state;
    struct cad_mail_reports got;
    cad_mailbox_take_reports(&box, &got);
    assert_false(got.has_caps || got.has_anchor || got.has_level || got.fail_count);
    struct cad_sink_report report = {.has_anchor = true, .has_level = true};
    for (int i = 0; i < 1000; i++) {
        report.anchor = (struct cad_sink_anchor){.epoch = 3, .media = i, .at = i};
        report.level = (struct cad_sink_level){.epoch = 3, .frames = (uint64_t)i};
        report.level.first_frame = i == 10;
        report.level.first_frame_pts = i == 10 ? 77 : 0;
        report.level.drained = i == 20;
        cad_mailbox_report(&box, &report);
    }
    cad_mailbox_take_reports(&box, &got);
    assert_true(got.has_anchor && got.has_level);
    assert_int_equal(got.anchor.media, 999);
    assert_int_equal(got.level.frames, 999);
    assert_true(got.level.first_frame);
    assert_int_equal(got.level.first_frame_pts, 77);
    assert_true(got.level.drained);
    /* Another epoch has its own first picture. */
    report.level = (struct cad_sink_level){.epoch = 3, .first_frame = true, .drained = true};
    cad_mailbox_report(&box, &report);
    report.level = (struct cad_sink_level){.epoch = 4};
    cad_mailbox_report(&box, &report);
    cad_mailbox_take_reports(&box, &got);
    assert_int_equal(got.level.epoch, 4);
    assert_false(got.level.first_frame || got.level.drained);
}

static void test_mailbox_fails_and_caps(void **state)
{
    (void)state;
    struct cad_sink_report report = {.has_fail = true};
    for (int i = 0; i < 2 * CAD_MAILBOX_FAILS_MAX; i++) {
        report.fail.edge_code = i;
        cad_mailbox_report(&box, &report);
    }
    struct cad_sink_caps caps = {.codecs = 6, .video = true};
    cad_mailbox_caps(&box, &caps);
    struct cad_mail_reports got;
    cad_mailbox_take_reports(&box, &got);
    assert_int_equal(got.fail_count, CAD_MAILBOX_FAILS_MAX);
    for (int i = 0; i < CAD_MAILBOX_FAILS_MAX; i++) assert_int_equal(got.fails[i].edge_code, i);
    assert_true(got.has_caps && got.caps.video);
    assert_int_equal(got.caps.codecs, 6);
    cad_mailbox_take_reports(&box, &got);
    assert_false(got.has_caps);
    assert_int_equal(got.fail_count, 0);
}

/* ---- orders ---------------------------------------------------------------------------------- */

static struct cad_orders orders_of(const char *text)
{
    struct cad_orders orders;
    memset(&orders, 0, sizeof orders);
    for (; *text; text += 2) {
        uint32_t epoch = (uint32_t)(text[1] - '0');
        struct cad_sink_config config = {.epoch = epoch};
        if (text[0] == 'c') cad_orders_config(&orders, &config);
        else cad_orders_flush(&orders, epoch, epoch);
    }
    return orders;
}

static void check_orders(const char *first, const char *second, const char *expected)
{
    struct cad_orderbox orderbox;
    struct cad_orders got;
    char text[8] = "";
    assert_int_equal(cad_orderbox_init(&orderbox), 0);
    struct cad_orders orders = orders_of(first);
    cad_orderbox_post(&orderbox, &orders);
    orders = orders_of(second);
    cad_orderbox_post(&orderbox, &orders);
    cad_orderbox_take(&orderbox, &got);
    char flush[3] = {'f', (char)('0' + got.flush_epoch), 0};
    char config[3] = {'c', (char)('0' + got.config.epoch), 0};
    if (got.has_flush && got.flush_first) strcat(text, flush);
    if (got.has_config) strcat(text, config);
    if (got.has_flush && !got.flush_first) strcat(text, flush);
    assert_string_equal(text, expected);
    cad_orderbox_take(&orderbox, &got);
    assert_false(got.has_config || got.has_flush);
    cad_orderbox_deinit(&orderbox);
}

/* Of each kind the newest, in the order in which the newest ones were given. */
static void test_mailbox_orders(void **state)
{
    (void)state;
    check_orders("", "", "");
    check_orders("c1", "", "c1");
    check_orders("f1", "", "f1");
    check_orders("f1c1", "", "f1c1");
    check_orders("c1f1", "", "c1f1");
    check_orders("c1", "f2c2", "f2c2");
    check_orders("c1", "f2", "c1f2");
    check_orders("f1c1", "f2c2", "f2c2");
    check_orders("f1c1", "c2", "f1c2");
    check_orders("f1c1", "c2f2", "c2f2");
    check_orders("f1", "c1", "f1c1");
    check_orders("c1f1", "f2", "c1f2");
}

/* A wait returns at once for what came since the last take, and only for that. */
static void test_mailbox_orders_shift(void **state)
{
    (void)state;
    struct cad_orders orders = {0};
    cad_orders_config(&orders, &(struct cad_sink_config){.epoch = 2, .rate_q16 = 7});
    cad_orders_flush(&orders, 3, CAD_SECOND);
    cad_orders_shift(&orders, UINT32_MAX); /* one less */
    assert_int_equal(orders.config.epoch, 1);
    assert_int_equal(orders.flush_epoch, 2);
    assert_int_equal(orders.config.rate_q16, 7);
    assert_int_equal(orders.flush_position, CAD_SECOND);
    assert_true(orders.has_config && orders.has_flush && !orders.flush_first);
}

static void test_mailbox_copy(void **state)
{
    (void)state;
    char url[] = "http://a";
    struct cad_command prepare = {.type = CAD_COMMAND_PREPARE, .ticket = 9};
    struct cad_mail mail;
    prepare.title.url = cad_str_from(url);
    assert_int_equal(cad_mail_copy(&box, &prepare, &mail), 0);
    memset(url, 'x', sizeof url - 1);
    assert_true(cad_str_eqz(mail.command.title.url, "http://a"));
    assert_int_equal(mail.command.ticket, 9);
    cad_mail_release(&box, &mail);
    f.fail_at = f.calls + 1;
    assert_int_equal(cad_mail_copy(&box, &prepare, &mail), CAD_E_NOMEM);
}

static void test_mailbox_signal(void **state)
{
    (void)state;
    struct cad_orderbox orderbox;
    struct cad_orders got;
    assert_int_equal(cad_orderbox_init(&orderbox), 0);
    cad_orderbox_signal(&orderbox);
    cad_orderbox_wait(&orderbox, CAD_TIME_NONE);
    assert_true(orderbox.signal);
    cad_orderbox_take(&orderbox, &got);
    assert_false(orderbox.signal);
    cad_orderbox_wait(&orderbox, 1); /* long ago */
    struct cad_orders orders = orders_of("f1");
    cad_orderbox_post(&orderbox, &orders);
    cad_orderbox_wait(&orderbox, CAD_TIME_NONE);
    cad_orderbox_deinit(&orderbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_mailbox_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mailbox_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mailbox_reports, setup, teardown),
        cmocka_unit_test_setup_teardown(test_mailbox_fails_and_caps, setup, teardown),
        cmocka_unit_test(test_mailbox_orders),
        cmocka_unit_test(test_mailbox_orders_shift),
        cmocka_unit_test_setup_teardown(test_mailbox_copy, setup, teardown),
        cmocka_unit_test(test_mailbox_signal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
