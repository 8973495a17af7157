/* SPDX-License-Identifier: ISC */
/*
 * mptable_fuzz.c - any bytes as the BIOS's memory, and as an MP table whose
 * sum is right: nothing outside is read, nothing is filled beyond its room.
 */
/* unit: kernel/bus/mptable.c kernel/bus/platform.c */
#include "bus/mptable.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE 0xf0000ul

static const uint8_t *bytes;
static size_t nbytes;

static bool
bios_read(void *arg, paddr_t pa, void *to, size_t len)
{
	(void)arg;
	if (pa < BASE || len > 0x10000 || pa - BASE > 0x10000 - len)
		return false;
	memset(to, 0, len);
	if (pa - BASE < nbytes)
		memcpy(to, bytes + (pa - BASE), MIN(len, nbytes - (pa - BASE)));
	return true;
}

static void
parse(const uint8_t *table, size_t len)
{
	struct platform out;

	if (mptable_parse(table, len, &out) != 0 && out.ncpus != 0)
		abort();
	if (out.ncpus > PLATFORM_NCPUS || out.nioapics > PLATFORM_NIOAPICS ||
	    out.nroutes > PLATFORM_NROUTES)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct phys_reader reader = { bios_read, NULL };
	uint8_t *copy;
	paddr_t at;
	uint32_t len;

	bytes = data;
	nbytes = size;
	at = mptable_find(&reader);
	if (at != 0 && mptable_locate(&reader, at, &at, &len) == 0) {
		copy = malloc(len);
		if (phys_read(&reader, at, copy, len))
			parse(copy, len);
		free(copy);
	}
	if (size < 44 || size > 0xffff)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	memcpy(copy, "PCMP", 4);
	copy[4] = size;
	copy[5] = size >> 8;
	copy[7] = 0;
	copy[7] = -bytes_sum(copy, size);
	parse(copy, size);
	free(copy);
	return 0;
}
