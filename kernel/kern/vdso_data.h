/* SPDX-License-Identifier: ISC */
/*
 * vdso_data.h - the page that the kernel's clock writes and the vDSO reads.
 * Time is  base_ns + ((tsc - base_tsc) * mult >> shift)  while `usable`;
 * otherwise the vDSO makes the system call.  Realtime adds real_offset_ns.
 */
#ifndef KERN_VDSO_DATA_H
#define KERN_VDSO_DATA_H

#include <stdint.h>

struct vdso_data {
	uint32_t seq;    /* odd: being written */
	uint32_t usable; /* the TSC's rate is known */
	uint64_t base_tsc;
	int64_t base_ns; /* monotonic */
	uint32_t mult;
	uint32_t shift;
	int64_t real_offset_ns;
};

#endif
