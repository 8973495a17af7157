/* SPDX-License-Identifier: ISC */
/*
 * calls.h - system calls that glibc declares and Debian's musl (1.2.3) does
 * not, under glibc's names, so that a test is one text for both.
 */
#ifndef CALLS_H
#define CALLS_H

#include <features.h>
#ifndef __GLIBC__

#include <signal.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_HIPRI
#define RWF_HIPRI  0x01
#define RWF_DSYNC  0x02
#define RWF_SYNC   0x04
#define RWF_NOWAIT 0x08
#define RWF_APPEND 0x10
#endif

static inline ssize_t
preadv2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	return syscall(SYS_preadv2, fd, v, n, at, 0, flags);
}

static inline ssize_t
pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
	return syscall(SYS_pwritev2, fd, v, n, at, 0, flags);
}

static inline int
epoll_pwait2(int ep, struct epoll_event *e, int n, const struct timespec *ts,
    const sigset_t *mask)
{
	return syscall(SYS_epoll_pwait2, ep, e, n, ts, mask, 8);
}

#endif
#endif
