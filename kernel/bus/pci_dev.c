/* SPDX-License-Identifier: ISC */
/*
 * pci_dev.c - what the driver of a PCI function asks for: decoding, registers,
 * interrupts, reset.  PCI 3.0, 6.2.2, 6.8; PCIe 5.0, 6.6.2.
 */
#include "bus/acpi.h"
#include "bus/device.h"
#include "bus/intr.h"
#include "bus/pci_impl.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/pci_regs.h>

struct pci_dev *
pci_dev_of(const struct device *dev)
{
	return device_ivars(dev);
}

bool
pci_is_absent(const struct pci_dev *pd)
{
	return pci_cfg_read16(pd->space, pd->bdf, PCI_VENDOR_ID) == 0xffff;
}

/* ---- decoding ---- */

static uint16_t
decode_bits(const struct pci_dev *pd)
{
	uint16_t bits = pd->hdr.type == 1 ?
	    PCI_COMMAND_IO | PCI_COMMAND_MEMORY :
	    0;
	unsigned i;

	for (i = 0; i < PCI_NBARS; i++)
		if (pd->bar[i].addr != 0)
			bits |= pd->bar[i].kind == PCI_BAR_IO ?
			    PCI_COMMAND_IO :
			    PCI_COMMAND_MEMORY;
	return bits;
}

static void
command_change(const struct pci_dev *pd, uint16_t clear, uint16_t set)
{
	uint16_t was = pci_cfg_read16(pd->space, pd->bdf, PCI_COMMAND);
	uint16_t now = (was & ~clear) | set;

	if (was != now && was != 0xffff)
		pci_cfg_write16(pd->space, pd->bdf, PCI_COMMAND, now);
}

int
pci_enable(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);

	if (pci_is_absent(pd))
		return -ENODEV;
	command_change(pd, 0, decode_bits(pd) | PCI_COMMAND_MASTER);
	pd->enabled = true;
	return 0;
}

/* It may still be looked at, but writes to no memory. */
void
pci_disable(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);

	command_change(pd, PCI_COMMAND_MASTER, 0);
	pd->enabled = false;
}

/* ---- registers ---- */

/*
 * Address space for mappings is not given back, so a device that comes again
 * at the same place finds the mapping that it had.
 */
struct mapping {
	struct mapping *next;
	paddr_t pa;
	size_t size;
	volatile char *va;
};

static struct mapping *mappings; /* under mappings_lock; only grows */
static struct mutex mappings_lock = MUTEX_INIT(mappings_lock);

static volatile char *
find_mapping_locked(paddr_t pa, size_t size)
{
	struct mapping *m;

	for (m = mappings; m != NULL; m = m->next)
		if (m->pa <= pa && pa - m->pa <= m->size &&
		    size <= m->size - (pa - m->pa))
			return m->va + (pa - m->pa);
	return NULL;
}

/* Whole pages, so that neighbours in a page share them. */
static volatile char *
make_mapping_locked(paddr_t pa, size_t size)
{
	struct mapping *m = kmalloc(sizeof(*m));

	if (m == NULL)
		return NULL;
	m->pa = ROUND_DOWN(pa, PAGE_SIZE);
	m->size = ROUND_UP(pa + size, PAGE_SIZE) - m->pa;
	m->va = mmio_map(m->pa, m->size);
	if (m->va == NULL) {
		kfree(m);
		return NULL;
	}
	m->next = mappings;
	mappings = m;
	return m->va + (pa - m->pa);
}

volatile void *
pci_map(struct device *dev, const struct pci_region *r)
{
	const struct pci_bar *bar = &pci_dev_of(dev)->bar[r->bar];
	volatile char *va;

	if (r->bar >= PCI_NBARS || bar->kind != PCI_BAR_MEM || bar->addr == 0 ||
	    r->length == 0 || r->length > bar->size ||
	    r->offset > bar->size - r->length)
		return NULL;
	mutex_lock(&mappings_lock);
	va = find_mapping_locked(bar->addr + r->offset, r->length);
	if (va == NULL)
		va = make_mapping_locked(bar->addr + r->offset, r->length);
	mutex_unlock(&mappings_lock);
	return va;
}

uint16_t
pci_port(const struct device *dev, unsigned bar)
{
	const struct pci_bar *b = &pci_dev_of(dev)->bar[bar];

	return bar < PCI_NBARS && b->kind == PCI_BAR_IO ? b->addr : 0;
}

/* ---- interrupts ---- */

struct pci_vector {
	struct pci_dev *pd;
	unsigned index;
	enum { BY_LINE, BY_MSI, BY_MSIX } kind;
	struct intr_source *src;
	struct intr_handler *handler;
};

static volatile uint32_t *
msix_entry(const struct pci_vector *v)
{
	return (volatile uint32_t *)(v->pd->msix_table +
	    v->index * PCI_MSIX_ENTRY_SIZE);
}

/* Under the mask, which the source lifts afterwards.  Read back: posted. */
static void
msix_write(void *arg, uint64_t addr, uint32_t data)
{
	volatile uint32_t *e = msix_entry(arg);
	uint32_t ctrl = e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4];

	e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = ctrl | PCI_MSIX_ENTRY_CTRL_MASKBIT;
	e[PCI_MSIX_ENTRY_LOWER_ADDR / 4] = (uint32_t)addr;
	e[PCI_MSIX_ENTRY_UPPER_ADDR / 4] = addr >> 32;
	e[PCI_MSIX_ENTRY_DATA / 4] = data;
	e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = ctrl;
	(void)e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4];
}

static void
msix_mask(void *arg, bool masked)
{
	volatile uint32_t *e = msix_entry(arg);

	e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4] = masked ?
	    PCI_MSIX_ENTRY_CTRL_MASKBIT :
	    0;
	(void)e[PCI_MSIX_ENTRY_VECTOR_CTRL / 4];
}

static const struct msi_ops msix_ops = { msix_write, msix_mask };

static void
msi_write(void *arg, uint64_t addr, uint32_t data)
{
	struct pci_vector *v = arg;
	const struct pci_dev *pd = v->pd;
	unsigned at = pd->msi.at;

	pci_cfg_write32(pd->space, pd->bdf, at + PCI_MSI_ADDRESS_LO,
	    (uint32_t)addr);
	if (pd->msi.wide)
		pci_cfg_write32(pd->space, pd->bdf, at + PCI_MSI_ADDRESS_HI,
		    addr >> 32);
	pci_cfg_write16(pd->space, pd->bdf,
	    at + (pd->msi.wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), data);
}

/*
 * Without a mask register messages are switched off as a whole; what would
 * come meanwhile is lost.
 */
static void
msi_mask(void *arg, bool masked)
{
	struct pci_vector *v = arg;
	const struct pci_dev *pd = v->pd;
	unsigned reg = pd->msi.at + PCI_MSI_FLAGS;
	uint16_t flags = pci_cfg_read16(pd->space, pd->bdf, reg);

	if (pd->msi.maskable)
		pci_cfg_write32(pd->space, pd->bdf,
		    pd->msi.at +
			(pd->msi.wide ? PCI_MSI_MASK_64 : PCI_MSI_MASK_32),
		    masked ? UINT32_MAX : ~1u);
	flags &= ~(PCI_MSI_FLAGS_QSIZE | PCI_MSI_FLAGS_ENABLE);
	if (!masked || pd->msi.maskable)
		flags |= PCI_MSI_FLAGS_ENABLE;
	pci_cfg_write16(pd->space, pd->bdf, reg, flags);
}

static const struct msi_ops msi_ops = { msi_write, msi_mask };

static int
vectors_alloc(struct pci_dev *pd, unsigned n, unsigned kind)
{
	unsigned i;

	pd->vector = kcalloc(n, sizeof(pd->vector[0]));
	if (pd->vector == NULL)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		pd->vector[i].pd = pd;
		pd->vector[i].index = i;
		pd->vector[i].kind = kind;
	}
	pd->nvectors = n;
	return 0;
}

static void
vectors_free(struct pci_dev *pd)
{
	unsigned i;

	for (i = 0; i < pd->nvectors; i++) {
		intr_disestablish(pd->vector[i].handler);
		intr_put(pd->vector[i].src);
	}
	kfree(pd->vector);
	pd->vector = NULL;
	pd->nvectors = 0;
}

/* Fewer than asked for, where the processors' vectors run out. */
static int
sources_make(struct pci_dev *pd, const struct msi_ops *ops, const char *name)
{
	unsigned i;
	int error = 0;

	for (i = 0; i < pd->nvectors; i++) {
		error = intr_msi_create(ops, &pd->vector[i], name,
		    &pd->vector[i].src);
		if (error != 0)
			break;
	}
	if (error == -ENOSPC && i > 0) {
		pd->nvectors = i;
		return 0;
	}
	if (error != 0)
		vectors_free(pd);
	return error;
}

/* All entries are masked before the whole is switched on. */
static int
msix_setup(struct device *dev, unsigned want)
{
	struct pci_dev *pd = pci_dev_of(dev);
	unsigned reg = pd->msix.at + PCI_MSIX_FLAGS, i;
	uint16_t flags;
	int error;

	if (pd->msix.at == 0)
		return -ENOENT;
	pd->msix_table = pci_map(dev, &pd->msix.table);
	if (pd->msix_table == NULL)
		return -ENOENT;
	error = vectors_alloc(pd, MIN(want, pd->msix.vectors), BY_MSIX);
	if (error == 0)
		error = sources_make(pd, &msix_ops, device_address(dev));
	if (error != 0)
		return error;
	flags = pci_cfg_read16(pd->space, pd->bdf, reg);
	flags |= PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL;
	pci_cfg_write16(pd->space, pd->bdf, reg, flags);
	for (i = 0; i < pd->nvectors; i++)
		msix_mask(&pd->vector[i], true);
	pci_cfg_write16(pd->space, pd->bdf, reg,
	    flags & ~PCI_MSIX_FLAGS_MASKALL);
	command_change(pd, 0, PCI_COMMAND_INTX_DISABLE);
	return 0;
}

static int
msi_setup(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);
	int error;

	if (pd->msi.at == 0)
		return -ENOENT;
	error = vectors_alloc(pd, 1, BY_MSI);
	if (error == 0)
		error = sources_make(pd, &msi_ops, device_address(dev));
	if (error == 0)
		command_change(pd, 0, PCI_COMMAND_INTX_DISABLE);
	return error;
}

/*
 * Where the pin arrives: as ACPI's _PRT says.  Without it, boards route INTx to
 * ISA's interrupts for those who know no better: by level, and active high, as
 * all ISA lines.  255: nowhere.
 */
static int
line_get(struct device *dev, struct intr_source **out)
{
	struct pci_dev *pd = pci_dev_of(dev);
	unsigned gsi, flags;
	int error = acpi_pci_route(dev, pd->hdr.pin - 1, &gsi, &flags);

	if (error != 0) {
		gsi = pd->hdr.line;
		flags = INTR_LEVEL;
		if (gsi == 0 || gsi == 0xff)
			return -ENODEV;
	} else if (intr_isa_known(gsi)) {
		pd->irq = gsi;
		return intr_isa_get(gsi, out);
	}
	pd->irq = gsi;
	return intr_gsi_get(gsi, flags, out);
}

static int
line_setup(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);
	int error;

	if (pd->hdr.pin == 0 || pd->hdr.pin > 4)
		return -ENODEV;
	error = vectors_alloc(pd, 1, BY_LINE);
	if (error != 0)
		return error;
	error = line_get(dev, &pd->vector[0].src);
	if (error != 0)
		vectors_free(pd);
	else
		command_change(pd, PCI_COMMAND_INTX_DISABLE, 0);
	return error;
}

int
pci_intr_setup(struct device *dev, unsigned want, unsigned *got)
{
	bool lines_only = bootargs()->pci_nomsi;
	int error = lines_only ? -ENOENT : msix_setup(dev, MAX(want, 1));

	if (error != 0 && !lines_only)
		error = msi_setup(dev);
	if (error != 0)
		error = line_setup(dev);
	if (error == 0)
		*got = pci_dev_of(dev)->nvectors;
	return error;
}

bool
pci_intr_is_message(const struct device *dev)
{
	const struct pci_dev *pd = pci_dev_of(dev);

	return pd->vector != NULL && pd->vector->kind != BY_LINE;
}

bool
pci_intr_is_msix(const struct device *dev)
{
	const struct pci_dev *pd = pci_dev_of(dev);

	return pd->vector != NULL && pd->vector->kind == BY_MSIX;
}

void
pci_intr_name(const struct device *dev, char *buf, size_t size)
{
	const struct pci_dev *pd = pci_dev_of(dev);

	if (pd->vector == NULL)
		strlcpy(buf, "no interrupt", size);
	else if (pd->vector->kind == BY_LINE)
		snprintf(buf, size, "int %u", pd->irq);
	else
		strlcpy(buf, pd->vector->kind == BY_MSI ? "msi" : "msix", size);
}

void
pci_intr_prefer_cpu(struct device *dev, unsigned i, unsigned cpu)
{
	struct pci_dev *pd = pci_dev_of(dev);

	if (i < pd->nvectors && pd->vector->kind != BY_LINE)
		intr_prefer_cpu(pd->vector[i].src, cpu);
}

int
pci_intr_establish(struct device *dev, unsigned i, bool (*fn)(void *arg),
    void *arg)
{
	struct pci_dev *pd = pci_dev_of(dev);

	if (i >= pd->nvectors)
		return -EINVAL;
	return intr_establish(pd->vector[i].src, fn, arg, device_name(dev),
	    &pd->vector[i].handler);
}

int
pci_intr_number(const struct device *dev, unsigned i)
{
	const struct pci_dev *pd = pci_dev_of(dev);

	return i < pd->nvectors ? (int)intr_number(pd->vector[i].src) : -1;
}

void
pci_intr_end(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);
	unsigned kind, reg;
	uint16_t flags;

	if (pd->vector == NULL)
		return;
	kind = pd->vector->kind;
	if (kind == BY_LINE)
		command_change(pd, 0, PCI_COMMAND_INTX_DISABLE);
	vectors_free(pd);
	if (kind == BY_LINE)
		return;
	reg = kind == BY_MSIX ? pd->msix.at + PCI_MSIX_FLAGS :
				pd->msi.at + PCI_MSI_FLAGS;
	flags = pci_cfg_read16(pd->space, pd->bdf, reg);
	flags &= kind == BY_MSIX ? ~PCI_MSIX_FLAGS_ENABLE :
				   ~PCI_MSI_FLAGS_ENABLE;
	pci_cfg_write16(pd->space, pd->bdf, reg, flags);
}

/* ---- reset ---- */

#define FLR_WAIT_NS 100000000l /* PCIe 5.0, 6.6.2 */

bool
pci_can_reset(const struct pci_dev *pd)
{
	unsigned at = pci_cap_find(&pd->caps, PCI_CAP_ID_EXP);

	if (at != 0 && at <= 256 - 12 &&
	    (pci_cfg_read32(pd->space, pd->bdf, at + PCI_EXP_DEVCAP) &
		PCI_EXP_DEVCAP_FLR) != 0)
		return true;
	at = pci_cap_find(&pd->caps, PCI_CAP_ID_AF);
	return at != 0 && at <= 256 - PCI_CAP_AF_SIZEOF &&
	    (pci_cfg_read8(pd->space, pd->bdf, at + PCI_AF_CAP) &
		PCI_AF_CAP_FLR) != 0;
}

/* Asks for it: -EOPNOTSUPP where the function knows no such thing. */
static int
flr_start(const struct pci_dev *pd)
{
	unsigned at = pci_cap_find(&pd->caps, PCI_CAP_ID_EXP);
	uint16_t v;

	if (at != 0 && at <= 256 - 12 &&
	    (pci_cfg_read32(pd->space, pd->bdf, at + PCI_EXP_DEVCAP) &
		PCI_EXP_DEVCAP_FLR) != 0) {
		v = pci_cfg_read16(pd->space, pd->bdf, at + PCI_EXP_DEVCTL);
		pci_cfg_write16(pd->space, pd->bdf, at + PCI_EXP_DEVCTL,
		    v | PCI_EXP_DEVCTL_BCR_FLR);
		return 0;
	}
	at = pci_cap_find(&pd->caps, PCI_CAP_ID_AF);
	if (at != 0 && at <= 256 - PCI_CAP_AF_SIZEOF &&
	    (pci_cfg_read8(pd->space, pd->bdf, at + PCI_AF_CAP) &
		PCI_AF_CAP_FLR) != 0) {
		pci_cfg_write8(pd->space, pd->bdf, at + PCI_AF_CTRL,
		    PCI_AF_CTRL_FLR);
		return 0;
	}
	return -EOPNOTSUPP;
}

/* The device is silent meanwhile: only its going ends the wait early. */
static int
flr_wait(struct device *dev)
{
	int64_t end = clock_mono_ns() + FLR_WAIT_NS;
	int error = wait_event_kind(device_waitq(dev), device_is_gone(dev),
	    WAIT_UNINTERRUPTIBLE, end);

	return error == -ETIMEDOUT && !pci_is_absent(pci_dev_of(dev)) ? 0 :
									-ENODEV;
}

int
pci_reset(struct device *dev)
{
	struct pci_dev *pd = pci_dev_of(dev);
	uint16_t command = pci_cfg_read16(pd->space, pd->bdf, PCI_COMMAND);
	unsigned i;
	int error;

	pci_cfg_write16(pd->space, pd->bdf, PCI_COMMAND,
	    PCI_COMMAND_INTX_DISABLE);
	error = flr_start(pd);
	if (error == 0)
		error = flr_wait(dev);
	for (i = 0; i < PCI_NBARS && error == 0; i++)
		if (pd->bar[i].kind != PCI_BAR_NONE)
			pci_bar_set(pd->space, pd->bdf, i, &pd->bar[i]);
	pci_cfg_write8(pd->space, pd->bdf, PCI_INTERRUPT_LINE, pd->hdr.line);
	pci_cfg_write16(pd->space, pd->bdf, PCI_COMMAND, command);
	return error;
}
