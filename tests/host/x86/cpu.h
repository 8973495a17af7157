/* SPDX-License-Identifier: ISC */
/*
 * cpu.h - stands in for kernel/x86/cpu.h in tests with threads: every thread
 * of the test is a processor, and interrupts are other threads.
 */
#ifndef X86_CPU_H
#define X86_CPU_H

#include "kern/types.h"
#include <sched.h>

#define MAX_CPUS 64

unsigned cpu_id(void); /* of this thread; wraps at MAX_CPUS */
static inline unsigned
cpu_count(void)
{
	return MAX_CPUS;
}
bool cpu_is_online(unsigned i); /* as host_cpus_online says */

/* As far as a test wants it; the test defines the function. */
struct cpu_features {
	uint8_t phys_bits;
};
const struct cpu_features *cpu_features(void);

void cpu_device_fence(void); /* bus/virtio_fake.h */

static inline void
cpu_pause(void)
{
	sched_yield();
}

#endif
