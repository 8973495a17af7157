/* SPDX-License-Identifier: ISC */
/*
 * sbuf.c - text that grows as it is printed.
 */
#include "kern/sbuf.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include <linux/errno.h>

void
sbuf_init(struct sbuf *sb)
{
	sb->buf = NULL;
	sb->len = 0;
	sb->size = 0;
	sb->error = 0;
}

void
sbuf_fini(struct sbuf *sb)
{
	kfree(sb->buf);
	sbuf_init(sb);
}

/* Room for len more bytes and a NUL. */
static bool
sbuf_room(struct sbuf *sb, size_t len)
{
	size_t size = MAX(sb->size, 256u);
	char *buf;

	if (sb->error != 0)
		return false;
	if (sb->len + len < sb->size)
		return true;
	while (size <= sb->len + len)
		size *= 2;
	buf = krealloc(sb->buf, size);
	if (buf == NULL) {
		sb->error = -ENOMEM;
		return false;
	}
	sb->buf = buf;
	sb->size = size;
	return true;
}

void
sbuf_write(struct sbuf *sb, const void *bytes, size_t len)
{
	if (!sbuf_room(sb, len))
		return;
	memcpy(sb->buf + sb->len, bytes, len);
	sb->len += len;
	sb->buf[sb->len] = '\0';
}

void
sbuf_puts(struct sbuf *sb, const char *s)
{
	sbuf_write(sb, s, strlen(s));
}

void
sbuf_printf(struct sbuf *sb, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int len;

	if (!sbuf_room(sb, 80))
		return;
	room = sb->size - sb->len;
	va_start(ap, fmt);
	len = vsnprintf(sb->buf + sb->len, room, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len >= room) {
		if (!sbuf_room(sb, len))
			return;
		va_start(ap, fmt);
		vsnprintf(sb->buf + sb->len, len + 1, fmt, ap);
		va_end(ap);
	}
	if (len > 0)
		sb->len += len;
}

void
sbuf_put_escaped(struct sbuf *sb, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == ' ' || *s == '\t' || *s == '\n' || *s == '\\')
			sbuf_printf(sb, "\\%03o", (unsigned char)*s);
		else
			sbuf_write(sb, s, 1);
	}
}
