/* SPDX-License-Identifier: ISC */
/*
 * uio.h - where the bytes of a transfer go to or come from: a program's
 * buffers or the kernel's, one after the other.  read, readv, pread, sendfile
 * and the kernel's own file access differ only in the uio that they fill in.
 *
 * A uio is used by one thread at a time and moves along as it is consumed.
 * Transfers may sleep (page faults): no spin lock may be held.
 */
#ifndef FS_UIO_H
#define FS_UIO_H

#include "kern/types.h"

/* As struct iovec in a program's memory: may be copied in as it stands. */
struct uio_vec {
	uint64_t base; /* uaddr_t, or the address of kernel memory */
	uint64_t len;
};

enum uio_space { UIO_USER, UIO_KERNEL };

#define UIO_NOWAIT    0x1u  /* RWF_NOWAIT: -EAGAIN instead of sleeping */
#define UIO_APPEND    0x2u  /* RWF_APPEND: write at the end */
#define UIO_KEEP_MODE 0x8u  /* CAP_FSETID: set-user-ID outlives a write */
#define UIO_MORE      0x10u /* others follow: file_ops.commit comes */
#define UIO_DSYNC     0x4u  /* RWF_DSYNC, RWF_SYNC: on disk before the return */

struct uio {
	const struct uio_vec *vec; /* the first not wholly consumed */
	uint64_t done;             /* bytes consumed of it */
	uint64_t resid;            /* bytes left in all */
	uint64_t size_max; /* RLIMIT_FSIZE for writes; else UINT64_MAX */
	enum uio_space space;
	unsigned flags; /* UIO_* */
};

/*
 * Begins a transfer over vec[0..n), which must stay where it is; lengths must
 * not add up to more than INT64_MAX (the caller has checked).
 */
void uio_init(struct uio *u, enum uio_space space, const struct uio_vec *vec,
    unsigned n);
/* The same for one buffer; *vec is the room for its description. */
void uio_init_one(struct uio *u, enum uio_space space, struct uio_vec *vec,
    uint64_t base, uint64_t len);

/*
 * Copies min(len, resid) bytes out of src into the uio (what read does), into
 * dst out of the uio (write), or zeros into the uio.  Returns the bytes moved,
 * by which the uio went on: fewer only where the program's memory faulted.
 */
size_t uio_put(struct uio *u, const void *src, size_t len);
size_t uio_get(struct uio *u, void *dst, size_t len);
size_t uio_clear(struct uio *u, size_t len);

/* Goes on by len <= resid bytes without moving any. */
void uio_skip(struct uio *u, size_t len);

/* uio_put and uio_get of everything or -EFAULT. */
static inline int
uio_put_all(struct uio *u, const void *src, size_t len)
{
	return uio_put(u, src, len) == len ? 0 : -14 /* EFAULT */;
}

#endif
