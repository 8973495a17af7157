/* SPDX-License-Identifier: ISC */
/*
 * mbr.c - master boot records: four entries, one of which may lead to a chain
 * of further tables with one partition each.  UEFI 2.10, 5.2.
 *
 * Partitions in the chain are numbered from 5.  The extended partition itself
 * is shown with its first blocks only, so that nobody makes a file system over
 * the others.
 */
#include "block/ptable.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

#define MBR_DISK_ID   440 /* le32 */
#define MBR_ENTRY     446 /* four of 16 bytes: */
#define MBR_E_BOOT    0   /* 0 or 80h */
#define MBR_E_TYPE    4   /* 0: unused */
#define MBR_E_START   8   /* le32, blocks */
#define MBR_E_COUNT   12  /* le32 */
#define MBR_SIGNATURE 510 /* 55h AAh */
#define MBR_SIZE      512

#define TYPE_PROTECTIVE 0xee
#define CHAIN_MAX       PTABLE_MAX /* tables; also what stops a ring */
#define EXTENDED_BYTES  1024       /* that are shown */

struct mbr_entry {
	uint8_t type;
	uint32_t start, count;
};

static bool
is_extended(uint8_t type)
{
	return type == 0x05 || type == 0x0f || type == 0x85;
}

static bool
has_signature(const uint8_t *block)
{
	return block[MBR_SIGNATURE] == 0x55 && block[MBR_SIGNATURE + 1] == 0xaa;
}

static struct mbr_entry
entry_of(const uint8_t *block, unsigned i)
{
	const uint8_t *e = block + MBR_ENTRY + i * 16;

	return (struct mbr_entry){ e[MBR_E_TYPE], ptable_le32(e + MBR_E_START),
		ptable_le32(e + MBR_E_COUNT) };
}

/* Boot sectors of file systems have the signature, too, but code there. */
enum mbr_kind
mbr_kind(const uint8_t *block)
{
	enum mbr_kind kind = MBR_NONE;
	struct mbr_entry e;
	unsigned i;

	if (!has_signature(block))
		return MBR_NONE;
	for (i = 0; i < 4; i++) {
		if ((block[MBR_ENTRY + i * 16 + MBR_E_BOOT] & 0x7f) != 0)
			return MBR_NONE;
		e = entry_of(block, i);
		if (e.type == TYPE_PROTECTIVE)
			return MBR_PROTECTIVE;
		if (e.type != 0 && e.count != 0)
			kind = MBR_TABLE;
	}
	return kind;
}

static int
add(struct ptable *t, const struct ptable_source *src, uint32_t id,
    unsigned number, uint64_t start, uint64_t count)
{
	struct ptable_entry *e;
	int error = ptable_add(t, src, number, start, count, &e);

	if (error == 0)
		snprintf(e->uuid, sizeof(e->uuid), "%08x-%02x", id, number);
	else if (error == -EINVAL)
		t->note = "partitions beyond the disk's end";
	return error == -EINVAL ? 0 : error;
}

/* Where the chain goes on; 0: nowhere. */
static uint64_t
next_link(const uint8_t *block, uint64_t base)
{
	struct mbr_entry e;
	unsigned i;

	for (i = 0; i < 4; i++) {
		e = entry_of(block, i);
		if (is_extended(e.type) && e.count != 0 && e.start != 0)
			return base + e.start;
	}
	return 0;
}

/*
 * The tables from `base` on: partitions are told from the table's own place,
 * links from the first table's.
 */
static int
read_chain(const struct ptable_source *src, struct ptable *t, uint32_t id,
    uint64_t base, uint8_t *block)
{
	uint64_t at = base;
	unsigned links, number = 5, i;
	struct mbr_entry e;
	int error = 0;

	for (links = 0; at != 0 && error == 0 && links < CHAIN_MAX; links++) {
		if (at >= src->nblocks) {
			t->note = "an extended table beyond the disk's end";
			break;
		}
		error = src->read(src->arg, at, 1, block);
		if (error != 0 || !has_signature(block))
			break;
		for (i = 0; i < 4 && error == 0; i++) {
			e = entry_of(block, i);
			if (e.type != 0 && e.count != 0 && !is_extended(e.type))
				error = add(t, src, id, number++, at + e.start,
				    e.count);
		}
		at = next_link(block, base);
	}
	if (links == CHAIN_MAX)
		t->note = "extended tables without an end";
	return error;
}

static int
read_table(const struct ptable_source *src, struct ptable *t, uint8_t *block)
{
	uint32_t id = ptable_le32(block + MBR_DISK_ID);
	uint64_t shown = MAX(EXTENDED_BYTES / src->block_size, 1u);
	uint64_t chain = 0;
	unsigned i;
	struct mbr_entry e;
	int error = 0;

	t->kind = "dos";
	snprintf(t->uuid, sizeof(t->uuid), "%08x", id);
	for (i = 0; i < 4 && error == 0; i++) {
		e = entry_of(block, i);
		if (e.type == 0 || e.count == 0)
			continue;
		if (is_extended(e.type) && chain == 0)
			chain = e.start;
		error = add(t, src, id, i + 1, e.start,
		    is_extended(e.type) ? MIN(shown, e.count) : e.count);
	}
	/* Only the first chain's have numbers from 5 on. */
	if (chain != 0 && error == 0)
		error = read_chain(src, t, id, chain, block);
	return error;
}

int
mbr_read(const struct ptable_source *src, struct ptable *t)
{
	uint8_t *block = kmalloc(src->block_size);
	int error;

	if (block == NULL)
		return -ENOMEM;
	error = src->read(src->arg, 0, 1, block);
	if (error == 0)
		error = read_table(src, t, block);
	kfree(block);
	return error;
}
