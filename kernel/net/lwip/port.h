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

#endif
