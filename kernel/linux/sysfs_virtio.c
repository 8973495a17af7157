/* SPDX-License-Identifier: ISC */
/*
 * sysfs_virtio.c - files of virtio devices.  sysfs(5); Linux,
 * Documentation/ABI/testing/sysfs-bus-virtio.
 */
#include "bus/device.h"
#include "bus/virtio.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

static int
show_id(const struct pseudo_id *id, struct sbuf *sb,
    void (*print)(const struct device_id *id, struct sbuf *sb))
{
	struct device *dev = sysfs_device(id);

	if (dev == NULL)
		return -ENODEV;
	print(device_id(dev), sb);
	device_put(dev);
	return 0;
}

static void
print_device(const struct device_id *id, struct sbuf *sb)
{
	sbuf_printf(sb, "0x%04x\n", id->device);
}

static void
print_vendor(const struct device_id *id, struct sbuf *sb)
{
	sbuf_printf(sb, "0x%04x\n", id->vendor);
}

static void
print_modalias(const struct device_id *id, struct sbuf *sb)
{
	sbuf_printf(sb, "virtio:d%08Xv%08X\n", id->device, id->vendor);
}

static int
show_device(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_id(id, sb, print_device);
}

static int
show_vendor(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_id(id, sb, print_vendor);
}

static int
show_modalias(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_id(id, sb, print_modalias);
}

/* The registers are the transport's, which the node's turn keeps there. */
static int
read_status(struct device *dev, void *arg)
{
	struct virtio_device *vd = virtio_device_of(dev);

	sbuf_printf(arg, "0x%08x\n", vd->ops->get_status(vd));
	return 0;
}

/* One character a bit, the lowest first. */
static int
read_features(struct device *dev, void *arg)
{
	uint64_t bits = virtio_device_of(dev)->features;
	struct sbuf *sb = arg;
	unsigned i;

	for (i = 0; i < 64; i++)
		sbuf_puts(sb, (bits >> i & 1) != 0 ? "1" : "0");
	sbuf_puts(sb, "\n");
	return 0;
}

static int
show_held(const struct pseudo_id *id, struct sbuf *sb,
    int (*read)(struct device *dev, void *arg))
{
	struct device *dev = sysfs_device(id);
	int error = dev == NULL ? -ENODEV : device_call(dev, read, sb);

	device_put(dev);
	return error;
}

static int
show_status(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_held(id, sb, read_status);
}

static int
show_features(const struct pseudo_id *id, struct sbuf *sb)
{
	return show_held(id, sb, read_features);
}

static const struct pseudo_entry device_files[] = {
	SYSFS_FILE("device", show_device),
	SYSFS_FILE("features", show_features),
	SYSFS_FILE("modalias", show_modalias),
	SYSFS_FILE("status", show_status),
	SYSFS_FILE("vendor", show_vendor),
	{ .name = NULL },
};

const struct sysfs_bus sysfs_virtio = {
	.name = "virtio",
	.device_files = device_files,
};
