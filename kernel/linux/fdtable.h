/* SPDX-License-Identifier: ISC */
/*
 * fdtable.h - a process's open descriptors.
 *
 * A table maps numbers to files, with one close-on-exec bit each.  It is
 * shared by reference count (clone with CLONE_FILES) and copied by fork.
 * A number is in one of three states:
 *
 *   free      -> reserved  fd_reserve()
 *   reserved  -> open      fd_install()    -> free  fd_unreserve()
 *   open      -> free      fd_close()
 *
 * Reserved numbers are what open(2) holds while it looks for its file: they
 * are taken, but look-ups answer EBADF.
 *
 * Locking: one spin lock a table, taken inside.  Files are put without it.
 */
#ifndef LINUX_FDTABLE_H
#define LINUX_FDTABLE_H

#include "fs/file.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include "linux/process.h"

#define FD_INLINE 64         /* slots that need no second allocation */
#define FD_MAX    (1u << 20) /* fs.nr_open */

struct fdtable {       /* under lock, but slots and nslots: see fd_get() */
	uint32_t refs; /* atomic */
	struct spinlock lock;
	uint32_t nslots; /* a multiple of 64 */
	uint32_t next;   /* no number below is free */
	struct file **slots;
	uint64_t *open;    /* a bit a number: taken */
	uint64_t *cloexec; /* a bit a number */
	struct file *slots0[FD_INLINE];
	uint64_t open0, cloexec0;
};

/* One reference for the caller, empty.  -ENOMEM */
int fdtable_create(struct fdtable **out);
/* The same open files under the same numbers (fork).  -ENOMEM */
int fdtable_copy(struct fdtable *from, struct fdtable **out);
/* The caller's becomes its own, if it shares it (unshare, exec).  -ENOMEM */
int fdtable_unshare(void);
void fdtable_get(struct fdtable *t);
/* The last one closes every file; may sleep then. */
void fdtable_put(struct fdtable *t);
/* Closes what is marked close-on-exec; may sleep. */
void fdtable_close_exec(struct fdtable *t);

/*
 * What a system call works on: a file, or NULL (EBADF), and whether the
 * reference is its own.  While nobody else can close the descriptor the
 * reference is borrowed from the table, which costs nothing.
 */
struct fdref {
	struct file *file;
	bool owned;
};

/* The caller's. */
static inline struct fdtable *
fdtable_self(void)
{
	return task_self()->files;
}

/*
 * Of another task, of any one of p's if t is NULL; NULL: they end.
 * process_lock held.
 */
struct fdtable *
fdtable_of_locked(const struct process *p, const struct task *t);

/* The slow half of fd_get_any(): takes a reference under the lock. */
struct fdref fdtable_lookup(struct fdtable *t, unsigned fd);

/* The caller's descriptor, files opened with O_PATH included. */
static inline struct fdref
fd_get_any(int fd)
{
	struct fdtable *t = fdtable_self();
	struct fdref ref = { NULL, false };

	if (t->refs != 1)
		return fdtable_lookup(t, (unsigned)fd);
	if ((unsigned)fd < t->nslots)
		ref.file = t->slots[fd];
	return ref;
}

static inline void
fd_put(struct fdref ref)
{
	if (ref.owned)
		file_put(ref.file);
}

/* The caller's descriptor; a file opened with O_PATH counts as not there. */
struct fdref fd_get(int fd);

/* A file with a reference, or NULL; for another process's table too. */
struct file *fdtable_file(struct fdtable *t, unsigned fd);
/* The lowest open number >= fd with its file (one reference), or -1. */
int fdtable_next(struct fdtable *t, unsigned fd, struct file **out);
/* Room for how many numbers (/proc/PID/status: FDSize). */
unsigned fdtable_size(struct fdtable *t);

/*
 * The lowest free number >= min and below RLIMIT_NOFILE, for the caller.
 *   -EMFILE, -ENOMEM
 */
int fd_reserve(unsigned min);
/* Opens a reserved number; takes over the caller's reference of file. */
void fd_install(int fd, struct file *file, bool cloexec);
void fd_unreserve(int fd);
/*
 * Both steps: a new number for file, whose reference is taken over; on an
 * error it is put.
 */
int fd_open(struct file *file, bool cloexec);

/* close(2): -EBADF, or the answer of the file's flush. */
int fd_close(unsigned fd);
/*
 * Opens file, whose reference is taken over, under number `to`, and closes
 * what was there; may sleep.  `to`, or
 *   -EBADF  beyond RLIMIT_NOFILE;  -EBUSY  reserved;  -ENOMEM
 */
int fd_place(struct file *file, int to, bool cloexec);
/* dup2(2), dup3(2): `to` becomes another name of `from`'s file. */
int fd_dup_to(int from, int to, bool cloexec);
/* dup(2), F_DUPFD: the lowest free number >= min. */
int fd_dup(int fd, unsigned min, bool cloexec);
/* FD_CLOEXEC: 0 or 1, or -EBADF. */
int fd_cloexec(int fd);
int fd_set_cloexec(int fd, bool on);

/* The calls of this file. */
long sys_close(unsigned fd);
long sys_close_range(unsigned first, unsigned last, unsigned flags);
long sys_dup(int fd);
long sys_dup2(int from, int to);
long sys_dup3(int from, int to, int flags);

#endif
