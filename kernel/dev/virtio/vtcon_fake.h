/* SPDX-License-Identifier: ISC */
/*
 * vtcon_fake.h - what the virtio console's driver finds around it on the host:
 * one thread, a floor above that takes ports, a device that says what it is
 * told to.  Included by one file of a program, behind tests/host's locks;
 * includes the driver itself.
 */
#ifndef DEV_VTCON_FAKE_H
#define DEV_VTCON_FAKE_H

#define FAKE_QUEUES 18
#include "bus/virtio_fake.h"

#include "bus/virtio_alone.h"

#include "dev/virtio/vtcon.c"
#include "dev/virtio/vtcon_io.c"

/* ----------------------------------------------------------- the tree -- */

static struct vtcon_softc *fake_softc;
static struct fake_device *fake_dev;
static const struct bus_ops *fake_bus;
static bool fake_rescan_due;

void *
device_softc(const struct device *dev)
{
	(void)dev;
	return fake_softc;
}

int
device_unit(const struct device *dev)
{
	(void)dev;
	return 0;
}

bool
device_is_gone(const struct device *dev)
{
	(void)dev;
	return fake_gone != 0;
}

void
device_set_bus(struct device *dev, const struct bus_ops *ops)
{
	(void)dev;
	fake_bus = ops;
}

void
device_rescan_soon(struct device *bus)
{
	(void)bus;
	fake_rescan_due = true;
}

void
device_announce(struct device *dev, const char *fmt, ...)
{
	(void)dev;
	(void)fmt;
}

/* ----------------------------------------------------- the floor above -- */

static struct vport *fake_port[NPORT]; /* NULL: not there */
static uint8_t fake_got[1 << 16];      /* what came to all of them */
static size_t fake_ngot;
static unsigned fake_rooms, fake_changes;
static int fake_sources;
static void (*fake_emergency)(void *arg, uint8_t byte);
static void *fake_emergency_arg;
static bool fake_refuse;

static void
fake_input(void *arg, const uint8_t *bytes, size_t n)
{
	struct vport *p = arg;

	fake_check(fake_port[p->id] == p, "input from a port that is gone");
	fake_check(n > 0 && n <= p->line.rx_room, "more than there is room");
	p->line.rx_room -= n;
	n = MIN(n, sizeof(fake_got) - fake_ngot);
	memcpy(fake_got + fake_ngot, bytes, n);
	fake_ngot += n;
}

static void
fake_room(void *arg)
{
	struct vport *p = arg;

	fake_check(fake_port[p->id] == p, "room at a port that is gone");
	fake_rooms++;
}

static const struct serial_client fake_client = { .input = fake_input,
	.room = fake_room };

int
vport_arrive(struct vport *p)
{
	fake_check(p->id < NPORT && fake_port[p->id] == NULL,
	    "a port that arrives twice");
	p->hvc = -1;
	p->line.refs = 1;
	if (fake_refuse)
		return -ENOMEM;
	p->line.client = &fake_client;
	p->line.client_arg = p;
	fake_port[p->id] = p;
	return 0;
}

void
vport_named(struct vport *p, const char *name)
{
	fake_check(strlen(name) < VPORT_NAME && strchr(name, '/') == NULL,
	    "a name");
	strcpy(p->name, name);
}

void
vport_is_console(struct vport *p)
{
	p->hvc = p->id;
}

void
vport_changed(struct vport *p)
{
	fake_check(fake_port[p->id] == p, "news of a port that is gone");
	fake_changes++;
}

void
vport_depart(struct vport *p)
{
	fake_check(p->line.gone != 0, "a departure of what is there");
	fake_port[p->id] = NULL;
	serial_put(&p->line);
}

void
vport_source(bool there)
{
	fake_sources += there ? 1 : -1;
}

void
console_await_look(void)
{
}

void
console_set_emergency(void (*fn)(void *arg, uint8_t byte), void *arg)
{
	fake_emergency = fn;
	fake_emergency_arg = arg;
}

/* ---------------------------------------------------------- the device -- */

/* Takes all that was sent on a queue; the bytes go to *out, if not NULL. */
static inline size_t
fake_take_output(struct fake_device *f, unsigned q, uint8_t *out, size_t size)
{
	struct fake_chain c;
	size_t n = 0, len;

	while (fake_next(f, q, &c)) {
		fake_check(c.n == 1 && c.nread == 1, "an output's shape");
		len = out == NULL ? 0 : MIN(c.seg[0].len, size - n);
		if (len > 0)
			memcpy(out + n, (void *)(uintptr_t)c.seg[0].addr, len);
		n += len;
		fake_answer(f, q, c.id, 0, c.places);
	}
	return n;
}

static void
fake_await(void)
{
	fake_take_output(fake_dev, 3, NULL, 0);
	ctl_tx_intr(fake_softc);
	if (fake_softc->ctl_free == 0)
		virtio_broken(&fake_dev->vd, "answers nothing");
}

/* The device writes into the next buffer of a queue; false: none there. */
static inline bool
fake_give(struct fake_device *f, unsigned q, const void *bytes, size_t n,
    uint32_t len)
{
	struct fake_chain c;

	if (!fake_next(f, q, &c))
		return false;
	fake_check(c.n == 1 && c.nread == 0, "an input's shape");
	memcpy((void *)(uintptr_t)c.seg[0].addr, bytes, MIN(n, c.seg[0].len));
	fake_answer(f, q, c.id, len, c.places);
	return true;
}

static inline void
fake_interrupt(struct fake_device *f)
{
	virtio_interrupt(&f->vd, true, false);
	while (fake_rescan_due) {
		fake_rescan_due = false;
		if (fake_bus != NULL)
			fake_bus->rescan(NULL);
	}
}

static inline int
fake_attach(struct fake_device *f)
{
	int error;

	fake_dev = f;
	fake_bus = NULL;
	fake_ngot = 0;
	fake_rooms = fake_changes = 0;
	fake_rescan_due = false;
	fake_softc = kzalloc(sizeof(*fake_softc));
	if (fake_softc == NULL)
		return -ENOMEM;
	error = vtcon_driver.attach(NULL);
	if (error == 0)
		fake_interrupt(f);
	return error;
}

/* As the tree does it: all memory must be back afterwards. */
static inline void
fake_detach(bool attached, enum detach_kind kind)
{
	unsigned i;

	if (attached)
		vtcon_driver.detach(NULL, kind);
	for (i = 0; i < NPORT; i++)
		fake_check(fake_port[i] == NULL, "a port that stays");
	fake_check(fake_sources == 0, "somebody waits for ports");
	kfree(fake_softc);
	fake_softc = NULL;
	fake_check(fake_live == 0, "memory that is lost");
}

#endif
