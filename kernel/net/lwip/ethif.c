/* SPDX-License-Identifier: ISC */
/*
 * ethif.c - interfaces: how cards become lwIP's netifs, under which names, and
 * what programs may ask and set.  Packets: ethif_rx.c, ethif_tx.c.
 */
#include "net/lwip/ethif_impl.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <lwip/dhcp.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include "net/inet_addr6.h"
#include "net/inet_class.h"
#include "net/inet_config.h"
#include "net/inet_neigh.h"
#include "net/stack.h"
#include <linux/errno.h>
#include "abi/netdevice.h"

static struct mutex list_lock = MUTEX_INIT(list_lock);
struct ethif_list ethif_list = TAILQ_HEAD_INITIALIZER(ethif_list);
static struct waitq busy_wq = WAITQ_INIT(busy_wq);
struct nic_stats ethif_lo_stats;
static void (*watcher)(struct netif *nif, enum ethif_event what);

/* -------------------------------------------------------- looking for one -- */

struct netif *
ethif_nth(unsigned i)
{
	struct netif *nif;
	unsigned index;

	for (index = ETHIF_LO; index <= 255; index++) {
		nif = netif_get_by_index((u8_t)index);
		if (nif != NULL && i-- == 0)
			return nif;
	}
	return NULL;
}

struct netif *
ethif_by_index(unsigned index)
{
	return index == 0 || index > 255 ? NULL :
					   netif_get_by_index((u8_t)index);
}

static struct ethif *
ethif_of(const struct netif *nif)
{
	return nif->linkoutput == ethif_linkoutput ? nif->state : NULL;
}

const char *
ethif_name(const struct netif *nif)
{
	const struct ethif *e = ethif_of(nif);

	return e == NULL ? "lo" : e->name;
}

struct netif *
ethif_by_name(const char *name)
{
	struct netif *nif;

	NETIF_FOREACH(nif)
	if (strcmp(ethif_name(nif), name) == 0)
		return nif;
	return NULL;
}

unsigned
ethif_index(const struct netif *nif)
{
	return netif_get_index(nif);
}

struct nic *
ethif_nic(const struct netif *nif)
{
	const struct ethif *e = ethif_of(nif);

	return e == NULL ? NULL : e->nic;
}

const struct nic_stats *
ethif_stats(const struct netif *nif)
{
	const struct ethif *e = ethif_of(nif);

	return e == NULL ? &ethif_lo_stats : &e->nic->stats;
}

unsigned
ethif_mtu(const struct netif *nif)
{
	return ethif_of(nif) == NULL ? 65536 : nif->mtu;
}

unsigned
ethif_flags(const struct netif *nif)
{
	const struct ethif *e = ethif_of(nif);
	unsigned flags = 0;

	if (netif_is_up(nif))
		flags |= IFF_UP;
	if (netif_is_up(nif) && netif_is_link_up(nif))
		flags |= IFF_RUNNING | IFF_LOWER_UP;
	if (e == NULL)
		return flags | IFF_LOOPBACK;
	return flags | IFF_BROADCAST | IFF_MULTICAST |
	    (e->promisc > 0 ? IFF_PROMISC : 0);
}

/* --------------------------------------------------------------- changing -- */

static void
tell(struct netif *nif, enum ethif_event what)
{
	if (watcher != NULL)
		watcher(nif, what);
}

void
ethif_set_watcher(void (*fn)(struct netif *nif, enum ethif_event what))
{
	watcher = fn;
}

int
ethif_set_up(struct netif *nif, bool up)
{
	if (up) {
		netif_set_up(nif);
		inet_addr6_begin(nif);
	} else {
		inet_addr6_end(nif);
		inet_neigh_departed(nif);
		netif_set_down(nif);
	}
	ethif_alias_follow(nif);
	tell(nif, ETHIF_CHANGED);
	return 0;
}

int
ethif_set_mtu(struct netif *nif, unsigned mtu)
{
	const struct ethif *e = ethif_of(nif);

	if (e == NULL)
		return mtu == ethif_mtu(nif) ? 0 : -EINVAL;
	if (mtu < NIC_MTU_MIN || mtu > e->nic->info.mtu)
		return -EINVAL;
	nif->mtu = (u16_t)mtu;
	nif->mtu6 = (u16_t)mtu;
	ethif_alias_follow(nif);
	tell(nif, ETHIF_CHANGED);
	return 0;
}

/* ---------------------------------------------------------- coming, going -- */

static err_t
set_up_netif(struct netif *nif)
{
	struct ethif *e = nif->state;
	const struct nic_info *info = &e->nic->info;

	nif->name[0] = 'e';
	nif->name[1] = 't';
	nif->output = ethif_output4;
	nif->output_ip6 = inet_neigh_output6;
	nif->linkoutput = ethif_linkoutput;
	nif->hwaddr_len = NIC_MAC_LEN;
	memcpy(nif->hwaddr, info->mac, NIC_MAC_LEN);
	nif->mtu = (u16_t)MIN(info->mtu, 1500u);
	if (info->mtu > 1500)
		nif->mtu = (u16_t)info->mtu;
	nif->mtu6 = nif->mtu;
	nif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP |
	    NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_MLD6;
	nif->ip6_autoconfig_enabled = 1;
	nif->hostname = NULL;
	if (info->tx_csum)
		nif->chksum_flags &= ~NETIF_CHECKSUM_GEN_TCP;
	return ERR_OK;
}

/* eth0, eth1 ...: the lowest that is free. */
static void
choose_name(struct ethif *e)
{
	const struct ethif *o;
	unsigned n = 0;

again:
	snprintf(e->name, sizeof(e->name), "eth%u", n++);
	TAILQ_FOREACH (o, &ethif_list, link)
		if (o != e && strcmp(o->name, e->name) == 0)
			goto again;
}

static int
arrive(struct nic *nic)
{
	struct ethif *e = kzalloc(sizeof(*e));

	if (e == NULL)
		return -ENOMEM;
	e->nic = nic;
	e->fresh = true;
	TAILQ_INIT(&e->backlog);
	mutex_lock(&list_lock);
	choose_name(e);
	TAILQ_INSERT_TAIL(&ethif_list, e, link);
	nic->consumer = e;
	mutex_unlock(&list_lock);
	/* At boot the network begins later; else the card is there at once. */
	if (net_is_up()) {
		ethif_start_new();
		net_kick();
	}
	return 0;
}

/* The next card to start; marks it as busy, so that it stays. */
static struct ethif *
take_fresh(void)
{
	struct ethif *e;

	mutex_lock(&list_lock);
	TAILQ_FOREACH (e, &ethif_list, link)
		if (e->fresh)
			break;
	if (e != NULL) {
		e->fresh = false;
		e->busy = true;
	}
	mutex_unlock(&list_lock);
	return e;
}

static void
add_netif(struct ethif *e)
{
	net_lock();
	e->added = netif_add_noaddr(&e->nif, e, set_up_netif, ip_input) != NULL;
	if (e->added) {
		if (netif_default == NULL ||
		    netif_default->linkoutput != ethif_linkoutput)
			netif_set_default(&e->nif);
		if (__atomic_load_n(&e->nic->link, __ATOMIC_ACQUIRE))
			netif_set_link_up(&e->nif);
		inet_addr6_arrived(&e->nif);
		tell(&e->nif, ETHIF_NEW);
		inet_config_arrived(&e->nif);
	}
	net_unlock();
}

void
ethif_start_new(void)
{
	struct ethif *e;
	int error;

	while ((e = take_fresh()) != NULL) {
		error = e->nic->ops->start(e->nic->arg);
		if (error == 0) {
			add_netif(e);
			inet_class_arrive(&e->cd, e->name,
			    netif_get_index(&e->nif), e->nic->dev);
		} else if (error != -ENODEV)
			log_warn("%s: does not start, error %d", e->name,
			    -error);
		mutex_lock(&list_lock);
		e->busy = false;
		mutex_unlock(&list_lock);
		waitq_wake_all(&busy_wq);
	}
}

/* The card of that number, marked as busy, so that it stays; NULL: none. */
static struct ethif *
hold_free(unsigned index, bool *taken)
{
	struct ethif *e;

	mutex_lock(&list_lock);
	TAILQ_FOREACH (e, &ethif_list, link)
		if (e->added && netif_get_index(&e->nif) == index)
			break;
	*taken = e != NULL && e->busy;
	if (e != NULL)
		e->busy = true;
	mutex_unlock(&list_lock);
	return *taken ? NULL : e;
}

/* The same, when nobody else asks it for something any more. */
static struct ethif *
hold(unsigned index)
{
	struct ethif *e;
	bool taken;

	wait_event(&busy_wq,
	    ((e = hold_free(index, &taken)) != NULL || !taken));
	return e;
}

int
ethif_set_promisc(unsigned index, bool on)
{
	struct ethif *e = hold(index);
	const struct nic *nic;
	bool want;
	int error = 0;

	if (e == NULL)
		return -ENODEV;
	nic = e->nic;
	net_lock();
	if (on)
		e->promisc++;
	else if (e->promisc > 0)
		e->promisc--;
	want = e->promisc > 0;
	net_unlock();
	if (nic->info.filters)
		error = nic->ops->set_filter(nic->arg, want, true);
	mutex_lock(&list_lock);
	e->busy = false;
	mutex_unlock(&list_lock);
	waitq_wake_all(&busy_wq);
	return error;
}

static bool
is_idle(struct ethif *e)
{
	bool idle;

	mutex_lock(&list_lock);
	e->fresh = false;
	idle = !e->busy;
	mutex_unlock(&list_lock);
	return idle;
}

static void
depart(struct nic *nic)
{
	struct ethif *e = nic->consumer;
	unsigned i;

	while (!is_idle(e))
		wait_event(&busy_wq,
		    !__atomic_load_n(&e->busy, __ATOMIC_ACQUIRE));
	classdev_depart(&e->cd);
	net_lock();
	if (e->added) {
		tell(&e->nif, ETHIF_GONE);
		inet_config_departed(&e->nif);
		inet_addr6_departed(&e->nif);
		inet_neigh_departed(&e->nif);
		ethif_alias_depart(&e->nif);
		netif_poll(&e->nif); /* what it sent to itself meanwhile */
		netif_remove(&e->nif);
		e->added = false;
	}
	mutex_lock(&list_lock);
	TAILQ_REMOVE(&ethif_list, e, link);
	mutex_unlock(&list_lock);
	ethif_tx_end(e);
	for (i = 0; i < nic->info.nqueues; i++)
		nic->ops->reap(nic->arg, i);
	net_unlock();
	kfree(e);
}

static void
ready(struct nic *nic)
{
	struct ethif *e = nic->consumer;

	if (e == NULL)
		return;
	__atomic_store_n(&e->ready, true, __ATOMIC_RELEASE);
	net_kick();
}

static void
link_changed(struct nic *nic)
{
	struct ethif *e = nic->consumer;

	if (e == NULL)
		return;
	__atomic_store_n(&e->link_news, true, __ATOMIC_RELEASE);
	net_kick();
}

static const struct nic_consumer consumer = {
	.arrive = arrive,
	.depart = depart,
	.ready = ready,
	.link = link_changed,
};

void
ethif_register(void)
{
	nic_set_consumer(&consumer);
}

bool
ethif_any(void)
{
	bool any;

	mutex_lock(&list_lock);
	any = !TAILQ_EMPTY(&ethif_list);
	mutex_unlock(&list_lock);
	return any;
}

void
ethif_init(void)
{
	struct netif *lo = netif_get_by_index(ETHIF_LO);

	ethif_lo_init(lo);
	inet_addr6_arrived(lo);
	tell(lo, ETHIF_NEW);
}

/* ------------------------------------------------------- the thread's work -- */

static void
look_at_link(struct ethif *e)
{
	bool on = __atomic_load_n(&e->nic->link, __ATOMIC_ACQUIRE);

	if (on == (bool)netif_is_link_up(&e->nif))
		return;
	log_info("%s: link %s", e->name, on ? "up" : "down");
	if (on) {
		netif_set_link_up(&e->nif);
		inet_addr6_begin(&e->nif);
	} else {
		netif_set_link_down(&e->nif);
	}
	ethif_alias_follow(&e->nif);
	tell(&e->nif, ETHIF_CHANGED);
}

bool
ethif_work(void)
{
	struct ethif *e;
	bool more = false;
	unsigned i;

	mutex_lock(&list_lock);
	TAILQ_FOREACH (e, &ethif_list, link) {
		if (!e->added)
			continue;
		if (__atomic_exchange_n(&e->link_news, false, __ATOMIC_ACQ_REL))
			look_at_link(e);
		/* Before timers: what is still held is not sent once more. */
		for (i = 0; i < e->nic->info.nqueues; i++)
			e->nic->ops->reap(e->nic->arg, i);
		if (!__atomic_exchange_n(&e->ready, false, __ATOMIC_ACQ_REL))
			continue;
		for (i = 0; i < e->nic->info.nqueues; i++) {
			if (ethif_receive(e, i)) {
				__atomic_store_n(&e->ready, true,
				    __ATOMIC_RELEASE);
				more = true;
			}
		}
		ethif_backlog(e);
	}
	mutex_unlock(&list_lock);
	return more;
}

void
ethif_flush_all(void)
{
	struct ethif *e;

	if (!ethif_dirty)
		return;
	ethif_dirty = false;
	mutex_lock(&list_lock);
	TAILQ_FOREACH (e, &ethif_list, link)
		if (e->added)
			ethif_flush(e);
	mutex_unlock(&list_lock);
}
