/* SPDX-License-Identifier: ISC */
/*
 * scsi_host.c - the logical units behind a transport: who is there, and who is
 * told of what.  SPC-4, 6.4 INQUIRY, 6.33 REPORT LUNS.
 *
 * All targets are asked at once whether they are there (most are not), then
 * those that are for their units, one after the other.
 */
#include "dev/scsi/scsi.h"

#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define TARGETS_MAX 256u
#define LUNS_MAX    256u /* of one target */
#define LUNS_LEN    (8 + 8 * LUNS_MAX)
#define INQUIRY_LEN 96
#define KNOCKS      32u
#define KNOCK_S     10

void
scsi_host_init(struct scsi_host *h)
{
	spin_init(&h->lock);
	TAILQ_INIT(&h->luns);
}

void
scsi_lun_free(void *ivars)
{
	kfree(ivars);
}

/* ------------------------------------------------------------ knocking -- */

struct knock {
	struct scsi_cmd cmd;
	struct scsi_knocks *all;
};

/* Freed by who leaves last: the thread, or a command that was late. */
struct scsi_knocks {
	uint32_t refs;    /* [a] */
	uint32_t waiting; /* [a] commands without an answer */
	struct device *dev;
	struct knock knock[KNOCKS];
};

static void
knocks_put(struct scsi_knocks *k)
{
	if (__atomic_sub_fetch(&k->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	device_put(k->dev);
	kfree(k);
}

static void
knock_done(struct scsi_cmd *cmd)
{
	struct scsi_knocks *k = container_of(cmd, struct knock, cmd)->all;

	if (__atomic_sub_fetch(&k->waiting, 1, __ATOMIC_ACQ_REL) == 0)
		waitq_wake_all(device_waitq(k->dev));
	knocks_put(k);
}

static void
knock_at(struct scsi_host *h, struct scsi_knocks *k, unsigned i,
    unsigned target)
{
	struct scsi_cmd *cmd = &k->knock[i].cmd;

	k->knock[i].all = k;
	cmd->target = target;
	cmd->timeout_s = KNOCK_S;
	cmd->done = knock_done;
	__atomic_add_fetch(&k->refs, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&k->waiting, 1, __ATOMIC_RELAXED);
	cmd->error = h->ops->submit(h->arg, cmd);
	if (cmd->error != 0)
		knock_done(cmd);
}

/* Which of targets [first, first + KNOCKS) are there?  -ENODEV, -ENOMEM */
static int
knock(struct scsi_host *h, unsigned first, unsigned n, bool *there)
{
	struct scsi_knocks *k = kzalloc(sizeof(*k));
	unsigned i;
	int error = 0;

	if (k == NULL)
		return -ENOMEM;
	k->refs = 1;
	k->waiting = 1;
	k->dev = device_get(h->dev);
	for (i = 0; i < n; i++)
		knock_at(h, k, i, first + i);
	__atomic_sub_fetch(&k->waiting, 1, __ATOMIC_ACQ_REL);
	wait_event(device_waitq(h->dev),
	    __atomic_load_n(&k->waiting, __ATOMIC_ACQUIRE) == 0 ||
		device_is_gone(h->dev));
	if (device_is_gone(h->dev))
		error = -ENODEV;
	for (i = 0; i < n && error == 0; i++)
		there[first + i] = k->knock[i].cmd.error != -ENXIO;
	knocks_put(k);
	return error;
}

/* --------------------------------------------------------------- units -- */

static struct scsi_lun *
find(struct scsi_host *h, unsigned target, uint32_t lun)
{
	struct scsi_lun *l;

	TAILQ_FOREACH (l, &h->luns, link) {
		if (l->target == target && l->lun == lun)
			return l;
	}
	return NULL;
}

/* Out of the list, which had a reference to its node. */
static void
forget(struct scsi_host *h, struct scsi_lun *l)
{
	uint64_t state = spin_lock_irq(&h->lock);

	TAILQ_REMOVE(&h->luns, l, link);
	spin_unlock_irq(&h->lock, state);
	device_put(l->dev);
}

static int
add_node(struct scsi_host *h, struct scsi_lun *l)
{
	char address[48], where[32];
	struct device_spec spec = { .address = address,
		.where = where,
		.what = l->inquiry.product,
		.ivars = l };
	uint64_t state;
	int error;

	spec.id.device = l->inquiry.type;
	spec.id.text = l->inquiry.type == SCSI_TYPE_DISK ? "disk" : "other";
	snprintf(address, sizeof(address), "%s:0:%u:%u", device_name(h->dev),
	    l->target, l->lun);
	snprintf(where, sizeof(where), "target %u lun %u", l->target, l->lun);
	gate_init(&l->gate);
	gate_close(&l->gate);
	error = device_add(h->dev, &spec, &l->dev);
	if (error != 0)
		return error;
	state = spin_lock_irq(&h->lock);
	TAILQ_INSERT_TAIL(&h->luns, l, link);
	spin_unlock_irq(&h->lock, state);
	return 0;
}

/* -ENOENT: there is no unit behind that number. */
static int
inquire(struct scsi_host *h, unsigned target, uint32_t lun,
    struct scsi_inquiry *inquiry)
{
	struct scsi_call call = { .dir = DMA_FROM_DEVICE, .len = INQUIRY_LEN };
	int error;

	scsi_cdb_inquiry(call.cdb, -1, INQUIRY_LEN);
	error = scsi_call(h, h->dev, target, lun, &call);
	if (error == 0)
		error = scsi_inquiry_parse(call.data, call.moved, inquiry);
	scsi_call_end(&call);
	if (error == 0 && (inquiry->qualifier != 0 || inquiry->type == 0x1f))
		error = -ENOENT;
	return error;
}

static int
add_lun(struct scsi_host *h, unsigned target, uint32_t lun)
{
	struct scsi_lun *l = kzalloc(sizeof(*l));
	int error;

	if (l == NULL)
		return -ENOMEM;
	l->host = h;
	l->target = target;
	l->lun = lun;
	l->seen = true;
	error = inquire(h, target, lun, &l->inquiry);
	if (error == 0)
		error = add_node(h, l);
	if (error != 0)
		kfree(l);
	return error == -ENODEV || error == -ENOMEM ? error : 0;
}

/* A unit that is listed: a new one, or one that may have changed. */
static int
look_at(struct scsi_host *h, unsigned target, uint32_t lun)
{
	struct scsi_lun *l = find(h, target, lun);

	/* Taken away by somebody else, or about to be. */
	if (l != NULL &&
	    (device_is_gone(l->dev) || device_state(l->dev) == DEVICE_GONE)) {
		(void)device_remove(l->dev, DETACH_GONE);
		forget(h, l);
		l = NULL;
	}
	if (l == NULL)
		return add_lun(h, target, lun);
	l->seen = true;
	if (gate_enter(&l->gate)) {
		l->changed(l->arg);
		gate_exit(&l->gate);
	}
	return 0;
}

/* A target that does not know the command has unit 0. */
static int
scan_target(struct scsi_host *h, unsigned target)
{
	struct scsi_call call = { .dir = DMA_FROM_DEVICE, .len = LUNS_LEN };
	uint32_t *luns = kcalloc(LUNS_MAX, sizeof(*luns));
	unsigned i, n = 0;
	int error;

	if (luns == NULL)
		return -ENOMEM;
	scsi_cdb_report_luns(call.cdb, LUNS_LEN);
	error = scsi_call(h, h->dev, target, 0, &call);
	if (error == 0)
		error = scsi_luns_parse(call.data, call.moved, luns, LUNS_MAX,
		    &n);
	if (error != 0 && error != -ENODEV && error != -ENXIO) {
		luns[0] = 0;
		n = 1;
		error = 0;
	}
	for (i = 0; i < n && error == 0; i++)
		error = look_at(h, target, luns[i]);
	scsi_call_end(&call);
	kfree(luns);
	return error == -ENXIO ? 0 : error;
}

/* The first that the scan did not see; NULL: it saw all. */
static struct scsi_lun *
unseen(struct scsi_host *h)
{
	struct scsi_lun *l;

	TAILQ_FOREACH (l, &h->luns, link) {
		if (!l->seen)
			return l;
	}
	return NULL;
}

int
scsi_host_rescan(struct scsi_host *h)
{
	bool there[TARGETS_MAX] = { false };
	unsigned t, n = MIN(h->ntargets, TARGETS_MAX);
	struct scsi_lun *l;
	int error = 0;

	TAILQ_FOREACH (l, &h->luns, link)
		l->seen = false;
	for (t = 0; t < n && error == 0; t += KNOCKS)
		error = knock(h, t, MIN(KNOCKS, n - t), there);
	for (t = 0; t < n && error == 0; t++)
		if (there[t])
			error = scan_target(h, t);
	while (error == 0 && (l = unseen(h)) != NULL) {
		(void)device_remove(l->dev, DETACH_GONE);
		forget(h, l);
	}
	return error;
}

void
scsi_host_fini(struct scsi_host *h)
{
	struct scsi_lun *l;

	while ((l = TAILQ_FIRST(&h->luns)) != NULL)
		forget(h, l);
}

/* ------------------------------------------------------ their drivers -- */

void
scsi_lun_listen(struct scsi_lun *l, void (*changed)(void *arg),
    void (*room)(void *arg), void *arg)
{
	l->changed = changed;
	l->room = room;
	l->arg = arg;
	gate_reopen(&l->gate);
}

void
scsi_lun_deafen(struct scsi_lun *l)
{
	gate_shut(&l->gate);
}

int
scsi_lun_submit(struct scsi_lun *l, struct scsi_cmd *cmd)
{
	int error;

	cmd->target = l->target;
	cmd->lun = l->lun;
	__atomic_store_n(&l->starved, 1, __ATOMIC_SEQ_CST);
	error = l->host->ops->submit(l->host->arg, cmd);
	if (error != -EAGAIN)
		__atomic_store_n(&l->starved, 0, __ATOMIC_SEQ_CST);
	return error;
}

/* One that waits for room, inside its gate; NULL: none was left out. */
static struct scsi_lun *
take_starved(struct scsi_host *h, uint32_t round)
{
	uint64_t state = spin_lock_irq(&h->lock);
	struct scsi_lun *l;

	TAILQ_FOREACH (l, &h->luns, link) {
		if (l->round == round)
			continue;
		l->round = round;
		if (__atomic_exchange_n(&l->starved, 0, __ATOMIC_SEQ_CST) !=
			0 &&
		    gate_enter(&l->gate))
			break;
	}
	spin_unlock_irq(&h->lock, state);
	return l;
}

void
scsi_host_room(struct scsi_host *h)
{
	uint64_t state = spin_lock_irq(&h->lock);
	uint32_t round = ++h->round;
	struct scsi_lun *l;

	spin_unlock_irq(&h->lock, state);
	while ((l = take_starved(h, round)) != NULL) {
		l->room(l->arg);
		gate_exit(&l->gate);
	}
}
