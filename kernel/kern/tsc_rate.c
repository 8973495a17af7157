/* SPDX-License-Identifier: ISC */
/*
 * tsc_rate.c - the TSC measured against another clock, on a busy host.
 *
 * A host that stops the machine while it reads the clock makes a sample wide:
 * nobody knows which TSC belongs to the ticks.  Such samples do not count.  One
 * that stops it for longer than the clock's period makes ticks get lost, which
 * makes the TSC look faster, never slower; where they are regained a new
 * stretch begins, which has none of them.  So the lowest rate of many short
 * stretches is near the truth, and a long stretch that agrees with it is exact.
 */
#include "kern/tsc_rate.h"

#define SHARP     512u /* the whole is so many times what its ends are wide */
#define SHARP_ISH 64u  /* the same of a stretch */
#define PART      64u  /* a stretch of what is enough */
#define STRETCHES 8u   /* of which one at least has lost nothing */
#define PATIENCE  512u /* then the lowest has to do: it is near */
#define AGREED    24u  /* rates that differ by less than that part */

static uint64_t
width(const struct tsc_sample *s)
{
	return s->after - s->before;
}

static uint64_t
rate(const struct tsc_sample *a, const struct tsc_sample *b, uint64_t hz)
{
	uint64_t span = b->before + width(b) / 2 - (a->before + width(a) / 2);
	uint64_t ticks = b->ticks - a->ticks;

	/* Not a product of 128 bits, whose quotient needs a library. */
	return span / ticks * hz + span % ticks * hz / ticks;
}

static bool
is_sharp(const struct tsc_sample *a, const struct tsc_sample *b, unsigned sharp)
{
	return b->before > a->after &&
	    width(a) + width(b) <= (b->before - a->after) / sharp;
}

/* A far sharper sample, while little has passed, is the better beginning. */
static bool
begins_better(const struct tsc_rate *r, const struct tsc_sample *s)
{
	return width(s) < width(&r->first) / 4 &&
	    width(&r->first) > (s->before - r->first.before) / (8 * SHARP);
}

static void
stretch(struct tsc_rate *r, const struct tsc_sample *s, uint64_t clock_hz,
    uint64_t ticks)
{
	uint64_t hz;

	if (s->ticks - r->mark.ticks < ticks)
		return;
	if (is_sharp(&r->mark, s, SHARP_ISH)) {
		hz = rate(&r->mark, s, clock_hz);
		if (r->stretches++ == 0 || hz < r->lowest)
			r->lowest = hz;
	}
	r->mark = *s;
}

uint64_t
tsc_rate_add(struct tsc_rate *r, const struct tsc_sample *s, uint64_t clock_hz,
    uint64_t enough)
{
	uint64_t hz;

	if (s->regained) {
		r->first = r->mark = *s;
		r->has_first = true;
		return 0;
	}
	if (r->has_first)
		stretch(r, s, clock_hz, enough / PART);
	else
		r->mark = *s;
	if (!r->has_first || begins_better(r, s)) {
		r->first = *s;
		r->has_first = true;
		return 0;
	}
	if (s->ticks - r->first.ticks < enough || r->stretches < STRETCHES ||
	    !is_sharp(&r->first, s, SHARP))
		return r->stretches < PATIENCE ? 0 : r->lowest;
	hz = rate(&r->first, s, clock_hz);
	if (hz < r->lowest + r->lowest / AGREED)
		return hz;
	r->first = *s; /* ticks were lost */
	return 0;
}
