/* SPDX-License-Identifier: ISC */
/*
 * inet_udplite.c - UDP-Lite: datagrams whose checksum covers only as much as
 * sender and receiver want.  RFC 3828, udplite(7).
 *
 * lwIP builds and checks such datagrams; their ports are others than UDP's
 * (lwip/udps.c).
 */
#include "net/inet.h"

#include "kern/string.h"
#include "net/ethif.h"
#include "net/lwip/hooks.h"
#include <lwip/ip.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/prot/udp.h>
#include <lwip/stats.h>
#include <lwip/udp.h>
#include <linux/errno.h>
#include <linux/in.h>

#define SEND_CSCOV 10 /* options of SOL_UDPLITE */
#define RECV_CSCOV 11

static int covered; /* [n] bytes of what comes now; -1: all */

/* --------------------------------------------------------------- receiving -- */

/*
 * RFC 3828, 3.1: what is covered is all (0), or the header at least and not
 * more than there is; a checksum is a must.  Of what never left the machine
 * none is made.
 */
static bool
note_coverage(const struct pbuf *p, bool summed)
{
	const struct udp_hdr *h = p->payload;
	unsigned n;

	if (p->len < UDP_HLEN)
		return false;
	n = lwip_ntohs(h->len);
	covered = n == 0 || n == p->tot_len ? -1 : (int)n;
	return (n == 0 || (n >= UDP_HLEN && n <= p->tot_len)) &&
	    (!summed || h->chksum != 0);
}

/* A card that says the sum is right knows UDP's, not this one. */
static void
input(struct pbuf *p, struct netif *inp)
{
	u16_t sums = inp->chksum_flags;
	bool summed = ethif_nic(inp) != NULL;

	if (!note_coverage(p, summed)) {
		pbuf_free(p);
		return;
	}
	if (summed)
		inp->chksum_flags |= NETIF_CHECKSUM_CHECK_UDP;
	lwip_port_udp_input(p, inp);
	inp->chksum_flags = sums;
}

void
lwip_hook_udp_input(struct pbuf *p, struct netif *inp)
{
	bool lite = ip_current_header_proto() == IP_PROTO_UDPLITE,
	     v6 = ip_current_is_v6();
	struct lwip_port_mib2 *m = &lwip_port_stats.mib2;
	uint64_t no_ports = m->udpnoports, errors = m->udpinerrors;
	struct lwip_port_udp *u = &lwip_port_stats.udp[v6][lite];

	lwip_port_stats.delivered6 += v6;
	if (lite)
		input(p, inp);
	else
		lwip_port_udp_input(p, inp);
	u->no_ports += m->udpnoports - no_ports;
	u->errors += m->udpinerrors - errors;
}

bool
inet_udplite_wants(const struct inet_sock *is)
{
	if (!inet_is_udplite(is) || is->recv_cover < 0 || covered < 0)
		return true;
	return is->recv_cover != 0 && covered >= is->recv_cover;
}

/* ----------------------------------------------------------------- sending -- */

void
inet_udplite_cover(struct inet_sock *is, const struct pbuf *p)
{
	unsigned all = p->tot_len + UDP_HLEN;

	if (!inet_is_udplite(is))
		return;
	is->udp->chksum_len_tx = is->send_cover < 0 ||
		(unsigned)is->send_cover > all ?
	    (u16_t)all :
	    (u16_t)is->send_cover;
}

/* ----------------------------------------------------------------- options -- */

static int *
word_of(struct inet_sock *is, int name)
{
	switch (name) {
	case SEND_CSCOV: return &is->send_cover;
	case RECV_CSCOV: return &is->recv_cover;
	default: return NULL;
	}
}

int
inet_udplite_set(struct inet_sock *is, int name, const void *value,
    unsigned len)
{
	int *at = word_of(is, name), n;

	if (len < sizeof(n))
		return -EINVAL;
	if (at == NULL)
		return -ENOPROTOOPT;
	memcpy(&n, value, sizeof(n));
	if (n != 0 && n < UDP_HLEN)
		n = UDP_HLEN;
	__atomic_store_n(at, MIN(n, UINT16_MAX), __ATOMIC_RELAXED);
	return 0;
}

int
inet_udplite_get(struct inet_sock *is, int name, void *value, unsigned *len)
{
	const int *at = word_of(is, name);
	int n;

	if (at == NULL)
		return -ENOPROTOOPT;
	n = __atomic_load_n(at, __ATOMIC_RELAXED);
	if (n < 0)
		n = 0; /* never set */
	*len = MIN(*len, (unsigned)sizeof(n));
	memcpy(value, &n, *len);
	return 0;
}
