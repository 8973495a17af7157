/* SPDX-License-Identifier: ISC */
/*
 * apic.c - the local APIC and its timer.  Intel SDM vol. 3, ch. 11.
 * By MSRs (x2APIC) where the processor has them, else by memory.
 */
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/timer.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define MSR_APIC_BASE    0x1b
#define APIC_BASE_X2     0x400ul
#define APIC_BASE_ON     0x800ul
#define MSR_X2APIC       0x800
#define MSR_TSC_DEADLINE 0x6e0

#define APIC_ID        0x20
#define APIC_TPR       0x80
#define APIC_EOI       0xb0
#define APIC_SVR       0xf0
#define APIC_SVR_ON    0x100
#define APIC_ICR       0x300
#define ICR_BUSY       0x1000
#define APIC_ICR_HIGH  0x310
#define APIC_LVT_TIMER 0x320
#define LVT_MASKED     0x10000
#define LVT_DEADLINE   0x40000
#define APIC_LVT_LINT0 0x350
#define APIC_INITIAL   0x380
#define APIC_CURRENT   0x390
#define APIC_DIVIDE    0x3e0
#define DIVIDE_BY_1    0xb

/* QEMU's and KVM's, and faster than boards': an early interrupt does no harm */
#define ASSUMED_HZ 1000000000ull
#define ENOUGH_NS  (10 * 1000 * 1000ll)

/* The timers' state stands in struct percpu. */
static struct {
	volatile uint32_t *regs; /* NULL: x2APIC; each sees its own there */
	uint64_t hz;             /* of the timers' count, as far as known */
	int64_t measured_ns;     /* the stretch that told it */
} apic = { .hz = ASSUMED_HZ };

static uint32_t
apic_read(unsigned reg)
{
	if (apic.regs == NULL)
		return rdmsr(MSR_X2APIC + reg / 16);
	return apic.regs[reg / 4];
}

static void
apic_write(unsigned reg, uint32_t v)
{
	if (apic.regs == NULL)
		wrmsr(MSR_X2APIC + reg / 16, v);
	else
		apic.regs[reg / 4] = v;
}

uint32_t
apic_id(void)
{
	uint32_t id = apic_read(APIC_ID);

	return apic.regs == NULL ? id : id >> 24;
}

void
apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* Starts the count; when, and how well that is known, stands in percpu. */
static void
count_from(uint32_t ticks)
{
	struct percpu *pc = cpu_self();
	/* The PIT may be read late, and show what was long ago. */
	bool wanted = apic.measured_ns < ENOUGH_NS && clock_tsc_hz() != 0;
	int64_t before = wanted ? clock_mono_ns() : 0;

	apic_write(APIC_INITIAL, ticks);
	pc->timer_ticks = ticks;
	pc->timer_start_ns = before;
	pc->timer_doubt_ns = wanted ? clock_mono_ns() - before : INT64_MAX;
}

/*
 * How fast the timer counts is found from the stretches that it happens to
 * count: nobody waits for it.  The longest tells, if what happened at its ends
 * (the host ran something else) took no considerable part of it.
 */
void
apic_timer_calibrate(void)
{
	const struct percpu *pc = cpu_self();
	int64_t before, ns;
	uint32_t left;

	if (pc->timer_deadline || apic.measured_ns >= ENOUGH_NS ||
	    pc->timer_doubt_ns == INT64_MAX)
		return;
	before = clock_mono_ns();
	left = apic_read(APIC_CURRENT);
	ns = clock_mono_ns();
	if (left == 0 || left == pc->timer_ticks ||
	    ns - before + pc->timer_doubt_ns > (ns - pc->timer_start_ns) / 32)
		return;
	ns -= pc->timer_start_ns;
	if (ns <= apic.measured_ns)
		return;
	apic.measured_ns = ns;
	apic.hz = (uint64_t)(pc->timer_ticks - left) * NSEC_PER_SEC / ns;
}

static void
arm_count(int64_t ns)
{
	uint64_t ticks;

	apic_timer_calibrate();
	if (ns > NSEC_PER_SEC)
		ns = NSEC_PER_SEC; /* early is harmless: it is armed again */
	ticks = (uint64_t)ns * (apic.hz / 1000) / 1000000;
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	count_from(ticks == 0 ? 1 : MIN(ticks, UINT32_MAX));
}

void
apic_timer_arm(int64_t ns)
{
	struct percpu *pc = cpu_self();

	if (ns < 0)
		ns = 0;
	if (!pc->timer_deadline && cpu_features()->tsc_deadline &&
	    clock_tsc_hz() != 0) {
		pc->timer_deadline = true;
		apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_DEADLINE);
	}
	if (!pc->timer_deadline) {
		arm_count(ns);
		return;
	}
	if (ns > 3600 * NSEC_PER_SEC)
		ns = 3600 * NSEC_PER_SEC;
	wrmsr(MSR_TSC_DEADLINE,
	    rdtsc() + (uint64_t)ns * (clock_tsc_hz() / 1000) / 1000000);
}

static void
apic_timer_intr(void *arg)
{
	(void)arg;
	apic_eoi();
	timer_interrupt();
}

void
apic_ipi(uint32_t id, uint32_t command)
{
	uint64_t state;

	/* What was written before is seen by whom it interrupts. */
	__asm__ volatile("mfence" ::: "memory");
	if (apic.regs == NULL) {
		wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | command);
		return;
	}
	state = irq_save();
	while ((apic_read(APIC_ICR) & ICR_BUSY) != 0)
		cpu_pause();
	apic_write(APIC_ICR_HIGH, id << 24);
	apic_write(APIC_ICR, command);
	irq_restore(state);
}

static void
apic_enable(uint64_t base)
{
	struct percpu *pc = cpu_self();

	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
	pc->apic_id = apic_id();
	apic_write(APIC_SVR, APIC_SVR_ON | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	count_from(UINT32_MAX);
}

int
apic_init(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	if (cpu_features()->x2apic) {
		base |= APIC_BASE_X2;
	} else {
		apic.regs = mmio_map(base & 0xffffff000ul, PAGE_SIZE);
		if (apic.regs == NULL)
			return -ENOMEM;
	}
	apic_enable(base);
	trap_set_handler(VECTOR_TIMER, apic_timer_intr, NULL);
	return 0;
}

void
apic_init_other(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	/* From off to x2APIC leads over on: Intel SDM 11.12.5. */
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
	apic_enable(apic.regs == NULL ? base | APIC_BASE_X2 : base);
}
