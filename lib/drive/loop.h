/*
 * loop.h - where the drive thread sleeps: until a time, until a transport has something, or until
 * another thread wakes it.
 *
 *     cad_loop_init(&loop);
 *     cad_loop_add(&loop, transport->fd);
 *     cad_loop_wait(&loop, until);       the drive thread
 *     cad_loop_wake(&loop);              any thread
 *     cad_loop_deinit(&loop);            when no other thread can wake it any more
 */
#ifndef CAD_DRIVE_LOOP_H
#define CAD_DRIVE_LOOP_H

#include <stdatomic.h>
#include <stdbool.h>

#include "cadmium/base.h"

#define CAD_LOOP_FDS_MAX 4

struct cad_loop {
    int epoll_fd;
    int wake_fd;              /* an eventfd */
    _Atomic bool wake_sent;   /* a wake lies in wake_fd: more need no system call */
};

/* CAD_E_IO: no descriptor to be had. */
CAD_MUST_CHECK int cad_loop_init(struct cad_loop *loop);
void cad_loop_deinit(struct cad_loop *loop);
/* Wake when fd is readable, until the loop or the descriptor ends. fd -1 is ignored. CAD_E_IO. */
CAD_MUST_CHECK int cad_loop_add(struct cad_loop *loop, int fd);
/* Sleep until `until` (absolute, rounded up to a whole ms; CAD_TIME_NONE: without end), a
 * descriptor or a wake. A time that has passed only looks. */
void cad_loop_wait(struct cad_loop *loop, cad_time until);
void cad_loop_wake(struct cad_loop *loop);

#endif
