/* SPDX-License-Identifier: ISC */
/*
 * p9.c - 9P channels between their drivers and the file system.
 *
 * A channel has a reference of its driver's, until p9_depart(), and one of who
 * claimed it.  The driver's keeps it while an interrupt wakes a caller.
 */
#include "dev/p9.h"
#include "bus/gate.h"
#include "kern/kmem.h"
#include "kern/spinlock.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include <linux/errno.h>

struct p9_channel {                   /* I: constant; l: list_lock; a: atomic */
	const struct p9_ops *ops;     /* [I] */
	void *arg;                    /* [I] the driver's */
	unsigned max_runs;            /* [I] */
	char *tag;                    /* [I] */
	struct gate gate;             /* around submit() */
	struct waitq wq;              /* callers, for answers and for room */
	uint32_t ended;               /* [a] requests; changes make room */
	uint32_t refs;                /* [l] */
	bool claimed;                 /* [l] */
	TAILQ_ENTRY(p9_channel) link; /* [l] until it departs */
};

static struct spinlock list_lock = SPINLOCK_INIT;
static TAILQ_HEAD(, p9_channel) channels = TAILQ_HEAD_INITIALIZER(channels);

static void
put(struct p9_channel *ch)
{
	bool last;

	spin_lock(&list_lock);
	last = --ch->refs == 0;
	spin_unlock(&list_lock);
	if (last) {
		kfree(ch->tag);
		kfree(ch);
	}
}

int
p9_arrive(const char *tag, const struct p9_ops *ops, void *arg,
    unsigned max_runs, struct p9_channel **out)
{
	struct p9_channel *ch = kzalloc(sizeof(*ch));

	if (ch != NULL)
		ch->tag = kstrdup(tag);
	if (ch == NULL || ch->tag == NULL) {
		kfree(ch);
		return -ENOMEM;
	}
	ch->ops = ops;
	ch->arg = arg;
	ch->max_runs = max_runs;
	ch->refs = 1;
	gate_init(&ch->gate);
	waitq_init(&ch->wq);
	*out = ch;
	spin_lock(&list_lock);
	TAILQ_INSERT_TAIL(&channels, ch, link);
	spin_unlock(&list_lock);
	return 0;
}

/* Whoever waits for room looks again. */
static void
wake(struct p9_channel *ch)
{
	__atomic_add_fetch(&ch->ended, 1, __ATOMIC_RELEASE);
	waitq_wake_all(&ch->wq);
}

void
p9_depart(struct p9_channel *ch)
{
	if (ch == NULL)
		return;
	spin_lock(&list_lock);
	TAILQ_REMOVE(&channels, ch, link);
	spin_unlock(&list_lock);
	gate_shut(&ch->gate);
	wake(ch);
	put(ch);
}

void
p9_done(struct p9_req *req, int error)
{
	struct p9_channel *ch = req->channel;

	req->error = error;
	__atomic_store_n(&req->answered, true, __ATOMIC_RELEASE);
	wake(ch); /* req may be no more */
}

int
p9_claim(const char *tag, struct p9_channel **out)
{
	struct p9_channel *ch;
	int error = -ENOENT;

	spin_lock(&list_lock);
	TAILQ_FOREACH (ch, &channels, link) {
		if (strcmp(ch->tag, tag) != 0)
			continue;
		error = ch->claimed ? -EBUSY : 0;
		if (error == 0)
			break;
	}
	if (ch != NULL) {
		ch->claimed = true;
		ch->refs++;
		*out = ch;
	}
	spin_unlock(&list_lock);
	return error;
}

void
p9_release(struct p9_channel *ch)
{
	spin_lock(&list_lock);
	ch->claimed = false;
	spin_unlock(&list_lock);
	put(ch);
}

unsigned
p9_max_runs(const struct p9_channel *ch)
{
	return ch->max_runs;
}

static uint32_t
ended(const struct p9_channel *ch)
{
	return __atomic_load_n(&ch->ended, __ATOMIC_ACQUIRE);
}

/* A host that does not answer is waited for, as a disk is. */
int
p9_call(struct p9_channel *ch, struct p9_req *req)
{
	uint32_t before;
	int error;

	req->channel = ch;
	for (;;) {
		req->answered = false;
		before = ended(ch);
		if (!gate_enter(&ch->gate))
			return -ENODEV;
		error = ch->ops->submit(ch->arg, req);
		gate_exit(&ch->gate);
		if (error != -EAGAIN)
			break;
		wait_event(&ch->wq, ended(ch) != before);
	}
	if (error != 0)
		return error;
	wait_event(&ch->wq, __atomic_load_n(&req->answered, __ATOMIC_ACQUIRE));
	return req->error;
}
