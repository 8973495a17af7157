/* SPDX-License-Identifier: ISC */
/*
 * thread.c - making and ending threads.  Who runs when is sched.c's.
 */
#include "kern/thread.h"
#include "kern/kmem.h"
#include "kern/panic.h"
#include "kern/sched.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "kern/waitq.h"
#include "x86/debugreg.h"
#include "x86/machdep.h"

static struct objcache thread_cache = OBJCACHE_INIT("thread",
    sizeof(struct thread));

/* Every thread; scripts/remora.gdb walks it. */
static struct {
	struct spinlock lock;
	TAILQ_HEAD(, thread) list;
} all = { SPINLOCK_INIT, TAILQ_HEAD_INITIALIZER(all.list) };

void
thread_register(struct thread *t)
{
	uint64_t state = spin_lock_irq(&all.lock);

	TAILQ_INSERT_TAIL(&all.list, t, all_link);
	spin_unlock_irq(&all.lock, state);
}

/* What switch_context() finds on a new stack: six registers, the entry. */
static void
stack_prepare(struct thread *t)
{
	uint64_t *sp = (uint64_t *)tf_of(t);

	*--sp = (uint64_t)thread_begin;
	sp -= 6;
	memset(sp, 0, 6 * sizeof(*sp));
	t->ctx_sp = (uint64_t)sp;
}

int
thread_create(const char *name, void (*fn)(void *), void *arg,
    struct thread **out)
{
	struct thread *t = objcache_zalloc(&thread_cache);

	if (t == NULL)
		return -ENOMEM;
	t->kstack = kstack_alloc();
	if (t->kstack == NULL) {
		objcache_free(&thread_cache, t);
		return -ENOMEM;
	}
	strlcpy(t->name, name, sizeof(t->name));
	t->fn = fn;
	t->arg = arg;
	t->affinity = ~0ull;
	t->cpu = cpu_id();
	t->fpu_cpu = UINT32_MAX;
	t->state = THREAD_SLEEPING;
	stack_prepare(t);
	thread_register(t);
	*out = t;
	return 0;
}

void
thread_destroy(struct thread *t)
{
	uint64_t state = spin_lock_irq(&all.lock);

	TAILQ_REMOVE(&all.list, t, all_link);
	spin_unlock_irq(&all.lock, state);
	fpu_free(t);
	debugreg_free(t);
	kstack_free(t->kstack);
	objcache_free(&thread_cache, t);
}

void
thread_start(struct thread *t)
{
	thread_wake(t);
}

/* Called on the new stack, interrupts off, as sched_switch() left them. */
void
thread_main(void)
{
	struct thread *t;

	sched_switched();
	t = thread_self();
	irq_enable();
	preempt_enable();
	t->fn(t->arg);
	thread_exit();
}

void
thread_interrupt(struct thread *t)
{
	__atomic_store_n(&t->interrupted, true, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&t->interruptible, __ATOMIC_SEQ_CST))
		thread_wake(t);
	sched_kick(t);
}

void
thread_set_vmspace(struct thread *t, struct vmspace *vm)
{
	uint64_t state = irq_save();

	t->vmspace = vm;
	if (t == thread_self() && vm != NULL)
		sched_load_vmspace(vm);
	irq_restore(state);
}
