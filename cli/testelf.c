/* SPDX-License-Identifier: ISC */
/* testelf.c - small ELF files and folders for the tests. */
#include "cli/testelf.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST_BASE 0x400000

static char dir[PATH_MAX];

static size_t
put_string(struct test_elf_file *f, size_t *used, const char *s)
{
	size_t at = *used;

	strcpy(f->strings + at, s);
	*used += strlen(s) + 1;
	return at;
}

static void
make_dynamic(struct test_elf_file *f, const struct test_elf *what)
{
	size_t used = 1, n = 0;

	for (size_t i = 0; i < 4 && what->needed[i] != NULL; i++)
		f->dyn[n++] = (Elf64_Dyn){ DT_NEEDED,
			{ put_string(f, &used, what->needed[i]) } };
	if (what->rpath != NULL)
		f->dyn[n++] = (Elf64_Dyn){ DT_RPATH,
			{ put_string(f, &used, what->rpath) } };
	if (what->runpath != NULL)
		f->dyn[n++] = (Elf64_Dyn){ DT_RUNPATH,
			{ put_string(f, &used, what->runpath) } };
	f->dyn[n++] = (Elf64_Dyn){ DT_STRTAB,
		{ TEST_BASE + offsetof(struct test_elf_file, strings) } };
	f->dyn[n++] = (Elf64_Dyn){ DT_STRSZ, { sizeof(f->strings) } };
	f->dyn[n] = (Elf64_Dyn){ DT_NULL, { 0 } };
}

void
test_elf_make(struct test_elf_file *f, const struct test_elf *what)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->ehdr.e_ident, ELFMAG, SELFMAG);
	f->ehdr.e_ident[EI_CLASS] = ELFCLASS64;
	f->ehdr.e_ident[EI_DATA] = ELFDATA2LSB;
	f->ehdr.e_ident[EI_VERSION] = EV_CURRENT;
	f->ehdr.e_type = ET_DYN;
	f->ehdr.e_machine = what->machine != 0 ? (Elf64_Half)what->machine :
						 EM_X86_64;
	f->ehdr.e_version = EV_CURRENT;
	f->ehdr.e_phoff = offsetof(struct test_elf_file, phdr);
	f->ehdr.e_phentsize = sizeof(Elf64_Phdr);
	f->ehdr.e_phnum = 4;
	f->phdr[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
		.p_flags = PF_R,
		.p_vaddr = TEST_BASE,
		.p_paddr = TEST_BASE,
		.p_filesz = sizeof(*f),
		.p_memsz = sizeof(*f) };
	f->phdr[1].p_type = what->interp != NULL ? PT_INTERP : PT_NULL;
	f->phdr[1].p_offset = offsetof(struct test_elf_file, interp);
	if (what->interp != NULL) {
		f->phdr[1].p_filesz = strlen(what->interp) + 1;
		strcpy(f->interp, what->interp);
	}
	f->phdr[2].p_type = PT_DYNAMIC;
	f->phdr[2].p_offset = offsetof(struct test_elf_file, dyn);
	f->phdr[2].p_filesz = sizeof(f->dyn);
	f->phdr[3].p_type = PT_NOTE;
	f->phdr[3].p_offset = offsetof(struct test_elf_file, nhdr);
	f->phdr[3].p_filesz = sizeof(f->nhdr) + sizeof(f->note);
	f->nhdr = (Elf64_Nhdr){ .n_namesz = 7, .n_type = 1 };
	strcpy(f->note, "Remora");
	make_dynamic(f, what);
}

const char *
test_dir_make(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof(dir), "%s/remora-test-XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(dir) == NULL)
		abort();
	return dir;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void
test_dir_remove(void)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *
make_parents(const char *path)
{
	static char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", dir, path);
	for (char *p = full + strlen(dir) + 1; (p = strchr(p, '/')) != NULL;
	     p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	return full;
}

void
test_dir_put(const char *path, const void *data, size_t size, unsigned mode)
{
	int fd = open(make_parents(path), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size ||
	    fchmod(fd, mode) < 0)
		abort();
	close(fd);
}

void
test_dir_put_elf(const char *path, const struct test_elf *what)
{
	struct test_elf_file f;

	test_elf_make(&f, what);
	test_dir_put(path, &f, sizeof(f), 0755);
}

void
test_dir_link(const char *path, const char *target)
{
	if (symlink(target, make_parents(path)) < 0)
		abort();
}
