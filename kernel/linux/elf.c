/* SPDX-License-Identifier: ISC */
/*
 * elf.c - checks a program file's headers.
 * System V gABI, chapters 4 and 5; AMD64 psABI; Linux, fs/binfmt_elf.c.
 *
 * Each header is copied out of the bytes first, then checked, then used.
 */
#include "linux/elf.h"

#include "kern/string.h"
#include "x86/layout.h"
#include <linux/elf.h>
#include <linux/errno.h>

#define ALIGN_MAX ((uint64_t)1 << 30)

static bool
ehdr_valid(const Elf64_Ehdr *eh)
{
	return memcmp(eh->e_ident, ELFMAG, SELFMAG) == 0 &&
	    eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	    eh->e_ident[EI_DATA] == ELFDATA2LSB && eh->e_machine == EM_X86_64 &&
	    (eh->e_type == ET_EXEC || eh->e_type == ET_DYN) &&
	    eh->e_phentsize == sizeof(Elf64_Phdr);
}

/* Whether [offset, offset + size) lies in the file. */
static bool
in_file(uint64_t offset, uint64_t size, uint64_t file_size)
{
	return offset <= file_size && size <= file_size - offset;
}

int
elf_parse(const void *head, size_t len, uint64_t file_size,
    struct elf_image *out)
{
	Elf64_Ehdr eh;

	memset(out, 0, sizeof(*out));
	if (len < sizeof(eh) || file_size < sizeof(eh))
		return -ENOEXEC;
	memcpy(&eh, head, sizeof(eh));
	if (!ehdr_valid(&eh))
		return -ENOEXEC;
	out->movable = eh.e_type == ET_DYN;
	out->entry = eh.e_entry;
	out->phnum = eh.e_phnum;
	out->phdr_offset = eh.e_phoff;
	out->phdr_size = (uint32_t)eh.e_phnum * sizeof(Elf64_Phdr);
	if (out->phdr_size == 0 || out->phdr_size > 65536 ||
	    !in_file(out->phdr_offset, out->phdr_size, file_size))
		return -ENOEXEC;
	if (!in_file(out->phdr_offset, out->phdr_size, len))
		return -ENODATA;
	return elf_segments((const char *)head + out->phdr_offset, file_size,
	    out);
}

/* A PT_LOAD by itself. */
static int
load_check(const Elf64_Phdr *ph, uint64_t file_size)
{
	if (ph->p_filesz > ph->p_memsz || ph->p_memsz > USER_END ||
	    ph->p_vaddr > USER_END - ph->p_memsz)
		return -EINVAL;
	if ((ph->p_vaddr & PAGE_MASK) != (ph->p_offset & PAGE_MASK))
		return -EINVAL;
	if (!in_file(ph->p_offset, ph->p_filesz, file_size))
		return -ENOEXEC;
	return 0;
}

/* Puts a segment in its place by address. */
static int
segment_insert(struct elf_image *out, const struct elf_segment *seg)
{
	struct elf_segment *s = out->segment;
	unsigned i = out->nsegments;

	if (i == ELF_SEGMENTS_MAX)
		return -ENOEXEC;
	while (i > 0 && s[i - 1].vaddr > seg->vaddr) {
		s[i] = s[i - 1];
		i--;
	}
	s[i] = *seg;
	out->nsegments++;
	if (i > 0 && s[i - 1].vaddr + s[i - 1].memsz > seg->vaddr)
		return -EINVAL;
	if (i + 1 < out->nsegments && seg->vaddr + seg->memsz > s[i + 1].vaddr)
		return -EINVAL;
	return 0;
}

/* Alignments that are no power of two do not count, as on Linux. */
static int
align_take(struct elf_image *out, uint64_t align)
{
	if (align == 0 || (align & (align - 1)) != 0)
		return 0;
	if (align > ALIGN_MAX)
		return -EINVAL;
	out->align = MAX(out->align, align);
	return 0;
}

static int
load_take(struct elf_image *out, const Elf64_Phdr *ph, uint64_t file_size)
{
	struct elf_segment seg;
	int error;

	if (ph->p_memsz == 0)
		return ph->p_filesz == 0 ? 0 : -EINVAL;
	error = load_check(ph, file_size);
	if (error == 0)
		error = align_take(out, ph->p_align);
	if (error != 0)
		return error;
	seg = (struct elf_segment){
		.vaddr = ph->p_vaddr,
		.memsz = ph->p_memsz,
		.filesz = ph->p_filesz,
		.offset = ph->p_offset,
		.read = ph->p_flags & PF_R,
		.write = ph->p_flags & PF_W,
		.exec = ph->p_flags & PF_X,
	};
	/* AT_PHDR is told by the segment that has the program headers. */
	if (ph->p_offset <= out->phdr_offset &&
	    in_file(out->phdr_offset - ph->p_offset, out->phdr_size,
		ph->p_filesz))
		out->phdr = ph->p_vaddr + (out->phdr_offset - ph->p_offset);
	return segment_insert(out, &seg);
}

static int
interp_take(struct elf_image *out, const Elf64_Phdr *ph, uint64_t file_size)
{
	if (out->interp_size != 0)
		return -ENOEXEC; /* gABI: at most one */
	if (ph->p_filesz < 2 || ph->p_filesz > ELF_INTERP_MAX ||
	    !in_file(ph->p_offset, ph->p_filesz, file_size))
		return -ENOEXEC;
	out->interp_offset = ph->p_offset;
	out->interp_size = (uint32_t)ph->p_filesz;
	return 0;
}

/* What holds of all segments together. */
static int
image_finish(struct elf_image *out)
{
	const struct elf_segment *last;

	if (out->nsegments == 0)
		return -ENOEXEC;
	last = &out->segment[out->nsegments - 1];
	out->low = ROUND_DOWN(out->segment[0].vaddr, PAGE_SIZE);
	out->high = ROUND_UP(last->vaddr + last->memsz, PAGE_SIZE);
	return out->entry < USER_END ? 0 : -EINVAL;
}

int
elf_segments(const void *phdrs, uint64_t file_size, struct elf_image *out)
{
	const char *from = phdrs;
	Elf64_Phdr ph;
	unsigned i;
	int error = 0;

	out->align = PAGE_SIZE;
	for (i = 0; i < out->phnum && error == 0; i++) {
		memcpy(&ph, from + i * sizeof(ph), sizeof(ph));
		switch (ph.p_type) {
		case PT_LOAD: error = load_take(out, &ph, file_size); break;
		case PT_INTERP: error = interp_take(out, &ph, file_size); break;
		case PT_GNU_STACK: out->exec_stack = ph.p_flags & PF_X; break;
		}
	}
	return error == 0 ? image_finish(out) : error;
}

bool
elf_interp_valid(const char *name, uint32_t size)
{
	return size >= 2 && name[size - 1] == '\0' && name[0] != '\0';
}
