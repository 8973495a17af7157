/* SPDX-License-Identifier: ISC */
/*
 * inet_config.h - how interfaces get their addresses at boot: ip= as Linux
 * reads it, by hand or by DHCP.  Linux, admin-guide/nfs/nfsroot.rst.
 */
#ifndef NET_INET_CONFIG_H
#define NET_INET_CONFIG_H

#include "kern/types.h"

struct netif;
struct sbuf;

/* ---- for lwip/port.c and lwip/ethif.c ---- */

void inet_config_init(void);                  /* network lock held */
void inet_config_arrived(struct netif *nif);  /* lock held */
void inet_config_departed(struct netif *nif); /* lock held */
void inet_config_work(void);                  /* the thread, no lock */
/* Whether the first program has to wait for an address. */
bool inet_config_must_wait(void);
/* Until ip= is fulfilled; within limits. */
void inet_config_wait(void);

/* ---- for everybody ---- */

/* Starts or ends DHCP on an interface; lock held.  0, -ENOMEM */
int inet_config_dhcp(struct netif *nif, bool on);
/* What has become of it; lock held. */
enum inet_dhcp_state { INET_DHCP_OFF, INET_DHCP_ASKING, INET_DHCP_BOUND };
enum inet_dhcp_state inet_config_dhcp_state(struct netif *nif);
/* /proc/net/pnp: what was learnt of domain and name servers. */
struct inet_pnp {
	bool dhcp, manual;
	char domain[64];
	uint32_t dns[3], ntp[3], server; /* network order; 0: none */
};
void inet_config_pnp(struct inet_pnp *pnp);
/* What the floor above does with a host name that ip= or DHCP gives. */
void inet_config_set_hostname_hook(void (*fn)(const char *name));

#endif
