/* SPDX-License-Identifier: ISC */
/*
 * sys_fd_threads.c - one table of descriptors, many threads: opens, closes,
 * duplicates and transfers that race; pipes between threads; waiting in
 * poll, epoll, pipes and FIFOs; a close under a reader.
 */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define NTHREADS 4
#define ROUNDS   300
#define BYTES    (1 << 20)

static char dir[] = "/tmp/sys_fdt.XXXXXX";
static char path[64];
static int p[2], ep, ev, strange;

/* Works on numbers that the others use, too: only sane answers are right. */
static void *
race(void *arg)
{
	unsigned seed = (unsigned)(long)arg;
	char buf[64];
	int i, fd, other;
	long n;

	for (i = 0; i < ROUNDS; i++) {
		seed = seed * 1103515245 + 12345;
		fd = open(path, O_RDWR);
		other = 40 + (int)(seed >> 16) % 8;
		if (dup2(fd, other) != other && errno != EBUSY)
			strange++;
		n = pread(40 + (int)(seed >> 20) % 8, buf, 64, 0);
		if (n != 5 && (n != -1 || errno != EBADF))
			strange++;
		close(40 + (int)(seed >> 8) % 8);
		if (fd < 0 || close(fd) != 0)
			strange++;
		if (i % 16 == 0)
			sched_yield();
	}
	return NULL;
}

static void
races(void)
{
	pthread_t t[NTHREADS];
	long i;

	for (i = 0; i < NTHREADS; i++)
		REQUIRE(pthread_create(&t[i], NULL, race, (void *)i) == 0);
	for (i = 0; i < NTHREADS; i++)
		pthread_join(t[i], NULL);
	CHECK_RET(strange, 0);
	CHECK_RET(syscall(SYS_close_range, 40, 47, 0), 0);
}

static void *
write_all(void *arg)
{
	char buf[3000];
	int left = BYTES;
	long n;

	(void)arg;
	while (left > 0) {
		n = left < (int)sizeof(buf) ? left : (int)sizeof(buf);
		memset(buf, left & 0xff, (size_t)n);
		n = write(p[1], buf, (size_t)n);
		if (n <= 0)
			break;
		left -= (int)n;
	}
	close(p[1]);
	return NULL;
}

static void
stream(void)
{
	static char buf[5000];
	pthread_t t;
	long n, total = 0;

	REQUIRE(pipe(p) == 0);
	REQUIRE(pthread_create(&t, NULL, write_all, NULL) == 0);
	while ((n = read(p[0], buf, sizeof(buf))) > 0)
		total += n;
	CHECK_RET(n, 0);
	CHECK_RET(total, BYTES);
	pthread_join(t, NULL);
	close(p[0]);
}

static void *
wake_later(void *arg)
{
	uint64_t one = 1;

	(void)arg;
	usleep(20000);
	if (write(ev, &one, 8) != 8)
		strange++;
	usleep(20000);
	if (write(ev, &one, 8) != 8)
		strange++;
	usleep(20000);
	if (write(p[1], "x", 1) != 1)
		strange++;
	return NULL;
}

static void
wakes(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };
	struct pollfd f;
	uint64_t v;
	pthread_t t;
	char c;

	REQUIRE(pipe(p) == 0);
	REQUIRE((ev = eventfd(0, 0)) >= 0);
	REQUIRE((ep = epoll_create1(0)) >= 0);
	CHECK_RET(epoll_ctl(ep, EPOLL_CTL_ADD, ev, &e), 0);
	f = (struct pollfd){ ep, POLLIN, 0 };
	REQUIRE(pthread_create(&t, NULL, wake_later, NULL) == 0);
	CHECK_RET(poll(&f, 1, 5000), 1);
	CHECK_RET(epoll_wait(ep, &e, 1, 5000), 1);
	CHECK_RET(epoll_wait(ep, &e, 1, 5000), 1);
	CHECK_RET(read(ev, &v, 8), 8);
	CHECK_RET(v, 2);
	CHECK_RET(read(p[0], &c, 1), 1);
	pthread_join(t, NULL);
	CHECK_RET(strange, 0);
	close(ep);
	close(ev);
	close(p[0]);
	close(p[1]);
}

static void *
open_writer(void *arg)
{
	int fd = open(arg, O_WRONLY);

	usleep(10000);
	if (write(fd, "fifo", 4) != 4)
		strange++;
	close(fd);
	return NULL;
}

static void
fifo(void)
{
	char name[80], buf[8];
	pthread_t t;
	int fd;

	snprintf(name, sizeof(name), "%s/fifo", dir);
	REQUIRE(mkfifo(name, 0600) == 0);
	REQUIRE(pthread_create(&t, NULL, open_writer, name) == 0);
	fd = (int)CHECK_OK(open(name, O_RDONLY)); /* waits for the writer */
	CHECK_RET(read(fd, buf, 8), 4);
	CHECK_RET(read(fd, buf, 8), 0);
	pthread_join(t, NULL);
	CHECK_RET(strange, 0);
	close(fd);
	unlink(name);
}

static void *
close_and_write(void *arg)
{
	usleep(20000);
	close(*(int *)arg);
	if (write(p[1], "ok", 2) != 2)
		strange++;
	return NULL;
}

/* The file stays for the call that uses it. */
static void
close_under_reader(void)
{
	char buf[8];
	pthread_t t;
	int fd;

	REQUIRE(pipe(p) == 0);
	fd = dup(p[0]);
	REQUIRE(pthread_create(&t, NULL, close_and_write, &fd) == 0);
	CHECK_RET(read(fd, buf, 8), 2);
	pthread_join(t, NULL);
	CHECK_ERR(read(fd, buf, 1), EBADF);
	close(p[0]);
	close(p[1]);
}

int
main(void)
{
	int fd;

	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(path, sizeof(path), "%s/file", dir);
	REQUIRE((fd = open(path, O_RDWR | O_CREAT, 0600)) >= 0);
	REQUIRE(write(fd, "12345", 5) == 5);
	close(fd);
	races();
	stream();
	wakes();
	fifo();
	close_under_reader();
	CHECK_RET(unlink(path) | rmdir(dir), 0);
	return check_done();
}
