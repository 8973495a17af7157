/* SPDX-License-Identifier: ISC */
/*
 * mm_remap.c - mremap(2) in all its forms, and brk(2).
 */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char *
raw_mremap(void *old, size_t old_len, size_t new_len, int flags, void *to)
{
	return (char *)syscall(SYS_mremap, old, old_len, new_len, flags, to);
}

/* Free room of so many pages. */
static char *
room(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_NONE, ANON, -1, 0);

	munmap(p, pages * PAGE);
	return p;
}

static bool
mapped(void *p)
{
	unsigned char vec;

	return mincore(p, PAGE, &vec) == 0;
}

static void
in_place(void)
{
	char *p = room(10), *q;

	p = mmap(p, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	REQUIRE(p != MAP_FAILED);
	p[PAGE] = 5;
	CHECK_RET(raw_mremap(p, 2 * PAGE, 4 * PAGE, 0, NULL), p);
	CHECK_RET(p[PAGE], 5);
	CHECK_RET(p[3 * PAGE], 0);
	p[3 * PAGE] = 6;
	CHECK_RET(raw_mremap(p, 4 * PAGE, 4 * PAGE, 0, NULL), p);
	CHECK_RET(raw_mremap(p, 4 * PAGE, PAGE, 0, NULL), p);
	CHECK(!mapped(p + PAGE) && !mapped(p + 3 * PAGE));
	q = mmap(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q == p + 2 * PAGE);
	CHECK_RET(raw_mremap(p, PAGE, 2 * PAGE, 0, NULL), p);
	CHECK_ERR(raw_mremap(p, 2 * PAGE, 4 * PAGE, 0, NULL), ENOMEM);
	munmap(p, 3 * PAGE);
}

static void
moving(void)
{
	char *p = room(10), *q, *to;
	size_t i;

	p = mmap(p, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	mmap(p + 2 * PAGE, PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK_RET(mprotect(p + 2 * PAGE, PAGE, PROT_READ), 0);
	memset(p, 9, 2 * PAGE);
	q = raw_mremap(p, 2 * PAGE, 600 * PAGE, MREMAP_MAYMOVE, NULL);
	REQUIRE(q != MAP_FAILED);
	CHECK(q != p);
	CHECK(!mapped(p));
	CHECK(mapped(p + 2 * PAGE));
	for (i = 0; i < 2 * PAGE && q[i] == 9; i++)
		;
	CHECK_RET(i, 2 * PAGE);
	CHECK_RET(q[599 * PAGE], 0);
	munmap(p + 2 * PAGE, PAGE);

	to = room(600);
	q[500 * PAGE] = 8;
	CHECK_RET(raw_mremap(q, 600 * PAGE, 600 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, to),
	    to);
	CHECK_RET(to[500 * PAGE], 8);
	CHECK_RET(to[PAGE], 9);
	CHECK(!mapped(q));
	/* From the middle, shrinking; what was there is replaced. */
	q = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0);
	CHECK_RET(raw_mremap(to + 499 * PAGE, 4 * PAGE, 2 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, q),
	    q);
	CHECK_RET(q[PAGE], 8);
	CHECK(mapped(to + 498 * PAGE) && !mapped(to + 499 * PAGE));
	CHECK(!mapped(to + 502 * PAGE) && mapped(to + 503 * PAGE));
	munmap(q, 4 * PAGE);
	munmap(to, 600 * PAGE);
}

static void
not_unmapping(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, ANON, -1, 0), *q;

	p[0] = 4;
	q = raw_mremap(p, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP,
	    NULL);
	REQUIRE(q != MAP_FAILED);
	CHECK_RET(q[0], 4);
	CHECK(mapped(p));
	CHECK_RET(p[0], 0);
	munmap(q, 2 * PAGE);
	munmap(p, 2 * PAGE);
}

static void
shared(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	char *q;

	REQUIRE(p != MAP_FAILED);
	/* Old size 0: a second view. */
	q = raw_mremap(p, 0, 4 * PAGE, MREMAP_MAYMOVE, NULL);
	REQUIRE(q != MAP_FAILED);
	p[PAGE] = 3;
	CHECK_RET(q[PAGE], 3);
	munmap(q, 4 * PAGE);
	/* Larger than the object: the rest is not there. */
	q = raw_mremap(p, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE, NULL);
	REQUIRE(q != MAP_FAILED);
	CHECK_RET(q[PAGE], 3);
	CHECK_FAULT((void)*(volatile char *)(q + 4 * PAGE), SIGBUS,
	    q + 4 * PAGE);
	munmap(q, 6 * PAGE);
}

static void
errors(void)
{
	char *p = mmap(NULL, 4 * PAGE, RW, ANON, -1, 0), *hole;

	CHECK_ERR(raw_mremap(p + 1, PAGE, PAGE, 0, NULL), EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, 0, 0, NULL), EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, PAGE, 64, NULL), EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, PAGE, MREMAP_FIXED, p + 2 * PAGE),
	    EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, PAGE, MREMAP_DONTUNMAP, NULL), EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, 2 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL),
	    EINVAL);
	CHECK_ERR(raw_mremap(p, 2 * PAGE, 2 * PAGE,
		      MREMAP_MAYMOVE | MREMAP_FIXED, p + PAGE),
	    EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
		      p + 2 * PAGE + 1),
	    EINVAL);
	CHECK_ERR(raw_mremap(p, 0, PAGE, MREMAP_MAYMOVE, NULL), EINVAL);
	CHECK_ERR(raw_mremap(p, PAGE, 1ul << 46, MREMAP_MAYMOVE, NULL), ENOMEM);
	hole = room(2);
	CHECK_ERR(raw_mremap(hole, PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL),
	    EFAULT);
	munmap(p + PAGE, PAGE);
	CHECK_ERR(raw_mremap(p, 3 * PAGE, 5 * PAGE, MREMAP_MAYMOVE, NULL),
	    EFAULT);
	munmap(p, 4 * PAGE);
}

static unsigned long
raw_brk(unsigned long to)
{
	return (unsigned long)syscall(SYS_brk, to);
}

static void
breaks(void)
{
	unsigned long start = raw_brk(0), at;
	struct rlimit old, lim;

	CHECK(start != 0);
	CHECK_RET(raw_brk(1), start); /* refused: the old one */
	at = start + 5 * PAGE + 17;
	CHECK_RET(raw_brk(at), at);
	memset((char *)start, 1, at - start);
	CHECK_RET(((char *)start)[5 * PAGE], 1);
	CHECK_RET(raw_brk(start + 100), start + 100);
	CHECK_RET(raw_brk(at), at);
	CHECK_RET(((char *)start)[4 * PAGE], 0); /* new memory again */
	REQUIRE(getrlimit(RLIMIT_DATA, &old) == 0);
	lim = old;
	lim.rlim_cur = 1 << 20;
	CHECK_RET(setrlimit(RLIMIT_DATA, &lim), 0);
	CHECK_RET(raw_brk(start + (8 << 20)), at);
	CHECK_RET(setrlimit(RLIMIT_DATA, &old), 0);
	CHECK_RET(raw_brk(0x7fffffffffff), at);
	CHECK_RET(raw_brk(start), start);
}

int
main(void)
{
	in_place();
	moving();
	not_unmapping();
	shared();
	errors();
	breaks();
	return check_done();
}
