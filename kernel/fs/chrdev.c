/* SPDX-License-Identifier: ISC */
/*
 * chrdev.c - the table of character devices.
 */
#include "fs/chrdev.h"
#include "abi/mode.h"
#include "fs/devtmpfs.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include <linux/errno.h>

static struct mutex lock = MUTEX_INIT(lock);
static TAILQ_HEAD(, chrdev) devices = TAILQ_HEAD_INITIALIZER(devices);
static bool published; /* lock */

static bool
overlap(const struct chrdev *a, const struct chrdev *b)
{
	return a->major == b->major && a->minor < b->minor + chrdev_count(b) &&
	    b->minor < a->minor + chrdev_count(a);
}

void
chrdev_node_name(const struct chrdev *dev, uint32_t i, char name[64])
{
	if (chrdev_count(dev) > 1)
		snprintf(name, 64, "%s%u", dev->name, i);
	else
		strlcpy(name, dev->name, 64);
}

static int
add_nodes(const struct chrdev *dev)
{
	char name[64];
	uint32_t i;
	int error = 0;

	for (i = 0; i < chrdev_count(dev) && error == 0; i++) {
		chrdev_node_name(dev, i, name);
		error = devtmpfs_add(name, S_IFCHR | dev->mode,
		    dev_make(dev->major, dev->minor + i));
	}
	return error;
}

static void
remove_nodes(const struct chrdev *dev)
{
	char name[64];
	uint32_t i;

	for (i = 0; i < chrdev_count(dev); i++) {
		chrdev_node_name(dev, i, name);
		devtmpfs_remove(name);
	}
}

void
chrdev_publish(void)
{
	struct chrdev *dev;

	mutex_lock(&lock);
	if (!published)
		TAILQ_FOREACH (dev, &devices, link)
			chrdev_show(dev);
	published = true;
	mutex_unlock(&lock);
}

int
chrdev_register(struct chrdev *dev)
{
	struct chrdev *other;
	int error = 0;

	mutex_lock(&lock);
	TAILQ_FOREACH (other, &devices, link) {
		if (overlap(dev, other))
			error = -EBUSY;
	}
	if (error == 0)
		TAILQ_INSERT_TAIL(&devices, dev, link);
	mutex_unlock(&lock);
	if (error == 0 && dev->name != NULL && devtmpfs_is_populated())
		error = add_nodes(dev);
	mutex_lock(&lock);
	if (error == 0 && published)
		chrdev_show(dev); /* the node is there when udev hears */
	mutex_unlock(&lock);
	return error;
}

void
chrdev_unregister(struct chrdev *dev)
{
	mutex_lock(&lock);
	TAILQ_REMOVE(&devices, dev, link);
	mutex_unlock(&lock);
	chrdev_hide(dev);
	if (dev->name != NULL)
		remove_nodes(dev);
}

int
chrdev_add_all_nodes(void)
{
	struct chrdev *dev;
	int error = 0;

	mutex_lock(&lock);
	TAILQ_FOREACH (dev, &devices, link) {
		if (dev->name != NULL && error == 0)
			error = add_nodes(dev);
	}
	mutex_unlock(&lock);
	return error;
}

/* Which of the device's nodes it is; false: none. */
static bool
match_node(const struct chrdev *dev, const char *name, uint64_t *rdev)
{
	char node[64];
	uint32_t i;

	if (dev->name == NULL || dev->name[0] != name[0])
		return false;
	for (i = 0; i < chrdev_count(dev); i++) {
		chrdev_node_name(dev, i, node);
		*rdev = dev_make(dev->major, dev->minor + i);
		if (strcmp(node, name) == 0)
			return true;
	}
	return false;
}

bool
chrdev_find_node(const char *name, uint32_t *mode, uint64_t *rdev)
{
	struct chrdev *dev;

	mutex_lock(&lock);
	TAILQ_FOREACH (dev, &devices, link) {
		if (match_node(dev, name, rdev)) {
			*mode = dev->mode;
			break;
		}
	}
	mutex_unlock(&lock);
	return dev != NULL;
}

struct chrdev *
chrdev_at(unsigned i)
{
	struct chrdev *dev;

	mutex_lock(&lock);
	TAILQ_FOREACH (dev, &devices, link) {
		if (i-- == 0)
			break;
	}
	mutex_unlock(&lock);
	return dev;
}

/* They outlive the device, which may depart at any time. */
static const struct file_ops *
ops_of(uint64_t rdev)
{
	uint32_t major = dev_major(rdev), minor = dev_minor(rdev);
	const struct file_ops *ops = NULL;
	struct chrdev *dev;

	mutex_lock(&lock);
	TAILQ_FOREACH (dev, &devices, link) {
		if (dev->major == major && minor >= dev->minor &&
		    minor - dev->minor < chrdev_count(dev))
			ops = dev->ops;
	}
	mutex_unlock(&lock);
	return ops;
}

static int
node_open(struct inode *inode, struct file *file)
{
	const struct file_ops *ops = ops_of(inode->rdev);

	if (ops == NULL)
		return -ENXIO;
	file->ops = ops;
	return ops->open != NULL ? ops->open(inode, file) : 0;
}

const struct file_ops chrdev_node_ops = { .open = node_open };
