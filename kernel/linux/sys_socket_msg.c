/* SPDX-License-Identifier: ISC */
/*
 * sys_socket_msg.c - system calls that send and receive: send(2), recv(2),
 * sendmmsg(2), recvmmsg(2), and the control messages of cmsg(3).
 */
#include "linux/sys_socket.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/signal.h"
#include "linux/timespec.h"
#include "linux/transfer.h"
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/fcntl.h>

#define CONTROL_MAX 20480u /* bytes of control messages: optmem_max */
#define MMSG_MAX    1024u

/* As Linux declares them for programs. */
struct user_msghdr {
	uint64_t name;
	int32_t name_len, pad0;
	uint64_t iov, iov_len;
	uint64_t control, control_len;
	uint32_t flags, pad1;
};
struct user_cmsghdr {
	uint64_t len; /* header included */
	int32_t level, type;
};
struct user_mmsghdr {
	struct user_msghdr msg;
	uint32_t len, pad;
};

#define CMSG_ALIGN(n) (((n) + 7) & ~(uint64_t)7)

/* ------------------------------------------------------- one way out ---- */

static void
put_files(struct sock_msg *m)
{
	while (m->nfiles > 0)
		file_put(m->files[--m->nfiles]);
	kfree(m->files);
	m->files = NULL;
}

/* send of any kind: who sends, from where, and the signal for EPIPE. */
static long
do_send(struct socket *s, struct file *file, struct sock_msg *m)
{
	struct fs_ctx ctx;
	long n;

	if ((file->flags & O_NONBLOCK) != 0)
		m->flags |= MSG_DONTWAIT;
	if (!m->has_cred)
		sock_hooks->who(&m->cred);
	fs_ctx_get(&ctx);
	m->vfs = &ctx.vfs;
	n = s->ops->send(s, m);
	m->vfs = NULL;
	fs_ctx_put(&ctx);
	if (n == -EPIPE && s->type == SOCK_STREAM &&
	    (m->flags & MSG_NOSIGNAL) == 0)
		signal_send_self(SIGPIPE);
	return n;
}

static long
do_receive(struct socket *s, struct file *file, struct sock_msg *m)
{
	if ((file->flags & O_NONBLOCK) != 0)
		m->flags |= MSG_DONTWAIT;
	return s->ops->receive(s, m);
}

long
sys_sendto(int fd, uaddr_t buf, uint64_t len, unsigned flags, uaddr_t uaddr,
    int addr_len)
{
	struct sock_msg m = { .flags = flags };
	struct sock_addr addr;
	struct uio_vec vec;
	struct socket *s;
	struct fdref ref;
	struct uio u;
	long n = socket_get(fd, &ref, &s);

	if (n != 0)
		return n;
	uio_init_one(&u, UIO_USER, &vec, buf, MIN(len, (uint64_t)TRANSFER_MAX));
	m.u = &u;
	if (uaddr != 0) {
		n = socket_addr_get(&addr, uaddr, addr_len);
		m.name = &addr;
	}
	if (n == 0)
		n = do_send(s, ref.file, &m);
	fd_put(ref);
	return n;
}

long
sys_recvfrom(int fd, uaddr_t buf, uint64_t len, unsigned flags, uaddr_t uaddr,
    uaddr_t ulen)
{
	struct sock_msg m = { .flags = flags };
	struct sock_addr addr = { .len = 0 };
	struct uio_vec vec;
	struct socket *s;
	struct fdref ref;
	struct uio u;
	int error;
	long n = socket_get(fd, &ref, &s);

	if (n != 0)
		return n;
	uio_init_one(&u, UIO_USER, &vec, buf, MIN(len, (uint64_t)TRANSFER_MAX));
	m.u = &u;
	m.name = &addr;
	n = do_receive(s, ref.file, &m);
	fd_put(ref);
	put_files(&m);
	if (n >= 0 && uaddr != 0) {
		error = socket_addr_put(&addr, uaddr, ulen);
		if (error != 0)
			return error;
	}
	return n;
}

/* ---------------------------------------------- control messages, sent -- */

/* SCM_RIGHTS: descriptors become files with references. */
static int
get_rights(struct sock_msg *m, const uint8_t *data, uint64_t len)
{
	unsigned n = (unsigned)(len / sizeof(int)), i;
	struct file **files;
	struct fdref ref;
	int fd;

	if (n == 0)
		return 0;
	if (m->nfiles + n > SCM_MAX_FD)
		return -EINVAL;
	files = krealloc(m->files, (m->nfiles + n) * sizeof(files[0]));
	if (files == NULL)
		return -ENOMEM;
	m->files = files;
	for (i = 0; i < n; i++) {
		memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
		ref = fd_get(fd);
		if (ref.file == NULL)
			return -EBADF;
		if (!ref.owned)
			file_get(ref.file);
		m->files[m->nfiles++] = ref.file;
	}
	return 0;
}

static bool
is_own(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved)
{
	return id == real || id == effective || id == saved;
}

static bool
pid_exists(int32_t pid)
{
	bool found;

	if (pid == process_self()->pid)
		return true;
	mutex_lock(&process_lock);
	found = process_find_locked(pid) != NULL;
	mutex_unlock(&process_lock);
	return found;
}

/* SCM_CREDENTIALS: only the truth, but for those who may say anything. */
static int
get_credentials(struct sock_msg *m, const uint8_t *data, uint64_t len)
{
	const struct process *p = process_self();
	const struct creds *c = creds_self();

	if (len != sizeof(m->cred))
		return -EINVAL;
	memcpy(&m->cred, data, sizeof(m->cred));
	if (m->cred.uid == UINT32_MAX || m->cred.gid == UINT32_MAX)
		return -EINVAL; /* nobody's */
	if (m->cred.pid != p->pid && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!is_own(m->cred.uid, c->uid, c->euid, c->suid) &&
	    !capable(CAP_SETUID))
		return -EPERM;
	if (!is_own(m->cred.gid, c->gid, c->egid, c->sgid) &&
	    !capable(CAP_SETGID))
		return -EPERM;
	m->has_cred = true;
	return pid_exists(m->cred.pid) ? 0 : -ESRCH;
}

/* A family's own; what none of them could have is no business of ours. */
static int
get_other(struct sock_msg *m, const struct user_cmsghdr *h, const uint8_t *data,
    uint64_t len)
{
	struct sock_cmsg *c;

	if (m->ncmsg == m->cmsg_room || len > sizeof(c->data))
		return 0;
	c = &m->cmsg[m->ncmsg++];
	c->level = h->level;
	c->type = h->type;
	c->len = (uint32_t)len;
	memcpy(c->data, data, len);
	return 0;
}

static int
get_one_control(struct sock_msg *m, const struct user_cmsghdr *h,
    const uint8_t *data)
{
	uint64_t len = h->len - sizeof(*h);

	if (h->level != SOL_SOCKET)
		return get_other(m, h, data, len);
	switch (h->type) {
	case SCM_RIGHTS: return get_rights(m, data, len);
	case SCM_CREDENTIALS: return get_credentials(m, data, len);
	case SO_MARK: /* nothing looks at marks */
		if (len != sizeof(uint32_t))
			return -EINVAL;
		return capable(CAP_NET_ADMIN) ? 0 : -EPERM;
	}
	return -EINVAL;
}

static int
parse_control(struct sock_msg *m, const uint8_t *text, uint64_t len)
{
	struct user_cmsghdr h;
	uint64_t at = 0;
	int error = 0;

	while (error == 0 && len - at >= sizeof(h)) {
		memcpy(&h, text + at, sizeof(h));
		if (h.len < sizeof(h) || h.len > len - at)
			return -EINVAL;
		error = get_one_control(m, &h, text + at + sizeof(h));
		at = MIN(at + CMSG_ALIGN(h.len), len);
	}
	return error;
}

static int
get_control(struct sock_msg *m, const struct user_msghdr *h)
{
	uint8_t *text;
	int error;

	if (h->control_len == 0 || h->control == 0)
		return 0;
	if (h->control_len > CONTROL_MAX)
		return -ENOBUFS;
	text = kmalloc(h->control_len);
	if (text == NULL)
		return -ENOBUFS;
	error = copyin(text, h->control, h->control_len);
	if (error == 0)
		error = parse_control(m, text, h->control_len);
	kfree(text);
	return error;
}

/* ------------------------------------------ control messages, received -- */

/* Where the next control message goes. */
struct control_out {
	uaddr_t at;
	uint64_t room, used;
	unsigned answer; /* MSG_CTRUNC */
};

/* How many bytes of `len` data fit behind a header; < 0: not even that. */
static long
control_fits(struct control_out *o, uint64_t len)
{
	if (o->room < sizeof(struct user_cmsghdr)) {
		o->answer |= MSG_CTRUNC;
		return -1;
	}
	if (o->room < sizeof(struct user_cmsghdr) + len) {
		o->answer |= MSG_CTRUNC;
		len = o->room - sizeof(struct user_cmsghdr);
	}
	return (long)len;
}

static int
control_put(struct control_out *o, int level, int type, const void *data,
    uint64_t len)
{
	struct user_cmsghdr h = { sizeof(h) + len, level, type };
	uint64_t step;

	if (copyout(o->at, &h, sizeof(h)) != 0 ||
	    copyout(o->at + sizeof(h), data, len) != 0)
		return -EFAULT;
	step = MIN(CMSG_ALIGN(h.len), o->room);
	o->at += step;
	o->room -= step;
	o->used += step;
	return 0;
}

static int
put_credentials(struct control_out *o, const struct sock_cred *cred)
{
	long len = control_fits(o, sizeof(*cred));

	return len < 0 ?
	    0 :
	    control_put(o, SOL_SOCKET, SCM_CREDENTIALS, cred, (uint64_t)len);
}

/* Opens the files that fit; the rest is lost, which MSG_CTRUNC tells. */
static int
put_rights(struct control_out *o, struct sock_msg *m)
{
	int fds[SCM_MAX_FD], fd = 0, error;
	unsigned want, n = 0, i;
	long len;

	if (m->nfiles == 0)
		return 0;
	len = control_fits(o, m->nfiles * sizeof(int));
	want = len < 0 ? 0 : MIN(m->nfiles, (unsigned)(len / sizeof(int)));
	for (; n < want; n++) {
		fd = fd_reserve(0);
		if (fd < 0)
			break;
		fds[n] = fd;
	}
	if (n < m->nfiles)
		o->answer |= MSG_CTRUNC;
	error = n == 0 ?
	    0 :
	    control_put(o, SOL_SOCKET, SCM_RIGHTS, fds, n * sizeof(int));
	for (i = 0; i < n; i++) {
		if (error != 0) {
			fd_unreserve(fds[i]);
			continue;
		}
		fd_install(fds[i], m->files[i],
		    (m->flags & MSG_CMSG_CLOEXEC) != 0);
		m->files[i] = NULL; /* file_put() knows NULL */
	}
	return error;
}

/* The family's own. */
static int
put_others(struct control_out *o, const struct sock_msg *m)
{
	const struct sock_cmsg *c;
	unsigned i;
	int error = 0;
	long len;

	for (i = 0; i < m->ncmsg && error == 0; i++) {
		c = &m->cmsg[i];
		len = control_fits(o, c->len);
		if (len >= 0)
			error = control_put(o, c->level, c->type, c->data,
			    (uint64_t)len);
	}
	return error;
}

/* ------------------------------------------------------ sendmsg, recvmsg -- */

/* Checks what both directions share, and takes the vectors. */
static int
get_header(struct user_msghdr *h, uaddr_t umsg, struct transfer_vec *tv)
{
	if (copyin(h, umsg, sizeof(*h)) != 0)
		return -EFAULT;
	if (h->name_len < 0)
		return -EINVAL;
	if (h->iov_len > TRANSFER_IOV_MAX)
		return -EMSGSIZE;
	return transfer_vec_get(tv, h->iov, h->iov_len);
}

static long
send_one(struct socket *s, struct file *file, uaddr_t umsg, unsigned flags)
{
	struct sock_cmsg cmsg[SOCK_CMSGS];
	struct sock_msg m = { .flags = flags,
		.cmsg = cmsg,
		.cmsg_room = SOCK_CMSGS };
	struct transfer_vec tv;
	struct user_msghdr h;
	struct sock_addr addr;
	struct uio u;
	long n;

	n = get_header(&h, umsg, &tv);
	if (n != 0)
		return n;
	uio_init(&u, UIO_USER, tv.vec, tv.n);
	m.u = &u;
	if (h.name != 0 && h.name_len != 0) {
		n = socket_addr_get(&addr, h.name,
		    MIN(h.name_len, SOCK_ADDR_MAX));
		m.name = &addr;
	}
	if (n == 0)
		n = get_control(&m, &h);
	if (n == 0)
		n = do_send(s, file, &m);
	put_files(&m);
	transfer_vec_put(&tv);
	return n;
}

/* Everything that recvmsg fills in but the bytes. */
static int
put_answer(uaddr_t umsg, struct user_msghdr *h, struct sock_msg *m)
{
	struct control_out o = { h->control, h->control_len, 0, 0 };
	uint32_t name_len = 0;
	int error = 0;

	if (h->control == 0)
		o.room = 0;
	if (m->has_cred)
		error = put_credentials(&o, &m->cred);
	if (error == 0)
		error = put_others(&o, m);
	if (error == 0)
		error = put_rights(&o, m);
	if (error == 0 && h->name != 0) {
		name_len = m->name->len;
		error = copyout(h->name, m->name->bytes,
		    MIN((uint32_t)h->name_len, name_len));
		if (error == 0)
			error = copyout(umsg +
				offsetof(struct user_msghdr, name_len),
			    &name_len, sizeof(name_len));
	}
	m->answer |= o.answer | (m->flags & MSG_CMSG_CLOEXEC);
	if (error == 0)
		error = copyout(umsg + offsetof(struct user_msghdr, flags),
		    &m->answer, sizeof(m->answer));
	if (error == 0)
		error = copyout(umsg +
			offsetof(struct user_msghdr, control_len),
		    &o.used, sizeof(o.used));
	return error;
}

static long
receive_one(struct socket *s, struct file *file, uaddr_t umsg, unsigned flags)
{
	struct sock_cmsg cmsg[SOCK_CMSGS];
	struct sock_msg m = { .flags = flags,
		.cmsg = cmsg,
		.cmsg_room = SOCK_CMSGS };
	struct sock_addr addr = { .len = 0 };
	struct transfer_vec tv;
	struct user_msghdr h;
	struct uio u;
	int error;
	long n;

	n = get_header(&h, umsg, &tv);
	if (n != 0)
		return n;
	uio_init(&u, UIO_USER, tv.vec, tv.n);
	m.u = &u;
	m.name = &addr;
	n = do_receive(s, file, &m);
	if (n >= 0) {
		error = put_answer(umsg, &h, &m);
		if (error != 0)
			n = error;
	}
	put_files(&m);
	transfer_vec_put(&tv);
	return n;
}

long
sys_sendmsg(int fd, uaddr_t umsg, unsigned flags)
{
	struct socket *s;
	struct fdref ref;
	long n = socket_get(fd, &ref, &s);

	if (n != 0)
		return n;
	n = send_one(s, ref.file, umsg, flags);
	fd_put(ref);
	return n;
}

long
sys_recvmsg(int fd, uaddr_t umsg, unsigned flags)
{
	struct socket *s;
	struct fdref ref;
	long n = socket_get(fd, &ref, &s);

	if (n != 0)
		return n;
	n = receive_one(s, ref.file, umsg, flags);
	fd_put(ref);
	return n;
}

/* One of several: its byte count goes beside it. */
static long
one_of_many(struct socket *s, struct file *file, bool send, uaddr_t at,
    unsigned flags)
{
	uint32_t len;
	long n;

	n = send ? send_one(s, file, at, flags) :
		   receive_one(s, file, at, flags);
	if (n < 0)
		return n;
	len = (uint32_t)n;
	return copyout(at + offsetof(struct user_mmsghdr, len), &len,
	    sizeof(len));
}

long
sys_sendmmsg(int fd, uaddr_t vec, unsigned n, unsigned flags)
{
	struct socket *s;
	struct fdref ref;
	unsigned i;
	long error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	n = MIN(n, MMSG_MAX);
	for (i = 0; i < n && error == 0; i++)
		error = one_of_many(s, ref.file, true,
		    vec + i * sizeof(struct user_mmsghdr), flags);
	if (error != 0)
		i--;
	fd_put(ref);
	return i > 0 ? (long)i : error;
}

static long
receive_many(struct socket *s, struct file *file, uaddr_t vec, unsigned n,
    unsigned flags, int64_t deadline_ns)
{
	unsigned i;
	long error;

	for (i = 0; i < n; i++) {
		error = one_of_many(s, file, false,
		    vec + i * sizeof(struct user_mmsghdr),
		    flags & ~MSG_WAITFORONE);
		if (error != 0)
			return i > 0 ? (long)i : error;
		if ((flags & MSG_WAITFORONE) != 0)
			flags |= MSG_DONTWAIT;
		if (clock_mono_ns() >= deadline_ns) {
			i++;
			break;
		}
	}
	return (long)i;
}

/* The time limit is looked at between messages only: Linux's way. */
long
sys_recvmmsg(int fd, uaddr_t vec, unsigned n, unsigned flags, uaddr_t timeout)
{
	int64_t ns, deadline = INT64_MAX;
	struct socket *s;
	struct fdref ref;
	long done;

	if (timeout != 0) {
		done = copyin_timespec(timeout, &ns);
		if (done != 0)
			return done;
		deadline = clock_mono_ns() + ns;
	}
	done = socket_get(fd, &ref, &s);
	if (done != 0)
		return done;
	done = receive_many(s, ref.file, vec, MIN(n, MMSG_MAX), flags,
	    deadline);
	fd_put(ref);
	if (done >= 0 && timeout != 0) {
		ns = deadline - clock_mono_ns();
		if (copyout_timespec(timeout, ns > 0 ? ns : 0) != 0)
			return -EFAULT;
	}
	return done;
}
