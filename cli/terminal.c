/* SPDX-License-Identifier: ISC */
/* terminal.c - the user's terminal.  termios(3), ioctl_tty(2). */
#include "cli/terminal.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#define KEY_PREFIX '\x01' /* Ctrl-A */

static struct termios terminal_saved;
static volatile sig_atomic_t terminal_fd = -1; /* that is raw now, or -1 */

void
terminal_restore(void)
{
	int fd = terminal_fd;

	if (fd >= 0)
		tcsetattr(fd, TCSANOW, &terminal_saved);
	terminal_fd = -1;
}

/* We crash: leave the user a terminal that works. */
static void
terminal_crash(int signo)
{
	terminal_restore();
	raise(signo); /* the default action, see SA_RESETHAND */
}

static void
terminal_guard(void)
{
	static const int fatal[] = { SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV,
		SIGSYS };
	static bool done;
	struct sigaction action = { .sa_handler = terminal_crash,
		.sa_flags = (int)(SA_RESETHAND | SA_NODEFER) };

	if (done)
		return;
	done = true;
	atexit(terminal_restore);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		sigaction(fatal[i], &action, NULL);
}

void
terminal_raw(int fd)
{
	struct termios raw;

	if (terminal_fd >= 0 || tcgetattr(fd, &terminal_saved) < 0)
		return;
	terminal_guard();
	raw = terminal_saved;
	cfmakeraw(&raw);
	terminal_fd = fd;
	tcsetattr(fd, TCSANOW, &raw);
}

bool
terminal_size(int fd, unsigned *rows, unsigned *columns)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) < 0 || size.ws_row == 0 ||
	    size.ws_col == 0)
		return false;
	*rows = size.ws_row;
	*columns = size.ws_col;
	return true;
}

bool
terminal_keys_filter(struct terminal_keys *keys, char *buf, size_t *n)
{
	char in[4096], *out = buf;
	size_t count = *n < sizeof(in) ? *n : sizeof(in);

	memcpy(in, buf, count);
	for (size_t i = 0; i < count; i++) {
		if (!keys->prefix && in[i] == KEY_PREFIX) {
			keys->prefix = true;
			continue;
		}
		if (keys->prefix && (in[i] == 'x' || in[i] == 'X')) {
			*n = (size_t)(out - buf);
			return true;
		}
		/* Ctrl-A and another key: both are the program's. */
		if (keys->prefix && in[i] != KEY_PREFIX)
			*out++ = KEY_PREFIX;
		keys->prefix = false;
		*out++ = in[i];
	}
	*n = (size_t)(out - buf);
	return false;
}
