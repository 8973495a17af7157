/* SPDX-License-Identifier: ISC */
/*
 * thread.h - threads and the scheduler.
 *
 * A thread has a kernel stack with a guard page, runs on one processor at a
 * time and is preempted anywhere but under spin locks or preempt_disable().
 * Programs' threads are threads with an address space and a personality's
 * data behind `user`.
 */
#ifndef KERN_THREAD_H
#define KERN_THREAD_H

#include "kern/spinlock.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

#define THREAD_NAME 16

enum thread_state {
	THREAD_RUNNABLE, /* on a run queue, or running */
	THREAD_SLEEPING, /* wait_sleep() -> thread_wake() */
	THREAD_DEAD,     /* thread_exit(); freed by the next thread to run */
};

struct vmspace;

struct thread {
	uint64_t ctx_sp;         /* saved stack pointer while not running */
	bool interrupted;        /* a signal is pending (personality's word) */
	void *kstack;            /* [I] lowest address */
	struct vmspace *vmspace; /* address space to run in, or NULL: any */
	void (*fn)(void *arg);   /* [I] what it runs */
	void *arg;
	void *user;               /* the personality's task, or NULL */
	void *fpu;                /* saved FPU state, NULL: none yet */
	uint64_t fsbase, gsbase;  /* of the program, while not running */
	struct debug_regs *debug; /* its breakpoints, or NULL; debugreg.c */
	TAILQ_ENTRY(thread) run_link;
	enum thread_state state; /* under the run queue's lock */
	bool queued;             /* on a run queue, or on its way to one */
	bool listed;             /* on one */
	bool used_slice;         /* which of the two lists it is on */
	bool on_cpu;             /* some processor still uses the stack */
	bool interruptible;      /* sleeping so that thread_interrupt() wakes */
	uint32_t cpu;            /* whose run queue; sched.h */
	uint32_t fpu_cpu;        /* where its FPU state may still be; fpu.c */
	int8_t nice;             /* -20 .. 19 */
	int8_t rt;               /* 1 .. 99 before all others, -1 after them */
	bool round_robin;        /* takes turns with its like (rt > 0) */
	bool at_head;            /* goes on before its like; when queued */
	bool on_low;             /* queued among those with rt < 0 */
	bool leaves_kernel;      /* holds nothing that others may wait for */
	bool near;               /* [I] best where its waker runs; sched.c */
	bool hogs;               /* others waited long for it; only by itself */
	int64_t slice_end_ns;
	uint64_t run_raw;     /* [a] clock_raw() counts; thread_time.c */
	uint64_t woken_raw;   /* run_raw when it was last woken */
	uint64_t run_ns_told; /* [a] what thread_run_ns() last said */
	uint64_t
	    switched_raw; /* [a] when it got the processor; 0: it has none */
	uint64_t
	    sampled_raw; /* clock_raw() at the last sample; thread_time.c */
	uint64_t sampled_user, sampled_kernel; /* counts, for their relation */
	uint64_t user_ns_told, kernel_ns_told;
	uint64_t disk_read, disk_written; /* bytes; only by itself */
	uint64_t min_faults, maj_faults;  /* only by itself */
	char name[THREAD_NAME];
	uint64_t affinity; /* processors that it may run on; run queue's lock */
	TAILQ_ENTRY(thread) all_link;
};

static inline struct thread *
thread_self(void)
{
	return cpu_curthread();
}

/* The caller had bytes read from a disk, or made some that are to go there. */
static inline void
thread_count_disk(bool write, uint64_t bytes)
{
	struct thread *t = thread_self();

	*(write ? &t->disk_written : &t->disk_read) += bytes;
}

/*
 * Creates a thread that will run fn(arg), not yet runnable.  May sleep.
 *   -ENOMEM
 */
int thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out);
/* Frees a thread that was never started. */
void thread_destroy(struct thread *t);

/* Makes a created thread runnable. */
void thread_start(struct thread *t);
/* Ends the caller.  Its struct is freed by the scheduler soon after. */
void thread_exit(void) __noreturn;

/* Makes a sleeping thread runnable; nothing if it does not sleep. */
void thread_wake(struct thread *t);

/*
 * Sets `interrupted`, wakes t if it sleeps interruptibly, and makes its
 * processor look (user_ops.work) before the next return to the program.
 */
void thread_interrupt(struct thread *t);

/* Lets others of the same kind run first. */
void sched_yield(void);
/* Gives the processor away, unless woken since wait_prepare(). */
void sched_sleep(void);
/* When the running thread's slice ends; INT64_MAX: nobody else waits. */
int64_t sched_slice_end_ns(void);
/* Called with interrupts off at the end of a trap; may switch. */
void sched_preempt(void);
/* The same on the way back to a program, which then goes on. */
void sched_preempt_user(void);
/* Ticks from the timer interrupt. */
void sched_tick(uint64_t now_ns);
int sched_init(void); /* boot step: the caller becomes the idle thread */
/* What an idle thread does for the rest of its life; first the boot's. */
void sched_idle(void) __noreturn;

/*
 * Changes the processors that t may run on, a bit each; t leaves one that is
 * not among them at once.  If none of them runs, t may run on any.
 */
void sched_set_affinity(struct thread *t, uint64_t cpus);
/*
 * Its class: 0 takes turns with others by its nice value; 1 to 99 runs before
 * all that have less, -1 when nobody else wants to.  Takes effect at once.
 */
void sched_set_class(struct thread *t, int rt, bool round_robin);
/* Switches the caller's address space (exec); takes effect at once. */
void thread_set_vmspace(struct thread *t, struct vmspace *vm);

/* Processor time that t has used, in nanoseconds. */
uint64_t thread_run_ns(struct thread *t);
/* What of that since it last slept. */
uint64_t thread_awake_ns(struct thread *t);
/* The same, and how much of it in the program, as far as that was sampled. */
void thread_times(struct thread *t, uint64_t *run_ns, uint64_t *user_ns);
/* It loses its processor, at this count of clock_raw(); interrupts off. */
void thread_time_stops(struct thread *t, uint64_t now_raw);
/* The timer's interrupt found t, the running thread, there. */
void thread_sample(struct thread *t, bool in_program);

/* For /proc/stat and getloadavg: idle time and switches of processor cpu. */
uint64_t sched_idle_ns(unsigned cpu);
uint64_t sched_switches(unsigned cpu);
unsigned sched_nrunnable(void);

#endif
