/* SPDX-License-Identifier: ISC */
/* ip_arg.c - reads ip=. */
#include "net/ip_arg.h"
#include "kern/string.h"
#include <linux/errno.h>

#define FIELDS 10

int
ip_parse4(const char *s, size_t len, uint32_t *out)
{
	uint8_t bytes[4];
	unsigned i, v, digits;
	size_t at = 0;

	for (i = 0; i < 4; i++) {
		if (i > 0 && (at >= len || s[at++] != '.'))
			return -EINVAL;
		for (v = digits = 0; at < len && s[at] >= '0' && s[at] <= '9';
		     digits++) {
			v = v * 10 + (unsigned)(s[at++] - '0');
			if (v > 255)
				return -EINVAL;
		}
		if (digits == 0)
			return -EINVAL;
		bytes[i] = (uint8_t)v;
	}
	memcpy(out, bytes, sizeof(*out));
	return at == len ? 0 : -EINVAL;
}

uint32_t
ip_class_mask(uint32_t addr)
{
	uint8_t first, mask[4] = { 255, 0, 0, 0 };
	uint32_t v;

	memcpy(&first, &addr, 1);
	if (first >= 128)
		mask[1] = 255;
	if (first >= 192)
		mask[2] = 255;
	memcpy(&v, mask, sizeof(v));
	return v;
}

/* A word that says how; *known: it is one. */
static bool
take_how(const char *s, size_t len, struct ip_arg *a)
{
	static const char *const dhcp[] = { "dhcp", "on", "any", "both",
		"bootp", "rarp" };
	static const char *const off[] = { "off", "none" };
	unsigned i;

	for (i = 0; i < sizeof(dhcp) / sizeof(dhcp[0]); i++)
		if (strlen(dhcp[i]) == len && memcmp(dhcp[i], s, len) == 0) {
			a->dhcp = true;
			return true;
		}
	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		if (strlen(off[i]) == len && memcmp(off[i], s, len) == 0) {
			a->off = true;
			return true;
		}
	return false;
}

static int
take_name(const char *s, size_t len, char *to, size_t size)
{
	if (len >= size)
		return -EINVAL;
	memcpy(to, s, len);
	to[len] = '\0';
	return 0;
}

static int
take_field(struct ip_arg *a, unsigned i, const char *s, size_t len)
{
	uint32_t *const addr[FIELDS] = { &a->client, &a->server, &a->gateway,
		&a->netmask, NULL, NULL, NULL, &a->dns[0], &a->dns[1],
		&a->ntp };

	if (len == 0)
		return 0;
	if (addr[i] != NULL)
		return ip_parse4(s, len, addr[i]);
	if (i == 4)
		return take_name(s, len, a->hostname, sizeof(a->hostname));
	if (i == 5)
		return take_name(s, len, a->device, sizeof(a->device));
	return take_how(s, len, a) ? 0 : -EINVAL;
}

int
ip_arg_parse(const char *text, struct ip_arg *a)
{
	const char *end;
	unsigned i;
	int error = 0;

	memset(a, 0, sizeof(*a));
	if (strchr(text, ':') == NULL && take_how(text, strlen(text), a))
		return 0;
	for (i = 0; i < FIELDS && error == 0; i++) {
		end = strchr(text, ':');
		if (end == NULL)
			end = text + strlen(text);
		error = take_field(a, i, text, (size_t)(end - text));
		if (*end == '\0')
			break;
		text = end + 1;
	}
	if (error != 0 || i == FIELDS)
		return -EINVAL;
	if (a->client != 0 && a->netmask == 0)
		a->netmask = ip_class_mask(a->client);
	/* Without an address all are tried, which is DHCP here. */
	if (a->client == 0 && !a->off)
		a->dhcp = true;
	return 0;
}
