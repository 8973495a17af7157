/* SPDX-License-Identifier: ISC */
/* ptable.c - which partition table a disk has, if any. */
#include "block/ptable.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

int
ptable_add(struct ptable *t, const struct ptable_source *src, unsigned number,
    uint64_t start, uint64_t count, struct ptable_entry **out)
{
	struct ptable_entry *e;

	if (t->n == PTABLE_MAX || number == 0 || number > PTABLE_MAX ||
	    count == 0 || start >= src->nblocks || count > src->nblocks - start)
		return -EINVAL;
	if (t->n == t->room) {
		e = krealloc(t->entry, (t->room + 16) * sizeof(*e));
		if (e == NULL)
			return -ENOMEM;
		t->entry = e;
		t->room += 16;
	}
	e = &t->entry[t->n++];
	memset(e, 0, sizeof(*e));
	e->number = number;
	e->start = start;
	e->count = count;
	*out = e;
	return 0;
}

void
ptable_free(struct ptable *t)
{
	kfree(t->entry);
	t->entry = NULL;
	t->n = t->room = 0;
}

static enum mbr_kind
first_block(const struct ptable_source *src, int *error)
{
	uint8_t *block = kmalloc(src->block_size);
	enum mbr_kind kind = MBR_NONE;

	*error = block == NULL ? -ENOMEM : src->read(src->arg, 0, 1, block);
	if (*error == 0)
		kind = mbr_kind(block);
	kfree(block);
	return kind;
}

/*
 * A GPT counts only behind its protective MBR: tools that know MBRs alone may
 * have made another table since.
 */
int
ptable_read(const struct ptable_source *src, struct ptable *t)
{
	enum mbr_kind kind;
	int error = 0;

	memset(t, 0, sizeof(*t));
	if (src->nblocks == 0)
		return 0;
	kind = first_block(src, &error);
	if (error == 0 && kind == MBR_PROTECTIVE)
		error = gpt_read(src, t);
	else if (error == 0 && kind == MBR_TABLE)
		error = mbr_read(src, t);
	return error;
}
