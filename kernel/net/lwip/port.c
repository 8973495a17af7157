/* SPDX-License-Identifier: ISC */
/*
 * port.c - what lwIP wants of a system: memory, time, randomness; and its
 * beginning, its lock, its thread.
 */
#include "net/lwip/port.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/random.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <lwip/etharp.h>
#include <lwip/igmp.h>
#include <lwip/ip.h>
#include <lwip/mem.h>
#include <lwip/memp.h>
#include <lwip/netif.h>
#include <lwip/pbuf.h>
#include <lwip/priv/raw_priv.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/raw.h>
#include <lwip/sys.h>
#include <lwip/udp.h>
#include "net/ethif.h"
#include "net/inet_class.h"
#include "net/inet_config.h"
#include "net/stack.h"
#include <linux/errno.h>

#define WINDOW_MIN      (64u * 1024)
#define WINDOW_MAX      (2048u * 1024)
#define WAITING_MAX     (256u * 1024)
#define HALF_OPEN_MAX   4096u
#define HALF_OPEN_BYTES 1024u /* that one takes, about */
#define SHORT_MS        1000  /* less sleep than that is not for long */

unsigned lwip_tcp_window = WINDOW_MIN;

static struct mutex lock = MUTEX_INIT(lock);
static struct mutex starting = MUTEX_INIT(starting);
static bool up;      /* atomic */
static bool settled; /* atomic: and the cards of the boot are there */
static bool working; /* atomic: the thread has something to do */
static struct waitq thread_wq = WAITQ_INIT(thread_wq);
static bool used;  /* by others than the thread, since it looked.  Lock held */
static bool far;   /* the thread sleeps for long.  Lock held */
static bool early; /* it must not sleep on.  Lock held */
static uint8_t secret[16]; /* [I] once up */

/* ------------------------------------------------------ what lwIP wants -- */

void *
mem_malloc(mem_size_t size)
{
	return kmalloc(size);
}

void
mem_free(void *p)
{
	kfree(p);
}

void *
mem_trim(void *p, mem_size_t size)
{
	(void)size; /* what was too much stays */
	return p;
}

u64_t
lwip_port_us(void)
{
	return (u64_t)clock_mono_ns() / 1000;
}

u32_t
sys_now(void)
{
	return (u32_t)(clock_mono_ns() / 1000000);
}

uint32_t
lwip_port_random(void)
{
	uint32_t v;

	random_bytes(&v, sizeof(v));
	return v;
}

void
lwip_port_assert(const char *what, const char *file, int line)
{
	panic("lwIP: %s (%s:%d)", what, file, line);
}

/* Sums 8 bytes at a time; the sum of 16-bit words, folded. */
u16_t
lwip_port_checksum(const void *data, int len)
{
	const uint8_t *p = data;
	uint64_t sum = 0, w;
	uint32_t s;
	uint16_t h;

	for (; len >= 8; len -= 8, p += 8) {
		__builtin_memcpy(&w, p, 8);
		sum += w;
		sum += sum < w;
	}
	for (; len >= 2; len -= 2, p += 2) {
		__builtin_memcpy(&h, p, 2);
		sum += h;
		sum += sum < h;
	}
	if (len > 0) {
		sum += *p;
		sum += sum < *p;
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	s = (uint32_t)sum;
	s = (s & 0xffff) + (s >> 16);
	s = (s & 0xffff) + (s >> 16);
	return (u16_t)s;
}

/* A mixture in which each bit of the secret counts (RFC 6528, 3). */
static uint64_t
mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15ull;
	return h ^ h >> 29;
}

u32_t
lwip_hook_tcp_isn(const ip_addr_t *local_ip, u16_t local_port,
    const ip_addr_t *remote_ip, u16_t remote_port)
{
	uint64_t h, k[2];
	unsigned i;

	memcpy(k, secret, sizeof(k));
	h = mix(k[0], (uint64_t)local_port << 16 | remote_port);
	for (i = 0; i < 4; i++) {
		h = mix(h,
		    ip_2_ip6(local_ip)->addr[IP_IS_V6(local_ip) ? i : 0]);
		h = mix(h,
		    ip_2_ip6(remote_ip)->addr[IP_IS_V6(remote_ip) ? i : 0]);
	}
	h = mix(h, k[1]);
	/* Goes on by one each 4 us, as RFC 793 wants. */
	return (u32_t)(h >> 32) + (u32_t)(clock_mono_ns() / 4096);
}

/* --------------------------------------------------------------- the lock -- */

/*
 * While the thread sleeps for long, time stands still for what only grows
 * older there (timers.c): until somebody comes.  Then it ticks, each second or
 * so, until nobody has come in between.
 */
void
net_lock(void)
{
	mutex_lock(&lock);
	used = true;
	if (far) {
		far = false;
		early = true;
		lwip_timers_run(false);
	}
}

void
lwip_timers_look(void)
{
	early = true;
}

bool
net_locked(void)
{
	return mutex_held(&lock);
}

void
net_unlock(void)
{
	netif_poll_all();
	ethif_lo_back();
	ethif_flush_all();
	if (early) {
		early = false;
		net_kick();
	}
	mutex_unlock(&lock);
}

/* ------------------------------------------------------------- the thread -- */

void
net_kick(void)
{
	if (!__atomic_exchange_n(&working, true, __ATOMIC_ACQ_REL))
		waitq_wake_all(&thread_wq);
}

/* When the thread must look again, if nobody wakes it.  Lock held. */
static int64_t
next_due(void)
{
	u32_t ms = lwip_timers_sleep();

	far = ms > SHORT_MS;
	if (far)
		lwip_port_spare_free();
	early = false;
	return clock_mono_ns() + (int64_t)ms * 1000000;
}

/* Takes in what came and does what is due; *due as next_due().  true: more. */
static bool
look_around(bool woken, int64_t *due)
{
	bool more;

	mutex_lock(&lock);
	if (far)
		lwip_timers_run(false);
	if (woken || used)
		lwip_timers_used();
	used = false;
	more = ethif_work();
	lwip_timers_run(true);
	*due = next_due();
	net_unlock();
	return more;
}

static void
net_thread(void *arg)
{
	int64_t due;
	bool woken;

	(void)arg;
	thread_self()->near = true;
	for (;;) {
		woken = __atomic_exchange_n(&working, false, __ATOMIC_ACQ_REL);
		ethif_start_new();
		while (look_around(woken, &due))
			continue;
		inet_config_work();
		(void)wait_event_kind(&thread_wq,
		    __atomic_load_n(&working, __ATOMIC_ACQUIRE),
		    WAIT_UNINTERRUPTIBLE, due);
	}
}

/* ---------------------------------------------------------- the beginning -- */

/*
 * A window is a 64th of memory: many connections must have room; and those that
 * are over but in TIME_WAIT have no more than that together, as those have of
 * one listener that are not quite there yet.
 */
static void
set_limits(void)
{
	struct page_stats st;
	uint64_t share, w;

	page_stats(&st);
	share = st.total * PAGE_SIZE / 64;
	w = MIN(share, (uint64_t)WINDOW_MAX);
	lwip_tcp_window = MAX(w, (uint64_t)WINDOW_MIN);
	lwip_port_set_waiting_max((unsigned)MIN(share / sizeof(struct tcp_pcb),
	    (uint64_t)WAITING_MAX));
	inet_guard_set_half_open_max(
	    (unsigned)MIN(share / HALF_OPEN_BYTES, (uint64_t)HALF_OPEN_MAX));
}

static void
start_lwip(void)
{
	random_bytes(secret, sizeof(secret));
	set_limits();
	memp_init();
	netif_init();
	udp_init();
	tcp_init();
	igmp_init();
	ethif_init();
	inet_config_init();
}

static int
start_all(void)
{
	struct thread *t;
	int error = thread_create("net", net_thread, NULL, &t);

	if (error != 0)
		return error;
	mutex_lock(&lock);
	start_lwip();
	mutex_unlock(&lock);
	__atomic_store_n(&up, true, __ATOMIC_RELEASE);
	inet_class_loopback();
	ethif_start_new();
	inet_config_work();
	thread_start(t);
	__atomic_store_n(&settled, true, __ATOMIC_RELEASE);
	return 0;
}

bool
net_is_up(void)
{
	return __atomic_load_n(&up, __ATOMIC_ACQUIRE);
}

int
net_up(void)
{
	int error = 0;

	if (__atomic_load_n(&settled, __ATOMIC_ACQUIRE))
		return 0;
	mutex_lock(&starting);
	if (!net_is_up())
		error = start_all();
	mutex_unlock(&starting);
	if (error != 0)
		log_warn("net: does not start, error %d", -error);
	return error;
}

static void
begin(void *arg)
{
	(void)arg;
	(void)net_up();
	thread_exit();
}

void
net_begin(void)
{
	struct thread *t;

	if (inet_config_must_wait()) {
		if (net_up() == 0)
			inet_config_wait();
	} else if (ethif_any() &&
	    thread_create("net-start", begin, NULL, &t) == 0) {
		thread_start(t);
	}
}

int
net_init(const struct boot_info *bi)
{
	(void)bi;
	ethif_register();
	return 0;
}
