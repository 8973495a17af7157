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
#include "kern/types.h"
#include "kern/waitq.h"
#include <bsd/sys/queue.h>
#include <linux/resource.h>

struct fdtable;	   /* linux/fdtable.h: open descriptors */
struct fsview;	   /* linux/fsview.h: root, working directory, umask */
struct sigactions; /* linux/signal.h: what each signal does */
struct sigqueue_list;
struct tty;
struct file;
struct vmspace;

struct creds {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t ngroups, groups[32];
	uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding,
	    cap_ambient;
	bool no_new_privs;
};

enum process_state {
	PROCESS_ALIVE,	/* -> ZOMBIE: process_exit() */
	PROCESS_ZOMBIE, /* -> freed: wait4() of the parent, or init */
};

struct signal_state; /* linux/signal.h: pending sets of a process or task */

struct process {
	int32_t pid, pgid, sid;
	enum process_state state;
	struct process *parent;
	TAILQ_HEAD(, process) children;
	TAILQ_ENTRY(process) sibling, all_link;
	TAILQ_HEAD(, task) tasks;
	unsigned ntasks;

	struct vmspace *vm;
	struct fdtable *files;
	struct fsview *fs;
	struct sigactions *sigactions;
	struct signal_state *signals; /* pending for the whole process */
	struct creds creds;
	struct rlimit64 rlimits[RLIM_NLIMITS];
	struct file *exe;
	struct tty *ctty; /* controlling terminal, or NULL */
	char comm[THREAD_NAME];

	int exit_code;	/* wait4's status word once zombie */
	bool exiting;	/* exit_group() began, or a fatal signal */
	bool dumpable;
	uint32_t personality;
	int64_t start_ns;
	uint64_t min_faults, maj_faults;
	uint64_t dead_run_ns, dead_user_ns; /* of ended tasks */
	uint64_t child_run_ns, child_user_ns;
	struct waitq child_wait; /* a child changed state */
	struct itimers *itimers; /* linux/itimer.c, made at need */
};

struct task {
	struct thread *thread;
	struct process *process;
	int32_t tid;
	TAILQ_ENTRY(task) link;
	struct signal_state *signals; /* pending for this task; mask */
	uaddr_t clear_child_tid;
	uaddr_t robust_list;
	uint64_t robust_len;
	char comm[THREAD_NAME];
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

/* The tree of processes, its ids and states: one lock. */
extern struct mutex process_lock;

/* NULL: no such process.  process_lock held. */
struct process *process_find_locked(int32_t pid);
struct process *process_init(void); /* pid 1 */
/* Calls fn for every process until it returns false; process_lock held. */
void process_foreach_locked(bool (*fn)(struct process *, void *), void *arg);

/*
 * Creates process 1 and its task: no address space yet, standard descriptors
 * and exec come after.  -ENOMEM
 */
int process_create_first(struct process **out);

/* Ends the calling process with a wait status (W_EXITCODE as in wait.h). */
void process_exit(int wait_status) __noreturn;

/*
 * Loads a program into the calling process: on 0 the caller's trapframe is
 * the new program's; before the point of no return errors come back, after
 * it the process dies of SIGSEGV as on Linux.  Strings are kernel memory.
 */
int process_exec(const char *path, const char *const argv[],
    const char *const envp[]);

#endif
