/* SPDX-License-Identifier: ISC */
/*
 * sysfs_cpu.c - /sys/devices/system: processors with their places and caches,
 * and the one node of memory.  sysfs(5); Linux,
 * Documentation/ABI/testing/sysfs-devices-system-cpu; lscpu(1) reads here.
 *
 * id->key is the processor's number, id->sub the cache's.
 */
#include "kern/page.h"
#include "kern/string.h"
#include "linux/sysfs.h"
#include "x86/cpu.h"
#include "x86/topology.h"
#include <linux/errno.h>

/* ---- sets of processors ---- */

typedef bool member_fn(unsigned n, const struct pseudo_id *id);

static bool
everyone(unsigned n, const struct pseudo_id *id)
{
	(void)n;
	(void)id;
	return true;
}

static bool
same_package(unsigned n, const struct pseudo_id *id)
{
	return cpu_place(n).package == cpu_place(id->key).package;
}

static bool
same_core(unsigned n, const struct pseudo_id *id)
{
	return same_package(n, id) &&
	    cpu_place(n).core == cpu_place(id->key).core;
}

static bool
same_cache(unsigned n, const struct pseudo_id *id)
{
	struct cpu_cache c;

	return cpu_cache(id->sub, &c) &&
	    cpu_apic_id(n) >> c.share_shift ==
	    cpu_apic_id(id->key) >> c.share_shift;
}

/* "0-3,6" */
static void
print_list(struct sbuf *sb, const struct pseudo_id *id, member_fn *in)
{
	unsigned n, last, count = cpu_count();
	const char *comma = "";

	for (n = 0; n < count; n = last + 1) {
		last = n;
		if (!in(n, id))
			continue;
		while (last + 1 < count && in(last + 1, id))
			last++;
		sbuf_printf(sb, n == last ? "%s%u" : "%s%u-%u", comma, n, last);
		comma = ",";
	}
	sbuf_puts(sb, "\n");
}

/* "f", or "3,ffffffff": as many digits as there are processors. */
static void
print_mask(struct sbuf *sb, const struct pseudo_id *id, member_fn *in)
{
	unsigned count = cpu_count(), word = (count - 1) / 32 + 1, n, digits;
	uint32_t bits;

	while (word-- > 0) {
		bits = 0;
		for (n = word * 32; n < count && n < word * 32 + 32; n++)
			if (in(n, id))
				bits |= 1u << n % 32;
		digits = (MIN(count - word * 32, 32u) + 3) / 4;
		sbuf_printf(sb, "%0*x%s", (int)digits, bits,
		    word > 0 ? "," : "\n");
	}
}

/* Two files of one set: NAME_list and NAME_mask. */
#define SET(name, in)                                             \
	static int show_##name##_list(const struct pseudo_id *id, \
	    struct sbuf *sb)                                      \
	{                                                         \
		print_list(sb, id, in);                           \
		return 0;                                         \
	}                                                         \
	static int show_##name##_mask(const struct pseudo_id *id, \
	    struct sbuf *sb)                                      \
	{                                                         \
		print_mask(sb, id, in);                           \
		return 0;                                         \
	}

SET(package, same_package)
SET(core, same_core)
SET(cache, same_cache)

int
sysfs_show_cpulist(const struct pseudo_id *id, struct sbuf *sb)
{
	print_list(sb, id, everyone);
	return 0;
}

int
sysfs_show_cpumask(const struct pseudo_id *id, struct sbuf *sb)
{
	print_mask(sb, id, everyone);
	return 0;
}

/* ---- files that are one number or word ---- */

#define SHOW(name, fmt, expr)                                               \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		(void)id;                                                   \
		sbuf_printf(sb, fmt "\n", expr);                            \
		return 0;                                                   \
	}

SHOW(package_id, "%u", cpu_place(id->key).package)
SHOW(core_id, "%u", cpu_place(id->key).core)
SHOW(kernel_max, "%u", MAX_CPUS - 1)
SHOW(one, "%u", 1)
SHOW(zero, "%u", 0)
SHOW(distance, "%u", 10)
SHOW(nobody, "%s", "")

/* Of a cache that CPUID still knows: it was asked when the folder was found. */
#define SHOW_CACHE(name, fmt, expr)                                         \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		struct cpu_cache c;                                         \
                                                                            \
		if (!cpu_cache(id->sub, &c))                                \
			return -ENODEV;                                     \
		sbuf_printf(sb, fmt "\n", expr);                            \
		return 0;                                                   \
	}

static const char *const types[] = { [CACHE_DATA] = "Data",
	[CACHE_CODE] = "Instruction",
	[CACHE_UNIFIED] = "Unified" };

SHOW_CACHE(line, "%u", c.line)
SHOW_CACHE(level, "%u", c.level)
SHOW_CACHE(sets, "%u", c.sets)
SHOW_CACHE(partitions, "%u", c.partitions)
SHOW_CACHE(ways, "%u", c.ways)
SHOW_CACHE(size, "%luK", c.size / 1024)
SHOW_CACHE(type, "%s", types[c.type])
SHOW_CACHE(cache_id, "%u", cpu_apic_id(id->key) >> c.share_shift)

/* ---- folders with a number in their names ---- */

/* "cpu12" for prefix "cpu": its number; -1: something else. */
static int
number_of(const char *name, size_t len, const char *prefix)
{
	size_t at = strlen(prefix);
	int n = 0;

	if (len <= at || len > at + 3 || memcmp(name, prefix, at) != 0 ||
	    (len > at + 1 && name[at] == '0'))
		return -1;
	for (; at < len; at++) {
		if (name[at] < '0' || name[at] > '9')
			return -1;
		n = n * 10 + (name[at] - '0');
	}
	return n;
}

static const struct pseudo_entry cache_files[] = {
	SYSFS_FILE("coherency_line_size", show_line),
	SYSFS_FILE("id", show_cache_id),
	SYSFS_FILE("level", show_level),
	SYSFS_FILE("number_of_sets", show_sets),
	SYSFS_FILE("physical_line_partition", show_partitions),
	SYSFS_FILE("shared_cpu_list", show_cache_list),
	SYSFS_FILE("shared_cpu_map", show_cache_mask),
	SYSFS_FILE("size", show_size),
	SYSFS_FILE("type", show_type),
	SYSFS_FILE("ways_of_associativity", show_ways),
	{ .name = NULL },
};
static const struct pseudo_entry cache_folder = {
	.name = "index",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = cache_files,
};

static int
find_cache(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	int n = number_of(name, len, "index");
	struct cpu_cache c;

	if (n < 0 || !cpu_cache(n, &c))
		return -ENOENT;
	*id = (struct pseudo_id){ dir->key, n };
	*entry = &cache_folder;
	return 0;
}

static bool
next_cache(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	struct cpu_cache c;

	if (!cpu_cache(*pos, &c))
		return false;
	snprintf(name, 32, "index%lu", *pos);
	*id = (struct pseudo_id){ dir->key, *pos };
	*entry = &cache_folder;
	return true;
}

static const struct pseudo_dir_ops caches_dir = {
	.find = find_cache,
	.next = next_cache,
};

static const struct pseudo_entry topology_files[] = {
	SYSFS_FILE("core_cpus", show_core_mask),
	SYSFS_FILE("core_cpus_list", show_core_list),
	SYSFS_FILE("core_id", show_core_id),
	SYSFS_FILE("core_siblings", show_package_mask),
	SYSFS_FILE("core_siblings_list", show_package_list),
	SYSFS_FILE("die_id", show_zero),
	SYSFS_FILE("package_cpus", show_package_mask),
	SYSFS_FILE("package_cpus_list", show_package_list),
	SYSFS_FILE("physical_package_id", show_package_id),
	SYSFS_FILE("thread_siblings", show_core_mask),
	SYSFS_FILE("thread_siblings_list", show_core_list),
	{ .name = NULL },
};
static const struct pseudo_entry cpu_files[] = {
	{ .name = "cache",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .dir = &caches_dir },
	SYSFS_FILE("online", show_one),
	PROC_DIR("topology", topology_files),
	{ .name = NULL },
};
static const struct pseudo_entry cpu_folder = {
	.name = "cpu",
	.kind = PSEUDO_DIR,
	.mode = 0555,
	.children = cpu_files,
};

static int
find_cpu(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	int n = number_of(name, len, "cpu");

	(void)dir;
	if (n < 0 || (unsigned)n >= cpu_count())
		return -ENOENT;
	*id = (struct pseudo_id){ .key = n };
	*entry = &cpu_folder;
	return 0;
}

static bool
next_cpu(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	(void)dir;
	if (*pos >= cpu_count())
		return false;
	snprintf(name, 32, "cpu%lu", *pos);
	*id = (struct pseudo_id){ .key = *pos };
	*entry = &cpu_folder;
	return true;
}

static const struct pseudo_dir_ops cpus_dir = {
	.find = find_cpu,
	.next = next_cpu,
};

static const struct pseudo_entry all_cpus_files[] = {
	SYSFS_FILE("kernel_max", show_kernel_max),
	SYSFS_FILE("offline", show_nobody),
	SYSFS_FILE("online", sysfs_show_cpulist),
	SYSFS_FILE("possible", sysfs_show_cpulist),
	SYSFS_FILE("present", sysfs_show_cpulist),
	{ .name = NULL },
};

/* ---- memory: one node ---- */

static int
show_meminfo(const struct pseudo_id *id, struct sbuf *sb)
{
	struct page_stats st;

	(void)id;
	page_stats(&st);
	sbuf_printf(sb,
	    "Node 0 MemTotal: %15lu kB\nNode 0 MemFree:  %15lu kB\n"
	    "Node 0 MemUsed:  %15lu kB\n",
	    st.total * PAGE_SIZE / 1024, st.free * PAGE_SIZE / 1024,
	    (st.total - st.free) * PAGE_SIZE / 1024);
	return 0;
}

static const struct pseudo_entry node_files[] = {
	SYSFS_FILE("cpulist", sysfs_show_cpulist),
	SYSFS_FILE("cpumap", sysfs_show_cpumask),
	SYSFS_FILE("distance", show_distance),
	SYSFS_FILE("meminfo", show_meminfo),
	{ .name = NULL },
};
static const struct pseudo_entry nodes_files[] = {
	SYSFS_FILE("has_cpu", show_zero),
	SYSFS_FILE("has_memory", show_zero),
	SYSFS_FILE("has_normal_memory", show_zero),
	PROC_DIR("node0", node_files),
	SYSFS_FILE("online", show_zero),
	SYSFS_FILE("possible", show_zero),
	{ .name = NULL },
};

const struct pseudo_entry sysfs_system_entries[] = {
	{ .name = "cpu",
	    .kind = PSEUDO_DIR,
	    .mode = 0555,
	    .children = all_cpus_files,
	    .dir = &cpus_dir },
	PROC_DIR("node", nodes_files),
	{ .name = NULL },
};
