/* SPDX-License-Identifier: ISC */
/* ethtool.h - SIOCETHTOOL: what a card is and can do. */
#ifndef NET_ETHTOOL_H
#define NET_ETHTOOL_H

#include "kern/types.h"

/* arg: struct ifreq of the program.  Takes the network lock. */
long ethtool_ioctl(uint64_t arg);

#endif
