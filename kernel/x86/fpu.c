/* SPDX-License-Identifier: ISC */
/*
 * fpu.c - the programs' floating-point and vector registers.  Intel SDM vol. 1,
 * ch. 13.
 *
 * The kernel never uses them, so they stay in the processor across system
 * calls, interrupts and kernel threads.  With one processor they are stored
 * only when another program's thread gets it.  With several they are stored
 * whenever their thread leaves a processor, as it may go on elsewhere, but
 * not loaded again if it comes back to where they still are: that is so when
 * the processor's fpu_owner and the thread's fpu_cpu name each other.
 */
#include "kern/page.h"
#include "kern/panic.h"
#include "kern/string.h"
#include "kern/thread.h"
#include "x86/cpu.h"
#include "x86/layout.h"
#include "x86/machdep.h"
#include <linux/errno.h>

#define CR4_OSXSAVE (1ul << 18)

/* x87, SSE, AVX, and AVX-512's three; what fits a page. */
#define XCR0_WANTED 0xe7ull

#define MXCSR_DEFAULT 0x1f80

struct fx_area { /* SDM vol. 1, 10.5.1, and the header, 13.4.2 */
	uint16_t fcw, fsw, ftw, fop;
	uint64_t fip, fdp;
	uint32_t mxcsr, mxcsr_mask;
	uint8_t regs[480];
	uint64_t header[8];
};
_Static_assert(sizeof(struct fx_area) == 576, "SDM vol. 1, 13.4");

static const struct fx_area initial
    __attribute__((aligned(64))) = { .fcw = 0x37f, .mxcsr = MXCSR_DEFAULT };

bool fpu_is_stored;

static void
area_store(void *area)
{
	const struct cpu_features *f = cpu_features();

	if (f->xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(area),
				 "a"((uint32_t)f->xcr0),
				 "d"((uint32_t)(f->xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static void
area_load(const void *area)
{
	const struct cpu_features *f = cpu_features();

	if (f->xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(area),
				 "a"((uint32_t)f->xcr0),
				 "d"((uint32_t)(f->xcr0 >> 32))
				 : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/* uaccess_copy.S */
int user_xsave(void *to, uint64_t what);
int user_xrstor(const void *from, uint64_t what);

static void
set_xcr0(struct cpu_features *f)
{
	struct cpuid r = cpuid(0xd, 0);

	f->xcr0 = (r.eax | (uint64_t)r.edx << 32) & XCR0_WANTED;
	if ((f->xcr0 & 0xe0) != 0xe0 || (f->xcr0 & 4) == 0)
		f->xcr0 &= ~0xe0ull;
	write_cr4(read_cr4() | CR4_OSXSAVE);
	__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)f->xcr0),
	    "d"((uint32_t)(f->xcr0 >> 32)));
	f->fpu_size = cpuid(0xd, 0).ebx;
	if (f->fpu_size > PAGE_SIZE) {
		f->xcr0 &= 7;
		__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)f->xcr0),
		    "d"(0));
		f->fpu_size = cpuid(0xd, 0).ebx;
	}
}

void
fpu_init(void)
{
	struct cpu_features *f = (struct cpu_features *)cpu_features();

	f->fpu_size = 512;
	if (f->xsave)
		set_xcr0(f);
	__asm__ volatile("fninit");
}

/* One free area stays at hand: each return from a handler wants one. */
static void *spare_area;

void *
fpu_area_alloc(void)
{
	void *area = __atomic_exchange_n(&spare_area, NULL, __ATOMIC_ACQ_REL);
	struct page *p;

	if (area != NULL)
		return area;
	p = page_alloc(0, 0);
	return p != NULL ? page_kva(p) : NULL;
}

void
fpu_area_free(void *area)
{
	if (area != NULL)
		area = __atomic_exchange_n(&spare_area, area, __ATOMIC_ACQ_REL);
	if (area != NULL)
		page_put(page_of_paddr(kva_paddr(area)));
}

void
fpu_init_other(void)
{
	const struct cpu_features *f = cpu_features();

	if (f->xsave)
		__asm__ volatile("xsetbv" ::"c"(0), "a"((uint32_t)f->xcr0),
		    "d"((uint32_t)(f->xcr0 >> 32)));
	__asm__ volatile("fninit");
}

int
fpu_prepare(struct thread *t)
{
	if (t->fpu != NULL)
		return 0;
	t->fpu = fpu_area_alloc();
	if (t->fpu == NULL)
		return -ENOMEM;
	memset(t->fpu, 0, PAGE_SIZE);
	memcpy(t->fpu, &initial, sizeof(initial));
	return 0;
}

/* Do this processor's registers belong to t? */
static bool
is_here(const struct percpu *pc, const struct thread *t)
{
	return pc->fpu_owner == t && t->fpu_cpu == pc->id;
}

static void
take(struct percpu *pc, struct thread *t)
{
	pc->fpu_owner = t;
	pc->fpu_unsaved = true;
	t->fpu_cpu = pc->id;
}

void
fpu_swap(struct thread *t, void **area)
{
	void *old;

	preempt_disable();
	old = t->fpu;
	t->fpu = *area;
	*area = old;
	fpu_load(t);
	preempt_enable();
}

void
fpu_save(struct thread *t)
{
	preempt_disable();
	if (cpu_self()->fpu_unsaved && is_here(cpu_self(), t))
		area_store(t->fpu);
	preempt_enable();
}

void
fpu_load(struct thread *t)
{
	preempt_disable();
	area_load(t->fpu);
	take(cpu_self(), t);
	preempt_enable();
}

/* Is that a program's memory, as a whole? */
static bool
is_users(uaddr_t at)
{
	return at < USER_END - PAGE_SIZE;
}

/*
 * Under preempt_disable() a fault is never served, so it cannot sleep and the
 * registers stay the caller's.
 */
int
fpu_store_user(uaddr_t at)
{
	const struct cpu_features *f = cpu_features();
	struct thread *self = thread_self();
	int error = -1;

	if (!f->xsave || !is_users(at))
		return -EFAULT;
	preempt_disable();
	if (cpu_self()->fpu_unsaved && is_here(cpu_self(), self))
		error = user_xsave((void *)at, f->xcr0);
	preempt_enable();
	return error == 0 ? 0 : -EFAULT;
}

int
fpu_load_user(uaddr_t at)
{
	const struct cpu_features *f = cpu_features();
	struct thread *self = thread_self();
	int error = -1;

	if (!f->xsave || !is_users(at))
		return -EFAULT;
	preempt_disable();
	if (is_here(cpu_self(), self)) {
		error = user_xrstor((const void *)at, f->xcr0);
		take(cpu_self(), self);
	}
	preempt_enable();
	return error == 0 ? 0 : -EFAULT;
}

/*
 * The first program gets the registers as power-on left them: some nested
 * hypervisors cannot restore them, and a machine with one thread never needs
 * it.
 */
void
fpu_drop(struct thread *t)
{
	static bool used;

	preempt_disable();
	if (used || cpu_id() != 0)
		area_load(&initial);
	used = true;
	take(cpu_self(), t);
	preempt_enable();
}

void
fpu_free(struct thread *t)
{
	fpu_area_free(t->fpu);
	t->fpu = NULL;
}

void
fpu_store_always(void)
{
	struct percpu *pc;
	uint64_t state = irq_save();

	pc = cpu_self();
	if (pc->fpu_owner != NULL && pc->fpu_owner != thread_self() &&
	    pc->fpu_unsaved) {
		area_store(pc->fpu_owner->fpu);
		pc->fpu_unsaved = false;
	}
	fpu_is_stored = true;
	irq_restore(state);
}

/*
 * The scheduler gives this processor to next; one of the two or both are
 * programs' threads.  Interrupts off.
 */
void
fpu_switch(struct thread *prev, struct thread *next)
{
	struct percpu *pc = cpu_self();

	if (fpu_is_stored) {
		if (pc->fpu_unsaved && pc->fpu_owner == prev)
			area_store(prev->fpu);
		pc->fpu_unsaved = false;
		if (next->user == NULL)
			return;
	}
	if (is_here(pc, next)) {
		pc->fpu_unsaved = true;
		return;
	}
	if (pc->fpu_unsaved && pc->fpu_owner != NULL)
		area_store(pc->fpu_owner->fpu);
	area_load(next->fpu);
	take(pc, next);
}
