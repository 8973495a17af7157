/* SPDX-License-Identifier: ISC */
/*
 * nvme_ns.c - namespaces as disks: which there are, of what size, and what
 * becomes of requests that wait.  NVMe 1.4, 5.15.
 *
 * A namespace's struct is freed when its disk has departed, and nobody calls
 * disk_room() for it.
 */
#include "dev/nvme/nvme.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/string.h"
#include "kern/thread.h"
#include <linux/errno.h>

#define MAJOR       259 /* Linux's, for names that tell more than numbers */
#define MINORS      16
#define NS_MAX      256        /* of one controller */
#define WALK_MAX    1024       /* numbers tried where it has no list */
#define DISCARD_MAX (1u << 22) /* sectors of one command: 2 GiB */

static const struct disk_ops nvme_disk_ops = {
	.submit = nvme_io_submit,
	.ioctl = nvme_user_disk_ioctl,
};

/* ---- one namespace ---- */

static uint32_t
whole_blocks(const struct nvme_ns *ns, uint64_t sectors)
{
	return ROUND_DOWN(MIN(sectors, UINT32_MAX),
	    (uint64_t)ns->info.block_size / SECTOR_SIZE);
}

static uint64_t
sectors_of(const struct nvme_ns_params *p)
{
	return p->blocks << (p->lba_shift - SECTOR_SHIFT);
}

static void
describe(struct nvme_ns *ns)
{
	const struct nvme_params *id = &ns->ctrl->id;
	struct disk_info *i = &ns->info;
	uint32_t max = id->max_bytes / SECTOR_SIZE;

	*i = (struct disk_info){
		.name = ns->name,
		.driver = "blkext",
		.major = MAJOR,
		.minors = MINORS,
		.nsectors = sectors_of(&ns->p),
		.block_size = 1u << ns->p.lba_shift,
		.physical_size = ns->p.physical_size,
		.read_only = ns->p.write_protected,
		.volatile_cache = id->volatile_cache,
		.fua = id->volatile_cache,
		.max_segs = NVME_LARGE_SEGS,
		.seg_boundary = id->sgl ? 0 : 1u << ns->ctrl->cap.page_shift,
		.model = id->model,
		.serial = id->serial,
		.firmware = id->firmware,
		.parent = nvme_user_parent(ns->ctrl),
		.wwid = ns->p.wwid[0] != '\0' ? ns->p.wwid : NULL,
		.link = ns->link[0] != '\0' ? ns->link : NULL,
		.path = ns->path,
		.discard_granularity = 1u << ns->p.lba_shift,
		.released = nvme_unit_put,
		.released_arg = (void *)(uintptr_t)ns->ctrl->unit,
	};
	i->max_sectors = whole_blocks(ns, max);
	i->max_discard = id->dsm ? whole_blocks(ns, DISCARD_MAX) : 0;
	/* Some take as much at a time as of data, others more. */
	i->max_zero = id->zeroes ?
	    MIN(i->max_sectors, 65536u << (ns->p.lba_shift - SECTOR_SHIFT)) :
	    0;
}

static void
ns_free(struct nvme_ns *ns)
{
	kfree(ns);
}

static void
say_size(const struct nvme_ns *ns)
{
	uint64_t kib = ns->info.nsectors / 2;

	log_info("%s at %s: %lu %s, blocks of %u bytes%s%s%s%s", ns->name,
	    nvme_name(ns->ctrl), kib >= 10240 ? kib / 1024 : kib,
	    kib >= 10240 ? "MiB" : "KiB", ns->info.block_size,
	    ns->info.read_only ? ", read-only" : "",
	    ns->info.volatile_cache ? ", write-back" : "",
	    ns->link[0] != '\0' ? ", " : "", ns->link);
}

static void
link_in(struct nvme_ctrl *c, struct nvme_ns *ns, bool in)
{
	uint64_t state = spin_lock_irq(&c->lock);

	if (in)
		TAILQ_INSERT_TAIL(&c->namespaces, ns, link_);
	else
		TAILQ_REMOVE(&c->namespaces, ns, link_);
	spin_unlock_irq(&c->lock, state);
}

static int
arrive(struct nvme_ctrl *c, uint32_t nsid, const struct nvme_ns_params *p)
{
	struct nvme_ns *ns = kzalloc(sizeof(*ns));
	int error;

	if (ns == NULL)
		return -ENOMEM;
	ns->ctrl = c;
	ns->nsid = nsid;
	ns->p = *p;
	ns->seen = true;
	TAILQ_INIT(&ns->retry);
	snprintf(ns->name, sizeof(ns->name), "nvme%un%u", c->unit, nsid);
	snprintf(ns->path, sizeof(ns->path), "nvme-%u", nsid);
	if (c->id.ebs[0] != '\0')
		snprintf(ns->link, sizeof(ns->link), "by-ebs/%s", c->id.ebs);
	describe(ns);
	say_size(ns);
	link_in(c, ns, true);
	nvme_unit_get(c->unit);
	error = disk_arrive(c->dev, &nvme_disk_ops, ns, &ns->info, &ns->disk);
	if (error != 0) {
		log_warn("%s: no disk, error %d", ns->name, -error);
		link_in(c, ns, false);
		nvme_unit_put((void *)(uintptr_t)c->unit);
		ns_free(ns);
	}
	return error;
}

static unsigned
rooming(struct nvme_ns *ns)
{
	uint64_t state = spin_lock_irq(&ns->ctrl->lock);
	unsigned n = ns->rooming;

	spin_unlock_irq(&ns->ctrl->lock, state);
	return n;
}

/* Its requests have ended: out of the list, out of programs' sight. */
static void
depart(struct nvme_ctrl *c, struct nvme_ns *ns)
{
	link_in(c, ns, false);
	__atomic_add_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	wait_event(nvme_waitq(c), rooming(ns) == 0);
	__atomic_sub_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	disk_depart(ns->disk);
	ns_free(ns);
}

static bool
queue_has(struct nvme_queue *q, const struct nvme_ns *ns)
{
	uint64_t state = spin_lock_irq(&q->lock);
	unsigned i;
	bool has = false;

	for (i = 0; i < q->size - 1 && !has; i++)
		has = q->slot[i].kind == NVME_REQ && q->slot[i].ns == ns;
	spin_unlock_irq(&q->lock, state);
	return has;
}

static bool
has_requests(struct nvme_ctrl *c, const struct nvme_ns *ns)
{
	unsigned i;

	for (i = 0; i < c->nioq; i++)
		if (queue_has(&c->ioq[i], ns))
			return true;
	return false;
}

static unsigned end_waiting(struct nvme_ns *ns, int error);

/* Its requests end when they are answered, or by a reset, which is the same
 * thread's: false, it has to come first. */
static bool
await_last_requests(struct nvme_ctrl *c, const struct nvme_ns *ns)
{
	__atomic_add_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	while (wait_event_kind(nvme_waitq(c),
		   !has_requests(c, ns) || nvme_should_stop(c) ||
		       __atomic_load_n(&c->want_reset, __ATOMIC_ACQUIRE),
		   WAIT_UNINTERRUPTIBLE,
		   clock_mono_ns() + NVME_PERIOD_NS) == -ETIMEDOUT)
		nvme_watch_look(c);
	__atomic_sub_fetch(&c->draining, 1, __ATOMIC_SEQ_CST);
	return !has_requests(c, ns) && !nvme_should_stop(c);
}

/*
 * The controller works, but this namespace is no more: what is under way is
 * answered by it.  Where a reset has to end that, the look at namespaces
 * behind it goes on here.  When it is the controller that goes meanwhile, all
 * this is left to the end.
 */
static void
vanish(struct nvme_ctrl *c, struct nvme_ns *ns)
{
	if (!__atomic_exchange_n(&ns->dead, true, __ATOMIC_SEQ_CST))
		log_info("%s: gone", ns->name);
	if (!await_last_requests(c, ns))
		return;
	(void)end_waiting(ns, -ENODEV);
	depart(c, ns);
}

/* ---- looking ---- */

static struct nvme_ns *
find(struct nvme_ctrl *c, uint32_t nsid)
{
	struct nvme_ns *ns;

	TAILQ_FOREACH (ns, &c->namespaces, link_) {
		if (ns->nsid == nsid)
			break;
	}
	return ns;
}

static bool
is_other(const struct nvme_ns_params *a, const struct nvme_ns_params *b)
{
	return a->lba_shift != b->lba_shift ||
	    memcmp(a->nguid, b->nguid, sizeof(a->nguid)) != 0 ||
	    memcmp(a->eui64, b->eui64, sizeof(a->eui64)) != 0 ||
	    a->write_protected != b->write_protected;
}

static int
compare(struct nvme_ctrl *c, struct nvme_ns *ns, const struct nvme_ns_params *p)
{
	uint32_t nsid = ns->nsid;

	ns->seen = true;
	if (ns->dead || is_other(&ns->p, p)) {
		vanish(c, ns);
		if (find(c, nsid) != NULL) /* not yet: a reset comes first */
			return nvme_should_stop(c) ? -ENODEV : 0;
		return arrive(c, nsid, p);
	}
	if (ns->p.blocks != p->blocks) {
		ns->p.blocks = p->blocks;
		disk_resized(ns->disk, sectors_of(p));
	}
	return 0;
}

/* -EIO: it does not want to say; then there is none. */
static int
look_at(struct nvme_ctrl *c, uint32_t nsid, struct nvme_id_ns *page)
{
	struct nvme_ns *ns = find(c, nsid);
	struct nvme_ns_params p;
	const char *why = "";
	int error = nvme_identify(c, NVME_CNS_NS, nsid, page);

	if (error == -EIO)
		return 0;
	if (error == 0)
		error = nvme_parse_ns(page, &p, &why);
	if (error == -EPROTO)
		nvme_break(c, "namespace %u makes no sense: %s", nsid, why);
	if (error == -EOPNOTSUPP) {
		log_warn("%s: namespace %u left alone: %s", nvme_name(c), nsid,
		    why);
		return 0;
	}
	if (error != 0 || p.blocks == 0)
		return error;
	return ns != NULL ? compare(c, ns, &p) : arrive(c, nsid, &p);
}

/* Numbers 1 .. NN: all there is to ask a controller of 1.0. */
static int
walk(struct nvme_ctrl *c, struct nvme_id_ns *page)
{
	uint32_t nsid, n = MIN(c->id.nn, WALK_MAX);
	int error = 0;

	for (nsid = 1; nsid <= n && error == 0; nsid++)
		error = look_at(c, nsid, page);
	return error;
}

static int
list_makes_no_sense(struct nvme_ctrl *c)
{
	nvme_break(c, "its list of namespaces makes no sense");
	return -EPROTO;
}

/* The list of those that are active, in rising order; 0 ends it. */
static int
read_list(struct nvme_ctrl *c, uint32_t *list, struct nvme_id_ns *page)
{
	uint32_t last = 0;
	unsigned i, n = 0;
	int error = 0;

	while (error == 0) {
		error = nvme_identify(c, NVME_CNS_ACTIVE, last, list);
		if (error == -EIO && last == 0)
			return walk(c, page);
		for (i = 0; i < 1024 && error == 0; i++) {
			if (list[i] == 0)
				return 0;
			if (list[i] <= last || list[i] > c->id.nn ||
			    ++n > NS_MAX)
				return list_makes_no_sense(c);
			last = list[i];
			error = look_at(c, last, page);
		}
	}
	return error;
}

static void
remove_unseen(struct nvme_ctrl *c)
{
	struct nvme_ns *ns, *next;

	TAILQ_FOREACH_SAFE (ns, &c->namespaces, link_, next) {
		if (nvme_should_stop(c))
			return;
		if (!ns->seen)
			vanish(c, ns);
	}
}

int
nvme_scan(struct nvme_ctrl *c)
{
	uint32_t *list = kmalloc(4096);
	struct nvme_id_ns *page = kmalloc(sizeof(*page));
	struct nvme_ns *ns;
	int error = -ENOMEM;

	mutex_lock(&c->scan);
	TAILQ_FOREACH (ns, &c->namespaces, link_)
		ns->seen = false;
	if (list != NULL && page != NULL)
		error = c->version >= 0x10100 ? read_list(c, list, page) :
						walk(c, page);
	if (error == 0)
		remove_unseen(c);
	mutex_unlock(&c->scan);
	kfree(page);
	kfree(list);
	if (error != 0 && !nvme_should_stop(c))
		log_warn("%s: namespaces: error %d", nvme_name(c), -error);
	return error;
}

/* ---- the end ---- */

void
nvme_ns_leaving(struct nvme_ctrl *c)
{
	struct nvme_ns *ns;

	mutex_lock(&c->scan);
	TAILQ_FOREACH (ns, &c->namespaces, link_) {
		disk_leaving(ns->disk);
		__atomic_store_n(&ns->dead, true, __ATOMIC_SEQ_CST);
	}
	mutex_unlock(&c->scan);
	nvme_ns_room(c); /* who waits hears that there is no more */
}

void
nvme_ns_end_all(struct nvme_ctrl *c)
{
	struct nvme_ns *ns;

	while ((ns = TAILQ_FIRST(&c->namespaces)) != NULL)
		depart(c, ns);
}

/* ---- requests that wait ---- */

/* One that was told to wait, each once in a round; held.  NULL: no more. */
static struct nvme_ns *
next_starved(struct nvme_ctrl *c, struct nvme_ns *done, uint32_t round)
{
	uint64_t state = spin_lock_irq(&c->lock);
	struct nvme_ns *ns;

	if (done != NULL)
		done->rooming--;
	TAILQ_FOREACH (ns, &c->namespaces, link_) {
		if (ns->round != round &&
		    __atomic_exchange_n(&ns->starved, false, __ATOMIC_ACQ_REL))
			break;
	}
	if (ns != NULL) {
		ns->round = round;
		ns->rooming++;
	}
	spin_unlock_irq(&c->lock, state);
	return ns;
}

/* Whoever is told to wait again meanwhile is the next answer's affair. */
void
nvme_ns_room(struct nvme_ctrl *c)
{
	uint32_t round = __atomic_add_fetch(&c->round, 1, __ATOMIC_RELAXED);
	struct nvme_ns *ns = NULL;

	__atomic_store_n(&c->starved, false, __ATOMIC_SEQ_CST);
	while ((ns = next_starved(c, ns, round)) != NULL)
		disk_room(ns->disk);
	if (__atomic_exchange_n(&c->retry_waits, false, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&c->retries, true, __ATOMIC_RELEASE);
		nvme_wake(c);
	}
	if (__atomic_load_n(&c->draining, __ATOMIC_SEQ_CST) > 0)
		nvme_wake(c);
}

static struct disk_req *
take_waiting(struct nvme_ns *ns)
{
	struct disk_req *req;
	uint64_t state = spin_lock_irq(&ns->ctrl->lock);

	req = TAILQ_FIRST(&ns->retry);
	if (req != NULL)
		TAILQ_REMOVE(&ns->retry, req, link);
	spin_unlock_irq(&ns->ctrl->lock, state);
	return req;
}

static unsigned
end_waiting(struct nvme_ns *ns, int error)
{
	struct disk_req *req;
	unsigned n;

	for (n = 0; (req = take_waiting(ns)) != NULL; n++)
		req->done(req, error);
	return n;
}

/* False: no room. */
static bool
begin_again(struct nvme_ns *ns)
{
	struct nvme_ctrl *c = ns->ctrl;
	struct disk_req *req;
	uint64_t state;
	int error = 0;

	while ((req = take_waiting(ns)) != NULL) {
		/* Before it is tried: the room may come in between. */
		__atomic_store_n(&c->retry_waits, true, __ATOMIC_SEQ_CST);
		error = nvme_io_submit(ns, req);
		if (error == -EAGAIN) {
			state = spin_lock_irq(&c->lock);
			TAILQ_INSERT_HEAD(&ns->retry, req, link);
			spin_unlock_irq(&c->lock, state);
			return false;
		}
		if (error != 0)
			req->done(req, error);
	}
	return true;
}

unsigned
nvme_ns_retry(struct nvme_ctrl *c, int error)
{
	struct nvme_ns *ns;
	unsigned n = 0;

	TAILQ_FOREACH (ns, &c->namespaces, link_) {
		if (error != 0)
			n += end_waiting(ns, error);
		else
			(void)begin_again(ns);
	}
	return n;
}
