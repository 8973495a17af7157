/* SPDX-License-Identifier: ISC */
/*
 * uaccess.h - the one path by which the kernel reads and writes a program's
 * memory.  Any address is harmless: what is not the program's, or cannot be
 * faulted in, is -EFAULT.  May sleep (page faults), so no spin locks held.
 */
#ifndef KERN_UACCESS_H
#define KERN_UACCESS_H

#include "kern/types.h"

/* 0 or -EFAULT; on -EFAULT part may have been copied. */
int copyin(void *dst, uaddr_t src, size_t len);
int copyout(uaddr_t dst, const void *src, size_t len);
int clearout(uaddr_t dst, size_t len); /* writes zeros */

/*
 * A struct that may grow: the program's has `size` bytes, ours `known`.  What
 * its has not is zero in ours; what ours has not must be zero in its.
 *   -E2BIG  it is not;  -EFAULT
 */
int copyin_struct(void *dst, size_t known, uaddr_t src, size_t size);

/* Bytes not copied, for calls that answer with a short count. */
size_t copyin_partial(void *dst, uaddr_t src, size_t len);
size_t copyout_partial(uaddr_t dst, const void *src, size_t len);
size_t clearout_partial(uaddr_t dst, size_t len);

/*
 * A NUL-terminated string of at most size - 1 bytes: its length, or
 *   -EFAULT        not readable
 *   -ENAMETOOLONG  no NUL within size bytes
 */
long copyinstr(char *dst, uaddr_t src, size_t size);

/* Atomic 32-bit access for futexes: never sleeps; -EFAULT if not mapped. */
int user_load32(uaddr_t src, uint32_t *value);
int user_cmpxchg32(uaddr_t dst, uint32_t old, uint32_t new, uint32_t *seen);

#endif
