/* SPDX-License-Identifier: ISC */
/*
 * virtio_bus.c - nodes of virtio devices below their transports'.
 */
#include "bus/device.h"
#include "bus/virtio.h"
#include "kern/sbuf.h"
#include "kern/string.h"

int
virtio_add(struct device *transport, struct virtio_device *vd)
{
	char address[48];
	struct device_spec spec = {
		.id = { .vendor = vd->vendor, .device = vd->type },
		.address = address,
		.ivars = vd,
	};
	struct device *dev;
	int error;

	snprintf(address, sizeof(address), "%s.%s", device_name(transport),
	    virtio_type_name(vd->type));
	error = device_add(transport, &spec, &dev);
	if (error == 0)
		device_put(dev);
	return error;
}

/* Programs know the device by the name that its transport has here. */
static void
sys_name(const struct device *dev, char *buf, size_t size)
{
	device_copy_name(device_parent(dev), buf, size);
}

static void
uevent(struct device *dev, struct sbuf *env)
{
	const struct device_id *id = device_id(dev);

	sbuf_printf(env, "MODALIAS=virtio:d%08Xv%08X\n", id->device,
	    id->vendor);
}

const struct bus_ops virtio_bus_ops = {
	.name = "virtio",
	.sys_name = sys_name,
	.uevent = uevent,
};
