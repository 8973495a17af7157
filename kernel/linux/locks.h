/* SPDX-License-Identifier: ISC */
/*
 * locks.h - advisory locks on files: fcntl(2)'s ranges, flock(2)'s whole ones.
 *
 * A lock has an owner, which is only compared: the descriptor table for
 * POSIX locks (they belong to a process), the open file for locks of open
 * file descriptions and for flock(2).  Ranges conflict between owners; whole
 * locks conflict among themselves only.
 *
 * All hang on inode->locks, NULL while there is none.  Locking: one sleep lock
 * for all, inside.
 */
#ifndef LINUX_LOCKS_H
#define LINUX_LOCKS_H

#include "kern/types.h"

struct inode;

enum lock_type { LOCK_TYPE_NONE, LOCK_TYPE_READ, LOCK_TYPE_WRITE };

#define LOCK_TO_END ((uint64_t)INT64_MAX)

struct lock_range {
	const void *owner;
	uint64_t start, end; /* bytes, both inclusive */
	int32_t pid;         /* for F_GETLK; -1: an open file description's */
	enum lock_type type;
};

/*
 * Looks for what would be in the way of *range: overwrites it with that lock,
 * or its type with LOCK_TYPE_NONE.
 */
void locks_test(struct inode *inode, struct lock_range *range);

/*
 * Sets, changes or (LOCK_TYPE_NONE) takes away the owner's lock on a range.
 * `wait`: sleeps until nothing is in the way.
 *   -EAGAIN       another owner's lock is in the way, and not `wait`
 *   -EDEADLK      waiting would close a circle of POSIX lock owners
 *   -ENOLCK       out of memory
 *   -ERESTARTSYS  interrupted
 */
int locks_set(struct inode *inode, const struct lock_range *range, bool wait);

/* flock(2): the same for a lock on the whole file, owned by an open file. */
int locks_set_whole(struct inode *inode, const void *owner, enum lock_type type,
    bool wait);

/* The owner is gone, or closed a descriptor of the file: all its locks go. */
void locks_drop(struct inode *inode, const void *owner);

#endif
