/* SPDX-License-Identifier: ISC */
/*
 * sys_process_vm.c - process_vm_readv(2), process_vm_writev(2): one process
 * copies from or to another's memory, through a page of the kernel's.
 */
#include "kern/kmem.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/ptrace.h"
#include "linux/sys_mm.h"
#include <linux/errno.h>
#include <linux/uio.h>

#define IOV_MAX 1024

/* A list of pieces, and how far it is consumed. */
struct pieces {
	struct iovec *iov;
	unsigned long n, i;
	uint64_t done; /* of iov[i] */
};

static int
pieces_get(struct pieces *p, uaddr_t list, unsigned long n)
{
	uint64_t total = 0;
	unsigned long i;

	p->iov = NULL;
	p->n = n;
	p->i = p->done = 0;
	if (n > IOV_MAX)
		return -EINVAL;
	if (n == 0)
		return 0;
	p->iov = kcalloc(n, sizeof(*p->iov));
	if (p->iov == NULL)
		return -ENOMEM;
	if (copyin(p->iov, list, n * sizeof(*p->iov)) != 0)
		return -EFAULT;
	for (i = 0; i < n; i++) {
		if (p->iov[i].iov_len > INT64_MAX - total)
			return -EINVAL;
		total += p->iov[i].iov_len;
	}
	return 0;
}

/* The next piece's address and length; false: all is consumed. */
static bool
pieces_next(struct pieces *p, uaddr_t *addr, uint64_t *len)
{
	for (; p->i < p->n; p->i++, p->done = 0) {
		*addr = (uaddr_t)p->iov[p->i].iov_base + p->done;
		*len = p->iov[p->i].iov_len - p->done;
		if (*len > 0)
			return true;
	}
	return false;
}

/* The address space of a task, with a reference. */
static int
vm_of(int pid, struct vmspace **out)
{
	struct task *t;
	struct process *p;
	int error = 0;

	mutex_lock(&process_lock);
	t = task_find_locked(pid);
	p = t != NULL ? t->process : process_find_locked(pid);
	if (p == NULL || p->vm == NULL)
		error = -ESRCH;
	else if (!ptrace_may_access_locked(p, t))
		error = -EPERM;
	else
		vmspace_get(*out = p->vm);
	mutex_unlock(&process_lock);
	return error;
}

/* One step of at most a page: bytes copied, 0 where a side ends or faults. */
static size_t
copy_step(struct vmspace *vm, uaddr_t local, uaddr_t remote, size_t len,
    bool write, void *page)
{
	size_t n;

	if (write) {
		n = len - copyin_partial(page, local, len);
		return vm_access(vm, remote, page, n, VM_WRITE);
	}
	n = vm_access(vm, remote, page, len, VM_READ);
	return n - copyout_partial(local, page, n);
}

static long
copy_all(struct vmspace *vm, struct pieces *l, struct pieces *r, bool write)
{
	uint64_t llen, rlen, total = 0;
	uaddr_t local, remote;
	size_t len, n;
	void *page = kmalloc(PAGE_SIZE);

	if (page == NULL)
		return -ENOMEM;
	while (
	    pieces_next(l, &local, &llen) && pieces_next(r, &remote, &rlen)) {
		len = MIN(MIN(llen, rlen), PAGE_SIZE);
		n = copy_step(vm, local, remote, len, write, page);
		l->done += n;
		r->done += n;
		total += n;
		if (n < len) {
			if (total == 0)
				total = -EFAULT;
			break;
		}
	}
	kfree(page);
	return total;
}

static long
process_vm_rw(int pid, uaddr_t local, unsigned long nlocal, uaddr_t remote,
    unsigned long nremote, unsigned long flags, bool write)
{
	struct pieces l = { .n = 0 }, r = { .n = 0 };
	struct vmspace *vm;
	long ret;

	if (flags != 0)
		return -EINVAL;
	ret = pieces_get(&l, local, nlocal);
	if (ret == 0)
		ret = pieces_get(&r, remote, nremote);
	if (ret == 0)
		ret = vm_of(pid, &vm);
	if (ret == 0) {
		ret = copy_all(vm, &l, &r, write);
		vmspace_put(vm);
	}
	kfree(l.iov);
	kfree(r.iov);
	return ret;
}

long
sys_process_vm_readv(int pid, uaddr_t local, unsigned long nlocal,
    uaddr_t remote, unsigned long nremote, unsigned long flags)
{
	return process_vm_rw(pid, local, nlocal, remote, nremote, flags, false);
}

long
sys_process_vm_writev(int pid, uaddr_t local, unsigned long nlocal,
    uaddr_t remote, unsigned long nremote, unsigned long flags)
{
	return process_vm_rw(pid, local, nlocal, remote, nremote, flags, true);
}
