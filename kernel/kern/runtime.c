/* SPDX-License-Identifier: ISC */
/* runtime.c - what the compiler calls without being told to. */
#include "kern/types.h"

int __popcountdi2(uint64_t v);

int
__popcountdi2(uint64_t v)
{
	int n = 0;

	for (; v != 0; v &= v - 1)
		n++;
	return n;
}
