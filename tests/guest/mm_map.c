/* SPDX-License-Identifier: ISC */
/*
 * mm_map.c - mmap(2), munmap(2), mprotect(2), and what a program meets where
 * it may not go: SIGSEGV with its two codes, SIGBUS beyond a file's end.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 3
#endif
#define PAGE 4096ul
#define RW   (PROT_READ | PROT_WRITE)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static char dir[] = "/tmp/mm_map.XXXXXX";

static void *
anon(size_t pages, int prot)
{
	return mmap(NULL, pages * PAGE, prot, ANON, -1, 0);
}

/* The C library's mmap() looks at arguments itself. */
static long
raw_mmap(unsigned long addr, unsigned long len, long prot, long flags, int fd,
    unsigned long off)
{
	return syscall(SYS_mmap, addr, len, prot, flags, fd, off);
}

static volatile int fault_code;
static sigjmp_buf fault_jump;

static void
fault_handler(int sig, siginfo_t *info, void *context)
{
	(void)context;
	fault_code = info->si_code;
	siglongjmp(fault_jump, sig);
}

/* The si_code of the fault of touching p; 0: none.  kind: 'r' 'w' 'x'. */
static int
fault_of(volatile char *p, char kind)
{
	struct sigaction sa = { .sa_sigaction = fault_handler,
		.sa_flags = SA_SIGINFO },
			 segv, bus;
	volatile char sink;

	sigaction(SIGSEGV, &sa, &segv);
	sigaction(SIGBUS, &sa, &bus);
	fault_code = 0;
	if (sigsetjmp(fault_jump, 1) == 0) {
		if (kind == 'r')
			sink = *p;
		else if (kind == 'w')
			*p = 1;
		else
			((void (*)(void))(uintptr_t)p)();
	}
	(void)sink;
	sigaction(SIGSEGV, &segv, NULL);
	sigaction(SIGBUS, &bus, NULL);
	return fault_code;
}

static void
anonymous(void)
{
	char *p = anon(4, RW), *q;
	size_t i;

	REQUIRE(p != MAP_FAILED);
	CHECK_RET((uintptr_t)p % PAGE, 0);
	for (i = 0; i < 4 * PAGE && p[i] == 0; i++)
		;
	CHECK_RET(i, 4 * PAGE);
	memset(p, 7, 4 * PAGE);
	CHECK_RET(p[4 * PAGE - 1], 7);
	CHECK_RET(munmap(p + PAGE, PAGE), 0);
	CHECK_RET(fault_of(p + PAGE, 'r'), SEGV_MAPERR);
	CHECK_RET(p[0] + p[2 * PAGE], 14);
	/* Exactly there, if it is free. */
	q = mmap(p + PAGE, PAGE, RW, ANON, -1, 0);
	CHECK_RET(q, p + PAGE);
	CHECK_RET(q[5], 0);
	/* Replaced. */
	q = mmap(p, 2 * PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK_RET(q, p);
	CHECK_RET(p[0], 0);
	CHECK_ERR(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
	CHECK_RET(munmap(p, 4 * PAGE), 0);
	CHECK_RET(munmap(p, 4 * PAGE), 0); /* nothing there is no error */
	q = mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0);
	CHECK_RET(q, p);
	munmap(p, PAGE);
	p = mmap(NULL, 3 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);
	CHECK(p != MAP_FAILED && p[2 * PAGE] == 0);
	munmap(p, 3 * PAGE);
	p = mmap(NULL, PAGE, RW, ANON | MAP_STACK | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	munmap(p, PAGE);
	p = anon(1, RW); /* lengths are rounded up */
	CHECK_RET(munmap(p, 1), 0);
	CHECK_RET(fault_of(p + PAGE - 1, 'r'), SEGV_MAPERR);
}

static void
errors(void)
{
	int fd = open("/dev/null", O_RDWR);
	char *p = anon(1, RW);

	CHECK_ERR(raw_mmap(0, 0, RW, ANON, -1, 0), EINVAL);
	CHECK_ERR(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERR(raw_mmap(0, PAGE, RW, MAP_ANONYMOUS | MAP_SHARED_VALIDATE, -1,
		      0),
	    EINVAL);
	CHECK_ERR(raw_mmap((uintptr_t)p + 1, PAGE, RW, ANON | MAP_FIXED, -1, 0),
	    EINVAL);
	CHECK_ERR(raw_mmap(0, PAGE, RW, ANON, -1, 5), EINVAL);
	CHECK_ERR(raw_mmap(0, PAGE, RW, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERR(raw_mmap(0, PAGE, RW, MAP_PRIVATE, 77, 0), EBADF);
	CHECK_ERR(raw_mmap(0, ~0ul, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERR(raw_mmap(0, 1ul << 47, RW, ANON, -1, 0), ENOMEM);
	CHECK_ERR(raw_mmap(0x7fffffffe000, 4 * PAGE, RW, ANON | MAP_FIXED, -1,
		      0),
	    ENOMEM);
	CHECK_ERR(raw_mmap(0, PAGE, RW,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0),
	    EINVAL);
	CHECK_ERR(raw_mmap(0, PAGE, RW, MAP_PRIVATE, fd, 0), ENODEV);
	CHECK_ERR(munmap(p + 1, PAGE), EINVAL);
	CHECK_ERR(munmap(p, 0), EINVAL);
	CHECK_ERR(munmap(p, ~0ul), EINVAL);
	CHECK_ERR(munmap((void *)0x7ffffffff000, 2 * PAGE), EINVAL);
	munmap(p, PAGE);
	close(fd);
}

static void
protections(void)
{
	char *p = anon(5, RW);
	static const unsigned char ret = 0xc3;

	REQUIRE(p != MAP_FAILED);
	memset(p, 1, 5 * PAGE);
	CHECK_RET(mprotect(p + PAGE, PAGE, PROT_READ), 0);
	CHECK_RET(fault_of(p + PAGE, 'w'), SEGV_ACCERR);
	CHECK_RET(fault_of(p + PAGE, 'r'), 0);
	CHECK_RET(p[PAGE], 1);
	CHECK_RET(mprotect(p + PAGE, PAGE, PROT_NONE), 0);
	CHECK_RET(fault_of(p + PAGE, 'r'), SEGV_ACCERR);
	CHECK_FAULT(*(volatile char *)(p + PAGE + 9) = 1, SIGSEGV,
	    p + PAGE + 9);
	CHECK_RET(mprotect(p, 5 * PAGE, RW), 0);
	CHECK_RET(p[PAGE], 1); /* what was hidden is still there */
	p[0] = (char)ret;
	CHECK_RET(fault_of(p, 'x'), SEGV_ACCERR);
	CHECK_RET(mprotect(p, PAGE, PROT_READ | PROT_EXEC), 0);
	CHECK_RET(fault_of(p, 'x'), 0);
	CHECK_RET(mprotect(p, PAGE, PROT_WRITE), 0);
	CHECK_RET(fault_of(p, 'r'), 0); /* x86: writable is readable */
	CHECK_RET(munmap(p + 2 * PAGE, PAGE), 0);
	CHECK_ERR(mprotect(p + PAGE, 3 * PAGE, PROT_READ), ENOMEM);
	CHECK_RET(fault_of(p + PAGE, 'w'), SEGV_ACCERR); /* the part before */
	CHECK_RET(fault_of(p + 3 * PAGE, 'w'), 0);
	CHECK_ERR(syscall(SYS_mprotect, p + 1, PAGE, RW), EINVAL);
	CHECK_ERR(mprotect(p, PAGE, 0x4000), EINVAL);
	CHECK_RET(mprotect(p, 0, RW), 0);
	CHECK_ERR(syscall(SYS_mprotect, p, ~0ul, RW), ENOMEM);
	CHECK_ERR(mprotect(p, PAGE, RW | PROT_GROWSDOWN | PROT_GROWSUP),
	    EINVAL);
	CHECK_ERR(mprotect(p, PAGE, RW | PROT_GROWSDOWN), EINVAL);
	CHECK_ERR(mprotect(NULL, PAGE, RW), ENOMEM);
	munmap(p, 5 * PAGE);
}

static int
make_file(const char *name, size_t size)
{
	char path[100];
	size_t i;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	for (i = 0; i < size; i += 64) {
		char line[64];

		memset(line, 'a' + (int)(i / PAGE), sizeof(line));
		if (write(fd, line, size - i < 64 ? size - i : 64) < 0)
			return -1;
	}
	return fd;
}

static void
files_private(void)
{
	int fd = make_file("private", 3 * PAGE + 100);
	char *p, c = 0;

	REQUIRE(fd >= 0);
	p = mmap(NULL, 6 * PAGE, RW, MAP_PRIVATE, fd, 0);
	REQUIRE(p != MAP_FAILED);
	CHECK_RET(p[0], 'a');
	CHECK_RET(p[PAGE], 'b');
	CHECK_RET(p[3 * PAGE + 99], 'd');
	CHECK_RET(p[3 * PAGE + 100], 0); /* to the end of the page: zeros */
	CHECK_RET(p[4 * PAGE - 1], 0);
	CHECK_FAULT((void)*(volatile char *)(p + 4 * PAGE), SIGBUS,
	    p + 4 * PAGE);
	CHECK_RET(fault_of(p + 4 * PAGE, 'w'), BUS_ADRERR);
	p[0] = 'X';
	CHECK_RET(pread(fd, &c, 1, 0), 1);
	CHECK_RET(c, 'a');
	CHECK_RET(pwrite(fd, "Z", 1, 1), 1);
	CHECK_RET(p[1], 'a'); /* the copy is apart from now on */
	CHECK_RET(pwrite(fd, "Z", 1, PAGE + 1), 1);
	CHECK_RET(p[PAGE + 1], 'Z'); /* what was not copied is the file's */
	CHECK_RET(ftruncate(fd, PAGE), 0);
	CHECK_RET(fault_of(p + PAGE, 'r'), BUS_ADRERR);
	CHECK_RET(p[0], 'X');
	CHECK_RET(ftruncate(fd, 2 * PAGE), 0);
	CHECK_RET(p[PAGE], 0);
	CHECK_RET(close(fd), 0); /* a mapping lives without its descriptor */
	CHECK_RET(p[0], 'X');
	CHECK_RET(munmap(p, 6 * PAGE), 0);
}

static void
files_shared(void)
{
	int fd = make_file("shared", 2 * PAGE), ro;
	char *p, *q, c = 0, path[100];

	REQUIRE(fd >= 0);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	REQUIRE(p != MAP_FAILED && q != MAP_FAILED);
	p[PAGE] = 'M';
	CHECK_RET(q[0], 'M');
	CHECK_RET(pread(fd, &c, 1, PAGE), 1);
	CHECK_RET(c, 'M');
	CHECK_RET(pwrite(fd, "N", 1, PAGE + 1), 1);
	CHECK_RET(q[1], 'N');
	CHECK_RET(msync(p, 2 * PAGE, MS_SYNC), 0);
	CHECK_RET(fault_of(q, 'w'), SEGV_ACCERR);
	CHECK_RET(mprotect(q, PAGE, RW), 0);
	CHECK_RET(fault_of(q, 'w'), 0);
	munmap(q, PAGE);
	snprintf(path, sizeof(path), "%s/shared", dir);
	ro = open(path, O_RDONLY);
	CHECK_ERR(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0), EACCES);
	q = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
	CHECK(q != MAP_FAILED);
	CHECK_ERR(mprotect(q, PAGE, RW), EACCES);
	munmap(q, PAGE);
	q = mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0);
	CHECK(q != MAP_FAILED);
	q[0] = 'P';
	CHECK_RET(p[0], 'a');
	munmap(q, PAGE);
	close(ro);
	ro = open(path, O_WRONLY);
	CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0), EACCES);
	CHECK_ERR(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, ro, 0), EACCES);
	close(ro);
	CHECK_ERR(raw_mmap(0, PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000,
		      fd, 0),
	    EOPNOTSUPP);
	CHECK_ERR(raw_mmap(0, PAGE, PROT_READ, 0, fd, 0), EINVAL);
	CHECK_ERR(raw_mmap(0, 2 * PAGE, PROT_READ, MAP_SHARED, fd,
		      0x7ffffffffffff000),
	    EOVERFLOW);
	ro = open(dir, O_RDONLY | O_DIRECTORY);
	CHECK_ERR(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, ro, 0), ENODEV);
	close(ro);
	munmap(p, 2 * PAGE);
	close(fd);
}

static void
zero_device(void)
{
	int fd = open("/dev/zero", O_RDWR);
	char *p = mmap(NULL, 2 * PAGE, RW, MAP_PRIVATE, fd, 0);

	REQUIRE(fd >= 0);
	CHECK(p != MAP_FAILED && p[PAGE] == 0);
	p[PAGE] = 3;
	CHECK_RET(munmap(p, 2 * PAGE), 0);
	p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED, fd, 0);
	CHECK(p != MAP_FAILED && p[PAGE] == 0);
	p[PAGE] = 3;
	CHECK_RET(p[PAGE], 3);
	munmap(p, 2 * PAGE);
	close(fd);
}

/* A mapping that grows like a stack, up to another one's neighbourhood. */
static void
growing(void)
{
	char *p = anon(2048, PROT_NONE), *top;

	REQUIRE(p != MAP_FAILED);
	munmap(p, 2048 * PAGE);
	top = mmap(p + 2000 * PAGE, 4 * PAGE, RW,
	    ANON | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	REQUIRE(top == p + 2000 * PAGE);
	CHECK_RET(fault_of(top - 100, 'w'), 0);
	CHECK_RET(fault_of(top - 40 * PAGE, 'w'), 0);
	CHECK_RET(top[-20 * (long)PAGE], 0);
	munmap(top - 40 * PAGE, 44 * PAGE);
}

static char *
deep(unsigned long n)
{
	volatile char room[8192];

	room[0] = (char)n;
	return n == 0 ? (char *)&room[0] - 0 : deep(n - 1) + room[0] * 0;
}

static void
the_stack(void)
{
	char here;
	uintptr_t low = (uintptr_t)deep(400);

	CHECK((uintptr_t)&here - low > 3000000);
}

static void
limits(void)
{
	struct rlimit old, lim;
	char *p, *q;

	REQUIRE(getrlimit(RLIMIT_AS, &old) == 0);
	lim = old;
	lim.rlim_cur = 1 << 20;
	CHECK_RET(setrlimit(RLIMIT_AS, &lim), 0);
	CHECK_ERR(mmap(NULL, 4 << 20, RW, ANON, -1, 0), ENOMEM);
	CHECK_RET(setrlimit(RLIMIT_AS, &old), 0);
	REQUIRE(getrlimit(RLIMIT_DATA, &old) == 0);
	lim = old;
	lim.rlim_cur = 64 << 10;
	CHECK_RET(setrlimit(RLIMIT_DATA, &lim), 0);
	CHECK_ERR(mmap(NULL, 4 << 20, RW, ANON, -1, 0), ENOMEM);
	p = mmap(NULL, 4 << 20, PROT_READ, ANON, -1, 0);
	CHECK(p != MAP_FAILED);
	CHECK_ERR(mprotect(p, 4 << 20, RW), ENOMEM);
	CHECK_RET(setrlimit(RLIMIT_DATA, &old), 0);
	munmap(p, 4 << 20);
	/* More than there is: refused, unless nothing is promised. */
	CHECK_ERR(mmap(NULL, 1ul << 46, RW, ANON, -1, 0), ENOMEM);
	p = mmap(NULL, 1ul << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
	CHECK(p != MAP_FAILED);
	q = mmap(p + (1ul << 39), PAGE, RW, ANON | MAP_FIXED, -1, 0);
	CHECK(q != MAP_FAILED);
	q[0] = 1;
	CHECK_RET(munmap(p, 1ul << 40), 0);
}

static void
many(void)
{
	char *p = anon(4000, RW);
	size_t i, bad = 0;

	REQUIRE(p != MAP_FAILED);
	for (i = 0; i < 4000; i += 2)
		bad += mprotect(p + i * PAGE, PAGE, PROT_READ) != 0;
	CHECK_RET(bad, 0);
	for (i = 1; i < 4000; i += 2)
		p[i * PAGE] = 1;
	for (i = 0; i < 4000; i += 2)
		bad += mprotect(p + i * PAGE, PAGE, RW) != 0;
	for (i = 0; i < 4000; i++)
		bad += p[i * PAGE] != (char)(i & 1);
	CHECK_RET(bad, 0);
	CHECK_RET(munmap(p, 4000 * PAGE), 0);
}

int
main(void)
{
	char command[120];

	REQUIRE(mkdtemp(dir) != NULL);
	anonymous();
	errors();
	protections();
	files_private();
	files_shared();
	zero_device();
	growing();
	the_stack();
	limits();
	many();
	snprintf(command, sizeof(command), "%s/private", dir);
	CHECK_RET(unlink(command), 0);
	snprintf(command, sizeof(command), "%s/shared", dir);
	CHECK_RET(unlink(command), 0);
	CHECK_RET(rmdir(dir), 0);
	return check_done();
}
