/* SPDX-License-Identifier: ISC */
/*
 * random.h - random bytes: ChaCha20 keyed from RDSEED/RDRAND, the clock's
 * jitter and what drivers add.  Any context.
 */
#ifndef KERN_RANDOM_H
#define KERN_RANDOM_H

#include "kern/types.h"

/* Random bytes, a random number, and bytes that stir the pool. */
void random_bytes(void *buf, size_t len);
void random_add(const void *buf, size_t len);

#endif
