/* SPDX-License-Identifier: ISC */
/*
 * kmsg.h - the kernel's log for programs: /dev/kmsg, /proc/kmsg, syslog(2).
 */
#ifndef LINUX_KMSG_H
#define LINUX_KMSG_H

#include "fs/file.h"
#include "kern/types.h"

struct boot_info;

/* Boot step: announces /dev/kmsg.  -EBUSY */
int kmsg_init(const struct boot_info *bi);

/* /proc/kmsg: what syslog(2) reads and uses up. */
extern const struct file_ops kmsg_proc_ops;

/* syslog(2).  `buf` is the program's. */
long sys_syslog(int type, uaddr_t buf, int len);

#endif
