/* SPDX-License-Identifier: ISC */
/*
 * udps_test.c - lwIP sees the blocks of one port, whatever it does with them
 * meanwhile, and each is where it was afterwards.  The test plays lwIP.
 */
/* unit: kernel/net/lwip/udps.c */
#include "net/lwip/port.h"
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/prot/udp.h>
#include <lwip/udp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 3000u

struct udp_pcb *udp_pcbs;
struct ip_globals ip_data;
static struct ip_hdr header;
static struct udp_pcb pcbs[MANY];
static unsigned nwalked, nseen;
static struct udp_pcb *found; /* for the datagram that came */
static void (*on_datagram)(void);

static uint32_t random_port;

uint32_t
lwip_port_random(void)
{
	return random_port;
}

void
lwip_port_assert(const char *what, const char *file, int line)
{
	fail_msg("%s:%d: %s", file, line, what);
	abort();
}

/* --------------------------------------------------------- in place of lwIP -- */

static bool
is_known(const struct udp_pcb *pcb)
{
	const struct udp_pcb *p;

	for (p = udp_pcbs; p != NULL && p != pcb; p = p->next)
		nwalked++;
	return p != NULL;
}

err_t
udp_bind(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	const struct udp_pcb *p;

	for (p = udp_pcbs; p != NULL; p = p->next)
		if (p != pcb && p->local_port == port)
			return ERR_USE;
	ip_addr_copy(pcb->local_ip, *ip);
	pcb->local_port = port;
	if (!is_known(pcb)) {
		pcb->next = udp_pcbs;
		udp_pcbs = pcb;
	}
	return ERR_OK;
}

err_t
udp_connect(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	(void)ip;
	assert_true(is_known(pcb));
	pcb->remote_port = port;
	return ERR_OK;
}

void
udp_remove(struct udp_pcb *pcb)
{
	struct udp_pcb **p = &udp_pcbs;

	while (*p != NULL && *p != pcb)
		p = &(*p)->next;
	if (*p != NULL)
		*p = pcb->next;
	memset(pcb, 0xa5, sizeof(*pcb));
}

/* Who gets it comes to the front. */
void
udp_input(struct pbuf *p, struct netif *inp)
{
	const struct udp_hdr *h = p->payload;
	struct udp_pcb **at = &udp_pcbs;

	(void)inp;
	for (; *at != NULL; at = &(*at)->next, nwalked++)
		if (p->len >= UDP_HLEN &&
		    (*at)->local_port == lwip_ntohs(h->dest))
			break;
	found = *at;
	if (found != NULL) {
		*at = found->next;
		found->next = udp_pcbs;
		udp_pcbs = found;
	}
	if (on_datagram != NULL)
		on_datagram();
}

void
udp_netif_ip_addr_changed(const ip_addr_t *from, const ip_addr_t *to)
{
	struct udp_pcb *p;

	for (p = udp_pcbs; p != NULL; p = p->next, nseen++)
		if (ip_addr_cmp(&p->local_ip, from))
			ip_addr_copy(p->local_ip, *to);
}

/* ---------------------------------------------------------------- the tests -- */

static const ip_addr_t one = IPADDR4_INIT_BYTES(10, 0, 0, 1);
static const ip_addr_t two = IPADDR4_INIT_BYTES(10, 0, 0, 2);

static void
bind_at(unsigned i, u16_t port, bool lite)
{
	memset(&pcbs[i], 0, sizeof(pcbs[i]));
	pcbs[i].flags = lite ? UDP_FLAGS_UDPLITE : 0;
	assert_int_equal(lwip_port_udp_bind(&pcbs[i], &one, port), ERR_OK);
	assert_null(udp_pcbs);
}

static struct udp_pcb *
who_gets(u16_t port, bool lite, unsigned len)
{
	struct udp_hdr h = { .dest = lwip_htons(port) };
	struct pbuf p = { .payload = &h, .len = (u16_t)len };

	IPH_PROTO_SET(&header, lite ? IP_PROTO_UDPLITE : IP_PROTO_UDP);
	ip_data.current_ip4_header = &header;
	lwip_port_udp_input(&p, NULL);
	assert_null(udp_pcbs);
	return found;
}

static void
remove_all(unsigned from, unsigned to)
{
	for (; from < to; from++)
		lwip_port_udp_remove(&pcbs[from]);
	nseen = 0;
	lwip_port_udp_address(&one, &one);
	assert_int_equal(nseen, 0);
}

static void
each_is_found_among_many(void **state)
{
	unsigned i;

	(void)state;
	for (i = 0; i < MANY; i++)
		bind_at(i, (u16_t)(1024 + i), i % 5 == 0);
	nwalked = 0;
	for (i = 0; i < MANY; i++) {
		assert_ptr_equal(who_gets((u16_t)(1024 + i), i % 5 == 0, 8),
		    &pcbs[i]);
		assert_null(who_gets((u16_t)(1024 + i), i % 5 != 0, 8));
		assert_int_equal(lwip_port_udp_connect(&pcbs[i], &two,
				     (u16_t)(1 + i)),
		    ERR_OK);
	}
	assert_in_range(nwalked, 0, MANY * 150);
	assert_null(who_gets(1024, false, 7)); /* too short to have a port */
	remove_all(0, MANY);
}

static void
a_port_is_bound_once(void **state)
{
	(void)state;
	bind_at(0, 5000, false);
	bind_at(1, 5000, true);
	bind_at(2, 5000 + 256, false);
	memset(&pcbs[3], 0, sizeof(pcbs[3]));
	assert_int_equal(lwip_port_udp_bind(&pcbs[3], &one, 5000), ERR_USE);
	lwip_port_udp_remove(&pcbs[0]);
	assert_int_equal(lwip_port_udp_bind(&pcbs[3], &one, 5000), ERR_OK);
	assert_ptr_equal(who_gets(5000, false, 8), &pcbs[3]);
	assert_ptr_equal(who_gets(5000, true, 8), &pcbs[1]);
	lwip_port_udp_unbind(&pcbs[3]);
	assert_null(who_gets(5000, false, 8));
	assert_ptr_equal(who_gets(5000 + 256, false, 8), &pcbs[2]);
	assert_int_equal(lwip_port_udp_bind(&pcbs[3], &one, 5001), ERR_OK);
	assert_ptr_equal(who_gets(5001, false, 8), &pcbs[3]);
	remove_all(1, 4);
}

/* As DHCP does, whatever bind said. */
static void
who_connects_has_a_port(void **state)
{
	(void)state;
	random_port = 16383;
	bind_at(0, 68, false);
	bind_at(1, 65535, false); /* the first that is tried; then 49152 */
	bind_at(2, 49152, false);
	memset(&pcbs[3], 0, sizeof(pcbs[3]));
	assert_int_equal(lwip_port_udp_bind(&pcbs[3], &one, 68), ERR_USE);
	assert_int_equal(lwip_port_udp_connect(&pcbs[3], &one, 67), ERR_OK);
	assert_null(udp_pcbs);
	assert_int_equal(pcbs[3].local_port, 49153);
	assert_int_equal(pcbs[3].remote_port, 67);
	assert_ptr_equal(who_gets(49153, false, 8), &pcbs[3]);
	remove_all(0, 4);
}

/* As an answer of DHCP's does: others are changed in the middle of it. */
static void
change_things(void)
{
	struct udp_pcb *before = udp_pcbs;

	lwip_port_udp_address(&one, &two);
	assert_ptr_equal(udp_pcbs, before);
	lwip_port_udp_remove(&pcbs[1]); /* of this chain */
	lwip_port_udp_remove(&pcbs[2]); /* of another */
	assert_int_equal(lwip_port_udp_bind(&pcbs[3], &one, 68 + 256), ERR_OK);
	assert_int_equal(lwip_port_udp_bind(&pcbs[4], &one, 70), ERR_OK);
	assert_ptr_equal(udp_pcbs, &pcbs[3]);
	assert_ptr_equal(udp_pcbs->next, &pcbs[0]);
	assert_null(udp_pcbs->next->next);
}

static void
one_within_another(void **state)
{
	(void)state;
	memset(pcbs, 0, sizeof(pcbs));
	bind_at(0, 68, false); /* comes to the front when it is found */
	bind_at(1, 68 + 512, false);
	bind_at(2, 69, false);
	on_datagram = change_things;
	assert_ptr_equal(who_gets(68, false, 8), &pcbs[0]);
	on_datagram = NULL;
	assert_true(ip_addr_cmp(&pcbs[0].local_ip, &two));
	assert_ptr_equal(who_gets(68 + 256, false, 8), &pcbs[3]);
	assert_ptr_equal(who_gets(70, false, 8), &pcbs[4]);
	assert_null(who_gets(69, false, 8));
	assert_null(who_gets(68 + 512, false, 8));
	lwip_port_udp_remove(&pcbs[0]);
	remove_all(3, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_found_among_many),
		cmocka_unit_test(a_port_is_bound_once),
		cmocka_unit_test(who_connects_has_a_port),
		cmocka_unit_test(one_within_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
