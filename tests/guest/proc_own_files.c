/* SPDX-License-Identifier: ISC */
/*
 * proc_own_files.c - threads whose descriptors are their own: unshare(2),
 * close_range(2), clone(2) without CLONE_FILES; their ends, and exec.
 */
#include "check.h"
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLOSE_RANGE_UNSHARE
#define CLOSE_RANGE_UNSHARE (1U << 1)
#endif

static int ends[2], secret = -1;
static pthread_barrier_t barrier;

static bool
is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* How /proc tells it of a thread. */
static bool
is_listed(pid_t tid, int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/fd/%d", getpid(), tid,
	    fd);
	return access(path, F_OK) == 0;
}

static void *
goes_its_way(void *arg)
{
	pid_t tid = (pid_t)syscall(SYS_gettid);

	if (arg == NULL)
		CHECK_RET(unshare(CLONE_FILES), 0);
	else
		CHECK_RET(syscall(SYS_close_range, 900, 1000,
			      CLOSE_RANGE_UNSHARE),
		    0);
	CHECK(is_open(ends[0]));
	CHECK_RET(dup2(ends[0], 200), 200);
	secret = tid;
	pthread_barrier_wait(&barrier); /* the process looks */
	pthread_barrier_wait(&barrier); /* and has closed its end */
	CHECK(is_open(ends[1]));
	CHECK_RET(write(ends[1], "x", 1), 1);
	return NULL;
}

static void
two_tables(void *how)
{
	char c[2];
	pthread_t t;

	REQUIRE(pipe(ends) == 0);
	pthread_barrier_init(&barrier, NULL, 2);
	REQUIRE(pthread_create(&t, NULL, goes_its_way, how) == 0);
	pthread_barrier_wait(&barrier);
	CHECK(!is_open(200));
	CHECK(is_listed(secret, 200));
	CHECK(!is_listed(getpid(), 200));
	CHECK_RET(close(ends[1]), 0);
	pthread_barrier_wait(&barrier);
	/* The thread's end closes what only it had open. */
	CHECK_RET(read(ends[0], c, 2), 1);
	CHECK_RET(read(ends[0], c, 2), 0);
	pthread_join(t, NULL);
	close(ends[0]);
}

/* Nobody has the table that both began with: its files are closed. */
static void *
leaves_too(void *unused)
{
	(void)unused;
	CHECK_RET(unshare(CLONE_FILES), 0);
	CHECK_RET(close(ends[1]), 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	return NULL;
}

static void
none_is_left(void)
{
	pthread_t t;
	char c;

	REQUIRE(pipe(ends) == 0);
	REQUIRE(pthread_create(&t, NULL, leaves_too, NULL) == 0);
	pthread_barrier_wait(&barrier);
	CHECK_RET(unshare(CLONE_FILES), 0);
	CHECK_RET(close(ends[1]), 0);
	CHECK_RET(read(ends[0], &c, 1), 0);
	pthread_barrier_wait(&barrier);
	pthread_join(t, NULL);
	close(ends[0]);
}

/* ---- clone without CLONE_FILES, CLONE_FS ---- */

static int seen_open, cwd_is_root, cleared = 1;

static int
plain_thread(void *unused)
{
	(void)unused;
	seen_open = is_open(ends[0]);
	close(ends[1]);
	dup2(ends[0], 201);
	cwd_is_root = chdir("/proc") == 0;
	return 0;
}

static void
thread_with_copies(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	char cwd[64];
	int flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD |
	    CLONE_CHILD_CLEARTID;

	REQUIRE(pipe(ends) == 0);
	CHECK_RET(chdir("/"), 0);
	CHECK(clone(plain_thread, stack + sizeof(stack), flags, NULL, NULL,
		  NULL, &cleared) > 0);
	while (__atomic_load_n(&cleared, __ATOMIC_ACQUIRE) != 0)
		syscall(SYS_futex, &cleared, FUTEX_WAIT, 1, NULL, NULL, 0);
	CHECK_RET(seen_open, 1);
	CHECK_RET(cwd_is_root, 1);
	CHECK(is_open(ends[1]));
	CHECK(!is_open(201));
	CHECK_STR(getcwd(cwd, sizeof(cwd)), "/");
	close(ends[0]);
	close(ends[1]);
}

/* ---- children, and exec ---- */

static void *
forks(void *status)
{
	pid_t pid;

	unshare(CLONE_FILES);
	dup2(1, 202);
	pid = fork();
	if (pid == 0)
		_exit(is_open(202) ? 5 : 6);
	waitpid(pid, status, 0);
	return NULL;
}

static void *
becomes_another(void *self)
{
	char *argv[] = { self, "has", "203", NULL };

	unshare(CLONE_FILES);
	dup2(1, 203);
	fcntl(1, F_SETFD, FD_CLOEXEC);
	execv("/proc/self/exe", argv);
	_exit(9);
}

static void
children(char *self)
{
	int status = -1;
	pthread_t t;
	pid_t pid;

	REQUIRE(pthread_create(&t, NULL, forks, &status) == 0);
	pthread_join(t, NULL);
	CHECK_RET(status, 5 << 8);
	CHECK(!is_open(202));
	pid = fork();
	if (pid == 0) {
		pthread_create(&t, NULL, becomes_another, self);
		for (;;)
			pause();
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 7 << 8);
}

/* A lock is the table's: it outlives exec of several threads, not unshare. */
static void *
execs(void *self)
{
	char *argv[] = { self, "pause", NULL };

	execv("/proc/self/exe", argv);
	_exit(9);
}

static short
lock_seen(int fd)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_GETLK, &fl) == 0 ? fl.l_type : -1;
}

static void
locks(char *self)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char name[] = "/tmp/own_filesXXXXXX", c;
	int fd = mkstemp(name);
	pthread_t t;
	pid_t pid;

	REQUIRE(fd >= 0 && pipe(ends) == 0);
	pid = fork();
	if (pid == 0) {
		fcntl(fd, F_SETLK, &fl);
		dup2(ends[1], 2); /* what it tells of itself */
		close(ends[1]);
		pthread_create(&t, NULL, execs, self);
		for (;;)
			pause();
	}
	close(ends[1]);
	CHECK_RET(read(ends[0], &c, 1), 1); /* it is the new program */
	CHECK_RET(lock_seen(fd), F_WRLCK);
	kill(pid, SIGKILL);
	CHECK_RET(waitpid(pid, NULL, 0), pid);
	CHECK_RET(lock_seen(fd), F_UNLCK);
	close(fd);
	close(ends[0]);
	unlink(name);
}

int
main(int argc, char **argv)
{
	if (argc == 3) /* "has" a descriptor, and not that of our output */
		return is_open(atoi(argv[2])) && !is_open(1) ? 7 : 8;
	if (argc == 2) {
		if (write(2, "!", 1) != 1)
			return 9;
		for (;;)
			pause();
	}
	mkdir("/tmp", 0777);
	two_tables(NULL);
	two_tables("close_range");
	none_is_left();
	thread_with_copies();
	children(argv[0]);
	locks(argv[0]);
	return check_done();
}
