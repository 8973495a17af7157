/* SPDX-License-Identifier: ISC */
/*
 * nvme_admin.c - commands that a thread waits for, and those that nobody waits
 * for: aborts and async event requests.  NVMe 1.4, 5.
 *
 * The data of a command that is waited for lies in memory of its own, so that
 * whoever loses patience can go: what is left of it is freed when the command
 * ends, or kept aside when it never does.
 */
#include "dev/nvme/nvme.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

#define EVENT_LINES 16 /* of the log, for events that we only tell */

/* ---- waiting ---- */

static void
sync_free(struct nvme_sync *s)
{
	dma_mem_free(&s->buf, s->quiet);
	kfree(s);
}

void
nvme_sync_end(struct nvme_ctrl *c, struct nvme_sync *s, int error,
    uint16_t status, uint32_t result)
{
	uint64_t state = spin_lock_irq(&c->lock);
	bool nobody = s->abandoned;

	s->error = error;
	s->status = status;
	s->result = result;
	s->quiet = error == 0 || c->silent;
	__atomic_store_n(&s->done, true, __ATOMIC_RELEASE);
	spin_unlock_irq(&c->lock, state);
	if (nobody)
		sync_free(s);
	else
		nvme_wake(c);
}

/* False: it has ended after all. */
static bool
abandon(struct nvme_ctrl *c, struct nvme_sync *s)
{
	uint64_t state = spin_lock_irq(&c->lock);
	bool done = __atomic_load_n(&s->done, __ATOMIC_RELAXED);

	s->abandoned = !done;
	spin_unlock_irq(&c->lock, state);
	return !done;
}

static bool
is_done(const struct nvme_sync *s)
{
	return __atomic_load_n(&s->done, __ATOMIC_ACQUIRE);
}

/* Nothing came for a while: is it there at all, was an interrupt lost? */
static void
look_after(struct nvme_ctrl *c)
{
	if (nvme_read(c, NVME_CSTS) == NVME_GONE)
		nvme_break(c, "gone (its registers read as ones)");
	else
		(void)nvme_queue_answers(&c->admin);
}

static int
await(struct nvme_ctrl *c, struct nvme_sync *s, int64_t timeout_ns)
{
	int64_t now = clock_mono_ns(),
		end = timeout_ns > WAIT_FOREVER - now ? WAIT_FOREVER :
							now + timeout_ns;

	for (; now < end && !is_done(s) && !nvme_should_stop(c);
	     now = clock_mono_ns()) {
		if (wait_event_kind(nvme_waitq(c),
			is_done(s) || nvme_should_stop(c), WAIT_UNINTERRUPTIBLE,
			MIN(end, now + NVME_PERIOD_NS)) == -ETIMEDOUT)
			look_after(c);
	}
	if (is_done(s) || !abandon(c, s))
		return 0;
	if (nvme_should_stop(c))
		return -ENODEV;
	nvme_want_reset(c);
	return -ETIMEDOUT;
}

/* ---- sending ---- */

/* One block of memory, and behind it the list of its pages, if need be. */
static int
make_buffer(const struct nvme_ctrl *c, struct nvme_command *cmd,
    struct nvme_sync *s)
{
	uint64_t page = 1ul << c->cap.page_shift, at;
	uint64_t len = ROUND_UP((uint64_t)cmd->len, page), *list;
	int error;

	if (cmd->len > NVME_MAX_BYTES)
		return -EINVAL;
	error = dma_mem_alloc(dma_tag_memory(),
	    len <= 2 * page ? len : len + PAGE_SIZE, page, NULL, &s->buf);
	if (error != 0)
		return error;
	if (cmd->out)
		memcpy(s->buf.kva, cmd->data, cmd->len);
	cmd->sqe.prp1 = s->buf.addr;
	if (len > page)
		cmd->sqe.prp2 = s->buf.addr + (len > 2 * page ? len : page);
	list = (uint64_t *)((char *)s->buf.kva + len);
	for (at = page; len > 2 * page && at < len; at += page)
		*list++ = s->buf.addr + at;
	return 0;
}

/* -EAGAIN: no slot is free, or the queue is between two lives. */
static int
try_send(struct nvme_queue *q, struct nvme_command *cmd, struct nvme_sync *s)
{
	struct nvme_slot *slot = NULL;
	uint64_t state = spin_lock_irq(&q->lock);
	int error = q->door == NVME_SHUT ? -ENODEV : -EAGAIN;

	if (q->door == NVME_OPEN)
		slot = nvme_slot_take_locked(q, NVME_SYNC);
	if (slot != NULL) {
		slot->sync = s;
		nvme_push_locked(q, slot, &cmd->sqe);
		error = 0;
	}
	spin_unlock_irq(&q->lock, state);
	return error;
}

/* The queue is full of what is not answered, and will be reset for it. */
static bool
is_given_up(const struct nvme_ctrl *c)
{
	return nvme_state(c) == NVME_LIVE &&
	    __atomic_load_n(&c->want_reset, __ATOMIC_ACQUIRE);
}

static int
send(struct nvme_queue *q, struct nvme_command *cmd, struct nvme_sync *s)
{
	struct nvme_ctrl *c = q->ctrl;
	int error = try_send(q, cmd, s);

	if (error != -EAGAIN || cmd->at_once)
		return error;
	__atomic_add_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	(void)wait_event_kind(nvme_waitq(c),
	    (error = try_send(q, cmd, s)) != -EAGAIN || nvme_should_stop(c) ||
		is_given_up(c),
	    WAIT_UNINTERRUPTIBLE, WAIT_FOREVER);
	__atomic_sub_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	if (error != -EAGAIN)
		return error;
	return nvme_should_stop(c) ? -ENODEV : -ECANCELED;
}

int
nvme_command(struct nvme_queue *q, struct nvme_command *cmd)
{
	struct nvme_sync *s = kzalloc(sizeof(*s));
	int error = 0;

	if (s == NULL)
		return -ENOMEM;
	s->quiet = true;
	if (cmd->len > 0)
		error = make_buffer(q->ctrl, cmd, s);
	if (error == 0)
		error = send(q, cmd, s);
	if (error != 0) {
		sync_free(s);
		return error;
	}
	error = await(q->ctrl, s, cmd->timeout_ns);
	if (error != 0)
		return error; /* the end of the command frees it */
	error = s->error;
	cmd->status = s->status;
	cmd->result = s->result;
	if (error == 0 && cmd->in)
		memcpy(cmd->data, s->buf.kva, cmd->len);
	sync_free(s);
	return error;
}

int
nvme_admin(struct nvme_ctrl *c, struct nvme_command *cmd)
{
	int error;

	cmd->timeout_ns = NVME_ADMIN_NS;
	error = nvme_command(&c->admin, cmd);
	return error == 0 && NVME_SC(cmd->status) != 0 ? -EIO : error;
}

/* ---- commands ---- */

int
nvme_identify(struct nvme_ctrl *c, unsigned cns, uint32_t nsid, void *buf)
{
	struct nvme_command cmd = { .sqe = { .opcode = NVME_ADMIN_IDENTIFY,
					.nsid = nsid,
					.cdw10 = cns },
		.data = buf,
		.len = 4096,
		.in = true };

	return nvme_admin(c, &cmd);
}

int
nvme_get_log(struct nvme_ctrl *c, unsigned log, void *buf, uint32_t len)
{
	struct nvme_command cmd = { .sqe = { .opcode = NVME_ADMIN_GET_LOG,
					.nsid = NVME_ALL_NS,
					.cdw10 = (len / 4 - 1) << 16 | log },
		.data = buf,
		.len = len,
		.in = true };

	return nvme_admin(c, &cmd);
}

int
nvme_set_feature(struct nvme_ctrl *c, unsigned fid, uint32_t cdw11,
    uint32_t *result)
{
	struct nvme_command cmd = { .sqe = { .opcode = NVME_ADMIN_SET_FEATURES,
					.cdw10 = fid,
					.cdw11 = cdw11 } };
	int error = nvme_admin(c, &cmd);

	*result = cmd.result;
	return error;
}

/* Sends what nobody waits for. */
static bool
post(struct nvme_ctrl *c, unsigned kind, struct nvme_sqe *sqe)
{
	struct nvme_queue *q = &c->admin;
	struct nvme_slot *s = NULL;
	uint64_t state = spin_lock_irq(&q->lock);

	if (q->door == NVME_OPEN)
		s = nvme_slot_take_locked(q, kind);
	if (s != NULL)
		nvme_push_locked(q, s, sqe);
	spin_unlock_irq(&q->lock, state);
	return s != NULL;
}

bool
nvme_abort(struct nvme_ctrl *c, unsigned qid, uint16_t cid)
{
	struct nvme_sqe sqe = { .opcode = NVME_ADMIN_ABORT,
		.cdw10 = (uint32_t)cid << 16 | qid };

	if (__atomic_load_n(&c->aborts, __ATOMIC_RELAXED) > c->id.acl)
		return false;
	__atomic_add_fetch(&c->aborts, 1, __ATOMIC_RELAXED);
	if (post(c, NVME_ABORT, &sqe))
		return true;
	__atomic_sub_fetch(&c->aborts, 1, __ATOMIC_RELAXED);
	return false;
}

/* ---- async events; 5.2 ---- */

/*
 * One request is under way at a time: the next event waits inside.  A queue of
 * two or three entries has no room for one that stays.
 */
void
nvme_arm_events(struct nvme_ctrl *c)
{
	struct nvme_sqe sqe = { .opcode = NVME_ADMIN_ASYNC_EVENT };
	uint64_t state = spin_lock_irq(&c->lock);
	bool arm = !c->event_armed && !c->no_events && c->admin.size > 3;

	if (arm)
		c->event_armed = true;
	spin_unlock_irq(&c->lock, state);
	if (arm && !post(c, NVME_EVENT, &sqe))
		nvme_event_end(c, -ECANCELED, 0, 0);
}

void
nvme_event_end(struct nvme_ctrl *c, int error, uint16_t status, uint32_t result)
{
	uint64_t state = spin_lock_irq(&c->lock);

	c->event_armed = false;
	if (error == 0 && NVME_SC(status) != 0)
		c->no_events = true; /* it knows none: do not ask again */
	else if (error == 0 && c->nevents < sizeof(c->events) / 4)
		c->events[c->nevents++] = result;
	spin_unlock_irq(&c->lock, state);
	if (error == 0)
		nvme_wake(c);
}

static bool
take_event(struct nvme_ctrl *c, uint32_t *event)
{
	uint64_t state = spin_lock_irq(&c->lock);
	bool any = c->nevents > 0;

	if (any)
		*event = c->events[--c->nevents];
	spin_unlock_irq(&c->lock, state);
	return any;
}

/* Reading the log that belongs to an event lets the next one through. */
static void
handle_event(struct nvme_ctrl *c, uint32_t event, void *page)
{
	unsigned log = NVME_EVENT_LOG(event), type = NVME_EVENT_TYPE(event);
	uint32_t len = log == NVME_LOG_CHANGED_NS ? 4096 :
	    log == NVME_LOG_ERROR                 ? 64 :
						    512;

	if (type == NVME_EVENT_NOTICE &&
	    NVME_EVENT_INFO(event) == NVME_NOTICE_NS_CHANGED)
		__atomic_store_n(&c->want_scan, true, __ATOMIC_RELEASE);
	else if (c->event_lines++ < EVENT_LINES)
		log_warn("%s: event of type %u, information %u, log page %u",
		    nvme_name(c), type, NVME_EVENT_INFO(event), log);
	if (log != 0 && nvme_get_log(c, log, page, len) == -EIO &&
	    c->event_lines++ < EVENT_LINES)
		log_warn("%s: log page %u cannot be read", nvme_name(c), log);
}

void
nvme_handle_events(struct nvme_ctrl *c)
{
	void *page = kmalloc(4096);
	uint32_t event;

	if (page == NULL) {
		log_warn("%s: no memory for an event", nvme_name(c));
		__atomic_store_n(&c->want_scan, true, __ATOMIC_RELEASE);
	}
	while (take_event(c, &event))
		if (page != NULL)
			handle_event(c, event, page);
	kfree(page);
	nvme_arm_events(c);
}
