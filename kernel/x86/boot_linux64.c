/* SPDX-License-Identifier: ISC */
/*
 * boot_linux64.c - Linux's boot_params as a boot_info.
 * Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#include "x86/boot_entry.h"

#include "kern/memmap.h"
#include "kern/string.h"
#include <asm/bootparam.h>
#include <linux/errno.h>

#define SETUP_HEADER_MAGIC 0x53726448 /* "HdrS" */
#define SETUP_DATA_MAX     32         /* nodes followed */
#define E820_EXT_MAX       1024       /* entries read from one */

static paddr_t
join32(uint32_t high, uint32_t low)
{
	return (paddr_t)high << 32 | low;
}

static void
linux64_e820(struct boot_info *bi, const struct boot_params *bp)
{
	unsigned count = bp->e820_entries, i;
	struct boot_e820_entry entry;

	if (count > E820_MAX_ENTRIES_ZEROPAGE) {
		boot_note(bi, "E820: more entries than boot_params has room");
		count = E820_MAX_ENTRIES_ZEROPAGE;
	}
	for (i = 0; i < count; i++) {
		memcpy(&entry, &bp->e820_table[i], sizeof(entry));
		memmap_add(bi, entry.addr, entry.size, entry.type);
	}
}

/* The entries beyond the 128 that boot_params has room for. */
static void
linux64_e820_ext(struct boot_info *bi, paddr_t pa, uint32_t len,
    boot_phys_fn *phys)
{
	const struct boot_e820_entry *from;
	struct boot_e820_entry entry;
	uint32_t count = len / sizeof(entry), i;

	if (count > E820_EXT_MAX) {
		boot_note(bi, "E820: more than 1024 entries, rest unread");
		count = E820_EXT_MAX;
	}
	for (i = 0; i < count; i++) {
		from = phys(pa + i * sizeof(entry), sizeof(entry));
		if (from == NULL) {
			boot_note(bi, "E820: entries not in memory, unread");
			return;
		}
		memcpy(&entry, from, sizeof(entry));
		memmap_add(bi, entry.addr, entry.size, entry.type);
	}
}

/* Walks the list of setup_data, which may be a ring. */
static void
linux64_setup_data(struct boot_info *bi, paddr_t pa, boot_phys_fn *phys)
{
	const struct setup_data *from;
	struct setup_data node;
	unsigned n;

	for (n = 0; pa != 0; n++) {
		from = n < SETUP_DATA_MAX ? phys(pa, sizeof(node)) : NULL;
		if (from == NULL) {
			boot_note(bi, "boot_params: setup_data has no end");
			return;
		}
		memcpy(&node, from, sizeof(node));
		if (node.type == SETUP_E820_EXT)
			linux64_e820_ext(bi, pa + sizeof(node), node.len, phys);
		pa = node.next;
	}
}

int
boot_linux64_parse(const struct boot_params *bp, boot_phys_fn *phys,
    struct boot_info *bi)
{
	bool whole;
	int error;

	if (bp->hdr.header != SETUP_HEADER_MAGIC) {
		boot_note(bi, "boot_params: no setup header in it");
		return -EINVAL;
	}
	bi->entry = BOOT_LINUX64;
	/* A loader that left the sentinel did not clear what is not its own. */
	whole = bp->sentinel == 0;
	bi->rsdp = whole ? bp->acpi_rsdp_addr : 0;
	bi->initrd = join32(whole ? bp->ext_ramdisk_image : 0,
	    bp->hdr.ramdisk_image);
	bi->initrd_size = join32(whole ? bp->ext_ramdisk_size : 0,
	    bp->hdr.ramdisk_size);
	boot_cmdline_copy(bi,
	    join32(whole ? bp->ext_cmd_line_ptr : 0, bp->hdr.cmd_line_ptr),
	    phys);
	linux64_e820(bi, bp);
	linux64_setup_data(bi, bp->hdr.setup_data, phys);
	error = memmap_finish(bi);
	if (error != 0)
		boot_note(bi, "E820: no RAM in it");
	return error;
}
