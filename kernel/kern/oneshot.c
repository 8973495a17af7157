/* SPDX-License-Identifier: ISC */
/* oneshot.c - waiting for something that happens once. */
#include "kern/oneshot.h"
#include "kern/thread.h"
#include "kern/waitq.h"
#include "x86/cpu.h"

void
oneshot_init(struct oneshot *o)
{
	o->thread = thread_self();
	o->fired = o->left = false;
}

void
oneshot_fire(struct oneshot *o)
{
	preempt_disable(); /* the waiter may spin until we left */
	__atomic_store_n(&o->fired, true, __ATOMIC_SEQ_CST);
	thread_wake(o->thread);
	__atomic_store_n(&o->left, true, __ATOMIC_RELEASE);
	preempt_enable();
}

void
oneshot_wait(struct oneshot *o)
{
	for (;;) {
		wait_prepare(WAIT_UNINTERRUPTIBLE);
		if (__atomic_load_n(&o->fired, __ATOMIC_SEQ_CST))
			break;
		(void)wait_sleep(WAIT_UNINTERRUPTIBLE, WAIT_FOREVER);
	}
	wait_finish();
	while (!__atomic_load_n(&o->left, __ATOMIC_ACQUIRE))
		cpu_pause();
}
