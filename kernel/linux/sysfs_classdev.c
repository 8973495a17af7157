/* SPDX-License-Identifier: ISC */
/*
 * sysfs_classdev.c - the folder of a class device: what all have, its
 * attributes, and those whose parent it is.  sysfs(5).
 *
 * An attribute's file is known by the class device's serial and the
 * attribute's number; a folder of attributes by that of its first one.
 */
#include "bus/classdev.h"
#include "bus/device.h"
#include "bus/uevent.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

#define NAME_SIZE 32 /* of pseudo_dir_ops.next */

static const struct pseudo_entry attr_file, attr_folder;

/* ---- files that all have ---- */

/* Calls print for the class device; -ENODEV when it has gone meanwhile. */
static int
with(const struct pseudo_id *id, struct sbuf *sb,
    void (*print)(struct classdev *cd, struct sbuf *sb))
{
	struct classdev *cd = classdev_find(id->key);

	if (cd == NULL)
		return -ENODEV;
	print(cd, sb);
	classdev_leave(cd);
	return 0;
}

static void
print_dev(struct classdev *cd, struct sbuf *sb)
{
	sbuf_printf(sb, "%u:%u\n", cd->major, cd->minor);
}

static int
show_dev(const struct pseudo_id *id, struct sbuf *sb)
{
	return with(id, sb, print_dev);
}

static int
show_uevent(const struct pseudo_id *id, struct sbuf *sb)
{
	return with(id, sb, uevent_print_classdev);
}

static int
store_uevent(const struct pseudo_id *id, const char *text, size_t len)
{
	struct classdev *cd = classdev_find(id->key);
	const char *action;
	struct sbuf env;
	int error;

	(void)len;
	if (cd == NULL)
		return -ENODEV;
	sbuf_init(&env);
	error = uevent_parse_asked(text, &action, &env);
	if (error == 0)
		error = env.error;
	if (error == 0)
		classdev_uevent(cd, action, env.buf);
	sbuf_fini(&env);
	classdev_leave(cd);
	return error;
}

/* What "device" leads to: false: there is no such link. */
static bool
owner_path(const struct classdev *cd, char *buf, size_t size)
{
	if (cd->parent == NULL && cd->dev != NULL)
		device_path(cd->dev, buf, size);
	else if (cd->parent != NULL && cd->parent->class != cd->class)
		classdev_path(cd->parent, buf, size);
	else
		return false;
	return true;
}

static long
link_of(const struct pseudo_id *id, char *buf, size_t size, bool to_class)
{
	struct classdev *cd = classdev_find(id->key);
	char at[SYS_PATH_MAX], to[SYS_PATH_MAX];
	long len = -ENOENT;

	if (cd == NULL)
		return -ENODEV;
	classdev_path(cd, at, sizeof(at));
	snprintf(to, sizeof(to), "/class/%s", cd->class->name);
	if (to_class || owner_path(cd, to, sizeof(to)))
		len = sysfs_link_from(at, to, buf, size);
	classdev_leave(cd);
	return len;
}

static long
subsystem_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return link_of(id, buf, size, true);
}

static long
device_link(const struct pseudo_id *id, char *buf, size_t size)
{
	return link_of(id, buf, size, false);
}

static const struct pseudo_entry common[] = {
	SYSFS_BOTH("uevent", show_uevent, store_uevent),
	SYSFS_LINK("subsystem", subsystem_link),
	SYSFS_LINK("device", device_link),
	SYSFS_FILE("dev", show_dev),
};

static bool
has_common(const struct classdev *cd, unsigned i)
{
	char path[SYS_PATH_MAX];

	switch (i) {
	case 2: return owner_path(cd, path, sizeof(path));
	case 3: return cd->major != 0;
	default: return true;
	}
}

/* ---- attributes ---- */

/* The held class device and its attribute; NULL: gone. */
static struct classdev *
attr_of(const struct pseudo_id *id, const struct classdev_attr **attr)
{
	struct classdev *cd = classdev_find(id->key);

	*attr = cd == NULL ? NULL : classdev_attr_at(cd, id->sub);
	if (*attr == NULL) {
		classdev_leave(cd);
		cd = NULL;
	}
	return cd;
}

static int
attr_show(const struct pseudo_id *id, struct sbuf *sb)
{
	const struct classdev_attr *attr;
	struct classdev *cd = attr_of(id, &attr);
	int error;

	if (cd == NULL)
		return -ENODEV;
	error = attr->show == NULL ? -EIO : attr->show(cd, sb);
	classdev_leave(cd);
	return error;
}

static int
attr_store(const struct pseudo_id *id, const char *text, size_t len)
{
	const struct classdev_attr *attr;
	struct classdev *cd = attr_of(id, &attr);
	int error;

	if (cd == NULL)
		return -ENODEV;
	error = attr->store == NULL ? -EIO : attr->store(cd, text, len);
	classdev_leave(cd);
	return error;
}

static void
attr_mode(const struct pseudo_id *id, struct pseudo_attr *a)
{
	const struct classdev_attr *attr;
	struct classdev *cd = attr_of(id, &attr);

	if (cd != NULL)
		a->mode = attr->mode;
	classdev_leave(cd);
}

static const struct pseudo_entry attr_file = {
	.name = "attribute",
	.kind = PSEUDO_FILE,
	.mode = 0444,
	.size = PAGE_SIZE,
	.show = attr_show,
	.store = attr_store,
	.attr = attr_mode,
};

/* The length of a name's folder, 0: it stands in none. */
static size_t
folder_len(const char *name)
{
	const char *slash = strchr(name, '/');

	return slash == NULL ? 0 : slash - name;
}

static bool
same_folder(const char *a, const char *b)
{
	size_t len = folder_len(a);

	return len == folder_len(b) && memcmp(a, b, len) == 0;
}

static bool
is_named(const char *have, size_t have_len, const char *name, size_t len)
{
	return have_len == len && memcmp(have, name, len) == 0;
}

/* Attributes, and folders of them, as seen in the class device's folder. */
static int
find_attr(const struct classdev *cd, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct classdev_attr *a;
	unsigned i;
	size_t n;

	for (i = 0; (a = classdev_attr_at(cd, i)) != NULL; i++) {
		n = folder_len(a->name);
		if (!is_named(a->name, n == 0 ? strlen(a->name) : n, name, len))
			continue;
		*id = (struct pseudo_id){ cd->serial, i };
		*entry = n == 0 ? &attr_file : &attr_folder;
		return 0;
	}
	return -ENOENT;
}

static bool
next_attr(const struct classdev *cd, uint64_t *place, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct classdev_attr *a, *before;
	uint64_t i = *place;
	size_t n;

	for (; (a = classdev_attr_at(cd, i)) != NULL; i++) {
		before = i == 0 ? NULL : classdev_attr_at(cd, i - 1);
		n = folder_len(a->name);
		if (n == 0 || before == NULL ||
		    !same_folder(before->name, a->name))
			break;
	}
	if (a == NULL)
		return false;
	strlcpy(name, a->name, n == 0 ? NAME_SIZE : MIN(n + 1, NAME_SIZE));
	*id = (struct pseudo_id){ cd->serial, i };
	*entry = n == 0 ? &attr_file : &attr_folder;
	*place = i;
	return true;
}

/* In a folder of attributes: id->sub is the first of them. */
static int
find_in_folder(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct classdev_attr *first, *a;
	struct classdev *cd = attr_of(dir, &first);
	int error = -ENOENT;
	unsigned i;
	size_t n;

	if (cd == NULL)
		return -ENOENT;
	n = folder_len(first->name) + 1;
	for (i = dir->sub; (a = classdev_attr_at(cd, i)) != NULL &&
	     same_folder(first->name, a->name);
	     i++) {
		if (len == 0 ||
		    !is_named(a->name + n, strlen(a->name + n), name, len))
			continue;
		*id = (struct pseudo_id){ cd->serial, i };
		*entry = &attr_file;
		error = 0;
		break;
	}
	classdev_leave(cd);
	return error;
}

static bool
next_in_folder(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	const struct classdev_attr *first, *a = NULL;
	struct classdev *cd = attr_of(dir, &first);
	size_t n;
	bool found;

	if (cd == NULL)
		return false;
	n = folder_len(first->name) + 1;
	a = classdev_attr_at(cd, dir->sub + *pos);
	found = a != NULL && same_folder(first->name, a->name) &&
	    a->name[n] != '\0';
	if (found) {
		strlcpy(name, a->name + n, NAME_SIZE);
		*id = (struct pseudo_id){ cd->serial, dir->sub + *pos };
		*entry = &attr_file;
	}
	classdev_leave(cd);
	return found;
}

static const struct pseudo_dir_ops attr_folder_dir = {
	.find = find_in_folder,
	.next = next_in_folder,
};
static const struct pseudo_entry attr_folder = {
	.name = "attributes",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.dir = &attr_folder_dir,
};

/* ---- the folder ---- */

struct below {
	const struct classdev *parent;
	const char *name; /* NULL: any; len */
	size_t len;
};

static bool
is_below(const struct classdev *cd, const void *arg)
{
	const struct below *b = arg;

	return cd->parent == b->parent &&
	    (b->name == NULL ||
		is_named(cd->name, strlen(cd->name), b->name, b->len));
}

static int
find_below(struct classdev *parent, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct below b = { parent, name, len };
	struct classdev *cd = classdev_after(0, is_below, &b);

	if (cd == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = &sysfs_classdev_folder;
	classdev_leave(cd);
	return 0;
}

static int
find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct classdev *cd = classdev_find(dir->key);
	int error = -ENOENT;
	unsigned i;

	if (cd == NULL)
		return -ENOENT;
	for (i = 0; i < ARRAY_SIZE(common) && error != 0; i++) {
		if (!is_named(common[i].name, strlen(common[i].name), name,
			len) ||
		    !has_common(cd, i))
			continue;
		*id = (struct pseudo_id){ .key = dir->key };
		*entry = &common[i];
		error = 0;
	}
	if (error != 0)
		error = find_attr(cd, name, len, id, entry);
	if (error != 0)
		error = find_below(cd, name, len, id, entry);
	classdev_leave(cd);
	return error;
}

static bool
next_common(const struct classdev *cd, uint64_t *place, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	uint64_t i = *place;

	while (i < ARRAY_SIZE(common) && !has_common(cd, i))
		i++;
	if (i >= ARRAY_SIZE(common))
		return false;
	strlcpy(name, common[i].name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = &common[i];
	*place = i;
	return true;
}

static bool
next_below(const struct classdev *parent, uint64_t *place, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct below b = { .parent = parent };

	return sysfs_emit_classdev(classdev_after(*place == 0 ? 0 : *place - 1,
				       is_below, &b),
	    name, id, entry, place);
}

enum { PART_COMMON, PART_ATTRS, PART_BELOW, PART_END };

static bool
next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct classdev *cd = classdev_find(dir->key);
	uint64_t part = sysfs_pos_part(*pos), place = sysfs_pos_place(*pos);
	bool found = false;

	if (cd == NULL)
		return false;
	for (; part < PART_END && !found; part++, place = 0) {
		found = part == PART_COMMON ?
		    next_common(cd, &place, name, id, entry) :
		    part == PART_ATTRS ?
		    next_attr(cd, &place, name, id, entry) :
		    next_below(cd, &place, name, id, entry);
		if (found)
			*pos = sysfs_pos(part, place);
	}
	classdev_leave(cd);
	return found;
}

static const struct pseudo_dir_ops folder_dir = {
	.find = find,
	.next = next,
};

const struct pseudo_entry sysfs_classdev_folder = {
	.name = "classdev",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.dir = &folder_dir,
};
