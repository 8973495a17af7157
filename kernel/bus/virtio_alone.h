/* SPDX-License-Identifier: ISC */
/*
 * virtio_alone.h - beside virtio_fake.h, for drivers whose calls sleep: a
 * program of one thread, in which nobody else is inside, and who waits makes
 * the device go on (fake_await(), the program's own).  Before the driver.
 */
#ifndef BUS_VIRTIO_ALONE_H
#define BUS_VIRTIO_ALONE_H

#include "bus/dma_fake.h"
#include "bus/virtio_fake.h"

#define BUS_GATE_H
#define KERN_WAITQ_H
#define KERN_THREAD_H

#define ERESTARTSYS        512
#define WAIT_FOREVER       INT64_MAX
#define irq_save()         0
#define irq_restore(state) ((void)(state))

struct gate {
	unsigned inside;
	bool shut;
};

static inline void
gate_init(struct gate *g)
{
	*g = (struct gate){ 0 };
}

static inline bool
gate_enter(struct gate *g)
{
	g->inside += !g->shut;
	return !g->shut;
}

static inline void
gate_exit(struct gate *g)
{
	fake_check(g->inside > 0, "out of a gate more often than in");
	g->inside--;
}

static inline void
gate_close(struct gate *g)
{
	g->shut = true;
}

static inline void
gate_shut(struct gate *g)
{
	gate_close(g);
	fake_check(g->inside == 0, "somebody stays in a gate");
}

static inline void
gate_reopen(struct gate *g)
{
	g->shut = false;
}

struct waitq {
	unsigned wakings;
};
#define WAITQ_INIT(name) \
	{                \
		0        \
	}

static inline void
waitq_init(struct waitq *wq)
{
	wq->wakings = 0;
}

static inline void
waitq_wake_all(struct waitq *wq)
{
	wq->wakings++;
}

/* The device does something, or is taken away: no wait is for ever. */
static void fake_await(void) __attribute__((unused));
#define wait_event(wq, cond)   \
	do {                   \
		if (cond)      \
			break; \
		fake_await();  \
	} while (true)
/* Time passes only here. */
#define wait_event_kind(wq, cond, kind, deadline_ns) \
	__extension__({                              \
		int64_t until_ = (deadline_ns);      \
		while (!(cond) && fake_now < until_) \
			fake_now += 100000000;       \
		(cond) ? 0 : -ETIMEDOUT;             \
	})

#endif
