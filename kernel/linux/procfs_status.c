/* SPDX-License-Identifier: ISC */
/*
 * procfs_status.c - what a process is doing: stat, status, statm, comm,
 * limits.  proc(5).
 */
#include "kern/clock.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/clocks.h"
#include "linux/fdtable.h"
#include "linux/fsview.h"
#include "linux/procfs_pid.h"
#include "linux/ptrace.h"
#include "linux/seccomp.h"
#include "linux/tty.h"
#include "x86/cpu.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/resource.h>

#define TICK_NS    10000000ul /* USER_HZ */
#define KIB_A_PAGE (PAGE_SIZE / 1024)

/* The letter and, for `status`, the word. */
static const char *
state_of(const struct process *p, const struct task *t)
{
	if (p->state == PROCESS_ZOMBIE || t == NULL)
		return "Z (zombie)";
	if (ptrace_is_stopped_locked(t))
		return "t (tracing stop)";
	if (t->thread->state == THREAD_RUNNABLE)
		return "R (running)";
	if (p->signals->stopped && !t->stop_due)
		return "T (stopped)";
	return t->thread->interruptible ? "S (sleeping)" : "D (disk sleep)";
}

/* All that is asked of the address space, at once. */
struct memory {
	struct vm_counts counts;
	struct vm_layout layout;
};

/* process_lock held: an address space has locks below it. */
static void
memory_of_locked(struct process *p, struct memory *m)
{
	memset(m, 0, sizeof(*m));
	if (p->vm == NULL)
		return;
	vmspace_counts(p->vm, &m->counts);
	m->layout = *vmspace_layout(p->vm);
}

static void
times_of_locked(struct process *p, struct task *t, bool one, uint64_t *run,
    uint64_t *user)
{
	if (one)
		task_times(t, run, user);
	else
		process_times(p, run, user);
}

static void
faults_of(struct process *p, struct task *t, bool one, uint64_t *minor,
    uint64_t *major)
{
	if (one) {
		*minor = t->thread->min_faults;
		*major = t->thread->maj_faults;
	} else {
		process_faults(p, minor, major);
	}
}

/* Fields 1 to 24: who, and what it has used. */
static void
print_stat_life(struct sbuf *sb, struct process *p, struct task *t, bool one,
    const struct memory *m)
{
	uint64_t tty;
	int32_t tpgid;
	int nice = t != NULL ? t->thread->nice : 0;
	uint64_t run = 0, user = 0, minor, major;

	tty_of_process(p, &tty, &tpgid);
	times_of_locked(p, t, one, &run, &user);
	sbuf_printf(sb, "%d (%s) %c %d %d %d %lu %d %u ", one ? t->tid : p->pid,
	    t != NULL ? t->comm : p->comm, state_of(p, t)[0],
	    p->parent != NULL ? p->parent->pid : 0, p->pgid, p->sid, tty, tpgid,
	    p->did_exec ? 0x400000 : 0x400040);
	faults_of(p, t, one, &minor, &major);
	sbuf_printf(sb, "%lu %lu %lu %lu %lu %lu %lu %lu ", minor,
	    p->child_min_faults, major, p->child_maj_faults, user / TICK_NS,
	    (run - user) / TICK_NS, p->child_user_ns / TICK_NS,
	    (p->child_run_ns - p->child_user_ns) / TICK_NS);
	sbuf_printf(sb, "%d %d %u 0 %lu %lu %lu ", 20 + nice, nice, p->ntasks,
	    (uint64_t)p->start_ns / TICK_NS, m->counts.size << PAGE_SHIFT,
	    m->counts.resident);
}

/* Fields 25 to 52: where it lies, signals, scheduling. */
static void
print_stat_rest(struct sbuf *sb, struct process *p, struct task *t,
    const struct memory *m)
{
	static const struct vm_layout hidden;
	bool may = proc_may_look_locked(p, t) == 0;
	const struct vm_layout *l = may ? &m->layout : &hidden;
	struct signal_sets s;

	signal_sets(p, t, &s);
	sbuf_printf(sb, "%lu %lu %lu %lu 0 0 ",
	    (uint64_t)p->rlimits[RLIMIT_RSS].rlim_cur, l->code_start,
	    l->code_end, l->stack_start);
	sbuf_printf(sb, "%lu %lu %lu %lu %u 0 0 %d %u %d %d 0 0 0 ",
	    (s.pending | s.shared_pending) & 0x7fffffff, s.blocked & 0x7fffffff,
	    s.ignored & 0x7fffffff, s.caught & 0x7fffffff,
	    t != NULL && t->thread->state != THREAD_RUNNABLE, p->exit_signal,
	    t != NULL ? t->thread->cpu : 0, t != NULL ? t->rt_priority : 0,
	    t != NULL ? t->policy : 0);
	sbuf_printf(sb, "%lu %lu %lu %lu %lu %lu %lu %d\n", l->data_start,
	    l->data_end, l->brk_start, l->arg_start, l->arg_end, l->env_start,
	    l->env_end, may ? p->exit_code : 0);
}

int
proc_show_pid_stat(const struct pseudo_id *id, struct sbuf *sb)
{
	struct memory m;
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	memory_of_locked(p, &m);
	print_stat_life(sb, p, t, proc_id_tid(id) != 0, &m);
	print_stat_rest(sb, p, t, &m);
	proc_unlock();
	return 0;
}

int
proc_show_statm(const struct pseudo_id *id, struct sbuf *sb)
{
	struct memory m;
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	memory_of_locked(p, &m);
	proc_unlock();
	sbuf_printf(sb, "%lu %lu %lu %lu 0 %lu 0\n", m.counts.size,
	    m.counts.resident, m.counts.resident_file,
	    PAGES(m.layout.code_end) - (m.layout.code_start >> PAGE_SHIFT),
	    m.counts.data + m.counts.stack);
	return 0;
}

static void
print_who(struct sbuf *sb, struct process *p, struct task *t)
{
	struct fdtable *files = fdtable_of_locked(p, t);
	const struct creds *c = creds_of_locked(p, t);
	unsigned i;

	sbuf_printf(sb, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n",
	    t != NULL ? t->comm : p->comm,
	    p->fs != NULL ? fsview_of_locked(p, t)->umask : 0, state_of(p, t));
	sbuf_printf(sb,
	    "Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n"
	    "TracerPid:\t%d\n",
	    p->pid, t != NULL ? t->tid : p->pid,
	    p->parent != NULL ? p->parent->pid : 0, ptrace_tracer_locked(t));
	sbuf_printf(sb, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", c->uid,
	    c->euid, c->suid, c->fsuid, c->gid, c->egid, c->sgid, c->fsgid);
	sbuf_printf(sb, "FDSize:\t%u\nGroups:\t",
	    files != NULL ? fdtable_size(files) : 0);
	for (i = 0; i < c->ngroups; i++)
		sbuf_printf(sb, "%u ", c->groups[i]);
	sbuf_printf(sb,
	    "%s\nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\n"
	    "NSsid:\t%d\n",
	    c->ngroups == 0 ? " " : "", p->pid, t != NULL ? t->tid : p->pid,
	    p->pgid, p->sid);
}

static void
print_memory(struct sbuf *sb, const struct memory *m)
{
	const struct vm_counts *c = &m->counts;
	uint64_t exe = PAGES(m->layout.code_end) -
	    (m->layout.code_start >> PAGE_SHIFT);
	uint64_t anon = c->resident - MIN(c->resident, c->resident_file);
	const struct {
		const char *name;
		uint64_t pages;
	} rows[] = {
		{ "VmPeak", c->size },
		{ "VmSize", c->size },
		{ "VmLck", c->locked },
		{ "VmPin", 0 },
		{ "VmHWM", MAX(c->peak, c->resident) },
		{ "VmRSS", c->resident },
		{ "RssAnon", anon },
		{ "RssFile", c->resident_file },
		{ "RssShmem", 0 },
		{ "VmData", c->data },
		{ "VmStk", c->stack },
		{ "VmExe", exe },
		{ "VmLib", c->text - MIN(c->text, exe) },
		{ "VmPTE", c->tables },
		{ "VmSwap", 0 },
	};
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		sbuf_printf(sb, "%s:\t%8lu kB\n", rows[i].name,
		    rows[i].pages * KIB_A_PAGE);
	sbuf_puts(sb, "CoreDumping:\t0\nTHP_enabled:\t0\n");
}

static void
print_signals(struct sbuf *sb, struct process *p, struct task *t)
{
	struct signal_sets s;

	signal_sets(p, t, &s);
	sbuf_printf(sb, "Threads:\t%u\nSigQ:\t%u/%lu\n", p->ntasks, s.queued,
	    (uint64_t)p->rlimits[RLIMIT_SIGPENDING].rlim_cur);
	sbuf_printf(sb,
	    "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n"
	    "SigIgn:\t%016lx\nSigCgt:\t%016lx\n",
	    s.pending, s.shared_pending, s.blocked, s.ignored, s.caught);
}

/* The bits that are set: "0-2,5". */
static void
print_ranges(struct sbuf *sb, uint64_t set)
{
	unsigned from, to;

	for (from = 0; from < 64; from = to + 1) {
		to = from;
		if ((set >> from & 1) == 0)
			continue;
		while (to < 63 && (set >> (to + 1) & 1) != 0)
			to++;
		sbuf_printf(sb, from == to ? "%u" : "%u-%u", from, to);
		set &= to == 63 ? 0 : ~0ull << (to + 1);
		if (set != 0)
			sbuf_puts(sb, ",");
	}
}

static void
print_privileges(struct sbuf *sb, struct process *p, struct task *t)
{
	const struct creds *c = creds_of_locked(p, t);
	uint64_t all = cpu_count() >= 64 ? UINT64_MAX :
					   (1ull << cpu_count()) - 1;
	uint64_t cpus = t != NULL ? t->thread->affinity & all : all;

	sbuf_printf(sb,
	    "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\n"
	    "CapBnd:\t%016lx\nCapAmb:\t%016lx\n",
	    c->cap_inheritable, c->cap_permitted, c->cap_effective,
	    c->cap_bounding, c->cap_ambient);
	sbuf_printf(sb,
	    "NoNewPrivs:\t%d\nSeccomp:\t%u\nSeccomp_filters:\t%u\n"
	    "Cpus_allowed:\t%lx\nCpus_allowed_list:\t",
	    t != NULL && t->no_new_privs, t != NULL ? t->seccomp_mode : 0,
	    t != NULL ? seccomp_count(t) : 0, cpus);
	print_ranges(sb, cpus);
	sbuf_puts(sb, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
}

int
proc_show_status(const struct pseudo_id *id, struct sbuf *sb)
{
	struct memory m;
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	memory_of_locked(p, &m);
	print_who(sb, p, t);
	if (p->vm != NULL)
		print_memory(sb, &m);
	print_signals(sb, p, t);
	print_privileges(sb, p, t);
	proc_unlock();
	return 0;
}

int
proc_show_comm(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	sbuf_printf(sb, "%s\n", t != NULL ? t->comm : p->comm);
	proc_unlock();
	return 0;
}

/* Only tasks of the same process may, as on Linux. */
int
proc_store_comm(const struct pseudo_id *id, const char *text, size_t len)
{
	char name[THREAD_NAME];
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	(void)len;
	if (error != 0)
		return error;
	if (p != process_self())
		error = -EINVAL;
	if (error == 0) {
		strlcpy(name, text, sizeof(name));
		strlcpy(t->comm, name, sizeof(t->comm));
		strlcpy(t->thread->name, name, sizeof(t->thread->name));
		if (t->tid == p->pid)
			strlcpy(p->comm, name, sizeof(p->comm));
	}
	proc_unlock();
	return error;
}

/* A page that is written again before it goes to the disk counts once. */
int
proc_show_io(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	uint64_t read, written;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	error = proc_may_look_locked(p, t);
	if (error == 0) {
		process_disk_bytes(p, &read, &written);
		sbuf_printf(sb,
		    "rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n"
		    "read_bytes: %lu\nwrite_bytes: %lu\n"
		    "cancelled_write_bytes: 0\n",
		    p->read_bytes, p->write_bytes, p->read_calls,
		    p->write_calls, read, written);
	}
	proc_unlock();
	return error;
}

int
proc_show_personality(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	sbuf_printf(sb, "%08x\n", p->personality);
	proc_unlock();
	return 0;
}

/* Linux's oom_badness(), scaled as it shows it. */
int
proc_show_oom_score(const struct pseudo_id *id, struct sbuf *sb)
{
	struct page_stats st;
	struct memory m;
	struct process *p;
	struct task *t;
	int64_t points;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	memory_of_locked(p, &m);
	points = p->oom_score_adj;
	proc_unlock();
	page_stats(&st);
	points += (int64_t)((m.counts.resident + m.counts.tables) * 1000 /
	    st.total);
	if (m.counts.resident == 0 || points <= -1000)
		points = -1000; /* will not be chosen */
	sbuf_printf(sb, "%ld\n", (1000 + points) * 2 / 3);
	return 0;
}

int
proc_show_oom_score_adj(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	sbuf_printf(sb, "%d\n", p->oom_score_adj);
	proc_unlock();
	return 0;
}

/* "-17\n" and the like.  -EINVAL */
static int
parse_int(const char *text, int *out)
{
	bool minus = *text == '-';
	int v = 0;

	if (minus)
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9' && v < 100000; text++)
		v = v * 10 + (*text - '0');
	if (*text == '\n')
		text++;
	*out = minus ? -v : v;
	return *text == '\0' ? 0 : -EINVAL;
}

int
proc_store_oom_score_adj(const struct pseudo_id *id, const char *text,
    size_t len)
{
	struct process *p;
	struct task *t;
	int adj, error = parse_int(text, &adj);

	(void)len;
	if (error != 0 || adj < -1000 || adj > 1000)
		return -EINVAL;
	error = proc_lock(id, &p, &t);
	if (error != 0)
		return error;
	if (adj < p->oom_score_adj && !capable(CAP_SYS_RESOURCE))
		error = -EACCES;
	else
		p->oom_score_adj = adj;
	proc_unlock();
	return error;
}

static const struct {
	const char *name, *unit;
} limit_rows[RLIM_NLIMITS] = {
	[RLIMIT_CPU] = { "Max cpu time", "seconds" },
	[RLIMIT_FSIZE] = { "Max file size", "bytes" },
	[RLIMIT_DATA] = { "Max data size", "bytes" },
	[RLIMIT_STACK] = { "Max stack size", "bytes" },
	[RLIMIT_CORE] = { "Max core file size", "bytes" },
	[RLIMIT_RSS] = { "Max resident set", "bytes" },
	[RLIMIT_NPROC] = { "Max processes", "processes" },
	[RLIMIT_NOFILE] = { "Max open files", "files" },
	[RLIMIT_MEMLOCK] = { "Max locked memory", "bytes" },
	[RLIMIT_AS] = { "Max address space", "bytes" },
	[RLIMIT_LOCKS] = { "Max file locks", "locks" },
	[RLIMIT_SIGPENDING] = { "Max pending signals", "signals" },
	[RLIMIT_MSGQUEUE] = { "Max msgqueue size", "bytes" },
	[RLIMIT_NICE] = { "Max nice priority", NULL },
	[RLIMIT_RTPRIO] = { "Max realtime priority", NULL },
	[RLIMIT_RTTIME] = { "Max realtime timeout", "us" },
};

static void
print_limit(struct sbuf *sb, uint64_t value)
{
	if (value == RLIM64_INFINITY)
		sbuf_printf(sb, "%-20s ", "unlimited");
	else
		sbuf_printf(sb, "%-20lu ", value);
}

int
proc_show_limits(const struct pseudo_id *id, struct sbuf *sb)
{
	struct process *p;
	struct task *t;
	unsigned i;
	int error = proc_lock(id, &p, &t);

	if (error != 0)
		return error;
	sbuf_printf(sb, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit",
	    "Hard Limit", "Units");
	for (i = 0; i < RLIM_NLIMITS; i++) {
		sbuf_printf(sb, "%-25s ", limit_rows[i].name);
		print_limit(sb, p->rlimits[i].rlim_cur);
		print_limit(sb, p->rlimits[i].rlim_max);
		if (limit_rows[i].unit != NULL)
			sbuf_printf(sb, "%-10s", limit_rows[i].unit);
		sbuf_puts(sb, "\n");
	}
	proc_unlock();
	return 0;
}
