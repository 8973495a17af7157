/* SPDX-License-Identifier: ISC */
/*
 * ptrace.h - one process watches the tasks of others.  ptrace(2).
 *
 * A traced task has a struct tracee, on the list of the process that traces
 * it.  It outlives the task until that process has waited for its end.
 *
 *   RUNS -> STOPPED     the task itself: ptrace_stop()
 *   STOPPED -> RUNS     the tracer resumes it; or it is killed
 *   STOPPED -> LISTENS  PTRACE_LISTEN; -> RUNS when there is news
 *   any -> ENDED        the task ended; freed once waited for
 *
 * Any thread of the tracing process may make the requests.
 */
#ifndef LINUX_PTRACE_H
#define LINUX_PTRACE_H

#include "kern/types.h"
#include "linux/process.h"
#include "linux/signal.h"
#include <bsd/sys/queue.h>

enum tracee_state { TRACEE_RUNS, TRACEE_STOPPED, TRACEE_LISTENS, TRACEE_ENDED };

enum tracee_mode { MODE_RUN, MODE_CALLS, MODE_STEP, MODE_EMULATE };

/* All under process_lock, but `state`, which the sleeping task reads. */
struct tracee {
	TAILQ_ENTRY(tracee) link; /* on the tracer's list */
	struct process *tracer;   /* NULL: detached, somebody still sleeps */
	struct process *process;
	struct task *task; /* NULL: has ended, or is about to */
	uint32_t refs;     /* the list's, and the stopped task's */
	int32_t tid;
	enum tracee_state state; /* [a] */
	enum tracee_mode mode;   /* how it was resumed */
	bool seized;
	bool unreported; /* a stop or the end that nobody waited for yet */
	bool stepping;   /* TF was set for the tracer */
	bool has_info;   /* `info` belongs to this stop */
	uint8_t op;      /* PTRACE_SYSCALL_INFO_* of this stop */
	unsigned options;
	int code;   /* what wait tells: signal | event << 8; once ENDED, all */
	int resume; /* the signal to go on with */
	uint64_t message;
	siginfo_t info;
	uint64_t fsbase, gsbase; /* the program's, while stopped */
	bool new_bases;          /* the tracer changed them */
	bool new_debug;          /* and the breakpoints */
	void *new_fpu;           /* and here the FPU's state; or NULL */
};

/* One stop, as the task that stops describes it. */
struct ptrace_stop {
	int code;              /* signal | event << 8 */
	const siginfo_t *info; /* NULL: a group stop */
	uint64_t message;
	uint8_t op;
	bool at_end; /* even though the process is ending, unless by SIGKILL */
};

/* The tracer of a task looks away for good; process_lock held. */
void tracee_detach_locked(struct tracee *tr);
/* The relation to a task that has ended is over. */
void tracee_reap_locked(struct tracee *tr);
/* The same by wait(2): the process's end, if that waited, comes after. */
void tracee_waited_locked(struct tracee *tr);
/* Begins to trace; process_lock held.  -ENOMEM */
int tracee_attach_locked(struct task *t, struct process *tracer, bool seize,
    unsigned options);
/*
 * May the caller look into p, by its task t (NULL: as its first)?  As
 * ptrace(2) decides; process_lock held.
 */
bool ptrace_may_access_locked(const struct process *p, const struct task *task);
/* The pid of who traces t; 0: nobody.  process_lock held. */
int32_t ptrace_tracer_locked(const struct task *t);
/* Is t in a stop of its tracer's?  process_lock held. */
bool ptrace_is_stopped_locked(const struct task *t);

/*
 * The calling task stops until its tracer lets it go on, if it has one.  The
 * signal to go on with; the stop's own if there was no stop.  May sleep.
 */
int ptrace_stop(const struct ptrace_stop *s);
/* An event, if the tracer asked for it (PTRACE_EVENT_*); may sleep. */
void ptrace_event(int event, uint64_t message);
/* A signal was taken: what the tracer makes of it; 0 nothing.  May sleep. */
int ptrace_signal(int signo, siginfo_t *info);
/* Stops that are due without a signal; true: look again.  May sleep. */
bool ptrace_trap(void);
/* A step led into a handler: it ends at its first instruction. */
void ptrace_handler_stop(void);
/* Takes TF out of the caller's registers: was it the tracer's? */
bool ptrace_take_step(struct trapframe *tf);

/* clone(2): `t` inherits the caller's tracer; the event, 0 for none. */
int ptrace_clone_begin(struct task *t, uint64_t flags, int exit_signal);
/* exec(2) is done; the task's number was old_tid before. */
void ptrace_exec(int32_t old_tid);
/* Must set-id bits be ignored, as a tracer without privilege looks on? */
bool ptrace_limits_exec(void);
/* The caller ends; `status` is wait's word.  process_lock held. */
void ptrace_task_ends_locked(struct task *t, int status);
/* p has become a zombie; false: its parent must not know yet. */
bool ptrace_process_ended_locked(struct process *p);

/* The end of a tracer: its tracees go on, or are killed. */
void ptrace_tracer_ended_locked(struct process *p);

/* user_ops.syscall while anybody is traced, or has system calls refused. */
void ptrace_dispatch(struct trapframe *tf);
/* One more, or one less, of whom that is so; process_lock held. */
void ptrace_watch_calls_locked(int step);
/*
 * A filter wants the tracer to look at the call: false, nobody asked for such
 * stops.  May sleep.
 */
bool ptrace_seccomp(uint32_t data);

/* ptrace_regs.c: register sets.  The task is stopped, process_lock held. */
long ptrace_regs_get(struct tracee *tr, unsigned set, void *buf, size_t size);
long
ptrace_regs_set(struct tracee *tr, unsigned set, const void *buf, size_t size);
/* The bytes of a set; 0: there is none of that name (NT_*). */
size_t ptrace_regs_size(unsigned set);
/* A word of struct user, by its offset.  -EIO, -EINVAL, -ENOMEM */
int ptrace_user_get(struct tracee *tr, uint64_t offset, uint64_t *value);
int ptrace_user_set(struct tracee *tr, uint64_t offset, uint64_t value);

long sys_ptrace(long request, long pid, uaddr_t addr, uaddr_t data);

#endif
