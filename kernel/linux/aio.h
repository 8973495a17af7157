/* SPDX-License-Identifier: ISC */
/*
 * aio.h - contexts of Linux's asynchronous I/O, io_setup(2): a ring of events
 * that a program and the kernel share, and what is under way.
 *
 * A context belongs to an address space.  Its number is the ring's address, as
 * C libraries look into the ring.  Of what the program may write there, only
 * `head` is read, once, and any value is harmless.
 */
#ifndef LINUX_AIO_H
#define LINUX_AIO_H

#include "kern/types.h"
#include <linux/aio_abi.h>

struct aio_context;

/*
 * A context of the caller's address space with room for nr events.
 *   -EINVAL, -EAGAIN (too many in all), -ENOMEM
 */
int aio_create(unsigned nr, uaddr_t *id);
/* The caller's context of that number, referenced, or NULL. */
struct aio_context *aio_find(uaddr_t id);
void aio_put(struct aio_context *ctx); /* any context */
/*
 * Ends it: its number is nobody's from now on; returns when nothing is under
 * way any more.  -EINVAL: another thread was faster.
 */
int aio_destroy(struct aio_context *ctx);

/*
 * Takes room for one event, which aio_post() fills, and a reference.
 *   -EAGAIN  none is free;  -EINVAL  the context has ended
 */
int aio_reserve(struct aio_context *ctx);
/* The event has come; drops that reference.  Any context. */
void aio_post(struct aio_context *ctx, const struct io_event *event);
/* There will be none. */
void aio_unreserve(struct aio_context *ctx);

/*
 * Moves events to the program's array: at least `min`, unless the time is up
 * (deadline 0: what there is), at most `max`.  How many, or
 *   -EINTR, -EFAULT, -EINVAL (the context has ended): before the first
 */
long aio_read(struct aio_context *ctx, long min, long max, uaddr_t events,
    int64_t deadline_ns);

/* For /proc/sys/fs. */
unsigned aio_total(void);
#define AIO_MAX 65536u

/* System calls: sys_aio.c. */
long sys_io_setup(unsigned nr, uaddr_t ctxp);
long sys_io_destroy(uaddr_t id);
long sys_io_submit(uaddr_t id, long nr, uaddr_t iocbs);
long sys_io_cancel(uaddr_t id, uaddr_t iocb, uaddr_t result);
long sys_io_getevents(uaddr_t id, long min, long max, uaddr_t events,
    uaddr_t timeout);
long sys_io_pgetevents(uaddr_t id, long min, long max, uaddr_t events,
    uaddr_t timeout, uaddr_t mask);

#endif
