/* SPDX-License-Identifier: ISC */
/*
 * kernelfile.c - finding and examining the kernel's file.
 * Linux, Documentation/arch/x86/boot.rst, for bzImage.
 */
#include "cli/kernelfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/elffile.h"

#define BZIMAGE_HEADER       0x268  /* bytes that are looked at */
#define BZIMAGE_MAGIC        0x202  /* "HdrS" */
#define BZIMAGE_VERSION      0x206  /* u16 */
#define BZIMAGE_VERSION_INIT 0x020a /* the first with init_size */
#define BZIMAGE_PREF_ADDRESS 0x258  /* u64 */
#define BZIMAGE_INIT_SIZE    0x260  /* u32 */

#define KERNEL_SPARE         ((uint64_t)512 << 10) /* Remora's own needs */
#define KERNEL_SPARE_FOREIGN ((uint64_t)8 << 20)

static bool
kernel_note_is_ours(const char *name, uint32_t type)
{
	return type == KERNEL_NOTE_TYPE && strcmp(name, KERNEL_NOTE_NAME) == 0;
}

/* The end of the highest segment in memory. */
static uint64_t
kernel_elf_end(const struct elf_file *elf)
{
	uint64_t end = 0;

	for (unsigned i = 0; i < elf->ehdr.e_phnum; i++) {
		const Elf64_Phdr *ph = &elf->phdr[i];

		if (ph->p_type == PT_LOAD && ph->p_paddr + ph->p_memsz > end)
			end = ph->p_paddr + ph->p_memsz;
	}
	return end;
}

static bool
kernel_is_bzimage(struct kernel_file *kernel, int fd)
{
	unsigned char header[BZIMAGE_HEADER];
	uint16_t version;
	uint64_t address = 0;
	uint32_t size = 0;

	if (pread(fd, header, sizeof(header), 0) != sizeof(header) ||
	    memcmp(header + BZIMAGE_MAGIC, "HdrS", 4) != 0)
		return false;
	memcpy(&version, header + BZIMAGE_VERSION, sizeof(version));
	if (version >= BZIMAGE_VERSION_INIT) {
		memcpy(&address, header + BZIMAGE_PREF_ADDRESS,
		    sizeof(address));
		memcpy(&size, header + BZIMAGE_INIT_SIZE, sizeof(size));
	}
	kernel->foreign = true;
	kernel->size = address + size;
	return true;
}

static int
kernel_examine_fd(struct kernel_file *kernel, int fd, struct trouble *t)
{
	struct elf_file elf;
	int error;

	if (kernel_is_bzimage(kernel, fd))
		return 0;
	error = elf_read_headers(&elf, fd);
	if (error != 0) {
		trouble_set(t, STATUS_MACHINE, "the kernel %s %s", kernel->path,
		    elf.why);
	} else {
		kernel->foreign = !elf_each_note(&elf, kernel_note_is_ours);
		kernel->size = kernel_elf_end(&elf);
	}
	elf_fini(&elf);
	return error;
}

int
kernel_file_examine(struct kernel_file *kernel, struct trouble *t)
{
	int fd = open(kernel->path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return trouble_set(t, STATUS_MACHINE, "the kernel %s: %s",
		    kernel->path, strerror(errno));
	error = kernel_examine_fd(kernel, fd, t);
	close(fd);
	return error;
}

/* Sets path to `name` in the command's own folder. */
static bool
file_beside(char path[PATH_MAX], const char *own, const char *folder,
    const char *name)
{
	const char *slash = strrchr(own, '/');
	int n;

	if (slash == NULL)
		return false;
	n = snprintf(path, PATH_MAX, "%.*s/%s%s", (int)(slash - own), own,
	    folder, name);
	return n < PATH_MAX && access(path, F_OK) == 0;
}

int
installed_file_find(char path[PATH_MAX], const char *name, const char *advice,
    struct trouble *t)
{
	char own[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", own, sizeof(own) - 1);

	if (n < 0)
		return trouble_set(t, STATUS_MACHINE,
		    "cannot find %s: /proc/self/exe: %s", name,
		    strerror(errno));
	own[n] = '\0';
	if (!file_beside(path, own, "", name) &&
	    !file_beside(path, own, "../lib/remora/", name))
		return trouble_set(t, STATUS_MACHINE,
		    "%s is neither beside %s nor in ../lib/remora%s", name, own,
		    advice);
	return 0;
}

int
kernel_file_find(struct kernel_file *kernel, const char *given,
    struct trouble *t)
{
	int error;

	memset(kernel, 0, sizeof(*kernel));
	if (given != NULL) {
		if (strlen(given) >= sizeof(kernel->path))
			return trouble_set(t, STATUS_MACHINE,
			    "the kernel's name is too long");
		memcpy(kernel->path, given, strlen(given) + 1);
		return kernel_file_examine(kernel, t);
	}
	error = installed_file_find(kernel->path, "remora.elf",
	    "; --kernel names another place", t);
	return error == 0 ? kernel_file_examine(kernel, t) : error;
}

uint64_t
kernel_file_memory(const struct kernel_file *kernel, uint64_t archive)
{
	/* Others copy the archive's files; Remora uses them in place. */
	if (kernel->foreign)
		return kernel->size + 2 * archive + KERNEL_SPARE_FOREIGN;
	return kernel->size + archive + KERNEL_SPARE;
}
