/* SPDX-License-Identifier: ISC */
/*
 * kernelfile.h - the kernel that the machine boots: where it is, whether it
 * is Remora or another one, and how much memory it wants.
 */
#ifndef CLI_KERNELFILE_H
#define CLI_KERNELFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/trouble.h"

/* Remora's kernel says so by an ELF note of this name and type. */
#define KERNEL_NOTE_NAME "Remora"
#define KERNEL_NOTE_TYPE 1

struct kernel_file {
	char path[PATH_MAX];
	bool foreign;  /* not Remora: none of its own arguments */
	uint64_t size; /* of memory up to its end, bytes */
};

/*
 * Finds remora.elf beside the command or in ../lib/remora, or takes `given`
 * (not NULL), and examines it.  Returns 0, or fills *t with status 125.
 */
int kernel_file_find(struct kernel_file *kernel, const char *given,
    struct trouble *t);

/*
 * Finds a file that was installed with the command: beside it, or in
 * ../lib/remora.  Returns 0, or fills *t with status 125; `advice` ends the
 * message.
 */
int installed_file_find(char path[PATH_MAX], const char *name,
    const char *advice, struct trouble *t);

/* Examines kernel->path.  Returns 0, or fills *t with status 125. */
int kernel_file_examine(struct kernel_file *kernel, struct trouble *t);

/*
 * The least memory with which it can work, in bytes, given an initial file
 * system of `archive` bytes.
 */
uint64_t kernel_file_memory(const struct kernel_file *kernel, uint64_t archive);

#endif
