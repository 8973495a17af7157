/* SPDX-License-Identifier: ISC */
/*
 * waitq.h - where threads wait for something to become true.
 *
 * A waiter is put on the queue first and the condition is tested after, so
 * that no wake-up is lost.  Waking may be done from any context, interrupts
 * included, and with spin locks held; waiting only by a thread that holds no
 * spin lock.  The waker makes the condition true before it wakes.
 */
#ifndef KERN_WAITQ_H
#define KERN_WAITQ_H

#include "kern/spinlock.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>
#include <linux/errno.h>

/*
 * What an interrupted system call answers inside the kernel; the personality
 * turns it into a restart or -EINTR (signal(7)).  Never seen by programs.
 */
#define ERESTARTSYS           512
#define ERESTARTNOINTR        513
#define ERESTARTNOHAND        514
#define ERESTART_RESTARTBLOCK 516

struct thread;
struct waiter;
TAILQ_HEAD(waiter_list, waiter);

struct waitq {
	struct spinlock lock;
	struct waiter_list waiters; /* under lock */
};

#define WAITQ_INIT(name)                                              \
	{                                                             \
		SPINLOCK_INIT, TAILQ_HEAD_INITIALIZER((name).waiters) \
	}

struct waiter {
	TAILQ_ENTRY(waiter) link;
	struct waitq *wq; /* NULL: on none */
	struct thread *thread;
	/* Called by the waker, queue locked, interrupts off; NULL: wake thread */
	void (*notify)(struct waiter *w);
};

/* An empty queue. */
void waitq_init(struct waitq *wq);

/* Puts w on the queue; takes it off (harmless when it is on none). */
void waitq_add(struct waitq *wq, struct waiter *w);
void waitq_remove(struct waiter *w);

/* Wakes all, or who has waited longest.  Any context. */
void waitq_wake_all(struct waitq *wq);
void waitq_wake_one(struct waitq *wq);
/* What the caller made true before is seen by who comes after an "empty". */
static inline bool
waitq_empty(const struct waitq *wq)
{
	if (cpu_several())
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return TAILQ_EMPTY(&wq->waiters);
}

/*
 * One round of waiting, used by the macros below.  wait_prepare() marks the
 * thread as about to sleep; wait_sleep() sleeps unless it was woken since.
 * `deadline_ns` is monotonic time, WAIT_FOREVER for none.
 *   -ERESTARTSYS  interruptible, and the thread was interrupted
 *   -ETIMEDOUT    the deadline passed
 */
#define WAIT_FOREVER INT64_MAX
enum wait_kind { WAIT_UNINTERRUPTIBLE, WAIT_INTERRUPTIBLE };
void wait_prepare(enum wait_kind kind);
int wait_sleep(enum wait_kind kind, int64_t deadline_ns);
void wait_finish(void);

#define wait_event_kind(wqp, cond, kind, deadline_ns)              \
	__extension__({                                            \
		struct waiter w_ = { .thread = thread_self() };    \
		int64_t until_ = (deadline_ns);                    \
		int error_ = 0;                                    \
		if (!(cond)) {                                     \
			waitq_add(wqp, &w_);                       \
			for (;;) {                                 \
				wait_prepare(kind);                \
				if (cond) {                        \
					error_ = 0;                \
					break;                     \
				}                                  \
				if (error_ != 0)                   \
					break;                     \
				error_ = wait_sleep(kind, until_); \
			}                                          \
			wait_finish();                             \
			waitq_remove(&w_);                         \
		}                                                  \
		error_;                                            \
	})

/* Sleeps until cond; cannot fail. */
#define wait_event(wqp, cond) \
	((void)wait_event_kind(wqp, cond, WAIT_UNINTERRUPTIBLE, WAIT_FOREVER))
/* Sleeps until cond (0) or a signal (-ERESTARTSYS). */
#define wait_event_intr(wqp, cond) \
	wait_event_kind(wqp, cond, WAIT_INTERRUPTIBLE, WAIT_FOREVER)
/* The same with a deadline: also -ETIMEDOUT. */
#define wait_event_until(wqp, cond, deadline_ns) \
	wait_event_kind(wqp, cond, WAIT_INTERRUPTIBLE, deadline_ns)

#endif
