/* SPDX-License-Identifier: ISC */
/*
 * intr.h - interrupts: a handler is written once, and an I/O APIC pin, an MSI
 * or MSI-X message, or later an event channel delivers it.
 *
 * A source is one line or message.  It is got from whoever owns its kind
 * (intr_gsi_get, intr_isa_get, intr_msi_create, an event-channel driver), has
 * any number of handlers, and is ended by intr_put().
 *
 *	get -> establish ... disestablish -> put
 *
 * Handlers run with interrupts off, on the processor that the source is routed
 * to, must not sleep, and may run at any moment between establish's beginning
 * and disestablish's end, also before establish has returned.
 *
 * Locking: each source has a spin lock for its list and its mask count; no
 * handler runs under it.  The operations are called under it.
 */
#ifndef BUS_INTR_H
#define BUS_INTR_H

#include "kern/spinlock.h"
#include "kern/types.h"

struct intr_source;
struct intr_handler;

/* How an interrupt line asks. */
enum {
	INTR_EDGE = 0x0, /* and active high: ISA's way, Firecracker's lines */
	INTR_LEVEL = 0x1,
	INTR_LOW = 0x2, /* active low; INTR_LEVEL | INTR_LOW: PCI's INTx */
};

/* What stands behind a kind of source.  Under the source's lock, interrupts
 * off; none sleeps. */
struct intr_ops {
	const char *kind; /* "IO-APIC", "PCI-MSI": for /proc/interrupts */
	/* The first handler came: route to processor src->cpu, unmasked. */
	int (*enable)(struct intr_source *src);
	/* The last one left: nothing arrives any more. */
	void (*disable)(struct intr_source *src);
	void (*mask)(struct intr_source *src);
	void (*unmask)(struct intr_source *src);
	/* Route to processor `cpu`; NULL: cannot be moved. */
	int (*set_cpu)(struct intr_source *src, unsigned cpu);
	/* The last reference is gone: frees the source.  No lock held. */
	void (*free)(struct intr_source *src);
};

struct intr_source {
	const struct intr_ops *ops;    /* [I] */
	void *arg;                     /* [I] the kind's own */
	char name[16];                 /* [I] number or name of the line */
	unsigned number;               /* [I] as programs see it */
	struct spinlock lock;          /* l */
	struct intr_handler *handlers; /* [l] to change; read without */
	uint32_t refs;                 /* atomic */
	uint32_t masked;               /* [l] nested intr_mask() calls */
	uint32_t cpu;                  /* [l] where it is routed */
	uint32_t wanted;               /* atomic: where it shall be */
	bool enabled;                  /* [l] */
	bool stuck;                    /* [l] masked for good: nobody's */
	uint32_t flags;                /* [l] INTR_*; constant with handlers */
	uint32_t epoch, running[2];    /* atomic; see intr.c */
	uint32_t unclaimed;            /* in a row; only by the running CPU */
	uint32_t *count;               /* one for each processor */
	struct intr_source *next;      /* of all sources */
};

/*
 * Calls fn(arg) when the source asks; fn returns whether its device had asked,
 * which counts only where handlers share a level line: a line that asks and
 * asks and nobody's is masked, with one line in the log.  May sleep.  `name`
 * (the device's) is copied.
 *   -ENOMEM, or why the source cannot be routed
 */
int intr_establish(struct intr_source *src, bool (*fn)(void *arg), void *arg,
    const char *name, struct intr_handler **out);
/*
 * On return fn does not run and will not.  Not from a handler.  NULL is
 * harmless.
 */
void intr_disestablish(struct intr_handler *h);

/*
 * On return every handler that ran when this was called has returned.  With
 * the source masked, or the device silent, none runs any more.  Not from a
 * handler.
 */
void intr_drain(struct intr_source *src);

/* These nest; mask does not wait for a handler that runs.  Any context. */
void intr_mask(struct intr_source *src);
void intr_unmask(struct intr_source *src);

/*   -EINVAL  no such processor; -EOPNOTSUPP  cannot be moved */
int intr_set_cpu(struct intr_source *src, unsigned cpu);
unsigned intr_cpu(const struct intr_source *src);
/*
 * The same, but if that processor does not run yet it is done with the first
 * interrupt that comes when it does.  Where it cannot be moved, it stays.
 */
void intr_prefer_cpu(struct intr_source *src, unsigned cpu);
/* What programs call it: a pin's GSI; from 128 on all others. */
unsigned intr_number(const struct intr_source *src);

/* References; the last one ends the source, which has no handlers then. */
struct intr_source *intr_get(struct intr_source *src);
void intr_put(struct intr_source *src); /* NULL is harmless */

/* ---- lines of the board ---- */

/*
 * Pin of an I/O APIC by its global number; callers of one line share it and
 * must agree in flags (INTR_*).  May sleep.
 * A line that the kernel uses for itself is -EBUSY when it is established.
 *   -ENODEV  no I/O APIC has it
 *   -EBUSY   its handlers were promised other flags
 *   -ENOMEM
 */
int intr_gsi_get(unsigned gsi, unsigned flags, struct intr_source **out);
/* ISA interrupt 0 .. 15, where and how firmware's tables say it is routed. */
int intr_isa_get(unsigned irq, struct intr_source **out);
/* Whether they say so. */
bool intr_isa_known(unsigned irq);
/* Notes what a table says: before anybody gets that line. */
void intr_isa_override(unsigned irq, unsigned gsi, unsigned flags);

/* ---- messages: MSI and MSI-X ---- */

/*
 * Who owns a message's registers: one MSI-X table entry, one MSI capability.
 * Under the source's lock; none sleeps.
 */
struct msi_ops {
	/* Makes the device send `data` to `addr` from now on; called before
	 * the first unmask, and again when the target processor changes. */
	void (*write)(void *arg, uint64_t addr, uint32_t data);
	void (*mask)(void *arg, bool masked);
};

/*
 * A source for one message, with one processor vector; masked until the first
 * handler is established, and after the last.  One reference.  May sleep.
 *   -ENOSPC  no vector is free
 *   -ENOMEM
 */
int intr_msi_create(const struct msi_ops *ops, void *arg, const char *name,
    struct intr_source **out);

/* ---- for further kinds (event channels) ---- */

/* Fills a zeroed source with one reference and makes it known. -ENOMEM */
int intr_source_init(struct intr_source *src, const struct intr_ops *ops,
    void *arg, const char *name);
/* Runs the handlers; interrupts off, already acknowledged where needed. */
void intr_dispatch(struct intr_source *src);

/* ---- for /proc/interrupts, /proc/stat, /proc/irq ---- */

struct intr_info {
	unsigned number;   /* of the source: the GSI, or one for itself */
	char name[16];     /* "4", "24", "evtchn3" */
	const char *kind;  /* "IO-APIC" */
	const char *how;   /* "edge", "fasteoi" */
	char handlers[64]; /* "vtblk0, virtio1" */
	unsigned cpu;
};
/* The i-th source with a handler; false: there are no more. */
bool intr_info(unsigned i, struct intr_info *info);
/* How often it came on one processor. */
uint32_t intr_count(unsigned i, unsigned cpu);

#endif
