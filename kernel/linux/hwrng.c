/* SPDX-License-Identifier: ISC */
/*
 * hwrng.c - /dev/hwrng: random bytes of the host's, as they come.  Linux,
 * Documentation/admin-guide/hw_random.rst.
 */
#include "linux/hwrng.h"
#include "dev/hwrng.h"
#include "fs/chrdev.h"
#include "kern/log.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define MISC_MAJOR  10
#define HWRNG_MINOR 183
#define PIECE       256

static long
dev_read(struct file *file, struct uio *u, int64_t *pos)
{
	uint8_t piece[PIECE];
	size_t done = 0, moved;
	long n = 0;

	(void)file;
	(void)pos;
	while (u->resid > 0) {
		n = hwrng_read(piece, MIN(u->resid, sizeof(piece)));
		if (n < 0)
			break;
		moved = uio_put(u, piece, n);
		done += moved;
		if (moved < (size_t)n) {
			n = -EFAULT;
			break;
		}
	}
	return done > 0 ? (long)done : n;
}

static int
dev_open(struct inode *inode, struct file *file)
{
	(void)inode;
	return (file->flags & O_ACCMODE) == O_RDONLY ? 0 : -EINVAL;
}

static const struct file_ops ops = {
	.open = dev_open,
	.read = dev_read,
	.llseek = no_llseek,
};

static struct chrdev device = {
	.major = MISC_MAJOR,
	.minor = HWRNG_MINOR,
	.count = 1,
	.mode = 0600,
	.name = "hwrng",
	.driver = "misc",
	.ops = &ops,
};

/* Once there, the node stays; without a source reads say ENODEV. */
static void
arrived(void)
{
	static bool registered;
	int error;

	if (__atomic_exchange_n(&registered, true, __ATOMIC_ACQ_REL))
		return;
	error = chrdev_register(&device);
	if (error != 0)
		log_warn("hwrng: no node, error %d", -error);
}

void
hwrng_device_init(void)
{
	hwrng_set_consumer(arrived);
}
