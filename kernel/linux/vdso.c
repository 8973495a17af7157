/* SPDX-License-Identifier: ISC */
/*
 * vdso.c - maps the vDSO (kernel/vdso/) into programs: its code, and below it
 * the page that the clock writes.  Both lie in the kernel's image and are
 * never copied; their entries are made at the first touch.
 */
#include "kern/clock.h"
#include "kern/vm.h"
#include "linux/exec.h"
#include "linux/vdso.h"

#define TABLE_SPAN (2ul << 20) /* what one page table maps */

static uint64_t
code_size(void)
{
	return vdso_image_end - vdso_image;
}

/*
 * Above the stack, in the page table that it needs anyway, as Linux does; or,
 * if that is too near the end, where mappings go.
 */
static int
choose_place(struct exec_image *x, uint64_t size, uaddr_t *out)
{
	uaddr_t top = vmspace_layout(x->vm)->stack_top;
	uaddr_t end = ROUND_UP(top, TABLE_SPAN);
	uint64_t room, page;

	if (!x->randomize || end > USER_END || end - top < size + PAGE_SIZE)
		return vm_find_room(x->vm, size, out);
	room = (end - top - size) >> PAGE_SHIFT;
	page = 1 + (exec_random(x, 9) * room >> 9);
	*out = top + (page << PAGE_SHIFT);
	return 0;
}

int
vdso_map(struct exec_image *x)
{
	uint64_t size = PAGE_SIZE + code_size();
	uaddr_t at;
	int error;

	error = choose_place(x, size, &at);
	if (error == 0)
		error = vm_map_frames(x->vm, at, PAGE_SIZE, VM_READ,
		    clock_vdso_page(), "[vvar]");
	if (error == 0)
		error = vm_map_frames(x->vm, at + PAGE_SIZE, code_size(),
		    VM_READ | VM_EXEC, vm_image_paddr(vdso_image), "[vdso]");
	if (error == 0)
		vmspace_layout(x->vm)->vdso = at + PAGE_SIZE;
	return error;
}
