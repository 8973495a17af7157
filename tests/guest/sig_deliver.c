/* SPDX-License-Identifier: ISC */
/*
 * sig_deliver.c - sending, blocking, queueing and handling of signals.
 */
#include "check.h"
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static volatile int count, last_code, last_value, order[8], norder;

static void
note(int sig, siginfo_t *info, void *context)
{
	(void)context;
	count++;
	last_code = info->si_code;
	last_value = info->si_value.sival_int;
	if (norder < 8)
		order[norder++] = sig;
}

static void
plain(int sig)
{
	(void)sig;
	count++;
}

static void
handle(int sig, int flags)
{
	struct sigaction sa = { .sa_sigaction = note,
		.sa_flags = flags | SA_SIGINFO };

	sigemptyset(&sa.sa_mask);
	sigaction(sig, &sa, NULL);
}

static void
check_actions(void)
{
	struct sigaction sa = { .sa_handler = plain }, old;

	CHECK_RET(sigaction(SIGUSR1, &sa, NULL), 0);
	CHECK_RET(sigaction(SIGUSR1, NULL, &old), 0);
	CHECK(old.sa_handler == plain);
	CHECK_ERR(sigaction(SIGKILL, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(SIGSTOP, &sa, NULL), EINVAL);
	CHECK_ERR(sigaction(65, &sa, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, 0, 0, 4), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, 8, 0, 8), EFAULT);
	CHECK_ERR(syscall(SYS_rt_sigaction, SIGUSR1, 0, 8, 8), EFAULT);
	count = 0;
	raise(SIGUSR1);
	CHECK_RET(count, 1);
	sa.sa_flags = SA_RESETHAND;
	sigaction(SIGUSR1, &sa, NULL);
	raise(SIGUSR1);
	sigaction(SIGUSR1, NULL, &old);
	CHECK(old.sa_handler == SIG_DFL);
}

static void
check_mask(void)
{
	sigset_t set, old, pending;

	handle(SIGUSR1, 0);
	handle(SIGRTMIN, 0);
	handle(SIGRTMIN + 1, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGRTMIN + 1);
	CHECK_RET(sigprocmask(SIG_BLOCK, &set, &old), 0);
	CHECK_RET(sigismember(&old, SIGUSR1), 0);
	count = norder = 0;
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGUSR1);
	sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ .sival_int = 5 });
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 6 });
	sigqueue(getpid(), SIGRTMIN, (union sigval){ .sival_int = 7 });
	CHECK_RET(count, 0);
	CHECK_RET(sigpending(&pending), 0);
	CHECK_RET(sigismember(&pending, SIGUSR1), 1);
	CHECK_RET(sigismember(&pending, SIGUSR2), 0);
	CHECK_RET(sigprocmask(SIG_SETMASK, &old, NULL), 0);
	CHECK_RET(count, 4); /* USR1 once, the real-time ones each */
	/* Frames are stacked: the lowest number is delivered first. */
	CHECK_RET(order[3], SIGUSR1);
	CHECK_RET(order[0], SIGRTMIN + 1);
	CHECK_ERR(sigprocmask(99, &set, NULL), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, 0, 7), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, 0, 8), EFAULT);
	/* KILL and STOP cannot be blocked. */
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, NULL);
	sigprocmask(SIG_SETMASK, &old, &set);
	CHECK_RET(sigismember(&set, SIGKILL), 0);
	CHECK_RET(sigismember(&set, SIGSTOP), 0);
}

static void
check_sending(void)
{
	handle(SIGUSR2, 0);
	count = 0;
	CHECK_RET(kill(getpid(), SIGUSR2), 0);
	CHECK_RET(last_code, SI_USER);
	CHECK_RET(raise(SIGUSR2), 0);
	CHECK_RET(last_code, SI_TKILL);
	CHECK_RET(sigqueue(getpid(), SIGUSR2,
		      (union sigval){ .sival_int = 42 }),
	    0);
	CHECK_RET(last_code, SI_QUEUE);
	CHECK_RET(last_value, 42);
	CHECK_RET(count, 3);
	CHECK_RET(kill(getpid(), 0), 0);
	CHECK_ERR(kill(getpid(), 65), EINVAL);
	CHECK_ERR(kill(getpid(), -1), EINVAL);
	CHECK_ERR(kill(0x3fffffff, 0), ESRCH);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), 0, SIGUSR2), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, -1, getpid(), SIGUSR2), EINVAL);
	CHECK_ERR(syscall(SYS_tgkill, getpid(), 0x3fffffff, 0), ESRCH);
	CHECK_ERR(syscall(SYS_tkill, 0, SIGUSR2), EINVAL);
	CHECK_ERR(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR2, 8), EFAULT);
}

static void
check_waiting(void)
{
	struct timespec none = { 0, 0 }, soon = { 0, 20000000 };
	struct timespec bad = { 0, 1000000000 };
	siginfo_t info;
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, &old);
	CHECK_ERR(sigtimedwait(&set, &info, &none), EAGAIN);
	CHECK_ERR(sigtimedwait(&set, &info, &soon), EAGAIN);
	CHECK_ERR(sigtimedwait(&set, &info, &bad), EINVAL);
	sigqueue(getpid(), SIGUSR1, (union sigval){ .sival_int = 9 });
	count = 0;
	CHECK_RET(sigtimedwait(&set, &info, &none), SIGUSR1);
	CHECK_RET(info.si_value.sival_int, 9);
	CHECK_RET(info.si_pid, getpid());
	CHECK_RET(count, 0);
	raise(SIGUSR1);
	CHECK_ERR(sigsuspend(&old), EINTR);
	CHECK_RET(count, 1);
	sigprocmask(SIG_SETMASK, NULL, &old);
	CHECK_RET(sigismember(&old, SIGUSR1), 1); /* back as it was */
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	CHECK_ERR(syscall(SYS_rt_sigsuspend, &set, 3), EINVAL);
}

/* A read that a signal interrupts: EINTR, or it goes on with SA_RESTART. */
static void
check_restart(void)
{
	struct itimerval it = { .it_value.tv_usec = 30000 };
	struct timespec nap = { 0, 60000000 }, rest = { 7, 7 };
	int p[2];
	char c;

	CHECK_RET(pipe(p), 0);
	handle(SIGALRM, 0);
	count = 0;
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(read(p[0], &c, 1), EINTR);
	CHECK_RET(count, 1);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(nanosleep(&(struct timespec){ 5, 0 }, &rest), EINTR);
	CHECK(rest.tv_sec == 4);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_ERR(pause(), EINTR);
	/* An ignored signal does not end a sleep. */
	signal(SIGALRM, SIG_IGN);
	setitimer(ITIMER_REAL, &it, NULL);
	CHECK_RET(nanosleep(&nap, NULL), 0);
	if (fork() == 0) {
		nanosleep(&nap, NULL);
		kill(getppid(), SIGALRM);
		nanosleep(&nap, NULL);
		_exit(write(p[1], "x", 1) != 1);
	}
	handle(SIGALRM, SA_RESTART);
	count = 0;
	CHECK_RET(read(p[0], &c, 1), 1);
	CHECK_RET(count, 1);
}

int
main(void)
{
	check_actions();
	check_mask();
	check_sending();
	check_waiting();
	check_restart();
	return check_done();
}
