/* SPDX-License-Identifier: ISC */
/*
 * ptable_test.c - partition tables as they should be, and as they should not:
 * copies that are damaged, chains that bite their tails, places off the disk.
 */
/* unit: kernel/block/ptable.c kernel/block/gpt.c kernel/block/mbr.c */
#include "block/ptable.h"
#include "kern/kmem.h"
#include <linux/errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NBLOCKS 2048u

static uint8_t *disk;
static uint32_t bs;
static uint64_t nblocks, bad_block; /* UINT64_MAX: all can be read */
static unsigned reads;
static struct ptable t;

static int
read_blocks(void *arg, uint64_t block, unsigned n, void *buf)
{
	(void)arg;
	assert_true(n > 0 && n * bs <= PAGE_SIZE);
	assert_true(block < nblocks && n <= nblocks - block);
	reads++;
	if (bad_block >= block && bad_block < block + n)
		return -EIO;
	memcpy(buf, disk + block * bs, n * bs);
	return 0;
}

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

static void
blank(uint32_t block_size)
{
	free(disk);
	bs = block_size;
	nblocks = NBLOCKS;
	bad_block = UINT64_MAX;
	disk = calloc(NBLOCKS, bs);
	reads = 0;
}

static int
look(void)
{
	struct ptable_source src = { nblocks, bs, read_blocks, NULL };
	unsigned i;
	int error;

	ptable_free(&t);
	error = ptable_read(&src, &t);
	for (i = 0; i < t.n; i++) {
		assert_true(t.entry[i].count > 0);
		assert_true(t.entry[i].start + t.entry[i].count <= nblocks);
		assert_true(
		    i == 0 || t.entry[i].number > t.entry[i - 1].number);
	}
	return error;
}

static void
put(uint8_t *at, uint64_t value, unsigned n)
{
	while (n-- > 0) {
		*at++ = value;
		value >>= 8;
	}
}

/* -------------------------------------------------------------- MBR -- */

static void
mbr_entry(uint64_t block, unsigned i, uint8_t type, uint32_t start,
    uint32_t count)
{
	uint8_t *e = disk + block * bs + 446 + 16 * i;

	e[4] = type;
	put(e + 8, start, 4);
	put(e + 12, count, 4);
	put(disk + block * bs + 510, 0xaa55, 2);
}

static void
is(unsigned i, unsigned number, uint64_t start, uint64_t count)
{
	assert_true(i < t.n);
	assert_int_equal(t.entry[i].number, number);
	assert_int_equal(t.entry[i].start, start);
	assert_int_equal(t.entry[i].count, count);
}

static void
nothing(void **state)
{
	(void)state;
	blank(512);
	assert_int_equal(look(), 0);
	assert_null(t.kind);
	put(disk + 510, 0xaa55, 2);
	assert_int_equal(look(), 0);
	assert_null(t.kind);
	mbr_entry(0, 0, 0x83, 10, 20);
	disk[446] = 0xeb; /* a boot sector's code */
	assert_int_equal(look(), 0);
	assert_null(t.kind);
	nblocks = 0;
	assert_int_equal(look(), 0);
	blank(512);
	bad_block = 0;
	assert_int_equal(look(), -EIO);
}

static void
four_and_a_chain(void **state)
{
	(void)state;
	blank(512);
	put(disk + 440, 0x1234abcd, 4);
	mbr_entry(0, 0, 0x83, 63, 100);
	mbr_entry(0, 1, 0x0f, 200, 1000);
	mbr_entry(0, 3, 0x82, 1500, 548);
	mbr_entry(200, 0, 0x83, 10, 50);
	mbr_entry(200, 1, 0x05, 100, 100);
	mbr_entry(300, 0, 0x83, 10, 60);
	mbr_entry(300, 1, 0x05, 300, 100);
	mbr_entry(500, 0, 0x83, 1, 3);
	assert_int_equal(look(), 0);
	assert_string_equal(t.kind, "dos");
	assert_string_equal(t.uuid, "1234abcd");
	assert_null(t.note);
	assert_int_equal(t.n, 6);
	is(0, 1, 63, 100);
	is(1, 2, 200, 2);
	is(2, 4, 1500, 548);
	is(3, 5, 210, 50);
	is(4, 6, 310, 60);
	is(5, 7, 501, 3);
	assert_string_equal(t.entry[5].uuid, "1234abcd-07");
	blank(4096);
	mbr_entry(0, 0, 0x83, 1, 2047);
	assert_int_equal(look(), 0);
	is(0, 1, 1, 2047);
}

static void
mbr_lies(void **state)
{
	(void)state;
	blank(512);
	mbr_entry(0, 0, 0x83, 2047, 2);
	mbr_entry(0, 1, 0x83, 0xffffffff, 0xffffffff);
	mbr_entry(0, 2, 0x83, 1, 1);
	assert_int_equal(look(), 0);
	assert_int_equal(t.n, 1);
	is(0, 3, 1, 1);
	assert_non_null(t.note);
	blank(512); /* a ring */
	mbr_entry(0, 0, 0x05, 100, 500);
	mbr_entry(100, 0, 0x83, 1, 1);
	mbr_entry(100, 1, 0x05, 50, 10);
	mbr_entry(150, 0, 0x83, 1, 1);
	mbr_entry(150, 1, 0x05, 50, 10);
	assert_int_equal(look(), 0);
	assert_true(t.n <= PTABLE_MAX && reads < 300);
	assert_non_null(t.note);
	mbr_entry(100, 1, 0x05, 0xfffffff0, 1);
	assert_int_equal(look(), 0);
	assert_int_equal(t.n, 2);
	bad_block = 100;
	assert_int_equal(look(), -EIO);
}

/* -------------------------------------------------------------- GPT -- */

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

static uint8_t *
gpt_entry(uint64_t list, unsigned i, uint64_t first, uint64_t last)
{
	uint8_t *e = disk + list * bs + i * 128;
	unsigned k;

	for (k = 0; k < 32; k++)
		e[k] = k + i * 32;
	e[0] |= 1;
	put(e + 32, first, 8);
	put(e + 40, last, 8);
	return e;
}

static void
seal(uint64_t at, uint64_t list, uint32_t count, uint32_t size)
{
	uint8_t *h = disk + at * bs;

	memcpy(h, "EFI PART", 8);
	put(h + 8, 0x10000, 4);
	put(h + 12, 92, 4);
	put(h + 24, at, 8);
	put(h + 40, 40, 8);
	put(h + 48, NBLOCKS - 40, 8);
	put(h + 72, list, 8);
	put(h + 80, count, 4);
	put(h + 84, size, 4);
	if (list < NBLOCKS && (uint64_t)count * size <= (NBLOCKS - list) * bs)
		put(h + 88, crc(disk + list * bs, (size_t)count * size), 4);
	put(h + 16, 0, 4);
	put(h + 16, crc(h, 92), 4);
}

static void
gpt(uint32_t block_size)
{
	uint8_t *e;
	uint64_t lists[2] = { 2, NBLOCKS - 1 - 128 * 128 / block_size };
	unsigned i;

	blank(block_size);
	mbr_entry(0, 0, 0xee, 1, NBLOCKS - 1);
	for (i = 0; i < 2; i++) {
		e = gpt_entry(lists[i], 0, 40, 99);
		memcpy(e + 56, "b\0o\0o\0t\0 \0\344\0\254\040\075\330\000\336",
		    18);
		gpt_entry(lists[i], 2, 200, NBLOCKS - 40);
		seal(i == 0 ? 1 : NBLOCKS - 1, lists[i], 128, 128);
	}
}

static void
good_tables(void **state)
{
	uint32_t size;

	(void)state;
	for (size = 512; size <= 4096; size *= 2) {
		gpt(size);
		assert_int_equal(look(), 0);
		assert_string_equal(t.kind, "gpt");
		assert_null(t.note);
		assert_int_equal(t.n, 2);
		is(0, 1, 40, 60);
		is(1, 3, 200, NBLOCKS - 239);
		assert_string_equal(t.entry[0].uuid,
		    "13121110-1514-1716-1819-1a1b1c1d1e1f");
		assert_string_equal(t.entry[0].name,
		    "boot \303\244\342\202\254\360\237\230\200");
		assert_string_equal(t.entry[1].name, "");
	}
}

static void
the_other_copy(void **state)
{
	unsigned how;

	(void)state;
	for (how = 0; how < 4; how++) {
		gpt(512);
		switch (how) {
		case 0: disk[512 + 60]++; break;   /* header */
		case 1: disk[1024 + 127]++; break; /* list */
		case 2: bad_block = 1; break;
		case 3: bad_block = 5; break;
		}
		assert_int_equal(look(), 0);
		assert_string_equal(t.kind, "gpt");
		assert_non_null(t.note);
		assert_int_equal(t.n, 2);
	}
	disk[512 + 60]++;
	disk[(NBLOCKS - 1) * 512 + 60]++;
	bad_block = UINT64_MAX;
	assert_int_equal(look(), 0);
	assert_null(t.kind);
	assert_non_null(t.note);
	gpt(512);
	memset(disk, 0, 512); /* no protective MBR */
	assert_int_equal(look(), 0);
	assert_null(t.kind);
}

static void
gpt_lies(void **state)
{
	(void)state;
	gpt(512);
	gpt_entry(2, 3, 99, 98);
	gpt_entry(2, 4, 39, 50);
	gpt_entry(2, 5, 100, NBLOCKS);
	gpt_entry(2, 6, UINT64_MAX, UINT64_MAX);
	gpt_entry(2, 7, 0, UINT64_MAX);
	seal(1, 2, 128, 128);
	assert_int_equal(look(), 0);
	assert_int_equal(t.n, 2);
	assert_non_null(t.note);

	static const uint64_t bad[][3] = { { 2, 0, 128 }, { 2, 128, 127 },
		{ 2, 128, 0 }, { 2, 128, 8192 }, { 2, 0xffffffff, 128 },
		{ 2, 0x2000000, 4096 }, { 1, 128, 128 }, { 0, 4, 128 },
		{ NBLOCKS - 1, 128, 128 }, { UINT64_MAX - 1, 128, 128 } };
	unsigned i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		gpt(512);
		seal(1, bad[i][0], bad[i][1], bad[i][2]);
		assert_int_equal(look(), 0);
		assert_string_equal(t.note, "the first copy is damaged");
	}
	gpt(512);
	memset(disk + (NBLOCKS - 1) * 512, 0, 512);
	put(disk + 512 + 12, 0xffffffff, 4);
	assert_int_equal(look(), 0);
	assert_null(t.kind);
	nblocks = 2;
	assert_int_equal(look(), 0);
}

static void
very_many(void **state)
{
	unsigned i;

	(void)state;
	gpt(512);
	for (i = 0; i < 1024; i++)
		gpt_entry(2, i, 400 + i, 400 + i);
	seal(1, 2, 1024, 128);
	assert_int_equal(look(), 0);
	assert_int_equal(t.n, PTABLE_MAX);
	assert_int_equal(t.entry[t.n - 1].number, PTABLE_MAX);
	ptable_free(&t);
	free(disk);
	disk = NULL;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing),
		cmocka_unit_test(four_and_a_chain),
		cmocka_unit_test(mbr_lies),
		cmocka_unit_test(good_tables),
		cmocka_unit_test(the_other_copy),
		cmocka_unit_test(gpt_lies),
		cmocka_unit_test(very_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
