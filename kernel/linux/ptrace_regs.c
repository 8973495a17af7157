/* SPDX-License-Identifier: ISC */
/*
 * ptrace_regs.c - the registers of a stopped task as its tracer sees them:
 * struct user_regs_struct, the FXSAVE image, the XSAVE area.  <asm/user.h>
 *
 * The general ones are the trap frame, changed in place.  The FPU's state is
 * read from the save area and written to one of its own, which the task
 * exchanges for the old one when it goes on.  Breakpoints are struct thread's,
 * and loaded when the task goes on.
 */
#include "kern/string.h"
#include "kern/thread.h"
#include "linux/ptrace.h"
#include "linux/sigframe.h"
#include "x86/cpu.h"
#include "x86/debugreg.h"
#include "x86/layout.h"
#include "x86/trapframe.h"
#include <linux/elf.h>
#include <linux/errno.h>

#define FXSAVE_SIZE   512
#define XSTATE_BV     512 /* where XSAVE's header begins */
#define XSTATE_SW     464 /* what Linux tells there: XCR0 */
#define USER_DEBUGREG 848 /* offsetof(struct user, u_debugreg) */
#define USER_SIZE     912

/* From r15 to ss as in the trap frame, then the rest. */
struct user_regs {
	uint64_t frame[21];
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};
_Static_assert(sizeof(struct user_regs) == 27 * 8, "user_regs_struct");
#define FRAME_RIP    16
#define FRAME_CS     17
#define FRAME_RFLAGS 18
#define FRAME_SS     20

static uint64_t *
frame_of(struct tracee *tr)
{
	return &tf_of(tr->task->thread)->r15;
}

size_t
ptrace_regs_size(unsigned set)
{
	switch (set) {
	case NT_PRSTATUS: return sizeof(struct user_regs);
	case NT_PRFPREG: return FXSAVE_SIZE;
	case NT_X86_XSTATE:
		return cpu_features()->xsave ? cpu_features()->fpu_size : 0;
	default: return 0;
	}
}

static void
regs_read(struct tracee *tr, struct user_regs *r)
{
	memset(r, 0, sizeof(*r));
	memcpy(r->frame, frame_of(tr), sizeof(r->frame));
	r->fs_base = tr->fsbase;
	r->gs_base = tr->gsbase;
}

/* Nothing with which the way back to the program would fault. */
static int
regs_write(struct tracee *tr, const struct user_regs *r)
{
	uint64_t *frame = frame_of(tr), rflags = frame[FRAME_RFLAGS];

	if (r->frame[FRAME_RIP] >= USER_END || r->fs_base >= USER_END ||
	    r->gs_base >= USER_END || (r->frame[FRAME_CS] & 3) != 3 ||
	    (r->frame[FRAME_SS] & 3) != 3)
		return -EIO;
	memcpy(frame, r->frame, sizeof(r->frame));
	frame[FRAME_CS] = SEL_UCODE;
	frame[FRAME_SS] = SEL_UDATA;
	frame[FRAME_RFLAGS] = sigframe_rflags(rflags, r->frame[FRAME_RFLAGS]);
	if (tr->fsbase != r->fs_base || tr->gsbase != r->gs_base)
		tr->new_bases = true;
	tr->fsbase = r->fs_base;
	tr->gsbase = r->gs_base;
	return 0;
}

/* The state that the task will go on with. */
static const uint8_t *
fpu_now(const struct tracee *tr)
{
	return tr->new_fpu != NULL ? tr->new_fpu : tr->task->thread->fpu;
}

static void
fpu_read(struct tracee *tr, uint8_t *buf, size_t size, bool extended)
{
	memcpy(buf, fpu_now(tr), size);
	if (extended && size >= XSTATE_SW + 8)
		memcpy(buf + XSTATE_SW, &cpu_features()->xcr0, 8);
}

static int
fpu_write(struct tracee *tr, const uint8_t *buf, size_t size, bool extended)
{
	uint8_t *area;
	uint64_t features;
	int error;

	if (size < (extended ? ptrace_regs_size(NT_X86_XSTATE) : FXSAVE_SIZE))
		return -EINVAL;
	area = fpu_area_alloc();
	if (area == NULL)
		return -ENOMEM;
	memcpy(area, fpu_now(tr), cpu_features()->fpu_size);
	memcpy(area, buf, size);
	if (!extended && cpu_features()->xsave) { /* those count now */
		memcpy(&features, area + XSTATE_BV, sizeof(features));
		features |= 3;
		memcpy(area + XSTATE_BV, &features, sizeof(features));
	}
	error = sigframe_check_fpu(area, true);
	if (error != 0) {
		fpu_area_free(area);
		return error;
	}
	fpu_area_free(tr->new_fpu);
	tr->new_fpu = area;
	return 0;
}

long
ptrace_regs_get(struct tracee *tr, unsigned set, void *buf, size_t size)
{
	struct user_regs r;

	size = MIN(size, ptrace_regs_size(set));
	if (set == NT_PRSTATUS) {
		regs_read(tr, &r);
		memcpy(buf, &r, size);
	} else {
		fpu_read(tr, buf, size, set == NT_X86_XSTATE);
	}
	return size;
}

long
ptrace_regs_set(struct tracee *tr, unsigned set, const void *buf, size_t size)
{
	struct user_regs r;
	int error;

	size = MIN(size, ptrace_regs_size(set));
	if (set == NT_PRSTATUS) {
		regs_read(tr, &r);
		memcpy(&r, buf, size);
		error = regs_write(tr, &r);
	} else {
		error = fpu_write(tr, buf, size, set == NT_X86_XSTATE);
	}
	return error != 0 ? error : (long)size;
}

static uint64_t
debug_read(const struct debug_regs *d, unsigned n)
{
	if (d == NULL)
		return 0;
	if (n < DEBUG_SLOTS)
		return d->addr[n];
	return n == 6 ? d->status : n == 7 ? d->control : 0;
}

/* The task loads them when it goes on: until then it does not run. */
static int
debug_write(struct tracee *tr, unsigned n, uint64_t value)
{
	struct debug_regs *d = debugreg_of(tr->task->thread), wanted;
	int error;

	if (n == 4 || n == 5)
		return -EIO;
	if (d == NULL)
		return -ENOMEM;
	wanted = *d;
	if (n < DEBUG_SLOTS)
		wanted.addr[n] = value;
	else if (n == 6)
		wanted.status = value;
	else
		wanted.control = debugreg_control(value);
	error = debugreg_check(&wanted);
	if (error != 0)
		return error;
	*d = wanted;
	tr->new_debug = true;
	return 0;
}

int
ptrace_user_get(struct tracee *tr, uint64_t offset, uint64_t *value)
{
	struct user_regs r;

	if (offset % 8 != 0 || offset >= USER_SIZE)
		return -EIO;
	*value = 0;
	if (offset < sizeof(r)) {
		regs_read(tr, &r);
		memcpy(value, (char *)&r + offset, sizeof(*value));
	} else if (offset >= USER_DEBUGREG) {
		*value = debug_read(tr->task->thread->debug,
		    (offset - USER_DEBUGREG) / 8);
	}
	return 0;
}

int
ptrace_user_set(struct tracee *tr, uint64_t offset, uint64_t value)
{
	struct user_regs r;

	if (offset % 8 != 0 || offset >= USER_SIZE)
		return -EIO;
	if (offset >= USER_DEBUGREG)
		return debug_write(tr, (offset - USER_DEBUGREG) / 8, value);
	if (offset >= sizeof(r))
		return -EIO;
	regs_read(tr, &r);
	memcpy((char *)&r + offset, &value, sizeof(value));
	return regs_write(tr, &r);
}
