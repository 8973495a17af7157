/* SPDX-License-Identifier: ISC */
/*
 * elf_fuzz.c - any bytes as a program: what is accepted can be mapped.
 */
/* unit: kernel/linux/elf.c */
#include "linux/elf.h"
#include "x86/layout.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(const struct elf_image *img, uint64_t size)
{
	const struct elf_segment *s;
	uaddr_t end = 0;
	unsigned i;

	if (img->nsegments == 0 || img->nsegments > ELF_SEGMENTS_MAX)
		abort();
	for (i = 0; i < img->nsegments; i++) {
		s = &img->segment[i];
		if (s->vaddr < end || s->memsz == 0 || s->filesz > s->memsz)
			abort();
		end = s->vaddr + s->memsz;
		if (end < s->vaddr || end > USER_END)
			abort();
		if (s->offset > size || s->filesz > size - s->offset)
			abort();
		if ((s->offset ^ s->vaddr) & PAGE_MASK)
			abort();
	}
	if (img->low > img->segment[0].vaddr || img->high < end ||
	    img->high > USER_END || ((img->low | img->high) & PAGE_MASK))
		abort();
	if (img->align < PAGE_SIZE || (img->align & (img->align - 1)))
		abort();
	if (img->interp_size != 0 &&
	    (img->interp_size > ELF_INTERP_MAX || img->interp_offset > size ||
		img->interp_size > size - img->interp_offset))
		abort();
	if (img->phdr != 0 && (img->phdr < img->low || img->phdr >= img->high))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elf_image img;
	uint64_t file_size = size;
	size_t head = size;

	if (size > 0 && data[size - 1] & 1)
		file_size += (uint64_t)data[size - 1] << 12;
	if (size > 300 && data[size - 1] & 2)
		head = 300;
	if (elf_parse(data, head, file_size, &img) == 0)
		check(&img, file_size);
	return 0;
}
