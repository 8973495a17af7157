/* SPDX-License-Identifier: ISC */
/*
 * ksyms.c - reads the table that mk/ksyms.awk makes of the linked kernel.
 * The first link has none; the section's symbols are weak for its sake.
 */
#include "kern/ksyms.h"
#include "x86/layout.h"
#include "x86/machdep.h"

extern const uint32_t ksyms_count __attribute__((weak));
extern const uint32_t ksyms_addr[] __attribute__((weak));
extern const uint32_t ksyms_name[] __attribute__((weak));
extern const char ksyms_text[] __attribute__((weak));

const char *
ksyms_find(uint64_t va, uint64_t *offset)
{
	uint32_t low = 0, high, mid, key = va;

	if (&ksyms_count == NULL || ksyms_count == 0 ||
	    va < (uint64_t)kernel_start || va >= (uint64_t)kernel_text_end)
		return NULL;
	high = ksyms_count;
	while (high - low > 1) {
		mid = low + (high - low) / 2;
		if (ksyms_addr[mid] <= key)
			low = mid;
		else
			high = mid;
	}
	if (ksyms_addr[low] > key)
		return NULL;
	*offset = key - ksyms_addr[low];
	return ksyms_text + ksyms_name[low];
}
