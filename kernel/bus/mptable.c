/* SPDX-License-Identifier: ISC */
/* mptable.c - the MP table.  MP 1.4, ch. 4. */
#include "bus/mptable.h"

#include "bus/intr.h"
#include "kern/string.h"
#include <linux/errno.h>

#define BASE_TOP  0x9fc00ul /* last KiB of 640 KiB of base memory */
#define BIOS      0xf0000ul
#define BIOS_SIZE 0x10000ul

/* Floating pointer, 4.1 */
#define FP_SIZE    16
#define FP_TABLE   4
#define FP_LENGTH  8
#define FP_FEATURE 11 /* 0: there is a table */

/* Header, 4.2 */
#define H_SIZE    44
#define H_LENGTH  4
#define H_ENTRIES 34
#define H_LAPIC   36

/* Entries, 4.3 */
#define E_CPU        0
#define E_CPU_SIZE   20
#define E_SIZE       8
#define E_BUS        1
#define E_IOAPIC     2
#define E_IOINT      3
#define E_LINT       4
#define USABLE       0x01
#define BOOT_CPU     0x02
#define INT_VECTORED 0
#define POLARITY     0x3 /* 1 high, 3 low, 0 the bus's */
#define TRIGGER      0xc /* 4 edge, 12 level, 0 the bus's */

#define NBUSES 256

paddr_t
mptable_find(const struct phys_reader *r)
{
	paddr_t pa = phys_search_ebda(r, "_MP_", 4, FP_SIZE);

	if (pa == 0)
		pa = phys_search(r, BASE_TOP, 1024, "_MP_", 4, FP_SIZE);
	if (pa == 0)
		pa = phys_search(r, BIOS, BIOS_SIZE, "_MP_", 4, FP_SIZE);
	return pa;
}

int
mptable_locate(const struct phys_reader *r, paddr_t pointer, paddr_t *table,
    uint32_t *len)
{
	uint8_t fp[FP_SIZE], h[H_SIZE];

	if (!phys_read(r, pointer, fp, sizeof(fp)) ||
	    memcmp(fp, "_MP_", 4) != 0 || fp[FP_LENGTH] != 1 ||
	    bytes_sum(fp, sizeof(fp)) != 0)
		return -EINVAL;
	if (fp[FP_FEATURE] != 0)
		return -ENOENT;
	*table = get32(fp + FP_TABLE);
	if (!phys_read(r, *table, h, sizeof(h)) || memcmp(h, "PCMP", 4) != 0)
		return -EINVAL;
	*len = get16(h + H_LENGTH);
	return *len < H_SIZE ? -EINVAL : 0;
}

enum bus_kind { BUS_OTHER, BUS_ISA, BUS_PCI };

static void
parse_cpu(const uint8_t *e, struct platform *out)
{
	if ((e[3] & USABLE) != 0)
		platform_add_cpu(out,
		    (struct platform_cpu){ .apic_id = e[1],
			.boot = (e[3] & BOOT_CPU) != 0 });
}

static enum bus_kind
kind_of(const uint8_t *name)
{
	if (memcmp(name, "PCI   ", 6) == 0)
		return BUS_PCI;
	return memcmp(name, "ISA   ", 6) == 0 ? BUS_ISA : BUS_OTHER;
}

/* 0 stands for the bus's own way: ISA edge and high, PCI level and low. */
static uint8_t
flags_of(uint16_t how, enum bus_kind kind)
{
	uint8_t flags = 0;

	if ((how & TRIGGER) == 0xc || ((how & TRIGGER) == 0 && kind == BUS_PCI))
		flags |= INTR_LEVEL;
	if ((how & POLARITY) == 3 || ((how & POLARITY) == 0 && kind == BUS_PCI))
		flags |= INTR_LOW;
	return flags;
}

static void
parse_ioint(const uint8_t *e, const uint8_t *kinds, struct platform *out)
{
	enum bus_kind kind = kinds[e[4]];
	struct platform_pin pin = { .known = true,
		.ioapic = e[6],
		.pin = e[7],
		.flags = flags_of(get16(e + 2), kind) };

	if (e[1] != INT_VECTORED)
		return;
	if (kind == BUS_ISA && e[5] < PLATFORM_NISA) {
		out->isa[e[5]] = pin;
	} else if (kind == BUS_PCI) {
		if (out->nroutes == PLATFORM_NROUTES) {
			out->lost++;
			return;
		}
		out->route[out->nroutes++] = (struct platform_route){
			.bus = e[4],
			.dev = e[5] >> 2 & 0x1f,
			.line = e[5] & 3,
			.pin = pin,
		};
	}
}

static void
parse_entry(const uint8_t *e, uint8_t *kinds, struct platform *out)
{
	switch (e[0]) {
	case E_CPU: parse_cpu(e, out); break;
	case E_BUS: kinds[e[1]] = kind_of(e + 2); break;
	case E_IOAPIC:
		if ((e[3] & USABLE) != 0)
			platform_add_ioapic(out,
			    (struct platform_ioapic){ .id = e[1],
				.addr = get32(e + 4),
				.gsi = PLATFORM_GSI_NEXT });
		break;
	case E_IOINT: parse_ioint(e, kinds, out); break;
	}
}

int
mptable_parse(const uint8_t *table, size_t len, struct platform *out)
{
	uint8_t kinds[NBUSES] = { 0 };
	unsigned n, size;
	size_t at = H_SIZE;

	memset(out, 0, sizeof(*out));
	if (len < H_SIZE || memcmp(table, "PCMP", 4) != 0 ||
	    get16(table + H_LENGTH) != len || bytes_sum(table, len) != 0)
		return -EINVAL;
	out->lapic = get32(table + H_LAPIC);
	for (n = get16(table + H_ENTRIES); n > 0; n--, at += size) {
		size = at < len && table[at] == E_CPU ? E_CPU_SIZE : E_SIZE;
		if (at >= len || size > len - at || table[at] > E_LINT) {
			out->lost += n;
			break;
		}
		parse_entry(table + at, kinds, out);
	}
	return 0;
}
