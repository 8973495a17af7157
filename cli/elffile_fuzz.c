/* SPDX-License-Identifier: ISC */
/* elffile_fuzz.c - any bytes as a program or library: no harm, a message. */
/* unit: cli/elffile.c cli/mem.c cli/trouble.c */
#include "cli/elffile.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
never(const char *name, uint32_t type)
{
	(void)type;
	if (strlen(name) > 65536)
		abort();
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct elf_file elf;
	int error;

	if (fd < 0)
		fd = memfd_create("elf", 0);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	error = elf_read(&elf, fd);
	if (error > 0 || (error != 0) != (elf.why[0] != '\0'))
		abort();
	if (error == 0 && elf.interp != NULL && elf.interp[0] == '\0')
		abort();
	if (error == 0)
		elf_each_note(&elf, never);
	elf_fini(&elf);
	return 0;
}
