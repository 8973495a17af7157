/* SPDX-License-Identifier: ISC */
/*
 * creds.h - credentials: ids, groups, capabilities.  credentials(7).
 *
 * Every task has a reference to an object that never changes; who changes a
 * task's credentials, which is that task alone, gives it another one.  So a
 * task reads its own without a lock.  A process refers to those of its first
 * task, which are what others see of it, also when that task has ended.
 */
#ifndef LINUX_CREDS_H
#define LINUX_CREDS_H

#include "kern/types.h"

struct process;
struct task;

struct creds {         /* [I] but for refs */
	uint32_t refs; /* atomic */
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	uint32_t ngroups, groups[32];
	uint64_t cap_permitted, cap_effective, cap_inheritable, cap_bounding,
	    cap_ambient;
	uint32_t securebits; /* SECBIT_* */
};

/* Those of process 1 at its beginning: root's.  One reference. */
struct creds *creds_first(void);
/* A copy with one reference, of which refs alone differs.  NULL: no memory */
struct creds *creds_copy(const struct creds *from);
struct creds *creds_get(struct creds *c);
void creds_put(struct creds *c);

/*
 * The same of another task, its process's if t is NULL.  They stay while
 * process_lock or process_list_lock is held, as one of them must be.
 */
const struct creds *
creds_of_locked(const struct process *p, const struct task *t);

/*
 * The calling task has these from now on, and its process if the task is its
 * first; takes over the caller's reference.  process_lock held; answers what
 * there was, to be put once that is released.
 */
struct creds *creds_install_locked(struct creds *c);

/*
 * The calling task's are like *new from now on.  May sleep.
 *   -ENOMEM
 */
int creds_change(const struct creds *new);

/* exec(2)'s effect on credentials beyond set-user-id bits. */
void creds_exec(struct creds *c);

#endif
