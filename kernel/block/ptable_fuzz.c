/* SPDX-License-Identifier: ISC */
/*
 * ptable_fuzz.c - any bytes as a disk's first and last blocks: what is found
 * lies on the disk, in order, and nothing is read beyond it.  The sums of
 * headers and lists are put right, as no fuzzer guesses them.
 */
/* unit: kernel/block/ptable.c kernel/block/gpt.c kernel/block/mbr.c */
#include "block/ptable.h"
#include "kern/kmem.h"
#include <linux/errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NBLOCKS 256u
#define BS      512u

static uint8_t disk[NBLOCKS * BS];
static unsigned fails;

void *
kmalloc(size_t n)
{
	return malloc(n);
}

void *
krealloc(void *p, size_t n)
{
	return realloc(p, n);
}

void
kfree(void *p)
{
	free(p);
}

static int
read_blocks(void *arg, uint64_t block, unsigned n, void *buf)
{
	(void)arg;
	if (n == 0 || n * BS > PAGE_SIZE || block >= NBLOCKS ||
	    n > NBLOCKS - block)
		abort();
	if (fails != 0 && --fails == 0)
		return -EIO;
	memcpy(buf, disk + block * BS, n * BS);
	return 0;
}

static uint32_t
crc(const uint8_t *p, size_t n)
{
	uint32_t c = 0xffffffff;
	unsigned i;

	while (n-- > 0) {
		c ^= *p++;
		for (i = 0; i < 8; i++)
			c = c >> 1 ^ (c & 1 ? 0xedb88320 : 0);
	}
	return ~c;
}

static void
seal(uint64_t at)
{
	uint8_t *h = disk + at * BS;
	uint64_t list = ptable_le64(h + 72);
	uint64_t bytes = (uint64_t)ptable_le32(h + 80) * ptable_le32(h + 84);
	uint32_t size = ptable_le32(h + 12), sum;

	if (list < NBLOCKS && bytes <= (NBLOCKS - list) * BS) {
		sum = crc(disk + list * BS, bytes);
		memcpy(h + 88, &sum, 4);
	}
	memset(h + 16, 0, 4);
	if (size <= BS) {
		sum = crc(h, size);
		memcpy(h + 16, &sum, 4);
	}
}

static void
check(void)
{
	struct ptable_source src = { NBLOCKS, BS, read_blocks, NULL };
	struct ptable t;
	unsigned i;

	(void)ptable_read(&src, &t);
	for (i = 0; i < t.n; i++) {
		if (t.entry[i].count == 0 || t.entry[i].start >= NBLOCKS ||
		    t.entry[i].count > NBLOCKS - t.entry[i].start ||
		    (i > 0 && t.entry[i].number <= t.entry[i - 1].number) ||
		    strlen(t.entry[i].name) >= PTABLE_NAME)
			abort();
	}
	ptable_free(&t);
}

/* The first half of the bytes begins the disk, the second one ends it. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t half;

	if (size < 2)
		return 0;
	memset(disk, 0, sizeof(disk));
	fails = data[0] % 16;
	data++;
	size--;
	half = size / 2 < sizeof(disk) / 2 ? size / 2 : sizeof(disk) / 2;
	memcpy(disk, data, half);
	memcpy(disk + sizeof(disk) - half, data + half, half);
	check();
	fails = 0;
	seal(1);
	seal(NBLOCKS - 1);
	check();
	return 0;
}
