/* SPDX-License-Identifier: ISC */
/*
 * inet_proc.h - /proc/net: the network as text.  proc(5).  All take the
 * network lock, and print nothing but headings while there is no network.
 * Each is 0, or -ENOMEM by way of the sbuf.
 */
#ifndef NET_INET_PROC_H
#define NET_INET_PROC_H

struct sbuf;

/* Sockets; v6: those of AF_INET6. */
void inet_proc_tcp(struct sbuf *sb, int v6);
void inet_proc_udp(struct sbuf *sb, int v6);
void inet_proc_udplite(struct sbuf *sb, int v6);
void inet_proc_raw(struct sbuf *sb, int v6);
void inet_proc_icmp(struct sbuf *sb, int v6); /* those of echoes */
/* How many there are. */
void inet_proc_sockstat(struct sbuf *sb);
void inet_proc_sockstat6(struct sbuf *sb);
/* inet_snmp.c: counters. */
void inet_proc_snmp(struct sbuf *sb);
void inet_proc_snmp6(struct sbuf *sb);
void inet_proc_netstat(struct sbuf *sb);
/* Interfaces, their addresses of IPv6, neighbours, routes. */
void inet_proc_dev(struct sbuf *sb);
void inet_proc_if_inet6(struct sbuf *sb);
void inet_proc_arp(struct sbuf *sb);
void inet_proc_route(struct sbuf *sb);
/* -ENOMEM */
int inet_proc_route6(struct sbuf *sb);
/* inet_proc_mcast.c: groups, of IPv4, of IPv6, of Ethernet. */
void inet_proc_igmp(struct sbuf *sb);
void inet_proc_igmp6(struct sbuf *sb);
void inet_proc_dev_mcast(struct sbuf *sb);
/* What was learnt at boot. */
void inet_proc_pnp(struct sbuf *sb);

#endif
