/* SPDX-License-Identifier: ISC */
/*
 * poll_call.c - waiting for any of several files, and the time-outs and
 * signal masks of the calls that do.  poll(2), select(2).
 */
#include "linux/poll_call.h"
#include "kern/clock.h"
#include "kern/kmem.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "linux/fdtable.h"
#include "linux/signal.h"
#include <linux/poll.h>
#include <linux/time_types.h>

#define CHUNK_ENTRIES \
	((PAGE_SIZE - sizeof(struct poll_chunk)) / sizeof(struct poll_entry))

/* Called by the waker of a queue: no more than a note and a wake-up. */
static void
poll_notify(struct waiter *w)
{
	struct poll_entry *e = container_of(w, struct poll_entry, waiter);

	__atomic_store_n(&e->call->woken, true, __ATOMIC_RELEASE);
	thread_wake(e->call->thread);
}

static struct poll_entry *
poll_entry_new(struct poll_call *pc)
{
	struct poll_chunk *chunk = pc->chunks;

	if (pc->used < POLL_INLINE)
		return &pc->small[pc->used++];
	if (chunk == NULL || chunk->used == CHUNK_ENTRIES) {
		chunk = kmalloc(PAGE_SIZE);
		if (chunk == NULL)
			return NULL;
		chunk->used = 0;
		chunk->next = pc->chunks;
		pc->chunks = chunk;
	}
	return &chunk->entry[chunk->used++];
}

static void
poll_add(struct poll_table *table, struct waitq *wq)
{
	struct poll_call *pc = container_of(table, struct poll_call, table);
	struct poll_entry *e = poll_entry_new(pc);

	if (e == NULL) {
		pc->error = -ENOMEM;
		return;
	}
	*e = (struct poll_entry){ .call = pc,
		.file = pc->asking,
		.waiter = { .thread = pc->thread, .notify = poll_notify } };
	file_get(e->file);
	waitq_add(wq, &e->waiter);
}

void
poll_call_init(struct poll_call *pc)
{
	pc->table.add = poll_add;
	pc->woken = false;
	pc->registered = false;
	pc->error = 0;
	pc->thread = thread_self();
	pc->asking = NULL;
	pc->used = 0;
	pc->chunks = NULL;
}

static void
poll_entry_end(struct poll_entry *e)
{
	waitq_remove(&e->waiter);
	file_put(e->file);
}

void
poll_call_fini(struct poll_call *pc)
{
	struct poll_chunk *chunk;
	unsigned i;

	for (i = 0; i < pc->used; i++)
		poll_entry_end(&pc->small[i]);
	while ((chunk = pc->chunks) != NULL) {
		for (i = 0; i < chunk->used; i++)
			poll_entry_end(&chunk->entry[i]);
		pc->chunks = chunk->next;
		kfree(chunk);
	}
}

unsigned
poll_call_ask(struct poll_call *pc, int fd, bool found)
{
	struct fdref ref = fd_get(fd);
	unsigned events;

	if (ref.file == NULL)
		return POLLNVAL;
	pc->asking = ref.file;
	events = file_poll(ref.file,
	    found || pc->registered ? NULL : &pc->table);
	fd_put(ref);
	return events;
}

int
poll_call_sleep(struct poll_call *pc, int64_t deadline_ns)
{
	int error = pc->error;

	pc->registered = true;
	while (error == 0 && !__atomic_load_n(&pc->woken, __ATOMIC_ACQUIRE)) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (__atomic_load_n(&pc->woken, __ATOMIC_ACQUIRE))
			break;
		error = wait_sleep(WAIT_INTERRUPTIBLE, deadline_ns);
	}
	wait_finish();
	return error;
}

static int64_t
deadline_after(int64_t sec, int64_t nsec)
{
	int64_t ns;

	if (__builtin_mul_overflow(sec, NSEC_PER_SEC, &ns) ||
	    __builtin_add_overflow(ns, nsec, &ns) ||
	    __builtin_add_overflow(ns, clock_mono_ns(), &ns))
		return WAIT_FOREVER;
	return ns;
}

int64_t
poll_deadline_ms(int timeout_ms)
{
	if (timeout_ms < 0)
		return WAIT_FOREVER;
	return deadline_after(timeout_ms / 1000, timeout_ms % 1000 * 1000000ll);
}

int
poll_deadline_timespec(uaddr_t src, int64_t *deadline_ns)
{
	struct __kernel_timespec ts;

	*deadline_ns = WAIT_FOREVER;
	if (src == 0)
		return 0;
	if (copyin(&ts, src, sizeof(ts)) != 0)
		return -EFAULT;
	if (ts.tv_sec < 0 || ts.tv_nsec < 0 || ts.tv_nsec >= NSEC_PER_SEC)
		return -EINVAL;
	*deadline_ns = deadline_after(ts.tv_sec, ts.tv_nsec);
	return 0;
}

int
poll_deadline_timeval(uaddr_t src, int64_t *deadline_ns)
{
	int64_t tv[2]; /* seconds, microseconds */

	*deadline_ns = WAIT_FOREVER;
	if (src == 0)
		return 0;
	if (copyin(tv, src, sizeof(tv)) != 0)
		return -EFAULT;
	if (tv[0] < 0 || tv[1] < 0)
		return -EINVAL;
	if (!__builtin_add_overflow(tv[0], tv[1] / 1000000, &tv[0]))
		*deadline_ns = deadline_after(tv[0], tv[1] % 1000000 * 1000);
	return 0;
}

static int64_t
time_left(int64_t deadline_ns)
{
	int64_t left = deadline_ns - clock_mono_ns();

	return left > 0 ? left : 0;
}

void
poll_left_timespec(uaddr_t dst, int64_t deadline_ns)
{
	int64_t left = time_left(deadline_ns);
	int64_t ts[2] = { left / NSEC_PER_SEC, left % NSEC_PER_SEC };

	if (dst != 0 && deadline_ns != WAIT_FOREVER)
		(void)copyout(dst, ts, sizeof(ts));
}

void
poll_left_timeval(uaddr_t dst, int64_t deadline_ns)
{
	int64_t left = time_left(deadline_ns);
	int64_t tv[2] = { left / NSEC_PER_SEC, left % NSEC_PER_SEC / 1000 };

	if (dst != 0 && deadline_ns != WAIT_FOREVER)
		(void)copyout(dst, tv, sizeof(tv));
}

int
poll_mask_begin(uaddr_t src, uint64_t size, bool *set)
{
	uint64_t mask;
	int error;

	*set = src != 0;
	if (src == 0)
		return 0;
	error = signal_copyin_mask(&mask, src, size);
	if (error == 0)
		signal_mask_set_temporarily(mask);
	else
		*set = false;
	return error;
}

void
poll_mask_end(bool set, long error)
{
	/* Interrupted: the handler runs first, under the call's mask. */
	if (set && error != -ERESTARTNOHAND && error != -EINTR)
		signal_mask_restore();
}
