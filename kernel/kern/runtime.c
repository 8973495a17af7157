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

/* clang at -Oz: 128 bits shifted right by 0 .. 127. */
unsigned __int128 __lshrti3(unsigned __int128 v, int n);

unsigned __int128
__lshrti3(unsigned __int128 v, int n)
{
	union {
		unsigned __int128 whole;
		struct {
			uint64_t low, high;
		};
	} u = { .whole = v };

	if (n >= 64) {
		u.low = u.high >> (n - 64);
		u.high = 0;
	} else if (n > 0) {
		u.low = u.low >> n | u.high << (64 - n);
		u.high >>= n;
	}
	return u.whole;
}
