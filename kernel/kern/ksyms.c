/* SPDX-License-Identifier: ISC */
/*
 * ksyms.c - reads the table that mk/ksyms.awk makes of the linked kernel.
 * The first link has none; the section's symbols are weak for its sake.
 *
 * Functions, names and words stand one behind the other, with no table of
 * where each begins, and a byte from 0x80 on is a whole word: only a panic
 * looks, and the table would be twice as large.
 */
#include "kern/ksyms.h"
#include "kern/string.h"
#include "x86/layout.h"
#include "x86/machdep.h"

#define WORD 0x80

extern const uint64_t ksyms_first __attribute__((weak));
extern const uint32_t ksyms_count __attribute__((weak));
extern const uint16_t ksyms_size[] __attribute__((weak));
extern const char ksyms_text[] __attribute__((weak));
extern const char ksyms_words[] __attribute__((weak));

/* The i-th of strings that stand one behind the other. */
static const char *
string_at(const char *s, uint32_t i)
{
	while (i-- > 0)
		s += strlen(s) + 1;
	return s;
}

static void
expand(const char *packed, char *name, size_t size)
{
	char one[2] = "";

	for (name[0] = '\0'; *packed != '\0'; packed++) {
		one[0] = *packed;
		strlcat(name,
		    (uint8_t)*packed < WORD ?
			one :
			string_at(ksyms_words, (uint8_t)*packed - WORD),
		    size);
	}
}

bool
ksyms_find(uint64_t va, char *name, size_t size, uint64_t *offset)
{
	uint64_t at;
	uint32_t i;

	if (&ksyms_count == NULL || va < ksyms_first ||
	    va >= (uint64_t)kernel_text_end)
		return false;
	at = ksyms_first;
	for (i = 0; i + 1 < ksyms_count && va >= at + ksyms_size[i]; i++)
		at += ksyms_size[i];
	*offset = va - at;
	expand(string_at(ksyms_text, i), name, size);
	return true;
}
