/* SPDX-License-Identifier: ISC */
/*
 * sysfs_pci.c - files of PCI functions: what they have, and how they are taken
 * away, looked for and reset.  sysfs(5); lspci(8) and setpci(8) read and write
 * here.
 */
#include "block/block.h"
#include "bus/classdev.h"
#include "bus/device.h"
#include "bus/pci.h"
#include "dev/drivers.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/procfs.h"
#include "linux/rescan.h"
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
SHOW(enable, "%d", pd->enabled)

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
	return rescan_for_program(
	    device_bus_ops(dev) != NULL && pci_dev_of(dev)->hdr.type == 1 ?
		dev :
		device_parent(dev));
}

/* Only where no driver has it already. */
static int
enable_it(struct device *dev, void *arg)
{
	if (device_driver(dev) != NULL)
		return -EBUSY;
	if (*(bool *)arg)
		return pci_enable(dev);
	pci_disable(dev);
	return 0;
}

static int
store_enable(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = sysfs_device(id);
	bool on;
	int error = sysfs_asked(text, &on);

	(void)len;
	if (dev == NULL)
		return -ENODEV;
	if (error == 0)
		error = device_call(dev, enable_it, &on);
	device_put(dev);
	return error;
}

static void
print_override(struct device *dev, const struct pci_dev *pd, struct sbuf *sb)
{
	const struct driver *drv = device_only(dev);

	(void)pd;
	sbuf_printf(sb, "%s\n", drv == NULL ? "(null)" : driver_sys_name(drv));
}

static int
show_override(const struct pseudo_id *id, struct sbuf *sb)
{
	return show(id, sb, print_override);
}

/* An empty line takes it back. */
static int
store_override(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = sysfs_device(id);
	char name[32];
	int error;

	if (dev == NULL)
		return -ENODEV;
	while (len > 0 && text[len - 1] == '\n')
		len--;
	error = len >= sizeof(name) ? -EINVAL : 0;
	if (error == 0) {
		memcpy(name, text, len);
		name[len] = '\0';
		error = device_override(dev,
		    len == 0 ? NULL : sysfs_tree_name("pci", name));
	}
	device_put(dev);
	return error == -ENOENT ? -EINVAL : error;
}

/* A number in hexadecimal, blanks before it; NULL: none, or too large. */
static const char *
hex(const char *s, uint32_t *v)
{
	unsigned digits = 0;
	char c;

	while (*s == ' ')
		s++;
	for (*v = 0; digits < 9; s++, digits++) {
		c = *s | 0x20;
		if (*s >= '0' && *s <= '9')
			*v = *v << 4 | (*s - '0');
		else if (c >= 'a' && c <= 'f')
			*v = *v << 4 | (c - 'a' + 10);
		else
			break;
	}
	return digits == 0 || digits > 8 ? NULL : s;
}

static uint16_t
part_of_id(uint32_t v)
{
	return v > 0xffff ? 0 : v; /* Linux's "any" is all ones */
}

/* "vendor device [subvendor subdevice [class mask]]", in hexadecimal. */
static int
store_new_id(const struct pseudo_id *id, const char *text, size_t len)
{
	uint32_t v[6] = { 0, 0, UINT32_MAX, UINT32_MAX, 0, 0 };
	struct device_id new;
	unsigned n;

	(void)len;
	for (n = 0; n < ARRAY_SIZE(v) && *text != '\n' && *text != '\0'; n++) {
		text = hex(text, &v[n]);
		if (text == NULL)
			return -EINVAL;
	}
	new = (struct device_id){ part_of_id(v[0]), part_of_id(v[1]),
		part_of_id(v[2]), part_of_id(v[3]), v[4], v[5], NULL };
	if (n < 2 || (*text != '\n' && *text != '\0') || new.vendor == 0)
		return -EINVAL;
	return device_add_id(drivers[id->key], &new);
}

/* ---- msi_irqs: id->sub is the interrupt's number ---- */

struct vectors {
	int want; /* a number; or -1: the first from `from` on */
	uint64_t from;
	int found; /* -1: none */
	bool msix;
};

static int
look_for_vector(struct device *dev, void *arg)
{
	struct vectors *v = arg;
	unsigned i;
	int n;

	v->found = -1;
	if (!pci_intr_is_message(dev))
		return 0;
	v->msix = pci_intr_is_msix(dev);
	for (i = 0; (n = pci_intr_number(dev, i)) >= 0; i++)
		if (v->want >= 0 ? n == v->want :
				   (uint64_t)n >= v->from &&
			    (v->found < 0 || n < v->found))
			v->found = n;
	return 0;
}

static bool
vector_found(const struct pseudo_id *id, struct vectors *v)
{
	struct device *dev = sysfs_device(id);
	bool ok = dev != NULL && device_call(dev, look_for_vector, v) == 0;

	device_put(dev);
	return ok && v->found >= 0;
}

static int
show_vector(const struct pseudo_id *id, struct sbuf *sb)
{
	struct vectors v = { .want = id->sub };

	if (!vector_found(id, &v))
		return -ENODEV;
	sbuf_puts(sb, v.msix ? "msix\n" : "msi\n");
	return 0;
}

static const struct pseudo_entry vector_file = SYSFS_FILE("irq", show_vector);

static int
find_vector(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct vectors v = { .want = 0 };
	size_t i;

	for (i = 0; i < len && i < 6; i++) {
		if (name[i] < '0' || name[i] > '9')
			return -ENOENT;
		v.want = v.want * 10 + (name[i] - '0');
	}
	if (i != len || (len > 1 && name[0] == '0') || !vector_found(dir, &v))
		return -ENOENT;
	*id = (struct pseudo_id){ dir->key, v.found };
	*entry = &vector_file;
	return 0;
}

static bool
next_vector(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct vectors v = { .want = -1, .from = *pos };

	if (!vector_found(dir, &v))
		return false;
	snprintf(name, 32, "%d", v.found);
	*id = (struct pseudo_id){ dir->key, v.found };
	*entry = &vector_file;
	*pos = v.found;
	return true;
}

static const struct pseudo_dir_ops vectors_dir = {
	.find = find_vector,
	.next = next_vector,
};

static int
store_remove(const struct pseudo_id *id, const char *text, size_t len)
{
	(void)len;
	return with_function(id, text, remove_it);
}

static int
store_rescan(const struct pseudo_id *id, const char *text, size_t len)
{
	int error = with_function(id, text, rescan_it);

	(void)len;
	block_settle(); /* so that who asked finds what has come */
	return error;
}

static int
store_reset(const struct pseudo_id *id, const char *text, size_t len)
{
	int error = with_function(id, text, reset_it);

	(void)len;
	block_settle();
	return error;
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
	error = rescan_for_program(bus);
	device_put(bus);
	block_settle();
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
	SYSFS_BOTH("driver_override", show_override, store_override),
	SYSFS_BOTH("enable", show_enable, store_enable),
	SYSFS_FILE("irq", show_irq),
	SYSFS_FILE("local_cpulist", sysfs_show_cpulist),
	SYSFS_FILE("local_cpus", sysfs_show_cpumask),
	SYSFS_FILE("modalias", show_modalias),
	{ .name = "msi_irqs",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &vectors_dir },
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
	if (file->store == store_reset)
		return pci_can_reset(pci_dev_of(dev));
	if (file->dir == &vectors_dir)
		return device_driver(dev) != NULL && pci_intr_is_message(dev);
	return true;
}

static const struct pseudo_entry driver_files[] = {
	SYSFS_ACTION("new_id", store_new_id),
	{ .name = NULL },
};
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
	.driver_files = driver_files,
	.bus_files = bus_files,
};
