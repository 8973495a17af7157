/* SPDX-License-Identifier: ISC */
/*
 * chrdev.h - character devices: which operations an open of a node with a
 * given device number reaches, and the node that /dev shows for it.
 * Context: threads.  Block devices' nodes are announced through devtmpfs.h.
 */
#ifndef FS_CHRDEV_H
#define FS_CHRDEV_H

#include "bus/classdev.h"
#include "fs/file.h"
#include "kern/types.h"

/*
 * The owner's, in place until chrdev_unregister().  ops->open is called with
 * file->ops already set to ops, which stay for ever; inode->rdev tells the
 * minor.
 */
struct chrdev {
	uint32_t major, minor; /* the first minor ... */
	uint32_t count;        /* ... of that many; 0 counts as 1 */
	uint32_t mode;         /* permissions of the node: 0666 */
	/*
	 * Node below /dev, "null", "net/tun"; with count > 1 a number is
	 * appended, from 0 on.  NULL: no node.
	 */
	const char *name;
	const char *driver; /* in /proc/devices; NULL: name */
	const struct file_ops *ops;
	/* What /sys shows it as, and below which device; NULL: by the major
	 * number ("mem", "tty", "misc"), none. */
	const struct class *class;
	struct device *dev;
	struct classdev *shown; /* ours */
	TAILQ_ENTRY(chrdev) link;
};

/* -EBUSY: numbers are taken. */
int chrdev_register(struct chrdev *dev);
/* Opens in progress keep their ops; callers see to their own end. */
void chrdev_unregister(struct chrdev *dev);
/* The i-th, for /proc/devices; NULL after the last. */
struct chrdev *chrdev_at(unsigned i);
/*
 * Somebody looks at /sys or listens to uevents: from now on each device is a
 * class device, too.  Before, none costs anything.  May sleep.
 */
void chrdev_publish(void);
/* ---- between chrdev*.c and devtmpfs.c ---- */

static inline uint32_t
chrdev_count(const struct chrdev *dev)
{
	return MAX(dev->count, 1u);
}
/* The i-th minor's node: "null", or with several "ttyS0". */
void chrdev_node_name(const struct chrdev *dev, uint32_t i, char name[64]);
/* Its class devices arrive, and depart; callers serialise. */
void chrdev_show(struct chrdev *dev);
void chrdev_hide(struct chrdev *dev);
/* For devtmpfs.c: makes the nodes of all that is registered. */
int chrdev_add_all_nodes(void);
/* Is that the name of a node?  Then its permissions and number. */
bool chrdev_find_node(const char *name, uint32_t *mode, uint64_t *rdev);
/* file_ops of every S_IFCHR node: finds the device. */
extern const struct file_ops chrdev_node_ops;

#endif
