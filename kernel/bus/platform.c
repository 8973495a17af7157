/* SPDX-License-Identifier: ISC */
/* platform.c - what the parsers of firmware's tables share. */
#include "bus/platform.h"

#include "kern/string.h"

#define EBDA_SEGMENT 0x40e
#define EBDA_LOWEST  0x400 /* below this segment it would lie in the IVT */

void
platform_add_cpu(struct platform *p, struct platform_cpu cpu)
{
	unsigned i;

	for (i = 0; i < p->ncpus; i++)
		if (p->cpu[i].apic_id == cpu.apic_id)
			return;
	if (p->ncpus == PLATFORM_NCPUS)
		p->lost++;
	else
		p->cpu[p->ncpus++] = cpu;
}

void
platform_add_ioapic(struct platform *p, struct platform_ioapic io)
{
	unsigned i;

	for (i = 0; i < p->nioapics; i++)
		if (p->ioapic[i].addr == io.addr)
			return;
	if (p->nioapics == PLATFORM_NIOAPICS)
		p->lost++;
	else
		p->ioapic[p->nioapics++] = io;
}

bool
phys_read(const struct phys_reader *r, paddr_t pa, void *to, size_t len)
{
	return pa != 0 && pa + len >= pa && r->read(r->arg, pa, to, len);
}

uint8_t
bytes_sum(const uint8_t *p, size_t len)
{
	uint8_t sum = 0;

	while (len-- > 0)
		sum += *p++;
	return sum;
}

/*
 * Marks are four bytes or more: their first word tells most places apart, of
 * which there are thousands on the way of a boot.
 */
paddr_t
phys_search(const struct phys_reader *r, paddr_t pa, uint64_t size,
    const char *mark, size_t n, size_t sum)
{
	uint32_t block[1024 / sizeof(uint32_t)], first;
	uint8_t whole[64];
	uint64_t at, i;

	memcpy(&first, mark, sizeof(first));
	for (at = 0; at + sizeof(block) <= size; at += sizeof(block)) {
		if (!phys_read(r, pa + at, block, sizeof(block)))
			continue;
		for (i = 0; i < ARRAY_SIZE(block); i += 4) {
			if (block[i] != first ||
			    memcmp(&block[i], mark, n) != 0 ||
			    !phys_read(r, pa + at + i * 4, whole, sum) ||
			    bytes_sum(whole, sum) != 0)
				continue;
			return pa + at + i * 4;
		}
	}
	return 0;
}

paddr_t
phys_search_ebda(const struct phys_reader *r, const char *mark, size_t n,
    size_t sum)
{
	uint8_t word[2];
	uint16_t segment;

	if (!phys_read(r, EBDA_SEGMENT, word, sizeof(word)))
		return 0;
	segment = get16(word);
	if (segment < EBDA_LOWEST || segment >= 0xa000)
		return 0;
	return phys_search(r, (paddr_t)segment << 4, 1024, mark, n, sum);
}
