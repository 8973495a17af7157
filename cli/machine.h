/* SPDX-License-Identifier: ISC */
/*
 * machine.h - runs QEMU and carries bytes: the user's input and output to and
 * from the console, and the control channel's lines.
 */
#ifndef CLI_MACHINE_H
#define CLI_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/bootline.h"
#include "cli/mem.h"

struct machine_run {
	const struct strings *argv; /* QEMU's command */
	int initrd;                 /* becomes QEMU_FD_INITRD */
	bool foreign, verbose;
	enum boot_stream in, out; /* our standard input and output */
	int64_t timeout_ms;       /* 0: none */
};

/*
 * Runs the machine to its end and returns the command's exit status.  What
 * went wrong was said on standard error.
 */
int machine_run(const struct machine_run *run);

#endif
