/* SPDX-License-Identifier: ISC */
/*
 * netlink_uevent.c - NETLINK_KOBJECT_UEVENT: the kernel's messages about
 * devices in group 1; in the others programs (udev) talk among themselves.
 */
#include "bus/uevent.h"
#include "fs/chrdev.h"
#include "net/netlink.h"
#include <linux/netlink.h>

#define GROUP_KERNEL 1

static void
deliver(const char *msg, size_t len)
{
	netlink_broadcast(NETLINK_KOBJECT_UEVENT, GROUP_KERNEL, msg, len);
}

/* What has been there for long comes up before anybody hears of news. */
static void
listening(bool on)
{
	if (on) {
		chrdev_publish();
		uevent_set_sink(deliver);
	}
	uevent_listening(on);
}

const struct netlink_proto netlink_uevent = {
	.protocol = NETLINK_KOBJECT_UEVENT,
	.ngroups = 32,
	.listening = listening,
};
