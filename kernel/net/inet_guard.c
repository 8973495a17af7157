/* SPDX-License-Identifier: ISC */
/*
 * inet_guard.c - packets that lwIP would take in a wrong way, looked at before
 * it gets them.  RFC 9293 (TCP), 5961 (blind attacks), 7323 (timestamps), 6191
 * (TIME_WAIT), 2131 (DHCP); ip(7), listen(2).
 *
 * lwIP trusts its peers here and there: a number half the space away from
 * what it expects trips its assertions, bytes without ACK are taken, a SYN in
 * TIME_WAIT is refused, a lease of an address that none can have is bound.  And what listen(2) says of backlogs is done here: half
 * open connections are bounded, the oldest gives way.
 * Locking: the network lock is held.
 */
#include "net/inet.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_error.h"
#include "net/lwip/rexmit.h"
#include <lwip/inet_chksum.h>
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/dhcp.h>
#include <lwip/prot/ethernet.h>
#include <lwip/prot/iana.h>
#include <lwip/prot/icmp6.h>
#include <lwip/prot/tcp.h>
#include <lwip/prot/udp.h>
#include <lwip/stats.h>

#define HALF_OPEN_MIN     128u /* that a listener may have, whatever its backlog */
#define HALF_OPEN_AT_ONCE 32u
#define MSS_MIN           88u /* as Linux has it: with 40 bytes of options */
#define PAWS_TICKS        4147200u /* 24 days: a timestamp says nothing more */

/* --------------------------------------------------------------------- IP -- */

static bool
is_own(uint32_t ip)
{
	struct netif *nif;

	NETIF_FOREACH(nif)
	if (netif_ip4_addr(nif)->addr == ip)
		return true;
	return false;
}

/* To all stations of a network that the interface is in. */
static bool
is_broadcast(const ip4_addr_t *ip, const struct netif *inp)
{
	struct netif *nif;

	NETIF_FOREACH(nif)
	if (ethif_index(nif) == ethif_index(inp) &&
	    ip4_addr_isbroadcast(ip, nif))
		return true;
	return false;
}

/* A source that no other station can have. */
static bool
is_martian(const struct ip_hdr *h, const struct netif *inp)
{
	ip4_addr_t src = { .addr = h->src.addr };
	ip4_addr_t dst = { .addr = h->dest.addr };

	if (ethif_nic(inp) == NULL)
		return false;
	if (ip4_addr_isloopback(&src) || ip4_addr_isloopback(&dst))
		return true;
	if (src.addr == IPADDR_ANY) /* one that has no address yet */
		return IPH_PROTO(h) == IP_PROTO_TCP;
	return is_own(src.addr) || is_broadcast(&src, inp);
}

/* Where an option's value of `size` bytes is in m[at..end); NULL: none. */
static const uint8_t *
dhcp_option_in(const uint8_t *m, unsigned at, unsigned end, uint8_t code,
    uint8_t size)
{
	while (at < end && m[at] != DHCP_OPTION_END) {
		if (m[at] == DHCP_OPTION_PAD) {
			at++;
			continue;
		}
		if (at + 1 >= end || at + 2 + m[at + 1] > end)
			return NULL;
		if (m[at] == code)
			return m[at + 1] == size ? m + at + 2 : NULL;
		at += 2u + m[at + 1];
	}
	return NULL;
}

/* The same in all of an answer, in the order in which lwIP looks. */
static const uint8_t *
dhcp_option_of(const uint8_t *m, unsigned len, uint8_t code, uint8_t size)
{
	const uint8_t *o, *over;

	o = dhcp_option_in(m, DHCP_OPTIONS_OFS, len, code, size);
	over = dhcp_option_in(m, DHCP_OPTIONS_OFS, len, DHCP_OPTION_OVERLOAD,
	    1);
	if (over == NULL || *over > DHCP_OVERLOAD_SNAME_FILE)
		return o;
	if (o == NULL && (*over & DHCP_OVERLOAD_FILE) != 0)
		o = dhcp_option_in(m, DHCP_FILE_OFS,
		    DHCP_FILE_OFS + DHCP_FILE_LEN, code, size);
	if (o == NULL && (*over & DHCP_OVERLOAD_SNAME) != 0)
		o = dhcp_option_in(m, DHCP_SNAME_OFS,
		    DHCP_SNAME_OFS + DHCP_SNAME_LEN, code, size);
	return o;
}

/* An address that one station can have: one of class E, too, as on Linux. */
static bool
is_station(const uint8_t *address)
{
	ip4_addr_t ip;

	memcpy(&ip.addr, address, sizeof(ip.addr));
	return !ip4_addr_isany_val(ip) && !ip4_addr_isloopback(&ip) &&
	    !ip4_addr_ismulticast(&ip) && ip.addr != IPADDR_BROADCAST;
}

/*
 * An offer, or a lease, that no station could use: the client goes on asking,
 * as another server may have a better one.  Refusals have no address.
 */
static bool
is_wrong_lease(const uint8_t *m, unsigned len)
{
	const uint8_t *kind, *mask, *server;
	uint32_t bits;

	kind = dhcp_option_of(m, len, DHCP_OPTION_MESSAGE_TYPE, 1);
	if (kind == NULL || (*kind != DHCP_OFFER && *kind != DHCP_ACK))
		return false;
	server = dhcp_option_of(m, len, DHCP_OPTION_SERVER_ID, 4);
	if (!is_station(m + offsetof(struct dhcp_msg, yiaddr)) ||
	    (server != NULL && !is_station(server)))
		return true;
	mask = dhcp_option_of(m, len, DHCP_OPTION_SUBNET_MASK, 4);
	if (mask == NULL)
		return false;
	memcpy(&bits, mask, sizeof(bits));
	return !ip4_addr_netmask_valid(bits);
}

/* An answer of another protocol (RFC 2131, 3): lwIP looks at less. */
static bool
is_wrong_dhcp(const uint8_t *m, unsigned len)
{
	static const uint8_t cookie[] = { 0x63, 0x82, 0x53, 0x63 };

	return len < DHCP_OPTIONS_OFS || m[0] != DHCP_BOOTREPLY ||
	    m[1] != LWIP_IANA_HWTYPE_ETHERNET || m[2] != ETH_HWADDR_LEN ||
	    memcmp(m + DHCP_MSG_LEN, cookie, sizeof(cookie)) != 0 ||
	    is_wrong_lease(m, len);
}

/*
 * lwIP looks at the ports of any UDP, as DHCP comes to no address yet; and says
 * that nobody is at a port before it sees that the length is a wrong one.
 */
static bool
is_wrong_udp(const struct pbuf *p, const struct ip_hdr *h)
{
	unsigned at = IPH_HL_BYTES(h), all = lwip_ntohs(IPH_LEN(h)), len;
	const struct udp_hdr *udp;

	if (IPH_PROTO(h) != IP_PROTO_UDP)
		return false;
	if ((IPH_OFFSET(h) & PP_HTONS(IP_OFFMASK)) != 0)
		return p->len < at + UDP_HLEN && !is_own(h->dest.addr);
	if (p->len < at + UDP_HLEN)
		return true;
	udp = (const void *)((const uint8_t *)h + at);
	/* No answer of DHCP is so long that it comes in pieces. */
	if ((IPH_OFFSET(h) & PP_HTONS(IP_MF)) != 0)
		return udp->dest == PP_HTONS(LWIP_IANA_PORT_DHCP_CLIENT);
	len = lwip_ntohs(udp->len);
	if (len < UDP_HLEN || at + len > all)
		return true;
	return udp->dest == PP_HTONS(LWIP_IANA_PORT_DHCP_CLIENT) &&
	    is_wrong_dhcp((const uint8_t *)(udp + 1),
		MIN(len, p->len - at) - UDP_HLEN);
}

/* 0: lwIP goes on with it. */
int
lwip_hook_ip4_input(struct pbuf *p, struct netif *inp)
{
	const struct ip_hdr *h = p->payload;

	bool own = (p->flags & PBUF_FLAG_MCASTLOOP) != 0;

	p->flags &= (u8_t)~PBUF_FLAG_MCASTLOOP;
	if (p->len < IP_HLEN || (!own && is_martian(h, inp)) ||
	    is_wrong_udp(p, h)) {
		pbuf_free(p);
		return 1;
	}
	ethif_lo_is(inp, h->dest.addr);
	inet_error_look(p, inp);
	return 0;
}

/* Options of IPv6, each with its length, end where their header does. */
static bool
options_fit(const uint8_t *o, unsigned len)
{
	unsigned i = 2;

	while (i < len) {
		if (o[i] == IP6_PAD1_OPTION)
			i++;
		else if (i + 1 < len)
			i += 2u + o[i + 1];
		else
			return false;
	}
	return i == len;
}

/* A fragment header: whether others follow it in this very fragment. */
static bool
is_first_fragment(const uint8_t *f)
{
	return ((unsigned)f[2] << 8 | f[3]) >> 3 == 0;
}

/* What stands behind a packet's headers of IPv6. */
struct upper {
	unsigned at; /* bytes from the packet's beginning */
	uint8_t kind;
	bool fragment, later; /* of one; not its first one */
};

/*
 * All headers before the one of TCP, UDP or ICMP are there, of a first
 * fragment, too (RFC 7112): lwIP looks at them before it knows.
 */
static bool
find_upper(const uint8_t *packet, unsigned len, struct upper *u)
{
	unsigned n;

	*u = (struct upper){ .at = IP6_HLEN, .kind = packet[6] };
	while (u->kind == IP6_NEXTH_HOPBYHOP || u->kind == IP6_NEXTH_ROUTING ||
	    u->kind == IP6_NEXTH_DESTOPTS || u->kind == IP6_NEXTH_FRAGMENT) {
		if (u->at + 8 > len)
			return false;
		n = 8 * (packet[u->at + 1] + 1u);
		if (u->kind == IP6_NEXTH_FRAGMENT) {
			n = 8;
			u->fragment = true;
			u->later = !is_first_fragment(packet + u->at);
			if (u->later)
				return true;
		}
		if (u->at + n > len)
			return false;
		if ((u->kind == IP6_NEXTH_HOPBYHOP ||
			u->kind == IP6_NEXTH_DESTOPTS) &&
		    !options_fit(packet + u->at, n))
			return false;
		u->kind = packet[u->at];
		u->at += n;
	}
	return true;
}

/*
 * Of neighbours and routers: from this link, in one piece, with options that
 * have a length (RFC 4861, 6.1 and 7.1; RFC 6980).
 */
static bool
is_wrong_discovery(const uint8_t *packet, unsigned len, const struct upper *u)
{
	static const uint8_t fixed[] = { 8, 16, 24, 24, 40 };
	const uint8_t *icmp = packet + u->at;
	unsigned at;

	if (u->kind != IP6_NEXTH_ICMP6 || u->later || u->at + 4 > len ||
	    icmp[0] < ICMP6_TYPE_RS || icmp[0] > ICMP6_TYPE_RD)
		return false;
	at = u->at + fixed[icmp[0] - ICMP6_TYPE_RS];
	if (packet[7] != 255 || icmp[1] != 0 || u->fragment || at > len)
		return true;
	while (at + 2 <= len && packet[at + 1] != 0)
		at += 8u * packet[at + 1];
	return at != len;
}

/* "Too big" with a size that no path may have, which lwIP would believe. */
static bool
is_wrong_size(const uint8_t *icmp, const struct netif *inp)
{
	uint32_t mtu = (uint32_t)icmp[4] << 24 | (uint32_t)icmp[5] << 16 |
	    (uint32_t)icmp[6] << 8 | icmp[7];

	return icmp[0] == ICMP6_TYPE_PTB &&
	    (mtu < IP6_MIN_MTU_LENGTH || mtu > netif_mtu6(inp));
}

int
lwip_hook_ip6_input(struct pbuf *p, struct netif *inp)
{
	const struct ip6_hdr *h = p->payload;
	ip6_addr_t src, dst;
	struct upper u;
	unsigned len;

	if (p->len < IP6_HLEN)
		goto drop;
	len = MIN((unsigned)p->len, IP6_HLEN + (unsigned)IP6H_PLEN(h));
	if (!find_upper(p->payload, len, &u) ||
	    is_wrong_discovery(p->payload, len, &u))
		goto drop;
	ip6_addr_copy_from_packed(src, h->src);
	ip6_addr_copy_from_packed(dst, h->dest);
	if (ethif_nic(inp) != NULL &&
	    (ip6_addr_isloopback(&src) || ip6_addr_isloopback(&dst)))
		goto drop;
	if (u.kind == IP6_NEXTH_ICMP6 && !u.fragment && u.at + 8 <= len) {
		if (is_wrong_size((const uint8_t *)p->payload + u.at, inp))
			goto drop;
		inet_error_look6(p, u.at, inp);
	}
	return 0;
drop:
	pbuf_free(p);
	return 1;
}

/* ------------------------------------------------------ a segment's options -- */

struct segment {
	struct tcp_hdr *h; /* in host byte order, as lwIP left it */
	struct pbuf *p;    /* the bytes behind the header */
	uint8_t *opt[2];
	unsigned len, first; /* bytes of options; of them in opt[0] */
	uint8_t flags;
	bool usual; /* is_usual() */
};

static uint8_t *
byte_at(const struct segment *s, unsigned i)
{
	return i < s->first ? &s->opt[0][i] : &s->opt[1][i - s->first];
}

/* As nearly all are within a connection: none, or a timestamp as usual. */
static bool
is_usual(const struct segment *s)
{
	static const uint8_t begin[] = { LWIP_TCP_OPT_NOP, LWIP_TCP_OPT_NOP,
		LWIP_TCP_OPT_TS, LWIP_TCP_OPT_LEN_TS };

	return s->len == 0 ||
	    (s->len == LWIP_TCP_OPT_LEN_TS_OUT && s->first == s->len &&
		memcmp(s->opt[0], begin, sizeof(begin)) == 0);
}

/* From one on that does not end where the options do lwIP sees none. */
static void
tidy_options(const struct segment *s)
{
	unsigned i = 0, n;
	uint8_t k;

	while (i < s->len && (k = *byte_at(s, i)) != LWIP_TCP_OPT_EOL) {
		n = k == LWIP_TCP_OPT_NOP ? 1 :
		    i + 1 < s->len        ? *byte_at(s, i + 1) :
					    0;
		if (n == 0 || (n == 1 && k != LWIP_TCP_OPT_NOP) ||
		    i + n > s->len) {
			for (; i < s->len; i++)
				*byte_at(s, i) = LWIP_TCP_OPT_EOL;
			return;
		}
		i += n;
	}
}

/* Where a value begins, of tidy options; 0: none, or of another length. */
static unsigned
find_option(const struct segment *s, uint8_t kind, uint8_t len)
{
	unsigned i = 0;
	uint8_t k, n;

	if (s->usual)
		return s->len != 0 && kind == LWIP_TCP_OPT_TS ? 4 : 0;
	while (i < s->len && (k = *byte_at(s, i)) != LWIP_TCP_OPT_EOL) {
		if (k == LWIP_TCP_OPT_NOP) {
			i++;
			continue;
		}
		n = *byte_at(s, i + 1);
		if (k == kind)
			return n == len ? i + 2 : 0;
		i += n;
	}
	return 0;
}

/*
 * A peer that wants segments of a few bytes would get only headers; and when
 * the first SYN has come the size is settled, whatever lwIP would still take.
 */
static void
look_at_mss(const struct segment *s, bool settled)
{
	unsigned at = find_option(s, LWIP_TCP_OPT_MSS, LWIP_TCP_OPT_LEN_MSS);
	unsigned i;

	if (at == 0)
		return;
	if (settled) {
		for (i = at - 2; i < at + 2; i++)
			*byte_at(s, i) = LWIP_TCP_OPT_NOP;
	} else if (((unsigned)*byte_at(s, at) << 8 | *byte_at(s, at + 1)) <
	    MSS_MIN) {
		*byte_at(s, at) = 0;
		*byte_at(s, at + 1) = MSS_MIN;
	}
}

static bool
is_from_the_past(const struct tcp_pcb *pcb, const struct segment *s)
{
	unsigned at = find_option(s, LWIP_TCP_OPT_TS, LWIP_TCP_OPT_LEN_TS), i;
	uint32_t value = 0;

	if ((pcb->flags & TF_TIMESTAMP) == 0 || at == 0 ||
	    (s->flags & TCP_RST) != 0)
		return false;
	for (i = 0; i < 4; i++)
		value = value << 8 | *byte_at(s, at + i);
	return (int32_t)(pcb->ts_recent - value) > 1 &&
	    tcp_ticks - pcb->tmr < PAWS_TICKS;
}

/* ------------------------------------------------------------ a connection -- */

static unsigned
sequence_len(const struct segment *s)
{
	return s->p->tot_len + ((s->flags & TCP_SYN) != 0) +
	    ((s->flags & TCP_FIN) != 0);
}

/* Some of it touches the window, or its edges (RFC 9293, 3.10.7.4). */
static bool
is_acceptable(const struct tcp_pcb *pcb, const struct segment *s)
{
	uint32_t seq = s->h->seqno, end = seq + sequence_len(s);

	return (int32_t)(end - pcb->rcv_nxt) >= 0 &&
	    (int32_t)(seq - (pcb->rcv_nxt + pcb->rcv_wnd)) <= 0;
}

static bool
is_full(const struct inet_sock *l)
{
	return l->nwaiting > l->backlog;
}

/* The socket that would accept a peer's connection; NULL: none any more. */
static struct inet_sock *
acceptor(void *arg, uint16_t port)
{
	return arg == NULL ?
	    NULL :
	    inet_reuse_listener(arg, ip_current_src_addr(), port);
}

static err_t
on_connection(struct tcp_pcb *pcb, const struct segment *s)
{
	bool rst = (s->flags & TCP_RST) != 0;

	if (!is_acceptable(pcb, s) || is_from_the_past(pcb, s)) {
		if (!rst)
			(void)tcp_send_empty_ack(pcb);
		return ERR_VAL;
	}
	if (!rst && (s->flags & TCP_URG) != 0 && pcb->state >= ESTABLISHED)
		inet_urgent_input(pcb, s->h, s->p);
	return rst || (s->flags & (TCP_ACK | TCP_SYN)) != 0 ? ERR_OK : ERR_VAL;
}

/* The handshake's last packet waits outside while the queue is full. */
static err_t
on_half_open(struct tcp_pcb *pcb, const struct segment *s)
{
	struct inet_sock *l;

	if ((s->flags & TCP_SYN) != 0 && (s->flags & TCP_RST) == 0 &&
	    ((s->flags & TCP_ACK) != 0 || s->h->seqno != pcb->rcv_nxt - 1)) {
		(void)tcp_send_empty_ack(pcb);
		return ERR_VAL;
	}
	l = pcb->listener == NULL ?
	    NULL :
	    acceptor(pcb->listener->callback_arg, s->h->src);
	if ((s->flags & (TCP_ACK | TCP_RST)) == TCP_ACK && l != NULL &&
	    is_full(l))
		return ERR_VAL;
	return on_connection(pcb, s);
}

/* ------------------------------------------------------ a listener, the rest -- */

static bool
is_half_open_of(const struct tcp_pcb *pcb, const void *listener)
{
	return pcb->state == SYN_RCVD && pcb->listener == listener;
}

static unsigned half_open_max = UINT32_MAX;

void
inet_guard_set_half_open_max(unsigned n)
{
	half_open_max = MAX(n, HALF_OPEN_MIN);
}

/*
 * One more would be too many: those that wait longest are forgotten, as many as
 * make it unnecessary to look through all connections each time.  They are
 * counted when there may be too many.
 */
static void
make_room(const struct tcp_pcb *listener, const struct inet_sock *l)
{
	static unsigned most; /* that all listeners together may have */
	struct tcp_pcb *pcb, *old[HALF_OPEN_AT_ONCE]; /* the last ones seen */
	unsigned max = MAX(l->backlog, HALF_OPEN_MIN), n = 0, all = 0, i;

	max = MIN(max, half_open_max);
	if (most++ < max)
		return;
	for (pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
		all += pcb->state == SYN_RCVD;
		if (is_half_open_of(pcb, listener)) /* later ones come first */
			old[n++ % HALF_OPEN_AT_ONCE] = pcb;
	}
	most = all + 1;
	if (n < max)
		return;
	for (i = 0; i < MIN(max / HALF_OPEN_MIN, HALF_OPEN_AT_ONCE); i++)
		tcp_abandon(old[--n % HALF_OPEN_AT_ONCE], 0);
	most -= i;
}

static err_t
on_listener(struct tcp_pcb *pcb, const struct segment *s)
{
	struct inet_sock *l;

	if ((s->flags & (TCP_RST | TCP_ACK)) != 0)
		return ERR_OK;
	if ((s->flags & (TCP_SYN | TCP_FIN)) != TCP_SYN)
		return ERR_VAL;
	l = acceptor(pcb->callback_arg, s->h->src);
	if (l == NULL || is_full(l)) {
		lwip_port_stats.tcp_overflows += l != NULL;
		return ERR_VAL;
	}
	make_room(pcb, l);
	return ERR_OK;
}

/* Of both sides' SYNs, each an answer to the other: connected, in the end. */
static err_t
on_crosswise(void *arg, struct tcp_pcb *pcb, err_t err)
{
	pcb->listener = NULL;
	pcb->mss = tcp_eff_send_mss(pcb->mss, &pcb->local_ip, &pcb->remote_ip);
	return pcb->connected == NULL ? err : pcb->connected(arg, pcb, err);
}

/*
 * A SYN meets ours (RFC 9293, 3.5, figure 7), which lwIP does not know: from
 * here on it is as if a listener had got it.
 */
static err_t
on_connecting(struct tcp_pcb *pcb, const struct segment *s)
{
	static struct tcp_pcb_listen both = { .state = LISTEN,
		.accept = on_crosswise };

	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN ||
	    s->p->tot_len > 0)
		return ERR_OK;
	pcb->rcv_nxt = s->h->seqno + 1;
	pcb->rcv_ann_right_edge = pcb->rcv_nxt;
	pcb->snd_wnd = s->h->wnd;
	pcb->snd_wnd_max = s->h->wnd;
	pcb->snd_wl1 = s->h->seqno - 1;
	pcb->snd_wl2 = pcb->lastack;
	pcb->listener = &both;
	pcb->state = SYN_RCVD;
	return ERR_OK;
}

/* The packet as it came, for tcp_input(); it keeps one reference. */
static void
once_more(const struct segment *s)
{
	struct tcp_hdr *h = s->h;

	if (s->first != s->len ||
	    pbuf_add_header_force(s->p, TCP_HLEN + s->len) != 0)
		return;
	h->src = lwip_htons(h->src);
	h->dest = lwip_htons(h->dest);
	h->seqno = lwip_htonl(h->seqno);
	h->ackno = lwip_htonl(h->ackno);
	h->wnd = lwip_htons(h->wnd);
	pbuf_ref(s->p);
	lwip_hook_tcp_segment(s->p, ip_current_input_netif());
}

/* A SYN that cannot be an old one makes room for a new connection. */
static err_t
on_time_wait(struct tcp_pcb *pcb, const struct segment *s)
{
	if ((s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) != TCP_SYN ||
	    (int32_t)(s->h->seqno - pcb->rcv_nxt) <= 0)
		return ERR_OK;
	tcp_pcb_remove(&tcp_tw_pcbs, pcb);
	tcp_free(pcb);
	once_more(s);
	return ERR_VAL;
}

/* For recovery.c, the options in one piece. */
static void
hear(struct tcp_pcb *pcb, const struct segment *s)
{
	uint8_t copy[60 - TCP_HLEN];
	const uint8_t *options = s->opt[0];
	unsigned i;

	if ((s->flags & (TCP_ACK | TCP_RST | TCP_SYN)) != TCP_ACK)
		return;
	if (s->first < s->len) {
		for (i = 0; i < s->len; i++)
			copy[i] = *byte_at(s, i);
		options = copy;
	}
	lwip_recovery_hear(pcb, s->h, options, s->len, s->p->tot_len);
}

static err_t
judge(struct tcp_pcb *pcb, const struct segment *s)
{
	switch (pcb->state) {
	case LISTEN: return on_listener(pcb, s);
	case TIME_WAIT: return on_time_wait(pcb, s);
	case SYN_SENT: return on_connecting(pcb, s);
	case SYN_RCVD: return on_half_open(pcb, s);
	default: return on_connection(pcb, s);
	}
}

err_t
lwip_hook_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *h, unsigned optlen,
    unsigned opt1len, u8_t *opt2, struct pbuf *p)
{
	struct segment s = { h, p, { (u8_t *)h + TCP_HLEN, opt2 }, optlen,
		opt1len, TCPH_FLAGS(h), false };
	err_t err;

	s.usual = is_usual(&s);
	if (!s.usual) {
		tidy_options(&s);
		look_at_mss(&s, pcb->state != LISTEN && pcb->state != SYN_SENT);
	}
	err = judge(pcb, &s);
	if (err == ERR_OK && pcb->state >= SYN_RCVD && pcb->state < TIME_WAIT)
		hear(pcb, &s);
	return err;
}

/*
 * A reset in answer to a segment: without ACK to one that has it, with sequence
 * number 0 to one that has not (RFC 9293, 3.5.2).
 */
void
lwip_port_reset(bool has_ack, u32_t seqno, u32_t ackno, const ip_addr_t *from,
    const ip_addr_t *to, u16_t from_port, u16_t to_port)
{
	struct pbuf *p = pbuf_alloc(PBUF_IP, TCP_HLEN, PBUF_RAM);
	struct netif *nif = ip_route(from, to);
	struct tcp_hdr *h;

	if (p == NULL || nif == NULL) {
		if (p != NULL)
			pbuf_free(p);
		return;
	}
	h = p->payload;
	memset(h, 0, sizeof(*h));
	h->src = lwip_htons(from_port);
	h->dest = lwip_htons(to_port);
	h->seqno = has_ack ? lwip_htonl(seqno) : 0;
	h->ackno = has_ack ? 0 : lwip_htonl(ackno);
	TCPH_HDRLEN_FLAGS_SET(h, 5, has_ack ? TCP_RST : TCP_RST | TCP_ACK);
	h->chksum = ip_chksum_pseudo(p, IP_PROTO_TCP, p->tot_len, from, to);
	lwip_port_stats.tcp_out++;
	lwip_port_stats.tcp_resets++;
	(void)ip_output_if(p, from, to, TCP_TTL, 0, IP_PROTO_TCP, nif);
	pbuf_free(p);
}
