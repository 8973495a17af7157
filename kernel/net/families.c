/* SPDX-License-Identifier: ISC */
/* families.c - the families of addresses, in sight. */
#include "net/netlink.h"
#include "net/socket.h"
#include "net/vsock.h"

static const struct sock_family *const families[] = {
	&unix_family,
	&netlink_family,
	&inet_family,
	&inet6_family,
	&vsock_family,
	&packet_family,
};

const struct sock_family *
sock_family_find(int family)
{
	unsigned i;

	for (i = 0; i < ARRAY_SIZE(families); i++)
		if (families[i]->family == family)
			return families[i];
	return NULL;
}
