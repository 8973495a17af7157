/* SPDX-License-Identifier: ISC */
/* sig_io.c - signals from files: O_ASYNC, F_SETOWN, F_SETSIG.  fcntl(2). */
#include "check.h"
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define SIG_OWN (SIGRTMIN + 3)

static sigset_t set;

/* The next of our signals; 0: none came for so long. */
static int
next(siginfo_t *si, int seconds)
{
	struct timespec ts = { seconds, seconds == 0 ? 50000000 : 0 };
	int signo = sigtimedwait(&set, si, &ts);

	return signo < 0 && errno == EAGAIN ? 0 : signo;
}

static void
owners(void)
{
	struct f_owner_ex ex = { F_OWNER_PID, getpid() };
	int fd[2];

	CHECK_RET(pipe(fd), 0);
	CHECK_RET(fcntl(fd[0], F_GETOWN), 0);
	CHECK_RET(fcntl(fd[0], F_GETSIG), 0);
	CHECK_RET(fcntl(fd[0], F_SETOWN, getpid()), 0);
	CHECK_RET(fcntl(fd[0], F_GETOWN), getpid());
	CHECK_ERR(fcntl(fd[0], F_SETOWN, INT_MIN), EINVAL);
	CHECK_ERR(fcntl(fd[0], F_SETOWN, 0x3ffff0), ESRCH);
	CHECK_ERR(fcntl(fd[0], F_SETSIG, 65), EINVAL);
	CHECK_ERR(fcntl(fd[0], F_SETSIG, -1), EINVAL);
	CHECK_RET(fcntl(fd[0], F_SETSIG, SIG_OWN), 0);
	CHECK_RET(fcntl(fd[0], F_GETSIG), SIG_OWN);
	CHECK_RET(fcntl(fd[1], F_SETOWN_EX, &ex), 0);
	ex.type = -1;
	CHECK_RET(fcntl(fd[1], F_GETOWN_EX, &ex), 0);
	CHECK_RET(ex.type, F_OWNER_PID);
	CHECK_RET(ex.pid, getpid());
	ex.type = 9;
	CHECK_ERR(fcntl(fd[1], F_SETOWN_EX, &ex), EINVAL);
	CHECK_ERR(fcntl(fd[1], F_SETOWN_EX, (void *)8), EFAULT);
	CHECK_RET(fcntl(fd[0], F_SETOWN, 0), 0);
	CHECK_RET(fcntl(fd[0], F_GETOWN), 0);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(close(fd[1]), 0);
}

static void
plain(int in, int out)
{
	siginfo_t si;
	char c;

	CHECK_RET(fcntl(in, F_SETOWN, getpid()), 0);
	CHECK_RET(write(out, "x", 1), 1);
	CHECK_RET(next(&si, 0), 0); /* not yet asked for */
	CHECK_RET(read(in, &c, 1), 1);
	CHECK_RET(fcntl(in, F_SETFL, O_ASYNC), 0);
	CHECK_RET(fcntl(in, F_GETFL) & O_ASYNC, O_ASYNC);
	CHECK_RET(write(out, "x", 1), 1);
	CHECK_RET(next(&si, 20), SIGIO);
	CHECK_RET(si.si_code, SI_KERNEL);
	CHECK_RET(read(in, &c, 1), 1);
}

static void
detailed(int in, int out)
{
	siginfo_t si;
	char c;
	int off = 0;

	CHECK_RET(fcntl(in, F_SETSIG, SIG_OWN), 0);
	CHECK_RET(write(out, "y", 1), 1);
	CHECK_RET(next(&si, 20), SIG_OWN);
	CHECK_RET(si.si_code, POLL_IN);
	CHECK_RET(si.si_fd, in);
	CHECK_RET(si.si_band & POLLIN, POLLIN);
	CHECK_RET(read(in, &c, 1), 1);
	CHECK_RET(ioctl(in, FIOASYNC, &off), 0);
	CHECK_RET(fcntl(in, F_GETFL) & O_ASYNC, 0);
	CHECK_RET(write(out, "z", 1), 1);
	CHECK_RET(next(&si, 0), 0);
	CHECK_RET(read(in, &c, 1), 1);
}

static void
to_a_group(void)
{
	siginfo_t si;
	int fd[2], status = -1;
	pid_t child;

	CHECK_RET(pipe(fd), 0);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		_exit(next(&si, 20) == SIGIO ? 0 : 1);
	}
	setpgid(child, child);
	CHECK_RET(fcntl(fd[0], F_SETOWN, -child), 0);
	CHECK_RET(fcntl(fd[0], F_GETOWN), -child);
	CHECK_RET(fcntl(fd[0], F_SETFL, O_ASYNC), 0);
	CHECK_RET(write(fd[1], "x", 1), 1);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(status, 0);
	/* The owner is gone, then the file while something came. */
	CHECK_RET(write(fd[1], "x", 1), 1);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(close(fd[1]), 0);
}

/* F_NOTIFY: what happens in a directory. */
static void
directories(void)
{
	char dir[] = "/tmp/sigioXXXXXX", name[64];
	siginfo_t si;
	int fd, file;

	mkdir("/tmp", 01777);
	REQUIRE(mkdtemp(dir) != NULL);
	snprintf(name, sizeof(name), "%s/file", dir);
	fd = (int)CHECK_OK(open(dir, O_RDONLY));
	CHECK_RET(fcntl(fd, F_SETSIG, SIG_OWN), 0);
	CHECK_RET(fcntl(fd, F_NOTIFY, DN_CREATE), 0);
	file = (int)CHECK_OK(open(name, O_WRONLY | O_CREAT, 0600));
	CHECK_RET(next(&si, 20), SIG_OWN);
	CHECK_RET(si.si_code, POLL_MSG);
	CHECK_RET(si.si_fd, fd);
	CHECK_RET(unlink(name), 0); /* once, and not asked for */
	CHECK_RET(next(&si, 0), 0);
	CHECK_RET(fcntl(fd, F_NOTIFY, DN_DELETE | DN_MULTISHOT), 0);
	CHECK_RET(mkdir(name, 0700), 0);
	CHECK_RET(rmdir(name), 0);
	CHECK_RET(next(&si, 20), SIG_OWN);
	CHECK_RET(fcntl(fd, F_NOTIFY, 0), 0);
	CHECK_RET(mkdir(name, 0700), 0);
	while (next(&si, 0) != 0) { /* of rmdir and mkdir before */
	}
	CHECK_RET(rmdir(name), 0);
	CHECK_RET(next(&si, 0), 0);
	CHECK_ERR(fcntl(file, F_NOTIFY, DN_CREATE), ENOTDIR);
	CHECK_RET(fcntl(fd, F_NOTIFY, DN_MODIFY | DN_MULTISHOT), 0);
	CHECK_RET(close(fd), 0);
	CHECK_RET(close(file), 0);
	CHECK_RET(rmdir(dir), 0);
}

int
main(void)
{
	int fd[2];

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	sigaddset(&set, SIG_OWN);
	sigprocmask(SIG_BLOCK, &set, NULL);
	owners();
	CHECK_RET(pipe(fd), 0);
	plain(fd[0], fd[1]);
	detailed(fd[0], fd[1]);
	CHECK_RET(close(fd[0]), 0);
	CHECK_RET(close(fd[1]), 0);
	CHECK_RET(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
	plain(fd[0], fd[1]);
	detailed(fd[0], fd[1]);
	CHECK_RET(close(fd[1]), 0);
	CHECK_RET(close(fd[0]), 0);
	to_a_group();
	directories();
	return check_done();
}
