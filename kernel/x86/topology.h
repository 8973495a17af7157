/* SPDX-License-Identifier: ISC */
/*
 * topology.h - which processors share a core, a package, a cache.  Intel SDM
 * vol. 3, 9.9 and vol. 2, CPUID leaves 4 and 0bh; AMD APM vol. 3, E.4.15.
 * Context: any, once the processors are counted.
 */
#ifndef X86_TOPOLOGY_H
#define X86_TOPOLOGY_H

#include "kern/types.h"

struct cpu_place {
	uint32_t package, core, thread;
};

/* Where processor n is, as its APIC's number tells. */
struct cpu_place cpu_place(unsigned n);

enum cpu_cache_type { CACHE_DATA = 1, CACHE_CODE, CACHE_UNIFIED };

struct cpu_cache {
	enum cpu_cache_type type;
	uint32_t level, line, partitions, ways, sets; /* each at least 1 */
	uint64_t size;                                /* bytes */
	unsigned share_shift; /* APIC numbers equal above it share one */
};

/* Cache number i; false: there are no more. */
bool cpu_cache(unsigned i, struct cpu_cache *cache);

#endif
