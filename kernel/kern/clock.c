/* SPDX-License-Identifier: ISC */
/*
 * clock.c - monotonic and wall time.
 *
 *     PIT   --clock_use_tsc(): its rate became known-->   TSC
 *
 * KVM's clock page and the CPUID leaves tell the rate of the time stamp
 * counter at once.  Elsewhere the PIT (8254), whose rate is a constant of
 * nature, is read until it has measured the TSC (tsc_rate.c), 29 ms or some of
 * its interrupts after boot; nobody waits for that.
 */
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/page.h"
#include "kern/rtc.h"
#include "kern/spinlock.h"
#include "kern/tsc_rate.h"
#include "kern/vdso_data.h"
#include "x86/io.h"
#include "x86/irq.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define PIT_HZ      1193182ull
#define PIT_COUNT   0x40
#define PIT_COMMAND 0x43
#define PIT_RATE    0x34 /* channel 0, both bytes, mode 2 */
#define PIT_LATCH   0x00
#define PIT_STATUS  0xe2 /* read back: the status of channel 0 */
#define PIT_STOP    0x30 /* mode 0, and no count follows */
#define PIT_PERIOD  65536u
/*
 * Each reading leaves the machine three times.  So the last one serves for
 * some time more, with a sixteenth of a nanosecond added for each cycle: no
 * TSC is so fast that the next reading would then lie before it.
 */
#define PIT_SERVES (1u << 16) /* cycles */
#define PIT_CYCLES 16         /* a nanosecond, at most */
#define PIT_ENOUGH 35000u     /* ticks that measure the TSC to 30 ppm */

#define CPUID_TSC       0x15
#define CPUID_HV_TIMING 0x40000010
#define CPUID_KVM       0x40000001
#define KVM_CLOCK2      (1u << 3)
#define MSR_KVM_WALL    0x4b564d00
#define MSR_KVM_SYSTEM  0x4b564d01

struct kvm_time { /* Linux, Documentation/virt/kvm/x86/msr.rst */
	uint32_t version, pad0;
	uint64_t tsc, system_ns;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad[2];
};

static struct {
	struct spinlock lock;
	struct vdso_data data;    /* seq odd: being written */
	struct vdso_data *shared; /* the vDSO's copy */
	const char *source;
	uint64_t hz; /* of the TSC; 0: unknown */
	uint64_t boot_tsc;
	uint64_t pit_last; /* ticks, at the last reading, and its TSC */
	uint64_t pit_tsc;
	uint64_t pit_wraps; /* interrupts so far */
	struct tsc_rate rate;
	bool pit_broken;
	bool real_known;
} clk = { .source = "none" };

uint64_t
clock_raw(void)
{
	return rdtsc();
}

/* a * b / c without losing bits; all ones if it does not fit. */
static uint64_t
muldiv(uint64_t a, uint64_t b, uint64_t c)
{
	unsigned __int128 product = (unsigned __int128)a * b;
	uint64_t low = product, high = product >> 64;

	if (high >= c)
		return UINT64_MAX;
	__asm__("divq %2" : "+a"(low), "+d"(high) : "r"(c) : "cc");
	return low;
}

static int64_t
scale(uint64_t ticks, uint32_t mult, uint32_t shift)
{
	return (unsigned __int128)ticks * mult >> shift;
}

/* Ticks since the count began, one period a wrap that was seen.  Locked. */
static uint64_t
pit_read(struct tsc_sample *s)
{
	uint32_t count;

	s->before = rdtsc();
	outb(PIT_COMMAND, PIT_LATCH);
	s->after = rdtsc();
	count = inb(PIT_COUNT);
	count |= inb(PIT_COUNT) << 8;
	clk.pit_last += (PIT_PERIOD - count - clk.pit_last) % PIT_PERIOD;
	s->regained = clk.pit_last < clk.pit_wraps * PIT_PERIOD;
	if (s->regained)
		clk.pit_last += PIT_PERIOD;
	s->ticks = clk.pit_last;
	return clk.pit_last;
}

static void
publish_locked(void)
{
	struct vdso_data *s = clk.shared;

	if (s == NULL)
		return;
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_SEQ_CST);
	s->usable = clk.data.usable && clk.real_known;
	s->base_tsc = clk.data.base_tsc;
	s->base_ns = clk.data.base_ns;
	s->mult = clk.data.mult;
	s->shift = clk.data.shift;
	s->real_offset_ns = clk.data.real_offset_ns;
	__atomic_store_n(&s->seq, s->seq + 1, __ATOMIC_SEQ_CST);
}

/* From now on the TSC is the clock; it shows now_ns at `tsc`. */
static void
clock_use_tsc(const char *source, uint64_t hz, uint64_t tsc, int64_t now_ns)
{
	uint32_t shift = 32;

	while (muldiv(NSEC_PER_SEC, 1ull << shift, hz) > UINT32_MAX)
		shift--;
	__atomic_store_n(&clk.data.seq, clk.data.seq + 1, __ATOMIC_SEQ_CST);
	clk.data.base_tsc = tsc;
	clk.data.base_ns = now_ns;
	clk.data.mult = muldiv(NSEC_PER_SEC, 1ull << shift, hz);
	clk.data.shift = shift;
	clk.data.usable = 1;
	__atomic_store_n(&clk.data.seq, clk.data.seq + 1, __ATOMIC_SEQ_CST);
	clk.hz = hz;
	clk.source = source;
	publish_locked();
}

static int64_t
pit_ns(uint64_t ticks)
{
	return (int64_t)(ticks * NSEC_PER_SEC / PIT_HZ);
}

/* Reads the PIT, and maybe knows the TSC's rate then.  Locked. */
static int64_t
pit_sample(void)
{
	struct tsc_sample s;
	int64_t ns = pit_ns(pit_read(&s));
	uint64_t hz = tsc_rate_add(&clk.rate, &s, PIT_HZ, PIT_ENOUGH);

	clk.pit_tsc = rdtsc();
	if (hz != 0) {
		clock_use_tsc("tsc, measured", hz, s.after, ns);
		outb(PIT_COMMAND, PIT_STOP);
	}
	return ns;
}

/* Each wrap. */
static void
pit_intr(void *arg)
{
	bool known;

	(void)arg;
	spin_lock(&clk.lock);
	clk.pit_wraps++;
	if (clk.data.usable == 0)
		(void)pit_sample();
	known = clk.data.usable != 0;
	spin_unlock(&clk.lock);
	if (known)
		irq_disestablish(0);
	apic_timer_calibrate();
}

static int64_t
pit_now_ns(void)
{
	uint64_t state = spin_lock_irq(&clk.lock);
	int64_t ns;

	if (clk.data.usable != 0 || clk.pit_broken)
		ns = clk.data.usable == 0 ? (int64_t)(rdtsc() - clk.boot_tsc) :
					    clk.data.base_ns +
			scale(rdtsc() - clk.data.base_tsc, clk.data.mult,
			    clk.data.shift);
	else if (clk.pit_tsc != 0 && rdtsc() - clk.pit_tsc < PIT_SERVES)
		ns = pit_ns(clk.pit_last) +
		    (rdtsc() - clk.pit_tsc) / PIT_CYCLES;
	else
		ns = pit_sample();
	spin_unlock_irq(&clk.lock, state);
	return ns;
}

int64_t
clock_mono_ns(void)
{
	const struct vdso_data *d = &clk.data;
	uint32_t seq;
	int64_t ns;

	do {
		seq = __atomic_load_n(&d->seq, __ATOMIC_ACQUIRE);
		if (d->usable == 0)
			return pit_now_ns();
		ns = d->base_ns +
		    scale(rdtsc() - d->base_tsc, d->mult, d->shift);
	} while (__atomic_load_n(&d->seq, __ATOMIC_ACQUIRE) != seq);
	return ns;
}

static void
set_offset(int64_t offset)
{
	uint64_t state = spin_lock_irq(&clk.lock);

	clk.data.real_offset_ns = offset;
	clk.real_known = true;
	publish_locked();
	spin_unlock_irq(&clk.lock, state);
}

/* The RTC is read when somebody first asks what day it is. */
int64_t
clock_real_offset_ns(void)
{
	if (!clk.real_known)
		set_offset(rtc_read_sec() * NSEC_PER_SEC - clock_mono_ns());
	return clk.data.real_offset_ns;
}

int64_t
clock_real_ns(void)
{
	int64_t offset = clock_real_offset_ns();

	return clock_mono_ns() + offset;
}

void
clock_set_real_ns(int64_t ns)
{
	set_offset(ns - clock_mono_ns());
}

const char *
clock_source_name(void)
{
	return clk.source;
}

uint64_t
clock_tsc_hz(void)
{
	return clk.hz;
}

paddr_t
clock_vdso_page(void)
{
	clock_real_offset_ns();
	return kva_paddr(clk.shared);
}

uint64_t
clock_raw_span_ns(uint64_t span)
{
	uint64_t hz = clk.hz, ns;

	if (hz == 0) { /* as good as the PIT's first stretch is */
		ns = clock_mono_ns();
		if (ns == 0)
			return 0;
		return muldiv(span, ns, rdtsc() - clk.boot_tsc);
	}
	return muldiv(span, NSEC_PER_SEC, hz);
}

uint64_t
clock_raw_to_ns(uint64_t raw)
{
	return raw < clk.boot_tsc ? 0 : clock_raw_span_ns(raw - clk.boot_tsc);
}

/* KVM writes both structures when told their address. */
static bool
kvm_clock(void)
{
	static struct kvm_time kt __attribute__((aligned(64)));
	static uint32_t wall[3] __attribute__((aligned(16)));
	volatile struct kvm_time *t = &kt;
	uint64_t hz, tsc;
	int64_t ns;

	if (cpu_features()->hv_vendor[0] != 'K' ||
	    cpu_features()->hv_vendor[1] != 'V' ||
	    (cpuid(CPUID_KVM, 0).eax & KVM_CLOCK2) == 0)
		return false;
	wrmsr(MSR_KVM_SYSTEM, ((uint64_t)&kt - KVA_IMAGE) | 1);
	wrmsr(MSR_KVM_WALL, (uint64_t)wall - KVA_IMAGE);
	if (t->mul == 0 || (t->version & 1) != 0)
		return false;
	hz = ((uint64_t)NSEC_PER_SEC << 32) / t->mul;
	hz = t->shift < 0 ? hz << -t->shift : hz >> t->shift;
	tsc = rdtsc();
	ns = muldiv(tsc - t->tsc, NSEC_PER_SEC, hz) + t->system_ns;
	wrmsr(MSR_KVM_SYSTEM, 0);
	clock_use_tsc("tsc, rate from KVM", hz, clk.boot_tsc, 0);
	if (*(volatile uint32_t *)&wall[1] != 0)
		set_offset(
		    wall[1] * NSEC_PER_SEC + wall[2] + ns - clock_mono_ns());
	return true;
}

static bool
cpuid_clock(void)
{
	struct cpuid r;
	uint64_t hz = 0;

	if (cpu_features()->hypervisor &&
	    cpuid(0x40000000, 0).eax >= CPUID_HV_TIMING)
		hz = cpuid(CPUID_HV_TIMING, 0).eax * 1000ull;
	if (hz == 0 && cpuid(0, 0).eax >= CPUID_TSC) {
		r = cpuid(CPUID_TSC, 0);
		if (r.eax != 0)
			hz = (uint64_t)r.ecx * r.ebx / r.eax;
	}
	if (hz == 0)
		return false;
	clock_use_tsc("tsc, rate from CPUID", hz, clk.boot_tsc, 0);
	return true;
}

static void
pit_start(void)
{
	outb(PIT_COMMAND, PIT_RATE);
	outb(PIT_COUNT, 0);
	outb(PIT_COUNT, 0);
	clk.boot_tsc = rdtsc();
	outb(PIT_COMMAND, PIT_STATUS);
	if ((inb(PIT_COUNT) & 0x3f) == PIT_RATE) {
		clk.source = "pit";
		if (irq_establish(0, pit_intr, NULL, "clock") == 0)
			return;
		log_warn("clock: no interrupt for the PIT");
		return;
	}
	clk.pit_broken = true;
	clock_use_tsc("tsc, rate guessed", NSEC_PER_SEC, clk.boot_tsc, 0);
	log_warn("clock: no clock of a known rate: taking the TSC's for 1 GHz");
}

int
clock_init(void)
{
	struct page *p = page_alloc(0, PAGE_ALLOC_ZERO);

	if (p == NULL)
		return -ENOMEM;
	clk.shared = page_kva(p);
	clk.boot_tsc = rdtsc();
	if (!kvm_clock() && !cpuid_clock())
		pit_start();
	return 0;
}
