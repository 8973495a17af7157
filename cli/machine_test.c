/* SPDX-License-Identifier: ISC */
/*
 * machine_test.c - the pump between the user and QEMU.  A shell script stands
 * in for QEMU: 0 and 1 are the console, 4 is the control channel.
 */
/* unit: cli/machine.c cli/child.c cli/control.c cli/foreign.c cli/terminal.c cli/trouble.c cli/mem.c */
#include "cli/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/trouble.h"

#define LIMIT_MS 20000 /* a test that takes longer is stuck */

struct fake {
	pid_t pid;
	int in, out;      /* our ends; of a terminal: the same */
	int slave;        /* of a terminal, or -1 */
	char text[65536]; /* what came out so far */
	size_t length;
};

static struct machine_run run;
static struct fake fake;

static void
child_main(const char *script, int in, int out, int err)
{
	struct strings argv = { 0 };

	strings_add(&argv, mem_string("/bin/sh"));
	strings_add(&argv, mem_string("-c"));
	strings_add(&argv, mem_string(script));
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	for (int fd = 3; fd < 64; fd++)
		close(fd);
	run.argv = &argv;
	run.initrd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_exit(machine_run(&run));
}

/* Both standard output and standard error come out of fake.out. */
static void
start(const char *script)
{
	int in[2], out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	fake = (struct fake){ .in = in[1], .out = out[0], .slave = -1 };
	fake.pid = fork();
	if (fake.pid == 0)
		child_main(script, in[0], out[1], out[1]);
	close(in[0]);
	close(out[1]);
}

static void
start_terminal(const char *script)
{
	struct winsize size = { .ws_row = 33, .ws_col = 101 };
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	fake = (struct fake){ .in = master, .out = master };
	fake.slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(fake.slave >= 0);
	assert_int_equal(ioctl(fake.slave, TIOCSWINSZ, &size), 0);
	run.in = run.out = BOOT_TTY;
	fake.pid = fork();
	if (fake.pid == 0) {
		setsid();
		ioctl(fake.slave, TIOCSCTTY, 0);
		child_main(script, fake.slave, fake.slave, fake.slave);
	}
}

/* Collects output until `wanted` has come, or, with NULL, all of it. */
static void
until(const char *wanted)
{
	struct pollfd p = { .fd = fake.out, .events = POLLIN };
	ssize_t n;

	while (wanted == NULL || strstr(fake.text, wanted) == NULL) {
		if (poll(&p, 1, LIMIT_MS) != 1)
			fail_msg("nothing comes after \"%s\"", fake.text);
		n = read(fake.out, fake.text + fake.length,
		    sizeof(fake.text) - 1 - fake.length);
		if (n <= 0)
			break;
		fake.length += (size_t)n;
		fake.text[fake.length] = '\0';
	}
	if (wanted != NULL && strstr(fake.text, wanted) == NULL)
		fail_msg("\"%s\" does not come in \"%s\"", wanted, fake.text);
}

static void
send_text(const char *text)
{
	size_t n = strlen(text);

	assert_int_equal(write(fake.in, text, n), n);
}

static int
finish(void)
{
	int status;

	if (fake.slave < 0) {
		close(fake.in);
		until(NULL);
	}
	assert_int_equal(waitpid(fake.pid, &status, 0), fake.pid);
	close(fake.out);
	if (fake.slave >= 0)
		close(fake.slave);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
setup(void **state)
{
	(void)state;
	run = (struct machine_run){ .in = BOOT_PIPE, .out = BOOT_PIPE };
	return 0;
}

static void
statuses(void **state)
{
	static const struct {
		const char *script;
		int status;
		const char *text;
	} cases[] = {
		{ "echo out; echo exit 7 >&4", 7, "out\n" },
		{ "echo signal 11 >&4; exit 1", 139, "" },
		{ "echo poweroff >&4; echo last", 0, "last\n" },
		{ "echo restart >&4", STATUS_RESTART, "" },
		{ "echo panic it broke >&4; exit 3", STATUS_PANIC,
		    "remora: the kernel panicked: it broke\n" },
		{ "echo bad news >&2; exit 1", STATUS_MACHINE,
		    "remora: the machine ended without reporting a status\n"
		    "bad news\n" },
		{ "kill -9 $$", STATUS_MACHINE,
		    "remora: the machine ended without reporting a status\n" },
		{ "echo KVM internal error. Suberror: 1 >&2; exec sleep 1000",
		    STATUS_MACHINE,
		    "remora: KVM cannot go on with this machine; --accel tcg "
		    "can\nKVM internal error. Suberror: 1\n" },
		/* A machine that does not end by itself is ended. */
		{ "echo exit 5 >&4; exec sleep 1000", 5, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		start(cases[i].script);
		assert_int_equal(finish(), cases[i].status);
		assert_string_equal(fake.text, cases[i].text);
	}
}

static void
input_waits_and_ends(void **state)
{
	(void)state;
	start("head -c 11; read eof <&4; echo [$eof]; echo ready >&4;"
	      "echo exit 0 >&4");
	send_text("too early");
	close(fake.in);
	fake.in = open("/dev/null", O_WRONLY);
	/* Nothing was read before "ready": the script is stuck until then. */
	assert_int_equal(
	    poll(&(struct pollfd){ .fd = fake.out, .events = POLLIN }, 1, 200),
	    0);
	kill(fake.pid, SIGTERM);
	assert_int_equal(finish(), STATUS_SIGNAL + SIGTERM);
	start("echo ready >&4; head -c 9; read eof <&4; echo [$eof];"
	      "echo exit 0 >&4");
	send_text("some text");
	close(fake.in);
	fake.in = open("/dev/null", O_WRONLY);
	assert_int_equal(finish(), 0);
	assert_string_equal(fake.text, "some text[eof 9]\n");
}

static void
time_runs_out(void **state)
{
	(void)state;
	run.timeout_ms = 300;
	start("exec sleep 1000");
	assert_int_equal(finish(), STATUS_TIMEOUT);
	assert_string_equal(fake.text,
	    "remora: time is up: the machine was ended after 0.3 s\n");
}

static void
interrupts_are_passed_on(void **state)
{
	(void)state;
	start("echo on; read l <&4; echo [$l]; echo signal 2 >&4");
	until("on\n");
	kill(fake.pid, SIGINT);
	until("[signal 2]");
	assert_int_equal(finish(), STATUS_SIGNAL + SIGINT);
	start("echo on; read l <&4; echo [$l]; exec sleep 1000");
	until("on\n");
	kill(fake.pid, SIGINT);
	until("[signal 2]");
	kill(fake.pid, SIGINT);
	assert_int_equal(finish(), STATUS_SIGNAL + SIGINT);
}

static void
output_that_nobody_reads(void **state)
{
	(void)state;
	start("yes");
	until("y\n");
	close(fake.out);
	fake.out = open("/dev/null", O_RDONLY);
	assert_int_equal(finish(), STATUS_SIGNAL + SIGPIPE);
}

static bool
is_raw(void)
{
	struct termios now;

	assert_int_equal(tcgetattr(fake.slave, &now), 0);
	return (now.c_lflag & (ICANON | ECHO | ISIG)) == 0;
}

static void
until_restored(void)
{
	for (int ms = 0; is_raw() && ms < LIMIT_MS; ms += 10)
		poll(NULL, 0, 10);
	assert_false(is_raw());
}

static void
the_terminal_is_raw_and_restored(void **state)
{
	struct winsize size = { .ws_row = 20, .ws_col = 70 };

	(void)state;
	start_terminal("echo on; head -c 2 | od -An -c; read l <&4; echo [$l];"
		       "echo exit 3 >&4; sleep 1000");
	until("on\n");
	assert_true(is_raw());
	send_text("\3\32");
	until("003 032");
	assert_int_equal(ioctl(fake.slave, TIOCSWINSZ, &size), 0);
	until("[winsize 20 70]");
	assert_int_equal(waitpid(fake.pid, NULL, WNOHANG), 0);
	assert_true(is_raw());
	until_restored();
	assert_int_equal(finish(), 3);
}

static void
keys_and_signals_end_it(void **state)
{
	static const int signals[] = { 0, SIGTERM, SIGHUP };

	(void)state;
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		start_terminal("echo on; exec sleep 1000");
		until("on\n");
		assert_true(is_raw());
		if (signals[i] == 0)
			send_text("\1x");
		else
			kill(fake.pid, signals[i]);
		until_restored();
		assert_int_equal(finish(),
		    STATUS_SIGNAL + (signals[i] != 0 ? signals[i] : SIGKILL));
	}
}

static void
another_kernel(void **state)
{
	(void)state;
	run.foreign = true;
	run.in = BOOT_NULL;
	start("printf 'a\\r\\nb[ 1.0] Kernel panic - not syncing: Attempted "
	      "to kill init! exitcode=0x00000400\\r\\ntrace\\r\\n'");
	assert_int_equal(finish(), 4);
	assert_string_equal(fake.text, "a\nb");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(statuses, setup),
		cmocka_unit_test_setup(input_waits_and_ends, setup),
		cmocka_unit_test_setup(time_runs_out, setup),
		cmocka_unit_test_setup(interrupts_are_passed_on, setup),
		cmocka_unit_test_setup(output_that_nobody_reads, setup),
		cmocka_unit_test_setup(the_terminal_is_raw_and_restored, setup),
		cmocka_unit_test_setup(keys_and_signals_end_it, setup),
		cmocka_unit_test_setup(another_kernel, setup),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
