/* SPDX-License-Identifier: ISC */
/* bootchart.c - when each step of the boot ended. */
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/log.h"

#define NMARKS 32

static struct {
	const char *name;
	uint64_t raw;
} marks[NMARKS];
static unsigned nmarks;

void
bootchart_mark_at(const char *name, uint64_t raw)
{
	if (nmarks < NMARKS) {
		marks[nmarks].name = name;
		marks[nmarks++].raw = raw;
	}
}

void
bootchart_mark(const char *name)
{
	bootchart_mark_at(name, clock_raw());
}

void
bootchart_print(void)
{
	/* Asked for, so shown with `quiet` too.  One rate for all rows, even while it is still being measured. */
	uint64_t whole = marks[nmarks - 1].raw - marks[0].raw;
	uint64_t whole_ns = clock_raw_span_ns(whole), ns, before = 0;
	unsigned i;

	if (!bootargs()->bootchart)
		return;
	log_err("boot chart: microseconds, and from the entry");
	for (i = 1; i < nmarks && whole != 0; i++) {
		ns = (marks[i].raw - marks[0].raw) * (whole_ns * 1000 / whole) /
		    1000;
		log_err("%8lu.%03lu %8lu.%03lu  %s", (ns - before) / 1000,
		    (ns - before) % 1000, ns / 1000, ns % 1000, marks[i].name);
		before = ns;
	}
}

/* ---- what comes later ---- */

static struct boot_later *laters; /* only boot steps add to it */

void
boot_later(struct boot_later *later)
{
	later->next = laters;
	laters = later;
}

void
boot_run_later(void)
{
	for (; laters != NULL; laters = laters->next)
		laters->fn();
}
