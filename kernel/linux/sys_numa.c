/* SPDX-License-Identifier: ISC */
/*
 * sys_numa.c - memory policies on a machine with one node: every policy that
 * is well formed means the same, and is accepted.  numa(7).
 */
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/sys_mm.h"
#include <linux/errno.h>
#include <linux/mempolicy.h>

#define NODES_MAX 1024 /* bits that a mask may have */

/* Reads a node mask: *any is whether node 0, the only one, is in it. */
static int
read_mask(uaddr_t mask, unsigned long maxnode, bool *any)
{
	uint64_t word;
	unsigned long bits, i;

	*any = false;
	if (maxnode > PAGE_SIZE * 8)
		return -EINVAL;
	bits = maxnode > 0 ? maxnode - 1 : 0; /* as Linux counts */
	if (mask == 0 || bits == 0)
		return 0;
	for (i = 0; i < bits; i += 64) {
		if (copyin(&word, mask + i / 8, sizeof(word)) != 0)
			return -EFAULT;
		if (bits - i < 64)
			word &= (1ul << (bits - i)) - 1;
		if (i == 0) {
			*any = (word & 1) != 0;
			word &= ~1ul;
		}
		if (word != 0)
			return -EINVAL;
	}
	return 0;
}

static int
check_policy(int mode, uaddr_t mask, unsigned long maxnode)
{
	int flags = mode & MPOL_MODE_FLAGS;
	bool any;
	int error;

	mode &= ~MPOL_MODE_FLAGS;
	if (mode < 0 || mode >= MPOL_MAX)
		return -EINVAL;
	if ((flags & MPOL_F_STATIC_NODES) != 0 &&
	    (flags & MPOL_F_RELATIVE_NODES) != 0)
		return -EINVAL;
	error = read_mask(mask, maxnode, &any);
	if (error != 0)
		return error;
	switch (mode) {
	case MPOL_DEFAULT:
	case MPOL_LOCAL: return any ? -EINVAL : 0;
	case MPOL_PREFERRED: return 0;
	default: return any ? 0 : -EINVAL;
	}
}

long
sys_set_mempolicy(int mode, uaddr_t mask, unsigned long maxnode)
{
	return check_policy(mode, mask, maxnode);
}

long
sys_mbind(uaddr_t addr, uint64_t len, unsigned long mode, uaddr_t mask,
    unsigned long maxnode, unsigned flags)
{
	uint64_t size = ROUND_UP(len, PAGE_SIZE);
	int error;

	if ((flags & ~(unsigned)MPOL_MF_VALID) != 0 ||
	    (addr & PAGE_MASK) != 0 || addr + size < addr)
		return -EINVAL;
	error = check_policy((int)mode, mask, maxnode);
	if (error != 0 || size == 0)
		return error;
	error = vm_advise(process_self()->vm, addr, size, VM_ADVISE_NOTHING);
	return error == -ENOMEM ? -EFAULT : error;
}

long
sys_get_mempolicy(uaddr_t mode, uaddr_t mask, unsigned long maxnode,
    uaddr_t addr, unsigned long flags)
{
	const unsigned long known = MPOL_F_NODE | MPOL_F_ADDR |
	    MPOL_F_MEMS_ALLOWED;
	uint64_t nodes = (flags & MPOL_F_MEMS_ALLOWED) != 0 ? 1 : 0;
	struct vm_info info;
	int policy = MPOL_DEFAULT;
	size_t bytes;

	if ((flags & ~known) != 0 || (mask != 0 && maxnode < 1))
		return -EINVAL;
	if ((flags & MPOL_F_MEMS_ALLOWED) != 0 &&
	    (flags & (MPOL_F_NODE | MPOL_F_ADDR)) != 0)
		return -EINVAL;
	if ((flags & MPOL_F_ADDR) == 0 && addr != 0)
		return -EINVAL;
	/* The next node of an interleaving; there is no such policy here. */
	if ((flags & (MPOL_F_NODE | MPOL_F_ADDR)) == MPOL_F_NODE)
		return -EINVAL;
	if ((flags & MPOL_F_ADDR) != 0) {
		if (!vmspace_info(process_self()->vm, addr, &info))
			return -EFAULT;
		if (info.object != NULL)
			vm_object_put(info.object);
		if (info.start > addr)
			return -EFAULT;
		policy = 0; /* with MPOL_F_NODE: the node */
	}
	if (mode != 0 && copyout(mode, &policy, sizeof(policy)) != 0)
		return -EFAULT;
	if (mask == 0)
		return 0;
	bytes = ROUND_UP(MIN(maxnode - 1, NODES_MAX), 64) / 8;
	if (bytes > 0 && copyout(mask, &nodes, sizeof(nodes)) != 0)
		return -EFAULT;
	if (bytes > sizeof(nodes) &&
	    clearout(mask + sizeof(nodes), bytes - sizeof(nodes)) != 0)
		return -EFAULT;
	return 0;
}
