/* SPDX-License-Identifier: ISC */
/*
 * waitq.h - stands in for kernel/kern/waitq.h in tests with threads.  A queue
 * counts its wakings; a waiter sleeps until the count moves.
 */
#ifndef KERN_WAITQ_H
#define KERN_WAITQ_H

#include "kern/spinlock.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>
#include <errno.h>

#define ERESTARTSYS 512

struct waitq {
	pthread_mutex_t m;
	pthread_cond_t c;
	uint64_t wakings; /* under m */
};

#define WAITQ_INIT(name)                                               \
	{                                                              \
		PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0 \
	}

#define WAIT_FOREVER INT64_MAX

/* As in the kernel. */
void waitq_init(struct waitq *wq);
void waitq_wake_all(struct waitq *wq);
void waitq_wake_one(struct waitq *wq); /* wakes all: nobody may count on it */

/* How often the queue was woken. */
uint64_t waitq_wakings(struct waitq *wq);
/* Sleeps until that is not `seen`; -ETIMEDOUT. */
int waitq_sleep(struct waitq *wq, uint64_t seen, int64_t deadline_ns);

/* Nobody is interrupted here: `kind` makes no difference. */
enum wait_kind { WAIT_UNINTERRUPTIBLE, WAIT_INTERRUPTIBLE };
#define wait_event_kind(wqp, cond, kind, deadline_ns)            \
	__extension__({                                          \
		struct waitq *q_ = (wqp);                        \
		uint64_t seen_;                                  \
		int64_t until_ = (deadline_ns);                  \
		int error_ = 0;                                  \
		for (;;) {                                       \
			seen_ = waitq_wakings(q_);               \
			if (cond) {                              \
				error_ = 0;                      \
				break;                           \
			}                                        \
			if (error_ != 0)                         \
				break;                           \
			error_ = waitq_sleep(q_, seen_, until_); \
		}                                                \
		error_;                                          \
	})

#define wait_event(wqp, cond) \
	((void)wait_event_kind(wqp, cond, WAIT_UNINTERRUPTIBLE, WAIT_FOREVER))
#define wait_event_intr(wqp, cond) \
	wait_event_kind(wqp, cond, WAIT_INTERRUPTIBLE, WAIT_FOREVER)
#define wait_event_until(wqp, cond, deadline_ns) \
	wait_event_kind(wqp, cond, WAIT_INTERRUPTIBLE, deadline_ns)

#endif
