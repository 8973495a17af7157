/* SPDX-License-Identifier: ISC */
/*
 * signal.h - signals: what is pending, what each one does, and who sends.
 * signal(7).
 *
 * Sending may be done in any context, interrupts included: nothing here
 * sleeps, and a signal that cannot be queued for want of memory is still
 * pending, without its details.  Delivery is the receiving task's own work, on
 * its way back to the program (signal_work).
 *
 * Locking: a process's lock (process->signals->lock, interrupts off) guards
 * the pending sets and masks of the process and of its tasks, and its list of
 * tasks; sigactions->lock is taken inside it, process_list_lock around it.
 */
#ifndef LINUX_SIGNAL_H
#define LINUX_SIGNAL_H

#include "kern/spinlock.h"
#include "kern/types.h"
#include "kern/waitq.h"
#include <bsd/sys/queue.h>
#include <linux/signal.h>

#define SIGNAL_MAX 64 /* highest number */

/* One bit a signal: signo 1 is bit 0, as in the program's sigset_t. */
#define SIGBIT(signo) (1ull << ((signo)-1))

struct process;
struct task;
struct trapframe;

/* One queued signal with its details. */
struct sigqueue {
	TAILQ_ENTRY(sigqueue) link;
	siginfo_t info;
};

/* Pending for a process, or for one task of it. */
struct signal_state {
	struct spinlock lock; /* used in the process's state only */
	uint64_t pending;
	TAILQ_HEAD(, sigqueue) queue; /* details, oldest first */
	unsigned nqueued;
	/* A task's: */
	uint64_t mask;       /* blocked */
	uint64_t saved_mask; /* what to go back to, if mask_saved */
	bool mask_saved;     /* sigsuspend, ppoll: restored by delivery */
	uint64_t waiting;    /* sigtimedwait() wants these */
	uaddr_t altstack;
	uint64_t altstack_size;
	int altstack_flags; /* SS_DISABLE, SS_AUTODISARM */
	/* A process's: */
	struct waitq wq;  /* a signal came: signalfd, sigtimedwait */
	bool stopped;     /* by SIGSTOP and its kind, until SIGCONT */
	bool continued;   /* the parent is to be told */
	unsigned to_stop; /* tasks that have not stopped yet */
	int stop_signo;
	bool killed;          /* SIGKILL was sent, whoever may have taken it */
	bool init_runs_alone; /* process 1, without Linux's protection */
};

struct sigactions {
	uint32_t refs; /* atomic: CLONE_SIGHAND shares it */
	struct spinlock lock;
	struct sigaction action[SIGNAL_MAX];
};

/* Life.  -ENOMEM; the copy's actions are those of `from`, NULL: all default. */
int sigactions_create(const struct sigactions *from, struct sigactions **out);
void sigactions_get(struct sigactions *sa);
void sigactions_put(struct sigactions *sa);
int signal_state_create(struct signal_state **out);
void signal_state_destroy(struct signal_state *ss);

/*
 * exec(2): caught signals go back to their default, ignored ones stay, the
 * alternate stack is forgotten; shared actions are copied first.  -ENOMEM
 */
int signal_exec(struct process *p);

/*
 * Sends a signal from the kernel (si_code SI_KERNEL).  signal_send_self() goes
 * to the calling task, as SIGPIPE does; signal_force_self() cannot be blocked
 * or ignored.
 */
void signal_send_self(int signo);
void signal_force_self(int signo);
void signal_send_process(struct process *p, int signo);
void signal_send_task(struct task *t, int signo);
/* To each process of the group; how many there were.  Any context. */
unsigned signal_send_pgrp(int32_t pgid, int signo);

/*
 * The same with details; the caller's struct is copied.
 *   -EAGAIN  a real-time signal's details cannot be queued (RLIMIT_SIGPENDING)
 */
int signal_post_process(struct process *p, const siginfo_t *info);
int signal_post_task(struct task *t, const siginfo_t *info);
/* As signal_force_self(), with details. */
void signal_force_info(const siginfo_t *info);

/* sigaction(2); signo is valid, pointers may be NULL. */
int
signal_action(int signo, const struct sigaction *new, struct sigaction *old);
/* The calling task's mask, now and for good. */
void signal_mask_set(uint64_t mask);

/* A fault of the calling program: cannot be blocked or ignored. */
void signal_fault(struct trapframe *tf, int signo, int code, uaddr_t addr);
/* user_ops.work: delivers what is pending, restarts calls, or ends. */
void signal_work(struct trapframe *tf);

/*
 * Something unblocked is pending for the calling task.  Cheap; what a call
 * that waits asks beside its own condition is thread->interrupted.
 */
bool signal_pending(void);

/*
 * A signal is on its way to any of the caller's process that a child made now
 * would have had to get as well.
 */
bool signal_before_fork(void);

/* The calling task stops with its process: the last one tells the parent. */
void signal_take_part_in_stop(void);
/* It begins, or ends, a stop of its tracer's: others take signals meanwhile. */
void signal_trace_stop(struct task *t, bool stopped);

/*
 * The calling task takes no signals from now on: others look at those of its
 * process that it would have taken.
 */
void signal_task_ends(struct task *t);

/*
 * The calling task's mask, for pselect, ppoll, epoll_pwait: installs a mask
 * for the time of the call.  signal_mask_restore() puts the old one back when
 * the call was not interrupted; after -ERESTARTNOHAND or -EINTR leave it to
 * delivery, which runs the handler under the temporary mask and then restores.
 */
void signal_mask_set_temporarily(uint64_t mask);
void signal_mask_restore(void);
/*
 * Copies a program's sigset_t: size must be 8.  -EINVAL, -EFAULT.  SIGKILL
 * and SIGSTOP are taken out.
 */
int signal_copyin_mask(uint64_t *mask, uaddr_t src, size_t size);

/* For signalfd: takes the first pending one of `set`; false: none. */
bool signal_take(uint64_t set, siginfo_t *info);
/* Is any of `set` pending for the calling task or its process? */
bool signal_poll(uint64_t set);

/* "SIGSEGV"; real-time ones as "SIGRT_1" does strace.  Into a static name. */
const char *signal_name(int signo);

/* The pending sets, for /proc/PID/status; the process's lock is taken. */
struct signal_sets {
	uint64_t pending, shared_pending, blocked, ignored, caught;
	unsigned queued;
};
void signal_sets(struct process *p, struct task *t, struct signal_sets *out);

/*
 * What a call that waited answers after -ERESTARTSYS if it cannot begin anew
 * unchanged: remembers fn to be called by restart_syscall(2), and returns
 * -ERESTART_RESTARTBLOCK.  `deadline_ns` and `arg` are kept for it.
 */
struct restart_block {
	long (*fn)(struct restart_block *rb);
	int64_t deadline_ns;
	uint64_t arg[4];
};
long restart_later(long (*fn)(struct restart_block *rb), int64_t deadline_ns,
    uint64_t arg0, uint64_t arg1);

#endif
