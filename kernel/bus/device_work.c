/* SPDX-License-Identifier: ISC */
/*
 * device_work.c - the device tree: its own thread, which does what interrupt
 * handlers and drivers ask for, and walks over the whole tree.
 */
#include "bus/device_impl.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/thread.h"
#include <linux/errno.h>

/* ---- the tree's thread ---- */

static void
work_add_locked(struct device *dev)
{
	if (dev->work_queued)
		return;
	dev->work_queued = true;
	device_get(dev);
	TAILQ_INSERT_TAIL(&device_tree.work, dev, work_link);
	waitq_wake_all(&device_tree.work_wq);
}

void
device_report_gone(struct device *top)
{
	uint64_t state = tree_lock();

	if (top->state != DEVICE_GONE && !top->work_remove) {
		device_mark_locked(top);
		top->work_remove = true;
		work_add_locked(top);
	}
	tree_unlock(state);
}

void
device_rescan_soon(struct device *bus)
{
	uint64_t state = tree_lock();

	if (bus->state != DEVICE_GONE) {
		bus->work_rescan = true;
		work_add_locked(bus);
	}
	tree_unlock(state);
}

static struct device *
work_take(bool *remove, bool *rescan)
{
	uint64_t state = tree_lock();
	struct device *dev = TAILQ_FIRST(&device_tree.work);

	if (dev != NULL) {
		TAILQ_REMOVE(&device_tree.work, dev, work_link);
		dev->work_queued = false;
		*remove = dev->work_remove;
		*rescan = dev->work_rescan;
		dev->work_rescan = false;
	}
	device_tree.working = dev != NULL;
	tree_unlock(state);
	if (dev == NULL)
		waitq_wake_all(&device_tree.settle_wq);
	return dev;
}

static bool
is_settled(void)
{
	uint64_t state = tree_lock();
	bool settled = TAILQ_EMPTY(&device_tree.work) && !device_tree.working;

	tree_unlock(state);
	return settled;
}

int
device_settle(int64_t deadline_ns)
{
	return wait_event_kind(&device_tree.settle_wq, is_settled(),
	    WAIT_UNINTERRUPTIBLE, deadline_ns);
}

static void
work(void *arg)
{
	struct device *dev;
	bool remove = false, rescan = false;
	int error;

	(void)arg;
	for (;;) {
		wait_event(&device_tree.work_wq,
		    (dev = work_take(&remove, &rescan)) != NULL);
		if (remove) {
			device_remove(dev, DETACH_GONE);
		} else if (rescan) {
			error = device_rescan(dev);
			if (error != 0 && error != -ENODEV)
				log_warn("%s: rescan: error %d",
				    device_address(dev), -error);
		}
		device_put(dev);
	}
}

/* The thread is made with the first node: a tree without any costs nothing. */
int
device_worker_need(void)
{
	uint64_t state = tree_lock();
	bool there = device_tree.worker;
	struct thread *t;
	int error = 0;

	device_tree.worker = true;
	tree_unlock(state);
	if (there)
		return 0;
	error = thread_create("devices", work, NULL, &t);
	if (error == 0) {
		thread_start(t);
		return 0;
	}
	state = tree_lock();
	device_tree.worker = false;
	tree_unlock(state);
	return error;
}

/* ---- the whole tree ---- */

struct snapshot {
	struct device **dev; /* each referenced; parents first */
	unsigned n;
};

static unsigned
count_locked(void)
{
	struct device *top = &device_the_root, *dev = top;
	unsigned n = 0;

	while ((dev = device_next_locked(dev, top)) != NULL)
		n++;
	return n;
}

static bool
snapshot_fill(struct snapshot *snap, unsigned room)
{
	uint64_t state = tree_lock();
	struct device *top = &device_the_root, *dev = top;
	bool fits = count_locked() <= room;

	while (fits && (dev = device_next_locked(dev, top)) != NULL)
		snap->dev[snap->n++] = device_get(dev);
	tree_unlock(state);
	return fits;
}

static int
snapshot_take(struct snapshot *snap)
{
	uint64_t state;
	unsigned room;

	for (;;) {
		state = tree_lock();
		room = count_locked();
		tree_unlock(state);
		snap->n = 0;
		snap->dev = kcalloc(MAX(room, 1), sizeof(snap->dev[0]));
		if (snap->dev == NULL)
			return -ENOMEM;
		if (snapshot_fill(snap, room))
			return 0;
		kfree(snap->dev);
	}
}

static void
snapshot_end(struct snapshot *snap)
{
	while (snap->n > 0)
		device_put(snap->dev[--snap->n]);
	kfree(snap->dev);
}

static unsigned
depth_of(const struct device *dev)
{
	unsigned n = 0;

	for (; dev->parent != NULL; dev = dev->parent)
		n++;
	return n;
}

int
device_foreach(bool (*fn)(struct device *dev, unsigned depth, void *arg),
    void *arg)
{
	struct snapshot snap;
	unsigned i;
	int error = snapshot_take(&snap);

	if (error != 0)
		return error;
	for (i = 0; i < snap.n; i++)
		if (!fn(snap.dev[i], depth_of(snap.dev[i]), arg))
			break;
	snapshot_end(&snap);
	return 0;
}

/* ---- sleep and waking ---- */

static int
suspend_one(struct device *dev)
{
	int error = 0;

	device_turn(dev);
	if (dev->state == DEVICE_ATTACHED && !dev->suspended) {
		if (dev->driver->suspend != NULL)
			error = dev->driver->suspend(dev);
		dev->suspended = error == 0;
	}
	device_turn_end(dev);
	return error;
}

static void
resume_one(struct device *dev)
{
	int error = 0;

	device_turn(dev);
	if (dev->state == DEVICE_ATTACHED && dev->suspended) {
		dev->suspended = false;
		if (dev->driver->resume != NULL)
			error = dev->driver->resume(dev);
	}
	if (error != 0) {
		log_warn("%s: did not wake up, error %d", dev->name, -error);
		device_report_gone(dev);
	}
	device_turn_end(dev);
}

int
device_suspend_all(void)
{
	struct snapshot snap;
	unsigned i;
	int error = snapshot_take(&snap);

	if (error != 0)
		return error;
	for (i = snap.n; i > 0 && error == 0; i--)
		error = suspend_one(snap.dev[i - 1]);
	for (; error != 0 && i < snap.n; i++)
		resume_one(snap.dev[i]);
	snapshot_end(&snap);
	return error;
}

static bool
resume_each(struct device *dev, unsigned depth, void *arg)
{
	(void)depth;
	(void)arg;
	resume_one(dev);
	return true;
}

void
device_resume_all(void)
{
	if (device_foreach(resume_each, NULL) != 0)
		log_warn("devices: out of memory, not woken up");
}
