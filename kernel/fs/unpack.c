/* SPDX-License-Identifier: ISC */
/*
 * unpack.c - an initramfs image, which is archives one after the other.
 * Linux, Documentation/driver-api/early-userspace/buffer-format.rst; RFC 1952
 * (gzip), RFC 8878 (zstd).
 *
 * The image is cut into segments by the magic number at each one's start.  A
 * plain archive goes to the cpio reader where it lies; a packed one goes
 * through a decompressor and one buffer.  An archive may go on from one packed
 * segment to the next, as parallel packers write it.
 */
#include "fs/unpack.h"

#include "kern/string.h"
#include <linux/errno.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#define OUT_SIZE (32 * 1024)

/* What a segment may begin with. */
enum format { FORMAT_CPIO, FORMAT_GZIP, FORMAT_ZSTD, FORMAT_OTHER };

static const struct magic {
	enum format format;
	const char *name;
	uint8_t size;
	uint8_t bytes[6];
	uint8_t loose; /* bits of the first byte that do not count */
} magics[] = {
	{ FORMAT_CPIO, "cpio", 4, "0707", 0 },
	{ FORMAT_GZIP, "gzip", 3, { 0x1f, 0x8b, 8 }, 0 },
	{ FORMAT_ZSTD, "zstd", 4, { 0x28, 0xb5, 0x2f, 0xfd }, 0 },
	/* A frame that is to be skipped. */
	{ FORMAT_ZSTD, "zstd", 4, { 0x50, 0x2a, 0x4d, 0x18 }, 0x0f },
	{ FORMAT_OTHER, "packed with xz, which is not supported", 6,
	    { 0xfd, '7', 'z', 'X', 'Z', 0 }, 0 },
	{ FORMAT_OTHER, "packed with bzip2, which is not supported", 3, "BZh",
	    0 },
	{ FORMAT_OTHER, "packed with lzma, which is not supported", 3,
	    { 0x5d, 0, 0 }, 0 },
	{ FORMAT_OTHER, "packed with lzo, which is not supported", 4,
	    { 0x89, 'L', 'Z', 'O' }, 0 },
	{ FORMAT_OTHER, "packed with lz4, which is not supported", 4,
	    { 0x02, 0x21, 0x4c, 0x18 }, 0 },
	{ FORMAT_OTHER, "packed with lz4, which is not supported", 4,
	    { 0x04, 0x22, 0x4d, 0x18 }, 0 },
};

/* The state of one unpack(). */
struct unpacker {
	struct unpack *u;
	struct cpio *cpio;
	char *out;            /* OUT_SIZE bytes; NULL until needed */
	size_t at;            /* in the image: what is read already */
	uint64_t inner_start; /* cpio's offset at the segment's start */
};

static const struct magic *
magic_find(const uint8_t *bytes, size_t size)
{
	const struct magic *m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(magics); i++) {
		m = &magics[i];
		if (size >= m->size &&
		    ((bytes[0] ^ m->bytes[0]) & ~m->loose) == 0 &&
		    memcmp(bytes + 1, m->bytes + 1, m->size - 1u) == 0)
			return m;
	}
	return NULL;
}

static int
fail(struct unpacker *s, int error, const char *defect)
{
	s->u->offset = s->at;
	s->u->defect = defect;
	return error;
}

/* Takes over what the cpio reader found. */
static int
fail_inner(struct unpacker *s, int error)
{
	s->u->inner_offset = s->cpio->offset - s->inner_start;
	return fail(s, error, s->cpio->defect);
}

static void
tell_consumed(struct unpacker *s)
{
	if (s->u->consumed != NULL)
		s->u->consumed(s->u->ctx, s->at);
}

static int
unpack_cpio(struct unpacker *s)
{
	struct unpack *u = s->u;
	size_t start = s->at;
	int64_t n;

	s->cpio->in_place = true;
	n = cpio_feed(s->cpio, (const char *)u->image + s->at, u->size - s->at);
	if (n < 0) {
		s->at = start + (s->cpio->offset - s->inner_start);
		return fail_inner(s, (int)n);
	}
	s->at += n;
	tell_consumed(s);
	return 0;
}

/* Passes on what a decompressor wrote. */
static int
out_feed(struct unpacker *s, size_t len)
{
	int64_t n;

	tell_consumed(s);
	n = cpio_feed(s->cpio, s->out, len);
	if (n < 0)
		return fail_inner(s, (int)n);
	if ((size_t)n < len) {
		s->u->inner_offset = s->cpio->offset - s->inner_start;
		return fail(s, -EINVAL, "no archive in the unpacked data");
	}
	return 0;
}

static int
out_alloc(struct unpacker *s)
{
	s->cpio->in_place = false;
	if (s->out == NULL)
		s->out = s->u->memory->alloc(OUT_SIZE);
	return s->out != NULL ? 0 : fail(s, -ENOMEM, "no memory to unpack it");
}

static void *
zlib_alloc(void *opaque, unsigned items, unsigned size)
{
	const struct unpack_memory *memory = opaque;

	return memory->alloc((size_t)items * size);
}

static void
memory_free(void *opaque, void *ptr)
{
	const struct unpack_memory *memory = opaque;

	memory->free(ptr);
}

static int
gzip_error(struct unpacker *s, int status)
{
	switch (status) {
	case Z_OK:
	case Z_STREAM_END: return 0;
	case Z_BUF_ERROR: return fail(s, -EINVAL, "packed data ends early");
	case Z_MEM_ERROR: return fail(s, -ENOMEM, "no memory to unpack it");
	default: return fail(s, -EINVAL, "packed data is damaged");
	}
}

/* One step: as much as fits in the buffer.  Z_STREAM_END: the member ended. */
static int
gzip_step(struct unpacker *s, z_stream *zs, int *status)
{
	size_t left = s->u->size - s->at;
	int error;

	zs->next_in = (Bytef *)s->u->image + s->at;
	zs->avail_in = (uInt)MIN(left, (size_t)1 << 30);
	left = zs->avail_in;
	zs->next_out = (Bytef *)s->out;
	zs->avail_out = OUT_SIZE;
	*status = inflate(zs, Z_NO_FLUSH);
	s->at += left - zs->avail_in;
	error = gzip_error(s, *status);
	return error != 0 ? error : out_feed(s, OUT_SIZE - zs->avail_out);
}

static int
unpack_gzip(struct unpacker *s)
{
	z_stream zs = { 0 };
	int error, status = Z_OK;

	error = out_alloc(s);
	if (error != 0)
		return error;
	zs.zalloc = zlib_alloc;
	zs.zfree = memory_free;
	zs.opaque = (void *)s->u->memory;
	if (inflateInit2(&zs, 15 + 16) != Z_OK) /* 32 KiB window, gzip */
		return fail(s, -ENOMEM, "no memory to unpack it");
	while (error == 0 && status != Z_STREAM_END)
		error = gzip_step(s, &zs, &status);
	inflateEnd(&zs);
	return error;
}

static void *
zstd_alloc(void *opaque, size_t size)
{
	const struct unpack_memory *memory = opaque;

	return memory->alloc(size);
}

static int
zstd_error(struct unpacker *s, size_t result)
{
	switch (ZSTD_getErrorCode(result)) {
	case ZSTD_error_memory_allocation:
		return fail(s, -ENOMEM, "no memory to unpack it");
	case ZSTD_error_frameParameter_windowTooLarge:
		return fail(s, -EINVAL, "packed data wants too large a window");
	case ZSTD_error_checksum_wrong:
		return fail(s, -EINVAL, "unpacked data does not match its sum");
	default: return fail(s, -EINVAL, "packed data is damaged");
	}
}

/* One step: as much as fits in the buffer.  *more is 0 at the frame's end. */
static int
zstd_step(struct unpacker *s, ZSTD_DCtx *dctx, size_t *more)
{
	ZSTD_inBuffer in = { s->u->image, s->u->size, s->at };
	ZSTD_outBuffer out = { s->out, OUT_SIZE, 0 };
	int error;

	*more = ZSTD_decompressStream(dctx, &out, &in);
	s->at = in.pos;
	if (ZSTD_isError(*more))
		return zstd_error(s, *more);
	error = out_feed(s, out.pos);
	if (error == 0 && *more != 0 && in.pos == in.size && out.pos < out.size)
		error = fail(s, -EINVAL, "packed data ends early");
	return error;
}

static int
unpack_zstd(struct unpacker *s)
{
	ZSTD_customMem memory = { zstd_alloc, memory_free,
		(void *)s->u->memory };
	ZSTD_DCtx *dctx;
	size_t more = 1;
	int error;

	error = out_alloc(s);
	if (error != 0)
		return error;
	dctx = ZSTD_createDCtx_advanced(memory);
	if (dctx == NULL)
		return fail(s, -ENOMEM, "no memory to unpack it");
	while (error == 0 && more != 0)
		error = zstd_step(s, dctx, &more);
	ZSTD_freeDCtx(dctx);
	return error;
}

static void
skip_zeros(struct unpacker *s)
{
	const uint8_t *image = s->u->image;

	while (s->at < s->u->size && image[s->at] == 0)
		s->at++;
}

static int
unpack_segment(struct unpacker *s)
{
	struct unpack *u = s->u;
	const struct magic *m;

	s->inner_start = s->cpio->offset;
	m = magic_find((const uint8_t *)u->image + s->at, u->size - s->at);
	if (m == NULL)
		return fail(s, -EINVAL, "neither an archive nor a packed one");
	if (m->format == FORMAT_OTHER)
		return fail(s, -EOPNOTSUPP, m->name);
	u->format = m->name;
	if (m->format == FORMAT_GZIP)
		return unpack_gzip(s);
	if (m->format == FORMAT_ZSTD)
		return unpack_zstd(s);
	if (!cpio_between(s->cpio)) /* begun in a packed segment */
		return fail_inner(s, cpio_finish(s->cpio));
	return unpack_cpio(s);
}

int
unpack(struct unpack *u)
{
	struct unpacker s = { .u = u };
	int error = 0;

	u->offset = 0;
	u->inner_offset = 0;
	u->format = NULL;
	u->defect = NULL;
	s.cpio = u->memory->alloc(sizeof(*s.cpio));
	if (s.cpio == NULL)
		return fail(&s, -ENOMEM, "no memory to unpack it");
	cpio_init(s.cpio, u->ops, u->ctx);
	skip_zeros(&s);
	while (error == 0 && s.at < u->size) {
		error = unpack_segment(&s);
		if (error == 0)
			skip_zeros(&s);
	}
	if (error == 0 && cpio_finish(s.cpio) != 0)
		error = fail_inner(&s, cpio_finish(s.cpio));
	if (s.out != NULL)
		u->memory->free(s.out);
	u->memory->free(s.cpio);
	return error;
}
