/* SPDX-License-Identifier: ISC */
/*
 * tty_pty.c - pseudo-terminals: pty(7), pts(4), ptmx, tty_ioctl(2), sessions
 * and hang-ups of credentials(7).
 */
#include "check.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>

#ifndef TIOCGPTPEER
#define TIOCGPTPEER 0x5441
#endif
#ifndef TIOCGPKT
#define TIOCGPKT 0x80045438
#endif

static char buf[20000];
static char name[64];

static int
poll_one(int fd)
{
	struct pollfd p = { fd, POLLIN | POLLOUT | POLLPRI, 0 };

	return poll(&p, 1, 0) < 0 ? -1 : p.revents;
}

/* A pair; the slave without becoming anybody's terminal. */
static void
pair(int *master, int *slave)
{
	int zero = 0, n = -1;

	*master = (int)CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_RET(ioctl(*master, TIOCGPTN, &n), 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK_RET(ioctl(*master, TIOCSPTLCK, &zero), 0);
	*slave = (int)CHECK_OK(open(name, O_RDWR | O_NOCTTY));
}

static void
raw(int fd)
{
	struct termios t;

	CHECK_RET(tcgetattr(fd, &t), 0);
	cfmakeraw(&t);
	CHECK_RET(tcsetattr(fd, TCSANOW, &t), 0);
}

static void
names(void)
{
	int one = 1, n = -1, m, s;
	struct stat st;

	m = (int)CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	CHECK_RET(ioctl(m, TIOCGPTN, &n), 0);
	snprintf(name, sizeof(name), "/dev/pts/%d", n);
	CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EIO); /* locked */
	CHECK_RET(grantpt(m), 0);
	CHECK_RET(unlockpt(m), 0);
	CHECK_STR(ptsname(m), name);
	CHECK_RET(stat(name, &st), 0);
	CHECK(S_ISCHR(st.st_mode));
	CHECK_RET(major(st.st_rdev), 136);
	CHECK_RET(minor(st.st_rdev), n);
	CHECK_RET(st.st_uid, getuid());
	CHECK_RET(isatty(m), 1);
	s = (int)CHECK_OK(open(name, O_RDWR | O_NOCTTY));
	CHECK_RET(isatty(s), 1);
	CHECK_RET(ttyname_r(s, buf, sizeof(buf)), 0);
	CHECK_STR(buf, name);
	CHECK_RET(ioctl(m, TIOCSPTLCK, &one), 0);
	CHECK_ERR(open(name, O_RDWR | O_NOCTTY), EIO);
	CHECK_ERR(ioctl(s, TIOCGPTN, &n), ENOTTY);
	CHECK_ERR(lseek(m, 0, SEEK_CUR), ESPIPE);
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
	CHECK_ERR(stat(name, &st), ENOENT);
}

static void
both_ways(void)
{
	int m, s, n;

	pair(&m, &s);
	CHECK_RET(poll_one(m), POLLOUT);
	CHECK_RET(write(m, "typed\n", 6), 6);
	CHECK_RET(poll_one(s), POLLIN | POLLOUT);
	CHECK_RET(ioctl(s, FIONREAD, &n), 0);
	CHECK_RET(n, 6);
	CHECK_RET(read(s, buf, 100), 6);
	CHECK_MEM(buf, "typed\n", 6);
	CHECK_RET(read(m, buf, 100), 7); /* its echo */
	CHECK_MEM(buf, "typed\r\n", 7);
	CHECK_RET(write(s, "out\n", 4), 4);
	CHECK_RET(poll_one(m), POLLIN | POLLOUT);
	CHECK_RET(ioctl(m, FIONREAD, &n), 0);
	CHECK_RET(n, 5);
	CHECK_RET(read(m, buf, 2), 2);
	CHECK_MEM(buf, "ou", 2);
	CHECK_RET(read(m, buf, 100), 3);
	CHECK_MEM(buf, "t\r\n", 3);
	CHECK_RET(write(m, "x\004", 2),
	    2); /* ends the line without a newline */
	CHECK_RET(read(s, buf, 100), 1);
	CHECK_RET(write(m, "\004", 1), 1);
	CHECK_RET(read(s, buf, 100), 0);
	CHECK_RET(read(m, buf, 100), 1);
	raw(s);
	CHECK_RET(write(m, "a\003b", 3), 3);
	CHECK_RET(read(s, buf, 100), 3);
	CHECK_MEM(buf, "a\003b", 3);
	CHECK_RET(poll_one(m), POLLOUT);
	CHECK_RET(fcntl(m, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(read(m, buf, 1), EAGAIN);
	CHECK_RET(fcntl(s, F_SETFL, O_NONBLOCK), 0);
	CHECK_ERR(read(s, buf, 1), EAGAIN);
	CHECK_RET(tcdrain(s), 0);
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
}

/* Much at once, against a reader that takes its time. */
static void
stream(void)
{
	long total = 0, n;
	int m, s, i;
	pid_t child;

	pair(&m, &s);
	raw(s);
	child = fork();
	if (child == 0) {
		static char big[100000];

		for (i = 0; i < (int)sizeof(big); i++)
			big[i] = (char)(i * 31 + i / 256);
		_exit(write(s, big, sizeof(big)) != sizeof(big));
	}
	close(s);
	for (i = 1; total < 100000; total += n) {
		n = read(m, buf, 997);
		if (n <= 0)
			break;
		for (long k = 0; k < n; k++)
			i &= buf[k] ==
			    (char)((total + k) * 31 + (total + k) / 256);
	}
	CHECK_RET(total, 100000);
	CHECK_RET(i, 1);
	CHECK_RET(waitpid(child, &i, 0), child);
	CHECK_RET(i, 0);
	CHECK_ERR(read(m, buf, 1), EIO); /* no slave is open */
	CHECK_RET(poll_one(m) & POLLHUP, POLLHUP);
	s = (int)CHECK_OK(open(name, O_RDWR | O_NOCTTY)); /* again */
	CHECK_RET(poll_one(m) & POLLHUP, 0);
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
}

static void
sizes(void)
{
	struct winsize w = { 24, 80, 1, 2 }, got;
	int m, s;

	pair(&m, &s);
	CHECK_RET(ioctl(s, TIOCGWINSZ, &got), 0);
	CHECK_RET(got.ws_row, 0);
	CHECK_RET(ioctl(m, TIOCSWINSZ, &w), 0);
	CHECK_RET(ioctl(s, TIOCGWINSZ, &got), 0);
	CHECK_MEM(&got, &w, sizeof(w));
	CHECK_RET(ioctl(m, TIOCGWINSZ, &got), 0);
	CHECK_MEM(&got, &w, sizeof(w));
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
}

/* The master learns that ^S and ^Q work, and with EXTPROC of everything. */
static void
packet_settings(int m, int s)
{
	struct termios t;

	CHECK_RET(tcgetattr(s, &t), 0);
	t.c_iflag |= IXON;
	CHECK_RET(tcsetattr(s, TCSANOW, &t), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_DOSTOP);
	t.c_iflag &= ~(tcflag_t)IXON;
	CHECK_RET(tcsetattr(s, TCSANOW, &t), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_NOSTOP);
	t.c_lflag |= EXTPROC;
	CHECK_RET(tcsetattr(s, TCSANOW, &t), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_IOCTL);
	t.c_lflag &= ~(tcflag_t)EXTPROC;
	/* There is no line that could have other bytes than these. */
	t.c_cflag = (t.c_cflag & ~(tcflag_t)CSIZE) | CS5 | PARENB;
	CHECK_RET(tcsetattr(s, TCSANOW, &t), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(tcgetattr(s, &t), 0);
	CHECK_RET(t.c_cflag & (CSIZE | PARENB | CREAD), CS8 | CREAD);
}

static void
packets(void)
{
	int m, s, one = 1, zero = 0, n;

	pair(&m, &s);
	raw(s);
	CHECK_RET(ioctl(m, TIOCGPKT, &n), 0);
	CHECK_RET(n, 0);
	CHECK_RET(ioctl(m, TIOCPKT, &one), 0);
	CHECK_RET(ioctl(m, TIOCGPKT, &n), 0);
	CHECK_RET(n, 1);
	CHECK_RET(write(s, "data", 4), 4);
	CHECK_RET(read(m, buf, 100), 5);
	CHECK_MEM(buf, "\0data", 5);
	CHECK_RET(tcflow(s, TCOOFF), 0);
	CHECK_RET(poll_one(m) & (POLLIN | POLLPRI), POLLIN | POLLPRI);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_STOP);
	CHECK_RET(tcflow(s, TCOON), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_START);
	CHECK_RET(tcflush(s, TCIFLUSH), 0);
	CHECK_RET(read(m, buf, 100), 1);
	CHECK_RET(buf[0], TIOCPKT_FLUSHREAD);
	packet_settings(m, s);
	CHECK_RET(ioctl(m, TIOCPKT, &zero), 0);
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
}

static void
peer(void)
{
	int m, s, n;

	m = (int)CHECK_OK(open("/dev/ptmx", O_RDWR | O_NOCTTY));
	n = 0;
	CHECK_RET(ioctl(m, TIOCSPTLCK, &n), 0);
	s = (int)CHECK_OK(ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC));
	CHECK_RET(fcntl(s, F_GETFD), FD_CLOEXEC);
	CHECK_RET(write(s, "hi", 2), 2);
	CHECK_RET(read(m, buf, 9), 2);
	CHECK_STR(ttyname(s), ptsname(m));
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
}

/* Who leads a session without a terminal keeps it so with O_NOCTTY. */
static void
no_terminal(void)
{
	int m, s, t, n = 0, status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		m = open("/dev/ptmx", O_RDWR);
		ioctl(m, TIOCSPTLCK, &n);
		s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY);
		t = open(ptsname(m), O_RDWR | O_NOCTTY);
		if (m < 0 || s < 0 || t < 0)
			_exit(1);
		if (open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO)
			_exit(2);
		if (fcntl(t, F_GETFL) & O_NOCTTY)
			_exit(3);
		t = open(ptsname(m), O_RDWR);
		if (t < 0 || open("/dev/tty", O_RDWR) < 0)
			_exit(4);
		_exit(0);
	}
	CHECK_RET(waitpid(pid, &status, 0), pid);
	CHECK_RET(status, 0);
}

static void
say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		_exit(99);
}

static volatile int got_hup, got_cont, got_winch, got_int;

static void
count(int signo)
{
	got_hup += signo == SIGHUP;
	got_cont += signo == SIGCONT;
	got_winch += signo == SIGWINCH;
	got_int += signo == SIGINT;
}

/* The child's life: a session on the slave; what it sees is its status. */
static int
session(int go, int ready)
{
	char c;
	int s;

	if (setsid() < 0)
		return 1;
	s = open(name, O_RDWR); /* becomes the controlling terminal */
	if (s < 0 || tcgetpgrp(s) != getpid() || tcgetsid(s) != getpid())
		return 2;
	if (open("/dev/tty", O_RDWR) < 0)
		return 3;
	signal(SIGHUP, count);
	signal(SIGCONT, count);
	signal(SIGWINCH, count);
	signal(SIGINT, count);
	say(ready, "1");
	if (read(go, &c, 1) != 1 || got_winch != 1 || got_int != 1)
		return 4;
	say(ready, "2");
	if (read(go, &c, 1) != 1) /* the master has closed */
		return 5;
	if (got_hup != 1 || got_cont != 1)
		return 6;
	if (open("/dev/tty", O_RDWR) >= 0 || errno != ENXIO)
		return 7;
	if (read(s, &c, 1) != 0)
		return 8;
	if (write(s, "x", 1) != -1 || errno != EIO)
		return 9;
	if (tcgetpgrp(s) != -1 || isatty(s))
		return 10;
	if ((poll_one(s) & (POLLHUP | POLLERR)) != (POLLHUP | POLLERR))
		return 11;
	return 42;
}

static void
hang_up(void)
{
	struct winsize w = { 30, 90, 0, 0 };
	int m, s, go[2], ready[2], status;
	pid_t child;

	pair(&m, &s);
	close(s);
	CHECK_RET(pipe(go), 0);
	CHECK_RET(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		signal(SIGHUP, SIG_DFL);
		close(m);
		_exit(session(go[0], ready[1]));
	}
	close(ready[1]);
	CHECK_RET(read(ready[0], buf, 1), 1);
	CHECK_RET(ioctl(m, TIOCGPGRP, &status), 0);
	CHECK_RET(status, child);
	CHECK_RET(ioctl(m, TIOCGSID, &status), 0);
	CHECK_RET(status, child);
	CHECK_RET(ioctl(m, TIOCSWINSZ, &w), 0);
	CHECK_RET(write(m, "\003", 1), 1);
	CHECK_RET(read(m, buf, 9), 2);
	CHECK_MEM(buf, "^C", 2);
	CHECK_RET(write(go[1], "1", 1), 1);
	CHECK_RET(read(ready[0], buf, 1), 1);
	CHECK_RET(close(m), 0);
	CHECK_RET(write(go[1], "2", 1), 1);
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK(WIFEXITED(status));
	CHECK_RET(WEXITSTATUS(status), 42);
	close(go[0]);
	close(go[1]);
	close(ready[0]);
}

/* The leader's end: the foreground gets SIGHUP, the slave stays. */
static void
leader_ends(void)
{
	int m, s, status, ready[2];
	pid_t child;

	pair(&m, &s);
	CHECK_RET(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		close(m);
		if (setsid() < 0 || ioctl(s, TIOCSCTTY, 0) != 0)
			_exit(1);
		if (fork() == 0) {
			signal(SIGHUP, count);
			say(ready[1], "1");
			while (got_hup == 0)
				pause();
			say(ready[1], open("/dev/tty", O_RDWR) < 0 ? "n" : "y");
			say(s, "alive");
			_exit(0);
		}
		if (read(ready[0], buf, 1) != 1)
			_exit(2);
		_exit(7);
	}
	CHECK_RET(waitpid(child, &status, 0), child);
	CHECK_RET(WEXITSTATUS(status), 7);
	CHECK_RET(read(ready[0], buf, 1), 1);
	CHECK_RET(buf[0], 'n');
	CHECK_RET(read(m, buf, 100), 5);
	CHECK_MEM(buf, "alive", 5);
	CHECK_RET(close(s), 0);
	CHECK_RET(close(m), 0);
	close(ready[0]);
	close(ready[1]);
}

int
main(void)
{
	alarm(60);
	names();
	both_ways();
	stream();
	sizes();
	packets();
	peer();
	no_terminal();
	hang_up();
	leader_ends();
	return check_done();
}
