/* SPDX-License-Identifier: ISC */
/*
 * uart16550.c - 16550 serial ports.  PC16550D data sheet, section 8.
 *
 * Output goes straight into the transmitter while it is empty, which on a
 * virtual machine it nearly always is; only what a slow host leaves over is
 * queued and sent by interrupts.  Input is taken from the FIFO only while the
 * client has room for it.  ISA interrupts are edges: the handler goes on until
 * the device reports none, and whoever unmasks looks once by himself.
 */
#include "dev/uart16550.h"

#include "kern/log.h"
#include "kern/string.h"
#include "x86/io.h"
#include "x86/irq.h"
#include <asm/termios.h>
#include <linux/errno.h>

#define UART_DATA  0 /* with DLAB: divisor, low byte */
#define UART_IER   1 /* Interrupt Enable; with DLAB: divisor, high byte */
#define IER_RX     0x01
#define IER_TX     0x02
#define IER_STATUS 0x04
#define UART_IIR   2 /* Interrupt Identification (read) */
#define IIR_NONE   0x01
#define IIR_ID     0x0e
#define IIR_MODEM  0x00
#define IIR_TX     0x02
#define IIR_FIFO   0xc0
#define UART_FCR   2 /* FIFO Control (write) */
#define FCR_ON     0x01
#define FCR_CLEAR  0x06
#define FCR_RX14   0xc0 /* interrupt from 14 bytes on, or after a pause */
#define UART_LCR   3    /* Line Control */
#define LCR_STOP2  0x04
#define LCR_PARITY 0x08
#define LCR_EVEN   0x10
#define LCR_DLAB   0x80
#define LCR_8N1    0x03
#define UART_MCR   4 /* Modem Control */
#define MCR_DTR    0x01
#define MCR_RTS    0x02
#define MCR_OUT2   0x08 /* on a PC: gate of the interrupt */
#define UART_LSR   5    /* Line Status */
#define LSR_DR     0x01
#define LSR_OE     0x02
#define LSR_BI     0x10
#define LSR_THRE   0x20
#define LSR_TEMT   0x40
#define LSR_GONE   0xff /* how an absent device reads */
#define UART_MSR   6    /* Modem Status */
#define MSR_CTS    0x10
#define MSR_DSR    0x20
#define MSR_RI     0x40
#define MSR_DCD    0x80
#define UART_SCR   7 /* Scratch */

#define UART_BATCH    16      /* bytes handed to the client at once */
#define UART_CHUNK    64      /* bytes sent with interrupts off */
#define UART_PASSES   256     /* a device that never rests is left alone */
#define UART_PATIENCE 2000000 /* looks at a transmitter that stays full */
#define UART_CONTEND  100000  /* tries for a lock that may be our own */

static uint8_t
uart_get(const struct uart16550 *u, unsigned reg)
{
	return inb(u->port + reg);
}

static void
uart_put(const struct uart16550 *u, unsigned reg, uint8_t v)
{
	outb(u->port + reg, v);
}

static struct uart16550 *
uart_of(struct serial *s)
{
	return container_of(s, struct uart16550, line);
}

static void
uart_set_ier_locked(struct uart16550 *u, uint8_t ier)
{
	if (u->ier == ier)
		return;
	u->ier = ier;
	uart_put(u, UART_IER, ier);
}

static uint32_t
ring_used(const struct uart16550 *u)
{
	return u->head - u->tail;
}

/* Sends while the transmitter is empty: a full FIFO a look. */
static size_t
uart_fill_locked(struct uart16550 *u, const uint8_t *bytes, size_t n)
{
	size_t i = 0, end;

	while (i < n && (uart_get(u, UART_LSR) & LSR_THRE) != 0) {
		end = MIN(n, i + u->fifo);
		while (i < end)
			uart_put(u, UART_DATA, bytes[i++]);
	}
	return i;
}

/* The same from the queue, in runs that do not wrap. */
static void
uart_fill_ring_locked(struct uart16550 *u)
{
	uint32_t at, run, sent;

	while (ring_used(u) != 0) {
		at = u->tail & (u->ring_size - 1);
		run = MIN(ring_used(u), u->ring_size - at);
		run = MIN(run, UART_CHUNK);
		sent = uart_fill_locked(u, u->ring + at, run);
		u->tail += sent;
		if (sent < run)
			return;
	}
}

static size_t
uart_queue_locked(struct uart16550 *u, const uint8_t *bytes, size_t n)
{
	uint32_t i, room = u->ring_size - ring_used(u);

	n = MIN(n, room);
	for (i = 0; i < n; i++)
		u->ring[u->head++ & (u->ring_size - 1)] = bytes[i];
	return n;
}

/*
 * Waits, polling, until the transmitter is empty.  Without `forever` it gives
 * up after a while, and from then on looks only once until it moves again.
 */
static bool
uart_wait_locked(struct uart16550 *u, uint8_t bits, bool forever)
{
	uint32_t looks;
	uint8_t lsr;

	for (looks = 0; forever || looks < UART_PATIENCE; looks++) {
		lsr = uart_get(u, UART_LSR);
		if (lsr == LSR_GONE)
			return false;
		if ((lsr & bits) == bits) {
			u->stuck = false;
			return true;
		}
		if (u->stuck && !forever)
			return false;
		cpu_pause();
	}
	u->stuck = true;
	return false;
}

static void
uart_drain_ring_locked(struct uart16550 *u, bool forever)
{
	while (ring_used(u) != 0 && uart_wait_locked(u, LSR_THRE, forever))
		uart_fill_ring_locked(u);
}

/*
 * Polled output may come out of a panic in the midst of this driver: it does
 * not insist on the lock.
 */
static bool
uart_lock_polled(struct uart16550 *u, uint64_t *state)
{
	unsigned tries;

	*state = irq_save();
	preempt_disable();
	for (tries = 0; tries < UART_CONTEND; tries++) {
		if (__atomic_exchange_n(&u->lock.held, 1, __ATOMIC_ACQUIRE) ==
		    0)
			return true;
		cpu_pause();
	}
	return false;
}

static void
uart_unlock_polled(struct uart16550 *u, bool locked, uint64_t state)
{
	if (locked)
		__atomic_store_n(&u->lock.held, 0, __ATOMIC_RELEASE);
	irq_restore(state);
	preempt_enable();
}

static void
uart_write_polled(struct serial *s, const uint8_t *bytes, size_t n)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state;
	size_t done = 0;
	bool locked;

	locked = uart_lock_polled(u, &state);
	if (!u->paused)
		uart_drain_ring_locked(u, false);
	while (done < n && uart_wait_locked(u, LSR_THRE, false))
		done += uart_fill_locked(u, bytes + done, n - done);
	uart_unlock_polled(u, locked, state);
}

static void
uart_drain(struct serial *s)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state;
	bool locked;

	locked = uart_lock_polled(u, &state);
	uart_drain_ring_locked(u, true);
	uart_wait_locked(u, LSR_THRE | LSR_TEMT, true);
	uart_unlock_polled(u, locked, state);
}

/* One chunk; *full: the rest must wait for an interrupt. */
static size_t
uart_write_chunk(struct uart16550 *u, const uint8_t *bytes, size_t n,
    bool *full)
{
	size_t done = 0;
	uint64_t state;

	state = spin_lock_irq(&u->lock);
	if (!u->listening && uart_wait_locked(u, LSR_THRE, true) == false)
		done = n; /* the device is gone, and its reader */
	if (ring_used(u) == 0 && !u->paused)
		done += uart_fill_locked(u, bytes + done, n - done);
	if (done < n && u->listening) {
		done += uart_queue_locked(u, bytes + done, n - done);
		*full = done < n;
		if (!u->paused)
			uart_set_ier_locked(u, u->ier | IER_TX);
	}
	spin_unlock_irq(&u->lock, state);
	return done;
}

static size_t
uart_write(struct serial *s, const uint8_t *bytes, size_t n)
{
	struct uart16550 *u = uart_of(s);
	size_t done = 0;
	bool full = false;

	while (done < n && !full)
		done += uart_write_chunk(u, bytes + done,
		    MIN(n - done, UART_CHUNK), &full);
	return done;
}

static size_t
uart_room(struct serial *s)
{
	struct uart16550 *u = uart_of(s);

	return u->ring_size - ring_used(u);
}

static size_t
uart_queued(struct serial *s)
{
	return ring_used(uart_of(s));
}

static void
uart_discard(struct serial *s)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state = spin_lock_irq(&u->lock);

	u->tail = u->head;
	spin_unlock_irq(&u->lock, state);
}

/* Sends what is queued; asks for interrupts only if some is left. */
static void
uart_send_locked(struct uart16550 *u)
{
	if (!u->paused)
		uart_fill_ring_locked(u);
	if (u->paused || ring_used(u) == 0)
		uart_set_ier_locked(u, u->ier & ~IER_TX);
	else
		uart_set_ier_locked(u, u->ier | IER_TX);
}

static void
uart_pause(struct serial *s, bool on)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state = spin_lock_irq(&u->lock);

	u->paused = on;
	uart_send_locked(u);
	spin_unlock_irq(&u->lock, state);
}

static void
uart_tx_intr(struct uart16550 *u)
{
	struct serial *s = &u->line;
	uint64_t state = spin_lock_irq(&u->lock);
	bool room;

	uart_send_locked(u);
	room = ring_used(u) <= u->ring_size / 2;
	spin_unlock_irq(&u->lock, state);
	if (room && s->client != NULL)
		s->client->room(s->client_arg);
}

/* The bytes that the client has room for; with none, reception stops. */
static uint32_t
uart_rx_room_locked(struct uart16550 *u)
{
	struct serial *s = &u->line;
	uint32_t room;

	room = __atomic_load_n(&s->rx_room, __ATOMIC_SEQ_CST);
	if (room != 0)
		return room;
	__atomic_store_n(&s->rx_stopped, 1, __ATOMIC_SEQ_CST);
	/* Either the client sees the flag, or this sees its room. */
	room = __atomic_load_n(&s->rx_room, __ATOMIC_SEQ_CST);
	if (room != 0)
		__atomic_store_n(&s->rx_stopped, 0, __ATOMIC_SEQ_CST);
	else
		uart_set_ier_locked(u, u->ier & ~IER_RX);
	return room;
}

static size_t
uart_take_locked(struct uart16550 *u, uint8_t buf[UART_BATCH])
{
	uint32_t room = MIN(uart_rx_room_locked(u), UART_BATCH), n = 0, looks;
	uint8_t lsr, c;

	if (room != 0 && u->early) {
		u->early = false;
		buf[n++] = u->early_byte;
	}
	for (looks = 0; n < room && looks < UART_BATCH; looks++) {
		lsr = uart_get(u, UART_LSR);
		if (lsr == LSR_GONE)
			break;
		if ((lsr & LSR_OE) != 0)
			u->overruns++;
		if ((lsr & LSR_DR) == 0)
			break;
		c = uart_get(u, UART_DATA);
		if ((lsr & LSR_BI) == 0) /* a break is no byte */
			buf[n++] = c;
	}
	return n;
}

static void
uart_rx(struct uart16550 *u)
{
	struct serial *s = &u->line;
	uint8_t buf[UART_BATCH];
	uint64_t state, lost;
	size_t n;

	state = spin_lock_irq(&u->lock);
	if (u->rx_busy || s->client == NULL) {
		spin_unlock_irq(&u->lock, state);
		return;
	}
	u->rx_busy = true;
	while ((n = uart_take_locked(u, buf)) > 0) {
		/* Interrupts stay off: the client was promised so. */
		spin_unlock(&u->lock);
		s->client->input(s->client_arg, buf, n);
		spin_lock(&u->lock);
	}
	u->rx_busy = false;
	lost = u->overrun_told ? 0 : u->overruns;
	u->overrun_told = u->overruns != 0;
	spin_unlock_irq(&u->lock, state);
	if (lost != 0)
		log_warn("%s: input came too fast, bytes were lost", s->name);
}

static void
uart_resume_rx(struct serial *s)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state = spin_lock_irq(&u->lock);

	__atomic_store_n(&s->rx_stopped, 0, __ATOMIC_SEQ_CST);
	uart_set_ier_locked(u, u->ier | IER_RX);
	spin_unlock_irq(&u->lock, state);
	uart_rx(u);
}

static void
uart_intr(void *arg)
{
	struct uart16550 *u = arg;
	unsigned passes;
	uint64_t state;
	uint8_t iir;

	for (passes = 0; passes < UART_PASSES; passes++) {
		iir = uart_get(u, UART_IIR);
		if ((iir & IIR_NONE) != 0)
			return;
		if ((iir & IIR_ID) == IIR_TX)
			uart_tx_intr(u);
		else if ((iir & IIR_ID) == IIR_MODEM)
			(void)uart_get(u, UART_MSR); /* acknowledges it */
		else
			uart_rx(u);
	}
	/* Closing and opening the gate makes a new edge of what is left. */
	state = spin_lock_irq(&u->lock);
	uart_put(u, UART_IER, 0);
	uart_put(u, UART_IER, u->ier);
	spin_unlock_irq(&u->lock, state);
}

static int
uart_open(struct serial *s)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state;
	int error;

	if (u->listening)
		return 0;
	error = irq_establish(u->irq, uart_intr, u, s->name);
	if (error != 0)
		return error;
	state = spin_lock_irq(&u->lock);
	u->listening = true;
	uart_set_ier_locked(u, IER_RX | IER_STATUS);
	spin_unlock_irq(&u->lock, state);
	uart_rx(u); /* what came before raised no edge */
	return 0;
}

static void
uart_set_line(struct serial *s, unsigned divisor, unsigned bits, bool two_stops,
    bool parity, bool even)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state = spin_lock_irq(&u->lock);

	u->lcr = ((bits - 5) & 3) | (two_stops ? LCR_STOP2 : 0) |
	    (parity ? LCR_PARITY : 0) | (even ? LCR_EVEN : 0);
	uart_put(u, UART_LCR, LCR_DLAB);
	uart_put(u, UART_DATA, divisor & 0xff);
	uart_put(u, UART_IER, divisor >> 8 & 0xff);
	uart_put(u, UART_LCR, u->lcr);
	spin_unlock_irq(&u->lock, state);
}

static unsigned
uart_modem(struct serial *s)
{
	struct uart16550 *u = uart_of(s);
	uint8_t msr = uart_get(u, UART_MSR);

	return ((u->mcr & MCR_DTR) != 0 ? TIOCM_DTR : 0) |
	    ((u->mcr & MCR_RTS) != 0 ? TIOCM_RTS : 0) |
	    ((msr & MSR_CTS) != 0 ? TIOCM_CTS : 0) |
	    ((msr & MSR_DSR) != 0 ? TIOCM_DSR : 0) |
	    ((msr & MSR_RI) != 0 ? TIOCM_RI : 0) |
	    ((msr & MSR_DCD) != 0 ? TIOCM_CAR : 0);
}

static void
uart_set_modem(struct serial *s, unsigned set, unsigned clear)
{
	struct uart16550 *u = uart_of(s);
	uint64_t state = spin_lock_irq(&u->lock);

	u->mcr |= ((set & TIOCM_DTR) != 0 ? MCR_DTR : 0) |
	    ((set & TIOCM_RTS) != 0 ? MCR_RTS : 0);
	u->mcr &= ~(((clear & TIOCM_DTR) != 0 ? MCR_DTR : 0) |
	    ((clear & TIOCM_RTS) != 0 ? MCR_RTS : 0));
	uart_put(u, UART_MCR, u->mcr);
	spin_unlock_irq(&u->lock, state);
}

static const struct serial_ops uart_ops = {
	.open = uart_open,
	.write = uart_write,
	.write_polled = uart_write_polled,
	.room = uart_room,
	.queued = uart_queued,
	.discard = uart_discard,
	.pause = uart_pause,
	.resume_rx = uart_resume_rx,
	.drain = uart_drain,
	.set_line = uart_set_line,
	.modem = uart_modem,
	.set_modem = uart_set_modem,
};

/* An absent port reads all ones, or, on some hosts, all zeros. */
static bool
uart_probe(const struct uart16550 *u)
{
	uart_put(u, UART_SCR, 0x5a);
	if (uart_get(u, UART_SCR) != 0x5a)
		return false;
	uart_put(u, UART_SCR, 0xa5);
	return uart_get(u, UART_SCR) == 0xa5 &&
	    uart_get(u, UART_LSR) != LSR_GONE;
}

static void
uart_init(struct uart16550 *u)
{
	uart_put(u, UART_IER, 0);
	uart_put(u, UART_LCR, LCR_DLAB);
	uart_put(u, UART_DATA, 1); /* 115200 */
	uart_put(u, UART_IER, 0);
	u->lcr = LCR_8N1;
	uart_put(u, UART_LCR, u->lcr);
	/* Turning FIFOs on forgets a byte that has come already. */
	if ((uart_get(u, UART_LSR) & LSR_DR) != 0) {
		u->early = true;
		u->early_byte = uart_get(u, UART_DATA);
	}
	uart_put(u, UART_FCR, FCR_ON | FCR_CLEAR | FCR_RX14);
	u->fifo = (uart_get(u, UART_IIR) & IIR_FIFO) == IIR_FIFO ? 16 : 1;
	u->mcr = MCR_DTR | MCR_RTS | MCR_OUT2;
	uart_put(u, UART_MCR, u->mcr);
}

int
uart16550_attach(struct uart16550 *u, const char *name, unsigned minor,
    uint16_t port, uint8_t irq, uint8_t *ring, uint32_t ring_size)
{
	u->port = port;
	if (!uart_probe(u))
		return -ENODEV;
	u->line.name = name;
	u->line.minor = minor;
	u->irq = irq;
	u->ring = ring;
	u->ring_size = ring_size;
	uart_init(u);
	u->line.ops = &uart_ops;
	return 0;
}
