/* SPDX-License-Identifier: ISC */
/*
 * p9_super.c - mounting folders of the host: "9p", with trans=virtio.
 * Linux, Documentation/filesystems/9p.rst.
 */
#include "fs/p9.h"
#include "abi/mode.h"
#include "fs/p9_impl.h"
#include "kern/bootargs.h"
#include "kern/cmdline.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include <linux/errno.h>
#include <linux/mount.h>

#define P9_MAGIC     0x01021997
#define ARG_MAX      2048 /* as long as a command line */
#define BOOT_OPTIONS "trans=virtio,version=9p2000.L,msize=524288"

/* ----------------------------------------------------------- options -- */

struct options {
	uint32_t msize;
	bool loose;
	char uname[64], aname[256];
};

static int
parse_msize(struct options *o, const char *value)
{
	uint32_t v = 0;

	for (; *value >= '0' && *value <= '9' && v <= UINT32_MAX / 16; value++)
		v = v * 10 + (*value - '0');
	if (*value != '\0' || v < P9_MSIZE_MIN + P9_IO_HEAD)
		return -EINVAL;
	o->msize = MIN(v, P9_MSIZE_MAX);
	return 0;
}

static int
copy_option(char *to, size_t size, const char *value)
{
	return strlcpy(to, value, size) >= size ? -EINVAL : 0;
}

static int
parse_option(struct options *o, const char *name, const char *value)
{
	if (strcmp(name, "trans") == 0)
		return strcmp(value, "virtio") == 0 ? 0 : -EINVAL;
	if (strcmp(name, "version") == 0)
		return strcmp(value, "9p2000.L") == 0 ? 0 : -EINVAL;
	if (strcmp(name, "msize") == 0)
		return parse_msize(o, value);
	if (strcmp(name, "uname") == 0)
		return copy_option(o->uname, sizeof(o->uname), value);
	if (strcmp(name, "aname") == 0)
		return copy_option(o->aname, sizeof(o->aname), value);
	if (strcmp(name, "access") == 0) /* by mode bits, here */
		return strcmp(value, "client") == 0 ||
			strcmp(value, "user") == 0 ||
			strcmp(value, "any") == 0 ?
		    0 :
		    -EINVAL;
	if (strcmp(name, "cache") != 0)
		return -EINVAL;
	o->loose = strcmp(value, "loose") == 0;
	return o->loose || strcmp(value, "none") == 0 ||
		strcmp(value, "mmap") == 0 ?
	    0 :
	    -EINVAL;
}

/* "name=value,name=value"; cuts up `text`. */
static int
parse_options(struct options *o, char *text)
{
	char *next, *value;
	int error = 0;

	for (; text != NULL && error == 0; text = next) {
		next = strchr(text, ',');
		if (next != NULL)
			*next++ = '\0';
		value = strchr(text, '=');
		if (value != NULL) {
			*value++ = '\0';
			error = parse_option(o, text, value);
		} else if (*text != '\0') {
			error = -EINVAL;
		}
	}
	return error;
}

/* ------------------------------------------------------- superblocks -- */

static int
super_statfs(struct super *sb, struct vfs_statfs *st)
{
	struct p9_client *c = p9_c(sb->root->inode);
	struct p9_rpc rpc = { 0 };
	uint32_t type, bsize, namelen;
	int error = p9_begin(c, &rpc, P9_TSTATFS, "d",
	    p9_i(sb->root->inode)->fid->num);

	if (error != 0)
		return error;
	p9_get(&rpc.in, "ddqqqqqqd", &type, &bsize, &st->blocks, &st->bfree,
	    &st->bavail, &st->files, &st->ffree, &st->fsid, &namelen);
	if (rpc.in.bad)
		error = -EIO;
	st->bsize = bsize;
	st->frsize = bsize;
	st->namelen = namelen;
	p9_end(&rpc);
	return error;
}

static size_t
super_options(struct super *sb, char *buf, size_t size)
{
	const struct p9_super *ps = container_of(sb, struct p9_super, sb);

	return scnprintf(buf, size,
	    ",cache=%s,access=client,msize=%u,trans=virtio",
	    ps->loose ? "loose" : "none", ps->client.msize);
}

static void
super_destroy(struct super *sb)
{
	struct p9_super *ps = container_of(sb, struct p9_super, sb);

	p9_client_fini(&ps->client);
	p9_release(ps->client.channel);
	kfree(ps);
}

static const struct super_ops super_ops = {
	.evict = p9_evict,
	.statfs = super_statfs,
	.destroy = super_destroy,
	.show_options = super_options,
};

static int
make_root(struct p9_super *ps, const struct options *o)
{
	struct p9_client *c = &ps->client;
	struct inode *inode;
	struct p9_fid *fid;
	struct p9_qid qid;
	struct p9_attr a;
	int error;

	error = p9_attach(c, o->uname, o->aname, 0, &qid, &fid);
	if (error != 0)
		return error;
	error = p9_getattr(c, fid, &a);
	if (error == 0 && !S_ISDIR(a.mode))
		error = -ENOTDIR;
	if (error != 0) {
		p9_clunk(c, fid);
		return error;
	}
	error = p9_inode_make(&ps->sb, fid, &a, &inode);
	if (error != 0)
		return error;
	ps->sb.root = dentry_make_root(&ps->sb, inode);
	if (ps->sb.root == NULL) {
		inode_put(inode);
		error = -ENOMEM;
	}
	return error;
}

/* The channel is taken over where there is no error. */
static int
make_super(const struct fs_type *type, struct p9_channel *channel,
    const struct options *o, unsigned flags, struct super **out)
{
	struct p9_super *ps = kzalloc(sizeof(*ps));
	int error;

	if (ps == NULL)
		return -ENOMEM;
	super_init(&ps->sb, &super_ops, type, P9_MAGIC);
	ps->sb.flags = flags;
	ps->loose = o->loose;
	/* A piece of data in each page, and the queue has so many. */
	error = p9_client_init(&ps->client, channel,
	    MIN(o->msize, P9_IO_HEAD + (p9_max_runs(channel) << PAGE_SHIFT)));
	if (error == 0)
		error = make_root(ps, o);
	if (error != 0) {
		p9_client_fini(&ps->client);
		kfree(ps);
		return error;
	}
	*out = &ps->sb;
	return 0;
}

static int
p9_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out)
{
	struct p9_channel *channel;
	struct options *o;
	char *copy;
	int error;

	if (source == NULL)
		return -EINVAL;
	o = kzalloc(sizeof(*o));
	copy = kstrdup(data);
	error = o == NULL || copy == NULL ? -ENOMEM : 0;
	if (error == 0) {
		o->msize = P9_MSIZE_DEFAULT;
		strlcpy(o->uname, "root", sizeof(o->uname));
		error = parse_options(o, copy);
	}
	if (error == 0)
		error = p9_claim(source, &channel);
	if (error == 0) {
		error = make_super(type, channel, o, flags, out);
		if (error != 0)
			p9_release(channel);
	}
	kfree(copy);
	kfree(o);
	return error;
}

const struct fs_type p9_type = { .name = "9p", .mount = p9_mount };

/* -------------------------------------------------------------- boot -- */

/* Makes the directories of an absolute path that are not there. */
static int
make_path(const struct vfs_ctx *ctx, char *path)
{
	char *slash = path;
	int error;

	do {
		slash = strchr(slash + 1, '/');
		if (slash != NULL)
			*slash = '\0';
		error = vfs_mkdir(ctx, NULL, path, 0755);
		if (slash != NULL)
			*slash = '/';
	} while (slash != NULL && (error == 0 || error == -EEXIST));
	return error == -EEXIST ? 0 : error;
}

/* TAG:PATH[:ro]; leaves PATH as it was. */
static int
mount_one(char *tag)
{
	char *path = strchr(tag, ':'), *how;
	unsigned long flags = 0;
	struct vfs_ctx ctx;
	int error;

	if (path == NULL || path == tag || path[1] != '/')
		return -EINVAL;
	*path++ = '\0';
	how = strrchr(path, ':');
	if (how != NULL && strcmp(how, ":ro") == 0) {
		*how = '\0';
		flags = MS_RDONLY;
	}
	vfs_ctx_kernel(&ctx);
	error = make_path(&ctx, path);
	if (error == 0)
		error = vfs_mount(&ctx, tag, path, "9p", flags, BOOT_OPTIONS);
	return error;
}

/* root=TAG rootfstype=9p [rootflags=OPTIONS] [rw] */
static int
mount_asked_root(const char **what)
{
	const struct bootargs *ba = bootargs();
	const char *options = ba->rootflags;
	int error;

	if (ba->root == NULL || ba->rootfstype == NULL ||
	    strcmp(ba->rootfstype, p9_type.name) != 0)
		return 0;
	error = vfs_mount_root_over(ba->root, p9_type.name,
	    ba->rw ? 0 : MS_RDONLY, options != NULL ? options : BOOT_OPTIONS);
	if (error == 0)
		return 0;
	log_err("root=%s: error %d", ba->root, -error);
	*what = ba->root;
	return error;
}

int
p9_mount_asked(const char **what)
{
	const char *line = boot_cmdline();
	char *given, *copy;
	int n, error = mount_asked_root(what);

	if (error != 0 || !bootargs()->mounts)
		return error;
	*what = "remora.mount";
	given = kmalloc(2 * ARG_MAX);
	if (given == NULL)
		return -ENOMEM;
	copy = given + ARG_MAX;
	while (error == 0 &&
	    (n = cmdline_next_value(&line, *what, given, ARG_MAX)) != -ENOENT) {
		strlcpy(copy, given, ARG_MAX);
		error = n < 0 ? n : mount_one(copy);
	}
	if (error == 0) {
		kfree(given);
		return 0;
	}
	*what = given; /* the machine ends */
	log_err("remora.mount=%s: error %d", given, -error);
	return error;
}
