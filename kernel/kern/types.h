/* SPDX-License-Identifier: ISC */
/*
 * types.h - the kinds of numbers that the whole kernel shares.
 */
#ifndef KERN_TYPES_H
#define KERN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* guest-physical address */
typedef uint64_t uaddr_t; /* address in a program; never dereferenced */

#ifndef PAGE_SIZE
#define PAGE_SHIFT 12
#define PAGE_SIZE  4096ul
#endif
#define PAGE_MASK (PAGE_SIZE - 1)

#define ROUND_DOWN(x, a) ((x) & ~((__typeof__(x))(a)-1))
#define ROUND_UP(x, a)   ROUND_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define PAGES(bytes)     (((uint64_t)(bytes) + PAGE_MASK) >> PAGE_SHIFT)

#ifndef MIN
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#endif
#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif
#define container_of(p, type, member) \
	((type *)((char *)(p)-offsetof(type, member)))

#ifndef __printflike
#define __printflike(f, a) __attribute__((format(printf, f, a)))
#endif
#ifndef __noreturn
#define __noreturn __attribute__((noreturn))
#endif

#endif
