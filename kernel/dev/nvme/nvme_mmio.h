/* SPDX-License-Identifier: ISC */
/*
 * nvme_mmio.h - reads and writes of a controller's registers.  The one thing
 * that tests on the host put their own controller behind.
 */
#ifndef DEV_NVME_MMIO_H
#define DEV_NVME_MMIO_H

#include "kern/types.h"

static inline uint32_t
nvme_mmio_read(const volatile void *regs, size_t off)
{
	return *(const volatile uint32_t *)((const volatile char *)regs + off);
}

/* What was written to memory before is seen by the device first. */
static inline void
nvme_mmio_write(volatile void *regs, size_t off, uint32_t v)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
	*(volatile uint32_t *)((volatile char *)regs + off) = v;
}

#endif
