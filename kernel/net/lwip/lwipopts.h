/* SPDX-License-Identifier: ISC */
/*
 * lwipopts.h - what of lwIP is built, and how.
 *
 * lwIP has no threads of its own here (NO_SYS): whoever calls it holds the
 * network lock (net/stack.h).  All memory comes from kmem: a number below
 * bounds something only where it says so.
 */
#ifndef LWIPOPTS_H
#define LWIPOPTS_H

#define NO_SYS               1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS          1
#define LWIP_SOCKET          0
#define LWIP_NETCONN         0
#define LWIP_STATS           0 /* what is counted: lwip/stats.h here */
#define LWIP_HOOK_FILENAME   "hooks.h"
/* lwIP looks at this one before it includes hooks.h. */
#define LWIP_HOOK_IP4_ROUTE_SRC(src, dest) lwip_hook_ip4_route(src, dest)

/* Memory: mem_malloc() is kmalloc(). */
#define MEM_LIBC_MALLOC          1
#define MEMP_MEM_MALLOC          1
#define MEM_ALIGNMENT            8
#define ETH_PAD_SIZE             0
#define LWIP_SUPPORT_CUSTOM_PBUF 1
#define LWIP_PBUF_REF_T          u16_t
/* What waits for a neighbour is copied: TCP's pages are not held meanwhile. */
#define PBUF_NEEDS_COPY(p) ((p)->type_internal != PBUF_RAM)

/* Interfaces. */
#define LWIP_HAVE_LOOPIF               1
#define LWIP_NETIF_LOOPBACK            1
#define LWIP_LOOPBACK_MAX_PBUFS        0
#define LWIP_NETIF_HOSTNAME            1
#define LWIP_NETIF_EXT_STATUS_CALLBACK 1
#define LWIP_CHECKSUM_CTRL_PER_NETIF   1
#define LWIP_NETIF_HWADDRHINT          1
#define LWIP_ETHERNET                  1
#define LWIP_ARP                       1
#define ARP_TABLE_SIZE                 64
#define ARP_QUEUEING                   1
#define ARP_QUEUE_LEN                  32
#define ETHARP_SUPPORT_STATIC_ENTRIES  1
#define ETHARP_TABLE_MATCH_NETIF       1

/* Hops, as Linux has them. */
#define IP_DEFAULT_TTL 64
#define LWIP_ICMP6_HL  64

/* IPv4 */
#define LWIP_IPV4                 1
#define IP_REASSEMBLY             1
#define IP_REASS_MAX_PBUFS        256 /* of all packets together */
#define IP_FRAG                   1
#define IP_SOF_BROADCAST          1
#define IP_SOF_BROADCAST_RECV     0
#define LWIP_ICMP                 1
#define LWIP_IGMP                 1
#define LWIP_MULTICAST_TX_OPTIONS 1
#define LWIP_RAW                  1
#define LWIP_UDP                  1
#define LWIP_UDPLITE              1
#define LWIP_DHCP                 1
#define DHCP_DOES_ARP_CHECK       0
#define LWIP_DNS                  0

/* IPv6 */
#define LWIP_IPV6                 1
#define LWIP_IPV6_NUM_ADDRESSES   16
#define LWIP_IPV6_AUTOCONFIG      1
#define LWIP_IPV6_MLD             1
#define LWIP_IPV6_FRAG            1
#define LWIP_IPV6_REASS           1
#define IPV6_FRAG_COPYHEADER      1
#define LWIP_ND6_QUEUEING         1
#define LWIP_ND6_NUM_NEIGHBORS    32
#define LWIP_ND6_NUM_DESTINATIONS 32
#define LWIP_IPV6_DHCP6           0

/* Whose there is in ip6.c gives way to net/inet_route6.c, net/inet_addr6.c. */
#ifndef LWIP_PORT_IP6
#define ip6_route                 lwip_hook_ip6_route
#define ip6_select_source_address lwip_hook_ip6_source
#endif

/* TCP.  Windows grow with the machine's memory (net/lwip/port.c). */
#define LWIP_TCP 1
extern unsigned lwip_tcp_window;
#define TCP_MSS 65495 /* the most; each path has its own */
#define TCP_WND lwip_tcp_window
/* In tcp_recved() there is a pcb: its window may not be scaled. */
#define TCP_WND_UPDATE_THRESHOLD          LWIP_MIN(TCP_WND_MAX(pcb) / 4, 0x8000u)
#define TCP_SND_BUF                       lwip_tcp_window
#define TCP_SND_QUEUELEN                  0xfff0
#define TCP_SNDQUEUELOWAT                 0x1000
#define TCP_OVERSIZE                      0 /* data is never copied: net/inet_send.c */
#define LWIP_WND_SCALE                    1
#define TCP_RCV_SCALE                     7
#define LWIP_TCP_SACK_OUT                 1
#define LWIP_TCP_TIMESTAMPS               1
#define LWIP_TCP_KEEPALIVE                1
#define TCP_LISTEN_BACKLOG                0 /* net/inet_guard.c counts */
#define LWIP_TCP_PCB_NUM_EXT_ARGS         3 /* net/lwip/pcbs.c */
#define TCP_QUEUE_OOSEQ                   1
#define TCP_OOSEQ_MAX_BYTES               lwip_tcp_window
#define TCP_MAXRTX                        12
#define TCP_SYNMAXRTX                     6
#define LWIP_TCP_RTO_TIME                 1000  /* RFC 6298, 2.1 */
#define TCP_MSL                           30000 /* 60 s of TIME_WAIT */
#define SO_REUSE                          1
#define SO_REUSE_RXTOALL                  1
#define LWIP_TCP_CLOSE_TIMEOUT_MS_DEFAULT 20000

#endif
