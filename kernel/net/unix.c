/* SPDX-License-Identifier: ISC */
/*
 * unix.c - sockets between processes of one machine: their names, who is
 * connected with whom, and how that ends.  unix(7).
 */
#include "net/unix.h"

#include "abi/mode.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <asm/socket.h>
#include <linux/errno.h>
#include <linux/un.h>

#define PATH_OFFSET offsetof(struct sockaddr_un, sun_path)

struct spinlock unix_lock = SPINLOCK_INIT;
static struct unix_socks names = TAILQ_HEAD_INITIALIZER(names); /* [u] */
struct unix_socks unix_all = TAILQ_HEAD_INITIALIZER(unix_all);
unsigned unix_nall;
static uint32_t last_autobind; /* [u] */
static const struct socket_ops unix_ops;

/* ------------------------------------------------------ life of structs -- */

static void
addr_put_locked(struct unix_addr *a)
{
	if (a != NULL && --a->refs == 0)
		kfree(a);
}

void
unix_put(struct unix_sock *u)
{
	if (__atomic_sub_fetch(&u->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	KASSERT(u->peer == NULL && TAILQ_EMPTY(&u->queue));
	spin_lock(&unix_lock);
	TAILQ_REMOVE(&unix_all, u, all_link);
	unix_nall--;
	addr_put_locked(u->addr);
	spin_unlock(&unix_lock);
	kfree(u);
}

static int
unix_alloc(int type, struct unix_sock **out)
{
	struct unix_sock *u = kzalloc(sizeof(*u));

	if (u == NULL)
		return -ENOMEM;
	sock_init(&u->s, &unix_ops, AF_UNIX, type, 0);
	u->refs = 1;
	TAILQ_INIT(&u->queue);
	TAILQ_INIT(&u->pending);
	TAILQ_INIT(&u->clients);
	mutex_init(&u->receiving);
	mutex_init(&u->binding);
	waitq_init(&u->read_wq);
	waitq_init(&u->write_wq);
	spin_lock(&unix_lock);
	TAILQ_INSERT_TAIL(&unix_all, u, all_link);
	unix_nall++;
	spin_unlock(&unix_lock);
	*out = u;
	return 0;
}

static int
unix_create(int type, int protocol, struct socket **out)
{
	struct unix_sock *u;
	int error;

	if (protocol != 0 && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == SOCK_RAW)
		type = SOCK_DGRAM;
	if (type != SOCK_STREAM && type != SOCK_DGRAM && type != SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	error = unix_alloc(type, &u);
	if (error == 0)
		*out = &u->s;
	return error;
}

/* Each is the other's peer from now on; lock held. */
static void
join_locked(struct unix_sock *a, struct unix_sock *b)
{
	unix_get(a);
	unix_get(b);
	a->peer = b;
	b->peer = a;
}

static int
unix_pair(struct socket *sa, struct socket *sb)
{
	struct unix_sock *a = unix_of(sa), *b = unix_of(sb);

	sock_hooks->who(&a->peer_cred);
	b->peer_cred = a->peer_cred;
	a->has_peer_cred = b->has_peer_cred = true;
	spin_lock(&unix_lock);
	join_locked(a, b);
	a->state = b->state = UNIX_CONNECTED;
	spin_unlock(&unix_lock);
	return 0;
}

/* -------------------------------------------------------------- names -- */

/* What is wrong with an address, or 0; a bare family: *autobind. */
static int
check_address(const struct sock_addr *addr, bool *autobind)
{
	if (addr->len < sizeof(uint16_t) ||
	    addr->len > sizeof(struct sockaddr_un) || addr->family != AF_UNIX)
		return -EINVAL;
	*autobind = addr->len == PATH_OFFSET;
	return 0;
}

static bool
is_abstract(const struct sock_addr *addr)
{
	return addr->bytes[PATH_OFFSET] == '\0';
}

/* The path in an address, ended; room for sun_path and a NUL. */
static void
path_of(const struct sock_addr *addr, char path[UNIX_PATH_MAX + 1])
{
	memcpy(path, addr->bytes + PATH_OFFSET, addr->len - PATH_OFFSET);
	path[addr->len - PATH_OFFSET] = '\0';
}

static struct unix_sock *
find_name_locked(const struct sock_addr *addr, int type)
{
	struct unix_sock *u;

	TAILQ_FOREACH (u, &names, name_link)
		if (u->s.type == type && u->addr->addr.len == addr->len &&
		    memcmp(u->addr->addr.bytes, addr->bytes, addr->len) == 0)
			break;
	return u;
}

static int
bind_abstract(struct unix_sock *u, struct unix_addr *a)
{
	int error = 0;

	spin_lock(&unix_lock);
	if (find_name_locked(&a->addr, u->s.type) != NULL) {
		error = -EADDRINUSE;
	} else {
		u->addr = a;
		u->named = true;
		TAILQ_INSERT_TAIL(&names, u, name_link);
	}
	spin_unlock(&unix_lock);
	return error;
}

static int
bind_path(struct unix_sock *u, struct unix_addr *a, const struct vfs_ctx *vfs)
{
	char path[UNIX_PATH_MAX + 1];
	struct path at;
	int error;

	path_of(&a->addr, path);
	/* As Linux has it, the length tells the path and its end. */
	a->addr.len = (uint32_t)(PATH_OFFSET + strlen(path) + 1);
	error = vfs_mknod_path(vfs, NULL, path, S_IFSOCK | 0777, 0, &at);
	if (error != 0)
		return error == -EEXIST ? -EADDRINUSE : error;
	spin_lock(&unix_lock);
	u->addr = a;
	u->path = at;
	at.dentry->inode->ipc = u;
	spin_unlock(&unix_lock);
	return 0;
}

/* A name that is taken is found before the second binding is. */
static int
bound_twice(const struct unix_addr *a, const struct vfs_ctx *vfs)
{
	char path[UNIX_PATH_MAX + 1];
	struct path at;
	int error;

	path_of(&a->addr, path);
	error = vfs_walk(vfs, NULL, path, 0, &at);
	if (error == 0)
		path_put(&at);
	return error == 0 ? -EADDRINUSE : error == -ENOENT ? -EINVAL : error;
}

static struct unix_addr *
addr_make(const struct sock_addr *addr)
{
	struct unix_addr *a = kmalloc(sizeof(*a));

	if (a != NULL) {
		a->refs = 1;
		a->addr = *addr;
		/* A path's end may stand just behind it. */
		if (a->addr.len < SOCK_ADDR_MAX)
			a->addr.bytes[a->addr.len] = '\0';
	}
	return a;
}

int
unix_autobind(struct unix_sock *u)
{
	struct sock_addr addr = { .len = PATH_OFFSET + 6 };
	struct unix_addr *a;
	unsigned i;
	int error = -EADDRINUSE;

	addr.family = AF_UNIX;
	a = addr_make(&addr);
	if (a == NULL)
		return -ENOMEM;
	mutex_lock(&u->binding);
	if (u->addr != NULL) {
		mutex_unlock(&u->binding);
		kfree(a);
		return 0;
	}
	for (i = 0; i <= 0xfffff && error == -EADDRINUSE; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%05x",
		    __atomic_add_fetch(&last_autobind, 1, __ATOMIC_RELAXED) &
			0xfffff);
		memcpy(a->addr.bytes + PATH_OFFSET + 1, text, 5);
		error = bind_abstract(u, a);
	}
	mutex_unlock(&u->binding);
	if (error != 0)
		kfree(a);
	return error == -EADDRINUSE ? -ENOSPC : error;
}

static int
unix_bind(struct socket *s, const struct sock_addr *addr,
    const struct vfs_ctx *vfs)
{
	struct unix_sock *u = unix_of(s);
	struct unix_addr *a;
	bool autobind;
	int error = check_address(addr, &autobind);

	if (error != 0)
		return error;
	if (autobind)
		return unix_autobind(u);
	a = addr_make(addr);
	if (a == NULL)
		return -ENOMEM;
	mutex_lock(&u->binding);
	if (u->addr != NULL)
		error = is_abstract(addr) ? -EINVAL : bound_twice(a, vfs);
	else if (is_abstract(addr))
		error = bind_abstract(u, a);
	else
		error = bind_path(u, a, vfs);
	mutex_unlock(&u->binding);
	if (error != 0)
		kfree(a);
	return error;
}

static int
find_path(const struct sock_addr *addr, const struct vfs_ctx *vfs,
    struct unix_sock **out)
{
	char path[UNIX_PATH_MAX + 1];
	struct unix_sock *u = NULL;
	struct inode *inode;
	struct path at;
	int error;

	path_of(addr, path);
	error = vfs_walk(vfs, NULL, path, WALK_FOLLOW, &at);
	if (error != 0)
		return error;
	inode = at.dentry->inode;
	error = inode_permission(inode, vfs->cred, MAY_WRITE);
	if (error == 0 && S_ISSOCK(inode->mode)) {
		spin_lock(&unix_lock);
		u = inode->ipc;
		if (u != NULL)
			unix_get(u);
		spin_unlock(&unix_lock);
	}
	path_put(&at);
	if (error == 0 && u == NULL)
		error = -ECONNREFUSED;
	*out = u;
	return error;
}

int
unix_find(const struct sock_addr *addr, int type, const struct vfs_ctx *vfs,
    struct unix_sock **out)
{
	bool bare;
	int error = check_address(addr, &bare);

	if (error != 0 || bare)
		return -EINVAL;
	if (!is_abstract(addr)) {
		error = find_path(addr, vfs, out);
		if (error == 0 && (*out)->s.type != type) {
			unix_put(*out);
			error = -EPROTOTYPE;
		}
		return error;
	}
	spin_lock(&unix_lock);
	*out = find_name_locked(addr, type);
	if (*out != NULL)
		unix_get(*out);
	spin_unlock(&unix_lock);
	return *out != NULL ? 0 : -ECONNREFUSED;
}

static int
unix_name(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct unix_sock *u = unix_of(s);
	int error = 0;

	spin_lock(&unix_lock);
	if (peer)
		u = u->peer;
	if (u == NULL) {
		error = -ENOTCONN;
	} else if (u->addr != NULL) {
		*addr = u->addr->addr;
	} else {
		addr->len = sizeof(uint16_t);
		addr->family = AF_UNIX;
	}
	spin_unlock(&unix_lock);
	return error;
}

/* --------------------------------------------------------- connections -- */

static int
unix_listen(struct socket *s, int backlog)
{
	struct unix_sock *u = unix_of(s);
	struct sock_cred cred;
	int error = 0;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	sock_hooks->who(&cred);
	spin_lock(&unix_lock);
	if (u->addr == NULL || u->state == UNIX_CONNECTED) {
		error = -EINVAL;
	} else {
		u->state = UNIX_LISTENING;
		u->backlog = MIN((unsigned)backlog, SOCK_SOMAXCONN);
		u->peer_cred = u->cred = cred;
		u->has_peer_cred = true;
	}
	spin_unlock(&unix_lock);
	if (error == 0)
		waitq_wake_all(&u->write_wq);
	return error;
}

static bool
is_full(const struct unix_sock *l)
{
	return l->npending > l->backlog;
}

/* May u connect to the listener l now?  1: when there is room. */
static int
may_connect_locked(const struct unix_sock *u, const struct unix_sock *l)
{
	if (u->state == UNIX_LISTENING)
		return -EINVAL;
	if (u->state == UNIX_CONNECTED)
		return -EISCONN;
	if (l->dead || l->state != UNIX_LISTENING ||
	    (l->shutdown & UNIX_SHUT_RD) != 0)
		return -ECONNREFUSED;
	return is_full(l) ? 1 : 0;
}

/* `other` becomes u's other side, and waits to be accepted by l. */
static void
connect_locked(struct unix_sock *u, struct unix_sock *l,
    struct unix_sock *other)
{
	join_locked(u, other);
	u->state = other->state = UNIX_CONNECTED;
	other->peer_cred = u->cred;
	u->peer_cred = l->cred;
	u->has_peer_cred = other->has_peer_cred = true;
	other->addr = l->addr;
	if (other->addr != NULL)
		other->addr->refs++;
	other->s.passcred = l->s.passcred;
	TAILQ_INSERT_TAIL(&l->pending, other, pending_link);
	l->npending++;
}

static int
connect_to(struct unix_sock *u, struct unix_sock *l, struct unix_sock *other,
    bool nonblock)
{
	int64_t deadline = sock_deadline(u->s.sndtimeo_ns);
	int error;

	sock_hooks->who(&u->cred);
	for (;;) {
		spin_lock(&unix_lock);
		error = may_connect_locked(u, l);
		if (error == 0)
			connect_locked(u, l, other);
		spin_unlock(&unix_lock);
		if (error <= 0)
			return error;
		if (nonblock)
			return -EAGAIN;
		error = wait_event_until(&l->write_wq, !is_full(l) || l->dead,
		    deadline);
		if (error != 0)
			return sock_wait_error(error, u->s.sndtimeo_ns);
	}
}

static int
connect_stream(struct unix_sock *u, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct unix_sock *l, *other;
	int error;

	error = unix_find(addr, u->s.type, vfs, &l);
	if (error != 0)
		return error;
	error = unix_alloc(u->s.type, &other);
	if (error == 0) {
		error = connect_to(u, l, other, nonblock);
		if (error != 0)
			unix_put(other);
		else
			waitq_wake_all(&l->read_wq);
	}
	unix_put(l);
	return error;
}

static void
leave_clients_locked(struct unix_sock *u)
{
	if (u->is_client)
		TAILQ_REMOVE(&u->peer->clients, u, client_link);
	u->is_client = false;
}

void
unix_set_peer(struct unix_sock *u, struct unix_sock *peer)
{
	struct unix_sock *old;

	spin_lock(&unix_lock);
	old = u->peer;
	leave_clients_locked(u);
	u->peer = peer;
	if (peer != NULL) {
		TAILQ_INSERT_TAIL(&peer->clients, u, client_link);
		u->is_client = true;
	}
	u->state = peer != NULL ? UNIX_CONNECTED : UNIX_CLOSED;
	spin_unlock(&unix_lock);
	if (old != NULL) {
		waitq_wake_all(&u->write_wq);
		unix_put(old);
	}
}

static int
connect_datagram(struct unix_sock *u, const struct sock_addr *addr,
    const struct vfs_ctx *vfs)
{
	struct unix_sock *peer;
	int error;

	if (addr->len >= sizeof(uint16_t) && addr->family == AF_UNSPEC) {
		unix_set_peer(u, NULL);
		return 0;
	}
	error = unix_find(addr, SOCK_DGRAM, vfs, &peer);
	if (error != 0)
		return error;
	spin_lock(&unix_lock);
	if (peer->peer != NULL && peer->peer != u)
		error = -EPERM;
	spin_unlock(&unix_lock);
	if (error == 0 && u->s.passcred && u->addr == NULL)
		error = unix_autobind(u);
	if (error != 0)
		unix_put(peer);
	else
		unix_set_peer(u, peer);
	return error;
}

static int
unix_connect(struct socket *s, const struct sock_addr *addr, bool nonblock,
    const struct vfs_ctx *vfs)
{
	struct unix_sock *u = unix_of(s);

	if (s->type == SOCK_DGRAM)
		return connect_datagram(u, addr, vfs);
	return connect_stream(u, addr, nonblock, vfs);
}

/* The oldest connection; NULL with -EAGAIN: none yet; or -EINVAL. */
static int
take_pending(struct unix_sock *l, struct unix_sock **out)
{
	struct unix_sock *u = NULL;
	int error = -EAGAIN;

	spin_lock(&unix_lock);
	if (l->state != UNIX_LISTENING || (l->shutdown & UNIX_SHUT_RD) != 0)
		error = -EINVAL;
	else
		u = TAILQ_FIRST(&l->pending);
	if (u != NULL) {
		TAILQ_REMOVE(&l->pending, u, pending_link);
		l->npending--;
		error = 0;
	}
	spin_unlock(&unix_lock);
	*out = u;
	return error;
}

static int
unix_accept(struct socket *s, bool nonblock, struct socket **out)
{
	struct unix_sock *l = unix_of(s), *u;
	int64_t deadline = sock_deadline(s->rcvtimeo_ns);
	int error;

	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	while ((error = take_pending(l, &u)) == -EAGAIN) {
		if (nonblock)
			return -EAGAIN;
		error = wait_event_until(&l->read_wq,
		    l->npending > 0 || (l->shutdown & UNIX_SHUT_RD) != 0,
		    deadline);
		if (error != 0)
			return sock_wait_error(error, s->rcvtimeo_ns);
	}
	if (error != 0)
		return error;
	waitq_wake_all(&l->write_wq);
	*out = &u->s;
	return 0;
}

/* -------------------------------------------------------------- the end -- */

static void
wake_both(struct unix_sock *u)
{
	waitq_wake_all(&u->read_wq);
	waitq_wake_all(&u->write_wq);
}

static int
unix_shutdown(struct socket *s, int how)
{
	struct unix_sock *u = unix_of(s), *peer = NULL;
	unsigned mine = (unsigned)how + 1, theirs;

	theirs = ((mine & UNIX_SHUT_RD) != 0 ? UNIX_SHUT_WR : 0) |
	    ((mine & UNIX_SHUT_WR) != 0 ? UNIX_SHUT_RD : 0);
	spin_lock(&unix_lock);
	u->shutdown |= mine;
	if (s->type != SOCK_DGRAM && u->peer != NULL) {
		peer = u->peer;
		unix_get(peer);
		peer->shutdown |= theirs;
	}
	spin_unlock(&unix_lock);
	wake_both(u);
	if (peer != NULL) {
		wake_both(peer);
		unix_put(peer);
	}
	return 0;
}

/* The other side of a connection learns that this one is gone. */
static void
leave_peer_locked(struct unix_sock *u, struct unix_sock *peer, bool unread)
{
	if (u->s.type == SOCK_DGRAM)
		return;
	peer->shutdown = UNIX_SHUT_RD | UNIX_SHUT_WR;
	if (unread)
		peer->reset = true;
}

/* Takes u's names away; the node's place is handed to the caller. */
static void
unname_locked(struct unix_sock *u, struct path *at)
{
	*at = u->path;
	u->path = (struct path){ NULL, NULL };
	if (at->dentry != NULL && at->dentry->inode->ipc == u)
		at->dentry->inode->ipc = NULL;
	if (u->named)
		TAILQ_REMOVE(&names, u, name_link);
	u->named = false;
}

/* u's file is gone, or it was never accepted (`embryo`). */
static void
unix_close(struct unix_sock *u, bool embryo)
{
	struct unix_bufs bufs = TAILQ_HEAD_INITIALIZER(bufs);
	struct unix_sock *peer, *p;
	struct path at;

	spin_lock(&unix_lock);
	u->dead = true;
	u->shutdown = UNIX_SHUT_RD | UNIX_SHUT_WR;
	unname_locked(u, &at);
	leave_clients_locked(u);
	peer = u->peer;
	u->peer = NULL;
	if (peer != NULL)
		leave_peer_locked(u, peer, embryo || !TAILQ_EMPTY(&u->queue));
	unix_take_queue_locked(u, &bufs);
	spin_unlock(&unix_lock);
	wake_both(u);
	if (peer != NULL) {
		wake_both(peer);
		unix_put(peer);
	}
	for (;;) {
		spin_lock(&unix_lock);
		p = TAILQ_FIRST(&u->pending);
		if (p != NULL) {
			TAILQ_REMOVE(&u->pending, p, pending_link);
			u->npending--;
		}
		spin_unlock(&unix_lock);
		if (p == NULL)
			break;
		unix_close(p, true); /* no deeper: it never listened */
	}
	unix_free_bufs(&bufs);
	path_put(&at);
	unix_put(u);
}

static void
unix_release(struct socket *s)
{
	unix_close(unix_of(s), false);
	unix_collect(NULL);
}

static void
unix_descriptor_closed(struct socket *s, struct file *file)
{
	(void)s;
	unix_collect(file);
}

/* ------------------------------------------------------------- options -- */

static int
unix_take_error(struct socket *s)
{
	struct unix_sock *u = unix_of(s);
	bool reset;

	spin_lock(&unix_lock);
	reset = u->reset;
	u->reset = false;
	spin_unlock(&unix_lock);
	return reset ? ECONNRESET : 0;
}

static bool
unix_is_listening(struct socket *s)
{
	return unix_of(s)->state == UNIX_LISTENING;
}

static int
unix_get_option(struct socket *s, int level, int name, void *value,
    unsigned *len)
{
	struct sock_cred cred = { 0, UINT32_MAX, UINT32_MAX };
	struct unix_sock *u = unix_of(s);

	if (level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if (name != SO_PEERCRED)
		return -ENOPROTOOPT;
	spin_lock(&unix_lock);
	if (u->has_peer_cred)
		cred = u->peer_cred;
	spin_unlock(&unix_lock);
	*len = MIN(*len, (unsigned)sizeof(cred));
	memcpy(value, &cred, *len);
	return 0;
}

static const struct socket_ops unix_ops = {
	.release = unix_release,
	.descriptor_closed = unix_descriptor_closed,
	.bind = unix_bind,
	.listen = unix_listen,
	.accept = unix_accept,
	.connect = unix_connect,
	.name = unix_name,
	.send = unix_send,
	.receive = unix_receive,
	.shutdown = unix_shutdown,
	.poll = unix_poll,
	.get_option = unix_get_option,
	.ioctl = unix_ioctl,
	.take_error = unix_take_error,
	.is_listening = unix_is_listening,
};

const struct sock_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
	.pair = unix_pair,
};
