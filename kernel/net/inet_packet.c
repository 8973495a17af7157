/* SPDX-License-Identifier: ISC */
/*
 * inet_packet.c - AF_PACKET: whole frames of cards, as they come and leave.
 * packet(7).  The loopback has no frames; there are no filters in the kernel
 * and no rings shared with programs, which then do without.
 *
 * A frame is copied once from the card's memory and once to the program.
 * All fields marked [n] are guarded by the network lock.
 */
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include "net/ethif.h"
#include "net/inet.h"
#include "net/stack.h"
#include "abi/netdevice.h"
#include <asm/ioctls.h>
#include <asm/socket.h>
#include <bsd/sys/queue.h>
#include <linux/capability.h>
#include <linux/errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/poll.h>
#include <lwip/netif.h>

#define SOL_PACKET  263
#define MEMBERS_MAX 8u
#define FRAME_MAX   (65536u + NIC_HEAD)

struct frame {
	STAILQ_ENTRY(frame) link;
	struct sockaddr_ll from;
	int64_t when_ns; /* real time */
	uint32_t len;
	uint8_t data[];
};

struct packet_sock {
	struct socket s;
	struct waitq wq;
	struct ethif_tap tap;         /* [n] */
	unsigned if_index;            /* [n] 0: all cards */
	uint16_t protocol;            /* [n] host order; 0: nothing comes */
	STAILQ_HEAD(, frame) queue;   /* [n] */
	uint32_t bytes;               /* [n] of memory queued */
	struct tpacket_stats stats;   /* [n] since they were asked for */
	unsigned member[MEMBERS_MAX]; /* cards that it made promiscuous */
	bool auxdata, ignore_outgoing;
	int error; /* [n] pending, positive */
};

static const struct socket_ops packet_ops;

static struct packet_sock *
packet_of(struct socket *s)
{
	return container_of(s, struct packet_sock, s);
}

/* --------------------------------------------------------------- receiving -- */

static void
copy_runs(uint8_t *to, const struct ethif_frame *f)
{
	unsigned i;

	for (i = 0; i < f->nruns; i++) {
		memcpy(to, paddr_kva(f->run[i].pa), f->run[i].len);
		to += f->run[i].len;
	}
}

static uint8_t
kind_of(const struct netif *nif, const struct frame *f, bool out)
{
	static const uint8_t all[NIC_MAC_LEN] = { 255, 255, 255, 255, 255,
		255 };

	if (out)
		return PACKET_OUTGOING;
	if (memcmp(f->data, all, NIC_MAC_LEN) == 0)
		return PACKET_BROADCAST;
	if ((f->data[0] & 1) != 0)
		return PACKET_MULTICAST;
	return memcmp(f->data, nif->hwaddr, NIC_MAC_LEN) == 0 ?
	    PACKET_HOST :
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

/* A frame passes; lock held. */
static void
on_frame(struct ethif_tap *tap, struct netif *nif, const struct ethif_frame *f)
{
	struct packet_sock *ps = container_of(tap, struct packet_sock, tap);
	uint32_t size = sizeof(struct frame) + f->len;
	struct frame *fr = NULL;

	if (!wants(ps, nif, f))
		return;
	ps->stats.tp_packets++;
	if (ps->bytes + size <= ps->s.rcvbuf)
		fr = kmalloc(size);
	if (fr == NULL) {
		ps->stats.tp_drops++;
		return;
	}
	memset(fr, 0, sizeof(*fr));
	fr->len = f->len;
	fr->when_ns = clock_real_ns();
	copy_runs(fr->data, f);
	fr->from.sll_family = AF_PACKET;
	memcpy(&fr->from.sll_protocol, fr->data + 12, 2);
	fr->from.sll_ifindex = (int)ethif_index(nif);
	fr->from.sll_hatype = ARPHRD_ETHER;
	fr->from.sll_pkttype = kind_of(nif, fr, f->out);
	fr->from.sll_halen = NIC_MAC_LEN;
	memcpy(fr->from.sll_addr, fr->data + NIC_MAC_LEN, NIC_MAC_LEN);
	STAILQ_INSERT_TAIL(&ps->queue, fr, link);
	__atomic_add_fetch(&ps->bytes, size, __ATOMIC_RELEASE);
	waitq_wake_all(&ps->wq);
}

static bool
may_read(const struct packet_sock *ps)
{
	return __atomic_load_n(&ps->bytes, __ATOMIC_ACQUIRE) > 0 ||
	    ps->error != 0;
}

/* The first frame, taken off; with peek a copy of it. */
static int
take_first(struct packet_sock *ps, bool peek, struct frame **out)
{
	struct frame *fr, *copy;
	int error = 0;

	net_lock();
	fr = STAILQ_FIRST(&ps->queue);
	if (fr == NULL) {
		error = ps->error != 0 ? -ps->error : -EAGAIN;
		ps->error = 0;
	} else if (!peek) {
		STAILQ_REMOVE_HEAD(&ps->queue, link);
		__atomic_sub_fetch(&ps->bytes, sizeof(*fr) + fr->len,
		    __ATOMIC_RELEASE);
	} else if ((copy = kmalloc(sizeof(*fr) + fr->len)) != NULL) {
		memcpy(copy, fr, sizeof(*fr) + fr->len);
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
    const struct frame *fr, uint32_t skip)
{
	struct tpacket_auxdata aux = { .tp_status = TP_STATUS_USER,
		.tp_len = fr->len - skip,
		.tp_snaplen = fr->len - skip,
		.tp_net = (uint16_t)(NIC_HEAD - skip) };
	int64_t tv[2] = { fr->when_ns / NSEC_PER_SEC,
		fr->when_ns % NSEC_PER_SEC / 1000 };

	if (ps->s.flag_timestamp)
		sock_put_cmsg(m, SOL_SOCKET, SO_TIMESTAMP_OLD, tv, sizeof(tv));
	if (ps->auxdata)
		sock_put_cmsg(m, SOL_PACKET, PACKET_AUXDATA, &aux, sizeof(aux));
}

static long
give(struct packet_sock *ps, struct sock_msg *m, const struct frame *fr)
{
	uint32_t skip = ps->s.type == SOCK_DGRAM ? NIC_HEAD : 0;
	size_t len = fr->len - skip, n = MIN(len, m->u->resid);

	if (uio_put(m->u, fr->data + skip, n) < n)
		return -EFAULT;
	if (m->name != NULL) {
		m->name->len = sizeof(fr->from);
		memcpy(m->name->bytes, &fr->from, sizeof(fr->from));
	}
	put_extras(ps, m, fr, skip);
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
	struct frame *fr;
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
	struct frame *fr;
	unsigned i;

	net_lock();
	ethif_tap_remove(&ps->tap);
	net_unlock();
	for (i = 0; i < MEMBERS_MAX; i++)
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
	if (nif != NULL && ethif_nic(nif) != NULL) {
		ll.sll_hatype = ARPHRD_ETHER;
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
	if (req.mr_type != PACKET_MR_PROMISC)
		return 0; /* group addresses come in any case */
	if (!add)
		want = (unsigned)req.mr_ifindex;
	for (i = 0; i < MEMBERS_MAX && ps->member[i] != want; i++)
		;
	if (i == MEMBERS_MAX)
		return add ? -ENOBUFS : -EADDRNOTAVAIL;
	error = ethif_set_promisc((unsigned)req.mr_ifindex, add);
	if (error == 0 || !add)
		ps->member[i] = add ? (unsigned)req.mr_ifindex : 0;
	return error;
}

static int
set_option(struct socket *s, int level, int name_, const void *value,
    unsigned len)
{
	struct packet_sock *ps = packet_of(s);
	int n = 0;

	if (level != SOL_PACKET)
		return -ENOPROTOOPT;
	memcpy(&n, value, MIN(len, (unsigned)sizeof(n)));
	switch (name_) {
	case PACKET_ADD_MEMBERSHIP:
	case PACKET_DROP_MEMBERSHIP:
		return membership(ps, value, len,
		    name_ == PACKET_ADD_MEMBERSHIP);
	case PACKET_AUXDATA: ps->auxdata = n != 0; return 0;
	case PACKET_IGNORE_OUTGOING: ps->ignore_outgoing = n != 0; return 0;
	default: return -ENOPROTOOPT;
	}
}

static int
get_option(struct socket *s, int level, int name_, void *value, unsigned *len)
{
	struct packet_sock *ps = packet_of(s);

	if (level != SOL_PACKET || name_ != PACKET_STATISTICS)
		return -ENOPROTOOPT;
	*len = MIN(*len, (unsigned)sizeof(ps->stats));
	net_lock();
	memcpy(value, &ps->stats, *len);
	memset(&ps->stats, 0, sizeof(ps->stats));
	net_unlock();
	return 0;
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
	struct frame *fr;
	int n = 0;

	if (cmd != FIONREAD)
		return net_ioctl(cmd, arg);
	net_lock();
	fr = STAILQ_FIRST(&ps->queue);
	if (fr != NULL)
		n = (int)(fr->len - (s->type == SOCK_DGRAM ? NIC_HEAD : 0));
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
	.take_error = take_error,
};

const struct sock_family packet_family = { .family = AF_PACKET,
	.create = create };
