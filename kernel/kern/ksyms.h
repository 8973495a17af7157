/* SPDX-License-Identifier: ISC */
/* ksyms.h - names of the kernel's own functions, for backtraces. */
#ifndef KERN_KSYMS_H
#define KERN_KSYMS_H

#include "kern/types.h"

/*
 * The function that holds va: its name, cut to size, and the offset in it.
 * False: none does.
 */
bool ksyms_find(uint64_t va, char *name, size_t size, uint64_t *offset);

#endif
