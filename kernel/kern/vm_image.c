/* SPDX-License-Identifier: ISC */
/*
 * vm_image.c - frames of programs that lie in the kernel's image: the page of
 * zeros, and what vm_map_frames() maps.  The image stands at its physical
 * address plus KVA_IMAGE; the direct map has it too.
 */
#include "kern/vm_impl.h"

/* Never written. */
static uint8_t zero_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

paddr_t
vm_image_paddr(const void *kva)
{
	return (uint64_t)kva - KVA_IMAGE;
}

const void *
vm_zeros(void)
{
	return zero_page;
}

paddr_t
vm_zero_frame(void)
{
	return vm_image_paddr(zero_page);
}

void *
vm_foreign_kva(paddr_t pa)
{
	return paddr_kva(pa);
}
