/* SPDX-License-Identifier: ISC */
/* netconf.c - reads network-config, versions 1 and 2. */
#include "guest/cloud/netconf.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "guest/cloud/say.h"
#include "guest/cloud/yaml.h"

/* ---- addresses ---- */

/* Up to three digits, or -1. */
static int
net_prefix(const char *s, int max)
{
	size_t n = strspn(s, "0123456789");

	return n == 0 || n > 3 || s[n] != '\0' || atoi(s) > max ? -1 : atoi(s);
}

/* 255.255.255.0 is 24; -1: no mask. */
static int
net_mask_prefix(const char *s)
{
	struct in_addr a;
	uint32_t v;

	if (strchr(s, '.') == NULL)
		return net_prefix(s, 32);
	if (inet_pton(AF_INET, s, &a) != 1)
		return -1;
	v = ntohl(a.s_addr);
	if ((~v & (~v + 1)) != 0)
		return -1;
	return __builtin_popcount(v);
}

/* "ADDRESS[/PREFIX]"; `mask` where there is no prefix, or NULL. */
static int
net_address(const char *text, const char *mask, struct net_address *a)
{
	char *copy = mem_string(text), *slash = strchr(copy, '/');
	int prefix = -1, error = 0;

	if (slash != NULL)
		*slash = '\0';
	a->family = strchr(copy, ':') != NULL ? AF_INET6 : AF_INET;
	if (slash != NULL)
		prefix = a->family == AF_INET ? net_mask_prefix(slash + 1) :
						net_prefix(slash + 1, 128);
	else if (mask != NULL && a->family == AF_INET)
		prefix = net_mask_prefix(mask);
	else if (mask == NULL)
		prefix = a->family == AF_INET ? 24 : 64;
	if (prefix < 0 || inet_pton(a->family, copy, a->bytes) != 1)
		error = -EINVAL;
	a->prefix = (unsigned)prefix;
	free(copy);
	return error;
}

static void
net_add_address(struct net_if *nif, const char *text, const char *mask)
{
	struct net_address a = { 0 };

	if (text == NULL || net_address(text, mask, &a) != 0) {
		say_error("network-config: %s is no address, left out",
		    text == NULL ? "?" : text);
		return;
	}
	nif->address = mem_resize(nif->address, nif->naddresses + 1, sizeof(a));
	nif->address[nif->naddresses++] = a;
}

static void
net_add_route(struct net_if *nif, const char *to, const char *mask,
    const char *via, const char *metric)
{
	struct net_route r = { 0 };
	struct net_address a = { .family = AF_INET };
	bool bad = via == NULL;

	if (to != NULL && strcmp(to, "default") != 0)
		bad = bad || net_address(to, mask, &a) != 0;
	if (!bad && strchr(via, ':') == NULL && a.family == AF_INET)
		bad = inet_pton(AF_INET, via, &r.via) != 1;
	else if (!bad) {
		say_warning("network-config: a route of IPv6 by %s is not "
			    "done here",
		    via);
		return;
	}
	if (bad) {
		say_error("network-config: a route to %s by %s, left out",
		    to == NULL ? "?" : to, via == NULL ? "?" : via);
		return;
	}
	memcpy(&r.to, a.bytes, 4);
	r.mask.s_addr = a.prefix == 0 ? 0 : htonl(~0u << (32 - a.prefix));
	r.to.s_addr &= r.mask.s_addr;
	if (metric != NULL && net_prefix(metric, 999) >= 0)
		r.metric = (unsigned)net_prefix(metric, 999);
	nif->route = mem_resize(nif->route, nif->nroutes + 1, sizeof(r));
	nif->route[nif->nroutes++] = r;
}

static void
net_add_list(struct strings *to, const struct yaml_node *list)
{
	const struct yaml_node *item;

	for (size_t i = 0; (item = yaml_nth(list, i)) != NULL; i++) {
		const char *text = yaml_text(item);
		bool known = false;

		for (size_t j = 0; text != NULL && j < to->count; j++)
			known = known || strcmp(to->item[j], text) == 0;
		/* They go into a file of lines and words. */
		if (text != NULL && !known && strpbrk(text, " \t\r\n") == NULL)
			strings_add(to, mem_string(text));
	}
}

static struct net_if *
net_add_if(struct net_config *c, const char *name, const char *mac,
    const struct yaml_node *mtu)
{
	const char *text = yaml_text(mtu);
	struct net_if *nif;

	c->nif = mem_resize(c->nif, c->nifs + 1, sizeof(*nif));
	nif = &c->nif[c->nifs++];
	*nif = (struct net_if){ .name = mem_string(name),
		.mac = mem_string(mac) };
	for (char *p = nif->mac; p != NULL && *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	if (text != NULL && strspn(text, "0123456789") == strlen(text) &&
	    strlen(text) < 6)
		nif->mtu = (unsigned)atoi(text);
	return nif;
}

/* ---- version 1 ---- */

static const char *
net_text(const struct yaml_node *map, const char *key)
{
	return yaml_text(yaml_get(map, key));
}

static void
net_subnet(struct net_config *c, struct net_if *nif,
    const struct yaml_node *subnet)
{
	const struct yaml_node *routes = yaml_get(subnet, "routes"), *r;
	const char *type = net_text(subnet, "type");

	if (type != NULL &&
	    (strcmp(type, "dhcp") == 0 || strcmp(type, "dhcp4") == 0))
		nif->dhcp = true;
	else if (type != NULL && strncmp(type, "static", 6) == 0)
		net_add_address(nif, net_text(subnet, "address"),
		    net_text(subnet, "netmask"));
	else if (type == NULL || strcmp(type, "manual") != 0)
		say_warning("network-config: a subnet of type %s is not done "
			    "here",
		    type == NULL ? "?" : type);
	if (net_text(subnet, "gateway") != NULL)
		net_add_route(nif, NULL, NULL, net_text(subnet, "gateway"),
		    NULL);
	for (size_t i = 0; (r = yaml_nth(routes, i)) != NULL; i++)
		net_add_route(nif,
		    net_text(r, "network") != NULL ? net_text(r, "network") :
						     net_text(r, "destination"),
		    net_text(r, "netmask"), net_text(r, "gateway"),
		    net_text(r, "metric"));
	net_add_list(&c->dns, yaml_get(subnet, "dns_nameservers"));
	net_add_list(&c->search, yaml_get(subnet, "dns_search"));
}

static void
net_version1(struct net_config *c, const struct yaml_node *root)
{
	const struct yaml_node *list = yaml_get(root, "config"), *item, *subnet;

	for (size_t i = 0; (item = yaml_nth(list, i)) != NULL; i++) {
		const char *type = net_text(item, "type");
		struct net_if *nif;

		if (type != NULL && strcmp(type, "nameserver") == 0) {
			net_add_list(&c->dns, yaml_get(item, "address"));
			net_add_list(&c->search, yaml_get(item, "search"));
			continue;
		}
		if (type == NULL || strcmp(type, "physical") != 0) {
			say_warning("network-config: %s is not done here",
			    type == NULL ? "an entry without type" : type);
			continue;
		}
		/* With an address the name is the one to be given. */
		nif = net_add_if(c,
		    net_text(item, "mac_address") != NULL ?
			NULL :
			net_text(item, "name"),
		    net_text(item, "mac_address"), yaml_get(item, "mtu"));
		for (size_t j = 0;
		     (subnet = yaml_nth(yaml_get(item, "subnets"), j)) != NULL;
		     j++)
			net_subnet(c, nif, subnet);
	}
}

/* ---- version 2 ---- */

static void
net_ethernet(struct net_config *c, const char *id, const struct yaml_node *map)
{
	const struct yaml_node *match = yaml_get(map, "match"), *item, *list;
	const struct yaml_node *servers = yaml_get(map, "nameservers");
	struct net_if *nif = net_add_if(c,
	    match != NULL ? net_text(match, "name") : id,
	    net_text(match, "macaddress"), yaml_get(map, "mtu"));

	nif->dhcp = yaml_bool(yaml_get(map, "dhcp4"), false);
	if (yaml_bool(yaml_get(map, "dhcp6"), false))
		say_warning("network-config: dhcp6 is not done here");
	if (net_text(map, "set-name") != NULL && match != NULL)
		say_warning("network-config: %s keeps its name (set-name)", id);
	list = yaml_get(map, "addresses");
	for (size_t i = 0; (item = yaml_nth(list, i)) != NULL; i++)
		net_add_address(nif, yaml_text(item), NULL);
	if (net_text(map, "gateway4") != NULL)
		net_add_route(nif, NULL, NULL, net_text(map, "gateway4"), NULL);
	list = yaml_get(map, "routes");
	for (size_t i = 0; (item = yaml_nth(list, i)) != NULL; i++)
		net_add_route(nif, net_text(item, "to"), NULL,
		    net_text(item, "via"), net_text(item, "metric"));
	net_add_list(&c->dns, yaml_get(servers, "addresses"));
	net_add_list(&c->search, yaml_get(servers, "search"));
}

static void
net_version2(struct net_config *c, const struct yaml_node *root)
{
	const struct yaml_node *map = yaml_get(root, "ethernets");
	static const char *const others[] = { "bonds", "bridges", "vlans" };

	for (size_t i = 0;
	     map != NULL && map->kind == YAML_MAP && i < map->count; i += 2)
		if (yaml_text(map->item[i]) != NULL)
			net_ethernet(c, yaml_text(map->item[i]),
			    map->item[i + 1]);
	for (unsigned i = 0; i < 3; i++)
		if (yaml_get(root, others[i]) != NULL)
			say_warning("network-config: %s are not done here",
			    others[i]);
}

int
netconf_read(struct net_config *c, const char *data, size_t n)
{
	const struct yaml_node *root, *wrapped;
	const char *version;
	struct yaml y;
	int error = 0;

	memset(c, 0, sizeof(*c));
	if (yaml_read(&y, data, n) != 0)
		say_error("network-config: %s", y.why);
	wrapped = yaml_get(y.root, "network");
	root = wrapped != NULL ? wrapped : y.root;
	version = net_text(root, "version");
	if (version != NULL && strcmp(version, "1") == 0)
		net_version1(c, root);
	else if (version != NULL && strcmp(version, "2") == 0)
		net_version2(c, root);
	else
		error = -EINVAL;
	if (error != 0 && y.why[0] == '\0')
		say_error("network-config: it is neither version 1 nor 2");
	yaml_fini(&y);
	return error;
}

void
netconf_fini(struct net_config *c)
{
	for (size_t i = 0; i < c->nifs; i++) {
		free(c->nif[i].name);
		free(c->nif[i].mac);
		free(c->nif[i].address);
		free(c->nif[i].route);
	}
	free(c->nif);
	strings_fini(&c->dns);
	strings_fini(&c->search);
	memset(c, 0, sizeof(*c));
}

bool
netconf_matches(const struct net_if *nif, const char *name, const char *mac)
{
	return (nif->name == NULL || fnmatch(nif->name, name, 0) == 0) &&
	    (nif->mac == NULL || strcmp(nif->mac, mac) == 0);
}
