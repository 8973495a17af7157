/* SPDX-License-Identifier: ISC */
/*
 * devctl.c - /dev/devctl: the device tree for devctl(8).  What it says and
 * does stands in abi/devctl.h.
 */
#include "linux/devctl.h"
#include "abi/devctl.h"
#include "block/block.h"
#include "bus/device.h"
#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/process.h"
#include "linux/rescan.h"
#include <linux/capability.h>
#include <linux/errno.h>

_Static_assert(sizeof(struct devctl_req) == (DEVCTL_IOC_DO >> 16 & 0x3fff),
    "the ioctl's number has the size in it");

/* ---- the tree as text ---- */

static const char *
state_name(enum device_state state)
{
	switch (state) {
	case DEVICE_FOUND: return "found";
	case DEVICE_ATTACHING: return "attaching";
	case DEVICE_ATTACHED: return "attached";
	case DEVICE_DETACHING: return "detaching";
	default: return "gone";
	}
}

static bool
can_rescan(struct device *dev)
{
	const struct bus_ops *ops = device_bus_ops(dev);

	return ops != NULL && ops->rescan != NULL;
}

static bool
print_one(struct device *dev, unsigned depth, void *arg)
{
	const struct driver *drv = device_driver(dev);
	struct sbuf *sb = arg;
	char name[64];

	device_copy_name(dev, name, sizeof(name));
	sbuf_printf(sb, "%u %s %s %s %s%s%s\n", depth, device_address(dev),
	    drv == NULL ? "-" : name, state_name(device_state(dev)),
	    device_is_disabled(dev) ? "d" : "", can_rescan(dev) ? "b" : "",
	    device_is_disabled(dev) || can_rescan(dev) ? "" : "-");
	return sb->error == 0;
}

/* One look an open file, so that what is read in pieces fits together. */
static int
devctl_open(struct inode *inode, struct file *f)
{
	struct sbuf *sb = kmalloc(sizeof(*sb));
	int error;

	(void)inode;
	if (sb == NULL)
		return -ENOMEM;
	sbuf_init(sb);
	error = device_foreach(print_one, sb);
	if (error == 0)
		error = sb->error;
	if (error != 0) {
		sbuf_fini(sb);
		kfree(sb);
		return error;
	}
	f->priv = sb;
	return 0;
}

static void
devctl_release(struct file *f)
{
	sbuf_fini(f->priv);
	kfree(f->priv);
}

static long
devctl_read(struct file *f, struct uio *u, int64_t *pos)
{
	const struct sbuf *sb = f->priv;
	size_t want, n;

	if (*pos < 0 || (uint64_t)*pos >= sb->len)
		return 0;
	want = MIN(sb->len - *pos, u->resid);
	n = uio_put(u, sb->buf + *pos, want);
	*pos += n;
	return n == 0 && want != 0 ? -EFAULT : (long)n;
}

/* ---- what is asked for ---- */

static int
act(struct device *dev, const struct devctl_req *req)
{
	/* The root has no driver, no bus above it, and stays. */
	if (device_parent(dev) == NULL && req->op != DEVCTL_RESCAN)
		return -EINVAL;
	switch (req->op) {
	case DEVCTL_RESCAN: return rescan_for_program(dev);
	case DEVCTL_ATTACH: return device_attach(dev);
	case DEVCTL_DETACH: return device_detach(dev);
	case DEVCTL_ENABLE: return device_enable(dev);
	case DEVCTL_DISABLE: return device_disable(dev);
	case DEVCTL_SET_DRIVER:
		return device_set_driver(dev, req->name, req->force != 0);
	case DEVCTL_CLEAR_DRIVER:
		return device_clear_driver(dev, req->force != 0);
	case DEVCTL_RESET: return device_reset(dev);
	case DEVCTL_DELETE: return device_remove(dev, DETACH_ASKED);
	}
	return -EINVAL;
}

static long
devctl_ioctl(struct file *f, unsigned cmd, uint64_t arg)
{
	struct devctl_req req;
	struct device *dev;
	int error;

	(void)f;
	if (cmd != DEVCTL_IOC_DO)
		return -ENOTTY;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	error = copyin(&req, arg, sizeof(req));
	if (error != 0)
		return error;
	if (memchr(req.device, 0, sizeof(req.device)) == NULL ||
	    memchr(req.name, 0, sizeof(req.name)) == NULL)
		return -EINVAL;
	dev = device_find(req.device);
	if (dev == NULL)
		return -ESRCH;
	error = act(dev, &req);
	device_put(dev);
	block_settle(); /* so that who asked finds what has come */
	return error;
}

static const struct file_ops ops = {
	.open = devctl_open,
	.release = devctl_release,
	.read = devctl_read,
	.ioctl = devctl_ioctl,
	.llseek = generic_llseek,
};

static struct chrdev device = {
	.major = DEVCTL_MAJOR,
	.minor = DEVCTL_MINOR,
	.count = 1,
	.mode = 0600,
	.name = "devctl",
	.driver = "misc",
	.ops = &ops,
};

int
devctl_init(void)
{
	return chrdev_register(&device);
}
