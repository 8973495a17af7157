/* SPDX-License-Identifier: ISC */
/*
 * hello.c - says hello, repeats its arguments, ends as it is told (`exit N`).
 * A plain program: no test header, so that nothing but the start and the end
 * of a program is tried here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __thread int thread_local_value = 42;
static double table[] = { 1.5, 2.5 };
static double *relocated = &table[1]; /* needs a relocation in a PIE */

__attribute__((constructor)) static void
before_main(void)
{
	thread_local_value++;
}

int
main(int argc, char **argv)
{
	printf("hello, world\n");
	if (thread_local_value != 43 || *relocated != 2.5) {
		printf("not started as it should be\n");
		return 1;
	}
	for (int i = 1; i < argc; i++)
		printf("%s%c", argv[i], i + 1 < argc ? ' ' : '\n');
	if (argc == 3 && strcmp(argv[1], "exit") == 0)
		return atoi(argv[2]);
	return 0;
}
