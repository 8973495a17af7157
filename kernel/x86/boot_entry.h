/* SPDX-License-Identifier: ISC */
/*
 * boot_entry.h - from what a boot loader leaves in memory to a boot_info.
 * Context: the boot, on one processor; nothing is allocated.
 *
 * All of it is the host's and may be wrong: addresses are reached only through
 * a callback, which returns NULL for what cannot be read, and each field is
 * read once.
 */
#ifndef X86_BOOT_ENTRY_H
#define X86_BOOT_ENTRY_H

#include "kern/boot_info.h"

struct boot_params;
struct hvm_start_info;

/* `len` bytes (at most a page) at physical `pa`, readable; NULL if not. */
typedef const void *boot_phys_fn(paddr_t pa, size_t len);

/*
 * Fills `bi`, which arrives zeroed, from Xen's PVH start info.  Errors leave
 * the reason in bi->note:
 *   -EINVAL  not a start info
 *   -ENODATA version 0, which carries no memory map: the rest is filled; the
 *            caller adds ranges by other means and calls memmap_finish()
 *   -EFAULT  the memory map cannot be reached
 *   -ENOMEM  no RAM in it
 */
int boot_pvh_parse(const struct hvm_start_info *si, boot_phys_fn *phys,
    struct boot_info *bi);

/*
 * The same from Linux's boot_params ("zero page"), 64-bit boot protocol.
 *   -EINVAL  no setup header in it
 *   -ENOMEM  no RAM in its E820 map
 */
int boot_linux64_parse(const struct boot_params *bp, boot_phys_fn *phys,
    struct boot_info *bi);

/*
 * Copies the string at `pa` into bi->cmdline; 0 means none.  One that is too
 * long is cut after its last whole word, one that leads out of memory is not
 * used; both are noted.
 */
void boot_cmdline_copy(struct boot_info *bi, paddr_t pa, boot_phys_fn *phys);

#endif
