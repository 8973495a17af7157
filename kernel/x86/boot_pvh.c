/* SPDX-License-Identifier: ISC */
/*
 * boot_pvh.c - Xen's PVH start info as a boot_info.
 * Xen public headers, arch-x86/hvm/start_info.h.
 */
#include "x86/boot_entry.h"

#include "kern/memmap.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <xen/arch-x86/hvm/start_info.h>

/* More than any machine has; a host that says more is not followed. */
#define PVH_NENTRIES_MAX 1024

static void
pvh_initrd(struct boot_info *bi, paddr_t list, uint32_t count,
    boot_phys_fn *phys)
{
	const struct hvm_modlist_entry *from;
	struct hvm_modlist_entry mod;

	if (count == 0)
		return;
	if (count > 1)
		boot_note(bi, "PVH: only the first module is used");
	from = phys(list, sizeof(mod));
	if (from == NULL) {
		boot_note(bi, "PVH: module list not in memory, no initrd");
		return;
	}
	memcpy(&mod, from, sizeof(mod));
	bi->initrd = mod.paddr;
	bi->initrd_size = mod.size;
}

static int
pvh_memmap(struct boot_info *bi, paddr_t table, uint32_t count,
    boot_phys_fn *phys)
{
	const struct hvm_memmap_table_entry *from;
	struct hvm_memmap_table_entry entry;
	uint32_t i;

	if (count > PVH_NENTRIES_MAX) {
		boot_note(bi, "PVH: more than 1024 memory ranges, rest unread");
		count = PVH_NENTRIES_MAX;
	}
	for (i = 0; i < count; i++) {
		from = phys(table + i * sizeof(entry), sizeof(entry));
		if (from == NULL) {
			boot_note(bi, "PVH: memory map not in memory");
			return -EFAULT;
		}
		memcpy(&entry, from, sizeof(entry));
		memmap_add(bi, entry.addr, entry.size, entry.type);
	}
	return 0;
}

int
boot_pvh_parse(const struct hvm_start_info *si, boot_phys_fn *phys,
    struct boot_info *bi)
{
	uint32_t version = si->version;
	int error;

	if (si->magic != XEN_HVM_START_MAGIC_VALUE) {
		boot_note(bi, "PVH: no start info where it should be");
		return -EINVAL;
	}
	bi->entry = BOOT_PVH;
	bi->rsdp = si->rsdp_paddr;
	boot_cmdline_copy(bi, si->cmdline_paddr, phys);
	pvh_initrd(bi, si->modlist_paddr, si->nr_modules, phys);
	if (version == 0) {
		boot_note(bi, "PVH: start info version 0 has no memory map");
		return -ENODATA;
	}
	error = pvh_memmap(bi, si->memmap_paddr, si->memmap_entries, phys);
	if (error == 0)
		error = memmap_finish(bi);
	if (error == -ENOMEM)
		boot_note(bi, "PVH: the memory map has no RAM");
	return error;
}
