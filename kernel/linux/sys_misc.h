/* SPDX-License-Identifier: ISC */
/* sys_misc.h - the system calls of sys_misc.c, as Linux declares them. */
#ifndef LINUX_SYS_MISC_H
#define LINUX_SYS_MISC_H

#include "kern/types.h"

/* What sethostname(2) and setdomainname(2) set, for /proc/sys/kernel. */
const char *uts_nodename(void);
const char *uts_domainname(void);
int uts_set_nodename(const char *text, size_t len); /* -EINVAL: too long */

long sys_uname(uaddr_t buf);
long sys_sethostname(uaddr_t name, int len);
long sys_setdomainname(uaddr_t name, int len);
long sys_sysinfo(uaddr_t info);
long sys_getrlimit(unsigned resource, uaddr_t limit);
long sys_setrlimit(unsigned resource, uaddr_t limit);
long sys_prlimit64(int32_t pid, unsigned resource, uaddr_t new, uaddr_t old);
long sys_getrandom(uaddr_t buf, size_t len, unsigned flags);
long sys_personality(unsigned persona);
long sys_reboot(unsigned magic1, unsigned magic2, unsigned cmd, uaddr_t arg);

#endif
