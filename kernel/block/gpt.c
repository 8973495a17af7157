/* SPDX-License-Identifier: ISC */
/*
 * gpt.c - GUID partition tables: a header in the second block and its copy in
 * the last one, each with a check sum of itself and of its list of entries.
 * UEFI 2.10, 5.3.  Whichever copy is whole is taken, the first one rather.
 */
#include "block/ptable.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

/* The header; little endian. */
#define GPT_SIGNATURE   0
#define GPT_HEADER_SIZE 12 /* le32, bytes that its sum covers */
#define GPT_HEADER_CRC  16 /* le32, itself as 0 */
#define GPT_MY_BLOCK    24 /* le64 */
#define GPT_FIRST       40 /* le64, usable blocks */
#define GPT_LAST        48
#define GPT_DISK_GUID   56
#define GPT_LIST        72 /* le64, its first block */
#define GPT_COUNT       80 /* le32, entries */
#define GPT_ENTRY_SIZE  84 /* le32, 128 * 2^n */
#define GPT_LIST_CRC    88 /* le32 */
#define GPT_HEADER_MIN  92

/* An entry. */
#define GPT_E_TYPE  0 /* zeros: unused */
#define GPT_E_GUID  16
#define GPT_E_FIRST 32 /* le64 */
#define GPT_E_LAST  40 /* le64, inclusive */
#define GPT_E_NAME  56 /* 36 of UTF-16 */
#define GPT_E_MIN   128

#define NAME_UNITS 36
#define LIST_MAX   (1u << 20) /* bytes */

struct gpt_header {
	uint64_t first, last, list;
	uint32_t count, entry_size, list_crc;
	uint8_t guid[16];
};

/* CRC-32 of IEEE 802.3, four bits at a time. */
static uint32_t
crc32(uint32_t crc, const uint8_t *p, size_t n)
{
	static const uint32_t table[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8,
		0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0,
		0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };

	crc = ~crc;
	while (n-- > 0) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

/* The first three fields are little endian. */
static void
print_guid(char out[PTABLE_UUID], const uint8_t *g)
{
	snprintf(out, PTABLE_UUID,
	    "%08x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
	    ptable_le32(g), g[5], g[4], g[7], g[6], g[8], g[9], g[10], g[11],
	    g[12], g[13], g[14], g[15]);
}

static size_t
put_utf8(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = 0xc0 | c >> 6;
		out[1] = 0x80 | (c & 0x3f);
		return 2;
	}
	if (c < 0x10000) {
		out[0] = 0xe0 | c >> 12;
		out[1] = 0x80 | (c >> 6 & 0x3f);
		out[2] = 0x80 | (c & 0x3f);
		return 3;
	}
	out[0] = 0xf0 | c >> 18;
	out[1] = 0x80 | (c >> 12 & 0x3f);
	out[2] = 0x80 | (c >> 6 & 0x3f);
	out[3] = 0x80 | (c & 0x3f);
	return 4;
}

/* UTF-16 to UTF-8; what is no character, or controls something, is "?". */
static void
read_name(char out[PTABLE_NAME], const uint8_t *p)
{
	uint32_t c, low;
	unsigned i;
	size_t n = 0;

	for (i = 0; i < NAME_UNITS; i++) {
		c = p[2 * i] | p[2 * i + 1] << 8;
		if (c == 0)
			break;
		if (c >= 0xd800 && c < 0xdc00 && i + 1 < NAME_UNITS) {
			low = p[2 * i + 2] | p[2 * i + 3] << 8;
			if (low >= 0xdc00 && low < 0xe000) {
				c = 0x10000 + ((c - 0xd800) << 10) +
				    (low - 0xdc00);
				i++;
			}
		}
		if ((c >= 0xd800 && c < 0xe000) || c < 0x20 || c == 0x7f)
			c = '?';
		n += put_utf8(out + n, c);
	}
	_Static_assert(PTABLE_NAME > NAME_UNITS * 3, "room for a NUL");
	out[n] = '\0';
}

/* ------------------------------------------------------------ a copy -- */

static uint64_t
list_blocks(const struct ptable_source *src, const struct gpt_header *h)
{
	uint64_t bytes = (uint64_t)h->count * h->entry_size;

	return (bytes + src->block_size - 1) / src->block_size;
}

static bool
header_makes_sense(const struct ptable_source *src, const struct gpt_header *h)
{
	uint64_t n = list_blocks(src, h);

	return h->entry_size >= GPT_E_MIN && h->entry_size <= 4096 &&
	    (h->entry_size & (h->entry_size - 1)) == 0 && h->count > 0 &&
	    h->count <= LIST_MAX / h->entry_size && h->first <= h->last &&
	    h->last < src->nblocks && h->list > 1 && n < src->nblocks &&
	    h->list <= src->nblocks - n;
}

static bool
parse_header(const struct ptable_source *src, uint64_t at, uint8_t *block,
    struct gpt_header *h)
{
	uint32_t size = ptable_le32(block + GPT_HEADER_SIZE);
	uint32_t sum = ptable_le32(block + GPT_HEADER_CRC);

	if (memcmp(block + GPT_SIGNATURE, "EFI PART", 8) != 0 ||
	    size < GPT_HEADER_MIN || size > src->block_size)
		return false;
	memset(block + GPT_HEADER_CRC, 0, 4);
	if (crc32(0, block, size) != sum ||
	    ptable_le64(block + GPT_MY_BLOCK) != at)
		return false;
	h->first = ptable_le64(block + GPT_FIRST);
	h->last = ptable_le64(block + GPT_LAST);
	h->list = ptable_le64(block + GPT_LIST);
	h->count = ptable_le32(block + GPT_COUNT);
	h->entry_size = ptable_le32(block + GPT_ENTRY_SIZE);
	h->list_crc = ptable_le32(block + GPT_LIST_CRC);
	memcpy(h->guid, block + GPT_DISK_GUID, sizeof(h->guid));
	return header_makes_sense(src, h);
}

static int
parse_entry(const struct ptable_source *src, const struct gpt_header *h,
    struct ptable *t, unsigned i, const uint8_t *e)
{
	static const uint8_t unused[16];
	uint64_t first = ptable_le64(e + GPT_E_FIRST);
	uint64_t last = ptable_le64(e + GPT_E_LAST);
	struct ptable_entry *p;
	int error = -EINVAL;

	if (memcmp(e + GPT_E_TYPE, unused, sizeof(unused)) == 0)
		return 0;
	if (first >= h->first && first <= last && last <= h->last)
		error = ptable_add(t, src, i + 1, first, last - first + 1, &p);
	if (error == -EINVAL) {
		t->note = "partitions that cannot be";
		return 0;
	}
	if (error == 0) {
		print_guid(p->uuid, e + GPT_E_GUID);
		read_name(p->name, e + GPT_E_NAME);
	}
	return error;
}

/*
 * Reads the list a page at a time, twice: entries count only once the sum is
 * known to be right, and are summed again while they are taken, as a disk may
 * answer otherwise the second time.
 */
static int
read_list(const struct ptable_source *src, const struct gpt_header *h,
    struct ptable *t, uint8_t *page, bool *whole)
{
	unsigned per_page = PAGE_SIZE / src->block_size, i = 0;
	uint64_t left = (uint64_t)h->count * h->entry_size, at = h->list, n;
	uint32_t crc = 0;
	size_t k;
	int error = 0;

	while (left > 0 && error == 0) {
		n = MIN((left + src->block_size - 1) / src->block_size,
		    (uint64_t)per_page);
		error = src->read(src->arg, at, n, page);
		if (error != 0)
			return error;
		at += n;
		n = MIN(left, n * src->block_size);
		left -= n;
		crc = crc32(crc, page, n);
		for (k = 0; t != NULL && k < n && error == 0;
		     k += h->entry_size, i++)
			error = parse_entry(src, h, t, i, page + k);
	}
	*whole = crc == h->list_crc;
	return error;
}

/* One copy: its header at block `at`. */
static int
read_copy(const struct ptable_source *src, uint64_t at, struct ptable *t,
    uint8_t *page)
{
	struct gpt_header h;
	bool whole = false;
	int error = src->read(src->arg, at, 1, page);

	if (error != 0 || !parse_header(src, at, page, &h))
		return error;
	error = read_list(src, &h, NULL, page, &whole);
	if (error != 0 || !whole)
		return error;
	error = read_list(src, &h, t, page, &whole);
	if (error != 0 || !whole) {
		t->n = 0;
		return error;
	}
	t->kind = "gpt";
	print_guid(t->uuid, h.guid);
	return 0;
}

int
gpt_read(const struct ptable_source *src, struct ptable *t)
{
	uint8_t *page;
	int error, other;

	if (src->nblocks < 3)
		return 0;
	page = kmalloc(PAGE_SIZE);
	if (page == NULL)
		return -ENOMEM;
	error = read_copy(src, 1, t, page);
	if (t->kind == NULL) {
		other = read_copy(src, src->nblocks - 1, t, page);
		if (t->kind != NULL) {
			t->note = "the first copy is damaged";
			error = 0;
		} else {
			t->note = "no copy of the table is whole";
			error = error != 0 ? error : other;
		}
	}
	kfree(page);
	return error;
}
