#include "drive/loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "drive/clock.h"

int cad_loop_init(struct cad_loop *loop)
{
    atomic_init(&loop->wake_sent, false);
    loop->wake_fd = -1;
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) return CAD_E_IO;
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0 || cad_loop_add(loop, loop->wake_fd)) {
        cad_loop_deinit(loop);
        return CAD_E_IO;
    }
    return 0;
}

void cad_loop_deinit(struct cad_loop *loop)
{
    if (loop->wake_fd >= 0) close(loop->wake_fd);
    if (loop->epoll_fd >= 0) close(loop->epoll_fd);
    loop->wake_fd = loop->epoll_fd = -1;
}

int cad_loop_add(struct cad_loop *loop, int fd)
{
    if (fd < 0) return 0;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? CAD_E_IO : 0;
}

/* Milliseconds from now to `until`, rounded up so that the loop never wakes before it is due. */
static int wait_ms(cad_time until)
{
    if (until == CAD_TIME_NONE) return -1;
    cad_time left = cad_time_sub(until, cad_clock_now());
    if (left <= 0) return 0;
    cad_time ms = left / CAD_MS + (left % CAD_MS != 0);
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

void cad_loop_wait(struct cad_loop *loop, cad_time until)
{
    struct epoll_event events[CAD_LOOP_FDS_MAX];
    int n = epoll_wait(loop->epoll_fd, events, CAD_LOOP_FDS_MAX, wait_ms(until));
    for (int i = 0; i < n; i++) {
        if (events[i].data.fd != loop->wake_fd) continue;
        uint64_t count;
        while (read(loop->wake_fd, &count, sizeof count) < 0 && errno == EINTR) {
        }
        /* In this order: a wake that finds the flag set was sent before the caller looks around. */
        atomic_store(&loop->wake_sent, false);
    }
}

void cad_loop_wake(struct cad_loop *loop)
{
    if (atomic_exchange(&loop->wake_sent, true)) return;
    const uint64_t one = 1;
    while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR) {
    }
}
