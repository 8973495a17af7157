/* SPDX-License-Identifier: ISC */
/*
 * vsock.c - sockets within one machine by AF_VSOCK's local number: connect,
 * listen, accept, credit, halves, errors.  vsock(7).
 */
#include "check.h"

#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#ifndef VMADDR_CID_LOCAL
#define VMADDR_CID_LOCAL 1
#endif
#define PORT  5000u
#define BYTES 1000000

static struct sockaddr_vm
address(unsigned cid, unsigned port)
{
	struct sockaddr_vm a;

	memset(&a, 0, sizeof(a));
	a.svm_family = AF_VSOCK;
	a.svm_cid = cid;
	a.svm_port = port;
	return a;
}

static int
call(int (*fn)(int, const struct sockaddr *, socklen_t), int fd, unsigned cid,
    unsigned port)
{
	struct sockaddr_vm a = address(cid, port);

	return fn(fd, (struct sockaddr *)&a, sizeof(a));
}

static int
listener(unsigned port)
{
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	CHECK(fd >= 0);
	CHECK_RET(call(bind, fd, VMADDR_CID_ANY, port), 0);
	CHECK_RET(listen(fd, 4), 0);
	return fd;
}

/* Both ends of a new connection; the listener stays. */
static void
pair(int l, int fd[2])
{
	fd[0] = socket(AF_VSOCK, SOCK_STREAM, 0);
	CHECK_RET(call(connect, fd[0], VMADDR_CID_LOCAL, PORT), 0);
	fd[1] = accept(l, NULL, NULL);
	CHECK(fd[1] >= 0);
}

static void
names_and_errors(int l)
{
	struct sockaddr_vm a;
	socklen_t len = sizeof(a);
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0), other;

	CHECK_ERR(socket(AF_VSOCK, SOCK_RAW, 0), ESOCKTNOSUPPORT);
	CHECK_ERR(socket(AF_VSOCK, SOCK_STREAM, 6), EPROTONOSUPPORT);
	CHECK_ERR(listen(fd, 1), EINVAL);
	CHECK_ERR(send(fd, "x", 1, MSG_NOSIGNAL), ENOTCONN);
	CHECK_ERR(recv(fd, &a, 1, 0), ENOTCONN);
	CHECK_ERR(getpeername(fd, (struct sockaddr *)&a, &len), ENOTCONN);
	CHECK_ERR(call(bind, fd, VMADDR_CID_ANY, PORT), EADDRINUSE);
	CHECK_ERR(call(bind, fd, 77777, 6000), EADDRNOTAVAIL);
	CHECK_ERR(call(connect, fd, VMADDR_CID_LOCAL, 4999), ECONNRESET);
	CHECK_RET(call(connect, fd, VMADDR_CID_LOCAL, PORT), 0);
	CHECK_ERR(call(connect, fd, VMADDR_CID_LOCAL, PORT), EISCONN);
	len = sizeof(a);
	CHECK_RET(getpeername(fd, (struct sockaddr *)&a, &len), 0);
	CHECK_RET(len, sizeof(a));
	CHECK_RET(a.svm_family, AF_VSOCK);
	CHECK_RET(a.svm_cid, VMADDR_CID_LOCAL);
	CHECK_RET(a.svm_port, PORT);
	CHECK_RET(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	CHECK(a.svm_port >= 1024 && a.svm_port != PORT);
	other = accept(l, (struct sockaddr *)&a, &len);
	CHECK(other >= 0);
	CHECK_RET(a.svm_cid, VMADDR_CID_LOCAL);
	CHECK_RET(close(other), 0);
	CHECK_RET(close(fd), 0);
	CHECK_ERR(accept4(l, NULL, NULL, 0x100), EINVAL);
	CHECK_RET(fcntl(l, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(accept(l, NULL, NULL), EAGAIN);
	CHECK_RET(fcntl(l, F_SETFL, 0), 0);
}

static void
bytes_both_ways(int l)
{
	char buf[16] = "";
	int fd[2], n;

	pair(l, fd);
	CHECK_RET(write(fd[0], "hello", 5), 5);
	CHECK_RET(recv(fd[1], buf, 16, MSG_PEEK), 5);
	CHECK_RET(ioctl(fd[1], FIONREAD, &n) == 0 ? n : 5, 5);
	CHECK_RET(read(fd[1], buf, 3), 3);
	CHECK_RET(read(fd[1], buf + 3, 3), 2);
	CHECK(memcmp(buf, "hello", 5) == 0);
	CHECK_ERR(recv(fd[1], buf, 1, MSG_DONTWAIT), EAGAIN);
	CHECK_RET(write(fd[1], "there", 5), 5);
	CHECK_RET(read(fd[0], buf, 16), 5);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(read(fd[1], buf, 16), 0);
	CHECK_ERR(send(fd[1], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_RET(close(fd[1]), 0);
}

static void
halves(int l)
{
	struct pollfd p = { .events = POLLIN | POLLOUT | POLLRDHUP };
	char buf[4];
	int fd[2];

	pair(l, fd);
	p.fd = fd[1];
	CHECK_RET(poll(&p, 1, 0), 1);
	CHECK_RET(p.revents, POLLOUT);
	CHECK_RET(write(fd[0], "abc", 3), 3);
	CHECK_RET(shutdown(fd[0], SHUT_WR), 0);
	CHECK_ERR(send(fd[0], "x", 1, MSG_NOSIGNAL), EPIPE);
	CHECK_RET(read(fd[1], buf, 4), 3);
	CHECK_RET(read(fd[1], buf, 4), 0);
	CHECK_RET(poll(&p, 1, 1000), 1);
	CHECK((p.revents & (POLLIN | POLLRDHUP)) == (POLLIN | POLLRDHUP));
	CHECK_RET(write(fd[1], "back", 4), 4);
	CHECK_RET(read(fd[0], buf, 4), 4);
	CHECK_RET(close(fd[1]), 0);
	CHECK_RET(read(fd[0], buf, 4), 0);
	CHECK_RET(close(fd[0]), 0);
}

static unsigned char
byte_at(int i)
{
	return i * 7 + i / 251;
}

/* More than fits: the sender waits for the reader. */
static void
credit(int l)
{
	static unsigned char out[BYTES], in[BYTES];
	int fd[2], i, wrong = 0, status;
	ssize_t n, got = 0;
	pid_t child;

	for (i = 0; i < BYTES; i++)
		out[i] = byte_at(i);
	pair(l, fd);
	child = fork();
	if (child == 0) {
		close(fd[1]);
		_exit(write(fd[0], out, BYTES) != BYTES);
	}
	close(fd[0]);
	while ((n = read(fd[1], in + got,
		    10007 < BYTES - got ? 10007 : (size_t)(BYTES - got))) > 0)
		got += n;
	CHECK_RET(got, BYTES);
	for (i = 0; i < BYTES; i++)
		wrong += in[i] != byte_at(i);
	CHECK_RET(wrong, 0);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(status, 0);
	CHECK_RET(close(fd[1]), 0);
	pair(l, fd);
	CHECK_RET(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	for (got = 0; (n = write(fd[0], out, 5000)) > 0; got += n)
		;
	CHECK(n == -1 && errno == EAGAIN);
	CHECK(got >= 65536);
	CHECK_RET(close(fd[0]), 0);
	while ((n = read(fd[1], in, sizeof(in))) > 0)
		got -= n;
	CHECK_RET(got, 0);
	CHECK_RET(close(fd[1]), 0);
}

/* A connection that nobody takes, before and after its listener goes. */
static void
never_accepted(void)
{
	int l = listener(PORT + 1), fd = socket(AF_VSOCK, SOCK_STREAM, 0);
	char c;

	CHECK_RET(call(connect, fd, VMADDR_CID_LOCAL, PORT + 1), 0);
	CHECK_RET(write(fd, "x", 1), 1);
	CHECK_RET(close(l), 0);
	CHECK(read(fd, &c, 1) <= 0);
	CHECK_RET(close(fd), 0);
	fd = listener(PORT + 1); /* the port is free again */
	CHECK_RET(close(fd), 0);
}

static void
own_number(void)
{
	unsigned cid = 0;
	int fd = open("/dev/vsock", O_RDONLY);

	CHECK(fd >= 0);
	CHECK_RET(ioctl(fd, IOCTL_VM_SOCKETS_GET_LOCAL_CID, &cid), 0);
	CHECK(cid == VMADDR_CID_ANY || cid >= 2);
	CHECK_RET(close(fd), 0);
}

int
main(void)
{
	int l = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (l < 0 ||
	    (call(connect, l, VMADDR_CID_LOCAL, 1) < 0 && errno == ENODEV)) {
		printf("# this kernel has no such sockets\n");
		return check_done();
	}
	close(l);
	l = listener(PORT);
	names_and_errors(l);
	bytes_both_ways(l);
	halves(l);
	credit(l);
	never_accepted();
	own_number();
	close(l);
	return check_done();
}
