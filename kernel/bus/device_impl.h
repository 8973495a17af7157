/* SPDX-License-Identifier: ISC */
/*
 * device_impl.h - what the files of the device tree tell each other.
 *
 * device.c: nodes, references, names.  device_life.c: turns and all changes
 * of state.  device_work.c: the tree's thread, whole-tree walks.
 */
#ifndef BUS_DEVICE_IMPL_H
#define BUS_DEVICE_IMPL_H

#include "bus/device.h"
#include "kern/spinlock.h"
#include "kern/waitq.h"
#include <bsd/sys/queue.h>

#define DEVICE_NAME 24

TAILQ_HEAD(device_list, device);

struct device {        /* I: constant; t: tree's lock; o: by who has the turn */
	uint32_t refs; /* atomic; the tree holds one */
	struct device *parent;         /* [I] a reference; NULL: the root */
	struct device_list children;   /* [t] */
	TAILQ_ENTRY(device) link;      /* [t] */
	enum device_state state;       /* [t] written with the turn held */
	bool turn;                     /* [t] somebody has it */
	bool leaving;                  /* [t] will be removed; for ever */
	bool gone;                     /* [t] marked; for ever; read without */
	bool disabled;                 /* [t] */
	bool announced, suspended;     /* [o] */
	uint32_t looks;                /* [o] begun, of a bus; read without */
	int look_error;                /* [o] of the last one */
	bool work_remove, work_rescan; /* [t] wanted of the tree's thread */
	bool work_queued;              /* [t] on its list, with a reference */
	TAILQ_ENTRY(device) work_link; /* [t] */
	const struct driver *only;     /* [o] device_set_driver() */
	const struct driver *driver;   /* [t] */
	void *softc;                   /* [t] */
	int unit;                      /* [t] */
	char name[DEVICE_NAME];        /* [t] while there is a driver */
	const struct bus_ops *ops;     /* [t] of a bus */
	struct device_id id;           /* [I] */
	uint64_t serial;               /* [I] */
	void *ivars;                   /* [I] */
	const struct bus_ops *bus;     /* [I] that it is on; NULL: on none */
	char *address, *where, *what;  /* [I] inside this allocation */
	struct waitq wq;               /* turns, marks, the driver's own */
};

struct tree {
	struct spinlock lock;
	const struct driver *const *drivers; /* set once, at boot */
	struct device_observer *observers;   /* only ever grows */
	struct device_list work;             /* [t] */
	struct waitq work_wq;
	struct waitq settle_wq;
	bool working;  /* [t] the thread is at something */
	bool worker;   /* [t] the thread is there, or being made */
	unsigned live; /* nodes and references left; atomic, for tests */
};

/* The one tree, and its root. */
extern struct tree device_tree;
extern struct device device_the_root;

static inline uint64_t
tree_lock(void)
{
	return spin_lock_irq(&device_tree.lock);
}

static inline void
tree_unlock(uint64_t state)
{
	spin_unlock_irq(&device_tree.lock, state);
}

/* A node that is not in the tree yet, with one reference; NULL: no memory. */
struct device *device_new(struct device *bus, const struct device_spec *spec);
/* The node after dev in a walk, parents first, of what is below top. */
struct device *device_next_locked(struct device *dev, struct device *top);
/* Marks the branch as gone and wakes whoever sleeps there. */
void device_mark_locked(struct device *top);
/* Tells the observers; the node's turn is held. */
void device_tell(struct device *dev, enum device_event what);
/* Puts "driverN" in dev->name, N free among all nodes. */
void device_name_locked(struct device *dev, const struct driver *drv);
/* The driver that fits best, or NULL.  Turn held. */
const struct driver *device_choose(struct device *dev);
/* Whether it may have that driver: it fits, or it was asked for.  Turn held. */
bool device_fits(struct device *dev, const struct driver *drv);
/* By name, for the bus that dev is on. */
const struct driver *device_driver_named(struct device *dev, const char *name);

/* Waits for the node's turn and takes it; gives it back. */
void device_turn(struct device *dev);
void device_turn_end(struct device *dev);

/* Makes sure that the tree's thread is there; -ENOMEM. */
int device_worker_need(void);

#endif
