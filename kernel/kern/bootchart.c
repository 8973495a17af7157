/* SPDX-License-Identifier: ISC */
/* bootchart.c - when each step of the boot ended. */
#include "kern/boot.h"
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
	uint64_t span, total;
	unsigned i;

	log_line(LOG_NOTICE, "boot chart: microseconds, and from the entry");
	for (i = 1; i < nmarks; i++) {
		span = clock_raw_span_ns(marks[i].raw - marks[i - 1].raw);
		total = clock_raw_span_ns(marks[i].raw - marks[0].raw);
		log_line(LOG_NOTICE, "%8lu.%03lu %8lu.%03lu  %s", span / 1000,
		    span % 1000, total / 1000, total % 1000, marks[i].name);
	}
}
