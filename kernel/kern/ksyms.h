/* SPDX-License-Identifier: ISC */
/* ksyms.h - names of the kernel's own functions, for backtraces. */
#ifndef KERN_KSYMS_H
#define KERN_KSYMS_H

#include "kern/types.h"

/* The function that holds va and the offset in it; NULL: none does. */
const char *ksyms_find(uint64_t va, uint64_t *offset);

#endif
