/* SPDX-License-Identifier: ISC */
/*
 * nvme_io.c - disk requests as commands, and answers as their ends.  NVMe 1.4,
 * 6.
 *
 * A request goes to the queue of the processor that it comes from.  What the
 * controller refuses without saying "do not retry", and what a reset took from
 * it, is kept at its namespace and begun again by the controller's thread.
 */
#include "dev/nvme/nvme.h"
#include "x86/cpu.h"
#include <linux/errno.h>

/* ---- to the controller ---- */

static bool
supported(const struct nvme_ns *ns, const struct disk_req *req)
{
	const struct disk_info *info = &ns->info;

	switch (req->op) {
	case DISK_READ: return true;
	case DISK_WRITE: return !info->read_only;
	case DISK_FLUSH: return info->volatile_cache;
	case DISK_DISCARD: return !info->read_only && info->max_discard != 0;
	case DISK_ZERO: return !info->read_only && info->max_zero != 0;
	default: return false;
	}
}

static void
name_blocks(const struct nvme_ns *ns, const struct disk_req *req,
    struct nvme_sqe *sqe)
{
	unsigned shift = ns->p.lba_shift - SECTOR_SHIFT;
	uint64_t lba = req->sector >> shift;

	sqe->cdw10 = (uint32_t)lba;
	sqe->cdw11 = lba >> 32;
	sqe->cdw12 = (req->nsectors >> shift) - 1;
}

/* The one range of a DSM command lies in a table beside the queue. */
static void
name_range(struct nvme_queue *q, const struct nvme_slot *s,
    const struct disk_req *req, struct nvme_sqe *sqe)
{
	unsigned shift = s->ns->p.lba_shift - SECTOR_SHIFT, i = s - q->slot;
	struct nvme_dsm_range *range = (struct nvme_dsm_range *)q->ranges.kva +
	    i;

	*range = (struct nvme_dsm_range){ .blocks = req->nsectors >> shift,
		.lba = req->sector >> shift };
	sqe->prp1 = q->ranges.addr + i * sizeof(*range);
	sqe->cdw11 = NVME_DSM_DISCARD;
}

static int
fill(struct nvme_queue *q, struct nvme_slot *s, const struct disk_req *req,
    struct nvme_sqe *sqe)
{
	sqe->nsid = s->ns->nsid;
	switch (req->op) {
	case DISK_READ: sqe->opcode = NVME_CMD_READ; break;
	case DISK_WRITE: sqe->opcode = NVME_CMD_WRITE; break;
	case DISK_ZERO:
		sqe->opcode = NVME_CMD_WRITE_ZEROES;
		name_blocks(s->ns, req, sqe);
		if (req->unmap)
			sqe->cdw12 |= NVME_ZEROES_DEAC;
		return 0;
	case DISK_DISCARD:
		sqe->opcode = NVME_CMD_DSM;
		name_range(q, s, req, sqe);
		return 0;
	default: sqe->opcode = NVME_CMD_FLUSH; return 0;
	}
	name_blocks(s->ns, req, sqe);
	if (req->fua && req->op == DISK_WRITE)
		sqe->cdw12 |= NVME_RW_FUA;
	return nvme_data_load(q, s, req, sqe);
}

/* Who is told -EAGAIN is marked under the lock that frees slots. */
static int
no_room(struct nvme_ns *ns)
{
	__atomic_store_n(&ns->starved, true, __ATOMIC_SEQ_CST);
	__atomic_store_n(&ns->ctrl->starved, true, __ATOMIC_SEQ_CST);
	return -EAGAIN;
}

static int
start_locked(struct nvme_queue *q, struct nvme_ns *ns, struct disk_req *req)
{
	struct nvme_sqe sqe = { 0 };
	struct nvme_slot *s;
	int error;

	if (q->door == NVME_SHUT ||
	    __atomic_load_n(&ns->dead, __ATOMIC_ACQUIRE))
		return -ENODEV;
	if (q->door == NVME_PAUSED)
		return no_room(ns);
	s = nvme_slot_take_locked(q, NVME_REQ);
	if (s == NULL)
		return no_room(ns);
	s->req = req;
	s->ns = ns;
	error = fill(q, s, req, &sqe);
	if (error != 0) {
		nvme_slot_free_locked(q, s);
		return error;
	}
	req->tries++;
	nvme_push_locked(q, s, &sqe);
	return 0;
}

int
nvme_io_submit(void *arg, struct disk_req *req)
{
	struct nvme_ns *ns = arg;
	struct nvme_ctrl *c = ns->ctrl;
	unsigned n = __atomic_load_n(&c->nlive, __ATOMIC_ACQUIRE);
	struct nvme_queue *q = &c->ioq[n == 1 ? 0 : cpu_id() % n];
	uint64_t state;
	int error;

	if (!supported(ns, req))
		return -EOPNOTSUPP;
	state = spin_lock_irq(&q->lock);
	error = start_locked(q, ns, req);
	spin_unlock_irq(&q->lock, state);
	if (error == 0 && !__atomic_load_n(&c->watching, __ATOMIC_RELAXED))
		nvme_watch(c);
	return error;
}

/* ---- back ---- */

bool
nvme_io_again(struct nvme_ns *ns, struct disk_req *req)
{
	struct nvme_ctrl *c = ns->ctrl;
	bool may = req->tries < NVME_TRIES &&
	    !__atomic_load_n(&ns->dead, __ATOMIC_ACQUIRE);
	uint64_t state;

	if (!may)
		return false;
	state = spin_lock_irq(&c->lock);
	TAILQ_INSERT_TAIL(&ns->retry, req, link);
	spin_unlock_irq(&c->lock, state);
	__atomic_store_n(&c->retries, true, __ATOMIC_RELEASE);
	return true;
}

/* What programs are told; media errors have no errno of their own for them. */
static int
error_of(uint16_t status)
{
	switch (NVME_SC(status)) {
	case 0: return 0;
	case NVME_SC_BAD_OPCODE: return -EOPNOTSUPP;
	case NVME_SC_CAPACITY: return -ENOSPC;
	default: return -EIO;
	}
}

/* Its own fault, or nothing that another try could better. */
static bool
is_final(uint16_t status)
{
	if ((status & NVME_STATUS_DNR) != 0)
		return true;
	switch (NVME_SC(status)) {
	case NVME_SC_BAD_OPCODE:
	case NVME_SC_BAD_FIELD:
	case NVME_SC_BAD_NS:
	case NVME_SC_LBA_RANGE:
	case NVME_SC_CAPACITY:
	case NVME_SC_WRITE_PROTECTED: return true;
	default: return false;
	}
}

void
nvme_io_end(struct nvme_ctrl *c, struct nvme_ns *ns, struct disk_req *req,
    int error, uint16_t status)
{
	if (error == 0 && NVME_SC(status) != 0) {
		if (!is_final(status) && nvme_io_again(ns, req)) {
			nvme_wake(c);
			return;
		}
		error = error_of(status);
	}
	req->done(req, error);
}
