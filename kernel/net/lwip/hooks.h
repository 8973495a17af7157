/* SPDX-License-Identifier: ISC */
/*
 * hooks.h - where lwIP asks this kernel: included by its sources.
 */
#ifndef LWIP_PORT_HOOKS_H
#define LWIP_PORT_HOOKS_H

#include <lwip/arch.h>
#include <lwip/err.h>
#include <lwip/icmp.h>
#include <lwip/ip_addr.h>
#include <stdbool.h>

struct dhcp;
struct dhcp_msg;
struct netif;
struct pbuf;
struct tcp_hdr;
struct tcp_pcb;
struct tcp_pcb_listen;
struct tcp_seg;
struct udp_pcb;

/* A first sequence number that nobody can guess (RFC 6528). */
u32_t lwip_hook_tcp_isn(const ip_addr_t *local_ip, u16_t local_port,
    const ip_addr_t *remote_ip, u16_t remote_port);
#define LWIP_HOOK_TCP_ISN(lip, lport, rip, rport) \
	lwip_hook_tcp_isn(lip, lport, rip, rport)

/* net/inet_guard.c: every packet that comes; not 0: it is dealt with. */
int lwip_hook_ip4_input(struct pbuf *p, struct netif *inp);
#define LWIP_HOOK_IP4_INPUT(p, inp) lwip_hook_ip4_input(p, inp)
int lwip_hook_ip6_input(struct pbuf *p, struct netif *inp);
#define LWIP_HOOK_IP6_INPUT(p, inp) lwip_hook_ip6_input(p, inp)
/* Every segment of TCP for a control block; not ERR_OK: it is dropped. */
err_t lwip_hook_tcp_input(struct tcp_pcb *pcb, struct tcp_hdr *h,
    unsigned optlen, unsigned opt1len, u8_t *opt2, struct pbuf *p);
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, h, optlen, opt1len, opt2, p) \
	lwip_hook_tcp_input(pcb, h, optlen, opt1len, opt2, p)

/*
 * The resets with which tcp_in.c answers; `flags` there are those of the
 * segment that came.
 */
void lwip_port_reset(bool has_ack, u32_t seqno, u32_t ackno,
    const ip_addr_t *from, const ip_addr_t *to, u16_t from_port, u16_t to_port);
#ifdef LWIP_PORT_TCP_IN
#define tcp_rst(pcb, seqno, ackno, from, to, from_port, to_port)        \
	lwip_port_reset((flags & TCP_ACK) != 0, seqno, ackno, from, to, \
	    from_port, to_port)
#endif

/* The segments that tcp_out.c sends: ethif_tx.c may put them together. */
err_t lwip_hook_tcp_output(struct pbuf *p, const ip_addr_t *src,
    const ip_addr_t *dst, u8_t ttl, u8_t tos, struct netif *nif);
#ifdef LWIP_PORT_TCP_OUT
#undef ip_output_if
#define ip_output_if(p, src, dst, ttl, tos, proto, nif) \
	lwip_hook_tcp_output(p, src, dst, ttl, tos, nif)
#endif

/*
 * lwip/pcbs.c: who enters or leaves a list of TCP's control blocks; and what of
 * the lists of connections tcp_in.c sees: the one that a segment is for.
 */
void lwip_port_pcb_add(struct tcp_pcb **list, struct tcp_pcb *pcb);
void lwip_port_pcb_remove(struct tcp_pcb **list, struct tcp_pcb *pcb);
extern struct tcp_pcb *lwip_port_active, *lwip_port_waiting;
extern union tcp_listen_pcbs_t lwip_port_listening;
#if defined(LWIP_PORT_TCP) || defined(LWIP_PORT_TCP_IN)
#undef TCP_REG
#define TCP_REG(list, pcb) lwip_port_pcb_add(list, pcb)
#undef TCP_RMV
#define TCP_RMV(list, pcb) lwip_port_pcb_remove(list, pcb)
#endif
#ifdef LWIP_PORT_TCP_IN
#define tcp_active_pcbs lwip_port_active
#define tcp_tw_pcbs     lwip_port_waiting
#define tcp_listen_pcbs lwip_port_listening
#endif

/*
 * In place of tcp_tmr(), four times a second: connections that wait for nothing
 * are passed by.  Who waits for the fast timer says so.
 */
void lwip_hook_tcp_tmr(void);
extern bool lwip_port_fast;
#if defined(LWIP_PORT_TCP) || defined(LWIP_PORT_TCP_IN) || \
    defined(LWIP_PORT_TCP_OUT)
#undef tcp_set_flags
#define tcp_set_flags(pcb, set)                                    \
	do {                                                       \
		if (((set) & (TF_ACK_DELAY | TF_CLOSEPEND)) != 0)  \
			lwip_port_fast = true;                     \
		(pcb)->flags = (tcpflags_t)((pcb)->flags | (set)); \
	} while (0)
#endif
#ifdef LWIP_PORT_TCP
#define tcp_output(pcb)                                                   \
	((pcb)->unsent == NULL &&                                         \
		    ((pcb)->flags & (TF_ACK_NOW | TF_NAGLEMEMERR)) == 0 ? \
		ERR_OK :                                                  \
		tcp_output(pcb))
#endif

/*
 * lwip/rexmit.c: lwIP's tcp_output() has its place taken, where it is defined
 * by -Dtcp_output=...; and blocks are larger than lwIP knows.
 */
err_t lwip_port_output(struct tcp_pcb *pcb);
void *lwip_port_pcb_alloc(void);
/* lwip/recovery.c: segments are, too; and one may be sent again in its place. */
void *lwip_port_seg_alloc(void);
err_t
lwip_port_resend(struct tcp_pcb *pcb, struct tcp_seg *seg, struct netif *nif);
#ifdef LWIP_PORT_TCP_OUT
#define memp_malloc(type) lwip_port_seg_alloc()
static err_t
tcp_output_segment(struct tcp_seg *seg, struct tcp_pcb *pcb, struct netif *nif);

err_t
lwip_port_resend(struct tcp_pcb *pcb, struct tcp_seg *seg, struct netif *nif)
{
	return tcp_output_segment(seg, pcb, nif);
}
#endif
#ifdef LWIP_PORT_TCP
#undef TCP_SYN_RCVD_TIMEOUT
#define TCP_SYN_RCVD_TIMEOUT 70000 /* ms; 63 s are the tries' end */
#define memp_malloc(type) \
	((type) == MEMP_TCP_PCB ? lwip_port_pcb_alloc() : (memp_malloc)(type))
#endif

/* lwip/segment.c: where a segment is freed. */
void lwip_port_seg_free(void *seg);
#ifdef LWIP_PORT_TCP
#define memp_free(type, mem)                                \
	((type) == MEMP_TCP_SEG ? lwip_port_seg_free(mem) : \
				  memp_free(type, mem))
#endif

/*
 * net/inet_window.c: each connection has a window of its own.  Where lwIP asks
 * for that of all, `pcb` is the connection; or the listener, from which a new
 * one has it.
 */
u32_t lwip_port_window(const struct tcp_pcb *pcb);
struct tcp_pcb *
lwip_hook_tcp_accepting(struct tcp_pcb *pcb, const struct tcp_pcb_listen *l);
#if defined(LWIP_PORT_TCP) || defined(LWIP_PORT_TCP_IN)
#undef TCP_WND
#define TCP_WND lwip_port_window(pcb)
#endif
#ifdef LWIP_PORT_TCP_IN
#define tcp_alloc(prio) lwip_hook_tcp_accepting((tcp_alloc)(prio), pcb)
#endif

/* In place of tcp_input(), which it calls. */
void lwip_hook_tcp_segment(struct pbuf *p, struct netif *inp);

/*
 * net/inet_urgent.c: headers of a connection whose last bytes are urgent, which
 * a flag of ours says.  The place is where options could be added.
 */
#define TF_URGENT 0x8000u
void lwip_hook_tcp_urgent(struct tcp_pcb *pcb, struct tcp_hdr *h);
#define LWIP_HOOK_TCP_OUT_ADD_TCPOPTS(p, h, pcb, opts)                     \
	((pcb) != NULL && ((pcb)->flags & TF_URGENT) != 0 ?                \
		(lwip_hook_tcp_urgent((struct tcp_pcb *)(pcb), h), opts) : \
		(opts))

/* net/inet_pmtu.c: what UDP and raw sockets send; the size of segments. */
err_t lwip_hook_ip4_output(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dst, u8_t ttl, u8_t tos, u8_t proto, struct netif *nif);
u16_t lwip_hook_send_mss(u16_t mss, struct netif *nif, const ip_addr_t *to);
/* counters.c: in place of icmp_input() and icmp6_input(); and what nd6.c and
 * mld6.c send. */
void lwip_hook_icmp_input(struct pbuf *p, struct netif *inp);
void lwip_hook_icmp6_input(struct pbuf *p, struct netif *inp);
err_t lwip_hook_link6_output(struct pbuf *p, const ip6_addr_t *src,
    const ip6_addr_t *dest, u8_t hl, u8_t tc, u8_t nexth, struct netif *nif);
/* net/inet_icmp.c: what icmp.c and icmp6.c send, if it may be sent now. */
err_t lwip_hook_icmp_output(struct pbuf *p, const ip4_addr_t *src,
    const ip4_addr_t *dest, u8_t ttl, u8_t tos, u8_t proto, struct netif *nif);
err_t lwip_hook_icmp6_output(struct pbuf *p, const ip6_addr_t *src,
    const ip6_addr_t *dest, u8_t hl, u8_t tc, u8_t nexth, struct netif *nif);
/* net/inet_icmp.c, in place of icmp_dest_unreach(); p: the packet, IP first. */
void lwip_hook_unreachable(struct pbuf *p, enum icmp_dur_type code);

/* timers.c, in place of ip4_reass() and ip6_reass(): fragments grow old. */
struct pbuf *lwip_hook_ip4_reass(struct pbuf *p);
struct pbuf *lwip_hook_ip6_reass(struct pbuf *p);

/* In place of udp_input(), which gets UDP-Lite's table for UDP-Lite. */
void lwip_hook_udp_input(struct pbuf *p, struct netif *inp);

/* The interface and the next hop that the table of routes says. */
struct netif *
lwip_hook_ip4_route(const ip4_addr_t *src, const ip4_addr_t *dest);
const ip4_addr_t *
lwip_hook_ip4_gateway(struct netif *netif, const ip4_addr_t *dest);
#define LWIP_HOOK_ETHARP_GET_GW(netif, dest) lwip_hook_ip4_gateway(netif, dest)

/*
 * net/inet_route6.c: the interface for a packet, and the next hop; in nd6.c,
 * which networks are one; what routers say, and the clock of that: after how
 * many seconds, beside what nd6.c does, it has something to do (0: never).
 */
struct netif *
lwip_hook_ip6_route(const ip6_addr_t *src, const ip6_addr_t *dest);
const ip6_addr_t *
lwip_hook_ip6_gateway(struct netif *netif, const ip6_addr_t *dest);
#define LWIP_HOOK_ND6_GET_GW(netif, dest) lwip_hook_ip6_gateway(netif, dest)
bool lwip_hook_nd6_same_net(const ip6_addr_t *a, const ip6_addr_t *own);
#ifdef LWIP_PORT_ND6
#undef ip6_addr_netcmp
#define ip6_addr_netcmp(a, own) lwip_hook_nd6_same_net(a, own)
#endif
void lwip_hook_nd6_input(struct pbuf *p, struct netif *inp);
void lwip_hook_nd6_tmr(void);
u32_t lwip_hook_nd6_life(void);
/* net/inet_addr6.c: the address that a packet is from; NULL: none. */
const ip_addr_t *
lwip_hook_ip6_source(struct netif *netif, const ip6_addr_t *dest);

/* What lwIP's IP sends to an address of the machine's own. */
err_t lwip_hook_loop_output(struct netif *nif, struct pbuf *p);
#define netif_loop_output(nif, p) lwip_hook_loop_output(nif, p)

/* An option of a DHCP server's answer that lwIP itself has no use for. */
void lwip_hook_dhcp_option(struct netif *netif, u8_t type, u8_t option,
    u8_t len, struct pbuf *p, u16_t offset);
#define LWIP_HOOK_DHCP_PARSE_OPTION(netif, dhcp, state, msg, msg_type, option, \
    len, pbuf, offset)                                                         \
	lwip_hook_dhcp_option(netif, msg_type, option, len, pbuf, offset)

#endif
