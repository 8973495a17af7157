/* SPDX-License-Identifier: ISC */
/*
 * vtcon_io.c - a virtio console's port as a serial line.  Virtio 1.2, 5.3.6.
 *
 * Input stays in its buffer, and the buffer from the device, until the client
 * has taken all of it: so a slow reader holds the host back.  Output is copied
 * to a few buffers; interrupts for it are on only while somebody waits.
 */
#include "dev/virtio/vtcon.h"

#include "kern/string.h"
#include <linux/errno.h>

#define PIECE    256u
#define PATIENCE 20000000u /* looks at a queue that stays full */

/* A buffer's cookie says which it is, and never NULL. */
static void *
cookie_of(unsigned i)
{
	return (void *)(uintptr_t)(i + 1);
}

static unsigned
buffer_of(void *cookie)
{
	return (uintptr_t)cookie - 1;
}

static size_t
rx_offset(unsigned i)
{
	return i * VTCON_RX_SIZE;
}

static size_t
tx_offset(unsigned i)
{
	return VTCON_NRX * VTCON_RX_SIZE + i * VTCON_TX_SIZE;
}

/* ------------------------------------------------------------- output -- */

static void
reclaim_locked(struct vtcon_slot *s)
{
	void *cookie;
	uint32_t len;

	while ((cookie = virtqueue_pop(s->tx, &len)) != NULL) {
		s->tx_free |= 1u << buffer_of(cookie);
		s->tx_len[buffer_of(cookie)] = 0;
		s->stuck = false;
	}
}

/* As many bytes as there are buffers for. */
static size_t
put_locked(struct vtcon_slot *s, const uint8_t *bytes, size_t n)
{
	struct dma_seg seg;
	size_t done = 0;
	unsigned i;

	while (done < n && s->tx_free != 0) {
		i = __builtin_ctz(s->tx_free);
		seg.addr = s->mem.addr + tx_offset(i);
		seg.len = MIN(n - done, VTCON_TX_SIZE);
		memcpy((uint8_t *)s->mem.kva + tx_offset(i), bytes + done,
		    seg.len);
		if (virtqueue_push(s->tx, &seg, 1, 0, cookie_of(i)) != 0)
			break; /* broken, and taken away soon */
		s->tx_free &= ~(1u << i);
		s->tx_len[i] = seg.len;
		done += seg.len;
	}
	virtqueue_kick(s->tx);
	return done;
}

/* There will be an interrupt when a buffer comes back, unless one has. */
static void
await_locked(struct vtcon_slot *s)
{
	while (!virtio_is_broken(s->vd) && !virtqueue_intr_on(s->tx))
		reclaim_locked(s);
}

/* Waits, polling; not again for a host that has let us wait already. */
static bool
have_buffer_locked(struct vtcon_slot *s, bool forever)
{
	uint32_t looks;

	for (looks = 0; s->tx_free == 0; looks++) {
		reclaim_locked(s);
		if (s->tx_free != 0)
			break;
		if (virtio_is_broken(s->vd) || (s->stuck && !forever) ||
		    (looks == PATIENCE && !forever)) {
			s->stuck = true;
			return false;
		}
		cpu_pause();
	}
	return true;
}

/* --------------------------------------------------------- the stage -- */

static size_t
stage_put(struct vtcon_slot *s, const uint8_t *bytes, size_t n)
{
	uint64_t state = spin_lock_irq(&s->stage_lock);
	size_t i;

	n = MIN(n, VTCON_STAGE - (s->head - s->tail));
	for (i = 0; i < n; i++)
		s->stage[s->head++ % VTCON_STAGE] = bytes[i];
	spin_unlock_irq(&s->stage_lock, state);
	return n;
}

/* Up to one buffer's worth, to be sent before anybody else's. */
static size_t
stage_take(struct vtcon_slot *s, uint8_t *bytes, size_t room)
{
	uint64_t state = spin_lock_irq(&s->stage_lock);
	size_t n = MIN(room, s->head - s->tail), i;

	for (i = 0; i < n; i++)
		bytes[i] = s->stage[s->tail++ % VTCON_STAGE];
	spin_unlock_irq(&s->stage_lock, state);
	return n;
}

static bool
stage_empty(struct vtcon_slot *s)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&s->head, __ATOMIC_RELAXED) ==
	    __atomic_load_n(&s->tail, __ATOMIC_RELAXED);
}

/* False: some stays, for there is no buffer. */
static bool
flush_locked(struct vtcon_slot *s, bool wait)
{
	uint8_t piece[PIECE];
	size_t n;

	while (!stage_empty(s)) {
		if (s->tx == NULL || s->mem.kva == NULL)
			return false;
		if (s->tx_free == 0)
			reclaim_locked(s);
		if (s->tx_free == 0 && !(wait && have_buffer_locked(s, false)))
			return false;
		n = stage_take(s, piece, sizeof(piece));
		if (put_locked(s, piece, n) < n)
			return false;
	}
	return true;
}

static uint64_t
slot_lock(struct vtcon_slot *s)
{
	return spin_lock_irq(&s->lock);
}

/* Sends what was staged meanwhile by those who could not have the lock. */
static bool
stage_send(struct vtcon_slot *s)
{
	uint64_t state;
	bool all;

	while (!stage_empty(s)) {
		if (!spin_trylock_irq(&s->lock, &state))
			return false;
		all = flush_locked(s, true);
		spin_unlock_irq(&s->lock, state);
		if (!all)
			return false;
	}
	return true;
}

static void
slot_unlock(struct vtcon_slot *s, uint64_t state)
{
	spin_unlock_irq(&s->lock, state);
	stage_send(s);
}

/* -------------------------------------------------------------- input -- */

static void
post_locked(struct vtcon_slot *s, unsigned i)
{
	struct dma_seg seg = { s->mem.addr + rx_offset(i), VTCON_RX_SIZE };

	(void)virtqueue_push(s->rx, &seg, 0, 1, cookie_of(i));
}

/* The next buffer that has bytes; false: none, an interrupt will tell. */
static bool
next_buffer_locked(struct vtcon_slot *s)
{
	void *cookie;

	while (s->at < 0) {
		cookie = virtqueue_pop(s->rx, &s->len);
		if (cookie == NULL) {
			if (virtqueue_intr_on(s->rx))
				return false;
			if (virtio_is_broken(s->vd))
				return false;
			continue;
		}
		if (s->len == 0) {
			virtio_broken(s->vd, "brings input of no bytes");
			return false;
		}
		s->at = buffer_of(cookie);
		s->from = 0;
	}
	return true;
}

/* What the client can take; 0: it says when it can again. */
static uint32_t
room_locked(struct serial *line)
{
	uint32_t room = __atomic_load_n(&line->rx_room, __ATOMIC_SEQ_CST);

	if (room != 0)
		return room;
	__atomic_store_n(&line->rx_stopped, 1, __ATOMIC_SEQ_CST);
	return __atomic_load_n(&line->rx_room, __ATOMIC_SEQ_CST);
}

/* Bytes for the client, copied; 0: none, or another is at it already. */
static size_t
take_input(struct vtcon_slot *s, struct serial *line, uint8_t piece[PIECE])
{
	uint64_t state = slot_lock(s);
	size_t n = 0;

	if (!s->busy && s->listening && s->port != NULL &&
	    next_buffer_locked(s))
		n = MIN(MIN(room_locked(line), s->len - s->from), PIECE);
	if (n > 0) {
		memcpy(piece,
		    (uint8_t *)s->mem.kva + rx_offset(s->at) + s->from, n);
		s->from += n;
		s->busy = true;
		if (s->from == s->len) {
			post_locked(s, s->at);
			s->at = -1;
			virtqueue_kick(s->rx);
		}
	}
	slot_unlock(s, state);
	return n;
}

/* Inside the port's gate, no lock held. */
static void
receive(struct vtcon_slot *s, struct serial *line)
{
	uint8_t piece[PIECE];
	uint64_t closed = irq_save(), state;
	size_t n;

	while ((n = take_input(s, line, piece)) > 0) {
		line->client->input(line->client_arg, piece, n);
		state = slot_lock(s);
		s->busy = false;
		slot_unlock(s, state);
	}
	irq_restore(closed);
}

/* --------------------------------------------------------- interrupts -- */

/* The slot's port, inside its gate; NULL: none. */
static struct vtcon_port *
enter_port(struct vtcon_slot *s)
{
	uint64_t state = slot_lock(s);
	struct vtcon_port *p = s->port;

	if (p != NULL && !gate_enter(&p->gate))
		p = NULL;
	slot_unlock(s, state);
	return p;
}

void
vtcon_rx_intr(void *arg)
{
	struct vtcon_slot *s = arg;
	struct vtcon_port *p = enter_port(s);

	if (p == NULL)
		return;
	receive(s, &p->v.line);
	gate_exit(&p->gate);
}

void
vtcon_tx_intr(void *arg)
{
	struct vtcon_slot *s = arg;
	struct vtcon_port *p;
	struct serial *line;
	uint64_t state = slot_lock(s);

	virtqueue_intr_off(s->tx);
	if (s->mem.kva != NULL)
		reclaim_locked(s);
	slot_unlock(s, state);
	p = enter_port(s);
	if (p == NULL)
		return;
	line = &p->v.line;
	if (line->client != NULL)
		line->client->room(line->client_arg);
	gate_exit(&p->gate);
}

/* ---------------------------------------------------- the serial line -- */

/* The line's slot, to be left; NULL: gone. */
static struct vtcon_slot *
enter(struct serial *line)
{
	struct vtcon_port *p = vtcon_port_of(line);

	return gate_enter(&p->gate) ? p->slot : NULL;
}

static void
leave(struct serial *line)
{
	gate_exit(&vtcon_port_of(line)->gate);
}

static int
line_open(struct serial *line)
{
	struct vtcon_port *p = vtcon_port_of(line);
	struct vtcon_slot *s = enter(line);

	if (s == NULL)
		return -ENODEV;
	p->v.ops->set_open(&p->v, true);
	leave(line);
	return 0;
}

static size_t
line_write(struct serial *line, const uint8_t *bytes, size_t n)
{
	struct vtcon_slot *s = enter(line);
	size_t done = 0;
	uint64_t state;

	if (s == NULL)
		return 0;
	state = slot_lock(s);
	reclaim_locked(s);
	if (flush_locked(s, false))
		done = put_locked(s, bytes, n);
	if (done < n) {
		await_locked(s);
		if (flush_locked(s, false))
			done += put_locked(s, bytes + done, n - done);
	}
	slot_unlock(s, state);
	leave(line);
	return done;
}

static void
line_write_polled(struct serial *line, const uint8_t *bytes, size_t n)
{
	struct vtcon_slot *s = enter(line);
	size_t k;

	if (s == NULL)
		return;
	while (n > 0) {
		k = stage_put(s, bytes, n);
		bytes += k;
		n -= k;
		if (!stage_send(s) && k == 0)
			break; /* the host takes nothing: the log has it */
	}
	leave(line);
}

static size_t
line_room(struct serial *line)
{
	struct vtcon_slot *s = enter(line);
	uint64_t state;
	size_t n;

	if (s == NULL)
		return 0;
	state = slot_lock(s);
	reclaim_locked(s);
	if (s->tx_free == 0)
		await_locked(s);
	n = stage_empty(s) ? __builtin_popcount(s->tx_free) : 0;
	slot_unlock(s, state);
	leave(line);
	return n * VTCON_TX_SIZE;
}

static size_t
line_queued(struct serial *line)
{
	struct vtcon_slot *s = enter(line);
	uint64_t state;
	size_t n = 0;
	unsigned i;

	if (s == NULL)
		return 0;
	state = slot_lock(s);
	reclaim_locked(s);
	if (virtqueue_outstanding(s->tx) != 0)
		await_locked(s);
	for (i = 0; i < VTCON_NTX; i++)
		n += s->tx_len[i];
	slot_unlock(s, state);
	leave(line);
	return n;
}

/* What is queued is the device's, which cannot be asked to give it back. */
static void
line_discard(struct serial *line)
{
	(void)line;
}

static void
line_pause(struct serial *line, bool on)
{
	(void)line;
	(void)on;
}

static void
line_resume_rx(struct serial *line)
{
	struct vtcon_slot *s = enter(line);

	if (s == NULL)
		return;
	__atomic_store_n(&line->rx_stopped, 0, __ATOMIC_SEQ_CST);
	receive(s, line);
	leave(line);
}

static bool
drained_locked(struct vtcon_slot *s)
{
	reclaim_locked(s);
	return virtqueue_outstanding(s->tx) == 0 || virtio_is_broken(s->vd);
}

static void
line_drain(struct serial *line)
{
	struct vtcon_slot *s = enter(line);
	uint64_t state;

	if (s == NULL)
		return;
	if (spin_trylock_irq(&s->lock, &state)) {
		while (!stage_empty(s) && have_buffer_locked(s, true))
			(void)flush_locked(s, false);
		while (!drained_locked(s))
			cpu_pause();
		slot_unlock(s, state);
	}
	leave(line);
}

static void
line_set(struct serial *line, unsigned divisor, unsigned bits, bool two_stops,
    bool parity, bool even)
{
	(void)line;
	(void)divisor;
	(void)bits;
	(void)two_stops;
	(void)parity;
	(void)even;
}

const struct serial_ops vtcon_serial_ops = {
	.open = line_open,
	.write = line_write,
	.write_polled = line_write_polled,
	.room = line_room,
	.queued = line_queued,
	.discard = line_discard,
	.pause = line_pause,
	.resume_rx = line_resume_rx,
	.drain = line_drain,
	.set_line = line_set,
};

/* ------------------------------------------------------------ the slot -- */

int
vtcon_slot_start(struct vtcon_slot *s)
{
	uint64_t state;
	unsigned i;
	int error;

	if (s->mem.kva == NULL) {
		error = dma_mem_alloc(s->vd->dma, VTCON_MEM, PAGE_SIZE, NULL,
		    &s->mem);
		if (error != 0)
			return error;
		s->tx_free = (1u << VTCON_NTX) - 1;
	}
	state = slot_lock(s);
	for (i = 0; !s->posted && i < VTCON_NRX; i++)
		post_locked(s, i);
	s->posted = true;
	s->stuck = false;
	virtqueue_intr_off(s->tx);
	slot_unlock(s, state);
	return 0;
}

void
vtcon_slot_set_port(struct vtcon_slot *s, struct vtcon_port *port)
{
	uint64_t state = slot_lock(s);

	s->port = port;
	s->listening = false;
	if (port != NULL)
		virtqueue_kick(s->rx);
	else
		s->stuck = true; /* nobody waits for it any more */
	slot_unlock(s, state);
}

/* Gives back to the device what nobody will read. */
static void
forget_locked(struct vtcon_slot *s)
{
	void *cookie;
	uint32_t len;
	unsigned i;

	if (s->at >= 0)
		post_locked(s, s->at);
	s->at = -1;
	for (i = 0; i < VTCON_NRX; i++) { /* the host may send on */
		cookie = virtqueue_pop(s->rx, &len);
		if (cookie != NULL)
			post_locked(s, buffer_of(cookie));
	}
	virtqueue_kick(s->rx);
}

void
vtcon_slot_listen(struct vtcon_slot *s, bool on)
{
	struct vtcon_port *p = enter_port(s);
	uint64_t state = slot_lock(s);

	if (!on && s->listening)
		forget_locked(s);
	s->listening = on;
	slot_unlock(s, state);
	if (p == NULL)
		return;
	if (on)
		receive(s, &p->v.line);
	gate_exit(&p->gate);
}
