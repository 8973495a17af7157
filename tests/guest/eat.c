/* SPDX-License-Identifier: ISC */
/*
 * eat.c - writes to so many MiB of memory, a page at a time: more than the
 * machine has, when it is told so.  It ends with status 1 if it is refused,
 * or is killed; with 0 if it got all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

int
main(int argc, char **argv)
{
	size_t size = (argc > 1 ? strtoul(argv[1], NULL, 10) : 1) << 20;
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	for (size_t i = 0; i < size; i += 4096)
		p[i] = 1;
	printf("all of it\n");
	return 0;
}
