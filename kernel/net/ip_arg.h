/* SPDX-License-Identifier: ISC */
/*
 * ip_arg.h - the grammar of ip=:
 *   CLIENT:SERVER:GATEWAY:NETMASK:HOSTNAME:DEVICE:AUTOCONF:DNS0:DNS1:NTP0
 * or AUTOCONF alone.  Linux, admin-guide/nfs/nfsroot.rst.  Nothing is
 * allocated, no state is kept.
 */
#ifndef NET_IP_ARG_H
#define NET_IP_ARG_H

#include "kern/types.h"

struct ip_arg {
	uint32_t client, server, gateway, netmask; /* network order; 0: none */
	uint32_t dns[2], ntp;
	char hostname[65], device[16]; /* "": none */
	bool off;                      /* no autoconfiguration */
	bool dhcp;                     /* asked for, or nothing else is known */
};

/* 0, or -EINVAL: no such word, address or name. */
int ip_arg_parse(const char *text, struct ip_arg *out);
/* "10.0.2.15" to network order; the whole of [s, s + len).  -EINVAL */
int ip_parse4(const char *s, size_t len, uint32_t *out);
/* The mask of an address's class, where none is given. */
uint32_t ip_class_mask(uint32_t addr);

#endif
