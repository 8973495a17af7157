/* SPDX-License-Identifier: ISC */
/*
 * vector.h - who gets which of the processor's interrupt vectors, and the
 * messages that raise them.  A vector means the same on every processor.
 */
#ifndef X86_VECTOR_H
#define X86_VECTOR_H

#include "kern/types.h"

/*
 * A free vector; fn(arg) is called when it is raised, interrupts off, and
 * acknowledges it with apic_eoi().  Context: any.
 *   -ENOSPC  all are taken
 */
int vector_alloc(void (*fn)(void *), void *arg, uint8_t *out);
/*
 * Nothing raises it any more.  On return fn(arg) does not run anywhere and
 * will not.  Waits for handlers, so not from one, nor with a lock that one
 * takes.
 */
void vector_free(uint8_t vector);

/*
 * What a device writes to raise a vector on processor `cpu` (SDM vol. 3,
 * 11.11): fixed delivery, edge.
 *   -EINVAL  no such processor, or one that messages do not reach
 */
int
vector_message(uint8_t vector, unsigned cpu, uint64_t *addr, uint32_t *data);

#endif
