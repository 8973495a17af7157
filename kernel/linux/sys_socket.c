/* SPDX-License-Identifier: ISC */
/*
 * sys_socket.c - system calls that make, name, connect and set up sockets.
 * socket(2) and the pages that it refers to.
 */
#include "linux/sys_socket.h"

#include "kern/string.h"
#include "kern/uaccess.h"
#include "linux/fsview.h"
#include "linux/process.h"
#include "linux/sigio.h"
#include "linux/signal.h"
#include "linux/sys_misc.h"
#include "net/inet_config.h"
#include <linux/errno.h>
#include <linux/fcntl.h>

#define SOCK_CLOEXEC  O_CLOEXEC
#define SOCK_NONBLOCK O_NONBLOCK
#define OPTION_MAX    320 /* bytes of an option's value */

/* ------------------------------------------------- what the floor asks -- */

static void
broken_pipe(void)
{
	signal_send_self(SIGPIPE);
}

static void
who(struct sock_cred *cred)
{
	const struct creds *c = creds_self();

	cred->pid = process_self()->pid;
	cred->uid = c->euid;
	cred->gid = c->egid;
}

static bool
may(int cap)
{
	return capable((unsigned)cap);
}

/* From ip= or DHCP. */
static void
set_hostname(const char *name)
{
	(void)uts_set_nodename(name, strlen(name));
}

void
sys_socket_init(void)
{
	static const struct sock_hooks hooks = {
		.broken_pipe = broken_pipe,
		.who = who,
		.capable = may,
		.urgent = sigio_urgent,
	};

	sock_set_hooks(&hooks);
	inet_config_set_hostname_hook(set_hostname);
}

/* ---------------------------------------------------------- descriptors -- */

int
socket_get(int fd, struct fdref *ref, struct socket **out)
{
	*ref = fd_get(fd);
	if (ref->file == NULL)
		return -EBADF;
	*out = sock_of_file(ref->file);
	if (*out != NULL)
		return 0;
	fd_put(*ref);
	return -ENOTSOCK;
}

/* A descriptor for a new socket, which it owns, also when it fails. */
static long
open_socket(struct socket *s, int flags)
{
	struct file *file;
	int error;

	error = sock_file(s, (unsigned)flags & O_NONBLOCK, &file);
	if (error != 0) {
		s->ops->release(s);
		return error;
	}
	return fd_open(file, (flags & SOCK_CLOEXEC) != 0);
}

/* The family, and type without flags. */
static int
check_kind(int family, int *type, int *flags, const struct sock_family **out)
{
	*flags = *type & ~(int)SOCK_TYPE_MASK;
	*type &= (int)SOCK_TYPE_MASK;
	if ((*flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0)
		return -EINVAL;
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (*type >= SOCK_TYPES)
		return -EINVAL;
	*out = sock_family_find(family);
	return *out == NULL ? -EAFNOSUPPORT : 0;
}

long
sys_socket(int family, int type, int protocol)
{
	const struct sock_family *f;
	struct socket *s;
	int flags, error;

	error = check_kind(family, &type, &flags, &f);
	if (error == 0)
		error = f->create(type, protocol, &s);
	return error != 0 ? error : open_socket(s, flags);
}

/* Two files of a connected pair. */
static int
make_pair(const struct sock_family *f, int type, int protocol, int flags,
    struct file *files[2])
{
	struct socket *a, *b;
	int error;

	error = f->create(type, protocol, &a);
	if (error != 0)
		return error;
	error = f->create(type, protocol, &b);
	if (error != 0)
		goto free_a;
	error = f->pair == NULL ? -EOPNOTSUPP : f->pair(a, b);
	if (error == 0)
		error = sock_file(a, (unsigned)flags, &files[0]);
	if (error != 0)
		goto free_b;
	error = sock_file(b, (unsigned)flags, &files[1]);
	if (error == 0)
		return 0;
	b->ops->release(b);
	file_put(files[0]); /* releases a */
	return error;
free_b:
	b->ops->release(b);
free_a:
	a->ops->release(a);
	return error;
}

long
sys_socketpair(int family, int type, int protocol, uaddr_t ufds)
{
	const struct sock_family *f;
	struct file *files[2];
	int flags, error, fds[2];

	error = check_kind(family, &type, &flags, &f);
	if (error == 0)
		error = make_pair(f, type, protocol, flags, files);
	if (error != 0)
		return error;
	fds[0] = fd_reserve(0);
	fds[1] = fds[0] < 0 ? fds[0] : fd_reserve(0);
	error = fds[1] < 0 ? fds[1] : copyout(ufds, fds, sizeof(fds));
	if (error == 0) {
		fd_install(fds[0], files[0], (flags & SOCK_CLOEXEC) != 0);
		fd_install(fds[1], files[1], (flags & SOCK_CLOEXEC) != 0);
		return 0;
	}
	if (fds[0] >= 0)
		fd_unreserve(fds[0]);
	if (fds[1] >= 0)
		fd_unreserve(fds[1]);
	file_put(files[0]);
	file_put(files[1]);
	return error;
}

/* -------------------------------------------------------------- addresses -- */

int
socket_addr_get(struct sock_addr *addr, uaddr_t from, int len)
{
	if (len < 0 || len > SOCK_ADDR_MAX)
		return -EINVAL;
	addr->family = AF_UNSPEC;
	addr->len = (uint32_t)len;
	return copyin(addr->bytes, from, (size_t)len);
}

int
socket_addr_put(const struct sock_addr *addr, uaddr_t to, uaddr_t ulen)
{
	uint32_t len;
	int room;

	if (copyin(&room, ulen, sizeof(room)) != 0)
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	len = MIN((uint32_t)room, addr->len);
	if (copyout(to, addr->bytes, len) != 0)
		return -EFAULT;
	return copyout(ulen, &addr->len, sizeof(addr->len));
}

static bool
is_nonblock(const struct file *file)
{
	return (file->flags & O_NONBLOCK) != 0;
}

long
sys_bind(int fd, uaddr_t uaddr, int len)
{
	struct sock_addr addr;
	struct socket *s;
	struct fdref ref;
	struct fs_ctx ctx;
	int error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	error = socket_addr_get(&addr, uaddr, len);
	if (error == 0 && s->ops->bind == NULL)
		error = -EOPNOTSUPP;
	if (error == 0) {
		fs_ctx_get(&ctx);
		error = s->ops->bind(s, &addr, &ctx.vfs);
		fs_ctx_put(&ctx);
	}
	fd_put(ref);
	return error;
}

long
sys_connect(int fd, uaddr_t uaddr, int len)
{
	struct sock_addr addr;
	struct socket *s;
	struct fdref ref;
	struct fs_ctx ctx;
	int error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	error = socket_addr_get(&addr, uaddr, len);
	if (error == 0 && s->ops->connect == NULL)
		error = -EOPNOTSUPP;
	if (error == 0) {
		fs_ctx_get(&ctx);
		error = s->ops->connect(s, &addr, is_nonblock(ref.file),
		    &ctx.vfs);
		fs_ctx_put(&ctx);
	}
	fd_put(ref);
	return error;
}

long
sys_listen(int fd, int backlog)
{
	struct socket *s;
	struct fdref ref;
	int error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	error = s->ops->listen == NULL ? -EOPNOTSUPP :
					 s->ops->listen(s, backlog);
	fd_put(ref);
	return error;
}

/* The other side's name for accept(2); it may be gone already. */
static int
put_peer_name(struct socket *s, uaddr_t uaddr, uaddr_t ulen)
{
	struct sock_addr addr;

	if (uaddr == 0)
		return 0;
	if (s->ops->name(s, true, &addr) != 0)
		return -ECONNABORTED;
	return socket_addr_put(&addr, uaddr, ulen);
}

/* Takes over s. */
static long
accepted(struct socket *s, uaddr_t uaddr, uaddr_t ulen, unsigned flags)
{
	struct file *file;
	int fd, error;

	error = sock_file(s, flags & O_NONBLOCK, &file);
	if (error != 0) {
		s->ops->release(s);
		return error;
	}
	fd = fd_reserve(0);
	error = fd < 0 ? fd : put_peer_name(s, uaddr, ulen);
	if (error == 0) {
		fd_install(fd, file, (flags & SOCK_CLOEXEC) != 0);
		return fd;
	}
	if (fd >= 0)
		fd_unreserve(fd);
	file_put(file);
	return error;
}

long
sys_accept4(int fd, uaddr_t uaddr, uaddr_t ulen, unsigned flags)
{
	struct socket *s, *new;
	struct fdref ref;
	int error;

	if ((flags & ~(unsigned)(SOCK_CLOEXEC | SOCK_NONBLOCK)) != 0)
		return -EINVAL;
	error = socket_get(fd, &ref, &s);
	if (error != 0)
		return error;
	error = s->ops->accept == NULL ?
	    -EOPNOTSUPP :
	    s->ops->accept(s, is_nonblock(ref.file), &new);
	fd_put(ref);
	return error != 0 ? error : accepted(new, uaddr, ulen, flags);
}

long
sys_accept(int fd, uaddr_t uaddr, uaddr_t ulen)
{
	return sys_accept4(fd, uaddr, ulen, 0);
}

static long
get_name(int fd, bool peer, uaddr_t uaddr, uaddr_t ulen)
{
	struct sock_addr addr;
	struct socket *s;
	struct fdref ref;
	int error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	error = s->ops->name(s, peer, &addr);
	fd_put(ref);
	return error != 0 ? error : socket_addr_put(&addr, uaddr, ulen);
}

long
sys_getsockname(int fd, uaddr_t uaddr, uaddr_t ulen)
{
	return get_name(fd, false, uaddr, ulen);
}

long
sys_getpeername(int fd, uaddr_t uaddr, uaddr_t ulen)
{
	return get_name(fd, true, uaddr, ulen);
}

long
sys_shutdown(int fd, int how)
{
	struct socket *s;
	struct fdref ref;
	int error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	if (how < SHUT_RD || how > SHUT_RDWR)
		error = -EINVAL;
	else
		error = s->ops->shutdown == NULL ? -EOPNOTSUPP :
						   s->ops->shutdown(s, how);
	fd_put(ref);
	return error;
}

/* ---------------------------------------------------------------- options -- */

long
sys_setsockopt(int fd, int level, int name, uaddr_t uvalue, int len)
{
	uint8_t value[OPTION_MAX];
	struct socket *s;
	struct fdref ref;
	unsigned n;
	int error;

	if (len < 0)
		return -EINVAL;
	error = socket_get(fd, &ref, &s);
	if (error != 0)
		return error;
	n = MIN((unsigned)len, (unsigned)sizeof(value));
	error = copyin(value, uvalue, n);
	if (error == 0)
		error = sock_set_option(s, level, name, value, n);
	fd_put(ref);
	return error;
}

long
sys_getsockopt(int fd, int level, int name, uaddr_t uvalue, uaddr_t ulen)
{
	uint8_t value[OPTION_MAX] = { 0 };
	struct socket *s;
	struct fdref ref;
	unsigned n;
	int len, error = socket_get(fd, &ref, &s);

	if (error != 0)
		return error;
	error = copyin(&len, ulen, sizeof(len));
	if (error == 0 && len < 0)
		error = -EINVAL;
	if (error == 0) {
		n = MIN((unsigned)len, (unsigned)sizeof(value));
		/* Few options read what is there: PACKET_HDRLEN. */
		if (copyin(value, uvalue, n) != 0)
			memset(value, 0, sizeof(value));
		error = sock_get_option(s, level, name, value, &n);
	}
	if (error == 0)
		error = copyout(uvalue, value, n);
	if (error == 0)
		error = copyout(ulen, &n, sizeof(n));
	fd_put(ref);
	return error;
}
