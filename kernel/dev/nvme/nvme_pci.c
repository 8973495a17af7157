/* SPDX-License-Identifier: ISC */
/*
 * nvme_pci.c - NVMe controllers on PCI: registers, interrupts, attach, detach.
 * NVMe over PCIe 1.4, 2.1; class 01:08:02.
 */
#include "bus/device.h"
#include "bus/pci.h"
#include "dev/drivers.h"
#include "dev/nvme/nvme.h"
#include <linux/errno.h>

#define REGS_MAX 65536u /* doorbells beyond are not used */

/* ---- what the core asks of the bus ---- */

int
nvme_bus_intr_setup(struct nvme_ctrl *c, unsigned want)
{
	int error = pci_intr_setup(c->dev, want, &c->nvectors);

	/* Of one message there is no second: all queues share it. */
	if (error == 0 && !pci_intr_is_msix(c->dev))
		c->nvectors = 1;
	return error;
}

/* Queue i serves processor i - 1, and all that have the same rest. */
int
nvme_bus_intr_establish(struct nvme_ctrl *c, unsigned i, bool (*fn)(void *arg),
    void *arg)
{
	if (i > 0)
		pci_intr_prefer_cpu(c->dev, i, i - 1);
	return pci_intr_establish(c->dev, i, fn, arg);
}

void
nvme_bus_intr_end(struct nvme_ctrl *c)
{
	pci_intr_end(c->dev);
}

bool
nvme_bus_is_absent(struct nvme_ctrl *c)
{
	return pci_is_absent(pci_dev_of(c->dev));
}

const char *
nvme_name(const struct nvme_ctrl *c)
{
	return device_name(c->dev);
}

struct waitq *
nvme_waitq(const struct nvme_ctrl *c)
{
	return device_waitq(c->dev);
}

bool
nvme_is_gone(const struct nvme_ctrl *c)
{
	return device_is_gone(c->dev);
}

void
nvme_bus_report_gone(struct nvme_ctrl *c)
{
	device_report_gone(c->dev);
}

/* ---- the driver ---- */

static int
map_registers(struct nvme_ctrl *c)
{
	const struct pci_bar *bar = &pci_dev_of(c->dev)->bar[0];
	struct pci_region all = { .bar = 0,
		.length = MIN(bar->size, REGS_MAX) };

	c->regs_size = all.length;
	if (bar->kind != PCI_BAR_MEM || all.length <= NVME_DOORBELLS)
		return -ENXIO;
	c->regs = pci_map(c->dev, &all);
	return c->regs == NULL ? -ENOMEM : 0;
}

static void
announce(struct nvme_ctrl *c)
{
	char how[24];

	pci_intr_name(c->dev, how, sizeof(how));
	device_announce(c->dev, "NVMe %u.%u, %u vector%s, %s",
	    NVME_VS_MAJOR(c->version), NVME_VS_MINOR(c->version), c->nvectors,
	    c->nvectors == 1 ? "" : "s", how);
}

static void
nvme_detach(struct device *dev, enum detach_kind kind)
{
	nvme_end(device_softc(dev), kind == DETACH_ASKED);
	pci_disable(dev);
}

static int
nvme_attach(struct device *dev)
{
	struct nvme_ctrl *c = device_softc(dev);
	int error;

	c->dev = dev;
	c->unit = device_unit(dev);
	error = pci_enable(dev);
	if (error != 0)
		return error;
	error = map_registers(c);
	if (error != 0) {
		pci_disable(dev);
		return error;
	}
	error = nvme_begin(c);
	if (error == 0) {
		announce(c);
		error = nvme_run(c);
	}
	if (error != 0)
		nvme_detach(dev, DETACH_GONE);
	return error;
}

static const struct device_id nvme_ids[] = {
	{ .class = 0x010802, .class_mask = 0xffffff },
	{ 0 },
};

const struct driver nvme_driver = {
	.name = "nvme",
	.bus = "pci",
	.softc_size = sizeof(struct nvme_ctrl),
	.ids = nvme_ids,
	.attach = nvme_attach,
	.detach = nvme_detach,
	.unit_in_use = nvme_unit_in_use,
};
