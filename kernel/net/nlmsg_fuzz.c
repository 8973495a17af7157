/* SPDX-License-Identifier: ISC */
/*
 * nlmsg_fuzz.c - any bytes as attributes: what is found lies inside them; and
 * messages of any attributes, written and read back.
 */
/* unit: kernel/net/nlmsg.c */
#include "net/netlink.h"
#include "net/nlmsg.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TYPES 32u

void *
kmalloc(size_t size)
{
	return malloc(size);
}

void
kfree(void *p)
{
	free(p);
}

/* What was sent must be whole messages that fill it. */
int
netlink_send(struct netlink_sock *to, const void *data, size_t len)
{
	const struct nlmsghdr *h = data;
	const struct nlattr *attr[TYPES];

	(void)to;
	for (; len > 0; h = (const void *)((const char *)h + h->nlmsg_len)) {
		if (len < NLMSG_HDRLEN || h->nlmsg_len < NLMSG_HDRLEN ||
		    h->nlmsg_len > len || h->nlmsg_len % 4 != 0)
			abort();
		if (nlmsg_parse((const char *)h + NLMSG_HDRLEN + 4,
			h->nlmsg_len - NLMSG_HDRLEN - 4, attr, TYPES) != 0)
			abort();
		len -= h->nlmsg_len;
	}
	return 0;
}

static void
read_back(const uint8_t *data, size_t size)
{
	const struct nlattr *attr[TYPES];
	uint8_t *copy = malloc(size == 0 ? 1 : size);
	char text[16];
	uint32_t v;
	unsigned i;

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size); /* exactly as long as it is */
	if (nlmsg_parse(copy, size, attr, TYPES) == 0)
		for (i = 0; i < TYPES; i++) {
			(void)nlattr_get(attr[i], &v, sizeof(v));
			if (nlattr_string(attr[i], text, sizeof(text)) &&
			    strlen(text) >= sizeof(text))
				abort();
		}
	free(copy);
}

static void
write_some(const uint8_t *data, size_t size)
{
	struct nlmsg m;
	size_t n;
	unsigned i;

	nlmsg_init(&m, (struct netlink_sock *)&m, 1, 2);
	while (size > 0) {
		(void)nlmsg_begin(&m, data[0], 0, 4);
		for (i = 0; i < 4 && size > 0; i++) {
			n = data[0] < size ? data[0] : size;
			nlmsg_put(&m, data[0] % TYPES, data, n);
			data += n > 0 ? n : 1;
			size -= n > 0 ? n : 1;
		}
		nlmsg_end(&m);
	}
	(void)nlmsg_fini(&m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_back(data, size);
	write_some(data, size);
	return 0;
}
