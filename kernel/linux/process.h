/* SPDX-License-Identifier: ISC */
/*
 * process.h - processes and their threads ("tasks"), as Linux has them.
 *
 * A process owns what its tasks share; a task is one thread of it.  Each
 * shared part (address space, descriptors, file-system view, signal actions)
 * is a struct of its own with a reference count, so that clone(2) can share
 * any of them.
 */
#ifndef LINUX_PROCESS_H
#define LINUX_PROCESS_H

#include "kern/mutex.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/types.h"
#include "kern/waitq.h"
#include "linux/creds.h"
#include "linux/signal.h"
#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <linux/resource.h>

struct fdtable; /* linux/fdtable.h: open descriptors */
struct fsview;  /* linux/fsview.h: root, working directory, umask */
struct tty;
struct file;
struct vmspace;

#define ID_MAX 32768 /* kernel.pid_max: one more than the highest */

enum process_state {
	PROCESS_ALIVE,  /* -> ZOMBIE: process_exit() */
	PROCESS_ZOMBIE, /* -> freed: wait4() of the parent, or init */
};

/*
 * A number in use, in the one tree of them: a process's pid, which is its
 * first task's tid too, or another task's tid.  Under process_list_lock.
 */
struct id_entry {
	RB_ENTRY(id_entry) node;
	uint64_t serial; /* of its kind, never given out again */
	int32_t id;
	struct process *process;
	struct task *task; /* NULL: the process's first task has ended */
};

struct itimers; /* linux/itimer.h */
struct tracee;  /* linux/ptrace.h */
struct sem_undo;
struct seccomp_filter; /* linux/seccomp.h */
struct cpu_limit;
struct core; /* linux/core.h */
struct pidfd;

/*
 * [P] process_lock; [L] process_list_lock, and process_lock to write;
 * [C] process_lock or process_list_lock, both to write;
 * [S] signals->lock, and process_lock to write.
 */
struct process {
	int32_t pid;              /* [I] */
	int32_t pgid, sid;        /* [L] */
	enum process_state state; /* [P] */
	struct id_entry id;
	struct process *parent;         /* [P] NULL: process 1's */
	TAILQ_HEAD(, process) children; /* [P] */
	TAILQ_ENTRY(process) sibling;   /* [P] */
	TAILQ_ENTRY(process) all_link;  /* [L] */
	TAILQ_HEAD(, task) tasks;       /* [S] */
	unsigned ntasks;                /* [S] */

	struct vmspace *vm;
	struct fsview *fs;
	struct sigactions *sigactions;
	struct signal_state *signals; /* pending for the whole process */
	struct creds *creds;          /* [C] its first task's, ended or not */
	struct rlimit64 rlimits[RLIM_NLIMITS];
	struct file *exe;
	struct tty *ctty; /* [L] controlling terminal, referenced, or NULL */
	int32_t old_pgrp; /* [L] its foreground, when it hung up */
	char comm[THREAD_NAME];

	int exit_code;         /* wait4's status word once zombie */
	int exit_signal;       /* the parent's notice: SIGCHLD, or clone's */
	bool exiting;          /* [S] exit_group() began, or a fatal signal */
	struct task *survivor; /* [S] exec: every other task ends */
	struct core *core;     /* [S] linux/core.c: one is written */
	bool did_exec;         /* setpgid by the parent: EACCES */
	bool stop_unreported, cont_unreported; /* [P] for wait4() */
	int32_t subreaper;                     /* PR_SET_CHILD_SUBREAPER */
	int pdeath_signal;
	bool dumpable;
	bool thp_disabled; /* PR_SET_THP_DISABLE, as told */
	uint8_t mce_kill;  /* PR_MCE_KILL_*, as told */
	uint32_t personality;
	int64_t start_ns;
	uint64_t max_rss; /* pages, of address spaces that it left */
	uint64_t dead_min_faults, dead_maj_faults; /* of ended tasks */
	uint64_t dead_run_ns, dead_user_ns;        /* of ended tasks */
	uint64_t child_run_ns, child_user_ns;      /* [P] of reaped children */
	uint64_t child_min_faults, child_maj_faults;
	uint64_t child_max_rss; /* pages, of the largest one */
	uint64_t child_disk_read, child_disk_written;
	uint64_t read_bytes, read_calls;   /* /proc/PID/io; about right */
	uint64_t write_bytes, write_calls; /*  when tasks race */
	uint64_t dead_disk_read, dead_disk_written; /* of ended tasks */
	int16_t oom_score_adj;
	struct waitq child_wait;          /* a child changed state */
	uint32_t child_events;            /* atomic: counts such changes */
	struct cpu_limit *cpu_limit;      /* linux/cpu_limit.c, made at need */
	struct spinlock rt_lock;          /* held to arm rt_look */
	struct timer rt_look;             /* the same: RLIMIT_RTTIME */
	struct itimers *itimers;          /* linux/itimer.c, made at need */
	struct pidfd *pidfd;              /* [P] linux/pidfd.c, made at need */
	struct vfork_wait *vfork_done;    /* [P] clone.c: the parent waits */
	TAILQ_HEAD(, tracee) tracees;     /* [P] whom it traces */
	TAILQ_HEAD(, sem_undo) sem_undos; /* linux/sysvipc_sem.c */
	struct tracee *leader_tracee; /* [P] its first task's, ended already */
	unsigned ntracees;            /* [P] of its own tasks; ptrace.h */
};

struct task {
	struct thread *thread;
	struct process *process;
	int32_t tid;
	struct id_entry id;     /* used unless tid is the process's pid */
	TAILQ_ENTRY(task) link; /* [S] */
	struct restart_block restart;
	/* The last fault, for sigcontext. */
	uint64_t fault_trapno, fault_error, fault_addr;
	bool policy_reset_on_fork;
	int policy, rt_priority; /* sched_setscheduler(2), as told */
	int pi_boost;        /* linux/futex_pi.c: who waits for it has that */
	uint32_t pi_waiters; /* [a] how many do */
	uint16_t ioprio;
	uint32_t timer_slack_ns;       /* as told */
	uint32_t timer_slack_first_ns; /* what 0 sets it to */
	struct creds *creds; /* [C] written by itself, which just reads */
	struct signal_state *signals; /* pending for this task; mask */
	struct fdtable *files;        /* [P] to write; NULL: it ends */
	struct fsview *fs; /* [P] to write; unshare(2)d; NULL: the process's */
	uaddr_t clear_child_tid, set_child_tid;
	uaddr_t robust_list;
	uint64_t robust_len;
	char comm[THREAD_NAME];
	struct tracee *tracee; /* [P] linux/ptrace.h; NULL: nobody traces */
	bool no_new_privs;     /* only ever set; by SECCOMP_..._TSYNC too */
	struct seccomp_filter *seccomp; /* [P] to write; newest first */
	uint8_t seccomp_mode;           /* [P] to write; SECCOMP_MODE_* */
	bool traced, seized; /* [S] what the signals' senders know of it */
	bool trap_pending;   /* [S] a stop that is no signal is due */
	bool stop_passed;    /* [S] goes on though its group is stopped */
	bool stop_due;       /* [S] counted in signals->to_stop */
	bool trace_stopped;  /* [S] by its tracer */
	bool ends;           /* [S] it takes no signals any more */
};

static inline struct task *
task_self(void)
{
	return thread_self()->user;
}
static inline struct process *
process_self(void)
{
	return task_self()->process;
}

/* Its process ends, or another task of it becomes a new program. */
static inline bool
task_must_end(const struct task *t)
{
	const struct process *p = t->process;

	return p->exiting || (p->survivor != NULL && p->survivor != t);
}

/*
 * The tree of processes and their states: a sleep lock.  Who is in the list
 * and in the tree of numbers changes under process_list_lock as well, a spin
 * lock (interrupts off), so that signals can be sent from anywhere.
 * Order: process_lock, process_list_lock, signals->lock.
 */
extern struct mutex process_lock;
extern struct spinlock process_list_lock;

/* NULL: no such process.  Either lock held. */
struct process *process_find_locked(int32_t pid);
/* By thread id, a process's first task by its pid.  Either lock held. */
struct task *task_find_locked(int32_t tid);
/* What tells a user of that number from later ones; 0: none. Either lock held. */
uint64_t id_serial_locked(int32_t id);
struct process *process_init(void); /* pid 1 */
/* Calls fn for every process until it returns false; either lock held. */
void process_foreach_locked(bool (*fn)(struct process *, void *), void *arg);

/*
 * Makes the calling kernel thread the first task of process 1: no address
 * space yet, standard descriptors and exec come after.  -ENOMEM
 */
int process_create_first(struct process **out);

/* Ends the calling process with a wait status (W_EXITCODE as in wait.h). */
void process_exit(int wait_status) __noreturn;
#define WAIT_STATUS_EXIT(code)    (((code)&0xff) << 8)
#define WAIT_STATUS_SIGNAL(signo) ((signo)&0x7f)

/*
 * exec: ends every other task of the calling process and waits for that; the
 * caller becomes the process's first task, under its pid.
 *   -EAGAIN  another task does the same, or the process is ending
 */
int process_become_single(void);

/*
 * A new process, in no list yet: ids of `parent`, the caller's, and credentials
 * of the caller (NULL: those of process 1), none of its shared parts.  -ENOMEM, -EAGAIN (no pid left)
 */
int process_create(struct process *parent, struct process **out);
/* Undoes process_create() of a process that never ran; shared parts too. */
void process_destroy(struct process *p);
/*
 * A task for p whose thread is `thread` (created, not started, or the caller
 * itself): its mask is `mask`.  The first one of p has p's pid.
 *   -ENOMEM, -EAGAIN
 */
int task_create(struct process *p, struct thread *thread, uint64_t mask,
    struct task **out);
/* Makes p and its first task visible, a child of `parent`. */
void process_publish(struct process *p, struct task *t, struct process *parent);
/* Adds a further task to its process: -EINTR if that is ending. */
int task_publish(struct task *t);
/* Frees a task that was never published, or is no longer. */
void task_destroy(struct task *t);
/* sys_sched.c: its policy or boost changed. */
void task_apply_class(struct task *t);
/* The process ends with this status, unless it does already.  [S] held. */
static inline void
process_ends_locked(struct process *p, int wait_status)
{
	if (p->exiting)
		return;
	p->exiting = true;
	p->exit_code = wait_status;
}

/* exit.c: every task but the caller looks what it shall do.  [S] held. */
void process_interrupt_others_locked(struct process *p);

/*
 * exit.c: takes a task out, and tells who traces it of its end (wait's word);
 * true if it was the process's last.
 */
bool task_unpublish(struct task *t, int wait_status);
/* The only task of its process takes over the process's number. */
void task_become_first(struct task *t);

/* p changed state (ended, stopped, continued): SIGCHLD for its parent. */
void process_notify_parent_locked(struct process *p, int code, int status);
/* Wakes those who wait for what becomes of p's children, or tracees. */
void process_child_event(struct process *p);
/* A zombie that nobody traces (any more): its parent hears of it. */
void process_announce_end_locked(struct process *p);
/* Takes an ended process out of the lists and frees it. */
void process_reap_locked(struct process *p);
/* Is no member's parent in another group of the same session? */
bool pgrp_is_orphaned_locked(int32_t pgid);
/* Processor time of all its tasks, ended ones included. */
void process_times(struct process *p, uint64_t *run_ns, uint64_t *user_ns);
/* Bytes that they had read from disks, and that they made to go there. */
void process_disk_bytes(struct process *p, uint64_t *read, uint64_t *written);
/* Page faults of all its tasks, without and with a wait for a disk. */
void process_faults(struct process *p, uint64_t *minor, uint64_t *major);
/* It leaves its address space: what that took at most is kept. */
void process_keep_max_rss(struct process *p);
unsigned process_count(void); /* tasks, for sysinfo and /proc/loadavg */
int32_t process_last_id(void);

/*
 * What others wait for at a task's end, or at exec: its robust locks and
 * clear_child_tid, in memory that is still its own.  May sleep.
 */
void task_farewell(struct task *t);

/* Ends the calling task; the last one ends the process with this status. */
void task_exit(int wait_status) __noreturn;

/* The calling task's own: they stay until it changes them itself. */
static inline const struct creds *
creds_self(void)
{
	return task_self()->creds;
}

/* The calling task's effective set has this capability (CAP_*). */
static inline bool
capable(unsigned cap)
{
	return (creds_self()->cap_effective >> cap & 1) != 0;
}

/* start.c: the last step of the boot; see there. */
int linux_start(void);

/*
 * Loads a program into the calling process: on 0 the caller's trapframe is
 * the new program's; before the point of no return errors come back, after
 * it the process dies of SIGSEGV as on Linux.  Strings are kernel memory.
 */
int process_exec(const char *path, const char *const argv[],
    const char *const envp[]);

#endif
