/* SPDX-License-Identifier: ISC */
/*
 * aio.c - contexts of asynchronous I/O: their rings, and what is under way.
 * io_setup(2); the ring's layout is Linux's (fs/aio.c), known to libaio.
 *
 * A context is counted by its address space, by calls at work on it, and by
 * each request under way; the last of them frees it.  `lock` is a spin lock
 * closed to interrupts, as requests end there.
 */
#include "linux/aio.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/log.h"
#include "kern/mutex.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "x86/cpu.h"

#define RING_MAGIC 0xa10a10a1u
#define END_WAIT   (30 * NSEC_PER_SEC) /* for requests of a dead program */

struct ring_head {
	uint32_t id, nr, head, tail, magic, compat, incompat, length;
};
_Static_assert(sizeof(struct ring_head) == sizeof(struct io_event),
    "events do not cross pages");

struct aio_context {
	TAILQ_ENTRY(aio_context) link; /* space_lock */
	struct vmspace *vm;            /* [I] of the same life, or longer */
	uaddr_t id;                    /* [I] where the ring is mapped */
	unsigned asked;                /* [I] counted in `total` */
	unsigned nr;                   /* [I] events that the ring holds */
	unsigned npages;               /* [I] */
	uint32_t refs;                 /* atomic */
	struct spinlock lock;
	unsigned tail;          /* lock */
	unsigned under_way;     /* lock */
	unsigned wanted;        /* lock: wake at so many; UINT32_MAX: never */
	bool dead;              /* lock: no new requests */
	struct waitq wq;        /* events came; nothing is under way */
	struct mutex read_lock; /* head */
	struct page *page[];    /* [I] */
};

/* All contexts of an address space. */
struct aio_space {
	struct vm_rider rider;
	TAILQ_HEAD(, aio_context) contexts; /* space_lock */
};

static struct spinlock space_lock = SPINLOCK_INIT;
static unsigned total; /* atomic */

unsigned
aio_total(void)
{
	return __atomic_load_n(&total, __ATOMIC_RELAXED);
}

/* ------------------------------------------------------------- the ring -- */

static struct ring_head *
head_of(const struct aio_context *ctx)
{
	return page_kva(ctx->page[0]);
}

static struct io_event *
event_at(const struct aio_context *ctx, unsigned i)
{
	uint64_t at = (i + 1) * sizeof(struct io_event);

	return (void *)((char *)page_kva(ctx->page[at >> PAGE_SHIFT]) +
	    (at & PAGE_MASK));
}

/* Where the program, or a call for it, has read to. */
static unsigned
ring_head(const struct aio_context *ctx)
{
	return __atomic_load_n(&head_of(ctx)->head, __ATOMIC_ACQUIRE) % ctx->nr;
}

static unsigned
unread_locked(const struct aio_context *ctx)
{
	return (ctx->tail + ctx->nr - ring_head(ctx)) % ctx->nr;
}

int
aio_reserve(struct aio_context *ctx)
{
	uint64_t state = spin_lock_irq(&ctx->lock);
	int error = 0;

	if (ctx->dead)
		error = -EINVAL;
	else if (unread_locked(ctx) + ctx->under_way + 1 >= ctx->nr)
		error = -EAGAIN;
	else
		ctx->under_way++;
	spin_unlock_irq(&ctx->lock, state);
	if (error == 0)
		__atomic_add_fetch(&ctx->refs, 1, __ATOMIC_RELAXED);
	return error;
}

/* True: somebody waits for this. */
static bool
ended_locked(struct aio_context *ctx)
{
	bool wake;

	ctx->under_way--;
	wake = ctx->dead || unread_locked(ctx) >= ctx->wanted;
	if (wake)
		ctx->wanted = UINT32_MAX;
	return wake;
}

void
aio_post(struct aio_context *ctx, const struct io_event *event)
{
	uint64_t state = spin_lock_irq(&ctx->lock);
	bool wake;

	*event_at(ctx, ctx->tail) = *event;
	ctx->tail = (ctx->tail + 1) % ctx->nr;
	__atomic_store_n(&head_of(ctx)->tail, ctx->tail, __ATOMIC_RELEASE);
	wake = ended_locked(ctx);
	spin_unlock_irq(&ctx->lock, state);
	if (wake)
		waitq_wake_all(&ctx->wq);
	aio_put(ctx);
}

void
aio_unreserve(struct aio_context *ctx)
{
	uint64_t state = spin_lock_irq(&ctx->lock);
	bool wake = ended_locked(ctx);

	spin_unlock_irq(&ctx->lock, state);
	if (wake)
		waitq_wake_all(&ctx->wq);
	aio_put(ctx);
}

/* Copies up to n events; the program may fault, so no spin lock is held. */
static long
copy_events(struct aio_context *ctx, long n, uaddr_t to)
{
	unsigned head, tail;
	long i;

	mutex_lock(&ctx->read_lock);
	head = ring_head(ctx);
	tail = __atomic_load_n(&ctx->tail, __ATOMIC_ACQUIRE);
	for (i = 0; i < n && head != tail; i++) {
		if (copyout(to + i * sizeof(struct io_event),
			event_at(ctx, head), sizeof(struct io_event)) != 0)
			break;
		head = (head + 1) % ctx->nr;
	}
	if (i > 0)
		__atomic_store_n(&head_of(ctx)->head, head, __ATOMIC_RELEASE);
	mutex_unlock(&ctx->read_lock);
	return i == 0 && n > 0 && head != tail ? -EFAULT : i;
}

/* Are there n events?  If not, whoever brings the n-th wakes. */
static bool
ready(struct aio_context *ctx, unsigned n)
{
	uint64_t state = spin_lock_irq(&ctx->lock);
	bool yes = ctx->dead || unread_locked(ctx) >= n;

	if (!yes)
		ctx->wanted = MIN(ctx->wanted, n);
	spin_unlock_irq(&ctx->lock, state);
	return yes;
}

long
aio_read(struct aio_context *ctx, long min, long max, uaddr_t events,
    int64_t deadline_ns)
{
	long got = 0, n;
	unsigned want;
	int error = 0;

	for (;;) {
		n = copy_events(ctx, max - got,
		    events + got * sizeof(struct io_event));
		if (n < 0)
			return got > 0 ? got : n;
		got += n;
		if (got >= min || deadline_ns == 0 || error == -ETIMEDOUT)
			return got;
		if (error != 0)
			return got > 0 ? got : -EINTR;
		if (__atomic_load_n(&ctx->dead, __ATOMIC_ACQUIRE))
			return got > 0 ? got : -EINVAL;
		want = MIN((uint64_t)(min - got), MAX(ctx->nr / 2, 1u));
		error = wait_event_until(&ctx->wq, ready(ctx, want),
		    deadline_ns);
	}
}

/* ------------------------------------------------------------- contexts -- */

static void
free_context(struct aio_context *ctx)
{
	unsigned i;

	for (i = 0; i < ctx->npages; i++)
		page_put(ctx->page[i]);
	__atomic_sub_fetch(&total, ctx->asked, __ATOMIC_RELAXED);
	kfree(ctx);
}

void
aio_put(struct aio_context *ctx)
{
	if (__atomic_sub_fetch(&ctx->refs, 1, __ATOMIC_ACQ_REL) == 0)
		free_context(ctx);
}

static bool
is_idle(struct aio_context *ctx)
{
	return __atomic_load_n(&ctx->under_way, __ATOMIC_ACQUIRE) == 0;
}

static void
mark_dead(struct aio_context *ctx)
{
	uint64_t state = spin_lock_irq(&ctx->lock);

	ctx->dead = true;
	spin_unlock_irq(&ctx->lock, state);
	waitq_wake_all(&ctx->wq);
}

/*
 * The address space ends.  Requests may take as long as their disk does, but a
 * program's end does not wait for a disk that is stuck: they hold what they
 * need, and give it back whenever they end.
 */
static void
space_end(struct vm_rider *rider)
{
	struct aio_space *s = container_of(rider, struct aio_space, rider);
	int64_t until = clock_mono_ns() + END_WAIT;
	struct aio_context *ctx;

	while ((ctx = TAILQ_FIRST(&s->contexts)) != NULL) {
		TAILQ_REMOVE(&s->contexts, ctx, link);
		mark_dead(ctx);
		if (wait_event_kind(&ctx->wq, is_idle(ctx),
			WAIT_UNINTERRUPTIBLE, until) != 0)
			log_warn("aio: %u requests of an ended program are "
				 "still under way",
			    ctx->under_way);
		aio_put(ctx);
	}
	kfree(s);
}

/* The caller's, made at need if `make`; NULL: none, or out of memory. */
static struct aio_space *
space_self(bool make)
{
	struct vmspace *vm = process_self()->vm;
	struct vm_rider *r = vmspace_rider(vm);
	struct aio_space *s;

	if (r != NULL || !make)
		return r == NULL ? NULL :
				   container_of(r, struct aio_space, rider);
	s = kzalloc(sizeof(*s));
	if (s == NULL)
		return NULL;
	s->rider.end = space_end;
	TAILQ_INIT(&s->contexts);
	r = vmspace_set_rider(vm, &s->rider);
	if (r != &s->rider)
		kfree(s); /* another thread was faster */
	return container_of(r, struct aio_space, rider);
}

struct aio_context *
aio_find(uaddr_t id)
{
	struct aio_space *s = space_self(false);
	struct aio_context *ctx;

	if (s == NULL)
		return NULL;
	spin_lock(&space_lock);
	TAILQ_FOREACH (ctx, &s->contexts, link) {
		if (ctx->id == id)
			break;
	}
	if (ctx != NULL)
		__atomic_add_fetch(&ctx->refs, 1, __ATOMIC_RELAXED);
	spin_unlock(&space_lock);
	return ctx;
}

/* The ring's frames are an object's that the program maps. */
static int
map_ring(struct aio_context *ctx, unsigned npages)
{
	uint64_t size = (uint64_t)npages << PAGE_SHIFT;
	struct vm_object *o;
	uaddr_t addr = 0;
	int error = vm_object_anon(size, &o);

	if (error != 0)
		return error;
	while (ctx->npages < npages && error == 0) {
		error = o->ops->get_page(o, ctx->npages, true,
		    &ctx->page[ctx->npages]);
		ctx->npages += error == 0;
	}
	if (error == 0)
		error = vm_map(ctx->vm, &addr, size,
		    VM_READ | VM_WRITE | VM_SHARED | VM_MAYWRITE, o, 0);
	vm_object_put(o); /* the mapping and the frames hold what they need */
	ctx->id = addr;
	return error;
}

static int
make_context(unsigned nr, struct aio_context **out)
{
	unsigned slots = MAX(nr, 4 * cpu_count()) * 2 + 2;
	unsigned npages = PAGES((slots + 1) * sizeof(struct io_event));
	struct aio_context *ctx;
	int error;

	ctx = kzalloc(sizeof(*ctx) + npages * sizeof(ctx->page[0]));
	if (ctx == NULL)
		return -ENOMEM;
	ctx->vm = process_self()->vm;
	ctx->refs = 1;
	spin_init(&ctx->lock);
	waitq_init(&ctx->wq);
	mutex_init(&ctx->read_lock);
	ctx->wanted = UINT32_MAX;
	ctx->nr = npages * (PAGE_SIZE / sizeof(struct io_event)) - 1;
	error = map_ring(ctx, npages);
	if (error != 0) {
		free_context(ctx);
		return error;
	}
	*head_of(ctx) = (struct ring_head){ .nr = ctx->nr,
		.magic = RING_MAGIC,
		.compat = 1,
		.length = sizeof(struct ring_head) };
	*out = ctx;
	return 0;
}

int
aio_create(unsigned nr, uaddr_t *id)
{
	struct aio_context *ctx;
	struct aio_space *s;
	int error = 0;

	if (nr > AIO_MAX ||
	    __atomic_add_fetch(&total, nr, __ATOMIC_RELAXED) > AIO_MAX)
		error = -EAGAIN;
	s = error == 0 ? space_self(true) : NULL;
	if (error == 0)
		error = s == NULL ? -ENOMEM : make_context(nr, &ctx);
	if (error != 0) {
		if (nr <= AIO_MAX)
			__atomic_sub_fetch(&total, nr, __ATOMIC_RELAXED);
		return error;
	}
	ctx->asked = nr;
	*id = ctx->id;
	spin_lock(&space_lock);
	TAILQ_INSERT_TAIL(&s->contexts, ctx, link);
	spin_unlock(&space_lock);
	return 0;
}

int
aio_destroy(struct aio_context *ctx)
{
	struct aio_space *s = space_self(false);
	bool first;

	spin_lock(&space_lock);
	first = !ctx->dead;
	if (first) {
		TAILQ_REMOVE(&s->contexts, ctx, link);
		ctx->dead = true;
	}
	spin_unlock(&space_lock);
	if (!first)
		return -EINVAL;
	mark_dead(ctx);
	(void)vm_unmap(ctx->vm, ctx->id, (uint64_t)ctx->npages << PAGE_SHIFT);
	wait_event(&ctx->wq, is_idle(ctx));
	aio_put(ctx); /* the list's */
	return 0;
}
