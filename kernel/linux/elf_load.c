/* SPDX-License-Identifier: ISC */
/*
 * elf_load.c - maps a checked ELF file into a new address space: its segments
 * from the file, what they have beyond the file as zeros.
 * System V gABI, chapter 5; placement as Linux's fs/binfmt_elf.c.
 */
#include "fs/file.h"
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/exec.h"
#include <linux/errno.h>

/* Two thirds up the address space: where movable programs go. */
#define PIE_BASE         ROUND_UP(USER_END / 3 * 2, PAGE_SIZE)
#define MMAP_RANDOM_BITS 28
#define BRK_RANDOM_BITS  13 /* pages: 32 MiB */

static unsigned
segment_flags(const struct elf_segment *s)
{
	return (s->read ? VM_READ : 0) | (s->write ? VM_WRITE : 0) |
	    (s->exec ? VM_EXEC : 0);
}

/* The part that lies in the file, in whole pages. */
static int
map_file_part(struct vmspace *vm, struct file *f, const struct elf_segment *s,
    uaddr_t at)
{
	uaddr_t start = ROUND_DOWN(at, PAGE_SIZE);
	uint64_t size = ROUND_UP(at + s->filesz, PAGE_SIZE) - start;
	uint64_t offset = ROUND_DOWN(s->offset, PAGE_SIZE);
	unsigned flags = segment_flags(s) | VM_FIXED;
	struct vm_object *object;
	int error;

	error = file_mmap(f, size, &flags, &offset, &object);
	if (error != 0)
		return error;
	error = vm_map(vm, &start, size, flags, object, offset);
	if (object != NULL)
		vm_object_put(object);
	return error;
}

/* Zeros from the end of the file's bytes to the end of their page. */
static int
clear_tail(struct vmspace *vm, uaddr_t from)
{
	size_t n = ROUND_UP(from, PAGE_SIZE) - from;

	return vm_poke(vm, from, vm_zeros(), n) == n ? 0 : -ENOMEM;
}

static int
map_segment(struct vmspace *vm, struct file *f, const struct elf_segment *s,
    uint64_t bias)
{
	uaddr_t at = s->vaddr + bias, start;
	uaddr_t end = ROUND_UP(at + s->memsz, PAGE_SIZE);
	int error;

	start = ROUND_DOWN(at, PAGE_SIZE);
	if (s->filesz > 0) {
		error = map_file_part(vm, f, s, at);
		if (error == 0 && s->memsz > s->filesz)
			error = clear_tail(vm, at + s->filesz);
		if (error != 0)
			return error;
		start = ROUND_UP(at + s->filesz, PAGE_SIZE);
	}
	if (start >= end)
		return 0;
	return vm_map(vm, &start, end - start, segment_flags(s) | VM_FIXED,
	    NULL, 0);
}

static int
map_image(struct vmspace *vm, struct file *f, const struct elf_image *elf,
    uint64_t bias)
{
	unsigned i;
	int error = 0;

	for (i = 0; i < elf->nsegments && error == 0; i++)
		error = map_segment(vm, f, &elf->segment[i], bias);
	return error;
}

/* A bias for an image that can stand anywhere: below the mmap area's top. */
static int
find_bias(struct vmspace *vm, const struct elf_image *elf, uint64_t *bias)
{
	uint64_t size = elf->high - elf->low, slack;
	uaddr_t at;
	int error;

	slack = elf->align > PAGE_SIZE ? elf->align - PAGE_SIZE : 0;
	if (size > USER_END || slack > USER_END - size)
		return -ENOMEM;
	error = vm_find_room(vm, size + slack, &at);
	if (error == 0)
		*bias = ROUND_UP(at, elf->align) -
		    ROUND_DOWN(elf->low, elf->align);
	return error;
}

/* Where the program itself goes. */
static int
choose_bias(struct exec_image *x, bool has_interp)
{
	const struct elf_image *elf = &x->elf;
	uaddr_t base = PIE_BASE;

	x->bias = 0;
	if (!elf->movable)
		return 0;
	if (!has_interp) /* a static program, or a loader run by its name */
		return find_bias(x->vm, elf, &x->bias);
	if (x->randomize)
		base += exec_random(x, MMAP_RANDOM_BITS) << PAGE_SHIFT;
	x->bias = ROUND_DOWN(base, elf->align) -
	    ROUND_DOWN(elf->low, elf->align);
	if (elf->high + x->bias > USER_END)
		return -ENOMEM;
	return 0;
}

/* The heap begins behind the program, or where movable ones would stand. */
static void
set_brk(struct exec_image *x, bool has_interp)
{
	struct vm_layout *l = vmspace_layout(x->vm);
	uaddr_t brk = x->elf.high + x->bias;

	if (x->elf.movable && !has_interp)
		brk = PIE_BASE;
	if (x->randomize)
		brk += exec_random(x, BRK_RANDOM_BITS) << PAGE_SHIFT;
	l->brk = l->brk_start = ROUND_UP(brk, PAGE_SIZE);
}

static void
note_code_and_data(struct exec_image *x)
{
	struct vm_layout *l = vmspace_layout(x->vm);
	const struct elf_segment *s;
	unsigned i;

	l->code_start = l->data_start = UINT64_MAX;
	for (i = 0; i < x->elf.nsegments; i++) {
		s = &x->elf.segment[i];
		if (s->exec) {
			l->code_start = MIN(l->code_start, s->vaddr + x->bias);
			l->code_end = MAX(l->code_end,
			    s->vaddr + s->filesz + x->bias);
		}
		if (s->write || !s->exec) {
			l->data_start = s->vaddr + x->bias;
			l->data_end = s->vaddr + s->filesz + x->bias;
		}
	}
	if (l->code_start == UINT64_MAX)
		l->code_start = 0;
	if (l->data_start == UINT64_MAX)
		l->data_start = 0;
}

int
exec_load(struct exec_image *x, struct file *program, struct file *interp,
    const struct elf_image *interp_elf)
{
	int error;

	error = choose_bias(x, interp != NULL);
	if (error == 0)
		error = map_image(x->vm, program, &x->elf, x->bias);
	if (error != 0)
		return error;
	set_brk(x, interp != NULL);
	note_code_and_data(x);
	x->start = x->elf.entry + x->bias;
	if (interp == NULL)
		return 0;
	x->interp_bias = 0;
	if (interp_elf->movable)
		error = find_bias(x->vm, interp_elf, &x->interp_bias);
	if (error == 0)
		error = map_image(x->vm, interp, interp_elf, x->interp_bias);
	x->interp_base = x->interp_bias;
	x->start = interp_elf->entry + x->interp_bias;
	return error;
}
