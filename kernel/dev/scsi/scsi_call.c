/* SPDX-License-Identifier: ISC */
/*
 * scsi_call.c - one SCSI command for a thread that waits for its answer.
 *
 * The command and its data live until both the thread and the transport have
 * done with them: a thread that waits for a device which has gone leaves.
 */
#include "dev/scsi/scsi.h"

#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

#define CALL_TRIES     8
#define CALL_TIMEOUT_S 20
#define CALL_PAUSE_NS  (200 * 1000000ll)

struct scsi_exec {
	struct scsi_cmd cmd;
	uint32_t refs;      /* [a] the thread's, the transport's */
	uint32_t finished;  /* [a] */
	struct device *dev; /* referenced; who waits, waits for it, too */
	uint8_t data[];
};

static void
exec_put(struct scsi_exec *e)
{
	if (e == NULL || __atomic_sub_fetch(&e->refs, 1, __ATOMIC_ACQ_REL) != 0)
		return;
	device_put(e->dev);
	kfree(e);
}

static void
exec_done(struct scsi_cmd *cmd)
{
	struct scsi_exec *e = container_of(cmd, struct scsi_exec, cmd);

	__atomic_store_n(&e->finished, 1, __ATOMIC_RELEASE);
	waitq_wake_all(device_waitq(e->dev));
	exec_put(e);
}

static struct scsi_exec *
exec_make(struct device *dev, unsigned target, uint32_t lun,
    const struct scsi_call *call)
{
	struct scsi_exec *e = kzalloc(sizeof(*e) + call->len);

	if (e == NULL)
		return NULL;
	e->refs = 1;
	e->dev = device_get(dev);
	e->cmd.target = target;
	e->cmd.lun = lun;
	memcpy(e->cmd.cdb, call->cdb, sizeof(e->cmd.cdb));
	e->cmd.dir = call->len != 0 ? call->dir : 0;
	e->cmd.buf = e->data;
	e->cmd.len = call->len;
	e->cmd.timeout_s = CALL_TIMEOUT_S;
	e->cmd.done = exec_done;
	return e;
}

/* Sleeps for a while, or until the device goes. */
static int
pause_for(struct device *dev)
{
	int error = wait_event_kind(device_waitq(dev), device_is_gone(dev),
	    WAIT_UNINTERRUPTIBLE, clock_mono_ns() + CALL_PAUSE_NS);

	return error == -ETIMEDOUT ? 0 : -ENODEV;
}

/* Once: 0 when there is an answer. */
static int
exec_once(struct scsi_host *h, struct scsi_exec *e)
{
	int error;

	__atomic_add_fetch(&e->refs, 1, __ATOMIC_RELAXED);
	error = h->ops->submit(h->arg, &e->cmd);
	if (error != 0) {
		exec_put(e);
		return error;
	}
	wait_event(device_waitq(e->dev),
	    __atomic_load_n(&e->finished, __ATOMIC_ACQUIRE) != 0 ||
		device_is_gone(e->dev));
	if (__atomic_load_n(&e->finished, __ATOMIC_ACQUIRE) == 0)
		return -ENODEV;
	return e->cmd.error;
}

/* What to make of it; *error is the call's, if that is the end. */
static enum scsi_verdict
judge(const struct scsi_exec *e, struct scsi_call *call, int *error)
{
	switch (*error) {
	case 0: break;
	case -EAGAIN:
	case -EBUSY:
	case -ETIMEDOUT: return SCSI_LATER;
	default: return SCSI_FAILED;
	}
	return scsi_judge(e->cmd.status, e->cmd.sense, e->cmd.nsense,
	    &call->sense, error);
}

int
scsi_call(struct scsi_host *h, struct device *dev, unsigned target,
    uint32_t lun, struct scsi_call *call)
{
	enum scsi_verdict verdict = SCSI_AGAIN;
	unsigned tries;
	int error = -EIO;

	for (tries = 0; tries < CALL_TRIES; tries++) {
		if (verdict == SCSI_LATER && pause_for(dev) != 0)
			return -ENODEV;
		scsi_call_end(call);
		call->exec = exec_make(dev, target, lun, call);
		if (call->exec == NULL)
			return -ENOMEM;
		error = exec_once(h, call->exec);
		if (error == -ENODEV)
			return error;
		verdict = judge(call->exec, call, &error);
		if (verdict == SCSI_FAILED)
			return error;
		if (verdict == SCSI_DONE) {
			call->data = call->exec->data;
			call->moved = call->exec->cmd.moved;
			return 0;
		}
	}
	return error != 0 ? error : -EIO;
}

void
scsi_call_end(struct scsi_call *call)
{
	exec_put(call->exec);
	call->exec = NULL;
	call->data = NULL;
	call->moved = 0;
}
