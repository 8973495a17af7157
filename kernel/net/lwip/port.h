/* SPDX-License-Identifier: ISC */
/* port.h - lwIP's port: what cc.h and hooks.h declare for lwIP's sources. */
#ifndef NET_LWIP_PORT_H
#define NET_LWIP_PORT_H

#include <lwip/opt.h>
#include "hooks.h"

/* pcbs.c, of a local port of TCP.  UNKNOWN: lwIP must look for itself. */
enum lwip_port_use { LWIP_PORT_UNKNOWN, LWIP_PORT_FREE, LWIP_PORT_USED };
enum lwip_port_use lwip_port_use(u16_t port);
/* tcp_bind(), quick where that is known. */
err_t lwip_port_bind(struct tcp_pcb *pcb, const ip_addr_t *ip, u16_t port);

/* More connections than that may not stay in TIME_WAIT. */
void lwip_port_set_waiting_max(unsigned n);

/* inet_guard.c: more half-open connections a listener may not have. */
void inet_guard_set_half_open_max(unsigned n);

/*
 * udps.c: as lwIP's functions of these names, each of which sees the blocks of
 * one port alone.  A port is never 0.
 */
void lwip_port_udp_input(struct pbuf *p, struct netif *inp);
err_t lwip_port_udp_bind(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port);
err_t
lwip_port_udp_connect(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port);
void lwip_port_udp_remove(struct udp_pcb *pcb);
/* It has no port any more. */
void lwip_port_udp_unbind(struct udp_pcb *pcb);
/* udp_netif_ip_addr_changed(). */
void lwip_port_udp_address(const ip_addr_t *from, const ip_addr_t *to);

/*
 * ethif_tx.c: whether a segment of new data, whose header has ports, number and
 * flags, has joined the packet of the one before it, sent under the same lock.
 */
bool ethif_tcp_follows(const struct tcp_pcb *pcb, const struct pbuf *p);

/*
 * segment.c, in place of tcp_write(): how many bytes it took; fewer without
 * memory or room.  They stay in place until they are acknowledged.
 */
unsigned
lwip_port_write(struct tcp_pcb *pcb, const void *data, unsigned len, bool more);
/* lwIP's tcp_output(), without a walk past all that was sent. */
err_t lwip_port_send(struct tcp_pcb *pcb);
/* Memory that is kept for segments to come. */
void lwip_port_spare_free(void);

/*
 * timers.c: the calls that lwIP's modules want at their intervals, if they are
 * due.  Not `all`: those alone that nobody notices, as something grows older.
 */
void lwip_timers_run(bool all);
/* How long, in ms, no call is due that somebody would notice. */
u32_t lwip_timers_sleep(void);
/* Packets were sent or came, or may have been: neighbours may be asked for. */
void lwip_timers_used(void);
/* port.c: the monotonic clock in us, of which sys_now() is the ms. */
u64_t lwip_port_us(void);
/* port.c, for timers.c: how long to sleep must be asked again. */
void lwip_timers_look(void);

#endif
