/* SPDX-License-Identifier: ISC */
/*
 * cpio.h - reads "newc" archives (070701, 070702), as an initramfs has them.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Context: any; callbacks are called from cpio_feed() and may sleep if its
 * caller may.  Nothing is allocated.  Locking: none; one reader, one caller.
 *
 * Bytes are pushed in, in pieces of any size; entries come out.  One stream
 * may hold several archives with zeros between them.
 */
#ifndef FS_CPIO_H
#define FS_CPIO_H

#include "kern/types.h"

#define CPIO_NAME_MAX 4096 /* with its NULs; as PATH_MAX */

/* Valid during begin() only. */
struct cpio_entry {
	/*
	 * Relative, without leading "/" or "./", without ".." components, and
	 * without a trailing "/"; "" is the root directory itself.
	 */
	const char *name;
	/* Symbolic links: where to, 1 to 4095 bytes; else NULL. */
	const char *target;
	uint32_t mode; /* with a type that exists: S_IFREG, S_IFDIR ... */
	uint32_t uid, gid;
	/*
	 * Regular files with nlink > 1: those of one (ino, dev) are one file
	 * until the archive ends; the data may come with any of them, and
	 * usually comes with the last.
	 */
	uint32_t nlink, ino, dev_major, dev_minor;
	uint32_t mtime;
	uint32_t rdev_major, rdev_minor; /* devices */
	uint32_t size; /* bytes that data() will get; 0 but for regular files */
	uint64_t offset; /* of its header in the stream */
};

/* A callback that returns an error ends the reading with it. */
struct cpio_ops {
	int (*begin)(void *ctx, const struct cpio_entry *entry);
	/*
	 * The next `len` bytes of a regular file, pieces as they arrive.  With
	 * in_place they are the fed bytes themselves, which the feeder keeps:
	 * they may be used where they are; a file whose data was fed in one
	 * piece comes in one piece.
	 */
	int (*data)(void *ctx, const void *bytes, size_t len, bool in_place);
	int (*end)(void *ctx); /* of the entry that began */
	/* An archive has ended, and with it its inode numbers; may be NULL. */
	int (*archive_end)(void *ctx);
};

enum cpio_state {
	CPIO_BETWEEN, /* before an archive: zeros, then a header */
	CPIO_HEADER,  /* collecting a header */
	CPIO_NAME,    /* collecting the name, and the padding behind it */
	CPIO_TARGET,  /* collecting a symbolic link's target */
	CPIO_DATA,    /* passing data on */
	CPIO_PAD,     /* skipping the padding behind data */
	CPIO_FAILED,  /* every feed returns the same error */
};

#define CPIO_HEADER_SIZE 110

struct cpio { /* private, but for the fields that are named public */
	const struct cpio_ops *ops;
	void *ctx;
	bool in_place; /* public: set by the feeder before each feed */
	enum cpio_state state;
	uint64_t offset; /* public: bytes consumed; of the defect, if failed */
	const char *defect; /* public: what is wrong, if failed; else NULL */
	int error;
	bool checked; /* 070702: data has a sum */
	uint32_t sum, want_sum;
	uint32_t have; /* bytes collected of header, name or target */
	uint32_t name_size, left;
	struct cpio_entry entry;
	char header[CPIO_HEADER_SIZE];
	char name[CPIO_NAME_MAX + 4];
	char target[CPIO_NAME_MAX];
};

/* Before the first byte; `ops` are called with ctx. */
void cpio_init(struct cpio *c, const struct cpio_ops *ops, void *ctx);

/*
 * Reads the next `len` bytes; returns how many were consumed.  Fewer than
 * `len` only between archives, in front of a byte that begins none.
 *   -EINVAL       the archive is damaged: see c->defect, c->offset
 *   -ENAMETOOLONG a name or a link's target is too long
 *   other         what a callback returned; c->defect says which callback
 */
int64_t cpio_feed(struct cpio *c, const void *bytes, size_t len);

/* Whether the stream may end here. */
bool cpio_between(const struct cpio *c);

/* The stream has ended: -EINVAL if it ended inside an archive. */
int cpio_finish(struct cpio *c);

#endif
