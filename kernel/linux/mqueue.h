/* SPDX-License-Identifier: ISC */
/* mqueue.h - POSIX message queues.  mq_overview(7). */
#ifndef LINUX_MQUEUE_H
#define LINUX_MQUEUE_H

#include "kern/types.h"

#define MQ_MSG_DEFAULT  10
#define MQ_SIZE_DEFAULT 8192
#define MQ_QUEUES_MAX   256

long sys_mq_open(uaddr_t name, int flags, unsigned mode, uaddr_t attr);
long sys_mq_unlink(uaddr_t name);
long sys_mq_timedsend(int fd, uaddr_t msg, uint64_t len, unsigned priority,
    uaddr_t timeout);
long sys_mq_timedreceive(int fd, uaddr_t msg, uint64_t len, uaddr_t priority,
    uaddr_t timeout);
long sys_mq_notify(int fd, uaddr_t event);
long sys_mq_getsetattr(int fd, uaddr_t new, uaddr_t old);

#endif
