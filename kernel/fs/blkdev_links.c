/* SPDX-License-Identifier: ISC */
/*
 * blkdev_links.c - links below /dev/disk, by what a disk or a partition is and
 * not by the order of arrival: as udev's rules make them.
 *
 * Names are made anew whenever they are needed, from what stays the same while
 * a device is there.  Where two devices have one name, the first one has it.
 */
#include "bus/device.h"
#include "fs/blkdev.h"
#include "fs/devtmpfs.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>

#define LINK_MAX 512 /* all of a label may be escaped */

/* What is done with each link: its name, and what it leads to. */
typedef void link_fn(const char *name, const char *target);

/* Characters of a link's name that need no escape; of UTF-8, all do not. */
static bool
is_plain(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || c >= 0x80 ||
	    (c != '\0' && strchr("#+-.:=@_", c) != NULL);
}

/* Appends text as a part of a file's name. */
static void
escape(char *buf, size_t size, const char *text)
{
	size_t n = strlen(buf);

	for (; *text != '\0' && n + 5 < size; text++) {
		if (is_plain(*text))
			buf[n++] = *text;
		else
			n += snprintf(buf + n, size - n, "\\x%02x",
			    (unsigned char)*text);
	}
	buf[n] = '\0';
}

/* Appends a model or a serial number: what is no plain character is "_". */
static void
flatten(char *buf, size_t size, const char *text)
{
	size_t n = strlen(buf);

	for (; *text != '\0' && n + 1 < size; text++)
		buf[n++] = is_plain(*text) && (*text & 0x80) == 0 ? *text : '_';
	buf[n] = '\0';
}

/* One link: by NAME, "-partN" behind it for a partition. */
static void
one(struct block_dev *bd, char *name, size_t size, link_fn *fn)
{
	char target[BLOCK_NAME + 16] = "";
	const char *at;
	size_t n = strlen(name);

	if (bd->whole != NULL)
		snprintf(name + n, size - n, "-part%u", bd->number);
	/* From the link's folder up to /dev. */
	for (at = name; (at = strchr(at, '/')) != NULL; at++)
		strlcat(target, "../", sizeof(target));
	strlcat(target, bd->name, sizeof(target));
	fn(name, target);
}

static void
by_path(struct block_dev *bd, link_fn *fn)
{
	char name[LINK_MAX], part[64];
	struct device *dev = block_device_of(bd);
	const char *subsystem = NULL;

	for (; dev != NULL; dev = device_parent(dev)) {
		subsystem = device_subsystem(dev);
		if (subsystem != NULL &&
		    (strcmp(subsystem, "pci") == 0 ||
			strcmp(subsystem, "platform") == 0))
			break;
	}
	if (dev == NULL)
		return;
	device_sys_name(dev, part, sizeof(part));
	snprintf(name, sizeof(name), "disk/by-path/%s-%s", subsystem, part);
	if (bd->info.path != NULL) {
		strlcat(name, "-", sizeof(name));
		flatten(name, sizeof(name), bd->info.path);
	}
	one(bd, name, sizeof(name), fn);
}

static void
by_id(struct block_dev *bd, link_fn *fn)
{
	const struct disk_info *i = &bd->info;
	const char *serial = i->serial != NULL ? i->serial :
						 block_disk(bd)->serial;
	const char *kind = i->prefix == NULL ? "nvme" :
	    strcmp(i->prefix, "vd") == 0     ? "virtio" :
					       "scsi";
	char name[LINK_MAX];

	if (i->wwid != NULL) {
		snprintf(name, sizeof(name), "disk/by-id/%s-", kind);
		flatten(name, sizeof(name), i->wwid);
		one(bd, name, sizeof(name), fn);
	}
	if (*serial == '\0')
		return;
	snprintf(name, sizeof(name), "disk/by-id/%s-", kind);
	if (i->model != NULL) {
		flatten(name, sizeof(name), i->model);
		strlcat(name, "_", sizeof(name));
	}
	flatten(name, sizeof(name), serial);
	one(bd, name, sizeof(name), fn);
}

/* Of a partition alone: its number is no part of the name. */
static void
by_part(struct block_dev *bd, const char *what, const char *text, link_fn *fn)
{
	char name[LINK_MAX], target[BLOCK_NAME + 8];

	if (*text == '\0')
		return;
	snprintf(name, sizeof(name), "disk/by-part%s/", what);
	escape(name, sizeof(name), text);
	snprintf(target, sizeof(target), "../../%s", bd->name);
	fn(name, target);
}

static void
each(struct block_dev *bd, link_fn *fn)
{
	char name[LINK_MAX];

	by_path(bd, fn);
	by_id(bd, fn);
	if (bd->info.link != NULL) {
		snprintf(name, sizeof(name), "disk/%s", bd->info.link);
		one(bd, name, sizeof(name), fn);
	}
	if (bd->whole == NULL)
		return;
	by_part(bd, "uuid", bd->uuid, fn);
	by_part(bd, "label", bd->label, fn);
}

static void
add(const char *name, const char *target)
{
	int error = devtmpfs_link(name, target);

	if (error != 0 && error != -EEXIST)
		log_warn("/dev/%s: error %d", name, -error);
}

void
blkdev_links_add(struct block_dev *bd)
{
	each(bd, add);
}

void
blkdev_links_remove(struct block_dev *bd)
{
	each(bd, devtmpfs_unlink_if);
}
