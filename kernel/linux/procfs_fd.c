/* SPDX-License-Identifier: ISC */
/*
 * procfs_fd.c - a process's open files and mounts: fd/, fdinfo/, mounts,
 * mountinfo.  proc(5).
 */
#include "fs/file.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/procfs_pid.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

/* The open file, referenced.  -ENOENT */
static int
file_of(const struct pseudo_id *id, struct file **out)
{
	struct fdtable *files;
	int error = proc_files(id, &files);

	if (error != 0)
		return error;
	*out = fdtable_file(files, proc_id_fd(id));
	fdtable_put(files);
	return *out != NULL ? 0 : -ENOENT;
}

static long
fd_readlink(const struct pseudo_id *id, char *buf, size_t size)
{
	struct file *f;
	long len = file_of(id, &f);

	if (len != 0)
		return len;
	len = proc_path_text(&f->path, buf, size);
	file_put(f);
	return len;
}

static int
fd_follow(const struct pseudo_id *id, struct path *out)
{
	struct file *f;
	int error = file_of(id, &f);

	if (error != 0)
		return error;
	*out = f->path;
	path_get(out);
	file_put(f);
	return 0;
}

/* A link's permissions say how the file was opened. */
static void
fd_attr(const struct pseudo_id *id, struct pseudo_attr *a)
{
	struct file *f;

	proc_attr(id, a);
	if (file_of(id, &f) != 0)
		return;
	a->mode = ((f->mode & FILE_READ) != 0 ? 0500 : 0) |
	    ((f->mode & FILE_WRITE) != 0 ? 0300 : 0);
	file_put(f);
}

static const struct pseudo_entry fd_entry = {
	.kind = PSEUDO_LINK,
	.mode = 0700,
	.readlink = fd_readlink,
	.follow = fd_follow,
	.attr = fd_attr,
};

/* Whether it is closed at exec; found by number, so may be another's. */
static bool
is_cloexec(const struct pseudo_id *id)
{
	struct fdtable *files;
	unsigned fd = proc_id_fd(id);
	bool set;

	if (proc_files(id, &files) != 0)
		return false;
	spin_lock(&files->lock);
	set = fd < files->nslots && (files->cloexec[fd / 64] >> fd % 64 & 1);
	spin_unlock(&files->lock);
	fdtable_put(files);
	return set;
}

static int
show_fdinfo(const struct pseudo_id *id, struct sbuf *sb)
{
	struct file *f;
	int error = file_of(id, &f);

	if (error != 0)
		return error;
	sbuf_printf(sb, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%u\nino:\t%lu\n",
	    f->pos, f->flags | (is_cloexec(id) ? O_CLOEXEC : 0),
	    f->path.mnt != NULL ? f->path.mnt->id : 0, f->inode->ino);
	if (f->ops->show_fdinfo != NULL)
		f->ops->show_fdinfo(f, sb);
	file_put(f);
	return 0;
}

static const struct pseudo_entry fdinfo_entry = {
	.kind = PSEUDO_FILE,
	.mode = 0444,
	.show = show_fdinfo,
	.attr = proc_attr,
};

static int
find_fd(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id)
{
	struct file *f;
	uint32_t fd;
	int error;

	if (!proc_number(name, len, &fd))
		return -ENOENT;
	id->key = dir->key;
	id->sub = dir->sub | fd;
	error = file_of(id, &f);
	if (error == 0)
		file_put(f);
	return error;
}

static bool
next_fd(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id)
{
	struct fdtable *files;
	struct file *f;
	int fd;

	if (proc_files(dir, &files) != 0)
		return false;
	fd = fdtable_next(files, *pos, &f);
	fdtable_put(files);
	if (fd < 0)
		return false;
	file_put(f);
	*pos = fd;
	id->sub = dir->sub | fd;
	scnprintf(name, 32, "%d", fd);
	return true;
}

static int
fd_dir_find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*entry = &fd_entry;
	return find_fd(dir, name, len, id);
}

static bool
fd_dir_next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*entry = &fd_entry;
	return next_fd(dir, pos, name, id);
}

static int
fdinfo_dir_find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*entry = &fdinfo_entry;
	return find_fd(dir, name, len, id);
}

static bool
fdinfo_dir_next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	*entry = &fdinfo_entry;
	return next_fd(dir, pos, name, id);
}

const struct pseudo_dir_ops proc_fd_dir = {
	.find = fd_dir_find,
	.next = fd_dir_next,
};
const struct pseudo_dir_ops proc_fdinfo_dir = {
	.find = fdinfo_dir_find,
	.next = fdinfo_dir_next,
};

/* ------------------------------------------------------------ mounts -- */

/* One mount as a line; false: it cannot be seen from the process's root. */
typedef void
print_mount_fn(struct sbuf *sb, struct mount *m, const char *point);

static void
print_options(struct sbuf *sb, struct mount *m, bool super)
{
	char options[128] = "";

	mount_options(m, options, sizeof(options));
	sbuf_puts(sb, options);
	if (super && m->sb->ops->show_options != NULL &&
	    m->sb->ops->show_options(m->sb, options, sizeof(options)) > 0)
		sbuf_puts(sb, options);
}

static void
print_mounts_line(struct sbuf *sb, struct mount *m, const char *point)
{
	sbuf_put_escaped(sb, m->source);
	sbuf_puts(sb, " ");
	sbuf_put_escaped(sb, point);
	sbuf_printf(sb, " %s ", m->sb->type->name);
	print_options(sb, m, true);
	sbuf_puts(sb, " 0 0\n");
}

static void
print_mountinfo_line(struct sbuf *sb, struct mount *m, const char *point)
{
	struct path root = { NULL, m->sb->root };
	struct path inside = { NULL, m->root };
	char options[128] = "";
	char *buf = kmalloc(VFS_PATH_MAX);
	const char *text = "/";

	if (buf == NULL) {
		sb->error = -ENOMEM;
		return;
	}
	vfs_path_string(&inside, &root, buf, VFS_PATH_MAX, &text, NULL);
	sbuf_printf(sb, "%u %u %u:%u ", m->id,
	    m->parent != NULL ? m->parent->id : m->id, dev_major(m->sb->dev),
	    dev_minor(m->sb->dev));
	sbuf_put_escaped(sb, text);
	kfree(buf);
	sbuf_puts(sb, " ");
	sbuf_put_escaped(sb, point);
	sbuf_puts(sb, " ");
	print_options(sb, m, false);
	sbuf_printf(sb, " - %s ", m->sb->type->name);
	sbuf_put_escaped(sb, m->source);
	if (m->sb->ops->show_options != NULL)
		m->sb->ops->show_options(m->sb, options, sizeof(options));
	sbuf_printf(sb, " %s%s\n", (m->sb->flags & 1) != 0 ? "ro" : "rw",
	    options);
}

static int
root_of(const struct pseudo_id *id, struct path *root)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	if (p->fs != NULL)
		fsview_root(fsview_of_locked(p, t), root);
	else
		error = -EINVAL;
	proc_unlock();
	return error;
}

static int
print_all_mounts(const struct pseudo_id *id, struct sbuf *sb,
    print_mount_fn *print)
{
	char *buf = kmalloc(VFS_PATH_MAX);
	struct path root, p;
	const char *text;
	struct mount *m;
	bool reachable;
	uint32_t last = 0;
	int error;

	if (buf == NULL)
		return -ENOMEM;
	error = root_of(id, &root);
	while (error == 0 && (m = mount_next(last)) != NULL) {
		last = m->id;
		p.mnt = m;
		p.dentry = m->root;
		if (vfs_path_string(&p, &root, buf, VFS_PATH_MAX, &text,
			&reachable) == 0 &&
		    reachable)
			print(sb, m, text);
		mount_put(m);
	}
	if (error == 0)
		path_put(&root);
	kfree(buf);
	return error;
}

int
proc_show_mounts(const struct pseudo_id *id, struct sbuf *sb)
{
	return print_all_mounts(id, sb, print_mounts_line);
}

int
proc_show_mountinfo(const struct pseudo_id *id, struct sbuf *sb)
{
	return print_all_mounts(id, sb, print_mountinfo_line);
}
