/* SPDX-License-Identifier: ISC */
/*
 * bad_pointers.c - every system call, by number, with pointers, lengths and
 * flags that no sane program passes: the kernel must answer, not fall.
 *
 * A sweep draws arguments from a fixed series of pseudo-random numbers, so
 * each run is the same.  Kept out are arguments that would rightly end or
 * harm the program itself.  After each call number: errors are errno values,
 * registers are unharmed, a read-only page is unchanged, files still work.  A
 * second sweep must not cost memory that the first did not.
 *
 * Not for a host: some calls succeed, and this runs as root.
 *     bad_pointers [FIRST [LAST [SEED [TRIES]]]]
 * With one or two numbers each call is told before it is made.
 */
#include "check.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>

#define LAST_CALL  470
#define TRIES      48
#define KEEP_FD    400 /* a copy of standard output, out of the way */
#define FIRST_FD   3   /* files the sweep may have */
#define LAST_FD    8
#define LEAK_LIMIT (1024ul << 10)

enum care {
	CARE_SKIP = 1, /* not at all: it would end, block or unmap us */
	CARE_BAD = 2,  /* no pointer that holds: what it says would apply */
	CARE_FD = 4,   /* the first two are descriptors */
	CARE_PID = 8,  /* the first is a process, never ourselves */
};

/* clang-format off: several a line */
static const uint8_t care[LAST_CALL + 1] = {
	[SYS_exit] = CARE_SKIP,
	[SYS_exit_group] = CARE_SKIP,
	[SYS_rt_sigreturn] = CARE_SKIP,
	[SYS_reboot] = CARE_SKIP,
	[SYS_fork] = CARE_SKIP,
	[SYS_vfork] = CARE_SKIP,
	[SYS_clone] = CARE_SKIP,
	[SYS_clone3] = CARE_SKIP,
	[SYS_munmap] = CARE_SKIP,
	[SYS_mmap] = CARE_SKIP,
	[SYS_mremap] = CARE_SKIP,
	[SYS_mprotect] = CARE_SKIP,
	[SYS_madvise] = CARE_SKIP,
	[SYS_remap_file_pages] = CARE_SKIP,
	[SYS_pkey_mprotect] = CARE_SKIP,
	[SYS_mlockall] = CARE_SKIP,
	[SYS_brk] = CARE_BAD,
	[SYS_arch_prctl] = CARE_SKIP,
	[SYS_prctl] = CARE_SKIP,
	[SYS_seccomp] = CARE_BAD,
	[SYS_close_range] = CARE_SKIP,
	[SYS_chroot] = CARE_BAD,
	[SYS_pivot_root] = CARE_BAD,
	[SYS_umount2] = CARE_BAD,
	[SYS_ptrace] = CARE_PID,
	[SYS_vhangup] = CARE_SKIP,
	[SYS_setrlimit] = CARE_BAD,
	[SYS_prlimit64] = CARE_BAD,
	[SYS_settimeofday] = CARE_BAD,
	[SYS_clock_settime] = CARE_BAD,
	[SYS_adjtimex] = CARE_BAD,
	[SYS_clock_adjtime] = CARE_BAD,
	[SYS_set_robust_list] = CARE_BAD,
	[SYS_rseq] = CARE_SKIP,
	[SYS_rt_sigaction] = CARE_BAD,
	[SYS_sigaltstack] = CARE_BAD,
	[SYS_set_tid_address] = CARE_SKIP,
	[SYS_iopl] = CARE_SKIP,
	[SYS_userfaultfd] = CARE_SKIP,
	[SYS_setsid] = CARE_SKIP,
	[SYS_kill] = CARE_PID,
	[SYS_tkill] = CARE_PID,
	[SYS_tgkill] = CARE_PID,
	[SYS_rt_sigqueueinfo] = CARE_PID,
	[SYS_rt_tgsigqueueinfo] = CARE_PID,
	[SYS_process_madvise] = CARE_SKIP,
	[SYS_dup2] = CARE_FD,
	[SYS_dup3] = CARE_FD,
	[SYS_close] = CARE_FD,
	[SYS_dup] = CARE_FD,
	[SYS_fcntl] = CARE_FD,
	[SYS_ioctl] = CARE_FD,
	[SYS_read] = CARE_FD,
	[SYS_write] = CARE_FD,
	[SYS_readv] = CARE_FD,
	[SYS_writev] = CARE_FD,
	[SYS_sendfile] = CARE_FD,
	[SYS_splice] = CARE_FD,
	[SYS_tee] = CARE_FD,
	[SYS_flock] = CARE_FD,
	[SYS_copy_file_range] = CARE_FD,
	[SYS_fchmod] = CARE_FD,
	[SYS_fchown] = CARE_FD,
	[SYS_unshare] = CARE_SKIP,
	[SYS_setns] = CARE_BAD,
	[SYS_personality] = CARE_SKIP,
	[SYS_rt_sigtimedwait] = CARE_BAD,
	[SYS_rt_sigsuspend] = CARE_BAD,
	[SYS_execve] = CARE_BAD,
	[SYS_execveat] = CARE_BAD,
	[SYS_pause] = CARE_SKIP,
	[SYS_mount] = CARE_BAD,
	[SYS_swapon] = CARE_BAD,
	[SYS_process_vm_writev] = CARE_PID,
	[SYS_sched_setaffinity] = CARE_BAD,
	[SYS_shmat] = CARE_SKIP,
	[SYS_setuid] = CARE_SKIP,
	[SYS_setgid] = CARE_SKIP,
	[SYS_setreuid] = CARE_SKIP,
	[SYS_setregid] = CARE_SKIP,
	[SYS_setresuid] = CARE_SKIP,
	[SYS_setresgid] = CARE_SKIP,
	[SYS_setfsuid] = CARE_SKIP,
	[SYS_setfsgid] = CARE_SKIP,
	[SYS_capset] = CARE_BAD,
	[SYS_umask] = CARE_SKIP,
	[SYS_mlock] = CARE_BAD,
	[SYS_mlock2] = CARE_BAD,
	[SYS_setitimer] = CARE_BAD,
	[SYS_alarm] = CARE_SKIP,
};
/* clang-format on */

static char *readonly_page, *scratch, *none_page, *edge;
static uint64_t series;
static bool told;

/* xorshift64*: the same numbers in each run. */
static uint64_t
next_number(void)
{
	series ^= series >> 12;
	series ^= series << 25;
	series ^= series >> 27;
	return series * 0x2545f4914f6cdd1dull;
}

static uint64_t
bad_pointer(void)
{
	const uint64_t choice[] = {
		0,
		1,
		8,
		0xfff,
		0x10000,
		(uint64_t)readonly_page,
		(uint64_t)none_page,
		(uint64_t)edge - 1,
		(uint64_t)edge - 3,
		(uint64_t)edge,
		0x7ffffffff000,
		0x7fffffffeff8,
		0x7fffffffffff,
		0x800000000000,
		0x8000000000000000,
		0xffff800000000000,
		0xffff7fffffffffff,
		0xffffffff80000000,
		0xffffffff80100000,
		0xfffffffffffff000,
		0xfffffffffffffff8,
		~0ull,
		0x0123456789abcdef,
		0xdead000000000000,
	};

	return choice[next_number() % (sizeof(choice) / sizeof(choice[0]))];
}

static uint64_t
odd_number(void)
{
	static const uint64_t choice[] = {
		0,
		1,
		2,
		3,
		7,
		8,
		16,
		63,
		64,
		127,
		128,
		255,
		511,
		4095,
		4096,
		4097,
		65536,
		0x100000,
		0x7ffff000,
		0x7fffffff,
		0x80000000,
		0xfffffff0,
		0xffffffff,
		0x100000000,
		0x7fffffffffffffff,
		0x8000000000000000,
		0xfffffffffffff000,
		(uint64_t)-8,
		(uint64_t)-2,
		(uint64_t)-1,
		(uint64_t)-100,
	};

	if (next_number() % 8 == 0)
		return next_number() >> (next_number() % 64);
	return choice[next_number() % (sizeof(choice) / sizeof(choice[0]))];
}

static uint64_t
odd_fd(void)
{
	static const int choice[] = { -1, -100, 99, 1 << 20, 0x7fffffff,
		(int)0x80000000, 3, 4, 5, 6, 7, 8 };

	return (uint64_t)
	    choice[next_number() % (sizeof(choice) / sizeof(choice[0]))];
}

static uint64_t
draw(unsigned which, unsigned cares)
{
	uint64_t kind = next_number() % 8;

	if ((cares & CARE_FD) && which < 2)
		return which == 0 || kind < 5 ? odd_fd() :
						9 + next_number() % 50;
	if ((cares & CARE_PID) && which < 2)
		return (uint64_t)(int)(0x3fffffff - next_number() % 100000);
	if (kind < 3)
		return bad_pointer();
	if (kind < 4 && !(cares & CARE_BAD))
		return (uint64_t)scratch;
	if (kind < 5)
		return odd_fd();
	return odd_number();
}

/* The call itself; *harm tells whether a register came back changed. */
static long
call(long nr, const uint64_t arg[6], bool *harm)
{
	register uint64_t r10 __asm__("r10") = arg[3];
	register uint64_t r8 __asm__("r8") = arg[4];
	register uint64_t r9 __asm__("r9") = arg[5];
	uint64_t changed = 0;
	long ret;

	__asm__ volatile(
	    "lea -128(%%rsp), %%rsp\n\t" /* past the red zone */
	    "push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14\n\t"
	    "push %%r15\n\t"
	    "mov $0x1111, %%ebx; mov $0x2222, %%ebp; mov $0x3333, %%r12d\n\t"
	    "mov $0x4444, %%r13d; mov $0x5555, %%r14d; mov %%rsp, %%r15\n\t"
	    "syscall\n\t"
	    "mov %%rsp, %%rcx; xor %%r15, %%rcx; mov %%r15, %%rsp\n\t"
	    "xor $0x1111, %%rbx; or %%rbx, %%rcx\n\t"
	    "xor $0x2222, %%rbp; or %%rbp, %%rcx\n\t"
	    "xor $0x3333, %%r12; or %%r12, %%rcx\n\t"
	    "xor $0x4444, %%r13; or %%r13, %%rcx\n\t"
	    "xor $0x5555, %%r14; or %%r14, %%rcx\n\t"
	    "pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp\n\t"
	    "pop %%rbx; lea 128(%%rsp), %%rsp"
	    : "=a"(ret), "=&c"(changed), "+r"(r10), "+r"(r8), "+r"(r9)
	    : "a"(nr), "D"(arg[0]), "S"(arg[1]), "d"(arg[2])
	    : "r11", "memory", "cc");
	*harm = changed != 0;
	return ret;
}

static void
woken(int sig)
{
	(void)sig;
}

/* Every signal is ignored but the one that ends a call which sleeps. */
static void
calm_down(void)
{
	struct itimerval often = { { 0, 50000 }, { 0, 50000 } };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction wake = { .sa_handler = woken };
	sigset_t none;

	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGSEGV && sig != SIGBUS && sig != SIGFPE &&
		    sig != SIGILL && sig != SIGALRM)
			sigaction(sig, &ignore, NULL);
	sigaction(SIGALRM, &wake, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void
open_files(void)
{
	static const char *const path[] = { "/tmp/swept", "/tmp", "/dev/null",
		"/proc/self/stat" };
	int fd[2], at = FIRST_FD;

	for (int i = FIRST_FD; i < 200; i++)
		close(i);
	for (unsigned i = 0; i < 4; i++, at++) {
		fd[0] = open(path[i],
		    i == 0 ? O_RDWR | O_CREAT | O_TRUNC : O_RDONLY, 0600);
		if (fd[0] >= 0 && fd[0] != at)
			dup2(fd[0], at);
	}
	if (pipe2(fd, O_NONBLOCK) != 0)
		close(fd[0]);
}

static void
sweep_one(long nr, unsigned tries)
{
	unsigned refused = 0, wrong = 0, harmed = 0;
	uint64_t arg[6];
	bool harm;
	long ret;

	calm_down();
	open_files();
	for (unsigned i = 0; i < tries; i++) {
		for (unsigned k = 0; k < 6; k++)
			arg[k] = draw(k, care[nr]);
		if (told)
			check_note("%ld(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx)",
			    nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
		ret = call(nr, arg, &harm);
		harmed += harm;
		refused += ret < 0 && ret >= -4095;
		if (ret < -133 && ret >= -4095) {
			wrong++;
			check_note("%ld(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) "
				   "= %ld, which is no errno",
			    nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5],
			    ret);
		}
	}
	if (fcntl(1, F_GETFD) < 0)
		dup2(KEEP_FD, 1);
	check_true_at(__FILE__, __LINE__, "its errors are errno values",
	    wrong == 0);
	check_true_at(__FILE__, __LINE__, "registers are unharmed",
	    harmed == 0);
	for (unsigned i = 0; i < 4096; i++)
		wrong += readonly_page[i] != (char)(i * 3);
	check_true_at(__FILE__, __LINE__, "the read-only page is unchanged",
	    wrong == 0);
	check_note("call %ld: %u of %u refused", nr, refused, tries);
}

static void
sweep(long first, long last, uint64_t seed, unsigned tries)
{
	for (long nr = first; nr <= last; nr++) {
		if (care[nr] & CARE_SKIP)
			continue;
		series = seed + (uint64_t)nr * 0x9e3779b97f4a7c15ull;
		memset(scratch, (int)nr, 4096);
		sweep_one(nr, tries);
	}
	series = 1;
	calm_down();
	open_files();
}

/* What was kept out above, with arguments that cannot hit ourselves. */
static void
chosen(void)
{
	void *high = (void *)0x7fffffffe000;
	uint64_t kernel = 0xffffffff80000000;

	CHECK_ERR(munmap((void *)1, 4096), EINVAL);
	CHECK_ERR(munmap((void *)kernel, 4096), EINVAL);
	CHECK_ERR(munmap((void *)0x10000, 0), EINVAL);
	CHECK_ERR(munmap((void *)0x10000, 1ul << 63), EINVAL);
	CHECK_ERR(mmap((void *)kernel, 4096, PROT_READ,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	    ENOMEM);
	CHECK_ERR(mmap(NULL, 1ul << 50, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0),
	    ENOMEM);
	CHECK_ERR(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	    EINVAL);
	CHECK_ERR(mmap(NULL, ~0ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		      0),
	    ENOMEM);
	CHECK_ERR(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, -1, 0), EBADF);
	CHECK_ERR(mmap(NULL, 4096, PROT_READ, MAP_ANONYMOUS, -1, 0), EINVAL);
	CHECK_ERR(syscall(SYS_mprotect, 1, 4096, PROT_READ), EINVAL);
	CHECK_ERR(mprotect((void *)0x10000, 4096, PROT_READ), ENOMEM);
	CHECK_ERR(mprotect((void *)kernel, 4096, PROT_READ), ENOMEM);
	CHECK_ERR(mremap((void *)0x10000, 4096, 8192, MREMAP_MAYMOVE), EFAULT);
	CHECK_ERR(mremap((void *)1, 4096, 8192, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR(mremap(scratch, 4096, 0, MREMAP_MAYMOVE), EINVAL);
	CHECK_ERR(mremap(scratch, 4096, 1ul << 60, MREMAP_MAYMOVE), ENOMEM);
	CHECK_ERR(madvise((void *)1, 4096, MADV_NORMAL), EINVAL);
	CHECK_ERR(madvise(scratch, 4096, 12345), EINVAL);
	CHECK_ERR(madvise(high, ~0ul, MADV_DONTNEED), EINVAL);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1002, kernel), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1002, 1ul << 63), EPERM);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x1003, kernel), EFAULT);
	CHECK_ERR(syscall(SYS_arch_prctl, 0x9999, 0), EINVAL);
	CHECK_ERR(syscall(SYS_prctl, 0x7fff, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, 8, NULL, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, 0, NULL, NULL, 7), EINVAL);
	CHECK_ERR(syscall(SYS_execve, kernel, NULL, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_execve, "/none", kernel, NULL), EFAULT);
	CHECK_ERR(syscall(SYS_kill, 0x3fffffff, 9), ESRCH);
	CHECK_ERR(syscall(SYS_kill, 1, 65), EINVAL);
}

/* After all that, a program can still live here. */
static void
alive(void)
{
	char line[32];
	int fd = CHECK_OK(open("/tmp/after", O_RDWR | O_CREAT | O_TRUNC, 0600));
	char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK_RET(write(fd, "still here", 10), 10);
	CHECK_RET(pread(fd, line, sizeof(line), 0), 10);
	CHECK_MEM(line, "still here", 10);
	CHECK_RET(close(fd), 0);
	CHECK_RET(unlink("/tmp/after"), 0);
	REQUIRE(p != MAP_FAILED);
	memset(p, 1, 1 << 20);
	CHECK_RET(munmap(p, 1 << 20), 0);
	CHECK_RET(getpid(), syscall(SYS_getpid));
	CHECK_FAULT(*(volatile char *)8, SIGSEGV, 8);
}

static unsigned long
free_memory(void)
{
	struct sysinfo si;

	if (sysinfo(&si) != 0)
		return 0;
	return (si.freeram + si.bufferram) * si.mem_unit;
}

static void
prepare(void)
{
	char *p = mmap(NULL, 6 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	REQUIRE(p != MAP_FAILED);
	scratch = p;
	readonly_page = p + 4096;
	none_page = p + 2 * 4096;
	edge = p + 4 * 4096; /* the end of a page; nothing behind it */
	for (unsigned i = 0; i < 4096; i++)
		readonly_page[i] = (char)(i * 3);
	REQUIRE(mprotect(readonly_page, 4096, PROT_READ) == 0);
	REQUIRE(mprotect(none_page, 4096, PROT_NONE) == 0);
	REQUIRE(munmap(edge, 2 * 4096) == 0);
	REQUIRE(dup2(1, KEEP_FD) == KEEP_FD);
	mkdir("/tmp", 0777);
}

int
main(int argc, char **argv)
{
	long first = argc > 1 ? atol(argv[1]) : 0;
	long last = argc > 2 ? atol(argv[2]) : argc > 1 ? first : LAST_CALL;
	unsigned long before, after;

	if (getpid() != 1)
		return 2; /* it would do harm on a host */
	told = argc > 1;
	prepare();
	sweep(first, last, 1, TRIES);
	chosen();
	alive();
	before = free_memory();
	sweep(first, last, 2, TRIES / 2);
	alive();
	after = free_memory();
	check_note("free memory: %lu KiB, then %lu KiB", before >> 10,
	    after >> 10);
	CHECK(before != 0 && after + LEAK_LIMIT >= before);
	return check_done();
}
