/* SPDX-License-Identifier: ISC */
/*
 * acpi_aml_fuzz.c - any bytes as byte code: the check ends, inside of them, and
 * what it takes it takes again with more good code behind it.
 */
/* unit: kernel/bus/acpi_aml.c */
#include "bus/acpi_aml.h"
#include "kern/kmem.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void *
kzalloc(size_t size)
{
	return calloc(1, size);
}

void
kfree(void *p)
{
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t good[] = { 0x08, 'G', 'O', 'O', 'D', 0x0a, 0x01 };
	uint8_t *longer = malloc(size + sizeof(good));
	size_t at;

	if (longer == NULL)
		return 0;
	memcpy(longer, data, size);
	memcpy(longer + size, good, sizeof(good));
	if (acpi_aml_check(data, size, &at) == 0 &&
	    (at != size ||
		acpi_aml_check(longer, size + sizeof(good), &at) != 0))
		abort();
	if (at > size + sizeof(good))
		abort();
	free(longer);
	return 0;
}
