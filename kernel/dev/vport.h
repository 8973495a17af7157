/* SPDX-License-Identifier: ISC */
/*
 * vport.h - ports to the host, as drivers of virtio consoles offer them: a
 * serial line, and what the host says of it.  A port may be a console (hvc0),
 * the control channel, or whatever programs use it for (/dev/vport0p1).
 *
 * A driver calls vport_arrive() for each port, then whatever the host tells of
 * it, and at its end vport_depart().  The floor above registers itself once as
 * the consumer; no driver names it.
 */
#ifndef DEV_VPORT_H
#define DEV_VPORT_H

#include "dev/serial.h"
#include "kern/types.h"

#define VPORT_NAME 64 /* bytes, NUL included */
#define VPORT_HVCS 16

struct device;
struct vport;

struct vport_ops {
	/* The guest has opened or closed its end; tells the host.  Threads
	 * only.  Open: input may come from now on. */
	void (*set_open)(struct vport *p, bool open);
};

struct vport {              /* the driver's, zeroed first */
	struct serial line; /* how bytes move; references are its own */
	const struct vport_ops *ops; /* [I] */
	struct device *dev;          /* [I] attached until departure */
	unsigned device, id;         /* [I] vport<device>p<id> */
	char name[VPORT_NAME];       /* [I] from vport_named() on; "": none */
	uint32_t host_open;          /* [a] somebody listens at the other end */
	uint32_t size;               /* [a] rows << 16 | columns; 0: unknown */
	/* vport.c's: */
	int hvc;          /* [I] from vport_is_console() on; -1: none */
	char hvc_name[8]; /* [I] "hvc0" */
	bool is_control;  /* [I] from vport_named() on */
	void *upper;      /* the consumer's own */
};

/* ---- for drivers; threads, one after the other for one device ---- */

/* The port is there, and takes calls.  -ENOMEM, what the consumer says */
int vport_arrive(struct vport *p);
/*
 * Once, if the host says so; the name is checked by the driver.  One called
 * remora.console is a console too.
 */
void vport_named(struct vport *p, const char *name);
/* If the host says so; again is harmless. */
void vport_is_console(struct vport *p);
/* host_open or size is another one now.  Any context, no lock held. */
void vport_changed(struct vport *p);
/*
 * The port is gone: line.gone is set, and the driver makes no calls any more.
 * Ends what it was above, then the driver's reference.  May sleep.
 */
void vport_depart(struct vport *p);

/* A device that will announce ports by and by has come (true), or gone. */
void vport_source(bool there);
/* Ports may come by themselves soon. */
bool vport_expected(void);

/* ---- for the floor above ---- */

struct vport_consumer { /* each may sleep but changed */
	int (*arrive)(struct vport *p);
	void (*named)(struct vport *p);
	void (*console)(struct vport *p); /* p->hvc is set */
	void (*changed)(struct vport *p);
	void (*depart)(struct vport *p);
};
/* At boot, before drivers attach. */
void vport_set_consumer(const struct vport_consumer *consumer);

#endif
