/* SPDX-License-Identifier: ISC */
/*
 * futex.c - waiting for a word of a program's memory.  futex(2).
 *
 * A word is known by its address space and address, or, in a shared mapping,
 * by the object behind it and the offset there.  Waiters of all words hang in
 * a small hash of lists, each under its own spin lock; the word is compared
 * under that lock, which is what makes "compare and sleep" one step.
 *
 * A waiter is on one list from futex_wait() until a waker takes it off
 * (woken), or it leaves by itself.  A requeue moves it to another list.
 */
#include "linux/futex.h"
#include "linux/futex_impl.h"
#include "kern/clock.h"
#include "kern/spinlock.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/vm.h"
#include "kern/waitq.h"
#include "linux/process.h"
#include "linux/timespec.h"
#include <linux/errno.h>
#include <linux/futex.h>

#define NBUCKETS 64

struct futex_waiter { /* under its bucket's lock */
	TAILQ_ENTRY(futex_waiter) link;
	struct futex_bucket *bucket; /* changes by requeue */
	struct futex_key key;
	uint32_t bits;
	bool woken;
	struct thread *thread; /* [I] */
};

struct futex_bucket {
	struct spinlock lock;
	TAILQ_HEAD(, futex_waiter) waiters;
};

static struct futex_bucket buckets[NBUCKETS];

/* The lists of static storage are made at their first use, under the lock. */
static struct futex_bucket *
bucket_of(const struct futex_key *key)
{
	uint64_t h = (uint64_t)key->space / 64 + key->offset / 4;

	h ^= h >> 17;
	h *= 0x9e3779b97f4a7c15ull;
	return &buckets[h >> 58];
}

static void
bucket_lock(struct futex_bucket *b)
{
	spin_lock(&b->lock);
	if (b->waiters.tqh_last == NULL)
		TAILQ_INIT(&b->waiters);
}

/* A word in a shared mapping is the object's; in all others the caller's. */
static int
shared_key(uaddr_t addr, struct futex_key *key, struct vm_object **object)
{
	struct vm_info info;

	if (!vmspace_info(process_self()->vm, addr, &info))
		return -EFAULT;
	if (info.start > addr) {
		if (info.object != NULL)
			vm_object_put(info.object);
		return -EFAULT;
	}
	if (info.object != NULL && (info.flags & VM_SHARED) != 0) {
		key->space = *object = info.object;
		key->offset = info.offset + (addr - info.start);
	} else if (info.object != NULL) {
		vm_object_put(info.object);
	}
	return 0;
}

int
futex_key(uaddr_t addr, bool private, struct futex_key *key,
    struct vm_object **object)
{
	*object = NULL;
	key->space = process_self()->vm;
	key->offset = addr;
	if (addr % 4 != 0)
		return -EINVAL;
	if (addr >= USER_END)
		return -EFAULT;
	return private ? 0 : shared_key(addr, key, object);
}

void
futex_key_put(struct vm_object *object)
{
	if (object != NULL)
		vm_object_put(object);
}

int
futex_fault_in(uaddr_t addr, bool write)
{
	uint32_t v;

	if (!write)
		return copyin(&v, addr, sizeof(v));
	return vm_populate(process_self()->vm, ROUND_DOWN(addr, PAGE_SIZE),
		   PAGE_SIZE, VM_WRITE) == 0 ?
	    0 :
	    -EFAULT;
}

/* ---- waking ---- */

static void
wake_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	TAILQ_REMOVE(&b->waiters, w, link);
	__atomic_store_n(&w->woken, true, __ATOMIC_RELEASE);
	thread_wake(w->thread);
}

static int
wake_key_locked(struct futex_bucket *b, const struct futex_key *key, int n,
    uint32_t bits)
{
	struct futex_waiter *w, *next;
	int woken = 0;

	TAILQ_FOREACH_SAFE (w, &b->waiters, link, next) {
		if (woken >= n)
			break;
		if (!futex_same_key(&w->key, key) || (w->bits & bits) == 0)
			continue;
		wake_locked(b, w);
		woken++;
	}
	return woken;
}

static int
wake_key(const struct futex_key *key, int n, uint32_t bits)
{
	struct futex_bucket *b = bucket_of(key);
	int woken;

	bucket_lock(b);
	woken = wake_key_locked(b, key, n, bits);
	spin_unlock(&b->lock);
	return woken;
}

static long
futex_wake(uaddr_t addr, bool private, int n, uint32_t bits)
{
	struct vm_object *object;
	struct futex_key key;
	int error;

	if (bits == 0)
		return -EINVAL;
	error = futex_key(addr, private, &key, &object);
	if (error != 0)
		return error;
	error = wake_key(&key, MAX(n, 1), bits);
	futex_key_put(object);
	return error;
}

void
futex_wake_address(uaddr_t addr, int n)
{
	(void)futex_wake(addr, false, n, FUTEX_BITSET_MATCH_ANY);
}

/* ---- waiting ---- */

/* Puts w on its list if the word still is `val`.  -EAGAIN: it is not. */
static int
enqueue(struct futex_waiter *w, uaddr_t addr, uint32_t val)
{
	struct futex_bucket *b = bucket_of(&w->key);
	uint32_t now;
	int error;

	for (;;) {
		bucket_lock(b);
		error = user_load32(addr, &now);
		if (error == 0)
			break;
		spin_unlock(&b->lock);
		if (futex_fault_in(addr, false) != 0)
			return -EFAULT;
	}
	if (now == val) {
		w->bucket = b;
		TAILQ_INSERT_TAIL(&b->waiters, w, link);
	} else {
		error = -EAGAIN;
	}
	spin_unlock(&b->lock);
	return error;
}

/* Off whatever list it is on by now; false: a waker took it off. */
static bool
dequeue(struct futex_waiter *w)
{
	struct futex_bucket *b;
	bool was_on;

	for (;;) {
		b = __atomic_load_n(&w->bucket, __ATOMIC_ACQUIRE);
		spin_lock(&b->lock);
		if (b == w->bucket)
			break;
		spin_unlock(&b->lock);
	}
	was_on = !w->woken;
	if (was_on)
		TAILQ_REMOVE(&b->waiters, w, link);
	spin_unlock(&b->lock);
	return was_on;
}

static int
sleep_until_woken(struct futex_waiter *w, int64_t deadline_ns)
{
	int error = 0;

	for (;;) {
		wait_prepare(WAIT_INTERRUPTIBLE);
		if (error != 0 || __atomic_load_n(&w->woken, __ATOMIC_ACQUIRE))
			break;
		error = wait_sleep(WAIT_INTERRUPTIBLE, deadline_ns);
	}
	wait_finish();
	/* Also waits for a waker that still looks at w. */
	return dequeue(w) ? error : 0;
}

static int
futex_wait(uaddr_t addr, bool private, uint32_t val, uint32_t bits,
    int64_t deadline_ns)
{
	struct futex_waiter w = { .bits = bits, .thread = thread_self() };
	struct vm_object *object;
	int error;

	if (bits == 0)
		return -EINVAL;
	error = futex_key(addr, private, &w.key, &object);
	if (error != 0)
		return error;
	error = enqueue(&w, addr, val);
	if (error == 0)
		error = sleep_until_woken(&w, deadline_ns);
	futex_key_put(object);
	return error;
}

static long
futex_wait_again(struct restart_block *rb)
{
	int error = futex_wait(rb->arg[0], rb->arg[1] & 1, rb->arg[1] >> 32,
	    rb->arg[2], rb->deadline_ns);

	return error == -ERESTARTSYS ? -ERESTART_RESTARTBLOCK : error;
}

static long
futex_wait_call(uaddr_t addr, bool private, uint32_t val, uint32_t bits,
    int64_t deadline_ns)
{
	int error = futex_wait(addr, private, val, bits, deadline_ns);

	if (error != -ERESTARTSYS || deadline_ns == WAIT_FOREVER)
		return error;
	task_self()->restart.arg[2] = bits;
	return restart_later(futex_wait_again, deadline_ns, addr,
	    (uint64_t)val << 32 | private);
}

/* ---- requeue, wake-op ---- */

static void
lock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	bucket_lock(MIN(a, b));
	if (a != b)
		bucket_lock(MAX(a, b));
}

static void
unlock_two(struct futex_bucket *a, struct futex_bucket *b)
{
	spin_unlock(&a->lock);
	if (a != b)
		spin_unlock(&b->lock);
}

static void
move_locked(struct futex_waiter *w, struct futex_bucket *from,
    struct futex_bucket *to, const struct futex_key *key)
{
	w->key = *key;
	if (from == to)
		return;
	TAILQ_REMOVE(&from->waiters, w, link);
	TAILQ_INSERT_TAIL(&to->waiters, w, link);
	__atomic_store_n(&w->bucket, to, __ATOMIC_RELEASE);
}

/* Wakes nwake waiters of k1 and moves nmove others to k2. */
static int
requeue_locked(struct futex_bucket *b1, struct futex_bucket *b2,
    const struct futex_key *k1, const struct futex_key *k2, int nwake,
    int nmove)
{
	struct futex_waiter *w, *next;
	int done = wake_key_locked(b1, k1, nwake, FUTEX_BITSET_MATCH_ANY);

	TAILQ_FOREACH_SAFE (w, &b1->waiters, link, next) {
		if (nmove <= 0)
			break;
		if (!futex_same_key(&w->key, k1))
			continue;
		move_locked(w, b1, b2, k2);
		nmove--;
		done++;
	}
	return done;
}

/* Two words' keys; objects to be put in any case. */
struct futex_pair {
	struct futex_key key[2];
	struct vm_object *object[2];
};

static int
pair_get(struct futex_pair *p, uaddr_t a, uaddr_t b, bool private)
{
	int error;

	p->object[1] = NULL;
	error = futex_key(a, private, &p->key[0], &p->object[0]);
	if (error == 0)
		error = futex_key(b, private, &p->key[1], &p->object[1]);
	return error;
}

static void
pair_put(struct futex_pair *p)
{
	futex_key_put(p->object[0]);
	futex_key_put(p->object[1]);
}

static long
requeue_pair(struct futex_pair *p, uaddr_t addr, int nwake, int nmove,
    const uint32_t *expected)
{
	struct futex_bucket *b1 = bucket_of(&p->key[0]);
	struct futex_bucket *b2 = bucket_of(&p->key[1]);
	uint32_t now;
	long answer;

	for (;;) {
		lock_two(b1, b2);
		if (expected == NULL || user_load32(addr, &now) == 0)
			break;
		unlock_two(b1, b2);
		if (futex_fault_in(addr, false) != 0)
			return -EFAULT;
	}
	if (expected != NULL && now != *expected)
		answer = -EAGAIN;
	else
		answer = requeue_locked(b1, b2, &p->key[0], &p->key[1], nwake,
		    nmove);
	unlock_two(b1, b2);
	return answer;
}

static long
futex_requeue(uaddr_t addr, uaddr_t addr2, bool private, int nwake, int nmove,
    const uint32_t *expected)
{
	struct futex_pair p;
	long answer;

	if (nwake < 0 || nmove < 0)
		return -EINVAL;
	answer = pair_get(&p, addr, addr2, private);
	if (answer == 0)
		answer = requeue_pair(&p, addr, nwake, nmove, expected);
	pair_put(&p);
	return answer;
}

/* FUTEX_WAKE_OP's word: operation, comparison and their operands. */
static int
op_apply(uint32_t encoded, uint32_t old, uint32_t *new)
{
	uint32_t op = encoded >> 28 & 7;
	uint32_t arg = (int32_t)(encoded << 8) >> 20;

	if ((encoded >> 28 & FUTEX_OP_OPARG_SHIFT) != 0)
		arg = 1u << (arg & 31);
	switch (op) {
	case FUTEX_OP_SET: *new = arg; return 0;
	case FUTEX_OP_ADD: *new = old + arg; return 0;
	case FUTEX_OP_OR: *new = old | arg; return 0;
	case FUTEX_OP_ANDN: *new = old & ~arg; return 0;
	case FUTEX_OP_XOR: *new = old ^ arg; return 0;
	default: return -ENOSYS;
	}
}

static int
op_compare(uint32_t encoded, uint32_t old_word, bool *holds)
{
	int32_t arg = (int32_t)(encoded << 20) >> 20, old = old_word;

	switch (encoded >> 24 & 15) {
	case FUTEX_OP_CMP_EQ: *holds = old == arg; return 0;
	case FUTEX_OP_CMP_NE: *holds = old != arg; return 0;
	case FUTEX_OP_CMP_LT: *holds = old < arg; return 0;
	case FUTEX_OP_CMP_GE: *holds = old >= arg; return 0;
	case FUTEX_OP_CMP_LE: *holds = old <= arg; return 0;
	case FUTEX_OP_CMP_GT: *holds = old > arg; return 0;
	default: return -ENOSYS;
	}
}

/* One atomic change of the word; never sleeps.  -EFAULT: not mapped. */
static int
op_on_word(uaddr_t addr, uint32_t encoded, uint32_t *old)
{
	uint32_t new, seen;
	int error;

	error = user_load32(addr, old);
	while (error == 0) {
		error = op_apply(encoded, *old, &new);
		if (error == 0)
			error = user_cmpxchg32(addr, *old, new, &seen);
		if (error != 0 || seen == *old)
			break;
		*old = seen;
	}
	return error;
}

static long
wake_op_pair(struct futex_pair *p, uaddr_t addr2, int n1, int n2,
    uint32_t encoded)
{
	struct futex_bucket *b1 = bucket_of(&p->key[0]);
	struct futex_bucket *b2 = bucket_of(&p->key[1]);
	uint32_t old;
	bool holds;
	int error, woken = 0;

	for (;;) {
		lock_two(b1, b2);
		error = op_on_word(addr2, encoded, &old);
		if (error != -EFAULT)
			break;
		unlock_two(b1, b2);
		if (futex_fault_in(addr2, true) != 0)
			return -EFAULT;
	}
	if (error == 0)
		error = op_compare(encoded, old, &holds);
	if (error == 0) {
		woken = wake_key_locked(b1, &p->key[0], MAX(n1, 1),
		    FUTEX_BITSET_MATCH_ANY);
		if (holds)
			woken += wake_key_locked(b2, &p->key[1], MAX(n2, 1),
			    FUTEX_BITSET_MATCH_ANY);
	}
	unlock_two(b1, b2);
	return error != 0 ? error : woken;
}

static long
futex_wake_op(uaddr_t addr, uaddr_t addr2, bool private, int n1, int n2,
    uint32_t encoded)
{
	struct futex_pair p;
	long answer;

	answer = pair_get(&p, addr, addr2, private);
	if (answer == 0)
		answer = wake_op_pair(&p, addr2, n1, n2, encoded);
	pair_put(&p);
	return answer;
}

/* ---- the call ---- */

/* FUTEX_WAIT's is a span, FUTEX_WAIT_BITSET's a moment of either clock. */
static int
wait_deadline(uaddr_t timeout, bool span, bool realtime, int64_t *deadline_ns)
{
	int64_t ns;
	int error;

	*deadline_ns = WAIT_FOREVER;
	if (timeout == 0)
		return 0;
	error = copyin_timespec(timeout, &ns);
	if (error != 0)
		return error;
	if (span)
		*deadline_ns = ns_add(clock_mono_ns(), ns);
	else if (realtime && ns != INT64_MAX)
		*deadline_ns = ns - clock_real_offset_ns();
	else
		*deadline_ns = ns;
	return 0;
}

/* The calls with priority inheritance; -ENOSYS for what is unknown. */
static long
futex_pi_call(uaddr_t addr, int cmd, bool private, bool realtime, uint32_t val,
    uaddr_t timeout, uaddr_t addr2, uint32_t val3)
{
	int64_t deadline_ns = WAIT_FOREVER;
	int error = 0;

	if (cmd == FUTEX_LOCK_PI) /* always, whatever the flag says */
		realtime = true;
	if (cmd == FUTEX_LOCK_PI || cmd == FUTEX_LOCK_PI2 ||
	    cmd == FUTEX_WAIT_REQUEUE_PI)
		error = wait_deadline(timeout, false, realtime, &deadline_ns);
	if (error != 0)
		return error;
	switch (cmd) {
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return futex_lock_pi(addr, private, false, deadline_ns);
	case FUTEX_TRYLOCK_PI:
		return futex_lock_pi(addr, private, true, WAIT_FOREVER);
	case FUTEX_UNLOCK_PI: return futex_unlock_pi(addr, private);
	case FUTEX_WAIT_REQUEUE_PI:
		return futex_wait_requeue_pi(addr, addr2, private, val,
		    FUTEX_BITSET_MATCH_ANY, deadline_ns);
	case FUTEX_CMP_REQUEUE_PI:
		return futex_cmp_requeue_pi(addr, addr2, private, val,
		    (int)timeout, val3);
	default: return -ENOSYS;
	}
}

long
sys_futex(uaddr_t addr, int op, uint32_t val, uaddr_t timeout, uaddr_t addr2,
    uint32_t val3)
{
	bool private = (op & FUTEX_PRIVATE_FLAG) != 0;
	bool realtime = (op & FUTEX_CLOCK_REALTIME) != 0;
	int cmd = op & FUTEX_CMD_MASK, error;
	int64_t deadline_ns;

	if (realtime && cmd != FUTEX_WAIT && cmd != FUTEX_WAIT_BITSET &&
	    cmd != FUTEX_WAIT_REQUEUE_PI && cmd != FUTEX_LOCK_PI2)
		return -ENOSYS;
	switch (cmd) {
	case FUTEX_WAIT:
		val3 = FUTEX_BITSET_MATCH_ANY;
		/* fall through */
	case FUTEX_WAIT_BITSET:
		error = wait_deadline(timeout, cmd == FUTEX_WAIT, realtime,
		    &deadline_ns);
		if (error != 0)
			return error;
		return futex_wait_call(addr, private, val, val3, deadline_ns);
	case FUTEX_WAKE:
		return futex_wake(addr, private, val, FUTEX_BITSET_MATCH_ANY);
	case FUTEX_WAKE_BITSET: return futex_wake(addr, private, val, val3);
	case FUTEX_REQUEUE:
		return futex_requeue(addr, addr2, private, val, (int)timeout,
		    NULL);
	case FUTEX_CMP_REQUEUE:
		return futex_requeue(addr, addr2, private, val, (int)timeout,
		    &val3);
	case FUTEX_WAKE_OP:
		return futex_wake_op(addr, addr2, private, val, (int)timeout,
		    val3);
	default:
		return futex_pi_call(addr, cmd, private, realtime, val, timeout,
		    addr2, val3);
	}
}

/* ---- robust lists; <linux/futex.h> ---- */

#define FUTEX_ROBUST_PI 1ul /* low bit of a list pointer */

long
sys_set_robust_list(uaddr_t head, size_t len)
{
	if (len != sizeof(struct robust_list_head))
		return -EINVAL;
	task_self()->robust_list = head;
	return 0;
}

long
sys_get_robust_list(int32_t pid, uaddr_t head, uaddr_t len)
{
	uint64_t size = sizeof(struct robust_list_head);
	struct task *t = task_self();
	uaddr_t list = 0;
	uint64_t irq;
	int error = 0;

	irq = spin_lock_irq(&process_list_lock);
	if (pid != 0)
		t = task_find_locked(pid);
	if (t == NULL)
		error = -ESRCH;
	else if (t->process != process_self() && creds_self()->euid != 0)
		error = -EPERM;
	else
		list = t->robust_list;
	spin_unlock_irq(&process_list_lock, irq);
	if (error != 0)
		return error;
	if (copyout(len, &size, sizeof(size)) != 0 ||
	    copyout(head, &list, sizeof(list)) != 0)
		return -EFAULT;
	return 0;
}

/* The owner died: says so in the word, and lets the next one try. */
static int
mark_dead(struct task *t, uaddr_t addr, bool pi, bool pending)
{
	uint32_t old, new, seen;

	if (addr % 4 != 0 || copyin(&old, addr, sizeof(old)) != 0)
		return -EFAULT;
	for (;;) {
		if (pending && !pi && old == 0) {
			/* It unlocked, but died before it could wake. */
			futex_wake_address(addr, 1);
			return 0;
		}
		if ((old & FUTEX_TID_MASK) != (uint32_t)t->tid)
			return 0;
		new = (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED;
		if (user_cmpxchg32(addr, old, new, &seen) != 0) {
			if (futex_fault_in(addr, true) != 0)
				return -EFAULT;
			continue;
		}
		if (seen == old)
			break;
		old = seen;
	}
	if (!pi && (old & FUTEX_WAITERS) != 0)
		futex_wake_address(addr, 1);
	return 0;
}

void
futex_exit_robust(struct task *t)
{
	uaddr_t head = t->robust_list, entry, next, pending;
	struct robust_list_head h;
	unsigned limit;

	t->robust_list = 0;
	if (head == 0 || copyin(&h, head, sizeof(h)) != 0)
		return;
	entry = (uaddr_t)h.list.next;
	pending = (uaddr_t)h.list_op_pending;
	for (limit = ROBUST_LIST_LIMIT; limit > 0; limit--) {
		uaddr_t at = entry & ~FUTEX_ROBUST_PI;

		if (at == head || copyin(&next, at, sizeof(next)) != 0)
			break;
		if (at != (pending & ~FUTEX_ROBUST_PI) &&
		    mark_dead(t, at + h.futex_offset,
			(entry & FUTEX_ROBUST_PI) != 0, false) != 0)
			return;
		entry = next;
	}
	if (pending != 0)
		(void)mark_dead(t,
		    (pending & ~FUTEX_ROBUST_PI) + h.futex_offset,
		    (pending & FUTEX_ROBUST_PI) != 0, true);
}
