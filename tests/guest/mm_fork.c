/* SPDX-License-Identifier: ISC */
/*
 * mm_fork.c - memory across fork(2): copied on write, shared, wiped, left
 * out; what a child used comes back; a child that takes all memory dies alone.
 */
#include "check.h"
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18
#endif
#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

/* In our kernel memory is counted to the page; elsewhere it is not. */
static bool
counted(void)
{
	struct utsname u;

	return uname(&u) == 0 && strstr(u.release, "remora") != NULL;
}

static unsigned long
free_pages(void)
{
	struct sysinfo s;

	return sysinfo(&s) != 0 ? 0 : s.freeram * s.mem_unit / PAGE;
}

static int
child_status(void (*fn)(char *), char *arg)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		fn(arg);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static void
child_writes(char *p)
{
	int i, bad = 0;

	for (i = 0; i < 100; i++)
		bad += p[i * PAGE] != 1;
	for (i = 0; i < 100; i += 2)
		p[i * PAGE] = 2;
	for (i = 0; i < 100; i++)
		bad += p[i * PAGE] != (i % 2 == 0 ? 2 : 1);
	_exit(bad != 0);
}

static void
copies(void)
{
	char *p = mmap(NULL, 100 * PAGE, RW, ANON, -1, 0);
	int i, round, bad = 0;

	REQUIRE(p != MAP_FAILED);
	for (i = 0; i < 100; i++)
		p[i * PAGE] = 1;
	for (round = 0; round < 5; round++)
		bad += child_status(child_writes, p) != 0;
	for (i = 0; i < 100; i++)
		bad += p[i * PAGE] != 1;
	CHECK_RET(bad, 0);
	munmap(p, 100 * PAGE);
}

static void
child_shares(char *p)
{
	p[PAGE] = 5;
}

static void
child_is_wiped(char *p)
{
	_exit(p[0] != 0);
}

static void
child_lacks(char *p)
{
	unsigned char vec;

	_exit(!(mincore(p, PAGE, &vec) == -1 && errno == ENOMEM));
}

static void
kinds(void)
{
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	CHECK_RET(child_status(child_shares, p), 0);
	CHECK_RET(p[PAGE], 5);
	munmap(p, 2 * PAGE);
	p = mmap(NULL, PAGE, RW, ANON, -1, 0);
	p[0] = 9;
	CHECK_RET(madvise(p, PAGE, MADV_WIPEONFORK), 0);
	CHECK_RET(child_status(child_is_wiped, p), 0);
	CHECK_RET(p[0], 9);
	CHECK_RET(madvise(p, PAGE, MADV_DONTFORK), 0);
	CHECK_RET(child_status(child_lacks, p), 0);
	munmap(p, PAGE);
}

static void
child_works(char *p)
{
	char *q = mmap(NULL, 600 * PAGE, RW, ANON, -1, 0), *r;

	memset(q, 1, 600 * PAGE);
	mprotect(q + 3 * PAGE, PAGE, PROT_READ);
	r = mremap(q + 100 * PAGE, 20 * PAGE, 700 * PAGE, MREMAP_MAYMOVE);
	memset(r, 2, 700 * PAGE);
	memset(p, 3, 50 * PAGE);
	mlock(q, 10 * PAGE);
	munmap(q + 10 * PAGE, 5 * PAGE);
	mmap(NULL, 300 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE,
	    -1, 0);
}

static void
nothing_is_lost(void)
{
	char *p = mmap(NULL, 100 * PAGE, RW, ANON, -1, 0);
	unsigned long before = 0;
	int i, bad = 0;

	REQUIRE(p != MAP_FAILED);
	memset(p, 1, 100 * PAGE);
	for (i = 0; i < 12; i++) {
		if (i == 4) /* caches are warm */
			before = free_pages();
		bad += child_status(child_works, p) != 0;
	}
	CHECK_RET(bad, 0);
	if (counted())
		CHECK_RET(free_pages(), before);
	munmap(p, 100 * PAGE);
}

static void
child_takes_all(char *unused)
{
	char *p;

	(void)unused;
	while ((p = malloc(1 << 20)) != NULL)
		memset(p, 1, 1 << 20);
	_exit(1);
}

/* Only where there is little memory, and nobody else's to take. */
static void
running_out(void)
{
	unsigned long before;
	int status;

	if (!counted() || free_pages() > 128 << 8)
		return;
	status = child_status(child_takes_all, NULL);
	CHECK(WIFSIGNALED(status));
	CHECK_RET(WTERMSIG(status), SIGKILL);
	/* All memory has its bookkeeping by now: the next one leaves no trace. */
	before = free_pages();
	status = child_status(child_takes_all, NULL);
	CHECK(WIFSIGNALED(status));
	CHECK_RET(free_pages(), before);
}

int
main(void)
{
	copies();
	kinds();
	nothing_is_lost();
	running_out();
	return check_done();
}
