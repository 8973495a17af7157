/* SPDX-License-Identifier: ISC */
/*
 * segment.c - the programs' FS and GS bases.  Where the processor lets
 * programs change them (FSGSBASE) they are read back from it; elsewhere only
 * arch_prctl(2) changes them and struct thread has them.
 */
#include "kern/thread.h"
#include "x86/cpu.h"

#define MSR_FS_BASE  0xc0000100
#define MSR_KGS_BASE 0xc0000102 /* the program's, while in the kernel */

void
user_bases_save(struct thread *t)
{
	uint64_t fs, gs;

	if (!cpu_features()->fsgsbase)
		return;
	__asm__ volatile("rdfsbase %0" : "=r"(fs));
	__asm__ volatile("swapgs; rdgsbase %0; swapgs" : "=r"(gs));
	t->fsbase = fs;
	t->gsbase = gs;
}

void
user_bases_load(const struct thread *t)
{
	if (!cpu_features()->fsgsbase) {
		wrmsr(MSR_FS_BASE, t->fsbase);
		wrmsr(MSR_KGS_BASE, t->gsbase);
		return;
	}
	__asm__ volatile("wrfsbase %0" ::"r"(t->fsbase));
	__asm__ volatile("swapgs; wrgsbase %0; swapgs" ::"r"(t->gsbase)
			 : "memory");
}

static void
set_base(uint64_t *field, uint64_t base)
{
	uint64_t state = irq_save();
	struct thread *t = thread_self();

	user_bases_save(t);
	*field = base;
	user_bases_load(t);
	irq_restore(state);
}

void
user_set_fsbase(uint64_t base)
{
	set_base(&thread_self()->fsbase, base);
}

void
user_set_gsbase(uint64_t base)
{
	set_base(&thread_self()->gsbase, base);
}

static uint64_t
get_base(const uint64_t *field)
{
	uint64_t state = irq_save(), base;

	user_bases_save(thread_self());
	base = *field;
	irq_restore(state);
	return base;
}

uint64_t
user_fsbase(void)
{
	return get_base(&thread_self()->fsbase);
}

uint64_t
user_gsbase(void)
{
	return get_base(&thread_self()->gsbase);
}
