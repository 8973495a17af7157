/* SPDX-License-Identifier: ISC */
/* child.h - QEMU's process, and our ends of its descriptors. */
#ifndef CLI_CHILD_H
#define CLI_CHILD_H

#include <sys/types.h>

#include "cli/mem.h"
#include "cli/trouble.h"

struct child {
	pid_t pid;   /* 0: none, or it was waited for */
	int in;      /* we write the console's input, or -1 */
	int out;     /* we read the console's output, or -1 */
	int err;     /* we read QEMU's messages, or -1 */
	int control; /* both ways, or -1 */
};

/*
 * Starts QEMU in a session of its own; it dies when we do.  `initrd` becomes
 * QEMU_FD_INITRD.  Our ends do not block.  Returns 0, or fills *t with 125.
 */
int child_start(struct child *child, const struct strings *argv, int initrd,
    struct trouble *t);

/* Kills it if it still runs, and waits for it; our ends stay open. */
void child_end_process(struct child *child);

/* The same, and closes our ends. */
void child_end(struct child *child);

#endif
