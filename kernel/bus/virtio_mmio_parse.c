/* SPDX-License-Identifier: ISC */
/*
 * virtio_mmio_parse.c - SIZE@ADDR:IRQ[:ID], as Linux reads it (kernel-
 * parameters.txt, virtio_mmio.device).  Builds on the host.
 */
#include "bus/virtio_mmio.h"
#include <linux/errno.h>

static int
digit(char c, unsigned base)
{
	unsigned d = 99;

	if (c >= '0' && c <= '9')
		d = c - '0';
	else if (c >= 'a' && c <= 'f')
		d = c - 'a' + 10;
	else if (c >= 'A' && c <= 'F')
		d = c - 'A' + 10;
	return d < base ? (int)d : -1;
}

/* A number as in C: 0x..., 0..., or decimal.  False: none, or too large. */
static bool
number(const char **at, uint64_t *out)
{
	const char *s = *at;
	unsigned base = 10;
	uint64_t v = 0;

	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X')) {
		base = 16;
		s += 2;
	} else if (s[0] == '0') {
		base = 8;
	}
	if (digit(*s, base) < 0)
		return false;
	for (; digit(*s, base) >= 0; s++) {
		if (__builtin_mul_overflow(v, base, &v) ||
		    __builtin_add_overflow(v, (uint64_t)digit(*s, base), &v))
			return false;
	}
	*at = s;
	*out = v;
	return true;
}

/* With K, M or G behind it. */
static bool
size(const char **at, uint64_t *out)
{
	unsigned shift;

	if (!number(at, out))
		return false;
	switch (**at | 0x20) {
	case 'k': shift = 10; break;
	case 'm': shift = 20; break;
	case 'g': shift = 30; break;
	default: return true;
	}
	(*at)++;
	if (*out > UINT64_MAX >> shift)
		return false;
	*out <<= shift;
	return true;
}

static bool
expect(const char **at, char c)
{
	if (**at != c)
		return false;
	(*at)++;
	return true;
}

int
virtio_mmio_parse(const char *value, struct virtio_mmio_place *place)
{
	uint64_t irq, id = UINT32_MAX;

	if (!size(&value, &place->size) || !expect(&value, '@') ||
	    !number(&value, &place->addr) || !expect(&value, ':') ||
	    !number(&value, &irq))
		return -EINVAL;
	if (*value == ':') {
		value++;
		if (!number(&value, &id) || id >= UINT32_MAX)
			return -EINVAL;
	}
	if (*value != '\0' || irq > UINT32_MAX)
		return -EINVAL;
	place->irq = irq;
	place->id = id;
	return 0;
}
