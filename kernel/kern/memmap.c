/* SPDX-License-Identifier: ISC */
/*
 * memmap.c - makes one clean memory map of what a host claims.  ACPI 6.4, 15.
 *
 * The map is a sorted array without overlaps at every moment; a new range is
 * walked from its start to its end against what is there already.
 */
#include "kern/memmap.h"

#include "kern/string.h"
#include <linux/errno.h>

void
boot_note(struct boot_info *bi, const char *text)
{
	unsigned i;

	for (i = 0; i < bi->nnotes; i++)
		if (bi->note[i] == text)
			return;
	if (bi->nnotes < BOOT_NNOTES)
		bi->note[bi->nnotes++] = text;
}

static paddr_t
range_end(const struct boot_range *r)
{
	return r->base + r->size;
}

static void
range_remove(struct boot_info *bi, unsigned at)
{
	bi->nranges--;
	memmove(&bi->range[at], &bi->range[at + 1],
	    (bi->nranges - at) * sizeof(bi->range[0]));
}

/* Joins the range `at` with the one before it, if they are one. */
static void
range_join(struct boot_info *bi, unsigned at)
{
	struct boot_range *r = &bi->range[at];

	if (at == 0 || at >= bi->nranges || r[-1].type != r->type ||
	    range_end(&r[-1]) != r->base)
		return;
	r[-1].size += r->size;
	range_remove(bi, at);
}

/*
 * Puts [base, end), which is free, at index `at`, or extends a neighbour of
 * its type.  A full map loses it: then it is not RAM.
 */
static void
range_insert(struct boot_info *bi, unsigned at, paddr_t base, paddr_t end,
    enum boot_mem type)
{
	struct boot_range *r = &bi->range[at];

	if (at > 0 && r[-1].type == type && range_end(&r[-1]) == base) {
		r[-1].size += end - base;
		range_join(bi, at);
		return;
	}
	if (at < bi->nranges && r->type == type && r->base == end) {
		r->base = base;
		r->size += end - base;
		return;
	}
	if (bi->nranges == BOOT_NRANGES) {
		boot_note(bi, "memory map: too many ranges, some left out");
		bi->range_lost = true;
		return;
	}
	memmove(r + 1, r, (bi->nranges - at) * sizeof(*r));
	bi->nranges++;
	*r = (struct boot_range){ base, end - base, type };
}

/*
 * Takes [base, end), which lies inside range `at`, out of it; what is left
 * behind the gap is lost when the map is full.  Returns the gap's index.
 */
static unsigned
range_cut(struct boot_info *bi, unsigned at, paddr_t base, paddr_t end)
{
	struct boot_range *r = &bi->range[at];
	paddr_t start = r->base, stop = range_end(r);
	enum boot_mem type = r->type;

	if (start < base) {
		r->size = base - start;
		at++;
	} else {
		range_remove(bi, at);
	}
	if (end < stop)
		range_insert(bi, at, end, stop, type);
	return at;
}

void
memmap_add(struct boot_info *bi, paddr_t base, uint64_t size, uint32_t type)
{
	paddr_t end, next;
	unsigned at = 0;

	if (type < BOOT_MEM_RAM || type > BOOT_MEM_PMEM)
		type = BOOT_MEM_RESERVED;
	if (size == 0 || (type == BOOT_MEM_RAM && bi->range_lost))
		return;
	if (base + size < base) {
		boot_note(bi, "memory map: a range wraps, left out");
		return;
	}
	end = MIN(base + size, MEMMAP_PADDR_END);
	if (end != base + size && type == BOOT_MEM_RAM)
		boot_note(bi, "memory map: RAM above 64 TiB is not used");

	while (base < end) {
		while (at < bi->nranges && range_end(&bi->range[at]) <= base)
			at++;
		next = at < bi->nranges ? bi->range[at].base : end;
		if (next > base) { /* free up to the next one */
			next = MIN(next, end);
			range_insert(bi, at, base, next, type);
		} else { /* taken already */
			next = MIN(range_end(&bi->range[at]), end);
			if (bi->range[at].type < type) {
				at = range_cut(bi, at, base, next);
				range_insert(bi, at, base, next, type);
			}
		}
		base = next;
		at = at > 0 ? at - 1 : 0; /* it may have been joined */
	}
}

bool
memmap_is_ram(const struct boot_info *bi, paddr_t base, uint64_t size)
{
	const struct boot_range *r;
	unsigned i;

	for (i = 0; i < bi->nranges; i++) {
		r = &bi->range[i];
		if (r->type == BOOT_MEM_RAM && base >= r->base &&
		    base - r->base < r->size)
			return size <= r->size - (base - r->base);
	}
	return false;
}

/*
 * SeaBIOS reserves the end of RAM for what it keeps about disks; with three of
 * them it has come to where QEMU puts the initrd, which is then read over it.
 * What the initrd takes of a reserved range right behind RAM is RAM.
 */
static void
initrd_take_reserved(struct boot_info *bi)
{
	paddr_t start = ROUND_DOWN(bi->initrd, PAGE_SIZE), end;
	struct boot_range *r;
	unsigned i;

	if (bi->initrd_size == 0 || bi->initrd + bi->initrd_size < bi->initrd)
		return;
	end = ROUND_UP(bi->initrd + bi->initrd_size, PAGE_SIZE);
	for (i = 1; i < bi->nranges; i++) {
		r = &bi->range[i];
		if (r->type != BOOT_MEM_RESERVED ||
		    r[-1].type != BOOT_MEM_RAM ||
		    range_end(&r[-1]) != r->base || start < r[-1].base ||
		    end <= r->base || end > range_end(r))
			continue;
		start = MAX(start, r->base);
		range_insert(bi, range_cut(bi, i, start, end), start, end,
		    BOOT_MEM_RAM);
		return;
	}
}

static void
initrd_check(struct boot_info *bi)
{
	const char *reason = NULL;

	if (bi->initrd_size == 0) {
		bi->initrd = 0;
		return;
	}
	if (bi->initrd < PAGE_SIZE)
		reason = "initrd: in page 0, not used";
	else if (!memmap_is_ram(bi, bi->initrd, bi->initrd_size))
		reason = "initrd: not wholly in RAM, not used";
	if (reason == NULL)
		return;
	boot_note(bi, reason);
	bi->initrd = 0;
	bi->initrd_size = 0;
}

int
memmap_finish(struct boot_info *bi)
{
	struct boot_range *r;
	paddr_t base, end;
	unsigned i = 0, nram = 0;

	initrd_take_reserved(bi);
	initrd_check(bi);
	while (i < bi->nranges) {
		r = &bi->range[i];
		if (r->type == BOOT_MEM_RAM) {
			base = MAX(ROUND_UP(r->base, PAGE_SIZE), PAGE_SIZE);
			end = ROUND_DOWN(range_end(r), PAGE_SIZE);
			if (base >= end) {
				range_remove(bi, i);
				continue;
			}
			r->base = base;
			r->size = end - base;
			nram++;
		}
		i++;
	}
	return nram > 0 ? 0 : -ENOMEM;
}
