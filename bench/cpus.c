/* SPDX-License-Identifier: ISC */
/*
 * cpus.c - ends when it has run on each of eight processors: then all of them
 * are up.  Prints "cpus=8" before, or how many never answered.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>

#define CPUS  8
#define TRIES 10000000

static int
runs_on(int n)
{
	cpu_set_t set;
	long i;

	CPU_ZERO(&set);
	CPU_SET(n, &set);
	for (i = 0; i < TRIES; i++) {
		if (sched_setaffinity(0, sizeof(set), &set) != 0)
			return 0; /* there is no such processor */
		if (sched_getcpu() == n)
			return 1;
		sched_yield();
	}
	return 0;
}

int
main(void)
{
	int i, n = 0;

	for (i = 0; i < CPUS; i++)
		n += runs_on(i);
	printf("cpus=%d\n", n);
	return n == CPUS ? 0 : 1;
}
