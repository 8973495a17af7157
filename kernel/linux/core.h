/* SPDX-License-Identifier: ISC */
/*
 * core.h - what a program leaves when a signal kills it whose default action
 * is a core: a file "core" in its working directory, if RLIMIT_CORE and
 * PR_SET_DUMPABLE allow one.  core(5), signal(7).
 *
 * The task that took the signal writes; every other task of its process waits
 * meanwhile on its way out, with its registers saved (core_park).
 */
#ifndef LINUX_CORE_H
#define LINUX_CORE_H

#include "kern/types.h"
#include <asm/siginfo.h>
#include <bsd/sys/queue.h>

struct file;
struct process;
struct task;

/* A task whose registers are in the file. */
struct core_task {
	TAILQ_ENTRY(core_task) link;
	struct task *task;
	uint64_t fsbase, gsbase;
};
TAILQ_HEAD(core_tasks, core_task);

struct core {                    /* signals->lock */
	struct core_tasks tasks; /* the one that took the signal first */
	unsigned nparked;        /* of the others */
	const siginfo_t *info;   /* [I] the signal */
};

/*
 * The calling task's process dies of a signal: ends the other tasks, and
 * writes the file if there is to be one.  Does not return.
 */
void core_exit(const siginfo_t *info) __attribute__((noreturn));

/* The calling task ends: first it waits while its process writes a core. */
void core_park(void);

/*
 * core_file.c: writes the file, at most `limit` bytes of it.  All tasks are
 * parked.  -ENOMEM, and what writing answers
 */
int core_write(struct file *file, struct process *p, struct core *core,
    uint64_t limit);

#endif
