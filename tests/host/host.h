/* SPDX-License-Identifier: ISC */
/* host.h - what a test with threads may ask of its stand-in for the kernel. */
#ifndef TESTS_HOST_H
#define TESTS_HOST_H

#include <stdbool.h>
#include <stdint.h>

/* Allocations that fail: one in so many; 0: none. */
void host_fail_one_in(unsigned n);
/* Blocks of kmalloc() and its like that were not freed. */
long host_kmem_blocks(void);
/* A bit a processor that runs; all do. */
extern uint64_t host_cpus_online;
/* Lines logged so far. */
unsigned host_log_lines(void);
/* The last line logged, copied; "" when there was none. */
void host_log_last(char *buf, unsigned size);
/* A random number below n, of this thread's own sequence. */
uint64_t host_random(uint64_t n);
void host_random_seed(uint64_t seed);

#endif
