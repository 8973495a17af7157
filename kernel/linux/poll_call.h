/* SPDX-License-Identifier: ISC */
/*
 * poll_call.h - one thread that waits for any of several files: what poll(2)
 * and select(2) share.
 *
 *	poll_call_init(&pc);
 *	do {
 *		pc.woken = false;
 *		ask every file: poll_call_ask(&pc, fd, ...)
 *	} while (nothing found && poll_call_sleep(&pc, deadline) == 0);
 *	poll_call_fini(&pc);
 */
#ifndef LINUX_POLL_CALL_H
#define LINUX_POLL_CALL_H

#include "fs/file.h"
#include "kern/types.h"
#include "kern/waitq.h"

#define POLL_INLINE 8

struct poll_entry {
	struct waiter waiter;
	struct poll_call *call;
	struct file *file; /* referenced: its queue must stay */
};

struct poll_chunk {
	struct poll_chunk *next;
	unsigned used;
	struct poll_entry entry[]; /* the rest of a page */
};

struct poll_call {
	struct poll_table table;
	bool woken;      /* atomic: some queue was woken since */
	bool registered; /* all queues are known: later rounds only ask */
	int error;       /* -ENOMEM: not all could be put on queues */
	struct thread *thread;
	struct file *asking;
	unsigned used;
	struct poll_entry small[POLL_INLINE];
	struct poll_chunk *chunks;
};

/* Around the loop above; fini takes the thread off every queue. */
void poll_call_init(struct poll_call *pc);
void poll_call_fini(struct poll_call *pc);
/*
 * What holds for the caller's descriptor now (POLL*), waiting for changes
 * unless `found` already; POLLNVAL: not open.
 */
unsigned poll_call_ask(struct poll_call *pc, int fd, bool found);
/* 0: woken; -ETIMEDOUT, -ERESTARTSYS, -ENOMEM */
int poll_call_sleep(struct poll_call *pc, int64_t deadline_ns);

/*
 * A program's time-outs as moments of the monotonic clock: WAIT_FOREVER for
 * none.  -EINVAL, -EFAULT
 */
int64_t poll_deadline_ms(int timeout_ms); /* negative: none */
int poll_deadline_timespec(uaddr_t src, int64_t *deadline_ns);
int poll_deadline_timeval(uaddr_t src, int64_t *deadline_ns);
/* Tells the program what is left; a fault is of no consequence. */
void poll_left_timespec(uaddr_t dst, int64_t deadline_ns);
void poll_left_timeval(uaddr_t dst, int64_t deadline_ns);

/*
 * For ppoll, pselect6, epoll_pwait: installs a mask (src 0: none) for the
 * time of the call; `error` is the call's answer so far.
 */
int poll_mask_begin(uaddr_t src, uint64_t size, bool *set);
void poll_mask_end(bool set, long error);

#endif
