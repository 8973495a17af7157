/* SPDX-License-Identifier: ISC */
/*
 * boot_entry_fuzz.c - any bytes as PVH start info, or as boot_params.
 * The input is the guest's memory from address 0 on; what is parsed lies at
 * its start.  Whatever it says, the map that comes out keeps its promises.
 */
/* unit: kernel/x86/boot_pvh.c kernel/x86/boot_linux64.c kernel/x86/boot_cmdline.c kernel/kern/memmap.c */
#include "kern/memmap.h"
#include "kern/string.h"
#include "x86/boot_entry.h"

#include <asm/bootparam.h>
#include <stdlib.h>
#include <xen/arch-x86/hvm/start_info.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *memory;
static size_t memory_size;

static const void *
phys(paddr_t pa, size_t len)
{
	static uint8_t page[PAGE_SIZE];

	if (pa > memory_size || len > memory_size - pa)
		return NULL;
	memcpy(page, memory + pa, len);
	return page;
}

static void
check(const struct boot_info *bi)
{
	const struct boot_range *r;
	paddr_t end = 0;
	unsigned i;

	if (memchr(bi->cmdline, '\0', sizeof(bi->cmdline)) == NULL)
		abort();
	if (bi->nranges == 0 || bi->nranges > BOOT_NRANGES)
		abort();
	for (i = 0; i < bi->nranges; i++) {
		r = &bi->range[i];
		if (r->size == 0 || r->base + r->size < r->base ||
		    r->base < end)
			abort();
		end = r->base + r->size;
		if (r->type == BOOT_MEM_RAM &&
		    ((r->base | r->size) & PAGE_MASK || r->base == 0 ||
			end > MEMMAP_PADDR_END))
			abort();
	}
	if (bi->initrd_size != 0 && bi->initrd + bi->initrd_size < bi->initrd)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct boot_info bi;
	struct hvm_start_info si;
	struct boot_params bp;

	memory = data;
	memory_size = size;
	memset(&bi, 0, sizeof(bi));
	if (size >= sizeof(bp)) {
		memcpy(&bp, data, sizeof(bp));
		bp.hdr.header = 0x53726448;
		if (boot_linux64_parse(&bp, phys, &bi) == 0)
			check(&bi);
	} else if (size >= sizeof(si)) {
		memcpy(&si, data, sizeof(si));
		si.magic = XEN_HVM_START_MAGIC_VALUE;
		if (boot_pvh_parse(&si, phys, &bi) == 0)
			check(&bi);
	}
	return 0;
}
