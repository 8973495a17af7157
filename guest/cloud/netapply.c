/* SPDX-License-Identifier: ISC */
/* netapply.c - sets the machine's interfaces up.  netdevice(7), rtnetlink(7). */
#include "guest/cloud/netapply.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/route.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest/cloud/fetch.h"
#include "guest/cloud/files.h"
#include "guest/cloud/say.h"

/* ---- one interface ---- */

static int
net_ioctl(unsigned long request, void *arg)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, request, arg) < 0)
		error = -errno;
	close(fd);
	return error;
}

static int
net_up(const char *name)
{
	struct ifreq r = { 0 };
	int error;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	error = net_ioctl(SIOCGIFFLAGS, &r);
	r.ifr_flags |= IFF_UP;
	return error != 0 ? error : net_ioctl(SIOCSIFFLAGS, &r);
}

static int
net_set_mtu(const char *name, unsigned mtu)
{
	struct ifreq r = { .ifr_mtu = (int)mtu };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return mtu == 0 ? 0 : net_ioctl(SIOCSIFMTU, &r);
}

struct address_request {
	struct nlmsghdr h;
	struct ifaddrmsg a;
	char attributes[2 * RTA_SPACE(16)];
};

static void
net_attribute(struct nlmsghdr *h, unsigned short type, const void *data,
    size_t n)
{
	struct rtattr *a = (void *)((char *)h + NLMSG_ALIGN(h->nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(n);
	memcpy(RTA_DATA(a), data, n);
	h->nlmsg_len = NLMSG_ALIGN(h->nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* The kernel's answer to the one request. */
static int
net_answer(int fd)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char more[512];
	} answer;
	ssize_t n = recv(fd, &answer, sizeof(answer), 0);

	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(answer.h) + sizeof(answer.e.error) ||
	    answer.h.nlmsg_type != NLMSG_ERROR)
		return -EPROTO;
	return answer.e.error;
}

static int
net_set_address(const char *name, const struct net_address *a)
{
	size_t len = a->family == AF_INET ? 4 : 16;
	struct address_request r = {
		.h = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.a)),
		    .nlmsg_type = RTM_NEWADDR,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE |
			NLM_F_EXCL },
		.a = { .ifa_family = (unsigned char)a->family,
		    .ifa_prefixlen = (unsigned char)a->prefix,
		    .ifa_index = if_nametoindex(name) }
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int error;

	if (fd < 0)
		return -errno;
	net_attribute(&r.h, IFA_LOCAL, a->bytes, len);
	net_attribute(&r.h, IFA_ADDRESS, a->bytes, len);
	error = send(fd, &r, r.h.nlmsg_len, 0) < 0 ? -errno : net_answer(fd);
	close(fd);
	return error == -EEXIST ? 0 : error;
}

static void
net_put(struct sockaddr *to, struct in_addr a)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = a };

	memcpy(to, &in, sizeof(in));
}

static int
net_set_route(char *name, const struct net_route *r)
{
	struct rtentry rt = { .rt_flags = RTF_UP };
	int error;

	net_put(&rt.rt_dst, r->to);
	net_put(&rt.rt_genmask, r->mask);
	net_put(&rt.rt_gateway, r->via);
	if (r->via.s_addr != 0)
		rt.rt_flags |= RTF_GATEWAY;
	if (r->mask.s_addr == INADDR_BROADCAST)
		rt.rt_flags |= RTF_HOST;
	/* One more than is meant. */
	rt.rt_metric = r->metric == 0 ? 0 : (short)(r->metric + 1);
	rt.rt_dev = name;
	error = net_ioctl(SIOCADDRT, &rt);
	return error == -EEXIST ? 0 : error;
}

/* ---- DHCP ---- */

static char *
net_dhcp_file(const char *name)
{
	return mem_format("/sys/class/net/%s/dhcp", name);
}

static bool
net_dhcp_is_bound(const char *name)
{
	char *path = net_dhcp_file(name);
	struct buf text = { 0 };
	bool bound = file_read(path, 64, &text) == 0 &&
	    strcmp(buf_text(&text), "bound\n") == 0;

	buf_fini(&text);
	free(path);
	return bound;
}

/* A socket that hears of addresses; from before they are asked for. */
static int
net_listen(void)
{
	struct sockaddr_nl at = { .nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (void *)&at, sizeof(at)) == 0)
		return fd;
	say_error("netlink: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

static int
net_dhcp_start(const char *name)
{
	char *path = net_dhcp_file(name);
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0 || write(fd, "1", 1) < 0)
		error = -errno;
	if (fd >= 0)
		close(fd);
	if (error == -ENOENT)
		say_error("%s: this kernel has no DHCP client of its own",
		    name);
	else if (error != 0)
		say_error("%s: %s", path, strerror(-error));
	free(path);
	return error;
}

/* Until the interface has its address. */
static void
net_dhcp_wait(const char *name, int listener)
{
	int64_t deadline = fetch_now_ms() + NET_DHCP_S * 1000;
	struct pollfd p = { .fd = listener, .events = POLLIN };
	char news[4096];

	while (!net_dhcp_is_bound(name)) {
		int64_t left = deadline - fetch_now_ms();

		if (left <= 0) {
			say_warning("%s: no answer by DHCP for %d s, goes on "
				    "without; still asking",
			    name, NET_DHCP_S);
			return;
		}
		/* Something happened, or too much to be told. */
		if (poll(&p, 1, (int)left) > 0)
			(void)recv(listener, news, sizeof(news), 0);
	}
}

/* What DHCP told of name servers, where nobody has said it yet. */
static void
net_take_pnp(void)
{
	struct buf pnp = { 0 }, out = { 0 };
	const char *s;
	int error = access("/etc/resolv.conf", F_OK) == 0 ?
	    0 :
	    file_read("/proc/net/pnp", 4096, &pnp);

	for (s = buf_text(&pnp); *s != '\0';) {
		size_t n = strcspn(s, "\n");

		if (strncmp(s, "nameserver ", 11) == 0)
			buf_format(&out, "%.*s\n", (int)n, s);
		else if (strncmp(s, "domain ", 7) == 0)
			buf_format(&out, "search %.*s\n", (int)n - 7, s + 7);
		s += n + (s[n] == '\n');
	}
	if (error == 0 && out.len > 0)
		error = file_write("/etc/resolv.conf", out.data, out.len, 0644,
		    false);
	if (error != 0)
		say_error("/etc/resolv.conf: %s", strerror(-error));
	buf_fini(&pnp);
	buf_fini(&out);
}

static void
net_dhcp(const char *name)
{
	int listener;

	if (net_dhcp_is_bound(name))
		return;
	listener = net_listen();
	if (listener < 0)
		return;
	if (net_dhcp_start(name) == 0)
		net_dhcp_wait(name, listener);
	close(listener);
	net_take_pnp();
}

/* ---- all of them ---- */

/* "52:54:00:12:34:56" of an interface, "" if it has none. */
static void
net_mac(const char *name, char mac[18])
{
	struct ifreq r = { 0 };
	const unsigned char *b = (const void *)r.ifr_hwaddr.sa_data;

	mac[0] = '\0';
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (net_ioctl(SIOCGIFHWADDR, &r) == 0)
		snprintf(mac, 18, "%02x:%02x:%02x:%02x:%02x:%02x", b[0], b[1],
		    b[2], b[3], b[4], b[5]);
}

static void
net_told(const char *name, const char *what, int error)
{
	if (error != 0)
		say_error("%s: %s: %s", name, what, strerror(-error));
}

static void
net_apply_one(char *name, const struct net_if *nif)
{
	net_told(name, "MTU", net_set_mtu(name, nif->mtu));
	net_told(name, "up", net_up(name));
	for (size_t i = 0; i < nif->naddresses; i++)
		net_told(name, "address",
		    net_set_address(name, &nif->address[i]));
	if (nif->dhcp)
		net_dhcp(name);
	for (size_t i = 0; i < nif->nroutes; i++)
		net_told(name, "route", net_set_route(name, &nif->route[i]));
}

static void
net_write_resolv(const struct net_config *c)
{
	struct buf text = { 0 };
	int error = 0;

	for (size_t i = 0; i < c->search.count; i++)
		buf_format(&text, "%s%s", i == 0 ? "search " : " ",
		    c->search.item[i]);
	if (c->search.count > 0)
		buf_format(&text, "\n");
	for (size_t i = 0; i < c->dns.count; i++)
		buf_format(&text, "nameserver %s\n", c->dns.item[i]);
	if (text.len > 0)
		error = file_write("/etc/resolv.conf", text.data, text.len,
		    0644, false);
	if (error != 0)
		say_error("/etc/resolv.conf: %s", strerror(-error));
	buf_fini(&text);
}

void
net_apply(const struct net_config *c)
{
	struct if_nameindex *all = if_nameindex();
	char mac[18];

	for (size_t i = 0; i < c->nifs; i++) {
		bool found = false;

		for (struct if_nameindex *n = all;
		     n != NULL && n->if_index != 0; n++) {
			net_mac(n->if_name, mac);
			if (strcmp(n->if_name, "lo") == 0 ||
			    !netconf_matches(&c->nif[i], n->if_name, mac))
				continue;
			found = true;
			net_apply_one(n->if_name, &c->nif[i]);
		}
		if (!found)
			say_error("network-config: no interface is %s%s%s",
			    c->nif[i].name == NULL ? "" : c->nif[i].name,
			    c->nif[i].mac == NULL ? "" : " ",
			    c->nif[i].mac == NULL ? "" : c->nif[i].mac);
	}
	if (all != NULL)
		if_freenameindex(all);
	net_write_resolv(c);
}

/* Whether an interface beside lo has an IPv4 address. */
static bool
net_has_address(const char *name)
{
	struct ifreq r = { 0 };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	return net_ioctl(SIOCGIFADDR, &r) == 0;
}

/* Calls fn(name) for each interface but lo until it returns true. */
static bool
net_each(bool (*fn)(const char *name))
{
	struct if_nameindex *all = if_nameindex();
	bool found = false;

	for (struct if_nameindex *n = all;
	     n != NULL && n->if_index != 0 && !found; n++)
		found = strcmp(n->if_name, "lo") != 0 && fn(n->if_name);
	if (all != NULL)
		if_freenameindex(all);
	return found;
}

static bool
net_dhcp_first(const char *name)
{
	int error = net_up(name);

	net_told(name, "up", error);
	if (error == 0)
		net_dhcp(name);
	return true;
}

void
net_fallback(void)
{
	if (!net_each(net_has_address))
		(void)net_each(net_dhcp_first);
}

static bool
net_any(const char *name)
{
	(void)name;
	return true;
}

bool
net_is_there(void)
{
	return net_each(net_any);
}

static struct net_route net_link;

static bool
net_link_by(const char *name)
{
	return net_set_route((char *)name, &net_link) == 0;
}

int
net_link_route(struct in_addr to)
{
	net_link = (struct net_route){ .to = to,
		.mask.s_addr = INADDR_BROADCAST };
	return net_each(net_link_by) ? 0 : -ENETUNREACH;
}
