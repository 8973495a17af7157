/* SPDX-License-Identifier: ISC */
/*
 * vsock_dev.c - /dev/vsock: tells this machine's number to its host.  vsock(7).
 */
#include "linux/vsock_dev.h"

#include "fs/chrdev.h"
#include "kern/log.h"
#include "kern/uaccess.h"
#include "net/vsock.h"
#include <linux/errno.h>

#define MISC_MAJOR  10
#define VSOCK_MINOR 121 /* one of Linux's dynamic ones */

static long
dev_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	uint32_t cid = vsock_own_cid();

	(void)file;
	if (cmd != IOCTL_VM_SOCKETS_GET_LOCAL_CID)
		return -ENOTTY;
	return copyout(arg, &cid, sizeof(cid));
}

static const struct file_ops ops = {
	.ioctl = dev_ioctl,
	.llseek = no_llseek,
};

static struct chrdev device = {
	.major = MISC_MAJOR,
	.minor = VSOCK_MINOR,
	.mode = 0666,
	.name = "vsock",
	.driver = "misc",
	.ops = &ops,
};

void
vsock_device_init(void)
{
	int error;

	vsock_init();
	error = chrdev_register(&device);
	if (error != 0)
		log_warn("vsock: no node, error %d", -error);
}
