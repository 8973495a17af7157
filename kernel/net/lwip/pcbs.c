/* SPDX-License-Identifier: ISC */
/*
 * pcbs.c - connections, found by their addresses and ports.
 *
 * lwIP keeps its control blocks in lists and walks them: for each segment, to
 * take one out, to see whether a port is free.  Its lists stay, as its timers
 * and others go through them, but whoever enters or leaves one comes by here
 * (hooks.h), and a block knows its predecessor; those that have a peer are in a
 * table too, which grows with them.  A segment's connection is looked up here,
 * and lwIP's tcp_input() sees lists with that one alone.
 *
 * A connection that waits for nothing costs its timers little, too.
 *
 * Listeners stand in chains by their ports; tcp_input() sees the one that is
 * meant.
 *
 * What a block has of this lies in places that lwIP leaves to its users.  The
 * timers take blocks out of the lists on their own, and then free them: so the
 * first place also has the function that is told of that.
 * Locking: the network lock is held.
 */
#include "net/lwip/port.h"
#include "net/lwip/rexmit.h"
#include <lwip/mem.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/prot/tcp.h>
#include <limits.h>
#include <string.h>

#define TABLE_MIN 64u  /* chains */
#define MANY      512u /* blocks: below, a walk to find a port is cheap */
#define NPORTS    65536u
#define STUCK     65535u /* blocks on a port: no longer counted */
#define TW_TICKS  (2 * TCP_MSL / TCP_SLOW_INTERVAL)

enum place {
	PLACE_SELF, /* the block, while it is in a list */
	PLACE_NEXT, /* the next one of its chain */
	PLACE_PREV, /* what points to it in its list */
};
_Static_assert(PLACE_PREV + 1 == LWIP_TCP_PCB_NUM_EXT_ARGS, "lwipopts.h");

#define NLISTENING 64u /* chains of listeners */

struct tcp_pcb *lwip_port_active, *lwip_port_waiting;
union tcp_listen_pcbs_t lwip_port_listening;
static struct tcp_pcb *listening[NLISTENING];
bool lwip_port_fast;

static struct tcp_pcb *first_table[TABLE_MIN];
static struct tcp_pcb **table = first_table;
static unsigned nchains = TABLE_MIN;
static unsigned nconns;  /* in the table */
static unsigned nblocks; /* in all lists but the listeners' */
static unsigned nwaiting, waiting_max = UINT_MAX; /* in TIME_WAIT */
static u16_t *users; /* blocks of each local port; NULL: not counted */
static u64_t seed;   /* 0: none yet */

/* ------------------------------------------------------------ the table -- */

static u64_t
mix(u64_t h, u64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 32;
}

static u64_t
mix_address(u64_t h, const ip_addr_t *ip)
{
	const u32_t *w = ip_2_ip6(ip)->addr;

	if (!IP_IS_V6(ip))
		return mix(h, ip_2_ip4(ip)->addr);
	return mix(mix(h, (u64_t)w[0] << 32 | w[1]), (u64_t)w[2] << 32 | w[3]);
}

/* Peers choose some of this: they must not know which chain it leads to. */
static struct tcp_pcb **
chain_of(const ip_addr_t *local_ip, u16_t local_port,
    const ip_addr_t *remote_ip, u16_t remote_port)
{
	u64_t h;

	if (seed == 0)
		seed = (u64_t)LWIP_RAND() << 32 | LWIP_RAND() | 1;
	h = mix(seed, (u64_t)local_port << 16 | remote_port);
	h = mix_address(h, remote_ip);
	h = mix_address(h, local_ip);
	return &table[mix(h, seed) & (nchains - 1)];
}

static struct tcp_pcb **
chain_of_pcb(const struct tcp_pcb *pcb)
{
	return chain_of(&pcb->local_ip, pcb->local_port, &pcb->remote_ip,
	    pcb->remote_port);
}

static struct tcp_pcb *
next_of(const struct tcp_pcb *pcb)
{
	return pcb->ext_args[PLACE_NEXT].data;
}

static void
enter(struct tcp_pcb *pcb)
{
	struct tcp_pcb **chain = chain_of_pcb(pcb);

	pcb->ext_args[PLACE_NEXT].data = *chain;
	*chain = pcb;
}

/* All into another table, of n chains; what was the table is freed. */
static void
change_table(struct tcp_pcb **to, unsigned n)
{
	struct tcp_pcb **from = table, *pcb, *next;
	unsigned i, was = nchains;

	memset(to, 0, n * sizeof(*to));
	table = to;
	nchains = n;
	for (i = 0; i < was; i++)
		for (pcb = from[i]; pcb != NULL; pcb = next) {
			next = next_of(pcb);
			enter(pcb);
		}
	if (from != first_table)
		mem_free(from);
}

/* Without memory chains are longer, or the table is. */
static void
fit_table(void)
{
	struct tcp_pcb **to;
	unsigned n = nchains;

	if (nconns > nchains)
		n = nchains * 2;
	else if (nconns < nchains / 8)
		n = nchains / 2;
	if (n == nchains || n < TABLE_MIN)
		return;
	to = n == TABLE_MIN ? first_table : mem_malloc(n * sizeof(*to));
	if (to != NULL)
		change_table(to, n);
}

static void
unchain(struct tcp_pcb **chain, struct tcp_pcb *pcb)
{
	struct tcp_pcb *p = *chain;

	if (p == pcb) {
		*chain = next_of(pcb);
		return;
	}
	while (p != NULL && next_of(p) != pcb)
		p = next_of(p);
	LWIP_ASSERT("a block is in its chain", p != NULL);
	p->ext_args[PLACE_NEXT].data = next_of(pcb);
}

static void
leave(struct tcp_pcb *pcb)
{
	unchain(chain_of_pcb(pcb), pcb);
}

static bool
is_for(const struct tcp_pcb *pcb, const struct netif *nif, u16_t from, u16_t to)
{
	return pcb->remote_port == from && pcb->local_port == to &&
	    (pcb->netif_idx == NETIF_NO_INDEX ||
		pcb->netif_idx == netif_get_index(nif)) &&
	    ip_addr_cmp(&pcb->remote_ip, ip_current_src_addr()) &&
	    ip_addr_cmp(&pcb->local_ip, ip_current_dest_addr());
}

/* Of two, as lwIP's lists are in that order, the one that is active. */
static void
find(u16_t from, u16_t to)
{
	const struct netif *nif = ip_current_input_netif();
	struct tcp_pcb *p = *chain_of(ip_current_dest_addr(), to,
	    ip_current_src_addr(), from);

	for (; p != NULL && lwip_port_active == NULL; p = next_of(p)) {
		if (!is_for(p, nif, from, to))
			continue;
		if (p->state == TIME_WAIT)
			lwip_port_waiting = p;
		else
			lwip_port_active = p;
	}
}

/*
 * How well a listener suits what comes now; 0: not at all.  An address of its
 * own is more than an interface, and that more than the right family.
 */
static unsigned
suits(const struct tcp_pcb *l, const struct netif *nif, u16_t port)
{
	const ip_addr_t *to = ip_current_dest_addr();
	unsigned score = 1;

	if (l->local_port != port)
		return 0;
	if (l->netif_idx != NETIF_NO_INDEX) {
		if (l->netif_idx != netif_get_index(nif))
			return 0;
		score += 2;
	}
	if (IP_IS_ANY_TYPE_VAL(l->local_ip))
		return score;
	if (IP_IS_V6_VAL(l->local_ip) != IP_IS_V6(to))
		return 0;
	if (ip_addr_isany(&l->local_ip))
		return score + 1;
	return ip_addr_cmp(&l->local_ip, to) ? score + 4 : 0;
}

static struct tcp_pcb *
find_listener(u16_t port)
{
	const struct netif *nif = ip_current_input_netif();
	struct tcp_pcb *l, *best = NULL;
	unsigned score, most = 0;

	for (l = listening[port % NLISTENING]; l != NULL; l = next_of(l)) {
		score = suits(l, nif, port);
		if (score > most) {
			most = score;
			best = l;
		}
	}
	return best;
}

/* A listener that tcp_input() sees as the only one stays where it is. */
static void
input_to_listener(struct tcp_pcb *l, struct pbuf *p, struct netif *inp)
{
	struct tcp_pcb *next = l->next;

	l->next = NULL;
	lwip_port_listening.pcbs = l;
	tcp_input(p, inp);
	lwip_port_listening.pcbs = NULL;
	l->next = next;
}

void
lwip_hook_tcp_segment(struct pbuf *p, struct netif *inp)
{
	const struct tcp_hdr *h = p->payload;
	struct tcp_pcb *l = NULL;

	lwip_port_active = lwip_port_waiting = NULL;
	if (p->len >= TCP_HLEN) {
		find(lwip_ntohs(h->src), lwip_ntohs(h->dest));
		if (lwip_port_active == NULL && lwip_port_waiting == NULL)
			l = find_listener(lwip_ntohs(h->dest));
	}
	if (l != NULL)
		input_to_listener(l, p, inp);
	else
		tcp_input(p, inp);
}

/* ---------------------------------------------------------------- ports -- */

static void
count_port(const struct tcp_pcb *pcb, int more)
{
	u16_t *n = &users[pcb->local_port];

	if (*n != STUCK)
		*n = (u16_t)(*n + more);
}

/* false: there is no memory to count. */
static bool
count_ports(void)
{
	struct tcp_pcb **const lists[] = { &tcp_bound_pcbs, &tcp_active_pcbs,
		&tcp_tw_pcbs };
	const struct tcp_pcb *p;
	unsigned i;

	if (users != NULL)
		return true;
	users = mem_malloc(NPORTS * sizeof(*users));
	if (users == NULL)
		return false;
	memset(users, 0, NPORTS * sizeof(*users));
	for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (p = *lists[i]; p != NULL; p = p->next)
			count_port(p, 1);
	for (p = tcp_listen_pcbs.pcbs; p != NULL; p = p->next)
		users[p->local_port] = STUCK;
	return true;
}

static void
one_more(const struct tcp_pcb *pcb)
{
	nblocks++;
	if (users != NULL)
		count_port(pcb, 1);
}

static void
one_less(const struct tcp_pcb *pcb)
{
	nblocks--;
	if (users == NULL)
		return;
	count_port(pcb, -1);
	if (nblocks < MANY / 4) {
		mem_free(users);
		users = NULL;
	}
}

enum lwip_port_use
lwip_port_use(u16_t port)
{
	if (nblocks < MANY || !count_ports())
		return LWIP_PORT_UNKNOWN;
	return users[port] == 0 ? LWIP_PORT_FREE : LWIP_PORT_USED;
}

err_t
lwip_port_bind(struct tcp_pcb *pcb, const ip_addr_t *ip, u16_t port)
{
	if (pcb->state != CLOSED || pcb->local_port != 0 ||
	    lwip_port_use(port) != LWIP_PORT_FREE ||
	    (IP_IS_V6(ip) && ip6_addr_lacks_zone(ip_2_ip6(ip), IP6_UNICAST)))
		return tcp_bind(pcb, ip, port);
	ip_addr_set(&pcb->local_ip, ip);
	pcb->local_port = port;
	lwip_port_pcb_add(&tcp_bound_pcbs, pcb);
	return ERR_OK;
}

/* ---------------------------------------------------------------- lists -- */

/* lwIP's tcp_in.c has other names for them: hooks.h. */
static struct tcp_pcb **
real(struct tcp_pcb **list)
{
	if (list == &lwip_port_active)
		return &tcp_active_pcbs;
	return list == &lwip_port_waiting ? &tcp_tw_pcbs : list;
}

static void
set_prev(struct tcp_pcb *pcb, struct tcp_pcb **prev)
{
	if (pcb != NULL)
		pcb->ext_args[PLACE_PREV].data = prev;
}

static void on_free(u8_t place, void *data);
/* Which of them a block has says whether it is in the table. */
static const struct tcp_ext_arg_callbacks bound = { .destroy = on_free };
static const struct tcp_ext_arg_callbacks connected = { .destroy = on_free };
static const struct tcp_ext_arg_callbacks waiting = { .destroy = on_free };

/* It has left its list: what else is known of it. */
static void
forget(struct tcp_pcb *pcb)
{
	struct tcp_pcb_ext_args *self = &pcb->ext_args[PLACE_SELF];

	set_prev(pcb->next, pcb->ext_args[PLACE_PREV].data);
	nwaiting -= self->callbacks == &waiting;
	if (self->callbacks != &bound) {
		leave(pcb);
		nconns--;
		fit_table();
	}
	self->callbacks = NULL;
	self->data = NULL;
	lwip_rexmit_forget(pcb);
	one_less(pcb);
}

/* Still known: one of lwIP's timers has taken it out of its list. */
static void
on_free(u8_t place, void *data)
{
	(void)place;
	forget(data);
}

void
lwip_port_set_waiting_max(unsigned n)
{
	waiting_max = n;
}

/* Too many wait: this one only until the timer looks, in half a second. */
static void
begin_waiting(struct tcp_pcb *pcb)
{
	if (++nwaiting > waiting_max)
		pcb->tmr = tcp_ticks - TW_TICKS - 1;
}

static void
enter_listener(struct tcp_pcb *pcb)
{
	struct tcp_pcb **chain = &listening[pcb->local_port % NLISTENING];

	pcb->ext_args[PLACE_NEXT].data = *chain;
	*chain = pcb;
}

void
lwip_port_pcb_add(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	struct tcp_pcb_ext_args *self = &pcb->ext_args[PLACE_SELF];

	list = real(list);
	pcb->next = *list;
	if (list == &tcp_listen_pcbs.pcbs) {
		*list = pcb;
		enter_listener(pcb);
		if (users != NULL)
			users[pcb->local_port] = STUCK;
		return;
	}
	set_prev(*list, &pcb->next);
	set_prev(pcb, list);
	*list = pcb;
	self->data = pcb;
	self->callbacks = list == &tcp_bound_pcbs ? &bound :
	    list == &tcp_tw_pcbs                  ? &waiting :
						    &connected;
	one_more(pcb);
	if (self->callbacks == &waiting)
		begin_waiting(pcb);
	if (self->callbacks != &bound) {
		nconns++;
		enter(pcb);
		fit_table();
	}
	tcp_timer_needed();
}

static void
remove_listener(struct tcp_pcb *pcb)
{
	struct tcp_pcb **p = &tcp_listen_pcbs.pcbs;

	while (*p != NULL && *p != pcb)
		p = &(*p)->next;
	if (*p == NULL)
		return;
	*p = pcb->next;
	unchain(&listening[pcb->local_port % NLISTENING], pcb);
}

void
lwip_port_pcb_remove(struct tcp_pcb **list, struct tcp_pcb *pcb)
{
	struct tcp_pcb **prev = pcb->ext_args[PLACE_PREV].data;

	if (list == &tcp_listen_pcbs.pcbs) {
		remove_listener(pcb);
	} else if (pcb->ext_args[PLACE_SELF].data != NULL) {
		*prev = pcb->next;
		forget(pcb);
	}
	pcb->next = NULL;
}

/* --------------------------------------------------------------- timers -- */

/* Once a second lwIP looks through all whether there is anything. */
void
lwip_hook_tcp_tmr(void)
{
	static unsigned n;

	if (lwip_port_fast || n % 4 == 0) {
		lwip_port_fast = false;
		tcp_fasttmr();
	}
	if (n++ % 2 == 0)
		tcp_slowtmr();
}
