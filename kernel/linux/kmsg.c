/* SPDX-License-Identifier: ISC */
/*
 * kmsg.c - /dev/kmsg: the kernel's log, a record a read, and a way for
 * programs to add to it.  Linux, Documentation/ABI/testing/dev-kmsg.
 */
#include "linux/kmsg.h"

#include "fs/chrdev.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/poll.h>

#define KMSG_RAW   320  /* log_read()'s longest line */
#define KMSG_TEXT  1400 /* the same with every byte escaped */
#define KMSG_WRITE 1024 /* longest record that a program may write */

/* Per open file. */
struct kmsg_reader {
	uint64_t seq; /* the next record that it wants */
};

/*
 * One record as programs see it: "level,sequence,microseconds,-;text\n", from
 * log_read()'s "<level>[seconds.micros] text\n".
 */
static size_t
kmsg_format(const char *raw, size_t len, uint64_t seq, char *out)
{
	const char *p = raw + 1, *end = raw + len;
	uint64_t us = 0;
	unsigned level = 0;
	size_t n;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		level = level * 10 + (*p - '0');
	for (; p < end && *p != ']'; p++)
		if (*p >= '0' && *p <= '9')
			us = us * 10 + (*p - '0');
	p += p + 2 <= end ? 2 : end - p;
	n = snprintf(out, KMSG_TEXT, "%u,%lu,%lu,-;", level, (unsigned long)seq,
	    (unsigned long)us);
	for (; p < end && *p != '\n' && n < KMSG_TEXT - 5; p++) {
		if ((uint8_t)*p >= 0x20 && (uint8_t)*p < 0x7f && *p != '\\')
			out[n++] = *p;
		else
			n += snprintf(out + n, 5, "\\x%02x", (uint8_t)*p);
	}
	out[n++] = '\n';
	return n;
}

/* The record `*seq`; 0: there is none yet.  -EPIPE: it was lost. */
static long
kmsg_next(struct kmsg_reader *r, char *out)
{
	uint64_t seq = r->seq, first = log_first_seq();
	char raw[KMSG_RAW];
	const char *nl;
	size_t n;

	if (seq < first) {
		r->seq = first;
		return -EPIPE;
	}
	n = log_read(&seq, raw, sizeof(raw));
	if (n == 0)
		return 0;
	nl = memchr(raw, '\n', n);
	return kmsg_format(raw, nl - raw + 1, r->seq, out);
}

static bool
kmsg_ready(struct kmsg_reader *r)
{
	return r->seq < log_next_seq();
}

static long
kmsg_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct kmsg_reader *r = file->priv;
	char text[KMSG_TEXT];
	long n;

	(void)pos;
	if (!kmsg_ready(r)) {
		if ((file->flags & O_NONBLOCK) != 0)
			return -EAGAIN;
		n = wait_event_intr(log_waitq(), kmsg_ready(r));
		if (n != 0)
			return n;
	}
	n = kmsg_next(r, text);
	if (n <= 0)
		return n;
	if ((uint64_t)n > u->resid)
		return -EINVAL;
	if (uio_put(u, text, n) != (size_t)n)
		return -EFAULT;
	r->seq++;
	return n;
}

/* "<N>text", N a level with a facility above bit 2; without it a warning. */
static long
kmsg_write(struct file *file, struct uio *u, int64_t *pos)
{
	char line[KMSG_WRITE + 1], *text = line, *p = line + 1;
	unsigned level = LOG_WARNING, value = 0;
	size_t n = u->resid;

	(void)file;
	(void)pos;
	if (n > KMSG_WRITE)
		return -EINVAL;
	if (uio_get(u, line, n) != n)
		return -EFAULT;
	line[n] = '\0';
	if (line[0] == '<') {
		while (*p >= '0' && *p <= '9' && value < 100000)
			value = value * 10 + (*p++ - '0');
		if (*p == '>' && p > line + 1) {
			level = value & 7;
			text = p + 1;
		}
	}
	log_line(level, "%s", text);
	return n;
}

static unsigned
kmsg_poll(struct file *file, struct poll_table *table)
{
	struct kmsg_reader *r = file->priv;

	poll_wait(table, log_waitq());
	if (r->seq < log_first_seq())
		return POLLIN | POLLRDNORM | POLLERR | POLLPRI;
	return kmsg_ready(r) ? POLLIN | POLLRDNORM : 0;
}

static int64_t
kmsg_llseek(struct file *file, int64_t offset, int whence)
{
	struct kmsg_reader *r = file->priv;

	if (offset != 0)
		return -ESPIPE;
	if (whence == SEEK_SET)
		r->seq = log_first_seq();
	else if (whence == SEEK_DATA)
		r->seq = log_clear_seq();
	else if (whence == SEEK_END)
		r->seq = log_next_seq();
	else
		return -EINVAL;
	return 0;
}

static int
kmsg_open(struct inode *inode, struct file *file)
{
	struct kmsg_reader *r = kmalloc(sizeof(*r));

	(void)inode;
	if (r == NULL)
		return -ENOMEM;
	r->seq = log_first_seq();
	file->priv = r;
	return 0;
}

static void
kmsg_release(struct file *file)
{
	kfree(file->priv);
}

static const struct file_ops kmsg_ops = {
	.open = kmsg_open,
	.release = kmsg_release,
	.read = kmsg_read,
	.write = kmsg_write,
	.poll = kmsg_poll,
	.llseek = kmsg_llseek,
};

static struct chrdev kmsg_dev = {
	.major = MEM_MAJOR,
	.minor = 11,
	.count = 1,
	.mode = 0644,
	.name = "kmsg",
	.driver = "mem",
	.ops = &kmsg_ops,
};

int
kmsg_init(const struct boot_info *bi)
{
	(void)bi;
	return chrdev_register(&kmsg_dev);
}
