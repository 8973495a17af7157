/* SPDX-License-Identifier: ISC */
/*
 * stack_fuzz.c - lwIP, with the options and hooks of this kernel, and a peer
 * and a program that do anything: frames as they come, segments whose numbers
 * are near those of a connection, answers of DHCP, neighbours, fragments;
 * connections made, accepted, written, shut, closed, aborted, and time that
 * passes.  None of lwIP's assertions may fail, no byte outside be touched, and
 * in the end all memory must have come back.
 */
/* unit: lwip kernel/net/lwip/pcbs.c kernel/net/lwip/segment.c kernel/net/lwip/udps.c kernel/net/lwip/timers.c kernel/net/lwip/rexmit.c kernel/net/lwip/recovery.c kernel/net/lwip/counters.c kernel/net/inet_guard.c kernel/net/inet_window.c kernel/net/inet_urgent.c kernel/net/inet_report.c kernel/net/inet_udplite.c kernel/net/inet_error.c kernel/net/inet_pmtu.c kernel/net/inet_icmp.c kernel/net/inet_route6.c kernel/net/inet_addr6.c */
/* First: hooks.h has a macro of the name of a function there. */
#include <lwip/netif.h>
#include "net/inet.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "net/ethif.h"
#include "net/inet_addr6.h"
#include "net/inet_error.h"
#include "net/inet_pmtu.h"
#include "net/inet_route.h"
#include "net/inet_route6.h"
#include "net/stack.h"
#include "net/lwip/stack_fuzz.h"
#include "tests/host/inet_sum.h"
#include <lwip/dhcp.h>
#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/igmp.h>
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/mld6.h>
#include <lwip/nd6.h>
#include <lwip/pbuf.h>
#include <lwip/priv/nd6_priv.h>
#include <lwip/prot/dhcp.h>
#include <lwip/udp.h>
#include <netif/ethernet.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CONNS 6u
#define HELD  8u
#define PORT  80u

struct input {
	const uint8_t *at, *end;
};

struct conn {
	struct inet_sock is; /* first; its bytes and their urgent one */
	struct tcp_pcb *pcb; /* NULL: the place is free */
	struct pbuf *rx;     /* what was received and not read yet */
};

static struct netif card;
static struct conn conns[CONNS];
static struct inet_sock listener; /* whose backlog the guard looks at */
static struct tcp_pcb *listens;
static struct udp_pcb *udp;
static struct pbuf *held[HELD]; /* as a card holds what it has not sent */
static unsigned nheld;
static u32_t now_ms;
static long allocated;
static char page[70000];

unsigned lwip_tcp_window = 256 * 1024;
const struct sock_hooks *sock_hooks;
struct inet_socks inet_all = TAILQ_HEAD_INITIALIZER(inet_all);

/* ------------------------------------------------- in place of the kernel's -- */

void *
mem_malloc(mem_size_t size)
{
	allocated++;
	return malloc(size);
}

void
mem_free(void *p)
{
	allocated--;
	free(p);
}

void *
mem_trim(void *p, mem_size_t size)
{
	(void)size;
	return p;
}

u64_t
lwip_port_us(void)
{
	return (u64_t)now_ms * 1000;
}

u32_t
sys_now(void)
{
	return now_ms;
}

uint32_t
lwip_port_random(void)
{
	static uint32_t v;

	return v += 0x9e3779b1u;
}

void
lwip_port_assert(const char *what, const char *file, int line)
{
	fprintf(stderr, "lwIP: %s (%s:%d)\n", what, file, line);
	abort();
}

u16_t
lwip_port_checksum(const void *data, int len)
{
	return host_inet_sum(data, (size_t)len);
}

u32_t
lwip_hook_tcp_isn(const ip_addr_t *local_ip, u16_t local_port,
    const ip_addr_t *remote_ip, u16_t remote_port)
{
	(void)local_ip;
	(void)remote_ip;
	return 0xfffff000u + local_port + remote_port; /* wraps soon */
}

struct netif *
lwip_hook_ip4_route(const ip4_addr_t *src, const ip4_addr_t *dest)
{
	(void)src;
	(void)dest;
	return NULL;
}

/* Nobody looks on. */
err_t
lwip_hook_loop_output(struct netif *nif, struct pbuf *p)
{
	return (netif_loop_output)(nif, p); /* lwIP's, no macro */
}

err_t
lwip_hook_tcp_output(struct pbuf *p, const ip_addr_t *src, const ip_addr_t *dst,
    u8_t ttl, u8_t tos, struct netif *nif)
{
	if (!IP_IS_V6(dst))
		return inet_pmtu_output_tcp(p, ip_2_ip4(src), ip_2_ip4(dst),
		    ttl, tos, nif);
	return ip_output_if(p, src, dst, ttl, tos, IP_PROTO_TCP, nif);
}

/* As if some were put together to one packet. */
bool
ethif_tcp_follows(const struct tcp_pcb *pcb, const struct pbuf *p)
{
	const struct tcp_hdr *h = p->payload;

	if (lwip_ntohl(h->seqno) != pcb->snd_nxt || p->tot_len <= p->len)
		abort();
	return pcb->snd_nxt % 5 != 0;
}

const ip4_addr_t *
lwip_hook_ip4_gateway(struct netif *netif, const ip4_addr_t *dest)
{
	(void)netif;
	(void)dest;
	return NULL;
}

void
lwip_hook_dhcp_option(struct netif *netif, u8_t type, u8_t option, u8_t len,
    struct pbuf *p, u16_t offset)
{
	uint8_t copy[256];

	(void)netif;
	(void)type;
	(void)option;
	if (pbuf_copy_partial(p, copy, len, offset) > len)
		abort();
}

struct nic *
ethif_nic(const struct netif *nif)
{
	return nif == &card ? (struct nic *)page : NULL;
}

unsigned
ethif_mtu(const struct netif *nif)
{
	return nif == &card ? nif->mtu : 65536;
}

unsigned
ethif_index(const struct netif *nif)
{
	return netif_get_index(nif);
}

void
ethif_lo_is(struct netif *nif, uint32_t ip)
{
	(void)nif; /* a card; there is no other */
	(void)ip;
}

void
inet_errors_put(struct inet_sock *is, const struct inet_report *r,
    const struct pbuf *icmp, unsigned payload_at)
{
	(void)is;
	(void)r;
	(void)icmp;
	(void)payload_at;
}

struct inet_sock *
inet_reuse_listener(struct inet_sock *lead, const ip_addr_t *ip, uint16_t port)
{
	(void)ip;
	(void)port;
	return lead;
}

void
inet_tcp_detach(struct inet_sock *is)
{
	(void)is;
}

void
inet_tcp_drop(struct inet_sock *is)
{
	(void)is;
}

void
waitq_wake_all(struct waitq *wq)
{
	(void)wq;
}

void
net_lock(void)
{
}

void
net_unlock(void)
{
}

size_t
uio_put(struct uio *u, const void *src, size_t len)
{
	u->resid -= len;
	*page = *(const char *)src;
	return len;
}

/* -------------------------------------------------------------------- input -- */

static uint32_t
take(struct input *in, unsigned width)
{
	uint32_t v = 0;

	while (width-- > 0 && in->at < in->end)
		v = v << 8 | *in->at++;
	return v;
}

/* Up to max bytes, as many as the next byte says. */
static unsigned
take_bytes(struct input *in, uint8_t *to, unsigned max)
{
	unsigned n = take(in, 1), left = (unsigned)(in->end - in->at);

	n = n < max ? n : max;
	n = n < left ? n : left;
	memcpy(to, in->at, n);
	in->at += n;
	return n;
}

#include "net/lwip/stack_fake.h"

/* --------------------------------------------------------------------- card -- */

static void
let_go(void)
{
	while (nheld > 0)
		pbuf_free(held[--nheld]);
}

static err_t
output(struct netif *nif, struct pbuf *p)
{
	uint8_t sum = 0;
	struct pbuf *q;
	unsigned i;

	(void)nif;
	for (q = p; q != NULL; q = q->next)
		for (i = 0; i < q->len; i++)
			sum ^= ((const uint8_t *)q->payload)[i];
	page[sizeof(page) - 1] ^= (char)sum; /* all of it is read */
	if (nheld == HELD)
		let_go();
	pbuf_ref(p);
	held[nheld++] = p;
	return ERR_OK;
}

static err_t
set_up(struct netif *nif)
{
	nif->name[0] = 'e';
	nif->name[1] = 't';
	nif->output = etharp_output;
	nif->output_ip6 = ethip6_output;
	nif->linkoutput = output;
	nif->hwaddr_len = 6;
	memcpy(nif->hwaddr, "\x52\x54\0\x12\x34\x56", 6);
	nif->mtu = nif->mtu6 = 1500;
	nif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
	    NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
	nif->ip6_autoconfig_enabled = 1;
	/* Sums would stop nearly all: what has wrong ones is no matter here. */
	nif->chksum_flags = NETIF_CHECKSUM_ENABLE_ALL &
	    ~(NETIF_CHECKSUM_CHECK_IP | NETIF_CHECKSUM_CHECK_UDP |
		NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_ICMP |
		NETIF_CHECKSUM_CHECK_ICMP6);
	return ERR_OK;
}

/* As ethif_rx.c: small ones in one piece, of exactly their length. */
static void
receive(const uint8_t *bytes, unsigned len, unsigned first, unsigned type)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW,
			(u16_t)(first < len ? first : len), PBUF_RAM),
		    *q;

	if (p == NULL || len == 0) {
		if (p != NULL)
			pbuf_free(p);
		return;
	}
	if (first < len) {
		q = pbuf_alloc(PBUF_RAW, (u16_t)(len - first), PBUF_RAM);
		if (q == NULL)
			abort();
		pbuf_cat(p, q);
	}
	(void)pbuf_take(p, bytes, (u16_t)len);
	p->if_idx = netif_get_index(&card);
	switch (type % 3) {
	case 0: (void)ip4_input(p, &card); break;
	case 1: (void)ip6_input(p, &card); break;
	default: etharp_input(p, &card);
	}
}

/* --------------------------------------------------------------- a program -- */

static struct conn *
conn_of(void *arg)
{
	return arg;
}

/* As inet_stream.c: pieces, none of which goes beyond the urgent byte. */
static void
read_all(struct conn *c)
{
	struct inet_sock *is = &c->is;
	bool marked;
	size_t n;

	while (is->rx_bytes > 0) {
		n = inet_urgent_limit(is, 0, is->rx_bytes);
		marked = inet_urgent_at_mark(is, 0);
		if (n > is->rx_bytes ||
		    (n > 1 && !marked && is->urgent.state != INET_URGENT_NONE &&
			is->urgent.at - is->taken < n))
			abort();
		n = n > 0 ? n : 1;
		is->taken += n;
		is->rx_bytes -= (uint32_t)n;
		inet_urgent_passed(is);
	}
	tcp_recved(c->pcb, (u16_t)inet_window_read(is, c->rx->tot_len));
	if (c->pcb->state == ESTABLISHED &&
	    c->pcb->rcv_wnd != inet_window(c->pcb))
		abort(); /* nothing is unread, and nothing offered is lost */
	pbuf_free(c->rx);
	c->rx = NULL;
}

static void
read_urgent(struct conn *c, unsigned flags)
{
	struct uio u = { .resid = flags & 1 };
	struct sock_msg m = { .u = &u,
		.flags = flags & (MSG_PEEK | MSG_TRUNC) };

	if (inet_urgent_receive(&c->is, &m) == 1 &&
	    c->is.urgent.state < INET_URGENT_THERE)
		abort();
	if (inet_urgent_readable(&c->is) > c->is.rx_bytes)
		abort();
}

static err_t
on_receive(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct conn *c = conn_of(arg);

	(void)err;
	if (p == NULL || c == NULL || c->pcb != pcb) {
		if (p != NULL) {
			tcp_recved(pcb, p->tot_len);
			pbuf_free(p);
		}
		return ERR_OK;
	}
	if (c->rx == NULL)
		c->rx = p;
	else
		pbuf_cat(c->rx, p);
	c->is.rx_bytes += p->tot_len;
	if (c->rx->tot_len > 60000)
		read_all(c);
	return ERR_OK;
}

static err_t
on_sent(void *arg, struct tcp_pcb *pcb, u16_t n)
{
	(void)arg;
	(void)pcb;
	(void)n;
	return ERR_OK;
}

static void
forget(struct conn *c)
{
	c->pcb = NULL;
	c->is.tcp = NULL;
	c->is.rx_bytes = 0;
	c->is.s.rcvbuf_set = false;
	c->is.urgent.state = INET_URGENT_NONE;
	if (c->rx != NULL)
		pbuf_free(c->rx);
	c->rx = NULL;
}

static void
on_error(void *arg, err_t err)
{
	(void)err;
	if (arg != NULL)
		forget(arg);
}

static bool
adopt(struct tcp_pcb *pcb)
{
	unsigned i;

	for (i = 0; i < CONNS; i++)
		if (conns[i].pcb == NULL) {
			conns[i].pcb = conns[i].is.tcp = pcb;
			tcp_arg(pcb, &conns[i]);
			tcp_recv(pcb, on_receive);
			tcp_sent(pcb, on_sent);
			tcp_err(pcb, on_error);
			return true;
		}
	return false;
}

static err_t
on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	if (err != ERR_OK || pcb == NULL)
		return ERR_VAL;
	return adopt(pcb) ? ERR_OK : ERR_MEM;
}

static err_t
on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	(void)arg;
	(void)pcb;
	(void)err;
	return ERR_OK;
}

/* As inet_tcp.c lets go: lwIP goes on alone. */
static void
detach(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	tcp_arg(pcb, NULL);
	if (pcb->state != LISTEN) {
		tcp_recv(pcb, NULL);
		tcp_sent(pcb, NULL);
		tcp_err(pcb, NULL);
	}
	forget(c);
}

/* Of connections in TIME_WAIT lwIP frees the block without a word. */
static void
detach_ended(void)
{
	unsigned i;

	for (i = 0; i < CONNS; i++)
		if (conns[i].pcb != NULL && conns[i].pcb->state == TIME_WAIT)
			detach(&conns[i]);
}

static void
connect_somewhere(struct input *in)
{
	bool v6 = take(in, 1) & 1;
	struct tcp_pcb *pcb;
	ip_addr_t to;

	pcb = tcp_new_ip_type(v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
	if (pcb == NULL || !adopt(pcb)) {
		if (pcb != NULL)
			tcp_abort(pcb);
		return;
	}
	(void)ipaddr_aton(v6 ? "fe80::1" : "10.7.0.1", &to);
	if (v6)
		ip6_addr_assign_zone(ip_2_ip6(&to), IP6_UNICAST, &card);
	if (tcp_connect(pcb, &to, (u16_t)(81 + take(in, 1) % 4),
		on_connected) != ERR_OK)
		(void)tcp_close(pcb), on_error(pcb->callback_arg, ERR_ABRT);
}

/* A router says that packets of a connection are too large. */
static void
narrow_path(struct tcp_pcb *pcb, unsigned mtu)
{
	struct inet_report r = { .v6 = IP_IS_V6_VAL(pcb->remote_ip),
		.info = mtu };

	memcpy(r.to, ip_2_ip6(&pcb->remote_ip)->addr, r.v6 ? 16 : 4);
	inet_pmtu_report(&r, pcb);
}

/* SO_RCVBUF of a connection; and now and then of those to come. */
static void
set_buffer(struct inet_sock *is, unsigned n)
{
	is->s.rcvbuf = 2304 + n * 8;
	is->s.rcvbuf_set = true;
	inet_window_fit(is);
	listener.s.rcvbuf = 2304 + n;
	listener.s.rcvbuf_set = n % 4 == 0;
}

static void
act(struct input *in)
{
	struct conn *c = &conns[take(in, 1) % CONNS];
	struct tcp_pcb *pcb = c->pcb;
	unsigned what = take(in, 1) % 10, n = take(in, 2);

	if (pcb == NULL) {
		connect_somewhere(in);
		return;
	}
	switch (what) {
	case 0:
	case 1:
		if (lwip_port_write(pcb, page, n, what != 0) == 0)
			break;
		if ((n & 7) == 1)
			inet_urgent_sent(&c->is);
		else
			(void)tcp_output(pcb);
		break;
	case 2:
		read_urgent(c, n);
		c->is.s.flag_oobinline = (n & 0x10) != 0;
		if (c->rx != NULL)
			read_all(c);
		break;
	case 3: (void)tcp_shutdown(pcb, 0, 1); break;
	case 4:
		detach(c);
		if (tcp_close(pcb) != ERR_OK)
			tcp_abort(pcb);
		break;
	case 5:
		detach(c);
		tcp_abort(pcb);
		break;
	case 6:
		ip_set_option(pcb, SOF_KEEPALIVE);
		pcb->keep_idle = 1000;
		pcb->keep_intvl = 1000;
		set_buffer(&c->is, n);
		break;
	case 7: narrow_path(pcb, n); break;
	case 8: tcp_set_flags(pcb, TF_SACK); break;
	default: (void)tcp_output(pcb);
	}
}

/* ------------------------------------------------------------------- a peer -- */

static const uint8_t own6[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x50, 0x54, 0,
	0xff, 0xfe, 0x12, 0x34, 0x56 };
static const uint8_t peer6[16] = { 0xfe, 0x80, [15] = 1 };

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* A packet of IPv4 or IPv6 around what stands behind room for its header. */
static void
send_ip(uint8_t *b, unsigned len, unsigned proto, bool v6, struct input *in)
{
	unsigned odd = take(in, 1);

	if (v6) {
		memset(b, 0, 8);
		b[0] = 0x60;
		put16(b + 4, len);
		b[6] = (uint8_t)proto;
		b[7] = odd & 1 ? 64 : 255;
		memcpy(b + 8, peer6, 16);
		memcpy(b + 24, own6, 16);
		if (odd & 2)
			memcpy(b + 24, "\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1",
			    16);
		if (odd & 4)
			memset(b + 8, 0, 16);
	} else {
		b += 20; /* the room is IPv6's */
		memset(b, 0, 20);
		b[0] = 0x45;
		put16(b + 2, len + 20);
		b[8] = 64;
		b[9] = (uint8_t)proto;
		memcpy(b + 12, "\x0a\7\0\1\x0a\7\0\2", 8);
		if (odd & 2)
			memset(b + 16, 0xff, 4);
	}
	receive(b, len + (v6 ? 40 : 20), odd & 0x80 ? 64 + (odd & 15) : 70000,
	    v6);
}

/* A number of which most fit, some are near, some are far away. */
static uint32_t
near(uint32_t v, struct input *in)
{
	unsigned how = take(in, 1);

	if (how < 128)
		return v;
	if (how < 160)
		return v + (uint32_t)(int16_t)take(in, 2);
	return how < 240 ? v + (int8_t)take(in, 1) : v + take(in, 4);
}

static struct tcp_pcb *
any_pcb(unsigned n)
{
	struct tcp_pcb *pcb, *lists[2] = { tcp_active_pcbs, tcp_tw_pcbs };
	unsigned i;

	for (i = 0; i < 2; i++)
		for (pcb = lists[i]; pcb != NULL; pcb = pcb->next)
			if (n-- == 0)
				return pcb;
	return NULL;
}

static void
send_segment(struct input *in)
{
	static uint8_t b[40 + 60 + 3000];
	uint8_t *t = b + 40, options[40], any[16] = { 0 };
	unsigned which = take(in, 1), flags = take(in, 1), n, len;
	struct tcp_pcb *pcb = which < 128 ? any_pcb(which % 8) : NULL;
	bool v6 = pcb != NULL ? IP_IS_V6_VAL(pcb->remote_ip) : which & 1;
	uint32_t seq = pcb != NULL ? pcb->rcv_nxt : take(in, 4);
	uint32_t ack = pcb != NULL ? pcb->snd_nxt : take(in, 4);

	memset(t, 0, 20);
	put16(t, pcb != NULL ? pcb->remote_port : 3000 + (which & 7));
	put16(t + 2,
	    pcb != NULL ? pcb->local_port : PORT + (which & 16 ? 5 : 0));
	put32(t + 4, near(seq, in));
	put32(t + 8, near(ack, in));
	t[13] = (uint8_t)flags;
	put16(t + 14, take(in, 2));
	if (pcb != NULL && (which & 32) != 0) {
		if (take_bytes(in, any, sizeof(any)) & 1)
			put32(t + 8, pcb->lastack);
		n = put_sack(options, pcb, any);
	} else {
		n = take_bytes(in, options, 40) & ~3u;
	}
	memcpy(t + 20, options, n);
	t[12] = (uint8_t)((5 + n / 4) << 4);
	len = take(in, 2) % 2900;
	if (which & 64)
		len = 0;
	memset(t + 20 + n, 'x', len);
	send_ip(b, 20 + n + len, IP_PROTO_TCP, v6, in);
}

static void
send_raw(struct input *in)
{
	uint8_t b[300];
	unsigned type = take(in, 1), first = take(in, 1);
	unsigned n = take_bytes(in, b, 255);

	receive(b, n, first & 1 ? first : 70000, type);
}

/* Any protocol with any bytes, in a right header. */
static void
send_payload(struct input *in)
{
	static const uint8_t protos[] = { IP_PROTO_ICMP, IP_PROTO_IGMP,
		IP_PROTO_UDP, IP_PROTO_UDPLITE, IP6_NEXTH_ICMP6,
		IP6_NEXTH_HOPBYHOP, IP6_NEXTH_ROUTING, IP6_NEXTH_FRAGMENT,
		IP6_NEXTH_DESTOPTS, IP_PROTO_TCP, IP6_NEXTH_NONE, 99 };
	uint8_t b[40 + 256];
	unsigned what = take(in, 1);
	unsigned n = take_bytes(in, b + 40, 255);

	send_ip(b, n, protos[what % sizeof(protos)], what & 0x80, in);
}

/* A fragment of either family, of a few packets. */
static void
send_fragment(struct input *in)
{
	static uint8_t b[40 + 8 + 2048];
	unsigned what = take(in, 1), at = take(in, 1) * 8, len = take(in, 2);
	bool v6 = what & 1;
	uint8_t *h = v6 ? b : b + 20, *body = b + 40;

	len %= 2040;
	if (what & 0x40)
		at *= 32;
	memset(b, 0, 48);
	memset(body + 8, 'f', len);
	if (v6) {
		body[0] = what & 2 ? IP_PROTO_UDP : IP6_NEXTH_ICMP6;
		put16(body + 2, (at & 0xfff8) | ((what >> 2) & 1));
		put32(body + 4, what >> 3 & 3);
		send_ip(b, 8 + len, IP6_NEXTH_FRAGMENT, true, in);
		return;
	}
	h[0] = 0x45;
	put16(h + 2, 20 + len);
	put16(h + 4, what >> 3 & 3);
	put16(h + 6, ((at / 8) & 0x1fff) | (what & 4 ? 0x2000 : 0));
	h[8] = 64;
	h[9] = what & 2 ? IP_PROTO_UDP : IP_PROTO_ICMP;
	memcpy(h + 12, "\x0a\7\0\1\x0a\7\0\2", 8);
	receive(h, 20 + len, 70000, 0);
}

/* What a DHCP server says: the right number, any fields, any options. */
static void
send_dhcp(struct input *in)
{
	static uint8_t b[40 + 8 + 240 + 512];
	uint8_t *u = b + 40, *d = u + 8;
	const struct dhcp *state = netif_dhcp_data(&card);
	unsigned n;

	if (state == NULL) {
		(void)dhcp_start(&card);
		return;
	}
	memset(u, 0, sizeof(b) - 40);
	put16(u, 67);
	put16(u + 2, 68);
	d[0] = 2;
	d[1] = 1;
	d[2] = 6;
	put32(d + 4, near(state->xid, in));
	memcpy(d + 16, "\x0a\7\0\2\x0a\7\0\1", 8);
	memcpy(d + 28, card.hwaddr, 6);
	n = take_bytes(in, d + 44, 192);
	memcpy(d + 236, "\x63\x82\x53\x63", 4);
	n = take_bytes(in, d + 240, 255);
	n += take_bytes(in, d + 240 + n, 255);
	put16(u + 4, 8 + 240 + n);
	send_ip(b, 8 + 240 + n, IP_PROTO_UDP, false, in);
}

void
lwip_timers_look(void)
{
}

static void
check_timers(void)
{
	lwip_timers_used();
	lwip_timers_run(true);
	(void)lwip_timers_sleep();
}

static void
pass_time(struct input *in)
{
	unsigned how = take(in, 1), steps = 1 + how % 64;

	let_go();
	while (steps-- > 0) {
		now_ms += how & 0x80 ? 250 : 3;
		check_timers();
		netif_poll_all();
		detach_ended();
	}
}

/* ------------------------------------------------------- beginning, ending -- */

static void
on_datagram(void *arg, struct udp_pcb *pcb, struct pbuf *p,
    const ip_addr_t *addr, u16_t port)
{
	(void)arg;
	(void)pcb;
	(void)addr;
	(void)port;
	pbuf_free(p);
}

static void
begin(void)
{
	ip4_addr_t ip, mask, gw, peer;
	struct eth_addr mac = { { 2, 0, 0, 0, 0, 1 } };

	IP4_ADDR(&ip, 10, 7, 0, 2);
	IP4_ADDR(&mask, 255, 255, 255, 0);
	IP4_ADDR(&gw, 10, 7, 0, 1);
	IP4_ADDR(&peer, 10, 7, 0, 1);
	memset(&card, 0, sizeof(card));
	if (netif_add(&card, &ip, &mask, &gw, &card, set_up, ip_input) == NULL)
		abort();
	inet_addr6_arrived(&card);
	netif_set_default(&card);
	netif_set_up(&card);
	netif_set_link_up(&card);
	netif_create_ip6_linklocal_address(&card, 1);
	netif_ip6_addr_set_state(&card, 0, IP6_ADDR_PREFERRED);
	(void)etharp_add_static_entry(&peer, &mac);
	listens = tcp_new_ip_type(IPADDR_TYPE_ANY);
	if (listens == NULL || tcp_bind(listens, IP_ANY_TYPE, PORT) != ERR_OK)
		abort();
	listens = tcp_listen(listens);
	listener.s.rcvbuf_set = false;
	tcp_arg(listens, &listener);
	tcp_accept(listens, on_accept);
	udp = udp_new_ip_type(IPADDR_TYPE_ANY);
	if (udp == NULL || lwip_port_udp_bind(udp, IP_ANY_TYPE, 7) != ERR_OK)
		abort();
	udp_recv(udp, on_datagram, NULL);
}

/* All is closed; what waits for a time is waited for, up to `base`. */
static void
end(long base)
{
	struct tcp_pcb *pcb;
	unsigned i;

	detach_ended();
	for (i = 0; i < CONNS; i++)
		if (conns[i].pcb != NULL) {
			pcb = conns[i].pcb;
			detach(&conns[i]);
			tcp_abort(pcb);
		}
	(void)tcp_close(listens);
	while ((pcb = any_pcb(0)) != NULL)
		tcp_abort(pcb);
	lwip_port_udp_remove(udp);
	dhcp_stop(&card);
	dhcp_cleanup(&card);
	inet_addr6_departed(&card);
	inet_route6_departed(ETHIF_LO); /* those that refuse */
	netif_poll(&card);              /* what it sends to itself */
	netif_remove(&card);
	let_go();
	lwip_port_spare_free();
	for (i = 0; i < 100 && allocated != base; i++) {
		now_ms += 1000; /* what waits for fragments gives up */
		check_timers();
		netif_poll_all();
		let_go();
		lwip_port_spare_free();
	}
}

static void
begin_once(void)
{
	static bool begun;

	if (begun)
		return;
	begun = true;
	memp_init();
	netif_init();
	udp_init();
	tcp_init();
	igmp_init();
	listener.backlog = 4;
	begin(); /* what is there once and for all afterwards */
	report_once();
	end(-1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, data + size };
	long before;

	begin_once();
	before = allocated;
	begin();
	while (in.at < in.end) {
		switch (take(&in, 1) % 16) {
		case 0: send_raw(&in); break;
		case 1:
		case 2: send_payload(&in); break;
		case 3: send_fragment(&in); break;
		case 4: send_dhcp(&in); break;
		case 5: pass_time(&in); break;
		case 6:
		case 7:
		case 8: act(&in); break;
		case 9: let_go(); break;
		case 10: change_six(&in); break;
		default: send_segment(&in);
		}
		netif_poll_all();
		detach_ended();
		check_conns(now_ms);
	}
	end(before);
	if (allocated != before) {
		fprintf(stderr, "%ld pieces of memory are lost\n",
		    allocated - before);
		abort();
	}
	return 0;
}
