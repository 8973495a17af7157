/* SPDX-License-Identifier: ISC */
/*
 * sys_syslog.c - syslog(2), and /proc/kmsg, which reads the same way.
 *
 * There is one place up to which the log was read by these two, for all
 * programs together; it may lie within a line.
 */
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "linux/kmsg.h"
#include "linux/process.h"
#include "kern/uaccess.h"
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/poll.h>

enum syslog_action { /* syslog(2) */
	SYSLOG_CLOSE,
	SYSLOG_OPEN,
	SYSLOG_READ,
	SYSLOG_READ_ALL,
	SYSLOG_READ_CLEAR,
	SYSLOG_CLEAR,
	SYSLOG_CONSOLE_OFF,
	SYSLOG_CONSOLE_ON,
	SYSLOG_CONSOLE_LEVEL,
	SYSLOG_SIZE_UNREAD,
	SYSLOG_SIZE_BUFFER,
};

#define SYSLOG_CHUNK 1024 /* at least a line */

static struct {
	struct mutex lock;
	uint64_t seq;    /* the next record to read */
	size_t partial;  /* bytes of it that were read */
	int saved_level; /* before CONSOLE_OFF; 0: it is on */
} syslog = { .lock = MUTEX_INIT(syslog.lock) };

/* Formats whole lines from *seq on, at most `size` bytes. */
static size_t
line_at(uint64_t seq, char buf[SYSLOG_CHUNK])
{
	size_t n = log_read(&seq, buf, SYSLOG_CHUNK);
	const char *nl = n == 0 ? NULL : memchr(buf, '\n', n);

	return nl == NULL ? n : (size_t)(nl - buf) + 1;
}

static size_t
bytes_from(uint64_t seq, char buf[SYSLOG_CHUNK])
{
	size_t total = 0, n;

	while ((n = log_read(&seq, buf, SYSLOG_CHUNK)) > 0)
		total += n;
	return total;
}

static void
catch_up_locked(void)
{
	if (syslog.seq < log_first_seq()) {
		syslog.seq = log_first_seq();
		syslog.partial = 0;
	}
}

/* Moves what is unread and fits; 0: nothing is unread. */
static long
read_unread_locked(struct uio *u, char buf[SYSLOG_CHUNK])
{
	size_t done = 0, n, part;

	while (u->resid > 0) {
		catch_up_locked();
		n = line_at(syslog.seq, buf);
		if (n <= syslog.partial)
			break;
		part = MIN(n - syslog.partial, u->resid);
		if (uio_put(u, buf + syslog.partial, part) != part)
			return done > 0 ? (long)done : -EFAULT;
		done += part;
		syslog.partial += part;
		if (syslog.partial == n) {
			syslog.partial = 0;
			syslog.seq++;
		}
	}
	return done;
}

static long
read_unread(struct uio *u, bool nonblock)
{
	char *buf = kmalloc(SYSLOG_CHUNK);
	long n = 0;

	if (buf == NULL)
		return -ENOMEM;
	while (n == 0) {
		mutex_lock(&syslog.lock);
		n = read_unread_locked(u, buf);
		mutex_unlock(&syslog.lock);
		if (n == 0 && nonblock)
			n = -EAGAIN;
		if (n == 0)
			n = wait_event_intr(log_waitq(),
			    syslog.seq < log_next_seq());
	}
	kfree(buf);
	return n;
}

/* The last len bytes' whole lines since the log was cleared. */
static long
read_all(uaddr_t to, size_t len)
{
	uint64_t seq = MAX(log_clear_seq(), log_first_seq());
	char *buf = kmalloc(SYSLOG_CHUNK);
	size_t total, n, done = 0;
	long error = 0;

	if (buf == NULL)
		return -ENOMEM;
	for (total = bytes_from(seq, buf); total > len; total -= n) {
		n = line_at(seq, buf);
		if (n == 0)
			break;
		seq++;
	}
	while (error == 0 && (n = log_read(&seq, buf, SYSLOG_CHUNK)) > 0) {
		if (done + n > len)
			break; /* lines that came meanwhile */
		error = copyout(to + done, buf, n);
		done += n;
	}
	kfree(buf);
	return error != 0 ? error : (long)done;
}

static long
size_unread(void)
{
	char *buf = kmalloc(SYSLOG_CHUNK);
	long n;

	if (buf == NULL)
		return -ENOMEM;
	mutex_lock(&syslog.lock);
	catch_up_locked();
	n = bytes_from(syslog.seq, buf) - syslog.partial;
	mutex_unlock(&syslog.lock);
	kfree(buf);
	return n;
}

static long
console_level(int type, int level)
{
	if (type == SYSLOG_CONSOLE_OFF) {
		if (syslog.saved_level == 0)
			syslog.saved_level = log_console_level();
		log_set_console_level(1);
	} else if (type == SYSLOG_CONSOLE_ON) {
		if (syslog.saved_level != 0)
			log_set_console_level(syslog.saved_level);
		syslog.saved_level = 0;
	} else {
		if (level < 1 || level > 8)
			return -EINVAL;
		syslog.saved_level = 0;
		log_set_console_level(level);
	}
	return 0;
}

static long
syslog_read(int type, uaddr_t to, int len)
{
	struct uio_vec vec;
	struct uio u;
	long n;

	if (to == 0 || len < 0)
		return -EINVAL;
	if (len == 0)
		return 0;
	if (type == SYSLOG_READ) {
		uio_init_one(&u, UIO_USER, &vec, to, len);
		return read_unread(&u, false);
	}
	n = read_all(to, len);
	if (n >= 0 && type == SYSLOG_READ_CLEAR)
		log_clear();
	return n;
}

long
sys_syslog(int type, uaddr_t buf, int len)
{
	if (type != SYSLOG_READ_ALL && type != SYSLOG_SIZE_BUFFER &&
	    !capable(CAP_SYSLOG) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	switch (type) {
	case SYSLOG_CLOSE:
	case SYSLOG_OPEN: return 0;
	case SYSLOG_READ:
	case SYSLOG_READ_ALL:
	case SYSLOG_READ_CLEAR: return syslog_read(type, buf, len);
	case SYSLOG_CLEAR: log_clear(); return 0;
	case SYSLOG_CONSOLE_OFF:
	case SYSLOG_CONSOLE_ON:
	case SYSLOG_CONSOLE_LEVEL: return console_level(type, len);
	case SYSLOG_SIZE_UNREAD: return size_unread();
	case SYSLOG_SIZE_BUFFER: return log_size();
	}
	return -EINVAL;
}

/* ----------------------------------------------------------- /proc/kmsg -- */

static int
proc_kmsg_open(struct inode *inode, struct file *file)
{
	(void)inode;
	(void)file;
	return capable(CAP_SYSLOG) || capable(CAP_SYS_ADMIN) ? 0 : -EPERM;
}

static long
proc_kmsg_read(struct file *file, struct uio *u, int64_t *pos)
{
	(void)pos;
	if (u->resid == 0)
		return 0;
	return read_unread(u, (file->flags & O_NONBLOCK) != 0);
}

static unsigned
proc_kmsg_poll(struct file *file, struct poll_table *table)
{
	(void)file;
	poll_wait(table, log_waitq());
	return syslog.seq < log_next_seq() ? POLLIN | POLLRDNORM : 0;
}

const struct file_ops kmsg_proc_ops = {
	.open = proc_kmsg_open,
	.read = proc_kmsg_read,
	.poll = proc_kmsg_poll,
	.llseek = no_llseek,
};
