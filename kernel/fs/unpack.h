/* SPDX-License-Identifier: ISC */
/*
 * unpack.h - reads a whole initramfs image: archives one after the other, each
 * a plain cpio archive, or one compressed with gzip or zstd, zeros between.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst.
 * Context: may run for long; sleeps if a callback does.
 */
#ifndef FS_UNPACK_H
#define FS_UNPACK_H

#include "fs/cpio.h"

/* Called while unpacking only; all is freed again when unpack() returns. */
struct unpack_memory {
	void *(*alloc)(size_t size); /* NULL: out of memory */
	void (*free)(void *ptr);
};

struct unpack {
	const void *image;
	size_t size;
	const struct unpack_memory *memory;
	const struct cpio_ops *ops; /* in_place for plain archives */
	void *ctx;
	/*
	 * May be NULL.  The image's first `bytes` bytes will not be read again:
	 * the caller may free them, but for data that it was given in place.
	 */
	void (*consumed)(void *ctx, size_t bytes);

	/* Filled by unpack(); on an error they say where and what. */
	size_t offset;         /* in the image, of the segment's defect */
	uint64_t inner_offset; /* in the unpacked archive, if packed */
	const char *format;    /* "cpio", "gzip", "zstd", of that segment */
	const char *defect;    /* NULL: none */
};

/*
 * Unpacks the image.  What came out before an error stays with the callbacks'
 * owner.
 *   -EINVAL       an archive or its compression is damaged or cut short, or
 *                 the image has a part that is neither
 *   -EOPNOTSUPP   compressed in another way, which u->defect names
 *   -ENOMEM       no memory for a decompressor
 *   other         from cpio_feed()
 */
int unpack(struct unpack *u);

#endif
