/* SPDX-License-Identifier: ISC */
/* archive.c - the temporary file that holds the initial file system. */
#include "cli/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/mem.h"

#define ARCHIVE_MEMORY_MAX ((uint64_t)64 << 20)

/* Without O_TMPFILE: a name for as long as it takes to remove it. */
static int
archive_create_named(const char *dir)
{
	char *name = mem_format("%s/remora-XXXXXX", dir);
	int fd = mkostemp(name, O_CLOEXEC);

	if (fd >= 0)
		unlink(name);
	free(name);
	return fd;
}

int
archive_create(uint64_t size, struct trouble *t)
{
	const char *dir = getenv("TMPDIR");
	int fd = -1;

	if (size <= ARCHIVE_MEMORY_MAX)
		fd = memfd_create("remora-initrd", MFD_CLOEXEC);
	if (dir == NULL || dir[0] == '\0')
		dir = "/var/tmp";
	if (fd < 0)
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = archive_create_named(dir);
	if (fd < 0)
		return trouble_set(t, STATUS_MACHINE,
		    "cannot make a temporary file in %s: %s", dir,
		    strerror(errno));
	return fd;
}
