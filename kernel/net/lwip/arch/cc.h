/* SPDX-License-Identifier: ISC */
/*
 * cc.h - what lwIP's sources find in place of a C library.
 */
#ifndef LWIP_ARCH_CC_H
#define LWIP_ARCH_CC_H

#include <stddef.h>
#include <stdint.h>

#define LWIP_NO_INTTYPES_H 1
#define LWIP_NO_LIMITS_H   1
#define LWIP_NO_UNISTD_H   1
#define LWIP_NO_CTYPE_H    1
#define X8_F               "02x"
#define U16_F              "u"
#define S16_F              "d"
#define X16_F              "x"
#define U32_F              "u"
#define S32_F              "d"
#define X32_F              "x"
#define SZT_F              "lu"
typedef long ssize_t;
#define INT_MAX   0x7fffffff
#define SSIZE_MAX INT_MAX

#define BYTE_ORDER    LITTLE_ENDIAN
#define lwip_htons(x) __builtin_bswap16(x)
#define lwip_htonl(x) __builtin_bswap32(x)

/* lwip/port.c */
uint32_t lwip_port_random(void);
void lwip_port_assert(const char *what, const char *file, int line)
    __attribute__((noreturn));

/* The sum of len bytes as 16-bit words, folded, not inverted. */
uint16_t lwip_port_checksum(const void *data, int len);

#define LWIP_RAND()             lwip_port_random()
#define LWIP_CHKSUM             lwip_port_checksum
#define LWIP_PLATFORM_DIAG(x)   ((void)0)
#define LWIP_PLATFORM_ASSERT(x) lwip_port_assert(x, __FILE__, __LINE__)
#define LWIP_ERROR(m, test, then) \
	do {                      \
		if (!(test)) {    \
			then;     \
		}                 \
	} while (0)

#endif
