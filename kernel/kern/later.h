/* SPDX-License-Identifier: ISC */
/*
 * later.h - work that an interrupt handler finds and only a thread may do.
 * One thread does all of it, in order; it is for short work that seldom comes.
 */
#ifndef KERN_LATER_H
#define KERN_LATER_H

#include "kern/types.h"
#include <bsd/sys/queue.h>

struct later {
	STAILQ_ENTRY(later) link;
	void (*fn)(struct later *l); /* a thread; may sleep, may free l */
};

/*
 * Makes sure that the thread is there: before the first later_run(), by a
 * thread that has something to lose.  -ENOMEM
 */
int later_ready(void);
/* Has fn called soon, once; l is the work's until then.  Any context. */
void later_run(struct later *l, void (*fn)(struct later *l));

#endif
