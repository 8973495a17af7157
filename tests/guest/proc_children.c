/* SPDX-License-Identifier: ISC */
/*
 * proc_children.c - fork, vfork, exit, wait, groups and sessions.
 */
#include "check.h"
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static volatile int count, last_code, last_status;
static volatile pid_t last_pid;

static void
note(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	count++;
	last_code = info->si_code;
	last_status = info->si_status;
	last_pid = info->si_pid;
}

static void
nap(int ms)
{
	nanosleep(&(struct timespec){ 0, ms * 1000000 }, NULL);
}

static void
check_fork(void)
{
	int status, private = 1;
	int *shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t parent = getpid(), pid;

	pid = fork();
	if (pid == 0) {
		private = 2;
		*shared = getppid() == parent && getpid() != parent ? 5 : 6;
		_exit(3);
	}
	CHECK(pid > 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 3);
	CHECK_RET(private, 1);
	CHECK_RET(*shared, 5);
	CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
	pid = vfork();
	if (pid == 0)
		_exit(4);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(WEXITSTATUS(status), 4);
	pid = fork();
	if (pid == 0) {
		execl("/nowhere", "nowhere", NULL);
		_exit(errno == ENOENT ? 9 : 10);
	}
	CHECK_RET(waitpid(-1, &status, 0), pid);
	CHECK_RET(WEXITSTATUS(status), 9);
}

/* A parent that waits for its vforked child can be killed. */
static void
check_vfork_killed(void)
{
	int gate[2], status;
	char c;
	pid_t pid;

	CHECK_RET(pipe(gate), 0);
	pid = fork();
	if (pid == 0) {
		close(gate[1]);
		if (vfork() == 0) {
			while (read(gate[0], &c, 1) > 0)
				;
			_exit(0);
		}
		_exit(1);
	}
	usleep(20000);
	kill(pid, SIGKILL);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, SIGKILL);
	close(gate[0]);
	close(gate[1]);
	if (getpid() == 1) /* whose child the orphan became */
		CHECK(wait(NULL) > 0);
}

static int
in_shared(void *arg)
{
	int fd = *(int *)arg;

	if (unshare(CLONE_FILES | CLONE_FS) != 0 || close(fd) != 0 ||
	    chdir("/proc") != 0)
		return 1;
	return 0;
}

static void
check_unshare(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char cwd[64];
	int status, fd = dup(1);
	pid_t pid;

	CHECK_RET(unshare(0), 0);
	CHECK_ERR(unshare(1), EINVAL);
	CHECK_ERR(setns(-1, 0), EBADF);
	CHECK_ERR(setns(1, 0), EINVAL);
	CHECK_RET(chdir("/"), 0);
	pid = clone(in_shared, stack + sizeof(stack),
	    CLONE_FILES | CLONE_FS | SIGCHLD, &fd);
	CHECK(pid > 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
	CHECK_RET(close(fd), 0);
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/");
}

/* A thread with a folder and a umask of its own, which its child begins with. */
static void *
in_own_folder(void *arg)
{
	char cwd[64], path[64];
	ssize_t n;
	int status;
	pid_t pid;

	CHECK_ERR(unshare(CLONE_FS | CLONE_THREAD), EINVAL);
	CHECK_RET(unshare(CLONE_FS), 0);
	CHECK_RET(chdir("/proc"), 0);
	CHECK_RET(unshare(CLONE_FS), 0);
	CHECK_RET(umask(077), 022);
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/proc");
	snprintf(path, sizeof(path), "/proc/self/task/%ld/cwd",
	    syscall(SYS_gettid));
	n = readlink(path, cwd, sizeof(cwd) - 1);
	cwd[n < 0 ? 0 : n] = '\0';
	CHECK_STR(cwd, "/proc");
	pid = fork();
	if (pid == 0)
		_exit(access("self/stat", F_OK) != 0 || umask(0) != 077);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
	return arg;
}

static void *
runs_in_own_folder(void *arg)
{
	char *argv[] = { arg, "--in-proc", NULL };

	if (unshare(CLONE_FS) == 0 && chdir("/proc") == 0)
		execv("/proc/self/exe", argv);
	_exit(1);
}

static void
check_own_folders(void)
{
	char cwd[64];
	int status;
	pthread_t t;
	pid_t pid;

	umask(022);
	CHECK_RET(pthread_create(&t, NULL, in_own_folder, NULL), 0);
	pthread_join(t, NULL);
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/");
	CHECK_RET(umask(022), 022);
	pid = fork();
	if (pid == 0) {
		pthread_create(&t, NULL, runs_in_own_folder, "proc_children");
		for (;;)
			pause();
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

static void
check_wait(void)
{
	struct rusage ru;
	siginfo_t info;
	int status = 77, gate[2];
	char c;
	pid_t pid;

	CHECK_ERR(wait(&status), ECHILD);
	CHECK_ERR(waitpid(-1, &status, 0x10000000 >> 1), EINVAL);
	CHECK_ERR(waitid(P_ALL, 0, &info, 0), EINVAL);
	CHECK_ERR(waitid(P_ALL, 0, &info, WEXITED), ECHILD);
	CHECK_ERR(waitid(9, 0, &info, WEXITED), EINVAL);
	CHECK_RET(pipe(gate), 0);
	pid = fork();
	if (pid == 0)
		_exit(read(gate[0], &c, 1) == 1 ? 256 + 7 : 1);
	CHECK_RET(waitpid(pid, &status, WNOHANG), 0);
	info.si_pid = 1;
	CHECK_RET(waitid(P_PID, pid, &info, WEXITED | WNOHANG), 0);
	CHECK_RET(info.si_pid, 0);
	CHECK_RET(write(gate[1], "x", 1), 1);
	CHECK_RET(waitid(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	CHECK_RET(info.si_pid, pid);
	CHECK_RET(info.si_code, CLD_EXITED);
	CHECK_RET(info.si_status, 7);
	CHECK_RET(info.si_signo, SIGCHLD);
	CHECK_RET(wait4(pid, &status, 0, &ru), pid);
	CHECK_RET(status, 7 << 8);
	CHECK_ERR(syscall(SYS_wait4, -1, 8, 0, 0), ECHILD);
	close(gate[0]);
	close(gate[1]);
}

static void
check_ends(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		for (;;)
			pause();
	CHECK_RET(kill(pid, SIGSTOP), 0);
	CHECK_RET(waitpid(pid, &status, WUNTRACED), pid);
	CHECK(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	CHECK_RET(kill(pid, SIGCONT), 0);
	CHECK_RET(waitpid(pid, &status, WCONTINUED), pid);
	CHECK(WIFCONTINUED(status));
	CHECK_RET(kill(pid, SIGTERM), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	pid = fork();
	if (pid == 0)
		for (;;)
			pause();
	kill(pid, SIGSTOP);
	waitpid(pid, &status, WUNTRACED);
	CHECK_RET(kill(pid, SIGKILL), 0);
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void
check_sigchld(void)
{
	struct sigaction sa = { .sa_sigaction = note, .sa_flags = SA_SIGINFO };
	int status;
	pid_t pid;

	sigemptyset(&sa.sa_mask);
	sigaction(SIGCHLD, &sa, NULL);
	count = 0;
	pid = fork();
	if (pid == 0)
		_exit(6);
	while (waitpid(pid, &status, 0) < 0)
		CHECK_RET(errno, EINTR);
	CHECK_RET(count, 1);
	CHECK_RET(last_code, CLD_EXITED);
	CHECK_RET(last_status, 6);
	CHECK_RET(last_pid, pid);
	signal(SIGCHLD, SIG_IGN); /* nothing is left to wait for */
	pid = fork();
	if (pid == 0)
		_exit(0);
	CHECK_ERR(waitpid(pid, &status, 0), ECHILD);
	signal(SIGCHLD, SIG_DFL);
}

static void
check_groups(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		CHECK_RET(setpgid(0, 0), 0);
		CHECK_RET(getpgrp(), getpid());
		CHECK_ERR(setsid(), EPERM); /* leads a group already */
		CHECK_ERR(setpgid(0, -1), EINVAL);
		CHECK_ERR(setpgid(0x3fffffff, 0), ESRCH);
		CHECK_ERR(setpgid(0, 0x3fffffff), EPERM);
		CHECK_ERR(getpgid(0x3fffffff), ESRCH);
		CHECK_ERR(getsid(0x3fffffff), ESRCH);
		pid = fork();
		if (pid == 0) {
			CHECK_RET(setsid(), getpid());
			CHECK_RET(getsid(0), getpid());
			CHECK_RET(getpgrp(), getpid());
			CHECK_ERR(setpgid(0, 0), EPERM);
			_exit(check_done());
		}
		CHECK_RET(waitpid(pid, &status, 0), pid);
		CHECK_RET(status, 0);
		_exit(check_done());
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		for (;;)
			pause();
	}
	setpgid(pid, pid);
	CHECK_RET(kill(-pid, SIGUSR1), 0);
	CHECK_RET(waitpid(-pid, &status, 0), pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
	CHECK_ERR(kill(-pid, 0), ESRCH);
}

/* A child whose parent ends gets another, which reaps it. */
static void
check_orphan(void)
{
	int p[2], status;
	pid_t now = 0, pid;

	CHECK_RET(pipe(p), 0);
	pid = fork();
	if (pid == 0) {
		pid_t me = getpid();

		if (fork() == 0) {
			while (getppid() == me)
				nap(1);
			now = getppid();
			_exit(write(p[1], &now, sizeof(now)) != sizeof(now));
		}
		_exit(0);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(read(p[0], &now, sizeof(now)), sizeof(now));
	CHECK(now != pid && now >= 0);
	close(p[0]);
	close(p[1]);
}

static void
check_clone(void)
{
	struct {
		uint64_t f[11];
	} args;

	memset(&args, 0, sizeof(args));
	CHECK_ERR(syscall(SYS_clone, CLONE_SIGHAND, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone, CLONE_THREAD, 0, 0, 0, 0), EINVAL);
	CHECK_ERR(syscall(SYS_clone3, &args, 8), EINVAL);
	CHECK_ERR(syscall(SYS_clone3, 8, 88), EFAULT);
	args.f[0] = 0x11; /* a signal's number is no flag here */
	CHECK_ERR(syscall(SYS_clone3, &args, 88), EINVAL);
}

static void
check_many(void)
{
	int i, status, bad = 0;

	for (i = 0; i < 200; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(i & 0x7f);
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != (i & 0x7f))
			bad++;
	}
	CHECK_RET(bad, 0);
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "--in-proc") == 0)
		return access("self/stat", F_OK) != 0;
	check_fork();
	check_vfork_killed();
	check_unshare();
	check_own_folders();
	check_wait();
	check_ends();
	check_sigchld();
	check_groups();
	check_orphan();
	while (waitpid(-1, NULL, 0) > 0) /* process 1 gets the orphan */
		continue;
	check_clone();
	check_many();
	return check_done();
}
