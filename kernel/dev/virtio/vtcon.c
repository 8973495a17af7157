/* SPDX-License-Identifier: ISC */
/*
 * vtcon.c - virtio consoles: ports to the host, one or several.  Virtio 1.2,
 * 5.3.
 *
 * With VIRTIO_CONSOLE_F_MULTIPORT the host tells over a queue of its own which
 * ports come, go, open and close.  Its messages are taken by the device tree's
 * thread (the device is a bus to which ports come), so that they never meet
 * attach() or detach(), and may sleep.
 */
#include "dev/virtio/vtcon.h"

#include "bus/device.h"
#include "dev/console.h"
#include "dev/drivers.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>
#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>

#define NPORT     8u
#define NCTL_RX   8u
#define NCTL_TX   16u
#define CTL_SIZE  128u /* a message with a name; one a buffer */
#define CTL_MEM   ((NCTL_RX + NCTL_TX) * CTL_SIZE)
#define PASS      256 /* messages taken before others have their turn */
#define CONFIG(f) offsetof(struct virtio_console_config, f)

#define FEATURES                                     \
	(VIRTIO_BIT(VIRTIO_CONSOLE_F_SIZE) |         \
	    VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT) | \
	    VIRTIO_BIT(VIRTIO_CONSOLE_F_EMERG_WRITE))

struct message {
	uint32_t id, len; /* len: with the head, as much as there is */
	uint16_t event, value;
	uint8_t text[CTL_SIZE - sizeof(struct virtio_console_control)];
};

struct vtcon_softc {              /* I: constant once attached; c: lock */
	struct virtio_device *vd; /* [I] */
	struct device *dev;       /* [I] */
	bool multiport;           /* [I] */
	unsigned nslots;          /* [I] */
	bool lied;                /* one line in the log is enough */
	struct spinlock lock;     /* interrupts off */
	struct virtqueue *ctl_rx, *ctl_tx; /* [c] */
	struct dma_mem ctl_mem;            /* [I] */
	uint32_t ctl_free;                 /* [c] a bit a buffer for sending */
	bool gone;                         /* [c] */
	struct vtcon_slot slot[NPORT];
};

/* Who waits to send a message; outlives every device. */
static struct waitq ctl_wq = WAITQ_INIT(ctl_wq);

/* ---------------------------------------------- messages to the host -- */

static size_t
ctl_offset(unsigned i)
{
	return (NCTL_RX + i) * CTL_SIZE;
}

static void
ctl_reclaim_locked(struct vtcon_softc *sc)
{
	void *cookie;
	uint32_t len;

	while ((cookie = virtqueue_pop(sc->ctl_tx, &len)) != NULL)
		sc->ctl_free |= 1u << ((uintptr_t)cookie - 1);
}

/* True: it was sent, or never will be. */
static bool
ctl_send_once(struct vtcon_softc *sc, const struct virtio_console_control *m)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct dma_seg seg = { .len = sizeof(*m) };
	bool done = sc->gone || virtio_is_broken(sc->vd);
	unsigned i;

	if (!done) {
		do
			ctl_reclaim_locked(sc);
		while (sc->ctl_free == 0 && !virtqueue_intr_on(sc->ctl_tx));
	}
	if (!done && sc->ctl_free != 0) {
		i = __builtin_ctz(sc->ctl_free);
		seg.addr = sc->ctl_mem.addr + ctl_offset(i);
		memcpy((uint8_t *)sc->ctl_mem.kva + ctl_offset(i), m,
		    sizeof(*m));
		done = true;
		if (virtqueue_push(sc->ctl_tx, &seg, 1, 0,
			(void *)(uintptr_t)(i + 1)) == 0)
			sc->ctl_free &= ~(1u << i);
		virtqueue_kick(sc->ctl_tx);
	}
	spin_unlock_irq(&sc->lock, state);
	return done;
}

/* Threads; sleeps only when a dozen messages are under way. */
static void
ctl_send(struct vtcon_softc *sc, uint32_t id, uint16_t event, uint16_t value)
{
	struct virtio_console_control m = { .id = id,
		.event = event,
		.value = value };

	if (sc->multiport)
		wait_event(&ctl_wq, ctl_send_once(sc, &m));
}

static void
ctl_tx_intr(void *arg)
{
	struct vtcon_softc *sc = arg;
	uint64_t state = spin_lock_irq(&sc->lock);

	virtqueue_intr_off(sc->ctl_tx);
	ctl_reclaim_locked(sc);
	spin_unlock_irq(&sc->lock, state);
	waitq_wake_all(&ctl_wq);
}

/* -------------------------------------------------------------- ports -- */

static void
port_set_open(struct vport *v, bool open)
{
	struct vtcon_port *p = container_of(v, struct vtcon_port, v);

	if (!gate_enter(&p->gate))
		return;
	if (open)
		vtcon_slot_listen(p->slot, true);
	ctl_send(p->sc, v->id, VIRTIO_CONSOLE_PORT_OPEN, open);
	if (!open)
		vtcon_slot_listen(p->slot, false);
	gate_exit(&p->gate);
}

static const struct vport_ops port_ops = { .set_open = port_set_open };

static void
port_release(struct serial *line)
{
	kfree(vtcon_port_of(line));
}

static void
read_size(struct virtio_device *vd, void *arg)
{
	*(uint32_t *)arg = virtio_config32(vd, CONFIG(cols));
}

/* The configuration has the size of port 0: rows are the upper half. */
static uint32_t
size_of(struct vtcon_softc *sc)
{
	uint32_t v;

	if (!virtio_has(sc->vd, VIRTIO_CONSOLE_F_SIZE) ||
	    virtio_config(sc->vd, read_size, &v) != 0)
		return 0;
	return v;
}

static struct vtcon_port *
port_make(struct vtcon_softc *sc, unsigned id)
{
	struct vtcon_port *p = kzalloc(sizeof(*p));

	if (p == NULL)
		return NULL;
	gate_init(&p->gate);
	p->sc = sc;
	p->slot = &sc->slot[id];
	p->v.ops = &port_ops;
	p->v.dev = sc->dev;
	p->v.device = device_unit(sc->dev);
	p->v.id = id;
	p->v.size = id == 0 ? size_of(sc) : 0;
	p->v.host_open = !sc->multiport;
	p->v.line.name = "vport";
	p->v.line.ops = &vtcon_serial_ops;
	p->v.line.release = port_release;
	return p;
}

static void
port_end(struct vtcon_slot *s)
{
	struct vtcon_port *p = s->port;

	if (p == NULL)
		return;
	__atomic_store_n(&p->v.line.gone, 1, __ATOMIC_RELEASE);
	gate_close(&p->gate);
	waitq_wake_all(&ctl_wq);
	gate_shut(&p->gate);
	vtcon_slot_set_port(s, NULL);
	vport_depart(&p->v);
}

static int
port_begin(struct vtcon_softc *sc, unsigned id)
{
	struct vtcon_slot *s = &sc->slot[id];
	struct vtcon_port *p = port_make(sc, id);
	int error;

	if (p == NULL)
		return -ENOMEM;
	error = vtcon_slot_start(s);
	if (error != 0) {
		kfree(p);
		return error;
	}
	vtcon_slot_set_port(s, p);
	error = vport_arrive(&p->v);
	if (error != 0)
		port_end(s);
	return error;
}

/* -------------------------------------------- messages from the host -- */

static void
ctl_post_locked(struct vtcon_softc *sc, unsigned i)
{
	struct dma_seg seg = { sc->ctl_mem.addr + i * CTL_SIZE, CTL_SIZE };

	(void)virtqueue_push(sc->ctl_rx, &seg, 0, 1,
	    (void *)(uintptr_t)(i + 1));
}

/* Copies the next one out; false: none, an interrupt will tell. */
static bool
take_message(struct vtcon_softc *sc, struct message *m)
{
	uint64_t state = spin_lock_irq(&sc->lock);
	struct virtio_console_control head = { 0 };
	void *cookie = NULL;
	uint32_t len = 0;
	unsigned i;

	do
		cookie = virtqueue_pop(sc->ctl_rx, &len);
	while (cookie == NULL && !virtqueue_intr_on(sc->ctl_rx));
	if (cookie != NULL) {
		i = (uintptr_t)cookie - 1;
		memset(m, 0, sizeof(*m));
		if (len >= sizeof(head)) {
			memcpy(&head, (uint8_t *)sc->ctl_mem.kva + i * CTL_SIZE,
			    sizeof(head));
			memcpy(m->text,
			    (uint8_t *)sc->ctl_mem.kva + i * CTL_SIZE +
				sizeof(head),
			    len - sizeof(head));
		}
		m->len = len;
		ctl_post_locked(sc, i);
		virtqueue_kick(sc->ctl_rx);
	}
	spin_unlock_irq(&sc->lock, state);
	m->id = head.id;
	m->event = head.event;
	m->value = head.value;
	return cookie != NULL;
}

static void
lied(struct vtcon_softc *sc, const char *how, uint32_t value)
{
	if (!__atomic_exchange_n(&sc->lied, true, __ATOMIC_RELAXED))
		log_warn("%s: %s (%u), ignored", device_name(sc->dev), how,
		    value);
}

static void
port_added(struct vtcon_softc *sc, unsigned id)
{
	int error = sc->slot[id].port != NULL ? 0 : port_begin(sc, id);

	if (error != 0)
		log_warn("%s: port %u: error %d", device_name(sc->dev), id,
		    -error);
	ctl_send(sc, id, VIRTIO_CONSOLE_PORT_READY, error == 0);
}

/* A name becomes a file's: no slash, nothing that cannot be typed. */
static void
port_named(struct vtcon_softc *sc, struct vtcon_port *p,
    const struct message *m)
{
	char name[VPORT_NAME];
	size_t n = strnlen((const char *)m->text,
	    m->len - sizeof(struct virtio_console_control));
	size_t i;
	bool good = n > 0 && n < sizeof(name) && m->text[0] != '.';

	for (i = 0; i < n; i++)
		good = good && m->text[i] > ' ' && m->text[i] < 0x7f &&
		    m->text[i] != '/';
	if (!good) {
		lied(sc, "a port's name makes no sense, port", p->v.id);
		return;
	}
	memcpy(name, m->text, n);
	name[n] = '\0';
	if (p->v.name[0] == '\0')
		vport_named(&p->v, name);
}

static void
port_console(struct vtcon_softc *sc, struct vtcon_port *p)
{
	/* Hosts send nothing to a port that is closed. */
	ctl_send(sc, p->v.id, VIRTIO_CONSOLE_PORT_OPEN, 1);
	vport_is_console(&p->v);
}

static void
port_resized(struct vtcon_softc *sc, struct vtcon_port *p,
    const struct message *m)
{
	if (m->len < sizeof(struct virtio_console_control) + 4) {
		lied(sc, "a port's size has too few bytes", m->len);
		return;
	}
	__atomic_store_n(&p->v.size,
	    (uint32_t)(m->text[2] | m->text[3] << 8) << 16 | m->text[0] |
		m->text[1] << 8,
	    __ATOMIC_RELEASE);
	vport_changed(&p->v);
}

static void
act_on_port(struct vtcon_softc *sc, struct vtcon_slot *s,
    const struct message *m)
{
	struct vtcon_port *p = s->port;

	switch (m->event) {
	case VIRTIO_CONSOLE_PORT_REMOVE: port_end(s); break;
	case VIRTIO_CONSOLE_CONSOLE_PORT:
		if (m->value != 0)
			port_console(sc, p);
		break;
	case VIRTIO_CONSOLE_RESIZE: port_resized(sc, p, m); break;
	case VIRTIO_CONSOLE_PORT_OPEN:
		__atomic_store_n(&p->v.host_open, m->value != 0,
		    __ATOMIC_RELEASE);
		vport_changed(&p->v);
		break;
	case VIRTIO_CONSOLE_PORT_NAME: port_named(sc, p, m); break;
	default: lied(sc, "an unknown event", m->event); break;
	}
}

static void
act(struct vtcon_softc *sc, const struct message *m)
{
	if (m->len < sizeof(struct virtio_console_control))
		lied(sc, "a message has too few bytes", m->len);
	else if (m->id >= sc->nslots)
		lied(sc, "speaks of a port that cannot be had", m->id);
	else if (m->event == VIRTIO_CONSOLE_PORT_ADD)
		port_added(sc, m->id);
	else if (sc->slot[m->id].port == NULL)
		lied(sc, "speaks of a port that is not there", m->id);
	else
		act_on_port(sc, &sc->slot[m->id], m);
}

/* The tree's thread, or whoever asks for a rescan. */
static int
vtcon_rescan(struct device *dev)
{
	struct vtcon_softc *sc = device_softc(dev);
	struct message m;
	unsigned n = 0;

	while (sc->multiport && !device_is_gone(dev)) {
		if (n++ == PASS) {
			device_rescan_soon(dev);
			break;
		}
		if (!take_message(sc, &m))
			break;
		act(sc, &m);
	}
	return 0;
}

static void
ctl_rx_intr(void *arg)
{
	struct vtcon_softc *sc = arg;

	device_rescan_soon(sc->dev);
}

/* --------------------------------------------------- attach, detach -- */

static void
vtcon_changed(void *arg)
{
	struct vtcon_softc *sc = arg;
	struct vtcon_slot *s = &sc->slot[0];
	struct vtcon_port *p;
	uint64_t state = spin_lock_irq(&s->lock);

	p = s->port;
	if (p != NULL && !gate_enter(&p->gate))
		p = NULL;
	spin_unlock_irq(&s->lock, state);
	if (p == NULL)
		return;
	__atomic_store_n(&p->v.size, size_of(sc), __ATOMIC_RELEASE);
	vport_changed(&p->v);
	gate_exit(&p->gate);
}

/* Works from the greeting on, whatever the queues do; 5.3.4. */
static void
emergency_byte(void *arg, uint8_t byte)
{
	struct vtcon_softc *sc = arg;

	virtio_config_set32(sc->vd, CONFIG(emerg_wr), byte);
}

static int
make_queue(struct vtcon_softc *sc, unsigned index, unsigned size,
    void (*intr)(void *), void *arg, struct virtqueue **out)
{
	struct virtqueue_spec spec = { .index = index,
		.max_size = size,
		.max_chain = 1,
		.intr = intr,
		.arg = arg };
	int error = virtqueue_create(sc->vd, &spec, out);

	if (error != 0 || virtqueue_size(*out) >= size)
		return error;
	log_warn("%s: queue %u has %u entries, too few", device_name(sc->dev),
	    index, virtqueue_size(*out));
	return -EINVAL;
}

static int
make_slot(struct vtcon_softc *sc, unsigned id)
{
	struct vtcon_slot *s = &sc->slot[id];
	unsigned index = id == 0 ? 0 : 2 * (id + 1);
	int error;

	spin_init(&s->lock);
	spin_init(&s->stage_lock);
	s->vd = sc->vd;
	s->at = -1;
	error = make_queue(sc, index, VTCON_NRX, vtcon_rx_intr, s, &s->rx);
	if (error == 0)
		error = make_queue(sc, index + 1, VTCON_NTX, vtcon_tx_intr, s,
		    &s->tx);
	return error;
}

static int
make_control(struct vtcon_softc *sc)
{
	unsigned i;
	int error = make_queue(sc, 2, NCTL_RX, ctl_rx_intr, sc, &sc->ctl_rx);

	if (error == 0)
		error = make_queue(sc, 3, NCTL_TX, ctl_tx_intr, sc,
		    &sc->ctl_tx);
	if (error == 0)
		error = dma_mem_alloc(sc->vd->dma, CTL_MEM, PAGE_SIZE, NULL,
		    &sc->ctl_mem);
	if (error != 0)
		return error;
	sc->ctl_free = (1u << NCTL_TX) - 1;
	virtqueue_intr_off(sc->ctl_tx);
	for (i = 0; i < NCTL_RX; i++)
		ctl_post_locked(sc, i);
	return 0;
}

static int
configure(struct vtcon_softc *sc)
{
	uint32_t n = 1;

	sc->multiport = virtio_has(sc->vd, VIRTIO_CONSOLE_F_MULTIPORT);
	if (sc->multiport)
		n = virtio_config32(sc->vd, CONFIG(max_nr_ports));
	if (n == 0) {
		log_warn("%s: has room for no port", device_name(sc->dev));
		return -EINVAL;
	}
	sc->nslots = MIN(n, NPORT);
	return 0;
}

/* Every step accepts a softc that is half built. */
static void
vtcon_detach(struct device *dev, enum detach_kind kind)
{
	struct vtcon_softc *sc = device_softc(dev);
	uint64_t state = spin_lock_irq(&sc->lock);
	unsigned i;
	bool quiet;

	sc->gone = true; /* 1. no new messages, nobody waits to send one */
	spin_unlock_irq(&sc->lock, state);
	waitq_wake_all(&ctl_wq);
	console_set_emergency(NULL, sc);
	/* 2. no DMA, and no handler runs any more */
	quiet = virtio_stop(sc->vd, kind == DETACH_GONE);
	for (i = 0; i < NPORT; i++) /* 3. no name, no caller inside */
		port_end(&sc->slot[i]);
	if (sc->multiport)
		vport_source(false);
	console_await_look();
	for (i = 0; i < NPORT; i++) { /* 4. what it may write is kept aside */
		virtqueue_destroy(sc->slot[i].rx, quiet);
		virtqueue_destroy(sc->slot[i].tx, quiet);
		dma_mem_free(&sc->slot[i].mem, quiet);
	}
	virtqueue_destroy(sc->ctl_rx, quiet);
	virtqueue_destroy(sc->ctl_tx, quiet);
	dma_mem_free(&sc->ctl_mem, quiet);
}

static int
begin(struct vtcon_softc *sc)
{
	int error;

	virtio_driver_ok(sc->vd);
	if (virtio_has(sc->vd, VIRTIO_CONSOLE_F_EMERG_WRITE))
		console_set_emergency(emergency_byte, sc);
	if (sc->multiport) {
		virtqueue_kick(sc->ctl_rx);
		ctl_send(sc, 0, VIRTIO_CONSOLE_DEVICE_READY, 1);
		return vtcon_rescan(sc->dev); /* hosts may answer at once */
	}
	error = port_begin(sc, 0);
	if (error == 0)
		vport_is_console(&sc->slot[0].port->v);
	return error;
}

static const struct bus_ops vtcon_bus_ops = {
	.name = "virtio-ports",
	.rescan = vtcon_rescan,
};

static int
vtcon_attach(struct device *dev)
{
	struct vtcon_softc *sc = device_softc(dev);
	unsigned i;
	bool multi;
	int error;

	sc->vd = virtio_device_of(dev);
	sc->dev = dev;
	spin_init(&sc->lock);
	multi = virtio_offers(sc->vd) & VIRTIO_BIT(VIRTIO_CONSOLE_F_MULTIPORT);
	error = virtio_negotiate(sc->vd, FEATURES, multi ? 2 * (NPORT + 1) : 2);
	if (error == 0)
		error = configure(sc);
	if (sc->multiport)
		vport_source(true);
	for (i = 0; i < sc->nslots && error == 0; i++)
		error = make_slot(sc, i);
	if (error == 0 && sc->multiport)
		error = make_control(sc);
	if (error == 0) {
		device_set_bus(dev, &vtcon_bus_ops);
		virtio_on_change(sc->vd, vtcon_changed, sc);
		device_announce(dev, "console, %u port%s", sc->nslots,
		    sc->nslots == 1 ? "" : "s at most");
		error = begin(sc);
	}
	if (error != 0)
		vtcon_detach(dev, DETACH_ASKED);
	return error;
}

static const struct device_id vtcon_ids[] = { { .device = VIRTIO_ID_CONSOLE },
	{ 0 } };

const struct driver vtcon_driver = {
	.name = "vtcon",
	.bus = "virtio",
	.linux_name = "virtio_console",
	.softc_size = sizeof(struct vtcon_softc),
	.ids = vtcon_ids,
	.attach = vtcon_attach,
	.detach = vtcon_detach,
};
