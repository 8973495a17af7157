/* SPDX-License-Identifier: ISC */
/*
 * nvme_dev.c - NVMe controllers as programs see them: /dev/nvme0 with Linux's
 * ioctls (<linux/nvme_ioctl.h>), /sys/class/nvme/nvme0 and the subsystem that
 * nvme(1) looks for.
 *
 * A controller's node is made when it arrives and freed when it departs; who
 * has /dev/nvme0 open holds the handle alone, and gets ENODEV from it then.
 */
#include "linux/nvme_dev.h"
#include "abi/mode.h"
#include "bus/classdev.h"
#include "dev/nvme/nvme_user.h"
#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/mutex.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/ioctl.h>
#include <linux/nvme_ioctl.h>

#define MAJOR    241 /* one of Linux's dynamic numbers */
#define DATA_MAX (1u << 20)

struct node {
	struct nvme_handle *handle; /* a reference */
	unsigned unit;
	char name[16]; /* "nvme0" */
	char part[20]; /* "nvme0/": a folder of the subsystem's */
	struct chrdev chr;
	struct classdev cd, subsystem;
	struct classdev_attr subsystem_attrs[6];
	TAILQ_ENTRY(node) link;
};

static struct mutex lock = MUTEX_INIT(lock);
static TAILQ_HEAD(, node) nodes = TAILQ_HEAD_INITIALIZER(nodes); /* lock */

/* ----------------------------------------------------------- /sys -- */

static struct nvme_handle *
handle_of(struct classdev *cd)
{
	return ((struct node *)cd->arg)->handle;
}

/* What is known before the controller has said who it is: nothing. */
static int
with_info(struct classdev *cd, struct sbuf *sb,
    void (*print)(const struct nvme_info *info, struct sbuf *sb))
{
	struct nvme_info *info = kmalloc(sizeof(*info));
	int error = -ENOMEM;

	if (info != NULL)
		error = nvme_handle_info(handle_of(cd), info);
	if (error == 0)
		print(info, sb);
	kfree(info);
	return error;
}

#define SHOW(field, fmt, value)                                               \
	static void print_##field(const struct nvme_info *i, struct sbuf *sb) \
	{                                                                     \
		sbuf_printf(sb, fmt "\n", value);                             \
	}                                                                     \
	static int show_##field(struct classdev *cd, struct sbuf *sb)         \
	{                                                                     \
		return with_info(cd, sb, print_##field);                      \
	}
SHOW(model, "%s", i->model)
SHOW(serial, "%s", i->serial)
SHOW(firmware, "%s", i->firmware)
SHOW(subsysnqn, "%s", i->subnqn)
SHOW(address, "%s", i->address)
SHOW(state, "%s", i->state)
SHOW(cntlid, "%u", i->cntlid)
SHOW(cntrltype, "%s",
    i->cntrltype == 3     ? "admin" :
	i->cntrltype == 2 ? "discovery" :
			    "io")
SHOW(queues, "%u", i->queues)
SHOW(sqsize, "%u", i->queue_entries - 1)

static int
show_transport(struct classdev *cd, struct sbuf *sb)
{
	(void)cd;
	sbuf_puts(sb, "pcie\n");
	return 0;
}

static int
show_numa_node(struct classdev *cd, struct sbuf *sb)
{
	(void)cd;
	sbuf_puts(sb, "-1\n");
	return 0;
}

static int
store_reset(struct classdev *cd, const char *text, size_t len)
{
	(void)text;
	(void)len;
	return nvme_handle_reset(handle_of(cd), false);
}

static int
store_rescan(struct classdev *cd, const char *text, size_t len)
{
	(void)text;
	(void)len;
	return nvme_handle_rescan(handle_of(cd));
}

static const struct classdev_attr ctrl_attrs[] = {
	{ "address", 0444, show_address, NULL },
	{ "cntlid", 0444, show_cntlid, NULL },
	{ "cntrltype", 0444, show_cntrltype, NULL },
	{ "firmware_rev", 0444, show_firmware, NULL },
	{ "model", 0444, show_model, NULL },
	{ "numa_node", 0444, show_numa_node, NULL },
	{ "queue_count", 0444, show_queues, NULL },
	{ "rescan_controller", 0200, NULL, store_rescan },
	{ "reset_controller", 0200, NULL, store_reset },
	{ "serial", 0444, show_serial, NULL },
	{ "sqsize", 0444, show_sqsize, NULL },
	{ "state", 0444, show_state, NULL },
	{ "subsysnqn", 0444, show_subsysnqn, NULL },
	{ "transport", 0444, show_transport, NULL },
	{ NULL, 0, NULL, NULL },
};

static const struct class ctrl_class = { .name = "nvme" };
static const struct class subsystem_class = { .name = "nvme-subsystem" };

/* Each controller is the only one of its subsystem. */
static void
publish(struct node *n, struct device *dev)
{
	static const struct classdev_attr own[] = {
		{ "firmware_rev", 0444, show_firmware, NULL },
		{ "model", 0444, show_model, NULL },
		{ NULL, 0, NULL, NULL }, /* the controller */
		{ "serial", 0444, show_serial, NULL },
		{ "subsysnqn", 0444, show_subsysnqn, NULL },
		{ NULL, 0, NULL, NULL },
	};

	n->cd.class = &ctrl_class;
	strlcpy(n->cd.name, n->name, sizeof(n->cd.name));
	n->cd.attrs = ctrl_attrs;
	n->cd.dev = dev;
	n->cd.major = MAJOR;
	n->cd.minor = n->unit;
	n->cd.arg = n;
	classdev_arrive(&n->cd);
	_Static_assert(sizeof(own) == sizeof(n->subsystem_attrs), "attrs");
	memcpy(n->subsystem_attrs, own, sizeof(own));
	n->subsystem_attrs[2] = (struct classdev_attr){ .name = n->part };
	n->subsystem.class = &subsystem_class;
	snprintf(n->subsystem.name, sizeof(n->subsystem.name), "nvme-subsys%u",
	    n->unit);
	n->subsystem.attrs = n->subsystem_attrs;
	n->subsystem.arg = n;
	classdev_arrive(&n->subsystem);
}

/* -------------------------------------------------------- commands -- */

/* Bits 1:0 of an opcode: 01 to the controller, 10 from it.  NVMe 1.4, 4.2. */
static int
pass(struct nvme_handle *h, bool io, const struct nvme_passthru_cmd64 *cmd,
    struct nvme_passthru *p)
{
	uaddr_t addr = cmd->addr;
	int error = 0;

	if (cmd->flags != 0 || cmd->metadata_len != 0 ||
	    cmd->data_len > DATA_MAX)
		return -EINVAL;
	p->sqe = (struct nvme_sqe){ .opcode = cmd->opcode,
		.nsid = cmd->nsid,
		.cdw2 = cmd->cdw2,
		.cdw3 = cmd->cdw3,
		.cdw10 = cmd->cdw10,
		.cdw11 = cmd->cdw11,
		.cdw12 = cmd->cdw12,
		.cdw13 = cmd->cdw13,
		.cdw14 = cmd->cdw14,
		.cdw15 = cmd->cdw15 };
	p->len = cmd->data_len;
	p->out = p->len > 0 && (cmd->opcode & 1) != 0;
	p->in = p->len > 0 && (cmd->opcode & 2) != 0;
	p->timeout_ms = cmd->timeout_ms;
	if (p->len > 0 && (p->buf = kzalloc(p->len)) == NULL)
		return -ENOMEM;
	if (p->out && copyin(p->buf, addr, p->len) != 0)
		error = -EFAULT;
	if (error == 0)
		error = nvme_handle_command(h, io, p);
	if (error >= 0 && p->in && copyout(addr, p->buf, p->len) != 0)
		error = -EFAULT;
	kfree(p->buf);
	return error;
}

/* The older struct is the newer one but for the end. */
static long
pass32(struct nvme_handle *h, bool io, uaddr_t arg)
{
	struct nvme_passthru_cmd64 cmd = { 0 };
	struct nvme_passthru p = { 0 };
	uint32_t result;
	int error;

	_Static_assert(offsetof(struct nvme_passthru_cmd, result) ==
		offsetof(struct nvme_passthru_cmd64, rsvd2),
	    "the common part");
	if (copyin(&cmd, arg, offsetof(struct nvme_passthru_cmd, result)) != 0)
		return -EFAULT;
	error = pass(h, io, &cmd, &p);
	result = p.result;
	if (error >= 0 &&
	    copyout(arg + offsetof(struct nvme_passthru_cmd, result), &result,
		sizeof(result)) != 0)
		return -EFAULT;
	return error;
}

static long
pass64(struct nvme_handle *h, bool io, uaddr_t arg)
{
	struct nvme_passthru_cmd64 cmd;
	struct nvme_passthru p = { 0 };
	uint64_t result;
	int error;

	if (copyin(&cmd, arg, sizeof(cmd)) != 0)
		return -EFAULT;
	error = pass(h, io, &cmd, &p);
	result = p.result;
	if (error >= 0 &&
	    copyout(arg + offsetof(struct nvme_passthru_cmd64, result), &result,
		sizeof(result)) != 0)
		return -EFAULT;
	return error;
}

static long
both(struct nvme_handle *h, unsigned cmd, uaddr_t arg)
{
	switch (cmd) {
	case NVME_IOCTL_ADMIN_CMD: return pass32(h, false, arg);
	case NVME_IOCTL_ADMIN64_CMD: return pass64(h, false, arg);
	case NVME_IOCTL_IO_CMD: return pass32(h, true, arg);
	case NVME_IOCTL_IO64_CMD: return pass64(h, true, arg);
	default: return -ENOTTY;
	}
}

/* ------------------------------------------------------- /dev/nvme0 -- */

static long
dev_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct nvme_handle *h = file->priv;

	switch (cmd) {
	case NVME_IOCTL_RESET:
	case NVME_IOCTL_SUBSYS_RESET:
	case NVME_IOCTL_RESCAN:
	case NVME_IOCTL_ADMIN_CMD:
	case NVME_IOCTL_ADMIN64_CMD:
	case NVME_IOCTL_IO_CMD:
	case NVME_IOCTL_IO64_CMD:
		if (!capable(CAP_SYS_ADMIN))
			return -EACCES;
	}
	switch (cmd) {
	case NVME_IOCTL_RESET: return nvme_handle_reset(h, false);
	case NVME_IOCTL_SUBSYS_RESET: return nvme_handle_reset(h, true);
	case NVME_IOCTL_RESCAN: return nvme_handle_rescan(h);
	default: return both(h, cmd, arg);
	}
}

static int
dev_open(struct inode *inode, struct file *file)
{
	struct node *n;

	mutex_lock(&lock);
	TAILQ_FOREACH (n, &nodes, link) {
		if (n->unit == dev_minor(inode->rdev))
			break;
	}
	if (n != NULL) {
		nvme_handle_get(n->handle);
		file->priv = n->handle;
	}
	mutex_unlock(&lock);
	return n != NULL ? 0 : -ENXIO;
}

static void
dev_release(struct file *file)
{
	nvme_handle_put(file->priv);
}

static const struct file_ops dev_ops = {
	.open = dev_open,
	.release = dev_release,
	.ioctl = dev_ioctl,
	.llseek = no_llseek,
};

static long
disk_ioctl(struct nvme_handle *h, uint32_t nsid, unsigned cmd, uint64_t arg)
{
	if (cmd == NVME_IOCTL_ID)
		return nsid;
	if ((cmd >> 8 & 0xff) == 'N' && !capable(CAP_SYS_ADMIN))
		return -EACCES;
	return both(h, cmd, arg);
}

/* ------------------------------------------------ arrival, departure -- */

static int
arrived(struct nvme_handle *h, struct device *dev)
{
	struct node *n = kzalloc(sizeof(*n));
	int error;

	if (n == NULL)
		return -ENOMEM;
	n->handle = h;
	n->unit = nvme_handle_unit(h);
	snprintf(n->name, sizeof(n->name), "nvme%u", n->unit);
	snprintf(n->part, sizeof(n->part), "nvme%u/", n->unit);
	n->chr = (struct chrdev){ .major = MAJOR,
		.minor = n->unit,
		.count = 1,
		.mode = 0600,
		.name = n->name,
		.driver = "nvme",
		.ops = &dev_ops };
	error = chrdev_register(&n->chr);
	if (error != 0) {
		kfree(n);
		return error;
	}
	nvme_handle_get(h);
	mutex_lock(&lock);
	TAILQ_INSERT_TAIL(&nodes, n, link);
	mutex_unlock(&lock);
	*nvme_handle_upper(h) = n;
	publish(n, dev);
	nvme_handle_set_parent(h, &n->cd);
	return 0;
}

static void
departed(struct nvme_handle *h)
{
	struct node *n = *nvme_handle_upper(h);

	classdev_depart(&n->subsystem);
	classdev_depart(&n->cd);
	mutex_lock(&lock);
	TAILQ_REMOVE(&nodes, n, link);
	mutex_unlock(&lock);
	chrdev_unregister(&n->chr);
	nvme_handle_put(h);
	kfree(n);
}

static const struct nvme_upper upper = {
	.arrived = arrived,
	.departed = departed,
	.disk_ioctl = disk_ioctl,
};

void
nvme_dev_init(void)
{
	nvme_set_upper(&upper);
}
