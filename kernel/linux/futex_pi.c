/* SPDX-License-Identifier: ISC */
/*
 * futex_pi.c - futexes with priority inheritance: the word holds its owner's
 * number, and the owner runs with the highest priority of those who wait.
 * futex(2), "Priority-inheritance futexes"; <linux/futex.h>.
 *
 * They are rare, so all waiters of all words are on one list under one spin
 * lock, and what is asked of them is found by going through it.  Ownership is
 * handed over by whoever unlocks: the word names the next owner before that
 * one wakes.  A waiter is in one of these states:
 *
 *   WAITS   for a word that `owner` has
 *   PARKED  on the word of a condition (FUTEX_WAIT_REQUEUE_PI)
 *   OWNS    the word was handed to it
 *   AGAIN   its owner ended, or there was no owner: it shall look itself
 *
 * Lock order: this lock, then process_list_lock, then run queues.
 */
#include "kern/clock.h"
#include "kern/panic.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/uaccess.h"
#include "kern/waitq.h"
#include "linux/futex.h"
#include "linux/futex_impl.h"
#include "linux/process.h"
#include <linux/errno.h>
#include <linux/futex.h>

#define CHAIN_MAX 64 /* owners that wait for owners */

enum pi_state { PI_WAITS, PI_PARKED, PI_OWNS, PI_AGAIN };

struct pi_waiter {
	TAILQ_ENTRY(pi_waiter) link;
	struct futex_key key;
	struct futex_key target; /* PARKED: where it will be moved */
	struct task *task;       /* [I] */
	struct task *owner;      /* WAITS: whom it waits for */
	enum pi_state state;     /* [a] for the sleeper */
	int32_t dead_tid;        /* AGAIN: who had the word when it ended */
};

static struct {
	struct spinlock lock;
	TAILQ_HEAD(, pi_waiter) waiters;
} pi = { SPINLOCK_INIT, TAILQ_HEAD_INITIALIZER(pi.waiters) };

/* ---- who waits for whom ---- */

/* A greater number goes first: real-time priorities, then nice values. */
static int
rank_of(const struct task *t)
{
	return t->thread->rt > 0 ? 100 + t->thread->rt : 20 - t->thread->nice;
}

/* The first of those who wait for a word, by rank, then by age. */
static struct pi_waiter *
top_locked(const struct futex_key *key, enum pi_state state)
{
	struct pi_waiter *w, *top = NULL;

	TAILQ_FOREACH (w, &pi.waiters, link)
		if (w->state == state && futex_same_key(&w->key, key) &&
		    (top == NULL || rank_of(w->task) > rank_of(top->task)))
			top = w;
	return top;
}

static unsigned
count_locked(const struct futex_key *key, enum pi_state state)
{
	struct pi_waiter *w;
	unsigned n = 0;

	TAILQ_FOREACH (w, &pi.waiters, link)
		n += w->state == state && futex_same_key(&w->key, key);
	return n;
}

/* Whom t waits for; NULL: nobody. */
static struct task *
blocked_on_locked(const struct task *t)
{
	struct pi_waiter *w;

	TAILQ_FOREACH (w, &pi.waiters, link)
		if (w->task == t && w->state == PI_WAITS)
			return w->owner;
	return NULL;
}

/* t gets the highest priority of who waits for it; so do its own owners. */
static void
inherit_locked(struct task *t)
{
	struct pi_waiter *w;
	unsigned depth;
	int boost;

	for (depth = 0; t != NULL && depth < CHAIN_MAX; depth++) {
		boost = 0;
		TAILQ_FOREACH (w, &pi.waiters, link)
			if (w->state == PI_WAITS && w->owner == t)
				boost = MAX(boost, w->task->thread->rt);
		if (boost == t->pi_boost)
			break;
		t->pi_boost = boost;
		task_apply_class(t);
		t = blocked_on_locked(t);
	}
}

/* Would waiting for t never end? */
static bool
closes_circle_locked(struct task *t)
{
	unsigned depth;

	for (depth = 0; t != NULL && depth < CHAIN_MAX; depth++) {
		if (t == task_self())
			return true;
		t = blocked_on_locked(t);
	}
	return t != NULL;
}

static void
wait_for_locked(struct pi_waiter *w, struct task *owner)
{
	w->owner = owner;
	w->state = PI_WAITS;
	__atomic_add_fetch(&owner->pi_waiters, 1, __ATOMIC_RELAXED);
	inherit_locked(owner);
}

/* w waits for nobody any more. */
static void
let_go_locked(struct pi_waiter *w, enum pi_state state)
{
	struct task *owner = w->owner;

	w->owner = NULL;
	__atomic_store_n(&w->state, state, __ATOMIC_RELEASE);
	if (owner == NULL)
		return;
	__atomic_sub_fetch(&owner->pi_waiters, 1, __ATOMIC_RELAXED);
	inherit_locked(owner);
}

/*
 * The task that a word names, kept from ending unseen by being counted on:
 * wait_for_locked() comes before the list's lock is given back.
 */
static int
wait_for_tid_locked(struct pi_waiter *w, int32_t tid)
{
	uint64_t irq = spin_lock_irq(&process_list_lock);
	struct task *owner = task_find_locked(tid);
	int error = owner == NULL ? -ESRCH : 0;

	if (error == 0 && w->task == task_self() && closes_circle_locked(owner))
		error = -EDEADLK;
	if (error == 0)
		wait_for_locked(w, owner);
	spin_unlock_irq(&process_list_lock, irq);
	return error;
}

/* ---- the word ---- */

/* Names `tid` the owner, if the word still is `old`.  -EFAULT, -EAGAIN */
static int
give_locked(uaddr_t addr, uint32_t old, uint32_t new)
{
	uint32_t seen;
	int error = user_cmpxchg32(addr, old, new, &seen);

	if (error != 0)
		return error;
	return seen == old ? 0 : -EAGAIN;
}

/* May w have the word as it is?  Its owner is nobody, or ended. */
static bool
is_free(const struct pi_waiter *w, uint32_t word)
{
	int32_t tid = word & FUTEX_TID_MASK;

	return tid == 0 || (w->state == PI_AGAIN && tid == w->dead_tid);
}

static uint32_t
word_for(const struct pi_waiter *w, uint32_t word, bool others)
{
	uint32_t new = w->task->tid | (word & FUTEX_OWNER_DIED);

	if ((word & FUTEX_TID_MASK) != 0)
		new |= FUTEX_OWNER_DIED;
	return others ? new | FUTEX_WAITERS : new;
}

/*
 * One try for w, who is on the list: 0 it is w's, 1 w waits for its owner.
 *   -EAGAIN  tried only, and it is another's;  -EFAULT: not there just now
 *   -EDEADLK, -ESRCH
 */
static int
take_locked(struct pi_waiter *w, uaddr_t addr, bool try)
{
	uint32_t word;
	int error;

	do {
		error = user_load32(addr, &word);
		if (error != 0)
			return error;
		if ((word & FUTEX_TID_MASK) == (uint32_t)w->task->tid)
			return -EDEADLK;
		if (is_free(w, word)) {
			error = give_locked(addr, word,
			    word_for(w, word,
				count_locked(&w->key, PI_WAITS) > 0));
			if (error == 0)
				return 0;
		} else if (try) {
			return -EAGAIN;
		} else {
			error = give_locked(addr, word, word | FUTEX_WAITERS);
			if (error == 0)
				error = wait_for_tid_locked(w,
				    word & FUTEX_TID_MASK);
			if (error == 0)
				return 1;
		}
	} while (error == -EAGAIN);
	return error;
}

/* Sleeps until there is news for w.  0, -ETIMEDOUT, -ERESTARTNOINTR */
static int
sleep_for(struct pi_waiter *w, enum pi_state asleep, int64_t deadline_ns)
{
	int error = 0;

	for (;;) {
		enum pi_state now;

		wait_prepare(WAIT_INTERRUPTIBLE);
		now = __atomic_load_n(&w->state, __ATOMIC_ACQUIRE);
		if (error != 0 || (now != asleep && now != PI_WAITS))
			break;
		error = wait_sleep(WAIT_INTERRUPTIBLE, deadline_ns);
	}
	wait_finish();
	return error == -ERESTARTSYS ? -ERESTARTNOINTR : error;
}

/* Off the list; what it waited for is told.  Was it given the word? */
static bool
leave(struct pi_waiter *w)
{
	bool owns;

	spin_lock(&pi.lock);
	owns = w->state == PI_OWNS;
	if (w->state == PI_WAITS)
		let_go_locked(w, PI_AGAIN);
	TAILQ_REMOVE(&pi.waiters, w, link);
	spin_unlock(&pi.lock);
	return owns;
}

/* Locks the word for w, which is on no list. */
static long
lock_word(struct pi_waiter *w, uaddr_t addr, bool try, int64_t deadline_ns)
{
	int error;

	for (;;) {
		spin_lock(&pi.lock);
		TAILQ_INSERT_TAIL(&pi.waiters, w, link);
		error = take_locked(w, addr, try);
		if (error != 1)
			TAILQ_REMOVE(&pi.waiters, w, link);
		spin_unlock(&pi.lock);
		if (error == -EFAULT && futex_fault_in(addr, true) == 0)
			continue;
		if (error != 1)
			return error;
		error = sleep_for(w, PI_WAITS, deadline_ns);
		if (leave(w))
			return 0;
		if (error != 0)
			return error;
	}
}

long
futex_lock_pi(uaddr_t addr, bool private, bool try, int64_t deadline_ns)
{
	struct pi_waiter w = { .task = task_self(), .state = PI_AGAIN };
	struct vm_object *object;
	long error;

	error = futex_key(addr, private, &w.key, &object);
	if (error != 0)
		return error;
	error = lock_word(&w, addr, try, deadline_ns);
	futex_key_put(object);
	return error;
}

/* The others of the word wait for its new owner. */
static void
hand_over_locked(struct pi_waiter *top)
{
	struct pi_waiter *w;

	let_go_locked(top, PI_OWNS);
	TAILQ_FOREACH (w, &pi.waiters, link)
		if (w->state == PI_WAITS &&
		    futex_same_key(&w->key, &top->key)) {
			let_go_locked(w, PI_WAITS);
			wait_for_locked(w, top->task);
		}
	thread_wake(top->task->thread);
}

static int
unlock_locked(const struct futex_key *key, uaddr_t addr)
{
	struct pi_waiter *top = top_locked(key, PI_WAITS);
	uint32_t word, new = 0;
	int error = user_load32(addr, &word);

	if (error != 0)
		return error;
	if ((word & FUTEX_TID_MASK) != (uint32_t)task_self()->tid)
		return -EPERM;
	if (top != NULL) {
		new = top->task->tid;
		if (count_locked(key, PI_WAITS) > 1)
			new |= FUTEX_WAITERS;
	}
	error = give_locked(addr, word, new);
	if (error == 0 && top != NULL)
		hand_over_locked(top);
	return error;
}

long
futex_unlock_pi(uaddr_t addr, bool private)
{
	struct vm_object *object;
	struct futex_key key;
	int error;

	error = futex_key(addr, private, &key, &object);
	if (error != 0)
		return error;
	do {
		spin_lock(&pi.lock);
		error = unlock_locked(&key, addr);
		spin_unlock(&pi.lock);
		if (error == -EFAULT && futex_fault_in(addr, true) == 0)
			error = -EAGAIN;
	} while (error == -EAGAIN);
	futex_key_put(object);
	return error;
}

/* ---- conditions ---- */

/* Parks w on addr if that still holds val. */
static int
park(struct pi_waiter *w, uaddr_t addr, uint32_t val)
{
	uint32_t now;
	int error;

	for (;;) {
		spin_lock(&pi.lock);
		error = user_load32(addr, &now);
		if (error == 0 && now != val)
			error = -EAGAIN;
		if (error == 0) {
			w->state = PI_PARKED;
			TAILQ_INSERT_TAIL(&pi.waiters, w, link);
		}
		spin_unlock(&pi.lock);
		if (error != -EFAULT || futex_fault_in(addr, false) != 0)
			return error;
	}
}

long
futex_wait_requeue_pi(uaddr_t addr, uaddr_t addr2, bool private, uint32_t val,
    uint32_t bits, int64_t deadline_ns)
{
	struct vm_object *object, *object2 = NULL;
	struct pi_waiter w = { .task = task_self() };
	long error;

	if (addr == addr2 || bits == 0)
		return -EINVAL;
	error = futex_key(addr, private, &w.key, &object);
	if (error == 0)
		error = futex_key(addr2, private, &w.target, &object2);
	if (error == 0)
		error = park(&w, addr, val);
	if (error == 0) {
		error = sleep_for(&w, PI_PARKED, deadline_ns);
		if (leave(&w))
			error = 0;
		else if (error == 0) { /* the owner ended: take it oneself */
			w.key = w.target;
			error = lock_word(&w, addr2, false, deadline_ns);
		} else if (error == -ERESTARTNOINTR)
			error = -EAGAIN; /* spurious, as Linux has it */
	}
	futex_key_put(object);
	futex_key_put(object2);
	return error;
}

/* Moves w, who is parked, to the lock: it owns that, or waits for it. */
static int
move_locked(struct pi_waiter *w, uaddr_t addr2)
{
	struct futex_key old = w->key;
	int error;

	w->key = w->target;
	error = take_locked(w, addr2, false);
	if (error == 0) {
		__atomic_store_n(&w->state, PI_OWNS, __ATOMIC_RELEASE);
		thread_wake(w->task->thread);
	} else if (error < 0) {
		w->key = old;
	}
	return error;
}

static long
requeue_locked(const struct futex_key *k1, const struct futex_key *k2,
    uaddr_t addr, uaddr_t addr2, int nmove, uint32_t expected)
{
	struct pi_waiter *w;
	uint32_t now;
	int error = user_load32(addr, &now);
	long moved = 0;

	if (error != 0)
		return error;
	if (now != expected)
		return -EAGAIN;
	while (moved <= nmove && (w = top_locked(k1, PI_PARKED)) != NULL) {
		if (!futex_same_key(&w->target, k2))
			return -EINVAL;
		error = move_locked(w, addr2);
		if (error < 0)
			return moved != 0 ? moved : error;
		moved++;
	}
	return moved;
}

long
futex_cmp_requeue_pi(uaddr_t addr, uaddr_t addr2, bool private, int nwake,
    int nmove, uint32_t expected)
{
	struct vm_object *object, *object2 = NULL;
	struct futex_key k1, k2;
	long answer;

	if (nwake != 1 || nmove < 0 || addr == addr2)
		return -EINVAL;
	answer = futex_key(addr, private, &k1, &object);
	if (answer == 0)
		answer = futex_key(addr2, private, &k2, &object2);
	while (answer == 0) {
		spin_lock(&pi.lock);
		answer = requeue_locked(&k1, &k2, addr, addr2, nmove, expected);
		spin_unlock(&pi.lock);
		if (answer != -EFAULT)
			break;
		if (futex_fault_in(addr, false) == 0 &&
		    futex_fault_in(addr2, true) == 0)
			answer = 0;
	}
	futex_key_put(object);
	futex_key_put(object2);
	return answer;
}

/* ---- ends ---- */

void
futex_exit_pi(struct task *t)
{
	struct pi_waiter *w;

	if (__atomic_load_n(&t->pi_waiters, __ATOMIC_ACQUIRE) == 0)
		return;
	spin_lock(&pi.lock);
	TAILQ_FOREACH (w, &pi.waiters, link) {
		if (w->state != PI_WAITS || w->owner != t)
			continue;
		w->owner = NULL;
		w->dead_tid = t->tid;
		__atomic_store_n(&w->state, PI_AGAIN, __ATOMIC_RELEASE);
		thread_wake(w->task->thread);
	}
	t->pi_waiters = 0;
	spin_unlock(&pi.lock);
}
