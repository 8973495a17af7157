/* SPDX-License-Identifier: ISC */
/*
 * mem_devices.c - devices that are nothing but memory: null, zero and full
 * (null(4), full(4)), random and urandom (random(4)).
 */
#include "linux/mem_devices.h"

#include "fs/chrdev.h"
#include "fs/file.h"
#include "kern/random.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "linux/process.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/major.h>
#include <linux/random.h>

#define SLICE        (64 * 1024u) /* bytes between looks for a signal */
#define RANDOM_CHUNK 256
#define RANDOM_BITS  256 /* what is told of the pool's entropy */

static long
null_read(struct file *file, struct uio *u, int64_t *pos)
{
	(void)file;
	(void)u;
	(void)pos;
	return 0;
}

static long
null_write(struct file *file, struct uio *u, int64_t *pos)
{
	size_t n = u->resid;

	(void)file;
	(void)pos;
	uio_skip(u, n);
	return n;
}

static long
full_write(struct file *file, struct uio *u, int64_t *pos)
{
	(void)file;
	(void)pos;
	return u->resid == 0 ? 0 : -ENOSPC;
}

static long
zero_read(struct file *file, struct uio *u, int64_t *pos)
{
	size_t done = 0, part, n;

	(void)file;
	(void)pos;
	while (u->resid > 0) {
		part = MIN(u->resid, SLICE);
		n = uio_clear(u, part);
		done += n;
		if (n < part)
			return done > 0 ? (long)done : -EFAULT;
		if (thread_self()->interrupted)
			break;
	}
	return done;
}

/* Private mappings are plain memory; shared ones need an object to share. */
static int
zero_mmap(struct file *file, uint64_t size, unsigned *vm_flags,
    uint64_t *offset, struct vm_object **object)
{
	struct file *memory;
	int error;

	(void)file;
	*object = NULL;
	if ((*vm_flags & VM_SHARED) == 0)
		return 0;
	error = file_create_memory("dev/zero", size, O_RDWR, &memory);
	if (error != 0)
		return error;
	*offset = 0;
	*object = &memory->inode->pages.object;
	vm_object_get(*object);
	file_put(memory);
	return 0;
}

/* Seeking succeeds and leads nowhere. */
static int64_t
null_llseek(struct file *file, int64_t offset, int whence)
{
	(void)offset;
	(void)whence;
	file->pos = 0;
	return 0;
}

static long
random_read(struct file *file, struct uio *u, int64_t *pos)
{
	uint8_t chunk[RANDOM_CHUNK];
	size_t done = 0, part, n;

	(void)file;
	(void)pos;
	while (u->resid > 0) {
		part = MIN(u->resid, sizeof(chunk));
		random_bytes(chunk, part);
		n = uio_put(u, chunk, part);
		done += n;
		if (n < part)
			return done > 0 ? (long)done : -EFAULT;
		if (thread_self()->interrupted)
			break;
	}
	return done;
}

static long
random_write(struct file *file, struct uio *u, int64_t *pos)
{
	uint8_t chunk[RANDOM_CHUNK];
	size_t done = 0, part, n;

	(void)file;
	(void)pos;
	while (u->resid > 0) {
		part = MIN(u->resid, sizeof(chunk));
		n = uio_get(u, chunk, part);
		random_add(chunk, n);
		done += n;
		if (n < part)
			return done > 0 ? (long)done : -EFAULT;
	}
	return done;
}

/* RNDADDENTROPY: bits claimed and bytes that hold them. */
static int
random_add_entropy(uaddr_t arg)
{
	uint8_t chunk[RANDOM_CHUNK];
	uaddr_t from = arg + 2 * sizeof(int);
	int head[2];
	size_t left, part;

	if (copyin(head, arg, sizeof(head)) != 0)
		return -EFAULT;
	if (head[0] < 0 || head[1] < 0)
		return -EINVAL;
	for (left = head[1]; left > 0; left -= part, from += part) {
		part = MIN(left, sizeof(chunk));
		if (copyin(chunk, from, part) != 0)
			return -EFAULT;
		random_add(chunk, part);
		if (thread_self()->interrupted)
			return -EINTR;
	}
	return 0;
}

static long
random_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	int bits = RANDOM_BITS;

	(void)file;
	switch (cmd) {
	case RNDGETENTCNT: return copyout(arg, &bits, sizeof(bits));
	case RNDADDTOENTCNT:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		if (copyin(&bits, arg, sizeof(bits)) != 0)
			return -EFAULT;
		return bits < 0 ? -EINVAL : 0;
	case RNDADDENTROPY:
		if (!capable(CAP_SYS_ADMIN))
			return -EPERM;
		return random_add_entropy(arg);
	case RNDZAPENTCNT:
	case RNDCLEARPOOL:
	case RNDRESEEDCRNG: return capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
	}
	return -ENOTTY;
}

static const struct file_ops null_ops = {
	.read = null_read,
	.write = null_write,
	.llseek = null_llseek,
};
static const struct file_ops zero_ops = {
	.read = zero_read,
	.write = null_write,
	.llseek = null_llseek,
	.mmap = zero_mmap,
};
static const struct file_ops full_ops = {
	.read = zero_read,
	.write = full_write,
	.llseek = null_llseek,
};
static const struct file_ops random_ops = {
	.read = random_read,
	.write = random_write,
	.ioctl = random_ioctl,
	.llseek = null_llseek,
};

#define MEM_DEVICE(n, node, file_ops)                                       \
	{                                                                   \
		.major = MEM_MAJOR, .minor = (n), .count = 1, .mode = 0666, \
		.name = (node), .driver = "mem", .ops = (file_ops)          \
	}
static struct chrdev mem_devices[] = {
	MEM_DEVICE(3, "null", &null_ops),
	MEM_DEVICE(5, "zero", &zero_ops),
	MEM_DEVICE(7, "full", &full_ops),
	MEM_DEVICE(8, "random", &random_ops),
	MEM_DEVICE(9, "urandom", &random_ops),
};

int
mem_devices_init(const struct boot_info *bi)
{
	unsigned i;
	int error = 0;

	(void)bi;
	for (i = 0; i < ARRAY_SIZE(mem_devices) && error == 0; i++)
		error = chrdev_register(&mem_devices[i]);
	return error;
}
