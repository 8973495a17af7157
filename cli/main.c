/* SPDX-License-Identifier: ISC */
/* main.c - the `remora` command. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/device.h"
#include "cli/help.h"
#include "cli/run.h"
#include "cli/trouble.h"

/* A closed 0, 1 or 2 would be taken by the next file that is opened. */
static void
main_open_standard(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Output that could not be written must not look like success. */
static int
main_flush(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	say("standard output: %s", strerror(errno));
	return STATUS_MACHINE;
}

int
main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;

	main_open_standard();
	if (word == NULL) {
		help_remora(stderr);
		return STATUS_MACHINE;
	}
	if (strcmp(word, "run") == 0)
		return main_flush(run_command(argc - 1, argv + 1));
	if (strcmp(word, "device") == 0)
		return main_flush(device_command(argc - 1, argv + 1));
	if (strcmp(word, "version") == 0 || strcmp(word, "--version") == 0) {
		printf("remora %s\n", REMORA_VERSION);
		return main_flush(0);
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "help") == 0) {
		help_remora(stdout);
		return main_flush(0);
	}
	say("unknown command %s; see remora --help", word);
	return STATUS_MACHINE;
}
