/* SPDX-License-Identifier: ISC */
/*
 * vdso.c - the code that every program gets from the kernel: the time without
 * a system call.  vdso(7).  Runs in the program; built as a shared object of
 * its own (vdso.lds), with no data but the page that the kernel's clock writes
 * (kern/vdso_data.h), which is mapped directly below.
 *
 * While the clock's rate is unknown, and for all clocks that are not derived
 * from it, the system call is made instead.
 */
#include "kern/vdso_data.h"
#include <asm/unistd.h>
#include <linux/time.h>

#define NSEC_PER_SEC 1000000000ul
#define PUBLIC       __attribute__((visibility("default")))

typedef __kernel_old_time_t time_type;
struct getcpu_cache;

/* vdso.lds: one page below this object. */
extern const volatile struct vdso_data vdso_data
    __attribute__((visibility("hidden")));

PUBLIC int __vdso_clock_gettime(int clock, struct timespec *ts);
PUBLIC int __vdso_clock_getres(int clock, struct timespec *ts);
PUBLIC int __vdso_gettimeofday(struct timeval *tv, struct timezone *tz);
PUBLIC time_type __vdso_time(time_type *t);
PUBLIC long
__vdso_getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused);

static inline long
syscall3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return ret;
}

/* The counter, not read before what stands above it. */
static inline uint64_t
counter(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

/* False: the kernel must be asked. */
static inline int
read_clock(int64_t *mono, int64_t *offset)
{
	const volatile struct vdso_data *v = &vdso_data;
	uint64_t now, base;
	uint32_t seq, mult, shift;
	int64_t ns;

	do {
		seq = __atomic_load_n(&v->seq, __ATOMIC_ACQUIRE);
		if (v->usable == 0)
			return 0;
		base = v->base_tsc;
		ns = v->base_ns;
		mult = v->mult;
		shift = v->shift;
		*offset = v->real_offset_ns;
		now = counter();
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while ((seq & 1) != 0 || seq != v->seq);
	if (now > base)
		ns += (int64_t)(((unsigned __int128)(now - base) * mult) >>
		    shift);
	*mono = ns;
	return 1;
}

static inline void
split(int64_t ns, struct timespec *ts)
{
	ts->tv_sec = (uint64_t)ns / NSEC_PER_SEC;
	ts->tv_nsec = (uint64_t)ns % NSEC_PER_SEC;
}

int
__vdso_clock_gettime(int clock, struct timespec *ts)
{
	int64_t mono, offset;

	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
	case CLOCK_TAI:
		if (!read_clock(&mono, &offset))
			break;
		split(mono + offset, ts);
		return 0;
	case CLOCK_MONOTONIC:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		if (!read_clock(&mono, &offset))
			break;
		split(mono, ts);
		return 0;
	}
	return syscall3(__NR_clock_gettime, clock, (long)ts, 0);
}

int
__vdso_clock_getres(int clock, struct timespec *ts)
{
	return syscall3(__NR_clock_getres, clock, (long)ts, 0);
}

int
__vdso_gettimeofday(struct timeval *tv, struct timezone *tz)
{
	int64_t mono, offset;
	struct timespec ts;

	if (tv != 0 && !read_clock(&mono, &offset))
		return syscall3(__NR_gettimeofday, (long)tv, (long)tz, 0);
	if (tv != 0) {
		split(mono + offset, &ts);
		tv->tv_sec = ts.tv_sec;
		tv->tv_usec = ts.tv_nsec / 1000;
	}
	if (tz != 0)
		return syscall3(__NR_gettimeofday, 0, (long)tz, 0);
	return 0;
}

time_type
__vdso_time(time_type *t)
{
	int64_t mono, offset;
	time_type now;

	if (!read_clock(&mono, &offset))
		return syscall3(__NR_time, (long)t, 0, 0);
	now = (uint64_t)(mono + offset) / NSEC_PER_SEC;
	if (t != 0)
		*t = now;
	return now;
}

long
__vdso_getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused)
{
	return syscall3(__NR_getcpu, (long)cpu, (long)node, (long)unused);
}

/* The names without prefix, which vdso(7) lists too. */
#define ALIAS(name) __attribute__((weak, alias("__vdso_" #name)))
PUBLIC int clock_gettime(int clock, struct timespec *ts) ALIAS(clock_gettime);
PUBLIC int clock_getres(int clock, struct timespec *ts) ALIAS(clock_getres);
PUBLIC int
gettimeofday(struct timeval *tv, struct timezone *tz) ALIAS(gettimeofday);
PUBLIC time_type time(time_type *t) ALIAS(time);
PUBLIC long getcpu(unsigned *cpu, unsigned *node, struct getcpu_cache *unused)
    ALIAS(getcpu);
