/* SPDX-License-Identifier: ISC */
/* child.c - starting and ending QEMU. */
#include "cli/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/qemu.h"

/* Both ends of each connection; [0] is ours but for `out` and `err`. */
struct child_ends {
	int in[2], out[2], err[2], control[2];
	int failed[2]; /* exec's errno comes this way */
};

static void
child_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
child_close_ends(struct child_ends *e)
{
	int *all[] = { e->in, e->out, e->err, e->control, e->failed };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		child_close(&all[i][0]);
		child_close(&all[i][1]);
	}
}

static int
child_open_ends(struct child_ends *e)
{
	if (pipe2(e->in, O_CLOEXEC) < 0 || pipe2(e->out, O_CLOEXEC) < 0 ||
	    pipe2(e->err, O_CLOEXEC) < 0 || pipe2(e->failed, O_CLOEXEC) < 0 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, e->control) < 0)
		return -errno;
	return 0;
}

/* Moves fd out of the way of the numbers that QEMU is to see. */
static int
child_move(int fd)
{
	return fcntl(fd, F_DUPFD_CLOEXEC, 16);
}

static void
child_reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* In the new process: returns only with the errno of what failed. */
static int
child_exec(const struct child_ends *e, const struct strings *argv, int initrd,
    pid_t parent)
{
	int from[] = { e->in[0], e->out[1], e->err[1], initrd, e->control[1] };
	size_t n = sizeof(from) / sizeof(*from);

	_Static_assert(QEMU_FD_INITRD == 3 && QEMU_FD_CONTROL == 4,
	    "the order above");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return errno;
	if (getppid() != parent)
		return ESRCH; /* it died before it could be noticed */
	setsid();
	for (size_t i = 0; i < n; i++) {
		from[i] = child_move(from[i]);
		if (from[i] < 0)
			return errno;
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(from[i], (int)i) < 0)
			return errno;
	child_reset_signals();
	execv(argv->item[0], argv->item);
	return errno;
}

static int
child_wait_exec(struct child *child, struct child_ends *e,
    const struct strings *argv, struct trouble *t)
{
	int failed = 0;
	ssize_t n;

	child_close(&e->failed[1]);
	do {
		n = read(e->failed[0], &failed, sizeof(failed));
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(failed))
		return 0;
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
	return trouble_set(t, STATUS_MACHINE, "cannot start %s: %s",
	    argv->item[0], strerror(failed));
}

static void
child_take_end(int *mine, int *end)
{
	*mine = *end;
	*end = -1;
	fcntl(*mine, F_SETFL, fcntl(*mine, F_GETFL) | O_NONBLOCK);
}

int
child_start(struct child *child, const struct strings *argv, int initrd,
    struct trouble *t)
{
	struct child_ends e = { { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 },
		{ -1, -1 } };
	int error = child_open_ends(&e);
	pid_t parent = getpid();

	*child = (struct child){ 0, -1, -1, -1, -1 };
	if (error == 0) {
		child->pid = fork();
		error = child->pid < 0 ? -errno : 0;
	}
	if (error == 0 && child->pid == 0) {
		int failed = child_exec(&e, argv, initrd, parent);
		ssize_t n = write(e.failed[1], &failed, sizeof(failed));

		_exit(n < 0);
	}
	if (error != 0) {
		child->pid = 0;
		trouble_set(t, STATUS_MACHINE, "cannot start QEMU: %s",
		    strerror(-error));
	} else {
		error = child_wait_exec(child, &e, argv, t);
	}
	if (error == 0) {
		child_take_end(&child->in, &e.in[1]);
		child_take_end(&child->out, &e.out[0]);
		child_take_end(&child->err, &e.err[0]);
		child_take_end(&child->control, &e.control[0]);
	}
	child_close_ends(&e);
	return error;
}

void
child_end_process(struct child *child)
{
	if (child->pid <= 0)
		return;
	kill(child->pid, SIGKILL);
	kill(-child->pid, SIGKILL); /* a wrapper may have started it */
	while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
		;
	child->pid = 0;
}

void
child_end(struct child *child)
{
	child_end_process(child);
	child_close(&child->in);
	child_close(&child->out);
	child_close(&child->err);
	child_close(&child->control);
}
