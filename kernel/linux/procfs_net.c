/* SPDX-License-Identifier: ISC */
/* procfs_net.c - /proc/net: which files there are; net/inet_proc.c prints. */
#include "linux/procfs.h"
#include "net/inet_proc.h"
#include "net/stack.h"
#include "net/unix.h"

/* Without a network there is nothing behind the headings. */
#define SHOW(name, call)                                                    \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		int error = net_up();                                       \
                                                                            \
		(void)id;                                                   \
		if (error == 0)                                             \
			call;                                               \
		return error;                                               \
	}
SHOW(tcp, inet_proc_tcp(sb, 0))
SHOW(tcp6, inet_proc_tcp(sb, 1))
SHOW(udp, inet_proc_udp(sb, 0))
SHOW(udp6, inet_proc_udp(sb, 1))
SHOW(udplite, inet_proc_udplite(sb, 0))
SHOW(udplite6, inet_proc_udplite(sb, 1))
SHOW(raw, inet_proc_raw(sb, 0))
SHOW(icmp, inet_proc_icmp(sb, 0))
SHOW(icmp6, inet_proc_icmp(sb, 1))
SHOW(igmp, inet_proc_igmp(sb))
SHOW(igmp6, inet_proc_igmp6(sb))
SHOW(dev_mcast, inet_proc_dev_mcast(sb))
SHOW(raw6, inet_proc_raw(sb, 1))
SHOW(sockstat, inet_proc_sockstat(sb))
SHOW(sockstat6, inet_proc_sockstat6(sb))
SHOW(snmp, inet_proc_snmp(sb))
SHOW(snmp6, inet_proc_snmp6(sb))
SHOW(netstat, inet_proc_netstat(sb))
SHOW(dev, inet_proc_dev(sb))
SHOW(if_inet6, inet_proc_if_inet6(sb))
SHOW(arp, inet_proc_arp(sb))
SHOW(route, inet_proc_route(sb))
SHOW(route6, error = inet_proc_route6(sb))
SHOW(pnp, inet_proc_pnp(sb))

/* Needs no network. */
static int
show_unix(const struct pseudo_id *id, struct sbuf *sb)
{
	(void)id;
	unix_proc(sb);
	return 0;
}

const struct pseudo_entry proc_net_entries[] = {
	PROC_FILE("arp", 0444, show_arp),
	PROC_FILE("dev", 0444, show_dev),
	PROC_FILE("dev_mcast", 0444, show_dev_mcast),
	PROC_FILE("icmp", 0444, show_icmp),
	PROC_FILE("icmp6", 0444, show_icmp6),
	PROC_FILE("if_inet6", 0444, show_if_inet6),
	PROC_FILE("igmp", 0444, show_igmp),
	PROC_FILE("igmp6", 0444, show_igmp6),
	PROC_FILE("ipv6_route", 0444, show_route6),
	PROC_FILE("netstat", 0444, show_netstat),
	PROC_FILE("pnp", 0444, show_pnp),
	PROC_FILE("raw", 0444, show_raw),
	PROC_FILE("raw6", 0444, show_raw6),
	PROC_FILE("route", 0444, show_route),
	PROC_FILE("snmp", 0444, show_snmp),
	PROC_FILE("snmp6", 0444, show_snmp6),
	PROC_FILE("sockstat", 0444, show_sockstat),
	PROC_FILE("sockstat6", 0444, show_sockstat6),
	PROC_FILE("tcp", 0444, show_tcp),
	PROC_FILE("tcp6", 0444, show_tcp6),
	PROC_FILE("udp", 0444, show_udp),
	PROC_FILE("udp6", 0444, show_udp6),
	PROC_FILE("udplite", 0444, show_udplite),
	PROC_FILE("udplite6", 0444, show_udplite6),
	PROC_FILE("unix", 0444, show_unix),
	{ .name = NULL },
};
