/* SPDX-License-Identifier: ISC */
/*
 * proc_seccomp_notify.c - calls that another program decides about: what it
 * is told, its answers, files that it hands over, signals meanwhile, its end.
 */
#include "check.h"
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
#define LISTENER SECCOMP_FILTER_FLAG_NEW_LISTENER
#define KILLABLE SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV

#define FOR_ALL \
	(LISTENER | SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH)

/* getppid() is what is asked about. */
static long
filter(unsigned flags)
{
	struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				       offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { 4, f };

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static long
ask(long arg)
{
	return syscall(SYS_getppid, arg);
}

/* ---- a target and its listener ---- */

static void
send_fd(int sock, int fd)
{
	char c = 0, room[CMSG_SPACE(sizeof(fd))] = { 0 };
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);

	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(cm), &fd, sizeof(fd));
	REQUIRE(sendmsg(sock, &msg, 0) == 1);
}

static int
receive_fd(int sock)
{
	char c, room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = room,
		.msg_controllen = sizeof(room) };
	int fd = -1;

	REQUIRE(recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) == 1);
	REQUIRE(CMSG_FIRSTHDR(&msg) != NULL);
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static pid_t target;

/* A child that has the filter and does fn, whose value it ends with. */
static int
begin(unsigned flags, int (*fn)(void))
{
	int sock[2], fd;

	REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, sock) == 0);
	target = fork();
	REQUIRE(target >= 0);
	if (target == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		fd = (int)filter(LISTENER | flags);
		CHECK(fd >= 0);
		CHECK_RET(fcntl(fd, F_GETFD), FD_CLOEXEC);
		send_fd(sock[0], fd);
		close(fd);
		close(sock[0]);
		close(sock[1]);
		_exit(fn());
	}
	fd = receive_fd(sock[1]);
	close(sock[0]);
	close(sock[1]);
	return fd;
}

static void
ended(int fd, int wanted)
{
	int status = -1;

	CHECK_RET(waitpid(target, &status, 0), target);
	CHECK_RET(status, wanted);
	close(fd);
}

static struct seccomp_notif
receive(int fd)
{
	struct seccomp_notif n = { 0 };

	CHECK_RET(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), 0);
	return n;
}

static int
answer(int fd, uint64_t id, int64_t val, int error, unsigned flags)
{
	struct seccomp_notif_resp r = { id, val, error, flags };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
}

static int
add_fd(int fd, uint64_t id, int file, unsigned flags, unsigned at,
    unsigned newfd_flags)
{
	struct seccomp_notif_addfd a = { id, flags, (unsigned)file, at,
		newfd_flags };

	return ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
}

static int
events(int fd, int timeout)
{
	struct pollfd p = { fd, POLLIN | POLLOUT, 0 };

	return poll(&p, 1, timeout) < 0 ? -1 : p.revents;
}

/* ---- what is told and answered ---- */

static int
asks_thrice(void)
{
	CHECK_RET(ask(0x1122334455667788), 4242);
	CHECK_ERR(ask(2), EXDEV);
	CHECK_RET(ask(3), getpgrp());
	return check_done();
}

static void
answers(void)
{
	struct seccomp_notif n, m;
	uint64_t wrong;
	int fd;

	setpgid(0, 0); /* so that the child can tell who its parent is */
	fd = begin(0, asks_thrice);
	n = receive(fd);
	CHECK_RET(n.pid, target);
	CHECK_RET(n.flags, 0);
	CHECK_RET(n.data.nr, SYS_getppid);
	CHECK_RET(n.data.arch, AUDIT_ARCH_X86_64);
	CHECK_RET(n.data.args[0], 0x1122334455667788);
	CHECK_RET(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), 0);
	wrong = n.id + 1000;
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &wrong), ENOENT);
	CHECK_ERR(answer(fd, wrong, 0, 0, 0), ENOENT);
	CHECK_ERR(answer(fd, n.id, 0, 0, 2), EINVAL);
	CHECK_ERR(answer(fd, n.id, 1, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE),
	    EINVAL);
	CHECK_ERR(answer(fd, n.id, 0, -1, SECCOMP_USER_NOTIF_FLAG_CONTINUE),
	    EINVAL);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, (void *)8), EFAULT);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, (void *)8), EFAULT);
	CHECK_ERR(ioctl(fd, _IO('!', 99)), EINVAL);
	CHECK_RET(answer(fd, n.id, 4242, 0, 0), 0);
	m = receive(fd);
	CHECK(m.id != n.id);
	CHECK_ERR(answer(fd, n.id, 0, 0, 0), ENOENT);
	CHECK_RET(answer(fd, m.id, 5, -EXDEV, 0), 0);
	n = receive(fd);
	CHECK_RET(answer(fd, n.id, 0, 0, SECCOMP_USER_NOTIF_FLAG_CONTINUE), 0);
	ended(fd, 0);
}

static int
asks_once(void)
{
	return (int)ask(1);
}

/* What could not be told comes again. */
static void
bad_receivers(void)
{
	struct seccomp_notif n = { .flags = 1 };
	void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	int fd = begin(0, asks_once);

	REQUIRE(page != MAP_FAILED);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), EINVAL);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, (void *)8), EFAULT);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, page), EFAULT);
	n = receive(fd);
	CHECK_RET(answer(fd, n.id, 17, 0, 0), 0);
	ended(fd, 17 << 8);
	munmap(page, 4096);
}

static int go[2];

static int
waits_and_asks(void)
{
	char c;

	return read(go[0], &c, 1) == 1 ? (int)ask(1) : 99;
}

static void
polls(void)
{
	struct seccomp_notif n;
	int fd;

	REQUIRE(pipe(go) == 0);
	fd = begin(0, waits_and_asks);
	CHECK_RET(events(fd, 0), 0);
	CHECK_RET(write(go[1], "", 1), 1);
	CHECK_RET(events(fd, -1), POLLIN);
	n = receive(fd);
	CHECK_RET(events(fd, -1), POLLOUT);
	CHECK_RET(answer(fd, n.id, 3, 0, 0), 0);
	CHECK_RET(waitpid(target, NULL, 0), target);
	CHECK_RET(events(fd, -1), POLLHUP);
	close(fd);
	close(go[0]);
	close(go[1]);
}

/* ---- files ---- */

static int out[2];

static int
uses_files(void)
{
	int fd = (int)ask(1);

	close(out[0]);
	close(out[1]);
	CHECK(fd > 2);
	CHECK_RET(fcntl(fd, F_GETFD), 0);
	CHECK_RET(write(fd, "one", 3), 3);
	CHECK_RET(ask(2), 50);
	CHECK_RET(fcntl(50, F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(50, "two", 3), 3);
	CHECK_RET(ask(3), 7);
	CHECK_RET(write(51, "six", 3), 3); /* without being the answer */
	CHECK_RET(fcntl(50, F_GETFD), 0);  /* replaced */
	return check_done();
}

static void
bad_files(int fd, uint64_t id)
{
	struct seccomp_notif_addfd a = { id, 0, (unsigned)out[1], 0, 0 };
	struct {
		struct seccomp_notif_addfd a;
		uint64_t more;
	} longer = { a, 1 };
	struct rlimit lim;

	REQUIRE(getrlimit(RLIMIT_NOFILE, &lim) == 0);
	CHECK_ERR(add_fd(fd, id, -1, 0, 0, 0), EBADF);
	CHECK_ERR(add_fd(fd, id, out[1], 4, 0, 0), EINVAL);
	CHECK_ERR(add_fd(fd, id, out[1], 0, 9, 0), EINVAL);
	CHECK_ERR(add_fd(fd, id, out[1], 0, 0, O_NONBLOCK), EINVAL);
	CHECK_ERR(add_fd(fd, id + 1000, out[1], 0, 0, 0), ENOENT);
	CHECK_ERR(add_fd(fd, id, out[1],
		      SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND,
		      (unsigned)lim.rlim_cur, 0),
	    EBADF);
	CHECK_ERR(ioctl(fd, _IOW('!', 3, char[8]), &a), EINVAL);
	CHECK_ERR(ioctl(fd, _IOW('!', 3, longer), &longer), E2BIG);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ADDFD, (void *)8), EFAULT);
	/* None of these was an answer. */
	CHECK_RET(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id), 0);
}

static void
files(void)
{
	struct seccomp_notif n;
	char text[10] = "";
	size_t len = 0;
	ssize_t got;
	int fd, its;

	REQUIRE(pipe(out) == 0);
	fd = begin(0, uses_files);
	n = receive(fd);
	bad_files(fd, n.id);
	its = add_fd(fd, n.id, out[1], 0, 0, 0);
	CHECK(its > 2);
	CHECK_RET(answer(fd, n.id, its, 0, 0), 0);
	n = receive(fd);
	CHECK_RET(add_fd(fd, n.id, out[1],
		      SECCOMP_ADDFD_FLAG_SETFD | SECCOMP_ADDFD_FLAG_SEND, 50,
		      O_CLOEXEC),
	    50);
	n = receive(fd);
	CHECK_RET(add_fd(fd, n.id, out[1], SECCOMP_ADDFD_FLAG_SETFD, 51, 0),
	    51);
	CHECK_RET(add_fd(fd, n.id, out[1], SECCOMP_ADDFD_FLAG_SETFD, 50, 0),
	    50);
	CHECK_RET(answer(fd, n.id, 7, 0, 0), 0);
	ended(fd, 0);
	close(out[1]);
	while (len < sizeof(text) - 1 &&
	    (got = read(out[0], text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)got;
	CHECK_STR(text, "onetwosix");
	close(out[0]);
}

/* ---- signals while a call waits ---- */

static volatile sig_atomic_t handled;

static void
on_signal(int signo)
{
	(void)signo;
	handled++;
}

static void
handle_by(int flags)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
}

static int
is_interrupted(void)
{
	handle_by(0);
	CHECK_ERR(ask(1), EINTR);
	CHECK_RET(handled, 1);
	return check_done();
}

static int
is_restarted(void)
{
	handle_by(SA_RESTART);
	CHECK_RET(ask(1), 5);
	CHECK_RET(handled, 1);
	return check_done();
}

static int
is_not_interrupted(void)
{
	handle_by(0);
	CHECK_RET(ask(1), 6);
	CHECK_RET(handled, 1);
	return check_done();
}

static void
signals(void)
{
	struct seccomp_notif n, again;
	int fd = begin(0, is_interrupted);
	siginfo_t info;

	n = receive(fd);
	CHECK_RET(kill(target, SIGUSR1), 0);
	CHECK_RET(waitid(P_PID, (id_t)target, &info, WNOWAIT | WEXITED), 0);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id), ENOENT);
	CHECK_ERR(answer(fd, n.id, 1, 0, 0), ENOENT);
	CHECK_ERR(add_fd(fd, n.id, 1, 0, 0, 0), ENOENT);
	ended(fd, 0);
	fd = begin(0, is_restarted);
	n = receive(fd);
	CHECK_RET(kill(target, SIGUSR1), 0);
	again = receive(fd);
	CHECK(again.id != n.id);
	CHECK_ERR(answer(fd, n.id, 1, 0, 0), ENOENT);
	CHECK_RET(answer(fd, again.id, 5, 0, 0), 0);
	ended(fd, 0);
}

static void
only_kills(void)
{
	struct seccomp_notif n;
	int fd = begin(KILLABLE, is_not_interrupted), i, gone = 0;

	n = receive(fd);
	CHECK_RET(kill(target, SIGUSR1), 0);
	for (i = 0; i < 100; i++) {
		sched_yield();
		gone += ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id) != 0;
	}
	CHECK_RET(gone, 0);
	CHECK_RET(answer(fd, n.id, 6, 0, 0), 0);
	ended(fd, 0);
	fd = begin(KILLABLE, asks_once);
	n = receive(fd);
	CHECK_RET(kill(target, SIGKILL), 0);
	ended(fd, SIGKILL);
	fd = begin(KILLABLE, is_interrupted); /* nobody has received it */
	CHECK_RET(events(fd, -1), POLLIN);
	CHECK_RET(kill(target, SIGUSR1), 0);
	ended(fd, 0);
}

/* The supervisor is interrupted. */
static void
waits_in_vain(void)
{
	struct itimerval t = { { 0, 10000 }, { 0, 10000 } };
	struct sigaction sa = { .sa_handler = on_signal };
	struct seccomp_notif n = { 0 };
	int fd;

	REQUIRE(pipe(go) == 0);
	fd = begin(0, waits_and_asks);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &t, NULL);
	CHECK_ERR(ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n), EINTR);
	memset(&t, 0, sizeof(t));
	setitimer(ITIMER_REAL, &t, NULL);
	CHECK_RET(write(go[1], "", 1), 1);
	n = receive(fd);
	CHECK_RET(answer(fd, n.id, 8, 0, 0), 0);
	ended(fd, 8 << 8);
}

/* ---- the end of a listener, and another one ---- */

static int
is_left_alone(void)
{
	CHECK_ERR(filter(LISTENER), EBUSY);
	CHECK_ERR(ask(1), ENOSYS); /* closed meanwhile */
	CHECK_ERR(ask(2), ENOSYS);
	CHECK(filter(LISTENER) >= 0);
	CHECK_ERR(filter(LISTENER), EBUSY);
	CHECK_RET(filter(0), 0);
	CHECK_ERR(ask(3), ENOSYS); /* the newest filter has nobody */
	return check_done();
}

static void
closes(void)
{
	int fd = begin(0, is_left_alone);

	receive(fd);
	close(fd);
	ended(-1, 0);
	fd = begin(0, is_left_alone);
	CHECK_RET(events(fd, -1), POLLIN);
	close(fd);
	ended(-1, 0);
}

static void
arguments(void)
{
	struct seccomp_notif_sizes sizes = { 0 };
	uint32_t action = SECCOMP_RET_USER_NOTIF;

	CHECK_RET(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes), 0);
	CHECK_RET(sizes.seccomp_notif, sizeof(struct seccomp_notif));
	CHECK_RET(sizes.seccomp_notif_resp, sizeof(struct seccomp_notif_resp));
	CHECK_RET(sizes.seccomp_data, sizeof(struct seccomp_data));
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 1, &sizes),
	    EINVAL);
	CHECK_ERR(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, NULL),
	    EFAULT);
	CHECK_RET(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action),
	    0);
	CHECK_ERR(filter(LISTENER | SECCOMP_FILTER_FLAG_TSYNC), EINVAL);
	CHECK_ERR(filter(KILLABLE), EINVAL);
}

/* ---- several ---- */

#define CHILDREN 3
#define ROUNDS   100

static int
asks_often(void)
{
	pid_t child[CHILDREN];
	int i, j, status, bad = 0;

	for (i = 0; i < CHILDREN; i++) {
		child[i] = fork();
		for (j = 0; child[i] == 0 && j < ROUNDS; j++)
			if (ask(i * 1000 + j) != i * 1000 + j + 1)
				_exit(1);
		if (child[i] == 0)
			_exit(0);
	}
	for (i = 0; i < CHILDREN; i++)
		if (waitpid(child[i], &status, 0) != child[i] || status != 0)
			bad++;
	return bad;
}

static void *
answers_often(void *arg)
{
	struct seccomp_notif n;
	int fd = *(int *)arg, done = 0;

	for (;;) {
		memset(&n, 0, sizeof(n));
		if ((events(fd, -1) & POLLHUP) != 0)
			break;
		/* The other thread may be faster. */
		if (done % 2 == 0 && (events(fd, 0) & POLLIN) == 0)
			continue;
		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &n) != 0)
			break;
		if (answer(fd, n.id, (int64_t)n.data.args[0] + 1, 0, 0) == 0)
			done++;
	}
	return (void *)(long)done;
}

static void
several(void)
{
	int fd = begin(0, asks_often);
	void *done = NULL;
	pthread_t t;
	int status = -1;

	REQUIRE(pthread_create(&t, NULL, answers_often, &fd) == 0);
	CHECK_RET(waitpid(target, &status, 0), target);
	CHECK_RET(status, 0);
	pthread_join(t, &done);
	CHECK_RET((long)done, CHILDREN * ROUNDS);
	close(fd);
}

static pthread_barrier_t barrier;
static long thread_got;

static void *
asks_in_thread(void *own)
{
	if (own != NULL)
		CHECK_RET(filter(0), 0);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	thread_got = ask(1);
	return NULL;
}

static void
threads(void *own)
{
	struct seccomp_notif n;
	long fd;
	pthread_t t;

	thread_got = 0;
	pthread_barrier_init(&barrier, NULL, 2);
	REQUIRE(pthread_create(&t, NULL, asks_in_thread, own) == 0);
	pthread_barrier_wait(&barrier);
	if (own != NULL)
		CHECK_ERR(fd = filter(FOR_ALL), ESRCH);
	else
		CHECK((fd = filter(FOR_ALL)) >= 0);
	pthread_barrier_wait(&barrier);
	if (own == NULL) {
		n = receive((int)fd);
		CHECK(n.pid != (unsigned)getpid());
		CHECK_RET(answer((int)fd, n.id, 77, 0, 0), 0);
	}
	pthread_join(t, NULL);
	CHECK_RET(thread_got, own != NULL ? -1 : 77);
}

static void
all_threads(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		threads("own"); /* its filters are not a part of ours */
		threads(NULL);
		_exit(check_done());
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

int
main(void)
{
	if (prctl(PR_GET_SECCOMP) != 0) { /* of the host's own making */
		CHECK(true);              /* what they refuse is not known */
		return check_done();
	}
	arguments();
	answers();
	bad_receivers();
	polls();
	files();
	signals();
	only_kills();
	waits_in_vain();
	closes();
	several();
	all_threads();
	return check_done();
}
