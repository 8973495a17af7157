/* SPDX-License-Identifier: ISC */
/* pci_cba_fuzz.c - any bytes as a DSDT. */
/* unit: kernel/bus/pci_cba.c */
#include "bus/pci_cba.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	paddr_t base;

	pci_parse_cba(data, size, &base);
	return 0;
}
