/* SPDX-License-Identifier: ISC */
/*
 * topology.c - what CPUID says of cores, packages and caches.  A hypervisor
 * may say anything: shifts and counts are kept in bounds.
 */
#include "x86/topology.h"

#include "kern/string.h"
#include "x86/cpu.h"

#define LEAF_CACHE      4
#define LEAF_TOPOLOGY   0xb
#define LEAF_AMD_SIZES  0x80000008
#define LEAF_AMD_CACHES 0x8000001d
#define CACHES_MAX      16

static bool
has_leaf(uint32_t leaf)
{
	return cpuid(leaf & 0x80000000, 0).eax >= leaf;
}

static bool
is_amd(void)
{
	const char *vendor = cpu_features()->vendor;

	return strcmp(vendor, "AuthenticAMD") == 0 ||
	    strcmp(vendor, "HygonGenuine") == 0;
}

/* Bits that tell n things apart. */
static unsigned
bits_for(uint32_t n)
{
	unsigned bits = 0;

	while (bits < 31 && (1u << bits) < n)
		bits++;
	return bits;
}

struct shifts {
	unsigned core, package; /* of an APIC's number */
};

/* Levels of leaf 0bh: 1 threads of a core, 2 cores of a package. */
static bool
shifts_by_levels(struct shifts *s)
{
	struct cpuid r;
	unsigned i, type;

	*s = (struct shifts){ 0, 0 };
	if (!has_leaf(LEAF_TOPOLOGY))
		return false;
	for (i = 0; i < 8; i++) {
		r = cpuid(LEAF_TOPOLOGY, i);
		type = r.ecx >> 8 & 0xff;
		if (type == 0)
			break;
		if (type == 1)
			s->core = r.eax & 31;
		s->package = r.eax & 31;
	}
	return s->package != 0 || i > 0;
}

/* Before there were levels: how many numbers a package has, and its cores. */
static struct shifts
shifts_by_counts(void)
{
	struct cpuid r = cpuid(1, 0);
	uint32_t threads = (r.edx >> 28 & 1) != 0 ? r.ebx >> 16 & 0xff : 1;
	uint32_t cores = 1;

	if (is_amd() && has_leaf(LEAF_AMD_SIZES))
		cores = (cpuid(LEAF_AMD_SIZES, 0).ecx & 0xff) + 1;
	else if (!is_amd() && has_leaf(LEAF_CACHE))
		cores = (cpuid(LEAF_CACHE, 0).eax >> 26) + 1;
	threads = MAX(threads, cores);
	return (struct shifts){ bits_for(threads / cores), bits_for(threads) };
}

struct cpu_place
cpu_place(unsigned n)
{
	uint32_t id = cpu_apic_id(n);
	struct shifts s;

	if (!shifts_by_levels(&s))
		s = shifts_by_counts();
	if (s.core > s.package)
		s.core = s.package;
	return (struct cpu_place){ id >> s.package,
		(id & ((1u << s.package) - 1)) >> s.core,
		id & ((1u << s.core) - 1) };
}

static uint32_t
leaf_of_caches(void)
{
	if (is_amd())
		return has_leaf(LEAF_AMD_CACHES) &&
			(cpuid(0x80000001, 0).ecx >> 22 & 1) != 0 ?
		    LEAF_AMD_CACHES :
		    0;
	return has_leaf(LEAF_CACHE) ? LEAF_CACHE : 0;
}

bool
cpu_cache(unsigned i, struct cpu_cache *cache)
{
	uint32_t leaf = leaf_of_caches();
	struct cpuid r;

	if (leaf == 0 || i >= CACHES_MAX)
		return false;
	r = cpuid(leaf, i);
	if ((r.eax & 31) < CACHE_DATA || (r.eax & 31) > CACHE_UNIFIED)
		return false;
	cache->type = r.eax & 31;
	cache->level = r.eax >> 5 & 7;
	cache->line = (r.ebx & 0xfff) + 1;
	cache->partitions = (r.ebx >> 12 & 0x3ff) + 1;
	cache->ways = (r.ebx >> 22) + 1;
	cache->sets = r.ecx + 1 == 0 ? r.ecx : r.ecx + 1;
	cache->size = (uint64_t)cache->line * cache->partitions * cache->ways *
	    cache->sets;
	cache->share_shift = bits_for((r.eax >> 14 & 0xfff) + 1);
	return true;
}
