/* SPDX-License-Identifier: ISC */
/*
 * vm_pin.c - pages of a program that a device reads or writes.
 *
 * A pinned frame has a reference, so it stays whatever becomes of the mapping.
 * One that a device writes is counted in page.pins besides: it is the frame
 * that the program must find the data in, so copy on write leaves it to its
 * owner.  fork() gives the child a copy at once, and a frame whose other
 * references are all pins counts as used by one only.
 *
 * Pins are taken under the address space's pt_lock and dropped without.
 */
#include "kern/string.h"
#include "kern/vm_impl.h"

#define PT_SPAN  (PAGE_SIZE * 512) /* bytes that one page table maps */
#define PINS_MAX 0xffffu

/* One more pin; false: there are too many of this frame. */
static bool
count_pin(struct page *p)
{
	uint16_t n = __atomic_load_n(&p->pins, __ATOMIC_RELAXED);

	do {
		if (n == PINS_MAX)
			return false;
	} while (!__atomic_compare_exchange_n(&p->pins, &n, n + 1, false,
	    __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

/* The frame behind an entry that allows the access; 0: it does not. */
static uint64_t
pin_entry(uint64_t pte, bool write)
{
	struct page *p;

	if ((pte & PTE_P) == 0 || (write && (pte & PTE_W) == 0))
		return 0;
	if ((pte & PTE_FOREIGN) != 0)
		return (pte & PTE_ADDR) | VM_PIN_FOREIGN;
	p = page_of_paddr(pte & PTE_ADDR);
	if (write && !count_pin(p))
		return 0;
	page_get(p);
	return pte & PTE_ADDR;
}

/* Pins what is there, up to the first page that is not; how many. */
static unsigned
pin_present(struct vmspace *vm, uaddr_t va, unsigned n, bool write,
    uint64_t frame[])
{
	uint64_t *slot = NULL;
	unsigned i;

	spin_lock(&vm->pt_lock);
	for (i = 0; i < n; i++, va += PAGE_SIZE, slot++) {
		if (slot == NULL || va % PT_SPAN == 0)
			slot = pt_slot(vm->root, va, false);
		if (slot == NULL || (frame[i] = pin_entry(*slot, write)) == 0)
			break;
	}
	spin_unlock(&vm->pt_lock);
	return i;
}

/* Brings the page at va; an entry that is there has too many pins. */
static int
bring(struct vmspace *vm, uaddr_t va, bool write)
{
	struct vm_failure why;
	uint64_t *slot, pte;
	int error;

	mutex_lock(&vm->lock);
	spin_lock(&vm->pt_lock);
	slot = pt_slot(vm->root, va, false);
	pte = slot == NULL ? 0 : *slot;
	spin_unlock(&vm->pt_lock);
	if (write && (pte & (PTE_P | PTE_W)) == (PTE_P | PTE_W))
		error = page_of_paddr(pte & PTE_ADDR)->pins == PINS_MAX ?
		    -ENOMEM :
		    0;
	else
		error = vm_fault_locked(vm, va, write ? VM_WRITE : VM_READ,
		    false, &why);
	mutex_unlock(&vm->lock);
	return error;
}

long
vm_pin(struct vmspace *vm, uaddr_t addr, unsigned n, bool write,
    uint64_t frame[])
{
	uaddr_t va = ROUND_DOWN(addr, PAGE_SIZE);
	unsigned i = 0;
	int error;

	if (va >= USER_END || n > (USER_END - va) >> PAGE_SHIFT)
		return -EFAULT;
	for (;;) {
		i += pin_present(vm, va + ((uint64_t)i << PAGE_SHIFT), n - i,
		    write, frame + i);
		if (i == n)
			return i;
		error = bring(vm, va + ((uint64_t)i << PAGE_SHIFT), write);
		if (error != 0)
			return i > 0 ? (long)i : error;
	}
}

void
vm_unpin(const uint64_t frame[], unsigned n, bool written)
{
	struct page *p;
	unsigned i;

	for (i = 0; i < n; i++) {
		if ((frame[i] & VM_PIN_FOREIGN) != 0)
			continue;
		p = page_of_paddr(frame[i]);
		if (written) {
			/* A file's page may have been written back before. */
			if ((p->flags & PG_CACHE) != 0)
				__atomic_or_fetch(&p->flags, PG_DIRTY,
				    __ATOMIC_RELAXED);
			__atomic_sub_fetch(&p->pins, 1, __ATOMIC_RELEASE);
		}
		page_put(p);
	}
}
