/* SPDX-License-Identifier: ISC */
/*
 * sysfs_class.c - /sys/class, /sys/block and /sys/dev: class devices by class
 * and by number, as links into /sys/devices.  sysfs(5).
 */
#include "block/block.h"
#include "bus/classdev.h"
#include "fs/chrdev.h"
#include "kern/string.h"
#include "linux/sysfs.h"
#include <linux/errno.h>

#define NAME_SIZE 32 /* of pseudo_dir_ops.next */

static bool
is_named(const char *have, const char *name, size_t len)
{
	return strlen(have) == len && memcmp(have, name, len) == 0;
}

/* ---- links: id->key is the class device's serial ---- */

static long
link_text(const struct pseudo_id *id, char *buf, size_t size, unsigned up)
{
	struct classdev *cd = classdev_find(id->key);
	char path[SYS_PATH_MAX];

	if (cd == NULL)
		return -ENODEV;
	classdev_path(cd, path, sizeof(path));
	classdev_leave(cd);
	return sysfs_link_text(buf, size, up, path);
}

static long
link_up_1(const struct pseudo_id *id, char *buf, size_t size)
{
	return link_text(id, buf, size, 1);
}

static long
link_up_2(const struct pseudo_id *id, char *buf, size_t size)
{
	return link_text(id, buf, size, 2);
}

static const struct pseudo_entry up_1 = SYSFS_LINK("link", link_up_1);
static const struct pseudo_entry up_2 = SYSFS_LINK("link", link_up_2);

/* What is looked for. */
struct wanted {
	const char *class; /* NULL: any */
	const char *name;  /* NULL: any; len */
	size_t len;
	bool top;              /* no partitions */
	bool block, by_number; /* numbers of that kind */
};

static bool
fits(const struct classdev *cd, const void *arg)
{
	const struct wanted *w = arg;
	char number[32];

	if (w->class != NULL && strcmp(cd->class->name, w->class) != 0)
		return false;
	if (w->top && cd->parent != NULL && cd->parent->class == cd->class)
		return false;
	if (!w->by_number)
		return w->name == NULL || is_named(cd->name, w->name, w->len);
	if (cd->major == 0 || cd->is_block != w->block)
		return false;
	snprintf(number, sizeof(number), "%u:%u", cd->major, cd->minor);
	return w->name == NULL || is_named(number, w->name, w->len);
}

static int
find_link(const struct wanted *w, const struct pseudo_entry *link,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct classdev *cd;

	chrdev_publish();
	block_settle();
	cd = classdev_after(0, fits, w);
	if (cd == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = link;
	classdev_leave(cd);
	return 0;
}

static bool
next_link(const struct wanted *w, const struct pseudo_entry *link,
    uint64_t *pos, char *name, struct pseudo_id *id,
    const struct pseudo_entry **entry)
{
	struct classdev *cd;

	chrdev_publish();
	block_settle();
	cd = classdev_after(*pos == 0 ? 0 : *pos - 1, fits, w);
	if (cd == NULL)
		return false;
	if (w->by_number)
		snprintf(name, NAME_SIZE, "%u:%u", cd->major, cd->minor);
	else
		strlcpy(name, cd->name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = cd->serial };
	*entry = link;
	*pos = cd->serial;
	classdev_leave(cd);
	return true;
}

/* ---- /sys/class: id->key is the struct class, which lives for ever ---- */

static const char *
class_name(const struct pseudo_id *id)
{
	return ((const struct class *)(uintptr_t)id->key)->name;
}

static int
find_in_class(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct wanted w = { .class = class_name(dir),
		.name = name,
		.len = len };

	return find_link(&w, &up_2, id, entry);
}

static bool
next_in_class(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct wanted w = { .class = class_name(dir) };

	return next_link(&w, &up_2, pos, name, id, entry);
}

static const struct pseudo_dir_ops class_dir = {
	.find = find_in_class,
	.next = next_in_class,
};
static const struct pseudo_entry class_folder = {
	.name = "class",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.dir = &class_dir,
};

/* Programs look for these whether or not there is anything. */
static const struct class always[] = { { .name = "block" }, { .name = "net" } };

static const struct class *
always_named(const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(always); i++)
		if (is_named(always[i].name, name, len))
			return &always[i];
	return NULL;
}

struct class_name {
	const char *name;
	size_t len;
};

static bool
is_of_class(const struct classdev *cd, const void *arg)
{
	const struct class_name *c = arg;

	return is_named(cd->class->name, c->name, c->len);
}

static int
find_class(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct class_name c = { name, len };
	const struct class *class = always_named(name, len);
	struct classdev *cd;

	(void)dir;
	chrdev_publish();
	block_settle();
	if (class == NULL) {
		cd = classdev_after(0, is_of_class, &c);
		class = cd == NULL ? NULL : cd->class;
		classdev_leave(cd);
	}
	if (class == NULL)
		return -ENOENT;
	*id = (struct pseudo_id){ .key = (uintptr_t) class };
	*entry = &class_folder;
	return 0;
}

/* Has no class device of that class come before? */
static bool
is_first(const struct classdev *cd)
{
	struct class_name c = { cd->class->name, strlen(cd->class->name) };
	struct classdev *first = classdev_after(0, is_of_class, &c);
	bool is = first == cd;

	classdev_leave(first);
	return is;
}

static bool
any(const struct classdev *cd, const void *arg)
{
	(void)cd;
	(void)arg;
	return true;
}

/* The class of the first class device from *serial on that brings a new one. */
static const struct class *
next_new_class(uint64_t *serial)
{
	const struct class *class = NULL;
	uint64_t after = *serial == 0 ? 0 : *serial - 1;
	struct classdev *cd;

	while (
	    class == NULL && (cd = classdev_after(after, any, NULL)) != NULL) {
		after = cd->serial;
		if (always_named(cd->class->name, strlen(cd->class->name)) ==
			NULL &&
		    is_first(cd))
			class = cd->class;
		classdev_leave(cd);
	}
	*serial = after;
	return class;
}

static bool
next_class(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	uint64_t place = sysfs_pos_place(*pos);
	const struct class *class;

	(void)dir;
	chrdev_publish();
	block_settle();
	if (sysfs_pos_part(*pos) == 0 && place < ARRAY_SIZE(always)) {
		class = &always[place];
	} else {
		if (sysfs_pos_part(*pos) == 0)
			place = 0;
		class = next_new_class(&place);
		if (class == NULL)
			return false;
		*pos = sysfs_pos(1, place);
	}
	strlcpy(name, class->name, NAME_SIZE);
	*id = (struct pseudo_id){ .key = (uintptr_t) class };
	*entry = &class_folder;
	return true;
}

const struct pseudo_dir_ops sysfs_class_dir = {
	.find = find_class,
	.next = next_class,
};

/* ---- /sys/block, /sys/dev/block, /sys/dev/char ---- */

#define LINKS(dir_name, link, ...)                                           \
	static int dir_name##_find(const struct pseudo_id *dir,              \
	    const char *name, size_t len, struct pseudo_id *id,              \
	    const struct pseudo_entry **entry)                               \
	{                                                                    \
		struct wanted w = { .name = name, .len = len, __VA_ARGS__ }; \
                                                                             \
		(void)dir;                                                   \
		return find_link(&w, link, id, entry);                       \
	}                                                                    \
	static bool dir_name##_next(const struct pseudo_id *dir,             \
	    uint64_t *pos, char *name, struct pseudo_id *id,                 \
	    const struct pseudo_entry **entry)                               \
	{                                                                    \
		struct wanted w = { __VA_ARGS__ };                           \
                                                                             \
		(void)dir;                                                   \
		return next_link(&w, link, pos, name, id, entry);            \
	}                                                                    \
	const struct pseudo_dir_ops dir_name = {                             \
		.find = dir_name##_find,                                     \
		.next = dir_name##_next,                                     \
	}

LINKS(sysfs_block_dir, &up_1, .class = "block", .top = true);
LINKS(sysfs_dev_block_dir, &up_2, .by_number = true, .block = true);
LINKS(sysfs_dev_char_dir, &up_2, .by_number = true);
