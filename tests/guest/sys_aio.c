/* SPDX-License-Identifier: ISC */
/*
 * sys_aio.c - asynchronous I/O: contexts, their rings, transfers of files, and
 * of a disk if there is one to spoil:
 *     sys_aio [/dev/vda]
 */
#include "check.h"
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define DEPTH 64
#define BLOCK 4096

struct ring {
	uint32_t id, nr, head, tail, magic, compat, incompat, length;
	struct io_event events[];
};

static const char *file = "/tmp/sys_aio.file";
static struct timespec at_once;

static long
setup(unsigned nr, aio_context_t *ctx)
{
	return syscall(SYS_io_setup, nr, ctx);
}

static long
destroy(aio_context_t ctx)
{
	return syscall(SYS_io_destroy, ctx);
}

static long
submit(aio_context_t ctx, long n, struct iocb **cbs)
{
	return syscall(SYS_io_submit, ctx, n, cbs);
}

static long
getevents(aio_context_t ctx, long min, long max, struct io_event *e,
    struct timespec *timeout)
{
	return syscall(SYS_io_getevents, ctx, min, max, e, timeout);
}

static struct iocb
iocb(int fd, int op, void *buf, uint64_t len, int64_t at)
{
	return (struct iocb){ .aio_fildes = fd,
		.aio_lio_opcode = op,
		.aio_buf = (uintptr_t)buf,
		.aio_nbytes = len,
		.aio_offset = at,
		.aio_data = 0x1234 };
}

/* One request: its result, or io_submit's error. */
static long
one(aio_context_t ctx, struct iocb cb)
{
	struct iocb *list[1] = { &cb };
	struct io_event e;
	long n = submit(ctx, 1, list);

	if (n != 1)
		return n < 0 ? -errno : n;
	if (getevents(ctx, 1, 1, &e, NULL) != 1)
		return -1000;
	CHECK(e.obj == (uintptr_t)&cb && e.data == 0x1234);
	CHECK_RET(e.res2, 0);
	return e.res;
}

static void
contexts(void)
{
	aio_context_t ctx = 0, second = 0, bad = 1;
	struct io_event e;
	struct ring *r;

	CHECK_ERR(setup(0, &ctx), EINVAL);
	CHECK_ERR(setup(1, &bad), EINVAL);
	CHECK_ERR(setup(1, (aio_context_t *)8), EFAULT);
	CHECK_ERR(setup(0x10000000, &ctx), EINVAL);
	CHECK_ERR(setup(200000, &ctx), EAGAIN);
	CHECK_RET(setup(10, &ctx), 0);
	CHECK_RET(setup(10, &second), 0);
	CHECK(ctx != 0 && ctx != second);
	r = (struct ring *)ctx;
	CHECK(r->magic == 0xa10a10a1u && r->nr > 10);
	CHECK(r->head == 0 && r->tail == 0 && r->length == 32);
	CHECK_RET(getevents(ctx, 0, 1, &e, NULL), 0);
	CHECK_RET(getevents(ctx, 1, 1, &e, &at_once), 0);
	CHECK_ERR(getevents(ctx, 2, 1, &e, &at_once), EINVAL);
	CHECK_ERR(getevents(ctx, -1, 1, &e, &at_once), EINVAL);
	CHECK_ERR(getevents(ctx, 0, 1, &e, (struct timespec *)8), EFAULT);
	CHECK_RET(submit(ctx, 0, NULL), 0);
	CHECK_ERR(submit(ctx, -1, NULL), EINVAL);
	CHECK_RET(destroy(second), 0);
	CHECK_ERR(destroy(second), EINVAL);
	CHECK_RET(destroy(ctx), 0);
	CHECK_ERR(getevents(ctx, 0, 1, &e, NULL), EINVAL);
	CHECK_ERR(submit(ctx, 0, NULL), EINVAL);
}

static void
files(void)
{
	int fd = open(file, O_RDWR | O_CREAT | O_TRUNC, 0600);
	int rd = open(file, O_RDONLY), wr = open(file, O_WRONLY);
	char buf[8] = "ABCDEFGH";
	struct iovec v[2] = { { buf, 3 }, { buf + 4, 3 } };
	aio_context_t ctx = 0;

	CHECK_RET(setup(4, &ctx), 0);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PWRITE, "hello", 5, 10)), 5);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREADV, v, 2, 9)), 6);
	CHECK(memcmp(buf, "\0heDlloH", 8) == 0);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, buf, 8, 12)), 3);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, buf, 8, 100)), 0);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PWRITEV, v, 2, 0)), 6);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_FSYNC, NULL, 0, 0)), 0);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_FDSYNC, NULL, 0, 0)), 0);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_FSYNC, NULL, 1, 0)), -EINVAL);
	CHECK_RET(one(ctx, iocb(rd, IOCB_CMD_PWRITE, buf, 1, 0)), -EBADF);
	CHECK_RET(one(ctx, iocb(wr, IOCB_CMD_PREAD, buf, 1, 0)), -EBADF);
	CHECK_RET(one(ctx, iocb(-1, IOCB_CMD_PREAD, buf, 1, 0)), -EBADF);
	CHECK_RET(one(ctx, iocb(fd, 99, buf, 1, 0)), -EINVAL);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, (void *)8, 1, 0)), -EFAULT);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, buf, UINT64_MAX, 0)),
	    -EINVAL);
	CHECK_RET(destroy(ctx), 0);
	close(fd);
	close(rd);
	close(wr);
}

/* What was accepted before the first bad one is done. */
static void
lists(void)
{
	int fd = open(file, O_RDWR), pipes[2], event = eventfd(0, 0);
	char buf[4];
	struct iocb cb[3], *list[3] = { &cb[0], &cb[1], &cb[2] };
	struct io_event e[200];
	struct pollfd pfd = { .fd = event, .events = POLLIN };
	aio_context_t ctx = 0;
	uint64_t count = 0;
	long n, sum = 0;

	CHECK_RET(setup(8, &ctx), 0);
	cb[0] = cb[2] = iocb(fd, IOCB_CMD_PREAD, buf, 2, 0);
	cb[1] = iocb(fd, 99, buf, 2, 0);
	cb[0].aio_key = 7;
	CHECK_RET(submit(ctx, 3, list), 1);
	CHECK_RET(cb[0].aio_key, 0);
	CHECK_ERR(submit(ctx, 1, list + 1), EINVAL);
	CHECK_RET(getevents(ctx, 1, 8, e, NULL), 1);
	list[1] = (struct iocb *)8;
	CHECK_ERR(submit(ctx, 1, list + 1), EFAULT);
	CHECK_ERR(submit(ctx, 1, (struct iocb **)8), EFAULT);

	cb[2].aio_flags = IOCB_FLAG_RESFD;
	cb[2].aio_resfd = event;
	CHECK_RET(submit(ctx, 1, list + 2), 1);
	CHECK_RET(poll(&pfd, 1, -1), 1);
	CHECK_RET(read(event, &count, 8), 8);
	CHECK_RET((long)count, 1);
	cb[2].aio_resfd = fd;
	CHECK_ERR(submit(ctx, 1, list + 2), EINVAL);
	cb[2].aio_flags = 0;
	CHECK_RET(getevents(ctx, 1, 8, e, NULL), 1);

	/* No more events than there is room for. */
	while ((n = submit(ctx, 1, list)) == 1 && sum < 100000)
		sum++;
	CHECK(n == -1 && errno == EAGAIN && sum >= 8);
	while ((n = getevents(ctx, 1, 200, e, &at_once)) > 0)
		sum -= n;
	CHECK_RET(sum, 0);
	CHECK_RET(submit(ctx, 1, list), 1);

	/* Streams have no position. */
	CHECK_RET(pipe(pipes), 0);
	CHECK_RET(getevents(ctx, 1, 8, e, NULL), 1);
	CHECK_RET(one(ctx, iocb(pipes[1], IOCB_CMD_PWRITE, "ab", 2, 0)), 2);
	CHECK_RET(one(ctx, iocb(pipes[0], IOCB_CMD_PREAD, buf, 4, 0)), 2);
	CHECK_RET(destroy(ctx), 0);
	close(fd);
	close(event);
	close(pipes[0]);
	close(pipes[1]);
}

/* Whoever reads in the ring itself, as libraries do. */
static void
ring_in_view(void)
{
	int fd = open(file, O_RDWR);
	char buf[4];
	struct iocb cb = iocb(fd, IOCB_CMD_PREAD, buf, 2, 0),
		    *list[1] = { &cb };
	struct io_event e;
	aio_context_t ctx = 0;
	struct ring *r;
	unsigned i;
	bool good = true;

	CHECK_RET(setup(4, &ctx), 0);
	r = (struct ring *)ctx;
	for (i = 0; i < 1000 && good; i++) {
		good = submit(ctx, 1, list) == 1 &&
		    __atomic_load_n(&r->tail, __ATOMIC_ACQUIRE) ==
			(r->head + 1) % r->nr &&
		    r->events[r->head].obj == (uintptr_t)&cb;
		__atomic_store_n(&r->head, (r->head + 1) % r->nr,
		    __ATOMIC_RELEASE);
	}
	CHECK(good);
	r->head = 0xfffffff0; /* any value is harmless */
	r->tail = 12345;
	for (i = 0; i < 100; i++)
		(void)submit(ctx, 1, list);
	while (getevents(ctx, 0, 1, &e, &at_once) == 1)
		;
	CHECK_RET(destroy(ctx), 0);
	close(fd);
}

static void *
destroy_soon(void *arg)
{
	usleep(50000);
	CHECK_RET(destroy(*(aio_context_t *)arg), 0);
	return NULL;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
waiting(void)
{
	struct timespec soon = { 0, 20000000 };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct io_event e;
	aio_context_t ctx = 0;
	pthread_t t;

	CHECK_RET(setup(4, &ctx), 0);
	CHECK_RET(getevents(ctx, 1, 1, &e, &soon), 0);
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 50000); /* again, should the first one come too early */
	CHECK_ERR(getevents(ctx, 1, 1, &e, NULL), EINTR);
	ualarm(0, 0);
	CHECK_RET(pthread_create(&t, NULL, destroy_soon, &ctx), 0);
	CHECK_ERR(getevents(ctx, 1, 1, &e, NULL), EINVAL);
	pthread_join(t, NULL);
}

/* ------------------------------------------------------------- a disk -- */

static char *buffers;

static void
fill(unsigned i, unsigned salt)
{
	uint64_t *p = (uint64_t *)(buffers + i * BLOCK);
	unsigned k;

	for (k = 0; k < BLOCK / 8; k++)
		p[k] = (uint64_t)salt << 32 | i << 16 | k;
}

static bool
filled(unsigned i, unsigned salt)
{
	const uint64_t *p = (uint64_t *)(buffers + i * BLOCK);
	unsigned k;

	for (k = 0; k < BLOCK / 8; k++)
		if (p[k] != ((uint64_t)salt << 32 | i << 16 | k))
			return false;
	return true;
}

/* All at once, and as they end. */
static bool
many(aio_context_t ctx, int fd, int op)
{
	struct iocb cb[DEPTH], *list[DEPTH];
	struct io_event e[DEPTH];
	long n = 0, got;
	unsigned i;

	for (i = 0; i < DEPTH; i++) {
		cb[i] = iocb(fd, op, buffers + i * BLOCK, BLOCK,
		    (int64_t)(DEPTH - i) * BLOCK);
		list[i] = &cb[i];
	}
	if (submit(ctx, DEPTH, list) != DEPTH)
		return false;
	for (; n < DEPTH; n += got) {
		got = getevents(ctx, 1, DEPTH, e, NULL);
		if (got < 1)
			return false;
		for (i = 0; i < got; i++)
			if (e[i].res != BLOCK)
				return false;
	}
	return getevents(ctx, 0, 1, e, &at_once) == 0;
}

/* A child between the request and its end takes nothing away. */
static bool
read_and_fork(aio_context_t ctx, int fd)
{
	struct iocb cb = iocb(fd, IOCB_CMD_PREAD, buffers, BLOCK, BLOCK),
		    *list[1] = { &cb };
	struct io_event e;
	pid_t child;
	int status;

	memset(buffers, 'x', BLOCK);
	if (submit(ctx, 1, list) != 1)
		return false;
	child = fork();
	if (child == 0) {
		memset(buffers, 'c', BLOCK);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child)
		return false;
	buffers[BLOCK] = 1;
	return getevents(ctx, 1, 1, &e, NULL) == 1 && e.res == BLOCK;
}

static void
disk(const char *path)
{
	int fd = open(path, O_RDWR | O_DIRECT), cached = open(path, O_RDWR);
	aio_context_t ctx = 0;
	unsigned i, salt;
	bool good = true;

	buffers = mmap(NULL, (DEPTH + 1) * BLOCK, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(fd >= 0 && buffers != MAP_FAILED);
	CHECK_RET(setup(DEPTH, &ctx), 0);
	for (salt = 1; salt <= 8 && good; salt++) {
		for (i = 0; i < DEPTH; i++)
			fill(i, salt);
		if (salt % 2 == 0) /* the cache has some of it */
			good = pread(cached, buffers, 1, 3 * BLOCK) == 1;
		fill(0, salt);
		good = good && many(ctx, fd, IOCB_CMD_PWRITE);
		memset(buffers, 0, DEPTH * BLOCK);
		good = good && many(ctx, fd, IOCB_CMD_PREAD);
		for (i = 0; i < DEPTH; i++)
			good = good && filled(i, salt);
	}
	CHECK(good);
	CHECK_RET(pread(cached, buffers, BLOCK, 3 * BLOCK), BLOCK);
	memcpy(buffers + (DEPTH - 3) * BLOCK, buffers, BLOCK);
	CHECK(filled(DEPTH - 3, 8));
	for (i = 0; i < 20 && good; i++) {
		good = read_and_fork(ctx, fd);
		memcpy(buffers + (DEPTH - 1) * BLOCK, buffers, BLOCK);
		good = good && filled(DEPTH - 1, 8);
	}
	CHECK(good);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, buffers + 1, 512, 0)),
	    -EINVAL);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PREAD, (void *)4096, 512, 0)),
	    -EFAULT);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_PWRITE, buffers, 512, 1ll << 50)),
	    -ENOSPC);
	CHECK_RET(one(ctx, iocb(fd, IOCB_CMD_FDSYNC, NULL, 0, 0)), 0);
	/* The end of a program with requests under way. */
	if (fork() == 0) {
		struct iocb cb = iocb(fd, IOCB_CMD_PWRITE, buffers, BLOCK, 0),
			    *list[1] = { &cb };

		ctx = 0;
		_exit(setup(4, &ctx) != 0 || submit(ctx, 1, list) != 1);
	}
	wait((int *)&i);
	CHECK_RET((int)i, 0);
	CHECK_RET(destroy(ctx), 0);
	close(fd);
	close(cached);
}

int
main(int argc, char **argv)
{
	mkdir("/tmp", 0777);
	contexts();
	files();
	lists();
	ring_in_view();
	waiting();
	unlink(file);
	if (argc > 1)
		disk(argv[1]);
	return check_done();
}
