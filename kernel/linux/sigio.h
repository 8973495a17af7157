/* SPDX-License-Identifier: ISC */
/*
 * sigio.h - signals that say that a file has something: O_ASYNC, F_SETOWN and
 * F_SETSIG.  fcntl(2), "Managing signals".
 */
#ifndef LINUX_SIGIO_H
#define LINUX_SIGIO_H

#include "fs/file.h"
#include "kern/types.h"

struct sigio;

/* F_SETOWN, F_GETOWN, F_SETSIG and F_GETSIG.  May sleep.  -ENOMEM, -ESRCH */
long sigio_fcntl(struct file *file, unsigned cmd, uint64_t arg);
/* F_SETOWN_EX and F_GETOWN_EX.  May sleep. */
long sigio_fcntl_ex(struct file *file, unsigned cmd, uaddr_t arg);
/*
 * O_ASYNC was set or taken away by the descriptor fd.  May sleep.
 *   -ENOMEM, -ENOSPC  the file cannot be watched
 */
int sigio_set(struct file *file, int fd, bool on);
/*
 * The file's, made at need with the caller as owner, who is told of fd; NULL:
 * no memory.
 */
struct sigio *sigio_owned(struct file *file, int fd);
/* Tells the owner of a message (POLL_MSG).  Any context. */
void sigio_raise(struct sigio *s);
/* Tells the owner, if there is one, of urgent data (SIGURG).  May sleep. */
void sigio_urgent(struct file *file);
/* The file's last reference goes; file->sigio is not NULL.  May sleep. */
void sigio_file_gone(struct file *file);

#endif
