/* SPDX-License-Identifier: ISC */
/*
 * hwrng.c - sources of random numbers: who is there, one reader at a time.
 */
#include "dev/hwrng.h"
#include "kern/mutex.h"
#include "kern/spinlock.h"
#include <linux/errno.h>

static struct spinlock list_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, hwrng) sources = TAILQ_HEAD_INITIALIZER(sources);
static struct mutex reading = MUTEX_INIT(reading);
static void (*consumer)(void);

void
hwrng_set_consumer(void (*arrived)(void))
{
	consumer = arrived;
}

void
hwrng_arrive(struct hwrng *rng)
{
	gate_init(&rng->gate);
	spin_lock(&list_lock);
	TAILQ_INSERT_TAIL(&sources, rng, link);
	spin_unlock(&list_lock);
	if (consumer != NULL)
		consumer();
}

void
hwrng_depart(struct hwrng *rng)
{
	struct hwrng *r;

	spin_lock(&list_lock);
	TAILQ_FOREACH (r, &sources, link) {
		if (r == rng)
			break;
	}
	if (r != NULL)
		TAILQ_REMOVE(&sources, rng, link);
	spin_unlock(&list_lock);
	if (r != NULL)
		gate_shut(&rng->gate);
}

static struct hwrng *
enter_first(void)
{
	struct hwrng *rng;

	spin_lock(&list_lock);
	rng = TAILQ_FIRST(&sources);
	if (rng != NULL && !gate_enter(&rng->gate))
		rng = NULL;
	spin_unlock(&list_lock);
	return rng;
}

long
hwrng_read(void *buf, size_t len)
{
	struct hwrng *rng;
	long n = -ENODEV;

	mutex_lock(&reading);
	rng = enter_first();
	if (rng != NULL) {
		n = rng->read(rng->arg, buf, len);
		gate_exit(&rng->gate);
	}
	mutex_unlock(&reading);
	return n;
}

const char *
hwrng_name(void)
{
	struct hwrng *rng = enter_first();
	const char *name = NULL;

	if (rng != NULL) {
		name = rng->name;
		gate_exit(&rng->gate);
	}
	return name;
}
