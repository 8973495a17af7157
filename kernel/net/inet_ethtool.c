/* SPDX-License-Identifier: ISC */
/* inet_ethtool.c - SIOCETHTOOL.  linux/ethtool.h. */
#include "net/ethtool.h"

#include "abi/netdevice.h"
#include "bus/device.h"
#include "kern/string.h"
#include "kern/uaccess.h"
#include "net/ethif.h"
#include "net/lwip/port.h"
#include "net/stack.h"
#include <lwip/netif.h>
#include <linux/errno.h>
#include <linux/ethtool.h>

struct what { /* copied under the lock, used without it */
	bool link;
	struct nic_info info;
	char address[32];
};

static int
look(const char *name, struct what *w)
{
	struct netif *nif;
	int error = 0;

	net_lock();
	nif = ethif_by_name(name);
	if (nif == NULL) {
		error = -ENODEV;
	} else if (ethif_nic(nif) == NULL) {
		error = -EOPNOTSUPP;
	} else {
		w->info = ethif_nic(nif)->info;
		w->link = netif_is_link_up(nif);
		strlcpy(w->address, device_address(ethif_nic(nif)->dev),
		    sizeof(w->address));
	}
	net_unlock();
	return error;
}

static long
get_driver(uint64_t at, const struct what *w)
{
	struct ethtool_drvinfo d = { .cmd = ETHTOOL_GDRVINFO };

	strlcpy(d.driver, w->info.driver, sizeof(d.driver));
	strlcpy(d.version, "1.0.0", sizeof(d.version));
	strlcpy(d.bus_info, w->address, sizeof(d.bus_info));
	return copyout(at, &d, sizeof(d));
}

static long
get_value(uint64_t at, uint32_t cmd, bool on)
{
	struct ethtool_value v = { .cmd = cmd, .data = on };

	return copyout(at, &v, sizeof(v));
}

/* ETHTOOL_GSET: the old way, without link modes. */
static long
get_settings(uint64_t at, const struct what *w)
{
	struct ethtool_cmd c = { .cmd = ETHTOOL_GSET,
		.duplex = w->info.speed != 0 ? DUPLEX_FULL : DUPLEX_UNKNOWN,
		.port = PORT_OTHER };
	uint32_t speed = w->info.speed != 0 ? w->info.speed :
					      (uint32_t)SPEED_UNKNOWN;

	c.speed = (uint16_t)speed;
	c.speed_hi = (uint16_t)(speed >> 16);
	return copyout(at, &c, sizeof(c));
}

long
ethtool_ioctl(uint64_t arg)
{
	struct ifreq r;
	struct what w;
	uint32_t cmd;
	int error = copyin(&r, arg, sizeof(r));

	if (error == 0)
		error = copyin(&cmd, r.data, sizeof(cmd));
	if (error != 0)
		return error;
	r.name[IFNAMSIZ - 1] = '\0';
	error = look(r.name, &w);
	if (error != 0)
		return error;
	switch (cmd) {
	case ETHTOOL_GDRVINFO: return get_driver(r.data, &w);
	case ETHTOOL_GLINK: return get_value(r.data, cmd, w.link);
	case ETHTOOL_GSET: return get_settings(r.data, &w);
	case ETHTOOL_GRXCSUM:
	case ETHTOOL_GTXCSUM: return get_value(r.data, cmd, w.info.tx_csum);
	case ETHTOOL_GSG: return get_value(r.data, cmd, true);
	case ETHTOOL_GTSO:
		return get_value(r.data, cmd, w.info.tso4 || w.info.tso6);
	case ETHTOOL_GGSO:
	case ETHTOOL_GGRO: return get_value(r.data, cmd, false);
	default: return -EOPNOTSUPP;
	}
}
