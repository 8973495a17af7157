/* SPDX-License-Identifier: ISC */
/*
 * vm_fault.c - page faults: demand zero, copy on write, pages of objects,
 * growing stacks.
 *
 * All is decided under the address space's sleep lock.  While an object is
 * asked for a page (which may sleep) its epoch is remembered; if a truncation
 * came in between, the answer is dropped and the object asked again.
 */
#include "kern/string.h"
#include "kern/thread.h"
#include "kern/vm_impl.h"
#include "x86/cpu.h"
#include <asm-generic/siginfo.h>
#include <asm/signal.h>

#define AROUND 16 /* pages looked at around a fault on an object */

struct fault {
	struct vmspace *vm;
	struct vm_mapping *m;
	uaddr_t va;
	uint64_t *slot;
	unsigned flags; /* of m; VM_WRITE added for a debugger's poke */
	bool write;
};

static int
fail(struct vm_failure *why, int signo, int code)
{
	why->signo = signo;
	why->code = code;
	return -EFAULT;
}

/* Puts pa into the empty or replaced slot. */
static void
install_locked(struct fault *f, paddr_t pa, uint64_t owner, bool writable)
{
	uint64_t old = *f->slot;

	*f->slot = vm_pte(pa, f->m->flags, owner, writable);
	vm_count_resident(f->vm, *f->slot, 1);
	if (old != 0) {
		vm_count_resident(f->vm, old, -1);
		vm_tlb_flush(f->vm, f->va, f->va + PAGE_SIZE);
		if ((old & PTE_FOREIGN) == 0)
			page_put(page_of_paddr(old & PTE_ADDR));
	}
	vm_count_peak(f->vm);
}

static int
fault_anonymous(struct fault *f)
{
	struct page *p = NULL;

	if (f->write) {
		p = page_alloc(0, PAGE_ALLOC_ZERO);
		if (p == NULL)
			return -ENOMEM;
	}
	spin_lock(&f->vm->pt_lock);
	if (p != NULL)
		install_locked(f, page_paddr(p), PTE_PRIVATE, true);
	else
		install_locked(f, vm_zero_frame(), PTE_FOREIGN, false);
	spin_unlock(&f->vm->pt_lock);
	return 0;
}

/*
 * The first write to a private frame that others share, or that is the zero
 * page's or an object's: an own copy.
 */
static int
fault_copy(struct fault *f, uint64_t pte)
{
	bool zero = (pte & PTE_FOREIGN) != 0;
	struct page *p = page_alloc(0, zero ? PAGE_ALLOC_ZERO : 0);

	if (p == NULL)
		return -ENOMEM;
	spin_lock(&f->vm->pt_lock);
	if (*f->slot != pte) { /* truncated meanwhile: fault again */
		spin_unlock(&f->vm->pt_lock);
		page_put(p);
		return 0;
	}
	if (!zero)
		memcpy(page_kva(p), paddr_kva(pte & PTE_ADDR), PAGE_SIZE);
	install_locked(f, page_paddr(p), PTE_PRIVATE, true);
	spin_unlock(&f->vm->pt_lock);
	return 0;
}

static int
object_failure(int error, struct vm_failure *why)
{
	if (error == -ENOMEM)
		return error;
	return fail(why, SIGBUS, BUS_ADRERR);
}

/* Maps what is in memory already around a read fault. */
static void
fault_around(struct fault *f, uint32_t epoch)
{
	struct vm_mapping *m = f->m;
	struct vm_object *o = m->object;
	struct page *pages[AROUND];
	uaddr_t start, end;
	uint64_t *slot;
	unsigned i, n;

	start = MAX(m->start, ROUND_DOWN(f->va, AROUND * PAGE_SIZE));
	end = MIN(m->end,
	    ROUND_DOWN(f->va, AROUND * PAGE_SIZE) + AROUND * PAGE_SIZE);
	n = (end - start) >> PAGE_SHIFT;
	if (n <= 1 || o->ops->peek_pages(o, vm_index(m, start), n, pages) == 0)
		return;
	slot = f->slot - ((f->va - start) >> PAGE_SHIFT);
	spin_lock(&f->vm->pt_lock);
	for (i = 0; i < n; i++) {
		if (pages[i] == NULL || slot[i] != 0 ||
		    __atomic_load_n(&o->epoch, __ATOMIC_ACQUIRE) != epoch)
			continue;
		slot[i] = vm_pte(page_paddr(pages[i]), m->flags, 0, false);
		f->vm->res_object++;
		pages[i] = NULL;
	}
	vm_count_peak(f->vm);
	spin_unlock(&f->vm->pt_lock);
	for (i = 0; i < n; i++)
		if (pages[i] != NULL)
			page_put(pages[i]);
}

/* A copy of p, whose reference it takes over; NULL: out of memory. */
static struct page *
private_copy(struct page *p)
{
	struct page *copy = page_alloc(0, 0);

	if (copy != NULL)
		memcpy(page_kva(copy), page_kva(p), PAGE_SIZE);
	page_put(p);
	return copy;
}

static int
fault_object(struct fault *f, struct vm_failure *why)
{
	struct vm_object *o = f->m->object;
	bool shared = (f->flags & VM_SHARED) != 0;
	bool copy = f->write && !shared;
	struct page *p;
	uint32_t epoch;
	int error;

	for (;;) {
		epoch = __atomic_load_n(&o->epoch, __ATOMIC_ACQUIRE);
		error = o->ops->get_page(o, vm_index(f->m, f->va),
		    f->write && shared, &p);
		if (error != 0)
			return object_failure(error, why);
		if (copy && (p = private_copy(p)) == NULL)
			return -ENOMEM;
		spin_lock(&f->vm->pt_lock);
		if (__atomic_load_n(&o->epoch, __ATOMIC_ACQUIRE) == epoch)
			break;
		spin_unlock(&f->vm->pt_lock);
		page_put(p);
	}
	install_locked(f, page_paddr(p), copy ? PTE_PRIVATE : 0, f->write);
	spin_unlock(&f->vm->pt_lock);
	if (!f->write && o->ops->peek_pages != NULL)
		fault_around(f, epoch);
	return 0;
}

static int
fault_frames(struct fault *f)
{
	spin_lock(&f->vm->pt_lock);
	install_locked(f, f->m->offset + (f->va - f->m->start), PTE_FOREIGN,
	    false);
	spin_unlock(&f->vm->pt_lock);
	return 0;
}

/*
 * Nobody else has the frame, devices that write to it for us excepted.  Under
 * pt_lock, pins only go, and before their references do.
 */
bool
vm_frame_is_own(uint64_t pte)
{
	struct page *p = page_of_paddr(pte & PTE_ADDR);
	uint32_t refs = __atomic_load_n(&p->refs, __ATOMIC_ACQUIRE);

	return refs == 1u + __atomic_load_n(&p->pins, __ATOMIC_ACQUIRE);
}

/* The page is there, and was touched in a way that its entry forbids. */
static int
fault_present(struct fault *f, uint64_t pte, struct vm_failure *why)
{
	struct vmspace *vm = f->vm;

	if (!f->write || (pte & PTE_W) != 0) {
		/* Another thread was faster, or the TLB is stale. */
		tlb_flush_page(f->va);
		return 0;
	}
	if ((f->flags & VM_SHARED) != 0)
		return fault_object(f, why);
	if ((pte & PTE_PRIVATE) == 0)
		return fault_copy(f, pte);
	spin_lock(&vm->pt_lock);
	if (*f->slot == pte && vm_frame_is_own(pte)) {
		/* The only owner: no copy is needed. */
		*f->slot = vm_pte(pte & PTE_ADDR, f->m->flags, PTE_PRIVATE,
		    true);
		tlb_flush_page(f->va); /* others learn by a fault */
		spin_unlock(&vm->pt_lock);
		return 0;
	}
	spin_unlock(&vm->pt_lock);
	return fault_copy(f, pte);
}

/* A stack is touched below its start: may it grow there? */
static int
grow_stack(struct vmspace *vm, struct vm_mapping *m, uaddr_t va)
{
	struct vm_mapping *below = vm_tree_prev(m);

	if (!vm_is_stack(m->flags) || va < VM_MIN_ADDR ||
	    m->end - va > vm->layout.stack_max)
		return -EFAULT;
	if (below != NULL && (below->flags & VM_PROT) != 0 &&
	    !vm_is_stack(below->flags) && va - below->end < VM_STACK_GUARD)
		return -EFAULT;
	if (vm_may_grow(vm, (m->start - va) >> PAGE_SHIFT, m->flags) != 0)
		return -EFAULT;
	vm_mapping_resize(vm, m, va, m->end);
	return 0;
}

/* A read needs any permission, as x86 has no entry that can only be written. */
static bool
permitted(unsigned flags, unsigned access, bool force)
{
	if ((access & VM_WRITE) != 0)
		return (flags & VM_WRITE) != 0 ||
		    (force &&
			(flags & (VM_MAYWRITE | VM_SHARED)) == VM_MAYWRITE);
	if ((access & VM_EXEC) != 0)
		return (flags & VM_EXEC) != 0;
	return force || (flags & VM_PROT) != 0;
}

int
vm_fault_locked(struct vmspace *vm, uaddr_t addr, unsigned access, bool force,
    struct vm_failure *why)
{
	struct fault f = { .vm = vm, .va = ROUND_DOWN(addr, PAGE_SIZE) };
	uint64_t pte;

	f.m = addr < USER_END ? vm_tree_find(vm, addr) : NULL;
	if (f.m == NULL)
		return fail(why, SIGSEGV, SEGV_MAPERR);
	if (addr < f.m->start && grow_stack(vm, f.m, f.va) != 0)
		return fail(why, SIGSEGV, SEGV_MAPERR);
	if (!permitted(f.m->flags, access, force))
		return fail(why, SIGSEGV, SEGV_ACCERR);
	f.flags = f.m->flags;
	f.write = (access & VM_WRITE) != 0;
	spin_lock(&vm->pt_lock);
	f.slot = pt_slot(vm->root, f.va, true);
	pte = f.slot == NULL ? 0 : *f.slot;
	spin_unlock(&vm->pt_lock);
	if (f.slot == NULL)
		return -ENOMEM;
	if (pte != 0)
		return fault_present(&f, pte, why);
	if (f.m->object != NULL)
		return fault_object(&f, why);
	if ((f.flags & VM_FRAMES) != 0)
		return fault_frames(&f);
	return fault_anonymous(&f);
}

int
vm_fault(struct vmspace *vm, uaddr_t addr, unsigned access, int *signo,
    int *code)
{
	struct vm_failure why = { SIGSEGV, SEGV_MAPERR };
	struct thread *t = thread_self();
	uint64_t disk_read = t->disk_read;
	int error;

	mutex_lock(&vm->lock);
	error = vm_fault_locked(vm, addr, access, false, &why);
	mutex_unlock(&vm->lock);
	if (error == 0) {
		*(t->disk_read == disk_read ? &t->min_faults :
					      &t->maj_faults) += 1;
		return 0;
	}
	if (error == -ENOMEM) {
		why.signo = SIGKILL;
		why.code = SI_KERNEL;
	}
	*signo = why.signo;
	*code = why.code;
	return error;
}

int
vm_populate_locked(struct vmspace *vm, uaddr_t start, uaddr_t end, bool write)
{
	unsigned access = write ? VM_WRITE : VM_READ;
	struct vm_failure why;
	uint64_t *slot;
	uaddr_t va;
	int error;

	for (va = start; va < end; va += PAGE_SIZE) {
		spin_lock(&vm->pt_lock);
		slot = pt_slot(vm->root, va, false);
		if (slot != NULL && (*slot & PTE_P) != 0 &&
		    (!write || (*slot & PTE_W) != 0)) {
			spin_unlock(&vm->pt_lock);
			continue;
		}
		spin_unlock(&vm->pt_lock);
		error = vm_fault_locked(vm, va, access, false, &why);
		if (error != 0)
			return error;
	}
	return 0;
}

int
vm_populate(struct vmspace *vm, uaddr_t addr, uint64_t size, unsigned access)
{
	int error;

	mutex_lock(&vm->lock);
	error = vm_populate_locked(vm, ROUND_DOWN(addr, PAGE_SIZE),
	    ROUND_UP(addr + size, PAGE_SIZE), (access & VM_WRITE) != 0);
	mutex_unlock(&vm->lock);
	return error;
}
