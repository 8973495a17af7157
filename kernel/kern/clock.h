/* SPDX-License-Identifier: ISC */
/*
 * clock.h - what time it is.  Nanoseconds.  Context: any.
 *
 * Nothing waits for a calibration: until the time stamp counter's rate is
 * known (from the hypervisor, CPUID, or a first stretch of the PIT) the PIT
 * itself is read.
 */
#ifndef KERN_CLOCK_H
#define KERN_CLOCK_H

#include "kern/types.h"

#define NSEC_PER_SEC 1000000000ll

int64_t clock_mono_ns(void); /* since boot; never goes back */
int64_t clock_real_ns(void); /* since 1970, UTC */
void clock_set_real_ns(int64_t ns);
/* settimeofday's effect for the vDSO and CLOCK_REALTIME: real - mono. */
int64_t clock_real_offset_ns(void);

int clock_init(void); /* boot step */
/* "tsc", "kvm-clock" or "pit". */
const char *clock_source_name(void);
/* The TSC's rate, 0 while it is unknown. */
uint64_t clock_tsc_hz(void);

/*
 * Page that the vDSO reads (kern/vdso_data.h): physical address.  Kept up to
 * date by the clock; seq is odd while it changes.
 */
paddr_t clock_vdso_page(void);

/* Instructions that need no calibrated clock: raw counter, for charts. */
uint64_t clock_raw(void);
uint64_t clock_raw_to_ns(uint64_t raw); /* since boot */
uint64_t clock_raw_span_ns(uint64_t span);

#endif
