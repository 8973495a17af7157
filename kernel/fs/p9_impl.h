/* SPDX-License-Identifier: ISC */
/*
 * p9_impl.h - what the files of the 9P file system share: p9_super.c (mounts),
 * p9_inode.c (attributes, names), p9_file.c (contents).
 *
 * A file has a fid that stands for its name's place, and up to two that were
 * opened, to read and to write, which all its open files share.  They stay as
 * long as one is open, or for good once it was mapped: pages may be needed
 * when no file is open any more.
 *
 * cache=none: what the server says counts.  Names are asked for at each use,
 * reads and writes go to it; only what is mapped has pages, which are dropped
 * when the server's file has changed.  cache=loose: nobody else changes the
 * files; names, attributes and pages stay.  Writes go to the server at once in
 * either; what is written through mappings at msync, close and the end.
 */
#ifndef FS_P9_IMPL_H
#define FS_P9_IMPL_H

#include "fs/file.h"
#include "fs/p9_client.h"

struct p9_super {
	struct super sb;
	struct p9_client client;
	bool loose; /* [I] */
};

struct p9_inode { /* I: constant; o: open_lock; a: atomic, a hint */
	struct inode inode;
	struct p9_fid *fid; /* [I] of its place */
	uint32_t version;   /* what the pages were read from */
	uint64_t blocks;    /* of 512 bytes */
	bool stale;         /* [a] the server knows better */
	struct mutex open_lock;
	uint32_t nopen;           /* [o] */
	bool mapped;              /* [o] once and for all */
	struct p9_fid *opened[2]; /* [o] set once while nopen > 0 */
	uint64_t next_index;      /* [a] where reading in order would go on */
	uint32_t window;          /* [a] pages */
};
enum { P9_READER, P9_WRITER }; /* of opened[]; a writer may read, too */

static inline struct p9_inode *
p9_i(const struct inode *inode)
{
	return container_of(inode, struct p9_inode, inode);
}
static inline struct p9_super *
p9_sb(const struct inode *inode)
{
	return container_of(inode->sb, struct p9_super, sb);
}
static inline struct p9_client *
p9_c(const struct inode *inode)
{
	return &p9_sb(inode)->client;
}

/* Takes the fid over, in any case. */
int p9_inode_make(struct super *sb, struct p9_fid *fid, const struct p9_attr *a,
    struct inode **out);
void p9_evict(struct inode *inode);
/* Asks for the attributes, unless they are known and stay so. */
int p9_fresh(struct inode *inode);
int p9_refresh(struct inode *inode);

/* Ends what was opened. */
void p9_close(struct p9_inode *pi);
/* An opened fid for another of the same place.  flags: O_* */
int p9_lopen(struct inode *inode, unsigned flags, struct p9_fid **out);

/* For cache=none and cache=loose. */
extern const struct inode_ops p9_inode_ops[2];
extern const struct file_ops p9_file_fops, p9_dir_fops;
extern const struct pagecache_ops p9_page_ops;

#endif
