/* SPDX-License-Identifier: ISC */
/*
 * udps.c - sockets of UDP and UDP-Lite, found by their ports.
 *
 * lwIP has one list of control blocks and walks it: for each datagram, and to
 * bind, connect or remove one.  All of that is about one port.  So blocks stand
 * in chains by port here, and while lwIP works its list is the chain of that
 * port; else it is empty.  What it does may lead to the same for another port
 * (an answer of DHCP's that changes an address): each has its chain back
 * afterwards.
 * Locking: the network lock is held.
 */
#include "net/lwip/port.h"
#include <lwip/ip.h>
#include <lwip/pbuf.h>
#include <lwip/prot/udp.h>
#include <lwip/udp.h>

#define NCHAINS  256u
#define NLITE    16u    /* of UDP-Lite, which nearly nobody uses */
#define DYNAMIC  49152u /* ports for whoever asks for none */
#define NDYNAMIC 16384u

static struct udp_pcb *chains[NCHAINS + NLITE];
static struct udp_pcb **current; /* of which udp_pcbs is the list; NULL: none */

static struct udp_pcb **
chain_of(bool lite, u16_t port)
{
	return lite ? &chains[NCHAINS + port % NLITE] : &chains[port % NCHAINS];
}

static struct udp_pcb **
chain_of_pcb(const struct udp_pcb *pcb, u16_t port)
{
	return chain_of((pcb->flags & UDP_FLAGS_UDPLITE) != 0, port);
}

/* The chain is lwIP's list; what was it before, for end(). */
static struct udp_pcb **
begin(struct udp_pcb **chain)
{
	struct udp_pcb **before = current;

	if (before != NULL)
		*before = udp_pcbs;
	current = chain;
	udp_pcbs = *chain;
	return before;
}

static void
end(struct udp_pcb **before)
{
	*current = udp_pcbs;
	current = before;
	udp_pcbs = before == NULL ? NULL : *before;
}

void
lwip_port_udp_input(struct pbuf *p, struct netif *inp)
{
	const struct udp_hdr *h = p->payload;
	bool lite = ip_current_header_proto() == IP_PROTO_UDPLITE;
	struct udp_pcb **before;

	before = begin(
	    chain_of(lite, p->len < UDP_HLEN ? 0 : lwip_ntohs(h->dest)));
	udp_input(p, inp);
	end(before);
}

err_t
lwip_port_udp_bind(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	struct udp_pcb **before;
	err_t err;

	LWIP_ASSERT("a port is bound to once, and known",
	    port != 0 && (pcb->local_port == 0 || pcb->local_port == port));
	before = begin(chain_of_pcb(pcb, port));
	err = udp_bind(pcb, ip, port);
	end(before);
	return err;
}

/* To a port that nobody has, of those that are for this (RFC 6335, 6). */
static err_t
bind_somewhere(struct udp_pcb *pcb)
{
	u16_t first = (u16_t)(LWIP_RAND() % NDYNAMIC);
	err_t err = ERR_USE;
	unsigned i;

	for (i = 0; i < NDYNAMIC && err == ERR_USE; i++)
		err = lwip_port_udp_bind(pcb, &pcb->local_ip,
		    (u16_t)(DYNAMIC + (first + i) % NDYNAMIC));
	return err;
}

/* DHCP's has no port when a program was first to bind to its own. */
err_t
lwip_port_udp_connect(struct udp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	struct udp_pcb **before;
	err_t err;

	if (pcb->local_port == 0) {
		err = bind_somewhere(pcb);
		if (err != ERR_OK)
			return err;
	}
	before = begin(chain_of_pcb(pcb, pcb->local_port));
	err = udp_connect(pcb, ip, port);
	end(before);
	return err;
}

void
lwip_port_udp_remove(struct udp_pcb *pcb)
{
	struct udp_pcb **before = begin(chain_of_pcb(pcb, pcb->local_port));

	udp_remove(pcb);
	end(before);
}

void
lwip_port_udp_unbind(struct udp_pcb *pcb)
{
	struct udp_pcb **before = begin(chain_of_pcb(pcb, pcb->local_port));
	struct udp_pcb **at = &udp_pcbs;

	while (*at != NULL && *at != pcb)
		at = &(*at)->next;
	if (*at != NULL)
		*at = pcb->next;
	pcb->next = NULL;
	pcb->local_port = 0;
	end(before);
}

void
lwip_port_udp_address(const ip_addr_t *from, const ip_addr_t *to)
{
	struct udp_pcb **before;
	unsigned i;

	for (i = 0; i < NCHAINS + NLITE; i++) {
		before = begin(&chains[i]);
		udp_netif_ip_addr_changed(from, to);
		end(before);
	}
}
