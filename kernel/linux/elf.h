/* SPDX-License-Identifier: ISC */
/*
 * elf.h - checks a program file's headers: ELF64, x86-64, ET_EXEC or ET_DYN.
 * System V gABI, chapters 4 and 5; errors as Linux's fs/binfmt_elf.c.
 * Context: any; pure, nothing is allocated or mapped.
 */
#ifndef LINUX_ELF_H
#define LINUX_ELF_H

#include "kern/types.h"

#define ELF_SEGMENTS_MAX 32
#define ELF_INTERP_MAX   4096 /* with its NUL, as PATH_MAX */

/* A PT_LOAD with a size; by address, no two overlap. */
struct elf_segment {
	uaddr_t vaddr;   /* without the load bias */
	uint64_t memsz;  /* bytes, not 0; vaddr + memsz <= USER_END */
	uint64_t filesz; /* bytes, at most memsz; all of them in the file */
	uint64_t offset; /* in the file, congruent to vaddr modulo a page */
	bool read, write, exec;
};

struct elf_image {
	bool movable; /* ET_DYN: all addresses here want a load bias */
	uaddr_t entry;
	struct elf_segment segment[ELF_SEGMENTS_MAX];
	unsigned nsegments;     /* at least 1 */
	uaddr_t low, high;      /* all segments, in whole pages */
	uint64_t align;         /* the bias is a multiple of this: >= a page */
	uaddr_t phdr;           /* AT_PHDR; 0: not loaded */
	unsigned phnum;         /* AT_PHNUM */
	uint64_t phdr_offset;   /* where they are in the file */
	uint32_t phdr_size;     /* bytes, at most 65536 */
	uint64_t interp_offset; /* of PT_INTERP's string in the file */
	uint32_t interp_size;   /* with its NUL, as the file says; 0: none */
	bool exec_stack;        /* PT_GNU_STACK asks for one */
};

/*
 * Checks a whole program.  `head` is the file's first `len` bytes (or all of
 * it, if it is shorter), `file_size` its size.
 *   -ENOEXEC  not an ELF64 program for this processor, or cut short
 *   -EINVAL   its segments cannot be mapped
 *   -ENODATA  good so far, but the program headers lie beyond `head`: read
 *             out->phdr_size bytes at out->phdr_offset, then elf_segments()
 * An interpreter's ENOEXEC and EINVAL are ELIBBAD to the program's caller.
 */
int elf_parse(const void *head, size_t len, uint64_t file_size,
    struct elf_image *out);

/* The second half, on the program headers; errors as above. */
int elf_segments(const void *phdrs, uint64_t file_size, struct elf_image *out);

/* Whether the interpreter's name, as read from the file, ends as it must. */
bool elf_interp_valid(const char *name, uint32_t size);

#endif
