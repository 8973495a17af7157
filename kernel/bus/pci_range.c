/* SPDX-License-Identifier: ISC */
/*
 * pci_range.c - addresses of a window, claimed and allocated by first fit.
 */
#include "bus/pci_range.h"
#include <linux/errno.h>

void
pci_map_init(struct pci_map *m, uint64_t base, uint64_t last)
{
	m->base = base;
	m->last = last;
	TAILQ_INIT(&m->used);
}

static uint64_t
range_last(const struct pci_range *r)
{
	return r->base + (r->size - 1);
}

static void
insert_before(struct pci_map *m, struct pci_range *r, uint64_t base,
    uint64_t size, struct pci_range *next)
{
	r->base = base;
	r->size = size;
	if (next == NULL)
		TAILQ_INSERT_TAIL(&m->used, r, link);
	else
		TAILQ_INSERT_BEFORE(next, r, link);
}

int
pci_map_claim(struct pci_map *m, struct pci_range *r, uint64_t base,
    uint64_t size)
{
	uint64_t last = base + (size - 1);
	struct pci_range *at;

	if (size == 0 || last < base || base < m->base || last > m->last)
		return -ERANGE;
	TAILQ_FOREACH (at, &m->used, link) {
		if (at->base > last)
			break;
		if (range_last(at) >= base)
			return -EBUSY;
	}
	insert_before(m, r, base, size, at);
	return 0;
}

/* The first multiple of align at or above x; false: it would wrap. */
static bool
round_up(uint64_t *x, uint64_t align)
{
	uint64_t up = ROUND_UP(*x, align);

	if (up < *x)
		return false;
	*x = up;
	return true;
}

int
pci_map_alloc(struct pci_map *m, struct pci_range *r, uint64_t size,
    uint64_t align, uint64_t lowest, uint64_t highest)
{
	uint64_t at = MAX(m->base, lowest), last = MIN(m->last, highest);
	struct pci_range *next = TAILQ_FIRST(&m->used);

	if (size == 0 || align == 0 || (align & (align - 1)) != 0)
		return -EINVAL;
	while (round_up(&at, align) && at <= last && size - 1 <= last - at) {
		if (next == NULL || next->base > at + (size - 1)) {
			insert_before(m, r, at, size, next);
			return 0;
		}
		if (range_last(next) == UINT64_MAX)
			break;
		at = MAX(at, range_last(next) + 1);
		next = TAILQ_NEXT(next, link);
	}
	return -ENOSPC;
}

void
pci_map_release(struct pci_map *m, struct pci_range *r)
{
	if (r->size == 0)
		return;
	TAILQ_REMOVE(&m->used, r, link);
	r->size = 0;
}
