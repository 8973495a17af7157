/* SPDX-License-Identifier: ISC */
/*
 * sbuf.h - text that grows as it is printed.  Context: as kmalloc.
 */
#ifndef KERN_SBUF_H
#define KERN_SBUF_H

#include "kern/types.h"

/* After an error further prints do nothing. */
struct sbuf {
	char *buf; /* NUL-terminated, or NULL while empty */
	size_t len, size;
	int error; /* -ENOMEM */
};
void sbuf_init(struct sbuf *sb);
void sbuf_fini(struct sbuf *sb);
void sbuf_printf(struct sbuf *sb, const char *fmt, ...) __printflike(2, 3);
void sbuf_puts(struct sbuf *sb, const char *s);
void sbuf_write(struct sbuf *sb, const void *bytes, size_t len);
/* Blanks, tabs, newlines and backslashes as \ooo, as in /proc/mounts. */
void sbuf_put_escaped(struct sbuf *sb, const char *s);

#endif
