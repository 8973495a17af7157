/* SPDX-License-Identifier: ISC */
/* acpi_tables.c - ACPI's static tables.  ACPI 6.4, 5.2. */
#include "bus/acpi_tables.h"

#include "bus/intr.h"
#include "kern/string.h"
#include <linux/errno.h>

#define BIOS      0xe0000ul
#define BIOS_SIZE 0x20000ul

/* Root pointer, 5.2.5.3 */
#define RSDP_SIZE1    20
#define RSDP_SIZE2    36
#define RSDP_REVISION 15
#define RSDP_RSDT     16
#define RSDP_LENGTH   20
#define RSDP_XSDT     24

/* Header of every table, 5.2.6 */
#define H_SIZE   36
#define H_LENGTH 4

/* MADT, 5.2.12 */
#define MADT_LAPIC   36
#define MADT_FLAGS   40
#define MADT_ENTRIES 44
enum {
	MADT_CPU = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LAPIC64 = 5,
	MADT_X2APIC = 9,
};
static const uint8_t madt_size[] = {
	[MADT_CPU] = 8,
	[MADT_IOAPIC] = 12,
	[MADT_OVERRIDE] = 10,
	[MADT_LAPIC64] = 12,
	[MADT_X2APIC] = 16,
};
#define CPU_ENABLED 0x1
#define CPU_CAPABLE 0x2 /* can be enabled while the system runs */

/* ---- finding ---- */

paddr_t
acpi_find_root(const struct phys_reader *r)
{
	paddr_t pa = phys_search_ebda(r, "RSD PTR ", 8, RSDP_SIZE1);

	if (pa == 0)
		pa = phys_search(r, BIOS, BIOS_SIZE, "RSD PTR ", 8, RSDP_SIZE1);
	return pa;
}

static bool
read_header(const struct phys_reader *r, paddr_t pa, struct acpi_entry *out)
{
	uint8_t h[H_SIZE];

	*out = (struct acpi_entry){ .pa = pa };
	if (!phys_read(r, pa, h, sizeof(h)))
		return false;
	memcpy(out->signature, h, 4);
	out->length = get32(h + H_LENGTH);
	return out->length >= H_SIZE && out->length <= ACPI_TABLE_MAX;
}

static bool
sum_is_right(const struct phys_reader *r, const struct acpi_entry *e)
{
	uint8_t block[256], sum = 0;
	uint32_t at, n;

	for (at = 0; at < e->length; at += n) {
		n = MIN(e->length - at, sizeof(block));
		if (!phys_read(r, e->pa + at, block, n))
			return false;
		sum += bytes_sum(block, n);
	}
	return sum == 0;
}

/* Slots of `width` bytes, each the address of a table. */
static int
read_root(const struct phys_reader *r, paddr_t pa, const char *signature,
    unsigned width, struct acpi_directory *out)
{
	struct acpi_entry root, e;
	uint8_t slot[8];
	uint32_t at;

	if (!read_header(r, pa, &root) ||
	    memcmp(root.signature, signature, 4) != 0 ||
	    !sum_is_right(r, &root))
		return -EINVAL;
	for (at = H_SIZE; root.length - at >= width; at += width) {
		if (!phys_read(r, pa + at, slot, width))
			return -EINVAL;
		if (!read_header(r, width == 8 ? get64(slot) : get32(slot), &e))
			out->lost++;
		else if (out->ntables == ACPI_NTABLES)
			out->lost++;
		else
			out->table[out->ntables++] = e;
	}
	return 0;
}

int
acpi_read_directory(const struct phys_reader *r, paddr_t rsdp,
    struct acpi_directory *out)
{
	uint8_t p[RSDP_SIZE2];
	int error = -EINVAL;

	memset(out, 0, sizeof(*out));
	if (!phys_read(r, rsdp, p, RSDP_SIZE1) ||
	    memcmp(p, "RSD PTR ", 8) != 0 || bytes_sum(p, RSDP_SIZE1) != 0)
		return -EINVAL;
	out->revision = p[RSDP_REVISION];
	if (out->revision >= 2 && phys_read(r, rsdp, p, RSDP_SIZE2) &&
	    get32(p + RSDP_LENGTH) == RSDP_SIZE2 &&
	    bytes_sum(p, RSDP_SIZE2) == 0)
		error = read_root(r, get64(p + RSDP_XSDT), "XSDT", 8, out);
	if (error != 0) {
		out->ntables = out->lost = 0;
		error = read_root(r, get32(p + RSDP_RSDT), "RSDT", 4, out);
	}
	if (error != 0)
		out->ntables = out->lost = 0;
	return error;
}

int
acpi_read_entry(const struct phys_reader *r, paddr_t pa, struct acpi_entry *out)
{
	return read_header(r, pa, out) ? 0 : -EINVAL;
}

const struct acpi_entry *
acpi_find_table(const struct acpi_directory *dir, const char *signature,
    unsigned nth)
{
	unsigned i;

	for (i = 0; i < dir->ntables; i++)
		if (memcmp(dir->table[i].signature, signature, 4) == 0 &&
		    nth-- == 0)
			return &dir->table[i];
	return NULL;
}

int
acpi_copy_table(const struct phys_reader *r, const struct acpi_entry *entry,
    uint8_t *buf)
{
	if (!phys_read(r, entry->pa, buf, entry->length) ||
	    memcmp(buf, entry->signature, 4) != 0 ||
	    get32(buf + H_LENGTH) != entry->length ||
	    bytes_sum(buf, entry->length) != 0)
		return -EINVAL;
	return 0;
}

/* ---- MADT ---- */

static void
add_cpu(struct platform *out, uint32_t id, uint32_t flags)
{
	struct platform_cpu cpu = { .apic_id = id,
		.hotplug = (flags & CPU_ENABLED) == 0 };

	if ((flags & (CPU_ENABLED | CPU_CAPABLE)) != 0)
		platform_add_cpu(out, cpu);
}

/* 5.2.12.5: polarity in bits 1:0, trigger in 3:2, as in the MP table. */
static void
add_override(struct platform *out, const uint8_t *e)
{
	uint16_t how = get16(e + 8);
	unsigned flags = 0;

	if (e[2] != 0 || e[3] >= PLATFORM_NISA)
		return; /* not the ISA bus */
	if ((how & 0xc) == 0xc)
		flags |= INTR_LEVEL;
	if ((how & 0x3) == 0x3)
		flags |= INTR_LOW;
	out->isa[e[3]] = (struct platform_pin){ .known = true,
		.by_gsi = true,
		.gsi = get32(e + 4),
		.flags = flags };
}

static void
madt_entry(const uint8_t *e, struct platform *out)
{
	switch (e[0]) {
	case MADT_CPU: add_cpu(out, e[3], get32(e + 4)); break;
	case MADT_X2APIC: add_cpu(out, get32(e + 4), get32(e + 8)); break;
	case MADT_IOAPIC:
		platform_add_ioapic(out,
		    (struct platform_ioapic){ .id = e[2],
			.addr = get32(e + 4),
			.gsi = get32(e + 8) });
		break;
	case MADT_OVERRIDE: add_override(out, e); break;
	case MADT_LAPIC64: out->lapic = get64(e + 4); break;
	}
}

int
acpi_parse_madt(const uint8_t *t, size_t len, struct platform *out)
{
	size_t at;
	uint8_t type, size;

	memset(out, 0, sizeof(*out));
	if (len < MADT_ENTRIES)
		return -EINVAL;
	out->lapic = get32(t + MADT_LAPIC);
	out->has_8259 = (get32(t + MADT_FLAGS) & 1) != 0;
	for (at = MADT_ENTRIES; len - at >= 2; at += size) {
		type = t[at];
		size = t[at + 1];
		if (size < 2 || size > len - at) {
			out->lost++;
			break;
		}
		if (type >= ARRAY_SIZE(madt_size) || madt_size[type] == 0)
			continue;
		if (size >= madt_size[type])
			madt_entry(t + at, out);
		else
			out->lost++;
	}
	return 0;
}

/* ---- FADT ---- */

static struct acpi_address
address_at(const uint8_t *p)
{
	return (struct acpi_address){ p[0], p[1], get64(p + 4) };
}

/* A field of 12 bytes in a table that may end before it. */
static struct acpi_address
wide_field(const uint8_t *t, size_t len, size_t at)
{
	return at + 12 <= len ? address_at(t + at) :
				(struct acpi_address){ 0, 0, 0 };
}

/* The extended field counts where it is not zero; else the old port. */
static struct acpi_address
block_field(const uint8_t *t, size_t len, size_t wide, size_t port,
    unsigned bytes)
{
	struct acpi_address a = wide_field(t, len, wide);

	if (a.addr == 0 && get32(t + port) != 0)
		a = (struct acpi_address){ 1, bytes * 8, get32(t + port) };
	return a;
}

static uint64_t
wide_or(const uint8_t *t, size_t len, size_t wide, size_t narrow)
{
	uint64_t v = wide + 8 <= len ? get64(t + wide) : 0;

	return v != 0 ? v : get32(t + narrow);
}

#define FADT_SIZE1 116 /* ACPI 1.0's */

int
acpi_parse_fadt(const uint8_t *t, size_t len, struct acpi_fadt *out)
{
	memset(out, 0, sizeof(*out));
	if (len < FADT_SIZE1)
		return -EINVAL;
	out->facs = wide_or(t, len, 132, 36);
	out->dsdt = wide_or(t, len, 140, 40);
	out->sci = get16(t + 46);
	if (get32(t + 48) <= 0xffff)
		out->smi_command = get32(t + 48);
	out->acpi_enable = t[52];
	out->acpi_disable = t[53];
	out->pm1_event_len = t[88];
	out->gpe0_len = t[92];
	out->gpe1_len = t[93];
	out->pm1a_event = block_field(t, len, 148, 56, t[88]);
	out->pm1b_event = block_field(t, len, 160, 60, t[88]);
	out->pm1a_control = block_field(t, len, 172, 64, t[89]);
	out->pm1b_control = block_field(t, len, 184, 68, t[89]);
	out->pm_timer = block_field(t, len, 208, 76, t[91]);
	out->gpe0 = block_field(t, len, 220, 80, t[92]);
	out->gpe1 = block_field(t, len, 232, 84, t[93]);
	out->boot_flags = get16(t + 109);
	out->flags = get32(t + 112);
	out->reset = wide_field(t, len, 116);
	out->reset_value = len > 128 ? t[128] : 0;
	out->sleep_control = wide_field(t, len, 244);
	out->sleep_status = wide_field(t, len, 256);
	out->hypervisor = len >= 276 ? get64(t + 268) : 0;
	return 0;
}

/* ---- _S5 in the DSDT; byte code: 20.2 ---- */

#define AML_ZERO    0x00
#define AML_ONE     0x01
#define AML_NAME    0x08
#define AML_BYTE    0x0a
#define AML_PACKAGE 0x12
#define AML_ROOT    '\\'

/* A small number at *at, moved behind it. */
static bool
aml_number(const uint8_t *p, size_t len, size_t *at, uint8_t *v)
{
	if (*at >= len)
		return false;
	*v = p[(*at)++];
	if (*v == AML_ZERO || *v == AML_ONE)
		return true;
	if (*v != AML_BYTE || *at >= len)
		return false;
	*v = p[(*at)++];
	return *v < 8; /* three bits of PM1 control */
}

/* "Package () { number, number, ... }" at `at`. */
static bool
s5_package(const uint8_t *p, size_t len, size_t at, uint8_t type[2])
{
	if (at + 3 > len || p[at] != AML_PACKAGE)
		return false;
	at += 2u + (p[at + 1] >> 6); /* its length, in 1 to 4 bytes */
	if (at >= len || p[at] < 2)
		return false;
	at++;
	return aml_number(p, len, &at, &type[0]) &&
	    aml_number(p, len, &at, &type[1]);
}

int
acpi_parse_s5(const uint8_t *dsdt, size_t len, uint8_t type[2])
{
	size_t at;

	for (at = H_SIZE + 1; at + 4 <= len; at++) {
		if (memcmp(dsdt + at, "_S5_", 4) != 0 ||
		    (dsdt[at - 1] != AML_NAME &&
			(dsdt[at - 1] != AML_ROOT || dsdt[at - 2] != AML_NAME)))
			continue;
		if (s5_package(dsdt, len, at + 4, type))
			return 0;
	}
	return -ENOENT;
}

/* ---- MCFG, HPET, SPCR ---- */

#define MCFG_ENTRIES 44
#define MCFG_ENTRY   16
#define ECAM_BUS     0x100000ul /* bytes for each bus */

static bool
ecam_ok(const struct acpi_ecam *e)
{
	return e->base != 0 && (e->base & (ECAM_BUS - 1)) == 0 &&
	    e->first_bus <= e->last_bus &&
	    e->base + ECAM_BUS * (e->last_bus + 1ul) > e->base;
}

int
acpi_parse_mcfg(const uint8_t *t, size_t len, struct acpi_ecam *out,
    unsigned max, unsigned *n)
{
	struct acpi_ecam e;
	size_t at;

	*n = 0;
	if (len < MCFG_ENTRIES)
		return -EINVAL;
	for (at = MCFG_ENTRIES; len - at >= MCFG_ENTRY; at += MCFG_ENTRY) {
		e = (struct acpi_ecam){ get64(t + at), get16(t + at + 8),
			t[at + 10], t[at + 11] };
		if (ecam_ok(&e) && *n < max)
			out[(*n)++] = e;
	}
	return 0;
}

#define HPET_ADDRESS 40
#define HPET_SIZE    56

int
acpi_parse_hpet(const uint8_t *t, size_t len, struct acpi_address *out)
{
	if (len < HPET_SIZE)
		return -EINVAL;
	*out = address_at(t + HPET_ADDRESS);
	return 0;
}

#define SPCR_SIZE 80

static uint32_t
baud_of(uint8_t code)
{
	switch (code) {
	case 3: return 9600;
	case 4: return 19200;
	case 6: return 57600;
	case 7: return 115200;
	default: return 0;
	}
}

int
acpi_parse_spcr(const uint8_t *t, size_t len, struct acpi_spcr *out)
{
	memset(out, 0, sizeof(*out));
	if (len < SPCR_SIZE)
		return -EINVAL;
	out->type = t[36];
	out->regs = address_at(t + 40);
	out->has_irq = (t[52] & 1) != 0;
	out->has_gsi = (t[52] & 2) != 0;
	out->irq = t[53];
	out->gsi = get32(t + 54);
	out->baud = baud_of(t[58]);
	return 0;
}
