/* SPDX-License-Identifier: ISC */
/*
 * sys_process.h - the system calls of exit.c, wait.c, sys_process.c, sys_cred.c,
 * sys_prctl.c and clone.c, as Linux declares them.
 */
#ifndef LINUX_SYS_PROCESS_H
#define LINUX_SYS_PROCESS_H

#include "kern/types.h"

struct process;

long sys_exit(int code) __noreturn;
long sys_exit_group(int code) __noreturn;
long sys_wait4(int32_t pid, uaddr_t status, unsigned options, uaddr_t usage);
long sys_waitid(int which, int32_t id, uaddr_t info, unsigned options,
    uaddr_t usage);

long sys_getpid(void);
long sys_getppid(void);
long sys_gettid(void);
long sys_getpgid(int32_t pid);
long sys_getpgrp(void);
long sys_setpgid(int32_t pid, int32_t pgid);
long sys_getsid(int32_t pid);
long sys_setsid(void);
long sys_set_tid_address(uaddr_t addr);

long sys_getuid(void);
long sys_geteuid(void);
long sys_getgid(void);
long sys_getegid(void);
long sys_setuid(uint32_t uid);
long sys_setgid(uint32_t gid);
long sys_setreuid(uint32_t ruid, uint32_t euid);
long sys_setregid(uint32_t rgid, uint32_t egid);
long sys_setresuid(uint32_t ruid, uint32_t euid, uint32_t suid);
long sys_setresgid(uint32_t rgid, uint32_t egid, uint32_t sgid);
long sys_getresuid(uaddr_t ruid, uaddr_t euid, uaddr_t suid);
long sys_getresgid(uaddr_t rgid, uaddr_t egid, uaddr_t sgid);
long sys_setfsuid(uint32_t uid);
long sys_setfsgid(uint32_t gid);
long sys_getgroups(int n, uaddr_t list);
long sys_setgroups(int n, uaddr_t list);
long sys_capget(uaddr_t header, uaddr_t data);
long sys_capset(uaddr_t header, uaddr_t data);

long sys_prctl(int option, uint64_t a2, uint64_t a3, uint64_t a4, uint64_t a5);
long sys_arch_prctl(int code, uint64_t arg);

long sys_unshare(uint64_t flags);
long sys_setns(int fd, int type);

long sys_fork(void);
long sys_vfork(void);
long sys_clone(uint64_t flags, uaddr_t stack, uaddr_t parent_tid,
    uaddr_t child_tid, uaddr_t tls);
long sys_clone3(uaddr_t args, size_t size);
/* exit.c, exec: a child made by vfork() no longer uses its parent's memory. */
void process_vfork_done(struct process *p);

#endif
