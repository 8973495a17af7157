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
#define APIC_LVT_TIMER 0x320
#define LVT_MASKED     0x10000
#define LVT_DEADLINE   0x40000
#define APIC_LVT_LINT0 0x350
#define APIC_INITIAL   0x380
#define APIC_CURRENT   0x390
#define APIC_DIVIDE    0x3e0
#define DIVIDE_BY_1    0xb

static struct {
	volatile uint32_t *regs; /* NULL: x2APIC */
	bool deadline;           /* the timer compares with the TSC */
	bool armed_hw;
	int64_t start_ns; /* when the free count began */
	uint64_t hz;      /* of the count; 0: unknown */
} apic;

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

/*
 * How fast the timer counts is found when it is first needed, from the count
 * that began at boot: nobody waits for it.
 */
void
apic_timer_calibrate(void)
{
	int64_t ns = clock_mono_ns() - apic.start_ns;
	uint64_t ticks = UINT32_MAX - apic_read(APIC_CURRENT);

	if (apic.deadline || apic.armed_hw || ns <= 0 || ticks == 0)
		return;
	apic.hz = ticks * NSEC_PER_SEC / ns;
}

static void
arm_count(int64_t ns)
{
	uint64_t ticks;

	if (apic.hz == 0)
		apic_timer_calibrate();
	apic.armed_hw = true;
	if (ns > NSEC_PER_SEC)
		ns = NSEC_PER_SEC; /* early is harmless: it is armed again */
	ticks = (uint64_t)ns * (apic.hz / 1000) / 1000000;
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_INITIAL, ticks == 0 ? 1 : MIN(ticks, UINT32_MAX));
}

void
apic_timer_arm(int64_t ns)
{
	if (ns < 0)
		ns = 0;
	if (!apic.deadline && cpu_features()->tsc_deadline &&
	    clock_tsc_hz() != 0) {
		apic.deadline = true;
		apic_write(APIC_LVT_TIMER, VECTOR_TIMER | LVT_DEADLINE);
	}
	if (!apic.deadline) {
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
	wrmsr(MSR_APIC_BASE, base | APIC_BASE_ON);
	cpu_self()->apic_id = apic_id();
	apic_write(APIC_SVR, APIC_SVR_ON | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_write(APIC_DIVIDE, DIVIDE_BY_1);
	apic_write(APIC_INITIAL, UINT32_MAX);
	apic.start_ns = clock_mono_ns();
	trap_set_handler(VECTOR_TIMER, apic_timer_intr, NULL);
	return 0;
}
