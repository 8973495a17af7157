/* SPDX-License-Identifier: ISC */
/*
 * types.h - the few types and macros that every file may use.
 * Includes only C's own freestanding headers; builds on the host too.
 */
#ifndef KERN_TYPES_H
#define KERN_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t;	/* guest-physical address */
typedef uint64_t uaddr_t;	/* user address; never dereferenced */

#define PAGE_SHIFT	12
#define PAGE_SIZE	(1UL << PAGE_SHIFT)
#define PAGE_MASK	(PAGE_SIZE - 1)		/* the offset in a page */

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* `align` is a power of two; ROUND_UP wraps to 0 past the last multiple. */
#define ROUND_DOWN(x, align)	((x) & ~((__typeof__(x))(align) - 1))
#define ROUND_UP(x, align)	\
	(((x) + ((__typeof__(x))(align) - 1)) & ~((__typeof__(x))(align) - 1))

#define MIN(a, b)	\
	__extension__({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b);	\
	    a_ < b_ ? a_ : b_; })
#define MAX(a, b)	\
	__extension__({ __typeof__(a) a_ = (a); __typeof__(b) b_ = (b);	\
	    a_ > b_ ? a_ : b_; })

/* The struct of type `type` whose field `field` is at `ptr`. */
#define container_of(ptr, type, field)	\
	((type *)((char *)(ptr) - offsetof(type, field)))

#endif
