#include "drive/mailbox.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "drive/clock.h"

int cad_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;
    if (pthread_condattr_init(&attr)) return CAD_E_IO;
    int err = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (!err) err = pthread_cond_init(cond, &attr);
    pthread_condattr_destroy(&attr);
    return err ? CAD_E_IO : 0;
}

/* ---- to the drive thread -------------------------------------------------------------------- */

int cad_mailbox_init(struct cad_mailbox *box, const struct cad_alloc *alloc, uint32_t commands_max)
{
    memset(box, 0, sizeof *box);
    box->alloc = *alloc;
    int err = cad_ring_init(&box->commands, alloc, CAD_MEM_SESSION, sizeof(struct cad_mail),
                            commands_max);
    if (err) return err;
    if (pthread_mutex_init(&box->mutex, NULL)) {
        cad_ring_deinit(&box->commands);
        return CAD_E_IO;
    }
    return 0;
}

void cad_mailbox_deinit(struct cad_mailbox *box)
{
    struct cad_mail mail;
    while (cad_ring_pop(&box->commands, &mail)) cad_mail_release(box, &mail);
    cad_ring_deinit(&box->commands);
    pthread_mutex_destroy(&box->mutex);
}

/* Moves a view's bytes to *at, which goes on behind them. */
static cad_str move(cad_str s, char **at)
{
    if (s.n == 0) return (cad_str){NULL, 0};
    memcpy(*at, s.p, s.n);
    cad_str moved = cad_str_make(*at, s.n);
    *at += s.n;
    return moved;
}

int cad_mail_copy(struct cad_mailbox *box, const struct cad_command *command,
                  struct cad_mail *out)
{
    struct cad_mail mail = {.command = *command};
    struct cad_title *title = &mail.command.title;
    bool has_title = command->type == CAD_COMMAND_LOAD || command->type == CAD_COMMAND_PREPARE;
    if (!has_title) memset(title, 0, sizeof *title);
    mail.text_size = title->url.n + title->base.n + title->id.n;
    if (mail.text_size > 0) {
        mail.text = cad_alloc_new(&box->alloc, mail.text_size, CAD_MEM_SESSION);
        if (!mail.text) return CAD_E_NOMEM;
        char *at = mail.text;
        title->url = move(title->url, &at);
        title->base = move(title->base, &at);
        title->id = move(title->id, &at);
    }
    *out = mail;
    return 0;
}

int cad_mailbox_command(struct cad_mailbox *box, const struct cad_command *command)
{
    struct cad_mail mail;
    int err = cad_mail_copy(box, command, &mail);
    if (err) return err;
    pthread_mutex_lock(&box->mutex);
    err = cad_ring_push(&box->commands, &mail);
    pthread_mutex_unlock(&box->mutex);
    if (err) cad_mail_release(box, &mail);
    return err;
}

void cad_mail_release(struct cad_mailbox *box, struct cad_mail *mail)
{
    cad_alloc_free(&box->alloc, mail->text, mail->text_size, CAD_MEM_SESSION);
    mail->text = NULL;
}

bool cad_mailbox_take(struct cad_mailbox *box, struct cad_mail *out)
{
    pthread_mutex_lock(&box->mutex);
    bool got = cad_ring_pop(&box->commands, out);
    pthread_mutex_unlock(&box->mutex);
    return got;
}

void cad_mailbox_caps(struct cad_mailbox *box, const struct cad_sink_caps *caps)
{
    pthread_mutex_lock(&box->mutex);
    box->reports.caps = *caps;
    box->reports.has_caps = true;
    pthread_mutex_unlock(&box->mutex);
}

static void merge_level(struct cad_mail_reports *reports, const struct cad_sink_level *level)
{
    struct cad_sink_level merged = *level;
    const struct cad_sink_level *old = &reports->level;
    if (reports->has_level && old->epoch == merged.epoch) {
        if (old->first_frame && !merged.first_frame) {
            merged.first_frame = true;
            merged.first_frame_pts = old->first_frame_pts;
        }
        merged.drained = merged.drained || old->drained;
    }
    reports->level = merged;
    reports->has_level = true;
}

void cad_mailbox_report(struct cad_mailbox *box, const struct cad_sink_report *report)
{
    struct cad_mail_reports *reports = &box->reports;
    pthread_mutex_lock(&box->mutex);
    if (report->has_anchor) {
        reports->anchor = report->anchor;
        reports->has_anchor = true;
    }
    if (report->has_level) merge_level(reports, &report->level);
    if (report->has_fail && reports->fail_count < CAD_MAILBOX_FAILS_MAX) {
        reports->fails[reports->fail_count++] = report->fail;
    }
    pthread_mutex_unlock(&box->mutex);
}

void cad_mailbox_take_reports(struct cad_mailbox *box, struct cad_mail_reports *out)
{
    struct cad_mail_reports *reports = &box->reports;
    pthread_mutex_lock(&box->mutex);
    *out = *reports;
    reports->has_caps = reports->has_anchor = reports->has_level = false;
    reports->fail_count = 0;
    pthread_mutex_unlock(&box->mutex);
}

/* ---- to the sink's thread ------------------------------------------------------------------- */

int cad_orderbox_init(struct cad_orderbox *box)
{
    memset(box, 0, sizeof *box);
    if (pthread_mutex_init(&box->mutex, NULL)) return CAD_E_IO;
    if (cad_cond_init(&box->cond)) {
        pthread_mutex_destroy(&box->mutex);
        return CAD_E_IO;
    }
    return 0;
}

void cad_orderbox_deinit(struct cad_orderbox *box)
{
    pthread_cond_destroy(&box->cond);
    pthread_mutex_destroy(&box->mutex);
}

void cad_orders_config(struct cad_orders *orders, const struct cad_sink_config *config)
{
    orders->config = *config;
    orders->has_config = true;
    orders->flush_first = orders->has_flush;
}

void cad_orders_shift(struct cad_orders *orders, uint32_t by)
{
    orders->config.epoch += by;
    orders->flush_epoch += by;
}

void cad_orders_flush(struct cad_orders *orders, uint32_t epoch, cad_time position)
{
    orders->flush_epoch = epoch;
    orders->flush_position = position;
    orders->has_flush = true;
    orders->flush_first = false;
}

void cad_orderbox_post(struct cad_orderbox *box, const struct cad_orders *orders)
{
    if (!orders->has_config && !orders->has_flush) return;
    pthread_mutex_lock(&box->mutex);
    if (orders->has_flush && (orders->flush_first || !orders->has_config)) {
        cad_orders_flush(&box->orders, orders->flush_epoch, orders->flush_position);
    }
    if (orders->has_config) cad_orders_config(&box->orders, &orders->config);
    if (orders->has_flush && orders->has_config && !orders->flush_first) {
        cad_orders_flush(&box->orders, orders->flush_epoch, orders->flush_position);
    }
    box->signal = true;
    pthread_cond_signal(&box->cond);
    pthread_mutex_unlock(&box->mutex);
}

void cad_orderbox_signal(struct cad_orderbox *box)
{
    pthread_mutex_lock(&box->mutex);
    box->signal = true;
    pthread_cond_signal(&box->cond);
    pthread_mutex_unlock(&box->mutex);
}

void cad_orderbox_take(struct cad_orderbox *box, struct cad_orders *out)
{
    pthread_mutex_lock(&box->mutex);
    *out = box->orders;
    memset(&box->orders, 0, sizeof box->orders);
    box->signal = false;
    pthread_mutex_unlock(&box->mutex);
}

void cad_orderbox_wait(struct cad_orderbox *box, cad_time until)
{
    struct timespec spec = cad_clock_spec(until);
    pthread_mutex_lock(&box->mutex);
    int err = 0;
    while (!box->signal && err == 0) {
        err = until == CAD_TIME_NONE ? pthread_cond_wait(&box->cond, &box->mutex)
                                     : pthread_cond_timedwait(&box->cond, &box->mutex, &spec);
    }
    pthread_mutex_unlock(&box->mutex);
}
