/* SPDX-License-Identifier: ISC */
/*
 * proc_ptrace.c - ptrace(2) as strace and gdb use it: stops at calls, signals
 * and events, registers, memory, single steps, seized tasks, detaching, and
 * the ends of tracer and traced.
 */
#include "traced.h"
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

/* C libraries differ in what they name; the kernel's numbers do not. */
#define P_SETOPTIONS  0x4200
#define P_EVENTMSG    0x4201
#define P_GETSIGINFO  0x4202
#define P_SETSIGINFO  0x4203
#define P_GETREGSET   0x4204
#define P_SETREGSET   0x4205
#define P_SEIZE       0x4206
#define P_INTERRUPT   0x4207
#define P_LISTEN      0x4208
#define P_SYSCALLINFO 0x420e

#define OPT_SYSGOOD  1
#define OPT_FORK     2
#define OPT_VFORK    4
#define OPT_CLONE    8
#define OPT_EXEC     0x10
#define OPT_VDONE    0x20
#define OPT_EXIT     0x40
#define OPT_EXITKILL 0x100000
#define EV_FORK      1
#define EV_VFORK     2
#define EV_CLONE     3
#define EV_EXEC      4
#define EV_VDONE     5
#define EV_EXIT      6
#define EV_STOP      128

#define STOPPED(status, sig, event) \
	((status) == (((sig) | (event) << 8) << 8 | 0x7f))

struct call_info { /* struct ptrace_syscall_info */
	uint8_t op, pad[3];
	uint32_t arch;
	uint64_t ip, sp;
	uint64_t nr_or_value;
	uint64_t args[6];
};

static void
ends(pid_t pid, int status)
{
	CHECK_RET(next_stop(pid), status);
	CHECK_ERR(waitpid(pid, NULL, __WALL), ECHILD);
}

/* ---- signals ---- */

static volatile int handled;

static void
on_signal(int sig)
{
	handled = sig;
}

static void
takes_signals(void)
{
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	raise(SIGUSR1);
	if (handled != SIGUSR2)
		_exit(1);
	handled = 0;
	raise(SIGUSR1);
	if (handled != 0)
		_exit(2);
	raise(SIGUSR1);
	if (handled != SIGUSR1)
		_exit(3);
}

static void
signals(void)
{
	pid_t pid = stopped_child(takes_signals);
	siginfo_t info;
	int status;

	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 99), EIO);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGUSR1, 0));
	CHECK_RET(pt(P_GETSIGINFO, pid, 0, (long)&info), 0);
	CHECK_RET(info.si_signo, SIGUSR1);
	CHECK_RET(info.si_pid, pid);
	CHECK_RET(info.si_code, SI_TKILL);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, SIGUSR2), 0);
	CHECK(STOPPED(next_stop(pid), SIGUSR1, 0));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGUSR1, 0));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, SIGUSR1), 0);
	ends(pid, 7 << 8);

	pid = stopped_child(takes_signals);
	kill(pid, SIGKILL);
	status = next_stop(pid);
	CHECK_RET(status, SIGKILL);
	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
}

/* ---- calls ---- */

static void
calls_getppid(void)
{
	if (syscall(SYS_getppid, 1, 2, 3, 4, 5, 6) != 12345)
		_exit(1);
	if (syscall(SYS_getuid) != -1 || errno != ENOSYS)
		_exit(2);
}

/* To the next stop at a call; what that is. */
static struct call_info
next_call(pid_t pid)
{
	struct call_info info = { 0 };

	CHECK_RET(pt(PTRACE_SYSCALL, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGTRAP | 0x80, 0));
	CHECK(pt(P_SYSCALLINFO, pid, sizeof(info), (long)&info) >= 33);
	return info;
}

static void
calls(void)
{
	pid_t pid = stopped_child(calls_getppid);
	struct user_regs_struct regs;
	struct call_info info;
	unsigned i;

	CHECK_RET(pt(P_SETOPTIONS, pid, 0, OPT_SYSGOOD), 0);
	CHECK_ERR(pt(P_SETOPTIONS, pid, 0, 1ul << 31), EINVAL);
	do
		info = next_call(pid);
	while (info.op != 1 || info.nr_or_value != SYS_getppid);
	CHECK_RET(info.arch, 0xc000003e);
	for (i = 0; i < 6; i++)
		CHECK_RET(info.args[i], i + 1);
	CHECK_RET(pt(PTRACE_GETREGS, pid, 0, (long)&regs), 0);
	CHECK_RET(regs.orig_rax, SYS_getppid);
	CHECK_RET(regs.rax, -ENOSYS);
	CHECK_RET(regs.rip, info.ip);
	CHECK_RET(regs.rsp, info.sp);
	info = next_call(pid);
	CHECK_RET(info.op, 2);
	CHECK_RET(info.nr_or_value, getpid());
	CHECK_RET(pt(PTRACE_GETREGS, pid, 0, (long)&regs), 0);
	regs.rax = 12345;
	CHECK_RET(pt(PTRACE_SETREGS, pid, 0, (long)&regs), 0);
	info = next_call(pid);
	CHECK_RET(info.op, 1);
	CHECK_RET(info.nr_or_value, SYS_getuid);
	CHECK_RET(pt(PTRACE_POKEUSER, pid,
		      offsetof(struct user_regs_struct, orig_rax), -1),
	    0);
	info = next_call(pid);
	CHECK_RET(info.op, 2);
	CHECK_RET(info.nr_or_value, -ENOSYS);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	ends(pid, 7 << 8);
}

/* ---- memory and registers ---- */

static volatile long shared_word = 0x1122334455667788;
static const volatile long constant = 42;

static void
looks_at_memory(void)
{
	double x = 1.5, y;

	__asm__ volatile("movsd %1, %%xmm7\n\tint3\n\tmovsd %%xmm7, %0"
			 : "=m"(y)
			 : "m"(x)
			 : "xmm7");
	if (y != 2.5)
		_exit(1);
	if (shared_word != 99 || constant != 43)
		_exit(2);
}

static void
memory(void)
{
	pid_t pid = stopped_child(looks_at_memory);
	struct user_fpregs_struct fp;
	long word = 0;
	struct iovec iov = { &word, sizeof(word) },
		     remote = { (void *)&shared_word, sizeof(word) };
	uint8_t *xstate = malloc(16384);
	char name[32];
	int fd;

	CHECK_RET(pt(PTRACE_PEEKDATA, pid, (long)&shared_word, (long)&word), 0);
	CHECK_RET(word, 0x1122334455667788);
	CHECK_ERR(pt(PTRACE_PEEKDATA, pid, 8, (long)&word), EIO);
	CHECK_RET(process_vm_readv(pid, &iov, 1, &remote, 1, 0), 8);
	CHECK_RET(pt(PTRACE_POKEDATA, pid, (long)&shared_word, 98), 0);
	CHECK_RET(pt(PTRACE_POKEDATA, pid, (long)&constant, 43), 0);
	CHECK_RET(shared_word, 0x1122334455667788);
	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = CHECK_OK(open(name, O_RDWR));
	CHECK_RET(pread(fd, &word, 8, (long)&shared_word), 8);
	CHECK_RET(word, 98);
	word = 99;
	CHECK_RET(pwrite(fd, &word, 8, (long)&shared_word), 8);
	CHECK_ERR(pread(fd, &word, 8, 8), EIO);
	close(fd);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGTRAP, 0));
	CHECK_RET(pt(PTRACE_GETFPREGS, pid, 0, (long)&fp), 0);
	CHECK(*(double *)&fp.xmm_space[7 * 4] == 1.5);
	iov = (struct iovec){ xstate, 16384 };
	CHECK_RET(pt(P_GETREGSET, pid, NT_X86_XSTATE, (long)&iov), 0);
	CHECK(iov.iov_len >= 576);
	CHECK(*(double *)(xstate + 160 + 7 * 16) == 1.5);
	CHECK((*(uint64_t *)(xstate + 464) & 3) == 3);
	*(double *)(xstate + 160 + 7 * 16) = 2.5;
	*(uint64_t *)(xstate + 512) |= 3;
	CHECK_RET(pt(P_SETREGSET, pid, NT_X86_XSTATE, (long)&iov), 0);
	CHECK_RET(pt(PTRACE_GETFPREGS, pid, 0, (long)&fp), 0);
	CHECK(*(double *)&fp.xmm_space[7 * 4] == 2.5);
	iov.iov_len = 100;
	CHECK_ERR(pt(P_GETREGSET, pid, 0x7777, (long)&iov), EINVAL);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	ends(pid, 7 << 8);
	free(xstate);
}

/* ---- single steps ---- */

static void
walks(void)
{
	/* int3, then 1 + 1 + 5 + 2 + 1 bytes, then a last one */
	__asm__ volatile("int3\n\t"
			 "nop\n\t"
			 "nop\n\t"
			 "movl $39, %%eax\n\t"
			 "syscall\n\t"
			 "nop\n\t"
			 "nop" ::
			     : "rax", "rcx", "r11", "memory");
}

static void
steps(void)
{
	pid_t pid = stopped_child(walks);
	struct user_regs_struct regs;
	uint64_t begin;
	unsigned n;

	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGTRAP, 0));
	pt(PTRACE_GETREGS, pid, 0, (long)&regs);
	begin = regs.rip;
	for (n = 0; n < 20 && regs.rip != begin + 10; n++) {
		CHECK_RET(pt(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		CHECK(STOPPED(next_stop(pid), SIGTRAP, 0));
		pt(PTRACE_GETREGS, pid, 0, (long)&regs);
		CHECK_RET(regs.eflags & 0x100, 0);
	}
	CHECK_RET(n, 5);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	ends(pid, 7 << 8);
}

/* ---- events ---- */

static void *
nothing(void *arg)
{
	return arg;
}

static void
has_children(void)
{
	char *argv[] = { "/proc/self/exe", "leaf", NULL };
	pthread_t t;
	pid_t pid = fork();

	if (pid == 0)
		_exit(3);
	waitpid(pid, NULL, 0);
	pid = vfork();
	if (pid == 0)
		_exit(4);
	waitpid(pid, NULL, 0);
	pthread_create(&t, NULL, nothing, NULL);
	pthread_join(t, NULL);
	execv(argv[0], argv);
}

/* What a tracer sees of all that, events in their order. */
static void
events(void)
{
	pid_t pid = stopped_child(has_children), who;
	int status, seen[8] = { 0 }, births = 0, ended = 0;
	unsigned long message = 0;
	bool alive = true;

	CHECK_RET(pt(P_SETOPTIONS, pid, 0,
		      OPT_FORK | OPT_VFORK | OPT_CLONE | OPT_EXEC | OPT_VDONE |
			  OPT_EXIT),
	    0);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	while (alive) {
		who = waitpid(-1, &status, __WALL);
		if (who < 0)
			break;
		if (!WIFSTOPPED(status)) {
			ended++;
			if (who == pid)
				alive = false;
			if (who == pid)
				CHECK_RET(status, 42 << 8);
			continue;
		}
		if (status >> 16 != 0) {
			seen[status >> 16 & 7]++;
			pt(P_EVENTMSG, who, 0, (long)&message);
		}
		if (status >> 16 == EV_EXEC)
			CHECK_RET(message, pid);
		if (WSTOPSIG(status) == SIGSTOP)
			births++;
		pt(PTRACE_CONT, who, 0,
		    WSTOPSIG(status) == SIGCHLD ? SIGCHLD : 0);
	}
	CHECK(!alive);
	CHECK_RET(seen[EV_FORK], 1);
	CHECK_RET(seen[EV_VFORK], 1);
	CHECK_RET(seen[EV_CLONE], 1);
	CHECK_RET(seen[EV_EXEC], 1);
	CHECK_RET(seen[EV_VDONE], 1);
	CHECK_RET(seen[EV_EXIT], 4);
	CHECK_RET(births, 3);
	CHECK_RET(ended, 4);
}

/* ---- seized ---- */

static void
seized(void)
{
	siginfo_t info;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK_ERR(pt(P_SEIZE, pid, 1, 0), EIO);
	CHECK_RET(pt(P_SEIZE, pid, 0, 0), 0);
	CHECK_ERR(pt(P_SEIZE, pid, 0, 0), EPERM);
	CHECK_RET(waitpid(pid, &status, WNOHANG | __WALL), 0);
	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_RET(pt(P_INTERRUPT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGTRAP, EV_STOP));
	CHECK_ERR(pt(PTRACE_ATTACH, pid, 0, 0), EPERM);
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	/* A group stop, listened to until it ends. */
	kill(pid, SIGSTOP);
	CHECK(STOPPED(next_stop(pid), SIGSTOP, 0));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, SIGSTOP), 0);
	CHECK(STOPPED(next_stop(pid), SIGSTOP, EV_STOP));
	CHECK_RET(pt(P_GETSIGINFO, pid, 0, (long)&info), 0);
	CHECK_RET(pt(P_LISTEN, pid, 0, 0), 0);
	CHECK_ERR(pt(PTRACE_CONT, pid, 0, 0), ESRCH);
	CHECK_RET(waitpid(pid, &status, WNOHANG | __WALL), 0);
	kill(pid, SIGCONT);
	CHECK(STOPPED(next_stop(pid), SIGTRAP, EV_STOP));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGCONT, 0));
	CHECK_RET(pt(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_ERR(pt(P_INTERRUPT, pid, 0, 0), ESRCH);
	kill(pid, SIGTERM);
	ends(pid, SIGTERM);
}

/* strace begins so: the child stops itself, then is seized. */
static void
seized_while_stopped(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		raise(SIGSTOP);
		_exit(5);
	}
	CHECK_RET(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(STOPPED(status, SIGSTOP, 0));
	CHECK_RET(pt(P_SEIZE, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGSTOP, EV_STOP));
	kill(pid, SIGCONT);
	CHECK_RET(pt(P_LISTEN, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGTRAP, EV_STOP));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGCONT, 0));
	CHECK_RET(pt(PTRACE_CONT, pid, 0, 0), 0);
	ends(pid, 5 << 8);
}

static void
attached(void)
{
	char name[32], text[2048];
	int to[2], fd;
	pid_t pid;
	ssize_t n;

	CHECK_RET(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		n = read(to[0], name, 1);
		_exit(n == 1 ? 6 : 1);
	}
	CHECK_ERR(pt(PTRACE_ATTACH, 999999, 0, 0), ESRCH);
	CHECK_ERR(pt(PTRACE_ATTACH, getpid(), 0, 0), EPERM);
	CHECK_RET(pt(PTRACE_ATTACH, pid, 0, 0), 0);
	CHECK(STOPPED(next_stop(pid), SIGSTOP, 0));
	CHECK_ERR(pt(P_INTERRUPT, pid, 0, 0), EIO);
	snprintf(name, sizeof(name), "/proc/%d/status", pid);
	fd = open(name, O_RDONLY);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	CHECK(strstr(text, "t (tracing stop)") != NULL);
	snprintf(name, sizeof(name), "TracerPid:\t%d\n", getpid());
	CHECK(strstr(text, name) != NULL);
	CHECK_RET(pt(PTRACE_DETACH, pid, 0, 0), 0);
	CHECK_RET(write(to[1], "x", 1), 1); /* the read goes on */
	ends(pid, 6 << 8);
	close(to[0]);
	close(to[1]);
}

/* ---- tracers that end ---- */

static void
tracer_ends(int options, int status)
{
	int to[2], st;
	char c = 0;
	pid_t pid, tracer;

	CHECK_RET(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		c = read(to[0], &c, 1);
		_exit(c == 0 ? 8 : 1);
	}
	tracer = fork();
	if (tracer == 0) {
		if (pt(P_SEIZE, pid, 0, options) != 0 ||
		    pt(P_INTERRUPT, pid, 0, 0) != 0 ||
		    waitpid(pid, &st, __WALL) != pid)
			_exit(1);
		_exit(0);
	}
	CHECK_RET(waitpid(tracer, &st, 0), tracer);
	CHECK_RET(st, 0);
	close(to[1]);
	CHECK_RET(waitpid(pid, &st, 0), pid);
	CHECK_RET(st, status);
	close(to[0]);
}

/* The tracer learns of the end first, then the parent does. */
static void
parent_waits_for_tracer(void)
{
	int to[2], st;
	char c;
	pid_t pid, tracer;

	CHECK_RET(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		c = read(to[0], &c, 1);
		_exit(9);
	}
	tracer = fork();
	if (tracer == 0) {
		if (pt(P_SEIZE, pid, 0, 0) != 0)
			_exit(1);
		if (write(to[1], "x", 1) != 1)
			_exit(2);
		if (waitpid(pid, &st, __WALL) != pid || st != 9 << 8)
			_exit(3);
		_exit(0);
	}
	CHECK_RET(waitpid(pid, &st, 0), pid);
	CHECK_RET(st, 9 << 8);
	CHECK_RET(waitpid(tracer, &st, 0), tracer);
	CHECK_RET(st, 0);
	close(to[0]);
	close(to[1]);
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		_exit(42);
	signals();
	calls();
	memory();
	steps();
	events();
	seized();
	seized_while_stopped();
	attached();
	tracer_ends(0, 8 << 8);
	tracer_ends(OPT_EXITKILL, SIGKILL);
	parent_waits_for_tracer();
	return check_done();
}
