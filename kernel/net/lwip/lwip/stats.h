/* SPDX-License-Identifier: ISC */
/*
 * stats.h - lwIP's counters, before its own of that name: those that /proc/net
 * shows, of 64 bits.  The names are lwIP's, RFC 2011's, 2012's and 2013's.
 * Changed and read with the network lock held.
 */
#ifndef LWIP_PORT_STATS_H
#define LWIP_PORT_STATS_H

#include_next <lwip/stats.h>
#include <stdint.h>

/* What lwIP counts of a protocol. */
struct lwip_port_proto {
	uint64_t xmit, recv, fw, drop, chkerr, lenerr, memerr, rterr, proterr,
	    opterr, err, cachehit;
};

struct lwip_port_mib2 {
	uint64_t ipinreceives, ipinhdrerrors, ipinaddrerrors, ipforwdatagrams,
	    ipinunknownprotos, ipindiscards, ipindelivers, ipoutrequests,
	    ipoutdiscards, ipoutnoroutes, ipreasmoks, ipreasmfails, ipfragoks,
	    ipfragfails, ipreasmreqds;
	uint64_t tcpactiveopens, tcppassiveopens, tcpattemptfails,
	    tcpestabresets, tcpoutsegs, tcpretranssegs, tcpinsegs, tcpinerrs,
	    tcpoutrsts;
	uint64_t udpindatagrams, udpnoports, udpinerrors, udpoutdatagrams;
	uint64_t icmpinmsgs, icmpinerrors, icmpindestunreachs, icmpintimeexcds,
	    icmpinparmprobs, icmpinsrcquenchs, icmpinredirects, icmpinechos,
	    icmpinechoreps, icmpintimestamps, icmpintimestampreps,
	    icmpinaddrmasks, icmpinaddrmaskreps, icmpoutmsgs, icmpouterrors,
	    icmpoutdestunreachs, icmpouttimeexcds, icmpoutechos,
	    icmpoutechoreps;
};

/* Of datagrams, as programs see them: counted by the kernel. */
struct lwip_port_udp {
	uint64_t in, no_ports, errors, out, full, csum;
};
/* Messages of ICMP by their types; the same. */
struct lwip_port_icmp {
	uint64_t in[256], out[256], errors;
	uint64_t held_all, held_peer; /* reports that were one too many */
};

struct lwip_port_stats {
	struct lwip_port_mib2 mib2;
	struct lwip_port_proto ip6, icmp, icmp6, tcp, ip_frag, ip6_frag;
	/* The kernel's: */
	struct lwip_port_udp udp[2][2];                /* IPv6, UDP-Lite */
	struct lwip_port_icmp icmps[2];                /* IPv6 */
	uint64_t tcp_out, tcp_resets;                  /* segments */
	uint64_t tcp_accepted, tcp_failed, tcp_broken; /* connections */
	uint64_t tcp_overflows; /* that a full listener did not want */
	uint64_t delivered6;
};
extern struct lwip_port_stats lwip_port_stats;

#undef MIB2_STATS_INC
#define MIB2_STATS_INC(x) (lwip_port_stats.x++)
#undef IP6_STATS_INC
#define IP6_STATS_INC(x) (lwip_port_stats.x++)
#undef ICMP_STATS_INC
#define ICMP_STATS_INC(x) (lwip_port_stats.x++)
#undef ICMP6_STATS_INC
#define ICMP6_STATS_INC(x) (lwip_port_stats.x++)
#undef TCP_STATS_INC
#define TCP_STATS_INC(x) (lwip_port_stats.x++)
#undef IPFRAG_STATS_INC
#define IPFRAG_STATS_INC(x) (lwip_port_stats.x++)
#undef IP6_FRAG_STATS_INC
#define IP6_FRAG_STATS_INC(x) (lwip_port_stats.x++)

#endif
