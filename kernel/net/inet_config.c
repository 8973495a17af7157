/* SPDX-License-Identifier: ISC */
/*
 * inet_config.c - addresses at boot: what ip= asks for, interface by
 * interface, as they arrive; DHCP by lwIP, renewed by its timers.
 */
#include "net/inet_config.h"

#include "kern/bootargs.h"
#include "kern/clock.h"
#include "kern/cmdline.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "net/ethif.h"
#include "net/inet_route.h"
#include "net/ip_arg.h"
#include "net/lwip/port.h"
#include "net/stack.h"
#include <lwip/dhcp.h>
#include <lwip/netif.h>
#include <lwip/prot/dhcp.h>
#include <linux/errno.h>

#define ARGS_MAX  8u
#define DHCP_WAIT (12 * NSEC_PER_SEC) /* the first program waits so long */

struct wish {
	struct ip_arg arg; /* [I] */
	unsigned if_index; /* [n] whose it is; 0: nobody's yet */
	bool done;         /* atomic: it has its address */
};

static struct wish wishes[ARGS_MAX]; /* [n] */
static unsigned nwishes;             /* [I] */
static bool parsed;
static struct waitq wq = WAITQ_INIT(wq);
static struct inet_pnp pnp;                     /* [n] */
static char dhcp_name[65], dhcp_domain[64];     /* [n] of the last answer */
static void (*hostname_hook)(const char *name); /* [I] */
static char hostname[65];                       /* [n] to be told */
static char own_hostname[65];                   /* [I] for DHCP servers */

/* ------------------------------------------------------------ the arguments -- */

static void
parse_all(void)
{
	const char *line = boot_cmdline();
	char text[256];
	int len;

	if (parsed || !bootargs()->ip)
		return;
	parsed = true;
	while ((len = cmdline_next_value(&line, "ip", text, sizeof(text))) !=
	    -ENOENT) {
		if (len < 0 || nwishes == ARGS_MAX ||
		    ip_arg_parse(text, &wishes[nwishes].arg) != 0) {
			log_warn("ip=%s makes no sense, ignored",
			    len < 0 ? "..." : text);
			continue;
		}
		nwishes++;
	}
}

/* The wish for an interface: one that names it, else one that names none. */
static struct wish *
wish_for(const struct netif *nif)
{
	struct wish *w, *any = NULL;
	unsigned i;

	for (i = 0; i < nwishes; i++) {
		w = &wishes[i];
		if (w->if_index != 0)
			continue;
		if (strcmp(w->arg.device, ethif_name(nif)) == 0)
			return w;
		if (w->arg.device[0] == '\0' && any == NULL)
			any = w;
	}
	return any;
}

void
inet_config_set_hostname_hook(void (*fn)(const char *name))
{
	hostname_hook = fn;
}

/* ----------------------------------------------------------------- by hand -- */

static void
set_by_hand(struct netif *nif, struct wish *w)
{
	const struct ip_arg *a = &w->arg;
	ip4_addr_t ip, mask, gw;
	char t[2][IP4ADDR_STRLEN_MAX];

	ip4_addr_set_u32(&ip, a->client);
	ip4_addr_set_u32(&mask, a->netmask);
	ip4_addr_set_u32(&gw, a->gateway);
	netif_set_addr(nif, &ip, &mask, &gw);
	if (a->gateway != 0)
		netif_set_default(nif);
	pnp.manual = true;
	pnp.server = a->server;
	log_info("%s: address %s, gateway %s", ethif_name(nif),
	    ip4addr_ntoa_r(&ip, t[0], sizeof(t[0])),
	    a->gateway == 0 ? "none" : ip4addr_ntoa_r(&gw, t[1], sizeof(t[1])));
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
}

static void
note_servers(const struct ip_arg *a)
{
	unsigned i;

	for (i = 0; i < 2; i++)
		if (a->dns[i] != 0)
			pnp.dns[i] = a->dns[i];
	if (a->ntp != 0)
		pnp.ntp[0] = a->ntp;
}

/* -------------------------------------------------------------------- DHCP -- */

static uint32_t
option_addr(const struct pbuf *p, unsigned at)
{
	uint32_t v = 0;

	(void)pbuf_copy_partial(p, &v, sizeof(v), (u16_t)at);
	return v;
}

static void
option_addrs(uint32_t *to, unsigned max, const struct pbuf *p, unsigned at,
    unsigned len)
{
	unsigned i;

	for (i = 0; i < max; i++)
		to[i] = len >= 4 * (i + 1) ? option_addr(p, at + 4 * i) : 0;
}

/* A name of letters that names have; anything else is not taken. */
static void
option_name(char *to, unsigned size, const struct pbuf *p, unsigned at,
    unsigned len)
{
	char text[65];
	unsigned i;

	if (len == 0 || len >= size || len >= sizeof(text) ||
	    pbuf_copy_partial(p, text, (u16_t)len, (u16_t)at) != len)
		return;
	for (i = 0; i < len; i++)
		if (!lwip_isdigit(text[i]) && !lwip_islower(text[i]) &&
		    !lwip_isupper(text[i]) && text[i] != '-' && text[i] != '.')
			return;
	memcpy(to, text, len);
	to[len] = '\0';
}

void
lwip_hook_dhcp_option(struct netif *netif, u8_t type, u8_t option, u8_t len,
    struct pbuf *p, u16_t offset)
{
	(void)netif;
	if (type != DHCP_ACK)
		return;
	switch (option) {
	case DHCP_OPTION_DNS_SERVER:
		option_addrs(pnp.dns, 3, p, offset, len);
		break;
	case DHCP_OPTION_NTP: option_addrs(pnp.ntp, 3, p, offset, len); break;
	case DHCP_OPTION_HOSTNAME:
		option_name(dhcp_name, sizeof(dhcp_name), p, offset, len);
		break;
	case 15: /* domain name, RFC 2132, 3.17 */
		option_name(dhcp_domain, sizeof(dhcp_domain), p, offset, len);
		break;
	}
}

int
inet_config_dhcp(struct netif *nif, bool on)
{
	if (!on) {
		dhcp_release_and_stop(nif);
		return 0;
	}
	nif->hostname = own_hostname[0] != '\0' ? own_hostname : NULL;
	return dhcp_start(nif) == ERR_OK ? 0 : -ENOMEM;
}

enum inet_dhcp_state
inet_config_dhcp_state(struct netif *nif)
{
	const struct dhcp *d = netif_dhcp_data(nif);

	if (d == NULL || d->state == DHCP_STATE_OFF)
		return INET_DHCP_OFF;
	return dhcp_supplied_address(nif) ? INET_DHCP_BOUND : INET_DHCP_ASKING;
}

static void
got_lease(struct netif *nif)
{
	char t[3][IP4ADDR_STRLEN_MAX];

	pnp.dhcp = true;
	pnp.server = 0;
	memcpy(pnp.domain, dhcp_domain, sizeof(pnp.domain));
	if (dhcp_name[0] != '\0' && own_hostname[0] == '\0')
		memcpy(hostname, dhcp_name, sizeof(hostname));
	netif_set_default(nif);
	log_info("%s: address %s, netmask %s, gateway %s, by DHCP",
	    ethif_name(nif),
	    ip4addr_ntoa_r(netif_ip4_addr(nif), t[0], sizeof(t[0])),
	    ip4addr_ntoa_r(netif_ip4_netmask(nif), t[1], sizeof(t[1])),
	    ip4addr_ntoa_r(netif_ip4_gw(nif), t[2], sizeof(t[2])));
}

/* lwIP: an interface has changed. */
static void
on_change(struct netif *nif, netif_nsc_reason_t reason,
    const netif_ext_callback_args_t *args)
{
	unsigned i;

	(void)args;
	if ((reason & LWIP_NSC_IPV4_ADDRESS_CHANGED) == 0)
		return;
	if (!dhcp_supplied_address(nif) ||
	    ip4_addr_isany_val(*netif_ip4_addr(nif)))
		return;
	got_lease(nif);
	for (i = 0; i < nwishes; i++)
		if (wishes[i].if_index == ethif_index(nif))
			__atomic_store_n(&wishes[i].done, true,
			    __ATOMIC_RELEASE);
	waitq_wake_all(&wq);
}

/* --------------------------------------------------------- coming and going -- */

void
inet_config_init(void)
{
	NETIF_DECLARE_EXT_CALLBACK(callback)

	parse_all();
	netif_add_ext_callback(&callback, on_change);
}

void
inet_config_arrived(struct netif *nif)
{
	struct wish *w = wish_for(nif);

	if (w == NULL || (w->arg.off && w->arg.client == 0))
		return;
	w->if_index = ethif_index(nif);
	note_servers(&w->arg);
	if (w->arg.hostname[0] != '\0') {
		memcpy(own_hostname, w->arg.hostname, sizeof(own_hostname));
		memcpy(hostname, w->arg.hostname, sizeof(hostname));
	}
	(void)ethif_set_up(nif, true);
	if (w->arg.client != 0)
		set_by_hand(nif, w);
	else if (w->arg.dhcp && inet_config_dhcp(nif, true) != 0)
		log_warn("%s: no memory for DHCP", ethif_name(nif));
}

void
inet_config_departed(struct netif *nif)
{
	unsigned i;

	dhcp_stop(nif);
	dhcp_cleanup(nif);
	inet_route_departed(ethif_index(nif));
	for (i = 0; i < nwishes; i++)
		if (wishes[i].if_index == ethif_index(nif)) {
			wishes[i].if_index = 0; /* if it comes back */
			wishes[i].done = false;
		}
	waitq_wake_all(&wq);
}

/* What needs the floor above, without the lock. */
void
inet_config_work(void)
{
	char name[sizeof(hostname)];

	if (__atomic_load_n(&hostname[0], __ATOMIC_RELAXED) == '\0')
		return;
	net_lock();
	memcpy(name, hostname, sizeof(name));
	hostname[0] = '\0';
	net_unlock();
	if (name[0] != '\0' && hostname_hook != NULL)
		hostname_hook(name);
}

/* ----------------------------------------------------------------- waiting -- */

bool
inet_config_must_wait(void)
{
	parse_all();
	return nwishes > 0;
}

static bool
is_waited_for(const struct wish *w)
{
	return w->if_index != 0 && w->arg.dhcp && w->arg.client == 0 &&
	    !__atomic_load_n(&w->done, __ATOMIC_ACQUIRE);
}

static bool
all_done(void)
{
	unsigned i;

	for (i = 0; i < nwishes; i++)
		if (is_waited_for(&wishes[i]))
			return false;
	return true;
}

void
inet_config_wait(void)
{
	int64_t deadline = clock_mono_ns() + DHCP_WAIT;
	unsigned i;

	(void)wait_event_kind(&wq, all_done(), WAIT_UNINTERRUPTIBLE, deadline);
	inet_config_work();
	for (i = 0; i < nwishes; i++) {
		const struct ip_arg *a = &wishes[i].arg;

		if (a->off && a->client == 0)
			continue;
		if (wishes[i].if_index == 0)
			log_warn("ip=: no interface%s%s",
			    a->device[0] != '\0' ? " " : "", a->device);
		else if (is_waited_for(&wishes[i]))
			log_warn("ip=: no answer by DHCP for 12 s, goes on "
				 "without; still asking");
	}
}

void
inet_config_pnp(struct inet_pnp *out)
{
	net_lock();
	*out = pnp;
	net_unlock();
}
