/* SPDX-License-Identifier: ISC */
/*
 * proc_seccomp.c - system calls given up: strict mode, filters and their
 * answers, who inherits them, threads that follow, tracers that are asked.
 */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ABS(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RET(value) BPF_STMT(BPF_RET | BPF_K, (value))
/* All calls are allowed, but `nr` is answered by `what`. */
#define ONLY(nr_, what)                                                    \
	{                                                                  \
		ABS(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr_), 0, 1), \
		    RET(what), RET(SECCOMP_RET_ALLOW)                      \
	}
#define PROG(f)                                 \
	(struct sock_fprog)                     \
	{                                       \
		sizeof(f) / sizeof((f)[0]), (f) \
	}

static long
set_filter(unsigned flags, struct sock_fprog prog)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

/* What became of a child that does fn. */
static int
child(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		fn();
		syscall(SYS_exit, 0);
	}
	REQUIRE(pid > 0 && waitpid(pid, &status, 0) == pid);
	return status & ~0x80; /* a core file or none */
}

static void
strict(void)
{
	char c = 0;
	int fd[2];

	if (pipe(fd) != 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0 ||
	    write(fd[1], &c, 1) != 1 || read(fd[0], &c, 1) != 1)
		syscall(SYS_exit, 9);
}

static void
strict_and_more(void)
{
	strict();
	syscall(SYS_getppid);
}

static void
refuse(uint32_t answer)
{
	struct sock_filter f[] = ONLY(SYS_getppid, answer);

	if (set_filter(0, PROG(f)) != 0)
		_exit(9);
}

static void
errnos(void)
{
	refuse(SECCOMP_RET_ERRNO | ENOTTY);
	CHECK_ERR(syscall(SYS_getppid), ENOTTY);
	CHECK(getpid() > 1);
	CHECK_RET(prctl(PR_GET_SECCOMP), SECCOMP_MODE_FILTER);
	/* The newest of equal rank counts; the stricter one always. */
	refuse(SECCOMP_RET_ERRNO | EXDEV);
	CHECK_ERR(syscall(SYS_getppid), EXDEV);
	refuse(SECCOMP_RET_ALLOW);
	CHECK_ERR(syscall(SYS_getppid), EXDEV);
	CHECK_ERR(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT), EINVAL);
	_exit(check_done());
}

static void
inherits(void)
{
	char *argv[] = { "/proc/self/exe", "leaf", NULL };
	pid_t pid;
	int status;

	refuse(SECCOMP_RET_ERRNO | ENOTTY);
	pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(8);
	}
	if (waitpid(pid, &status, 0) != pid)
		_exit(7);
	_exit(WEXITSTATUS(status));
}

static volatile sig_atomic_t trapped;
static siginfo_t trap;

static void
on_sys(int sig, siginfo_t *info, void *context)
{
	(void)sig, (void)context;
	trap = *info;
	trapped = 1;
}

static void
traps(void)
{
	struct sigaction sa = { .sa_sigaction = on_sys,
		.sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &sa, NULL);
	refuse(SECCOMP_RET_TRAP | 77);
	CHECK_RET(syscall(SYS_getppid), SYS_getppid);
	CHECK(trapped);
	CHECK_RET(trap.si_code, 1); /* SYS_SECCOMP */
	CHECK_RET(trap.si_errno, 77);
	CHECK_RET(trap.si_syscall, SYS_getppid);
	CHECK_RET(trap.si_arch, AUDIT_ARCH_X86_64);
	_exit(check_done());
}

static void
kills(void)
{
	refuse(SECCOMP_RET_KILL_PROCESS);
	syscall(SYS_getppid);
}

static void *
asks_parent(void *tid)
{
	__atomic_store_n((long *)tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	syscall(SYS_getppid);
	__atomic_store_n((long *)tid, -1, __ATOMIC_RELEASE);
	return NULL;
}

/* The thread cannot tell its library that it ends. */
static void
kills_a_thread(void)
{
	long tid = 0, now;
	pthread_t t;

	refuse(SECCOMP_RET_KILL_THREAD);
	if (pthread_create(&t, NULL, asks_parent, &tid) != 0)
		_exit(9);
	do {
		sched_yield();
		now = __atomic_load_n(&tid, __ATOMIC_ACQUIRE);
	} while (now == 0 ||
	    (now > 0 && syscall(SYS_tgkill, getpid(), now, 0) == 0));
	_exit(now > 0 ? 0 : 8);
}

static void
kills_all_threads(void)
{
	long tid = 0;
	pthread_t t;

	refuse(SECCOMP_RET_KILL_PROCESS);
	if (pthread_create(&t, NULL, asks_parent, &tid) == 0)
		pthread_join(t, NULL);
	_exit(9);
}

static pthread_barrier_t barrier;

static void *
follows(void *arg)
{
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	*(int *)arg = syscall(SYS_getppid) == -1 && errno == ENOTTY;
	return NULL;
}

static void
synchronises(void)
{
	struct sock_filter f[] = ONLY(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY);
	int followed = 0;
	pthread_t t;

	pthread_barrier_init(&barrier, NULL, 2);
	if (pthread_create(&t, NULL, follows, &followed) != 0)
		_exit(9);
	pthread_barrier_wait(&barrier);
	CHECK_RET(set_filter(SECCOMP_FILTER_FLAG_TSYNC, PROG(f)), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	CHECK_RET(followed, 1);
	_exit(check_done());
}

/* The description of the call: arguments in both halves. */
static void
sees_arguments(void)
{
	struct sock_filter f[] = { ABS(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 5),
		ABS(args[3]),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x55667788, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, args[3]) + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x11223344, 0, 1),
		RET(SECCOMP_RET_ERRNO | EDOM), RET(SECCOMP_RET_ALLOW) };

	CHECK_RET(set_filter(0, PROG(f)), 0);
	CHECK_ERR(syscall(SYS_getppid, 0, 0, 0, 0x1122334455667788), EDOM);
	CHECK(syscall(SYS_getppid, 0, 0, 0, 0x1122334455667789) >= 0);
	_exit(check_done());
}

static void
bad_filters(void)
{
	struct sock_filter none[] = { ABS(nr) }, odd[] = { RET(0), RET(0) };
	struct sock_filter f[] = ONLY(SYS_getppid, SECCOMP_RET_ERRNO);
	uint32_t action = SECCOMP_RET_TRACE;

	CHECK_ERR(set_filter(0, PROG(none)), EINVAL); /* no end */
	odd[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0);
	CHECK_ERR(set_filter(0, PROG(odd)), EINVAL);
	odd[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2);
	CHECK_ERR(set_filter(0, PROG(odd)), EINVAL);
	odd[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64);
	CHECK_ERR(set_filter(0, PROG(odd)), EINVAL);
	odd[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0);
	CHECK_ERR(set_filter(0, PROG(odd)), EINVAL);
	CHECK_ERR(set_filter(0, (struct sock_fprog){ 0, f }), EINVAL);
	CHECK_ERR(set_filter(1u << 30, PROG(f)), EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL),
	    EFAULT);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, NULL),
	    EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, 99, 0, NULL), EINVAL);
	CHECK_RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action),
	    0);
	action = 0x12340000;
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action),
	    EOPNOTSUPP);
	CHECK_ERR(prctl(PR_SET_SECCOMP, 7), EINVAL);
	_exit(check_done());
}

/* The tracer of such a call changes its number. */
static void
asks_tracer(void)
{
	int status;
	pid_t pid = fork();
	unsigned long message = 0;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		refuse(SECCOMP_RET_TRACE | 321);
		_exit(syscall(SYS_getppid) == getpid() ? 5 : 6);
	}
	waitpid(pid, &status, 0);
	CHECK_RET(ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESECCOMP), 0);
	CHECK_RET(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status >> 8, SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
	CHECK_RET(ptrace(PTRACE_GETEVENTMSG, pid, 0, &message), 0);
	CHECK_RET(message, 321);
	CHECK_RET(ptrace(PTRACE_POKEUSER, pid, 15 * 8, SYS_getpid), 0);
	CHECK_RET(ptrace(PTRACE_CONT, pid, 0, 0), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 5 << 8);
	_exit(check_done());
}

static void
nobody_to_ask(void)
{
	refuse(SECCOMP_RET_TRACE | 1);
	CHECK_ERR(syscall(SYS_getppid), ENOSYS);
	_exit(check_done());
}

/* Without privileges, and without the promise to want no new ones. */
static void
no_promise(void)
{
	struct sock_filter f[] = ONLY(SYS_getppid, SECCOMP_RET_ERRNO);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		if (geteuid() == 0 && setuid(65534) != 0)
			_exit(9);
		CHECK_ERR(set_filter(0, PROG(f)), EACCES);
		CHECK_RET(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		CHECK_RET(set_filter(0, PROG(f)), 0);
		_exit(check_done());
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

int
main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1)
		return syscall(SYS_getppid) == -1 && errno == ENOTTY ? 42 : 6;
	if (prctl(PR_GET_SECCOMP) != 0) { /* of the host's own making */
		CHECK(true);              /* what they refuse is not known */
		return check_done();
	}
	no_promise();
	CHECK_RET(child(strict), 0);
	CHECK_RET(child(strict_and_more), SIGKILL);
	CHECK_RET(child(errnos), 0);
	CHECK_RET(child(inherits), 42 << 8);
	CHECK_RET(child(traps), 0);
	CHECK_RET(child(kills), SIGSYS);
	CHECK_RET(child(kills_a_thread), 0);
	CHECK_RET(child(kills_all_threads), SIGSYS);
	CHECK_RET(child(synchronises), 0);
	CHECK_RET(child(sees_arguments), 0);
	CHECK_RET(child(bad_filters), 0);
	CHECK_RET(child(asks_tracer), 0);
	CHECK_RET(child(nobody_to_ask), 0);
	return check_done();
}
