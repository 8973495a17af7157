/* SPDX-License-Identifier: ISC */
/*
 * inet_packet_ring.c - frames in memory that is shared with the program:
 * PACKET_RX_RING in versions 1 to 3.  packet(7), linux/if_packet.h.
 *
 * The program may write anything into that memory at any time.  Of what lies
 * there, only the words that say whose a slot or block is are ever read; where
 * things are is known here.
 *
 * Life: an object of pages, one reference of the socket's, one of each
 * mapping, one while the timer of a block runs or its end waits for a thread.
 * All fields but pages are guarded by the network lock.
 */
#include "net/inet_packet.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/later.h"
#include "kern/page.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/timer.h"
#include "kern/vm.h"
#include "net/stack.h"
#include <linux/errno.h>

#define ALIGNMENT   TPACKET_ALIGNMENT
#define V3_ALIGN(n) (((n) + 7u) & ~7u)
#define V3_TIME_MS  8u /* until a block ends that nobody set a time for */
#define PAGES_MAX   (1u << 18)
#define HEAD_MAX    96u

struct packet_ring {
	struct vm_object object; /* embedded: refs are the ring's */
	struct packet_sock *ps;  /* NULL: the socket is gone */
	struct page **page;      /* [I] */
	uint32_t npages;         /* [I] */
	uint64_t ino;            /* [I] the socket's */
	int version;             /* [I] */
	uint32_t reserve;        /* [I] */
	uint32_t block_size, frame_size, private, time_ms; /* [I] */
	uint32_t slots; /* [I] frames, or blocks of version 3 */
	uint32_t slot;  /* the next one to be filled, or being so */
	bool frozen;    /* no block is free, and that was counted */
	/* Version 3: the block that is being filled. */
	bool open;
	uint32_t used, last, count; /* bytes; the last frame's place; frames */
	uint64_t sequence;
	int64_t first_ns, last_ns, opened_ns; /* real time twice; monotonic */
	bool ticking;
	struct timer timer;
	struct later later;
};

/* --------------------------------------------------------- shared memory -- */

static void
write(struct packet_ring *r, uint64_t at, const void *from, size_t len)
{
	const uint8_t *p = from;
	size_t part;

	for (; len > 0; at += part, p += part, len -= part) {
		part = MIN(len, PAGE_SIZE - at % PAGE_SIZE);
		memcpy((uint8_t *)page_kva(r->page[at / PAGE_SIZE]) +
			at % PAGE_SIZE,
		    p, part);
	}
}

static void
write_frame(struct packet_ring *r, uint64_t at, const struct ethif_frame *f,
    uint32_t skip, uint32_t len)
{
	unsigned i;
	uint32_t n;

	for (i = 0; i < f->nruns && len > 0; i++) {
		n = (uint32_t)f->run[i].len;
		if (skip >= n) {
			skip -= n;
			continue;
		}
		n = MIN(n - skip, len);
		write(r, at, (uint8_t *)paddr_kva(f->run[i].pa) + skip, n);
		at += n;
		len -= n;
		skip = 0;
	}
}

/* A word that says whose something is; words never cross pages. */
static uint32_t *
word(const struct packet_ring *r, uint64_t at)
{
	return (uint32_t *)((uint8_t *)page_kva(r->page[at / PAGE_SIZE]) +
	    at % PAGE_SIZE);
}

static uint64_t
slot_place(const struct packet_ring *r, uint32_t slot)
{
	uint32_t in_block = r->block_size / r->frame_size;

	if (r->version == TPACKET_V3)
		return (uint64_t)slot * r->block_size;
	return (uint64_t)(slot / in_block) * r->block_size +
	    (uint64_t)(slot % in_block) * r->frame_size;
}

/* Version 1 has a long there, of which the lower half is used. */
static uint64_t
status_place(const struct packet_ring *r, uint32_t slot)
{
	return slot_place(r, slot) +
	    (r->version == TPACKET_V3 ?
		    offsetof(struct tpacket_block_desc, hdr.bh1.block_status) :
		    0);
}

static uint32_t
status_of(const struct packet_ring *r, uint32_t slot)
{
	return __atomic_load_n(word(r, status_place(r, slot)),
	    __ATOMIC_ACQUIRE);
}

static void
give_slot(struct packet_ring *r, uint32_t status)
{
	struct packet_sock *ps = r->ps;

	__atomic_store_n(word(r, status_place(r, r->slot)), status,
	    __ATOMIC_RELEASE);
	r->slot = r->slot + 1 == r->slots ? 0 : r->slot + 1;
	waitq_wake_all(&ps->wq);
}

bool
packet_ring_readable(const struct packet_ring *r)
{
	uint32_t slot = __atomic_load_n(&r->slot, __ATOMIC_RELAXED);

	return status_of(r, slot == 0 ? r->slots - 1 : slot - 1) !=
	    TP_STATUS_KERNEL;
}

/* ------------------------------------------------------- headers of frames -- */

uint32_t
packet_ring_header(int version)
{
	switch (version) {
	case TPACKET_V1: return sizeof(struct tpacket_hdr);
	case TPACKET_V2: return sizeof(struct tpacket2_hdr);
	case TPACKET_V3: return sizeof(struct tpacket3_hdr);
	}
	return 0;
}

/* Where the address, the frame and its network header are in a slot. */
struct places {
	uint32_t from, mac, net;
};

static struct places
places_of(const struct packet_ring *r)
{
	struct places p;
	uint32_t head;

	p.from = TPACKET_ALIGN(packet_ring_header(r->version));
	head = p.from + sizeof(struct sockaddr_ll);
	if (r->ps->s.type == SOCK_DGRAM) {
		p.mac = p.net = TPACKET_ALIGN(head) + 16 + r->reserve;
	} else {
		p.net = TPACKET_ALIGN(head + 16) + r->reserve;
		p.mac = p.net - NIC_HEAD;
	}
	return p;
}

/* Puts a header of any version together; its length. */
static uint32_t
make_head(const struct packet_ring *r, const struct packet_note *n,
    const struct places *p, uint32_t kept, uint32_t status, void *head)
{
	uint32_t sec = (uint32_t)(n->when_ns / NSEC_PER_SEC);
	uint32_t ns = (uint32_t)(n->when_ns % NSEC_PER_SEC);
	uint16_t mac = (uint16_t)p->mac, net = (uint16_t)p->net;

	switch (r->version) {
	case TPACKET_V1:
		*(struct tpacket_hdr *)head = (struct tpacket_hdr){
			.tp_len = n->len,
			.tp_snaplen = kept,
			.tp_mac = mac,
			.tp_net = net,
			.tp_sec = sec,
			.tp_usec = ns / 1000
		};
		break;
	case TPACKET_V2:
		*(struct tpacket2_hdr *)head = (struct tpacket2_hdr){
			.tp_len = n->len,
			.tp_snaplen = kept,
			.tp_mac = mac,
			.tp_net = net,
			.tp_sec = sec,
			.tp_nsec = ns
		};
		break;
	default:
		*(struct tpacket3_hdr *)head = (struct tpacket3_hdr){
			.tp_next_offset = V3_ALIGN(p->mac + kept),
			.tp_len = n->len,
			.tp_snaplen = kept,
			.tp_mac = mac,
			.tp_net = net,
			.tp_sec = sec,
			.tp_nsec = ns,
			.tp_status = status
		};
	}
	return packet_ring_header(r->version);
}

/* Until the program asks for the counters, it is told of what was lost. */
static uint32_t
losing(const struct packet_ring *r)
{
	return r->ps->stats.tp_drops > 0 ? TP_STATUS_LOSING : 0;
}

/* The whole frame at `at`, as far as it is wanted; but for a slot's status. */
static void
store(struct packet_ring *r, uint64_t at, const struct ethif_frame *f,
    const struct packet_note *n, const struct places *p, uint32_t kept)
{
	uint8_t head[HEAD_MAX] __attribute__((aligned(8)));
	uint32_t status = TP_STATUS_USER | losing(r);

	_Static_assert(sizeof(struct tpacket3_hdr) <= HEAD_MAX, "a header");
	write(r, at, head, make_head(r, n, p, kept, status, head));
	write(r, at + p->from, &n->from, sizeof(n->from));
	write_frame(r, at + p->mac, f, n->skip, kept);
}

static void
drop(struct packet_ring *r)
{
	r->ps->stats.tp_drops++;
}

static void
frame_to_slot(struct packet_ring *r, const struct ethif_frame *f,
    const struct packet_note *n)
{
	struct places p = places_of(r);
	uint32_t kept = p.mac >= r->frame_size ?
	    0 :
	    MIN(n->want, r->frame_size - p.mac);

	if (status_of(r, r->slot) != TP_STATUS_KERNEL) {
		drop(r);
		return;
	}
	store(r, slot_place(r, r->slot), f, n, &p, kept);
	give_slot(r, TP_STATUS_USER | losing(r));
}

/* ------------------------------------------------------ version 3: blocks -- */

static uint32_t
block_begin(const struct packet_ring *r)
{
	return V3_ALIGN(sizeof(struct tpacket_block_desc)) +
	    V3_ALIGN(r->private);
}

/* The program gets the block with what is in it. */
static void
block_end(struct packet_ring *r, uint32_t status)
{
	uint64_t at = slot_place(r, r->slot);
	uint32_t none = 0;
	struct tpacket_block_desc d = { .version = TPACKET_V3,
		.offset_to_priv = V3_ALIGN(sizeof(d)),
		.hdr.bh1 = { .block_status = TP_STATUS_KERNEL,
		    .num_pkts = r->count,
		    .offset_to_first_pkt = block_begin(r),
		    .blk_len = r->used,
		    .seq_num = ++r->sequence,
		    .ts_first_pkt = { (uint32_t)(r->first_ns / NSEC_PER_SEC),
			{ (uint32_t)(r->first_ns % NSEC_PER_SEC) } },
		    .ts_last_pkt = { (uint32_t)(r->last_ns / NSEC_PER_SEC),
			{ (uint32_t)(r->last_ns % NSEC_PER_SEC) } } } };

	write(r, at + r->last, &none, sizeof(none)); /* tp_next_offset */
	write(r, at, &d, sizeof(d));
	r->open = false;
	give_slot(r, TP_STATUS_USER | status | losing(r));
}

static void block_timer(void *arg);

static void
tick(struct packet_ring *r)
{
	if (!r->ticking)
		vm_object_get(&r->object);
	r->ticking = true;
	timer_arm(&r->timer, r->opened_ns + (int64_t)r->time_ms * 1000000);
}

/* A thread, after the timer: ends the block, unless it is a younger one. */
static void
block_due(struct later *l)
{
	struct packet_ring *r = container_of(l, struct packet_ring, later);
	bool again = false;

	net_lock();
	if (r->ps != NULL && r->open) {
		again = clock_mono_ns() <
		    r->opened_ns + (int64_t)r->time_ms * 1000000;
		if (again)
			tick(r);
		else
			block_end(r, TP_STATUS_BLK_TMO);
	}
	if (!again)
		r->ticking = false;
	net_unlock();
	if (!again)
		vm_object_put(&r->object);
}

static void
block_timer(void *arg)
{
	struct packet_ring *r = arg;

	later_run(&r->later, block_due);
}

static bool
block_open(struct packet_ring *r, int64_t when_ns)
{
	if (status_of(r, r->slot) != TP_STATUS_KERNEL)
		return false;
	r->open = true;
	r->used = block_begin(r);
	r->count = 0;
	r->first_ns = when_ns;
	r->opened_ns = clock_mono_ns();
	if (!r->ticking)
		tick(r);
	return true;
}

static void
frame_to_block(struct packet_ring *r, const struct ethif_frame *f,
    const struct packet_note *n)
{
	struct places p = places_of(r);
	uint32_t room = r->block_size - block_begin(r), kept, len;

	kept = p.mac >= room ? 0 : MIN(n->want, room - p.mac);
	len = V3_ALIGN(p.mac + kept);
	if (r->open && r->used + len > r->block_size)
		block_end(r, 0);
	if (len > room || (!r->open && !block_open(r, n->when_ns))) {
		if (len <= room && !r->frozen)
			r->ps->stats.tp_freeze_q_cnt++;
		r->frozen = len <= room;
		drop(r);
		return;
	}
	r->frozen = false;
	store(r, slot_place(r, r->slot) + r->used, f, n, &p, kept);
	r->last = r->used;
	r->last_ns = n->when_ns;
	r->used += len;
	r->count++;
}

void
packet_ring_frame(struct packet_ring *r, const struct ethif_frame *f,
    const struct packet_note *note)
{
	if (r->version == TPACKET_V3)
		frame_to_block(r, f, note);
	else
		frame_to_slot(r, f, note);
}

/* -------------------------------------------------------- beginning, end -- */

static int
ring_get_page(struct vm_object *o, uint64_t index, bool for_writing,
    struct page **out)
{
	struct packet_ring *r = container_of(o, struct packet_ring, object);

	(void)for_writing;
	if (index >= r->npages)
		return -ENXIO;
	*out = r->page[index];
	page_get(*out);
	return 0;
}

static void
ring_release(struct vm_object *o)
{
	struct packet_ring *r = container_of(o, struct packet_ring, object);
	uint32_t i;

	for (i = 0; i < r->npages; i++)
		page_put(r->page[i]);
	kfree(r->page);
	kfree(r);
}

static void
ring_describe(struct vm_object *o, char *buf, size_t size, uint64_t *dev,
    uint64_t *ino)
{
	struct packet_ring *r = container_of(o, struct packet_ring, object);

	*dev = 8; /* what Linux's sockets have is as arbitrary */
	*ino = r->ino;
	snprintf(buf, size, "socket:[%lu]", *ino);
}

static const struct vm_object_ops ring_ops = {
	.get_page = ring_get_page,
	.release = ring_release,
	.describe = ring_describe,
};

/* Linux's conditions, packet_mmap.rst and packet(7). */
static bool
is_sane(const struct packet_sock *ps, const struct tpacket_req3 *q)
{
	uint32_t head = TPACKET_ALIGN(packet_ring_header(ps->version)) +
	    sizeof(struct sockaddr_ll);
	uint64_t in_block;

	if (q->tp_block_size == 0 || q->tp_block_size % PAGE_SIZE != 0 ||
	    q->tp_block_size > INT32_MAX || q->tp_frame_size % ALIGNMENT != 0 ||
	    q->tp_frame_size < head + ps->reserve)
		return false;
	if (ps->version == TPACKET_V3 &&
	    q->tp_block_size <= V3_ALIGN(sizeof(struct tpacket_block_desc)) +
		    (uint64_t)V3_ALIGN((uint64_t)q->tp_sizeof_priv))
		return false;
	in_block = q->tp_block_size / q->tp_frame_size;
	return in_block != 0 && in_block * q->tp_block_nr == q->tp_frame_nr;
}

static int
fill(struct packet_ring *r)
{
	uint32_t n = r->npages;

	r->page = kcalloc(n, sizeof(r->page[0]));
	for (r->npages = 0; r->page != NULL && r->npages < n; r->npages++) {
		r->page[r->npages] = page_alloc(0, PAGE_ALLOC_ZERO);
		if (r->page[r->npages] == NULL)
			return -ENOMEM;
	}
	return r->page == NULL ? -ENOMEM : 0;
}

int
packet_ring_create(struct packet_sock *ps, const struct tpacket_req3 *q,
    struct packet_ring **out)
{
	uint64_t pages = (uint64_t)q->tp_block_size / PAGE_SIZE *
	    q->tp_block_nr;
	struct packet_ring *r;
	int error;

	*out = NULL;
	if (q->tp_block_nr == 0)
		return q->tp_frame_nr == 0 ? 0 : -EINVAL;
	if (!is_sane(ps, q))
		return -EINVAL;
	if (pages > PAGES_MAX || later_ready() != 0 ||
	    (r = kzalloc(sizeof(*r))) == NULL)
		return -ENOMEM;
	vm_object_init(&r->object, &ring_ops);
	timer_setup(&r->timer, block_timer, r);
	r->ps = ps;
	r->ino = ps->s.ino;
	r->npages = (uint32_t)pages;
	r->version = ps->version;
	r->reserve = ps->reserve;
	r->block_size = q->tp_block_size;
	r->frame_size = q->tp_frame_size;
	r->private = q->tp_sizeof_priv;
	r->time_ms = q->tp_retire_blk_tov == 0 ? V3_TIME_MS :
						 q->tp_retire_blk_tov;
	r->slots = ps->version == TPACKET_V3 ? q->tp_block_nr : q->tp_frame_nr;
	error = fill(r);
	if (error != 0)
		vm_object_put(&r->object);
	else
		*out = r;
	return error;
}

bool
packet_ring_is_mapped(struct packet_ring *r)
{
	return vm_object_nmappings(&r->object) > 0;
}

void
packet_ring_leave(struct packet_ring *r)
{
	r->ps = NULL;
}

void
packet_ring_put(struct packet_ring *r)
{
	if (r == NULL)
		return;
	/* What the timer's reference was for will not be. */
	if (timer_cancel(&r->timer))
		vm_object_put(&r->object);
	vm_object_put(&r->object);
}

int
packet_ring_mmap(struct packet_ring *r, uint64_t size, uint64_t offset,
    struct vm_object **object)
{
	if (offset != 0 || size != (uint64_t)r->npages * PAGE_SIZE)
		return -EINVAL;
	vm_object_get(&r->object);
	*object = &r->object;
	return 0;
}
