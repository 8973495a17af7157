/* SPDX-License-Identifier: ISC */
/*
 * sys_mm.c - mmap(2) and the other calls on a program's memory: arguments
 * checked as Linux does, in Linux's order, then given to kern/vm.h.
 */
#include "linux/sys_mm.h"
#include "fs/file.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/fdtable.h"
#include "linux/process.h"
#include "x86/smp.h"
#include <asm/mman.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/personality.h>

#define PROT_ALL (PROT_READ | PROT_WRITE | PROT_EXEC)

static struct vmspace *
vm_self(void)
{
	return process_self()->vm;
}

void
mm_sync_limits(struct process *p)
{
	struct vm_layout *l = vmspace_layout(p->vm);

	l->stack_max = p->rlimits[RLIMIT_STACK].rlim_cur;
	l->as_max = p->rlimits[RLIMIT_AS].rlim_cur;
	l->data_max = p->rlimits[RLIMIT_DATA].rlim_cur;
	l->lock_max = p->rlimits[RLIMIT_MEMLOCK].rlim_cur;
	if (capable(CAP_IPC_LOCK))
		l->lock_max = UINT64_MAX;
}

/* Pages that may be locked; 0: none, which is EPERM. */
static uint64_t
lock_limit(void)
{
	mm_sync_limits(process_self());
	return vmspace_layout(vm_self())->lock_max >> PAGE_SHIFT;
}

static unsigned
prot_flags(unsigned long prot)
{
	_Static_assert(PROT_READ == VM_READ && PROT_WRITE == VM_WRITE &&
		PROT_EXEC == VM_EXEC,
	    "kern/vm.h");
	unsigned flags = prot & PROT_ALL;

	if ((flags & VM_READ) != 0 &&
	    (process_self()->personality & READ_IMPLIES_EXEC) != 0)
		flags |= VM_EXEC;
	return flags;
}

struct mmap_args {
	uaddr_t addr;
	uint64_t len, offset;
	unsigned long prot, flags;
	unsigned vm_flags;
	struct vm_object *object;
};

#define LEGACY_FLAGS                                                    \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS |         \
	    MAP_DENYWRITE | MAP_EXECUTABLE | MAP_UNINITIALIZED |        \
	    MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | \
	    MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT |        \
	    (MAP_HUGE_MASK << MAP_HUGE_SHIFT))

/* MAP_FIXED and the other flags that say how, not what. */
static void
mmap_common_flags(struct mmap_args *a)
{
	unsigned f = prot_flags(a->prot);

	if ((a->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0)
		f |= VM_FIXED;
	if ((a->flags & MAP_FIXED_NOREPLACE) != 0)
		f |= VM_NOREPLACE;
	if ((a->flags & MAP_GROWSDOWN) != 0)
		f |= VM_GROWSDOWN;
	if ((a->flags & MAP_NORESERVE) != 0)
		f |= VM_NORESERVE;
	if ((a->flags & MAP_LOCKED) != 0)
		f |= VM_LOCKED;
	if ((a->flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		f |= VM_POPULATE;
	a->vm_flags = f;
}

static int
mmap_anonymous(struct mmap_args *a)
{
	switch (a->flags & MAP_TYPE) {
	case MAP_PRIVATE: break;
	case MAP_SHARED:
		if ((a->flags & MAP_GROWSDOWN) != 0)
			return -EINVAL;
		a->vm_flags |= VM_SHARED | VM_MAYWRITE;
		a->offset = 0;
		return vm_object_anon(a->len, &a->object);
	default: return -EINVAL;
	}
	a->offset = 0;
	return 0;
}

/* What the file's open mode allows. */
static int
mmap_file_access(struct mmap_args *a, const struct file *f)
{
	bool writable = (f->mode & FILE_WRITE) != 0;

	switch (a->flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if ((a->flags &
			~(LEGACY_FLAGS | MAP_FIXED_NOREPLACE | MAP_TYPE)) != 0)
			return -EOPNOTSUPP;
		/* fall through */
	case MAP_SHARED:
		if ((a->prot & PROT_WRITE) != 0 && !writable)
			return -EACCES;
		if ((a->prot & PROT_WRITE) != 0 &&
		    (f->inode->flags & INODE_APPEND) != 0)
			return -EACCES;
		a->vm_flags |= VM_SHARED | (writable ? VM_MAYWRITE : 0);
		break;
	case MAP_PRIVATE: break;
	default: return -EINVAL;
	}
	if ((f->mode & FILE_READ) == 0)
		return -EACCES;
	if ((a->prot & PROT_EXEC) != 0 && f->path.mnt != NULL &&
	    (f->path.mnt->flags & MS_NOEXEC) != 0)
		return -EPERM;
	return 0;
}

static int
mmap_file(struct mmap_args *a, struct file *f)
{
	uint64_t max = f->inode->sb != NULL ? f->inode->sb->max_size : 0;
	int error;

	if (max == 0)
		max = INT64_MAX;
	if (a->offset > max || a->len > max - a->offset)
		return -EOVERFLOW;
	error = mmap_file_access(a, f);
	if (error != 0)
		return error;
	if (f->ops->mmap == NULL)
		return -ENODEV;
	if ((a->flags & MAP_GROWSDOWN) != 0)
		return -EINVAL;
	error = file_mmap(f, a->len, &a->vm_flags, &a->offset, &a->object);
	if (error == 0 && a->object == NULL &&
	    (a->vm_flags & VM_SHARED) != 0) /* /dev/zero */
		error = vm_object_anon(a->len, &a->object);
	return error;
}

/* Linux looks for the place before it looks at the file. */
static int
mmap_check_place(const struct mmap_args *a)
{
	bool fixed = (a->flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) != 0;

	if (a->len > USER_END)
		return -ENOMEM;
	if (fixed && a->addr > USER_END - a->len)
		return -ENOMEM;
	if (fixed && (a->addr & PAGE_MASK) != 0)
		return -EINVAL;
	if (fixed && a->addr < VM_MIN_ADDR && !capable(CAP_SYS_RAWIO))
		return -EPERM;
	if ((a->flags & MAP_LOCKED) != 0 && lock_limit() == 0)
		return -EPERM;
	return 0;
}

static long
do_mmap(struct mmap_args *a, struct file *f)
{
	int error;

	if (a->len == 0)
		return -EINVAL;
	a->len = ROUND_UP(a->len, PAGE_SIZE);
	if (a->len == 0)
		return -ENOMEM;
	mm_sync_limits(process_self());
	mmap_common_flags(a);
	error = mmap_check_place(a);
	if (error == 0)
		error = f != NULL ? mmap_file(a, f) : mmap_anonymous(a);
	if (error != 0)
		return error;
	error = vm_map(vm_self(), &a->addr, a->len, a->vm_flags, a->object,
	    a->offset);
	if (a->object != NULL)
		vm_object_put(a->object);
	return error != 0 ? error : (long)a->addr;
}

long
sys_mmap(uaddr_t addr, uint64_t len, unsigned long prot, unsigned long flags,
    int fd, uint64_t offset)
{
	struct mmap_args a = { .addr = addr,
		.len = len,
		.prot = prot,
		.flags = flags,
		.offset = offset };
	struct fdref ref;
	long ret;

	if ((offset & PAGE_MASK) != 0)
		return -EINVAL;
	if ((flags & MAP_ANONYMOUS) != 0) {
		if ((flags & MAP_HUGETLB) != 0)
			return -ENOMEM; /* none are set aside */
		return do_mmap(&a, NULL);
	}
	ref = fd_get(fd);
	if (ref.file == NULL)
		return -EBADF;
	ret = (flags & MAP_HUGETLB) != 0 ? -EINVAL : do_mmap(&a, ref.file);
	fd_put(ref);
	return ret;
}

long
sys_munmap(uaddr_t addr, uint64_t len)
{
	uint64_t size = ROUND_UP(len, PAGE_SIZE);

	if ((addr & PAGE_MASK) != 0 || size < len || size == 0 ||
	    size > USER_END || addr > USER_END - size)
		return -EINVAL;
	return vm_unmap(vm_self(), addr, size);
}

long
sys_mprotect(uaddr_t addr, uint64_t len, unsigned long prot)
{
	unsigned long grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
	uint64_t size = ROUND_UP(len, PAGE_SIZE);
	unsigned flags;

	prot &= ~grows;
	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP))
		return -EINVAL;
	if ((addr & PAGE_MASK) != 0)
		return -EINVAL;
	if (len == 0)
		return 0;
	if (size < len || addr + size <= addr)
		return -ENOMEM;
	if ((prot & ~(PROT_ALL | PROT_SEM)) != 0 || grows == PROT_GROWSUP)
		return -EINVAL;
	mm_sync_limits(process_self());
	flags = prot_flags(prot);
	if (grows != 0)
		flags |= VM_GROWSDOWN;
	return vm_protect(vm_self(), addr, size, flags);
}

long
sys_brk(uaddr_t end)
{
	mm_sync_limits(process_self());
	return vm_brk(vm_self(), end);
}

long
sys_mremap(uaddr_t addr, uint64_t old_len, uint64_t new_len,
    unsigned long flags, uaddr_t new_addr)
{
	_Static_assert(MREMAP_MAYMOVE == VM_REMAP_MAYMOVE &&
		MREMAP_FIXED == VM_REMAP_FIXED &&
		MREMAP_DONTUNMAP == VM_REMAP_DONTUNMAP,
	    "kern/vm.h");
	const unsigned long moving = MREMAP_FIXED | MREMAP_DONTUNMAP;
	uaddr_t out = new_addr;
	int error;

	if ((flags & ~(moving | MREMAP_MAYMOVE)) != 0)
		return -EINVAL;
	if ((flags & moving) != 0 && (flags & MREMAP_MAYMOVE) == 0)
		return -EINVAL;
	if ((flags & MREMAP_DONTUNMAP) != 0 && old_len != new_len)
		return -EINVAL;
	mm_sync_limits(process_self());
	error = vm_remap(vm_self(), addr, old_len, new_len, flags, &out);
	return error != 0 ? error : (long)out;
}

/* -1: unknown. */
static int
advice_of(int advice)
{
	switch (advice) {
	case MADV_NORMAL:
	case MADV_RANDOM:
	case MADV_SEQUENTIAL:
	case MADV_MERGEABLE:
	case MADV_UNMERGEABLE:
	case MADV_HUGEPAGE:
	case MADV_NOHUGEPAGE:
	case MADV_COLD:
	case MADV_PAGEOUT: return VM_ADVISE_NOTHING;
	case MADV_WILLNEED: return VM_ADVISE_WILLNEED;
	case MADV_DONTNEED:
	case MADV_DONTNEED_LOCKED: return VM_ADVISE_DONTNEED;
	case MADV_FREE: return VM_ADVISE_FREE;
	case MADV_REMOVE: return VM_ADVISE_REMOVE;
	case MADV_DONTFORK: return VM_ADVISE_DONTFORK;
	case MADV_DOFORK: return VM_ADVISE_DOFORK;
	case MADV_WIPEONFORK: return VM_ADVISE_WIPEONFORK;
	case MADV_KEEPONFORK: return VM_ADVISE_KEEPONFORK;
	case MADV_DONTDUMP: return VM_ADVISE_DONTDUMP;
	case MADV_DODUMP: return VM_ADVISE_DODUMP;
	case MADV_POPULATE_READ: return VM_ADVISE_POPULATE_READ;
	case MADV_POPULATE_WRITE: return VM_ADVISE_POPULATE_WRITE;
	default: return -1;
	}
}

long
sys_madvise(uaddr_t addr, uint64_t len, int advice)
{
	uint64_t size = ROUND_UP(len, PAGE_SIZE);
	int kind;

	if (advice == MADV_HWPOISON || advice == MADV_SOFT_OFFLINE)
		return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	kind = advice_of(advice);
	if (kind < 0 || (addr & PAGE_MASK) != 0 || size < len ||
	    addr + size < addr)
		return -EINVAL;
	if (size == 0)
		return 0;
	return vm_advise(vm_self(), addr, size, kind);
}

long
sys_msync(uaddr_t addr, uint64_t len, int flags)
{
	uint64_t size = ROUND_UP(len, PAGE_SIZE);

	if ((flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC)) != 0 ||
	    (addr & PAGE_MASK) != 0 ||
	    (flags & (MS_ASYNC | MS_SYNC)) == (MS_ASYNC | MS_SYNC))
		return -EINVAL;
	if (size < len || addr + size < addr)
		return -ENOMEM;
	return vm_sync(vm_self(), addr, size, (flags & MS_SYNC) != 0,
	    (flags & MS_INVALIDATE) != 0);
}

long
sys_mincore(uaddr_t addr, uint64_t len, uaddr_t vec)
{
	uint8_t some[256];
	uint64_t pages = PAGES(len);
	unsigned n;
	int error;

	if ((addr & PAGE_MASK) != 0)
		return -EINVAL;
	if (addr > USER_END || len > USER_END - addr)
		return -ENOMEM;
	if (vec > USER_END || pages > USER_END - vec)
		return -EFAULT;
	for (; pages > 0;
	     pages -= n, vec += n, addr += (uint64_t)n << PAGE_SHIFT) {
		n = MIN(pages, sizeof(some));
		error = vm_resident(vm_self(), addr, n, some);
		if (error != 0)
			return error;
		if (copyout(vec, some, n) != 0)
			return -EFAULT;
	}
	return 0;
}

static long
do_mlock(uaddr_t addr, uint64_t len, unsigned lock)
{
	uaddr_t start = ROUND_DOWN(addr, PAGE_SIZE);
	uint64_t size = ROUND_UP(len + (addr - start), PAGE_SIZE);
	uint64_t limit = lock_limit();

	if (lock != 0 && limit == 0)
		return -EPERM;
	if (size < len || start + size < start)
		return -EINVAL;
	return vm_lock(vm_self(), start, size, lock, limit);
}

long
sys_mlock(uaddr_t addr, uint64_t len)
{
	return do_mlock(addr, len, VM_LOCKED);
}

long
sys_mlock2(uaddr_t addr, uint64_t len, int flags)
{
	if ((flags & ~MLOCK_ONFAULT) != 0)
		return -EINVAL;
	return do_mlock(addr, len,
	    VM_LOCKED | ((flags & MLOCK_ONFAULT) != 0 ? VM_LOCKONFAULT : 0));
}

long
sys_munlock(uaddr_t addr, uint64_t len)
{
	return do_mlock(addr, len, 0);
}

long
sys_mlockall(int flags)
{
	unsigned lock = VM_LOCKED;
	uint64_t limit;

	if ((flags & (MCL_CURRENT | MCL_FUTURE)) == 0 ||
	    (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)) != 0)
		return -EINVAL;
	limit = lock_limit();
	if (limit == 0)
		return -EPERM;
	if ((flags & MCL_ONFAULT) != 0)
		lock |= VM_LOCKONFAULT;
	return vm_lock_all(vm_self(), (flags & MCL_CURRENT) != 0, lock,
	    (flags & MCL_FUTURE) != 0 ? lock : 0, limit);
}

long
sys_munlockall(void)
{
	return vm_lock_all(vm_self(), true, 0, 0, UINT64_MAX);
}

/* Long out of use: as Linux does, another mapping of the same object. */
long
sys_remap_file_pages(uaddr_t addr, uint64_t len, unsigned long prot,
    uint64_t pgoff, unsigned long flags)
{
	uaddr_t start = ROUND_DOWN(addr, PAGE_SIZE);
	uint64_t size = ROUND_DOWN(len, PAGE_SIZE);
	struct vm_info info;
	int error = -EINVAL;

	if (prot != 0 || start + size <= start ||
	    pgoff + (size >> PAGE_SHIFT) < pgoff ||
	    pgoff > INT64_MAX >> PAGE_SHIFT)
		return -EINVAL;
	if (!vmspace_info(vm_self(), start, &info))
		return -EINVAL;
	if (info.start <= start && info.end >= start + size &&
	    (info.flags & VM_SHARED) != 0 && info.object != NULL)
		error = vm_map(vm_self(), &start, size,
		    (info.flags & ~VM_LOCKED) | VM_FIXED |
			((flags & MAP_NONBLOCK) != 0 ? 0 : VM_POPULATE),
		    info.object, pgoff << PAGE_SHIFT);
	if (info.object != NULL)
		vm_object_put(info.object);
	return error;
}

/*
 * The register commands; each expedited one's bit is half of its own.  With
 * one processor, being in the kernel is a barrier for every thread.
 */
#define MEMBARRIER_REGISTER                             \
	(MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED |     \
	    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED | \
	    MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)
#define MEMBARRIER_NEEDS_REGISTER           \
	(MEMBARRIER_CMD_PRIVATE_EXPEDITED | \
	    MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE)

/* The interrupt itself serialises, and so does the return from it. */
static void
barrier_here(void *unused)
{
	(void)unused;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

long
sys_membarrier(int cmd, unsigned flags, int cpu)
{
	struct vm_layout *l = vmspace_layout(vm_self());

	(void)cpu;
	if (flags != 0)
		return -EINVAL;
	switch (cmd) {
	case MEMBARRIER_CMD_QUERY:
		return MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |
		    MEMBARRIER_REGISTER | MEMBARRIER_NEEDS_REGISTER;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		__atomic_or_fetch(&l->membarrier, cmd, __ATOMIC_RELAXED);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		if ((l->membarrier & (unsigned)cmd << 1) == 0)
			return -EPERM;
		/* fall through */
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		preempt_disable();
		cpu_call(~0ull, barrier_here, NULL);
		preempt_enable();
		return 0;
	default: return -EINVAL;
	}
}

/* Protection keys as on a processor that has none. */
long
sys_pkey_alloc(unsigned long flags, unsigned long rights)
{
	if (flags != 0 || (rights & ~3ul) != 0)
		return -EINVAL;
	return -ENOSPC;
}

long
sys_pkey_free(int pkey)
{
	(void)pkey;
	return -EINVAL;
}

long
sys_pkey_mprotect(uaddr_t addr, uint64_t len, unsigned long prot, int pkey)
{
	if (pkey != -1)
		return -EINVAL;
	return sys_mprotect(addr, len, prot);
}
