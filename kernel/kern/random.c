/* SPDX-License-Identifier: ISC */
/*
 * random.c - ChaCha20 (RFC 8439, 2.3) with a key that is replaced after each
 * request by output of its own, so that what was handed out cannot be
 * computed later.
 */
#include "kern/random.h"
#include "kern/clock.h"
#include "kern/log.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "x86/cpu.h"

static struct {
	struct spinlock lock;
	uint32_t key[8];
	uint64_t counter;
	bool seeded;
} rng;

static uint32_t
rotl(uint32_t v, unsigned n)
{
	return v << n | v >> (32 - n);
}

static void
quarter(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
	*a += *b;
	*d = rotl(*d ^ *a, 16);
	*c += *d;
	*b = rotl(*b ^ *c, 12);
	*a += *b;
	*d = rotl(*d ^ *a, 8);
	*c += *d;
	*b = rotl(*b ^ *c, 7);
}

static void
block_locked(uint32_t out[16])
{
	uint32_t in[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 };
	unsigned i;

	memcpy(in + 4, rng.key, sizeof(rng.key));
	in[12] = rng.counter;
	in[13] = rng.counter >> 32;
	rng.counter++;
	memcpy(out, in, sizeof(in));
	for (i = 0; i < 10; i++) {
		quarter(&out[0], &out[4], &out[8], &out[12]);
		quarter(&out[1], &out[5], &out[9], &out[13]);
		quarter(&out[2], &out[6], &out[10], &out[14]);
		quarter(&out[3], &out[7], &out[11], &out[15]);
		quarter(&out[0], &out[5], &out[10], &out[15]);
		quarter(&out[1], &out[6], &out[11], &out[12]);
		quarter(&out[2], &out[7], &out[8], &out[13]);
		quarter(&out[3], &out[4], &out[9], &out[14]);
	}
	for (i = 0; i < 16; i++)
		out[i] += in[i];
}

static void
mix_locked(const void *buf, size_t len)
{
	const uint8_t *p = buf;
	uint8_t *key = (uint8_t *)rng.key;
	uint32_t out[16];
	size_t i;

	while (len > 0) {
		for (i = 0; i < sizeof(rng.key) && len > 0; i++, len--)
			key[i] ^= *p++;
		block_locked(out);
		memcpy(rng.key, out, sizeof(rng.key));
	}
}

static void
seed_locked(void)
{
	uint64_t seed[5];
	size_t n = cpu_random(seed, 32);

	rng.seeded = true;
	memset((char *)seed + n, 0, sizeof(seed) - n);
	seed[4] = rdtsc();
	mix_locked(seed, sizeof(seed));
}

void
random_add(const void *buf, size_t len)
{
	uint64_t state = spin_lock_irq(&rng.lock);

	mix_locked(buf, len);
	spin_unlock_irq(&rng.lock, state);
}

void
random_bytes(void *buf, size_t len)
{
	uint64_t state = spin_lock_irq(&rng.lock);
	uint8_t *out = buf;
	uint32_t block[16];
	size_t n;

	if (!rng.seeded)
		seed_locked();
	block_locked(block);
	memcpy(rng.key, block, sizeof(rng.key));
	n = MIN(len, 32); /* half is the next key, half may go out */
	memcpy(out, block + 8, n);
	while (n < len) {
		size_t part = MIN(len - n, sizeof(block));

		block_locked(block);
		memcpy(out + n, block, part);
		n += part;
	}
	memset(block, 0, sizeof(block));
	spin_unlock_irq(&rng.lock, state);
}
