/* SPDX-License-Identifier: ISC */
/*
 * ksyms.c - reads the table that mk/ksyms.awk makes of the linked kernel.
 * The first link has none; the section's symbols are weak for its sake.
 *
 * Names stand one behind the other, with no table of where each begins: it
 * would be a fifth of the whole, and only a panic looks.
 */
#include "kern/ksyms.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/machdep.h"

extern const uint32_t ksyms_count __attribute__((weak));
extern const uint32_t ksyms_addr[] __attribute__((weak));
extern const char ksyms_text[] __attribute__((weak));

static const char *
name_of(uint32_t i)
{
	const char *name = ksyms_text;

	while (i-- > 0)
		name += strlen(name) + 1;
	return name;
}

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
	return name_of(low);
}
