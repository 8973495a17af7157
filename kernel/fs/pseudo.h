/* SPDX-License-Identifier: ISC */
/*
 * pseudo.h - file systems whose files are made up when they are read: /proc
 * and /sys.  A file is a function that prints; a directory is a table of
 * entries, or functions that find and list what changes (processes).
 *
 * An open file's text is made at the first read at position 0 and kept until
 * the file is closed or read from the start again, so that readers with small
 * buffers see one state.
 */
#ifndef FS_PSEUDO_H
#define FS_PSEUDO_H

#include "fs/file.h"
#include "kern/sbuf.h"
#include "fs/vfs.h"
#include "kern/types.h"

/*
 * What an entry's functions are told: who it is about.  `key` comes down from
 * the directory that matched a name (a process id), 0 above; `sub` from the
 * next such directory (a descriptor's or a task's number).
 */
struct pseudo_id {
	uint64_t key, sub;
};

struct pseudo_attr {
	uint32_t mode, uid, gid; /* mode: permissions */
};

struct pseudo_entry;

/* A directory that lists what is there now. */
struct pseudo_dir_ops {
	/*
	 * Is `name` there?  Fills the id's member and says which entry is
	 * behind it.  -ENOENT
	 */
	int (*find)(const struct pseudo_id *dir, const char *name, size_t len,
	    struct pseudo_id *id, const struct pseudo_entry **entry);
	/*
	 * The first name at or after *pos in an order of its own; *pos is set
	 * to its place, id as find does it.  name has room for 32 bytes.
	 * false: no more.
	 */
	bool (*next)(const struct pseudo_id *dir, uint64_t *pos, char *name,
	    struct pseudo_id *id, const struct pseudo_entry **entry);
};

enum pseudo_kind { PSEUDO_FILE, PSEUDO_DIR, PSEUDO_LINK };

struct pseudo_entry {
	const char *name; /* NULL ends a table */
	enum pseudo_kind kind;
	uint32_t mode; /* permissions */
	uint32_t size; /* what stat says: 0 in /proc, a page in /sys */
	/* PSEUDO_FILE: prints the whole text; -ESRCH and so on end the read */
	int (*show)(const struct pseudo_id *id, struct sbuf *sb);
	/* a write arrives whole, NUL-terminated, below a page; 0 or -errno */
	int (*store)(const struct pseudo_id *id, const char *text, size_t len);
	/* or a file with operations of its own; file->priv is free to use */
	const struct file_ops *fops;
	/* PSEUDO_DIR: fixed children, and those that come and go */
	const struct pseudo_entry *children;
	const struct pseudo_dir_ops *dir;
	/* PSEUDO_LINK: the text; or the place itself (then text is for show) */
	long (*readlink)(const struct pseudo_id *id, char *buf, size_t size);
	int (*follow)(const struct pseudo_id *id, struct path *out);
	/* changes what stat says: preset to `mode` and root; or NULL */
	void (*attr)(const struct pseudo_id *id, struct pseudo_attr *attr);
};

/* The id and entry behind a node of such a file system. */
const struct pseudo_entry *
pseudo_inode_entry(const struct inode *inode, struct pseudo_id *id);

/* One instance, shared by all mounts; filled in by its owner. */
struct pseudo_fs {
	struct fs_type type; /* mount is pseudo_mount */
	uint32_t magic;
	const struct pseudo_entry *root; /* a PSEUDO_DIR */
	struct super *sb;                /* NULL until first mounted */
	struct mutex lock;
};
int pseudo_mount(const struct fs_type *type, const char *source, unsigned flags,
    const char *data, struct super **out);

#endif
