/* SPDX-License-Identifier: ISC */
/*
 * procfs_sys_net6.c - /proc/sys/net/ipv6.  What can be written has its effect;
 * what cannot be changed may be written as it is.
 */
#include "kern/string.h"
#include "linux/procfs_sys.h"
#include "net/inet_sysctl.h"
#include "net/stack.h"
#include <linux/errno.h>

static int
show(const struct pseudo_id *id, enum inet_conf6_key key, struct sbuf *sb)
{
	int value, error = inet_conf6_get((unsigned)id->key, key, &value);

	if (error == 0)
		sbuf_printf(sb, "%d\n", value);
	return error;
}

static int
store(const struct pseudo_id *id, enum inet_conf6_key key, const char *text)
{
	uint64_t value;

	if (!proc_take_number(&text, &value) || value > INT32_MAX)
		return -EINVAL;
	return inet_conf6_set((unsigned)id->key, key, (int)value);
}

#define WORD(name, key)                                                       \
	static int show_##name(const struct pseudo_id *id, struct sbuf *sb)   \
	{                                                                     \
		return show(id, key, sb);                                     \
	}                                                                     \
	static int store_##name(const struct pseudo_id *id, const char *text, \
	    size_t len)                                                       \
	{                                                                     \
		(void)len;                                                    \
		return store(id, key, text);                                  \
	}
WORD(disable, INET_CONF6_DISABLE)
WORD(accept_ra, INET_CONF6_ACCEPT_RA)
WORD(autoconf, INET_CONF6_AUTOCONF)
WORD(redirects, INET_CONF6_REDIRECTS)
WORD(mtu, INET_CONF6_MTU)

FIXED(0)
FIXED(1)
FIXED(64)

static const struct pseudo_entry conf_entries[] = {
	WRITABLE("accept_dad", 1),
	WRITABLE("accept_ra", accept_ra),
	WRITABLE("accept_redirects", redirects),
	WRITABLE("addr_gen_mode", 0),
	WRITABLE("autoconf", autoconf),
	WRITABLE("dad_transmits", 1),
	WRITABLE("disable_ipv6", disable),
	WRITABLE("forwarding", 0),
	WRITABLE("hop_limit", 64),
	WRITABLE("keep_addr_on_down", 0),
	WRITABLE("mtu", mtu),
	WRITABLE("proxy_ndp", 0),
	WRITABLE("use_tempaddr", 0),
	{ .name = NULL },
};

/* ------------------------------------------------- a folder an interface -- */

static const struct pseudo_entry conf_entry = {
	.name = "", .kind = PSEUDO_DIR, .mode = 0555, .children = conf_entries
};

static int
conf_find(const struct pseudo_id *dir, const char *name, size_t len,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	char text[INET_SYSCTL_NAME];
	int error = net_up();

	(void)dir;
	if (error != 0)
		return error;
	if (len >= sizeof(text))
		return -ENOENT;
	memcpy(text, name, len);
	text[len] = '\0';
	id->key = inet_sysctl_find(text);
	*entry = &conf_entry;
	return id->key == 0 ? -ENOENT : 0;
}

static bool
conf_next(const struct pseudo_id *dir, uint64_t *pos, char *name,
    struct pseudo_id *id, const struct pseudo_entry **entry)
{
	unsigned index = 0;

	(void)dir;
	*entry = &conf_entry;
	if (*pos < 2) {
		strlcpy(name, *pos == 0 ? "all" : "default", 32);
		id->key = *pos == 0 ? INET_SYSCTL_ALL : INET_SYSCTL_DEFAULT;
		return true;
	}
	if (net_up() != 0 || !inet_sysctl_nth((unsigned)*pos - 2, name, &index))
		return false;
	id->key = index;
	return true;
}

static const struct pseudo_dir_ops conf_dir = { .find = conf_find,
	.next = conf_next };

/* ----------------------------------------------------------------- ICMP -- */

ICMP_WORD(ratelimit, INET_ICMP6_RATELIMIT)
ICMP_WORD(ignore, INET_ICMP6_ECHO_IGNORE)
ICMP_WORD(ignore_groups, INET_ICMP6_ECHO_IGNORE_GROUPS)
SHOW_TEXT(ratemask, "0-1,3-127")

static const struct pseudo_entry icmp_entries[] = {
	WRITABLE("echo_ignore_all", ignore),
	WRITABLE("echo_ignore_multicast", ignore_groups),
	WRITABLE("ratelimit", ratelimit),
	PROC_FILE("ratemask", 0444, show_ratemask),
	{ .name = NULL },
};

const struct pseudo_entry proc_sys_net6_entries[] = {
	WRITABLE("bindv6only", 0),
	{ .name = "conf", .kind = PSEUDO_DIR, .mode = 0555, .dir = &conf_dir },
	PROC_DIR("icmp", icmp_entries),
	{ .name = NULL },
};
