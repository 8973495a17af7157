/* SPDX-License-Identifier: ISC */
/* inet_limits.h - numbers of the Internet's sockets that /proc/sys/net has. */
#ifndef NET_INET_LIMITS_H
#define NET_INET_LIMITS_H

#include "kern/types.h"

#define INET_PORT_FIRST   32768u /* ip_local_port_range */
#define INET_PORT_COUNT   28232u
#define INET_KEEP_IDLE_S  7200
#define INET_KEEP_INTVL_S 75
#define INET_KEEP_CNT     9

/*
 * inet_ping.c: the groups that may have sockets of echoes, the first and the
 * last; the first beyond the last: none.  Any context.
 */
void inet_ping_groups(uint32_t range[2]);
/* -EINVAL: no numbers of groups */
int inet_ping_set_groups(uint32_t first, uint32_t last);

#endif
