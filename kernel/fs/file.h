/* SPDX-License-Identifier: ISC */
/*
 * file.h - open files: what a descriptor stands for.
 *
 * A struct file is shared by all descriptors that came from one open (dup,
 * fork) and by whoever holds a reference for a moment.  Locking: `pos` under
 * pos_lock where more than one holder may use it; flags are atomic words.
 */
#ifndef FS_FILE_H
#define FS_FILE_H

#include "fs/uio.h"
#include "fs/vfs.h"
#include "kern/mutex.h"
#include "kern/types.h"
#include "kern/waitq.h"

struct sbuf;
struct vm_object;

/*
 * Asks for wake-ups.  A file's poll operation calls poll_wait() for each queue
 * that will be woken when its answer changes, then answers; with table NULL
 * it only answers.  poll, select and epoll each embed one with their own
 * `add`, which puts a waiter of theirs (kern/waitq.h, notify) on the queue.
 * The queue must live as long as the file.
 */
struct poll_table {
	void (*add)(struct poll_table *table, struct waitq *wq);
};
static inline void
poll_wait(struct poll_table *table, struct waitq *wq)
{
	if (table != NULL)
		table->add(table, wq);
}

/*
 * Receives a directory's entries.  `add` returns false when it has no room;
 * that entry comes again next time.  `pos` is what lseek takes to come back
 * to the entry after this one.
 */
struct dir_sink {
	bool (*add)(struct dir_sink *sink, const char *name, size_t len,
	    uint64_t ino, unsigned type /* DT_* */, int64_t pos);
};

/* A transfer that nobody waits for. */
struct file_async {
	/* Once, with bytes or -errno; any context, interrupts included. */
	void (*done)(struct file_async *fa, long result);
};

struct file_ops {
	/*
	 * At an open of the node: may set file->ops, priv and mode; waits
	 * (fifos) unless O_NONBLOCK.  An error ends the open; release is not
	 * called then.
	 */
	int (*open)(struct inode *inode, struct file *file);
	/* The last reference is gone. */
	void (*release)(struct file *file);
	/*
	 * Moves up to u->resid bytes from or to position *pos, which it moves
	 * on (streams ignore it).  Bytes moved, 0 at the end, or -errno if
	 * none moved.  -EAGAIN where file->flags has O_NONBLOCK or u->flags
	 * has UIO_NOWAIT; -ERESTARTSYS when interrupted.
	 */
	long (*read)(struct file *file, struct uio *u, int64_t *pos);
	long (*write)(struct file *file, struct uio *u, int64_t *pos);
	/*
	 * Optional: as read or write (`write`), but ends by itself.  The uio
	 * and its vectors are the caller's again at the return, the file stays
	 * open until done().  With UIO_MORE, commit follows.
	 *   -EOPNOTSUPP  not this transfer: read, write;  others: it failed;
	 *   done() is not called then
	 */
	int (*begin)(struct file *file, struct uio *u, int64_t pos, bool write,
	    struct file_async *fa);
	void (*commit)(struct file *file);
	/* Entries from file->pos on; the directory's inode->lock is held. */
	int (*iterate)(struct file *file, struct dir_sink *sink);
	/* arg as given: a value or a uaddr_t.  -ENOTTY: unknown. */
	long (*ioctl)(struct file *file, unsigned cmd, uint64_t arg);
	/* POLL* bits that hold now.  NULL: always readable and writable. */
	unsigned (*poll)(struct file *file, struct poll_table *table);
	/*
	 * The object to map (a reference for the caller) and the offset in
	 * it.  Access by mode was checked.  *object NULL: anonymous memory
	 * (/dev/zero).  *vm_flags are VM_* of kern/vm.h, may be restricted.
	 */
	int (*mmap)(struct file *file, uint64_t size, unsigned *vm_flags,
	    uint64_t *offset, struct vm_object **object);
	int (*fsync)(struct file *file, bool data_only);
	int64_t (*llseek)(struct file *file, int64_t offset, int whence);
	int (*fallocate)(struct file *file, int mode, uint64_t offset,
	    uint64_t len);
	/* O_APPEND, O_NONBLOCK, O_ASYNC, O_DIRECT were changed by fcntl. */
	int (*set_flags)(struct file *file, unsigned flags);
	/* Each close of a descriptor; its error is close's. */
	int (*flush)(struct file *file);
	/* Lines of /proc/PID/fdinfo/N beyond the common ones. */
	void (*show_fdinfo)(struct file *file, struct sbuf *sb);
};

#define FILE_READ       0x01u /* opened for reading */
#define FILE_WRITE      0x02u
#define FILE_SEEK       0x04u /* lseek, pread and pwrite work; else -ESPIPE */
#define FILE_PATH       0x08u /* O_PATH: a name only, -EBADF for the rest */
#define FILE_WRITER     0x10u /* counted in inode->writers */
#define FILE_SHARED_POS 0x20u /* regular or directory: pos is locked */
#define FILE_EXCL       0x80u /* opened with O_EXCL */
#define FILE_DENY       0x40u /* run: the last put allows writing again */

struct file {           /* I: constant after open; a: atomic; p: pos_lock */
	uint32_t refs;  /* [a] */
	uint32_t mode;  /* [I] FILE_* */
	uint32_t flags; /* [a] O_* status and access flags */
	const struct file_ops *ops; /* [I] */
	struct inode *inode;        /* [I] path.dentry's */
	struct path path;           /* [I] mnt NULL: anonymous */
	int64_t pos;                /* [p] */
	struct mutex pos_lock;
	void *priv;  /* its ops' */
	void *polls; /* linux/epoll.c: who watches it */
	void *sigio; /* linux/sigio.c: who gets a signal */
};

static inline void
file_get(struct file *f)
{
	__atomic_add_fetch(&f->refs, 1, __ATOMIC_RELAXED);
}
void file_put(struct file *f); /* may sleep; NULL is harmless */

/*
 * open(2) of a name; flags O_*, mode as for O_CREAT (before the umask).
 * resolve: WALK_* of openat2 beyond what flags say.
 */
int
vfs_open(const struct vfs_ctx *ctx, const struct path *base, const char *name,
    unsigned flags, uint32_t mode, unsigned resolve, struct file **out);
/* The same for a place that was walked to; takes references of its own. */
int vfs_open_path(const struct vfs_ctx *ctx, const struct path *p,
    unsigned flags, struct file **out);

/*
 * A file without a name: pipes, sockets, eventfd...  label is what
 * /proc/PID/fd shows, "pipe:[7]" or "anon_inode:[eventfd]"; mode is S_IF*
 * with permissions, st_ino the inode's own number.  Two ends of one pipe
 * share an inode: `inode` NULL makes a new one, else takes a reference.
 * The file gets O_* flags as given; FILE_* from them.
 */
int file_create_anon(const char *label, uint32_t mode, struct inode *inode,
    const struct file_ops *ops, void *priv, unsigned flags, struct file **out);
/* A number for such a label; unique. */
uint64_t anon_ino_next(void);

/*
 * An unlinked regular file in memory, as memfd_create(2) and shared anonymous
 * memory have it.  label: "memfd:name".
 */
int file_create_memory(const char *label, uint64_t size, unsigned flags,
    struct file **out);

/*
 * read(2) and write(2) in all their forms; pos NULL: the file's own, which
 * moves on.  Checks mode (-EBADF), type (-EISDIR, -EINVAL), position
 * (-ESPIPE).  RLIMIT_FSIZE: -EFBIG; the caller sends SIGXFSZ.
 */
long file_read(struct file *f, struct uio *u, int64_t *pos);
long file_write(struct file *f, struct uio *u, int64_t *pos);
/* Kernel buffers; for exec and the like.  Bytes, short at the end. */
long file_pread_kernel(struct file *f, void *buf, size_t len, int64_t pos);
int64_t file_seek(struct file *f, int64_t offset, int whence);
/* getdents: runs the sink from the file's position.  -ENOTDIR, -ENOENT. */
int file_iterate(struct file *f, struct dir_sink *sink);
unsigned file_poll(struct file *f, struct poll_table *table);
int file_truncate(const struct vfs_ctx *ctx, struct file *f, uint64_t size);
/* -EOPNOTSUPP, -EBADF, -ESPIPE, -ENODEV, -EFBIG, -ENOSPC */
int file_fallocate(struct file *f, int mode, uint64_t offset, uint64_t len);
int file_fsync(struct file *f, bool data_only);
/*
 * sendfile(2), copy_file_range(2): moves up to len bytes through one page of
 * kernel memory.  in_pos, out_pos as in file_read.  size_max: RLIMIT_FSIZE.
 */
long file_copy(struct file *in, int64_t *in_pos, struct file *out,
    int64_t *out_pos, size_t len, uint64_t size_max);

/*
 * For mappings: access is checked against mode (-EACCES, -ENODEV), then the
 * file's mmap operation asked.
 */
int file_mmap(struct file *f, uint64_t size, unsigned *vm_flags,
    uint64_t *offset, struct vm_object **object);

/* Ready-made operations. */
int64_t generic_llseek(struct file *f, int64_t offset, int whence);
int64_t no_llseek(struct file *f, int64_t offset, int whence); /* -ESPIPE */
int no_fsync(struct file *f, bool data_only); /* nothing to do: 0 */
/* Directories whose dentries are complete (in-memory file systems). */
int dcache_iterate(struct file *f, struct dir_sink *sink);
#ifndef DT_DIR
#define DT_FIFO 1
#define DT_CHR  2
#define DT_DIR  4
#define DT_BLK  6
#define DT_REG  8
#define DT_LNK  10
#define DT_SOCK 12
#endif
/* Adds "." and ".." where pos says so; false: sink full. */
bool dir_emit_dots(struct file *f, struct dir_sink *sink);

#endif
