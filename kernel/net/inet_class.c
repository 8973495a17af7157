/* SPDX-License-Identifier: ISC */
/*
 * inet_class.c - /sys/class/net: interfaces as class devices.
 * Linux, ABI/testing/sysfs-class-net.  No file's function runs with the
 * network lock held; each takes it.
 */
#include "net/inet_class.h"

#include "abi/netdevice.h"
#include "bus/classdev.h"
#include "kern/sbuf.h"
#include "kern/string.h"
#include "net/ethif.h"
#include "net/inet_config.h"
#include "net/lwip/port.h"
#include "net/stack.h"
#include <lwip/netif.h>
#include <linux/errno.h>

/* ------------------------------------------------------------------ files -- */

/* A file that prints one thing of a netif `nif` and its card `nic`. */
#define SHOW(fn, format, value)                                    \
	static int show_##fn(struct classdev *cd, struct sbuf *sb) \
	{                                                          \
		struct netif *nif;                                 \
		const struct nic *nic;                             \
                                                                   \
		net_lock();                                        \
		nif = ethif_by_name(cd->name);                     \
		nic = nif == NULL ? NULL : ethif_nic(nif);         \
		(void)nic;                                         \
		if (nif != NULL)                                   \
			sbuf_printf(sb, format "\n", value);       \
		net_unlock();                                      \
		return nif == NULL ? -ENODEV : 0;                  \
	}
#define SHOW_STAT(fn) SHOW(fn, "%lu", ethif_stats(nif)->fn)

SHOW(addr_len, "%u", 6u)
SHOW(carrier, "%u", (unsigned)netif_is_link_up(nif))
SHOW(duplex, "%s", nic != NULL && nic->info.speed != 0 ? "full" : "unknown")
SHOW(flags, "0x%x", ethif_flags(nif) & 0xffff)
SHOW(ifindex, "%u", ethif_index(nif))
SHOW(mtu, "%u", ethif_mtu(nif))
SHOW(operstate, "%s",
    nic == NULL                               ? "unknown" :
	(ethif_flags(nif) & IFF_RUNNING) != 0 ? "up" :
						"down")
SHOW(speed, "%d",
    nic != NULL && nic->info.speed != 0 ? (int)nic->info.speed : -1)
SHOW(tx_queue_len, "%u", 1000u)
SHOW(type, "%u", nic == NULL ? ARPHRD_LOOPBACK : ARPHRD_ETHER)
SHOW(zero, "%u", 0u)
SHOW_STAT(rx_packets)
SHOW_STAT(rx_bytes)
SHOW_STAT(rx_dropped)
SHOW_STAT(rx_errors)
SHOW_STAT(multicast)
SHOW_STAT(tx_packets)
SHOW_STAT(tx_bytes)
SHOW_STAT(tx_dropped)

static void
print_mac(struct sbuf *sb, const uint8_t *m)
{
	sbuf_printf(sb, "%02x:%02x:%02x:%02x:%02x:%02x\n", m[0], m[1], m[2],
	    m[3], m[4], m[5]);
}

static int
show_address(struct classdev *cd, struct sbuf *sb)
{
	static const uint8_t none[NIC_MAC_LEN];
	struct netif *nif;

	net_lock();
	nif = ethif_by_name(cd->name);
	if (nif != NULL)
		print_mac(sb, ethif_nic(nif) == NULL ? none : nif->hwaddr);
	net_unlock();
	return nif == NULL ? -ENODEV : 0;
}

static int
show_broadcast(struct classdev *cd, struct sbuf *sb)
{
	static const uint8_t all[NIC_MAC_LEN] = { 255, 255, 255, 255, 255,
		255 };

	(void)cd;
	print_mac(sb, all);
	return 0;
}

static int
store_mtu(struct classdev *cd, const char *text, size_t len)
{
	struct netif *nif;
	unsigned v = 0;
	size_t i;
	int error;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9' && i < 6; i++)
		v = v * 10 + (unsigned)(text[i] - '0');
	if (i == 0 || (i < len && text[i] != '\n'))
		return -EINVAL;
	net_lock();
	nif = ethif_by_name(cd->name);
	error = nif == NULL ? -ENODEV : ethif_set_mtu(nif, v);
	net_unlock();
	return error;
}

/* ---- dhcp: the kernel's own client, asked for after the boot ---- */

static int
show_dhcp(struct classdev *cd, struct sbuf *sb)
{
	static const char *const words[] = { [INET_DHCP_OFF] = "off",
		[INET_DHCP_ASKING] = "asking",
		[INET_DHCP_BOUND] = "bound" };
	struct netif *nif;

	net_lock();
	nif = ethif_by_name(cd->name);
	if (nif != NULL)
		sbuf_printf(sb, "%s\n", words[inet_config_dhcp_state(nif)]);
	net_unlock();
	return nif == NULL ? -ENODEV : 0;
}

/* "1" and "0"; one that is asking or bound begins anew. */
static int
store_dhcp(struct classdev *cd, const char *text, size_t len)
{
	struct netif *nif;
	int error;

	if (len == 0 || (text[0] != '0' && text[0] != '1') ||
	    (len > 1 && text[1] != '\n'))
		return -EINVAL;
	net_lock();
	nif = ethif_by_name(cd->name);
	if (nif == NULL)
		error = -ENODEV;
	else if (ethif_nic(nif) == NULL)
		error = -EOPNOTSUPP;
	else if ((ethif_flags(nif) & IFF_UP) == 0 && text[0] == '1')
		error = -ENETDOWN;
	else
		error = inet_config_dhcp(nif, text[0] == '1');
	net_unlock();
	return error;
}

static const struct classdev_attr attrs[] = {
	{ "addr_len", 0444, show_addr_len, NULL },
	{ "address", 0444, show_address, NULL },
	{ "broadcast", 0444, show_broadcast, NULL },
	{ "carrier", 0444, show_carrier, NULL },
	{ "dhcp", 0644, show_dhcp, store_dhcp },
	{ "dormant", 0444, show_zero, NULL },
	{ "duplex", 0444, show_duplex, NULL },
	{ "flags", 0444, show_flags, NULL },
	{ "ifindex", 0444, show_ifindex, NULL },
	{ "iflink", 0444, show_ifindex, NULL },
	{ "mtu", 0644, show_mtu, store_mtu },
	{ "operstate", 0444, show_operstate, NULL },
	{ "speed", 0444, show_speed, NULL },
	{ "statistics/multicast", 0444, show_multicast, NULL },
	{ "statistics/rx_bytes", 0444, show_rx_bytes, NULL },
	{ "statistics/rx_dropped", 0444, show_rx_dropped, NULL },
	{ "statistics/rx_errors", 0444, show_rx_errors, NULL },
	{ "statistics/rx_packets", 0444, show_rx_packets, NULL },
	{ "statistics/tx_bytes", 0444, show_tx_bytes, NULL },
	{ "statistics/tx_dropped", 0444, show_tx_dropped, NULL },
	{ "statistics/tx_errors", 0444, show_zero, NULL },
	{ "statistics/tx_packets", 0444, show_tx_packets, NULL },
	{ "tx_queue_len", 0444, show_tx_queue_len, NULL },
	{ "type", 0444, show_type, NULL },
	{ 0 },
};

static void
uevent(struct classdev *cd, struct sbuf *env)
{
	sbuf_printf(env, "INTERFACE=%s\nIFINDEX=%lu\n", cd->name,
	    (unsigned long)(uintptr_t)cd->arg);
}

static const struct class net_class = {
	.name = "net",
	.attrs = attrs,
	.uevent = uevent,
};

/* ---------------------------------------------------------- coming, going -- */

void
inet_class_arrive(struct classdev *cd, const char *name, unsigned index,
    struct device *dev)
{
	memset(cd, 0, sizeof(*cd));
	cd->class = &net_class;
	strlcpy(cd->name, name, sizeof(cd->name));
	cd->dev = dev;
	cd->arg = (void *)(uintptr_t)index;
	classdev_arrive(cd);
}

void
inet_class_loopback(void)
{
	static struct classdev lo;

	inet_class_arrive(&lo, "lo", ETHIF_LO, NULL);
}
