/* SPDX-License-Identifier: ISC */
/*
 * tsc_rate_test.c - a TSC of a known rate beside a clock like the PIT, on
 * hosts that are idle, busy, and hopeless.
 */
/* unit: kernel/kern/tsc_rate.c */
#include "kern/tsc_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CLOCK_HZ 1193182ull
#define PERIOD   65536ull
#define ENOUGH   35000ull

struct host {
	uint64_t tsc_hz, tsc;
	uint64_t seen;      /* ticks, as far as the machine knows */
	uint32_t one_in;    /* a stall every so many instructions; 0: none */
	uint64_t max_stall; /* microseconds */
	unsigned seed;
};

static uint64_t
number(struct host *h, uint64_t below)
{
	h->seed = h->seed * 1103515245u + 12345u;
	return (uint64_t)(h->seed >> 8) % below;
}

static void
pass(struct host *h, uint64_t us)
{
	if (h->one_in != 0 && number(h, h->one_in) == 0)
		us += number(h, h->max_stall);
	h->tsc += h->tsc_hz / 1000000 * us;
}

static struct tsc_sample
sample(struct host *h)
{
	struct tsc_sample s = { .before = h->tsc };
	uint64_t ticks;

	pass(h, 1);
	ticks = (uint64_t)((unsigned __int128)h->tsc * CLOCK_HZ / h->tsc_hz);
	h->seen += (ticks - h->seen) % PERIOD;
	s.ticks = h->seen;
	pass(h, 1);
	s.after = h->tsc;
	return s;
}

/* Reads every so often until the rate is known; how often, 0: it is not. */
static unsigned
measure(struct host *h, uint64_t every_us, uint64_t *hz)
{
	struct tsc_rate r = { 0 };
	struct tsc_sample s;
	unsigned i;

	for (i = 1; i < 100000; i++) {
		s = sample(h);
		*hz = tsc_rate_add(&r, &s, CLOCK_HZ, ENOUGH);
		if (*hz != 0)
			return i;
		pass(h, every_us);
	}
	return 0;
}

static void
assert_near(uint64_t got, uint64_t wanted, uint64_t part)
{
	assert_in_range(got, wanted - wanted / part, wanted + wanted / part);
}

static void
an_idle_host(void **state)
{
	static const uint64_t rates[] = { 100000000, 2095000000, 5000000000 };
	struct host h = { 0 };
	uint64_t hz;
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		h = (struct host){ .tsc_hz = rates[i] };
		/* 35000 ticks are 29.3 ms. */
		assert_in_range(measure(&h, 50, &hz), 500, 600);
		assert_near(hz, rates[i], 5000);
	}
}

/* Only the clock's interrupts read it, every 55 ms. */
static void
few_readings(void **state)
{
	struct host h = { .tsc_hz = 2000000000 };
	uint64_t hz;

	(void)state;
	assert_int_equal(measure(&h, 54000, &hz), 9);
	assert_near(hz, h.tsc_hz, 5000);
}

static void
busy_hosts(void **state)
{
	static const uint64_t stalls[] = { 1000, 30000, 100000, 1000000 };
	struct host h;
	unsigned i, seed;
	uint64_t hz;

	(void)state;
	for (i = 0; i < 4; i++)
		for (seed = 0; seed < 2000; seed++) {
			h = (struct host){ .tsc_hz = 2000000000,
				.one_in = 150 + seed % 1000,
				.max_stall = stalls[i],
				.seed = seed };
			assert_int_not_equal(measure(&h, 50, &hz), 0);
			assert_near(hz, h.tsc_hz, 20);
		}
}

/* Runs for 3 ms, stands still for 70, and so on: each time ticks are lost. */
static void
a_host_of_many(void **state)
{
	struct host h = { .tsc_hz = 2000000000, .tsc = 123456789 };
	struct tsc_rate r = { 0 };
	struct tsc_sample s;
	uint64_t hz = 0;
	unsigned i;

	(void)state;
	for (i = 1; hz == 0 && i < 100000; i++) {
		s = sample(&h);
		hz = tsc_rate_add(&r, &s, CLOCK_HZ, ENOUGH);
		pass(&h, i % 100 == 0 ? 70000 : 30);
	}
	assert_near(hz, h.tsc_hz, 50);
}

/*
 * Stands still for 130 ms; the clock's two interrupts come soon after, one
 * after the other, when somebody has read it already.
 */
static void
ticks_that_are_regained(void **state)
{
	struct host h = { .tsc_hz = 2000000000 };
	struct tsc_rate r = { 0 };
	struct tsc_sample s;
	uint64_t hz = 0, lost = 0;
	unsigned i;

	(void)state;
	for (i = 1; hz == 0 && i < 100000; i++) {
		s = sample(&h);
		s.ticks = h.seen;
		if (i % 300 > 1 && lost > 0) {
			lost--;
			s.ticks = h.seen += PERIOD;
			s.regained = true;
		}
		hz = tsc_rate_add(&r, &s, CLOCK_HZ, ENOUGH);
		lost += i % 300 == 0 ? 2 : 0;
		pass(&h, i % 300 == 0 ? 130000 : 60);
	}
	assert_near(hz, h.tsc_hz, 50);
}

/* The machine stood still when the clock was set going. */
static void
a_stall_at_the_beginning(void **state)
{
	struct tsc_rate r = { 0 };
	struct tsc_sample s = { .before = 0, .after = 60000000, .ticks = 0 };
	struct host h = { .tsc_hz = 2000000000, .tsc = 60000000 };
	unsigned i;
	uint64_t hz = tsc_rate_add(&r, &s, CLOCK_HZ, ENOUGH);

	(void)state;
	assert_int_equal(hz, 0);
	for (i = 0; hz == 0 && i < 10000; i++) {
		s = sample(&h);
		hz = tsc_rate_add(&r, &s, CLOCK_HZ, ENOUGH);
		pass(&h, 20);
	}
	assert_near(hz, h.tsc_hz, 1000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_idle_host),
		cmocka_unit_test(few_readings),
		cmocka_unit_test(busy_hosts),
		cmocka_unit_test(a_host_of_many),
		cmocka_unit_test(ticks_that_are_regained),
		cmocka_unit_test(a_stall_at_the_beginning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
