/* SPDX-License-Identifier: ISC */
/*
 * pidfd.h - descriptors that stand for processes: pidfd_open(2) and its
 * relatives.  process_lock guards who stands for whom.
 */
#ifndef LINUX_PIDFD_H
#define LINUX_PIDFD_H

#include "kern/types.h"

struct file;
struct process;

/*
 * A file that stands for p; process_lock is held, or p is in no list yet.
 * flags: O_NONBLOCK.  -ENOMEM
 */
int pidfd_file(struct process *p, unsigned flags, struct file **out);
/* The process's number, 0 once it was waited for.  -EBADF: no such file. */
int pidfd_pid(int fd, int32_t *pid, bool *nonblock);
/* p has ended, or is about to be freed.  process_lock held, or no list. */
void pidfd_ended_locked(struct process *p);
void pidfd_reaped_locked(struct process *p);

long sys_pidfd_open(int32_t pid, unsigned flags);
long sys_pidfd_send_signal(int fd, int signo, uaddr_t info, unsigned flags);
long sys_pidfd_getfd(int fd, int target, unsigned flags);

#endif
