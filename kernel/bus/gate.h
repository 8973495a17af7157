/* SPDX-License-Identifier: ISC */
/*
 * gate.h - the door between those who use a device and the one who takes it
 * away.
 *
 * A user enters, does its work, exits.  The owner shuts the gate once: from
 * then on nobody enters, and gate_shut() returns when the last one is out.
 * A gate is one word and a queue; entering costs one atomic operation.
 * enter and exit: any context.  Shutting ends no request: first end what those
 * inside may be waiting for, or make sure that they hold the gate only for
 * moments (submit), not for the request's life.
 */
#ifndef BUS_GATE_H
#define BUS_GATE_H

#include "kern/types.h"
#include "kern/waitq.h"

struct gate {
	uint32_t word;        /* GATE_SHUT, and how many are inside; atomic */
	struct spinlock lock; /* held to leave a gate that is shut */
	struct waitq wq;
};
#define GATE_SHUT 0x80000000u

void gate_init(struct gate *g); /* open */

/* False: shut.  True: inside until gate_exit(). */
bool gate_enter(struct gate *g);
void gate_exit(struct gate *g);
bool gate_is_shut(const struct gate *g);

/* Nobody enters any more; does not wait.  Any context; again is harmless. */
void gate_close(struct gate *g);
/* The same, then waits until nobody is inside.  May sleep. */
void gate_shut(struct gate *g);
/* Opens a gate that was shut and is empty. */
void gate_reopen(struct gate *g);

#endif
