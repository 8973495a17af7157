/* SPDX-License-Identifier: ISC */
/*
 * tsc_rate.h - the rate of the time stamp counter, from readings of a clock
 * whose rate is known, on a machine whose host may let it stand still between
 * any two instructions.
 */
#ifndef KERN_TSC_RATE_H
#define KERN_TSC_RATE_H

#include "kern/types.h"

/*
 * The other clock showed `ticks` somewhere between the TSC's `before` and
 * `after`.  The clock wraps: what passed unseen is missing in ticks.  An
 * interrupt may tell of it later; then it is in, and `regained` says so.
 */
struct tsc_sample {
	uint64_t before, after;
	uint64_t ticks;
	bool regained;
};

struct tsc_rate {                /* zeroed at first; the caller's lock */
	struct tsc_sample first; /* of the measurement */
	struct tsc_sample mark;  /* of the stretch under way */
	bool has_first;
	unsigned stretches;
	uint64_t lowest; /* rate of them */
};

/*
 * Takes a sample in, later than all before it.  `enough`: so many ticks
 * measure well.  The TSC's rate, for a clock of clock_hz, as soon as it is
 * known; 0: not yet.
 */
uint64_t tsc_rate_add(struct tsc_rate *r, const struct tsc_sample *s,
    uint64_t clock_hz, uint64_t enough);

#endif
