/* SPDX-License-Identifier: ISC */
/*
 * memmap.h - makes one clean memory map of what a host claims.
 * Context: the boot, before anything else; allocates nothing.
 */
#ifndef KERN_MEMMAP_H
#define KERN_MEMMAP_H

#include "kern/boot_info.h"

/* Memory from here on has no place in the direct map and is left out. */
#define MEMMAP_PADDR_END ((paddr_t)1 << 46)

/*
 * Adds what the host says of [base, base + size).  Where claims overlap, RAM
 * loses against all others, and of two others the higher type number wins.
 * An empty or wrapping range is left out, an unknown type counts as reserved.
 * When the map is full, RAM is given up rather than a hole in it forgotten.
 */
void
memmap_add(struct boot_info *bi, paddr_t base, uint64_t size, uint32_t type);

/*
 * To be called once all is added and the initrd's place is filled in: refuses
 * an initrd that is not wholly in RAM (or in what is reserved right behind it,
 * which then is RAM as far as the initrd goes), then cuts RAM to whole pages other
 * than page 0.
 *   -ENOMEM  there is no RAM at all
 */
int memmap_finish(struct boot_info *bi);

/* Whether [base, base + size) is RAM throughout. */
bool memmap_is_ram(const struct boot_info *bi, paddr_t base, uint64_t size);

/* Keeps a constant string for the log; each text once, the first few only. */
void boot_note(struct boot_info *bi, const char *text);

#endif
