/* SPDX-License-Identifier: ISC */
/*
 * device.h - the device tree: what was found, which driver holds it, and how
 * it comes and goes.
 *
 * A node is made by its bus with device_add() and taken away with
 * device_remove().  In between, drivers attach to it and detach from it, as
 * often as anybody likes.  A node's driver may itself be a bus and add nodes
 * below.
 *
 *	      device_add()
 *		  |
 *		  v	driver found
 *	+----> FOUND ------------------> ATTACHING
 *	|	|  ^			  |  |
 *	|	|  |	attach() failed	  |  | attach() returned 0
 *	|	|  +----------------------+  v
 *	|	|			     ATTACHED
 *	|	| device_remove()	     | device_detach(), device_remove(),
 *	|	v			     v report_gone(), the parent's end
 *	|      GONE <----------------- DETACHING
 *	|	       device_remove()	     | device_detach()
 *	+------------------------------------+
 *
 *   FOUND      in the tree, no driver.  No softc.
 *   ATTACHING  attach() runs.  The softc is there, names are being made.
 *   ATTACHED   the driver works.
 *   DETACHING  the nodes below are taken away first, then detach() runs.  No
 *              node can be added below.
 *   GONE       out of the tree; only references keep the struct alive.
 *
 * Rules of one driver's life on one node:
 * - attach() and detach() come strictly in turn, never at the same time, each
 *   on a thread that may sleep, with no lock of the tree held.
 * - attach() that fails has undone all of it itself, by calling the driver's
 *   own detach() on the half-built softc; the tree does not call it again.
 *   After an attach() that returned 0, detach() is called exactly once, however
 *   many ask for it and from wherever.
 * - A removal in the middle of attach() or detach() waits for it to end.  So
 *   that this is soon, a device that has gone is marked at once: from then on
 *   device_is_gone() is true and device_waitq() is woken.  Whoever sleeps in
 *   attach() or detach() for an answer of the device sleeps on that queue (or
 *   on one that its timer wakes) and looks at device_is_gone() too.
 * - The softc is zeroed memory, there from before attach() to after detach().
 *   Who may come from elsewhere (an interrupt, an upper floor) is let in
 *   through bus/gate.h or drained by detach().
 *
 * Turns: whoever changes a node's state has its turn; others wait.  Turns are
 * taken from the root downwards: a bus that removes its nodes from attach(),
 * rescan() or detach() is in order; a driver that asks for its own node's
 * removal from there would wait for ever and uses device_report_gone().
 *
 * References: device_add() with `out`, device_find(), device_get() give one,
 * device_put() ends it.  A node holds one on its parent.  A driver needs none
 * on its own node between attach() and detach().
 *
 * Locking: one spin lock for links, states, names and counts of the whole
 * tree, innermost, closed to interrupts; no callback runs under it.
 */
#ifndef BUS_DEVICE_H
#define BUS_DEVICE_H

#include "kern/types.h"

struct device;
struct sbuf;
struct waitq;

enum device_state {
	DEVICE_FOUND,
	DEVICE_ATTACHING,
	DEVICE_ATTACHED,
	DEVICE_DETACHING,
	DEVICE_GONE,
};

enum detach_kind {
	DETACH_ASKED, /* the device is there: stop it in good order */
	DETACH_GONE,  /* it is not, or does as it likes: do not wait for it */
};

/*
 * Who a device says it is.  In a driver's list 0 (or NULL) stands for any;
 * class is compared under class_mask.  The list ends with all zeros.
 */
struct device_id {
	uint16_t vendor, device; /* PCI's; virtio: device is the type */
	uint16_t subvendor, subdevice;
	uint32_t class, class_mask; /* PCI: base << 16 | sub << 8 | interface */
	const char *text;           /* "LNRO0005", XenStore's "vbd" */
};

struct driver {
	const char *name;       /* nodes are called vtblk0, vtblk1, ... */
	const char *bus;        /* of nodes below such a bus only */
	const char *linux_name; /* what /sys calls it; NULL: name */
	size_t softc_size;
	const struct device_id *ids; /* NULL: match() alone decides */
	/*
	 * How well the driver fits: 0 not at all, the greatest wins.  NULL: by
	 * ids alone.  Asked only where ids fit; may read the device, not
	 * change it.  May sleep; there is no softc.
	 */
	int (*match)(struct device *dev);
	/* 0, or -errno with everything undone. */
	int (*attach)(struct device *dev);
	/*
	 * Shuts the door, stops DMA, waits for handlers, ends requests, takes
	 * names away, frees; accepts a half-built softc.  Cannot fail.
	 */
	void (*detach)(struct device *dev, enum detach_kind kind);
	/* Before the machine sleeps, and after: parents last, first.  NULL:
	 * nothing to do.  A suspend() that fails stops the machine's. */
	int (*suspend)(struct device *dev);
	int (*resume)(struct device *dev);
	/*
	 * Whether a number is still in somebody's hands from an earlier life
	 * (an open /dev/nvme0n1), so that no new node gets it.  Called with the
	 * tree's lock held: no calls of the tree.  NULL: never.
	 */
	bool (*unit_in_use)(unsigned unit);
};
#define DRIVER_MATCH       100 /* what an id alone is worth */
#define DRIVER_MATCH_CLASS 50  /* and one that names no device */

/* What the first fitting entry of a list is worth; 0: none fits. */
int device_id_match(const struct device_id *ids, const struct device_id *id);

/* What a driver that is a bus does for the nodes below it. */
struct bus_ops {
	const char *name; /* "pci"; struct driver's bus */
	/*
	 * Looks who has come (device_add) and who is gone (device_remove).
	 * The bus's turn is held; may sleep.  NULL: nothing ever comes.
	 */
	int (*rescan)(struct device *bus);
	/* The node's last reference is gone: frees its ivars.  Any context
	 * that may take spin locks; NULL: nothing to free. */
	void (*free)(void *ivars);
	/* Makes the device forget everything (FLR).  Its turn is held, no
	 * driver is attached.  NULL: -EOPNOTSUPP */
	int (*reset)(struct device *dev);
	/* What /sys calls a node of this bus; NULL: its address. */
	void (*sys_name)(const struct device *dev, char *buf, size_t size);
	/* Prints "KEY=value\n" lines for programs; NULL: none.  May sleep. */
	void (*uevent)(struct device *dev, struct sbuf *env);
};

/* What a bus knows of a device when it adds the node.  Strings are copied. */
struct device_spec {
	struct device_id id; /* text: must live as long as the node */
	const char *address; /* unique on the bus: "0000:00:04.0" */
	const char *where;   /* for the log: "dev 4 function 0"; NULL */
	const char *what;    /* for the log, where no driver fits; NULL */
	void *ivars;         /* the bus's own; freed by bus_ops.free */
};

/* ---- the tree ---- */

/*
 * Gives the table of all drivers, which ends with NULL, to the tree.  Boot
 * step; nodes that are there already are not offered.
 */
void device_set_drivers(const struct driver *const *table);

/* The root, always attached, a bus called "root".  No reference. */
struct device *device_root(void);

/*
 * Adds a node below `bus`, tells observers, finds a driver and attaches it.
 * That none fits, or that attach() fails, is no error of this call.  May
 * sleep.  With `out`, *out gets a reference.
 *   -ENODEV  the bus is on its way out, or has gone
 *   -EEXIST  a node with that address is there
 *   -ENOMEM  nothing was added; ivars still belong to the caller
 */
int device_add(struct device *bus, const struct device_spec *spec,
    struct device **out);

/*
 * Detaches and takes the node (and those below) out of the tree; returns when
 * it is done, whoever did it.  DETACH_GONE marks the whole branch at once.
 * May sleep.
 *   -ENODEV  somebody else had taken it away
 */
int device_remove(struct device *dev, enum detach_kind kind);

/*
 * Takes away all nodes below: for a bus whose attach() fails after it has added
 * some (detach() finds none any more).  The bus's turn is held.
 */
void device_remove_below(struct device *bus, enum detach_kind kind);

/*
 * The device has gone or broken, says its driver or bus.  Any context,
 * interrupts and the driver's own callbacks included.  Marks the branch,
 * wakes its sleepers, and has device_remove(dev, DETACH_GONE) done by the
 * tree's own thread.
 */
void device_report_gone(struct device *dev);

/* Finds a driver and attaches it: 0; -EBUSY has one; -ENXIO none fits;
 * -ENODEV gone or disabled; or what attach() said.  May sleep. */
int device_attach(struct device *dev);
/* The same with this driver only, which must fit (-ENXIO). */
int device_attach_to(struct device *dev, const struct driver *drv);
/* 0; -ENXIO no driver was attached; -ENODEV gone.  May sleep. */
int device_detach(struct device *dev);
/* Disabled nodes attach to nothing; disabling detaches.  May sleep. */
int device_enable(struct device *dev);
int device_disable(struct device *dev);
/*
 * From now on only the driver called `name`; NULL: any again.  An attached
 * driver is -EBUSY without `force`, else it is detached.  May sleep.
 *   -ENOENT  there is no such driver for this bus
 */
int device_set_driver(struct device *dev, const char *name, bool force);
/*
 * Any driver again, the best one from now on: the driver that was set is
 * detached (without `force`: -EBUSY).  May sleep.
 *   -ENXIO  none was set
 */
int device_clear_driver(struct device *dev, bool force);
/*
 * As device_set_driver(), but what is attached stays; "none": no driver at all.
 *   -ENOENT  as above, -ENODEV gone
 */
int device_override(struct device *dev, const char *name);
/* What was last asked for by either: a driver, none, or NULL: any. */
const struct driver *device_only(const struct device *dev);
extern const struct driver device_no_driver; /* called "none" */
/*
 * From now on the driver fits all devices with these numbers, too, whatever
 * its match() says; those without a driver are offered to it.  Kept for ever.
 * May sleep.
 *   -EEXIST  that is known, -ENOMEM
 */
int device_add_id(const struct driver *drv, const struct device_id *id);
/* Asks the bus to reset it; a driver is detached and attached again. */
int device_reset(struct device *dev);

/*
 * Looks for arrivals and departures below a bus, now.  May sleep.  Whoever asks
 * while a look goes on waits for one that begins after it, and several who do
 * share that one.
 *   -ENODEV      gone
 *   -EOPNOTSUPP  no bus, or one to which nothing comes
 */
int device_rescan(struct device *bus);
/* The same by the tree's own thread.  Any context. */
void device_rescan_soon(struct device *bus);
/*
 * Waits until the tree's thread has done all that it was asked for, at most
 * until deadline_ns: for what devices of the beginning bring along.
 *   -ETIMEDOUT
 */
int device_settle(int64_t deadline_ns);

/*
 * Calls fn(bus, arg) with the bus's turn held, so that no look at it is going
 * on: for taking away nodes in good order.  May sleep.
 *   -ENODEV  gone, or no bus any more; else what fn said
 */
int device_call_bus(struct device *bus,
    int (*fn)(struct device *bus, void *arg), void *arg);

/* All drivers, leaves first; undone when one refuses.  May sleep. */
int device_suspend_all(void);
void device_resume_all(void);

/*
 * Calls fn(dev, arg) with the node's turn held, so that neither its driver nor
 * its bus changes meanwhile; what fn says, or -ENODEV when it has gone.  May
 * sleep; fn makes no other call that takes a turn.
 */
int device_call(struct device *dev, int (*fn)(struct device *dev, void *arg),
    void *arg);

/* ---- one node ---- */

/* One more reference; returns dev. */
struct device *device_get(struct device *dev);
void device_put(struct device *dev); /* NULL is harmless */

/* What attach() of a bus calls before it adds nodes. */
void device_set_bus(struct device *dev, const struct bus_ops *ops);

void *device_softc(const struct device *dev);           /* NULL: no driver */
void *device_ivars(const struct device *dev);           /* device_spec's */
struct device *device_parent(const struct device *dev); /* root: NULL */
const struct bus_ops *device_bus_ops(const struct device *dev);
/* The bus that it is on, for ever; the root: NULL. */
const struct bus_ops *device_bus(const struct device *dev);
/* Its own for ever, above 0; class devices (classdev.h) share the count. */
uint64_t device_serial(const struct device *dev);
uint64_t device_serial_next(void);
const struct device_id *device_id(const struct device *dev);
enum device_state device_state(const struct device *dev);
const struct driver *device_driver(const struct device *dev);
const char *device_address(const struct device *dev);
/*
 * "vtblk0" while a driver is attached (or attaching), the address otherwise.
 * Stable for the driver; others copy it with device_copy_name().
 */
const char *device_name(const struct device *dev);
void device_copy_name(const struct device *dev, char *buf, size_t size);
int device_unit(const struct device *dev);     /* -1: no driver */
bool device_is_gone(const struct device *dev); /* marked; never back */
bool device_is_disabled(const struct device *dev);
struct waitq *device_waitq(struct device *dev);

/*
 * The device's one line: "vtblk0 at virtio0: " and what the driver says here.
 * Called once by attach(), a bus before it adds nodes; a driver that did not
 * gets a line without the end.
 */
void
device_announce(struct device *dev, const char *fmt, ...) __printflike(2, 3);

/* ---- looking ---- */

/* By name ("vtblk0") or address; a reference, or NULL. */
struct device *device_find(const char *name);
struct device *device_find_serial(uint64_t serial);
/*
 * The node directly below `dev` with the lowest serial above `after`; a
 * reference, or NULL.
 */
struct device *device_child_after(struct device *dev, uint64_t after);
/*
 * Calls fn for the nodes that are there now, parents before children, `depth`
 * 1 below the root; each is referenced, no lock held.  Ends when fn is false.
 *   -ENOMEM
 */
int device_foreach(bool (*fn)(struct device *dev, unsigned depth, void *arg),
    void *arg);

/* ---- observers ---- */

enum device_event {
	DEVICE_EVENT_ADD,    /* in the tree */
	DEVICE_EVENT_BIND,   /* attach() returned 0 */
	DEVICE_EVENT_UNBIND, /* detach() has returned */
	DEVICE_EVENT_REMOVE, /* out of the tree */
};

/*
 * An upper floor that wants to know (uevents, /sys).  Events of one node come
 * one after the other, each BIND before its UNBIND, with the node's turn held:
 * no tree call on that node from here but to read it.  May sleep.  `name` is
 * the one that it has (BIND) or had (UNBIND).  Registered at boot, for ever.
 */
struct device_observer {
	void (*event)(struct device *dev, enum device_event what,
	    const char *name);
	struct device_observer *next; /* the tree's */
};
void device_observe(struct device_observer *obs);

#endif
