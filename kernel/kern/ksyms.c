/* SPDX-License-Identifier: ISC */
/*
 * ksyms.c - reads the table that mk/ksyms.awk makes of the linked kernel.
 * The first link has none; the section's symbols are weak for its sake.
 *
 * Functions and their names stand one behind the other, with no table of where
 * each begins: it would be a quarter of the whole, and only a panic looks.
 */
#include "kern/ksyms.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/machdep.h"

extern const uint32_t ksyms_count __attribute__((weak));
extern const uint64_t ksyms_first __attribute__((weak));
extern const uint16_t ksyms_size[] __attribute__((weak));
extern const char ksyms_text[] __attribute__((weak));

const char *
ksyms_find(uint64_t va, uint64_t *offset)
{
	const char *name = ksyms_text;
	uint64_t at;
	uint32_t i;

	if (&ksyms_count == NULL || va < ksyms_first ||
	    va >= (uint64_t)kernel_text_end)
		return NULL;
	at = ksyms_first;
	for (i = 0; i + 1 < ksyms_count; i++) {
		if (va < at + ksyms_size[i])
			break;
		at += ksyms_size[i];
		name += strlen(name) + 1;
	}
	*offset = va - at;
	return name;
}
