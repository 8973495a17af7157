/* SPDX-License-Identifier: ISC */
/* script.c - runs the programs that user data bring. */
#include "guest/cloud/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cloud/files.h"
#include "guest/cloud/say.h"

#define SCRIPT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Where that cannot be had, the output is lost, and the script still runs. */
static int
script_open_output(void)
{
	int error = file_make_parents(SCRIPT_OUTPUT), fd;

	fd = open(SCRIPT_OUTPUT, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
	    0640);
	if (fd >= 0)
		return fd;
	say_warning("%s: %s", SCRIPT_OUTPUT,
	    strerror(error != 0 ? -error : errno));
	return open("/dev/null", O_WRONLY | O_CLOEXEC);
}

/* The child: does not return.  Its status tells why exec failed, below 256. */
static void __attribute__((noreturn))
script_exec(const char *path, int output, int why)
{
	char *argv[] = { (char *)path, NULL };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC), error;

	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	if (output >= 0) {
		(void)dup2(output, STDOUT_FILENO);
		(void)dup2(output, STDERR_FILENO);
	}
	(void)setsid();
	if (chdir("/") == 0 && setenv("PATH", SCRIPT_PATH, 0) == 0)
		execv(path, argv);
	error = errno;
	if (write(why, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

static int
script_tell(const char *path, int status, int exec_error)
{
	if (exec_error != 0)
		say_error("%s cannot be run: %s%s", path, strerror(exec_error),
		    exec_error == ENOENT ? " (its interpreter, perhaps)" : "");
	else if (WIFSIGNALED(status))
		say_error("%s was killed by signal %d; its output is "
			  "in " SCRIPT_OUTPUT,
		    path, WTERMSIG(status));
	else if (WEXITSTATUS(status) != 0)
		say_error(
		    "%s ended with status %d; its output is in " SCRIPT_OUTPUT,
		    path, WEXITSTATUS(status));
	else
		return 0;
	return -1;
}

int
script_run(const char *path)
{
	int output = script_open_output(), why[2], status = 0, error = 0;
	pid_t pid = -1;

	if (pipe2(why, O_CLOEXEC) == 0) {
		pid = fork();
		if (pid == 0)
			script_exec(path, output, why[1]);
		error = pid < 0 ? errno : 0;
		close(why[1]);
		/* It closes when the program is there, or tells why not. */
		if (pid > 0 &&
		    read(why[0], &error, sizeof(error)) <
			(ssize_t)sizeof(error))
			error = 0;
		close(why[0]);
	} else {
		error = errno;
	}
	if (output >= 0)
		close(output);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return script_tell(path, status, error);
}

void
script_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}
