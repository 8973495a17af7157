/* SPDX-License-Identifier: ISC */
/*
 * exec_stack.c - a new program's stack, as the System V ABI (x86-64
 * supplement, 3.4.1) and Linux lay it, from the top down: eight zero bytes,
 * the program's file name, environment strings, argument strings, a random
 * distance, the platform's name, random bytes, and, 16-byte aligned, argc,
 * argv, envp and the auxiliary vector.
 */
#include "kern/string.h"
#include "kern/vm.h"
#include "linux/exec.h"
#include "linux/process.h"
#include "x86/cpu.h"
#include <linux/auxvec.h>
#include <linux/elf.h>
#include <linux/errno.h>

#define STACK_RANDOM_BITS   22
#define STRINGS_RANDOM_BITS 13
#define MMAP_RANDOM_BITS    28
#define STACK_GAP_MIN       (128ul << 20)
#define STACK_FIRST         (128ul << 10) /* mapped beyond what is used */
#define HWCAP2_FSGSBASE     2u
#define CLOCK_TICKS         100 /* of times(2): USER_HZ */
#define PLATFORM            "x86_64"

/* The bytes of a signal frame beside the FPU's: signal(7), MINSIGSTKSZ. */
#define SIGFRAME_BASE 440

void
exec_set_layout(struct exec_image *x)
{
	const struct rlimit64 *lim = process_self()->rlimits;
	struct vm_layout *l = vmspace_layout(x->vm);
	uint64_t gap, rnd = 0;

	l->stack_max = lim[RLIMIT_STACK].rlim_cur;
	l->data_max = lim[RLIMIT_DATA].rlim_cur;
	l->as_max = lim[RLIMIT_AS].rlim_cur;
	l->lock_max = lim[RLIMIT_MEMLOCK].rlim_cur;
	l->stack_top = USER_END;
	gap = l->stack_max + VM_STACK_GUARD;
	if (gap < l->stack_max)
		gap = UINT64_MAX;
	if (x->randomize) {
		l->stack_top -= exec_random(x, STACK_RANDOM_BITS) << PAGE_SHIFT;
		rnd = exec_random(x, MMAP_RANDOM_BITS) << PAGE_SHIFT;
		gap += gap < USER_END ?
		    1ul << (STACK_RANDOM_BITS + PAGE_SHIFT) :
		    0;
	}
	gap = MIN(MAX(gap, STACK_GAP_MIN), USER_END / 6 * 5);
	l->mmap_top = ROUND_DOWN(USER_END - gap - rnd, PAGE_SIZE);
}

struct auxv {
	unsigned n;
	uint64_t *v;
};

static void
aux_add(struct auxv *a, uint64_t type, uint64_t value)
{
	a->v[a->n++] = type;
	a->v[a->n++] = value;
}

/* In Linux's order; zeros follow AT_NULL. */
static unsigned
fill_auxv(const struct exec_image *x, uint64_t *v, uaddr_t random,
    uaddr_t platform, uaddr_t execfn)
{
	const struct cpu_features *cpu = cpu_features();
	const struct creds *cred = creds_self();
	struct auxv a = { .v = v };

	if (vmspace_layout(x->vm)->vdso != 0)
		aux_add(&a, AT_SYSINFO_EHDR, vmspace_layout(x->vm)->vdso);
	aux_add(&a, AT_MINSIGSTKSZ,
	    ROUND_UP(SIGFRAME_BASE + 63 + cpu->fpu_size + 4, 16));
	aux_add(&a, AT_HWCAP, cpu->hwcap);
	aux_add(&a, AT_PAGESZ, PAGE_SIZE);
	aux_add(&a, AT_CLKTCK, CLOCK_TICKS);
	aux_add(&a, AT_PHDR, x->elf.phdr == 0 ? 0 : x->elf.phdr + x->bias);
	aux_add(&a, AT_PHENT, sizeof(Elf64_Phdr));
	aux_add(&a, AT_PHNUM, x->elf.phnum);
	aux_add(&a, AT_BASE, x->interp_base);
	aux_add(&a, AT_FLAGS, 0);
	aux_add(&a, AT_ENTRY, x->elf.entry + x->bias);
	aux_add(&a, AT_UID, cred->uid);
	aux_add(&a, AT_EUID, x->euid);
	aux_add(&a, AT_GID, cred->gid);
	aux_add(&a, AT_EGID, x->egid);
	aux_add(&a, AT_SECURE, x->secure);
	aux_add(&a, AT_RANDOM, random);
	aux_add(&a, AT_HWCAP2, cpu->fsgsbase ? HWCAP2_FSGSBASE : 0);
	aux_add(&a, AT_EXECFN, execfn);
	aux_add(&a, AT_PLATFORM, platform);
	aux_add(&a, AT_NULL, 0);
	return a.n;
}

static int
poke(struct vmspace *vm, uaddr_t at, const void *buf, size_t len)
{
	return vm_poke(vm, at, buf, len) == len ? 0 : -ENOMEM;
}

/* Maps what is used and a bit more; the rest grows. */
static int
map_stack(struct exec_image *x, uint64_t used)
{
	struct vm_layout *l = vmspace_layout(x->vm);
	uint64_t size = ROUND_UP(used, PAGE_SIZE);
	unsigned flags = VM_READ | VM_WRITE | VM_GROWSDOWN | VM_FIXED |
	    VM_NOREPLACE;
	uaddr_t start;

	if (x->elf.exec_stack)
		flags |= VM_EXEC;
	if (size > l->stack_max)
		return -E2BIG;
	size = MIN(size + STACK_FIRST,
	    MAX(size, ROUND_DOWN(l->stack_max, PAGE_SIZE)));
	start = l->stack_top - size;
	return vm_map(x->vm, &start, size, flags, NULL, 0);
}

static int
fill_stack(struct exec_image *x, const struct exec_args *a, uaddr_t strings,
    uaddr_t execfn, uaddr_t platform)
{
	struct vm_layout *l = vmspace_layout(x->vm);
	uaddr_t random = platform - 16, auxv;
	uint64_t argc = exec_args_argc(a);
	uint64_t pointers = argc + 1 + a->envc + 1;
	unsigned n;
	int error;

	memset(l->auxv, 0, sizeof(l->auxv));
	n = fill_auxv(x, l->auxv, random, platform, execfn);
	x->sp = ROUND_DOWN(random - (1 + pointers + n) * 8, 16);
	auxv = x->sp + (1 + pointers) * 8;
	l->stack_start = x->sp;
	error = poke(x->vm, platform, PLATFORM, sizeof(PLATFORM));
	if (error == 0)
		error = poke(x->vm, random, x->seed, sizeof(x->seed));
	if (error == 0)
		error = poke(x->vm, execfn, x->filename,
		    strlen(x->filename) + 1);
	if (error == 0)
		error = poke(x->vm, auxv, l->auxv, n * 8);
	if (error == 0)
		error = poke(x->vm, x->sp, &argc, sizeof(argc));
	if (error == 0)
		error = exec_args_emit(a, x->vm, strings, x->sp + 8);
	return error;
}

int
exec_build_stack(struct exec_image *x, const struct exec_args *a)
{
	struct vm_layout *l = vmspace_layout(x->vm);
	uint64_t size = exec_args_size(a), pointers;
	uaddr_t execfn, strings, platform;
	int error;

	execfn = l->stack_top - 8 - (strlen(x->filename) + 1);
	strings = execfn - size;
	l->arg_start = strings;
	l->arg_end = l->env_start = strings + exec_args_argv_size(a);
	l->env_end = execfn;
	platform = strings;
	if (x->randomize)
		platform -= exec_random(x, STRINGS_RANDOM_BITS);
	platform = ROUND_DOWN(platform, 16) - sizeof(PLATFORM);
	pointers = (exec_args_argc(a) + a->envc + 3) * 8;
	error = map_stack(x,
	    l->stack_top - platform + 16 + pointers + sizeof(l->auxv) + 16);
	if (error != 0)
		return error;
	return fill_stack(x, a, strings, execfn, platform);
}
