/* SPDX-License-Identifier: ISC */
/*
 * machine.c - one loop that carries everything between the user and QEMU.
 *
 * Each direction holds at most one buffer: it is filled only when it is
 * empty, so that whoever is slow makes the other side wait, and nothing is
 * lost.  Input is not sent before the kernel says "ready": what arrives at
 * a serial port that nobody has set up yet is dropped.
 *
 * The loop ends when the console's output ends, that is, QEMU has gone; or
 * when a status has been decided here (time, signals, the user's wish).
 */
#include "cli/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cli/child.h"
#include "cli/control.h"
#include "cli/foreign.h"
#include "cli/terminal.h"
#include "cli/trouble.h"

#define SECOND_NS        1000000000ll
#define MACHINE_TWICE_NS (2 * SECOND_NS) /* between two ^C that kill */
#define MACHINE_END_NS   (2 * SECOND_NS) /* from the status to QEMU's end */
#define MACHINE_FOREVER  INT64_MAX
#define MACHINE_KILLED   (STATUS_SIGNAL + SIGKILL) /* by Ctrl-A x */

/* A buffer that is filled when empty; at == n: it is. */
struct flow {
	char buf[4096];
	size_t at, n;
};

struct machine {
	const struct machine_run *run;
	struct child child;
	struct control control;
	struct foreign foreign;
	struct terminal_keys keys;
	struct flow in, out;
	char lines[512]; /* to the control channel */
	size_t nlines;
	char messages[2048]; /* the last ones of QEMU */
	size_t nmessages;
	uint64_t in_total; /* bytes of input that were sent */
	bool in_end;       /* there will be no more */
	bool heard;        /* the console said something */
	bool broken;       /* KVM gave up on it */
	int signals;       /* signalfd(2) */
	int64_t deadline_ns, interrupted_ns;
	int status; /* -1: not decided here */
};

enum {
	POLL_INPUT,
	POLL_CONSOLE_IN,
	POLL_CONSOLE_OUT,
	POLL_OUTPUT,
	POLL_CONTROL,
	POLL_MESSAGES,
	POLL_SIGNALS,
	POLL_COUNT
};

static int64_t
machine_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static bool
machine_error_is_lasting(ssize_t n)
{
	return n < 0 && errno != EAGAIN && errno != EINTR;
}

static void
machine_send_line(struct machine *m, const char *line)
{
	size_t n = strlen(line);

	if (m->run->foreign)
		return;
	/* It holds dozens of lines; a kernel that takes none is stuck. */
	if (m->nlines + n > sizeof(m->lines)) {
		if (m->run->verbose)
			say("the kernel does not read its control channel");
		return;
	}
	memcpy(m->lines + m->nlines, line, n);
	m->nlines += n;
}

static void
machine_send_size(struct machine *m)
{
	unsigned rows, columns;
	char line[64];

	if (!terminal_size(STDOUT_FILENO, &rows, &columns) &&
	    !terminal_size(STDIN_FILENO, &rows, &columns))
		return;
	snprintf(line, sizeof(line), "winsize %u %u\n", rows, columns);
	machine_send_line(m, line);
}

/* The input has ended and all of it was sent. */
static void
machine_send_end(struct machine *m)
{
	char line[64];

	if (m->run->foreign) {
		m->in.buf[0] = '\x04'; /* a terminal's end of file */
		m->in.at = 0;
		m->in.n = 1;
		return;
	}
	snprintf(line, sizeof(line), "eof %llu\n",
	    (unsigned long long)m->in_total);
	machine_send_line(m, line);
}

static void
machine_read_input(struct machine *m)
{
	size_t room = sizeof(m->in.buf) - 1; /* a Ctrl-A may be put back */
	ssize_t n = read(STDIN_FILENO, m->in.buf, room);

	if (n < 0 && !machine_error_is_lasting(n))
		return;
	m->in.at = 0;
	m->in.n = n > 0 ? (size_t)n : 0;
	if (n <= 0) {
		m->in_end = true;
		machine_send_end(m);
	} else if (m->run->in == BOOT_TTY &&
	    terminal_keys_filter(&m->keys, m->in.buf, &m->in.n)) {
		m->status = MACHINE_KILLED;
	}
}

static void
machine_write_console(struct machine *m)
{
	ssize_t n = write(m->child.in, m->in.buf + m->in.at,
	    m->in.n - m->in.at);

	if (n > 0) {
		m->in.at += (size_t)n;
		m->in_total += (uint64_t)n;
	} else if (machine_error_is_lasting(n)) {
		m->in_end = true; /* QEMU is going; its output ends */
		m->in.at = m->in.n;
	}
}

static void
machine_end_console(struct machine *m)
{
	close(m->child.out);
	m->child.out = -1;
}

/* Whether the kernel's own words are to be kept from the user's file. */
static bool
machine_filters(const struct machine *m)
{
	return m->run->foreign && !m->run->verbose && m->run->out == BOOT_PIPE;
}

static void
machine_read_console(struct machine *m)
{
	size_t room = sizeof(m->out.buf) - FOREIGN_HELD;
	ssize_t n = read(m->child.out, m->out.buf, room);

	if (n < 0 && !machine_error_is_lasting(n))
		return;
	m->out.at = 0;
	m->out.n = n > 0 ? (size_t)n : 0;
	if (n > 0) {
		m->heard = true;
		if (m->run->foreign)
			foreign_input(&m->foreign, m->out.buf, m->out.n);
		if (machine_filters(m))
			m->out.n = foreign_filter(&m->foreign, m->out.buf,
			    m->out.n);
	} else {
		machine_end_console(m);
		if (machine_filters(m))
			m->out.n = foreign_flush(&m->foreign, m->out.buf);
	}
}

static void
machine_write_output(struct machine *m)
{
	ssize_t n = write(STDOUT_FILENO, m->out.buf + m->out.at,
	    m->out.n - m->out.at);

	if (n >= 0) {
		m->out.at += (size_t)n;
	} else if (errno == EPIPE) {
		m->status = STATUS_SIGNAL + SIGPIPE;
	} else if (machine_error_is_lasting(n)) {
		terminal_restore();
		say("standard output: %s", strerror(errno));
		m->status = STATUS_MACHINE;
	}
}

/* Returns whether there may be more to read. */
static bool
machine_serve_control(struct machine *m, short events)
{
	char buf[512];
	ssize_t n;

	if ((events & POLLOUT) != 0 && m->nlines > 0) {
		n = write(m->child.control, m->lines, m->nlines);
		if (n > 0) {
			m->nlines -= (size_t)n;
			memmove(m->lines, m->lines + n, m->nlines);
		}
	}
	if ((events & (POLLIN | POLLHUP | POLLERR)) == 0)
		return false;
	n = read(m->child.control, buf, sizeof(buf));
	if (n > 0) {
		control_input(&m->control, buf, (size_t)n);
	} else if (n == 0 || machine_error_is_lasting(n)) {
		close(m->child.control);
		m->child.control = -1;
	}
	return n > 0;
}

/* QEMU stops such a machine, and then stays for ever. */
static bool
machine_is_broken(const struct machine *m)
{
	static const char *const words[] = { "KVM internal error",
		"kvm run failed" };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (memmem(m->messages, m->nmessages, words[i],
			strlen(words[i])) != NULL)
			return true;
	return false;
}

/*
 * QEMU's messages: the last ones are kept, in case that it fails.  Returns
 * whether there may be more to read.
 */
static bool
machine_read_messages(struct machine *m)
{
	char buf[1024];
	ssize_t n = read(m->child.err, buf, sizeof(buf));
	size_t over;

	if (n == 0 || machine_error_is_lasting(n)) {
		close(m->child.err);
		m->child.err = -1;
	}
	if (n <= 0)
		return false;
	if (m->run->verbose)
		fwrite(buf, 1, (size_t)n, stderr);
	if (m->nmessages + (size_t)n > sizeof(m->messages)) {
		over = m->nmessages + (size_t)n - sizeof(m->messages);
		memmove(m->messages, m->messages + over, m->nmessages - over);
		m->nmessages -= over;
	}
	memcpy(m->messages + m->nmessages, buf, (size_t)n);
	m->nmessages += (size_t)n;
	m->broken |= machine_is_broken(m);
	return true;
}

/* ^C for the program; twice in a short time, or without a way: the end. */
static void
machine_interrupt(struct machine *m, int signo)
{
	int64_t now = machine_now_ns();
	char line[32];

	if (m->run->foreign ||
	    (m->interrupted_ns != 0 &&
		now - m->interrupted_ns < MACHINE_TWICE_NS)) {
		m->status = STATUS_SIGNAL + signo;
		return;
	}
	m->interrupted_ns = now;
	snprintf(line, sizeof(line), "signal %d\n", signo);
	machine_send_line(m, line);
}

/* Stops like any program, with the terminal in order meanwhile. */
static void
machine_stop(struct machine *m)
{
	terminal_restore();
	raise(SIGSTOP);
	if (m->run->in == BOOT_TTY)
		terminal_raw(STDIN_FILENO);
	machine_send_size(m);
}

static void
machine_take_signal(struct machine *m)
{
	struct signalfd_siginfo info;

	if (read(m->signals, &info, sizeof(info)) != sizeof(info))
		return;
	switch (info.ssi_signo) {
	case SIGWINCH: machine_send_size(m); break;
	case SIGTSTP: machine_stop(m); break;
	case SIGINT:
	case SIGQUIT: machine_interrupt(m, (int)info.ssi_signo); break;
	default: m->status = STATUS_SIGNAL + (int)info.ssi_signo; break;
	}
}

static int
machine_open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGQUIT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGWINCH);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -1;
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static const struct outcome *
machine_outcome(const struct machine *m)
{
	return m->run->foreign ? &m->foreign.outcome : &m->control.outcome;
}

static bool
flow_is_empty(const struct flow *f)
{
	return f->at == f->n;
}

/*
 * A verbose Linux says when it starts init.  From a quiet one anything that
 * it writes must do, and people who type see what happens.
 */
static bool
machine_is_ready(const struct machine *m)
{
	if (!m->run->foreign)
		return m->control.ready || m->heard;
	if (m->run->verbose && m->run->in == BOOT_PIPE)
		return m->foreign.ready;
	return m->heard;
}

static bool
machine_takes_input(const struct machine *m)
{
	return m->run->in != BOOT_NULL && !m->in_end && flow_is_empty(&m->in) &&
	    machine_is_ready(m);
}

static void
machine_poll_set(struct pollfd *p, bool wanted, int fd, short events)
{
	p->fd = wanted ? fd : -1;
	p->events = events;
	p->revents = 0;
}

static void
machine_poll_prepare(const struct machine *m, struct pollfd *p)
{
	short control = m->nlines > 0 ? POLLIN | POLLOUT : POLLIN;
	bool in_empty = flow_is_empty(&m->in);
	bool out_empty = flow_is_empty(&m->out);

	machine_poll_set(&p[POLL_INPUT], machine_takes_input(m), STDIN_FILENO,
	    POLLIN);
	machine_poll_set(&p[POLL_CONSOLE_IN], !in_empty, m->child.in, POLLOUT);
	machine_poll_set(&p[POLL_CONSOLE_OUT], out_empty, m->child.out, POLLIN);
	machine_poll_set(&p[POLL_OUTPUT], !out_empty, STDOUT_FILENO, POLLOUT);
	machine_poll_set(&p[POLL_CONTROL], true, m->child.control, control);
	machine_poll_set(&p[POLL_MESSAGES], true, m->child.err, POLLIN);
	machine_poll_set(&p[POLL_SIGNALS], true, m->signals, POLLIN);
}

static void
machine_poll_serve(struct machine *m, const struct pollfd *p)
{
	if (p[POLL_SIGNALS].revents != 0)
		machine_take_signal(m);
	if (p[POLL_CONTROL].revents != 0)
		machine_serve_control(m, p[POLL_CONTROL].revents);
	if (p[POLL_MESSAGES].revents != 0)
		machine_read_messages(m);
	if (p[POLL_OUTPUT].revents != 0)
		machine_write_output(m);
	if (p[POLL_CONSOLE_OUT].revents != 0)
		machine_read_console(m);
	if (p[POLL_CONSOLE_IN].revents != 0)
		machine_write_console(m);
	if (p[POLL_INPUT].revents != 0)
		machine_read_input(m);
}

static int
machine_poll_ms(const struct machine *m, int64_t end_ns)
{
	int64_t until = m->deadline_ns < end_ns ? m->deadline_ns : end_ns;
	int64_t left;

	if (until == MACHINE_FOREVER)
		return -1;
	left = until - machine_now_ns();
	if (left <= 0)
		return 0;
	left = (left + 999999) / 1000000;
	return left > 3600000 ? 3600000 : (int)left;
}

static bool
machine_goes_on(const struct machine *m)
{
	return m->status < 0 && !m->broken &&
	    (m->child.out >= 0 || !flow_is_empty(&m->out));
}

static void
machine_loop(struct machine *m)
{
	int64_t end_ns = MACHINE_FOREVER;
	struct pollfd p[POLL_COUNT];

	while (machine_goes_on(m)) {
		machine_poll_prepare(m, p);
		if (poll(p, POLL_COUNT, machine_poll_ms(m, end_ns)) > 0)
			machine_poll_serve(m, p);
		if (machine_outcome(m)->kind != OUTCOME_NONE &&
		    end_ns == MACHINE_FOREVER)
			end_ns = machine_now_ns() + MACHINE_END_NS;
		if (machine_now_ns() >= m->deadline_ns)
			m->status = STATUS_TIMEOUT;
		else if (flow_is_empty(&m->out) && machine_now_ns() >= end_ns)
			break;
	}
	/* What QEMU left behind; both channels end with it. */
	child_end_process(&m->child);
	while (m->child.control >= 0 && machine_serve_control(m, POLLIN))
		;
	while (m->child.err >= 0 && machine_read_messages(m))
		;
}

static void
machine_explain(const struct machine *m)
{
	const struct outcome *o = machine_outcome(m);
	size_t n = m->nmessages;

	if (m->status == STATUS_TIMEOUT) {
		say("time is up: the machine was ended after %g s",
		    (double)m->run->timeout_ms / 1000);
	} else if (m->status < 0 && o->kind == OUTCOME_PANIC) {
		say("the kernel panicked: %s", o->text);
	} else if (m->status < 0 && o->kind == OUTCOME_NONE) {
		say(m->broken ?
			"KVM cannot go on with this machine; --accel tcg can" :
			"the machine ended without reporting a status");
		while (n > 0 && m->messages[n - 1] == '\n')
			n--;
		if (n > 0 && !m->run->verbose)
			fprintf(stderr, "%.*s\n", (int)n, m->messages);
	}
}

static int
machine_run_child(struct machine *m)
{
	if (m->run->timeout_ms > 0)
		m->deadline_ns = machine_now_ns() +
		    m->run->timeout_ms * 1000000;
	if (m->run->in == BOOT_TTY)
		terminal_raw(STDIN_FILENO);
	machine_loop(m);
	terminal_restore();
	child_end(&m->child);
	machine_explain(m);
	return m->status >= 0 ? m->status : outcome_status(machine_outcome(m));
}

int
machine_run(const struct machine_run *run)
{
	struct machine *m = mem_zero(sizeof(*m));
	struct trouble t = { 0 };
	int status;

	m->run = run;
	m->status = -1;
	m->deadline_ns = MACHINE_FOREVER;
	m->signals = machine_open_signals();
	if (m->signals < 0) {
		say("signals: %s", strerror(errno));
		status = STATUS_MACHINE;
	} else if (child_start(&m->child, run->argv, run->initrd, &t) != 0) {
		status = trouble_report(&t);
	} else {
		status = machine_run_child(m);
	}
	if (m->signals >= 0)
		close(m->signals);
	free(m);
	return status;
}
