/* SPDX-License-Identifier: ISC */
/*
 * input.h - what a fuzzer's program is driven by: bytes, one after the other,
 * and zeros when they are used up.
 */
#ifndef TESTS_HOST_INPUT_H
#define TESTS_HOST_INPUT_H

#include <stdint.h>

struct input {
	const uint8_t *at, *end;
};

/* The next `width` bytes as one number, the first of them on top. */
static inline uint32_t
take(struct input *in, unsigned width)
{
	uint32_t v = 0;

	while (width-- > 0 && in->at < in->end)
		v = v << 8 | *in->at++;
	return v;
}

#endif
