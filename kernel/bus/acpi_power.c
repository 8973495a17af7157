/* SPDX-License-Identifier: ISC */
/*
 * acpi_power.c - switching off and resetting as ACPI's tables say.  ACPI 6.4,
 * 4.8.3.2, 4.8.3.6, 4.8.3.7, 16.1.7.  Nothing is looked at before the end.
 */
#include "bus/acpi.h"
#include "bus/firmware.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/power.h"
#include "kern/string.h"
#include "x86/cpu.h"
#include "x86/io.h"
#include <linux/errno.h>

#define SPACE_MEMORY 0
#define SPACE_PORTS  1

#define PM1_ENABLED    0x0001 /* SCI_EN: the machine is in ACPI's mode */
#define PM1_SLEEP_TYPE 0x1c00
#define PM1_TYPE_BIT   10
#define PM1_SLEEP      0x2000
#define SLEEP_TYPE_BIT 2 /* the hardware-reduced register */
#define SLEEP_GO       0x20
#define ENABLE_TRIES   100000 /* reads of a port, some 0.1 s */

static struct {
	bool can_off, can_reset, reduced;
	uint8_t type[2]; /* of \_S5 */
	uint8_t reset_value, enable;
	uint16_t smi;
	struct acpi_register pm1a, pm1b, sleep, reset;
} plan;

/* ---- registers ---- */

int
acpi_register_map(const struct acpi_address *a, struct acpi_register *out)
{
	*out = (struct acpi_register){ .at = *a };
	if (a->addr == 0 || (a->bits != 8 && a->bits != 16 && a->bits != 32))
		return -EINVAL;
	if (a->space == SPACE_PORTS)
		return a->addr <= 0xffff ? 0 : -EINVAL;
	if (a->space != SPACE_MEMORY || (a->addr & (a->bits / 8 - 1)) != 0)
		return -EINVAL;
	out->va = mmio_map(a->addr, a->bits / 8);
	return out->va == NULL ? -ENOMEM : 0;
}

uint32_t
acpi_register_read(const struct acpi_register *r)
{
	uint16_t port = r->at.addr;

	switch (r->at.bits) {
	case 8: return r->va != NULL ? *(volatile uint8_t *)r->va : inb(port);
	case 16: return r->va != NULL ? *(volatile uint16_t *)r->va : inw(port);
	default: return r->va != NULL ? *(volatile uint32_t *)r->va : inl(port);
	}
}

void
acpi_register_write(const struct acpi_register *r, uint32_t v)
{
	uint16_t port = r->at.addr;

	if (r->va == NULL) {
		switch (r->at.bits) {
		case 8: outb(port, v); break;
		case 16: outw(port, v); break;
		default: outl(port, v); break;
		}
		return;
	}
	switch (r->at.bits) {
	case 8: *(volatile uint8_t *)r->va = v; break;
	case 16: *(volatile uint16_t *)r->va = v; break;
	default: *(volatile uint32_t *)r->va = v; break;
	}
}

/* ---- what the tables say ---- */

static int
read_s5(const struct acpi_fadt *fadt)
{
	uint8_t *dsdt;
	size_t len;
	int error = firmware_acpi_copy(fadt->dsdt, "DSDT", &dsdt, &len);

	if (error != 0)
		return error;
	error = acpi_parse_s5(dsdt, len, plan.type);
	kfree(dsdt);
	return error;
}

/* 4.8.3.6: always a byte, whatever the table says of its width. */
static bool
plan_reset(const struct acpi_fadt *fadt)
{
	struct acpi_address a = fadt->reset;

	a.bits = 8;
	plan.reset_value = fadt->reset_value;
	return (fadt->flags & ACPI_FADT_RESET) != 0 &&
	    acpi_register_map(&a, &plan.reset) == 0;
}

static bool
plan_off(const struct acpi_fadt *fadt)
{
	struct acpi_address sleep = fadt->sleep_control;

	/* The interpreter, if it runs, knows better than a search. */
	if (acpi_off_prepare(plan.type) != 0 && read_s5(fadt) != 0)
		return false;
	plan.reduced = (fadt->flags & ACPI_FADT_REDUCED) != 0;
	if (plan.reduced) {
		sleep.bits = 8;
		return acpi_register_map(&sleep, &plan.sleep) == 0;
	}
	plan.smi = fadt->smi_command;
	plan.enable = fadt->acpi_enable;
	(void)acpi_register_map(&fadt->pm1b_control, &plan.pm1b);
	return acpi_register_map(&fadt->pm1a_control, &plan.pm1a) == 0;
}

static void
acpi_prepare(void)
{
	struct acpi_fadt fadt;
	uint8_t *t;
	size_t len;

	if (firmware_acpi_table("FACP", 0, &t, &len) != 0)
		return;
	if (acpi_parse_fadt(t, len, &fadt) == 0) {
		plan.can_off = plan_off(&fadt);
		plan.can_reset = plan_reset(&fadt);
	}
	kfree(t);
}

/* ---- the end ---- */

static void
acpi_mode(void)
{
	unsigned i;

	if (plan.smi == 0 || plan.enable == 0)
		return;
	if ((acpi_register_read(&plan.pm1a) & PM1_ENABLED) != 0)
		return;
	outb(plan.smi, plan.enable);
	for (i = 0; i < ENABLE_TRIES; i++)
		if ((acpi_register_read(&plan.pm1a) & PM1_ENABLED) != 0)
			return;
}

/* 4.8.3.2.1: the type first, then the type and the order to sleep. */
static void
pm1_sleep(const struct acpi_register *r, uint8_t type)
{
	uint32_t v = acpi_register_read(r) & ~(PM1_SLEEP_TYPE | PM1_SLEEP);

	v |= (uint32_t)type << PM1_TYPE_BIT;
	acpi_register_write(r, v);
	acpi_register_write(r, v | PM1_SLEEP);
}

static bool
acpi_can(bool off)
{
	return off ? plan.can_off : plan.can_reset;
}

static void
acpi_off(void)
{
	if (!plan.can_off)
		return;
	if (plan.reduced) {
		acpi_register_write(&plan.sleep,
		    plan.type[0] << SLEEP_TYPE_BIT | SLEEP_GO);
		return;
	}
	acpi_mode();
	pm1_sleep(&plan.pm1a, plan.type[0]);
	if (plan.pm1b.at.addr != 0)
		pm1_sleep(&plan.pm1b, plan.type[1]);
}

static void
acpi_reset(void)
{
	if (plan.can_reset)
		acpi_register_write(&plan.reset, plan.reset_value);
}

static const struct power_board acpi_board = {
	.prepare = acpi_prepare,
	.can = acpi_can,
	.off = acpi_off,
	.reset = acpi_reset,
};

int
acpi_power_init(const struct boot_info *bi)
{
	(void)bi;
	power_set_board(&acpi_board);
	return 0;
}
