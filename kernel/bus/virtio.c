/* SPDX-License-Identifier: ISC */
/*
 * virtio.c - what all virtio devices have in common: the greeting, features,
 * configuration, the end.  Virtio 1.2, 2.1 to 2.5 and 3.
 */
#include "bus/virtio.h"
#include "bus/device.h"
#include "bus/virtqueue_impl.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "x86/cpu.h"
#include <linux/errno.h>

#define STATUS_GONE   0xff /* how an absent device reads */
#define RESET_WAIT_NS (100 * 1000000ll)
#define CONFIG_TRIES  8

/* What rings can do, whatever the device; ACCESS_PLATFORM: the tag knows. */
#define RING_FEATURES                              \
	(VIRTIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) | \
	    VIRTIO_BIT(VIRTIO_RING_F_EVENT_IDX))
#define MODERN_FEATURES                                                      \
	(VIRTIO_BIT(VIRTIO_F_VERSION_1) | VIRTIO_BIT(VIRTIO_F_RING_PACKED) | \
	    VIRTIO_BIT(VIRTIO_F_ACCESS_PLATFORM))

struct virtio_device *
virtio_device_of(struct device *dev)
{
	struct virtio_device *vd = device_ivars(dev);

	vd->dev = dev; /* no reference: its driver lives on it */
	return vd;
}

/* ------------------------------------------------------ the greeting -- */

static void
status_add(struct virtio_device *vd, uint8_t bits)
{
	vd->ops->set_status(vd, vd->ops->get_status(vd) | bits);
}

/* Quiet: it says 0, or nobody answers at all. */
static bool
reset(struct virtio_device *vd, int64_t wait_ns)
{
	int64_t end = 0;
	uint8_t status;

	vd->ops->set_status(vd, 0);
	for (;;) {
		status = vd->ops->get_status(vd);
		if (status == 0 || status == STATUS_GONE || wait_ns == 0)
			break;
		if (end == 0)
			end = clock_mono_ns() + wait_ns;
		else if (clock_mono_ns() >= end)
			break;
		cpu_pause();
	}
	return status == 0 || status == STATUS_GONE;
}

uint64_t
virtio_offers(struct virtio_device *vd)
{
	uint64_t low = vd->ops->features(vd, 0);

	return vd->legacy ? low :
			    low | (uint64_t)vd->ops->features(vd, 1) << 32;
}

static int
agree(struct virtio_device *vd, uint64_t wanted)
{
	uint64_t offered = virtio_offers(vd);

	wanted |= RING_FEATURES;
	if (!vd->legacy) {
		if ((offered & VIRTIO_BIT(VIRTIO_F_VERSION_1)) == 0) {
			log_warn("%s: does not offer VERSION_1",
			    device_name(vd->dev));
			return -EPROTO;
		}
		wanted |= MODERN_FEATURES;
	}
	vd->features = offered & wanted;
	vd->ops->accept(vd, 0, (uint32_t)vd->features);
	if (vd->legacy)
		return 0;
	vd->ops->accept(vd, 1, vd->features >> 32);
	status_add(vd, VIRTIO_CONFIG_S_FEATURES_OK);
	if ((vd->ops->get_status(vd) & VIRTIO_CONFIG_S_FEATURES_OK) != 0)
		return 0;
	log_warn("%s: refuses features 0x%lx of 0x%lx", device_name(vd->dev),
	    vd->features, offered);
	return -EPROTO;
}

int
virtio_negotiate(struct virtio_device *vd, uint64_t wanted, unsigned nqueues)
{
	int error;

	SLIST_INIT(&vd->queues);
	vd->broken = false;
	vd->changed = NULL;
	if (!reset(vd, RESET_WAIT_NS)) {
		log_warn("%s: does not reset", device_name(vd->dev));
		return -ENODEV;
	}
	vd->ops->set_status(vd, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vd->ops->set_status(vd,
	    VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER);
	if (vd->ops->get_status(vd) == STATUS_GONE)
		return -ENODEV;
	error = agree(vd, wanted);
	return error != 0 ? error : vd->ops->intr_start(vd, nqueues);
}

void
virtio_driver_ok(struct virtio_device *vd)
{
	__atomic_store_n(&vd->running, true, __ATOMIC_RELEASE);
	status_add(vd, VIRTIO_CONFIG_S_DRIVER_OK);
}

/*
 * A device that broke its word is as likely to be there as not, so the reset
 * is tried in any case; only the waiting is left out.
 */
bool
virtio_stop(struct virtio_device *vd, bool gone)
{
	bool quiet;

	__atomic_store_n(&vd->running, false, __ATOMIC_RELEASE);
	quiet = reset(vd, gone ? 0 : RESET_WAIT_NS);
	vd->ops->intr_stop(vd);
	if (!quiet)
		log_warn("%s: does not reset, its memory is kept aside",
		    device_name(vd->dev));
	return quiet;
}

/* ----------------------------------------------------- configuration -- */

uint8_t
virtio_config8(struct virtio_device *vd, unsigned offset)
{
	return vd->ops->config_read(vd, offset, 1);
}

uint16_t
virtio_config16(struct virtio_device *vd, unsigned offset)
{
	return vd->ops->config_read(vd, offset, 2);
}

uint32_t
virtio_config32(struct virtio_device *vd, unsigned offset)
{
	return vd->ops->config_read(vd, offset, 4);
}

uint64_t
virtio_config64(struct virtio_device *vd, unsigned offset)
{
	uint64_t low = virtio_config32(vd, offset);

	return low | (uint64_t)virtio_config32(vd, offset + 4) << 32;
}

void
virtio_config_set8(struct virtio_device *vd, unsigned offset, uint8_t v)
{
	vd->ops->config_write(vd, offset, 1, v);
}

void
virtio_config_set32(struct virtio_device *vd, unsigned offset, uint32_t v)
{
	vd->ops->config_write(vd, offset, 4, v);
}

int
virtio_config(struct virtio_device *vd,
    void (*read)(struct virtio_device *vd, void *arg), void *arg)
{
	uint32_t before;
	unsigned i;

	if (vd->ops->generation == NULL) {
		read(vd, arg);
		return 0;
	}
	for (i = 0; i < CONFIG_TRIES; i++) {
		before = vd->ops->generation(vd);
		read(vd, arg);
		if (vd->ops->generation(vd) == before)
			return 0;
	}
	log_warn("%s: its configuration never stands still",
	    device_name(vd->dev));
	return -EIO;
}

void
virtio_on_change(struct virtio_device *vd, void (*fn)(void *arg), void *arg)
{
	vd->changed_arg = arg;
	vd->changed = fn;
}

/* ------------------------------------------------ interrupts, the end -- */

void
virtio_broken(struct virtio_device *vd, const char *fmt, ...)
{
	char why[120];
	va_list ap;

	if (__atomic_exchange_n(&vd->broken, true, __ATOMIC_ACQ_REL))
		return;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	log_err("%s: %s; taken away as gone", device_name(vd->dev), why);
	device_report_gone(vd->dev);
}

bool
virtio_is_broken(const struct virtio_device *vd)
{
	return __atomic_load_n(&vd->broken, __ATOMIC_ACQUIRE);
}

static void
config_interrupt(struct virtio_device *vd)
{
	uint8_t status = vd->ops->get_status(vd);

	if (status == STATUS_GONE)
		virtio_broken(vd, "reads as all ones");
	else if ((status & VIRTIO_CONFIG_S_NEEDS_RESET) != 0)
		virtio_broken(vd, "says that it needs a reset");
	else if (vd->changed != NULL)
		vd->changed(vd->changed_arg);
}

void
virtio_interrupt(struct virtio_device *vd, bool queues, bool config)
{
	struct virtqueue *vq;

	if (!__atomic_load_n(&vd->running, __ATOMIC_ACQUIRE))
		return;
	if (queues) {
		SLIST_FOREACH (vq, &vd->queues, link)
			virtqueue_interrupt(vq);
	}
	if (config)
		config_interrupt(vd);
}

/* ------------------------------------------------------- in the tree -- */

const char *
virtio_type_name(uint32_t type)
{
	static const char *const names[] = { [1] = "network",
		[2] = "block",
		[3] = "console",
		[4] = "entropy",
		[5] = "balloon",
		[8] = "scsi",
		[9] = "9p",
		[16] = "gpu",
		[18] = "input",
		[19] = "vsock",
		[20] = "crypto",
		[23] = "iommu",
		[24] = "memory",
		[26] = "fs",
		[27] = "pmem" };

	if (type < ARRAY_SIZE(names) && names[type] != NULL)
		return names[type];
	return "unknown";
}
