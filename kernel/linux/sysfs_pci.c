/* SPDX-License-Identifier: ISC */
/*
 * sysfs_pci.c - /sys/bus/pci: its functions, what they have, and the files by
 * which they are taken away, looked for and given to drivers.  sysfs(5);
 * lspci(8) and setpci(8) read and write here.
 *
 * A function's directory is made up from its address whenever it is looked at,
 * so it is there as long as the node is.
 */
#include "bus/device.h"
#include "bus/pci.h"
#include "dev/drivers.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/procfs.h"
#include "linux/sysfs_pci.h"
#include <linux/errno.h>

/* ---- whom an id means: key is segment << 16 | bdf ---- */

#define ADDRESS_LEN 12 /* "0000:00:04.0" */

static uint64_t
key_of(const struct pci_dev *pd)
{
	return (uint64_t)pd->space->segment << 16 | pd->bdf;
}

static void
print_address(char *buf, size_t size, uint64_t key)
{
	snprintf(buf, size, "%04x:%02x:%02x.%u", (unsigned)(key >> 16) & 0xffff,
	    PCI_BUS(key & 0xffff), PCI_DEV(key & 0xffff), PCI_FN(key & 0xffff));
}

/* A reference, or NULL. */
static struct device *
find_function(const char *address)
{
	struct device *dev = device_find(address);

	if (dev != NULL &&
	    (!pci_is_function(dev) ||
		strcmp(device_address(dev), address) != 0)) {
		device_put(dev);
		dev = NULL;
	}
	return dev;
}

static struct device *
function_of(const struct pseudo_id *id)
{
	char address[24];

	print_address(address, sizeof(address), id->key);
	return find_function(address);
}

/* ---- what a function's files say ---- */

/* Calls print for the function; -ENODEV when it has gone meanwhile. */
static int
show(const struct pseudo_id *id, struct sbuf *sb,
    void (
	*print)(struct device *dev, const struct pci_dev *pd, struct sbuf *sb))
{
	struct device *dev = function_of(id);

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
	sbuf_printf(sb, "pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X\n",
	    pd->hdr.vendor, pd->hdr.device, pd->hdr.subvendor,
	    pd->hdr.subdevice, pd->hdr.class >> 16, pd->hdr.class >> 8 & 0xff,
	    pd->hdr.class & 0xff);
}

static void
print_uevent(struct device *dev, const struct pci_dev *pd, struct sbuf *sb)
{
	const struct driver *drv = device_driver(dev);

	if (drv != NULL)
		sbuf_printf(sb, "DRIVER=%s\n", drv->name);
	sbuf_printf(sb, "PCI_CLASS=%X\nPCI_ID=%04X:%04X\n", pd->hdr.class,
	    pd->hdr.vendor, pd->hdr.device);
	sbuf_printf(sb, "PCI_SUBSYS_ID=%04X:%04X\nPCI_SLOT_NAME=%s\nMODALIAS=",
	    pd->hdr.subvendor, pd->hdr.subdevice, device_address(dev));
	print_modalias(dev, pd, sb);
}

static int
show_modalias(const struct pseudo_id *id, struct sbuf *sb)
{
	return show(id, sb, print_modalias);
}

static int
show_uevent(const struct pseudo_id *id, struct sbuf *sb)
{
	return show(id, sb, print_uevent);
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
	dev = function_of(&id);
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

/* "1" and so on: true; "0": nothing is asked for. */
static int
asked(const char *text, bool *yes)
{
	if (text[0] < '0' || text[0] > '9')
		return -EINVAL;
	*yes = text[0] != '0' || (text[1] >= '1' && text[1] <= '9');
	return 0;
}

static int
with_function(const struct pseudo_id *id, const char *text,
    int (*act)(struct device *dev))
{
	struct device *dev = function_of(id);
	bool yes;
	int error = asked(text, &yes);

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
	int error = asked(text, &yes);

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

/* ---- a function's directory ---- */

#define DEV_FILE(n, fn)                                         \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0444, \
		.size = PAGE_SIZE, .show = (fn)                 \
	}
#define DEV_ACTION(n, fn)                                       \
	{                                                       \
		.name = (n), .kind = PSEUDO_FILE, .mode = 0200, \
		.size = PAGE_SIZE, .store = (fn)                \
	}
#define DEV_FILES                                                             \
	DEV_FILE("class", show_class), DEV_FILE("device", show_device),       \
	    DEV_FILE("enable", show_enable), DEV_FILE("irq", show_irq),       \
	    DEV_FILE("modalias", show_modalias),                              \
	    DEV_FILE("numa_node", show_node),                                 \
	    DEV_FILE("resource", show_resource),                              \
	    DEV_FILE("revision", show_revision),                              \
	    DEV_FILE("subsystem_device", show_subdevice),                     \
	    DEV_FILE("subsystem_vendor", show_subvendor),                     \
	    DEV_FILE("uevent", show_uevent), DEV_FILE("vendor", show_vendor), \
	    DEV_ACTION("remove", store_remove),                               \
	    DEV_ACTION("rescan", store_rescan),                               \
	    DEV_ACTION("reset", store_reset)
#define DEV_CONFIG(n)                                                \
	{                                                            \
		.name = "config", .kind = PSEUDO_FILE, .mode = 0644, \
		.size = (n), .fops = &config_ops                     \
	}

static const struct pseudo_entry small_entries[] = {
	DEV_CONFIG(256),
	DEV_FILES,
	{ .name = NULL },
};
static const struct pseudo_entry large_entries[] = {
	DEV_CONFIG(4096),
	DEV_FILES,
	{ .name = NULL },
};

/* "driver" is there while one is attached. */
static long
driver_readlink(const struct pseudo_id *id, char *buf, size_t size)
{
	struct device *dev = function_of(id);
	const struct driver *drv = dev == NULL ? NULL : device_driver(dev);
	char text[64];
	size_t len = 0;

	if (drv != NULL) {
		snprintf(text, sizeof(text), "../../drivers/%s", drv->name);
		len = MIN(strlen(text), size);
		memcpy(buf, text, len);
	}
	device_put(dev);
	return drv == NULL ? -ENOENT : (long)len;
}

static const struct pseudo_entry driver_entry = {
	.name = "driver",
	.kind = PSEUDO_LINK,
	.mode = 0777,
	.readlink = driver_readlink,
};

static bool
has_driver(const struct pseudo_id *id)
{
	struct device *dev = function_of(id);
	bool has = dev != NULL && device_driver(dev) != NULL;

	device_put(dev);
	return has;
}

static int
find_driver_link(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	if (len != 6 || strncmp(name, "driver", 6) != 0 || !has_driver(dir))
		return -ENOENT;
	*id = *dir;
	*entry = &driver_entry;
	return 0;
}

static bool
next_driver_link(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	if (*pos > 0 || !has_driver(dir))
		return false;
	strlcpy(name, "driver", 32);
	*id = *dir;
	*entry = &driver_entry;
	return true;
}

static const struct pseudo_dir_ops function_dir = {
	.find = find_driver_link,
	.next = next_driver_link,
};

#define FUNCTION(list)                                                \
	{                                                             \
		.name = "function", .kind = PSEUDO_DIR, .mode = 0555, \
		.children = (list), .dir = &function_dir              \
	}
static const struct pseudo_entry small_function = FUNCTION(small_entries);
static const struct pseudo_entry large_function = FUNCTION(large_entries);

/* ---- /sys/bus/pci/devices ---- */

static const struct pseudo_entry *
entry_of(const struct pci_dev *pd)
{
	return pd->space->size > 256 ? &large_function : &small_function;
}

static int
find_device(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	char address[ADDRESS_LEN + 1];
	struct device *dev;

	(void)dir;
	if (len != ADDRESS_LEN)
		return -ENOENT;
	memcpy(address, name, len);
	address[len] = '\0';
	dev = find_function(address);
	if (dev == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = key_of(pci_dev_of(dev)) };
	*entry = entry_of(pci_dev_of(dev));
	device_put(dev);
	return 0;
}

/* The lowest key at or above `from`. */
struct search {
	uint64_t from, key;
	const struct pseudo_entry *entry; /* NULL: none yet */
};

static bool
search_one(struct device *dev, unsigned depth, void *arg)
{
	struct search *s = arg;
	uint64_t key;

	(void)depth;
	if (!pci_is_function(dev))
		return true;
	key = key_of(pci_dev_of(dev));
	if (key >= s->from && (s->entry == NULL || key < s->key)) {
		s->key = key;
		s->entry = entry_of(pci_dev_of(dev));
	}
	return true;
}

static bool
next_device(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct search s = { .from = *pos };

	(void)dir;
	if (device_foreach(search_one, &s) != 0 || s.entry == NULL)
		return false;
	*pos = s.key;
	print_address(name, 32, s.key);
	*id = (struct pseudo_id){ .key = s.key };
	*entry = s.entry;
	return true;
}

static const struct pseudo_dir_ops devices_dir = {
	.find = find_device,
	.next = next_device,
};

/* ---- /sys/bus/pci/drivers: key is the place in the table ---- */

/* Drivers of one name are shown as one: the first. */
static bool
is_shown(unsigned i)
{
	unsigned j;

	if (strcmp(drivers[i]->bus, "pci") != 0)
		return false;
	for (j = 0; j < i; j++)
		if (strcmp(drivers[j]->bus, "pci") == 0 &&
		    strcmp(drivers[j]->name, drivers[i]->name) == 0)
			return false;
	return true;
}

/* The text is a function's address, with or without a newline. */
static struct device *
function_named(const char *text, size_t len)
{
	char address[ADDRESS_LEN + 1];

	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len != ADDRESS_LEN)
		return NULL;
	memcpy(address, text, len);
	address[len] = '\0';
	return find_function(address);
}

static int
store_bind(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = function_named(text, len);
	int error;

	if (dev == NULL)
		return -ENODEV;
	error = device_set_driver(dev, drivers[id->key]->name, false);
	device_put(dev);
	return error;
}

static int
store_unbind(const struct pseudo_id *id, const char *text, size_t len)
{
	struct device *dev = function_named(text, len);
	const struct driver *drv = dev == NULL ? NULL : device_driver(dev);
	int error = -ENODEV;

	if (drv != NULL && strcmp(drv->name, drivers[id->key]->name) == 0)
		error = device_detach(dev);
	device_put(dev);
	return error == -ENXIO ? -ENODEV : error;
}

static const struct pseudo_entry driver_entries[] = {
	DEV_ACTION("bind", store_bind),
	DEV_ACTION("unbind", store_unbind),
	{ .name = NULL },
};
static const struct pseudo_entry driver_dir_entry = {
	.name = "driver",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = driver_entries,
};

static int
find_driver(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	unsigned i;

	(void)dir;
	for (i = 0; drivers[i] != NULL; i++) {
		if (!is_shown(i) || strlen(drivers[i]->name) != len ||
		    strncmp(drivers[i]->name, name, len) != 0)
			continue;
		*id = (struct pseudo_id){ .key = i };
		*entry = &driver_dir_entry;
		return 0;
	}
	return -ENOENT;
}

static bool
next_driver(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	uint64_t i = 0;

	(void)dir;
	while (drivers[i] != NULL && (i < *pos || !is_shown(i)))
		i++;
	if (drivers[i] == NULL)
		return false;
	*pos = i;
	strlcpy(name, drivers[i]->name, 32);
	*id = (struct pseudo_id){ .key = i };
	*entry = &driver_dir_entry;
	return true;
}

static const struct pseudo_dir_ops drivers_dir = {
	.find = find_driver,
	.next = next_driver,
};

/* ---- /sys/bus/pci ---- */

static const struct pseudo_entry no_entries[] = { { .name = NULL } };

const struct pseudo_entry sysfs_pci_entries[] = {
	{ .name = "devices",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &devices_dir },
	{ .name = "drivers",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &drivers_dir },
	DEV_ACTION("rescan", store_rescan_all),
	PROC_DIR("slots", no_entries),
	{ .name = NULL },
};
