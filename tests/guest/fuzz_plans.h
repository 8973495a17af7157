/* SPDX-License-Identifier: ISC */
/*
 * fuzz_plans.h - calls of fuzz_calls.c that chance alone seldom makes well
 * enough to get far: each plan is a few that belong together, on descriptors,
 * processes and memory that the other threads work on too.  None may wait for
 * ever by itself; a round's end kills what does.
 */
#ifndef FUZZ_PLANS_H
#define FUZZ_PLANS_H

#include <linux/aio_abi.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define PLAN_PORTS 8

/* A child that others may look for: the last ones, whoever made them. */
static pid_t plan_child[4];

static pid_t
some_child(struct chance *c)
{
	return plan_child[below(c, 4)];
}

static void
plan_calls(struct chance *c, unsigned n)
{
	while (n-- > 0)
		syscall(choose(c), argument(c), argument(c), argument(c),
		    argument(c), argument(c), argument(c));
}

/* A process of its own with what is shared by `flags`. */
static pid_t
plan_fork(struct chance *c, uint64_t flags)
{
	struct clone_args a = { .flags = flags, .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &a,
	    below(c, 2) == 0 ? sizeof(a) : CLONE_ARGS_SIZE_VER0);

	if (pid > 0)
		plan_child[below(c, 4)] = pid;
	return pid;
}

/* A filter for one call, or for a part of all of them. */
static long
plan_filter(struct chance *c, unsigned action, unsigned flags)
{
	struct sock_filter f[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
				       offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | (below(c, 2) == 0 ? BPF_JEQ : BPF_JGT) |
			BPF_K,
		    below(c, 335), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, action),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };
	struct sock_fprog prog = { 4, f };

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void
plan_seccomp(struct chance *c)
{
	static const unsigned actions[] = { SECCOMP_RET_ERRNO | EPERM,
		SECCOMP_RET_LOG, SECCOMP_RET_TRAP, SECCOMP_RET_TRACE,
		SECCOMP_RET_KILL_THREAD, SECCOMP_RET_KILL_PROCESS,
		SECCOMP_RET_USER_NOTIF };

	if (plan_fork(c, below(c, 2) == 0 ? CLONE_FILES : 0) != 0)
		return;
	plan_filter(c, actions[below(c, 7)], below(c, 64));
	plan_filter(c, SECCOMP_RET_USER_NOTIF,
	    SECCOMP_FILTER_FLAG_NEW_LISTENER | (below(c, 2) << 5));
	plan_calls(c, below(c, 40));
	_exit(0);
}

/* Whatever listener there is among the descriptors. */
static void
plan_notify(struct chance *c)
{
	struct seccomp_notif n = { 0 };
	struct seccomp_notif_resp r = { 0 };
	struct seccomp_notif_addfd a = { 0 };
	struct pollfd p = { .events = POLLIN };
	int tries;

	for (tries = 0; tries < 40; tries++) {
		p.fd = tries;
		p.revents = 0;
		if (poll(&p, 1, 0) != 1 || (p.revents & POLLIN) == 0 ||
		    ioctl(p.fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id) == 0 ||
		    errno != ENOENT)
			continue;
		memset(&n, 0, sizeof(n));
		if (ioctl(p.fd, SECCOMP_IOCTL_NOTIF_RECV, &n) != 0)
			continue;
		a.id = n.id;
		a.srcfd = below(c, 20);
		a.flags = below(c, 4);
		a.newfd = (a.flags & 1) != 0 ? below(c, 70) : 0;
		if (below(c, 2) == 0)
			ioctl(p.fd, SECCOMP_IOCTL_NOTIF_ADDFD, &a);
		r.id = n.id;
		r.flags = below(c, 2);
		r.error = r.flags == 0 ? -(int)below(c, 600) : 0;
		if (below(c, 4) != 0)
			ioctl(p.fd, SECCOMP_IOCTL_NOTIF_SEND, &r);
		if (below(c, 8) == 0)
			close(p.fd);
	}
}

static void
plan_ptrace(struct chance *c)
{
	static const int requests[] = { PTRACE_ATTACH, PTRACE_SEIZE,
		PTRACE_INTERRUPT, PTRACE_CONT, PTRACE_SYSCALL,
		PTRACE_SINGLESTEP, PTRACE_LISTEN, PTRACE_DETACH, PTRACE_KILL,
		PTRACE_PEEKDATA, PTRACE_POKEUSER, PTRACE_GETREGS,
		PTRACE_SETREGS, PTRACE_GETFPREGS, PTRACE_GETSIGINFO,
		PTRACE_SETOPTIONS, PTRACE_GETEVENTMSG };
	int i, status;
	pid_t pid = plan_fork(c, 0);

	if (pid == 0) {
		if (below(c, 2) == 0)
			ptrace(PTRACE_TRACEME, 0, 0, 0);
		plan_calls(c, below(c, 60));
		_exit(0);
	}
	for (i = 0; i < 12; i++) {
		pid = some_child(c);
		ptrace(requests[below(c, 17)], pid, pointer(c),
		    below(c, 2) == 0 ? pointer(c) : below(c, 128));
		waitpid(pid, &status, WNOHANG | __WALL | WUNTRACED);
		if (below(c, 8) == 0)
			kill(pid, (int)below(c, 65));
	}
}

static void
plan_aio(struct chance *c)
{
	struct io_event done[8];
	struct timespec none = { 0, 0 };
	struct iocb cb[4], *list[4];
	aio_context_t ctx = 0;
	unsigned i;

	if (syscall(SYS_io_setup, 1 + below(c, 64), &ctx) != 0)
		return;
	for (i = 0; i < 4; i++) {
		memset(&cb[i], 0, sizeof(cb[i]));
		cb[i].aio_fildes = below(c, 30);
		cb[i].aio_lio_opcode = below(c, 9);
		cb[i].aio_buf = pointer(c);
		cb[i].aio_nbytes = below(c, 5000);
		cb[i].aio_offset = below(c, 9000);
		cb[i].aio_flags = below(c, 4);
		cb[i].aio_resfd = below(c, 30);
		list[i] = &cb[i];
	}
	syscall(SYS_io_submit, ctx, 4, list);
	syscall(SYS_io_cancel, ctx, list[below(c, 4)], done);
	syscall(SYS_io_getevents, ctx, 0, 8, done, &none);
	if (below(c, 4) != 0)
		syscall(SYS_io_destroy, ctx);
}

static void
plan_memory(struct chance *c)
{
	struct iovec mine[3], its[3];
	pid_t pid = below(c, 2) == 0 ? getpid() : some_child(c);
	unsigned i;

	for (i = 0; i < 3; i++) {
		mine[i] = (struct iovec){ (void *)pointer(c), below(c, 9000) };
		its[i] = (struct iovec){ (void *)pointer(c), below(c, 9000) };
	}
	syscall(below(c, 2) == 0 ? SYS_process_vm_readv : SYS_process_vm_writev,
	    pid, mine, 3, its, 3, 0);
}

/* Connections and datagrams of the loopback, at a few ports. */
static void
plan_inet(struct chance *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons(5000 + below(c, PLAN_PORTS)),
		.sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr *sa = (struct sockaddr *)&to;
	int type = below(c, 2) == 0 ? SOCK_STREAM : SOCK_DGRAM, fd, i;

	fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);
	for (i = 0; fd >= 0 && i < 10; i++) {
		switch (below(c, 9)) {
		case 0: bind(fd, sa, sizeof(to)); break;
		case 1: listen(fd, (int)below(c, 4)); break;
		case 2: connect(fd, sa, sizeof(to)); break;
		case 3: accept4(fd, NULL, NULL, SOCK_NONBLOCK); break;
		case 4: send(fd, area, below(c, 3000), MSG_NOSIGNAL); break;
		case 5:
			sendto(fd, area, 9, MSG_NOSIGNAL, sa, sizeof(to));
			break;
		case 6: recv(fd, area, below(c, 3000), MSG_DONTWAIT); break;
		case 7: shutdown(fd, (int)below(c, 3)); break;
		default:
			setsockopt(fd, (int)below(c, 20), (int)below(c, 50),
			    area, below(c, 32));
		}
		sa->sa_family = below(c, 20) == 0 ? AF_UNSPEC : AF_INET;
	}
	if (below(c, 3) != 0)
		close(fd);
}

/* Threads that part from their descriptors, and close many. */
static void
plan_files(struct chance *c)
{
	if (below(c, 4) == 0)
		unshare(CLONE_FILES);
	syscall(SYS_close_range, 24 + below(c, 8), 32 + below(c, 40),
	    below(c, 4) << 1);
	syscall(SYS_pidfd_getfd, below(c, 24), below(c, 24), 0);
	if (below(c, 2) == 0)
		dup2((int)below(c, 24), (int)below(c, 64));
}

static void
plan(struct chance *c)
{
	static void (*const plans[])(struct chance *) = { plan_seccomp,
		plan_notify, plan_ptrace, plan_aio, plan_memory, plan_inet,
		plan_files };

	plans[below(c, sizeof(plans) / sizeof(plans[0]))](c);
}

#endif
