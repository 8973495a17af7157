/* SPDX-License-Identifier: ISC */
/*
 * proc_debugreg.c - the processor's breakpoints, which a debugger sets by
 * ptrace(2): on code, on data that is written or read; whom they concern and
 * whom not, and what is refused.
 */
#include "traced.h"
#include <sched.h>
#include <stddef.h>
#include <sys/user.h>

#define P_GETSIGINFO 0x4202
#define HWBKPT       4 /* TRAP_HWBKPT */

#define DR(n) (offsetof(struct user, u_debugreg) + (n)*8)
#define RIP   (offsetof(struct user_regs_struct, rip))
#define SLOT(n, kind) \
	(1ul << (2 * (n)) | (unsigned long)(kind) << (16 + 4 * (n)))
#define ON_CODE    0x0
#define ON_WRITE4  0xd
#define ON_WRITE8  0x9
#define ON_ACCESS4 0xf
#define ON_PORT    0x2

#define TRAPPED(status) ((status) == (SIGTRAP << 8 | 0x7f))

static volatile unsigned word __attribute__((aligned(16)));
static volatile uint64_t wide __attribute__((aligned(16)));

static unsigned long
peek(pid_t pid, unsigned long offset)
{
	unsigned long value = ~0ul;

	CHECK_RET(pt(PTRACE_PEEKUSER, pid, offset, (unsigned long)&value), 0);
	return value;
}

static void
set(pid_t pid, unsigned n, volatile const void *addr)
{
	CHECK_RET(pt(PTRACE_POKEUSER, pid, DR(n), (unsigned long)addr), 0);
}

static void
control(pid_t pid, unsigned long value)
{
	CHECK_RET(pt(PTRACE_POKEUSER, pid, DR(7), value), 0);
}

/* Goes on to the next stop, which is to be at slot n. */
static void
strikes(pid_t pid, unsigned n)
{
	siginfo_t info;

	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(TRAPPED(next_stop(pid)));
	CHECK_RET(pt(P_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	CHECK_RET(info.si_code, HWBKPT);
	CHECK((unsigned long)info.si_addr == peek(pid, RIP));
	CHECK_RET(peek(pid, DR(6)) & 0xf, 1u << n);
	CHECK_RET(pt(PTRACE_POKEUSER, pid, DR(6), 0), 0);
}

static void
ends(pid_t pid, int status)
{
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_RET(next_stop(pid), status << 8);
}

static long
seen(pid_t pid, volatile const void *addr)
{
	unsigned long value = ~0ul;

	CHECK_RET(pt(PTRACE_PEEKDATA, pid, (unsigned long)addr,
		      (unsigned long)&value),
	    0);
	return value;
}

static void
writes(void)
{
	unsigned was;

	wide = 1;
	word = 5;
	was = word;
	wide = 2;
	word = was + 1;
}

/* After the fact: the tracer sees the new value. */
static void
data_is_watched(void)
{
	pid_t pid = stopped_child(writes);

	set(pid, 0, &word);
	set(pid, 3, &wide);
	control(pid, SLOT(0, ON_WRITE4) | SLOT(3, ON_WRITE8));
	CHECK_RET(peek(pid, DR(0)), (unsigned long)&word);
	CHECK_RET(peek(pid, DR(7)) & 0xff, 0x41);
	strikes(pid, 3);
	CHECK_RET(seen(pid, &wide), 1);
	strikes(pid, 0);
	CHECK_RET((unsigned)seen(pid, &word), 5);
	control(pid, SLOT(0, ON_ACCESS4)); /* now reads, and not the other */
	strikes(pid, 0);
	CHECK_RET((unsigned)seen(pid, &word), 5);
	strikes(pid, 0);
	CHECK_RET((unsigned)seen(pid, &word), 6);
	ends(pid, 7);
}

static __attribute__((noinline)) void
passed(void)
{
	__asm__ volatile("" ::: "memory");
}

static void
passes(void)
{
	passed();
	passed();
}

/* Before the fact, and once each time. */
static void
code_is_watched(void)
{
	pid_t pid = stopped_child(passes);
	int i;

	set(pid, 1, (const void *)passed);
	control(pid, SLOT(1, ON_CODE));
	for (i = 0; i < 2; i++) {
		strikes(pid, 1);
		CHECK_RET(peek(pid, RIP), (unsigned long)passed);
	}
	ends(pid, 7);
}

/* A child, a program of its own, and the kernel are not concerned. */
static void
others_write(void)
{
	int to[2], status = 0;
	unsigned value = 9;
	pid_t pid;

	if (pipe(to) != 0 || write(to[1], &value, sizeof(value)) < 0)
		_exit(1);
	if (read(to[0], (void *)&word, sizeof(word)) != sizeof(word))
		_exit(2);
	pid = fork();
	if (pid == 0) {
		word = 3;
		_exit(4);
	}
	if (waitpid(pid, &status, 0) != pid || status != 4 << 8)
		_exit(3);
	execl("/proc/self/exe", "proc_debugreg", "leaf", NULL);
	_exit(5);
}

static void
others_are_not(void)
{
	pid_t pid = stopped_child(others_write);

	set(pid, 0, &word);
	control(pid, SLOT(0, ON_WRITE4));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	/* exec's own trap, which is no breakpoint's; SIGCHLD before it */
	CHECK_RET(next_stop(pid), SIGCHLD << 8 | 0x7f);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(TRAPPED(next_stop(pid)));
	CHECK_RET(peek(pid, DR(7)) & 0xff, 0);
	CHECK_RET(peek(pid, DR(0)), 0);
	ends(pid, 42);
}

/* Wherever the thread runs, and whoever ran there meanwhile. */
static void
wanders(void)
{
	cpu_set_t set;
	int i;

	for (i = 0; i < 64; i++) {
		CPU_ZERO(&set);
		CPU_SET(i % 4, &set);
		(void)sched_setaffinity(0, sizeof(set), &set);
		sched_yield();
		word = i;
	}
}

static void
it_wanders(void)
{
	pid_t watched = stopped_child(wanders), free = stopped_child(wanders);
	int i;

	set(watched, 2, &word);
	control(watched, SLOT(2, ON_WRITE4));
	CHECK_RET(pt(PTRACE_CONT, free, 0, 0), 0);
	for (i = 0; i < 64; i++) {
		strikes(watched, 2);
		CHECK_RET((unsigned)seen(watched, &word), i);
	}
	ends(watched, 7);
	CHECK_RET(next_stop(free), 7 << 8);
}

static void
refused(void)
{
	pid_t pid = stopped_child(writes);

	CHECK(pt(PTRACE_POKEUSER, pid, DR(0), 0xffffffff80000000ul) < 0);
	CHECK_RET(peek(pid, DR(0)), 0);
	CHECK_ERR(pt(PTRACE_POKEUSER, pid, DR(4), 1), EIO);
	CHECK_ERR(pt(PTRACE_POKEUSER, pid, DR(8), 1), EIO);
	set(pid, 0, (const char *)&word + 1);
	CHECK_ERR(pt(PTRACE_POKEUSER, pid, DR(7), SLOT(0, ON_WRITE4)), EINVAL);
	CHECK_ERR(pt(PTRACE_POKEUSER, pid, DR(7), SLOT(0, ON_PORT)), EINVAL);
	CHECK_RET(peek(pid, DR(7)) & 0xff, 0);
	control(pid, 1ul << 13); /* no one watches the registers themselves */
	ends(pid, 7);
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		_exit(42);
	data_is_watched();
	code_is_watched();
	others_are_not();
	it_wanders();
	refused();
	return check_done();
}
