/* SPDX-License-Identifier: ISC */
/*
 * proc_group_stop.c - processes of several threads that stop: when their parent
 * hears of it; and who takes a signal while one thread is stopped by a tracer.
 */
#include "check.h"
#include <pthread.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int go[2], said[2];

/* A thread that cannot stop, as it waits for its vfork(2)'s child. */
static void *
forks(void *arg)
{
	pid_t pid = vfork();
	char c;

	if (pid == 0) {
		if (write(said[1], "v", 1) == 1 && read(go[0], &c, 1) == 1)
			_exit(0);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	for (;;)
		pause();
	return arg;
}

static pid_t
begin_forker(void)
{
	pthread_t t;
	pid_t pid;
	char c;

	REQUIRE(pipe(go) == 0 && pipe(said) == 0);
	pid = fork();
	if (pid == 0) {
		pthread_create(&t, NULL, forks, NULL);
		for (;;)
			pause();
	}
	REQUIRE(pid > 0 && read(said[0], &c, 1) == 1);
	return pid;
}

static void
end_it(pid_t pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status));
	close(go[0]);
	close(go[1]);
	close(said[0]);
	close(said[1]);
}

/* The letter of the first thread's state. */
static char
state_of(pid_t pid)
{
	char path[64], text[256] = "", *end;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, pid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return '?';
	close(fd);
	end = strrchr(text, ')');
	return end != NULL ? end[2] : '?';
}

static void
await(pid_t pid, bool stopped)
{
	while ((state_of(pid) == 'T') != stopped)
		sched_yield();
}

static void
last_thread(void)
{
	pid_t pid = begin_forker();
	int status = 0, i;

	CHECK_RET(kill(pid, SIGSTOP), 0);
	await(pid, true);
	CHECK_RET(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);
	CHECK_RET(write(go[1], "g", 1), 1);
	CHECK_RET(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_RET(status, SIGSTOP << 8 | 0x7f);
	CHECK_RET(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);
	CHECK_RET(kill(pid, SIGCONT), 0);
	CHECK_RET(waitpid(pid, &status, WCONTINUED), pid);
	CHECK_RET(status, 0xffff);
	CHECK_RET(kill(pid, SIGSTOP), 0); /* all at once */
	CHECK_RET(waitpid(pid, &status, WUNTRACED), pid);
	CHECK_RET(status, SIGSTOP << 8 | 0x7f);
	/* Some have been continued but not run when it stops again. */
	for (i = 0; i < 500; i++) {
		CHECK_RET(kill(pid, SIGCONT), 0);
		CHECK_RET(kill(pid, SIGSTOP), 0);
		CHECK_RET(waitpid(pid, &status, WUNTRACED), pid);
		CHECK_RET(status, SIGSTOP << 8 | 0x7f);
	}
	end_it(pid);
}

static void
continued_before(void)
{
	pid_t pid = begin_forker();
	int status = 0;

	CHECK_RET(kill(pid, SIGSTOP), 0);
	await(pid, true);
	CHECK_RET(kill(pid, SIGCONT), 0);
	CHECK_RET(waitpid(pid, &status, WCONTINUED), pid);
	CHECK_RET(write(go[1], "g", 1), 1);
	await(pid, false);
	CHECK_RET(waitpid(pid, &status, WNOHANG | WUNTRACED), 0);
	end_it(pid);
}

/* ---- signals beside a tracer's stop ---- */

static void
tell_who(int sig)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	(void)sig;
	if (write(said[1], &tid, sizeof(tid)) != sizeof(tid))
		_exit(3);
}

static void *
takes_signals(void *mask)
{
	if (mask != NULL)
		pthread_sigmask(SIG_BLOCK, mask, NULL);
	tell_who(0);
	for (;;)
		pause();
	return mask;
}

static pid_t
hear(void)
{
	pid_t tid = -1;

	REQUIRE(read(said[0], &tid, sizeof(tid)) == sizeof(tid));
	return tid;
}

static void
beside_a_tracer(bool blocked)
{
	struct sigaction sa = { .sa_handler = tell_who };
	int status = 0;
	sigset_t set;
	pthread_t t;
	pid_t pid, tid;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	REQUIRE(pipe(go) == 0 && pipe(said) == 0);
	pid = fork();
	if (pid == 0) {
		sigaction(SIGUSR1, &sa, NULL);
		pthread_create(&t, NULL, takes_signals, blocked ? &set : NULL);
		for (;;)
			pause();
	}
	tid = hear();
	CHECK_RET(ptrace(PTRACE_SEIZE, pid, 0, 0), 0);
	CHECK_RET(ptrace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	CHECK_RET(waitpid(pid, &status, __WALL), pid);
	CHECK_RET(kill(pid, SIGUSR1), 0);
	if (!blocked) { /* the other thread takes it at once */
		CHECK_RET(hear(), tid);
	} else { /* nobody else can: it waits for this one */
		CHECK_RET(ptrace(PTRACE_CONT, pid, 0, 0), 0);
		CHECK_RET(waitpid(pid, &status, __WALL), pid);
		CHECK_RET(status, SIGUSR1 << 8 | 0x7f);
		CHECK_RET(ptrace(PTRACE_CONT, pid, 0, SIGUSR1), 0);
		CHECK_RET(hear(), pid);
	}
	end_it(pid);
}

int
main(void)
{
	last_thread();
	continued_before();
	beside_a_tracer(false);
	beside_a_tracer(true);
	return check_done();
}
