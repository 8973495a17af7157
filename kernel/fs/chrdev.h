/* SPDX-License-Identifier: ISC */
/*
 * chrdev.h - character devices: which operations an open of a node with a
 * given device number reaches, and the node that /dev shows for it.
 * Context: threads.  Block devices' nodes are announced through devtmpfs.h.
 */
#ifndef FS_CHRDEV_H
#define FS_CHRDEV_H

#include "fs/file.h"
#include "kern/types.h"

/*
 * The owner's, in place until chrdev_unregister().  ops->open is called with
 * file->ops already set to ops; inode->rdev tells the minor.
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
	TAILQ_ENTRY(chrdev) link;
};

/* -EBUSY: numbers are taken. */
int chrdev_register(struct chrdev *dev);
/* Opens in progress keep their ops; callers see to their own end. */
void chrdev_unregister(struct chrdev *dev);
/* What the device number reaches, or NULL. */
struct chrdev *chrdev_find(uint64_t rdev);
/* The i-th, for /proc/devices; NULL after the last. */
struct chrdev *chrdev_at(unsigned i);
/* For devtmpfs.c: makes the nodes of all that is registered. */
int chrdev_add_all_nodes(void);
/* Is that the name of a node?  Then its permissions and number. */
bool chrdev_find_node(const char *name, uint32_t *mode, uint64_t *rdev);
/* file_ops of every S_IFCHR node: finds the device. */
extern const struct file_ops chrdev_node_ops;

#endif
