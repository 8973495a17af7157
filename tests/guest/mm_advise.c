/* SPDX-License-Identifier: ISC */
/*
 * mm_advise.c - madvise(2), msync(2), mincore(2), mlock(2) and its relatives,
 * membarrier(2), pkey_alloc(2), remap_file_pages(2), process_vm_readv(2), and
 * the memory policies of a machine with one node.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)
#define BAD  ((void *)8)

#ifndef MADV_FREE
#define MADV_FREE 8
#endif
#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#define MADV_KEEPONFORK 19
#endif
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static char *
fresh(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, RW, ANON, -1, 0);

	REQUIRE(p != MAP_FAILED);
	return p;
}

static void
advice(void)
{
	char *p = fresh(4), *q;
	unsigned char vec[4];

	memset(p, 1, 4 * PAGE);
	CHECK_RET(madvise(p + PAGE, PAGE, MADV_DONTNEED), 0);
	CHECK_RET(p[PAGE], 0);
	CHECK_RET(p[0] + p[2 * PAGE], 2);
	CHECK_RET(madvise(p, PAGE, MADV_FREE), 0);
	p[0] = 7; /* a write keeps it */
	CHECK_RET(p[0], 7);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_NORMAL), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_RANDOM), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_SEQUENTIAL), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_WILLNEED), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_DONTFORK), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_DOFORK), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_DONTDUMP), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_DODUMP), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_WIPEONFORK), 0);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_KEEPONFORK), 0);
	CHECK_RET(p[2 * PAGE], 1);
	CHECK_RET(madvise(p, 0, MADV_DONTNEED), 0);
	CHECK_ERR(madvise(p + 1, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_ERR(madvise(p, PAGE, 999), EINVAL);
	CHECK_ERR(madvise(p, ~0ul, MADV_NORMAL), EINVAL);
	CHECK_RET(madvise(p, 4 * PAGE, MADV_DONTNEED), 0);
	CHECK_RET(madvise(p, 2 * PAGE, MADV_POPULATE_WRITE), 0);
	CHECK_RET(madvise(p + 2 * PAGE, PAGE, MADV_POPULATE_READ), 0);
	CHECK_RET(mincore(p, 4 * PAGE, vec), 0);
	CHECK((vec[0] & vec[1] & vec[2] & 1) != 0);
	CHECK_RET(vec[3] & 1, 0);
	CHECK_RET(mprotect(p, PAGE, PROT_READ), 0);
	CHECK_ERR(madvise(p, PAGE, MADV_POPULATE_WRITE), EINVAL);
	CHECK_RET(munmap(p + PAGE, PAGE), 0);
	p[2 * PAGE] = 1;
	CHECK_ERR(madvise(p, 4 * PAGE, MADV_DONTNEED), ENOMEM);
	CHECK_RET(p[2 * PAGE], 0); /* the rest was done */
	CHECK_ERR(madvise(p, 4 * PAGE, MADV_POPULATE_READ), ENOMEM);
	munmap(p, 4 * PAGE);

	q = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	REQUIRE(q != MAP_FAILED);
	memset(q, 2, 4 * PAGE);
	CHECK_RET(madvise(q, PAGE, MADV_DONTNEED), 0);
	CHECK_RET(q[0], 2); /* shared memory keeps its contents */
	CHECK_ERR(madvise(q, PAGE, MADV_FREE), EINVAL);
	CHECK_ERR(madvise(q, PAGE, MADV_WIPEONFORK), EINVAL);
	CHECK_RET(madvise(q + PAGE, PAGE, MADV_REMOVE), 0);
	CHECK_RET(q[PAGE], 0);
	CHECK_RET(q[2 * PAGE], 2);
	munmap(q, 4 * PAGE);
	p = fresh(1);
	CHECK_ERR(madvise(p, PAGE, MADV_REMOVE), EINVAL);
	munmap(p, PAGE);
}

static void
syncing(void)
{
	char *p = fresh(3);

	CHECK_RET(msync(p, 3 * PAGE, MS_ASYNC), 0);
	CHECK_RET(msync(p, 3 * PAGE, MS_SYNC | MS_INVALIDATE), 0);
	CHECK_RET(msync(p, 0, MS_SYNC), 0);
	CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_ASYNC), EINVAL);
	CHECK_ERR(msync(p, PAGE, 64), EINVAL);
	CHECK_ERR(msync(p + 1, PAGE, MS_SYNC), EINVAL);
	munmap(p + PAGE, PAGE);
	CHECK_ERR(msync(p, 3 * PAGE, MS_SYNC), ENOMEM);
	CHECK_RET(mlock(p, PAGE), 0);
	CHECK_ERR(msync(p, PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
	CHECK_RET(munlock(p, PAGE), 0);
	munmap(p, 3 * PAGE);
}

static void
residence(void)
{
	char *p = fresh(300);
	unsigned char vec[300];

	CHECK_RET(madvise(p, 300 * PAGE, MADV_NOHUGEPAGE), 0);
	p[5 * PAGE] = 1;
	p[299 * PAGE] = 1;
	CHECK_RET(mincore(p, 300 * PAGE, vec), 0);
	CHECK_RET(vec[5] & 1, 1);
	CHECK_RET(vec[299] & 1, 1);
	CHECK_RET(vec[4] & 1, 0);
	CHECK_ERR(mincore(p + 1, PAGE, vec), EINVAL);
	CHECK_ERR(mincore(p, PAGE, BAD), EFAULT);
	CHECK_ERR(mincore(p, ~0ul, vec), ENOMEM);
	CHECK_RET(mincore(p, 0, vec), 0);
	munmap(p + 10 * PAGE, PAGE);
	CHECK_ERR(mincore(p + 9 * PAGE, 2 * PAGE, vec), ENOMEM);
	munmap(p, 300 * PAGE);
}

static void
locking(void)
{
	char *p = fresh(4);
	unsigned char vec[4];

	CHECK_RET(mlock(p + 1, PAGE), 0); /* rounded outwards: two pages */
	CHECK_RET(mincore(p, 4 * PAGE, vec), 0);
	CHECK_RET((vec[0] & vec[1] & 1), 1);
	CHECK_RET(vec[2] & 1, 0);
	CHECK_ERR(madvise(p, PAGE, MADV_DONTNEED), EINVAL);
	CHECK_RET(munlock(p, 4 * PAGE), 0);
	CHECK_RET(syscall(SYS_mlock2, p, 4 * PAGE, 1), 0);
	CHECK_RET(mincore(p, 4 * PAGE, vec), 0);
	CHECK_RET(vec[3] & 1, 0);
	CHECK_ERR(syscall(SYS_mlock2, p, PAGE, 2), EINVAL);
	CHECK_ERR(mlock(p, ~0ul - PAGE), EINVAL);
	CHECK_RET(mlock(p, 0), 0);
	CHECK_RET(munlock(p, 4 * PAGE), 0);
	munmap(p + 2 * PAGE, PAGE);
	CHECK_ERR(mlock(p, 4 * PAGE), ENOMEM);
	CHECK_ERR(munlock(p, 4 * PAGE), ENOMEM);
	munmap(p, 4 * PAGE);
	CHECK_ERR(mlockall(0), EINVAL);
	CHECK_ERR(mlockall(8), EINVAL);
	CHECK_ERR(mlockall(4), EINVAL);
	CHECK_RET(mlockall(MCL_FUTURE), 0);
	p = fresh(3);
	CHECK_RET(mincore(p, 3 * PAGE, vec), 0);
	CHECK_RET((vec[0] & vec[1] & vec[2] & 1), 1);
	CHECK_RET(munlockall(), 0);
	munmap(p, 3 * PAGE);
}

static void
barriers(void)
{
	long known = syscall(SYS_membarrier, 0, 0, 0);

	CHECK(known > 0 && (known & 1) != 0);
	CHECK_RET(syscall(SYS_membarrier, 1, 0, 0), 0);
	CHECK_ERR(syscall(SYS_membarrier, 8, 0, 0), EPERM);
	CHECK_RET(syscall(SYS_membarrier, 16, 0, 0), 0);
	CHECK_RET(syscall(SYS_membarrier, 8, 0, 0), 0);
	CHECK_ERR(syscall(SYS_membarrier, 8, 4, 0), EINVAL);
	CHECK_ERR(syscall(SYS_membarrier, 1 << 20, 0, 0), EINVAL);
}

static void
keys(void)
{
	char *p = fresh(1);

	CHECK_ERR(syscall(SYS_pkey_alloc, 1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_pkey_alloc, 0, 4), EINVAL);
	CHECK_ERR(syscall(SYS_pkey_free, 99), EINVAL);
	CHECK_RET(syscall(SYS_pkey_mprotect, p, PAGE, PROT_READ, -1), 0);
	CHECK_ERR(syscall(SYS_pkey_mprotect, p, PAGE, RW, 99), EINVAL);
	munmap(p, PAGE);
}

static void
other_views(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	p[3 * PAGE] = 7;
	CHECK_RET(syscall(SYS_remap_file_pages, p, PAGE, 0, 3, 0), 0);
	CHECK_RET(p[0], 7);
	p[0] = 8;
	CHECK_RET(p[3 * PAGE], 8);
	CHECK_ERR(syscall(SYS_remap_file_pages, p, PAGE, PROT_READ, 3, 0),
	    EINVAL);
	munmap(p, 4 * PAGE);
	p = fresh(1);
	CHECK_ERR(syscall(SYS_remap_file_pages, p, PAGE, 0, 0, 0), EINVAL);
	munmap(p, PAGE);
}

static void
own_memory_by_number(void)
{
	char *p = fresh(3), *q = fresh(3);
	struct iovec l[2] = { { q, 10 }, { q + 100, PAGE } };
	struct iovec r[2] = { { p + PAGE - 5, 20 }, { p + 2 * PAGE, 3000 } };
	pid_t me = getpid();

	memset(p, 3, 3 * PAGE);
	CHECK_RET(process_vm_readv(me, l, 2, r, 2, 0), 3020);
	CHECK_RET(q[9] + q[100] + q[100 + 3009], 9);
	CHECK_RET(q[10], 0);
	memset(q, 4, PAGE);
	CHECK_RET(process_vm_writev(me, l, 1, r, 1, 0), 10);
	CHECK_RET(p[PAGE - 5] + p[PAGE + 4] + p[PAGE + 5], 11);
	CHECK_RET(process_vm_readv(me, l, 0, r, 0, 0), 0);
	CHECK_ERR(process_vm_readv(me, l, 1, r, 1, 1), EINVAL);
	CHECK_ERR(process_vm_readv(me, BAD, 1, r, 1, 0), EFAULT);
	CHECK_ERR(process_vm_readv(0x3fffffff, l, 1, r, 1, 0), ESRCH);
	CHECK_ERR(process_vm_readv(me, l, 2000, r, 1, 0), EINVAL);
	r[0].iov_base = BAD;
	CHECK_ERR(process_vm_readv(me, l, 1, r, 1, 0), EFAULT);
	CHECK_RET(mprotect(p, PAGE, PROT_READ), 0);
	r[0].iov_base = p;
	CHECK_ERR(process_vm_writev(me, l, 1, r, 1, 0), EFAULT);
	munmap(p, 3 * PAGE);
	munmap(q, 3 * PAGE);
}

static void
policies(void)
{
	unsigned long mask[16] = { 1 };
	int mode = 77;
	char *p = fresh(2);

	CHECK_RET(syscall(SYS_get_mempolicy, &mode, NULL, 0, NULL, 0), 0);
	CHECK_RET(mode, 0);
	memset(mask, 0, sizeof(mask));
	CHECK_RET(syscall(SYS_get_mempolicy, NULL, mask, 1024, NULL, 4), 0);
	CHECK_RET(mask[0] & 1, 1);
	mask[0] = 1;
	CHECK_RET(syscall(SYS_mbind, p, 2 * PAGE, 2, mask, 1024, 0), 0);
	CHECK_ERR(syscall(SYS_mbind, p + 1, PAGE, 2, mask, 1024, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mbind, p, PAGE, 99, mask, 1024, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mbind, p, PAGE, 2, NULL, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mbind, p, PAGE, 2, BAD, 64, 0), EFAULT);
	CHECK_RET(syscall(SYS_set_mempolicy, 0, NULL, 0), 0);
	CHECK_ERR(syscall(SYS_set_mempolicy, 99, NULL, 0), EINVAL);
	CHECK_ERR(syscall(SYS_get_mempolicy, BAD, NULL, 0, NULL, 0), EFAULT);
	munmap(p, 2 * PAGE);
}

int
main(void)
{
	advice();
	syncing();
	residence();
	locking();
	barriers();
	keys();
	other_views();
	own_memory_by_number();
	policies();
	return check_done();
}
