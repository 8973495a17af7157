/* SPDX-License-Identifier: ISC */
/* inet_proc.c - /proc/net: the network as text.  proc(5). */
#include "net/inet_proc.h"

#include "abi/netdevice.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet.h"
#include "net/inet_addr6.h"
#include "net/inet_config.h"
#include "net/inet_route.h"
#include "net/inet_route6.h"
#include "net/inet_tcp_info.h"
#include "net/stack.h"
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <linux/rtnetlink.h>

/* One line of tcp, udp or raw. */
struct row {
	const struct inet_end *local, *remote;
	unsigned state;
	uint64_t tx, rx;
	uint32_t uid;
	uint64_t ino;
	const struct tcp_pcb *pcb; /* NULL: none, or not TCP */
};

/* -------------------------------------------------------------- sockets -- */

/* Words as they lie in memory, as Linux prints them. */
static void
put_end(struct sbuf *sb, const struct inet_end *end, int v6)
{
	const uint32_t *w = ip_2_ip6(&end->ip)->addr;
	ip6_addr_t mapped;

	if (!v6) {
		sbuf_printf(sb, " %08X:%04X",
		    IP_IS_V4_VAL(end->ip) ? ip_2_ip4(&end->ip)->addr : 0,
		    end->port);
		return;
	}
	if (IP_IS_V4_VAL(end->ip)) {
		ip4_2_ipv4_mapped_ipv6(&mapped, ip_2_ip4(&end->ip));
		w = mapped.addr;
	}
	sbuf_printf(sb, " %08X%08X%08X%08X:%04X", w[0], w[1], w[2], w[3],
	    end->port);
}

static void
put_row(struct sbuf *sb, unsigned *n, const struct row *r, int v6)
{
	struct inet_tcp_timer t;

	sbuf_printf(sb, "%4u:", *n);
	put_end(sb, r->local, v6);
	put_end(sb, r->remote, v6);
	inet_tcp_timer(r->pcb, &t);
	sbuf_printf(sb,
	    " %02X %08X:%08X %02X:%08X %08X %5u %8u %lu 2 "
	    "0000000000000000\n",
	    r->state, (unsigned)r->tx, (unsigned)r->rx, t.kind,
	    (t.left_ms + 9) / 10, t.tries, r->uid, t.probes, r->ino);
	*n += 1;
}

static void
put_head(struct sbuf *sb, int v6)
{
	sbuf_puts(sb,
	    v6 ?
		"  sl  local_address                         remote_address    "
		"                    st tx_queue rx_queue tr tm->when retrnsmt "
		"  uid  timeout inode\n" :
		"  sl  local_address rem_address   st tx_queue rx_queue tr "
		"tm->when retrnsmt   uid  timeout inode\n");
}

enum kind { KIND_TCP, KIND_UDP, KIND_LITE, KIND_RAW, KIND_PING };

static enum kind
kind_of(const struct inet_sock *is)
{
	return inet_is_ping(is)       ? KIND_PING :
	    inet_is_udplite(is)       ? KIND_LITE :
	    is->s.type == SOCK_STREAM ? KIND_TCP :
	    is->s.type == SOCK_DGRAM  ? KIND_UDP :
					KIND_RAW;
}

static void
put_sockets(struct sbuf *sb, enum kind kind, int v6, unsigned *n)
{
	const struct inet_sock *is;
	struct row r;

	TAILQ_FOREACH (is, &inet_all, all) {
		if (kind_of(is) != kind || is->v6 != (v6 != 0))
			continue;
		if (kind != KIND_RAW && is->local.port == 0)
			continue;
		/* Who neither listens nor is connected is not shown. */
		if (kind == KIND_TCP && inet_tcp_state(is) == 7)
			continue;
		r = (struct row){ .local = &is->local,
			.remote = &is->remote,
			.uid = is->uid,
			.ino = is->s.ino,
			.rx = is->rx_bytes };
		r.state = is->state == INET_CONNECTED ? 1 : 7;
		if (kind == KIND_TCP) {
			r.state = inet_tcp_state(is);
			r.pcb = is->tcp;
			r.tx = is->queued - is->acked;
		}
		if (is->state == INET_LISTENING)
			r.rx = is->nwaiting;
		put_row(sb, n, &r, v6);
	}
}

/* Connections that no program has any more. */
static void
put_orphans(struct sbuf *sb, const struct tcp_pcb *pcb, int v6, unsigned *n)
{
	const struct inet_sock *is;
	struct inet_end local, remote;
	struct row r;

	for (; pcb != NULL; pcb = pcb->next) {
		is = pcb->callback_arg;
		if ((is != NULL && !is->orphan) ||
		    (IP_IS_V6_VAL(pcb->remote_ip) != 0) != (v6 != 0))
			continue;
		local = (struct inet_end){ pcb->local_ip, pcb->local_port };
		remote = (struct inet_end){ pcb->remote_ip, pcb->remote_port };
		r = (struct row){ .local = &local,
			.remote = &remote,
			.state = inet_tcp_state_of(pcb->state),
			.pcb = pcb };
		put_row(sb, n, &r, v6);
	}
}

void
inet_proc_tcp(struct sbuf *sb, int v6)
{
	unsigned n = 0;

	put_head(sb, v6);
	net_lock();
	put_sockets(sb, KIND_TCP, v6, &n);
	put_orphans(sb, tcp_active_pcbs, v6, &n);
	put_orphans(sb, tcp_tw_pcbs, v6, &n);
	net_unlock();
}

static void
put_dgrams(struct sbuf *sb, enum kind kind, int v6)
{
	unsigned n = 0;

	put_head(sb, v6);
	net_lock();
	put_sockets(sb, kind, v6, &n);
	net_unlock();
}

void
inet_proc_udp(struct sbuf *sb, int v6)
{
	put_dgrams(sb, KIND_UDP, v6);
}

void
inet_proc_udplite(struct sbuf *sb, int v6)
{
	put_dgrams(sb, KIND_LITE, v6);
}

void
inet_proc_raw(struct sbuf *sb, int v6)
{
	put_dgrams(sb, KIND_RAW, v6);
}

void
inet_proc_icmp(struct sbuf *sb, int v6)
{
	put_dgrams(sb, KIND_PING, v6);
}

/* Sockets of a family, and connections of it that no program has any more. */
struct usage {
	unsigned tcp, udp, lite, raw;
};

static void
count_sockets(struct usage u[2])
{
	const struct inet_sock *is;
	struct usage *of;

	TAILQ_FOREACH (is, &inet_all, all) {
		of = &u[is->v6];
		if (inet_is_ping(is))
			continue;
		of->tcp += is->s.type == SOCK_STREAM;
		of->udp += is->s.type == SOCK_DGRAM && !inet_is_udplite(is);
		of->lite += inet_is_udplite(is);
		of->raw += is->s.type == SOCK_RAW;
	}
}

/* Of either family; adds them to the connections of theirs. */
static unsigned
count_orphans(struct usage u[2])
{
	const struct tcp_pcb *pcb;
	const struct inet_sock *is;
	unsigned n = 0;

	for (pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next) {
		is = pcb->callback_arg;
		if (is != NULL && !is->orphan)
			continue;
		u[IP_IS_V6_VAL(pcb->remote_ip) != 0].tcp++;
		n++;
	}
	return n;
}

void
inet_proc_sockstat(struct sbuf *sb)
{
	struct usage u[2] = { 0 };
	unsigned orphans, tw = 0;
	const struct tcp_pcb *pcb;

	net_lock();
	count_sockets(u);
	orphans = count_orphans(u);
	for (pcb = tcp_tw_pcbs; pcb != NULL; pcb = pcb->next)
		tw++;
	net_unlock();
	sbuf_printf(sb, "sockets: used %u\n",
	    u[0].tcp + u[0].udp + u[0].lite + u[0].raw + u[1].tcp + u[1].udp +
		u[1].lite + u[1].raw - orphans);
	sbuf_printf(sb, "TCP: inuse %u orphan %u tw %u alloc %u mem 0\n",
	    u[0].tcp, orphans, tw, u[0].tcp + u[1].tcp);
	sbuf_printf(sb,
	    "UDP: inuse %u mem 0\nUDPLITE: inuse %u\nRAW: inuse %u\n"
	    "FRAG: inuse 0 memory 0\n",
	    u[0].udp, u[0].lite, u[0].raw);
}

void
inet_proc_sockstat6(struct sbuf *sb)
{
	struct usage u[2] = { 0 };

	net_lock();
	count_sockets(u);
	(void)count_orphans(u);
	net_unlock();
	sbuf_printf(sb,
	    "TCP6: inuse %u\nUDP6: inuse %u\nUDPLITE6: inuse %u\n"
	    "RAW6: inuse %u\nFRAG6: inuse 0 memory 0\n",
	    u[1].tcp, u[1].udp, u[1].lite, u[1].raw);
}

/* ------------------------------------------------------------- interfaces -- */

void
inet_proc_dev(struct sbuf *sb)
{
	const struct nic_stats *st;
	struct netif *nif;
	unsigned i;

	sbuf_puts(sb,
	    "Inter-|   Receive                                            "
	    "    |  Transmit\n"
	    " face |bytes    packets errs drop fifo frame compressed "
	    "multicast|bytes    packets errs drop fifo colls carrier "
	    "compressed\n");
	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++) {
		st = ethif_stats(nif);
		sbuf_printf(sb,
		    "%6s: %7lu %7lu %4lu %4lu    0     0          0 %9lu "
		    "%8lu %7lu    0 %4lu    0     0       0          0\n",
		    ethif_name(nif), st->rx_bytes, st->rx_packets,
		    st->rx_errors, st->rx_dropped + st->rx_missed,
		    st->multicast, st->tx_bytes, st->tx_packets,
		    st->tx_dropped);
	}
	net_unlock();
}

static void
put_words(struct sbuf *sb, const ip6_addr_t *a)
{
	sbuf_printf(sb, "%08x%08x%08x%08x", lwip_ntohl(a->addr[0]),
	    lwip_ntohl(a->addr[1]), lwip_ntohl(a->addr[2]),
	    lwip_ntohl(a->addr[3]));
}

static void
put_inet6(struct sbuf *sb, struct netif *nif, unsigned i)
{
	struct inet_addr6 a;

	if (!inet_addr6_at(nif, i, &a))
		return;
	put_words(sb, &a.ip);
	sbuf_printf(sb, " %02x %02x %02x %02x %8s\n", ethif_index(nif), a.plen,
	    a.scope == RT_SCOPE_HOST     ? 0x10 :
		a.scope == RT_SCOPE_LINK ? 0x20 :
		a.scope == RT_SCOPE_SITE ? 0x40 :
					   0x00,
	    a.flags & 0xff, ethif_name(nif));
}

void
inet_proc_if_inet6(struct sbuf *sb)
{
	struct netif *nif;
	unsigned i, k, place;

	net_lock();
	for (i = 0; (nif = ethif_nth(i)) != NULL; i++)
		for (k = 0; inet_addr6_nth(nif, k, &place); k++)
			put_inet6(sb, nif, place);
	net_unlock();
}

static void
put_route6(const struct inet_route6 *r, void *arg)
{
	static const ip6_addr_t none;
	struct sbuf *sb = arg;
	bool own = r->kind == INET_ROUTE6_LOCAL,
	     refused = r->type != RTN_UNICAST && r->type != RTN_LOCAL &&
	    r->type != RTN_MULTICAST;
	uint32_t flags = RTF_UP | (own ? RTF_LOCAL | RTF_NONEXTHOP : 0) |
	    (refused ? RTF_REJECT | RTF_NONEXTHOP : 0) |
	    (ip6_addr_isany(&r->gateway) ? 0 : RTF_GATEWAY) |
	    (r->until_ns != 0 ? RTF_EXPIRES : 0) |
	    (r->kind == INET_ROUTE6_ROUTER ? RTF_ADDRCONF | RTF_DEFAULT :
		    r->kind == INET_ROUTE6_PREFIX ?
					     RTF_ADDRCONF | RTF_PREFIX_RT :
					     0);

	put_words(sb, &r->dest);
	sbuf_printf(sb, " %02x ", r->plen);
	put_words(sb, &none);
	sbuf_puts(sb, " 00 ");
	put_words(sb, &r->gateway);
	sbuf_printf(sb, " %08x %08x %08x %08x %8s\n", r->metric, 1, 0, flags,
	    ethif_name(ethif_by_index(r->if_index)));
}

int
inet_proc_route6(struct sbuf *sb)
{
	int error;

	net_lock();
	error = inet_route6_each(put_route6, sb);
	net_unlock();
	return error;
}

void
inet_proc_arp(struct sbuf *sb)
{
	char text[IP4ADDR_STRLEN_MAX];
	struct eth_addr *eth;
	struct netif *nif;
	ip4_addr_t *ip;
	unsigned i;

	sbuf_puts(sb,
	    "IP address       HW type     Flags       HW address            "
	    "Mask     Device\n");
	net_lock();
	for (i = 0; i < ARP_TABLE_SIZE; i++) {
		if (!etharp_get_entry(i, &ip, &nif, &eth))
			continue;
		sbuf_printf(sb,
		    "%-16s 0x1         0x2         "
		    "%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
		    ip4addr_ntoa_r(ip, text, sizeof(text)), eth->addr[0],
		    eth->addr[1], eth->addr[2], eth->addr[3], eth->addr[4],
		    eth->addr[5], ethif_name(nif));
	}
	net_unlock();
}

void
inet_proc_route(struct sbuf *sb)
{
	struct inet_route r;
	unsigned i, flags;

	sbuf_puts(sb,
	    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask"
	    "\t\tMTU\tWindow\tIRTT                                          "
	    "             \n");
	net_lock();
	for (i = 0; inet_route_nth(i, &r); i++) {
		flags = RTF_UP | (r.gateway != 0 ? RTF_GATEWAY : 0) |
		    (r.mask == UINT32_MAX ? RTF_HOST : 0) |
		    (r.if_index == 0 ? RTF_REJECT : 0);
		sbuf_printf(sb,
		    "%s\t%08X\t%08X\t%04X\t0\t0\t%u\t%08X\t0\t0\t0\n",
		    r.if_index == 0 ? "*" :
				      ethif_name(ethif_by_index(r.if_index)),
		    r.dest, r.gateway, flags, r.metric, r.mask);
	}
	net_unlock();
}

static void
put_addr(struct sbuf *sb, const char *word, uint32_t addr)
{
	char text[IP4ADDR_STRLEN_MAX];
	ip4_addr_t ip = { .addr = addr };

	sbuf_printf(sb, "%s %s\n", word,
	    ip4addr_ntoa_r(&ip, text, sizeof(text)));
}

void
inet_proc_pnp(struct sbuf *sb)
{
	struct inet_pnp pnp;
	unsigned i;

	inet_config_pnp(&pnp);
	sbuf_puts(sb, pnp.dhcp ? "#PROTO: DHCP\n" : "#MANUAL\n");
	if (pnp.domain[0] != '\0')
		sbuf_printf(sb, "domain %s\n", pnp.domain);
	for (i = 0; i < ARRAY_SIZE(pnp.dns); i++)
		if (pnp.dns[i] != 0)
			put_addr(sb, "nameserver", pnp.dns[i]);
	put_addr(sb, "bootserver", pnp.server);
}
