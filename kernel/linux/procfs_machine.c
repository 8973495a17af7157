/* SPDX-License-Identifier: ISC */
/*
 * procfs_machine.c - files of /proc about the whole machine.  proc(5); the
 * formats are those that procps and busybox read.
 */
#include "bus/intr.h"
#include "fs/chrdev.h"
#include "fs/pagecache.h"
#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/vm.h"
#include "linux/process.h"
#include "linux/procfs.h"
#include "linux/version.h"
#include "x86/cpu.h"
#include "x86/irq.h"
#include "x86/smp.h"

#ifdef __clang__
#define COMPILER __VERSION__ /* says clang itself */
#else
#define COMPILER "gcc " __VERSION__
#endif

#define SECOND_NS 1000000000ul
#define TICK_NS   (SECOND_NS / 100) /* USER_HZ */

int
proc_show_version(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%s version %s (remora) (%s) %s\n", LINUX_SYSNAME,
	    LINUX_RELEASE, COMPILER, LINUX_VERSION);
	return 0;
}

int
proc_show_cmdline(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_printf(sb, "%s\n", boot_cmdline());
	return 0;
}

int
proc_show_swaps(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	sbuf_puts(sb, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	return 0;
}

int
proc_show_filesystems(const struct pseudo_id *id, struct sbuf *sb)
{
	const struct fs_type *t;
	unsigned i;

	(void)id;
	for (i = 0; (t = fs_type_at(i)) != NULL; i++)
		sbuf_printf(sb, "%s\t%s\n", t->needs_device ? "" : "nodev",
		    t->name);
	return 0;
}

static const char *
driver_of(const struct chrdev *dev)
{
	return dev->driver != NULL ? dev->driver : dev->name;
}

/* Did one before the i-th give the same line? */
static bool
was_shown(const struct chrdev *dev, unsigned i)
{
	const struct chrdev *other;

	while (i-- > 0) {
		other = chrdev_at(i);
		if (other != NULL && other->major == dev->major &&
		    strcmp(driver_of(other), driver_of(dev)) == 0)
			return true;
	}
	return false;
}

int
proc_show_devices(const struct pseudo_id *id, struct sbuf *sb)
{
	struct chrdev *dev;
	unsigned i;

	(void)id;
	sbuf_puts(sb, "Character devices:\n");
	for (i = 0; (dev = chrdev_at(i)) != NULL; i++)
		if (!was_shown(dev, i))
			sbuf_printf(sb, "%3u %s\n", dev->major, driver_of(dev));
	sbuf_puts(sb, "\nBlock devices:\n");
	proc_print_block_drivers(sb);
	return 0;
}

int
proc_show_interrupts(const struct pseudo_id *id, struct sbuf *sb)
{
	struct intr_info info;
	unsigned i, cpu;

	(void)id;
	sbuf_puts(sb, "    ");
	for (cpu = 0; cpu < cpu_count(); cpu++)
		sbuf_printf(sb, "       CPU%-3u", cpu);
	sbuf_puts(sb, "\n");
	for (i = 0; intr_info(i, &info); i++) {
		sbuf_printf(sb, "%3u:", info.number);
		for (cpu = 0; cpu < cpu_count(); cpu++)
			sbuf_printf(sb, " %10u", intr_count(i, cpu));
		sbuf_printf(sb, "   %s   %s-%-8s  %s\n", info.kind, info.name,
		    info.how, info.handlers);
	}
	sbuf_puts(sb, "LOC:");
	for (cpu = 0; cpu < cpu_count(); cpu++)
		sbuf_printf(sb, " %10lu", timer_interrupts(cpu));
	sbuf_puts(sb, "   Local timer interrupts\nRES:");
	for (cpu = 0; cpu < cpu_count(); cpu++)
		sbuf_printf(sb, " %10lu", smp_pokes(cpu));
	sbuf_puts(sb, "   Rescheduling interrupts\n");
	return 0;
}

/* What processes have, in pages; what several share counts for each. */
struct program_memory {
	uint64_t anon, mapped, tables, size, locked;
};

static bool
add_memory(struct process *p, void *arg)
{
	struct program_memory *sum = arg;
	struct vm_counts c;

	if (p->vm == NULL)
		return true;
	vmspace_counts(p->vm, &c);
	sum->anon += c.resident - MIN(c.resident, c.resident_file);
	sum->mapped += c.resident_file;
	sum->tables += c.tables;
	sum->size += c.data + c.stack;
	sum->locked += c.locked;
	return true;
}

static void
programs_memory(struct program_memory *sum)
{
	memset(sum, 0, sizeof(*sum));
	mutex_lock(&process_lock);
	process_foreach_locked(add_memory, sum);
	mutex_unlock(&process_lock);
}

struct meminfo_row {
	const char *name;
	uint64_t pages;
};

static void
print_meminfo(struct sbuf *sb, const struct meminfo_row *row, unsigned n)
{
	for (; n > 0; n--, row++)
		sbuf_printf(sb, "%-15s %8lu kB\n", row->name,
		    row->pages << (PAGE_SHIFT - 10));
}

int
proc_show_meminfo(const struct pseudo_id *id, struct sbuf *sb)
{
	uint64_t cached = pagecache_total(), slab = PAGES(kmem_used());
	uint64_t backed = MIN(pagecache_backed(), cached), used, anon;
	struct program_memory mem;
	struct page_stats st;

	(void)id;
	page_stats(&st);
	programs_memory(&mem);
	used = st.total - MIN(st.total, st.free + cached + slab);
	anon = MIN(mem.anon, used);
	/* Of files, what is elsewhere too can be dropped, at last. */
	const struct meminfo_row rows[] = {
		{ "MemTotal:", st.total },
		{ "MemFree:", st.free },
		{ "MemAvailable:", MIN(st.free + backed, st.total) },
		{ "Buffers:", 0 },
		{ "Cached:", cached },
		{ "SwapCached:", 0 },
		{ "Active:", anon + cached },
		{ "Inactive:", 0 },
		{ "Active(anon):", anon + cached - backed },
		{ "Inactive(anon):", 0 },
		{ "Active(file):", backed },
		{ "Inactive(file):", 0 },
		{ "Unevictable:", 0 },
		{ "Mlocked:", MIN(mem.locked, used) },
		{ "SwapTotal:", 0 },
		{ "SwapFree:", 0 },
		{ "Dirty:", 0 },
		{ "Writeback:", 0 },
		{ "AnonPages:", anon },
		{ "Mapped:", MIN(mem.mapped, cached) },
		{ "Shmem:", cached - backed },
		{ "KReclaimable:", 0 },
		{ "Slab:", slab },
		{ "SReclaimable:", 0 },
		{ "SUnreclaim:", slab },
		{ "KernelStack:", PAGES(process_count() * KSTACK_SIZE) },
		{ "PageTables:", mem.tables },
		{ "NFS_Unstable:", 0 },
		{ "Bounce:", 0 },
		{ "WritebackTmp:", 0 },
		{ "CommitLimit:", st.total / 2 },
		{ "Committed_AS:", mem.size + cached - backed },
	};

	print_meminfo(sb, rows, ARRAY_SIZE(rows));
	sbuf_puts(sb,
	    "VmallocTotal:   34359738367 kB\nVmallocUsed:           0 kB\n"
	    "VmallocChunk:          0 kB\n"
	    "HugePages_Total:       0\nHugePages_Free:        0\n"
	    "HugePages_Rsvd:        0\nHugePages_Surp:        0\n"
	    "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n");
	return 0;
}

/* -------------------------------------------------------------- time -- */

static uint64_t
idle_all_ns(void)
{
	uint64_t ns = 0;
	unsigned i;

	for (i = 0; i < cpu_count(); i++)
		ns += sched_idle_ns(i);
	return ns;
}

int
proc_show_uptime(const struct pseudo_id *id, struct sbuf *sb)
{
	uint64_t up = clock_mono_ns(), idle = idle_all_ns();

	(void)id;
	sbuf_printf(sb, "%lu.%02lu %lu.%02lu\n", up / SECOND_NS,
	    up % SECOND_NS / TICK_NS, idle / SECOND_NS,
	    idle % SECOND_NS / TICK_NS);
	return 0;
}

struct totals {
	uint64_t user_ns;
	unsigned running, blocked;
};

static bool
add_process(struct process *p, void *arg)
{
	struct totals *sum = arg;
	uint64_t run_ns, user_ns;
	struct task *t;

	process_times(p, &run_ns, &user_ns);
	sum->user_ns += user_ns + p->child_user_ns;
	TAILQ_FOREACH (t, &p->tasks, link) {
		if (t->thread->state == THREAD_RUNNABLE)
			sum->running++;
		else if (!t->thread->interruptible)
			sum->blocked++;
	}
	return true;
}

/*
 * Time that programs used is the processes'; the rest that was not idle, the
 * system's.
 */
static void
print_cpu(struct sbuf *sb, uint64_t user_ns, uint64_t all_ns, uint64_t idle_ns)
{
	uint64_t busy = all_ns > idle_ns ? all_ns - idle_ns : 0;

	user_ns = MIN(user_ns, busy);
	sbuf_printf(sb, "%lu 0 %lu %lu 0 0 0 0 0 0\n", user_ns / TICK_NS,
	    (busy - user_ns) / TICK_NS, idle_ns / TICK_NS);
}

/* Programs' share of what each processor did is taken to be the same. */
static void
print_cpus(struct sbuf *sb, uint64_t user_ns)
{
	uint64_t up = clock_mono_ns(), idle = idle_all_ns(), mine, busy;
	uint64_t all_busy = MAX(up * cpu_count(), idle) - idle;
	uint64_t millionths = user_ns / (all_busy / 1000000 + 1);
	unsigned i;

	sbuf_puts(sb, "cpu  ");
	print_cpu(sb, user_ns, up * cpu_count(), idle);
	for (i = 0; i < cpu_count(); i++) {
		mine = sched_idle_ns(i);
		busy = MAX(up, mine) - mine;
		sbuf_printf(sb, "cpu%u ", i);
		print_cpu(sb, busy / 1000000 * millionths, up, mine);
	}
}

static uint64_t
intr_total(unsigned i)
{
	uint64_t n = 0;
	unsigned cpu;

	for (cpu = 0; cpu < cpu_count(); cpu++)
		n += intr_count(i, cpu);
	return n;
}

/* The sum, then a count for each number from 0 on. */
static void
print_irqs(struct sbuf *sb)
{
	uint64_t total = 0, count[256] = { 0 };
	struct intr_info info;
	unsigned i, last = 15;

	for (i = 0; i < cpu_count(); i++)
		total += timer_interrupts(i);
	for (i = 0; intr_info(i, &info); i++) {
		total += intr_total(i);
		if (info.number >= ARRAY_SIZE(count))
			continue;
		count[info.number] = intr_total(i);
		last = MAX(last, info.number);
	}
	sbuf_printf(sb, "intr %lu", total);
	for (i = 0; i <= last; i++)
		sbuf_printf(sb, " %lu", count[i]);
	sbuf_puts(sb, "\n");
}

int
proc_show_stat(const struct pseudo_id *id, struct sbuf *sb)
{
	struct totals sum = { 0 };
	uint64_t switches = 0;
	unsigned i;

	(void)id;
	mutex_lock(&process_lock);
	process_foreach_locked(add_process, &sum);
	mutex_unlock(&process_lock);
	for (i = 0; i < cpu_count(); i++)
		switches += sched_switches(i);
	print_cpus(sb, sum.user_ns);
	print_irqs(sb);
	sbuf_printf(sb,
	    "ctxt %lu\nbtime %ld\nprocesses %d\n"
	    "procs_running %u\nprocs_blocked %u\n"
	    "softirq 0 0 0 0 0 0 0 0 0 0 0\n", /* none: interrupts do it all */
	    switches, clock_real_offset_ns() / (int64_t)SECOND_NS,
	    process_last_id(), sum.running, sum.blocked);
	return 0;
}

/*
 * The load averages: how many tasks were runnable, sampled every 5 seconds and
 * forgotten with 1, 5 and 15 minutes' half-lives, as a fixed-point number of
 * 11 bits.  The samples begin with the first reader: nobody pays before.
 */
#define LOAD_ONE 2048u
static struct {
	struct spinlock lock;
	struct timer timer;
	bool running;
	uint64_t average[3];
} load = { .lock = SPINLOCK_INIT };

static void
load_sample(void *arg)
{
	/* 2048 / e^(5 s / 1, 5, 15 min) */
	static const uint64_t keep[3] = { 1884, 2014, 2037 };
	uint64_t n = sched_nrunnable() * LOAD_ONE, state;
	unsigned i;

	(void)arg;
	state = spin_lock_irq(&load.lock);
	for (i = 0; i < 3; i++)
		load.average[i] = (load.average[i] * keep[i] +
				      n * (LOAD_ONE - keep[i]) + LOAD_ONE / 2) /
		    LOAD_ONE;
	spin_unlock_irq(&load.lock, state);
	timer_arm(&load.timer, clock_mono_ns() + 5 * SECOND_NS);
}

static void
load_read(uint64_t average[3])
{
	uint64_t state = spin_lock_irq(&load.lock);
	bool start = !load.running;
	unsigned i;

	load.running = true;
	for (i = 0; i < 3; i++)
		average[i] = load.average[i];
	spin_unlock_irq(&load.lock, state);
	if (start) {
		timer_setup(&load.timer, load_sample, NULL);
		timer_arm(&load.timer, clock_mono_ns() + 5 * SECOND_NS);
	}
}

int
proc_show_loadavg(const struct pseudo_id *id, struct sbuf *sb)
{
	struct totals sum = { 0 };
	uint64_t average[3];
	unsigned i;

	(void)id;
	load_read(average);
	for (i = 0; i < 3; i++)
		sbuf_printf(sb, "%lu.%02lu ", average[i] / LOAD_ONE,
		    average[i] % LOAD_ONE * 100 / LOAD_ONE);
	mutex_lock(&process_lock);
	process_foreach_locked(add_process, &sum);
	mutex_unlock(&process_lock);
	sbuf_printf(sb, "%u/%u %d\n", sum.running, process_count(),
	    process_last_id());
	return 0;
}
