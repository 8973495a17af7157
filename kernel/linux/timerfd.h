/* SPDX-License-Identifier: ISC */
/* timerfd.h - the system calls of timerfd.c, as Linux declares them. */
#ifndef LINUX_TIMERFD_H
#define LINUX_TIMERFD_H

#include "kern/types.h"

long sys_timerfd_create(int clock, int flags);
long sys_timerfd_settime(int fd, int flags, uaddr_t value, uaddr_t old);
long sys_timerfd_gettime(int fd, uaddr_t value);

#endif
