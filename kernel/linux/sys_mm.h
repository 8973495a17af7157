/* SPDX-License-Identifier: ISC */
/*
 * sys_mm.h - system calls on memory.  Arguments as Linux declares them.
 */
#ifndef LINUX_SYS_MM_H
#define LINUX_SYS_MM_H

#include "kern/types.h"

struct process;

/*
 * Tells p's address space its limits (RLIMIT_STACK, _AS, _DATA, _MEMLOCK).
 * setrlimit(2) calls it; the calls below do so by themselves.
 */
void mm_sync_limits(struct process *p);

long sys_mmap(uaddr_t addr, uint64_t len, unsigned long prot,
    unsigned long flags, int fd, uint64_t offset);
long sys_munmap(uaddr_t addr, uint64_t len);
long sys_mprotect(uaddr_t addr, uint64_t len, unsigned long prot);
long sys_brk(uaddr_t end);
long sys_mremap(uaddr_t addr, uint64_t old_len, uint64_t new_len,
    unsigned long flags, uaddr_t new_addr);
long sys_madvise(uaddr_t addr, uint64_t len, int advice);
long sys_msync(uaddr_t addr, uint64_t len, int flags);
long sys_mincore(uaddr_t addr, uint64_t len, uaddr_t vec);
long sys_mlock(uaddr_t addr, uint64_t len);
long sys_mlock2(uaddr_t addr, uint64_t len, int flags);
long sys_munlock(uaddr_t addr, uint64_t len);
long sys_mlockall(int flags);
long sys_munlockall(void);
long sys_remap_file_pages(uaddr_t addr, uint64_t len, unsigned long prot,
    uint64_t pgoff, unsigned long flags);
long sys_membarrier(int cmd, unsigned flags, int cpu);
long sys_pkey_alloc(unsigned long flags, unsigned long rights);
long sys_pkey_free(int pkey);
long
sys_pkey_mprotect(uaddr_t addr, uint64_t len, unsigned long prot, int pkey);

/* sys_numa.c: one node, so every policy means the same. */
long sys_mbind(uaddr_t addr, uint64_t len, unsigned long mode, uaddr_t mask,
    unsigned long maxnode, unsigned flags);
long sys_set_mempolicy(int mode, uaddr_t mask, unsigned long maxnode);
long sys_get_mempolicy(uaddr_t mode, uaddr_t mask, unsigned long maxnode,
    uaddr_t addr, unsigned long flags);

/* sys_process_vm.c */
long sys_process_vm_readv(int pid, uaddr_t local, unsigned long nlocal,
    uaddr_t remote, unsigned long nremote, unsigned long flags);
long sys_process_vm_writev(int pid, uaddr_t local, unsigned long nlocal,
    uaddr_t remote, unsigned long nremote, unsigned long flags);

#endif
