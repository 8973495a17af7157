/* SPDX-License-Identifier: ISC */
/*
 * foreign.h - the console of a kernel that is not Remora: what it says there
 * stands in for the control channel.
 */
#ifndef CLI_FOREIGN_H
#define CLI_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/control.h"

#define FOREIGN_HELD 64 /* bytes that foreign_filter() may keep or add */

/*
 * Watches for the lines with which Linux starts init and ends: the panic that
 * init's end is, other panics, reboot(2)'s messages.
 */
struct foreign {
	char line[512];
	size_t length;
	bool ready; /* init starts: input is not lost any more */
	struct outcome outcome;

	/* Of the filter: what may become a last message, and a '\r'. */
	char held[FOREIGN_HELD];
	size_t nheld;
	bool held_return, ended;
};

/* Takes what came from the console of a kernel that has no control channel. */
void foreign_input(struct foreign *f, const char *buf, size_t n);

/*
 * Takes the kernel's last message and all that follows it out of buf[0..n),
 * and undoes what the terminal did to line ends, so that the program's own
 * bytes remain.  buf has room for FOREIGN_HELD more.  Returns the new n.
 */
size_t foreign_filter(struct foreign *f, char *buf, size_t n);

/* The bytes that were held when the machine ended, at most FOREIGN_HELD. */
size_t foreign_flush(struct foreign *f, char *buf);

#endif
