/* SPDX-License-Identifier: ISC */
/*
 * stack_fake.h - what routes and addresses of IPv6 want of the kernel, for
 * stack_fuzz.c; and a program that changes them.  Included there alone, behind
 * its card, its clock and its input.
 */
#ifndef NET_LWIP_STACK_FAKE_H
#define NET_LWIP_STACK_FAKE_H

const char *
ethif_name(const struct netif *nif)
{
	return nif == &card ? "eth0" : "lo";
}

struct netif *
ethif_nth(unsigned i)
{
	struct netif *nif = netif_list;

	while (nif != NULL && i-- > 0)
		nif = nif->next;
	return nif;
}

struct netif *
ethif_by_index(unsigned index)
{
	return netif_get_by_index((u8_t)index);
}

struct netif *
ethif_by_name(const char *name)
{
	return strcmp(name, "eth0") == 0 ? &card : NULL;
}

int64_t
clock_mono_ns(void)
{
	return now_ms * 1000000ll;
}

size_t
strlcpy(char *to, const char *from, size_t size)
{
	(void)snprintf(to, size, "%s", from);
	return strlen(from);
}

void *
kmalloc(size_t size)
{
	return mem_malloc(size);
}

void *
kzalloc(size_t size)
{
	void *p = mem_malloc(size);

	return p == NULL ? NULL : memset(p, 0, size);
}

void
kfree(void *p)
{
	if (p != NULL)
		mem_free(p);
}

/* A program's routes and addresses of IPv6, near those that matter here. */
static void
change_six(struct input *in)
{
	struct inet_route6_how how = { .create = true,
		.replace = take(in, 1) & 1,
		.append = take(in, 1) & 1 };
	struct inet_route6 r = { .plen = (uint8_t)(take(in, 1) % 129),
		.type = (uint8_t)(1 + take(in, 1) % 10),
		.metric = take(in, 1),
		.if_index = netif_get_index(&card) };
	struct inet_addr6 a = { .plen = r.plen,
		.flags = take(in, 1),
		.valid = 1 + take(in, 1),
		.preferred = take(in, 1) };

	r.dest.addr[0] = r.gateway.addr[0] = PP_HTONL(0xfe800000);
	r.dest.addr[3] = take(in, 4);
	r.gateway.addr[3] = take(in, 1);
	r.until_ns = (now_ms + take(in, 1)) * 1000000ll;
	a.ip = r.dest;
	a.ip.addr[0] |= take(in, 1);
	ip6_addr_assign_zone(&a.ip, IP6_UNICAST, &card);
	switch (take(in, 1) % 4) {
	case 0: (void)inet_route6_add(&r, how); break;
	case 1: (void)inet_route6_remove(&r); break;
	case 2: (void)inet_addr6_add(&card, &a); break;
	default: (void)inet_addr6_remove(&card, &a.ip, a.plen);
	}
}

/* Of whom was reported to something is known from the first time on. */
static void
report_once(void)
{
	struct pbuf *p = pbuf_alloc(PBUF_RAW, IP_HLEN + UDP_HLEN, PBUF_RAM);
	struct ip_hdr *h;

	if (p == NULL)
		abort();
	h = memset(p->payload, 0, p->len);
	h->src.addr = PP_HTONL(0x0a070001);
	h->dest.addr = PP_HTONL(0x0a070002);
	lwip_hook_unreachable(p, ICMP_DUR_PORT);
	pbuf_free(p);
}

#endif
