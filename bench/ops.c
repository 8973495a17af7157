/* SPDX-License-Identifier: ISC */
/*
 * ops.c - what one operation costs: time stamp counts of a round, the least of
 * several, each over many repetitions.  Under -icount shift=0 a count is an
 * instruction.  Prints "NAME COUNT" lines; the loop's own cost is in them.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS    5
#define FILE_PATH "/tmp/ops.file"

static char buf[4096];
static int null_fd, zero_fd, file_fd;
static volatile sig_atomic_t caught;

static void
op_getpid(void)
{
	syscall(SYS_getpid);
}

static void
op_clock_gettime(void)
{
	struct timespec ts;

	syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts);
}

static void
op_sched_yield(void)
{
	sched_yield();
}

static void
op_read_zero(void)
{
	if (read(zero_fd, buf, sizeof(buf)) != sizeof(buf))
		abort();
}

static void
op_write_null(void)
{
	if (write(null_fd, buf, 1) != 1)
		abort();
}

static void
op_open_close(void)
{
	int fd = open(FILE_PATH, O_RDONLY);

	if (fd < 0 || close(fd) != 0)
		abort();
}

static void
op_stat(void)
{
	struct stat st;

	if (stat(FILE_PATH, &st) != 0)
		abort();
}

static void
op_pread(void)
{
	if (pread(file_fd, buf, sizeof(buf), 0) != sizeof(buf))
		abort();
}

static void
op_pwrite(void)
{
	if (pwrite(file_fd, buf, sizeof(buf), 0) != sizeof(buf))
		abort();
}

static void
op_mmap(void)
{
	void *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || munmap(p, 65536) != 0)
		abort();
}

static void
on_signal(int sig)
{
	(void)sig;
	caught++;
}

static void
op_signal(void)
{
	raise(SIGUSR1);
}

static void
op_fork_wait(void)
{
	int status;
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
}

static const char *self; /* this program, which ends at once if told to */

static void
op_fork_exec_wait(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		execl(self, self, "end", (char *)NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		abort();
}

/* One byte there and one back; the other side is a thread or a process. */
static int ping[2], pong[2];

static void *
pipe_echo(void *arg)
{
	char c;

	while (read(ping[0], &c, 1) == 1 && c != 'q')
		if (write(pong[1], &c, 1) != 1)
			abort();
	return arg;
}

static void
op_pipe(void)
{
	char c = 'x';

	if (write(ping[1], &c, 1) != 1 || read(pong[0], &c, 1) != 1)
		abort();
}

/* 64 KiB from another process. */
static char bulk[65536];

static void
pipe_pour(void)
{
	while (write(pong[1], bulk, sizeof(bulk)) > 0)
		;
}

static void
op_pipe_64k(void)
{
	size_t done = 0;
	ssize_t n;

	while (done < sizeof(bulk)) {
		n = read(pong[0], bulk, sizeof(bulk) - done);
		if (n <= 0)
			abort();
		done += n;
	}
}

static uint32_t turn; /* whose it is: 0 ours, 1 the other thread's, 2 the end */

static void
futex_wait(uint32_t value)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == value)
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, value, NULL);
}

static void
futex_set(uint32_t value)
{
	__atomic_store_n(&turn, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1);
}

static void *
futex_echo(void *arg)
{
	for (;;) {
		futex_wait(0);
		if (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == 2)
			return arg;
		futex_set(0);
	}
}

static void
op_futex(void)
{
	futex_set(1);
	futex_wait(1);
}

static void *
nothing(void *arg)
{
	return arg;
}

static void
op_thread(void)
{
	pthread_t t;

	if (pthread_create(&t, NULL, nothing, NULL) != 0 ||
	    pthread_join(t, NULL) != 0)
		abort();
}

static uint64_t
rdtsc(void)
{
	return __builtin_ia32_rdtsc();
}

static void
measure(const char *name, void (*op)(void), unsigned n)
{
	uint64_t best = UINT64_MAX, start, took;
	unsigned round, i;

	for (round = 0; round < ROUNDS; round++) {
		start = rdtsc();
		for (i = 0; i < n; i++)
			op();
		took = (rdtsc() - start) / n;
		if (took < best)
			best = took;
	}
	printf("%s %llu\n", name, (unsigned long long)best);
}

/* Each page of a fresh mapping is written once. */
static void
measure_faults(void)
{
	uint64_t best = UINT64_MAX, start, took;
	unsigned round, i, n = 128;
	char *p;

	for (round = 0; round < ROUNDS; round++) {
		p = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED)
			abort();
		start = rdtsc();
		for (i = 0; i < n; i++)
			p[i * 4096] = 1;
		took = (rdtsc() - start) / n;
		if (took < best)
			best = took;
		munmap(p, n * 4096);
	}
	printf("page-fault %llu\n", (unsigned long long)best);
}

static void
measure_threads(void)
{
	pthread_t t;

	if (pipe(ping) != 0 || pipe(pong) != 0 ||
	    pthread_create(&t, NULL, pipe_echo, NULL) != 0)
		abort();
	measure("pipe-threads", op_pipe, 200);
	if (write(ping[1], "q", 1) != 1 || pthread_join(t, NULL) != 0 ||
	    pthread_create(&t, NULL, futex_echo, NULL) != 0)
		abort();
	measure("futex-threads", op_futex, 200);
	futex_set(2);
	pthread_join(t, NULL);
	measure("thread-create-join", op_thread, 50);
}

static void
measure_processes(void)
{
	pid_t child;

	measure("fork-wait", op_fork_wait, 50);
	measure("fork-exec-wait", op_fork_exec_wait, 20);
	child = fork();
	if (child == 0) {
		pipe_echo(NULL);
		_exit(0);
	}
	measure("pipe-processes", op_pipe, 200);
	if (write(ping[1], "q", 1) != 1 || waitpid(child, NULL, 0) != child)
		abort();
	child = fork();
	if (child == 0) {
		pipe_pour();
		_exit(0);
	}
	measure("pipe-64k", op_pipe_64k, 50);
	kill(child, SIGKILL);
	if (waitpid(child, NULL, 0) != child)
		abort();
}

/* Debian's make and gcc build what is in /src, twice; the first one warms. */
static void
op_make(void)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (chdir("/src") == 0)
			execl("/usr/bin/make", "make", "-s", "-B", "-j2",
			    (char *)NULL);
		_exit(1);
	}
	if (child < 0 || waitpid(child, &status, 0) != child || status != 0)
		abort();
}

static int
project(void)
{
	uint64_t start;

	setenv("PATH", "/usr/bin:/bin", 1);
	op_make();
	start = rdtsc();
	op_make();
	printf("make-project %llu\n", (unsigned long long)(rdtsc() - start));
	return 0;
}

static void
prepare(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	mkdir("/tmp", 0777);
	mkdir("/dev", 0755);
	mknod("/dev/null", S_IFCHR | 0666, 1 << 8 | 3);
	mknod("/dev/zero", S_IFCHR | 0666, 1 << 8 | 5);
	null_fd = open("/dev/null", O_WRONLY);
	zero_fd = open("/dev/zero", O_RDONLY);
	file_fd = open(FILE_PATH, O_RDWR | O_CREAT | O_TRUNC, 0644);
	if (null_fd < 0 || zero_fd < 0 || file_fd < 0 ||
	    write(file_fd, buf, sizeof(buf)) != sizeof(buf) ||
	    sigaction(SIGUSR1, &sa, NULL) != 0) {
		perror("ops: cannot prepare");
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "end") == 0)
		return 0;
	self = argv[0];
	if (access("/src/Makefile", R_OK) == 0)
		return project();
	prepare();
	measure("getpid", op_getpid, 1000);
	measure("clock_gettime", op_clock_gettime, 1000);
	measure("sched_yield", op_sched_yield, 1000);
	measure("read-zero-4k", op_read_zero, 200);
	measure("write-null-1", op_write_null, 1000);
	measure("open-close", op_open_close, 200);
	measure("stat", op_stat, 200);
	measure("pread-4k", op_pread, 200);
	measure("pwrite-4k", op_pwrite, 200);
	measure("mmap-munmap", op_mmap, 200);
	measure_faults();
	measure("signal", op_signal, 200);
	measure_threads();
	measure_processes();
	return 0;
}
