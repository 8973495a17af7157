/* SPDX-License-Identifier: ISC */
/*
 * netconf.h - network-config, versions 1 and 2: what of it is done here, as a
 * list of interfaces.  cloud-init, "Networking config".
 */
#ifndef CLOUD_NETCONF_H
#define CLOUD_NETCONF_H

#include <netinet/in.h>
#include <stdbool.h>

#include "guest/cloud/mem.h"

struct net_address {
	int family; /* AF_INET, AF_INET6 */
	unsigned char bytes[16];
	unsigned prefix; /* bits */
};

struct net_route { /* network order */
	struct in_addr to, mask, via;
	unsigned metric;
};

struct net_if {
	char *name; /* a pattern of fnmatch(3); NULL: any */
	char *mac;  /* in small letters, or NULL: any */
	bool dhcp;
	unsigned mtu; /* 0: as it is */
	struct net_address *address;
	size_t naddresses;
	struct net_route *route;
	size_t nroutes;
};

struct net_config {
	struct net_if *nif;
	size_t nifs;
	struct strings dns, search;
};

/*
 * Reads a network-config.  What is wrong or not done here is told and left
 * out; -EINVAL: nothing of it makes sense.  netconf_fini() is due anyway.
 */
int netconf_read(struct net_config *c, const char *data, size_t n);
void netconf_fini(struct net_config *c);

/* Whether the entry means the interface with that name and address. */
bool
netconf_matches(const struct net_if *nif, const char *name, const char *mac);

#endif
