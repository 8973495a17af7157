/* SPDX-License-Identifier: ISC */
/*
 * sysfs_pci.c - files of PCI functions: what they have, and how they are taken
 * away, looked for and reset.  sysfs(5); lspci(8) and setpci(8) read and write
 * here.
 */
#include "bus/device.h"
#include "bus/pci.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/procfs.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

/* ---- what a function's files say ---- */

/* Calls print for the function; -ENODEV when it has gone meanwhile. */
static int
show(const struct pseudo_id *id, struct sbuf *sb,
    void (
	*print)(struct device *dev, const struct pci_dev *pd, struct sbuf *sb))
{
	struct device *dev = sysfs_device(id);

	if (dev == NULL)
		return -ENODEV;
	print(dev, pci_dev_of(dev), sb);
	device_put(dev);
	return 0;
}

/* SHOW(name, format, expression of pd). */
#define SHOW(name, fmt, expr)                                                  \
	static void print_##name(struct device *dev, const struct pci_dev *pd, \
	    struct sbuf *sb)                                                   \
	{                                                                      \
		(void)dev;                                                     \
		(void)pd;                                                      \
		sbuf_printf(sb, fmt "\n", expr);                               \
	}                                                                      \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb)    \
	{                                                                      \
		return show(id, sb, print_##name);                             \
	}

static unsigned
line_of(const struct pci_dev *pd)
{
	return pd->hdr.pin == 0 || pd->hdr.line == 0xff ? 0 : pd->hdr.line;
}

SHOW(vendor, "0x%04x", pd->hdr.vendor)
SHOW(device, "0x%04x", pd->hdr.device)
SHOW(subvendor, "0x%04x", pd->hdr.subvendor)
SHOW(subdevice, "0x%04x", pd->hdr.subdevice)
SHOW(class, "0x%06x", pd->hdr.class)
SHOW(revision, "0x%02x", pd->hdr.revision)
SHOW(irq, "%u", line_of(pd))
SHOW(node, "%d", -1)
SHOW(enable, "%d", device_driver(dev) != NULL)

static void
print_modalias(struct device *dev, const struct pci_dev *pd, struct sbuf *sb)
{
	(void)dev;
	pci_print_modalias(pd, sb);
}

static int
show_modalias(const struct pseudo_id *id, struct sbuf *sb)
{
	return show(id, sb, print_modalias);
}

/* Linux's bits of a resource; the lowest are the BAR's own. */
#define RES_IO       0x40101u
#define RES_MEM      0x40200u
#define RES_PREFETCH 0x02008u
#define RES_WIDE     0x100004u
#define RES_WINDOW   0x200000u

static void
put_resource(struct sbuf *sb, uint64_t base, uint64_t last, unsigned flags)
{
	sbuf_printf(sb, "0x%016lx 0x%016lx 0x%016lx\n", base, last,
	    (uint64_t)flags);
}

static void
put_bar(struct sbuf *sb, const struct pci_bar *bar)
{
	unsigned flags = bar->kind == PCI_BAR_IO ? RES_IO : RES_MEM;

	if (bar->prefetch)
		flags |= RES_PREFETCH;
	if (bar->wide)
		flags |= RES_WIDE;
	if (bar->kind == PCI_BAR_NONE || bar->addr == 0)
		put_resource(sb, 0, 0, 0);
	else
		put_resource(sb, bar->addr, bar->addr + bar->size - 1, flags);
}

static void
put_window(struct sbuf *sb, const struct pci_win *w, unsigned flags)
{
	if (w->base > w->last)
		put_resource(sb, 0, 0, 0);
	else
		put_resource(sb, w->base, w->last, flags | RES_WINDOW);
}

/* Six BARs, the ROM (nobody maps it), a bridge's windows. */
static void
print_resource(struct device *dev, const struct pci_dev *pd, struct sbuf *sb)
{
	unsigned i;

	(void)dev;
	for (i = 0; i < PCI_NBARS; i++)
		put_bar(sb, &pd->bar[i]);
	put_resource(sb, 0, 0, 0);
	if (pd->hdr.type != 1)
		return;
	put_window(sb, &pd->win[PCI_WIN_IO], 0x101);
	put_window(sb, &pd->win[PCI_WIN_MEM], 0x200);
	put_window(sb, &pd->win[PCI_WIN_PREF],
	    0x2201 | (pd->win[PCI_WIN_PREF].wide ? RES_WIDE : 0));
	put_resource(sb, 0, 0, 0);
}

static int
show_resource(const struct pseudo_id *id, struct sbuf *sb)
{
	return show(id, sb, print_resource);
}

/* ---- configuration space, byte for byte ---- */

/* The widest access at `at` that stays within `left` bytes. */
static unsigned
width_at(uint64_t at, uint64_t left)
{
	return at % 4 == 0 && left >= 4 ? 4 : at % 2 == 0 && left >= 2 ? 2 : 1;
}

static uint64_t
bytes_from(const struct pci_dev *pd, const struct uio *u, int64_t pos)
{
	if (pos < 0 || pos >= pd->space->size)
		return 0;
	return MIN(u->resid, (uint64_t)(pd->space->size - pos));
}

static long
read_config(const struct pci_dev *pd, struct uio *u, int64_t *pos)
{
	uint64_t left = bytes_from(pd, u, *pos), done = 0;
	unsigned width;
	uint32_t v;

	for (; left > 0; left -= width, done += width, *pos += width) {
		width = width_at(*pos, left);
		v = pci_cfg_read(pd->space, pd->bdf, *pos, width);
		if (uio_put(u, &v, width) != width)
			return done != 0 ? (long)done : -EFAULT;
	}
	return done;
}

static long
write_config(const struct pci_dev *pd, struct uio *u, int64_t *pos)
{
	uint64_t left = bytes_from(pd, u, *pos), done = 0;
	unsigned width;
	uint32_t v;

	for (; left > 0; left -= width, done += width, *pos += width) {
		width = width_at(*pos, left);
		v = 0;
		if (uio_get(u, &v, width) != width)
			return done != 0 ? (long)done : -EFAULT;
		pci_cfg_write(pd->space, pd->bdf, *pos, width, v);
	}
	return done;
}

static long
config_transfer(struct file *f, struct uio *u, int64_t *pos,
    long (*move)(const struct pci_dev *pd, struct uio *u, int64_t *pos))
{
	struct pseudo_id id;
	struct device *dev;
	long n;

	pseudo_inode_entry(f->inode, &id);
	dev = sysfs_device(&id);
	if (dev == NULL)
		return -ENODEV;
	n = move(pci_dev_of(dev), u, pos);
	device_put(dev);
	return n;
}

static long
config_read(struct file *f, struct uio *u, int64_t *pos)
{
	return config_transfer(f, u, pos, read_config);
}

static long
config_write(struct file *f, struct uio *u, int64_t *pos)
{
	return config_transfer(f, u, pos, write_config);
}

static const struct file_ops config_ops = {
	.read = config_read,
	.write = config_write,
	.llseek = generic_llseek,
};

/* ---- what is done by writing ---- */

static int
with_function(const struct pseudo_id *id, const char *text,
    int (*act)(struct device *dev))
{
	struct device *dev = sysfs_device(id);
	bool yes;
	int error = sysfs_asked(text, &yes);

	if (dev == NULL)
		return -ENODEV;
	if (error == 0 && yes)
		error = act(dev);
	device_put(dev);
	return error;
}

static int
remove_it(struct device *dev)
{
	return device_remove(dev, DETACH_ASKED);
}

static int
reset_it(struct device *dev)
{
	int error = device_reset(dev);

	return error == -EOPNOTSUPP ? -ENOTTY : error;
}

/* A bridge: the bus behind it; others: the bus that it is on. */
static int
rescan_it(struct device *dev)
{
	return device_rescan(
	    device_bus_ops(dev) != NULL && pci_dev_of(dev)->hdr.type == 1 ?
		dev :
		device_parent(dev));
}

static int
store_remove(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)len;
	return with_function(id, text, remove_it);
}

static int
store_rescan(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)len;
	return with_function(id, text, rescan_it);
}

static int
store_reset(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)len;
	return with_function(id, text, reset_it);
}

/* The first bus; it looks at those behind its bridges, too. */
static int
store_rescan_all(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *bus;
	bool yes;
	int error = sysfs_asked(text, &yes);

	(void)id;
	(void)len;
	if (error != 0 || !yes)
		return error;
	bus = device_find("pci0000:00");
	if (bus == NULL)
		return 0;
	error = device_rescan(bus);
	device_put(bus);
	return error;
}

/* ---- /sys/bus/pci ---- */

#define CONFIG(n)                                                    \
	{                                                            \
		.name = "config", .kind = PSEUDO_FILE, .mode = 0644, \
		.size = (n), .fops = &config_ops                     \
	}

static const struct pseudo_entry device_files[] = {
	CONFIG(256),
	CONFIG(4096),
	SYSFS_FILE("class", show_class),
	SYSFS_FILE("device", show_device),
	SYSFS_FILE("enable", show_enable),
	SYSFS_FILE("irq", show_irq),
	SYSFS_FILE("modalias", show_modalias),
	SYSFS_FILE("numa_node", show_node),
	SYSFS_FILE("resource", show_resource),
	SYSFS_FILE("revision", show_revision),
	SYSFS_FILE("subsystem_device", show_subdevice),
	SYSFS_FILE("subsystem_vendor", show_subvendor),
	SYSFS_FILE("vendor", show_vendor),
	SYSFS_ACTION("remove", store_remove),
	SYSFS_ACTION("rescan", store_rescan),
	SYSFS_ACTION("reset", store_reset),
	{ .name = NULL },
};

static bool
has(struct device *dev, const struct pseudo_entry *file)
{
	if (file->fops == &config_ops)
		return file->size == pci_dev_of(dev)->space->size;
	return true;
}

static const struct pseudo_entry no_entries[] = { { .name = NULL } };
static const struct pseudo_entry bus_files[] = {
	SYSFS_ACTION("rescan", store_rescan_all),
	PROC_DIR("slots", no_entries),
	{ .name = NULL },
};

const struct sysfs_bus sysfs_pci = {
	.name = "pci",
	.device_files = device_files,
	.has = has,
	.bus_files = bus_files,
};
