/* SPDX-License-Identifier: ISC */
/*
 * clocks.h - the clocks that programs name by a clockid_t, and timers on any
 * of them.
 *
 * A xtimer fires at a moment of its clock.  On the wall clock it follows when
 * that is set; on a processor-time clock it is asked again when the time could
 * have been used up at the earliest.
 */
#ifndef LINUX_CLOCKS_H
#define LINUX_CLOCKS_H

#include "kern/spinlock.h"
#include "kern/timer.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>
#include <linux/time.h>

struct process;
struct task;

/* What a clockid_t means to the caller. */
enum clock_kind {
	CLOCK_KIND_MONO,
	CLOCK_KIND_REAL,
	CLOCK_KIND_PROCESS,      /* processor time, in user and kernel */
	CLOCK_KIND_PROCESS_USER, /* in the program only */
	CLOCK_KIND_TASK,
	CLOCK_KIND_TASK_USER,
};
struct clock_ref {
	enum clock_kind kind;
	int32_t id; /* of the process or task; 0: the caller's */
	bool coarse;
};

/* -EINVAL: no such clock. */
int clock_lookup(int clockid, struct clock_ref *out);
/* What it shows; -EINVAL: its process or task is gone. */
int clock_read(const struct clock_ref *c, int64_t *ns);
/* Sets CLOCK_REALTIME; timers on it follow. */
void clocks_set_real(int64_t ns);

/*
 * Processor time of a task so far, and what of that was in the program, as
 * samples say (kern/thread_time.c).
 */
void task_times(const struct task *t, uint64_t *run_ns, uint64_t *user_ns);

enum xtimer_state {
	XTIMER_IDLE,  /* -> ARMED: xtimer_set(), xtimer_forward() */
	XTIMER_ARMED, /* -> FIRED: its moment came; -> IDLE: xtimer_set(0) */
	XTIMER_FIRED, /* not armed again until xtimer_forward() */
};

struct xtimer { /* under lock, but clock, owner and fire: constant */
	struct timer timer;
	struct spinlock lock;
	struct clock_ref clock;
	struct process *process; /* whose time it is when clock.id is 0 */
	uint64_t owner;          /* id_serial_locked() of clock.id, else 0 */
	unsigned spenders;       /* tasks that use up that time together */
	enum xtimer_state state;
	int64_t deadline_ns;            /* on the clock */
	int64_t interval_ns;            /* 0: once */
	bool absolute;                  /* follows the wall clock */
	void (*fire)(struct xtimer *x); /* interrupt context, no lock held */
	void (*clock_set)(struct xtimer *x); /* the wall clock jumped */
	TAILQ_ENTRY(xtimer) link;            /* of those on the wall clock */
};

/*
 * Disarmed; `process` is the caller's, for clocks of processor time: of that
 * process, of the calling task, or of whom clock->id names.
 */
void xtimer_init(struct xtimer *x, const struct clock_ref *clock,
    struct process *process, void (*fire)(struct xtimer *x));
/* Afterwards it neither fires nor is known.  Threads only. */
void xtimer_fini(struct xtimer *x);
/*
 * Arms for value_ns from now, or for that moment; 0 disarms.  Not from fire().
 *   -ESRCH  the task or process, another than the caller's, has ended: disarmed
 */
int xtimer_set(struct xtimer *x, int64_t value_ns, bool absolute,
    int64_t interval_ns);
/* What is left (0: disarmed), and the interval. */
void xtimer_get(struct xtimer *x, int64_t *left_ns, int64_t *interval_ns);
/*
 * After it fired: how many times it has expired until now (at least 1), armed
 * for the next time if it repeats.  0: it has not fired.
 */
uint64_t xtimer_forward(struct xtimer *x);

#endif
