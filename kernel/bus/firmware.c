/* SPDX-License-Identifier: ISC */
/*
 * firmware.c - this machine's tables.  Physical memory is read through the
 * direct map, or, above its first GiB, where only RAM is mapped, through
 * windows of its own, which stay.
 */
#include "bus/firmware.h"

#include "bus/intr.h"
#include "bus/mptable.h"
#include "bus/pci.h"
#include "kern/boot.h"
#include "kern/bootargs.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "x86/ioapic.h"
#include "x86/layout.h"
#include <linux/errno.h>

#define DIRECT_END  (1ul << 30) /* entry.S maps so much */
#define PHYS_END    (1ul << 46)
#define WINDOW_SIZE 0x10000ul
#define NWINDOWS    16
#define NECAMS      8

static struct {
	struct mutex lock;
	struct {
		paddr_t pa; /* 0: free */
		const volatile uint8_t *va;
	} window[NWINDOWS];
	struct acpi_directory *acpi; /* NULL: none, once acpi_looked */
	paddr_t rsdp;                /* with acpi */
	struct platform *platform;
	bool acpi_looked, platform_looked, routed;
} fw = { .lock = MUTEX_INIT(fw.lock) };

/* ---- memory ---- */

static const volatile uint8_t *
window_locked(paddr_t pa)
{
	unsigned i;

	for (i = 0; i < NWINDOWS && fw.window[i].pa != 0; i++)
		if (fw.window[i].pa == pa)
			return fw.window[i].va;
	if (i == NWINDOWS)
		return NULL;
	fw.window[i].va = mmio_map(pa, WINDOW_SIZE);
	if (fw.window[i].va != NULL)
		fw.window[i].pa = pa;
	return fw.window[i].va;
}

static bool
read_high(paddr_t pa, uint8_t *to, size_t len)
{
	const volatile uint8_t *from;
	size_t n, i;

	for (; len > 0; pa += n, to += n, len -= n) {
		from = window_locked(ROUND_DOWN(pa, WINDOW_SIZE));
		if (from == NULL)
			return false;
		n = MIN(len, WINDOW_SIZE - (pa & (WINDOW_SIZE - 1)));
		for (i = 0; i < n; i++)
			to[i] = from[(pa & (WINDOW_SIZE - 1)) + i];
	}
	return true;
}

static bool
machine_read(void *arg, paddr_t pa, void *to, size_t len)
{
	(void)arg;
	if (pa >= PHYS_END || len > PHYS_END - pa)
		return false;
	if (pa < DIRECT_END && len <= DIRECT_END - pa) {
		memcpy(to, (const void *)(KVA_DIRECT + pa), len);
		return true;
	}
	return read_high(pa, to, len);
}

static const struct phys_reader machine = { machine_read, NULL };

/* ---- ACPI ---- */

static void
acpi_look_locked(void)
{
	paddr_t rsdp = boot_info()->rsdp;

	fw.acpi_looked = true;
	if (bootargs()->acpi_off)
		return;
	if (rsdp == 0)
		rsdp = acpi_find_root(&machine);
	if (rsdp == 0)
		return;
	fw.acpi = kzalloc(sizeof(*fw.acpi));
	if (fw.acpi == NULL ||
	    acpi_read_directory(&machine, rsdp, fw.acpi) != 0) {
		log_warn("acpi: tables cannot be used, root at %#lx", rsdp);
		kfree(fw.acpi);
		fw.acpi = NULL;
		return;
	}
	fw.rsdp = rsdp;
	log_info("acpi: %u tables%s", fw.acpi->ntables,
	    fw.acpi->lost != 0 ? ", others cannot be read" : "");
}

const struct acpi_directory *
firmware_acpi(void)
{
	mutex_lock(&fw.lock);
	if (!fw.acpi_looked)
		acpi_look_locked();
	mutex_unlock(&fw.lock);
	return fw.acpi;
}

paddr_t
firmware_acpi_root(void)
{
	return firmware_acpi() == NULL ? 0 : fw.rsdp;
}

static int
copy_locked(const struct acpi_entry *e, uint8_t **copy)
{
	uint8_t *t = kmalloc(e->length);
	int error;

	if (t == NULL)
		return -ENOMEM;
	error = acpi_copy_table(&machine, e, t);
	if (error != 0) {
		log_warn("acpi: table %.4s is broken", e->signature);
		kfree(t);
		return error;
	}
	*copy = t;
	return 0;
}

int
firmware_acpi_table(const char *signature, unsigned nth, uint8_t **copy,
    size_t *len)
{
	const struct acpi_directory *dir = firmware_acpi();
	const struct acpi_entry *e = dir == NULL ?
	    NULL :
	    acpi_find_table(dir, signature, nth);
	int error;

	if (e == NULL)
		return -ENOENT;
	mutex_lock(&fw.lock);
	error = copy_locked(e, copy);
	mutex_unlock(&fw.lock);
	*len = e->length;
	return error;
}

int
firmware_acpi_copy(paddr_t pa, const char *signature, uint8_t **copy,
    size_t *len)
{
	struct acpi_entry e;
	int error = -EINVAL;

	mutex_lock(&fw.lock);
	if (acpi_read_entry(&machine, pa, &e) == 0 &&
	    memcmp(e.signature, signature, sizeof(e.signature)) == 0)
		error = copy_locked(&e, copy);
	mutex_unlock(&fw.lock);
	*len = e.length;
	return error;
}

/* ---- the board ---- */

static int
from_madt(struct platform *out)
{
	uint8_t *t;
	size_t len;
	int error = firmware_acpi_table("APIC", 0, &t, &len);

	if (error != 0)
		return error;
	error = acpi_parse_madt(t, len, out);
	kfree(t);
	return error;
}

static int
read_mptable_locked(uint8_t **copy, uint32_t *len)
{
	paddr_t table, pointer = mptable_find(&machine);
	int error;

	if (pointer == 0)
		return -ENOENT;
	error = mptable_locate(&machine, pointer, &table, len);
	if (error != 0)
		return error;
	*copy = kmalloc(*len);
	if (*copy == NULL)
		return -ENOMEM;
	if (phys_read(&machine, table, *copy, *len))
		return 0;
	kfree(*copy);
	return -EINVAL;
}

static int
from_mptable(struct platform *out)
{
	uint8_t *t;
	uint32_t len;
	int error;

	mutex_lock(&fw.lock);
	error = read_mptable_locked(&t, &len);
	mutex_unlock(&fw.lock);
	if (error != 0)
		return error;
	error = mptable_parse(t, len, out);
	if (error != 0)
		log_warn("mptable: broken, not used");
	kfree(t);
	return error;
}

const struct platform *
firmware_platform(void)
{
	struct platform *p;
	bool keep;

	if (__atomic_load_n(&fw.platform_looked, __ATOMIC_ACQUIRE))
		return fw.platform;
	p = kzalloc(sizeof(*p));
	if (p == NULL)
		return NULL;
	if (from_madt(p) != 0 && from_mptable(p) != 0) {
		kfree(p);
		p = NULL;
	}
	mutex_lock(&fw.lock);
	keep = !fw.platform_looked;
	if (keep)
		fw.platform = p;
	__atomic_store_n(&fw.platform_looked, true, __ATOMIC_RELEASE);
	mutex_unlock(&fw.lock);
	if (!keep)
		kfree(p);
	return fw.platform;
}

/* ---- I/O APICs and lines ---- */

/* The GSI of pin 0 of each I/O APIC of the table, as they were added. */
static void
add_ioapics(const struct platform *p, uint32_t *base)
{
	uint32_t gsi;
	unsigned i;
	int error;

	for (i = 0; i < p->nioapics; i++) {
		gsi = p->ioapic[i].gsi;
		if (gsi == PLATFORM_GSI_NEXT)
			gsi = i == 0 ? 0 : ioapic_end();
		base[i] = gsi;
		error = ioapic_add(p->ioapic[i].addr, gsi);
		if (error != 0 && error != -EEXIST)
			log_warn("ioapic%u at %#lx: not used, error %d",
			    p->ioapic[i].id, p->ioapic[i].addr, -error);
	}
}

static bool
gsi_of(const struct platform *p, const uint32_t *base,
    const struct platform_pin *pin, unsigned *gsi)
{
	unsigned i;

	*gsi = pin->gsi;
	if (pin->by_gsi)
		return true;
	for (i = 0; i < p->nioapics; i++) {
		if (p->ioapic[i].id != pin->ioapic)
			continue;
		*gsi = base[i] + pin->pin;
		return true;
	}
	return false;
}

void
firmware_route(void)
{
	const struct platform *p;
	uint32_t base[PLATFORM_NIOAPICS];
	unsigned irq, gsi;

	if (__atomic_exchange_n(&fw.routed, true, __ATOMIC_ACQ_REL))
		return;
	p = firmware_platform();
	if (p == NULL)
		return;
	(void)ioapic_end(); /* what is assumed, is known from here on */
	add_ioapics(p, base);
	for (irq = 0; irq < PLATFORM_NISA; irq++)
		if (p->isa[irq].known && gsi_of(p, base, &p->isa[irq], &gsi))
			intr_isa_override(irq, gsi, p->isa[irq].flags);
}

/* ---- PCI ---- */

static int
tell_ecam(const uint8_t *mcfg, size_t len)
{
	struct acpi_ecam e[NECAMS];
	unsigned n, i;
	int error = acpi_parse_mcfg(mcfg, len, e, NECAMS, &n);

	for (i = 0; i < n && error == 0; i++)
		if (e[i].segment == 0)
			error = pci_set_ecam(e[i].base, 0, e[i].first_bus,
			    e[i].last_bus);
	return error;
}

int
firmware_init(const struct boot_info *bi)
{
	uint8_t *mcfg;
	size_t len;
	int error;

	if (bi->rsdp == 0 || bootargs()->pci_off || bootargs()->acpi_off)
		return 0;
	error = firmware_acpi_table("MCFG", 0, &mcfg, &len);
	if (error == -ENOENT)
		return 0;
	if (error == 0) {
		error = tell_ecam(mcfg, len);
		kfree(mcfg);
	}
	return error;
}
