/* SPDX-License-Identifier: ISC */
/*
 * nvme_user.c - what programs may ask of a controller, and the numbers by
 * which they know it.
 */
#include "dev/nvme/nvme_user.h"
#include "bus/device.h"
#include "bus/gate.h"
#include "dev/nvme/nvme.h"
#include "kern/bootargs.h"
#include "kern/cmdline.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

struct nvme_handle {
	struct nvme_ctrl *ctrl; /* [I] while inside the gate */
	struct gate gate;
	uint32_t refs;           /* atomic */
	unsigned unit;           /* [I] */
	void *upper;             /* the floor above's */
	struct classdev *parent; /* of disks, or NULL */
};

static const struct nvme_upper *upper;

void
nvme_set_upper(const struct nvme_upper *u)
{
	upper = u;
}

/* ---- numbers ---- */

/* Above, numbers are used again at once. */
#define UNITS 256
static uint32_t in_use[UNITS]; /* atomic */

bool
nvme_unit_in_use(unsigned unit)
{
	return unit < UNITS &&
	    __atomic_load_n(&in_use[unit], __ATOMIC_ACQUIRE) != 0;
}

void
nvme_unit_get(unsigned unit)
{
	if (unit < UNITS)
		__atomic_add_fetch(&in_use[unit], 1, __ATOMIC_RELAXED);
}

void
nvme_unit_put(void *unit)
{
	if ((uintptr_t)unit < UNITS)
		__atomic_sub_fetch(&in_use[(uintptr_t)unit], 1,
		    __ATOMIC_RELEASE);
}

/* ---- handles ---- */

void
nvme_handle_get(struct nvme_handle *h)
{
	__atomic_add_fetch(&h->refs, 1, __ATOMIC_RELAXED);
}

void
nvme_handle_put(struct nvme_handle *h)
{
	if (h == NULL || __atomic_sub_fetch(&h->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	nvme_unit_put((void *)(uintptr_t)h->unit);
	kfree(h);
}

unsigned
nvme_handle_unit(const struct nvme_handle *h)
{
	return h->unit;
}

void **
nvme_handle_upper(struct nvme_handle *h)
{
	return &h->upper;
}

void
nvme_handle_set_parent(struct nvme_handle *h, struct classdev *cd)
{
	h->parent = cd;
}

struct classdev *
nvme_user_parent(const struct nvme_ctrl *c)
{
	return c->handle->parent;
}

int
nvme_user_arrive(struct nvme_ctrl *c)
{
	struct nvme_handle *h = kzalloc(sizeof(*h));
	int error = 0;

	if (h == NULL)
		return -ENOMEM;
	h->ctrl = c;
	h->unit = c->unit;
	h->refs = 1;
	gate_init(&h->gate);
	nvme_unit_get(c->unit);
	c->handle = h;
	if (upper != NULL)
		error = upper->arrived(h, c->dev);
	if (error != 0) {
		gate_shut(&h->gate);
		nvme_handle_put(h);
		c->handle = NULL;
	}
	return error;
}

void
nvme_user_depart(struct nvme_ctrl *c)
{
	struct nvme_handle *h = c->handle;

	if (h == NULL)
		return;
	gate_shut(&h->gate);
	if (upper != NULL)
		upper->departed(h);
	c->handle = NULL;
	nvme_handle_put(h);
}

static void
copy_identity(struct nvme_ctrl *c, struct nvme_info *info)
{
	uint64_t state = spin_lock_irq(&c->lock);

	memcpy(info->model, c->id.model, sizeof(info->model));
	memcpy(info->serial, c->id.serial, sizeof(info->serial));
	memcpy(info->firmware, c->id.firmware, sizeof(info->firmware));
	memcpy(info->subnqn, c->id.subnqn, sizeof(info->subnqn));
	info->cntlid = c->id.cntlid;
	info->cntrltype = c->id.cntrltype;
	spin_unlock_irq(&c->lock, state);
}

int
nvme_handle_info(struct nvme_handle *h, struct nvme_info *info)
{
	struct nvme_ctrl *c = h->ctrl;

	memset(info, 0, sizeof(*info));
	if (!gate_enter(&h->gate))
		return -ENODEV;
	strlcpy(info->address, device_address(c->dev), sizeof(info->address));
	info->state = nvme_state_name(nvme_state(c));
	info->identified = __atomic_load_n(&c->identified, __ATOMIC_ACQUIRE);
	if (info->identified) {
		copy_identity(c, info);
		info->queues = __atomic_load_n(&c->nlive, __ATOMIC_ACQUIRE) + 1;
		info->queue_entries = MIN(c->cap.entries, NVME_IO_SIZE);
	}
	gate_exit(&h->gate);
	return 0;
}

/* ---- commands ---- */

static bool
allowed(const char *word)
{
	const char *line = boot_cmdline();
	char value[32];
	int n;

	while ((n = cmdline_next_value(&line, "nvme.allow", value,
		    sizeof(value))) != -ENOENT)
		if (n > 0 && strcmp(value, word) == 0)
			return true;
	return false;
}

/* Queues, events and identifiers are ours; contents are their owner's. */
static int
may(const struct nvme_sqe *sqe, bool io)
{
	if (io)
		return 0;
	switch (sqe->opcode) {
	case NVME_ADMIN_DELETE_SQ:
	case NVME_ADMIN_CREATE_SQ:
	case NVME_ADMIN_DELETE_CQ:
	case NVME_ADMIN_CREATE_CQ:
	case NVME_ADMIN_ASYNC_EVENT:
	case NVME_ADMIN_DOORBELL_BUFFER: return -EPERM;
	case NVME_ADMIN_SET_FEATURES:
		return (sqe->cdw10 & 0xff) == NVME_FEAT_QUEUES ? -EPERM : 0;
	case NVME_ADMIN_FORMAT:
	case NVME_ADMIN_SANITIZE: return allowed("format") ? 0 : -EPERM;
	default: return 0;
	}
}

/* Between two lives of the controller programs wait. */
static bool
await_live(struct nvme_ctrl *c)
{
	wait_event(nvme_waitq(c),
	    nvme_should_stop(c) ||
		(nvme_state(c) == NVME_LIVE &&
		    !__atomic_load_n(&c->want_reset, __ATOMIC_ACQUIRE)));
	return !nvme_should_stop(c);
}

static int
run(struct nvme_ctrl *c, bool io, struct nvme_passthru *p)
{
	struct nvme_command cmd = { .sqe = p->sqe,
		.data = p->buf,
		.len = p->len,
		.in = p->in,
		.out = p->out };
	int error;

	cmd.timeout_ns = p->timeout_ms == 0 ? NVME_ADMIN_NS :
					      p->timeout_ms * 1000000ll;
	if (!await_live(c))
		return -ENODEV;
	error = nvme_command(io ? &c->ioq[0] : &c->admin, &cmd);
	p->result = cmd.result;
	if (error == -ECANCELED)
		return -EINTR;
	return error != 0 ? error : cmd.status & 0x7fff;
}

int
nvme_handle_command(struct nvme_handle *h, bool io, struct nvme_passthru *p)
{
	int error = may(&p->sqe, io);

	if (error != 0)
		return error;
	if (!gate_enter(&h->gate))
		return -ENODEV;
	error = run(h->ctrl, io, p);
	gate_exit(&h->gate);
	return error;
}

static int
reset_and_wait(struct nvme_ctrl *c, bool subsystem)
{
	if (subsystem && !c->cap.subsystem_reset)
		return -ENOTTY;
	if (!await_live(c))
		return -ENODEV;
	if (subsystem)
		__atomic_store_n(&c->want_subsystem, true, __ATOMIC_RELEASE);
	nvme_want_reset(c);
	return await_live(c) ? 0 : -ENODEV;
}

int
nvme_handle_reset(struct nvme_handle *h, bool subsystem)
{
	int error;

	if (!gate_enter(&h->gate))
		return -ENODEV;
	error = reset_and_wait(h->ctrl, subsystem);
	gate_exit(&h->gate);
	return error;
}

int
nvme_handle_rescan(struct nvme_handle *h)
{
	if (!gate_enter(&h->gate))
		return -ENODEV;
	__atomic_store_n(&h->ctrl->want_scan, true, __ATOMIC_RELEASE);
	nvme_wake(h->ctrl);
	gate_exit(&h->gate);
	return 0;
}

long
nvme_user_disk_ioctl(void *arg, unsigned cmd, uint64_t uaddr)
{
	struct nvme_ns *ns = arg;

	if (upper == NULL || upper->disk_ioctl == NULL)
		return -ENOTTY;
	return upper->disk_ioctl(ns->ctrl->handle, ns->nsid, cmd, uaddr);
}
