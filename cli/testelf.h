/* SPDX-License-Identifier: ISC */
/*
 * testelf.h - for the tests: small ELF files made to order, and a folder to
 * put them in.
 */
#ifndef CLI_TESTELF_H
#define CLI_TESTELF_H

#include <elf.h>
#include <stddef.h>

struct test_elf {
	const char *interp;          /* or NULL */
	const char *needed[4];       /* ends with NULL */
	const char *rpath, *runpath; /* or NULL */
	unsigned machine;            /* 0: x86-64 */
};

/* The parts of the file, in this order, after which it is this long. */
struct test_elf_file {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[4]; /* load, interp, dynamic, note */
	Elf64_Dyn dyn[10];
	Elf64_Nhdr nhdr;
	char note[8];
	char interp[128];
	char strings[512];
};

/* An ELF file with the headers and tables that `what` asks for. */
void test_elf_make(struct test_elf_file *file, const struct test_elf *what);

/* Paths below are absolute in the folder; parents are made. */
const char *test_dir_make(void); /* its name on the host */
void test_dir_remove(void);
void
test_dir_put(const char *path, const void *data, size_t size, unsigned mode);
void test_dir_put_elf(const char *path, const struct test_elf *what);
void test_dir_link(const char *path, const char *target);

#endif
