/* SPDX-License-Identifier: ISC */
/*
 * inet_sysctl.h - what of the network /proc/sys shows and sets, interface by
 * interface.  ip-sysctl.txt.  All take the network lock.
 */
#ifndef NET_INET_SYSCTL_H
#define NET_INET_SYSCTL_H

#include "kern/types.h"

/* In place of an interface's number: all; those that come. */
#define INET_SYSCTL_ALL     0x1000u
#define INET_SYSCTL_DEFAULT 0x1001u
#define INET_SYSCTL_NAME    16u

enum inet_conf6_key {
	INET_CONF6_DISABLE,
	INET_CONF6_ACCEPT_RA,
	INET_CONF6_AUTOCONF,
	INET_CONF6_REDIRECTS,
	INET_CONF6_MTU, /* cannot be set */
};

/* inet_icmp.c: rates in ms, or a second's number; a mask of types. */
enum inet_icmp_key {
	INET_ICMP_RATELIMIT,
	INET_ICMP_RATEMASK,
	INET_ICMP_PER_SEC,
	INET_ICMP_BURST,
	INET_ICMP_ECHO_IGNORE,
	INET_ICMP6_RATELIMIT,
	INET_ICMP6_ECHO_IGNORE,
	INET_ICMP6_ECHO_IGNORE_GROUPS,
	INET_ICMP_KEYS
};
int inet_icmp_get(enum inet_icmp_key key);
/* 0, -EINVAL */
int inet_icmp_set(enum inet_icmp_key key, int value);

/* The i-th interface's name and number; false: no more. */
bool
inet_sysctl_nth(unsigned i, char name[INET_SYSCTL_NAME], unsigned *if_index);
/* The number of an interface, or of "all" or "default"; 0: none. */
unsigned inet_sysctl_find(const char *name);

/* -ENOENT: the interface has gone */
int inet_conf6_get(unsigned if_index, enum inet_conf6_key key, int *value);
/* The same.  -EINVAL: that it cannot be */
int inet_conf6_set(unsigned if_index, enum inet_conf6_key key, int value);

#endif
