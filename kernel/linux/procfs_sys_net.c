/* SPDX-License-Identifier: ISC */
/* procfs_sys_net.c - /proc/sys/net.  socket(7), ip(7), tcp(7), icmp(7). */
#include "fs/vfs.h"
#include "kern/string.h"
#include "linux/procfs.h"
#include "linux/procfs_sys.h"
#include "net/inet_limits.h"
#include "net/inet_sysctl.h"
#include "net/socket.h"
#include <linux/errno.h>

#define SHOW(name, format, ...)                                             \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb) \
	{                                                                   \
		(void)id;                                                   \
		sbuf_printf(sb, format "\n", __VA_ARGS__);                  \
		return 0;                                                   \
	}

SHOW(buffer, "%u", SOCK_BUF_SIZE)
SHOW(somaxconn, "%u", SOCK_SOMAXCONN)
SHOW(forward, "%d", 0)
SHOW(ttl, "%d", 64)
SHOW(ports, "%u\t%u", INET_PORT_FIRST, INET_PORT_FIRST + INET_PORT_COUNT - 1)
SHOW(first_server_port, "%d", 1024)
SHOW(congestion, "%s", "reno")
SHOW(keepalive_time, "%d", INET_KEEP_IDLE_S)
SHOW(keepalive_intvl, "%d", INET_KEEP_INTVL_S)
SHOW(keepalive_probes, "%d", INET_KEEP_CNT)

/* ------------------------------------------------------- ping_group_range -- */

static int
show_ping_groups(const struct pseudo_id *id, struct sbuf *sb)
{
	uint32_t range[2];

	(void)id;
	inet_ping_groups(range);
	sbuf_printf(sb, "%u\t%u\n", range[0], range[1]);
	return 0;
}

static int
store_ping_groups(const struct pseudo_id *id, const char *text, size_t len)
{
	uint64_t first, last;

	(void)id;
	(void)len;
	if (!proc_take_number(&text, &first) ||
	    !proc_take_number(&text, &last) || first > UINT32_MAX ||
	    last > UINT32_MAX)
		return -EINVAL;
	return inet_ping_set_groups((uint32_t)first, (uint32_t)last);
}

/* -------------------------------------------------------------------- ICMP -- */

ICMP_WORD(icmp_ratelimit, INET_ICMP_RATELIMIT)
ICMP_WORD(icmp_ratemask, INET_ICMP_RATEMASK)
ICMP_WORD(icmp_per_sec, INET_ICMP_PER_SEC)
ICMP_WORD(icmp_burst, INET_ICMP_BURST)
ICMP_WORD(icmp_ignore, INET_ICMP_ECHO_IGNORE)
FIXED(1)

static const struct pseudo_entry core_entries[] = {
	PROC_FILE("rmem_default", 0444, show_buffer),
	PROC_FILE("rmem_max", 0444, show_buffer),
	PROC_FILE("somaxconn", 0444, show_somaxconn),
	PROC_FILE("wmem_default", 0444, show_buffer),
	PROC_FILE("wmem_max", 0444, show_buffer),
	{ .name = NULL },
};
static const struct pseudo_entry ipv4_entries[] = {
	WRITABLE("icmp_echo_ignore_all", icmp_ignore),
	WRITABLE("icmp_echo_ignore_broadcasts", 1),
	WRITABLE("icmp_msgs_burst", icmp_burst),
	WRITABLE("icmp_msgs_per_sec", icmp_per_sec),
	WRITABLE("icmp_ratelimit", icmp_ratelimit),
	WRITABLE("icmp_ratemask", icmp_ratemask),
	PROC_FILE("ip_default_ttl", 0444, show_ttl),
	PROC_FILE("ip_forward", 0444, show_forward),
	PROC_FILE("ip_local_port_range", 0444, show_ports),
	PROC_FILE("ip_unprivileged_port_start", 0444, show_first_server_port),
	{ .name = "ping_group_range",
	    .kind = PSEUDO_FILE,
	    .mode = 0644,
	    .show = show_ping_groups,
	    .store = store_ping_groups },
	PROC_FILE("tcp_congestion_control", 0444, show_congestion),
	PROC_FILE("tcp_keepalive_intvl", 0444, show_keepalive_intvl),
	PROC_FILE("tcp_keepalive_probes", 0444, show_keepalive_probes),
	PROC_FILE("tcp_keepalive_time", 0444, show_keepalive_time),
	{ .name = NULL },
};
const struct pseudo_entry proc_sys_net_entries[] = {
	PROC_DIR("core", core_entries),
	PROC_DIR("ipv4", ipv4_entries),
	PROC_DIR("ipv6", proc_sys_net6_entries),
	{ .name = NULL },
};
