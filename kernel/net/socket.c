/* SPDX-License-Identifier: ISC */
/*
 * socket.c - sockets as files, and the options that all of them have.
 * socket(2), socket(7).
 */
#include "net/socket.h"

#include "abi/mode.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "net/sock_option.h"
#include "net/stack.h"
#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/net_tstamp.h>

#define BUF_MAX (2 * SOCK_BUF_SIZE)
#define SND_MIN 4608u
#define RCV_MIN 2304u

static const struct file_ops socket_file_ops;
const struct sock_hooks *sock_hooks;

void
sock_set_hooks(const struct sock_hooks *hooks)
{
	sock_hooks = hooks;
}

void
sock_init(struct socket *s, const struct socket_ops *ops, uint16_t family,
    int type, int protocol)
{
	s->ops = ops;
	s->family = family;
	s->type = (uint16_t)type;
	s->protocol = protocol;
	s->sndbuf = s->rcvbuf = SOCK_BUF_SIZE;
	s->rcvlowat = 1;
	s->incoming_cpu = -1;
}

int64_t
sock_deadline(int64_t timeo_ns)
{
	return timeo_ns == 0 ? WAIT_FOREVER : clock_mono_ns() + timeo_ns;
}

int
sock_wait_error(int error, int64_t timeo_ns)
{
	if (error == -ETIMEDOUT)
		return -EAGAIN;
	/* A wait with a limit does not begin anew (signal(7)). */
	return error == -ERESTARTSYS && timeo_ns != 0 ? -EINTR : error;
}

/* --------------------------------------------------------------- files -- */

static unsigned
message_flags(const struct file *file, const struct uio *u)
{
	return (file->flags & O_NONBLOCK) != 0 || (u->flags & UIO_NOWAIT) != 0 ?
	    MSG_DONTWAIT :
	    0;
}

static void
put_files(struct sock_msg *m)
{
	while (m->nfiles > 0)
		file_put(m->files[--m->nfiles]);
	kfree(m->files);
}

/* What comes along with bytes that read(2) takes is lost, as on Linux. */
static long
socket_read(struct file *file, struct uio *u, int64_t *pos)
{
	struct socket *s = file->priv;
	struct sock_msg m = { .u = u, .flags = message_flags(file, u) };
	long n;

	(void)pos;
	if (u->resid == 0)
		return 0;
	n = s->ops->receive(s, &m);
	put_files(&m);
	return n;
}

static long
socket_write(struct file *file, struct uio *u, int64_t *pos)
{
	struct socket *s = file->priv;
	struct sock_msg m = { .u = u, .flags = message_flags(file, u) };
	long n;

	(void)pos;
	sock_hooks->who(&m.cred);
	n = s->ops->send(s, &m);
	if (n == -EPIPE && s->type == SOCK_STREAM)
		sock_hooks->broken_pipe();
	return n;
}

static long
socket_ioctl(struct file *file, unsigned cmd, uint64_t arg)
{
	struct socket *s = file->priv;
	long n = s->ops->ioctl == NULL ? -ENOTTY : s->ops->ioctl(s, cmd, arg);

	/* linux/sockios.h's numbers */
	return n == -ENOTTY && cmd >> 8 == 0x89 ? net_ioctl(cmd, arg) : n;
}

static unsigned
socket_poll(struct file *file, struct poll_table *table)
{
	struct socket *s = file->priv;

	return s->ops->poll(s, table);
}

static void
socket_release(struct file *file)
{
	struct socket *s = file->priv;

	s->ops->release(s);
}

static int
socket_flush(struct file *file)
{
	struct socket *s = file->priv;

	if (s->ops->descriptor_closed != NULL)
		s->ops->descriptor_closed(s, file);
	return 0;
}

static int
socket_mmap(struct file *file, uint64_t size, unsigned *vm_flags,
    uint64_t *offset, struct vm_object **object)
{
	struct socket *s = file->priv;

	(void)vm_flags;
	return s->ops->mmap == NULL ? -ENODEV :
				      s->ops->mmap(s, size, offset, object);
}

static const struct file_ops socket_file_ops = {
	.mmap = socket_mmap,
	.flush = socket_flush,
	.release = socket_release,
	.read = socket_read,
	.write = socket_write,
	.ioctl = socket_ioctl,
	.poll = socket_poll,
	.llseek = no_llseek,
};

int
sock_file(struct socket *s, unsigned flags, struct file **out)
{
	char label[40];
	int error;

	s->ino = anon_ino_next();
	snprintf(label, sizeof(label), "socket:[%lu]", (unsigned long)s->ino);
	error = file_create_anon(label, S_IFSOCK | 0777, NULL, &socket_file_ops,
	    s, O_RDWR | (flags & O_NONBLOCK), out);
	if (error != 0)
		return error;
	s->file = *out;
	(*out)->inode->ino = s->ino; /* stat(2) says so too */
	return 0;
}

struct socket *
sock_of_file(const struct file *file)
{
	return file->ops == &socket_file_ops ? file->priv : NULL;
}

void
sock_put_cmsg(struct sock_msg *m, int level, int type, const void *data,
    uint32_t len)
{
	struct sock_cmsg *c;

	if (m->ncmsg >= m->cmsg_room)
		return;
	c = &m->cmsg[m->ncmsg++];
	c->level = level;
	c->type = type;
	c->len = len;
	memcpy(c->data, data, len);
}

/* --------------------------------------------------------------- times -- */

#define STAMPS (SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE)

bool
sock_wants_stamp(const struct socket *s)
{
	return s->stamp != 0 || (s->stamping & STAMPS) == STAMPS;
}

void
sock_put_stamp(const struct socket *s, struct sock_msg *m, int64_t when_ns)
{
	int64_t t[6] = { when_ns / NSEC_PER_SEC, when_ns % NSEC_PER_SEC };

	if (when_ns == 0)
		return;
	/* The option's number is the message's. */
	if ((s->stamping & STAMPS) == STAMPS)
		sock_put_cmsg(m, SOL_SOCKET, s->stamping_number, t, sizeof(t));
	if (s->stamp == SO_TIMESTAMP_OLD || s->stamp == SO_TIMESTAMP_NEW)
		t[1] /= 1000;
	if (s->stamp != 0)
		sock_put_cmsg(m, SOL_SOCKET, s->stamp, t, 2 * sizeof(t[0]));
}

/* Each of the four replaces the others. */
static int
set_stamp(struct socket *s, int name, int n)
{
	switch (name) {
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW: s->stamp = n != 0 ? name : 0; return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if ((n & ~(int)SOF_TIMESTAMPING_MASK) != 0)
			return -EINVAL;
		s->stamping = (unsigned)n;
		s->stamping_number = name;
		return 0;
	default: return -ENOPROTOOPT;
	}
}

static int
get_stamp(const struct socket *s, int name, int *n)
{
	switch (name) {
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMPNS_NEW: *n = s->stamp == name; return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW: *n = (int)s->stamping; return 0;
	default: return -ENOPROTOOPT;
	}
}

/* ------------------------------------------------------------- options -- */

/* Options that are one switch each. */
static bool *
flag_of(struct socket *s, int name)
{
	switch (name) {
	case SO_REUSEADDR: return &s->flag_reuseaddr;
	case SO_REUSEPORT: return &s->flag_reuseport;
	case SO_KEEPALIVE: return &s->flag_keepalive;
	case SO_BROADCAST: return &s->flag_broadcast;
	case SO_DONTROUTE: return &s->flag_dontroute;
	case SO_OOBINLINE: return &s->flag_oobinline;
	case SO_PASSCRED: return &s->passcred;
	case SO_NO_CHECK: return &s->flag_nocheck;
	case SO_PASSSEC: return &s->flag_passsec;
	case SO_RXQ_OVFL: return &s->flag_rxq_ovfl;
	case SO_SELECT_ERR_QUEUE: return &s->flag_err_pri;
	case SO_PREFER_BUSY_POLL: return &s->flag_prefer_poll;
	}
	return NULL;
}

/* struct timeval, either layout: they agree on this processor. */
static int
set_timeout(int64_t *ns, const void *value, unsigned len)
{
	int64_t tv[2];

	if (len < sizeof(tv))
		return -EINVAL;
	memcpy(tv, value, sizeof(tv));
	if (tv[1] < 0 || tv[1] >= 1000000)
		return -EDOM;
	if (tv[0] < 0)
		*ns = 1; /* Linux: does not wait at all */
	else if (tv[0] > INT64_MAX / NSEC_PER_SEC / 2)
		*ns = 0;
	else
		*ns = tv[0] * NSEC_PER_SEC + tv[1] * 1000;
	return 0;
}

static int
set_number(struct socket *s, int name, int n)
{
	uint32_t wanted = n < 0 ? BUF_MAX : MIN((uint32_t)n, SOCK_BUF_SIZE) * 2;
	int error;

	switch (name) {
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
		s->buf_lock |= SOCK_SNDBUF_LOCK;
		s->sndbuf = MAX(MIN(wanted, BUF_MAX), SND_MIN);
		s->sndbuf_set = true;
		return 0;
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
		s->buf_lock |= SOCK_RCVBUF_LOCK;
		s->rcvbuf = MAX(MIN(wanted, BUF_MAX), RCV_MIN);
		s->rcvbuf_set = true;
		return 0;
	case SO_PRIORITY: s->priority = n; return 0;
	case SO_RCVLOWAT: s->rcvlowat = n < 0 ? INT32_MAX : MAX(n, 1); return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR: return -ENOPROTOOPT;
	}
	error = set_stamp(s, name, n);
	return error == -ENOPROTOOPT ? sock_option_set(s, name, n) : error;
}

/* Those of SOL_SOCKET; -ENOPROTOOPT: a family may know it. */
static int
set_common(struct socket *s, int name, const void *value, unsigned len)
{
	bool *flag;
	int n, linger[2];

	if (name == SO_BINDTODEVICE)
		return -ENOPROTOOPT;
	if (len < sizeof(n))
		return -EINVAL;
	memcpy(&n, value, sizeof(n));
	flag = flag_of(s, name);
	if (flag != NULL) {
		*flag = n != 0;
		return 0;
	}
	switch (name) {
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW: return set_timeout(&s->rcvtimeo_ns, value, len);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW: return set_timeout(&s->sndtimeo_ns, value, len);
	case SO_LINGER:
		if (len < sizeof(linger))
			return -EINVAL;
		memcpy(linger, value, sizeof(linger));
		s->linger_on = linger[0] != 0;
		s->linger_s = linger[1];
		return 0;
	}
	return set_number(s, name, n);
}

int
sock_set_option(struct socket *s, int level, int name, const void *value,
    unsigned len)
{
	int error = -EOPNOTSUPP;

	if (level == SOL_SOCKET) {
		error = set_common(s, name, value, len);
		if (error == 0 && s->ops->options_changed != NULL)
			s->ops->options_changed(s);
		if (error != -ENOPROTOOPT)
			return error;
	}
	if (s->ops->set_option != NULL)
		error = s->ops->set_option(s, level, name, value, len);
	return error;
}

static int
get_number(struct socket *s, int name, int *n)
{
	bool *flag = flag_of(s, name);

	if (flag != NULL) {
		*n = *flag;
		return 0;
	}
	switch (name) {
	case SO_TYPE: *n = s->type; return 0;
	case SO_DOMAIN: *n = s->family; return 0;
	case SO_PROTOCOL: *n = s->protocol; return 0;
	case SO_SNDBUF: *n = (int)s->sndbuf; return 0;
	case SO_RCVBUF: *n = (int)s->rcvbuf; return 0;
	case SO_PRIORITY: *n = s->priority; return 0;
	case SO_RCVLOWAT: *n = s->rcvlowat; return 0;
	case SO_SNDLOWAT: *n = 1; return 0;
	case SO_ERROR: *n = s->ops->take_error(s); return 0;
	case SO_ACCEPTCONN:
		*n = s->ops->is_listening != NULL && s->ops->is_listening(s);
		return 0;
	}
	return get_stamp(s, name, n);
}

static void
answer(void *value, unsigned *len, const void *from, unsigned n)
{
	*len = MIN(*len, n);
	memcpy(value, from, *len);
}

int
sock_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len)
{
	int64_t ns, tv[2];
	int n = 0, linger[2], error;

	if (level == SOL_SOCKET && name == SO_LINGER) {
		linger[0] = s->linger_on;
		linger[1] = s->linger_s;
		answer(value, len, linger, sizeof(linger));
		return 0;
	}
	if (level == SOL_SOCKET &&
	    (name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW ||
		name == SO_SNDTIMEO_OLD || name == SO_SNDTIMEO_NEW)) {
		ns = name == SO_RCVTIMEO_OLD || name == SO_RCVTIMEO_NEW ?
		    s->rcvtimeo_ns :
		    s->sndtimeo_ns;
		tv[0] = ns / NSEC_PER_SEC;
		tv[1] = ns % NSEC_PER_SEC / 1000;
		answer(value, len, tv, sizeof(tv));
		return 0;
	}
	if (level == SOL_SOCKET) {
		error = sock_option_get(s, name, value, len);
		if (error != -ENOPROTOOPT)
			return error;
	}
	error = level == SOL_SOCKET ? get_number(s, name, &n) : -EOPNOTSUPP;
	if (error == 0)
		answer(value, len, &n, sizeof(n));
	else if (s->ops->get_option != NULL)
		error = s->ops->get_option(s, level, name, value, len);
	return error;
}
