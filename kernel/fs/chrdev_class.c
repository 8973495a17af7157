/* SPDX-License-Identifier: ISC */
/*
 * chrdev_class.c - character devices as class devices, which /sys and uevents
 * show.
 */
#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include <linux/major.h>

#define HVC_MAJOR 229 /* Documentation: Linux's devices.txt */

static void
print_mode(struct classdev *cd, struct sbuf *env)
{
	const struct chrdev *dev = cd->arg;

	if (dev->mode != 0600)
		sbuf_printf(env, "DEVMODE=%#o\n", dev->mode);
}

static const struct class *
class_of(const struct chrdev *dev)
{
	static const struct class mem = { .name = "mem", .uevent = print_mode };
	static const struct class tty = { .name = "tty", .uevent = print_mode };
	static const struct class misc = { .name = "misc",
		.uevent = print_mode };

	if (dev->class != NULL)
		return dev->class;
	switch (dev->major) {
	case MEM_MAJOR: return &mem;
	case TTY_MAJOR:
	case TTYAUX_MAJOR:
	case HVC_MAJOR: return &tty;
	case MISC_MAJOR: return &misc;
	}
	return NULL;
}

/* Programs see names in folders as one: "net/tun" is net!tun. */
static void
publish_one(struct chrdev *dev, struct classdev *cd, uint32_t i)
{
	char name[64], *at;

	chrdev_node_name(dev, i, name);
	for (at = name; *at != '\0'; at++)
		if (*at == '/')
			*at = '!';
	strlcpy(cd->name, name, sizeof(cd->name));
	cd->class = class_of(dev);
	cd->dev = dev->dev;
	cd->major = dev->major;
	cd->minor = dev->minor + i;
	cd->node = chrdev_count(dev) == 1 ? dev->name : NULL;
	cd->arg = dev;
	classdev_arrive(cd);
}

void
chrdev_show(struct chrdev *dev)
{
	uint32_t i;

	if (dev->name == NULL || class_of(dev) == NULL || dev->shown != NULL)
		return;
	dev->shown = kcalloc(chrdev_count(dev), sizeof(dev->shown[0]));
	if (dev->shown == NULL) {
		log_warn("%s: not in /sys, no memory", dev->name);
		return;
	}
	for (i = 0; i < chrdev_count(dev); i++)
		publish_one(dev, &dev->shown[i], i);
}

void
chrdev_hide(struct chrdev *dev)
{
	uint32_t i;

	for (i = 0; dev->shown != NULL && i < chrdev_count(dev); i++)
		classdev_depart(&dev->shown[i]);
	kfree(dev->shown);
	dev->shown = NULL;
}
