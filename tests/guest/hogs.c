/* SPDX-License-Identifier: ISC */
/*
 * hogs.c - programs that take all there is: memory, processes, descriptors,
 * files, stack, signals.  Limits answer with their errno, one victim is chosen
 * when memory is out, and afterwards all of it is back.  Only for a machine of
 * its own: a host would not like it.
 */
#include "check.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MIB (1ul << 20)

static int
ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) > 0 ? status : -1;
}

static long
free_kib(void)
{
	int fd = open("/proc/sys/vm/drop_caches", O_WRONLY);

	if (write(fd, "3", 1) != 1)
		check_note("drop_caches: errno %d", errno);
	close(fd);
	return check_number("/proc/meminfo", "MemFree:");
}

static void
set_adj(int adj)
{
	char text[16];
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	snprintf(text, sizeof(text), "%d", adj);
	if (write(fd, text, strlen(text)) < 0)
		_exit(3);
	close(fd);
}

/* Touches memory without end; a step is a page. */
static void
hog(void)
{
	volatile char *p;
	unsigned long i;

	for (;;) {
		p = mmap(NULL, 4 * MIB, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			_exit(4);
		for (i = 0; i < 4 * MIB; i += 4096)
			p[i] = 1;
	}
}

static pid_t
sleeper(size_t bytes, int adj)
{
	int ready[2];
	char c;
	pid_t pid;

	if (pipe(ready) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		if (adj != 0)
			set_adj(adj);
		memset(malloc(bytes), 1, bytes);
		c = write(ready[1], "x", 1);
		for (;;)
			pause();
	}
	CHECK_RET(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
memory(void)
{
	pid_t small = sleeper(MIB, 0), chosen, pid;
	int status;

	pid = fork();
	if (pid == 0)
		hog();
	CHECK_RET(ended(pid), SIGKILL);
	CHECK_RET(waitpid(small, &status, WNOHANG), 0);
	/* Who asks to be the first is, though he has little. */
	chosen = sleeper(MIB, 1000);
	pid = fork();
	if (pid == 0) {
		set_adj(-900);
		hog();
	}
	CHECK_RET(ended(chosen), SIGKILL);
	CHECK_RET(ended(pid), SIGKILL);
	CHECK_RET(waitpid(small, &status, WNOHANG), 0);
	kill(small, SIGKILL);
	CHECK_RET(ended(small), SIGKILL);
}

/* Several at once, with threads of the kernel that need memory, too. */
static void
many_hogs(void)
{
	int i, killed = 0;

	for (i = 0; i < 4; i++)
		if (fork() == 0)
			hog();
	for (i = 0; i < 4; i++)
		killed += ended(-1) == SIGKILL;
	CHECK_RET(killed, 4);
}

static void
processes(void)
{
	struct rlimit l = { 20, 20 };
	int n = 0, error = 0, status;
	pid_t pid = fork(), child;

	if (pid == 0) {
		if (setrlimit(RLIMIT_NPROC, &l) != 0 || setuid(1234) != 0)
			_exit(1);
		while ((child = fork()) > 0 && n < 100)
			n++;
		if (child == 0)
			for (;;)
				pause();
		error = errno;
		signal(SIGTERM, SIG_IGN);
		kill(-1, SIGTERM);
		while (wait(NULL) > 0)
			;
		_exit(n == 19 && error == EAGAIN ? 0 : 2);
	}
	CHECK_RET(ended(pid), 0);
	/* A bomb without a limit ends where memory or numbers do. */
	pid = fork();
	if (pid == 0) {
		if (setuid(1235) != 0)
			_exit(1);
		for (n = 0; n < 4000; n++) {
			child = fork();
			if (child < 0)
				break;
			if (child == 0 && n > 200)
				for (;;)
					pause();
		}
		for (;;)
			pause();
	}
	usleep(1500000);
	/* There is room for who ends it, unless he is himself the victim. */
	for (n = 0, status = -1; status != 0 && n < 100; n++) {
		child = fork();
		if (child == 0) {
			set_adj(-1000);
			if (setuid(1235) != 0)
				_exit(1);
			_exit(kill(-1, SIGKILL) != 0);
		}
		if (child > 0)
			status = ended(child);
	}
	CHECK_RET(status, 0);
	kill(-1, SIGKILL); /* what a failure leaves */
	while (wait(NULL) > 0)
		;
}

static void
descriptors(void)
{
	struct rlimit l;
	int n = 0, fd = -1, p[2];
	pid_t pid = fork();

	if (pid == 0) {
		getrlimit(RLIMIT_NOFILE, &l);
		while ((fd = open("/dev/null", O_RDONLY)) >= 0)
			n++;
		CHECK(errno == EMFILE);
		CHECK_RET(n, l.rlim_cur - 3);
		CHECK_ERR(dup(0), EMFILE);
		CHECK_ERR(pipe(p), EMFILE);
		_exit(check_failed_count != 0);
	}
	CHECK_RET(ended(pid), 0);
}

static void
files(void)
{
	static char block[65536];
	int fd = CHECK_OK(open("/tmp/full", O_RDWR | O_CREAT, 0600));
	ssize_t n;
	int inodes = 0;
	char name[32];

	CHECK_RET(unlink("/tmp/full"), 0); /* it lives on, without a name */
	while ((n = write(fd, block, sizeof(block))) > 0)
		;
	CHECK(errno == ENOSPC || errno == ENOMEM);
	CHECK_RET(pread(fd, block, 1, 0), 1);
	CHECK_RET(ftruncate(fd, 0), 0);
	CHECK_RET(write(fd, "x", 1), 1);
	CHECK_RET(close(fd), 0);
	for (inodes = 0; inodes < 3000; inodes++) {
		snprintf(name, sizeof(name), "/tmp/%d", inodes);
		fd = open(name, O_WRONLY | O_CREAT, 0600);
		if (fd < 0)
			break;
		close(fd);
	}
	while (inodes-- > 0) {
		snprintf(name, sizeof(name), "/tmp/%d", inodes);
		unlink(name);
	}
}

static __attribute__((noinline)) int
deeper(volatile char *above)
{
	volatile char here[1024];

	here[0] = above[0];
	return above[0] != 0 ? 0 : deeper(here) + here[0];
}

static void
recursion(void)
{
	char c = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(deeper(&c));
	CHECK_RET(ended(pid), SIGSEGV);
}

static volatile int got;

static void
on_signal(int sig)
{
	(void)sig;
	got++;
}

static void
signal_storm(void)
{
	struct rlimit l = { 50, 50 };
	union sigval v = { .sival_int = 1 };
	sigset_t set;
	int n;
	pid_t pid = fork();

	if (pid == 0) {
		setrlimit(RLIMIT_SIGPENDING, &l);
		sigemptyset(&set);
		sigaddset(&set, SIGRTMIN);
		sigprocmask(SIG_BLOCK, &set, NULL);
		signal(SIGRTMIN, on_signal);
		for (n = 0; n < 1000; n++)
			if (sigqueue(getpid(), SIGRTMIN, v) != 0)
				break;
		CHECK(errno == EAGAIN);
		CHECK_RET(n, 50);
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		CHECK_RET(got, 50);
		for (n = 0; n < 20000; n++)
			kill(getpid(), SIGRTMIN);
		CHECK_RET(got, 20050);
		_exit(check_failed_count != 0);
	}
	CHECK_RET(ended(pid), 0);
}

static void
garbage(void)
{
	static char head[4096] = "\x7f"
				 "ELF\2\1\1";
	char *argv[] = { "x", NULL };
	unsigned i, j, seed = 1, started = 0;
	int fd, status;
	pid_t pid;

	for (i = 0; i < 60; i++) {
		for (j = i % 3 == 0 ? 0 : 7; j < 300; j++) {
			seed = seed * 1103515245 + 12345;
			if (i % 3 != 2 || j >= 64)
				head[j] = (char)(seed >> 16);
		}
		fd = open("/tmp/x", O_WRONLY | O_CREAT | O_TRUNC, 0700);
		if (write(fd, head, sizeof(head)) != sizeof(head))
			break;
		close(fd);
		pid = fork();
		if (pid == 0) {
			execv("/tmp/x", argv);
			_exit(errno == ENOEXEC || errno == EINVAL ||
				    errno == ENOMEM ?
				0 :
				errno);
		}
		status = ended(pid);
		started += WIFSIGNALED(status);
		if (!WIFSIGNALED(status) && status != 0)
			break;
	}
	CHECK_RET(i, 60);
	unlink("/tmp/x");
}

int
main(void)
{
	static void (*const parts[])(void) = { memory, many_hogs, processes,
		descriptors, files, recursion, signal_storm, garbage };
	long before, after;
	unsigned i;

	mkdir("/tmp", 0777);
	set_adj(-500);
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i](); /* once for what stays: tables that grew */
	before = free_kib();
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		parts[i]();
		after = free_kib();
		check_note("part %u: %ld kB free, %ld before", i, after,
		    before);
		CHECK(after >= before - 256);
	}
	return check_done();
}
