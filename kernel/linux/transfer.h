/* SPDX-License-Identifier: ISC */
/*
 * transfer.h - what all calls that move bytes share: limits, vectors from a
 * program's memory, the signal for a file that would become too large.
 */
#ifndef LINUX_TRANSFER_H
#define LINUX_TRANSFER_H

#include "fs/uio.h"
#include "kern/types.h"

#define TRANSFER_MAX       0x7ffff000u /* bytes a call; more is cut short */
#define TRANSFER_IOV_MAX   1024u
#define TRANSFER_IOV_SMALL 8

struct transfer_vec {
	struct uio_vec *vec;
	unsigned n;
	struct uio_vec small[TRANSFER_IOV_SMALL];
};
/*
 * A program's struct iovec[n], checked.
 *   -EINVAL (n, a length), -EFAULT, -ENOMEM; nothing is held then
 */
int transfer_vec_get(struct transfer_vec *tv, uaddr_t src, uint64_t n);
void transfer_vec_put(struct transfer_vec *tv);

/* RLIMIT_FSIZE of the caller. */
uint64_t transfer_size_max(void);
/* Returns n; where it is -EFBIG the caller gets SIGXFSZ. */
long transfer_written(long n);

#endif
