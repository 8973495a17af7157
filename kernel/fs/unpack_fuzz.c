/* SPDX-License-Identifier: ISC */
/*
 * unpack_fuzz.c - any bytes as an initramfs image, in bounded memory.
 */
/* unit: kernel/fs/unpack.c kernel/fs/cpio.c inflate unzstd */
#include "fs/unpack.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *image;
static size_t image_size, consumed;

static void *
bounded_alloc(size_t size)
{
	return size <= 4 << 20 ? malloc(size) : NULL;
}

static const struct unpack_memory memory = { bounded_alloc, free };

static int
begin(void *ctx, const struct cpio_entry *e)
{
	(void)ctx;
	return e->mode == 0 ? -1 : 0;
}

static int
take(void *ctx, const void *bytes, size_t len, bool in_place)
{
	const uint8_t *b = bytes;

	(void)ctx;
	if (in_place && (b < image || b + len > image + image_size))
		abort();
	return (b[0] ^ b[len - 1]) == 0x5a ? -1 : 0;
}

static int
end(void *ctx)
{
	(void)ctx;
	return 0;
}

static void
note_consumed(void *ctx, size_t bytes)
{
	(void)ctx;
	if (bytes < consumed || bytes > image_size)
		abort();
	consumed = bytes;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct cpio_ops ops = { begin, take, end, NULL };
	struct unpack u = { .image = data,
		.size = size,
		.memory = &memory,
		.ops = &ops,
		.consumed = note_consumed };

	image = data;
	image_size = size;
	consumed = 0;
	if ((unpack(&u) != 0) != (u.defect != NULL) || u.offset > size)
		abort();
	return 0;
}
