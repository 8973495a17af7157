/* SPDX-License-Identifier: ISC */
/*
 * inet_sum.h - the Internet's sum (RFC 1071), by bytes: in place of the kernel's
 * in tests, and to see whether that is right.
 */
#ifndef TESTS_HOST_INET_SUM_H
#define TESTS_HOST_INET_SUM_H

#include <stddef.h>
#include <stdint.h>

/* Of little-endian words, folded, not complemented. */
static inline uint16_t
host_inet_sum(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t sum = 0;
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16 != 0)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

#endif
