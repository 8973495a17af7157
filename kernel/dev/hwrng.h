/* SPDX-License-Identifier: ISC */
/*
 * hwrng.h - sources of random numbers as their drivers offer them, and the one
 * way to read from whichever is there.
 */
#ifndef DEV_HWRNG_H
#define DEV_HWRNG_H

#include "bus/gate.h"
#include "kern/types.h"
#include <bsd/sys/queue.h>

struct hwrng { /* the driver's, in place from arrival to departure */
	const char *name;
	void *arg;
	/*
	 * Up to len bytes, at least one, sleeping for them; calls come one at
	 * a time.  -ENODEV: gone; -ERESTARTSYS; -EIO
	 */
	long (*read)(void *arg, void *buf, size_t len);
	struct gate gate; /* ours */
	TAILQ_ENTRY(hwrng) link;
};

/* The source is there.  May sleep. */
void hwrng_arrive(struct hwrng *rng);
/*
 * It is gone: read() says so by now, also to those inside.  On return nobody
 * is.  Harmless for one that never arrived.  May sleep.
 */
void hwrng_depart(struct hwrng *rng);

/* Bytes from the source that came first.  -ENODEV: there is none. */
long hwrng_read(void *buf, size_t len);
/* Its name; NULL: none. */
const char *hwrng_name(void);

/* The floor above, told of the first arrival; once, at boot. */
void hwrng_set_consumer(void (*arrived)(void));

#endif
