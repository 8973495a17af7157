/* SPDX-License-Identifier: ISC */
/*
 * inet_packet.c - AF_PACKET: whole frames, as they come and leave.  packet(7).
 *
 * A frame is copied once from the card's memory, and once to the program
 * unless they share a ring (inet_packet_ring.c).
 * All fields marked [n] are guarded by the network lock.
 */
#include "net/inet_packet.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "net/bpf.h"
#include "net/inet.h"
#include "net/sock_option.h"
#include "net/stack.h"
#include "abi/netdevice.h"
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/poll.h>
#include <lwip/netif.h>

#define SOL_PACKET 263
#define FRAME_MAX  (65536u + NIC_HEAD)

static const struct socket_ops packet_ops;

static struct packet_sock *
packet_of(struct socket *s)
{
	return container_of(s, struct packet_sock, s);
}

/* --------------------------------------------------------------- receiving -- */

/* The frame's bytes [off, off + len); false: they are not all there. */
static bool
copy_runs(const struct ethif_frame *f, uint32_t off, void *to, uint32_t len)
{
	uint8_t *at = to;
	unsigned i;
	uint32_t n;

	for (i = 0; i < f->nruns && len > 0; i++) {
		n = (uint32_t)f->run[i].len;
		if (off >= n) {
			off -= n;
			continue;
		}
		n = MIN(n - off, len);
		memcpy(at, (uint8_t *)paddr_kva(f->run[i].pa) + off, n);
		at += n;
		len -= n;
		off = 0;
	}
	return len == 0;
}

static uint8_t
kind_of(const struct netif *nif, const uint8_t *head, bool out)
{
	static const uint8_t all[NIC_MAC_LEN] = { 255, 255, 255, 255, 255,
		255 };

	if (out)
		return PACKET_OUTGOING;
	if (memcmp(head, all, NIC_MAC_LEN) == 0)
		return PACKET_BROADCAST;
	if ((head[0] & 1) != 0)
		return PACKET_MULTICAST;
	return memcmp(head, nif->hwaddr, NIC_MAC_LEN) == 0 ? PACKET_HOST :
							     PACKET_OTHERHOST;
}

static bool
wants(const struct packet_sock *ps, const struct netif *nif,
    const struct ethif_frame *f)
{
	const uint8_t *head = paddr_kva(f->run[0].pa);
	uint16_t type;

	if (ps->protocol == 0 || f->run[0].len < NIC_HEAD ||
	    f->len > FRAME_MAX || (f->out && ps->ignore_outgoing))
		return false;
	if (ps->if_index != 0 && ps->if_index != ethif_index(nif))
		return false;
	type = (uint16_t)(head[12] << 8 | head[13]);
	/* What leaves is shown only to those who want everything. */
	return ps->protocol == ETH_P_ALL || (!f->out && ps->protocol == type);
}

static uint32_t
random_word(void)
{
	uint32_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

static bool
read_for_filter(const void *arg, uint32_t off, void *to, unsigned n)
{
	return copy_runs(arg, off, to, n);
}

/* How many bytes the filter wants. */
static uint32_t
filter(const struct packet_sock *ps, const struct ethif_frame *f,
    const struct packet_note *n)
{
	struct bpf_packet p = { .read = read_for_filter,
		.arg = f,
		.begin = n->skip,
		.net = NIC_HEAD,
		.len = n->len,
		.protocol = __builtin_bswap16(n->from.sll_protocol),
		.type = n->from.sll_pkttype,
		.if_index = (uint32_t)n->from.sll_ifindex,
		.hatype = n->from.sll_hatype,
		.cpu = cpu_id(),
		.random = random_word };

	return ps->filter == NULL ? n->len :
				    MIN(bpf_run(ps->filter, &p), n->len);
}

/* A frame for recvmsg(2). */
static void
enqueue(struct packet_sock *ps, const struct ethif_frame *f,
    const struct packet_note *n)
{
	uint32_t size = sizeof(struct packet_frame) + n->want;
	struct packet_frame *fr = NULL;

	if (ps->bytes + size <= ps->s.rcvbuf)
		fr = kmalloc(size);
	if (fr == NULL || !copy_runs(f, n->skip, fr->data, n->want)) {
		kfree(fr);
		ps->stats.tp_drops++;
		ps->s.drops++;
		return;
	}
	fr->from = n->from;
	fr->when_ns = n->when_ns;
	fr->len = n->len;
	fr->kept = n->want;
	STAILQ_INSERT_TAIL(&ps->queue, fr, link);
	__atomic_add_fetch(&ps->bytes, size, __ATOMIC_RELEASE);
	waitq_wake_all(&ps->wq);
}

/* A frame passes; lock held. */
static void
on_frame(struct ethif_tap *tap, struct netif *nif, const struct ethif_frame *f)
{
	struct packet_sock *ps = container_of(tap, struct packet_sock, tap);
	const uint8_t *head = paddr_kva(f->run[0].pa);
	struct packet_note n = { 0 };

	if (!wants(ps, nif, f))
		return;
	n.skip = ps->s.type == SOCK_DGRAM ? NIC_HEAD : 0;
	n.len = f->len - n.skip;
	n.from.sll_family = AF_PACKET;
	memcpy(&n.from.sll_protocol, head + 12, 2);
	n.from.sll_ifindex = (int)ethif_index(nif);
	n.from.sll_hatype = ethif_nic(nif) == NULL ? ARPHRD_LOOPBACK :
						     ARPHRD_ETHER;
	n.from.sll_pkttype = kind_of(nif, head, f->out);
	n.from.sll_halen = NIC_MAC_LEN;
	memcpy(n.from.sll_addr, head + NIC_MAC_LEN, NIC_MAC_LEN);
	n.want = filter(ps, f, &n);
	if (n.want == 0)
		return;
	n.when_ns = clock_real_ns();
	ps->stats.tp_packets++;
	if (ps->ring != NULL)
		packet_ring_frame(ps->ring, f, &n);
	else
		enqueue(ps, f, &n);
}

static bool
may_read(const struct packet_sock *ps)
{
	const struct packet_ring *ring;

	if (__atomic_load_n(&ps->bytes, __ATOMIC_ACQUIRE) > 0 || ps->error != 0)
		return true;
	ring = __atomic_load_n(&ps->ring, __ATOMIC_ACQUIRE);
	return ring != NULL && packet_ring_readable(ring);
}

/* The first frame, taken off; with peek a copy of it. */
static int
take_first(struct packet_sock *ps, bool peek, struct packet_frame **out)
{
	struct packet_frame *fr, *copy;
	int error = 0;

	net_lock();
	fr = STAILQ_FIRST(&ps->queue);
	if (fr == NULL) {
		error = ps->error != 0 ? -ps->error : -EAGAIN;
		ps->error = 0;
	} else if (!peek) {
		STAILQ_REMOVE_HEAD(&ps->queue, link);
		__atomic_sub_fetch(&ps->bytes, sizeof(*fr) + fr->kept,
		    __ATOMIC_RELEASE);
	} else if ((copy = kmalloc(sizeof(*fr) + fr->kept)) != NULL) {
		memcpy(copy, fr, sizeof(*fr) + fr->kept);
		fr = copy;
	} else {
		error = -ENOMEM;
	}
	net_unlock();
	*out = error == 0 ? fr : NULL;
	return error;
}

static void
put_extras(const struct packet_sock *ps, struct sock_msg *m,
    const struct packet_frame *fr)
{
	struct tpacket_auxdata aux = { .tp_status = TP_STATUS_USER,
		.tp_len = fr->len,
		.tp_snaplen = fr->kept,
		.tp_net = ps->s.type == SOCK_DGRAM ? 0 : NIC_HEAD };

	if (sock_wants_stamp(&ps->s))
		sock_put_stamp(&ps->s, m, fr->when_ns);
	sock_put_drops(&ps->s, m);
	if (ps->auxdata)
		sock_put_cmsg(m, SOL_PACKET, PACKET_AUXDATA, &aux, sizeof(aux));
}

static long
give(struct packet_sock *ps, struct sock_msg *m, const struct packet_frame *fr)
{
	size_t len = fr->kept, n = MIN(len, m->u->resid);

	if (uio_put(m->u, fr->data, n) < n)
		return -EFAULT;
	if (m->name != NULL) {
		m->name->len = sizeof(fr->from);
		memcpy(m->name->bytes, &fr->from, sizeof(fr->from));
	}
	put_extras(ps, m, fr);
	if (n == len)
		return (long)len;
	m->answer |= MSG_TRUNC;
	return (m->flags & MSG_TRUNC) != 0 ? (long)len : (long)n;
}

static long
receive(struct socket *s, struct sock_msg *m)
{
	struct packet_sock *ps = packet_of(s);
	int64_t deadline = sock_deadline(s->rcvtimeo_ns);
	struct packet_frame *fr;
	int error;
	long n;

	while ((error = take_first(ps, (m->flags & MSG_PEEK) != 0, &fr)) ==
	    -EAGAIN) {
		if ((m->flags & MSG_DONTWAIT) != 0)
			return -EAGAIN;
		error = wait_event_until(&ps->wq, may_read(ps), deadline);
		if (error != 0)
			return sock_wait_error(error, s->rcvtimeo_ns);
	}
	if (error != 0)
		return error;
	n = give(ps, m, fr);
	kfree(fr);
	return n;
}

/* ----------------------------------------------------------------- sending -- */

/* To which card, and, for SOCK_DGRAM, to whom and of which type. */
static int
find_target(const struct packet_sock *ps, const struct sock_msg *m,
    struct sockaddr_ll *to)
{
	memset(to, 0, sizeof(*to));
	to->sll_ifindex = (int)ps->if_index;
	to->sll_protocol = __builtin_bswap16(ps->protocol);
	if (m->name == NULL)
		return ps->if_index == 0     ? -ENXIO :
		    ps->s.type == SOCK_DGRAM ? -EDESTADDRREQ :
					       0;
	if (m->name->len < offsetof(struct sockaddr_ll, sll_addr))
		return -EINVAL;
	memcpy(to, m->name->bytes, MIN(m->name->len, (uint32_t)sizeof(*to)));
	return 0;
}

static int
transmit(const struct packet_sock *ps, const struct sockaddr_ll *to,
    uint8_t *frame, uint32_t len)
{
	struct netif *nif;
	int error;

	net_lock();
	nif = ethif_by_index((unsigned)to->sll_ifindex);
	if (nif == NULL) {
		error = -ENXIO;
	} else {
		if (ps->s.type == SOCK_DGRAM) {
			memcpy(frame, to->sll_addr, NIC_MAC_LEN);
			memcpy(frame + NIC_MAC_LEN, nif->hwaddr, NIC_MAC_LEN);
			memcpy(frame + 12, &to->sll_protocol, 2);
		}
		error = ethif_send_frame(nif, frame, len);
	}
	net_unlock();
	return error;
}

static long
send(struct socket *s, struct sock_msg *m)
{
	struct packet_sock *ps = packet_of(s);
	uint32_t skip = s->type == SOCK_DGRAM ? NIC_HEAD : 0;
	size_t len = m->u->resid;
	struct sockaddr_ll to;
	uint8_t *frame;
	int error = find_target(ps, m, &to);

	if (error != 0)
		return error;
	if (len + skip > FRAME_MAX)
		return -EMSGSIZE;
	frame = kmalloc(len + NIC_HEAD);
	if (frame == NULL)
		return -ENOBUFS;
	if (uio_get(m->u, frame + skip, len) < len)
		error = -EFAULT;
	else
		error = transmit(ps, &to, frame, (uint32_t)(len + skip));
	kfree(frame);
	return error != 0 ? error : (long)len;
}

/* ------------------------------------------------------- life, names, options -- */

static int
create(int type, int protocol, struct socket **out)
{
	struct packet_sock *ps;
	int error;

	if (type != SOCK_RAW && type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (!sock_hooks->capable(CAP_NET_RAW))
		return -EPERM;
	error = net_up();
	if (error != 0)
		return error;
	ps = kzalloc(sizeof(*ps));
	if (ps == NULL)
		return -ENOMEM;
	sock_init(&ps->s, &packet_ops, AF_PACKET, type, protocol);
	ps->protocol = __builtin_bswap16((uint16_t)protocol);
	ps->tap.frame = on_frame;
	waitq_init(&ps->wq);
	STAILQ_INIT(&ps->queue);
	net_lock();
	ethif_tap_add(&ps->tap);
	net_unlock();
	*out = &ps->s;
	return 0;
}

static void
release(struct socket *s)
{
	struct packet_sock *ps = packet_of(s);
	struct packet_frame *fr;
	unsigned i;

	net_lock();
	ethif_tap_remove(&ps->tap);
	if (ps->ring != NULL)
		packet_ring_leave(ps->ring);
	net_unlock();
	packet_ring_put(ps->ring);
	kfree(ps->filter);
	for (i = 0; i < PACKET_MEMBERS; i++)
		if (ps->member[i] != 0)
			(void)ethif_set_promisc(ps->member[i], false);
	while ((fr = STAILQ_FIRST(&ps->queue)) != NULL) {
		STAILQ_REMOVE_HEAD(&ps->queue, link);
		kfree(fr);
	}
	kfree(ps);
}

static int
bind(struct socket *s, const struct sock_addr *addr, const struct vfs_ctx *vfs)
{
	struct packet_sock *ps = packet_of(s);
	struct sockaddr_ll ll;
	int error = 0;

	(void)vfs;
	if (addr->len < sizeof(ll))
		return -EINVAL;
	memcpy(&ll, addr->bytes, sizeof(ll));
	if (ll.sll_family != AF_PACKET)
		return -EINVAL;
	net_lock();
	if (ll.sll_ifindex != 0 &&
	    ethif_by_index((unsigned)ll.sll_ifindex) == NULL) {
		error = -ENODEV;
	} else {
		ps->if_index = (unsigned)ll.sll_ifindex;
		if (ll.sll_protocol != 0)
			ps->protocol = __builtin_bswap16(ll.sll_protocol);
	}
	net_unlock();
	return error;
}

static int
name(struct socket *s, bool peer, struct sock_addr *addr)
{
	struct packet_sock *ps = packet_of(s);
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct netif *nif;

	if (peer)
		return -EOPNOTSUPP;
	net_lock();
	ll.sll_protocol = __builtin_bswap16(ps->protocol);
	ll.sll_ifindex = (int)ps->if_index;
	nif = ethif_by_index(ps->if_index);
	if (nif != NULL) {
		ll.sll_hatype = ethif_nic(nif) == NULL ? ARPHRD_LOOPBACK :
							 ARPHRD_ETHER;
		ll.sll_halen = NIC_MAC_LEN;
		memcpy(ll.sll_addr, nif->hwaddr, NIC_MAC_LEN);
	}
	net_unlock();
	addr->len = sizeof(ll);
	memcpy(addr->bytes, &ll, sizeof(ll));
	return 0;
}

static int
membership(struct packet_sock *ps, const void *value, unsigned len, bool add)
{
	struct packet_mreq req;
	unsigned i, want = add ? 0 : UINT32_MAX;
	int error;

	if (len < sizeof(req))
		return -EINVAL;
	memcpy(&req, value, sizeof(req));
	if (req.mr_type != PACKET_MR_PROMISC || req.mr_ifindex == ETHIF_LO)
		return 0; /* group addresses come in any case */
	if (!add)
		want = (unsigned)req.mr_ifindex;
	for (i = 0; i < PACKET_MEMBERS && ps->member[i] != want; i++)
		;
	if (i == PACKET_MEMBERS)
		return add ? -ENOBUFS : -EADDRNOTAVAIL;
	error = ethif_set_promisc((unsigned)req.mr_ifindex, add);
	if (error == 0 || !add)
		ps->member[i] = add ? (unsigned)req.mr_ifindex : 0;
	return error;
}

/* SO_ATTACH_FILTER; the old filter goes. */
static int
attach_filter(struct packet_sock *ps, const void *value, unsigned len)
{
	struct sock_filter *insn, *old = NULL;
	struct sock_fprog prog;
	int error;

	if (len != sizeof(prog))
		return -EINVAL;
	memcpy(&prog, value, sizeof(prog));
	if (prog.filter == NULL || prog.len == 0 || prog.len > BPF_MAXINSNS)
		return -EINVAL;
	insn = kmalloc(prog.len * sizeof(*insn));
	if (insn == NULL)
		return -ENOMEM;
	error = copyin(insn, (uint64_t)prog.filter, prog.len * sizeof(*insn));
	if (error == 0)
		error = bpf_check(insn, prog.len);
	net_lock();
	if (error == 0 && ps->filter_locked)
		error = -EPERM;
	if (error == 0) {
		old = ps->filter;
		ps->filter = insn;
	}
	net_unlock();
	kfree(error == 0 ? old : insn);
	return error;
}

static int
detach_filter(struct packet_sock *ps)
{
	struct sock_filter *old = NULL;
	int error = 0;

	net_lock();
	if (ps->filter_locked) {
		error = -EPERM;
	} else {
		old = ps->filter;
		ps->filter = NULL;
		error = old == NULL ? -ENOENT : 0;
	}
	net_unlock();
	kfree(old);
	return error;
}

static int
lock_filter(struct packet_sock *ps, bool on)
{
	int error = 0;

	net_lock();
	if (ps->filter_locked && !on)
		error = -EPERM;
	else
		ps->filter_locked = on;
	net_unlock();
	return error;
}

static int
set_ring(struct packet_sock *ps, const void *value, unsigned len)
{
	struct packet_ring *ring, *old = NULL;
	struct tpacket_req3 req = { 0 };
	int error;

	if (len < (ps->version == TPACKET_V3 ? sizeof(req) :
					       sizeof(struct tpacket_req)))
		return -EINVAL;
	memcpy(&req, value, MIN(len, (unsigned)sizeof(req)));
	if (ps->version != TPACKET_V3)
		req.tp_retire_blk_tov = req.tp_sizeof_priv = 0;
	error = packet_ring_create(ps, &req, &ring);
	if (error != 0)
		return error;
	net_lock();
	if (ps->ring != NULL &&
	    (ring != NULL || packet_ring_is_mapped(ps->ring))) {
		error = -EBUSY;
		old = ring;
	} else {
		old = ps->ring;
		__atomic_store_n(&ps->ring, ring, __ATOMIC_RELEASE);
	}
	if (old != NULL)
		packet_ring_leave(old);
	net_unlock();
	packet_ring_put(old);
	return error;
}

/* What a ring will be like: not while there is one. */
static int
set_ring_kind(struct packet_sock *ps, int name_, int n)
{
	int error = 0;

	net_lock();
	if (ps->ring != NULL)
		error = -EBUSY;
	else if (name_ == PACKET_VERSION && packet_ring_header(n) != 0)
		ps->version = n;
	else if (name_ == PACKET_RESERVE && n >= 0 && n <= UINT16_MAX)
		ps->reserve = (uint32_t)n;
	else
		error = -EINVAL;
	net_unlock();
	return error;
}

static int
set_common(struct packet_sock *ps, int name_, const void *value, unsigned len)
{
	int n = 0;

	memcpy(&n, value, MIN(len, (unsigned)sizeof(n)));
	switch (name_) {
	case SO_ATTACH_FILTER: return attach_filter(ps, value, len);
	case SO_DETACH_FILTER: return detach_filter(ps);
	case SO_LOCK_FILTER: return lock_filter(ps, n != 0);
	default: return -ENOPROTOOPT;
	}
}

static int
set_option(struct socket *s, int level, int name_, const void *value,
    unsigned len)
{
	struct packet_sock *ps = packet_of(s);
	int n = 0;

	if (level == SOL_SOCKET)
		return set_common(ps, name_, value, len);
	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	memcpy(&n, value, MIN(len, (unsigned)sizeof(n)));
	switch (name_) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		return membership(ps, value, len,
		    name_ == PACKET_ADD_MEMBERSHIP);
	case PACKET_RX_RING: return set_ring(ps, value, len);
	case PACKET_VERSION:
	case PACKET_RESERVE: return set_ring_kind(ps, name_, n);
	case PACKET_AUXDATA: ps->auxdata = n != 0; return 0;
	case PACKET_IGNORE_OUTGOING: ps->ignore_outgoing = n != 0; return 0;
	default: return -ENOPROTOOPT;
	}
}

/* PACKET_STATISTICS: asking begins anew. */
static int
get_statistics(struct packet_sock *ps, void *value, unsigned *len)
{
	net_lock();
	*len = MIN(*len,
	    (unsigned)(ps->version == TPACKET_V3 ?
		    sizeof(ps->stats) :
		    sizeof(struct tpacket_stats)));
	memcpy(value, &ps->stats, *len);
	memset(&ps->stats, 0, sizeof(ps->stats));
	net_unlock();
	return 0;
}

static int
get_option(struct socket *s, int level, int name_, void *value, unsigned *len)
{
	struct packet_sock *ps = packet_of(s);
	int n = 0;

	if (level == SOL_PACKET && name_ == PACKET_STATISTICS)
		return get_statistics(ps, value, len);
	if (level == SOL_SOCKET && name_ == SO_LOCK_FILTER) {
		n = ps->filter_locked;
	} else if (level != SOL_PACKET) {
		return -ENOPROTOOPT;
	} else if (name_ == PACKET_HDRLEN) {
		memcpy(&n, value, MIN(*len, (unsigned)sizeof(n)));
		n = (int)packet_ring_header(n);
		if (n == 0)
			return -EINVAL;
	} else {
		switch (name_) {
		case PACKET_VERSION: n = ps->version; break;
		case PACKET_RESERVE: n = (int)ps->reserve; break;
		case PACKET_AUXDATA: n = ps->auxdata; break;
		case PACKET_IGNORE_OUTGOING: n = ps->ignore_outgoing; break;
		default: return -ENOPROTOOPT;
		}
	}
	*len = MIN(*len, (unsigned)sizeof(n));
	memcpy(value, &n, *len);
	return 0;
}

static int
map(struct socket *s, uint64_t size, uint64_t *offset,
    struct vm_object **object)
{
	struct packet_sock *ps = packet_of(s);
	int error;

	net_lock();
	error = ps->ring == NULL ?
	    -EINVAL :
	    packet_ring_mmap(ps->ring, size, *offset, object);
	net_unlock();
	return error;
}

static unsigned
poll(struct socket *s, struct poll_table *table)
{
	struct packet_sock *ps = packet_of(s);

	poll_wait(table, &ps->wq);
	return POLLOUT | POLLWRNORM | (may_read(ps) ? POLLIN | POLLRDNORM : 0);
}

static long
ioctl(struct socket *s, unsigned cmd, uint64_t arg)
{
	struct packet_sock *ps = packet_of(s);
	struct packet_frame *fr;
	int n = 0;

	if (cmd != FIONREAD)
		return cmd >> 8 == 0x89 ? net_ioctl(cmd, arg) : -ENOTTY;
	net_lock();
	fr = STAILQ_FIRST(&ps->queue);
	if (fr != NULL)
		n = (int)fr->kept;
	net_unlock();
	return copyout(arg, &n, sizeof(n));
}

static int
take_error(struct socket *s)
{
	return __atomic_exchange_n(&packet_of(s)->error, 0, __ATOMIC_ACQ_REL);
}

static const struct socket_ops packet_ops = {
	.release = release,
	.bind = bind,
	.name = name,
	.send = send,
	.receive = receive,
	.poll = poll,
	.set_option = set_option,
	.get_option = get_option,
	.ioctl = ioctl,
	.mmap = map,
	.take_error = take_error,
};

const struct sock_family packet_family = { .family = AF_PACKET,
	.create = create };
