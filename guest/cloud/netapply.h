/* SPDX-License-Identifier: ISC */
/*
 * netapply.h - sets the machine's interfaces up: addresses and routes by
 * netlink and ioctl(2), DHCP by the kernel's own client.
 */
#ifndef CLOUD_NETAPPLY_H
#define CLOUD_NETAPPLY_H

#include <netinet/in.h>

#include "guest/cloud/netconf.h"

#define NET_DHCP_S 30 /* how long an address is waited for */

/* Does what is asked for, and waits for addresses.  Errors are told. */
void net_apply(const struct net_config *c);

/*
 * Where no interface has an address, asks for one by DHCP on the first; what
 * cloud-init does where nothing else is asked for.
 */
void net_fallback(void);

/* Whether there is an interface at all, beside lo. */
bool net_is_there(void);

/* A way to one address on the first interface's own link.  0, -errno */
int net_link_route(struct in_addr to);

#endif
