/* SPDX-License-Identifier: ISC */
/*
 * elffile.h - what must be known of an ELF64 file to run it elsewhere: its
 * interpreter and the libraries it asks for.  System V ABI, 4 and 5.
 * The file may be truncated, damaged or hostile: everything is checked, and
 * read through the descriptor, so that a file that shrinks does no harm.
 */
#ifndef CLI_ELFFILE_H
#define CLI_ELFFILE_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/mem.h"

struct elf_file {
	int fd;        /* the caller's */
	uint64_t size; /* of the file, bytes */
	Elf64_Ehdr ehdr;
	Elf64_Phdr *phdr;      /* ehdr.e_phnum of them */
	char *interp;          /* PT_INTERP, or NULL */
	struct strings needed; /* DT_NEEDED, in order */
	char *rpath, *runpath; /* DT_RPATH, DT_RUNPATH, or NULL */
	bool nodeflib;         /* DF_1_NODEFLIB: not in default folders */
	char why[160];         /* after an error: "is empty", "is ..." */
};

/*
 * Reads the ELF and program headers and checks every loadable segment against
 * the file's size.  elf_fini() is due afterwards in any case.
 *   -ENOEXEC  not an ELF file, or one for another kind of machine; why tells
 *   -EBADMSG  truncated or damaged; why tells
 *   -errno    reading failed; why tells
 */
int elf_read_headers(struct elf_file *elf, int fd);

/* Reads the headers, the interpreter's name and the dynamic section. */
int elf_read(struct elf_file *elf, int fd);
void elf_fini(struct elf_file *elf);

/*
 * Calls fn for each ELF note of the PT_NOTE segments until it returns true.
 * `name` is NUL-terminated.  Returns whether some call returned true; damaged
 * notes end the walk.
 */
bool elf_each_note(struct elf_file *elf,
    bool (*fn)(const char *name, uint32_t type));

#endif
