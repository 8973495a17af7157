/* SPDX-License-Identifier: ISC */
/*
 * sig_fpu.c - the FPU's state in signal frames: what handlers see of it and
 * change, what the processor would refuse, stacks that are not there yet.
 */
#include "check.h"
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

#define MXCSR   24
#define XMM9    (160 + 9 * 16)
#define MAGIC1  464
#define HEADER  512 /* of the extended state */
#define XMAGIC1 0x46505853u

static double in_frame, in_handler;
static bool extended;
static void (*edit)(unsigned char *fp);

static void
on_signal(int sig, siginfo_t *info, void *context)
{
	unsigned char *fp;
	unsigned magic;

	__asm__ volatile("movsd %%xmm9, %0" : "=m"(in_handler));
	(void)sig, (void)info;
	fp = (unsigned char *)((ucontext_t *)context)->uc_mcontext.fpregs;
	memcpy(&in_frame, fp + XMM9, sizeof(in_frame));
	memcpy(&magic, fp + MAGIC1, sizeof(magic));
	extended = magic == XMAGIC1;
	if (edit != NULL)
		edit(fp);
	__asm__ volatile("pcmpeqd %%xmm9, %%xmm9" ::: "xmm9");
}

/* xmm9 after a signal, which is v before it. */
static double
signalled(double v)
{
	double w;

	in_handler = -1;
	__asm__ volatile("movsd %1, %%xmm9\n\t"
			 "movl $39, %%eax\n\t" /* getpid */
			 "syscall\n\t"
			 "movl %%eax, %%edi\n\t"
			 "movl $10, %%esi\n\t" /* SIGUSR1 */
			 "movl $62, %%eax\n\t" /* kill */
			 "syscall\n\t"
			 "movsd %%xmm9, %0"
			 : "=m"(w)
			 : "m"(v)
			 : "rax", "rcx", "rdi", "rsi", "r11", "xmm9", "memory");
	return w;
}

static void
new_value(unsigned char *fp)
{
	double v = 9.75;

	memcpy(fp + XMM9, &v, sizeof(v));
}

static void
old_format(unsigned char *fp)
{
	memset(fp + MAGIC1, 0, 4);
}

static void
denormals_are_zero(unsigned char *fp)
{
	fp[MXCSR] |= 0x40;
}

/* QEMU's processor does not refuse it when it comes with the rest. */
static void
bad_mxcsr(unsigned char *fp)
{
	old_format(fp);
	memset(fp + MXCSR, 0xff, 4);
}

static void
no_sse(unsigned char *fp)
{
	fp[HEADER] &= ~2;
}

static void
bad_header(unsigned char *fp)
{
	fp[HEADER + 16] = 1; /* must be zero */
}

static void
bad_component(unsigned char *fp)
{
	fp[HEADER + 7] |= 0x40;
}

static void
fork_in_handler(unsigned char *fp)
{
	int status = -1;
	pid_t pid = fork(); /* the frame is copied on the next write */

	if (pid == 0)
		_exit(0);
	waitpid(pid, &status, 0);
	new_value(fp);
}

/* How a child ends whose handler does that to its frame. */
static int
end_of(void (*fn)(unsigned char *fp))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		edit = fn;
		_exit(signalled(1.5) == 1.5 ? 1 : 2);
	}
	waitpid(pid, &status, 0);
	return status & ~0x80; /* core dumps are the host's affair */
}

static void
edits(void)
{
	unsigned mxcsr = 0;

	edit = NULL;
	CHECK(signalled(1.5) == 1.5);
	CHECK(in_frame == 1.5);
	CHECK(in_handler == 0); /* a fresh one */
	edit = new_value;
	CHECK(signalled(2.5) == 9.75);
	edit = old_format;
	CHECK(signalled(3.5) == 3.5);
	edit = fork_in_handler;
	CHECK(signalled(4.5) == 9.75);
	edit = denormals_are_zero;
	CHECK(signalled(5.5) == 5.5);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	CHECK_RET(mxcsr & 0x40, 0x40);
	edit = NULL;
	CHECK(signalled(6.5) == 6.5);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	CHECK_RET(mxcsr & 0x40, 0x40);
	if (extended) {
		edit = no_sse;
		CHECK(signalled(7.5) == 0);
	}
}

static void
refusals(void)
{
	CHECK_RET(end_of(bad_mxcsr), SIGSEGV);
	if (!extended)
		return;
	CHECK_RET(end_of(bad_header), SIGSEGV);
	CHECK_RET(end_of(bad_component), SIGSEGV);
}

/* Frames at each place of stacks that nobody has touched. */
static void
fresh_stacks(void)
{
	size_t size = 16 * 4096, less;
	char *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned bad = 0;

	REQUIRE(room != MAP_FAILED);
	edit = NULL;
	for (less = 0; less < 4096; less += 64) {
		stack_t st = { .ss_sp = room, .ss_size = size - less };

		if (sigaltstack(&st, NULL) != 0 ||
		    madvise(room, size, MADV_DONTNEED) != 0 ||
		    signalled((double)less) != (double)less ||
		    in_frame != (double)less || in_handler != 0)
			bad++;
	}
	CHECK_RET(bad, 0);
}

int
main(void)
{
	struct sigaction sa = { .sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaction(SIGUSR1, &sa, NULL);
	edits();
	refusals();
	fresh_stacks();
	return check_done();
}
