/* SPDX-License-Identifier: ISC */
/*
 * inet_snmp.c - /proc/net/snmp, snmp6 and netstat: what the network has
 * counted.  proc(5), RFC 4293, 4022, 4113.  What never happens here (packets
 * forwarded, ...) is 0; of netstat there is only what is counted.
 */
#include "net/inet_proc.h"

#include "kern/sbuf.h"
#include "kern/string.h"
#include "net/lwip/port.h"
#include "net/lwip/rexmit.h"
#include "net/stack.h"
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/icmp.h>
#include <lwip/prot/icmp6.h>
#include <lwip/stats.h>
#include <lwip/tcp.h>

#define TYPES 256u

static uint64_t
sum(const uint64_t *n)
{
	uint64_t all = 0;
	unsigned i;

	for (i = 0; i < TYPES; i++)
		all += n[i];
	return all;
}

/* ------------------------------------------------------------------- IPv4 -- */

static void
put_ip(struct sbuf *sb, const struct lwip_port_stats *s)
{
	const struct lwip_port_mib2 *m = &s->mib2;

	sbuf_puts(sb,
	    "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors "
	    "ForwDatagrams InUnknownProtos InDiscards InDelivers OutRequests "
	    "OutDiscards OutNoRoutes ReasmTimeout ReasmReqds ReasmOKs "
	    "ReasmFails FragOKs FragFails FragCreates\n");
	sbuf_printf(sb,
	    "Ip: 2 64 %lu %lu %lu 0 %lu %lu %lu %lu %lu %lu 0 %lu %lu %lu %lu "
	    "%lu %lu\n",
	    m->ipinreceives, m->ipinhdrerrors, m->ipinaddrerrors,
	    m->ipinunknownprotos, m->ipindiscards, m->ipindelivers,
	    m->ipoutrequests, m->ipoutdiscards, m->ipoutnoroutes,
	    m->ipreasmreqds, m->ipreasmoks, m->ipreasmfails, m->ipfragoks,
	    m->ipfragfails, s->ip_frag.xmit);
}

/* The types that have a name, in the order of these. */
static const uint8_t icmp_types[] = { ICMP_DUR, ICMP_TE, ICMP_PP, ICMP_SQ,
	ICMP_RD, ICMP_ECHO, ICMP_ER, ICMP_TS, ICMP_TSR, ICMP_AM, ICMP_AMR };

static void
put_icmp(struct sbuf *sb, const struct lwip_port_stats *s)
{
	const struct lwip_port_icmp *c = &s->icmps[0];
	unsigned i;

	sbuf_puts(sb,
	    "Icmp: InMsgs InErrors InCsumErrors InDestUnreachs InTimeExcds "
	    "InParmProbs InSrcQuenchs InRedirects InEchos InEchoReps "
	    "InTimestamps InTimestampReps InAddrMasks InAddrMaskReps OutMsgs "
	    "OutErrors OutRateLimitGlobal OutRateLimitHost OutDestUnreachs "
	    "OutTimeExcds OutParmProbs OutSrcQuenchs OutRedirects OutEchos "
	    "OutEchoReps OutTimestamps OutTimestampReps OutAddrMasks "
	    "OutAddrMaskReps\n");
	sbuf_printf(sb, "Icmp: %lu %lu %lu", sum(c->in) + s->mib2.icmpinerrors,
	    s->mib2.icmpinerrors, s->icmp.chkerr);
	for (i = 0; i < sizeof(icmp_types); i++)
		sbuf_printf(sb, " %lu", c->in[icmp_types[i]]);
	sbuf_printf(sb, " %lu %lu %lu %lu", sum(c->out), c->errors, c->held_all,
	    c->held_peer);
	for (i = 0; i < sizeof(icmp_types); i++)
		sbuf_printf(sb, " %lu", c->out[icmp_types[i]]);
	sbuf_puts(sb, "\n");
}

static void
put_types(struct sbuf *sb, const uint64_t *n, const char *which, bool name)
{
	unsigned i;

	for (i = 0; i < TYPES; i++) {
		if (n[i] == 0)
			continue;
		if (name)
			sbuf_printf(sb, " %sType%u", which, i);
		else
			sbuf_printf(sb, " %lu", n[i]);
	}
}

static void
put_icmp_types(struct sbuf *sb, const struct lwip_port_icmp *c)
{
	if (sum(c->in) + sum(c->out) == 0)
		return;
	sbuf_puts(sb, "IcmpMsg:");
	put_types(sb, c->in, "In", true);
	put_types(sb, c->out, "Out", true);
	sbuf_puts(sb, "\nIcmpMsg:");
	put_types(sb, c->in, "In", false);
	put_types(sb, c->out, "Out", false);
	sbuf_puts(sb, "\n");
}

static void
put_tcp(struct sbuf *sb, const struct lwip_port_stats *s)
{
	uint64_t again = lwip_rexmit_stats.retrans;
	const struct tcp_pcb *pcb;
	unsigned established = 0;

	for (pcb = tcp_active_pcbs; pcb != NULL; pcb = pcb->next)
		established += pcb->state == ESTABLISHED ||
		    pcb->state == CLOSE_WAIT;
	sbuf_puts(sb,
	    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens "
	    "AttemptFails EstabResets CurrEstab InSegs OutSegs RetransSegs "
	    "InErrs OutRsts InCsumErrors\n");
	sbuf_printf(sb,
	    "Tcp: 1 200 120000 -1 %lu %lu %lu %lu %u %lu %lu %lu %lu %lu %lu\n",
	    s->mib2.tcpactiveopens, s->tcp_accepted,
	    s->mib2.tcpattemptfails + s->tcp_failed, s->tcp_broken, established,
	    s->mib2.tcpinsegs, s->tcp_out < again ? 0 : s->tcp_out - again,
	    again, s->mib2.tcpinerrs, s->mib2.tcpoutrsts + s->tcp_resets,
	    s->tcp.chkerr);
}

static void
put_udp(struct sbuf *sb, const char *name, const struct lwip_port_udp *u)
{
	sbuf_printf(sb,
	    "%s: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors "
	    "SndbufErrors InCsumErrors IgnoredMulti MemErrors\n"
	    "%s: %lu %lu %lu %lu %lu 0 %lu 0 0\n",
	    name, name, u->in, u->no_ports, u->errors + u->full, u->out,
	    u->full, u->csum);
}

void
inet_proc_snmp(struct sbuf *sb)
{
	const struct lwip_port_stats *s = &lwip_port_stats;

	net_lock();
	put_ip(sb, s);
	put_icmp(sb, s);
	put_icmp_types(sb, &s->icmps[0]);
	put_tcp(sb, s);
	put_udp(sb, "Udp", &s->udp[0][0]);
	put_udp(sb, "UdpLite", &s->udp[0][1]);
	net_unlock();
}

void
inet_proc_netstat(struct sbuf *sb)
{
	const struct lwip_rexmit_stats *c = &lwip_rexmit_stats;

	net_lock();
	sbuf_printf(sb,
	    "TcpExt: ListenOverflows ListenDrops TCPSackRecovery "
	    "TCPSACKReneging TCPTimeouts TCPLossProbes TCPDSACKRecv\n"
	    "TcpExt: %lu %lu %lu %lu %lu %lu %lu\n",
	    lwip_port_stats.tcp_overflows, lwip_port_stats.tcp_overflows,
	    c->recoveries, c->reneged, c->timeouts, c->probes, c->dsacks);
	net_unlock();
}

/* ------------------------------------------------------------------- IPv6 -- */

static void
put_number(struct sbuf *sb, const char *name, uint64_t n)
{
	sbuf_printf(sb, "%-32s\t%lu\n", name, n);
}

static void
put_ip6(struct sbuf *sb, const struct lwip_port_stats *s)
{
	put_number(sb, "Ip6InReceives", s->ip6.recv);
	put_number(sb, "Ip6InHdrErrors",
	    s->ip6.lenerr + s->ip6.opterr + s->ip6.err);
	put_number(sb, "Ip6InUnknownProtos", s->ip6.proterr);
	put_number(sb, "Ip6InDelivers", s->delivered6);
	put_number(sb, "Ip6OutForwDatagrams", 0);
	put_number(sb, "Ip6OutRequests", s->ip6.xmit);
	put_number(sb, "Ip6OutNoRoutes", s->ip6.rterr);
	put_number(sb, "Ip6FragCreates", s->ip6_frag.xmit);
}

static const struct {
	const char *name;
	uint8_t type;
} icmp6_types[] = {
	{ "DestUnreachs", ICMP6_TYPE_DUR },
	{ "PktTooBigs", ICMP6_TYPE_PTB },
	{ "TimeExcds", ICMP6_TYPE_TE },
	{ "ParmProblems", ICMP6_TYPE_PP },
	{ "Echos", ICMP6_TYPE_EREQ },
	{ "EchoReplies", ICMP6_TYPE_EREP },
	{ "GroupMembQueries", ICMP6_TYPE_MLQ },
	{ "GroupMembResponses", ICMP6_TYPE_MLR },
	{ "GroupMembReductions", ICMP6_TYPE_MLD },
	{ "RouterSolicits", ICMP6_TYPE_RS },
	{ "RouterAdvertisements", ICMP6_TYPE_RA },
	{ "NeighborSolicits", ICMP6_TYPE_NS },
	{ "NeighborAdvertisements", ICMP6_TYPE_NA },
	{ "Redirects", ICMP6_TYPE_RD },
	{ "MLDv2Reports", 143 },
};

static void
put_icmp6(struct sbuf *sb, const struct lwip_port_stats *s)
{
	const struct lwip_port_icmp *c = &s->icmps[1];
	uint64_t wrong = s->icmp6.chkerr + s->icmp6.lenerr;
	char name[32];
	unsigned i;

	put_number(sb, "Icmp6InMsgs", sum(c->in) + wrong);
	put_number(sb, "Icmp6InErrors", wrong);
	put_number(sb, "Icmp6OutMsgs", sum(c->out));
	put_number(sb, "Icmp6OutErrors", c->errors);
	put_number(sb, "Icmp6InCsumErrors", s->icmp6.chkerr);
	put_number(sb, "Icmp6OutRateLimitHost", c->held_peer);
	for (i = 0; i < ARRAY_SIZE(icmp6_types); i++) {
		snprintf(name, sizeof(name), "Icmp6In%s", icmp6_types[i].name);
		put_number(sb, name, c->in[icmp6_types[i].type]);
	}
	for (i = 0; i < ARRAY_SIZE(icmp6_types); i++) {
		snprintf(name, sizeof(name), "Icmp6Out%s", icmp6_types[i].name);
		put_number(sb, name, c->out[icmp6_types[i].type]);
	}
}

static void
put_types6(struct sbuf *sb, const uint64_t *n, const char *which)
{
	char name[32];
	unsigned i;

	for (i = 0; i < TYPES; i++) {
		if (n[i] == 0)
			continue;
		snprintf(name, sizeof(name), "Icmp6%sType%u", which, i);
		put_number(sb, name, n[i]);
	}
}

static void
put_udp6(struct sbuf *sb, const char *kind, const struct lwip_port_udp *u)
{
	static const char *const names[] = { "InDatagrams", "NoPorts",
		"InErrors", "OutDatagrams", "RcvbufErrors", "InCsumErrors" };
	const uint64_t n[] = { u->in, u->no_ports, u->errors + u->full, u->out,
		u->full, u->csum };
	char name[32];
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(name, sizeof(name), "%s%s", kind, names[i]);
		put_number(sb, name, n[i]);
	}
}

void
inet_proc_snmp6(struct sbuf *sb)
{
	const struct lwip_port_stats *s = &lwip_port_stats;

	net_lock();
	put_ip6(sb, s);
	put_icmp6(sb, s);
	put_types6(sb, s->icmps[1].in, "In");
	put_types6(sb, s->icmps[1].out, "Out");
	put_udp6(sb, "Udp6", &s->udp[1][0]);
	put_udp6(sb, "UdpLite6", &s->udp[1][1]);
	net_unlock();
}
