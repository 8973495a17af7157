/* SPDX-License-Identifier: ISC */
/*
 * ptable.h - partition tables as parsers see them: GPT (UEFI 2.10, 5.3) and
 * MBR with its chain of extended tables (UEFI 2.10, 5.2).
 *
 * All that a disk says is read once, checked against the disk's size, and
 * counted: no table makes a parser loop, or name a block that is not there.
 * Context: threads; nothing is kept.
 */
#ifndef BLOCK_PTABLE_H
#define BLOCK_PTABLE_H

#include "kern/types.h"

#define PTABLE_MAX  255 /* partitions; also the highest number */
#define PTABLE_NAME 112 /* 36 UTF-16 characters as UTF-8, with a NUL */
#define PTABLE_UUID 37  /* with its NUL; MBR: "1234abcd-01" */

/* The disk that is looked at. */
struct ptable_source {
	uint64_t nblocks;
	uint32_t block_size; /* bytes, a power of two, 512 .. 4096 */
	/* Reads n blocks, at most a page; n * block_size bytes.  -errno */
	int (*read)(void *arg, uint64_t block, unsigned n, void *buf);
	void *arg;
};

struct ptable_entry {
	unsigned number;       /* 1 .. PTABLE_MAX, rising, no two alike */
	uint64_t start, count; /* blocks; inside the disk, count > 0 */
	char uuid[PTABLE_UUID];
	char name[PTABLE_NAME]; /* "": none */
};

struct ptable {
	const char *kind; /* "gpt", "dos"; NULL: there is none */
	char uuid[PTABLE_UUID];
	const char *note; /* what is wrong with it, for the log; NULL */
	unsigned n, room;
	struct ptable_entry *entry;
};

/*
 * Looks for a table.  0, also if there is none (kind is NULL), or what read()
 * said, or -ENOMEM.  ptable_free() is due in any case.
 */
int ptable_read(const struct ptable_source *src, struct ptable *t);
void ptable_free(struct ptable *t);

/* ---- between ptable.c, gpt.c and mbr.c ---- */

/*
 * The next entry.  -ENOMEM;  -EINVAL  the blocks are not the disk's, or there
 * are too many
 */
int ptable_add(struct ptable *t, const struct ptable_source *src,
    unsigned number, uint64_t start, uint64_t count, struct ptable_entry **out);

/* What stands in block 0. */
enum mbr_kind { MBR_NONE, MBR_PROTECTIVE, MBR_TABLE };
enum mbr_kind mbr_kind(const uint8_t *block);
int mbr_read(const struct ptable_source *src, struct ptable *t);
/* kind stays NULL where neither copy is whole. */
int gpt_read(const struct ptable_source *src, struct ptable *t);

static inline uint32_t
ptable_le32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline uint64_t
ptable_le64(const uint8_t *p)
{
	return ptable_le32(p) | (uint64_t)ptable_le32(p + 4) << 32;
}

#endif
