/* SPDX-License-Identifier: ISC */
/*
 * vfs.h - file systems: inodes, names (dentries), superblocks, mounts, and
 * the walk along a path.  Open files are in file.h, pages in pagecache.h.
 *
 * Names.  Every directory entry that was used is a dentry in one tree per
 * superblock, found through one hash.  In-memory file systems keep their
 * directories there and nowhere else: such dentries are pinned, and a
 * directory marked DENTRY_COMPLETE answers a miss without asking anybody.
 * Other file systems use the tree as a cache, in which a dentry may also be
 * negative (no inode).
 *
 * Locking, outermost first:
 *   rename_lock	a sleep lock a superblock: renames of directories
 *   inode->lock	sleep lock: a directory's entries, ancestors first; then
 *			a file's size, attributes and writes
 *   (vmspace locks: a copy to or from a program may fault)
 *   vfs_lock		spin lock: the dentry tree and hash, the mount tree
 *   pagecache lock	spin lock a file, see pagecache.h
 *   file systems' own spin locks
 * Operations of a file system are called with no spin lock held and may sleep
 * unless said otherwise.  Path walks over cached names take vfs_lock once.
 *
 * References: a struct path holds one on its mount and one on its dentry; a
 * dentry holds one on its inode and on its parent; a mapping of a file holds
 * one on the inode (they share one counter, the vm_object's).
 */
#ifndef FS_VFS_H
#define FS_VFS_H

#include "fs/pagecache.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

struct dentry;
struct file;
struct file_ops;
struct inode;
struct mount;
struct super;

/* Device numbers as stat(2) shows them. */
static inline uint64_t
dev_make(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | ((uint64_t)(major & 0xfff) << 8) |
	    ((uint64_t)(minor & ~0xffu) << 12) |
	    ((uint64_t)(major & ~0xfffu) << 32);
}
static inline uint32_t
dev_major(uint64_t dev)
{
	return ((dev >> 8) & 0xfff) | ((dev >> 32) & ~0xfffu);
}
static inline uint32_t
dev_minor(uint64_t dev)
{
	return (dev & 0xff) | ((dev >> 12) & ~0xffu);
}

/* Who asks.  Filled by the caller from its credentials; borrowed. */
struct vfs_cred {
	uint32_t uid, gid; /* fsuid, fsgid */
	uint32_t ngroups;
	const uint32_t *groups;
	uint64_t caps; /* effective; bits by CAP_* */
};
extern const struct vfs_cred vfs_cred_kernel; /* may everything */

static inline bool
vfs_capable(const struct vfs_cred *c, unsigned cap)
{
	return (c->caps >> cap & 1) != 0;
}
/* Whether gid is c's own or one of its supplementary groups. */
bool vfs_in_group(const struct vfs_cred *c, uint32_t gid);

/* A place: a name, and the mount through which it was reached. */
struct path {
	struct mount *mnt;
	struct dentry *dentry;
};
void path_get(const struct path *p);
void path_put(const struct path *p); /* NULL members are harmless */

/* What a walk needs of the process; borrowed, stable during the call. */
struct vfs_ctx {
	struct path root, cwd;
	const struct vfs_cred *cred;
	uint32_t umask;
};

/*
 * For kernel callers: root of the root mount, all permissions.  No reference
 * is taken: the root mount stays.
 */
void vfs_ctx_kernel(struct vfs_ctx *ctx);
/* The same, at the initial file system, whatever lies on it now. */
void vfs_ctx_initial(struct vfs_ctx *ctx);

/* ------------------------------------------------------------- inodes -- */

/* What stat(2) tells. */
struct vfs_stat {
	uint64_t dev, ino, rdev, size, blocks; /* blocks of 512 bytes */
	uint32_t mode, nlink, uid, gid, blksize;
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns; /* since 1970 */
	uint64_t mnt_id;
};

#define ATTR_MODE      0x01u
#define ATTR_UID       0x02u
#define ATTR_GID       0x04u
#define ATTR_SIZE      0x08u
#define ATTR_ATIME     0x10u
#define ATTR_MTIME     0x20u
#define ATTR_ATIME_NOW 0x40u /* to the present; weaker permission needed */
#define ATTR_MTIME_NOW 0x80u
#define ATTR_FILE      0x100u /* by an open descriptor: size needs no permission */
struct vfs_attr {
	unsigned valid; /* ATTR_* */
	uint32_t mode;  /* permission bits only */
	uint32_t uid, gid;
	uint64_t size;
	int64_t atime_ns, mtime_ns;
};

struct inode_ops {
	bool keeps_flags; /* INODE_OF_PROGRAMS */
	/*
	 * Directories; dir->lock is held.  `d` is a new negative dentry with
	 * name and parent; on 0 it has become positive (dentry_instantiate)
	 * or, for lookup alone, may have been left negative (-ENOENT later,
	 * unless it made all entries and the directory complete).
	 */
	int (*lookup)(struct inode *dir, struct dentry *d);
	/*
	 * Makes all entries of a directory that is not DENTRY_COMPLETE and
	 * then is: before it is listed or changed, and at a look-up if there
	 * is no lookup.
	 */
	int (*populate)(struct inode *dir, struct dentry *d);
	int (*create)(struct inode *dir, struct dentry *d, uint32_t mode,
	    const struct vfs_cred *cred);
	int (*mkdir)(struct inode *dir, struct dentry *d, uint32_t mode,
	    const struct vfs_cred *cred);
	int (*mknod)(struct inode *dir, struct dentry *d, uint32_t mode,
	    uint64_t rdev, const struct vfs_cred *cred);
	int (*symlink)(struct inode *dir, struct dentry *d, const char *target,
	    const struct vfs_cred *cred);
	/* old->lock is held, too */
	int (*link)(struct inode *dir, struct dentry *d, struct inode *old);
	/* the victim's lock is held, too; the caller drops the dentry */
	int (*unlink)(struct inode *dir, struct dentry *d);
	int (*rmdir)(struct inode *dir, struct dentry *d);
	/*
	 * Both directories and what is replaced are locked, types checked;
	 * emptiness is the file system's to check (-ENOTEMPTY).  `to` may be negative.  The caller moves the
	 * dentries afterwards.  flags: RENAME_EXCHANGE or 0.
	 */
	int (*rename)(struct inode *olddir, struct dentry *from,
	    struct inode *newdir, struct dentry *to, unsigned flags);
	/* An unnamed regular file (O_TMPFILE). */
	int (*tmpfile)(struct inode *dir, uint32_t mode,
	    const struct vfs_cred *cred, struct inode **out);

	/*
	 * Symbolic links: the target's length and, up to size, its bytes (no
	 * NUL).  Links that are no text but a place (/proc/PID/fd/N) also
	 * have `follow`, which gives the place, references included.
	 */
	long (*readlink)(struct inode *inode, char *buf, size_t size);
	int (*follow)(struct inode *inode, struct path *out);

	/* NULL: from the inode's fields. */
	int (*getattr)(struct inode *inode, struct vfs_stat *st);
	/*
	 * inode->lock held, permission checked.  NULL: fields are set.
	 * With ATTR_SIZE the file system frees or extends.
	 */
	int (*setattr)(struct inode *inode, const struct vfs_attr *attr);
	/* NULL: by mode bits.  mask: MAY_*.  May not sleep. */
	int (*permission)(struct inode *inode, const struct vfs_cred *cred,
	    unsigned mask);
	/*
	 * Is a cached name still true?  NULL: always.  false: it is looked up
	 * anew.
	 */
	bool (*revalidate)(struct dentry *d);
};

/*
 * One file.  File systems embed it.  I: constant; i: under `lock` (single
 * fields may be read without); a: atomic; v: vfs_lock.
 */
struct inode {
	const struct inode_ops *ops; /* [I] */
	const struct file_ops *fops; /* [I] of regular files, directories */
	struct super *sb;            /* [I] */
	struct pagecache pages;      /* its object.refs counts the inode */
	uint64_t ino;                /* [I] */
	uint64_t rdev;               /* [I] */
	uint64_t size;               /* [i] */
	int64_t atime_ns, mtime_ns, ctime_ns, btime_ns; /* [i] */
	uint32_t mode, nlink, uid, gid;                 /* [i] */
	int32_t writers; /* [a] open for writing; < 0: denied */
	uint32_t flags;  /* [i] INODE_* */
	struct mutex lock;
	SLIST_HEAD(, dentry) names; /* [v] dentries that stand for it */
	void *ipc;                  /* the pipe or socket behind a node */
	void *locks;                /* linux/locks.c: flock, fcntl */
	void *watches;              /* for inotify */
};

#define INODE_IMMUTABLE 0x1u
#define INODE_APPEND    0x2u
#define INODE_NOATIME   0x4u
#define INODE_DEAD      0x8u  /* a directory that was removed */
#define INODE_LINKABLE  0x10u /* without a name, but may get one */
#define INODE_NODUMP    0x20u /* only kept, for programs */
/* What chattr(1) changes, where the file system keeps it. */
#define INODE_OF_PROGRAMS \
	(INODE_IMMUTABLE | INODE_APPEND | INODE_NOATIME | INODE_NODUMP)

/*
 * Makes an inode that the file system allocated usable: one reference for
 * the caller, zeroed fields set from the arguments, times are now.
 */
void
inode_init(struct inode *inode, struct super *sb, uint32_t mode, uint64_t rdev);
static inline void
inode_get(struct inode *inode)
{
	__atomic_add_fetch(&inode->pages.object.refs, 1, __ATOMIC_RELAXED);
}
/* The last one: pages go, then super_ops.evict. */
void inode_put(struct inode *inode);
void inode_release(struct inode *inode); /* what that does; for pagecache.c */
/* One name of the inode as seen from the root, for /proc/PID/maps. */
void inode_path_string(struct inode *inode, char *buf, size_t size);

#define MAY_EXEC  1u /* also: search a directory */
#define MAY_WRITE 2u
#define MAY_READ  4u
/* 0, -EACCES, or -EPERM (immutable).  Does not sleep. */
int inode_permission(struct inode *inode, const struct vfs_cred *cred,
    unsigned mask);
/* Sets ctime and mtime to now. */
void inode_touch(struct inode *inode);
/* Sets atime as `relatime` (or the mount's flags) asks. */
void inode_accessed(struct inode *inode, const struct mount *mnt);
/* After a write, inode->lock held: set-user-ID and the like go. */
void inode_strip_privilege(struct inode *inode);
/* Attributes from the fields, or by the file system. */
int inode_stat(struct inode *inode, struct vfs_stat *st);
/* The fields' part of setattr, size excepted; sets ctime. */
void inode_setattr_fields(struct inode *inode, const struct vfs_attr *attr);
/* Owner, group and mode of a new entry in dir (set-group-ID directories). */
void inode_init_owner(struct inode *inode, const struct inode *dir,
    uint32_t mode, const struct vfs_cred *cred);

/*
 * Of inode->flags: what must not happen to a memory file any more, fcntl(2)'s
 * F_SEAL_* shifted; without INODE_SEALABLE nothing can be added.
 */
#define INODE_SEALABLE   0x100u
#define INODE_SEAL(seal) ((uint32_t)(seal) << 16)
#define INODE_SEALS(f)   ((f) >> 16)

/*
 * A running program's file is not written, a file being written is not run:
 *   -ETXTBSY.  exec calls deny, the end of the program allow.
 */
int inode_deny_write(struct inode *inode);
void inode_allow_write(struct inode *inode);
int inode_get_write(struct inode *inode);
void inode_put_write(struct inode *inode);

/* ------------------------------------------------------------ dentries -- */

#define DENTRY_INLINE 48

struct dentry {                   /* I constant, v: vfs_lock, a: atomic */
	uint32_t refs;            /* [a] from 0 up only under v */
	uint32_t flags;           /* [v] DENTRY_* */
	uint32_t hash;            /* [v] of parent and name */
	uint16_t len;             /* [v] of name */
	uint16_t nmounts;         /* [v] mounted on it */
	struct dentry *hash_next; /* [v] */
	struct dentry *parent;    /* [v] itself for a root */
	struct inode *inode;      /* [v] NULL: negative */
	struct super *sb;         /* [I] */
	uint64_t cookie;          /* [v] place among siblings, ascending */
	TAILQ_HEAD(dentry_list, dentry) children; /* [v] */
	TAILQ_ENTRY(dentry) sibling;              /* [v] */
	SLIST_ENTRY(dentry) alias;                /* [v] on inode->names */
	TAILQ_ENTRY(dentry) lru;                  /* [v] while refs is 0 */
	const char *name;                         /* [v] NUL-terminated */
	void *priv;                               /* the file system's */
	char inline_name[DENTRY_INLINE];
};

#define DENTRY_HASHED   0x01u
#define DENTRY_PINNED   0x02u /* holds a reference to itself */
#define DENTRY_COMPLETE 0x04u /* what has no dentry here does not exist */
#define DENTRY_ROOT     0x08u
#define DENTRY_ANON     0x10u /* no place in the tree: "pipe:[7]" */
#define DENTRY_LRU      0x20u
#define DENTRY_NOCACHE  0x40u /* freed with its last reference */
#define DENTRY_AUTO     0x80u /* priv: struct automount, done at first use */

extern struct spinlock vfs_lock;

static inline void
dentry_get(struct dentry *d) /* of one already held */
{
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
}
void dentry_put(struct dentry *d); /* may sleep */

/*
 * Gives a negative dentry its inode (takes over the reference).  pinned: it
 * stays until dentry_drop().
 */
void dentry_instantiate(struct dentry *d, struct inode *inode, bool pinned);
/* Takes the name away: out of the hash, unpinned.  Holders keep the rest. */
void dentry_drop(struct dentry *d);
/* A superblock's root; takes over the inode's reference.  NULL: no memory. */
struct dentry *dentry_make_root(struct super *sb, struct inode *inode);
/* A name without a place, for pipes and the like; takes over the inode's. */
struct dentry *dentry_make_anon(const char *name, struct inode *inode);
/*
 * The cached child of that name, referenced, or NULL.  For file systems whose
 * entries arrive and depart (devtmpfs, /sys).
 */
struct dentry *dentry_find(struct dentry *dir, const char *name, size_t len);
/*
 * Finds or makes the child: dir's inode->lock held.  The result may be
 * negative.  -ENOMEM, and what lookup answers.
 */
int dentry_lookup(struct dentry *dir, const char *name, size_t len,
    struct dentry **out);
/* Frees unused cached dentries, at most n; how many.  Does not sleep. */
unsigned dentry_reclaim(unsigned n);

/* --------------------------------------- superblocks, types and mounts -- */

struct vfs_statfs { /* as statfs(2) */
	uint64_t type, bsize, blocks, bfree, bavail, files, ffree, namelen,
	    frsize, flags, fsid;
};

struct super_ops {
	/* The inode's last reference is gone: free what is behind it, and it. */
	void (*evict)(struct inode *inode);
	int (
	    *statfs)(struct super *sb, struct vfs_statfs *st); /* may be NULL */
	int (*sync)(struct super *sb);                         /* may be NULL */
	int (*remount)(struct super *sb, unsigned flags, const char *data);
	/* After the last mount is gone and the tree is empty: frees sb. */
	void (*destroy)(struct super *sb);
	/* The options of /proc/mounts, begun by a comma; may be NULL. */
	size_t (*show_options)(struct super *sb, char *buf, size_t size);
};

struct super {
	const struct super_ops *ops; /* [I] */
	const struct fs_type *type;  /* [I] */
	struct dentry *root;         /* [I] */
	uint64_t dev;                /* [I] st_dev */
	uint32_t mounts;             /* [v] a shared one has one more */
	uint32_t refs;               /* [a] inodes, and one for all mounts */
	uint32_t flags;              /* MS_RDONLY ... */
	uint32_t magic, blksize;     /* [I] */
	uint64_t max_size;           /* [I] of a file */
	struct mutex rename_lock;
	void *priv;
};
/* What pipes and the like show as st_dev: 0:1. */
#define SUPER_DEV_ANON 1u
/*
 * Sets the common fields, counting the first mount; dev is a new anonymous
 * device number.  Blocks are pages, files may have any size.
 */
void super_init(struct super *sb, const struct super_ops *ops,
    const struct fs_type *type, uint32_t magic);
/*
 * One mount less.  After the last one the names go; when the last inode is
 * gone too (a mapping may keep one), ops->destroy is called.
 */
void super_unmount(struct super *sb);
void super_put(struct super *sb);

struct fs_type {
	const char *name;
	bool needs_device; /* /proc/filesystems without "nodev" */
	/*
	 * Makes or finds (shared: proc, sysfs, devtmpfs) a superblock: one
	 * reference for the mount.  source as given to mount(2); data is its
	 * option string, never NULL.
	 *   -EINVAL (option), -ENOMEM, -ENODEV, -EIO, ...
	 */
	int (*mount)(const struct fs_type *type, const char *source,
	    unsigned flags, const char *data, struct super **out);
};
/* The visible table: fs/types.c; higher floors add theirs at boot. */
const struct fs_type *fs_type_find(const char *name);
int fs_type_register(const struct fs_type *type); /* -EBUSY, -ENOSPC */
/* The i-th type, NULL after the last. */
const struct fs_type *fs_type_at(unsigned i);

/*
 * A file system that is mounted on a directory of the kernel's own when a walk
 * first goes there: so that nothing is set up that nobody looks at.
 */
struct automount {
	const char *name, *type, *data;
	unsigned long flags; /* MS_* */
};
/* d is such a directory; `a` stays.  Before anybody else knows d. */
void dentry_automount(struct dentry *d, const struct automount *a);

struct mount {                   /* v: vfs_lock */
	uint32_t refs;           /* [a] the tree holds one */
	uint32_t id;             /* [I] mountinfo's */
	uint32_t flags;          /* [v] MS_* */
	bool kernel;             /* [v] made at boot, gives way */
	struct mount *parent;    /* [v] NULL: root, or unmounted */
	struct dentry *point;    /* [v] where in the parent */
	struct dentry *root;     /* [I] */
	struct super *sb;        /* [I] */
	char *source;            /* [I] first field of /proc/mounts */
	TAILQ_ENTRY(mount) link; /* [v] all, in the order of mounting */
};
TAILQ_HEAD(mount_list, mount);

/*
 * mount(2), with flags and data as there (data may be NULL, is a string).
 * MS_BIND, MS_MOVE, MS_REMOUNT and propagation flags included.  Permission
 * (CAP_SYS_ADMIN) is checked.  -EPERM, -ENODEV, -EBUSY, ...
 */
int vfs_mount(const struct vfs_ctx *ctx, const char *source, const char *target,
    const char *type, unsigned long flags, const char *data);
/* umount2(2).  -EBUSY, -EINVAL (no mount point). */
int vfs_umount(const struct vfs_ctx *ctx, const char *target, int flags);
/* The first mount, at boot: the root everybody starts with. */
int vfs_mount_root(const char *type, const char *data);
/*
 * At boot, before there is a process: mounts type on the initial root, and
 * everybody starts there.  flags: MS_RDONLY or 0.  -ENODEV, or the type's.
 */
int vfs_mount_root_over(const char *source, const char *type,
    unsigned long flags, const char *data);
/* Nothing was mounted over the initial root. */
bool vfs_root_is_initial(void);
/* At boot: mounts type on the directory target, making it if need be. */
int vfs_mount_kernel(const char *type, const char *target);
/*
 * The mounts in order, for /proc: with `after` the one that comes after that
 * id, 0 first.  Referenced (mount_put); NULL: no more.
 */
struct mount *mount_next(uint32_t after);
static inline void
mount_get(struct mount *m)
{
	__atomic_add_fetch(&m->refs, 1, __ATOMIC_RELAXED);
}
void mount_put(struct mount *m); /* may sleep */
/* What is mounted on that place (vfs_lock held), or NULL. */
struct mount *mount_on_locked(struct mount *parent, struct dentry *point);
/* The mount of all of sb, referenced (vfs_lock held), or NULL. */
struct mount *mount_of_super_locked(struct super *sb);
/* The root of all mounts; no reference is taken. */
void vfs_root_path(struct path *p);
/*
 * Where writing through m is forbidden: -EROFS.  m may be NULL (anonymous).
 */
int mount_may_write(const struct mount *m);
/* The options of one line of /proc/mounts: "rw,nosuid,relatime,...". */
size_t mount_options(struct mount *m, char *buf, size_t size);
/*
 * pivot_root(2) but for the processes that stand at the old root: the caller
 * moves them.  -EPERM, -EBUSY, -EINVAL
 */
int vfs_pivot_root(const struct vfs_ctx *ctx, const struct path *new_root,
    const struct path *put_old);
/* sync(2). */
int vfs_sync_all(void);

/* ------------------------------------------------------- walking a path -- */

#define VFS_NAME_MAX  255
#define VFS_PATH_MAX  4096 /* with the NUL */
#define VFS_LINKS_MAX 40   /* then -ELOOP */

#define WALK_FOLLOW    0x001u /* a link at the end is followed */
#define WALK_DIRECTORY 0x002u /* the end must be a directory */
#define WALK_EMPTY     0x004u /* "" is `base` itself (AT_EMPTY_PATH) */
#define WALK_NO_XDEV   0x008u /* openat2's RESOLVE_*: -EXDEV */
#define WALK_NO_MAGIC  0x010u /* -ELOOP at links without text */
#define WALK_NO_LINKS  0x020u /* -ELOOP at any link */
#define WALK_BENEATH   0x040u /* -EXDEV when it leaves base */
#define WALK_IN_ROOT   0x080u /* base is the root */

/*
 * Resolves `name` (kernel memory) from `base`, or from the working directory
 * where base is NULL.  *out holds references.
 *   -ENOENT -ENOTDIR -EACCES -ELOOP -ENAMETOOLONG -ENOMEM -EIO
 */
int vfs_walk(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, unsigned flags, struct path *out);

/*
 * The name of p as seen from root, into buf: a pointer into buf (the text
 * ends at its end).  A deleted one gets " (deleted)".
 *   -ENAMETOOLONG; *reachable false where p does not lie below root.
 */
/* reachable may be NULL. */
int vfs_path_string(const struct path *p, const struct path *root, char *buf,
    size_t size, const char **out, bool *reachable);

/* --------------------------------------------- operations on names -- */
/* All as the system call of the name; base as in vfs_walk. */
int vfs_mknod(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, uint32_t mode, uint64_t rdev);
/* The same for an S_IFSOCK node, handing the place to bind(2). */
int vfs_mknod_path(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, uint32_t mode, uint64_t rdev, struct path *out);
int vfs_mkdir(const struct vfs_ctx *ctx, const struct path *base,
    const char *name, uint32_t mode);
int vfs_symlink(const struct vfs_ctx *ctx, const char *target,
    const struct path *base, const char *name);
/* `old` was walked to by the caller, with or without following. */
int vfs_link(const struct vfs_ctx *ctx, const struct path *old,
    const struct path *base, const char *name);
int vfs_unlink(const struct vfs_ctx *ctx, const struct path *base,
    const char *name);
int
vfs_rmdir(const struct vfs_ctx *ctx, const struct path *base, const char *name);
/* flags: RENAME_NOREPLACE, RENAME_EXCHANGE. */
int vfs_rename(const struct vfs_ctx *ctx, const struct path *oldbase,
    const char *oldname, const struct path *newbase, const char *newname,
    unsigned flags);
/* The target's length; what does not fit in size is cut. -EINVAL: no link. */
long vfs_readlink(const struct vfs_ctx *ctx, const struct path *p, char *buf,
    size_t size);
int vfs_stat(const struct path *p, struct vfs_stat *st);
/* chmod, chown, utimensat, truncate: permission and read-only checked. */
int vfs_setattr(const struct vfs_ctx *ctx, const struct path *p,
    const struct vfs_attr *attr);
/* INODE_OF_PROGRAMS as they are.  -ENOTTY: the file system keeps none */
int vfs_get_flags(struct inode *inode, uint32_t *flags);
/* Changes them; -EPERM, -EROFS, -ENOTTY */
int
vfs_set_flags(const struct vfs_ctx *ctx, const struct path *p, uint32_t flags);
/* access(2), with ctx->cred as asked for.  mask: MAY_*, 0 for F_OK. */
int vfs_access(const struct vfs_ctx *ctx, const struct path *p, unsigned mask);
int vfs_statfs(const struct path *p, struct vfs_statfs *st);

/*
 * What higher floors do for nodes and files that only they understand.  Set
 * once at boot; each may be NULL.
 */
struct vfs_hooks {
	const struct file_ops *fifo_ops;         /* open of an S_IFIFO node */
	void (*inode_gone)(struct inode *inode); /* ipc, locks or watches set */
	void (*file_gone)(
	    struct file *file); /* last put; polls, sigio, locks */
	/* Something happened to a watched inode (fs/notify.h). */
	void (*notify)(struct inode *inode, unsigned mask, const char *name,
	    size_t len, uint32_t cookie);
};
void vfs_set_hooks(const struct vfs_hooks *hooks);
extern const struct vfs_hooks *vfs_hooks;

/* Boot: mounts the empty root file system that everything starts from. */
int vfs_init(void);

#endif
